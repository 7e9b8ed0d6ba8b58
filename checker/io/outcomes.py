"""Scores in, a row at a time, as ``checker score`` wrote them; with account and date where they are known."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from itertools import zip_longest
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from checker.errors import InputError
from checker.io.read import DEFAULT_ID, Record, read_records
from checker.io.table import COLUMNS, nested
from checker.io.write import escape_formula
from checker.result import Result, RowError
from checker.text import valid

ACCOUNT, DATE = "account", "date"
"""Columns that are used where they are there and no other one was named."""

_FORMATS = (".jsonl", ".csv", ".tsv", ".parquet")
_FIX = "Make it with: checker score POSTS -o scores.jsonl"
_JSON = "json"  # the column of a Parquet file that has the whole result


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a file of scores.

    Attributes:
        row: 1-based number in the file.
        outcome: what became of the post.
        account: who posted it, if that is known.
        day: when, if that is known.
        text: the post, if a column has it: a table of scores has no sentences.
    """

    row: int
    outcome: Result | RowError
    account: str | None = None
    day: date | None = None
    text: str | None = None


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns with account and date; a default one may be missing, one that was named may not.

    Attributes:
        account, date: their names.
        text: the same of a column with the text; None where it is not read.
        account_option, date_option: of the command line, that name them.
    """

    account: str | None = None
    date: str | None = None
    account_option: str = "--account-column"
    date_option: str = "--date-column"
    text: str | None = None

    @property
    def names(self) -> tuple[str, str]:
        """Both columns."""
        return self.account or ACCOUNT, self.date or DATE

    @property
    def optional(self) -> tuple[str, ...]:
        """All columns that are read where they are there; the text only if it is asked for."""
        return self.names if self.text is None else (*self.names, self.text)

    @property
    def required(self) -> dict[str, str]:
        """Those that were named, and the options that did it."""
        named = {self.account: self.account_option, self.date: self.date_option}
        return {column: option for column, option in named.items() if column is not None}


def read(
    path: Path,
    columns: Columns,
    posts: Path | None = None,
    id_column: str = DEFAULT_ID,
    *,
    may_be_empty: bool = False,
) -> Iterator[Row | RowError]:
    """Read a file of scores.

    Args:
        path: ``.jsonl``, ``.csv``, ``.tsv`` or ``.parquet``, as ``checker score`` wrote it. Further columns
            may have been added to it.
        columns: the columns with account and date.
        posts: the file that was scored, if it has these columns: its rows are those of ``path``, in order.
        id_column: of ``posts``.
        may_be_empty: whether a file without rows is none that was confused with another: one of many parts.

    Yields:
        A row, or an error where it holds no score.

    Raises:
        InputError: a file cannot be read, is empty, or has no such column; the first row holds no score;
            the rows of ``posts`` are not those that were scored.
    """
    if path.suffix.lower() not in _FORMATS:
        raise InputError(f"{path} is no file of scores.", fix=f"Use {', '.join(_FORMATS)}. {_FIX}")
    own = columns if posts is None else Columns(text=columns.text)
    records = read_records(path, own.required, (*COLUMNS, _JSON, *own.optional))
    rows = _outcomes(records, path, own, may_be_empty)
    if posts is None:
        return rows
    if str(posts) == "-" or posts.suffix.lower() not in _FORMATS:
        raise InputError(f"{posts} has no columns.", fix=f"Use {', '.join(_FORMATS)}.")
    given = read_records(posts, columns.required, columns.optional, id_column)
    return _joined(rows, given, columns, exact=path.suffix.lower() in (".jsonl", ".parquet"))


def check_columns(
    posts: Path, columns: Columns, id_column: str = DEFAULT_ID, parts: Iterable[Path] | None = None
) -> None:
    """See before posts are scored that the columns that were named are there, and a row with an account.

    Args:
        posts: a file, or a directory.
        columns: the columns with account and date.
        id_column: of ``posts``.
        parts: the files of the directory: each has the columns, and at least one has such a row.

    Raises:
        InputError: it is not so, or a file cannot be read.
    """
    found = False
    for part in [posts] if parts is None else parts:
        records = read_records(part, columns.required, columns.names, id_column)  # sees to the columns
        found = found or any(isinstance(one, Record) and _facts(one.fields, columns)[0] for one in records)
    if not found:
        fix = f"Name another one with {columns.account_option}."
        raise InputError(f"No row of {posts} has a value in the column {columns.names[0]!r}.", fix=fix)


def _outcomes(
    records: Iterator[Record | RowError], path: Path, columns: Columns, may_be_empty: bool
) -> Iterator[Row | RowError]:
    tabular = path.suffix.lower() in (".csv", ".tsv")
    number = -1
    for number, record in enumerate(records):
        error = record if isinstance(record, RowError) else None
        if isinstance(record, Record):
            try:
                yield Row(record.row, _outcome(record, tabular), *_facts(record.fields, columns))
                continue
            except InputError as wrong:
                error = RowError(
                    id=record.id, row=record.row, field=wrong.field, error=wrong.problem, fix=wrong.fix
                )
        assert error is not None
        if number == 0:
            problem = f"{path} is no file of scores. {error.error}"
            raise InputError(problem, fix=_FIX, row=error.row, field=error.field)
        yield error
    if number < 0 and not may_be_empty:
        raise InputError(f"{path} has no rows.", fix=_FIX)


def _outcome(record: Record, tabular: bool) -> Result | RowError:
    """The result in a row.

    Raises:
        InputError: there is none.
    """
    fields: Any = record.fields
    if tabular:
        fields = _nested(fields) | {"id": record.id}
    elif isinstance(whole := fields.get(_JSON), str):
        try:
            fields = json.loads(whole)
        except (ValueError, RecursionError):
            raise InputError("It is not JSON.", fix=_FIX, field=_JSON) from None
    if not isinstance(fields, Mapping) or not ({"verdict", "error"} & fields.keys()):
        raise InputError("There is no verdict.", fix=_FIX, field="verdict")
    kind: type[Result | RowError] = Result if "verdict" in fields else RowError
    try:
        known = {name: fields[name] for name in kind.model_fields if name in fields and name != "raw"}
        return kind.model_validate(known)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(map(str, first["loc"]))
        raise InputError(f"{first['msg']}.", fix=_FIX, field=place) from None


def _nested(cells: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a result from the cells of a table; it has no sentences."""
    fields = nested(cells)
    if "verdict" in fields:
        fields.setdefault("language", {}).setdefault("code", None)
    if "round_trip" in fields:
        fields["round_trip"].setdefault("signature", "")
    fields.setdefault("models", {})
    return fields


def _facts(fields: Mapping[str, Any], columns: Columns) -> tuple[str | None, date | None, str | None]:
    """Account, day and text of a row."""
    account, day = (fields.get(name) for name in columns.names)
    text = None if columns.text is None else fields.get(columns.text)
    return account_of(account), day_of(day), text if isinstance(text, str) else None


def account_of(account: object) -> str | None:
    """Who posted it, by its cell: None where that is empty, or holds no name or number."""
    if isinstance(account, float):
        if not math.isfinite(account):
            return None
        account = int(account) if account.is_integer() else account  # how a table with gaps stores numbers
    if account is None or isinstance(account, dict | list | bool):
        return None
    return valid(str(account)).strip() or None


def day_of(value: object) -> date | None:
    """The day in a cell: a date, or a string that begins with one as ISO 8601 has it.

    None for anything else, and for a year that no post is of (before 1990, from 2100).
    """
    try:
        if isinstance(value, str):
            value = date.fromisoformat(value.strip()[:10])
    except ValueError:
        return None
    day = value.date() if isinstance(value, datetime) else value
    return day if isinstance(day, date) and 1990 <= day.year < 2100 else None


def _joined(
    rows: Iterator[Row | RowError], posts: Iterator[Record | RowError], columns: Columns, exact: bool
) -> Iterator[Row | RowError]:
    """The rows with the facts of the posts that they are of."""
    fix = "Name the file that was scored, with the same --id-column, and its scores as they were written."
    for number, (row, post) in enumerate(zip_longest(rows, posts), 1):
        if row is None or post is None:
            which = "--posts has more rows" if row is None else "--posts has fewer rows"
            raise InputError(f"{which} than the scores.", fix=fix, row=number)
        if isinstance(row, RowError):
            yield row
            continue
        if row.outcome.id not in ((post.id,) if exact else (post.id, escape_formula(post.id))):
            problem = f"The id is {row.outcome.id!r:.60} in the scores and {post.id!r:.60} in --posts."
            raise InputError(problem, fix=fix, row=number)
        account, day, text = _facts(post.fields, columns) if isinstance(post, Record) else (None, None, None)
        yield Row(row.row, row.outcome, account, day, text if text is not None else row.text)
