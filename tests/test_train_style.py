"""What the style detector is trained on, and how much each line counts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from scripts.training import style


def lines(testset: str, label: str, origin: str, count: int) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "text": [f"{testset} {label} {origin} line number {n}" for n in range(count)],
            "label": label, "origin": origin, "system": "a" if label == "machine" else "reference",
            "source_lang": "en", "testset": testset, "line": range(count), "split": "train",
        }
    )  # fmt: skip


@pytest.fixture
def corpora(tmp_path: Path) -> Path:
    (tmp_path / "labelled").mkdir()
    pd.concat(
        [
            lines("wmt14", "human", "mixed", 600),
            lines("wmt14", "machine", "translated", 600),
            lines("wmt19", "human", "original", 600),
            lines("wmt19", "human", "translated", 600),
            lines("wmt19", "machine", "translated", 1200),
            lines("wmt20", "human", "original", 700),
            lines("wmt15", "machine", "translated", 50),
            lines("iwslt17", "machine", "translated", 50),
        ]
    ).to_parquet(tmp_path / "labelled" / "de.parquet")
    return tmp_path


def test_human_lines_of_sets_that_no_system_translated_are_left_out(corpora: Path) -> None:
    found = style.examples(corpora, "de", 10_000).groupby(["testset", "machine"])["text"].count()
    assert ("wmt20", 0) not in found
    assert found["wmt14", 0] == 600
    assert found["wmt15", 1] == 50
    assert ("iwslt17", 1) not in found


def test_machine_lines_are_thinned_and_human_lines_are_not(corpora: Path) -> None:
    found = style.examples(corpora, "de", 100)["machine"].value_counts()
    assert 99 <= found[1] <= 101
    assert found[0] == 1800


def test_weights_balance_classes_and_spare_native_and_recent_text(corpora: Path) -> None:
    frame = style.examples(corpora, "de", 10_000)
    weight = pd.Series(style.weights(frame))
    assert weight.mean() == pytest.approx(1.0)
    machine = (frame["machine"] == 1).to_numpy()
    assert weight[machine].sum() == pytest.approx(weight[~machine].sum())

    def one(testset: str, label: str, origin: str) -> float:
        """Weight of a line, as if all its set weighed the same."""
        rows = (frame["testset"] == testset) & (frame["label"] == label)
        size = rows.sum()
        part = weight[rows & (frame["origin"] == origin)]
        assert np.ptp(part) == pytest.approx(0)
        return float(part.iloc[0]) * size

    assert one("wmt19", "human", "original") == pytest.approx(3 * one("wmt19", "human", "translated"))
    assert one("wmt19", "human", "translated") == pytest.approx(2 * one("wmt14", "human", "mixed"))
    assert one("wmt19", "machine", "translated") == pytest.approx(2 * one("wmt14", "machine", "translated"))


@pytest.mark.parametrize("name", ["wmt17", "wmt20", "newstest2019", "newstestB2020"])
def test_recent_years_are_read_from_names_of_test_sets(name: str) -> None:
    assert style.RECENT.match(name)


@pytest.mark.parametrize("name", ["wmt09", "wmt16", "iwslt17", "flores-dev", "native"])
def test_other_test_sets_are_not_recent(name: str) -> None:
    assert not style.RECENT.match(name)


def test_a_line_counts_as_the_model_sums_it(corpora: Path) -> None:
    frame = style.examples(corpora, "de", 300)
    model = style.fit(frame, "tiny")
    texts = frame["text"].head(50).tolist()
    summed = style.matrix(texts) @ model.weights.astype(float) * model.scale + model.bias
    assert summed == pytest.approx([model.log_odds(text) for text in texts], abs=1e-5)
