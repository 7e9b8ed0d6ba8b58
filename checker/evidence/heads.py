"""What is read from the encoder's vectors: made by a machine, translated at all, and which words are wrong.

A sentence is kept as the count, the mean, the spread and the largest values of its vectors; those of a post
follow from those of its sentences, so that a post of any length is read once, sentence by sentence. The heads
are linear. The share of a word in the log-odds of the machine head is what taking its vectors out of the mean
would change.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt

from checker.errors import ModelCorruptedError
from checker.models.encoder import Tokens

Floats = npt.NDArray[np.float32]


class Summary(NamedTuple):
    """The vectors of one sentence or of several.

    Attributes:
        number: how many vectors.
        mean: of them; (width,).
        spread: sum of the squared distances from the mean; (width,).
        largest: the largest value in each place; (width,).
    """

    number: int
    mean: Floats
    spread: Floats
    largest: Floats


class Fault(NamedTuple):
    """A stretch of a text that may be wrong.

    Attributes:
        start, end: in the text that was read.
        log_odds: that it is.
    """

    start: int
    end: int
    log_odds: float


class HeadReading(NamedTuple):
    """What the heads need of a sentence.

    Attributes:
        summary: of its vectors; None where it has none.
        faults: the log-odds of every piece.
        shares: of every piece in the log-odds of the machine head, with its span.
    """

    summary: Summary | None
    faults: tuple[Fault, ...]
    shares: tuple[Fault, ...]


def summarise(vectors: Floats) -> Summary | None:
    """The summary of some vectors, (count, width); None of none."""
    if not len(vectors):
        return None
    mean = vectors.mean(0)
    return Summary(len(vectors), mean, ((vectors - mean) ** 2).sum(0), vectors.max(0))


def pool(summaries: Iterable[Summary | None]) -> Summary | None:
    """The summary of all vectors of several summaries (Chan et al. 1983); None of none."""
    found: Summary | None = None
    for one in summaries:
        if one is None:
            continue
        if found is None:
            found = one
            continue
        count = found.number + one.number
        apart = one.mean - found.mean
        found = Summary(
            count,
            found.mean + apart * (one.number / count),
            found.spread + one.spread + apart**2 * (found.number * one.number / count),
            np.maximum(found.largest, one.largest),
        )
    return found


class Heads:
    """The linear heads.

    Args:
        arrays: weights and bias of ``machine`` (mean, deviation, largest), ``translated`` (mean, deviation)
            and ``fault`` (a vector).
    """

    def __init__(self, arrays: dict[str, Floats]) -> None:
        self._weights = arrays
        self._width = len(arrays["fault"])

    @classmethod
    def load(cls, path: Path) -> Heads:
        """Read the ``.npz`` file that ``scripts/training/encoder_ship.py`` writes.

        Raises:
            ModelCorruptedError: the file is not one, or is damaged.
        """
        try:
            with np.load(path, allow_pickle=False) as saved:
                arrays = {name: saved[name].astype(np.float32) for name in saved.files}
            width = len(arrays["fault"])
            for name, times in ("machine", 3), ("translated", 2), ("fault", 1):
                if arrays[name].shape != (times * width,) or arrays[f"{name}_bias"].shape != (1,):
                    raise ValueError(f"the head {name!r} has a wrong shape")
        except (OSError, EOFError, KeyError, ValueError, zlib.error, BadZipFile) as error:
            raise ModelCorruptedError(
                f"{path} cannot be read ({error}). Install the package again."
            ) from None
        return cls(arrays)

    def read(self, tokens: Tokens) -> HeadReading:
        """What is kept of a sentence."""
        vectors = tokens.vectors
        summary = summarise(vectors)
        if summary is None:
            return HeadReading(None, (), ())
        faults = vectors @ self._weights["fault"] + self._weights["fault_bias"]
        shares = (vectors - summary.mean) @ self._weights["machine"][: self._width] / len(vectors)
        spans = [(row, span) for row, span in enumerate(tokens.spans) if span[0] < span[1]]
        return HeadReading(
            summary,
            tuple(Fault(*span, round(float(faults[row]), 4)) for row, span in spans),
            tuple(Fault(*span, round(float(shares[row]), 5)) for row, span in spans),
        )

    def machine(self, summary: Summary) -> float:
        """Log-odds that a text was made by a machine; not yet calibrated."""
        return self._ask("machine", summary.mean, _deviation(summary), summary.largest)

    def translated(self, summary: Summary) -> float:
        """Log-odds that a text was translated, by whomever; not yet calibrated."""
        return self._ask("translated", summary.mean, _deviation(summary))

    def _ask(self, head: str, *parts: Floats) -> float:
        found = np.concatenate(parts).astype(np.float64) @ self._weights[head].astype(np.float64)
        return round(float(found + self._weights[f"{head}_bias"][0]), 4)


def _deviation(summary: Summary) -> Floats:
    return np.asarray(np.sqrt(summary.spread / summary.number + 1e-5), np.float32)


def faulty(readings: Sequence[HeadReading]) -> float | None:
    """Mean log-odds of a fault over the pieces of some sentences; None without a piece."""
    values = [fault.log_odds for reading in readings for fault in reading.faults]
    return float(np.mean(values)) if values else None
