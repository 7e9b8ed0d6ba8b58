"""Rudimentary translations, by rules and word for word, and the head that finds such wording."""

from __future__ import annotations

import os
import random
import shutil
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checker import Checker
from scripts.training import rudimentary, rules, technical, verdict
from scripts.training.beginners import BENT, PLAIN, Beginner, beginners
from scripts.training.clumsy import CLUMSY
from scripts.training.faults_data import bare
from scripts.training.glossary import WORDS, Glossary
from scripts.training.posts import neighbours
from scripts.training.verdict import BARE
from scripts.training.word_for_word import SMOOTH, WORD_FOR_WORD, joined, word_for_word
from scripts.training.word_for_word import WORDS as BEST

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


def test_of_several_counterparts_those_that_follow_each_other_are_taken() -> None:
    pairs = [
        ("the dog", "der Hund"), ("the dog", "der Hund"), ("the cat", "die Katze"), ("the house", "das Haus"),
        ("the cat sleeps", "die Katze schläft"), ("the dog sleeps", "der Hund schläft"),
    ] * 3  # fmt: skip
    glossary = Glossary(pairs)
    assert glossary.translate(["Sleeps the cat"]) == ["Schläft der Katze"]
    assert glossary.smooth(["Sleeps the cat"]) == ["Schläft die Katze"]


def test_what_was_left_out_leaves_no_marks_and_sentences_begin_with_a_capital() -> None:
    made = Glossary(PAIRS).translate(["(unheard), unheard, dog sleeps. “Unheard” man runs , unheard; cat!"])
    assert made == ["Собака спит. Человек бежит; кошка!"]


@settings(max_examples=50)
@given(st.lists(st.text(max_size=60), max_size=4))
def test_a_glossary_takes_any_text(texts: list[str]) -> None:
    glossary = Glossary(PAIRS)
    words = {word for text in (*NOUNS.values(), *VERBS.values()) for word in text.casefold().split()}
    for made in (glossary.translate(texts), glossary.smooth(texts)):
        assert len(made) == len(texts)
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


def test_posts_word_for_word_come_from_everything_with_a_source(corpora: Path) -> None:
    pairs = [(f"the man runs {n}", f"человек бежит {n}", "human", "ntrex") for n in range(40)]
    path = corpora / "parallel" / "en-ru.parquet"
    columns = ["en", "ru", "kind", "testset"]
    pd.concat([pd.read_parquet(path), pd.DataFrame(pairs, columns=columns)]).to_parquet(path)
    english = rows("en", "The cat sleeps").assign(split="dev", origin="original")
    english.to_parquet(corpora / "labelled" / "en.parquet")
    manual = {
        "text": "Собака спит", "en": "The dog sleeps", "label": "human", "family": "gnome_docs",
        "split": "train", "kind": "translated", "page": "p",
    }  # fmt: skip
    pd.DataFrame([manual]).to_parquet(corpora / "wild" / "ru.parquet")
    speech = manual | {"text": "El perro duerme", "en": "", "kind": "native", "family": "official"}
    pd.DataFrame([speech]).to_parquet(corpora / "wild" / "es.parquet")
    for donor in ("pt", "uk", "fi"):
        pd.DataFrame([speech]).iloc[:0].to_parquet(corpora / "wild" / f"{donor}.parquet")
    spanish = [(f"dog sleeps {n}", f"perro duerme {n}", "human", "tatoeba") for n in range(9)]
    spanish = pd.DataFrame(spanish, columns=["en", "es", "kind", "testset"])
    spanish.to_parquet(corpora / "parallel" / "en-es.parquet")
    found = word_for_word(corpora, "ru", 30)
    assert set(found["family"]) == set(WORD_FOR_WORD)
    assert set(found["kind"]) == {"machine"}
    best = found[found["family"] == BEST].groupby(["system", "page"])["text"].first()
    assert best["words-es", "p"] == "Собака спит", "from Spanish through English"
    assert best["words-en", "p"].endswith("обака спит")
    assert "кошка спит" in best["words-en", "wmt21-0"]
    assert "еловек бежит" in best["words-en", "ntrex-0"]
    assert word_for_word(corpora, "zh", 30).empty
    begun = beginners(corpora, "ru", 30)
    assert any("бежать" in text for text in begun.loc[begun["family"] == PLAIN, "text"]), "dictionary forms"
    assert set(begun["family"]) == {PLAIN, BENT}
    assert set(begun["system"]) == {"wmt19", "gnome_docs"}, "what they are made of"
    assert beginners(corpora, "ko", 30).empty
    pd.testing.assert_frame_equal(found, word_for_word(corpora, "ru", 30))


def test_a_beginner_takes_dictionary_forms_and_leaves_small_words_out() -> None:
    beginner = Beginner(["The ministers of the countries met in the capital."] * 2, "en")
    text = "The ministers of the countries met in the capital, and the ministers met."
    made = [beginner.plain(text, random.Random(seed)) for seed in range(20)]
    assert all(one[0].isupper() for one in made)
    assert sum("minister " in one.lower() for one in made) > 15
    assert sum(one.split().count("the") + one.split().count("The") for one in made) < 20 * 4 * 0.6
    assert beginner.plain("", random.Random(0)) == ""


def test_a_beginner_takes_other_forms_and_other_small_words() -> None:
    lines = ["the minister of the country meets him", "the ministers in the countries meet him"]
    beginner = Beginner(lines * 3, "en")
    made = [
        beginner.bent("The ministers of the country meet him.", random.Random(seed)) for seed in range(40)
    ]
    words = {word for one in made for word in one.split()}
    assert {"minister", "countries", "meets", "in"} <= words
    assert all(one.endswith("him.") for one in made), "it has no other form"
    assert all(len(one.split()) == 7 for one in made)


@given(st.lists(st.text("abc", min_size=1), max_size=60), st.integers(0, 99))
def test_posts_of_neighbouring_lines_have_every_line_once(lines: list[str], seed: int) -> None:
    posts = joined(lines, "set", random.Random(seed))
    assert " ".join(text for text, _ in posts) == " ".join(lines)


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


def test_the_head_for_documentation_judges_rudimentary_posts_and_learns_nothing_of_them() -> None:
    rng = np.random.default_rng(0)
    names = ["msdocs"] * 40 + ["coop"] * 40 + ["news"] * 40 + ["official"] * 40
    publishers = names + [name for name in CLUMSY for _ in range(20)]
    target = np.array([name in ("msdocs", "coop") for name in publishers])
    vectors = rng.normal(target[:, None].astype(float), 1.0, (len(target), 6))
    publishers[160:170] = ["coop"] * 10  # what these were made of
    made = np.arange(len(target)) >= 160
    languages = ["ru"] * len(target)
    before = technical.held_out(vectors, target, languages, publishers, made)
    changed = vectors.copy()
    changed[160:] += 9
    after = technical.held_out(changed, target, languages, publishers, made)
    assert (before[:160] == after[:160]).all()
    assert (before[160:] != after[160:]).all()
    other = vectors.copy()
    other[40:80] += 9
    later = technical.held_out(other, target, languages, publishers, made)
    assert (before[160:170] == later[160:170]).all(), "no more than those that they were made of"
    assert (before[170:] != later[170:]).all()


LIKE: list[tuple[str, str, str]] = [
    *[("native", code, name) for code in ("de", "fr") for name in ("news", "official") for _ in range(20)],
    *[("machine", code, name) for code in ("de", "fr") for name in WORD_FOR_WORD for _ in range(20)],
    *[("machine", "de", "msdocs")] * 20,
    *[("native", "de", BARE)] * 20,
    *[("machine", "de", PLAIN)] * 20,
]
"""Kind, language and family of posts, 20 of each."""


@pytest.mark.parametrize(
    ("judged", "unseen"),
    [
        ("native de news", ["native de news", "native fr news", f"native de {BARE}"]),
        (f"machine de {PLAIN}", ["native de news", "native fr news", f"native de {BARE}"]),
        (f"native de {BARE}", ["native de news", "native fr news", f"native de {BARE}"]),
        (
            f"machine de {BEST}",
            [f"machine de {BEST}", f"machine fr {BEST}", f"machine de {SMOOTH}"],
        ),
        ("machine de msdocs", ["machine de msdocs"]),
    ],
)
def test_a_post_is_judged_by_a_head_that_has_not_seen_its_like(judged: str, unseen: list[str]) -> None:
    rng = np.random.default_rng(0)
    clumsy = np.array([family in WORD_FOR_WORD for *_, family in LIKE])
    vectors = rng.normal(clumsy[:, None].astype(float), 1.0, (len(LIKE), 6))
    kinds, languages, families = (list(column) for column in zip(*LIKE, strict=True))
    names = np.array([" ".join(post) for post in LIKE])
    families = [rudimentary.origin(family, "news-2020") for family in families]
    before = rudimentary.held_out(vectors, kinds, languages, families)
    rows = np.flatnonzero(names == judged)
    for name in sorted(set(names)):
        changed = vectors.copy()
        changed[names == name] = rng.normal(0, 1, (20, 6))
        changed[rows] = vectors[rows]
        after = rudimentary.held_out(changed, kinds, languages, families)
        same = (after[rows] == before[rows]).all()
        never = "machine de msdocs", f"machine de {PLAIN}"
        assert same == (name in unseen or name in never), name


@pytest.mark.parametrize(
    ("family", "system", "known"),
    [
        ("ud", "", False), ("wmt21", "author", False), (BEST, "words-en", False), ("gnome_docs", "", False),
        (BARE, "official", False), (BARE, "msdocs-dynamics-365-project-operations", True),
        ("msdocs-dynamics-365-project-operations", "", True), ("games", "", False), ("sayings", "", False),
    ],
)  # fmt: skip
def test_nothing_is_judged_that_the_layers_for_faulty_words_learnt_from(
    family: str, system: str, known: bool
) -> None:
    assert rudimentary.learnt(family, system) == known


def test_posts_come_once_more_in_a_hurry_but_for_other_registers(
    corpora: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "Старый мост через реку закрыли вчера вечером. Рабочие чинят его с самого утра до ночи."
    wild = [
        {
            "text": f"{text} Номер {n}.", "label": "human", "kind": kind, "family": family, "split": "train",
            "system": "", "page": f"{n}", "en": "",
        }
        for family, kind in (("official", "native"), ("gnome_docs", "translated"))
        for n in range(12)
    ]  # fmt: skip
    pd.DataFrame(wild).to_parquet(corpora / "wild" / "ru.parquet")
    registers = [
        {"text": text, "kind": "native", "testset": "sayings", "system": "sayings", "page": str(n)}
        for n in range(4)
    ]
    monkeypatch.setattr(verdict.debian, "posts", lambda *_: iter(registers))
    monkeypatch.setattr(verdict, "clumsy", lambda *_: pd.DataFrame())

    def drawn(packages: Path | None) -> pd.DataFrame:
        return pd.DataFrame(verdict.unseen(corpora, "ru", 8, packages=packages))

    found = drawn(corpora)
    pd.testing.assert_frame_equal(found, drawn(corpora))
    assert set(found["testset"]) == {"official", "gnome_docs", "sayings", BARE}
    assert "sayings" not in set(drawn(None)["testset"])
    assert len(found[found["testset"] == "official"]) == 8
    once_more = found[found["testset"] == BARE]
    assert set(once_more["kind"]) == {"native", "translated"}
    assert set(once_more["system"]) == {"official", "gnome_docs"}, "the families of the posts"
    assert (once_more["text"].str.lower() == once_more["text"]).all()


def test_evidence_has_nothing_of_heads_that_have_seen_its_families(
    checker: Checker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "Администрация сообщает, что старый мост ещё закрыт на ремонт."
    post = {"text": text, "kind": "native", "testset": "ud", "system": "", "page": "a"}
    monkeypatch.setattr(verdict, "unseen", lambda *_, **__: iter([post]))
    found = verdict.collect(checker, tmp_path, "ru", 1)
    assert found[["technical", "rudimentary_head"]].isna().all(axis=None)
    assert found["machine_head"].notna().all()
    assert len(found["pooled"][0]) == len(found["pooled_faults"][0]) == 768


@pytest.mark.parametrize(
    ("text", "language", "made"),
    [
        ("“We can’t go,” he said. It’s 12.05!", "en", "we can’t go he said it’s 12.05"),
        ("Well-known (and old) — the end…", "en", "well-known and old the end"),
        ("请离开，谢谢。", "zh", "请离开 谢谢"),
        ("पुराना पुल, बंद रहेगा।", "hi", "पुराना पुल बंद रहेगा"),
        ("Işıklar İzmir’de söndü.", "tr", "ışıklar izmir’de söndü"),
    ],
)
def test_what_is_typed_in_a_hurry_has_no_marks_and_no_capitals(text: str, language: str, made: str) -> None:
    assert bare(text, language) == made


def test_turkish_sentences_begin_with_a_capital_with_its_dot() -> None:
    glossary = Glossary([("dog", "it"), ("first", "ilk"), ("first dog", "İlk it")], "tr")
    assert glossary.translate(["first dog"]) == ["İlk it"]


def test_neighbours_of_a_page_are_drawn_together() -> None:
    pages = [number // 12 for number in range(60)]
    for seed in range(10):
        drawn = neighbours(pages, 23, random.Random(seed))
        assert len(set(drawn)) == 23
        steps = [b - a for a, b in pairwise(drawn)]
        assert sum(step == 1 for step in steps) >= 23 - 23 // 2 - 1
    assert sorted(neighbours(pages, 99, random.Random(0))) == list(range(60))
    assert neighbours([], 5, random.Random(0)) == []
