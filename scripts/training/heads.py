"""Put a head beside the others of the shipped encoder."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from checker.models import Store


def beside(path: Path, arrays: Mapping[str, npt.NDArray[Any]]) -> dict[str, Any]:
    """The arrays of a file of heads, with those of one head in their place.

    Args:
        path: ``heads.npz``.
        arrays: of the head (``checker.evidence.heads.Heads``); kept in 32 bits.
    """
    with np.load(path, allow_pickle=False) as saved:
        kept = {name: saved[name] for name in saved.files}
    return kept | {name: value.astype(np.float32) for name, value in arrays.items()}


def ship(models: Path, arrays: Mapping[str, npt.NDArray[Any]]) -> str:
    """Write a head into the shipped file; returns what the store locks."""
    path = models / "embedded" / "encoder" / "heads.npz"
    np.savez(path, **beside(path, arrays))
    return str(Store(models / "registry.toml").lock_embedded())
