"""Several processes give what one gives, and leave nothing behind."""

from __future__ import annotations

import json
import os
import pickle
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import count
from multiprocessing import active_children
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_cli import REAL, run

from checker.ahead import in_order
from checker.errors import CheckerError, InputError
from checker.models import Store, ctranslate2_engine
from checker.pipeline import Checker
from checker.runs.local import CHUNK, journal_path, score_file
from checker.runs.processes import MEMORY, MOST, ROWS, Processes, free_memory, that_pay
from checker.settings import Settings
from scripts.bench.examples import examples

STYLE = Settings(round_trip=False, fluency=False, encoder=False)


def posts(path: Path, number: int) -> Path:
    """Posts in many languages, and now and then a row that cannot be read."""
    texts = [post["text"] for post in examples()]
    with path.open("w") as file:
        for row in range(number):
            text = f"{row} {texts[row % len(texts)]}" if row % 50 != 7 else None
            file.write(json.dumps({"id": row, "text": text}) + "\n")
    return path


@given(st.lists(st.integers(0, 40), max_size=30), st.integers(1, 5))
def test_results_come_in_order_whichever_is_done_first(waits: list[int], most: int) -> None:
    read: list[int] = []

    def batches() -> Iterator[int]:
        for number in range(len(waits)):
            read.append(number)
            yield number

    def work(number: int) -> int:
        time.sleep(waits[number] / 1e5)
        return number

    with ThreadPoolExecutor(most) as pool:
        found = []
        for number in in_order(lambda batch: pool.submit(work, batch), batches(), most):
            found.append(number)
            assert len(read) <= number + most
    assert found == list(range(len(waits)))


def test_what_the_reader_raises_comes_after_the_results_before_it() -> None:
    def batches() -> Iterator[int]:
        yield from range(3)
        raise InputError("The fourth is missing.", fix="Add it.")

    def done(batch: int) -> Future[int]:
        future: Future[int] = Future()
        future.set_result(batch)
        return future

    found: list[int] = []
    with pytest.raises(InputError, match="fourth"):
        found.extend(in_order(done, batches(), 5))
    assert found == [0, 1, 2]


def test_one_and_two_processes_write_the_same_bytes(tmp_path: Path) -> None:
    source = posts(tmp_path / "posts.jsonl", 2 * CHUNK + 7)
    for workers in 1, 2:
        summary = score_file(Checker(STYLE), source, tmp_path / f"{workers}.jsonl", workers=workers)
        assert summary.errors == sum(row % 50 == 7 for row in range(2 * CHUNK + 7))
    assert (tmp_path / "1.jsonl").read_bytes() == (tmp_path / "2.jsonl").read_bytes()
    assert not active_children()


def test_the_command_takes_workers(tmp_path: Path) -> None:
    source, output = posts(tmp_path / "posts.jsonl", CHUNK + 7), tmp_path / "out.jsonl"
    options = ("--fast", "--no-encoder", "--no-cache")
    done = run("score", str(source), "-o", str(output), *options, "--workers", "2", command=REAL)
    assert done.returncode == 0, done.stderr
    one = run("score", str(source), "-o", str(tmp_path / "one.jsonl"), *options, command=REAL)
    assert one.returncode == 0, one.stderr
    assert output.read_bytes() == (tmp_path / "one.jsonl").read_bytes()
    wrong = run("score", str(source), "-o", str(output), *options, "--workers", "0", command=REAL)
    assert (wrong.returncode, "workers must be at least 1" in wrong.stderr) == (2, True)
    alone = run("score", str(source), *options, "--workers", "2", command=REAL)
    assert (alone.returncode, "--workers is for files" in alone.stderr) == (2, True)


@pytest.mark.slow
def test_a_process_that_ends_ends_the_run_which_goes_on_later(tmp_path: Path) -> None:
    source, output = posts(tmp_path / "posts.jsonl", 8 * CHUNK), tmp_path / "out.jsonl"

    def end_one(done: int, total: int | None) -> None:
        if done == 2 * CHUNK:
            process = active_children()[0]
            assert process.pid is not None
            os.kill(process.pid, signal.SIGKILL)

    with pytest.raises(CheckerError, match="workers 1"):
        score_file(Checker(STYLE), source, output, workers=2, on_progress=end_one)
    assert journal_path(output).exists()
    assert not active_children()
    rows: list[int] = []
    score_file(Checker(STYLE), source, output, workers=2, on_progress=lambda done, total: rows.append(done))
    assert rows[0] >= 2 * CHUNK
    score_file(Checker(STYLE), source, tmp_path / "whole.jsonl")
    assert output.read_bytes() == (tmp_path / "whole.jsonl").read_bytes()


def test_who_stops_early_waits_for_nobody() -> None:
    texts = (post["text"] for post in examples())
    first = [(str(number), text) for number, text in zip(range(CHUNK), texts, strict=False)]
    scored = Processes(STYLE, Store(), 2).score_batches(first for _ in count())
    assert [result.id for result in next(scored)] == [id for id, _ in first]
    began = time.monotonic()
    scored.close()
    assert time.monotonic() - began < 5
    assert not active_children()


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc")
def test_no_process_outlives_the_one_that_asked(tmp_path: Path) -> None:
    script = tmp_path / "endless.py"
    script.write_text(
        "from itertools import repeat\n"
        "from multiprocessing import active_children\n"
        "from checker.runs.processes import Processes\n"
        "from checker.models import Store\n"
        "from checker.settings import Settings\n"
        "if __name__ == '__main__':\n"
        "    settings = Settings(round_trip=False, fluency=False, encoder=False)\n"
        "    batches = repeat([('1', 'Сегодня глава ведомства провёл встречу с послом.')])\n"
        "    for number, _ in enumerate(Processes(settings, Store(), 2).score_batches(batches)):\n"
        "        if number == 20:\n"
        "            print(*(child.pid for child in active_children()), flush=True)\n"
    )
    with subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pids = [int(pid) for pid in parent.stdout.readline().split()]
        parent.kill()
    assert len(pids) == 2
    deadline = time.monotonic() + 20
    while any(_runs(pid) for pid in pids) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(_runs(pid) for pid in pids)


def _runs(pid: int) -> bool:
    """Whether a process is there, and not merely waiting for its status to be read."""
    try:
        return ") Z" not in Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False


def test_more_processes_only_where_they_pay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("checker.runs.processes.cores", lambda: 64)
    monkeypatch.setattr("checker.runs.processes.free_memory", lambda: 100 * MEMORY)
    store, everything = Store(), Settings(device="cpu")
    assert that_pay(everything, store, ROWS) == that_pay(STYLE, store, 10**9) == MOST
    assert that_pay(Settings(device="cpu", threads=3), store, ROWS) == 3
    for settings, rows in (
        (everything, ROWS - 1), (everything, None), (Settings(device="cpu", profile="hub"), 10**9),
        (Settings(device="cpu", engine="transformers"), 10**9),
        (Settings(device="cpu", round_trip=False, fluency=False), 10**9),
    ):  # fmt: skip
        assert that_pay(settings, store, rows) == 1
    monkeypatch.setattr("checker.runs.processes.free_memory", lambda: 2 * MEMORY + 5)
    assert that_pay(everything, store, ROWS) == 2
    monkeypatch.setattr("checker.runs.processes.free_memory", lambda: 0)
    assert that_pay(everything, store, ROWS) == 1
    monkeypatch.setattr("checker.runs.processes.arithmetic", lambda device: "float16")
    monkeypatch.setattr("checker.runs.processes.free_memory", lambda: 100 * MEMORY)
    assert that_pay(Settings(), store, 10**9) == 1  # on a GPU
    assert that_pay(STYLE, store, 10**9) == MOST
    monkeypatch.setattr(Store, "installed", lambda self, model: model.family == "marian")
    assert that_pay(everything, store, 10**9) == 1, "downloaded models are larger"
    assert that_pay(Settings(device="cpu", translator="embedded"), store, 10**9) == MOST


@pytest.mark.parametrize(
    ("files", "free"),
    [
        ({"proc/meminfo": "MemTotal: 9 kB\nMemAvailable:     7 kB\n"}, 7 * 1024),
        ({"proc/meminfo": "MemAvailable: 7 kB\n", "sys/fs/cgroup/memory.max": "max\n",
          "sys/fs/cgroup/memory.current": "5\n", "sys/fs/cgroup/memory.stat": ""}, 7 * 1024),
        ({"proc/meminfo": "MemAvailable: 7 kB\n", "sys/fs/cgroup/memory.max": "3000\n",
          "sys/fs/cgroup/memory.current": "1000\n",
          "sys/fs/cgroup/memory.stat": "anon 1\ninactive_file 600\n"}, 2600),
        ({"proc/meminfo": "MemAvailable: 7 kB\n", "sys/fs/cgroup/memory/memory.limit_in_bytes": "300\n",
          "sys/fs/cgroup/memory/memory.usage_in_bytes": "400\n",
          "sys/fs/cgroup/memory/memory.stat": "inactive_file 10\n"}, 0),
        ({"proc/meminfo": "nothing\n"}, 0),
        ({}, 0),
    ],
)  # fmt: skip
def test_memory_is_what_the_machine_and_the_container_leave(
    tmp_path: Path, files: dict[str, str], free: int
) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    assert free_memory(tmp_path) == free


def test_threads_are_shared_out() -> None:
    cores = ctranslate2_engine.cores()
    for threads, each in (6, 3), (1, 1), (None, max(1, cores // 2)):
        assert Processes(Settings(threads=threads), Store(), 2)._settings["threads"] == each


def test_they_score_with_the_models_of_the_checker(
    tmp_path: Path, copied_models: Callable[..., Path]
) -> None:
    registry = copied_models("style")
    (registry.parent / "embedded" / "style" / "ru.npz").unlink()
    checker = Checker(STYLE, store=Store(registry))
    source = tmp_path / "posts.jsonl"
    text = "Сегодня глава ведомства провёл встречу с послом в столице."
    source.write_text(json.dumps({"id": 1, "text": text}) + "\n")
    with pytest.raises(CheckerError, match=r"ru\.npz"):
        score_file(checker, source, tmp_path / "out.jsonl", workers=2)


def test_a_worker_says_how_many_threads_before_they_are_started() -> None:
    heavy = {"numpy", "ctranslate2", "tokenizers"}
    code = f"import sys, checker.runs.worker; print({heavy} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "set()\n"


@pytest.mark.slow
def test_an_interrupted_command_leaves_no_process_and_says_how_to_go_on(tmp_path: Path) -> None:
    source, output = posts(tmp_path / "posts.jsonl", 40 * CHUNK), tmp_path / "out.jsonl"
    options = ["--fast", "--no-encoder", "--no-cache", "--workers", "2"]
    for ending in signal.SIGINT, signal.SIGTERM:
        with subprocess.Popen(
            [*REAL, "score", str(source), "-o", str(output), *options], stderr=subprocess.PIPE, text=True,
            start_new_session=True,
        ) as run_:  # fmt: skip
            deadline = time.monotonic() + 60
            before = max(_chunks(output), 1)  # the head of a journal has the word as well
            while _chunks(output) <= before:
                assert run_.poll() is None, "finished too early"
                assert time.monotonic() < deadline
                time.sleep(0.02)
            run_.send_signal(ending)
            assert run_.stderr is not None
            said = run_.stderr.read()
        assert run_.returncode == 130
        assert "interrupted. Resume with: checker score" in said
        assert "Traceback" not in said
        while _session_runs(run_.pid) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert not _session_runs(run_.pid)


def _chunks(output: Path) -> int:
    """How often the journal of an output has the word that begins a chunk."""
    journal = journal_path(output)
    return journal.read_bytes().count(b"chunk") if journal.exists() else 0


def _session_runs(group: int) -> bool:
    """Whether a process of a group is left."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def test_an_error_reaches_another_process_whole() -> None:
    error = InputError("It is empty.", fix="Fill it.", row=3, field="text")
    found = pickle.loads(pickle.dumps(error))
    assert (str(found), found.row, found.field, found.fix) == (str(error), 3, "text", "Fill it.")
