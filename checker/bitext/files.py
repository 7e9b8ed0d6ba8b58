"""Estimate the quality of every pair of a file: one outcome per row, in order."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from checker.bitext.estimator import QualityEstimator
from checker.bitext.result import Quality
from checker.errors import InputError
from checker.files import write_whole
from checker.io.read import Record, problem_of, read_records
from checker.io.write import check_output
from checker.result import RowError

FORMATS = (".json", ".jsonl")
"""Extensions of the output; both hold one line of JSON per row."""


@dataclass
class QualityCounts:
    """What became of the rows of a file of pairs.

    Attributes:
        pairs: rows that were estimated.
        flagged: those with a flagged segment.
        errors: rows that could not be read.
    """

    pairs: int = 0
    flagged: int = 0
    errors: int = 0


def quality_file(
    pairs: str | Path,
    output: str | Path,
    *,
    estimator: QualityEstimator | None = None,
    source_language: str | None = None,
    target_language: str | None = None,
    on_outcome: Callable[[Quality | RowError], object] = lambda outcome: None,
) -> QualityCounts:
    """Write the quality of every pair of a file, complete or not at all; what ``checker quality -o`` calls.

    Args:
        pairs: a ``.jsonl``, ``.csv``, ``.tsv`` or ``.parquet`` file with ``source`` and ``target``, and if
            known ``id``, ``reference``, ``source_language`` and ``target_language``; ``-`` is a pipe.
        output: a ``.json`` or ``.jsonl`` file: one line of JSON per row, an error record for a bad one.
        estimator: by default with the embedded models.
        source_language, target_language: ISO 639-1 codes for rows without their own.
        on_outcome: called with the outcome of every row.

    Raises:
        InputError: the file cannot be read or lacks a column.
        OutputError: the output cannot be written; found out before anything is estimated where possible.
        CheckerError: a model cannot be loaded.
    """
    output, counts = Path(output), QualityCounts()
    check_quality_output(output, pairs)
    found = estimate_file(
        pairs, estimator=estimator, source_language=source_language, target_language=target_language
    )

    def lines() -> Iterator[str]:
        for outcome in found:
            if isinstance(outcome, RowError):
                counts.errors += 1
            else:
                counts.pairs += 1
                counts.flagged += outcome.flagged
            on_outcome(outcome)
            yield f"{outcome.to_json()}\n"

    def write(unfinished: Path) -> None:
        with unfinished.open("w", encoding="utf-8", newline="\n") as file:
            file.writelines(lines())

    write_whole(output, write)
    return counts


def check_quality_output(output: Path, source: str | Path) -> None:
    """See before the work starts that the qualities can be written.

    Raises:
        OutputError: as `checker.io.write.check_output`.
    """
    check_output(output, source, FORMATS)


def estimate_file(
    pairs: str | Path,
    *,
    estimator: QualityEstimator | None = None,
    source_language: str | None = None,
    target_language: str | None = None,
) -> Iterator[Quality | RowError]:
    """The quality of every pair of a file as it is read; arguments and errors as for `quality_file`."""
    estimator = estimator or QualityEstimator()
    columns = {"source": "a column of this name", "target": "a column of this name"}
    for row in read_records(pairs, columns, ("reference", "source_language", "target_language")):
        if isinstance(row, RowError):
            yield row
            continue
        try:
            yield _estimate(estimator, row, source_language, target_language)
        except InputError as error:
            yield RowError(id=row.id, row=row.row, field=error.field, error=error.problem, fix=error.fix)


def _estimate(
    estimator: QualityEstimator, row: Record, source_language: str | None, target_language: str | None
) -> Quality:
    fields = {name: value for name, value in row.fields.items() if value not in (None, "")}
    texts = {name: fields.get(name) for name in ("source", "target", "reference")}
    for name, value in texts.items():
        if value is None and name == "reference":
            continue
        if problem := problem_of(value):
            raise InputError(f"The {name} {problem}.", fix="Give it as a string, in UTF-8.", field=name)
    return estimator.estimate(
        str(texts["source"]),
        str(texts["target"]),
        texts["reference"],
        source_language=fields.get("source_language", source_language),
        target_language=fields.get("target_language", target_language),
        id=row.id,
    )
