"""Fit the verdict layer on posts whose kind is known, for the shipped verdict and for a user's own.

A logistic regression over standardised features serves all languages; each language then gets a slope and
an offset (Platt 1999) that 50 pseudo-posts pull towards 1 and 0. Probabilities for the reliability tables
and the thresholds are out of fold: the caller says which posts are held out together (``Observed.fold``).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from checker import statistics as stats
from checker.evaluation.labelled import Kind
from checker.evidence.evidence import FEATURES, Evidence
from checker.percentiles import quantiles
from checker.verdict.file import Calibration, Fitted, Negatives, Reliability, Threshold, Variant
from checker.verdict.model import BANDS, VARIANTS, enough, features, sigmoid

FALSE_POSITIVES: Mapping[Kind, float] = {"native": 0.01, "translated": 0.02}
"""Share of human posts of each kind that a threshold lets be called machine-translated."""

LEAST_POSTS = 99
"""Human posts from which an error rate counts as measured: the cut that one post in a hundred may pass is the
highest of 99 (the 99 values make 100 gaps, and the next post falls into each with equal chance)."""

HIGHEST_CUT = 0.9999  # probabilities have four digits
RANKED = ("style", "chrf")  # features that the reasons of a verdict compare with human posts
_NEGATIVES: Mapping[Kind, Negatives] = {"native": "native", "translated": "human translations"}

Floats = NDArray[np.float64]
Scales = dict[str, tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Observed:
    """A post of known kind with its evidence.

    Attributes:
        evidence: what the models found, by models that were not trained on the post.
        language: ISO 639-1 code.
        kind: ``native``, ``translated`` by a human, or ``machine``.
        testset: where it comes from; thresholds hold in the worst test set.
        fold: posts with equal numbers are held out together.
    """

    evidence: Evidence
    language: str
    kind: Kind
    testset: str
    fold: int


def fit(posts: Sequence[Observed], names: Sequence[str] = tuple(VARIANTS)) -> Calibration:
    """Fit variants of the verdict, each for the languages that have the posts for it.

    Args:
        posts: human and machine posts. A language takes part in a variant if ``LEAST_POSTS`` posts of either
            class, in two folds or more, have its evidence.
        names: the variants, keys of ``VARIANTS``; all of them by default.

    Returns:
        The calibration without its origin: models, test sets and folds are for the caller to add.
    """
    scale = {language: scales(part) for language, part in by_language(posts).items()}
    variants: dict[str, Variant] = {}
    corrections: dict[str, dict[str, tuple[float, float]]] = {language: {} for language in scale}
    cuts: dict[str, dict[str, tuple[Threshold | None, ...]]] = {language: {} for language in scale}
    tables: dict[str, dict[str, Reliability]] = {language: {} for language in scale}
    for name in names:
        parts = by_language(post for post in posts if enough(post.evidence.known, name))
        able = [post for part in parts.values() if _fittable(part) for post in part]
        if not able:
            continue
        shared, corrected, probability = fit_variant(able, scale, name)
        variants[name] = shared
        languages = np.array([post.language for post in able])
        for language, correction in corrected.items():
            part, said = parts[language], probability[languages == language]
            corrections[language][name] = correction
            cuts[language][name] = thresholds(part, said)
            tables[language][name] = reliability(part, said, cuts[language][name])
    return Calibration(
        bands=BANDS.edges,
        variants=variants,
        languages={
            language: Fitted(
                posts=dict(Counter(post.kind for post in part)),
                scales=scale[language],
                correction=corrections[language],
                thresholds=cuts[language],
                reliability=tables[language],
                human_quantiles=_quantiles(part),
            )
            for language, part in by_language(posts).items()
            if corrections[language]
        },
    )


def by_language(posts: Iterable[Observed]) -> dict[str, list[Observed]]:
    """The posts of every language, in their order."""
    parts: dict[str, list[Observed]] = {}
    for post in posts:
        parts.setdefault(post.language, []).append(post)
    return parts


def _fittable(posts: Sequence[Observed]) -> bool:
    """Whether one language has enough of both classes, inside and outside of every fold."""
    folds = [
        [post.fold for post in posts if (post.kind == "machine") == machine] for machine in (False, True)
    ]
    return all(len(part) >= LEAST_POSTS and len(set(part)) > 1 for part in folds)


def _human(posts: Sequence[Observed], feature: str) -> Floats:
    """Values of a feature in the human posts that have it."""
    values = [getattr(post.evidence, feature) for post in posts if post.kind != "machine"]
    return np.array([value for value in values if value is not None], dtype=float)


def scales(posts: Sequence[Observed]) -> Scales:
    """Feature → (median, robust standard deviation) of the human posts of one language."""
    found: Scales = {}
    for name in FEATURES:
        if len(values := _human(posts, name)):
            low, middle, high = np.quantile(values, [0.25, 0.5, 0.75])
            found[name] = (round(float(middle), 4), round(float(max(high - low, 1e-3) / 1.349), 4))
    return found


def _quantiles(posts: Sequence[Observed]) -> dict[str, tuple[float, ...]]:
    values = {name: _human(posts, name) for name in RANKED}
    return {name: tuple(quantiles(found.tolist())) for name, found in values.items() if len(found)}


def balance(posts: Sequence[Observed]) -> Floats:
    """Weights: human and machine equal; native and translated equal within human; mean one a language."""
    counts = Counter((post.language, post.kind) for post in posts)
    sizes = Counter(post.language for post in posts)

    def weight(language: str, kind: Kind) -> float:
        humans = sum((language, human) in counts for human in FALSE_POSITIVES)
        share = 0.5 if kind == "machine" else 0.5 / humans
        return share * sizes[language] / counts[language, kind]

    return np.array([weight(post.language, post.kind) for post in posts])


def design(posts: Sequence[Observed], scale: Mapping[str, Scales], variant: str) -> Floats:
    """Standardised features of every post."""
    return np.array([features(post.evidence, scale[post.language], variant) for post in posts])


def correct(score: Floats, target: Floats, weight: Floats, shrink: float = 50.0) -> tuple[float, float]:
    """Slope and offset of one language's log-odds, shrunk towards (1, 0) by ``shrink`` pseudo-posts."""
    from scipy.optimize import minimize

    def cost(parameters: Floats) -> float:
        z = parameters[0] * score + parameters[1]
        loss = np.logaddexp(0, z) - target * z
        return float((weight * loss).sum() + shrink * ((parameters[0] - 1) ** 2 + parameters[1] ** 2))

    slope, offset = minimize(cost, np.array([1.0, 0.0]), method="L-BFGS-B").x
    return float(max(slope, 0.0)), float(offset)


def fit_variant(
    posts: Sequence[Observed], scale: Mapping[str, Scales], variant: str
) -> tuple[Variant, dict[str, tuple[float, float]], Floats]:
    """The shared weights, each language's correction, and out-of-fold probabilities of all posts."""
    from sklearn.linear_model import LogisticRegression

    x, target = design(posts, scale, variant), _target(posts)
    languages = np.array([post.language for post in posts])
    folds = np.array([post.fold for post in posts])

    def train(rows: NDArray[np.bool_]) -> tuple[Any, dict[str, tuple[float, float]]]:
        weight = np.zeros(len(posts))  # classes are equal in what is fitted on, whatever the fold left out
        weight[rows] = balance([posts[number] for number in np.flatnonzero(rows).tolist()])
        model = LogisticRegression(C=1.0).fit(x[rows], target[rows], sample_weight=weight[rows])
        score = model.decision_function(x)
        found = {}
        for language in dict.fromkeys(languages[rows].tolist()):
            ours = rows & (languages == language)
            found[language] = correct(score[ours], target[ours], weight[ours])
        return model, found

    probability = np.zeros(len(posts))
    for fold in np.unique(folds):
        model, corrections = train(folds != fold)
        out = folds == fold
        pairs = np.array([corrections[language] for language in languages[out]])
        log_odds = pairs[:, 0] * model.decision_function(x[out]) + pairs[:, 1]
        probability[out] = [sigmoid(z) for z in log_odds]
    model, corrections = train(np.ones(len(posts), bool))
    shared = Variant(
        features=VARIANTS[variant],
        posts=len(posts),
        weights=tuple(round(float(w), 5) for w in model.coef_[0]),
        intercept=round(float(model.intercept_[0]), 5),
        reliability=reliability(posts, probability),
    )
    rounded = {language: (round(a, 4), round(b, 4)) for language, (a, b) in corrections.items()}
    return shared, rounded, probability


def _target(posts: Sequence[Observed]) -> Floats:
    return np.array([float(post.kind == "machine") for post in posts])


def cut(probability: Floats, allowed: float) -> float:
    """The smallest probability that at most a share ``allowed`` of human posts reached."""
    values = np.sort(probability)
    place = min(int(np.ceil((len(values) + 1) * (1 - allowed))) - 1, len(values) - 1)
    return float(values[place]) + 1e-4


def thresholds(posts: Sequence[Observed], probability: Floats) -> tuple[Threshold | None, ...]:
    """The threshold of every length band of one language.

    None where too few human posts were measured, or too many of them are as certain as can be. Test sets
    differ more than chance explains, so a threshold is at least that of the worst test set of all lengths.
    """
    kinds = np.array([post.kind for post in posts])
    testsets = np.array([post.testset for post in posts])
    bands = np.array([BANDS.number(post.evidence.columns) for post in posts])

    def measured(rows: NDArray[np.bool_]) -> dict[Kind, Floats]:
        parts = {kind: probability[rows & (kinds == kind)] for kind in FALSE_POSITIVES}
        return {kind: values for kind, values in parts.items() if len(values) >= LEAST_POSTS}

    def strictest(parts: Mapping[Kind, Floats]) -> float:
        return max((cut(values, FALSE_POSITIVES[kind]) for kind, values in parts.items()), default=0.5)

    floor = max(0.5, *(strictest(measured(testsets == testset)) for testset in np.unique(testsets)))
    cuts: list[Threshold | None] = []
    for number in range(len(BANDS)):
        humans = measured(bands == number)
        machine = max(floor, strictest(humans))
        if not humans or machine > HIGHEST_CUT:
            cuts.append(None)
            continue
        machine = round(machine, 4)
        kind: Kind = "native" if "native" in humans else "translated"
        rate = round(float((humans[kind] >= machine).mean()), 4)
        cuts.append(Threshold(machine, rate, len(humans[kind]), _NEGATIVES[kind]))
    return tuple(cuts)


def reliability(
    posts: Sequence[Observed],
    probability: Floats,
    cuts: Sequence[Threshold | None] | None = None,
) -> Reliability:
    """Expected calibration error with its table, AUC, and the share of each kind that the cuts flag.

    Args:
        posts: of one language or of several.
        probability: of machine translation, out of fold.
        cuts: of the one language; by default nothing is said about flags.
    """
    target = _target(posts) == 1
    error, bins = stats.reliability(probability, target, balance(posts))
    flags: dict[str, list[bool]] = {}
    for post, value in zip(posts, probability, strict=True):
        limit = cuts[BANDS.number(post.evidence.columns)] if cuts else None
        flags.setdefault(post.kind, []).append(limit is not None and value >= limit.machine)
    return Reliability(
        ece=round(error, 4),
        auc=round(float(stats.auc(stats.tally(probability, target))), 4),
        bins=bins,
        flagged={kind: round(sum(part) / len(part), 4) for kind, part in flags.items()} if cuts else {},
    )
