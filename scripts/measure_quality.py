"""Measure what human translations look like to ``checker quality``, and which spoilt ones it finds.

    python scripts/measure_quality.py --corpora CORPORA --models models

writes ``models/embedded/quality.json`` and prints the tables of docs/benchmarks.md. Run it again whenever the
embedded translator or a check changes; ``--languages`` replaces the rows of some and keeps the others.

Only held-out test sets are read (``corpora.HELD_OUT``: WMT20 and FLORES dev). Blocks of ``BLOCK`` lines go in
turn to the table and to the test, so that no document is on both sides. A direction takes lines that were
written in its source language where there are any; the others are English originals, read backwards.

False alarms and detection are counted over single lines: the share in which at least one segment shows the
signal at a rate of 5 % or less, or, for the combined flag, is flagged.
"""

from __future__ import annotations

import argparse
import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from corpora import HELD_OUT, LANGUAGES, labelled, parallel
from corruptions import CORRUPTIONS

from checker.bitext.alignment import Bead, LengthModel, align
from checker.bitext.estimator import Estimator, Pair
from checker.bitext.findings import findings, flagging
from checker.bitext.human_rates import FALSE_ALARMS, Direction, HumanTable, adequacy_rows, cut, upper_tail
from checker.bitext.signals import FACTS, TRANSLATED, Document, Unit
from checker.models import Store
from checker.models.load import load_translator as load

BLOCK, LINES, DISTURBED = 48, 8, 20  # lines of a block, of a document, of one to align
CHECKS = ("unaligned", "copied", "number", "date", "negation", "length")
FLAG, HINT, AT_FIVE = "**flag**", "flag or hint", "all, cut at 5 % of these lines"
ABSENT = -9.0  # a segment of one clause omits none
Lines = list[tuple[str, str]]


def held_out_lines(corpora: Path, source: str, target: str) -> Lines:
    """Human translations from ``source`` into ``target``, in the order of their test sets."""
    other = target if source == "en" else source
    pairs = parallel(corpora, other)
    pairs = pairs[(pairs["kind"] == "human") & pairs["testset"].isin(HELD_OUT)].drop_duplicates("en")
    lines = labelled(corpora, other, "train")
    written = set(lines.loc[(lines["system"] == "author") & lines["testset"].isin(HELD_OUT), "text"])
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
    estimator = Estimator(
        store=store, table=HumanTable({f"{source}-{target}": Direction(0, length, {}, 0.0)})
    )
    measured = list(estimator.measure(documents(lines, source, target)))
    served = estimator.translator(source, target) is not None
    human = Direction(sum(len(d.units) for d in measured), length, _tails(measured, served), 0.0)
    smallest: list[float] = []  # of every unit, by the tails of the other half: the cut is for unseen text
    for half in (0, 1):
        other = replace(human, signals=_tails(measured[1 - half :: 2], served))
        for unit in (unit for document in measured[half::2] for unit in document.units):
            smallest.append(_smallest(unit, other))
    return replace(
        human,
        cut=cut(smallest),
        adequacy=adequacy_rows(_means(measured)) if served else (),
        translator=estimator.translator(source, target),
    )


def _smallest(unit: Unit, human: Direction) -> float:
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


def spoilt(lines: Lines, language: str, rng: random.Random) -> dict[str, Lines]:
    """The lines as they are, and spoilt in every way that each allows."""
    found = {"human": lines}
    for name, corrupt in CORRUPTIONS.items():
        pairs = [(ours, corrupt(theirs, language, rng)) for ours, theirs in lines]
        if kept := [(ours, theirs) for ours, theirs in pairs if theirs]:
            found[name] = kept
    near = [min(max(n + rng.choice((-2, -1, 1, 2)), 0), len(lines) - 1) for n in range(len(lines))]
    found["wrong sentence"] = [
        (ours, lines[other][1])
        for n, ((ours, _), other) in enumerate(zip(lines, near, strict=True))
        if n != other
    ]
    return found


def detection(lines: Lines, source: str, target: str, estimator: Estimator) -> list[str]:
    """Rows of Markdown: how often each signal, and what a user sees, fires on the spoilt lines."""
    human = estimator.table.directions[f"{source}-{target}"]
    fired: dict[str, list[float]] = defaultdict(list)
    smallest: dict[str, list[float]] = {}
    heads = []
    for name, pairs in spoilt(lines, target, random.Random(0)).items():
        heads.append(f"{name} ({len(pairs)})")
        hits: Counter[str] = Counter()
        smallest[name] = []
        for document in estimator.measure(documents(pairs, source, target, size=1)):
            rates = [human.rates(unit.signals, unit.columns) for unit in document.units]
            hits.update({signal for r in rates for signal, rate in r.items() if rate <= FALSE_ALARMS})
            found = [f for n, u in enumerate(document.units) for f in findings(n, u, document, human)]
            hits[FLAG] += any(finding.flag for finding in found)
            hits[HINT] += bool(found)
            smallest[name].append(min(_smallest(unit, human) for unit in document.units))
        limit = cut(smallest["human"])
        hits[AT_FIVE] = sum(rate <= limit for rate in smallest[name])
        for signal in (*CHECKS, *TRANSLATED, AT_FIVE, FLAG, HINT):
            fired[signal].append(hits[signal] / len(pairs))
    rows = [f"| {source}-{target} | {' | '.join(heads)} |", "| --- " * (len(heads) + 1) + "|"]
    for signal, shares in fired.items():
        rows.append(f"| {signal} | {' | '.join(f'{100 * share:.1f} %' for share in shares)} |")
    return rows


def alignment(lines: Lines, source: str, target: str, estimator: Estimator) -> list[str]:
    """Rows of Markdown: beads found in documents with dropped, added, merged and split lines."""
    rng, lengths = random.Random(0), estimator.table.length(source, target)
    model = estimator.store.translator(estimator.profile, source, target)
    translator = load(model, estimator.store) if model else None
    texts = [line[0] for line in lines]
    bridge = [t.text for t in translator.translate(texts, source, target)] if translator else []
    counts: dict[str, list[int]] = defaultdict(lambda: [0] * 6)
    for start in range(0, len(lines), DISTURBED):
        here = slice(start, start + DISTURBED)
        ours, theirs, translated, gold = _disturbed(lines[here], bridge[here], rng)
        found = {
            "lengths": align(ours, theirs, lengths, content=0),
            "lengths, shared 4-grams": align(ours, theirs, lengths),
        }
        if translator:
            found["lengths, 4-grams of the translation"] = align(ours, theirs, lengths, translated)
        for name, beads in found.items():
            sides = [set(beads), gold]
            alone = [{b for b in side if b[0] == b[1] or b[2] == b[3]} for side in sides]
            for place, value in enumerate(
                (*map(len, (sides[0] & gold, *sides, alone[0] & alone[1], *alone)),)
            ):
                counts[name][place] += value
    rows = []
    for name, (hits, said, true, right, lone, truly) in counts.items():
        shares = (hits / said, hits / true, right / max(lone, 1), right / max(truly, 1))
        rows.append(f"| {source}-{target}: {name} | " + " | ".join(f"{share:.3f}" for share in shares) + " |")
    return rows


def _disturbed(
    lines: Lines, bridge: Sequence[str], rng: random.Random
) -> tuple[list[str], list[str], list[str], set[Bead]]:
    """A document with 8 % of lines missing, 6 % added, 6 % of places merged and 6 % split; its true beads."""
    ours: list[str] = []
    theirs: list[str] = []
    translated: list[str] = []
    gold: set[Bead] = set()
    n = 0
    while n < len(lines):
        i, j, draw = len(ours), len(theirs), rng.random()
        both = lines[n : n + 2] if 0.14 <= draw < 0.26 and n + 1 < len(lines) else lines[n : n + 1]
        sources, targets = [line[0] for line in both], [line[1] for line in both]
        between = list(bridge[n : n + len(both)])  # empty without a translator
        if draw < 0.08:
            targets = []
        elif draw < 0.14:
            sources, between = [], []
        elif draw < 0.20:
            targets = [" ".join(targets)]
        elif draw < 0.26:
            sources, between = [" ".join(sources)], [" ".join(between)]
        ours, theirs, translated = ours + sources, theirs + targets, translated + between
        gold.add(Bead(i, len(ours), j, len(theirs)))
        n += len(both)
    return ours, theirs, translated, gold


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--corpora", type=Path, required=True)
    parser.add_argument("--models", type=Path, default=Path("models"))
    parser.add_argument("--languages", nargs="+", default=[code for code in LANGUAGES if code != "en"])
    parser.add_argument("--limit", type=int, default=1200, help="lines of a direction in the table")
    parser.add_argument("--test", type=int, default=400, help="lines of a direction that are spoilt")
    args = parser.parse_args()

    store = Store(args.models / "registry.toml")
    path = args.models / "embedded" / "quality.json"
    table = HumanTable.read(path) if path.exists() else HumanTable({})
    tests: dict[tuple[str, str], Lines] = {}
    for language in args.languages:
        for source, target in ((language, "en"), ("en", language)):
            fitted, tests[source, target] = halves(held_out_lines(args.corpora, source, target))
            table.directions[f"{source}-{target}"] = measure_direction(
                fitted[: args.limit], source, target, store
            )
            print(f"{source}-{target}: {len(fitted[: args.limit])} lines", flush=True)
    table.write(path)
    print(f"\n{path}: {path.stat().st_size / 1e3:.0f} kB")

    estimator = Estimator(store=store, table=table)
    tests = {direction: lines[: args.test] for direction, lines in tests.items()}
    for (source, target), lines in tests.items():
        if estimator.translator(source, target):
            print("\n".join(["", *detection(lines, source, target, estimator)]), flush=True)
    print("\n| alignment | precision | recall | unaligned: precision | recall |\n" + "| --- " * 5 + "|")
    for (source, target), lines in tests.items():
        print("\n".join(alignment(lines, source, target, estimator)), flush=True)


if __name__ == "__main__":
    main()
