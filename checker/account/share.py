"""The share of an account's posts that are machine-translated: a mixture, not the mean of probabilities.

Each post has a likelihood ratio, and the share is where the likelihood of all of them is greatest: the prior
that the EM algorithm of Saerens, Latinne and Decaestecker (2002) ends at. The interval is that of the profile
likelihood, flattened by the design effect.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

_GRID = np.linspace(0, 1, 201)
_CHI_SQUARE = 3.841459  # 95 % of one degree of freedom

Floats = NDArray[np.float64]


class Estimated(NamedTuple):
    """A share with its 95 % interval."""

    value: float
    low: float
    high: float


def share(log_ratios: Floats, effective: float) -> Estimated:
    """The share of one of two kinds.

    Args:
        log_ratios: log likelihood ratio of the kind against the other, one a post; at least one.
        effective: number of independent posts that they count as.
    """
    values, counts = np.unique(np.round(log_ratios, 2), return_counts=True)
    ratio = np.exp(np.clip(values, -30, 30))
    likelihood = np.log(np.maximum(_GRID[:, None] * ratio + 1 - _GRID[:, None], 1e-300)) @ counts
    best = int(likelihood.argmax())
    flattened = (likelihood[best] - likelihood) * min(1.0, effective / counts.sum())
    inside = _GRID[2 * flattened <= _CHI_SQUARE]
    return Estimated(*(round(float(value), 4) for value in (_GRID[best], inside.min(), inside.max())))
