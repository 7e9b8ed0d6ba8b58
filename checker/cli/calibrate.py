"""``checker calibrate``: fit the verdict on your own labelled posts."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from checker.calibration.calibrate import length
from checker.calibration.files import calibrate_file
from checker.cli import options
from checker.cli.terminal import bad_rows
from checker.pipeline import Checker
from checker.progress import shown
from checker.result import RowError
from checker.settings import Settings
from checker.verdict.file import Calibration
from checker.verdict.model import VARIANTS, question


@options.with_settings(without=("language", "calibration", "likelihood"))
def calibrate(
    labelled: Annotated[
        Path, typer.Argument(metavar="LABELLED", help=".jsonl .csv .tsv .parquet with text and label.")
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="Write the calibration to this .json.")],
    settings: Settings,
    text_column: options.TextColumn = "text",
    label_column: options.LabelColumn = "label",
) -> None:
    """Fit the verdict on your own labelled posts.

    Columns: text, label (human or machine), and if known lang, system (of machine posts), origin (original or
    translated, of human posts) and testset (where a post is from). See docs/calibrate.md for how many posts
    are needed, and which.
    """

    def tell_bad(rows: Sequence[RowError]) -> None:
        tell(list(bad_rows(rows)))

    def tell(lines: Sequence[str]) -> None:
        for line in lines:
            print(line, file=sys.stderr)

    with shown() as on_progress:
        calibration = calibrate_file(
            labelled, output, checker=Checker(settings), text_column=text_column, label_column=label_column,
            on_bad_rows=tell_bad, on_left_out=tell, on_progress=on_progress,
        )  # fmt: skip
    Console(width=None if sys.stdout.isatty() else 120).print(summary(calibration))
    print(f"Use it with: checker score INPUT --calibration {output}", file=sys.stderr)


def summary(calibration: Calibration) -> Table:
    """Out-of-fold figures of the richest variant of every language."""
    table = Table(
        "language", "evidence", "posts", "AUC", "ECE", "flagged", "lengths with a verdict", box=None
    )
    for language, fitted in calibration.languages.items():
        variant = next(
            name
            for name in reversed(VARIANTS)
            if name in fitted.correction and question(name) == "machine_translated"
        )
        found = fitted.reliability[variant]
        thresholds = fitted.thresholds[variant]
        table.add_row(
            language,
            variant,
            ", ".join(f"{count} {kind}" for kind, count in fitted.posts.items()),
            f"{found.auc:.3f}",
            f"{found.ece:.3f}",
            ", ".join(f"{share:.1%} {kind}" for kind, share in found.flagged.items()),
            ", ".join(length(number) for number, threshold in enumerate(thresholds) if threshold) or "none",
        )
    return table
