"""Readers lose no row and raise for none; writers keep every value and harm no spreadsheet."""

from __future__ import annotations

import csv
import io
import json
import re
import sys
import tempfile
import tracemalloc
import uuid
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from checker.errors import InputError, OutputError
from checker.io.read import _COMPRESSED, Post, _encoding, read
from checker.io.table import COLUMNS, flat, nested, to_pandas
from checker.io.write import check_output, write
from checker.result import Language, Reason, Result, RoundTrip, RowError


def read_bytes(data: bytes, suffix: str, **columns: str) -> list[Post | RowError]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"posts{suffix}")
        path.write_bytes(data)
        return list(read(path, **columns))


def texts(rows: list[Post | RowError]) -> list[str]:
    assert all(isinstance(row, Post) for row in rows), rows
    return [row.text for row in rows if isinstance(row, Post)]


# JSONL


def test_jsonl_keeps_ids_texts_and_line_numbers() -> None:
    data = '{"id": "a", "text": "один"}\n\n{"id": 7, "text": "دو"}\r\n{"text": "\u2028three\u0085"}'.encode()
    assert read_bytes(data, ".jsonl") == [
        Post("a", 1, "один"),
        Post("7", 3, "دو"),
        Post("4", 4, "\u2028three\u0085"),
    ]


@pytest.mark.parametrize(
    ("line", "id", "field", "problem"),
    [
        (b'{"id": "a"}', "a", "text", "no text"),
        (b'{"id": "a", "text": null}', "a", "text", "null"),
        (b'{"id": "a", "text": 5}', "a", "text", "a number"),
        (b'{"id": "a", "text": ["b"]}', "a", "text", "a list"),
        (b'{"id": "a", "text": "caf\xe9"}', "a", "text", "not valid Unicode at character 4"),
        (b'{"id": "a", "text": "\\ud83d"}', "a", "text", "not valid Unicode at character 1"),
        (b'{"id": "\xff", "text": "b"}', "1", "id", "not valid Unicode"),
        (b'{"id": {"b": 1}, "text": "b"}', "1", "id", "an object"),
        (b'{"id": true, "text": "b"}', "1", "id", "true or false"),
        (b'{"id": "a", "text": "b"', "1", None, "not JSON"),
        (b"[1, 2]", "1", None, "a list, not an object"),
        (b"null", "1", None, "null, not an object"),
        (b"[" * 100_000, "1", None, "not JSON"),
        (b'{"id": ' + b"9" * 5000 + b', "text": "b"}', "1", None, "not JSON"),
    ],
)
def test_bad_json_row_is_an_error_in_its_place(line: bytes, id: str, field: str | None, problem: str) -> None:
    bad, good = read_bytes(line + b'\n{"id": "next", "text": "fine"}\n', ".jsonl")
    assert isinstance(bad, RowError)
    assert (bad.id, bad.row, bad.field) == (id, 1, field)
    assert problem in bad.error
    assert bad.fix
    assert good == Post("next", 2, "fine")


def test_hostile_texts_pass_unchanged() -> None:
    hostile = ["", " ", "a\x00b\x1b[31m", "\u202eoverride", "😀" * 10_000, "<script>", "x" * 5_000_000]
    lines = [json.dumps({"text": text}) for text in hostile]
    assert texts(read_bytes("\n".join(lines).encode(), ".jsonl")) == hostile


def test_invalid_bytes_outside_of_text_and_id_do_no_harm() -> None:
    assert texts(read_bytes(b'{"text": "fine", "author": "\xff"}', ".jsonl")) == ["fine"]


@pytest.mark.parametrize(("given", "id"), [("", "1"), (None, "1"), (3, "3"), (3.0, "3"), ("3", "3")])
def test_what_becomes_of_an_id(given: object, id: str) -> None:
    assert read_bytes(json.dumps({"id": given, "text": "a"}).encode(), ".jsonl") == [Post(id, 1, "a")]


def test_an_id_that_lost_digits_as_a_float_is_refused() -> None:
    (row,) = read_bytes(b'{"id": 1.7e18, "text": "a"}', ".jsonl")
    assert isinstance(row, RowError)
    assert row.field == "id"


def test_byte_order_marks(tmp_path: Path) -> None:
    assert texts(read_bytes('\ufeff{"text": "a"}'.encode(), ".jsonl")) == ["a"]
    assert texts(read_bytes("\ufefftext,id\na,1\n".encode(), ".csv")) == ["a"]
    assert texts(read_bytes("\ufeffa".encode(), ".txt")) == ["a"]
    (tmp_path / "posts.csv").write_text("text\nпривет\n", "utf-16")
    with pytest.raises(InputError, match="UTF-16"):
        read(tmp_path / "posts.csv")


json_lines = st.one_of(
    st.binary().map(lambda data: data.replace(b"\n", b"")),
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
        lambda inner: (
            st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["id", "text", "x"]), inner)
        ),
    ).map(lambda value: json.dumps(value).encode()),
)


@given(st.lists(json_lines, max_size=20))
def test_no_jsonl_or_text_row_is_lost(lines: list[bytes]) -> None:
    data = b"\n".join(lines)
    if data.startswith(_COMPRESSED) or _encoding(
        re.split(b"\n" if b"\n" in data else b"\r", data)[0] + b"\n"
    ):
        return  # refused
    end = b"\n" if b"\n" in data else b"\r"
    expected = sum(bool(line.strip()) for line in data.removeprefix(b"\xef\xbb\xbf").split(end))
    for suffix in (".jsonl", ".txt"):
        rows = read_bytes(data, suffix)
        assert len(rows) == expected
        assert [row.row for row in rows] == sorted({row.row for row in rows})


# Text


def test_text_is_a_post_a_line() -> None:
    first, second, third = read_bytes(b"one\r\n\n  two, three\ncaf\xe9\n", ".txt")
    assert (first, second) == (Post("1", 1, "one"), Post("3", 3, "  two, three"))
    assert isinstance(third, RowError)
    assert third.row == 4


def test_an_endless_line_is_one_error_in_bounded_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("checker.io.read.MAX_ROW_BYTES", 2**20)
    for suffix, head, tail in (
        (".txt", b"", b"fine"),
        (".csv", b"text\n", b"fine"),
        (".jsonl", b"", b'{"text": "fine"}'),
    ):
        path = tmp_path / f"posts{suffix}"
        path.write_bytes(head + b"x" * 40 * 2**20 + b"\n" + tail)
        tracemalloc.start()
        bad, good = read(path)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert isinstance(bad, RowError)
        assert "longer than 1 MiB" in bad.error
        assert good == Post("2", 2, "fine")
        assert peak < 10 * 2**20


# CSV and TSV


def csv_bytes(rows: list[list[str]], delimiter: str = ",") -> bytes:
    buffer = io.StringIO()
    csv.writer(buffer, delimiter=delimiter).writerows(rows)
    return buffer.getvalue().encode()


@given(
    st.lists(
        st.tuples(st.text(st.characters(exclude_categories=["Cs"])), st.text("ab,;\"\n\r\t\x00' ")),
        max_size=20,
    )
)
def test_csv_and_tsv_give_back_what_was_written(cells: list[tuple[str, str]]) -> None:
    rows = [["text", "note"], *map(list, cells)]
    for suffix, delimiter in ((".csv", ","), (".csv", ";"), (".tsv", "\t")):
        assert texts(read_bytes(csv_bytes(rows, delimiter), suffix)) == [text for text, _ in cells]


@given(st.binary(max_size=300))
def test_csv_rows_never_raise(data: bytes) -> None:
    rows = read_bytes(b"id,text\n" + data, ".csv")
    assert [row.row for row in rows] == list(range(1, len(rows) + 1))
    assert len(rows) <= data.count(b"\n") + 1
    assert bool(rows) == bool(data.strip(b"\r\n"))


@given(st.lists(st.binary().map(lambda data: bytes(set(data) - set(b'\r\n"'))), max_size=20))
def test_without_quotes_every_csv_line_is_a_row(lines: list[bytes]) -> None:
    rows = read_bytes(b"\n".join([b"id,text", *lines]), ".csv")
    assert len(rows) == sum(bool(line) for line in lines)


def test_bad_csv_rows_are_errors_in_their_place() -> None:
    data = b'id,text\n1,fine\n2\n3,a,b\n\n4,"x"y\n5,caf\xe9\n6,"two\nlines"\n7,"never closed\n8,lost\n'
    rows = read_bytes(data, ".csv")
    assert rows[0] == Post("1", 1, "fine")
    assert rows[5] == Post("6", 6, "two\nlines")
    bad = {row.row: row for row in rows if isinstance(row, RowError)}
    assert sorted(bad) == [2, 3, 4, 5, 7]
    assert "line 3: 1 columns under a header of 2" in bad[2].error
    assert "3 columns" in bad[3].error
    assert "line 6" in bad[4].error
    assert (bad[5].id, bad[5].field) == ("5", "text")
    assert "lines 10 to 11" in bad[7].error


def test_a_five_megabyte_cell_is_a_post() -> None:
    assert texts(read_bytes(csv_bytes([["text"], ["я" * 2_500_000]]), ".csv")) == ["я" * 2_500_000]


@pytest.mark.parametrize("mark", [",", ";", "\t", "|"])
@pytest.mark.parametrize("first", ["", "sep={}\r\n", "\ufeffSEP={}\n", '"sep={}"\r\n'])
def test_csv_of_every_delimiter_with_and_without_the_first_line_of_excel(mark: str, first: str) -> None:
    data = (first.format(mark) + csv_bytes([["id", "text"], ["a", "один, два; три"]], mark).decode()).encode()
    assert read_bytes(data, ".csv") == [Post("a", 1, "один, два; три")]


def test_lines_are_counted_with_the_first_line_of_excel() -> None:
    good, bad = read_bytes(b"sep=;\nid;text\na;b\nc\n", ".csv")
    assert good == Post("a", 1, "b")
    assert isinstance(bad, RowError)
    assert "line 4" in bad.error


@pytest.mark.parametrize("title", ["Monitoring, October\n", "Monitoring;;\n\n", "posts of 5/2024\n"])
def test_a_title_above_the_header_is_named(title: str) -> None:
    line = title.count("\n") + 1
    with pytest.raises(InputError, match=f"named in line {line}") as caught:
        read_bytes(f"{title}id;text\n1;a\n".encode(), ".csv")
    assert caught.value.fix == "Delete the lines above it."


lines_of_text = st.lists(
    st.text(st.characters(codec="utf-8", exclude_characters="\r\n"), min_size=1), min_size=2
)


@given(lines_of_text)
def test_lines_may_end_in_carriage_returns(lines: list[str]) -> None:
    for end in ("\n", "\r\n", "\r"):
        posts = read_bytes(end.join(["posts", *lines, ""]).encode(), ".txt")
        assert texts(posts) == ["posts", *(line for line in lines if line.encode().strip())]
        objects = [json.dumps({"text": line}) for line in lines]
        assert texts(read_bytes(end.join(objects).encode(), ".jsonl")) == lines


def test_csv_of_carriage_returns_and_a_stray_one() -> None:
    assert read_bytes(b"id,text\ra,one\rb,two\r", ".csv") == [Post("a", 1, "one"), Post("b", 2, "two")]
    (row,) = read_bytes(b"id,text\na,one\rtwo\n", ".csv")
    assert isinstance(row, RowError)
    assert "carriage return" in row.error
    assert "newline=" not in row.error


def test_an_endless_line_among_carriage_returns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("checker.io.read.MAX_ROW_BYTES", 2**20)
    first, bad, last = read_bytes(b"one\r" + b"x" * 5 * 2**20 + b"\rfine", ".txt")
    assert (first, last) == (Post("1", 1, "one"), Post("3", 3, "fine"))
    assert isinstance(bad, RowError)
    assert "longer than" in bad.error


# Parquet


def parquet_bytes(**columns: pa.Array) -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.table(columns), sink)
    return sink.getvalue()


@pytest.mark.parametrize(
    "kind", [pa.string(), pa.large_string(), pa.binary(), pa.dictionary(pa.int32(), pa.string())]
)
def test_parquet_texts_of_every_string_type(kind: pa.DataType) -> None:
    column = pa.array(["один", "", None], pa.string()).cast(kind)
    first, second, null = read_bytes(parquet_bytes(text=column, id=pa.array([10, None, 12])), ".parquet")
    assert (first, second) == (Post("10", 1, "один"), Post("2", 2, ""))
    assert isinstance(null, RowError)
    assert (null.id, null.row, null.field) == ("12", 3, "text")


def test_parquet_with_invalid_utf8_numbers_and_float_ids() -> None:
    broken = pa.array([b"fine", b"caf\xe9"], pa.binary()).view(pa.string())
    good, bad = read_bytes(parquet_bytes(text=broken, id=pa.array([1.0, 2.0])), ".parquet")
    assert good == Post("1", 1, "fine")
    assert isinstance(bad, RowError)
    assert (bad.id, bad.field) == ("2", "text")
    (number,) = read_bytes(parquet_bytes(text=pa.array([5])), ".parquet")
    assert isinstance(number, RowError)
    assert "a number" in number.error


def test_parquet_with_decimal_and_uuid_ids() -> None:
    decimals = pa.array([Decimal("12.00"), Decimal("3.50")], pa.decimal128(10, 2))
    whole, broken = read_bytes(parquet_bytes(text=pa.array(["a", "b"]), id=decimals), ".parquet")
    assert whole == Post("12", 1, "a")
    assert isinstance(broken, RowError)
    assert "a number" in broken.error
    name = uuid.UUID("f81d4fae-7dec-11d0-a765-00a0c91e6bf6")
    stored = pa.array([name.bytes, None], pa.binary(16))
    for ids in stored, pa.ExtensionArray.from_storage(pa.uuid(), stored):
        rows = read_bytes(parquet_bytes(text=pa.array(["a", "b"]), id=ids), ".parquet")
        assert rows == [Post(str(name), 1, "a"), Post("2", 2, "b")]


# Files


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"])
@pytest.mark.parametrize(
    ("text", "suffix"),
    [
        ("id,text\n1,привет\n", ".csv"),
        ('{"text": "привет"}\n', ".jsonl"),
        ("Вода будет завтра.\n", ".txt"),
        ("The water is back.\n", ".txt"),
    ],
)
def test_the_encoding_is_named(encoding: str, text: str, suffix: str) -> None:
    name = encoding.upper().replace("-LE", "LE").replace("-BE", "BE")
    with pytest.raises(InputError, match=name) as caught:
        read_bytes(text.encode(encoding), suffix)
    assert f"iconv -f {name} -t UTF-8" in caught.value.fix


@given(st.text(), st.sampled_from([".txt", ".jsonl"]))
def test_utf8_is_not_taken_for_another_encoding(text: str, suffix: str) -> None:
    printable = "".join(c for c in text.splitlines()[0] if c.isprintable()) if text.splitlines() else ""
    assert _encoding(printable.encode()) is None


@pytest.mark.parametrize("path", ["s3://bucket/posts.jsonl", Path("s3://bucket/posts.jsonl")])
def test_an_address_is_no_file(path: str | Path) -> None:
    with pytest.raises(InputError, match=r"s3://bucket/posts\.jsonl is an address") as caught:
        read(path)
    assert "Download" in caught.value.fix


@pytest.mark.parametrize(
    "data", [b'[{"text": "a"}, {"text": "b"}]\n', b'\n[\n {"text": "a"}\n]\n', b'["a", "b"]']
)
def test_a_json_array_on_a_pipe_is_refused(data: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
    with pytest.raises(InputError, match="JSON array") as caught:
        list(read("-"))
    assert "jq -c" in caught.value.fix


def test_a_post_may_begin_with_a_bracket(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO("[Обновлено] Вода есть.\n".encode())))
    assert list(read("-")) == [Post("1", 1, "[Обновлено] Вода есть.")]


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "folder.jsonl").mkdir()
    (tmp_path / "posts.json").write_text("[]")
    (tmp_path / "empty.csv").touch()
    (tmp_path / "other.csv").write_text("body,author\na,b\n")
    (tmp_path / "twice.csv").write_text("text,text\na,b\n")
    (tmp_path / "broken.parquet").write_bytes(b"PAR1 no")
    pq.write_table(pa.table({"body": ["a"]}), tmp_path / "other.parquet")
    for name, problem in {
        "missing.jsonl": "No such file",
        "missing.parquet": "No such file",
        "folder.jsonl": "directory",
        "posts.json": "unknown",
        "empty.csv": "header",
        "other.csv": "no column 'text'; it has 'body', 'author'",
        "twice.csv": "more than one column 'text'",
        "broken.parquet": "cannot be read",
        "other.parquet": "no column 'text'; it has 'body'",
    }.items():
        with pytest.raises(InputError, match=problem) as caught:
            read(tmp_path / name)
        assert caught.value.fix
    with pytest.raises(InputError, match="'nr'"):
        read(tmp_path / "other.csv", text_column="body", id_column="nr")
    assert list(read(tmp_path / "other.csv", "body", "author")) == [Post("b", 1, "a")]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", []),
        (b'\n \n{"id": "a", "text": "b"}\n', [Post("a", 3, "b")]),
        (b"\nplain\ntext\n", [Post("2", 2, "plain"), Post("3", 3, "text")]),
    ],
)
def test_standard_input(data: bytes, expected: list[Post], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
    assert list(read("-")) == expected


def test_reading_is_streaming(tmp_path: Path) -> None:
    count, text = 10_000, "x" * 1000
    table = pa.table({"text": [text] * count})
    pq.write_table(table, tmp_path / "posts.parquet", use_dictionary=False, compression="none")
    del table
    (tmp_path / "posts.jsonl").write_text((json.dumps({"text": text}) + "\n") * count)
    (tmp_path / "posts.csv").write_text("text\n" + (text + "\n") * count)
    for path in tmp_path.iterdir():
        held = pa.total_allocated_bytes()
        tracemalloc.start()
        arrow = [pa.total_allocated_bytes() - held for _ in read(path)]
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert len(arrow) == count
        assert peak + max(arrow) < 6_000_000, path  # of 10 MB


# Output

RESULT = Result(
    id="1",
    verdict="machine_translated",
    machine_translated=0.93,
    language=Language(code="ru", confidence=0.99),
    round_trip=RoundTrip(
        pivot="en", chrf=61.2, bleu=33, ter=48.1, log_likelihood=-1.5, gap=0.5, signature="s"
    ),
    reasons=(Reason(kind="style", text="первая"), Reason(kind="threshold", text="second, with a comma")),
    models={"profile": "embedded"},
    version="0.1.0",
)
ERROR = RowError(id="2", row=2, field="text", error="There is no text.", fix="Add it.")


def test_jsonl_output_is_the_records(tmp_path: Path) -> None:
    write([RESULT.to_json(), ERROR.to_json()], tmp_path / "out.jsonl")
    assert (tmp_path / "out.jsonl").read_text("utf-8") == f"{RESULT.to_json()}\n{ERROR.to_json()}\n"


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".parquet"])
def test_tables_have_the_scalars_of_both_records(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"out{suffix}"
    write([RESULT.to_json(), ERROR.to_json()], path)
    if suffix == ".parquet":
        rows = pq.read_table(path).to_pylist()
        assert Result.model_validate_json(rows[0].pop("json")) == RESULT
        assert RowError.model_validate_json(rows[1].pop("json")) == ERROR
    else:
        assert path.read_bytes().startswith(b"\xef\xbb\xbf")
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file, delimiter="\t" if suffix == ".tsv" else ","))
    assert list(rows[0]) == list(COLUMNS)
    assert float(rows[0]["round_trip.log_likelihood"]) == -1.5
    assert rows[0]["language.code"] == "ru"
    assert rows[0]["reasons"] == "style: первая | threshold: second, with a comma"
    assert json.loads(rows[0]["models"]) == {"profile": "embedded"}
    assert int(rows[1]["row"]) == 2
    assert rows[1]["error"] == "There is no text."
    assert not rows[1]["verdict"]


@pytest.mark.parametrize("suffix", [".csv", ".tsv"])
def test_no_cell_is_a_formula(tmp_path: Path, suffix: str) -> None:
    ids = ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "＝1", "-100123", "plain"]
    path = tmp_path / f"out{suffix}"
    write([RESULT.model_copy(update={"id": id}).to_json() for id in ids], path)
    with path.open(encoding="utf-8-sig", newline="") as file:
        written = [row["id"] for row in csv.DictReader(file, delimiter="\t" if suffix == ".tsv" else ",")]
    assert written == [*(f"'{id}" for id in ids[:7]), "-100123", "plain"]


def test_outputs_that_cannot_be_written(tmp_path: Path) -> None:
    source = tmp_path / "posts.jsonl"
    source.touch()
    (tmp_path / "folder.csv").mkdir()
    for path, problem in {
        tmp_path / "out.xlsx": "unknown",
        tmp_path / "nowhere" / "out.csv": "no folder",
        source / "out.csv": "no folder",
        tmp_path / "folder.csv": "cannot be written",
        source: "is the input",
    }.items():
        with pytest.raises(OutputError, match=problem):
            check_output(path, source)
    check_output(tmp_path / "out.csv", source)


def test_a_failed_write_leaves_the_old_output(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    path.write_text("old")

    def lines():
        yield RESULT.to_json()
        raise OSError(28, "No space left on device")

    with pytest.raises(OutputError, match="No space left"):
        write(lines(), path)
    assert [file.name for file in tmp_path.iterdir()] == ["out.jsonl"]
    assert path.read_text() == "old"


def test_every_table_has_the_same_columns_of_the_same_types(tmp_path: Path) -> None:
    empty, one = to_pandas([]), to_pandas([RESULT, ERROR])
    assert list(empty.columns) == list(one.columns) == list(COLUMNS)
    assert (empty.dtypes == one.dtypes).all()
    write([RESULT.to_json(), ERROR.to_json()], tmp_path / "out.parquet")
    schema = pq.read_schema(tmp_path / "out.parquet")
    assert dict(zip(schema.names, map(str, schema.types), strict=True)) == {**COLUMNS, "json": "large_string"}
    stored = pq.read_table(tmp_path / "out.parquet").to_pylist()
    for ours, theirs in zip(one.to_dict("records"), stored, strict=True):
        assert {name: None if ours[name] is pd.NA else ours[name] for name in COLUMNS} == {
            name: theirs[name] for name in COLUMNS
        }


def test_a_row_of_a_table_is_the_record_again() -> None:
    record = json.loads(RESULT.to_json())
    record.pop("sentences")
    found = nested(flat(RESULT.to_json()))
    for reason in record["reasons"]:
        reason.pop("rank")  # a cell has kind and text
    for name, value in record.items():
        if value not in (None, [], {}, "") and not isinstance(value, dict):
            assert found[name] == value


def test_a_result_is_short_to_look_at() -> None:
    assert repr(RESULT) == str(RESULT)
    assert len(repr(RESULT)) < 160
    assert RESULT.verdict in repr(RESULT)
    hostile = RESULT.model_copy(update={"reasons": (Reason(kind="style", text="<script>alert(1)</script>"),)})
    assert "<script>" not in hostile._repr_html_()
    assert "&lt;script&gt;" in hostile._repr_html_()
