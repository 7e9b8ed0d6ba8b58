"""How the service listens: uvicorn with the settings that a small public service needs."""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import socket
from collections.abc import Sequence
from typing import Any, ClassVar

import h11
import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from checker.errors import InputError
from checker.web.limits import BEGAN, Limits
from checker.web.problems import LINGER, RequestError

CONNECTIONS = 512
"""Connections at once; a further one closes the one whose request has been incomplete for longest."""

_log = logging.getLogger(__name__)


class Server(uvicorn.Server):
    """Serves an application, and says where when it is ready."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start listening; the models are loaded by now."""
        await super().startup(sockets)
        for listener in sockets or ():
            host, port = listener.getsockname()[:2]
            _log.info("The service is ready: http://%s:%d", f"[{host}]" if ":" in host else host, port)


class TimedProtocol(H11Protocol):
    """HTTP/1.1 of uvicorn, which alone waits forever for clients that send nothing, or a byte at a time.

    From its first byte on, and for the first request from the connection on, a request has ``seconds`` to
    arrive. Where its head came in time, the application answers for what lacks of its body (`BodyLimit`),
    by the same clock.
    """

    seconds: ClassVar[float]
    waiting: ClassVar[dict[TimedProtocol, asyncio.TimerHandle]]
    """Connections whose request is not complete, by when it began, and what ends them."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """The client may begin; the one that has kept others waiting longest may have to make room."""
        super().connection_made(transport)
        self._begin()
        if len(self.connections) > CONNECTIONS:
            next(iter(self.waiting))._drop()

    def data_received(self, data: bytes) -> None:
        """Bytes of a request, the next one on this connection perhaps."""
        if self not in self.waiting and self._incomplete:
            self._begin()
        super().data_received(data)
        self._note()

    def on_response_complete(self) -> None:
        """An answer was sent; the next request may have begun meanwhile."""
        super().on_response_complete()
        self._note()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is closed, by whichever side."""
        self._end()
        super().connection_lost(exc)

    @property
    def _incomplete(self) -> bool:
        return self.conn.their_state in (h11.IDLE, h11.SEND_BODY)

    def _begin(self) -> None:
        began = self.loop.time()
        self.app_state = {**self.app_state, BEGAN: began}
        self.waiting[self] = self.loop.call_at(began + self.seconds, self._expire)

    def _end(self) -> None:
        if timer := self.waiting.pop(self, None):
            timer.cancel()

    def _note(self) -> None:
        if not self._incomplete:
            self._end()
        elif self not in self.waiting and self.conn.trailing_data[0] and not self.transport.is_closing():
            self._begin()

    def _expire(self) -> None:
        if self.conn.their_state is h11.SEND_BODY:  # the application answers within a moment
            self.waiting[self] = self.loop.call_later(2 * LINGER + 1, self._drop)
            return
        if self.conn.trailing_data[0]:
            self.transport.write(_too_slow(self.seconds))
        self._end()
        self.transport.close()

    def _drop(self) -> None:
        self._end()
        self.transport.abort()


def _too_slow(seconds: float) -> bytes:
    """The answer to a request of which not even the head has arrived."""
    body = RequestError.late(seconds).problem.to_json().encode()
    head = "HTTP/1.1 408 Request Timeout\r\nContent-Type: application/json\r\nConnection: close\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


def config(
    app: ASGIApp, host: str, port: int, *, limits: Limits | None = None, log_level: str = "info"
) -> uvicorn.Config:
    """A configuration for `Server`.

    The access log is the application's own (`checker.web.metrics.Observe`): uvicorn's has query strings.

    Args:
        app: what is served.
        host, port: where; unused by a server that is given sockets.
        limits: of the application.
        log_level: of uvicorn.
    """
    limits = limits or Limits()
    timing: dict[str, Any] = {"seconds": limits.upload_seconds, "waiting": {}}
    return uvicorn.Config(
        app,
        host=host,
        port=port,
        http=type("Timed", (TimedProtocol,), timing),
        ws="none",
        lifespan="on",
        log_level=log_level,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        h11_max_incomplete_event_size=16 * 2**10,
        timeout_keep_alive=5,
        # A request that has begun when the service is told to end is answered.
        timeout_graceful_shutdown=int(limits.upload_seconds + limits.seconds) + 5,
    )


def bind(host: str, port: int) -> list[socket.socket]:
    """Take a port, before the models are loaded; nobody is answered on it until a server listens.

    Args:
        host: name or address; a name is bound on all of its addresses.
        port: 0 takes one that is free.

    Raises:
        InputError: the port is in use or not allowed, or this machine does not have the address.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError as error:
        problem = f"There is no address {host!r}: {error.strerror or error}."
        raise InputError(problem, fix="Use an address of this machine with --host.") from None
    bound: list[socket.socket] = []
    problems: list[OSError] = []
    for family, kind, protocol, _, address in dict.fromkeys(found):
        try:
            listener = socket.socket(family, kind, protocol)
        except OSError as error:  # a kernel without IPv6
            problems.append(error)
            continue
        try:
            if os.name == "posix":
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            taken = port or (bound[0].getsockname()[1] if bound else 0)
            listener.bind((address[0], taken, *address[2:]))
            bound.append(listener)
        except OSError as error:
            listener.close()
            problems.append(error)
    fatal = next((error for error in problems if error.errno == errno.EADDRINUSE), None)
    if not bound or fatal:
        _close(bound)
        raise _refused(host, port, fatal or problems[0])
    return bound


def _close(sockets: Sequence[socket.socket]) -> None:
    for listener in sockets:
        listener.close()


def _refused(host: str, port: int, error: OSError) -> InputError:
    if error.errno == errno.EADDRINUSE:
        fix = "Stop the program that uses it, or choose another port with --port."
        return InputError(f"Port {port} of {host} is in use.", fix=fix)
    if error.errno == errno.EACCES:
        fix = "Choose one from 1024 on with --port."
        return InputError(f"You may not use port {port} of {host}.", fix=fix)
    fix = "Use an address of this machine with --host."
    return InputError(f"{host} cannot be listened on: {error.strerror or error}.", fix=fix)
