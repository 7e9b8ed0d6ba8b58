"""An evaluation as one page of HTML with plots.

The page is a single file that loads nothing, and the same evaluation gives the same bytes. No text of a post
comes near it: names of groups and of files are all of the input that is shown, made printable and escaped.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from html import escape
from typing import TYPE_CHECKING

from checker.evaluation.figures import Evaluation, Figures
from checker.evaluation.report import NONE, decimal, rows
from checker.terminal import printable

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def page(evaluation: Evaluation) -> str:
    """The evaluation as one HTML page."""
    posts = evaluation.overall.posts
    parts = [
        f"<p>{sum(posts.values())} labelled posts: {posts['native']} native, {posts['translated']} "
        f"translated by humans, {posts['machine']} machine-translated. {NONE} is a figure that too few posts "
        "stand behind.</p>",
        *_figure(evaluation),
        *_html_table(evaluation, None),
    ]
    for key in evaluation.groups:
        parts += [f"<h2>By {escape(printable(key))}</h2>", *_html_table(evaluation, key)]
    parts += ["<h2>Calibration</h2>", *_html_reliability(evaluation.overall)]
    parts += ["<h2>What the figures are</h2>", *_METHOD, "<dl>"]
    for name, meaning in evaluation.definitions.items():
        parts.append(f"<dt>{escape(name)}</dt><dd>{escape(meaning)}</dd>")
    parts += ["</dl>", "<h2>Signature</h2>", f"<p><code>{_text(evaluation.signature.line)}</code></p>"]
    body = "\n".join(parts)
    return _PAGE.format(style=_STYLE, body=body)


_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 75rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
.wide { overflow-x: auto; }
th, td { padding: .3rem .6rem; text-align: right; border-bottom: 1px solid #8885; vertical-align: top; }
th:first-child { text-align: left; overflow-wrap: anywhere; }
td small { display: block; opacity: .75; white-space: nowrap; }
figure { margin: 1rem 0; background: #fff; color: #000; }
figure svg { width: 100%; height: auto; }
code { overflow-wrap: anywhere; }
dt { font-weight: bold; }
""".strip()

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>Evaluation of the machine-translation verdict</title>
<style>
{style}
</style>
</head>
<body>
<h1>Evaluation of the machine-translation verdict</h1>
{body}
</body>
</html>
"""

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


def _html_table(evaluation: Evaluation, key: str | None) -> Iterator[str]:
    found = rows(evaluation, key)
    yield '<div class="wide"><table>'
    titles = "".join(f'<th scope="col">{escape(name)}</th>' for name in found[0][1])
    yield f'<thead><tr><th scope="col">{_text(key or "group")}</th>{titles}</tr></thead><tbody>'
    for group, row in found:
        filled = "".join(
            f"<td>{value}{f'<small>{interval}</small>' if interval else ''}</td>"
            for value, interval in row.values()
        )
        yield f'<tr><th scope="row">{_text(group)}</th>{filled}</tr>'
    yield "</tbody></table></div>"


def _html_reliability(figures: Figures) -> Iterator[str]:
    if not figures.reliability:
        yield f"<p>{NONE}</p>"
        return
    yield (
        f"<p>ECE with both classes weighted equally: {decimal(figures.ece)}; with the posts as they are: "
        f"{decimal(figures.ece_at_prevalence)}. Brier score: {decimal(figures.brier)} and "
        f"{decimal(figures.brier_at_prevalence)}.</p>"
    )
    titles = "".join(
        f'<th scope="col">{name}</th>' for name in ("mean probability", "share of machine posts", "posts")
    )
    yield f"<table><thead><tr>{titles}</tr></thead><tbody>"
    for row in figures.reliability:
        yield f"<tr><td>{row.predicted:.3f}</td><td>{row.observed:.3f}</td><td>{row.posts}</td></tr>"
    yield "</tbody></table>"


def _figure(evaluation: Evaluation) -> Iterator[str]:
    if not evaluation.roc:
        return
    yield "<figure>"
    yield _svg(evaluation)
    yield (
        "<figcaption>Left: ROC curves; the dotted lines are at 1 % and 5 % FPR. Right: what probabilities "
        "said against what was true, classes weighted equally, with the number of posts; on the diagonal "
        "they are right.</figcaption></figure>"
    )


def _svg(evaluation: Evaluation) -> str:
    """Both plots as one SVG element with the same ids every time."""
    import matplotlib
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    with matplotlib.rc_context({"svg.hashsalt": "statement-checker", "svg.fonttype": "none"}):
        figure = Figure(figsize=(11, 5), layout="constrained")
        FigureCanvasSVG(figure)
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
            right.annotate(
                str(row.posts), (row.predicted, row.observed), (4, -10), textcoords="offset points"
            )
        _square(right, "mean probability", "share of machine posts", "Reliability")
        buffer = io.StringIO()
        figure.savefig(buffer, format="svg", metadata=dict.fromkeys(("Creator", "Date", "Format", "Type")))
    svg = buffer.getvalue()
    return svg[svg.index("<svg") :].replace(
        "<svg", '<svg role="img" aria-label="ROC and reliability plots"', 1
    )


def _square(axes: Axes, x: str, y: str, title: str) -> None:
    axes.plot([0, 1], [0, 1], color="0.7", linewidth=1)
    axes.set(xlabel=x, ylabel=y, title=title, xlim=(-0.05, 1.05), ylim=(-0.05, 1.05), aspect="equal")


def _text(text: str) -> str:
    return escape(printable(text))
