"""The reasons of a verdict in plain English: pure text building, every sentence with its numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal

from checker.evidence.evidence import Evidence
from checker.languages import name
from checker.result import FalseAlarm, Reason, ReasonKind, RoundTrip
from checker.text import percent
from checker.verdict.advice import QUESTIONS
from checker.verdict.file import Reliability
from checker.verdict.headline import MOST, none_did, one_in
from checker.verdict.model import Judgement, VerdictModel

Other = Literal["rudimentary", "translated"]
"""The questions that a post is asked beside that of the machine."""

NEARBY = 0.1  # a bin of the reliability table speaks for a probability this near to its mean


def reasons(
    language: str,
    judgement: Judgement,
    others: Mapping[Other, Judgement | None],
    verdicts: VerdictModel,
    evidence: Evidence,
    round_trip: RoundTrip | None,
    fluency: float | None,
    told: FalseAlarm | None = None,
) -> list[Reason]:
    """Why a post of one language got its probability, and how often such a verdict is wrong.

    Args:
        language: ISO 639-1 code.
        judgement: was the post translated by a machine?
        others: answers to the other questions; None where one was not fitted.
        verdicts: the layer that it comes from.
        evidence: what it rests on.
        round_trip: means over the sentences.
        fluency: share of human texts that are less fluent, 0 to 1.
        told: the rate that the headline has said: it is not said again.

    Returns:
        A reason for each kind of evidence that the verdict counts, the one that moved it most first; then
        those on error rates.
    """
    said = dict(_evidence(language, verdicts, evidence, round_trip, fluency))
    moved = sorted(judgement.contributions, key=lambda key: -abs(judgement.contributions[key]))
    found = []
    for kind in moved:
        if kind in said:
            amount = judgement.contributions[kind]
            text, rank = said[kind]
            direction = "raises" if amount > 0 else "lowers"
            moves = f"Against a typical human post, this {direction} the log-odds by {abs(amount):.2f}."
            found.append(
                Reason(kind=kind, text=f"{text} {moves}", rank=None if rank is None else round(rank, 4))
            )
    reliability = verdicts.calibration.languages[language].reliability[judgement.variant]
    return [*found, *_others(others, told), *_error_rates(language, judgement, reliability, told)]


def _evidence(
    language: str,
    verdicts: VerdictModel,
    evidence: Evidence,
    round_trip: RoundTrip | None,
    fluency: float | None,
) -> Iterator[tuple[ReasonKind, tuple[str, float | None]]]:
    """A sentence for each kind of evidence, and the share of human posts that have less of it."""
    human = f"human-written {name(language)} posts"
    rank = verdicts.rank(language, "style", evidence.style)
    if rank is not None:
        yield (
            "style",
            (f"Word patterns: more like machine translation than {percent(rank)} of {human}.", rank),
        )
    if evidence.machine_head is not None:
        rank = verdicts.rank(language, "machine_head", evidence.machine_head)
        if rank is not None:
            yield (
                "encoder",
                (f"Wording as a whole: more like machine translation than {percent(rank)} of {human}.", rank),
            )
    if fluency is not None:
        yield (
            "fluency",
            (
                f"Fluency: more fluent than {percent(fluency)} of human-written {name(language)} sentences "
                "of this length.",
                fluency,
            ),
        )
    if round_trip is not None:
        above = verdicts.rank(language, "chrf", round_trip.chrf)
        compared = "" if above is None else f", more than of {percent(above)} of {human}"
        likely = ""
        if round_trip.log_likelihood is not None and round_trip.gap is not None:
            likely = (
                f"; the translator scores the original at {round_trip.log_likelihood:.2f} nats per token, "
                f"{round_trip.gap:.2f} below its own translation"
            )
        yield (
            "round_trip",
            (
                f"Round trip through {name(round_trip.pivot)}: {round_trip.chrf:.1f} chrF++ came "
                f"back{compared}{likely}.",
                above,
            ),
        )


def _error_rates(
    language: str, judgement: Judgement, reliability: Reliability, told: FalseAlarm | None
) -> Iterator[Reason]:
    """What the probability was compared with, and what came of posts with such a probability in the test."""
    named, threshold, probability = name(language), judgement.threshold, judgement.probability
    if judgement.technical:
        text = (
            "It reads like documentation or instructions, where translations by people and by machines could "
            "not be told apart, so it is not called machine-translated."
        )
        yield Reason(kind="withheld", text=text)
    elif judgement.withheld:
        text = (
            f"No {named} post is called machine-translated: {judgement.withheld}. "
            f"{_alarms(judgement.alarms, None)}"
        )
        yield Reason(kind="withheld", text=text.strip())
    elif threshold is None:
        text = f"No false-alarm rate was measured for {named} posts of this length, so no verdict is given."
        yield Reason(kind="unmeasured", text=text)
    else:
        humans = "native posts" if threshold.negatives == "native" else threshold.negatives
        reached = round(threshold.false_positive_rate * threshold.posts)
        text = (
            f"The threshold for {named} posts of this length is {threshold.machine:.2f}: {reached} of "
            f"{threshold.posts} {humans} reached it. {_alarms(judgement.alarms, told)}"
        )
        yield Reason(kind="threshold", text=text.strip())
    near = [row for row in reliability.bins if abs(row.predicted - probability) <= NEARBY]
    if near:
        row = min(near, key=lambda row: abs(row.predicted - probability))
        text = (
            f"Of {row.posts} {named} test posts with a probability near {percent(row.predicted)}, "
            f"{percent(row.observed)} were machine-translated (human and machine posts weighted equally)."
        )
        yield Reason(kind="calibration", text=text)
    if threshold is not None and (found := reliability.flagged.get("machine")) is not None:
        text = (
            f"In the test, with all lengths together, the thresholds missed {percent(1 - found)} of {named} "
            "machine translations."
        )
        yield Reason(kind="detection", text=text)


def _others(answers: Mapping[Other, Judgement | None], told: FalseAlarm | None) -> Iterator[Reason]:
    """How many human posts look as rudimentary, if it rather is, and how many native ones as translated."""
    for asked, answer in answers.items():
        if answer is None or (asked == "rudimentary" and answer.probability < 0.5):
            continue
        why = f"No post of this language is called so: {answer.withheld}. " if answer.withheld else ""
        if said := f"{why}{_alarms(answer.alarms, told)}".strip():
            yield Reason(kind=asked, text=f"{QUESTIONS[asked]}? {said}")


def _alarms(alarms: tuple[FalseAlarm, ...], told: FalseAlarm | None) -> str:
    """How many human posts score as high; of the rate that was told, only where it comes from."""
    named = {"native": "native posts", "human translations": "human translations"}
    lines = []
    if told is not None and told in alarms:
        lines.append(f"The rate above is that of {told.posts} {named[told.negatives]} of this length.")
    said = []
    for alarm in alarms:
        if alarm != told and none_did(alarm):
            said.append(f"none of {alarm.posts} {named[alarm.negatives]} of this length")
        elif alarm != told:
            share = one_in(alarm.rate)
            about = share if share == MOST else f"about {share}"
            said.append(f"{about} {named[alarm.negatives]} of this length ({alarm.posts} were measured)")
    if said:
        listed = " and ".join(said)
        lines.append(f"{listed[0].upper()}{listed[1:]} score at least as high.")
    return " ".join(lines)
