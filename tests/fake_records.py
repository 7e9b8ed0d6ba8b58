"""Mozilla's records and their attachments on the loopback interface, with faults on demand.

    with fake_records.serve({("ru", "en"): folder}) as server:
        monkeypatch.setenv("FXTRANSLATE_RECORDS_URL", server.records)

It answers as Remote Settings does, and as a mirror does (``/mirror/records.json``). A packed file is a frame
of zstd with raw blocks.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

COLLECTION = "/v1/buckets/main/collections/translations-models-v2/records"
_KINDS = {"model": "model", "vocab": "vocab", "srcvocab": "srcvocab", "trgvocab": "trgvocab", "lex": "lex"}
_BLOCK = 100_000


@dataclass
class Server:
    """A running server. Change the switches at any time.

    Attributes:
        address: of the server.
        packed: the packed files by location.
        data: the records.
        requests: path and Range header of everything that was asked.
        breaks: for the end of a location, at which bytes its next answers break off.
        tampered: ends of locations whose content is not what the record states.
        lost: ends of locations that are not there.
        ranges: whether Range headers are heeded.
    """

    address: str
    packed: dict[str, bytes] = field(default_factory=dict)
    data: list[dict[str, Any]] = field(default_factory=list)
    requests: list[tuple[str, str | None]] = field(default_factory=list)
    breaks: dict[str, list[int]] = field(default_factory=dict)
    tampered: set[str] = field(default_factory=set)
    lost: set[str] = field(default_factory=set)
    ranges: bool = True

    @property
    def records(self) -> str:
        """What FXTRANSLATE_RECORDS_URL has to be."""
        return self.address + COLLECTION

    @property
    def mirror(self) -> str:
        """What --mirror has to be."""
        return f"{self.address}/mirror"

    def publish(
        self, pair: tuple[str, str], folder: Path, version: str = "3.0", architecture: str = "base-memory"
    ) -> None:
        """Add records of the files in a folder."""
        for path in sorted(folder.iterdir()):
            kind = path.name.split(".")[0]
            if kind not in _KINDS:
                continue
            content = path.read_bytes()
            packed = pack(content)
            location = f"models/{version}/{architecture}/{'-'.join(pair)}/{path.name}.zst"
            self.packed[location] = packed
            self.data.append(
                {
                    "name": path.name,
                    "version": version,
                    "fileType": kind,
                    "architecture": architecture,
                    "sourceLanguage": pair[0],
                    "targetLanguage": pair[1],
                    "decompressedHash": hashlib.sha256(content).hexdigest(),
                    "attachment": {
                        "location": location,
                        "size": len(packed),
                        "hash": hashlib.sha256(packed).hexdigest(),
                        "filename": f"{path.name}.zst",
                        "mimetype": "application/zstd",
                    },
                }
            )

    def asked(self, end: str) -> list[str | None]:
        """The Range headers of the requests for a file."""
        return [ranged for path, ranged in self.requests if path.endswith(end)]


def pack(content: bytes) -> bytes:
    """A frame of zstd (RFC 8878) with the content as it is."""
    frame = b"\x28\xb5\x2f\xfd\xa0" + len(content).to_bytes(4, "little")
    starts = range(0, max(len(content), 1), _BLOCK)
    for start in starts:
        block = content[start : start + _BLOCK]
        last = start == starts[-1]
        frame += (last | len(block) << 3).to_bytes(3, "little") + block
    return frame


@contextmanager
def serve(folders: Mapping[tuple[str, str], Path]) -> Iterator[Server]:
    """Serve folders of models, by pair, until the block ends."""
    listener = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    listener.daemon_threads = True
    server = Server(f"http://127.0.0.1:{listener.server_address[1]}")
    listener.records = server  # type: ignore[attr-defined]
    for pair, folder in folders.items():
        server.publish(pair, folder)
    thread = threading.Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        listener.shutdown()
        listener.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:
        """Keep the output of the tests clean."""

    def do_GET(self) -> None:
        server: Server = self.server.records  # type: ignore[attr-defined]
        server.requests.append((self.path, self.headers.get("Range")))
        if self.path == "/v1/":
            base = {"capabilities": {"attachments": {"base_url": f"{server.address}/cdn/"}}}
            return self._answer(200, json.dumps(base).encode())
        if self.path in (COLLECTION, "/mirror/records.json"):
            return self._answer(200, json.dumps({"data": server.data}).encode())
        location = self.path.removeprefix("/cdn/").removeprefix("/mirror/")
        content = server.packed.get(location)
        if content is None or any(location.endswith(end) for end in server.lost):
            return self._answer(404, b"")
        if any(location.endswith(end) for end in server.tampered):
            content = content[:-50] + bytes(byte ^ 1 for byte in content[-50:])
        start = 0
        if (wanted := self.headers.get("Range")) and server.ranges:
            start = int(wanted.removeprefix("bytes=").split("-")[0])
            if start >= len(content):
                return self._answer(416, b"")
        stop = next(
            (stops.pop(0) for end, stops in server.breaks.items() if location.endswith(end) and stops), None
        )
        self._answer(206 if start else 200, content[start:], None if stop is None else max(stop - start, 0))

    def _answer(self, status: int, body: bytes, stop: int | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[:stop])
        if stop is not None:
            self.wfile.flush()
            self.close_connection = True
