"""The rows that could not be read, as they were: where they are written, and in which form."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

from checker.files import followed
from checker.result import RowError


def rejects_path(output: Path) -> Path:
    """Where the bad rows of the input are; there is no such file if there are none."""
    path = followed(output)
    return path.with_name(f"{path.name}.rejects.jsonl")


def reject(row: RowError) -> str:
    """The line of a bad row: what is wrong with it, and what it was, exactly."""
    line: dict[str, Any] = {
        "row": row.row,
        "id": row.id,
        "field": row.field,
        "reason": row.error,
        "fix": row.fix,
    }
    if row.raw is not None:
        line["raw"] = row.raw.decode(errors="replace")
        if line["raw"].encode() != row.raw:
            line["raw_base64"] = base64.b64encode(row.raw).decode()
    return json.dumps(line, ensure_ascii=False)
