"""The result of an evaluation, as one JSON object; `checker.evaluation.evaluate` computes it.

Human posts are the negatives and machine-translated ones the positives. Each field defines
its figure, and the denominator if it is a share; nothing else does.
"""

from __future__ import annotations

import hashlib
import json

from pydantic import Field

from checker.result import Record, Verdict
from checker.statistics import Bin

LEAST = 10
"""Posts of a class without which no figure of this class is given."""


class Estimate(Record):
    """A figure with its 95 % bootstrap interval."""

    value: float
    low: float
    high: float


class Share(Record):
    """A share of posts with its 95 % interval (Clopper and Pearson 1934)."""

    count: int
    posts: int = Field(description="The denominator.")
    value: float | None = Field(description=f"count / posts; null for fewer than {LEAST} posts.")
    low: float | None
    high: float | None


class Figures(Record):
    """The figures of one group of posts."""

    name: str
    posts: dict[str, int] = Field(description="Posts by kind: native, translated (by a human), machine.")
    with_probability: dict[str, int] = Field(
        description="Posts by class, human and machine, that got a probability: what auc, tpr_at_*, ece and "
        "brier are computed on."
    )
    auc: Estimate | None = Field(
        description="Area under the ROC curve of the probability, machine against all human posts."
    )
    auc_native: Estimate | None = Field(
        description="The same against native posts; null unless a post has an origin."
    )
    auc_translated: Estimate | None = Field(
        description="The same against human translations; null unless a post has an origin."
    )
    tpr_at_1_fpr: Estimate | None = Field(
        description="Share of machine posts with a probability at or above the lowest threshold that at most "
        "1 % of the human posts with a probability reach; null for fewer than 100 of these."
    )
    tpr_at_5_fpr: Estimate | None = Field(
        description="The same for 5 %; null for fewer than 20 human posts with a probability."
    )
    false_positive_rate: Share = Field(
        description="Share of all human posts, scored or not, with the verdict machine_translated."
    )
    true_positive_rate: Share = Field(
        description="Share of all machine posts, scored or not, with the verdict machine_translated."
    )
    verdicts: dict[str, dict[Verdict, int]] = Field(description="Number of posts by class and verdict.")
    ece: float | None = Field(
        description="Expected calibration error over 10 equal intervals of probability, classes weighted "
        "equally."
    )
    ece_at_prevalence: float | None = Field(description="The same, every post weighted equally.")
    brier: float | None = Field(
        description="Mean squared error of the probability, classes weighted equally."
    )
    brier_at_prevalence: float | None = Field(description="The same, every post weighted equally.")
    reliability: tuple[Bin, ...] = Field(
        description="The table behind ece: mean probability and observed share of machine posts, classes "
        "weighted equally."
    )
    coverage: Share = Field(description="Share of all posts that got a probability.")
    decided: Share = Field(description="Share of all posts with a verdict: neither uncertain nor not_scored.")


class Curve(Record):
    """A ROC curve: true-positive rates (0 to 1) at equally spaced false-positive rates."""

    against: str = Field(description="The negatives: human posts, native posts or human translations.")
    fpr: tuple[float, ...]
    tpr: tuple[float, ...]


class Signature(Record):
    """All that the figures depend on, in the spirit of sacrebleu's signatures (Post 2018)."""

    version: str = Field(description="Of statement-checker, when the figures were computed.")
    numpy: str = Field(description="Of numpy, whose random numbers the bootstrap uses.")
    scored_with: tuple[str, ...] = Field(description="Versions of statement-checker that scored the posts.")
    models: dict[str, tuple[str, ...]] = Field(description="Role → the models in the results.")
    posts: int
    bootstrap: int = Field(description="Number of resamples.")
    seed: int
    source: dict[str, str | int | bool | None] = Field({}, description="File and options, from the caller.")

    @property
    def line(self) -> str:
        """One line to publish beside the figures."""
        models = hashlib.sha256(json.dumps(self.models, sort_keys=True).encode()).hexdigest()[:12]
        facts = {
            **self.source, "posts": self.posts, "scored": "+".join(self.scored_with), "models": models,
            "interval": "percentile", "bootstrap": self.bootstrap, "seed": self.seed, "numpy": self.numpy,
            "version": self.version,
        }  # fmt: skip
        short = {name: str(value)[:12] if "sha256" in name else value for name, value in facts.items()}
        return "|".join(f"{name}:{value}" for name, value in short.items() if value not in (None, ""))


class Evaluation(Record):
    """What ``checker evaluate`` measured."""

    signature: Signature
    overall: Figures
    groups: dict[str, tuple[Figures, ...]] = Field(
        description="Key → one entry a group. Groups of system hold the machine posts of one system and all "
        "human posts; groups of every other key hold their own posts of both classes."
    )
    roc: tuple[Curve, ...] = Field(description="Of all posts with a probability.")
    definitions: dict[str, str] = Field(
        default_factory=lambda: {
            name: info.description for name, info in Figures.model_fields.items() if info.description
        },
        description="What the fields of overall and groups are.",
    )


class Compared(Record):
    """One figure of two scorings of the same posts."""

    a: float
    b: float
    difference: float = Field(description="b minus a.")
    low: float = Field(description="Lower end of the 95 % interval of the difference.")
    high: float
    p_value: float = Field(description="Two-sided, of no difference.")


class Comparison(Record):
    """A paired bootstrap test of two scorings (Koehn 2004)."""

    signature: Signature
    posts: dict[str, int] = Field(description="Posts by class with a probability in both: all that counts.")
    left_out: int = Field(description="Posts without a probability in one of them.")
    figures: dict[str, Compared]
