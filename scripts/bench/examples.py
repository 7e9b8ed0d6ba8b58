"""The posts of ``examples/posts.jsonl``, for benchmarks."""

from __future__ import annotations

import json
import re

from scripts.command import EXAMPLES

_END = re.compile(r"([.!?。！？؟])")


def examples() -> list[dict[str, str]]:
    """The example posts with their ``id`` and ``text``."""
    return [json.loads(line) for line in EXAMPLES.read_text("utf-8").splitlines()]


def distinct(text: str, number: int) -> str:
    """A copy of a post with a number in every sentence: equal sentences are computed once."""
    return _END.sub(rf" {number}\1", text)
