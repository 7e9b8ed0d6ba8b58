"""Pages as files: the report of a file of scores, and the page of an evaluation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from checker.errors import InputError
from checker.evaluation.result import Evaluation
from checker.files import write_text
from checker.io import outcomes
from checker.io.addresses import named
from checker.io.read import DEFAULT_ID, DEFAULT_TEXT
from checker.io.targets import placed
from checker.io.write import check_output
from checker.models import Store
from checker.pages import evaluation as evaluations
from checker.pages.accounts import collected
from checker.pages.provenance import Origin, files, used
from checker.pages.rates import measured
from checker.pages.report import ACCOUNTS, Report, page
from checker.pages.summary import Contents, contents
from checker.result import RowError
from checker.runs.accounts import AccountsSummary, Choice
from checker.runs.accounts import judged as judgements

FORMATS = (".html",)


def report_file(
    scores: str | Path,
    output: str | Path,
    *,
    posts: str | Path | None = None,
    account_column: str | None = None,
    date_column: str | None = None,
    id_column: str = DEFAULT_ID,
    calibration: str | Path | None = None,
    text_column: str = DEFAULT_TEXT,
    examples: int = 10,
    flagged_only: bool = False,
    date: str | None = None,
    command: str | None = None,
    store: Store | None = None,
    on_bad_rows: Callable[[Sequence[RowError], int], object] = lambda first, count: None,
) -> Contents:
    """Turn a file of scores into a single HTML page; what ``checker report`` calls.

    Args:
        scores: a ``.jsonl``, ``.csv``, ``.tsv`` or ``.parquet`` file, as ``checker score`` writes it.
        output: an ``.html`` file, or the address of one in ``s3://``, ``gs://`` or ``hf://``.
        posts: the file that was scored, if that has account and date.
        account_column: with the account; by default ``account`` where it is there.
        date_column: with the date in ISO 8601; by default ``date`` where it is there.
        id_column: of ``posts``.
        calibration: that the posts were scored with, if it was not the built-in one.
        text_column: of ``posts`` or of the scores, with the text to show where the scores have no sentences.
        examples: how many of the most, and of the least suspicious posts are shown.
        flagged_only: show only posts that are called translated or rudimentary.
        date: to print on the page, as it is.
        command: that the page says it was made with; by default this call.
        store: whose models the posts were scored with; by default those of the package.
        on_bad_rows: called with the first rows that hold no score, and the number of all of them.

    Returns:
        What was in the file.

    Raises:
        InputError: a file cannot be read or lacks a column; no row has a value in a named column.
        OutputError: the page cannot be written, found out before anything is read where possible, or not
            uploaded.
    """
    scores, posts = Path(scores), None if posts is None else Path(posts)
    own = None if calibration is None else Path(calibration)
    with placed(output, formats=FORMATS) as here:
        for source in filter(None, (scores, posts)):
            check_output(here, source, FORMATS)
        columns = outcomes.Columns(account_column, date_column, text=text_column)
        rows = outcomes.read(scores, columns, posts, id_column)
        found = contents(rows, examples, flagged_only=flagged_only)
        on_bad_rows(found.unread_first, found.unread)
        for column, option, groups, kind in (
            (account_column, "--account-column", found.accounts, "a value"),
            (date_column, "--date-column", found.days, "an ISO 8601 date"),
        ):
            if column is not None and not groups:
                raise InputError(f"No row has {kind} in {column!r}.", fix=f"Check {option}.")
        store = store or Store()
        origin = Origin(
            command=command or f"checker.report({str(scores)!r}, {named(output)!r})",
            files=files(scores=scores, posts=posts, calibration=own),
            date=date,
        )
        rates = measured(found.judged, store, own)
        models = used(found.counts.models, store, rates.shipped)
        judged = None
        if found.accounts:
            with TemporaryDirectory(prefix="checker.") as folder:
                rows = outcomes.read(scores, columns, posts, id_column)
                judged = collected(judgements(rows, Choice(), AccountsSummary(), Path(folder)), ACCOUNTS)
        write_text(page(Report(found, rates, models, origin, judged)), here)
    return found


def evaluation_page(evaluation: Evaluation, output: str | Path) -> None:
    """Write an evaluation as a single HTML page with plots; what ``checker evaluate --html`` calls.

    Args:
        evaluation: what `checker.evaluate` returns.
        output: an ``.html`` file.

    Raises:
        OutputError: it cannot be written.
    """
    write_text(evaluations.page(evaluation), Path(output))
