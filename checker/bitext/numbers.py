"""Numbers of a text in canonical form, so that those of two languages compare.

Separators come from CLDR, through babel. Where a spelling may mean more than one number, all its readings
count: "£50m", "350,000" in a Russian text, "25 to 40 thousand", "the 90s".
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache

import regex

from checker.bitext import dates, number_words
from checker.bitext.number_words import power, scale_pattern, times

_SEPARATORS = ".,٫٬'’ \u00a0\u2009\u202f"
_NUMBER = regex.compile(
    r"(?<!\p{Nd})(?:\p{Nd}{1,3}(?:[ \u00a0\u2009\u202f]\p{Nd}{3})+(?!\p{Nd})(?:[.,٫]\p{Nd}+)?"
    r"|\p{Nd}+(?:[.,٫٬'’]\p{Nd}+)*)"
)
_CLOCK = regex.compile(  # 21:30, 9 pm, 9:30 p.m., 9.30pm, 9 h 30, 9 Uhr 30
    r"(?<![\p{Nd}:.,])(?P<hour>[01]?\d|2[0-3])"
    r"(?:(?:(?P<mark>[:：]|\s?(?:h|heures|uhr)\s?)|[.](?=\d\d\s?[ap]\.?m\b))(?P<minute>[0-5]\d))?"
    r"(?:\s?(?P<half>[ap])\.?m\b|(?(mark)(?![\p{Nd}:：])|(?!)))",
    regex.IGNORECASE,
)
_EAST_ASIAN_CLOCK = regex.compile(  # 19時30分, 午後5時半, 오후 3시
    r"(?P<half>午後|下午|晚上|오후)?\s?(?<!\p{Nd})(?P<hour>[01]?\d|2[0-3])\s?[時时点點시]\s?"
    r"(?:(?P<minute>[0-5]?\d)\s?[分분]|(?P<thirty>[半반]))"
)
_EAST_ASIAN_MONTH = regex.compile(r"\s?[月월](?!間)")
_ALWAYS = regex.compile(r"24/7|365/7")
_SHORT_YEAR = regex.compile(r"(?<!\p{Nd})(?P<century>1[5-9]|20)\p{Nd}{2}[-–/]$")  # before the 96 of 1995-96
_DECADE = regex.compile(r"['’]?s\b|-?(?:[ех]|ые|ых|е)\b|-?er\b")
_TEN_YEARS = regex.compile(r"19\d0")
_RANGE = regex.compile(r"\s?(?:[-–—]|\p{L}{1,4})\s?\p{Sc}?")
_NAMED = regex.compile(r"\p{Latin}\d$")
SMALL = 12
"""Numbers up to this are often written as words."""


@dataclass(frozen=True, slots=True)
class Number:
    """A number in a text.

    Attributes:
        start, end: where it is.
        readings: what it may stand for, likeliest first: digits with an optional decimal point, "21:30" for a
            time of day.
        named: whether it is part of a name or a unit: CO2, MP3, km2.
        month: whether it is a month that other languages have a name for: 6月.
    """

    start: int
    end: int
    readings: tuple[str, ...]
    named: bool = False
    month: bool = False


def numbers(text: str, language: str) -> list[Number]:
    """The numbers that are written in digits, in text order.

    Digits of any script become ASCII; separators are read as the language writes them; a following scale
    word (million, млн, 億) multiplies; 9 pm is 21. Signs, currencies and "%" are not part of a number.

    Args:
        text: any text.
        language: ISO 639-1 code.
    """
    clocks = _clocks(text)
    taken = {place for number in clocks for place in range(number.start, number.end)}
    taken |= {place for match in _ALWAYS.finditer(text) for place in range(*match.span())}
    decimal, scales = _decimal_symbol(language), scale_pattern(language)
    found: list[Number] = []
    open_power = 0  # of ten, below which what follows at once is part of the number before
    for match in _NUMBER.finditer(text):
        below, open_power = open_power, 0
        if match.start() in taken:
            continue
        readings = _readings(match[0], decimal)
        if not readings:  # a version, a score, a list without blanks: each of its parts
            pieces = regex.finditer(r"\p{Nd}+", match[0])
            at = match.start()
            found += [Number(at + p.start(), at + p.end(), (canonical(_ascii(p[0])),)) for p in pieces]
            continue
        word = scales.match(text, match.end()) if scales else None
        exponent = power(word, language) if word else 0
        end = word.end() if word else match.end()
        if below > exponent and _joined(text[found[-1].end : match.start()], exponent, language):
            total = _sum(found[-1], readings[0], exponent, below)
            if total is not None:  # 1億2000万, "9 mil 200"
                found[-1] = Number(found[-1].start, end, (total,))
                open_power = exponent
                continue
        if word is None:
            further = _more(readings[0], text, match.end(), language) + _year(text, match)
            named = _NAMED.search(text, max(match.start() - 1, 0), match.end()) is not None
            month = _EAST_ASIAN_MONTH.match(text, match.end()) is not None
            found.append(Number(*match.span(), readings + further, named, month))
            continue
        if found and _RANGE.fullmatch(text, found[-1].end, match.start()):  # "25 to 40 thousand"
            wider = tuple(times(reading, exponent) for reading in found[-1].readings if ":" not in reading)
            found[-1] = replace(found[-1], readings=found[-1].readings + wider)
        scaled = tuple(times(reading, exponent) for reading in readings)
        if language == "cs" and word["w"] == "mil":  # millions, or miles
            scaled += readings
        found.append(Number(match.start(), end, scaled))
        open_power = exponent
    return sorted([*clocks, *found], key=lambda number: number.start)


def _sum(before: Number, value: str, exponent: int, below: int) -> str | None:
    """A number and what continues it; None if it is too large to, or not whole."""
    part, whole = times(value, exponent), before.readings[0]
    if not (part.isdigit() and whole.isdigit()) or int(part) >= 10**below:
        return None
    return str(int(whole) + int(part))


def _joined(between: str, exponent: int, language: str) -> bool:
    """Whether two numbers with this between them are one: 120万3456 is, "5 million 300 people" is not."""
    if language in ("ja", "ko", "zh"):
        return between in ("", " ")
    return between in (" ", "\u00a0") and (exponent > 0 or language == "es")


def canonical(whole: str, fraction: str = "") -> str:
    """``whole.fraction`` in ASCII digits without zeros that say nothing."""
    return times(f"{whole}.{fraction}", 0)


def unmatched(ours: Sequence[Number], theirs: Sequence[Number], text: str, language: str) -> list[Number]:
    """Those of ``ours`` that the other text does not have, in digits, in words or in Roman numerals.

    Small numbers count only if the words of the other language are known here.

    Args:
        ours: numbers of one text.
        theirs: numbers of the other.
        text: the other text.
        language: that of the other text.
    """
    known = {reading for number in theirs for reading in number.readings}
    known |= number_words.values(text, language)
    worded = language in number_words.LANGUAGES
    named = (
        {str(month) for month in dates.months(text, language)} if any(n.month for n in ours) else frozenset()
    )
    return [
        number
        for number in ours
        if known.isdisjoint(number.readings)
        and (worded or not _is_small(number.readings[0]))
        and not (number.month and number.readings[0] in named)
    ]


def _is_small(value: str) -> bool:
    return len(value) <= 2 and value.isdigit() and int(value) <= SMALL


def _clocks(text: str) -> list[Number]:
    found = []
    for match in _CLOCK.finditer(text):
        hour, minute = int(match["hour"]), match["minute"] or "00"
        hours = [hour]
        if match["half"]:
            hour %= 12
            hours = [hour + 12, hour or 12] if match["half"] in "pP" else [hour, hour or 12]
        # Others may say it by twelve hours: "2 дня", "8 Uhr abends".
        times_ = tuple(dict.fromkeys(str(h) if minute == "00" else f"{h}:{minute}" for h in hours))
        end = match.end("minute") if match["minute"] else match.end("hour")
        found.append(Number(match.start("hour"), end, times_))
    for match in _EAST_ASIAN_CLOCK.finditer(text):
        hour, minute = int(match["hour"]), (match["minute"] or "30").rjust(2, "0")
        hours = [hour % 12 + 12, hour] if match["half"] else [hour]
        said = tuple(f"{h}:{minute}" for h in hours)
        found.append(Number(match.start("hour"), match.end(), said))
    return found


def _more(value: str, text: str, end: int, language: str) -> tuple[str, ...]:
    """Further readings of a number without a scale word, going by what follows."""
    if language == "en" and regex.match(r"m\b", text, pos=end):  # "£50m", or fifty metres
        return (times(value, 6),)
    if _DECADE.match(text, end):
        if len(value) == 2 and value[1] == "0":
            return (f"19{value}",)
        if _TEN_YEARS.fullmatch(value):
            return (value[2:],)
    if regex.fullmatch(r"(?:1?\d|2[0-3])\.[0-5]\d?", value):  # 14.25 is a time of day in some languages
        whole, fraction = value.split(".")
        return (f"{whole}:{fraction.ljust(2, '0')}",)
    return ()


def _year(text: str, match: regex.Match[str]) -> tuple[str, ...]:
    """1996 for the 96 of 1995-96."""
    before = _SHORT_YEAR.search(text[max(match.start() - 6, 0) : match.start()])
    return (before["century"] + _ascii(match[0]),) if before and len(match[0]) == 2 else ()


def _ascii(digits: str) -> str:
    return "".join(str(unicodedata.decimal(digit)) for digit in digits)


def _readings(token: str, decimal: str) -> tuple[str, ...]:
    """What a token stands for as the language writes it; nothing if it is not one number."""
    pieces = [_ascii(piece) for piece in regex.split(f"[{_SEPARATORS}]", token)]
    marks = regex.findall(f"[{_SEPARATORS}]", token)
    if not marks:
        return (canonical(pieces[0]),)
    grouped = _grouped(pieces, marks)
    if marks[-1] in (decimal, "٫") and marks.count(marks[-1]) == 1 and _grouped(pieces[:-1], marks[:-1]):
        value = canonical("".join(pieces[:-1]), pieces[-1])
        # English separators are often left as they are where the comma is the decimal sign.
        return (value, canonical("".join(pieces))) if grouped and marks[-1] == "," else (value,)
    if grouped:
        return (canonical("".join(pieces)),)
    return (canonical(*pieces),) if len(pieces) == 2 and marks[0] in ".," else ()


def _grouped(pieces: Sequence[str], marks: Sequence[str]) -> bool:
    """Whether the pieces are groups of three digits, or Indian ones, with one kind of mark between."""
    if not marks:
        return True
    if len(set(marks)) > 1 or pieces[0][0] == "0":
        return False
    sizes = [len(piece) for piece in pieces]
    if marks[0] == "," and len(sizes) > 2 and sizes[0] <= 2 and sizes[-1] == 3 and set(sizes[1:-1]) == {2}:
        return True  # 12,50,000
    return sizes[0] <= 3 and set(sizes[1:]) == {3}


@cache
def _decimal_symbol(language: str) -> str:
    from babel import Locale, UnknownLocaleError

    try:
        symbols = Locale.parse(language).number_symbols
    except (UnknownLocaleError, ValueError):
        return "."
    return str(symbols.get("latn", {}).get("decimal", "."))
