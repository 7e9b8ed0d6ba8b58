"""Fit the encoder's head that finds rudimentary wording: human posts against the same posts spoilt.

    python -m scripts.training.verdict --corpora CORPORA --models models --cache runs/evidence --gather
    python -m scripts.training.rudimentary --evidence runs/evidence --models models

The head is a logistic regression over the pooled vectors of the layers that find faulty words: human posts of
all families, native and translated, against some of them with words spoilt on purpose
(`faults_data.spoilt_post`); posts of both kinds come once more without capitals and marks. Both sides have
the same registers and subjects, so these tell nothing. Nothing that was made word for word (`word_for_word`)
is among them, nor anything that a translator made.

What the head says of a human post when it has not seen any of its publisher is written into the evidence
(``rudimentary_head``), for the fit of the verdict and for its measurement (``scripts.bench.families``). Human
posts of families that the layers learnt from (`learnt`) count for nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from checker.measure import FRAGMENTS
from checker.statistics import Floats
from scripts.command import command
from scripts.training.debian import REGISTERS
from scripts.training.encoder_data import HELD_OUT
from scripts.training.heads import ship
from scripts.training.made import FAMILIES
from scripts.training.technical import fit, keep, publisher
from scripts.training.verdict import BARE, SPOILT


def learnt(family: str, system: str) -> bool:
    """Whether the layers that find faulty words learnt from the human posts of a family."""
    name = system if family in (BARE, SPOILT) else family
    return not name.startswith(("made_", "wmt")) and name not in (*HELD_OUT, *REGISTERS)


def origin(family: str, system: str) -> str:
    """The publisher of a post; of one that is made of others, that of these or of other versions of them."""
    if family in FAMILIES.values():
        return "wmt21"  # its lines have human versions
    return publisher(system if family in (BARE, SPOILT) else family)


def held_out(
    vectors: Floats,
    spoilt: npt.NDArray[np.bool_],
    learns: npt.NDArray[np.bool_],
    languages: Sequence[str],
    publishers: Sequence[str],
) -> Floats:
    """Log-odds of every post by a head that has not seen its publisher.

    Args:
        vectors: pooled; (posts, 2 x width).
        spoilt: whether each was spoilt on purpose.
        learns: whether a head learns from each: human posts, and spoilt ones.
        languages: of each.
        publishers: of each, as `origin` names them.
    """
    names, codes = np.array(publishers), np.array(languages)
    said = np.zeros(len(vectors))
    for name in sorted(set(publishers)):
        rest = learns & (names != name)
        weights, bias = fit(vectors[rest], spoilt[rest], codes[rest].tolist(), names[rest].tolist())
        said[names == name] = vectors[names == name] @ weights + bias
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
    unspoilt = (frame["kind"] == "machine") & (frame["testset"] != SPOILT)
    fresh = unspoilt | ~np.array([learnt(*post) for post in posts])
    known = (frame["pooled_faults"].notna() & (frame["stretch"] >= FRAGMENTS) & fresh).to_numpy()
    rows = frame[known]
    vectors = np.stack(rows["pooled_faults"].to_list()).astype(float)
    names = [origin(*post) for post in zip(rows["testset"], rows["system"].astype(str), strict=True)]
    spoilt, languages = (rows["testset"] == SPOILT).to_numpy(), rows["language"].tolist()
    learns = ~unspoilt[known].to_numpy()
    frame["rudimentary_head"] = np.nan
    frame.loc[known, "rudimentary_head"] = held_out(vectors, spoilt, learns, languages, names).round(4)
    keep("rudimentary_head", frame["rudimentary_head"].to_numpy(), paths, frames)
    own = (part[learns] for part in (vectors, spoilt, np.array(languages), np.array(names)))
    weights, bias = fit(*own)
    print(ship(args.models, {"rudimentary": weights, "rudimentary_bias": np.array([bias])}))


if __name__ == "__main__":
    main()
