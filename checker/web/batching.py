"""Micro-batching: items of many requests go through the models together.

While a batch is computed, the next one fills up, so batches grow with the load and an idle service answers at
once. Requests take turns, batches are small, and a request has items in one batch at a time: however long it
is, and however slow one of its items, others go past it in another lane.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from typing import Generic, TypeVar

Item = TypeVar("Item")
Answer = TypeVar("Answer")


class BusyError(Exception):
    """Too much is waiting.

    Attributes:
        retry_after: whole seconds after which there will be room.
    """

    def __init__(self, retry_after: int) -> None:
        super().__init__(f"try again after {retry_after} s")
        self.retry_after = retry_after


class Room:
    """How many items may be in the service at once: those that wait, and those in work.

    Args:
        most: that may.
    """

    def __init__(self, most: int) -> None:
        self._most, self._pace = most, 0.1  # seconds for each item, smoothed
        self.taken = 0
        """Items that are in."""

    @contextmanager
    def entered(self, items: int) -> Iterator[None]:
        """Be in with some items while the context is open.

        Raises:
            BusyError: there is no room for them.
        """
        if self.taken + items > self._most:
            raise BusyError(max(1, math.ceil(self.taken * self._pace)))
        self.taken += items
        began, others = time.monotonic(), self.taken
        try:
            yield
            # They were answered in the time that it took all who were in.
            self._pace += 0.2 * ((time.monotonic() - began) / max(others, 1) - self._pace)
        finally:
            self.taken -= items


@dataclass
class _Job(Generic[Item, Answer]):
    """The items of one request; answers come in their order."""

    items: Sequence[Item]
    future: asyncio.Future[list[Answer]]
    taken: int = 0
    running: bool = False  # a batch has items of it
    answers: list[Answer] = field(default_factory=list)

    @property
    def left(self) -> int:
        """Items that no batch has taken; 0 once nobody waits for the answers."""
        return 0 if self.future.done() else len(self.items) - self.taken


class Batcher(Generic[Item, Answer]):
    """Runs ``work`` on what is waiting, in a few batches at a time.

    Args:
        work: one answer for each item, in order. If it raises, the items of the batch are tried one by one,
            and only the requests whose own items fail get the error.
        executor: where ``work`` runs; it has a thread for each lane, which batchers may share.
        size: how large an item is, in the unit of ``batch_size``; at least 1.
        batch: items of a batch.
        batch_size: largest sum of sizes in a batch; an item larger than this is a batch of its own.
        turn: what a request has in its turn, in the same unit: items until they are as large together. By
            default one item.
        share: the most that a request has in a batch, likewise; by default no less than ``batch_size``.
        lanes: batches at a time.
        wait: seconds for which an idle batcher waits for more items.
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
        turn: int = 1,
        share: float = math.inf,
        lanes: int = 1,
        wait: float = 0.005,
        on_batch: Callable[[int, float], None] = lambda items, seconds: None,
    ) -> None:
        self._work, self._executor, self._size, self._on_batch = work, executor, size, on_batch
        self._batch, self._batch_size, self._wait = batch, batch_size, wait
        self._turn, self._share, self._lanes = turn, share, lanes
        self._jobs: deque[_Job[Item, Answer]] = deque()
        self._arrived = asyncio.Event()

    @property
    def waiting(self) -> int:
        """Items that no batch has taken yet."""
        return sum(job.left for job in self._jobs)

    async def submit(self, items: Sequence[Item]) -> list[Answer]:
        """The answers to the items, in order. Cancel it to take back the items that are still waiting.

        Raises:
            Exception: what ``work`` raised for one of them.
        """
        if not items:
            return []
        job = _Job[Item, Answer](items, asyncio.get_running_loop().create_future())
        self._jobs.append(job)
        self._arrived.set()
        return await job.future

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Compute batches while the context is open; what waits at its end is cancelled."""
        lanes = [asyncio.create_task(self._run()) for _ in range(self._lanes)]
        try:
            yield
        finally:
            for lane in lanes:
                lane.cancel()
            for lane in lanes:
                with suppress(asyncio.CancelledError):
                    await lane
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
            self._on_batch(len(taken), time.monotonic() - began)
            for (job, _), answer in zip(taken, answers, strict=True):
                job.running = False
                if job.future.done():
                    continue
                if isinstance(answer, Exception):
                    job.future.set_exception(answer)
                    continue
                job.answers.append(answer)
                if len(job.answers) == len(job.items):
                    job.future.set_result(job.answers)
            self._arrived.set()  # for what is left of these requests

    def _take(self) -> list[tuple[_Job[Item, Answer], Item]]:
        """The next batch: each request in turn."""
        taken: list[tuple[_Job[Item, Answer], Item]] = []
        later: list[_Job[Item, Answer]] = []  # they are in another batch, or have their share of this one
        shares: defaultdict[int, float] = defaultdict(lambda: self._share)
        room, full = self._batch_size, False
        while self._jobs and not full:
            job = self._jobs.popleft()
            if not job.left:
                continue
            turn = self._turn
            if (job.running and id(job) not in shares) or shares[id(job)] <= 0:
                later.append(job)
                continue
            while job.left and turn > 0 and not full:
                item = job.items[job.taken]
                size = self._size(item)
                full = len(taken) == self._batch or (bool(taken) and size > room)
                if not full:
                    taken.append((job, item))
                    job.taken, job.running = job.taken + 1, True
                    room, turn, shares[id(job)] = room - size, turn - size, shares[id(job)] - size
            if job.left:
                self._jobs.append(job) if turn <= 0 else self._jobs.appendleft(job)
        self._jobs.extendleft(reversed(later))
        return taken

    def _attempt(self, items: Sequence[Item]) -> list[Answer | Exception]:
        try:
            return list(self._work(items))
        except Exception as error:
            if len(items) == 1:
                return [error]
            return [self._attempt([item])[0] for item in items]
