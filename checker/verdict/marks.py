"""A sentence and its back-translation, cut where the evidence changes: what a terminal and a page mark."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import NamedTuple

from checker.result import Result, Sentence

_EVIDENCE = ("encoder", "style", "fluency", "round_trip")


class Run(NamedTuple):
    """A stretch of a text in which nothing changes.

    Attributes:
        text: the stretch.
        weight: share of the log-odds of the sentence that its word has, positive for one that raises them; 0
            if the word is none of those that moved the style detector most.
        differs: whether the text on the other side of the round trip has something else in its place.
        broken: whether it looks out of place or in a wrong form.
    """

    text: str
    weight: float = 0.0
    differs: bool = False
    broken: bool = False


def runs(sentence: Sentence) -> list[Run]:
    """The sentence, cut where the evidence changes; spans outside of the sentence are ignored."""
    first = sentence.start
    words = [(word.start - first, word.end - first, word.weight) for word in sentence.words]
    lost = [(span.start - first, span.end - first) for span in sentence.differences]
    broken = [(place.start - first, place.end - first) for place in sentence.broken]
    return _runs(sentence.text, words, lost, broken)


def back_runs(sentence: Sentence) -> list[Run]:
    """The back-translation, cut in the same way."""
    spans = [(span.back_start, span.back_end) for span in sentence.differences]
    return _runs(sentence.back_translation or "", [], spans)


def _runs(
    text: str,
    words: Iterable[tuple[int, int, float]],
    spans: Iterable[tuple[int, int]],
    places: Iterable[tuple[int, int]] = (),
) -> list[Run]:
    weighed = [word for word in words if 0 <= word[0] < word[1] <= len(text)]
    differing = [span for span in spans if 0 <= span[0] < span[1] <= len(text)]
    broken = [span for span in places if 0 <= span[0] < span[1] <= len(text)]
    edges = {0, len(text), *(edge for span in differing + broken for edge in span)}
    edges |= {edge for start, end, _ in weighed for edge in (start, end)}
    return [
        Run(
            text[first:last],
            next((weight for start, end, weight in weighed if start <= first < end), 0.0),
            any(start <= first < end for start, end in differing),
            any(start <= first < end for start, end in broken),
        )
        for first, last in pairwise(sorted(edges))
    ]


def error_rates(result: Result) -> list[str]:
    """Of the reasons, those that say how often such a verdict is wrong."""
    return [reason.text for reason in result.reasons if reason.kind not in _EVIDENCE]


def evidence(result: Result) -> list[str]:
    """The other reasons, strongest first."""
    return [reason.text for reason in result.reasons if reason.kind in _EVIDENCE]
