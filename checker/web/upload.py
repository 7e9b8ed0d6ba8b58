"""A file of posts that came over HTTP, read as ``checker score`` reads files."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO

from checker.errors import InputError
from checker.io.outcomes import ACCOUNT, DATE, account_of, day_of
from checker.io.read import DEFAULT_ID, DEFAULT_TEXT, Post, read
from checker.result import RowError
from checker.web.limits import Limits

SUFFIXES = (".csv", ".tsv", ".jsonl", ".txt")
LINES = "application/x-ndjson"
"""The answer to a file as JSON lines, by its media type."""


@dataclass(frozen=True)
class Columns:
    """The columns or fields of a file; None for one that is not read.

    Attributes:
        text, id: of the post.
        account, date: who posted it, and when.
    """

    text: str = DEFAULT_TEXT
    id: str = DEFAULT_ID
    account: str | None = None
    date: str | None = None

    @property
    def kept(self) -> dict[str, str]:
        """Field of a row of the answer → the column that it comes from."""
        named = {ACCOUNT: self.account, DATE: self.date}
        return {field: column for field, column in named.items() if column is not None}


def read_upload(
    file: BinaryIO, name: str, columns: Columns, limits: Limits, most: int
) -> list[Post | RowError]:
    """Read the posts of an uploaded file.

    Args:
        file: the file; it lies in a temporary folder of its own while it is read.
        name: its name at the client, of which only the suffix counts.
        columns: what is read of it.
        limits: how many characters a post may have.
        most: rows that the file may have.

    Returns:
        One item a row, in order; a row that cannot be scored is a `RowError`. Kept of a row are the fields of
        ``columns.kept``: the account as a string, the date in ISO 8601, each None where there is none.

    Raises:
        InputError: the format is unknown, the file cannot be read or has too many rows.
    """
    suffix = Path(name).suffix.lower()
    if suffix not in SUFFIXES:
        fix = f"Send a file that is called {', '.join(SUFFIXES[:-1])} or {SUFFIXES[-1]}."
        raise InputError("The format of the file is unknown.", fix=fix, field="file")
    with TemporaryDirectory(prefix="statement-checker-") as folder:
        path = Path(folder, f"upload{suffix}")
        with path.open("wb") as copy:
            shutil.copyfileobj(file, copy)
        try:
            kept = list(columns.kept.values())
            rows = list(islice(read(path, columns.text, columns.id, kept), most + 1))
        except InputError as error:
            problem = error.problem.replace(str(path), "the file")
            problem = problem[0].upper() + problem[1:]
            raise InputError(problem, fix=_as_field(error.fix), field="file") from None
    if len(rows) > most:
        fix = "Send it in parts, or give it to checker score."
        if most < limits.rows:
            fix = f"Ask for {LINES} (up to {limits.rows} posts), or send it in parts."
        raise InputError(f"The file has more than {most} posts.", fix=fix, field="file")
    return [_checked(row, columns, limits.characters) for row in rows]


def _checked(row: Post | RowError, columns: Columns, characters: int) -> Post | RowError:
    kept = _facts(row.kept or {}, columns) if columns.kept else None
    if isinstance(row, RowError):
        return row.model_copy(update={"fix": _as_field(row.fix), "kept": kept, "raw": None})
    if len(row.text) <= characters:
        return replace(row, kept=kept)
    problem = f"The text is longer than {characters} characters."
    return RowError(
        id=row.id, row=row.row, field=columns.text, error=problem, fix="Send it in parts.", kept=kept
    )


def _facts(cells: Mapping[str, object], columns: Columns) -> dict[str, str | None]:
    """Account and date of a row, as the scores of `checker score --keep` would have them."""
    found: dict[str, str | None] = {}
    if columns.account is not None:
        found[ACCOUNT] = account_of(cells.get(columns.account))
    if columns.date is not None:
        day = day_of(cells.get(columns.date))
        found[DATE] = None if day is None else day.isoformat()
    return found


def _as_field(fix: str) -> str:
    """A fix for who is not at a command line: its options are fields of the form, and it has no commands."""
    fix = re.sub(r",? (?:or send it through a pipe|for example)\b.*", ".", fix)
    fix = fix.replace("Use --keep.", "Choose another column (account_column, date_column).")
    fix = fix.replace("Leave out --keep.", "Leave out account_column and date_column.")
    fix = re.sub(r"^Use (--\w+-column)\.", r"Choose another column (\1).", fix)
    fix = re.sub(r"name another one with (--\w+-column)", r"choose another column (\1)", fix)
    return fix.replace("--text-column", "text_column").replace("--id-column", "id_column")
