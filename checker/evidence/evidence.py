"""What is known about a post: the features that a verdict may count."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any


@dataclass(frozen=True)
class Evidence:
    """What is known about a post, or about one sentence taken as a post.

    Every field with metadata is a feature: ``kind`` is the part of a variant's name that it belongs to,
    ``model`` the task of the model that gives it.

    Attributes:
        columns: length; wide characters count as two.
        style: log-odds of the style detector.
        fluency: robust standard deviations from the median of human text (``fluency.Rank.z``).
        chrf: chrF++ of the round trip, 0 to 100.
        log_likelihood: mean token log-likelihood given the pivot translation, nats.
        gap: that of the translator's own best output minus ``log_likelihood``, nats.
        bleu: BLEU of the round trip, 0 to 100.
        machine_head: log-odds of the encoder's head for machine translation.
        translated_head: log-odds of its head for any translation.
        rudimentary_head: log-odds of its head for rudimentary wording; None of a text in fragments.
        technical: log-odds that it is technical documentation. No feature: it says where nothing is said.
        stretch: mean number of words between two marks. No feature either: it says what is in fragments.
    """

    columns: int
    style: float = field(metadata={"kind": "style", "model": "style"})
    fluency: float | None = field(default=None, metadata={"kind": "fluency", "model": "fluency"})
    chrf: float | None = field(default=None, metadata={"kind": "round_trip", "model": "translator"})
    log_likelihood: float | None = field(default=None, metadata={"kind": "round_trip", "model": "translator"})
    gap: float | None = field(default=None, metadata={"kind": "round_trip", "model": "translator"})
    bleu: float | None = field(default=None, metadata={"kind": "round_trip", "model": "translator"})
    machine_head: float | None = field(default=None, metadata={"kind": "encoder", "model": "encoder"})
    translated_head: float | None = field(default=None, metadata={"kind": "encoder", "model": "encoder"})
    rudimentary_head: float | None = field(default=None, metadata={"kind": "encoder", "model": "encoder"})

    technical: float | None = None
    stretch: float | None = None

    @property
    def known(self) -> set[str]:
        """Names of the features that have a value."""
        return {name for name in FEATURES if getattr(self, name) is not None}

    def without(self, models: Container[str]) -> Evidence:
        """The evidence less that of some models, named by task; style is never left out."""
        gone: dict[str, Any] = {n: None for n, f in FEATURES.items() if f["model"] in models and n != "style"}
        return replace(self, **gone, technical=None if "encoder" in models else self.technical)


FEATURES: dict[str, Mapping[str, str]] = {f.name: f.metadata for f in fields(Evidence) if f.metadata}
"""Every feature with its ``kind`` and its ``model``."""


def features_of(models: Container[str]) -> set[str]:
    """Names of the features that some models give, the models named by task."""
    return {name for name, metadata in FEATURES.items() if metadata["model"] in models}
