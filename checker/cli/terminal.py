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
from checker.text import compact, in_hundred, printable, signed
from checker.verdict.advice import HALF, QUESTIONS, VERDICTS
from checker.verdict.headline import said, share_of, telling
from checker.verdict.marks import Run, back_runs, error_rates, evidence, runs

LABELS = {
    verdict: (name, style)
    for (verdict, name), style in zip(
        VERDICTS.items(), ("bold red", "red", "magenta", "green", "yellow", "dim"), strict=True
    )
}
"""What a verdict is called, and its style."""

_MACHINE, _HUMAN, _LOST, _BROKEN = "bold red", "cyan", "underline", "reverse"
"""How a word that points to machine translation, one that points to a human, and a changed span are shown."""

_MARKS = ("*", "_", "~")
"""What stands around a word that points to a machine and a changed span where there are no styles."""

_SHADES = ("dim", "black on white", "black on bright_yellow", "black on bright_red", "bold white on red")
"""How a probability is shown, a fifth each, on terminals of 16 colours as well; green is for human posts."""

_WIDTHS = {"verdict": 18, "of 100": 6, "false alarm": 11, "lang": 5}
_ID = 20
"""Columns of the terminal for ids; a longer one goes on in the next line."""

_KINDS = {"encoder": "wording", "style": "patterns", "fluency": "fluency", "round_trip": "round trip"}
"""What a kind of evidence is called in a table."""


def table(outcomes: Sequence[Result | RowError]) -> Table:
    """A row for each post, the most suspicious first.

    ``of 100`` is how many of 100 posts like this were machine-translated, or worded word for word where that
    is the verdict, ``false alarm`` how many human ones score as high, and the last column the share of human
    posts with less of each kind of evidence.
    """
    grid = Table(box=None, expand=True, header_style="bold", padding=(0, 1, 0, 0))
    ids = [_cell(outcome.id) for outcome in outcomes]
    grid.add_column("id", width=min(_ID, max([2, *(id.cell_len for id in ids)])), overflow="fold")
    for column, width in _WIDTHS.items():
        grid.add_column(column, width=width, no_wrap=True, overflow="ellipsis")
    grid.add_column("humans below", ratio=1, no_wrap=True, overflow="ellipsis")
    for outcome, id in sorted(zip(outcomes, ids, strict=True), key=lambda row: suspicion(row[0])):
        if isinstance(outcome, RowError):
            why = f"row {outcome.row}: {outcome.error} {outcome.fix}"
            grid.add_row(id, Text("unreadable", "bold red"), "", "", "", _cell(why))
            continue
        label, style = LABELS[outcome.verdict]
        withheld = any(reason.kind == "withheld" for reason in outcome.reasons)
        alarm = telling(outcome.verdict, outcome.false_alarm_rate, withheld=withheld)
        probability = outcome.suspicion
        grid.add_row(
            id,
            Text(label, style),
            "" if probability is None else compact(probability).removesuffix("%"),
            "" if alarm is None else share_of(alarm),
            _cell((outcome.language.code or "?") + ("+" if outcome.language.mixed else "")),
            _cell(_first(outcome)),
        )
    return grid


def suspicion(outcome: Result | RowError) -> tuple[int, float]:
    """A key that sorts the most suspicious posts first, then those without a probability, then bad rows."""
    if isinstance(outcome, RowError):
        return 2, 0.0
    return (1, 0.0) if outcome.suspicion is None else (0, -outcome.suspicion)


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
    """One post: the finding, what to do next, the probabilities, then the evidence and every sentence.

    Args:
        result: the verdict.
        marks: no colours or other styles; highlights are characters: ``*points to machine translation*`` and
            ``_not given back by the round trip_``.
    """

    def styled(text: str, style: str) -> Text:
        return Text(printable(text), "" if marks else style)

    def listed(title: str, lines: Iterable[str]) -> list[RenderableType]:
        items = [_item(printable(line)) for line in lines]
        return [styled(f"\n{title}", "bold"), *items] if items else []

    parts: list[RenderableType] = [styled(said(result), LABELS[result.verdict][1])]
    parts += listed("What to do next", result.advice)
    parts += [Text(""), *_answers(result, marks)]
    sure = f" ({compact(result.language.confidence)} sure)" if result.language.code else ""
    mixed = ["mixed languages"] if result.language.mixed else []
    parts.append(Text(printable("   ".join([f"language {_language(result.language.code)}{sure}", *mixed]))))
    parts += listed("Warnings", (warning.text for warning in result.warnings))
    parts += listed("Why", evidence(result))
    parts += listed("How often this is wrong", error_rates(result))
    if result.sentences:
        parts += [styled("\nSentences", "bold"), _sentences(result, marks), _legend(marks)]
    models = ", ".join(f"{role} {label}" for role, label in result.models.items())
    parts.append(styled(f"\nstatement-checker {result.version}; {models}", "dim"))
    return Group(*parts)


def _answers(result: Result, marks: bool) -> list[Text]:
    """A line for each question with its probability."""
    asked = {title: getattr(result, question) for question, title in QUESTIONS.items()}
    known = {title: value for title, value in asked.items() if value is not None}
    lines = [
        Text.assemble(f"{question}: ", _shaded(in_hundred(value), value, marks), " posts like this")
        for question, value in known.items()
    ]
    return [*lines, Text(HALF)] if lines else []


def _sentences(result: Result, marks: bool) -> Table:
    grid = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    grid.add_column(no_wrap=True)
    grid.add_column()
    for number, sentence in enumerate(result.sentences, 1):
        facts = [_language(sentence.language), *_facts(sentence)]
        facts += [f"chrF++ {sentence.chrf:.1f}"] if sentence.chrf is not None else []
        facts += ["round trip unreliable, not counted"] if sentence.reliable is False else []
        told = Text("   ".join(map(printable, facts)), "" if marks else "dim")
        probability = sentence.machine_translated if len(result.sentences) > 1 else None  # else it was said
        if probability is not None:
            told = Text.assemble(_shaded(in_hundred(probability), probability, marks), "   ", told)
        grid.add_row(str(number), told)
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


def _facts(found: Sentence) -> list[str]:
    told = [] if found.fluency is None else [f"more fluent than {compact(found.fluency)} of human texts"]
    if found.rudimentary is not None and found.rudimentary >= 0.5:
        told.append(f"rudimentary: {in_hundred(found.rudimentary)}")
    return told


def _highlighted(stretches: Iterable[Run], marks: bool) -> Text:
    """A text with the words that moved its style, where it differs from the other side, and where it is
    broken."""
    drawn = []
    for run in stretches:
        holding = (run.weight > 0, run.differs, run.broken)
        held = [mark for mark, holds in zip(_MARKS, holding, strict=True) if holds]
        word = _MACHINE if run.weight > 0 else _HUMAN if run.weight < 0 else ""
        styles = [word, _LOST if run.differs else "", _BROKEN if run.broken else ""]
        drawn.append((run.text, tuple(held), " ".join(filter(None, styles))))
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
            named.append(f"{printable(sentence.text[start:end])} {signed(word.weight)}")
    return "   ".join(named)


def _legend(marks: bool) -> Text:
    if marks:
        meanings = ("points to machine translation", "lost in the round trip", "out of place")
        told = (f"{mark}{meaning}{mark}" for mark, meaning in zip(_MARKS, meanings, strict=True))
        return Text("\n" + "   ".join(told))
    return Text.assemble(
        "\n", ("points to machine translation", _MACHINE), "   ", ("points to a human", _HUMAN), "   ",
        ("lost in the round trip", _LOST), "   ", ("out of place", _BROKEN),
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
    """The numbers of the evidence, strongest first; without any, why there is none."""
    ranks: dict[str, str] = {}  # of a mixed post, those of its main language
    for reason in result.reasons:
        if reason.kind in _KINDS and reason.rank is not None:
            ranks.setdefault(reason.kind, f"{_KINDS[reason.kind]} {compact(reason.rank)}")
    if ranks:
        return ", ".join(ranks.values())
    return said(result).removeprefix("Not scored: ") if result.verdict == "not_scored" else ""


def _cell(text: str) -> Text:
    return Text(" ".join(printable(text).split()))
