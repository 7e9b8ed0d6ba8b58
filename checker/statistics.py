"""Figures of a detector and their uncertainty, from scores and labels only.

Every figure is a function of a `Tally`: how many human and how many machine posts have each score. Ties need
no special case, a bootstrap resample is a tally with other counts, and a thousand resamples are computed at
once as a leading axis. Nothing here knows about posts or files.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import BaseModel, ConfigDict, Field

BINS = 10
"""Equal intervals of probability for calibration errors; the last one is closed."""

_CELLS = 2_000_000  # counts that are held in memory at a time

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]


class Bin(BaseModel):
    """One row of a reliability table."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    predicted: float = Field(ge=0, le=1, description="Mean probability of its posts.")
    observed: float = Field(
        ge=0, le=1, description="Share of machine-translated posts among them, classes equal."
    )
    posts: int = Field(gt=0)


@dataclass(frozen=True)
class Tally:
    """How many posts of each class have each score.

    Attributes:
        scores: the distinct scores, ascending; a higher one points to a machine.
        human: number of human posts with each score; resamples are leading axes.
        machine: the same of machine posts.
    """

    scores: Floats
    human: Counts
    machine: Counts


Statistic = Callable[[Tally], Floats]
"""A figure of a tally; one value a resample."""


class Interval(NamedTuple):
    """A central interval."""

    low: float
    high: float


class Difference(NamedTuple):
    """A figure of B minus that of A, on the same posts.

    Attributes:
        value: the difference.
        interval: 95 % percentile interval.
        p_value: two-sided.
    """

    value: float
    interval: Interval
    p_value: float


def tally(scores: ArrayLike, machine: ArrayLike) -> Tally:
    """Count the scores of each class.

    Args:
        scores: one per post, finite.
        machine: True for the posts that are machine-translated.

    Raises:
        ValueError: lengths differ, or a score is not finite.
    """
    values, labels = np.asarray(scores, dtype=np.float64), np.asarray(machine, dtype=bool)
    if values.shape != labels.shape or not np.isfinite(values).all():
        raise ValueError("There must be one finite score for every label.")
    distinct, place = np.unique(values, return_inverse=True)
    human, of_machine = (np.bincount(place[labels == c], minlength=len(distinct)) for c in (False, True))
    return Tally(distinct, human, of_machine)


def auc(counts: Tally) -> Floats:
    """Area under the ROC curve: the share of pairs in which the machine post scores higher; a tie is a half.

    Equal to the Mann-Whitney statistic (Hanley and McNeil 1982). Both classes must be there.
    """
    human, machine = counts.human, counts.machine
    below = np.cumsum(human, axis=-1) - human
    won = (machine * (below + 0.5 * human)).sum(-1)
    return np.asarray(won / (human.sum(-1) * machine.sum(-1)))


def tpr_at_fpr(counts: Tally, fpr: float) -> Floats:
    """True-positive rate at the lowest threshold that at most a share ``fpr`` of the human posts reach.

    The threshold is a score, nothing is interpolated, and every resample has one of its own. With fewer than
    ``1 / fpr`` human posts none of them may reach it.
    """
    allowed = np.floor(fpr * counts.human.sum(-1, keepdims=True) + 1e-9)
    reached = np.flip(np.cumsum(np.flip(counts.human, -1), axis=-1), -1)  # human posts at or above each score
    found = np.flip(np.cumsum(np.flip(counts.machine, -1), axis=-1), -1)
    found = np.concatenate([found, np.zeros_like(found[..., :1])], axis=-1)  # a threshold above every score
    first = (reached > allowed).sum(-1, keepdims=True)
    return np.asarray(np.take_along_axis(found, first, axis=-1)[..., 0] / counts.machine.sum(-1))


def ece(counts: Tally, *, balanced: bool = True) -> Floats:
    """Expected calibration error of scores that are probabilities (Naeini et al. 2015; Guo et al. 2017).

    Args:
        counts: of probabilities, 0 to 1.
        balanced: both classes weigh the same, which is the prior that the probabilities are made for; False
            takes the posts as they are, at their own prevalence.
    """
    human, machine = _weights(counts, balanced)
    excess = human * counts.scores - machine * (1 - counts.scores)  # said minus true, in each score
    inside = _bin(counts.scores)[:, None] == np.arange(BINS)
    return np.asarray(np.abs(excess @ inside.astype(np.float64)).sum(-1))


def brier(counts: Tally, *, balanced: bool = True) -> Floats:
    """Mean squared error of scores that are probabilities (Brier 1950); arguments as for `ece`."""
    human, machine = _weights(counts, balanced)
    return np.asarray((human * counts.scores**2 + machine * (1 - counts.scores) ** 2).sum(-1))


def reliability(
    probability: ArrayLike, machine: ArrayLike, weight: ArrayLike | None = None
) -> tuple[float, tuple[Bin, ...]]:
    """Expected calibration error with its table, posts weighted as the caller says.

    Args:
        probability: of machine translation, 0 to 1, one per post.
        machine: True for the posts that are machine-translated.
        weight: of each post; by default both classes weigh the same, as in `ece`.

    Returns:
        The error, and the bins that hold a post, ascending.
    """
    said, true = np.asarray(probability, dtype=np.float64), np.asarray(machine, dtype=bool)
    mass = balanced_weights(true) if weight is None else np.asarray(weight, dtype=np.float64)
    said, true, mass = said[mass > 0], true[mass > 0], mass[mass > 0]
    place, table, error = _bin(said), [], 0.0
    for number in np.unique(place):
        ours = place == number
        predicted, observed = (float(np.average(part[ours], weights=mass[ours])) for part in (said, true))
        error += mass[ours].sum() / mass.sum() * abs(predicted - observed)
        table.append(Bin(predicted=round(predicted, 4), observed=round(observed, 4), posts=int(ours.sum())))
    return float(error), tuple(table)


def balanced_weights(machine: NDArray[np.bool_]) -> Floats:
    """A weight for every post with which both classes weigh the same."""
    positive = int(machine.sum())
    weights: Floats = np.where(machine, 0.5 / max(positive, 1), 0.5 / max(len(machine) - positive, 1))
    return weights


def rate_interval(count: int, posts: int) -> Interval:
    """95 % interval of a share by Clopper and Pearson (1934): exact, so never too narrow."""
    from scipy.stats import binomtest

    low, high = binomtest(count, posts).proportion_ci(0.95, method="exact")
    return Interval(float(low), float(high))


def bootstrap(
    counts: Tally, statistics: Mapping[str, Statistic], resamples: int, seed: int
) -> dict[str, Interval]:
    """95 % percentile intervals of figures (Efron and Tibshirani 1993, chapter 13), stratified by class.

    Args:
        counts: of the posts.
        statistics: the figures; all are computed on the same resamples.
        resamples: how many; the posts of each class are drawn with replacement, as many as there are.
        seed: of the draws: equal input and seed give equal intervals.
    """
    drawn = [
        [figure(Tally(counts.scores, *both)) for figure in statistics.values()]
        for both in _resampled(counts.human, counts.machine, resamples, seed)
    ]
    values = map(np.concatenate, zip(*drawn, strict=True))
    return {name: _percentiles(draws) for name, draws in zip(statistics, values, strict=True)}


def paired_bootstrap(
    first: ArrayLike,
    second: ArrayLike,
    machine: ArrayLike,
    statistics: Mapping[str, Statistic],
    resamples: int,
    seed: int,
) -> dict[str, Difference]:
    """Compare two scorings of the same posts by resampling posts, not scores (Koehn 2004).

    Every resample draws posts of each class with replacement and takes both of their scores along. The
    two-sided p-value is twice the smaller share of resamples whose difference is at most, or at least, zero,
    each counted with one more (Davison and Hinkley 1997, section 4.2), and at most 1.

    Args:
        first: scores of A, one per post.
        second: scores of B, of the same posts in the same order.
        machine: True for the posts that are machine-translated.
        statistics: the figures to compare.
        resamples: as for `bootstrap`.
        seed: as for `bootstrap`.
    """
    labels = np.asarray(machine, dtype=bool)
    pairs = np.column_stack([np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)])
    distinct, place = np.unique(pairs, axis=0, return_inverse=True)
    human, of_machine = (
        np.bincount(place.ravel()[labels == c], minlength=len(distinct)) for c in (False, True)
    )
    folds = [_fold(distinct[:, side]) for side in (0, 1)]

    def differences(human: Counts, of_machine: Counts) -> list[Floats]:
        sides = [Tally(scores, fold(human), fold(of_machine)) for scores, fold in folds]
        return [np.round(figure(sides[1]) - figure(sides[0]), 12) for figure in statistics.values()]

    drawn = [differences(*counts) for counts in _resampled(human, of_machine, resamples, seed)]
    values = [np.concatenate(parts) for parts in zip(*drawn, strict=True)]
    return {
        name: Difference(float(value), _percentiles(draws), _two_sided(draws))
        for name, value, draws in zip(statistics, differences(human, of_machine), values, strict=True)
    }


def _weights(counts: Tally, balanced: bool) -> tuple[Floats, Floats]:
    """The share of all weight that the posts of each class have at each score."""
    human, machine = (part.sum(-1, keepdims=True) for part in (counts.human, counts.machine))
    both = human + machine
    totals = (2 * human, 2 * machine) if balanced else (both, both)
    return counts.human / totals[0], counts.machine / totals[1]


def _bin(probability: Floats) -> Counts:
    return np.minimum((probability * BINS).astype(np.int64), BINS - 1)


def _resampled(human: Counts, machine: Counts, resamples: int, seed: int) -> Iterator[tuple[Counts, Counts]]:
    """Resampled counts, a block of resamples at a time."""
    random = np.random.default_rng(seed)

    def draw(counts: Counts, size: int) -> Counts:
        posts = np.repeat(np.arange(len(counts)), counts)
        places = posts[random.integers(len(posts), size=(size, len(posts)))]
        places += len(counts) * np.arange(size)[:, None]  # every resample counts in cells of its own
        return np.bincount(places.ravel(), minlength=size * len(counts)).reshape(size, -1)

    block = max(1, _CELLS // int((human + machine).sum()))
    for start in range(0, resamples, block):
        size = min(block, resamples - start)
        yield draw(human, size), draw(machine, size)


def _fold(scores: Floats) -> tuple[Floats, Callable[[Counts], Counts]]:
    """The distinct scores, and how counts of posts become counts of these."""
    order = np.argsort(scores, kind="stable")
    distinct, starts = np.unique(scores[order], return_index=True)
    return distinct, lambda counts: np.add.reduceat(counts[..., order], starts, axis=-1)


def _percentiles(draws: Floats) -> Interval:
    low, high = np.quantile(draws, [0.025, 0.975])
    return Interval(float(low), float(high))


def _two_sided(draws: Floats) -> float:
    smaller = min((draws <= 0).sum(), (draws >= 0).sum())
    return float(min(1.0, 2 * (smaller + 1) / (len(draws) + 1)))
