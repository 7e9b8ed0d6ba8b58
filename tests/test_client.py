"""The client of the service, against a real one."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest
from web_server import serving

from checker import client as module
from checker.bitext.estimator import QualityEstimator
from checker.client import Client, ServiceError
from checker.errors import InputError
from checker.pipeline import Checker
from checker.version import __version__
from checker.web.app import create_app
from checker.web.limits import Limits

TOKEN = "a-token-of-the-tests-0123456789"
POST = "Завтра с десяти утра на улице Садовой отключат воду. Запаситесь ею заранее."


@pytest.fixture(scope="module")
def quick() -> Checker:
    return Checker(round_trip=False, fluency=False)


@pytest.fixture(scope="module")
def url(quick: Checker) -> Iterator[str]:
    with serving(create_app(quick, token=TOKEN, limits=Limits(posts=10, waiting=10))) as base:
        yield base


@pytest.fixture
def client(url: str) -> Client:
    return Client(url, token=TOKEN)


def test_it_answers_as_the_checker_does(
    client: Client, quick: Checker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "POSTS", 7)
    assert client.score(POST, id=5) == quick.score(POST, id=5)
    posts = [f"{POST} {n}" for n in range(20)]
    assert list(client.score_many(iter(posts))) == list(quick.score_many(posts))
    assert [result.id for result in client.score_many(posts, range(20))] == [str(n) for n in range(20)]
    gap = [POST, None, float("nan"), POST]
    assert list(client.score_many(gap, [1, 2, 3, 4])) == list(quick.score_many(gap, [1, 2, 3, 4]))
    words = "Taxi Hotel Restaurant Museum Park Bank Bus Metro Radio Internet"
    assert client.score(words, language="de").language.code == "de"
    assert [one.language.code for one in client.score_many([words, POST], language="fr")] == ["fr", "fr"]  # type: ignore[union-attr]
    with pytest.raises(InputError, match="language"):
        client.score(words, language="xx")
    assert client.version() == __version__
    assert "ru" in [language["code"] for language in client.languages()]
    pair = ("Паром не ходит до 12 мая.", "The ferry does not run until 21 May.")
    assert client.quality(*pair) == QualityEstimator(models=quick.models).estimate(*pair)


def test_what_is_wrong_is_said_as_the_service_says_it(client: Client, url: str) -> None:
    with pytest.raises(InputError, match="longer than 20000") as refused:
        client.score("x" * 20_001)
    assert refused.value.field == "text"
    with pytest.raises(ServiceError, match="token") as wrong:
        Client(url).score(POST)
    assert wrong.value.status == 401
    for bad in "\ud800", None:
        with pytest.raises(InputError):
            client.score(bad)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="one post"):
        list(client.score_many(POST))
    with pytest.raises(InputError, match="http://"):
        Client("127.0.0.1:8000")


def test_nobody_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(ServiceError, match="does not answer"):
        Client(f"http://127.0.0.1:{port}").version()


def test_a_full_service_is_asked_again(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr("checker.client.time.sleep", slept.append)
    with pytest.raises(InputError):  # 11 posts are refused at once …
        list(client.score_many([POST] * 11))
    monkeypatch.setattr("checker.web.batching.Room.entered", _full)
    with pytest.raises(ServiceError, match="waiting"):  # … and a full service after some tries
        client.score(POST)
    assert slept == [3] * 5


def _full(room: object, items: int) -> object:
    from checker.web.batching import BusyError

    raise BusyError(3)
