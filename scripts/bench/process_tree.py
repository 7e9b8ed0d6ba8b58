"""The processes that a process started, and what they had in memory (Linux; elsewhere nothing is found)."""

from __future__ import annotations

import re
from pathlib import Path


def descendants(pid: int) -> list[int]:
    """The processes below one."""
    found: list[int] = []
    for path in Path("/proc").glob(f"{pid}/task/*/children"):
        try:
            children = [int(child) for child in path.read_text().split()]
        except (FileNotFoundError, ProcessLookupError):
            continue
        for child in children:
            found += [child, *descendants(child)]
    return found


def peak_of(pid: int) -> int:
    """Bytes that a process had in memory at most; 0 of one that ended."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    found = re.search(r"VmHWM:\s+(\d+)", status)
    return int(found[1]) * 1024 if found else 0
