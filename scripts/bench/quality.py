"""Measure which damaged translations ``checker quality`` finds, and how well it aligns sentences.

    python -m scripts.bench.quality --corpora CORPORA --models models --languages ru de fr es

It reads the blocks of the held-out test sets that the table of human translations was not measured on
(``scripts.training.quality``). False alarms and detection are counted per line: a line counts if at least one
segment shows the signal at a rate of 5 % or less or, for the combined flag, is flagged.
"""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path

from checker.bitext.alignment import Bead, align
from checker.bitext.estimator import QualityEstimator
from checker.bitext.findings import findings
from checker.bitext.human_rates import FALSE_ALARMS, HumanTable, cut
from checker.bitext.signals import TRANSLATED
from checker.models import Store
from checker.models.load import load_translator as load
from scripts.bench.corruptions import CORRUPTIONS
from scripts.bench.tables import NONE, Table, add_option, publish
from scripts.command import command
from scripts.training.corpora import LANGUAGES
from scripts.training.quality import CHECKS, Lines, documents, halves, held_out_lines, smallest

DISTURBED = 20
"""Lines of a document whose alignment is measured."""

FLAG, HINT, AT_FIVE = "**flag as shipped**", "flag or hint", "all, cut at 5 %"
HUMAN = "human"

Shares = dict[str, dict[str, float]]
"""Way of spoiling → signal → share of the lines that show it, 0 to 1."""


def spoilt(lines: Lines, language: str, rng: random.Random) -> dict[str, Lines]:
    """The lines as they are, and spoilt in every way that each allows."""
    found = {HUMAN: lines}
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


def detection(
    lines: Lines, source: str, target: str, estimator: QualityEstimator
) -> tuple[Shares, dict[str, int]]:
    """How often each signal, and what a user sees, fires on the spoilt lines; and the number of lines."""
    human = estimator.table.directions[f"{source}-{target}"]
    shares: Shares = {}
    counts: dict[str, int] = {}
    limit = 0.0
    for name, pairs in spoilt(lines, target, random.Random(0)).items():
        hits: Counter[str] = Counter()
        rarest = []
        for document in estimator.measure(documents(pairs, source, target, size=1)):
            rates = [human.rates(unit.signals, unit.columns) for unit in document.units]
            hits.update({signal for r in rates for signal, rate in r.items() if rate <= FALSE_ALARMS})
            found = [f for n, u in enumerate(document.units) for f in findings(n, u, document, human)]
            hits[FLAG] += any(finding.flag for finding in found)
            hits[HINT] += bool(found)
            rarest.append(min(smallest(unit, human) for unit in document.units))
        if name == HUMAN:  # which comes first
            limit = cut(rarest)
        hits[AT_FIVE] = sum(rate <= limit for rate in rarest)
        counts[name] = len(pairs)
        shares[name] = {
            signal: hits[signal] / len(pairs) for signal in (*CHECKS, *TRANSLATED, AT_FIVE, FLAG, HINT)
        }
    return shares, counts


def detection_tables(found: dict[str, tuple[Shares, dict[str, int]]]) -> dict[str, Table]:
    """The flags of all directions, and every signal that fires in each one.

    Args:
        found: by direction what `detection` gives.
    """
    ways = [HUMAN, *CORRUPTIONS, "wrong sentence"]

    def percent(shares: Shares, way: str, signal: str) -> str:
        return f"{100 * shares[way][signal]:.1f} %" if way in shares else NONE

    rows = [
        [direction, *(percent(shares, way, FLAG) for way in ways)] for direction, (shares, _) in found.items()
    ]
    tables = {"quality": Table([FLAG, *ways], rows)}
    for direction, (shares, counts) in found.items():
        signals = [
            signal
            for signal in (*CHECKS, *TRANSLATED, AT_FIVE, FLAG, HINT)
            if any(part[signal] for part in shares.values())
        ]
        rows = [[signal, *(percent(shares, way, signal) for way in ways)] for signal in signals]
        heads = [direction, f"{HUMAN} ({counts[HUMAN]})", *ways[1:]]
        tables[f"quality-{direction}"] = Table(heads, rows)
    return tables


def alignment(lines: Lines, source: str, target: str, estimator: QualityEstimator) -> list[list[str]]:
    """Rows of a table: beads found in documents with dropped, added, merged and split lines."""
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
            for place, value in enumerate(map(len, (sides[0] & gold, *sides, alone[0] & alone[1], *alone))):
                counts[name][place] += value
    rows = []
    for name, (hits, said, true, right, lone, truly) in counts.items():
        shares = (hits / said, hits / true, right / max(lone, 1), right / max(truly, 1))
        rows.append([f"{source}-{target}: {name}", *(f"{share:.3f}" for share in shares)])
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
    parser = command(__doc__)
    parser.add_argument("--corpora", type=Path, required=True)
    parser.add_argument("--models", type=Path, default=Path("models"))
    parser.add_argument("--languages", nargs="+", default=[code for code in LANGUAGES if code != "en"])
    parser.add_argument("--lines", type=int, default=400, help="lines per direction that are spoilt")
    add_option(parser)
    args = parser.parse_args()

    store = Store(args.models / "registry.toml")
    estimator = QualityEstimator(
        store=store, table=HumanTable.read(args.models / "embedded" / "quality.json")
    )
    found, aligned = {}, []
    for language in args.languages:
        for source, target in ((language, "en"), ("en", language)):
            _, lines = halves(held_out_lines(args.corpora, source, target))
            lines = lines[: args.lines]
            if estimator.translator(source, target):
                found[f"{source}-{target}"] = detection(lines, source, target, estimator)
            aligned += alignment(lines, source, target, estimator)
    columns = ["alignment", "precision", "recall", "unaligned: precision", "recall"]
    publish(detection_tables(found) | {"quality-alignment": Table(columns, aligned)}, args.tables)


if __name__ == "__main__":
    main()
