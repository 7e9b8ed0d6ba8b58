"""Fluency: how well the words of a sentence follow from those before them, ranked among human sentences.

A likelihood falls with every rare word, but a name is not bad style. The statistic therefore subtracts a
token's log-probability on its own from that in its context, as in SLOR (Pauls and Klein 2012; Lau, Clark and
Lappin 2017, who found it to agree best with human judgements of acceptability). Only losses count: the mean
over tokens of ``min(log p(token | context) - log p(token), 0)``. A word that fits its context cannot make up
for one that does not.

A small language model misses much of this, above all in languages of which it has seen little. Where the
encoder has read the sentence as well, what it says of the order and the forms of the words
(``checker.evidence.order``) is added.

The statistic is compared with percentiles measured on human text, nearly all of which no model was trained
on. A percentile needs no threshold and means the same in every language, whereas a raw perplexity depends on
the tokenizer and on the length of the text.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from checker.files import write_text
from checker.models.language_model import MAX_TOKENS, TokenScores, perplexity
from checker.percentiles import QUANTILES, Bands, quantiles, robust_z, share_below
from checker.text import width

CLIPPED_SLOR, MEAN, JOINED = "clipped_slor", "mean_log_likelihood", "clipped_slor_and_order"
STATISTICS = (CLIPPED_SLOR, MEAN, JOINED)
"""What may be ranked. The mean is for models without unigrams."""

ORDER_WEIGHT = 5.0
"""What a nat of the encoder counts beside one of the language model: the least of those tried (1, 2, 3, 5) at
which the language model costs nothing on families that it has not seen (docs/benchmarks.md)."""

BANDS = Bands((40, 80, 120, 200))


class Reading(NamedTuple):
    """What a language model says about a sentence.

    Attributes:
        statistic: one of ``STATISTICS``.
        value: of the statistic, nats per token, at most 0; the higher, the more fluent. None where no token
            was scored, or not all of them.
        perplexity: of a token, at least 1; None where no token was scored.
    """

    statistic: str
    value: float | None
    perplexity: float | None


def reading(scores: TokenScores) -> Reading:
    """The statistic of a sentence by the best means that its language model offers."""
    given, alone = scores.conditional, scores.unigram
    gains = given if alone is None else [min(g - a, 0.0) for g, a in zip(given, alone, strict=True)]
    whole = 0 < len(gains) < MAX_TOKENS
    return Reading(
        statistic=MEAN if alone is None else CLIPPED_SLOR,
        value=sum(gains) / len(gains) if whole else None,
        perplexity=perplexity(given),
    )


def joined(found: Reading, order: float) -> Reading:
    """A reading by the language model with what the encoder says of the order of the words.

    Args:
        found: by the clipped SLOR; another one has no value afterwards.
        order: mean log-probability that a piece is in place (``checker.evidence.order``), nats.
    """
    known = found.statistic == CLIPPED_SLOR and found.value is not None
    value = found.value + ORDER_WEIGHT * order if known and found.value is not None else None
    return found._replace(statistic=JOINED, value=value)


@dataclass(frozen=True)
class Rank:
    """Where a text stands among human texts.

    Attributes:
        percentile: share of human texts that are less fluent, 0 to 1.
        z: the same in robust standard deviations from the human median; unbounded.
    """

    percentile: float
    z: float


class FluencyTable:
    """Percentiles of a statistic of human sentences, by language and length band.

    Args:
        model: label of the language model that the percentiles were measured with.
        statistic: what they are percentiles of, one of ``STATISTICS``.
        quantiles: language → band → ascending quantiles, evenly spaced from 0 to 1.
        broken: language → log-odds (``checker.evidence.order``) from which a word is shown as broken.
        alone: quantiles by the language model alone, where ``statistic`` counts the encoder as well: for who
            does without it, and for telling whether a text is in the language at all.
    """

    def __init__(
        self,
        model: str,
        statistic: str,
        quantiles: dict[str, list[list[float] | None]],
        broken: Mapping[str, float] | None = None,
        alone: dict[str, list[list[float] | None]] | None = None,
    ) -> None:
        self.model, self.statistic, self.quantiles = model, statistic, quantiles
        self.broken, self.alone = dict(broken or {}), alone or {}

    @classmethod
    def measure(
        cls, model: str, readings: Iterable[tuple[str, str, Reading]], minimum: int = 100
    ) -> FluencyTable:
        """Build the table from ``(language, text, reading)`` of human sentences.

        A band with fewer than ``minimum`` sentences takes those of the nearest bands as well.

        Raises:
            ValueError: the readings are of two statistics.
        """
        by_language: dict[str, list[tuple[int, float]]] = {}
        statistics = set()
        for language, text, found in readings:
            statistics.add(found.statistic)
            if found.value is not None:
                by_language.setdefault(language, []).append((width(text), found.value))
        if len(statistics) > 1:
            raise ValueError(f"readings of {' and '.join(sorted(statistics))} cannot be in one table")
        rows = {
            language: [quantiles(band) if band else None for band in BANDS.pooled(values, minimum)]
            for language, values in by_language.items()
        }
        return cls(model, min(statistics, default=CLIPPED_SLOR), rows)

    @classmethod
    def read(cls, path: Path) -> FluencyTable:
        """Read the JSON that ``write`` wrote.

        Raises:
            ValueError: it was measured for other length bands.
        """
        data = json.loads(path.read_text(encoding="utf-8"))
        if data["bands"] != list(BANDS.edges):
            raise ValueError(
                f"its length bands are {data['bands']}, those of this version {list(BANDS.edges)}"
            )
        alone = data.get("alone") or {}
        for language, rows in [*data["quantiles"].items(), *alone.items()]:
            if len(rows) != len(BANDS) or any(row is not None and len(row) != QUANTILES for row in rows):
                raise ValueError(f"{language}: there must be {len(BANDS)} rows of {QUANTILES}, or none")
        return cls(data["model"], data["statistic"], data["quantiles"], data.get("broken"), alone)

    def write(self, path: Path) -> None:
        """Write as JSON."""
        head = {"model": self.model, "statistic": self.statistic, "bands": BANDS.edges}
        tables = {"broken": self.broken, "quantiles": self.quantiles, "alone": self.alone}
        write_text(json.dumps({**head, **tables}) + "\n", path)

    def rows(self, language: str) -> tuple[tuple[float, ...] | None, ...] | None:
        """Quantiles of every length band; None for a language that was not measured."""
        found = self.quantiles.get(language)
        return None if found is None else tuple(None if row is None else tuple(row) for row in found)

    def rank(self, language: str, text: str, found: Reading) -> Rank | None:
        """Rank a sentence.

        Returns:
            None when the language or the length was not measured, or with another statistic, or the sentence
            has no value.
        """
        tables = {CLIPPED_SLOR: self.alone, self.statistic: self.quantiles}
        rows = tables.get(found.statistic, {}).get(language)
        row = rows[BANDS.number(width(text))] if rows else None
        value = found.value
        if row is None or value is None:
            return None
        return Rank(percentile=share_below(value, row), z=robust_z(value, row))


def pool(ranks: Sequence[tuple[Rank, int]]) -> Rank | None:
    """Mean rank of a post's sentences, weighted by their columns."""
    total = sum(columns for _, columns in ranks)
    if not total:
        return None
    return Rank(
        percentile=sum(r.percentile * c for r, c in ranks) / total,
        z=sum(r.z * c for r, c in ranks) / total,
    )
