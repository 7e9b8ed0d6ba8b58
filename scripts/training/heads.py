"""Fit linear heads over the pooled vectors of the encoder, and put them beside the others that ship."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from checker.models import Store
from checker.statistics import Floats

STRENGTH = 0.003
"""Inverse of the penalty on standardised vectors."""


def publisher(family: str) -> str:
    """Families of one publisher are held out together."""
    return family.split("-")[0]


def balanced(target: npt.NDArray[np.bool_], languages: Sequence[str], publishers: Sequence[str]) -> Floats:
    """Weights: both sides equal in every language, publishers equal within, and all languages equal."""
    frame = pd.DataFrame({"target": target, "language": list(languages), "publisher": list(publishers)})
    sides = frame.groupby(["language", "target"])["publisher"].transform("nunique").to_numpy(float)
    counts = frame.groupby(["language", "target", "publisher"])["target"].transform("size").to_numpy(float)
    return np.asarray(len(frame) / (2 * frame["language"].nunique() * sides * counts), float)


def fit(
    vectors: Floats, target: npt.NDArray[np.bool_], languages: Sequence[str], publishers: Sequence[str]
) -> tuple[Floats, float]:
    """Weights and bias of a head: a logistic regression.

    Args:
        vectors: pooled, as they come; (posts, 2 x width).
        target: whether the answer is yes for each.
        languages: of each.
        publishers: of each.
    """
    from sklearn.linear_model import LogisticRegression

    weight = balanced(target, languages, publishers)
    middle, spread = vectors.mean(0), vectors.std(0) + 1e-6
    model = LogisticRegression(C=STRENGTH, max_iter=300).fit(
        (vectors - middle) / spread, target, sample_weight=weight
    )
    weights = model.coef_[0] / spread
    return np.asarray(weights, float), float(model.intercept_[0] - weights @ middle)


def keep(column: str, values: Sequence[float], paths: Sequence[Path], frames: Sequence[pd.DataFrame]) -> None:
    """Write a column into the files of evidence.

    Args:
        column: its name.
        values: of all rows of the frames, in their order; more are left out.
        paths, frames: the files, and what is in them.
    """
    start = 0
    for path, one in zip(paths, frames, strict=True):
        one.assign(**{column: values[start : start + len(one)]}).to_parquet(path)
        start += len(one)


def beside(path: Path, arrays: Mapping[str, npt.NDArray[Any]]) -> dict[str, Any]:
    """The arrays of a file of heads, with those of one head in their place.

    Args:
        path: ``heads.npz``.
        arrays: of the head (``checker.evidence.heads.Heads``); kept in 32 bits.
    """
    with np.load(path, allow_pickle=False) as saved:
        kept = {name: saved[name] for name in saved.files}
    return kept | {name: value.astype(np.float32) for name, value in arrays.items()}


def ship(models: Path, arrays: Mapping[str, npt.NDArray[Any]]) -> str:
    """Write a head into the shipped file; returns what the store locks."""
    path = models / "embedded" / "encoder" / "heads.npz"
    np.savez(path, **beside(path, arrays))
    return str(Store(models / "registry.toml").lock_embedded())
