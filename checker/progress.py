"""Progress of a long run: a bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Generator, Iterable
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from typing import TypeVar

LOG_EVERY = 30.0
"""Seconds between two lines where no bar can be drawn."""

LONG = 60.0
"""Seconds from which it is said, after the first rows, how long the rest will take."""

_SCORING = "Scoring"

BYTES = "bytes"
"""The unit that is shown in MB."""

Advance = Callable[..., None]
"""Called with the number of rows that were done since the last call, by default 1."""

OnProgress = Callable[[int, int | None], object]
"""Called with the number of rows that are done, first those of an earlier run, and of all if it is known."""

T = TypeVar("T")
_log = logging.getLogger(__name__)


class _Estimate:
    """How long the rest will take, said once: from the time between the first rows and the next ones.

    The first rows themselves are not counted: they wait for the models to load.
    """

    def __init__(self, left: int | None, faster: str) -> None:
        self._left, self._first, self._rows = left, (0.0, 0.0), 0
        self._faster = faster

    def after(self, rows: int) -> str | None:
        """What to say when some more rows are done; None for nothing."""
        if self._left is None:
            return None
        self._left -= rows
        now = time.monotonic(), time.process_time()
        if self._first == (0.0, 0.0):
            self._first = now
            return None
        self._rows += rows
        spent, cpu = (later - before for later, before in zip(now, self._first, strict=True))
        if spent < 1:
            return None
        factor, left, self._left = self._left / self._rows, self._left, None
        if factor * spent < LONG:
            return None
        text = f"About {timedelta(seconds=round(factor * spent))} for the other {left} rows"
        if cpu > spent / 2:  # computed here, not elsewhere
            text += f", {factor * cpu / 3600:.1f} hours of a processor core"
        return f"{text}; {self._faster}." if self._faster else f"{text}."


@contextmanager
def progress(
    done: int, total: int | None, title: str = _SCORING, unit: str = "rows", faster: str = ""
) -> Generator[Advance, None, None]:
    """Draw a bar on standard error if it is a terminal, log a line every `LOG_EVERY` seconds otherwise.

    Args:
        done: rows that an earlier run did; they count as done, but not for the rate.
        total: number of rows; None if it is not known.
        title: what is done to them.
        unit: what they are.
        faster: how it would be faster, said with the time that a long run will take.
    """
    from rich.console import Console  # not above: most who import this draw nothing
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        MofNCompleteColumn,
        Progress,
        ProgressColumn,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )

    console = Console(stderr=True)
    began = said = time.monotonic()
    count = 0
    estimate = _Estimate(None if total is None or title != _SCORING else total - done, faster)

    def rate() -> float:
        return count / max(time.monotonic() - began, 1e-6)

    if console.is_interactive:
        counted: tuple[ProgressColumn, ...] = (
            (DownloadColumn(), TransferSpeedColumn())
            if unit == BYTES
            else (MofNCompleteColumn(), TextColumn("{task.fields[rate]:.1f} per second"))
        )
        columns = TextColumn(title), BarColumn(), *counted, TimeRemainingColumn()
        with Progress(*columns, console=console, transient=True, speed_estimate_period=600) as bar:
            task = bar.add_task("", total=total, completed=done, rate=0.0)

            def draw(rows: int = 1) -> None:
                nonlocal count
                count += rows
                bar.update(task, advance=rows, rate=rate())
                if text := estimate.after(rows):
                    bar.console.print(text, markup=False, highlight=False)

            yield draw
        return

    def log(rows: int = 1) -> None:
        nonlocal said, count
        count += rows
        if text := estimate.after(rows):
            _log.info("%s", text)
        if time.monotonic() - said >= LOG_EVERY:
            said = time.monotonic()
            left = f", {timedelta(seconds=round((total - done - count) / rate()))} left" if total else ""
            what = "" if title == _SCORING else f"{title}: "
            of, speed = f"{done + count} of {total or '?'} {unit}", f"{rate():.1f}"
            if unit == BYTES:
                of = f"{(done + count) / 1e6:.1f} of {(total or 0) / 1e6:.1f} MB"
                speed = f"{rate() / 1e6:.1f} MB"
            _log.info("%s%s, %s per second%s", what, of, speed, left)

    yield log


@contextmanager
def shown() -> Generator[OnProgress, None, None]:
    """Draw or log, as `progress` does, what a function reports to ``on_progress``; nothing until it does."""
    with steps() as step:
        yield step(_SCORING, "rows")


@contextmanager
def steps(faster: str = "") -> Generator[Callable[[str, str], OnProgress], None, None]:
    """`shown` for a run of steps, each with a title and a unit: a bar goes when the next one comes.

    Args:
        faster: as for `progress`.
    """
    with ExitStack() as stack:

        def step(title: str, unit: str) -> OnProgress:
            advance: Advance | None = None
            seen = 0

            def tell(done: int, total: int | None) -> None:
                nonlocal advance, seen
                if advance is None:
                    stack.close()
                    advance, seen = stack.enter_context(progress(done, total, title, unit, faster)), done
                if done > seen:
                    advance(done - seen)
                    seen = done

            return tell

        yield step


def watched(items: Iterable[T], total: int | None) -> Generator[T, None, None]:
    """The items as they come, with `shown` drawing how many have.

    Args:
        items: results, one after the other.
        total: how many there will be; None if it is not known.
    """
    with shown() as tell:
        tell(0, total)
        for done, item in enumerate(items, start=1):
            yield item
            tell(done, total)
