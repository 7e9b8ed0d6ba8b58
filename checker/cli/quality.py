"""``checker quality``: how good a translation one text is of another, for one pair or the pairs of a file."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from checker.cli import options
from checker.errors import InputError

if TYPE_CHECKING:
    from checker.bitext.estimator import Estimator
    from checker.bitext.result import Quality
    from checker.result import RowError

File = Annotated[Path | None, typer.Option(help="A text file, UTF-8.")]
Text = Annotated[str | None, typer.Option(help="The text itself instead of a file.")]
Code = Annotated[str | None, typer.Option(help="ISO 639-1 code, instead of identifying it.")]


def quality(
    pairs: Annotated[
        str | None,
        typer.Argument(
            metavar="PAIRS",
            help=".jsonl .csv .tsv .parquet with source and target, and if you have them id, reference, "
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
    profile: options.Profile = "embedded",
    engine: options.Engine = "ctranslate2",
    device: options.Device = "auto",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Say how good a translation --target is of --source; docs/quality.md says what each figure is.

    The exit status is 0 whatever is found, and 2 for a mistake in the command or its files. A row of PAIRS
    that cannot be read gives an error record in its place.
    """
    from checker.bitext.estimator import Estimator
    from checker.io.write import check_output

    single = any(
        given is not None for given in (source, target, reference, source_text, target_text, reference_text)
    )
    if (pairs is not None) == single:
        fix = "See checker quality --help."
        raise InputError("There must be either PAIRS or --source and --target.", fix=fix)
    if output is not None:
        if output.suffix.lower() not in (".json", ".jsonl"):
            raise InputError(f"The format of {output} is unknown.", fix="Use .json or .jsonl.")
        check_output(output.with_suffix(".jsonl"), pairs or source or "")
    estimator = Estimator(profile=profile, engine=engine, device=device)  # type: ignore[arg-type]
    if pairs is not None:
        _write(_of_file(estimator, pairs, source_language, target_language), output)
        return
    ours, theirs = _text("source", source, source_text), _text("target", target, target_text)
    if ours is None or theirs is None:
        missing = "source" if ours is None else "target"
        raise InputError(f"There is no {missing}.", fix=f"Use --{missing} FILE or --{missing}-text TEXT.")
    found = estimator.estimate(
        ours,
        theirs,
        _text("reference", reference, reference_text),
        source_language=source_language,
        target_language=target_language,
    )
    if output is not None or as_json:
        _write(iter([found]), output)
    else:
        from rich.console import Console

        from checker.cli.quality_table import show

        Console().print(show(found))


def _text(role: str, path: Path | None, text: str | None) -> str | None:
    """The text of one role, from its file or as it was typed."""
    if path is not None and text is not None:
        raise InputError(f"There are two of the {role}.", fix=f"Leave out --{role} or --{role}-text.")
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


def _of_file(
    estimator: Estimator, path: str, source_language: str | None, target_language: str | None
) -> Iterator[Quality | RowError]:
    """One outcome a row, in order; languages on the command line are for rows without their own."""
    from checker.io.read import Record, problem_of, read_records
    from checker.result import RowError

    columns = {"source": "a column of this name", "target": "a column of this name"}
    for row in read_records(path, columns, ("reference", "source_language", "target_language")):
        if not isinstance(row, Record):
            yield row
            continue
        fields = {name: value for name, value in row.fields.items() if value not in (None, "")}
        texts = {name: fields.get(name) for name in ("source", "target", "reference")}
        try:
            for name, value in texts.items():
                if value is None and name == "reference":
                    continue
                if problem := problem_of(value):
                    raise InputError(
                        f"The {name} {problem}.", fix="Give it as a string, in UTF-8.", field=name
                    )
            yield estimator.estimate(
                str(texts["source"]),
                str(texts["target"]),
                texts["reference"],
                source_language=fields.get("source_language", source_language),
                target_language=fields.get("target_language", target_language),
                id=row.id,
            )
        except InputError as error:
            yield RowError(id=row.id, row=row.row, field=error.field, error=error.problem, fix=error.fix)


def _write(outcomes: Iterator[Quality | RowError], output: Path | None) -> None:
    if output is None:
        for outcome in outcomes:
            print(outcome.to_json(), flush=True)
        return
    from checker.errors import OutputError

    try:
        with output.open("w", encoding="utf-8", newline="\n") as file:
            file.writelines(outcome.to_json() + "\n" for outcome in outcomes)
    except OSError as error:
        fix = "Free space or write elsewhere."
        raise OutputError(f"{output} cannot be written: {error.strerror or error}. {fix}") from error
    print(f"checker: written to {output}", file=sys.stderr)
