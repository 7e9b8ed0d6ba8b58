"""A sentence and its back-translation, cut where the evidence changes: what a terminal and a page mark."""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

from checker.result import Result, Sentence

_EVIDENCE = ("style", "fluency", "round_trip")


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
    text = sentence.back_translation or ""
    spans = [(span.back_start, span.back_end) for span in sentence.differences]
    spans = [(start, end) for start, end in spans if 0 <= start < end <= len(text)]
    edges = sorted({0, len(text)} | {edge for span in spans for edge in span})
    return [
        (text[first:last], any(start <= first < end for start, end in spans))
        for first, last in pairwise(edges)
    ]


def error_rates(result: Result) -> list[str]:
    """Of the reasons, those that say how often such a verdict is wrong."""
    return [reason.text for reason in result.reasons if reason.kind not in _EVIDENCE]


def evidence(result: Result) -> list[str]:
    """The other reasons, strongest first."""
    return [reason.text for reason in result.reasons if reason.kind in _EVIDENCE]
