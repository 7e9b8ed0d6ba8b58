"""The language model that ships, on both engines."""

from __future__ import annotations

import math

import pytest

from checker.language_model import MAX_TOKENS, LanguageModel, load, perplexity
from checker.store import Store

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
    ours, theirs = (m.score(TEXTS[language], language) for m in (model, reference))
    for text, quick, exact in zip(TEXTS[language], ours, theirs, strict=True):
        assert len(quick) == len(exact) > 0
        assert all(value <= 0 for value in quick)
        assert sum(quick) / len(quick) == pytest.approx(sum(exact) / len(exact), abs=0.05), text


def test_a_batch_is_scored_like_each_text_alone_and_in_order(model: LanguageModel) -> None:
    texts = [text for group in TEXTS.values() for text in group] * 3
    texts.insert(4, "")
    texts.append("Мост закрыт. " * 60)
    together = model.score(texts, "ru")
    assert len(together) == len(texts)
    for text, scores in zip(texts, together, strict=True):
        (alone,) = model.score([text], "ru")
        assert len(scores) == len(alone)
        assert scores == pytest.approx(alone, abs=1e-4), text


@pytest.mark.parametrize("engine", ["model", "reference"])
def test_of_an_empty_text_only_the_end_is_scored(engine: str, request: pytest.FixtureRequest) -> None:
    scorer: LanguageModel = request.getfixturevalue(engine)
    assert scorer.score([], "ru") == []
    assert [len(row) for row in scorer.score(["", "Мост закрыт.", ""], "ru")][::2] == [1, 1]


@pytest.mark.parametrize("engine", ["model", "reference"])
def test_a_long_text_is_cut(engine: str, request: pytest.FixtureRequest) -> None:
    scorer: LanguageModel = request.getfixturevalue(engine)
    long, short = scorer.score(["Сегодня мост закрыт для всех машин, " * 300, "Мост закрыт."], "ru")
    assert len(long) == MAX_TOKENS
    assert len(short) < 10


@pytest.mark.parametrize("marker", ["</s>", ">>ru<<", ">>en<<", "<unk>"])
def test_a_marker_in_a_post_is_text(model: LanguageModel, marker: str) -> None:
    alone, plain, within = model.score([marker, "Мост закрыт", f"Мост {marker} закрыт"], "ru")
    assert len(alone) > 2  # a marker would be one token, and the end is another
    assert len(within) > len(plain) + 1


def test_the_language_is_told_to_the_model(model: LanguageModel) -> None:
    german = "Der Zug hält heute nicht in unserem Dorf."
    known, mistaken = (sum(model.score([german], language)[0]) for language in ("de", "zh"))
    assert known > mistaken


def test_perplexity() -> None:
    assert perplexity([]) is None
    assert perplexity([0.0, 0.0]) == 1
    assert perplexity([-1.0, -3.0]) == pytest.approx(math.exp(2))
    assert math.isfinite(perplexity([-1e6]) or math.inf)
