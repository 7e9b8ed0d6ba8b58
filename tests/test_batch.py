"""A file is scored row for row, whatever is in it, and a killed run is finished to the same bytes."""

from __future__ import annotations

import csv
import json
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from checker import batch
from checker.batch import CHUNK, Summary, score_file, score_rows
from checker.errors import CheckerError, InputError, OutputError
from checker.input import Post
from checker.result import Language, Result, RowError


class StandIn:
    """Scores by length; `style` is the position in the batch, so that other batches give other results."""

    def __init__(self, pause: float = 0.0, stop_at: str | None = None) -> None:
        self.pause, self.stop_at, self.scored = pause, stop_at, 0

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
                warnings=() if text else ("Not scored: empty.",),
                models={"profile": "stand-in"},
                version="0",
            )


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
    outcomes = list(score_rows(StandIn(), rows))
    assert [outcome.id for outcome in outcomes] == [row.id for row in rows]
    assert [isinstance(outcome, RowError) for outcome in outcomes] == [
        isinstance(row, RowError) for row in rows
    ]


def test_rows_are_read_as_they_are_needed() -> None:
    taken = 0

    def endless() -> Iterator[Post]:
        nonlocal taken
        while True:
            taken += 1
            yield Post(str(taken), taken, "text")

    outcomes = score_rows(StandIn(), endless())
    for _ in range(CHUNK + 1):
        next(outcomes)
    assert taken == 2 * CHUNK


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
    assert {path.name for path in tmp_path.iterdir()} == {source.name, output.name}


RUN = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from test_batch import StandIn
from checker.batch import score_file
score_file(StandIn(pause=0.004), sys.argv[2], Path(sys.argv[3]))
"""


def kill_midway(source: Path, output: Path, at_least: int) -> Path:
    """Start scoring in another process and SIGKILL it once some rows are written; the partial file."""
    command = [sys.executable, "-c", RUN, str(Path(__file__).parent), str(source), str(output)]
    process = subprocess.Popen(command)
    partial = Path(f"{output}.partial")
    deadline = time.monotonic() + 60
    while not partial.exists() or partial.read_bytes().count(b"\n") <= at_least:
        assert process.poll() is None, "finished before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert not output.exists()
    return partial


@pytest.mark.parametrize("torn", [b"", b'{"id": "torn"', b'{"id": "torn\xd0', b"\x00\x00\n"])
def test_a_killed_run_is_finished_to_the_same_bytes(tmp_path: Path, torn: bytes) -> None:
    source = posts_file(tmp_path, 400)
    whole = StandIn()
    score_file(whole, source, tmp_path / "whole.jsonl")

    output = tmp_path / "out.jsonl"
    with kill_midway(source, output, at_least=CHUNK + 5).open("ab") as file:
        file.write(torn)
    rest = StandIn()
    summary = score_file(rest, source, output)

    assert output.read_bytes() == (tmp_path / "whole.jsonl").read_bytes()
    assert summary.rows == 400
    assert summary.errors == 40
    assert rest.scored < whole.scored  # it did go on, rather than start over
    assert not Path(f"{output}.partial").exists()


@pytest.fixture
def interrupted(tmp_path: Path) -> tuple[Path, Path]:
    """Input and output of a run that failed in its second chunk."""
    source, output = posts_file(tmp_path, 3 * CHUNK), tmp_path / "out.csv"
    with pytest.raises(CheckerError):
        score_file(StandIn(stop_at=f"p{CHUNK + 3}"), source, output, options={"pivot": "en"})
    assert not output.exists()
    return source, output


def test_a_failed_run_is_resumed(interrupted: tuple[Path, Path]) -> None:
    scorer = StandIn()
    summary = score_file(scorer, *interrupted, options={"pivot": "en"})
    assert summary.rows == 3 * CHUNK
    assert scorer.scored == sum(n % 10 > 0 for n in range(CHUNK, 3 * CHUNK))


@pytest.mark.parametrize("change", ["options", "columns", "input", "resume"])
def test_nothing_is_taken_over_from_another_run(
    interrupted: tuple[Path, Path], change: str, caplog: pytest.LogCaptureFixture
) -> None:
    source, output = interrupted
    scorer = StandIn()
    if change == "input":
        before = source.stat()
        source.write_bytes(source.read_bytes().replace("я".encode(), "ю".encode()))
        os.utime(source, ns=(before.st_atime_ns, before.st_mtime_ns))
    summary = score_file(
        scorer,
        source,
        output,
        options={"pivot": "ru" if change == "options" else "en"},
        id_column="nr" if change == "columns" else "id",
        resume=change != "resume",
    )
    assert scorer.scored + summary.errors == summary.rows == 3 * CHUNK
    assert ("starting over" in caplog.text) == (change != "resume")


def test_a_run_that_fails_at_once_leaves_nothing_behind(tmp_path: Path) -> None:
    source = tmp_path / "posts.txt"
    source.write_text("one\ntwo\n")
    with pytest.raises(CheckerError):
        score_file(StandIn(stop_at="1"), source, tmp_path / "out.jsonl")
    assert list(tmp_path.iterdir()) == [source]


def test_an_empty_input_gives_an_empty_output(tmp_path: Path) -> None:
    (tmp_path / "posts.jsonl").touch()
    summary = score_file(StandIn(), tmp_path / "posts.jsonl", tmp_path / "out.jsonl")
    assert summary.rows == 0
    assert (tmp_path / "out.jsonl").read_bytes() == b""


def test_mistakes_are_found_before_anything_is_scored(tmp_path: Path) -> None:
    source = posts_file(tmp_path, 3)
    scorer = StandIn()
    with pytest.raises(InputError):
        score_file(scorer, tmp_path / "missing.jsonl", tmp_path / "out.jsonl")
    with pytest.raises(OutputError):
        score_file(scorer, source, tmp_path / "nowhere" / "out.jsonl")
    (tmp_path / "out.jsonl.partial").mkdir()
    with pytest.raises(OutputError, match=r"out\.jsonl\.partial"):
        score_file(scorer, source, tmp_path / "out.jsonl")
    assert scorer.scored == 0


def test_progress_is_logged_where_no_bar_can_be_drawn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(batch, "LOG_EVERY", 0.0)
    with caplog.at_level(logging.INFO):
        score_file(StandIn(), posts_file(tmp_path, 3), tmp_path / "out.jsonl")
    assert "2 of 3 rows" in caplog.text


def test_summary_counts() -> None:
    summary = Summary()
    for outcome in score_rows(StandIn(), [Post("1", 1, ""), Post("2", 2, "a"), Post("3", 3, "ab")]):
        summary.add(outcome)
    summary.add(RowError(id="4", row=4, field=None, error="e", fix="f"))
    assert (summary.rows, summary.scored, summary.not_scored, summary.errors) == (4, 2, 1, 1)
    assert summary.verdicts == {"not_scored": 1, "machine_translated": 1, "human_written": 1}
