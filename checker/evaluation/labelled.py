"""Read the labelled posts that ``checker evaluate`` measures on and ``checker calibrate`` fits on.

A row has a text and a label, ``human`` or ``machine``; ``id``, ``lang``, ``system`` (the MT system),
``origin`` (of human text: ``original`` or ``translated``) and ``testset`` are optional, and so is any other
column that posts are grouped by. A row that cannot be used becomes a `RowError`; the rest are read.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args

from checker.errors import InputError
from checker.io.read import DEFAULT_ID, DEFAULT_TEXT, Record, problem_of, read_records
from checker.result import RowError

DEFAULT_LABEL = "label"
LABELS = {
    "human": False, "human_written": False, "0": False, "false": False,
    "machine": True, "machine_translated": True, "1": True, "true": True,
}  # fmt: skip
"""Accepted labels, in any case, and whether they say that a post is machine-translated."""

Kind = Literal["native", "translated", "machine"]
Origin = Literal["original", "translated"]

FACTS = ("lang", "language", "system", "origin", "testset")

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class LabelledPost:
    """A post whose origin is known.

    Attributes:
        row: 1-based number of the row in its file.
        id: as given, or the number of the row.
        text: the post; may be empty in a file of scores.
        machine: True if it is machine-translated.
        language: ISO 639 code as labelled, in lower case and without a region; None if not given.
        system: the MT system that made it, if given.
        origin: of human text, whether it was written in its language or translated into it, if given.
        testset: where it comes from, if given.
        extra: the values of further columns that were asked for, where they are not empty.
    """

    row: int
    id: str
    text: str
    machine: bool
    language: str | None = None
    system: str | None = None
    origin: Origin | None = None
    testset: str | None = None
    extra: Mapping[str, str] = field(default_factory=dict)

    @property
    def kind(self) -> Kind:
        """``machine``, ``translated`` (by a human) or ``native``; human text without an origin is native."""
        if self.machine:
            return "machine"
        return "translated" if self.origin == "translated" else "native"


def read_labelled(
    path: str | Path,
    *,
    text_column: str = DEFAULT_TEXT,
    label_column: str = DEFAULT_LABEL,
    id_column: str = DEFAULT_ID,
    extra: Collection[str] = (),
) -> tuple[list[LabelledPost], list[RowError]]:
    """Read labelled posts.

    Args:
        path: a ``.jsonl``, ``.csv``, ``.tsv`` or ``.parquet`` file.
        text_column: the column with the text.
        label_column: the column with the label.
        id_column: the column with the id.
        extra: further columns to keep, for grouping.

    Returns:
        The posts, and an error record for every row that cannot be used, both in the order of the rows.

    Raises:
        InputError: the file cannot be read, is of another format, or lacks a column.
    """
    required = {text_column: "--text-column", label_column: "--label-column"}
    rows = labelled_rows(path, required, (*FACTS, *extra), id_column)
    return parsed(rows, lambda record: labelled_post(record, text_column, label_column, extra, scored=False))


def labelled_rows(
    path: str | Path, required: Mapping[str, str], optional: Collection[str], id_column: str
) -> Iterable[Record | RowError]:
    """The rows of a file that can hold labels; arguments as for `read_records`."""
    if str(path) == "-" or Path(path).suffix.lower() == ".txt":
        raise InputError(f"{path} cannot hold labels.", fix="Use .jsonl, .csv, .tsv or .parquet.")
    return read_records(path, required, optional, id_column)


def parsed(rows: Iterable[Record | RowError], parse: Callable[[Record], T]) -> tuple[list[T], list[RowError]]:
    """The result of ``parse`` for every row, or an error record where it raises InputError."""
    good: list[T] = []
    bad: list[RowError] = []
    for row in rows:
        if isinstance(row, RowError):
            bad.append(row)
            continue
        try:
            good.append(parse(row))
        except InputError as error:
            bad.append(
                RowError(id=row.id, row=row.row, field=error.field, error=error.problem, fix=error.fix)
            )
    return good, bad


def labelled_post(
    record: Record, text_column: str, label_column: str, extra: Collection[str], *, scored: bool
) -> LabelledPost:
    """The labelled post of a row; one that is ``scored`` already may lack its text."""
    fields = record.fields
    text: Any = fields.get(text_column)
    if text is None and scored:
        text = ""
    elif text_column not in fields:
        raise InputError("There is no text.", fix="Add it, or use --text-column.", field=text_column)
    elif problem := problem_of(text):
        raise InputError(f"The text {problem}.", fix="Give it as a string, in UTF-8.", field=text_column)
    origin: Any = _fact(fields, "origin")
    if origin is not None and origin not in get_args(Origin):
        known = " or ".join(get_args(Origin))
        raise InputError(
            f"The origin is {shown(origin)}.", fix=f"Use {known}, or leave it empty.", field="origin"
        )
    given = fields.get("language")  # an object in the results of the checker: what it identified
    language = _fact(fields, "lang") or (None if isinstance(given, dict) else _fact(fields, "language"))
    return LabelledPost(
        row=record.row,
        id=record.id,
        text=text,
        machine=_label(fields, label_column),
        language=language and language.replace("_", "-").split("-")[0].lower(),
        system=_fact(fields, "system"),
        origin=origin,
        testset=_fact(fields, "testset"),
        extra={name: value for name in extra if (value := _fact(fields, name)) is not None},
    )


def _label(fields: Mapping[str, Any], column: str) -> bool:
    fix = "Use human or machine."
    if fields.get(column) in (None, ""):
        raise InputError(
            "There is no label.", fix=f"{fix} Or name another column with --label-column.", field=column
        )
    label = _fact(fields, column)
    key = (label or "").strip().lower().replace("-", "_")
    if key not in LABELS:
        raise InputError(f"The label is {shown(label)}.", fix=fix, field=column)
    return LABELS[key]


def _fact(fields: Mapping[str, Any], column: str) -> str | None:
    """A short value as a string; None if it is missing or empty."""
    value = fields.get(column)
    if isinstance(value, float) and value.is_integer():
        value = int(value)  # how a table with gaps in its whole numbers stores them
    if isinstance(value, bool | int | float):
        value = str(value)
    if value is None or value == "":
        return None
    if problem := problem_of(value):
        raise InputError(f"The {column} {problem}.", fix="Make it a short string or a number.", field=column)
    return str(value)


def shown(value: object) -> str:
    """A wrong value as a message names it: quoted and not too long."""
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:39]}…"
