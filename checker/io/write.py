"""Results out, a row at a time: JSONL as they are, CSV, TSV, Parquet and databases as tables."""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

from checker.errors import OutputError
from checker.files import followed, write_whole
from checker.io import database
from checker.io.addresses import address_of
from checker.io.database import Tables, write_duckdb, write_sqlite
from checker.io.table import ACCOUNT_COLUMNS, batches, columns, flat, flat_account


def check_output(path: Path, source: str | Path, formats: Collection[str] | None = None) -> None:
    """See before the work starts that its results can be written.

    Args:
        path: where to.
        source: the input.
        formats: accepted extensions; by default those that `write` knows.

    Raises:
        OutputError: unknown format, no such folder, no permission, no regular file, the input itself, or no
            path of this machine.
    """
    check_here(path)
    path = followed(path)
    check_format(path, formats)
    if not path.parent.is_dir():
        raise OutputError(f"There is no folder {path.parent}. Create it or write elsewhere.")
    if not os.access(path.parent, os.W_OK) or (path.exists() and not os.access(path, os.W_OK)):
        raise OutputError(f"{path} cannot be written. Check its permissions or write elsewhere.")
    if path.exists() and not path.is_file():
        raise OutputError(f"{path} cannot be written: it is a folder, a pipe or a device. Write elsewhere.")
    if path.exists() and Path(source).exists() and path.samefile(source):
        raise OutputError(f"{path} is the input. Write the results to another file.")


def check_format(output: str | Path, formats: Collection[str] | None = None) -> None:
    """See that results can be written in the format that a path or an address names.

    Args:
        output: where to.
        formats: as for `check_output`.

    Raises:
        OutputError: unknown format, or the package for it is not installed.
    """
    formats, suffix = _WRITERS if formats is None else formats, Path(output).suffix.lower()
    if suffix not in formats:
        raise OutputError(f"The format of {output} is unknown. Use {', '.join(formats)}.")
    if suffix == ".duckdb" and find_spec("duckdb") is None:
        fix = 'Install it with: pip install "statement-checker[duckdb]", or write .sqlite.'
        raise OutputError(f"DuckDB, which {output} takes, is not installed. {fix}")


def check_here(output: str | Path, writer: str = "this command") -> None:
    """See that an output is a path, where an address will not do.

    Args:
        output: where to.
        writer: what writes it.

    Raises:
        OutputError: it is an address.
    """
    if (address := address_of(output)) is not None:
        fix = "Name a path, and copy the results to the address."
        raise OutputError(f"{address} is an address, where {writer} cannot write. {fix}")


def write(lines: Iterable[str], path: Path, temporary: Path | None = None, keep: Sequence[str] = ()) -> None:
    """Write results in the format that the extension of `path` names, complete or not at all.

    Args:
        lines: each the JSON of a `Result` or `RowError`.
        path: ``.jsonl`` keeps the lines; ``.csv``, ``.tsv`` and ``.parquet`` have the columns of
            `checker.io.table`, and ``.parquet`` the whole record in a column ``json`` too; ``.sqlite``,
            ``.db`` and ``.duckdb`` are as `checker.io.database` says. CSV and TSV are meant for
            spreadsheets: they start with a byte order mark, and text that a spreadsheet would run as a
            formula is preceded by ``'``.
        temporary: as for `write_whole`.
        keep: columns of the input that the lines have as well, and tables behind their own.

    Raises:
        OutputError: the disk is full, or the path has become unwritable.
    """
    layout = _Layout(columns(keep), partial(flat, keep=keep), database.results(keep))
    _write(lines, path, layout, temporary)


def write_accounts(lines: Iterable[str], path: Path) -> None:
    """Write judgements on accounts, in the formats of `write`, with `ACCOUNT_COLUMNS`.

    Args:
        lines: each the JSON of an `Account`.
        path: where to; a database has one table, ``accounts``.

    Raises:
        OutputError: as `write`.
    """
    _write(lines, path, _Layout(ACCOUNT_COLUMNS, flat_account, database.accounts()))


class _Layout(NamedTuple):
    """How lines become rows: columns and their types, the values of a line, tables of a database."""

    columns: Mapping[str, str]
    flat: Callable[[str], dict[str, Any]]
    tables: Tables


def _write(lines: Iterable[str], path: Path, layout: _Layout, temporary: Path | None = None) -> None:
    write_whole(path, lambda unfinished: _WRITERS[path.suffix.lower()](lines, unfinished, layout), temporary)


def escape_formula(cell: Any) -> Any:
    """Text that a spreadsheet would take for a formula, made text by an apostrophe; numbers stay."""
    if (
        isinstance(cell, str)
        and re.match(r"[=+\-@＝＋－＠\t\r\n]", cell)
        and not re.fullmatch(r"[+-]?\d+", cell)
    ):
        return f"'{cell}"
    return cell


def _write_jsonl(lines: Iterable[str], path: Path, layout: _Layout) -> None:
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(line.rstrip("\n") + "\n" for line in lines)


def _write_csv(lines: Iterable[str], path: Path, layout: _Layout, delimiter: str = ",") -> None:
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file, delimiter=delimiter)
        writer.writerow(layout.columns)
        for line in lines:
            writer.writerow(map(escape_formula, layout.flat(line).values()))


def _write_tsv(lines: Iterable[str], path: Path, layout: _Layout) -> None:
    _write_csv(lines, path, layout, delimiter="\t")


def _write_parquet(lines: Iterable[str], path: Path, layout: _Layout) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    fields = [*layout.columns.items(), ("json", "large_string")]
    schema = pa.schema([(name, pa.type_for_alias(kind)) for name, kind in fields])
    with pq.ParquetWriter(path, schema) as writer:
        for batch in batches(lines):
            rows = [{**layout.flat(line), "json": line.rstrip("\n")} for line in batch]
            writer.write_batch(pa.RecordBatch.from_pylist(rows, schema))


def _write_sqlite(lines: Iterable[str], path: Path, layout: _Layout) -> None:
    write_sqlite(lines, path, layout.tables)


def _write_duckdb(lines: Iterable[str], path: Path, layout: _Layout) -> None:
    write_duckdb(lines, path, layout.tables)


_WRITERS = {
    ".jsonl": _write_jsonl, ".csv": _write_csv, ".tsv": _write_tsv, ".parquet": _write_parquet,
    ".sqlite": _write_sqlite, ".db": _write_sqlite, ".duckdb": _write_duckdb,
}  # fmt: skip
