"""A post before the models see it: cleaned, its language identified, split into sentences."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from checker import letters
from checker.errors import InputError
from checker.evidence.fluency import Rank, pool
from checker.evidence.heads import Summary
from checker.evidence.order import Order
from checker.evidence.roundtrip import SentenceRoundTrip
from checker.evidence.style import StyleReading
from checker.language import LIKELY, OWN_LANGUAGE, SURE, identify, own_language
from checker.languages import SUPPORTED, name
from checker.result import Language, Warning
from checker.text import MAX_CHARACTERS, SHORTEST, CleanText, Span, clean, sentences, width, words

DISGUISED = 2  # words with letters of another script from which a post gets no verdict
OWN_WORDING = 0.3  # share of a post's columns that must be in the script of its languages
OWN_LETTERS = 0.25  # share of a sentence's letters; below, it is not in that language whatever names it has
UNREADABLE = -10.0  # fluency (robust standard deviations) below which text is in none of the languages
NAMES = 0.6  # share of words with a capital from which a line in another script is a list of names


@dataclass
class Unit:
    """A sentence, and what the models find about it.

    Attributes:
        span: the sentence, with offsets in the cleaned text.
        language: ISO 639-1 code; None for one that is set aside: its script is not that of the post.
        columns: length; wide characters count as two.
        style: what the style detector reads in it; None before it has.
        vectors: the summary of what the encoder makes of it; None before it has, or where it is not asked.
        faults: the same of its vectors for faulty words.
        order: what it says of the order and the forms of the words, with offsets in the sentence.
        perplexity: token perplexity under the language model, at least 1.
        rank: where its fluency stands among human sentences.
        readable: where it stands by the language model alone.
        trip: its round trip.
    """

    span: Span
    language: str | None
    columns: int
    style: StyleReading | None = None
    vectors: Summary | None = None
    faults: Summary | None = None
    order: Order | None = None
    perplexity: float | None = None
    rank: Rank | None = None
    readable: Rank | None = None
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
        named: whether the caller named the language.
    """

    id: str
    cleaned: CleanText
    language: Language = field(default_factory=lambda: Language(code=None, confidence=0.0))
    units: list[Unit] = field(default_factory=list)
    warnings: list[Warning] = field(default_factory=list)
    scored: bool = False
    named: bool = False

    @property
    def columns(self) -> int:
        """Length of the text that is left; wide characters count as two."""
        return width(self.cleaned.text)

    def parts(self) -> dict[str, list[Unit]]:
        """Sentences by supported language, the language with most text first."""
        parts: dict[str, list[Unit]] = defaultdict(list)
        for unit in self.units:
            if unit.language is not None and unit.language in SUPPORTED:
                parts[unit.language].append(unit)
        return dict(sorted(parts.items(), key=lambda item: -sum(u.columns for u in item[1])))

    def measured(self) -> list[Unit]:
        """The sentences that models run over: those in supported languages, if the post is scored."""
        return [unit for part in self.parts().values() for unit in part] if self.scored else []


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
    post = Post(id, clean(text[:MAX_CHARACTERS]), named=language is not None)
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


def reread(post: Post) -> None:
    """Set aside the sentences of a language that they do not read like, once the models have run over them.

    A language that no identifier knows is taken for its neighbour; the neighbour's language model then finds
    the text less fluent than nearly everything that people write.
    """
    if not post.scored or post.named:
        return
    for language, part in post.parts().items():
        fluency = pool([(unit.readable, unit.columns) for unit in part if unit.readable is not None])
        if fluency is None or fluency.z >= UNREADABLE:
            continue
        for unit in part:
            unit.language = None
        left = post.parts()
        post.scored = sum(unit.columns for units in left.values() for unit in units) >= SHORTEST
        code = next(iter(left), None) if post.scored else None
        post.language = post.language.model_copy(update={"code": code})
        told = (
            "Not scored: it reads" if not post.scored else f"{len(part)} of {len(post.units)} sentences read"
        )
        post.warnings.append(
            Warning(
                code="language_unsure",
                text=f"{told} like none of the supported languages; {name(language)} is the nearest. "
                "Name the language if you know it.",
            )
        )
        if not post.scored:
            return


def _problem(post: Post) -> Warning | None:
    """Why a post cannot be scored; None if it can."""
    text, language = post.cleaned.text, post.language
    if not text:
        return Warning(
            code="no_text",
            text="Not scored: there is no text left after links, mentions, hashtags and emoji are set aside.",
        )
    if (columns := post.columns) < SHORTEST:
        return Warning(
            code="too_short",
            text=f"Not scored: too short, {columns} characters of text; the minimum is {SHORTEST} (a wide "
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
    if (count := post.cleaned.disguised) >= DISGUISED:
        return Warning(
            code="mixed_scripts",
            text=f"Not scored: {count} words mix letters of two scripts that look alike. Type each word in "
            "one script.",
        )
    own = _own_columns(post)
    if own < max(SHORTEST, OWN_WORDING * columns):
        return Warning(
            code="mostly_set_aside",
            text=f"Not scored: only {own} of {columns} characters are in a script that "
            f"{name(language.code)} is written in; names and lines in other scripts are set aside.",
        )
    return None


def _own_columns(post: Post) -> int:
    """Columns of the sentences that are scored, less names and words in other scripts."""
    total = 0
    for language, part in post.parts().items():
        for unit in part:
            total += unit.columns
            if letters.other(language).search(unit.span.text):
                total -= sum(width(match[0]) for match in letters.foreign(language).finditer(unit.span.text))
    return total


def _in_script(text: str, language: str | None) -> bool:
    """Whether a text, its names in other scripts aside, is in a script that its language writes."""
    if language is None or language not in SUPPORTED or not letters.other(language).search(text):
        return True
    kinds = letters.written(language), letters.other(language)
    own, other = (sum(width(letter) for letter in kind.findall(text)) for kind in kinds)
    return own >= OWN_LETTERS * (own + other)


def _names(text: str) -> bool:
    """Whether a line looks like names, titles or a credit rather than a sentence."""
    found = [word.text for word in words(text) if word.text[0].isalpha()]
    return sum(not word[0].islower() for word in found) >= NAMES * len(found)


def _cut(post: Post, language: Language, *, identified: bool) -> None:
    """Sentences with their languages; a confident sentence may differ from its post."""
    code = language.code
    guesses: list[tuple[Span, str | None, int]] = []
    for span in sentences(post.cleaned.text, code):
        columns = width(span.text)
        own = code
        if identified and span.text != post.cleaned.text:
            guess = own_language(span.text, columns, min(SURE, max(LIKELY, language.confidence)))
            if guess and guess.code in SUPPORTED and _in_script(span.text, guess.code):
                own = guess.code
        if not _in_script(span.text, own) or (not _in_script(span.text, code) and _names(span.text)):
            own = None
        guesses.append((span, own, columns))
    found: dict[str, int] = defaultdict(int)
    for _, own, columns in guesses:
        if own is not None and own in SUPPORTED:
            found[own] += columns
    if found:  # the language with most text; its evidence stands for the post
        code = max(found, key=found.__getitem__)
    if language.code is None:  # sentences that were not identified go with those that were
        guesses = [
            (span, own or (code if _in_script(span.text, code) else None), columns)
            for span, own, columns in guesses
            if code is not None
        ]
    post.units = [Unit(*guess) for guess in guesses]
    mixed = sum(columns >= OWN_LANGUAGE for columns in found.values()) > 1
    if found and (
        left := [unit.language for unit in post.units if unit.language and unit.language not in SUPPORTED]
    ):
        mixed = True
        post.warnings.append(
            Warning(
                code="sentences_unsupported",
                text=f"{len(left)} of {len(post.units)} sentences are not scored: the language {left[0]!r} "
                "is not supported.",
            )
        )
    if code is not None and (aside := sum(unit.language is None for unit in post.units)):
        post.warnings.append(
            Warning(
                code="sentences_set_aside",
                text=f"{aside} of {len(post.units)} sentences are not scored: {name(code)} is not written in "
                "their script.",
            )
        )
    confidence = language.confidence
    if code is not None and language.code != code:
        confidence = round(found[code] / sum(columns for _, _, columns in guesses), 4)
    post.language = language.model_copy(update={"code": code, "mixed": mixed, "confidence": confidence})
