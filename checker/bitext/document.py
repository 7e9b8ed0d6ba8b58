"""One text of a pair, prepared for the aligner: cleaned, identified, split into sentences with offsets."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from checker.bitext.alignment import MAX_SENTENCES
from checker.bitext.result import Passage
from checker.errors import InputError
from checker.language import LIKELY, identify, own_language
from checker.languages import SUPPORTED
from checker.result import Language
from checker.text import MAX_CHARACTERS, CleanText, Span, clean, sentences, valid, width

MAX_TEXT = 200_000
"""Characters of one text of a pair."""


@dataclass(frozen=True)
class Text:
    """One text of a pair.

    Attributes:
        cleaned: what is left of it, with the offsets in the text as given.
        language: given or identified; its code is not None.
        sentences: spans of ``cleaned.text``, at least one and at most ``MAX_SENTENCES``.
    """

    cleaned: CleanText
    language: Language
    sentences: tuple[Span, ...]

    @property
    def code(self) -> str:
        """ISO 639-1 code of its language."""
        return str(self.language.code)

    def join(self, first: int, stop: int) -> Span | None:
        """The span of some consecutive sentences; None for none."""
        if first == stop:
            return None
        start, end = self.sentences[first].start, self.sentences[stop - 1].end
        return Span(self.cleaned.text[start:end], start, end)

    def passage(self, start: int, end: int) -> Passage:
        """A span of the cleaned text as it was given."""
        begin, stop = self.cleaned.span(start, end)
        given = valid(self.cleaned.source[begin:stop])
        return Passage(text=given, start=begin, end=stop)


def read(text: str, role: str, language: str | None = None, other: str | None = None) -> Text:
    """Prepare one text of a pair.

    Args:
        text: as it was published.
        role: ``source``, ``target`` or ``reference``, for messages.
        language: ISO 639-1 code; None identifies it.
        other: language of the source, for a target: parts of it may be left untranslated.

    Raises:
        InputError: not a string, empty, too long, or not in a language that is supported.
    """
    if not isinstance(text, str):
        raise InputError(
            f"The {role} must be a string, not {type(text).__name__}.", fix="Pass its text.", field=role
        )
    if len(text) > MAX_TEXT:
        raise InputError(
            f"The {role} has {len(text):,} characters; {MAX_TEXT:,} are the most.",
            fix="Send the documents in parts.", field=role,
        )  # fmt: skip
    cleaned = clean(text)
    known = Language(code=language, confidence=1.0) if language else identify(cleaned.text)
    spans = _sentences(cleaned.text, known.code)
    if language is None and (known.confidence < LIKELY or known.code in (None, other)):
        known = _majority(spans, other) or known
    if not spans:
        raise InputError(f"The {role} has no text.", fix="Give a text with words in it.", field=role)
    if len(spans) > MAX_SENTENCES:
        raise InputError(
            f"The {role} has {len(spans):,} sentences; {MAX_SENTENCES:,} are the most.",
            fix="Send the documents in parts.", field=role,
        )  # fmt: skip
    if known.code not in SUPPORTED:
        what = (
            "could not be identified" if known.code is None else f"is {known.code!r}, which is not supported"
        )
        problem = f"The language of the {role} {what}."
        raise InputError(problem, fix="Name its language if you know it.", field=role)
    return Text(cleaned, known, spans)


def _majority(spans: Sequence[Span], other: str | None) -> Language | None:
    """The language of most of the text, going by its sentences; ``other`` only if there is none beside it."""
    columns: Counter[str] = Counter()
    for span in spans:
        if guess := own_language(span.text, width(span.text)):
            columns[str(guess.code)] += width(span.text)
    if not columns:
        return None
    best = max(columns, key=lambda code: (code != other, columns[code]))
    share = columns[best] / sum(width(span.text) for span in spans)
    return Language(code=best, confidence=round(share, 4), mixed=len(columns) > 1)


def _sentences(text: str, language: str | None) -> tuple[Span, ...]:
    """Sentences of a text of any length, cut where it must be at line breaks or blanks."""
    spans: list[Span] = []
    start = 0
    while start < len(text):
        end = min(start + MAX_CHARACTERS, len(text))
        if end < len(text):
            breaks = (text.rfind(mark, start + 1, end) + 1 for mark in ("\n", ". ", " "))
            end = next((place for place in breaks if place), end)
        spans += [
            Span(piece.text, start + piece.start, start + piece.end)
            for piece in sentences(text[start:end], language)
        ]
        start = end
    return tuple(spans)
