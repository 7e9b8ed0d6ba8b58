"""Run the models over the sentences of one language, and put together what they give.

The checker of posts and the estimator of pairs stand on these functions.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from checker.evidence import fluency, heads, order, roundtrip
from checker.evidence.cache import Cache, remembered
from checker.evidence.evidence import Evidence
from checker.evidence.fluency import FluencyTable, Rank, Reading
from checker.evidence.order import Order
from checker.evidence.roundtrip import SentenceRoundTrip
from checker.evidence.style import wording
from checker.loaded import LoadedModels
from checker.post import Unit
from checker.result import RoundTrip
from checker.text import stretch, width
from checker.verdict.model import BANDS

FRAGMENTS = 6.0
"""Mean number of words between two marks from which wording can be called rudimentary: lists, telegrams and
headlines have no more syntax than a translation word for word, and are no such thing."""


class Findings(NamedTuple):
    """What the models found about sentences of one language, taken as a post.

    Attributes:
        evidence: the features that a verdict may count.
        round_trip: means over the sentences; None without a reliable one.
        fluency: share of human texts that are less fluent, 0 to 1.
        summary: of the encoder's vectors; None without one.
        faults: the same of its vectors for faulty words.
    """

    evidence: Evidence
    round_trip: RoundTrip | None
    fluency: float | None
    summary: heads.Summary | None = None
    faults: heads.Summary | None = None


class Seen(NamedTuple):
    """What the encoder makes of a sentence.

    Attributes:
        summary: of its vectors; None without a piece.
        faults: of its vectors for faulty words, likewise.
        order: what it says of the order and the forms of its words, with offsets in the sentence; None where
            that head was not fitted.
    """

    summary: heads.Summary | None
    faults: heads.Summary | None
    order: Order | None


class Fluent(NamedTuple):
    """How fluent a sentence is.

    Attributes:
        perplexity: of a token under the language model, at least 1.
        rank: where it stands among human sentences, by all that the percentiles count.
        readable: where it stands by the language model alone.
    """

    perplexity: float | None
    rank: Rank | None
    readable: Rank | None


def fluencies(
    models: LoadedModels,
    language: str,
    texts: Sequence[str],
    cache: Cache | None = None,
    percentiles: FluencyTable | None = None,
    orders: Sequence[Order | None] | None = None,
) -> list[Fluent] | None:
    """What the language model makes of sentences, and where they stand among human ones.

    Args:
        models: of the profile.
        language: of the sentences, ISO 639-1.
        texts: the sentences.
        cache: has what the model made of sentences before.
        percentiles: of human sentences; by default those that scoring uses.
        orders: what the encoder says of each, where it was asked; by default it is asked now, if the
            percentiles count it.

    Returns:
        One for each sentence; None where the profile has no language model for the language.
    """
    model = models.language_model(language)
    if model is None:
        return None
    table = percentiles or models.percentiles_of(language)
    scope = models.scope("fluency", language) if cache else ""

    def read(new: list[str]) -> list[Reading]:
        return [fluency.reading(scores) for scores in model.log_probabilities(new, language)]

    # From a cache a reading comes as a list.
    readings = [Reading(*found) for found in remembered(cache, scope, texts, read)]
    if table.model != model.label:
        return [Fluent(found.perplexity, None, None) for found in readings]
    if orders is None and table.statistic == fluency.JOINED:
        orders = [seen.order for seen in sights(models, [language] * len(texts), texts, cache) or ()]
    fluent = []
    for text, found, one in zip(texts, readings, orders or [None] * len(texts), strict=True):
        alone = rank = table.rank(language, text, found)
        if table.statistic == fluency.JOINED and one is not None and one.value is not None:
            rank = table.rank(language, text, fluency.joined(found, one.value))
        fluent.append(Fluent(found.perplexity, rank, alone))
    return fluent


def round_trips(
    models: LoadedModels, language: str, texts: Sequence[str], cache: Cache | None = None
) -> list[SentenceRoundTrip] | None:
    """The round trip of sentences through the pivot; None where the profile lacks a translator for it."""
    pair = models.translators(language)
    if pair is None:
        return None
    scope = models.scope("translator", language) if cache else ""
    likelihood = models.likelihood(language)
    return roundtrip.round_trips(
        texts, language, models.pivot(language), *pair, cache, scope, likelihood=likelihood
    )


def sights(
    models: LoadedModels, languages: Sequence[str], texts: Sequence[str], cache: Cache | None = None
) -> list[Seen] | None:
    """What the encoder makes of sentences; None where it is not asked for.

    Args:
        models: of the profile.
        languages: of each sentence, ISO 639-1. The encoder reads all of them together.
        texts: the sentences.
        cache: has what it made of sentences before.
    """
    encoder = models.encoder()
    if encoder is None:
        return None

    def read(new: list[str]) -> list[Seen]:
        found = []
        for text, pieces in zip(new, encoder.read(new), strict=True):
            odds = models.heads.order(pieces.faults) if len(pieces.faults) else None
            said = None if odds is None else order.read(text, odds, pieces.spans)
            found.append(Seen(heads.summarise(pieces.vectors), heads.summarise(pieces.faults), said))
        return found

    def packed(new: list[str]) -> list[list[Any]]:
        return [[heads.packed(one.summary), heads.packed(one.faults), one.order] for one in read(new)]

    drafts = [wording(text, language) for text, language in zip(texts, languages, strict=True)]
    plain = [draft.text for draft in drafts]
    if cache is None:
        seen = remembered(None, "", plain, read)
    else:
        kept = remembered(cache, models.scope("encoder", ""), plain, packed)
        seen = [
            Seen(heads.unpacked(summary), heads.unpacked(faults), said and Order(*said))
            for summary, faults, said in kept
        ]
    return [
        one if one.order is None else one._replace(order=one.order.placed(draft.starts, draft.ends))
        for one, draft in zip(seen, drafts, strict=True)
    ]


def look(models: LoadedModels, units: Sequence[tuple[str, Unit]], cache: Cache | None = None) -> None:
    """Fill in what the encoder makes of sentences, each with its language, of any number of posts."""
    languages, texts = [language for language, _ in units], [unit.span.text for _, unit in units]
    if seen := sights(models, languages, texts, cache):
        for (_, unit), one in zip(units, seen, strict=True):
            unit.vectors, unit.faults, unit.order = one


def run(
    models: LoadedModels,
    language: str,
    units: Sequence[Unit],
    cache: Cache | None = None,
    percentiles: FluencyTable | None = None,
) -> None:
    """Fill in what the other models find about sentences of one language, of any number of posts.

    What the encoder makes of them (`look`) counts for their fluency: it comes first.
    """
    texts = [unit.span.text for unit in units]
    style = models.style(language)
    for unit in units:
        unit.style = style.read(unit.span.text)
    orders = [unit.order for unit in units]
    if models.settings.fluency and (found := fluencies(models, language, texts, cache, percentiles, orders)):
        for unit, fluent in zip(units, found, strict=True):
            unit.perplexity, unit.rank, unit.readable = fluent
    if models.settings.round_trip and (trips := round_trips(models, language, texts, cache)):
        for unit, trip in zip(units, trips, strict=True):
            unit.trip = trip


def findings(models: LoadedModels, language: str, units: Sequence[Unit]) -> Findings:
    """What sentences of one language, which the models have run over, give as one post.

    A sentence that is repeated, such as the footer of a thread, counts once.
    """
    first: dict[str, Unit] = {}
    for unit in units:
        first.setdefault(unit.span.text.casefold(), unit)
    units = list(first.values())
    text = " ".join(unit.span.text for unit in units)
    rank = fluency.pool([(unit.rank, unit.columns) for unit in units if unit.rank is not None])
    readable = fluency.pool([(unit.readable, unit.columns) for unit in units if unit.readable is not None])
    trips = [unit.trip for unit in units if unit.trip is not None]
    trip = None
    if trips:
        trip = roundtrip.aggregate(trips, models.pivot(language), language, models.grade(language))
    summary, faults = (heads.pool(getattr(unit, name) for unit in units) for name in ("vectors", "faults"))
    run_of_words = stretch(text)
    fragments = run_of_words < FRAGMENTS
    evidence = Evidence(
        columns=width(text),
        style=_style(models, language, units),
        machine_head=models.heads.machine(summary) if summary else None,
        translated_head=models.heads.translated(summary) if summary else None,
        rudimentary_head=models.heads.rudimentary(faults) if faults and not fragments else None,
        technical=models.heads.technical(summary) if summary else None,
        fluency=readable.z if readable else None,  # with and without the encoder the same
        chrf=trip.chrf if trip else None,
        bleu=trip.bleu if trip else None,
        log_likelihood=trip.log_likelihood if trip else None,
        gap=trip.gap if trip else None,
        stretch=round(run_of_words, 2),
    )
    return Findings(evidence, trip, round(rank.percentile, 4) if rank else None, summary, faults)


def _style(models: LoadedModels, language: str, units: Sequence[Unit]) -> float:
    """Log-odds of the style detector; of a post longer than was measured, the mean of its windows."""
    if len(units) == 1 and (read := units[0].style):
        return read.log_odds
    style, found = models.style(language), []
    for window in _windows(units):
        text = " ".join(unit.span.text for unit in window)
        found.append((width(text), style.log_odds(text)))
    total = sum(columns for columns, _ in found)
    return found[0][1] if len(found) == 1 else sum(columns * value for columns, value in found) / total


def _windows(units: Sequence[Unit]) -> list[list[Unit]]:
    """Neighbouring sentences, as many together as the longest posts that were measured have room for."""
    windows: list[list[Unit]] = [[]]
    columns = 0
    for unit in units:
        if windows[-1] and columns + unit.columns > (BANDS.longest or columns):
            windows.append([])
            columns = 0
        windows[-1].append(unit)
        columns += unit.columns + 1
    return windows
