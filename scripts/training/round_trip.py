"""Let the round trip through Firefox's models count in the shipped verdict, where that is a gain.

    python -m scripts.training.round_trip --corpora CORPORA --languages pt --cache runs/round-trip --write

Adds the variant ``style+round_trip`` to ``models/embedded/verdict.json`` for languages whose round trip is by
Firefox's models on this machine; everything else in the file stays. The posts are those of
``scripts.training.verdict``, their style log-odds cross-fitted in the same way. Printed before and after, out
of fold: AUC, and the share of machine translations that is found where the share of human posts allowed by
``FALSE_POSITIVES`` is. Without ``--write`` nothing is changed.

Human paragraphs of the ``wild`` corpora set the thresholds as well: those of documentation together are one
test set, because each of its families is small and translators' memories make their round trips smooth.
Documentation that a vendor published (``msdocs``) is left out: some of it is corrected machine translation.

A post without a round trip, or with another translator, is judged by its style as before.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from checker import statistics as stats
from checker.calibration import fit as fitting
from checker.calibration.fit import Observed
from checker.models import Store
from checker.percentiles import quantiles
from checker.pipeline import Checker
from checker.statistics import Floats
from checker.verdict.file import Calibration, read
from checker.verdict.model import BANDS, needs
from scripts.command import command
from scripts.training.verdict import gather, observed

NAME = "style+round_trip"
LONGEST = 700  # characters of a paragraph
LEAST_GAIN = 0.01
"""Of the AUC, out of fold: a language whose gain is smaller keeps the verdict of its style."""


DOCUMENTATION = ("gnome_docs", "human_docs", "pydocs")


def wild(checker: Checker, corpora: Path, language: str, most: int) -> list[Observed]:
    """Human paragraphs met outside of test sets, with their evidence; at most so many of a family."""
    frame = pd.read_parquet(corpora / "wild" / f"{language}.parquet").astype({"family": str, "kind": str})
    frame = frame[(frame["kind"] != "machine") & ~frame["family"].str.startswith("msdocs")]
    frame = frame[frame["text"].str.len() < LONGEST]
    parts = [part.sample(min(len(part), most), random_state=0) for _, part in frame.groupby("family")]
    rows = pd.concat(parts).reset_index(drop=True)
    found = []
    for row, evidence in enumerate(checker.evidence_many(rows["text"], language)):
        family, kind = rows.loc[row, "family"], rows.loc[row, "kind"]
        if BANDS.holds(evidence.columns) and evidence.chrf is not None:
            testset = "documentation" if family in DOCUMENTATION else family
            found.append(
                Observed(evidence, language, kind, testset, sorted(set(rows["family"])).index(family) % 3)
            )
    return found


def detection(posts: Sequence[Observed], probability: Floats) -> tuple[float, float]:
    """AUC of human against machine, and the share of machine posts above the strictest cut of the kinds."""
    machine = np.array([post.kind == "machine" for post in posts])
    auc = float(stats.auc(stats.tally(probability, machine)))
    cuts = [
        fitting.cut(probability[rows], allowed)
        for kind, allowed in fitting.FALSE_POSITIVES.items()
        if (rows := np.array([post.kind == kind for post in posts])).sum() >= fitting.LEAST_POSTS
    ]
    return auc, float((probability[machine] >= max(cuts)).mean()) if cuts else float("nan")


def extended(
    shipped: Calibration, posts: Sequence[Observed], models: Mapping[str, dict[str, str]]
) -> tuple[Calibration, dict[str, dict[str, tuple[float, float]]]]:
    """The shipped verdict with the variant for the languages that gain by it.

    Args:
        shipped: has every language of the posts.
        posts: with the evidence that the variant needs.
        models: language → task → label, and the ``pivot``, that the posts were measured with.

    Returns:
        The verdict, and before and after: variant → language → ``detection``.
    """
    parts = fitting.by_language(posts)
    scale = {
        language: {**fitting.scales(part), **shipped.languages[language].scales}
        for language, part in parts.items()
    }
    for language, part in parts.items():  # of this translator, whatever the file was fitted with
        own = fitting.scales(part)
        scale[language] |= {name: own[name] for name in needs(NAME) if name != "style"}
    found: dict[str, dict[str, tuple[float, float]]] = {}
    codes = np.array([post.language for post in posts])
    for name in "style", NAME:
        shared, corrections, probability = fitting.fit_variant(posts, scale, name)
        found[name] = {code: detection(parts[code], probability[codes == code]) for code in parts}
    languages = dict(shipped.languages)
    for language, part in parts.items():
        if found[NAME][language][0] - found["style"][language][0] < LEAST_GAIN:
            continue
        said, fitted = probability[codes == language], languages[language]
        cuts = fitting.thresholds(part, said)
        human = [post.evidence.chrf for post in part if post.kind != "machine"]
        labels = {task: label for task, label in models[language].items() if task != "pivot"}
        languages[language] = fitted.model_copy(
            update={
                "scales": {**fitted.scales, **{n: scale[language][n] for n in needs(NAME)}},
                "correction": {**fitted.correction, NAME: corrections[language]},
                "thresholds": {**fitted.thresholds, NAME: cuts},
                "reliability": {**fitted.reliability, NAME: fitting.reliability(part, said, cuts)},
                "human_quantiles": {
                    **fitted.human_quantiles,
                    "chrf": tuple(quantiles([value for value in human if value is not None])),
                },
                "models": labels,
                "pivot": models[language]["pivot"],
            }
        )
    variants = {**shipped.variants, NAME: shared}
    return shipped.model_copy(update={"languages": languages, "variants": variants}), found


def markdown(found: Mapping[str, Mapping[str, tuple[float, float]]]) -> str:
    """Before and after, as a table."""
    lines = ["| language | AUC style | AUC with round trip | found by style | found with round trip |"]
    lines.append("| --- " * 5 + "|")
    for language, (auc, share) in sorted(found["style"].items()):
        more, wider = found[NAME][language]
        lines.append(f"| {language} | {auc:.3f} | {more:.3f} | {share:.1%} | {wider:.1%} |")
    return "\n".join(lines)


def main() -> None:
    parser = command(__doc__)
    parser.add_argument("--corpora", type=Path, required=True)
    parser.add_argument("--models", type=Path, default=Path("models"))
    parser.add_argument("--languages", nargs="+", default=["pt"])
    parser.add_argument(
        "--posts", type=int, default=200, help="posts of each kind and number of lines, at most"
    )
    parser.add_argument(
        "--lines", type=int, default=80_000, help="machine lines for a cross-fitted style model"
    )
    parser.add_argument("--cache", type=Path, help="folder that keeps each language's evidence between runs")
    parser.add_argument("--write", action="store_true", help="change verdict.json")
    args = argparse.Namespace(**vars(parser.parse_args()), spare=False)
    checker = Checker(store=Store(args.models / "registry.toml"), translator="firefox", exact=True)
    posts, models = [], {}
    for language in args.languages:
        posts += [
            post for post in observed(gather(checker, language, args)) if post.evidence.chrf is not None
        ]
        posts += wild(checker, args.corpora, language, args.posts)
        models[language] = labels(checker, language)
    path = args.models / "embedded" / "verdict.json"
    verdict, found = extended(read(path), posts, models)
    print(markdown(found))
    if args.write:
        verdict.write(path)


def labels(checker: Checker, language: str) -> dict[str, str]:
    """What the calibration of a language holds for: labels of its models by task, and the pivot."""
    known = checker.models.labels(language)
    return {task: label for task, label in known.items() if task != "style"} | {
        "pivot": checker.models.pivot(language)
    }


if __name__ == "__main__":
    main()
