"""The finding in one sentence: what a reader in a hurry takes away, the same on every surface."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from checker.result import FalseAlarm, Question, Result, Verdict, WarningCode

FEW = 20
"""From "1 in" so many on, human posts that score as high are called "only" so many."""

TOO_MANY = 0.1
"""Up to this rate a reader may wonder why the verdict is uncertain: the sentence says that it is too high."""

MOST = "most"
"""What a share of two thirds and more is called."""

NOT_SCORED: Mapping[WarningCode, str] = {
    "no_text": "only links, mentions, hashtags or emoji are in it",
    "no_words": "there are no words in it",
    "too_short": "the text is too short",
    "language_unknown": "its language could not be identified",
    "language_unsure": "its language could not be identified",
    "language_unsupported": "no model here reads its language",
    "mixed_scripts": "some words mix letters of two scripts",
    "mostly_set_aside": "most of it is not in the script of its language",
}
"""Why a post got no probability, by the code of the warning that says it in full."""


def headline(result: Result) -> str:
    """The finding in one sentence, with how many human posts would get it by mistake where that is known.

    Args:
        result: of a post; its own ``headline`` is not read.
    """
    kinds = {reason.kind for reason in result.reasons}
    alarm = telling(result.verdict, result.false_alarm_rate, withheld="withheld" in kinds)
    if result.verdict == "not_scored":
        return f"Not scored: {_why_not(result)}."
    if result.verdict == "human_written":
        return "Reads like it was written in this language."
    if result.verdict == "machine_translated":
        found = "Looks machine-translated"
        return f"{found}: {_only(alarm)} human posts scores this high." if alarm else f"{found}."
    if result.verdict == "rudimentary":
        found = "The wording is rudimentary, as if translated word for word"
        return f"{found}: {_only(alarm)} human posts scores this high." if alarm else f"{found}."
    if result.verdict == "translated":
        found = "Looks translated, by a person or a machine"
        ending = "posts written in this language scores this high"
        return f"{found}: {_only(alarm)} {ending}." if alarm else f"{found}."
    if result.technical:
        return (
            "Cannot tell: it reads like instructions, where translations by machines and people look alike."
        )
    native = "withheld" in kinds
    if native and alarm is None:
        return "Cannot tell: too many human posts in this language look machine-translated."
    if "unmeasured" in kinds:
        return "Cannot tell: how often such a verdict is wrong was not measured."
    if alarm is None:
        return "Cannot tell: the evidence does not decide."
    posts = "posts written in this language" if native else "human posts"
    if none_did(alarm):
        high = f"{share_of(alarm)} {posts} scores this high"
        return f"Cannot tell: {high}, but the score is below the threshold."
    if (shown := one_in(alarm.rate)) == MOST:
        return f"Cannot tell: most {posts} score this high."
    ending = ", too many for a verdict" if alarm.rate <= TOO_MANY else ""
    return f"Cannot tell: {shown} {posts} scores this high{ending}."


def said(result: Result) -> str:
    """The sentence that a result came with, or what it would be: results of older versions have none."""
    return result.headline or headline(result)


def telling(verdict: Verdict, alarms: Iterable[FalseAlarm], *, withheld: bool = False) -> FalseAlarm | None:
    """The rate that the headline names: the highest over kinds of human posts and languages of the post.

    Args:
        verdict: on the post; it says which question matters.
        alarms: all that were measured.
        withheld: whether its language gets no verdict of machine translation: the other question is told.

    Returns:
        None where the headline names none, or none was measured.
    """
    if verdict in ("human_written", "not_scored"):
        return None
    asked: Question = "machine_translated"
    if verdict == "rudimentary":
        asked = "rudimentary"
    elif verdict == "translated" or (withheld and verdict == "uncertain"):
        asked = "translated"
    return max(
        (alarm for alarm in alarms if alarm.question == asked), key=lambda alarm: alarm.rate, default=None
    )


def one_in(rate: float) -> str:
    """A share as people say it: "1 in 14"; `MOST` from two thirds on."""
    return f"1 in {round(1 / rate)}" if rate < 2 / 3 else MOST


def none_did(alarm: FalseAlarm) -> bool:
    """Whether none of the posts that were measured scores as high: the rate is then an upper guess."""
    return alarm.rate * (alarm.posts + 1) < 1.5


def share_of(alarm: FalseAlarm) -> str:
    """The posts that score as high, as people say it: "1 in 14", "none of 141" or `MOST`."""
    return f"none of {alarm.posts}" if none_did(alarm) else one_in(alarm.rate)


def _only(alarm: FalseAlarm) -> str:
    if none_did(alarm):
        return share_of(alarm)
    shown = f"1 in {max(1, round(1 / alarm.rate))}"
    return f"only {shown}" if 1 / alarm.rate >= FEW else shown


def _why_not(result: Result) -> str:
    """Why there is no probability; the last warning is the reason, those before it limit the text."""
    for warning in reversed(result.warnings):
        if warning.code in NOT_SCORED:
            return NOT_SCORED[warning.code]
    return "there is no probability for its language"
