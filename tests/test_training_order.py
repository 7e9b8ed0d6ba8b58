"""The head that finds words out of place: what it learns from, and that no family judges itself."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from checker.models.encoder import Pieces
from checker.text import words
from scripts.bench import fluency as bench
from scripts.training import heads, order

TEXT = "The council will close the bridge for two weeks, because its deck must be repaired."
WIDTH = 8


@given(st.integers(0, 500))
def test_words_are_shuffled_within_windows_and_nothing_else_moves(seed: int) -> None:
    mixed = order.shuffled(TEXT, random.Random(seed))
    said, found = ([span.text for span in words(text)] for text in (TEXT, mixed))
    for start in range(0, len(said), order.WINDOW):
        window = slice(start, start + order.WINDOW)
        assert sorted(said[window]) == sorted(found[window])
    assert [letter for letter in mixed if letter in " ,."] == [letter for letter in TEXT if letter in " ,."]


def pieces(text: str, bad: list[tuple[int, int]], rng: np.random.Generator) -> Pieces:
    """One piece a word; the first place of a vector tells whether it is bad."""
    spans = [(word.start, word.end) for word in words(text)]
    vectors = rng.normal(scale=0.05, size=(len(spans) + 2, WIDTH)).astype(np.float16)
    for number, span in enumerate(spans, 1):
        vectors[number, 0] = 2.0 if span in bad else -2.0
    return Pieces(vectors, np.array([(-1, -1), *spans, (-1, -1)], np.int32))


def example(family: str, seed: int) -> order.Example:
    """The same sentence, of which the third to the fifth word are bad in its other versions."""
    rng = np.random.default_rng(seed)
    spoilt = [(word.start, word.end) for word in words(TEXT)][2:5]
    versions = ["", "mixed"] if order.is_measured(family) else [""]
    found = order.Example("en", family, dict.fromkeys(versions, TEXT), spoilt=(TEXT, spoilt))
    found.measured = order.is_measured(family)
    bad = {"": [], "mixed": spoilt, "spoilt": spoilt}
    found.read = {name: pieces(TEXT, bad[name], rng) for name in (*versions, "spoilt")}
    return found


@pytest.fixture
def found() -> list[order.Example]:
    families = ("news", "speeches", "parliament", "test sets", "gnome_docs")
    return [example(family, seed) for seed, family in enumerate(families * 10)]


def test_a_head_learns_what_is_spoilt(found: list[order.Example]) -> None:
    order.say(order.fit(found), found)
    hits = []
    for one in found:
        assert one.said[""].words == ()
        if "mixed" in one.texts:
            spans = {(word.start, word.end) for word in words(TEXT)[2:5]}
            shown = {(start, end) for start, end, _ in one.said["mixed"].words}
            assert shown <= spans
            hits.append(len(shown))
            whole, mixed = one.said[""].value, one.said["mixed"].value
            assert whole is not None
            assert mixed is not None
            assert mixed < whole
    assert sum(hits) > 0.9 * 3 * len(hits)


def test_no_family_is_judged_by_a_head_that_has_seen_it(
    found: list[order.Example], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[set[str]] = []
    judged: list[set[str]] = []

    def fit(rest: list[order.Example]) -> dict[str, np.ndarray]:
        seen.append({one.family for one in rest})
        return {}

    def say(arrays: dict[str, np.ndarray], held: list[order.Example]) -> None:
        judged.append({one.family for one in held})

    monkeypatch.setattr(order, "fit", fit)
    monkeypatch.setattr(order, "say", say)
    order.cross_fit(found)
    assert sorted(name for names in judged for name in names) == ["news", "parliament", "speeches"]
    assert all(not rest & held for rest, held in zip(seen, judged, strict=True))
    assert all({"test sets", "gnome_docs"} < rest for rest in seen)


def test_the_head_is_put_beside_the_others(found: list[order.Example], tmp_path: Path) -> None:
    folder = tmp_path / "embedded" / "encoder"
    folder.mkdir(parents=True)
    np.savez(folder / "heads.npz", machine=np.ones(3), order_bias=np.zeros(1))
    arrays = order.fit(found[:8])
    kept = heads.beside(folder / "heads.npz", arrays)
    assert set(kept) == {"machine", *arrays}
    np.testing.assert_array_equal(kept["order_bias"], arrays["order_bias"])
    assert all(value.dtype == np.float32 for name, value in kept.items() if name in arrays)


def test_few_words_of_whole_sentences_are_shown(found: list[order.Example]) -> None:
    held = [one for one in found if one.measured]
    for number, one in enumerate(held):
        one.said = {"": order.Order(-0.1, ((0, 3, round(0.1 * number, 2)),))}
    limit = order.limit_of(held)
    shown = sum(odds >= limit for one in held for *_, odds in one.said[""].words)
    assert shown <= order.SHOWN * len(held) * len(words(TEXT))
    assert limit > 0


def test_one_word_gets_another_form() -> None:
    lexicon = order.Lexicon.learn(["closed closes bridges bridge for with the of"] * 3)
    seen = set()
    for seed in range(40):
        found = order.bend("The council closes the bridge for two weeks.", lexicon, random.Random(seed))
        assert found is not None
        text, (start, end) = found
        seen.add(text[start:end])
        assert text[:start] + text[end:] in {
            "The council  the bridge for two weeks.", "The council closes the  for two weeks.",
            "The council closes the bridge  two weeks.", "The council closes  bridge for two weeks.",
        }  # fmt: skip
    assert {"closed", "bridges"} < seen
    assert order.bend("Ja.", lexicon, random.Random(1)) is None


def test_documentation_is_not_measured_nor_what_the_encoder_learnt_from() -> None:
    named = ("official", "ud", "wmt21", order.NTREX, "test sets", "msdocs", "gnome_docs", "human_docs")
    assert [name for name in named if order.is_measured(name)] == ["official", "ud", "wmt21", order.NTREX]


def test_figures_of_a_table() -> None:
    gap = [float("nan")] * 2
    frame = pd.DataFrame(
        {
            "slor": [-0.1, -0.2, -0.3, -0.4, -9, -9], "mixed_slor": [-0.15, -0.25, -0.35, -0.45, *gap],
            "order": [-0.1] * 6, "mixed_order": [-0.5] * 4 + gap, "words": [10] * 6,
            "shown": [0, 0, 0, 1, 0, 2], "mixed_shown": [1, 2, 0, 1, *gap], "bent_shown": [1, 0, 0, 0, *gap],
        }
    )  # fmt: skip
    both, encoder, model, mixed, bent, words_shown = bench.figures(frame)
    assert (both, encoder, mixed, bent, words_shown) == (1.0, 1.0, 0.75, 0.25, 0.05)
    assert model == pytest.approx(10 / 16)
    assert bench.cells([0.5, float("nan"), 0.25, 0.1, float("nan"), 0.005]) == [
        "0.500", "–", "0.250", "10 %", "–", "5.0",
    ]  # fmt: skip
