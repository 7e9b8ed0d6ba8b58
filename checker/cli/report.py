"""``checker report``: turn a file of scores into one page to read, print and send."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from checker.cli import options
from checker.cli.terminal import bad_rows
from checker.io.addresses import named
from checker.pages.files import report_file
from checker.result import RowError


def report(
    scores: Annotated[
        Path, typer.Argument(metavar="SCORES", help=".jsonl .csv .tsv or .parquet of checker score.")
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Write the page to this .html, also s3:// gs:// hf://.")
    ],
    posts: Annotated[
        Path | None, typer.Option(help="The file that was scored, if it has account and date.")
    ] = None,
    account_column: Annotated[
        str | None, typer.Option(help="Column with the account. Default: account, if there is one.")
    ] = None,
    date_column: Annotated[
        str | None, typer.Option(help="Column with the ISO 8601 date. Default: date, if there is one.")
    ] = None,
    text_column: options.TextColumn = "text",
    id_column: options.IdColumn = "id",
    calibration: Annotated[
        Path | None,
        typer.Option(help="The calibration that the posts were scored with, if not the built-in one."),
    ] = None,
    examples: Annotated[
        int, typer.Option(min=0, max=200, help="Number of the most and of the least suspicious posts shown.")
    ] = 10,
    flagged_only: Annotated[
        bool,
        typer.Option("--flagged-only", help="Show only posts that are called translated or rudimentary."),
    ] = False,
    date: Annotated[str | None, typer.Option(help="Date to print on the page. Default: none.")] = None,
) -> None:
    """Turn a file of scores into a single HTML page.

    Account, date and text are read from SCORES, or from --posts. See docs/report.md for what is on it.
    """

    def tell(first: Sequence[RowError], count: int) -> None:
        for line in bad_rows(first, count=count):
            print(line, file=sys.stderr)

    found = report_file(
        scores,
        output,
        posts=posts,
        account_column=account_column,
        date_column=date_column,
        id_column=id_column,
        calibration=calibration,
        text_column=text_column,
        examples=examples,
        flagged_only=flagged_only,
        date=date,
        command=shlex.join(["checker", *sys.argv[1:]]),
        on_bad_rows=tell,
    )
    print(f"Wrote {named(output)}: {found.counts.rows} rows.", file=sys.stderr)
