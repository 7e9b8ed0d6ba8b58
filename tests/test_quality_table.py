"""The table of human translations: rates, percentiles, the cut, and the one that ships."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checker.bitext.alignment import LengthModel
from checker.bitext.human_rates import (
    BANDS,
    FALSE_ALARMS,
    RATES,
    Direction,
    HumanTable,
    adequacy_rows,
    cut,
    upper_tail,
)
from checker.bitext.signals import TRANSLATED
from checker.models import Store

COLUMNS = (40, 100, 200, 500, 1000)
UNIFORM = [(columns, n / 1000) for columns in COLUMNS for n in range(1000)]


def direction(**signals: list[tuple[int, float]]) -> Direction:
    tails = {name: upper_tail(values) for name, values in signals.items()}
    return Direction(1000, LengthModel(1.1, 5.0), tails, 0.01, adequacy_rows(UNIFORM), "m@1")


HUMAN = direction(length=UNIFORM, number=[(c, float(n % 40 == 0)) for c in COLUMNS for n in range(1000)])


@given(st.floats(-1, 2), st.sampled_from(COLUMNS))
def test_the_rate_is_the_share_of_humans_rounded_up(value: float, columns: int) -> None:
    share = sum(v >= value for _, v in UNIFORM[:1000]) / 1000
    rate = HUMAN.rate("length", value, columns)
    assert rate is not None
    assert rate >= share - 0.001
    assert rate == min((r for r in (*RATES, 1.0) if r >= share - 1e-9), default=1.0) or rate - share < 0.11


@given(st.floats(-1, 2), st.floats(-1, 2))
def test_more_of_a_signal_is_rarer(one: float, other: float) -> None:
    low, high = sorted((one, other))
    rates = [HUMAN.rate("length", value, 100) for value in (low, high)]
    assert rates[0] is not None
    assert rates[1] is not None
    assert rates[0] >= rates[1]


def test_counts_have_rates_too() -> None:
    assert HUMAN.rate("number", 0, 100) == 1
    assert HUMAN.rate("number", 1, 100) == 0.025
    assert HUMAN.rate("number", 2, 100) == RATES[0]
    assert HUMAN.rate("forward", 1, 100) is None


def test_percentiles() -> None:
    assert [HUMAN.percentile(v, 100) for v in (-1, 0.5, 2)] == [0, pytest.approx(0.5, abs=0.01), 1]
    assert Direction(0, LengthModel(), {}, 0).percentile(0, 100) is None


def test_bands_and_their_neighbours() -> None:
    rows = upper_tail([(40, 1.0)] * 300)  # only short ones were measured: they stand for the next bands
    assert all(row is not None for row in rows)
    assert upper_tail([(40, 1.0)] * 10) == [None] * len(BANDS)


def test_the_cut_keeps_the_false_alarms() -> None:
    draw = random.Random(0)
    smallest = [min(draw.random() for _ in range(6)) for _ in range(2000)]
    found = cut(smallest)
    assert sum(s <= found for s in smallest) / len(smallest) <= FALSE_ALARMS
    assert sum(s <= RATES[RATES.index(found) + 1] for s in smallest) / len(smallest) > FALSE_ALARMS
    assert cut([0.0] * 10) == 0


def test_lengths_through_english() -> None:
    directions = {
        "ru-en": Direction(0, LengthModel(0.9, 4.0), {}, 0),
        "en-de": Direction(0, LengthModel(1.2, 5.0), {}, 0),
    }
    table = HumanTable(directions)
    assert table.length("ru", "en").ratio == 0.9
    assert table.length("ru", "de").ratio == pytest.approx(1.08)
    assert table.length("fr", "de") == LengthModel()


def test_a_table_survives_its_file(tmp_path: Path) -> None:
    path = tmp_path / "quality.json"
    HumanTable({"ru-en": HUMAN}).write(path)
    read = HumanTable.read(path).directions["ru-en"]
    assert (read.length, read.cut, read.translator) == (HUMAN.length, HUMAN.cut, HUMAN.translator)
    for value in (0.1, 0.97, 5):
        assert read.rate("length", value, 100) == HUMAN.rate("length", value, 100)
        assert read.percentile(value, 100) == HUMAN.percentile(value, 100)
    path.write_text(path.read_text().replace("[80,", "[81,"))
    with pytest.raises(ValueError, match="bands"):
        HumanTable.read(path)


# What ships


@pytest.fixture(scope="module")
def shipped() -> HumanTable:
    return HumanTable.read(Store().registry.parent / "embedded" / "quality.json")


def test_every_language_was_measured_with_english(shipped: HumanTable) -> None:
    from checker.languages import SUPPORTED

    expected = {f"{code}-en" for code in SUPPORTED} | {f"en-{code}" for code in SUPPORTED}
    assert set(shipped.directions) == expected - {"en-en"}
    for name, human in shipped.directions.items():
        assert human.segments >= 300, name
        assert 0 <= human.cut <= FALSE_ALARMS, name
        assert human.cut > 0 or human.translator is None, name
        assert 0.2 < human.length.ratio < 5, name
        assert human.rate("copied", 100, 100) is not None, name


def test_likelihoods_were_measured_with_the_translator_that_ships(shipped: HumanTable) -> None:
    store = Store()
    for name, human in shipped.directions.items():
        model = store.translator("embedded", *name.split("-"), forced=True)
        assert (human.translator is None) == (model is None), name
        assert set(TRANSLATED) <= set(human.signals) or model is None, name
        if model:
            assert human.translator == model.label
            assert human.percentile(-2.5, 100) is not None
