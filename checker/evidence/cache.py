"""Model outputs per sentence, in a file of limited size on disk, so that nothing is computed twice.

An entry belongs to a scope (a model with its checksum and all options) and a sentence. The file contains no
readable sentence or translation: an entry is found by a keyed hash, and its value is encrypted by AES-GCM
with a key made from the sentence, as in message-locked encryption (Bellare, Keelveedhi and Ristenpart 2013).
Someone who obtains only the file can do no more than test whether it contains a sentence they already know
verbatim.

A cache never changes a result and never stops a run: if anything is wrong with the file, scoring
continues without it, after one warning.
"""

from __future__ import annotations

import json
import logging
import os
import sqlite3
import threading
from collections.abc import Callable, Mapping, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Any, TypeVar

LIMIT = 512 * 2**20
"""Bytes of a cache; beyond, the oldest entries go. A sentence takes about 7 KB: 1.5 of translators and
language model, the rest of the encoder."""

_NAME = "sentences.sqlite"
_PATIENCE = 2.0  # seconds that another process may keep the file to itself
_ASKED = 500  # keys a query
_BUSY = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
_NONCE = 12  # bytes before the encrypted value
_SCHEMA = "CREATE TABLE IF NOT EXISTS entry_1 (id INTEGER PRIMARY KEY, key BLOB UNIQUE, value BLOB)"

T = TypeVar("T")
_log = logging.getLogger(__name__)


def default_folder(home: Path) -> Path:
    """Folder of the cache: ``$STATEMENT_CHECKER_CACHE``, else ``sentences`` in the home of the models."""
    named = os.environ.get("STATEMENT_CHECKER_CACHE")
    return Path(named).expanduser() if named else home / "sentences"


class Cache:
    """A file of values by scope and text. Safe to share by threads, and by processes.

    Args:
        folder: where the file is; made when first needed, readable only by this user.
        limit: bytes that it may take.
    """

    def __init__(self, folder: Path, limit: int = LIMIT) -> None:
        self.path, self._limit = folder / _NAME, limit
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._usable = True

    def get(self, scope: str, texts: Sequence[str]) -> dict[str, Any]:
        """The values of those texts that have one."""
        secrets = {_key(scope, text): (text, _secret(scope, text)) for text in texts}
        keys = list(secrets)

        def read(connection: sqlite3.Connection) -> dict[str, Any]:
            found = {}
            for start in range(0, len(keys), _ASKED):
                part = keys[start : start + _ASKED]
                query = f"SELECT key, value FROM entry_1 WHERE key IN ({','.join('?' * len(part))})"
                for key, sealed in connection.execute(query, part):
                    text, secret = secrets[key]
                    if (plain := _unsealed(sealed, secret)) is not None:
                        found[text] = json.loads(plain)
            return found

        return self._tried(read) or {}

    def put(self, scope: str, values: Mapping[str, Any]) -> None:
        """Store values by text; existing ones are not replaced.

        Args:
            scope: as for ``get``.
            values: what ``json`` can write; floats come back as they were.
        """
        rows = [
            (_key(scope, text), _sealed(json.dumps(value).encode(), _secret(scope, text)))
            for text, value in values.items()
        ]

        def write(connection: sqlite3.Connection) -> None:
            with connection:  # one transaction
                connection.executemany("INSERT OR IGNORE INTO entry_1 (key, value) VALUES (?, ?)", rows)
                while _size(connection) > self._limit and _drop_oldest(connection):
                    pass

        self._tried(write)

    def close(self) -> None:
        """Close the file; it is opened again when needed."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def _tried(self, action: Callable[[sqlite3.Connection], T]) -> T | None:
        """Do something with the file, one thread at a time; None when that fails. Its errors end here."""
        with self._lock:
            if not self._usable:
                return None
            try:
                if self._connection is None:
                    self._connection = _connected(self.path)
                return action(self._connection)
            except (OSError, sqlite3.Error, TypeError, ValueError) as error:
                if getattr(error, "sqlite_errorcode", 0) & 0xFF in _BUSY:
                    return None  # another process is writing; nothing is lost but time
                self._usable = False
                _log.warning(
                    "The cache %s cannot be used (%s): going on without it. Delete the file, or leave it out "
                    "with --no-cache.",
                    self.path,
                    error,
                )
                return None


def remembered(
    cache: Cache | None,
    scope: str,
    texts: Sequence[str],
    compute: Callable[[list[str]], Sequence[T]],
    keep: Callable[[T], bool] = lambda value: True,
) -> list[T]:
    """What ``compute`` gives for each text: equal texts once, and those not at all that a cache has.

    Args:
        cache: None stores nothing.
        scope: everything besides the text that the values depend on.
        texts: any number of texts.
        compute: gives a value for each of its texts, in order; with a cache, one that ``json`` can write.
        keep: whether a value goes into the cache; one that may come of an accident should not.
    """
    distinct = list(dict.fromkeys(texts))
    known: dict[str, T] = cache.get(scope, distinct) if cache else {}
    if new := [text for text in distinct if text not in known]:
        found = dict(zip(new, compute(new), strict=True))
        if cache:
            cache.put(scope, {text: value for text, value in found.items() if keep(value)})
        known |= found
    return [known[text] for text in texts]


def _connected(path: Path) -> sqlite3.Connection:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))  # SQLite's own files get the same permissions
    connection = sqlite3.connect(path, timeout=_PATIENCE, check_same_thread=False)
    connection.execute("PRAGMA trusted_schema = OFF")
    connection.execute("PRAGMA synchronous = OFF")  # it may go with the power: damage is noticed
    connection.execute(_SCHEMA)
    return connection


def _size(connection: sqlite3.Connection) -> int:
    pages, free, size = (
        int(connection.execute(f"PRAGMA {name}").fetchone()[0])
        for name in ("page_count", "freelist_count", "page_size")
    )
    return (pages - free) * size


def _drop_oldest(connection: sqlite3.Connection) -> bool:
    """Drop a tenth of the entries; False when there was none."""
    query = "DELETE FROM entry_1 WHERE id <= (SELECT min(id) + (max(id) - min(id)) / 10 FROM entry_1)"
    return connection.execute(query).rowcount > 0


def _hashed(scope: str, text: str, purpose: bytes, size: int) -> bytes:
    key = blake2b(scope.encode()).digest()
    return blake2b(text.encode("utf-8", "surrogatepass"), key=key, person=purpose, digest_size=size).digest()


def _key(scope: str, text: str) -> bytes:
    return _hashed(scope, text, b"key", 16)


def _secret(scope: str, text: str) -> bytes:
    return _hashed(scope, text, b"secret", 32)


def _sealed(plain: bytes, secret: bytes) -> bytes:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    nonce = os.urandom(_NONCE)
    return nonce + AESGCM(secret).encrypt(nonce, plain, None)


def _unsealed(sealed: bytes, secret: bytes) -> bytes | None:
    """The value; None when it is not what was kept."""
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    try:
        return AESGCM(secret).decrypt(sealed[:_NONCE], sealed[_NONCE:], None)
    except (InvalidTag, ValueError):
        return None
