"""Posts that say the same count once: equal texts, near-duplicates, and quotes with a comment.

A text is known by a fingerprint of fixed size, so that an account of any length needs little memory: a hash
of the normalised text, and minima of hashes of its character 5-grams (MinHash, Broder 1997), which find
similar texts without comparing all pairs (banding, Leskovec, Rajaraman and Ullman 2014, chapter 3).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

SIMILAR = 0.8
"""Jaccard similarity of 5-grams from which texts are near-duplicates."""

CONTAINED = 0.9
"""Share of the 5-grams of the shorter text from which the longer one quotes it."""

SHORTEST_QUOTE = 40
"""5-grams without which a text is too short to be known as quoted."""

_BETWEEN = re.compile(r"[\W_]+")  # what is neither letter nor digit
_LONGEST = 5000  # characters that are looked at
_GRAM = 5
_ROWS, _BANDS = (
    3,
    21,
)  # a pair of similarity 0.4 shares a band with probability 0.75, one of 0.8 with 1 - 1e-6
_HASHES = _ROWS * _BANDS
_random = np.random.default_rng(20240229)
_FACTORS = _random.integers(1, 2**63, _HASHES, dtype=np.uint64) * np.uint64(2) + np.uint64(1)
_ADDED = _random.integers(0, 2**63, _HASHES, dtype=np.uint64)
_POWERS = _random.integers(1, 2**63, _GRAM, dtype=np.uint64) * np.uint64(2) + np.uint64(1)

_FEW = 64
"""Texts of which all pairs are compared: faster than bands, and no quote is missed."""

Hashes = NDArray[np.uint32]
Places = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What is kept of a text to know it again.

    Attributes:
        exact: hash of the normalised text, 64 bits.
        size: number of its distinct 5-grams.
        minima: of their hashes, 32 bits each, as bytes.
    """

    exact: int
    size: int
    minima: bytes


def normalised(text: str) -> str:
    """Letters and digits only, without case and width: what stays when a post is posted again."""
    return _BETWEEN.sub("", unicodedata.normalize("NFKC", text[:_LONGEST]).casefold())


def fingerprint(text: str) -> Fingerprint | None:
    """The fingerprint of a text; None for one without a letter or digit."""
    plain = normalised(text)
    if not plain:
        return None
    digest = blake2b(plain.encode(errors="surrogatepass"), digest_size=8).digest()
    codes = np.frombuffer(plain.encode("utf-32-le", errors="surrogatepass"), dtype=np.uint32)
    if len(codes) < _GRAM:
        codes = np.pad(codes, (0, _GRAM - len(codes)))
    codes = codes.astype(np.uint64)
    count = len(codes) - _GRAM + 1
    grams = np.zeros(count, dtype=np.uint64)
    for place, power in enumerate(_POWERS):
        grams += (codes[place : place + count] + np.uint64(1)) * power
    grams ^= grams >> np.uint64(29)
    grams = np.unique(grams)
    mixed = _FACTORS[:, None] * grams
    mixed += _ADDED[:, None]
    minima = (mixed.min(axis=1) >> np.uint64(32)).astype("<u4")
    return Fingerprint(int.from_bytes(digest, "big", signed=True), len(grams), minima.tobytes())


def clusters(prints: Sequence[Fingerprint | None]) -> list[int]:
    """A number for every text that it shares with those which say the same; the order does not matter.

    Args:
        prints: of the texts; one that is None is like no other.
    """
    known = {one.exact: one for one in prints if one is not None}
    order = sorted(known)
    root = list(range(len(order)))

    def find(place: int) -> int:
        while root[place] != place:
            root[place] = root[root[place]]
            place = root[place]
        return place

    if len(order) > 1:
        minima = np.array([np.frombuffer(known[exact].minima, dtype="<u4") for exact in order])
        sizes = np.array([known[exact].size for exact in order], dtype=float)
        for one, other in _similar(minima, sizes):
            one, other = sorted((find(one), find(other)))
            root[other] = one
    numbers = {exact: find(place) for place, exact in enumerate(order)}
    alone = len(order)
    found = []
    for number, seen in enumerate(prints):
        found.append(alone + number if seen is None else numbers[seen.exact])
    return found


def _similar(minima: Hashes, sizes: NDArray[np.float64]) -> list[tuple[int, int]]:
    """Pairs of similar texts, enough of them to join all that are alike."""
    if len(minima) <= _FEW:
        return _alike(minima, sizes, *np.triu_indices(len(minima), 1))
    pairs: set[tuple[int, int]] = set()
    for band in range(_BANDS):
        columns = minima[:, band * _ROWS : (band + 1) * _ROWS]
        order = np.lexsort(columns.T)
        ranked = columns[order]
        same = np.concatenate([[False], (ranked[1:] == ranked[:-1]).all(axis=1)])
        first = np.maximum.accumulate(np.where(same, 0, np.arange(len(order))))
        after = np.flatnonzero(same)
        for before in (after - 1, first[after]):
            pairs.update(_alike(minima, sizes, order[before], order[after]))
    return sorted(pairs)


def _alike(minima: Hashes, sizes: NDArray[np.float64], one: Places, other: Places) -> list[tuple[int, int]]:
    """Those of some pairs that are near-duplicates, or a quote of one another."""
    alike = (minima[one] == minima[other]).mean(axis=1)
    shared = alike / (1 + alike) * (sizes[one] + sizes[other])
    less = np.minimum(sizes[one], sizes[other])
    quoted = (shared / less >= CONTAINED) & (less >= SHORTEST_QUOTE)
    kept = (alike >= SIMILAR) | quoted
    return list(zip(one[kept].tolist(), other[kept].tolist(), strict=True))
