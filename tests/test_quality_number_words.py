"""Numbers in words: what they are worth, and that a pair is wrong only where they differ."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from num2words import num2words

from checker.bitext.checks import check
from checker.bitext.number_words import LANGUAGES, values, words

CASES = "ngdaip"  # of Russian: nominative, genitive, …
COUNTED = {  # a sentence with a number of people, and the language
    "en": "Last night {} people were injured.",
    "ru": "Прошлой ночью {} человек пострадали.",
    "de": "Letzte Nacht wurden {} Menschen verletzt.",
    "fr": "La nuit dernière, {} personnes ont été blessées.",
    "es": "Anoche, {} personas resultaron heridas.",
}

languages = st.sampled_from(sorted(COUNTED))


def spelled(value: int, language: str, case: str = "n") -> str:
    options = {"case": case} if language == "ru" else {}
    return num2words(value, lang=language, **options).replace(",", "")


@given(st.integers(2, 10**6 - 1), languages, st.sampled_from(CASES))
def test_words_are_worth_their_number(value: int, language: str, case: str) -> None:
    word = spelled(value, language, case)
    if language == "de" and "einstausend" in word:
        return  # text2num knows "eintausend"
    text = COUNTED[language].format(word)
    counts = [
        one
        for one in words(text, language)
        if (one.start, one.end) == (text.index(word), text.index(word) + len(word))
    ]
    assert [one.value for one in counts] == [str(value)]


@given(st.integers(2, 999), languages, languages, st.booleans())
def test_a_pair_with_the_same_number_is_right(value: int, source: str, target: str, both: bool) -> None:
    ours = COUNTED[source].format(spelled(value, source))
    theirs = COUNTED[target].format(spelled(value, target) if both else value)
    assert not check(ours, theirs, source, target).numbers


@given(st.integers(2, 999), st.integers(2, 999), languages, languages, st.booleans())
@example(32, 2, "es", "en", False)
@example(372, 2, "es", "ru", True)
def test_a_pair_with_another_number_is_wrong(
    one: int, other: int, source: str, target: str, both: bool
) -> None:
    exact = one != other and not {one, other} & {10, 100}  # "hundred" may be any number of people
    if not exact or (len({one, other} & {12, 24, 50}) and both):
        return
    ours = COUNTED[source].format(spelled(one, source))
    theirs = COUNTED[target].format(spelled(other, target) if both else other)
    found = check(ours, theirs, source, target).numbers
    assert found.source
    assert found.target


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("en", "FIFTEEN of twenty-five", ["15", "25"]),
        ("en", "one hundred and twenty thousand", ["120000"]),
        ("en", "the twenty-first", ["21"]),
        ("ru", "двадцатью пятью из пятнадцати", ["25", "15"]),
        ("ru", "тысяча девятьсот сорок пятый год", ["1945"]),
        ("ru", "двадцатипятилетний и трёхдневный", ["25", "3"]),
        ("ru", "пять первых", ["5", "1"]),
        ("ru", "семья, пятно, столица, утро", []),
        ("de", "achtzehnjähriger, dreimal, neunzehnhundertfünfundvierzig", ["18", "3", "1945"]),
        ("de", "zweieinhalb Jahre", ["2.5"]),
        ("de", "immer, Vater, einfach", []),
        ("fr", "quatre-vingt-dix-sept, soixante et onze, septante", ["97", "71", "70"]),
        ("es", "doscientas mil, veintidós", ["200000", "22"]),
        ("it", "ventotto", ["28"]),
        ("nl", "achtentwintig", ["28"]),
        ("pt", "vinte e oito", ["28"]),
        ("pl", "piętnaście", []),
    ],
)
def test_words_as_they_are_written(language: str, text: str, expected: list[str]) -> None:
    assert [word.value for word in words(text, language)] == expected


@pytest.mark.parametrize(
    ("language", "text", "value"),
    [
        ("en", "nineteen forty-five", "1945"),
        ("en", "half a million", "500000"),
        ("en", "two and a half million", "2500000"),
        ("en", "a dozen", "12"),
        ("ru", "полтора миллиона", "1500000"),
        ("ru", "оба", "2"),
        ("de", "beide", "2"),
        ("fr", "une vingtaine", "20"),
        ("es", "medio millón", "500000"),
    ],
)
def test_words_that_libraries_lack(language: str, text: str, value: str) -> None:
    assert value in values(text, language)


@pytest.mark.parametrize(
    ("source", "target", "languages", "right"),
    [
        ("Прошлой ночью 15 человек пострадали.", "Fifteen people were injured.", "ru-en", True),
        ("Прошлой ночью 50 человек пострадали.", "Fifteen people were injured.", "ru-en", False),
        ("Прошлой ночью пятнадцать человек пострадали.", "5 people were injured.", "ru-en", False),
        ("Twenty-five people were injured.", "25 человек пострадали.", "en-ru", True),
        ("Twenty-five people were injured.", "20 человек пострадали.", "en-ru", False),
        ("Прошлой ночью пятнадцать человек пострадали.", "Fifty people were injured.", "ru-en", False),
        ("Fünfzehn Menschen wurden verletzt.", "Quinze personnes ont été blessées.", "de-fr", True),
        ("Fünfzehn Menschen wurden verletzt.", "Cinquante personnes ont été blessées.", "de-fr", False),
        ("Trois personnes", "4 people", "fr-en", False),
        # What translators do: an article, a decade, a place in a row, "hundreds".
        ("Погиб 1 человек.", "A man was killed.", "ru-en", True),
        ("One of them left.", "Один из них ушёл.", "en-ru", True),
        ("for seven decades", "pendant soixante-dix ans", "en-fr", True),
        ("It came first.", "Он занял второе место.", "en-ru", True),
        ("Hundreds came.", "Пришли тысячи людей.", "en-ru", True),
    ],
)
def test_number_words_of_two_languages(source: str, target: str, languages: str, right: bool) -> None:
    assert (len(check(source, target, *languages.split("-")).numbers) == 0) is right


@given(st.text(max_size=200), st.sampled_from(LANGUAGES))
def test_words_lie_in_their_text(text: str, language: str) -> None:
    assert all(0 <= word.start < word.end <= len(text) for word in words(text, language))
