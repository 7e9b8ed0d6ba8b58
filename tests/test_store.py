"""The registry, the lock, and finding models: nothing here needs a hub."""

import re
from importlib.metadata import version
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checker.errors import InputError, ModelCorruptedError, ModelNotFoundError, UnsupportedPairError
from checker.models import Model, Store
from checker.models.lock import LockedFile, LockedModel, read_lock, write_lock
from checker.models.registry import is_safe_name

LANGUAGES = (
    "ar", "bg", "cs", "de", "el", "en", "es", "fa", "fi", "fr", "he", "hi", "hu",
    "it", "ja", "ko", "nl", "pl", "pt", "ro", "ru", "sv", "tr", "uk", "zh",
)  # fmt: skip

REGISTRY = """
[files]
marian = ["*.json", "*.spm", "model.safetensors"]

[[model]]
id = "embedded/translator"
profile = "embedded"
task = "translation"
family = "marian"
pairs = ["ru-en", "en-ru"]
target_tags = { ru = ">>ru<<" }
revision = "0.1.0"
licence = "Apache-2.0"

[[model]]
id = "somebody/everything"
profile = "hub"
task = "translation"
family = "m2m100"
languages = ["en", "ru", "fa"]
licence = "MIT"
size_mb = 2000

[[model]]
id = "somebody/ru-en"
profile = "hub"
task = "translation"
family = "marian"
pairs = ["ru-en"]
licence = "Apache-2.0"
"""


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A store with an embedded model of three files and a conversion, all locked."""
    registry = tmp_path / "models" / "registry.toml"
    folder = registry.parent / "embedded" / "translator"
    (folder / "ctranslate2").mkdir(parents=True)
    registry.write_text(REGISTRY)
    (folder / "config.json").write_text("{}")
    (folder / "model.safetensors").write_bytes(bytes(1000))
    (folder / "ctranslate2" / "model.bin").write_bytes(b"converted")
    (folder / "README.md").write_text("model card")
    store = Store(registry, tmp_path / "home")
    store.lock_embedded()
    return store


def test_the_packaged_registry_serves_every_language_in_both_profiles() -> None:
    store = Store()
    for language in LANGUAGES:
        for chosen, second in ("auto", "pt"), ("opus-mt", "ru"):
            hub = store.required("hub", language, chosen=chosen)  # type: ignore[arg-type]
            assert [model.task for model in hub].count("language-model") == 1
            pivot = second if language == "en" else "en"
            for source, target in (language, pivot), (pivot, language):
                assert any(model.serves(source, target) for model in hub)
    assert {model.task for model in store.required("embedded", "ru")} == {"translation", "language-model"}


def test_the_packaged_registry_pins_and_licenses_its_models() -> None:
    for model in Store().models():
        assert model.licence in ("Apache-2.0", "CC-BY-4.0", "MIT", "MPL-2.0")
        assert model.pairs or model.languages
        assert set(model.target_tags) <= {target for _, target in model.pairs}
        if model.profile == "hub":
            assert re.fullmatch("[0-9a-f]{40}|", model.revision)
            assert model.size_mb > (10 if model.family == "firefox" else 100)
            assert model.files


def test_a_model_of_the_pair_comes_before_a_multilingual_one(store: Store) -> None:
    names = {pair: getattr(store.translator("hub", *pair), "id", None) for pair in
             [("ru", "en"), ("en", "ru"), ("fa", "ru"), ("fa", "fi"), ("ru", "ru")]}  # fmt: skip
    assert names == {
        ("ru", "en"): "somebody/ru-en",
        ("en", "ru"): "somebody/everything",
        ("fa", "ru"): "somebody/everything",
        ("fa", "fi"): None,
        ("ru", "ru"): None,
    }
    assert store.language_model("hub", "ru") is None
    with pytest.raises(UnsupportedPairError, match="'fi' into 'en'"):
        store.required("hub", "fi")


def test_labels_and_tags(store: Store) -> None:
    embedded = store.model("embedded/translator")
    assert embedded.label == "embedded/translator@0.1.0"
    assert (embedded.target_tag("ru"), embedded.target_tag("en")) == (">>ru<<", "")
    assert store.model("somebody/ru-en").label == "somebody/ru-en@open"
    with pytest.raises(ModelNotFoundError, match="'nobody/nothing'"):
        store.model("nobody/nothing")


def test_an_embedded_model_is_found_and_verified(store: Store) -> None:
    model = store.model("embedded/translator")
    assert store.installed(model)
    assert (store.path(model) / "config.json").read_text() == "{}"
    assert (store.converted_path(model) / "model.bin").read_bytes() == b"converted"
    assert store.size(model) == 1000 + 2 + 9
    assert set(read_lock(store.registry.parent / "embedded" / "models.lock")[model.id].files) == {
        "config.json", "model.safetensors", "ctranslate2/model.bin",
    }  # fmt: skip


def test_a_changed_file_is_named_with_both_checksums(store: Store) -> None:
    model = store.model("embedded/translator")
    weights = store.path(model) / "model.safetensors"
    weights.write_bytes(bytes(999) + b"x")  # the size is that of the lock
    assert store.installed(model)
    with pytest.raises(ModelCorruptedError, match=r"model\.safetensors has changed") as error:
        store.path(model)
    assert len(set(re.findall("[0-9a-f]{64}", str(error.value)))) == 2
    assert "Install the package again" in str(error.value)
    assert store.path(model, weights=False)
    assert store.converted_path(model)  # another file, intact


def test_a_missing_file_is_named(store: Store) -> None:
    model = store.model("embedded/translator")
    (store.path(model) / "ctranslate2" / "model.bin").unlink()
    assert not store.installed(model)
    with pytest.raises(ModelCorruptedError, match=r"ctranslate2/model\.bin cannot be read"):
        store.converted_path(model)
    with pytest.raises(ModelCorruptedError, match=r"ctranslate2/model\.bin"):
        store.verify([model])


@pytest.mark.parametrize(
    ("name", "option"),
    [("somebody/ru-en", "--language ru"), ("somebody/everything", "--model somebody/everything")],
)
def test_a_model_that_is_not_here_names_the_command(store: Store, name: str, option: str) -> None:
    model = store.model(name)
    assert not store.installed(model)
    for look in store.path, store.converted_path, lambda model: store.verify([model]):
        with pytest.raises(ModelNotFoundError) as error:
            look(model)
        assert f"checker models download {option} " in str(error.value)
        assert f"python scripts/download_models.py {option})" in str(error.value)


def _install(store: Store, model: Model, commit: str) -> Path:
    folder = store.home / "models" / model.id.replace("/", "--") / commit
    folder.mkdir(parents=True)
    (folder / "config.json").write_text("{}")
    sha256 = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"  # of {}
    lock = {model.id: LockedModel(revision=commit, files={"config.json": LockedFile(sha256=sha256, size=2)})}
    write_lock(store.home / "models.lock", lock)
    return folder


def test_an_open_revision_becomes_the_locked_one(store: Store) -> None:
    asked_before = store.model("somebody/ru-en")
    folder = _install(store, asked_before, "c" * 40)
    model = store.model("somebody/ru-en")
    assert model.label == "somebody/ru-en@cccccccccccc"
    assert store.path(model) == store.path(asked_before) == folder
    assert store.converted_path(model, "int8_float16") == (
        store.home / "converted" / "somebody--ru-en"
        / f"{'c' * 40}-int8_float16-ctranslate2-{version('ctranslate2')}"
    )  # fmt: skip


def test_another_commit_than_the_registry_pins_does_not_count(store: Store) -> None:
    _install(store, store.model("somebody/ru-en"), "c" * 40)
    pinned = REGISTRY.replace('pairs = ["ru-en"]\n', f'pairs = ["ru-en"]\nrevision = "{"d" * 40}"\n')
    store.registry.write_text(pinned)
    again = Store(store.registry, store.home)
    with pytest.raises(ModelNotFoundError):
        again.path(again.model("somebody/ru-en"))


def test_removal_takes_files_conversion_and_lock(store: Store) -> None:
    model = store.model("somebody/ru-en")
    folder = _install(store, model, "c" * 40)
    converted = store.converted_path(model)
    converted.mkdir(parents=True)
    store.remove([model, store.model("embedded/translator")])
    assert not folder.exists()
    assert not converted.exists()
    assert read_lock(store.home / "models.lock") == {}
    assert store.installed(store.model("embedded/translator"))


def test_a_spoilt_lock_is_explained(store: Store) -> None:
    store.home.mkdir()
    (store.home / "models.lock").write_text('{"somebody/ru-en": {"revision": "c", "files": {"a": 1}}}')
    with pytest.raises(ModelCorruptedError, match=r"models\.lock is not a lock of models"):
        store.models()


def test_home_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("STATEMENT_CHECKER_HOME", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert Store().home == tmp_path / "statement-checker"
    monkeypatch.setenv("STATEMENT_CHECKER_HOME", "~/elsewhere")
    assert Store().home == Path.home() / "elsewhere"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"ru-en", ', '"ruen", ', "ruen"),
        ('profile = "embedded"', 'profile = "attic"', "attic"),
        ('licence = "MIT"\n', "", "licence"),
        ("size_mb", "size", "size"),
        ('"embedded/translator"', '"../translator"', "inside"),
        ('"*.spm"', '"/etc/*.spm"', "inside"),
        ('"somebody/everything"', '"somebody/ru-en"', "more than once"),
        ('"0.1.0"', '"main"', "main"),
        ("[files]", "[files", "TOML"),
    ],
)
def test_a_wrong_registry_is_explained(store: Store, old: str, new: str, message: str) -> None:
    assert old in REGISTRY
    store.registry.write_text(REGISTRY.replace(old, new, 1))
    with pytest.raises(InputError, match=re.escape(message)):
        Store(store.registry)


def test_a_missing_registry_is_explained(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFoundError, match="install the package again"):
        Store(tmp_path / "registry.toml")


@pytest.mark.parametrize(
    "name",
    ["", "/etc/passwd", "../x", "a/../../x", "a\\..\\x", "C:x", "\\\\host\\share\\x", "a//b", "a\0b", "."],
)
def test_names_that_leave_the_folder_are_not_safe(name: str) -> None:
    assert not is_safe_name(name)


@given(
    st.text(max_size=40) | st.lists(st.sampled_from(["..", ".", "a", "b.json", ""]), max_size=5).map("/".join)
)
def test_a_safe_name_stays_inside(name: str) -> None:
    if is_safe_name(name):
        folder = Path("/folder")
        inside = Path(*(folder / name).parts)
        assert ".." not in PurePosixPath(name).parts
        assert inside != folder
        assert inside.is_relative_to(folder)
