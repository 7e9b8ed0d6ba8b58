"""Measure what a post costs on a core and on Ray, and reckon what a billion posts a day take.

    python scripts/measure_scaling.py --copies 160 --workers 2

prints the tables of docs/scaling.md. The posts are copies of examples/posts.jsonl, every sentence of which is
made distinct (equal sentences are translated once). Rates are by CPU time, not by the clock: a machine with
other work gives nearly the same ones as an idle one.
"""

from __future__ import annotations

import argparse
import json
import math
import multiprocessing
import os
import re
import resource
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

EXAMPLES = Path(__file__).parents[1] / "examples" / "posts.jsonl"
A_DAY = 10**9
SECONDS = 86_400
BUSY = (
    0.7  # share of the time that a machine of a cluster scores: the rest is for peaks, failures, neighbours
)
MIB, GIB, TIB = 2**20, 2**30, 2**40

T = TypeVar("T")


@dataclass(frozen=True)
class Core:
    """What posts cost on one core.

    Attributes:
        load: CPU seconds until the models are there.
        rate: posts a CPU second.
        memory: peak of the process in bytes.
        read, joined: rows a CPU second, when a partition is read and when its Parquet is made.
        size_in, size_shard, size_out: bytes a post of JSONL input, of a scored shard and of Parquet output.
    """

    load: float
    rate: float
    memory: int
    read: float
    joined: float
    size_in: float
    size_shard: float
    size_out: float


@dataclass(frozen=True)
class OnRay:
    """What the same posts cost on Ray.

    Attributes:
        wall: seconds of the whole run, with the start of Ray and of the actors.
        actors, others: CPU seconds of the actors, and of all other processes.
        memory: peak of the largest actor in bytes.
    """

    wall: float
    actors: float
    others: float
    memory: int


def copies(count: int) -> list[dict[str, str]]:
    """Distinct copies of the example posts."""
    posts = [json.loads(line) for line in EXAMPLES.read_text("utf-8").splitlines()]
    return [
        {"id": f"{post['id']}-{copy}", "text": re.sub(r"([.!?。！？؟])", rf" {copy}\1", post["text"])}
        for copy in range(count)
        for post in posts
    ]


def measure_languages(posts: list[dict[str, str]], least: int = 50) -> dict[str, float]:
    """Posts a CPU second by language, with the round trip; likewise."""
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    from checker.pipeline import Checker

    checker = Checker()
    texts = defaultdict(list)
    for post, result in zip(posts, checker.score_many([post["text"] for post in posts]), strict=True):
        texts[result.language.code].append(post["text"])
    rates = {}
    for language, found in texts.items():
        begun = time.process_time()
        list(checker.score_many(found))
        if len(found) >= least:
            rates[language] = len(found) / (time.process_time() - begun)
    return rates


def measure_core(path: Path, folder: Path, round_trip: bool) -> Core:
    """Score a file on one core of this machine; to be called by `apart`."""
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    from checker.io.read import Post, read
    from checker.pipeline import Checker
    from checker.runs.ray.partitions import read_shards, survey, write_partition, write_shard

    columns = ("text", "id")
    posts = [row for row in read(path) if isinstance(row, Post)]
    begun = time.process_time()
    checker = Checker(round_trip=round_trip)
    warm = [json.loads(line)["text"] for line in EXAMPLES.read_text("utf-8").splitlines()]
    list(checker.score_many(warm))
    loaded = time.process_time()
    results = checker.score_many([post.text for post in posts], [post.id for post in posts])
    lines = [result.to_json() for result in results]
    scored = time.process_time()
    partition = survey(path, path.name, folder, columns)
    read_once = time.process_time()
    for number, shard in enumerate(read_shards(path, columns)):
        write_shard([lines[row.row - 1] for row in shard], [], partition.parts, number)
    written = time.process_time()
    write_partition(partition)
    joined = time.process_time()
    count = len(posts)
    return Core(
        load=loaded - begun,
        rate=count / (scored - loaded),
        memory=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        read=count / (read_once - scored),
        joined=count / (joined - written),
        size_in=path.stat().st_size / count,
        size_shard=sum(len(line.encode()) for line in lines) / count,
        size_out=partition.output.stat().st_size / count,
    )


def measure_ray(path: Path, folder: Path, round_trip: bool, workers: int) -> OnRay:
    """Score a file on a local Ray, and watch its processes; likewise."""
    from checker.runs.ray.run import score_directory

    times: dict[int, tuple[bool, float]] = {}
    peak = 0
    done = threading.Event()

    def watch() -> None:
        nonlocal peak
        while not done.wait(0.3):
            for process in (os.getpid(), *descendants(os.getpid())):
                try:
                    actor = Path(f"/proc/{process}/cmdline").read_text().startswith("ray::MapWorker")
                    ticks = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[11:13]
                    status = Path(f"/proc/{process}/status").read_text()
                except (FileNotFoundError, ProcessLookupError):
                    continue
                actor = actor or times.get(process, (False,))[0]  # an actor that ended has no name any more
                times[process] = (actor, sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK"))
                if actor and (found := re.search(r"VmHWM:\s+(\d+)", status)):
                    peak = max(peak, int(found[1]) * 1024)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        summary = score_directory(path, folder, {"round_trip": round_trip}, workers=workers)
    finally:
        done.set()
        watcher.join()
    actors = sum(seconds for actor, seconds in times.values() if actor)
    return OnRay(summary.seconds, actors, sum(seconds for _, seconds in times.values()) - actors, peak)


def descendants(pid: int) -> list[int]:
    """The processes below one."""
    found: list[int] = []
    for path in Path("/proc").glob(f"{pid}/task/*/children"):
        try:
            children = [int(child) for child in path.read_text().split()]
        except (FileNotFoundError, ProcessLookupError):
            continue
        for child in children:
            found += [child, *descendants(child)]
    return found


def measure_shards(count: int) -> tuple[float, float]:
    """Shards a second that the driver hands out if scoring takes no time, and bytes it keeps of each."""
    from checker.runs.ray.cluster import connected

    class Nothing:
        def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
            return batch

    def read(batch: dict[str, Any]) -> Iterator[dict[str, Any]]:
        for number in range(count):
            yield {"number": [number]}

    with connected(None, 2):
        import ray.data

        context = ray.data.DataContext.get_current()
        context.enable_progress_bars, context.target_max_block_size = False, 1
        pool = ray.data.ActorPoolStrategy(size=2, max_tasks_in_flight_per_actor=2)
        shards = ray.data.from_items([0]).map_batches(read, batch_size=1, num_cpus=0)
        rows = iter(shards.map_batches(Nothing, batch_size=1, compute=pool, num_cpus=1).iter_rows())
        next(rows)
        begun, before = time.monotonic(), resident()
        rest = sum(1 for _ in rows)
        seconds, after = time.monotonic() - begun, resident()
    return rest / seconds, (after - before) / rest


def resident() -> int:
    """Memory of this process in bytes."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def apart(function: Callable[..., T], *args: object) -> T:
    """Call a function in a new process."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return pool.submit(function, *args).result()


def main() -> None:
    """Measure, and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--copies", type=int, default=160)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--shards", type=int, default=4000)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = folder / "posts.jsonl"
        posts = copies(args.copies)
        lines = [json.dumps(post, ensure_ascii=False) for post in posts]
        path.write_text("\n".join([*lines, ""]), "utf-8")
        cores, on_ray = [], []
        for label, round_trip in (("yes", True), ("no", False)):
            cores.append(apart(measure_core, path, folder / f"core-{label}", round_trip))
            on_ray.append(apart(measure_ray, path, folder / f"ray-{label}", round_trip, args.workers))
    rates = apart(measure_languages, posts[: len(posts) // 2])
    shards, kept = apart(measure_shards, args.shards)

    def row(title: str, *cells: object) -> None:
        print("|", " | ".join([title, *map(str, cells)]), "|")

    print(f"{len(posts)} posts, {args.workers} workers\n")
    row("round trip", "with", "without")
    row("---", "---", "---")
    row("posts a CPU second, one thread", *(f"{c.rate:.1f}" for c in cores))
    row("CPU hours for a million posts", *(f"{1e6 / c.rate / 3600:.1f}" for c in cores))
    row("CPU seconds to load the models", *(f"{c.load:.1f}" for c in cores))
    row("peak memory of a process, MiB", *(f"{c.memory / MIB:.0f}" for c in cores))
    row("peak memory of an actor, MiB", *(f"{r.memory / MIB:.0f}" for r in on_ray))
    row("posts read a CPU second", *(f"{c.read:.0f}" for c in cores))
    row("posts made Parquet a CPU second", *(f"{c.joined:.0f}" for c in cores))
    row("bytes a post: JSONL in", *(f"{c.size_in:.0f}" for c in cores))
    row("bytes a post: JSONL of the shards", *(f"{c.size_shard:.0f}" for c in cores))
    row("bytes a post: Parquet out", *(f"{c.size_out:.0f}" for c in cores))
    row("seconds of the run on Ray", *(f"{r.wall:.1f}" for r in on_ray))
    row("CPU seconds of the actors", *(f"{r.actors:.1f}" for r in on_ray))
    row("CPU seconds of Ray around them", *(f"{r.others:.1f}" for r in on_ray))
    named = ", ".join(f"{code} {rate:.0f}" for code, rate in sorted(rates.items(), key=lambda item: item[1]))
    print(f"\nPosts a CPU second by language, with the round trip: {named}.")
    print(f"The driver hands out {shards:.0f} shards a second and keeps {kept / 1024:.1f} KiB of each.\n")

    from checker.runs.ray.partitions import SHARD

    print(f"{A_DAY:.0e} posts a day are {A_DAY / SECONDS:.0f} a second.\n")
    row("round trip", "with", "without")
    row("---", "---", "---")
    needed = [math.ceil(A_DAY / SECONDS / c.rate / BUSY) for c in cores]
    row(f"cores, {BUSY:.0%} busy", *needed)
    row(
        "memory of as many actors, GiB",
        *(f"{n * r.memory / GIB:.0f}" for n, r in zip(needed, on_ray, strict=True)),
    )
    row("CPU hours a day", *(f"{A_DAY / c.rate / 3600:.0f}" for c in cores))
    row("cores to read and to join", *(f"{A_DAY / SECONDS * (2 / c.read + 1 / c.joined):.1f}" for c in cores))
    row("input a day, TiB", *(f"{A_DAY * c.size_in / TIB:.2f}" for c in cores))
    row("shards a day, TiB", *(f"{A_DAY * c.size_shard / TIB:.2f}" for c in cores))
    row("output a day, TiB", *(f"{A_DAY * c.size_out / TIB:.2f}" for c in cores))
    # Input is surveyed, read, sent to actors and compared; shards are written and read; output is written.
    moved = [A_DAY / SECONDS * (4 * c.size_in + 2 * c.size_shard + c.size_out) * 8 / 1e9 for c in cores]
    row("network, Gbit/s", *(f"{rate:.2f}" for rate in moved))
    row("shards a second", *(f"{A_DAY / SECONDS / SHARD:.0f}" for _ in cores))
    row("memory of the driver of a run a day, GiB", *(f"{A_DAY / SHARD * kept / GIB:.1f}" for _ in cores))


if __name__ == "__main__":
    main()
