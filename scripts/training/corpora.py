"""Read the training corpora, and define in one place which parts are held out from training.

The corpora are a folder with three subfolders of Parquet files:

``parallel/en-<lang>.parquet``
    columns ``en``, ``<lang>``, ``kind`` (``human`` or ``machine-<system>-<from>-<to>``), ``testset``
``labelled/<lang>.parquet``
    columns ``text``, ``label``, ``origin``, ``system``, ``source_lang``, ``testset``, ``line``, ``split``
``native/ru_{train,dev}.parquet``
    columns ``text``, ``year``

Four parts are held out, so that the figures are not too good:

* ``HELD_OUT_SETS`` test sets: from the translator and the language model, so that the verdict can be
  fitted on text that no feature model has seen.
* human lines of test sets that no system translated (`unpaired`): from the detectors.
* every fifth native lead: for the verdict, in the same way (``native_train``).
* the ``dev`` split (WMT21) and ``native/ru_dev``: only the evaluation reads them.
"""

from __future__ import annotations

import csv
import zlib
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq

from checker.languages import SUPPORTED

HELD_OUT_SETS = ("wmt20", "newstest2020", "newstestB2020", "flores-dev")
LANGUAGES = list(SUPPORTED)

UNPAIRED = "wmt19"
"""In most languages no system translated it (NTREX): no model learned from it, lest it learn topic."""


def held_out(testset: pd.Series) -> pd.Series:
    """True for the rows whose test set is in ``HELD_OUT_SETS``."""
    return testset.isin(HELD_OUT_SETS)


def unpaired(frame: pd.DataFrame) -> pd.Series:
    """True for human labelled rows of test sets that no system translated.

    No detector trains on them: they would teach topic. The verdict's thresholds are measured on them.
    """
    machine = frame["label"] == "machine"
    return ~machine & ~frame["testset"].isin(frame.loc[machine, "testset"].unique())


def halves(frame: pd.DataFrame) -> pd.Series:
    """True for the rows in the first half of the lines of their test set."""
    return frame["line"] < frame.groupby("testset", observed=True)["line"].transform("median")


def parallel(corpora: Path, language: str) -> pd.DataFrame:
    """English-``language`` pairs with columns ``en``, ``other``, ``kind``, ``testset``."""
    table = pq.read_table(corpora / "parallel" / f"en-{language}.parquet")
    return table.to_pandas().rename(columns={language: "other"})


def labelled(corpora: Path, language: str, split: str | None = None) -> pd.DataFrame:
    """Human and machine lines of one language, all or of one split."""
    frame = pq.read_table(corpora / "labelled" / f"{language}.parquet").to_pandas()
    return frame if split is None else frame[frame["split"] == split].reset_index(drop=True)


def dev(corpora: Path, language: str) -> pd.DataFrame:
    """The dev split without the machine lines of systems that are in the train split."""
    frame = labelled(corpora, language)
    machine = frame["label"] == "machine"
    seen = set(frame.loc[machine & (frame["split"] == "train"), "system"])
    kept = (frame["split"] == "dev") & ~(machine & frame["system"].isin(seen))
    return frame[kept].reset_index(drop=True)


def part(line: str, parts: int) -> int:
    """The number, below ``parts``, of the part that a line is in; the same in every run and every set."""
    return zlib.crc32(line.encode()) % parts


def spoilt_with(line: str) -> bool:
    """Whether the layers for faulty words take words from the pair of an English line (a third of them).

    The dictionaries of posts that are measured (`word_for_word`) are learnt from the other pairs.
    """
    return part(line, 3) == 0


def tsv(path: Path) -> list[tuple[str, str]]:
    """Rows of a table with two columns, without a header and without quoting."""
    with path.open(encoding="utf-8", newline="") as file:
        return [(row[0], row[1]) for row in csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE)]


def native(corpora: Path, part: str) -> pd.DataFrame:
    """Native Russian news leads; ``part`` is ``train`` or ``dev``."""
    return pq.read_table(corpora / "native" / f"ru_{part}.parquet").to_pandas()


def native_train(corpora: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The native leads for training, and those of every fifth row kept for fitting the verdict."""
    frame = native(corpora, "train")
    kept = frame.index % 5 == 0
    return frame[~kept].reset_index(drop=True), frame[kept].reset_index(drop=True)


def human_lines(corpora: Path, *, held: bool) -> Iterator[tuple[str, str]]:
    """Distinct human lines as ``(language, text)``.

    Args:
        corpora: the folder described above.
        held: False for the lines that models may train on, True for the held-out test sets.
    """
    for language in LANGUAGES:
        seen: set[str] = set()
        frame = labelled(corpora, language, "train")
        frame = frame[(frame["label"] == "human") & (held_out(frame["testset"]) == held)]
        sources = [frame["text"]]
        if language == "ru":
            train, kept = native_train(corpora)
            sources.append((kept if held else train)["text"])
        others = LANGUAGES if language == "en" else [language]
        for other in others:
            if other == "en":
                continue
            pairs = parallel(corpora, other)
            keep = (pairs["kind"] == "human") & (held_out(pairs["testset"]) == held)
            sources.append(pairs.loc[keep, "en" if language == "en" else "other"])
        for source in sources:
            for text in source:
                if text not in seen:
                    seen.add(text)
                    yield language, text
