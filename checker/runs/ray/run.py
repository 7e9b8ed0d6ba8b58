"""Score partitions on a Ray cluster.

Ray tasks read the partitions and split them into shards; a pool of actors that hold the models scores the
shards; a task joins those of a partition. A scored shard is a file, written whole and named by its place: the
shard of a worker that was killed is scored again and appears once. No row is lost or doubled.

Input, output, models and calibration must have the same paths on every machine of the cluster.
"""

from __future__ import annotations

import json
import logging
import platform
import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from checker.errors import CheckerError, InputError
from checker.files import writing
from checker.io.read import DEFAULT_ID, DEFAULT_TEXT, Post
from checker.io.table import check_kept
from checker.io.write import check_here
from checker.processor import Arithmetic
from checker.progress import OnProgress
from checker.result import RowError
from checker.runs.journal import Run, alone, options_of
from checker.runs.local import Summary, output_line, score_chunks
from checker.runs.ray.cluster import connected
from checker.runs.ray.partitions import (
    PARTS,
    Columns,
    Manifest,
    Partition,
    Written,
    claim_shard,
    find,
    join_rejects,
    read_shards,
    survey,
    write_partition,
    write_shard,
)
from checker.runs.rejects import reject, rejects_path
from checker.runs.worker import take_threads
from checker.settings import Settings

if TYPE_CHECKING:
    import pyarrow as pa

TRIES = 4
"""How often a shard may end its worker before the run gives up."""

ACTORS_A_READER = 32
"""Actors that one reader serves: reading is more than a thousand times as fast as scoring."""

T = TypeVar("T")
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Job:
    """How the shards of a run are scored."""

    settings: Settings
    columns: tuple[str, str, tuple[str, ...]]
    models: Mapping[str, str]
    arithmetic: Arithmetic | None
    workers: int | None

    @property
    def threads(self) -> int:
        """Of an actor, and CPUs that it takes."""
        return self.settings.threads or 1

    def run(self) -> Run:
        """What the results depend on, besides the input."""
        options = {
            **options_of(self.settings, self.arithmetic),
            "columns": [*self.columns[:2], *self.columns[2]],
        }
        return Run(input=None, options=options, models=dict(self.models))


def score_directory(
    source: str | Path,
    output: str | Path,
    settings: Settings | None = None,
    *,
    text_column: str = DEFAULT_TEXT,
    id_column: str = DEFAULT_ID,
    keep: Sequence[str] = (),
    address: str | None = None,
    workers: int | None = None,
    restart: bool = False,
    on_progress: OnProgress = lambda done, total: None,
) -> Summary:
    """Score the partitions of a directory that are not written yet.

    Args:
        source: a directory of ``.jsonl`` and ``.parquet`` files at any depth, or one such file. Names that
            begin with ``_`` or ``.`` are skipped.
        output: the directory of results: the folders of the input, and the columns of local Parquet output.
        settings: how posts are scored; nothing is cached. With the device ``cuda`` every actor takes one GPU.
            An actor has as many threads, and takes as many CPUs, as ``threads`` says, by default one. They
            share the models: less memory, and nearly as fast.
        text_column: the column with the text.
        id_column: the column with the id.
        keep: columns of the input that the output has as well.
        address: of a Ray cluster; by default a local Ray is started for the run. If this process is already
            connected to a Ray, that one is used.
        workers: number of actors; by default as many as the cluster has CPUs for, or for ``cuda`` GPUs.
        restart: score everything again.
        on_progress: called with the number of rows that are scored, and of all.

    Returns:
        What became of all rows of the output, be they of this run or of one before it.

    Raises:
        InputError: the input cannot be read, or ``workers`` is less than 1.
        OutputError: the output cannot be written, is an address, or is of other input, options or models.
        CheckerError: Ray is missing, cannot be reached or gave up; a worker lacks a model or a device.
    """
    from checker.models.ctranslate2_engine import cores
    from checker.pipeline import Checker

    began = time.monotonic()
    if workers is not None and workers < 1:
        raise InputError("workers must be at least 1.", fix="Leave it out to use the whole cluster.")
    check_here(output, "--runner ray")
    source, output = Path(source).resolve(), Path(output).resolve()
    settings = replace(settings or Settings(), cache=None)
    if own := settings.calibration:
        settings = replace(settings, calibration=own.resolve())  # an actor has another working directory
    if settings.device == "auto":  # an actor that was given no GPU must not find one, and other arithmetic
        settings = replace(settings, device="cpu")
    checker = Checker(settings)
    models, columns = (
        checker.store.digests(settings.profile),
        (text_column, id_column, tuple(dict.fromkeys(keep))),
    )
    check_kept(columns[2])
    job = _Job(settings, columns, models, checker.arithmetic, workers)
    files = find(source, output)
    with writing(output):
        output.mkdir(parents=True, exist_ok=True)
    with alone(output), connected(address, (workers or max(1, cores() // job.threads)) * job.threads):
        manifest = Manifest(output, job.run(), restart=restart)
        partitions = _survey(files, output, job)
        todo = manifest.begin(partitions)
        if kept := len(partitions) - len(todo):
            _log.info("%d of %d partitions are written already.", kept, len(partitions))
        done = sum(written.rows for written in manifest.written.values())
        total = sum(partition.rows for partition in partitions)
        on_progress(done, total)

        def advance(rows: int) -> None:
            nonlocal done
            done += rows
            on_progress(done, total)

        parts = {partition.name: partition.parts for partition in todo}
        for written in _score(todo, job, advance):
            manifest.add(written)
            shutil.rmtree(parts[written.partition], ignore_errors=True)
        join_rejects(partitions, rejects_path(output))
        shutil.rmtree(output / PARTS, ignore_errors=True)
    return _summary(manifest.written.values(), time.monotonic() - began)


def _summary(partitions: Iterable[Written], seconds: float) -> Summary:
    summary = Summary(seconds=seconds)
    for written in partitions:
        summary.errors += written.errors
        summary.verdicts.update(written.verdicts)
        summary.languages.update(written.languages)
        for task, names in written.models.items():
            summary.models[task].update(names)
    return summary


# -- on this machine -----------------------------------------------------------------------------------


def _survey(files: Mapping[str, Path], output: Path, job: _Job) -> list[Partition]:
    import ray

    task = ray.remote(_told)
    refs = [task.remote(survey, path, name, output, job.columns) for name, path in files.items()]
    return [_answer(ref) for ref in refs]


def _score(partitions: Sequence[Partition], job: _Job, advance: Callable[[int], object]) -> Iterator[Written]:
    """Score what is missing of the partitions; each comes when it is written."""
    import ray

    task = ray.remote(num_cpus=0)(_told)  # the actors have the CPUs
    keep = job.columns[2]
    missing = {partition: partition.missing() for partition in partitions}
    counted: Counter[str] = Counter()
    pending = [
        task.remote(write_partition, partition, keep) for partition in partitions if not missing[partition]
    ]

    def finished(refs: Iterable[Any]) -> Iterator[Written]:
        for ref in refs:
            written: Written = _answer(ref)
            advance(written.rows - counted[written.partition])  # those that an interrupted run scored
            yield written

    for partition, number, rows in _score_shards(missing, job):
        advance(rows)
        counted[partition.name] += rows
        missing[partition].remove(number)
        if not missing[partition]:
            pending.append(task.remote(write_partition, partition, keep))
        if pending:
            ready, pending = ray.wait(pending, num_returns=len(pending), timeout=0)
            yield from finished(ready)
    yield from finished(pending)


def _score_shards(missing: Mapping[Partition, set[int]], job: _Job) -> Iterator[tuple[Partition, int, int]]:
    """Score the missing shards in a pool of actors: partition, number and rows of each as it is done."""
    import ray.data

    items = [
        {"source": p.input.path, "partition": p.name, "parts": str(p.parts), "wanted": json.dumps([*wanted])}
        for p, wanted in missing.items()
        if wanted
    ]
    if not items:
        return
    gpus = int(job.settings.device == "cuda")
    room = _room(gpus, job.threads)
    workers = min(job.workers or room, sum(map(len, missing.values())))
    named = {partition.name: partition for partition in missing}
    context = ray.data.DataContext.get_current().copy()
    context.target_max_block_size = 1  # makes every shard a block, and so a task of its own
    context.enable_progress_bars = context.print_on_execution_start = False
    with ray.data.DataContext.current(context):
        shards = ray.data.from_items(items, override_num_blocks=len(items)).map_batches(
            partial(_read, columns=job.columns),
            batch_size=1,
            batch_format="pyarrow",
            compute=ray.data.TaskPoolStrategy(size=1 + workers // ACTORS_A_READER),
            num_cpus=0,  # other than that of the actors, or Ray would read inside them, a partition each
        )
        scored = shards.map_batches(
            _Scorer,
            batch_size=1,
            batch_format="pyarrow",
            fn_constructor_args=[job],
            compute=ray.data.ActorPoolStrategy(size=workers, max_tasks_in_flight_per_actor=2),
            num_cpus=job.threads,
            num_gpus=gpus,
        )
        for row in scored.iter_rows():
            if row["problem"]:
                raise CheckerError(row["problem"])
            yield named[row["partition"]], row["number"], row["rows"]


def _room(gpus: int, threads: int) -> int:
    """Actors that the cluster has room for."""
    import ray

    resources: dict[str, float] = ray.cluster_resources()  # type: ignore[no-untyped-call]
    found = int(resources.get("GPU", 0)) if gpus else int(resources.get("CPU", 0)) // threads
    if not found:
        lacking = "GPU: use the device cpu" if gpus else f"room for {threads} CPUs: add a machine to it"
        raise CheckerError(f"Ray has no {lacking}.")
    return found


def _answer(ref: Any) -> Any:
    import ray

    if isinstance(answer := ray.get(ref), CheckerError):
        raise answer
    return answer


# -- on any machine of the cluster ---------------------------------------------------------------------


def _told(function: Callable[..., T], *args: Any) -> T | CheckerError:
    """Call a function; an error comes back as a value, because not every one survives the way back."""
    try:
        return function(*args)
    except CheckerError as error:
        return CheckerError(str(error))


def _read(items: pa.Table, columns: Columns) -> Iterator[pa.Table]:
    """The wanted shards of a partition, each a row of a table."""
    import pyarrow as pa

    [item] = items.to_pylist()
    wanted = set(json.loads(item["wanted"]))
    for number, rows in enumerate(read_shards(Path(item["source"]), columns)):
        if number in wanted:
            shard = {
                "partition": item["partition"],
                "parts": item["parts"],
                "number": number,
                "rows": [_encode(row) for row in rows],
                "rejects": [reject(row) for row in rows if isinstance(row, RowError)],
            }
            yield pa.Table.from_pylist([shard], _shard_schema())


def _shard_schema() -> pa.Schema:
    import pyarrow as pa

    texts = pa.list_(pa.large_string())
    names = {"partition": pa.string(), "parts": pa.string(), "number": pa.int64()}
    return pa.schema({**names, "rows": texts, "rejects": texts})


def _encode(row: Post | RowError) -> str:
    if isinstance(row, RowError):
        return json.dumps({**row.to_dict(), "kept": row.kept})
    return json.dumps([row.id, row.row, row.text, row.kept])


def _decode(row: str) -> Post | RowError:
    return Post(*json.loads(row)) if row.startswith("[") else RowError.model_validate_json(row)


class _Scorer:
    """An actor: it loads the models once, and scores shards."""

    def __init__(self, job: _Job) -> None:
        take_threads(job.threads)  # as many as it has CPUs; numpy was imported before
        from checker.pipeline import Checker

        self._checker = Checker(replace(job.settings, threads=job.threads))
        found = self._checker.store.digests(self._checker.profile)
        self._strange = [name for name, digest in job.models.items() if found.get(name) != digest]
        self._wanted, self._found = job.arithmetic, self._checker.arithmetic

    def __call__(self, shards: pa.Table) -> pa.Table:
        """Score a shard, and say where and whether it is done."""
        import pyarrow as pa

        [shard] = shards.to_pylist()
        problem = _told(self._score, shard)
        done = {"partition": shard["partition"], "number": shard["number"], "rows": len(shard["rows"])}
        return pa.Table.from_pylist([{**done, "problem": str(problem or "")}])

    def _score(self, shard: Mapping[str, Any]) -> None:
        if self._wanted != self._found:
            raise CheckerError(
                f"{platform.node()} computes in {self._found} and this run in {self._wanted}. "
                "Use machines with processors of one kind."
            )
        if self._strange:
            raise CheckerError(
                f"Models on {platform.node()} differ from those here ({', '.join(self._strange)}). "
                "Install the same version, and the same models, on every machine."
            )
        parts, number = Path(shard["parts"]), shard["number"]
        rows = [_decode(row) for row in shard["rows"]]
        if claim_shard(parts, number) >= TRIES:
            raise CheckerError(
                f"Rows {rows[0].row} to {rows[-1].row} of {shard['partition']} have ended their worker "
                f"{TRIES} times. Give the workers more memory, or take the rows out."
            )
        lines = [output_line(*row) for chunk in score_chunks(self._checker, rows) for row in chunk]
        write_shard(lines, shard["rejects"], parts, number)
