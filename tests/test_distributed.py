"""A directory is scored on Ray to the same bytes as here, whatever is killed on the way."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from test_calibration import own

from checker.errors import CheckerError, InputError
from checker.io.read import Post
from checker.pipeline import Checker
from checker.runs.local import score_file
from checker.runs.ray import cluster
from checker.runs.ray import run as distributed
from checker.runs.ray.partitions import PARTS, SHARD, claim_shard, find
from checker.runs.ray.run import TRIES, score_directory
from checker.runs.rejects import rejects_path
from checker.settings import Options, Settings

SHARDS = 6
"""Of the largest partition: it is scored for longer than the others take to be written."""

FAST: Options = {"round_trip": False, "fluency": False, "encoder": False, "language": "ru"}
TEXTS = (
    "Ремонт моста у старой мельницы закончат к середине осени, обещали в городе",
    "Школьный автобус теперь ходит каждые двадцать минут и заезжает в порт",
    "На площади открыли небольшой музей часов, вход туда свободный",
    "Рыбаки вернулись в гавань раньше обычного из-за сильного ветра",
)


def write_posts(source: Path, shards: int) -> None:
    """Three partitions in folders: JSONL with bad rows, JSONL of so many shards, and Parquet."""
    posts = [{"id": f"p{n}", "text": f"{TEXTS[n % 4]}, новость {n}."} for n in range(shards * SHARD - 9)]
    lines = [json.dumps(post, ensure_ascii=False) for post in posts]
    for name, content in (
        ("day=1/a.jsonl", [*lines[:70], '{"id": "no text"}', "{torn", *lines[70:75]]),
        ("day=2/b.jsonl", lines),
    ):
        (source / name).parent.mkdir(parents=True)
        (source / name).write_text("\n".join(content), "utf-8")
    pq.write_table(pa.Table.from_pylist(posts[:20]), source / "c.parquet")


@pytest.fixture(scope="module")
def posts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    source = tmp_path_factory.mktemp("ray") / "posts"
    write_posts(source, shards=SHARDS)
    return source


@pytest.fixture(scope="module")
def local(posts: Path) -> dict[str, bytes]:
    """The partitions scored one by one without Ray."""
    output = posts.parent / "local"
    for name, path in find(posts, output).items():
        result = (output / name).with_suffix(".parquet")
        result.parent.mkdir(parents=True, exist_ok=True)
        score_file(Checker(**FAST), path, result)
    return contents(output)


@pytest.fixture(scope="module")
def ray() -> Iterator[Any]:
    """A Ray of two CPUs, and of a GPU that is not there."""
    with ExitStack() as stack:
        options = cluster._local(2, stack)
        module = pytest.importorskip("ray", reason="Ray is not installed")
        module.init(**options, num_gpus=1, log_to_driver=False)
        yield module
        module.shutdown()


def contents(output: Path) -> dict[str, bytes]:
    return {path.relative_to(output).as_posix(): path.read_bytes() for path in output.rglob("*.parquet")}


def command(source: Path, output: Path, *options: str) -> list[str]:
    run = [sys.executable, "-c", "from checker.cli.app import main; main()", "score", str(source)]
    return [
        *run,
        "-o",
        str(output),
        "--runner",
        "ray",
        "--fast",
        "--no-encoder",
        "--language",
        "ru",
        *options,
    ]


def descendants(pid: int) -> dict[int, str]:
    """Command lines of the processes below one, by number."""
    found = {}
    for path in Path("/proc").glob(f"{pid}/task/*/children"):
        try:
            for child in map(int, path.read_text().split()):
                found[child] = Path(f"/proc/{child}/cmdline").read_text().replace("\0", " ")
                found |= descendants(child)
        except (FileNotFoundError, ProcessLookupError):
            continue
    return found


def actors(pid: int) -> list[int]:
    return [child for child, line in descendants(pid).items() if line.startswith("ray::MapWorker")]


def folders(processes: dict[int, str]) -> set[Path]:
    """Folders of the Ray that these processes are."""
    return {Path(name) for line in processes.values() for name in re.findall(r"--temp-dir=(\S+)", line)}


def wait_for(what: Callable[[], Any], seconds: float = 240) -> Any:
    until = time.monotonic() + seconds
    while not (found := what()):
        assert time.monotonic() < until, "it never came"
        time.sleep(0.02)
    return found


def in_flight(output: Path) -> list[Path]:
    """Notes of shards that a worker has begun and not finished."""
    notes = output.glob(f"{PARTS}/*/*.tries")
    return [note for note in notes if not note.with_suffix(".jsonl").exists()]


LOOPBACK = {"0100007F", "0" * 24 + "01000000", "0000000000000000FFFF00000100007F"}
"""127.0.0.1, ::1 and ::ffff:127.0.0.1 as /proc/net has them."""


def listening(processes: Iterable[int]) -> set[str]:
    """Addresses on which these processes wait for connections."""
    files = set()
    for process in processes:
        for path in Path(f"/proc/{process}/fd").glob("*"):
            try:
                files.add(os.readlink(path))
            except FileNotFoundError:
                continue
    tables = "".join(Path("/proc/net", name).read_text() for name in ("tcp", "tcp6"))
    lines = [line.split() for line in tables.splitlines()]
    return {line[1].partition(":")[0] for line in lines if line[3] == "0A" and f"socket:[{line[9]}]" in files}


def size(note: Path) -> float:
    """How often its shard was begun; for ever, if its partition is written and it is gone."""
    try:
        return note.stat().st_size
    except FileNotFoundError:
        return float("inf")


# -- on a Ray that runs --------------------------------------------------------------------------------


@pytest.mark.slow
def test_scores_are_those_of_a_local_run(
    ray: Any, posts: Path, local: dict[str, bytes], tmp_path: Path
) -> None:
    output = tmp_path / "scores"
    summary = score_directory(posts, output, Settings(**FAST))
    assert contents(output) == local
    assert (summary.rows, summary.errors) == (SHARDS * SHARD - 9 + 77 + 20, 2)
    assert summary.languages == {"ru": summary.rows - 2}
    rejects = [json.loads(line) for line in rejects_path(output).read_text("utf-8").splitlines()]
    assert [(r["partition"], r["row"], r["raw"]) for r in rejects] == [
        ("day=1/a.jsonl", 71, '{"id": "no text"}'),
        ("day=1/a.jsonl", 72, "{torn"),
    ]
    assert not (output / PARTS).exists()

    times = {path: path.stat().st_mtime_ns for path in output.rglob("*.parquet")}
    (output / "c.parquet").unlink()
    assert score_directory(posts, output, Settings(**FAST)).verdicts == summary.verdicts
    assert contents(output) == local
    new = {path for path in output.rglob("*.parquet") if times[path] != path.stat().st_mtime_ns}
    assert new == {output / "c.parquet"}


@pytest.mark.slow
def test_round_trips_are_those_of_a_local_run(ray: Any, tmp_path: Path) -> None:
    source = tmp_path / "posts.jsonl"
    source.write_text("\n".join(json.dumps({"text": text}) for text in TEXTS), "utf-8")
    score_directory(source, tmp_path / "scores")
    score_file(Checker(), source, tmp_path / "posts.parquet")
    assert (tmp_path / "scores" / "posts.parquet").read_bytes() == (tmp_path / "posts.parquet").read_bytes()
    assert all(pq.read_table(tmp_path / "posts.parquet")["round_trip.chrf"].to_pylist())


@pytest.mark.slow
def test_a_calibration_of_ones_own_is_that_of_a_local_run(
    ray: Any, posts: Path, checker: Checker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # where the actors are not
    own(Checker(round_trip=False, store=checker.store)).write(Path("own.json"))
    score_directory(posts / "c.parquet", "scores", Settings(**FAST, calibration=Path("own.json")))
    score_file(Checker(**FAST, calibration="own.json"), posts / "c.parquet", "c.parquet")
    assert Path("scores", "c.parquet").read_bytes() == Path("c.parquet").read_bytes()
    models = pq.read_table("c.parquet")["models"].to_pylist()
    assert all(json.loads(model)["calibration"].startswith("own.json@") for model in models)
    own(Checker(round_trip=False, store=checker.store), posts={"native": 5}).write(Path("own.json"))
    with pytest.raises(CheckerError, match="is of another run: calibration was"):
        score_directory(posts / "c.parquet", "scores", Settings(**FAST, calibration=Path("own.json")))


@pytest.mark.slow
def test_a_killed_worker_loses_and_doubles_no_row(
    ray: Any, posts: Path, local: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    output, tries, rmtree = tmp_path / "scores", [], shutil.rmtree

    def remove(path: Path, **options: Any) -> None:
        tries.extend(note.stat().st_size for note in path.rglob("*.tries"))
        rmtree(path, **options)

    monkeypatch.setattr(distributed.shutil, "rmtree", remove)
    kills = 0
    with ThreadPoolExecutor() as pool:
        run = pool.submit(score_directory, posts, output, Settings(**FAST))
        while kills < 3:
            begun = {note: size(note) for note in wait_for(lambda: run.done() or in_flight(output))}
            for actor in actors(os.getpid()):
                os.kill(actor, signal.SIGKILL)
            lost = [note for note in in_flight(output) if note in begun]
            wait_for(lambda: all(size(note) > begun[note] for note in lost))  # noqa: B023
            kills += bool(lost)
        summary = run.result()
    assert sum(tries) >= len(tries) + kills, "shards were scored again"
    assert summary.rows == SHARDS * SHARD - 9 + 77 + 20
    assert contents(output) == local


@pytest.mark.slow
def test_a_worker_without_a_device_is_an_error_in_words(ray: Any, posts: Path, tmp_path: Path) -> None:
    settings = Settings(round_trip=False, encoder=False, language="ru", device="cuda")
    with pytest.raises(CheckerError, match="sees no CUDA device"):
        score_directory(posts / "c.parquet", tmp_path / "scores", settings)


@pytest.mark.slow
def test_a_file_that_cannot_be_read_is_an_error_in_words(ray: Any, tmp_path: Path) -> None:
    (tmp_path / "posts.parquet").write_bytes(b"not Parquet")
    with pytest.raises(CheckerError, match=r"posts\.parquet cannot be read"):
        score_directory(tmp_path / "posts.parquet", tmp_path / "scores", Settings(**FAST))


# -- the command, with a Ray of its own ----------------------------------------------------------------


@pytest.mark.slow
def test_a_killed_run_goes_on_to_the_same_bytes(posts: Path, local: dict[str, bytes], tmp_path: Path) -> None:
    pytest.importorskip("ray", reason="Ray is not installed")
    output = tmp_path / "scores"
    run = subprocess.Popen(command(posts, output), stderr=subprocess.DEVNULL)
    manifest = output / "_manifest.jsonl"
    wait_for(lambda: run.poll() is not None or (manifest.exists() and manifest.read_text().count("\n") > 1))
    processes = descendants(run.pid)
    [folder] = folders(processes)
    run.kill()
    assert run.wait() == -signal.SIGKILL, "it was killed before it ended"
    named = [json.loads(line)["partition"] for line in manifest.read_text().splitlines()[1:]]
    paths = [(output / name).with_suffix(".parquet") for name in named]
    written = {path: path.stat().st_mtime_ns for path in paths}
    assert 0 < len(written) < len(local), "it was killed between two partitions"

    def left() -> list[int]:
        return [process for process, line in processes.items() if alive(process, line)]

    wait_for(lambda: all("Agent" in processes[process] for process in left()))
    for process in left():  # agents of Ray, which would end within a minute
        os.kill(process, signal.SIGKILL)
    shutil.rmtree(folder)

    done = subprocess.run(command(posts, output), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stderr.startswith(f"{len(written)} of {len(local)} partitions are written already.\n")
    assert f"{SHARDS * SHARD - 9 + 77 + 20} rows in" in done.stderr
    assert str(rejects_path(output)) in done.stderr
    assert contents(output) == local
    assert all(path.stat().st_mtime_ns == written[path] for path in written)


@pytest.mark.slow
@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_a_run_that_is_stopped_is_heard_by_nobody_and_leaves_nothing(
    posts: Path, tmp_path: Path, stop: signal.Signals
) -> None:
    pytest.importorskip("ray", reason="Ray is not installed")
    output = tmp_path / "scores"
    run = subprocess.Popen(command(posts, output), stderr=subprocess.PIPE, text=True)
    wait_for(lambda: run.poll() is not None or [*output.glob(f"{PARTS}/*/*.jsonl")])
    processes = descendants(run.pid)
    addresses = listening(processes)
    [folder] = folders(processes)
    assert folder.is_dir()
    run.send_signal(stop)
    _, told = run.communicate(timeout=240)
    assert run.returncode == 130
    assert re.fullmatch(r"checker: interrupted\. Resume with: checker score .*--runner ray.*\n", told)
    assert addresses
    assert addresses <= LOOPBACK
    wait_for(lambda: not any(alive(process, line) for process, line in processes.items()), seconds=60)
    assert not folder.exists()
    assert not Path(f"{output}.lock").exists()


@pytest.mark.slow
def test_a_process_can_start_one_ray_after_the_other() -> None:
    """Ray reads its token once a process: a second one with another token would not be let in."""
    pytest.importorskip("ray", reason="Ray is not installed")
    twice = """
from checker.runs.ray.cluster import connected
for number in range(2):
    with connected(None, 1):
        import ray
        print(ray.get(ray.remote(lambda: number).remote()))
"""
    done = subprocess.run([sys.executable, "-c", twice], capture_output=True, text=True)
    assert done.stdout.split() == ["0", "1"], done.stderr


@pytest.mark.slow
def test_models_that_were_not_downloaded_are_an_error_in_words(posts: Path, tmp_path: Path) -> None:
    pytest.importorskip("ray", reason="Ray is not installed")
    run = command(posts / "c.parquet", tmp_path / "scores", "--profile", "hub", "--workers", "1")
    run[run.index("--fast")] = "--no-round-trip"  # a language model is wanted
    home = {**os.environ, "STATEMENT_CHECKER_HOME": str(tmp_path / "home")}
    done = subprocess.run(run, capture_output=True, text=True, env=home)
    assert done.returncode == 2
    assert re.match(r"checker: .* is not on this machine.*checker models download", done.stderr)


def test_a_ray_that_does_not_start_is_an_error_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    module = pytest.importorskip("ray", reason="Ray is not installed")

    def late(**options: Any) -> None:
        raise Exception("The current node timed out during startup.")

    monkeypatch.setattr(module, "init", late)
    with pytest.raises(
        CheckerError, match=r"could not be reached on this machine \(The current node timed out"
    ):
        cluster._init({"address": "local"})


def alive(pid: int, line: str) -> bool:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ") == line != ""
    except (FileNotFoundError, ProcessLookupError):
        return False


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (["--runner", "spark"], "Invalid value for '--runner': 'spark' is not one of"),
        (["--runner", "local", "--address", "127.0.0.1:9"], "--address is for Ray"),
        (["--workers", "0"], "workers must be at least 1"),
        (["--threads", "0"], "threads must be at least 1"),
        (["--address", "127.0.0.1:9"], "Ray could not be reached at 127.0.0.1:9"),
    ],
)
def test_mistakes_are_told(tmp_path: Path, options: list[str], problem: str) -> None:
    pytest.importorskip("ray", reason="Ray is not installed")
    write_posts(tmp_path / "posts", shards=1)
    run = command(tmp_path / "posts", tmp_path / "scores", *options)
    done = subprocess.run(run, capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr.startswith(f"checker: {problem}")


# -- an actor, without Ray -----------------------------------------------------------------------------


@pytest.fixture
def scorer(monkeypatch: pytest.MonkeyPatch) -> Callable[..., distributed._Scorer]:
    """Make the object that is an actor on Ray."""
    for name in ("RAYON_NUM_THREADS", "OMP_NUM_THREADS"):
        monkeypatch.setenv(name, "7")

    def make(models: dict[str, str] | None = None, threads: int = 1) -> distributed._Scorer:
        settings = Settings(**FAST, threads=threads)
        numbers = Checker(settings).arithmetic
        return distributed._Scorer(distributed._Job(settings, ("", ""), models or {}, numbers, None))

    return make


def shard_of(parts: Path) -> pa.Table:
    rows = [distributed._encode(Post(f"p{n}", n, TEXTS[n])) for n in (1, 2, 3)]
    return pa.Table.from_pylist(
        [{"partition": "a.jsonl", "parts": str(parts), "number": 0, "rows": rows, "rejects": []}]
    )


@pytest.mark.parametrize("threads", [1, 2])
def test_an_actor_has_the_threads_that_it_is_given(
    scorer: Callable[..., distributed._Scorer], threads: int
) -> None:
    model = scorer(threads=threads)._checker.models.language_model("ru")
    assert model._generator.num_generators == threads
    assert os.environ["RAYON_NUM_THREADS"] == os.environ["OMP_NUM_THREADS"] == str(threads)


def test_an_actor_scores_a_shard_once(tmp_path: Path, scorer: Callable[..., distributed._Scorer]) -> None:
    [done] = scorer()(shard_of(tmp_path)).to_pylist()
    assert done == {"partition": "a.jsonl", "number": 0, "rows": 3, "problem": ""}
    first, *rest = (tmp_path / "00000000.jsonl").read_text("utf-8").splitlines()
    assert json.loads(first)["id"] == "p1"
    assert len(rest) == 3  # two rows, and the line before the rejects


def test_a_shard_that_ends_its_workers_ends_the_run(
    tmp_path: Path, scorer: Callable[..., distributed._Scorer]
) -> None:
    for _ in range(TRIES):
        claim_shard(tmp_path, 0)
    [done] = scorer()(shard_of(tmp_path)).to_pylist()
    assert done["problem"].startswith(f"Rows 1 to 3 of a.jsonl have ended their worker {TRIES} times.")
    assert not (tmp_path / "00000000.jsonl").exists()


def test_a_machine_with_other_models_is_found_out(
    tmp_path: Path, scorer: Callable[..., distributed._Scorer]
) -> None:
    [done] = scorer({"ru.npz": "0" * 64})(shard_of(tmp_path)).to_pylist()
    assert "differ from those here (ru.npz)" in done["problem"]


def test_there_is_at_least_one_worker(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="workers must be at least 1"):
        score_directory(tmp_path, tmp_path / "scores", Settings(**FAST), workers=0)
