"""The log-odds of an account from those of its posts, which are not independent.

Posts share topic, author, translator and template. In a random-effects model with equal variances (Laird
and Ware 1982) the log likelihood ratio of two kinds of account is linear in the mean of its posts, and ``n``
posts count as ``n / (1 + (n - 1) * rho)`` independent ones: the design effect of Kish (1965).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from checker.account.file import Dependence, Row

CLIP = 4.0
"""Log-odds that one post counts with at most: a single post must not decide for an account."""

Floats = NDArray[np.float64]


def effective(posts: int, correlation: float) -> float:
    """Number of independent posts that say as much as so many of one account."""
    return posts / (1 + (posts - 1) * correlation)


class Tested(NamedTuple):
    """Some posts of an account against what was fitted.

    Attributes:
        posts: their number.
        mean: of their log-odds, less the middle of their language.
        deviation: standard deviation of these; drawn towards the fitted one where there are few.
        log_odds: of the account.
        low, high: ends of the 95 % interval of ``log_odds``, over other draws of posts.
    """

    posts: int
    mean: float
    deviation: float
    log_odds: float
    low: float
    high: float


class Limit(NamedTuple):
    """A threshold in log-odds of the account, and the row that it is from."""

    log_odds: float
    row: Row


def centred(dependence: Dependence, log_odds: float, language: str) -> float:
    """Log-odds of a post, clipped, less the middle of its language."""
    clipped = min(max(log_odds, -CLIP), CLIP)
    return clipped - dependence.middles.get(language, dependence.middle)


def scale(dependence: Dependence, posts: int) -> float:
    """Log-odds of an account per unit of its mean."""
    return dependence.gain * effective(min(posts, dependence.calibrated), dependence.correlation)


def tested(dependence: Dependence, values: Floats) -> Tested:
    """Combine posts.

    Args:
        dependence: what was fitted.
        values: of `centred`, one a post; at least one.
    """
    count, mean = len(values), float(values.mean())
    fitted = float(np.mean([spread.within for spread in dependence.kinds.values()] or [1.0]))
    pulled = 4.0  # posts that the fitted deviation counts as
    variance = (float(((values - mean) ** 2).sum()) + pulled * fitted**2) / (count - 1 + pulled)
    error = 1.96 * math.sqrt(variance / count)
    per_unit = scale(dependence, count)
    return Tested(
        count,
        mean,
        math.sqrt(variance),
        per_unit * mean,
        per_unit * (mean - error),
        per_unit * (mean + error),
    )


def row_for(dependence: Dependence, posts: int) -> Row | None:
    """The row of the most posts that are not more than these; None if there is none."""
    fitting = [row for row in dependence.rows if row.posts <= posts]
    return fitting[-1] if fitting else None


def limit(dependence: Dependence, languages: Mapping[str, int], posts: int) -> Limit | None:
    """The threshold for so many posts: the strictest of their languages.

    Args:
        dependence: what was fitted.
        languages: number of posts by language.
        posts: number of posts.

    Returns:
        None where the false-alarm rate of a language was not measured.
    """
    row = row_for(dependence, posts)
    if row is None or not languages or any(language not in row.cuts for language in languages):
        return None
    return Limit(scale(dependence, posts) * max(row.cuts[language] for language in languages), row)
