"""``checker score``: the posts of a file, or one text."""

from __future__ import annotations

import shlex
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from checker.cli import options
from checker.errors import InputError

if TYPE_CHECKING:
    from checker.runs.local import Outcome, Summary

PREVIEW = 20
"""Rows shown on the terminal when the results go to a file."""


def score(
    source: Annotated[
        str | None,
        typer.Argument(
            metavar="INPUT", help=".jsonl .csv .tsv .parquet .txt (a post a line), or - for a pipe."
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help="Write .jsonl .csv .tsv .parquet .sqlite .db or .duckdb; run again to resume after a kill.",
        ),
    ] = None,
    text: Annotated[str | None, typer.Option(help="Score this text instead and show the evidence.")] = None,
    profile: options.Profile = "embedded",
    engine: options.Engine = "ctranslate2",
    device: options.Device = "auto",
    pivot: options.Pivot = "en",
    language: options.Language = None,
    calibration: options.Calibration = None,
    text_column: options.TextColumn = "text",
    id_column: options.IdColumn = "id",
    no_round_trip: options.NoRoundTrip = False,
    no_fluency: options.NoFluency = False,
    no_cache: options.NoCache = False,
    threads: options.Threads = None,
    restart: Annotated[
        bool, typer.Option("--restart", help="Forget what an interrupted run has done.")
    ] = False,
    runner: Annotated[
        str, typer.Option(help="Where to score: local, or ray for directories of .jsonl and .parquet files.")
    ] = "local",
    address: Annotated[str | None, typer.Option(help="Ray cluster; by default one on this machine.")] = None,
    workers: Annotated[
        int | None, typer.Option(help="Ray actors; by default one for each --threads CPUs (1), or GPU.")
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Exit with 3 if any row was bad.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON on a terminal, too.")] = False,
) -> None:
    """Score the posts of a file, or one text.

    The exit status is 0 when the input was read to its end, 2 for a mistake in the command or its files, and
    3 under --strict when a row was bad.
    """
    if (source is None) == (text is None):
        raise InputError("There must be either INPUT or --text.", fix="See checker score --help.")
    if output == Path("-"):
        output = None
    if output is not None and (text is not None or as_json):
        raise InputError("--output is for the results of INPUT.", fix="Leave out --text and --json.")
    settings = {
        "profile": profile, "engine": engine, "device": device, "pivot": pivot, "language": language,
        "round_trip": not no_round_trip, "fluency": not no_fluency, "calibration": calibration,
    }  # fmt: skip
    kept = None if no_cache or text is not None else _cache_folder()
    here = {"cache": kept, "threads": threads}  # results do not depend on it
    columns = {"text_column": text_column, "id_column": id_column}
    if output is not None:
        signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends as cleanly as Ctrl+C
    try:
        if text is not None:
            _score_text(text, settings | here, as_json)
            return
        assert source is not None
        if runner != "local" or address is not None or workers is not None:
            ray = {"address": address, "workers": workers, "threads": 1 if threads is None else threads}
            summary = _score_on(runner, source, columns, output, settings, restart, ray)
        elif output is None:
            summary = _score_to_stdout(source, columns, settings | here, as_json)
        else:
            summary = _score_to_file(source, columns, output, settings, here, restart)
    except KeyboardInterrupt:
        print(f"checker: interrupted{_hint(output)}", file=sys.stderr)
        raise typer.Exit(130) from None
    print(_told(summary, output), file=sys.stderr)
    if strict and summary.errors:
        raise typer.Exit(3)


def _score_text(text: str, settings: dict[str, Any], as_json: bool) -> None:
    from rich.console import Console

    from checker.cli.terminal import show
    from checker.pipeline import Checker

    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise InputError("--text is not valid UTF-8.", fix="Set the terminal to UTF-8.") from error
    result = Checker(**settings).score(text)
    console = Console()
    if as_json:
        print(result.to_json())
    else:
        console.print(show(result, marks=console.no_color or console.color_system is None))


def _score_to_file(
    source: str,
    columns: dict[str, str],
    output: Path,
    settings: dict[str, Any],
    here: dict[str, Any],
    restart: bool,
) -> Summary:
    from rich.console import Console

    from checker.cli.terminal import table
    from checker.models import Store
    from checker.pipeline import Checker
    from checker.runs.journal import options_of
    from checker.runs.local import score_file

    first: list[Outcome] = []
    checker = Checker(**settings, **here)
    summary = score_file(
        checker,
        source,
        output,
        text_column=columns["text_column"],
        id_column=columns["id_column"],
        options=options_of(settings, checker.arithmetic),
        models=Store().digests(settings["profile"]),
        restart=restart,
        on_outcome=lambda outcome: first.append(outcome) if len(first) < PREVIEW else None,
    )
    console = Console()
    console.print(table(first))
    if (more := summary.rows - len(first)) > 0:
        console.print(f"… and {more} more in {output}", markup=False, highlight=False)
    return summary


def _score_on(
    runner: str,
    source: str,
    columns: dict[str, str],
    output: Path | None,
    settings: dict[str, Any],
    restart: bool,
    ray: dict[str, Any],
) -> Summary:
    if runner == "local":
        raise InputError("--address and --workers are for Ray.", fix="Add --runner ray.")
    if runner != "ray":
        raise InputError(f"There is no runner {runner!r}.", fix="Use local or ray.")
    if output is None or source == "-":
        raise InputError("--runner ray scores files into a directory.", fix="Name INPUT and --output.")
    from checker.runs.ray.run import score_directory

    return score_directory(
        source, output, settings, text_column=columns["text_column"], id_column=columns["id_column"],
        restart=restart, **ray,
    )  # fmt: skip


def _score_to_stdout(
    source: str, columns: dict[str, str], settings: dict[str, Any], as_json: bool
) -> Summary:
    from rich.console import Console

    from checker.cli.terminal import table
    from checker.io.read import read
    from checker.pipeline import Checker
    from checker.runs.local import Summary, score_rows

    console, summary, began = Console(), Summary(), time.monotonic()
    for outcome in score_rows(Checker(**settings), read(source, **columns)):
        summary.add(outcome)
        if as_json or not sys.stdout.isatty():
            print(outcome.to_json(), flush=True)
        else:
            console.print(table([outcome], header=summary.rows == 1))
    summary.seconds = time.monotonic() - began
    return summary


def _cache_folder() -> Path:
    from checker.evidence.cache import default_folder
    from checker.models import Store

    return default_folder(Store().home)


def _hint(output: Path | None) -> str:
    """How to go on, if there is something to go on from."""
    from checker.runs.local import journal_path

    if output is None or not (journal_path(output).exists() or output.is_dir()):
        return ""
    again = shlex.join(["checker", *(arg for arg in sys.argv[1:] if arg != "--restart")])
    return f". Go on with: {again}"


def _told(summary: Summary, output: Path | None) -> str:
    from checker.runs.rejects import rejects_path

    counts = [f"{count} {verdict.replace('_', '-')}" for verdict, count in summary.verdicts.most_common()]
    if summary.errors:
        where = f", as they were in {rejects_path(output)}" if output else ""
        counts.append(f"{summary.errors} bad (each has an error record that says what to do{where})")
    rows = "1 row" if summary.rows == 1 else f"{summary.rows} rows"
    lines = [f"{rows} in {summary.seconds:.1f} s: {', '.join(counts) or 'nothing to score'}"]
    if summary.verdicts:
        languages = (f"{code} {count}" for code, count in summary.languages.most_common())
        lines.append(f"languages: {', '.join(languages)}")
        models = (f"{task} {', '.join(sorted(names))}" for task, names in sorted(summary.models.items()))
        lines.append(f"models: {'; '.join(models)}")
    return "\n".join(lines)
