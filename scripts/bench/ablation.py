"""What each kind of evidence adds to the verdict, on MT systems and a year that nothing was fitted on.

    python -m scripts.training.verdict --corpora CORPORA --models models --round-trip --cache runs/evidence
    python -m scripts.bench.ablation --corpora CORPORA --evidence runs/evidence --json ablation.json

The verdict layer is fitted on the evidence that the first command saved: with all evidence, without each kind
of it, and with each kind on its own. All fits use the same posts, which have all of the evidence. Each then
judges posts of the dev split. The figure is the mean of two AUC, native and human
translation against machine.

**The rule**, stated before any result was seen: a kind of evidence is removed if the mean AUC over the
languages that have it does not fall without it, and the 95 % interval of what it adds excludes more than
0.002. Otherwise it stays. Intervals are from a paired bootstrap over posts. Each such decision makes the
figures on the dev split a little too good.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from checker import statistics as metrics
from checker.calibration import fit as fitting
from checker.calibration.fit import Observed
from checker.evidence.evidence import Evidence
from checker.pipeline import Checker
from checker.statistics import Floats
from checker.verdict.model import VARIANTS, enough, sigmoid
from scripts.bench.paired import HUMAN, Estimate, against, dev_posts, digest, estimate, resamples
from scripts.bench.tables import NONE, Table, add_option, publish, write_json
from scripts.command import command
from scripts.training.corpora import LANGUAGES
from scripts.training.verdict import observed

TOLERANCE = 0.002
ALL = "all"
TOGETHER = {"chrf": "round-trip chrF", "log_likelihood": "likelihood", "gap": "likelihood"}
"""Features that are not a kind of evidence by their own name."""

Part = dict[str, Floats]
"""``auc`` and ``ece`` of one fit: the value on the posts, then on the resamples."""


def kind_of(feature: str) -> str:
    """The kind of evidence that a feature, or its product with the length, belongs to."""
    name = feature.removesuffix("_by_length")
    return TOGETHER.get(name, name)


def subsets(features: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Name → features of every fit: all of them, all but one kind of evidence, each kind alone."""
    kinds = list(dict.fromkeys(map(kind_of, features)))
    found = {ALL: tuple(features)}
    if len(kinds) > 1:
        for kind in kinds:
            found[f"without {kind}"] = tuple(f for f in features if kind_of(f) != kind)
            found[f"{kind} alone"] = tuple(f for f in features if kind_of(f) == kind)
    return found


def verdict(gain: Estimate) -> str:
    """The rule: ``remove`` or ``keep``, by what a kind of evidence adds to the mean AUC."""
    return "remove" if gain.value <= 0 and gain.high <= TOLERANCE else "keep"


def probabilities(fit_on: Sequence[Observed], judged: Sequence[Observed], features: Sequence[str]) -> Floats:
    """Fit the verdict layer with these features and judge posts of languages that it was fitted for."""
    name = "+".join(features)
    with patch.dict(VARIANTS, {name: tuple(features)}):
        scale = {code: fitting.scales(part) for code, part in fitting.by_language(fit_on).items()}
        shared, corrections, _ = fitting.fit_variant(fit_on, scale, name)
        score = fitting.design(judged, scale, name) @ np.array(shared.weights) + shared.intercept
    pairs = np.array([corrections[post.language] for post in judged])
    return np.array([sigmoid(z) for z in pairs[:, 0] * score + pairs[:, 1]])


def richest(fit_on: Sequence[Observed], judged: Sequence[Observed]) -> str:
    """The last variant that a language has the posts for, both to fit and to judge."""
    able = [
        name
        for name in VARIANTS
        if all(
            {post.kind for post in part if enough(post.evidence.known, name)} == {post.kind for post in part}
            for part in (fit_on, judged)
        )
    ]
    return able[-1]


def measure(kinds: NDArray[np.str_], probability: Floats, counts: metrics.Counts) -> Part:
    """AUC and ECE of one language: means over the kinds of human posts."""
    there = [kind for kind in HUMAN if (kinds == kind).any()]
    return {
        name: np.mean([against(kind, statistic, probability, kinds, counts) for kind in there], axis=0)
        for name, statistic in (("auc", metrics.auc), ("ece", metrics.ece))
    }


def ablate(fit_on: Sequence[Observed], judged: Sequence[Observed], draws: int) -> dict[str, dict[str, Part]]:
    """Language → name of the fit (`subsets`) → its figures."""
    to_fit, to_judge = fitting.by_language(fit_on), fitting.by_language(judged)
    variants = {code: richest(to_fit[code], part) for code, part in to_judge.items()}
    found: dict[str, dict[str, Part]] = {code: {} for code in to_judge}
    for variant in dict.fromkeys(variants.values()):
        rows = [post for post in fit_on if enough(post.evidence.known, variant)]
        ours = [p for p in judged if variants[p.language] == variant and enough(p.evidence.known, variant)]
        languages, kinds = np.array([p.language for p in ours]), np.array([p.kind for p in ours])
        for name, features in subsets(VARIANTS[variant]).items():
            said = probabilities(rows, ours, features)
            for code in dict.fromkeys(languages.tolist()):
                here = languages == code
                found[code][name] = measure(kinds[here], said[here], resamples(kinds[here], draws, code))
    return found


def gain(parts: Mapping[str, Part], kind: str, name: str = "auc") -> Floats | None:
    """What a kind of evidence adds to a figure in one language; None where it is not there."""
    less = parts.get(f"without {kind}")
    return None if less is None else parts[ALL][name] - less[name]


def evidence_kinds(found: Mapping[str, Mapping[str, Part]]) -> list[str]:
    """Every kind of evidence that some language has."""
    names = dict.fromkeys(name for parts in found.values() for name in parts)
    return [name.removeprefix("without ") for name in names if name.startswith("without ")]


def mean_gain(found: Mapping[str, Mapping[str, Part]], kind: str, name: str = "auc") -> Floats:
    """`gain`, mean over the languages that have the kind of evidence."""
    gains = [g for parts in found.values() if (g := gain(parts, kind, name)) is not None]
    mean: Floats = np.mean(gains, axis=0)
    return mean


def tables(found: Mapping[str, Mapping[str, Part]]) -> dict[str, Table]:
    """The table of docs/peers.md, and one with every kind of evidence alone and with calibration errors."""

    def plain(values: Floats | None) -> str:
        return NONE if values is None else estimate(values).text(".3f")

    def signed(values: Floats | None) -> str:
        return NONE if values is None else estimate(values).text("+.4f")

    kinds = evidence_kinds(found)
    rows = [
        [code, plain(parts[ALL]["auc"]), *(signed(gain(parts, kind)) for kind in kinds)]
        for code, parts in found.items()
    ]
    every = np.mean([parts[ALL]["auc"] for parts in found.values()], axis=0)
    gains = {kind: mean_gain(found, kind) for kind in kinds}
    rows.append(["mean", plain(every), *map(signed, gains.values())])
    rows.append(["**verdict**", "", *(verdict(estimate(g)) for g in gains.values())])
    added = Table(["language", "AUC with all", *(f"{kind} adds" for kind in kinds)], rows)

    heads = ["language", "AUC with all", *(f"{kind} alone" for kind in kinds)]
    heads += ["ECE with all", *(f"{kind} adds to ECE" for kind in kinds)]
    rows = []
    for code, parts in found.items():
        alone = [plain(part["auc"] if (part := parts.get(f"{kind} alone")) else None) for kind in kinds]
        errors = [signed(gain(parts, kind, "ece")) for kind in kinds]
        rows.append([code, plain(parts[ALL]["auc"]), *alone, plain(parts[ALL]["ece"]), *errors])
    return {"ablation": added, "ablation-alone": Table(heads, rows)}


def record(found: Mapping[str, Mapping[str, Part]]) -> dict[str, Any]:
    """All figures with their intervals, for ``--json``."""
    kinds = evidence_kinds(found)
    return {
        "rule": f"remove if the mean gain is at most 0 and its interval ends at or under {TOLERANCE}",
        "languages": {
            code: {fit: {name: estimate(v) for name, v in part.items()} for fit, part in parts.items()}
            for code, parts in found.items()
        },
        "gains": {kind: estimate(mean_gain(found, kind)) for kind in kinds},
        "verdicts": {kind: verdict(estimate(mean_gain(found, kind))) for kind in kinds},
    }


def fitting_posts(folder: Path, languages: Sequence[str]) -> list[Observed]:
    """The evidence that ``scripts.training.verdict --cache`` kept.

    Raises:
        SystemExit: a language is not there, or was kept before a feature came.
    """
    posts: list[Observed] = []
    for code in languages:
        path = folder / f"{code}.parquet"
        table = pd.read_parquet(path) if path.exists() else None
        missing = {f.name for f in fields(Evidence)} - set([] if table is None else table.columns)
        if table is None or missing:
            sys.exit(
                f"{path} has no {', '.join(sorted(missing))}: run scripts.training.verdict "
                f"--cache {folder} again, with an empty folder."
            )
        posts += observed(table)
    return posts


def dev_evidence(checker: Checker, args: argparse.Namespace, language: str) -> list[Observed]:
    """Posts of the dev split with their evidence; kept in ``--cache`` for these models and posts."""
    table = dev_posts(args.corpora, language, args.posts, args.lines)
    if table.empty:
        return []
    embedded = checker.store.registry.parent / "embedded"
    key = digest([embedded, *Evidence.__dataclass_fields__, *table["text"]])
    path = args.cache / f"{language}-{key}.parquet" if args.cache else None
    if path is not None and path.exists():
        found = pd.read_parquet(path).astype(object).replace({np.nan: None})
        evidence = [Evidence(**row) for row in found.to_dict("records")]
    else:
        evidence = list(checker.evidence_many(table["text"], language))
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            pd.DataFrame([asdict(e) for e in evidence]).to_parquet(path)
    return [
        Observed(evidence=known, language=language, kind=kind, testset=testset, fold=0)
        for known, kind, testset in zip(evidence, table["kind"], table["testset"], strict=True)
    ]


def main() -> None:
    parser = command(__doc__)
    parser.add_argument("--corpora", type=Path, required=True)
    parser.add_argument(
        "--evidence", type=Path, required=True, help="the --cache of scripts.training.verdict"
    )
    parser.add_argument("--languages", nargs="+", default=LANGUAGES, help="languages to judge posts of")
    parser.add_argument("--posts", type=int, default=250, help="human posts of each kind a language, at most")
    parser.add_argument("--lines", type=int, default=3, help="lines a post")
    parser.add_argument("--resamples", type=int, default=1000)
    parser.add_argument("--cache", type=Path, help="folder that keeps the evidence of the dev posts")
    parser.add_argument("--json", type=Path)
    add_option(parser)
    args = parser.parse_args()
    fit_on = fitting_posts(args.evidence, LANGUAGES)
    checker = Checker(exact=True)
    judged = [post for code in args.languages for post in dev_evidence(checker, args, code)]
    if not judged:
        parser.error("None of these languages is in the dev split.")
    found = ablate(fit_on, judged, args.resamples)
    publish(tables(found), args.tables)
    write_json(record(found), args.json)


if __name__ == "__main__":
    main()
