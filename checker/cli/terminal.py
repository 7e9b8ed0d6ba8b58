"""Results for people: a table of many posts, or one post with its evidence highlighted.

Posts are hostile. Nothing of them reaches the terminal as markup, control sequence or change of direction:
text is shown through `printable`, and never parsed for styles.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from checker.languages import name
from checker.result import Result, RowError, Sentence
from checker.text import compact, in_hundred, printable
from checker.verdict.advice import VERDICTS
from checker.verdict.marks import Run, back_runs, error_rates, evidence, runs

LABELS = {
    verdict: (name, style)
    for (verdict, name), style in zip(
        VERDICTS.items(), ("bold red", "magenta", "green", "yellow", "dim"), strict=True
    )
}
"""What a verdict is called, and its style."""

_MACHINE, _HUMAN, _LOST = "bold red", "green", "underline"
"""How a word that raises the log-odds, one that lowers them, and a changed span are shown."""

_MARKS = ("*", "_")
"""What stands around a word that raises the log-odds and a changed span where there are no styles."""

_SHADES = ("black on green", "black on bright_green", "black on bright_yellow", "black on bright_red",
           "bold white on red")  # fmt: skip
"""How a probability is shown, a fifth each, on terminals of 16 colours, too."""

_WIDTHS = {"id": 12, "verdict": 18, "P(MT)": 5, "language": 8, "fluency": 7, "chrF++": 6}


def table(outcomes: Iterable[Result | RowError], *, header: bool = True) -> Table:
    """A row a post, one line each; tables of the same width line up, so rows can be printed as they come."""
    grid = Table(box=None, expand=True, show_header=header, header_style="bold", padding=(0, 1, 0, 0))
    for column, width in _WIDTHS.items():
        grid.add_column(column, width=width, no_wrap=True, overflow="ellipsis")
    grid.add_column("why", ratio=1, no_wrap=True, overflow="ellipsis")
    for outcome in outcomes:
        if isinstance(outcome, RowError):
            why = f"row {outcome.row}: {outcome.error} {outcome.fix}"
            grid.add_row(_cell(outcome.id), Text("unreadable", "bold red"), "", "", "", "", _cell(why))
            continue
        label, style = LABELS[outcome.verdict]
        grid.add_row(
            _cell(outcome.id),
            Text(label, style),
            _share(outcome.machine_translated),
            _cell((outcome.language.code or "?") + (" mixed" if outcome.language.mixed else "")),
            _share(outcome.fluency),
            _number(outcome.round_trip.chrf if outcome.round_trip else None, 1),
            _cell(_first(outcome)),
        )
    return grid


def bad_rows(errors: Sequence[RowError], shown: int = 5, count: int | None = None) -> Iterator[str]:
    """One line for each of the first rows that could not be used, and one for the number of the others.

    Args:
        errors: these rows, or the first of them.
        shown: lines for rows.
        count: number of all of them; by default those given.
    """
    for row in errors[:shown]:
        field = f"field {row.field!r}: " if row.field else ""
        yield f"Left out: row {row.row}: {field}" + " ".join(printable(f"{row.error} {row.fix}").split())
    if (more := (len(errors) if count is None else count) - min(shown, len(errors))) > 0:
        yield f"Left out: {more} more bad rows."


def show(result: Result, *, marks: bool = False) -> Group:
    """One post: the verdict and its error rate, the evidence, every sentence beside its translations, advice.

    Args:
        result: the verdict.
        marks: no colours or other styles; highlights are characters: ``*raises the log-odds*`` and
            ``_not given back by the round trip_``.
    """

    def styled(text: str, style: str) -> Text:
        return Text(text, "" if marks else style)

    def listed(title: str, lines: Iterable[str]) -> list[RenderableType]:
        items = [_item(printable(line)) for line in lines]
        return [styled(f"\n{title}", "bold"), *items] if items else []

    headline = styled(*LABELS[result.verdict])
    if (probability := result.machine_translated) is not None:
        shown = _shaded(in_hundred(probability), probability, marks)
        meaning = " posts like this one were machine-translated, where half of all posts are"
        headline = Text.assemble(headline, "   ", shown, meaning)
    sure = f" ({compact(result.language.confidence)} sure)" if result.language.code else ""
    told = [f"language {_language(result.language.code)}{sure}", *_facts(result)]
    told += [f"chrF++ {result.round_trip.chrf:.1f}"] if result.round_trip else []
    told += ["mixed languages"] if result.language.mixed else []
    parts: list[RenderableType] = [headline, *(Text(printable(rate)) for rate in error_rates(result))]
    parts.append(Text(printable("   ".join(told))))
    parts += listed("Why", evidence(result))
    if result.sentences:
        parts += [styled("\nSentences", "bold"), _sentences(result, marks), _legend(marks)]
    parts += listed("Warnings", (warning.text for warning in result.warnings))
    parts += listed("What to do next", result.advice)
    models = ", ".join(f"{role} {label}" for role, label in result.models.items())
    parts.append(styled(printable(f"\nstatement-checker {result.version}; {models}"), "dim"))
    return Group(*parts)


def _sentences(result: Result, marks: bool) -> Table:
    grid = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    grid.add_column(no_wrap=True)
    grid.add_column()
    for number, sentence in enumerate(result.sentences, 1):
        facts = [_language(sentence.language), *_facts(sentence)]
        facts += [f"chrF++ {sentence.chrf:.1f}"] if sentence.chrf is not None else []
        facts += ["round trip unreliable, not counted"] if sentence.reliable is False else []
        said = Text("   ".join(map(printable, facts)), "" if marks else "dim")
        if (probability := sentence.machine_translated) is not None:
            said = Text.assemble(_shaded(compact(probability), probability, marks), "   ", said)
        grid.add_row(str(number), said)
        grid.add_row("post", _highlighted(runs(sentence), marks))
        if sentence.pivot_text is not None and sentence.grade == "draft":
            label = f"in {name(sentence.pivot)}" if sentence.pivot else "translated"
            grid.add_row(Text(printable(label)), "a draft translation, left out: it is not to be quoted")
        elif sentence.pivot_text is not None:
            label = f"in {name(sentence.pivot)}" if sentence.pivot else "translated"
            grid.add_row(Text(printable(label)), Text(printable(sentence.pivot_text)))
        if sentence.back_translation is not None and sentence.grade != "draft":
            grid.add_row("and back", _highlighted(back_runs(sentence), marks))
        if moved := _moved(sentence):
            grid.add_row("words", Text(moved))
    return grid


_Stretch = tuple[str, tuple[str, ...], str]  # text, marks, style


def _language(code: str | None) -> str:
    return name(code) if code else "unknown"


def _facts(found: Result | Sentence) -> list[str]:
    return [] if found.fluency is None else [f"more fluent than {compact(found.fluency)} of human texts"]


def _highlighted(stretches: Iterable[Run], marks: bool) -> Text:
    """A text with the words that moved its style, and where it differs from the other side."""
    drawn = []
    for run in stretches:
        held = [mark for mark, holds in zip(_MARKS, (run.weight > 0, run.differs), strict=True) if holds]
        word = _MACHINE if run.weight > 0 else _HUMAN if run.weight < 0 else ""
        drawn.append((run.text, tuple(held), " ".join(filter(None, [word, _LOST if run.differs else ""]))))
    return _marked(drawn) if marks else _coloured(drawn)


def _coloured(stretches: Iterable[_Stretch]) -> Text:
    return Text.assemble(*((printable(text), style) for text, _, style in stretches))


def _marked(stretches: Iterable[_Stretch]) -> Text:
    """Marks at the edges of what they mark, the later one inside."""
    written: list[str] = []
    opened: tuple[str, ...] = ()
    for text, marks, _ in [*stretches, ("", (), "")]:
        written += [mark for mark in reversed(opened) if mark not in marks]
        written += [mark for mark in marks if mark not in opened]
        written.append(printable(text))
        opened = marks
    return Text("".join(written))


def _moved(sentence: Sentence) -> str:
    """The words that moved the style of a sentence, with their shares, strongest first."""
    words = sorted(sentence.words, key=lambda word: -abs(word.weight))
    named = []
    for word in words:
        start, end = word.start - sentence.start, word.end - sentence.start
        if 0 <= start < end <= len(sentence.text):
            named.append(f"{printable(sentence.text[start:end])} {word.weight:+.2f}")
    return "   ".join(named)


def _legend(marks: bool) -> Text:
    words = "words: shares of the log-odds of the sentence; “Why” compares the post with a typical human one"
    if marks:
        raises, lost = _MARKS
        return Text(f"\n{raises}raises the log-odds{raises}   {lost}lost in the round trip{lost}   {words}")
    return Text.assemble(
        "\n", ("raises the log-odds", _MACHINE), "   ", ("lowers them", _HUMAN), "   ",
        ("lost in the round trip", _LOST), f"   {words}",
    )  # fmt: skip


def _item(text: str) -> Table:
    """A line of a list, its further lines indented."""
    grid = Table.grid(padding=(0, 1, 0, 0))
    grid.add_row("-", Text(text))
    return grid


def _shaded(shown: str, probability: float, marks: bool) -> Text:
    shade = _SHADES[min(int(probability * len(_SHADES)), len(_SHADES) - 1)]
    return Text(shown) if marks else Text(f" {shown} ", shade)


def _first(result: Result) -> str:
    """The most telling sentence about a post."""
    told = [reason.text for reason in result.reasons] + [warning.text for warning in result.warnings]
    return told[0] if told else ""


def _cell(text: str) -> Text:
    return Text(" ".join(printable(text).split()))


def _share(value: float | None) -> str:
    return "" if value is None else compact(value)


def _number(value: float | None, digits: int) -> str:
    return "" if value is None else f"{value:.{digits}f}"
