"""How posts are scored: one object, checked once, for Python, the command line, HTTP, Ray and the journal."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal, TypedDict, get_args

from checker.errors import InputError
from checker.languages import SUPPORTED

Profile = Literal["embedded", "hub"]
Engine = Literal["ctranslate2", "transformers"]
Device = Literal["auto", "cpu", "cuda"]
Chosen = Literal["auto", "firefox", "opus-mt", "embedded"]
"""Which translators may be taken: the best that is here, or those of one kind. ``opus-mt`` is any translator
from the Hugging Face hub."""

_ELSEWHERE = ("device", "threads", "cache", "exact")
"""Where, how fast and in which numbers models run, not what they say."""


class Options(TypedDict, total=False):
    """The fields of `Settings` as keyword arguments."""

    profile: Profile
    engine: Engine
    device: Device
    pivot: str
    translator: Chosen
    language: str | None
    round_trip: bool
    fluency: bool
    encoder: bool
    likelihood: bool
    calibration: str | Path | None
    cache: str | Path | None
    threads: int | None
    exact: bool


@dataclass(frozen=True)
class Settings:
    """How posts are scored.

    Attributes:
        profile: ``embedded`` (shipped) or ``hub`` (downloaded once with ``checker models download``).
        engine: ``ctranslate2`` or ``transformers``.
        device: ``auto``, ``cpu`` or ``cuda``.
        pivot: language of the round trip, ISO 639-1; posts in the pivot itself go through Russian if it is
            English (Portuguese where a Firefox model serves it), and through English otherwise.
        translator: ``auto``, the best that is here: Firefox's, then those of the profile, downloaded OPUS-MT
            models before the embedded one; or ``firefox``, ``opus-mt`` or ``embedded`` alone.
        language: ISO 639-1 code that every post is scored in; None identifies the language of each.
        round_trip: False skips translation, the slowest part.
        fluency: False skips the language model.
        encoder: False skips the encoder: the verdict rests on the wording's n-grams alone, which tell less.
        likelihood: how likely the translator finds each sentence (forced decoding), also where no verdict
            counts it.
        calibration: a file of ``checker calibrate``: its verdict applies in the languages that it covers.
        cache: a folder for what models say of sentences, see `checker.evidence.cache`; None keeps nothing.
        threads: of the models on a CPU; None uses every core.
        exact: evidence in 32-bit floats on every processor, to be fitted on. Without it, evidence that no
            verdict counts may be computed in 8-bit integers, where the processor sums these exactly.

    Raises:
        InputError: a field has no such value; the message names the option and the values that it takes.
    """

    profile: Profile = "embedded"
    engine: Engine = "ctranslate2"
    device: Device = "auto"
    pivot: str = "en"
    translator: Chosen = "auto"
    language: str | None = None
    round_trip: bool = True
    fluency: bool = True
    encoder: bool = True
    likelihood: bool = False
    calibration: Path | None = None
    cache: Path | None = None
    threads: int | None = None
    exact: bool = False

    def __post_init__(self) -> None:
        for option, value, known in (
            ("profile", self.profile, get_args(Profile)),
            ("engine", self.engine, get_args(Engine)),
            ("device", self.device, get_args(Device)),
            ("pivot", self.pivot, SUPPORTED),
            ("translator", self.translator, get_args(Chosen)),
            ("language", SUPPORTED[0] if self.language is None else self.language, SUPPORTED),
        ):
            if value not in known:
                raise InputError(f"There is no {option} {value!r}.", fix=f"Use one of {', '.join(known)}.")
        if self.threads is not None and self.threads < 1:
            raise InputError("threads must be at least 1.", fix="Leave it out to use every core.")
        for option in "calibration", "cache":
            if (path := getattr(self, option)) is not None:
                object.__setattr__(self, option, Path(path))

    @classmethod
    def of(cls, settings: Settings | None, options: Options) -> Settings:
        """The settings that a caller gave as an object or as keyword arguments.

        Raises:
            InputError: as `Settings`.
            TypeError: both were given, or an option is unknown.
        """
        if settings is None:
            return cls(**options)  # type: ignore[arg-type]  # a path may be a string
        if options:
            raise TypeError(f"Give the settings or {', '.join(options)}, not both.")
        if not isinstance(settings, Settings):
            raise TypeError(f"The settings must be Settings, not {settings!r}. Name options, as profile=….")
        return settings

    @property
    def outcome(self) -> dict[str, Any]:
        """The fields that results depend on, together with `checker.Checker.arithmetic`."""
        return {f.name: getattr(self, f.name) for f in fields(self) if f.name not in _ELSEWHERE}
