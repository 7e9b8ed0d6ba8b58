"""The hub profile end to end: fetched with the hub's real client, converted, scored with both engines.

Our own small models stand in for those of the hub, under their names.
"""

from __future__ import annotations

import json
import shutil
import socket
from collections.abc import Iterator
from operator import attrgetter
from pathlib import Path

import fake_hub
import huggingface_hub
import pytest
from sacrebleu.metrics.chrf import CHRF
from test_calibration import labelled
from told import codes, counted, warned
from typer.testing import CliRunner

from checker.cli.app import app
from checker.errors import ModelCorruptedError, ModelNotFoundError
from checker.evidence import style
from checker.models import Store
from checker.models.weights import network
from checker.pipeline import Checker
from checker.result import Result
from checker.verdict.file import read

EMBEDDED = Path(__file__).parents[1] / "models" / "embedded"
RU_EN, EN_RU = "Helsinki-NLP/opus-mt-ru-en", "Helsinki-NLP/opus-mt-en-ru"
FLUENCY = "Qwen/Qwen3-0.6B-Base"
REGISTRY = f"""
[files]
marian = ["*.json", "*.spm", "model.safetensors"]
causal-lm = ["*.json", "model.safetensors"]

[[model]]
id = "{RU_EN}"
profile = "hub"
task = "translation"
family = "marian"
pairs = ["ru-en"]
target_tags = {{ en = ">>en<<" }}
licence = "Apache-2.0"

[[model]]
id = "{EN_RU}"
profile = "hub"
task = "translation"
family = "marian"
pairs = ["en-ru"]
target_tags = {{ ru = ">>ru<<" }}
licence = "Apache-2.0"

[[model]]
id = "{FLUENCY}"
profile = "hub"
task = "language-model"
family = "causal-lm"
languages = ["en", "ru"]
licence = "Apache-2.0"
"""
POST = (
    "Министр обороны заявил, что переговоры будут продолжены на следующей неделе. "
    "Правительство приняло решение о помощи жителям города."
)


def _new_store(folder: Path) -> Store:
    """Our registry, with the style models and the verdict of the package beside it."""
    folder.mkdir(exist_ok=True)
    (folder / "registry.toml").write_text(REGISTRY)
    (folder / "embedded").symlink_to(EMBEDDED)
    return Store(folder / "registry.toml", folder / "home")


def _published(part: str, folder: Path) -> Path:
    """An embedded model as a publisher would offer it: Hugging Face files with safetensors."""
    import transformers

    kind = transformers.AutoModelForCausalLM if part == "fluency" else transformers.AutoModelForSeq2SeqLM
    shutil.copytree(EMBEDDED / part, folder, ignore=shutil.ignore_patterns("ctranslate2"))
    kept = {path: path.read_bytes() for path in folder.glob("*.json")}
    network(kind, EMBEDDED / part).save_pretrained(folder)
    for path, content in kept.items():
        path.write_bytes(content)
    return folder


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """All three models downloaded; the hub is gone and nothing can be connected to."""
    folder = tmp_path_factory.mktemp("hub")
    store = _new_store(folder)
    served = {
        name: _published(part, folder / part) for name, part in ((RU_EN, "translator"), (FLUENCY, "fluency"))
    }
    with pytest.MonkeyPatch.context() as patch:
        huggingface_hub.close_session()
        patch.setenv("NO_PROXY", "127.0.0.1")
        with fake_hub.serve({**served, EN_RU: served[RU_EN]}) as hub:
            patch.setenv("HF_ENDPOINT", hub.endpoint)
            store.download(store.required("hub", "ru"), progress=False)
        huggingface_hub.close_session()

        def refuse(*args: object) -> None:
            raise AssertionError("the network was used")

        patch.setattr(socket.socket, "connect", refuse)
        yield store


@pytest.fixture(scope="module")
def result(store: Store) -> Result:
    return Checker(profile="hub", store=store).score(POST)


def test_a_post_makes_its_round_trip_through_downloaded_models(store: Store, result: Result) -> None:
    assert result.verdict != "not_scored"
    assert result.round_trip is not None
    assert result.round_trip.pivot == "en"
    for sentence in result.sentences:
        assert sentence.pivot_text
        assert set(sentence.pivot_text) & set("abcdefghijklmnopqrstuvwxyz")
        assert set(sentence.back_translation or "") & set("абвгдежзийклмнопрстуфхцчшщъыьэюя")
        assert sentence.perplexity is not None
    labels = [store.model(name).label for name in (RU_EN, EN_RU)]
    assert result.models == {
        "profile": "hub",
        "style": f"embedded/style-ru@{style.REVISION}",
        "fluency": store.model(FLUENCY).label,
        "translator": " + ".join(labels),
        "arithmetic": Checker(profile="hub", store=store).arithmetic,
    }
    assert not any("@open" in label for label in result.models.values())


def test_the_verdict_rests_on_what_it_was_calibrated_with(checker: Checker, result: Result) -> None:
    assert result.fluency is None  # no percentiles were measured with this model
    for part in ("translator", "fluency"):
        assert any(
            f"not calibrated with {result.models[part]}: its {part} evidence is shown, not counted" in warning
            for warning in map(attrgetter("text"), result.warnings)
        )
    (evidence,) = checker.evidence_many([POST], "ru")
    log_odds, _ = checker.models.verdicts.style("ru", evidence)
    assert result.style == pytest.approx(log_odds, abs=1e-3)
    assert result.machine_translated == pytest.approx(1 / (1 + 2.718281828**-log_odds), abs=1e-3)
    assert counted(result) == ["style"]


@pytest.mark.slow
def test_with_a_calibration_of_its_own_everything_counts(
    store: Store, result: Result, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [post for machine in (False, True) for post in labelled(100, machine=machine)]
    lines = [
        json.dumps({"text": p.text, "label": "machine" if p.machine else "human", "lang": "ru"}) for p in rows
    ]
    posts, calibration = tmp_path / "posts.jsonl", tmp_path / "calibration-hub.json"
    posts.write_text("\n".join(lines))
    monkeypatch.setattr("checker.pipeline.Store", lambda: store)
    done = CliRunner().invoke(app, ["calibrate", str(posts), "-o", str(calibration), "--profile", "hub"])
    assert done.exit_code == 0, done.output
    fitted = read(calibration).languages["ru"]
    named = {task: label for task, label in result.models.items() if task not in ("profile", "arithmetic")}
    assert fitted.models == named
    assert fitted.pivot == "en"
    assert fitted.percentiles is not None

    ours = Checker(profile="hub", calibration=calibration, store=store).score(POST)
    assert ours.models["calibration"].startswith("calibration-hub.json@")
    assert ours.fluency is not None
    assert "uncalibrated" not in codes(ours)
    assert set(counted(ours)) == {"style", "fluency", "round_trip"}

    embedded = Checker(calibration=calibration, store=Store()).score(
        POST
    )  # with other models than it was fitted for
    assert codes(embedded).count("uncalibrated") == 3
    assert counted(embedded) == ["style"]


def test_both_engines_give_the_same_back_translations(store: Store, result: Result) -> None:
    other = Checker(profile="hub", engine="transformers", store=store).score(POST)
    same = {task: label for task, label in result.models.items() if task != "arithmetic"}
    assert {task: label for task, label in other.models.items() if task != "arithmetic"} == same
    assert other.machine_translated == result.machine_translated
    for ours, theirs in zip(result.sentences, other.sentences, strict=True):
        assert (
            CHRF(word_order=2)
            .sentence_score(str(ours.back_translation), [str(theirs.back_translation)])
            .score
            > 60
        )
        assert ours.perplexity == pytest.approx(theirs.perplexity, rel=0.05)


def test_english_goes_through_russian_with_the_same_models(store: Store) -> None:
    text = "The minister said that the talks would continue next week in the capital."
    result = Checker(profile="hub", store=store).score(text)
    assert result.round_trip is not None
    assert result.round_trip.pivot == "ru"
    assert result.models["translator"] == " + ".join(store.model(name).label for name in (EN_RU, RU_EN))


def test_a_conversion_is_made_once(store: Store, result: Result) -> None:
    kept = {path: path.stat().st_mtime_ns for path in (store.home / "converted").rglob("model.bin")}
    assert len(kept) == 3
    assert Checker(profile="hub", store=store).score(POST) == result
    assert {path: path.stat().st_mtime_ns for path in (store.home / "converted").rglob("model.bin")} == kept


def test_a_language_that_the_hub_models_do_not_serve(store: Store) -> None:
    result = Checker(profile="hub", store=store).score(
        "Der Zug hält in den nächsten Wochen leider nicht in unserem Dorf."
    )
    assert result.verdict != "not_scored"
    assert result.round_trip is None
    assert "No hub translator serves German and English" in warned(result, "no_translator")


def test_what_was_not_downloaded_names_the_command(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFoundError, match=f"checker models download --model {FLUENCY}"):
        Checker(profile="hub", store=_new_store(tmp_path / "new")).score(POST)


def test_a_download_that_was_changed_is_refused(store: Store, result: Result, tmp_path: Path) -> None:
    changed = _new_store(tmp_path / "new")
    shutil.copytree(store.home, changed.home)
    path = changed.path(changed.model(RU_EN)) / "source.spm"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(ModelCorruptedError, match=rf"source\.spm.*checker models download --model {RU_EN}"):
        Checker(profile="hub", store=changed).score(POST)
