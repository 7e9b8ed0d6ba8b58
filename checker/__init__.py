"""statement-checker: is this official post machine-translated?

from checker import Checker, quality, score
score("…")                                        # Result
Checker(profile="embedded").score_many(texts)     # iterator of Result
quality(source="…", target="…")                   # Quality

Every command is also a function here: `score_file`, `score_directory`, `accounts_file`, `evaluate`,
`compare`, `calibrate`, `quality_file`, `report`. `accounts` judges accounts without writing a file.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from checker.version import __version__

if TYPE_CHECKING:
    from pathlib import Path

    from checker.account.record import Account
    from checker.bitext.estimator import QualityEstimator
    from checker.bitext.files import quality_file
    from checker.bitext.result import Quality
    from checker.calibration.files import calibrate_file as calibrate
    from checker.client import Client
    from checker.errors import CheckerError, InputError
    from checker.evaluation.files import compare_files as compare
    from checker.evaluation.files import evaluate_accounts_file as evaluate_accounts
    from checker.evaluation.files import evaluate_file as evaluate
    from checker.io.table import to_pandas
    from checker.pages.files import evaluation_page
    from checker.pages.files import report_file as report
    from checker.pipeline import Checker
    from checker.result import Result, RowError
    from checker.runs.accounts import accounts, accounts_file
    from checker.runs.local import Summary
    from checker.runs.ray.run import score_directory
    from checker.settings import Settings

__all__ = [
    "Account", "Checker", "CheckerError", "Client", "InputError", "Quality", "QualityEstimator", "Result",
    "Settings", "__version__", "accounts", "accounts_file", "calibrate", "compare", "evaluate",
    "evaluate_accounts", "evaluation_page", "quality", "quality_file", "report", "score", "score_directory",
    "score_file", "to_pandas",
]  # fmt: skip

_HOMES = {
    "Account": "checker.account.record:Account",
    "Checker": "checker.pipeline:Checker",
    "Client": "checker.client:Client",
    "CheckerError": "checker.errors:CheckerError",
    "InputError": "checker.errors:InputError",
    "Quality": "checker.bitext.result:Quality",
    "QualityEstimator": "checker.bitext.estimator:QualityEstimator",
    "Result": "checker.result:Result",
    "Settings": "checker.settings:Settings",
    "accounts": "checker.runs.accounts:accounts",
    "accounts_file": "checker.runs.accounts:accounts_file",
    "calibrate": "checker.calibration.files:calibrate_file",
    "compare": "checker.evaluation.files:compare_files",
    "evaluate": "checker.evaluation.files:evaluate_file",
    "evaluate_accounts": "checker.evaluation.files:evaluate_accounts_file",
    "evaluation_page": "checker.pages.files:evaluation_page",
    "quality_file": "checker.bitext.files:quality_file",
    "report": "checker.pages.files:report_file",
    "score_directory": "checker.runs.ray.run:score_directory",
    "to_pandas": "checker.io.table:to_pandas",
}


def score(text: str) -> Result:
    """Score one post with the embedded models; they stay loaded for the next call.

    Args:
        text: the post as it was published.

    Raises:
        InputError: ``text`` is not a string.
    """
    return _checker().score(text)


def score_file(
    source: str | Path,
    output: str | Path,
    *,
    checker: Checker | None = None,
    text_column: str = "text",
    id_column: str = "id",
    keep: Sequence[str] = (),
    restart: bool = False,
    workers: int = 1,
    on_outcome: Callable[[Result | RowError], object] | None = None,
    on_progress: Callable[[int, int | None], object] = lambda done, total: None,
    progress: bool = False,
) -> Summary:
    """Score every row of a file into another, as ``checker score -o`` does; an interrupted run is resumed.

    Args:
        source: a ``.jsonl``, ``.csv``, ``.tsv``, ``.parquet`` or ``.txt`` file; ``-`` for standard input,
            which cannot be resumed.
        output: a ``.jsonl``, ``.csv``, ``.tsv``, ``.parquet``, ``.sqlite``, ``.db`` or ``.duckdb`` file,
            replaced when everything is scored; or the address of one in ``s3://``, ``gs://`` or ``hf://``.
        checker: by default with the embedded models and no cache.
        text_column, id_column: where these are in the input.
        keep: columns of the input that the output has as well.
        restart: discard the progress of an interrupted run.
        workers: processes that score, each with models of its own. A script that asks for more than one has
            its own calls below ``if __name__ == "__main__":``.
        on_outcome: called with every row of the output, in order, at the end.
        on_progress: called with the number of rows that are scored, and of all if it is known.
        progress: draw a bar on standard error, or log a line now and then where there is no terminal.

    Raises:
        InputError: the input cannot be read, or changed while it was scored; or ``workers`` is less than 1.
        OutputError: the output cannot be written, or not uploaded, and then the same call does that without
            scoring again; another run is writing it, or was interrupted with other input, settings or models.
        CheckerError: a model cannot be loaded, or one of several processes came to an end.
    """
    from checker.progress import shown
    from checker.runs.local import score_file

    with shown() as draw:

        def tell(done: int, total: int | None) -> None:
            on_progress(done, total)
            if progress:
                draw(done, total)

        return score_file(
            checker or _checker(), source, output, text_column=text_column, id_column=id_column, keep=keep,
            restart=restart, workers=workers, on_outcome=on_outcome, on_progress=tell,
        )  # fmt: skip


def quality(
    source: str,
    target: str,
    reference: str | None = None,
    *,
    source_language: str | None = None,
    target_language: str | None = None,
) -> Quality:
    """Estimate the quality of a translation with the embedded models; they stay loaded for the next call.

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
def _estimator() -> QualityEstimator:
    from checker.bitext.estimator import QualityEstimator

    return QualityEstimator()


@cache
def _checker() -> Checker:
    from checker.pipeline import Checker

    return Checker()


def __getattr__(name: str) -> Any:
    """Import the parts when they are first used: ``checker --help`` must not pay for them (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module 'checker' has no attribute {name!r}")
    from importlib import import_module

    module, _, attribute = _HOMES[name].partition(":")
    return getattr(import_module(module), attribute)
