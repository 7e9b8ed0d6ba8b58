"""The measure by family: thresholds that never saw it, what is held against what, and what is too little."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from checker.calibration.fit import KINDS, Observed, thresholds
from checker.evaluation.labelled import Kind
from checker.evidence.evidence import Evidence
from checker.result import Question
from checker.statistics import Floats
from scripts.bench.families import ASKED, COLUMNS, summary, systems, tables, taken
from scripts.bench.held_out import Error, area, calibration, flags, hidden, rate, richest_said, together
from scripts.training.beginners import BENT, PLAIN
from scripts.training.rules import FAMILY
from scripts.training.verdict import BARE, observed
from scripts.training.word_for_word import WORDS as BEST


def family(
    name: str, kind: Kind, at: float, count: int, language: str = "ru"
) -> tuple[list[Observed], Floats]:
    rng = np.random.default_rng(sum(map(ord, name + kind + language)))
    fold = 2 * sum(map(ord, name))
    posts = [Observed(Evidence(columns=100, style=0.0), language, kind, name, fold) for _ in range(count)]
    return posts, np.clip(at + rng.uniform(-0.05, 0.05, count), 0, 1)


PARTS = [
    family("manual", "translated", 0.4, 120),
    family("manual", "machine", 0.8, 120),
    family("parliament", "native", 0.2, 200),
    family("handbook", "translated", 0.7, 120),
    family("blog", "machine", 0.4, 60),
    family("blog", "machine", 0.9, 40, "de"),
]
POSTS = [post for posts, _ in PARTS for post in posts]
SAID = np.concatenate([said for _, said in PARTS])


def judged(
    posts: list[Observed], said: Floats, asked: Question = "machine_translated", least: float = 0.5
) -> dict[tuple[str, str], dict[str, Any]]:
    """Language and family → what is measured."""
    rows = hidden(posts, said, flags(posts, said, asked, least), (BARE,))
    return {(row["language"], row["family"]): row for row in rows}


def test_a_rate_is_of_enough_posts_that_a_threshold_was_there_for() -> None:
    assert rate(np.r_[np.ones(48), np.full(60, np.nan)]) is None
    found = rate(np.r_[np.ones(25), np.zeros(25), np.full(60, np.nan)])
    assert found is not None
    assert (found["flagged"], found["posts"]) == (0.5, 50)


ROWS = judged(POSTS, SAID)


def test_a_family_meets_the_thresholds_of_the_others() -> None:
    # Without the handbook the threshold is that of the manual, and all of the handbook is above it.
    assert ROWS["ru", "handbook"]["translated"]["flagged"] == 1
    # With it, the threshold is above the handbook.
    assert ROWS["ru", "manual"]["translated"]["flagged"] == 0
    assert ROWS["ru", "manual"]["machine"]["flagged"] > 0.9
    assert ROWS["ru", "parliament"]["native"] == {
        "flagged": 0.0, "low": 0.0, "high": pytest.approx(0.02, abs=0.01), "posts": 200,
    }  # fmt: skip
    shipped = thresholds([post for post in POSTS if post.language == "ru"], SAID[:-40])
    assert shipped[1] is not None
    assert shipped[1].machine > 0.74, "what ships knows all families"


def test_a_family_that_nothing_is_fitted_on_sets_no_threshold() -> None:
    said = SAID + 0.25 * np.array([post.testset == "handbook" for post in POSTS])
    posts = [replace(post, fitted=post.testset != "handbook") for post in POSTS]
    for found, flagged in (POSTS, 0), (posts, 1):
        rows = judged(found, said)
        assert rows["ru", "manual"]["machine"]["flagged"] == flagged
        assert rows["ru", "handbook"]["translated"]["flagged"] == 1, "it is measured"


def test_a_family_is_held_against_itself_and_against_the_others() -> None:
    manual, blog = ROWS["ru", "manual"], ROWS["ru", "blog"]
    assert manual["auc_inside"] == manual["auc_native"] == 1
    assert manual["auc_translated"] == 1
    assert blog["auc_inside"] is None
    assert blog["auc_translated"] == pytest.approx(0.25, abs=0.05)
    assert manual["auc_people"] == 1, "its human translations against native text"


def test_too_few_posts_are_not_reported() -> None:
    assert ROWS["de", "blog"]["machine"] is None
    assert area(np.zeros(49), np.ones(500)) is None
    assert area(np.zeros(50), np.ones(50)) == 1


def test_the_summary_names_the_worst_language() -> None:
    lines = {line[0]: line for line in summary(list(ROWS.values()), "machine_translated")}
    assert len(lines["manual"]) == len(COLUMNS)
    assert lines["handbook"][COLUMNS.index("translations flagged")] == "100.0 % (ru 100 %)"
    assert lines["**all**"][COLUMNS.index("translations flagged")] == "50.0 % (ru 100 %)"


def test_the_richest_variant_that_can_say_does() -> None:
    poor, rich = np.array([0.1, 0.2, np.nan]), np.array([np.nan, 0.9, np.nan])
    said = richest_said(POSTS[:3], {"style": poor, "style+encoder": rich}, "machine_translated")
    assert said[:2].tolist() == [0.1, 0.9]
    assert np.isnan(said[2])
    other = richest_said(POSTS[:3], {"translated:style": poor, "style": rich}, "translated")
    assert other[:2].tolist() == [0.1, 0.2]


def test_there_is_a_table_for_each_question() -> None:
    posts: dict[Question, list[Observed]] = dict.fromkeys(ASKED, POSTS)
    found, rows = tables(posts, {"style": SAID, "translated:style": SAID, "rudimentary:encoder": SAID})
    names = {"families", "families-translated", "families-rudimentary"}
    others = {f"families-{name}" for name in ("worst", "systems", "calibration")}
    assert set(found) == names | others | {"technical"}
    assert set(rows) == names | {"families-together"}
    assert found["families-worst"].rows[0][1:3] == ["native posts wrongly called so", "0.0 %"]
    assert [row[0] for row in found["families"].rows] == [
        "blog", "handbook", "manual", "parliament", "**all**",
    ]  # fmt: skip


def test_machine_text_is_told_apart_by_quality() -> None:
    named = [
        replace(post, testset={"manual": "made_small"}.get(post.testset, post.testset)) for post in POSTS
    ]
    rows = list(judged(named, SAID).values())
    [line] = systems({"machine_translated": rows, "translated": [], "rudimentary": rows})
    assert line[:5] == [
        "rudimentary: small translators of this project, news",
        "1",
        "100.0 %",
        "–",
        "100.0 %",
    ]


def test_families_are_held_out_whole_and_a_single_one_by_pages() -> None:
    rows = [
        {
            "language": "ru",
            "kind": kind,
            "testset": name,
            "system": "x",
            "page": page,
            "columns": 90,
            "style": 1.0,
        }
        for kind, name in zip(KINDS, ("parliament", "manual", "manual"), strict=True)
        for page in ("a", "b")
    ]
    rows.append({**rows[2], "testset": "handbook"})
    rows.append({**rows[5], "testset": FAMILY})
    *found, by_rules = observed(pd.DataFrame(rows))
    assert not by_rules.fitted
    assert all(post.fitted for post in found)
    assert {(post.testset, post.kind, post.half) for post in found} == {
        ("parliament", "native", 1), ("parliament", "native", 2),  # the only native posts
        ("manual", "translated", 1), ("manual", "translated", 2), ("handbook", "translated", 0),
        ("manual", "machine", 1), ("manual", "machine", 2),  # the only ones by a machine
    }  # fmt: skip
    assert len({post.fold for post in found}) == 3
    assert all(post.evidence.machine_head is None for post in found)


def test_a_family_and_what_was_made_of_it_are_one_fold_in_every_language() -> None:
    def posts(language: str, names: list[tuple[str, str]]) -> pd.DataFrame:
        row = {"language": language, "page": "a", "columns": 90}
        kinds = [kind for kind in ("native", "translated") for _ in names]
        return pd.DataFrame(
            row | {"kind": kind, "testset": name, "system": system}
            for kind, (name, system) in zip(kinds, names * 2, strict=True)
        )

    russian = posts("ru", [("news", "x"), ("speeches", "x"), (BARE, "speeches"), (PLAIN, "speeches")])
    german = posts("de", [("chat", "x"), ("news", "x"), ("speeches", "x"), (BARE, "news"), (BENT, "chat")])
    found = [
        (row["system"] if row["testset"] in (BARE, PLAIN, BENT) else row["testset"], post.fold)
        for table in (russian, german)
        for row, post in zip(table.to_dict("records"), observed(table, "rudimentary"), strict=True)
    ]
    assert len({fold for _, fold in found}) == len({name for name, _ in found}) == 3
    assert len(set(found)) == 3
    small = observed(posts("de", [("wmt21", "x"), ("made_small", "marian"), (BEST, "words-en")]))
    assert small[0].fold == small[1].fold != small[2].fold, "they are made of its lines"


def test_what_was_made_of_a_family_sets_no_threshold_for_it() -> None:
    families = [("news", "x", 0.1), (BARE, "speeches", 0.9), ("speeches", "x", 0.5)]
    table = pd.DataFrame(
        {
            "language": "ru", "kind": "native", "testset": name, "system": system, "page": str(number),
            "columns": 90,
        }
        for name, system, _ in families
        for number in range(120)
    )  # fmt: skip
    said = np.concatenate([np.full(120, value) for *_, value in families])
    rows = judged(observed(table, "rudimentary"), said, "rudimentary", 0.3)
    assert rows["ru", "speeches"]["native"]["flagged"] == 1.0, "only the news set its threshold"
    lower = np.where(table["testset"] == BARE, 0.45, said)
    rows = judged(observed(table, "rudimentary"), lower, "rudimentary", 0.3)
    assert rows["ru", BARE]["native"]["flagged"] == 1.0, "what it was made of sets no threshold for it"


def test_a_post_is_wrongly_called_something_by_any_of_the_questions() -> None:
    posts = [*POSTS[:120], *POSTS[240:440]]  # human translations of the manual, native posts
    first, second, third = np.zeros((3, len(posts)))
    first[[0, 120]] = 1
    second[[1, 121]] = 1
    third[[2, 120, 122]] = 1
    third[-100:] = np.nan  # fragments, say
    by_question: dict[Question, Floats] = {
        "machine_translated": first, "translated": second, "rudimentary": third,
    }  # fmt: skip
    rows = together(posts, by_question)
    found = {row["family"]: row for row in rows}
    assert found["manual"]["translated"]["flagged"] == 2 / 120, "that they are translated is right"
    assert found["parliament"]["native"]["flagged"] == 3 / 200
    assert found["parliament"]["translated"] is None
    second[120:] = np.nan
    rows = together(posts, by_question)
    assert {row["family"]: row["native"] for row in rows}["parliament"] is None, (
        "one question is not answered"
    )


def test_translations_that_are_called_human_written_are_counted() -> None:
    """By what the others clear: of these translations, the lowest two in a hundred may be below."""
    said = np.where([post.testset == "blog" for post in POSTS], 0.01, SAID)
    rows = judged(POSTS, said, "translated")
    assert rows["ru", "blog"]["machine_cleared"]["flagged"] == 1
    assert rows["ru", "manual"]["machine_cleared"]["flagged"] == 0
    assert judged(POSTS, said)["ru", "blog"]["machine_cleared"] is None, "another question clears nobody"


def test_what_chance_makes_of_right_probabilities_is_told() -> None:
    """Probabilities that are right have an error above 0, and wrong ones a greater one."""
    rng = np.random.default_rng(0)
    said = rng.uniform(0, 1, 600)
    chosen = rng.random(600) < said
    posts = [
        Observed(Evidence(columns=100, style=0.0), "ru", "machine" if yes else "native", "news", 0)
        for yes in chosen
    ]
    [right, every] = calibration(posts, said, "machine_translated")
    assert right[:1] == ("ru",)
    assert every == Error(None, right.seen, every.least)
    assert 0.01 < right.least < 0.1
    assert right.seen < 2 * right.least
    [wrong, _] = calibration(posts, 1 - said, "machine_translated")
    assert wrong.seen > 0.4
    assert calibration([replace(post, fitted=False) for post in posts[:9]] + posts, np.r_[said[:9], said],
                       "machine_translated")[0].seen == right.seen  # fmt: skip


def test_documentation_is_flagged_by_nothing_and_sets_no_threshold() -> None:
    books = [
        replace(post, evidence=replace(post.evidence, technical=1.0)) if post.testset == "handbook" else post
        for post in POSTS
    ]
    rows = judged(books, SAID)
    assert rows["ru", "handbook"]["translated"]["flagged"] == 0
    assert rows["ru", "manual"]["machine"]["flagged"] == 1, "the threshold is that of the parliament"
    named = [replace(post, testset={"handbook": "pydocs"}.get(post.testset, post.testset)) for post in books]
    assert taken(named)[0] == ["documentation", "pydocs", "100 %", "120"]
    assert taken(named)[-1] == ["other", "**mean**", "0 % (worst 0 %)", ""]
