"""What is said about a pair of texts: typed, immutable, and the same from Python, CLI and HTTP."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from checker.result import Language, Record

Kind = Literal[
    "untranslated", "missing", "added", "number", "date", "likelihood", "omission", "addition", "length",
    "negation",
]  # fmt: skip


class Passage(Record):
    """A piece of one of the texts."""

    text: str = Field(description="The passage as given.")
    start: int = Field(ge=0, description="First character, counted in the text as given.")
    end: int = Field(ge=0, description="One past the last character, counted in the text as given.")


class Finding(Record):
    """Something that human translations seldom show."""

    kind: Kind
    message: str = Field(description="Plain English.")
    segment: int = Field(ge=0, description="Which of ``segments`` it is in, counted from 0.")
    source: tuple[Passage, ...] = Field((), description="Passages of the source that it is about.")
    target: tuple[Passage, ...] = Field((), description="Passages of the target that it is about.")
    human_rate: float | None = Field(
        None, ge=0, le=1,
        description="Share of human segments of this direction and length that show at least as much of it; "
        "null where it was not measured.",
    )  # fmt: skip
    flag: bool = Field(
        description="Whether it flags its segment, as a fact or because it is rare; otherwise it is a hint."
    )


class Segment(Record):
    """Sentences of the source and of the target that go together."""

    source: Passage | None = Field(description="Null where the target has something of its own.")
    target: Passage | None = Field(description="Null where the target lacks a sentence.")
    flagged: bool = Field(description="Whether one of its findings is a flag.")
    adequacy: float | None = Field(
        None, ge=0, le=1,
        description="Share of human translations of this direction and length that the translator finds less "
        "likely; null where no translator serves the pair.",
    )  # fmt: skip
    forward: float | None = Field(
        None, le=0, description="Mean log-likelihood (nats) of a token of the target given the source."
    )
    backward: float | None = Field(
        None, le=0, description="Mean log-likelihood (nats) of a token of the source given the target."
    )
    fluency: float | None = Field(
        None,
        ge=0,
        le=1,
        description="Share of human texts of this length that are less fluent than the target.",
    )


class ReferenceSegment(Record):
    """Sentences of the target and of the reference that go together, with the target's scores."""

    target: Passage | None
    reference: Passage | None
    chrf: float = Field(ge=0, le=100, description="chrF++, 0 to 100.")
    bleu: float = Field(ge=0, le=100, description="BLEU with effective order, 0 to 100.")
    ter: float = Field(ge=0, description="Translation edit rate in per cent; 0 is identical, may exceed 100.")


class ReferenceScores(Record):
    """The target against a reference translation: corpus scores over its segments."""

    chrf: float = Field(ge=0, le=100, description="chrF++, 0 to 100.")
    bleu: float = Field(ge=0, le=100, description="BLEU with effective order, 0 to 100.")
    ter: float = Field(ge=0, description="Translation edit rate in per cent; 0 is identical, may exceed 100.")
    signature: str = Field(description="sacrebleu signatures of the three metrics.")
    segments: tuple[ReferenceSegment, ...]


class QualityWarning(Record):
    """What limits the estimate."""

    code: Literal[
        "language_unsure", "same_language", "no_translator", "no_likelihood", "not_ranked", "not_measured"
    ] = Field(description="Stays the same when the wording changes.")  # fmt: skip
    text: str = Field(description="Plain English.")


class Quality(Record):
    """How good a translation the target is of the source."""

    id: str
    flagged: bool = Field(description="Whether a segment is flagged.")
    adequacy: float | None = Field(
        None, ge=0, le=1,
        description="Share of human translations of this direction and length that the translator finds less "
        "likely than the aligned part; null where no translator serves the pair.",
    )  # fmt: skip
    forward: float | None = Field(
        None, le=0, description="Mean over the segments, by their length, as for a segment."
    )
    backward: float | None = Field(
        None, le=0, description="Mean over the segments, by their length, as for a segment."
    )
    coverage: float = Field(
        ge=0,
        le=1,
        description="Share of the characters of both texts that are in sentences with a counterpart.",
    )
    fluency: float | None = Field(
        None, ge=0, le=1, description="Share of human texts that are less fluent than the target."
    )
    source_language: Language
    target_language: Language
    segments: tuple[Segment, ...]
    findings: tuple[Finding, ...] = Field((), description="In the order of the segments.")
    reference: ReferenceScores | None = None
    warnings: tuple[QualityWarning, ...] = ()
    models: dict[str, str] = Field(
        description="Profile, name@revision of every model used, and the numbers that they computed with: "
        "int8, float32 or float16."
    )
    version: str
