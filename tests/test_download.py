"""Downloads, end to end: the hub's real client against a hub on the loopback interface."""

import errno
import os
import random
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import fake_hub
import huggingface_hub
import pytest
from typer.testing import CliRunner

from checker.cli.models import app
from checker.errors import (
    CheckerError,
    DownloadError,
    InputError,
    ModelCorruptedError,
    ModelNotFoundError,
    OutputError,
)
from checker.models import Model, Store
from checker.models.lock import read_lock

REPO = "Helsinki-NLP/opus-mt-ru-en"
ROOT = Path(__file__).parents[1]
REGISTRY = """
[files]
marian = ["*.json", "*.spm", "model.safetensors", "pytorch_model.bin"]

[[model]]
id = "Helsinki-NLP/opus-mt-ru-en"
profile = "hub"
task = "translation"
family = "marian"
pairs = ["ru-en"]
licence = "CC-BY-4.0"

[[model]]
id = "Helsinki-NLP/opus-mt-en-ru"
profile = "hub"
task = "translation"
family = "marian"
pairs = ["en-ru"]
licence = "Apache-2.0"
"""


@pytest.fixture(autouse=True)
def direct_connection(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No proxy between the client and the loopback interface."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    huggingface_hub.close_session()
    yield
    huggingface_hub.close_session()


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    """A repository with weights in both formats and files that no one needs."""
    folder = tmp_path / "repo"
    (folder / "onnx").mkdir(parents=True)
    (folder / "config.json").write_text('{"model_type": "marian"}')
    (folder / "vocab.json").write_text("{}")
    (folder / "README.md").write_text("a model card")
    for name in "model.safetensors", "pytorch_model.bin", "tf_model.h5", "onnx/model.safetensors":
        (folder / name).write_bytes(random.Random(name).randbytes(400_000))
    (folder / "source.spm").write_bytes(b"pieces")
    (folder / "empty.json").touch()
    return folder


@pytest.fixture
def hub(repo: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[fake_hub.Hub]:
    with fake_hub.serve({REPO: repo}) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.endpoint)
        yield hub


@pytest.fixture
def store(tmp_path: Path) -> Store:
    (tmp_path / "registry.toml").write_text(REGISTRY)
    return Store(tmp_path / "registry.toml", tmp_path / "home")


@pytest.fixture
def model(store: Store) -> Model:
    return store.model(REPO)


def _nothing_is_locked(store: Store) -> bool:
    return not (store.home / "models.lock").exists()


def test_a_download_brings_what_is_needed_and_locks_the_commit(
    hub: fake_hub.Hub, store: Store, model: Model, repo: Path
) -> None:
    assert model.revision == ""
    store.download([model, model], progress=False)
    model = store.model(REPO)
    assert model.revision == hub.commit(REPO)
    assert store.installed(model)
    folder = store.path(model)
    names = {path.name for path in folder.iterdir()}
    assert names == {"config.json", "vocab.json", "empty.json", "model.safetensors", "source.spm"}
    assert all((folder / name).read_bytes() == (repo / name).read_bytes() for name in names)
    assert set(read_lock(store.home / "models.lock")[REPO].files) == names
    assert {name: len(hub.asked("GET", name)) for name in names - {"empty.json"}} == dict.fromkeys(
        names - {"empty.json"}, 1
    )


def test_what_is_here_costs_no_request(hub: fake_hub.Hub, store: Store, model: Model, repo: Path) -> None:
    store.download([model], progress=False)
    (repo / "config.json").write_text("a newer commit")
    hub.requests.clear()
    store.download([model], progress=False)
    assert hub.requests == []


def test_pickled_weights_only_without_safetensors(
    hub: fake_hub.Hub, store: Store, model: Model, repo: Path
) -> None:
    (repo / "model.safetensors").unlink()
    store.download([model], progress=False)
    assert (store.path(model) / "pytorch_model.bin").exists()


@pytest.mark.parametrize("reset", [False, True], ids=["closed", "reset"])
def test_a_broken_connection_is_resumed(
    hub: fake_hub.Hub, store: Store, model: Model, repo: Path, reset: bool
) -> None:
    hub.breaks["model.safetensors"] = [100_000, 250_000]
    hub.reset = reset
    store.download([model], progress=False)
    ranges = [request.range for request in hub.asked("GET", "model.safetensors")]
    assert len(ranges) == 3
    assert ranges[0] is None
    assert ranges[2] == "bytes=250000-" if not reset else ranges[2] is not None
    assert (store.path(model) / "model.safetensors").read_bytes() == (repo / "model.safetensors").read_bytes()


def test_a_server_without_ranges_is_asked_for_the_whole_file_again(
    hub: fake_hub.Hub, store: Store, model: Model
) -> None:
    hub.ranges = False
    hub.breaks["model.safetensors"] = [100_000]
    store.download([model], progress=False)
    store.verify([store.model(REPO)])


def test_the_next_run_goes_on_where_the_last_one_stopped(
    hub: fake_hub.Hub, store: Store, model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("checker.models.hub.time.sleep", lambda seconds: None)
    hub.breaks["model.safetensors"] = [300_000] * 5
    with pytest.raises(DownloadError, match="run the command again: it goes on where it stopped"):
        store.download([model], progress=False)
    assert _nothing_is_locked(store)
    hub.breaks.clear()
    hub.requests.clear()
    store.download([model], progress=False)
    assert [request.range for request in hub.asked("GET", "model.safetensors")] == ["bytes=300000-"]
    assert hub.asked("GET", "config.json") == []
    store.verify([model])


@pytest.mark.parametrize("name", ["model.safetensors", "config.json"])
def test_a_wrong_checksum_is_refused(hub: fake_hub.Hub, store: Store, model: Model, name: str) -> None:
    hub.tampered.add(name)
    with pytest.raises(DownloadError, match=rf"{name} of {REPO} arrived with sha256 [0-9a-f]{{64}}"):
        store.download([model], progress=False)
    assert not list(store.home.rglob(f"{name}*"))
    assert _nothing_is_locked(store)
    hub.tampered.clear()
    store.download([model], progress=False)
    store.verify([model])


def test_a_file_longer_than_listed_is_refused(hub: fake_hub.Hub, store: Store, model: Model) -> None:
    hub.swollen.add("source.spm")
    with pytest.raises(DownloadError, match=r"source\.spm of .* arrived with sha256"):
        store.download([model], progress=False)
    assert not list(store.home.rglob("source.spm*"))


def test_a_corrupted_file_is_noticed_and_repaired(hub: fake_hub.Hub, store: Store, model: Model) -> None:
    store.download([model], progress=False)
    weights = store.path(model) / "model.safetensors"
    intact = weights.read_bytes()
    weights.write_bytes(intact[:-1] + b"?")
    with pytest.raises(ModelCorruptedError, match=f"checker models download --model {REPO}"):
        store.path(model)
    hub.requests.clear()
    store.download([model], progress=False)
    assert store.path(model)
    assert weights.read_bytes() == intact
    assert hub.asked("GET", "source.spm") == []


def test_a_missing_repository_is_explained(hub: fake_hub.Hub, store: Store) -> None:
    with pytest.raises(
        DownloadError, match=r"has no repository Helsinki-NLP/opus-mt-en-ru, or it is private"
    ):
        store.download([store.model("Helsinki-NLP/opus-mt-en-ru")], progress=False)


def test_a_missing_commit_is_explained(hub: fake_hub.Hub, store: Store) -> None:
    store.registry.write_text(REGISTRY.replace("pairs", f'revision = "{"d" * 40}"\npairs', 1))
    store = Store(store.registry, store.home)
    with pytest.raises(DownloadError, match=f"has no commit {'d' * 40} of {REPO}"):
        store.download([store.model(REPO)], progress=False)


def test_a_gated_repository_is_explained(hub: fake_hub.Hub, store: Store, model: Model) -> None:
    hub.gated.add(REPO)
    with pytest.raises(DownloadError, match="is gated: accept its terms at http"):
        store.download([model], progress=False)


def test_a_file_that_the_hub_lost_is_explained(hub: fake_hub.Hub, store: Store, model: Model) -> None:
    hub.lost.add("source.spm")
    with pytest.raises(DownloadError, match=f"lacks a file of {REPO} that it lists"):
        store.download([model], progress=False)


def test_a_hub_in_trouble_is_explained(hub: fake_hub.Hub, store: Store, model: Model) -> None:
    hub.status = 503
    with pytest.raises(DownloadError, match="answered with status 503"):
        store.download([model], progress=False)


def test_a_repository_without_weights_is_explained(
    hub: fake_hub.Hub, store: Store, model: Model, repo: Path
) -> None:
    (repo / "model.safetensors").unlink()
    (repo / "pytorch_model.bin").unlink()
    with pytest.raises(DownloadError, match=r"has no config\.json with weights"):
        store.download([model], progress=False)


@pytest.mark.parametrize("name", ["../../escaped.json", "/etc/escaped.json", "..\\escaped.json"])
def test_a_name_that_leaves_the_folder_is_refused(
    hub: fake_hub.Hub, store: Store, model: Model, name: str
) -> None:
    hub.extra.append(name)
    with pytest.raises(DownloadError, match="would leave the model's folder"):
        store.download([model], progress=False)
    assert not any("resolve" in request.path for request in hub.requests)


def test_too_little_space_is_noticed_before_the_first_file(
    hub: fake_hub.Hub, store: Store, model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=399_999))
    with pytest.raises(DownloadError, match="Not enough space"):
        store.download([model], progress=False)
    assert not any("resolve" in request.path for request in hub.requests)


def test_no_network_is_explained(store: Store, model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # bound but not listening: connections are refused
        monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{unused.getsockname()[1]}")
        with pytest.raises(DownloadError, match="Check the connection, HTTPS_PROXY and HF_ENDPOINT"):
            store.download([model], progress=False)


def test_offline_mode_is_explained(
    hub: fake_hub.Hub, store: Store, model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(DownloadError, match="HF_HUB_OFFLINE is set"):
        store.download([model], progress=False)


def test_a_full_disk_is_explained(
    hub: fake_hub.Hub, store: Store, model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write(*args: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("checker.models.hub._stream", write)
    with pytest.raises(DownloadError, match="The disk filled up"):
        store.download([model], progress=False)


def test_two_downloads_at_once_do_not_lose_each_other(hub: fake_hub.Hub, store: Store, repo: Path) -> None:
    other = "Helsinki-NLP/opus-mt-en-ru"
    hub.folders = {REPO: repo, other: repo}
    with ThreadPoolExecutor(2) as pool:
        jobs = [
            pool.submit(Store(store.registry, store.home).download, [store.model(name)], progress=False)
            for name in (REPO, other)
        ]
        for job in jobs:
            job.result()
    store.verify([store.model(REPO), store.model(other)])


def test_an_endpoint_that_is_no_hub_is_explained(
    hub: fake_hub.Hub, store: Store, model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "hub.example")
    with pytest.raises(DownloadError, match=r"could not be downloaded from hub\.example"):
        store.download([model], progress=False)


def test_a_home_that_cannot_be_written_is_explained(store: Store, model: Model) -> None:
    store.home.write_text("a file where the folder should be")
    with pytest.raises(OutputError, match="STATEMENT_CHECKER_HOME"):
        store.download([model], progress=False)


@pytest.fixture
def checker_models(
    store: Store, hub: fake_hub.Hub, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., tuple[int, list[str]]]:
    """``checker models`` on the registry of these tests: exit status and lines printed."""
    monkeypatch.setattr("checker.cli.models._store", lambda: Store(store.registry, store.home))

    def run(*arguments: str) -> tuple[int, list[str]]:
        result = CliRunner().invoke(app, arguments)
        if isinstance(result.exception, CheckerError):
            raise result.exception
        return result.exit_code, result.stdout.splitlines()

    return run


def test_the_commands_from_download_to_removal(
    checker_models: Callable[..., tuple[int, list[str]]], store: Store, hub: fake_hub.Hub
) -> None:
    label = f"{REPO}@{hub.commit(REPO)[:12]}"
    assert _installed(checker_models("list")) == {REPO: "no", "Helsinki-NLP/opus-mt-en-ru": "no"}
    assert checker_models("download", "--model", REPO) == (0, [f"{label}  0 MB"])
    assert checker_models("verify") == (0, [f"{label}  intact"])
    assert _installed(checker_models("list"))[REPO] == "yes"
    (store.path(store.model(REPO)) / "source.spm").unlink()
    assert _installed(checker_models("list"))[REPO] == "damaged"
    with pytest.raises(ModelCorruptedError, match=r"source\.spm"):
        checker_models("verify")
    assert checker_models("remove", "--model", REPO) == (0, [f"{label}  removed"])
    assert _installed(checker_models("list"))[REPO] == "no"
    with pytest.raises(InputError, match="No downloaded model"):
        checker_models("remove", "--all")
    with pytest.raises(InputError, match="Nothing to fetch"):
        checker_models("download")
    with pytest.raises(ModelNotFoundError, match="'nobody/nothing'"):
        checker_models("download", "--model", "nobody/nothing")


def _installed(output: tuple[int, list[str]]) -> dict[str, str]:
    status, lines = output
    assert status == 0
    return {line.split()[0]: line.split()[-1] for line in lines[1:]}


def _script(tmp_path: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("HF_", "XDG_"))}
    return subprocess.run(
        [sys.executable, str(ROOT / "scripts" / "download_models.py"), *arguments],
        env=kept | {"PYTHONPATH": str(ROOT), "STATEMENT_CHECKER_HOME": str(tmp_path / "home")} | environment,
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip


def test_the_script_respects_the_endpoint(hub: fake_hub.Hub, tmp_path: Path) -> None:
    model = "Helsinki-NLP/opus-mt-en-uk"  # open in the packaged registry, so any commit will do
    hub.folders = {model: hub.folders[REPO]}
    done = _script(tmp_path, "--model", model, HF_ENDPOINT=f"{hub.endpoint}/")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"{model}@{hub.commit(model)[:12]}")
    store = Store(home=tmp_path / "home")
    store.verify([store.model(model)])


def test_the_script_explains_a_failure_in_one_line(hub: fake_hub.Hub, tmp_path: Path) -> None:
    failed = _script(tmp_path, "--language", "ru", HF_ENDPOINT=hub.endpoint)
    assert failed.returncode == 2
    assert len(failed.stderr.splitlines()) == 1
    assert "has no repository Qwen/" in failed.stderr
    assert failed.stdout == ""
