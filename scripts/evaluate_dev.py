"""Measure the embedded profile on a year and on MT systems that nothing was trained on, and on native leads.

    python scripts/evaluate_dev.py --corpora CORPORA --posts 300 --json dev.json

Posts of ``--lines`` consecutive lines are scored by the Checker as a user would score them, in the
language that they are in. For other languages there are human posts alone: the half that nothing was fitted
on of test sets that no system translated. Intervals are 95 %: bootstrap for AUC, Clopper-Pearson for shares.
ECE weighs human and machine equally.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import pandas as pd
from corpora import LANGUAGES, dev, halves, labelled, native, unpaired
from labelled_posts import group

from checker import statistics as metrics
from checker.pipeline import Checker
from checker.result import Result


def interval(values: tuple[float, float, float]) -> dict[str, float]:
    """A figure with its interval, as JSON has it."""
    return dict(zip(("value", "low", "high"), (round(v, 4) for v in values), strict=True))


def auc(human: pd.Series, machine: pd.Series) -> dict[str, float]:
    """AUC of machine against human with its bootstrap interval."""
    counts = metrics.tally([*human, *machine], [False] * len(human) + [True] * len(machine))
    low, high = metrics.bootstrap(counts, {"auc": metrics.auc}, 1000, 0)["auc"]
    return interval((float(metrics.auc(counts)), low, high))


def share(hits: pd.Series) -> dict[str, float]:
    """A share of posts with its exact interval."""
    return interval((float(hits.mean()), *metrics.rate_interval(int(hits.sum()), len(hits))))


def measure(posts: pd.DataFrame, results: list[Result]) -> dict:
    """The figures of one language."""
    table = posts.assign(
        probability=[np.nan if r.machine_translated is None else r.machine_translated for r in results],
        style=[np.nan if r.style is None else r.style for r in results],
        verdict=[r.verdict for r in results],
    ).dropna(subset=["probability"])
    parts = {str(kind): part for kind, part in table.groupby("kind")}
    figures: dict = {"posts": {kind: len(part) for kind, part in parts.items()}}
    machine = parts["machine"]
    for kind in ("native", "translated"):
        if (human := parts.get(kind)) is None:
            continue
        figures[f"{kind}_auc"] = auc(human["probability"], machine["probability"])
        figures[f"{kind}_auc_style_alone"] = auc(human["style"], machine["style"])
        both = pd.concat([human, machine])
        figures[f"{kind}_ece"] = round(
            float(metrics.ece(metrics.tally(both["probability"], both["kind"] == "machine"))), 4
        )
    for kind, part in parts.items():
        figures[f"{kind}_flagged"] = share(part["verdict"] == "machine_translated")
        figures[f"{kind}_called_human"] = share(part["verdict"] == "human_written")
    return figures


def markdown(figures: dict[str, dict]) -> str:
    """The figures as a table for docs/benchmarks.md."""
    lines = [
        "| language | posts native / translated / machine | AUC native against machine "
        "| AUC human translation against machine | ECE native / translated "
        "| native flagged | translations flagged | machine flagged |",
        "| --- " * 8 + "|",
    ]

    def points(found: dict | None) -> str:
        return f"{found['value']:.3f} ({found['low']:.3f}–{found['high']:.3f})" if found else "–"

    def percent(found: dict | None) -> str:
        if not found:
            return "–"
        value, low, high = (100 * found[key] for key in ("value", "low", "high"))
        return f"{value:.1f} % ({low:.1f}–{high:.1f})"

    for language, part in figures.items():
        if "machine_flagged" not in part:
            continue
        counts = " / ".join(str(part["posts"].get(kind, 0)) for kind in ("native", "translated", "machine"))
        errors = " / ".join(str(part.get(f"{kind}_ece", "–")) for kind in ("native", "translated"))
        cells = [
            language, counts, points(part.get("native_auc")), points(part.get("translated_auc")), errors,
            *(percent(part.get(f"{kind}_flagged")) for kind in ("native", "translated", "machine")),
        ]  # fmt: skip
        lines.append("| " + " | ".join(cells) + " |")
    lines += ["", "| human posts alone | posts | flagged |", "| --- " * 3 + "|"]
    for name, part in figures.items():
        if "flagged" in part:
            lines.append(f"| {name} | {part['posts']} | {percent(part['flagged'])} |")
    return "\n".join(lines)


def human_posts(corpora: Path, language: str, most: int, lines: tuple[int, ...]) -> pd.DataFrame:
    """Posts of the second half of test sets that no system translated: nothing of them was fitted on."""
    frame = labelled(corpora, language, "train")
    return group(frame[unpaired(frame) & ~halves(frame)], most, lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--corpora", type=Path, required=True)
    parser.add_argument("--languages", nargs="+", default=LANGUAGES)
    parser.add_argument("--posts", type=int, default=300, help="posts of each kind a language, at most")
    parser.add_argument("--lines", type=int, nargs="+", default=[3])
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    figures: dict[str, dict] = {}
    for language in args.languages:
        checker = Checker(language=language, round_trip=False)  # which is no part of the verdict
        alone = human_posts(args.corpora, language, args.posts, tuple(args.lines))
        for (testset, kind), part in alone.groupby(["testset", "kind"], observed=True):
            verdicts = pd.Series([result.verdict for result in checker.score_many(part["text"])])
            found = {"posts": len(part), "flagged": share(verdicts == "machine_translated")}
            figures[f"{language} {testset} {kind}"] = found
            print(language, testset, kind, json.dumps(found), flush=True)
        frame = dev(args.corpora, language)
        if frame.empty:
            continue
        posts = group(frame, args.posts, tuple(args.lines))
        figures[language] = measure(posts, list(checker.score_many(posts["text"])))
        print(language, json.dumps(figures[language]), flush=True)
    if "ru" in args.languages:
        leads = native(args.corpora, "dev").sample(4 * args.posts, random_state=0)
        verdicts = pd.Series([r.verdict for r in Checker(round_trip=False).score_many(leads["text"])])
        found = {"posts": len(leads), "flagged": share(verdicts == "machine_translated")}
        found |= verdicts.value_counts(normalize=True).round(4).to_dict()
        figures["native/ru_dev"] = found
        print("native/ru_dev", json.dumps(found), flush=True)
    print(markdown(figures))
    if args.json:
        args.json.write_text(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()
