"""Translations word for word, with a dictionary learnt from pairs: as rudimentary as translation gets.

The dictionary is learnt as by IBM's model 1 (Brown et al. 1993) with a preference for words in the same place
(Dyer et al. 2013): every word of a language → the word of the other that it explains best. Order, inflection
and idiom stay those of the source. Lines that are translated may be among the pairs: what is wanted is a bad
translation of them, not a good dictionary.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

import numpy as np
import regex

WORDS = regex.compile(r"[\p{L}\p{M}\p{N}]+(?:['’‑-][\p{L}\p{M}\p{N}]+)*")
_BLANKS = regex.compile(r"\s{2,}")
_CLOSED = regex.compile(r"\s+([.,;:!?%)\]»”’…।؟،])")

LONGEST = 40
"""Words of a line that the dictionary learns from."""

LEAST = 0.03
"""A word has no counterpart if the product of both conditional probabilities is lower, as an article has none
in Russian: it is left out."""

COMMON = 3
"""A name that is rarer is kept as it is, where the other language has its letters."""

USUAL = 0.001
"""Share of the letters of a language from which one is its own."""

NEAR, NOTHING = 4.0, 0.05
"""How much nearer words are preferred, and the weight of a word that nothing explains."""


class Glossary:
    """Word → word.

    Args:
        pairs: of lines, source and target.
        rounds: of expectation and maximisation.

    Raises:
        ValueError: no pair has words on both sides.
    """

    def __init__(self, pairs: Iterable[tuple[str, str]], rounds: int = 5) -> None:
        sources, targets = {"": 0}, dict[str, int]()
        left: list[Any] = []
        right: list[Any] = []
        place: list[Any] = []
        near: list[Any] = []
        places = 0
        seen: Counter[str] = Counter()
        for sides in pairs:
            one, other = (WORDS.findall(side) for side in sides)
            if not 0 < len(one) <= LONGEST or not 0 < len(other) <= LONGEST:
                continue
            other[0] = other[0].lower()
            seen.update(word.lower() for word in one)
            numbers = [0, *(sources.setdefault(word.lower(), len(sources)) for word in one)]
            row = [targets.setdefault(word, len(targets)) for word in other]
            middle, others_middle = ((np.arange(len(side)) + 0.5) / len(side) for side in (one, other))
            apart = np.abs(middle - others_middle[:, None])
            near.append(np.c_[np.full(len(other), NOTHING), np.exp(-NEAR * apart)].ravel())
            left.append(np.tile(numbers, len(row)))
            right.append(np.repeat(row, len(numbers)))
            place.append(np.repeat(np.arange(places, places + len(row)), len(numbers)))
            places += len(row)
        if not places:
            raise ValueError("no pair of lines has words on both sides")
        keys = np.concatenate(left) * len(targets) + np.concatenate(right)
        known, entry = np.unique(keys, return_inverse=True)
        source, target = np.divmod(known, len(targets))
        where, prior = np.concatenate(place), np.concatenate(near)
        chance = np.ones(len(known))
        for _ in range(rounds):
            expected = chance[entry] * prior
            expected /= np.bincount(where, expected)[where]
            counts = np.bincount(entry, expected, len(known))
            chance = counts / np.bincount(source, counts)[source]
        mutual = chance * counts / np.bincount(target, counts)[target]
        order = np.lexsort((-mutual, source))
        best = order[np.r_[True, np.diff(source[order]) != 0]]
        words, others = list(sources), list(targets)
        self._best = {words[source[i]]: others[target[i]] for i in best if mutual[i] >= LEAST}
        self._known = {word for word, count in seen.items() if count >= COMMON}
        letters = Counter(letter for word in others for letter in word.lower())
        enough = USUAL * letters.total()
        self._letters = {letter for letter, count in letters.items() if count >= enough}

    def translate(self, texts: Iterable[str]) -> list[str]:
        """Each text word for word."""
        return [self._one(text) for text in texts]

    def _one(self, text: str) -> str:
        made: str = WORDS.sub(lambda match: self._word(match[0]), text)
        made = _BLANKS.sub(" ", _CLOSED.sub(r"\1", made)).strip()
        return made[:1].upper() + made[1:]

    def _word(self, word: str) -> str:
        lower = word.lower()
        if lower in self._best:
            return str(self._best[lower])
        name = word != lower and lower not in self._known and self._letters.issuperset(lower)
        return word if name or word.isdigit() else ""
