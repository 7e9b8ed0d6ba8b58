"""Calibrate on a file of labelled posts: read, select, score, fit, write."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import count
from pathlib import Path

from checker.calibration.calibrate import calibrate, select
from checker.errors import InputError
from checker.evaluation.labelled import DEFAULT_LABEL, read_labelled
from checker.io.read import DEFAULT_TEXT
from checker.io.write import check_output
from checker.models.lock import sha256
from checker.pipeline import Checker
from checker.result import RowError
from checker.verdict.file import Calibration, Source


def calibrate_file(
    labelled: str | Path,
    output: str | Path | None = None,
    *,
    checker: Checker | None = None,
    text_column: str = DEFAULT_TEXT,
    label_column: str = DEFAULT_LABEL,
    on_bad_rows: Callable[[Sequence[RowError]], object] = lambda rows: None,
    on_left_out: Callable[[Sequence[str]], object] = lambda sentences: None,
    on_progress: Callable[[int, int], object] = lambda done, total: None,
) -> Calibration:
    """Fit the verdict on a file of labelled posts; what ``checker calibrate`` calls.

    Args:
        labelled: a ``.jsonl``, ``.csv``, ``.tsv`` or ``.parquet`` file with a text and a label per row.
        output: a ``.json`` for the calibration, which ``Checker(calibration=…)`` takes.
        checker: whose models the calibration is for; by default the embedded ones. It has no calibration of
            its own. The fit is on exact numbers, so that it holds on every processor.
        text_column, label_column: where these are in the file.
        on_bad_rows: called with the rows that cannot be read, before anything is scored.
        on_left_out: called with why other posts and languages are left out, one sentence each, likewise.
        on_progress: called after every post with the number of posts that are scored, and of all.

    Raises:
        InputError: the file cannot be read, no language has enough posts, or ``checker`` has a calibration.
        OutputError: ``output`` cannot be written; found out before anything is scored where possible.
        CheckerError: a model cannot be loaded.
    """
    labelled = Path(labelled)
    if output is not None:
        check_output(output := Path(output), labelled, [".json"])
    posts, bad = read_labelled(labelled, text_column=text_column, label_column=label_column)
    on_bad_rows(bad)
    selected, reasons = select(posts)
    on_left_out(reasons)
    checker = checker or Checker()
    if checker.settings.calibration is not None:
        raise InputError("The checker has a calibration.", fix="Calibrate with one that has none.")
    if not checker.settings.exact:
        checker = Checker(replace(checker.settings, exact=True), store=checker.store)
    total, done = sum(map(len, selected.values())), count()
    on_progress(next(done), total)
    source = Source(file=labelled.name, sha256=sha256(labelled))
    calibration = calibrate(checker, selected, source, lambda: on_progress(next(done), total))
    if output is not None:
        calibration.write(output)
    return calibration
