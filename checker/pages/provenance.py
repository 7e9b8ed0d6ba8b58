"""Where a report comes from: the files, the command, and the models with their digests."""

from __future__ import annotations

import re
from collections.abc import Mapping, Set
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, get_args

from checker.errors import ModelNotFoundError
from checker.evidence import style
from checker.models import Store
from checker.models.lock import sha256
from checker.settings import Profile
from checker.version import __version__


@dataclass(frozen=True)
class Origin:
    """What a report was made from.

    Attributes:
        command: the command line.
        files: what a file is → its name and sha256.
        date: as given on the command line; None for none.
        version: of the package that made it.
    """

    command: str
    files: Mapping[str, tuple[str, str]]
    date: str | None = None
    version: str = __version__


class Used(NamedTuple):
    """A model that posts were scored with: its task, name@revision, and sha256 if it is on this machine."""

    task: str
    label: str
    digest: str | None


def files(**paths: Path | None) -> dict[str, tuple[str, str]]:
    """Name and sha256 of the files that there are."""
    return {name: (path.name, sha256(path)) for name, path in paths.items() if path is not None}


def used(models: Mapping[str, Set[str]], store: Store, shipped: bool) -> list[Used]:
    """The models of a file of scores, with the digests that the locks of this machine have for them.

    Args:
        models: task → labels, as results name them.
        store: where the locks are.
        shipped: whether posts were judged by the calibration of this version of the package.
    """
    known: dict[str, str] = {}
    for profile in models.get("profile", ()):
        if profile in get_args(Profile):
            known |= store.digests(profile)  # type: ignore[arg-type]
    found = []
    for task in sorted(set(models) - {"profile", "arithmetic"}):
        labels = sorted({part for label in models[task] for part in label.split(" + ")})
        found += [Used(task, label, _digest(label, store, known)) for label in labels]
    if shipped:
        verdict = Used("verdict", f"embedded/verdict.json@{__version__}", known.get("verdict.json"))
        percentiles = Used("percentiles", f"embedded/fluency.json@{__version__}", known.get("fluency.json"))
        found += [percentiles, verdict]
    return found


def _digest(label: str, store: Store, known: Mapping[str, str]) -> str | None:
    name, _, revision = label.rpartition("@")
    if language := re.fullmatch(r"embedded/style-(\w+)", name):
        return known.get(f"{language[1]}.npz") if revision == style.REVISION else None
    try:
        here = store.model(name).label == label
    except ModelNotFoundError:
        return None
    return known.get(name) if here else None
