"""Group the lines of labelled test sets into posts of one to five lines, like those of a user."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Hashable, Sequence

import numpy as np
import pandas as pd

LINES = (1, 2, 3, 4, 5)
KINDS = ("native", "translated", "machine")
TOGETHER = 5
"""Neighbours that are drawn together, at most."""

VERSION = ["testset", "source_lang", "system", "kind"]


def kind(frame: pd.DataFrame) -> pd.Series:
    """``native``, ``translated``, ``machine``, or ``mixed`` where the set does not tell."""
    human = np.where(
        frame["origin"].astype(str) == "original", "native",
        np.where(frame["origin"].astype(str) == "translated", "translated", "mixed"),
    )  # fmt: skip
    return pd.Series(np.where(frame["label"].astype(str) == "machine", "machine", human), index=frame.index)


def runs(frame: pd.DataFrame) -> pd.Series:
    """Numbers that neighbouring lines of one version of a test set share.

    Lines are neighbours where, in the order of the file, the number grows by one: a version may come several
    times (a source in several directions, two references under one name), one after the other.

    Args:
        frame: labelled lines in the order of the file, with the columns ``VERSION`` and ``line``.
    """
    starts = frame.groupby(VERSION, observed=True)["line"].diff().ne(1)
    return starts.groupby([frame[key] for key in VERSION], observed=True).cumsum()


def neighbours(pages: Sequence[Hashable], most: int, rng: random.Random) -> list[int]:
    """Numbers of some posts, `TOGETHER` neighbours of a page at a time: an account is of such.

    Args:
        pages: of all posts.
        most: posts, at most.
        rng: draws them.
    """
    rows: defaultdict[Hashable, list[int]] = defaultdict(list)
    for number, page in enumerate(pages):
        rows[page].append(number)
    parts = [own[start : start + TOGETHER] for own in rows.values() for start in range(0, len(own), TOGETHER)]
    rng.shuffle(parts)
    return [number for part in parts for number in part][:most]


def group(frame: pd.DataFrame, most: int, lines: tuple[int, ...] = LINES, seed: int = 0) -> pd.DataFrame:
    """Posts of neighbouring lines of one test set, source language and system.

    Args:
        frame: labelled lines with ``testset``, ``source_lang``, ``system``, ``line``, ``text``, ``label``,
            ``origin``.
        most: human posts of each kind and number of lines, at most, and half as many by machines, drawn
            evenly over systems: error rates are measured on the human ones.
        lines: how many lines a post may have.

    Returns:
        Columns ``text``, ``kind``, ``lines``, ``testset``, ``system``, ``line`` (of the first line).
    """
    posts = []
    frame = frame.assign(kind=kind(frame))
    frame["run"] = runs(frame)
    for (testset, _, system, what, _), part in frame.groupby([*VERSION, "run"], observed=True):
        texts, numbers = part["text"].tolist(), part["line"].tolist()
        for size in lines:
            for start in range(0, len(texts) - size + 1, size):
                text = " ".join(texts[start : start + size])
                posts.append((text, what, size, testset, system, numbers[start]))
    table = pd.DataFrame(posts, columns=["text", "kind", "lines", "testset", "system", "line"])
    table = table[table["kind"].isin(KINDS)]
    drawn = []
    for (what, _), part in table.groupby(["kind", "lines"]):
        wanted = most // 2 if what == "machine" else most
        share = -(-wanted // part["system"].nunique())
        part = part.sample(frac=1, random_state=seed)
        drawn.append(part[part.groupby("system").cumcount() < share].head(wanted))
    return pd.concat(drawn, ignore_index=True) if drawn else table
