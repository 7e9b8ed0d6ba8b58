"""Score a whole file: a million rows in little memory, bad rows in their place, resumable after a kill.

Results are appended to ``OUTPUT.partial``, a line of JSON each under a first line that identifies the input
and the options. The same run, started again, goes on after the last whole chunk found there; chunks begin at
the same rows whether or not a run was interrupted, so both give the same batches to the models and the same
bytes. At the end the lines become OUTPUT, in its format, in one step.
"""

from __future__ import annotations

import hashlib
import json
import logging
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

from pydantic import TypeAdapter

from checker.errors import OutputError
from checker.input import DEFAULT_ID, DEFAULT_TEXT, Post, read
from checker.output import check_output, write
from checker.result import Result, RowError

CHUNK = 64
"""Rows given to the scorer at once: the most that a kill can cost, and the most posts held in memory."""

LOG_EVERY = 30.0
"""Seconds between two lines of progress where no bar can be drawn."""

Outcome = Result | RowError

_log = logging.getLogger(__name__)
_outcome: TypeAdapter[Outcome] = TypeAdapter(Outcome)


class Scorer(Protocol):
    """What scores posts; `checker.Checker` is one."""

    def score_many(self, texts: Iterable[str], ids: Iterable[str] | None = None) -> Iterator[Result]:
        """One result a text, in order."""
        ...


@dataclass
class Summary:
    """What became of the rows.

    Attributes:
        verdicts: number of posts per verdict, ``not_scored`` among them.
        errors: rows that could not be read.
        seconds: wall time of this run, without that of an interrupted one before it.
    """

    verdicts: Counter[str] = field(default_factory=Counter)
    errors: int = 0
    seconds: float = 0.0

    @property
    def not_scored(self) -> int:
        """Posts without a verdict; a warning in the result says why."""
        return self.verdicts["not_scored"]

    @property
    def scored(self) -> int:
        """Posts with a verdict."""
        return self.verdicts.total() - self.not_scored

    @property
    def rows(self) -> int:
        """All rows, bad ones included."""
        return self.verdicts.total() + self.errors

    def add(self, outcome: Outcome) -> None:
        """Count one row."""
        if isinstance(outcome, RowError):
            self.errors += 1
        else:
            self.verdicts[outcome.verdict] += 1


def score_rows(scorer: Scorer, rows: Iterable[Post | RowError]) -> Iterator[Outcome]:
    """Score the posts among the rows, `CHUNK` rows at a time; order is kept and errors keep their place."""
    rows = iter(rows)
    while chunk := list(islice(rows, CHUNK)):
        posts = [row for row in chunk if isinstance(row, Post)]
        results = iter(scorer.score_many([post.text for post in posts], [post.id for post in posts]))
        for row in chunk:
            yield next(results) if isinstance(row, Post) else row


def score_file(
    scorer: Scorer,
    source: str | Path,
    output: str | Path,
    *,
    text_column: str = DEFAULT_TEXT,
    id_column: str = DEFAULT_ID,
    options: Mapping[str, object] | None = None,
    resume: bool = True,
    on_outcome: Callable[[Outcome], None] | None = None,
) -> Summary:
    """Score every row of a file into another.

    Args:
        scorer: a `checker.Checker`, or anything with its ``score_many``.
        source: the input, as for `checker.input.read`. Standard input is scored but never resumed.
        output: ``.jsonl``, ``.csv``, ``.tsv`` or ``.parquet``; replaced only when everything is scored.
        text_column: the column with the text.
        id_column: the column with the id.
        options: what else the results depend on (profile, engine, version …): an interrupted run is resumed
            only under equal options and for an input with the same content.
        resume: go on where an interrupted run stopped; False starts over.
        on_outcome: called with every row of the output, in order, once all are there.

    Raises:
        InputError: the input cannot be read.
        OutputError: the output cannot be written, found out before anything is scored where possible.
    """
    began = time.monotonic()
    output = Path(output)
    check_output(output, source)
    rows = read(source, text_column, id_column)
    total = None
    stamp = {
        "checker": "partial",
        "input": None,
        "options": {**(options or {}), "columns": [text_column, id_column]},
    }
    if str(source) != "-":
        total = sum(1 for _ in read(source, text_column, id_column))
        with Path(source).open("rb") as posts:
            stamp["input"] = hashlib.file_digest(posts, "sha256").hexdigest()

    summary = Summary()
    partial = output.with_name(f"{output.name}.partial")
    head = json.dumps(stamp).encode() + b"\n"
    with _writing(partial):
        done = _prepare(partial, head, resume and total is not None)
        file = partial.open("a", encoding="utf-8", newline="\n", buffering=1)
    try:
        with file, _progress(done, total) as advance:
            for outcome in score_rows(scorer, islice(rows, done, None)):
                with _writing(partial):
                    file.write(outcome.to_json() + "\n")
                advance()
    except BaseException:
        if partial.stat().st_size == len(head):  # nothing to resume
            partial.unlink()
        raise

    def lines() -> Iterator[str]:
        with partial.open(encoding="utf-8", newline="\n") as finished:
            for line in islice(finished, 1, None):  # after the stamp
                outcome = _outcome.validate_json(line)
                summary.add(outcome)
                if on_outcome is not None:
                    on_outcome(outcome)
                yield line

    write(lines(), output)
    partial.unlink()
    summary.seconds = time.monotonic() - began
    return summary


def _prepare(partial: Path, head: bytes, resume: bool) -> int:
    """Leave in the partial file its first line and whole chunks only.

    Returns:
        Number of rows that are done.
    """
    done, end = 0, len(head)
    if resume and partial.exists():
        with partial.open("r+b") as file:
            if file.readline() == head:
                position = end
                for row, line in enumerate(file, 1):
                    if not line.endswith(b"}\n"):  # torn by the kill
                        break
                    position += len(line)
                    if row % CHUNK == 0:
                        done, end = row, position
                file.truncate(end)
                _log.info("Going on after the %d rows of an interrupted run.", done)
                return done
        _log.warning("%s was left by a run with another input or other options: starting over.", partial)
    partial.write_bytes(head)
    return 0


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        fix = "Free space or write elsewhere."
        raise OutputError(f"{path} cannot be written: {error.strerror}. {fix}") from error


@contextmanager
def _progress(done: int, total: int | None) -> Iterator[Callable[[], Any]]:
    """Draw a bar on standard error if it is a terminal, log a line every `LOG_EVERY` seconds otherwise."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    if console.is_interactive:
        columns = (TextColumn("Scoring"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Progress(*columns, console=console, transient=True) as bar:
            task = bar.add_task("", total=total, completed=done)
            yield lambda: bar.advance(task)
        return

    began = said = time.monotonic()
    count = 0

    def advance() -> None:
        nonlocal said, count
        count += 1
        now = time.monotonic()
        if now - said >= LOG_EVERY:
            said = now
            _log.info("%d of %s rows, %.1f a second", done + count, total or "?", count / (now - began))

    yield advance
