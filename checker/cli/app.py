"""The command line. Nothing heavy is imported before a command needs it."""

from __future__ import annotations

import logging
import sys
from typing import Annotated

import typer

from checker.cli import models
from checker.cli.calibrate import calibrate
from checker.cli.evaluate import evaluate
from checker.cli.quality import quality
from checker.cli.report import report
from checker.cli.score import score
from checker.cli.serve import serve
from checker.errors import CheckerError
from checker.version import __version__

app = typer.Typer(
    help="Is this official post machine-translated? A calibrated answer with the evidence for it.",
    no_args_is_help=True, add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False,
)  # fmt: skip
app.command()(score)
app.command()(evaluate)
app.command()(calibrate)
app.command()(quality)
app.command()(report)
app.command()(serve)
app.add_typer(models.app, name="models")


def main() -> None:
    """Entry point: errors of the package are one line on standard error and exit status 2."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(encoding="utf-8", errors="backslashreplace")  # type: ignore[union-attr]
    log = logging.getLogger("checker")
    log.addHandler(logging.StreamHandler())
    log.setLevel(logging.INFO)
    try:
        app()
    except CheckerError as error:
        from checker.text import printable

        print("checker:", printable(" ".join(str(error).split())), file=sys.stderr)
        sys.exit(2)


def _print_version(wanted: bool) -> None:
    if wanted:
        print("statement-checker", __version__)
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and stop."),
    ] = False,
) -> None:
    """Is this official post machine-translated? A calibrated answer with the evidence for it."""
