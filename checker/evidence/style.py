"""Style: does the wording itself look like machine output?

One linear model a language over hashed n-grams of characters (1 to 5) and of words (1 and 2), the classic
detector of translationese (Baroni and Bernardini 2006; Volansky et al. 2015) in its cheapest form: one table
that both kinds share (Weinberger et al. 2009). A text's log-odds are the sum of the weights of its n-grams
over the square root of their number, so that evidence adds up with length as independent votes would.
Because the model is linear, every character's share of the log-odds is known exactly, and the words that
made the detector say so can be shown.

What tells a keyboard from a newsroom, and not a machine from a human, is folded before hashing: quotation
marks, dashes, apostrophes, digits, repeated punctuation, capitals, and spellings that depend on the
keyboard. Names of several words in another script are left out.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt
import regex

from checker import german, letters
from checker.errors import ModelCorruptedError
from checker.languages import SUPPORTED
from checker.text import Draft

REVISION = "0.7.0"
"""Of the models that ship. It changes with their weights, and with what is made of a text before hashing: a
calibration of one's own holds for the revision that it was fitted with."""

BITS = 21
ORDERS = (1, 2, 3, 4, 5)
WORD_ORDERS = (1, 2)
WORD_WEIGHT = 3.0
"""How often an n-gram of words counts: those of characters are some fifteen times as many."""
_WORD = regex.compile(r"[^\W\p{Han}\p{Hiragana}\p{Katakana}ー]+")  # Chinese and Japanese have no spaces
_FOLDED = str.maketrans(
    dict.fromkeys("«»„“”‟「」『』〝〞‹›", '"')
    | dict.fromkeys("‘’‚‛`´ʼ′", "'")
    | dict.fromkeys("‐‑‒–—―−", "-")
    | {"…": "."}
)
# A run of three words and more in capitals, and where a sentence begins in it.
_CAPITALS = regex.compile(
    r"(?<![\p{L}\p{M}])(?=\p{Lu})"
    r"(?<!(?<![\p{L}\p{M}])\p{Lu}[\p{Lu}\p{M}'’]{0,40}[^\p{L}]{1,6})"  # its first word
    r"\p{Lu}[\p{Lu}\p{M}'’]*+(?:[^\p{L}]{1,6}+\p{Lu}[\p{Lu}\p{M}'’]*+){2,}+(?!\p{L})"
)
CAPITALS = 20  # characters of such a run from which it is no list of acronyms
_CASED_WORD = regex.compile(r"[\p{Lu}\p{Ll}][\p{L}\p{M}'’]*+")
_ACRONYM = regex.compile(r"(?<![\p{L}\p{M}])\p{Lu}{2,}(?![\p{L}\p{M}])")
CASED_WORDS, CAPITALISED, LITTLE, LISTED = 4, 0.85, 3, 0.25
"""Words from which a text is taken for one in small letters, or for a title; share of capitals of a title;
letters of the little words that must be among those; commas a word from which it is a list of names."""
# Behind opening marks; not behind an abbreviation or an ordinal, which end in a letter or two or a digit.
_BEGINNING = regex.compile(r"(?:\A[^\p{L}\p{N}]*+|\p{L}{3}[!?.…][\"'»”’)]?\s++[^\p{L}\p{N}\s]*+)\K\p{Ll}")
_LONE_I = regex.compile(r"(?<![\p{L}\p{M}])i(?![\p{L}\p{M}])")
# A telephone number behind a sentence, or all that a sentence is: it begins with +, ( or 0, or behind "Tel.".
_CALL = "tel|telefono?|teléfono|téléphone|telefone|phone|call|mob|mobile|fax|puh|tlf|тел|телефон|τηλ|טל"
_TELEPHONE = regex.compile(
    rf"(?:\A|(?<=[.!?:。！？।؟]))\s{{0,3}}(?:(?:{_CALL})[.:]{{1,2}}\s?[\p{{Nd}}+(]|[+(]|0|\u06f0|\u0660|\u0966)"
    r"[\p{Nd} ()./-]{5,24}\p{Nd}[.)]?\s*+\Z",
    regex.IGNORECASE,
)
_NO_TELEPHONE = regex.compile(
    r"\p{Nd}{1,2}[./]\p{Nd}{1,2}[./]\p{Nd}{2,4}|\p{Nd}{4}-\p{Nd}{2}-\p{Nd}{2}|(?<!\p{Nd})(?:19|20)\p{Nd}{2}(?!\p{Nd})"
    r"|\p{Nd}{1,2}[.:]\p{Nd}{2}\s?-\s?\p{Nd}{1,2}[.:]\p{Nd}{2}|\A\s*+\p{Nd}++\.\p{Nd}++\s*+\Z"
)
"""A date, a year, hours or a decimal in it: it is none."""
_REPEATED = regex.compile(r"([!?.,;:…-])\1++")
_BEFORE_SIGN = regex.compile(r"[ \t]++(?=[,.;:!?،؛।॥。，、)\]])|(?<=\s)\s++")

Step = tuple[regex.Pattern[str], Callable[[regex.Match[str]], str]]


def _table(pairs: dict[str, str]) -> Step:
    return regex.compile("[" + "".join(pairs) + "]"), lambda match: pairs[match[0]]


def _wide(signs: str) -> Step:
    """Signs of half width after East Asian characters, as wide ones; three dots stay."""
    wide = dict(zip(",.:;!?", signs, strict=True))
    after = r"(?<=[\p{Han}\p{Hiragana}\p{Katakana}ー”’」』）)])"
    pattern = rf"{after}[ ]?([,:;!?]|\.(?!\.))[ ]?(?!\d)"
    return regex.compile(pattern), lambda match: wide[match[1]]


_TRAILING: Step = (
    regex.compile(r"(?<=[\p{Han}\p{Hiragana}\p{Katakana}])(?:…++|\.{2,}+)\Z"),
    lambda match: "。",
)
_STRESS: Step = (regex.compile("\u0301"), lambda match: "")
_POINTS: Step = (regex.compile("[\u064b-\u0652\u0670]"), lambda match: "")  # vowels of Arabic
_VERBS = (
    "کن|کرد|شو|شد|ده|داد|گوی|گفت|رو|رفت|آی|آمد|خواه|خواست|توان|گیر|گرفت|یاب|یافت|ساز|ساخت|بین|دید|رس|دار|داشت"
    "|کش|خور|گذ|بر|مان|نویس|نوشت|پرد|افز|افت|باش|پذیر|آور|شناس|خوان|بخش|پرس|زن"
)  # fmt: skip
_JOINED = "[بپتثجچحخسشصضطظعغفقکگلمنهی]"  # letters that join the next one
_ENDINGS = (
    "ها|های|هایی|هایم|هایت|هایش|هایمان|هایتان|هایشان|ام|ای|اند|ایم|اید|تر|ترین|شان|اش|مان|تان|ات"
)  # fmt: skip
SPELLINGS: dict[str, tuple[Step, ...]] = {
    "ar": (_table({"ی": "ي", "ک": "ك"}), _POINTS),
    "bg": (_STRESS,),
    "de": (_table({"ß": "ss", "ẞ": "SS"}),),
    # A half space, typed as one, as a blank or not at all: kept after the prefix of verbs and before endings.
    "fa": (
        _table({"ي": "ی", "ك": "ک", "ى": "ی"}),
        _POINTS,
        (regex.compile(rf"(?<!\w)(ن?می)(?=(?:{_VERBS})\w)"), lambda match: f"{match[1]} "),
        (
            regex.compile(rf"(?<=\w)(?!(?<=\bان|\bمن)ت|(?<=\bت)ن|(?<=ن)ب){_JOINED}(?=(?:ها|های|هایی)(?!\w))"),
            lambda match: f"{match[0]} ",
        ),
        (regex.compile(r"(?<=\w)ه(?=(?:اند|ایم|اید)(?!\w))"), lambda match: "ه "),
        (regex.compile("[\u200c\u200d]"), lambda match: " "),
        (regex.compile(r"(?<!\w)(ن?می) (?=\w)"), lambda match: f"{match[1]}\u200c"),
        (regex.compile(rf"(?<=\w) (?=(?:{_ENDINGS})(?!\w))"), lambda match: "\u200c"),
    ),
    "fr": (_table({"œ": "oe", "Œ": "Oe"}),),
    "he": (
        (regex.compile("[\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7]"), lambda match: ""),
        _table({"־": "-", "׳": "'", "״": '"'}),
    ),
    "hi": (
        (
            regex.compile(r"(?<=\p{Devanagari})(?:\s?\||\s++(?=।)|(?:…|\.)++\Z)"),
            lambda match: match[0].strip() and "।",
        ),
    ),
    "it": (_table({"é": "è", "É": "È"}),),
    "ja": (_TRAILING, _wide("、。：；！？"), _table({"，": "、", "．": "。"})),
    "ro": (_table({"ş": "ș", "ţ": "ț", "Ş": "Ș", "Ţ": "Ț"}),),
    "ru": (_table({"ё": "е", "Ё": "Е"}), _STRESS),
    "uk": (_STRESS,),
    "zh": (
        _TRAILING,
        _wide("，。：；！？"),
    ),
}
"""Spellings of the keyboard, each with what it becomes: the one that text is trained on most."""
_DIGITS = re.compile(r"\d")
_PRIME = np.uint64(0x100000001B3)
_MIX = np.uint64(0x9E3779B97F4A7C15)
_NO_CHARACTER = np.uint64(1 << 32)  # sets the numbers of words apart from those of characters

Floats = npt.NDArray[np.float64]
Numbers = npt.NDArray[np.int64]


def fold(text: str) -> str:
    """Fold typography that depends on the keyboard; the length never changes."""
    return _DIGITS.sub("0", text.translate(_FOLDED))


def normal(text: str, language: str) -> Draft:
    """What `wording` gives, with every digit a zero; see there."""
    draft = wording(text, language)
    draft.text = _DIGITS.sub("0", draft.text)
    return draft


def wording(text: str, language: str) -> Draft:
    """A text without what its keyboard and its names in other scripts add; knows where each character was.

    Args:
        text: cleaned.
        language: ISO 639-1; "" for what holds in every language.
    """
    draft = Draft(text)
    if language and letters.other(language).search(text):
        draft.replace(letters.foreign(language), lambda match: " ")
        draft.replace(_BEFORE_SIGN, lambda match: "")
    draft.replace(_TELEPHONE, _telephone)
    draft.text = _as_a_sentence(draft.text, language)
    draft.text = _CAPITALS.sub(lambda match: _small(match[0], language), draft.text)
    for pattern, new in SPELLINGS.get(language, ()):
        draft.replace(pattern, new)
    draft.text = draft.text.translate(_FOLDED)
    draft.replace(_REPEATED, lambda match: str(match[1]))
    return draft


def _telephone(match: regex.Match[str]) -> str:
    """Nothing, if there are as many digits as a telephone number has, and no date."""
    found = str(match[0])
    is_one = 7 <= sum(map(str.isdecimal, found)) <= 15 and not _NO_TELEPHONE.search(found)
    return "" if is_one else found


def _as_a_sentence(text: str, language: str) -> str:
    """A text without a capital, or with one on nearly every word, as a sentence has them."""
    words = _CASED_WORD.findall(text)
    capitals = [word for word in words if word[0].isupper()]
    if len(words) < CASED_WORDS or 0 < len(capitals) < CAPITALISED * len(words):
        return text
    little = any(1 < len(word) <= LITTLE and not word.isupper() for word in capitals)
    if capitals and (not little or text.count(",") >= LISTED * len(words)):
        return text
    return _lowered(text, language, keep=True)


def _small(run: str, language: str) -> str:
    """Words in capitals as a sentence has them; the length stays."""
    return run if len(run) < CAPITALS else _lowered(run, language)


def _lowered(run: str, language: str, *, keep: bool = False) -> str:
    """Small letters, but for what sentences and German nouns begin with; the length stays.

    Args:
        run: words.
        language: ISO 639-1.
        keep: whether words in capitals, which are acronyms beside others, stay as they are.
    """
    small = letters.lowered(run, language)
    if keep:
        kept = list(small)
        for match in _ACRONYM.finditer(run):
            kept[match.start() : match.end()] = match[0]
        small = "".join(kept)
    if language == "de":
        small = german.with_capitals(small)
    if language == "en":
        small = _LONE_I.sub("I", small)
    return _BEGINNING.sub(lambda match: letters.raised(match[0], language), small)


def _hashed(units: npt.NDArray[np.uint64], orders: Sequence[int]) -> Iterator[Numbers]:
    """The bucket of every n-gram of a sequence, one array an order; orders are 1, 2, 3 and so on."""
    rolling = np.zeros(len(units) + 1, np.uint64)
    for order in orders:
        rolling = rolling[: max(len(units) - order + 1, 0)] * _PRIME + units[order - 1 :]  # modulo 2 ** 64
        mixed = (rolling ^ (rolling >> np.uint64(29))) * _MIX
        yield (mixed >> np.uint64(64 - BITS)).view(np.int64)


class Ngrams(NamedTuple):
    """Bucket numbers of the n-grams of a text.

    Attributes:
        characters: one array for each order in ``ORDERS``; entry ``i`` belongs to the n-gram that starts at
            character ``i - 1`` of the text (0 is the space before it).
        words: one array for each order in ``WORD_ORDERS``; entry ``i`` belongs to the n-gram that starts at
            word ``i``.
        spans: start and end of every word in the text, one row a word.
        votes: the square root of the number of n-grams.
    """

    characters: tuple[Numbers, ...]
    words: tuple[Numbers, ...]
    spans: Numbers
    votes: float


def ngrams(text: str) -> Ngrams:
    """The n-grams of a text, which is folded and set between two spaces first; words in small letters."""
    folded = fold(text)
    points = np.frombuffer(f" {folded} ".encode("utf-32-le", "surrogatepass"), dtype="<u4").astype(np.uint64)
    matches = list(_WORD.finditer(folded))
    names = [zlib.crc32(match[0].lower().encode("utf-8", "surrogatepass")) for match in matches]
    spans = np.array([match.span() for match in matches], np.int64).reshape(-1, 2)
    characters = tuple(_hashed(points, ORDERS))
    words = tuple(_hashed(np.array(names, np.uint64) | _NO_CHARACTER, WORD_ORDERS))
    count = sum(map(len, characters)) + sum(map(len, words))
    return Ngrams(characters, words, spans, float(np.sqrt(max(count, 1))))


class StyleReading(NamedTuple):
    """What the style detector reads in a text.

    Attributes:
        log_odds: that it is machine-translated; positive points to a machine. Not yet calibrated.
        shares: of every character of the text in them, the bias left out.
    """

    log_odds: float
    shares: Floats


class StyleModel:
    """The style detector of one language.

    Args:
        weights: ``int8`` array of ``2 ** BITS`` bucket weights.
        scale: what one unit of ``weights`` is worth in log-odds.
        bias: log-odds of a text without any known n-gram.
        label: name@revision, for the result.
        language: ISO 639-1, whose spellings are folded; "" for none.
    """

    def __init__(
        self, weights: npt.NDArray[np.int8], scale: float, bias: float, label: str, language: str = ""
    ) -> None:
        self.language = language
        if weights.shape != (1 << BITS,):
            raise ValueError(f"expected {1 << BITS} weights, got {weights.shape}")
        self.weights, self.scale, self.bias, self.label = weights, scale, bias, label

    def log_odds(self, text: str) -> float:
        """Log-odds that a text is machine-translated; positive points to a machine. Not yet calibrated."""
        return self._log_odds(ngrams(normal(text, self.language).text))

    def read(self, text: str) -> StyleReading:
        """The log-odds of a text, and the share of every character in them.

        An n-gram counts evenly for the characters that it spans. The shares of the spaces that the text is
        set between go to its first and last character.
        """
        draft = normal(text, self.language)
        found, length = ngrams(draft.text), len(draft.text)
        shares = np.zeros(length + 2)
        for order, numbers in zip(ORDERS, found.characters, strict=True):
            part = self.weights[numbers].astype(np.float64) / order
            for offset in range(order if len(numbers) else 0):
                shares[offset : offset + len(numbers)] += part
        steps = np.zeros(length + 2)  # what a character gets from words, less what the one before it gets
        starts, ends = found.spans.T + 1
        for order, numbers in zip(WORD_ORDERS, found.words, strict=True):
            first, last = starts[: len(numbers)], ends[order - 1 :]
            part = WORD_WEIGHT * self.weights[numbers].astype(np.float64) / (last - first)
            steps[first] += part
            steps[last] -= part
        shares += np.cumsum(steps)
        if length:
            shares[1] += shares[0]
            shares[-2] += shares[-1]
        each = self.scale * shares[1:-1] / found.votes
        placed = np.asarray(np.bincount(draft.starts, each, len(text)), np.float64)
        return StyleReading(self._log_odds(found), placed)

    def _log_odds(self, found: Ngrams) -> float:
        total = self._sum(found.characters) + WORD_WEIGHT * self._sum(found.words)
        return self.bias + self.scale * total / found.votes

    def _sum(self, parts: Sequence[Numbers]) -> int:
        return sum(int(self.weights[numbers].sum(dtype=np.int64)) for numbers in parts)


def load(path: Path, label: str) -> StyleModel:
    """Read the ``.npz`` file that ``scripts/training/style.py`` writes.

    Raises:
        ModelCorruptedError: the file is not one, or is damaged.
    """
    try:
        with np.load(path, allow_pickle=False) as arrays:
            language = path.stem if path.stem in SUPPORTED else ""
            return StyleModel(
                arrays["weights"], float(arrays["scale"]), float(arrays["bias"]), label, language
            )
    except (OSError, EOFError, KeyError, ValueError, zlib.error, BadZipFile) as error:
        raise ModelCorruptedError(f"{path} cannot be read ({error}). Install the package again.") from None


def word_weights(shares: Floats, spans: Sequence[tuple[int, int]]) -> list[float]:
    """Sum the characters' shares over word spans."""
    total = np.concatenate([[0.0], np.cumsum(shares)])
    return [float(total[end] - total[start]) for start, end in spans]
