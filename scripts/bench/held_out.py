"""Judge every post by what families of text other than its own give: the measure of `families`."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from checker import statistics as stats
from checker.calibration import fit as fitting
from checker.calibration.fit import LEAST_POSTS, Observed
from checker.result import Question
from checker.statistics import Floats
from checker.verdict.model import BANDS, VARIANTS, documentation, question
from scripts.training.verdict import TECHNICAL

DRAWS = 20
"""Times that labels are drawn for `calibration`."""

LEAST_AUC = 50
"""Posts of each class from which an AUC is reported."""


def out_of_fold(posts: Sequence[Observed], name: str) -> Floats:
    """Probability of every post by a fit that did not know its family; nan where the variant cannot say."""
    scale = {language: fitting.scales(part) for language, part in fitting.by_language(posts).items()}
    able = fitting.able(posts, name)
    said = np.full(len(posts), np.nan)
    _, _, probability = fitting.fit_variant([posts[n] for n in able], scale, name)
    said[able] = probability
    return said


def richest_said(posts: Sequence[Observed], variants: Mapping[str, Floats], asked: Question) -> Floats:
    """Probabilities by the richest variant that answers for each post; nan where none does."""
    said = np.full(len(posts), np.nan)
    for name in VARIANTS:
        if question(name) == asked and name in variants:
            said = np.where(np.isnan(variants[name]), said, variants[name])
    return said


def flags(
    posts: Sequence[Observed],
    probability: Floats,
    asked: Question = "machine_translated",
    least: float = 0.5,
) -> Floats:
    """Whether each post is flagged by thresholds that other families set: 1, 0, or nan where there is none.

    Args:
        posts: of any languages.
        probability: of every post, by a fit that did not know its family; nan where nothing is said of it.
        asked: the question.
        least: no threshold is lower.

    Posts that read like documentation are not called machine-translated, and set no threshold for that. Those
    that the question is not fitted on set none either. The thresholds that a post meets are those of neither
    its family nor the one that it was made of, nor of what was made of these (`Observed.fold`).
    """
    found = np.full(len(posts), np.nan)
    known = ~np.isnan(probability)
    fitted = np.array([post.fitted for post in posts], bool)
    plain = np.array([not documentation(post.evidence, TECHNICAL, asked) for post in posts], bool)
    codes = np.array([post.language for post in posts])
    families = np.array([post.testset for post in posts])
    folds = np.array([post.fold for post in posts])
    bands = np.array([BANDS.number(post.evidence.columns) for post in posts])
    for language in sorted(set(codes)):
        here = known & (codes == language)
        for family, fold in sorted(set(zip(families[here].tolist(), folds[here].tolist(), strict=True))):
            rule = here & fitted & plain & (families != family) & (folds != fold)
            others = [posts[n] for n in np.flatnonzero(rule).tolist()]
            cuts = fitting.thresholds(others, probability[rule], asked, least)
            limits = np.array([np.nan if cut is None else cut.machine for cut in cuts])
            if np.isfinite(limits).any():  # where a length has no threshold, the verdict finds nothing
                own = here & (families == family) & (folds == fold)
                met = probability[own] >= np.nan_to_num(limits[bands[own]], nan=np.inf)
                found[own] = met & plain[own]
    return found


def hidden(
    posts: Sequence[Observed], probability: Floats, flagged: Floats, whole: Collection[str] = ()
) -> list[dict[str, Any]]:
    """How often each family is flagged, and how it is told apart; one row a family and language.

    Args:
        posts: of any languages.
        probability: of every post, by a fit that did not know its family; nan where nothing is said of it.
        flagged: `flags` of them.
        whole: families that were made of others: theirs count among the others that they are told from.
    """
    rows = []
    known = ~np.isnan(probability)
    codes = np.array([post.language for post in posts])
    families = np.array([post.testset for post in posts])
    folds = np.array([post.fold for post in posts])
    kinds = np.array([post.kind for post in posts])
    for language in sorted(set(codes[known])):
        here = known & (codes == language)
        for family in sorted(set(families[here])):
            inside = here & (families == family)
            same = families == family
            if family not in whole:
                same |= np.isin(folds, folds[inside])
            others = here & ~same
            row: dict[str, Any] = {"language": language, "family": family}
            for kind in fitting.KINDS:
                row[kind] = rate(flagged[inside & (kinds == kind)])
            for name, negatives, positives in (
                ("inside", inside & (kinds == "translated"), inside & (kinds == "machine")),
                ("translated", others & (kinds == "translated"), inside & (kinds == "machine")),
                ("native", here & (kinds == "native"), inside & (kinds == "machine")),
                ("people", here & (kinds == "native"), inside & (kinds == "translated")),
            ):
                row[f"auc_{name}"] = area(probability[negatives], probability[positives])
            rows.append(row)
    return rows


def rate(flagged: Floats) -> dict[str, Any] | None:
    """Share of `flags`, its interval, and the number of posts; None of too few, and without thresholds."""
    met = flagged[~np.isnan(flagged)]
    if len(flagged) < LEAST_POSTS // 2 or not len(met):
        return None
    low, high = stats.rate_interval(int(met.sum()), len(met))
    return {"flagged": float(met.mean()), "low": low, "high": high, "posts": len(met)}


def together(posts: Sequence[Observed], found: Mapping[Question, Floats]) -> list[dict[str, Any]]:
    """How often human posts of each family are called anything that they are not, by whichever question.

    Native posts must get none of the verdicts, human translations neither of those but ``translated``. A
    question that has no threshold for a post says nothing of it.

    Args:
        posts: of any languages, but those that were made of others.
        found: `flags` of them by each question.
    """
    rows = []
    keys = np.array([f"{post.language} {post.testset}" for post in posts])
    kinds = np.array([post.kind for post in posts])
    for key in sorted(set(keys)):
        language, family = key.split(" ", 1)
        row: dict[str, Any] = {"language": language, "family": family}
        for kind in ("native", "translated"):
            own = (keys == key) & (kinds == kind)
            asked = [flags for question, flags in found.items() if kind in fitting.ALLOWED[question]]
            several = np.array([flags[own] for flags in asked])
            unknown = np.isnan(several).all(0)
            row[kind] = rate(np.where(unknown, np.nan, (several == 1).any(0)))
        rows.append(row)
    return rows


class Error(NamedTuple):
    """Expected calibration errors of one language.

    Attributes:
        language: ISO 639-1 code; None of all languages together.
        seen: that of the probabilities.
        least: that of right probabilities on as many posts, which is not 0.
    """

    language: str | None
    seen: float
    least: float


def calibration(posts: Sequence[Observed], probability: Floats, asked: Question) -> list[Error]:
    """How far probabilities are from the shares that they promise, beside what chance alone makes of it.

    The error of a few posts is too high on average, even that of perfect probabilities (Roelofs et al. 2022),
    so labels are drawn with these probabilities, and what is measured then is the least that can be expected.

    Args:
        posts: of any languages; those that the question is not fitted on are left out.
        probability: of every post, by a fit that did not know its family; nan where nothing is said of it.
        asked: the question.

    Returns:
        Each language that has both answers, then all languages together.
    """
    known = ~np.isnan(probability) & np.array([post.fitted for post in posts], bool)
    codes = np.array([post.language for post in posts])
    rng = np.random.default_rng(0)
    found = []
    for language in (*sorted(set(codes[known].tolist())), None):
        rows = np.flatnonzero(known & ((codes == language) if language else True))
        own, said = [posts[n] for n in rows.tolist()], probability[rows]
        weight = fitting.balance(own, asked)
        yes = np.array([post.kind not in fitting.ALLOWED[asked] for post in own], bool)
        if yes.all() or not yes.any():
            continue
        heavy, light = float(weight[yes].mean()), float(weight[~yes].mean())
        chance = said / heavy / (said / heavy + (1 - said) / light)  # in so many posts, before weights
        drawn = [rng.random(len(said)) < chance for _ in range(DRAWS)]
        least = [stats.reliability(said, one, np.where(one, heavy, light))[0] for one in drawn]
        found.append(Error(language, stats.reliability(said, yes, weight)[0], float(np.mean(least))))
    return found


def area(negative: Floats, positive: Floats) -> float | None:
    """AUC; None for fewer than ``LEAST_AUC`` of either."""
    if min(len(negative), len(positive)) < LEAST_AUC:
        return None
    said = np.concatenate([negative, positive])
    return float(stats.auc(stats.tally(said, np.arange(len(said)) >= len(negative))))
