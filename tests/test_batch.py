"""A file is scored row for row, whatever is in it."""

from __future__ import annotations

import base64
import csv
import functools
import gzip
import io
import json
import logging
import os
import re
import sqlite3
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq
import pytest
from rich.console import Console

from checker import progress
from checker.errors import CheckerError, InputError, OutputError
from checker.io import read as input
from checker.io.read import Post
from checker.result import Language, Result, RowError, Warning
from checker.runs.local import CHUNK, Outcome, Scorer, Summary, score_chunks, score_file
from checker.runs.rejects import rejects_path

if TYPE_CHECKING:
    from checker.pipeline import Checker


class StandIn:
    """Scores by length; `style` is the position in the batch, so that other batches give other results."""

    arithmetic = None  # no model computes

    def __init__(self, pause: float = 0.0, stop_at: str | None = None) -> None:
        self.pause, self.stop_at, self.scored = pause, stop_at, 0

    def score_batches(self, batches: Iterable[Sequence[tuple[str, str]]]) -> Iterator[list[Result]]:
        for batch in batches:
            yield list(self.score_many([text for _, text in batch], [id for id, _ in batch]))

    def score_many(self, texts: Iterable[str], ids: Iterable[str] | None = None) -> Iterator[Result]:
        assert ids is not None
        for position, (id, text) in enumerate(zip(ids, texts, strict=True)):
            if id == self.stop_at:
                raise CheckerError("The device is gone. Plug it in.")
            time.sleep(self.pause)
            self.scored += 1
            probability = len(text) % 10 / 10 if text else None
            yield Result(
                id=id,
                verdict="not_scored"
                if not text
                else "machine_translated"
                if len(text) % 2
                else "human_written",
                machine_translated=probability,
                language=Language(code="ru" if text else None, confidence=0.5),
                style=float(position),
                warnings=() if text else (Warning(code="no_text", text="Not scored: empty."),),
                models={"profile": "stand-in"},
                version="0",
            )


def outcomes(scorer: Scorer, rows: Iterable[Post | RowError]) -> Iterator[Outcome]:
    return (outcome for chunk in score_chunks(scorer, rows) for outcome, _ in chunk)


def posts_file(folder: Path, count: int) -> Path:
    """JSONL in which every tenth row is bad."""
    path = folder / "posts.jsonl"
    rows = [{"id": f"p{n}", "text": "я" * (n % 7)} if n % 10 else {"id": f"p{n}"} for n in range(count)]
    path.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows), "utf-8")
    return path


def records(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_bytes().splitlines()]


def test_order_is_kept_with_errors_in_place() -> None:
    rows: list[Post | RowError] = [
        Post(str(n), n, "text") if n % 3 else RowError(id=str(n), row=n, field=None, error="e", fix="f")
        for n in range(1, 3 * CHUNK)
    ]
    found = list(outcomes(StandIn(), rows))
    assert [outcome.id for outcome in found] == [row.id for row in rows]
    assert [isinstance(outcome, RowError) for outcome in found] == [isinstance(row, RowError) for row in rows]


def test_rows_are_read_as_they_are_needed(checker: Checker) -> None:
    from checker.pipeline import AHEAD

    taken = 0

    def endless() -> Iterator[Post]:
        nonlocal taken
        while True:
            taken += 1
            yield Post(str(taken), taken, "")

    for scorer, ahead in ((StandIn(), 1), (checker, AHEAD)):
        taken = 0
        found = outcomes(scorer, endless())
        for _ in range(CHUNK + 1):
            next(found)
        assert 2 * CHUNK <= taken <= (2 + ahead) * CHUNK


HOSTILE = [
    "",
    "a\x00b\x1b[2J",
    "\u202eoverride",
    "😀" * 10_000,
    "<b>[red]",
    "=1+1",
    "line\nbreak",
    "x" * 5_000_000,
]


@pytest.mark.parametrize("suffix", [".jsonl", ".csv", ".tsv", ".txt", ".parquet"])
@pytest.mark.parametrize("target", [".jsonl", ".csv", ".tsv", ".parquet"])
def test_hostile_rows_of_every_format_end_to_end(tmp_path: Path, suffix: str, target: str) -> None:
    import pyarrow as pa  # here, for the processes that import the stand-in only
    import pyarrow.parquet as pq

    source, output = tmp_path / f"posts{suffix}", tmp_path / f"out{target}"
    bad = 1
    texts = HOSTILE
    if suffix == ".jsonl":
        source.write_bytes(
            b"\n".join([*(json.dumps({"text": t}).encode() for t in texts), b'{"text": "\xff"}'])
        )
    elif suffix == ".txt":
        texts = [text.replace("\n", " ") or "." for text in texts]
        source.write_bytes("\n".join(texts).encode() + b"\n\xff")
    elif suffix == ".parquet":
        pq.write_table(pa.table({"text": pa.array([t.encode() for t in texts] + [b"\xff"])}), source)
    else:
        with source.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, delimiter="\t" if suffix == ".tsv" else ",")
            writer.writerows([["text", "note"], *([text, ""] for text in texts), ["too few"]])

    seen: list[object] = []
    summary = score_file(StandIn(), source, output, on_outcome=seen.append)

    assert summary.rows == len(seen) == len(texts) + bad
    assert (summary.errors, summary.not_scored) == (bad, texts.count(""))
    assert summary.scored == sum(summary.verdicts.values()) - summary.not_scored
    assert isinstance(seen[-1], RowError)
    assert seen[-1].row == len(texts) + bad
    if target == ".jsonl":
        written = [str(row["id"]) for row in records(output)]
    elif target == ".parquet":
        written = pq.read_table(output)["id"].to_pylist()
    else:
        with output.open(encoding="utf-8-sig", newline="") as file:
            written = [row["id"] for row in csv.DictReader(file, delimiter="\t" if target == ".tsv" else ",")]
    assert written == [str(row) for row in range(1, summary.rows + 1)]
    rejects = tmp_path / f"{output.name}.rejects.jsonl"
    assert [reject["row"] for reject in records(rejects)] == [summary.rows]
    assert {path.name for path in tmp_path.iterdir()} == {source.name, output.name, rejects.name}


def test_a_run_that_fails_at_once_leaves_nothing_behind(tmp_path: Path) -> None:
    source = tmp_path / "posts.txt"
    source.write_text("one\ntwo\n")
    with pytest.raises(CheckerError):
        score_file(StandIn(stop_at="1"), source, tmp_path / "out.jsonl")
    assert list(tmp_path.iterdir()) == [source]


@pytest.mark.parametrize("target", [".jsonl", ".csv", ".tsv", ".parquet", ".sqlite", ".duckdb"])
@pytest.mark.parametrize(
    ("name", "content", "errors"),
    [
        ("empty.jsonl", b"", 0),
        ("blank.jsonl", b"\n \n\r\n", 0),
        ("header.csv", b"\xef\xbb\xbfid,text\r\n", 0),
        ("header.tsv", b"id\ttext", 0),
        ("bad.jsonl", b'{"id": "a"}\nnull\n', 2),
    ],
)
def test_no_good_row_is_no_problem(
    tmp_path: Path, name: str, content: bytes, errors: int, target: str
) -> None:
    (tmp_path / name).write_bytes(content)
    output = tmp_path / f"out{target}"
    summary = score_file(StandIn(), tmp_path / name, output)
    assert (summary.rows, summary.errors) == (errors, errors)
    assert output.exists()
    assert rejects_path(output).exists() == (errors > 0)


def test_ids_that_repeat_stay_apart(tmp_path: Path) -> None:
    source = tmp_path / "posts.jsonl"
    source.write_text('{"id": "a", "text": "one"}\n{"id": "a", "text": "three"}\n' * CHUNK)
    score_file(StandIn(), source, tmp_path / "out.jsonl")
    written = records(tmp_path / "out.jsonl")
    assert {str(row["id"]) for row in written} == {"a"}
    assert [row["style"] for row in written] == [float(n) for n in range(CHUNK)] * 2


@pytest.mark.slow
def test_a_row_of_fifty_megabytes_is_a_row(tmp_path: Path) -> None:
    source, output = tmp_path / "posts.jsonl", tmp_path / "out.parquet"
    with source.open("wb") as file:
        for huge in (b'{"id": "long", "text": "' + b"x" * 50_000_000 + b'"}', b"\0" * 5_000_000):
            file.writelines([b'{"id": "short", "text": "a"}\n', huge, b"\n"])
    summary = score_file(StandIn(), source, output)
    assert (summary.scored, summary.errors) == (3, 1)
    [reject] = records(rejects_path(output))
    assert reject["row"] == 4
    assert len(str(reject["raw"])) == 5_000_000


def test_mistakes_are_found_before_anything_is_scored(tmp_path: Path) -> None:
    source = posts_file(tmp_path, 3)
    scorer = StandIn()
    with pytest.raises(InputError):
        score_file(scorer, tmp_path / "missing.jsonl", tmp_path / "out.jsonl")
    with pytest.raises(OutputError):
        score_file(scorer, source, tmp_path / "nowhere" / "out.jsonl")
    (tmp_path / "out.jsonl.journal").mkdir()
    with pytest.raises(OutputError, match=r"out\.jsonl\.journal"):
        score_file(scorer, source, tmp_path / "out.jsonl")
    source.rename(tmp_path / "other.jsonl.rejects.jsonl")
    with pytest.raises(OutputError, match="is the input"):
        score_file(scorer, tmp_path / "other.jsonl.rejects.jsonl", tmp_path / "other.jsonl")
    assert scorer.scored == 0


def test_what_is_no_file_is_neither_read_nor_replaced(tmp_path: Path) -> None:
    source, pipe, folder = posts_file(tmp_path, 3), tmp_path / "pipe.jsonl", tmp_path / "folder.jsonl"
    os.mkfifo(pipe)
    folder.mkdir()
    scorer = StandIn()
    for path, what in ((pipe, "a pipe or a device"), (folder, "a directory")):
        with pytest.raises(InputError, match=f"{path.name} is {what}"):
            score_file(scorer, path, tmp_path / "out.jsonl")
        with pytest.raises(OutputError, match="it is a folder, a pipe or a device"):
            score_file(scorer, source, path)
    loop = tmp_path / "loop.jsonl"
    loop.symlink_to(loop)
    with pytest.raises(InputError, match=r"loop\.jsonl cannot be read"):
        score_file(scorer, loop, tmp_path / "out.jsonl")
    assert scorer.scored == 0
    assert {path.name for path in tmp_path.iterdir()} == {source.name, pipe.name, folder.name, loop.name}


def test_a_folder_that_may_not_be_written_is_found_out_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, folder, scorer = posts_file(tmp_path, 3), tmp_path / "folder", StandIn()
    folder.mkdir(mode=0o500)
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != folder)  # whoever runs this
    with pytest.raises(OutputError, match=r"out\.csv cannot be written\. Check its permissions"):
        score_file(scorer, source, folder / "out.csv")
    assert scorer.scored == 0


@pytest.mark.parametrize(
    "head", [gzip.compress(b'{"text": "a"}\n'), b"PK\x03\x04\x14\x00"], ids=("gzip", "zip")
)
def test_a_file_that_is_compressed_is_refused(tmp_path: Path, head: bytes) -> None:
    for name in ("posts.jsonl", "posts.csv", "posts.txt"):
        (tmp_path / name).write_bytes(head)
        with pytest.raises(InputError, match=f"{name} is compressed. Unpack it"):
            score_file(StandIn(), tmp_path / name, tmp_path / "out.jsonl")


def test_a_disk_that_fails_while_it_is_read_is_an_error_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Failing(io.BytesIO):
        def readline(self, size: int | None = -1, /) -> bytes:
            if self.tell():
                raise OSError(5, "Input/output error")
            return super().readline(size)

    source = posts_file(tmp_path, 3)
    content = source.read_bytes()
    monkeypatch.setattr(Path, "open", lambda *_: Failing(content))
    with pytest.raises(InputError, match=r"posts\.jsonl cannot be read: Input/output error"):
        list(input.read(source))


def test_progress_is_logged_where_no_bar_can_be_drawn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(progress, "LOG_EVERY", 0.0)
    source, output = posts_file(tmp_path, CHUNK + 3), tmp_path / "out.jsonl"
    with caplog.at_level(logging.INFO), progress.shown() as on_progress:
        score_file(StandIn(pause=1e-4), source, output, on_progress=on_progress)
    first, last = (message for message in caplog.messages if "rows" in message)
    assert re.fullmatch(rf"{CHUNK} of {CHUNK + 3} rows, \d+\.\d per second, 0:00:0\d left", first)
    assert re.fullmatch(rf"{CHUNK + 3} of {CHUNK + 3} rows, \d+\.\d per second, 0:00:00 left", last)


def test_a_bar_is_drawn_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = io.StringIO()
    monkeypatch.setattr(
        "rich.console.Console",
        functools.partial(Console, file=terminal, force_terminal=True, force_interactive=True, width=100),
    )
    with progress.progress(done=1000, total=2000) as advance:
        time.sleep(0.01)
        advance(500)
    drawn = terminal.getvalue()
    assert "1500/2000" in drawn
    assert "per second" in drawn


def test_the_steps_of_a_run_are_named(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(progress, "LOG_EVERY", 0.0)
    with caplog.at_level(logging.INFO), progress.steps() as step:
        scoring, judging = step("Scoring", "rows"), step("Judging", "accounts")
        scoring(0, 10)
        scoring(10, 10)
        judging(0, 20)
        judging(5, 20)
    first, last = caplog.messages
    assert first.startswith("10 of 10 rows, ")
    assert last.startswith("Judging: 5 of 20 accounts, ")


def test_summary_counts() -> None:
    summary = Summary()
    for outcome in outcomes(StandIn(), [Post("1", 1, ""), Post("2", 2, "a"), Post("3", 3, "ab")]):
        summary.add(outcome)
    summary.add(RowError(id="4", row=4, field=None, error="e", fix="f"))
    assert (summary.rows, summary.scored, summary.not_scored, summary.errors) == (4, 2, 1, 1)
    assert summary.verdicts == {"not_scored": 1, "machine_translated": 1, "human_written": 1}
    assert summary.languages == {"ru": 2, "?": 1}
    assert summary.models == {"profile": {"stand-in"}}


# Rejects

BAD_ROWS: dict[str, tuple[bytes, ...]] = {
    ".jsonl": (
        b'{"id": "a", "text": 5}',
        b"not JSON",
        b'["a"]',
        b'{"text": "caf\xe9"}',
        b'{"id": [], "text": "a"}',
    ),
    ".csv": (b'a,"b" c', b"one,two,three", b'"two\nlines","a\xff"', b'"open'),
    ".tsv": (b"one\ttwo\tthree", b"\xff\tb"),
    ".txt": (b"\xff", b"caf\xe9"),
}


@pytest.mark.parametrize("suffix", BAD_ROWS)
def test_rejects_are_the_rows_as_they_were(tmp_path: Path, suffix: str) -> None:
    source, output = tmp_path / f"posts{suffix}", tmp_path / "out.csv"
    delimiter = b"\t" if suffix == ".tsv" else b","
    good = {".jsonl": b'{"id": "good", "text": "a"}', ".txt": b"good"}.get(suffix, b"good" + delimiter + b"a")
    head = [b"id" + delimiter + b"text"] if suffix in (".csv", ".tsv") else []
    rows = [row for bad in BAD_ROWS[suffix] for row in (good, bad)]
    source.write_bytes(b"\r\n".join([*head, *rows]))
    summary = score_file(StandIn(), source, output)
    rejects = records(tmp_path / "out.csv.rejects.jsonl")
    assert summary.errors == len(rejects) == len(BAD_ROWS[suffix])
    assert [reject["row"] for reject in rejects] == list(range(2, 2 * len(rejects) + 1, 2))
    for reject, bad in zip(rejects, BAD_ROWS[suffix], strict=True):
        assert reject["reason"]
        assert reject["fix"]
        exact = (
            base64.b64decode(str(reject["raw_base64"]))
            if "raw_base64" in reject
            else str(reject["raw"]).encode()
        )
        assert exact == bad
        assert ("raw_base64" in reject) == (b"\xff" in bad or b"\xe9" in bad)
    with output.open(encoding="utf-8-sig", newline="") as file:
        assert [row["row"] for row in csv.DictReader(file) if row["error"]] == [
            str(r["row"]) for r in rejects
        ]


def test_rejects_of_a_parquet_file_have_its_columns(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    source, output = tmp_path / "posts.parquet", tmp_path / "out.jsonl"
    pq.write_table(
        pa.table({"id": ["a", "b"], "text": pa.array([b"caf\xe9", None]), "other": [1, 2]}), source
    )
    score_file(StandIn(), source, output)
    first, second = records(tmp_path / "out.jsonl.rejects.jsonl")
    assert (first["id"], first["field"], first["raw"]) == ("a", "text", '{"id": "a", "text": "caf\ufffd"}')
    assert base64.b64decode(str(first["raw_base64"])) == b'{"id": "a", "text": "caf\xe9"}'
    assert (second["id"], second["raw"]) == ("b", '{"id": "b", "text": null}')


def test_of_a_huge_row_the_beginning_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(input, "MAX_ROW_BYTES", 100)
    monkeypatch.setattr(input, "KEPT_BYTES", 10)
    for suffix, head in ((".txt", ""), (".csv", "text\n")):
        (tmp_path / f"posts{suffix}").write_text(f"{head}{'x' * 1000}\n")
        score_file(StandIn(), tmp_path / f"posts{suffix}", tmp_path / "out.jsonl")
        assert [reject["raw"] for reject in records(tmp_path / "out.jsonl.rejects.jsonl")] == ["x" * 10]


def test_rejects_of_an_earlier_run_do_not_stay(tmp_path: Path) -> None:
    source, output = tmp_path / "posts.jsonl", tmp_path / "out.jsonl"
    rejects = tmp_path / "out.jsonl.rejects.jsonl"
    source.write_text("bad\n")
    score_file(StandIn(), source, output)
    assert len(records(rejects)) == 1
    source.write_text('{"text": "good"}\n')
    score_file(StandIn(), source, output)
    assert not rejects.exists()


# Columns of the input that are kept


@pytest.mark.parametrize("suffix", [".jsonl", ".csv", ".parquet", ".sqlite"])
def test_kept_columns_go_through_to_every_output(suffix: str, tmp_path: Path) -> None:
    source, output = tmp_path / "posts.jsonl", tmp_path / f"out{suffix}"
    rows = [
        {"id": 1, "text": "ab", "account": "@мост", "likes": 3, "n": None},
        {"id": 2, "account": "b"},
        {"id": 3, "text": "abc", "tags": ["x"]},
    ]
    source.write_text("".join(json.dumps(row) + "\n" for row in [*rows]) + "no json\n", "utf-8")
    keep = ["account", "likes", "tags"]
    score_file(StandIn(), source, output, keep=keep)
    if suffix == ".jsonl":
        found = [[json.loads(line).get(name) for name in keep] for line in output.open(encoding="utf-8")]
        assert found == [["@мост", 3, None], ["b", None, None], [None, None, ["x"]], [None] * 3]
        return
    table: list[list[Any]]
    if suffix == ".csv":
        with output.open(encoding="utf-8-sig", newline="") as file:
            table = [[row[name] or None for name in keep] for row in csv.DictReader(file)]
        table[0][0] = table[0][0].removeprefix("'")
    elif suffix == ".parquet":
        table = [[row[name] for name in keep] for row in pq.read_table(output).to_pylist()]
    else:
        with closing(sqlite3.connect(output)) as connection:
            table = [list(row) for row in connection.execute("SELECT account, likes, tags FROM posts")]
    assert table == [["@мост", "3", None], ["b", None, None], [None, None, '["x"]'], [None] * 3]


def test_what_cannot_be_kept_is_said_before_anything_is_scored(tmp_path: Path) -> None:
    source = tmp_path / "posts.csv"
    source.write_text("id,text,verdict,Row\n1,ab,x,y\n", "utf-8")
    for keep, told in (["verdict"], "of that name"), (["Row"], "of that name"), (["accuont"], "--keep"):
        with pytest.raises(InputError, match=told):
            score_file(StandIn(), source, tmp_path / "out.csv", keep=keep)
    plain = tmp_path / "posts.txt"
    plain.write_text("ab\n", "utf-8")
    with pytest.raises(InputError, match="no columns"):
        score_file(StandIn(), plain, tmp_path / "out.csv", keep=["account"])


def test_a_long_run_says_how_long_it_will_take(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    clock = [1000.0]
    monkeypatch.setattr("checker.progress.time.monotonic", lambda: clock[0])
    monkeypatch.setattr("checker.progress.time.process_time", lambda: 2 * clock[0])
    faster = "faster, with less evidence: --fast"
    run = progress.progress(done=0, total=10_000, faster=faster)
    with caplog.at_level(logging.INFO), run as advance:
        for seconds in (9.0, 2.0, 2.0):  # the first rows waited for the models
            clock[0] += seconds
            advance(100)
    said = [record.getMessage() for record in caplog.records]
    assert said == [
        "About 0:03:16 for the other 9800 rows, 0.1 hours of a processor core; "
        "faster, with less evidence: --fast."
    ]
    caplog.clear()
    with caplog.at_level(logging.INFO), progress.progress(done=0, total=300) as advance:
        for _ in range(3):
            clock[0] += 2
            advance(100)
    assert not caplog.records  # it is over in no time
