"""Kill ``checker score`` at random moments, repeat the command, and compare with an uninterrupted run.

    python -m scripts.bench.reliability --rows 2000 --kills 20

Every run is a separate process. Every kill is a SIGKILL at a moment drawn evenly from the duration of a whole
run, including start-up and writing the output. A run that ends before its moment is compared, and the next
one starts from scratch. Posts are scored with the shipped models; a tenth of the rows is unreadable. The
uninterrupted run has no cache of sentences; those that are killed begin with an empty one.
"""

from __future__ import annotations

import csv
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from scripts.bench.examples import examples
from scripts.bench.tables import Table, add_option, progress, publish
from scripts.command import command


@dataclass
class Figures:
    """What became of the rows of runs that were killed.

    Attributes:
        kills: runs that were killed.
        resumed: kills after which the next run found rows in the journal.
        outputs: outputs that were finished and compared.
        checked: rows in them.
        lost: rows of the run left alone that they lack.
        doubled: rows that they have more often.
        changed: outputs, or files of rejects, with other bytes.
    """

    kills: int = 0
    resumed: int = 0
    outputs: int = 0
    checked: int = 0
    lost: int = 0
    doubled: int = 0
    changed: int = 0


def write_posts(path: Path, rows: int) -> None:
    """JSONL of short posts in many languages, each different; every tenth is bad."""
    texts = [post["text"][:80] for post in examples()]
    with path.open("w", encoding="utf-8") as file:
        for n in range(rows):
            field = "text" if n % 10 else "txt"
            post = {"id": f"p{n}", field: f"{texts[n % len(texts)]} {n}"}
            file.write(json.dumps(post, ensure_ascii=False) + "\n")


def ids(path: Path) -> Counter[str]:
    """How often each id is in an output."""
    if path.suffix == ".parquet":
        import pyarrow.parquet as pq

        return Counter(pq.read_table(path, columns=["id"])["id"].to_pylist())
    with path.open(encoding="utf-8-sig", newline="") as file:
        if path.suffix == ".jsonl":
            return Counter(json.loads(line)["id"] for line in file)
        return Counter(row["id"] for row in csv.DictReader(file))


def survive(source: Path, suffix: str, kills: int, seed: int, *, round_trip: bool = False) -> Figures:
    """Score a file, killed again and again.

    Args:
        source: the input.
        suffix: format of the output; it is written beside the input.
        kills: how often to kill.
        seed: of the moments.
        round_trip: False leaves out the translations, which are slow.
    """
    command = [sys.executable, "-m", "checker", "score", *(["--no-round-trip"] * (not round_trip))]
    whole, output = source.with_name(f"whole{suffix}"), source.with_name(f"out{suffix}")
    rejects = [path.with_name(f"{path.name}.rejects.jsonl") for path in (whole, output)]
    began = time.monotonic()
    subprocess.run([*command, "--no-cache", source, "-o", whole], check=True, capture_output=True)
    duration = time.monotonic() - began
    expected, random_ = ids(whole), random.Random(seed)
    figures, finished, cache = Figures(), False, source.with_name("cache")
    environment = {**os.environ, "STATEMENT_CHECKER_CACHE": str(cache)}
    while figures.kills < kills or not finished:
        moment = random_.uniform(0, duration) if figures.kills < kills else None
        process = subprocess.Popen(
            [*command, source, "-o", output],
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=environment,
        )  # fmt: skip
        try:
            _, told = process.communicate(timeout=moment)
        except subprocess.TimeoutExpired:
            process.kill()
            _, told = process.communicate()
            figures.kills += 1
        figures.resumed += "Going on after" in told
        if process.returncode > 0:
            raise RuntimeError(told)
        finished = process.returncode == 0
        if not finished:
            continue
        found = ids(output)
        figures.outputs += 1
        figures.checked += found.total()
        figures.lost += (expected - found).total()
        figures.doubled += (found - expected).total()
        figures.changed += output.read_bytes() != whole.read_bytes()
        figures.changed += rejects[0].read_bytes() != rejects[1].read_bytes()
        output.unlink()
        shutil.rmtree(cache, ignore_errors=True)
    return figures


def main() -> None:
    parser = command(__doc__)
    parser.add_argument("--rows", type=int, default=2000)
    parser.add_argument("--kills", type=int, default=20, help="kills per format")
    parser.add_argument("--formats", nargs="+", default=["jsonl", "csv", "parquet"])
    parser.add_argument(
        "--round-trip-rows", type=int, default=300, help="rows scored with the translations as well, as JSONL"
    )
    parser.add_argument("--round-trip-kills", type=int, default=10, help="kills of that run; 0 leaves it out")
    parser.add_argument("--seed", type=int, default=0)
    add_option(parser)
    args = parser.parse_args()
    runs = [(name, args.rows, args.kills, False) for name in args.formats]
    if args.round_trip_kills:
        runs.append(("jsonl", args.round_trip_rows, args.round_trip_kills, True))
    rows = []
    for suffix, count, kills, round_trip in runs:
        with tempfile.TemporaryDirectory() as folder:
            source = Path(folder, "posts.jsonl")
            write_posts(source, count)
            f = survive(source, f".{suffix}", kills, args.seed, round_trip=round_trip)
        name = f"{suffix}, with the round trip" if round_trip else suffix
        cells = (name, f.kills, f.resumed, f.outputs, f"{f.checked:,}", f.lost, f.doubled, f.changed)
        rows.append([str(cell) for cell in cells])
        progress(*rows[-1])
    columns = [
        "output", "kills survived", "of them resumed from the journal", "outputs compared", "rows checked",
        "rows lost", "rows doubled", "files with other bytes",
    ]  # fmt: skip
    publish({"reliability": Table(columns, rows)}, args.tables)


if __name__ == "__main__":
    main()
