"""What the judgement on an account says in English."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from checker.account.record import (
    Account,
    AccountThreshold,
    Change,
    Judged,
    LanguagePart,
    Note,
    RudimentaryThreshold,
)
from checker.account.share import Estimated
from checker.languages import name
from checker.text import in_hundred, percent


def _posts(count: int) -> str:
    return "1 post" if count == 1 else f"{count:,} posts"


def _language(code: str) -> str:
    return "no identified language" if code == "?" else name(code)


def _listed(items: Sequence[str]) -> str:
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"


def not_scored() -> Note:
    return Note(
        code="not_scored",
        text="No post of this account could be scored, or all of them read like documentation.",
    )


def documentation(count: int) -> Note:
    reads, does = ("reads", "does") if count == 1 else ("read", "do")
    text = f"{_posts(count)} {reads} like documentation or instructions and {does} not count."
    return Note(code="documentation", text=text)


def sampled(taken: int, given: int) -> Note:
    text = f"The account has {_posts(given)}; {taken:,} of them, drawn at random, were judged."
    return Note(code="sampled", text=text)


def few_posts(count: int) -> Note:
    verb = "counts" if count == 1 else "count"
    text = f"Only {_posts(count)} of this account {verb}: most machine translation is missed with so few."
    return Note(code="few_posts", text=text)


def near_duplicates(count: int) -> Note:
    verb = (
        "repeats or quotes another one of the account and was"
        if count == 1
        else "repeat or quote others and were"
    )
    text = f"{_posts(count)} {verb} not counted again."
    return Note(code="near_duplicates", text=text)


def texts_missing(count: int) -> Note:
    text = f"{_posts(count)} came without text, so repeated ones among them were counted more than once."
    return Note(code="texts_missing", text=text)


def dates_missing(count: int) -> Note:
    text = f"{_posts(count)} have no date and are not on the timeline."
    return Note(code="dates_missing", text=text)


def languages_mixed(languages: Mapping[str, int]) -> Note:
    told = _listed([f"{_posts(count)} in {_language(code)}" for code, count in languages.items()])
    return Note(code="languages_mixed", text=f"The account writes in several languages: {told}.")


def languages_differ(parts: Sequence[LanguagePart]) -> Note:
    told = "; ".join(f"{_language(part.language)}: {_side(part)}" for part in parts)
    return Note(code="languages_differ", text=f"The languages of this account differ. {told}.")


def mixed_posts(part: Estimated) -> Note:
    text = (
        "Human and machine posts seem to stand side by side: the posts differ more than those of an account "
        f"of one kind. About {percent(part.value)} of them are machine-translated (95 % interval "
        f"{percent(part.low)} to {percent(part.high)})."
    )
    return Note(code="mixed_posts", text=text)


def changed(found: Change) -> Note:
    text = (
        f"The account writes differently from {found.day.isoformat()} on. Before: {_side(found.before)}. "
        f"After: {_side(found.after)}. In random orders of its posts so clear a change comes up with a "
        f"probability of {found.p_value:.4f}."
    )
    return Note(code="change", text=text)


def _side(judged: Judged) -> str:
    said = {"translated": judged.translated, "rudimentary": judged.rudimentary}
    probability = said.get(judged.verdict, judged.machine_translated)
    shown = "" if probability is None else f", probability {percent(probability)}"
    verdict = judged.verdict.replace("_", "-")
    return f"{_posts(judged.posts)}, {verdict}{shown}"


def language_unmeasured(codes: Sequence[str]) -> Note:
    told = _listed([_language(code) for code in codes])
    text = f"No false-alarm rate of accounts was measured for posts in {told}, so there is no verdict."
    return Note(code="language_unmeasured", text=text)


def question_unmeasured(codes: Sequence[str], verdict: str) -> Note:
    told = _listed([_language(code) for code in codes])
    text = (
        f"No account with posts in {told} is called {verdict.replace('_', '-')}: too few accounts in that "
        "language were measured to know its false-alarm rate."
    )
    return Note(code="question_unmeasured", text=text)


def not_asked(codes: Sequence[str]) -> Note:
    """Languages in which no post has a probability of rudimentary wording."""
    told = _listed([_language(code) for code in codes])
    text = f"Whether the wording is rudimentary was not judged for any post in {told}."
    return Note(code="question_unmeasured", text=text)


def calibration_unmeasured(label: str) -> Note:
    text = (
        f"The posts were judged by a calibration of your own ({label}), for which no false-alarm rate of "
        "accounts was measured, so there is no verdict on the account."
    )
    return Note(code="calibration_unmeasured", text=text)


def version_unmeasured(version: str) -> Note:
    text = (
        f"Posts were scored by version {version}, for which no false-alarm rate of accounts is known here, "
        "so there is no verdict. Score them again."
    )
    return Note(code="version_unmeasured", text=text)


def _chance(probability: float, account: Account, what: str) -> str:
    """How many accounts like this are what a question asks."""
    said = f"{in_hundred(probability)} accounts with {_posts(account.posts.distinct)} like these were {what}"
    return f"{said}, where half of all accounts are."


def _translated(account: Account) -> list[str]:
    """Why the verdict is ``translated``."""
    threshold = account.translated_threshold
    if account.translated is None:
        return []
    told = [_chance(account.translated, account, "translated, by a person or a machine")]
    if threshold is not None:
        share = "no known share" if threshold.native is None else percent(threshold.native, 1)
        told.append(
            f"The threshold for translated accounts of {_posts(threshold.posts)} or more is "
            f"{percent(threshold.translated)}; {share} of native accounts, of sources that it was not set "
            "on, reached it."
        )
    return told


def _rudimentary(account: Account) -> list[str]:
    """Why the verdict is ``rudimentary``, or nearly."""
    threshold = account.rudimentary_threshold
    if account.rudimentary is None:
        return []
    told = [_chance(account.rudimentary, account, "worded as if translated word for word")]
    if threshold is not None:
        told.append(
            f"The threshold for rudimentary accounts of {_posts(threshold.posts)} or more is "
            f"{percent(threshold.rudimentary)}; {_reached(threshold)} of sources that it was not set on "
            "reached it."
        )
    return told


def _reached(threshold: AccountThreshold | RudimentaryThreshold) -> str:
    """The shares of human accounts that reached a threshold."""
    rates = [
        f"{percent(rate, 1)} of {kind}"
        for rate, kind in (
            (threshold.native, "native accounts"),
            (threshold.translated, "accounts of human translations"),
        )
        if rate is not None
    ]
    return " and ".join(rates) or "no known share"


def reasons(account: Account) -> tuple[str, ...]:
    """Why the verdict is what it is."""
    if account.machine_translated is None:
        return ()
    told = [_chance(account.machine_translated, account, "machine-translated")]
    if account.verdict == "translated":
        told = [*_translated(account), *told]
    if account.verdict == "rudimentary":
        told = [*_rudimentary(account), *told]
    if (threshold := account.threshold) is not None:
        told.append(
            f"The threshold for {_posts(threshold.posts)} or more is {percent(threshold.machine_translated)}"
            f"; {_reached(threshold)} of sources that it was not set on reached it."
        )
    share, interval = account.share_machine_translated, account.share_interval
    several = account.posts.distinct > 1
    if several and interval is not None and share is None:
        told.append("How many of the posts are machine-translated cannot be told.")
    elif several and share is not None and interval is not None:
        told.append(
            f"About {percent(share)} of the posts are likely to be machine-translated (95 % interval "
            f"{percent(interval.low)} to {percent(interval.high)})."
        )
    if account.verdict != "rudimentary" and account.rudimentary is not None and account.rudimentary >= 0.5:
        told += _rudimentary(account)
    return tuple(told)
