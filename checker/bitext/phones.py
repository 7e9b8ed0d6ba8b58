"""Telephone numbers of a text, so that those of two languages compare however they are laid out."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

import regex

_NUMBER = regex.compile(
    r"(?<![\p{L}\p{Nd}]|\p{Nd}[.,:/-])(?P<abroad>\+\s?|00(?=[1-9]))?\(?\p{Nd}"
    r"(?:[ \u00a0\u2009\u202f()./\-\u2010\u2011\u2013]{0,3}\p{Nd})*+(?!\p{Nd})"
)
_TRUNK = regex.compile(r"\(0\)")  # +49 (0)30 …
_FEWEST, _MOST = 7, 15  # digits; E.164 allows 15
_PREFIXES = ("", "0", "1", "8")  # dialled before a number within a country


@dataclass(frozen=True, slots=True)
class Phone:
    """What may be a telephone number.

    Attributes:
        start, end: where it is.
        digits: in ASCII.
        abroad: whether it begins with the code of a country.
    """

    start: int
    end: int
    digits: str
    abroad: bool

    def agrees(self, other: Phone) -> bool:
        """Whether both may reach the same line: "8 (495) 123-45-67" and "+7 495 1234567" do."""
        if self.abroad == other.abroad:
            return self.digits == other.digits or not (
                self.abroad or self._national().isdisjoint(other._national())
            )
        near, far = (other, self) if self.abroad else (self, other)
        return not near._national().isdisjoint(far.digits[length:] for length in range(4))

    def _national(self) -> set[str]:
        own = self.digits
        return {own.removeprefix(prefix) for prefix in _PREFIXES if len(own) - len(prefix) >= _FEWEST}


def phones(text: str) -> list[Phone]:
    """Runs of digits that are long enough, in text order; other long numbers are among them."""
    found = []
    for match in _NUMBER.finditer(text):
        kept = _TRUNK.sub("", match[0]) if match["abroad"] else match[0]
        digits = "".join(str(unicodedata.decimal(c)) for c in kept if c.isdecimal())
        if match["abroad"]:
            digits = digits.removeprefix("00")
        if _FEWEST <= len(digits) <= _MOST:
            found.append(Phone(*match.span(), digits, abroad=match["abroad"] is not None))
    return found


def agreeing(ours: Sequence[Phone], theirs: Sequence[Phone]) -> list[Phone]:
    """Those of ``ours`` that the other text has."""
    return [phone for phone in ours if any(phone.agrees(other) for other in theirs)]
