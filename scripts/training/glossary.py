"""Translations word for word, with a dictionary learnt from pairs: as rudimentary as translation gets.

The dictionary is learnt as by IBM's model 1 (Brown et al. 1993) with a preference for words in the same place
(Dyer et al. 2013): every word of a language → the words of the other that it explains best. Order and idiom
stay those of the source. `translate` takes the best word, whatever stands beside it; `smooth` takes words
that follow each other in text of the language, so that articles and endings agree more often. Lines that are
translated may be among the pairs: what is wanted is a bad translation of them, not a good dictionary.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from itertools import pairwise
from typing import Any

import numpy as np
import regex

from checker.letters import lowered, raised

WORDS = regex.compile(r"[\p{L}\p{M}\p{N}]+(?:['’‑-][\p{L}\p{M}\p{N}]+)*")
_BLANKS = regex.compile(r"\s{2,}")
_CLOSED = regex.compile(r"\s+([.,;:!?%)\]»”’…।؟،])")
_EMPTY = regex.compile(r"[(\[«„“\"‘]\s*[)\]»“”\"’]")
_DOUBLED = regex.compile(r"(?:[,;:،]\s*)+([,;:،.!?।؟])")
_START = regex.compile(r"(?:^[^\p{L}\p{N}]*|[.!?।؟…]\s+)\p{Ll}")

LONGEST = 40
"""Words of a line that the dictionary learns from."""

LEAST = 0.03
"""A word has no counterpart if the product of both conditional probabilities is lower, as an article has none
in Russian: it is left out."""

COMMON = 3
"""A name that is rarer is kept as it is, where the other language has its letters."""

USUAL = 0.001
"""Share of the letters of a language from which one is its own."""

CHOICES = 6
"""Counterparts of a word that `Glossary.smooth` chooses from; they may be a third as likely as `LEAST`."""

UNSEEN = 5e-5
"""What a word that was never seen behind another counts beside those that were, for each time it was seen."""

NEAR, NOTHING = 4.0, 0.05
"""How much nearer words are preferred, and the weight of a word that nothing explains."""


class Glossary:
    """Word → word.

    Args:
        pairs: of lines, source and target.
        language: of the targets, ISO 639-1 code: capitals differ.
        rounds: of expectation and maximisation.

    Raises:
        ValueError: no pair has words on both sides.
    """

    def __init__(self, pairs: Iterable[tuple[str, str]], language: str = "", rounds: int = 5) -> None:
        self._language = language
        sources, targets = {"": 0}, dict[str, int]()
        left: list[Any] = []
        right: list[Any] = []
        place: list[Any] = []
        near: list[Any] = []
        places = 0
        seen: Counter[str] = Counter()
        self._after: Counter[tuple[str, str]] = Counter()
        for sides in pairs:
            one, other = (WORDS.findall(side) for side in sides)
            if not 0 < len(one) <= LONGEST or not 0 < len(other) <= LONGEST:
                continue
            other[0] = lowered(other[0], language)
            seen.update(word.lower() for word in one)
            self._after.update(pairwise(["", *other]))
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
        words, others = list(sources), list(targets)
        self.choices: dict[str, list[tuple[str, float]]] = {}
        for i in np.lexsort((-mutual, source)):
            choices = self.choices.setdefault(words[source[i]], [])
            if mutual[i] >= LEAST / 3 and len(choices) < CHOICES:
                choices.append((others[target[i]], float(mutual[i])))
        self._best = {
            word: choices[0][0]
            for word, choices in self.choices.items()
            if choices and choices[0][1] >= LEAST
        }
        self._times: Counter[str] = Counter()
        for (_, word), count in self._after.items():
            self._times[word] += count
        self._known = {word for word, count in seen.items() if count >= COMMON}
        letters = Counter(letter for word in others for letter in word.lower())
        enough = USUAL * letters.total()
        self._letters = {letter for letter, count in letters.items() if count >= enough}

    def translate(self, texts: Iterable[str]) -> list[str]:
        """Each text word for word."""
        return [self._one(text) for text in texts]

    def smooth(self, texts: Iterable[str]) -> list[str]:
        """Each text word for word; of the counterparts of its words, those that follow each other best."""
        return [self._following(text) for text in texts]

    def _one(self, text: str) -> str:
        return tidy(WORDS.sub(lambda match: self._word(match[0]), text), self._language)

    def _following(self, text: str) -> str:
        """The likeliest words one after the other (Viterbi 1967)."""
        matches = list(WORDS.finditer(text))
        paths: dict[str, tuple[float, list[str]]] = {"": (0.0, [])}  # last word → log-probability, words
        for match in matches:
            found: dict[str, tuple[float, list[str]]] = {}
            for word, chance in self.choices.get(match[0].lower()) or [(self._word(match[0]), 1.0)]:
                score, last = max(
                    (so_far + self._follows(one, word), one) for one, (so_far, _) in paths.items()
                )
                path = score + math.log(chance), [*paths[last][1], word]
                found[word or last] = max(path, found.get(word or last, path))
            paths = found
        words = iter(max(paths.values())[1])
        return tidy(WORDS.sub(lambda _: next(words), text), self._language)

    def _follows(self, last: str, word: str) -> float:
        """Log-probability of a word behind another; of no word, 0."""
        if not word:
            return 0.0
        count = self._after[last, word] + UNSEEN * (self._times[word] + 1)
        return math.log(count / (self._times[last] + 1))

    def _word(self, word: str) -> str:
        lower = word.lower()
        if lower in self._best:
            return str(self._best[lower])
        name = word != lower and lower not in self._known and self._letters.issuperset(lower)
        return word if name or word.isdigit() else ""


def tidy(text: str, language: str) -> str:
    """A text without the marks of words that were left out, and with a capital at the beginning of a
    sentence: these tell nothing of the wording."""
    made: str = _DOUBLED.sub(r"\1", _CLOSED.sub(r"\1", _EMPTY.sub("", text)))
    made = _BLANKS.sub(" ", made).strip(" ,;:،")
    return str(_START.sub(lambda match: raised(match[0], language), made))
