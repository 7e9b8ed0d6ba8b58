"""Score a whole file: a million rows in little memory, bad rows in their place, nothing lost by a kill.

Rows are scored in chunks, and every chunk goes to a journal beside the output (`checker.runs.journal`).
Chunks begin at the same rows whether or not a run was interrupted, so the models get the same batches and
the output has the same bytes. At the end the journal becomes the output, in its format, in one step.
"""

from __future__ import annotations

import base64
import hashlib
import json
import logging
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain, islice
from pathlib import Path
from typing import Any, Protocol

from pydantic import TypeAdapter

from checker.errors import InputError
from checker.io.input import DEFAULT_ID, DEFAULT_TEXT, Post, read
from checker.io.output import check_output, write, writing
from checker.result import Result, RowError
from checker.runs.journal import Input, Journal, Run, alone
from checker.runs.progress import progress

CHUNK = 64
"""Rows given to the scorer at once: the most that a kill can cost, and the most posts held in memory.

It is a multiple of `checker.pipeline.BATCH`: what the scorer computes together does not depend on a kill.
"""

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
        languages: number of posts per language code; ``?`` where none could be identified.
        models: profile, and name@revision of every model used, by task.
        errors: rows that could not be read.
        seconds: wall time of this run, without that of an interrupted one before it.
    """

    verdicts: Counter[str] = field(default_factory=Counter)
    languages: Counter[str] = field(default_factory=Counter)
    models: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
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
            return
        self.verdicts[outcome.verdict] += 1
        self.languages[outcome.language.code or "?"] += 1
        for task, name in outcome.models.items():
            self.models[task].add(name)


def score_chunks(scorer: Scorer, rows: Iterable[Post | RowError]) -> Iterator[list[Outcome]]:
    """Score the posts among the rows, `CHUNK` rows at a time; order is kept and errors keep their place."""
    rows = iter(rows)
    while chunk := list(islice(rows, CHUNK)):
        posts = [row for row in chunk if isinstance(row, Post)]
        results = iter(scorer.score_many([post.text for post in posts], [post.id for post in posts]))
        yield [next(results) if isinstance(row, Post) else row for row in chunk]


def score_rows(scorer: Scorer, rows: Iterable[Post | RowError]) -> Iterator[Outcome]:
    """As `score_chunks`, a row at a time."""
    return chain.from_iterable(score_chunks(scorer, rows))


def journal_path(output: Path) -> Path:
    """Where the journal of an output is, for as long as the output is not finished."""
    return output.with_name(f"{output.name}.journal")


def rejects_path(output: Path) -> Path:
    """Where the rows of the input are that could not be read; there is no such file if there are none."""
    return output.with_name(f"{output.name}.rejects.jsonl")


def score_file(
    scorer: Scorer,
    source: str | Path,
    output: str | Path,
    *,
    text_column: str = DEFAULT_TEXT,
    id_column: str = DEFAULT_ID,
    options: Mapping[str, Any] | None = None,
    models: Mapping[str, str] | None = None,
    restart: bool = False,
    on_outcome: Callable[[Outcome], None] | None = None,
) -> Summary:
    """Score every row of a file into another, from where an interrupted run stopped if there was one.

    Args:
        scorer: a `checker.Checker`, or anything with its ``score_many``.
        source: the input, as for `checker.io.input.read`. Standard input is scored but never resumed.
        output: in a format of `checker.io.output.write`; replaced only when everything is scored. Rows that
            could not be read are in `rejects_path` too, as they were in the input.
        text_column: the column with the text.
        id_column: the column with the id.
        options: what else the results depend on (profile, engine, version …), as JSON has it.
        models: digest by name of the models that they may depend on.
        restart: start over, even if the interrupted run was another one.
        on_outcome: called with every row of the output, in order, once all are there.

    Raises:
        InputError: the input cannot be read, or changed while it was scored.
        OutputError: the output cannot be written, found out before anything is scored where possible;
            another run is writing it; the interrupted run had another input, other options or models.
    """
    began = time.monotonic()
    output = Path(output)
    for path in (output, rejects_path(output)):
        check_output(path, source)
    rows = read(source, text_column, id_column)
    total = sum(1 for _ in read(source, text_column, id_column)) if str(source) != "-" else None
    run = Run(
        input=_identity(source),
        options={"text_column": text_column, "id_column": id_column, "format": Path(source).suffix.lower()}
        | dict(options or {}),
        models=dict(models or {}),
    )
    with alone(output):
        journal = Journal(journal_path(output), run, restart=restart)
        summary = Summary()
        try:
            if journal.rows:
                _log.info("Going on after the %d rows of an interrupted run.", journal.rows)
            with progress(journal.rows, total) as advance:
                for chunk in score_chunks(scorer, islice(rows, journal.rows, None)):
                    rejects = [_reject(row) for row in chunk if isinstance(row, RowError)]
                    journal.append([outcome.to_json() for outcome in chunk], rejects)
                    advance(len(chunk))
            if _identity(source) != run.input:
                fix = "Give the command again with --restart when the file is complete."
                raise InputError(f"{source} changed while it was scored.", fix=fix)
            _publish(journal, output, summary, on_outcome)
        except BaseException:
            journal.close()
            raise
        journal.close(remove=True)
    summary.seconds = time.monotonic() - began
    return summary


def _identity(source: str | Path) -> Input | None:
    if str(source) == "-":
        return None
    path = Path(source)
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        return Input(path=str(path), size=file.tell(), sha256=digest)


def _reject(row: RowError) -> str:
    """The line of a bad row: what is wrong with it, and what it was, exactly."""
    reject: dict[str, Any] = {
        "row": row.row,
        "id": row.id,
        "field": row.field,
        "reason": row.error,
        "fix": row.fix,
    }
    if row.raw is not None:
        reject["raw"] = row.raw.decode(errors="replace")
        if reject["raw"].encode() != row.raw:
            reject["raw_base64"] = base64.b64encode(row.raw).decode()
    return json.dumps(reject, ensure_ascii=False)


def _publish(
    journal: Journal, output: Path, summary: Summary, on_outcome: Callable[[Outcome], None] | None
) -> None:
    """Make the output and its rejects from the journal, and count what is in them."""

    def lines() -> Iterator[str]:
        for line in journal.read_rows():
            outcome = _outcome.validate_json(line)
            summary.add(outcome)
            if on_outcome is not None:
                on_outcome(outcome)
            yield line

    rejects = rejects_path(output)
    if journal.rejects:
        write(journal.read_rejects(), rejects)
    else:
        with writing(rejects):
            rejects.unlink(missing_ok=True)  # of an earlier run
    write(lines(), output)
