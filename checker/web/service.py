"""What the routes share: the models, the queues in front of them, the metrics."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, NamedTuple, TypeVar

from starlette.requests import Request

from checker.bitext.estimator import Pair, QualityEstimator
from checker.bitext.result import Quality
from checker.languages import SUPPORTED
from checker.pipeline import Checker
from checker.post import Post, Unit
from checker.result import Result
from checker.web import catalogue
from checker.web.batching import Batcher, BusyError, Room
from checker.web.limits import Limits
from checker.web.metrics import Metrics
from checker.web.problems import RequestError

T = TypeVar("T")

LANES = 2
"""Batches in the models at a time."""

BATCH, BATCH_COLUMNS = 48, 2400
"""Most sentences in the models together, and their length."""

SHARE_COLUMNS, TURN_COLUMNS = 800, 300
"""Of these, the most of one request: a fraction of a second, for which whoever comes now waits; and what a
request has in it before others have their turn: most posts are measured at once."""


POLL = 0.5
"""Seconds after which posts that found no room try again."""


class Asked(NamedTuple):
    """A post to score; ``language`` is its ISO 639-1 code, None where it is to be found out."""

    id: str
    text: str
    language: str | None = None


class _Step(NamedTuple):
    """Work on the text of one post."""

    run: Callable[[], Any]
    characters: int


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
        self._room = Room(limits.waiting)
        self.metrics = Metrics(lambda: self._room.taken)
        self._checker, self._seconds = checker, limits.seconds
        # A few threads for all clients: memory does not grow with them. The models use all cores by
        # themselves; what is done with texts only waits for none of them.
        self._texts_thread = ThreadPoolExecutor(1, thread_name_prefix="texts")
        self._models_threads = ThreadPoolExecutor(LANES, thread_name_prefix="models")
        self._pairs_thread = ThreadPoolExecutor(1, thread_name_prefix="pairs")
        self._files_thread = ThreadPoolExecutor(1, thread_name_prefix="files")
        self._texts = Batcher[_Step, Any](
            lambda steps: [step.run() for step in steps],
            self._texts_thread,
            size=lambda step: step.characters,
        )
        self._sentences = Batcher[Unit, None](
            self._measure,
            self._models_threads,
            size=lambda unit: max(1, unit.columns),
            batch=BATCH,
            batch_size=BATCH_COLUMNS,
            turn=TURN_COLUMNS,
            share=SHARE_COLUMNS,
            lanes=LANES,
            on_batch=self.metrics.batch,
        )
        self._pairs = Batcher[Pair, Quality](
            estimator.estimate_many,
            self._pairs_thread,
            size=lambda pair: max(1, len(pair.source) + len(pair.target)),
        )

    def _measure(self, sentences: Sequence[Unit]) -> list[None]:
        self._checker.measure(sentences)
        return [None] * len(sentences)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Answer requests while the context is open."""
        async with self._texts.running(), self._sentences.running(), self._pairs.running():
            yield
        for threads in self._texts_thread, self._models_threads, self._pairs_thread, self._files_thread:
            threads.shutdown(wait=False, cancel_futures=True)

    async def score(self, request: Request, posts: Sequence[Asked]) -> list[Result]:
        """Score the posts of a request, in order.

        Raises:
            RequestError: there is no room for them, it took too long, or the client hung up.
            CheckerError: a model cannot be loaded.
        """
        return await self._answered(request, self._score(posts))

    async def score_next(self, posts: Sequence[Asked]) -> list[Result]:
        """Score further posts of a request that is being answered; they wait for their room.

        Raises:
            RequestError: it took too long.
            CheckerError: as ``score``.
        """
        try:
            async with asyncio.timeout(self._seconds):
                while True:
                    try:
                        return await self._score(posts)
                    except BusyError:
                        await asyncio.sleep(POLL)
        except TimeoutError:
            raise self._late() from None

    async def _score(self, posts: Sequence[Asked]) -> list[Result]:
        """The steps of `Checker`; each is cut, and shared with other requests, in its own queue."""
        with self._room.entered(len(posts)):
            prepared: list[Post] = await self._texts.submit(
                [_Step(partial(self._checker.prepare, *post), max(1, len(post.text))) for post in posts]
            )
            await self._sentences.submit([unit for post in prepared for unit in post.measured()])
            results: list[Result] = await self._texts.submit(
                [_Step(partial(self._checker.explain, post), max(1, post.columns)) for post in prepared]
            )
        return results

    async def work(self, request: Request, do: Callable[[], T]) -> T:
        """Do what needs no model of posts, after what others asked for before.

        Raises:
            CheckerError: of ``do``.
            RequestError: as ``score``.
        """
        return await self._answered(request, self._do(do))

    async def _do(self, do: Callable[[], T]) -> T:
        with self._room.entered(1):
            return await asyncio.get_running_loop().run_in_executor(self._files_thread, do)

    async def quality(self, request: Request, pair: Pair) -> Quality:
        """Estimate the quality of a translation.

        Raises:
            InputError: a text is empty or its language is not supported.
            RequestError, CheckerError: as ``score``.
        """
        return await self._answered(request, self._estimate(pair))

    async def _estimate(self, pair: Pair) -> Quality:
        with self._room.entered(1):
            return (await self._pairs.submit([pair]))[0]

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
            raise self._late()
        except BusyError as busy:
            retry = {"Retry-After": str(busy.retry_after)}
            problem = "Too many posts are waiting."
            fix = f"Try again after {busy.retry_after} seconds."
            raise RequestError(503, problem, fix=fix, headers=retry) from None
        finally:
            work.cancel()
            gone.cancel()

    def _late(self) -> RequestError:
        problem = f"Scoring took longer than {self._seconds:g} seconds."
        return RequestError(503, problem, fix="Send less at once.", headers={"Retry-After": "10"})


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
