"""The training corpora: what is read, and what is kept from whom."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from checker.languages import SUPPORTED
from scripts.training import corpora
from scripts.training.corpora import HELD_OUT_SETS, LANGUAGES


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All three parts, for all languages; every text says where it is from."""
    root = tmp_path_factory.mktemp("corpora")
    for part in ("labelled", "parallel", "native"):
        (root / part).mkdir()
    for lang in LANGUAGES:
        pd.DataFrame(
            [
                {
                    "text": f"{lang} {testset} {label}", "label": label, "origin": "translated",
                    "system": "s", "source_lang": "en", "testset": testset, "line": 0,
                    "split": "dev" if testset == "wmt21" else "train",
                }
                for testset in ("wmt19", "wmt20", "flores-dev", "wmt21")
                for label in ("human", "machine")
            ]
        ).to_parquet(root / "labelled" / f"{lang}.parquet")  # fmt: skip
        if lang != "en":
            pd.DataFrame(
                [
                    {
                        "en": f"en {testset} {kind}", lang: f"{lang} pair {testset} {kind}", "kind": kind,
                        "testset": testset,
                    }
                    for testset in ("ntrex", "newstest2020")
                    for kind in ("human", "machine-x-en-ru")
                ]
            ).to_parquet(root / "parallel" / f"en-{lang}.parquet")  # fmt: skip
    for part, size in (("train", 11), ("dev", 3)):
        leads = pd.DataFrame({"text": [f"ru lead {part} {n}" for n in range(size)], "year": 2001})
        leads.to_parquet(root / "native" / f"ru_{part}.parquet")
    return root


def test_the_languages_are_those_of_the_package() -> None:
    assert set(LANGUAGES) <= set(SUPPORTED)
    assert len(set(LANGUAGES)) == len(LANGUAGES)


def test_a_split_is_read_with_a_fresh_index(folder: Path) -> None:
    dev = corpora.labelled(folder, "de", "dev")
    assert dev["text"].tolist() == ["de wmt21 human", "de wmt21 machine"]
    assert dev.index.tolist() == [0, 1]
    assert len(corpora.labelled(folder, "de")) == 8


def test_the_other_side_of_a_pair_is_called_other(folder: Path) -> None:
    assert list(corpora.parallel(folder, "fi").columns) == ["en", "other", "kind", "testset"]


def test_held_out_sets_are_known_under_every_name() -> None:
    names = pd.Series(["wmt19", "wmt20", "newstest2020", "newstestB2020", "flores-dev", "ntrex"])
    assert corpora.held_out(names).tolist() == [False, True, True, True, True, False]


def test_every_fifth_lead_is_kept_for_the_verdict(folder: Path) -> None:
    train, kept = corpora.native_train(folder)
    assert kept["text"].tolist() == ["ru lead train 0", "ru lead train 5", "ru lead train 10"]
    assert len(train) == 8
    assert not set(train["text"]) & set(kept["text"])
    assert train.index.tolist() == list(range(8))


@pytest.mark.parametrize("held", [False, True])
def test_human_lines_are_human_distinct_and_of_one_side_of_the_hold_out(folder: Path, held: bool) -> None:
    found = list(corpora.human_lines(folder, held=held))
    texts = [text for _, text in found]
    assert len(texts) == len(set(texts))
    assert all(text.split()[0] == language for language, text in found)
    assert not any("machine" in text or "wmt21" in text for text in texts)
    assert {language for language, _ in found} == set(LANGUAGES)
    sides = {any(name in text for name in HELD_OUT_SETS) for text in texts if "lead" not in text}
    assert sides == {held}
    leads = {text for text in texts if "lead" in text}
    assert leads == set(corpora.native_train(folder)[int(held)]["text"])  # never those of the dev part
    english = {text for language, text in found if language == "en"}
    assert f"en {'newstest2020' if held else 'ntrex'} human" in english


def test_human_lines_that_no_system_translated_are_cut_into_halves() -> None:
    frame = pd.DataFrame(
        [("wmt18", "human", 0), ("wmt18", "machine", 0)] + [("ntrex", "human", n) for n in range(10, 20)],
        columns=["testset", "label", "line"],
    )
    alone = corpora.unpaired(frame)
    assert frame.loc[alone, "testset"].unique().tolist() == ["ntrex"]
    first = corpora.halves(frame)
    assert frame.loc[alone & first, "line"].tolist() == [10, 11, 12, 13, 14]
    assert frame.loc[alone & ~first, "line"].tolist() == [15, 16, 17, 18, 19]
