"""This project beside other methods, on the same posts of the dev split (WMT21) in one run.

    python -m scripts.bench.peers --corpora CORPORA --posts 250 --json peers.json --cache runs/peers

Every method scores every post that the checker scores, in its known language. Intervals are bootstrap 95 %;
all methods share the resamples. A method that gives a single figure keeps the direction of its paper; an AUC
under 0.5 means that its rule points the other way on this data. So that no method loses only because of its
sign, the last columns and the TPR use, in each language, the direction that is better on these posts.

Three things are trained here, on the train split: a character language model and a classifier per language,
and, once, the second language model of Binoculars. ``--cache`` saves them or their scores, which do not
depend on the models of this project (except the tokenizer, which the second language model shares). The
methods are in ``methods.py``; docs/peers.md lists what the published systems have in addition.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from checker import statistics as metrics
from checker.evidence.evidence import Evidence
from checker.pipeline import Checker
from checker.statistics import Floats
from checker.text import clean, sentences, width
from scripts.bench import methods
from scripts.bench.methods import (
    Binoculars,
    CharacterModel,
    NgramClassifier,
    bleu,
    disfluency,
    likelihood,
    train_performer,
)
from scripts.bench.paired import HUMAN, Estimate, against, dev_posts, digest, estimate, resamples
from scripts.bench.tables import NONE, Table, add_option, progress, publish, write_json
from scripts.command import command
from scripts.training.corpora import LANGUAGES, labelled
from scripts.training.style import examples, weights

OURS = "this project"
STYLE = "this project, style alone"
BLEU = "round-trip BLEU (TSRT's signal)"
PERPLEXITY = "LM perplexity"
BINOCULARS = "Binoculars ratio, tiny models"
CHARACTERS = "character 7-gram fluency (Monocleaner)"
NGRAMS = "character 1–5-grams, TF-IDF + logistic regression"
METHODS = (BLEU, PERPLEXITY, BINOCULARS, CHARACTERS, NGRAMS, STYLE, OURS)
ONE_FIGURE = (BLEU, PERPLEXITY, BINOCULARS, CHARACTERS)
"""Methods that learn nothing from labels, and so may be allowed the better direction."""

Figures = dict[str, dict[str, Floats]]
"""Method → figure → its values on the posts and on the resamples."""


@dataclass
class Scores:
    """What one method said about the posts of a language.

    Attributes:
        values: one a post, higher for a machine; NaN where there is none.
        seconds: for scoring them all.
        training: seconds for training in this language first.
    """

    values: Floats
    seconds: float
    training: float = 0.0


@dataclass
class Language:
    """The posts of one language, cleaned and cut as the checker does it."""

    code: str
    texts: list[str]
    sentences: list[list[str]]

    @classmethod
    def of(cls, code: str, texts: Sequence[str]) -> Language:
        cleaned = [clean(text).text for text in texts]
        return cls(code, cleaned, [[s.text for s in sentences(text, code)] or [text] for text in cleaned])


def timed(score: Callable[[], Sequence[float]]) -> Scores:
    begun = time.perf_counter()
    values = np.array(score(), float)
    return Scores(values, time.perf_counter() - begun)


def grouped(values: Sequence[Any], groups: Sequence[Sequence[Any]]) -> list[list[Any]]:
    """A flat list cut into lists as long as those of ``groups``."""
    rest = iter(values)
    return [[next(rest) for _ in group] for group in groups]


def round_trip(checker: Checker, posts: Language) -> Scores | None:
    """Round-trip BLEU; None where no embedded translator serves the language."""
    pair, pivot = checker.models.translators(posts.code), checker.models.pivot(posts.code)
    if pair is None:
        return None
    flat = [sentence for part in posts.sentences for sentence in part]

    def score() -> list[float]:
        pivots = [found.text for found in pair[0].translate(flat, posts.code, pivot)]
        backs = [found.text for found in pair[1].translate(pivots, pivot, posts.code)]
        parts = zip(posts.sentences, grouped(backs, posts.sentences), strict=True)
        return [bleu(part, back, posts.code) for part, back in parts]

    pair[0].translate(flat[:1], posts.code, pivot)  # models are loaded before the clock starts
    return timed(score)


def perplexity(checker: Checker, posts: Language) -> Scores:
    """Log-likelihood under the embedded language model."""
    model = checker.models.language_model(posts.code)
    assert model is not None
    flat = [sentence for part in posts.sentences for sentence in part]
    model.log_probabilities(flat[:1], posts.code)

    def run() -> list[float]:
        tokens = [scores.conditional for scores in model.log_probabilities(flat, posts.code)]
        return [likelihood(part) for part in grouped(tokens, posts.sentences)]

    return timed(run)


def binoculars(model: Binoculars, posts: Language) -> Scores:
    """Minus the ratio: a machine's is the lower one."""
    return timed(lambda: [-model.ratio(part, posts.code) for part in posts.sentences])


def project(checker: Checker, posts: Language, given: Sequence[str]) -> tuple[Scores, Scores]:
    """The checker's style part and its probability, of the posts as they were given."""
    models = checker.models
    style, verdicts = models.style(posts.code), models.verdict(posts.code)

    def score() -> list[float]:
        texts = [" ".join(part) for part in posts.sentences]
        evidence = [Evidence(columns=width(text), style=style.log_odds(text)) for text in texts]
        return [verdicts.style(posts.code, found)[0] for found in evidence]

    checker.score(given[0])
    alone = timed(score)
    whole = timed(
        lambda: [
            np.nan if r.machine_translated is None else r.machine_translated
            for r in checker.score_many(given)
        ]
    )
    return alone, whole


def character_model(corpora: Path, posts: Language, lines: int) -> Scores:
    """Minus fluency under a character model of the human lines of the train split."""
    frame = labelled(corpora, posts.code, "train")
    human = frame.loc[frame["label"] == "human", "text"]
    human = human.sample(min(lines, len(human)), random_state=0)
    begun = time.perf_counter()
    model = CharacterModel([clean(text).text for text in human])
    training = time.perf_counter() - begun
    found = timed(lambda: [disfluency(model, part) for part in posts.sentences])
    return Scores(found.values, found.seconds, training)


def ngram_classifier(corpora: Path, posts: Language, lines: int) -> Scores:
    """The classifier, trained on human and machine lines with test sets weighing the same in each class."""
    frame = examples(corpora, posts.code, lines)
    parts = [part.sample(min(lines, len(part)), random_state=0) for _, part in frame.groupby("machine")]
    frame = pd.concat(parts, ignore_index=True)
    begun = time.perf_counter()
    model = NgramClassifier(frame["text"].tolist(), frame["machine"].tolist(), weights(frame))
    training = time.perf_counter() - begun
    found = timed(lambda: model.log_odds(posts.texts).tolist())
    return Scores(found.values, found.seconds, training)


def cached(folder: Path | None, name: str, key: str, score: Callable[[], Scores]) -> Scores:
    """What an earlier run kept of these scores, or the scores."""
    path = folder / f"{name}-{key}.json" if folder else None
    if path is not None and path.exists():
        kept = json.loads(path.read_text(encoding="utf-8"))
        return Scores(np.array(kept["values"], float), kept["seconds"], kept["training"])
    found = score()
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(
            json.dumps(
                {"values": found.values.tolist(), "seconds": found.seconds, "training": found.training}
            )
        )
    return found


def score_all(
    checker: Checker, pair: Binoculars, posts: Language, given: Sequence[str], args: argparse.Namespace
) -> dict[str, Scores | None]:
    """Every method's scores of the posts of one language."""
    key = digest([str(args.train_lines), Path(methods.__file__).read_bytes(), *given])
    alone, whole = project(checker, posts, given)
    return {
        BLEU: round_trip(checker, posts),
        PERPLEXITY: perplexity(checker, posts),
        BINOCULARS: binoculars(pair, posts),
        CHARACTERS: cached(
            args.cache, f"{posts.code}-characters", key,
            lambda: character_model(args.corpora, posts, args.train_lines),
        ),
        NGRAMS: cached(
            args.cache, f"{posts.code}-ngrams", key,
            lambda: ngram_classifier(args.corpora, posts, args.train_lines),
        ),
        STYLE: alone,
        OURS: whole,
    }  # fmt: skip


def measure(kinds: Sequence[str], found: dict[str, Floats], counts: metrics.Counts) -> Figures:
    """AUC in the direction of the method, and AUC and TPR at 1 % FPR in its better one, of every method."""

    def tpr(counted: metrics.Tally) -> Floats:
        return metrics.tpr_at_fpr(counted, 0.01)

    figures: Figures = {}
    for method, values in found.items():
        figures[method] = {}
        for kind in HUMAN:
            if kind in kinds:
                plain = against(kind, metrics.auc, values, kinds, counts)
                reverse = method in ONE_FIGURE and plain[0] < 0.5
                figures[method] |= {
                    f"{kind}_auc": plain,
                    f"{kind}_auc_better": 1 - plain if reverse else plain,
                    f"{kind}_tpr_better": against(kind, tpr, -values if reverse else values, kinds, counts),
                }
    return figures


def mean(languages: dict[str, Figures], method: str, name: str) -> Floats | None:
    """Mean of a figure over the languages that the method serves; their resamples are independent."""
    parts = [found[method][name] for found in languages.values() if name in found.get(method, {})]
    return np.mean(parts, axis=0) if parts else None


def lead(languages: dict[str, Figures], method: str, name: str) -> Floats | None:
    """This project's mean minus the method's, over the languages that the method serves."""
    served = {code: found for code, found in languages.items() if name in found.get(method, {})}
    ours, theirs = mean(served, OURS, name), mean(served, method, name)
    return None if ours is None or theirs is None else ours - theirs


def tables(languages: dict[str, Figures], seconds: dict[str, float | None]) -> dict[str, Table]:
    """The tables of docs/peers.md."""

    def cell(values: Floats | None, signed: bool = False) -> str:
        return NONE if values is None else estimate(values).text("+.3f" if signed else ".3f")

    found = {}
    columns = ["method", *languages, "mean", "mean, better direction", "this project minus that"]
    for kind in HUMAN:
        name, rows = f"{kind}_auc", []
        for method in METHODS:
            cells = [cell(part.get(method, {}).get(name)) for part in languages.values()]
            cells += [cell(mean(languages, method, part)) for part in (name, f"{name}_better")]
            ahead = "" if method == OURS else cell(lead(languages, method, f"{name}_better"), signed=True)
            rows.append([method, *cells, ahead])
        found[f"peers-{kind}"] = Table(columns, rows)
    rows = []
    for method in METHODS:
        served = [code for code, part in languages.items() if method in part]
        cells = [cell(mean(languages, method, f"{kind}_tpr_better")) for kind in HUMAN]
        speed = seconds.get(method)
        rows.append(
            [method, *cells, ", ".join(served) or NONE, NONE if speed is None else f"{1000 * speed:.1f}"]
        )
    columns = ["method", "of native posts", "of human translations", "languages", "ms a post"]
    return found | {"peers-rates": Table(columns, rows)}


def record(languages: dict[str, Figures]) -> dict[str, Any]:
    """All figures with their intervals, for ``--json``."""

    def plain(values: Floats | None) -> Estimate | None:
        return None if values is None else estimate(values)

    names = [f"{kind}_{figure}" for kind in HUMAN for figure in ("auc", "auc_better", "tpr_better")]
    every = {
        code: {method: {name: plain(v) for name, v in part.items()} for method, part in found.items()}
        for code, found in languages.items()
    }
    return {
        "languages": every,
        "mean": {m: {name: plain(mean(languages, m, name)) for name in names} for m in METHODS},
        "lead": {m: {name: plain(lead(languages, m, name)) for name in names} for m in METHODS if m != OURS},
    }


def main() -> None:
    parser = command(__doc__)
    parser.add_argument("--corpora", type=Path, required=True)
    parser.add_argument("--languages", nargs="+", default=LANGUAGES)
    parser.add_argument("--posts", type=int, default=250, help="human posts of each kind a language, at most")
    parser.add_argument("--lines", type=int, default=3, help="lines a post")
    parser.add_argument("--train-lines", type=int, default=30_000, help="lines a class that methods train on")
    parser.add_argument("--minutes", type=float, default=10, help="for training Binoculars' second model")
    parser.add_argument("--resamples", type=int, default=1000)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--cache", type=Path, help="folder for what is trained here")
    add_option(parser)
    args = parser.parse_args()

    store = Checker().store
    observer = store.language_model("embedded", "en")
    assert observer is not None
    folder = store.path(observer)
    with tempfile.TemporaryDirectory() as temporary:
        tokenizer = digest([(folder / "tokenizer.json").read_bytes(), str(args.minutes)])
        place = (args.cache or Path(temporary)) / f"performer-{tokenizer}"
        performer = train_performer(args.corpora, folder, place, args.minutes)
        pair = Binoculars(folder, performer)
        training = json.loads((performer / "training.json").read_text(encoding="utf-8"))["last"]

    languages: dict[str, Figures] = {}
    counts: dict[str, dict[str, int]] = {}
    spent: dict[str, list[float]] = {method: [] for method in METHODS}
    trained: dict[str, float] = {}
    for code in args.languages:
        table = dev_posts(args.corpora, code, args.posts, args.lines)
        if table.empty:
            continue
        given = table["text"].tolist()
        found = score_all(Checker(language=code), pair, Language.of(code, given), given, args)
        scored = ~np.isnan([part.values for part in found.values() if part]).any(axis=0)
        table = table[scored]
        values = {method: part.values[scored] for method, part in found.items() if part}
        kinds = table["kind"].tolist()
        languages[code] = measure(kinds, values, resamples(kinds, args.resamples, code))
        counts[code] = table["kind"].value_counts().to_dict()
        for method, part in found.items():
            if part is not None:
                spent[method].append(part.seconds / len(given))
                trained[method] = trained.get(method, 0.0) + part.training
        means = {m: round(float(v["native_auc"][0]), 3) for m, v in languages[code].items()}
        progress(code, json.dumps(means, ensure_ascii=False))
    if not languages:
        parser.error("None of these languages is in the dev split.")

    seconds = {method: float(np.mean(parts)) if parts else None for method, parts in spent.items()}
    publish(tables(languages, seconds), args.tables)
    details = {
        "posts": counts, "lines": args.lines, "train_lines": args.train_lines, "performer": training,
        "seconds_a_post": seconds, "seconds_of_training": trained, "resamples": args.resamples,
    }  # fmt: skip
    write_json(details | record(languages), args.json)


if __name__ == "__main__":
    main()
