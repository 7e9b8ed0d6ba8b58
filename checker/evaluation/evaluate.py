"""How good the verdict is on labelled posts: ``checker evaluate`` without its files.

A figure based on too few posts is None. The formulas are in ``statistics.py``, and what each figure
means is in ``result.py``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import SupportsFloat, get_args

import numpy as np
from numpy.typing import NDArray

from checker import statistics as stats
from checker.errors import InputError
from checker.evaluation.grouping import Scored, grouped
from checker.evaluation.labelled import Kind, LabelledPost
from checker.evaluation.result import (
    LEAST,
    Compared,
    Comparison,
    Curve,
    Estimate,
    Evaluation,
    Figures,
    Share,
    Signature,
)
from checker.evaluation.scores import Score
from checker.result import Result, Verdict
from checker.version import __version__

RESAMPLES, SEED = 1000, 0
_RATES = tuple(n / 200 for n in range(201))  # false-positive rates of a ROC curve
Source = Mapping[str, str | int | bool | None]


def evaluate(
    posts: Sequence[LabelledPost],
    results: Iterable[Result | Score],
    group_by: Sequence[str] = (),
    *,
    resamples: int = RESAMPLES,
    seed: int = SEED,
    source: Source | None = None,
) -> Evaluation:
    """Measure scored posts against their labels.

    Args:
        posts: labelled posts.
        results: one for each post, in the same order.
        group_by: keys, each of which gives its own table: ``lang`` (as labelled, or as identified where it
            is not), ``system``, ``testset``, ``length`` (bands of the verdict), or a key of ``extra``.
        resamples: of the bootstrap.
        seed: of the bootstrap; every interval starts from it, so a group's does not depend on other groups.
        source: what else the signature is to name, such as the file.

    Raises:
        InputError: there are no posts, or none has a value for a key.
        ValueError: there are more or fewer results than posts, or fewer than one resample.
    """
    scored = list(zip(posts, map(_score, results), strict=True))
    _check(posts, resamples)
    with_origin = any(post.origin for post, _ in scored if not post.machine)
    figures = partial(_figures, with_origin=with_origin, resamples=resamples, seed=seed)
    return Evaluation(
        signature=_signature([score for _, score in scored], len(scored), resamples, seed, source),
        overall=figures("all", scored),
        groups={
            key: tuple(figures(name, part) for name, part in grouped(scored, key).items())
            for key in dict.fromkeys(group_by)
        },
        roc=_curves(scored, with_origin),
    )


def compare(
    posts: Sequence[LabelledPost],
    first: Iterable[Result | Score],
    second: Iterable[Result | Score],
    *,
    resamples: int = RESAMPLES,
    seed: int = SEED,
    source: Source | None = None,
) -> Comparison:
    """Test whether a second scoring of the same posts differs from the first; arguments as for `evaluate`.

    Raises:
        InputError: fewer than `LEAST` posts of a class have a probability in both.
        ValueError: as `evaluate`.
    """
    both = list(zip(posts, map(_score, first), map(_score, second), strict=True))
    _check(posts, resamples)
    paired = [(post, a, b) for post, a, b in both if None not in (a.probability, b.probability)]
    samples = [_Sample.of([(post, scores[side]) for post, *scores in paired]) for side in (0, 1)]
    tallies = [sample.counts for sample in samples]
    if tallies[0] is None or tallies[1] is None:
        raise InputError(
            f"Only {min(samples[0].sizes.values())} posts of a class have a probability in both files.",
            fix=f"Compare at least {LEAST} human and {LEAST} machine posts.",
        )
    statistics: dict[str, stats.Statistic] = {"auc": stats.auc, "ece": stats.ece}
    if samples[0].sizes["human"] >= 100:
        statistics["tpr_at_1_fpr"] = partial(stats.tpr_at_fpr, fpr=0.01)
    tests = stats.paired_bootstrap(
        samples[0].said, samples[1].said, samples[0].machine, statistics, resamples, seed
    )
    scores = [score for _, *pair in both for score in pair]
    return Comparison(
        signature=_signature(scores, len(both), resamples, seed, source),
        posts=samples[0].sizes,
        left_out=len(both) - len(paired),
        figures={
            name: Compared(
                a=_rounded(statistics[name](tallies[0])),
                b=_rounded(statistics[name](tallies[1])),
                difference=_rounded(test.value),
                low=_rounded(test.interval.low),
                high=_rounded(test.interval.high),
                p_value=_rounded(test.p_value),
            )
            for name, test in tests.items()
        },
    )


def _score(result: Result | Score) -> Score:
    return result if isinstance(result, Score) else Score.of(result)


def _check(posts: Sequence[LabelledPost], resamples: int) -> None:
    if not posts:
        raise InputError(
            "There is no labelled post.", fix="Give a file with a text and a label in every row."
        )
    if resamples < 1:
        raise ValueError("resamples must be at least 1")


def _signature(
    scores: Sequence[Score], posts: int, resamples: int, seed: int, source: Source | None
) -> Signature:
    models: dict[str, set[str]] = {}
    for score in scores:
        for role, model in score.models.items():
            models.setdefault(role, set()).add(model)
    return Signature(
        version=__version__,
        numpy=np.__version__,
        scored_with=tuple(sorted({score.version for score in scores if score.version})),
        models={role: tuple(sorted(names)) for role, names in sorted(models.items())},
        posts=posts,
        bootstrap=resamples,
        seed=seed,
        source=dict(source or {}),
    )


@dataclass(frozen=True)
class _Sample:
    """The posts of a group that have a probability.

    Attributes:
        said: their probabilities.
        machine: True for the machine posts.
        translated: True for the human translations.
    """

    said: NDArray[np.float64]
    machine: NDArray[np.bool_]
    translated: NDArray[np.bool_]

    @classmethod
    def of(cls, scored: Sequence[Scored]) -> _Sample:
        pairs = [(post, score.probability) for post, score in scored if score.probability is not None]
        return cls(
            np.array([said for _, said in pairs], dtype=np.float64),
            np.array([post.machine for post, _ in pairs], dtype=bool),
            np.array([post.kind == "translated" for post, _ in pairs], dtype=bool),
        )

    def against(self, kind: str) -> _Sample:
        """The machine posts and one kind of human posts: ``native`` or ``translated``."""
        rows = self.machine | (self.translated == (kind == "translated"))
        return _Sample(self.said[rows], self.machine[rows], self.translated[rows])

    @property
    def sizes(self) -> dict[str, int]:
        return {"human": int((~self.machine).sum()), "machine": int(self.machine.sum())}

    @property
    def counts(self) -> stats.Tally | None:
        """None where a class has fewer than `LEAST` posts."""
        return stats.tally(self.said, self.machine) if min(self.sizes.values()) >= LEAST else None


def _figures(name: str, scored: Sequence[Scored], *, with_origin: bool, resamples: int, seed: int) -> Figures:
    def estimates(sample: _Sample, statistics: dict[str, stats.Statistic]) -> dict[str, Estimate]:
        if (counts := sample.counts) is None:
            return {}
        intervals = stats.bootstrap(counts, statistics, resamples, seed)
        return {
            name: Estimate(value=_rounded(statistics[name](counts)), low=_rounded(low), high=_rounded(high))
            for name, (low, high) in intervals.items()
        }

    def share(verdict: Callable[[Score], bool], machine: bool | None = None) -> Share:
        hits = [verdict(score) for post, score in scored if machine is None or post.machine == machine]
        return _share(sum(hits), len(hits))

    sample = _Sample.of(scored)
    counts = sample.counts
    figures: dict[str, stats.Statistic] = {"auc": stats.auc}
    for percent in (1, 5):
        if sample.sizes["human"] * percent >= 100:
            figures[f"tpr_at_{percent}_fpr"] = partial(stats.tpr_at_fpr, fpr=percent / 100)
    found = estimates(sample, figures)
    for kind in ("native", "translated") if with_origin else ():
        found |= estimates(sample.against(kind), {f"auc_{kind}": stats.auc})
    kinds = Counter(post.kind for post, _ in scored)
    verdicts = Counter((post.machine, score.verdict) for post, score in scored)
    return Figures(
        name=name,
        posts={kind: kinds[kind] for kind in get_args(Kind)},
        with_probability=sample.sizes,
        auc=found.get("auc"),
        auc_native=found.get("auc_native"),
        auc_translated=found.get("auc_translated"),
        tpr_at_1_fpr=found.get("tpr_at_1_fpr"),
        tpr_at_5_fpr=found.get("tpr_at_5_fpr"),
        false_positive_rate=share(_flagged, machine=False),
        true_positive_rate=share(_flagged, machine=True),
        verdicts={
            label: {verdict: verdicts[machine, verdict] for verdict in get_args(Verdict)}
            for label, machine in (("human", False), ("machine", True))
        },
        ece=_rounded(stats.ece(counts)) if counts else None,
        ece_at_prevalence=_rounded(stats.ece(counts, balanced=False)) if counts else None,
        brier=_rounded(stats.brier(counts)) if counts else None,
        brier_at_prevalence=_rounded(stats.brier(counts, balanced=False)) if counts else None,
        reliability=stats.reliability(sample.said, sample.machine)[1] if counts else (),
        coverage=share(lambda score: score.probability is not None),
        decided=share(lambda score: score.verdict not in ("uncertain", "not_scored")),
    )


def _flagged(score: Score) -> bool:
    return score.verdict == "machine_translated"


def _share(count: int, posts: int) -> Share:
    if posts < LEAST:
        return Share(count=count, posts=posts, value=None, low=None, high=None)
    low, high = stats.rate_interval(count, posts)
    return Share(
        count=count, posts=posts, value=_rounded(count / posts), low=_rounded(low), high=_rounded(high)
    )


def _curves(scored: Sequence[Scored], with_origin: bool) -> tuple[Curve, ...]:
    sample = _Sample.of(scored)
    samples = {"human posts": sample}
    if with_origin:
        samples |= {
            "native posts": sample.against("native"), "human translations": sample.against("translated"),
        }  # fmt: skip
    return tuple(
        Curve(
            against=against,
            fpr=_RATES,
            tpr=tuple(_rounded(stats.tpr_at_fpr(counts, fpr)) for fpr in _RATES),
        )
        for against, part in samples.items()
        if (counts := part.counts) is not None
    )


def _rounded(value: SupportsFloat) -> float:
    return round(float(value), 4)
