"""The journal of a run: the finished rows, which are on disk before they count as finished.

A journal is a file of records. A record is a line ``KIND LENGTH CRC32`` and that many bytes. A record ``run``
says what is scored and how; it comes first, and again where a resumed run has further models. A record
``chunk`` has the output of one chunk of rows, one line of JSON per row, then an empty line and the rejects
among them. A record that a crash left incomplete does not match its length or its checksum: it and all after
it are dropped.
"""

from __future__ import annotations

import hashlib
import os
import re
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Self

from filelock import FileLock, Timeout
from pydantic import JsonValue, ValidationError

from checker.errors import OutputError
from checker.files import followed, write_whole, writing
from checker.io.read import reading
from checker.models.lock import sha256
from checker.processor import Arithmetic
from checker.result import Record
from checker.settings import Settings
from checker.version import __version__

_HEADER = re.compile(rb"(run|chunk) (\d{1,15}) ([0-9a-f]{8})\n")


class Input(Record):
    """A file as it was when the run began."""

    path: str
    size: int
    sha256: str

    @classmethod
    def of(cls, path: Path) -> Self:
        """A file as it is now.

        Raises:
            InputError: it cannot be read.
        """
        with reading(path), path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            return cls(path=str(path), size=file.tell(), sha256=digest)

    @classmethod
    def of_all(cls, source: str | Path, paths: Sequence[Path]) -> Self:
        """The files of a source, as they are now: the file itself if it is one of this machine.

        Raises:
            InputError: one cannot be read.
        """
        found = [cls.of(path) for path in paths]
        if len(found) == 1:
            return found[0].model_copy(update={"path": str(source)})
        digest = hashlib.sha256("".join(one.sha256 for one in found).encode()).hexdigest()
        return cls(path=str(source), size=sum(one.size for one in found), sha256=digest)


def options_of(settings: Settings, arithmetic: Arithmetic | None) -> dict[str, JsonValue]:
    """The settings that results depend on, as JSON has them.

    Another device may resume the run, with another number of threads, if it computes with the same numbers.
    For a calibration, only the content counts.

    Args:
        settings: of a checker.
        arithmetic: of the same.

    Raises:
        InputError: the calibration cannot be read.
    """
    options: dict[str, JsonValue] = settings.outcome
    if settings.calibration is not None:
        with reading(settings.calibration):
            options["calibration"] = sha256(settings.calibration)
    return {**options, "arithmetic": arithmetic, "version": __version__}


class Run(Record):
    """All that the output depends on.

    Attributes:
        input: what is scored, if it is one file.
        options: how it is scored.
        models: digest by name.
    """

    input: Input | None
    options: dict[str, JsonValue]
    models: dict[str, str]

    def changes(self, now: Run) -> list[str]:
        """What keeps rows of both out of one output, in words.

        A model that only the later run has is none of it: no row of the earlier one was scored with it.
        """
        found = []
        if (self.input and self.input.sha256) != (now.input and now.input.sha256):
            old, new = (f"{i.path} ({i.size} bytes)" if i else "a pipe" for i in (self.input, now.input))
            found.append(f"the input was {old} and is {new}, with another content")
        for name in dict.fromkeys([*self.options, *now.options]):
            was, present = self.options.get(name), now.options.get(name)
            if was != present:
                found.append(f"{name} was {was!r} and is {present!r}")
        changed = [name for name, digest in self.models.items() if now.models.get(name) != digest]
        return [*found, *(f"the model {name} has changed" for name in changed)]


class Journal:
    """The journal of one output, open for more.

    Args:
        path: where it is; created if there is none.
        run: what is scored now.
        restart: discard the rows of an interrupted run.

    Attributes:
        path: where it is.
        rows: number of rows that it has.
        rejects: number of rejects among them.

    Raises:
        OutputError: (every method) it cannot be read or written; it is of another run, or no journal.
    """

    def __init__(self, path: Path, run: Run, *, restart: bool = False) -> None:
        self.path, self.rows, self.rejects, self._end = path, 0, 0, 0
        with writing(path):
            known = None if restart or not path.exists() else self._recover(run)
            if known is None:
                head = _record("run", f"{run.to_json()}\n")
                write_whole(path, lambda temporary: temporary.write_bytes(head))
                known, self._end = run, len(head)
            self._file = path.open("r+b", buffering=0)
            self._file.truncate(self._end)
            if known != run:
                self._append("run", f"{run.to_json()}\n")
        self._resumable = run.input is not None

    def append(self, rows: Sequence[str], rejects: Sequence[str] = ()) -> None:
        """Add a chunk; it is on the disk when this returns, and not in the journal when it raises.

        Args:
            rows: lines of output, without their ends; at least one.
            rejects: lines of the rejects, likewise.
        """
        with writing(self.path):
            self._append("chunk", _joined(rows, rejects))
        self.rows += len(rows)
        self.rejects += len(rejects)

    def read_rows(self) -> Iterator[str]:
        """The lines of output, in order, read as they are needed."""
        return (line for rows, _ in self._chunks() for line in rows)

    def read_rejects(self) -> Iterator[str]:
        """The lines of the rejects, likewise."""
        return (line for _, rejects in self._chunks() for line in rejects)

    def close(self, *, remove: bool = False) -> None:
        """Close the file; delete it if asked to, or if no run could be resumed from it."""
        with writing(self.path):
            self._file.close()
            if remove or not self.rows or not self._resumable:
                self.path.unlink(missing_ok=True)

    def _recover(self, run: Run) -> Run | None:
        """Count what is whole; the last run that wrote it, or None if there are no rows to go on from."""
        known = None
        for kind, payload, end in _records(self.path):
            if kind == "run":
                with suppress(ValidationError):  # of a version with other fields
                    known = Run.model_validate_json(payload)
            else:
                rows, rejects = _split(payload)
                self.rows, self.rejects = self.rows + len(rows), self.rejects + len(rejects)
            self._end = end
        if known is None:
            changes = ["it is damaged, or no journal of this version"]
        elif not self.rows:
            return None
        elif known.input is None and run.input is None:
            changes = ["a pipe cannot be read again"]
        else:
            changes = known.changes(run)
        if changes:
            raise OutputError(
                f"{self.path} is of another run: {'; '.join(changes)}. Give the command of that run to go on "
                "with it, write elsewhere, or start over with --restart."
            )
        return known

    def _append(self, kind: str, payload: str) -> None:
        record = memoryview(_record(kind, payload))
        try:
            self._file.seek(self._end)
            while record:
                record = record[self._file.write(record) :]
            os.fsync(self._file.fileno())
        except BaseException:
            with suppress(OSError):
                self._file.truncate(self._end)
            raise
        self._end = self._file.tell()

    def _chunks(self) -> Iterator[tuple[list[str], list[str]]]:
        read = 0
        with writing(self.path):
            for kind, payload, end in _records(self.path):
                read = end
                if kind == "chunk":
                    yield _split(payload)
        if read != self._end:
            raise OutputError(f"{self.path} has become damaged. Check the disk, and give the command again.")


def _joined(rows: Sequence[str], rejects: Sequence[str]) -> str:
    return "\n".join([*rows, "", *rejects, ""])


def _split(payload: bytes) -> tuple[list[str], list[str]]:
    """What was `_joined`: lines of JSON have no line feed in them, and none is empty."""
    rows, _, rejects = payload.decode().partition("\n\n")
    return rows.split("\n"), rejects.split("\n")[:-1]


def _record(kind: str, payload: str) -> bytes:
    data = payload.encode()
    header = f"{kind} {len(data)} ".encode()
    return b"%s%08x\n%s" % (header, zlib.crc32(data, zlib.crc32(header)), data)


def _records(path: Path) -> Iterator[tuple[str, bytes, int]]:
    """Kind, payload and end of every record up to the first that is not whole."""
    with path.open("rb") as file:
        size = path.stat().st_size
        while header := _HEADER.fullmatch(file.readline(64)):
            kind, length, checksum = header.groups()
            if int(length) > size - file.tell():
                return
            payload = file.read(int(length))
            if zlib.crc32(payload, zlib.crc32(b"%s %s " % (kind, length))) != int(checksum, 16):
                return
            yield kind.decode(), payload, file.tell()


@contextmanager
def alone(output: Path) -> Iterator[None]:
    """Prevent other runs from writing the same output.

    Raises:
        OutputError: another run is at it, or the lock cannot be written.
    """
    output = followed(output)
    path = output.with_name(f"{output.name}.lock")
    lock = FileLock(path)
    with writing(path):
        try:
            lock.acquire(timeout=0)
        except Timeout:
            problem = f"Another run is writing {output}. Wait for it, or write elsewhere."
            raise OutputError(problem) from None
    try:
        yield
    finally:
        with suppress(OSError):
            path.unlink()  # while it is held: who opened it meanwhile sees that it is gone, and tries again
        lock.release()
