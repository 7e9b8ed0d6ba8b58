"""From a post as given to text that models can read, with every offset kept.

``clean`` sets aside what is not language, ``sentences`` and ``words`` cut what is left.
"""

from __future__ import annotations

import html
import unicodedata
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from html.entities import html5
from itertools import pairwise
from typing import TYPE_CHECKING, TypeAlias

import regex

from checker import conventions, letters

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Offsets: TypeAlias = NDArray[np.uint32]

SHORTEST = 30
"""Columns of the shortest post that is scored; a wide character counts as two."""

MAX_CHARACTERS = 20_000
"""So many characters of a post are scored; a longer one is scored up to there, with a warning."""

_ROUNDS = 8  # cleaning is repeated until nothing changes; markup nested deeper than this stays
_GAP = "\ue000"  # stands where something was set aside; private-use characters of the post are removed first

_ENTITY = regex.compile(r"&(?:amp;)*(?P<name>#[0-9]{1,7};|#[xX][0-9a-fA-F]{1,6};|[a-zA-Z][a-zA-Z0-9]{1,31};)")
# Removed without a gap: they take no room on the screen. Visible "format" characters such as the
# Arabic end of ayah (Prepended_Concatenation_Mark) stay.
_INVISIBLE = regex.compile(
    r"(?V1)[[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Noncharacter_Code_Point}\p{Default_Ignorable_Code_Point}]"
    r"--[\s\p{Prepended_Concatenation_Mark}]]+"
)
# What a browser does not show.
_UNSEEN = (
    *(
        regex.compile(rf"<{tag}(?=[\s/>])[^<>]*>.*?</{tag}[^<>]*>?", regex.IGNORECASE | regex.DOTALL)
        for tag in ("script", "style", "noscript", "iframe", "template", "svg")
    ),
    regex.compile(r"<!--(?:(?!<!--|-->).)*+-->", regex.DOTALL),
)
_TAG = regex.compile(
    r"</?(?:(?P<inline>a|abbr|b|big|cite|code|del|em|font|i|ins|kbd|label|mark|q|s|small|span|strike|strong|sub|sup"
    r"|time|tt|u|var|wbr)"
    r"|address|article|aside|blockquote|body|br|button|center|details|dfn|footer|form|input|main|nav|picture|source|summary|dd|div|dl|dt|figcaption|figure|footer|h[1-6]|head|header|hr|html|iframe|img"
    r"|input|li|link|main|meta|nav|ol|p|pre|script|section|style|table|tbody|td|th|thead|title|tr|ul"
    r"|video)(?=[\s/>])[^<>]*>",
    regex.IGNORECASE,
)
# ``\u25a0-\u27bf``: geometric shapes, symbols and dingbats, which posts use as bullets.
_EMOJI = regex.compile(
    r"(?V1)(?:(?:[0-9#*]?\u20e3"
    r"|[[\p{Extended_Pictographic}\p{Emoji_Modifier}\p{Regional_Indicator}\u25a0-\u27bf]--[©®™ℹ‼⁉]])\ *+)+"
)
# Links and names end where letters of a script without spaces follow; closing punctuation is not theirs.
_UNSPACED = r"\p{Han}\p{Hiragana}\p{Katakana}\p{Hangul}\p{Thai}"
_LINK = rf"[^\s<>\"«»“”‘’{_UNSPACED}\u3000-\u303f\uff00-\uffef{_GAP}]"
_URL = regex.compile(
    r"(?V1)(?=[A-Za-z0-9])(?:(?i:https?|ftp)://|(?i:www)\."
    rf"|(?<![[\w.@-]--[{_UNSPACED}]])(?:[A-Za-z0-9-]{{1,63}}+\.){{1,8}}[A-Za-z]{{2,24}}/)"
    rf"(?:{_LINK}*[{_LINK}--[.,:;!?…)\]}}'،؛؟]])?"
)
# "@name", ".@name", "@name@server.example", "RT @name:", but not the "@" of an e-mail address.
_NAME = rf"@(?:[\w--[{_UNSPACED}]]++|\w++)"
_MENTION = regex.compile(
    rf"(?V1)\bRT\s{_NAME}:?|(?:(?<!\S)\.)?(?<![\w--[{_UNSPACED}]][.+-]?){_NAME}(?:[.+-]?@[\w-]++(?:\.[\w-]++)*+)*+"
)
# An address that stands alone, after a sentence or on a line; in a sentence it is a word of it.
_EMAIL = regex.compile(
    r"(?:^|(?<=[.!?:。।！？][^\S\n]))[A-Za-z0-9][\w.+-]{0,63}+@(?:[A-Za-z0-9-]{1,63}+\.){1,8}[A-Za-z]{2,24}[^\S\n]*+$",
    regex.ASCII | regex.MULTILINE,
)
# Bulletin board codes, bold of Markdown, list marks; "(1/3)" of a thread; faces in brackets.
_CODE = regex.compile(
    r"\[/?(?:b|i|u|s|url|quote|img|color|size|center|code|list)(?:=[^\]\[\n]{0,200})?\]", regex.IGNORECASE
)
_BOLD = regex.compile(r"(?<![*\w])\*\*(?=[^\s*])|(?<=[^\s*])\*\*(?![*\w])")
_LIST_MARK = regex.compile(r"^[^\S\n]*+[-*→][^\S\n]++(?=\p{Lu}|\p{Lo})", regex.MULTILINE)
_THREAD = regex.compile(
    r"\A\s*+\(?\d{1,2}/(?:\d{1,2}\b)?\)?\s++|(?<!\s)\s++\(\d{1,2}/(?:\d{1,2}|n)?\)\s*+\Z|(?=\d)(?<=[.!?。！？।]\s++)\d{1,2}/(?:\d{1,2}|n)?\s*+\Z"
)
_LINKED = regex.compile(r"\[([^\[\]\n]{1,300})\]\(\ue000\)")
_FACE = regex.compile(
    r"[^\s\p{L}\p{N}()（）]?+[(（](?=[^()（）\n]*[\p{S}_・])[^\p{L}\p{N}()（）\n]{3,12}[)）][^\s\p{L}\p{N}.,!?。、！？]*+"
)
_HASH = regex.compile(rf"(?V1)(?<![\w&#])#++(?=\d*+[^\W\d])|(?<=[{_UNSPACED}])#")
# A run of hashtags on one line; ``_tags`` decides whether it belongs to a sentence.
_HASHTAGS = regex.compile(
    r"(?:(?<![\w&#])#++\d*+[^\W\d][\w\u200c\u200d]*+(?:#(?!\w))?(?:[^\S\n]|[\ue000|·•])*+)++"
)
_SENTENCE_END = frozenset(".!?…:。！？؟।»”\"')）")
# "Photo: Anna Brown, City Press" as a line, or in brackets anywhere.
_LABEL = "|".join(sorted(map(regex.escape, set(conventions.CREDITS.split())), reverse=True))
_LABELS = rf"(?:(?:{_LABEL})(?:\.|\b)[^\S\n]?(?:by\b|/|&)?[^\S\n]?){{1,3}}[:：©＝][^\S\n]?"
# Where a line begins; of lines without a word, the first only: what may follow them is looked for once.
_LINE_START = r"^(?<!^(?:[\ue000(\[（【]|[^\S\n])*+\n)"
_BLANK_START = r"^(?<!^(?:\ue000|[^\S\n])*+\n)"
_CREDIT = regex.compile(
    rf"{_LINE_START}[\s\ue000(\[（【]*+(?:{_LABELS}(?P<names>[^\n:：|]{{2,90}})[^\S\n]?[|/;•·][^\S\n]?){{0,3}}"
    rf"{_LABELS}(?P<names>[^\n:：]{{2,90}})$"
    rf"|{_BLANK_START}[\s\ue000]*+(?:{_LABEL})[^\S\n](?:by|von|par|por|di|av|door)[^\S\n](?P<names>\p{{Lu}}[^\n:：]{{2,60}})$"
    rf"|[(\[（](?:{_LABEL})(?:\.|\b)[^\S\n]?[:：©][^()\[\]（）\n]{{2,90}}[)\]）]",
    regex.IGNORECASE | regex.MULTILINE,
)
_CAMERA = regex.compile(
    _BLANK_START + r"[\s\ue000]*+[📷📸🎥📹🎬]\ufe0f?[^\S\n]*+:?[^\S\n]*+(?P<names>[^\n:：]{2,60})$",
    regex.MULTILINE,
)
AGENCY = 4  # letters of an agency in small letters at most: "dpa"
CREDITED = 8  # words that a credit has at most
# Leader dots, rules and ornaments: between blanks, or dots between two words.
_ORNAMENT = regex.compile(
    r"(?:(?<=[^\s\ue000])[^\S\n]++|(?<![^\s\ue000]))"
    r"[-=~*+^|•·.…:°¤¯´`¸˜\u2013-\u2015\u2190-\u21ff\u2500-\u259f<>\\/]{3,}+(?![^\s\ue000।॥!?。！？])"
    r"|(?<![^\s\ue000])(?=[.·•…*])(?<!(?<![^\s\ue000])[.·•…*][^\S\n]++)"  # the first of such a run
    r"[.·•…*](?:[^\S\n]++[.·•…*]){2,}+(?![^\s\ue000])"
    r"|(?<=[\p{L}\p{N}])(?:\.{4,}+|·{3,}+|…{3,}+|_{3,}+|-{4,}+)(?=[\p{L}\p{N}])|[\u2500-\u259f]++"
)
_MAYBE_ORNAMENT = regex.compile(  # sooner than looking for one
    r"[-=~*+^|•·.…:°¤¯´`¸˜\u2013-\u2015\u2190-\u21ff\u2500-\u259f<>\\/]{3}|_{3}|[.·•…*][^\S\n]+[.·•…*]|[\u2500-\u259f]"
)
_BOX = regex.compile(r"[\u2500-\u259f]")
# A Japanese or Korean clause that an emoji may end; and what follows, some words of a clause.
_POLITE_END = regex.compile(r"(?:[すたいんねよう]|ださい|しょう|[다요오까])\s*$")
_MARK = regex.compile(r"\p{M}")
_FLAG = regex.compile(r"\p{Regional_Indicator}")
_CLAUSE = regex.compile(r"\S+\s+\S|[\p{Han}\p{Hiragana}\p{Katakana}\p{Hangul}]{4}")
# Clauses in scripts without capitals, before and after: too long to be a name or an entry of a list.
_LONG_CLAUSE_BEFORE = regex.compile(
    r"(?:\p{Lo}[\p{L}\p{M}\u200c]*+\s++){3}\p{Lo}[\p{L}\p{M}\u200c]*+\Z|\p{Han}{6}\Z"
)
_LONG_CLAUSE = regex.compile(r"(?:\p{Lo}[\p{L}\p{M}\u200c]*+[,،]?\s++){3}\p{Lo}|\p{Han}{6}")
_RUN = regex.compile(r"([^\d\s])\1{3,}+")
_HEAP = regex.compile(r"(?<=[\p{Latin}\p{Cyrillic}\p{Greek}])[\u0300-\u036f]{2,}+")  # of marks: "Zalgo"
_NOT_SIGN = regex.compile(r"(?<=\p{Arabic})¬(?=\p{Arabic})")  # a half space in old Persian fonts
_KASHIDA = regex.compile(r"(?<=\p{Arabic}\p{M}*+)ـ++(?=\p{M}*+\p{Arabic})")
_STRUCK = regex.compile(r"(?<=[\p{L}\p{M}\p{N}])[\u0332\u0333\u0335-\u0338\u033f\u0305\u20d0-\u20dc]++")
# Points over and under letters: vowels, which are written for learners and in holy books, and some of which
# stand in any text. Yiddish spells with a few.
_VOWELS = (
    (
        regex.compile(r"(?V1)[\p{L}&&\p{Arabic}]"),
        regex.compile(r"[\u064b-\u0652\u0670\u06d6-\u06dc\u06df-\u06e4\u06e7\u06e8\u06ea-\u06ed]++"),
        0.2,
    ),
    (
        regex.compile(r"(?V1)[\p{L}&&\p{Hebrew}]"),
        regex.compile(r"[\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7]++"),
        0.3,
    ),
)
"""The letters of a script, its points, and the share of its letters from which all of them are set aside."""
_SEMITIC = regex.compile(r"[\u0591-\u05c7\u064b-\u0652]")
_EMPTY_BRACKETS = regex.compile(r"[(\[]\s*+\ue000[\s\ue000]*+[)\]]")
# A character and the marks that may compose with it: what normalisation may change, and no more.
_COMPOSABLE = regex.compile(r"(?V1)[\p{NFC_QC=N}--\p{M}][\p{M}\p{NFC_QC=M}]*+|\P{M}?[\p{M}\p{NFC_QC=M}]++")
# Blanks that are not already one space or one newline between two words.
_SPACES = regex.compile(r"\A[\s\ue000]++|(?![ \n](?![\s\ue000]|\Z))[\s\ue000]++")
# Quotation marks or brackets around all of a post, with none inside.
_QUOTED_WHOLE = regex.compile(
    r"""\A(?:"[^"]*"|«[^«»]*»|»[^«»]*«|“[^“”]*”|„[^„“”]*[“”]|”[^”]*”|「[^「」]*」|『[^『』]*』|\[[^\[\]]*\])\Z"""
)
_FIRST_OR_LAST = regex.compile(r"\A.|.\Z")
_CLOSING = frozenset(".,:;!?…)]»”،؛؟।॥。，、！？；：）")
_NEWLINES = frozenset("\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029")

# Scripts in which the zero-width joiners are part of the spelling.
_JOINING = regex.compile(
    r"[\p{Arabic}\p{Syriac}\p{Devanagari}\p{Bengali}\p{Gurmukhi}\p{Gujarati}\p{Oriya}\p{Tamil}\p{Telugu}"
    r"\p{Kannada}\p{Malayalam}\p{Sinhala}]"
)
_VIRAMA = regex.compile(r"\p{Indic_Syllabic_Category=Virama}")

_PIPE = regex.compile(r"(?<=\p{Devanagari} ?)\|(?=\s|\Z)")  # typed for a danda
_LINE = regex.compile(r"[^\n\r\v\f\x1c-\x1e\x85\u2028\u2029]+")
_WORD = regex.compile(
    r"[\p{Han}\p{Hiragana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]\p{M}*+"  # no spaces: a character is a word
    r"|[\p{Katakana}ー]++\p{M}*+"
    r"|\p{N}++(?:[.,:]\p{N}++)++"
    r"|(?:(?![\p{Han}\p{Hiragana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}\p{Katakana}ー])[\p{L}\p{M}\p{N}]"
    r"|(?<=\p{L}\p{M}*)['’ʼ·\u200c\u200d](?=\p{L})|(?<=\p{M})\u200d"
    r"|(?<=\p{Hebrew})[\"״](?=\p{Hebrew}))++"
)
# An abbreviation before a small letter ("5 млн. руб."); a letter in a script without capitals ("د. أحمد").
_ABBREVIATED = regex.compile(r"(?<!\w)\w{1,4}\.\s*$")
_INITIAL = regex.compile(r"(?<!\w)[\p{Arabic}\p{Hebrew}\p{Devanagari}]\p{M}*\.\s*$")


_CAPITAL_INITIAL = regex.compile(r"(?<![\w.])\p{Lu}\.\s*$")
_CASED = regex.compile(r"(?V1)[\p{Ll}&&[\p{Latin}\p{Cyrillic}\p{Greek}]]")  # of scripts with capitals
_AFTER_STOP = regex.compile(r"(?V1)(?<=\w{2}[.!?]\s)[\p{Ll}&&[\p{Latin}\p{Cyrillic}\p{Greek}]]")
_CLOSED = frozenset(')]»”"')  # "et al. [2019] measured"
_QUOTED = _CLOSED | frozenset("!?…’'」』")
_LIST_NUMBER = regex.compile(r"\s*(?:\d{1,3}|\p{L}|[IVXLC]{1,6})[.)]\s*$")
_STREET = regex.compile(r"\p{L}{2,}(?:str|(?<=\p{Lu}\p{L}+)g)\.\s*$")  # "Kerkstr. 5", "Storg. 5"
_STREET_LANGUAGES = frozenset(("de", "nl", "sv"))
_SAYING = regex.compile(
    r"[-–—]\s+\p{Ll}|(?:이?라고|이?라며|이?라는|하고|고|며)(?!\p{L}{3})"
)  # after a quotation
_ORDINAL = regex.compile(r"(?<![\w.,:])\d{1,2}\.\s*$")
_ORDINAL_LANGUAGES = frozenset(("cs", "de", "fi", "hu", "pl", "tr"))
MARKS = regex.compile(r"[^\w\s'’.,:-]+|(?<!\w)['’.,:-]+|['’.,:-]+(?!\w)|\n+")
"""Marks between words, and line ends; those inside of words and numbers (``it's``, ``10.5``) do not count."""
_LAST_WORD = regex.compile(r"(?<![\w.])((?:\w{1,6}[.-])*\w{1,6})\.\s*$")
LONGEST_QUOTE = 300  # characters of a Japanese quotation that is kept together


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of a text: ``text == whole[start:end]``."""

    text: str
    start: int
    end: int


@dataclass(frozen=True)
class CleanText:
    """A cleaned post that knows where each of its characters came from.

    Attributes:
        source: the post as given.
        text: what is left of it: NFC, no blanks at either end, blanks collapsed to one space or one newline.
        disguised: words in which letters of another script stood for their own.
    """

    source: str
    text: str
    disguised: int = field(compare=False)
    _starts: Offsets = field(repr=False, compare=False)
    _ends: Offsets = field(repr=False, compare=False)

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Offsets in ``source`` of ``text[start:end]``, whatever was set aside inside it included.

        Raises:
            ValueError: not ``0 <= start <= end <= len(text)``.
        """
        if not 0 <= start <= end <= len(self.text):
            raise ValueError(f"no span {start}:{end} in a text of {len(self.text)} characters")
        if not self.text:
            return 0, 0
        if start == end:
            here = self._starts[start] if start < len(self.text) else self._ends[-1]
            return int(here), int(here)
        return int(self._starts[start]), int(self._ends[end - 1])


class Draft:
    """A text under revision; ``starts`` and ``ends`` bound the source of each of its characters."""

    def __init__(self, source: str) -> None:
        import numpy as np

        self.text = source
        self.disguised = 0
        self.starts: Offsets = np.arange(len(source), dtype=np.uint32)
        self.ends: Offsets = self.starts + np.uint32(1)

    def replace(self, pattern: regex.Pattern[str], new: Callable[[regex.Match[str]], str]) -> None:
        """Put ``new(match)`` for every match; the characters of a replacement stand for the whole match."""
        import numpy as np

        firsts: list[int] = []
        lasts: list[int] = []
        lengths: list[int] = []

        def note(match: regex.Match[str]) -> str:
            replacement = new(match)
            if replacement != match[0]:
                firsts.append(match.start())
                lasts.append(match.end() - 1)
                lengths.append(len(replacement))
            return replacement

        text = pattern.sub(note, self.text)
        if not firsts:
            return
        inside = np.zeros(len(self.text) + 1, dtype=np.int8)
        inside[firsts] += 1
        inside[np.add(lasts, 1)] -= 1
        counts = 1 - np.cumsum(inside[:-1], dtype=np.int32)  # how often each character's bounds are kept
        counts[firsts] = lengths
        self.ends[firsts] = self.ends[lasts]
        self.text, self.starts, self.ends = text, self.starts.repeat(counts), self.ends.repeat(counts)


def clean(post: str) -> CleanText:
    """Set aside what is not the wording of a language, fold how it is dressed up, and keep every offset.

    Gone are links, @mentions, emoji, HTML tags with scripts and style sheets, entities, control and format
    characters, private-use characters and lone surrogates; hashtags, credits and addresses that are no part
    of a sentence; leader dots, rules and ornaments; list marks, thread counts ("1/3"), bulletin board codes
    and faces made of signs; quotation marks around the whole; the vowels of Arabic and Hebrew where they are
    written throughout; all but the first of four and more equal characters. Styled letters (bold, full-width,
    small capitals) and look-alikes from another script become the letters that they stand for. Joiners stay
    where they are spelling: the zero-width non-joiner in Persian, both joiners in Indic scripts. The ``#`` of
    other hashtags goes, underscores become spaces. A newline stays a newline, and so does a tag that breaks
    the line; an emoji in the place of a full stop becomes one, and so do leader dots. The text is in Unicode
    NFC.

    Cleaning a cleaned text changes nothing. The time taken is linear in the length of the post.
    """
    draft = Draft(post)
    for _ in range(_ROUNDS):
        before = draft.text
        _clean_once(draft)
        if draft.text == before:
            break
    return CleanText(post, draft.text, draft.disguised, draft.starts, draft.ends)


def _clean_once(draft: Draft) -> None:
    if "&" in draft.text:
        draft.replace(_ENTITY, _character)
    draft.replace(_INVISIBLE, _joiner)
    if "<" in draft.text:
        for pattern in _UNSEEN:
            draft.replace(pattern, _gap)
        draft.replace(_TAG, lambda match: "" if match["inline"] else "\n")
    if not draft.text.isascii():
        draft.replace(letters.STYLED, _plain)
        if letters.ONLY_SMALL_CAPITALS.search(draft.text):
            draft.replace(letters.SMALL_CAPITALS, _plain)
        if not letters.EAST_ASIAN.search(draft.text):
            draft.replace(letters.FULL_WIDTH_SIGNS, _plain)
        draft.replace(_CAMERA, _credit)
        draft.replace(_EMOJI, _emoji)
    if "[/" in draft.text:
        draft.replace(_CODE, lambda match: "")
    draft.replace(_URL, _gap)
    if "@" in draft.text:
        draft.replace(_EMAIL, _gap)
        draft.replace(_MENTION, _gap)
    if "](" in draft.text:
        draft.replace(_LINKED, lambda match: str(match[1]))
    if "**" in draft.text:
        draft.replace(_BOLD, lambda match: "")
    if "(" in draft.text or "（" in draft.text:
        draft.replace(_FACE, _gap)
    if "/" in draft.text:
        draft.replace(_THREAD, _gap)
    if "#" in draft.text:
        draft.replace(_HASHTAGS, _tags)
        draft.replace(_HASH, lambda match: "")
    draft.text = draft.text.replace("_", " ")
    if not draft.text.isascii():
        if not unicodedata.is_normalized("NFC", draft.text):
            draft.replace(_COMPOSABLE, lambda match: unicodedata.normalize("NFC", match[0]))
        draft.replace(_STRUCK, lambda match: "")
        draft.replace(_HEAP, lambda match: "")
        draft.replace(_NOT_SIGN, lambda match: "\u200c")
        draft.replace(_KASHIDA, lambda match: "")
        if _SEMITIC.search(draft.text):
            _unpoint(draft)
        if letters.MEETING.search(draft.text):
            _undisguise(draft)
    draft.replace(_CREDIT, _credit)
    if draft.text.count("\n"):
        draft.replace(_LIST_MARK, lambda match: "")
    if _MAYBE_ORNAMENT.search(draft.text):
        draft.replace(_ORNAMENT, _ornament)
    draft.replace(_RUN, lambda match: "..." if match[1] == "." else str(match[1]))
    draft.replace(_EMPTY_BRACKETS, _gap)
    draft.replace(_SPACES, _space)
    if _QUOTED_WHOLE.match(draft.text):
        draft.replace(_FIRST_OR_LAST, lambda match: "")


def _gap(match: regex.Match[str]) -> str:
    return _GAP


def _plain(match: regex.Match[str]) -> str:
    return letters.plain(match[0])


def _emoji(match: regex.Match[str]) -> str:
    """A gap, or a line break where the emoji stands for a full stop."""
    # A flag belongs to the name beside it.
    return "\n" if _is_stop(match, named=_FLAG.match(match[0]) is not None) else _GAP


def _is_stop(match: regex.Match[str], *, named: bool = False) -> bool:
    """Whether what is found stands for a full stop: between two clauses of some words.

    Args:
        match: in the text.
        named: the next word is a name, whatever its capital.
    """
    text = match.string
    before = text[max(0, match.start() - 200) : match.start()].rstrip(" \ue000")
    following = text[match.end() : match.end() + 60].lstrip()
    if not before[-1:].isalnum() and not _MARK.match(before[-1:]):
        return False
    before = regex.split(r"[.!?…:;।。！？\n\ue000]", before)[-1]
    clause = before.split()
    # "Road closed", but not "Anna Brown".
    whole = len(clause) > 2 or (len(clause) == 2 and clause[-1][:1].islower())
    begins = following[:1].isupper() and not named and whole
    uncased = _LONG_CLAUSE_BEFORE.search(before) and _LONG_CLAUSE.match(following)
    if _POLITE_END.search(before) or begins:
        return _CLAUSE.match(following) is not None
    return uncased is not None and not named


def _tags(match: regex.Match[str]) -> str:
    """A gap for hashtags that are no part of a sentence: a line of them, or a few at the end of one."""
    text, count = match.string, str(match[0]).count("#")
    line_start = text.rfind("\n", 0, match.start()) + 1
    before = text[max(line_start, match.start() - 40) : match.start()].replace(_GAP, "").rstrip()
    at_end = text[match.end() : match.end() + 1] in ("", "\n")
    if at_end and (not before or count > 1 or before[-1] in _SENTENCE_END):
        return _GAP
    return _GAP if not before and count > 2 else str(match[0])


def _credit(match: regex.Match[str]) -> str:
    """A gap for a credit; a caption, which is a sentence, stays."""
    named = match.captures("names")  # none in brackets
    return _GAP if all(map(_credited, named)) else str(match[0])


def _credited(names: str) -> bool:
    """Whether what follows a label looks like names."""
    found = [word.text for word in words(names)]
    agency = len(found) == 1 and len(found[0]) <= AGENCY
    small = 0 if agency else sum(word[0].islower() for word in found)
    wide = letters.EAST_ASIAN.search(names) is not None
    few = width(names) <= 24 if wide else len(found) <= CREDITED
    return few and small * 2 <= len(found) and names.rstrip()[-1:] not in "!?。！？"


def _ornament(match: regex.Match[str]) -> str:
    """A gap, but for three dots or a pair of signs that are punctuation; dots may be a full stop."""
    run = str(match[0])
    signs = regex.sub(r"[.…:\s]", "", run)
    if not (len(signs) > 2 or run.count(".") > 3 or "…" * 3 in run or _BOX.search(run)):
        return run
    stopped = match.string[match.end() : match.end() + 1] in ("।", "॥", "!", "?", "。", "！", "？")
    return "." if not (run.strip(" .…") or stopped) and _is_stop(match) else _GAP


def _undisguise(draft: Draft) -> None:
    """Put look-alikes from another script into the script of their word."""
    lines: dict[int, Callable[[str], str | None]] = {}

    def meant(match: regex.Match[str]) -> str:
        word, text = str(match[0]), match.string
        start = text.rfind("\n", 0, match.start()) + 1
        if start not in lines:
            end = text.find("\n", start)
            line = text[start : end if end >= 0 else len(text)]
            lines[start] = letters.disguises(line) if letters.MEETING.search(line) else _as_it_is
        found = lines[start](word)
        if found is None:
            return word
        draft.disguised += letters.MEETING.search(word) is not None
        return found

    draft.replace(letters.MIXABLE_WORD, meant)


def _unpoint(draft: Draft) -> None:
    """Set the vowels of Arabic and Hebrew aside where a text has them throughout."""
    for letters_of, points, share in _VOWELS:
        if sum(map(len, points.findall(draft.text))) >= share * len(letters_of.findall(draft.text)):
            draft.replace(points, lambda match: "")


def _as_it_is(word: str) -> None:
    return None


def _character(match: regex.Match[str]) -> str:
    name = str(match["name"])
    return html.unescape(f"&{name}") if name[0] == "#" else html5.get(name, str(match[0]))


def _joiner(match: regex.Match[str]) -> str:
    """The joiner that a run of invisible characters holds, if it is part of the spelling there."""
    run, text = str(match[0]), match.string
    joiner = next((character for character in run if character in "\u200c\u200d"), None)
    if joiner is None or match.start() == 0:
        return ""
    before, after = text[match.start() - 1], text[match.end() : match.end() + 1]
    if _VIRAMA.match(before):
        return joiner
    letters = unicodedata.category(before)[0] in "LM" and unicodedata.category(after or " ")[0] in "LM"
    return joiner if letters and (_JOINING.match(before) or _JOINING.match(after)) else ""


def _space(match: regex.Match[str]) -> str:
    run, text = match[0], match.string
    if match.start() == 0 or match.end() == len(text):
        return ""
    if not _NEWLINES.isdisjoint(run):
        return "\n"
    # "Thanks 🎉, all" reads "Thanks, all"; a space that the author put before punctuation stays.
    return "" if _GAP in run and text[match.end()] in _CLOSING else " "


def sentences(text: str, language: str | None) -> list[Span]:
    """Cut a cleaned text into sentences with sentencex; a newline always ends one.

    Spans are in order, do not overlap, have no blanks at either end, and hold at least one word each;
    every word of the text is in one.

    Args:
        text: at most ``MAX_CHARACTERS``: sentencex takes quadratic time over unclosed quotes.
        language: ISO 639-1 code; None, and a language that sentencex does not know, goes by the rules
            for English.
    """
    import sentencex

    # sentencex panics at blanks outside ASCII and at lone surrogates.
    safe = regex.sub(r"\p{Cs}", "\ufffd", regex.sub(r"[^\S\n]", " ", text))
    if language == "hi":
        safe = _PIPE.sub("।", safe)
    if small := safe == safe.lower() and _CASED.search(safe) is not None:  # no capital begins a sentence
        safe = _AFTER_STOP.sub(lambda match: letters.raised(match[0], language or ""), safe)
    spans: list[Span] = []
    for line in _LINE.finditer(text):
        bounds = [line.start()]
        for piece in sentencex.segment(language or "en", safe[line.start() : line.end()]):
            bounds.append(bounds[-1] + len(piece))
        bounds[-1] = line.end()
        start, worded, word = line.start(), False, line.start()
        for begin, end in pairwise(bounds):
            rest = text[end : line.end()]
            # A line may have as many pieces as characters: none is looked through for a word twice.
            worded = worded or _WORD.search(text[begin:end]) is not None
            if word < end:
                found = _WORD.search(rest)
                word = line.end() if found is None else end + found.start()
            wordless = not worded or word == line.end()
            if rest and (wordless or _is_open(text[start:end], rest, language or "en", small=small)):
                continue
            spans += _stripped(text, start, end)
            start, worded = end, False
    return spans


def _is_open(piece: str, rest: str, language: str, *, small: bool = False) -> bool:
    """Whether the sentence goes on in ``rest``, since it was cut where it does not end.

    Args:
        piece: what may be a sentence.
        rest: of the line.
        language: ISO 639-1 code.
        small: whether the text has no capitals, so that a small letter says nothing.
    """
    tail, following = piece[-40:], rest.lstrip()[:2]
    if not small and following[:1].islower() and (_ABBREVIATED.search(tail) or tail.rstrip()[-1:] in _CLOSED):
        return True
    if tail.rstrip()[-1:] in _QUOTED and _SAYING.match(rest.lstrip()):
        return True
    if language in _STREET_LANGUAGES and not following[:1].isupper() and _STREET.search(tail):
        return True
    if language == "ja" and _open_quote(piece, following):
        return True
    if _INITIAL.search(tail) or _LIST_NUMBER.match(tail):
        return True
    if following[:1].isupper() and _CAPITAL_INITIAL.search(tail):
        return True
    if language in _ORDINAL_LANGUAGES and _ORDINAL.search(tail):
        return True
    found = _LAST_WORD.search(tail)
    if found is None or found[1].lower() not in _abbreviations(language):
        return False
    return found[1].lower() not in conventions.LAST or not following[:1].isupper()


@cache
def _abbreviations(language: str) -> frozenset[str]:
    return frozenset(conventions.ABBREVIATIONS.get(language, "").split())


def _open_quote(piece: str, following: str) -> bool:
    """Whether a Japanese quotation is not closed yet, or its particle is to come."""
    if following[:1] in ("」", "』") or (
        piece.rstrip()[-1:] in ("」", "』") and following[:1] in ("と", "っ")
    ):
        return True
    return len(piece) < LONGEST_QUOTE and any(piece.count(o) > piece.count(c) for o, c in ("「」", "『』"))


def _stripped(text: str, start: int, end: int) -> list[Span]:
    piece = text[start:end]
    start += len(piece) - len(piece.lstrip())
    piece = piece.strip()
    return [Span(piece, start, start + len(piece))] if _WORD.search(piece) else []


def words(text: str) -> list[Span]:
    """The words of a text: runs of letters, marks and digits, with the apostrophes and joiners inside them.

    In scripts without spaces (Chinese, Japanese, Thai, Lao, Khmer, Burmese) a character is a word, a
    run of katakana is one.
    """
    return [Span(match[0], *match.span()) for match in _WORD.finditer(text)]


def stretch(text: str) -> float:
    """Mean number of words between two `MARKS`: 2 in a list, 8 to 15 in sentences; 0 without words."""
    found = [count for part in MARKS.split(text) if (count := len(_WORD.findall(part)))]
    return sum(found) / len(found) if found else 0.0


def width(text: str) -> int:
    """Length in columns: wide East Asian characters count as two (UAX #11), so that lengths compare."""
    if text.isascii() or max(text) < "\u1100":  # the first wide character
        return len(text)
    wide = (count for one, count in Counter(text).items() if unicodedata.east_asian_width(one) in "WF")
    return len(text) + sum(wide)


_LONE_SURROGATE = regex.compile(r"[\ud800-\udfff]")
_LINE_BREAKS = "\r\v\f\x1c\x1d\x1e\x85\u2028\u2029"
_DIRECTION = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
_PRINTABLE = dict.fromkeys([*range(0x20), *range(0x7F, 0xA0), *map(ord, _DIRECTION)], "\ufffd")
_PRINTABLE |= dict.fromkeys(map(ord, _LINE_BREAKS), " ") | {ord("\t"): " ", ord("\n"): "\n"}


def printable(text: str) -> str:
    """The text with control characters and bidirectional overrides made visible; its length stays."""
    return text.translate(_PRINTABLE)


def percent(share: float, digits: int = 0) -> str:
    """A share as prose has it, with a no-break space: "31 %", "under 1 %", "over 99 %", or "0.4 %".

    Args:
        share: 0 to 1.
        digits: decimals; no share but 0 and 1 is shown as 0 or 100.
    """
    least = 10.0**-digits
    if 100 * share < least:
        shown = "0" if share == 0 else f"under {least:.{digits}f}"
    elif 100 * share > 100 - least:
        shown = "100" if share == 1 else f"over {100 - least:.{digits}f}"
    else:
        shown = f"{100 * share:.{digits}f}"
    return f"{shown}\N{NO-BREAK SPACE}%"


def compact(share: float, digits: int = 0) -> str:
    """The same for columns: "31%", "<1%", ">99%"."""
    shown = percent(share, digits).replace("under ", "<").replace("over ", ">")
    return shown.replace("\N{NO-BREAK SPACE}", "")


def in_hundred(share: float) -> str:
    """A probability as "31 in 100", from "under 1 in 100" to "over 99 in 100"."""
    return percent(min(max(share, 1e-4), 1 - 1e-4)).replace("%", "in 100")


def signed(value: float, digits: int = 2) -> str:
    """A number with its sign, a true minus: "+0.42", "−0.10"."""
    return f"{value:+.{digits}f}".replace("-", "\N{MINUS SIGN}")


def valid(text: str) -> str:
    """The text with every lone surrogate, which UTF-8 and JSON have no place for, replaced by U+FFFD."""
    return _LONE_SURROGATE.sub("\ufffd", text)
