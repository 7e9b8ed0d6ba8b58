"""Find, verify and fetch models. Scoring only ever reads: nothing but ``Store.download`` uses the network."""

from checker.store.registry import Model
from checker.store.store import Store

__all__ = ["Model", "Store"]
