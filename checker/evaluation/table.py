"""An evaluation as tables for a terminal. Names of groups are the only part of the input that is shown."""

from __future__ import annotations

from rich.table import Table
from rich.text import Text

from checker.evaluation.accounts import AccountEvaluation
from checker.evaluation.result import Comparison, Estimate, Evaluation, Figures, Share
from checker.text import printable

NONE = "–"
"""Stands for a figure of too few posts."""

_TITLES = {
    "auc": "AUC", "tpr_at_1_fpr": "TPR at 1% FPR", "tpr_at_5_fpr": "TPR at 5% FPR", "ece": "ECE",
}  # fmt: skip

Cell = tuple[str, str]  # a figure and its interval


def table(evaluation: Evaluation, key: str | None = None) -> Table:
    """The overall figures, then those of the groups of one key; each interval is below its figure."""
    found = rows(evaluation, key)
    grid = Table(box=None, header_style="bold", padding=(0, 1, 0, 0))
    grid.add_column(Text(printable(key or "")), overflow="fold")
    for name in found[0][1]:
        grid.add_column(name, justify="right", overflow="fold")
    for group, row in found:
        shown = Text(printable(group), overflow="fold")
        cells = (
            Text.assemble(value, (f"\n{interval}", "dim")) if interval else Text(value)
            for value, interval in row.values()
        )
        grid.add_row(shown, *cells)
    return grid


def comparison_table(comparison: Comparison) -> Table:
    """One row per figure: A, B, the difference with its interval, and the p-value."""
    grid = Table("", box=None, header_style="bold", padding=(0, 2, 0, 0))
    for name in ("A", "B", "B − A", "95% interval", "p"):
        grid.add_column(name, justify="right")
    for name, row in comparison.figures.items():
        interval = f"{row.low:+.3f} to {row.high:+.3f}"
        values = (f"{row.a:.3f}", f"{row.b:.3f}", f"{row.difference:+.3f}", interval, f"{row.p_value:.4f}")
        grid.add_row(_TITLES[name], *values)
    return grid


def account_table(evaluation: AccountEvaluation) -> Table:
    """Accounts by number of posts and by language, for a terminal."""
    grid = Table(box=None, header_style="bold", padding=(0, 1, 0, 0))
    heads = (
        "",
        "native /\ntranslated /\nmachine",
        "native\nflagged",
        "translated\nflagged",
        "machine\nfound",
    )
    for number, head in enumerate((*heads, "AUC\nnative", "AUC\ntranslated")):
        grid.add_column(head, justify="right" if number else "left")
    for figures in (evaluation.overall, *evaluation.sizes, *evaluation.languages):
        shares = (figures.native_flagged, figures.translated_flagged, figures.machine_flagged)
        cells = [*map(_share, shares), *map(_estimate, (figures.auc_native, figures.auc_translated))]
        name = f"{figures.name} posts" if figures in evaluation.sizes else figures.name
        counts = "\n".join(map(str, figures.accounts.values()))
        grid.add_row(Text(printable(name)), counts, *("\n".join(filter(None, cell)) for cell in cells))
    return grid


def rows(evaluation: Evaluation, key: str | None) -> list[tuple[str, dict[str, Cell]]]:
    """All posts, then the groups of one key: the name and the cells of each."""
    overall = evaluation.overall
    with_origin = overall.posts["translated"] > 0  # otherwise all human posts are native
    groups = (overall, *(evaluation.groups[key] if key else ()))
    return [(group.name, _cells(group, with_origin=with_origin)) for group in groups]


def _cells(figures: Figures, *, with_origin: bool) -> dict[str, Cell]:
    """One row of a table: column → figure and interval."""
    posts = figures.posts
    row: dict[str, Cell] = {
        "human /\nmachine": (f"{posts['native'] + posts['translated']} / {posts['machine']}", ""),
        "AUC": _estimate(figures.auc),
    }
    if with_origin:
        row |= {
            "AUC\nnative": _estimate(figures.auc_native),
            "AUC\ntranslated": _estimate(figures.auc_translated),
        }
    return row | {
        "TPR at\n1% FPR": _estimate(figures.tpr_at_1_fpr, percent=True),
        "TPR at\n5% FPR": _estimate(figures.tpr_at_5_fpr, percent=True),
        "verdict\nFPR": _share(figures.false_positive_rate),
        "verdict\nTPR": _share(figures.true_positive_rate),
        "ECE": (decimal(figures.ece), ""),
        "has\nP(MT)": (_share(figures.coverage)[0], ""),
        "decided": (_share(figures.decided)[0], ""),
    }


def _estimate(estimate: Estimate | None, *, percent: bool = False) -> Cell:
    if estimate is None:
        return NONE, ""
    if percent:
        return f"{100 * estimate.value:.1f}%", f"{100 * estimate.low:.1f}–{100 * estimate.high:.1f}"
    return f"{estimate.value:.3f}", f"{estimate.low:.3f}–{estimate.high:.3f}"


def _share(share: Share) -> Cell:
    if share.value is None or share.low is None or share.high is None:
        return NONE, ""
    return f"{100 * share.value:.1f}%", f"{100 * share.low:.1f}–{100 * share.high:.1f}"


GLOSSARY = {
    "human / machine": "Number of human posts and of machine-translated posts.",
    "AUC": "The chance that a machine post gets a higher probability than a human one: 0.5 is a coin's.",
    "AUC native": "The same against posts that were written in the language.",
    "AUC translated": "The same against posts that people translated.",
    "TPR at 1% FPR": "Share of machine posts found by the threshold that 1 % of the human posts here reach.",
    "TPR at 5% FPR": "The same at 5 %.",
    "verdict FPR": "Share of human posts that got the verdict machine-translated: false alarms.",
    "verdict TPR": "Share of machine posts that got it; the rest were missed.",
    "ECE": "How far a stated probability is off on average: 0.05 is 5 in 100.",
    "has P(MT)": "Share of posts that got a probability.",
    "decided": "Share of posts with a verdict: neither uncertain nor not scored.",
}
"""What the columns of the tables are."""


def decimal(value: float | None) -> str:
    """Three decimals, or `NONE`."""
    return NONE if value is None else f"{value:.3f}"
