"""Rudimentary translations for training: by programs of rules, and word for word."""

from __future__ import annotations

import os
import random
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scripts.training import rudimentary, rules
from scripts.training.encoder_data import labelled_rows, rudimentary_sets, training_posts
from scripts.training.glossary import WORDS, Glossary
from scripts.training.style import examples
from scripts.training.technical import held_out

NOUNS = {"dog": "собака", "cat": "кошка", "man": "человек"}
VERBS = {"sleeps": "спит", "runs": "бежит", "sees Anna": "видит Анну"}
PAIRS = [(f"the {n} {v}", f"{NOUNS[n]} {VERBS[v]}") for n in NOUNS for v in VERBS] * 2


def test_a_glossary_learns_words_and_keeps_the_order_of_the_source() -> None:
    glossary = Glossary(PAIRS)
    assert glossary.translate(["Dog sees cat; sleeps, man!"]) == ["Собака видит кошка; спит, человек!"]


def test_a_word_that_nothing_explains_is_left_out_and_numbers_stay() -> None:
    assert Glossary(PAIRS).translate(["unheard 25 sleeps"]) == ["25 спит"]


@pytest.mark.parametrize(("name", "made"), [("Пётр", "Пётр спит"), ("Mary", "Спит")])
def test_a_name_stays_where_the_language_has_its_letters(name: str, made: str) -> None:
    pairs = [*PAIRS, ("Pyotr", "пётр")]
    assert Glossary(pairs).translate([f"{name} sleeps"]) == [made]


def test_a_glossary_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="no pair of lines"):
        Glossary([("", "")])


@settings(max_examples=50)
@given(st.lists(st.text(max_size=60), max_size=4))
def test_a_glossary_takes_any_text(texts: list[str]) -> None:
    made = Glossary(PAIRS).translate(texts)
    assert len(made) == len(texts)
    words = {word for text in (*NOUNS.values(), *VERBS.values()) for word in text.casefold().split()}
    for one, other in zip(made, texts, strict=True):
        kept = set(WORDS.findall(other.casefold()))
        assert set(WORDS.findall(one.casefold())) <= words | kept


@given(st.lists(st.from_regex(r"[a-z]{1,8}( [a-z]{1,8}){0,4}", fullmatch=True), max_size=30))
def test_texts_come_back_in_their_order(texts: list[str]) -> None:
    assert rules.piped(texts, "tr a-z A-Z") == [text.upper() for text in texts]


def test_a_text_that_stops_the_program_is_empty_and_the_others_are_kept() -> None:
    stops = "awk '/bad/ { exit 3 } { print toupper($0) }'"
    assert rules.piped(["one", "bad", "two", "three"], stops) == ["ONE", "", "TWO", "THREE"]


def mode(folder: Path, pair: str, steps: str) -> None:
    """Apertium's line of programs for a pair, and stand-ins for its first and last one."""
    (folder / f"{pair}.mode").write_text(steps)
    for name in ("apertium-destxt", "apertium-retxt"):
        (folder / name).write_text("#!/bin/sh\ncat\n")
        (folder / name).chmod(0o755)


@pytest.fixture
def modes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(rules, "MODES", tmp_path)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    return tmp_path


def test_a_pair_is_a_line_of_programs(modes: Path) -> None:
    mode(modes, "es-pt", "tr a-z A-Z | sed s/X/$1/\n")
    assert rules.translate(["ax", "b"] * 40, "es-pt") == ["A-n", "B"] * 40


def test_a_tagger_that_prints_nothing_is_replaced(modes: Path) -> None:
    mode(modes, "rus-ukr", "cg-proc -w 'a.bin' | apertium-tagger -g $2 'b.prob' | cat\n")
    (modes / "cg-proc").write_text('#!/bin/sh\nsed "s/$/ $*/"\n')
    (modes / "cg-proc").chmod(0o755)
    assert rules.translate(["one"], "rus-ukr") == ["one -1 -n -w a.bin"]
    mode(modes, "rus-ukr", "cat")
    with pytest.raises(ValueError, match="other steps"):
        rules.translate(["one"], "rus-ukr")


def test_a_pair_that_translates_nothing_is_an_error(modes: Path) -> None:
    mode(modes, "es-pt", "false | cat")
    with pytest.raises(ValueError, match="translates nothing"):
        rules.translate(["one"], "es-pt")


def test_posts_by_rules_are_rows_of_wild_and_none_without_the_pair(
    corpora: Path, modes: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    row = {"text": "uno", "kind": "native", "family": "parlamint", "page": "a"}
    pd.DataFrame([row, row | {"text": "dos"}]).to_parquet(corpora / "wild" / "es.parquet")
    assert rules.made_by_rules(corpora, "pt", 9).empty
    assert "es-pt is not here" in capsys.readouterr().out
    mode(modes, "es-pt", "tr a-z A-Z")
    found = rules.made_by_rules(corpora, "pt", 9)
    assert found["text"].tolist() == ["UNO", "DOS"]
    assert set(found["family"]) == {rules.FAMILY}
    assert set(found["kind"]) == {"machine"}
    assert rules.made_by_rules(corpora, "de", 9).empty


@pytest.mark.skipif(
    shutil.which("apertium") is None or not (rules.MODES / "es-pt.mode").exists(), reason="no Apertium"
)
def test_apertium_translates() -> None:
    assert rules.translate(["El Gobierno dice que no.", "15 casas"], "es-pt") == [
        "O Governo diz que não.",
        "15 casas",
    ]


def rows(language: str, text: str) -> pd.DataFrame:
    """Twelve human and machine lines of one test set."""
    made = [
        {
            "text": f"{text} {who} {line}", "label": label, "origin": "translated", "system": who,
            "source_lang": "en", "testset": "flores-dev", "line": line, "split": "train",
        }
        for label, who in (("human", "reference"), ("machine", "google"))
        for line in range(12)
    ]  # fmt: skip
    return pd.DataFrame(made)


@pytest.fixture
def corpora(tmp_path: Path) -> Path:
    for folder in ("labelled", "wild", "parallel"):
        (tmp_path / folder).mkdir()
    for language, text in (("en", "The man sleeps"), ("ru", "Человек спит")):
        rows(language, text).to_parquet(tmp_path / "labelled" / f"{language}.parquet")
        pd.DataFrame(columns=["text", "label", "family", "split", "kind", "system", "page"]).to_parquet(
            tmp_path / "wild" / f"{language}.parquet"
        )
    pairs = [(one, other, "human", "tatoeba") for one, other in PAIRS]
    pd.DataFrame(pairs, columns=["en", "ru", "kind", "testset"]).to_parquet(
        tmp_path / "parallel" / "en-ru.parquet"
    )
    return tmp_path


def test_a_rudimentary_version_stands_beside_the_human_one(corpora: Path, tmp_path: Path) -> None:
    found = rudimentary.translations(corpora, "ru")
    assert set(found["system"]) == {"glossary-en"}
    assert set(found["label"]) == {"machine"}
    assert found["line"].tolist() == list(range(12))
    found.to_parquet(tmp_path / "ru.parquet")
    sets = rudimentary_sets(tmp_path, labelled_rows(corpora, "ru"), "ru")
    entry = sets["flores-dev", "en"]
    assert set(entry.machines) == {"glossary-en"}
    assert entry.humans["reference", "translated"][3].startswith("Человек спит reference")
    assert not rudimentary_sets(tmp_path, labelled_rows(corpora, "en"), "en")


@pytest.mark.parametrize(("share", "systems"), [(0.0, {False}), (1.0, {True})])
def test_units_come_from_rudimentary_translations_as_often_as_said(
    corpora: Path, tmp_path: Path, share: float, systems: set[bool]
) -> None:
    rudimentary.translations(corpora, "ru").to_parquet(tmp_path / "ru.parquet")
    posts = [post for _, post in training_posts(corpora, 60, 1, ["ru"], tmp_path, share)]
    machine = [post.text for post in posts if post.machine == 1]
    assert {"google" not in text.casefold() for text in machine} == systems


@pytest.mark.parametrize(("testset", "made"), [("wmt13", True), ("wmt14", False), ("wmt19", False)])
def test_only_test_sets_with_the_same_lines_in_all_languages_are_translated(
    corpora: Path, testset: str, made: bool
) -> None:
    for path in (corpora / "labelled").iterdir():
        pd.read_parquet(path).assign(testset=testset).to_parquet(path)
    assert len(rudimentary.translations(corpora, "ru")) == (12 if made else 0)


def test_languages_into_english_take_turns_over_the_lines(corpora: Path) -> None:
    sides = [rudimentary.humans(corpora, language) for language in ("en", "ru")]
    first, second = (rudimentary.beside(*sides, 6, stretch) for stretch in (0, 1))
    assert first["line"].tolist() == list(range(6))
    assert second["line"].tolist() == list(range(6, 12))


def test_no_language_is_both_trained_on_and_measured() -> None:
    assert not rules.SOURCES.keys() & rudimentary.BY_RULES.keys()


def test_style_learns_from_rudimentary_lines_too(corpora: Path, tmp_path: Path) -> None:
    rudimentary.translations(corpora, "ru").to_parquet(tmp_path / "ru.parquet")
    native = pd.DataFrame({"text": ["Иван читает книгу."] * 10, "year": 2010})
    (corpora / "native").mkdir()
    native.to_parquet(corpora / "native" / "ru_train.parquet")
    without, with_ = (examples(corpora, "ru", 100, rudimentary=folder) for folder in (None, tmp_path))
    assert set(with_["system"]) - set(without["system"]) == {"glossary-en"}
    assert (with_["machine"] == 0).sum() == (without["machine"] == 0).sum()


def test_sources_are_native_official_texts_of_whole_pages(corpora: Path) -> None:
    columns = {"label": "human", "system": "", "split": "train"}
    made = [
        {"text": f"text {family} {page} {n}", "kind": kind, "family": family, "page": page} | columns
        for family, kind in (("official", "native"), ("official", "translated"), ("ud", "native"))
        for page in ("a", "b")
        for n in range(rules.OF_A_PAGE + 5)
    ]
    random.Random(0).shuffle(made)
    pd.DataFrame(made).to_parquet(corpora / "wild" / "es.parquet")
    found = rules.sources(corpora, "es", 1000)
    assert found["text"].str.startswith("text official").all()
    assert found.groupby("page").size().tolist() == [rules.OF_A_PAGE] * 2
    assert (found["page"] != found["page"].shift()).sum() == 2


def test_the_head_for_documentation_judges_measured_posts_and_learns_nothing_of_them() -> None:
    rng = np.random.default_rng(0)
    publishers = ["msdocs"] * 40 + ["coop"] * 40 + ["news"] * 40 + ["official"] * 40 + [rules.FAMILY] * 40
    target = np.array([name in ("msdocs", "coop") for name in publishers])
    vectors = rng.normal(target[:, None].astype(float), 1.0, (200, 6))
    languages = ["ru"] * 200
    before = held_out(vectors, target, languages, publishers)
    changed = vectors.copy()
    changed[160:] += 9
    after = held_out(changed, target, languages, publishers)
    assert (before[:160] == after[:160]).all()
    assert (before[160:] != after[160:]).all()
