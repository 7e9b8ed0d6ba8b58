"""Text of games and of fortunes: what is read of it, and what is left out."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from scripts.training import debian


def catalogue(path: Path, entries: dict[str, str]) -> None:
    """A compiled catalogue of GNU gettext."""
    entries = {"": "Content-Type: text/plain; charset=UTF-8\n"} | entries
    pairs = sorted((key.encode(), value.encode()) for key, value in entries.items())
    data, places = b"", []
    start = 28 + 16 * len(pairs)
    for side in (0, 1):
        for pair in pairs:
            places += [len(pair[side]), start + len(data)]
            data += pair[side] + b"\0"
    header = struct.pack("<7I", 0x950412DE, 0, len(pairs), 28, 28 + 8 * len(pairs), 0, 0)
    path.parent.mkdir(parents=True)
    path.write_bytes(header + struct.pack(f"<{len(places)}I", *places) + data)


LONG = "I shall hold the bridge until you are all across it, whatever may come."
LANG = "Ich werde die Brücke halten, bis ihr alle hinüber seid, was auch kommt."


@pytest.fixture
def packages(tmp_path: Path) -> Path:
    shared = {
        "Hold %d more turns before the enemy arrives.": "Halte noch %d Runden, bis der Feind kommt.",
        "Yes": "Ja",
        "addon_state^The bridge over the river is gone.": "Die Brücke über den Fluss ist fort.",
        "Copyright of the music is held by its many authors.": "Copyright der Musik liegt bei den Autoren.",
        "The same in both of these languages, it seems.": "The same in both of these languages, it seems.",
    }
    locale = "usr/share/games/locale/{}/LC_MESSAGES/one.mo"
    catalogue(tmp_path / "wesnoth-1.16-l" / locale.format("de"), shared | {f"context\x04{LONG}": LANG})
    other = "Die   Werkstatt stellt\nWerkzeuge her, und die Soldaten warten schon lange auf sie."
    catalogue(
        tmp_path / "widelands-data" / locale.format("de"), {"A hint about the workshop of tools": other}
    )
    catalogue(tmp_path / "widelands-data" / locale.format("pt_BR"), {"A hint about it": "Uma dica. " * 8})
    sayings = tmp_path / "fortunes-de" / "usr/share/games/fortunes/de"
    sayings.mkdir(parents=True)
    chat = (
        "#channel\n12:30:05 <@anna> hat jemand den   Schlüssel gesehen?\n<bert> anna: der liegt auf dem Tisch"
    )
    joke = "Kommt ein Mann zum Arzt und sagt,\ner habe seit gestern Kopfschmerzen und sonst nichts."
    (sayings / "witze").write_text(f"{joke}\n\t\t-- Niemand\n%\n{chat}\n%\nKurz.\n")
    (sayings / "witze.dat").write_bytes(b"\0")
    (sayings / "gedichte").write_text(
        "Ein Gedicht, das nicht gelesen wird, weil es nicht in der Liste steht.\n"
    )
    return tmp_path


def test_games_say_what_is_whole_and_translated(packages: Path) -> None:
    assert set(debian.game_texts(packages, "de")) == {LANG, "Die Brücke über den Fluss ist fort."}
    english = {LONG, "The bridge over the river is gone."}
    assert set(debian.game_texts(packages, "en")) == english, "what was translated, without its context"
    assert (LONG, LANG) in debian.game_pairs(packages, "de")
    assert debian.game_texts(packages, "ru") == []


def test_games_that_are_measured_are_not_those_that_are_learnt_from(packages: Path) -> None:
    [found] = debian.game_texts(packages, "de", debian.MEASURED)
    assert found.startswith("Die Werkstatt stellt Werkzeuge her")
    assert not set(debian.LEARNT) & set(debian.MEASURED)


def test_sayings_come_without_who_says_them(packages: Path) -> None:
    assert debian.sayings(packages, "de") == [
        "Kommt ein Mann zum Arzt und sagt,\ner habe seit gestern Kopfschmerzen und sonst nichts.",
        "hat jemand den Schlüssel gesehen?\nanna: der liegt auf dem Tisch",
    ]
    assert debian.sayings(packages, "fi") == []


def test_posts_have_the_length_of_posts(packages: Path) -> None:
    found = list(debian.posts(packages, "de", 5))
    assert {(post["testset"], post["kind"]) for post in found} == {
        ("games", "translated"), ("sayings", "native"),
    }  # fmt: skip
    assert all(debian.LENGTHS[0] <= len(post["text"]) <= debian.LENGTHS[1] for post in found)
    assert found == list(debian.posts(packages, "de", 5))
    assert [post["testset"] for post in debian.posts(packages, "pt", 5)] == ["games"]
    assert list(debian.posts(packages, "en", 5)) == [], "the authors of these games have other languages"
    assert len(list(debian.posts(packages, "de", 1))) == 2
