"""Find, verify and fetch models. Scoring only ever reads: nothing but ``Store.download`` uses the network."""

from checker.models.registry import Model
from checker.models.store import Store

__all__ = ["Model", "Store"]
