"""What is in a file of scores, counted in one pass and in little memory.

Only one counter per language, account and day is held in memory, and the posts that the page shows.
"""

from __future__ import annotations

import heapq
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

from checker.io.outcomes import Row
from checker.result import Result, RowError
from checker.runs.local import Summary

BINS = 20
"""Equal intervals of the histogram."""

KEPT = 5
"""Rows without a score that are named; of the others, the number is."""


FLAGGED = ("machine_translated", "rudimentary", "translated")
"""Verdicts that say that a post was translated, or is worded as if it was."""


class Judged(NamedTuple):
    """What the posts of one language were judged by.

    Attributes:
        version: of the package that scored them.
        language: ISO 639 code.
        models: name@revision by task, as sorted pairs.
    """

    version: str
    language: str
    models: tuple[tuple[str, str], ...]

    @property
    def calibration(self) -> str | None:
        """The user's own calibration, name@digest; None for the one that ships."""
        return dict(self.models).get("calibration")


Ranked = tuple[float, int, Row]  # rank, order of equal ones, the row


@dataclass
class Contents:
    """What is in a file of scores.

    Attributes:
        shown: posts to keep of the most, and of the least suspicious ones.
        flagged_only: keep only posts with a verdict of `FLAGGED`, and no others.
        counts: rows by verdict, language and model, and the bad ones.
        histogram: verdict → number of posts in each of ``BINS`` intervals of probability.
        languages: code → number of posts by verdict; ``?`` where none could be identified.
        accounts: the same by account.
        days: the same by day.
        judged: number of posts with a probability by what they were judged by.
        unread: number of rows of the file that hold no score.
        unread_first: the first of them.
    """

    shown: int = 10
    flagged_only: bool = False
    counts: Summary = field(default_factory=Summary)
    histogram: dict[str, list[int]] = field(default_factory=lambda: defaultdict(lambda: [0] * BINS))
    languages: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    accounts: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    days: dict[date, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    judged: Counter[Judged] = field(default_factory=Counter)
    unread: int = 0
    unread_first: list[RowError] = field(default_factory=list)
    _most: list[Ranked] = field(default_factory=list)
    _least: list[Ranked] = field(default_factory=list)

    def add(self, row: Row) -> None:
        """Count one row."""
        outcome = row.outcome
        self.counts.add(outcome)
        if isinstance(outcome, RowError):
            return
        code, verdict = outcome.language.code or "?", outcome.verdict
        self.languages[code][verdict] += 1
        if row.account is not None:
            self.accounts[row.account][verdict] += 1
        if row.day is not None:
            self.days[row.day][verdict] += 1
        if (probability := outcome.machine_translated) is not None:
            self.histogram[verdict][min(int(probability * BINS), BINS - 1)] += 1
            models = tuple(sorted(outcome.models.items()))
            self.judged[Judged(outcome.version, code, models)] += 1
            rank = outcome.suspicion or 0.0
            if not self.flagged_only or verdict in FLAGGED:
                self._keep(self._most, (rank, -row.row, row))  # of equal ones, the first
            if not self.flagged_only:
                self._keep(self._least, (-rank, row.row, row))  # and here the last: no post is in both

    def _keep(self, heap: list[Ranked], ranked: Ranked) -> None:
        if len(heap) < self.shown:
            heapq.heappush(heap, ranked)
        elif heap and ranked[:2] > heap[0][:2]:
            heapq.heapreplace(heap, ranked)

    @property
    def with_probability(self) -> int:
        """Posts that got a probability."""
        return self.judged.total()

    @property
    def flagged(self) -> int:
        """Posts with a verdict of `FLAGGED`."""
        return sum(self.counts.verdicts[verdict] for verdict in FLAGGED)

    @property
    def most(self) -> list[tuple[Row, Result]]:
        """The most suspicious posts, the first one most; at most half of all where others are shown."""
        if self.flagged_only:
            return _sorted(self._most)
        return _sorted(self._most)[: (self.with_probability + 1) // 2]

    @property
    def least(self) -> list[tuple[Row, Result]]:
        """The least suspicious posts, the first one least: at most half of all, none of `most`."""
        return _sorted(self._least)[: self.with_probability // 2]


def _sorted(heap: Iterable[Ranked]) -> list[tuple[Row, Result]]:
    found = sorted(heap, key=lambda ranked: ranked[:2], reverse=True)
    return [(row, row.outcome) for *_, row in found if isinstance(row.outcome, Result)]


def contents(rows: Iterable[Row | RowError], shown: int = 10, *, flagged_only: bool = False) -> Contents:
    """Count all rows.

    Args:
        rows: of a file of scores, in order.
        shown: posts to keep of the most, and of the least suspicious ones.
        flagged_only: keep only posts with a verdict of `FLAGGED`, and no others.
    """
    found = Contents(shown, flagged_only)
    for row in rows:
        if isinstance(row, Row):
            found.add(row)
        else:
            found.unread += 1
            if len(found.unread_first) < KEPT:
                found.unread_first.append(row)
    return found
