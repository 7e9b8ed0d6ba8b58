"""How often verdicts like those of a file were wrong when it was measured: as the calibration has it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from checker.errors import InputError
from checker.evidence.evidence import features_of
from checker.loaded import LoadedModels
from checker.models import Store
from checker.pages.summary import Judged
from checker.settings import Settings
from checker.statistics import Interval, rate_interval
from checker.verdict.file import Calibration, Negatives, Reliability, Threshold
from checker.verdict.model import richest
from checker.version import __version__

PREVALENCES = (0.01, 0.1)
"""Shares of machine-translated posts in a feed that base rates are worked out for."""


@dataclass(frozen=True)
class Rate:
    """The measured rates of one language.

    Attributes:
        language: ISO 639-1 code.
        posts: how many of the file they apply to.
        variant: the evidence that the probability rests on.
        negatives: what the human posts were: ``native`` or ``human translations``.
        flagged: how many of them were called machine-translated, over all lengths with a threshold.
        measured: how many there were.
        found: share of machine-translated posts that were called so, 0 to 1; None if not measured.
        bands: the threshold of every length band; None where there is none.
        reliability: what probabilities said against what was true.
    """

    language: str
    posts: int
    variant: str
    negatives: Negatives
    flagged: int
    measured: int
    found: float | None
    bands: tuple[Threshold | None, ...]
    reliability: Reliability

    @property
    def key(self) -> tuple[str, str]:
        """What its thresholds belong to."""
        return self.language, self.variant

    @property
    def kind(self) -> str:
        """What the human posts were, in the plural."""
        return "native posts" if self.negatives == "native" else self.negatives

    @property
    def flagged_share(self) -> float:
        """Share of the human posts that were called machine-translated, 0 to 1."""
        return self.flagged / self.measured

    @property
    def interval(self) -> Interval:
        """95 % interval of the false-positive rate."""
        return rate_interval(self.flagged, self.measured)

    def human_share(self, prevalence: float) -> float | None:
        """The highest share of human posts among flagged ones that the measurement is compatible with.

        By Bayes' theorem, from the upper end of the interval of the false-positive rate and the measured
        true-positive rate; None where this was not measured or nothing would be flagged.

        Args:
            prevalence: share of machine-translated posts in a feed, 0 to 1.
        """
        if self.found is None:
            return None
        human, machine = (1 - prevalence) * self.interval.high, prevalence * self.found
        return human / (human + machine)


@dataclass(frozen=True)
class Measured:
    """What is known about the verdicts of a file.

    Attributes:
        rates: by language, the one with most posts first.
        overall: the reliability of the variant that most posts were judged by, over all languages.
        variant: that variant.
        unknown: what other posts were judged by → their number; nothing is said about their error rates.
        shipped: whether the calibration of this version of the package is among those used.
    """

    rates: tuple[Rate, ...]
    overall: Reliability | None
    variant: str | None
    unknown: Mapping[str, int]
    shipped: bool


def measured(judged: Counter[Judged], store: Store, own: Path | None = None) -> Measured:
    """Look up the error rates of verdicts.

    Args:
        judged: number of posts by what they were judged by.
        store: where the calibration that ships is.
        own: the user's own calibration that ``checker score`` was given.

    Raises:
        InputError: ``own`` is no calibration, or no post was judged by it.
    """
    models = LoadedModels(store, Settings(device="cpu", calibration=own))
    layers = [layer for layer in (models.verdicts, models.calibration) if layer is not None]
    files = {layer.label: layer.calibration for layer in layers}
    if models.calibration is not None:
        label = models.calibration.label
        if judged and all(by.calibration != label for by in judged):
            raise InputError(
                f"No post was judged by {label}.", fix="Name the file that checker score was given."
            )
    counted: dict[tuple[str | None, str, str], int] = defaultdict(int)
    unknown: Counter[str] = Counter()
    for by, posts in judged.items():
        known = by.calibration in files if by.calibration else by.version == __version__
        if known and (variant := _variant(files[by.calibration], by)):
            counted[by.calibration, by.language, variant] += posts
        else:
            unknown[by.calibration or f"statement-checker {by.version}"] += posts
    ranked = sorted(counted.items(), key=lambda item: (-item[1], item[0][1], item[0][2]))
    rates = [
        rate
        for (name, language, variant), posts in ranked
        for rate in _rates(files[name], language, variant, posts)
    ]
    variants: Counter[tuple[str | None, str]] = Counter()
    for (name, _, variant), posts in ranked:
        variants[name, variant] += posts
    overall, used = None, None
    if variants:
        (name, used), _ = variants.most_common(1)[0]
        overall = files[name].variants[used].reliability
    shipped = any(name is None for name, *_ in counted)
    return Measured(tuple(rates), overall, used, dict(sorted(unknown.items())), shipped)


def _variant(calibration: Calibration, by: Judged) -> str | None:
    """The richest variant whose models are those that scored; None for a language that was not fitted."""
    fitted = calibration.languages.get(by.language)
    if fitted is None:
        return None
    models, held = dict(by.models), fitted.models or calibration.models
    counted = {task for task in models if task == "style" or models[task] == held.get(task)}
    return richest(calibration, by.language, features_of(counted))


def _rates(calibration: Calibration, language: str, variant: str, posts: int) -> Iterable[Rate]:
    """One rate for each kind of human posts that thresholds were measured on."""
    fitted = calibration.languages[language]
    bands, reliability = fitted.thresholds[variant], fitted.reliability[variant]
    by_kind: dict[Negatives, list[Threshold]] = defaultdict(list)
    for threshold in bands:
        if threshold is not None and threshold.posts:
            by_kind[threshold.negatives].append(threshold)
    for negatives, measured in by_kind.items():
        yield Rate(
            language, posts, variant, negatives,
            flagged=sum(round(one.false_positive_rate * one.posts) for one in measured),
            measured=sum(one.posts for one in measured),
            found=reliability.flagged.get("machine"), bands=bands, reliability=reliability,
        )  # fmt: skip
