"""Translate, and say how likely a given translation is: one protocol, three engines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

BEAM = 2
"""Width of the beam. With the embedded translator greedy search loses 1 to 2 chrF++; a beam of 4 gains
nothing and takes half as long again."""


@dataclass(frozen=True)
class Translation:
    """One output of a translator.

    Attributes:
        text: the best hypothesis.
        log_likelihood: mean log-probability (nats) of its tokens, end of sentence included; None by an engine
            that does not say.
    """

    text: str
    log_likelihood: float | None


class Translator(Protocol):
    """A model that translates one or more pairs of languages.

    A text of more pieces than the model has positions is cut, and a translation ends at the latest at four
    times the length of its source.

    Attributes:
        label: name@revision.
        forced_decoding: whether the engine says how likely a given translation is; where it does not,
            ``log_probabilities`` gives empty lists.
    """

    label: str
    forced_decoding: bool

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

    def log_probabilities(
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
