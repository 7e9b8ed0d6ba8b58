"""Fluency: percentiles among human sentences, and what the shipped language model makes of word order."""

from __future__ import annotations

import json
import random
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from checker.fluency import BANDS, QUANTILES, FluencyTable, Rank, band, pool, rate
from checker.language import SUPPORTED
from checker.language_model import load
from checker.pipeline import Checker
from checker.text import width

RATES = st.floats(-12, 0, allow_nan=False)
ROWS = st.lists(RATES, min_size=QUANTILES, max_size=QUANTILES).map(sorted)
SENTENCE = "Завтра в посёлке на весь день отключат воду."  # in the second band


def table(row: list[float] | None) -> FluencyTable:
    """Only the second band of Russian is measured."""
    return FluencyTable("lm@1", {"ru": [None, row, None, None, None]})


def rank_of(measured: FluencyTable, value: float) -> Rank:
    """The rank of ``SENTENCE`` at a given log-likelihood per column."""
    rank = measured.rank("ru", SENTENCE, [value * width(SENTENCE)])
    assert rank is not None
    return rank


def test_rate_is_per_column() -> None:
    assert rate([-2.0, -4.0], "слово!") == -1.0
    assert rate([-2.0, -4.0], "水路三") == -1.0  # wide characters count as two
    assert rate([], "") == 0


def test_bands_are_closed_below() -> None:
    assert [band(0), *(band(edge) - band(edge - 1) for edge in BANDS), band(10**6)] == [0, 1, 1, 1, 1, 4]


@given(ROWS, RATES, RATES)
def test_a_likelier_sentence_never_ranks_lower(row: list[float], one: float, other: float) -> None:
    low, high = (rank_of(table(row), value) for value in sorted((one, other)))
    assert 0 <= low.percentile <= high.percentile <= 1
    assert low.z <= high.z


def test_the_middle_and_the_spread_of_human_text() -> None:
    row = list(np.linspace(-4, -2, QUANTILES))
    middle = rank_of(table(row), -3)
    assert (middle.percentile, middle.z) == (pytest.approx(0.5), pytest.approx(0))
    assert rank_of(table(row), -3.5).percentile == pytest.approx(0.25)
    assert (rank_of(table(row), -9).percentile, rank_of(table(row), -1).percentile) == (0, 1)
    assert rank_of(table(row), -9).z < rank_of(table(row), -5).z < -1  # goes on where the percentile ends


def test_what_was_not_measured_has_no_rank() -> None:
    measured = table([-3.0] * QUANTILES)
    assert measured.rank("ru", SENTENCE, [-9.0]) is not None
    assert measured.rank("ru", SENTENCE, []) is None
    assert measured.rank("ru", "Воды нет.", [-9.0]) is None
    assert measured.rank("ru", SENTENCE * 4, [-9.0]) is None
    assert measured.rank("uk", SENTENCE, [-9.0]) is None


def test_measured_sentences_rank_evenly() -> None:
    rng = random.Random(1)
    rates = [rng.gauss(-3, 0.5) for _ in range(1000)]
    measured = FluencyTable.measure("lm@1", (("ru", SENTENCE, value) for value in rates))
    ranks = [rank_of(measured, value) for value in rates]
    for share in (0.1, 0.25, 0.5, 0.75, 0.9):
        assert np.mean([rank.percentile <= share for rank in ranks]) == pytest.approx(share, abs=0.02)
    assert np.std([rank.z for rank in ranks]) == pytest.approx(1, abs=0.1)


def test_a_thin_band_borrows_from_its_neighbours() -> None:
    def rows(count: int) -> list[tuple[str, str, float]]:
        return [("ru", SENTENCE, -3.0)] * count + [("ru", SENTENCE * 2, -1.0)] * 5

    long = SENTENCE * 2
    assert (band(width(SENTENCE)), band(width(long))) == (1, 2)
    borrowed = FluencyTable.measure("lm@1", rows(20), minimum=10)
    rank = borrowed.rank("ru", long, [-2.0 * width(long)])
    assert rank is not None
    assert 0.5 < rank.percentile < 1
    assert FluencyTable.measure("lm@1", rows(2), minimum=10).rank("ru", SENTENCE, [-9.0]) is None


@given(st.dictionaries(st.sampled_from(SUPPORTED), st.lists(st.none() | ROWS, min_size=5, max_size=5)))
def test_a_table_is_read_as_it_was_written(
    tmp_path_factory: pytest.TempPathFactory, quantiles: dict[str, list[list[float] | None]]
) -> None:
    path = tmp_path_factory.mktemp("fluency") / "fluency.json"
    FluencyTable("lm@1", quantiles).write(path)
    read = FluencyTable.read(path)
    assert read.model == "lm@1"
    texts = [SENTENCE[:10], SENTENCE, SENTENCE * 2, SENTENCE * 3, SENTENCE * 9]
    for language in (*quantiles, "none"):
        for text in texts:
            scores = [-2.5 * width(text)]
            assert read.rank(language, text, scores) == FluencyTable("", quantiles).rank(
                language, text, scores
            )


def test_a_post_is_the_mean_of_its_sentences_by_length() -> None:
    assert pool([(Rank(0.2, -1.0), 30), (Rank(0.6, 1.0), 10)]) == Rank(
        pytest.approx(0.3), pytest.approx(-0.5)
    )
    assert pool([(Rank(0.2, -1.0), 7)]) == Rank(pytest.approx(0.2), pytest.approx(-1.0))
    assert pool([]) is None
    assert pool([(Rank(0.2, -1.0), 0)]) is None


# The shipped model and its percentiles

NATURAL = {
    "ru": [
        "После ночной смены медсёстры выпили чаю и разошлись по домам.",
        "Новый автобусный маршрут свяжет вокзал с больницей и рынком.",
        "Директор школы объяснил родителям, почему уроки перенесли на субботу.",
        "Если завтра не будет дождя, мы поедем на дачу копать картошку.",
    ],
    "en": [
        "The committee will meet again on Thursday to discuss the school budget.",
        "She left her umbrella on the train and had to walk home in the rain.",
        "Nobody knows why the old lighthouse was closed to visitors last year.",
        "The company said it would hire two hundred people by the end of the year.",
    ],
    "de": [
        "Der Bürgermeister hat die neue Brücke am Montag für den Verkehr freigegeben.",
        "Wir haben den ganzen Abend auf dem Balkon gesessen und Karten gespielt.",
        "Wegen der Bauarbeiten hält der Zug in den nächsten Wochen nicht in unserem Dorf.",
        "Die Bäckerei an der Ecke macht im August drei Wochen Urlaub.",
    ],
}


def shuffled(sentence: str) -> str:
    """The same words in an order that no one would write."""
    words = sentence.rstrip(".").split()
    random.Random(sentence).shuffle(words)
    return " ".join(words) + "."


def test_word_order_matters(checker: Checker) -> None:
    model = checker.store.language_model("embedded", "ru")
    assert model is not None
    scorer = load(model, checker.store)
    better = []
    for language, natural in NATURAL.items():
        texts = natural + [shuffled(sentence) for sentence in natural]
        scores = scorer.score(texts, language)
        ranks = [
            checker.models.percentiles.rank(language, text, found)
            for text, found in zip(texts, scores, strict=True)
        ]
        for before, after in zip(ranks[:4], ranks[4:], strict=True):
            assert before is not None
            assert after is not None
            better.append(before.z > after.z)
    assert len(better) == 12
    assert sum(better) >= 10


def test_the_shipped_table_covers_every_language() -> None:
    path = Path(__file__).parents[1] / "models" / "embedded" / "fluency.json"
    data = json.loads(path.read_text(encoding="utf-8"))
    assert data["bands"] == list(BANDS)
    assert set(data["quantiles"]) == set(SUPPORTED)
    for language, rows in data["quantiles"].items():
        assert len(rows) == len(BANDS) + 1
        assert any(rows), language
        for row in filter(None, rows):
            assert len(row) == QUANTILES
            assert row == sorted(row)
            assert row[-1] < 0


def test_the_shipped_table_belongs_to_the_shipped_model(checker: Checker) -> None:
    model = checker.store.language_model("embedded", "en")
    assert model is not None
    assert checker.models.percentiles.model == model.label
