"""Style: does the wording itself look like machine output?

One linear model a language over hashed character n-grams (1 to 5), the classic detector of
translationese (Volansky et al. 2015; Rabinovich and Wintner 2015) in its cheapest form. A text's log-odds
are the sum of the weights of its n-grams over the square root of their number, so that evidence adds
up with length as independent votes would. Because the model is linear, every character's share of
the log-odds is known exactly, and the words that made the detector say so can be shown.

Quotation marks, dashes, apostrophes and digits are folded before hashing: they tell a keyboard from a
newsroom, not a machine from a human.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt

from checker.errors import ModelCorruptedError

BITS = 18
ORDERS = (1, 2, 3, 4, 5)
_FOLDED = str.maketrans(
    dict.fromkeys("«»„“”‟「」『』〝〞‹›", '"')
    | dict.fromkeys("‘’‚‛`´ʼ′", "'")
    | dict.fromkeys("‐‑‒–—―−", "-")
    | {"…": "."}
)
_DIGITS = re.compile(r"\d")
_PRIME = np.uint64(0x100000001B3)
_MIX = np.uint64(0x9E3779B97F4A7C15)

Floats = npt.NDArray[np.float64]


def fold(text: str) -> str:
    """Fold typography that depends on the keyboard; the length never changes."""
    return _DIGITS.sub("0", text.translate(_FOLDED))


@lru_cache(maxsize=8)  # the log-odds of a sentence and its contributions are asked for one after the other
def buckets(text: str) -> tuple[npt.NDArray[np.int64], ...]:
    """Bucket numbers of the character n-grams of a text.

    Args:
        text: any text; it is folded and set between two spaces first.

    Returns:
        One array for each order in ``ORDERS``; entry ``i`` belongs to the n-gram that starts at
        character ``i - 1`` of the text (0 is the leading space).
    """
    padded = f" {fold(text)} ".encode("utf-32-le", "surrogatepass")
    points = np.frombuffer(padded, dtype="<u4").astype(np.uint64)
    rolling = np.zeros(len(points) + 1, np.uint64)
    found = []
    for order in ORDERS:
        if order > len(points):
            found.append(np.empty(0, np.int64))
            continue
        rolling = rolling[: len(points) - order + 1] * _PRIME + points[order - 1 :]  # modulo 2 ** 64
        mixed = (rolling ^ (rolling >> np.uint64(29))) * _MIX
        found.append((mixed >> np.uint64(64 - BITS)).astype(np.int64))
    return tuple(found)


class StyleModel:
    """The style detector of one language.

    Args:
        weights: ``int8`` array of ``2 ** BITS`` bucket weights.
        scale: what one unit of ``weights`` is worth in log-odds.
        bias: log-odds of a text without any known n-gram.
        label: name@revision, for the result.
    """

    def __init__(self, weights: npt.NDArray[np.int8], scale: float, bias: float, label: str) -> None:
        if weights.shape != (1 << BITS,):
            raise ValueError(f"expected {1 << BITS} weights, got {weights.shape}")
        self.weights, self.scale, self.bias, self.label = weights, scale, bias, label

    def log_odds(self, text: str) -> float:
        """Log-odds that a text is machine-translated; positive points to a machine. Not yet calibrated."""
        total, count = 0.0, 0
        for numbers in buckets(text):
            total += float(self.weights[numbers].sum(dtype=np.int64))
            count += len(numbers)
        return self.bias + self.scale * total / float(np.sqrt(max(count, 1)))

    def contributions(self, text: str) -> Floats:
        """Every character's share of the log-odds, bias left out; one value a character of ``text``.

        The shares of the spaces that the text is set between go to its first and last character.
        """
        shares = np.zeros(len(text) + 2)
        count = 0
        for order, numbers in zip(ORDERS, buckets(text), strict=True):
            part = self.weights[numbers].astype(np.float64) / order
            count += len(numbers)
            for offset in range(order if len(numbers) else 0):
                shares[offset : offset + len(numbers)] += part
        if text:
            shares[1] += shares[0]
            shares[-2] += shares[-1]
        result: Floats = self.scale * shares[1:-1] / np.sqrt(max(count, 1))
        return result


def load(path: Path, label: str) -> StyleModel:
    """Read the ``.npz`` file that ``scripts/train_style.py`` writes.

    Raises:
        ModelCorruptedError: the file is not one, or is damaged.
    """
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return StyleModel(arrays["weights"], float(arrays["scale"]), float(arrays["bias"]), label)
    except (OSError, EOFError, KeyError, ValueError, zlib.error, BadZipFile) as error:
        raise ModelCorruptedError(f"{path} cannot be read ({error}). Install the package again.") from None


def word_weights(shares: Floats, spans: Sequence[tuple[int, int]]) -> list[float]:
    """Sum the characters' shares over word spans."""
    total = np.concatenate([[0.0], np.cumsum(shares)])
    return [float(total[end] - total[start]) for start, end in spans]
