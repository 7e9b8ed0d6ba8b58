"""Results, caches and runs know with which numbers models computed, and keep those of two kinds apart."""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import pytest
from test_instruction_sets import counting_everything
from typer.testing import CliRunner

from checker import processor
from checker.bitext.estimator import QualityEstimator
from checker.cli.app import app
from checker.errors import CheckerError, OutputError
from checker.loaded import LoadedModels
from checker.models import Store, load
from checker.pages.provenance import used
from checker.pipeline import Checker
from checker.processor import Processor
from checker.runs.journal import Run, options_of
from checker.runs.ray.run import _Job, _Scorer
from checker.settings import Settings

RUSSIAN = "Завтра с десяти утра на улице Садовой отключат воду. Запаситесь ею заранее и предупредите соседей."
WITH_VNNI = Processor("new", frozenset({"avx2", "avx512f", "avx512_vnni"}))
WITHOUT = Processor("old", frozenset({"avx2"}))

On = Callable[[Processor], None]


@pytest.fixture
def on(monkeypatch: pytest.MonkeyPatch) -> On:
    """Be taken to run on a processor."""
    return lambda found: monkeypatch.setattr(processor, "here", lambda: found)


@pytest.fixture
def own(checker: Checker, tmp_path: Path) -> Path:
    """A calibration that counts all evidence."""
    path = tmp_path / "own.json"
    counting_everything(checker).write(path)
    return path


def numbers(**settings: object) -> str | None:
    return Checker(device="cpu", **settings).arithmetic  # type: ignore[arg-type]


def test_eight_bits_are_for_evidence_that_no_probability_rests_on(on: On, own: Path) -> None:
    on(WITH_VNNI)
    assert numbers() == "int8"
    assert numbers(calibration=own) == numbers(exact=True) == numbers(engine="transformers") == "float32"
    on(WITHOUT)
    assert numbers() == numbers(calibration=own) == numbers(exact=True) == "float32"


def test_a_gpu_computes_as_before(on: On, own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import ctranslate2

    monkeypatch.setattr(ctranslate2, "get_cuda_device_count", lambda: 1)
    for found in WITH_VNNI, WITHOUT:
        on(found)
        for settings in {}, {"calibration": own}, {"exact": True}:
            assert Checker(**settings).arithmetic == "float16"  # type: ignore[arg-type]


def test_a_calibration_that_counts_style_alone_changes_nothing(on: On, checker: Checker) -> None:
    on(WITH_VNNI)
    assert not checker.models.verdicts.counts_models
    models = LoadedModels(checker.store, Settings(device="cpu"))
    models.calibration = checker.models.verdicts
    assert models.arithmetic == "int8"


def test_where_no_neural_model_is_asked_for_there_are_no_numbers() -> None:
    assert numbers(round_trip=False, fluency=False) is None
    result = Checker(round_trip=False, fluency=False).score(RUSSIAN)
    assert set(result.models) == {"profile", "style", "encoder"}


def test_a_result_names_the_numbers(checker: Checker, own: Path) -> None:
    assert checker.score(RUSSIAN).models["arithmetic"] == checker.arithmetic
    assert Checker(round_trip=False).score(RUSSIAN).models["arithmetic"] == checker.arithmetic
    assert "arithmetic" not in checker.score("Да.").models
    assert Checker(calibration=own, device="cpu").score(RUSSIAN).models["arithmetic"] == "float32"
    quality = QualityEstimator(store=checker.store, models=checker.models).estimate(
        RUSSIAN, "Water will be cut off."
    )
    assert quality.models["arithmetic"] == checker.arithmetic


def test_a_result_names_the_numbers_of_a_firefox_translator(on: On, tmp_path: Path) -> None:
    post = "A ponte estará fechada ao trânsito entre as dez da noite e as seis da manhã."
    on(WITHOUT)
    both = LoadedModels(Store(), Settings(device="cpu"))
    assert both.used("pt")["arithmetic"] == "fluency float32, translator int8"
    assert both.used("ru")["arithmetic"] == "float32"
    alone = Checker(device="cpu", fluency=False).score(post)
    assert alone.models["translator"].startswith("embedded/firefox-pt-en@")
    assert alone.models["arithmetic"] == "int8"
    assert (
        LoadedModels(Store(), Settings(device="cpu", round_trip=False)).used("pt")["arithmetic"] == "float32"
    )
    on(WITH_VNNI)
    assert LoadedModels(Store(), Settings(device="cpu")).used("pt")["arithmetic"] == "int8"


def test_the_cache_knows_what_really_translates(on: On, monkeypatch: pytest.MonkeyPatch) -> None:
    def scope(language: str, release: str = "0.5.0") -> str:
        with monkeypatch.context() as patch:
            patch.setattr(load, "_release", lambda name: release if name == "fxtranslate" else version(name))
            return LoadedModels(Store(), Settings(device="cpu")).scope("translator", language)

    on(WITHOUT)
    firefox, marian = scope("pt"), scope("ru")
    assert scope("pt", "0.5.1") != firefox
    assert scope("ru", "0.5.1") == marian
    assert ("fxtranslate" in firefox, "ctranslate2" in firefox) == (True, False)
    assert ("fxtranslate" in marian, "ctranslate2" in marian) == (False, True)
    on(WITH_VNNI)  # the numbers of the others
    assert scope("pt") == firefox
    assert scope("ru") != marian


def test_the_cache_keeps_numbers_apart_and_processors_together(on: On) -> None:
    def scope(found: Processor, exact: bool = False) -> str:
        on(found)
        models = LoadedModels(Store(), Settings(device="cpu", exact=exact))
        return models.scope("fluency", "ru")

    assert scope(WITH_VNNI) != scope(WITHOUT)
    assert scope(WITH_VNNI, exact=True) == scope(WITHOUT) == scope(Processor("another"))


def test_a_run_is_not_resumed_with_other_numbers(
    on: On, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: object) -> None:
        raise RuntimeError("interrupted")

    source, output = tmp_path / "posts.txt", tmp_path / "scores.jsonl"
    source.write_text(RUSSIAN + "\n", encoding="utf-8")
    command = ["score", str(source), "-o", str(output), "--no-round-trip", "--no-cache", "--device", "cpu"]
    on(WITHOUT)
    with monkeypatch.context() as patch:
        patch.setattr("checker.runs.local._publish", fail)
        with pytest.raises(RuntimeError, match="interrupted"):
            CliRunner().invoke(app, command, catch_exceptions=False)
    on(WITH_VNNI)
    with pytest.raises(OutputError, match="arithmetic was 'float32' and is 'int8'"):
        CliRunner().invoke(app, command, catch_exceptions=False)
    assert not output.exists()
    on(WITHOUT)
    assert CliRunner().invoke(app, command, catch_exceptions=False).exit_code == 0
    assert json.loads(output.read_text(encoding="utf-8"))["models"]["arithmetic"] == "float32"


def test_the_numbers_are_among_the_options_of_a_run() -> None:
    runs = [
        Run(input=None, options=options_of(Settings(device=device), found), models={})
        for device, found in (("cpu", "float32"), ("auto", "float32"), ("cuda", "float16"))
    ]  # type: ignore[arg-type]
    assert runs[0].changes(runs[1]) == []
    assert runs[0].changes(runs[2]) == ["arithmetic was 'float32' and is 'float16'"]


def test_a_worker_that_computes_with_other_numbers_scores_nothing(
    on: On, checker: Checker, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in "RAYON_NUM_THREADS", "OMP_NUM_THREADS":
        monkeypatch.setenv(name, "1")  # the worker sets them, and this undoes it
    on(WITHOUT)
    digests = checker.store.digests("embedded")
    job = _Job(Settings(device="cpu"), ("text", "id"), digests, "int8", None)
    with pytest.raises(CheckerError, match=r"computes in float32 and this run in int8\. Use machines"):
        _Scorer(job)._score({})


def test_the_list_of_models_says_the_numbers_and_why(on: On) -> None:
    for found, said in (WITH_VNNI, "int8 on this processor: new, AVX-512 VNNI"), (WITHOUT, "float32 on"):
        on(found)
        done = CliRunner().invoke(app, ["models", "list"])
        assert f"Translators and language models compute in {said}" in done.stderr
        assert "compute in" not in done.stdout


def test_a_report_does_not_take_the_numbers_for_a_model(checker: Checker) -> None:
    models = {"profile": {"embedded"}, "arithmetic": {"int8"}, **_sets(checker.models.labels("ru"))}
    assert {one.task for one in used(models, checker.store, shipped=False)} == set(models) - {
        "profile",
        "arithmetic",
    }


def _sets(labels: dict[str, str]) -> dict[str, set[str]]:
    return {task: {label} for task, label in labels.items()}
