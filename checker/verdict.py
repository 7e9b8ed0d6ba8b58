"""From evidence to a calibrated probability, and from the probability to a verdict.

A logistic regression over standardised features gives the log-odds that a post is machine-translated;
each language then corrects slope and offset of these log-odds (Platt 1999), shrunk towards no
correction where it has little data. The threshold of ``machine_translated`` is the smallest probability
that at most one native post in a hundred, and two human translations, of the same language and length
reached when the verdict was fitted, in the worst test set; its mirror image is the threshold of
``human_written``. Everything between, and every length for which no error rate was measured, is
``uncertain``.

``scripts/fit_verdict.py`` writes the JSON that this module reads.
"""

from __future__ import annotations

import json
import math
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from checker.result import Verdict

BANDS = (60, 120, 240, 480)  # upper edges in columns; the last band is open, up to LONGEST
LONGEST = 1200
SHORTEST = 30
VARIANTS: dict[str, tuple[str, ...]] = {
    "style": ("style", "style_by_length"),
    "style+fluency": ("style", "style_by_length", "fluency", "fluency_by_length"),
    "style+fluency+round_trip": (
        "style", "style_by_length", "fluency", "fluency_by_length", "chrf", "log_likelihood", "gap",
    ),
}  # fmt: skip
"""Features of each fitted model, by the evidence that it needs; the last one that can be used is used."""


@dataclass(frozen=True)
class Evidence:
    """What is known about a post, or about one sentence taken as a post.

    Attributes:
        columns: length; wide characters count as two.
        style: log-odds of the style detector.
        fluency: robust standard deviations from the median of human text (``fluency.Rank.z``).
        chrf: chrF++ of the round trip, 0 to 100.
        log_likelihood: mean token log-likelihood given the pivot translation, nats.
        gap: that of the translator's own best output minus ``log_likelihood``, nats.
    """

    columns: int
    style: float
    fluency: float | None = None
    chrf: float | None = None
    log_likelihood: float | None = None
    gap: float | None = None

    @property
    def variant(self) -> str:
        """The richest variant that this evidence is enough for."""
        if self.fluency is None:
            return "style"
        return "style+fluency" if self.chrf is None else "style+fluency+round_trip"


def band(columns: int) -> int:
    """Number of the length band of a text of so many columns."""
    return bisect_right(BANDS, columns)


def features(evidence: Evidence, scales: Mapping[str, Sequence[float]], variant: str) -> list[float]:
    """Standardised features in the order of ``VARIANTS[variant]``.

    Args:
        evidence: must hold what the variant needs.
        scales: feature → (middle, spread) of human text in this language.
        variant: a key of ``VARIANTS``.
    """
    length = math.log2(max(evidence.columns, 1) / 120)
    values = []
    for name in VARIANTS[variant]:
        raw = getattr(evidence, name.removesuffix("_by_length"))
        middle, spread = scales[name.removesuffix("_by_length")]
        z = max(-6.0, min(6.0, (raw - middle) / spread))
        values.append(z * length if name.endswith("_by_length") else z)
    return values


@dataclass(frozen=True)
class Threshold:
    """The cut of one language and length band.

    Attributes:
        machine: probability from which a post is called machine-translated; ``1 - machine`` is the
            probability up to which it is called human-written.
        false_positive_rate: share of the human posts at or above the cut when it was measured.
        posts: number of these human posts.
        negatives: what they were: ``native`` or ``human translations``.
    """

    machine: float
    false_positive_rate: float
    posts: int
    negatives: str


@dataclass(frozen=True)
class Judgement:
    """A probability, what it rests on, and the cut that applies to it.

    Attributes:
        probability: calibrated probability of machine translation.
        contributions: log-odds that style, fluency and round trip add to those of an average human post.
        threshold: None where no error rate was measured.
    """

    probability: float
    contributions: dict[str, float]
    threshold: Threshold | None

    @property
    def verdict(self) -> Verdict:
        """The verdict that the threshold gives."""
        return decide(self.probability, self.threshold.machine if self.threshold else None)


def decide(probability: float, machine: float | None) -> Verdict:
    """The verdict on a probability.

    Args:
        probability: calibrated probability of machine translation.
        machine: the cut that applies (``Threshold.machine``); None where no error rate was measured.
    """
    if machine is None:
        return "uncertain"
    if probability >= machine:
        return "machine_translated"
    return "human_written" if probability <= 1 - machine else "uncertain"


class VerdictModel:
    """The fitted verdict layer. ``data`` is the parsed JSON of ``scripts/fit_verdict.py``."""

    def __init__(self, data: dict[str, Any]) -> None:
        self._data = data
        self.models: dict[str, str] = data["models"]
        """Labels of the feature models that the calibration holds for: ``fluency``, ``translator``."""

    @classmethod
    def read(cls, path: Path) -> VerdictModel:
        """Read the JSON."""
        return cls(json.loads(path.read_text(encoding="utf-8")))

    def usable(self, evidence: Evidence, language: str) -> str | None:
        """The richest variant fitted for this language that the evidence is enough for."""
        fitted = self._data["languages"].get(language, {}).get("correction", {})
        order = list(VARIANTS)
        for variant in reversed(order[: order.index(evidence.variant) + 1]):
            if variant in fitted:
                return variant
        return None

    def judge(self, language: str, evidence: Evidence) -> Judgement | None:
        """The calibrated probability of a post; None for a language that was not fitted."""
        variant = self.usable(evidence, language)
        if variant is None:
            return None
        log_odds, contributions = self._log_odds(language, evidence, variant)
        threshold = None
        if SHORTEST <= evidence.columns <= LONGEST:
            cut = self._data["languages"][language]["thresholds"][variant][band(evidence.columns)]
            threshold = Threshold(**cut) if cut else None
        return Judgement(round(sigmoid(log_odds), 4), contributions, threshold)

    def style(self, language: str, evidence: Evidence) -> tuple[float, float]:
        """Calibrated log-odds of the style detector alone, and their slope over its raw log-odds.

        Raises:
            KeyError: the language was not fitted.
        """
        log_odds, _ = self._log_odds(language, evidence, "style")
        raised, _ = self._log_odds(language, replace(evidence, style=evidence.style + 1e-3), "style")
        return log_odds, (raised - log_odds) / 1e-3

    def _log_odds(self, language: str, evidence: Evidence, variant: str) -> tuple[float, dict[str, float]]:
        """Calibrated log-odds of one variant, and what each kind of evidence adds to them."""
        fitted = self._data["languages"][language]
        model = self._data["variants"][variant]
        slope, offset = fitted["correction"][variant]
        contributions = dict.fromkeys(variant.split("+"), 0.0)
        values = features(evidence, fitted["scales"], variant)
        for name, value, weight in zip(VARIANTS[variant], values, model["weights"], strict=True):
            group = name.removesuffix("_by_length")
            contributions[group if group in contributions else "round_trip"] += slope * value * weight
        return slope * model["intercept"] + offset + sum(contributions.values()), contributions

    def rank(self, language: str, feature: str, value: float) -> float | None:
        """Share of the human posts of this language whose ``feature`` is below ``value``, 0 to 1."""
        row = self._data["languages"].get(language, {}).get("human_quantiles", {}).get(feature)
        return None if row is None else float(np.interp(value, row, np.linspace(0, 1, len(row))))


def sigmoid(log_odds: float) -> float:
    """Probability of log-odds, without overflow."""
    return 0.5 * (1 + math.tanh(log_odds / 2))


def logit(probability: float) -> float:
    """Log-odds of a probability, kept finite."""
    p = min(max(probability, 1e-4), 1 - 1e-4)
    return math.log(p / (1 - p))
