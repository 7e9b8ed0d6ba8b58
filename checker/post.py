"""A post before the models see it: cleaned, its language identified, split into sentences."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from checker.errors import InputError
from checker.evidence.fluency import Rank
from checker.evidence.roundtrip import SentenceRoundTrip
from checker.evidence.style import StyleReading
from checker.language import LIKELY, OWN_LANGUAGE, SURE, identify, own_language
from checker.languages import SUPPORTED
from checker.result import Language, Warning
from checker.text import MAX_CHARACTERS, SHORTEST, CleanText, Span, clean, sentences, width


@dataclass
class Unit:
    """A sentence, and what the models find about it.

    Attributes:
        span: the sentence, with offsets in the cleaned text.
        language: ISO 639-1 code.
        columns: length; wide characters count as two.
        style: what the style detector reads in it; None before it has.
        perplexity: token perplexity under the language model, at least 1.
        rank: where its fluency stands among human sentences.
        trip: its round trip.
    """

    span: Span
    language: str
    columns: int
    style: StyleReading | None = None
    perplexity: float | None = None
    rank: Rank | None = None
    trip: SentenceRoundTrip | None = None


@dataclass
class Post:
    """A post on its way through the checker.

    Attributes:
        id: returned in the result.
        cleaned: the text without what is set aside, and the way back to the text as given.
        language: of the post; its code is that of the language with most text.
        units: its sentences.
        warnings: what limits the verdict, or why there is none.
        scored: whether there is enough text to score.
    """

    id: str
    cleaned: CleanText
    language: Language = field(default_factory=lambda: Language(code=None, confidence=0.0))
    units: list[Unit] = field(default_factory=list)
    warnings: list[Warning] = field(default_factory=list)
    scored: bool = False

    @property
    def columns(self) -> int:
        """Length of the text that is left; wide characters count as two."""
        return width(self.cleaned.text)

    def parts(self) -> dict[str, list[Unit]]:
        """Sentences by supported language, the language with most text first."""
        parts: dict[str, list[Unit]] = defaultdict(list)
        for unit in self.units:
            if unit.language in SUPPORTED:
                parts[unit.language].append(unit)
        return dict(sorted(parts.items(), key=lambda item: -sum(u.columns for u in item[1])))


def units(text: str, language: str) -> list[Unit]:
    """The sentences of a clean text that is known to be in one language (ISO 639-1)."""
    return [Unit(span, language, width(span.text)) for span in sentences(text, language)]


def prepare(id: str, text: str, language: str | None = None) -> Post:
    """Clean a post, identify its language, cut it into sentences; say why where it cannot be scored.

    Args:
        id: of the post.
        text: as it was published; what is longer than ``MAX_CHARACTERS`` is cut.
        language: ISO 639-1 code, instead of identifying it.

    Raises:
        InputError: ``text`` is not a string.
    """
    if not isinstance(text, str):
        raise InputError(f"A post must be a string, not {type(text).__name__}.", fix="Pass its text.")
    post = Post(id, clean(text[:MAX_CHARACTERS]))
    if len(text) > MAX_CHARACTERS:
        post.warnings.append(
            Warning(
                code="truncated",
                text=f"Only the first {MAX_CHARACTERS} of {len(text)} characters were scored: send long "
                "texts in parts.",
            )
        )
    if post.cleaned.text:
        known = Language(code=language, confidence=1.0) if language else identify(post.cleaned.text)
        _cut(post, known, identified=language is None)
    problem = _problem(post)
    if problem is None:
        post.scored = True
    else:
        post.warnings.append(problem)
    return post


def _problem(post: Post) -> Warning | None:
    """Why a post cannot be scored; None if it can."""
    text, language = post.cleaned.text, post.language
    if not text:
        return Warning(
            code="no_text",
            text="Not scored: there is no text left after links, mentions and emoji are set aside.",
        )
    if (columns := post.columns) < SHORTEST:
        return Warning(
            code="too_short",
            text=f"Not scored: too short, {columns} columns of text; the minimum is {SHORTEST} (a wide "
            "character counts as two).",
        )
    if language.code is None:
        return Warning(code="language_unknown", text="Not scored: the language could not be identified.")
    if language.confidence < LIKELY and not language.mixed:
        return Warning(
            code="language_unsure",
            text=f"Not scored: the language could not be identified; the best guess, {language.code!r}, has "
            f"a confidence of {language.confidence:.2f}. Name the language if you know it.",
        )
    if language.code not in SUPPORTED:
        return Warning(
            code="language_unsupported",
            text=f"Not scored: the language {language.code!r} is not supported; supported are "
            f"{', '.join(SUPPORTED)}.",
        )
    if not post.units:
        return Warning(code="no_words", text="Not scored: there is no word in it.")
    return None


def _cut(post: Post, language: Language, *, identified: bool) -> None:
    """Sentences with their languages; a confident sentence may differ from its post."""
    code = language.code
    guesses = []
    for span in sentences(post.cleaned.text, code):
        columns = width(span.text)
        own = code
        if identified and span.text != post.cleaned.text:
            guess = own_language(span.text, columns, min(SURE, language.confidence))
            if guess and guess.code in SUPPORTED:
                own = guess.code
        guesses.append((span, own, columns))
    found: dict[str, int] = defaultdict(int)
    for _, own, columns in guesses:
        if own in SUPPORTED:
            found[own] += columns
    if found:  # the language with most text; its evidence stands for the post
        code = max(found, key=found.__getitem__)
    post.units = [Unit(span, known, columns) for span, own, columns in guesses if (known := own or code)]
    mixed = sum(columns >= OWN_LANGUAGE for columns in found.values()) > 1
    if found and (left := [unit.language for unit in post.units if unit.language not in SUPPORTED]):
        mixed = True
        post.warnings.append(
            Warning(
                code="sentences_unsupported",
                text=f"{len(left)} of {len(post.units)} sentences are not scored: the language {left[0]!r} "
                "is not supported.",
            )
        )
    confidence = language.confidence
    if code is not None and language.code != code:
        confidence = round(found[code] / sum(columns for _, _, columns in guesses), 4)
    post.language = language.model_copy(update={"code": code, "mixed": mixed, "confidence": confidence})
