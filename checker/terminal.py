"""Results for people: a table of many posts, or one post with its evidence highlighted.

Posts are hostile. Nothing of them reaches the terminal as markup, control sequence or change of direction:
text is shown through `printable`, and never parsed for styles.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from checker.result import Result, RowError, Sentence

LABELS = {
    "machine_translated": ("machine-translated", "bold red"),
    "human_written": ("human-written", "green"),
    "uncertain": ("uncertain", "yellow"),
    "not_scored": ("not scored", "dim"),
}
"""What a verdict is called, and its style."""

MACHINE, LOST = ("bold red", "*"), ("underline", "_")
"""How a machine-like word and a span lost in the round trip are shown: a style, or a mark around them."""

_WIDTHS = {"id": 12, "verdict": 18, "P(MT)": 5, "language": 8, "fluency": 7, "chrF++": 6}
_LINE_BREAKS = "\r\v\f\x1c\x1d\x1e\x85\u2028\u2029"
_DIRECTION = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
_PRINTABLE = dict.fromkeys([*range(0x20), *range(0x7F, 0xA0), *map(ord, _DIRECTION)], "\ufffd")
_PRINTABLE |= dict.fromkeys(map(ord, _LINE_BREAKS), " ") | {ord("\t"): " ", ord("\n"): "\n"}


def printable(text: str) -> str:
    """The text with control characters and bidirectional overrides made visible; its length stays."""
    return text.translate(_PRINTABLE)


def table(outcomes: Iterable[Result | RowError], *, header: bool = True) -> Table:
    """A row a post, one line each; tables of the same width line up, so rows can be printed as they come."""
    grid = Table(box=None, expand=True, show_header=header, header_style="bold", padding=(0, 1, 0, 0))
    for name, width in _WIDTHS.items():
        grid.add_column(name, width=width, no_wrap=True, overflow="ellipsis")
    grid.add_column("why", ratio=1, no_wrap=True, overflow="ellipsis")
    for outcome in outcomes:
        if isinstance(outcome, RowError):
            why = f"row {outcome.row}: {outcome.error} {outcome.fix}"
            grid.add_row(_cell(outcome.id), Text("bad row", "bold red"), "", "", "", "", _cell(why))
            continue
        label, style = LABELS[outcome.verdict]
        grid.add_row(
            _cell(outcome.id),
            Text(label, style),
            _percent(outcome.machine_translated),
            _cell((outcome.language.code or "?") + (" mixed" if outcome.language.mixed else "")),
            _number(outcome.fluency, 2),
            _number(outcome.round_trip.chrf if outcome.round_trip else None, 1),
            _cell(next(iter(outcome.reasons + outcome.warnings), "")),
        )
    return grid


def bad_rows(errors: Sequence[RowError], shown: int = 5) -> Iterator[str]:
    """One line for each of the first rows that could not be used, and one for the number of the others."""
    for row in errors[:shown]:
        field = f"field {row.field!r}: " if row.field else ""
        yield f"Left out: row {row.row}: {field}" + " ".join(printable(f"{row.error} {row.fix}").split())
    if (more := len(errors) - shown) > 0:
        yield f"Left out: {more} more bad rows."


def show(result: Result, *, marks: bool = False) -> Group:
    """One post: the verdict, the reasons, and every sentence beside its translation and back-translation.

    Args:
        result: the verdict.
        marks: show highlights by characters instead of colours: ``*points to a machine*`` and
            ``_not given back by the round trip_``.
    """
    label, style = LABELS[result.verdict]
    facts = [
        ("probability", _percent(result.machine_translated)),
        ("language", f"{result.language.code or 'unknown'} {_percent(result.language.confidence)}"),
        ("fluency", _number(result.fluency, 2)),
        ("chrF++", _number(result.round_trip.chrf if result.round_trip else None, 1)),
    ]
    shown = "".join(f"   {name} {value}" for name, value in facts if value)
    headline = Text.assemble((label, style), shown, "   mixed languages" if result.language.mixed else "")
    parts: list[RenderableType] = [headline]
    if result.reasons:
        parts += [Text("\nWhy", "bold"), *(Text(f"- {printable(text)}") for text in result.reasons)]
    if result.sentences:
        parts += [Text("\nSentences", "bold"), _sentences(result, marks), _legend(marks)]
    if result.warnings:
        parts += [Text("\nWarnings", "bold"), *(Text(f"- {printable(text)}") for text in result.warnings)]
    models = ", ".join(f"{role} {name}" for role, name in result.models.items())
    parts.append(Text(f"\nstatement-checker {result.version}; {printable(models)}", "dim"))
    return Group(*parts)


def _sentences(result: Result, marks: bool) -> Table:
    grid = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    grid.add_column(no_wrap=True)
    grid.add_column()
    for number, sentence in enumerate(result.sentences, 1):
        facts = [
            _percent(sentence.machine_translated),
            sentence.language or "unknown language",
            f"fluency {sentence.fluency:.2f}" if sentence.fluency is not None else "",
            f"chrF++ {sentence.chrf:.1f}" if sentence.chrf is not None else "",
            "round trip unreliable, not counted" if sentence.reliable is False else "",
        ]
        grid.add_row(str(number), Text("   ".join(filter(None, facts)), "dim"))
        grid.add_row("post", _highlighted(sentence, marks))
        for name, text in (("pivot", sentence.pivot_text), ("back", sentence.back_translation)):
            if text is not None:
                grid.add_row(name, Text(printable(text)))
    return grid


def _highlighted(sentence: Sentence, marks: bool) -> Text:
    """The sentence with its machine-like words and the spans that the round trip lost."""
    spans = [(word.start, word.end, MACHINE) for word in sentence.words if word.weight > 0]
    spans += [(span.start, span.end, LOST) for span in sentence.differences if span.start < span.end]
    text = printable(sentence.text)
    if marks:
        edges = []  # position, order at the same position, mark
        for start, end, (_, mark) in spans:
            inner = mark == LOST[1]
            edges += [(start - sentence.start, 2 + inner, mark), (end - sentence.start, 1 - inner, mark)]
        for position, _, mark in sorted(edges, reverse=True):
            text = text[:position] + mark + text[position:]
        return Text(text)
    highlighted = Text(text)
    for start, end, (style, _) in spans:
        highlighted.stylize(style, start - sentence.start, end - sentence.start)
    return highlighted


def _legend(marks: bool) -> Text:
    legend = Text("\n")
    for (style, mark), meaning in ((MACHINE, "points to a machine"), (LOST, "lost in the round trip")):
        legend.append(f"{mark}{meaning}{mark}" if marks else meaning, "" if marks else style).append("   ")
    return legend


def _cell(text: str) -> Text:
    return Text(" ".join(printable(text).split()))


def _percent(value: float | None) -> str:
    if value is None:
        return ""
    return ">99%" if value > 0.99 else "<1%" if value < 0.01 else f"{value:.0%}"


def _number(value: float | None, digits: int) -> str:
    return "" if value is None else f"{value:.{digits}f}"
