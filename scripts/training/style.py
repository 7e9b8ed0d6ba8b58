"""Train the style detector: hashed n-grams of characters and words, one linear model per language.

    python -m scripts.training.style --corpora CORPORA --out models/embedded/style

Every (test set, class) weighs the same, so that the model cannot infer the class from the topic or the size
of a set; a test set of fewer than 500 lines weighs no more than its lines. Lines known to be native count
three times, because native writers must be protected most. Test sets from 2017 on count twice, because they
are closest to what will be scored. Native leads, where there are any, take a quarter of the human weight;
they are split into sentences so that length does not reveal them. Human lines of a test set that no system
translated are left out: they would teach its topic; so would the machine lines of talks (IWSLT), which come
without human ones. Machine lines are thinned to ``--lines`` evenly over systems.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import scipy.sparse as sparse
from sklearn.linear_model import LogisticRegression

from checker.evidence.style import BITS, WORD_WEIGHT, StyleModel, ngrams, normal
from checker.statistics import Floats
from checker.text import clean, sentences
from scripts.command import command
from scripts.training.corpora import LANGUAGES, labelled, native_train, unpaired

NATIVE_SHARE = 0.25
NATIVE_WEIGHT = 3.0
RECENT_WEIGHT = 2.0
TALKS = "iwslt"  # how the names of test sets of talks begin
STRENGTH = 1.2
STEPS = 63  # of a weight; twice as many make the files a fifth larger and change nothing
RECENT = re.compile(r"(?:wmt|newstest[A-Z]?)(?:20)?(1[7-9]|2\d)")


def matrix(texts: list[str]) -> sparse.csr_matrix:
    """Rows of n-gram counts over the square root of their number, as ``StyleModel`` sums them."""
    rows, values = [], []
    for text in texts:
        found = ngrams(text)
        characters, words = np.concatenate(found.characters), np.concatenate(found.words)
        rows.append(np.concatenate([characters, words]).astype(np.int32))
        counts = np.repeat(np.array([1, WORD_WEIGHT], np.float32), [len(characters), len(words)])
        values.append(counts * np.float32(len(counts) ** -0.5))
    ends = np.concatenate([[0], np.cumsum([len(row) for row in rows])])
    table = sparse.csr_matrix(
        (np.concatenate(values), np.concatenate(rows), ends), shape=(len(texts), 1 << BITS)
    )
    table.sum_duplicates()
    return table


def examples(corpora: Path, language: str, lines: int, seed: int = 0) -> pd.DataFrame:
    """The training lines of a language: ``text``, ``machine``, ``testset``, ``system``, ``line``."""
    frame = labelled(corpora, language, "train")
    machine = frame[(frame["label"] == "machine") & ~frame["testset"].astype(str).str.startswith(TALKS)]
    human = frame[(frame["label"] == "human") & ~unpaired(frame)]
    share = min(1.0, lines / max(len(machine), 1))
    parts = [human, machine.sample(frac=share, random_state=seed)]
    if language == "ru":
        leads, _ = native_train(corpora)
        parts.append(
            pd.DataFrame(
                [(span.text, n) for n, text in enumerate(leads["text"]) for span in sentences(text, "ru")],
                columns=["text", "line"],
            ).assign(label="human", testset="native", system="author", source_lang="ru", origin="original")
        )
    columns = ["text", "label", "testset", "system", "source_lang", "origin", "line"]
    joined = pd.concat([part[columns].astype({"label": str}) for part in parts], ignore_index=True)
    joined["machine"] = (joined["label"] == "machine").astype(int)
    joined["text"] = [normal(clean(text).text, language).text for text in joined["text"]]
    return joined[joined["text"].str.len() >= 10].reset_index(drop=True)


def weights(frame: pd.DataFrame) -> Floats:
    """Sample weights with mean one: classes equal; test sets equal within a class, but for recent ones."""
    size = frame.groupby(["testset", "machine"], observed=True)["text"].transform("size")
    weight: Floats = 1.0 / np.maximum(size.to_numpy(), 500)
    native = (frame["testset"] == "native").to_numpy()
    recent = frame["testset"].astype(str).str.match(RECENT).to_numpy()
    own = ((frame["machine"] == 0) & (frame["origin"].astype(str) == "original")).to_numpy() & ~native
    weight *= np.where(recent, RECENT_WEIGHT, 1.0) * np.where(own, NATIVE_WEIGHT, 1.0)
    for machine in (0, 1):
        rows = (frame["machine"] == machine).to_numpy()
        ours = rows & native
        if ours.any():
            weight[ours] *= (
                weight[rows & ~native].sum() / weight[ours].sum() * NATIVE_SHARE / (1 - NATIVE_SHARE)
            )
        weight[rows] *= len(frame) / 2 / weight[rows].sum()
    return weight


def fit(frame: pd.DataFrame, label: str, strength: float = STRENGTH) -> StyleModel:
    """Logistic regression over idf-weighted n-grams; the idf is folded into the shipped weights.

    Args:
        frame: what ``examples`` returns, or a part of it.
        label: name@revision of the model.
        strength: inverse regularisation of the logistic regression, over the mean square of a line: lines
            with words in them have a larger one, and would be fitted more closely.
    """
    counts = matrix(frame["text"].tolist())
    documents = np.bincount(counts.indices, minlength=1 << BITS)
    idf = np.where(documents >= 3, np.log((1 + len(frame)) / (1 + documents)), 0.0)
    scaled = counts @ sparse.diags(idf)
    scaled.eliminate_zeros()
    strength /= float(scaled.multiply(scaled).sum()) / len(frame)
    model = LogisticRegression(solver="liblinear", dual=True, C=strength, max_iter=40, tol=2e-2)
    model.fit(scaled, frame["machine"], sample_weight=weights(frame))
    dense = model.coef_[0] * idf
    scale = float(np.quantile(np.abs(dense[dense != 0]), 0.9999)) / STEPS
    quantised = np.clip(np.rint(dense / scale), -127, 127).astype(np.int8)
    return StyleModel(quantised, scale, float(model.intercept_[0]), label)


def main() -> None:
    parser = command(__doc__)
    parser.add_argument("--corpora", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--languages", nargs="+", default=LANGUAGES)
    parser.add_argument("--lines", type=int, default=80_000, help="machine lines a language, at most")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    for language in args.languages:
        frame = examples(args.corpora, language, args.lines)
        model = fit(frame, "style")
        path = args.out / f"{language}.npz"
        np.savez_compressed(path, weights=model.weights, scale=model.scale, bias=model.bias)
        print(f"{language}: {len(frame)} lines, {path.stat().st_size // 1024} KiB", flush=True)


if __name__ == "__main__":
    main()
