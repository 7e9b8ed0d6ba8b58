"""What a reader has to know, in the words of docs/method.md and docs/limits.md, with measured rates."""

from __future__ import annotations

from collections.abc import Iterator

from checker.languages import name
from checker.pages.html import text
from checker.pages.post import badge
from checker.pages.rates import Measured, Rate

PREVALENCES = (0.01, 0.1)
"""Shares of machine-translated posts in a feed that base rates are worked out for."""


def first(measured: Measured) -> Iterator[str]:
    """What a verdict does not prove, with the base rates of the language that most posts are in."""
    yield '<div class="first">\n<h2>Read this first</h2>'
    yield (
        "<p><strong>A verdict is a reason to look closer. It proves nothing.</strong> It does not say who "
        "wrote a post, or why. A machine-translated post is not a fake post: many officials translate "
        "openly. A post that is not flagged may be machine-translated all the same: corrected machine "
        "translation and text by a large language model may pass.</p>"
    )
    if measured.rates:
        yield from _base_rates(measured.rates[0])
    yield (
        "<p>Do not publish a verdict without its evidence and its error rate. Do not use it to accuse a "
        "person of anything. Read the sentences, look for the source text, ask somebody who reads the "
        "language.</p>\n</div>"
    )


def _base_rates(rate: Rate) -> Iterator[str]:
    language = text(name(rate.language))
    said = (
        f"<p><strong>Some flagged posts were written by people.</strong> In {language}, the language with "
        f"most verdicts here, {rate.flagged} of {rate.measured} {kind(rate)} were called machine-translated "
        f"when that was measured: {percent(rate.flagged / rate.measured)}, and chance in the choice of these "
        f"posts allows up to {percent(rate.interval.high)}."
    )
    if rate.found is not None:
        said += f" Of the machine-translated posts, {percent(rate.found)} were."
    shares = [(prevalence, rate.human_share(prevalence)) for prevalence in PREVALENCES]
    worked = [
        f"{100 * share:.0f} of 100 flagged posts if {100 * prevalence:.0f} of 100 posts in the feed are "
        "machine-translated"
        for prevalence, share in shares
        if share is not None
    ]
    if worked:
        said += f" At that rate, human posts are up to {', and up to '.join(worked)}."
    yield f"{said} The rarer machine translation is, the more of the flagged posts are human.</p>"


def method(measured: Measured) -> Iterator[str]:
    """How a verdict is made."""
    yield "<h2>How the verdict is made</h2>"
    yield (
        "<p><strong>Style.</strong> Words and short runs of characters vote for or against machine "
        "translation; which ones do was learnt from human and machine-translated text of the language. "
        "<strong>Fluency.</strong> A language model says how well each word follows from those before it; "
        "the figure is the share of human sentences of this language and length that are less fluent. "
        "<strong>Round trip.</strong> The post is translated into another language and back; machine output "
        "tends to come back more alike.</p>"
    )
    for kind, evidence in ("fluency", "fluency"), ("round_trip", "the round trip"):
        if measured.variant and kind not in measured.variant:
            yield f"<p>Here {evidence} is shown as evidence. It is not counted in the verdict.</p>"
    yield (
        "<p>A logistic regression turns this into one probability, corrected for each language. Human and "
        f"machine posts weighed the same when it was fitted: {badge(0.9)} means that among posts like those, "
        "half of them machine-translated, nine in ten with this figure were. In a feed with fewer of them, "
        "fewer are. The verdict compares the probability with a cut. At most 1 % of the native posts of the "
        "language and length, and at most 2 % of the human translations, reached it when it was set.</p>"
    )


def limits(measured: Measured) -> Iterator[str]:
    """What a verdict cannot tell."""
    yield "<h2>What it cannot tell</h2>\n<ul>"
    yield from (f"<li>{limit}</li>" for limit in _LIMITS)
    if measured.shipped and any(rate.language == "zh" for rate in measured.rates):
        yield f"<li>{_CHINESE}</li>"
    yield "</ul>"


_LIMITS = (
    "<strong>Who wrote it, and why.</strong> Many officials translate openly.",
    "<strong>Edited machine translation.</strong> A translator who corrects it removes what is looked for.",
    "<strong>Text by a large language model</strong>, written or rewritten. Nothing was measured on it.",
    "<strong>Human translation.</strong> It shares features with machine translation. Where no native text "
    "was at hand, the error rate was measured on human translations alone.",
    "<strong>Short posts.</strong> Under 30 columns nothing is scored. Lengths without a measured error rate "
    "stay uncertain.",
    "<strong>Other kinds of text</strong> than the verdict was fitted on. What ships was fitted on news; "
    "poetry, slang, chat, legal formulas and lists were not measured.",
    "<strong>Non-native writers.</strong> They were not measured. Expect more false accusations.",
    "<strong>Dialects and old spelling.</strong> They were not measured.",
)

_CHINESE = (
    "<strong>Chinese.</strong> On texts of a later year far more human translations were flagged than when "
    "the cut was set: do not rely on a Chinese verdict."
)


def kind(rate: Rate) -> str:
    """What the human posts of a rate were."""
    return "native posts" if rate.negatives == "native" else "human translations"


def percent(share: float) -> str:
    """A share with one decimal, not to be broken."""
    return f"{100 * share:.1f}\N{NO-BREAK SPACE}%"
