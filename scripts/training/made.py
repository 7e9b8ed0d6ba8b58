"""Machine translations of our own, of news that no model was trained on: rudimentary ones.

Native lines of WMT21 are translated by the translators that ship: from English into Russian, German, French,
Spanish and Portuguese, and from Russian, German and French into English. The embedded translator is small and
its translations are rudimentary; Portuguese is Firefox's, of production grade. No detector was trained on
either.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from checker.models import Store
from checker.models.load import load_translator
from scripts.training.corpora import labelled

FAMILY = "made"

SOURCES = {**dict.fromkeys(("ru", "de", "fr", "es", "pt"), ("en",)), "en": ("ru", "de", "fr")}
"""Language of the translations → those that they are made from."""

LINES = 900
"""Lines of each language, from all of its sources together."""


def sources(corpora: Path, language: str, most: int) -> list[str]:
    """Lines of WMT21 that were written in a language, in their order."""
    frame = labelled(corpora, language, "dev")
    native = frame[frame["origin"] == "original"].drop_duplicates("text").sort_values(["testset", "line"])
    return [str(text) for text in native["text"][:most]]


def made(corpora: Path, store: Store, language: str, folder: Path | None = None) -> pd.DataFrame:
    """The translations into a language, as labelled lines; none where there is no translator.

    Args:
        corpora: the folder with ``labelled``.
        store: with the translators.
        language: ISO 639-1 code.
        folder: keeps them between runs; by default nothing is kept.

    Returns:
        Columns ``text``, ``label``, ``origin``, ``system``, ``source_lang``, ``testset``, ``line``.
    """
    kept = folder / f"{language}.parquet" if folder else None
    if kept is not None and kept.exists():
        return pd.read_parquet(kept)
    rows = []
    origins = SOURCES.get(language, ())
    for source in origins:
        model = store.translator("embedded", source, language)
        if model is None:
            continue
        lines = sources(corpora, source, LINES // len(origins))
        found = load_translator(model, store).translate(lines, source, language)
        rows += [
            (one.text, "machine", "translated", f"{model.id}-{source}", source, FAMILY, number)
            for number, one in enumerate(found)
        ]
    names = ["text", "label", "origin", "system", "source_lang", "testset", "line"]
    table = pd.DataFrame(rows, columns=names)
    if kept is not None:
        kept.parent.mkdir(parents=True, exist_ok=True)
        table.to_parquet(kept)
    return table
