"""Posts from patterns of files and from an object store: one that runs on loopback."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import object_store
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from test_batch import StandIn

from checker.errors import CheckerError, InputError, OutputError
from checker.io.read import Post
from checker.io.sources import on_disk, read_all
from checker.runs.local import CHUNK, score_file


def lines(*texts: str) -> str:
    return "".join(json.dumps({"text": text}) + "\n" for text in texts)


def ids_and_texts(output: Path) -> list[tuple[str, bool]]:
    rows = [json.loads(line) for line in output.read_text("utf-8").splitlines()]
    return [(row["id"], "error" in row) for row in rows]


@pytest.fixture
def days(tmp_path: Path) -> Path:
    folder = tmp_path / "feed"
    (folder / "deep").mkdir(parents=True)
    (folder / "day-2.jsonl").write_text(lines("abc") + "no json\n", "utf-8")
    (folder / "day-1.jsonl").write_text(lines("a", "ab"), "utf-8")
    (folder / "deep" / "day-3.jsonl").write_text(lines("abcd"), "utf-8")
    (folder / "day-4.csv").write_text("id,text\nx,ab\n", "utf-8")
    return folder


def test_a_pattern_is_scored_as_one_input(days: Path, tmp_path: Path) -> None:
    summary = score_file(StandIn(), days / "**" / "day-*.jsonl", tmp_path / "out.jsonl")
    assert (summary.rows, summary.errors) == (5, 1)
    assert ids_and_texts(tmp_path / "out.jsonl") == [
        ("1", False), ("2", False), ("1", False), ("2", True), ("1", False)
    ]  # fmt: skip
    with on_disk(days / "day-[12].jsonl") as paths:
        rows = list(read_all(paths))
    assert [row.row for row in rows] == [1, 2, 3, 4]
    with on_disk(days / "day-?.*") as paths:
        assert [path.name for path in paths] == ["day-1.jsonl", "day-2.jsonl", "day-4.csv"]
        assert [row.text for row in read_all(paths) if isinstance(row, Post)] == ["a", "ab", "abc", "ab"]


def test_a_pattern_that_matches_nothing_or_the_output(days: Path) -> None:
    with pytest.raises(InputError, match="No file matches"):
        score_file(StandIn(), days / "*.parquet", days / "out.jsonl")
    score_file(StandIn(), days / "*.jsonl", days / "out.jsonl")
    with pytest.raises(OutputError, match="is the input"):
        score_file(StandIn(), days / "*.jsonl", days / "out.jsonl")


def test_a_path_that_exists_is_no_pattern(tmp_path: Path) -> None:
    odd = tmp_path / "posts[1].jsonl"
    odd.write_text(lines("a"), "utf-8")
    with on_disk(odd) as paths:
        assert paths == [odd]


def test_a_changed_pattern_is_another_run(days: Path, tmp_path: Path) -> None:
    output = tmp_path / "out.jsonl"
    (days / "day-1.jsonl").write_text(lines(*["a"] * (2 * CHUNK)), "utf-8")
    with pytest.raises(CheckerError, match="device"):
        score_file(StandIn(stop_at=str(CHUNK + 20)), days / "day-*.jsonl", output)
    (days / "day-0.jsonl").write_text(lines("new"), "utf-8")
    with pytest.raises(OutputError, match="another run"):
        score_file(StandIn(), days / "day-*.jsonl", output)


@pytest.fixture(scope="module")
def store() -> Iterator[str]:
    """An object store on loopback with a bucket of posts; gives its address."""
    with object_store.serve() as system:
        system.mkdir("posts")
        system.pipe("posts/2024/b.jsonl", lines("abc").encode())
        system.pipe("posts/2024/a.jsonl", lines("a", "ab").encode())
        sink = pa.BufferOutputStream()
        pq.write_table(pa.table({"id": ["p"], "text": ["abcd"]}), sink)
        system.pipe("posts/c.parquet", sink.getvalue().to_pybytes())
        yield "s3://posts"


def test_files_of_an_object_store(store: str, tmp_path: Path) -> None:
    output = tmp_path / "out.jsonl"
    score_file(StandIn(), f"{store}/2024/*.jsonl", output)
    assert ids_and_texts(output) == [("1", False), ("2", False), ("1", False)]
    score_file(StandIn(), f"{store}/c.parquet", output)
    assert ids_and_texts(output) == [("p", False)]
    for missing in f"{store}/2025/*.jsonl", f"{store}/no.jsonl", "s3://nobody/a.jsonl":
        with pytest.raises(InputError, match="s3://"):
            score_file(StandIn(), missing, output)


def test_what_a_store_needs_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "gcsfs", None)
    with pytest.raises(CheckerError, match=r"statement-checker\[remote\]"):
        score_file(StandIn(), "gs://bucket/a.jsonl", tmp_path / "out.jsonl")
    with pytest.raises(InputError, match="is an address"):
        score_file(StandIn(), "https://posts.example/a.jsonl", tmp_path / "out.jsonl")
