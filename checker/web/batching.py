"""Micro-batching: items of many requests go through the models together, on one thread.

While a batch is computed, the next one fills up, so batches grow with the load and an idle service answers at
once. Requests take turns item by item: a request with a hundred posts does not delay one with a single post.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from concurrent.futures import Executor
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Generic, TypeVar

Item = TypeVar("Item")
Answer = TypeVar("Answer")


class BusyError(Exception):
    """Too many items are waiting.

    Attributes:
        retry_after: whole seconds after which there will be room.
    """

    def __init__(self, retry_after: int) -> None:
        super().__init__(f"try again after {retry_after} s")
        self.retry_after = retry_after


@dataclass
class _Job(Generic[Item, Answer]):
    """The items of one request; answers come in their order."""

    items: Sequence[Item]
    future: asyncio.Future[list[Answer]]
    taken: int = 0
    answers: list[Answer] = field(default_factory=list)

    @property
    def left(self) -> int:
        """Items that no batch has taken; 0 once nobody waits for the answers."""
        return 0 if self.future.done() else len(self.items) - self.taken


class Batcher(Generic[Item, Answer]):
    """Runs ``work`` on what is waiting, one batch at a time.

    Args:
        work: one answer for each item, in order. If it raises, the items of the batch are tried one by one,
            and only the requests whose own items fail get the error.
        executor: where ``work`` runs; one thread, which batchers may share.
        size: how large an item is, in the unit of ``batch_size``.
        batch: items of a batch.
        batch_size: largest sum of sizes in a batch; an item larger than this is a batch of its own.
        wait: seconds for which an idle batcher waits for more items.
        waiting: items that may wait.
        on_batch: called with the number of items and the seconds of every batch.
    """

    def __init__(
        self,
        work: Callable[[Sequence[Item]], Iterable[Answer]],
        executor: Executor,
        *,
        size: Callable[[Item], int],
        batch: int = 16,
        batch_size: int = 8000,
        wait: float = 0.005,
        waiting: int = 1000,
        on_batch: Callable[[int, float], None] = lambda items, seconds: None,
    ) -> None:
        self._work, self._executor, self._size, self._on_batch = work, executor, size, on_batch
        self._batch, self._batch_size, self._wait, self._most = batch, batch_size, wait, waiting
        self._jobs: deque[_Job[Item, Answer]] = deque()
        self._arrived = asyncio.Event()
        self._pace = 0.1  # seconds an item, smoothed

    @property
    def waiting(self) -> int:
        """Items that no batch has taken yet."""
        return sum(job.left for job in self._jobs)

    async def submit(self, items: Sequence[Item]) -> list[Answer]:
        """The answers to the items, in order. Cancel it to take back the items that are still waiting.

        Raises:
            BusyError: there is no room for the items.
            Exception: what ``work`` raised for one of them.
        """
        if not items:
            return []
        if (waiting := self.waiting) + len(items) > self._most:
            raise BusyError(max(1, math.ceil(waiting * self._pace)))
        job = _Job[Item, Answer](items, asyncio.get_running_loop().create_future())
        self._jobs.append(job)
        self._arrived.set()
        return await job.future

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Compute batches while the context is open; what waits at its end is cancelled."""
        task = asyncio.create_task(self._run())
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
            for job in self._jobs:
                job.future.cancel()

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await self._arrived.wait()
            if self.waiting < self._batch:
                await asyncio.sleep(self._wait)
            taken = self._take()
            if not taken:
                self._arrived.clear()
                continue
            began, items = time.monotonic(), [item for _, item in taken]
            try:
                answers = await loop.run_in_executor(self._executor, self._attempt, items)
            except asyncio.CancelledError:
                self._jobs.extend(job for job, _ in taken)
                raise
            seconds = time.monotonic() - began
            self._pace += 0.2 * (seconds / len(taken) - self._pace)
            self._on_batch(len(taken), seconds)
            for (job, _), answer in zip(taken, answers, strict=True):
                if job.future.done():
                    continue
                if isinstance(answer, Exception):
                    job.future.set_exception(answer)
                    continue
                job.answers.append(answer)
                if len(job.answers) == len(job.items):
                    job.future.set_result(job.answers)

    def _take(self) -> list[tuple[_Job[Item, Answer], Item]]:
        """The next batch: an item of each request in turn."""
        taken: list[tuple[_Job[Item, Answer], Item]] = []
        room = self._batch_size
        while self._jobs and len(taken) < self._batch:
            job = self._jobs.popleft()
            if not job.left:
                continue
            item = job.items[job.taken]
            if taken and self._size(item) > room:
                self._jobs.appendleft(job)
                break
            taken.append((job, item))
            room -= self._size(item)
            job.taken += 1
            if job.left:
                self._jobs.append(job)
        return taken

    def _attempt(self, items: Sequence[Item]) -> list[Answer | Exception]:
        try:
            return list(self._work(items))
        except Exception as error:
            if len(items) == 1:
                return [error]
            return [self._attempt([item])[0] for item in items]
