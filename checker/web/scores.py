"""Scores that came over HTTP, as the service gave them: judged by account, or made a report.

A file of them has one result per line, with account and date beside it where they are known: the lines of
``/v1/score/file``, and those of ``checker score --keep account --keep date``.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO, TypeVar

from checker.account.combine import WindowSize
from checker.account.file import AccountModel
from checker.account.record import Account
from checker.errors import InputError
from checker.io import outcomes
from checker.io.outcomes import Columns
from checker.models import Store
from checker.pages.files import report_file
from checker.runs.accounts import AccountsSummary, Choice, judged

T = TypeVar("T")


def judge(file: BinaryIO, window: WindowSize, most: int, model: AccountModel) -> list[Account]:
    """Judge the accounts of scored posts, by name.

    Args:
        file: of scores.
        window: length of the windows over time.
        most: rows that it may have.
        model: how posts of an account depend on each other.

    Raises:
        InputError: it is no file of scores, has too many rows, or no row has an account.
    """

    def work(scores: Path) -> list[Account]:
        rows = outcomes.read(scores, Columns())
        return list(judged(rows, Choice(window=window), AccountsSummary(), scores.parent, model))

    return _read(file, most, work)


def report(file: BinaryIO, date: str | None, most: int, calibration: Path | None, store: Store) -> str:
    """Make the page of ``checker report``.

    Args:
        file: of scores.
        date: to print on the page, as it is.
        most: rows that the file may have.
        calibration: that posts are scored with, if it is not the built-in one.
        store: with the models that they are scored with.

    Raises:
        InputError: it is no file of scores, has too many rows, or other posts than those of ``calibration``.
    """

    def work(scores: Path) -> str:
        page = scores.with_name("report.html")
        report_file(scores, page, date=date, calibration=calibration, command="POST /v1/report", store=store)
        return page.read_text("utf-8")

    return _read(file, most, work)


def _read(file: BinaryIO, most: int, work: Callable[[Path], T]) -> T:
    """What ``work`` makes of a file, which lies in a temporary folder of its own meanwhile."""
    fix = "Send the lines that /v1/score/file gave, with account_column for judgements on accounts."
    with TemporaryDirectory(prefix="statement-checker-") as folder:
        path = Path(folder, "scores.jsonl")
        with path.open("wb") as copy:
            shutil.copyfileobj(file, copy)
        with path.open("rb") as lines:
            if _more(lines, most):
                parts = "Send fewer; checker report and checker accounts take any number."
                raise InputError(f"The file has more than {most} rows.", fix=parts, field="file")
        try:
            return work(path)
        except InputError as error:
            problem = error.problem.replace(str(path), "the file")
            problem = problem[0].upper() + problem[1:]
            raise InputError(problem, fix=fix, row=error.row, field="file") from None


def _more(lines: Iterable[bytes], most: int) -> bool:
    return next(islice(lines, most, None), None) is not None
