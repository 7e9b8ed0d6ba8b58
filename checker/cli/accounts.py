"""``checker accounts``: judge accounts by all of their posts."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from checker.account.combine import WindowSize
from checker.account.record import Account
from checker.cli import options
from checker.cli.terminal import bad_rows
from checker.errors import InputError
from checker.io.addresses import named
from checker.io.outcomes import day_of
from checker.io.write import check_output
from checker.pages.accounts import Collected, accounts_page
from checker.progress import BYTES, steps
from checker.runs import accounts as runs
from checker.runs.accounts import AccountsSummary, Choice, Runner
from checker.settings import Settings
from checker.text import compact, printable
from checker.verdict.advice import VERDICTS

PREVIEW = 20
"""Accounts shown on the terminal when the results go to a file."""

_STYLES = {
    "machine_translated": "bold red",
    "rudimentary": "red",
    "translated": "magenta",
    "human_written": "green",
    "uncertain": "yellow",
}


@options.with_settings()
def accounts(
    settings: Settings,
    source: Annotated[
        str,
        typer.Argument(
            metavar="INPUT",
            help=".jsonl .csv .tsv .parquet with text and account, or with scores; - for a pipe.",
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help="Write .jsonl .csv .tsv .parquet .sqlite .db or .duckdb, also to s3:// gs:// hf://; "
            "repeat the command to resume.",
        ),
    ] = None,
    by: Annotated[str, typer.Option(help="Column with the account.")] = "account",
    time: Annotated[
        str | None, typer.Option(help="Column with the ISO 8601 date. Default: date, if there is one.")
    ] = None,
    since: Annotated[str | None, typer.Option(help="First day of the posts that count: 2026-01-31.")] = None,
    until: Annotated[str | None, typer.Option(help="Last day of the posts that count.")] = None,
    window: Annotated[WindowSize, typer.Option(help="Length of the windows over time.")] = "month",
    scores: Annotated[
        Path | None, typer.Option(help="Scores of INPUT, made with checker score: no model is run.")
    ] = None,
    save_scores: Annotated[
        Path | None, typer.Option(help="Keep the scores of the posts in this .jsonl (for Ray, a directory).")
    ] = None,
    html_to: Annotated[
        Path | None, typer.Option("--html", help="Write a page with the accounts to this .html.")
    ] = None,
    text_column: options.TextColumn = "text",
    id_column: options.IdColumn = "id",
    restart: Annotated[
        bool, typer.Option("--restart", help="Discard the progress of an interrupted run.")
    ] = False,
    runner: Annotated[
        Runner, typer.Option(help="Where to score: ray takes directories of .jsonl and .parquet files.")
    ] = "local",
    address: Annotated[str | None, typer.Option(help="Ray cluster. Default: one on this machine.")] = None,
    workers: Annotated[
        int | None,
        typer.Option(
            help="Processes with models of their own. Default: 1. With Ray: actors; default: one per "
            "--threads CPUs (1 for Ray), or one per GPU."
        ),
    ] = None,
) -> None:
    """Judge accounts by all of their posts: one record per account. See docs/accounts.md.

    INPUT is scored first, unless it is a file of scores or --scores names its scores.
    """
    if runner == "local" and address is not None:
        raise InputError("--address is for Ray.", fix="Add --runner ray.")
    if output is None and (runner == "ray" or save_scores is not None):
        raise InputError("--runner ray and --save-scores need a file for the accounts.", fix="Add --output.")
    choice = Choice(by, time, _day(since, "--since"), _day(until, "--until"), window, text_column, id_column)
    if choice.since is not None and choice.until is not None and choice.until < choice.since:
        raise InputError("--until is before --since.", fix="Exchange them.")
    if html_to is not None:
        check_output(html_to, source, [".html"])
    first: list[Account] = []
    collected = Collected()

    def see(account: Account) -> None:
        if len(first) < PREVIEW:
            first.append(account)
        collected.add(account)

    with steps(options.faster(settings)) as step:
        if output is None:
            summary = _print(source, settings, choice, scores, see)
        else:
            summary = runs.accounts_file(
                source, output, settings=settings, choice=choice, scores=scores, save_scores=save_scores,
                runner=runner, address=address, workers=workers, restart=restart,
                on_account=see, on_progress=step("Scoring", "rows"), on_read=step("Reading scores", "rows"),
                on_judged=step("Judging", "accounts"), on_upload=step("Uploading", BYTES),
            )  # fmt: skip
    if html_to is not None:
        accounts_page(collected, html_to)
    if output is not None:
        console = Console()
        console.print(table(first))
        if (more := summary.accounts - len(first)) > 0:
            console.print(f"… and {more} more in {named(output)}", markup=False, highlight=False)
    for line in (*bad_rows(summary.first_unread, count=summary.unread), *_told(summary, choice)):
        print(line, file=sys.stderr)


def _day(given: str | None, option: str) -> date | None:
    if given is None:
        return None
    if (day := day_of(given)) is None:
        raise InputError(f"{option} is no date.", fix="Write it as 2026-01-31.")
    return day


def _print(
    source: str,
    settings: Settings,
    choice: Choice,
    scores: Path | None,
    see: Callable[[Account], object],
) -> AccountsSummary:
    """Print the accounts: as a table on a terminal, as JSON elsewhere."""
    summary, console = AccountsSummary(), Console()
    found = runs.accounts(
        source, by=choice.by, time=choice.time, since=choice.since, until=choice.until, window=choice.window,
        scores=scores, settings=settings, text_column=choice.text_column, id_column=choice.id_column,
        summary=summary,
    )  # fmt: skip
    for number, account in enumerate(found):
        see(account)
        if sys.stdout.isatty():
            console.print(table([account], header=number == 0))
        else:
            print(account.to_json())
    return summary


def table(found: list[Account], *, header: bool = True) -> Table:
    """A row per account, one line each."""
    grid = Table(box=None, expand=True, show_header=header, header_style="bold", padding=(0, 1, 0, 0))
    for column, width in {"account": 20, "verdict": 18, "P": 5, "posts": 9, "languages": 10}.items():
        grid.add_column(column, width=width, no_wrap=True, overflow="ellipsis")
    grid.add_column("why", ratio=1, no_wrap=True, overflow="ellipsis")
    for account in found:
        probability, _ = account.shown
        told = [
            note.text
            for note in account.warnings
            if note.code in ("change", "mixed_posts", "languages_differ")
        ]
        told += [*account.reasons, *(note.text for note in account.warnings)]
        grid.add_row(
            _cell(account.account),
            Text(VERDICTS[account.verdict], _STYLES.get(account.verdict, "dim")),
            "" if probability is None else compact(probability),
            str(account.posts.distinct),
            _cell(", ".join(part.language for part in account.languages)),
            _cell(told[0] if told else ""),
        )
    return grid


def _cell(text: str) -> Text:
    return Text(" ".join(printable(text).split()))


def _told(summary: AccountsSummary, choice: Choice) -> list[str]:
    counts = [f"{count} {verdict.replace('_', '-')}" for verdict, count in summary.verdicts.most_common()]
    number = "1 account" if summary.accounts == 1 else f"{summary.accounts} accounts"
    lines = [f"{number}, {summary.posts} posts: {', '.join(counts)}"]
    if summary.nameless:
        lines.append(
            f"Left out: {summary.nameless} posts without a value in the column {printable(choice.by)!r}."
        )
    if summary.outside:
        lines.append(f"Left out: {summary.outside} posts that are not from these days, or have no date.")
    return lines
