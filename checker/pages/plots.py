"""The plots of a report. Nothing of the input but counts, days and language codes comes near them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING

from markupsafe import Markup

from checker.pages import html
from checker.pages.summary import BINS
from checker.text import percent
from checker.verdict.advice import VERDICTS
from checker.verdict.file import Reliability

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_LOOK = {
    "human_written": ("#009e73", "//"),
    "uncertain": ("#f0e442", ""),
    "translated": ("#cc79a7", "\\\\"),
    "rudimentary": ("#56b4e9", "--"),
    "machine_translated": ("#d55e00", "xx"),
    "not_scored": ("#bbbbbb", ".."),
}
"""Colour (Okabe and Ito 2008, told apart by the colour-blind) and hatching of a verdict."""

DAYS = 62
"""A longer time is shown by the month."""


def histogram(bins: Mapping[str, Sequence[int]]) -> Markup:
    """Number of posts by probability and verdict, as SVG."""
    present = [verdict for verdict in _LOOK if verdict in bins]
    edges = [number / BINS for number in range(BINS)]

    def draw(figure: Figure) -> None:
        from matplotlib.ticker import MaxNLocator

        axes = figure.subplots()
        bottom = [0] * BINS
        for verdict in present:
            colour, hatch = _LOOK[verdict]
            axes.bar(
                edges, bins[verdict], 1 / BINS, bottom, align="edge", color=colour, hatch=hatch,
                edgecolor="black", linewidth=0.5, label=VERDICTS[verdict],
            )  # fmt: skip
            bottom = [low + high for low, high in zip(bottom, bins[verdict], strict=True)]
        axes.set(xlabel="probability of machine translation", ylabel="posts", xlim=(0, 1))
        axes.yaxis.set_major_locator(MaxNLocator(integer=True))
        figure.legend(loc="outside upper center", ncols=len(_LOOK))

    totals = [sum(column) for column in zip(*bins.values(), strict=True)]
    said = ", ".join(
        f"{count} from {number / BINS:.2f} to {(number + 1) / BINS:.2f}"
        for number, count in enumerate(totals)
        if count
    )
    return html.svg(draw, (9, 3.5), "histogram", "Posts by probability of machine translation", f"{said}.")


def reliability(overall: Reliability, others: Mapping[str, Reliability]) -> Markup:
    """Stated probabilities against what was true, as SVG.

    Args:
        overall: of all languages.
        others: the same by name of a language.
    """

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        axes.plot([0, 1], [0, 1], color="0.6", linewidth=1)
        curves = {"all languages": overall, **others}
        for (name, found), style in zip(curves.items(), ("o-", "s--", "^:"), strict=False):
            x, y = zip(*((row.predicted, row.observed) for row in found.bins), strict=True)
            axes.plot(x, y, style, label=name)
        for row in overall.bins:
            place = (row.predicted, row.observed)
            axes.annotate(str(row.posts), place, (5, -11), textcoords="offset points", fontsize=7)
        axes.set(
            xlabel="stated probability", ylabel="share that was machine-translated",
            xlim=(0, 1), ylim=(0, 1), aspect="equal",
        )  # fmt: skip
        axes.legend(loc="upper left")

    said = ", ".join(f"{percent(row.observed)} where it was {percent(row.predicted)}" for row in overall.bins)
    description = f"Share that was machine-translated by stated probability, over all languages: {said}."
    return html.svg(draw, (5.5, 5.5), "reliability", "Reliability of the probability", description)


def timeline(days: Mapping[date, Counter[str]]) -> Markup:
    """Number of posts by day, or by month, and verdict, as SVG."""
    first, last = min(days), max(days)
    monthly = (last - first).days > DAYS
    counts: dict[date, Counter[str]] = {}
    for day, verdicts in sorted(days.items()):
        counts.setdefault(day.replace(day=1) if monthly else day, Counter()).update(verdicts)

    def draw(figure: Figure) -> None:
        from matplotlib.ticker import MaxNLocator

        axes = figure.subplots()
        numbers = [(day - first).days for day in counts]
        bottom = [0] * len(counts)
        for verdict, (colour, hatch) in _LOOK.items():
            heights = [verdicts[verdict] for verdicts in counts.values()]
            if any(heights):
                axes.bar(
                    numbers, heights, 25 if monthly else 0.9, bottom, color=colour, hatch=hatch,
                    edgecolor="black", linewidth=0.5, label=VERDICTS[verdict],
                )  # fmt: skip
            bottom = [low + high for low, high in zip(bottom, heights, strict=True)]
        ticks: dict[int, str] = {}
        for number, day in zip(numbers, counts, strict=True):
            if not ticks or number - max(ticks) > (numbers[-1] - numbers[0]) / 9:  # labels have room
                ticks[number] = f"{day:%Y-%m}" if monthly else f"{day}"
        axes.set_xticks(list(ticks), list(ticks.values()))
        axes.yaxis.set_major_locator(MaxNLocator(integer=True))
        axes.set(ylabel=f"posts per {'month' if monthly else 'day'}")
        figure.legend(loc="outside upper center", ncols=len(_LOOK))

    posts = sum(verdicts.total() for verdicts in counts.values())
    said = f"{posts} posts from {first} to {last}; the table that follows has the numbers by month."
    return html.svg(draw, (9, 3.5), "timeline", "Posts by date and verdict", said)
