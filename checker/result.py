"""What the checker says about a post: typed, immutable, and the same from Python, CLI and HTTP.

``docs/result.md`` and ``docs/result.schema.json`` are generated from these classes by
``scripts/bench/result_docs.py``.
"""

from __future__ import annotations

from html import escape
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Grade = Literal["production", "draft"]
Verdict = Literal[
    "machine_translated", "rudimentary", "translated", "human_written", "uncertain", "not_scored"
]
Question = Literal["machine_translated", "translated", "rudimentary"]
QUESTIONS: tuple[Question, ...] = ("machine_translated", "translated", "rudimentary")
Negatives = Literal["native", "human translations"]


class Record(BaseModel):
    """An immutable JSON object; unknown fields are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    def to_dict(self) -> dict[str, Any]:
        """Plain Python types, ready for ``json.dumps``."""
        return self.model_dump(mode="json")

    def to_json(self) -> str:
        """One line of JSON, non-ASCII characters as they are."""
        return self.model_dump_json()


class LanguageGuess(Record):
    """Another language that the text might be in."""

    code: str = Field(description="ISO 639-1 code.")
    confidence: float = Field(ge=0, le=1, description="Probability, 0 to 1.")


class Language(Record):
    """The language of the post."""

    code: str | None = Field(
        description="ISO 639-1 code (639-3 where there is none); null when no language could be identified."
    )
    confidence: float = Field(
        ge=0, le=1, description="Probability, 0 to 1; lowered when identifiers disagree."
    )
    alternatives: tuple[LanguageGuess, ...] = Field((), description="Other candidates, most likely first.")
    mixed: bool = Field(False, description="True when sentences of the post are in different languages.")


class RoundTrip(Record):
    """The post against its back-translation: means over the sentences whose round trip is reliable."""

    pivot: str = Field(description="Language that the post was translated into and back from.")
    chrf: float = Field(
        ge=0, le=100, description="chrF++ of the back-translation against the post, 0 to 100."
    )
    bleu: float = Field(ge=0, le=100, description="BLEU with effective order, 0 to 100.")
    ter: float = Field(ge=0, description="Translation edit rate in per cent; 0 is identical, may exceed 100.")
    log_likelihood: float | None = Field(
        None,
        le=0,
        description="Mean token log-likelihood (nats) of the post, forced-decoded from its translation; null "
        "where the translator gives none, or no verdict counts it and it was not asked for.",
    )
    gap: float | None = Field(
        None,
        description="That of the translator's own best output minus ``log_likelihood`` (nats); null where "
        "that is.",
    )
    signature: str = Field(description="sacrebleu signatures of the three metrics.")
    grade: Grade = Field(
        "draft", description="How good the translator is: ``draft`` where its text must not be quoted."
    )


class Difference(Record):
    """Words that the round trip replaced, dropped or added, with their place on both sides."""

    start: int = Field(ge=0, description="First character, counted in the text as given.")
    end: int = Field(
        ge=0,
        description="One past the last character, counted in the text as given; equal to ``start`` where "
        "words were only added.",
    )
    back_translation: str = Field(description="What the back-translation has in its place; may be empty.")
    back_start: int = Field(ge=0, description="First character of that, counted in ``back_translation``.")
    back_end: int = Field(ge=0, description="One past its last character, counted in ``back_translation``.")


class Word(Record):
    """A word that moved the style detector."""

    start: int = Field(ge=0, description="First character, counted in the text as given.")
    end: int = Field(ge=0, description="One past the last character, counted in the text as given.")
    weight: float = Field(description="Share of the sentence's style log-odds; positive points to a machine.")


class Place(Record):
    """Words of the post."""

    start: int = Field(ge=0, description="First character, counted in the text as given.")
    end: int = Field(ge=0, description="One past the last character, counted in the text as given.")


class Sentence(Record):
    """One sentence with its own evidence."""

    text: str = Field(description="The sentence as given.")
    start: int = Field(ge=0, description="First character, counted in the text as given.")
    end: int = Field(ge=0, description="One past the last character, counted in the text as given.")
    language: str | None = Field(description="ISO 639-1 code of this sentence.")
    machine_translated: float | None = Field(
        None, ge=0, le=1, description="Calibrated probability for this sentence taken as a post of its own."
    )
    rudimentary: float | None = Field(None, ge=0, le=1, description="The same, for rudimentary wording.")
    fluency: float | None = Field(None, ge=0, le=1, description="As for the post.")
    perplexity: float | None = Field(None, ge=1, description="Token perplexity under the language model.")
    style: float | None = Field(None, description="Calibrated log-odds of the style detector alone.")
    pivot: str | None = Field(None, description="Language of ``pivot_text``, ISO 639-1.")
    pivot_text: str | None = Field(None, description="The translation into the pivot.")
    back_translation: str | None = Field(None, description="The translation back from the pivot.")
    chrf: float | None = Field(None, ge=0, le=100)
    bleu: float | None = Field(None, ge=0, le=100)
    ter: float | None = Field(None, ge=0)
    log_likelihood: float | None = Field(None, le=0)
    gap: float | None = Field(None)
    grade: Grade | None = Field(
        None, description="How good the translator is: ``draft`` where its text must not be quoted."
    )
    reliable: bool | None = Field(
        None,
        description="False when the translator looped or lost the sentence: it does not count.",
    )
    differences: tuple[Difference, ...] = ()
    words: tuple[Word, ...] = Field(
        (), description="Words that moved the style detector most, in text order."
    )
    broken: tuple[Place, ...] = Field(
        (),
        description="Words that look out of place, in text order, neighbours together. Of human text about "
        "four words in 1,000 look so. A wrong ending or preposition is noticed once in five or six times.",
    )


ReasonKind = Literal[
    "encoder", "style", "fluency", "round_trip", "rudimentary", "translated", "threshold", "unmeasured",
    "withheld", "calibration", "detection",
]  # fmt: skip
WarningCode = Literal[
    "truncated", "no_text", "too_short", "language_unknown", "language_unsure", "language_unsupported",
    "no_words", "sentences_unsupported", "no_translator", "round_trip_unreliable", "uncalibrated",
    "calibration_unused", "measured_on_translations", "sentences_set_aside",
    "mixed_scripts", "mostly_set_aside", "no_machine_text", "technical",
]  # fmt: skip


class Reason(Record):
    """One sentence that explains the verdict."""

    kind: ReasonKind = Field(
        description="``encoder``, ``style``, ``fluency``, ``round_trip``: evidence that the verdict counts, "
        "the strongest first. ``rudimentary``, ``translated``: how many human posts score as high on these "
        "questions. ``threshold``: how "
        "many human posts score as high, and what the probability was compared with. ``unmeasured``: no "
        "false-alarm rate is known. ``withheld``: it is known, and too high for a verdict. ``calibration``: "
        "what came of test posts with such a probability. ``detection``: how much machine translation is "
        "missed."
    )
    text: str = Field(description="Plain English, with its figures.")
    rank: float | None = Field(
        None, ge=0, le=1,
        description="Of evidence: share of human posts of the language that have less of it; null where that "
        "was not measured.",
    )  # fmt: skip


class Warning(Record):
    """What limits the verdict, or why there is none."""

    code: WarningCode = Field(description="Stays the same when the wording changes.")
    text: str = Field(description="Plain English, with its figures.")


class MeasuredThreshold(Record):
    """What a probability was compared with, and how often it was wrong when it was measured."""

    language: str = Field(description="ISO 639-1 code of the part of the post that it holds for.")
    question: Question = Field(
        "machine_translated", description="The field of the result whose probability is compared."
    )
    probability: float = Field(
        ge=0.5,
        le=1,
        description="A post of this language and length with at least this probability is called so.",
    )
    false_positive_rate: float = Field(ge=0, le=1, description="Share of human posts that reached it.")
    posts: int = Field(ge=0, description="Number of these human posts.")
    negatives: Negatives = Field(description="Kind of these posts.")
    shortest: int = Field(ge=0, description="Columns of the shortest post that it holds for.")
    longest: int = Field(ge=0, description="Columns of the longest one; a wide character counts as two.")


class FalseAlarm(Record):
    """How many human posts score at least as high as this one."""

    language: str = Field(description="ISO 639-1 code of the part of the post that it holds for.")
    question: Question = Field(description="The field of the result whose probability is compared.")
    negatives: Negatives = Field(description="Kind of these posts.")
    rate: float = Field(
        gt=0, le=1,
        description="Share of such posts, of this language and length, that score at least as high; where "
        "none did, 1 in one more than were measured.",
    )  # fmt: skip
    posts: int = Field(ge=1, description="Number of posts that it was measured on.")


class Result(Record):
    """The verdict on one post with everything it rests on."""

    id: str
    verdict: Verdict
    headline: str = Field("", description="The finding in one sentence, in plain English.")
    machine_translated: float | None = Field(
        None, ge=0, le=1, description="Calibrated probability that the post is machine-translated."
    )
    translated: float | None = Field(
        None,
        ge=0,
        le=1,
        description="Calibrated probability that the post was translated into its language, by anyone; null "
        "where it was not measured for the language.",
    )
    rudimentary: float | None = Field(
        None,
        ge=0,
        le=1,
        description="Calibrated probability that the wording is rudimentary, as that of a translation word "
        "for word is; null where it was not measured for the language, and for lists, headlines and other "
        "text with fewer than 6 words between two marks.",
    )
    false_alarm_rate: tuple[FalseAlarm, ...] = Field(
        (), description="How many human posts score at least as high, by question and kind of post."
    )
    fluency: float | None = Field(
        None, ge=0, le=1,
        description="Share of human texts of this language and length that are less fluent than this one.",
    )  # fmt: skip
    language: Language
    columns: int = Field(
        0,
        ge=0,
        description="Length of the text that was scored, in the language with most of it: the length that "
        "chose the threshold. A wide character counts as two.",
    )
    round_trip: RoundTrip | None = None
    style: float | None = Field(
        None, description="Calibrated log-odds of the style detector alone; positive points to a machine."
    )
    sentences: tuple[Sentence, ...] = ()
    thresholds: tuple[MeasuredThreshold, ...] = Field(
        (), description="One per language of the post; none where no error rate was measured."
    )
    reasons: tuple[Reason, ...] = Field((), description="Why, the strongest evidence first.")
    warnings: tuple[Warning, ...] = ()
    advice: tuple[str, ...] = Field((), description="What to do next, most useful first, in plain English.")
    models: dict[str, str] = Field(
        description="Profile, name@revision of every model used, and the numbers that translators and "
        "language models computed with: int8, float32 or float16, of each where they differ."
    )
    version: str

    @property
    def technical(self) -> bool:
        """Whether the post, or a part of it, reads like documentation or instructions."""
        return any(warning.code == "technical" for warning in self.warnings)

    @property
    def suspicion(self) -> float | None:
        """What posts are listed by: the probability of machine translation, or that of rudimentary wording
        where it is higher and the verdict; None where there is none."""
        clumsy = self.rudimentary if self.verdict == "rudimentary" else None
        return None if self.machine_translated is None else max(self.machine_translated, clumsy or 0.0)

    def __repr__(self) -> str:
        """The finding in a line; `to_dict` has everything."""
        found: dict[str, Any] = {"verdict": self.verdict, "language": self.language.code, "id": self.id}
        if self.machine_translated is not None:
            found["machine_translated"] = self.machine_translated
        shown = ", ".join(f"{name}={value!r}" for name, value in found.items())
        return f"Result({shown}, sentences={len(self.sentences)})"

    __str__ = __repr__

    def _repr_html_(self) -> str:
        """For a notebook: the finding, its reasons and warnings."""
        share = "" if self.machine_translated is None else f": {100 * self.machine_translated:.0f} in 100"
        title = f"{self.verdict.replace('_', ' ')}{share} ({self.language.code or 'unknown language'})"
        told = [reason.text for reason in self.reasons] + [warning.text for warning in self.warnings]
        items = "".join(f"<li>{escape(text)}</li>" for text in told)
        texts = " ".join(sentence.text for sentence in self.sentences)
        return f"<p><b>{escape(title)}</b></p><p>{escape(texts[:500])}</p><ul>{items}</ul>"


class RowError(Record):
    """A row of the input that could not be scored; takes the row's place in the output."""

    id: str
    row: int = Field(ge=1, description="1-based number of the row in the input.")
    field: str | None = Field(description="The field that is wrong.")
    error: str = Field(description="What is wrong.")
    fix: str = Field(description="What to do about it.")
    raw: bytes | None = Field(None, exclude=True, repr=False)  # the row as it was read; never in the output
    kept: dict[str, Any] | None = Field(None, exclude=True, repr=False)  # columns that come with it


def row_of(number: int, id: object, text: object) -> tuple[str, str] | RowError:
    """The id and the text of a post that a caller gave; what is no text as an error in its place.

    Args:
        number: of the post, from 1: its id where it has none.
        id: a string or a whole number; None or NaN for none.
        text: the post; anything but a string is an error.
    """
    if isinstance(id, float) and id.is_integer():
        id = int(id)  # how a table with gaps in its whole numbers stores them
    name = str(number if _missing(id) else id)
    if isinstance(text, str):
        return name, text
    problem = "is missing" if _missing(text) else f"is {type(text).__name__}, not a string"
    fix = "Give the text as a string, or leave the row out."
    return RowError(id=name, row=number, field="text", error=f"The text {problem}.", fix=fix)


def _missing(value: object) -> bool:
    """Whether a table has nothing in this place: None, or what stands for it in numpy and pandas."""
    return value is None or (not isinstance(value, str) and str(value) in ("nan", "NaT", "<NA>"))
