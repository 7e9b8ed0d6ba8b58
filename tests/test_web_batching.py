"""Micro-batching: whose answer goes to whom, in which order items are taken, what a full queue says."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checker.web.batching import Batcher, BusyError, Room


class Doubler:
    """Work that can be held up, and that fails for 13."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.go = threading.Event()
        self.go.set()

    def __call__(self, items: Sequence[int]) -> list[int]:
        assert self.go.wait(timeout=10)
        self.batches.append(list(items))
        if 13 in items:
            raise ValueError("13")
        return [2 * item for item in items]


def run(scenario: Callable[[Batcher[int, int], Doubler], Coroutine[Any, Any, None]], **settings: Any) -> None:
    """Run a scenario with a batcher of at most four items a batch."""

    async def main() -> None:
        work = Doubler()
        with ThreadPoolExecutor(1) as executor:
            batcher = Batcher[int, int](work, executor, **{"size": lambda item: 1, "batch": 4, **settings})
            async with batcher.running():
                await scenario(batcher, work)

    asyncio.run(asyncio.wait_for(main(), timeout=20))


async def until(condition: Callable[[], bool]) -> None:
    while not condition():
        await asyncio.sleep(0.001)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.lists(st.integers(14, 99), max_size=9), max_size=9), st.integers(1, 9))
def test_every_request_gets_the_answers_to_its_own_items(requests: list[list[int]], batch: int) -> None:
    async def scenario(batcher: Batcher[int, int], work: Doubler) -> None:
        answers = await asyncio.gather(*(batcher.submit(items) for items in requests))
        assert answers == [[2 * item for item in items] for items in requests]
        assert sorted(chain(*work.batches)) == sorted(chain(*requests))
        assert all(len(taken) <= batch for taken in work.batches)
        assert batcher.waiting == 0

    run(scenario, batch=batch)


def test_requests_at_once_share_batches() -> None:
    async def scenario(batcher: Batcher[int, int], work: Doubler) -> None:
        await asyncio.gather(*(batcher.submit([n]) for n in range(8)))
        assert work.batches == [[0, 1, 2, 3], [4, 5, 6, 7]]

    run(scenario)


def test_a_long_request_does_not_keep_a_short_one_waiting() -> None:
    async def scenario(batcher: Batcher[int, int], work: Doubler) -> None:
        work.go.clear()
        long = asyncio.create_task(batcher.submit(range(100, 120)))
        await until(lambda: batcher.waiting == 16)  # the first batch was taken
        short = asyncio.create_task(batcher.submit([1]))
        await until(lambda: batcher.waiting == 17)
        work.go.set()
        assert await short == [2]
        assert not long.done()
        assert await long == [2 * n for n in range(100, 120)]
        assert work.batches[1] == [104, 1, 105, 106]

    run(scenario)


def test_only_the_request_with_a_bad_item_fails() -> None:
    async def scenario(batcher: Batcher[int, int], work: Doubler) -> None:
        good, bad, other = await asyncio.gather(
            batcher.submit([1, 2]), batcher.submit([3, 13]), batcher.submit([4]), return_exceptions=True
        )
        assert (good, other) == ([2, 4], [8])
        assert isinstance(bad, ValueError)
        assert await batcher.submit([5]) == [10]

    run(scenario)


def test_a_full_service_says_when_to_come_back() -> None:
    room = Room(10)
    with room.entered(6):
        with pytest.raises(BusyError) as refused, room.entered(5):
            pass
        assert refused.value.retry_after >= 1
        with room.entered(4):  # there is room for four
            assert room.taken == 10
    assert room.taken == 0


def test_a_request_is_in_one_batch_at_a_time() -> None:
    async def main() -> None:
        held, go = threading.Event(), threading.Event()

        def work(items: Sequence[int]) -> list[int]:
            if 100 in items:  # the first item of the long request is slow
                held.set()
                assert go.wait(timeout=10)
            return list(items)

        with ThreadPoolExecutor(2) as executor:
            batcher = Batcher[int, int](work, executor, size=lambda item: 1, batch=4, lanes=2)
            async with batcher.running():
                long = asyncio.create_task(batcher.submit(range(100, 120)))
                await until(held.is_set)
                for n in range(5):
                    assert await batcher.submit([n]) == [n]
                assert batcher.waiting == 16
                go.set()
                assert await long == [*range(100, 120)]

    asyncio.run(asyncio.wait_for(main(), timeout=20))


def test_a_turn_may_have_several_items() -> None:
    async def scenario(batcher: Batcher[int, int], work: Doubler) -> None:
        work.go.clear()
        first = asyncio.create_task(batcher.submit([100]))
        await asyncio.sleep(0)  # the request is in the queue
        await until(lambda: batcher.waiting == 0)
        requests = [asyncio.create_task(batcher.submit([n, n + 1, n + 2])) for n in (20, 30, 40)]
        await until(lambda: batcher.waiting == 9)
        work.go.set()
        await asyncio.gather(first, *requests)
        assert work.batches[1:] == [[20, 21, 30, 31], [40, 41, 22, 32], [42]]

    run(scenario, turn=2)


def test_a_request_has_no_more_than_its_share_of_a_batch() -> None:
    async def scenario(batcher: Batcher[int, int], work: Doubler) -> None:
        assert await batcher.submit([*range(20, 25)]) == [2 * n for n in range(20, 25)]
        assert work.batches == [[20, 21], [22, 23], [24]]

    run(scenario, share=2)


def test_what_nobody_waits_for_is_not_computed() -> None:
    async def scenario(batcher: Batcher[int, int], work: Doubler) -> None:
        work.go.clear()
        gone = asyncio.create_task(batcher.submit(range(20, 40)))
        await until(lambda: batcher.waiting == 16)
        gone.cancel()
        await until(lambda: batcher.waiting == 0)
        work.go.set()
        assert await batcher.submit([1]) == [2]
        assert work.batches == [[20, 21, 22, 23], [1]]

    run(scenario)


def test_large_items_go_in_smaller_batches() -> None:
    async def scenario(batcher: Batcher[int, int], work: Doubler) -> None:
        await batcher.submit([50, 60, 30, 200, 10])
        assert work.batches == [[50], [60, 30], [200], [10]]

    run(scenario, size=lambda item: item, batch_size=100)


@pytest.mark.parametrize("items", [4, 20])  # all taken, and some left
def test_the_end_of_the_service_leaves_nobody_waiting(items: int) -> None:
    async def main() -> None:
        work = Doubler()
        with ThreadPoolExecutor(1) as executor:
            batcher = Batcher[int, int](work, executor, size=lambda item: 1, batch=4)
            async with batcher.running():
                work.go.clear()
                request = asyncio.create_task(batcher.submit(range(20, 20 + items)))
                await asyncio.sleep(0)  # the request is in the queue
                await until(lambda: batcher.waiting == items - 4)
            with pytest.raises(asyncio.CancelledError):
                await request
            work.go.set()

    asyncio.run(asyncio.wait_for(main(), timeout=20))
