"""A pair of texts between the models and the result: its aligned units, and what speaks against each."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from checker.bitext.adequacy import Adequacy
from checker.bitext.checks import Checks
from checker.bitext.document import Text
from checker.evidence.fluency import Rank
from checker.language import own_language
from checker.text import Span, width

FACTS = ("unaligned", "copied", "number", "date")
"""Signals that speak for themselves: there is something that the other text has not."""

TRANSLATED = ("forward", "backward", "omission", "addition")
"""Signals that a translator gives; the others are measured on the texts alone."""

COPY, FOREIGN = 60.0, 100.0
"""chrF++ of target and source from which it counts as ``copied``, and the value for a target whose own
language is that of the source. Human translations share names with their source, hardly ever that much."""


@dataclass
class Unit:
    """Sentences that go together.

    Attributes:
        source, target: spans of the cleaned texts; None where the other side stands alone.
        checks: None unless both sides are there.
        adequacy: None unless both sides are there and a translator serves the pair.
        rank: fluency of the target.
        signals: what speaks against the unit, see ``signals``.
    """

    source: Span | None
    target: Span | None
    checks: Checks | None = None
    adequacy: Adequacy | None = None
    rank: Rank | None = None
    signals: dict[str, float] = field(default_factory=dict)

    @property
    def columns(self) -> int:
        """Length of the target, or of the source where there is no target."""
        return sum(width(span.text) for span in (self.target or self.source,) if span)


@dataclass
class Document:
    """A pair of texts on its way through the models."""

    id: str
    source: Text
    target: Text
    reference: Text | None
    units: list[Unit] = field(default_factory=list)

    @property
    def direction(self) -> tuple[str, str]:
        """Languages of source and target."""
        return self.source.code, self.target.code

    @property
    def coverage(self) -> float:
        """Share of the characters of both texts that are in units with two sides."""
        sides = [
            (len(span.text), bool(u.source and u.target))
            for u in self.units
            for span in (u.source, u.target)
            if span
        ]
        return round(sum(n for n, both in sides if both) / sum(n for n, _ in sides), 4)

    @property
    def adequacy(self) -> tuple[float, float, int] | None:
        """Means of both directions over the units, by their columns, and the number of columns."""
        measured = [(unit.adequacy, unit.columns) for unit in self.units if unit.adequacy]
        total = sum(columns for _, columns in measured)
        if not total:
            return None
        forward = sum(adequacy.forward * columns for adequacy, columns in measured) / total
        backward = sum(adequacy.backward * columns for adequacy, columns in measured) / total
        return round(forward, 4), round(backward, 4), total


def signals(unit: Unit, direction: tuple[str, str], ratio: float) -> dict[str, float]:
    """What speaks against a unit: each signal grows with the suspicion.

    Args:
        unit: with its checks and its adequacy, if there are any.
        direction: languages of source and target.
        ratio: characters of target for a character of source in human translations.

    Returns:
        ``unaligned``: 1 where one side is missing; then there is nothing else.
        ``copied``: chrF++ of the target against the source if at least ``COPY``, or ``FOREIGN``; else 0, and
        for a target without a letter.
        ``number``, ``date``: how many do not match, on both sides together.
        ``negation``: 1 where one side alone negates.
        ``length``: how far the ratio of lengths is from ``ratio``, as the logarithm of the factor.
        ``forward``, ``backward``: minus the mean token log-likelihood.
        ``omission``, ``addition``: ``Contrast.gain``.
    """
    if unit.source is None or unit.target is None or unit.checks is None:
        return {"unaligned": 1.0}
    worded = any(map(str.isalpha, unit.target.text))  # a telephone number is copied rightly
    guess = own_language(unit.target.text, width(unit.target.text)) if worded else None
    foreign = direction[0] != direction[1] and guess is not None and guess.code == direction[0]
    found = {
        "unaligned": 0.0,
        "copied": FOREIGN if foreign else unit.checks.copied * (worded and unit.checks.copied >= COPY),
        "number": float(len(unit.checks.numbers)),
        "date": float(len(unit.checks.dates)),
        "negation": float(len(unit.checks.negation) > 0),
        "length": round(abs(math.log((len(unit.target.text) + 1) / (len(unit.source.text) + 1) / ratio)), 4),
    }
    if unit.adequacy:
        found |= {"forward": -unit.adequacy.forward, "backward": -unit.adequacy.backward}
        for name, contrast in ("omission", unit.adequacy.omission), ("addition", unit.adequacy.addition):
            if contrast:
                found[name] = contrast.gain
    return found
