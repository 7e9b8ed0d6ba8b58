"""The command line: a command is imported when it is run."""

from __future__ import annotations

import logging
import sys
from importlib import import_module
from typing import Annotated, Any, NoReturn

import typer
from typer.core import TyperGroup
from typer.main import get_command

from checker.errors import CheckerError
from checker.version import __version__

COMMANDS = {
    "score": "Score the posts of a file, or one text.",
    "accounts": "Judge accounts by all of their posts: one record per account. See docs/accounts.md.",
    "evaluate": "Measure the verdict on your own labelled posts.",
    "calibrate": "Fit the verdict on your own labelled posts.",
    "quality": "Estimate the quality of a translation.",
    "report": "Turn a file of scores into a single HTML page.",
    "serve": "Serve the web page and the JSON interface over HTTP.",
    "models": "Fetch, list, verify and remove models.",
}
"""Every command, with what ``checker --help`` says of it: a function, or an app, in a module of its name."""

_UsageError: type[Exception] = typer.BadParameter.__mro__[1]  # which Typer does not export


class Commands(TyperGroup):
    """A group whose commands are imported when they are needed."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.commands = dict.fromkeys(COMMANDS)  # type: ignore[assignment]  # names, for "Did you mean …?"

    def list_commands(self, ctx: typer.Context) -> list[str]:  # type: ignore[override]
        """The names, in the order of the help."""
        return list(COMMANDS)

    def get_command(self, ctx: typer.Context, cmd_name: str) -> Any:  # type: ignore[override]
        """The command of a name; None if there is none."""
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"checker.cli.{cmd_name}")
        if (found := getattr(module, "app", None)) is None:
            found = typer.Typer(add_completion=False, rich_markup_mode=None)
            found.command(cmd_name)(getattr(module, cmd_name))
        return get_command(found)

    def format_commands(self, ctx: typer.Context, formatter: Any) -> None:  # type: ignore[override]
        """The commands in the help, without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def invoke(self, ctx: typer.Context) -> Any:  # type: ignore[override]
        """Run the command; Ctrl+C ends it with one line and exit status 130."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            print("checker: interrupted", file=sys.stderr)
            raise typer.Exit(130) from None


app = typer.Typer(
    cls=Commands, no_args_is_help=True, add_completion=False, rich_markup_mode=None,
    pretty_exceptions_enable=False,
)  # fmt: skip


def main() -> None:
    """Entry point: a mistake of the user is one line on standard error and exit status 2."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(encoding="utf-8", errors="backslashreplace")  # type: ignore[union-attr]
    log = logging.getLogger("checker")
    log.addHandler(logging.StreamHandler())
    log.setLevel(logging.INFO)
    try:
        status = app(standalone_mode=False)
    except CheckerError as error:
        _end(str(error))
    except _UsageError as error:
        ctx, problem = getattr(error, "ctx", None), error.format_message()  # type: ignore[attr-defined]
        problem = problem.replace("Value error, ", "")  # the class of it, which some versions of Typer name
        if ctx is None or problem == ctx.get_help():
            print(problem, file=sys.stderr)  # the help, where a command was left out
            sys.exit(2)
        _end(f"{problem} See {ctx.command_path} --help.")
    sys.exit(status if isinstance(status, int) else 0)


def _end(problem: str) -> NoReturn:
    from checker.text import printable

    print("checker:", printable(" ".join(problem.split())), file=sys.stderr)
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
