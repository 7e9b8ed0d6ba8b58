"""Calibrate on a user's labelled posts: which of them count, in which folds, for which models.

The shipped style detectors were not trained on these posts, so their log-odds are already out of sample and
need no cross-fitting.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from checker.calibration.fit import LEAST_POSTS, Observed, fit
from checker.errors import InputError
from checker.evaluation.labelled import LabelledPost
from checker.evidence.evidence import FEATURES
from checker.evidence.fluency import FluencyTable, Reading, reading
from checker.language import LIKELY, identify
from checker.languages import SUPPORTED, name
from checker.models.language_model import LanguageModel
from checker.pipeline import Checker
from checker.text import MAX_CHARACTERS, clean, sentences, width
from checker.verdict.file import Calibration, Fitted, Source
from checker.verdict.model import BANDS, needs
from checker.version import __version__

FOLDS = 5
BLOCK = 10  # consecutive posts that stay together where no groups are given: they may be about one event
LARGEST_GROUP = 0.75  # of a class; with a larger one, leaving it out would leave too little to fit on
MOST_SENTENCES = 1500  # human sentences a language that percentiles of fluency are measured on

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Selected:
    """A post that can be fitted on, with its sentences as the checker splits them."""

    post: LabelledPost
    sentences: tuple[str, ...]

    @property
    def columns(self) -> int:
        """Length of the text that is scored; wide characters count as two."""
        return width(" ".join(self.sentences))


def select(posts: Sequence[LabelledPost]) -> tuple[dict[str, list[Selected]], list[str]]:
    """Sort posts by language, before any model runs.

    Args:
        posts: of any languages, in the order of their rows.

    Returns:
        The posts of every language that has enough, in order; and one sentence for each reason why others are
        left out.

    Raises:
        InputError: no language has enough; the message says how many posts are missing in each.
    """
    found: dict[str, list[Selected]] = {}
    unusable: Counter[str] = Counter()
    seen: set[tuple[str, bool]] = set()
    for post in posts:
        text = clean(post.text[:MAX_CHARACTERS]).text
        language = post.language or _identified(text)
        if language not in SUPPORTED:
            unusable["in a language that is not supported or could not be identified"] += 1
            continue
        one = Selected(post, tuple(span.text for span in sentences(text, language)))
        if not BANDS.holds(one.columns):
            unusable[f"shorter than {BANDS.shortest} or longer than {BANDS.longest} columns"] += 1
        elif (text, post.machine) in seen:
            unusable["with the text of another one"] += 1
        else:
            seen.add((text, post.machine))
            found.setdefault(language, []).append(one)
    told = [f"Posts left out: {count} {why}." for why, count in unusable.items()]
    short = {language: missing for language, part in found.items() if (missing := _missing(part))}
    told += [f"{name(language)} keeps the shipped verdict: {missing}." for language, missing in short.items()]
    if found.keys() == short.keys():
        problem = f"There are too few posts to calibrate on. {' '.join(told)}".strip()
        raise InputError(problem, fix=f"Label at least {LEAST_POSTS} human and machine posts of one length.")
    return {language: part for language, part in found.items() if language not in short}, told


def _identified(text: str) -> str | None:
    guess = identify(text)
    return guess.code if guess.confidence >= LIKELY else None


def _missing(posts: Sequence[Selected]) -> str:
    """What one language lacks; empty if nothing. Error rates need human posts of one kind and length band."""
    machine = sum(one.post.machine for one in posts)
    lengths = Counter((one.post.kind, BANDS.number(one.columns)) for one in posts if not one.post.machine)
    missing = []
    if machine < LEAST_POSTS:
        missing.append(f"{LEAST_POSTS - machine} more machine posts are needed ({machine} of {LEAST_POSTS})")
    if not lengths:
        missing.append(f"{LEAST_POSTS} human posts of one length are needed (there is none)")
    elif (best := lengths.most_common(1)[0])[1] < LEAST_POSTS:
        (kind, number), most = best
        missing.append(
            f"{LEAST_POSTS - most} more {'native' if kind == 'native' else 'human-translated'} posts of one "
            f"length are needed ({most} of {LEAST_POSTS} with {length(number)} columns)"
        )
    return ", and ".join(missing)


def length(number: int) -> str:
    """A length band in words: "60 to 119"."""
    shortest, longest = BANDS.extents()[number]
    return f"{shortest} to {longest}"


def folds(posts: Sequence[LabelledPost]) -> tuple[list[int], dict[str, str]]:
    """Hold out whole MT systems, and whole test sets of human text; blocks of posts where neither is given.

    Args:
        posts: of one language, in the order of their rows.

    Returns:
        The fold of every post, and how they were made: class → a sentence without its full stop.
    """
    from sklearn.model_selection import GroupKFold

    numbers, told = np.zeros(len(posts), dtype=int), {}
    for machine, column, noun in (False, "testset", "test sets"), (True, "system", "MT systems"):
        rows = np.array([row for row, post in enumerate(posts) if post.machine == machine], dtype=int)
        groups = [getattr(posts[row], column) or "" for row in rows]
        sizes = Counter(groups)
        label = "machine" if machine else "human"
        if len(sizes) > 1 and max(sizes.values()) <= LARGEST_GROUP * len(rows):
            count = min(FOLDS, len(sizes))
            for fold, (_, held) in enumerate(GroupKFold(count).split(rows, groups=groups)):
                numbers[rows[held]] = fold
            told[label] = f"{count} folds of whole {noun}, {len(sizes)} in all"
        else:
            numbers[rows] = np.arange(len(rows)) // BLOCK % FOLDS
            told[label] = f"{FOLDS} folds, each of every fifth block of {BLOCK} consecutive posts"
    return numbers.tolist(), told


def calibrate(
    checker: Checker,
    selected: dict[str, list[Selected]],
    source: Source,
    on_post: Callable[[], object] = lambda: None,
) -> Calibration:
    """Fit the verdict layer for the models of a checker.

    Args:
        checker: scores the posts; without a calibration of its own.
        selected: the posts of every language, as ``select`` returns them.
        source: the file that they are from.
        on_post: called after every post that was scored.

    Raises:
        ModelNotFoundError: a model of the hub profile was not downloaded.
        ModelCorruptedError: a model file does not match its lock.
    """
    observed: list[Observed] = []
    how: dict[str, dict[str, str]] = {}
    percentiles: dict[str, FluencyTable | None] = {}
    for language, posts in selected.items():
        _log.info("%s: scoring %d posts.", name(language), len(posts))
        numbers, how[language] = folds([one.post for one in posts])
        percentiles[language] = table = _percentiles(checker, language, posts)
        evidence = checker.evidence_many((one.post.text for one in posts), language, table)
        for found, one, fold in zip(evidence, posts, numbers, strict=True):
            observed.append(Observed(found, language, one.post.kind, one.post.testset or "", fold))
            on_post()
    fitted = fit(observed)

    def complete(language: str, part: Fitted) -> Fitted:
        """Add what the calibration of a language holds for."""
        tasks = {FEATURES[feature]["model"] for variant in part.correction for feature in needs(variant)}
        models = {task: label for task, label in checker.models.labels(language).items() if task in tasks}
        table = percentiles[language] if "fluency" in models else None
        return part.model_copy(
            update={
                "folds": how[language],
                "models": models,
                "pivot": checker.models.pivot(language) if "translator" in models else None,
                "percentiles": table.rows(language) if table else None,
                "statistic": table.statistic if table else None,
            }
        )

    testsets = {one.post.testset for posts in selected.values() for one in posts if one.post.testset}
    return fitted.model_copy(
        update={
            "version": __version__,
            "source": source,
            "fitted_on": tuple(sorted(testsets)),
            "languages": {language: complete(language, part) for language, part in fitted.languages.items()},
        }
    )


def _percentiles(checker: Checker, language: str, posts: Sequence[Selected]) -> FluencyTable | None:
    """Percentiles of human fluency for a language model that the package has none for."""
    model = checker.models.language_model(language)
    if model is None or model.label == checker.models.percentiles.model:
        return None
    texts = [sentence for one in posts if not one.post.machine for sentence in one.sentences]
    return FluencyTable.measure(model.label, readings(model, language, texts), LEAST_POSTS)


def readings(model: LanguageModel, language: str, texts: Sequence[str]) -> list[tuple[str, str, Reading]]:
    """What ``FluencyTable.measure`` takes, of at most `MOST_SENTENCES` sentences, drawn with a fixed seed."""
    sample = [texts[row] for row in np.random.default_rng(0).permutation(len(texts))[:MOST_SENTENCES]]
    scores = model.log_probabilities(sample, language)
    return [(language, text, reading(found)) for text, found in zip(sample, scores, strict=True)]
