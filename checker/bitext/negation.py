"""Whether a text negates, for the languages whose negators are a short closed list.

A negation that is part of a word ("unavailable", "недоступен") or of its meaning ("fails to") is one as
well, but not one to point at: it excuses the negator of the other side.
"""

from __future__ import annotations

from functools import cache

import regex

_NUMBERED = r"(?!\.?[º°]?:?\s?[#(\[]?\p{N}|\.\s?[\p{Lu}\p{N}]{1,4}[-/]?\p{N}|\.\s?(?-i:[IVXLC]{2,})\b)"
"""Not after "no": "No. 5", "no 12", "No. A-12", "No. IV" are numbers."""

_NEGATORS = {
    "de": r"nicht|nichts|nie|niemals|niemand|niemande[nm]|kein(?:e[nmrs]?)?|ohne|weder|nirgends|nein",
    "en": rf"not(?!\s+(?:only|just|least))|no(?!\s+(?:less|fewer)){_NUMBERED}|never|none|nobody|nothing|"
    r"nowhere|neither|nor|cannot|without|\p{L}+n[’']t",
    "es": rf"no{_NUMBERED}|nunca|jamás|nadie|nada|ningún|ningun[oa]|sin|ni|tampoco",
    "fr": r"ne|n(?=[’'])|pas|jamais|personne|aucune?|sans|ni|non|rien",
    "ru": r"не(?!\s+(?:только|менее|более|раз|просто|столько|исключено))|нет|ни|нельзя|никто|никого|никому|"
    r"никем|ничто|ничего|ничему|ничем|никогда|нигде|никуда|никак\p{L}*|без|безо|невозможно|некого|нечего",
    "uk": r"не(?!\s+(?:тільки|лише|менше|більше|раз))|нема|немає|ні|ані|ніхто|нікого|нікому|ніким|ніщо|"
    r"нічого|нічому|нічим|ніколи|ніде|нікуди|ніяк\p{L}*|жод\p{L}+|без|неможливо",
}
_IMPLIED = {
    "en": r"un(?!der|ion|iver|til|ique|it|less)\p{L}{4,}|\p{L}{3,}less|non-?\p{L}{4,}|"
    r"(?:fail|lack|refus|avoid|den[iy]|prevent|ban|stop|unable|absen|miss|wrong|yet|dis|few|little|hardly|barely|"
    r"impossib|illegal|incapable|incorrect|invalid|inabilit|incomplet|insufficient|inadequat|inappropriat)\p{L}*",
    "ru": r"не(?!дел|мец|мцы|котор|сколь|фт|йтр|гатив|рв|бо|бес|посред|давн)\p{L}{4,}|бес(?!ед)\p{L}{4,}|"
    r"без(?!опас)\p{L}{4,}|(?:избе|отказ|отсутств|ошиб|лиш|запре|едва|мало|прекра|опроверг|отриц|далек)\p{L}*",
}
LANGUAGES = tuple(_NEGATORS)


def negators(text: str, language: str) -> list[tuple[int, int]]:
    """Where the negators of a text are, in order; none in a language that is not in ``LANGUAGES``."""
    return (
        [match.span() for match in _pattern(_NEGATORS[language]).finditer(text)]
        if language in _NEGATORS
        else []
    )


def implied(text: str, language: str) -> bool:
    """Whether words of the text may imply a negation; known for English and Russian."""
    return language in _IMPLIED and _pattern(_IMPLIED[language]).search(text) is not None


@cache
def _pattern(words: str) -> regex.Pattern[str]:
    return regex.compile(rf"(?<![\p{{L}}\p{{N}}])(?:{words})(?![\p{{L}}\p{{N}}])", regex.IGNORECASE)
