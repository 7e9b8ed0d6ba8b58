"""The measure by family: what is held against what, and what is too little to say."""

from __future__ import annotations

import random

import pytest

from scripts.bench.families import LEAST, Post, Scored, by_family, measure, share, summary, tables


def posts(family: str, kind: str, probability: float, count: int, flagged: int = 0) -> list[Scored]:
    rng = random.Random(f"{family} {kind}")
    return [
        Scored(Post("ru", family, kind, "text"), probability + rng.uniform(-0.05, 0.05), number < flagged)
        for number in range(count)
    ]


SCORED = [
    *posts("manual", "translated", 0.4, 120, flagged=3),
    *posts("manual", "machine", 0.8, 120, flagged=60),
    *posts("parliament", "native", 0.2, 200, flagged=1),
    *posts("blog", "machine", 0.4, 60),
]


def test_a_family_is_held_against_itself_and_against_the_others() -> None:
    blog, manual, parliament = measure(SCORED)
    assert manual["auc_inside"] == 1
    assert manual["auc_native"] == 1
    assert manual["auc_translated"] is None, "no other family has translations"
    assert blog["auc_translated"] == pytest.approx(0.5, abs=0.1)
    assert blog["auc_inside"] is None
    assert parliament["native"]["flagged"] == 0.005


def test_a_share_of_too_few_posts_is_not_reported() -> None:
    assert share(posts("a", "native", 0.5, LEAST - 1)) is None
    found = share(posts("a", "native", 0.5, 100, flagged=2))
    assert found is not None
    assert found["low"] < found["flagged"] == 0.02 < found["high"]


def test_the_worst_is_named() -> None:
    rows = measure([*SCORED, *posts("other", "translated", 0.9, 100, flagged=45)])
    found = summary(rows)
    assert (found["translated"]["worst"], found["translated"]["where"]) == (0.45, "other, ru")
    assert found["translated"]["mean"] == pytest.approx((0.45 + 0.025) / 2)
    assert found["machine"]["where"] == "manual, ru", "60 posts of the blog are too few for a share"
    assert found["auc_translated"]["where"] == "manual, ru", "it scores under human text of the other"
    assert found["auc_translated"]["worst"] < 0.1


def test_tables_have_a_row_for_each_family() -> None:
    rows = measure(SCORED)
    made = tables({"summary": summary(rows), "families": by_family(SCORED), "rows": rows})
    assert [row[0] for row in made["families"].rows] == ["blog", "manual", "parliament"]
    assert made["families"].rows[1][3] == "2.5 % (0.5 to 7.1, 120)"
