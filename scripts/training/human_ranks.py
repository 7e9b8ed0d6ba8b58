"""Thresholds for the round trip from human text alone, where no machine text is to be had.

A post is called machine-translated if it is more like machine translation than all but 1 % of native posts,
or 2 % of human translations, of its language and length: a rank, which needs no machine text. What puts posts
in order is the richest shipped regression that counts the round trip, whose weights are those of the
languages that had machine text; the figures of the round trip are standardised by the human posts. So the
error rate among human posts is measured, while the probability is carried over and how much is missed is not
known: results say so.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence

import numpy as np

from checker.calibration import fit as fitting
from checker.calibration.fit import Observed
from checker.errors import InputError
from checker.percentiles import quantiles
from checker.verdict.file import Calibration, Fitted, Reliability
from checker.verdict.model import BANDS, VARIANTS, enough, needs, question, sigmoid
from checker.version import __version__


def by_rank(
    shipped: Calibration, posts: Sequence[Observed], models: Mapping[str, dict[str, str]]
) -> Calibration:
    """The shipped verdict of some languages, with thresholds for the round trip among human posts.

    Args:
        shipped: has a variant with the round trip for some language, and every language of the posts.
        posts: human ones, with a round trip.
        models: language → task → label, and the ``pivot``, that the posts were measured with.

    Raises:
        InputError: no language has enough human posts of one kind and length.
    """
    languages = {
        language: fitted
        for language, part in fitting.by_language(posts).items()
        if (fitted := _ranked(shipped, language, part, models[language])) is not None
    }
    if not languages:
        raise InputError(
            "There are too few human posts to set a threshold on.",
            fix=f"Bring at least {fitting.LEAST_POSTS} of one kind and length.",
        )
    testsets = tuple(sorted({post.testset for post in posts if post.testset}))
    return shipped.model_copy(
        update={"version": __version__, "models": {}, "fitted_on": testsets, "languages": languages}
    )


def richest_round_trip(known: Collection[str]) -> str | None:
    """The richest variant for machine translation that counts the round trip, of those with these names."""
    asked = [name for name in reversed(VARIANTS) if question(name) == "machine_translated"]
    return next((name for name in asked if "round_trip" in name and name in known), None)


def _ranked(
    shipped: Calibration, language: str, posts: Sequence[Observed], models: dict[str, str]
) -> Fitted | None:
    fitted, own = shipped.languages[language], fitting.scales(posts)
    scale = {**fitted.scales, **{name: own[name] for name in ("chrf", "bleu")}}
    able = [
        name
        for name in shipped.variants
        if set(needs(name)) <= scale.keys() and all(enough(post.evidence.known, name) for post in posts)
    ]
    if (name := richest_round_trip(able)) is None:
        return None
    weights, (slope, offset) = shipped.variants[name], fitted.correction.get(name, (1.0, 0.0))
    log_odds = fitting.design(posts, {language: scale}, name) @ np.array(weights.weights) + weights.intercept
    said = np.array([sigmoid(slope * value + offset) for value in log_odds])
    cuts = fitting.thresholds(posts, said)
    if not any(cuts):
        return None
    above = [
        (post.kind, cut is not None and float(value) >= cut.machine)
        for post, value in zip(posts, said, strict=True)
        for cut in [cuts[BANDS.number(post.evidence.columns)]]
    ]
    flagged = {
        kind: round(float(np.mean([flag for what, flag in above if what == kind])), 4) for kind in dict(above)
    }
    # Nothing was machine-translated: the mean probability is the error, and there is no table of it.
    measured = Reliability(ece=round(float(said.mean()), 4), bins=(), flagged=flagged)
    chrf = [post.evidence.chrf for post in posts if post.evidence.chrf is not None]
    return fitted.model_copy(
        update={
            "posts": dict(Counter(post.kind for post in posts)),
            "folds": {},
            "models": {task: label for task, label in models.items() if task != "pivot"},
            "pivot": models["pivot"],
            "scales": scale,
            "correction": {**fitted.correction, name: (slope, offset)},
            "thresholds": {**fitted.thresholds, name: cuts},
            "reliability": {**fitted.reliability, name: measured},
            "tails": {**fitted.tails, name: fitting.tails(posts, said, "machine_translated")},
            "withheld": {other: why for other, why in fitted.withheld.items() if other != name},
            "human_quantiles": {**fitted.human_quantiles, "chrf": tuple(quantiles(chrf))},
        }
    )
