"""The reasons of a verdict in plain English: pure text building, every sentence with its numbers."""

from __future__ import annotations

from checker.evidence.evidence import Evidence
from checker.languages import name
from checker.result import RoundTrip
from checker.verdict.model import Judgement, VerdictModel


def _article(noun: str) -> str:
    return f"{'an' if noun[0] in 'AEIOU' else 'a'} {noun}"


def _share(value: float) -> str:
    return (
        "fewer than 1 %"
        if value < 0.01
        else "over 99 %"
        if value > 0.99
        else f"{value:.0%}".replace("%", " %")
    )


def reasons(
    language: str,
    evidence: Evidence,
    judgement: Judgement,
    verdicts: VerdictModel,
    fluency: float | None,
    round_trip: RoundTrip | None,
) -> list[str]:
    """One sentence for each kind of evidence in the verdict, the one that moved it most first."""
    said = {}
    human = f"human-written {name(language)} posts"
    rank = verdicts.rank(language, "style", evidence.style)
    if rank is not None:
        said["style"] = f"Wording: the style detector scores it above {_share(rank)} of {human}."
    if fluency is not None:
        said["fluency"] = (
            f"Fluency: the language model finds it more fluent than {_share(fluency)} of human-written "
            f"{name(language)} sentences of this length."
        )
    if round_trip is not None:
        above = verdicts.rank(language, "chrf", round_trip.chrf)
        compared = "" if above is None else f", above {_share(above)} of {human}"
        said["round_trip"] = (
            f"Round trip through {name(round_trip.pivot)}: {round_trip.chrf:.1f} chrF++ came back{compared}; "
            f"the translator gives the original {round_trip.log_likelihood:.2f} nats a token, "
            f"{round_trip.gap:.2f} less than its own wording."
        )
    moved = sorted(judgement.contributions, key=lambda key: -abs(judgement.contributions[key]))
    lines = []
    for key in moved:
        if key in said:
            amount = judgement.contributions[key]
            points = "a machine" if amount > 0 else "a human"
            lines.append(f"{said[key]} It points to {points} ({amount:+.2f} log-odds).")
    return lines


def threshold_reason(language: str, judgement: Judgement) -> str:
    """What the probability was compared with, and how often that cut is wrong."""
    cut = judgement.threshold
    if cut is None:
        return (
            f"No error rate was measured for {name(language)} posts of this length, so no verdict is given."
        )
    kind = "native posts" if cut.negatives == "native" else "human translations"
    return (
        f"The probability is {judgement.probability:.2f}; from {cut.machine:.2f} "
        f"{_article(name(language))} post of this length is called machine-translated, which "
        f"{cut.false_positive_rate:.1%} of {cut.posts} {kind} were."
    ).replace("%", " %")
