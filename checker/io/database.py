"""Results as a database: a table ``posts`` and a table ``sentences``, in SQLite or DuckDB.

A row of ``posts`` is a row of the output: its place in it from 1 (``post``, which is unique as ids need
not be), the columns of `checker.io.table.COLUMNS` with an underscore for a dot, and the whole record as
``json``.
A row of ``sentences`` is a sentence of the post ``post``.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from checker.io import table as schema
from checker.io.table import ACCOUNT_COLUMNS, COLUMNS, batches, flat, flat_account

POSTS = {"post": "key", **{name.replace(".", "_"): kind for name, kind in COLUMNS.items()}, "json": "string"}
"""Columns of the table ``posts`` and their types."""

_RENAMED = {"start": "start_offset", "end": "end_offset", "pivot": "pivot_language"}  # reserved words of SQL

SENTENCES = {_RENAMED.get(name, name): kind for name, kind in schema.SENTENCES.items()}
"""Columns of the table ``sentences`` and their types."""

_ARROW = {"key": "int64"}  # the other types are Arrow's
_SQLITE = {
    "key": "INTEGER PRIMARY KEY",
    "string": "TEXT",
    "int64": "INTEGER",
    "double": "REAL",
    "bool": "INTEGER",
}
_DUCKDB = {"key": "BIGINT", "string": "VARCHAR", "int64": "BIGINT", "double": "DOUBLE", "bool": "BOOLEAN"}

_QUOTED = ("pivot_text", "back_translation")

_Row = tuple[Any, ...]
_Batches = Iterator[tuple[str, list[_Row]]]


class Tables(NamedTuple):
    """The tables of a database.

    Attributes:
        columns: of each, by name.
        rows: makes rows, each batch with the table that it is for, of lines of JSON.
        indexed: what a further index is made of: its name, table and column.
    """

    columns: Mapping[str, Mapping[str, str]]
    rows: Callable[[Iterable[str]], _Batches]
    indexed: tuple[str, str, str] | None = None


def write_sqlite(lines: Iterable[str], path: Path, tables: Tables | None = None) -> None:
    """Write results into a new SQLite file.

    Args:
        lines: each the JSON of a `Result` or `RowError`, or of an `Account`.
        path: where there is no file yet.
        tables: of `results`, the default, or `accounts`.

    Raises:
        OSError: the disk is full, or the path cannot be written.
    """
    tables = tables or results()
    try:
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("PRAGMA journal_mode = OFF")  # a file that fails is thrown away
            connection.execute("PRAGMA synchronous = OFF")  # whoever puts it in its place syncs it
            for table, columns in tables.columns.items():
                connection.execute(_create(table, columns, _SQLITE))
            for table, rows in tables.rows(lines):
                marks = ", ".join("?" * len(tables.columns[table]))
                connection.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)
            if tables.indexed is not None:
                index, table, column = tables.indexed
                connection.execute(f"CREATE INDEX {index} ON {table} ({column})")
            connection.commit()
    except sqlite3.Error as error:
        raise OSError(str(error)) from error


def write_duckdb(lines: Iterable[str], path: Path, tables: Tables) -> None:
    """Write results into a new DuckDB file; otherwise as `write_sqlite`."""
    import duckdb
    import pyarrow as pa

    log = path.with_name(f"{path.name}.wal")
    log.unlink(missing_ok=True)  # of a run that was killed
    try:
        with duckdb.connect(str(path), config={"memory_limit": "256MB", "threads": 1}) as connection:
            for table, named in tables.columns.items():
                connection.execute(_create(table, named, _DUCKDB))
            for table, rows in tables.rows(lines):
                named = tables.columns[table]
                types = [pa.type_for_alias(_ARROW.get(kind, kind)) for kind in named.values()]
                columns = [pa.array(v, t) for v, t in zip(zip(*rows, strict=True), types, strict=True)]
                connection.register("batch", pa.table(columns, names=list(named)))
                connection.execute(f"INSERT INTO {table} SELECT * FROM batch")
                connection.unregister("batch")
    except duckdb.Error as error:
        raise OSError(str(error)) from error
    finally:
        log.unlink(missing_ok=True)


def results(keep: Sequence[str] = ()) -> Tables:
    """The tables ``posts`` and ``sentences``.

    Args:
        keep: columns of the input that the lines have as well; text, between ``fix`` and ``json``.
    """
    kept = dict.fromkeys(keep, "string")
    posts = {name: kind for name, kind in POSTS.items() if name != "json"}
    columns = {"posts": {**posts, **kept, "json": "string"}, "sentences": SENTENCES}
    return Tables(columns, partial(_batches, keep=keep), ("sentences_of_post", "sentences", "post"))


def accounts() -> Tables:
    """The table ``accounts``."""
    columns = {name.replace(".", "_"): kind for name, kind in ACCOUNT_COLUMNS.items()} | {"json": "string"}
    return Tables({"accounts": columns}, _account_batches)


def _account_batches(lines: Iterable[str]) -> _Batches:
    for batch in batches(lines):
        yield "accounts", [(*flat_account(line).values(), line.rstrip("\n")) for line in batch]


def _create(table: str, named: Mapping[str, str], types: Mapping[str, str]) -> str:
    columns = ", ".join(
        '"{}" {}'.format(name.replace('"', '""'), types[kind]) for name, kind in named.items()
    )
    return f"CREATE TABLE {table} ({columns})"


def _batches(lines: Iterable[str], keep: Sequence[str]) -> _Batches:
    """Rows with the table that they are for, a batch at a time."""
    post = 0
    for batch in batches(lines):
        posts: list[_Row] = []
        sentences: list[_Row] = []
        for line in batch:
            post += 1
            posts.append((post, *flat(line, keep).values(), line.rstrip("\n")))
            for number, sentence in enumerate(json.loads(line).get("sentences", ()), 1):
                if sentence.get("grade") == "draft":  # a draft is not to be quoted
                    sentence |= dict.fromkeys(_QUOTED)
                fields = list(schema.SENTENCES)[2:]
                sentences.append((post, number, *(sentence[field] for field in fields)))
        yield "posts", posts
        if sentences:
            yield "sentences", sentences
