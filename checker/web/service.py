"""What the routes share: the models, the queues in front of them, the metrics."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import TypeVar

from starlette.requests import Request

from checker.bitext.estimator import Pair, QualityEstimator
from checker.bitext.result import Quality
from checker.languages import SUPPORTED
from checker.pipeline import Checker
from checker.result import Result
from checker.web import catalogue
from checker.web.batching import Batcher, BusyError
from checker.web.limits import Limits
from checker.web.metrics import Metrics
from checker.web.problems import RequestError

T = TypeVar("T")


class Service:
    """Scores posts and estimates pairs for many clients at once.

    Args:
        checker: scores posts.
        estimator: estimates translation quality.
        limits: how much may wait, and for how long.

    Raises:
        ModelNotFoundError: an embedded model is missing.
        ModelCorruptedError: a file of a model is not the one in the lock.
    """

    def __init__(self, checker: Checker, estimator: QualityEstimator, limits: Limits) -> None:
        _load(checker)
        self.models = catalogue.models(checker).to_json()
        """The answer of ``/v1/models``."""
        self.languages = catalogue.languages(checker).model_dump_json(by_alias=True)
        """The answer of ``/v1/languages``."""
        self.metrics = Metrics(lambda: self._scoring.waiting + self._judging.waiting)
        self._seconds = limits.seconds
        # One thread for all models, which use all cores by themselves: memory does not grow with the clients.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="models")
        self._scoring = Batcher[tuple[str, str], Result](
            lambda posts: checker.score_many([text for _, text in posts], [id for id, _ in posts]),
            self._thread,
            size=lambda post: len(post[1]),
            waiting=limits.waiting,
            on_batch=self.metrics.batch,
        )
        self._judging = Batcher[Pair, Quality](
            estimator.estimate_many,
            self._thread,
            size=lambda pair: len(pair.source) + len(pair.target),
            waiting=limits.waiting,
        )

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Answer requests while the context is open."""
        async with self._scoring.running(), self._judging.running():
            yield
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def score(self, request: Request, posts: Sequence[tuple[str, str]]) -> list[Result]:
        """Score the (id, text) pairs of a request, in order.

        Raises:
            RequestError: there is no room for them, it took too long, or the client hung up.
            CheckerError: a model cannot be loaded.
        """
        return await self._answered(request, self._scoring.submit(posts))

    async def quality(self, request: Request, pair: Pair) -> Quality:
        """Estimate the quality of a translation.

        Raises:
            InputError: a text is empty or its language is not supported.
            RequestError, CheckerError: as ``score``.
        """
        return (await self._answered(request, self._judging.submit([pair])))[0]

    async def _answered(self, request: Request, answer: Awaitable[T]) -> T:
        """Wait for an answer, not longer than its client does."""
        work = asyncio.ensure_future(answer)
        gone = asyncio.ensure_future(_hung_up(request))
        try:
            done, _ = await asyncio.wait(
                {work, gone}, timeout=self._seconds, return_when=asyncio.FIRST_COMPLETED
            )
            if work in done:
                return work.result()
            if gone in done:
                raise RequestError(499, "The client hung up.", fix="Stay connected.")
            retry = {"Retry-After": "10"}
            raise RequestError(
                503,
                f"Scoring took longer than {self._seconds:g} seconds.",
                fix="Send less at once.",
                headers=retry,
            )
        except BusyError as busy:
            retry = {"Retry-After": str(busy.retry_after)}
            problem = "Too many posts are waiting."
            fix = f"Try again after {busy.retry_after} seconds."
            raise RequestError(503, problem, fix=fix, headers=retry) from None
        finally:
            work.cancel()
            gone.cancel()


async def _hung_up(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _load(checker: Checker) -> None:
    """Load the embedded models. Those of the hub are large: the first post that needs one loads it."""
    if checker.profile == "embedded":
        for language in SUPPORTED:
            checker.models.style(language)
            checker.models.language_model(language)
            checker.models.translators(language)
        checker.score("The first post loads what else there is.")
