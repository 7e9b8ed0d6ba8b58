"""How often an account is flagged, by its number of posts, in families that its thresholds were not set on.

    python -m scripts.training.accounts gather --corpora CORPORA --out runs/accounts.jsonl
    python -m scripts.bench.accounts --scores runs/accounts.jsonl --tables docs/measurements

Every family in turn is judged by what all the others give: middles, gain, and thresholds. A family is where
text comes from: one parliament, one documentation, one test set. Groups are as for
`scripts.training.accounts`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from checker import statistics as stats
from checker.calibration.fit import LEAST_POSTS
from checker.statistics import rate_interval
from scripts.bench.tables import NONE, Table, add_option, publish, write_json
from scripts.command import command
from scripts.training.accounts import (
    MACHINE,
    SIZES,
    SPARED,
    Held,
    fit_log_odds,
    groups,
    held_out,
    read_scores,
    shares,
)

KINDS = ("native", "translated", "machine")
TEN = 10
"""Posts of the accounts that the tables of languages and families are of."""

WANTED = (0.5, 0.9)
"""Shares of machine accounts that a desk may want to find."""


def by_size(held: Sequence[Held], spared: Sequence[str]) -> list[dict[str, Any]]:
    """Figures of every number of posts; families weigh the same."""
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
            row[f"{kind}_worst"] = (min if kind == "machine" else max)((r for r, _ in counted), default=None)
            row[f"{kind}_groups"] = sum(count for _, count in kept.values())
        for kind in ("native", "translated"):
            row[f"auc_{kind}"] = _auc(one, kind)
        rows.append(row)
    return rows


def _auc(one: Held, kind: str) -> float | None:
    rows = (one.groups.kind == kind) | (one.groups.kind == "machine")
    machine = one.groups.kind[rows] == "machine"
    if min(machine.sum(), (~machine).sum()) < 10:
        return None
    return float(stats.auc(stats.tally(one.log_odds[rows], machine)))


def needed(rows: Sequence[Mapping[str, Any]], share: float) -> float | None:
    """Number of posts at which such a share of machine accounts is found, between measured numbers by line.

    None where it is not reached.
    """
    before: Mapping[str, Any] | None = None
    for row in rows:
        if row["machine"] is not None and row["machine"] >= share:
            if before is None:
                return float(row["posts"])
            part = (share - before["machine"]) / (row["machine"] - before["machine"])
            return float(before["posts"] + part * (row["posts"] - before["posts"]))
        before = row
    return None


def by_name(one: Held, field: str) -> list[dict[str, Any]]:
    """Figures of accounts of one size by language or family."""
    names = getattr(one.groups, field)
    rows = []
    for name in sorted(set(names.tolist())):
        row: dict[str, Any] = {"name": name}
        for kind in KINDS:
            ours = (names == name) & (one.groups.kind == kind)
            count = int(one.flagged[ours].sum())
            row[kind] = (count, int(ours.sum())) if ours.any() else None
        rows.append(row)
    return rows


def tables(held: Sequence[Held], spared: Sequence[str]) -> dict[str, Table]:
    """The tables of docs/accounts.md."""
    sizes = by_size(held, spared)

    def percent(value: float | None) -> str:
        return NONE if value is None else f"{100 * value:.1f} %"

    def area(value: float | None) -> str:
        return NONE if value is None else f"{value:.3f}"

    by_posts = [
        [
            str(row["posts"]),
            *(
                percent(row[kind])
                + ("" if (worst := row[f"{kind}_worst"]) is None else f" ({percent(worst)})")
                for kind in KINDS
            ),
            area(row["auc_native"]),
            area(row["auc_translated"]),
            " / ".join(str(row[f"{kind}_groups"]) for kind in KINDS),
        ]
        for row in sizes
    ]
    wanted = []
    for share in WANTED:
        posts = needed(sizes, share)
        wanted.append(
            [f"{100 * share:.0f} %", f"more than {sizes[-1]['posts']}" if posts is None else f"{posts:.0f}"]
        )
    ten = next(one for one in held if one.groups.size == min(TEN, held[-1].groups.size))

    def cell(found: tuple[int, int] | None) -> str:
        if found is None:
            return NONE
        count, total = found
        low, high = rate_interval(count, total)
        return f"{100 * count / total:.1f} % ({100 * low:.0f}–{100 * high:.0f}, {total})"

    heads = ["native flagged", "human translations flagged", "machine found"]

    def named(field: str) -> Table:
        rows = [[row["name"], *(cell(row[kind]) for kind in KINDS)] for row in by_name(ten, field)]
        return Table([field, *heads], rows)

    columns = [
        "posts", *(f"{head} (worst family)" for head in heads), "AUC, native", "AUC, human translations",
        "accounts native / translated / machine",
    ]  # fmt: skip
    return {
        "accounts": Table(columns, by_posts),
        "accounts-needed": Table(["machine accounts found", "posts needed"], wanted),
        "accounts-languages": named("language"),
        "accounts-families": named("family"),
    }


def main() -> None:
    parser = command(__doc__)
    parser.add_argument(
        "--scores", type=Path, nargs="+", required=True, help="files of scripts.training.accounts gather"
    )
    parser.add_argument("--spared", nargs="*", default=SPARED, help="families that set no threshold")
    parser.add_argument("--json", type=Path, help="write the figures by number of posts to this file")
    add_option(parser)
    args = parser.parse_args()
    series = read_scores(args.scores)
    sets = [one for size in SIZES if len((one := groups(series, size)).mean)]
    positive, kinds = MACHINE
    fitted = fit_log_odds(sets, positive, np.arange(0, 1, 0.05))
    held = held_out(sets, fitted, positive, kinds, args.spared)
    write_json(by_size(held, args.spared), args.json)
    publish(tables(held, args.spared), args.tables)


if __name__ == "__main__":
    main()
