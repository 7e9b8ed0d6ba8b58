"""Word-for-word translations: rudimentary posts, for the head that finds such wording and for measuring it.

They are made with dictionaries (`glossary`) in two ways, which are two families: every word by its best
counterpart (``made_words``), and by counterparts that follow each other in the language (``made_smooth``).
The sources are English texts whose human translations are measured as well (NTREX, documentation), native
English news (WMT21), and speeches, parliaments and news that were written in other languages, through
English. Into English, NTREX is translated from other languages.

Chinese and Japanese have no blanks between words: nothing is made into them or from them.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

import pandas as pd

from scripts.training import made
from scripts.training.corpora import parallel, spoilt_with
from scripts.training.encoder_data import NO_SPACES, trained_on
from scripts.training.glossary import Glossary
from scripts.training.posts import neighbours
from scripts.training.rules import sources

WORDS, SMOOTH = "made_words", "made_smooth"
WORD_FOR_WORD = (WORDS, SMOOTH)

DONORS = ("es", "pt", "uk", "fi")
"""Languages whose native texts are translated, through English: those with most of them."""

INTO_ENGLISH = ("es", "ru", "tr", "fi", "de", "ko")
"""Languages whose human translations are translated back into English."""

NTREX = "ntrex"
LINES = 3
"""Lines of a test set that make a post, at most."""

PAIRS = 25_000
"""That a dictionary is learnt from."""


@lru_cache(maxsize=8)
def dictionary(corpora: Path, source: str, target: str) -> Glossary:
    """Learnt from human pairs of English and the other language, but for those of `spoilt_with`."""
    pairs = human_pairs(corpora, target if source == "en" else source)
    sides = ("en", "other") if source == "en" else ("other", "en")
    return Glossary(zip(*(pairs[side] for side in sides), strict=True), target)


def human_pairs(corpora: Path, language: str) -> pd.DataFrame:
    """Pairs of English and a language, ``en`` and ``other``, that `dictionary` learns from."""
    pairs = parallel(corpora, language)
    pairs = pairs[pairs["kind"] == "human"].drop_duplicates("en")
    pairs = pairs[[not spoilt_with(line) for line in pairs["en"]]]
    return pairs.sample(min(len(pairs), PAIRS), random_state=0)


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
        wild = wild[(wild["kind"] == "translated") & ~wild["family"].isin(trained_on(corpora))]
        wild = wild[wild["en"].fillna("") != ""].drop_duplicates("en").astype(str)
        yield "en", list(zip(wild["en"], wild["page"], strict=True))
    for source in DONORS:
        found = sources(corpora, source, 2000)
        if source != language and len(found):
            yield source, list(zip(found["text"], found["page"], strict=True))


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
            chosen = [posts[number] for number in neighbours([page for _, page in posts], share, rng)]
            texts = [text for text, _ in chosen]
            for step in pairwise(dict.fromkeys((source, "en", language))):
                glossary = dictionary(corpora, *step)
                texts = glossary.translate(texts) if family == WORDS else glossary.smooth(texts)
            system = "words" if family == WORDS else "smooth"
            rows += [
                (text, "machine", family, f"{system}-{source}", page)
                for text, (_, page) in zip(texts, chosen, strict=True)
            ]
    return pd.DataFrame(rows, columns=columns)
