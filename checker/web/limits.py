"""How much a client may ask for, and the body limit."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from checker.text import MAX_CHARACTERS
from checker.web.problems import RequestError

BEGAN = "began"
"""In the state of a request: when it began, by the clock of the event loop."""

UPLOADS = frozenset({"/v1/score/file", "/v1/accounts", "/v1/report"})
"""Paths that take a file."""

ROW_BYTES = 8192
"""Bytes for a row of a file: the scores of a post, which are sent back for a report, are larger than it."""


@dataclass(frozen=True)
class Limits:
    """What the service takes on.

    Attributes:
        body: bytes of a request.
        posts: posts of one request that is answered at once, rows of one file.
        rows: rows of a file that is answered as it is scored, or that was scored.
        uploads: requests with more than ``body`` bytes at once.
        characters: of a post.
        waiting: posts of all clients that may wait to be scored, or be in work.
        requests: complete requests at once.
        seconds: from a complete request to its answer.
        upload_seconds: for a request to arrive, from its first byte on.
    """

    body: int = 2 * 2**20
    posts: int = 200
    rows: int = 2000
    uploads: int = 4
    characters: int = MAX_CHARACTERS
    waiting: int = 1000
    requests: int = 256
    seconds: float = 60.0
    upload_seconds: float = 20.0

    def __post_init__(self) -> None:
        if self.waiting < self.posts:
            raise ValueError("as many posts must be allowed to wait as a request may have")

    @property
    def upload(self) -> int:
        """Bytes of a request with a file."""
        return max(self.body, self.rows * ROW_BYTES)


class BodyLimit:
    """Reads a body before anything else sees it; refuses one that is too large or too slow.

    Only the sender waits for a slow body, and an incomplete body is never processed. Requests count once they
    are complete: slow ones do not keep others out.
    """

    def __init__(self, app: ASGIApp, limits: Limits) -> None:
        self._app, self._limits = app, limits
        self._requests = self._uploads = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        with ExitStack() as held:
            await self._serve(scope, receive, send, held)

    async def _serve(self, scope: Scope, receive: Receive, send: Send, held: ExitStack) -> None:
        try:
            body = await self._read(scope, receive, held)
            if self._requests >= self._limits.requests:
                problem, retry = "Too many requests are waiting.", {"Retry-After": "1"}
                raise RequestError(503, problem, fix="Try again after 1 second.", headers=retry)
        except RequestError as refusal:
            await refusal.send_early(scope, receive, send)
            return
        if body is None:
            return
        waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]
        del body  # a file is not held for as long as it is scored

        async def replay() -> Message:
            return waiting.pop() if waiting else await receive()

        self._requests += 1
        try:
            await self._app(scope, replay, send)
        finally:
            self._requests -= 1

    async def _read(self, scope: Scope, receive: Receive, held: ExitStack) -> bytes | None:
        """The body; None when its sender hung up. ``held`` gets what is given back with the answer."""
        told = Headers(scope=scope).get("content-length", "0")
        began = scope.get("state", {}).get(BEGAN) or asyncio.get_running_loop().time()
        most = self._limits.upload if scope["path"] in UPLOADS else self._limits.body
        if told.isdigit() and int(told) > most:
            raise self._too_large(most)
        if told.isdigit() and int(told) > self._limits.body:
            self._check_uploads()
        body, large = bytearray(), False
        try:
            async with asyncio.timeout_at(began + self._limits.upload_seconds):
                while True:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        return None
                    body += message.get("body", b"")
                    if len(body) > most:
                        raise self._too_large(most)
                    if (
                        len(body) > self._limits.body and not large
                    ):  # not before it is: who only says so waits
                        held.enter_context(self._upload())
                        large = True
                    if not message.get("more_body", False):
                        return bytes(body)
        except TimeoutError:
            raise RequestError.late(self._limits.upload_seconds) from None

    @contextmanager
    def _upload(self) -> Iterator[None]:
        """Be one of the few large requests while the context is open."""
        self._check_uploads()
        self._uploads += 1
        try:
            yield
        finally:
            self._uploads -= 1

    def _check_uploads(self) -> None:
        if self._uploads >= self._limits.uploads:
            problem, retry = "Too many large files are in work.", {"Retry-After": "10"}
            raise RequestError(503, problem, fix="Try again after 10 seconds.", headers=retry)

    def _too_large(self, most: int) -> RequestError:
        return RequestError(413, f"The request is larger than {most} bytes.", fix="Send less at once.")
