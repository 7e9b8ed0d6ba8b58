"""Rank a figure among human texts of the same length: length bands, and quantiles within them."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

QUANTILES = 41
"""Numbers in a row of quantiles: every fortieth of the texts."""


@dataclass(frozen=True)
class Bands:
    """Bands of length, in columns (wide characters count as two).

    Attributes:
        edges: the first length of every band but the lowest, ascending.
        shortest: the least length that the lowest band is meant for.
        longest: the greatest length that the highest band is meant for; None where it is open.
    """

    edges: tuple[int, ...]
    shortest: int = 0
    longest: int | None = None

    def __len__(self) -> int:
        return len(self.edges) + 1

    def number(self, columns: int) -> int:
        """Number of the band of a text of so many columns, from 0."""
        return bisect_right(self.edges, columns)

    def holds(self, columns: int) -> bool:
        """Whether a text of so many columns is neither too short nor too long for any band."""
        return self.shortest <= columns and (self.longest is None or columns <= self.longest)

    def extents(self) -> list[tuple[int, int | None]]:
        """The least and the greatest length of every band."""
        firsts = (self.shortest, *self.edges)
        return [*((low, high - 1) for low, high in pairwise(firsts)), (firsts[-1], self.longest)]

    def pooled(self, values: Iterable[tuple[int, float]], minimum: int) -> list[list[float]]:
        """Values by band, from pairs of a length and a value.

        A band with fewer than ``minimum`` values takes those of the nearest bands as well; empty where all of
        them together are too few.
        """
        bands: list[list[float]] = [[] for _ in range(len(self))]
        for columns, value in values:
            bands[self.number(columns)].append(value)
        rows = []
        for number in range(len(bands)):
            found: list[float] = []
            for reach in range(len(bands)):
                found = [v for n, band in enumerate(bands) if abs(n - number) <= reach for v in band]
                if len(found) >= minimum:
                    break
            rows.append(found if len(found) >= minimum else [])
        return rows


def quantiles(values: Sequence[float]) -> list[float]:
    """Evenly spaced quantiles of values, from the least to the greatest, to four digits."""
    return [round(float(q), 4) for q in np.quantile(values, np.linspace(0, 1, QUANTILES))]


def share_below(value: float, row: Sequence[float]) -> float:
    """Share of the texts behind a row of quantiles whose value is less, 0 to 1; a tie is not less."""
    grid = np.linspace(0, 1, len(row))
    if value in row:
        return float(grid[row.index(value)])
    return float(np.interp(value, row, grid))


def robust_z(value: float, row: Sequence[float]) -> float:
    """Distance from the median of a row of quantiles, in standard deviations estimated from its quartiles.

    Args:
        row: ``QUANTILES`` numbers.
    """
    middle, spread = row[QUANTILES // 2], (row[3 * QUANTILES // 4] - row[QUANTILES // 4]) / 1.349
    return (value - middle) / max(spread, 1e-6)
