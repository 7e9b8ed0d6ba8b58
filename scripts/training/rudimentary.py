"""Fit the encoder's head that finds rudimentary wording, as that of a translation word for word.

    python -m scripts.training.verdict --corpora CORPORA --models models --cache runs/evidence --gather
    python -m scripts.training.rudimentary --evidence runs/evidence --models models

The head is a logistic regression over the pooled vectors of the layers that find faulty words: human posts of
all families, native and translated, against posts that were made word for word (`word_for_word`); posts of
both kinds come once more without capitals and marks. What it says of a post when it has not seen its like is
written into the evidence (``rudimentary_head``), for the fit of the verdict and for its measurement
(``scripts.bench.families``): of human posts, what was made of them, and those of translators, without their
publisher; of word-for-word posts without their family, that is their way of making, and without any of their
language. Human posts of families that the layers learnt from (`learnt`) count for nothing. Nothing that a
translator made is learnt from, rudimentary or not.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from checker.measure import FRAGMENTS
from checker.statistics import Floats
from scripts.command import command
from scripts.training.debian import REGISTERS
from scripts.training.encoder_data import HELD_OUT_FAMILIES
from scripts.training.heads import fit, keep, publisher, ship
from scripts.training.verdict import source
from scripts.training.word_for_word import WORD_FOR_WORD

GROUPS = 5
"""Of languages that are held out together."""


def learnt(family: str, system: str) -> bool:
    """Whether the layers that find faulty words learnt from the human posts of a family."""
    name = source(family, system)
    return not name.startswith(("made_", "wmt")) and name not in (*HELD_OUT_FAMILIES, *REGISTERS)


def origin(family: str, system: str) -> str:
    """The publisher of a post, or of what it was made of (`source`)."""
    return publisher(source(family, system))


def held_out(
    vectors: Floats, kinds: Sequence[str], languages: Sequence[str], publishers: Sequence[str]
) -> Floats:
    """Log-odds of every post by a head that has not seen its like.

    Args:
        vectors: pooled; (posts, 2 x width).
        kinds: of each post, ``native``, ``translated`` or ``machine``.
        languages: of each.
        publishers: of each, as `origin` names them.
    """
    names, codes = np.array(publishers), np.array(languages)
    human = np.array(kinds) != "machine"
    clumsy = np.isin(names, WORD_FOR_WORD)
    number = {code: place % GROUPS for place, code in enumerate(sorted(set(languages)))}
    group = np.array([number[code] for code in languages])
    parts = [(~clumsy & (names == name),) * 2 for name in sorted(set(names[~clumsy]))]
    parts += [
        (clumsy & (names == family) & (group == held), clumsy & ((names == family) | (group == held)))
        for family in WORD_FOR_WORD
        for held in range(GROUPS)
    ]
    said = np.zeros(len(vectors))
    for judged, unseen in parts:
        if judged.any():
            rest = (human | clumsy) & ~unseen
            weights, bias = fit(vectors[rest], clumsy[rest], codes[rest].tolist(), names[rest].tolist())
            said[judged] = vectors[judged] @ weights + bias
    return said


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
    posts = zip(frame["testset"], frame["system"].astype(str), strict=True)
    fresh = (frame["kind"] == "machine") | ~np.array([learnt(*post) for post in posts])
    known = (frame["pooled_faults"].notna() & (frame["stretch"] >= FRAGMENTS) & fresh).to_numpy()
    rows = frame[known]
    vectors = np.stack(rows["pooled_faults"].to_list()).astype(float)
    names = [origin(*post) for post in zip(rows["testset"], rows["system"].astype(str), strict=True)]
    kinds, languages = rows["kind"].tolist(), rows["language"].tolist()
    frame["rudimentary_head"] = np.nan
    frame.loc[known, "rudimentary_head"] = held_out(vectors, kinds, languages, names).round(4)
    keep("rudimentary_head", frame["rudimentary_head"].to_numpy(), paths, frames)
    clumsy = np.isin(names, WORD_FOR_WORD)
    own = clumsy | (rows["kind"] != "machine").to_numpy()
    weights, bias = fit(
        vectors[own], clumsy[own], rows.loc[own, "language"].tolist(), np.array(names)[own].tolist()
    )
    print(ship(args.models, {"rudimentary": weights, "rudimentary_bias": np.array([bias])}))


if __name__ == "__main__":
    main()
