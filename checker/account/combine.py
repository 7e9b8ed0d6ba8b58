"""Many posts, one judgement: duplicates out, log-odds together, a threshold for their number."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import pairwise
from typing import Literal, get_args

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

PART = 0.2
"""Share of the posts from which those of a language are judged alone as well."""

LEAST_PART = 3
"""Posts without which those of a language, or of one side of a change, are not judged alone."""

CHANGE = 0.01
"""Greatest p-value of a change that is reported."""


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
    counts = Posts(given=given or len(all_posts), scored=len(scored), distinct=len(distinct))
    days = [post.day for post in all_posts if post.day is not None]
    first, last = (min(days), max(days)) if days else (None, None)
    if not distinct:
        return Account(
            account=account, verdict="not_scored", posts=counts, first_day=first, last_day=last,
            warnings=(*notes, words.not_scored()), version=__version__,
        )  # fmt: skip
    judge = _Judge(model.machine, _unmeasured(distinct, model))
    return _judged(account, distinct, counts, (first, last), notes, judge, model, window)


def _judged(
    account: str,
    distinct: Sequence[AccountPost],
    counts: Posts,
    extent: tuple[date | None, date | None],
    notes: list[Note],
    judge: _Judge,
    model: AccountModel,
    window: WindowSize,
) -> Account:
    whole = judge.judge(distinct)
    parts = _parts(distinct, judge)
    changes = _changes(distinct, judge)
    values = judge.values(distinct)
    dependence = model.machine
    log_ratios = dependence.gain * values
    part = _share(log_ratios, dependence, changes)
    row = row_for(dependence, len(values))
    spread = float(values.std(ddof=1)) if len(values) > 1 else 0.0
    wide = row is not None and row.spread is not None and spread > row.spread
    mixed = bool(changes) or (len(values) >= judge.least_spread and wide and 0.1 < part.value < 0.9)
    verdict = whole.verdict
    alone = [one.language for one in parts if len(parts) > 1 and one.verdict == "machine_translated"]
    sides = [side for found in changes for side in (found.before, found.after)]
    if alone or any(side.verdict == "machine_translated" for side in sides):
        verdict = "machine_translated"
    translated, translated_interval, is_translated = _translated(distinct, model, judge.unmeasured)
    if verdict != "machine_translated" and is_translated:
        verdict = "translated"
    if verdict == "human_written" and mixed:
        verdict = "uncertain"
    notes = [*notes, *judge.unmeasured]
    if mixed and not changes:
        notes.append(words.mixed_posts(part))
    notes += [words.changed(found) for found in changes]
    verdicts = {one.verdict for one in parts}
    if alone or (len(parts) > 1 and {"machine_translated", "human_written"} <= verdicts):
        notes.append(words.languages_differ(parts))
    threshold = whole.threshold
    rates = (
        [rate for rate in (threshold.native, threshold.translated) if rate is not None] if threshold else []
    )
    found = Account(
        account=account,
        verdict=verdict,
        machine_translated=whole.machine_translated,
        machine_translated_interval=whole.machine_translated_interval,
        translated=translated,
        translated_interval=translated_interval,
        false_alarm_rate=max(rates) if rates else None,
        threshold=threshold,
        posts=counts,
        first_day=extent[0],
        last_day=extent[1],
        share_machine_translated=part.value,
        share_interval=Interval(low=part.low, high=part.high),
        mixed=mixed,
        languages=tuple(parts),
        windows=_windows(distinct, judge, window),
        changes=tuple(changes),
        loudest_for=_loudest(distinct, values, 1),
        loudest_against=_loudest(distinct, values, -1),
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


@dataclass(frozen=True)
class _Judge:
    """Judges some posts of an account.

    Attributes:
        dependence: what was fitted.
        unmeasured: why no threshold holds for these posts; empty where one may.
    """

    dependence: Dependence
    unmeasured: Sequence[Note]
    least_spread: int = 5

    def values(self, posts: Sequence[AccountPost]) -> Floats:
        """Log-odds of the posts, each less the middle of its language."""
        return np.array(
            [centred(self.dependence, post.machine or 0.0, post.language or "") for post in posts]
        )

    def judge(self, posts: Sequence[AccountPost], tests: int = 1) -> Judged:
        """Judge posts together.

        Args:
            posts: at least one, scored.
            tests: how many parts of the account are tested: its threshold is stricter by ``log(tests)``, as
                the chance of a human account above a log-odds falls with it at least that fast.
        """
        found = tested(self.dependence, self.values(posts))
        bound = None if self.unmeasured else self._limit(posts)
        stricter = math.log(tests)
        return Judged(
            posts=len(posts),
            verdict=self._verdict(found, bound, stricter),
            machine_translated=_rounded(found.log_odds),
            machine_translated_interval=Interval(low=_rounded(found.low), high=_rounded(found.high)),
            threshold=None if bound is None else _threshold(bound, stricter),
        )

    def _limit(self, posts: Sequence[AccountPost]) -> Limit | None:
        languages = Counter(post.language or "" for post in posts)
        return limit(self.dependence, languages, len(posts))

    def _verdict(self, found: Tested, bound: Limit | None, stricter: float) -> AccountVerdict:
        if bound is None:
            return "uncertain"
        if found.log_odds >= bound.log_odds + stricter:
            return "machine_translated"
        human = bound.row.human
        return "human_written" if human is not None and found.mean <= human else "uncertain"


def _rounded(log_odds: float) -> float:
    return round(sigmoid(log_odds), 4)


def _threshold(bound: Limit, stricter: float) -> AccountThreshold:
    row = bound.row
    return AccountThreshold(
        posts=row.posts,
        machine_translated=_rounded(bound.log_odds + stricter),
        native=row.flagged.get("native"),
        translated=row.flagged.get("translated"),
        worst=row.worst,
        family=row.family,
    )


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
    if missing := sum(post.print is None for post in scored):
        notes.append(words.texts_missing(missing))
    if (undated := sum(post.day is None for post in distinct)) and undated < len(distinct):
        notes.append(words.dates_missing(undated))
    languages = Counter(post.language or "?" for post in distinct)
    if len(languages) > 1:
        notes.append(words.languages_mixed(languages))
    return notes


def _unmeasured(posts: Sequence[AccountPost], model: AccountModel) -> list[Note]:
    """Why no false-alarm rate is known for these posts."""
    notes = []
    if own := sorted({post.calibration for post in posts if post.calibration}):
        notes.append(words.calibration_unmeasured(own[0]))
    if others := sorted({post.version for post in posts if post.version not in (None, __version__)} - {None}):
        notes.append(words.version_unmeasured(str(others[0])))
    known = set(model.machine.rows[0].cuts) if model.machine.rows else set()
    if unknown := sorted({post.language or "?" for post in posts} - known):
        notes.append(words.language_unmeasured(unknown))
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
    kinds = judge.dependence.kinds
    human = [kinds[kind].location for kind in ("native", "translated") if kind in kinds]
    if not human or "machine" not in kinds:
        return []
    least = max(0.5 * (kinds["machine"].location - float(np.mean(human))), 0.0)
    days = [post.day for post in dated if post.day is not None]
    found = change(judge.values(dated), days, least)
    if found is None or found.p_value > CHANGE:
        return []
    before, after = dated[: found.place], dated[found.place :]
    return [
        Change(
            day=days[found.place], p_value=round(found.p_value, 4), before=judge.judge(before, 2),
            after=judge.judge(after, 2),
        )
    ]  # fmt: skip


def _translated(
    posts: Sequence[AccountPost], model: AccountModel, unmeasured: Sequence[Note]
) -> tuple[float | None, Interval | None, bool]:
    """Probability of a translation by anyone, its interval, and whether it reaches its threshold."""
    known = [post for post in posts if post.translated is not None and math.isfinite(post.translated)]
    dependence = model.translated
    if dependence is None or not known:
        return None, None, False
    values = np.array([centred(dependence, post.translated or 0.0, post.language or "") for post in known])
    found = tested(dependence, values)
    bound = None
    if not unmeasured:
        bound = limit(dependence, Counter(post.language or "" for post in known), len(known))
    reached = bound is not None and found.log_odds >= bound.log_odds
    return _rounded(found.log_odds), Interval(low=_rounded(found.low), high=_rounded(found.high)), reached


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


def _loudest(posts: Sequence[AccountPost], values: Floats, sign: int) -> tuple[LoudPost, ...]:
    """The posts furthest on one side; on the other side of the middle none speaks for it."""
    order = sorted(range(len(posts)), key=lambda n: (-sign * values[n], posts[n].id, posts[n].row))
    return tuple(
        LoudPost(
            id=posts[n].id, row=posts[n].row, day=posts[n].day, language=posts[n].language,
            machine_translated=_rounded(posts[n].machine or 0.0), text=posts[n].text,
        )
        for n in order[:LOUDEST]
        if sign * values[n] > 0
    )  # fmt: skip
