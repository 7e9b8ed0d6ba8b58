"""The capitals of German nouns are told from the words around them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checker.evidence.style import wording
from checker.german import with_capitals


@pytest.mark.parametrize(
    "text",
    [
        "Die Stadt teilt mit, dass die alte Brücke am Freitag wegen Bauarbeiten geschlossen bleibt.",
        "Der neue Bürgermeister wurde gestern mit einer großen Mehrheit gewählt.",
        "In den nächsten 12 Wochen bleibt das Freibad geschlossen.",
        "Bitte nutzen Sie die Fähre in der Hafenstraße.",
        "Schließen Sie die Fenster und bleiben Sie im Haus.",
        "Die Kinder gehen mit ihren Lehrern in die Schule.",
        "Wegen der Hitze gilt ab sofort ein Verbot von offenem Feuer.",
    ],
)
def test_nouns_get_their_capitals_back(text: str) -> None:
    assert with_capitals(text.lower())[1:] == text[1:]
    assert wording(text.upper(), "de").text == text.replace("ß", "ss")


@given(st.text())
def test_only_capitals_are_changed(text: str) -> None:
    found = with_capitals(text.lower())
    assert len(found) == len(text.lower())
    assert all(one in (other, other.upper()) for one, other in zip(found, text.lower(), strict=True))


@pytest.mark.parametrize("text", ["ẞ IST EIN BUCHSTABE. ẞ GIBT ES", "ᾈΔΕΛΦΟΣ ΚΑΙ ΑΔΕΛΦΗ ΣΤΗΝ ΠΟΛΗ"])
@pytest.mark.parametrize("language", ["de", "el", "tr", ""])
def test_a_letter_whose_capital_is_two_moves_nothing(text: str, language: str) -> None:
    draft = wording(text, language)
    assert len(draft.text) == len(draft.starts) == len(draft.ends)


def test_every_character_of_capitals_knows_its_place() -> None:
    text = "Achtung: DIE ALTE BRÜCKE BLEIBT GESPERRT!"
    draft = wording(text, "de")
    assert [text[at].lower() for at in draft.starts] == list(draft.text.lower())
