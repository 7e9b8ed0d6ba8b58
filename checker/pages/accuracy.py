"""How often verdicts like those of a file were wrong, as HTML: rates, cuts and the reliability curve."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from checker.languages import name
from checker.pages import plots
from checker.pages.html import table, text
from checker.pages.prose import PREVALENCES, kind, percent
from checker.pages.rates import Measured, Rate
from checker.verdict.file import Threshold
from checker.verdict.model import BANDS

_DASH = "–"


def accuracy(measured: Measured) -> Iterator[str]:
    """The section as HTML."""
    yield "<h2>How often such verdicts were wrong</h2>"
    for what, posts in measured.unknown.items():
        yield (
            f"<p>Judged by {text(what)}, whose error rates are not at hand: {posts} posts. Make this report "
            "with the version that scored them, and name a calibration of your own with --calibration.</p>"
        )
    if not measured.rates:
        return
    yield (
        "<p>As measured when the verdict was fitted, on posts that the fit had not seen. The cuts were set "
        "on the same human posts, which could reach them no more often than was asked for: later texts can "
        "do worse. Intervals are of 95 % (Clopper and Pearson 1934).</p>"
    )
    yield _rates(measured.rates)
    yield (
        "<p>“Human among flagged”: the highest share of human posts among the flagged ones, if so much of a "
        "feed is machine-translated, that the interval allows.</p>"
    )
    yield _cuts(measured.rates)
    yield (
        "<p>From the cut on, a post is called machine-translated; up to one minus the cut, human-written. "
        "Under the cut stands the share of human posts that reached it, and their number. Without a cut the "
        "answer is “uncertain”.</p>"
    )
    yield from _curve(measured)


def _rates(rates: Sequence[Rate]) -> str:
    feeds = [f"human among flagged at {100 * prevalence:.0f} %" for prevalence in PREVALENCES]
    titles = ("language", "posts here", "measured on", "flagged of these", "flagged of machine posts", *feeds)
    return table("Error rates by language", titles, map(_rate, rates))


def _rate(rate: Rate) -> list[str]:
    interval = f"{percent(rate.interval.low)} to {percent(rate.interval.high)}"
    shares = [rate.human_share(prevalence) for prevalence in PREVALENCES]
    return [
        text(name(rate.language)),
        str(rate.posts),
        f"{rate.measured} {kind(rate)}",
        f"{percent(rate.flagged / rate.measured)}<small>{interval}</small>",
        _DASH if rate.found is None else percent(rate.found),
        *(_DASH if share is None else f"up to {percent(share)}" for share in shares),
    ]


def _cuts(rates: Sequence[Rate]) -> str:
    lengths = [f"{shortest} to {longest}" for shortest, longest in BANDS.extents()]
    caption = "Cuts by length of the post in columns; a wide character counts as two"
    once = {(rate.language, rate.variant): rate for rate in rates}.values()
    rows = [[text(name(rate.language)), *map(_cut, rate.bands)] for rate in once]
    return table(caption, ("language", *lengths), rows)


def _cut(cut: Threshold | None) -> str:
    if cut is None:
        return _DASH
    return f"{cut.machine:.2f}<small>{percent(cut.false_positive_rate)} of {cut.posts}</small>"


def _curve(measured: Measured) -> Iterator[str]:
    if measured.overall is None or not measured.overall.bins:
        return
    main = measured.rates[0]
    yield '<figure class="square">'
    yield plots.reliability(measured.overall, {name(main.language): main.reliability})
    yield (
        "<figcaption>What was said against what was true, classes weighted equally, on posts that the fit "
        f"had not seen, with their number. Evidence: {text(str(measured.variant))}. On the diagonal, "
        f"probabilities are right. Mean distance (ECE): {measured.overall.ece:.3f}.</figcaption></figure>"
    )
