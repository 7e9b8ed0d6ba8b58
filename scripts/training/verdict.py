"""Fit the verdict layer of the embedded profile: fluency percentiles, then calibrated log-odds.

    python -m scripts.training.verdict --corpora CORPORA --models models

Everything is fitted on test sets that neither the translator nor the language model was trained on
(``corpora.HELD_OUT``), grouped into posts of one to five lines. Style log-odds are cross-fitted: each
post is scored by a style model that saw neither its lines nor its MT system. Human lines of test sets that no
system translated are added as the shipped style model scores them, which never saw them. The rates written
with the thresholds are out of fold by MT system and by block of lines. Nothing here reads the dev split.
"""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from checker.calibration import fit as fitting
from checker.calibration.calibrate import readings
from checker.calibration.fit import Observed
from checker.evidence.evidence import Evidence
from checker.evidence.fluency import FluencyTable
from checker.models import Store
from checker.models.load import load_language_model as load
from checker.pipeline import Checker
from checker.statistics import Counts, Floats
from checker.text import clean
from checker.verdict.model import BANDS
from checker.version import __version__
from scripts.command import command
from scripts.training.corpora import (
    HELD_OUT,
    LANGUAGES,
    halves,
    held_out,
    human_lines,
    labelled,
    native_train,
    unpaired,
)
from scripts.training.posts import group
from scripts.training.style import examples, fit

SHIPPED = ("style",)
"""The variants that the shipped verdict may use. ``scripts.bench.ablation`` found that neither the round trip
of the embedded translator nor the fluency of the embedded language model adds to the wording on unseen
systems; both stay in the results as evidence."""

FOLDS = 3
"""Every language has machine lines of three families of MT systems or more, and each family is scored by
models that know the others: as the shipped models are when they meet a new system."""

BLOCKS = 4
"""Where the held-out sets have the only machine lines, a style model learns from three quarters of them."""


def measure_fluency(corpora: Path, store: Store, languages: list[str], lines: int) -> FluencyTable:
    """Percentiles of held-out human sentences."""
    model = store.language_model("embedded", "en")
    assert model is not None
    scorer = load(model, store)
    texts: dict[str, list[str]] = {}
    for language, text in human_lines(corpora, held=True):
        if language in languages and (cleaned := clean(text).text):
            texts.setdefault(language, []).append(cleaned)
    rows = [row for language, found in texts.items() for row in readings(scorer, language, found, lines)]
    return FluencyTable.measure(model.label, rows)


def system_groups(systems: pd.Series) -> dict[str, int]:
    """At most ``FOLDS`` groups of MT systems; relatives (``bergamot-base``, ``bergamot-tiny``) together."""
    families = sorted({system.split("-")[0] for system in systems})
    return {system: families.index(system.split("-")[0]) % FOLDS for system in systems.unique()}


def fit_posts(
    corpora: Path, language: str, most: int, spare: bool = False
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Posts to fit on: of the held-out test sets and native leads, and of `unpaired` test sets.

    The halves of an unpaired test set count as two, since a threshold is at least that of the worst set.
    ``spare`` leaves the second halves out, for ``scripts.bench.dev``.
    """
    frame = labelled(corpora, language, "train")
    first = halves(frame)
    named = frame["testset"].astype(str) + np.where(first, "-1", "-2")
    alone = frame.assign(testset=named)[unpaired(frame) & (first | (not spare))]
    frame = frame[held_out(frame["testset"]) & ~unpaired(frame)]
    if language == "ru":
        _, leads = native_train(corpora)
        leads = leads.assign(
            label="human", origin="original", system="leads", source_lang="ru", testset="native",
            line=range(len(leads)),
        ).drop(columns="year")  # fmt: skip
        frame = pd.concat(
            [frame.astype({"testset": str, "system": str, "source_lang": str}), leads.head(1200)]
        )
    return group(frame, most), group(alone, most * (1 if spare else 2))


def splits(frame: pd.DataFrame, posts: pd.DataFrame) -> list[tuple[NDArray[np.bool_], NDArray[np.bool_]]]:
    """Pairs of (rows of ``posts``, rows of ``frame``) that share neither lines nor MT systems.

    Args:
        frame: ``train_style.examples`` of a language.
        posts: ``fit_posts`` of the same.
    """
    known = held_out(frame["testset"])
    groups = system_groups(posts.loc[posts["kind"] == "machine", "system"])
    numbers = range(max(groups.values()) + 1)
    rng = np.random.default_rng(0)
    fold = posts["system"].map(groups).to_numpy(dtype=float, copy=True)
    fold[np.isnan(fold)] = rng.integers(0, len(numbers), int(np.isnan(fold).sum()))
    both = frame.loc[~known & (frame["machine"] == 0), "testset"].unique()  # some have machine lines alone
    elsewhere = frame[~known & (frame["machine"] == 1) & frame["testset"].isin(both)]
    blocks = [(np.ones(len(posts), bool), ~known)]
    if len(elsewhere) < 4000 or elsewhere["system"].map(groups).nunique() < len(numbers):
        # Machine lines in the held-out sets alone: score each block of lines by a model of the others.
        edges = np.quantile(posts["line"], np.linspace(0, 1, BLOCKS + 1)[1:-1])
        block = np.searchsorted(edges, posts["line"], side="right")
        first = np.concatenate([[-np.inf], edges])
        after = np.concatenate([edges, [np.inf]])
        lines = frame["line"]
        blocks = [
            (block == number, ~known | (lines < first[number] - 5) | (lines >= after[number] + 5))
            for number in range(BLOCKS)
        ]
    of_system = frame["system"].map(groups)
    return [
        (rows & (fold == number), (allowed & (of_system != number)).to_numpy())
        for rows, allowed in blocks
        for number in numbers
    ]


def centred(style: Floats, scored_by: Counts, human: NDArray[np.bool_]) -> Floats:
    """Log-odds of several style models, moved so that human posts have the same median under each.

    A model's offset depends on the systems that it knows; unmoved, it would tell the folds apart.
    """
    medians = {number: np.median(style[human & (scored_by == number)]) for number in np.unique(scored_by)}
    own = np.array([medians[number] for number in scored_by])
    moved: Floats = style - own + float(np.mean(list(medians.values())))
    return moved


def collect(
    checker: Checker, corpora: Path, language: str, most: int, lines: int, spare: bool = False
) -> pd.DataFrame:
    """Posts with their evidence, one column a field of ``Evidence``."""

    def with_evidence(posts: pd.DataFrame) -> pd.DataFrame:
        found = [asdict(evidence) for evidence in checker.evidence_many(posts["text"], language)]
        return posts.join(pd.DataFrame(found, columns=list(Evidence.__dataclass_fields__)))

    paired, alone = map(with_evidence, fit_posts(corpora, language, most, spare))
    frame = examples(corpora, language, lines)
    scored_by = np.zeros(len(paired), int)
    for number, (rows, known) in enumerate(splits(frame, paired)):
        model = fit(frame[known].reset_index(drop=True), "fold")
        paired.loc[rows, "style"] = [model.log_odds(clean(text).text) for text in paired.loc[rows, "text"]]
        scored_by[rows] = number
    human = (paired["kind"] != "machine").to_numpy()
    paired["style"] = centred(paired["style"].to_numpy(), scored_by, human)
    # The language model may know these lines by heart: their fluency is drawn from that of the other humans.
    others = paired.loc[human, "fluency"]
    alone["fluency"] = others.sample(len(alone), replace=True, random_state=0).to_numpy()
    table = pd.concat([part for part in (paired, alone) if len(part)]).drop(columns="text")
    table = table.assign(language=language).astype({"testset": str, "system": str})
    return table[table["columns"].between(BANDS.shortest, BANDS.longest)].reset_index(drop=True)


def observed(table: pd.DataFrame) -> list[Observed]:
    """The posts of one language; a fold is a group of MT systems with every third block of ten lines."""
    groups = system_groups(table.loc[table["kind"] == "machine", "system"])
    rows = table.astype(object).where(table.notna(), None).to_dict("records")
    return [
        Observed(
            evidence=Evidence(**{name: row.get(name) for name in Evidence.__dataclass_fields__}),
            language=row["language"],
            kind=row["kind"],
            testset=row["testset"],
            fold=groups[row["system"]] if row["kind"] == "machine" else row["line"] // 10 % FOLDS,
        )
        for row in rows
    ]


def gather(checker: Checker, language: str, args: argparse.Namespace) -> pd.DataFrame:
    """``collect``, or what an earlier run kept of it."""
    kept = args.cache / f"{language}.parquet" if args.cache else None
    if kept is not None and kept.exists():
        return pd.read_parquet(kept)
    table = collect(checker, args.corpora, language, args.posts, args.lines, args.spare)
    if kept is not None:
        kept.parent.mkdir(parents=True, exist_ok=True)
        table.to_parquet(kept)
    return table


def models_used(checker: Checker) -> dict[str, str]:
    """Labels of the models that the calibration holds for; the translator's says that it was left out."""
    fluency = checker.store.language_model("embedded", "ru")
    translator = checker.store.translator("embedded", "ru", "en")
    return {part: model.label for part, model in (("fluency", fluency), ("translator", translator)) if model}


def main() -> None:
    parser = command(__doc__)
    parser.add_argument("--corpora", type=Path, required=True)
    parser.add_argument("--models", type=Path, default=Path("models"))
    parser.add_argument("--languages", nargs="+", default=LANGUAGES)
    parser.add_argument(
        "--posts", type=int, default=400, help="posts of each kind and number of lines, at most"
    )
    parser.add_argument(
        "--lines", type=int, default=80_000, help="machine lines for a cross-fitted style model"
    )
    parser.add_argument(
        "--spare", action="store_true", help="keep half of the unpaired human text for evaluation"
    )
    parser.add_argument(
        "--round-trip", action="store_true", help="gather its evidence too, for scripts.bench.ablation"
    )
    parser.add_argument("--cache", type=Path, help="folder that keeps each language's evidence between runs")
    args = parser.parse_args()
    store = Store(args.models / "registry.toml")
    embedded = args.models / "embedded"
    if not (args.cache and (embedded / "fluency.json").exists()):
        measure_fluency(args.corpora, store, args.languages, 1500).write(embedded / "fluency.json")
    checker = Checker(store=store, round_trip=args.round_trip, exact=True)

    posts = [post for language in args.languages for post in observed(gather(checker, language, args))]
    fitted = fitting.fit(posts, SHIPPED).model_copy(
        update={"version": __version__, "fitted_on": HELD_OUT, "models": models_used(checker)}
    )
    fitted.write(embedded / "verdict.json")
    parts = [language.reliability[SHIPPED[-1]] for language in fitted.languages.values()]
    aucs = [part.auc for part in parts if part.auc is not None]
    errors = [part.ece for part in parts]
    print(f"Out of fold, means: AUC {np.mean(aucs):.3f}, ECE {np.mean(errors):.3f}")


if __name__ == "__main__":
    main()
