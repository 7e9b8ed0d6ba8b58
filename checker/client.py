"""A client of the HTTP service: the functions of `checker.Checker` where the models are on another machine.

Only the standard library and pydantic are needed here: no model, and none of the service's packages.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from http.client import HTTPException, HTTPResponse
from itertools import islice, repeat
from pathlib import Path
from typing import Any, TypeVar
from urllib.error import HTTPError, URLError
from urllib.request import OpenerDirector, ProxyHandler, Request, build_opener

from checker.account.record import Account
from checker.bitext.result import Quality
from checker.errors import CheckerError, InputError, OutputError
from checker.files import write_text, write_whole, writing
from checker.result import Result, RowError, row_of

POSTS = 100
"""Posts in a request."""

T = TypeVar("T")
_LINES = "application/x-ndjson"


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
        with _understood():
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
            with _understood():
                found = self._post("/v1/score", posts)["results"] if posts else []
                results = iter([Result.model_validate(one) for one in found])
                answered = [row if isinstance(row, RowError) else next(results) for row in batch]
            yield from answered

    def quality(self, source: str, target: str, reference: str | None = None, **languages: str) -> Quality:
        """Estimate the quality of a translation, as `checker.quality`.

        Args:
            source, target, reference: the texts.
            languages: ``source_language`` and ``target_language``, where they are known.

        Raises:
            InputError, ServiceError: as ``score``.
        """
        pair = {"source": source, "target": target, "reference": reference, **languages}
        with _understood():
            return Quality.model_validate(self._post("/v1/quality", pair))

    def score_file(
        self,
        source: str | Path,
        output: str | Path,
        *,
        text_column: str = "text",
        id_column: str = "id",
        language: str | None = None,
        account_column: str | None = None,
        date_column: str | None = None,
    ) -> int:
        """Score the posts of a file into a file of JSON lines, one a row, in their order.

        Args:
            source: ``.csv``, ``.tsv``, ``.jsonl`` or ``.txt``, with no more rows than the service takes
                (2000, unless it was started otherwise).
            output: what `accounts` and `report`, ``checker accounts`` and ``checker report`` read. A row that
                cannot be scored has a `RowError` in its place.
            text_column, id_column: columns or fields with the text and the id.
            language: ISO 639-1 code of all posts; by default that of each is identified.
            account_column, date_column: columns or fields with the account and the date: each row of the
                output then has ``account`` and ``date``.

        Returns:
            The number of rows.

        Raises:
            InputError, ServiceError: as ``score``; also where the answer ends early, or ``source`` cannot be
                read. ``output`` is then as it was.
            OutputError: it is no ``.jsonl``, is ``source`` itself, or cannot be written.
        """
        fields = {
            "text_column": text_column, "id_column": id_column, "language": language,
            "account_column": account_column, "date_column": date_column,
        }  # fmt: skip
        target = _target(Path(output), Path(source), ".jsonl")
        lines = self._ask(self._form("/v1/score/file", Path(source), fields, _LINES), _rows)
        write_whole(target, lambda path: path.write_bytes(b"".join(lines)))
        return len(lines)

    def accounts(self, scores: str | Path, *, window: str = "month") -> list[Account]:
        """Judge the accounts of a file of `score_file`, by name; no post is scored again.

        Args:
            scores: JSON lines with ``account`` and, where it is known, ``date``.
            window: length of the windows over time: ``day``, ``week``, ``month`` or ``year``.

        Raises:
            InputError, ServiceError: as ``score``.
        """
        request = self._form("/v1/accounts", Path(scores), {"window": window})
        with _understood():
            return [Account.model_validate(one) for one in self._ask(request, _json)["accounts"]]

    def report(self, scores: str | Path, output: str | Path, *, date: str | None = None) -> None:
        """Write the page of ``checker report`` about a file of `score_file`.

        Args:
            scores: JSON lines.
            output: the HTML file.
            date: printed on the page, as it is.

        Raises:
            InputError, ServiceError: as ``score``.
            OutputError: ``output`` is no ``.html``, is ``scores`` itself, or cannot be written.
        """
        target = _target(Path(output), Path(scores), ".html")
        request = self._form("/v1/report", Path(scores), {"date": date})
        with _understood():
            page = self._ask(request, lambda answer: answer.read().decode())
            if "statement-checker" not in page:
                raise ValueError
        write_text(page, target)

    def languages(self) -> list[dict[str, Any]]:
        """The languages that posts are scored in, with their error rates; see docs/http.md."""
        with _understood():
            found: list[dict[str, Any]] = self._get("/v1/languages")["languages"]
        return found

    def version(self) -> str:
        """The version of the service.

        Raises:
            ServiceError: it does not answer.
        """
        with _understood():
            return str(self._get("/healthz")["version"])

    def _get(self, path: str) -> Any:
        return self._ask(Request(f"{self._url}{path}", headers=self._headers), _json)

    def _post(self, path: str, body: object) -> Any:
        try:
            data = json.dumps(body, ensure_ascii=False).encode()
        except (TypeError, UnicodeEncodeError):
            raise InputError("A text is no string in valid Unicode.", fix="Pass its text.") from None
        headers = {**self._headers, "Content-Type": "application/json"}
        return self._ask(Request(f"{self._url}{path}", data, headers), _json)

    def _form(self, path: str, file: Path, fields: Mapping[str, str | None], accept: str = "*/*") -> Request:
        """A form with a file and the fields that have a value."""
        try:
            content = file.read_bytes()
        except OSError as error:
            problem = f"{file} cannot be read: {error.strerror or error}."
            raise InputError(problem, fix="Check its path.") from None
        suffix = file.suffix.lower() if file.suffix.isascii() and file.suffix[1:].isalnum() else ""
        boundary = secrets.token_hex(16)
        head = f"--{boundary}\r\nContent-Disposition: form-data; name="
        parts = [f'{head}"{name}"\r\n\r\n{value}\r\n' for name, value in fields.items() if value is not None]
        parts.append(f'{head}"file"; filename="posts{suffix}"\r\n\r\n')
        try:
            before = "".join(parts).encode()
        except UnicodeEncodeError:
            raise InputError("A field is no string in valid Unicode.", fix="Pass its text.") from None
        body = before + content + f"\r\n--{boundary}--\r\n".encode()
        kind = {"Content-Type": f"multipart/form-data; boundary={boundary}", "Accept": accept}
        return Request(f"{self._url}{path}", body, self._headers | kind)

    def _ask(self, request: Request, read: Callable[[HTTPResponse], T]) -> T:
        for last in range(self._retries, -1, -1):
            try:
                with self._opener.open(request, timeout=self._timeout) as answer:
                    return read(answer)
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


@contextmanager
def _understood() -> Iterator[None]:
    """Turn what is wrong with an answer that is read into a `ServiceError`."""
    try:
        yield
    except CheckerError:
        raise
    except (KeyError, TypeError, ValueError, StopIteration):
        raise ServiceError("The answer is not one of this version: is this the service?") from None


def _target(output: Path, source: Path, suffix: str) -> Path:
    """Where an answer is written; found out before anything is sent.

    Raises:
        OutputError: the format is another one, or it would replace what is sent.
    """
    if output.suffix.lower() != suffix:
        raise OutputError(f"The format of {output} is another one. Use {suffix}.")
    with writing(output):
        if output.exists() and source.exists() and output.samefile(source):
            raise OutputError(f"{output} is the input: it would be lost. Write to another file.")
        if not output.parent.is_dir():
            raise OutputError(f"There is no folder {output.parent}. Make it first.")
    return output


def _rows(answer: HTTPResponse) -> list[bytes]:
    """The lines of an answer, if there is one for each row; the last one may say what went wrong."""
    lines = list(answer)
    expected = answer.headers.get("Statement-Checker-Rows")
    if expected is None:
        raise ServiceError("The answer has no rows: is this the service?", answer.status)
    read = [_line(line) for line in lines]
    last = read[-1] if read else None
    if last is not None and "id" not in last and {"error", "fix"} <= last.keys():
        raise ServiceError(f"{last['error']} {last['fix']}", answer.status)
    whole = sum(one is not None for one in read)
    if str(whole) != expected or whole < len(lines):
        problem = f"{whole} of {expected} rows came whole."
        raise ServiceError(f"{problem} Send the file again.", answer.status)
    return lines


def _line(line: bytes) -> dict[str, Any] | None:
    """A row of an answer; None where it is none, or was cut off."""
    try:
        found = json.loads(line)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


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
