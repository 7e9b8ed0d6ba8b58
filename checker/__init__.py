"""statement-checker: is this official post machine-translated?

from checker import score, Checker
score("…")                                        # Result
Checker(profile="embedded").score_many(texts)     # iterator of Result
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from checker.errors import CheckerError
    from checker.pipeline import Checker
    from checker.result import Result, to_pandas

__version__ = "0.1.0"
__all__ = ["Checker", "CheckerError", "Result", "__version__", "score", "to_pandas"]

_HOMES = {
    "Checker": "checker.pipeline",
    "CheckerError": "checker.errors",
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
