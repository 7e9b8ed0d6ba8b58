"""Sentence alignment: which sentences of two texts are translations of each other.

Dynamic programming over the six beads of Gale and Church (1993), with their length model and priors. Shared
content is added, as in Bleualign (Sennrich and Volk 2010): what a sentence's machine translation shares with
the target. Where no translator serves the pair, it is what the sentence itself shares with the target: names,
cognates and numbers (Church 1993).
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

MAX_SENTENCES = 2_000
"""Of one text. Time and memory grow with the product: 2 000 by 2 000 take seconds."""

CONTENT, CHANCE = 50.0, 0.15
"""A bead gains ``CONTENT`` nats times what each of its pairs of sentences shares (Dice coefficient) beyond
chance, and loses them where they share less: that keeps a sentence without a counterpart from being merged
into its neighbour's bead. Chance is ``CHANCE``, or the mean of what sentences share with their best
counterparts where that is less, as between two scripts. ``scripts/training/quality.py`` measures it."""

_PRIORS = {(0, 1): 0.0099, (1, 1): 0.89, (1, 0): 0.0099, (2, 1): 0.0445, (1, 2): 0.0445, (2, 2): 0.011}
_BEADS = tuple(_PRIORS)  # (0, 1) is first: it is the one step within a row of the table
_WORST = 25.0  # nats that the lengths of one bead may cost, as in the authors' program
_UNALIGNED = (
    4.0  # nats for a sentence without a counterpart, however long: its length says nothing about that
)


class Bead(NamedTuple):
    """Sentences of the source that go with sentences of the target; one side may be empty."""

    source_start: int
    source_stop: int
    target_start: int
    target_stop: int


@dataclass(frozen=True)
class LengthModel:
    """How long a translation is.

    Attributes:
        ratio: characters of target per character of source.
        variance: of the target's length, per character of source. Gale and Church give 6.8 for English,
            French and German.
    """

    ratio: float = 1.0
    variance: float = 6.8

    @classmethod
    def measure(cls, lengths: Sequence[tuple[int, int]]) -> LengthModel:
        """Fit to ``(source, target)`` lengths of human translations, in characters."""
        ratio = sum(target for _, target in lengths) / max(sum(source for source, _ in lengths), 1)
        squares = [(target - ratio * source) ** 2 / max(source, 1) for source, target in lengths]
        return cls(round(ratio, 4), round(sum(squares) / max(len(squares), 1), 4))

    def costs(self, source: float, targets: Floats) -> Floats:
        """Minus the log-probability that translations differ in length by so much, at most 25 nats."""
        import numpy as np
        from scipy.special import log_ndtr

        mean = np.maximum((source + targets / self.ratio) / 2, 1)
        delta = np.abs(targets - source * self.ratio) / np.sqrt(mean * self.variance)
        return np.asarray(np.minimum(-(math.log(2) + log_ndtr(-delta)), _WORST))


def align(
    source: Sequence[str],
    target: Sequence[str],
    lengths: LengthModel | None = None,
    translated: Sequence[str] | None = None,
    content: float = CONTENT,
) -> list[Bead]:
    """The likeliest beads, in order; every sentence is in exactly one.

    Args:
        source: sentences of one text, at most ``MAX_SENTENCES``.
        target: sentences of the other.
        lengths: of the direction; by default that of Gale and Church.
        translated: a translation of every source sentence into the language of the target.
        content: nats for shared content; 0 aligns by length alone.

    Raises:
        ValueError: there are too many sentences, or not a translation for each.
    """
    import numpy as np

    rows, columns = len(source), len(target)
    if max(rows, columns) > MAX_SENTENCES:
        raise ValueError(f"more than {MAX_SENTENCES} sentences")
    if translated is not None and len(translated) != rows:
        raise ValueError("there must be one translation for every source sentence")
    if rows <= 1 and columns <= 1:
        return [Bead(0, rows, 0, columns)] if rows or columns else []
    model = lengths or LengthModel()
    shared = _shared(source if translated is None else translated, target) if content else None
    if shared is not None and shared.size:
        shared -= min(CHANCE, shared.max(axis=1).mean())
    source_lengths, target_lengths = (np.array([len(s) for s in side], float) for side in (source, target))
    insertions = np.concatenate([[0.0], np.cumsum(_bead_costs((0, 1), 0.0, target_lengths, model))])
    best = np.full((rows + 1, columns + 1), np.inf)
    steps = np.zeros((rows + 1, columns + 1), np.uint8)
    best[0] = insertions
    for row in range(1, rows + 1):
        for step, (taken, given) in enumerate(_BEADS):
            if not 0 < taken <= row or given > columns:
                continue
            above = slice(row - taken, row)
            costs = _bead_costs(
                (taken, given), source_lengths[above].sum(), _sums(target_lengths, given), model
            )
            if given and shared is not None:
                costs = costs - content * _sums(shared[above].sum(axis=0), given)
            reached = best[row - taken, : columns + 1 - given] + costs
            better = reached < best[row, given:]
            best[row, given:][better] = reached[better]
            steps[row, given:][better] = step
        # A step along the row depends on its left neighbour: a running minimum without the insertions' costs.
        bare = best[row] - insertions
        lowest = np.minimum.accumulate(bare)
        steps[row][lowest < bare] = 0
        best[row] = lowest + insertions
    return _path(steps, rows, columns)


def _bead_costs(bead: tuple[int, int], source: float, targets: Floats, model: LengthModel) -> Floats:
    unlikely = -math.log(_PRIORS[bead])
    return model.costs(source, targets) + unlikely if all(bead) else 0 * targets + _UNALIGNED + unlikely


def _sums(values: Floats, width: int) -> Floats:
    """Sums over every window of so many neighbours; for none, zeros with one more place."""
    import numpy as np

    if width == 0:
        return np.zeros(len(values) + 1)
    return values if width == 1 else values[:-1] + values[1:]


def _path(steps: NDArray[np.uint8], row: int, column: int) -> list[Bead]:
    beads = []
    while row or column:
        taken, given = _BEADS[int(steps[row, column])] if row else (0, 1)
        beads.append(Bead(row - taken, row, column - given, column))
        row, column = row - taken, column - given
    return beads[::-1]


def _shared(source: Sequence[str], target: Sequence[str]) -> Floats:
    """The Dice coefficient of the character 4-grams of every two sentences, 0 to 1.

    A 4-gram weighs its squared inverse document frequency: what is in every sentence tells nothing.
    """
    import numpy as np
    from sklearn.feature_extraction.text import TfidfVectorizer

    grams = TfidfVectorizer(
        analyzer="char_wb", ngram_range=(4, 4), binary=True, norm=None, preprocessor=_folded
    )
    try:
        vectors = grams.fit_transform([*source, *target])
    except ValueError:  # no 4-gram anywhere
        return np.zeros((len(source), len(target)))
    sizes = np.asarray(vectors.multiply(vectors).sum(axis=1)).ravel()
    ours, theirs = vectors[: len(source)], vectors[len(source) :]
    both = sizes[: len(source), None] + sizes[len(source) :]
    return np.asarray(2 * (ours @ theirs.T).toarray() / np.maximum(both, 1e-9))


def _folded(text: str) -> str:
    """Small letters, and digits of every script as ASCII digits."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return "".join(str(unicodedata.decimal(c)) if c.isdecimal() else c for c in folded)
