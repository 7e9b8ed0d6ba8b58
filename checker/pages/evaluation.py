"""An evaluation as one page of HTML with plots.

The page is a single file that loads nothing, and the same evaluation gives the same bytes. No text of a post
comes near it: names of groups and of files are all of the input that is shown, made printable and escaped.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from html import escape
from typing import TYPE_CHECKING

from checker.evaluation.result import Evaluation, Figures
from checker.evaluation.table import NONE, decimal, rows
from checker.pages import html
from checker.pages.html import text
from checker.text import printable

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def page(evaluation: Evaluation) -> str:
    """The evaluation as one HTML page."""
    posts = evaluation.overall.posts
    parts = [
        f"<p>{sum(posts.values())} labelled posts: {posts['native']} native, {posts['translated']} "
        f"translated by humans, {posts['machine']} machine-translated. {NONE} is a figure that too few posts "
        "stand behind.</p>",
        *_figure(evaluation),
        _html_table(evaluation, None),
    ]
    for key in evaluation.groups:
        parts += [f"<h2>By {text(key)}</h2>", _html_table(evaluation, key)]
    parts += ["<h2>Calibration</h2>", *_html_reliability(evaluation.overall)]
    parts += ["<h2>What the figures are</h2>", *_METHOD, "<dl>"]
    for name, meaning in evaluation.definitions.items():
        parts.append(f"<dt>{escape(name)}</dt><dd>{escape(meaning)}</dd>")
    parts += ["</dl>", "<h2>Signature</h2>", f"<p><code>{text(evaluation.signature.line)}</code></p>"]
    return html.page("Evaluation of the machine-translation verdict", parts)


_METHOD = (
    "<p>Human posts are the negatives, machine-translated posts the positives. The share of machine posts in "
    "this file is that of its makers; where machine translation is rarer, more of the flagged posts are "
    "human.</p>",
    "<p>AUC is the chance that a machine post gets a higher probability than a human one. TPR at 1 % FPR is "
    "the share of machine posts found by a threshold, chosen on these posts, that at most 1 % of the human "
    "ones reach. The verdict has thresholds of its own, measured elsewhere: its false-positive and "
    "true-positive rates need no choice. ECE says by how much a stated probability is off on average.</p>",
    "<p>Intervals are of 95 %: percentile bootstrap, stratified by class (Efron and Tibshirani 1993), for "
    "AUC and TPR at a fixed FPR; Clopper and Pearson (1934) for shares of posts. They tell how far chance "
    "in the choice of these posts reaches, not how other sources or MT systems would do.</p>",
)


def _html_table(evaluation: Evaluation, key: str | None) -> str:
    found = rows(evaluation, key)
    titles = (printable(key or "group"), *found[0][1])
    return html.table("", titles, ([text(group), *map(_cell, row.values())] for group, row in found))


def _cell(figure: tuple[str, str]) -> str:
    value, interval = figure
    return f"{value}<small>{interval}</small>" if interval else value


def _html_reliability(figures: Figures) -> Iterator[str]:
    if not figures.reliability:
        yield f"<p>{NONE}</p>"
        return
    yield (
        f"<p>ECE with both classes weighted equally: {decimal(figures.ece)}; with the posts as they are: "
        f"{decimal(figures.ece_at_prevalence)}. Brier score: {decimal(figures.brier)} and "
        f"{decimal(figures.brier_at_prevalence)}.</p>"
    )
    yield html.table(
        "",
        ("mean probability", "share of machine posts", "posts"),
        ([f"{row.predicted:.3f}", f"{row.observed:.3f}", str(row.posts)] for row in figures.reliability),
    )


def _figure(evaluation: Evaluation) -> Iterator[str]:
    if not evaluation.roc:
        return
    yield "<figure>"
    yield html.svg(
        partial(_draw, evaluation=evaluation), (11, 5), "plots", "ROC and reliability plots",
        "The figures are in the tables below.",
    )  # fmt: skip
    yield (
        "<figcaption>Left: ROC curves; the dotted lines are at 1 % and 5 % FPR. Right: what probabilities "
        "said against what was true, classes weighted equally, with the number of posts; on the diagonal "
        "they are right.</figcaption></figure>"
    )


def _draw(figure: Figure, evaluation: Evaluation) -> None:
    left, right = figure.subplots(1, 2)
    for curve, style in zip(evaluation.roc, ("-", "--", "-."), strict=False):
        left.step(curve.fpr, curve.tpr, style, where="post", label=f"machine against {curve.against}")
    for rate in (0.01, 0.05):
        left.axvline(rate, color="0.5", linestyle=":", linewidth=1)
    _square(left, "false-positive rate", "true-positive rate", "ROC")
    left.legend(loc="lower right")
    table = evaluation.overall.reliability
    right.plot([row.predicted for row in table], [row.observed for row in table], "o-")
    for row in table:
        right.annotate(str(row.posts), (row.predicted, row.observed), (4, -10), textcoords="offset points")
    _square(right, "mean probability", "share of machine posts", "Reliability")


def _square(axes: Axes, x: str, y: str, title: str) -> None:
    axes.plot([0, 1], [0, 1], color="0.7", linewidth=1)
    axes.set(xlabel=x, ylabel=y, title=title, xlim=(-0.05, 1.05), ylim=(-0.05, 1.05), aspect="equal")
