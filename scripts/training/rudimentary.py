"""Rudimentary translations of test sets, for the encoder to learn from: by rules, and word for word.

    python -m scripts.training.rudimentary --corpora CORPORA --out runs/rudimentary

The test sets have hardly any: their systems are neural, and what these write is fluent. A clumsy post is more
often of the kind that is made here. Every line is a translation of the human version of the same line in
another language, so that a human version stands beside it.

Apertium's (`rules`) are made into the languages of ``BY_RULES`` alone: into French, Portuguese and Russian it
translates as well, but these are left for measuring (`rules.made_by_rules`). Word for word (`glossary`) all
languages that have blanks between words are made from English, and English from each of them.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from scripts.command import command
from scripts.training.corpora import LANGUAGES, labelled, parallel
from scripts.training.encoder_data import NO_SPACES
from scripts.training.glossary import Glossary
from scripts.training.rules import translate

BY_RULES = {
    "en": {"es": "spa-eng"},
    "es": {"en": "eng-spa", "fr": "fr-es", "pt": "pt-es", "it": "ita-spa"},
    "it": {"es": "spa-ita"},
    "uk": {"ru": "rus-ukr"},
}
"""Language of the translations → those that they are made from, and Apertium's name of the pair."""

LINES = 2500
"""Of one test set in one direction, at most."""

LETTERS = 10
"""A translation of fewer is left out."""

PAIRS = 25_000
"""That a dictionary is learnt from."""

TESTSETS = ("wmt08", "wmt09", "wmt10", "wmt11", "wmt12", "wmt13", "flores-dev")
"""Test sets that have the same line under the same number in all languages. Those of WMT from 2014 on are
other texts for each pair of languages."""


def humans(corpora: Path, language: str) -> pd.DataFrame:
    """One human version of every line of ``TESTSETS``: ``testset``, ``source_lang``, ``line``, ``text``."""
    frame = labelled(corpora, language, "train")
    frame = frame[(frame["label"] == "human") & frame["testset"].isin(TESTSETS)]
    frame = frame[["testset", "source_lang", "line", "text"]].astype({"testset": str, "source_lang": str})
    return frame.drop_duplicates(["testset", "line"])


def beside(target: pd.DataFrame, source: pd.DataFrame, most: int = LINES, stretch: int = 0) -> pd.DataFrame:
    """Neighbouring lines of ``target`` with the same lines of ``source``, in the column ``source``.

    Args:
        target, source: of two languages, as `humans` gives them.
        most: lines of a test set.
        stretch: which part of a test set, if it has several of so many lines.
    """
    other = source[["testset", "line", "text"]].rename(columns={"text": "source"})
    found = target.merge(other, on=["testset", "line"])
    sets = found.groupby("testset")
    parts = -(-sets["line"].transform("size") // most)
    return found[sets.cumcount() // most == stretch % parts]


def dictionary(corpora: Path, source: str, target: str) -> Glossary:
    """Learnt from human pairs of English and the other language."""
    pairs = parallel(corpora, target if source == "en" else source)
    pairs = pairs[pairs["kind"] == "human"].drop_duplicates("en")
    pairs = pairs.sample(min(len(pairs), PAIRS), random_state=0)
    sides = ("en", "other") if source == "en" else ("other", "en")
    return Glossary(zip(*(pairs[side] for side in sides), strict=True))


def translations(corpora: Path, language: str) -> pd.DataFrame:
    """All of them into one language, as rows of ``labelled``."""
    spaced = [code for code in LANGUAGES if code not in NO_SPACES]
    sources = [code for code in spaced if code != "en"] if language == "en" else ["en"]
    own, parts = humans(corpora, language), []
    for source, pair in BY_RULES.get(language, {}).items():
        lines = beside(own, humans(corpora, source))
        parts.append(
            lines.assign(text=translate(lines["source"].tolist(), pair), system=f"apertium-{source}")
        )
    for number, source in enumerate(sources if language in spaced else ()):
        lines = beside(own, humans(corpora, source), LINES // len(sources), number)
        made = dictionary(corpora, source, language).translate(lines["source"])
        parts.append(lines.assign(text=made, system=f"glossary-{source}"))
    columns = ["testset", "source_lang", "label", "origin", "system", "line", "text"]
    if not parts:
        return pd.DataFrame(columns=columns)
    found = pd.concat(parts).assign(label="machine", origin="translated")
    letters = found["text"].astype(str).str.count(r"[^\W\d_]")
    return found.loc[letters >= LETTERS, columns].reset_index(drop=True)


def main() -> None:
    parser = command(__doc__)
    parser.add_argument("--corpora", type=Path, required=True)
    parser.add_argument("--languages", nargs="+", default=LANGUAGES)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    for language in args.languages:
        found = translations(args.corpora, language)
        if len(found):
            found.to_parquet(args.out / f"{language}.parquet")
            print(language, found.groupby("system").size().to_dict(), flush=True)


if __name__ == "__main__":
    main()
