"""Fitting the judgement on accounts: on made ones, it finds their parameters and holds its rates."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from checker.account.file import Dependence
from scripts.bench.accounts import needed, tables
from scripts.training.accounts import MACHINE, Series, fit, fit_log_odds, groups, held_out, read_scores

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
    plain = fit_log_odds(sets, ("machine",), [0.3])
    held = held_out(sets, plain, *MACHINE)
    assert held[1].flagged[sets[1].family == "odd"].mean() > 0.5


def test_the_tables_have_a_row_for_every_number(fitted: Dependence) -> None:
    sets = [groups(made(2), n) for n in (1, 2, 10)]
    plain = fit_log_odds(sets, ("machine",), [0.3])
    found = tables(held_out(sets, plain, *MACHINE), ())
    assert [row[0] for row in found["accounts"].rows] == ["1", "2", "10"]
    assert [row[0] for row in found["accounts-languages"].rows] == list(LANGUAGES)
    assert len(found["accounts-families"].rows) == 12


def test_the_posts_needed_are_between_measured_numbers() -> None:
    rows = [{"posts": 1, "machine": 0.1}, {"posts": 5, "machine": 0.3}, {"posts": 10, "machine": 0.7}]
    assert needed(rows, 0.5) == 7.5
    assert needed(rows, 0.9) is None
    assert needed(rows, 0.05) == 1


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
