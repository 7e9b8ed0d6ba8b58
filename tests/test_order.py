"""Words out of place: what is said of pieces becomes a figure of a sentence and words to show."""

from __future__ import annotations

import random
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from checker.evidence.fluency import CLIPPED_SLOR, JOINED, MEAN, ORDER_WEIGHT, Reading, joined
from checker.evidence.order import KEPT, MOST, Order, broken, read
from checker.evidence.style import wording
from checker.pipeline import Checker
from checker.result import Result

TEXT = "Завтра отключат воду, сообщили в водоканале."


def pieces(text: str, size: int = 3) -> np.ndarray:
    """Spans of pieces of so many characters, with a mark on either side."""
    spans = [(start, min(start + size, len(text))) for start in range(0, len(text), size)]
    return np.array([(-1, -1), *spans, (-1, -1)], np.int32)


def test_the_value_is_the_mean_log_probability_of_being_in_place() -> None:
    odds = np.array([9.0, 0.0, np.log(3), 9.0], np.float32)  # marks do not count
    spans = np.array([(-1, -1), (0, 2), (2, 4), (-1, -1)], np.int32)
    assert read("abcd", odds, spans).value == pytest.approx((np.log(0.5) + np.log(0.25)) / 2, abs=1e-4)


def test_nothing_is_said_of_no_piece() -> None:
    assert read("", np.zeros(0, np.float32), np.zeros((0, 2), np.int32)) == Order(None)
    assert read("…", np.zeros(2, np.float32), np.full((2, 2), -1, np.int32)) == Order(None)


@given(st.lists(st.floats(-20, 20, width=32), min_size=17, max_size=17))
def test_words_are_kept_from_a_limit_on_by_their_worst_piece(values: list[float]) -> None:
    spans = pieces(TEXT)
    odds = np.array(values[: len(spans)], np.float32)
    found = read(TEXT, odds, spans)
    assert found.value is not None
    assert found.value <= 0
    kept = {(start, end): most for start, end, most in found.words}
    assert list(kept) == sorted(kept)
    for start, end in [(0, 6), (7, 15), (16, 20), (22, 30), (31, 32), (33, 43)]:
        own = [o for o, (a, b) in zip(odds, spans, strict=True) if a >= 0 and a < end and b > start]
        assert ((start, end) in kept) == (max(own) >= KEPT)
        if (start, end) in kept:
            assert kept[start, end] == pytest.approx(max(own), abs=0.006)


def test_places_are_those_of_the_text_that_was_folded() -> None:
    text = "ЗАВТРА ОТКЛЮЧАТ ВОДУ!!!!!! — — СООБЩИЛИ В ВОДОКАНАЛЕ"
    draft = wording(text, "ru")
    found = read(draft.text, np.full(99, 3.0, np.float32)[: len(pieces(draft.text))], pieces(draft.text))
    placed = found.placed(draft.starts, draft.ends)
    assert placed.value == found.value
    shown = [text[start:end] for start, end, _ in placed.words]
    assert shown == ["ЗАВТРА", "ОТКЛЮЧАТ", "ВОДУ", "СООБЩИЛИ", "В", "ВОДОКАНАЛЕ"]


def test_the_encoder_joins_the_clipped_slor_alone() -> None:
    slor = Reading(CLIPPED_SLOR, -0.5, 20.0)
    assert joined(slor, -0.25) == Reading(JOINED, -0.5 - 0.25 * ORDER_WEIGHT, 20.0)
    assert joined(Reading(CLIPPED_SLOR, None, None), -0.25) == Reading(JOINED, None, None)
    assert joined(Reading(MEAN, -3.0, 20.0), -0.25) == Reading(JOINED, None, 20.0)


# What ships

NATURAL = {
    "ru": "После ночной смены медсёстры выпили чаю и разошлись по домам.",
    "en": "The committee will meet again on Thursday to discuss the school budget.",
    "de": "Der Bürgermeister hat die neue Brücke am Montag für den Verkehr freigegeben.",
    "es": "Los vecinos se quejan de que el autobús ya no pasa por la plaza del mercado.",
    "fi": "Kunta sulkee sillan kahdeksi viikoksi, koska sen kansi korjataan.",
    "ar": "أعلنت البلدية أن الجسر سيغلق لمدة أسبوعين بسبب أعمال الصيانة.",
    "ja": "町は橋を修理するため、来週から二週間通行止めにすると発表した。",
}


@pytest.fixture(scope="module")
def results(checker: Checker) -> dict[str, tuple[Result, Result]]:
    """Every sentence, and its words in disorder."""
    found = {}
    for language, text in NATURAL.items():
        body, stop = text[:-1], text[-1]
        words = list(body) if language == "ja" else body.split()
        random.Random(3).shuffle(words)
        mixed = ("" if language == "ja" else " ").join(words) + stop
        found[language] = (checker.score(text), checker.score(mixed))
    return found


def test_words_in_disorder_are_shown_and_cost_fluency(results: dict[str, tuple[Result, Result]]) -> None:
    shown = 0
    for language, (whole, mixed) in results.items():
        assert whole.fluency is not None, language
        assert mixed.fluency is not None, language
        assert mixed.fluency < whole.fluency, language
        assert sum(len(s.broken) for s in whole.sentences) <= 1, language
        shown += any(sentence.broken for sentence in mixed.sentences)
    assert shown > len(results) / 2


def test_broken_words_are_words_of_the_post(results: dict[str, tuple[Result, Result]]) -> None:
    for _, mixed in results.values():
        for sentence in mixed.sentences:
            for place in sentence.broken:
                assert sentence.start <= place.start < place.end <= sentence.end
                word = sentence.text[place.start - sentence.start : place.end - sentence.start]
                assert word == word.strip()
                assert word


def test_without_the_encoder_the_language_model_ranks_alone(checker: Checker) -> None:
    plain = Checker(round_trip=False, encoder=False, threads=1).score(NATURAL["en"])
    assert plain.fluency is not None
    assert plain.fluency != checker.score(NATURAL["en"]).fluency
    assert plain.sentences[0].broken == ()


def test_neighbours_are_one_place() -> None:
    text = "One two, three four five."
    said = Order(-1.0, ((0, 3, 2.0), (4, 7, 0.5), (9, 14, 1.5), (15, 19, 1.0), (20, 24, 0.2)))
    assert broken(text, said, 0.0) == [(0, 24)]
    assert broken(text, said, 1.0) == [(0, 3), (9, 19)]
    assert broken(text, said, 9.0) == []
    assert broken(text, said, None) == broken(text, None, 0.0) == []


def test_the_worst_words_of_a_long_sentence_are_kept() -> None:
    text = " ".join(["word"] * 500)
    spans = pieces(text, 5)
    odds = np.arange(len(spans), dtype=np.float32)
    found = read(text, odds, spans).words
    assert len(found) == MOST
    assert found[-1][:2] == (len(text) - 4, len(text))
    assert [start for start, *_ in found] == sorted(start for start, *_ in found)


def test_a_sentence_of_many_words_takes_no_longer_for_each() -> None:
    text = "水" * 20_000
    spans = np.array([(n, n + 2) for n in range(0, len(text), 2)], np.int32)
    began = time.perf_counter()
    found = read(text, np.full(len(spans), 2.0, np.float32), spans)
    assert time.perf_counter() - began < 2
    assert len(found.words) == MOST
