"""The posts of every account together, in a file on the disk: a run needs no more memory for more posts."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from datetime import date
from hashlib import blake2b
from itertools import groupby
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from checker.account.duplicates import Fingerprint
from checker.account.post import AccountPost
from checker.files import writing

MOST_POSTS = 100_000
"""Posts of one account that are judged at most; of more, so many are drawn."""

_BATCH = 1000
_COLUMNS = (
    "account TEXT", "drawn BLOB", "id TEXT", "row INTEGER", "machine REAL", "translated REAL",
    "rudimentary REAL", "language TEXT", "day TEXT", "text TEXT", "exact INTEGER", "size INTEGER",
    "minima BLOB", "calibration TEXT", "version TEXT", "technical INTEGER",
)  # fmt: skip


class Grouped:
    """Collects posts by account; a context manager, whose file goes with it, and with the process.

    Args:
        folder: where its file is put.

    Raises:
        OutputError: (every method) the disk is full.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / "accounts.db"
        self._waiting: list[tuple[Any, ...]] = []
        self._count = 0
        with writing(self._path), _as_os_errors():
            self._connection = sqlite3.connect(self._path)
            self._connection.execute("PRAGMA journal_mode = OFF")
            self._connection.execute("PRAGMA synchronous = OFF")
            self._connection.execute(f"CREATE TABLE posts ({', '.join(_COLUMNS)})")
            with suppress(OSError):  # Windows keeps the name of an open file
                self._path.unlink()  # so that a run that is killed leaves nothing

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()
        self._path.unlink(missing_ok=True)

    def add(self, account: str, post: AccountPost) -> None:
        """Keep a post of an account."""
        self._count += 1
        drawn = blake2b(f"{post.id} {self._count}".encode(errors="surrogatepass"), digest_size=8).digest()
        seen = post.print
        self._waiting.append(
            (
                account, drawn, post.id, post.row, post.machine, post.translated,
                post.rudimentary, post.language, post.day and post.day.isoformat(), post.text,
                seen and seen.exact, seen and seen.size, seen and seen.minima, post.calibration,
                post.version, post.technical,
            )
        )  # fmt: skip
        if len(self._waiting) == _BATCH:
            self._flush()

    def count(self) -> int:
        """Number of accounts; the posts are sorted for it, and none may be added after it."""
        self._flush()
        with writing(self._path), _as_os_errors():
            self._connection.execute("CREATE INDEX IF NOT EXISTS of_account ON posts (account, drawn)")
            (number,) = self._connection.execute("SELECT COUNT(DISTINCT account) FROM posts").fetchone()
        return int(number)

    def accounts(self, most: int = MOST_POSTS) -> Iterator[tuple[str, int, list[AccountPost]]]:
        """Every account, by name: its number of posts, and at most ``most`` of them, drawn at random."""
        self.count()
        with writing(self._path), _as_os_errors(), closing(self._connection.cursor()) as cursor:
            cursor.execute("SELECT * FROM posts ORDER BY account, drawn")
            for account, rows in groupby(cursor, key=lambda row: row[0]):
                posts, given = [], 0
                for given, row in enumerate(rows, 1):
                    if given <= most:
                        posts.append(_post(row))
                yield account, given, posts

    def _flush(self) -> None:
        marks = ", ".join("?" * len(_COLUMNS))
        with writing(self._path), _as_os_errors():
            self._connection.executemany(f"INSERT INTO posts VALUES ({marks})", self._waiting)
            self._connection.commit()
        self._waiting.clear()


def _post(row: tuple[Any, ...]) -> AccountPost:
    (
        _, _, id, number, machine, translated, rudimentary, language, day, text, exact, size, minima,
        calibration, version, technical,
    ) = row  # fmt: skip
    return AccountPost(
        id=id, row=number, machine=machine, translated=translated, rudimentary=rudimentary, language=language,
        day=date.fromisoformat(day) if day else None, text=text,
        print=None if exact is None else Fingerprint(exact, size, minima), calibration=calibration,
        version=version, technical=bool(technical),
    )  # fmt: skip


class _as_os_errors:  # noqa: N801  # reads as a function
    """Turns an error of SQLite into one of the operating system."""

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, sqlite3.Error):
            raise OSError(str(error)) from error
