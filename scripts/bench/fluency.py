"""Measure fluency: are human sentences preferred to the same words shuffled, and is a wrong form found?

    python -m scripts.training.order --corpora CORPORA --out runs/order.parquet --no-ship
    python -m scripts.bench.fluency --scores runs/order.parquet

AUC of human sentences against the same with their words shuffled inside windows of four, by the statistic
that fluency ranks, and by the encoder and the language model alone; how often the word is shown whose
ending, preposition or article was changed; and how often a word of a human sentence is shown. No family of
text was seen by the encoder or by the head that judges it; the head has seen other sentences spoilt in such
ways, which the language model has not.

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
from scripts.bench.tables import NONE, Table, add_option, publish
from scripts.command import command

FEWEST = 30
"""Sentences without which a family of one language is no row."""


def auc(whole: Floats, mixed: Floats) -> float:
    """AUC of human sentences against shuffled ones."""
    return float(roc_auc_score([1] * len(whole) + [0] * len(mixed), np.r_[whole, mixed]))


def statistic(frame: pd.DataFrame, side: str, weight: float = ORDER_WEIGHT) -> Floats:
    """What fluency ranks, of whole ("") or of shuffled ("mixed_") sentences."""
    return np.asarray(frame[f"{side}slor"] + weight * frame[f"{side}order"], float)


def figures(frame: pd.DataFrame) -> list[float]:
    """AUC by both, by the encoder and by the language model; shares of shuffled sentences with a word shown,
    of wrong forms that are shown, and of the words of human sentences; nan where nothing was measured."""
    pairs = frame.dropna(subset=["slor", "order", "mixed_slor", "mixed_order"])
    areas = [float("nan")] * 3
    if len(pairs):
        sides = ("", "mixed_")
        areas = [
            auc(*(statistic(pairs, side) for side in sides)),
            *(auc(*(pairs[f"{side}{name}"].to_numpy() for side in sides)) for name in ("order", "slor")),
        ]
    shown = float((pairs["mixed_shown"] > 0).mean())
    return [
        *areas,
        shown,
        float(frame["bent_shown"].mean()),
        float(frame["shown"].sum() / frame["words"].sum()),
    ]


def cells(found: list[float]) -> list[str]:
    """As they are shown."""
    texts = [*(f"{value:.3f}" for value in found[:3]), *(f"{100 * share:.0f} %" for share in found[3:5])]
    return [NONE if "nan" in text else text for text in (*texts, f"{1000 * found[5]:.1f}")]


def mean(every: list[list[float]]) -> list[float]:
    """Of rows of figures."""
    return [float(value) for value in np.nanmean(np.array(every), axis=0)]


def main() -> None:
    parser = command(__doc__)
    parser.add_argument("--scores", type=Path, required=True, help="what scripts.training.order wrote")
    parser.add_argument("--weights", type=float, nargs="*", default=[], help="of the encoder, to compare")
    add_option(parser)
    args = parser.parse_args()
    table = pd.read_parquet(args.scores)
    every = {str(language): figures(part) for language, part in table.groupby("language")}
    sizes = table.groupby("language").size()
    rows = [[language, str(sizes[language]), *cells(found)] for language, found in every.items()]
    rows.append(["mean", "", *cells(mean(list(every.values())))])
    columns = [
        "AUC human against shuffled", "by the encoder alone", "by the language model alone",
        "shuffled sentences with a word shown", "wrong forms shown", "of 1,000 human words shown",
    ]  # fmt: skip
    families = []
    for family, part in table.groupby("family"):
        parts = [p for _, p in part.groupby("language") if len(p) >= FEWEST]
        if own := [figures(p) for p in parts]:
            families.append(
                [str(family), str(len(own)), *cells(mean(own)), f"{1000 * max(o[5] for o in own):.1f}"]
            )
    publish(
        {
            "fluency": Table(["language", "sentences", *columns], rows),
            "fluency-families": Table(["family", "languages", *columns, "in the worst language"], families),
        },
        args.tables,
    )
    pairs = table.dropna(subset=["slor", "order", "mixed_slor", "mixed_order"])
    for weight in args.weights:
        values = [
            auc(statistic(p, "", weight), statistic(p, "mixed_", weight))
            for _, p in pairs.groupby("language")
        ]
        print(f"weight {weight}: {np.mean(values):.4f}")


if __name__ == "__main__":
    main()
