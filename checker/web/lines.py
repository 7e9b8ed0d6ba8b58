"""A file that is answered as it is scored: JSON lines, a few rows at a time.

A file of any length is a small request after the other: it has a few posts in the queues at a time, so its
turn comes as often as that of anybody else, and what waits of it takes no room.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Sequence
from functools import partial

from starlette.requests import Request
from starlette.responses import StreamingResponse

from checker.errors import CheckerError
from checker.io.read import Post
from checker.result import Result, RowError
from checker.runs.local import output_line
from checker.web.problems import RequestError, refusal_of
from checker.web.service import Asked, Service
from checker.web.upload import LINES

ROWS = "Statement-Checker-Rows"
"""Header with the number of rows: of so many lines an answer is whole."""

PART, PART_CHARACTERS = 20, 20_000
"""Most posts of a file that are scored together, and the characters from which there are no more of them."""

Row = Post | RowError
Score = Callable[[Sequence[Asked]], Awaitable[list[Result]]]


def parts(rows: Iterable[Row]) -> Iterator[list[Row]]:
    """The rows of a file in parts that are scored one after the other."""
    part: list[Row] = []
    characters = 0
    for row in rows:
        part.append(row)
        characters += len(row.text) if isinstance(row, Post) else 0
        if len(part) == PART or characters >= PART_CHARACTERS:
            yield part
            part, characters = [], 0
    if part:
        yield part


async def scored(service: Service, rows: Sequence[Row], language: str | None, score: Score) -> list[str]:
    """The JSON of what becomes of each row, with what was kept of it.

    Args:
        service: that scores.
        rows: of a file.
        language: ISO 639-1 code of the posts; None where it is to be found out.
        score: gives the results of posts.
    """
    asked = [Asked(row.id, row.text, language) for row in rows if isinstance(row, Post)]
    results = iter(await score(asked) if asked else [])
    outcomes = [row if isinstance(row, RowError) else next(results) for row in rows]
    service.metrics.results(outcomes)
    return [output_line(outcome, row.kept or {}) for row, outcome in zip(rows, outcomes, strict=True)]


async def streamed(
    request: Request, service: Service, rows: Sequence[Row], language: str | None
) -> StreamingResponse:
    """The answer to a file. What goes wrong after its first part is its last line, a `Problem`.

    Raises:
        RequestError, CheckerError: there is no first part.
    """
    remaining = parts(rows)
    first = await scored(service, next(remaining, []), language, partial(service.score, request))

    async def answer() -> AsyncIterator[str]:
        yield _lines(first)
        for part in remaining:
            try:
                yield _lines(await scored(service, part, language, service.score_next))
            except (RequestError, CheckerError) as error:
                refusal = error if isinstance(error, RequestError) else refusal_of(error)
                yield _lines([refusal.problem.to_json()])
                return

    # A proxy in front passes it on line by line.
    headers = {ROWS: str(len(rows)), "X-Accel-Buffering": "no"}
    return StreamingResponse(answer(), media_type=LINES, headers=headers)


def _lines(texts: Iterable[str]) -> str:
    return "".join(f"{text}\n" for text in texts)
