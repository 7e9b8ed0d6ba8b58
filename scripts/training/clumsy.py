"""Posts with rudimentary wording: every way of making them, and which of them anything is fitted on."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from scripts.training import rules
from scripts.training.beginners import BEGINNERS, beginners
from scripts.training.word_for_word import WORD_FOR_WORD, word_for_word

WORDED = (*WORD_FOR_WORD, *BEGINNERS)
"""Families that this project worded."""

CLUMSY = (*WORDED, rules.FAMILY)
"""All families. The answer whether wording is rudimentary is fitted on those of `WORD_FOR_WORD`; the others
measure."""


def clumsy(corpora: Path, language: str, most: int) -> pd.DataFrame:
    """Posts of a language as rows of ``wild``.

    Args:
        corpora: folder of the corpora.
        language: ISO 639-1 code.
        most: posts of a family, about; of those word for word twice as many.
    """
    return pd.concat(
        [
            rules.made_by_rules(corpora, language, most),
            word_for_word(corpora, language, 2 * most),
            beginners(corpora, language, most),
        ]
    )
