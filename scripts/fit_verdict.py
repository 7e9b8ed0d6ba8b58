"""Fit the verdict layer of the embedded profile: fluency percentiles, then calibrated log-odds.

    python scripts/fit_verdict.py --corpora CORPORA --models models

Everything is fitted on test sets that neither the translator nor the language model was trained on
(``corpora.HELD_OUT``), grouped into posts of one to five lines. Style log-odds are cross-fitted: each
post is scored by a style model that saw neither its lines nor its MT system. The rates written with the
thresholds are out of fold by MT system and by block of lines. Nothing here reads the dev split.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd
from corpora import HELD_OUT, LANGUAGES, held_out, human_lines, labelled, native_train
from labelled_posts import group
from scipy.optimize import minimize
from sklearn.linear_model import LogisticRegression
from train_style import examples, fit

from checker.fluency import FluencyTable, rate
from checker.language_model import load
from checker.pipeline import Checker
from checker.store import Store
from checker.style import StyleModel
from checker.text import clean
from checker.verdict import BANDS, LONGEST, SHORTEST, VARIANTS, Evidence, band, features, sigmoid

QUANTILES = 41
FALSE_POSITIVES = {"native": 0.01, "translated": 0.02}
LEAST_POSTS = 99  # human posts without which no error rate counts as measured: one in a hundred must fit


def measure_fluency(corpora: Path, store: Store, languages: list[str], lines: int) -> FluencyTable:
    """Percentiles of held-out human sentences."""
    model = store.language_model("embedded", "en")
    assert model is not None
    scorer = load(model, store)
    texts: dict[str, list[str]] = {}
    for language, text in human_lines(corpora, held=True):
        if language in languages and (cleaned := clean(text).text):
            texts.setdefault(language, []).append(cleaned)
    rows = []
    for language, found in texts.items():
        drawn = np.random.default_rng(0).permutation(len(found))[:lines]
        sample = [found[i] for i in drawn]
        scores = scorer.score(sample, language)
        rows += [(language, text, rate(s, text)) for text, s in zip(sample, scores, strict=True) if s]
    return FluencyTable.measure(model.label, rows)


def system_groups(systems: list[str]) -> dict[str, int]:
    """Two groups of MT systems; relatives (``bergamot-base``, ``bergamot-tiny``) stay together."""
    families = sorted({system.split("-")[0] for system in systems})
    return {system: families.index(system.split("-")[0]) % 2 for system in systems}


def fit_posts(corpora: Path, language: str, most: int) -> pd.DataFrame:
    """Posts of the held-out test sets, with the native leads where there are any."""
    frame = labelled(corpora, language, "train")
    frame = frame[held_out(frame["testset"])]
    if language == "ru":
        _, leads = native_train(corpora)
        leads = leads.assign(
            label="human", origin="original", system="leads", source_lang="ru", testset="native",
            line=range(len(leads)),
        ).drop(columns="year")  # fmt: skip
        frame = pd.concat(
            [frame.astype({"testset": str, "system": str, "source_lang": str}), leads.head(1200)]
        )
    return group(frame, most)


def cross_fitted(
    corpora: Path, language: str, posts: pd.DataFrame, lines: int
) -> list[tuple[np.ndarray, StyleModel]]:
    """Pairs of (rows of ``posts``, a style model that saw neither their lines nor their systems)."""
    frame = examples(corpora, language, lines)
    known = held_out(frame["testset"])
    groups = system_groups(sorted(posts.loc[posts["kind"] == "machine", "system"].unique()))
    rng = np.random.default_rng(0)
    fold = posts["system"].map(groups).to_numpy(dtype=float, copy=True)
    fold[np.isnan(fold)] = rng.integers(0, 2, int(np.isnan(fold).sum()))
    both = frame.loc[~known & (frame["machine"] == 0), "testset"].unique()  # IWSLT has machine lines alone
    elsewhere = frame[~known & (frame["machine"] == 1) & frame["testset"].isin(both)]
    halves = [(np.ones(len(posts), bool), ~known)]
    if len(elsewhere) < 4000 or elsewhere["system"].map(groups).nunique() < 2:
        # Machine lines in the held-out sets alone: score each half of the lines by a model of the other.
        middle = posts["line"].median()
        low = (posts["line"] < middle).to_numpy()
        halves = [(low, ~known | (frame["line"] >= middle)), (~low, ~known | (frame["line"] < middle - 5))]
    models = []
    for rows, allowed in halves:
        for number in (0, 1):
            unseen = frame["system"].map(groups) == number
            models.append(
                (rows & (fold == number), fit(frame[allowed & ~unseen].reset_index(drop=True), "fold"))
            )
    return models


def collect(checker: Checker, corpora: Path, language: str, most: int, lines: int) -> pd.DataFrame:
    """Posts with their evidence, one column a field of ``Evidence``."""
    posts = fit_posts(corpora, language, most)
    evidence = pd.DataFrame([asdict(e) for e in checker.evidence_many(posts["text"], language)])
    for rows, model in cross_fitted(corpora, language, posts, lines):
        texts = posts.loc[rows, "text"]
        evidence.loc[rows, "style"] = [model.log_odds(clean(text).text) for text in texts]
    table = posts.drop(columns="text").join(evidence).assign(language=language)
    return table[table["columns"].between(SHORTEST, LONGEST)].reset_index(drop=True)


def scales(table: pd.DataFrame) -> dict[str, list[float]]:
    """Feature → (median, robust standard deviation) of human posts."""
    human = table[table["kind"] != "machine"]
    found = {}
    for name in ("style", "fluency", "chrf", "log_likelihood", "gap"):
        values = human[name].dropna()
        if len(values):
            low, middle, high = np.quantile(values, [0.25, 0.5, 0.75])
            found[name] = [round(float(middle), 4), round(float(max(high - low, 1e-3) / 1.349), 4)]
    return found


def balance(table: pd.DataFrame) -> np.ndarray:
    """Weights: human and machine equal; native and translated equal within human; mean one a language."""
    weight = np.zeros(len(table))
    for _, part in table.groupby("language"):
        kinds = [kind for kind in ("native", "translated") if (part["kind"] == kind).any()]
        for kind, share in [("machine", 0.5), *((kind, 0.5 / len(kinds)) for kind in kinds)]:
            rows = part.index[part["kind"] == kind]
            weight[rows] = share * len(part) / max(len(rows), 1)
    return weight


def design(table: pd.DataFrame, scale: dict[str, dict], variant: str) -> np.ndarray:
    """Standardised features of every post."""
    names = list(Evidence.__dataclass_fields__)
    rows = []
    for record in table[[*names, "language"]].to_dict("records"):
        language = record.pop("language")
        rows.append(features(Evidence(**record), scale[language], variant))
    return np.array(rows)


def correct(
    score: np.ndarray, target: np.ndarray, weight: np.ndarray, shrink: float = 50.0
) -> tuple[float, float]:
    """Slope and offset of one language's log-odds, shrunk towards (1, 0) by ``shrink`` pseudo-posts."""

    def cost(parameters: np.ndarray) -> float:
        z = parameters[0] * score + parameters[1]
        loss = np.logaddexp(0, z) - target * z
        return float((weight * loss).sum() + shrink * ((parameters[0] - 1) ** 2 + parameters[1] ** 2))

    slope, offset = minimize(cost, np.array([1.0, 0.0]), method="L-BFGS-B").x
    return float(max(slope, 0.0)), float(offset)


def fit_variant(table: pd.DataFrame, scale: dict[str, dict], variant: str) -> tuple[dict, dict, np.ndarray]:
    """The shared weights, each language's correction, and out-of-fold probabilities.

    Folds leave out one of two groups of each language's MT systems with every other block of ten lines.
    """
    x, y, weight = design(table, scale, variant), (table["kind"] == "machine").to_numpy(int), balance(table)
    languages = table["language"].to_numpy()

    def train(rows: np.ndarray) -> tuple[LogisticRegression, dict[str, tuple[float, float]]]:
        model = LogisticRegression(C=1.0).fit(x[rows], y[rows], sample_weight=weight[rows])
        score = model.decision_function(x)
        corrections = {}
        for language in np.unique(languages[rows]):
            ours = rows & (languages == language)
            corrections[language] = correct(score[ours], y[ours], weight[ours])
        return model, corrections

    fold = np.array((table["line"] // 10) % 2, dtype=int)
    for _, part in table[y == 1].groupby("language"):
        fold[part.index] = part["system"].map(system_groups(sorted(part["system"].unique())))
    probability = np.zeros(len(table))
    for number in (0, 1):
        model, corrections = train(fold != number)
        left_out = fold == number
        score = model.decision_function(x[left_out])
        pairs = np.array([corrections[language] for language in languages[left_out]])
        probability[left_out] = [sigmoid(z) for z in pairs[:, 0] * score + pairs[:, 1]]
    model, corrections = train(np.ones(len(table), bool))
    shared = {
        "features": list(VARIANTS[variant]), "posts": len(table),
        "weights": [round(float(w), 5) for w in model.coef_[0]],
        "intercept": round(float(model.intercept_[0]), 5),
    }  # fmt: skip
    rounded = {language: [round(a, 4), round(b, 4)] for language, (a, b) in corrections.items()}
    return shared, rounded, probability


def cut(probability: np.ndarray, allowed: float) -> float:
    """The smallest probability that at most a share ``allowed`` of human posts reached."""
    values = np.sort(probability)
    place = min(int(np.ceil((len(values) + 1) * (1 - allowed))) - 1, len(values) - 1)
    return float(values[place]) + 1e-4


def thresholds(table: pd.DataFrame, probability: np.ndarray) -> list[dict | None]:
    """The cut of every length band of one language; None where too few human posts were measured.

    Test sets differ more than chance explains, so a cut is also at least that of the worst test set of all
    lengths together.
    """
    kinds, bands = table["kind"].to_numpy(), table["columns"].map(band).to_numpy()
    floor = 0.5
    for (kind, _), rows in table.groupby(["kind", "testset"]).indices.items():
        if kind in FALSE_POSITIVES and len(rows) >= LEAST_POSTS:
            floor = max(floor, cut(probability[rows], FALSE_POSITIVES[kind]))
    cuts: list[dict | None] = []
    for number in range(len(BANDS) + 1):
        humans = {kind: probability[(bands == number) & (kinds == kind)] for kind in FALSE_POSITIVES}
        humans = {kind: values for kind, values in humans.items() if len(values) >= LEAST_POSTS}
        if not humans:
            cuts.append(None)
            continue
        machine = max([floor, *(cut(values, FALSE_POSITIVES[kind]) for kind, values in humans.items())])
        machine = round(min(machine, 0.9999), 4)
        kind = "native" if "native" in humans else "translated"
        cuts.append({
            "machine": machine,
            "false_positive_rate": round(float((humans[kind] >= machine).mean()), 4),
            "posts": len(humans[kind]),
            "negatives": "native" if kind == "native" else "human translations",
        })  # fmt: skip
    return cuts


def reliability(probability: np.ndarray, target: np.ndarray, weight: np.ndarray, bins: int = 10) -> dict:
    """Expected calibration error and its table, classes weighted equally."""
    which = np.minimum((probability * bins).astype(int), bins - 1)
    rows, error = [], 0.0
    for number in range(bins):
        ours = which == number
        mass = weight[ours].sum()
        if mass == 0:
            continue
        said = float((probability[ours] * weight[ours]).sum() / mass)
        true = float((target[ours] * weight[ours]).sum() / mass)
        error += mass / weight.sum() * abs(said - true)
        rows.append({"predicted": round(said, 4), "observed": round(true, 4), "posts": int(ours.sum())})
    return {"ece": round(float(error), 4), "bins": rows}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--corpora", type=Path, required=True)
    parser.add_argument("--models", type=Path, default=Path("models"))
    parser.add_argument("--languages", nargs="+", default=LANGUAGES)
    parser.add_argument(
        "--posts", type=int, default=400, help="posts of each kind and number of lines, at most"
    )
    parser.add_argument(
        "--lines", type=int, default=80_000, help="machine lines for a cross-fitted style model"
    )
    parser.add_argument("--cache", type=Path, help="folder that keeps each language's evidence between runs")
    args = parser.parse_args()
    store = Store(args.models / "registry.toml")
    embedded = args.models / "embedded"
    if not (args.cache and (embedded / "fluency.json").exists()):
        measure_fluency(args.corpora, store, args.languages, 1500).write(embedded / "fluency.json")
    checker = Checker(store=store)

    tables = []
    for language in args.languages:
        kept = args.cache / f"{language}.parquet" if args.cache else None
        if kept is not None and kept.exists():
            table = pd.read_parquet(kept)
        else:
            table = collect(checker, args.corpora, language, args.posts, args.lines)
            if kept is not None:
                kept.parent.mkdir(parents=True, exist_ok=True)
                table.to_parquet(kept)
        print(language, table.groupby("kind").size().to_dict(), flush=True)
        tables.append(table)
    everything = pd.concat(tables, ignore_index=True).replace({np.nan: None})
    scale = {language: scales(part) for language, part in everything.groupby("language")}
    languages: dict[str, dict] = {
        language: {"scales": scale[language], "correction": {}, "thresholds": {}, "reliability": {},
                   "human_quantiles": {}} for language in args.languages
    }  # fmt: skip
    variants = {}
    for variant, names in VARIANTS.items():
        needed = sorted({name.removesuffix("_by_length") for name in names})
        table = everything.dropna(subset=needed).reset_index(drop=True)
        if table.empty:
            continue
        shared, corrections, probability = fit_variant(table, scale, variant)
        target, weight = (table["kind"] == "machine").to_numpy(int), balance(table)
        shared["reliability"] = reliability(probability, target, weight)
        variants[variant] = shared
        for language, correction in corrections.items():
            ours = (table["language"] == language).to_numpy()
            entry = languages[language]
            entry["correction"][variant] = correction
            entry["thresholds"][variant] = thresholds(table[ours], probability[ours])
            entry["reliability"][variant] = reliability(probability[ours], target[ours], weight[ours])
            flagged = pd.Series([
                (limit := entry["thresholds"][variant][band(c)]) is not None and p >= limit["machine"]
                for c, p in zip(table.loc[ours, "columns"], probability[ours], strict=True)
            ]).groupby(table.loc[ours, "kind"].to_numpy()).mean().round(4).to_dict()  # fmt: skip
            entry["reliability"][variant]["flagged"] = flagged
            print(variant, language, correction, entry["reliability"][variant]["ece"], flagged, flush=True)
    human = everything[everything["kind"] != "machine"]
    for language, part in human.groupby("language"):
        for name in ("style", "chrf"):
            values = part[name].dropna().astype(float)
            if len(values):
                quantiles = np.quantile(values, np.linspace(0, 1, QUANTILES))
                languages[language]["human_quantiles"][name] = [round(float(q), 4) for q in quantiles]
    data = {
        "fitted_on": list(HELD_OUT), "models": models_used(checker), "bands": list(BANDS),
        "variants": variants, "languages": languages,
    }  # fmt: skip
    text = json.dumps(data, indent=1)
    (embedded / "verdict.json").write_text(text + "\n", encoding="utf-8")


def models_used(checker: Checker) -> dict[str, str]:
    """Labels of the models that the calibration holds for."""
    fluency = checker.store.language_model("embedded", "ru")
    translator = checker.store.translator("embedded", "ru", "en")
    return {part: model.label for part, model in (("fluency", fluency), ("translator", translator)) if model}


if __name__ == "__main__":
    main()
