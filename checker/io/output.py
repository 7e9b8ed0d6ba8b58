"""Results out, a row at a time: JSONL as they are, CSV, TSV, Parquet and databases as tables."""

from __future__ import annotations

import csv
import json
import os
import re
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from checker.errors import OutputError

COLUMNS = {
    "id": "string", "verdict": "string", "machine_translated": "double", "fluency": "double",
    "language.code": "string", "language.confidence": "double", "language.mixed": "bool",
    "round_trip.pivot": "string", "round_trip.chrf": "double", "round_trip.bleu": "double",
    "round_trip.ter": "double", "round_trip.log_likelihood": "double", "round_trip.gap": "double",
    "style": "double", "sentences": "int64", "reasons": "string", "warnings": "string",
    "models": "string", "version": "string",
    "row": "int64", "field": "string", "error": "string", "fix": "string",
}  # fmt: skip
"""Columns of tabular output, the scalar fields of `Result` and `RowError`, and their Arrow types."""

_BATCH_ROWS, _BATCH_BYTES = 1024, 16 * 2**20


def check_output(path: Path, source: str | Path, formats: Collection[str] | None = None) -> None:
    """See before the work starts that its results can be written.

    Args:
        path: where to.
        source: the input.
        formats: accepted extensions; by default those that `write` knows.

    Raises:
        OutputError: unknown format, no such folder, no permission, no regular file, or the input itself.
    """
    path = followed(path)
    formats = _WRITERS if formats is None else formats
    if path.suffix.lower() not in formats:
        raise OutputError(f"The format of {path} is unknown. Use {', '.join(formats)}.")
    if path.suffix.lower() == ".duckdb" and find_spec("duckdb") is None:
        fix = 'Install it with: pip install "statement-checker[duckdb]", or write .sqlite.'
        raise OutputError(f"DuckDB, which {path} takes, is not installed. {fix}")
    if not path.parent.is_dir():
        raise OutputError(f"There is no folder {path.parent}. Create it or write elsewhere.")
    if not os.access(path.parent, os.W_OK) or (path.exists() and not os.access(path, os.W_OK)):
        raise OutputError(f"{path} cannot be written. Check its permissions or write elsewhere.")
    if path.exists() and not path.is_file():
        raise OutputError(f"{path} cannot be written: it is a folder, a pipe or a device. Write elsewhere.")
    if path.exists() and Path(source).exists() and path.samefile(source):
        raise OutputError(f"{path} is the input. Write the results to another file.")


def followed(path: Path) -> Path:
    """Where a file is written: a symbolic link stays, and what it points to is replaced."""
    return Path(os.path.realpath(path)) if path.is_symlink() else path


def write(lines: Iterable[str], path: Path, temporary: Path | None = None) -> None:
    """Write results in the format that the extension of `path` names, complete or not at all.

    Args:
        lines: each the JSON of a `Result` or `RowError`.
        path: ``.jsonl`` keeps the lines; ``.csv``, ``.tsv`` and ``.parquet`` have `COLUMNS`, and ``.parquet``
            the whole record in a column ``json`` too; ``.sqlite``, ``.db`` and ``.duckdb`` are as
            `checker.io.database` says. CSV and TSV are meant for spreadsheets: they start with a byte order
            mark, and text that a spreadsheet would run as a formula is preceded by ``'``.
        temporary: as for `write_whole`.

    Raises:
        OutputError: the disk is full, or the path has become unwritable.
    """
    write_whole(path, lambda unfinished: _WRITERS[path.suffix.lower()](lines, unfinished), temporary)


def write_text(text: str, path: Path) -> None:
    """Write a text as UTF-8, complete or not at all.

    Raises:
        OutputError: as `write`.
    """
    write_whole(path, lambda temporary: _write_jsonl([text], temporary))


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


def flat(line: str) -> dict[str, Any]:
    """The values of `COLUMNS` in the JSON of a `Result` or `RowError`; None where it has none."""
    record = json.loads(line)
    row: dict[str, Any] = {}
    for column in COLUMNS:
        value: Any = record
        for key in column.split("."):
            value = value.get(key) if isinstance(value, dict) else None
        if column == "sentences" and value is not None:
            value = len(value)
        elif isinstance(value, list):
            value = " | ".join(value)
        elif isinstance(value, dict):
            value = json.dumps(value, ensure_ascii=False)
        row[column] = value
    return row


def inert(cell: Any) -> Any:
    """Text that a spreadsheet would take for a formula, made text by an apostrophe; numbers stay."""
    if (
        isinstance(cell, str)
        and re.match(r"[=+\-@＝＋－＠\t\r\n]", cell)
        and not re.fullmatch(r"[+-]?\d+", cell)
    ):
        return f"'{cell}"
    return cell


def _write_jsonl(lines: Iterable[str], path: Path) -> None:
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(line.rstrip("\n") + "\n" for line in lines)


def _write_csv(lines: Iterable[str], path: Path, delimiter: str = ",") -> None:
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file, delimiter=delimiter)
        writer.writerow(COLUMNS)
        for line in lines:
            writer.writerow(map(inert, flat(line).values()))


def _write_tsv(lines: Iterable[str], path: Path) -> None:
    _write_csv(lines, path, delimiter="\t")


def _write_parquet(lines: Iterable[str], path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    fields = [*COLUMNS.items(), ("json", "large_string")]
    schema = pa.schema([(name, pa.type_for_alias(kind)) for name, kind in fields])
    with pq.ParquetWriter(path, schema) as writer:
        for batch in batches(lines):
            rows = [{**flat(line), "json": line.rstrip("\n")} for line in batch]
            writer.write_batch(pa.RecordBatch.from_pylist(rows, schema))


def _write_sqlite(lines: Iterable[str], path: Path) -> None:
    from checker.io.database import write_sqlite

    write_sqlite(lines, path)


def _write_duckdb(lines: Iterable[str], path: Path) -> None:
    from checker.io.database import write_duckdb

    write_duckdb(lines, path)


_WRITERS = {
    ".jsonl": _write_jsonl, ".csv": _write_csv, ".tsv": _write_tsv, ".parquet": _write_parquet,
    ".sqlite": _write_sqlite, ".db": _write_sqlite, ".duckdb": _write_duckdb,
}  # fmt: skip
