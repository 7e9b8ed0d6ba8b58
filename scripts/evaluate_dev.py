"""Measure the embedded profile on a year and on MT systems that nothing was trained on, and on native leads.

    python scripts/evaluate_dev.py --corpora CORPORA --posts 300 --json dev.json

Posts of ``--lines`` consecutive lines are scored by the Checker as a user would score them, in the
language that they are in. AUC comes with a bootstrap 95 % interval; ECE weighs human and machine equally.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import pandas as pd
from corpora import LANGUAGES, dev, native
from labelled_posts import group
from sklearn.metrics import roc_auc_score

from checker.evaluation.metrics import reliability
from checker.pipeline import Checker
from checker.result import Result


def auc(human: np.ndarray, machine: np.ndarray) -> dict[str, float]:
    """AUC of machine against human with a bootstrap interval."""
    target = np.r_[np.zeros(len(human)), np.ones(len(machine))]
    values = np.r_[human, machine]
    rng = np.random.default_rng(0)
    draws = []
    for _ in range(200):
        rows = np.r_[
            rng.integers(0, len(human), len(human)), len(human) + rng.integers(0, len(machine), len(machine))
        ]
        draws.append(roc_auc_score(target[rows], values[rows]))
    low, high = np.quantile(draws, [0.025, 0.975])
    middle = roc_auc_score(target, values)
    return {"auc": round(float(middle), 3), "low": round(float(low), 3), "high": round(float(high), 3)}


def measure(posts: pd.DataFrame, results: list[Result]) -> dict:
    """The figures of one language."""
    table = posts.assign(
        probability=[np.nan if r.machine_translated is None else r.machine_translated for r in results],
        style=[np.nan if r.style is None else r.style for r in results],
        fluency=[np.nan if r.fluency is None else r.fluency for r in results],
        verdict=[r.verdict for r in results],
    ).dropna(subset=["probability"])
    parts = {str(kind): part for kind, part in table.groupby("kind")}
    figures: dict = {"posts": {kind: len(part) for kind, part in parts.items()}}
    machine = parts["machine"]
    for kind in ("native", "translated"):
        if kind in parts:
            figures[f"{kind}_auc"] = auc(
                parts[kind]["probability"].to_numpy(), machine["probability"].to_numpy()
            )
            figures[f"{kind}_auc_style_alone"] = auc(
                parts[kind]["style"].to_numpy(), machine["style"].to_numpy()
            )
            human = parts[kind]
            values = np.r_[human["probability"], machine["probability"]]
            target = np.r_[np.zeros(len(human)), np.ones(len(machine))]
            weight = np.r_[np.full(len(human), 1 / len(human)), np.full(len(machine), 1 / len(machine))]
            figures[f"{kind}_ece"] = round(reliability(values, target, weight)[0], 4)
    for kind, part in parts.items():
        figures[f"{kind}_flagged"] = round(float((part["verdict"] == "machine_translated").mean()), 4)
        figures[f"{kind}_uncertain"] = round(float((part["verdict"] == "uncertain").mean()), 4)
        figures[f"{kind}_called_human"] = round(float((part["verdict"] == "human_written").mean()), 4)
    return figures


def markdown(figures: dict[str, dict]) -> str:
    """The figures as a table for docs/benchmarks.md."""
    lines = [
        "| language | posts native / translated / machine | AUC native against machine "
        "| AUC human translation against machine | ECE native / translated "
        "| native flagged | translations flagged | machine flagged |",
        "| --- " * 8 + "|",
    ]

    def interval(part: dict, key: str) -> str:
        found = part.get(key)
        return f"{found['auc']:.3f} ({found['low']:.3f}–{found['high']:.3f})" if found else "–"

    def share(part: dict, key: str) -> str:
        return f"{100 * part[key]:.1f} %" if key in part else "–"

    for language, part in figures.items():
        if "machine_flagged" not in part:
            continue
        counts = " / ".join(str(part["posts"].get(kind, 0)) for kind in ("native", "translated", "machine"))
        errors = " / ".join(str(part.get(f"{kind}_ece", "–")) for kind in ("native", "translated"))
        cells = [
            language, counts, interval(part, "native_auc"), interval(part, "translated_auc"), errors,
            share(part, "native_flagged"), share(part, "translated_flagged"), share(part, "machine_flagged"),
        ]  # fmt: skip
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


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
        frame = dev(args.corpora, language)
        if frame.empty:
            continue
        checker = Checker(language=language)
        posts = group(frame, args.posts, tuple(args.lines))
        figures[language] = measure(posts, list(checker.score_many(posts["text"])))
        print(language, json.dumps(figures[language]), flush=True)
    if "ru" in args.languages:
        leads = native(args.corpora, "dev").sample(4 * args.posts, random_state=0)
        verdicts = pd.Series([r.verdict for r in Checker().score_many(leads["text"])])
        figures["native/ru_dev"] = {"posts": len(leads)} | verdicts.value_counts(normalize=True).round(
            4
        ).to_dict()
        print("native/ru_dev", json.dumps(figures["native/ru_dev"]), flush=True)
    print(markdown(figures))
    if args.json:
        args.json.write_text(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()
