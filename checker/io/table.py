"""Results as rows of a table: one schema for every table, made from the fields of `Result` and `RowError`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import NoneType
from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin

from pydantic import BaseModel

from checker.errors import InputError
from checker.result import Result, RowError, Sentence

if TYPE_CHECKING:
    import pandas

_ARROW = {str: "string", float: "double", int: "int64", bool: "bool"}
_COUNTED = "sentences"  # a table of its own, where there is room for one
_OBJECT = "json"


def _kind(annotation: Any) -> Any:
    """The type of a field without None; of a closed set, that of its values."""
    choices = [choice for choice in get_args(annotation) if choice is not NoneType]
    if get_origin(annotation) is Literal:
        return type(choices[0])
    if NoneType in get_args(annotation):
        return _kind(choices[0])
    return annotation


def _fields(model: type[BaseModel]) -> dict[str, Any]:
    """The types of the fields of a record that are written, those of records in it under ``outer.inner``."""
    found: dict[str, Any] = {}
    for name, field in model.model_fields.items():
        kind = _kind(field.annotation)
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            found |= {f"{name}.{inner}": inside for inner, inside in _fields(kind).items()}
        elif not field.exclude:
            found[name] = kind
    return found


def _scalars(model: type[BaseModel]) -> dict[str, str]:
    """Arrow types of the fields that are one value."""
    return {name: _ARROW[kind] for name, kind in _fields(model).items() if kind in _ARROW}


def _told(kind: Any) -> bool:
    """Whether a field is a list of sentences that stand under a word: reasons, warnings."""
    [item, *_] = get_args(kind) or [None]
    return isinstance(item, type) and issubclass(item, BaseModel) and list(item.model_fields)[1:2] == ["text"]


_FIELDS = _fields(Result) | _fields(RowError)
_TEXTS = {name for name, kind in _FIELDS.items() if _told(kind)}
_JSON = {name for name, kind in _FIELDS.items() if kind not in _ARROW} - _TEXTS - {_COUNTED}

COLUMNS = {
    name: "int64" if name == _COUNTED else _ARROW.get(kind, "string") for name, kind in _FIELDS.items()
}
"""Columns of tabular output, the fields of `Result` and `RowError`, and their Arrow types. ``sentences`` is
their number, reasons and warnings are joined, other lists and objects are JSON."""

SENTENCES = {"post": "int64", "sentence": "int64"} | _scalars(Sentence)
"""Columns of a table of sentences, the scalar fields of `Sentence`, and their Arrow types."""

_PANDAS = {"string": "string", "double": "Float64", "int64": "Int64", "bool": "boolean"}
SEPARATOR = " | "
"""Between reasons or warnings in a cell."""
_BATCH_ROWS, _BATCH_BYTES = 1024, 16 * 2**20


def columns(keep: Sequence[str] = ()) -> dict[str, str]:
    """`COLUMNS`, and behind them those that were kept of the input, which are strings."""
    return COLUMNS | dict.fromkeys(keep, "string")


def check_kept(keep: Sequence[str]) -> None:
    """See that columns of the input can stand beside those of the output.

    Raises:
        InputError: one has the name of a column of the output, or of another one.
    """
    ours = {"post", _OBJECT} | {part for name in COLUMNS for part in (name, name.partition(".")[0])}
    ours |= {name.replace(".", "_") for name in COLUMNS}
    seen: set[str] = set()
    for name in keep:
        if name.lower() in ours or name.lower() in seen:
            problem = f"{name!r} cannot be kept: the output has a column of that name."
            raise InputError(problem, fix="Rename it in the input, or leave it out.")
        seen.add(name.lower())


def batches(lines: Iterable[str]) -> Iterator[list[str]]:
    """The lines by the thousand, fewer where they are long: what is held in memory at once."""
    batch: list[str] = []
    size = 0
    for line in lines:
        batch.append(line)
        size += len(line)
        if len(batch) == _BATCH_ROWS or size > _BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def flat(line: str, keep: Sequence[str] = ()) -> dict[str, Any]:
    """The values of `columns` in the JSON of a `Result` or `RowError`; None where it has none."""
    record = json.loads(line)
    row: dict[str, Any] = {}
    for column in COLUMNS:
        value: Any = record
        for key in column.split("."):
            value = value.get(key) if isinstance(value, dict) else None
        if value is None:
            row[column] = None
        elif column == _COUNTED:
            row[column] = len(value)
        elif column in _TEXTS:
            row[column] = SEPARATOR.join(": ".join(list(item.values())[:2]) for item in value)
        elif column in _JSON:
            row[column] = json.dumps(value, ensure_ascii=False)
        else:
            row[column] = value
    for column in keep:
        value = record.get(column)
        kept = value is None or isinstance(value, str)
        row[column] = value if kept else json.dumps(value, ensure_ascii=False)
    return row


def nested(cells: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a record from the cells that ``flat`` made of it: all but the sentences.

    Raises:
        InputError: a cell that should have JSON has none.
    """
    fields: dict[str, Any] = {}
    for column in COLUMNS:
        cell = cells.get(column)
        if cell in (None, "") or column == _COUNTED:
            continue
        value: Any = cell
        if column in _TEXTS:
            value = _parted(str(cell), next(iter(get_args(_FIELDS[column])[0].model_fields)))
        elif column in _JSON:
            try:
                value = json.loads(str(cell))
            except ValueError:
                fix = "Leave the cell as it was written."
                raise InputError("It is not JSON.", fix=fix, field=column) from None
        outer, _, inner = column.rpartition(".")
        (fields.setdefault(outer, {}) if outer else fields)[inner] = value
    return fields


def _parted(cell: str, key: str) -> list[dict[str, str]]:
    """The reasons or warnings that ``flat`` wrote into a cell; ``key`` is what stands before each colon."""
    pairs = (item.partition(": ") for item in cell.split(SEPARATOR))
    return [{key: name, "text": text} for name, _, text in pairs]


ACCOUNT_COLUMNS = {
    "account": "string", "verdict": "string", "machine_translated": "double",
    "machine_translated_interval.low": "double", "machine_translated_interval.high": "double",
    "translated": "double", "translated_interval.low": "double", "translated_interval.high": "double",
    "rudimentary": "double", "rudimentary_interval.low": "double", "rudimentary_interval.high": "double",
    "false_alarm_rate": "double", "threshold.machine_translated": "double", "threshold.posts": "int64",
    "translated_threshold.translated": "double", "translated_threshold.posts": "int64",
    "rudimentary_threshold.rudimentary": "double", "rudimentary_threshold.posts": "int64",
    "posts.given": "int64", "posts.scored": "int64", "posts.distinct": "int64",
    "posts.documentation": "int64",
    "first_day": "string", "last_day": "string",
    "share_machine_translated": "double", "share_interval.low": "double", "share_interval.high": "double",
    "mixed": "bool", "languages": "string", "changes": "string", "reasons": "string", "warnings": "string",
    "version": "string",
}  # fmt: skip
"""Columns of tabular output of accounts, and their Arrow types: of `checker.account.record.Account`."""


def flat_account(line: str) -> dict[str, Any]:
    """The values of `ACCOUNT_COLUMNS` in the JSON of an `Account`; None where it has none."""
    record = json.loads(line)
    row: dict[str, Any] = {}
    for column in ACCOUNT_COLUMNS:
        value: Any = record
        for key in column.split("."):
            value = value.get(key) if isinstance(value, dict) else None
        row[column] = SEPARATOR.join(map(_account_cell, value)) if isinstance(value, list) else value
    return row


def _account_cell(item: str | dict[str, Any]) -> str:
    """A reason or a warning, or the language or the day of a part of an account with its verdict."""
    if isinstance(item, str):
        return item
    if (name := item.get("language") or item.get("day")) is not None:
        return f"{name}: {item.get('verdict') or item['after']['verdict']}"
    return ": ".join(item.values())


def to_pandas(results: Iterable[Result | RowError]) -> pandas.DataFrame:
    """One row for each result, with the columns and types of every other table (`COLUMNS`).

    Lists of any length, none as well, have the same columns; what a result has not is missing (``NA``).

    Raises:
        ImportError: pandas is not installed (``pip install "statement-checker[pandas]"``).
    """
    import pandas as pd

    rows = [flat(result.to_json()) for result in results]
    return pd.DataFrame(
        {name: pd.array([row[name] for row in rows], dtype=_PANDAS[kind]) for name, kind in COLUMNS.items()}
    )
