"""What a verdict is called, what it means, and what to do next: the same on every surface."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from checker.languages import SUPPORTED
from checker.result import Result

VERDICTS: Mapping[str, str] = {
    "machine_translated": "machine-translated",
    "rudimentary": "rudimentary",
    "translated": "translated",
    "human_written": "human-written",
    "uncertain": "uncertain",
    "not_scored": "not scored",
}
"""What a verdict is called."""

MEANINGS: Mapping[str, str] = {
    "machine_translated": "It has marks of machine translation that very few posts by people have.",
    "rudimentary": "Its wording follows another language word for word; people who do not master the "
    "language may write so as well.",
    "translated": "It was probably translated into this language; whether by a person or a machine cannot be "
    "told.",
    "human_written": "It reads like posts that people wrote in this language; an edited or very good "
    "translation can read so as well.",
    "uncertain": "Do not read a verdict into it.",
    "not_scored": "There is no probability for this text.",
}
"""What a verdict means, and what tells it from the others, in one sentence."""

QUESTIONS: Mapping[str, str] = {
    "machine_translated": "Translated by a machine",
    "translated": "Translated at all, by a person or a machine",
    "rudimentary": "Rudimentary wording, as of a translation word for word",
}
"""What the fields of a result with a probability ask."""

HALF = "Each holds where the answer is yes for half of all posts; in most feeds that is fewer."
"""What the probabilities rest on."""


def advice(result: Result) -> tuple[str, ...]:
    """What to do next with a result, most useful first."""
    return tuple(_advice(result))


def _advice(result: Result) -> Iterator[str]:
    if result.verdict == "not_scored":
        yield from _to_score(result)
    elif result.verdict == "machine_translated":
        yield "Look for the source text, and ask somebody who reads the language about the marked words."
        yield "Weigh the false-alarm rate: where machine translation is rare, most flagged posts are human."
    elif result.verdict == "rudimentary":
        yield "Ask somebody who reads the language: if the wording is rudimentary, a reader sees it at once."
        yield "Look for the source text: its words stand in the same order."
    elif result.verdict == "translated":
        yield "Look for the source text: a translation has one."
        if not result.technical:
            yield "Score more posts of the same account: many together tell more than one."
    elif result.verdict == "human_written":
        yield (
            "This is no proof of a human author: corrected machine translation and text by a large language "
            "model were not measured."
        )
    else:
        if result.language.mixed:
            yield "Score the parts in different languages separately."
        if result.technical:
            yield "Score other posts of the account, which are no instructions: those can be judged."
        else:
            yield "Score a longer text, such as a whole thread by the same author: it is stronger evidence."
        yield "Look for the source text, and ask somebody who reads the language."
        if any(reason.kind == "unmeasured" for reason in result.reasons):
            yield "To get verdicts for such posts, calibrate on labelled ones of your own: checker calibrate."


def _to_score(result: Result) -> Iterator[str]:
    """What would make a post that was not scored one that is."""
    codes = {warning.code for warning in result.warnings}
    if codes & {"no_text", "no_words"}:
        yield "Give the words of the post: links, mentions, numbers and emoji do not count."
        return
    if "mixed_scripts" in codes:
        yield "Type the post again in the letters of its language: look-alike letters hide its words."
        return
    if "mostly_set_aside" in codes:
        yield "Give more of the post's own wording: names and lines in other scripts do not count."
        return
    if result.language.code is not None and result.language.code not in SUPPORTED:
        yield "Ask somebody who reads the language: no model here does."
    else:
        yield "Give a longer text, such as a whole thread by the same author."
    if codes & {"language_unknown", "language_unsure", "language_unsupported"}:
        yield "If you know the language, name it (--language)."
