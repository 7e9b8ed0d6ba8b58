"""What is wrong with a request: one JSON object for every error, whoever finds it."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from pydantic import Field
from starlette.exceptions import HTTPException
from starlette.types import Receive, Scope, Send

from checker.errors import CheckerError, InputError
from checker.result import Record

LINGER = 1.0
"""Seconds for which the rest of a refused body is read and dropped, so that its sender sees the answer."""

_JSON, _FORM = "application/json", "multipart/form-data"
_FIXES = {
    404: "See /openapi.json for what there is.",
    405: "See /openapi.json for the methods of each path.",
}
_MESSAGES = {
    "missing": "The field is missing.",
    "extra_forbidden": "There is no such field.",
    "string_type": "The value is not a string.",
    "int_type": "The value is not a whole number.",
    "model_attributes_type": "This is not an object with fields.",
    "dict_type": "This is not an object with fields.",
    "list_type": "This is not a list.",
    "literal_error": "The value is not one of those that there are.",
    "string_too_long": "The value is too long.",
}


class Problem(Record):
    """What is wrong with a request."""

    field: str | None = Field(None, description="The field that is wrong.")
    error: str = Field(description="What is wrong.")
    fix: str = Field(description="What to do about it.")


class RequestError(Exception):
    """A request that is not served.

    Args:
        status: of the answer.
        error: what is wrong, in one sentence.
        fix: what to do about it, in one sentence.
        field: the field that is wrong, if there is one.
        headers: of the answer.
    """

    def __init__(
        self,
        status: int,
        error: str,
        *,
        fix: str,
        field: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(error)
        self.status, self.headers = status, headers
        self.problem = Problem(field=field, error=error, fix=fix)

    @classmethod
    def late(cls, seconds: float) -> RequestError:
        """Of a request that has not arrived within ``seconds``."""
        problem = f"The request did not arrive within {seconds:g} seconds."
        return cls(408, problem, fix="Send it again, or less.")

    def response(self) -> Response:
        """The answer."""
        return Response(self.problem.to_json(), self.status, self.headers, _JSON)

    async def send_early(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer before the body was read, and close the connection.

        The body is then read for up to ``LINGER`` seconds: a connection that is closed on a client that is
        still sending may lose the answer.
        """
        response = self.response()
        response.headers["connection"] = "close"
        await send(
            {"type": "http.response.start", "status": response.status_code, "headers": response.raw_headers}
        )
        await send({"type": "http.response.body", "body": response.body, "more_body": True})
        with suppress(TimeoutError):
            async with asyncio.timeout(LINGER):
                while (await receive()).get("more_body", False):
                    pass
        await send({"type": "http.response.body", "body": b"", "more_body": False})


FORMS = {
    "/v1/score/file": ("file", "text_column", "id_column", "language", "account_column", "date_column"),
    "/v1/accounts": ("file", "window"),
    "/v1/report": ("file", "date"),
}
"""Path → the parts of the form that it takes."""


async def check_form(request: Request) -> None:
    """Raise RequestError if a form has a part that would not be read, or one part twice."""
    known = FORMS[request.url.path]
    for name, parts in Counter(name for name, _ in (await request.form()).multi_items()).items():
        if name not in known:
            raise RequestError(422, "There is no such field.", fix=f"Send {', '.join(known)}.", field=name)
        if parts > 1:
            thing = "files" if name == "file" else "values"
            problem = f"There are {parts} {thing} by the name of {name}; one is read at a time."
            raise RequestError(422, problem, fix="Send each in a request of its own.", field=name)


def refusal_of(error: CheckerError) -> RequestError:
    """What is said of an error of the package."""
    if isinstance(error, InputError):
        return RequestError(422, error.problem, fix=error.fix, field=error.field)
    return RequestError(503, str(error), fix="Tell the people who run this service.")


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The error answers of a path, for its OpenAPI description."""
    return {status: {"model": Problem, "description": _MEANINGS[status]} for status in statuses}


_MEANINGS = {
    400: "The body cannot be read, or the Host header is not one of this service.",
    401: "The token is missing or wrong.",
    403: "A page of another site sent the request.",
    408: "The request did not arrive in time.",
    413: "The body is too large.",
    415: "The body is not of the type that the path takes, by its Content-Type.",
    422: "JSON, a field or a file is wrong, or there is too much of it.",
    500: "Internal error.",
    503: "Too much is waiting, scoring took too long, or a model is missing.",
}


def install(app: FastAPI) -> None:
    """Have every error of an application answered with a `Problem`."""
    app.add_exception_handler(RequestError, _on_request_error)
    app.add_exception_handler(InputError, _on_input_error)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(CheckerError, _on_checker_error)
    app.add_exception_handler(HTTPException, _on_http)


async def _on_request_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestError)
    return error.response()


async def _on_input_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, InputError)
    return refusal_of(error).response()


async def _on_invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    sent = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    wanted = _FORM if request.url.path in FORMS else _JSON
    if sent != wanted:
        fix = f"Send it as {wanted}, with a Content-Type header that says so."
        return RequestError(415, f"The body is not {wanted}.", fix=fix).response()
    if wanted == _FORM:
        try:
            await check_form(request)
        except RequestError as refusal:
            return refusal.response()
    first = error.errors()[0]
    if first["type"] == "json_invalid":
        field, message = None, f"The body is not JSON: {first['ctx']['error']}."
    else:
        field = _field(first["loc"])
        message = _MESSAGES.get(first["type"], f"{first['msg']}.")
        if field is not None and field.rpartition(".")[2] == "id":
            message = "The id is not a string of at most 256 characters, nor a whole number."
        if field == "file" and wanted == _FORM:
            message = "There is no file."
    return RequestError(422, message, fix="Send it as /openapi.json has it.", field=field).response()


def _field(place: Sequence[int | str]) -> str | None:
    """The field that pydantic names by a place in its models: ``text``, or ``2.text`` in a list."""
    names = [part for part in place[1:] if part not in ("post", "posts")]  # the two kinds of body
    depth = 2 if names and isinstance(names[0], int) else 1  # deeper are the types that a field may have
    return ".".join(map(str, names[:depth])) or None


async def _on_checker_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, CheckerError)
    return refusal_of(error).response()


async def _on_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    headers = dict(error.headers) if error.headers else None
    fix = _FIXES.get(error.status_code, "Send it as /openapi.json has it.")
    message = f"{str(error.detail).rstrip('.')}."
    return RequestError(error.status_code, message, fix=fix, headers=headers).response()
