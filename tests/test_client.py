"""The client of the service, against a real one."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

import pytest
from web_server import serving

from checker import client as module
from checker.bitext.estimator import QualityEstimator
from checker.client import Client, ServiceError
from checker.errors import InputError, OutputError
from checker.pipeline import Checker
from checker.result import Result
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


@pytest.fixture
def roomy(quick: Checker) -> Iterator[Client]:
    """A client of a service that takes files of any size."""
    with serving(create_app(quick)) as base:
        yield Client(base)


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


def test_a_file_is_scored_and_its_accounts_are_judged(
    roomy: Client, quick: Checker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, scores = tmp_path / "posts.csv", tmp_path / "scores.jsonl"
    rows = [f'{n},"{POST} {n}",ministry,2026-01-{n + 1:02}' for n in range(25)]
    source.write_text("\n".join(["nr,body,user,day", *rows, "25,,ministry,"]), "utf-8")
    columns = {"text_column": "body", "id_column": "nr", "account_column": "user", "date_column": "day"}
    assert roomy.score_file(source, scores, **columns) == 26
    lines = [json.loads(line) for line in scores.read_text("utf-8").splitlines()]
    kept = {key: value for key, value in lines[7].items() if key not in ("account", "date")}
    assert Result.model_validate(kept) == quick.score(f"{POST} 7", id="7")
    assert (lines[7]["account"], lines[7]["date"]) == ("ministry", "2026-01-08")
    assert lines[25]["verdict"] == "not_scored"
    [account] = roomy.accounts(scores, window="day")
    assert (account.account, account.posts.given, account.posts.distinct) == ("ministry", 26, 1)
    roomy.report(scores, tmp_path / "report.html", date="27 November 2026")
    assert "27 November 2026" in (tmp_path / "report.html").read_text("utf-8")
    with pytest.raises(InputError, match="column"):
        roomy.score_file(source, scores, text_column="none")
    for output in (source, tmp_path / "scores.csv"):
        with pytest.raises(OutputError):
            roomy.score_file(source, output)
    with pytest.raises(OutputError, match="the input"):
        roomy.score_file(scores, scores)
    with pytest.raises(OutputError, match="html"):
        roomy.report(scores, tmp_path / "report.txt")
    with pytest.raises(InputError, match="Unicode"):
        roomy.score_file(source, scores, text_column="\ud800")
    with pytest.raises(InputError, match="cannot be read"):
        roomy.score_file(tmp_path / "none.csv", scores)
    with pytest.raises(InputError, match="window"):
        roomy.accounts(scores, window="decade")
    assert len(scores.read_text("utf-8").splitlines()) == 26  # as it was
    monkeypatch.setattr("checker.web.service.Service.score_next", _lost)
    with pytest.raises(ServiceError, match="waiting"):
        roomy.score_file(source, scores, **columns)


def test_an_answer_that_ends_early_is_no_file_of_scores(tmp_path: Path) -> None:
    source, scores = tmp_path / "posts.txt", tmp_path / "scores.jsonl"
    source.write_text(POST, "utf-8")
    for body, said in (
        (b'{"id": "1"}\n', "1 of 3 rows"),
        (b"<html>", "0 of 3"),
        (b"", "0 of 3"),
        (b"{}\n{}\nnull", "2 of 3"),
        (b"{}\nx\n{}", "2 of 3"),
    ):
        head = f"HTTP/1.1 200 OK\r\nStatement-Checker-Rows: 3\r\nContent-Length: {len(body)}\r\n\r\n".encode()
        with answering(head + body) as base, pytest.raises(ServiceError, match=said):
            Client(base).score_file(source, scores)
    foreign = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
    with answering(foreign) as base, pytest.raises(ServiceError, match="is this the service"):
        Client(base).score_file(source, scores)
    with answering(foreign) as base, pytest.raises(ServiceError, match="is this the service"):
        Client(base).version()
    page = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n\xff\xfe<>"
    with answering(page) as base, pytest.raises(ServiceError, match="is this the service"):
        Client(base).report(source, tmp_path / "report.html")
    with pytest.raises(OutputError, match="no folder"):
        Client(base).score_file(source, tmp_path / "none" / "scores.jsonl")
    assert not scores.exists()


@contextmanager
def answering(answer: bytes) -> Iterator[str]:
    """A server that gives one answer, whatever it is asked."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(20)

        def answer_once() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(2**16)
                connection.sendall(answer)

        thread = Thread(target=answer_once, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        thread.join()


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


async def _lost(service: object, asked: object) -> object:
    from checker.web.problems import RequestError

    raise RequestError(503, "Too much is waiting.", fix="Send it again.")


def _full(room: object, items: int) -> object:
    from checker.web.batching import BusyError

    raise BusyError(3)
