"""A fitted verdict layer as a file: the shipped ``verdict.json`` and what ``checker calibrate`` writes.

The classes are the format; ``read`` refuses a file that does not fit them and names the place.
``VerdictModel`` refuses a file that was fitted for other features or length bands than its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from checker.files import write_text
from checker.statistics import Bin

Positive = Annotated[float, Field(gt=0)]
Share = Annotated[float, Field(ge=0, le=1)]
Negatives = Literal["native", "human translations"]


@dataclass(frozen=True)
class Threshold:
    """The threshold of one language and length band.

    Attributes:
        machine: probability from which the answer to the question is yes: called machine-translated, or
            translated.
        false_positive_rate: share of the human posts at or above the threshold when it was measured.
        posts: number of these human posts.
        negatives: what they were: ``native`` or ``human translations``.
        clear: for the question whether a post was translated, the probability up to which it is called
            human-written; None where that was not measured, and for the other question.
    """

    machine: Annotated[float, Field(ge=0.5, le=1)]
    false_positive_rate: Share
    posts: int
    negatives: Negatives
    clear: Share | None = None


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Reliability(_Part):
    """How good probabilities were on posts that the fit had not seen."""

    ece: Share = Field(description="Expected calibration error, classes weighted equally.")
    bins: tuple[Bin, ...]
    auc: Share | None = Field(None, description="Area under the ROC curve, human against machine.")
    flagged: dict[str, Share] = Field({}, description="Kind of post → share called machine-translated.")


class Variant(_Part):
    """The logistic regression that all languages of the file share."""

    features: tuple[str, ...]
    posts: int
    weights: tuple[float, ...]
    intercept: float
    reliability: Reliability


class Tail(_Part):
    """How high human posts score: what a result's false-alarm rate is read from.

    The probability that the highest of them reached, the second highest, and so on along ``TAIL_RANKS``.
    """

    posts: int = Field(ge=1, description="Number of these human posts.")
    reached: tuple[Share, ...] = Field(description="Probability of the k-th highest, for each rank k.")

    def rate(self, probability: float) -> float:
        """Share of such posts that score at least ``probability``, no lower than it was measured to be.

        Where none did, the next post may: one in one more than were measured.
        """
        for rank, reached in zip(TAIL_RANKS, self.reached, strict=False):
            if probability > reached:
                return min(1.0, rank / (self.posts + 1))
        return 1.0


TAIL_RANKS = (
    1,
    2,
    3,
    4,
    5,
    7,
    10,
    14,
    20,
    28,
    40,
    56,
    80,
    112,
    160,
    224,
    320,
    448,
    640,
    896,
    1280,
    1792,
    2560,
)
"""Ranks from the top that a ``Tail`` keeps."""


class Fitted(_Part):
    """What holds for one language; variants are the keys of most tables."""

    posts: dict[str, int] = Field({}, description="Kind of post → how many it was fitted on.")
    folds: dict[str, str] = Field({}, description="Class → how its posts were held out of the measurements.")
    models: dict[str, str] = Field({}, description="Task → name@revision that the calibration holds for.")
    pivot: str | None = Field(None, description="Pivot of the round trip that the calibration holds for.")
    percentiles: tuple[tuple[float, ...] | None, ...] | None = Field(
        None, description="Rows of a FluencyTable, where the package has none for the language model."
    )
    statistic: str | None = Field(None, description="What ``percentiles`` are of, a name of a FluencyTable.")
    scales: dict[str, tuple[float, Positive]] = Field(
        description="Feature → median and spread of human text."
    )
    correction: dict[str, tuple[Annotated[float, Field(ge=0)], float]] = Field(
        description="Slope and offset of the shared log-odds."
    )
    thresholds: dict[str, tuple[Threshold | None, ...]] = Field(description="One a length band.")
    reliability: dict[str, Reliability]
    withheld: dict[str, str] = Field(
        {}, description="Variant → why its verdict is withheld though its error rate was measured."
    )
    tails: dict[str, dict[Negatives, tuple[Tail | None, ...]]] = Field(
        {}, description="Variant → kind of human posts → one a length band."
    )
    human_quantiles: dict[str, tuple[float, ...]] = Field(description="Feature → quantiles of human posts.")


class Source(_Part):
    """The labelled posts of a calibration."""

    file: str
    sha256: str


class Calibration(_Part):
    """A fitted verdict layer."""

    version: str | None = Field(None, description="Version of the package that fitted it.")
    source: Source | None = None
    fitted_on: tuple[str, ...] = Field((), description="Test sets.")
    models: dict[str, str] = Field({}, description="``Fitted.models`` of the languages that name none.")
    technical: float | None = Field(
        None,
        description="Log-odds from which a post reads like documentation: not called machine-translated.",
    )
    bands: tuple[int, ...] = Field(description="Upper edges of the length bands in columns.")
    variants: dict[str, Variant]
    languages: dict[str, Fitted]

    def write(self, path: Path) -> None:
        """Write as JSON; the same calibration gives the same bytes.

        Raises:
            OutputError: the file cannot be written.
        """
        write_text(self.model_dump_json(indent=1, exclude_defaults=True), path)


def read(path: Path) -> Calibration:
    """Read a file that ``Calibration.write`` wrote.

    Raises:
        OSError: it cannot be read.
        ValueError: it is no calibration; the message begins with the place.
    """
    try:
        return Calibration.model_validate_json(path.read_bytes())
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(map(str, first["loc"]))
        raise ValueError(f"{place}: {first['msg']}" if place else first["msg"]) from None
