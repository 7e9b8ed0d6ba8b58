"""Partitions are cut and put together without a row lost, doubled or moved, and not mixed with others."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from checker.errors import InputError, OutputError
from checker.io.read import Post, read
from checker.result import Language, Result, RowError
from checker.runs.journal import Run
from checker.runs.local import CHUNK
from checker.runs.ray import partitions
from checker.runs.ray.partitions import (
    SHARD,
    Manifest,
    Partition,
    claim_shard,
    find,
    read_shards,
    survey,
    write_partition,
    write_shard,
)

COLUMNS = ("text", "id")


def rows(count: int, mark: str) -> list[dict[str, str]]:
    return [{"id": f"{mark}{n}", "text": f"Мост открыт {n}."} for n in range(count)]


def write_jsonl(path: Path, records: list[dict[str, str]], bad: int = 0) -> None:
    """A file of records, with a bad line after each of the first ``bad``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = []
    for n, record in enumerate(records):
        lines.append(json.dumps(record, ensure_ascii=False))
        if n < bad:
            lines.append('{"id": "no text"}' if n % 2 else "{torn")
    path.write_text("\n".join([*lines, ""]), "utf-8")


def test_partitions_keep_their_folders(tmp_path: Path) -> None:
    source, output = tmp_path / "posts", tmp_path / "scores"
    for name in ("day=2/b.jsonl", "day=1/a.jsonl", "c.jsonl", "_SUCCESS", "day=1/.a.crc"):
        write_jsonl(source / name, rows(SHARD + 1, "a"), bad=2)
    found = find(source, output)
    assert list(found) == ["c.jsonl", "day=1/a.jsonl", "day=2/b.jsonl"]
    partition = survey(found["day=1/a.jsonl"], "day=1/a.jsonl", output, COLUMNS)
    assert partition.output == output / "day=1" / "a.parquet"
    assert (partition.rows, partition.shards) == (SHARD + 3, 2)


@pytest.mark.parametrize(
    ("names", "problem"),
    [
        ([], "There is no partition"),
        (["_a.jsonl", ".b.jsonl"], "There is no partition"),
        (["a.jsonl", "a.csv"], "a.csv is no partition"),
        (["a.jsonl", "a.parquet"], "Two partitions would be written to .*a.parquet"),
    ],
)
def test_what_is_no_partition_is_refused(tmp_path: Path, names: list[str], problem: str) -> None:
    source = tmp_path / "posts"
    source.mkdir()
    for name in names:
        (source / name).write_text("")
    with pytest.raises(InputError, match=problem):
        find(source, tmp_path / "scores")


@pytest.mark.parametrize("inner", ["posts", "posts/scores", "."])
def test_input_and_output_do_not_lie_in_each_other(tmp_path: Path, inner: str) -> None:
    write_jsonl(tmp_path / "posts" / "a.jsonl", rows(1, "a"))
    with pytest.raises(OutputError, match="contains the other"):
        find(tmp_path / "posts", (tmp_path / inner).resolve())


@given(st.lists(st.integers(0, 40), max_size=3 * CHUNK), st.integers(1, 3))
def test_shards_are_whole_chunks_in_order(
    tmp_path_factory: pytest.TempPathFactory, lengths: list[int], times: int
) -> None:
    path = tmp_path_factory.mktemp("shards") / "a.jsonl"
    lengths = lengths * times
    write_jsonl(path, [{"id": str(n), "text": "я" * length} for n, length in enumerate(lengths)])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(partitions, "SHARD", 2 * CHUNK)
        patch.setattr(partitions, "SHARD_TEXT", 1500)
        shards = list(read_shards(path, COLUMNS))
    assert [row for shard in shards for row in shard] == list(read(path))
    assert all(len(shard) % CHUNK == 0 for shard in shards[:-1])
    assert all(0 < len(shard) <= 2 * CHUNK for shard in shards)


# -- what is written -----------------------------------------------------------------------------------


def result(row: Post | RowError) -> str:
    if isinstance(row, RowError):
        return row.to_json()
    language = Language(code="ru", confidence=1.0)
    models = {"profile": "stand-in"}
    return Result(id=row.id, verdict="uncertain", language=language, models=models, version="0").to_json()


def scored(path: Path, output: Path, leave: int | None = None) -> Partition:
    """A partition with its shards on the disk, but for one."""
    partition = survey(path, path.name, output, COLUMNS)
    for number, shard in enumerate(read_shards(path, COLUMNS)):
        if number != leave:
            rejects = [json.dumps({"row": row.row}) for row in shard if isinstance(row, RowError)]
            write_shard([result(row) for row in shard], rejects, partition.parts, number)
    return partition


def test_a_partition_has_every_row_once_and_in_order(tmp_path: Path) -> None:
    source, output = tmp_path / "a.jsonl", tmp_path / "scores"
    write_jsonl(source, rows(2 * SHARD + 3, "a"), bad=7)
    partition = scored(source, output, leave=1)
    assert partition.missing() == {1}
    partition = scored(source, output)
    assert partition.missing() == set()
    written = write_partition(partition)
    table = pq.read_table(partition.output)
    assert table["id"].to_pylist() == [row.id for row in read(source)]
    assert (written.rows, written.errors, written.verdicts) == (
        2 * SHARD + 10,
        7,
        {"uncertain": 2 * SHARD + 3},
    )
    rejected = [json.loads(line)["row"] for line in partition.rejects.read_text().splitlines()]
    assert rejected == [row.row for row in read(source) if isinstance(row, RowError)]


def test_a_partition_that_changes_meanwhile_is_not_written(tmp_path: Path) -> None:
    source, output = tmp_path / "a.jsonl", tmp_path / "scores"
    write_jsonl(source, rows(3, "a"))
    partition = scored(source, output)
    write_jsonl(source, rows(3, "b"))
    with pytest.raises(InputError, match="changed while it was scored"):
        write_partition(partition)
    assert not partition.output.exists()
    assert not partition.parts.exists(), "shards that may be of either file are not kept"


def test_an_empty_partition_gives_an_empty_one(tmp_path: Path) -> None:
    source, output = tmp_path / "a.jsonl", tmp_path / "scores"
    source.write_text("")
    partition = scored(source, output)
    assert write_partition(partition).rows == 0
    assert pq.read_table(partition.output).num_rows == 0


@pytest.fixture
def manifest(tmp_path: Path) -> Callable[..., Manifest]:
    """Open the manifest of ``scores``."""

    def open_manifest(restart: bool = False, **options: Any) -> Manifest:
        output = tmp_path / "scores"
        output.mkdir(exist_ok=True)
        run = Run(input=None, options={"pivot": "en"} | options, models={"m": "1"})
        return Manifest(output, run, restart=restart)

    return open_manifest


def test_what_is_written_is_not_scored_again(tmp_path: Path, manifest: Callable[..., Manifest]) -> None:
    output = tmp_path / "scores"
    for name in "ab":
        write_jsonl(tmp_path / f"{name}.jsonl", rows(2, name))
    a, b = (survey(tmp_path / f"{name}.jsonl", f"{name}.jsonl", output, COLUMNS) for name in "ab")
    first = manifest()
    assert first.begin([a, b]) == [a, b]
    scored(tmp_path / "a.jsonl", output)
    first.add(write_partition(a))
    with (output / "_manifest.jsonl").open("a") as file:
        file.write('{"partition": "b.jsonl", "inp')  # a crash
    assert manifest().begin([a, b]) == [b]
    assert claim_shard(b.parts, 0) == 0
    assert claim_shard(b.parts, 0) == 1
    assert manifest().begin([a, b]) == [b]
    assert claim_shard(b.parts, 0) == 0, "a new run tries again"
    a.output.unlink()
    assert manifest().begin([a, b]) == [a, b]


def test_a_run_that_was_killed_as_it_began_keeps_no_other_out(
    tmp_path: Path, manifest: Callable[..., Manifest]
) -> None:
    (tmp_path / "scores").mkdir()
    (tmp_path / "scores" / "_manifest.jsonl.tmp").write_text("{")
    write_jsonl(tmp_path / "a.jsonl", rows(2, "a"))
    a = survey(tmp_path / "a.jsonl", "a.jsonl", tmp_path / "scores", COLUMNS)
    assert manifest().begin([a]) == [a]


def test_shards_with_a_row_too_few_are_not_written(tmp_path: Path) -> None:
    source, output = tmp_path / "a.jsonl", tmp_path / "scores"
    write_jsonl(source, rows(3, "a"))
    partition = scored(source, output)
    write_shard([result(row) for row in [*read(source)][:2]], [], partition.parts, 0)
    with pytest.raises(OutputError, match=r"has 2 rows of 3\..*--restart"):
        write_partition(partition)
    assert not partition.output.exists()
    assert [path.name for path in partition.parts.iterdir()] == ["00000000.jsonl"]


def test_results_of_another_run_are_not_mixed_with(tmp_path: Path, manifest: Callable[..., Manifest]) -> None:
    source, output = tmp_path / "a.jsonl", tmp_path / "scores"
    write_jsonl(source, rows(2, "a"))
    first = manifest()
    first.begin([survey(source, "a.jsonl", output, COLUMNS)])
    a = scored(source, output)
    first.add(write_partition(a))
    with pytest.raises(OutputError, match=r"pivot was 'en' and is 'ru'.*--restart"):
        manifest(pivot="ru")
    with pytest.raises(OutputError, match=r"a\.jsonl is no longer there"):
        manifest().begin([])
    write_jsonl(source, rows(2, "b"))
    changed = survey(source, "a.jsonl", output, COLUMNS)
    with pytest.raises(OutputError, match=r"a\.jsonl has changed"):
        manifest().begin([changed])
    assert a.output.exists()
    assert manifest(restart=True, pivot="ru").begin([changed]) == [changed]
    assert not a.output.exists()


def test_a_directory_of_something_else_is_left_alone(
    tmp_path: Path, manifest: Callable[..., Manifest]
) -> None:
    (tmp_path / "scores").mkdir()
    (tmp_path / "scores" / "thesis.doc").write_text("years of work")
    for restart in (False, True):
        with pytest.raises(OutputError, match="has other files in it"):
            manifest(restart=restart)
    assert (tmp_path / "scores" / "thesis.doc").exists()
