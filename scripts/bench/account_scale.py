"""Time and memory of `checker accounts` on a file of scores of many posts, in no order, of many accounts.

    python -m scripts.bench.account_scale --posts 100000 1000000 --tables docs/measurements

The scores are made up: words of random letters, a tenth of the posts repeat another one of their account with
one word changed, and accounts differ in size (log-normal). Nothing is measured but the machine's work.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import numpy as np

from checker.result import Language, Result, Sentence
from checker.version import __version__
from scripts.bench.tables import Table, add_option, progress, publish
from scripts.command import command

PER_ACCOUNT = 10
REPEATED = 0.1
_LETTERS = "абвгдежзиклмнопрстуфхцчшыьэюя"
_FIRST = date(2024, 1, 1)


def lines(posts: int, seed: int = 0) -> Iterator[str]:
    """Rows of a file of scores: each account has a post at least, and ten on average."""
    numbers, draw = np.random.default_rng(seed), random.Random(seed)
    words = ["".join(draw.choices(_LETTERS, k=draw.randint(2, 9))) for _ in range(5000)]
    count = max(1, posts // PER_ACCOUNT)
    size = numbers.lognormal(0, 1.5, count)
    owners = np.concatenate([np.arange(count), numbers.choice(count, posts - count, p=size / size.sum())])
    level = numbers.normal(0, 1, count)
    last: dict[int, list[str]] = {}  # of an account, its latest text
    for number, owner in enumerate(numbers.permutation(owners).tolist()):
        text = draw.choices(words, k=30)
        if owner in last and draw.random() < REPEATED:
            text = [*last[owner][:-1], text[0]]
        last[owner] = text
        body = " ".join(text)
        probability = round(1 / (1 + float(np.exp(-level[owner] - draw.gauss(0, 1)))), 4)
        result = Result(
            id=str(number), verdict="uncertain", machine_translated=probability, translated=probability,
            language=Language(code="ru", confidence=1.0), columns=len(body),
            sentences=(Sentence(text=body, start=0, end=len(body), language="ru"),),
            models={"profile": "embedded"}, version=__version__,
        )  # fmt: skip
        day = _FIRST + timedelta(draw.randrange(730))
        facts = {"user": f"user{owner}", "date": day.isoformat()}
        yield json.dumps(result.to_dict() | facts, ensure_ascii=False) + "\n"


def measured(posts: int, folder: Path) -> list[str]:
    """A row of the table.

    The command runs in a process of its own, and the scores are made up in another one: a process begins with
    the peak of that which starts it.
    """
    source, output = folder / f"{posts}.jsonl", folder / f"{posts}.accounts.jsonl"
    made = [
        sys.executable,
        "-m",
        "scripts.bench.account_scale",
        "--posts",
        str(posts),
        "--write",
        str(source),
    ]
    subprocess.run(made, check=True)
    progress(f"{posts} posts, {source.stat().st_size / 2**20:.0f} MiB")
    began = time.monotonic()
    run = [sys.executable, "-m", "checker", "accounts", str(source), "-o", str(output), "--by", "user"]
    process = subprocess.Popen(run, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(run)} ended with {process.returncode}")
    seconds = time.monotonic() - began
    with output.open("rb") as file:
        accounts = sum(1 for _ in file)
    source.unlink()
    output.unlink()
    cpu, peak = usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 2**10
    return [f"{posts:,}", f"{accounts:,}", f"{cpu:.0f}", f"{seconds:.0f}", f"{peak:.0f}"]


def main() -> None:
    parser = command(__doc__)
    parser.add_argument("--posts", type=int, nargs="+", default=[100_000, 1_000_000], help="their number")
    parser.add_argument("--folder", type=Path, help="for the files: 2 GB for a million posts")
    parser.add_argument("--write", type=Path, help="only make the scores, in this .jsonl")
    add_option(parser)
    args = parser.parse_args()
    if args.write is not None:
        with args.write.open("w", encoding="utf-8") as file:
            file.writelines(lines(args.posts[0]))
        return
    with tempfile.TemporaryDirectory(dir=args.folder, prefix="accounts.") as temporary:
        rows = [measured(count, Path(temporary)) for count in args.posts]
    columns = ["posts", "accounts", "seconds of a processor core", "seconds", "peak memory, MiB"]
    publish({"accounts-scale": Table(columns, rows, right=True)}, args.tables)


if __name__ == "__main__":
    main()
