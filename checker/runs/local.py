"""Score a whole file: a million rows in little memory, errors in place, nothing lost by a kill.

Rows are scored in chunks, and every chunk goes to a journal beside the output (`checker.runs.journal`).
Chunks begin at the same rows whether or not a run was interrupted, so the models get the same batches and
the output has the same bytes. At the end the journal becomes the output, in its format, in one step.
"""

from __future__ import annotations

import json
import logging
import time
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

from pydantic import TypeAdapter

from checker.errors import InputError
from checker.files import followed, writing
from checker.io.addresses import in_store
from checker.io.read import DEFAULT_ID, DEFAULT_TEXT, Post
from checker.io.sources import on_disk, read_all
from checker.io.table import check_kept
from checker.io.targets import placed
from checker.io.write import check_output, write
from checker.progress import OnProgress
from checker.result import Result, RowError
from checker.runs.journal import Input, Journal, Run, alone, options_of
from checker.runs.processes import Processes, that_pay
from checker.runs.rejects import reject, rejects_path

CHUNK = 128
"""Rows that are scored, and put into the journal, together.

They begin at the same rows in every run: what the models compute together does not depend on a kill.
"""

Outcome = Result | RowError

_log = logging.getLogger(__name__)
_outcome: TypeAdapter[Outcome] = TypeAdapter(Outcome)


class Scorer(Protocol):
    """What scores posts; `checker.Checker` is one."""

    def score_batches(self, batches: Iterable[Sequence[tuple[str, str]]]) -> Iterator[Sequence[Result]]:
        """The results of each batch of ids and texts, in order; a few batches may be read ahead."""
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


def score_chunks(
    scorer: Scorer, rows: Iterable[Post | RowError]
) -> Iterator[list[tuple[Outcome, Mapping[str, Any]]]]:
    """Score the posts among the rows, `CHUNK` rows at a time; order is kept and errors keep their place.

    Yields:
        What became of each row, and the columns that were kept of it.
    """
    rows = iter(rows)
    begun: deque[list[Post | RowError]] = deque()

    def batches() -> Iterator[list[tuple[str, str]]]:
        while chunk := list(islice(rows, CHUNK)):
            begun.append(chunk)
            yield [(row.id, row.text) for row in chunk if isinstance(row, Post)]

    for results in map(iter, scorer.score_batches(batches())):
        yield [(next(results) if isinstance(row, Post) else row, row.kept or {}) for row in begun.popleft()]


def output_line(outcome: Outcome, kept: Mapping[str, Any]) -> str:
    """The JSON of a row of the output: the fields of the outcome, and the columns that were kept."""
    line = outcome.to_json()
    return f"{line[:-1]},{json.dumps(dict(kept), ensure_ascii=False)[1:]}" if kept else line


def parse_line(line: str, keep: Sequence[str]) -> Outcome:
    """The outcome in a line of the output, without the columns that were kept."""
    if not keep:
        return _outcome.validate_json(line)
    return _outcome.validate_python({k: v for k, v in json.loads(line).items() if k not in keep})


def journal_path(output: Path) -> Path:
    """Where the journal of an output is, for as long as the output is not finished."""
    path = followed(output)
    return path.with_name(f"{path.name}.journal")


def score_file(
    scorer: Scorer,
    source: str | Path,
    output: str | Path,
    *,
    text_column: str = DEFAULT_TEXT,
    id_column: str = DEFAULT_ID,
    keep: Sequence[str] = (),
    options: Mapping[str, Any] | None = None,
    models: Mapping[str, str] | None = None,
    restart: bool = False,
    workers: int | None = 1,
    keep_journal: bool = False,
    on_outcome: Callable[[Outcome], object] | None = None,
    on_progress: OnProgress = lambda done, total: None,
    on_upload: OnProgress = lambda done, total: None,
) -> Summary:
    """Score every row of a file into another, from where an interrupted run stopped if there was one.

    Args:
        scorer: a `checker.Checker`, or anything with its ``score_batches``.
        source: the input, as for `checker.io.sources.on_disk`. Standard input is scored but never resumed.
        output: in a format of `checker.io.write.write`; replaced only when everything is scored. Rows that
            could not be read are in `checker.runs.rejects.rejects_path` too, as they were in the input. It
            may be an address, as for `checker.io.targets.placed`.
        text_column: the column with the text.
        id_column: the column with the id.
        keep: columns of the input that the output has as well.
        options: what else the results depend on (profile, engine, version …), as JSON has it; by default the
            settings of the checker.
        models: digest by name of the models that they may depend on; by default those of the checker.
        restart: start over, even if the interrupted run was another one.
        workers: processes that a `checker.Checker` scores in, each with models of its own; None is as many as
            pay. A script that asks for more than one has its own calls below ``if __name__ == "__main__":``.
        keep_journal: leave it beside the output, so that the same call does not score again.
        on_outcome: called with every row of the output, in order, once all are there.
        on_progress: called with the number of rows that are scored, and of all if it is known.
        on_upload: called with the number of bytes that are uploaded to an address, and of all.

    Raises:
        InputError: the input cannot be read, or changed while it was scored; or ``workers`` is less than 1.
        OutputError: the output cannot be written, found out before anything is scored where possible;
            another run is writing it; the interrupted run had another input, other options or models; or it
            could not be uploaded, which the same call does later without scoring again.
        CheckerError: the packages for an address are not installed; or one of several processes that score
            came to an end, and the same call goes on where it stopped.
    """
    from checker.pipeline import Checker  # not above: an actor sets its threads before most imports

    if workers is not None and workers < 1:
        raise InputError("workers must be at least 1.", fix="Leave it out for as many as pay.")
    began = time.monotonic()
    if isinstance(scorer, Checker):
        options = options_of(scorer.settings, scorer.arithmetic) if options is None else options
        models = scorer.store.digests(scorer.profile) if models is None else models
    keep = tuple(dict.fromkeys(keep))
    check_kept(keep)
    with placed(output, source=source, beside=rejects_path, on_upload=on_upload) as place:
        here = followed(place)
        for target in (here, rejects_path(here)):
            check_output(target, source)
        with on_disk(source) as paths:
            for target in (here, rejects_path(here)):
                for path in paths:
                    check_output(target, path)  # a pattern may match what an earlier run has written
            summary = _score_paths(
                scorer, source, paths, here, (text_column, id_column, keep), dict(options or {}),
                dict(models or {}), restart, workers, on_outcome, on_progress,
                keep_journal=keep_journal or in_store(output) is not None,  # until the output is uploaded
            )  # fmt: skip
    summary.seconds = time.monotonic() - began
    return summary


def _score_paths(
    scorer: Scorer,
    source: str | Path,
    paths: Sequence[Path],
    output: Path,
    columns: tuple[str, str, Sequence[str]],
    options: dict[str, Any],
    models: dict[str, str],
    restart: bool,
    workers: int | None,
    on_outcome: Callable[[Outcome], object] | None,
    on_progress: OnProgress,
    *,
    keep_journal: bool,
) -> Summary:
    """`score_file` with the files of its source, and its output, on this machine."""
    from checker.pipeline import Checker  # as above

    text_column, id_column, keep = columns
    piped = str(source) == "-"
    total = None if piped else sum(1 for _ in read_all(paths, text_column, id_column, keep))
    run = Run(
        input=None if piped else Input.of_all(source, paths),  # as it is before it is opened below
        options={"text_column": text_column, "id_column": id_column, "format": paths[0].suffix.lower()}
        | ({"keep": list(keep)} if keep else {})
        | dict(options or {}),
        models=dict(models or {}),
    )
    rows = read_all(paths, text_column, id_column, keep)
    with alone(output):
        journal = Journal(journal_path(output), run, restart=restart)
        summary = Summary()
        try:
            if journal.rows:
                _log.info("Going on after the %d rows of an interrupted run.", journal.rows)
            on_progress(journal.rows, total)
            if type(scorer) is Checker:
                left = None if total is None else total - journal.rows
                count = that_pay(scorer.settings, scorer.store, left) if workers is None else workers
                scorer = scorer if count == 1 else Processes(scorer.settings, scorer.store, count)
            for chunk in score_chunks(scorer, islice(rows, journal.rows, None)):
                rejects = [reject(row) for row, _ in chunk if isinstance(row, RowError)]
                journal.append([output_line(*row) for row in chunk], rejects)
                on_progress(journal.rows, total)
            if not piped and Input.of_all(source, paths) != run.input:
                journal.close(remove=True)  # it may have rows of either
                fix = "Give the command again when the file is complete."
                raise InputError(f"{source} changed while it was scored.", fix=fix)
            _publish(journal, output, summary, on_outcome, keep)
        except BaseException:
            journal.close()
            raise
        journal.close(remove=not keep_journal)
    return summary


def _publish(
    journal: Journal,
    output: Path,
    summary: Summary,
    on_outcome: Callable[[Outcome], object] | None,
    keep: Sequence[str],
) -> None:
    """Make the output and its rejects from the journal, and count what is in them."""

    def lines() -> Iterator[str]:
        for line in journal.read_rows():
            outcome = parse_line(line, keep)
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
    write(lines(), output, keep=keep)
