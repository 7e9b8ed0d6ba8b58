"""A small file of posts that came over HTTP, read as ``checker score`` reads files."""

from __future__ import annotations

import re
import shutil
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO

from checker.errors import InputError
from checker.io.read import Post, read
from checker.result import RowError
from checker.web.limits import Limits

SUFFIXES = (".csv", ".tsv", ".jsonl", ".txt")


def read_upload(
    file: BinaryIO, name: str, text_column: str, id_column: str, limits: Limits
) -> list[Post | RowError]:
    """Read the posts of an uploaded file.

    Args:
        file: the file; it lies in a temporary folder of its own while it is read.
        name: its name at the client, of which only the suffix counts.
        text_column: the field or column with the text.
        id_column: the field or column with the id.
        limits: how many posts, and how many characters of each.

    Returns:
        One item a row, in order; a row that cannot be scored is a `RowError`.

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
            rows = list(islice(read(path, text_column, id_column), limits.posts + 1))
        except InputError as error:
            problem = error.problem.replace(str(path), "the file")
            problem = problem[0].upper() + problem[1:]
            raise InputError(problem, fix=_as_field(error.fix), field="file") from None
    if len(rows) > limits.posts:
        fix = "Send it in parts, or give it to checker score."
        raise InputError(f"The file has more than {limits.posts} posts.", fix=fix, field="file")
    return [_checked(row, text_column, limits.characters) for row in rows]


def _checked(row: Post | RowError, text_column: str, characters: int) -> Post | RowError:
    if isinstance(row, RowError):
        return row.model_copy(update={"fix": _as_field(row.fix)})
    if len(row.text) <= characters:
        return row
    problem = f"The text is longer than {characters} characters."
    return RowError(id=row.id, row=row.row, field=text_column, error=problem, fix="Send it in parts.")


def _as_field(fix: str) -> str:
    """A fix for who is not at a command line: its options are fields of the form, and it has no commands."""
    fix = re.sub(r",? (?:or send it through a pipe|for example)\b.*", ".", fix)
    fix = re.sub(r"^Use (--\w+-column)\.", r"Choose another column (\1).", fix)
    fix = re.sub(r"name another one with (--\w+-column)", r"choose another column (\1)", fix)
    return fix.replace("--text-column", "text_column").replace("--id-column", "id_column")
