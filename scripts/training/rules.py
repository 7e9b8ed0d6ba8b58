"""Translations by rules, of parliaments and news: rudimentary ones.

Apertium (Forcada et al. 2011) analyses words, chooses others and reorders them by rules, as the free services
of the 2000s did. Its sources are native texts of another language, official ones and news. Nothing is trained
on it in any language.

It is a program of its own, under the GPL: ``apt install apertium apertium-es-pt apertium-fr-es
apertium-spa-ita apertium-eng-spa apertium-rus-ukr``. Without it there are no such posts, and a line says so.
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pandas as pd

FAMILY = "made_rules"
"""Hardly anything that ships tells these from human text (docs/experiments.md): fitted on, they would make
all else less sure. So they are measured and never fitted on, and probabilities hold for other systems."""

SOURCES: dict[str, dict[str, str]] = {
    "en": {"es": "spa-eng"},
    "es": {"fr": "fr-es", "pt": "pt-es"},
    "fr": {"es": "es-fr"},
    "it": {"es": "spa-ita"},
    "pt": {"es": "es-pt"},
    "ru": {"uk": "ukr-rus"},
}
"""Language of the translations → those that they are made from, and Apertium's name of the pair."""

MODES = Path("/usr/share/apertium/modes")
"""Apertium's pairs, each as a line of programs."""

FIRST_READING = ("rus-ukr", "ukr-rus")
"""Pairs whose tagger prints nothing (apertium-rus-ukr 0.2.1, Debian 12): of the readings that its grammar
leaves, the first is taken."""

TAGGER = re.compile(r"cg-proc -w ('[^']+') \| apertium-tagger -g \$2 '[^']+'")

TOGETHER = 25
"""Texts of one call."""

OF_A_PAGE = 20
"""Texts of one page, at most."""

REGISTERS = ("official", "parlamint", "native_news")
"""Families whose native texts are translated."""


def translate(texts: list[str], pair: str) -> list[str]:
    """Translate by Apertium; words that it does not know stay as they are, without a mark.

    Args:
        texts: of the source language; blank lines in them become blanks.
        pair: Apertium's name of the pair, such as ``es-pt``.

    Returns:
        As many texts; the empty text for one that it fails on.

    Raises:
        FileNotFoundError: there is no such pair.
        ValueError: it fails on every text, or its steps are not as expected.
    """
    steps = MODES.joinpath(f"{pair}.mode").read_text(encoding="utf-8").strip()
    if pair in FIRST_READING:
        steps, changed = TAGGER.subn(r"cg-proc -1 -n -w \1", steps)
        if not changed:
            raise ValueError(f"Apertium's pair {pair} has other steps than expected.")
    steps = f"apertium-destxt | {steps} | apertium-retxt"
    parts = [texts[start : start + TOGETHER] for start in range(0, len(texts), TOGETHER)]
    made = [text for part in parts for text in piped(part, steps)]
    if texts and not any(made):
        raise ValueError(f"Apertium's pair {pair} translates nothing.")
    return made


def piped(texts: list[str], steps: str) -> list[str]:
    """A few texts through a line of programs: all at once or, where it stops on one of them, by halves.

    Args:
        texts: of one line each.
        steps: for the shell, as Apertium's modes are.

    Returns:
        As many texts; the empty text for one on which it stops.
    """
    lines = [" ".join(text.split()) for text in texts]
    shell = ["bash", "-o", "pipefail", "-c", steps, "bash", "-n"]
    found = subprocess.run(shell, input="\n\n".join(lines), capture_output=True, text=True, check=False)
    made = [text.strip() for text in found.stdout.strip().split("\n\n")]
    if not found.returncode and len(made) == len(lines):
        return made
    if len(texts) <= 1:
        return [""] * len(texts)
    middle = len(texts) // 2
    return piped(texts[:middle], steps) + piped(texts[middle:], steps)


def sources(corpora: Path, language: str, most: int) -> pd.DataFrame:
    """Native texts of `REGISTERS` in a language: ``text`` and ``page``, at most ``most``.

    Of a page the first `OF_A_PAGE`, since some parliaments fill one with a day.
    """
    frame = pd.read_parquet(corpora / "wild" / f"{language}.parquet")
    frame = frame[(frame["kind"] == "native") & frame["family"].isin(REGISTERS)]
    frame = frame.drop_duplicates("text").groupby("page", observed=True).head(OF_A_PAGE)
    pages = pd.Series(frame["page"].astype(str).unique()).sample(frac=1, random_state=0)
    order = frame["page"].astype(str).map(dict(zip(pages, range(len(pages)), strict=True)))
    return frame.iloc[order.argsort(kind="stable")][["text", "page"]].head(most).astype(str)


def made_by_rules(corpora: Path, language: str, most: int) -> pd.DataFrame:
    """Translations into a language as rows of ``wild``; none where there is no such pair or no Apertium.

    Args:
        corpora: folder with ``wild``.
        language: ISO 639-1 code.
        most: from each source language.

    Returns:
        Columns ``text``, ``kind``, ``family``, ``system``, ``page``.
    """
    parts = []
    for source, pair in SOURCES.get(language, {}).items():
        if not MODES.joinpath(f"{pair}.mode").exists():
            print(f"no translations by rules into {language}: Apertium's {pair} is not here", flush=True)
            continue
        found = sources(corpora, source, most)
        texts = translate(found["text"].tolist(), pair)
        changed = found.assign(text=texts, kind="machine", family=FAMILY, system=f"apertium-{source}")
        parts.append(changed[[bool(text) for text in texts]])
    columns = ["text", "kind", "family", "system", "page"]
    return pd.concat(parts)[columns] if parts else pd.DataFrame(columns=columns)
