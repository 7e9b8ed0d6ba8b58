"""What a translation must keep whatever its wording: numbers, dates, negation; and that it is not a copy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import regex

from checker.bitext import dates, negation, number_words, numbers, weekdays
from checker.bitext.dates import Date
from checker.bitext.number_words import Word, words
from checker.bitext.numbers import Number
from checker.bitext.phones import Phone, agreeing, phones
from checker.bitext.reference import chrf
from checker.bitext.weekdays import Weekday

_Counts = list[Number | Word]
Places = tuple[tuple[int, int], ...]
"""First characters and one past the last, in text order."""

_YEAR = regex.compile(r"(?:1[5-9]|20)\d\d")
_SIGN = regex.compile(r"[%٪\p{Sc}]")


@dataclass(frozen=True)
class Sides:
    """Places in the source and in the target."""

    source: Places = ()
    target: Places = ()

    def __len__(self) -> int:
        return len(self.source) + len(self.target)


@dataclass(frozen=True)
class Checks:
    """What does not match in a pair of texts.

    Attributes:
        numbers: those whose value the other text has not.
        dates: those of either side with which none of the other agrees; empty unless both have some.
        negation: negators of the only side that has any.
        copied: chrF++ of the target against the source, 0 to 100.
        weekdays: days of the week that the other text has not; empty unless both sides have one.
        swapped: two numbers that both texts have, each in the place of the other.
    """

    numbers: Sides
    dates: Sides
    negation: Sides
    copied: float
    weekdays: Sides = Sides()
    swapped: Sides = Sides()


def check(source: str, target: str, source_language: str, target_language: str) -> Checks:
    """Compare a text with its translation.

    Args:
        source, target: the texts.
        source_language, target_language: ISO 639-1 codes.
    """
    counted = numbers.numbers(source, source_language), numbers.numbers(target, target_language)
    worded = words(source, source_language), words(target, target_language)
    dated = dates.dates(source, source_language), dates.dates(target, target_language)
    odd_dates = _contradicted(dated[0], dated[1], counted[1]), _contradicted(dated[1], dated[0], counted[0])
    contradict = bool(odd_dates[0] and odd_dates[1])
    called = phones(source), phones(target)
    # "5 May 2020" against "yesterday": the day and the year count as numbers then.
    settled: list[list[Date | Phone]] = [
        [
            *(date for date in ours if _settles(date, theirs, contradict or date not in odd)),
            *agreeing(calls, other_calls),
        ]
        for ours, theirs, odd, calls, other_calls in (
            (dated[0], dated[1], odd_dates[0], called[0], called[1]),
            (dated[1], dated[0], odd_dates[1], called[1], called[0]),
        )
    ]
    odd_numbers: tuple[_Counts, _Counts] = (
        _outside(numbers.unmatched(counted[0], counted[1], target, target_language), settled[0]),
        _outside(numbers.unmatched(counted[1], counted[0], source, source_language), settled[1]),
    )
    if not all(odd_numbers):  # CO2 may be "carbon dioxide", but not CO3
        odd_numbers = _unnamed(odd_numbers[0]), _unnamed(odd_numbers[1])
    odd_words = (
        _unmatched_words(worded[0], counted[1], target, target_language),
        _unmatched_words(worded[1], counted[0], source, source_language),
    )
    known = {source_language, target_language} <= set(number_words.LANGUAGES)
    if known and all(odd_numbers[side] or odd_words[side] for side in (0, 1)):  # "fifteen" against "fifty"
        odd_numbers = odd_numbers[0] + odd_words[0], odd_numbers[1] + odd_words[1]
    days = weekdays.weekdays(source, source_language), weekdays.weekdays(target, target_language)
    odd_days = weekdays.unmatched(days[0], days[1]), weekdays.unmatched(days[1], days[0])
    return Checks(
        numbers=Sides(*map(_places, odd_numbers)),
        dates=Sides(*map(_places, odd_dates)) if contradict else Sides(),
        negation=_one_sided((source, source_language), (target, target_language)),
        copied=chrf(target, source),
        weekdays=Sides(*map(_places, odd_days)) if all(odd_days) else Sides(),
        swapped=_swapped((source, target), _counts(counted, worded, settled)),
    )


def _unnamed(found: _Counts) -> _Counts:
    return [number for number in found if isinstance(number, Word) or not number.named]


def _settles(date: Date, theirs: Sequence[Date], settled: bool) -> bool:
    """Whether the numbers of a date need no counterpart: 12.05. is a date if the other text has that day."""
    return settled if date.sure else any(date.agrees(other) for other in theirs)


def _unmatched_words(ours: Sequence[Word], theirs: Sequence[Number], text: str, language: str) -> _Counts:
    """Exact numbers in words that the other text has in no form; not places in a row, nor "hundred"."""
    known = {reading for number in theirs for reading in number.readings}
    known |= number_words.values(text, language)
    return [word for word in ours if _is_exact(word) and word.value not in known]


def _is_exact(word: Word) -> bool:
    return word.counts and not word.ordinal and word.value != "0" and word.value.rstrip("0") != "1"


def _counts(
    counted: tuple[list[Number], list[Number]],
    worded: tuple[Sequence[Word], Sequence[Word]],
    settled: Sequence[Sequence[Date | Phone]],
) -> tuple[_Counts, _Counts]:
    """Numbers of both sides that may count things, in text order: no dates, years and places in a row."""
    sides: list[_Counts] = []
    for numbers_, words_, known in zip(counted, worded, settled, strict=True):
        kept = [n for n in _outside(numbers_, known) if not _YEAR.fullmatch(_value(n))]
        kept += [word for word in words_ if _is_exact(word)]
        sides.append(sorted(kept, key=lambda count: count.start))
    return sides[0], sides[1]


def _swapped(texts: tuple[str, str], counts: tuple[_Counts, _Counts]) -> Sides:
    """Two numbers that have changed places while all others kept theirs; not if each kept its sign."""
    ours, theirs = counts
    values = [_value(count) for count in ours], [_value(count) for count in theirs]
    if sorted(values[0]) != sorted(values[1]) or len(set(values[0])) != len(values[0]):
        return Sides()
    moved = [place for place, (a, b) in enumerate(zip(*values, strict=True)) if a != b]
    if len(moved) != 2:
        return Sides()
    signs = [
        [_SIGN.search(text[max(count.start - 2, 0) : count.end + 2]) is not None for count in side]
        for text, side in zip(texts, counts, strict=True)
    ]
    if signs[0][moved[0]] != signs[0][moved[1]]:
        return Sides()
    return Sides(_places([ours[place] for place in moved]), _places([theirs[place] for place in moved]))


def _value(count: Number | Word) -> str:
    return count.value if isinstance(count, Word) else count.readings[0]


def _contradicted(ours: Sequence[Date], theirs: Sequence[Date], numbers: Sequence[Number]) -> list[Date]:
    """Those of ``ours`` with which none of ``theirs`` agrees; "5 to 8 May" agrees with "May 5 to 8"."""
    known = {reading for number in numbers for reading in number.readings}
    days = {(day, month) for date in theirs for day, month, _ in date.readings}
    return [
        date
        for date in dates.unmatched(ours, theirs)
        if date.sure
        and not any(
            str(day) in known and any(other != day and same == month for other, same in days)
            for day, month, _ in date.readings
        )
    ]


def _one_sided(source: tuple[str, str], target: tuple[str, str]) -> Sides:
    """The negators of the only side that has any, unless words of the other imply a negation."""
    if not {source[1], target[1]} <= set(negation.LANGUAGES):
        return Sides()
    found = tuple(negation.negators(*source)), tuple(negation.negators(*target))
    silent = target if found[0] else source
    return Sides() if bool(found[0]) == bool(found[1]) or negation.implied(*silent) else Sides(*found)


def _places(found: Sequence[Number | Word | Date | Weekday]) -> Places:
    return tuple((one.start, one.end) for one in sorted(found, key=lambda one: one.start))


def _outside(found: Sequence[Number], settled: Sequence[Date | Phone]) -> _Counts:
    """The numbers that are not part of one of the dates and telephone numbers."""
    return [n for n in found if not any(known.start <= n.start < known.end for known in settled)]
