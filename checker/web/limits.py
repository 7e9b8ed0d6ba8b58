"""How much a client may ask for, and the body limit."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from checker.text import MAX_CHARACTERS
from checker.web.problems import RequestError


@dataclass(frozen=True)
class Limits:
    """What the service takes on.

    Attributes:
        body: bytes of a request.
        posts: posts of one request, rows of one file.
        characters: of a post.
        waiting: posts of all clients that may wait to be scored.
        seconds: from a complete request to its answer.
        upload_seconds: for a request to arrive.
    """

    body: int = 2 * 2**20
    posts: int = 200
    characters: int = MAX_CHARACTERS
    waiting: int = 1000
    seconds: float = 60.0
    upload_seconds: float = 20.0

    def __post_init__(self) -> None:
        if self.waiting < self.posts:
            raise ValueError("as many posts must be allowed to wait as a request may have")


class BodyLimit:
    """Reads a body before anything else sees it; refuses one that is too large or too slow.

    Only the sender waits for a slow body, and an incomplete body is never processed.
    """

    def __init__(self, app: ASGIApp, limits: Limits) -> None:
        self._app, self._limits = app, limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            body = await self._read(Headers(scope=scope), receive)
        except RequestError as refusal:
            await refusal.send_early(scope, receive, send)
            return
        if body is None:
            return
        waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

        async def replay() -> Message:
            return waiting.pop() if waiting else await receive()

        await self._app(scope, replay, send)

    async def _read(self, headers: Headers, receive: Receive) -> bytes | None:
        """The body; None when its sender hung up."""
        told = headers.get("content-length", "0")
        if told.isdigit() and int(told) > self._limits.body:
            raise self._too_large()
        body = bytearray()
        try:
            async with asyncio.timeout(self._limits.upload_seconds):
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
            seconds = f"{self._limits.upload_seconds:g}"
            raise RequestError(
                408, f"The request did not arrive within {seconds} seconds.", fix="Send it again, or less."
            ) from None

    def _too_large(self) -> RequestError:
        return RequestError(
            413, f"The request is larger than {self._limits.body} bytes.", fix="Send less at once."
        )
