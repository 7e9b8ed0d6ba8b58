"""Letters that stand for others, styled or from another script, and the scripts of each language.

Everything here is about single characters and needs no model. ``text.clean`` folds what this module knows,
``style`` and ``language`` ask it which script a language writes.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Callable
from functools import cache

import regex

# -- styled letters ----------------------------------------------------------------------------------

_SMALL = str.maketrans("ᴀʙᴄᴅᴇꜰғɢʜɪᴊᴋʟᴍɴᴏᴘꞯǫʀꜱᴛᴜᴠᴡʏᴢ", "abcdeffghijklmnopqqrstuvwyz")
SMALL_CAPITALS = regex.compile("[ᴀʙᴄᴅᴇꜰғɢʜɪᴊᴋʟᴍɴᴏᴘꞯǫʀꜱᴛᴜᴠᴡʏᴢ]")
"""Small capitals, with two letters of other alphabets for those that lack. Some are phonetic letters as
well, so they count only beside one that is not."""
ONLY_SMALL_CAPITALS = regex.compile("[ᴀᴄᴅᴇᴊᴋᴍᴏᴘᴛᴜᴠᴡᴢ]")
# Mathematical alphabets with the letterlike symbols that fill their gaps; circled, squared, raised, wide
# ones; half-width katakana with its voicing mark; ligatures; presentation forms of single letters.
STYLED = regex.compile(
    "[\U0001d400-\U0001d7ff\u2102\u210a-\u2113\u2115\u2119-\u211d\u2124\u2128\u212c\u212d\u212f-\u2131\u2133"
    "\u2134\u24b6-\u24e9\U0001f130-\U0001f149\u1d2c-\u1d6a\u1d78\u1d9b-\u1dbf\u02b0-\u02b8\u2071\u207f"
    "\u2090-\u209c\uff10-\uff19\uff21-\uff3a\uff41-\uff5a\ufb00-\ufb06\ufb50-\ufbb1\ufbd3-\ufd3d\ufe70-\ufefc]"
    "|[\uff66-\uff9d][\uff9e\uff9f]?|[\U0001f150-\U0001f169]|[\U0001f170-\U0001f189]{2,}"
)
FULL_WIDTH_SIGNS = regex.compile("[\uff01-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff5e]")
"""Punctuation that Chinese, Japanese and Korean write; elsewhere it came with full-width letters."""
EAST_ASIAN = regex.compile(r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Hangul}]")


def plain(styled: str) -> str:
    """The ordinary letters that styled ones stand for, in Unicode NFKC."""
    return unicodedata.normalize("NFKC", "".join(map(_plain, styled)))


def _plain(letter: str) -> str:
    for first in (0x1F150, 0x1F170):  # white on black, which have no decomposition
        if first <= ord(letter) < first + 26:
            return chr(ord(letter) - first + ord("A"))
    return letter.translate(_SMALL)


def unstyled(text: str) -> str:
    """A text with ordinary letters in place of styled ones."""
    if text.isascii():
        return text
    text = STYLED.sub(lambda match: plain(match[0]), text)
    return (
        SMALL_CAPITALS.sub(lambda match: plain(match[0]), text) if ONLY_SMALL_CAPITALS.search(text) else text
    )


# -- look-alikes -------------------------------------------------------------------------------------

_CYRILLIC = "аеорсхуіјѕԁԛԝһѵӏкАВЕКМНОРСТХУІЈЅԌґїёғ", "aeopcxyijsdqwhvlkABEKMHOPCTXYIJSGrïëf"
_GREEK = "ΑΒΕΖΗΙΚΜΝΟΡΤΥΧοναιρκυϲϳ", "ABEZHIKMNOPTYXovaipkucj"
_AS_LATIN = {
    "Cyrillic": dict(zip(*_CYRILLIC, strict=True)),
    "Greek": dict(zip(*_GREEK, strict=True)),
}
_CYRILLIC_ONLY_IN_LATIN = "ґғѵӏԁԛԝһԌ"  # no Russian or Ukrainian keyboard gives these for a Latin letter
LOOK_ALIKES: dict[tuple[str, str], dict[str, str]] = {
    **{(script, "Latin"): table for script, table in _AS_LATIN.items()},
    ("Latin", "Cyrillic"): {
        latin: own for own, latin in _AS_LATIN["Cyrillic"].items() if own not in _CYRILLIC_ONLY_IN_LATIN
    },
    ("Latin", "Greek"): {latin: own for own, latin in _AS_LATIN["Greek"].items() if own not in "ϲϳ"},
}
"""From a script to another: its letters that look like one of the other."""

MEETING = regex.compile(
    r"\p{Latin}\p{M}*+[\p{Cyrillic}\p{Greek}]|\p{Cyrillic}\p{M}*+\p{Latin}|\p{Greek}\p{M}*+\p{Latin}"
)
"""Where letters of two scripts that look alike touch."""
MIXABLE_WORD = regex.compile(r"[\p{Latin}\p{Cyrillic}\p{Greek}][\p{Latin}\p{Cyrillic}\p{Greek}\p{M}]*+")
_SCRIPT_OF = regex.compile(r"(?P<Latin>\p{Latin})|(?P<Cyrillic>\p{Cyrillic})|(?P<Greek>\p{Greek})")


def _script(letter: str) -> str:
    found = _SCRIPT_OF.match(letter)
    return found.lastgroup or "" if found else ""


def disguises(line: str) -> Callable[[str], str | None]:
    """A function that gives a word of the line in the script that it is meant in; None if it is that already.

    A word is disguised where some of its letters are look-alikes from another script ("bridgе" with a
    Cyrillic "е"); so is a whole word of look-alikes in a line that has such words and no letter that is
    surely of the word's script.
    """
    sure: Counter[str] = Counter()
    for letter in line:
        if (own := _script(letter)) and not any(
            letter in table for (source, _), table in LOOK_ALIKES.items() if source == own
        ):
            sure[own] += 1
    meant = max(sure, key=sure.__getitem__) if sure else "Latin"

    def disguise(word: str) -> str | None:
        found = Counter(own for letter in word if (own := _script(letter)))
        if len(found) == 1:
            own = next(iter(found))
            table = LOOK_ALIKES.get((own, meant), {})
            return _moved(word, own, table) if own != meant and not sure[own] else None
        for target in sorted(found, key=lambda script: (script != meant, -found[script])):
            moved: str | None = word
            for own in found.keys() - {target}:
                moved = moved and _moved(moved, own, LOOK_ALIKES.get((own, target), {}))
            if moved:
                return moved
        return None

    return disguise


def _moved(word: str, own: str, table: dict[str, str]) -> str | None:
    """The word with its letters of one script put into another; None where one has no look-alike there."""
    letters = [letter if _script(letter) != own else table.get(letter, "") for letter in word]
    return "".join(letters) if all(letters) else None


# -- scripts -----------------------------------------------------------------------------------------

_WRITTEN = (
    dict.fromkeys(("ar", "fa"), r"\p{Arabic}")
    | dict.fromkeys(("bg", "ru", "uk"), r"\p{Cyrillic}")
    | {
        "el": r"\p{Greek}",
        "he": r"\p{Hebrew}",
        "hi": r"\p{Devanagari}",
        "ja": r"\p{Han}\p{Hiragana}\p{Katakana}",
        "ko": r"\p{Hangul}\p{Han}",
        "zh": r"\p{Han}\p{Bopomofo}",
    }
)


_LATIN = r"\p{Latin}"


@cache
def foreign(language: str) -> regex.Pattern[str]:
    """A name of several words in a script that the language does not write, with its quotes or brackets.

    A single Latin word is left alone: acronyms and brands belong to the wording of every language. A word in
    any other script is a name.

    Args:
        language: ISO 639-1; those that are not in the table write Latin.
    """
    own = _WRITTEN.get(language, _LATIN)
    letter = rf"[\p{{L}}--[{own}\p{{Common}}\p{{Inherited}}]]"
    word = rf"(?:{letter}[\p{{M}}\p{{N}}'’-]*+)++"
    between = r"(?:[\p{P}&+]{0,2} (?:[\p{P}\p{N}&+]{1,9}+ |[\p{P}\p{N}&+]{1,3}+)?|[(（])"
    one = rf"(?={letter}{{2}})(?!\p{{Latin}}){word}(?:{between}{word})*+"
    begins = rf"(?={letter})(?<!{letter}[\p{{M}}\p{{N}}'’-]*+)"  # in a word, it would end where the word does
    names = rf"(?:{one}|{begins}{word}(?:{between}{word})++)"
    return regex.compile(rf"(?V1)[(\[\"«“（]?{names}(?:[ -]\p{{N}}++)?[)\]\"»”）]?")


@cache
def other(language: str) -> regex.Pattern[str]:
    """A letter of a script that a language does not write."""
    return regex.compile(rf"(?V1)[\p{{L}}--[{_WRITTEN.get(language, _LATIN)}\p{{Common}}\p{{Inherited}}]]")


@cache
def written(language: str) -> regex.Pattern[str]:
    """A letter of the scripts that a language writes."""
    return regex.compile(rf"(?V1)[\p{{L}}&&[{_WRITTEN.get(language, _LATIN)}]]")


# -- capitals ----------------------------------------------------------------------------------------


def lowered(text: str, language: str) -> str:
    """A text in small letters, of the same length: Turkish has a dotted and a dotless i."""
    if language == "tr":
        text = text.replace("I", "ı").replace("İ", "i")
    small = text.lower()  # knows the final sigma
    if len(small) != len(text):
        small = "".join(low if len(low := letter.lower()) == 1 else letter for letter in text)
    return small


def raised(text: str, language: str) -> str:
    """A text in capitals, of the same length: letters whose capital is two letters (ß) stay."""
    if language == "tr":
        text = text.replace("i", "İ").replace("ı", "I")
    return "".join(high if len(high := letter.upper()) == 1 else letter for letter in text)
