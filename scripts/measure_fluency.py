"""Measure the embedded language model: does it prefer human sentences to the same words in disorder?

    python scripts/measure_fluency.py --corpora CORPORA --lines 200

For every language, AUC of human lines (FLORES dev, which the model was not trained on) against the same
lines with their words shuffled inside windows of four, by log-likelihood per column, and bits a character.
"""

from __future__ import annotations

import argparse
import math
from pathlib import Path

import numpy as np
from corpora import LANGUAGES, labelled, parallel
from sklearn.metrics import roc_auc_score

from checker.fluency import rate
from checker.language_model import load
from checker.store import Store
from checker.text import clean, words

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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--corpora", type=Path, required=True)
    parser.add_argument("--lines", type=int, default=200)
    args = parser.parse_args()
    store = Store()
    print("| language | AUC human against shuffled | bits a character |\n| --- | --- | --- |")
    every = []
    for language in LANGUAGES:
        model = store.language_model("embedded", language)
        assert model is not None
        scorer = load(model, store)
        if language == "en":
            frame = parallel(args.corpora, "ru")
            texts = frame.loc[(frame["testset"] == "flores-dev") & (frame["kind"] == "human"), "en"]
        else:
            frame = labelled(args.corpora, language, "train")
            texts = frame.loc[(frame["testset"] == "flores-dev") & (frame["label"] == "human"), "text"]
        rng = np.random.default_rng(0)
        human = [clean(text).text for text in texts.head(args.lines)]
        pairs = [(human, scorer.score(human, language))]
        pairs.append(
            ((disorder := [shuffled(text, rng) for text in human]), scorer.score(disorder, language))
        )
        rates = [[rate(s, t) for t, s in zip(part, scores, strict=True)] for part, scores in pairs]
        auc = roc_auc_score([1] * len(human) + [0] * len(human), rates[0] + rates[1])
        bits = -sum(map(sum, pairs[0][1])) / math.log(2) / sum(map(len, human))
        every.append(auc)
        print(f"| {language} | {auc:.3f} | {bits:.2f} |", flush=True)
    print(f"| mean | {np.mean(every):.3f} | |")


if __name__ == "__main__":
    main()
