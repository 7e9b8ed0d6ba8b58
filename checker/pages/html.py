"""The frame of a page that is one file: escaping, style sheet, tables and plots as inline SVG.

A page loads nothing and runs nothing, and the same input gives the same bytes. Whatever comes from an input
goes through `text`.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterable, Sequence
from html import escape
from typing import TYPE_CHECKING

from checker.text import printable

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_STYLE = """
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 75rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
caption { text-align: start; font-weight: bold; padding: .3rem 0; }
.wide { overflow-x: auto; }
th, td { padding: .3rem .6rem; text-align: right; border-bottom: 1px solid #8885; vertical-align: top; }
th:first-child { text-align: left; overflow-wrap: anywhere; }
td small { display: block; opacity: .75; white-space: nowrap; }
figure { margin: 1rem 0; background: #fff; color: #000; }
figure svg { width: 100%; height: auto; }
figcaption { padding: 0 .5rem .5rem; }
code { overflow-wrap: anywhere; }
dt { font-weight: bold; }
@media print {
  :root { color-scheme: light; }
  body { font-size: 10pt; max-width: none; margin: 0; padding: 0; }
  .wide { overflow-x: visible; }
  thead { display: table-header-group; }
  tr, figure { break-inside: avoid; }
  h1, h2, h3, caption { break-after: avoid; }
}
""".strip()

_PAGE = """<!doctype html>
<html lang="en-GB">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{title}</title>
<style>
{style}
</style>
</head>
<body>
<main>
<h1>{title}</h1>
{body}
</main>
</body>
</html>
"""

_SURROGATE = re.compile(r"[\ud800-\udfff]")


def text(value: str) -> str:
    """A text of the input as HTML: escaped, with control characters and changes of direction made visible."""
    return escape(printable(_SURROGATE.sub("\ufffd", value)))


def page(title: str, body: Iterable[str], style: str = "") -> str:
    """The whole page.

    Args:
        title: plain text.
        body: HTML that follows the heading.
        style: rules after those that all pages have.
    """
    return _PAGE.format(title=escape(title), style=f"{_STYLE}\n{style}".strip(), body="\n".join(body))


def table(caption: str, titles: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table whose first column heads its rows.

    Args:
        caption: plain text; "" for none.
        titles: plain text, one a column.
        rows: HTML, one cell a column.
    """
    head = "".join(f'<th scope="col">{escape(title)}</th>' for title in titles)
    lines = [
        f'<tr><th scope="row">{first}</th>{"".join(f"<td>{cell}</td>" for cell in others)}</tr>'
        for first, *others in rows
    ]
    named = f"<caption>{escape(caption)}</caption>" if caption else ""
    # Wide tables scroll on their own, with the keyboard, too.
    group = f'<div class="wide" role="group" aria-label="{escape(caption or titles[0])}" tabindex="0">'
    body = "\n".join(lines)
    return f"{group}<table>{named}<thead><tr>{head}</tr></thead><tbody>\n{body}\n</tbody></table></div>"


def svg(
    draw: Callable[[Figure], object], size: tuple[float, float], name: str, title: str, description: str
) -> str:
    """A plot as one SVG element with the same bytes every time.

    Args:
        draw: draws on an empty figure.
        size: width and height in inches.
        name: begins all ids of the element; pages give every plot its own.
        title: what it is, plain text.
        description: what it shows, for those who do not see it, plain text.
    """
    import matplotlib.style
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    fixed = {"svg.hashsalt": f"statement-checker {name}", "svg.fonttype": "none"}
    with matplotlib.style.context(["default", fixed]):
        figure = Figure(figsize=size, layout="constrained")
        FigureCanvasSVG(figure)
        draw(figure)
        buffer = io.StringIO()
        figure.savefig(buffer, format="svg", metadata=dict.fromkeys(("Creator", "Date", "Format", "Type")))
    drawn = buffer.getvalue()
    drawn = re.sub(r'(\bid="|\burl\(#|\bhref="#)', rf"\g<1>{name}-", drawn[drawn.index("<svg") :])
    opened = f'<svg role="img" aria-labelledby="{name}-title {name}-description"'
    said = (
        f'<title id="{name}-title">{escape(title)}</title>'
        f'<desc id="{name}-description">{escape(description)}</desc>'
    )
    head, rest = drawn.removeprefix("<svg").split(">", 1)
    return f"{opened}{head}>{said}{rest}"
