"""All words of the page, one catalogue per language: ``checker/web/texts/CODE.json``.

A catalogue has the name that its language has for itself, the ``texts`` of the page by key, and, where the
language is not English, what the service says in English (``said``), as patterns: ``{n}`` stands for a
figure, ``{share}`` for a share, ``{language}`` for the English name of a language. What no pattern fits stays
English.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files

DEFAULT = "en"


@dataclass(frozen=True)
class Texts:
    """The words of the page in one language.

    Attributes:
        code: ISO 639-1.
        language: what the language calls itself.
        texts: key → text, with places in braces.
        said: what the service says in English → the same in this language.
    """

    code: str
    language: str
    texts: dict[str, str]
    said: dict[str, str] = field(default_factory=dict)


@cache
def catalogues() -> dict[str, Texts]:
    """All catalogues by their language, English first."""
    folder = files("checker.web") / "texts"
    found = {
        path.name.removesuffix(".json"): Texts(
            path.name.removesuffix(".json"), **json.loads(path.read_text("utf-8"))
        )
        for path in folder.iterdir()
        if path.name.endswith(".json")
    }
    return dict(sorted(found.items(), key=lambda item: (item[0] != DEFAULT, item[0])))


def choose(asked: str | None, accepted: str) -> str:
    """The language of the page: the one asked for, else the first that the browser accepts, else English.

    Args:
        asked: a code from the address, if there is one.
        accepted: the header Accept-Language (RFC 9110, section 12.5.4); what is malformed in it is skipped.
    """
    known = catalogues()
    if asked in known:
        return asked
    ranked = []
    for place, part in enumerate(accepted[:1000].split(",")):
        tag, _, quality = part.strip().partition(";q=")
        try:
            weight = float(quality or 1)
        except ValueError:
            continue
        if weight > 0:
            ranked.append((-weight, place, tag.split("-")[0].strip().lower()))
    return next((code for *_, code in sorted(ranked) if code in known), DEFAULT)
