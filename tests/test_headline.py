"""The first sentence of every answer: it says what was found, with the rate that speaks most against it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checker.result import QUESTIONS, FalseAlarm, Language, Reason, Result, Warning
from checker.verdict.file import Tail
from checker.verdict.headline import NOT_SCORED, headline, none_did, one_in, share_of, telling

KINDS = ("native", "human translations")


def alarm(rate: float, question: str = "machine_translated", negatives: str = "native") -> FalseAlarm:
    return FalseAlarm.model_validate(
        {"language": "ru", "question": question, "negatives": negatives, "rate": rate, "posts": 300}
    )


def result(verdict: str, *alarms: FalseAlarm, **fields: Any) -> Result:
    known = {"language": Language(code="ru", confidence=1), "models": {}, "version": "0"}
    return Result.model_validate(
        {"id": "1", "verdict": verdict, "false_alarm_rate": alarms, **known, **fields}
    )


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (
            result("machine_translated", alarm(1 / 90), alarm(1 / 300, negatives="human translations")),
            "Looks machine-translated: only 1 in 90 human posts scores this high.",
        ),
        (
            result("machine_translated", alarm(0.2, "translated"), alarm(0.1)),
            "Looks machine-translated: 1 in 10 human posts scores this high.",
        ),
        (
            result("machine_translated", alarm(1 / 301), alarm(1 / 301, negatives="human translations")),
            "Looks machine-translated: none of 300 human posts scores this high.",
        ),
        (result("machine_translated"), "Looks machine-translated."),
        (
            result("translated", alarm(0.4), alarm(1 / 40, "translated")),
            "Looks translated, by a person or a machine: only 1 in 40 posts written in this language scores "
            "this high.",
        ),
        (
            result("rudimentary", alarm(0.4), alarm(1 / 40, "rudimentary")),
            "The wording is rudimentary, as if translated word for word: only 1 in 40 human posts scores "
            "this high.",
        ),
        (result("human_written", alarm(0.9)), "Reads like it was written in this language."),
        (result("uncertain", alarm(1 / 7)), "Cannot tell: 1 in 7 human posts scores this high."),
        (
            result("uncertain", alarm(1 / 33)),
            "Cannot tell: 1 in 33 human posts scores this high, too many for a verdict.",
        ),
        (
            result("uncertain", alarm(1 / 301)),
            "Cannot tell: none of 300 human posts scores this high, but the score is below the threshold.",
        ),
        (result("uncertain", alarm(0.8)), "Cannot tell: most human posts score this high."),
        (result("uncertain"), "Cannot tell: the evidence does not decide."),
        (
            result("uncertain", alarm(0.001), reasons=(Reason(kind="withheld", text="…"),)),
            "Cannot tell: too many human posts in this language look machine-translated.",
        ),
        (
            result("uncertain", reasons=(Reason(kind="unmeasured", text="…"),)),
            "Cannot tell: how often such a verdict is wrong was not measured.",
        ),
        (
            result(
                "not_scored",
                warnings=(Warning(code="truncated", text="…"), Warning(code="too_short", text="…")),
            ),
            "Not scored: the text is too short.",
        ),
        (result("not_scored"), "Not scored: there is no probability for its language."),
    ],
)
def test_the_finding_is_one_sentence(given: Result, said: str) -> None:
    assert headline(given) == said


@pytest.mark.parametrize("code", NOT_SCORED)
def test_every_reason_for_no_score_has_words(code: str) -> None:
    said = headline(result("not_scored", warnings=({"code": code, "text": "…"},)))
    assert said == f"Not scored: {NOT_SCORED[code]}."  # type: ignore[index]


alarms = st.lists(
    st.builds(
        alarm,
        st.floats(0.0001, 1),
        st.sampled_from(QUESTIONS),
        st.sampled_from(KINDS),
    ),
    max_size=6,
)


@given(st.sampled_from([*QUESTIONS, "uncertain"]), alarms)
def test_it_names_the_rate_that_speaks_most_against_it(verdict: str, found: list[FalseAlarm]) -> None:
    asked = "machine_translated" if verdict == "uncertain" else verdict
    rates = [one.rate for one in found if one.question == asked]
    chosen = telling(verdict, found)  # type: ignore[arg-type]
    assert (chosen.rate if chosen else None) == (max(rates) if rates else None)
    said = headline(result(verdict, *found))
    assert said.endswith(".")
    assert said.count(".") == 1
    if rates and (shown := one_in(max(rates))) != "most":
        assert (shown if max(rates) * 301 >= 1.5 else "none of 300") in said


@pytest.mark.parametrize("posts", [1, 60, 317, 395, 588, 1000, 99_999, 500_000])
def test_that_none_did_is_told_from_one_that_did(posts: int) -> None:
    tail = Tail(posts=posts, reached=(0.9, 0.8))
    for probability, none in (0.95, True), (0.85, False):
        rate = float(f"{tail.rate(probability):.4g}")
        alarm = FalseAlarm(language="ru", question="translated", negatives="native", rate=rate, posts=posts)
        assert none_did(alarm) == none
        assert share_of(alarm).startswith("none of") == none
