"""How often a verdict is wrong, and how well it separates, in families of text that nothing was trained on.

A family is where text comes from: one documentation, one parliament, one newsroom. A detector can learn what
a test set is about instead of how it is written, so whole families are the unit: for each one and each
language, the share of native, human-translated and machine-translated posts that are flagged, the AUC inside
the family where it has both sides, and the AUC of its machine text against human text of other families. The
worst family is reported beside the mean.

    python -m scripts.bench.families --corpora CORPORA --posts 200 --tables docs/measurements
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow.parquet as pq

from checker import Checker
from checker.result import Result
from checker.statistics import auc, rate_interval, tally
from scripts.bench.tables import NONE, Table, add_option, progress, publish, write_json
from scripts.command import command

KINDS = ("native", "translated", "machine")
AREAS = ("auc_inside", "auc_translated", "auc_native")
LEAST = 99
"""Posts of a kind from which its share is reported: see ``calibration/fit.py``."""

LEAST_AUC = 50
"""Posts of each class from which an AUC is reported."""


class Post(NamedTuple):
    """A paragraph of the corpus.

    Attributes:
        language: ISO 639-1 code.
        family: where it comes from.
        kind: one of ``KINDS``.
        text: 60 to 1,200 characters (25 and up in Chinese, Japanese and Korean).
    """

    language: str
    family: str
    kind: str
    text: str


class Scored(NamedTuple):
    """A post and what the checker says of it.

    Attributes:
        post: the post.
        probability: of machine translation, 0 to 1.
        flagged: whether the verdict is ``machine_translated``.
    """

    post: Post
    probability: float
    flagged: bool


def sample(corpora: Path, languages: Sequence[str], posts: int, seed: int = 0) -> list[Post]:
    """At most so many posts of each language, family and kind; the same for the same seed.

    Args:
        corpora: folder with ``wild/<language>.parquet``.
        languages: ISO 639-1 codes.
        posts: at most, of each language, family and kind.
        seed: of the choice.
    """
    found = []
    for language in languages:
        cells: dict[tuple[str, str], list[str]] = defaultdict(list)
        table = pq.read_table(corpora / "wild" / f"{language}.parquet", columns=["text", "kind", "family"])
        for row in table.to_pylist():
            cells[row["family"], row["kind"]].append(row["text"])
        for (family, kind), texts in sorted(cells.items()):
            chosen = random.Random(f"{seed} {language} {family} {kind}").sample(texts, min(posts, len(texts)))
            found += [Post(language, family, kind, text) for text in chosen]
    return found


def score(checker: Checker, posts: Sequence[Post]) -> list[Scored]:
    """Score posts as a user would, their language identified; those without a probability are left out."""
    scored = []
    results: Iterable[Result] = checker.score_many(post.text for post in posts)
    for number, (post, result) in enumerate(zip(posts, results, strict=True), 1):
        if result.machine_translated is not None:
            flagged = result.verdict == "machine_translated"
            scored.append(Scored(post, result.machine_translated, flagged))
        if number % 1000 == 0:
            progress(number, "of", len(posts))
    return scored


def share(posts: Sequence[Scored]) -> dict[str, Any] | None:
    """The share that is flagged with its 95 % interval; None for fewer than ``LEAST`` posts."""
    if len(posts) < LEAST:
        return None
    count = sum(post.flagged for post in posts)
    low, high = rate_interval(count, len(posts))
    return {
        "flagged": round(count / len(posts), 4),
        "low": round(low, 4),
        "high": round(high, 4),
        "posts": len(posts),
    }


def separation(human: Sequence[Scored], machine: Sequence[Scored]) -> float | None:
    """AUC of machine against human posts; None for fewer than ``LEAST_AUC`` of either."""
    if min(len(human), len(machine)) < LEAST_AUC:
        return None
    both = [*human, *machine]
    counts = tally([post.probability for post in both], [post.post.kind == "machine" for post in both])
    return round(float(auc(counts)), 4)


def measure(scored: Sequence[Scored]) -> list[dict[str, Any]]:
    """One row for each family and language, in the order of their names."""
    by_language: dict[str, list[Scored]] = defaultdict(list)
    for one in scored:
        by_language[one.post.language].append(one)
    rows = []
    for language, posts in sorted(by_language.items()):
        for family in sorted({one.post.family for one in posts}):
            inside = {
                kind: [o for o in posts if (o.post.family, o.post.kind) == (family, kind)] for kind in KINDS
            }
            elsewhere = {
                kind: [o for o in posts if o.post.family != family and o.post.kind == kind] for kind in KINDS
            }
            machine = inside["machine"]
            rows.append(
                {"family": family, "language": language}
                | {kind: share(inside[kind]) for kind in KINDS}
                | {
                    "auc_inside": separation(inside["translated"], machine),
                    "auc_translated": separation(elsewhere["translated"], machine),
                    "auc_native": separation(elsewhere["native"], machine),
                }
            )
    return rows


def summary(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """For every figure its mean over families and languages, and the worst of them."""
    found: dict[str, Any] = {}
    for kind in KINDS:
        shares = [(row[kind]["flagged"], row) for row in rows if row[kind]]
        if shares:
            worst, row = (min if kind == "machine" else max)(shares, key=lambda pair: pair[0])
            found[kind] = {
                "mean": round(sum(value for value, _ in shares) / len(shares), 4),
                "worst": worst, "where": f"{row['family']}, {row['language']}", "cells": len(shares),
            }  # fmt: skip
    for name in AREAS:
        values = [(row[name], row) for row in rows if row[name] is not None]
        if values:
            worst, row = min(values, key=lambda pair: pair[0])
            found[name] = {
                "mean": round(sum(value for value, _ in values) / len(values), 4),
                "worst": worst, "where": f"{row['family']}, {row['language']}", "cells": len(values),
            }  # fmt: skip
    return found


def by_family(scored: Sequence[Scored]) -> list[dict[str, Any]]:
    """One row per family over all of its languages: shares flagged, and the mean AUC over languages."""
    rows = measure(scored)
    found = []
    for family in sorted({one.post.family for one in scored}):
        ours = [row for row in rows if row["family"] == family]
        line: dict[str, Any] = {"family": family, "languages": len(ours)}
        for kind in KINDS:
            line[kind] = share([one for one in scored if (one.post.family, one.post.kind) == (family, kind)])
        for name in AREAS:
            values = [row[name] for row in ours if row[name] is not None]
            line[name] = round(sum(values) / len(values), 4) if values else None
        found.append(line)
    return found


def tables(record: Mapping[str, Any]) -> dict[str, Table]:
    """The tables of the documentation: a row per family, and every figure with its mean and worst cell."""

    def flagged(cell: Mapping[str, Any] | None) -> str:
        if cell is None:
            return NONE
        low, high = (f"{100 * cell[side]:.1f}" for side in ("low", "high"))
        return f"{100 * cell['flagged']:.1f} % ({low} to {high}, {cell['posts']})"

    def area(value: float | None) -> str:
        return NONE if value is None else f"{value:.2f}"

    names = {
        "native": "native flagged", "translated": "human translations flagged", "machine": "machine flagged",
        "auc_inside": "AUC in the family", "auc_translated": "AUC, human translations of other families",
        "auc_native": "AUC, native text of other families",
    }  # fmt: skip
    rows = [
        [
            row["family"], str(row["languages"]), *(flagged(row[kind]) for kind in KINDS),
            *(area(row[name]) for name in AREAS),
        ]
        for row in record["families"]
    ]  # fmt: skip
    worst = [
        [
            names[name],
            *(area(cell[key]) if name in AREAS else f"{100 * cell[key]:.1f} %" for key in ("mean", "worst")),
            cell["where"], str(cell["cells"]),
        ]
        for name, cell in record["summary"].items()
    ]  # fmt: skip
    return {
        "families": Table(["family", "languages", *names.values()], rows),
        "families-worst": Table(["", "mean", "worst", "where", "families and languages"], worst),
    }


def main() -> None:
    parser = command(__doc__)
    parser.add_argument("--corpora", type=Path, required=True, help="folder with wild/<language>.parquet")
    parser.add_argument("--languages", nargs="*", help="ISO 639-1 codes; by default all that are there")
    parser.add_argument("--posts", type=int, default=200, help="at most, per language, family and kind")
    parser.add_argument("--seed", type=int, default=0, help="of the choice of posts")
    parser.add_argument("--round-trip", action="store_true", help="translate, if the verdict counts it")
    parser.add_argument("--json", type=Path, help="write every family and language to this file")
    add_option(parser)
    args = parser.parse_args()
    languages = args.languages or sorted(path.stem for path in (args.corpora / "wild").glob("*.parquet"))
    posts = sample(args.corpora, languages, args.posts, args.seed)
    progress(len(posts), "posts")
    scored = score(Checker(round_trip=args.round_trip, fluency=False), posts)
    rows = measure(scored)
    record = {"summary": summary(rows), "families": by_family(scored), "rows": rows}
    write_json(record, args.json)
    publish(tables(record), args.tables)


if __name__ == "__main__":
    main()
