"""What templates cannot do by themselves: they are loaded and filled here, and plots become inline SVG.

A page loads nothing and runs nothing, and the same input gives the same bytes. Templates escape whatever they
are given, and make its control characters and changes of direction visible: a post is never markup.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from checker.languages import name
from checker.text import compact, in_hundred, percent, printable, signed, valid
from checker.verdict.advice import VERDICTS

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LABEL = 80
"""At most shown of an id or a name."""


def page(template: str, **facts: object) -> str:
    """A whole page.

    Args:
        template: a file in ``checker/pages/templates``.
        facts: what it shows, by the names that it has there.
    """
    return _environment().get_template(template).render(facts)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("checker.pages"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_visible,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "compact": compact,
        "decimal": lambda value, digits: "–" if value is None else f"{value:.{digits}f}",
        "in_100": in_hundred,
        "language": lambda code: "not identified" if code == "?" else name(code),
        "name": name,
        "percent": percent,
        "short": short,
        "signed": signed,
    }
    environment.tests["code"] = lambda code: re.fullmatch(r"[a-z]{2,3}", code or "") is not None
    environment.globals["verdicts"] = VERDICTS
    return environment


def _visible(value: object) -> object:
    """Whatever a template is given, before it is escaped."""
    return printable(valid(value)) if isinstance(value, str) and not isinstance(value, Markup) else value


def short(value: str) -> str:
    """An id or a name on one line, cut where it is very long."""
    return " ".join((value if len(value) <= LABEL else f"{value[:LABEL]}…").split())


def svg(
    draw: Callable[[Figure], object], size: tuple[float, float], name: str, title: str, description: str
) -> Markup:
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
    return Markup(f"{opened}{head}>{said}{rest}")
