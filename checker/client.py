"""A client of the HTTP service: the functions of `checker.Checker` where the models are on another machine.

Only the standard library and pydantic are needed here: no model, and none of the service's packages.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator
from http.client import HTTPException, HTTPResponse
from itertools import islice, repeat
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import OpenerDirector, ProxyHandler, Request, build_opener

from checker.bitext.result import Quality
from checker.errors import CheckerError, InputError
from checker.result import Result, RowError, row_of

POSTS = 100
"""Posts in a request."""


class ServiceError(CheckerError):
    """The service does not answer, or not as it should.

    Attributes:
        status: of the answer; None where there was none.
    """

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class Client:
    """Scores posts with a service that runs elsewhere (``checker serve``).

    Args:
        url: of the service, as ``http://127.0.0.1:8000``. Proxies of the environment are not used for it.
        token: that it asks for, if it does.
        timeout: seconds for an answer.
        retries: how often a request is sent again when the service is full, after the time that it names.
    """

    def __init__(
        self,
        url: str = "http://127.0.0.1:8000",
        *,
        token: str | None = None,
        timeout: float = 90.0,
        retries: int = 5,
    ) -> None:
        if not url.startswith(("http://", "https://")):
            raise InputError(f"{url!r} is no address of a service.", fix="Give it as http://HOST:PORT.")
        self._url, self._timeout, self._retries = url.rstrip("/"), timeout, retries
        self._headers = {"Authorization": f"Bearer {token}"} if token is not None else {}
        self._opener: OpenerDirector = build_opener(ProxyHandler({}))

    def __repr__(self) -> str:
        return f"Client({self._url!r})"

    def score(self, text: str, id: str | int = "1", *, language: str | None = None) -> Result:
        """Score one post, as `checker.Checker.score`.

        Args:
            text: the post.
            id: returned in the result, as a string.
            language: ISO 639-1 code of the post; by default it is identified.

        Raises:
            InputError: the service refuses the post; its field and the fix are those of the service.
            ServiceError: it does not answer, is full, lacks a model, or wants another token.
        """
        return Result.model_validate(self._post("/v1/score", _named(str(id), text, language)))

    def score_many(
        self, texts: Iterable[Any], ids: Iterable[object] | None = None, *, language: str | None = None
    ) -> Iterator[Result | RowError]:
        """Score many posts, `POSTS` in a request; results come in the order of the posts.

        Args:
            texts: the posts; read as they are needed. One that is no string has a `RowError` in its place.
            ids: one for each post; by default "1", "2", …
            language: ISO 639-1 code of all of them; by default that of each is identified.

        Raises:
            InputError, ServiceError: as ``score``; the requests before it have given their results.
            ValueError: there are more or fewer ids than posts.
        """
        if isinstance(texts, str):
            raise InputError("The posts must be a sequence of strings.", fix="Use score for one post.")
        named = zip(repeat(None), texts, strict=False) if ids is None else zip(ids, texts, strict=True)
        rows = (row_of(n, id, text) for n, (id, text) in enumerate(named, start=1))
        while batch := list(islice(rows, POSTS)):
            posts = [_named(*row, language) for row in batch if not isinstance(row, RowError)]
            results = iter(self._post("/v1/score", posts)["results"] if posts else [])
            for row in batch:
                yield row if isinstance(row, RowError) else Result.model_validate(next(results))

    def quality(self, source: str, target: str, reference: str | None = None, **languages: str) -> Quality:
        """Estimate the quality of a translation, as `checker.quality`.

        Args:
            source, target, reference: the texts.
            languages: ``source_language`` and ``target_language``, where they are known.

        Raises:
            InputError, ServiceError: as ``score``.
        """
        pair = {"source": source, "target": target, "reference": reference, **languages}
        return Quality.model_validate(self._post("/v1/quality", pair))

    def languages(self) -> list[dict[str, Any]]:
        """The languages that posts are scored in, with their error rates; see docs/http.md."""
        found: list[dict[str, Any]] = self._get("/v1/languages")["languages"]
        return found

    def version(self) -> str:
        """The version of the service.

        Raises:
            ServiceError: it does not answer.
        """
        return str(self._get("/healthz")["version"])

    def _get(self, path: str) -> Any:
        return self._ask(Request(f"{self._url}{path}", headers=self._headers))

    def _post(self, path: str, body: object) -> Any:
        try:
            data = json.dumps(body, ensure_ascii=False).encode()
        except (TypeError, UnicodeEncodeError):
            raise InputError("A text is no string in valid Unicode.", fix="Pass its text.") from None
        headers = {**self._headers, "Content-Type": "application/json"}
        return self._ask(Request(f"{self._url}{path}", data, headers))

    def _ask(self, request: Request) -> Any:
        for last in range(self._retries, -1, -1):
            try:
                with self._opener.open(request, timeout=self._timeout) as answer:
                    return _json(answer)
            except HTTPError as refused:
                wait = refused.headers.get("Retry-After", "")
                if refused.code == 503 and wait.isdigit() and last:
                    time.sleep(int(wait))
                    continue
                raise _error(refused) from None
            except (URLError, OSError, HTTPException) as error:
                reason = getattr(error, "reason", None) or error
                problem = f"The service at {self._url} does not answer: {reason}."
                raise ServiceError(f"{problem} See whether it runs.") from None
        raise AssertionError("the last try returns or raises")


def _named(id: str, text: str, language: str | None) -> dict[str, str]:
    return {"id": id, "text": text} | ({} if language is None else {"language": language})


def _json(answer: HTTPResponse) -> Any:
    try:
        return json.loads(answer.read())
    except ValueError:
        raise ServiceError("The answer is not JSON: is this the service?", answer.status) from None


def _error(refused: HTTPError) -> CheckerError:
    """What the service said was wrong."""
    try:
        problem = json.loads(refused.read())
        error, fix, field = problem["error"], problem["fix"], problem["field"]
    except (ValueError, KeyError, TypeError, OSError):
        return ServiceError(f"The service answered with status {refused.code}.", refused.code)
    if refused.code in (413, 422):
        return InputError(error, fix=fix, field=field)
    return ServiceError(f"{error} {fix}", refused.code)
