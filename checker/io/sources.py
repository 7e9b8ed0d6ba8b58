"""Where posts come from: a file, a pattern of files, or files of an object store.

Scoring touches no network. Files of ``s3://``, ``gs://`` and ``hf://`` are copied first, when their address
is given, and scored as files of this machine.
"""

from __future__ import annotations

import glob
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Any

from checker.errors import InputError
from checker.io.addresses import in_store, is_pattern, opened, reaching
from checker.io.read import DEFAULT_ID, DEFAULT_TEXT, Post, read
from checker.result import RowError


@contextmanager
def on_disk(source: str | Path) -> Iterator[list[Path]]:
    """The files of a source, on this machine for as long as the context is open.

    Args:
        source: a path; a pattern such as ``day-*.jsonl`` or ``s3://bucket/2024/**/*.parquet``, whose files
            come in the order of their names; or an address of ``s3://``, ``gs://`` or ``hf://``. A path that
            exists is no pattern.

    Raises:
        InputError: no file matches; the store cannot be reached, or has no such file.
        CheckerError: the packages for such a store are not installed.
    """
    text = str(source)
    with ExitStack() as stack:
        if address := in_store(source):
            folder = Path(stack.enter_context(TemporaryDirectory(prefix="statement-checker-")))
            yield _fetched(address, folder)
        elif text != "-" and is_pattern(text) and not Path(text).exists():
            found = [Path(name) for name in sorted(glob.glob(text, recursive=True)) if Path(name).is_file()]
            if not found:
                raise InputError(
                    f"No file matches {text}.", fix="Check the pattern, and quote it in a shell."
                )
            yield found
        else:
            yield [Path(text)]


def read_all(
    paths: Sequence[str | Path],
    text_column: str = DEFAULT_TEXT,
    id_column: str = DEFAULT_ID,
    keep: Sequence[str] = (),
) -> Iterator[Post | RowError]:
    """The posts of some files, one after the other, with rows numbered through; otherwise as `read`.

    An id that a row lacks is its number in its own file.

    The first file is opened by the call, a further one when it has its turn.
    """
    rows = read(paths[0], text_column, id_column, keep)
    if len(paths) == 1:
        return rows
    return _numbered_through(rows, paths[1:], (text_column, id_column, keep))


def _numbered_through(
    rows: Iterator[Post | RowError], paths: Sequence[str | Path], options: tuple[str, str, Sequence[str]]
) -> Iterator[Post | RowError]:
    before = last = 0
    for more in [None, *paths]:
        if more is not None:
            rows, before = read(more, *options), last
        for row in rows:
            last = before + row.row
            if isinstance(row, Post):
                yield replace(row, row=last)
            else:
                yield row.model_copy(update={"row": last})


def _fetched(address: str, folder: Path) -> list[Path]:
    """Copies of the files of an address, in the order of their names."""
    fix = "Check the address, and that this machine may read it."
    found = []
    with reaching(address, "read", lambda problem: InputError(problem, fix=fix)):
        for number, (system, name) in enumerate(_files(address)):
            here = folder / f"{number:06d}" / PurePosixPath(name).name
            here.parent.mkdir()
            system.get_file(name, str(here))
            found.append(here)
    return found


def _files(address: str) -> list[tuple[Any, str]]:
    """The files that an address names, with the file system that has them."""
    system, path = opened(address)
    names = sorted(system.glob(path)) if is_pattern(path) else [path]
    found = [(system, name) for name in names if system.isfile(name)]
    if not found:
        raise InputError(f"There is no file {address}.", fix="Check the address; a pattern names files.")
    return found
