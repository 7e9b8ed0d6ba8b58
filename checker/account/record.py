"""What the checker says about an account: typed, immutable, and the same from Python and the command line."""

from __future__ import annotations

from datetime import date
from typing import Literal

from pydantic import Field

from checker.result import Record

AccountVerdict = Literal[
    "machine_translated", "rudimentary", "translated", "human_written", "uncertain", "not_scored"
]

NoteCode = Literal[
    "few_posts", "near_duplicates", "texts_missing", "languages_mixed", "languages_differ", "mixed_posts",
    "change", "language_unmeasured", "question_unmeasured", "calibration_unmeasured", "version_unmeasured",
    "dates_missing", "sampled", "documentation", "not_scored",
]  # fmt: skip


class Interval(Record):
    """A 95 % interval."""

    low: float = Field(ge=0, le=1)
    high: float = Field(ge=0, le=1)


class Posts(Record):
    """How many posts there are."""

    given: int = Field(ge=0, description="Rows of the account in the input.")
    scored: int = Field(ge=0, description="Posts that got a probability and do not read like documentation.")
    distinct: int = Field(ge=0, description="Those that count: of near-duplicates and quotes only one does.")
    documentation: int = Field(
        0,
        ge=0,
        description="Posts that read like documentation or instructions, in whole or in part: they do not "
        "count. Of an account that was sampled, those of the sample.",
    )


# Of both thresholds.
_POSTS = Field(ge=1, description="Number of posts that it was measured for: at most as many as count.")
_NATIVE = Field(
    ge=0,
    le=1,
    description="Share of native accounts, of families held out, that reached such a threshold.",
)
_WORST = Field(
    ge=0, le=1, description="The share in the worst of these families; null where none has 99 accounts."
)
_FAMILY = Field(description="That family.")


class AccountThreshold(Record):
    """What an account was compared with, and how often that was wrong when it was measured."""

    posts: int = _POSTS
    machine_translated: float = Field(
        ge=0, le=1, description="An account with at least this probability is called machine-translated."
    )
    native: float | None = _NATIVE
    translated: float | None = Field(ge=0, le=1, description="The same of human translations.")
    worst: float | None = _WORST
    family: str | None = _FAMILY


class TranslatedThreshold(Record):
    """What an account was compared with for the verdict ``translated``, and how often that was wrong."""

    posts: int = _POSTS
    translated: float = Field(
        ge=0, le=1, description="An account with at least this probability is called translated."
    )
    native: float | None = _NATIVE
    worst: float | None = _WORST
    family: str | None = _FAMILY


class RudimentaryThreshold(Record):
    """What an account was compared with for the verdict ``rudimentary``, and how often that was wrong."""

    posts: int = _POSTS
    rudimentary: float = Field(
        ge=0, le=1, description="An account with at least this probability is called rudimentary."
    )
    native: float | None = _NATIVE
    translated: float | None = Field(ge=0, le=1, description="The same of human translations.")
    worst: float | None = _WORST
    family: str | None = _FAMILY


class Judged(Record):
    """Some posts of an account, judged together."""

    posts: int = Field(ge=0, description="Distinct posts with a probability.")
    verdict: AccountVerdict
    machine_translated: float | None = Field(
        None, ge=0, le=1,
        description="Calibrated probability that an account with such posts is machine-translated, where "
        "half of all accounts are.",
    )  # fmt: skip
    machine_translated_interval: Interval | None = Field(
        None, description="Of that probability, if other posts of the account had been drawn."
    )
    translated: float | None = Field(
        None, ge=0, le=1, description="The same for a translation by anyone, a machine or a human."
    )
    rudimentary: float | None = Field(
        None, ge=0, le=1, description="The same for rudimentary wording, as of translations word for word."
    )
    threshold: AccountThreshold | None = Field(
        None, description="Null where no false-alarm rate was measured."
    )


class LanguagePart(Judged):
    """The posts in one language."""

    language: str = Field(description="ISO 639-1 code.")


class Window(Judged):
    """The posts of a day, week, month or year."""

    start: date = Field(description="First day of the window.")


class Change(Record):
    """A day from which the account writes differently."""

    day: date = Field(description="Day of the first post after the change.")
    p_value: float = Field(gt=0, le=1, description="Permutation test of no change at any day.")
    before: Judged
    after: Judged


class LoudPost(Record):
    """A post that speaks loudest for or against machine translation; for or against rudimentary wording where
    that is the verdict."""

    id: str
    row: int = Field(ge=1, description="1-based number of the row in the input.")
    day: date | None
    language: str | None
    machine_translated: float = Field(ge=0, le=1, description="Probability of this post.")
    rudimentary: float | None = Field(None, ge=0, le=1, description="The same for rudimentary wording.")
    text: str | None = Field(description="Its beginning; null where the scores have no texts.")


class Note(Record):
    """What limits the judgement, or why there is none."""

    code: NoteCode = Field(description="Stays the same when the wording changes.")
    text: str = Field(description="Plain English, with its figures.")


class Account(Record):
    """One judgement on the posts of an account."""

    account: str = Field(description="Its name in the input.")
    verdict: AccountVerdict = Field(description="As for a post; see docs/accounts.md.")
    machine_translated: float | None = Field(
        None, ge=0, le=1,
        description="Calibrated probability that the account is machine-translated, where half of all "
        "accounts are.",
    )  # fmt: skip
    machine_translated_interval: Interval | None = Field(
        None, description="Of that probability, if other posts of the account had been drawn."
    )
    translated: float | None = Field(
        None, ge=0, le=1, description="The same for a translation by anyone, a machine or a human."
    )
    translated_interval: Interval | None = None
    rudimentary: float | None = Field(
        None, ge=0, le=1, description="The same for rudimentary wording, as of translations word for word."
    )
    rudimentary_interval: Interval | None = None
    false_alarm_rate: float | None = Field(
        None, ge=0, le=1,
        description="Share of accounts of families held out that are wrongly called so at this number of "
        "posts. Where the verdict is translated: of native accounts, called translated. Otherwise of human "
        "accounts, called rudimentary where that is the verdict, and else machine-translated: the higher "
        "share of native accounts and human translations. Null where it was not measured.",
    )  # fmt: skip
    threshold: AccountThreshold | None = Field(
        None, description="Of machine_translated; null where no false-alarm rate was measured."
    )
    translated_threshold: TranslatedThreshold | None = Field(
        None, description="Null where no false-alarm rate was measured, or posts have no such probability."
    )
    rudimentary_threshold: RudimentaryThreshold | None = Field(None, description="Likewise.")
    posts: Posts
    first_day: date | None = Field(None, description="Day of the first post.")
    last_day: date | None = Field(None, description="Day of the last post.")
    share_machine_translated: float | None = Field(
        None,
        ge=0,
        le=1,
        description="Estimated share of the posts that are machine-translated; null where "
        "its interval says as good as nothing.",
    )
    share_interval: Interval | None = Field(None, description="Of that share.")
    mixed: bool = Field(False, description="True where human and machine posts seem to stand side by side.")
    languages: tuple[LanguagePart, ...] = Field((), description="The language with most posts first.")
    windows: tuple[Window, ...] = Field((), description="Over time; none where posts have no date.")
    changes: tuple[Change, ...] = Field((), description="Days from which the posts look otherwise.")
    loudest_for: tuple[LoudPost, ...] = Field(
        (),
        description="Most machine-like posts, or the most rudimentary ones where that is the verdict; the "
        "first one most.",
    )
    loudest_against: tuple[LoudPost, ...] = Field((), description="The least so, the first one least.")
    reasons: tuple[str, ...] = Field((), description="Why, in plain English.")
    warnings: tuple[Note, ...] = Field((), description="What limits the judgement.")
    version: str = Field(description="Of statement-checker.")

    @property
    def shown(self) -> tuple[float | None, Interval | None]:
        """The probability beside the verdict, and its interval: of rudimentary wording where that is the
        verdict, else of machine translation."""
        if self.verdict == "rudimentary":
            return self.rudimentary, self.rudimentary_interval
        return self.machine_translated, self.machine_translated_interval
