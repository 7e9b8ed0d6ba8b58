"""The words of the page: every catalogue is whole, and no word stands outside of them."""

from __future__ import annotations

import re
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_headline import alarm, result

from checker.account import words
from checker.account.record import (
    Account,
    AccountThreshold,
    Interval,
    Posts,
    RudimentaryThreshold,
    TranslatedThreshold,
)
from checker.result import QUESTIONS as ASKED
from checker.result import Language, Reason
from checker.verdict.advice import MEANINGS, QUESTIONS, VERDICTS, advice
from checker.verdict.headline import NOT_SCORED, headline
from checker.web.texts import DEFAULT, Texts, catalogues, choose

WEB = Path(__file__).parents[1] / "checker" / "web"
OTHERS = [own for code, own in catalogues().items() if code != DEFAULT]
PLACE = re.compile(r"\{(\w+)\}")


def test_english_is_first_and_has_the_words_of_the_package() -> None:
    texts = next(iter(catalogues().values()))
    assert texts.code == DEFAULT
    assert {verdict: texts.texts[f"verdict_{verdict}"].lower() for verdict in VERDICTS} == VERDICTS
    assert {asked: texts.texts[f"asked_{asked}"] for asked in ASKED} == QUESTIONS


@pytest.mark.parametrize("own", OTHERS, ids=lambda own: own.code)
def test_catalogues_have_the_same_keys_and_places(own: Texts) -> None:
    english = catalogues()[DEFAULT].texts
    assert own.texts.keys() == english.keys()
    for key, text in own.texts.items():
        assert text.strip(), key
        assert sorted(PLACE.findall(text)) == sorted(PLACE.findall(english[key])), key
    for said, text in own.said.items():
        assert set(PLACE.findall(text)) <= set(PLACE.findall(said)), said


def test_every_key_is_used_and_every_used_key_is_there() -> None:
    keys = set(catalogues()[DEFAULT].texts)
    sources = "\n".join(path.read_text("utf-8") for path in (WEB / "static").glob("*.js"))
    page = (WEB / "templates" / "page.html.j2").read_text("utf-8")
    named = set(re.findall(r'\bt\("(\w+)"', sources)) | set(re.findall(r'\bt\["(\w+)"\]', page))
    assert named <= keys
    made = [key for key in keys - named if not re.search(rf'"{key}"|\b{key}\b', sources)]
    prefixes = (
        "dial_",
        "speak_",
        "sentences_hint_",
        "verdict_",
        "asked_",
        "limit_",
        "example_",
        "th_",
        "column_",
        "window_",
    )
    assert [key for key in made if not key.startswith(prefixes)] == []


def said_in(own: Texts, text: str) -> bool:
    """Whether a catalogue has what the service says: as names.js looks it up."""
    patterns = [re.escape(said).replace(r"\{", "{").replace(r"\}", "}") for said in own.said]
    return any(re.fullmatch(PLACE.sub(".+?", pattern), text) for pattern in patterns)


@pytest.mark.parametrize("own", OTHERS, ids=lambda own: own.code)
def test_findings_meanings_and_advice_are_translated(own: Texts) -> None:
    texts = list(MEANINGS.values())
    for verdict, rate, asked, kind in product(
        VERDICTS, (None, 0.9, 0.2, 1 / 33, 1 / 90), ASKED, ("style", "unmeasured", "withheld")
    ):
        alarms = () if rate is None else (alarm(rate, asked),)
        reasons = (Reason.model_validate({"kind": kind, "text": "…"}),)
        mixed = Language(code="ru", confidence=1, mixed=True)
        for language in (mixed, Language(code="xx", confidence=1)):
            for code in (None, "technical", *NOT_SCORED):
                warnings = () if code is None else ({"code": code, "text": "…"},)
                given = result(verdict, *alarms, reasons=reasons, language=language, warnings=warnings)
                texts += [headline(given), *advice(given)]
    assert sorted({text for text in texts if not said_in(own, text)}) == []


@pytest.mark.parametrize("own", OTHERS, ids=lambda own: own.code)
def test_judgements_on_accounts_are_translated(own: Texts) -> None:
    """But for lists of languages, and what changes within an account."""
    threshold = AccountThreshold(
        posts=5, machine_translated=0.9, native=0.001, translated=0.02, worst=None, family=None
    )
    other = TranslatedThreshold(posts=5, translated=0.9, native=0.01, worst=None, family=None)
    third = RudimentaryThreshold(
        posts=5, rudimentary=0.9, native=0.001, translated=0.02, worst=None, family=None
    )
    texts = [
        words.question_unmeasured(["ar"], verdict).text
        for verdict in ("machine_translated", "translated", "rudimentary")
    ]
    texts += [words.not_scored().text, words.language_unmeasured(["ar"]).text, words.dates_missing(2).text]
    for count in 1, 3:
        texts += [note(count).text for note in (words.few_posts, words.near_duplicates, words.documentation)]
        account = Account(
            account="a", verdict="uncertain", machine_translated=0.04, threshold=threshold,
            posts=Posts(given=count, scored=count, distinct=count), share_machine_translated=0.1,
            share_interval=Interval(low=0, high=0.3), version="0",
        )  # fmt: skip
        vague = account.model_copy(update={"share_interval": Interval(low=0, high=1)})
        texts += words.reasons(vague)
        translated = {"verdict": "translated", "translated": 0.9, "translated_threshold": other}
        clumsy = {"verdict": "rudimentary", "rudimentary": 0.9, "rudimentary_threshold": third}
        for update in ({}, translated, clumsy):
            texts += words.reasons(account.model_copy(update=update))
    assert sorted({text for text in texts if not said_in(own, text)}) == []


@pytest.mark.parametrize(
    ("asked", "accepted", "code"),
    [
        ("ru", "en", "ru"),
        ("xx", "ru", "ru"),
        (None, "ru-RU,ru;q=0.9,en;q=0.8", "ru"),
        (None, "de,en;q=0.5,ru;q=0.9", "ru"),
        (None, "ru;q=0,en", "en"),
        (None, "de", "en"),
        (None, "", "en"),
        (None, ";q=,ru;q=x,,*", "en"),
    ],
)
def test_the_language_of_the_page(asked: str | None, accepted: str, code: str) -> None:
    assert choose(asked, accepted) == code


@given(st.none() | st.text(), st.text())
def test_any_header_gives_a_language(asked: str | None, accepted: str) -> None:
    assert choose(asked, accepted) in catalogues()
