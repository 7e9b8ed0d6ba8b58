"""Text of other registers from packages of Debian: what is said in games, and jokes and chat.

    apt-get download freedroidrpg-data cataclysm-dda-data freeciv-data freedink-data lordsawar-data \\
        minetest-data tuxpaint-data unknown-horizons widelands-data warzone2100-data \\
        fortunes-cs fortunes-de fortunes-it fortunes-pl fortunes-ru \\
        $(apt-cache search -n '^wesnoth-1.16-.' | cut -d " " -f 1)
    for package in *.deb; do dpkg -x "$package" "DEBIAN/${package%%_*}"; done

Test sets are news and encyclopaedias. In games, people talk to each other, and volunteers translate it; the
fortunes of a language are what its speakers tell each other. The text is under the GPL, CC BY-SA 3.0 or other
free licences, or quoted from chat.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from gettext import GNUTranslations
from pathlib import Path

from scripts.training.posts import TOGETHER, neighbours

LEARNT = (
    "wesnoth", "freedroidrpg", "cataclysm-dda", "freeciv", "freedink", "lordsawar", "minetest", "tuxpaint",
    "unknown-horizons",
)  # fmt: skip
"""Games that the layers for faulty words learn from, by how the names of their packages begin."""

MEASURED = ("widelands", "warzone2100")
"""Games that nothing learns from."""

GAMES, SAYINGS = "games", "sayings"
"""Families of `posts`: human translations, and native text."""
REGISTERS = (GAMES, SAYINGS)

SHORTEST = 30
"""Characters of what is said in a game; 12 where a character is a syllable or a word."""

LENGTHS = (60, 1200)
"""Characters of a post."""

FILES = {
    "cs": "cimrman hornicek rdvcitaty vodnansky",
    "de": "channel-debian.fortunes fussball infodrom kinderzitate linuxtag ms sprueche stilblueten unfug "
    "witze",
    "it": "formiche italia luttazzi paolotedeschi zuse",
    "pl": "argante blug debian.pl dowcipy dowcipy-niskopoziomowe linuxpl pld",
    "ru": "2001.* 2002.* 2003.* armenian computer fomenko",
}
"""Files of fortunes that were written in their language, but for verse and proverbs: jokes and chat."""

_REGIONS = {
    "ar": ("ar", "ar_SA"), "es": ("es", "es_ES"), "it": ("it", "it_IT"), "pt": ("pt", "pt_BR"),
    "uk": ("uk", "uk_UA"), "zh": ("zh", "zh_CN"),
}  # fmt: skip
_FILLED_IN = re.compile(r"[%${}<>|\\=_@*]|\w/\w")
"""Entries with fields to fill in, or with markup."""
_CONTEXT = re.compile(r"^(?:.*\x04)?(?:[^\s^]+(?: [^\s^]+)?\^|\?[^:\s]+:)?", re.S)
"""What tells equal originals apart; some games write it before a caret, or between marks."""
_CREDIT = re.compile(r"(?i)copyright|https?:|©")
_SPEAKER = re.compile(r"^(?:\w{3} \d\d )?(?:[\d:]{4,8} )?\s*[<*]\s?[@+]?[^>\s]+[>*] |^#[\w.]+$|^##.*$", re.M)
"""Who says a line of a chat, and the channel."""
_AUTHOR = re.compile(r"^\s*--.*(?:\n\s+.*)*\Z", re.M)
"""Whose saying it is, below it."""


def game_texts(folder: Path, language: str, names: tuple[str, ...] = LEARNT) -> list[str]:
    """What is said in games, and hints and orders, in the order of the files.

    Args:
        folder: of unpacked packages.
        language: ISO 639-1 code. English is what the German version was translated from, where that is said.
        names: of the packages, as they begin.
    """
    pairs = game_pairs(folder, "de" if language == "en" else language, names)
    texts = [original if language == "en" else translation for original, translation in pairs]
    return list(dict.fromkeys(text for text in texts if _said(text, language)))


def game_pairs(folder: Path, language: str, names: tuple[str, ...] = LEARNT) -> list[tuple[str, str]]:
    """English originals of what `game_texts` has in another language, and their translations."""
    regions = set(_REGIONS.get(language, (language,)))
    found: dict[tuple[str, str], None] = {}
    for package in sorted(path for path in folder.iterdir() if path.name.startswith(names)):
        for path in sorted(path for path in package.rglob("*.mo") if regions & set(path.parts)):
            for pair in _catalogue(path):
                original, translation = (" ".join(text.split()) for text in pair)
                if _said(translation, language):
                    found[original, translation] = None
    return list(found)


def _said(entry: str, language: str) -> bool:
    """Whether an entry is said: long enough, without fields, markup or credits."""
    shortest = 12 if language in ("ja", "zh", "ko") else SHORTEST
    return len(entry) >= shortest and not _FILLED_IN.search(entry) and not _CREDIT.search(entry)


def _catalogue(path: Path) -> Iterator[tuple[str, str]]:
    """The translated entries of a catalogue of GNU gettext; none where its own header is wrong."""
    with path.open("rb") as file:
        try:
            entries = GNUTranslations(file)._catalog  # type: ignore[attr-defined]
        except (ValueError, IndexError):
            return
    for key, translation in entries.items():
        if isinstance(key, str) and key != translation:
            yield _CONTEXT.sub("", key), translation


def sayings(folder: Path, language: str) -> list[str]:
    """Jokes and chat of a language, without who said them; in the order of the files.

    Args:
        folder: of unpacked packages.
        language: ISO 639-1 code. There are none of those that are not in `FILES`.
    """
    found: dict[str, None] = {}
    for name in FILES.get(language, "").split():
        for path in sorted(folder.glob(f"fortunes-*/usr/share/games/fortunes/**/{name}")):
            if path.suffix in (".dat", ".u8"):
                continue
            for entry in path.read_text(errors="replace").split("\n%\n"):
                said = _AUTHOR.sub("", entry)
                said = "\n".join(" ".join(line.split()) for line in _SPEAKER.sub("", said).splitlines())
                if "\ufffd" not in said and len(said.strip()) >= SHORTEST:
                    found[said.strip()] = None
    return list(found)


def posts(folder: Path, language: str, most: int) -> Iterator[dict[str, str]]:
    """Posts of other registers: ``text``, ``kind``, ``testset``, ``system``, ``page``: neighbours of a file.

    Of games those that nothing learns from; none of them in English, whose authors have other languages.

    Args:
        folder: of unpacked packages.
        language: ISO 639-1 code.
        most: of each family, at most.
    """
    rng = random.Random(f"registers {language}")
    said = [] if language == "en" else game_texts(folder, language, MEASURED)
    families = (GAMES, "translated", said), (SAYINGS, "native", sayings(folder, language))
    for family, kind, texts in families:
        long = [text for text in texts if LENGTHS[0] <= len(text) <= LENGTHS[1]]
        pages = [f"{family}-{number // TOGETHER}" for number in range(len(long))]
        for number in neighbours(pages, most, rng):
            post = {"text": long[number], "kind": kind, "page": pages[number]}
            yield post | {"testset": family, "system": family}
