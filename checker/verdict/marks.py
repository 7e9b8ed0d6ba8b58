"""A sentence and its back-translation, cut where the evidence changes: what a terminal and a page mark."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
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
        broken: whether it looks out of place.
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
    differences: Iterable[tuple[int, int]],
    broken: Iterable[tuple[int, int]] = (),
) -> list[Run]:
    layers = [
        sorted(span for span in layer if 0 <= span[0] < span[1] <= len(text))
        for layer in (
            words, ((*span, 1.0) for span in differences), ((*span, 1.0) for span in broken)
        )
    ]  # fmt: skip
    edges = sorted({0, len(text), *(edge for layer in layers for span in layer for edge in span[:2])})
    weights, differs, breaks = (_covering(layer, edges) for layer in layers)
    return [
        Run(text[first:last], weight, bool(differing), bool(odd))
        for (first, last), weight, differing, odd in zip(
            pairwise(edges), weights, differs, breaks, strict=False
        )
    ]


def _covering(spans: Sequence[tuple[int, int, float]], places: Sequence[int]) -> list[float]:
    """For every place the value of a span that it lies in, 0 where there is none; both in order."""
    found, number, end, value = [], 0, 0, 0.0
    for place in places:
        while number < len(spans) and spans[number][0] <= place:
            if spans[number][1] > end:
                _, end, value = spans[number]
            number += 1
        found.append(value if place < end else 0.0)
    return found


def error_rates(result: Result) -> list[str]:
    """Of the reasons, those that say how often such a verdict is wrong."""
    return [reason.text for reason in result.reasons if reason.kind not in _EVIDENCE]


def evidence(result: Result) -> list[str]:
    """The other reasons, strongest first."""
    return [reason.text for reason in result.reasons if reason.kind in _EVIDENCE]
