"""Measure the embedded language model: does it prefer human sentences to the same words shuffled?

    python -m scripts.bench.fluency --corpora CORPORA --lines 200

For every language, AUC of human lines (FLORES dev, which the model was not trained on) against the same
lines with their words shuffled inside windows of four, by the statistic that fluency ranks and, for
comparison, by the mean log-likelihood per token; and bits per character.

Whether fluency follows human judgements of machine translation is not measured: the corpora have no such
judgements.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from sklearn.metrics import roc_auc_score

from checker.evidence.fluency import reading
from checker.models import Store
from checker.models.language_model import TokenScores
from checker.models.load import load_language_model as load
from checker.text import clean, words
from scripts.bench.tables import Table, add_option, progress, publish
from scripts.command import command
from scripts.training.corpora import LANGUAGES, labelled, parallel

WINDOW = 4


def shuffled(text: str, rng: np.random.Generator) -> str:
    """The text with its words shuffled inside windows of four; what stands between the words stays."""
    spans = words(text)
    order = [i for start in range(0, len(spans), WINDOW)
             for i in start + rng.permutation(min(WINDOW, len(spans) - start))]  # fmt: skip
    pieces, done = [], 0
    for span, other in zip(spans, order, strict=True):
        pieces += [text[done : span.start], spans[other].text]
        done = span.end
    return "".join(pieces) + text[done:]


def auc(scores: Sequence[TokenScores]) -> float:
    """AUC of the first half of some texts against the second; 0.5 is chance."""
    values = [reading(found).value for found in scores]
    half = len(values) // 2
    pairs = zip(values[:half], values[half:], strict=True)
    whole = [pair for pair in pairs if None not in pair]  # a text that was cut has no value
    human, disorder = zip(*whole, strict=True)
    return float(roc_auc_score([1] * len(whole) + [0] * len(whole), human + disorder))


def human_lines(corpora: Path, language: str) -> list[str]:
    """The human lines of FLORES dev, cleaned."""
    if language == "en":
        frame = parallel(corpora, "ru")
        texts = frame.loc[(frame["testset"] == "flores-dev") & (frame["kind"] == "human"), "en"]
    else:
        frame = labelled(corpora, language, "train")
        texts = frame.loc[(frame["testset"] == "flores-dev") & (frame["label"] == "human"), "text"]
    return [clean(text).text for text in texts]


def main() -> None:
    parser = command(__doc__)
    parser.add_argument("--corpora", type=Path, required=True)
    parser.add_argument("--lines", type=int, default=200, help="lines per language, at most")
    add_option(parser)
    args = parser.parse_args()
    store = Store()
    rows, every = [], []
    for language in LANGUAGES:
        model = store.language_model("embedded", language)
        assert model is not None
        scorer = load(model, store)
        rng = np.random.default_rng(0)
        human = human_lines(args.corpora, language)[: args.lines]
        scores = scorer.log_probabilities(human + [shuffled(text, rng) for text in human], language)
        nats = -sum(sum(found.conditional) for found in scores[: len(human)])
        bits = nats / math.log(2) / sum(map(len, human))
        both = (auc(scores), auc([TokenScores(found.conditional) for found in scores]))
        every.append(both)
        rows.append([language, *(f"{value:.3f}" for value in both), f"{bits:.2f}"])
        progress(*rows[-1])
    rows.append(["mean", *(f"{value:.3f}" for value in np.mean(every, axis=0)), ""])
    columns = ["language", "AUC human against shuffled", "by log-likelihood alone", "bits a character"]
    publish({"fluency": Table(columns, rows)}, args.tables)


if __name__ == "__main__":
    main()
