"""statement-checker: is this official post machine-translated?

from checker import Checker, quality, score
score("…")                                        # Result
Checker(profile="embedded").score_many(texts)     # iterator of Result
quality(source="…", target="…")                   # Quality
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from checker.version import __version__

if TYPE_CHECKING:
    from checker.bitext.estimator import Estimator
    from checker.bitext.result import Quality
    from checker.errors import CheckerError
    from checker.pipeline import Checker
    from checker.result import Result, to_pandas

__all__ = [
    "Checker", "CheckerError", "Estimator", "Quality", "Result", "__version__", "quality", "score",
    "to_pandas",
]  # fmt: skip

_HOMES = {
    "Checker": "checker.pipeline",
    "CheckerError": "checker.errors",
    "Estimator": "checker.bitext.estimator",
    "Quality": "checker.bitext.result",
    "Result": "checker.result",
    "to_pandas": "checker.result",
}


def score(text: str) -> Result:
    """Score one post with the embedded models; they stay loaded for the next call.

    Args:
        text: the post as it was published.

    Raises:
        InputError: ``text`` is not a string.
    """
    return _checker().score(text)


def quality(
    source: str,
    target: str,
    reference: str | None = None,
    *,
    source_language: str | None = None,
    target_language: str | None = None,
) -> Quality:
    """Say how good a translation one text is of another, with the embedded models; they stay loaded.

    Args:
        source: the text that was translated.
        target: its translation.
        reference: another translation, known to be good; adds chrF++, BLEU and TER.
        source_language, target_language: ISO 639-1 codes; identified where they are not given.

    Raises:
        InputError: a text is empty or too long, or its language is not supported or not identified.
    """
    return _estimator().estimate(
        source, target, reference, source_language=source_language, target_language=target_language
    )


@cache
def _estimator() -> Estimator:
    from checker.bitext.estimator import Estimator

    return Estimator()


@cache
def _checker() -> Checker:
    from checker.pipeline import Checker

    return Checker()


def __getattr__(name: str) -> Any:
    """Import the parts when they are first used: ``checker --help`` must not pay for them (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module 'checker' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)
