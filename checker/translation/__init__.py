"""Translate, and say how likely a given translation is: one protocol, two engines."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from checker.processor import Arithmetic
from checker.store import Model, Store
from checker.store.registry import Profile

Engine = Literal["ctranslate2", "transformers"]
Device = Literal["auto", "cpu", "cuda"]

BEAM = 2
"""Width of the beam. With the embedded translator greedy search loses 1 to 2 chrF++; a beam of 4 gains
nothing and takes half as long again."""


@dataclass(frozen=True)
class Translation:
    """One output of a translator.

    Attributes:
        text: the best hypothesis.
        log_likelihood: mean log-probability (nats) of its tokens, end of sentence included.
    """

    text: str
    log_likelihood: float


class Translator(Protocol):
    """A model that translates one or more pairs of languages.

    A text of more pieces than the model has positions is cut, and a translation ends at the latest at four
    times the length of its source.
    """

    label: str  # name@revision

    def serves(self, source: str, target: str) -> bool:
        """Whether the model translates ``source`` into ``target`` (ISO 639-1 codes)."""
        ...

    def translate(self, texts: Sequence[str], source: str, target: str) -> list[Translation]:
        """Translate every text; order and length are kept.

        The translation of a text without a visible character is empty, with log-likelihood 0.

        Raises:
            UnsupportedPairError: the model does not serve the pair.
        """
        ...

    def score(
        self, sources: Sequence[str], targets: Sequence[str], source: str, target: str
    ) -> list[list[float]]:
        """Forced decoding: log-probability (nats) of every token of each target given its source.

        The last value of each list is that of the end of sentence; the list is empty when either side has no
        visible character. The score is that of Prism (Thompson and Post 2020) when source and target are
        paraphrases or translations.

        Raises:
            UnsupportedPairError: the model does not serve the pair.
        """
        ...


def arithmetic(engine: Engine, device: Device) -> Arithmetic:
    """The numbers that an engine computes with: other ones give other digits.

    Args:
        engine: ``ctranslate2`` or ``transformers``.
        device: ``auto``, ``cpu`` or ``cuda``; ``cuda`` need not be there.
    """
    if engine == "transformers":
        return "float32"
    from checker.translation import ctranslate2_engine

    return ctranslate2_engine.arithmetic(device)


def load(
    model: Model,
    store: Store,
    engine: Engine = "ctranslate2",
    device: Device = "auto",
    threads: int | None = None,
    numbers: Arithmetic | None = None,
) -> Translator:
    """The translator of a model of the store.

    With ``ctranslate2``, a model that has no conversion yet is converted first, once.

    Args:
        model: an entry of the registry.
        store: where its files are.
        engine: ``ctranslate2`` or ``transformers``.
        device: ``auto``, ``cpu`` or ``cuda``.
        threads: of ``ctranslate2`` on a CPU; by default one a core.
        numbers: to compute with, by ``ctranslate2``; by default those of ``arithmetic``.

    Raises:
        ModelNotFoundError: the model is not on this machine.
        ModelCorruptedError: a file of it is not the one in the lock.
        CheckerError: ``cuda`` was asked for and there is no such device.
    """
    if engine == "transformers":
        from checker.translation.transformers_engine import TransformersTranslator

        return TransformersTranslator(model, store.path(model), device=device)
    from checker.translation.ctranslate2_engine import CTranslate2Translator, converted_folder

    converted = converted_folder(model, store)
    folder = store.path(model, weights=False)
    return CTranslate2Translator(
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
    ) -> None:
        self._store, self._profile, self._engine, self._device = store, profile, engine, device
        self._threads, self._numbers = threads, numbers
        self._loaded: dict[str, Translator] = {}
        self._lock = threading.Lock()

    def serves(self, source: str, target: str) -> bool:
        """Whether the profile has a model for the pair (ISO 639-1 codes), on this machine or not."""
        return self._store.translator(self._profile, source, target) is not None

    def get(self, source: str, target: str) -> Translator | None:
        """The translator of the pair; None when the profile has none.

        Raises:
            ModelNotFoundError, ModelCorruptedError, CheckerError: see ``load``.
        """
        model = self._store.translator(self._profile, source, target)
        if model is None:
            return None
        with self._lock:
            if model.id not in self._loaded:
                self._loaded[model.id] = load(
                    model, self._store, self._engine, self._device, self._threads, self._numbers
                )
            return self._loaded[model.id]
