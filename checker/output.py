"""Results out, a row at a time: JSONL as they are, CSV, TSV and Parquet as a table."""

from __future__ import annotations

import csv
import json
import os
import re
from collections.abc import Iterable
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

_PARQUET_ROWS, _PARQUET_BYTES = 1024, 16 * 2**20


def check_output(path: Path, source: str | Path) -> None:
    """See before the work starts that its results can be written.

    Raises:
        OutputError: unknown format, no such folder, no permission, or the input itself.
    """
    if path.suffix.lower() not in _WRITERS:
        raise OutputError(f"The format of {path} is unknown. Use {', '.join(_WRITERS)}.")
    if not path.parent.is_dir():
        raise OutputError(f"There is no folder {path.parent}. Create it or write elsewhere.")
    if path.is_dir() or not os.access(path.parent, os.W_OK):
        raise OutputError(f"{path} cannot be written. Check its permissions or write elsewhere.")
    if path.exists() and Path(source).exists() and path.samefile(source):
        raise OutputError(f"{path} is the input. Write the results to another file.")


def write(lines: Iterable[str], path: Path) -> None:
    """Write results in the format that the extension of `path` names, complete or not at all.

    Args:
        lines: each the JSON of a `Result` or `RowError`.
        path: ``.jsonl`` keeps the lines; ``.csv``, ``.tsv`` and ``.parquet`` have `COLUMNS`, and ``.parquet``
            the whole record in a column ``json`` too. CSV and TSV are meant for spreadsheets: they start with
            a byte order mark, and text that a spreadsheet would run as a formula is preceded by ``'``.

    Raises:
        OutputError: the disk is full, or the path has become unwritable.
    """
    temporary = path.with_name(f"{path.name}.tmp")
    try:
        _WRITERS[path.suffix.lower()](lines, temporary)
        os.replace(temporary, path)
    except OSError as error:
        fix = "Free space or write elsewhere."
        raise OutputError(f"{path} cannot be written: {error.strerror or error}. {fix}") from error
    finally:
        temporary.unlink(missing_ok=True)


def _flat(line: str) -> dict[str, Any]:
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


def _inert(cell: Any) -> Any:
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
            writer.writerow(map(_inert, _flat(line).values()))


def _write_tsv(lines: Iterable[str], path: Path) -> None:
    _write_csv(lines, path, delimiter="\t")


def _write_parquet(lines: Iterable[str], path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    fields = [*COLUMNS.items(), ("json", "large_string")]
    schema = pa.schema([(name, pa.type_for_alias(kind)) for name, kind in fields])
    with pq.ParquetWriter(path, schema) as writer:
        batch: list[dict[str, Any]] = []
        size = 0
        for line in lines:
            batch.append({**_flat(line), "json": line.rstrip("\n")})
            size += len(line)
            if len(batch) == _PARQUET_ROWS or size > _PARQUET_BYTES:
                writer.write_batch(pa.RecordBatch.from_pylist(batch, schema))
                batch, size = [], 0
        if batch:
            writer.write_batch(pa.RecordBatch.from_pylist(batch, schema))


_WRITERS = {".jsonl": _write_jsonl, ".csv": _write_csv, ".tsv": _write_tsv, ".parquet": _write_parquet}
