"""Where results go: a file of this machine, or an object store.

Results for ``s3://``, ``gs://`` and ``hf://`` are written on this machine first, in a folder that is the same
whenever the address is, and uploaded when they are complete. An interrupted run leaves its journal there, and
goes on from it.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Collection, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from checker.errors import OutputError
from checker.files import writing
from checker.io.addresses import in_store, matches, opened, reaching
from checker.io.write import check_format
from checker.models import Store
from checker.progress import OnProgress


class _DiscardError(Exception):
    """Ends a transaction whose files are not wanted."""


def local_path(output: str | Path) -> Path:
    """Where results are written on this machine; for a path of this machine that itself."""
    address = in_store(output)
    if address is None:
        return Path(output)
    address = address.rstrip("/")
    name = hashlib.sha256(address.encode(errors="surrogatepass")).hexdigest()[:32]
    return Store().home / "outputs" / name / address.rpartition("/")[2]


@contextmanager
def placed(
    output: str | Path,
    *,
    source: str | Path = "-",
    formats: Collection[str] | None = None,
    beside: Callable[[Path], Path] | None = None,
    on_upload: OnProgress = lambda done, total: None,
) -> Iterator[Path]:
    """A path on this machine to write results to; when the block ends, they are where they belong.

    A path of this machine is given as it is. For an address, the file is uploaded when the block ends without
    an error, and its folder on this machine is deleted. After an error the folder stays if there is anything
    in it, such as the journal of an interrupted run.

    Args:
        output: a path, or an address of ``s3://``, ``gs://`` or ``hf://``.
        source: the input, which an address must not be that of.
        formats: accepted extensions, as for `checker.io.write.check_output`, which paths are not checked by.
        beside: the path of a second file, which there may be beside the first. It is uploaded before that; if
            there is none, one of an earlier run is deleted.
        on_upload: called with the number of bytes that are uploaded, and of all.

    Raises:
        OutputError: the address has an unknown extension, or is that of the input; there is no such bucket,
            or it may not be written, found out before the block is run; another run is writing there; the
            upload failed, and the message says where the results are.
        CheckerError: the packages for such a store are not installed.
    """
    here, address = local_path(output), in_store(output)
    if address is None:
        yield here
        return
    address = address.rstrip("/")
    check_format(address, formats)
    folder = address.rpartition("/")[0]
    files = {f"{folder}/{path.name}": path for path in ([beside(here)] if beside else []) + [here]}
    with _writing(address, "Check the address, and that this machine may write there."):
        _check(address, files, source)
    with _alone(here.parent, address):
        try:
            yield here
        except BaseException:
            with suppress(OSError):
                here.parent.rmdir()  # if there is nothing to go on from
            raise
        with _writing(
            address, f"The results are in {here}: give the command again, or copy them from there."
        ):
            _upload(files, on_upload)
        shutil.rmtree(here.parent, ignore_errors=True)


def _writing(address: str, fix: str) -> AbstractContextManager[None]:
    """Turn what a store raises into an `OutputError` that ends with what to do."""
    return reaching(address, "written", lambda problem: OutputError(f"{problem} {fix}"))


def _check(address: str, files: Collection[str], source: str | Path) -> None:
    """See that the store takes the files and that none of them is the input; nothing is left there."""
    system, path = opened(address)
    system.invalidate_cache()
    for file in files:
        if system.exists(opened(file)[1]) and matches(source, file):
            raise OutputError(f"{file} is the input. Write the results to another file.")
    if address.startswith("hf://"):  # takes no upload back; whether it may be written shows at the end
        system.resolve_path(path)
        if system.isdir(path):
            raise OutputError(f"{address} is a folder. Name a file in it.")
        return
    with suppress(_DiscardError), system.transaction:
        with system.open(path, "wb") as file:
            file.write(b"\0")
        raise _DiscardError


def _upload(files: dict[str, Path], on_upload: OnProgress) -> None:
    """Put the files into their store, one after the other, and delete those that there are none of."""
    from fsspec.callbacks import Callback

    total = sum(here.stat().st_size for here in files.values() if here.exists())
    done = 0

    def told(_: int | None, value: int, **__: object) -> None:
        on_upload(min(done + value, total), total)

    for address, here in files.items():
        system, path = opened(address)
        system.invalidate_cache()
        if here.exists():
            system.put_file(str(here), path, callback=Callback(hooks={"told": told}))
            done += here.stat().st_size
            on_upload(done, total)
        elif system.exists(path):
            system.rm_file(path)


@contextmanager
def _alone(folder: Path, address: str) -> Iterator[None]:
    """Make the folder of an address, and keep other runs from it.

    Raises:
        OutputError: another run is writing there, or the folder cannot be made.
    """
    lock = FileLock(folder.with_name(f"{folder.name}.lock"))
    with writing(folder):
        folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            raise OutputError(f"Another run is writing {address}. Wait for it, or write elsewhere.") from None
        folder.mkdir(mode=0o700, exist_ok=True)
    try:
        yield
    finally:
        with suppress(OSError):
            Path(lock.lock_file).unlink()
        lock.release()
