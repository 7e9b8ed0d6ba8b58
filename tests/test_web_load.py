"""Load, and clients that misbehave: nobody else may notice."""

from __future__ import annotations

import asyncio
import json
import os
import random
import re
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import count

import httpx
import pytest
from web_server import serving

from checker.models import Store
from checker.pipeline import Checker
from checker.web.app import create_app
from checker.web.limits import Limits

CLIENTS = 32
SENTENCES = (
    "Министерство сообщило о начале ремонта моста через реку.",
    "Губернатор провёл совещание по вопросам подготовки к зиме.",
    "The ministry said on Monday that repairs of the bridge have begun.",
    "The governor met heads of the districts to discuss the coming winter.",
    "Das Ministerium teilte mit, dass die Arbeiten an der Brücke begonnen haben.",
    "وزارت راه اعلام کرد که تعمیر پل روی رودخانه آغاز شده است.",
)


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """``checker serve`` as a process of its own, and its URL."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "checker", "serve", "--port", str(port)]
    environment = {key: value for key, value in os.environ.items() if key != "STATEMENT_CHECKER_TOKEN"}
    with subprocess.Popen(command, stderr=subprocess.DEVNULL, env=environment) as server:
        deadline = time.monotonic() + 60
        while True:
            try:
                httpx.get(f"{url}/healthz", trust_env=False)
                break
            except httpx.ConnectError:
                assert server.poll() is None, "the service did not start"
                assert time.monotonic() < deadline, "the service did not start in time"
                time.sleep(0.1)
        yield url, server
        server.terminate()
        assert server.wait(timeout=20) == -signal.SIGTERM  # uvicorn shuts down, then takes the signal


@pytest.fixture
def process(server: tuple[str, subprocess.Popen[bytes]]) -> str:
    """The URL of a service that is a process of its own."""
    return server[0]


def sample(url: str, name: str) -> float:
    """The value of a metric; 0 where it has none yet."""
    exposition = httpx.get(f"{url}/metrics", trust_env=False).text
    found = re.search(rf"^{re.escape(name)} (\S+)$", exposition, re.MULTILINE)
    return float(found[1]) if found else 0.0


async def load(url: str, seconds: float) -> tuple[Counter[int], list[float]]:
    """Post as many clients as fast as they are answered; gives statuses and seconds of each answer."""
    statuses: Counter[int] = Counter()
    latencies: list[float] = []
    end = time.monotonic() + seconds

    async def client(number: int) -> None:
        chosen = random.Random(number)
        async with httpx.AsyncClient(base_url=url, timeout=60, trust_env=False) as session:
            while True:  # once at least: on a slow machine the clients themselves take a while
                text, id = " ".join(chosen.sample(SENTENCES, 2)), f"{number}-{chosen.random()}"
                began = time.monotonic()
                answer = await session.post("/v1/score", json={"text": text, "id": id})
                latencies.append(time.monotonic() - began)
                statuses[answer.status_code] += 1
                if answer.status_code == 200:
                    assert answer.json()["id"] == id
                    assert " ".join(s["text"] for s in answer.json()["sentences"]).split() == text.split()
                if time.monotonic() >= end:
                    break

    await asyncio.gather(*map(client, range(CLIENTS)))
    return statuses, latencies


@pytest.mark.parametrize("seconds", [3, pytest.param(30, marks=pytest.mark.slow)])
def test_load(process: str, seconds: float, record_property: Callable[[str, object], None]) -> None:
    asyncio.run(load(process, 2))  # models, threads and buffers are there
    before = sample(process, "process_resident_memory_bytes")
    statuses, latencies = asyncio.run(load(process, seconds))
    growth = sample(process, "process_resident_memory_bytes") - before
    p95 = sorted(latencies)[int(0.95 * len(latencies))]
    print(
        dict(statuses),
        f"{len(latencies)} posts in {seconds} s, p95 {p95:.2f} s, memory {growth / 2**20:+.0f} MiB",
    )
    record_property("p95_seconds", p95)
    record_property("memory_growth_bytes", growth)
    assert set(statuses) <= {200, 503}
    assert statuses[200] >= CLIENTS
    assert growth < 64 * 2**20
    assert sample(process, "statement_checker_waiting_posts") == 0


def long_post(characters: int) -> str:
    """A post of many different sentences."""
    sentences = (f"{SENTENCES[n % 5].removesuffix('.')} {n}." for n in count())
    text = ""
    while len(text) < characters:
        text += f"{next(sentences)} "
    return text[:characters]


def test_a_long_post_does_not_hold_up_short_ones(process: str) -> None:
    async def ask() -> tuple[list[float], list[float]]:
        async with httpx.AsyncClient(base_url=process, timeout=60, trust_env=False) as session:

            async def short(number: int) -> float:
                began = time.monotonic()
                answer = await session.post("/v1/score", json={"text": f"{SENTENCES[number % 5]} {number}"})
                assert answer.status_code == 200
                return time.monotonic() - began

            alone = [await short(n) for n in range(5)]
            long = asyncio.create_task(session.post("/v1/score", json={"text": long_post(20_000)}))
            await asyncio.sleep(1)
            beside = [await short(n) for n in range(5, 10)]
            assert not long.done()
            long.cancel()  # the rest of it is dropped
            return alone, beside

    alone, beside = map(sorted, asyncio.run(ask()))
    print(f"short posts: {alone[2]:.2f} s alone, {beside[2]:.2f} s beside a long one")
    assert beside[2] < 1 + 5 * alone[2]  # machines that run tests do other things as well


def test_told_to_end_it_answers_first(server: tuple[str, subprocess.Popen[bytes]]) -> None:
    url, process = server
    post = {"text": long_post(3000)}
    with ThreadPoolExecutor(1) as pool, socket.create_connection(("127.0.0.1", httpx.URL(url).port or 80)):
        answer = pool.submit(httpx.post, f"{url}/v1/score", json=post, timeout=60, trust_env=False)
        while not sample(url, "statement_checker_waiting_posts"):
            assert not answer.done()
        process.terminate()
        assert answer.result().status_code == 200
        assert process.wait(timeout=20) == -signal.SIGTERM


def test_a_full_queue_is_503_and_nothing_else(checker: Checker) -> None:
    limits = Limits(posts=5, waiting=5)
    with serving(create_app(checker, limits=limits)) as url:

        def ask(number: int) -> httpx.Response:
            posts = [{"text": f"{SENTENCES[number % 6]} {n}", "id": f"{number}.{n}"} for n in range(5)]
            return httpx.post(f"{url}/v1/score", json=posts, timeout=60, trust_env=False)

        with ThreadPoolExecutor(CLIENTS) as pool:
            answers = list(pool.map(ask, range(CLIENTS)))
    assert {answer.status_code for answer in answers} == {200, 503}
    for number, answer in enumerate(answers):
        if answer.status_code == 200:
            assert [result["id"] for result in answer.json()["results"]] == [
                f"{number}.{n}" for n in range(5)
            ]
        else:
            assert int(answer.headers["retry-after"]) >= 1
            assert "waiting" in answer.json()["error"]


def test_an_answer_that_takes_too_long_is_503(checker: Checker) -> None:
    with serving(create_app(checker, limits=Limits(seconds=0.001))) as url:
        answer = httpx.post(f"{url}/v1/score", json={"text": " ".join(SENTENCES * 20)}, trust_env=False)
        assert answer.status_code == 503
        assert int(answer.headers["retry-after"]) >= 1
        assert "0.001 seconds" in answer.json()["error"]


def test_a_model_that_is_not_here_is_503_and_names_the_command(tmp_path: object) -> None:
    checker = Checker(profile="hub", store=Store(home=tmp_path))  # type: ignore[arg-type]
    with serving(create_app(checker)) as url:
        answer = httpx.post(f"{url}/v1/score", json={"text": SENTENCES[0]}, trust_env=False, timeout=60)
        assert answer.status_code == 503
        assert "checker models download" in answer.json()["error"]
        assert httpx.post(f"{url}/v1/score", json={"text": ""}, trust_env=False).status_code == 200


@pytest.fixture(scope="module")
def url(checker: Checker) -> Iterator[str]:
    limits = Limits(upload_seconds=1)
    with serving(create_app(checker, limits=limits), limits) as base:
        yield base


def connect(url: str, body: bytes, length: int) -> socket.socket:
    """A connection on which a request was begun, with ``length`` bytes of body announced."""
    address = httpx.URL(url)
    connection = socket.create_connection((address.host, address.port or 80), timeout=10)
    head = f"POST /v1/score HTTP/1.1\r\nHost: {address.host}\r\nContent-Type: application/json\r\n"
    connection.sendall(f"{head}Content-Length: {length}\r\n\r\n".encode() + body)
    return connection


def test_slow_clients_keep_nobody_waiting(url: str) -> None:
    slow = [connect(url, b'{"text": "', 1000) for _ in range(20)]
    began = time.monotonic()
    for n in range(8):
        for connection in slow:
            connection.sendall(b"x")
        answer = httpx.post(f"{url}/v1/score", json={"text": SENTENCES[n % 6]}, trust_env=False, timeout=10)
        assert answer.status_code == 200
        if time.monotonic() - began > 0.8:
            break
    for connection in slow:
        connection.settimeout(5)
        with connection.makefile("rb") as stream:
            answered = stream.read()  # until it is closed
        assert answered.startswith(b"HTTP/1.1 408 ")
        assert b'"fix"' in answered
        connection.close()


def ends(connection: socket.socket, began: float) -> tuple[bytes, float]:
    """What comes on a connection until it is closed, and when that is."""
    connection.settimeout(10)
    with connection, connection.makefile("rb") as stream:
        return stream.read(), time.monotonic() - began


def test_silent_clients_keep_nobody_waiting_and_are_closed(url: str) -> None:
    address = (httpx.URL(url).host, httpx.URL(url).port or 80)
    began = time.monotonic()
    silent = [socket.create_connection(address) for _ in range(300)]
    answer = httpx.post(f"{url}/v1/score", json={"text": SENTENCES[0]}, trust_env=False, timeout=10)
    assert answer.status_code == 200
    for content, seconds in (ends(connection, began) for connection in silent):
        assert content == b""
        assert seconds < 4


@pytest.mark.parametrize("kept", [False, True], ids=["first", "second"])
@pytest.mark.parametrize("head", [b"G", b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Slow: "])
def test_a_head_that_comes_byte_by_byte_is_ended(url: str, head: bytes, kept: bool) -> None:
    connection = socket.create_connection((httpx.URL(url).host, httpx.URL(url).port or 80))
    if kept:
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        while b"version" not in connection.recv(4096):
            pass
    began = time.monotonic()
    connection.sendall(head)
    with suppress(BrokenPipeError, ConnectionResetError):
        while time.monotonic() - began < 1.5:
            connection.sendall(b"x")
            time.sleep(0.1)
    content, seconds = ends(connection, began)
    assert content.startswith(b"HTTP/1.1 408 ")
    assert b'"fix"' in content
    assert 0.8 < seconds < 4


def test_beyond_the_limit_of_connections_the_longest_wait_is_closed(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("checker.web.server.CONNECTIONS", 5)
    address = (httpx.URL(url).host, httpx.URL(url).port or 80)
    silent = [socket.create_connection(address) for _ in range(9)]
    silent[0].settimeout(0.5)  # sooner than its time is over
    with suppress(ConnectionResetError):
        assert silent[0].recv(1) == b""
    assert httpx.get(f"{url}/healthz", trust_env=False).status_code == 200
    for connection in silent:
        connection.close()


@pytest.mark.parametrize("told", [True, False])
def test_a_body_of_100_mb_is_refused_at_once(url: str, told: bool) -> None:
    def chunks() -> Iterator[bytes]:
        for _ in range(100):
            yield b"x" * 2**20

    headers = {"content-type": "application/json"} | ({"content-length": str(100 * 2**20)} if told else {})
    began = time.monotonic()
    answer = httpx.post(f"{url}/v1/score", content=chunks(), headers=headers, trust_env=False, timeout=30)
    assert answer.status_code == 413
    assert "bytes" in answer.json()["error"]
    assert time.monotonic() - began < 10
    assert httpx.get(f"{url}/healthz", trust_env=False).status_code == 200


def test_a_client_that_hangs_up_leaves_nothing_behind(url: str) -> None:
    gone = 'statement_checker_requests_total{method="POST",path="/v1/score",status="499"}'
    before = sample(url, gone)
    posts = json.dumps([{"text": f"{SENTENCES[n % 6]} {SENTENCES[n % 5]} {n}"} for n in range(200)]).encode()
    for _ in range(3):
        connect(url, posts, len(posts)).close()
    connect(url, b'{"text": ', 100).close()  # in the middle of the body
    connect(url, b'{"text": "half"}', 100).close()  # what came is JSON, but not all that was to come
    deadline = time.monotonic() + 10
    while sample(url, gone) < before + 5 or sample(url, "statement_checker_waiting_posts"):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    answer = httpx.post(f"{url}/v1/score", json={"text": SENTENCES[0]}, trust_env=False, timeout=10)
    assert answer.status_code == 200
