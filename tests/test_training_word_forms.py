"""What words are taken for one another: forms of a word, and words in the same places."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from scripts.training.word_forms import ALIKE, MOST_FORMS, learn_alike, learn_forms


def test_forms_of_one_word_replace_each_other() -> None:
    words = ("die", "der", "dem", "Haus", "Häuser", "Hauses", "ging", "gehen", "unserer", "unser")
    found = learn_forms(dict.fromkeys(words, 2), "de")
    assert found.base["häuser"] == "Haus", "as it is written"
    assert found.base["ging"] == "gehen"
    assert "haus" not in found.base, "it is its own dictionary form"
    assert set(found.others["haus"]) == {"Häuser", "Hauses"}
    assert set(found.others["die"]) == {"der", "dem"}


def test_a_word_that_occurs_once_and_a_letter_with_or_without_its_dots_are_no_other_form() -> None:
    found = learn_forms({"её": 3, "ее": 3, "дом": 2, "дома": 1}, "ru")
    assert found.others.get("дом", []) == []
    assert "ее" not in found.others.get("её", [])


def test_korean_endings_are_syllables_and_where_there_are_no_words_there_are_no_forms() -> None:
    found = learn_forms({"정부는": 2, "정부가": 2, "나라": 2}, "ko")
    assert found.others["정부는"] == ["정부가"]
    assert found.base == {}
    assert learn_forms({"政府": 9}, "zh") == ({}, {})


def test_no_more_forms_than_a_few() -> None:
    text = "geh gehe gehst geht gehen gehend gehenden ging gingst gingen "
    text += "gegangen gegangene gegangenen gegangener"
    found = learn_forms(dict.fromkeys(text.split(), 2), "de")
    assert len(found.others["geht"]) == MOST_FORMS


@given(st.lists(st.lists(st.sampled_from("abcdefgh,"), max_size=9), max_size=30))
def test_a_word_is_not_its_own_other(rows: list[list[str]]) -> None:
    for word, others in learn_alike(rows).items():
        assert word not in others
        assert len(others) <= ALIKE


def test_words_between_the_same_neighbours_are_alike() -> None:
    rows = [["she", "went", to, "the", noun] for to in ("to", "into") for noun in ("house", "garden")]
    rows += [["a", noun, verb] for noun in ("house", "garden") for verb in ("burns", "stands")]
    found = learn_alike(rows * 3)
    assert found["to"][0] == "into"
    assert found["house"][0] == "garden"
