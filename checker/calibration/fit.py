"""Fit the verdict layer on posts whose kind is known, for the shipped verdict and for a user's own.

Three questions are fitted alike: machine translation, and rudimentary wording, against human posts of either
kind, and any translation against native posts. A logistic regression over standardised features serves all
languages; each language then gets a slope and an offset (Platt 1999) that 50 pseudo-posts pull towards 1 and
0. Probabilities for the reliability tables and the thresholds are out of fold: the caller says which posts
are held out together (``Observed.fold``).
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
from checker.result import Question
from checker.text import percent
from checker.verdict.file import (
    TAIL_RANKS,
    Calibration,
    Fitted,
    Negatives,
    Reliability,
    Tail,
    Threshold,
    Variant,
)
from checker.verdict.model import BANDS, VARIANTS, documentation, enough, features, question, sigmoid

FALSE_POSITIVES: Mapping[Kind, float] = {"native": 0.01, "translated": 0.02}
"""Share of human posts of each kind that a threshold lets be called machine-translated."""

ALLOWED: Mapping[Question, Mapping[Kind, float]] = {
    "machine_translated": FALSE_POSITIVES,
    "translated": {"native": 0.01},
    "rudimentary": FALSE_POSITIVES,
}
"""The kinds of post for which the answer to a question is no, and the share of each that may get a yes."""

CLEARED = 0.02
"""Share of translations, of either kind, that may be called written in their language."""

WORTH = 3.0
"""How many times as many machine posts as human translations a threshold must find, or none is given."""

LEAST_POSTS = 99
"""Human posts from which an error rate counts as measured: the cut that one post in a hundred may pass is the
highest of 99 (the 99 values make 100 gaps, and the next post falls into each with equal chance)."""

LEAST_OWN = 20
"""Human posts that a length band must have of its own to be measured together with its neighbours."""

HIGHEST_CUT = 0.9999  # probabilities have four digits
RANKED = ("style", "chrf", "machine_head")  # features that the reasons of a verdict compare with human posts
RUDIMENTARY = tuple(name for name in VARIANTS if question(name) == "rudimentary")
TRANSLATIONS = tuple(name for name in VARIANTS if name not in RUDIMENTARY)
"""Variants by what they ask: is the wording rudimentary, and how was a post translated."""

KINDS: tuple[Kind, ...] = ("native", "translated", "machine")
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
        half: 1 or 2 where a fold is all that a language has of a kind: these posts are judged by a fit that
            knows, of their fold, the other half of them alone. 0 elsewhere.
        fitted: False for a post that `fit_variant` judges and fits nothing on; `fit` takes no such post.
    """

    evidence: Evidence
    language: str
    kind: Kind
    testset: str
    fold: int
    half: int = 0
    fitted: bool = True


def fit(
    posts: Sequence[Observed],
    names: Sequence[str] = TRANSLATIONS,
    least: Mapping[Question, float] | None = None,
    technical: float | None = None,
) -> Calibration:
    """Fit variants of the verdict, each for the languages that have the posts for it.

    Args:
        posts: human and machine posts. A language takes part in a variant if ``LEAST_POSTS`` posts of either
            class, in two folds or more, have its evidence.
        names: the variants, keys of ``VARIANTS``; by default those that ask how a post was translated, which
            labels of human and machine posts can answer. Of `RUDIMENTARY`, machine posts must be rudimentary.
        least: for each question, a probability that no threshold is below; 0.5 where it is not named.
        technical: log-odds of documentation from which a post is never called machine-translated:
            probabilities are fitted on all posts, thresholds and error rates of that question are those of
            the others. None judges all.

    Returns:
        The calibration without its origin: models, test sets and folds are for the caller to add.

    Raises:
        ValueError: a post is not to be fitted on.
    """
    if not all(post.fitted for post in posts):
        raise ValueError("posts that are not fitted on are judged by fit_variant alone")
    scale = {language: scales(part) for language, part in by_language(posts).items()}
    variants: dict[str, Variant] = {}
    corrections: dict[str, dict[str, tuple[float, float]]] = {language: {} for language in scale}
    cuts: dict[str, dict[str, tuple[Threshold | None, ...]]] = {language: {} for language in scale}
    tables: dict[str, dict[str, Reliability]] = {language: {} for language in scale}
    ends: dict[str, dict[str, dict[Negatives, tuple[Tail | None, ...]]]] = {
        language: {} for language in scale
    }
    poor: dict[str, dict[str, str]] = {language: {} for language in scale}
    found: dict[str, dict[str, Flags]] = {}
    for name in names:
        asked = question(name)
        ours = [posts[number] for number in able(posts, name)]
        if not ours:
            continue
        shared, corrected, probability = fit_variant(ours, scale, name)
        variants[name] = shared
        parts, languages = by_language(ours), np.array([post.language for post in ours])
        for language, correction in corrected.items():
            part, said = parts[language], probability[languages == language]
            plain = np.array([not documentation(post.evidence, technical, asked) for post in part], bool)
            judged, values = [post for post, yes in zip(part, plain, strict=True) if yes], said[plain]
            corrections[language][name] = correction
            cuts[language][name] = thresholds(judged, values, asked, (least or {}).get(asked, 0.5))
            flags = flagged(judged, values, cuts[language][name])
            tables[language][name] = reliability(part, said, flags, asked)
            ends[language][name] = tails(judged, values, asked)
            found.setdefault(name, {})[language] = flags
    for name, languages_of in found.items():
        if question(name) != "translated":
            for language, why in _withheld(languages_of).items():
                poor[language][name] = why
    return Calibration(
        bands=BANDS.edges,
        technical=technical,
        variants=variants,
        languages={
            language: Fitted(
                posts=dict(Counter(post.kind for post in part)),
                scales=scale[language],
                correction=corrections[language],
                thresholds=cuts[language],
                reliability=tables[language],
                withheld=poor[language],
                tails=ends[language],
                human_quantiles=_quantiles(part),
            )
            for language, part in by_language(posts).items()
            if corrections[language]
        },
    )


def merged(first: Calibration, other: Calibration) -> Calibration:
    """A calibration with the variants and test sets of both, for the languages of the first.

    Args:
        first: its scales and posts stay.
        other: of other variants; its scales are added where the first has none.
    """

    def both(one: Fitted, two: Fitted) -> Fitted:
        tables = ("correction", "thresholds", "reliability", "withheld", "tails")
        update: dict[str, Any] = {name: getattr(one, name) | getattr(two, name) for name in tables}
        beneath = ("scales", "human_quantiles")
        return one.model_copy(
            update=update | {name: getattr(two, name) | getattr(one, name) for name in beneath}
        )

    languages = {
        code: both(fitted, other.languages[code]) if code in other.languages else fitted
        for code, fitted in first.languages.items()
    }
    fitted_on = tuple(sorted({*first.fitted_on, *other.fitted_on}))
    variants = first.variants | other.variants
    return first.model_copy(update={"variants": variants, "languages": languages, "fitted_on": fitted_on})


def by_language(posts: Iterable[Observed]) -> dict[str, list[Observed]]:
    """The posts of every language, in their order."""
    parts: dict[str, list[Observed]] = {}
    for post in posts:
        parts.setdefault(post.language, []).append(post)
    return parts


def able(posts: Sequence[Observed], variant: str) -> list[int]:
    """Numbers of the posts to fit a variant on: of languages that have enough with its evidence."""
    known = [number for number, post in enumerate(posts) if enough(post.evidence.known, variant)]
    parts = by_language(posts[number] for number in known)
    fittable = {language for language, part in parts.items() if _fittable(part, question(variant))}
    return [number for number in known if posts[number].language in fittable]


def _fittable(posts: Sequence[Observed], asked: Question) -> bool:
    """Whether one language has enough of both classes, inside and outside of every fold."""
    fitted = [post for post in posts if post.fitted]
    folds = [
        [(post.fold, post.half) for post in fitted if (post.kind in ALLOWED[asked]) == no]
        for no in (False, True)
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
            if FEATURES[name]["kind"] == "encoder":  # log-odds of one head for all languages
                found[name] = (0.0, 2.0)
                continue
            low, middle, high = np.quantile(values, [0.25, 0.5, 0.75])
            found[name] = (round(float(middle), 4), round(float(max(high - low, 1e-3) / 1.349), 4))
    return found


def _quantiles(posts: Sequence[Observed]) -> dict[str, tuple[float, ...]]:
    values = {name: _human(posts, name) for name in RANKED}
    return {name: tuple(quantiles(found.tolist())) for name, found in values.items() if len(found)}


def balance(posts: Sequence[Observed], asked: Question = "machine_translated") -> Floats:
    """Weights: yes and no equal; the kinds of post equal within each; mean one a language."""
    counts = Counter((post.language, post.kind) for post in posts)
    sizes = Counter(post.language for post in posts)

    def weight(language: str, kind: Kind) -> float:
        no = ALLOWED[asked]
        beside = sum((language, other) in counts and (other in no) == (kind in no) for other in KINDS)
        return 0.5 / beside * sizes[language] / counts[language, kind]

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

    asked = question(variant)
    x, target = design(posts, scale, variant), _target(posts, asked)
    languages = np.array([post.language for post in posts])
    folds = np.array([post.fold for post in posts])
    halves = np.array([post.half for post in posts])
    fitted = np.array([post.fitted for post in posts], bool)

    def train(rows: NDArray[np.bool_]) -> tuple[Any, dict[str, tuple[float, float]]]:
        weight = np.zeros(len(posts))  # classes are equal in what is fitted on, whatever the fold left out
        weight[rows] = balance([posts[number] for number in np.flatnonzero(rows).tolist()], asked)
        model = LogisticRegression(C=1.0).fit(x[rows], target[rows], sample_weight=weight[rows])
        score = model.decision_function(x)
        found = {}
        for language in dict.fromkeys(languages[rows].tolist()):
            ours = rows & (languages == language)
            both = len(set(target[ours].tolist())) > 1  # else the languages together must do
            found[language] = correct(score[ours], target[ours], weight[ours]) if both else (1.0, 0.0)
        return model, found

    probability = np.zeros(len(posts))
    held = [(post.fold, post.half, post.language if post.half else "") for post in posts]
    for fold, half, language in dict.fromkeys(held):
        other_half = (folds == fold) & (halves == 3 - half) & (languages == language)
        model, corrections = train(fitted & ((folds != fold) | other_half))
        out = np.array([one == (fold, half, language) for one in held])
        pairs = np.array([corrections[language] for language in languages[out]])
        log_odds = pairs[:, 0] * model.decision_function(x[out]) + pairs[:, 1]
        probability[out] = [sigmoid(z) for z in log_odds]
    model, corrections = train(fitted)
    shared = Variant(
        features=VARIANTS[variant],
        posts=len(posts),
        weights=tuple(round(float(w), 5) for w in model.coef_[0]),
        intercept=round(float(model.intercept_[0]), 5),
        reliability=reliability(posts, probability, asked=asked),
    )
    rounded = {language: (round(a, 4), round(b, 4)) for language, (a, b) in corrections.items()}
    return shared, rounded, probability


def _target(posts: Sequence[Observed], asked: Question) -> Floats:
    return np.array([float(post.kind not in ALLOWED[asked]) for post in posts])


def cut(probability: Floats, allowed: float) -> float:
    """The smallest probability that at most a share ``allowed`` of human posts reached."""
    values = np.sort(probability)
    place = min(int(np.ceil((len(values) + 1) * (1 - allowed))) - 1, len(values) - 1)
    return float(values[place]) + 1e-4


def thresholds(
    posts: Sequence[Observed],
    probability: Floats,
    asked: Question = "machine_translated",
    least: float = 0.5,
) -> tuple[Threshold | None, ...]:
    """The threshold of every length band of one language.

    None where too few human posts were measured, or too many of them are as certain as can be. Families of
    text differ more than chance explains, so a threshold is at least that of the worst one of all lengths. A
    band with fewer than ``LEAST_POSTS`` of a kind takes those of the nearest lengths as well, if it has
    ``LEAST_OWN`` human posts itself.
    """
    allowed = ALLOWED[asked]
    kinds = np.array([post.kind for post in posts])
    testsets = np.array([post.testset for post in posts])
    bands = np.array([BANDS.number(post.evidence.columns) for post in posts])

    def measured(rows: NDArray[np.bool_]) -> dict[Kind, Floats]:
        parts = {kind: probability[rows & (kinds == kind)] for kind in allowed}
        return {kind: values for kind, values in parts.items() if len(values) >= LEAST_POSTS}

    def strictest(parts: Mapping[Kind, Floats]) -> float:
        return max((cut(values, allowed[kind]) for kind, values in parts.items()), default=0.5)

    def near(number: int) -> dict[Kind, Floats]:
        human = (bands == number) & np.isin(kinds, list(allowed))
        found: dict[Kind, Floats] = {}
        for reach in range(len(BANDS) if human.sum() >= LEAST_OWN else 1):
            for kind, values in measured(np.abs(bands - number) <= reach).items():
                found.setdefault(kind, values)
        return found

    clear = _clear(kinds, testsets, probability) if asked == "translated" else None
    floor = max([least, *(strictest(measured(testsets == testset)) for testset in np.unique(testsets))])
    cuts: list[Threshold | None] = []
    for number in range(len(BANDS)):
        humans = near(number)
        machine = max(floor, strictest(humans))
        if not humans or machine > HIGHEST_CUT:
            cuts.append(None)
            continue
        machine = round(machine, 4)
        kind: Kind = "native" if "native" in humans else "translated"
        rate = round(float((humans[kind] >= machine).mean()), 4)
        below = None if clear is None else round(min(clear, 1 - machine), 4)
        cuts.append(Threshold(machine, rate, len(humans[kind]), _NEGATIVES[kind], below))
    return tuple(cuts)


def _clear(kinds: NDArray[Any], testsets: NDArray[Any], probability: Floats) -> float | None:
    """The probability that at most ``CLEARED`` of the translations of the worst family are below."""
    found = []
    for kind in ("translated", "machine"):
        for testset in np.unique(testsets[kinds == kind]):
            values = np.sort(probability[(kinds == kind) & (testsets == testset)])
            if len(values) >= LEAST_POSTS:
                found.append(float(values[int(CLEARED * (len(values) + 1)) - 1]) - 1e-4)
    return max(min(found), 0.0) if found else None


def tails(
    posts: Sequence[Observed], probability: Floats, asked: Question
) -> dict[Negatives, tuple[Tail | None, ...]]:
    """How high human posts of each kind score: one a length band; of all lengths where a band has too few."""
    found: dict[Negatives, tuple[Tail | None, ...]] = {}
    for kind in ALLOWED[asked]:
        values = [
            (BANDS.number(p.evidence.columns), v)
            for p, v in zip(posts, probability, strict=True)
            if p.kind == kind
        ]
        whole = _tail([v for _, v in values])
        bands = [_tail([v for number, v in values if number == band]) for band in range(len(BANDS))]
        if whole:
            found[_NEGATIVES[kind]] = tuple(band or whole for band in bands)
    return found


def _tail(values: Sequence[float]) -> Tail | None:
    if len(values) < LEAST_POSTS:
        return None
    high = sorted(values, reverse=True)
    return Tail(
        posts=len(high), reached=tuple(round(float(high[r - 1]), 4) for r in TAIL_RANKS if r <= len(high))
    )


Flags = Mapping[Kind, tuple[int, int]]
"""Kind of post → how many are flagged, of how many."""


def flagged(posts: Sequence[Observed], probability: Floats, cuts: Sequence[Threshold | None]) -> Flags:
    """How many posts of each kind reach the thresholds of their language."""
    counts: dict[Kind, list[int]] = {}
    for post, value in zip(posts, probability, strict=True):
        limit = cuts[BANDS.number(post.evidence.columns)]
        count = counts.setdefault(post.kind, [0, 0])
        count[0] += limit is not None and value >= limit.machine
        count[1] += 1
    return {kind: (count[0], count[1]) for kind, count in counts.items()}


def _withheld(flags: Mapping[str, Flags]) -> dict[str, str]:
    """Why languages get no verdict of machine translation, or of rudimentary wording; those that get one are
    left out.

    A language with fewer than ``LEAST_POSTS`` posts of either kind is judged by all languages together.
    """
    together: dict[Kind, tuple[int, int]] = {}
    for own in flags.values():
        for kind, (yes, posts) in own.items():
            before = together.get(kind, (0, 0))
            together[kind] = before[0] + yes, before[1] + posts
    found = {}
    for language, own in flags.items():
        enough = all(own.get(kind, (0, 0))[1] >= LEAST_POSTS for kind in ("machine", "translated"))
        rates = {kind: yes / posts for kind, (yes, posts) in (own if enough else together).items()}
        machine, human = rates.get("machine", 0.0), rates.get("translated", 0.0)
        if machine < WORTH * human or machine == 0:
            found[language] = (
                f"the threshold that spares human translators finds {percent(machine, 1)} of machine "
                f"translations, and {percent(human, 1)} of human ones"
            )
    return found


def reliability(
    posts: Sequence[Observed],
    probability: Floats,
    flags: Flags | None = None,
    asked: Question = "machine_translated",
) -> Reliability:
    """Expected calibration error with its table, AUC, and the share of each kind that is flagged.

    Args:
        posts: of one language or of several.
        probability: that the answer is yes, out of fold.
        flags: of the one language; by default nothing is said about them.
        asked: the question.
    """
    target = _target(posts, asked) == 1
    error, bins = stats.reliability(probability, target, balance(posts, asked))
    return Reliability(
        ece=round(error, 4),
        auc=round(float(stats.auc(stats.tally(probability, target))), 4),
        bins=bins,
        flagged={kind: round(yes / count, 4) for kind, (yes, count) in (flags or {}).items()},
    )
