"""From an entry of the registry to a model that runs, on either engine."""

from __future__ import annotations

import threading
from functools import cache
from importlib.metadata import version
from typing import NamedTuple

from checker.models import Model, Store
from checker.models.language_model import CTranslate2LanguageModel, LanguageModel, TransformersLanguageModel
from checker.models.translator import Translator
from checker.processor import Arithmetic
from checker.settings import Chosen, Device, Engine, Profile


def arithmetic(engine: Engine, device: Device) -> Arithmetic:
    """The numbers that an engine computes with: other ones give other digits.

    Args:
        engine: ``ctranslate2`` or ``transformers``.
        device: ``auto``, ``cpu`` or ``cuda``; ``cuda`` need not be there.
    """
    if engine == "transformers":
        return "float32"
    from checker.models import ctranslate2_engine

    return ctranslate2_engine.arithmetic(device)


class Runtime(NamedTuple):
    """What a model runs on: all of it may change what the model says.

    Attributes:
        package: that of its engine.
        release: of the package.
        device: as asked for, where the engine computes otherwise on another one; else empty.
        numbers: that it computes with.
    """

    package: str
    release: str
    device: str
    numbers: Arithmetic


@cache
def _release(package: str) -> str:
    return version(package)  # reads and parses a file


def runtime(model: Model, engine: Engine, device: Device, numbers: Arithmetic) -> Runtime:
    """What a model runs on. A Firefox model has an engine of its own, in 8-bit integers.

    Args:
        model: an entry of the registry.
        engine, device, numbers: as for ``load_translator``.
    """
    if model.family == "firefox":
        return Runtime("fxtranslate", _release("fxtranslate"), "", "int8")
    return Runtime(engine, _release(engine), device if engine == "transformers" else "", numbers)


def load_translator(
    model: Model,
    store: Store,
    engine: Engine = "ctranslate2",
    device: Device = "auto",
    threads: int | None = None,
    numbers: Arithmetic | None = None,
) -> Translator:
    """The translator of a model of the store.

    With ``ctranslate2``, a model that has no conversion yet is converted first, once. A Firefox model has an
    engine of its own, whatever the others run on.

    Args:
        model: an entry of the registry.
        store: where its files are.
        engine: ``ctranslate2`` or ``transformers``.
        device: ``auto``, ``cpu`` or ``cuda``.
        threads: of ``ctranslate2`` on a CPU; by default one per core.
        numbers: to compute with, by ``ctranslate2``; by default those of ``arithmetic``.

    Raises:
        ModelNotFoundError: the model is not on this machine.
        ModelCorruptedError: a file of it is not the one in the lock.
        CheckerError: ``cuda`` was asked for and there is no such device.
    """
    if model.family == "firefox":
        from checker.models.firefox_engine import FirefoxTranslator

        return FirefoxTranslator(model, store.path(model), threads=threads)
    if engine == "transformers":
        from checker.models.transformers_engine import TransformersTranslator

        return TransformersTranslator(model, store.path(model), device=device)
    from checker.models.ctranslate2_engine import CTranslate2Translator, converted_folder

    converted = converted_folder(model, store)
    folder = store.path(model, weights=False)
    return CTranslate2Translator(
        model, folder, converted, device=device, threads=threads, compute_type=numbers
    )


def load_language_model(
    model: Model,
    store: Store,
    engine: Engine = "ctranslate2",
    device: Device = "auto",
    threads: int | None = None,
    numbers: Arithmetic | None = None,
) -> LanguageModel:
    """The language model of an entry of the registry; converted first, once, where that is not shipped.

    Args: see ``load_translator``.

    Raises:
        ModelNotFoundError: the model is not on this machine.
        ModelCorruptedError: a file of it is not the one in the lock.
        CheckerError: ``cuda`` was asked for and there is no such device.
    """
    if engine == "transformers":
        return TransformersLanguageModel(model, store.path(model), device=device)
    from checker.models.ctranslate2_engine import converted_folder

    converted = converted_folder(model, store)
    folder = store.path(model, weights=False)
    return CTranslate2LanguageModel(
        model, folder, converted, device=device, threads=threads, compute_type=numbers
    )


class Translators:
    """The translators of a profile, each loaded when it is first asked for. Safe to share by threads."""

    def __init__(
        self,
        store: Store,
        profile: Profile,
        engine: Engine = "ctranslate2",
        device: Device = "auto",
        threads: int | None = None,
        numbers: Arithmetic | None = None,
        chosen: Chosen = "auto",
    ) -> None:
        self._store, self._profile, self._engine, self._device = store, profile, engine, device
        self._threads, self._numbers, self._chosen = threads, numbers, chosen
        self._loaded: dict[str, Translator] = {}
        self._lock = threading.Lock()

    def get(self, source: str, target: str, *, forced: bool = False) -> Translator | None:
        """The translator of the pair; None when the profile has none.

        Args:
            source, target: ISO 639-1 codes.
            forced: one that says how likely a given translation is.

        Raises:
            ModelNotFoundError, ModelCorruptedError, CheckerError: see ``load_translator``.
        """
        model = self._store.translator(self._profile, source, target, self._chosen, forced=forced)
        if model is None:
            return None
        with self._lock:
            if model.id not in self._loaded:
                self._loaded[model.id] = load_translator(
                    model, self._store, self._engine, self._device, self._threads, self._numbers
                )
            return self._loaded[model.id]
