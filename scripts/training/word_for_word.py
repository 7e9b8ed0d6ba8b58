"""Word-for-word translations: rudimentary posts, for the head that finds such wording and for measuring it.

They are made in three ways, which are three families: with dictionaries (`glossary`), every word by its best
counterpart (``made_words``) or by counterparts that follow each other in the language (``made_smooth``); and
from human posts of the language, words in their dictionary form and most small ones left out, as if each had
been looked up (``made_plain``).
The sources are English texts whose human translations are measured as well (NTREX, documentation), native
English news (WMT21), and speeches, parliaments and news that were written in other languages, through
English. Into English, NTREX is translated from other languages.

Chinese and Japanese have no blanks between words: nothing is made into them or from them. Dictionary forms
are known of all others but Korean (`word_forms`).
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

import pandas as pd
import regex

from scripts.training import made
from scripts.training.corpora import parallel, spoilt_with
from scripts.training.encoder_data import NO_SPACES, trained_on
from scripts.training.glossary import WORDS as WORD
from scripts.training.glossary import Glossary, tidy
from scripts.training.rules import FAMILY, sources
from scripts.training.word_forms import WITHOUT, learn_forms

WORDS, SMOOTH, PLAIN = "made_words", "made_smooth", "made_plain"
WORD_FOR_WORD = (WORDS, SMOOTH, PLAIN)
CLUMSY = (*WORD_FOR_WORD, FAMILY)
"""Families that nothing is fitted on but, of `WORD_FOR_WORD`, the answer whether wording is rudimentary."""

DONORS = ("es", "pt", "uk", "fi")
"""Languages whose native texts are translated, through English: those with most of them."""

INTO_ENGLISH = ("es", "ru", "tr", "fi", "de", "ko")
"""Languages whose human translations are translated back into English."""

NTREX = "ntrex"
LINES = 3
"""Lines of a test set that make a post, at most."""

PAIRS = 25_000
"""That a dictionary is learnt from."""

SMALL, LETTERS = 40, 4
"""Of the most frequent words with so many letters at most, those that are left out."""

LEFT_OUT, PLAINLY = 0.6, 0.85
"""Share of the small words that are left out, and of the others that have their dictionary form."""


@lru_cache(maxsize=8)
def dictionary(corpora: Path, source: str, target: str) -> Glossary:
    """Learnt from human pairs of English and the other language, but for those of `spoilt_with`."""
    pairs = _pairs(corpora, target if source == "en" else source)
    sides = ("en", "other") if source == "en" else ("other", "en")
    return Glossary(zip(*(pairs[side] for side in sides), strict=True))


def _pairs(corpora: Path, language: str) -> pd.DataFrame:
    pairs = parallel(corpora, language)
    pairs = pairs[pairs["kind"] == "human"].drop_duplicates("en")
    pairs = pairs[[not spoilt_with(line) for line in pairs["en"]]]
    return pairs.sample(min(len(pairs), PAIRS), random_state=0)


class Plain:
    """Dictionary forms of the words of a language.

    Args:
        lines: of the language.
        language: ISO 639-1 code.
    """

    def __init__(self, lines: Iterable[str], language: str) -> None:
        counts = Counter(word for line in lines for word in WORD.findall(line))
        self.base = learn_forms(counts, language).base
        short = [word for word, _ in counts.most_common() if word.islower() and len(word) <= LETTERS]
        self.small = frozenset(short[:SMALL])

    def __call__(self, text: str, rng: random.Random) -> str:
        """A text with words in their dictionary form, and most of the small ones left out."""

        def word(match: regex.Match[str]) -> str:
            lower = match[0].lower()
            if lower in self.small and rng.random() < LEFT_OUT:
                return ""
            return self.base.get(lower, match[0]) if rng.random() < PLAINLY else match[0]

        return tidy(WORD.sub(word, text))


@lru_cache(maxsize=2)
def plain(corpora: Path, language: str) -> Plain:
    """Learnt from the lines that a `dictionary` into the language learns from."""
    pairs = _pairs(corpora, INTO_ENGLISH[0] if language == "en" else language)
    return Plain(pairs["en" if language == "en" else "other"], language)


def joined(lines: list[str], name: str, rng: random.Random) -> list[tuple[str, str]]:
    """Posts of one to three neighbouring lines, each with its page."""
    posts, start = [], 0
    while start < len(lines):
        size = rng.randint(1, LINES)
        posts.append((" ".join(lines[start : start + size]), f"{name}-{start // 20}"))
        start += size
    return posts


def ntrex(corpora: Path, language: str, side: str, rng: random.Random) -> list[tuple[str, str]]:
    """Posts of NTREX, of the side ``en`` or ``other``."""
    pairs = parallel(corpora, language)
    pairs = pairs[(pairs["kind"] == "human") & (pairs["testset"] == NTREX)].drop_duplicates("en")
    return joined(pairs[side].tolist(), NTREX, rng)


def material(corpora: Path, language: str, rng: random.Random) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """What is translated into a language: source language, posts and their pages, a group after the other."""
    if language == "en":
        for source in INTO_ENGLISH:
            yield source, ntrex(corpora, source, "other", rng)
    else:
        yield "en", ntrex(corpora, language, "en", rng)
        yield "en", joined(made.sources(corpora, "en"), "wmt21", rng)
        columns = ["kind", "family", "en", "page"]
        wild = pd.read_parquet(corpora / "wild" / f"{language}.parquet", columns=columns)
        wild = wild[(wild["kind"] == "translated") & ~wild["family"].isin(trained_on(corpora, language))]
        wild = wild[wild["en"].fillna("") != ""].drop_duplicates("en").astype(str)
        yield "en", list(zip(wild["en"], wild["page"], strict=True))
    for source in DONORS:
        found = sources(corpora, source, 2000)
        if source != language and len(found):
            yield source, list(zip(found["text"], found["page"], strict=True))


def own(corpora: Path, language: str, rng: random.Random) -> Iterator[list[tuple[str, str]]]:
    """Human posts of a language that are measured, and their pages: a test set, then everything else."""
    other, side = (INTO_ENGLISH[0], "en") if language == "en" else (language, "other")
    yield ntrex(corpora, other, side, rng)
    columns = ["text", "kind", "family", "page"]
    wild = pd.read_parquet(corpora / "wild" / f"{language}.parquet", columns=columns).astype(str)
    wild = wild[wild["kind"].isin(("native", "translated"))].drop_duplicates("text")
    wild = wild[~wild["family"].isin(trained_on(corpora, language))]
    yield list(zip(wild["text"], wild["page"], strict=True))


def word_for_word(corpora: Path, language: str, most: int) -> pd.DataFrame:
    """Translations into a language as rows of ``wild``; none into a language without blanks.

    Args:
        corpora: folder with ``labelled``, ``parallel`` and ``wild``.
        language: ISO 639-1 code.
        most: posts of each family, about.

    Returns:
        Columns ``text``, ``kind``, ``family``, ``system``, ``page``.
    """
    columns = ["text", "kind", "family", "system", "page"]
    rows: list[tuple[str, str, str, str, str]] = []
    if language in NO_SPACES:
        return pd.DataFrame(rows, columns=columns)
    rng = random.Random(language)
    groups = list(material(corpora, language, rng))
    share = -(-most // len(groups))
    for source, posts in groups:
        for family in (WORDS, SMOOTH):
            chosen = rng.sample(posts, min(share, len(posts)))
            texts = [text for text, _ in chosen]
            for step in pairwise(dict.fromkeys((source, "en", language))):
                glossary = dictionary(corpora, *step)
                texts = glossary.translate(texts) if family == WORDS else glossary.smooth(texts)
            system = "words" if family == WORDS else "smooth"
            rows += [
                (text, "machine", family, f"{system}-{source}", page)
                for text, (_, page) in zip(texts, chosen, strict=True)
            ]
    if language not in WITHOUT:
        plainly = plain(corpora, language)
        for posts in own(corpora, language, rng):
            chosen = rng.sample(posts, min(-(-most // 2), len(posts)))
            rows += [(plainly(text, rng), "machine", PLAIN, "plain", page) for text, page in chosen]
    return pd.DataFrame(rows, columns=columns)
