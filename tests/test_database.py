"""Any row passes every reader and writer; the databases are typed, and the documented queries run."""

from __future__ import annotations

import csv
import io
import json
import re
import sqlite3
import subprocess
import sys
import tempfile
import tracemalloc
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_batch import StandIn

from checker.errors import OutputError
from checker.io.database import POSTS, SENTENCES
from checker.io.read import problem_of
from checker.io.table import COLUMNS
from checker.io.write import check_output, escape_formula, write
from checker.result import Language, Reason, Result, RoundTrip, RowError, Sentence
from checker.runs.local import score_file

DOCS = Path(__file__).parents[1] / "docs"
DATABASES = [".sqlite", ".duckdb"]


def run_query(path: Path, query: str) -> list[tuple[object, ...]]:
    if path.suffix == ".duckdb":
        import duckdb

        with duckdb.connect(str(path), read_only=True) as connection:
            return connection.execute(query).fetchall()
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(query).fetchall()


# Any row, through every reader and every writer


class Echo(StandIn):
    """Gives the text back: as the only sentence, and as the only reason."""

    def score_many(self, texts: Iterable[str], ids: Iterable[str] | None = None) -> Iterator[Result]:
        assert ids is not None
        for id, text in zip(ids, texts, strict=True):
            sentence = Sentence(text=text, start=0, end=len(text), language=None)
            yield Result(
                id=id, verdict="uncertain", language=Language(code="ar", confidence=1.0),
                sentences=(sentence,), reasons=(Reason(kind="style", text=text),), models={}, version="0",
            )  # fmt: skip


PARTS = [
    "", "\n", "\r\n", "\r", '"', "'", ",", ";", "\t", "\x00", "\x1a", "=1", "\u202e", "שלום", "مرحبا",
    "\u2028", "\ufeff", "👩\u200d👩\u200d👧", "e\u0301", "\\", "\\n", "<b>", "\x85",
]  # fmt: skip
TEXT = st.lists(st.sampled_from(PARTS) | st.text(max_size=5)).map("".join)
SURROGATE = st.sampled_from(["\ud83d", "a\udcffb", "\ude00\ud83d"])
ROWS = st.lists(st.tuples(TEXT.filter(bool), TEXT | SURROGATE), min_size=1, max_size=8)


def write_source(rows: list[tuple[str, str]], path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    if path.suffix == ".jsonl":
        path.write_text("".join(json.dumps({"id": id, "text": text}) + "\n" for id, text in rows))
    elif path.suffix == ".parquet":
        columns = [
            [cell.encode(errors="surrogatepass") for cell in column] for column in zip(*rows, strict=True)
        ]
        pq.write_table(pa.table(columns, names=["id", "text"]), path)
    else:
        buffer = io.StringIO(newline="")
        delimiter = "\t" if path.suffix == ".tsv" else ","
        csv.writer(buffer, delimiter=delimiter, quoting=csv.QUOTE_ALL).writerows([("id", "text"), *rows])
        path.write_bytes(buffer.getvalue().encode(errors="surrogatepass"))


def read_output(path: Path) -> list[tuple[object, ...]]:
    """Id and text of every row; the text of a bad row is None."""
    import pyarrow.parquet as pq

    query = "SELECT posts.id, sentences.text FROM posts LEFT JOIN sentences USING (post) ORDER BY post"
    if path.suffix == ".jsonl":
        rows = [json.loads(line) for line in path.read_text("utf-8").split("\n")[:-1]]
        return [(row["id"], row["sentences"][0]["text"] if "sentences" in row else None) for row in rows]
    if path.suffix == ".parquet":
        return [(row["id"], row["reasons"]) for row in pq.read_table(path).to_pylist()]
    if path.suffix in DATABASES:
        return run_query(path, query)
    with path.open(encoding="utf-8-sig", newline="") as file:
        found = csv.DictReader(file, delimiter="\t" if path.suffix == ".tsv" else ",")
        return [(row["id"], None if row["error"] else row["reasons"]) for row in found]


@pytest.mark.parametrize("target", [".jsonl", ".csv", ".tsv", ".parquet", ".sqlite", ".duckdb"])
@settings(max_examples=20, deadline=None)
@given(rows=ROWS, suffix=st.sampled_from([".jsonl", ".csv", ".tsv", ".parquet"]))
def test_ids_and_texts_pass_every_reader_and_writer(
    target: str, rows: list[tuple[str, str]], suffix: str
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        source, output = Path(folder, f"posts{suffix}"), Path(folder, f"out{target}")
        write_source(rows, source)
        summary = score_file(Echo(), source, output)
        kept = escape_formula if target in (".csv", ".tsv") else str
        named = "style: " if target in (".csv", ".tsv", ".parquet") else ""  # a cell of reasons
        expected = [(kept(id), None if problem_of(text) else named + text) for id, text in rows]
        assert read_output(output) == expected
        assert summary.errors == sum(text is None for _, text in expected)


@pytest.mark.parametrize(
    "target",
    [
        ".jsonl",
        pytest.param(".parquet", marks=pytest.mark.slow),
        pytest.param(".sqlite", marks=pytest.mark.slow),
    ],
)
def test_memory_does_not_grow_with_the_file(tmp_path: Path, target: str) -> None:
    def peak(count: int) -> int:
        source = tmp_path / "posts.jsonl"
        source.write_text(f'{{"text": "{"x" * 5000}"}}\n' * count)
        tracemalloc.start()
        try:
            score_file(Echo(), source, tmp_path / f"out{target}")
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak(64)  # imports
    assert peak(9000) < 1.1 * peak(3000)  # both more than two batches


# Databases

TRIP = RoundTrip(
    pivot="en", chrf=61.5, bleu=40.0, ter=30.0, log_likelihood=-1.5, gap=0.25, signature="s"
)  # fmt: skip
POST = Result(
    id="a", verdict="machine_translated", machine_translated=0.97, fluency=0.125,
    language=Language(code="ru", confidence=0.99, mixed=False), round_trip=TRIP, style=2.5,
    sentences=(
        Sentence(
            text="Первая.", start=0, end=7, language="ru", machine_translated=0.5, chrf=61.5, reliable=True,
        ),
        Sentence(text="Вторая.", start=8, end=15, language="ru", pivot_text="The second.", reliable=False),
    ),
    reasons=(Reason(kind="style", text="first"), Reason(kind="threshold", text="second")),
    models={"profile": "embedded"}, version="0.1.0",
)  # fmt: skip
SCORES = [
    POST,
    RowError(id="a", row=2, field="text", error="There is no text.", fix="Add it."),
    POST.model_copy(update={"id": "b", "verdict": "uncertain", "machine_translated": 0.6}),
    Result(
        id="c", verdict="human_written", machine_translated=0.04,
        language=Language(code="uk", confidence=1.0), models={}, version="0.1.0",
    ),
]  # fmt: skip


@pytest.fixture(params=DATABASES)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path = tmp_path / f"out{request.param}"
    write((outcome.to_json() for outcome in SCORES), path)
    assert list(tmp_path.iterdir()) == [path]
    return path


def test_posts_have_the_columns_of_a_table_and_the_record(database: Path) -> None:
    assert [name.replace(".", "_") for name in COLUMNS] == list(POSTS)[1:-1]
    rows = [
        dict(zip(POSTS, row, strict=True)) for row in run_query(database, "SELECT * FROM posts ORDER BY post")
    ]
    assert [(row["post"], row["id"]) for row in rows] == [(1, "a"), (2, "a"), (3, "b"), (4, "c")]
    assert [row["machine_translated"] for row in rows] == [0.97, None, 0.6, 0.04]
    assert (rows[0]["round_trip_log_likelihood"], rows[0]["language_mixed"], rows[0]["sentences"]) == (
        -1.5,
        0,
        2,
    )
    assert (rows[1]["verdict"], rows[1]["row"], rows[1]["error"]) == (None, 2, "There is no text.")
    assert rows[0]["reasons"] == "style: first | threshold: second"
    assert Result.model_validate_json(str(rows[0]["json"])) == POST


def test_sentences_have_every_scalar_of_a_sentence(database: Path) -> None:
    scalars = [name for name in Sentence.model_fields if name not in ("differences", "words", "broken")]
    renamed = {"start": "start_offset", "end": "end_offset", "pivot": "pivot_language"}
    assert list(SENTENCES) == ["post", "sentence", *(renamed.get(name, name) for name in scalars)]
    rows = run_query(database, "SELECT * FROM sentences ORDER BY post, sentence")
    assert [row[:5] for row in rows] == [
        (post, number, text, start, start + 7)
        for post in (1, 3)
        for number, text, start in ((1, "Первая.", 0), (2, "Вторая.", 8))
    ]
    first, second = (dict(zip(SENTENCES, row, strict=True)) for row in rows[:2])
    assert (first["machine_translated"], first["chrf"], first["reliable"]) == (0.5, 61.5, 1)
    assert (second["machine_translated"], second["pivot_text"], second["reliable"]) == (
        None,
        "The second.",
        0,
    )


def test_columns_are_typed(database: Path) -> None:
    table = "pragma_table_info('posts')"
    types = dict(run_query(database, f"SELECT name, type FROM {table}"))
    sqlite = database.suffix == ".sqlite"
    assert types["machine_translated"] == ("REAL" if sqlite else "DOUBLE")
    assert types["row"] == ("INTEGER" if sqlite else "BIGINT")
    assert types["language_mixed"] == ("INTEGER" if sqlite else "BOOLEAN")
    assert types["verdict"] == ("TEXT" if sqlite else "VARCHAR")


def test_no_results_are_two_empty_tables(tmp_path: Path) -> None:
    for suffix in (*DATABASES, ".db"):
        write([], tmp_path / f"out{suffix}")
        assert run_query(tmp_path / f"out{suffix}", "SELECT count(*) FROM posts, sentences") == [(0,)]


def test_many_rows_are_written_in_batches(tmp_path: Path) -> None:
    for suffix in DATABASES:
        path = tmp_path / f"out{suffix}"
        write((POST.model_copy(update={"id": str(n)}).to_json() for n in range(2500)), path)
        assert run_query(path, "SELECT count(*), max(post) FROM posts WHERE id = post - 1") == [(2500, 2500)]
        assert run_query(path, "SELECT count(*), max(post) FROM sentences") == [(5000, 2500)]


def test_a_database_that_fails_leaves_the_old_one(tmp_path: Path) -> None:
    def lines() -> Iterator[str]:
        yield POST.to_json()
        raise OSError(28, "No space left on device")

    for suffix in DATABASES:
        path = tmp_path / f"out{suffix}"
        path.write_text("old")
        with pytest.raises(OutputError, match="No space left"):
            write(lines(), path)
        assert path.read_text() == "old"
    assert len(list(tmp_path.iterdir())) == 2


def test_what_a_killed_run_left_is_no_hindrance(database: Path) -> None:
    for ending in (".tmp", ".tmp.wal"):
        database.with_name(database.name + ending).write_bytes(b"torn")
    write([POST.to_json()], database)
    assert run_query(database, "SELECT count(*) FROM posts") == [(1,)]


FULL = """
import resource, sys
from pathlib import Path
from checker.errors import OutputError
from checker.io.write import write
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]),) * 2)
line = Path(sys.argv[1]).read_text()
try:
    write((line.replace('"id":"a"', f'"id":"{n}"') for n in range(8000)), Path(sys.argv[2]))
except OutputError as error:
    print(error)
"""


@pytest.mark.parametrize("size", [4096, 65536])
@pytest.mark.parametrize("suffix", [*DATABASES, ".jsonl", ".parquet"])
def test_a_file_that_cannot_grow_is_an_error_that_names_it(tmp_path: Path, suffix: str, size: int) -> None:
    (tmp_path / "line").write_text(POST.to_json())
    command = [sys.executable, "-c", FULL, tmp_path / "line", tmp_path / f"out{suffix}", str(size)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert f"out{suffix} cannot be written" in done.stdout
    assert [path.name for path in tmp_path.iterdir()] == ["line"]


def test_without_duckdb_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("checker.io.write.find_spec", lambda name: None)
    with pytest.raises(OutputError, match=r"pip install \"statement-checker\[duckdb\]\""):
        check_output(tmp_path / "out.duckdb", "posts.jsonl")
    check_output(tmp_path / "out.sqlite", "posts.jsonl")


def test_the_documented_queries_run(database: Path) -> None:
    queries = re.findall(r"```sql\n(.*?)```", (DOCS / "databases.md").read_text("utf-8"), re.DOTALL)
    by_language, suspicious, not_back = (run_query(database, query) for query in queries)
    assert by_language == [("ru", 2, 1, 50.0), ("uk", 1, 0, 0.0)]
    assert suspicious == [("a", 1, "Первая.", 0.5)]
    assert not_back == [("There is no text.", "text", 1, 2)]
