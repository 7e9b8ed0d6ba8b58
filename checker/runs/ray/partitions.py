"""The partitions of a directory: their content, how they are split into shards, and which are written.

Every file of the input gives a Parquet file of the same name in the output. A shard is some whole chunks of
the local run, so that the models see the same batches and the output has the same bytes. The lines of scored
shards wait in ``OUTPUT/_parts`` until a partition has all of its shards; its Parquet file then appears in one
step, its rejects in ``OUTPUT/_rejects``, and ``OUTPUT/_manifest.jsonl`` names it.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import uuid
from collections.abc import Iterator, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import NamedTuple

from checker.errors import InputError, OutputError
from checker.files import write_whole, writing
from checker.io.read import Post, read
from checker.io.write import write
from checker.result import Record, RowError
from checker.runs.journal import Input, Run
from checker.runs.local import CHUNK, Summary, parse_line

SHARD = 8 * CHUNK
"""Rows that a worker takes at once: the most that its end costs. Each shard costs the driver some time and
memory: see docs/scaling.md."""

SHARD_TEXT = 4 * 2**20
"""A shard with more characters of text than this ends with its chunk."""

PARTS, REJECTS = "_parts", "_rejects"
"""Directories under that of the output: scored shards, gone when their partition is written, and rejects."""

_FORMATS = (".jsonl", ".parquet")
_MANIFEST = "_manifest.jsonl"

Columns = tuple[str, str] | tuple[str, str, tuple[str, ...]]
"""Of the input: that with the text, that with the id, and those that are kept."""


class Partition(NamedTuple):
    """A file of the input, as it was when the run began.

    Attributes:
        name: its path in the directory, with forward slashes.
        input: its identity.
        rows: number of its rows, bad ones included.
        shards: number of its shards.
        output: where its results go.
        rejects: where the rows go that could not be read; there is no such file if there are none.
        parts: directory of its scored shards.
    """

    name: str
    input: Input
    rows: int
    shards: int
    output: Path
    rejects: Path
    parts: Path

    def missing(self) -> set[int]:
        """Numbers of the shards that are not scored yet."""
        return {number for number in range(self.shards) if not _part(self.parts, number).exists()}


class Written(Record):
    """A partition that is written; counts as in `checker.runs.local.Summary`."""

    partition: str
    input: Input
    rows: int
    errors: int
    verdicts: dict[str, int]
    languages: dict[str, int]
    models: dict[str, tuple[str, ...]]


def find(source: Path, output: Path) -> dict[str, Path]:
    """The partitions of a directory, or of one file, by name.

    Args:
        source: where to look, at any depth; names that begin with ``_`` or ``.`` are skipped.
        output: the directory of results.

    Raises:
        InputError: there is none, one is of another format, or two differ in their extensions only.
        OutputError: ``output`` lies in ``source`` or the other way round.
    """
    if source == output or source in output.parents or output in source.parents:
        problem = f"One of {source} and {output} contains the other."
        raise OutputError(f"{problem} Write the results to another directory.")
    if source.is_file():
        found = {source.name: source}
    else:
        found = {path.relative_to(source).as_posix(): path for path in sorted(source.rglob("*"))}
    files: dict[str, Path] = {}
    results = set()
    for name, path in found.items():
        if path.is_dir() or any(part.startswith(("_", ".")) for part in Path(name).parts):
            continue
        if path.suffix not in _FORMATS:
            raise InputError(
                f"{path} is no partition: it is not {' or '.join(_FORMATS)}.",
                fix="Convert it, move it elsewhere, or score it on its own.",
            )
        if (result := _result(output, name)) in results:
            raise InputError(f"Two partitions would be written to {result}.", fix="Rename one of them.")
        files[name] = path
        results.add(result)
    if not files:
        fix = "Give a directory of .jsonl or .parquet files."
        raise InputError(f"There is no partition in {source}.", fix=fix)
    return files


def survey(path: Path, name: str, output: Path, columns: Columns) -> Partition:
    """Read a partition once to know what it holds.

    Args:
        path: the file.
        name: of the partition.
        output: the directory of results.
        columns: the column with the text, and that with the id.

    Raises:
        InputError: it cannot be read.
    """
    input = Input.of(path)
    rows = shards = 0
    for shard in read_shards(path, columns):
        rows, shards = rows + len(shard), shards + 1
    key = hashlib.sha256(f"{input.sha256} {name}".encode()).hexdigest()[:32]
    rejects = (output / REJECTS / name).with_suffix(".jsonl")
    return Partition(name, input, rows, shards, _result(output, name), rejects, output / PARTS / key)


def read_shards(path: Path, columns: Columns) -> Iterator[list[Post | RowError]]:
    """The rows of a partition, shard by shard.

    Raises:
        InputError: the file cannot be read.
    """
    rows = read(path, *columns)
    shard: list[Post | RowError] = []
    while chunk := list(islice(rows, CHUNK)):
        shard += chunk
        text = sum(len(row.text) for row in shard if isinstance(row, Post))
        if len(shard) >= SHARD or text > SHARD_TEXT:
            yield shard
            shard = []
    if shard:
        yield shard


def claim_shard(parts: Path, number: int) -> int:
    """Note that a worker begins to score a shard.

    Returns:
        How often one has begun it before in this run.

    Raises:
        OutputError: the note cannot be written.
    """
    path = parts / f"{number:08d}.tries"
    with writing(path):
        parts.mkdir(parents=True, exist_ok=True)
        with path.open("ab") as file:
            before = file.tell()
            file.write(b".")
    return before


def write_shard(lines: Sequence[str], rejects: Sequence[str], parts: Path, number: int) -> None:
    """Put a scored shard on the disk; it is there as a whole when this returns, and does not count before.

    Args:
        lines: its results.
        rejects: lines of the rejects among its rows.
        parts: directory of the shards of its partition.
        number: its place among them.

    Raises:
        OutputError: it cannot be written.
    """
    # A worker that was given up may still be writing the same shard: each writes a file of its own.
    text = "".join(f"{line}\n" for line in [*lines, "", *rejects])
    with writing(parts):
        parts.mkdir(parents=True, exist_ok=True)
    write_whole(
        _part(parts, number),
        lambda temporary: temporary.write_text(text, "utf-8", newline="\n"),
        parts / uuid.uuid4().hex,
    )


def write_partition(partition: Partition, keep: Sequence[str] = ()) -> Written:
    """Make the files of a partition from its scored shards, which have kept these columns of the input.

    Raises:
        InputError: the input has changed since the run began.
        OutputError: a file cannot be written.
    """
    path = Path(partition.input.path)
    if Input.of(path) != partition.input:
        shutil.rmtree(partition.parts, ignore_errors=True)  # they may have rows of either
        fix = "Give the command again when the file is complete."
        raise InputError(f"{path} changed while it was scored.", fix=fix)
    summary, rejects = Summary(), []

    def lines() -> Iterator[str]:
        for number in range(partition.shards):
            scored, _, rejected = _part(partition.parts, number).read_text("utf-8").partition("\n\n")
            rejects.extend(rejected.split("\n")[:-1])
            for line in scored.split("\n"):
                summary.add(parse_line(line, keep))
                yield line
        if summary.rows != partition.rows:
            problem = f"{partition.parts} has {summary.rows} rows of {partition.rows}."
            raise OutputError(f"{problem} Score everything again with --restart.")

    with writing(partition.output):
        for file in (partition.output, partition.rejects, partition.parts / "one"):
            file.parent.mkdir(parents=True, exist_ok=True)
        partition.rejects.unlink(missing_ok=True)
    write(lines(), partition.output, partition.parts / uuid.uuid4().hex, keep)
    if rejects:
        write(rejects, partition.rejects, partition.parts / uuid.uuid4().hex)
    return Written(
        partition=partition.name,
        input=partition.input,
        rows=summary.rows,
        errors=summary.errors,
        verdicts=summary.verdicts,
        languages=summary.languages,
        models={task: tuple(sorted(names)) for task, names in summary.models.items()},
    )


def join_rejects(partitions: Sequence[Partition], path: Path) -> None:
    """Bring the rejects of all partitions into one file, each with the name of its partition.

    Raises:
        OutputError: it cannot be written.
    """

    def lines() -> Iterator[str]:
        for partition in partitions:
            if partition.rejects.exists():
                with partition.rejects.open(encoding="utf-8") as file:
                    for line in file:
                        yield json.dumps(
                            {"partition": partition.name, **json.loads(line)}, ensure_ascii=False
                        )

    if any(partition.rejects.exists() for partition in partitions):
        write(lines(), path)
    else:
        with writing(path):
            path.unlink(missing_ok=True)  # of an earlier run


class Manifest:
    """The run, and the partitions that are written, one line each.

    Args:
        output: the directory of results.
        run: what is scored now; it has no input, because every partition has its own.
        restart: delete what is written.

    Attributes:
        written: partitions that are written, by name.

    Raises:
        OutputError: (every method) the directory cannot be written, or holds another run or something else.
    """

    def __init__(self, output: Path, run: Run, *, restart: bool = False) -> None:
        self._path, self._run = output / _MANIFEST, run
        self.written: dict[str, Written] = {}
        with writing(output):
            lines = self._path.read_bytes().splitlines(keepends=True) if self._path.exists() else []
            unfinished = self._path.with_name(f"{_MANIFEST}.tmp")  # of a run that was killed as it began
            if not lines and {*output.iterdir()} - {unfinished}:
                raise OutputError(f"{output} has other files in it. Write the results to a new directory.")
        whole = [line for line in lines if line.endswith(b"\n")]  # the last may be torn
        try:
            known = Run.model_validate_json(whole[0]) if whole else run
            written = [Written.model_validate_json(line) for line in whole[1:]]
        except ValueError:
            raise OutputError(f"{self._path} is damaged. Write the results to a new directory.") from None
        if not restart:
            if changes := known.changes(run):
                raise self._refused("; ".join(changes))
            self.written = {partition.partition: partition for partition in written}
            return
        with writing(output):
            for partition in written:
                _result(output, partition.partition).unlink(missing_ok=True)
            for folder in (PARTS, REJECTS):
                shutil.rmtree(output / folder, ignore_errors=True)

    def begin(self, partitions: Sequence[Partition]) -> list[Partition]:
        """Begin a run over these partitions.

        Returns:
            Those that are to be scored.
        """
        now = {partition.name: partition for partition in partitions}
        for name, written in list(self.written.items()):
            if name not in now:
                raise self._refused(f"the partition {name} is no longer there")
            if written.input.sha256 != now[name].input.sha256:
                raise self._refused(f"the partition {name} has changed")
            if _rows(now[name].output) != written.rows:
                del self.written[name]  # somebody took it away
        lines = [record.to_json() for record in chain([self._run], self.written.values())]
        write_whole(self._path, lambda temporary: temporary.write_text("\n".join([*lines, ""]), "utf-8"))
        todo = [partition for partition in partitions if partition.name not in self.written]
        with writing(self._path.parent):
            for path in chain.from_iterable(partition.parts.glob("*.tries") for partition in todo):
                path.unlink()
        return todo

    def add(self, written: Written) -> None:
        """Note that a partition is written; this is on the disk when it returns."""
        with writing(self._path), self._path.open("a", encoding="utf-8", newline="\n") as file:
            file.write(f"{written.to_json()}\n")
            file.flush()
            os.fsync(file.fileno())
        self.written[written.partition] = written

    def _refused(self, problem: str) -> OutputError:
        fix = "Write the results to a new directory, or score everything again with --restart."
        return OutputError(f"{self._path.parent} is of another run: {problem}. {fix}")


def _part(parts: Path, number: int) -> Path:
    return parts / f"{number:08d}.jsonl"


def _result(output: Path, name: str) -> Path:
    return (output / name).with_suffix(".parquet")


def _rows(path: Path) -> int | None:
    """Rows of a Parquet file; None if there is none, or it is not whole."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return int(pq.read_metadata(path).num_rows)
    except (OSError, pa.ArrowException):
        return None
