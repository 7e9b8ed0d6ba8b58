"""Measure what a post costs on a core and on Ray, and compute what a billion posts per day take.

    python -m scripts.bench.scaling --copies 160 --workers 2

gives the tables of docs/scaling.md. The posts are copies of examples/posts.jsonl with every sentence made
distinct (equal sentences are translated once). Rates are per second of CPU time, so a busy machine gives
nearly the same rates as an idle one.
"""

from __future__ import annotations

import json
import math
import multiprocessing
import os
import resource
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from checker.runs.ray.partitions import SHARD
from checker.settings import Settings
from scripts.bench.examples import distinct, examples
from scripts.bench.process_tree import descendants, peak_of
from scripts.bench.tables import Table, add_option, publish
from scripts.command import command

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
        rate: posts per CPU second.
        memory: peak of the process in bytes.
        read, joined: rows per CPU second, when a partition is read and when its Parquet is made.
        size_in, size_shard, size_out: bytes per post of JSONL input, of a scored shard and of Parquet output.
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
    return [
        {"id": f"{post['id']}-{copy}", "text": distinct(post["text"], copy)}
        for copy in range(count)
        for post in examples()
    ]


def measure_languages(posts: list[dict[str, str]], least: int = 50) -> dict[str, float]:
    """Posts a CPU second by language, with the round trip; likewise."""
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    from checker.pipeline import Checker

    checker = Checker()
    texts = defaultdict(list)
    for post, result in zip(posts, checker.score_many([post["text"] for post in posts]), strict=True):
        texts[str(result.language.code)].append(post["text"])
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
    list(checker.score_many([post["text"] for post in examples()]))
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
                except (FileNotFoundError, ProcessLookupError):
                    continue
                actor = actor or times.get(process, (False,))[0]  # an actor that ended has no name any more
                times[process] = (actor, sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK"))
                if actor:
                    peak = max(peak, peak_of(process))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        summary = score_directory(path, folder, Settings(round_trip=round_trip), workers=workers)
    finally:
        done.set()
        watcher.join()
    actors = sum(seconds for actor, seconds in times.values() if actor)
    return OnRay(summary.seconds, actors, sum(seconds for _, seconds in times.values()) - actors, peak)


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


def tables(cores: Sequence[Core], on_ray: Sequence[OnRay], workers: int, kept: float) -> dict[str, Table]:
    """The tables of the docs; every list has the figures with the round trip, then those without.

    Args:
        cores: what posts cost on one core.
        on_ray: what they cost on Ray.
        workers: actors of that run.
        kept: bytes that the driver keeps of each shard.
    """

    def rows(*lines: tuple[str, str, Iterable[float]]) -> list[list[str]]:
        return [[title, *(format(value, form) for value in values)] for title, form, values in lines]

    measured = rows(
        ("posts a CPU second, one thread", ".1f", (c.rate for c in cores)),
        ("CPU hours for a million posts", ".1f", (1e6 / c.rate / 3600 for c in cores)),
        ("CPU seconds to load the models", ".1f", (c.load for c in cores)),
        ("peak memory of a process, MiB", ".0f", (c.memory / MIB for c in cores)),
        ("peak memory of an actor, MiB", ".0f", (r.memory / MIB for r in on_ray)),
        ("posts read a CPU second", ".0f", (c.read for c in cores)),
        ("posts made Parquet a CPU second", ".0f", (c.joined for c in cores)),
        ("bytes a post: JSONL in", ".0f", (c.size_in for c in cores)),
        ("bytes a post: JSONL of the shards", ".0f", (c.size_shard for c in cores)),
        ("bytes a post: Parquet out", ".0f", (c.size_out for c in cores)),
        (f"seconds of the run on Ray, {workers} workers", ".1f", (r.wall for r in on_ray)),
        ("CPU seconds of the actors", ".1f", (r.actors for r in on_ray)),
        ("CPU seconds of Ray around them", ".1f", (r.others for r in on_ray)),
    )
    a_second = A_DAY / SECONDS
    needed = [math.ceil(a_second / c.rate / BUSY) for c in cores]
    # Input is surveyed, read, sent to actors and compared; shards are written and read; output is written.
    moved = [a_second * (4 * c.size_in + 2 * c.size_shard + c.size_out) * 8 / 1e9 for c in cores]
    a_day = rows(
        ("cores", ".0f", needed),
        (
            "memory of as many actors, GiB",
            ".0f",
            (n * r.memory / GIB for n, r in zip(needed, on_ray, strict=True)),
        ),
        ("CPU hours a day", ".0f", (A_DAY / c.rate / 3600 for c in cores)),
        ("cores to read and to join", ".1f", (a_second * (2 / c.read + 1 / c.joined) for c in cores)),
        ("input a day, TiB", ".2f", (A_DAY * c.size_in / TIB for c in cores)),
        (
            "shards a day, TiB (gone when their partition is written)",
            ".2f",
            (A_DAY * c.size_shard / TIB for c in cores),
        ),
        ("output a day, TiB", ".2f", (A_DAY * c.size_out / TIB for c in cores)),
        ("network, Gbit/s (input four times, shards twice, output once)", ".2f", moved),
        ("shards a second", ".0f", (a_second / SHARD for _ in cores)),
        ("memory of the driver of a run a day, GiB", ".1f", (A_DAY / SHARD * kept / GIB for _ in cores)),
    )
    columns = ["round trip", "with", "without"]
    return {"scaling": Table(columns, measured), "scaling-day": Table(columns, a_day)}


def main() -> None:
    parser = command(__doc__)
    parser.add_argument("--copies", type=int, default=160, help="of each example post")
    parser.add_argument("--workers", type=int, default=2, help="actors on Ray")
    parser.add_argument("--shards", type=int, default=4000, help="shards to measure the driver with")
    add_option(parser)
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
    publish(tables(cores, on_ray, args.workers, kept), args.tables)
    named = ", ".join(f"{code} {rate:.0f}" for code, rate in sorted(rates.items(), key=lambda item: item[1]))
    print(f"\n{len(posts)} posts. Posts a CPU second by language, with the round trip: {named}.")
    print(f"The driver hands out {shards:.0f} shards a second and keeps {kept / 1024:.1f} KiB of each.")


if __name__ == "__main__":
    main()
