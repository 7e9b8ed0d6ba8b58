"""Are the words of a sentence those that writers of the language use, and where they put them?

A head over the encoder's vectors says of every piece whether it was spoilt: words put in another order, left
out, repeated, with another ending or another preposition, or in the place of one with the same translation.
Layers of their own (``checker.models.encoder``) learnt that from human text that was spoilt on
purpose, as the discriminator of ELECTRA learns from replaced words (Clark et al. 2020); nothing that a
machine translated was among it. A causal language model sees the words before a word; the encoder sees those
after it as well.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from checker.text import words

if TYPE_CHECKING:
    from checker.text import Offsets

KEPT = 0.0
"""Log-odds from which a word is kept: less is never shown."""

MOST = 24
"""Words of a sentence that are kept, the worst."""

Floats = npt.NDArray[np.float32]
Integers = npt.NDArray[np.int32]


class Order(NamedTuple):
    """What the head says of a sentence.

    Attributes:
        value: mean log-probability of a piece that it is in place, nats, at most 0; None without a piece.
        words: first character, one past the last, and log-odds of every word that is rather spoilt than not.
    """

    value: float | None
    words: tuple[tuple[int, int, float], ...] = ()

    def placed(self, starts: Offsets, ends: Offsets) -> Order:
        """The same with offsets in the text that the sentence was made from.

        Args:
            starts, ends: bounds of the source of each character.
        """
        moved = ((int(starts[a]), int(ends[b - 1]), odds) for a, b, odds in self.words)
        return self._replace(words=tuple(moved))


def read(text: str, log_odds: Floats, spans: Integers) -> Order:
    """Put together what the head says of the pieces of a text.

    Args:
        text: that the pieces are of.
        log_odds: of every vector, that it is of a spoilt piece; (vectors,).
        spans: first character of each and one past its last; -1 for the marks around a text; (vectors, 2).
    """
    shown = spans[:, 0] >= 0
    if not shown.any():
        return Order(None)
    odds, spans = log_odds[shown].astype(np.float64), spans[shown]
    value = -float(np.logaddexp(0, odds).mean())
    found: list[tuple[int, int, float]] = []
    bad = iter(sorted((*map(int, spans[n]), float(odds[n])) for n in np.flatnonzero(odds >= KEPT)))
    piece = next(bad, None)
    for word in words(text) if piece else ():
        worst = -math.inf
        while piece and piece[0] < word.end:
            if piece[1] > word.start:
                worst = max(worst, piece[2])
            if piece[1] > word.end:
                break  # the next word has a part of it
            piece = next(bad, None)
        if worst >= KEPT:
            found.append((word.start, word.end, round(worst, 2)))
    kept = sorted(sorted(found, key=lambda word: -word[2])[:MOST])
    return Order(round(value, 4), tuple(kept))


def broken(text: str, said: Order | None, limit: float | None) -> list[tuple[int, int]]:
    """Where a sentence is broken: words from a limit on, neighbours taken together.

    Args:
        text: the sentence.
        said: of it.
        limit: log-odds; None where nothing is shown.
    """
    places: list[tuple[int, int]] = []
    for start, end, odds in said.words if said and limit is not None else ():
        if limit is not None and odds >= limit:
            if places and not any(map(str.isalnum, text[places[-1][1] : start])):
                start = places.pop()[0]
            places.append((start, end))
    return places
