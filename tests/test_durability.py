"""Whatever ends a run, the same command finishes it to the bytes of a run left alone."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_batch import StandIn, posts_file
from test_cli import REAL, run

from checker.errors import CheckerError, InputError, OutputError
from checker.models import Store
from checker.runs import local as batch
from checker.runs.journal import Input, Journal, Run, alone
from checker.runs.local import CHUNK, journal_path, score_file
from checker.runs.rejects import rejects_path
from scripts.bench.reliability import survive, write_posts

ROWS = 5 * CHUNK + 7

RUN = """
import sys
from pathlib import Path
from typing import Any
sys.path.insert(0, sys.argv[1])
from test_batch import StandIn
from checker.runs.local import score_file
from checker.errors import CheckerError
try:
    score_file(StandIn(pause=float(sys.argv[4])), sys.argv[2], Path(sys.argv[3]))
except CheckerError as error:
    sys.exit(str(error))
"""


def command(source: Path, output: Path, pause: float = 0.0) -> list[str]:
    """Score with a stand-in, in a process of its own."""
    return [sys.executable, "-c", RUN, str(Path(__file__).parent), str(source), str(output), str(pause)]


def wait_for(condition: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert process.poll() is None, "finished too early"
        assert time.monotonic() < deadline
        time.sleep(0.005)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return posts_file(tmp_path, ROWS)


@pytest.fixture
def whole(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The output of a run left alone; its rejects are beside it."""
    path = tmp_path_factory.mktemp("whole") / "out.jsonl"
    score_file(StandIn(), source, path)
    return path


def same(output: Path, whole: Path) -> bool:
    """Whether an output and its rejects equal those of a run left alone, with nothing else beside them."""
    names = [whole.name, f"{whole.name}.rejects.jsonl"]
    left = {path.name for path in output.parent.iterdir()} - {"posts.jsonl"}
    return left == set(names) and all(
        (output.parent / name).read_bytes() == (whole.parent / name).read_bytes() for name in names
    )


# Kills


@pytest.mark.parametrize(("rows", "kills"), [(3 * CHUNK, 1), pytest.param(600, 6, marks=pytest.mark.slow)])
def test_no_row_is_lost_or_doubled_by_kills_at_random_moments(tmp_path: Path, rows: int, kills: int) -> None:
    source = tmp_path / "posts.jsonl"
    write_posts(source, rows)
    figures = survive(source, ".jsonl", kills, seed=rows)
    assert figures.kills == kills
    assert figures.checked == figures.outputs * rows > 0
    assert (figures.lost, figures.doubled, figures.changed) == (0, 0, 0)


POINTS = """
import os, pathlib, signal, shutil, sys
sys.path.insert(0, sys.argv[1])
import filelock, rich.progress  # once, rather than in every child
import checker.io.database, checker.runs.journal
from test_batch import StandIn
from checker.runs.local import score_file

source, folder, name = pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3]), sys.argv[4]
journal = folder / f"{name}.journal"
calls = synced = 0

def mortal(function, point, torn):
    def call(*args, **kwargs):
        global calls, synced
        calls += 1
        if calls == point:
            if torn and journal.exists():  # a power cut: of what was not synced, some is lost
                os.truncate(journal, max(journal.stat().st_size - torn, synced))
            os.kill(os.getpid(), signal.SIGKILL)
        result = function(*args, **kwargs)
        if function.__name__ in ("fsync", "replace") and journal.exists():
            synced = journal.stat().st_size
        return result
    return call

def die(point, torn):
    for function in ("fsync", "replace", "unlink", "open", "close"):
        setattr(os, function, mortal(getattr(os, function), point, torn))
    checker.runs.journal._record = mortal(checker.runs.journal._record, point, torn)

def run(point=0, torn=0):
    child = os.fork()
    if not child:
        if point:
            die(point, torn)
        score_file(StandIn(), source, folder / name)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

def left():
    return {path.name: path.read_bytes() for path in folder.iterdir()}

assert run() == 0
whole, points = left(), 0
for torn in map(int, sys.argv[5:]):
    for point in range(1, 1000):
        shutil.rmtree(folder)
        folder.mkdir()
        status = run(point, torn)
        if status == 0:
            break
        assert status == -signal.SIGKILL, status
        assert run() == 0, point
        assert left() == whole, (point, torn, sorted(left()))
        points += 1
print(points)
"""


@pytest.mark.parametrize(
    ("name", "torn"),
    [
        ("out.jsonl", [100]),
        pytest.param("out.jsonl", [0], marks=pytest.mark.slow),
        pytest.param("out.csv", [0], marks=pytest.mark.slow),
        pytest.param("out.sqlite", [0], marks=pytest.mark.slow),
    ],
)
def test_a_crash_at_any_system_call_is_survived(tmp_path: Path, name: str, torn: list[int]) -> None:
    (tmp_path / "out").mkdir()
    source = posts_file(tmp_path, CHUNK + 7)
    args = [sys.executable, "-c", POINTS, str(Path(__file__).parent), source, tmp_path / "out", name]
    args += map(str, torn)
    done = subprocess.run(args, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) >= 20 * len(torn)


def test_the_output_is_on_the_disk_before_the_journal_goes(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a power cut could not undo: files are synced before they are renamed, their folder after it."""
    done: list[tuple[str, str]] = []

    def recorded(name: str) -> None:
        function = getattr(os, name)

        def call(*args: object, **kwargs: object) -> object:
            path = os.readlink(f"/proc/self/fd/{args[0]}") if name == "fsync" else str(args[0])
            done.append((name, Path(path).name))
            return function(*args, **kwargs)

        monkeypatch.setattr(os, name, call)

    if not Path("/proc/self/fd").is_dir():
        pytest.skip("there is no /proc")
    for name in ("fsync", "replace", "unlink"):
        recorded(name)
    score_file(StandIn(), source, tmp_path / "out.jsonl")
    steps = [step for step in done if step[0] != "unlink" or step[1].endswith(".journal")]
    folder, journal, out = tmp_path.name, "out.jsonl.journal", "out.jsonl"
    rejects = f"{out}.rejects.jsonl"

    def published(name: str) -> list[tuple[str, str]]:
        return [("fsync", f"{name}.tmp"), ("replace", f"{name}.tmp"), ("fsync", folder)]

    assert steps == [
        *published(journal),
        *[("fsync", journal)] * -(-ROWS // CHUNK),
        *published(rejects),
        *published(out),
        ("unlink", journal),
    ]


# A disk that is full


def test_a_file_that_cannot_grow_is_finished_when_it_can(source: Path, whole: Path, tmp_path: Path) -> None:
    output = tmp_path / "out.jsonl"
    limits = [3_000, 30_000, 60_000, whole.stat().st_size - 1000]
    seen = []
    for limit in limits:
        limited = ["bash", "-c", f'ulimit -f {limit // 1024 + 1}; exec "$@"', "-"]
        done = subprocess.run(
            [*limited, *command(source, output)], capture_output=True, text=True, check=False
        )
        assert done.returncode == 1
        assert "cannot be written: File too large. Free space" in done.stderr
        assert "Traceback" not in done.stderr
        assert not output.exists()
        assert not list(tmp_path.glob("*.tmp"))
        journal = journal_path(output)
        seen.append(journal.stat().st_size if journal.exists() else 0)
    assert seen == sorted(seen)
    assert seen[-1] > seen[0]
    score_file(StandIn(), source, output)
    assert same(output, whole)


@contextmanager
def file_system(path: Path, size: str) -> Iterator[None]:
    """A small file system of its own at a path."""
    path.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", path]
    if shutil.which("mount") is None or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("this user may not mount a file system")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", path], check=True)  # a traceback may hold a file of it


def test_a_full_disk_is_survived(source: Path, whole: Path, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    with file_system(disk, "64k"):
        for _ in range(2):
            with pytest.raises(OutputError, match=r"No space left on device\. Free space"):
                score_file(StandIn(), source, disk / "out.jsonl")
            assert {path.name for path in disk.iterdir()} == {"out.jsonl.journal"}
        subprocess.run(["mount", "-o", "remount,size=8m", disk], check=True)
        rest = StandIn()
        score_file(rest, source, disk / "out.jsonl")
        assert 0 < rest.scored < ROWS * 9 / 10 - CHUNK / 2  # it went on
        assert same(disk / "out.jsonl", whole)


def test_an_output_on_another_disk_is_written_through_its_link(
    source: Path, whole: Path, tmp_path: Path
) -> None:
    disk, link = tmp_path / "disk", tmp_path / "scores.jsonl"
    link.symlink_to(disk / "out.jsonl")
    with pytest.raises(OutputError, match="There is no folder"):
        score_file(StandIn(), source, link)
    with file_system(disk, "8m"):
        with pytest.raises(CheckerError, match="device is gone"):
            score_file(StandIn(stop_at=f"p{CHUNK + 3}"), source, link)
        assert journal_path(link) == disk / "out.jsonl.journal"
        with alone(disk / "out.jsonl"), pytest.raises(OutputError, match="Another run"):
            score_file(StandIn(), source, link)
        score_file(StandIn(), source, link)
        assert link.is_symlink()
        assert same(disk / "out.jsonl", whole)


@pytest.mark.parametrize("full", ["out.jsonl.rejects.jsonl", "out.jsonl"])
def test_a_disk_that_is_full_when_the_results_are_written_is_survived(tmp_path: Path, full: str) -> None:
    source, disk, whole = tmp_path / "posts.jsonl", tmp_path / "disk", tmp_path / "whole" / "out.jsonl"
    source.write_text("".join(f"{n} {'no JSON ' * 120}\n" for n in range(300)))
    whole.parent.mkdir()
    score_file(StandIn(), source, whole)
    rejects, results = rejects_path(whole).stat().st_size, whole.stat().st_size
    size = rejects + results + rejects // 2  # the journal has the lines of both
    if full == whole.name:
        size += rejects // 2 + results // 2
    with file_system(disk, str(size)):
        (disk / "out.jsonl").write_text("old")
        with pytest.raises(OutputError, match=rf"{full} cannot be written: No space left on device"):
            score_file(StandIn(), source, disk / "out.jsonl")
        assert (disk / "out.jsonl").read_text() == "old"
        assert not [*disk.glob("*.tmp")]
        subprocess.run(["mount", "-o", "remount,size=8m", disk], check=True)
        score_file(StandIn(), source, disk / "out.jsonl")
        assert same(disk / "out.jsonl", whole)


def test_a_chunk_that_did_not_reach_the_disk_is_not_in_the_journal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = Journal(tmp_path / "journal", OTHER)
    journal.append(['{"id":"1"}'])

    def failing(descriptor: int) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", failing)
        with pytest.raises(OutputError, match="Input/output error"):
            journal.append(['{"id":"2"}'])
    assert list(journal.read_rows()) == ['{"id":"1"}']
    journal.append(['{"id":"3"}'])
    journal.close()
    assert list(Journal(tmp_path / "journal", OTHER).read_rows()) == ['{"id":"1"}', '{"id":"3"}']


# Two at once


def test_two_runs_of_one_output_exclude_each_other(source: Path, whole: Path, tmp_path: Path) -> None:
    output = tmp_path / "out.jsonl"
    process = subprocess.Popen(command(source, output, pause=0.002), text=True)
    wait_for(lambda: journal_path(output).exists(), process)
    for restart in (False, True):
        with pytest.raises(OutputError, match="Another run is writing"):
            score_file(StandIn(), source, output, restart=restart)
    assert process.wait(60) == 0
    assert same(output, whole)


def test_of_many_runs_at_once_each_ends_whole_or_refused(source: Path, whole: Path, tmp_path: Path) -> None:
    output = tmp_path / "out.jsonl"
    processes = [
        subprocess.Popen(command(source, output, 0.001), stderr=subprocess.PIPE, text=True) for _ in range(4)
    ]
    told = [process.communicate(timeout=60)[1] for process in processes]
    codes = [process.returncode for process in processes]
    # One that starts when the first has ended finds its scores and has nothing to do.
    assert codes.count(0) >= 1
    assert codes.count(0) + codes.count(1) == 4
    refused = [text for code, text in zip(codes, told, strict=True) if code]
    assert all("Another run is writing" in text for text in refused)
    assert same(output, whole)


def test_the_lock_of_a_killed_run_does_not_keep_others_out(tmp_path: Path) -> None:
    output = tmp_path / "out.jsonl"
    output.with_name("out.jsonl.lock").touch()
    with alone(output), pytest.raises(OutputError, match="Another run"), alone(output):
        pass
    assert list(tmp_path.iterdir()) == []


# The same run, or another


@pytest.fixture
def interrupted(source: Path, tmp_path: Path) -> tuple[Path, Path]:
    """Input and output of a run that failed in its second chunk."""
    output = tmp_path / "out.jsonl"
    with pytest.raises(CheckerError, match="device is gone"):
        score_file(
            StandIn(stop_at=f"p{CHUNK + 3}"), source, output, options={"pivot": "en"}, models={"a": "1"}
        )
    assert not output.exists()
    return source, output


def test_a_failed_run_is_resumed(interrupted: tuple[Path, Path], whole: Path) -> None:
    scorer = StandIn()
    summary = score_file(scorer, *interrupted, options={"pivot": "en"}, models={"a": "1"})
    assert summary.rows == ROWS
    assert scorer.scored == sum(n % 10 > 0 for n in range(CHUNK, ROWS))
    assert same(interrupted[1], whole)


CHANGES = {
    "option": ({"options": {"pivot": "ru"}}, "pivot was 'en' and is 'ru'"),
    "new option": ({"options": {"pivot": "en", "engine": "x"}}, "engine was None and is 'x'"),
    "column": ({"id_column": "nr"}, "id_column was 'id' and is 'nr'"),
    "model": ({"models": {"a": "2"}}, "the model a has changed"),
    "no model": ({"models": {}}, "the model a has changed"),
    "input": ({}, "the input was .* with another content"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_another_run_is_refused_until_it_may_start_over(interrupted: tuple[Path, Path], change: str) -> None:
    source, output = interrupted
    if change == "input":  # of the same size, at the same time
        before = source.stat()
        source.write_bytes(source.read_bytes().replace("я".encode(), "ю".encode()))
        os.utime(source, ns=(before.st_atime_ns, before.st_mtime_ns))
    changed, told = CHANGES[change]
    arguments = {"options": {"pivot": "en"}, "models": {"a": "1"}} | changed
    journal = journal_path(output).read_bytes()
    scorer = StandIn()
    with pytest.raises(OutputError, match=rf"out\.jsonl\.journal is of another run: {told}.*--restart"):
        score_file(scorer, source, output, **arguments)
    assert scorer.scored == 0
    assert journal_path(output).read_bytes() == journal
    summary = score_file(scorer, source, output, restart=True, **arguments)
    assert scorer.scored + summary.errors == summary.rows == ROWS


def test_a_model_that_was_missing_may_be_fetched(interrupted: tuple[Path, Path], whole: Path) -> None:
    """It stopped the run, so nothing was scored with it; from then on it counts."""
    source, output = interrupted
    more = {"a": "1", "b": "1"}
    with pytest.raises(CheckerError):
        score_file(StandIn(stop_at=f"p{2 * CHUNK + 3}"), source, output, options={"pivot": "en"}, models=more)
    with pytest.raises(OutputError, match="the model b has changed"):
        score_file(StandIn(), source, output, options={"pivot": "en"}, models=more | {"b": "2"})
    score_file(StandIn(), source, output, options={"pivot": "en"}, models=more)
    assert same(output, whole)


def test_a_moved_input_is_the_same_input(interrupted: tuple[Path, Path], whole: Path) -> None:
    source, output = interrupted
    moved = source.parent / "moved"
    moved.mkdir()
    source.rename(moved / "posts.jsonl")
    scorer = StandIn()
    score_file(scorer, moved / "posts.jsonl", output, options={"pivot": "en"}, models={"a": "1"})
    assert scorer.scored < ROWS * 9 / 10 - CHUNK / 2
    assert output.read_bytes() == whole.read_bytes()


def test_a_run_that_did_nothing_keeps_no_other_out(source: Path, tmp_path: Path) -> None:
    """Killed before its first chunk: there is a journal, with nothing in it to lose."""
    output = tmp_path / "out.jsonl"
    Journal(journal_path(output), OTHER)
    assert score_file(StandIn(), source, output).rows == ROWS


def test_an_input_that_changes_while_it_is_scored_is_refused(
    source: Path, whole: Path, tmp_path: Path
) -> None:
    class Meddler(StandIn):
        def score_many(self, texts, ids=None):
            source.write_bytes(content + b"\n")
            return super().score_many(texts, ids)

    content, output = source.read_bytes(), tmp_path / "out.jsonl"
    with pytest.raises(InputError, match="changed while it was scored"):
        score_file(Meddler(), source, output)
    assert not output.exists()
    source.write_bytes(content)
    again = StandIn()
    summary = score_file(again, source, output)
    assert again.scored + summary.errors == ROWS, "rows that may be of either file are not kept"
    assert same(output, whole)


def test_an_input_that_goes_away_while_it_is_scored_is_an_error_in_words(
    source: Path, whole: Path, tmp_path: Path
) -> None:
    class Thief(StandIn):
        def score_many(self, texts, ids=None):
            source.unlink(missing_ok=True)
            return super().score_many(texts, ids)

    content, output = source.read_bytes(), tmp_path / "out.jsonl"
    with pytest.raises(InputError, match=r"posts\.jsonl cannot be read: No such file"):
        score_file(Thief(), source, output)
    source.write_bytes(content)
    again = StandIn()
    score_file(again, source, output)
    assert again.scored == 0, "it had only to be written"
    assert same(output, whole)


def test_an_input_that_another_takes_the_place_of_as_the_run_begins_is_refused(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows, read_all = iter(range(ROWS)), batch.read_all

    def swapped(*asked: Any) -> object:
        opened = read_all(*asked)
        posts_file(tmp_path, next(rows))
        return opened

    monkeypatch.setattr(batch, "read_all", swapped)
    with pytest.raises(InputError, match="changed while it was scored"):
        score_file(StandIn(), source, tmp_path / "out.jsonl")


def test_a_pipe_is_not_resumed(tmp_path: Path) -> None:
    lines = b'{"text": "one"}\n' * 2 * CHUNK
    output = tmp_path / "out.jsonl"
    done = run("score", "-", "-o", output, data=lines)
    assert done.returncode == 0
    assert len(output.read_bytes().splitlines()) == 2 * CHUNK
    journal = Journal(journal_path(output), Run(input=None, options={}, models={}))
    journal.append(['{"id":"1"}'])  # and killed here
    refused = run("score", "-", "-o", output, data=lines)
    assert refused.returncode == 2
    assert "a pipe cannot be read again" in refused.stderr
    assert run("score", "-", "-o", output, "--restart", data=lines).returncode == 0


def test_the_models_on_this_machine_are_known_by_their_content(copied_models: Callable[..., Path]) -> None:
    shipped = Store().digests("embedded")
    assert {"registry.toml", "verdict.json", "fluency.json", "ru.npz", "embedded/translator"} <= set(shipped)
    registry = copied_models("verdict.json", "models.lock")
    assert Store(registry).digests("embedded") == shipped
    (registry.parent / "embedded" / "verdict.json").write_text("{}")
    lock = registry.parent / "embedded" / "models.lock"
    models = json.loads(lock.read_text())
    next(iter(models["embedded/translator"]["files"].values()))["sha256"] = "0" * 64
    lock.write_text(json.dumps(models))
    digests = Store(registry).digests("embedded")
    changed = {name for name in shipped if digests[name] != shipped[name]}
    assert changed == {"verdict.json", "embedded/translator"}


def test_the_command_refuses_and_starts_over(tmp_path: Path) -> None:
    source, output = tmp_path / "posts.jsonl", tmp_path / "out.jsonl"
    text = "The ferry does not leave today because of the storm."
    source.write_text(f'{{"text": "{text}"}}\n' * 10 * CHUNK)
    args = ("score", source, "-o", output, "--no-round-trip")
    process = subprocess.Popen([*REAL, *map(str, args)], stderr=subprocess.PIPE, text=True)
    journal = journal_path(output)
    wait_for(lambda: journal.exists() and journal.read_bytes().count(b"chunk") > 1, process)
    process.kill()
    process.communicate()
    refused = run(*args, "--pivot", "de", command=REAL)
    assert refused.returncode == 2
    assert "pivot was 'en' and is 'de'" in refused.stderr
    assert refused.stderr.count("\n") == 1
    done = run(*args, command=REAL)
    assert "Going on after" in done.stderr
    assert f"languages: en {10 * CHUNK}\n" in done.stderr
    assert re.search(
        r"models: arithmetic \S+; encoder \S+; fluency \S+; profile embedded; style embedded/style-en@",
        done.stderr,
    )
    assert len(output.read_bytes().splitlines()) == 10 * CHUNK


# Torn journals

OTHER = Run(input=Input(path="posts.jsonl", size=1, sha256="0" * 64), options={"pivot": "en"}, models={})
LINE = st.dictionaries(st.sampled_from(["id", "text"]), st.text(), min_size=1).map(
    lambda record: json.dumps(record, ensure_ascii=False)
)
CHUNKS = st.lists(
    st.tuples(st.lists(LINE, min_size=1, max_size=4), st.lists(LINE, max_size=2)), min_size=1, max_size=4
)


def journal_of(chunks: list[tuple[list[str], list[str]]], path: Path) -> list[int]:
    """Write a journal; where each of its chunks ends, the first number is the end of its head."""
    journal = Journal(path, OTHER)
    ends = [path.stat().st_size]
    for rows, rejects in chunks:
        journal.append(rows, rejects)
        ends.append(path.stat().st_size)
    return ends


@settings(max_examples=60, deadline=None)
@given(chunks=CHUNKS, data=st.data())
def test_of_a_journal_cut_anywhere_the_whole_chunks_are_left(
    chunks: list[tuple[list[str], list[str]]], data: st.DataObject
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "journal")
        ends = journal_of(chunks, path)
        length = data.draw(st.integers(ends[0], ends[-1]))
        tail = data.draw(st.sampled_from([b"", b"\0" * 50, b"chunk 10 00000000\n", b"chunk 999999999999 0"]))
        path.write_bytes(path.read_bytes()[:length] + tail)
        kept = chunks[: sum(end <= length for end in ends[1:])]
        journal = Journal(path, OTHER)
        assert list(journal.read_rows()) == [row for rows, _ in kept for row in rows]
        assert list(journal.read_rejects()) == [reject for _, rejects in kept for reject in rejects]
        journal.append(["{}"], ["{}"])
        journal.close()
        journal = Journal(path, OTHER)
        assert journal.rows == sum(len(rows) for rows, _ in kept) + 1
        assert list(journal.read_rows())[-1] == "{}"


@settings(max_examples=100, deadline=None)
@given(chunks=CHUNKS, data=st.data())
def test_a_journal_with_a_wrong_byte_gives_no_wrong_row(
    chunks: list[tuple[list[str], list[str]]], data: st.DataObject
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "journal")
        ends = journal_of(chunks, path)
        content = bytearray(path.read_bytes())
        place = data.draw(st.integers(0, len(content) - 1))
        content[place] ^= data.draw(st.integers(1, 255))
        path.write_bytes(content)
        intact = chunks[: sum(end <= place for end in ends[1:])]
        if place < ends[0]:
            with pytest.raises(OutputError, match="damaged"):
                Journal(path, OTHER)
            return
        journal = Journal(path, OTHER)
        assert list(journal.read_rows()) == [row for rows, _ in intact for row in rows]
        assert list(journal.read_rejects()) == [reject for _, rejects in intact for reject in rejects]


def test_damage_behind_the_back_of_a_run_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    ends = journal_of([(["{}"], []), (["{}"], [])], path)
    journal = Journal(path, OTHER)
    content = bytearray(path.read_bytes())
    content[ends[1] - 1] ^= 1
    path.write_bytes(content)
    with pytest.raises(OutputError, match="has become damaged"):
        list(journal.read_rows())


def test_a_journal_of_another_version_is_refused(tmp_path: Path) -> None:
    head = b'{"unknown": 1}\n'
    header = b"run %d " % len(head)
    (tmp_path / "journal").write_bytes(b"%s%08x\n%s" % (header, zlib.crc32(head, zlib.crc32(header)), head))
    with pytest.raises(OutputError, match="no journal of this version"):
        Journal(tmp_path / "journal", OTHER)
    (tmp_path / "journal").write_text("my diary\n")
    with pytest.raises(OutputError, match="no journal of this version"):
        Journal(tmp_path / "journal", OTHER)
    assert (tmp_path / "journal").read_text() == "my diary\n"
