"""Posts of the dev split, and figures on them that are compared on the same resamples.

Every figure is an array: its value on the posts themselves, then on every bootstrap resample. Means over
languages and differences between methods are then plain arithmetic, and `estimate` gives the 95 % interval.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from checker.statistics import Counts, Floats, Statistic, Tally
from scripts.training.corpora import dev
from scripts.training.posts import group

HUMAN = ("native", "translated")
"""The two kinds of human posts that machine posts are told from."""


class Estimate(NamedTuple):
    """A figure with its 95 % bootstrap interval."""

    value: float
    low: float
    high: float

    def text(self, form: str) -> str:
        """The figure and its interval, each in a format such as ``.3f``."""
        return f"{self.value:{form}} ({self.low:{form}} to {self.high:{form}})"


def dev_posts(corpora: Path, language: str, most: int, lines: int) -> pd.DataFrame:
    """Posts of ``lines`` consecutive lines of the dev split; none where the language is not in it."""
    frame = dev(corpora, language)
    return frame.assign(kind=[]) if frame.empty else group(frame, most, (lines,))


def resamples(kinds: ArrayLike, number: int, language: str) -> Counts:
    """How often each post counts: once in the first row, then in ``number`` draws with replacement.

    Posts are drawn within their kind, as many as there are. All methods share the draws of a language, so
    that their differences are paired (Koehn 2004); those of different languages are independent.
    """
    rng, kinds = np.random.default_rng(zlib.crc32(language.encode())), np.asarray(kinds)
    counts = np.ones((1 + number, len(kinds)), np.int64)
    for kind in sorted(set(kinds.tolist())):
        ours = np.flatnonzero(kinds == kind)
        counts[1:, ours] = rng.multinomial(len(ours), np.full(len(ours), 1 / len(ours)), size=number)
    return counts


def figure(statistic: Statistic, scores: ArrayLike, machine: ArrayLike, counts: Counts) -> Floats:
    """A figure of `checker.statistics` on every row of ``counts``.

    Args:
        statistic: ``auc`` or another figure of a tally.
        scores: one a post; a higher one points to a machine.
        machine: True for machine posts.
        counts: rows of `resamples`, columns of these posts alone.
    """
    values, labels = np.asarray(scores, float), np.asarray(machine, bool)
    order = np.argsort(values, kind="stable")
    distinct, starts = np.unique(values[order], return_index=True)
    human, of_machine = (
        np.add.reduceat((counts * (labels == side))[:, order], starts, axis=1) for side in (False, True)
    )
    return statistic(Tally(distinct, human, of_machine))


def against(kind: str, statistic: Statistic, scores: ArrayLike, kinds: ArrayLike, counts: Counts) -> Floats:
    """`figure` of machine posts against the human posts of one kind."""
    kinds, values = np.asarray(kinds), np.asarray(scores, float)
    ours: NDArray[np.bool_] = np.isin(kinds, [kind, "machine"])
    return figure(statistic, values[ours], kinds[ours] == "machine", counts[:, ours])


def estimate(values: Floats) -> Estimate:
    """The value of a figure and the percentile interval of its resamples."""
    low, high = np.quantile(values[1:], [0.025, 0.975])
    return Estimate(*(round(float(v), 4) for v in (values[0], low, high)))


def digest(parts: Iterable[str | bytes | Path]) -> str:
    """A short name for cached results: changes when a text, or a file under a path, changes."""
    found = hashlib.sha256()
    for part in parts:
        paths = sorted(p for p in part.rglob("*") if p.is_file()) if isinstance(part, Path) else []
        for content in (p.read_bytes() for p in paths) if isinstance(part, Path) else [part]:
            data = content.encode("utf-8", "surrogatepass") if isinstance(content, str) else content
            found.update(len(data).to_bytes(8, "big") + data)
    return found.hexdigest()[:16]
