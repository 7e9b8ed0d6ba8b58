"""From evidence to a calibrated probability, and from the probability to a verdict.

A logistic regression over standardised features gives the log-odds that a post is machine-translated;
each language then corrects slope and offset of these log-odds (Platt 1999), shrunk towards no
correction where it has little data. The threshold of ``machine_translated`` is the smallest probability
that at most one native post in a hundred, and two human translations, of the same language and length
reached when the verdict was fitted, in the worst test set; its mirror image is the threshold of
``human_written``. Everything between, and every length for which no error rate was measured, is
``uncertain``.

``calibration/fitting.py`` fits it, ``calibration/fitted.py`` is the file that it comes from.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import numpy as np

from checker import fluency
from checker.calibration.fitted import Calibration, Threshold, read
from checker.result import MeasuredThreshold, Verdict

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

    Every field with metadata is a feature: ``kind`` is the part of a variant's name that it belongs to,
    ``model`` the task of the model that gives it.

    Attributes:
        columns: length; wide characters count as two.
        style: log-odds of the style detector.
        fluency: robust standard deviations from the median of human text (``fluency.Rank.z``).
        chrf: chrF++ of the round trip, 0 to 100.
        log_likelihood: mean token log-likelihood given the pivot translation, nats.
        gap: that of the translator's own best output minus ``log_likelihood``, nats.
    """

    columns: int
    style: float = field(metadata={"kind": "style", "model": "style"})
    fluency: float | None = field(default=None, metadata={"kind": "fluency", "model": "fluency"})
    chrf: float | None = field(default=None, metadata={"kind": "round_trip", "model": "translator"})
    log_likelihood: float | None = field(default=None, metadata={"kind": "round_trip", "model": "translator"})
    gap: float | None = field(default=None, metadata={"kind": "round_trip", "model": "translator"})

    def without(self, models: Container[str]) -> Evidence:
        """The evidence less that of some models, named by task; style is never left out."""
        gone: dict[str, Any] = {n: None for n, f in FEATURES.items() if f["model"] in models and n != "style"}
        return replace(self, **gone)

    def enough_for(self, variant: str) -> bool:
        """Whether every feature of a variant is known."""
        return all(getattr(self, name) is not None for name in needs(variant))


FEATURES: dict[str, Mapping[str, str]] = {f.name: f.metadata for f in fields(Evidence) if f.metadata}
"""Every feature with its ``kind`` and its ``model``."""


def needs(variant: str) -> tuple[str, ...]:
    """The features of a variant, each once."""
    return tuple(dict.fromkeys(name.removesuffix("_by_length") for name in VARIANTS[variant]))


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
    """A fitted verdict layer that this version can use.

    Args:
        calibration: what was fitted.
        label: name@digest of a calibration of the user's own; None for the one that ships.

    Raises:
        ValueError: it was fitted for other features or bands, or its parts contradict each other.
    """

    def __init__(self, calibration: Calibration, label: str | None = None) -> None:
        _check(calibration)
        self.calibration, self.label = calibration, label

    @classmethod
    def read(cls, path: Path, label: str | None = None) -> VerdictModel:
        """The layer in a file.

        Raises:
            OSError: the file cannot be read.
            ValueError: it is no calibration, or not one for this version; the message begins with the place.
        """
        return cls(read(path), label)

    def models(self, language: str) -> dict[str, str]:
        """Task → label of the models that the calibration of a language holds for; {} if not fitted."""
        fitted = self.calibration.languages.get(language)
        return (fitted.models or self.calibration.models) if fitted else {}

    def pivot(self, language: str) -> str | None:
        """The pivot that the calibration of a language holds for; None if any."""
        fitted = self.calibration.languages.get(language)
        return fitted.pivot if fitted else None

    def percentiles(self, language: str) -> fluency.FluencyTable | None:
        """Percentiles of human fluency under the language model of the calibration, if it has its own."""
        fitted = self.calibration.languages.get(language)
        if fitted is None or fitted.percentiles is None or fitted.statistic is None:
            return None
        rows = [None if row is None else list(row) for row in fitted.percentiles]
        model = self.models(language).get("fluency", "")
        return fluency.FluencyTable(model, fitted.statistic, {language: rows})

    @property
    def counts_models(self) -> bool:
        """Whether the probability of some language rests on what a neural model says, not on style alone."""
        return any(
            FEATURES[name]["model"] != "style"
            for fitted in self.calibration.languages.values()
            for variant in fitted.correction
            for name in needs(variant)
        )

    def usable(self, evidence: Evidence, language: str) -> str | None:
        """The richest variant fitted for this language that the evidence is enough for."""
        fitted = self.calibration.languages.get(language)
        known = fitted.correction if fitted else {}
        return next((v for v in reversed(VARIANTS) if v in known and evidence.enough_for(v)), None)

    def judge(self, language: str, evidence: Evidence) -> Judgement | None:
        """The calibrated probability of a post; None for a language that was not fitted."""
        variant = self.usable(evidence, language)
        if variant is None:
            return None
        log_odds, contributions = self._log_odds(language, evidence, variant)
        threshold = None
        if SHORTEST <= evidence.columns <= LONGEST:
            threshold = self.calibration.languages[language].thresholds[variant][band(evidence.columns)]
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
        fitted, model = self.calibration.languages[language], self.calibration.variants[variant]
        slope, offset = fitted.correction[variant]
        contributions = {FEATURES[name]["kind"]: 0.0 for name in needs(variant)}
        values = features(evidence, fitted.scales, variant)
        for name, value, weight in zip(VARIANTS[variant], values, model.weights, strict=True):
            contributions[FEATURES[name.removesuffix("_by_length")]["kind"]] += slope * value * weight
        return slope * model.intercept + offset + sum(contributions.values()), contributions

    def rank(self, language: str, feature: str, value: float) -> float | None:
        """Share of the human posts of this language whose ``feature`` is below ``value``, 0 to 1."""
        fitted = self.calibration.languages.get(language)
        row = fitted.human_quantiles.get(feature) if fitted else None
        return None if row is None else float(np.interp(value, row, np.linspace(0, 1, len(row))))


def _check(calibration: Calibration) -> None:
    """Raise ValueError, beginning with the place, unless this version can use the calibration."""

    def demand(holds: bool, place: str, problem: str) -> None:
        if not holds:
            raise ValueError(f"{place}: {problem}")

    demand(calibration.bands == BANDS, "bands", f"the length bands of this version are {list(BANDS)}")
    for name, variant in calibration.variants.items():
        known = VARIANTS.get(name) == variant.features
        demand(known, f"variants.{name}", "this version of the package does not know these features")
        count = len(variant.features)
        demand(len(variant.weights) == count, f"variants.{name}.weights", f"there must be {count}")
    rows, length = len(fluency.BANDS) + 1, fluency.QUANTILES
    for language, fitted in calibration.languages.items():
        place = f"languages.{language}"
        demand("style" in fitted.correction, f"{place}.correction", "there is none for the variant 'style'")
        for name in fitted.correction:
            demand(name in calibration.variants, f"{place}.correction.{name}", "there is no such variant")
            cuts = len(fitted.thresholds.get(name, ()))
            demand(cuts == len(BANDS) + 1, f"{place}.thresholds.{name}", f"there must be {len(BANDS) + 1}")
            missing = [feature for feature in needs(name) if feature not in fitted.scales]
            demand(not missing, f"{place}.scales", f"there is none for {', '.join(missing)}")
        table = fitted.percentiles
        fits = table is None or (
            len(table) == rows and all(row is None or len(row) == length for row in table)
        )
        demand(fits, f"{place}.percentiles", f"there must be {rows} rows of {length}")
        named = table is None or fitted.statistic in fluency.STATISTICS
        demand(named, f"{place}.statistic", f"it must be one of {', '.join(fluency.STATISTICS)}")


def measured(language: str, columns: int, threshold: Threshold) -> MeasuredThreshold:
    """A threshold as a result shows it: with the language and the length band that it holds for."""
    number = band(columns)
    return MeasuredThreshold(
        language=language,
        machine_translated=threshold.machine,
        false_positive_rate=threshold.false_positive_rate,
        posts=threshold.posts,
        negatives=threshold.negatives,
        shortest=(SHORTEST, *BANDS)[number],
        longest=(*(edge - 1 for edge in BANDS), LONGEST)[number],
    )


def sigmoid(log_odds: float) -> float:
    """Probability of log-odds, without overflow."""
    return 0.5 * (1 + math.tanh(log_odds / 2))


def logit(probability: float) -> float:
    """Log-odds of a probability, kept finite."""
    p = min(max(probability, 1e-4), 1 - 1e-4)
    return math.log(p / (1 - p))
