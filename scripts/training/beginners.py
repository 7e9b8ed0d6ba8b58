"""Human posts worded as beginners word them: rudimentary posts that no dictionary of pairs made.

They are made in two ways, which are two families: words in their dictionary form and most small ones left
out, as if each had been looked up (``made_plain``); and some words in another form, or another small word in
their place, as of who learns a language (``made_bent``). The posts are of NTREX and of the families of
``wild`` that the encoder's layers do not learn from; their ``system`` is that family. Its layers for faulty
words learn from other sentences that are spoilt in these ways among others, so that only the heads over them
have never seen such wording.

Dictionary forms are known of all languages but Chinese, Japanese and Korean (`word_forms`).
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pandas as pd

from scripts.training.corpora import UNPAIRED
from scripts.training.encoder_data import HELD_OUT_FAMILIES
from scripts.training.glossary import WORDS, tidy
from scripts.training.posts import neighbours
from scripts.training.word_for_word import INTO_ENGLISH, human_pairs, ntrex
from scripts.training.word_forms import WITHOUT, learn_alike, learn_forms

PLAIN, BENT = "made_plain", "made_bent"
BEGINNERS = (PLAIN, BENT)

SMALL, LETTERS = 40, 4
"""Of the most frequent words with so many letters at most, those that are left out."""

LEFT_OUT, PLAINLY = 0.6, 0.85
"""Share of the small words that are left out, and of the others that have their dictionary form."""

WRONG = 0.3
"""Share of the words with other forms that have another one, and of the frequent words that are replaced."""


class Beginner:
    """How a beginner words what others wrote.

    Args:
        lines: of the language.
        language: ISO 639-1 code.
    """

    def __init__(self, lines: Sequence[str], language: str) -> None:
        rows = [WORDS.findall(line) for line in lines]
        counts = Counter(word for row in rows for word in row)
        self._language = language
        self._forms = learn_forms(counts, language)
        self._alike = learn_alike([word.lower() for word in row] for row in rows)
        short = [word for word, _ in counts.most_common() if word.islower() and len(word) <= LETTERS]
        self._small = frozenset(short[:SMALL])

    def plain(self, text: str, rng: random.Random) -> str:
        """A text with words in their dictionary form, and most of the small ones left out."""

        def word(lower: str, written: str) -> str:
            if lower in self._small and rng.random() < LEFT_OUT:
                return ""
            return self._forms.base.get(lower, written) if rng.random() < PLAINLY else written

        return self._worded(text, word)

    def bent(self, text: str, rng: random.Random) -> str:
        """A text with some words in another form, and other words in the place of some frequent ones."""

        def word(lower: str, written: str) -> str:
            others = self._alike.get(lower) if lower in self._small else self._forms.others.get(lower)
            return rng.choice(others) if others and rng.random() < WRONG else written

        return self._worded(text, word)

    def _worded(self, text: str, word: Callable[[str, str], str]) -> str:
        return tidy(WORDS.sub(lambda match: word(match[0].lower(), match[0]), text), self._language)


def own(corpora: Path, language: str, rng: random.Random) -> Iterator[list[tuple[str, str, str]]]:
    """Human posts that no layer learnt from, pages and families: of a test set, then of ``wild``."""
    other, side = (INTO_ENGLISH[0], "en") if language == "en" else (language, "other")
    yield [(text, page, UNPAIRED) for text, page in ntrex(corpora, other, side, rng)]
    columns = ["text", "kind", "family", "page"]
    wild = pd.read_parquet(corpora / "wild" / f"{language}.parquet", columns=columns).astype(str)
    wild = wild[wild["kind"].isin(("native", "translated"))].drop_duplicates("text")
    wild = wild[wild["family"].isin(HELD_OUT_FAMILIES)]
    yield list(zip(wild["text"], wild["page"], wild["family"], strict=True))


def beginners(corpora: Path, language: str, most: int) -> pd.DataFrame:
    """Posts of a language as rows of ``wild``; none of one without dictionary forms.

    Args:
        corpora: folder with ``parallel`` and ``wild``.
        language: ISO 639-1 code.
        most: posts of each family, about.

    Returns:
        Columns ``text``, ``kind``, ``family``, ``system``, ``page``.
    """
    rows: list[tuple[str, str, str, str, str]] = []
    if language not in WITHOUT:
        rng = random.Random(language)
        pairs = human_pairs(corpora, INTO_ENGLISH[0] if language == "en" else language)
        beginner = Beginner(pairs["en" if language == "en" else "other"].tolist(), language)
        for posts in own(corpora, language, rng):
            for family, worded in (PLAIN, beginner.plain), (BENT, beginner.bent):
                pages = [(source, page) for _, page, source in posts]
                for text, page, source in [posts[n] for n in neighbours(pages, -(-most // 2), rng)]:
                    rows.append((worded(text, rng), "machine", family, source, page))
    return pd.DataFrame(rows, columns=["text", "kind", "family", "system", "page"])
