"""Ways to damage a good translation, each with a known effect that a quality check must find.

Every function takes a target, its language and a random generator. It returns the damaged target, or None if
the text cannot be damaged in this way.
"""

from __future__ import annotations

import random
from itertools import pairwise

import regex

_CLAUSE = regex.compile(r"[,;:—–]\s|\s(?=(?:and|but|и|но|а|und|aber|et|mais|y|pero)\s)")
_DIGITS = regex.compile(r"\d+")
_NEGATED = {
    "en": regex.compile(r"\s(?:not|never)\b|(?<=[a-z])n[’']t\b", regex.IGNORECASE),
    "ru": regex.compile(r"\b(?:не|никогда не)\s", regex.IGNORECASE),
    "de": regex.compile(r"\s(?:nicht|nie|niemals)\b", regex.IGNORECASE),
    "es": regex.compile(r"\b(?:no|nunca)\s", regex.IGNORECASE),
}  # French takes two words at once: left out
_VERB = {  # where a negation can be put: after English and German auxiliaries, before the others
    "en": regex.compile(r"\b(?:is|are|was|were|will|would|can|could|has|have|had|should|must)\b"),
    "ru": regex.compile(r"\b(?=\p{Ll}{2,}(?:ал|ил|ала|ила|ало|ило|али|или|ет|ит|ают|яют|уют|ят)\b)"),
    "de": regex.compile(r"\b(?:ist|sind|war|waren|wird|werden|wurde|wurden|kann|hat|haben|soll|muss)\b"),
    "es": regex.compile(r"\b(?=(?:es|son|era|fue|fueron|está|están|será|ha|han|puede|pueden|debe)\b)"),
}
_NOT = {"en": " not", "ru": "не ", "de": " nicht", "es": "no "}
WINDOW = 4


def drop_clause(text: str, language: str, rng: random.Random) -> str | None:
    """Leave out a clause of three words or more, at most half of the text."""
    bounds = [0, *(match.end() for match in _CLAUSE.finditer(text)), len(text)]
    clauses = [
        (start, end)
        for start, end in pairwise(bounds)
        if len(text[start:end].split()) >= 3 and end - start <= len(text) / 2
    ]
    if len(bounds) < 3 or not clauses:
        return None
    start, end = rng.choice(clauses)
    return (text[:start] + text[end:]).strip(" ,;:—–")


def swap_number(text: str, language: str, rng: random.Random) -> str | None:
    """Change one digit."""
    found = list(_DIGITS.finditer(text))
    if not found:
        return None
    place = rng.choice([place for match in found for place in range(*match.span())])
    digit = rng.choice([digit for digit in "123456789" if digit != text[place]])
    return text[:place] + digit + text[place + 1 :]


def flip_negation(text: str, language: str, rng: random.Random) -> str | None:
    """Remove a negation, or add one where there is none; None in a language that is not known here."""
    if language not in _NOT:
        return None
    if found := list(_NEGATED[language].finditer(text)):
        match = rng.choice(found)
        return text[: match.start()] + text[match.end() :]
    if found := list(_VERB[language].finditer(text)):
        place = rng.choice(found).end()
        return text[:place] + _NOT[language] + text[place:]
    return None


def shuffle_words(text: str, language: str, rng: random.Random) -> str | None:
    """Shuffle the words within windows of four."""
    words, shuffled = text.split(), []
    if len(words) < WINDOW:
        return None
    for start in range(0, len(words), WINDOW):
        window = words[start : start + WINDOW]
        shuffled += rng.sample(window, len(window))
    return " ".join(shuffled) if shuffled != words else None


CORRUPTIONS = {
    "dropped clause": drop_clause,
    "swapped number": swap_number,
    "wrong negation": flip_negation,
    "shuffled words": shuffle_words,
}
"""By name; "wrong sentence" needs its neighbours and is made by ``scripts.bench.quality``."""
