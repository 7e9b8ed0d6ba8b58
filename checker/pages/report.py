"""A file of scores as one HTML page for people who did not make it: first what a verdict does not prove.

The page is a single file that loads nothing and runs nothing; printing it gives a tidy PDF. The same scores
give the same bytes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from checker.languages import name
from checker.pages import html, plots, post, prose
from checker.pages.accuracy import accuracy
from checker.pages.html import table, text
from checker.pages.post import label
from checker.pages.provenance import Origin, Used
from checker.pages.rates import Measured
from checker.pages.summary import Contents
from checker.verdict.advice import VERDICTS

ACCOUNTS = 30
"""Accounts that have a row of their own, those with most posts."""

FEWEST = 10
"""Posts without which no share of them is given."""


@dataclass(frozen=True)
class Report:
    """All that the page says."""

    contents: Contents
    measured: Measured
    models: Sequence[Used]
    origin: Origin


def page(report: Report) -> str:
    """The report as one HTML page."""
    found, measured = report.contents, report.measured
    parts = (
        prose.first(measured),
        _summary(report),
        _histogram(found),
        _languages(found),
        _accounts(found),
        _days(found),
        accuracy(measured) if found.with_probability else iter(()),
        _posts(found),
        prose.method(measured),
        prose.limits(measured),
        _provenance(report),
    )
    body = [f"<section>\n{content}\n</section>" for part in parts if (content := "\n".join(part))]
    return html.page("Were these posts machine-translated?", body, f"{_STYLE}\n{post.STYLE}")


_STYLE = """
.first { border: 3px solid #d55e00; border-radius: .4rem; padding: 0 1rem; }
th:first-child { min-width: 6.5rem; }
figure.square { max-width: 34rem; }
@page { margin: 18mm 15mm; }
@media print { .first { break-inside: avoid; } }
""".strip()


def _summary(report: Report) -> Iterator[str]:
    found, counts = report.contents, report.contents.counts
    yield "<h2>Summary</h2>"
    if report.origin.date is not None:
        yield f"<p>Date: {text(report.origin.date)}</p>"
    rows = [(VERDICTS[verdict], _count(counts.verdicts, verdict)) for verdict in VERDICTS]
    rows += [("all posts", str(counts.verdicts.total())), ("bad rows of the input", str(counts.errors))]
    if found.unread:
        rows.append(("rows of the scores that hold none, left out", str(found.unread)))
    yield table("", ("verdict", "posts"), rows)
    ranked = sorted(counts.languages.items(), key=lambda item: (-item[1], item[0]))
    if ranked:
        yield f"<p>Languages: {', '.join(f'{_language(code)} {count}' for code, count in ranked)}.</p>"
    yield (
        "<p>Uncertain means that the evidence is too weak for a verdict at the error rate that was asked "
        "for. Not scored are posts that are too short, or in no language that the checker knows.</p>"
    )


def _histogram(found: Contents) -> Iterator[str]:
    if found.with_probability:
        yield "<h2>Probabilities</h2>\n<figure>"
        yield plots.histogram(found.histogram)
        yield (
            "<figcaption>Posts by calibrated probability of machine translation. Colours and hatching are "
            "the verdicts. The cut depends on language and length, so they overlap.</figcaption></figure>"
        )


def _languages(found: Contents) -> Iterator[str]:
    groups = found.languages
    if groups:
        ranked = sorted(groups, key=lambda code: (-groups[code].total(), code))
        yield "<h2>By language</h2>"
        yield _verdicts("language", [(_language(code), groups[code]) for code in ranked])


def _accounts(found: Contents) -> Iterator[str]:
    groups = found.accounts
    if not groups:
        return
    ranked = sorted(groups, key=lambda account: (-groups[account].total(), account))
    rows = [(label(account), groups[account]) for account in ranked[:ACCOUNTS]]
    if others := ranked[ACCOUNTS:]:
        rest: Counter[str] = Counter()
        for account in others:
            rest.update(groups[account])
        rows.append((f"{len(others)} more", rest))
    yield "<h2>By account</h2>"
    yield _verdicts("account", rows)
    yield (
        "<p>In the order of the number of posts. A share of flagged posts says little about an account: "
        "where 1 % of human posts are flagged, every account with enough of them has some.</p>"
    )
    yield from _without("account", groups.values(), found)


def _days(found: Contents) -> Iterator[str]:
    if not found.days:
        return
    months: dict[str, Counter[str]] = {}
    for day, verdicts in sorted(found.days.items()):
        months.setdefault(f"{day:%Y-%m}", Counter()).update(verdicts)
    yield "<h2>By date</h2>\n<figure>"
    yield plots.timeline(found.days)
    yield "<figcaption>Posts by date and verdict.</figcaption></figure>"
    yield _verdicts("month", list(months.items()))
    yield from _without("date", found.days.values(), found)


def _without(fact: str, groups: Iterable[Counter[str]], found: Contents) -> Iterator[str]:
    if missing := found.counts.verdicts.total() - sum(verdicts.total() for verdicts in groups):
        yield f"<p>Posts with no known {fact}: {missing}.</p>"


def _verdicts(heading: str, rows: Sequence[tuple[str, Counter[str]]]) -> str:
    cells = (
        [group, str(counts.total()), *(_count(counts, verdict) for verdict in VERDICTS)]
        for group, counts in rows
    )
    return table("", (heading, "posts", *VERDICTS.values()), cells)


def _posts(found: Contents) -> Iterator[str]:
    if not found.most:
        return
    yield "<h2>The most suspicious posts</h2>"
    yield "<p>By probability. A high place on this list is no verdict.</p>"
    if any(result.sentences for _, result in found.most):
        yield post.LEGEND
    else:
        yield "<p>A table of scores has no sentences: make this report from .jsonl to see them.</p>"
    for place, (row, result) in enumerate(found.most, 1):
        yield from post.article(row, result, place)
    if found.least:
        yield "<h2>The least suspicious posts</h2>"
    for place, (row, result) in enumerate(found.least, 1):
        yield from post.article(row, result, place)


def _provenance(report: Report) -> Iterator[str]:
    origin = report.origin
    yield "<h2>Where this report comes from</h2>"
    yield f"<p>Made by statement-checker {text(origin.version)} with:</p>"
    yield f"<p><code>{text(origin.command)}</code></p>"
    files = [[what, label(file), _digest(digest)] for what, (file, digest) in origin.files.items()]
    yield table("Files", ("file", "name", "sha256"), files)
    if report.models:
        named = report.contents.counts.models
        profiles = ", ".join(sorted(named.get("profile", ())))
        arithmetic = (
            f", computed with {text(', '.join(sorted(found)))}" if (found := named.get("arithmetic")) else ""
        )
        models = [[text(used.task), label(used.label), _digest(used.digest)] for used in report.models]
        yield table("Models", ("task", "name@revision", "sha256"), models)
        yield (
            f"<p>Profile: {text(profiles)}{arithmetic}. The sha256 of a model is that of its entry in "
            "models.lock, which has those of its files; that of any other is of its file.</p>"
        )


def _digest(digest: str | None) -> str:
    return f"<code>{digest}</code>" if digest else "not on this machine"


def _count(counts: Counter[str], verdict: str) -> str:
    """A number of posts, with its share if there are enough."""
    total, count = counts.total(), counts[verdict]
    return f"{count}<small>{prose.percent(count / total)}</small>" if total >= FEWEST else str(count)


def _language(code: str) -> str:
    return "not identified" if code == "?" else text(name(code))
