"""Judge the accounts of a file: score its posts as `checker score` does, then combine those of each account.

The posts are scored by the local run or on Ray, which leave a file of scores; it is read beside the input,
and every post goes to its account in a temporary file. Neither step needs more memory for more posts.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import time as clock
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Literal

from checker.account.combine import WindowSize, combine
from checker.account.file import AccountModel, shipped
from checker.account.post import AccountPost
from checker.account.record import Account
from checker.errors import InputError
from checker.evaluation.scores import has_scores
from checker.io import outcomes
from checker.io.addresses import in_store
from checker.io.outcomes import Columns, Row
from checker.io.read import DEFAULT_ID, DEFAULT_TEXT
from checker.io.targets import placed
from checker.io.write import check_here, check_output, write_accounts
from checker.pipeline import Checker
from checker.progress import OnProgress
from checker.result import Result, RowError
from checker.runs.grouped import Grouped
from checker.runs.local import journal_path, score_file
from checker.runs.ray.partitions import find
from checker.runs.ray.run import score_directory
from checker.runs.rejects import rejects_path
from checker.settings import Settings

KEPT = 20
"""Rows without a score that are named."""

_TELL = 100  # rows, or accounts, between two reports of progress

Runner = Literal["local", "ray"]


@dataclass
class AccountsSummary:
    """What became of the rows and the accounts.

    Attributes:
        verdicts: number of accounts per verdict.
        posts: rows that went to an account.
        nameless: rows without an account.
        outside: rows of an account that are not from the days that were asked for, or have no day.
        unread: rows without a post or a score.
        first_unread: the first of them.
        seconds: wall time.
    """

    verdicts: Counter[str] = field(default_factory=Counter)
    posts: int = 0
    nameless: int = 0
    outside: int = 0
    unread: int = 0
    first_unread: list[RowError] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def accounts(self) -> int:
        """Number of accounts."""
        return self.verdicts.total()


@dataclass(frozen=True)
class Choice:
    """Which posts are judged, and how they are told apart.

    Attributes:
        by: the column with the account.
        time: the column with the date, ISO 8601; ``date`` by default, if there is one.
        since, until: first and last day of the posts that count; posts without a day then do not.
        window: length of the windows over time.
        text_column, id_column: where these are in the input.
    """

    by: str = outcomes.ACCOUNT
    time: str | None = None
    since: date | None = None
    until: date | None = None
    window: WindowSize = "month"
    text_column: str = DEFAULT_TEXT
    id_column: str = DEFAULT_ID

    @property
    def columns(self) -> Columns:
        """The columns with account and date."""
        return Columns(self.by, self.time, "--by", "--time")

    def counts(self, day: date | None) -> bool:
        """Whether a post of this day counts."""
        if self.since is None and self.until is None:
            return True
        return day is not None and (self.since or date.min) <= day <= (self.until or date.max)


def accounts_file(
    source: str | Path,
    output: str | Path,
    *,
    settings: Settings | None = None,
    choice: Choice | None = None,
    scores: str | Path | None = None,
    save_scores: str | Path | None = None,
    runner: Runner = "local",
    address: str | None = None,
    workers: int | None = None,
    restart: bool = False,
    on_account: Callable[[Account], object] = lambda account: None,
    on_progress: OnProgress = lambda done, total: None,
    on_read: OnProgress = lambda done, total: None,
    on_judged: OnProgress = lambda done, total: None,
    on_upload: OnProgress = lambda done, total: None,
) -> AccountsSummary:
    """Judge every account of a file; what ``checker accounts`` calls.

    Args:
        source: a ``.jsonl``, ``.csv``, ``.tsv`` or ``.parquet`` file with a text, an account and, if known, a
            date per row; ``-`` for JSONL from standard input. A file of scores with an account is not scored
            again. For Ray, a file or a directory as for `checker.score_directory`.
        output: a ``.jsonl``, ``.csv``, ``.tsv``, ``.parquet``, ``.sqlite``, ``.db`` or ``.duckdb`` file; or,
            but not with Ray, the address of one in ``s3://``, ``gs://`` or ``hf://``.
        settings: how posts are scored.
        choice: the columns, the days, and the windows.
        scores: the scores of ``source``, if there are any: no model is run.
        save_scores: where to keep the scores of the posts: a file, for Ray a directory. By default they are
            beside ``output`` while the run lasts, so that it can be resumed, and are then deleted.
        runner: where to score.
        address: of Ray.
        workers: processes that score, each with models of its own; by default 1, or what Ray has room for.
        restart: discard the progress of an interrupted run.
        on_account: called with every account, by name.
        on_progress: called with the number of rows that are scored, and of all if it is known.
        on_read: called with the number of scores that went to their accounts, now and then.
        on_judged: called with the number of accounts that are judged, and of all.
        on_upload: called with the number of bytes that are uploaded to an address, and of all.

    Raises:
        InputError: a file cannot be read, has no such column, or no row with an account; ``scores`` are not
            those of ``source``.
        OutputError: the output cannot be written, or not uploaded.
        CheckerError: a model cannot be loaded, or the packages for an address are not installed.
    """
    began = clock.monotonic()
    if runner == "ray":
        check_here(output, "--runner ray")
    if save_scores is not None:
        check_here(save_scores, "--save-scores")
    choice = choice or Choice()
    saved = Path(save_scores) if save_scores is not None else None
    summary = AccountsSummary()
    score = partial(
        _scored, settings=settings or Settings(), choice=choice, runner=runner, address=address,
        workers=workers, restart=restart, on_progress=on_progress,
        keep_journal=in_store(output) is not None,  # until it is uploaded: the same call goes on from there
    )  # fmt: skip
    with placed(output, on_upload=on_upload) as here:
        check_output(here, source)
        beside = saved or here.with_name(f"{here.name}.scores" + (".jsonl" if runner == "local" else ""))
        with tempfile.TemporaryDirectory(dir=here.parent, prefix=f".{here.name}.") as temporary:
            folder = Path(temporary)
            path = _spooled(source, folder)
            rows = _given(path, scores, choice)
            made = rows is None
            if rows is None:
                rows = score(path, beside)
            found = judged(rows, choice, summary, folder, on_read=on_read, on_judged=on_judged)

            def lines() -> Iterator[str]:
                for account in found:
                    on_account(account)
                    yield account.to_json()

            write_accounts(lines(), here)
    if made:
        _discard(beside, scores=saved is None)
    summary.seconds = clock.monotonic() - began
    return summary


def accounts(
    source: str | Path,
    *,
    by: str = outcomes.ACCOUNT,
    time: str | None = None,
    since: date | None = None,
    until: date | None = None,
    window: WindowSize = "month",
    scores: str | Path | None = None,
    settings: Settings | None = None,
    text_column: str = DEFAULT_TEXT,
    id_column: str = DEFAULT_ID,
    summary: AccountsSummary | None = None,
    on_progress: OnProgress = lambda done, total: None,
) -> Iterator[Account]:
    """Judge every account of a file, by name.

    Args:
        source: as for `checker.accounts_file`.
        by: the column with the account.
        time: the column with the date, ISO 8601; ``date`` by default, if there is one.
        since, until: first and last day of the posts that count.
        window: length of the windows over time: ``day``, ``week``, ``month`` or ``year``.
        scores: the scores of ``source``, if there are any: no model is run.
        settings: how posts are scored.
        text_column, id_column: where these are in the input.
        summary: is filled while accounts are read.
        on_progress: as for `checker.accounts_file`.

    Raises:
        InputError: as `checker.accounts_file`.
        CheckerError: a model cannot be loaded.
    """
    choice = Choice(by, time, since, until, window, text_column, id_column)
    with tempfile.TemporaryDirectory(prefix="checker.") as temporary:
        folder = Path(temporary)
        path = _spooled(source, folder)
        rows = _given(path, scores, choice)
        if rows is None:
            rows = _scored(
                path, folder / "scores.jsonl", settings=settings or Settings(), choice=choice,
                on_progress=on_progress,
            )  # fmt: skip
        yield from judged(rows, choice, AccountsSummary() if summary is None else summary, folder)


def judged(
    rows: Iterable[Row | RowError],
    choice: Choice,
    summary: AccountsSummary,
    folder: Path,
    model: AccountModel | None = None,
    on_read: OnProgress = lambda done, total: None,
    on_judged: OnProgress = lambda done, total: None,
) -> Iterator[Account]:
    """Judge the accounts of scored rows.

    Args:
        rows: of `checker.io.outcomes.read`.
        choice: the days, and the windows.
        summary: is filled.
        folder: for a temporary file.
        model: by default that which ships.
        on_read, on_judged: as for `checker.accounts_file`.

    Yields:
        The accounts, by name.

    Raises:
        InputError: no row has an account.
    """
    model = model or shipped()
    with Grouped(folder) as grouped:
        read = 0
        for read, row in enumerate(rows, 1):
            if read % _TELL == 0:
                on_read(read, None)
            outcome = row if isinstance(row, RowError) else row.outcome
            if isinstance(row, RowError) or not isinstance(outcome, Result):
                summary.unread += 1
                if isinstance(outcome, RowError) and len(summary.first_unread) < KEPT:
                    summary.first_unread.append(outcome)
            elif row.account is None:
                summary.nameless += 1
            elif not choice.counts(row.day):
                summary.outside += 1
            else:
                summary.posts += 1
                grouped.add(row.account, AccountPost.of(outcome, row.row, row.day))
        if not summary.posts:
            raise InputError(_nothing(summary, choice), fix="Name the column with the account: --by COLUMN.")
        on_read(read, read)
        total = grouped.count()
        for number, (name, given, posts) in enumerate(grouped.accounts(), 1):
            account = combine(name, posts, model, window=choice.window, given=given)
            summary.verdicts[account.verdict] += 1
            yield account
            if number % _TELL == 0 or number == total:
                on_judged(number, total)


def _nothing(summary: AccountsSummary, choice: Choice) -> str:
    if summary.outside:
        return "No post of an account is from these days."
    return f"No row with a post has a value in the column {choice.by!r}."


def _spooled(source: str | Path, folder: Path) -> Path:
    """The path of the input; standard input is copied, as it is read twice."""
    if str(source) != "-":
        path = Path(source)
        if path.suffix.lower() == ".txt":
            raise InputError(
                f"{path} has no column with an account.", fix="Use .jsonl, .csv, .tsv or .parquet."
            )
        return path
    path = folder / "input.jsonl"
    with path.open("wb") as file:
        shutil.copyfileobj(sys.stdin.buffer, file)
    return path


def _given(path: Path, scores: str | Path | None, choice: Choice) -> Iterator[Row | RowError] | None:
    """The rows of scores that are there already; None if there are none."""
    if scores is not None:
        return outcomes.read(Path(scores), choice.columns, path, choice.id_column)
    if path.is_file() and has_scores(path, id_column=choice.id_column):
        return outcomes.read(path, choice.columns)
    return None


def _scored(
    path: Path,
    scores: Path,
    *,
    settings: Settings,
    choice: Choice,
    runner: Runner = "local",
    address: str | None = None,
    workers: int | None = None,
    restart: bool = False,
    keep_journal: bool = False,
    on_progress: OnProgress,
) -> Iterator[Row | RowError]:
    """Score the input into a file, or a directory, and give its rows with their facts."""
    text, id = choice.text_column, choice.id_column
    if runner == "local":
        outcomes.check_columns(path, choice.columns, choice.id_column)
        score_file(
            Checker(settings), path, scores, text_column=text, id_column=id, restart=restart,
            workers=1 if workers is None else workers, keep_journal=keep_journal, on_progress=on_progress,
        )  # fmt: skip
        return outcomes.read(scores, choice.columns, path, choice.id_column)
    target = scores.resolve()
    partitions = find(path.resolve(), target)
    outcomes.check_columns(path, choice.columns, choice.id_column, partitions.values())
    score_directory(
        path, scores, settings, text_column=text, id_column=id, address=address, workers=workers,
        restart=restart, on_progress=on_progress,
    )  # fmt: skip
    return chain.from_iterable(  # one after the other, a row at a time
        outcomes.read(
            (target / name).with_suffix(".parquet"), choice.columns, partition, choice.id_column,
            may_be_empty=True,
        )
        for name, partition in partitions.items()
    )  # fmt: skip


def _discard(path: Path, *, scores: bool) -> None:
    """Delete the journal of a file of scores, and ``scores`` as well; or, if they are to go, a directory."""
    if path.is_dir():
        if scores:
            shutil.rmtree(path)
        return
    for file in (journal_path(path), *((path, rejects_path(path)) if scores else ())):
        file.unlink(missing_ok=True)
