"""Write files completely or not at all."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from checker.errors import OutputError


def followed(path: Path) -> Path:
    """Where a file is written: a symbolic link stays, and what it points to is replaced."""
    return Path(os.path.realpath(path)) if path.is_symlink() else path


def write_text(text: str, path: Path) -> None:
    """Write a text as UTF-8, complete or not at all.

    Raises:
        OutputError: as `write`.
    """
    content = text.rstrip("\n") + "\n"
    write_whole(path, lambda unfinished: unfinished.write_text(content, encoding="utf-8", newline="\n"))


def write_whole(path: Path, writer: Callable[[Path], object], temporary: Path | None = None) -> None:
    """Have a file written beside `path`, and put it there when it is complete and on the disk.

    Args:
        path: where to; an old file stays until the new one takes its place.
        writer: writes the path that it is given.
        temporary: this path, on the same file system; by default ``path.tmp``, which is for one writer at a
            time.

    Raises:
        OutputError: as `write`.
    """
    path = followed(path)
    temporary = temporary or path.with_name(f"{path.name}.tmp")
    with writing(path):
        try:
            temporary.unlink(missing_ok=True)  # of a run that was killed
            writer(temporary)
            with temporary.open("rb+") as file:
                os.fsync(file.fileno())
            os.replace(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)
        if hasattr(os, "O_DIRECTORY"):
            folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn an error of the operating system into an `OutputError` that names the file."""
    try:
        yield
    except OSError as error:
        fix = "Free space and give the command again, or write elsewhere."
        raise OutputError(f"{path} cannot be written: {error.strerror or error}. {fix}") from error
