"""How well accounts are judged, on labelled posts: ``checker evaluate --by`` without its files."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple, get_args

from pydantic import Field

from checker import statistics as stats
from checker.account.combine import combine
from checker.account.duplicates import fingerprint
from checker.account.file import AccountModel, shipped
from checker.account.post import SHOWN, AccountPost
from checker.account.record import Account, AccountVerdict
from checker.errors import InputError
from checker.evaluation.labelled import Kind, LabelledPost
from checker.evaluation.result import LEAST, Estimate, Share
from checker.evaluation.scores import Score
from checker.result import Record
from checker.verdict.model import logit
from checker.version import __version__

SIZES = (1, 2, 3, 5, 10, 20, 50)
"""Numbers of posts from which accounts are reported together."""


class AccountFigures(Record):
    """The figures of the accounts with so many posts."""

    name: str = Field(description="Number of distinct posts: ``10–19``, or ``all``.")
    accounts: dict[str, int] = Field(
        description="Accounts by kind: native, translated (by a human), machine."
    )
    native_flagged: Share = Field(description="Share of native accounts called machine_translated.")
    translated_flagged: Share = Field(description="The same of accounts of human translations.")
    machine_flagged: Share = Field(description="Share of machine accounts found.")
    verdicts: dict[str, dict[AccountVerdict, int]] = Field(description="Accounts by kind and verdict.")
    auc_native: Estimate | None = Field(description="Of the probability, machine against native accounts.")
    auc_translated: Estimate | None = Field(description="The same against human translations.")


class AccountEvaluation(Record):
    """What ``checker evaluate --by`` measured."""

    by: str = Field(description="The column with the account.")
    version: str
    posts: int = Field(description="Posts with an account.")
    left_out: dict[str, int] = Field(
        description="Accounts with posts of several kinds (``mixed``), and posts without an account."
    )
    overall: AccountFigures
    sizes: tuple[AccountFigures, ...] = Field(description="By number of distinct posts.")
    languages: tuple[AccountFigures, ...] = Field(description="By language of most posts.")


class Labelled(NamedTuple):
    """An account of one kind, judged."""

    kind: Kind
    account: Account


def evaluate_accounts(
    scored: Iterable[tuple[LabelledPost, Score]],
    by: str,
    model: AccountModel | None = None,
    *,
    resamples: int = 1000,
    seed: int = 0,
) -> AccountEvaluation:
    """Judge the accounts of labelled posts and compare with their labels.

    Args:
        scored: labelled posts with their scores; the account is in ``extra``.
        by: its key there.
        model: by default that which ships.
        resamples, seed: of the bootstrap.

    Raises:
        InputError: no post has an account, or no account has posts of one kind only.
    """
    model = model or shipped()
    posts: dict[str, list[AccountPost]] = defaultdict(list)
    kinds: dict[str, set[Kind]] = defaultdict(set)
    nameless = 0
    for post, score in scored:
        if (name := post.extra.get(by)) is None:
            nameless += 1
            continue
        kinds[name].add(post.kind)
        posts[name].append(_account_post(post, score))
    if not posts:
        raise InputError(f"No post has a {by!r}.", fix="Name the column with the account: --by COLUMN.")
    judged = [
        Labelled(kind, combine(name, posts[name], model))
        for name, (kind, *others) in sorted(kinds.items())
        if not others
    ]
    if not judged:
        raise InputError("Every account has posts of several kinds.", fix="Label each account as one kind.")

    def figures(name: str, part: Sequence[Labelled]) -> AccountFigures:
        return _figures(name, part, resamples, seed)

    return AccountEvaluation(
        by=by,
        version=__version__,
        posts=sum(map(len, posts.values())),
        left_out={"mixed": len(posts) - len(judged), "posts": nameless},
        overall=figures("all", judged),
        sizes=tuple(figures(name, part) for name, part in _by_size(judged)),
        languages=tuple(figures(name, part) for name, part in _by_language(judged)),
    )


def _account_post(post: LabelledPost, score: Score) -> AccountPost:
    return AccountPost(
        id=post.id,
        row=post.row,
        machine=None if score.probability is None or score.technical else logit(score.probability),
        translated=None if score.translated is None or score.technical else logit(score.translated),
        rudimentary=None if score.rudimentary is None or score.technical else logit(score.rudimentary),
        language=score.language or post.language,
        text=post.text[:SHOWN] or None,
        print=fingerprint(post.text),
        calibration=score.models.get("calibration"),
        version=score.version,
        technical=score.technical,
    )


def _by_size(judged: Sequence[Labelled]) -> list[tuple[str, list[Labelled]]]:
    found = []
    for number, low in enumerate(SIZES):
        high = SIZES[number + 1] - 1 if number + 1 < len(SIZES) else None
        part = [one for one in judged if low <= one.account.posts.distinct <= (high or 10**9)]
        if part:
            found.append(
                (f"{low} or more" if high is None else str(low) if low == high else f"{low}–{high}", part)
            )
    return found


def _by_language(judged: Sequence[Labelled]) -> list[tuple[str, list[Labelled]]]:
    found: dict[str, list[Labelled]] = defaultdict(list)
    for one in judged:
        if one.account.languages:
            found[one.account.languages[0].language].append(one)
    return sorted(found.items())


def _figures(name: str, part: Sequence[Labelled], resamples: int, seed: int) -> AccountFigures:
    kinds = Counter(one.kind for one in part)
    verdicts = Counter((one.kind, one.account.verdict) for one in part)

    def flagged(kind: Kind) -> Share:
        count, total = verdicts[kind, "machine_translated"], kinds[kind]
        if total < LEAST:
            return Share(count=count, posts=total, value=None, low=None, high=None)
        low, high = stats.rate_interval(count, total)
        return Share(
            count=count, posts=total, value=round(count / total, 4), low=round(low, 4), high=round(high, 4)
        )

    def auc(kind: Kind) -> Estimate | None:
        pairs = [
            (one.account.machine_translated, one.kind == "machine")
            for one in part
            if one.kind in (kind, "machine") and one.account.machine_translated is not None
        ]
        machines = sum(machine for _, machine in pairs)
        if min(machines, len(pairs) - machines) < LEAST:
            return None
        counts = stats.tally([said or 0.0 for said, _ in pairs], [machine for _, machine in pairs])
        low, high = stats.bootstrap(counts, {"auc": stats.auc}, resamples, seed)["auc"]
        return Estimate(value=round(float(stats.auc(counts)), 4), low=round(low, 4), high=round(high, 4))

    return AccountFigures(
        name=name,
        accounts={kind: kinds[kind] for kind in get_args(Kind)},
        native_flagged=flagged("native"),
        translated_flagged=flagged("translated"),
        machine_flagged=flagged("machine"),
        verdicts={
            kind: {verdict: verdicts[kind, verdict] for verdict in get_args(AccountVerdict)}
            for kind in get_args(Kind)
        },
        auc_native=auc("native"),
        auc_translated=auc("translated"),
    )
