"""Results in an object store: one that runs on loopback."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

import fake_hub
import object_store
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_batch import StandIn, posts_file
from test_cli import run, stand_in

import checker
from checker.errors import CheckerError, OutputError
from checker.io.addresses import address_of, in_store, matches, named
from checker.io.targets import local_path, placed
from checker.pipeline import Checker
from checker.result import Result
from checker.runs.accounts import accounts_file
from checker.runs.local import CHUNK, journal_path, score_file
from checker.runs.ray.run import score_directory
from checker.runs.rejects import rejects_path
from checker.settings import Settings


class Untouched(StandIn):
    """Must not score anything."""

    def score_batches(self, batches: Iterable[Sequence[tuple[str, str]]]) -> Iterator[list[Result]]:
        for _ in batches:
            pytest.fail("it was scored")
        yield from ()


@pytest.fixture(scope="module")
def running() -> Iterator[Any]:
    with object_store.serve() as system:
        yield system


@pytest.fixture
def store(running: Any) -> Any:
    """The file system of a store with an empty bucket ``results``."""
    if running.exists("results"):
        running.rm("results", recursive=True)
    running.invalidate_cache()
    running.mkdir("results")
    return running


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of this machine in which results wait."""
    monkeypatch.setenv("STATEMENT_CHECKER_HOME", str(tmp_path / "home"))
    return tmp_path / "home" / "outputs"


def local(tmp_path: Path, source: Path, name: str) -> Path:
    """The same results, written on this machine."""
    path = tmp_path / "here" / name
    path.parent.mkdir(exist_ok=True)
    score_file(StandIn(), source, path)
    return path


def held(store: Any) -> list[str]:
    store.invalidate_cache()
    return sorted(store.find("results"))


# Addresses


@pytest.mark.parametrize(
    ("given", "address"),
    [
        ("s3://bucket/a/out.jsonl", "s3://bucket/a/out.jsonl"),
        ("s3:/bucket/a/out.jsonl", "s3://bucket/a/out.jsonl"),
        (Path("s3://bucket/a/out.jsonl"), "s3://bucket/a/out.jsonl"),
        (Path("s3:/bucket/a/out.jsonl"), "s3://bucket/a/out.jsonl"),
        ("gcs://bucket/out.jsonl", "gs://bucket/out.jsonl"),
        ("hf://datasets/user/name/out.jsonl", "hf://datasets/user/name/out.jsonl"),
        ("https://posts.example/out.jsonl", None),
        ("s3://", None),
        ("s3", None),
        ("s3:out.jsonl", None),
        ("./s3:/out.jsonl", None),
        ("out.jsonl", None),
        ("/s3://bucket/out.jsonl", None),
    ],
)
def test_forms_of_an_address(given: str | Path, address: str | None) -> None:
    assert in_store(given) == address
    assert named(given) == (address or str(given))
    if address is None:
        assert local_path(given) == Path(given)
    else:
        assert local_path(given) == local_path(address)
        assert local_path(given).name == "out.jsonl"


@given(st.sampled_from(["s3", "gs", "gcs", "hf", "https", "C"]), st.integers(1, 3), st.text(min_size=1))
def test_an_address_is_found_however_it_is_written(scheme: str, slashes: int, rest: str) -> None:
    text = f"{scheme}:{'/' * slashes}{rest}"
    found = in_store(text)
    if rest.startswith("/") and not rest.strip("/"):
        return
    assert (found is not None) == (scheme not in ("https", "C"))
    assert (address_of(text) is not None) == (scheme != "C")
    if found is not None:
        assert in_store(found) == found == named(text)
        assert found.endswith(rest.lstrip("/"))
        assert local_path(text) == local_path(found)
        assert local_path(text).parent != local_path(f"{found}x").parent


def test_what_a_pattern_names() -> None:
    for source in "s3://b/day/*.jsonl", "s3:/b/**/*.jsonl", Path("s3://b/day/1.jsonl"):
        assert matches(source, "s3://b/day/1.jsonl")
        assert not matches(source, "gs://b/day/1.jsonl")
        assert not matches(source, "s3://b/other/1.csv")
    assert not matches("s3://b/*.jsonl", "s3://b/day/1.jsonl")
    assert not matches("/b/day/*.jsonl", "s3://b/day/1.jsonl")


# Results that arrive


@pytest.mark.parametrize("kind", [".jsonl", ".csv", ".tsv", ".parquet", ".sqlite"])
def test_results_and_rejects_arrive(store: Any, home: Path, tmp_path: Path, kind: str) -> None:
    source, name = posts_file(tmp_path, 3 * CHUNK), f"out{kind}"
    here = local(tmp_path, source, name)
    address = f"s3://results/day/{name}"
    for output in address, Path(address), f"s3:/results/day/{name}":
        summary = score_file(StandIn(), source, output)
        assert summary.errors > 0
        assert held(store) == [f"results/day/{name}", f"results/day/{rejects_path(here).name}"]
        assert store.cat_file(f"results/day/{name}") == here.read_bytes()
        assert store.cat_file(f"results/day/{rejects_path(here).name}") == rejects_path(here).read_bytes()
        assert list(home.iterdir()) == []
        store.rm("results/day", recursive=True)
    assert not Path("s3:").exists()


def test_the_function_of_the_package_takes_an_address(
    store: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checker, "_checker", StandIn)
    checker.score_file(posts_file(tmp_path, 30), "s3://results/out.parquet")
    with store.open("results/out.parquet", "rb") as file:
        assert pq.read_table(file).num_rows == 30


def test_posts_may_come_from_the_same_bucket(store: Any, home: Path, tmp_path: Path) -> None:
    source = posts_file(tmp_path, 100)
    store.put_file(str(source), "results/posts.jsonl")
    score_file(StandIn(), "s3://results/posts.jsonl", "s3://results/out.jsonl")
    assert store.cat_file("results/out.jsonl") == local(tmp_path, source, "out.jsonl").read_bytes()
    for output in "s3://results/posts.jsonl", Path("s3://results/posts.jsonl"):
        with pytest.raises(OutputError, match="is the input"):
            score_file(Untouched(), "s3://results/posts.jsonl", output)
    with pytest.raises(OutputError, match=r"s3://results/out\.jsonl.* is the input"):
        score_file(Untouched(), "s3://results/*.jsonl", "s3://results/out.jsonl")
    score_file(StandIn(), "s3://results/*.jsonl", "s3://results/more/out.jsonl")
    assert list(home.iterdir()) == []


def test_rejects_of_an_earlier_run_go(store: Any, tmp_path: Path) -> None:
    source = posts_file(tmp_path, 20)
    score_file(StandIn(), source, "s3://results/out.jsonl")
    assert held(store) == ["results/out.jsonl", "results/out.jsonl.rejects.jsonl"]
    source.write_text('{"text": "good"}\n', "utf-8")
    score_file(StandIn(), source, "s3://results/out.jsonl")
    assert held(store) == ["results/out.jsonl"]
    assert json.loads(store.cat_file("results/out.jsonl"))["id"] == "1"


def test_a_name_with_signs_is_no_pattern(store: Any, tmp_path: Path) -> None:
    source = posts_file(tmp_path, 20)
    for _ in range(2):
        score_file(StandIn(), source, "s3://results/Новая [1] *?#&.jsonl")
    assert held(store)[0] == "results/Новая [1] *?#&.jsonl"


# Runs that stop


@pytest.mark.parametrize("kind", [".jsonl", ".parquet"])
def test_an_interrupted_run_goes_on(store: Any, home: Path, tmp_path: Path, kind: str) -> None:
    source, address = posts_file(tmp_path, 5 * CHUNK), f"s3://results/out{kind}"
    here = local(tmp_path, source, f"out{kind}")

    def interrupted(done: int, total: int | None) -> None:
        if done >= 2 * CHUNK:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        score_file(StandIn(), source, address, on_progress=interrupted)
    assert held(store) == []
    (folder,) = home.iterdir()
    assert folder.stat().st_mode & 0o777 == home.stat().st_mode & 0o777 == 0o700
    assert [path.name for path in folder.iterdir()] == [f"out{kind}.journal"]
    assert journal_path(local_path(address)).exists()
    told: list[int] = []
    scorer = StandIn()
    score_file(scorer, source, Path(address), on_progress=lambda done, total: told.append(done))
    assert told[0] == 2 * CHUNK
    assert 0 < scorer.scored < 3 * CHUNK
    assert store.cat_file(f"results/out{kind}") == here.read_bytes()
    assert list(home.iterdir()) == []


def test_an_interrupted_run_of_other_posts_is_told(store: Any, tmp_path: Path) -> None:
    source = posts_file(tmp_path, 3 * CHUNK)
    with pytest.raises(CheckerError, match="device"):
        score_file(StandIn(stop_at=f"p{2 * CHUNK + 1}"), source, "s3://results/out.jsonl")
    source.write_text('{"text": "another"}\n', "utf-8")
    with pytest.raises(OutputError, match="another run"):
        score_file(Untouched(), source, "s3://results/out.jsonl")
    score_file(StandIn(), source, "s3://results/out.jsonl", restart=True)
    assert held(store) == ["results/out.jsonl"]


def test_what_cannot_be_uploaded_is_uploaded_later(store: Any, home: Path, tmp_path: Path) -> None:
    source, address = posts_file(tmp_path, 2 * CHUNK), "s3://results/out.jsonl"
    here = local_path(address)

    def lose(done: int, total: int | None) -> None:
        if done == total:
            store.rm("results", recursive=True)

    with pytest.raises(OutputError, match=r"s3://results/out\.jsonl cannot be written") as caught:
        score_file(StandIn(), source, address, on_progress=lose)
    assert f"The results are in {here}: give the command again" in str(caught.value)
    expected = local(tmp_path, source, "out.jsonl").read_bytes()
    assert here.read_bytes() == expected
    store.mkdir("results")
    assert score_file(Untouched(), source, address).rows == 2 * CHUNK
    assert store.cat_file("results/out.jsonl") == expected
    assert list(home.iterdir()) == []


def test_an_upload_tells_how_far_it_is(store: Any, tmp_path: Path) -> None:
    source, address = posts_file(tmp_path, 2 * CHUNK), "s3://results/out.jsonl"
    told: list[tuple[int, int | None]] = []
    score_file(StandIn(), source, address, on_upload=lambda *now: told.append(now))
    size = sum(store.info(path)["size"] for path in held(store))
    assert told[-1] == (size, size)
    assert {total for _, total in told} == {size}
    assert [done for done, _ in told] == sorted(done for done, _ in told)


@pytest.mark.parametrize("saved", [None, "scores.jsonl"])
def test_accounts_that_cannot_be_uploaded_are_not_scored_again(
    saved: str | None, store: Any, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, address = tmp_path / "posts.jsonl", "s3://results/accounts.jsonl"
    text = "Мост через реку закрыт на ремонт до конца недели, объезд идёт по улице {}."
    rows = [{"text": text.format(name), "account": "a"} for name in ("Ленина", "Мира", "Садовой")]
    source.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    kept = [] if saved is None else [tmp_path / saved]
    judge = partial(
        accounts_file, source, address, save_scores=kept[0] if kept else None,
        settings=Settings(round_trip=False, fluency=False, cache=None),
    )  # fmt: skip

    def lose(done: int, total: int | None) -> None:
        store.rm("results", recursive=True)

    with pytest.raises(OutputError, match="give the command again"):
        judge(on_judged=lose)
    store.mkdir("results")
    monkeypatch.setattr(Checker, "score_batches", Untouched.score_batches)
    assert judge().accounts == 1
    assert held(store) == ["results/accounts.jsonl"]
    assert list(home.iterdir()) == []
    assert sorted(tmp_path.glob("scores*")) == kept, "no journal is left"


def test_two_runs_do_not_write_one_address(store: Any, tmp_path: Path) -> None:
    source, seen = posts_file(tmp_path, 10), []

    def second(done: int, total: int | None) -> None:
        if done == total:
            with pytest.raises(OutputError, match=r"Another run is writing s3://results/out\.jsonl"):
                score_file(Untouched(), source, Path("s3://results/out.jsonl"))
            seen.append(done)

    score_file(StandIn(), source, "s3://results/out.jsonl", on_progress=second)
    assert seen == [10]


# What is found before anything is scored


@pytest.mark.parametrize(
    ("address", "problem"),
    [
        ("s3://nobody/out.jsonl", r"^s3://nobody/out\.jsonl cannot be written: .*bucket"),
        ("s3://results/out.xlsx", r"^The format of s3://results/out\.xlsx is unknown"),
        ("s3://results/out", "unknown"),
        ("s3://results/..", "unknown"),
        ("s3://results.jsonl", r"s3://results\.jsonl cannot be written"),
        ("https://posts.example/out.jsonl", "https://posts.example/out.jsonl is an address"),
        ("s3://", "unknown|no folder|is an address"),
    ],
)
def test_mistakes_are_found_first(store: Any, home: Path, tmp_path: Path, address: str, problem: str) -> None:
    for output in address, Path(address):
        with pytest.raises(OutputError, match=problem):
            score_file(Untouched(), posts_file(tmp_path, 3), output)
    assert not home.exists()
    assert not Path("s3:").exists()


def test_a_bucket_that_may_not_be_written(
    store: Any, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = type(store).call_s3

    def refused(self: Any, method: str, *args: Any, **named: Any) -> Any:
        if method in ("put_object", "create_multipart_upload"):
            raise PermissionError("Access Denied")
        return asked(self, method, *args, **named)

    monkeypatch.setattr(type(store), "call_s3", refused)
    with pytest.raises(OutputError, match="cannot be written: Access Denied"):
        score_file(Untouched(), posts_file(tmp_path, 3), "s3://results/out.jsonl")
    assert not home.exists()


def test_the_question_whether_a_bucket_may_be_written_leaves_nothing(
    store: Any, home: Path, tmp_path: Path
) -> None:
    store.pipe_file("results/out.jsonl", b"old")
    with pytest.raises(CheckerError, match="device"):
        score_file(StandIn(stop_at="p1"), posts_file(tmp_path, 3), "s3://results/out.jsonl")
    assert held(store) == ["results/out.jsonl"]
    assert store.cat_file("results/out.jsonl") == b"old"
    assert not store.call_s3("list_multipart_uploads", Bucket="results").get("Uploads")
    assert list(home.iterdir()) == []


def test_what_a_store_needs_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "gcsfs", None)
    with pytest.raises(CheckerError, match=r"gs://b/a\.csv cannot be written .*statement-checker\[remote\]"):
        score_file(Untouched(), posts_file(tmp_path, 3), "gcs://b/a.csv")


def test_a_folder_that_cannot_be_made(store: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("STATEMENT_CHECKER_HOME", str(tmp_path / "file"))
    with pytest.raises(OutputError, match="cannot be written"):
        score_file(Untouched(), posts_file(tmp_path, 3), "s3://results/out.jsonl")


# Other stores


def test_another_store(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    registry = pytest.importorskip("fsspec.registry")
    memory = pytest.importorskip("fsspec.implementations.memory").MemoryFileSystem

    class Cloud(memory):  # type: ignore[misc, valid-type]
        protocol = ("gs", "gcs")
        store: dict[str, Any] = {}  # noqa: RUF012
        pseudo_dirs = [""]  # noqa: RUF012

        @classmethod
        def _strip_protocol(cls, path: str) -> str:
            return str(memory._strip_protocol(path.removeprefix("gs://")))

    monkeypatch.setitem(registry._registry, "gs", Cloud)
    source = posts_file(tmp_path, 3 * CHUNK)
    with pytest.raises(CheckerError, match="device"):
        score_file(StandIn(stop_at=f"p{2 * CHUNK + 1}"), source, "gs://bucket/out.jsonl")
    assert not Cloud.store
    score_file(StandIn(), source, "gcs://bucket/out.jsonl")
    assert Cloud().cat_file("bucket/out.jsonl") == local(tmp_path, source, "out.jsonl").read_bytes()
    assert sorted(Cloud.store) == ["/bucket/out.jsonl", "/bucket/out.jsonl.rejects.jsonl"]
    assert list(home.iterdir()) == []


def test_a_repository_that_does_not_exist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hub = pytest.importorskip("huggingface_hub")
    with fake_hub.serve({}) as running:
        monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", running.endpoint)
        hub.HfFileSystem.clear_instance_cache()
        with pytest.raises(OutputError, match=r"hf://nobody/nothing/out\.jsonl cannot be written"):
            score_file(Untouched(), posts_file(tmp_path, 3), "hf://nobody/nothing/out.jsonl")
        hub.HfFileSystem.clear_instance_cache()


# Commands


def test_the_command_names_the_address(store: Any, home: Path, tmp_path: Path) -> None:
    address = "s3://results/out.jsonl"
    done = run("score", posts_file(tmp_path, 30), "-o", address)
    assert done.returncode == 0, done.stderr
    assert f"10 more in {address}" in done.stdout
    assert f"originals in {address}.rejects.jsonl" in done.stderr
    assert str(home) not in done.stdout + done.stderr
    assert held(store) == ["results/out.jsonl", "results/out.jsonl.rejects.jsonl"]
    done = run("score", tmp_path / "posts.jsonl", "-o", "s3://nobody/out.jsonl")
    assert done.returncode == 2
    assert done.stderr.startswith("checker: s3://nobody/out.jsonl cannot be written:")


def test_ctrl_c_says_how_to_resume(store: Any, tmp_path: Path) -> None:
    source, address = tmp_path / "posts.txt", "s3://results/out.jsonl"
    source.write_text("post\n" * 1000)
    process = subprocess.Popen(
        [*stand_in(0.005), "score", source, "-o", address], stderr=subprocess.PIPE, text=True
    )
    journal = journal_path(local_path(address))
    while not journal.exists() or journal.read_bytes().count(b"chunk") < 2:
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=60)
    assert process.returncode == 130
    assert f"Resume with: checker score {source} -o {address}" in told
    done = run("score", source, "-o", address)
    assert "Going on after the" in done.stderr
    assert len(store.cat_file("results/out.jsonl").splitlines()) == 1000


def test_ray_writes_on_this_machine_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    source = posts_file(tmp_path, 3)
    for output in "s3://results/out", Path("s3://results/out"), "https://posts.example/out":
        with pytest.raises(OutputError, match="is an address, where --runner ray cannot write"):
            score_directory(source, output)
    with pytest.raises(OutputError, match="--runner ray"):
        accounts_file(source, "s3://results/out.jsonl", runner="ray")
    done = run("score", source, "-o", "s3://results/out", "--runner", "ray")
    assert done.returncode == 2
    assert "s3://results/out is an address" in done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["posts.jsonl"]


@pytest.mark.parametrize(
    "args",
    [
        ("accounts", "posts.jsonl", "-o", "a.jsonl", "--save-scores", "s3://results/a.jsonl"),
        ("accounts", "posts.jsonl", "--html", "s3://results/a.html"),
        ("calibrate", "posts.jsonl", "-o", "s3://results/a.json"),
        ("evaluate", "posts.jsonl", "--json", "s3://results/a.json"),
        ("quality", "posts.jsonl", "-o", "s3://results/a.jsonl"),
    ],
)
def test_other_files_stay_on_this_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, args: tuple[str, ...]
) -> None:
    monkeypatch.chdir(tmp_path)
    posts_file(tmp_path, 3)
    done = run(*args)
    assert done.returncode == 2
    assert " is an address, where " in done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["posts.jsonl"]


def test_accounts_and_report_take_addresses(
    store: Any, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    posts = tmp_path / "posts.jsonl"
    posts.write_text("".join(json.dumps({"text": "т" * n, "account": f"a{n % 2}"}) + "\n" for n in range(9)))
    score_file(StandIn(), posts, "scores.jsonl", keep=["account"])
    for output in "accounts.csv", "s3://results/accounts.csv":
        assert accounts_file("scores.jsonl", output).accounts == 2
    assert store.cat_file("results/accounts.csv") == Path("accounts.csv").read_bytes()
    checker.report("scores.jsonl", "page.html", command="-")
    checker.report("scores.jsonl", Path("s3://results/page.html"), command="-")
    assert store.cat_file("results/page.html") == Path("page.html").read_bytes()
    done = run("report", "scores.jsonl", "-o", "s3://results/page.html")
    assert "Wrote s3://results/page.html: 9 rows." in done.stderr
    for refused in "s3://nobody/page.html", "s3://results/page.jsonl":
        with pytest.raises(OutputError, match=refused.partition("//")[2]):
            checker.report("nothing.jsonl", refused)
    assert held(store) == ["results/accounts.csv", "results/page.html"]
    assert list(home.iterdir()) == []


def test_an_error_of_the_block_uploads_nothing(store: Any, home: Path, tmp_path: Path) -> None:
    def fail(path: Path) -> NoReturn:
        path.write_text("half")
        raise ValueError

    with pytest.raises(ValueError), placed("s3://results/a.html", formats=[".html"]) as here:  # noqa: PT011
        fail(here)
    assert held(store) == []
    assert here.read_text() == "half"
    with placed(tmp_path / "a.html") as there:
        assert there == tmp_path / "a.html"
    assert list(tmp_path.glob("a.html")) == []
