"""Measure the HTTP service on this machine: latency and throughput by number of clients.

    python scripts/measure_http.py --clients 1 8 32 --seconds 10

Starts ``checker serve`` as a process of its own. Each client sends one post of examples/posts.jsonl after the
other, its sentences made distinct, and waits for the answer. Client and service share the cores.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import re
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

EXAMPLES = Path(__file__).parents[1] / "examples" / "posts.jsonl"


@contextmanager
def service() -> Iterator[str]:
    """``checker serve`` on a free port; gives its URL."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "checker", "serve", "--port", str(port)]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        url = f"http://127.0.0.1:{port}"
        while not _up(url):
            if process.poll() is not None:
                raise SystemExit("checker serve did not start; start it by hand to see why")
            time.sleep(0.1)
        yield url
        process.terminate()


def _up(url: str) -> bool:
    try:
        return httpx.get(f"{url}/healthz", trust_env=False).is_success
    except httpx.ConnectError:
        return False


def distinct_posts() -> Iterator[str]:
    """The examples over and over, every sentence with a number of its own: no answer can be a stored one."""
    posts = [json.loads(line)["text"] for line in EXAMPLES.read_text(encoding="utf-8").splitlines()]
    for number, post in enumerate(itertools.cycle(posts)):
        yield re.sub(r"([.!?。！？؟])", rf" {number}\1", post)


async def measure(
    url: str, clients: int, seconds: float, posts: Iterator[str]
) -> tuple[list[float], int, float]:
    """Seconds of each answer, the number of 503s, and the seconds that all of it took."""
    latencies: list[float] = []
    busy = 0
    began = time.perf_counter()

    async def client(session: httpx.AsyncClient) -> None:
        nonlocal busy
        while time.perf_counter() - began < seconds:
            sent = time.perf_counter()
            answer = await session.post("/v1/score", json={"text": next(posts)})
            if answer.status_code == 503:
                busy += 1
                await asyncio.sleep(float(answer.headers["retry-after"]))
            else:
                answer.raise_for_status()
                latencies.append(time.perf_counter() - sent)

    limits = httpx.Limits(max_connections=clients)
    async with httpx.AsyncClient(base_url=url, timeout=120, trust_env=False, limits=limits) as session:
        await asyncio.gather(*(client(session) for _ in range(clients)))
    return latencies, busy, time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 8, 32])
    parser.add_argument("--seconds", type=float, default=10)
    args = parser.parse_args()
    posts = distinct_posts()
    with service() as url:
        asyncio.run(measure(url, 4, 2, posts))  # what is loaded by the first posts
        print("| clients | posts | posts/s | p50 (s) | p95 (s) | 503 |")
        print("| ---: | ---: | ---: | ---: | ---: | ---: |")
        for clients in args.clients:
            latencies, busy, seconds = asyncio.run(measure(url, clients, args.seconds, posts))
            p50, p95 = statistics.median(latencies), statistics.quantiles(latencies, n=20)[-1]
            rate = len(latencies) / seconds
            print(
                f"| {clients} | {len(latencies)} | {rate:.1f} | {p50:.2f} | {p95:.2f} | {busy} |", flush=True
            )


if __name__ == "__main__":
    main()
