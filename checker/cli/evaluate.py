"""``checker evaluate``: measure the verdict on labelled posts, or compare two files of scores."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from checker.cli import options
from checker.errors import InputError

if TYPE_CHECKING:
    from checker.evaluation.labelled import LabelledPost
    from checker.evaluation.result import Signature
    from checker.evaluation.scores import Score
    from checker.result import RowError


def evaluate(
    labelled: Annotated[
        Path,
        typer.Argument(
            metavar="LABELLED", help=".jsonl .csv .tsv .parquet with text and label, or with scores."
        ),
    ],
    group_by: Annotated[
        str,
        typer.Option(help="Comma-separated: lang, system, testset, length or other columns; a table each."),
    ] = "",
    against: Annotated[
        Path | None, typer.Option(help="Another file of scores of the same posts: test the difference.")
    ] = None,
    json_to: Annotated[Path | None, typer.Option("--json", help="Write all figures to this .json.")] = None,
    html_to: Annotated[
        Path | None, typer.Option("--html", help="Write a page with plots to this .html.")
    ] = None,
    save: Annotated[
        Path | None, typer.Option(help="Keep the scores, without the texts, in this .jsonl.")
    ] = None,
    bootstrap: Annotated[int, typer.Option(min=100, max=100_000, help="Number of resamples.")] = 1000,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the resamples.")] = 0,
    profile: options.Profile = "embedded",
    engine: options.Engine = "ctranslate2",
    device: options.Device = "auto",
    pivot: options.Pivot = "en",
    language: options.Language = None,
    calibration: options.Calibration = None,
    text_column: options.TextColumn = "text",
    label_column: options.LabelColumn = "label",
    id_column: options.IdColumn = "id",
    no_round_trip: options.NoRoundTrip = False,
) -> None:
    """Measure the verdict on labelled posts of your own; docs/evaluate.md says what each figure is.

    Columns: text, label (human or machine), and if known lang, system (of machine posts), origin (original or
    translated, of human posts) and testset. Rows that carry verdict and machine_translated are not scored
    again.
    """
    from checker.evaluation.scores import has_scores

    _check_outputs(labelled, {json_to: ".json", html_to: ".html", save: ".jsonl"})
    keys = ["lang" if key == "language" else key for key in map(str.strip, group_by.split(",")) if key]
    columns = {"text_column": text_column, "label_column": label_column, "id_column": id_column}
    resampling = {"resamples": bootstrap, "seed": seed}
    if against is not None:
        if keys or html_to or save:
            raise InputError("--against compares all posts.", fix="Leave out --group-by, --html and --save.")
        _compare(labelled, against, columns, resampling, json_to)
        return
    settings: dict[str, Any] = {}
    if not has_scores(labelled, id_column=id_column):
        settings = {
            "profile": profile, "engine": engine, "device": device, "pivot": pivot, "language": language,
            "round_trip": not no_round_trip, "calibration": calibration,
        }  # fmt: skip
    try:
        _evaluate(labelled, columns, settings, keys, resampling, json_to, html_to, save)
    except KeyboardInterrupt:
        print("checker: interrupted", file=sys.stderr)
        raise typer.Exit(130) from None


def _evaluate(
    labelled: Path,
    columns: dict[str, str],
    settings: dict[str, Any],
    keys: Sequence[str],
    resampling: dict[str, int],
    json_to: Path | None,
    html_to: Path | None,
    save: Path | None,
) -> None:
    from checker.evaluation.evaluate import evaluate
    from checker.evaluation.grouping import KEYS
    from checker.evaluation.labelled import read_labelled
    from checker.evaluation.scores import read_scored, saved
    from checker.evaluation.table import table
    from checker.files import write_text
    from checker.io.write import write

    extra = [key for key in keys if key not in KEYS]
    if settings:
        posts, bad = read_labelled(labelled, **columns, extra=extra)
        scores = _scored(posts, settings)
    else:
        print("LABELLED has scores: they are used as they are.", file=sys.stderr)
        pairs, bad = read_scored(labelled, **columns, extra=extra)
        posts, scores = [post for post, _ in pairs], [score for _, score in pairs]
    _tell(bad)
    source = _source({"": labelled}, settings) | {"left_out": len(bad)}
    evaluation = evaluate(posts, scores, keys, **resampling, source=source)
    _print([table(evaluation, key) for key in (keys or (None,))], evaluation.signature)
    if save is not None:
        write(map(saved, posts, scores), save)
    if json_to is not None:
        write_text(evaluation.model_dump_json(indent=2), json_to)
    if html_to is not None:
        from checker.pages.evaluation import page

        write_text(page(evaluation), html_to)


def _compare(
    first: Path, second: Path, columns: dict[str, str], resampling: dict[str, int], json_to: Path | None
) -> None:
    from checker.evaluation.evaluate import compare
    from checker.evaluation.scores import has_scores, joined, read_scored, read_scores
    from checker.evaluation.table import comparison_table
    from checker.files import write_text

    for path in (first, second):
        if not has_scores(path, id_column=columns["id_column"]):
            raise InputError(
                f"{path} has no scores.", fix="Make them with checker evaluate LABELLED --save SCORES.jsonl."
            )
    pairs, bad = read_scored(first, **columns)
    others, others_bad = read_scores(second, id_column=columns["id_column"])
    _tell(bad)
    _tell(others_bad)
    scores = [score for _, score in pairs]
    comparison = compare(
        [post for post, _ in pairs], scores, joined(scores, others), **resampling,
        source=_source({"a_": first, "b_": second}, {}),
    )  # fmt: skip
    _print([comparison_table(comparison)], comparison.signature)
    if json_to is not None:
        write_text(comparison.model_dump_json(indent=2), json_to)


def _scored(posts: Sequence[LabelledPost], settings: dict[str, Any]) -> list[Score]:
    """Score the posts, with a bar on a terminal."""
    from checker.evaluation.scores import Score
    from checker.pipeline import Checker
    from checker.runs.progress import progress

    scores = []
    checker = Checker(**settings)
    with progress(0, len(posts)) as advance:
        for result in checker.score_many((post.text for post in posts), (post.id for post in posts)):
            scores.append(Score.of(result))
            advance()
    return scores


def _check_outputs(labelled: Path, outputs: dict[Path | None, str]) -> None:
    from checker.io.write import check_output

    for path, extension in outputs.items():
        if path is not None:
            check_output(path, labelled, [extension])


def _source(files: dict[str, Path], settings: dict[str, Any]) -> dict[str, str | int | bool | None]:
    """What the signature names: files by name and content, and the options that change a score."""
    from checker.models.lock import sha256

    found: dict[str, str | int | bool | None] = {}
    for prefix, path in files.items():
        found |= {f"{prefix}file": path.name, f"{prefix}sha256": sha256(path)}
    found |= {name: value for name, value in settings.items() if name not in ("device", "calibration")}
    if calibration := settings.get("calibration"):
        found["calibration_sha256"] = sha256(calibration)
    return found


def _tell(bad: Sequence[RowError]) -> None:
    from checker.cli.terminal import bad_rows

    for line in bad_rows(bad):
        print(line, file=sys.stderr)


def _print(tables: Iterable[Any], signature: Signature) -> None:
    from rich.console import Console

    from checker.text import printable

    console = Console(width=None if sys.stdout.isatty() else 120)
    for table in tables:
        console.print(table)
        console.print()
    console.print(printable(signature.line), markup=False, highlight=False, soft_wrap=True)
