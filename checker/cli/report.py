"""``checker report``: a file of scores as one page to read, print and send."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from checker.cli import options
from checker.errors import InputError


def report(
    scores: Annotated[
        Path, typer.Argument(metavar="SCORES", help=".jsonl .csv .tsv or .parquet of checker score.")
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="Write the page to this .html.")],
    posts: Annotated[
        Path | None, typer.Option(help="The file that was scored, if it has account and date.")
    ] = None,
    account_column: Annotated[
        str | None, typer.Option(help="Column with the account; by default account, if it is there.")
    ] = None,
    date_column: Annotated[
        str | None, typer.Option(help="Column with the date, ISO 8601; by default date, if it is there.")
    ] = None,
    id_column: options.IdColumn = "id",
    calibration: Annotated[
        Path | None,
        typer.Option(help="The calibration that the posts were scored with, if not the shipped one."),
    ] = None,
    examples: Annotated[
        int, typer.Option(min=0, max=200, help="Posts shown of the most, and of the least suspicious.")
    ] = 10,
    date: Annotated[str | None, typer.Option(help="Date to print on the page; by default none.")] = None,
) -> None:
    """Make one page of a file of scores: to read, print and send; docs/report.md says what is on it.

    The page is a single file that loads nothing. Account and date are read from SCORES, or from --posts.
    """
    from checker.cli.terminal import bad_rows
    from checker.files import write_text
    from checker.io.write import check_output
    from checker.models import Store
    from checker.pages import outcomes
    from checker.pages.provenance import Origin, files, used
    from checker.pages.rates import measured
    from checker.pages.report import Report, page
    from checker.pages.summary import contents

    check_output(output, scores, [".html"])
    if posts is not None:
        check_output(output, posts, [".html"])
    columns = outcomes.Columns(account_column, date_column)
    found = contents(outcomes.read(scores, columns, posts, id_column), examples)
    for line in bad_rows(found.unread_first):
        print(line, file=sys.stderr)
    if more := found.unread - len(found.unread_first):
        print(f"Left out: {more} more bad rows.", file=sys.stderr)
    for column, option, groups in (
        (account_column, "--account-column", found.accounts),
        (date_column, "--date-column", found.days),
    ):
        if column is not None and not groups:
            kind = "a date as ISO 8601 has it" if groups is found.days else "a value"
            raise InputError(f"No row has {kind} in {column!r}.", fix=f"Check {option}.")
    store = Store()
    origin = Origin(
        command=shlex.join(["checker", *sys.argv[1:]]),
        files=files(scores=scores, posts=posts, calibration=calibration),
        date=date,
    )
    rates = measured(found.judged, store, calibration)
    models = used(found.counts.models, store, rates.shipped)
    write_text(page(Report(found, rates, models, origin)), output)
    print(f"Wrote {output}: {found.counts.rows} rows.", file=sys.stderr)
