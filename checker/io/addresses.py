"""Addresses: files that are not on this machine, and how those of an object store are reached."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from checker.errors import CheckerError

_ADDRESS = re.compile(r"([a-zA-Z][a-zA-Z0-9+.-]+):/+(.*)", re.DOTALL)  # a Path makes s3:/… of s3://…
_STORES = {"s3": "s3", "gs": "gs", "gcs": "gs", "hf": "hf"}
_PATTERN = re.compile(r"[*?\[]")


def address_of(path: str | Path) -> str | None:
    """The address that a path is, as ``scheme://…``; None for a path of this machine."""
    found = _ADDRESS.fullmatch(str(path))
    return f"{found[1]}://{found[2]}" if found else None


def in_store(path: str | Path) -> str | None:
    """The address of ``s3://``, ``gs://`` or ``hf://`` that a path is; None for any other path.

    Addresses of one file are equal: ``gcs://`` becomes ``gs://``.
    """
    found = _ADDRESS.fullmatch(str(path))
    if not found or not found[2] or found[1] not in _STORES:
        return None
    return f"{_STORES[found[1]]}://{found[2]}"


def named(path: str | Path) -> str:
    """A path as a person writes it: an address with both of its slashes."""
    return in_store(path) or address_of(path) or str(path)


def is_pattern(path: str) -> bool:
    """Whether a path has signs that stand for others, such as ``*``."""
    return _PATTERN.search(path) is not None


def opened(address: str) -> tuple[Any, str]:
    """The file system of an address (of fsspec), and the path in it."""
    from fsspec.core import url_to_fs

    system, path = url_to_fs(address)
    return system, str(path)


def matches(source: str | Path, address: str) -> bool:
    """Whether a source, that may be a pattern, has the file of an address of `in_store`."""
    from fsspec.utils import glob_translate

    given = in_store(source)
    if given is None or given == address:
        return given is not None
    (scheme, _, pattern), (other, _, path) = given.partition("://"), address.partition("://")
    return is_pattern(pattern) and scheme == other and re.match(glob_translate(pattern), path) is not None


@contextmanager
def reaching(address: str, done: str, failed: Callable[[str], CheckerError]) -> Iterator[None]:
    """Turn what a store raises into an error of this package.

    Args:
        address: of the file.
        done: what is done to it, ``read`` or ``written``.
        failed: makes the error, of a sentence that says what is wrong.

    Raises:
        CheckerError: the packages for such a store are not installed; or what `failed` makes.
    """
    try:
        yield
    except ImportError as error:
        fix = 'Install what it needs with: pip install "statement-checker[remote]"'
        raise CheckerError(f"{address} cannot be {done} ({error}). {fix}") from None
    except CheckerError:
        raise
    except Exception as error:  # every store has its own
        problem = " ".join(str(error).split()).rstrip(".") or type(error).__name__
        raise failed(f"{address} cannot be {done}: {problem}.") from None
