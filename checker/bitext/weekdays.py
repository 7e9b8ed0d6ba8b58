"""Days of the week of a text, so that those of two languages compare.

CLDR has the names, but in one case; where a language inflects them or uses them for other things, "среда" for
surroundings, a pattern of its own keeps to the days.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import regex

_DAYS = {  # from Monday to Sunday
    "ar": r"ال[اإ]ثنين الثلاثاء ال[أا]ربعاء الخميس الجمعة السبت ال[أا]حد",
    "bg": r"понеделни\p{L}+ вторни\p{L}+ сряда(?:та)? "
    r"четвъртък\p{L}* петък\p{L}* събота(?:та)? неделя(?:та)?",
    "cs": r"pondě\p{L}+ úter(?:ý|ní\p{L}*) střed(?:a|u|y|ě|ou) čtvrt(?:ek|ka|ku|kem) pát(?:ek|ku|kem) "
    r"sobot\p{L}{1,3} neděl\p{L}{1,3}",
    "de": r"montag\p{L}* dienstag\p{L}* mittwoch\p{L}* donnerstag\p{L}* freitag\p{L}* "
    r"(?:samstag|sonnabend)\p{L}* "
    r"sonntag\p{L}*",
    "en": r"mondays? tuesdays? wednesdays? thursdays? fridays? saturdays? sundays?",
    "es": r"lunes martes miércoles jueves viernes sábados? domingos?",
    "fi": r"maanantai\p{L}* tiistai\p{L}* keskiviik\p{L}+ torstai\p{L}* perjantai\p{L}* lauantai\p{L}* "
    r"sunnuntai\p{L}*",
    "fr": r"lundis? mardis? mercredis? jeudis? vendredis? samedis? dimanches?",
    "he": r"[בהומ]?יום\sשני [בהומ]?יום\sשלישי [בהומ]?יום\sרביעי [בהומ]?יום\sחמישי [בהומ]?יום\sשישי "
    r"[בהומ]?יום\sשבת [בהומ]?יום\sראשון",
    "hi": r"सोमवार मंगलवार बुधवार (?:गुरुवार|बृहस्पतिवार) शुक्रवार शनिवार (?:रविवार|इतवार)",
    "hu": r"hétfő\p{L}* kedd\p{L}* szerd\p{L}+ csütörtök\p{L}* péntek\p{L}* szombat\p{L}* vasárnap\p{L}*",
    "it": r"lunedì martedì mercoledì giovedì venerdì sabat[oi] domenic(?:a|he)",
    "ja": r"月曜 火曜 水曜 木曜 金曜 土曜 日曜",
    "ko": r"월요일 화요일 수요일 목요일 금요일 토요일 일요일",
    "nl": r"maandag\p{L}* dinsdag\p{L}* woensdag\p{L}* donderdag\p{L}* "
    r"vrijdag\p{L}* zaterdag\p{L}* zondag\p{L}*",
    "pl": r"poniedział\p{L}+ wtor(?:ek|k\p{L}+) środ(?:a|y|ę|zie|ą) czwart(?:ek|k\p{L}+) piąt(?:ek|k\p{L}+) "
    r"sobot\p{L}{1,3} niedziel\p{L}{1,3}",
    "pt": r"segundas?-feiras? terças?-feiras? quartas?-feiras? quintas?-feiras? sextas?-feiras? sábados? "
    r"domingos?",
    "ru": r"понедельник\p{L}* вторник\p{L}* "
    r"(?:(?<=\b(?:во?|на|эту|прошлую|минувшую|следующую|каждую|ближайшую)\s)среду(?!\sобитани)|(?<=\bпо\s)средам"
    r"|(?<=\b(?:до|со?|от|после)\s)среды|(?<=\bко?\s)среде) "
    r"четверг\p{L}* пятниц\p{L}{1,3} суббот\p{L}{1,3} воскресень[еяюи]\p{L}*",
    "sv": r"måndag\p{L}* tisdag\p{L}* onsdag\p{L}* torsdag\p{L}* fredag\p{L}* lördag\p{L}* söndag\p{L}*",
    "uk": r"понеділ\p{L}+ вівтор\p{L}+ (?<=\b[ву]\s)середу четвер(?:г\p{L}+)? п['’ʼ]ятниц\p{L}{1,3} "
    r"субот\p{L}{1,3} неділ\p{L}{1,3}",
    "zh": r"(?:星期|[周週]|礼拜|禮拜)一 (?:星期|[周週]|礼拜|禮拜)二 (?:星期|[周週]|礼拜|禮拜)三 "
    r"(?:星期|[周週]|礼拜|禮拜)四 (?:星期|[周週]|礼拜|禮拜)五 (?:星期|[周週]|礼拜|禮拜)六 "
    r"(?:星期|[周週]|礼拜|禮拜)[日天]",
}  # fmt: skip
_UNSPACED = ("ja", "ko", "zh")
LANGUAGES = tuple(_DAYS)


@dataclass(frozen=True, slots=True)
class Weekday:
    """A day of the week in a text; ``day`` is 1 for Monday."""

    start: int
    end: int
    day: int


def weekdays(text: str, language: str) -> list[Weekday]:
    """The days of the week, in text order; none in a language that is not in ``LANGUAGES``."""
    if language not in LANGUAGES:
        return []
    return [
        Weekday(*match.span(), next(day for day in range(1, 8) if match[f"d{day}"]))
        for match in _pattern(language).finditer(text)
    ]


def unmatched(ours: Sequence[Weekday], theirs: Sequence[Weekday]) -> list[Weekday]:
    """Those of ``ours`` that are not among ``theirs``."""
    known = {weekday.day for weekday in theirs}
    return [weekday for weekday in ours if weekday.day not in known]


@cache
def _pattern(language: str) -> regex.Pattern[str]:
    days = "|".join(f"(?P<d{day}>{names})" for day, names in enumerate(_DAYS[language].split(" "), 1))
    if language in _UNSPACED:
        return regex.compile(days)
    return regex.compile(rf"(?<!\p{{L}})(?:{days})(?!\p{{L}})", regex.IGNORECASE)
