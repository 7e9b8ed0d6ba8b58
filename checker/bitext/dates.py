"""Calendar dates of a text in canonical form, so that those of two languages compare.

Month names come from CLDR, through babel.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache

import regex

_NUMERIC = regex.compile(
    r"(?<![\p{Nd}.,/-])(?:(?P<y>\p{Nd}{4})-(?P<m>\p{Nd}{2})-(?P<d>\p{Nd}{2})"
    r"|(?P<a>\p{Nd}{1,2})(?P<sep>[./])(?P<b>\p{Nd}{1,2})(?P=sep)(?P<c>\p{Nd}{4}|\p{Nd}{2}))(?![\p{Nd}/])"
)
_SHORT = regex.compile(  # 12.05., 3. 6. 2024, 3/6: a day, if the other text has it; or a number
    r"(?<![\p{Nd}\p{Sc}.,:/-])(?P<a>\p{Nd}{1,2})(?P<sep>[./])\s?(?P<b>\p{Nd}{1,2})"
    r"(?:(?P=sep)(?:\s(?P<y>\p{Nd}{4}))?(?!\p{Nd}))?(?![\p{Nd}/:%]|[.,]\p{Nd})"
)
_EAST_ASIAN = regex.compile(
    r"(?:(?P<y>\p{Nd}{4})\s?[年년]\s?)?(?P<m>\p{Nd}{1,2})\s?[月월]\s?(?P<d>\p{Nd}{1,2})\s?[日号號일]"
)
_ORDINAL = r"(?:st|nd|rd|th|er|º|ª|°|-?е|-?го|-го|-е|-а)?"
_OF = r"(?:\s(?:of|de|del|di|d[’']|the))*"
_LOCALES = {  # month names differ within the Arab world; "Sept." is British
    "ar": ("ar", "ar_SY", "ar_DZ"), "en": ("en", "en_GB"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Date:
    """A date in a text.

    Attributes:
        start, end: where it is.
        readings: what it may mean, as ``(day, month, year or 0)``: 03/04/2020 has two readings.
        sure: whether it is a date at all: 12.05 may be a number.
    """

    start: int
    end: int
    readings: frozenset[tuple[int, int, int]]
    sure: bool = True

    def agrees(self, other: Date) -> bool:
        """Whether both may mean the same day; a missing year agrees with any."""
        return any(
            (day, month) == (other_day, other_month) and (year == other_year or not (year and other_year))
            for day, month, year in self.readings
            for other_day, other_month, other_year in other.readings
        )


def dates(text: str, language: str) -> list[Date]:
    """The dates that have a day and a month, in text order; those of other calendars are not known here.

    Args:
        text: any text.
        language: ISO 639-1 code: month names are looked for in this language.
    """
    found = [date for match in _NUMERIC.finditer(text) if (date := _numeric(match))]
    patterns: list[regex.Pattern[str]] = [_EAST_ASIAN, *_named(language)]
    for pattern in patterns:
        for match in pattern.finditer(text):
            groups = match.groupdict()
            name = groups["m"]
            month = int(name) if name.isdecimal() else _months(language)[name.lower()]
            date = _date(match, [(int(groups["d"]), month, int(groups.get("y") or groups.get("y2") or 0))])
            if date and not any(date.start < known.end and known.start < date.end for known in found):
                found.append(date)
    for match in _SHORT.finditer(text):
        day, month = int(match["a"]), int(match["b"])
        year = int(match["y"] or 0)
        orders = [(month, day, year)] if language == "hu" else [(day, month, year)]
        if match["sep"] == "/":
            orders = [(day, month, year), (month, day, year)]
        date = _date(match, orders)
        if date and not any(date.start < known.end and known.start < date.end for known in found):
            found.append(replace(date, sure=False))
    return sorted(found, key=lambda date: date.start)


def months(text: str, language: str) -> frozenset[int]:
    """The months that a text names, 1 to 12, with or without a day; in English with a capital."""
    pattern = _month(language)
    return (
        frozenset(_months(language)[match[0].lower()] for match in pattern.finditer(text))
        if pattern
        else frozenset()
    )


@cache
def _month(language: str) -> regex.Pattern[str] | None:
    names = "|".join(regex.escape(name) for name in sorted(_months(language), key=len, reverse=True))
    capital = r"(?=\p{Lu})" if language == "en" else ""
    return regex.compile(rf"(?<!\p{{L}}){capital}(?i:{names})(?!\p{{L}}{{4}})") if names else None


def unmatched(ours: Sequence[Date], theirs: Sequence[Date]) -> list[Date]:
    """Those of ``ours`` with which none of ``theirs`` agrees."""
    return [date for date in ours if not any(date.agrees(other) for other in theirs)]


def _date(match: regex.Match[str], readings: list[tuple[int, int, int]]) -> Date | None:
    possible = frozenset((d, m, y) for d, m, y in readings if 1 <= d <= 31 and 1 <= m <= 12)
    return Date(*match.span(), possible) if possible else None


def _numeric(match: regex.Match[str]) -> Date | None:
    if match["y"]:
        return _date(match, [(int(match["d"]), int(match["m"]), int(match["y"]))])
    first, second, year = int(match["a"]), int(match["b"]), int(match["c"])
    year += 2000 if year < 70 else 1900 if year < 100 else 0
    readings = [(first, second, year)]
    if match["sep"] == "/":
        readings.append((second, first, year))
    return _date(match, readings)


@cache
def _months(language: str) -> dict[str, int]:
    """Names and abbreviations of the months in small letters, as they stand beside a day."""
    from babel import Locale, UnknownLocaleError

    months: dict[str, int] = {}
    for name in _LOCALES.get(language, (language,)):
        try:
            forms = Locale.parse(name).months["format"]
        except (UnknownLocaleError, ValueError):
            continue
        for width in "wide", "abbreviated":
            months |= {month.rstrip(".").lower(): number for number, month in forms[width].items()}
    return {month: number for month, number in months.items() if not regex.match(r"\p{Nd}", month)}


@cache
def _named(language: str) -> tuple[regex.Pattern[str], ...]:
    """Day before month, and month before day; empty where months are numbers or unknown."""
    months = _months(language)
    if not months:
        return ()
    names = "|".join(regex.escape(name) for name in sorted(months, key=len, reverse=True))
    # "may" is a month only with a capital; languages that write months small are read in any case.
    month = rf"(?P<m>(?i:{names}))" if language != "en" else rf"(?=\p{{Lu}})(?P<m>(?i:{names}))"
    day = rf"(?<!\p{{Nd}}|\p{{Nd}}[.,:/-])(?P<d>\p{{Nd}}{{1,2}}){_ORDINAL}"
    return (
        regex.compile(
            rf"{day}\.?{_OF}\s?ב?{month}(?!\p{{L}}{{4}})(?:\.?,?{_OF}\s(?P<y>\p{{Nd}}{{4}})(?!\p{{Nd}}))?"
        ),
        regex.compile(
            rf"(?:(?P<y2>(?<!\p{{Nd}})\p{{Nd}}{{4}})\.?\s)?(?<!\p{{L}}){month}\.?\s(?P<d>\p{{Nd}}{{1,2}})"
            rf"(?!\p{{Nd}}|[.,:]\p{{Nd}}|\s?%){_ORDINAL}(?:,?\s(?P<y>\p{{Nd}}{{4}})(?!\p{{Nd}}))?"
        ),
    )
