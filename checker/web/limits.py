"""How much a client may ask for, and the body limit."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from checker.text import MAX_CHARACTERS
from checker.web.problems import RequestError

BEGAN = "began"
"""In the state of a request: when it began, by the clock of the event loop."""


@dataclass(frozen=True)
class Limits:
    """What the service takes on.

    Attributes:
        body: bytes of a request.
        posts: posts of one request, rows of one file.
        characters: of a post.
        waiting: posts of all clients that may wait to be scored, or be in work.
        requests: complete requests at once.
        seconds: from a complete request to its answer.
        upload_seconds: for a request to arrive, from its first byte on.
    """

    body: int = 2 * 2**20
    posts: int = 200
    characters: int = MAX_CHARACTERS
    waiting: int = 1000
    requests: int = 256
    seconds: float = 60.0
    upload_seconds: float = 20.0

    def __post_init__(self) -> None:
        if self.waiting < self.posts:
            raise ValueError("as many posts must be allowed to wait as a request may have")


class BodyLimit:
    """Reads a body before anything else sees it; refuses one that is too large or too slow.

    Only the sender waits for a slow body, and an incomplete body is never processed. Requests count once they
    are complete: slow ones do not keep others out.
    """

    def __init__(self, app: ASGIApp, limits: Limits) -> None:
        self._app, self._limits = app, limits
        self._requests = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            body = await self._read(scope, receive)
            if self._requests >= self._limits.requests:
                problem, retry = "Too many requests are waiting.", {"Retry-After": "1"}
                raise RequestError(503, problem, fix="Try again after 1 second.", headers=retry)
        except RequestError as refusal:
            await refusal.send_early(scope, receive, send)
            return
        if body is None:
            return
        waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

        async def replay() -> Message:
            return waiting.pop() if waiting else await receive()

        self._requests += 1
        try:
            await self._app(scope, replay, send)
        finally:
            self._requests -= 1

    async def _read(self, scope: Scope, receive: Receive) -> bytes | None:
        """The body; None when its sender hung up."""
        told = Headers(scope=scope).get("content-length", "0")
        began = scope.get("state", {}).get(BEGAN) or asyncio.get_running_loop().time()
        if told.isdigit() and int(told) > self._limits.body:
            raise self._too_large()
        body = bytearray()
        try:
            async with asyncio.timeout_at(began + self._limits.upload_seconds):
                while True:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        return None
                    body += message.get("body", b"")
                    if len(body) > self._limits.body:
                        raise self._too_large()
                    if not message.get("more_body", False):
                        return bytes(body)
        except TimeoutError:
            raise RequestError.late(self._limits.upload_seconds) from None

    def _too_large(self) -> RequestError:
        return RequestError(
            413, f"The request is larger than {self._limits.body} bytes.", fix="Send less at once."
        )
