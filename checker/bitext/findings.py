"""From signals to findings: what is told about a unit, where it is, and whether it is a flag."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from checker.bitext.checks import Sides
from checker.bitext.document import Text
from checker.bitext.human_rates import FALSE_ALARMS, Direction
from checker.bitext.result import Finding, Kind, Passage
from checker.bitext.signals import FACTS, FOREIGN, Document, Unit
from checker.text import Span

EXPLAINED = 0.1
"""Human rate up to which an omission or addition is told in a unit that is flagged for something else."""


def flagging(signals: Mapping[str, float], rates: Mapping[str, float], cut: float) -> set[str]:
    """The signals that flag a unit: facts that at most 5 % of human segments show, and others up to the cut.

    A fact whose rate was not measured flags, too.
    """
    facts = {name for name in FACTS if signals.get(name, 0) > 0 and rates.get(name, 0.0) <= FALSE_ALARMS}
    return facts | {name for name, rate in rates.items() if name not in FACTS and rate <= cut}


def findings(number: int, unit: Unit, document: Document, human: Direction | None) -> list[Finding]:
    """What there is to tell about a unit.

    Facts and negations are told in any case, other signals where they flag the unit. In a flagged unit a
    likely omission or addition is told as well: it may be why.

    Args:
        number: of the unit.
        unit: with its signals.
        document: that it is from.
        human: what human translations of the direction look like; None where they were not measured.
    """
    rates = human.rates(unit.signals, unit.columns) if human else {}
    flags = flagging(unit.signals, rates, human.cut if human else 0.0)
    hints = {signal for signal in (*FACTS, "negation") if unit.signals.get(signal, 0) > 0}
    if flags:
        hints |= {signal for signal in ("omission", "addition") if rates.get(signal, 1.0) <= EXPLAINED}
    if "copied" in flags:  # what a text that was not translated has or lacks tells nothing more
        flags, hints = {"copied"}, set()
    found = []
    for signal, value in unit.signals.items():
        if signal in flags | hints:
            kind, message, source, target = _told(signal, value, unit, document)
            found.append(
                Finding(
                    kind=kind, message=message, segment=number, source=source, target=target,
                    human_rate=rates.get(signal), flag=signal in flags,
                )
            )  # fmt: skip
    return found if "copied" in flags else [*found, *_hints(number, unit, document)]


def _hints(number: int, unit: Unit, document: Document) -> Iterator[Finding]:
    """What human translators do as well, in other words or another order: to be looked at, never a flag."""
    if unit.source is None or unit.target is None or unit.checks is None:
        return
    sides: list[tuple[Kind, Sides, str]] = [
        (
            "date",
            unit.checks.weekdays,
            "The source has {ours}, the translation {theirs}. Check the day of the week.",
        ),
        (
            "number",
            unit.checks.swapped,
            "The source has {ours}, the translation {theirs}. Check that each number still counts the same.",
        ),
    ]
    for kind, places, message in sides:
        if not places:
            continue
        source, target = _places(unit.source, unit.target, document, places)
        ours, theirs = (", ".join(passage.text for passage in side) for side in (source, target))
        yield Finding(
            kind=kind, message=message.format(ours=ours, theirs=theirs), segment=number,
            source=source, target=target, human_rate=None, flag=False,
        )  # fmt: skip


_Told = tuple[Kind, str, tuple[Passage, ...], tuple[Passage, ...]]


def _told(signal: str, value: float, unit: Unit, document: Document) -> _Told:
    """Kind, message, and the passages of source and target that a finding is about."""
    ours, theirs = unit.source, unit.target
    source, target = _whole(document.source, ours), _whole(document.target, theirs)
    if ours is None or theirs is None or unit.checks is None:
        kind: Kind = "missing" if source else "added"
        return kind, f"Nothing in the {'translation' if source else 'source'} goes with this.", source, target
    checks, adequacy = unit.checks, unit.adequacy
    if signal == "copied":
        what = "in the language of" if value == FOREIGN else "a near copy of"
        return "untranslated", f"The translation is {what} the source.", source, target
    if signal == "number":
        source, target = _places(ours, theirs, document, checks.numbers)
        return "number", _unmatched("numbers", source, target), source, target
    if signal == "date":
        source, target = _places(ours, theirs, document, checks.dates)
        return "date", _unmatched("dates", source, target), source, target
    if signal == "negation":
        source, target = _places(ours, theirs, document, checks.negation)
        says, says_not = ("source", "translation") if source else ("translation", "source")
        return "negation", f"The {says} negates, the {says_not} does not.", source, target
    if signal == "length":
        ratio = len(theirs.text) / len(ours.text)
        return (
            "length",
            f"The translation has {ratio:.2f} times the characters of the source.",
            source,
            target,
        )
    if adequacy and adequacy.omission and signal == "omission":
        start, end = adequacy.omission.clause
        source = (document.source.passage(ours.start + start, ours.start + end),)
        return "omission", "The translation seems to lack this part of the source.", source, target
    if adequacy and adequacy.addition and signal == "addition":
        start, end = adequacy.addition.clause
        target = (document.target.passage(theirs.start + start, theirs.start + end),)
        return "addition", "The source seems to lack this part of the translation.", source, target
    said, given = ("translation", "source") if signal == "forward" else ("source", "translation")
    message = f"The translator finds the {said} unlikely given the {given} ({-value:.2f} nats per token)."
    return "likelihood", message, source, target


def _whole(text: Text, span: Span | None) -> tuple[Passage, ...]:
    return (text.passage(span.start, span.end),) if span else ()


def _places(
    source: Span, target: Span, document: Document, sides: Sides
) -> tuple[tuple[Passage, ...], tuple[Passage, ...]]:
    """Places in the texts of a unit as passages of the document."""
    return (
        tuple(document.source.passage(source.start + a, source.start + b) for a, b in sides.source),
        tuple(document.target.passage(target.start + a, target.start + b) for a, b in sides.target),
    )


def _unmatched(noun: str, ours: tuple[Passage, ...], theirs: tuple[Passage, ...]) -> str:
    """ "The source has 12; the translation does not." Or what both have, where each lacks some."""
    listed = [", ".join(passage.text for passage in passages) for passages in (ours, theirs)]
    if all(listed):
        return f"These {noun} do not match: the source has {listed[0]}, the translation has {listed[1]}."
    if listed[0]:
        return f"The source has {listed[0]}; the translation does not."
    return f"The translation has {listed[1]}; the source does not."
