"""Numbers in words, in English, French, German, Russian and Spanish, and the scale words of every language.

text2num reads the western languages, number-parser the cases of Russian cardinals. What neither has is listed
here: ordinals of Russian, "both", "dozen", and numbers inside of words ("achtzehnjährig").
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from itertools import pairwise

import regex
from number_parser import parse_number
from text_to_num import find_numbers

_FURTHER = {  # value: forms that no library knows as the value; "*" stands for any ending
    "de": {
        "0.5": "halb* hälfte", "1": "ein eine einen einem einer eines einmal* einzig* erst*",
        "1.5": "anderthalb*",
        "2": "beide* zweimal* doppel* zweit* paar", "3": "dreimal* dritt*", "4": "viertel*",
        "10": "jahrzehnt*",
        "12": "dutzend*",
        "24": "tag*", "50": "halb* hälfte", "100": "hunderte* jahrhundert*", "1000": "tausende*",
    },
    "en": {
        "0.5": "half", "1": "a an once single", "2": "twice both pair couple double*", "3": "thrice triple*",
        "4": "quarter*", "10": "decade*", "12": "dozen*", "20": "twenties", "24": "day days",
        "30": "thirties", "40": "forties", "50": "fifties half", "60": "sixties", "70": "seventies",
        "80": "eighties", "90": "nineties", "100": "centur*",
    },
    "es": {
        "0.5": "medio media mitad", "1": "un una ún único única", "2": "ambos ambas dos doble* par pareja",
        "3": "triple*", "4": "cuarto cuarta cuartos", "10": "década* decena*", "12": "docena*",
        "21": "veintiún", "24": "día días",
        "50": "medio media mitad", "100": "centenar* siglo*", "1000": "millar* miles",
    },
    "fr": {
        "0.5": "demi* moitié", "1": "un une unique seul seule premi*", "2": "second* double* couple paire",
        "3": "triple* tiers", "4": "quart*", "10": "dizaine* décennie*", "12": "douzaine*",
        "15": "quinzaine*",
        "20": "vingtaine*", "24": "jour jours journée*", "30": "trentaine*", "40": "quarantaine*",
        "50": "cinquantaine* demi* moitié", "60": "soixantaine*", "100": "centaine* siècle*",
        "1000": "millier*",
    },
    "ru": {
        "0.5": "половин* полчаса полгода полмиллиона", "1": "единствен* однажды одиночн*",
        "1.5": "полтора полутора полторы",
        "2": "оба обе обоих обоим обеих двое двоих двоим дважды вдвое двойн* удво* пара пары пару",
        "3": "трое троих троим трижды втрое тройн* утрои*",
        "4": "четверо четверых четырежды вчетверо четверть*",
        "5": "пятеро пятерых впятеро", "6": "шестеро шестерых", "7": "семеро семерых",
        "10": "десятк* десяток десятилет*",
        "12": "дюжин*", "24": "сутки суток", "50": "половин*", "100": "сотн* сотен столети* век века веков",
    },
}  # fmt: skip
LANGUAGES = tuple(_FURTHER)
_CARDINALS = ("it", "nl", "pt")  # known to a library, but not what else is said for a number
_MORE_SCALES = {  # of newspapers and of India
    "de": {"tsd": 3}, "en": {"bln": 9, "bn": 9, "crore": 7, "lakh": 5, "mln": 6, "tn": 12},
    "es": {"miles de millones": 9}, "fr": {"Md": 9, "M": 6},
    "ja": {"百万": 6, "千": 3, "千万": 7}, "ko": {"백만": 6, "천": 3, "천만": 7},
    "zh": {"百万": 6, "千": 3, "千万": 7},
}  # fmt: skip
_AND_A_HALF = {"en": r"and[\s-]a[\s-]half", "es": "y medi[ao]", "fr": "et demie?", "ru": "с половиной"}
_MULTIPLES = {  # "seven decades" is seventy years in another language
    "de": r"Jahrzehnt|Jahrhundert|Dutzend", "en": r"decade|centur|dozen|score", "es": r"década|siglo|docena",
    "fr": r"décenn|siècle|douzaine|dizaine|vingtaine|centaine|millier", "ru": r"десят|столет|век|сот",
}  # fmt: skip
_YEARS = {  # "two decades" is twenty years, "two centuries" two hundred
    language: tuple(regex.compile(rf"[\s-](?:{span})", regex.IGNORECASE) for span in spans)
    for language, spans in {
        "de": ("Jahrzehnt", "Jahrhundert"), "en": ("decade", "centur"), "es": ("década", "siglo"),
        "fr": ("décenn", "siècle"), "ru": ("десятилет", "столет|век"),
    }.items()
}  # fmt: skip
_ENDINGS = r"\p{L}{0,3}"  # of a scale word in another case: "миллионами"
_ROMAN = regex.compile(r"\b([IVX]{1,6})(?:e|er|re|ème)?\b")
_TOKEN = regex.compile(r"\w+|\W")
_LETTERS = regex.compile(r"\p{L}+")
_CENTURY = range(13, 21)  # "nineteen forty-five", "twenty twenty-four"

_RUSSIAN_PART = regex.compile(  # saves asking the library about every word of a text
    r"(?:нол|нул|один|одн|дв[аеу]|тр[иеё]|четыр|пят|шест|сем|восем|восьм|девя|десят|.+надцат|соро|ст[оа]$"
    r"|тысяч|милли|трилл)\p{L}*",
    regex.IGNORECASE,
)
_RUSSIAN_UNITS = {
    "одно": 1, "двух": 2, "дву": 2, "трех": 3, "трёх": 3, "четырех": 4, "четырёх": 4, "пяти": 5, "шести": 6,
    "семи": 7, "восьми": 8, "девяти": 9,
}  # fmt: skip
_RUSSIAN_TEENS = {
    "десяти": 10, "одиннадцати": 11, "двенадцати": 12, "тринадцати": 13, "четырнадцати": 14, "пятнадцати": 15,
    "шестнадцати": 16, "семнадцати": 17, "восемнадцати": 18, "девятнадцати": 19,
}  # fmt: skip
_RUSSIAN_TENS = {
    "двадцати": 20, "тридцати": 30, "сорока": 40, "пятидесяти": 50, "шестидесяти": 60, "семидесяти": 70,
    "восьмидесяти": 80, "девяносто": 90,
}  # fmt: skip
_RUSSIAN_HUNDREDS = {
    "сто": 100, "двухсот": 200, "трехсот": 300, "трёхсот": 300, "четырехсот": 400, "четырёхсот": 400,
    "пятисот": 500, "шестисот": 600, "семисот": 700, "восьмисот": 800, "девятисот": 900,
}  # fmt: skip
_RUSSIAN_STEMS = {"h": _RUSSIAN_HUNDREDS, "t": _RUSSIAN_TENS, "u": _RUSSIAN_UNITS, "n": _RUSSIAN_TEENS}
_RUSSIAN_ORDINALS = {
    "перв": 1, "втор": 2, "трет": 3, "четверт": 4, "четвёрт": 4, "пят": 5, "шест": 6, "седьм": 7, "восьм": 8,
    "девят": 9, "десят": 10, "одиннадцат": 11, "двенадцат": 12, "тринадцат": 13, "четырнадцат": 14,
    "пятнадцат": 15, "шестнадцат": 16, "семнадцат": 17, "восемнадцат": 18, "девятнадцат": 19, "двадцат": 20,
    "тридцат": 30, "сороков": 40, "пятидесят": 50, "шестидесят": 60, "семидесят": 70, "восьмидесят": 80,
    "девяност": 90, "сот": 100, "тысячн": 1000,
}  # fmt: skip
_ADJECTIVE = r"(?:ый|ой|ая|ое|ые|ого|ому|ым|ом|ую|ых|ыми|ий|ья|ье|ьи|ьего|ьему|ьим|ьем|ью|ьей|ьих|ьими)"


def _any(known: dict[str, int]) -> str:
    return "|".join(sorted(known, key=len, reverse=True))


_RUSSIAN_ORDINAL = regex.compile(rf"(?P<stem>{_any(_RUSSIAN_ORDINALS)}){_ADJECTIVE}", regex.IGNORECASE)
_RUSSIAN_COMPOUND = regex.compile(  # "двадцатипятилетний", "трёхдневный"
    rf"(?P<h>{_any(_RUSSIAN_HUNDREDS)})?(?:(?P<t>{_any(_RUSSIAN_TENS)})?(?P<u>{_any(_RUSSIAN_UNITS)})?"
    rf"|(?P<n>{_any(_RUSSIAN_TEENS)}))"
    r"(?:лет|днев|суточн|недель|месяч|час|минут|секунд|процент|этаж|кратн|миллион|миллиард|тысяч|рубл|доллар|метр"
    r"|километр|тонн|значн|мест|комнат|квартир|сторон|полос|уровн|балльн|очков|бор|угольн)\p{L}*",
    regex.IGNORECASE,
)
_GERMAN_COMPOUND = regex.compile(
    r"(?P<w>\p{L}{3,}?)(?:jährig|tägig|stündig|minütig|wöchig|monatig|köpfig|stellig|prozentig|seitig|teilig"
    r"|stöckig|malig|fach|mal|jahr|tausender|er)\p{L}{0,6}",
    regex.IGNORECASE,
)
_ITALIAN_COMPOUND = regex.compile(  # "ventinovenne", "sedicesima"
    r"(?P<w>\p{L}{3,}?)(?:enn[ei]|(?P<ordinal>esim[oaie]))", regex.IGNORECASE
)
_GERMAN_AND_A_HALF = regex.compile(r"(?P<w>\p{L}{3,})einhalb", regex.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Word:
    """A number in words.

    Attributes:
        start, end: where it is.
        value: in canonical form.
        ordinal: whether it is a place in a row.
        counts: whether what follows it is counted one by one, not by the dozen or the decade.
    """

    start: int
    end: int
    value: str
    ordinal: bool
    counts: bool = True


@lru_cache(64)
def words(text: str, language: str) -> tuple[Word, ...]:
    """The numbers in words, in text order; none in a language that no library knows.

    What has other uses, "a", "both", "half", is not among them; ``values`` has it.
    """
    if language not in LANGUAGES + _CARDINALS:
        return ()
    found = list(_russian(text)) if language == "ru" else list(_western(text, language))
    if language == "en":
        found += [
            Word(a.start, b.end, f"{a.value}{b.value}", ordinal=False)
            for a, b in pairwise(found)
            if len(a.value) == len(b.value) == 2 and int(a.value) in _CENTURY and text[a.end : b.start] == " "
        ]
    halves = _AND_A_HALF.get(language)
    for word in list(found) if halves else []:
        if half := regex.compile(rf"[\s-]{halves}\b", regex.IGNORECASE).match(text, word.end):
            found.append(Word(word.start, half.end(), f"{word.value}.5", ordinal=False))
    if language in _CARDINALS:
        return tuple(found)
    multiple = regex.compile(rf"[\s-](?:{_MULTIPLES[language]})", regex.IGNORECASE)
    return tuple(
        replace(word, counts=not multiple.match(text, word.end))
        for word in sorted(found, key=lambda word: (word.start, word.end))
    )


@lru_cache(64)
def values(text: str, language: str) -> frozenset[str]:
    """What the number words and Roman numerals of a text may stand for, in canonical form."""
    found = {str(_roman(match[1])) for match in _ROMAN.finditer(text)}
    pattern = scale_pattern(language)
    if pattern:
        found |= {times("1", power(match, language)) for match in pattern.finditer(text)}
    known = words(text, language)
    places = [(word.end, word.value) for word in known]
    number, reach = 0, 0
    for match in _further(language).finditer(text) if language in LANGUAGES else ():
        start, end = match.span()
        while number < len(known) and (word := known[number]).start <= start:
            reach = reach if (word.start, word.end) == (start, end) else max(reach, word.end)
            number += 1
        if end <= reach:
            continue  # "dos" in "treinta y dos"
        places += [(match.end(), value) for value in _meanings(language, match[0].lower())]
    spans = _YEARS.get(language, ())
    for end, value in places:
        found.add(value)
        found |= {times(value, exponent) for exponent, span in enumerate(spans, 1) if span.match(text, end)}
        article = _article(language).match(text, end)
        if pattern and (scale := pattern.match(text, article.end() if article else end)):
            found.add(times(value, power(scale, language)))
    return frozenset(found)


def times(value: str, exponent: int) -> str:
    """A canonical number times a power of ten."""
    whole, _, fraction = value.partition(".")
    fraction = fraction.ljust(exponent, "0")
    whole, fraction = (whole + fraction[:exponent]).lstrip("0") or "0", fraction[exponent:].rstrip("0")
    return f"{whole}.{fraction}" if fraction else whole


def power(match: regex.Match[str], language: str) -> int:
    """The power of ten that a match of ``scale_pattern`` stands for."""
    known, word = _scales(language), match["w"]
    return (
        known[word] if word in known else next(p for form, p in known.items() if form.lower() == word.lower())
    )


@cache
def scale_pattern(language: str) -> regex.Pattern[str] | None:
    """What may multiply a number: a sign at once, a word after a blank, a long word in any case form."""
    choices = []
    for word in sorted(_scales(language), key=len, reverse=True):
        plain = regex.escape(word)
        if regex.match(r"[\p{Han}\p{Hangul}]", word):
            choices.append(rf"\s?(?P<w>{plain})(?![米克瓦卡赫字])")  # but 千米 is a kilometre
        elif len(word) == 1:
            choices.append(rf"(?<=\p{{Nd}})(?P<w>{plain})\b|(?<=\p{{Nd}})\s?(?P<w>{plain})(?=\p{{Sc}})")
        else:
            choices.append(
                rf"(?:[\s-]|(?<!\p{{L}}))(?P<w>(?i:{plain})){_ENDINGS if len(word) >= 5 else ''}\b"
            )
    return regex.compile("|".join(choices)) if choices else None


@cache
def _scales(language: str) -> dict[str, int]:
    """Words and signs that multiply, with their powers of ten: ``{"million": 6, "M": 6, …}``."""
    from babel import Locale, UnknownLocaleError

    scales = dict(_MORE_SCALES.get(language, {}))
    try:
        formats = Locale.parse(language).compact_decimal_formats
    except (UnknownLocaleError, ValueError):
        return scales
    for width in "short", "long":
        if width not in formats:
            continue
        for plurals in formats[width].values():
            for size, pattern in plurals.items():
                text = pattern.pattern.split(";")[0].replace("'", "")
                word = text.replace("0", "").strip().rstrip(".")
                if word and "0" in text:
                    scales[word] = len(size) - text.count("0")
    return scales


# English, French, German, Spanish


class _Piece:
    """A `text_to_num.Token`."""

    def __init__(self, text: str) -> None:
        self._text = text

    def text(self) -> str:
        return self._text

    def nt_separated(self, previous: _Piece) -> bool:
        return False

    def not_a_number_part(self) -> bool:
        return self._text.isdigit()


def _western(text: str, language: str) -> Iterator[Word]:
    pieces = list(_TOKEN.finditer(text))
    tokens = [_Piece("-" if piece[0] in "‐‑" else piece[0]) for piece in pieces]
    for found in find_numbers(tokens, language, 0.0):
        start, end = pieces[found.start].start(), pieces[found.end - 1].end()
        if not regex.search(r"\p{Nd}", text[start:end]):
            yield Word(start, end, times(f"{found.value:.6f}", 0), found.is_ordinal)
    if language == "it":
        for piece in pieces:
            if (age := _ITALIAN_COMPOUND.fullmatch(piece[0])) and (value := _italian(age["w"])):
                yield Word(*piece.span(), value, ordinal=age["ordinal"] is not None)
    if language == "de":
        for piece in pieces:
            if half := _GERMAN_AND_A_HALF.fullmatch(piece[0]):
                if value := _alone(half["w"], "de"):
                    yield Word(*piece.span(), f"{value}.5", ordinal=False)
            elif compound := _GERMAN_COMPOUND.fullmatch(piece[0]):
                value = _alone(compound["w"], "de")
                if value not in (None, "1"):  # "einfach" is "simple"
                    yield Word(*piece.span(), str(value), ordinal=False)


@lru_cache(2**12)
def _alone(word: str, language: str) -> str | None:
    """The value of a word that is a number from its beginning to its end."""
    found = find_numbers([_Piece(word)], language, 0.0)
    return times(f"{found[0].value:.6f}", 0) if found else None


def _italian(stem: str) -> str | None:
    """The value of a number that has lost its last vowel."""
    return next(
        (value for vowel in ("", "e", "i", "a", "o", "é") if (value := _alone(stem + vowel, "it"))), None
    )


# Russian


def _russian(text: str) -> Iterator[Word]:
    pieces = list(_LETTERS.finditer(text))
    at = 0
    while at < len(pieces):
        value, stop = _longest_cardinal(text, pieces, at)
        ordinal = None
        if stop < len(pieces) and (stop == at or _adjacent(text, pieces[stop - 1], pieces[stop])):
            ordinal = _RUSSIAN_ORDINAL.fullmatch(pieces[stop][0])
        place = _RUSSIAN_ORDINALS[ordinal["stem"].lower()] if ordinal else 0
        if place and (value is None or _continues(value, place)):  # but "пять первых" is two numbers
            value, stop = (value or 0) + place, stop + 1
        else:
            ordinal = None
        if value is None and (value := _in_compound(pieces[at][0])) is not None:
            stop = at + 1
        if value is not None:
            yield Word(pieces[at].start(), pieces[stop - 1].end(), str(value), ordinal is not None)
        at = max(stop, at + 1)


def _longest_cardinal(text: str, pieces: list[regex.Match[str]], at: int) -> tuple[int | None, int]:
    """The value of as many words as make one number, and the place after them."""
    value, stop = None, at
    while stop < len(pieces) and _RUSSIAN_PART.fullmatch(pieces[stop][0]):
        if stop > at and not _adjacent(text, pieces[stop - 1], pieces[stop]):
            break
        longer = _cardinal(" ".join(piece[0].lower() for piece in pieces[at : stop + 1]))
        if longer is None:
            break
        value, stop = longer, stop + 1
    return value, stop


def _adjacent(text: str, one: regex.Match[str], other: regex.Match[str]) -> bool:
    return text[one.end() : other.start()].isspace()


def _in_compound(word: str) -> int | None:
    found = _RUSSIAN_COMPOUND.fullmatch(word)
    if not found or not any(found[name] for name in _RUSSIAN_STEMS):
        return None
    return sum(known[found[name].lower()] for name, known in _RUSSIAN_STEMS.items() if found[name])


def _continues(value: int, ordinal: int) -> bool:
    """Whether an ordinal is the end of a number that begins with a cardinal."""
    size = 10 if ordinal < 10 else 100 if ordinal < 100 else 1000
    return ordinal < 1000 and value % size == 0 and not (size == 10 and value % 100 == 10)


@lru_cache(2**12)
def _cardinal(run: str) -> int | None:
    value: int | None = parse_number(run, language="ru")
    return value


# What is listed here


@cache
def _further(language: str) -> regex.Pattern[str]:
    forms = sorted(" ".join(_FURTHER[language].values()).split(), key=len, reverse=True)
    return regex.compile(rf"\b(?:{'|'.join(map(_regex, forms))})\b", regex.IGNORECASE)


@lru_cache(2**12)
def _meanings(language: str, word: str) -> tuple[str, ...]:
    return tuple(
        value
        for value, forms in _FURTHER[language].items()
        if any(regex.fullmatch(_regex(form), word) for form in forms.split())
    )


@cache
def _article(language: str) -> regex.Pattern[str]:
    """What may stand between "half" and "million"; matches nothing at all as well."""
    return regex.compile(r"(?:\s(?:an?|of a|de|d[’'])(?=\s))?" if language in ("en", "es", "fr") else "")


def _regex(form: str) -> str:
    return form[:-1] + r"\p{L}*" if form.endswith("*") else form


def _roman(numeral: str) -> int:
    worth = [{"I": 1, "V": 5, "X": 10}[letter] for letter in numeral]
    return sum(-one if one < after else one for one, after in zip(worth, [*worth[1:], 0], strict=True))
