"""Machine translations of our own, of news that no model was trained on.

Native lines of WMT21 are translated by the translators that ship: from English into Russian, German, French,
Spanish and Portuguese, and from Russian, German and French into English. The embedded translator is small and
its translations are rudimentary: the family ``made_small``. Portuguese is Firefox's, of production grade:
``made_firefox``. No detector was trained on their text; some training text is by systems of Bergamot, from
which Firefox's come. The lines are those of the family ``wmt21``, in other versions.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from checker.models import Store
from checker.models.load import load_translator
from scripts.training.corpora import labelled

FAMILIES = {"marian": "made_small", "firefox": "made_firefox"}
"""Family of a translator's models → that of its translations."""

SOURCES = {**dict.fromkeys(("ru", "de", "fr", "es", "pt"), ("en",)), "en": ("ru", "de", "fr")}
"""Language of the translations → those that they are made from."""

LINES = 900
"""Lines of each language, from all of its sources together."""


def sources(corpora: Path, language: str, most: int | None = None) -> list[str]:
    """Lines of WMT21 that were written in a language, in their order; all of them by default."""
    frame = labelled(corpora, language, "dev")
    native = frame[frame["origin"] == "original"].drop_duplicates("text").sort_values(["testset", "line"])
    return [str(text) for text in native["text"][:most]]


def made(corpora: Path, store: Store, language: str, folder: Path | None = None) -> pd.DataFrame:
    """The translations into a language, as labelled lines; none for one that is not in `SOURCES`.

    Args:
        corpora: the folder with ``labelled``.
        store: with the translators.
        language: ISO 639-1 code.
        folder: keeps them between runs, until a translator is another one; by default nothing is kept.

    Returns:
        Columns ``text``, ``label``, ``origin``, ``system``, ``source_lang``, ``testset``, ``line``.

    Raises:
        ValueError: a translator of `SOURCES` is missing.
    """
    chosen = {source: store.translator("embedded", source, language) for source in SOURCES.get(language, ())}
    if missing := [source for source, model in chosen.items() if model is None]:
        raise ValueError(f"no translator from {', '.join(missing)} into {language} is here")
    models = {source: model for source, model in chosen.items() if model is not None}
    systems = {source: f"{model.label}-{source}" for source, model in models.items()}
    kept = folder / f"{language}.parquet" if folder else None
    if kept is not None and kept.exists():
        table = pd.read_parquet(kept)
        if set(table["system"]) == set(systems.values()):
            return table
    rows = []
    for source, model in models.items():
        lines = sources(corpora, source, LINES // len(models))
        found = load_translator(model, store).translate(lines, source, language)
        family = FAMILIES[model.family]
        rows += [
            (one.text, "machine", "translated", systems[source], source, family, number)
            for number, one in enumerate(found)
        ]
    names = ["text", "label", "origin", "system", "source_lang", "testset", "line"]
    table = pd.DataFrame(rows, columns=names)
    if kept is not None and rows:
        kept.parent.mkdir(parents=True, exist_ok=True)
        table.to_parquet(kept)
    return table
