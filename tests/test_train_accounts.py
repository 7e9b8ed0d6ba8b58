"""Fitting the judgement on accounts: on made ones, it finds their parameters and holds its rates."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from checker.account.file import Dependence
from checker.calibration.fit import LEAST_POSTS
from checker.result import Language, Result, Warning
from scripts.bench.accounts import measured, needed, tables, translated_tables
from scripts.training.accounts import (
    MACHINE,
    TRANSLATED,
    Held,
    Sampled,
    Series,
    _shares,
    family_cuts,
    fit,
    fit_log_odds,
    gather,
    groups,
    held_out,
    read_scores,
    rudimentary_scores,
    shares,
)
from scripts.training.word_for_word import WORD_FOR_WORD

MEANS = {"native": -1.0, "translated": -0.6, "machine": 1.0}
BETWEEN, WITHIN = 0.6, 0.8
LANGUAGES = ("de", "ru", "uk")


def made(seed: int, families: int = 4, units: int = 8, posts: int = 25) -> list[Series]:
    """Accounts whose means and posts are normal: ``units`` of each family, kind and language."""
    random = np.random.default_rng(seed)
    return [
        Series(
            f"{kind}-{family}", kind, language, random.normal(mean + random.normal(0, BETWEEN), WITHIN, posts)
        )
        for kind, mean in MEANS.items()
        for family in range(families)
        for language in LANGUAGES
        for _ in range(units)
    ]


@pytest.fixture(scope="module")
def fitted() -> Dependence:
    return fit(made(0), *MACHINE)


def test_the_correlation_is_that_of_the_accounts() -> None:
    found = fit_log_odds([groups(made(0), n) for n in (1, 2, 5, 10)], ("machine",), np.arange(0, 1, 0.1))
    assert found.correlation == pytest.approx(BETWEEN**2 / (BETWEEN**2 + WITHIN**2), abs=0.15)
    assert 0 < found.gain < 4


def test_accounts_made_of_a_family_are_held_out_with_it_and_it_with_them() -> None:
    """What one of them is judged by stays the same, whatever the other is."""
    series = made(2)
    rest = [one for one in series if one.family != "native-0"]
    own = [one for one in series if one.family == "native-0"]
    copies = [one._replace(family="made_bare", source="native-0") for one in own]

    def higher(part: list[Series]) -> list[Series]:
        return [one._replace(log_odds=one.log_odds + 5) for one in part]

    def judged(series: list[Series], family: str) -> list[float]:
        sets = [groups(series, 1)]
        [held] = held_out(sets, *MACHINE)
        own = held.groups.family == family
        return [*held.log_odds[own].tolist(), *held.flagged[own].tolist()]

    assert judged([*own, *copies, *rest], "native-0") == judged([*own, *higher(copies), *rest], "native-0")
    assert judged([*own, *copies, *rest], "made_bare") == judged([*higher(own), *copies, *rest], "made_bare")
    assert judged([*own, *copies, *rest], "native-1") != judged([*own, *higher(copies), *rest], "native-1")


def test_rates_hold_on_accounts_that_were_not_seen(fitted: Dependence) -> None:
    fresh = made(1, families=6, units=30)
    for row in fitted.rows:
        if row.posts > 20:
            continue
        one = groups(fresh, row.posts)
        middles = np.array([fitted.middles[code] for code in one.language])
        flagged = one.mean - middles >= np.array([row.cuts[code] for code in one.language])
        for kind, allowed in (("native", 0.01), ("translated", 0.02)):
            assert flagged[one.kind == kind].mean() <= 1.5 * allowed, (row.posts, kind)


def test_more_posts_find_more(fitted: Dependence) -> None:
    found = [row.flagged["machine"] for row in fitted.rows]
    assert found[0] < found[2] < found[4]
    cuts = [max(row.cuts.values()) for row in fitted.rows]
    assert cuts[0] > cuts[2] > cuts[4]


def test_groups_share_no_more_posts_than_they_say() -> None:
    series = [Series("a", "native", "de", np.arange(100.0))]
    assert len(groups(series, 5).mean) == 20
    assert len(groups(series, 10).mean) == 19
    assert groups(series, 3).mean[0] == 1.0


def test_families_are_judged_by_the_others() -> None:
    series = [
        *made(2),
        *(s._replace(family="odd", log_odds=s.log_odds + 4) for s in made(3) if s.kind == "native"),
    ]
    sets = [groups(series, n) for n in (1, 5)]
    held = held_out(sets, *MACHINE)
    assert held[1].flagged[sets[1].family == "odd"].mean() > 0.5


def test_the_tables_have_a_row_for_every_number(fitted: Dependence) -> None:
    sets = [groups(made(2), n) for n in (1, 2, 10)]
    found = tables(held_out(sets, *MACHINE), ())
    assert [row[0] for row in found["accounts"].rows] == ["1", "2", "10"]
    assert [row[0] for row in found["accounts-languages"].rows] == list(LANGUAGES)
    assert len(found["accounts-families"].rows) == 12


@pytest.fixture(scope="module")
def translated() -> Dependence:
    return fit(apart(0), *TRANSLATED)


def apart(seed: int, units: int = 8) -> list[Series]:
    """As `made`, but for human translations, which are halfway to a machine."""
    return [
        one._replace(log_odds=one.log_odds + 0.9 * (one.kind == "translated"))
        for one in made(seed, units=units)
    ]


def test_native_accounts_are_rarely_called_translated(translated: Dependence) -> None:
    fresh = apart(1, units=30)
    assert [row.posts for row in translated.rows][:5] == [1, 2, 3, 5, 10]
    for row in translated.rows:
        one = groups(fresh, row.posts)
        middles = np.array([translated.middles[code] for code in one.language])
        flagged = one.mean - middles >= np.array([row.cuts[code] for code in one.language])
        assert flagged[one.kind == "native"].mean() <= 0.01, row.posts
        assert row.flagged["native"] <= 0.02
    found = [row.flagged["machine"] for row in translated.rows]
    assert found[0] < found[2] < found[4]


def test_translations_of_either_kind_are_rarely_cleared(translated: Dependence) -> None:
    fresh = apart(1, units=30)
    for row in translated.rows[:5]:
        one = groups(fresh, row.posts)
        assert row.human is not None
        cleared = one.mean - np.array([translated.middles[code] for code in one.language]) <= row.human
        assert cleared[one.kind != "native"].mean() <= 0.02, row.posts


def test_a_family_with_a_heavy_tail_is_held_to_its_rate_at_every_number_of_posts() -> None:
    random = np.random.default_rng(5)
    odd = [  # most of its accounts are as all others, a few far from them
        Series("odd", "native", "de", random.normal(3.0 if n % 25 == 0 else -1.0, WITHIN, 10))
        for n in range(250)
    ]
    sets = [groups([*apart(4), *odd], n) for n in (1, 2, 5, 10)]
    plain = fit_log_odds(sets, TRANSLATED[0], [0.3])
    _, languages = family_cuts(sets, plain, TRANSLATED[1])
    for one in sets:
        ours = (one.family == "odd") & (one.kind == "native")
        assert ours.sum() >= LEAST_POSTS
        assert (plain.centred(one)[ours] >= languages[one.size]["de"]).mean() <= 0.01
    cuts = [languages[one.size]["de"] for one in sets]
    assert cuts == sorted(cuts, reverse=True)


@pytest.fixture(scope="module")
def judged() -> list[Held]:
    """Families held out; of one language there are too few natives for a threshold."""
    rare = [Series(f"{kind}-0", kind, "fi", np.full(20, 3.0)) for kind in ("native", "machine")]
    return measured([*apart(2), *rare], *TRANSLATED)


def test_a_rate_is_of_the_languages_that_have_a_threshold(judged: list[Held]) -> None:
    held = judged[0]
    own = held.groups.language == "fi"
    assert own.any()
    assert not held.measured[own].any()
    assert not held.flagged[own].any()
    assert shares(held)["native"]["native-0"][1] == 8 * 25 * len(LANGUAGES)


def test_the_tables_of_translation_say_how_many_posts_a_desk_needs(judged: list[Held]) -> None:
    found = translated_tables(judged)
    assert [row[0] for row in found["accounts-translated"].rows][:5] == ["1", "2", "3", "5", "10"]
    assert [row[0] for row in found["accounts-translated-needed"].rows] == ["50 %", "90 %"]
    assert [row[0] for row in found["accounts-translated-languages"].rows] == list(LANGUAGES)
    assert len(found["accounts-translated-families"].rows) == 12


def test_the_posts_needed_are_between_measured_numbers() -> None:
    rows = [{"posts": 1, "machine": 0.1}, {"posts": 5, "machine": 0.3}, {"posts": 10, "machine": 0.7}]
    assert needed(rows, 0.5) == "5 to 10"
    assert needed(rows, 0.9) == "more than 10"
    assert needed(rows, 0.05) == "1"
    assert needed([{"posts": 1, "native": None}, {"posts": 2, "native": 0.6}], 0.5, "native") == "2"


def test_scores_without_a_probability_are_left_out(tmp_path: Path) -> None:
    lines = [
        {
            "family": "a",
            "kind": "native",
            "language": "ru",
            "unit": "",
            "machine_translated": p,
            "translated": None,
        }
        for p in (0.5, 0.999999, None)
    ]
    path = tmp_path / "scores.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    (one,) = read_scores([path])
    assert one.log_odds.tolist() == [0.0, 4.0]
    assert read_scores([path], "translated") == []


def test_posts_that_do_not_count_for_an_account_are_not_gathered(tmp_path: Path) -> None:
    class StandIn:
        def score_many(self, texts: Iterable[str]) -> Iterator[Result]:
            for text in texts:
                warnings = (Warning(code="technical", text="…"),) if text == "manual" else ()
                yield Result(
                    id="1", verdict="uncertain", machine_translated=None if text == "ok" else 0.5,
                    translated=0.5, language=Language(code="ru", confidence=1.0), columns=9,
                    models={"profile": "embedded"}, warnings=warnings, version="0",
                )  # fmt: skip

    posts = [Sampled("a", "native", "ru", "", text) for text in ("manual", "a post", "ok")]
    path = tmp_path / "gathered.jsonl"
    assert gather(StandIn(), posts, path) == 1  # type: ignore[arg-type]
    assert len(path.read_text().splitlines()) == 1
    (one,) = read_scores([path], "translated")
    assert one.log_odds.tolist() == [0.0]


def test_every_language_has_the_posts_that_a_threshold_takes() -> None:
    sizes = {"ru": 5000, "pl": 400, "tr": 90, "el": 150}
    assert _shares(sizes, 200) == {"tr": 50, "el": 50, "pl": 50, "ru": 50}
    each = _shares(sizes, 200, 120)
    assert each == {"tr": 90, "el": 120, "pl": 120, "ru": 120}
    assert _shares(sizes, 10_000, 120) == sizes


def test_rudimentary_accounts_are_of_human_and_word_for_word_posts(tmp_path: Path) -> None:
    """Without manuals, and of machine posts those word for word alone."""
    rng = np.random.default_rng(0)
    rows = [
        {
            "language": "ru", "kind": kind, "testset": family, "system": "", "page": str(n % 7),
            "columns": 100, "style": 0.0, "technical": -1.0 if n else 1.0,
            "rudimentary_head": float(rng.normal(3.0 if family in WORD_FOR_WORD else -3.0, 1)),
        }
        for kind, family in (
            ("native", "ud"), ("native", "official"), ("translated", "wmt19"), ("machine", "coop"),
            *(("machine", family) for family in WORD_FOR_WORD),
        )
        for n in range(120)
    ]  # fmt: skip
    pd.DataFrame(rows).to_parquet(tmp_path / "ru.parquet")
    found = {(one.family, one.kind): one.log_odds for one in rudimentary_scores(tmp_path)}
    assert set(found) == {
        ("ud", "native"), ("official", "native"), ("wmt19", "translated"),
        *((family, "machine") for family in WORD_FOR_WORD),
    }  # fmt: skip
    assert {len(values) for values in found.values()} == {119}
    assert min(found["made_words", "machine"].mean(), -found["ud", "native"].mean()) > 1
