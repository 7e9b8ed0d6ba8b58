"""Options that several commands have, and the decorator that makes one `Settings` of those of the models."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from checker import settings
from checker.evidence.cache import default_folder
from checker.languages import SUPPORTED
from checker.models import Store
from checker.settings import Settings

Command = Callable[..., None]

TextColumn = Annotated[str, typer.Option(help="Column with the text.")]
IdColumn = Annotated[str, typer.Option(help="Column with the id.")]
LabelColumn = Annotated[str, typer.Option(help="Column with the label: human or machine.")]
Code = Literal[SUPPORTED]  # type: ignore[valid-type]  # the same at run time, where Typer reads it


def _option(kind: Any, default: Any, help: str, *names: str) -> tuple[Any, Any]:
    return Annotated[kind, typer.Option(*names, help=help)], default


_OPTIONS = {
    "profile": _option(settings.Profile, "embedded", "Set of models."),
    "engine": _option(settings.Engine, "ctranslate2", "Library that runs the models."),
    "device": _option(settings.Device, "auto", "Where to compute."),
    "pivot": _option(Code, "en", "Language of the round trip."),
    "translator": _option(settings.Chosen, "auto", "Translators to use. Default: the best on this machine."),
    "language": _option(Code | None, None, "Language of the posts, instead of identifying it."),
    "calibration": _option(Path | None, None, "Verdict fitted with checker calibrate."),
    "no_round_trip": _option(bool, False, "Skip the translations: faster.", "--no-round-trip"),
    "no_fluency": _option(bool, False, "Skip the language model: faster.", "--no-fluency"),
    "no_encoder": _option(bool, False, "Skip the encoder: faster, and less certain.", "--no-encoder"),
    "likelihood": _option(
        bool, False, "Also how likely the translator finds each sentence: slower.", "--likelihood"
    ),
    "fast": _option(bool, False, "Leave out the round trip and fluency.", "--fast"),
    "no_cache": _option(
        bool, False, "Do not cache model outputs between runs; see docs/speed.md.", "--no-cache"
    ),
    "threads": _option(int | None, None, "Threads of the models on a CPU. Default: one per core."),
}
"""The options of `Settings`, by the name of the command's parameter: annotation and default."""


def with_settings(*, without: tuple[str, ...] = ()) -> Callable[[Command], Command]:
    """Offer the options of the models where a command has a parameter ``settings``; it gets a `Settings`.

    Args:
        without: those of `_OPTIONS` that mean nothing to the command; without ``no_cache`` nothing is cached.
    """
    offered = {name: option for name, option in _OPTIONS.items() if name not in without}

    def decorate(command: Command) -> Command:
        parameters: list[inspect.Parameter] = []
        for parameter in inspect.signature(command, eval_str=True).parameters.values():
            if parameter.annotation is not Settings:
                parameters.append(parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY))
                continue
            parameters += [
                inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=kind)
                for name, (kind, default) in offered.items()
            ]

        @functools.wraps(command)
        def parsed(**given: Any) -> None:
            chosen = {name: given.pop(name) for name in offered}
            command(settings=_settings(**chosen), **given)

        parsed.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        parsed.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
        return parsed

    return decorate


def faster(settings: Settings) -> str:
    """How a long run would be faster, in words; empty where nothing can be left out."""
    some = settings.round_trip or settings.fluency
    return "faster, with less evidence: --fast" if some else ""


def _settings(
    *,
    no_round_trip: bool = False,
    no_fluency: bool = False,
    no_encoder: bool = False,
    fast: bool = False,
    no_cache: bool = True,
    **named: Any,
) -> Settings:
    cache = None if no_cache else default_folder(Store().home)
    return Settings(
        round_trip=not (fast or no_round_trip),
        fluency=not (fast or no_fluency),
        encoder=not no_encoder,
        cache=cache,
        **named,
    )
