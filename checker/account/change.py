"""Whether an account writes differently from one day on: a change point with a permutation test.

The statistic is the largest standardised difference of the means before and after a day (CUSUM, Page 1954).
Its distribution without a change is that over random orders of the same posts, so nothing is assumed of them
but that their order would not matter.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

FEWEST = 10
"""Posts without which no change is looked for."""

SIDE = 3
"""Posts that there must be before and after."""

PERMUTATIONS = 999
_MOST = 400  # values that are put into random orders; more posts are averaged by neighbours

Floats = NDArray[np.float64]


class Found(NamedTuple):
    """The likeliest change.

    Attributes:
        place: number of posts before it.
        p_value: of no change at any day.
        difference: mean after it less the mean before.
    """

    place: int
    p_value: float
    difference: float


def change(values: Floats, days: Sequence[date], least: float = 0.0) -> Found | None:
    """The likeliest day of a change; None for fewer than ``FEWEST`` posts or where all are of one day.

    Args:
        values: one a post, in the order of their days.
        days: of the posts, ascending.
        least: a smaller difference is not tested; None is returned.
    """
    count = len(values)
    if count < FEWEST:
        return None
    edges = np.linspace(0, count, min(count, _MOST) + 1).round().astype(int)
    means = np.add.reduceat(values, edges[:-1]) / np.diff(edges)
    total = len(means)
    inner = edges[1:-1]
    moved = np.array([days[place - 1] != days[place] for place in inner])
    allowed = moved & (inner >= SIDE) & (inner <= count - SIDE)
    if not allowed.any():
        return None
    before = np.arange(1, total)
    spread = np.sqrt(before * (total - before) / total)

    def largest(orders: Floats) -> Floats:
        sums = np.cumsum(orders - orders.mean(axis=-1, keepdims=True), axis=-1)[..., :-1]
        return np.where(allowed, np.abs(sums) / spread, -1.0)

    statistic = largest(means)
    place = int(statistic.argmax())
    cut = int(inner[place])
    difference = float(values[cut:].mean() - values[:cut].mean())
    if abs(difference) < least:
        return None
    random = np.random.default_rng(0)
    orders = random.permuted(np.broadcast_to(means, (PERMUTATIONS, total)), axis=1)
    reached = int((largest(orders).max(axis=-1) >= statistic[place] - 1e-9).sum())
    return Found(cut, (reached + 1) / (PERMUTATIONS + 1), difference)
