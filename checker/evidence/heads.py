"""What is read from the encoder's vectors: was a text made by a machine, was it translated at all, is its
wording rudimentary, is it technical documentation, and is each of its pieces in place?

A sentence is kept as the count, the mean, the spread and the largest values of its vectors; those of a post
follow from those of its sentences, so that a post of any length is read once, sentence by sentence. All heads
are linear.
"""

from __future__ import annotations

import base64
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt

from checker.errors import ModelCorruptedError

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


def packed(summary: Summary | None) -> list[int | str] | None:
    """A summary as ``json`` can write it; `unpacked` gives it back to the last bit."""
    if summary is None:
        return None
    vectors = np.stack(summary[1:]).astype("<f4")
    return [summary.number, base64.b64encode(vectors.tobytes()).decode()]


def unpacked(kept: list[Any] | None) -> Summary | None:
    """The summary that `packed` was given."""
    if kept is None:
        return None
    number, text = kept
    vectors = np.frombuffer(base64.b64decode(text), "<f4").astype(np.float32)
    return Summary(int(number), *vectors.reshape(3, -1))


def pooled(summary: Summary) -> Floats:
    """What most of the `Heads` read: mean and standard deviation of the vectors; (2 x width,)."""
    return np.concatenate([summary.mean, deviation(summary)])


class Heads:
    """The linear heads.

    Args:
        arrays: weights and bias of ``machine`` (mean, deviation, largest), of ``translated`` and, where they
            were fitted, of ``technical`` (mean, deviation); from the vectors for faulty words, of
            ``rudimentary`` (mean, deviation) and of ``order`` (of one vector).
    """

    def __init__(self, arrays: dict[str, Floats]) -> None:
        self._weights = arrays

    @classmethod
    def load(cls, path: Path) -> Heads:
        """Read the ``.npz`` file that ``scripts/training/encoder_ship.py`` writes.

        Raises:
            ModelCorruptedError: the file is not one, or is damaged.
        """
        try:
            with np.load(path, allow_pickle=False) as saved:
                arrays = {name: saved[name].astype(np.float32) for name in saved.files}
            width = len(arrays["translated"]) // 2
            known = {"machine": 3, "translated": 2}
            known |= {name: 2 for name in ("technical", "rudimentary") if name in arrays}
            for name, times in known.items():
                if arrays[name].shape != (times * width,) or arrays[f"{name}_bias"].shape != (1,):
                    raise ValueError(f"the head {name!r} has a wrong shape")
            if "order" in arrays and (arrays["order"].shape, arrays["order_bias"].shape) != ((width,), (1,)):
                raise ValueError("the head 'order' has a wrong shape")
        except (OSError, EOFError, KeyError, ValueError, zlib.error, BadZipFile) as error:
            raise ModelCorruptedError(
                f"{path} cannot be read ({error}). Install the package again."
            ) from None
        return cls(arrays)

    def machine(self, summary: Summary) -> float:
        """Log-odds that a text was made by a machine; not yet calibrated."""
        return self._ask("machine", summary.mean, deviation(summary), summary.largest)

    def translated(self, summary: Summary) -> float:
        """Log-odds that a text was translated, by whomever; not yet calibrated."""
        return self._ask("translated", pooled(summary))

    def technical(self, summary: Summary) -> float | None:
        """Log-odds that a text is technical documentation; None where that head was not fitted."""
        return self._ask("technical", pooled(summary)) if "technical" in self._weights else None

    def rudimentary(self, summary: Summary) -> float | None:
        """Log-odds that the wording is that of a translation word for word; None where that head was not
        fitted; not yet calibrated.

        Args:
            summary: of the vectors for faulty words.
        """
        return self._ask("rudimentary", pooled(summary)) if "rudimentary" in self._weights else None

    def order(self, vectors: Floats) -> Floats | None:
        """Log-odds that each piece is out of place; None where that head was not fitted.

        Args:
            vectors: of pieces, those for faulty words; (pieces, width).
        """
        if "order" not in self._weights:
            return None
        return np.asarray(vectors @ self._weights["order"] + self._weights["order_bias"])

    def _ask(self, head: str, *parts: Floats) -> float:
        found = np.concatenate(parts).astype(np.float64) @ self._weights[head].astype(np.float64)
        return round(float(found + self._weights[f"{head}_bias"][0]), 4)


def deviation(summary: Summary) -> Floats:
    """Standard deviation of the vectors; (width,)."""
    return np.asarray(np.sqrt(summary.spread / summary.number + 1e-5), np.float32)
