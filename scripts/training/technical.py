"""Fit the encoder's head that finds documentation, which is never called machine-translated.

    python -m scripts.training.verdict --corpora CORPORA --models models --cache runs/evidence --gather
    python -m scripts.training.technical --corpora CORPORA --evidence runs/evidence --models models

In documentation, human translations look as machine ones do: whoever judges it accuses people. The head is a
logistic regression over the pooled vectors. What it says of a family when it has not seen it is written into
the evidence (``technical``), for the fit of the verdict and for its measurement (``scripts.bench.families``);
the head that ships has seen all of them. What was made of a family's posts is held out with it. From where on
a post counts as documentation is chosen on all families. All documentations of one publisher count as one
family here. Posts of Tatoeba and of TICO-19 stand against the documentation as well: requests, warnings and
advice to the public are no manuals, and news has few of them.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from checker.evidence.heads import pooled
from checker.models import Store
from checker.pipeline import Checker
from checker.statistics import Floats
from scripts.command import command
from scripts.training.clumsy import CLUMSY
from scripts.training.corpora import parallel
from scripts.training.debian import REGISTERS
from scripts.training.heads import fit, keep, publisher, ship
from scripts.training.verdict import BARE, source

DOCUMENTATION = ("msdocs", "coop", "mdn", "gnome", "human", "pydocs")
"""How the names of families of documentation begin."""

SPARED = 0.05
"""Share of the other posts that the head may take for documentation, mean over families that it has not
seen."""

MADE = (*CLUMSY, BARE, *REGISTERS)
"""Families that are made of others, or drawn, for another question."""

EVERYDAY = {"tatoeba": "tatoeba-test-v2020-07-28", "tico": "tico19-test"}
"""Test sets of everyday sentences and of advice to the public, by the family that they count as."""

EVERYDAY_POSTS = 120
"""Posts of each of them, in each language that it has."""


def is_documentation(family: str) -> bool:
    """Whether a family is technical documentation."""
    return family.startswith(DOCUMENTATION)


def everyday(checker: Checker, corpora: Path, language: str) -> pd.DataFrame:
    """Posts of one to three lines of `EVERYDAY`: ``testset``, ``language``, ``pooled``."""
    rows: list[tuple[str, str, list[float]]] = []
    rng = random.Random(language)
    for family, testset in EVERYDAY.items() if language != "en" else ():  # the other side of every pair
        pairs = parallel(corpora, language)
        chosen = (pairs["kind"] == "human") & (pairs["testset"] == testset)
        lines = pairs.loc[chosen, "other"].tolist()
        texts = []
        for _ in range(min(EVERYDAY_POSTS, len(lines) // 3)):
            start, size = rng.randrange(len(lines) - 2), rng.randint(1, 3)
            texts.append(" ".join(lines[start : start + size]))
        for one in checker.findings_many(texts, language):
            if one.summary is not None:
                rows.append((family, language, pooled(one.summary).tolist()))
    return pd.DataFrame(rows, columns=["testset", "language", "pooled"])


def held_out(
    vectors: Floats,
    target: npt.NDArray[np.bool_],
    languages: Sequence[str],
    publishers: Sequence[str],
    made: npt.NDArray[np.bool_],
) -> Floats:
    """Log-odds of every post by a head that has not seen its publisher, nor anything `MADE`.

    Args:
        vectors: pooled; (posts, 2 x width).
        target: whether each is documentation.
        languages, publishers: of each; of one that was made of others, theirs.
        made: whether it is of `MADE`.
    """
    names, codes = np.array(publishers), np.array(languages)
    said = np.zeros(len(vectors))
    for name in sorted(set(names)):
        own = names == name
        rest = ~own & ~made
        weights, bias = fit(vectors[rest], target[rest], codes[rest].tolist(), names[rest].tolist())
        said[own] = vectors[own] @ weights + bias
    return said


def limit(said: Floats, target: npt.NDArray[np.bool_], families: Sequence[str]) -> float:
    """The log-odds that a share `SPARED` of the other posts reach, families weighted equally."""
    values, names = said[~target], np.array(families)[~target]
    counts = pd.Series(names).value_counts()
    weight = np.array([1 / counts[name] for name in names])
    order = np.argsort(-values)
    above = np.cumsum(weight[order]) / weight.sum()
    return float(values[order][int(np.searchsorted(above, SPARED))])


def main() -> None:
    parser = command(__doc__)
    parser.add_argument("--corpora", type=Path, required=True)
    parser.add_argument(
        "--evidence", type=Path, required=True, help="the --cache of scripts.training.verdict"
    )
    parser.add_argument("--models", type=Path, default=Path("models"))
    args = parser.parse_args()
    paths = sorted(args.evidence.glob("*.parquet"))
    frames = [pd.read_parquet(path) for path in paths]
    checker = Checker(store=Store(args.models / "registry.toml"), round_trip=False, fluency=False, exact=True)
    beside = [everyday(checker, args.corpora, path.stem) for path in paths]
    frame = pd.concat([*frames, *beside], ignore_index=True)
    known = frame["pooled"].notna().to_numpy()
    vectors = np.stack(frame.loc[known, "pooled"].to_list()).astype(float)
    rows = frame[known]
    target = np.array([is_documentation(name) for name in rows["testset"]])
    languages = rows["language"].tolist()
    posts = zip(rows["testset"], rows["system"].astype(str), strict=True)
    publishers = [publisher(source(*post)) for post in posts]
    own = ~rows["testset"].isin(MADE).to_numpy()
    said = held_out(vectors, target, languages, publishers, ~own)
    cut = limit(said[own], target[own], rows.loc[own, "testset"].tolist())
    weights, bias = fit(*(part[own] for part in (vectors, target, np.array(languages), np.array(publishers))))
    frame.loc[known, "technical"] = (said - cut).round(4)
    keep("technical", frame["technical"].to_numpy(), paths, frames)
    taken = pd.Series(said >= cut).groupby(rows["testset"].to_numpy()).mean()
    print(taken.round(3).to_string())
    print(ship(args.models, {"technical": weights, "technical_bias": np.array([bias - cut])}))


if __name__ == "__main__":
    main()
