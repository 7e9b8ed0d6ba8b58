"""The language model that ships, on both engines."""

from __future__ import annotations

import math
import shutil
from pathlib import Path

import numpy as np
import pytest

from checker.errors import ModelCorruptedError
from checker.languages import SUPPORTED
from checker.models import Store
from checker.models.language_model import (
    MAX_TOKENS,
    UNIGRAMS,
    CTranslate2LanguageModel,
    LanguageModel,
    TransformersLanguageModel,
    perplexity,
)
from checker.models.load import load_language_model as load

TEXTS = {
    "ru": [
        "Движение по мосту откроют в четверг утром.",
        "В библиотеке на улице Садовой собирают книги для сельских школ, приносить можно любые.",
        "Да.",
    ],
    "en": ["The bridge will open to traffic on Thursday morning, a day late.", "Yes, 25% – «quoted»!"],
    "fa": ["پل روز پنجشنبه باز می‌شود."],
    "zh": ["大桥将于星期四上午恢复通车。"],
}


@pytest.fixture(scope="module")
def model() -> LanguageModel:
    return _load("ctranslate2")


@pytest.fixture(scope="module")
def reference() -> LanguageModel:
    return _load("transformers")


def _load(engine: str) -> LanguageModel:
    store = Store()
    entry = store.language_model("embedded", "ru")
    assert entry is not None
    return load(entry, store, engine)  # type: ignore[arg-type]


@pytest.mark.parametrize("language", TEXTS)
def test_both_engines_agree(model: LanguageModel, reference: LanguageModel, language: str) -> None:
    assert model.label == reference.label
    ours, theirs = (m.log_probabilities(TEXTS[language], language) for m in (model, reference))
    for text, quick, exact in zip(TEXTS[language], ours, theirs, strict=True):
        assert len(quick.conditional) == len(exact.conditional) > 0
        assert all(value <= 0 for value in quick.conditional)
        means = [sum(found.conditional) / len(found.conditional) for found in (quick, exact)]
        assert means[0] == pytest.approx(means[1], abs=0.05), text
        assert quick.unigram == exact.unigram


def test_a_batch_is_scored_like_each_text_alone_and_in_order(model: LanguageModel) -> None:
    texts = [text for group in TEXTS.values() for text in group] * 3
    texts.insert(4, "")
    texts.append("Мост закрыт. " * 60)
    together = model.log_probabilities(texts, "ru")
    assert len(together) == len(texts)
    for text, scores in zip(texts, together, strict=True):
        (alone,) = model.log_probabilities([text], "ru")
        assert len(scores.conditional) == len(alone.conditional)
        assert scores.conditional == pytest.approx(alone.conditional, abs=1e-4), text
        assert scores.unigram == alone.unigram


@pytest.mark.parametrize("engine", ["model", "reference"])
def test_of_an_empty_text_only_the_end_is_scored(engine: str, request: pytest.FixtureRequest) -> None:
    scorer: LanguageModel = request.getfixturevalue(engine)
    assert scorer.log_probabilities([], "ru") == []
    for found in scorer.log_probabilities(["", "Мост закрыт.", ""], "ru")[::2]:
        assert found.unigram is not None
        assert len(found.conditional) == len(found.unigram) == 1


@pytest.mark.parametrize("engine", ["model", "reference"])
def test_a_long_text_is_cut(engine: str, request: pytest.FixtureRequest) -> None:
    scorer: LanguageModel = request.getfixturevalue(engine)
    long, short = scorer.log_probabilities(
        ["Сегодня мост закрыт для всех машин, " * 300, "Мост закрыт."], "ru"
    )
    assert long.unigram is not None
    assert len(long.conditional) == len(long.unigram) == MAX_TOKENS
    assert len(short.conditional) < 10


@pytest.mark.parametrize("marker", ["</s>", ">>ru<<", ">>en<<", "<unk>"])
def test_a_marker_in_a_post_is_text(model: LanguageModel, marker: str) -> None:
    scores = model.log_probabilities([marker, "Мост закрыт", f"Мост {marker} закрыт"], "ru")
    alone, plain, within = (len(found.conditional) for found in scores)
    assert alone > 2  # a marker would be one token, and the end is another
    assert within > plain + 1


def test_the_language_is_told_to_the_model(model: LanguageModel) -> None:
    german = "Der Zug hält heute nicht in unserem Dorf."
    known, mistaken = (
        sum(model.log_probabilities([german], language)[0].conditional) for language in ("de", "zh")
    )
    assert known > mistaken


# Unigrams

ENGINES = {"ctranslate2": CTranslate2LanguageModel, "transformers": TransformersLanguageModel}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The shipped model, to be changed."""
    store = Store()
    entry = store.language_model("embedded", "ru")
    assert entry is not None
    return Path(shutil.copytree(store.path(entry), tmp_path / "fluency"))


def _of(folder: Path, engine: str) -> LanguageModel:
    entry = Store().language_model("embedded", "ru")
    assert entry is not None
    if engine == "ctranslate2":
        return CTranslate2LanguageModel(entry, folder, folder / "ctranslate2", threads=1)
    return TransformersLanguageModel(entry, folder, device="cpu")


def test_the_unigrams_of_every_language_are_log_probabilities() -> None:
    store = Store()
    entry = store.language_model("embedded", "ru")
    assert entry is not None
    with np.load(store.path(entry, weights=False) / UNIGRAMS) as arrays:
        assert set(arrays.files) == set(SUPPORTED)
        for language in arrays.files:
            row = arrays[language].astype(float)
            assert row.dtype == float
            assert np.exp(row).sum() == pytest.approx(1, abs=0.01), language
            assert len(np.unique(row)) > 50


def test_a_token_has_the_same_unigram_wherever_it_stands(model: LanguageModel) -> None:
    (first,), (last,) = (model.log_probabilities([text], "ru") for text in ("не не не", "когда не"))
    assert first.unigram is not None
    assert last.unigram is not None
    assert first.unigram[0] == first.unigram[1] == first.unigram[2] == last.unigram[-2]
    assert first.unigram[-1] == last.unigram[-1]  # the end
    (rare,) = model.log_probabilities(["не цистит"], "ru")
    assert rare.unigram is not None
    assert min(rare.unigram) < first.unigram[0]


def test_words_are_likelier_in_their_own_language(model: LanguageModel) -> None:
    text = "Der Zug hält heute nicht in unserem Dorf."
    german, english = (model.log_probabilities([text], language)[0].unigram for language in ("de", "en"))
    assert german is not None
    assert english is not None
    assert sum(german) > sum(english) + 10


def test_unigrams_are_add_one_counts_of_the_lines(tmp_path: Path) -> None:
    from tokenizers import Tokenizer

    from scripts.training.fluency import write_unigrams

    store = Store()
    entry = store.language_model("embedded", "ru")
    assert entry is not None
    tokenizer = Tokenizer.from_file(str(store.path(entry, weights=False) / "tokenizer.json"))
    for name in "ab":
        write_unigrams({"ru": ["не не", "не"], "en": ["the"]}, tokenizer, tmp_path / f"{name}.npz")
    with np.load(tmp_path / "a.npz") as arrays:
        assert set(arrays.files) == {"ru", "en"}
        row = arrays["ru"].astype(float)
    word, end = tokenizer.encode("не").ids
    size = tokenizer.get_vocab_size()
    assert len(row) == size
    total = 3 + 2 + size
    expected = {word: math.log(4 / total), end: math.log(3 / total)}
    assert {n: row[n] for n in expected} == pytest.approx(expected, abs=0.01)
    assert np.delete(row, list(expected)) == pytest.approx(math.log(1 / total), abs=0.01)
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


@pytest.mark.parametrize("engine", ENGINES)
def test_a_language_or_a_model_without_unigrams(folder: Path, engine: str) -> None:
    (before,) = _of(folder, engine).log_probabilities(["Мост закрыт."], "ru")
    assert before.unigram is not None
    (unknown,) = _of(folder, engine).log_probabilities(["Мост закрыт."], "xx")
    assert unknown.unigram is None
    # No tag tells it the language: the first token is not scored.
    assert len(unknown.conditional) == len(before.conditional) - 1
    (folder / UNIGRAMS).unlink()
    (after,) = _of(folder, engine).log_probabilities(["Мост закрыт."], "ru")
    assert after.unigram is None
    assert after.conditional == before.conditional


@pytest.mark.parametrize("engine", ENGINES)
def test_without_a_tag_there_is_a_unigram_for_every_token_that_is_scored(folder: Path, engine: str) -> None:
    with np.load(folder / UNIGRAMS) as arrays:
        np.savez(folder / UNIGRAMS, xx=arrays["ru"])
    scorer = _of(folder, engine)
    nothing, one = scorer.log_probabilities(["", "Мост закрыт."], "xx")
    assert (nothing.conditional, nothing.unigram) == ([], [])
    assert one.unigram is not None
    assert len(one.unigram) == len(one.conditional) > 1


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda path: path.write_bytes(path.read_bytes()[:1000]), "cannot be read"),
        (lambda path: path.write_bytes(b""), "cannot be read"),
        (lambda path: np.savez(path, ru=np.zeros(7, np.float16)), "does not belong to the tokenizer"),
    ],
)
def test_damaged_unigrams_are_an_error(folder: Path, damage: object, message: str) -> None:
    assert callable(damage)
    damage(folder / UNIGRAMS)
    with pytest.raises(ModelCorruptedError, match=message):
        _of(folder, "ctranslate2")


def test_perplexity() -> None:
    assert perplexity([]) is None
    assert perplexity([0.0, 0.0]) == 1
    assert perplexity([-1.0, -3.0]) == pytest.approx(math.exp(2))
    assert math.isfinite(perplexity([-1e6]) or math.inf)
