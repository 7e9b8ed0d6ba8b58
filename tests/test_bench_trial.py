"""The trial: its posts, and what is counted of them."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from scripts.bench.trial import CLUMSY, GOOD, area, read, row

POSTS = Path(__file__).parents[1] / "examples" / "trial"


def test_each_language_has_as_many_good_accounts_as_clumsy_ones() -> None:
    posts = read(POSTS)
    assert posts["id"].is_unique
    assert set(posts["kind"]) == {GOOD, CLUMSY}
    assert (posts["text"].str.split().str.len() >= 8).all()
    assert posts["text"].is_unique
    for _, part in posts.groupby("lang"):
        assert set(Counter(part["account"]).values()) == {5}
        assert Counter(part["kind"]) == {GOOD: 30, CLUMSY: 30}
        assert part["style"].nunique() == 12


@pytest.fixture
def table() -> pd.DataFrame:
    rows = [
        ("a", "de", GOOD, "speech", "uncertain", 0.1, 0.9, 10, 0),
        ("a", "de", GOOD, "speech", "uncertain", 0.4, 0.8, 10, 0),
        ("b", "de", CLUMSY, "lookup", "rudimentary", 0.99, 0.1, 10, 5),
        ("b", "de", CLUMSY, "lookup", "uncertain", 0.3, 0.85, 10, 1),
        ("c", "ru", CLUMSY, "lookup", "uncertain", np.nan, 0.2, 10, 1),
        ("d", "ru", GOOD, "speech", "uncertain", np.nan, 0.3, 10, 1),
    ]
    columns = ["account", "lang", "kind", "style", "verdict", "rudimentary", "fluency", "words", "broken"]
    return pd.DataFrame(rows, columns=columns)


def test_clumsy_posts_are_compared_with_good_ones_of_their_language(table: pd.DataFrame) -> None:
    clumsy = table["kind"] == CLUMSY
    assert area(table, clumsy, "rudimentary", 1) == 0.75, "Russian posts were not asked"
    assert area(table, clumsy, "fluency", -1) == pytest.approx((0.75 + 1.0) / 2)
    assert np.isnan(area(table, clumsy & (table["lang"] == "ru"), "rudimentary", 1))


def test_what_is_called_so_is_counted_by_posts_and_accounts(table: pd.DataFrame) -> None:
    verdicts = {"a": "uncertain", "b": "rudimentary", "c": "uncertain"}
    clumsy = table["kind"] == CLUMSY
    assert row(table, clumsy, verdicts, areas=True) == ["3", "2", "1", "0.750", "0.875", "233", "2", "1"]
    assert row(table, ~clumsy, verdicts, areas=False) == ["3", "2", "0", "–", "–", "33", "2", "0"]
