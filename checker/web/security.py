"""Access control: the token, the Host header, requests from other sites; and the headers of every answer."""

from __future__ import annotations

import hmac
import ipaddress
import os
import re
from collections.abc import Collection, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from checker.errors import InputError
from checker.web.problems import RequestError

TOKEN_VARIABLE = "STATEMENT_CHECKER_TOKEN"
LOCAL_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
"""Of every answer."""

_MAKE_ONE = "Make one with: python3 -c 'import secrets; print(secrets.token_urlsafe())'."


def is_page(path: str) -> bool:
    """Whether a path belongs to the web page: the same for everybody."""
    return path == "/" or path.startswith("/static/")


def is_open(path: str) -> bool:
    """Whether a path is served without a token."""
    return is_page(path) or path in ("/healthz", "/openapi.json")


def find_token(file: Path | None, environment: Mapping[str, str] = os.environ) -> str | None:
    """The token that clients must send: from a file, else from ``STATEMENT_CHECKER_TOKEN``; None if neither.

    Raises:
        InputError: the file cannot be read, or what it has is no token.
    """
    if file is not None:
        try:
            token, where = file.read_text(encoding="utf-8").strip(), str(file)
        except (OSError, UnicodeDecodeError) as error:
            problem = getattr(error, "strerror", None) or "it is not UTF-8"
            raise InputError(f"The token file {file} cannot be read: {problem}.", fix=_MAKE_ONE) from None
    elif TOKEN_VARIABLE in environment:
        token, where = environment[TOKEN_VARIABLE], TOKEN_VARIABLE
    else:
        return None
    if not re.fullmatch(r"[A-Za-z0-9._~+/-]{16,}=*", token):
        problem = f"{where} has no token of 16 or more letters, digits or ._~+/-."
        raise InputError(problem, fix=_MAKE_ONE)
    return token


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach an address; a name other than ``localhost`` counts as reachable."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


class Guard:
    """Lets a request through if it is meant for this service, not sent by another site, and authorised.

    Args:
        app: what is guarded.
        token: that every path but the open ones needs; None for no token.
        hosts: names that the Host header may have; None for any. Against DNS rebinding, by which another
            site gives its own name the address of this service.
    """

    def __init__(self, app: ASGIApp, token: str | None, hosts: Collection[str] | None) -> None:
        self._app = app
        self._token = token.encode() if token is not None else None
        self._hosts = None if hosts is None else {host.lower() for host in hosts}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            try:
                self._check(scope["path"], Headers(scope=scope))
            except RequestError as refusal:
                await refusal.send_early(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _check(self, path: str, headers: Headers) -> None:
        if self._hosts is not None and _host(headers.get("host", "")) not in self._hosts:
            raise RequestError(
                400,
                "The Host header names another service.",
                fix="Use the address that the service was started with, or start it with --allowed-host.",
            )
        if is_open(path):
            return
        if _foreign(headers):
            fix = "Send it from the page of this service, or from a program."
            raise RequestError(403, "A page of another site sent the request.", fix=fix)
        if self._token is None:
            return
        scheme, _, given = headers.get("authorization", "").partition(" ")
        right = hmac.compare_digest(given.strip().encode(errors="replace"), self._token)
        if scheme.lower() != "bearer" or not right:
            raise RequestError(
                401,
                "The token is wrong." if given else "The token is missing.",
                fix="Send the header Authorization: Bearer TOKEN.",
                headers={"WWW-Authenticate": "Bearer"},
            )


def _foreign(headers: Headers) -> bool:
    """Whether a page of another site sent a request: by what browsers say of it, old ones too."""
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    if site is not None:
        return site in ("cross-site", "same-site")
    if origin is None:
        return False  # no browser, or a link
    try:
        there, here = urlsplit(origin), urlsplit(f"//{headers.get('host', '')}")
        if here.port is None:  # a proxy in front may leave the port out
            return there.hostname is None or there.hostname != here.hostname
        port = there.port or {"http": 80, "https": 443}.get(there.scheme)
        return (there.hostname, port) != (here.hostname, here.port)
    except ValueError:
        return True


def _host(header: str) -> str:
    """The name in a Host header, without the port."""
    try:
        return urlsplit(f"//{header}").hostname or ""
    except ValueError:
        return ""


class SecurityHeaders:
    """Adds `HEADERS` to every answer, and keeps all but the page out of caches."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def secured(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(HEADERS)
                headers["Cache-Control"] = "no-cache" if is_page(scope["path"]) else "no-store"
            await send(message)

        await self._app(scope, receive, secured)
