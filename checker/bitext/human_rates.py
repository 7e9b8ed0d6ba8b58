"""How rare a signal is among human translations: what turns a raw figure into a percentile and a flag.

The table is measured on held-out human translations by ``scripts/training/quality.py``. A signal is a number
that grows with suspicion; its ``rate`` is the share of human segments with at least the same value. Signals
that are not facts are combined by the smallest of their rates (Tippett 1931). The threshold at which they and
the facts together flag 5 % of human segments is measured, not computed.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from checker.bitext.alignment import LengthModel
from checker.files import write_text
from checker.percentiles import Bands, quantiles, share_below

BANDS = Bands((80, 160, 320, 640))
"""Of the target."""

RATES = (
    0.001, 0.002, 0.003, 0.004, 0.005, 0.006, 0.007, 0.008, 0.009, 0.01, 0.0125, 0.015, 0.0175, 0.02, 0.025,
    0.03, 0.035, 0.04, 0.045, 0.05, 0.06, 0.08, 0.1, 0.15, 0.2, 0.3, 0.5, 0.7, 0.9,
)  # fmt: skip
FALSE_ALARMS = 0.05

Row = list[float] | None


@dataclass(frozen=True)
class Direction:
    """What human translations of one direction look like.

    Attributes:
        segments: how many were measured.
        length: the length model.
        signals: signal → band → for each of ``RATES``, the value that no larger share of segments exceeds.
        cut: the rate up to which a signal that is not a fact flags a segment.
        adequacy: band → quantiles of ``Adequacy.mean`` over segments and documents; none without translator.
        translator: label of the translators that the likelihoods were measured with.
    """

    segments: int
    length: LengthModel
    signals: Mapping[str, Sequence[Row]]
    cut: float
    adequacy: Sequence[Row] = ()
    translator: str | None = None

    def rate(self, signal: str, value: float, columns: int) -> float | None:
        """Share of human segments of this length with at least this value, rounded up to one of ``RATES``.

        None where the signal was not measured.
        """
        rows = self.signals.get(signal)
        row = rows[BANDS.number(columns)] if rows else None
        if row is None:
            return None
        reached = bisect_right([-reached for reached in row], -value)  # values fall as rates grow
        return RATES[reached] if reached < len(row) else 1.0

    def rates(self, signals: Mapping[str, float], columns: int) -> dict[str, float]:
        """The rates of those signals that were measured."""
        found = {name: self.rate(name, value, columns) for name, value in signals.items()}
        return {name: rate for name, rate in found.items() if rate is not None}

    def percentile(self, mean: float, columns: int) -> float | None:
        """Share of human translations of this length with a lower ``Adequacy.mean``."""
        row = self.adequacy[BANDS.number(columns)] if self.adequacy else None
        if row is None:
            return None
        return round(share_below(mean, row), 4)


class HumanTable:
    """All directions that were measured.

    Args:
        directions: by "ru-en".
    """

    def __init__(self, directions: dict[str, Direction]) -> None:
        self.directions = directions

    def length(self, source: str, target: str) -> LengthModel:
        """The length model of a direction; through English where only those were measured."""
        if measured := self.directions.get(f"{source}-{target}"):
            return measured.length
        there, back = self.directions.get(f"{source}-en"), self.directions.get(f"en-{target}")
        if not (there and back):
            return LengthModel()
        return LengthModel(
            there.length.ratio * back.length.ratio,
            there.length.variance * back.length.ratio**2 + back.length.variance * there.length.ratio,
        )

    @classmethod
    def read(cls, path: Path) -> HumanTable:
        """Read the JSON that ``write`` wrote."""
        data = json.loads(path.read_text(encoding="utf-8"))
        if data["bands"] != list(BANDS.edges) or data["rates"] != list(RATES):
            raise ValueError("its bands or rates are not those of the code")
        return cls({name: _direction(row) for name, row in data["directions"].items()})

    def write(self, path: Path) -> None:
        """Write as JSON, a line for each direction."""
        lines = [
            f"  {json.dumps(name)}: {json.dumps(_plain(direction))}"
            for name, direction in sorted(self.directions.items())
        ]
        head = json.dumps({"bands": BANDS.edges, "rates": RATES})[:-1]
        write_text(f'{head},\n "directions": {{\n' + ",\n".join(lines) + "\n}}\n", path)


def upper_tail(values: Iterable[tuple[int, float]], minimum: int = 200) -> list[Row]:
    """Rows for ``Direction.signals`` from ``(columns, value)`` of human segments.

    A band with fewer than ``minimum`` segments takes those of the nearest bands as well.
    """
    rows: list[Row] = []
    for pooled in BANDS.pooled(values, minimum):
        ordered = sorted(pooled, reverse=True)
        rows.append([round(ordered[int(rate * len(ordered))], 4) for rate in RATES] if ordered else None)
    return rows


def adequacy_rows(values: Iterable[tuple[int, float]], minimum: int = 200) -> list[Row]:
    """Rows for ``Direction.adequacy`` from ``(columns, mean)`` of human segments and documents."""
    return [quantiles(pooled) if pooled else None for pooled in BANDS.pooled(values, minimum)]


def cut(smallest: Sequence[float], share: float = FALSE_ALARMS) -> float:
    """The largest of ``RATES`` up to which at most ``share`` of human segments are; 0 if none is that low.

    Args:
        smallest: of the rates of each segment; 0 for one that a fact flags anyway.
        share: of the segments that may be flagged.
    """
    allowed = [rate for rate in RATES if sum(s <= rate for s in smallest) <= share * len(smallest)]
    return max(allowed, default=0.0)


def _plain(direction: Direction) -> dict[str, Any]:
    return {
        "segments": direction.segments,
        "length": [direction.length.ratio, direction.length.variance],
        "translator": direction.translator,
        "cut": direction.cut,
        "signals": direction.signals,
        "adequacy": direction.adequacy,
    }


def _direction(row: dict[str, Any]) -> Direction:
    return Direction(**(row | {"length": LengthModel(*row["length"])}))
