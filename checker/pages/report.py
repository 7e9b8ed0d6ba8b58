"""A file of scores as one HTML page for people who did not make it: first what a verdict does not prove.

The page is a single file that loads nothing and runs nothing; printing it gives a tidy PDF. The same scores
give the same bytes. Its words are in ``templates/report.html.j2``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from checker.io.outcomes import Row
from checker.languages import name
from checker.pages import html, plots
from checker.pages.accounts import Collected
from checker.pages.post import ShownPost
from checker.pages.provenance import Origin, Used
from checker.pages.rates import PREVALENCES, Measured
from checker.pages.summary import Contents
from checker.result import Result
from checker.text import SHORTEST
from checker.verdict.advice import MEANINGS
from checker.verdict.model import BANDS

ACCOUNTS = 30
"""Accounts that have a row of their own, those with most posts."""

FEWEST = 10
"""Posts without which no share of them is given."""

Groups = Sequence[tuple[str, Counter[str]]]


@dataclass(frozen=True)
class Report:
    """All that the page says."""

    contents: Contents
    measured: Measured
    models: Sequence[Used]
    origin: Origin
    judged: Collected | None = None


def page(report: Report) -> str:
    """The report as one HTML page."""
    found, measured = report.contents, report.measured
    return html.page(
        "report.html.j2",
        contents=found,
        counts=found.counts,
        measured=measured,
        models=report.models,
        origin=report.origin,
        languages_by_number=sorted(found.counts.languages.items(), key=lambda item: (-item[1], item[0])),
        languages=[(_language(code), counts) for code, counts in _largest(found.languages)],
        accounts=_accounts(found.accounts),
        judged=report.judged.accounts if report.judged else [],
        unshown=report.judged.count - len(report.judged.accounts) if report.judged else 0,
        no_account=_missing(found.accounts.values(), found),
        months=_months(found.days),
        no_date=_missing(found.days.values(), found),
        histogram=plots.histogram(found.histogram) if found.with_probability else None,
        timeline=plots.timeline(found.days) if found.days else None,
        curve=_curve(measured),
        lengths=[f"{shortest} to {longest}" for shortest, longest in BANDS.extents()],
        prevalences=PREVALENCES,
        fewest=FEWEST,
        shortest=SHORTEST,
        most=_shown(found.most),
        least=_shown(found.least),
        with_text=any(result.sentences or row.text for row, result in found.most),
        headline=headline(found),
        meanings=MEANINGS,
    )


def headline(found: Contents) -> str:
    """What is in the file, in one sentence."""
    verdicts = found.counts.verdicts
    posts, scored = verdicts.total(), verdicts.total() - verdicts["not_scored"]
    if not scored:
        return f"None of {posts} posts could be scored."
    parts = [
        f"{verdicts[verdict]} {'is' if verdicts[verdict] == 1 else 'are'} {says}"
        for verdict, says in (
            ("machine_translated", "called machine-translated"),
            ("rudimentary", "called rudimentary, as if translated word for word"),
            ("translated", "called translated, by a person or a machine"),
        )
        if verdicts[verdict]
    ]
    listed = ", ".join(parts) or "none is called translated or rudimentary"
    said = f"Of {scored} posts that were scored, {listed}"
    return (
        f"{said}; of {verdicts['uncertain']} the tool cannot tell." if verdicts["uncertain"] else f"{said}."
    )


def _shown(posts: Iterable[tuple[Row, Result]]) -> list[ShownPost]:
    return [ShownPost(place, row, result) for place, (row, result) in enumerate(posts, 1)]


def _largest(groups: Mapping[str, Counter[str]]) -> Groups:
    """Groups by their number of posts."""
    return sorted(groups.items(), key=lambda item: (-item[1].total(), item[0]))


def _accounts(groups: Mapping[str, Counter[str]]) -> Groups:
    """Those with most posts, and the others as one."""
    ranked = _largest(groups)
    if others := ranked[ACCOUNTS:]:
        rest: Counter[str] = Counter()
        for _, counts in others:
            rest.update(counts)
        return [*ranked[:ACCOUNTS], (f"{len(others)} more", rest)]
    return ranked


def _months(days: Mapping[date, Counter[str]]) -> Groups:
    months: dict[str, Counter[str]] = {}
    for day, counts in sorted(days.items()):
        months.setdefault(f"{day:%Y-%m}", Counter()).update(counts)
    return list(months.items())


def _missing(groups: Iterable[Counter[str]], found: Contents) -> int:
    """Posts that are in no group."""
    return found.counts.verdicts.total() - sum(counts.total() for counts in groups)


def _curve(measured: Measured) -> str | None:
    if not measured.rates or measured.overall is None or not measured.overall.bins:
        return None
    main = measured.rates[0]
    return plots.reliability(measured.overall, {name(main.language): main.reliability})


def _language(code: str) -> str:
    return "not identified" if code == "?" else name(code)
