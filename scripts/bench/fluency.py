"""Measure fluency: are human sentences preferred to the same words shuffled?

    python -m scripts.training.order --corpora CORPORA --out runs/order.parquet --no-ship
    python -m scripts.bench.fluency --scores runs/order.parquet

AUC of human sentences against the same with their words shuffled inside windows of four, by the statistic
that fluency ranks, and by the encoder and the language model alone. The encoder was not trained on these
families of text, nor was the head that finds words out of place; the language model has seen the lines of
NTREX, which are among the news.

Whether fluency follows human judgements of machine translation is not measured: the corpora have no such
judgements.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score

from checker.evidence.fluency import ORDER_WEIGHT
from checker.statistics import Floats
from scripts.bench.tables import Table, add_option, publish
from scripts.command import command

FEWEST = 30
"""Sentences without which a family of one language is no row."""


def auc(whole: Floats, mixed: Floats) -> float:
    """AUC of human sentences against shuffled ones."""
    return float(roc_auc_score([1] * len(whole) + [0] * len(mixed), np.r_[whole, mixed]))


def statistic(frame: pd.DataFrame, side: str, weight: float = ORDER_WEIGHT) -> Floats:
    """What fluency ranks, of whole (\"\") or of shuffled (\"mixed_\") sentences."""
    return np.asarray(frame[f"{side}slor"] + weight * frame[f"{side}order"], float)


def figures(frame: pd.DataFrame) -> list[float]:
    """AUC by both, by the encoder and by the language model; shares of sentences with a word shown."""
    pairs = [statistic(frame, side) for side in ("", "mixed_")]
    alone = [
        [np.asarray(frame[f"{side}{name}"], float) for side in ("", "mixed_")] for name in ("order", "slor")
    ]
    shown = [float((frame[f"{side}shown"] > 0).mean()) for side in ("mixed_", "")]
    return [auc(*pairs), *(auc(*one) for one in alone), *shown]


def cells(found: list[float]) -> list[str]:
    """As they are shown."""
    return [*(f"{value:.3f}" for value in found[:3]), *(f"{100 * share:.0f} %" for share in found[3:])]


def main() -> None:
    parser = command(__doc__)
    parser.add_argument("--scores", type=Path, required=True, help="what scripts.training.order wrote")
    parser.add_argument("--weights", type=float, nargs="*", default=[], help="of the encoder, to compare")
    add_option(parser)
    args = parser.parse_args()
    table = pd.read_parquet(args.scores)
    known = ["slor", "order", "mixed_slor", "mixed_order"]
    table = table.dropna(subset=known)
    languages = table.groupby("language")
    every = {str(language): figures(part) for language, part in languages}
    rows = [
        [language, str(len(languages.get_group(language))), *cells(found)]
        for language, found in every.items()
    ]
    rows.append(["mean", "", *cells(np.mean(list(every.values()), axis=0).tolist())])
    columns = [
        "language", "sentences", "AUC human against shuffled", "by the encoder alone",
        "by the language model alone", "shuffled sentences with a word shown", "human ones",
    ]  # fmt: skip
    families = {}
    for family, part in table.groupby("family"):
        own = {str(language): figures(p) for language, p in part.groupby("language") if len(p) >= FEWEST}
        if own:
            worst = min(own, key=lambda language: own[language][0])
            families[str(family)] = [
                str(len(own)), *cells(np.mean(list(own.values()), axis=0).tolist()),
                f"{worst} {own[worst][0]:.3f}",
            ]  # fmt: skip
    publish(
        {
            "fluency": Table(columns, rows),
            "fluency-families": Table(
                ["family", "languages", *columns[2:], "worst language"],
                [[family, *row] for family, row in sorted(families.items())],
            ),
        },
        args.tables,
    )
    for weight in args.weights:
        values = [auc(statistic(p, "", weight), statistic(p, "mixed_", weight)) for _, p in languages]
        print(f"weight {weight}: {np.mean(values):.4f}")


if __name__ == "__main__":
    main()
