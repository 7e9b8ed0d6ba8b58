"""Adequacy without a reference: how likely a translator finds each text given the other.

Forced decoding in both directions is Prism as a quality estimator (Thompson and Post 2020). What was left out
or added is found by contrastive conditioning (Vamvas and Sennrich 2022): where the translation becomes more
likely once a clause is taken out of its source, the translation does not hold that clause.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import regex

from checker.models.translator import Translator
from checker.text import words

MAX_CLAUSES = 8
"""Clauses of a text that are taken out one by one; neighbours are joined where there are more."""

_BOUNDARY = regex.compile(r"(?<=[,;:–—()،؛、，；：（）])\s*|\s+(?=[(–—])")
_FEWEST_WORDS = 2
_LARGEST_SHARE = 0.7  # of the text; what is left must still be a sentence

Clause = tuple[int, int]


@dataclass(frozen=True)
class Contrast:
    """The clause whose absence makes the other text likeliest.

    Attributes:
        gain: rise of the other text's log-likelihood (nats per token); above 0 the other text lacks the
        clause. clause: first character and one past the last.
    """

    gain: float
    clause: Clause


@dataclass(frozen=True)
class Adequacy:
    """How well two texts that should be translations of each other go together.

    Attributes:
        forward: mean log-likelihood (nats) of a token of the target given the source.
        backward: of a token of the source given the target.
        omission: of the clauses of the source; None where it has fewer than two.
        addition: of the clauses of the target.
    """

    forward: float
    backward: float
    omission: Contrast | None
    addition: Contrast | None

    @property
    def mean(self) -> float:
        """Mean of both directions."""
        return (self.forward + self.backward) / 2


def adequacies(
    pairs: Sequence[tuple[str, str]], source: str, target: str, forward: Translator, backward: Translator
) -> list[Adequacy | None]:
    """Measure every pair, in one batch per direction; None where a side has no visible character.

    Args:
        pairs: source and target texts.
        source, target: their languages, ISO 639-1.
        forward: translates ``source`` into ``target``.
        backward: translates ``target`` into ``source``.

    Raises:
        UnsupportedPairError: a translator does not serve its direction.
    """
    there = _given(pairs, source, target, forward)
    back = _given([(text, other) for other, text in pairs], target, source, backward)
    return [
        Adequacy(round(ours[0], 4), round(theirs[0], 4), ours[1], theirs[1]) if ours and theirs else None
        for ours, theirs in zip(there, back, strict=True)
    ]


def clauses(text: str) -> list[Clause]:
    """Clauses between punctuation marks, of two words or more and at most 70 % of the text.

    At most ``MAX_CLAUSES`` of them; neighbours are joined where there are more.
    """
    bounds = [0, *(match.end() for match in _BOUNDARY.finditer(text)), len(text)]
    pieces = [(start, end) for start, end in pairwise(bounds) if end > start]
    joined = -(-len(pieces) // MAX_CLAUSES)
    pieces = [
        (pieces[n][0], pieces[min(n + joined, len(pieces)) - 1][1])
        for n in range(0, len(pieces), max(joined, 1))
    ]
    return [
        (start, end)
        for start, end in pieces
        if end - start <= _LARGEST_SHARE * len(text) and len(words(text[start:end])) >= _FEWEST_WORDS
    ]


def _given(
    pairs: Sequence[tuple[str, str]], source: str, target: str, translator: Translator
) -> list[tuple[float, Contrast | None] | None]:
    """Mean log-likelihood of each second text given the first, and the contrast of the first's clauses."""
    givens: list[str] = []
    texts: list[str] = []
    owners: list[tuple[int, Clause | None]] = []
    for number, (given, text) in enumerate(pairs):
        for clause in [None, *clauses(given)]:
            start, end = clause or (0, 0)
            givens.append(" ".join((given[:start] + " " + given[end:]).split()))
            texts.append(text)
            owners.append((number, clause))
    measured: list[tuple[float, Contrast | None] | None] = [None] * len(pairs)
    scores = translator.log_probabilities(givens, texts, source, target)
    for (number, clause), tokens in zip(owners, scores, strict=True):
        if not tokens:
            continue
        mean, found = sum(tokens) / len(tokens), measured[number]
        if clause is None:
            measured[number] = mean, None
        elif found and (found[1] is None or mean - found[0] > found[1].gain):
            measured[number] = found[0], Contrast(round(mean - found[0], 4), clause)
    return measured
