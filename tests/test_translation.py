"""Both engines on real models small enough to be built here; see tiny_models."""

import math
import os
import pickle
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from statistics import fmean
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tiny_models import RANDOM_M2M100, TOY_MARIAN, random_m2m100, toy_marian, toy_pairs

from checker.errors import CheckerError, ModelNotFoundError, UnsupportedPairError
from checker.models import Model, Store
from checker.models.ctranslate2_engine import CTranslate2Translator, _quota, convert, cores
from checker.models.load import Translators
from checker.models.load import load_translator as load
from checker.models.lock import LockedModel, lock_file, write_lock
from checker.models.tokenizer import (
    MAX_PIECES,
    Tokenizer,
    alike,
    bucket,
    by_limit,
    length_limit,
    stretched,
)
from checker.models.transformers_engine import TransformersTranslator, quietly
from checker.models.translator import Translation, Translator

PAIRS = toy_pairs(60, seed=99)  # none in the training pairs' order, most not among them
ENGLISH, RUSSIAN = map(list, zip(*PAIRS, strict=True))


def folder_of(model: Model) -> Path:
    return toy_marian() if model.family == "marian" else random_m2m100()


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """Matrices this small are slower on several threads, very much so where other processes compute."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def conversions(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], Path]:
    """CTranslate2 conversions by family and quantization."""
    home = tmp_path_factory.mktemp("converted")
    found = {}
    for model in TOY_MARIAN, RANDOM_M2M100:
        for quantization in "float32", "int8":
            path = home / f"{model.family}-{quantization}"
            convert(folder_of(model), path, quantization)
            found[model.family, quantization] = path
    return found


@pytest.fixture(scope="module", params=["ctranslate2", "transformers"])
def toy(request: pytest.FixtureRequest, conversions: dict[tuple[str, str], Path]) -> Translator:
    """The toy Marian in each engine."""
    if request.param == "transformers":
        return TransformersTranslator(TOY_MARIAN, toy_marian(), device="cpu")
    converted = conversions["marian", "float32"]
    return CTranslate2Translator(TOY_MARIAN, toy_marian(), converted, device="cpu", compute_type="float32")


@pytest.fixture
def fast(conversions: dict[tuple[str, str], Path]) -> Translator:
    """The toy Marian as it is used by default: 8-bit integers."""
    return CTranslate2Translator(TOY_MARIAN, toy_marian(), conversions["marian", "int8"], device="cpu")


def right(translations: list[Translation], references: list[str]) -> float:
    return fmean(t.text == reference for t, reference in zip(translations, references, strict=True))


def test_the_toy_language_is_translated_in_both_directions(toy: Translator) -> None:
    assert right(toy.translate(ENGLISH, "en", "ru"), RUSSIAN) > 0.9
    assert right(toy.translate(RUSSIAN, "ru", "en"), ENGLISH) > 0.9
    assert toy.label == "tests/toy-marian@1.0.0"
    assert toy.serves("en", "ru")
    assert not toy.serves("en", "de")


@pytest.mark.parametrize("beam", [1, 2, 4])
@pytest.mark.parametrize("model", [TOY_MARIAN, RANDOM_M2M100], ids=["marian", "m2m100"])
def test_both_engines_give_the_same(
    model: Model, beam: int, conversions: dict[tuple[str, str], Path]
) -> None:
    """The same translations, sentence for sentence, and the same log-probabilities to five digits."""
    folder, converted = folder_of(model), conversions[model.family, "float32"]
    one = CTranslate2Translator(model, folder, converted, beam=beam, device="cpu", compute_type="float32")
    other = TransformersTranslator(model, folder, beam=beam, device="cpu")
    count = 30 if model is TOY_MARIAN else 6  # random weights write until they are stopped
    texts, targets = ENGLISH[:count], RUSSIAN[:count]
    ours, theirs = one.translate(texts, "en", "ru"), other.translate(texts, "en", "ru")
    assert [t.text for t in ours] == [t.text for t in theirs]
    assert [t.log_likelihood for t in ours] == pytest.approx([t.log_likelihood for t in theirs], abs=1e-4)
    for a, b in zip(
        one.log_probabilities(texts, targets, "en", "ru"),
        other.log_probabilities(texts, targets, "en", "ru"),
        strict=True,
    ):
        assert a == pytest.approx(b, abs=1e-4)


def test_eight_bits_are_close_to_thirty_two(toy: Translator, fast: Translator) -> None:
    assert (
        right(fast.translate(ENGLISH, "en", "ru"), [t.text for t in toy.translate(ENGLISH, "en", "ru")]) > 0.9
    )
    exact = [fmean(tokens) for tokens in toy.log_probabilities(ENGLISH, RUSSIAN, "en", "ru")]
    rounded = [fmean(tokens) for tokens in fast.log_probabilities(ENGLISH, RUSSIAN, "en", "ru")]
    assert rounded == pytest.approx(exact, abs=0.1)


def test_the_likelihood_of_a_translation_is_its_forced_score(toy: Translator) -> None:
    best = toy.translate(ENGLISH, "en", "ru")
    # A translation that is spelt with other pieces than the tokenizer's has another score.
    forced = [fmean(tokens) for tokens in toy.log_probabilities(ENGLISH, [t.text for t in best], "en", "ru")]
    likely = [(t.log_likelihood, value) for t, value in zip(best, forced, strict=True) if t.text in RUSSIAN]
    assert len(likely) > 50
    assert [a for a, _ in likely] == pytest.approx([b for _, b in likely], abs=1e-3)


def test_a_translation_scores_above_any_other_text(toy: Translator) -> None:
    own = toy.log_probabilities(ENGLISH, RUSSIAN, "en", "ru")
    other = toy.log_probabilities(ENGLISH, RUSSIAN[1:] + RUSSIAN[:1], "en", "ru")
    assert all(value <= 0 for tokens in own + other for value in tokens)
    assert fmean(fmean(a) > fmean(b) for a, b in zip(own, other, strict=True)) == 1
    tokenizer = Tokenizer(TOY_MARIAN, toy_marian())
    assert [len(tokens) for tokens in own] == [len(pieces) + 1 for pieces in tokenizer.targets(RUSSIAN)]


def test_the_start_token_takes_no_probability(toy: Translator, tmp_path: Path) -> None:
    """A shift of all logits but that of <pad> is none: <pad> only starts the decoder."""
    from transformers import MarianMTModel

    folder, converted = tmp_path / "model", tmp_path / "float32"
    shutil.copytree(toy_marian(), folder)
    network = MarianMTModel.from_pretrained(folder)
    network.final_logits_bias[..., :-1] = -30
    network.save_pretrained(folder)
    convert(folder, converted, "float32")
    expected = toy.log_probabilities(ENGLISH[:5], RUSSIAN[:5], "en", "ru")
    for shifted in (
        TransformersTranslator(TOY_MARIAN, folder, device="cpu"),
        CTranslate2Translator(TOY_MARIAN, folder, converted, device="cpu", compute_type="float32"),
    ):
        for a, b in zip(
            shifted.log_probabilities(ENGLISH[:5], RUSSIAN[:5], "en", "ru"), expected, strict=True
        ):
            assert a == pytest.approx(b, abs=1e-3)
        assert right(shifted.translate(ENGLISH[:5], "en", "ru"), RUSSIAN[:5]) == 1


def test_the_target_tag_chooses_the_language(toy: Translator) -> None:
    into_english = toy.translate(["Город видит мост."], "ru", "en")
    into_russian = toy.translate(["City sees bridge."], "en", "ru")
    assert (into_english[0].text, into_russian[0].text) == ("City sees bridge.", "Город видит мост.")


def test_a_text_is_translated_the_same_alone_and_in_a_batch(toy: Translator) -> None:
    texts = [*ENGLISH[:8], ENGLISH[0], "garden " * 40, ENGLISH[8]]
    together = toy.translate(texts, "en", "ru")
    alone = [toy.translate([text], "en", "ru")[0] for text in texts]
    assert [t.text for t in together] == [t.text for t in alone]
    assert [t.log_likelihood for t in together] == pytest.approx([t.log_likelihood for t in alone], abs=1e-4)


def test_nothing_in_nothing_out(toy: Translator) -> None:
    empty = Translation("", 0.0)
    assert toy.translate([], "en", "ru") == []
    assert toy.translate(["", " \n", "\u200b"], "en", "ru") == [empty] * 3
    mixed = toy.translate(["", "City sees bridge.", ""], "en", "ru")
    assert [t.text for t in mixed] == ["", "Город видит мост.", ""]
    scores = toy.log_probabilities(
        ["", "City sees bridge.", "City sees bridge."], ["Мост.", "", "Мост."], "en", "ru"
    )
    assert [bool(tokens) for tokens in scores] == [False, False, True]
    assert toy.log_probabilities([], [], "en", "ru") == []


@pytest.mark.parametrize(
    "text",
    [
        "garden " * 5000,
        "g" * 20_000,
        "\ud800 garden",
        "a\x00b",
        "\u202egarden\u202c",
        "🌋" * 300,
        "جسر" * 400,
    ],
)
def test_hostile_text_is_survived(fast: Translator, text: str) -> None:
    (translation,) = fast.translate([text], "en", "ru")
    assert isinstance(translation.text, str)
    assert math.isfinite(translation.log_likelihood)
    (tokens,) = fast.log_probabilities([text], [text], "en", "ru")
    assert 0 < len(tokens) <= MAX_PIECES + 1
    assert all(map(math.isfinite, tokens))


def test_the_longest_text_fits_both_engines(toy: Translator) -> None:
    (tokens,) = toy.log_probabilities(["garden " * 5000], ["сад " * 5000], "en", "ru")
    assert len(tokens) == MAX_PIECES + 1


def test_a_pair_that_is_not_served_is_refused(toy: Translator) -> None:
    for texts in [], ["Brücke"]:
        with pytest.raises(
            UnsupportedPairError, match=r"tests/toy-marian@1\.0\.0 does not translate de into en"
        ):
            toy.translate(texts, "de", "en")
        with pytest.raises(UnsupportedPairError):
            toy.log_probabilities(texts, texts, "en", "en")


def test_a_device_that_is_not_there_is_named(conversions: dict[tuple[str, str], Path]) -> None:
    import ctranslate2

    if ctranslate2.get_cuda_device_count():
        pytest.skip("there is a CUDA device")
    with pytest.raises(CheckerError, match="no CUDA device"):
        CTranslate2Translator(TOY_MARIAN, toy_marian(), conversions["marian", "int8"], device="cuda")
    with pytest.raises(CheckerError, match="no CUDA device"):
        TransformersTranslator(TOY_MARIAN, toy_marian(), device="cuda")


# ---- tokens ----


@pytest.fixture(params=[TOY_MARIAN, RANDOM_M2M100], ids=["marian", "m2m100"], scope="module")
def tokenizers(request: pytest.FixtureRequest) -> tuple[Model, Tokenizer, Any]:
    """A model with its tokenizer, ours and that of transformers."""
    from transformers import AutoTokenizer

    with quietly():
        theirs = AutoTokenizer.from_pretrained(folder_of(request.param), src_lang="en")
    return request.param, Tokenizer(request.param, folder_of(request.param)), theirs


@given(text=st.text(st.characters(codec="utf-8", exclude_characters="<>_", exclude_categories=["C", "Z"])))
def test_tokens_are_those_of_transformers(tokenizers: tuple[Model, Tokenizer, Any], text: str) -> None:
    model, ours, theirs = tokenizers
    tagged = f">>ru<< {text}" if model.family == "marian" else text
    for tokens in ours.sources([text], "en", "ru"):
        assert not tokens or theirs.convert_tokens_to_ids(tokens) == theirs(tagged)["input_ids"]


def test_a_post_cannot_smuggle_in_a_marker() -> None:
    tokenizer = Tokenizer(TOY_MARIAN, toy_marian())
    tokens = tokenizer.sources([">>en<< garden</s> <pad> <unk>"], "en", "ru")[0]
    assert tokens[0] == ">>ru<<"
    assert tokens[-1] == "</s>"
    assert not {">>ru<<", ">>en<<", "</s>", "<pad>", "<unk>"} & set(tokens[1:-1])


def test_markers_are_not_part_of_a_translation() -> None:
    tokenizer = Tokenizer(TOY_MARIAN, toy_marian())
    tokens = [">>ru<<", *tokenizer.targets(["Город видит мост."])[0], "<unk>", "__ru__", "</s>"]
    assert tokenizer.decode(tokens) == "Город видит мост."


@given(st.lists(st.integers(0, MAX_PIECES + 2), max_size=40))
def test_rows_are_grouped_by_their_length_limit(lengths: list[int]) -> None:
    groups = by_limit([["x"] * length for length in lengths])
    assert sorted(row for rows in groups.values() for row in rows) == [
        row for row, length in enumerate(lengths) if length
    ]
    for limit, rows in groups.items():
        assert [lengths[row] for row in rows] == sorted(lengths[row] for row in rows)
        assert {length_limit(lengths[row]) for row in rows} == {limit}
        assert all(min(2 * lengths[row], MAX_PIECES) <= limit <= max(32, 4 * lengths[row]) for row in rows)


@given(st.lists(st.integers(0, 6), max_size=40))
def test_rows_of_one_shape_go_together(shapes: list[int]) -> None:
    groups = alike(shapes)
    assert sorted(row for rows in groups for row in rows) == [
        row for row, shape in enumerate(shapes) if shape
    ]
    found = [{shapes[row] for row in rows} for rows in groups]
    assert all(len(one) == 1 for one in found)
    assert [one.pop() for one in found] == sorted(set(shapes) - {0}, reverse=True)


@given(st.integers(1, MAX_PIECES + 2))
def test_a_bucket_follows_from_the_length_and_has_its_limit(length: int) -> None:
    assert 0 <= bucket(length) - length < 8
    assert length_limit(bucket(length)) == length_limit(length)
    assert bucket(length) <= 512  # the positions of a Marian
    tokens = [f"{number}" for number in range(max(length, 2))]
    longer = stretched(tokens, bucket(len(tokens)))
    assert len(longer) == bucket(len(tokens))
    assert (longer[:-1][: len(tokens) - 1], longer[-1]) == (tokens[:-1], tokens[-1])


def test_padding_follows_from_the_text_alone(conversions: dict[tuple[str, str], Path]) -> None:
    translator = CTranslate2Translator(TOY_MARIAN, toy_marian(), conversions["marian", "int8"], device="cpu")
    engine, widths, shapes = translator._translator, [], []

    class Watched:
        def translate_batch(self, sources: list[list[str]], **options: Any) -> Any:
            widths.append({bucket(len(row)) for row in sources} | {max(map(len, sources))})
            return engine.translate_batch(sources, **options)

        def score_batch(self, sources: list[list[str]], targets: list[list[str]], **options: Any) -> Any:
            shapes.append({(len(one), len(other)) for one, other in zip(sources, targets, strict=True)})
            return engine.score_batch(sources, targets, **options)

    translator._translator = Watched()
    translated = translator.translate(ENGLISH, "en", "ru")
    scores = translator.log_probabilities(ENGLISH, RUSSIAN, "en", "ru")
    assert widths
    assert len(shapes) > 2
    assert all(len(shape) == 1 for shape in (*widths, *shapes))
    for number in range(0, len(ENGLISH), 7):
        (alone,) = translator.translate([ENGLISH[number]], "en", "ru")
        assert alone.text == translated[number].text
        assert alone.log_likelihood == pytest.approx(translated[number].log_likelihood, abs=1e-4)
        assert translator.log_probabilities([ENGLISH[number]], [RUSSIAN[number]], "en", "ru")[
            0
        ] == pytest.approx(scores[number], abs=1e-4)


def test_the_cores_that_may_be_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    every = cores()
    assert 1 <= every <= (os.cpu_count() or 1)
    for value, expected in ("1", 1), ("1,2", 1), ("100000", every), ("0", every), ("many", every):
        monkeypatch.setenv("OMP_NUM_THREADS", value)
        assert cores() == expected
    quotas = {"max 100000": None, "150000 100000": 2, "1000 100000": 1, "400000 100000\n": 4, "": None}
    for content, quota in quotas.items():
        (tmp_path / "cpu.max").write_text(content)
        assert (_quota(tmp_path) == quota) is (quota is not None)
        assert quota is not None or _quota(tmp_path) > 1000
    (tmp_path / "cpu.max").unlink()
    assert _quota(tmp_path) > 1000
    (tmp_path / "cpu").mkdir()
    for quota, expected in ("-1", None), ("300000", 3):
        (tmp_path / "cpu" / "cpu.cfs_quota_us").write_text(quota)
        (tmp_path / "cpu" / "cpu.cfs_period_us").write_text("100000")
        assert _quota(tmp_path) == expected or (expected is None and _quota(tmp_path) > 1000)


# ---- loading ----

REGISTRY = """
[[model]]
id = "tests/toy-marian"
profile = "hub"
task = "translation"
family = "marian"
pairs = ["ru-en", "en-ru"]
target_tags = { ru = ">>ru<<", en = ">>en<<" }
licence = "Apache-2.0"

[[model]]
id = "tests/elsewhere"
profile = "hub"
task = "translation"
family = "marian"
pairs = ["de-en"]
licence = "Apache-2.0"
"""


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A store with the toy model downloaded and not yet converted, and another one not downloaded."""
    registry, home, commit = tmp_path / "registry.toml", tmp_path / "home", "a" * 40
    registry.write_text(REGISTRY)
    folder = home / "models" / "tests--toy-marian" / commit
    shutil.copytree(toy_marian(), folder)
    files = {path.name: lock_file(path) for path in folder.iterdir()}
    write_lock(home / "models.lock", {"tests/toy-marian": LockedModel(revision=commit, files=files)})
    return Store(registry, home)


def test_a_model_is_converted_on_first_use_and_once(store: Store) -> None:
    model = store.model("tests/toy-marian")
    converted = store.converted_path(model)
    assert not converted.exists()
    first = load(model, store, device="cpu")
    assert first.label == "tests/toy-marian@aaaaaaaaaaaa"
    written = (converted / "model.bin").stat().st_mtime_ns
    again = load(model, store, device="cpu")
    assert (converted / "model.bin").stat().st_mtime_ns == written
    assert [path.name for path in converted.parent.iterdir()] == [converted.name]
    assert first.translate(ENGLISH, "en", "ru") == again.translate(ENGLISH, "en", "ru")


def test_a_conversion_that_fails_leaves_nothing(tmp_path: Path) -> None:
    folder, converted = tmp_path / "model", tmp_path / "converted" / "int8"
    shutil.copytree(toy_marian(), folder)
    (folder / "model.safetensors").write_bytes(b"no tensors")
    with pytest.raises(Exception, match="header"):
        convert(folder, converted)
    assert list(converted.parent.iterdir()) == []


def test_conversions_may_race(tmp_path: Path) -> None:
    converted = tmp_path / "int8"
    convert(toy_marian(), converted)
    (converted / "first").touch()
    convert(toy_marian(), converted)
    assert (converted / "first").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["int8"]


def test_translators_load_lazily_once_and_by_pair(store: Store) -> None:
    translators = Translators(store, "hub", device="cpu")
    assert translators.get("ru", "de") is None
    found: list[Translator | None] = []
    threads = [threading.Thread(target=lambda: found.append(translators.get("ru", "en"))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert {id(one) for one in [*found, translators.get("en", "ru")]} == {id(found[0])}
    assert found[0] is not None
    assert found[0].serves("en", "ru")


def test_a_model_that_was_not_downloaded_names_the_command(store: Store) -> None:
    translators = Translators(store, "hub", device="cpu")
    with pytest.raises(ModelNotFoundError, match="checker models download"):
        translators.get("de", "en")


def test_either_engine_loads_from_the_store(store: Store) -> None:
    one = Translators(store, "hub", "ctranslate2", "cpu").get("en", "ru")
    other = Translators(store, "hub", "transformers", "cpu").get("en", "ru")
    assert isinstance(one, CTranslate2Translator)
    assert isinstance(other, TransformersTranslator)
    assert (
        right(one.translate(ENGLISH, "en", "ru"), [t.text for t in other.translate(ENGLISH, "en", "ru")])
        > 0.9
    )


def test_a_converted_model_needs_no_torch(conversions: dict[tuple[str, str], Path]) -> None:
    program = (
        "import sys\n"
        "from pathlib import Path\n"
        "from tiny_models import TOY_MARIAN\n"
        "from checker.models.ctranslate2_engine import CTranslate2Translator\n"
        "folder, converted = map(Path, sys.argv[1:])\n"
        "translator = CTranslate2Translator(TOY_MARIAN, folder, converted, device='cpu')\n"
        "print(translator.translate(['City sees bridge.'], 'en', 'ru')[0].text)\n"
        "print(sorted({'torch', 'transformers'} & set(sys.modules)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(toy_marian()), str(conversions["marian", "int8"])],
        capture_output=True, text=True, encoding="utf-8", check=True, cwd=Path(__file__).parents[1],
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parent), "PYTHONUTF8": "1"},
    )  # fmt: skip
    assert done.stdout.splitlines() == ["Город видит мост.", "[]"]
    assert done.stderr == ""


def test_loading_is_silent(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    TransformersTranslator(TOY_MARIAN, toy_marian(), device="cpu")
    convert(toy_marian(), tmp_path / "int8")
    assert capfd.readouterr() == ("", "")


class Attack:
    """A pickle that runs a command where it is loaded without care."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, (f"touch {self.path}",)


def pickled(folder: Path, **more: object) -> Path:
    """The toy Marian with its weights, and whatever else, in a pickle."""
    import torch
    from safetensors.torch import load_file

    shutil.copytree(toy_marian(), folder)
    torch.save(load_file(folder / "model.safetensors") | more, folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()
    return folder


def test_a_pickle_of_weights_loads(tmp_path: Path) -> None:
    folder, converted = pickled(tmp_path / "model"), tmp_path / "int8"
    convert(folder, converted)
    for translator in (
        TransformersTranslator(TOY_MARIAN, folder, device="cpu"),
        CTranslate2Translator(TOY_MARIAN, folder, converted, device="cpu"),
    ):
        assert translator.translate(["City sees bridge."], "en", "ru")[0].text == "Город видит мост."


def test_a_pickle_of_anything_else_is_refused(tmp_path: Path) -> None:
    folder = pickled(tmp_path / "model", attack=Attack(tmp_path / "trace"))
    for use in lambda: TransformersTranslator(TOY_MARIAN, folder), lambda: convert(folder, tmp_path / "int8"):
        with pytest.raises(pickle.UnpicklingError):
            use()
    assert not (tmp_path / "trace").exists()
