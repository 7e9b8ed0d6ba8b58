"""Downloads of Firefox's models, end to end, against records and attachments on the loopback interface.

The real pair Portuguese-English stands in for Russian: the same files under Russian names.
"""

import gzip
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fake_records
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from checker.cli.models import app
from checker.errors import CheckerError, DownloadError, InputError
from checker.models import Store, firefox_records
from checker.models.load import load_translator
from checker.models.lock import read_lock

SENTENCE = "O novo horário dos autocarros entra em vigor na próxima segunda-feira."
ROOT = Path(__file__).parents[1]
REGISTRY = (
    '[files]\nfirefox = ["model.*.bin", "vocab.*.spm", "srcvocab.*.spm", "trgvocab.*.spm", "lex.*.bin"]\n'
    '[grades]\nfirefox = "production"\n'
) + "".join(
    f'[[model]]\nid = "firefox/{pair}"\nprofile = "hub"\ntask = "translation"\nfamily = "firefox"\n'
    f'pairs = ["{pair}"]\nlicence = "MPL-2.0"\nsize_mb = 23\n'
    for pair in ("ru-en", "en-ru", "xx-en")
)


@pytest.fixture(autouse=True)
def direct_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    """No proxy between the client and the loopback interface."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")


@pytest.fixture(scope="module")
def russian(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], Path]:
    """The real pair under Russian names."""
    store, folders = Store(), {}
    for source, target in ("pt", "en"), ("en", "pt"):
        pair = ("ru", "en") if source == "pt" else ("en", "ru")
        folder = tmp_path_factory.mktemp("-".join(pair))
        for path in store.path(store.model(f"embedded/firefox-{source}-{target}")).iterdir():
            if path.name.split(".")[0] in ("model", "vocab", "lex"):
                shutil.copy(path, folder / path.name.replace(source + target, "".join(pair)))
        folders[pair] = folder
    return folders


@pytest.fixture
def server(
    russian: dict[tuple[str, str], Path], monkeypatch: pytest.MonkeyPatch
) -> Iterator[fake_records.Server]:
    with fake_records.serve(russian) as server:
        monkeypatch.setenv("FXTRANSLATE_RECORDS_URL", server.records)
        yield server


@pytest.fixture
def store(tmp_path: Path) -> Store:
    (tmp_path / "registry.toml").write_text(REGISTRY)
    return Store(tmp_path / "registry.toml", tmp_path / "home")


def download(store: Store, *pairs: str, **options: object) -> None:
    models = [store.model(f"firefox/{pair}") for pair in pairs or ("ru-en", "en-ru")]
    store.download(models, progress=False, **options)  # type: ignore[arg-type]


def test_a_pair_is_fetched_locked_and_translates(server: fake_records.Server, store: Store) -> None:
    download(store)
    lock = read_lock(store.home / "models.lock")
    assert set(lock) == {"firefox/ru-en", "firefox/en-ru"}
    model = store.translator("embedded", "ru", "en")
    assert model is not None
    assert (model.id, model.grade) == ("firefox/ru-en", "production")
    weights = lock[model.id].files["model.ruen.intgemm.alphas.bin"]
    assert model.revision == weights.sha256[:40]
    assert not list(store.home.rglob("*.part"))
    translator = load_translator(model, store, threads=1)
    assert "Monday" in translator.translate([SENTENCE], "ru", "en")[0].text
    assert server.asked("/records") == [None]  # once for both
    server.requests.clear()
    download(store)
    assert server.requests == []  # what is here costs no request


def test_one_direction_alone_is_not_taken(server: fake_records.Server, store: Store) -> None:
    download(store, "ru-en")
    assert store.translator("embedded", "ru", "en") is None


def test_the_newest_release_of_the_best_architecture(
    server: fake_records.Server, store: Store, russian: dict[tuple[str, str], Path], tmp_path: Path
) -> None:
    newer = tmp_path / "newer"
    shutil.copytree(russian["ru", "en"], newer)
    (newer / "lex.50.50.ruen.s2t.bin").write_bytes(b"a newer shortlist")
    server.publish(("ru", "en"), newer, "3.1")
    server.publish(("ru", "en"), russian["ru", "en"], "3.1", "tiny")
    server.publish(("ru", "en"), russian["ru", "en"], "4.0")
    server.data.append({"name": "something else"})
    download(store, "ru-en")
    asked = {
        path.split("/cdn/models/")[1].rsplit("/", 2)[0] for path, _ in server.requests if "/cdn/" in path
    }
    assert asked == {"3.1/base-memory"}


def test_a_cut_connection_is_resumed(server: fake_records.Server, store: Store) -> None:
    server.breaks["model.ruen.intgemm.alphas.bin.zst"] = [1_000_000, 5_000_000]
    download(store, "ru-en")
    assert server.asked("model.ruen.intgemm.alphas.bin.zst") == [None, "bytes=1000000-", "bytes=5000000-"]
    store.verify([store.model("firefox/ru-en")])


@pytest.mark.parametrize("stated", [0, 10**9, "missing"])
def test_a_partial_file_that_is_complete_is_used(
    server: fake_records.Server, store: Store, russian: dict[tuple[str, str], Path], stated: int | str
) -> None:
    """The record states no size, or too large a one: the server answers 416 to a request for more."""
    for record in server.data:
        if stated == "missing":
            del record["attachment"]["size"]
        else:
            record["attachment"]["size"] = stated
    (one,) = firefox_records.resolve([store.model("firefox/ru-en")])
    name = one.files[0].name
    part = store._hub_folder(one.model, one.commit) / f"{name}.part"
    part.parent.mkdir(parents=True)
    packed = fake_records.pack((russian["ru", "en"] / name).read_bytes())
    part.write_bytes(packed)
    download(store, "ru-en")
    assert server.asked(f"{name}.zst") == [f"bytes={len(packed)}-"]
    store.verify([store.model("firefox/ru-en")])
    assert not part.exists()


def test_a_partial_file_of_something_else_is_removed_and_fetched_again(
    server: fake_records.Server, store: Store
) -> None:
    (one,) = firefox_records.resolve([store.model("firefox/ru-en")])
    name, size = one.files[0].name, one.files[0].size
    part = store._hub_folder(one.model, one.commit) / f"{name}.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(bytes(size + 1))
    with pytest.raises(DownloadError, match=r"was removed\. Run the command again"):
        download(store, "ru-en")
    download(store, "ru-en")
    store.verify([store.model("firefox/ru-en")])


def test_a_server_without_ranges_sends_the_whole_file_again(
    server: fake_records.Server, store: Store
) -> None:
    server.ranges = False
    server.breaks["model.ruen.intgemm.alphas.bin.zst"] = [1_000_000]
    download(store, "ru-en")
    store.verify([store.model("firefox/ru-en")])


def test_a_connection_that_never_brings_anything_is_one_error(
    server: fake_records.Server, store: Store
) -> None:
    server.breaks["lex.50.50.ruen.s2t.bin.zst"] = [0] * 9
    with pytest.raises(DownloadError, match=r"could not be reached .*--mirror.* goes on where it stopped"):
        download(store, "ru-en")


def test_a_wrong_checksum_is_refused_and_removed(server: fake_records.Server, store: Store) -> None:
    server.tampered.add("model.ruen.intgemm.alphas.bin.zst")
    with pytest.raises(DownloadError, match=r"model\.ruen.* is not what its record states .* was removed"):
        download(store, "ru-en")
    assert not list(store.home.rglob("model.*"))
    assert not store.locked(store.model("firefox/ru-en"))
    server.tampered.clear()
    download(store, "ru-en")
    assert store.installed(store.model("firefox/ru-en"))


def test_a_record_without_a_checksum_is_refused(server: fake_records.Server, store: Store) -> None:
    for record in server.data:
        del record["decompressedHash"]
    with pytest.raises(DownloadError, match="states no sha256"):
        download(store, "ru-en")


@pytest.mark.parametrize("name", ["../model.bin", "sub/model.bin", "/model.bin"])
def test_a_name_that_leaves_the_folder_is_refused(
    server: fake_records.Server, store: Store, name: str
) -> None:
    for record in server.data:
        record["name"] = name
    with pytest.raises(DownloadError, match="would leave the model's folder"):
        download(store, "ru-en")


@pytest.mark.parametrize("size", ["a lot", -1, True, 2.5, [], 10**20])
def test_a_size_that_is_none_is_refused(server: fake_records.Server, store: Store, size: object) -> None:
    server.data[0]["attachment"]["size"] = size
    with pytest.raises(DownloadError, match="states no size"):
        download(store, "ru-en")


def test_a_file_that_is_not_called_what_the_model_needs_is_refused(
    server: fake_records.Server, store: Store
) -> None:
    for record in server.data:
        record["name"] = record["name"].replace("model.", "weights.")
    with pytest.raises(DownloadError, match=r"of the kind model 'weights\."):
        download(store, "ru-en")


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=5,
)
_HOSTILE = st.sampled_from(
    ["", "..", "../x", "/etc/passwd", "model.x/../y.bin", "model.\\..\\x.bin", "model.\n.bin", "C:model.bin",
     "0" * 64, "f" * 63, "3." + "9" * 5000, "3", "٣", "base", "http://elsewhere/x", "a/../../b", "\ud800"]
) | _JSON  # fmt: skip
_WHERE = st.sampled_from(
    ["name", "version", "fileType", "architecture", "sourceLanguage", "targetLanguage", "decompressedHash",
     "attachment", "attachment.location", "attachment.size", ""]
)  # fmt: skip


def _records() -> list[dict[str, Any]]:
    names = {"model": "model.ruen.intgemm.alphas.bin", "vocab": "vocab.ruen.spm", "lex": "lex.50.50.ruen.bin"}
    return [
        {
            "name": name, "version": "3.0", "fileType": kind, "architecture": "base", "sourceLanguage": "ru",
            "targetLanguage": "en", "decompressedHash": str(number) * 64,
            "attachment": {"location": f"models/{name}.zst", "size": 1000 + number},
        }
        for number, (kind, name) in enumerate(names.items())
    ]  # fmt: skip


@given(st.lists(st.tuples(st.integers(0, 2), _WHERE, _HOSTILE), max_size=4), st.none() | _JSON)
def test_hostile_records_are_refused_or_harmless(changes: list[tuple[int, str, Any]], instead: Any) -> None:
    data: list[Any] = _records()
    for number, where, value in changes:
        if where == "" or not isinstance(data[number], dict):
            data[number] = value
        elif "." in where:
            if isinstance(data[number].get("attachment"), dict):
                data[number]["attachment"][where.split(".")[1]] = value
        else:
            data[number][where] = value
    body = json.dumps({"data": data} if instead is None else instead)
    model = Store().model("firefox/ru-en")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(firefox_records, "_get", lambda url: body)
        try:
            (one,) = firefox_records.resolve([model], "http://127.0.0.1/mirror")
        except DownloadError:
            return
    assert re.fullmatch("[0-9a-f]{40}", one.commit)
    assert one.files[0].name.startswith("model.")
    for file in one.files:
        assert Path(file.name).name == file.name
        assert any(Path(file.name).match(pattern) for pattern in model.files)
        assert re.fullmatch("[0-9a-f]{64}", file.sha256)
        assert 0 <= file.size < 2**33
        assert file.url.startswith("http://127.0.0.1/mirror/")
        assert ".." not in file.url.split("/")


@pytest.mark.parametrize(
    "body", ["", "[]", "{}", '{"data": 3}', '{"data": {}}', "[" * 10**5, '{"data":' + "[" * 10**5, "\x00"]
)
def test_an_answer_that_is_no_list(store: Store, monkeypatch: pytest.MonkeyPatch, body: str) -> None:
    monkeypatch.setattr(firefox_records, "_get", lambda url: body)
    with pytest.raises(DownloadError, match=r"does not list models|has no model"):
        download(store, "ru-en")


@pytest.mark.parametrize("base", ["file:///etc", "", 7, None])
def test_files_are_fetched_from_web_servers_alone(
    server: fake_records.Server, store: Store, monkeypatch: pytest.MonkeyPatch, base: object
) -> None:
    real, answer = firefox_records._get, json.dumps({"capabilities": {"attachments": {"base_url": base}}})
    monkeypatch.setattr(firefox_records, "_get", lambda url: answer if url.endswith("/v1/") else real(url))
    with pytest.raises(DownloadError, match="does not say where its files are"):
        download(store, "ru-en")


def test_a_missing_pair_names_the_way_out(server: fake_records.Server, store: Store) -> None:
    with pytest.raises(DownloadError, match=r"no model from 'xx' to 'en' .*--family opus-mt"):
        download(store, "xx-en")


def test_a_missing_file_is_one_error(server: fake_records.Server, store: Store) -> None:
    server.lost.add("vocab.ruen.spm.zst")
    with pytest.raises(DownloadError, match="status 404"):
        download(store, "ru-en")


def test_an_answer_that_lists_nothing(server: fake_records.Server, store: Store) -> None:
    with pytest.raises(DownloadError, match="status 404"):
        download(store, "ru-en", mirror=server.address)


def test_a_mirror_has_its_files_beside_its_records(
    server: fake_records.Server, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FXTRANSLATE_RECORDS_URL", "http://127.0.0.1:9/v1/nothing")
    download(store, mirror=server.mirror)
    assert all(path.startswith("/mirror/") for path, _ in server.requests)
    assert store.installed(store.model("firefox/en-ru"))
    with pytest.raises(InputError, match="no address"):
        download(store, "xx-en", mirror="somewhere")


def test_a_folder_that_somebody_filled(
    store: Store, russian: dict[tuple[str, str], Path], tmp_path: Path
) -> None:
    source = tmp_path / "stick"
    shutil.copytree(russian["ru", "en"], source / "ru-en")
    (source / "enru").mkdir()
    for path in russian["en", "ru"].iterdir():  # packed, as in the repository of models
        (source / "enru" / f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes(), 1))
    download(store, folder=source)
    model = store.translator("embedded", "ru", "en")
    assert model is not None
    assert model.id == "firefox/ru-en"
    assert not (store.home / "models" / "firefox--ru-en" / "draft").exists()


def test_a_folder_with_a_damaged_model_is_refused(
    store: Store, russian: dict[tuple[str, str], Path], tmp_path: Path
) -> None:
    source = tmp_path / "stick" / "ru-en"
    shutil.copytree(russian["ru", "en"], source)
    weights = next(source.glob("model.*"))
    weights.write_bytes(weights.read_bytes()[:100_000])
    with pytest.raises(DownloadError, match="is no model that can be used"):
        download(store, "ru-en", folder=tmp_path / "stick")
    with pytest.raises(DownloadError, match=r"has no model from 'en' to 'ru': .* en-ru/"):
        download(store, "en-ru", folder=tmp_path / "stick")
    assert not store.locked(store.model("firefox/ru-en"))


def test_a_folder_with_a_damaged_archive_is_refused(
    store: Store, russian: dict[tuple[str, str], Path], tmp_path: Path
) -> None:
    source = tmp_path / "stick" / "ru-en"
    shutil.copytree(russian["ru", "en"], source)
    weights = next(source.glob("model.*"))
    packed = bytearray(gzip.compress(weights.read_bytes(), 1))
    packed[1000:1100] = b"\xff" * 100
    Path(f"{weights}.gz").write_bytes(packed)
    weights.unlink()
    with pytest.raises(DownloadError, match="is no model that can be used"):
        download(store, "ru-en", folder=tmp_path / "stick")
    assert not (store.home / "models" / "firefox--ru-en" / "draft").exists()


def test_a_folder_is_refused_where_the_engine_ends(
    store: Store, russian: dict[tuple[str, str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(russian["ru", "en"], tmp_path / "stick" / "ru-en")
    monkeypatch.setattr("checker.models.firefox_engine._WORKER", tmp_path / "nothing.py")
    monkeypatch.setattr("checker.models.firefox_engine._pools", {})
    with pytest.raises(DownloadError, match="is no model that can be used"):
        download(store, "ru-en", folder=tmp_path / "stick")


def test_too_little_space(server: fake_records.Server, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = type("Usage", (), {"free": 1_000_000})()
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: usage)
    with pytest.raises(CheckerError, match="Not enough space"):
        download(store, "ru-en")
    assert not any("/cdn/" in path for path, _ in server.requests)


def test_a_killed_download_goes_on(server: fake_records.Server, store: Store) -> None:
    server.breaks["model.ruen.intgemm.alphas.bin.zst"] = [3_000_000] + [0] * 9
    code = (
        "from pathlib import Path\nfrom checker.models import Store\n"
        f"store = Store(Path({str(store.registry)!r}), Path({str(store.home)!r}))\n"
        "store.download([store.model('firefox/ru-en')], progress=False)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, env={**os.environ}) as run:
        deadline = time.monotonic() + 60
        name = "model.ruen.intgemm.alphas.bin.part"
        while not any(part.stat().st_size >= 3_000_000 for part in store.home.rglob(name)):
            assert time.monotonic() < deadline
            assert run.poll() is None
            time.sleep(0.02)
        run.send_signal(signal.SIGKILL)
    server.breaks.clear()
    server.requests.clear()
    download(store, "ru-en")
    # The last request of the killed process may reach the server only now: it is the same.
    assert set(server.asked("model.ruen.intgemm.alphas.bin.zst")) == {"bytes=3000000-"}
    store.verify([store.model("firefox/ru-en")])


def test_the_command(server: fake_records.Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STATEMENT_CHECKER_HOME", str(tmp_path / "home"))
    options = ["--model", "firefox/ru-en", "--model", "firefox/en-ru", "--mirror", server.mirror]
    result = CliRunner().invoke(app, ["download", *options])
    assert result.exit_code == 0, result.output
    assert "firefox/ru-en@6c3b7af01772" in result.output
    assert Store().translator("embedded", "ru", "en") == Store().model("firefox/ru-en")
