"""Labelled posts in groups: by language, MT system, test set, length, or any column of the input."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from checker.errors import InputError
from checker.evaluation.labelled import LabelledPost
from checker.evaluation.scores import Score
from checker.verdict.model import BANDS

KEYS = ("lang", "system", "testset", "length")
"""Keys that posts can be grouped by without a column of their own."""

UNKNOWN = "unknown"
"""Name of the group of the posts that do not say which group they are in."""

_LENGTHS = (
    f"under {BANDS.edges[0]}",
    *(f"{low}–{high - 1}" for low, high in pairwise(BANDS.edges)),
    f"{BANDS.edges[-1]} or more",
)

Scored = tuple[LabelledPost, Score]


def grouped(scored: Sequence[Scored], key: str) -> dict[str, list[Scored]]:
    """The posts of each group, in order of the groups' names or lengths; those without a group last.

    Args:
        scored: labelled posts with their scores.
        key: one of `KEYS`, or a key of the posts' ``extra``. A group of ``system`` has all human posts beside
            the machine posts of that system.

    Raises:
        InputError: no post has a value for the key.
    """
    groups: dict[str, list[Scored]] = {}
    humans = [pair for pair in scored if not pair[0].machine]
    for post, score in scored:
        if key == "system" and not post.machine:
            continue
        groups.setdefault(_group(key, post, score), []).append((post, score))
    if not groups.keys() - {UNKNOWN}:
        raise InputError(
            f"No post has a {key!r} to group by.",
            fix=f"Group by one of {', '.join(KEYS)} or by a column of the file.",
        )
    order = {name: number for number, name in enumerate(_LENGTHS)} if key == "length" else {}
    names = sorted(groups, key=lambda name: (name == UNKNOWN, order.get(name, 0), name))
    return {name: groups[name] + humans if key == "system" else groups[name] for name in names}


def _group(key: str, post: LabelledPost, score: Score) -> str:
    if key == "length":
        return UNKNOWN if score.columns is None else _LENGTHS[BANDS.number(score.columns)]
    value = {
        "lang": post.language or score.language, "system": post.system, "testset": post.testset,
    }.get(key, post.extra.get(key))  # fmt: skip
    return value or UNKNOWN
