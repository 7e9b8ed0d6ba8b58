"""The head that finds faulty words: what it is measured on."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from checker.pipeline import Checker
from checker.text import words
from scripts.bench import fluency as bench
from scripts.training import heads, order

TEXT = "The council will close the bridge for two weeks, because its deck must be repaired."


@given(st.integers(0, 500))
def test_words_are_shuffled_within_windows_and_nothing_else_moves(seed: int) -> None:
    mixed = order.shuffled(TEXT, random.Random(seed))
    said, found = ([span.text for span in words(text)] for text in (TEXT, mixed))
    for start in range(0, len(said), order.WINDOW):
        window = slice(start, start + order.WINDOW)
        assert sorted(said[window]) == sorted(found[window])
    assert [letter for letter in mixed if letter in " ,."] == [letter for letter in TEXT if letter in " ,."]


@pytest.fixture
def found() -> list[order.Example]:
    return [order.Example("en", family, {"": TEXT}) for family in ("news", "speeches", "parliament") * 10]


def test_a_head_is_put_beside_the_others(tmp_path: Path) -> None:
    folder = tmp_path / "embedded" / "encoder"
    folder.mkdir(parents=True)
    np.savez(folder / "heads.npz", machine=np.ones(3), order_bias=np.zeros(1))
    arrays = {"order": np.arange(3.0), "order_bias": np.ones(1)}
    kept = heads.beside(folder / "heads.npz", arrays)
    assert set(kept) == {"machine", *arrays}
    np.testing.assert_array_equal(kept["order_bias"], arrays["order_bias"])
    assert all(value.dtype == np.float32 for name, value in kept.items() if name in arrays)


def test_every_version_of_a_sentence_is_read(found: list[order.Example]) -> None:
    """By the models that ship: a sentence in disorder has more faults than the same as it was written."""
    checker = Checker(round_trip=False, fluency=False, threads=1)
    some = found[:6]
    for seed, one in enumerate(some):
        one.texts["mixed"] = order.shuffled(TEXT, random.Random(seed + 1))
    order.look(checker, some, part=4)
    whole, mixed = ([one.said[name].value for one in some] for name in ("", "mixed"))
    assert len(set(whole)) == 1
    assert all(
        one is not None and other is not None and other < one for one, other in zip(whole, mixed, strict=True)
    )
    assert any(one.said["mixed"].words for one in some)
    assert all(0 <= start < end <= len(TEXT) for one in some for start, end, _ in one.said["mixed"].words)


def test_few_words_of_whole_sentences_are_shown(found: list[order.Example]) -> None:
    held = found
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
