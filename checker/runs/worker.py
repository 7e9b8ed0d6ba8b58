"""A process that scores for another one, as `checker.runs.processes` starts it.

Nothing heavy is imported here: the libraries start their threads when they are imported, and a worker says
first how many.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Mapping, Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from checker.pipeline import Checker
    from checker.result import Result

_checker: Checker


def begin(settings: Mapping[str, Any], registry: Path, home: Path, open_while_wanted: Connection) -> None:
    """Make the checker of this process, which ends as soon as nobody wants it.

    Args:
        settings: fields of `checker.Settings`; ``threads`` among them.
        registry, home: of the store with the models.
        open_while_wanted: the reading end of a pipe whose other end the parent has: it closes it, or ends.
    """
    global _checker
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # an interrupt is the business of the parent
    threading.Thread(target=_end_when_closed, args=(open_while_wanted,), daemon=True).start()
    take_threads(settings["threads"])
    from checker.models import Store
    from checker.pipeline import Checker
    from checker.settings import Settings

    _checker = Checker(Settings(**settings), store=Store(registry, home))


def take_threads(count: int) -> None:
    """Say how many threads Rust and OpenMP may start, which they do when they are imported."""
    os.environ["RAYON_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"] = str(count)


def _end_when_closed(pipe: Connection) -> None:
    try:
        pipe.poll(None)
    finally:
        os._exit(1)


def score(batch: Sequence[tuple[str, str]]) -> list[Result]:
    """The results of a batch of ids and texts."""
    return next(_checker.score_batches([batch]))
