"""Measure the HTTP service on this machine: latency and throughput by number of clients.

    python -m scripts.bench.http --clients 1 8 32 --seconds 60 --beside ../0.3.0

Starts ``checker serve`` in a separate process. Each client sends the posts of examples/posts.jsonl one by
one, with every sentence made distinct, and waits for each answer. Clients and service share the cores.
With ``--beside``, a checkout of another version is measured in the same run, each number of clients in turn.
"""

from __future__ import annotations

import asyncio
import itertools
import statistics
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx

from scripts.bench.examples import distinct, examples
from scripts.bench.serving import serving
from scripts.bench.tables import Table, add_option, publish
from scripts.command import command


def distinct_posts() -> Iterator[str]:
    """The examples over and over, every sentence with a number of its own: no answer can be a stored one."""
    for number, post in enumerate(itertools.cycle(examples())):
        yield distinct(post["text"], number)


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
    parser = command(__doc__)
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 8, 32])
    parser.add_argument("--seconds", type=float, default=10, help="for each number of clients")
    parser.add_argument("--beside", type=Path, nargs="*", default=[], help="checkouts of other versions")
    add_option(parser)
    args = parser.parse_args()
    if missing := [str(path) for path in args.beside if not (path / "checker" / "__init__.py").is_file()]:
        parser.error(f"no checkout of this project: {', '.join(missing)}")
    rows = []
    for clients in args.clients:
        for checkout in (None, *args.beside):
            with TemporaryDirectory() as folder, serving(Path(folder, "log"), checkout=checkout) as url:
                posts = distinct_posts()
                asyncio.run(measure(url, max(4, clients), 3, posts))  # what the first posts load
                latencies, busy, seconds = asyncio.run(measure(url, clients, args.seconds, posts))
                version = httpx.get(f"{url}/healthz", trust_env=False).json()["version"]
            p50, p95 = statistics.median(latencies), statistics.quantiles(latencies, n=20)[-1]
            rate = f"{len(latencies) / seconds:.1f}"
            rows.append([str(clients), version, rate, f"{p50:.2f}", f"{p95:.2f}", str(busy)])
    columns = ["clients", "version", "posts/s", "p50 (s)", "p95 (s)", "503"]
    publish({"http": Table(columns, rows, right=True)}, args.tables)


if __name__ == "__main__":
    main()
