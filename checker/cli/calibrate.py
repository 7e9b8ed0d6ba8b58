"""``checker calibrate``: fit the verdict on labelled posts of one's own."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from checker.cli import options

if TYPE_CHECKING:
    from rich.table import Table

    from checker.verdict.file import Calibration


def calibrate(
    labelled: Annotated[
        Path, typer.Argument(metavar="LABELLED", help=".jsonl .csv .tsv .parquet with text and label.")
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="Write the calibration here, as .json.")],
    profile: options.Profile = "embedded",
    engine: options.Engine = "ctranslate2",
    device: options.Device = "auto",
    pivot: options.Pivot = "en",
    text_column: options.TextColumn = "text",
    label_column: options.LabelColumn = "label",
    no_round_trip: options.NoRoundTrip = False,
) -> None:
    """Fit the verdict on labelled posts of your own; docs/calibrate.md says how many and which.

    Columns: text, label (human or machine), and if known lang, system (of machine posts), origin (original or
    translated, of human posts) and testset (where a post is from).
    """
    from rich.console import Console

    from checker.calibration.calibrate import calibrate, select
    from checker.cli.terminal import bad_rows
    from checker.evaluation.labelled import read_labelled
    from checker.io.write import check_output
    from checker.models.lock import sha256
    from checker.pipeline import Checker
    from checker.runs.progress import progress
    from checker.verdict.file import Source

    check_output(output, labelled, (".json",))
    posts, bad = read_labelled(labelled, text_column=text_column, label_column=label_column)
    selected, told = select(posts)
    for line in [*bad_rows(bad), *told]:
        print(line, file=sys.stderr)
    checker = Checker(
        profile,  # type: ignore[arg-type]
        engine=engine,  # type: ignore[arg-type]
        device=device,  # type: ignore[arg-type]
        pivot=pivot,
        round_trip=not no_round_trip,
        exact=True,
    )
    source = Source(file=labelled.name, sha256=sha256(labelled))
    with progress(0, sum(map(len, selected.values()))) as advance:
        calibration = calibrate(checker, selected, source, advance)
    calibration.write(output)
    Console(width=None if sys.stdout.isatty() else 120).print(summary(calibration))
    print(f"Use it with: checker score INPUT --calibration {output}", file=sys.stderr)


def summary(calibration: Calibration) -> Table:
    """Out-of-fold figures of the richest variant of every language."""
    from rich.table import Table

    from checker.calibration.calibrate import length
    from checker.verdict.model import VARIANTS

    table = Table(
        "language", "evidence", "posts", "AUC", "ECE", "flagged", "lengths with a verdict", box=None
    )
    for language, fitted in calibration.languages.items():
        variant = next(name for name in reversed(VARIANTS) if name in fitted.correction)
        found = fitted.reliability[variant]
        cuts = fitted.thresholds[variant]
        table.add_row(
            language,
            variant,
            ", ".join(f"{count} {kind}" for kind, count in fitted.posts.items()),
            f"{found.auc:.3f}",
            f"{found.ece:.3f}",
            ", ".join(f"{share:.1%} {kind}" for kind, share in found.flagged.items()).replace("%", " %"),
            ", ".join(length(number) for number, cut in enumerate(cuts) if cut) or "none",
        )
    return table
