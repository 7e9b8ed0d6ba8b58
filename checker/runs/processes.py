"""Score in several processes on this machine, each with an interpreter and models of its own.

Threads share the models, but one at a time runs Python, and what is not a model is Python: reading a post,
identifying its language, explaining the verdict. Processes do that side by side. What they say of a post is
the same, and comes in the same order.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import fields
from multiprocessing import get_context
from pathlib import Path

from checker.ahead import in_order
from checker.errors import CheckerError
from checker.models import Store
from checker.models.ctranslate2_engine import arithmetic, cores
from checker.result import Result
from checker.runs import worker
from checker.settings import Settings

ROWS = 500
"""Rows from which further processes pay for their start, about two seconds each."""

MOST = 8
"""Processes that are started unasked, at most."""

MEMORY = 1 << 30
"""Bytes that must be free for each: its copies of the embedded models take 0.6 GB."""

AHEAD = 2  # batches in work for each process: the next one is there when one is done


def that_pay(settings: Settings, store: Store, rows: int | None) -> int:
    """How many processes to score in, unless the user says: one per core where that is known to pay.

    That is on a CPU, with the embedded models or Firefox's, for a long file, where there is memory for them.
    It does not pay for the encoder alone: threads wait little for each other then.

    Args:
        settings: how posts are scored.
        store: of their models.
        rows: of the input; None if that is not known.
    """
    if rows is None or rows < ROWS or _has_large_models(settings, store):
        return 1
    more = settings.round_trip or settings.fluency
    if settings.encoder and not more:
        return 1
    if more and settings.device != "cpu" and arithmetic(settings.device) == "float16":
        return 1  # on a GPU
    room = free_memory() // MEMORY if more else MOST
    return max(1, min(settings.threads or cores(), room, MOST))


def _has_large_models(settings: Settings, store: Store) -> bool:
    """Whether models may be loaded that are neither embedded nor Firefox's: their size is not known."""
    if settings.profile != "embedded" or settings.engine != "ctranslate2":
        return True
    if not settings.round_trip or settings.translator in ("embedded", "firefox"):
        return False
    hub = store.models("hub", "translation")
    return any(model.family != "firefox" and store.installed(model) for model in hub)


def free_memory(root: Path = Path("/")) -> int:
    """Bytes of memory that this process and those it starts may still take; 0 where it is not known.

    Args:
        root: of the file system.
    """
    try:
        told = (root / "proc/meminfo").read_text()
        free = 1024 * int(re.findall(r"MemAvailable: *(\d+) kB", told)[0])
    except (OSError, IndexError):
        return 0
    for group, most, now in (
        ("sys/fs/cgroup", "memory.max", "memory.current"),
        ("sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.usage_in_bytes"),
    ):
        try:
            limit, used, files = ((root / group / name).read_text() for name in (most, now, "memory.stat"))
            idle = re.search(r"^(?:total_)?inactive_file (\d+)$", files, re.MULTILINE)  # given back at need
            free = min(free, int(limit) - int(used) + (int(idle[1]) if idle else 0))
        except (OSError, ValueError):  # no such group, or "max": no limit
            continue
    return max(free, 0)


class Processes:
    """Scores batches in several processes, as a `checker.Checker` does in one.

    Args:
        settings: how posts are scored; ``threads`` are shared out over the processes.
        store: of their models.
        count: how many processes.
    """

    def __init__(self, settings: Settings, store: Store, count: int) -> None:
        each = max(1, (settings.threads or cores()) // count)
        self._settings = {f.name: getattr(settings, f.name) for f in fields(settings)} | {"threads": each}
        self._store, self._count = store, count

    def score_batches(
        self, batches: Iterable[Sequence[tuple[str, str]]]
    ) -> Generator[list[Result], None, None]:
        """See `checker.Checker.score_batches`.

        Raises:
            CheckerError: a process came to an end, most likely for want of memory.
        """
        context = get_context("spawn")
        read, write = context.Pipe(duplex=False)
        begun = (self._settings, self._store.registry, self._store.home, read)
        pool = ProcessPoolExecutor(self._count, context, initializer=worker.begin, initargs=begun)
        done = False
        try:
            yield from in_order(lambda batch: pool.submit(worker.score, batch), batches, AHEAD * self._count)
            done = True
        except BrokenProcessPool:
            raise CheckerError(
                "A process that scores ended before its time, most likely for want of memory. Try it with "
                "workers 1. (A script that asks for more has its calls below if __name__ == '__main__'.)"
            ) from None
        finally:
            if not done:
                write.close()  # they end; nobody waits for what is in work
            pool.shutdown(cancel_futures=True)
            write.close()
            read.close()
