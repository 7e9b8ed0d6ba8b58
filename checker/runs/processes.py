"""Score in several processes on this machine, each with an interpreter and models of its own.

Threads share the models, but one at a time runs Python, and what is not a model is Python: reading a post,
identifying its language, explaining the verdict. Processes do that side by side. What they say of a post is
the same, and comes in the same order.
"""

from __future__ import annotations

import os
import re
import signal
import threading
from collections.abc import Generator, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from multiprocessing import active_children, get_context, parent_process
from pathlib import Path
from typing import TYPE_CHECKING

from checker.ahead import in_order
from checker.errors import CheckerError
from checker.models.ctranslate2_engine import arithmetic, cores
from checker.result import Result
from checker.settings import Settings

if TYPE_CHECKING:  # a worker sets its threads before numpy is imported
    from checker.pipeline import Checker

ROWS = 500
"""Rows from which further processes pay for their start, about two seconds each."""

MOST = 8
"""Processes that are started unasked, at most."""

MEMORY = 1 << 30
"""Bytes that must be free for each: its copies of the embedded models take 0.6 GB."""

AHEAD = 2  # batches in work for each process: the next one is there when one is done


def that_pay(settings: Settings, rows: int | None) -> int:
    """How many processes to score in, unless the user says: one per core where that is known to pay.

    That is on a CPU, with the embedded models, for a long file, where there is memory for them.

    Args:
        settings: how posts are scored.
        rows: of the input; None if that is not known.
    """
    known = settings.profile == "embedded" and settings.engine == "ctranslate2"
    if not known or rows is None or rows < ROWS:
        return 1
    models = settings.round_trip or settings.fluency or settings.encoder
    if models and settings.device != "cpu" and arithmetic(settings.device) == "float16":
        return 1  # on a GPU
    room = free_memory() // MEMORY if models else MOST
    return max(1, min(settings.threads or cores(), room, MOST))


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
    group = root / "sys/fs/cgroup"
    for most, now in ("memory.max", "memory.current"), (
        "memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes",
    ):  # fmt: skip
        try:
            free = min(free, int((group / most).read_text()) - int((group / now).read_text()))
        except (OSError, ValueError):  # no such group, or "max": no limit
            continue
    return max(free, 0)


class Processes:
    """Scores batches in several processes, as a `checker.Checker` does in one.

    Args:
        settings: how posts are scored; ``threads`` are shared out over the processes.
        count: how many processes.
    """

    def __init__(self, settings: Settings, count: int) -> None:
        each = max(1, (settings.threads or cores()) // count)
        self._settings, self._count = replace(settings, threads=each), count

    def score_batches(
        self, batches: Iterable[Sequence[tuple[str, str]]]
    ) -> Generator[list[Result], None, None]:
        """See `checker.Checker.score_batches`.

        Raises:
            CheckerError: a process came to an end, most likely for want of memory.
        """
        others = set(active_children())
        pool = ProcessPoolExecutor(
            self._count, get_context("spawn"), initializer=_begin, initargs=(self._settings,)
        )
        done = False
        try:
            yield from in_order(lambda batch: pool.submit(_score, batch), batches, AHEAD * self._count)
            done = True
        except BrokenProcessPool:
            raise CheckerError(
                "A process that scores came to an end, most likely for want of memory. Give the command "
                "again with fewer --workers: it goes on where it stopped."
            ) from None
        finally:
            if not done:  # nobody waits for what is in work
                for process in set(active_children()) - others:
                    process.terminate()
            pool.shutdown(cancel_futures=True)


_checker: Checker


def _begin(settings: Settings) -> None:
    """Load what this process scores with, and see to it that it does not outlive the one that asked."""
    global _checker
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # an interrupt is the business of the parent
    threading.Thread(target=_end_with_parent, daemon=True).start()
    # Those of Rust and OpenMP are started on import.
    os.environ["RAYON_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"] = str(settings.threads)
    from checker.pipeline import Checker

    _checker = Checker(settings)


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
    os._exit(1)


def _score(batch: Sequence[tuple[str, str]]) -> list[Result]:
    return next(_checker.score_batches([batch]))
