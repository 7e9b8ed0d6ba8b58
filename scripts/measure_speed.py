"""Measure speed, start-up time and memory of the embedded profile on this machine.

    python scripts/measure_speed.py --copies 20 --runs 5

* posts per second: ``--copies`` copies of examples/posts.jsonl, every sentence of which is made distinct
  (equal sentences are translated once), with and without the round trip, start-up not counted;
* cold start: wall time of ``checker score --text`` beside ``python -c "import torch, transformers"``;
* peak memory of the batch run, as the operating system accounts it.
"""

from __future__ import annotations

import argparse
import json
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

EXAMPLES = Path(__file__).parents[1] / "examples" / "posts.jsonl"
SCORE = "from checker.cli import main; main()"
BATCH = """
import json, sys, time
from checker import Checker
texts = [json.loads(line)["text"] for line in open(sys.argv[1], encoding="utf-8")]
checker = Checker(round_trip=sys.argv[2] == "yes")
list(checker.score_many(texts[:13]))
begun = time.perf_counter()
list(checker.score_many(texts))
print(len(texts) / (time.perf_counter() - begun))
"""


def seconds(command: list[str]) -> float:
    """Wall time of a command that must succeed."""
    begun = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - begun


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--copies", type=int, default=20)
    parser.add_argument("--runs", type=int, default=5)
    args = parser.parse_args()
    posts = [json.loads(line) for line in EXAMPLES.read_text(encoding="utf-8").splitlines()]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "posts.jsonl"
        with path.open("w", encoding="utf-8") as file:
            for copy in range(args.copies):
                for post in posts:
                    text = re.sub(r"([.!?。！？؟])", rf" {copy}\1", post["text"])
                    file.write(json.dumps({"id": post["id"], "text": text}, ensure_ascii=False) + "\n")
        for wanted in ("yes", "no"):
            done = subprocess.run(
                [sys.executable, "-c", BATCH, str(path), wanted], check=True, capture_output=True, text=True
            )
            print(f"posts per second, round trip {wanted}: {float(done.stdout.split()[-1]):.1f}")
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(f"peak memory of a batch run: {peak:.0f} MiB")
    text = posts[0]["text"]
    ours, theirs = [], []
    for _ in range(args.runs):
        ours.append(seconds([sys.executable, "-c", SCORE, "score", "--text", text]))
        theirs.append(seconds([sys.executable, "-c", "import torch, transformers"]))
    print(f"cold start of checker score --text: {statistics.median(ours):.2f} s (median of {args.runs})")
    print(f"python -c 'import torch, transformers': {statistics.median(theirs):.2f} s")


if __name__ == "__main__":
    main()
