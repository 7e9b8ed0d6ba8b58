"""Many posts, one judgement: duplicates out, log-odds together, a threshold for their number."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import pairwise
from typing import Literal, NamedTuple, get_args

import numpy as np

from checker.account import words
from checker.account.change import change
from checker.account.duplicates import clusters
from checker.account.file import AccountModel, Dependence
from checker.account.model import Floats, Limit, Tested, centred, effective, limit, row_for, tested
from checker.account.post import AccountPost
from checker.account.record import (
    Account,
    AccountThreshold,
    AccountVerdict,
    Change,
    Interval,
    Judged,
    LanguagePart,
    LoudPost,
    Note,
    Posts,
    RudimentaryThreshold,
    TranslatedThreshold,
    Window,
)
from checker.account.share import Estimated, share
from checker.verdict.model import sigmoid
from checker.version import __version__

WindowSize = Literal["day", "week", "month", "year"]
WINDOWS: tuple[WindowSize, ...] = get_args(WindowSize)

LOUDEST = 3
"""Posts that are shown for and against."""

FEW = 5
"""Posts below which a warning says that there are few."""

NOTHING_KNOWN = 0.95
"""Width of the interval of a share from which its middle tells nothing."""

PART = 0.2
"""Share of the posts from which those of a language are judged alone as well."""

LEAST_PART = 3
"""Posts without which those of a language, or of one side of a change, are not judged alone."""

STRONGER: tuple[AccountVerdict, ...] = ("machine_translated", "rudimentary", "translated")
"""Verdicts that a part of an account gives to the whole, the strongest first."""

CHANGE = 0.01
"""Greatest p-value of a change that is reported."""

_LEAST_SPREAD = 5  # posts without which their spread says nothing


def combine(
    account: str,
    posts: Iterable[AccountPost],
    model: AccountModel,
    *,
    window: WindowSize = "month",
    given: int | None = None,
) -> Account:
    """Judge an account by its posts. Their order does not matter, and a post given twice counts once.

    Args:
        account: its name.
        posts: its posts, scored or not.
        model: how posts of an account depend on each other, and the thresholds.
        window: length of the windows over time.
        given: number of its posts, where ``posts`` are a sample of them.
    """
    all_posts = list(posts)
    scored = [post for post in all_posts if post.machine is not None and math.isfinite(post.machine)]
    distinct = _distinct(scored)
    notes = _notes(all_posts, scored, distinct, given)
    counts = Posts(
        given=given or len(all_posts), scored=len(scored), distinct=len(distinct),
        documentation=sum(post.technical for post in all_posts),
    )  # fmt: skip
    days = [post.day for post in all_posts if post.day is not None]
    first, last = (min(days), max(days)) if days else (None, None)
    if not distinct:
        return Account(
            account=account, verdict="not_scored", posts=counts, first_day=first, last_day=last,
            warnings=(*notes, words.not_scored()), version=__version__,
        )  # fmt: skip
    judge = _Judge.of(distinct, model)
    return _judged(account, distinct, counts, (first, last), notes, judge, window)


def _judged(
    account: str,
    distinct: Sequence[AccountPost],
    counts: Posts,
    extent: tuple[date | None, date | None],
    notes: list[Note],
    judge: _Judge,
    window: WindowSize,
) -> Account:
    whole = judge.judge(distinct)
    parts = _parts(distinct, judge)
    changes = _changes(distinct, judge)
    values = judge.machine.values(distinct)
    dependence = judge.machine.dependence
    log_ratios = dependence.gain * values
    part = _share(log_ratios, dependence, changes)
    row = row_for(dependence, len(values))
    spread = float(values.std(ddof=1)) if len(values) > 1 else 0.0
    wide = row is not None and row.spread is not None and spread > row.spread
    mixed = bool(changes) or (len(values) >= _LEAST_SPREAD and wide and 0.1 < part.value < 0.9)
    verdict = whole.verdict
    said = {one.verdict for one in parts} if len(parts) > 1 else set()
    alone = said & set(STRONGER)
    sides = {side.verdict for found in changes for side in (found.before, found.after)}
    verdict = next((one for one in STRONGER if one in {verdict} | alone | sides), verdict)
    if verdict == "human_written" and mixed:
        verdict = "uncertain"
    notes = [*notes, *judge.unmeasured]
    if mixed and not changes:
        notes.append(words.mixed_posts(part))
    notes += [words.changed(found) for found in changes]
    if alone:
        notes.append(words.languages_differ(parts))
    other, clumsy = _answer(judge.translated, distinct), _answer(judge.rudimentary, distinct)
    translated_threshold = None if other is None else _translated_threshold(other)
    rudimentary_threshold = None if clumsy is None else _rudimentary_threshold(clumsy)
    compared = rudimentary_threshold if verdict == "rudimentary" else whole.threshold
    rates = [] if compared is None else [compared.native, compared.translated]
    if verdict == "translated":
        rates = [] if translated_threshold is None else [translated_threshold.native]
    asked = (judge.rudimentary if verdict == "rudimentary" else None) or judge.machine
    found = Account(
        account=account,
        verdict=verdict,
        machine_translated=whole.machine_translated,
        machine_translated_interval=whole.machine_translated_interval,
        translated=None if other is None else other.probability,
        translated_interval=None if other is None else other.interval,
        rudimentary=None if clumsy is None else clumsy.probability,
        rudimentary_interval=None if clumsy is None else clumsy.interval,
        false_alarm_rate=max((rate for rate in rates if rate is not None), default=None),
        threshold=whole.threshold,
        translated_threshold=translated_threshold,
        rudimentary_threshold=rudimentary_threshold,
        posts=counts,
        first_day=extent[0],
        last_day=extent[1],
        share_machine_translated=part.value if part.high - part.low <= NOTHING_KNOWN else None,
        share_interval=Interval(low=part.low, high=part.high),
        mixed=mixed,
        languages=tuple(parts),
        windows=_windows(distinct, judge, window),
        changes=tuple(changes),
        loudest_for=_loudest(distinct, asked, 1),
        loudest_against=_loudest(distinct, asked, -1),
        warnings=tuple(notes),
        version=__version__,
    )
    return found.model_copy(update={"reasons": words.reasons(found)})


def _share(log_ratios: Floats, dependence: Dependence, changes: Sequence[Change]) -> Estimated:
    """The share of machine posts; where the account changes, of each side and put together."""
    after = changes[0].after.posts if changes else 0  # posts without a day come first, with those before it
    ends = [0, *([len(log_ratios) - after] if changes else []), len(log_ratios)]
    parts = []
    for start, end in pairwise(ends):
        found = share(log_ratios[start:end], effective(end - start, dependence.correlation))
        parts.append([end - start, *found])
    sides = np.array(parts)
    return Estimated(*(round(float(v), 4) for v in np.average(sides[:, 1:], axis=0, weights=sides[:, 0])))


class _Answer(NamedTuple):
    """The answer to one question about some posts, such as whether they were translated by a machine.

    Attributes:
        found: their log-odds.
        bound: what they are compared with; None where no false-alarm rate holds.
        stricter: what is added to it.
        human: mean log-odds up to which they are no such translation, if that is known.
    """

    found: Tested
    bound: Limit | None
    stricter: float
    human: float | None

    @property
    def reached(self) -> bool:
        return self.bound is not None and self.found.log_odds >= self.bound.log_odds + self.stricter

    @property
    def cleared(self) -> bool:
        return self.human is not None and self.found.mean <= self.human

    @property
    def probability(self) -> float:
        return _rounded(self.found.log_odds)

    @property
    def interval(self) -> Interval:
        return Interval(low=_rounded(self.found.low), high=_rounded(self.found.high))

    @property
    def cut(self) -> float | None:
        """The probability that is compared with."""
        return None if self.bound is None else _rounded(self.bound.log_odds + self.stricter)


@dataclass(frozen=True)
class _Asked:
    """One of the questions.

    Attributes:
        dependence: what was fitted.
        log_odds: those of a post.
        measured: whether a threshold may hold for these posts.
    """

    dependence: Dependence
    log_odds: Callable[[AccountPost], float | None]
    measured: bool

    def values(self, posts: Sequence[AccountPost]) -> Floats:
        """Log-odds of the posts, each less the middle of its language."""
        return np.array(
            [centred(self.dependence, self.log_odds(post) or 0.0, post.language or "") for post in posts]
        )

    def answer(self, posts: Sequence[AccountPost], tests: int) -> _Answer | None:
        """The answer; None where no post has log-odds."""
        known = [post for post in posts if math.isfinite(_or_nan(self.log_odds(post)))]
        if not known:
            return None
        row = row_for(self.dependence, len(known))
        bound = None
        if self.measured:
            bound = limit(self.dependence, Counter(post.language or "" for post in known), len(known))
        human = row.human if self.measured and row is not None else None
        return _Answer(tested(self.dependence, self.values(known)), bound, math.log(tests), human)


def _or_nan(value: float | None) -> float:
    return math.nan if value is None else value


def _answer(asked: _Asked | None, posts: Sequence[AccountPost], tests: int = 1) -> _Answer | None:
    """The answer to a question; None where it was not fitted, or no post has log-odds."""
    return None if asked is None else asked.answer(posts, tests)


@dataclass(frozen=True)
class _Judge:
    """Judges some posts of an account.

    Attributes:
        machine: whether they were translated by a machine.
        translated: whether by anyone; None where that was not fitted.
        rudimentary: whether their wording is rudimentary; None where that was not fitted.
        unmeasured: why no threshold holds for these posts, or for one of the questions.
    """

    machine: _Asked
    translated: _Asked | None
    rudimentary: _Asked | None
    unmeasured: Sequence[Note]

    @classmethod
    def of(cls, posts: Sequence[AccountPost], model: AccountModel) -> _Judge:
        """The judge of these posts and of any part of them."""
        notes = _unmeasured(posts)
        measured = not notes
        machine = _Asked(model.machine, lambda post: post.machine, measured)
        translated = rudimentary = None
        if model.translated is not None:
            translated = _Asked(model.translated, lambda post: post.translated, measured)
        if model.rudimentary is not None:
            rudimentary = _Asked(model.rudimentary, lambda post: post.rudimentary, measured)
        return cls(machine, translated, rudimentary, [*notes, *_languages_unmeasured(posts, model)])

    def judge(self, posts: Sequence[AccountPost], tests: int = 1) -> Judged:
        """Judge posts together.

        Args:
            posts: at least one, scored.
            tests: how many parts of the account are tested: its threshold is stricter by ``log(tests)``, as
                the chance of a human account above a log-odds falls with it at least that fast.
        """
        machine = self.machine.answer(posts, tests)
        assert machine is not None  # every post that gets here has a probability
        other, clumsy = (_answer(asked, posts, tests) for asked in (self.translated, self.rudimentary))
        return Judged(
            posts=len(posts),
            verdict=_verdict(machine, other, clumsy),
            machine_translated=machine.probability,
            machine_translated_interval=machine.interval,
            translated=None if other is None else other.probability,
            rudimentary=None if clumsy is None else clumsy.probability,
            threshold=_threshold(machine),
        )


def _verdict(machine: _Answer, other: _Answer | None, clumsy: _Answer | None) -> AccountVerdict:
    """The first verdict that holds; what is written in its language was translated by nobody, and is not
    rudimentary."""
    if machine.reached:
        return "machine_translated"
    if clumsy is not None and clumsy.reached:
        return "rudimentary"
    if other is not None and other.reached:
        return "translated"
    plain = clumsy is None or clumsy.probability < 0.5
    if plain and machine.bound is not None and machine.cleared and other is not None and other.cleared:
        return "human_written"
    return "uncertain"


def _rounded(log_odds: float) -> float:
    return round(sigmoid(log_odds), 4)


def _threshold(answer: _Answer) -> AccountThreshold | None:
    if answer.bound is None or answer.cut is None:
        return None
    row = answer.bound.row
    return AccountThreshold(
        posts=row.posts,
        machine_translated=answer.cut,
        native=row.flagged.get("native"),
        translated=row.flagged.get("translated"),
        worst=row.worst,
        family=row.family,
    )


def _translated_threshold(answer: _Answer) -> TranslatedThreshold | None:
    if answer.bound is None or answer.cut is None:
        return None
    row = answer.bound.row
    return TranslatedThreshold(
        posts=row.posts, translated=answer.cut, native=row.flagged.get("native"), worst=row.worst,
        family=row.family,
    )  # fmt: skip


def _rudimentary_threshold(answer: _Answer) -> RudimentaryThreshold | None:
    if answer.bound is None or answer.cut is None:
        return None
    row = answer.bound.row
    return RudimentaryThreshold(
        posts=row.posts, rudimentary=answer.cut, native=row.flagged.get("native"),
        translated=row.flagged.get("translated"), worst=row.worst, family=row.family,
    )  # fmt: skip


def _distinct(scored: Sequence[AccountPost]) -> list[AccountPost]:
    """One post of each cluster of near-duplicates, with the day of the first; in an order of their own."""
    numbers = clusters([post.print for post in scored])
    members: dict[int, list[AccountPost]] = defaultdict(list)
    for number, post in zip(numbers, scored, strict=True):
        members[number].append(post)
    kept = []
    for same in members.values():
        days = [post.day for post in same if post.day is not None]
        kept.append(replace(min(same, key=_rank), day=min(days, default=None)))
    return sorted(kept, key=lambda post: (post.day or date.min, *_rank(post)))


def _rank(post: AccountPost) -> tuple[int, float, float, str, str]:
    """What orders posts, whatever their rows are."""
    exact = post.print.exact if post.print else 0
    return exact, post.machine or 0.0, post.translated or 0.0, post.language or "", post.id


def _notes(
    posts: Sequence[AccountPost],
    scored: Sequence[AccountPost],
    distinct: Sequence[AccountPost],
    given: int | None,
) -> list[Note]:
    notes = []
    if given is not None and given > len(posts):
        notes.append(words.sampled(len(posts), given))
    if 0 < len(distinct) < FEW:
        notes.append(words.few_posts(len(distinct)))
    if len(distinct) < len(scored):
        notes.append(words.near_duplicates(len(scored) - len(distinct)))
    if manuals := sum(post.technical for post in posts):
        notes.append(words.documentation(manuals))
    if missing := sum(post.print is None for post in scored):
        notes.append(words.texts_missing(missing))
    if (undated := sum(post.day is None for post in distinct)) and undated < len(distinct):
        notes.append(words.dates_missing(undated))
    languages = Counter(post.language or "?" for post in distinct)
    if len(languages) > 1:
        notes.append(words.languages_mixed(languages))
    return notes


def _unmeasured(posts: Sequence[AccountPost]) -> list[Note]:
    """Why no false-alarm rate is known for these posts, in any language."""
    notes = []
    if own := sorted({post.calibration for post in posts if post.calibration}):
        notes.append(words.calibration_unmeasured(own[0]))
    if others := sorted({post.version for post in posts if post.version not in (None, __version__)} - {None}):
        notes.append(words.version_unmeasured(str(others[0])))
    return notes


def _languages_unmeasured(posts: Sequence[AccountPost], model: AccountModel) -> list[Note]:
    """In which languages there is no threshold: none at all, or none for one of the questions."""
    machine, other, clumsy = (
        set(one.rows[0].cuts) if one is not None and one.rows else set()
        for one in (model.machine, model.translated, model.rudimentary)
    )
    codes = {post.language or "?" for post in posts}
    notes = []
    if unknown := sorted(codes - machine - other):
        notes.append(words.language_unmeasured(unknown))
    asked = {}
    if model.translated is not None and any(post.translated is not None for post in posts):
        asked = {"machine_translated": (machine, other), "translated": (other, machine)}
    judged = {post.language or "?" for post in posts if post.rudimentary is not None}
    if model.rudimentary is not None:
        asked["rudimentary"] = (clumsy, judged & (machine | other))
        if unasked := sorted((codes & (machine | other)) - judged):
            notes.append(words.not_asked(unasked))
    for verdict, (known, elsewhere) in asked.items():
        if missing := sorted((codes & elsewhere) - known):
            notes.append(words.question_unmeasured(missing, verdict))
    return notes


def _by_language(posts: Sequence[AccountPost]) -> dict[str, list[AccountPost]]:
    parts: dict[str, list[AccountPost]] = defaultdict(list)
    for post in posts:
        parts[post.language or "?"].append(post)
    return dict(sorted(parts.items(), key=lambda item: (-len(item[1]), item[0])))


def _parts(posts: Sequence[AccountPost], judge: _Judge) -> list[LanguagePart]:
    """Each language judged alone, held to a stricter threshold the more of them are."""
    parts = _by_language(posts)
    alone = [code for code, own in parts.items() if len(own) >= max(LEAST_PART, PART * len(posts))]
    tests = 1 if len(parts) == 1 else max(2, len(alone))
    found = []
    for code, own in parts.items():
        one = judge.judge(own, tests)
        if len(parts) > 1 and code not in alone:
            one = one.model_copy(update={"verdict": "uncertain"})
        found.append(LanguagePart(language=code, **dict(one)))
    return found


def _changes(posts: Sequence[AccountPost], judge: _Judge) -> list[Change]:
    dated = [post for post in posts if post.day is not None]
    kinds = judge.machine.dependence.kinds
    human = [kinds[kind].location for kind in ("native", "translated") if kind in kinds]
    if not human or "machine" not in kinds:
        return []
    least = max(0.5 * (kinds["machine"].location - float(np.mean(human))), 0.0)
    days = [post.day for post in dated if post.day is not None]
    found = change(judge.machine.values(dated), days, least)
    if found is None or found.p_value > CHANGE:
        return []
    before, after = dated[: found.place], dated[found.place :]
    return [
        Change(
            day=days[found.place], p_value=round(found.p_value, 4), before=judge.judge(before, 2),
            after=judge.judge(after, 2),
        )
    ]  # fmt: skip


_STARTS: dict[WindowSize, Callable[[date], date]] = {
    "day": lambda day: day,
    "week": lambda day: day - timedelta(days=day.weekday()),
    "month": lambda day: day.replace(day=1),
    "year": lambda day: day.replace(month=1, day=1),
}


def _windows(posts: Sequence[AccountPost], judge: _Judge, window: WindowSize) -> tuple[Window, ...]:
    parts: dict[date, list[AccountPost]] = defaultdict(list)
    for post in posts:
        if post.day is not None:
            parts[_STARTS[window](post.day)].append(post)
    # A window is shown, not tested: as many of them as there are would give false alarms.
    return tuple(
        Window(start=start, **(dict(judge.judge(own)) | {"verdict": "uncertain", "threshold": None}))
        for start, own in sorted(parts.items())
    )


def _loudest(given: Sequence[AccountPost], asked: _Asked, sign: int) -> tuple[LoudPost, ...]:
    """The posts furthest on one side of a question; on the other side of the middle none speaks for it."""
    posts = [post for post in given if asked.log_odds(post) is not None]
    values = asked.values(posts)
    order = sorted(range(len(posts)), key=lambda n: (-sign * values[n], posts[n].id, posts[n].row))
    return tuple(
        LoudPost(
            id=posts[n].id, row=posts[n].row, day=posts[n].day, language=posts[n].language,
            machine_translated=_rounded(posts[n].machine or 0.0),
            rudimentary=None if (said := posts[n].rudimentary) is None else _rounded(said),
            text=posts[n].text,
        )
        for n in order[:LOUDEST]
        if sign * values[n] > 0
    )  # fmt: skip
