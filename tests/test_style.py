"""The style detector: n-gram buckets, folding, shares of the log-odds, the shipped models."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from checker.errors import ModelCorruptedError
from checker.language import SUPPORTED
from checker.style import BITS, ORDERS, StyleModel, buckets, fold, load, word_weights

SHIPPED = Path(__file__).parents[1] / "models" / "embedded" / "style"
ANY = st.text(st.characters(exclude_categories=()), max_size=40)  # lone surrogates and astral characters too


@pytest.fixture(scope="module")
def model() -> StyleModel:
    """Random weights: no test may depend on what was learnt."""
    weights = np.random.default_rng(1).integers(-128, 128, 1 << BITS).astype(np.int8)
    return StyleModel(weights, scale=0.01, bias=-0.7, label="random@0")


@given(ANY)
@example("")
@example("\ud800")
@example("😀")
def test_every_ngram_has_one_bucket(text: str) -> None:
    found = buckets(text)
    assert [len(numbers) for numbers in found] == [max(len(text) + 3 - order, 0) for order in ORDERS]
    for numbers in found:
        assert ((numbers >= 0) & (numbers < 1 << BITS)).all()


@given(ANY, ANY)
def test_an_ngram_has_the_same_bucket_wherever_it_stands(before: str, text: str) -> None:
    alone, behind = buckets(text), buckets(before + text)
    for order, here, there in zip(ORDERS, alone, behind, strict=True):
        inside = range(1, len(text) + 2 - order)  # without the leading space
        assert [here[i] for i in inside] == [there[len(before) + i] for i in inside]


@given(ANY)
def test_folding_keeps_the_length_and_is_done_once(text: str) -> None:
    assert len(fold(text)) == len(text)
    assert fold(fold(text)) == fold(text)


@pytest.mark.parametrize(
    "variant",
    [
        'Он сказал: "нет" - 25-го',
        "Он сказал: «нет» — 25-го",
        "Он сказал: „нет“ – 31‑го",
        "Он сказал: ”нет” − ٤٧-го",
    ],
)
def test_the_keyboard_makes_no_difference(model: StyleModel, variant: str) -> None:
    assert model.log_odds(variant) == model.log_odds('Он сказал: "нет" - 25-го')
    assert model.log_odds(variant) != model.log_odds("Он сказал: нет - 25-го")


@given(text=ANY.filter(bool))
@example(text="a")
@example(text="\udfff😀")
def test_the_shares_of_the_characters_sum_to_the_log_odds(model: StyleModel, text: str) -> None:
    shares = model.contributions(text)
    assert shares.shape == (len(text),)
    assert shares.sum() == pytest.approx(model.log_odds(text) - model.bias, abs=1e-9)


def test_an_empty_text_has_no_shares(model: StyleModel) -> None:
    assert model.contributions("").shape == (0,)
    assert np.isfinite(model.log_odds(""))


def test_evidence_adds_up_like_independent_votes(model: StyleModel) -> None:
    text = "Жителей просят не подходить к берегу до утра. "
    once, often = (model.log_odds(text * times) - model.bias for times in (10, 90))
    assert often / once == pytest.approx(3, rel=0.05)  # sqrt(90 / 10)


@given(st.lists(st.floats(-5, 5), max_size=30), st.data())
def test_the_weight_of_a_word_is_the_sum_of_its_characters(shares: list[float], data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(shares)))
    end = data.draw(st.integers(start, len(shares)))
    spans = [(0, start), (start, end), (end, len(shares)), (0, len(shares))]
    weights = word_weights(np.array(shares), spans)
    assert weights[1] == pytest.approx(sum(shares[start:end]), abs=1e-9)
    assert sum(weights[:3]) == pytest.approx(weights[3], abs=1e-9)


def test_weights_of_another_size_are_refused() -> None:
    with pytest.raises(ValueError, match="weights"):
        StyleModel(np.zeros(1 << (BITS - 1), np.int8), 1.0, 0.0, "short@0")


def test_a_file_is_read_as_it_was_written(tmp_path: Path, model: StyleModel) -> None:
    np.savez_compressed(tmp_path / "x.npz", weights=model.weights, scale=model.scale, bias=model.bias)
    read = load(tmp_path / "x.npz", "x@1")
    assert read.label == "x@1"
    assert read.log_odds("Мост закрыт.") == model.log_odds("Мост закрыт.")


class _Payload:
    """What a pickle would run."""

    def __reduce__(self) -> tuple[object, ...]:
        return (Path("ran").touch, ())


def test_a_damaged_or_hostile_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    whole = bytearray((SHIPPED / "fa.npz").read_bytes())
    flipped = whole.copy()
    flipped[len(flipped) // 2] ^= 1
    files = {"empty": b"", "text": b"weights", "cut": whole[:5000], "flipped": flipped}
    for name, content in files.items():
        (tmp_path / f"{name}.npz").write_bytes(content)
    np.savez(tmp_path / "short.npz", weights=np.zeros(4, np.int8), scale=1.0, bias=0.0)
    np.savez(tmp_path / "other.npz", something=np.zeros(4))
    np.savez(tmp_path / "pickle.npz", weights=np.array([_Payload()], object), scale=1.0, bias=0.0)
    for name in (*files, "short", "other", "pickle"):
        with pytest.raises(ModelCorruptedError, match=f"{name}.npz"):
            load(tmp_path / f"{name}.npz", "x@1")
    assert not Path("ran").exists()


@pytest.mark.parametrize("language", SUPPORTED)
def test_every_language_ships_a_model(language: str) -> None:
    model = load(SHIPPED / f"{language}.npz", f"style-{language}@1")
    assert model.weights.dtype == np.int8
    assert model.weights.any()
    assert model.scale > 0
    assert np.isfinite([model.bias, model.log_odds("Text, 文本, текст, متن.")]).all()
