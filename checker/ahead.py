"""Work on several batches at a time, and give their results in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future
from typing import TypeVar

Batch = TypeVar("Batch")
Found = TypeVar("Found")


def in_order(
    submit: Callable[[Batch], Future[Found]], batches: Iterable[Batch], most: int
) -> Generator[Found, None, None]:
    """What becomes of each batch, in order.

    Args:
        submit: begins the work on a batch.
        batches: read ahead, but no further than ``most`` of them are in work.
        most: batches in work at a time, at least 1.

    Raises:
        Exception: what ``batches`` raised, when the batches before it have given their results; or what the
            work on a batch raised.
    """
    waiting: deque[Future[Found]] = deque()
    source, failure = iter(batches), None
    while True:
        try:
            waiting.append(submit(next(source)))
        except StopIteration:
            break
        except Exception as error:  # of who reads or submits them: what is in work comes first
            failure = error
            break
        if len(waiting) == most:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()
    if failure is not None:
        raise failure
