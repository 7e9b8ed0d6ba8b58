"""``checker score``: the posts of a file, or one text."""

from __future__ import annotations

import shlex
import signal
import sys
import time
from bisect import insort
from collections.abc import Iterable
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console

from checker.cli import options
from checker.cli.terminal import show, suspicion, table
from checker.errors import InputError
from checker.io.addresses import named
from checker.io.read import Post
from checker.io.sources import on_disk, read_all
from checker.io.table import check_kept
from checker.io.targets import local_path
from checker.pipeline import Checker
from checker.progress import BYTES, steps
from checker.result import RowError
from checker.runs.local import Outcome, Summary, journal_path, output_line, score_chunks, score_file
from checker.runs.ray.run import score_directory
from checker.runs.rejects import rejects_path
from checker.settings import Settings

PREVIEW = 20
"""Rows shown on the terminal when the results go to a file."""

TOGETHER = 1000
"""Rows of a table on a terminal; after so many the next table begins."""


class Highest:
    """The most suspicious of all rows that were added, those of equal rank in their order."""

    def __init__(self, most: int) -> None:
        self.rows: list[Outcome] = []
        self._most = most

    def add(self, outcome: Outcome) -> None:
        """Keep a row, if it is among the most suspicious."""
        insort(self.rows, outcome, key=suspicion)
        del self.rows[self._most :]


@options.with_settings()
def score(
    settings: Settings,
    source: Annotated[
        str | None,
        typer.Argument(
            metavar="INPUT",
            help=".jsonl .csv .tsv .parquet .txt (one post per line), a 'pattern*' of such files, "
            "s3:// gs:// hf://, or - for a pipe.",
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help="Write .jsonl .csv .tsv .parquet .sqlite .db or .duckdb, also to s3:// gs:// hf://; "
            "repeat the command to resume.",
        ),
    ] = None,
    text: Annotated[str | None, typer.Option(help="Score this text instead and show the evidence.")] = None,
    text_column: options.TextColumn = "text",
    id_column: options.IdColumn = "id",
    keep: Annotated[
        list[str] | None,
        typer.Option(help="Column of the input that the output has as well. May be repeated."),
    ] = None,
    restart: Annotated[
        bool, typer.Option("--restart", help="Discard the progress of an interrupted run.")
    ] = False,
    runner: Annotated[
        Literal["local", "ray"],
        typer.Option(help="Where to score: ray takes directories of .jsonl and .parquet files."),
    ] = "local",
    address: Annotated[str | None, typer.Option(help="Ray cluster. Default: one on this machine.")] = None,
    workers: Annotated[
        int | None,
        typer.Option(
            help="Processes with models of their own. Default: one per core for long files, if there is "
            "memory. With Ray: actors; default: one per --threads CPUs (1 for Ray), or one per GPU."
        ),
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Exit with 3 if a row was unreadable.")] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print JSON even if standard output is a terminal.")
    ] = False,
) -> None:
    """Score the posts of a file, or one text.

    The exit status is 0 when the input was read to its end, 2 for a mistake in the command or its files, and
    3 under --strict when a row was unreadable.
    """
    if (source is None) == (text is None):
        raise InputError("Give either INPUT or --text.", fix="See checker score --help.")
    if output == Path("-"):
        output = None
    if output is not None and (text is not None or as_json):
        raise InputError("--output is for the results of INPUT.", fix="Leave out --text and --json.")
    if runner == "local" and address is not None:
        raise InputError("--address is for Ray.", fix="Add --runner ray.")
    if runner == "local" and output is None and workers is not None:
        raise InputError("--workers is for files.", fix="Name INPUT and --output.")
    if text is not None:
        _score_text(text, settings, as_json)
        return
    assert source is not None
    if output is not None:
        signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends as cleanly as Ctrl+C
    first = Highest(PREVIEW)
    try:
        with steps(options.faster(settings)) as step:
            if runner == "ray":
                if output is None or source == "-":
                    problem = "--runner ray scores files into a directory."
                    raise InputError(problem, fix="Name INPUT and --output.")
                summary = score_directory(
                    source, output, settings, text_column=text_column, id_column=id_column, keep=keep or (),
                    address=address, workers=workers, restart=restart, on_progress=step("Scoring", "rows"),
                )  # fmt: skip
            elif output is None:
                check_kept(keep or ())
                with on_disk(source) as paths:
                    rows = read_all(paths, text_column, id_column, keep or ())
                    summary = _score_to_stdout(rows, settings, as_json)
            else:
                summary = score_file(
                    Checker(settings), source, output, text_column=text_column, id_column=id_column,
                    keep=keep or (), restart=restart, workers=workers,
                    on_outcome=first.add,
                    on_progress=step("Scoring", "rows"),
                    on_upload=step("Uploading", BYTES),
                )  # fmt: skip
    except KeyboardInterrupt:
        print(f"checker: interrupted{_hint(output)}", file=sys.stderr)
        raise typer.Exit(130) from None
    if first.rows and output is not None:
        _preview(first.rows, summary.rows, output)
    print(_told(summary, output), file=sys.stderr)
    if strict and summary.errors:
        raise typer.Exit(3)


def _score_text(text: str, settings: Settings, as_json: bool) -> None:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise InputError("--text is not valid UTF-8.", fix="Set the terminal to UTF-8.") from error
    result = Checker(replace(settings, cache=None)).score(text)
    console = Console()
    if as_json:
        print(result.to_json())
    else:
        console.print(show(result, marks=console.no_color or console.color_system is None))


def _score_to_stdout(rows: Iterable[Post | RowError], settings: Settings, as_json: bool) -> Summary:
    console, summary, began = Console(), Summary(), time.monotonic()
    together: list[Outcome] = []
    try:
        for outcome, kept in chain.from_iterable(score_chunks(Checker(settings), rows)):
            summary.add(outcome)
            if as_json or not sys.stdout.isatty():
                print(output_line(outcome, kept), flush=True)
            elif len(together) + 1 < TOGETHER:
                together.append(outcome)
            else:
                console.print(table([*together, outcome]))
                together.clear()
    finally:  # also what was scored before an interruption
        if together:
            console.print(table(together))
    summary.seconds = time.monotonic() - began
    return summary


def _preview(first: list[Outcome], rows: int, output: Path) -> None:
    console = Console()
    console.print(table(first))
    if (more := rows - len(first)) > 0:
        console.print(f"… and {more} more in {named(output)}", markup=False, highlight=False)


def _hint(output: Path | None) -> str:
    """How to resume, if there is something to resume."""
    if output is None or not (journal_path(local_path(output)).exists() or output.is_dir()):
        return ""
    again = shlex.join(["checker", *(arg for arg in sys.argv[1:] if arg != "--restart")])
    return f". Resume with: {again}"


def _told(summary: Summary, output: Path | None) -> str:
    counts = [f"{count} {verdict.replace('_', '-')}" for verdict, count in summary.verdicts.most_common()]
    if summary.errors:
        where = f"; originals in {named(rejects_path(output))}" if output else ""
        counts.append(f"{summary.errors} unreadable (see the error records{where})")
    rows = "1 row" if summary.rows == 1 else f"{summary.rows} rows"
    lines = [f"{rows} in {summary.seconds:.1f} s: {', '.join(counts) or 'nothing to score'}"]
    if summary.verdicts:
        languages = (f"{code} {count}" for code, count in summary.languages.most_common())
        lines.append(f"languages: {', '.join(languages)}")
        models = (f"{task} {', '.join(sorted(names))}" for task, names in sorted(summary.models.items()))
        lines.append(f"models: {'; '.join(models)}")
    return "\n".join(lines)
