"""``checker quality``: how good a translation one text is of another, for one pair or the pairs of a file."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from checker.bitext.estimator import QualityEstimator
from checker.bitext.files import check_quality_output, estimate_file, quality_file
from checker.cli import options
from checker.cli.quality_table import show
from checker.errors import InputError
from checker.files import write_text
from checker.settings import Settings

File = Annotated[Path | None, typer.Option(help="A text file, UTF-8.")]
Text = Annotated[str | None, typer.Option(help="The text itself instead of a file.")]
Code = Annotated[options.Code | None, typer.Option(help="ISO 639-1 code, instead of identifying it.")]


@options.with_settings(
    without=(
        "pivot",
        "language",
        "calibration",
        "no_round_trip",
        "no_fluency",
        "fast",
        "likelihood",
        "no_cache",
    )
)
def quality(
    settings: Settings,
    pairs: Annotated[
        str | None,
        typer.Argument(
            metavar="PAIRS",
            help=".jsonl .csv .tsv .parquet with source and target, and if known id, reference, "
            "source_language and target_language; or - for a pipe.",
        ),
    ] = None,
    source: File = None,
    target: File = None,
    reference: Annotated[Path | None, typer.Option(help="A translation known to be good, UTF-8.")] = None,
    source_text: Text = None,
    target_text: Text = None,
    reference_text: Text = None,
    source_language: Code = None,
    target_language: Code = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write the JSON to this .json or .jsonl.")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print JSON even if standard output is a terminal.")
    ] = False,
) -> None:
    """Estimate the quality of a translation.

    Give PAIRS, or --source and --target. The exit status is 0 whatever is found, and 2 for a mistake in the
    command or its files. A row of PAIRS that cannot be read is replaced by an error record. See
    docs/quality.md for what each figure means.
    """
    texts = (source, target, reference, source_text, target_text, reference_text)
    if (pairs is not None) == any(given is not None for given in texts):
        raise InputError("Give either PAIRS or --source and --target.", fix="See checker quality --help.")
    estimator = QualityEstimator(settings)
    languages: dict[str, Any] = {"source_language": source_language, "target_language": target_language}
    if pairs is not None:
        if output is not None:
            counts = quality_file(pairs, output, estimator=estimator, **languages)
            told = f"{counts.pairs} pairs, {counts.flagged} flagged, {counts.errors} unreadable"
            print(f"checker: written to {output}: {told}", file=sys.stderr)
            return
        for outcome in estimate_file(pairs, estimator=estimator, **languages):
            print(outcome.to_json(), flush=True)
        return
    for path in (source, target, reference):
        if output is not None:
            check_quality_output(output, path or "-")
    ours, theirs = _text("source", source, source_text), _text("target", target, target_text)
    if ours is None or theirs is None:
        missing = "source" if ours is None else "target"
        raise InputError(f"There is no {missing}.", fix=f"Use --{missing} FILE or --{missing}-text TEXT.")
    found = estimator.estimate(ours, theirs, _text("reference", reference, reference_text), **languages)
    if output is not None:
        write_text(found.to_json(), output)
        print(f"checker: written to {output}", file=sys.stderr)
    elif as_json:
        print(found.to_json())
    else:
        Console().print(show(found))


def _text(role: str, path: Path | None, text: str | None) -> str | None:
    """The text of one role, from its file or as it was typed."""
    if path is not None and text is not None:
        raise InputError(f"--{role} and --{role}-text exclude each other.", fix="Leave out one of them.")
    try:
        if path is not None:
            return path.read_bytes().decode("utf-8-sig")
        if text is not None:
            text.encode()
    except OSError as error:
        problem = f"{path} cannot be read: {error.strerror}."
        raise InputError(problem, fix="Check the path and the file.") from error
    except UnicodeError as error:
        where = path or f"--{role}-text"
        raise InputError(f"{where} is not valid UTF-8.", fix="Convert it to UTF-8.") from error
    return text
