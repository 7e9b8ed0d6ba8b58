"""Fetch Firefox's models: from Mozilla's records, from a mirror of them, or from a folder.

Mozilla publishes the models as records of Remote Settings: one record a file, with the languages, a version,
the sha256 of the unpacked file, and where its packed form (zstd) lies. They are asked once; from then on the
lock says what is here. A mirror is any web server with the answer as ``records.json`` and beside it the
packed files under the paths that the records name (``attachment.location``).
"""

from __future__ import annotations

import gzip
import http.client
import json
import re
import shutil
import time
import urllib.error
import urllib.request
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any

from checker.errors import CheckerError, DownloadError, InputError, ModelCorruptedError
from checker.models.firefox_engine import PROBE, FirefoxTranslator, hindrance
from checker.models.hub import ATTEMPTS, TIMEOUT
from checker.models.lock import LockedModel, lock_file, sha256
from checker.models.registry import Model, is_safe_name

if TYPE_CHECKING:
    from rich.progress import Progress

MAJOR = 3
"""Version of the format that fxtranslate reads; records of another one are not for it."""

CODES = {"zh": ("zh", "zh-Hans", "zh-CN")}
"""What Mozilla calls a language, where that is not its ISO 639-1 code alone."""

_ARCHITECTURES = ("base-memory", "base", "tiny")  # the best first, of one version
_CHUNK = 1 << 16
_LONGEST = 1 << 26  # bytes of an answer that lists models; Mozilla's has one or two million
_LARGEST = 1 << 32  # bytes of a packed file


@dataclass(frozen=True)
class PackedFile:
    """A file of a model as it is published.

    Attributes:
        name: of the unpacked file.
        url: of the packed one.
        size: bytes of the packed one.
        sha256: of the unpacked one.
    """

    name: str
    url: str
    size: int
    sha256: str

    def matches(self, folder: Path) -> bool:
        """Whether the unpacked file is in the folder."""
        path = folder / self.name
        return path.is_file() and sha256(path) == self.sha256


@dataclass(frozen=True)
class PublishedModel:
    """A model as Mozilla, or a mirror, publishes it; the weights are the first of the files."""

    model: Model
    files: tuple[PackedFile, ...]

    @property
    def commit(self) -> str:
        """What the lock calls this release: the sha256 of the model's weights, cut to 40 digits."""
        return self.files[0].sha256[:40]

    def missing(self, folder: Path) -> list[PackedFile]:
        """The files that are not in ``folder`` as they are published."""
        return [file for file in self.files if not file.matches(folder)]

    def bytes_to_fetch(self, folder: Path) -> int:
        """Bytes of the missing files that earlier runs have not left in partial ones."""

        def brought(file: PackedFile) -> int:
            part = _part(folder, file)
            return part.stat().st_size if part.exists() else 0

        return sum(max(file.size - brought(file), 0) for file in self.missing(folder))


def resolve(models: Sequence[Model], mirror: str | None = None) -> list[PublishedModel]:
    """Ask once what is published, and find each model's newest release.

    Args:
        models: of the family ``firefox``.
        mirror: address of a folder with ``records.json``; by default Mozilla's own.

    Raises:
        DownloadError: no connection, no such model, or an answer that is none.
        InputError: ``mirror`` is no address.
    """
    if not models:
        return []
    if problem := hindrance():
        raise DownloadError(f"Firefox's models cannot run here: {problem}")
    from fxtranslate import discovery

    if mirror is not None and not mirror.startswith(("http://", "https://")):
        raise InputError(
            f"{mirror} is no address of a mirror.", fix="Use --from for a folder on this machine."
        )
    address = f"{mirror.rstrip('/')}/records.json" if mirror else discovery.records_url()
    known, packed = _parsed(_get(address), address)
    base = _base(address)
    return [PublishedModel(model, tuple(_files(model, known, packed, base, address))) for model in models]


def _parsed(body: str, address: str) -> tuple[list[dict[str, str | None]], dict[str, Mapping[str, Any]]]:
    """The records in an answer, and what it says of each packed file, by location."""
    from fxtranslate import discovery

    try:
        data = json.loads(body)["data"]  # first: what is nested too deep must not reach the engine
        attachments = [one["attachment"] for one in data if isinstance(one, dict) and "attachment" in one]
        packed: dict[str, Mapping[str, Any]] = {
            one["location"]: one
            for one in attachments
            if isinstance(one, dict) and isinstance(one.get("location"), str)
        }
        return discovery.parse_records(body), packed
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise DownloadError(f"{address} does not list models ({error}).") from None


def fetch(published: PublishedModel, folder: Path, progress: Progress) -> LockedModel:
    """Bring every file of a model into ``folder``, unpacked and checked; what is there already is kept.

    Raises:
        DownloadError: the connection broke for good, or a file has a wrong checksum (it is removed).
    """
    from fxtranslate import discovery

    missing = published.missing(folder)
    task = progress.add_task(published.model.id, total=sum(file.size for file in missing))
    for file in missing:
        part = _part(folder, file)
        part.parent.mkdir(parents=True, exist_ok=True)
        with _explained(file.url):
            _fetch_file(file, part, lambda size: progress.advance(task, size))
        try:
            content = discovery.verify_and_decompress(part.read_bytes(), file.sha256)
        except ValueError as error:
            part.unlink()
            raise DownloadError(
                f"{file.name} of {published.model.id} is not what its record states ({error}): it was "
                "removed. Run the command again; if it happens twice, do not trust this source."
            ) from None
        unpacked = part.with_suffix(".unpacked")
        with _explained(file.url):
            unpacked.write_bytes(content)
            unpacked.replace(folder / file.name)
            part.unlink()
    return _locked(published.commit, folder, [file.name for file in published.files])


def take(model: Model, source: Path, folder: Callable[[str], Path]) -> LockedModel:
    """Copy a model out of a folder that somebody filled: ``source/ru-en/`` with its files.

    They may be packed by gzip, as in Mozilla's repository of models; fxtranslate's own cache has them
    unpacked. Nothing states their checksums, so the model must load and translate before it is locked.

    Args:
        model: of the family ``firefox``.
        source: the folder.
        folder: where a release is to lie, by its name.

    Raises:
        DownloadError: the folder lacks the model, or what it has is none.
    """
    (pair,) = model.pairs
    inside = next(
        (path for name in ("-".join(pair), "".join(pair)) if (path := source / name).is_dir()), None
    )
    found = [
        path
        for path in sorted(inside.iterdir() if inside else ())
        if any(fnmatchcase(path.name.removesuffix(".gz"), pattern) for pattern in model.files)
    ]
    if inside is None or not any(path.name.startswith("model.") for path in found):
        raise DownloadError(
            f"{source} has no model from {pair[0]!r} to {pair[1]!r}: it must be in {'-'.join(pair)}/."
        )
    draft = folder("draft")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    try:
        for path in found:
            reader = gzip.open if path.suffix == ".gz" else open
            with (
                reader(path, "rb") as packed,
                (draft / path.name.removesuffix(".gz")).open("wb") as output,
            ):
                shutil.copyfileobj(packed, output)
        names = sorted(path.name for path in draft.iterdir())
        _try(model, draft)
        revision = sha256(next(draft.glob("model.*.bin")))[:40]
        final = folder(revision)
        shutil.rmtree(final, ignore_errors=True)
        draft.replace(final)
    except (OSError, EOFError, zlib.error, CheckerError) as error:
        raise DownloadError(f"{inside} is no model that can be used: {error}") from None
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return _locked(revision, final, names)


def _try(model: Model, folder: Path) -> None:
    """Raise unless the files in a folder translate."""
    (pair,) = model.pairs
    if not FirefoxTranslator(model, folder, threads=1).translate([PROBE], *pair)[0].text:
        raise ModelCorruptedError("it translates nothing.")


def _locked(revision: str, folder: Path, names: Sequence[str]) -> LockedModel:
    return LockedModel(revision=revision, files={name: lock_file(folder / name) for name in names})


def _files(
    model: Model,
    known: Sequence[Mapping[str, str | None]],
    packed: Mapping[str, Mapping[str, Any]],
    base: str,
    address: str,
) -> Iterator[PackedFile]:
    """The files of a model's newest release."""
    ((source, target),) = model.pairs
    usable = [
        one
        for one in known
        if one["sourceLanguage"] in CODES.get(source, (source,))
        and one["targetLanguage"] in CODES.get(target, (target,))
        and _version(one)[0] == MAJOR
    ]
    weights = [one for one in usable if one["fileType"] == "model"]
    if not weights:
        raise DownloadError(
            f"{address} has no model from {source!r} to {target!r} that fxtranslate can run: use --family "
            "opus-mt."
        )
    best = max(weights, key=lambda one: (_version(one), -_rank(one)))
    same = [
        one
        for one in usable
        if all(
            one[key] == best[key] for key in ("version", "architecture", "sourceLanguage", "targetLanguage")
        )
    ]
    kinds = {one["fileType"]: one for one in same}
    wanted = ["model", "vocab"] if "vocab" in kinds else ["model", "srcvocab", "trgvocab"]
    if missing := [kind for kind in wanted if kind not in kinds]:
        raise DownloadError(f"{address} lacks files of {model.id}: {', '.join(missing)}.")
    for kind in [*wanted, *(["lex"] if "lex" in kinds else [])]:
        one = kinds[kind]
        name, location, digest = one["name"] or "", one["location"] or "", one["decompressedHash"] or ""
        if not is_safe_name(name) or {"/", "\\"} & set(name) or ".." in location.split("/"):
            raise DownloadError(f"{model.id} is refused: its file {name!r} would leave the model's folder.")
        fits = any(fnmatchcase(name, pattern) for pattern in model.files if pattern.startswith(f"{kind}."))
        if not fits:
            raise DownloadError(f"{model.id} is refused: {address} calls a file of the kind {kind} {name!r}.")
        if not re.fullmatch("[0-9a-fA-F]{64}", digest):
            raise DownloadError(f"{model.id} is refused: {address} states no sha256 of {name}.")
        size = packed.get(location, {}).get("size", 0)
        if type(size) is not int or not 0 <= size <= _LARGEST:
            raise DownloadError(f"{model.id} is refused: {address} states no size of {name}, but {size!r}.")
        yield PackedFile(name, f"{base}/{location.lstrip('/')}", size, digest.lower())


def _version(record: Mapping[str, str | None]) -> tuple[int, ...]:
    """ "3.1" as (3, 1); of "3.0a1" the numbers before the letter."""
    numbers = (re.match(r"\d{1,9}", part) for part in (record["version"] or "0").split("."))
    return tuple(int(number[0]) if number else 0 for number in numbers)


def _rank(record: Mapping[str, str | None]) -> int:
    name = record["architecture"] or ""
    return _ARCHITECTURES.index(name) if name in _ARCHITECTURES else len(_ARCHITECTURES)


def _base(address: str) -> str:
    """Where the packed files lie: Remote Settings says so, a mirror has them beside its records."""
    server, versioned, _ = address.partition("/v1/")
    if not versioned:
        return address.rpartition("/")[0]
    try:
        base = str(json.loads(_get(f"{server}/v1/"))["capabilities"]["attachments"]["base_url"])
        if not base.startswith(("http://", "https://")):
            raise ValueError(base)
    except (ValueError, KeyError, TypeError, RecursionError):
        raise DownloadError(f"{server} does not say where its files are.") from None
    return base.rstrip("/")


def _get(url: str) -> str:
    with _explained(url), urllib.request.urlopen(url, timeout=TIMEOUT) as response:
        body = response.read(_LONGEST + 1)
        if len(body) > _LONGEST:
            raise DownloadError(f"{url} answers with more than {_LONGEST} bytes: that is no list of models.")
        return str(body.decode("utf-8"))


def _fetch_file(file: PackedFile, part: Path, advance: Callable[[int], None]) -> None:
    """Fetch one packed file; what earlier attempts, or earlier runs, have brought of it is kept."""
    part.touch()
    advance(part.stat().st_size)
    failures = 0
    while True:
        before = part.stat().st_size
        if file.size and before >= file.size:
            return
        broken: Exception = ConnectionError("the answer ended early")
        try:
            if _stream(file, part, advance) and not file.size:
                return
        except urllib.error.HTTPError as error:  # an answer: asking again does not help
            if error.code == 416 and before:  # there is no more than what is here: the checksum will tell
                return
            raise
        except (http.client.HTTPException, urllib.error.URLError, ConnectionError, TimeoutError) as error:
            broken = error
        failures = 0 if part.stat().st_size > before else failures + 1
        if failures == ATTEMPTS:
            raise broken
        time.sleep(failures)


def _stream(file: PackedFile, part: Path, advance: Callable[[int], None]) -> bool:
    """Append what is missing of a file; whether the answer came to its end."""
    have = part.stat().st_size
    request = urllib.request.Request(file.url, headers={"Range": f"bytes={have}-"} if have else {})
    with urllib.request.urlopen(request, timeout=TIMEOUT) as response:
        if response.status != 206:  # the whole file, whatever was asked for
            advance(-have)
            have = 0
        with part.open("ab" if have else "wb") as output:
            while chunk := response.read(_CHUNK):
                output.write(chunk)
                advance(len(chunk))
                have += len(chunk)
                if file.size and have > file.size:  # not what was listed; the checksum will tell
                    return True
    return True


def _part(folder: Path, file: PackedFile) -> Path:
    return folder / f"{file.name}.part"


@contextmanager
def _explained(url: str) -> Iterator[None]:
    """Turn a failure of the network or the disk into one sentence."""
    host = "/".join(url.split("/")[:3])
    try:
        yield
    except urllib.error.HTTPError as error:
        raise DownloadError(
            f"{url} answered with status {error.code}; run the command again later, or name a mirror with "
            "--mirror."
        ) from None
    except (
        http.client.HTTPException,
        urllib.error.URLError,
        ConnectionError,
        TimeoutError,
        ValueError,
    ) as error:
        reason = getattr(error, "reason", None) or error
        raise DownloadError(
            f"{host} could not be reached ({reason}). Check the connection and HTTPS_PROXY, or name a mirror "
            "with --mirror, and run the command again: it goes on where it stopped."
        ) from None
    except OSError as error:
        raise DownloadError(f"{error.filename or 'A file'} cannot be written ({error.strerror}).") from None
