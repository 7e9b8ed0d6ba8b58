"""Fit the encoder's head that finds technical documentation, where no verdict is given.

    python -m scripts.training.verdict --corpora CORPORA --models models --cache runs/evidence --gather
    python -m scripts.training.technical --evidence runs/evidence --models models

In documentation, human translations look as machine ones do, and nobody wrote it in the language: whoever
judges it accuses people. The head is a logistic regression over the pooled vectors. What it says of a family
when it has not seen it is written into the evidence (``technical``), for the fit of the verdict and for its
measurement (``scripts.bench.families``); the head that ships has seen all of them. All documentations of one
publisher count as one family here.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from checker.models import Store
from checker.statistics import Floats
from scripts.command import command

DOCUMENTATION = ("msdocs", "coop", "mdn", "gnome", "human", "pydocs")
"""How the names of families of documentation begin."""

SPARED = 0.05
"""Share of the other posts that the head may take for documentation, mean over families that it has not
seen: of these, a verdict is lost."""

STRENGTH = 0.003
"""Inverse of the penalty on standardised vectors."""


def publisher(family: str) -> str:
    """Families of one publisher are held out together."""
    return family.split("-")[0]


def is_documentation(family: str) -> bool:
    """Whether a family is technical documentation."""
    return family.startswith(DOCUMENTATION)


def balanced(target: npt.NDArray[np.bool_], languages: Sequence[str]) -> Floats:
    """Weights: documentation and other posts equal in every language, and all languages equal."""
    frame = pd.DataFrame({"target": target, "language": list(languages)})
    counts = frame.groupby(["language", "target"])["target"].transform("size").to_numpy(float)
    return np.asarray(len(frame) / (2 * frame["language"].nunique() * counts), float)


def fit(vectors: Floats, target: npt.NDArray[np.bool_], languages: Sequence[str]) -> tuple[Floats, float]:
    """Weights and bias of the head, for vectors as they come.

    Args:
        vectors: pooled; (posts, 2 x width).
        target: whether each is of documentation.
        languages: of each.
    """
    from sklearn.linear_model import LogisticRegression

    weight = balanced(target, languages)
    middle, spread = vectors.mean(0), vectors.std(0) + 1e-6
    model = LogisticRegression(C=STRENGTH, max_iter=300).fit(
        (vectors - middle) / spread, target, sample_weight=weight
    )
    weights = model.coef_[0] / spread
    return np.asarray(weights, float), float(model.intercept_[0] - weights @ middle)


def held_out(
    vectors: Floats, target: npt.NDArray[np.bool_], languages: Sequence[str], publishers: Sequence[str]
) -> Floats:
    """Log-odds of every post by a head that has not seen its publisher."""
    names, codes = np.array(publishers), np.array(languages)
    said = np.zeros(len(vectors))
    for name in sorted(set(publishers)):
        rest = names != name
        weights, bias = fit(vectors[rest], target[rest], codes[rest].tolist())
        said[~rest] = vectors[~rest] @ weights + bias
    return said


def limit(said: Floats, target: npt.NDArray[np.bool_], families: Sequence[str]) -> float:
    """The log-odds that a share `SPARED` of the other posts reach, families weighted equally."""
    values, names = said[~target], np.array(families)[~target]
    counts = pd.Series(names).value_counts()
    weight = np.array([1 / counts[name] for name in names])
    order = np.argsort(-values)
    above = np.cumsum(weight[order]) / weight.sum()
    return float(values[order][int(np.searchsorted(above, SPARED))])


def ship(models: Path, weights: Floats, bias: float) -> str:
    """Put the head beside the others of the shipped encoder; returns what the store locks."""
    path = models / "embedded" / "encoder" / "heads.npz"
    with np.load(path, allow_pickle=False) as saved:
        arrays: dict[str, Any] = {name: saved[name] for name in saved.files}
    arrays["technical"] = weights.astype(np.float32)
    arrays["technical_bias"] = np.array([bias], np.float32)
    np.savez(path, **arrays)
    return str(Store(models / "registry.toml").lock_embedded())


def main() -> None:
    parser = command(__doc__)
    parser.add_argument(
        "--evidence", type=Path, required=True, help="the --cache of scripts.training.verdict"
    )
    parser.add_argument("--models", type=Path, default=Path("models"))
    args = parser.parse_args()
    paths = sorted(args.evidence.glob("*.parquet"))
    frames = [pd.read_parquet(path) for path in paths]
    frame = pd.concat(frames, ignore_index=True)
    known = frame["pooled"].notna().to_numpy()
    vectors = np.stack(frame.loc[known, "pooled"].to_list()).astype(float)
    rows = frame[known]
    target = np.array([is_documentation(name) for name in rows["testset"]])
    languages = rows["language"].tolist()
    said = held_out(vectors, target, languages, [publisher(name) for name in rows["testset"]])
    cut = limit(said, target, rows["testset"].tolist())
    weights, bias = fit(vectors, target, languages)
    frame.loc[known, "technical"] = (said - cut).round(4)
    start = 0
    for path, one in zip(paths, frames, strict=True):
        one.assign(technical=frame["technical"].iloc[start : start + len(one)].to_numpy()).to_parquet(path)
        start += len(one)
    taken = pd.Series(said >= cut).groupby(rows["testset"].to_numpy()).mean()
    print(taken.round(3).to_string())
    print(ship(args.models, weights, bias - cut))


if __name__ == "__main__":
    main()
