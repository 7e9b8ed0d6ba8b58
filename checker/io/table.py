"""Results as rows of a table: the columns, filled from lines of JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

COLUMNS = {
    "id": "string", "verdict": "string", "machine_translated": "double", "fluency": "double",
    "language.code": "string", "language.confidence": "double", "language.mixed": "bool",
    "round_trip.pivot": "string", "round_trip.chrf": "double", "round_trip.bleu": "double",
    "round_trip.ter": "double", "round_trip.log_likelihood": "double", "round_trip.gap": "double",
    "round_trip.grade": "string",
    "columns": "int64", "style": "double", "sentences": "int64", "reasons": "string", "warnings": "string",
    "models": "string", "version": "string",
    "row": "int64", "field": "string", "error": "string", "fix": "string",
}  # fmt: skip
"""Columns of tabular output, the scalar fields of `Result` and `RowError`, and their Arrow types."""

_SEPARATOR = " | "  # between reasons or warnings in a cell
_BATCH_ROWS, _BATCH_BYTES = 1024, 16 * 2**20


def batches(lines: Iterable[str]) -> Iterator[list[str]]:
    """The lines by the thousand, fewer where they are long: what is held in memory at once."""
    batch: list[str] = []
    size = 0
    for line in lines:
        batch.append(line)
        size += len(line)
        if len(batch) == _BATCH_ROWS or size > _BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def flat(line: str) -> dict[str, Any]:
    """The values of `COLUMNS` in the JSON of a `Result` or `RowError`; None where it has none."""
    record = json.loads(line)
    row: dict[str, Any] = {}
    for column in COLUMNS:
        value: Any = record
        for key in column.split("."):
            value = value.get(key) if isinstance(value, dict) else None
        if column == "sentences" and value is not None:
            value = len(value)
        elif isinstance(value, list):
            value = _SEPARATOR.join(": ".join(item.values()) for item in value)
        elif isinstance(value, dict):
            value = json.dumps(value, ensure_ascii=False)
        row[column] = value
    return row


def told(cell: str, key: str) -> list[dict[str, str]]:
    """The reasons or warnings that ``flat`` wrote into a cell.

    Args:
        cell: of the column ``reasons`` or ``warnings``.
        key: ``kind`` or ``code``: what stands before the first colon of each.
    """
    pairs = (item.partition(": ") for item in cell.split(_SEPARATOR))
    return [{key: name, "text": text} for name, _, text in pairs]
