"""A Hugging Face hub on the loopback interface: the endpoints that a download uses, and faults on demand.

    with fake_hub.serve({"Helsinki-NLP/opus-mt-ru-en": folder}) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.endpoint)
        ...

Weights (``*.safetensors``, ``*.bin``) and ``*.spm`` are large files, known by their sha256; everything else
is known by its git blob. The commit of a repository is made from its contents.
"""

from __future__ import annotations

import hashlib
import json
import socket
import struct
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

LARGE = (".safetensors", ".bin", ".spm")


@dataclass(frozen=True)
class Request:
    """One request as it arrived; ``range`` is its Range header."""

    method: str
    path: str
    range: str | None


@dataclass
class Hub:
    """A running hub. Change the switches at any time; names of files are without their folder.

    Attributes:
        endpoint: what HF_ENDPOINT has to be.
        folders: the repositories.
        requests: everything that was asked, in order.
        breaks: for a file, at which bytes its next answers break off; one entry is used up an answer.
        reset: break off with a TCP reset instead of an orderly end.
        ranges: whether Range headers are heeded.
        tampered: files whose content is not what the metadata states.
        swollen: files that are longer than the metadata states.
        gated: repositories whose terms nobody has accepted.
        lost: files that are listed but not served.
        extra: names that every listing claims besides the real ones.
        status: if set, the answer to every request.
    """

    endpoint: str
    folders: Mapping[str, Path]
    requests: list[Request] = field(default_factory=list)
    breaks: dict[str, list[int]] = field(default_factory=dict)
    reset: bool = False
    ranges: bool = True
    tampered: set[str] = field(default_factory=set)
    swollen: set[str] = field(default_factory=set)
    gated: set[str] = field(default_factory=set)
    lost: set[str] = field(default_factory=set)
    extra: list[str] = field(default_factory=list)
    status: int | None = None

    def commit(self, repo: str) -> str:
        """The one commit of a repository."""
        digest = hashlib.sha1(repo.encode())
        for path in _files(self.folders[repo]):
            digest.update(path.name.encode() + path.read_bytes())
        return digest.hexdigest()

    def asked(self, method: str, name: str) -> list[Request]:
        """The requests for one file."""
        return [r for r in self.requests if r.method == method and r.path.endswith(f"/{name}")]


@contextmanager
def serve(folders: Mapping[str, Path]) -> Iterator[Hub]:
    """Serve folders as repositories of a hub until the block ends."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    server.hub = Hub(f"http://127.0.0.1:{server.server_address[1]}", folders)  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield server.hub  # type: ignore[attr-defined]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def _git_sha1(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    @property
    def hub(self) -> Hub:
        return self.server.hub  # type: ignore[attr-defined, no-any-return]

    def do_HEAD(self) -> None:
        self._route()

    def do_GET(self) -> None:
        self._route()

    def log_message(self, format: str, *args: object) -> None:
        """Keep the output of the tests clean."""

    def _route(self) -> None:
        path = unquote(urlsplit(self.path).path).strip("/")
        self.hub.requests.append(Request(self.command, f"/{path}", self.headers.get("Range")))
        if self.hub.status is not None:
            return self._error(self.hub.status, None)
        parts = path.split("/")
        if parts[:2] == ["api", "models"] and len(parts) in (4, 6):
            return self._info("/".join(parts[2:4]), parts[5] if len(parts) == 6 else "main")
        if len(parts) >= 5 and parts[2] == "resolve":
            return self._resolve("/".join(parts[:2]), parts[3], "/".join(parts[4:]))
        return self._error(404, None)

    def _known(self, repo: str, revision: str) -> bool:
        """Whether the repository may be read at that revision; answers with the hub's error where not."""
        if repo in self.hub.gated:
            self._error(403, "GatedRepo")
        elif repo not in self.hub.folders:
            self._error(401, "RepoNotFound")  # the hub does not tell strangers a private one from none
        elif revision not in ("main", self.hub.commit(repo)):
            self._error(404, "RevisionNotFound")
        else:
            return True
        return False

    def _info(self, repo: str, revision: str) -> None:
        if not self._known(repo, revision):
            return
        siblings: list[dict[str, object]] = [{"rfilename": name, "size": 1} for name in self.hub.extra]
        for path in _files(self.hub.folders[repo]):
            content = path.read_bytes()
            sibling: dict[str, object] = {
                "rfilename": path.relative_to(self.hub.folders[repo]).as_posix(),
                "size": len(content),
                "blobId": _git_sha1(content),
            }
            if path.suffix in LARGE:
                sha256 = hashlib.sha256(content).hexdigest()
                sibling["lfs"] = {"sha256": sha256, "size": len(content), "pointerSize": 134}
            siblings.append(sibling)
        body = {"_id": "0", "id": repo, "modelId": repo, "sha": self.hub.commit(repo), "siblings": siblings}
        self._answer(200, json.dumps(body).encode(), {"Content-Type": "application/json"})

    def _resolve(self, repo: str, revision: str, name: str) -> None:
        if not self._known(repo, revision):
            return
        path = self.hub.folders[repo] / name
        if not path.is_file() or name in self.hub.lost:
            return self._error(404, "EntryNotFound")
        content = path.read_bytes()
        headers = {"X-Repo-Commit": self.hub.commit(repo), "Accept-Ranges": "bytes"}
        if path.suffix in LARGE:
            headers["ETag"] = f'"{hashlib.sha256(content).hexdigest()}"'
            headers |= {"X-Linked-Etag": headers["ETag"], "X-Linked-Size": str(len(content))}
        else:
            headers["ETag"] = f'"{_git_sha1(content)}"'
        if path.name in self.hub.tampered:
            content = bytes(byte ^ 1 for byte in content)
        if path.name in self.hub.swollen:
            content += bytes(1_000_000)
        start = 0
        if (wanted := self.headers.get("Range")) and self.hub.ranges:
            start = int(wanted.removeprefix("bytes=").split("-")[0])
            headers["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
        self._answer(206 if start else 200, content[start:], headers, self._next_break(path.name, start))

    def _next_break(self, name: str, start: int) -> int | None:
        """How many bytes of this answer to send before breaking off."""
        breaks = self.hub.breaks.get(name, []) if self.command == "GET" else []
        return max(breaks.pop(0) - start, 0) if breaks else None

    def _answer(self, status: int, body: bytes, headers: Mapping[str, str], stop: int | None = None) -> None:
        self.send_response(status)
        for key, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(key, value)
        self.end_headers()
        if self.command == "HEAD":
            return
        self.wfile.write(body[:stop])
        if stop is not None:
            self.wfile.flush()
            self.close_connection = True
            if self.hub.reset:
                linger = struct.pack("ii", 1, 0)
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                self.connection.close()
            else:
                self.connection.shutdown(socket.SHUT_RDWR)

    def _error(self, status: int, code: str | None) -> None:
        headers = {"X-Error-Code": code, "X-Error-Message": f"{code}."} if code else {}
        self._answer(status, b"{}", headers)
