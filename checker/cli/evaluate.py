"""``checker evaluate``: measure the verdict on labelled posts, or compare two files of scores."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from checker.cli import options
from checker.cli.terminal import bad_rows
from checker.errors import InputError
from checker.evaluation.files import compare_files, evaluate_accounts_file, evaluate_file
from checker.evaluation.result import Signature
from checker.evaluation.table import account_table, comparison_table, table
from checker.files import write_text
from checker.io.write import check_output
from checker.pages.files import evaluation_page
from checker.pipeline import Checker
from checker.progress import shown
from checker.result import RowError
from checker.settings import Settings
from checker.text import printable


@options.with_settings()
def evaluate(
    labelled: Annotated[
        Path,
        typer.Argument(
            metavar="LABELLED", help=".jsonl .csv .tsv .parquet with text and label, or with scores."
        ),
    ],
    settings: Settings,
    group_by: Annotated[
        str,
        typer.Option(
            help="Comma-separated: lang, system, testset, length or other columns; one table for each."
        ),
    ] = "",
    by: Annotated[
        str | None, typer.Option(help="Column with the account: measure the judgement on accounts instead.")
    ] = None,
    against: Annotated[
        Path | None, typer.Option(help="Another file of scores of the same posts: test the difference.")
    ] = None,
    json_to: Annotated[Path | None, typer.Option("--json", help="Write all figures to this .json.")] = None,
    html_to: Annotated[
        Path | None, typer.Option("--html", help="Write a page with plots to this .html.")
    ] = None,
    save: Annotated[
        Path | None, typer.Option(help="Write the scores, without the texts, to this .jsonl.")
    ] = None,
    bootstrap: Annotated[int, typer.Option(min=100, max=100_000, help="Number of resamples.")] = 1000,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the resamples.")] = 0,
    text_column: options.TextColumn = "text",
    label_column: options.LabelColumn = "label",
    id_column: options.IdColumn = "id",
) -> None:
    """Measure the verdict on your own labelled posts.

    Columns: text, label (human or machine), and if known lang, system (of machine posts), origin (original or
    translated, of human posts) and testset. Rows that carry verdict and machine_translated are not scored
    again. See docs/evaluate.md for what each figure means.
    """
    for path, extension in (json_to, ".json"), (html_to, ".html"):
        if path is not None:
            check_output(path, labelled, [extension])
    if by is not None:
        if group_by or against or html_to or save:
            fix = "Leave out --group-by, --against, --html and --save."
            raise InputError("--by measures accounts, with a table of its own.", fix=fix)
        with shown() as on_progress:
            accounts = evaluate_accounts_file(
                labelled, by=by, checker=Checker(settings), resamples=bootstrap, seed=seed,
                text_column=text_column, label_column=label_column, id_column=id_column, on_bad_rows=_tell,
                on_progress=on_progress,
            )  # fmt: skip
        _print([account_table(accounts)], None)
        if json_to is not None:
            write_text(accounts.model_dump_json(indent=2), json_to)
        return
    keys = [key for key in map(str.strip, group_by.split(",")) if key]
    if against is not None:
        if keys or html_to or save:
            raise InputError("--against compares all posts.", fix="Leave out --group-by, --html and --save.")
        comparison = compare_files(
            labelled, against, resamples=bootstrap, seed=seed, text_column=text_column,
            label_column=label_column, id_column=id_column, on_bad_rows=_tell,
        )  # fmt: skip
        _print([comparison_table(comparison)], comparison.signature)
        if json_to is not None:
            write_text(comparison.model_dump_json(indent=2), json_to)
        return
    with shown() as on_progress:
        evaluation = evaluate_file(
            labelled, checker=Checker(settings), group_by=keys, save=save, resamples=bootstrap, seed=seed,
            text_column=text_column, label_column=label_column, id_column=id_column, on_bad_rows=_tell,
            on_progress=on_progress,
        )  # fmt: skip
    _print([table(evaluation, key) for key in (*evaluation.groups,) or (None,)], evaluation.signature)
    if json_to is not None:
        write_text(evaluation.model_dump_json(indent=2), json_to)
    if html_to is not None:
        evaluation_page(evaluation, html_to)


def _tell(bad: Sequence[RowError]) -> None:
    for line in bad_rows(bad):
        print(line, file=sys.stderr)


def _print(tables: Sequence[Table], signature: Signature | None) -> None:
    console = Console(width=None if sys.stdout.isatty() else 120)
    for one in tables:
        console.print(one)
        console.print()
    if signature is not None:
        console.print(printable(signature.line), markup=False, highlight=False, soft_wrap=True)
