"""How often accounts get each verdict, in families that set no threshold for it.

    python -m scripts.training.accounts gather --corpora CORPORA --out runs/accounts.jsonl
    python -m scripts.bench.accounts --scores runs/accounts.jsonl --evidence runs/evidence

Every family in turn is judged by what all the others give: middles, gain, and thresholds. A family is where
text comes from: one parliament, one documentation, one test set. Groups are as for
`scripts.training.accounts`. A rate is of the accounts in languages with a threshold.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from checker import statistics as stats
from checker.calibration.fit import LEAST_POSTS
from checker.statistics import rate_interval
from scripts.bench.tables import NONE, Table, add_option, publish, write_json
from scripts.command import command
from scripts.training.accounts import (
    LEAST,
    MACHINE,
    SIZES,
    SPARED,
    TRANSLATED,
    Held,
    Series,
    groups,
    held_out,
    read_scores,
    rudimentary_scores,
    shares,
)

KINDS = ("native", "translated", "machine")
TEN = 10
"""Posts of the accounts that the tables of languages and families are of."""

WANTED = (0.5, 0.9)
"""Shares of the accounts sought that a desk may want to find."""


def by_size(
    held: Sequence[Held], spared: Sequence[str], positive: Collection[str] = MACHINE[0]
) -> list[dict[str, Any]]:
    """Figures of every number of posts; families weigh the same.

    Args:
        held: the groups of each.
        spared: families whose human translations do not count, by how they begin.
        positive: kinds that are to be found.
    """
    rows = []
    for one in held:
        flagged = shares(one)
        row: dict[str, Any] = {"posts": one.groups.size}
        for kind in KINDS:
            parts = flagged.get(kind, {})
            kept = {
                f: v for f, v in parts.items() if kind == "machine" or not f.startswith(tuple(spared))
            } or parts
            counted = [v for v in kept.values() if v[1] >= LEAST_POSTS]
            row[kind] = float(np.mean([rate for rate, _ in kept.values()])) if kept else None
            row[f"{kind}_worst"] = (min if kind in positive else max)((r for r, _ in counted), default=None)
            row[f"{kind}_groups"] = sum(count for _, count in kept.values())
        row["languages"] = len(set(one.groups.language[one.measured].tolist()))
        for kind in KINDS:
            row[f"auc_{kind}"] = _auc(one, kind, positive)
        rows.append(row)
    return rows


def _auc(one: Held, kind: str, positive: Collection[str]) -> float | None:
    """Of a kind that is to be found against natives, or of the others against those to be found."""
    found = [kind] if kind in positive else list(positive)
    other = "native" if kind in positive else kind
    sought = np.isin(one.groups.kind, found)
    rows = sought | (one.groups.kind == other)
    if min(sought.sum(), (rows & ~sought).sum()) < 10:
        return None
    return float(stats.auc(stats.tally(one.log_odds[rows], sought[rows])))


def needed(rows: Sequence[Mapping[str, Any]], share: float, kind: str = "machine") -> str:
    """Between which measured numbers of posts such a share of accounts of a kind is found first."""
    before = None
    for row in rows:
        if row[kind] is not None and row[kind] >= share:
            return f"{row['posts']}" if before is None else f"{before} to {row['posts']}"
        before = row["posts"] if row[kind] is not None else before
    return f"more than {rows[-1]['posts']}"


def by_name(one: Held, field: str) -> list[dict[str, Any]]:
    """Figures of accounts of one size by language or family, in languages with a threshold."""
    names = getattr(one.groups, field)
    rows = []
    for name in sorted(set(names.tolist())):
        row: dict[str, Any] = {"name": name}
        for kind in KINDS:
            ours = (names == name) & (one.groups.kind == kind) & one.measured
            count = int(one.flagged[ours].sum())
            row[kind] = (count, int(ours.sum())) if ours.any() else None
        rows.append(row)
    return rows


def _percent(value: float | None) -> str:
    return NONE if value is None else f"{100 * value:.1f} %"


def _area(value: float | None) -> str:
    return NONE if value is None else f"{value:.3f}"


def _cells(row: Mapping[str, Any], areas: Sequence[str]) -> list[str]:
    """A number of posts: rates with those of the worst family, areas, numbers of accounts."""
    rates = [
        _percent(row[kind]) + ("" if (worst := row[f"{kind}_worst"]) is None else f" ({_percent(worst)})")
        for kind in KINDS
    ]
    counts = " / ".join(str(row[f"{kind}_groups"]) for kind in KINDS)
    return [str(row["posts"]), *rates, *(_area(row[f"auc_{kind}"]) for kind in areas), counts]


def _wanted(rows: Sequence[Mapping[str, Any]], kinds: Sequence[str]) -> list[list[str]]:
    """For every share that a desk may want: the posts needed to find as many accounts of each kind."""
    return [[f"{100 * share:.0f} %", *(needed(rows, share, kind) for kind in kinds)] for share in WANTED]


def _named(held: Sequence[Held], field: str, heads: Sequence[str]) -> Table:
    ten = next(one for one in held if one.groups.size == min(TEN, held[-1].groups.size))

    def cell(found: tuple[int, int] | None) -> str:
        if found is None:
            return NONE
        count, total = found
        low, high = rate_interval(count, total)
        return f"{100 * count / total:.1f} % ({100 * low:.0f}–{100 * high:.0f}, {total})"

    found = [[row["name"], *(cell(row[kind]) for kind in KINDS)] for row in by_name(ten, field)]
    return Table([field, *heads], [row for row in found if set(row[1:]) != {NONE}])


def tables(held: Sequence[Held], spared: Sequence[str]) -> dict[str, Table]:
    """The tables of docs/accounts.md on machine translation."""
    sizes = by_size(held, spared)
    heads = ["native flagged", "human translations flagged", "machine found"]
    columns = [
        "posts", *(f"{head} (worst family)" for head in heads), "AUC, native", "AUC, human translations",
        "accounts native / translated / machine",
    ]  # fmt: skip
    return {
        "accounts": Table(columns, [_cells(row, ("native", "translated")) for row in sizes]),
        "accounts-needed": Table(["machine accounts found", "posts needed"], _wanted(sizes, ["machine"])),
        "accounts-languages": _named(held, "language", heads),
        "accounts-families": _named(held, "family", heads),
    }


def translated_tables(held: Sequence[Held]) -> dict[str, Table]:
    """The tables of docs/accounts.md on translation by anyone."""
    sizes = by_size(held, (), TRANSLATED[0])
    heads = ["native flagged", "human translations found", "machine translations found"]
    columns = [
        "posts", *(f"{head} (worst family)" for head in heads), "AUC, human translations",
        "AUC, machine translations", "accounts native / translated / machine",
    ]  # fmt: skip
    wanted = ["accounts found", "posts needed, human translations", "posts needed, machine translations"]
    return {
        "accounts-translated": Table(columns, [_cells(row, ("translated", "machine")) for row in sizes]),
        "accounts-translated-needed": Table(wanted, _wanted(sizes, ["translated", "machine"])),
        "accounts-translated-languages": _named(held, "language", heads),
        "accounts-translated-families": _named(held, "family", heads),
    }


def rudimentary_tables(held: Sequence[Held]) -> dict[str, Table]:
    """The tables of docs/accounts.md on rudimentary wording."""
    sizes = by_size(held, ())
    heads = ["native flagged", "human translations flagged", "word for word found"]
    columns = [
        "posts", *(f"{head} (worst family)" for head in heads), "AUC, native", "AUC, human translations",
        "accounts native / translated / word for word",
    ]  # fmt: skip
    return {
        "accounts-rudimentary": Table(columns, [_cells(row, ("native", "translated")) for row in sizes]),
        "accounts-rudimentary-languages": _named(held, "language", heads),
    }


def measured(
    series: Sequence[Series],
    positive: Collection[str],
    kinds: Mapping[str, float],
    spared: Sequence[str] = (),
    least: float = 0.5,
) -> list[Held]:
    """The groups of every number of posts, each family judged by what the others give."""
    sets = [one for size in SIZES if len((one := groups(series, size)).mean)]
    return held_out(sets, positive, kinds, spared, least)


def main() -> None:
    parser = command(__doc__)
    parser.add_argument(
        "--scores", type=Path, nargs="+", required=True, help="files of scripts.training.accounts gather"
    )
    parser.add_argument(
        "--evidence", type=Path, help="the --cache of scripts.training.verdict, for rudimentary wording"
    )
    parser.add_argument("--spared", nargs="*", default=SPARED, help="families that set no threshold")
    parser.add_argument("--json", type=Path, help="write the figures by number of posts to this file")
    add_option(parser)
    args = parser.parse_args()
    held = measured(read_scores(args.scores), *MACHINE, args.spared, LEAST["machine_translated"])
    figures = {"machine_translated": by_size(held, args.spared)}
    found = tables(held, args.spared)
    if other := read_scores(args.scores, "translated"):
        both = measured(other, *TRANSLATED, least=LEAST["translated"])
        figures["translated"] = by_size(both, (), TRANSLATED[0])
        found |= translated_tables(both)
    if args.evidence:
        clumsy = measured(rudimentary_scores(args.evidence), *MACHINE, least=LEAST["rudimentary"])
        figures["rudimentary"] = by_size(clumsy, ())
        found |= rudimentary_tables(clumsy)
    write_json(figures, args.json)
    publish(found, args.tables)


if __name__ == "__main__":
    main()
