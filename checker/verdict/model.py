"""From evidence to calibrated probabilities, and from the probabilities to a verdict.

Three questions are answered: was a post translated by a machine, was it translated at all, by anyone, and is
its wording rudimentary, as that of a translation word for word? For each, a logistic regression over
standardised features gives the log-odds; each language then corrects slope and offset of these log-odds
(Platt 1999), shrunk towards no correction where it has little data. A threshold is the smallest probability
that at most one native post in a hundred, and (but for the second question) two human translations, of the
same language and length reached when the verdict was fitted, in the worst family of text. A post that reaches
that of the first question is ``machine_translated``; else one that reaches that of the third is
``rudimentary``; else one that reaches that of the second is ``translated``; one that scores as low there as
at most two translations in a hundred, and is rather not rudimentary, is ``human_written``, in its own
language. Everything between, and every length for which no error rate was measured, is ``uncertain``.
Documentation and instructions are never ``machine_translated``: people's translations of them and those of
machines could not be told apart.

``calibration/fit.py`` fits it, ``verdict/file.py`` is the file that it comes from.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from checker.evidence import fluency
from checker.evidence.evidence import FEATURES, Evidence
from checker.percentiles import QUANTILES, Bands, share_below
from checker.result import QUESTIONS, FalseAlarm, MeasuredThreshold, Question, Verdict
from checker.text import SHORTEST
from checker.verdict.file import Calibration, Threshold, read

BANDS = Bands((60, 120, 240, 480), shortest=SHORTEST, longest=1200)
"""Lengths that thresholds are measured for. Shorter posts get no verdict, longer ones that of the longest."""

VARIANTS: dict[str, tuple[str, ...]] = {
    "style": ("style", "style_by_length"),
    "style+fluency": ("style", "style_by_length", "fluency", "fluency_by_length"),
    "style+round_trip": ("style", "style_by_length", "chrf", "bleu"),
    "style+fluency+round_trip": (
        "style", "style_by_length", "fluency", "fluency_by_length", "chrf", "log_likelihood", "gap",
    ),
    "style+encoder": ("style", "machine_head", "machine_head_by_length", "translated_head"),
    "style+encoder+round_trip": (
        "style", "machine_head", "machine_head_by_length", "translated_head", "chrf", "bleu",
    ),
    "translated:style": ("style", "style_by_length"),
    "translated:style+encoder": ("style", "translated_head", "translated_head_by_length", "machine_head"),
    "translated:style+encoder+round_trip": (
        "style", "translated_head", "translated_head_by_length", "machine_head", "chrf", "bleu",
    ),
    "rudimentary:encoder": ("rudimentary_head", "rudimentary_head_by_length"),
}  # fmt: skip
"""Features of each fitted model, by the evidence that it needs; the last one that can be used is used.

Those whose name begins with ``translated:`` answer whether a post was translated at all, those with
``rudimentary:`` whether its wording is rudimentary, the others whether a machine translated it.
"""


@cache
def question(variant: str) -> Question:
    """Which question a variant answers."""
    asked, colon, _ = variant.partition(":")
    return next(known for known in QUESTIONS if known == asked) if colon else "machine_translated"


@cache
def needs(variant: str) -> tuple[str, ...]:
    """The features of a variant, each once."""
    return tuple(dict.fromkeys(name.removesuffix("_by_length") for name in VARIANTS[variant]))


def enough(known: Collection[str], variant: str) -> bool:
    """Whether every feature that a variant needs is among the known ones."""
    return all(name in known for name in needs(variant))


def richest(
    calibration: Calibration, language: str, known: Collection[str], asked: Question = "machine_translated"
) -> str | None:
    """The richest variant that was fitted for a language and needs no feature but the known ones.

    Args:
        calibration: what was fitted.
        language: ISO 639-1 code.
        known: names of features.
        asked: the question that it answers.
    """
    fitted = calibration.languages.get(language)
    if fitted is None:
        return None
    names = (name for name in reversed(VARIANTS) if name in fitted.correction and question(name) == asked)
    return next((name for name in names if enough(known, name)), None)


def features(evidence: Evidence, scales: Mapping[str, Sequence[float]], variant: str) -> list[float]:
    """Standardised features in the order of ``VARIANTS[variant]``.

    Args:
        evidence: must hold what the variant needs.
        scales: feature → (middle, spread) of human text in this language.
        variant: a key of ``VARIANTS``.
    """
    length = _length(evidence)
    values = []
    for name in VARIANTS[variant]:
        raw = getattr(evidence, name.removesuffix("_by_length"))
        middle, spread = scales[name.removesuffix("_by_length")]
        z = max(-6.0, min(6.0, (raw - middle) / spread))
        values.append(z * length if name.endswith("_by_length") else z)
    return values


def _length(evidence: Evidence) -> float:
    """Length on a scale that doubles: 0 for 120 columns, 1 for 240; no longer than was measured."""
    return math.log2(max(min(evidence.columns, BANDS.longest or evidence.columns), 1) / 120)


def documentation(evidence: Evidence, limit: float | None, asked: Question = "machine_translated") -> bool:
    """Whether a question gets no yes for a post, since it reads like documentation.

    Args:
        evidence: of the post.
        limit: log-odds from which it does; None where documentation is judged like everything else.
        asked: the question; only that of the machine depends on it.
    """
    found = evidence.technical
    return asked == "machine_translated" and limit is not None and found is not None and found >= limit


@dataclass(frozen=True)
class Judgement:
    """A probability, what it rests on, and the threshold that applies to it.

    Attributes:
        probability: calibrated probability that the answer to the question is yes.
        contributions: log-odds that each kind of evidence adds to those of an average human post.
        threshold: None where no error rate was measured, or the verdict is withheld.
        variant: name of the fitted model that gave the probability, a key of ``VARIANTS``.
        alarms: how many human posts score at least as high, by kind.
        withheld: why there is no threshold though one was measured; empty where that is not so.
        technical: whether the post reads like documentation, which is never called machine-translated.
    """

    probability: float
    contributions: dict[str, float]
    threshold: Threshold | None
    variant: str
    alarms: tuple[FalseAlarm, ...] = ()
    withheld: str = ""
    technical: bool = False

    @property
    def reached(self) -> bool:
        """Whether the probability reaches the threshold."""
        return self.threshold is not None and self.probability >= self.threshold.machine

    @property
    def cleared(self) -> bool:
        """Whether it is so low that very few posts of the other kind score lower."""
        clear = self.threshold.clear if self.threshold else None
        return clear is not None and self.probability <= clear


def decide(
    machine: Judgement | None, translated: Judgement | None, rudimentary: Judgement | None = None
) -> Verdict:
    """The verdict on the answers to the questions; None where one was not fitted.

    Args:
        machine: was the post translated by a machine?
        translated: was it translated at all?
        rudimentary: is its wording rudimentary?
    """
    if machine is not None and machine.reached:
        return "machine_translated"
    if rudimentary is not None and rudimentary.reached:
        return "rudimentary"
    if translated is not None and translated.reached:
        return "translated"
    clumsy = rudimentary is not None and rudimentary.probability >= 0.5
    cleared = translated is not None and translated.cleared and not clumsy
    return "human_written" if cleared else "uncertain"


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
        """Whether some language's probability rests on a neural model whose numbers may differ.

        Firefox's models do not count: they compute in 8-bit integers, whatever is asked of the others. Nor
        does the encoder, which computes in 32-bit floats everywhere.
        """
        return any(
            (task := FEATURES[name]["model"]) not in ("style", "encoder")
            and "firefox" not in self.models(language).get(task, "")
            for language, fitted in self.calibration.languages.items()
            for variant in fitted.correction
            for name in needs(variant)
        )

    def judge(
        self, language: str, evidence: Evidence, asked: Question = "machine_translated"
    ) -> Judgement | None:
        """The calibrated answer to a question; None where it was not fitted for the language.

        A post that is longer than any that was measured is judged as one of the longest: there is more to go
        on, never less.
        """
        variant = richest(self.calibration, language, evidence.known, asked)
        if variant is None:
            return None
        log_odds, contributions = self._log_odds(language, evidence, variant)
        probability = round(sigmoid(log_odds), 4)
        if documentation(evidence, self.calibration.technical, asked):
            return Judgement(probability, contributions, None, variant, technical=True)
        fitted, threshold = self.calibration.languages[language], None
        alarms: tuple[FalseAlarm, ...] = ()
        if evidence.columns >= BANDS.shortest:
            band = BANDS.number(min(evidence.columns, BANDS.longest or evidence.columns))
            threshold = fitted.thresholds[variant][band]
            alarms = tuple(
                FalseAlarm(
                    language=language, question=asked, negatives=kind,
                    rate=float(f"{tail.rate(probability):.4g}"), posts=tail.posts,
                )
                for kind, rows in fitted.tails.get(variant, {}).items()
                if (tail := rows[band]) is not None
            )  # fmt: skip
        withheld = fitted.withheld.get(variant, "")
        return Judgement(
            probability, contributions, None if withheld else threshold, variant, alarms, withheld
        )

    def style(self, language: str, evidence: Evidence) -> tuple[float, float]:
        """Calibrated log-odds of the style detector alone, and their slope over its raw log-odds.

        The slope is that of the regression also where the feature is clamped: the words of such a text made
        the case as others do.

        Raises:
            KeyError: the language was not fitted.
        """
        log_odds, _ = self._log_odds(language, evidence, "style")
        fitted, model = self.calibration.languages[language], self.calibration.variants["style"]
        weight, by_length = model.weights
        slope = (
            fitted.correction["style"][0]
            * (weight + by_length * _length(evidence))
            / fitted.scales["style"][1]
        )
        return log_odds, slope

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
        return None if row is None else share_below(value, row)


def _check(calibration: Calibration) -> None:
    """Raise ValueError, beginning with the place, unless this version can use the calibration."""

    def demand(holds: bool, place: str, problem: str) -> None:
        if not holds:
            raise ValueError(f"{place}: {problem}")

    demand(
        calibration.bands == BANDS.edges, "bands", f"the length bands of this version are {list(BANDS.edges)}"
    )
    for name, variant in calibration.variants.items():
        known = VARIANTS.get(name) == variant.features
        demand(known, f"variants.{name}", "this version of the package does not know these features")
        count = len(variant.features)
        demand(len(variant.weights) == count, f"variants.{name}.weights", f"there must be {count}")
    rows, length = len(fluency.BANDS), QUANTILES
    for language, fitted in calibration.languages.items():
        place = f"languages.{language}"
        demand("style" in fitted.correction, f"{place}.correction", "there is none for the variant 'style'")
        for name in fitted.correction:
            demand(name in calibration.variants, f"{place}.correction.{name}", "there is no such variant")
            cuts = len(fitted.thresholds.get(name, ()))
            demand(cuts == len(BANDS), f"{place}.thresholds.{name}", f"there must be {len(BANDS)}")
            missing = [feature for feature in needs(name) if feature not in fitted.scales]
            demand(not missing, f"{place}.scales", f"there is none for {', '.join(missing)}")
        table = fitted.percentiles
        fits = table is None or (
            len(table) == rows and all(row is None or len(row) == length for row in table)
        )
        demand(fits, f"{place}.percentiles", f"there must be {rows} rows of {length}")
        named = table is None or fitted.statistic in fluency.STATISTICS
        demand(named, f"{place}.statistic", f"it must be one of {', '.join(fluency.STATISTICS)}")


def combine(judged: Sequence[tuple[int, Judgement]]) -> Judgement | None:
    """One answer for a post of several languages: log-odds weighted by length, the strictest threshold.

    Args:
        judged: the columns of each part, and the judgement on it.

    Returns:
        None if nothing was judged; the judgement itself where there is one.
    """
    if len(judged) < 2:
        return judged[0][1] if judged else None
    total = sum(columns for columns, _ in judged)
    probability = round(sigmoid(sum(logit(j.probability) * c for c, j in judged) / total), 4)
    cuts = [j.threshold for _, j in judged if j.threshold is not None]
    threshold = None
    if len(cuts) == len(judged):
        clear = [cut.clear for cut in cuts if cut.clear is not None]
        threshold = replace(
            max(cuts, key=lambda cut: cut.machine), clear=min(clear) if len(clear) == len(cuts) else None
        )
    technical = any(j.technical for _, j in judged)
    return replace(judged[0][1], probability=probability, threshold=threshold, technical=technical)


def measured(language: str, columns: int, threshold: Threshold, asked: Question) -> MeasuredThreshold:
    """A threshold as a result shows it: with the language and the length band that it holds for."""
    shortest, longest = BANDS.extents()[BANDS.number(min(columns, BANDS.longest or columns))]
    return MeasuredThreshold(
        language=language,
        question=asked,
        probability=threshold.machine,
        false_positive_rate=threshold.false_positive_rate,
        posts=threshold.posts,
        negatives=threshold.negatives,
        shortest=shortest,
        longest=longest or columns,
    )


def sigmoid(log_odds: float) -> float:
    """Probability of log-odds, without overflow."""
    return 0.5 * (1 + math.tanh(log_odds / 2))


def logit(probability: float) -> float:
    """Log-odds of a probability, kept finite."""
    p = min(max(probability, 1e-4), 1 - 1e-4)
    return math.log(p / (1 - p))
