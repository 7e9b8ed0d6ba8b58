"""The lock: which commit of a model is on this machine, and the sha256 and size of every file of it.

A lock is one JSON object::

    {"Helsinki-NLP/opus-mt-ru-en": {
        "revision": "a64ede1bb36da5cd0c7bd9c25d0ee07ce5612124",
        "files": {"config.json": {"sha256": "4b1f...", "size": 1386}, ...}}}
"""

from __future__ import annotations

import functools
import hashlib
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from checker.errors import ModelCorruptedError
from checker.files import write_text


class LockedFile(BaseModel):
    """Checksum and size in bytes of one file."""

    model_config = ConfigDict(frozen=True)
    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    size: int = Field(ge=0)


class LockedModel(BaseModel):
    """A model as it is on this machine; ``files`` are relative to its folder, with forward slashes."""

    model_config = ConfigDict(frozen=True)
    revision: str = Field(min_length=1)
    files: dict[str, LockedFile]

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in self.files.values())


Lock = dict[str, LockedModel]
_LOCK = TypeAdapter(Lock)


def read_lock(path: Path) -> Lock:
    """The lock by model id; empty where there is none yet.

    Raises:
        ModelCorruptedError: the file is not a lock.
    """
    try:
        return _LOCK.validate_json(path.read_bytes())
    except FileNotFoundError:
        return {}
    except ValidationError:
        raise ModelCorruptedError(
            f"{path} is not a lock of models. Delete it and run: checker models download"
        ) from None


def write_lock(path: Path, lock: Lock) -> None:
    """Write a lock whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text(_LOCK.dump_json(dict(sorted(lock.items())), indent=2).decode(), path)


def lock_file(path: Path) -> LockedFile:
    """Checksum and size of a file."""
    return LockedFile(sha256=sha256(path), size=path.stat().st_size)


def problem(path: Path, expected: LockedFile) -> str | None:
    """What is wrong with a file, or None where it is as the lock says."""
    try:
        found = sha256(path)
    except OSError as error:
        return f"{path} cannot be read ({error.strerror}); expected sha256 {expected.sha256}."
    if found != expected.sha256:
        return f"{path} has changed: expected sha256 {expected.sha256}, found {found}."
    return None


def sha256(path: Path) -> str:
    """Checksum of a file, computed once a process for as long as its size and its time stand still."""
    stat = path.stat()
    return _sha256(path, stat.st_size, stat.st_mtime_ns)


@functools.lru_cache(maxsize=4096)
def _sha256(path: Path, size: int, mtime_ns: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
