"""How labelled lines become posts: kinds, neighbours, and an even draw."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.training.posts import KINDS, group, kind

HUMAN = {"label": "human", "origin": "translated", "system": "reference"}
NATIVE = {"label": "human", "origin": "original", "system": "author"}
MACHINE = {"label": "machine", "origin": "translated"}


def lines(count: int, **facts: Any) -> pd.DataFrame:
    """Lines 0 … count - 1 of one version; each text says which set, system and line it is."""
    facts = {"testset": "a", "source_lang": "en", "system": "x"} | facts
    name = f"{facts['testset']}.{facts['source_lang']}.{facts['system']}"
    return pd.DataFrame([facts | {"line": n, "text": f"{name}.{n}"} for n in range(count)])


def test_kinds() -> None:
    frame = pd.DataFrame(
        [
            {"label": "human", "origin": "original"},
            {"label": "human", "origin": "translated"},
            {"label": "human", "origin": "mixed"},
            {"label": "human", "origin": None},
            {"label": "machine", "origin": "translated"},
            {"label": "machine", "origin": "original"},
        ]
    )
    expected = ["native", "translated", "mixed", "mixed", "machine", "machine"]
    assert kind(frame).tolist() == expected
    assert kind(frame.astype("category")).tolist() == expected
    assert kind(frame.set_axis([9, 8, 7, 6, 5, 4])).index.tolist() == [9, 8, 7, 6, 5, 4]


def test_posts_are_neighbours_without_overlap_and_the_rest_is_dropped() -> None:
    table = group(lines(8, **NATIVE), most=100, lines=(3,)).sort_values("line")
    assert table["text"].tolist() == [
        "a.en.author.0 a.en.author.1 a.en.author.2", "a.en.author.3 a.en.author.4 a.en.author.5",
    ]  # fmt: skip
    assert table["line"].tolist() == [0, 3]
    assert list(table.columns) == ["text", "kind", "lines", "testset", "system", "line"]


def test_every_number_of_lines_is_made_from_all_lines() -> None:
    table = group(lines(4, **NATIVE), most=100, lines=(1, 2, 4))
    assert Counter(table["lines"]) == {1: 4, 2: 2, 4: 1}
    assert all(len(text.split()) == size for text, size in zip(table["text"], table["lines"], strict=True))


@given(st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from(["de", "en"]), st.sampled_from("xyz")),
                min_size=1, max_size=6, unique=True), st.integers(1, 4))  # fmt: skip
def test_a_post_is_of_one_set_language_and_system(versions: list[tuple[str, str, str]], size: int) -> None:
    frame = pd.concat(
        [lines(5, testset=t, source_lang=s, **MACHINE | {"system": x}) for t, s, x in versions],
        ignore_index=True,
    )
    table = group(frame, most=1000, lines=(size,))
    assert len(table) == len(versions) * (5 // size)
    for post in table.itertuples():
        parts = [text.split(".") for text in post.text.split()]
        assert {(testset, system) for testset, _, system, _ in parts} == {(post.testset, post.system)}
        assert len({language for _, language, _, _ in parts}) == 1
        assert [int(number) for *_, number in parts] == list(range(post.line, post.line + size))


def test_text_of_mixed_origin_gives_no_posts() -> None:
    mixed = lines(6, label="human", origin="mixed", system="author-or-reference")
    table = group(pd.concat([mixed, lines(6, **HUMAN)]), most=100, lines=(2,))
    assert set(table["kind"]) == {"translated"}
    assert set(table["kind"]) <= set(KINDS)


def test_posts_are_drawn_evenly_over_systems_and_half_as_many_of_machines() -> None:
    frame = pd.concat(
        [
            lines(60, **NATIVE),
            lines(60, **HUMAN),
            *(lines(60, **MACHINE | {"system": name}) for name in ("p", "q", "r")),
        ]
    )
    table = group(frame, most=20, lines=(1, 2))
    assert Counter(zip(table["kind"], table["lines"], strict=True)) == {
        ("native", 1): 20, ("native", 2): 20, ("translated", 1): 20, ("translated", 2): 20,
        ("machine", 1): 10, ("machine", 2): 10,
    }  # fmt: skip
    for _, part in table[table["kind"] == "machine"].groupby("lines"):
        counts = Counter(part["system"])
        assert set(counts) == {"p", "q", "r"}
        assert max(counts.values()) <= 4


@pytest.mark.parametrize("seed", [0, 1])
def test_the_draw_follows_the_seed(seed: int) -> None:
    frame = lines(200, **NATIVE)
    first = group(frame, most=20, lines=(1,), seed=seed)
    assert first.equals(group(frame, most=20, lines=(1,), seed=seed))
    assert not first["text"].equals(group(frame, most=20, lines=(1,), seed=seed + 1)["text"])


def test_versions_one_after_the_other_are_not_interleaved() -> None:
    first, second = lines(4, **HUMAN), lines(4, **HUMAN).assign(text=[f"second.{n}" for n in range(4)])
    table = group(pd.concat([first, second]), most=100, lines=(2,))
    assert set(table["text"]) == {
        "a.en.reference.0 a.en.reference.1", "a.en.reference.2 a.en.reference.3",
        "second.0 second.1", "second.2 second.3",
    }  # fmt: skip


def test_lines_with_a_gap_between_them_are_no_neighbours() -> None:
    frame = lines(9, **NATIVE)
    table = group(frame[~frame["line"].isin([1, 5])], most=100, lines=(3,))
    assert sorted(table["text"]) == [
        "a.en.author.2 a.en.author.3 a.en.author.4", "a.en.author.6 a.en.author.7 a.en.author.8",
    ]  # fmt: skip
