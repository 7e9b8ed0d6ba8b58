"""An evaluation as one page of HTML with plots.

The page is a single file that loads nothing, and the same evaluation gives the same bytes. No text of a post
comes near it: names of groups and of files are all of the input that is shown. Its words are in
``templates/evaluation.html.j2``.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from checker.evaluation.result import Evaluation
from checker.evaluation.table import GLOSSARY, NONE, rows
from checker.pages import html

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def page(evaluation: Evaluation) -> str:
    """The evaluation as one HTML page."""
    plots = evaluation.roc and html.svg(
        partial(_draw, evaluation=evaluation), (11, 5), "plots", "ROC and reliability plots",
        "The figures are in the tables below.",
    )  # fmt: skip
    return html.page(
        "evaluation.html.j2",
        evaluation=evaluation,
        plots=plots,
        overall=rows(evaluation, None),
        by_key={key: rows(evaluation, key) for key in evaluation.groups},
        none=NONE,
        headline=headline(evaluation),
        glossary={
            title: meaning
            for title, meaning in GLOSSARY.items()
            if title in {column.replace("\n", " ") for column in rows(evaluation, None)[0][1]}
        },
    )


def headline(evaluation: Evaluation) -> str:
    """What was measured, in one sentence."""
    found, wrong = evaluation.overall.true_positive_rate, evaluation.overall.false_positive_rate
    return (
        f"Of {_posts(found.posts, 'machine-translated')} the verdict found {found.count}; of "
        f"{_posts(wrong.posts, 'human')} it called {wrong.count} machine-translated by mistake."
    )


def _posts(number: int, kind: str) -> str:
    return f"{number} {kind} {'post' if number == 1 else 'posts'}"


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
