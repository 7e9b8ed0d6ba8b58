"""What there is to say about one post, in words and in marked text: the same on a terminal and on a page."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import NamedTuple

from checker.languages import SUPPORTED
from checker.result import Result, Sentence

VERDICTS = {
    "machine_translated": "machine-translated",
    "human_written": "human-written",
    "uncertain": "uncertain",
    "not_scored": "not scored",
}
"""What a verdict is called."""

_CUT = re.compile(r"(?:\w+ part: )?(?:The probability is \d|No error rate was measured )")


class Run(NamedTuple):
    """A stretch of a sentence in which nothing changes.

    Attributes:
        text: the stretch.
        weight: share of the style log-odds of the word that it is in; positive points to a machine, 0 if
            the word is none of those that moved it most.
        lost: whether the round trip did not give it back.
    """

    text: str
    weight: float
    lost: bool


def runs(sentence: Sentence) -> list[Run]:
    """The sentence, cut where the evidence changes; spans outside of the sentence are ignored."""
    length = len(sentence.text)

    def within(start: int, end: int) -> tuple[int, int]:
        start, end = start - sentence.start, end - sentence.start
        return (start, end) if 0 <= start < end <= length else (0, 0)

    weighed = [(*within(word.start, word.end), word.weight) for word in sentence.words]
    lost = [within(span.start, span.end) for span in sentence.differences]
    edges = {0, length} | {edge for first, last, _ in weighed for edge in (first, last)}
    edges |= {edge for span in lost for edge in span}
    return [
        Run(
            sentence.text[first:last],
            next((weight for start, end, weight in weighed if start <= first < end), 0.0),
            any(start <= first < end for start, end in lost),
        )
        for first, last in pairwise(sorted(edges))
    ]


def back_runs(sentence: Sentence) -> list[tuple[str, bool]]:
    """The back-translation in stretches, and whether each stands in place of something in the sentence."""
    text, found, position = sentence.back_translation or "", [], 0
    for difference in sentence.differences:
        start = text.find(difference.back_translation, position) if difference.back_translation else -1
        if start >= 0:
            found += [(text[position:start], False), (difference.back_translation, True)]
            position = start + len(difference.back_translation)
    return [(part, other) for part, other in [*found, (text[position:], False)] if part]


def error_rates(result: Result) -> tuple[str, ...]:
    """Of the reasons, those that say what the probability was compared with, and how often that is wrong."""
    return tuple(reason for reason in result.reasons if _CUT.match(reason))


def evidence(result: Result) -> tuple[str, ...]:
    """The other reasons, strongest first."""
    return tuple(reason for reason in result.reasons if not _CUT.match(reason))


def advice(result: Result) -> tuple[str, ...]:
    """What would help with this post, most useful first."""
    if result.verdict == "not_scored":
        return _to_score(result)
    if result.verdict == "machine_translated":
        return (
            "Look for the source text, and ask somebody who reads the language about the marked words.",
            "Weigh the error rate: where few posts are machine-translated, most of those flagged are human.",
        )
    if result.verdict == "human_written":
        return (
            "This is no proof of a human author: corrected machine translation and text by a large language "
            "model were not measured.",
        )
    helps = ["Score a longer text, such as a whole thread by the same author: it is stronger evidence."]
    if result.language.mixed:
        helps.insert(0, "Score the parts in different languages apart.")
    helps.append("Look for the source text, and ask somebody who reads the language.")
    if result.machine_translated is None or any("No error rate" in rate for rate in error_rates(result)):
        helps.append("Measure error rates for such posts on labelled ones of your own: checker calibrate.")
    return tuple(helps)


def _to_score(result: Result) -> tuple[str, ...]:
    """What would make a post that was not scored one that is."""
    known = "If you know the language, name it with --language."
    if not result.sentences:
        return ("Give the text itself: links, mentions and emoji do not count.",)
    if result.language.code is None:
        return ("Give a longer text: the language shows in it.", known)
    if result.language.code not in SUPPORTED:
        return ("Ask somebody who reads the language: no model here does.", known)
    return ("Give a longer text, such as a whole thread by the same author.", known)
