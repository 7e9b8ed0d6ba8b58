"""Posts in, a row at a time: JSONL, CSV, TSV, Parquet and plain text.

Rows are numbered from 1: lines of a JSONL or text file (blank lines count but hold no post), rows under the
header of a CSV or TSV file, rows of a Parquet file. A row that cannot be scored comes out as a `RowError` in
its place; only a file that cannot be read at all raises. An id is carried through and never used as a key:
ids may repeat, and a row without one gets its number.
"""

from __future__ import annotations

import codecs
import csv
import json
import math
import re
import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import chain, islice
from pathlib import Path
from typing import Any, BinaryIO
from uuid import UUID

from checker.errors import InputError
from checker.io.addresses import address_of
from checker.result import RowError

MAX_ROW_BYTES = 64 * 2**20
"""A longer line is an error record: it is a file of another format rather than a post."""

KEPT_BYTES = 2**16
"""Of such a line its beginning is kept, to be shown; of any other bad row all of it is."""

DEFAULT_TEXT, DEFAULT_ID = "text", "id"

_COMPRESSED = (b"\x1f\x8b\x08", b"PK\x03\x04", b"\x28\xb5\x2f\xfd", b"\xfd7zXZ")  # gzip, zip, zstd, xz
_BOMS = {  # those of UTF-32 first: one begins as one of UTF-16 does
    b"\xff\xfe\x00\x00": "UTF-32",
    b"\x00\x00\xfe\xff": "UTF-32",
    b"\xff\xfe": "UTF-16",
    b"\xfe\xff": "UTF-16",
}
_SEPARATOR = re.compile(r"\ufeff?\"?sep=(?P<mark>[^\r\n])\"?\r?\n?", re.IGNORECASE)  # Excel's first line
_DELIMITERS = ",;\t|"
_TITLE_LINES = 10
"""Of a table, below its first line, in which its header is looked for to say where it is."""

_QUOTING = 'Put cells that hold a delimiter, a quote or a line break in "quotes", and double quotes inside.'
_JSON_TYPES: dict[type, str] = {
    type(None): "null", bool: "true or false", int: "a number", float: "a number",
    list: "a list", dict: "an object", Decimal: "a number",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Post:
    """A row that can be scored."""

    id: str
    row: int
    text: str
    kept: Mapping[str, Any] | None = None  # columns that were asked for, as JSON can have them


@dataclass(frozen=True, slots=True)
class Record:
    """A row as it stands in the file; nothing of it was looked at but the id."""

    id: str
    row: int
    fields: Mapping[str, Any]
    raw: bytes | None = field(default=None, repr=False)  # None where the file is not made of lines


@dataclass(frozen=True, slots=True)
class _Columns:
    id: str
    required: Mapping[str, str]  # column → the option that names another one
    optional: Collection[str] = ()

    def check(self, names: list[str], path: Path) -> None:
        """Raise InputError unless the columns are there, once."""
        needed = dict(self.required) | ({self.id: "--id-column"} if self.id != DEFAULT_ID else {})
        for column in self.wanted(names):
            if names.count(column) > 1:
                raise InputError(f"{path} has more than one column {column!r}.", fix="Rename all but one.")
        for column, option in needed.items():
            if column not in names:
                known = ", ".join(map(repr, names[:10])) + (", …" if len(names) > 10 else "")
                raise InputError(f"{path} has no column {column!r}; it has {known}.", fix=f"Use {option}.")

    def wanted(self, names: Iterable[str]) -> list[str]:
        """Those of the columns that a file has."""
        ours = {self.id, *self.required, *self.optional}
        return [name for name in dict.fromkeys(names) if name in ours]


def read(
    path: str | Path,
    text_column: str = DEFAULT_TEXT,
    id_column: str = DEFAULT_ID,
    keep: Sequence[str] = (),
) -> Iterator[Post | RowError]:
    """Read the posts of a file.

    The file is opened and its header checked by the call; rows are read, one at a time, by the iteration.

    Args:
        path: a ``.jsonl``, ``.csv``, ``.tsv``, ``.parquet`` or ``.txt`` file (a post a line), or ``-`` for
            standard input: JSONL when its first character is ``{``, a post a line otherwise.
        text_column: the field or column with the text.
        id_column: the field or column with the id, a string or a whole number.
        keep: further fields or columns, which come with the post; a field that an object lacks is None.

    Yields:
        One item a row, in order.

    Raises:
        InputError: the file is missing or unreadable, its format is unknown, or a column is not there.
    """
    if keep and Path(path).suffix.lower() == ".txt":
        raise InputError(f"{path} has no columns that could be kept.", fix="Leave out --keep.")
    required = {text_column: "--text-column"} | {name: "--keep" for name in keep if name != text_column}
    rows = read_records(path, required, id_column=id_column)
    return (_post(row, text_column, keep) if isinstance(row, Record) else row for row in rows)


def read_records(
    path: str | Path,
    required: Mapping[str, str],
    optional: Collection[str] = (),
    id_column: str = DEFAULT_ID,
) -> Iterator[Record | RowError]:
    """Read the rows of a file with more columns than an id and a text; otherwise as `read`.

    Args:
        path: as for `read`; each line of a ``.txt`` file is the first of the required columns.
        required: columns without which a table cannot be read, with the option of the command line that
            names another one. A JSON object may lack them: see to that where its record is used.
        optional: further columns to read from a table; a JSON object keeps all its fields.
        id_column: the field or column with the id, a string or a whole number.

    Yields:
        One item a row, in order; values are as the format has them, so cells of CSV are strings.

    Raises:
        InputError: as `read`.
    """
    columns = _Columns(id_column, required, optional)
    if str(path) == "-":
        return _read_stdin(columns)
    if (address := address_of(path)) is not None:
        fix = "Download the file first, or send it through a pipe and give - for standard input."
        raise InputError(f"{address} is an address; only files on this machine can be read.", fix=fix)
    path = Path(path)
    kind = path.suffix.lower()
    if path.is_dir():
        fix = "Name a file in it; checker score --runner ray takes directories."
        raise InputError(f"{path} is a directory.", fix=fix)
    if path.exists() and not path.is_file():
        raise InputError(f"{path} is a pipe or a device.", fix="Redirect it, and give - for standard input.")
    if kind not in (".jsonl", ".csv", ".tsv", ".parquet", ".txt"):
        raise InputError(
            f"The format of {path} is unknown.",
            fix="Use .jsonl, .csv, .tsv, .parquet, .txt, or - for a pipe.",
        )
    if kind == ".parquet":
        return _read_parquet(path, columns)
    with reading(path):
        lines = _lines(path.open("rb"), path)
    if kind == ".jsonl":
        return _read_lines(lines, _json_row, columns)
    if kind == ".txt":
        return _read_lines(lines, _text_row, columns)
    return _read_csv(lines, path, columns)


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turn an error of the operating system into an `InputError` that names the file."""
    try:
        yield
    except OSError as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: Exception) -> InputError:
    problem = getattr(error, "strerror", None) or str(error).rstrip(".")
    return InputError(f"{path} cannot be read: {problem}.", fix="Check the path and the file.")


# Rows


def _bad(
    record: Record, error: str, fix: str, *, field: str | None = None, kept: Mapping[str, Any] | None = None
) -> RowError:
    raw = record.raw
    if raw is None:
        raw = json.dumps(record.fields, ensure_ascii=False, default=str).encode(errors="surrogateescape")
    raw = raw.removesuffix(b"\n").removesuffix(b"\r")
    return RowError(id=record.id, row=record.row, field=field, error=error, fix=fix, raw=raw, kept=kept)


def _record(
    row: int, fields: Mapping[str, Any], columns: _Columns, raw: bytes | None = None
) -> Record | RowError:
    name: Any = fields.get(columns.id)
    if isinstance(name, float) and name.is_integer() and abs(name) < 2**53:
        name = int(name)  # how a table with gaps in its whole numbers stores them
    if isinstance(name, Decimal) and name.is_finite() and name == name.to_integral_value():
        name = int(name)
    if isinstance(name, UUID):
        name = str(name)
    if isinstance(name, int) and not isinstance(name, bool):
        name = str(name)
    if name is not None and (problem := problem_of(name)):
        fix = "Make it a string or a whole number, in UTF-8."
        return _bad(Record(str(row), row, fields, raw), f"The id {problem}.", fix, field=columns.id)
    return Record(str(name or row), row, fields, raw)


def _post(record: Record, column: str, keep: Sequence[str] = ()) -> Post | RowError:
    kept = {name: _plain(record.fields.get(name)) for name in keep} if keep else None
    if column not in record.fields:
        fix = "Add the field, or name another one with --text-column."
        return _bad(record, "There is no text.", fix, field=column, kept=kept)
    if problem := problem_of(record.fields[column]):
        fix = "Give the text as a string, in UTF-8, not cut inside a character."
        return _bad(record, f"The text {problem}.", fix, field=column, kept=kept)
    return Post(record.id, record.row, record.fields[column], kept)


def _plain(value: Any) -> Any:
    """A value as JSON can have it: times, dates and what else a table may hold as text."""
    if isinstance(value, str):
        return value.encode(errors="replace").decode()
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return json.loads(json.dumps(value, default=str, allow_nan=True), parse_constant=lambda _: None)


def problem_of(value: object) -> str | None:
    """What keeps a value from being text: its type, bytes that were not UTF-8, or lone surrogates."""
    if not isinstance(value, str):
        return f"is {_kind(value)}"
    try:
        value.encode()
    except UnicodeEncodeError as error:
        return f"is not valid Unicode at character {error.start + 1}"
    return None


def _kind(value: object) -> str:
    return _JSON_TYPES.get(type(value), type(value).__name__)


def _unread(row: int, raw: bytes, error: str, fix: str) -> RowError:
    """A row of which not even the id could be read."""
    return _bad(Record(str(row), row, {}, raw), error, fix)


def _too_long(row: int, raw: bytes) -> RowError:
    problem = f"The row is longer than {MAX_ROW_BYTES // 2**20} MiB."
    return _unread(row, raw[:KEPT_BYTES], problem, "Check that the file has one post a row.")


# Lines


def _lines(stream: BinaryIO, path: Path) -> Iterator[bytes]:
    """Lines without the byte order mark, none much longer than MAX_ROW_BYTES: the rest of it is dropped.

    A file without a line feed whose lines end in carriage returns, as on old Macs, is read as well.
    """

    def bounded() -> Iterator[bytes]:
        with reading(path), stream:
            line = stream.readline(MAX_ROW_BYTES + 1)
            if b"\r" in line and not line.endswith(b"\n"):
                yield from _returns(line, stream)
                return
            while line:
                yield line
                while len(line) > MAX_ROW_BYTES and not line.endswith(b"\n"):
                    line = stream.readline(MAX_ROW_BYTES + 1)
                line = stream.readline(MAX_ROW_BYTES + 1)

    lines = bounded()
    first = next(lines, b"")
    if encoding := _encoding(first):
        fix = f"Save it as UTF-8, for example: iconv -f {encoding} -t UTF-8 OLD > NEW"
        raise InputError(f"{path} is {encoding}.", fix=fix)
    if first.startswith(_COMPRESSED):
        fix = "Unpack it, or send it through a pipe: zcat FILE | checker score -"
        raise InputError(f"{path} is compressed.", fix=fix)
    return chain([first.removeprefix(codecs.BOM_UTF8)], lines)


def _returns(begun: bytes, stream: BinaryIO) -> Iterator[bytes]:
    """Lines that end in a carriage return, as if they ended in a line feed."""
    dropping = False
    while begun:
        *lines, rest = begun.split(b"\r")
        for line in lines:
            if not dropping:
                yield line + b"\n"
            dropping = False
        if len(rest) > MAX_ROW_BYTES:
            if not dropping:
                yield rest
            dropping, rest = True, b""
        more = stream.read(2**20)
        if not more and rest and not dropping:
            yield rest
        begun = rest + more if more else b""


def _encoding(first: bytes) -> str | None:
    """UTF-16 or UTF-32, by the mark or by the zeros and scripts that every other byte names."""
    for mark, encoding in _BOMS.items():
        if first.startswith(mark):
            return encoding
    sample = first[:4096]
    if len(sample) < 8:
        return None
    names = [sum(byte < 9 for byte in sample[n::4]) / len(sample[n::4]) >= 0.9 for n in range(4)]
    if sum(names) == 3 or names in ([True, True, False, False], [False, False, True, True]):
        return "UTF-32BE" if names[0] else "UTF-32LE"
    if names in ([True, False] * 2, [False, True] * 2):
        return "UTF-16BE" if names[0] else "UTF-16LE"
    return None


def _read_lines(
    lines: Iterable[bytes], parse: Callable[[int, bytes, _Columns], Record | RowError], columns: _Columns
) -> Iterator[Record | RowError]:
    for row, line in enumerate(lines, 1):
        if len(line) > MAX_ROW_BYTES:
            yield _too_long(row, line)
        elif line.strip():
            yield parse(row, line, columns)


def _read_stdin(columns: _Columns) -> Iterator[Record | RowError]:
    lines = _lines(sys.stdin.buffer, Path("-"))
    blank: list[bytes] = []
    for line in lines:
        if line.strip():
            if _is_array(line):
                fix = "Write an object a line, for example with: jq -c '.[]'"
                raise InputError("Standard input is a JSON array.", fix=fix)
            parse = _json_row if line.lstrip().startswith(b"{") else _text_row
            yield from _read_lines(chain(blank, [line], lines), parse, columns)
        blank.append(b"")


def _is_array(line: bytes) -> bool:
    """Whether a line begins a JSON array; a post may begin with a bracket, too."""
    if re.match(rb"\s*\[\s*(?:\{|$)", line):
        return True
    try:
        return line.lstrip().startswith(b"[") and isinstance(json.loads(line), list)
    except (ValueError, RecursionError):
        return False


def _json_row(row: int, line: bytes, columns: _Columns) -> Record | RowError:
    try:
        record = json.loads(line.decode(errors="surrogateescape"), strict=False)
    except json.JSONDecodeError as error:
        problem = f"The line is not JSON: {error.msg} at character {error.pos + 1}."
    except (ValueError, RecursionError) as error:
        problem = f"The line is not JSON that can be read: {error}."
    else:
        if isinstance(record, dict):
            return _record(row, record, columns, line)
        problem = f"The line is {_kind(record)}, not an object."
    example = json.dumps({DEFAULT_ID: "1"} | dict.fromkeys(columns.required, "…"), ensure_ascii=False)
    return _unread(row, line, problem, f"Write an object a line, such as {example}.")


def _text_row(row: int, line: bytes, columns: _Columns) -> Record | RowError:
    text = line.decode(errors="surrogateescape").removesuffix("\n").removesuffix("\r")
    return _record(row, {next(iter(columns.required)): text}, columns, line)


# Tables


def _read_csv(lines: Iterator[bytes], path: Path, columns: _Columns) -> Iterator[Record | RowError]:
    csv.field_size_limit(MAX_ROW_BYTES)
    first = next(lines, b"").decode(errors="surrogateescape")
    delimiter = "\t" if path.suffix.lower() == ".tsv" else None
    above = 0  # lines above the header
    if named := _SEPARATOR.fullmatch(first):
        delimiter, above = named["mark"], 1
        first = next(lines, b"").decode(errors="surrogateescape")
    delimiter = delimiter or _delimiter(first, columns)
    taken: list[bytes] = []  # lines of the row that is being read

    def decoded() -> Iterator[str]:
        yield first
        for line in lines:
            taken.append(line)
            yield line.decode(errors="surrogateescape")

    reader = csv.reader(decoded(), delimiter=delimiter, strict=True)
    header, problem = [], "its first line is empty"
    try:
        header = next(reader, [])
    except csv.Error as error:
        problem = _csv_problem(error)
    if not header:
        raise InputError(f"{path} has no header: {problem}.", fix="Name the columns in its first line.")
    if not _is_header(header, columns):
        _check_title(lines, path, columns)
    columns.check(header, path)

    def rows() -> Iterator[Record | RowError]:
        row = 0
        while True:
            taken.clear()
            start = reader.line_num + 1 + above
            try:
                cells = next(reader)
                problem = f"{len(cells)} columns under a header of {len(header)}"
            except StopIteration:
                return
            except csv.Error as error:
                cells, problem = [], _csv_problem(error)
            else:
                if not cells:
                    continue  # a blank line is no row
            row += 1
            raw = b"".join(taken)
            if any(len(line) > MAX_ROW_BYTES for line in taken):
                yield _too_long(row, raw)
            elif len(cells) == len(header):
                yield _record(row, dict(zip(header, cells, strict=True)), columns, raw)
            else:
                end = reader.line_num + above
                where = f"line {start}" if start >= end else f"lines {start} to {end}"
                yield _unread(row, raw, f"The columns are wrong in {where}: {problem}.", _QUOTING)

    return rows()


def _is_header(cells: Collection[str], columns: _Columns) -> bool:
    return all(column in cells for column in columns.required)


def _cells(line: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error:
        return []


def _delimiter(header: str, columns: _Columns) -> str:
    """The one that makes the columns: Excel writes semicolons where the comma is the decimal sign."""
    fitting = [mark for mark in _DELIMITERS if _is_header(_cells(header, mark), columns)]
    return max(fitting or _DELIMITERS, key=header.count)


def _check_title(lines: Iterator[bytes], path: Path, columns: _Columns) -> None:
    """Raise InputError if the header stands further down."""
    for number, line in enumerate(islice(lines, _TITLE_LINES), 2):
        text = line.decode(errors="surrogateescape")
        if any(_is_header(_cells(text, mark), columns) for mark in _DELIMITERS):
            raise InputError(
                f"The columns of {path} are named in line {number}, not in its first line.",
                fix="Delete the lines above it.",
            )


def _csv_problem(error: csv.Error) -> str:
    """What is wrong, without advice for programmers."""
    if "new-line character" in str(error):
        return "a carriage return outside of quotes"
    return str(error)


def _read_parquet(path: Path, columns: _Columns) -> Iterator[Record | RowError]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(path, buffer_size=2**20, pre_buffer=False)  # no whole row groups
    except (OSError, pa.ArrowException) as error:
        raise _unreadable(path, error) from error
    columns.check(file.schema_arrow.names, path)
    wanted = columns.wanted(file.schema_arrow.names)

    def rows() -> Iterator[Record | RowError]:
        row = 0
        with file:
            try:
                for batch in file.iter_batches(64, columns=wanted):
                    for cells in zip(*(batch.column(name) for name in wanted), strict=True):
                        row += 1
                        fields = dict(zip(wanted, map(_value, cells), strict=True))
                        if isinstance(fields.get(columns.id), bytes):
                            fields[columns.id] = UUID(bytes=fields[columns.id])
                        yield _record(row, fields, columns)
            except (OSError, pa.ArrowException) as error:
                raise _unreadable(path, error) from error

    return rows()


def _value(scalar: Any) -> Any:
    """A cell as JSON would have it; bytes and broken UTF-8 as text with escaped surrogates."""
    import pyarrow as pa

    if isinstance(scalar, pa.DictionaryScalar):
        scalar = scalar.value
    if isinstance(scalar, pa.FixedSizeBinaryScalar) and scalar.is_valid and scalar.type.byte_width == 16:
        try:
            return scalar.as_py().decode()
        except UnicodeDecodeError:
            return scalar.as_py()  # a UUID, as older files have them
    if isinstance(scalar, pa.BinaryScalar) and scalar.is_valid:  # strings are of this class too
        return bytes(scalar.as_buffer()).decode(errors="surrogateescape")
    return scalar.as_py()
