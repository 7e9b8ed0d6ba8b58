"""``/v1/models`` and ``/v1/languages``: what the service scores with, and how good that was when measured."""

from __future__ import annotations

from pydantic import ConfigDict, Field

from checker.evidence.evidence import features_of
from checker.languages import SUPPORTED, name
from checker.models.registry import Model
from checker.pipeline import Checker
from checker.result import Record
from checker.settings import Profile
from checker.statistics import Bin
from checker.verdict.file import Fitted, Threshold
from checker.verdict.model import BANDS, richest
from checker.version import __version__


class LengthBand(Record):
    """Texts of one range of lengths, and the threshold that applies to them."""

    model_config = ConfigDict(populate_by_name=True)

    start: int = Field(alias="from", description="Shortest, in columns; a wide character counts as two.")
    end: int = Field(alias="to", description="One past the longest; the last band has it included.")
    threshold: Threshold | None = Field(
        description="Where the verdict changes; null where no error rate was measured."
    )


class MeasuredVerdict(Record):
    """The verdict of one language with its error rates, on posts that the fit had not seen."""

    variant: str = Field(description="The evidence that it counts.")
    calibration: str | None = Field(
        description="Label of the user's own calibration; null for the built-in one."
    )
    ece: float = Field(description="Expected calibration error, classes weighted equally.")
    auc: float | None = Field(description="Area under the ROC curve, human against machine.")
    flagged: dict[str, float] = Field(description="Kind of post → share called machine-translated.")
    bins: tuple[Bin, ...] = Field(description="The reliability table.")
    bands: tuple[LengthBand, ...] = Field(description="Thresholds by length.")
    withheld: str = Field(
        "",
        description="Why no post is called machine-translated though thresholds were measured; empty where "
        "posts are.",
    )


class ServedLanguage(Record):
    """A language in which posts are scored."""

    code: str = Field(description="ISO 639-1 code.")
    name: str = Field(description="English name.")
    fluency: bool = Field(description="Whether a language model of the profile reads it.")
    round_trip: bool = Field(description="Whether translators of the profile serve it, there and back.")
    verdict: MeasuredVerdict | None = Field(description="Null where no verdict was fitted.")


class Languages(Record):
    """All languages in which posts are scored."""

    languages: tuple[ServedLanguage, ...]


class ServedModel(Record):
    """A model of the profile."""

    id: str
    revision: str = Field(description="Commit or version; empty for a hub model that was not downloaded.")
    task: str
    languages: tuple[str, ...] = Field(description="ISO 639-1 codes.")
    licence: str = Field(description="SPDX identifier.")
    installed: bool
    bytes: int = Field(description="Size; an estimate where the model is not installed.")


class Catalogue(Record):
    """The models that score."""

    version: str = Field(description="Of the package.")
    profile: Profile
    calibration: str | None = Field(description="Label of the user's own calibration.")
    models: tuple[ServedModel, ...]
    sha256: dict[str, str] = Field(description="Of all that scores depend on, by name.")


def models(checker: Checker) -> Catalogue:
    """The models that a checker scores with."""
    own = checker.models.calibration
    return Catalogue(
        version=__version__,
        profile=checker.profile,
        calibration=own.label if own else None,
        models=tuple(_model(checker, model) for model in checker.store.models(checker.profile)),
        sha256=checker.store.digests(checker.profile),
    )


def languages(checker: Checker) -> Languages:
    """The languages that a checker scores, with the error rates of their verdicts."""
    return Languages(languages=tuple(_language(checker, code) for code in SUPPORTED))


def _model(checker: Checker, model: Model) -> ServedModel:
    codes = dict.fromkeys([*model.languages, *(code for pair in model.pairs for code in pair)])
    return ServedModel(
        id=model.id,
        revision=model.revision,
        task=model.task,
        languages=tuple(sorted(codes)),
        licence=model.licence,
        installed=checker.store.installed(model),
        bytes=checker.store.size(model),
    )


def _language(checker: Checker, code: str) -> ServedLanguage:
    labels = checker.models.labels(code)
    has = {"fluency": "fluency" in labels, "round_trip": "translator" in labels}
    layer = checker.models.verdict(code)
    counted = features_of(checker.models.used(code).keys() - checker.models.outdated(code))
    variant = richest(layer.calibration, code, counted)
    verdict = None if variant is None else _verdict(layer.calibration.languages[code], variant, layer.label)
    return ServedLanguage(code=code, name=name(code), **has, verdict=verdict)


def _verdict(language: Fitted, variant: str, label: str | None) -> MeasuredVerdict:
    reliability = language.reliability[variant]
    return MeasuredVerdict(
        variant=variant,
        calibration=label,
        ece=reliability.ece,
        auc=reliability.auc,
        flagged=reliability.flagged,
        bins=reliability.bins,
        bands=tuple(
            LengthBand(start=start, end=end, threshold=threshold)
            for (start, _), end, threshold in zip(
                BANDS.extents(), (*BANDS.edges, BANDS.longest), language.thresholds[variant], strict=True
            )
        ),
        withheld=language.withheld.get(variant, ""),
    )
