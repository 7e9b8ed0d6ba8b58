"""Measure what human translations look like to ``checker quality``: ``models/embedded/quality.json``.

    python -m scripts.training.quality --corpora CORPORA --models models

Run it again whenever the embedded translator or a check changes; ``--languages`` replaces only the rows of
some languages.

Only held-out test sets are read (``HELD_OUT_SETS``: WMT20 and FLORES dev). Blocks of ``BLOCK`` lines go
alternately to this table and to ``scripts.bench.quality``, so that no document is on both sides. A direction
takes lines that were written in its source language where there are any; the others are English originals,
read backwards.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from checker.bitext.alignment import LengthModel
from checker.bitext.estimator import Pair, QualityEstimator
from checker.bitext.findings import flagging
from checker.bitext.human_rates import Direction, HumanTable, adequacy_rows, cut, upper_tail
from checker.bitext.signals import FACTS, TRANSLATED, Document, Unit
from checker.models import Store
from scripts.command import command
from scripts.training.corpora import HELD_OUT_SETS, LANGUAGES, labelled, parallel

BLOCK, LINES = 48, 8  # lines of a block, of a document
CHECKS = ("unaligned", "copied", "number", "date", "negation", "length")
ABSENT = -9.0  # a segment of one clause omits none
Lines = list[tuple[str, str]]


def held_out_lines(corpora: Path, source: str, target: str) -> Lines:
    """Human translations from ``source`` into ``target``, in the order of their test sets."""
    other = target if source == "en" else source
    pairs = parallel(corpora, other)
    pairs = pairs[(pairs["kind"] == "human") & pairs["testset"].isin(HELD_OUT_SETS)].drop_duplicates("en")
    lines = labelled(corpora, other, "train")
    written = set(lines.loc[(lines["system"] == "author") & lines["testset"].isin(HELD_OUT_SETS), "text"])
    original = pairs["other"].isin(written)
    if source != "en" and original.sum() >= 4 * BLOCK:
        pairs = pairs[original & (pairs["testset"] == "newstest2020")]
    else:
        pairs = pairs[~original & (pairs["testset"] != "newstestB2020")]
    columns = ("en", "other") if source == "en" else ("other", "en")
    return list(zip(*(pairs[column] for column in columns), strict=True))


def halves(lines: Lines) -> tuple[Lines, Lines]:
    """Blocks for the table and blocks for the test, in turn."""
    blocks = [lines[start : start + BLOCK] for start in range(0, len(lines), BLOCK)]
    fitted, tested = ([line for block in blocks[n::2] for line in block] for n in (0, 1))
    return fitted, tested


def documents(lines: Lines, source: str, target: str, size: int = LINES) -> list[Pair]:
    """Runs of lines as pairs of texts."""
    runs = [lines[start : start + size] for start in range(0, len(lines), size)]
    return [
        Pair(
            source="\n".join(line[0] for line in run),
            target="\n".join(line[1] for line in run),
            source_language=source,
            target_language=target,
        )
        for run in runs
    ]


def measure_direction(lines: Lines, source: str, target: str, store: Store) -> Direction:
    """What human translations of one direction look like."""
    length = LengthModel.measure([(len(ours), len(theirs)) for ours, theirs in lines])
    estimator = QualityEstimator(
        store=store, table=HumanTable({f"{source}-{target}": Direction(0, length, {}, 0.0)})
    )
    measured = list(estimator.measure(documents(lines, source, target)))
    served = estimator.translator(source, target) is not None
    human = Direction(sum(len(d.units) for d in measured), length, _tails(measured, served), 0.0)
    rarest: list[float] = []  # of every unit, by the tails of the other half: the cut is for unseen text
    for half in (0, 1):
        other = replace(human, signals=_tails(measured[1 - half :: 2], served))
        for unit in (unit for document in measured[half::2] for unit in document.units):
            rarest.append(smallest(unit, other))
    return replace(
        human,
        cut=cut(rarest),
        adequacy=adequacy_rows(_means(measured)) if served else (),
        translator=estimator.translator(source, target),
    )


def smallest(unit: Unit, human: Direction) -> float:
    """The smallest cut that flags a unit."""
    rates = human.rates(unit.signals, unit.columns)
    doubts = [rate for name, rate in rates.items() if name not in FACTS]
    return 0.0 if flagging(unit.signals, rates, 0.0) else min(doubts, default=1.0)


def _tails(measured: Iterable[Document], served: bool) -> dict[str, list[list[float] | None]]:
    values: dict[str, list[tuple[int, float]]] = defaultdict(list)
    for unit in (unit for document in measured for unit in document.units):
        both = unit.source and unit.target
        for name in (*CHECKS, *TRANSLATED * served) if both else CHECKS[:1]:
            values[name].append((unit.columns, unit.signals.get(name, ABSENT)))
    return {name: upper_tail(found) for name, found in values.items()}


def _means(measured: Iterable[Document]) -> Iterable[tuple[int, float]]:
    """Adequacy of every unit, and of runs of them as documents."""
    for document in measured:
        for size in (1, 2, 4, 8):
            for start in range(0, len(document.units), size):
                run = Document(
                    "", document.source, document.target, None, document.units[start : start + size]
                )
                if run.adequacy:
                    yield run.adequacy[2], (run.adequacy[0] + run.adequacy[1]) / 2


def main() -> None:
    parser = command(__doc__)
    parser.add_argument("--corpora", type=Path, required=True)
    parser.add_argument("--models", type=Path, default=Path("models"))
    parser.add_argument("--languages", nargs="+", default=[code for code in LANGUAGES if code != "en"])
    parser.add_argument("--limit", type=int, default=1200, help="lines per direction, at most")
    args = parser.parse_args()

    store = Store(args.models / "registry.toml")
    path = args.models / "embedded" / "quality.json"
    table = HumanTable.read(path) if path.exists() else HumanTable({})
    for language in args.languages:
        for source, target in ((language, "en"), ("en", language)):
            lines, _ = halves(held_out_lines(args.corpora, source, target))
            lines = lines[: args.limit]
            table.directions[f"{source}-{target}"] = measure_direction(lines, source, target, store)
            print(f"{source}-{target}: {len(lines)} lines", flush=True)
    table.write(path)
    print(f"{path}: {path.stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    main()
