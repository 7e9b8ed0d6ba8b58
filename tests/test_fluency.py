"""Fluency: percentiles among human sentences, and what the shipped language model makes of word order."""

from __future__ import annotations

import json
import random
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checker.evidence.fluency import (
    BANDS,
    CLIPPED_SLOR,
    JOINED,
    MEAN,
    FluencyTable,
    Rank,
    Reading,
    pool,
    reading,
)
from checker.evidence.order import KEPT
from checker.languages import SUPPORTED
from checker.measure import fluencies
from checker.models.language_model import MAX_TOKENS, TokenScores
from checker.percentiles import QUANTILES
from checker.pipeline import Checker
from checker.text import width

VALUES = st.floats(-12, 0, allow_nan=False)
ROWS = st.lists(VALUES.map(lambda v: round(v, 4)), min_size=QUANTILES, max_size=QUANTILES).map(sorted)
TOKENS = st.lists(st.tuples(VALUES, VALUES), min_size=1, max_size=60)
SENTENCE = "Завтра в посёлке на весь день отключат воду."  # in the second band


def table(row: list[float] | None) -> FluencyTable:
    """Only the second band of Russian is measured."""
    return FluencyTable("lm@1", CLIPPED_SLOR, {"ru": [None, row, None, None, None]})


def valued(value: float | None, statistic: str = CLIPPED_SLOR) -> Reading:
    return Reading(statistic, value, None if value is None else 9.0)


def rank_of(measured: FluencyTable, value: float) -> Rank:
    """The rank of ``SENTENCE`` at a given value of the statistic."""
    rank = measured.rank("ru", SENTENCE, valued(value))
    assert rank is not None
    return rank


# The statistic


def test_only_tokens_that_their_context_makes_less_likely_count() -> None:
    # One gains 2 nats by its context, one loses 3, one neither.
    found = reading(TokenScores([-3.0, -7.0, -4.0], [-5.0, -4.0, -4.0]))
    assert found == (CLIPPED_SLOR, -1.0, pytest.approx(np.exp(14 / 3)))


def test_without_unigrams_it_is_the_mean_log_likelihood() -> None:
    assert reading(TokenScores([-3.0, -7.0, -5.0])) == (MEAN, -5.0, pytest.approx(np.exp(5)))


@pytest.mark.parametrize("unigram", [True, False])
def test_nothing_and_not_everything_have_no_value(unigram: bool) -> None:
    def scores(count: int) -> TokenScores:
        return TokenScores([-2.0] * count, [-3.0] * count if unigram else None)

    assert (reading(scores(0)).value, reading(scores(0)).perplexity) == (None, None)
    assert reading(scores(MAX_TOKENS)).value is None  # the text may go on
    assert reading(scores(MAX_TOKENS)).perplexity == pytest.approx(np.exp(2))
    assert reading(scores(MAX_TOKENS - 1)).value is not None
    assert reading(scores(1)).value == (0 if unigram else -2)


@given(TOKENS)
def test_the_statistic_is_between_slor_and_nothing(tokens: list[tuple[float, float]]) -> None:
    given_, alone = (list(column) for column in zip(*tokens, strict=True))
    value = reading(TokenScores(given_, alone)).value
    assert value is not None
    slor = (sum(given_) - sum(alone)) / len(tokens)
    assert min(given_) - 1e-9 <= value <= min(0, slor) + 1e-9


@given(TOKENS, st.floats(0, 5), st.data())
def test_a_rarer_word_is_no_loss_but_a_less_expected_one_is(
    tokens: list[tuple[float, float]], by: float, data: st.DataObject
) -> None:
    number = data.draw(st.integers(0, len(tokens) - 1))
    given_, alone = (list(column) for column in zip(*tokens, strict=True))

    def value() -> float:
        found = reading(TokenScores(given_, alone)).value
        assert found is not None
        return found

    before = value()
    given_[number] -= by
    assert value() <= before + 1e-9
    alone[number] -= by
    assert value() == pytest.approx(before)


# The table


@given(ROWS, VALUES, VALUES)
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


def test_who_shares_the_best_value_is_not_less_fluent() -> None:
    row = [*np.linspace(-2, -1, QUANTILES - 10), *[0.0] * 10]
    assert rank_of(table(row), 0).percentile == (QUANTILES - 10) / (QUANTILES - 1)
    assert rank_of(table(row), -0.01).percentile < (QUANTILES - 10) / (QUANTILES - 1)
    assert rank_of(table([value - 0.5 for value in row]), 0).percentile == 1


def test_what_was_not_measured_has_no_rank() -> None:
    measured = table([-3.0] * QUANTILES)
    assert measured.rank("ru", SENTENCE, valued(-9.0)) is not None
    assert measured.rank("ru", SENTENCE, valued(None)) is None
    assert measured.rank("ru", "Воды нет.", valued(-9.0)) is None
    assert measured.rank("ru", SENTENCE * 4, valued(-9.0)) is None
    assert measured.rank("uk", SENTENCE, valued(-9.0)) is None


def test_another_statistic_has_no_rank() -> None:
    measured = table([-3.0] * QUANTILES)
    assert measured.rank("ru", SENTENCE, valued(-9.0, MEAN)) is None
    rows = [("ru", SENTENCE, valued(-3.0, statistic)) for statistic in (MEAN, CLIPPED_SLOR)]
    for row in rows:
        assert FluencyTable.measure("lm@1", [row]).statistic == row[2].statistic
    with pytest.raises(ValueError, match="clipped_slor and mean_log_likelihood cannot be in one table"):
        FluencyTable.measure("lm@1", rows)
    assert FluencyTable.measure("lm@1", []).rows("ru") is None


def test_the_language_model_alone_has_a_table_of_its_own() -> None:
    both = FluencyTable(
        "lm@1", JOINED, {"ru": [None, [-2.0] * QUANTILES, None, None, None]},
        alone={"ru": [None, list(np.linspace(-1, 0, QUANTILES)), None, None, None]},
    )  # fmt: skip
    middle, low = (both.rank("ru", SENTENCE, valued(-0.5, name)) for name in (CLIPPED_SLOR, JOINED))
    assert middle is not None
    assert low is not None
    assert (middle.percentile, low.percentile) == (pytest.approx(0.5), 1)
    assert both.rank("ru", SENTENCE, valued(-0.5, MEAN)) is None


def test_measured_sentences_rank_evenly() -> None:
    rng = random.Random(1)
    values = [rng.gauss(-3, 0.5) for _ in range(1000)]
    measured = FluencyTable.measure("lm@1", (("ru", SENTENCE, valued(value)) for value in [*values, None]))
    ranks = [rank_of(measured, value) for value in values]
    for share in (0.1, 0.25, 0.5, 0.75, 0.9):
        assert np.mean([rank.percentile <= share for rank in ranks]) == pytest.approx(share, abs=0.02)
    assert np.std([rank.z for rank in ranks]) == pytest.approx(1, abs=0.1)


def test_a_thin_band_borrows_from_its_neighbours() -> None:
    def rows(count: int) -> list[tuple[str, str, Reading]]:
        return [("ru", SENTENCE, valued(-3.0))] * count + [("ru", SENTENCE * 2, valued(-1.0))] * 5

    long = SENTENCE * 2
    assert (BANDS.number(width(SENTENCE)), BANDS.number(width(long))) == (1, 2)
    borrowed = FluencyTable.measure("lm@1", rows(20), minimum=10)
    rank = borrowed.rank("ru", long, valued(-2.0))
    assert rank is not None
    assert 0.5 < rank.percentile < 1
    assert FluencyTable.measure("lm@1", rows(2), minimum=10).rank("ru", SENTENCE, valued(-9.0)) is None


@settings(max_examples=25, deadline=None)
@given(
    st.sampled_from((CLIPPED_SLOR, MEAN, JOINED)),
    st.dictionaries(st.sampled_from(SUPPORTED), st.lists(st.none() | ROWS, min_size=5, max_size=5)),
)
def test_a_table_is_read_as_it_was_written(
    tmp_path_factory: pytest.TempPathFactory, statistic: str, quantiles: dict[str, list[list[float] | None]]
) -> None:
    path = tmp_path_factory.mktemp("fluency") / "fluency.json"
    broken = dict.fromkeys(quantiles, 1.5)
    alone = quantiles if statistic == JOINED else {}
    written = FluencyTable("lm@1", statistic, quantiles, broken, alone)
    written.write(path)
    read = FluencyTable.read(path)
    assert (read.model, read.statistic, read.broken) == ("lm@1", statistic, broken)
    texts = [SENTENCE[:10], SENTENCE, SENTENCE * 2, SENTENCE * 3, SENTENCE * 9]
    for language in (*quantiles, "none"):
        for text in texts:
            for found in (valued(-2.5, statistic), valued(-2.5)):
                assert read.rank(language, text, found) == written.rank(language, text, found)


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
    "es": [
        "El ayuntamiento cerrará el puente durante dos semanas para reparar el firme.",
        "Mi abuela todavía guarda las cartas que le escribió su hermano desde la guerra.",
        "Los vecinos se quejan de que el autobús ya no pasa por la plaza del mercado.",
        "Si mañana hace buen tiempo, iremos a la playa con los niños.",
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


def ranks_of(checker: Checker, texts: list[str], language: str) -> list[Rank]:
    """Ranks by the shipped models and table."""
    found = fluencies(checker.models, language, texts)
    assert found is not None
    ranks = [one.rank for one in found]
    assert None not in ranks
    return [rank for rank in ranks if rank]


def test_word_order_matters(checker: Checker) -> None:
    better = []
    for language, natural in NATURAL.items():
        ranks = ranks_of(checker, natural + [shuffled(sentence) for sentence in natural], language)
        drops = [before.z - after.z for before, after in zip(ranks[:4], ranks[4:], strict=True)]
        assert np.mean(drops) > 1, language
        better += [drop > 0 for drop in drops]
    assert len(better) == 16
    assert sum(better) >= 14


def test_a_rare_name_costs_less_than_a_wrong_word(checker: Checker) -> None:
    plain, rare, wrong = ranks_of(
        checker,
        [
            "The committee will meet again on Thursday to discuss the school budget.",
            "The committee will meet again on Thursday to discuss the Krzyżanowski budget.",
            "The committee will meets again on Thursday to discuss of school the budget.",
        ],
        "en",
    )
    assert plain.z - rare.z < plain.z - wrong.z


def test_the_shipped_table_covers_every_language() -> None:
    path = Path(__file__).parents[1] / "models" / "embedded" / "fluency.json"
    data = json.loads(path.read_text(encoding="utf-8"))
    assert data["bands"] == list(BANDS.edges)
    assert data["statistic"] == JOINED
    assert set(data["broken"]) == set(SUPPORTED)
    assert all(limit >= KEPT for limit in data["broken"].values())
    assert set(data["quantiles"]) == set(data["alone"]) == set(SUPPORTED)
    for language, rows in [*data["quantiles"].items(), *data["alone"].items()]:
        assert len(rows) == len(BANDS)
        assert any(rows), language
        for row in filter(None, rows):
            assert len(row) == QUANTILES
            assert row == sorted(row)
            assert row[QUANTILES // 2] < row[-1] <= 0


def test_the_shipped_table_belongs_to_the_shipped_model(checker: Checker) -> None:
    model = checker.store.language_model("embedded", "en")
    assert model is not None
    assert checker.models.percentiles.model == model.label


@pytest.mark.parametrize("change", ["bands", "rows", "quantiles"])
def test_a_table_of_other_bands_is_refused(tmp_path: Path, change: str) -> None:
    table = FluencyTable.measure("m@1", [("ru", SENTENCE, Reading(MEAN, -1.0, 3.0))] * 100)
    table.write(tmp_path / "table.json")
    data = json.loads((tmp_path / "table.json").read_text(encoding="utf-8"))
    assert FluencyTable.read(tmp_path / "table.json").rows("ru") == table.rows("ru")
    if change == "bands":
        data["bands"][0] += 1
    elif change == "rows":
        data["quantiles"]["ru"].append(None)
    else:
        data["quantiles"]["ru"] = [row and row[:-1] for row in data["quantiles"]["ru"]]
    (tmp_path / "table.json").write_text(json.dumps(data), encoding="utf-8")
    with pytest.raises(ValueError, match=r"bands|rows"):
        FluencyTable.read(tmp_path / "table.json")
