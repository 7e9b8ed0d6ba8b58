"""What a report shows of one post: sentences cut where the evidence changes, and where they are very long."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from checker.io.outcomes import Row
from checker.result import Result, Sentence
from checker.verdict.advice import QUESTIONS
from checker.verdict.headline import said
from checker.verdict.marks import Run, back_runs, error_rates, evidence, runs

SENTENCES, CHARACTERS = 12, 600
"""At most shown of a post, and of a text of a sentence."""


class Shortened(NamedTuple):
    """A text in stretches, and whether it was longer."""

    runs: tuple[Run, ...]
    cut: bool


@dataclass(frozen=True)
class ShownSentence:
    """A sentence beside its translations; ``pivot`` and ``back`` are None where there are none.

    Those of a draft translator are behind a line that says so.
    """

    sentence: Sentence
    post: Shortened
    pivot: Shortened | None
    back: Shortened | None


@dataclass(frozen=True)
class ShownPost:
    """A post on a list of the page; ``place`` is its number there, from 1."""

    place: int
    row: Row
    result: Result

    @property
    def headline(self) -> str:
        """The finding in one sentence."""
        return said(self.result)

    @property
    def answers(self) -> list[tuple[str, float]]:
        """The questions that have an answer, with its probability."""
        asked = [(title, getattr(self.result, question)) for question, title in QUESTIONS.items()]
        return [(title, share) for title, share in asked if share is not None]

    @property
    def text(self) -> Shortened | None:
        """The post, where it is known only as a whole."""
        return None if self.result.sentences or self.row.text is None else shortened(self.row.text)

    @property
    def sentences(self) -> Iterator[ShownSentence]:
        """The first of them."""
        for sentence in self.result.sentences[:SENTENCES]:
            pivot, back = sentence.pivot_text, sentence.back_translation
            yield ShownSentence(
                sentence,
                shortened(runs(sentence)),
                None if pivot is None else shortened(pivot),
                None if back is None else shortened(back_runs(sentence)),
            )

    @property
    def more(self) -> int:
        """How many are not shown."""
        return max(0, len(self.result.sentences) - SENTENCES)

    @property
    def error_rates(self) -> list[Shortened]:
        """How often such a verdict is wrong."""
        return list(map(shortened, error_rates(self.result)))

    @property
    def evidence(self) -> list[Shortened]:
        """Why the post got its probability."""
        return list(map(shortened, evidence(self.result)))

    @property
    def warnings(self) -> list[Shortened]:
        """What limits the verdict."""
        return [shortened(warning.text) for warning in self.result.warnings]


def shortened(text: str | Iterable[Run]) -> Shortened:
    """A text, given as it is or in stretches, cut after ``CHARACTERS``."""
    stretches = [Run(text)] if isinstance(text, str) else list(text)
    kept, left = [], CHARACTERS
    for run in stretches:
        if left > 0:
            kept.append(run._replace(text=run.text[:left]))
        left -= len(run.text)
    return Shortened(tuple(kept), left < 0)
