"""Bands of length, and quantiles of human texts."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from checker.bitext.human_rates import BANDS as PAIRS
from checker.evidence.fluency import BANDS as SENTENCES
from checker.percentiles import QUANTILES, Bands, quantiles, robust_z, share_below
from checker.verdict.model import BANDS as POSTS


@pytest.mark.parametrize("bands", [PAIRS, SENTENCES, POSTS])
def test_bands_are_closed_below(bands: Bands) -> None:
    assert [bands.number(edge) - bands.number(edge - 1) for edge in bands.edges] == [1] * len(bands.edges)
    assert (bands.number(0), bands.number(10**6)) == (0, len(bands) - 1)


@pytest.mark.parametrize("bands", [PAIRS, SENTENCES, POSTS])
@given(columns=st.integers(0, 3000))
def test_the_extent_of_a_band_holds_its_lengths(bands: Bands, columns: int) -> None:
    shortest, longest = bands.extents()[bands.number(columns)]
    if bands.holds(columns):
        assert shortest <= columns
        assert longest is None or columns <= longest


def test_extents_leave_no_gap() -> None:
    assert Bands((60, 120), shortest=30, longest=1200).extents() == [(30, 59), (60, 119), (120, 1200)]
    assert Bands((60,)).extents() == [(0, 59), (60, None)]


def test_a_band_with_too_few_values_borrows_from_its_neighbours() -> None:
    bands = Bands((10, 20))
    values = [(5, 1.0), (15, 2.0), (15, 3.0), (25, 4.0)]
    assert bands.pooled(values, 2) == [[1.0, 2.0, 3.0], [2.0, 3.0], [2.0, 3.0, 4.0]]
    assert bands.pooled(values, 5) == [[], [], []]


@given(st.lists(st.floats(-100, 100), min_size=1, max_size=200))
def test_quantiles_ascend_from_the_least_to_the_greatest(values: list[float]) -> None:
    row = quantiles(values)
    assert len(row) == QUANTILES
    assert row == sorted(row)
    assert row[0] == pytest.approx(min(values), abs=1e-4)
    assert row[-1] == pytest.approx(max(values), abs=1e-4)


@given(st.floats(-10, 10), st.floats(-10, 10))
def test_more_is_never_above_fewer(one: float, other: float) -> None:
    row = quantiles([-3.0, 0.0, 0.0, 0.0, 1.0, 4.0])
    low, high = sorted((one, other))
    assert 0 <= share_below(low, row) <= share_below(high, row) <= 1


def test_a_tie_is_not_less() -> None:
    row = quantiles([-1.0] * 50 + [0.0] * 50)
    assert share_below(0.0, row) == pytest.approx(0.5, abs=0.03)
    assert share_below(-1.0, row) == 0.0


def test_robust_z_is_the_standard_score_of_a_normal_distribution() -> None:
    row = quantiles([NormalDist(5, 2).inv_cdf(p) for p in np.linspace(0.001, 0.999, 999)])
    assert robust_z(9.0, row) == pytest.approx(2.0, abs=0.01)
