"""The models that a profile scores with: loaded when they are first needed, kept, and named."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import TypeVar

from checker.errors import InputError, ModelCorruptedError, ModelNotFoundError
from checker.evidence import style
from checker.evidence.evidence import features_of
from checker.evidence.fluency import FluencyTable, Reading
from checker.evidence.heads import Heads
from checker.evidence.style import StyleModel
from checker.models import Store
from checker.models.encoder import Encoder
from checker.models.language_model import LanguageModel
from checker.models.load import Runtime, Translators, arithmetic, load_language_model, runtime
from checker.models.lock import sha256
from checker.models.registry import Model
from checker.models.translator import BEAM, Translator
from checker.processor import Arithmetic
from checker.result import QUESTIONS, Grade, Question
from checker.settings import Settings
from checker.verdict.model import VerdictModel, needs, richest
from checker.version import __version__

T = TypeVar("T")


class LoadedModels:
    """All models of a profile. Safe to share by threads.

    Args:
        store: where the models are.
        settings: which models, and where they run. Style, percentiles and verdict are the embedded ones in
            both profiles.

    Raises:
        InputError: the calibration cannot be read, or was not fitted for this version.
        ModelNotFoundError: (every method) a model is not on this machine.
        ModelCorruptedError: (every method) a file of a model is not the one in the lock.
        CheckerError: (every method) ``cuda`` was asked for and there is no such device.
    """

    def __init__(self, store: Store, settings: Settings) -> None:
        self.settings, self.profile = settings, settings.profile
        self._store, self._profile, self._pivot = store, settings.profile, settings.pivot
        self._engine, self._device, self._threads = settings.engine, settings.device, settings.threads
        self._chosen = settings.translator
        self._embedded = store.registry.parent / "embedded"
        self._styles: dict[str, StyleModel] = {}
        self._language_models: dict[str, LanguageModel] = {}
        self._labels: dict[str, dict[str, str]] = {}
        self._grades: dict[str, Grade] = {}
        self._lock = threading.RLock()
        self.calibration = _own(settings.calibration) if settings.calibration else None
        """The user's own verdict layer."""
        self._exact = settings.exact

    def pivot(self, language: str) -> str:
        """The pivot of posts in ``language``.

        Posts in the pivot itself go through English; English ones through Portuguese where a Firefox model
        serves it, else through Russian.
        """
        if language != self._pivot:
            return self._pivot
        return self._second_pivot if self._pivot == "en" else "en"

    @cached_property
    def _second_pivot(self) -> str:
        return self._store.second_pivot(self._profile, self._chosen)

    def _chosen_models(self, language: str) -> list[Model]:
        """The translators into the pivot and back, those that there are."""
        pivot = self.pivot(language)
        pairs = (language, pivot), (pivot, language)
        found = (self._store.translator(self._profile, *pair, self._chosen) for pair in pairs)
        return [model for model in found if model]

    def grade(self, language: str) -> Grade:
        """How good the round trip's translators are: the lower grade of both."""
        with self._lock:
            if language not in self._grades:
                grades = {model.grade for model in self._chosen_models(language)}
                self._grades[language] = "production" if grades == {"production"} else "draft"
            return self._grades[language]

    @cached_property
    def arithmetic(self) -> Arithmetic:
        """The numbers that the translators and the language models compute with, Firefox's aside.

        Where a probability rests on what they say, these are 32-bit floats on every processor: in 8 bits it
        would be another one.
        """
        found = arithmetic(self._engine, self._device)
        layers = (self.verdicts, self.calibration)
        exact = self._exact or any(layer.counts_models for layer in layers if layer is not None)
        return "float32" if exact and found == "int8" else found

    @cached_property
    def _translators(self) -> Translators:
        return Translators(
            self._store,
            self._profile,
            self._engine,
            self._device,
            self._threads,
            self.arithmetic,
            self._chosen,
        )

    def labels(self, language: str) -> dict[str, str]:
        """name@revision by task: ``style``, and where there is one ``fluency`` and ``translator``."""
        with self._lock:
            if language not in self._labels:
                labels = {"style": self.style(language).label}
                if model := self._store.encoder():
                    labels["encoder"] = model.label
                if model := self._store.language_model(self._profile, language):
                    labels["fluency"] = model.label
                if len(both := self._chosen_models(language)) == 2:
                    labels["translator"] = " + ".join(dict.fromkeys(model.label for model in both))
                self._labels[language] = labels
            return self._labels[language]

    def used(self, language: str) -> dict[str, str]:
        """``labels`` of the models that a post in this language meets, and of the user's own calibration.

        ``arithmetic`` is what they compute with: "int8", or "fluency float32, translator int8" where it
        differs.
        """
        labels = dict(self.labels(language))
        if own := self.verdict(language).label:
            labels["calibration"] = own
        for task in ("translator", "fluency", "encoder"):
            if task not in self._on:
                labels.pop(task, None)
        numbers = {
            task: self._runtime(model).numbers
            for task in ("fluency", "translator")
            if task in labels
            for model in self._models(task, language)
        }
        if numbers:
            alike = len(set(numbers.values())) == 1
            each = [f"{task} {found}" for task, found in numbers.items()]
            labels["arithmetic"] = numbers.popitem()[1] if alike else ", ".join(each)
        return labels

    def _models(self, task: str, language: str) -> list[Model]:
        """The models of a task, ``fluency``, ``translator`` or ``encoder``, for a language."""
        if task == "translator":
            return self._chosen_models(language)
        store = self._store
        model = store.encoder() if task == "encoder" else store.language_model(self._profile, language)
        return [model] if model else []

    def _runtime(self, model: Model) -> Runtime:
        if model.task == "encoder":
            return runtime(model, "ctranslate2", self._device, "float32")
        return runtime(model, self._engine, self._device, self.arithmetic)

    def style(self, language: str) -> StyleModel:
        """The style detector of a supported language."""
        with self._lock:
            if language not in self._styles:
                path = self._shipped(f"style/{language}.npz")
                self._styles[language] = style.load(path, f"embedded/style-{language}@{style.REVISION}")
            return self._styles[language]

    def language_model(self, language: str) -> LanguageModel | None:
        """The language model that reads ``language``; None when the profile has none."""
        model = self._store.language_model(self._profile, language)
        if model is None:
            return None
        with self._lock:
            if model.id not in self._language_models:
                self._language_models[model.id] = load_language_model(
                    model, self._store, self._engine, self._device, self._threads, self.arithmetic
                )
            return self._language_models[model.id]

    def encoder(self) -> Encoder | None:
        """The encoder; None where it is not asked for."""
        with self._lock:  # `cached_property` has none since Python 3.12
            return self._encoder if self.settings.encoder else None

    @cached_property
    def _encoder(self) -> Encoder | None:
        model = self._store.encoder()
        if model is None:
            return None
        folder, converted = self._store.path(model), self._store.converted_path(model)
        return Encoder(folder, converted, model.label, device=self._device, threads=self._threads)

    @cached_property
    def heads(self) -> Heads:
        """What is read from the encoder's vectors."""
        model = self._store.encoder()
        if model is None:
            raise ModelNotFoundError("The registry names no encoder: install the package again.")
        return Heads.load(self._store.path(model) / "heads.npz")

    def translator(self, source: str, target: str, *, forced: bool = False) -> Translator | None:
        """The translator of a pair of languages; None when there is none.

        Args:
            source, target: ISO 639-1 codes.
            forced: one that says how likely a given translation is.
        """
        with self._lock:
            translators = self._translators
        return translators.get(source, target, forced=forced)

    def translators(self, language: str) -> tuple[Translator, Translator] | None:
        """The translators into the pivot and back; None when the profile lacks one of them."""
        pivot = self.pivot(language)
        if "translator" not in self.labels(language):
            return None
        there, back = self.translator(language, pivot), self.translator(pivot, language)
        return (there, back) if there and back else None

    def likelihood(self, language: str) -> bool:
        """Whether the round trip says how likely the translator finds a sentence.

        That takes a fifth of its time: only where it is asked for, counted, or something is fitted on it.
        """
        if self.settings.likelihood or self._exact:
            return True
        tasks = {task for task in self.labels(language) if task in ("style", *self._on)}
        for asked in QUESTIONS:
            known = features_of(tasks - self.outdated(language, asked))
            variant = richest(self.verdict(language, asked).calibration, language, known, asked)
            if variant is not None and not {"log_likelihood", "gap"}.isdisjoint(needs(variant)):
                return True
        return False

    @property
    def _on(self) -> list[str]:
        """Tasks that are not left out."""
        options = {"translator": "round_trip", "fluency": "fluency", "encoder": "encoder"}
        return [task for task, option in options.items() if getattr(self.settings, option)]

    def scope(self, task: str, language: str) -> str:
        """All that what a model says of a sentence depends on, the sentence itself left out.

        Args:
            task: ``fluency``, ``translator`` or ``encoder``.
            language: of the sentence, ISO 639-1; of no account to the encoder.
        """
        pivot, models = self.pivot(language) if task == "translator" else "", self._models(task, language)
        digests = [self._digests.get(model.id, "") for model in models]
        labels = [model.label for model in models]
        where = [*map(self._runtime, models), __version__, BEAM]
        kept: object = Reading._fields if task == "fluency" else ()
        if task == "translator":
            kept = self.likelihood(language)
        return json.dumps([task, language, pivot, labels, digests, where, kept])

    @cached_property
    def _digests(self) -> dict[str, str]:
        return self._store.digests(self._profile)

    def verdict(self, language: str, asked: Question = "machine_translated") -> VerdictModel:
        """The layer that answers a question: the user's calibration if it holds, and the shipped one if not.

        A calibration holds for a language that it has, with the style model that it was fitted with. Whether
        wording is rudimentary is not in its labels: the shipped layer says it.
        """
        own = self.calibration if asked != "rudimentary" else None
        holds = own is not None and own.models(language).get("style") == self.labels(language)["style"]
        return own if own is not None and holds else self.verdicts

    def outdated(self, language: str, asked: Question = "machine_translated") -> set[str]:
        """Tasks whose models are not those that the answer to a question was fitted with."""
        verdict = self.verdict(language, asked)
        fitted, tasks = verdict.models(language), set(self.labels(language)) - {"style"}
        stale = {task for task in tasks if fitted.get(task) != self.labels(language)[task]}
        if verdict.pivot(language) not in (None, self.pivot(language)):
            stale.add("translator")
        return stale

    @cached_property
    def verdicts(self) -> VerdictModel:
        """The verdict layer that ships."""
        return _intact(VerdictModel.read, self._shipped("verdict.json"))

    def percentiles_of(self, language: str) -> FluencyTable:
        """Fluency percentiles of human text: those of the calibration if it has its own."""
        return self.verdict(language).percentiles(language) or self.percentiles

    @cached_property
    def percentiles(self) -> FluencyTable:
        """Fluency percentiles of human text that ship."""
        return _intact(FluencyTable.read, self._shipped("fluency.json"))

    def _shipped(self, name: str) -> Path:
        path = self._embedded / name
        if not path.is_file():
            raise ModelNotFoundError(f"{path}, which ships with the package, is missing: install it again.")
        return path


def _own(path: Path) -> VerdictModel:
    """A calibration of the user's own."""
    try:
        return VerdictModel.read(path, f"{path.name}@{sha256(path)[:12]}")
    except OSError as error:
        problem = f"The calibration {path} cannot be read: {error.strerror or error}."
        raise InputError(problem, fix="Check its path.") from error
    except ValueError as error:
        problem = f"{path} is not a calibration that this version can use ({error})."
        raise InputError(problem, fix="Fit it again with checker calibrate.") from None


def _intact(read: Callable[[Path], T], path: Path) -> T:
    """What ``read`` makes of a shipped file."""
    try:
        return read(path)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelCorruptedError(f"{path} cannot be read ({error}). Install the package again.") from None
