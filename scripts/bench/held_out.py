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
    fitted = fitting.by_language(post for post in posts if post.fitted)
    scale = {language: fitting.scales(part) for language, part in fitted.items()}
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


class Met(NamedTuple):
    """What thresholds say of every post: 1 yes, 0 no, nan where there is none.

    Attributes:
        flagged: the answer to the question is yes.
        cleared: it is so sure a no that the post is called human-written, unless its wording is rudimentary;
            of the question whether a post was translated alone.
    """

    flagged: Floats
    cleared: Floats


def flags(
    posts: Sequence[Observed],
    probability: Floats,
    asked: Question = "machine_translated",
    least: float = 0.5,
) -> Met:
    """Whether each post is flagged, and whether it is cleared, by thresholds that other families set.

    Args:
        posts: of any languages.
        probability: of every post, by a fit that did not know its family; nan where nothing is said of it.
        asked: the question.
        least: no threshold is lower.

    Posts that read like documentation are not called machine-translated, and set no threshold for that. Those
    that the question is not fitted on set none either. The thresholds that a post meets are those of neither
    its family nor the one that it was made of, nor of what was made of these (`Observed.fold`); the
    probabilities by which others set them are by fits that knew it. That a verdict may be withheld from a
    language counts for nothing here.
    """
    found, clear = (np.full(len(posts), np.nan) for _ in range(2))
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
                below = np.array([np.nan if cut is None or cut.clear is None else cut.clear for cut in cuts])
                if np.isfinite(below).any():
                    clear[own] = probability[own] <= np.nan_to_num(below[bands[own]], nan=-np.inf)
    return Met(found, clear)


def hidden(
    posts: Sequence[Observed], probability: Floats, met: Met, whole: Collection[str] = ()
) -> list[dict[str, Any]]:
    """How often each family is flagged, and how it is told apart; one row a family and language.

    Args:
        posts: of any languages.
        probability: of every post, by a fit that did not know its family; nan where nothing is said of it.
        met: `flags` of them.
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
                own = inside & (kinds == kind)
                row[kind], row[f"{kind}_cleared"] = rate(met.flagged[own]), rate(met.cleared[own])
            for name, negatives, positives in (
                ("inside", inside & (kinds == "translated"), inside & (kinds == "machine")),
                ("translated", others & (kinds == "translated"), inside & (kinds == "machine")),
                ("native", here & (kinds == "native"), inside & (kinds == "machine")),
                ("people", here & (kinds == "native"), inside & (kinds == "translated")),
            ):
                row[f"auc_{name}"] = area(probability[negatives], probability[positives])
            rows.append(row)
    return rows


def rate(said: Floats) -> dict[str, Any] | None:
    """Share of yes (`Met`), its interval, and the number of posts; None of too few with a threshold."""
    met = said[~np.isnan(said)]
    if len(met) < LEAST_POSTS // 2:
        return None
    low, high = stats.rate_interval(int(met.sum()), len(met))
    return {"flagged": float(met.mean()), "low": low, "high": high, "posts": len(met)}


def together(posts: Sequence[Observed], found: Mapping[Question, Floats]) -> list[dict[str, Any]]:
    """How often human posts of each family are flagged wrongly, by whichever question.

    Native posts should be flagged by none, human translations by none but ``translated``. Families count
    where each of these questions has thresholds for some of their posts.

    Args:
        posts: of any languages, but those that were made of others.
        found: ``flagged`` of `flags` of them, by question.
    """
    rows = []
    keys = np.array([f"{post.language} {post.testset}" for post in posts])
    kinds = np.array([post.kind for post in posts])
    for key in sorted(set(keys)):
        language, family = key.split(" ", 1)
        row: dict[str, Any] = {"language": language, "family": family}
        for kind in ("native", "translated"):
            own = (keys == key) & (kinds == kind)
            asked = [said for question, said in found.items() if kind in fitting.ALLOWED[question]]
            several = np.array([said[own] for said in asked])
            answered = not np.isnan(several).all(1).any()
            row[kind] = rate((several == 1).any(0).astype(float)) if answered else None
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
        heavy, light = weight[yes], weight[~yes]
        odds = said / heavy.mean() * light.mean()
        chance = odds / (odds + 1 - said)  # in so many posts, before weights
        least = []
        for _ in range(DRAWS):
            one = rng.random(len(said)) < chance
            drawn = np.where(one, rng.choice(heavy, len(said)), rng.choice(light, len(said)))
            least.append(stats.reliability(said, one, drawn)[0])
        found.append(Error(language, stats.reliability(said, yes, weight)[0], float(np.mean(least))))
    return found


def area(negative: Floats, positive: Floats) -> float | None:
    """AUC; None for fewer than ``LEAST_AUC`` of either."""
    if min(len(negative), len(positive)) < LEAST_AUC:
        return None
    said = np.concatenate([negative, positive])
    return float(stats.auc(stats.tally(said, np.arange(len(said)) >= len(negative))))
