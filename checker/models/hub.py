"""Fetch models from the Hugging Face hub. This module and ``firefox_records`` alone use the network."""

from __future__ import annotations

import errno
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

from checker.errors import DownloadError
from checker.models.lock import LockedModel, lock_file, sha256
from checker.models.registry import Model, is_safe_name

if TYPE_CHECKING:
    from rich.progress import Progress

ATTEMPTS = 3  # in a row that bring not one byte of a file, before its connection counts as broken
TIMEOUT = 30.0  # seconds to wait for the hub's answer about a repository


@dataclass(frozen=True)
class RemoteFile:
    """A file on the hub, with the checksum that the hub keeps of it.

    Attributes:
        name: path inside the repository.
        size: bytes.
        sha256: of the content, for files in large-file storage.
        git_sha1: of the git blob, for the others.
    """

    name: str
    size: int
    sha256: str | None
    git_sha1: str | None

    def matches(self, path: Path) -> bool:
        """Whether the file at ``path`` has the size and the checksum that the hub states."""
        if not path.is_file() or path.stat().st_size != self.size:
            return False
        if self.sha256:
            return sha256(path) == self.sha256
        if self.git_sha1:
            from huggingface_hub.utils.sha import git_hash

            return git_hash(path.read_bytes()) == self.git_sha1
        return True


@dataclass(frozen=True)
class RemoteModel:
    """A model at a commit of the hub, with the files that it needs."""

    model: Model
    commit: str
    files: tuple[RemoteFile, ...]

    def missing(self, folder: Path) -> list[RemoteFile]:
        """The files that are not in ``folder`` as the hub has them."""
        return [file for file in self.files if not file.matches(folder / file.name)]

    def bytes_to_fetch(self, folder: Path) -> int:
        """Bytes of the missing files that earlier runs have not left in partial ones."""
        missing = self.missing(folder)
        parts = [part for file in missing if (part := _part(folder, file)).exists()]
        return sum(file.size for file in missing) - sum(part.stat().st_size for part in parts)


def resolve(model: Model) -> RemoteModel:
    """Ask the hub for the commit of a model and for the files to fetch.

    Raises:
        DownloadError: no connection, no such repository or commit, no access, or no usable weights.
    """
    from huggingface_hub import HfApi

    with _explained(model):
        info = HfApi(endpoint=_endpoint()).model_info(
            model.id, revision=model.revision or None, files_metadata=True, timeout=TIMEOUT
        )
    if not info.sha or (model.revision and info.sha != model.revision):
        raise DownloadError(
            f"The hub has {model.id} at {info.sha}, asked for {model.revision or 'the latest commit'}."
        )
    siblings = info.siblings or []
    if unsafe := [file.rfilename for file in siblings if not is_safe_name(file.rfilename)]:
        raise DownloadError(f"{model.id} is refused: its file {unsafe[0]!r} would leave the model's folder.")
    files = tuple(
        RemoteFile(
            name=file.rfilename,
            size=(file.lfs.size if file.lfs else file.size) or 0,
            sha256=file.lfs.sha256 if file.lfs else None,
            git_sha1=None if file.lfs else file.blob_id,
        )
        for file in siblings
        if any(_matches(file.rfilename, pattern) for pattern in model.files)
    )
    if any(file.name.endswith(".safetensors") for file in files):
        files = tuple(file for file in files if not file.name.endswith(".bin"))
    names = {file.name for file in files}
    if "config.json" not in names or not any(name.endswith((".safetensors", ".bin")) for name in names):
        raise DownloadError(f"{model.id} has no config.json with weights at commit {info.sha[:12]}.")
    return RemoteModel(model, info.sha, files)


def check_space(folder: Path, needed: int) -> None:
    """Compare the bytes to fetch with the space that is left.

    Raises:
        DownloadError: there is too little.
    """
    folder.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise DownloadError(
            f"Not enough space in {folder}: the download needs {megabytes(needed)}, {megabytes(free)} are "
            "free. Free some, or set STATEMENT_CHECKER_HOME to a folder on a larger disk."
        )


def bars(visible: bool) -> Progress:
    """Progress bars on stderr, one a model."""
    from rich import progress
    from rich.console import Console

    return progress.Progress(
        progress.TextColumn("{task.description}"),
        progress.BarColumn(),
        progress.DownloadColumn(),
        progress.TransferSpeedColumn(),
        progress.TimeRemainingColumn(),
        console=Console(stderr=True),
        disable=not visible,
    )


def fetch(remote: RemoteModel, folder: Path, progress: Progress) -> LockedModel:
    """Bring every file of a model into ``folder`` and check it; files that are there already are kept.

    Raises:
        DownloadError: the connection broke for good, or a file has a wrong checksum (it is removed).
    """
    model, missing = remote.model, remote.missing(folder)
    task = progress.add_task(model.id, total=sum(file.size for file in missing))
    for file in missing:
        path = folder / file.name
        with _explained(model):
            _fetch_file(remote, file, folder, lambda size: progress.advance(task, size))
        if not file.matches(path):
            found = sha256(path)
            path.unlink()
            raise DownloadError(
                f"{file.name} of {model.id} arrived with sha256 {found}, but the hub states "
                f"{file.sha256 or f'the git blob {file.git_sha1}'}: it was removed. Run the command again; "
                "if it happens twice, do not trust this endpoint."
            )
    return LockedModel(
        revision=remote.commit, files={file.name: lock_file(folder / file.name) for file in remote.files}
    )


def _fetch_file(remote: RemoteModel, file: RemoteFile, folder: Path, advance: Callable[[int], None]) -> None:
    """Fetch one file; what earlier attempts, or earlier runs, have brought of it is not fetched again.

    ``hf_hub_download`` starts a file anew after a connection reset or a kill, which gigabytes over a
    poor line do not survive; hence the client's own streaming request with a Range, and a partial file.
    """
    from huggingface_hub import hf_hub_url

    url = hf_hub_url(remote.model.id, file.name, revision=remote.commit, endpoint=_endpoint())
    part = _part(folder, file)
    part.parent.mkdir(parents=True, exist_ok=True)
    part.touch()
    advance(part.stat().st_size)
    failures = 0
    while (before := part.stat().st_size) < file.size:
        broken: Exception = ConnectionError("the answer ended early")
        try:
            _stream(url, part, file.size, advance)
        except OSError:  # an answer of the hub, or the disk: asking again does not help
            raise
        except Exception as error:  # the connection; its exceptions differ between releases of the client
            broken = error
        failures = 0 if part.stat().st_size > before else failures + 1
        if failures == ATTEMPTS:
            raise broken
        time.sleep(failures)
    part.replace(folder / file.name)


def _stream(url: str, part: Path, size: int, advance: Callable[[int], None]) -> None:
    """Append what is missing of a file, until it has its size or the connection breaks."""
    from huggingface_hub import constants
    from huggingface_hub.utils import (  # type: ignore[attr-defined]  # documented, but exported lazily
        build_hf_headers,
        hf_raise_for_status,
        http_stream_backoff,
    )

    have = part.stat().st_size
    headers = (
        build_hf_headers() | {"Accept-Encoding": "identity"} | ({"Range": f"bytes={have}-"} if have else {})
    )
    timeout = constants.HF_HUB_DOWNLOAD_TIMEOUT
    with http_stream_backoff(
        "GET", url, headers=headers, timeout=timeout, retry_on_exceptions=()
    ) as response:
        hf_raise_for_status(response)
        if response.status_code != 206:  # the whole file, whatever was asked for
            advance(-have)
            have = 0
        with part.open("ab" if have else "wb") as output:
            for chunk in response.iter_bytes():
                output.write(chunk)
                advance(len(chunk))
                have += len(chunk)
                if have > size:  # not what the hub has listed; the checksum will tell
                    return


def _part(folder: Path, file: RemoteFile) -> Path:
    return folder / f"{file.name}.part"


@contextmanager
def _explained(model: Model) -> Iterator[None]:
    """Turn a failure of the hub's client into one sentence; its exceptions have no common base."""
    try:
        yield
    except Exception as error:
        raise DownloadError(_explain(error, model)) from error


def _explain(error: Exception, model: Model) -> str:
    from huggingface_hub import errors

    endpoint = _endpoint() or "https://huggingface.co"
    match error:
        case errors.GatedRepoError():
            return (
                f"{model.id} is gated: accept its terms at {endpoint}/{model.id}, log in with "
                "`hf auth login`, and run the command again."
            )
        case errors.RepositoryNotFoundError():
            return f"{endpoint} has no repository {model.id}, or it is private."
        case errors.RevisionNotFoundError():
            return f"{endpoint} has no commit {model.revision} of {model.id}."
        case errors.RemoteEntryNotFoundError():
            return f"{endpoint} lacks a file of {model.id} that it lists; run the command again later."
        case errors.HfHubHTTPError():
            return (
                f"{endpoint} answered with status {error.response.status_code} for {model.id}; run the "
                "command again later."
            )
        case errors.OfflineModeIsEnabled():
            return f"{model.id} cannot be downloaded while HF_HUB_OFFLINE is set: unset it for the download."
        case OSError(errno=errno.ENOSPC):
            return f"The disk filled up while {model.id} was downloaded; free some space and run it again."
        case PermissionError():
            return f"{error.filename} cannot be written ({error.strerror})."
        case _:
            reason = next(iter(str(error).splitlines()), "") or type(error).__name__
            return (
                f"{model.id} could not be downloaded from {endpoint} ({reason}). Check the connection, "
                "HTTPS_PROXY and HF_ENDPOINT, and run the command again: it goes on where it stopped."
            )


def _endpoint() -> str | None:
    """HF_ENDPOINT as it is now; the client itself only reads it when it is imported."""
    return os.environ.get("HF_ENDPOINT", "").rstrip("/") or None


def _matches(name: str, pattern: str) -> bool:
    """Glob match in which ``*`` does not cross folders."""
    return name.count("/") == pattern.count("/") and fnmatchcase(name, pattern)


def megabytes(size: float) -> str:
    """Bytes for people."""
    return f"{size / 1e6:,.0f} MB"
