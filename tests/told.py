"""What a result says, by kind and code: tests do not depend on its wording."""

from __future__ import annotations

from checker.bitext.result import Quality
from checker.result import ReasonKind, Result


def codes(result: Result | Quality) -> list[str]:
    """Codes of the warnings."""
    return [warning.code for warning in result.warnings]


def warned(result: Result | Quality, code: str) -> str:
    """The text of the only warning of a code."""
    (text,) = (warning.text for warning in result.warnings if warning.code == code)
    return text


def reason(result: Result, kind: ReasonKind) -> str:
    """The text of the only reason of a kind."""
    (text,) = (reason.text for reason in result.reasons if reason.kind == kind)
    return text


def counted(result: Result) -> list[str]:
    """The kinds of evidence that the verdict counts, the strongest first."""
    return [
        found.kind for found in result.reasons if found.kind in ("encoder", "style", "fluency", "round_trip")
    ]
