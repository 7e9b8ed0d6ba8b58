"""Files that are answered as they are scored: fair to others, and honest where they break off."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from web_server import serving

from checker.errors import ModelNotFoundError
from checker.io.read import Post
from checker.pipeline import Checker
from checker.result import RowError
from checker.web.app import create_app
from checker.web.limits import Limits
from checker.web.lines import PART, PART_CHARACTERS, parts
from checker.web.service import Service

POST = "Завтра с десяти утра на улице Садовой отключат воду. Запаситесь ею заранее."
LINES = {"accept": "application/x-ndjson"}
LIMITS = Limits(body=20_000, posts=PART, waiting=PART + 5, uploads=1, seconds=20)


@pytest.fixture(scope="module")
def quick() -> Checker:
    return Checker(round_trip=False, fluency=False, encoder=False)


@pytest.fixture(scope="module")
def url(quick: Checker) -> Iterator[str]:
    with serving(create_app(quick, limits=LIMITS), limits=LIMITS) as base:
        yield base


def upload(rows: int) -> dict[str, Any]:
    return {"file": ("a.txt", "".join(f"{POST} {n}\n" for n in range(rows)).encode())}


rows = st.lists(
    st.one_of(
        st.integers(0, PART_CHARACTERS + 1).map(lambda size: Post("1", 1, "x" * size)),
        st.just(RowError(id="1", row=1, field=None, error="?", fix="!")),
    ),
    max_size=100,
)


@given(rows)
def test_parts_are_the_rows_in_small_pieces(given: list[Post | RowError]) -> None:
    found = list(parts(given))
    assert [row for part in found for row in part] == given
    for part in found:
        assert 1 <= len(part) <= PART
        assert sum(len(row.text) for row in part[:-1] if isinstance(row, Post)) < PART_CHARACTERS


def test_a_large_file_leaves_room_for_others(client: httpx.Client, url: str) -> None:
    """It has many more rows than may wait, and takes no more room than a part of it."""
    with ThreadPoolExecutor(2) as pool:
        large = pool.submit(client.post, "/v1/score/file", files=upload(300), headers=LINES)
        others = 0
        while not large.done():
            with httpx.Client(base_url=url, timeout=60, trust_env=False) as other:
                assert other.post("/v1/score", json={"text": f"{POST} {others}"}).status_code == 200
            others += 1
    assert len(large.result().text.splitlines()) == 300
    assert others > 3


def test_parts_that_find_no_room_wait(client: httpx.Client) -> None:
    """Two files together have more posts in a part than may wait."""
    with ThreadPoolExecutor(3) as pool:
        asked = [
            pool.submit(client.post, "/v1/score/file", files=upload(100), headers=LINES) for _ in range(3)
        ]
        answers = [one.result() for one in asked]
    assert {answer.status_code for answer in answers} <= {200, 503}  # no room at the start is said at once
    whole = [answer for answer in answers if answer.status_code == 200]
    assert whole
    assert all(len(answer.text.splitlines()) == 100 for answer in whole)


@pytest.mark.parametrize("error", [ModelNotFoundError("It is not there."), TimeoutError()])
def test_an_answer_that_breaks_off_says_why_in_its_last_line(
    client: httpx.Client, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    original = Service._score

    async def breaking(self: Service, posts: Any) -> Any:
        if posts[0].id == str(2 * PART + 1):
            raise error
        return await original(self, posts)

    monkeypatch.setattr(Service, "_score", breaking)
    answer = client.post("/v1/score/file", files=upload(100), headers=LINES)
    *lines, last = map(json.loads, answer.text.splitlines())
    assert answer.headers["statement-checker-rows"] == "100"
    assert [line["id"] for line in lines] == [str(n) for n in range(1, 2 * PART + 1)]
    assert set(last) == {"field", "error", "fix"}


def test_a_client_that_hangs_up_stops_its_file(client: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []
    original = Service._score

    async def noted(self: Service, posts: Any) -> Any:
        seen.append(posts[0].id)
        return await original(self, posts)

    monkeypatch.setattr(Service, "_score", noted)
    with client.stream("POST", "/v1/score/file", files=upload(2000), headers=LINES) as answer:
        next(answer.iter_lines())
    count = -1
    while count < len(seen):
        count = len(seen)
        time.sleep(1)  # a part takes far less
    assert count < 50
    assert "statement_checker_waiting_posts 0.0" in client.get("/metrics").text


def test_few_large_files_are_held_at_once(client: httpx.Client) -> None:
    with client.stream("POST", "/v1/score/file", files=upload(1000), headers=LINES) as answer:
        lines = answer.iter_lines()
        next(lines)
        refused = client.post("/v1/score/file", files=upload(1000), headers=LINES)
        assert refused.status_code == 503
        assert refused.headers["retry-after"]
        small = client.post("/v1/score/file", files=upload(2), headers=LINES)
        assert small.status_code == 200
    large = client.post("/v1/score", content=b" " * 30_000)
    assert large.status_code == 413


def test_a_file_has_a_limit_of_its_own(client: httpx.Client) -> None:
    answer = client.post("/v1/score/file", files={"file": ("a.txt", b"x\n" * 2001)}, headers=LINES)
    assert answer.status_code == 422
    assert "more than 2000" in answer.json()["error"]
    assert client.post("/v1/score/file", content=b" " * (LIMITS.upload + 1)).status_code == 413
