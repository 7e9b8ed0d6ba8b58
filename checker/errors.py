"""The exceptions of the package. Every message says what is wrong and what to do about it."""

from __future__ import annotations

from functools import partial
from typing import Any


class CheckerError(Exception):
    """Base of every error that this package raises on purpose."""


class InputError(CheckerError):
    """A row, a column or a file that cannot be scored.

    Attributes:
        problem: what is wrong, in one sentence.
        fix: what to do about it, in one sentence.
        row: 1-based number of the row in the input, if there is one.
        field: name of the field, if there is one.
    """

    def __init__(self, problem: str, *, fix: str, row: int | None = None, field: str | None = None) -> None:
        self.problem, self.fix, self.row, self.field = problem, fix, row, field
        where = "".join(
            [f"row {row}: " if row is not None else "", f"field {field!r}: " if field is not None else ""]
        )
        super().__init__(f"{where}{problem} {fix}")

    def __reduce__(self) -> tuple[Any, ...]:
        """Another process gets it whole."""
        return partial(InputError, fix=self.fix, row=self.row, field=self.field), (self.problem,)


class OutputError(CheckerError):
    """The output cannot be written."""


class ModelNotFoundError(CheckerError):
    """A model is registered but not on this machine; the message names the command that fetches it."""


class ModelCorruptedError(CheckerError):
    """A file of a model is missing or does not have the sha256 of the lock."""


class DownloadError(CheckerError):
    """A model could not be fetched: no connection, no such repository, no space, a wrong checksum."""


class UnsupportedPairError(CheckerError):
    """No translator of the profile serves this pair of languages."""
