"""The measured tables of the documentation: JSON that the benchmarks write, rendered into Markdown.

    python -m scripts.bench.tables

renders ``docs/measurements/NAME.json`` between ``<!-- table:NAME -->`` and ``<!-- /table -->`` in README.md
and ``docs/``. The benchmarks write these files with the option ``--tables docs/measurements``.
"""

from __future__ import annotations

import argparse
import json
import re
import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from checker.account.file import AccountModel, Dependence
from checker.account.file import read as read_accounts
from checker.files import write_text
from checker.result import Question
from checker.verdict.file import Calibration, Fitted, Reliability, read
from checker.verdict.model import VARIANTS, question
from checker.version import __version__
from scripts.command import ROOT, command

DOCS = ROOT / "docs"
MEASUREMENTS = DOCS / "measurements"
NONE = "–"
_PLACE = re.compile(r"(?<=<!-- table:)([\w.-]+)( -->\n).*?(?=<!-- /table -->)", re.DOTALL)


def _command() -> str:
    """The command that is running; paths and the options that only say where to write are left out."""
    module = getattr(sys.modules["__main__"], "__spec__", None)
    words = ["python", "-m", module.name if module else Path(sys.argv[0]).stem]
    option = ""
    for word in sys.argv[1:]:
        option = word if word.startswith("--") else option
        if option not in ("--tables", "--json"):
            words.append(option[2:].upper() if "/" in word else word)
    return shlex.join(words)


@dataclass(frozen=True)
class Table:
    """A measured table.

    Attributes:
        columns: heads.
        rows: cells as they are shown.
        right: whether all columns but the first are aligned right.
        version: of statement-checker when it was measured.
        command: that measured it.
    """

    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    right: bool = False
    version: str | None = __version__
    command: str = field(default_factory=_command)

    def __post_init__(self) -> None:
        for row in self.rows:
            if len(row) != len(self.columns):
                raise ValueError(f"{len(row)} cells for {len(self.columns)} columns: {row}")

    @property
    def markdown(self) -> str:
        """The table as GitHub shows it."""
        rules = ["---", *["---:" if self.right else "---"] * (len(self.columns) - 1)]
        return "\n".join(f"| {' | '.join(cells)} |" for cells in (self.columns, rules, *self.rows))

    @property
    def json(self) -> str:
        """The table as a file of ``docs/measurements``, a row per line."""
        facts = {
            "version": self.version, "command": self.command, "right": self.right,
            "columns": list(self.columns),
        }  # fmt: skip
        lines = [f" {_dumped(name)}: {_dumped(value)}," for name, value in facts.items()]
        rows = ",\n".join(f"  {_dumped(list(row))}" for row in self.rows)
        return "\n".join(["{", *lines, f' "rows": [\n{rows}\n ]', "}"])

    @classmethod
    def read(cls, path: Path) -> Table:
        """A file of ``docs/measurements``."""
        return cls(**json.loads(path.read_text("utf-8")))


def _dumped(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def add_option(parser: argparse.ArgumentParser) -> None:
    """Give a benchmark its option ``--tables``."""
    parser.add_argument(
        "--tables", type=Path, metavar="FOLDER", help="write the tables there; docs/measurements for the docs"
    )


def publish(tables: Mapping[str, Table], folder: Path | None) -> None:
    """Print tables, and write them into a folder if there is one."""
    for name, table in tables.items():
        print(f"\n{name}\n\n{table.markdown}", flush=True)
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
            write_text(table.json, folder / f"{name}.json")


def write_json(record: object, path: Path | None) -> None:
    """Write all figures of a benchmark, with their intervals; nothing without a path."""
    if path is not None:
        write_text(json.dumps(record, indent=1, ensure_ascii=False), path)


def progress(*said: object) -> None:
    """Say on standard error how far a long benchmark is."""
    print(*said, file=sys.stderr, flush=True)


def fitted(calibration: Calibration, asked: Question) -> Table:
    """What a calibration says of its error rates on a question, out of fold, by its richest variants."""

    def share(part: Reliability, kind: str) -> str:
        return f"{100 * part.flagged[kind]:.1f} %" if kind in part.flagged else NONE

    rows = []
    for language, found in sorted(calibration.languages.items()):
        variant = next(
            (n for n in reversed(VARIANTS) if question(n) == asked and n in found.reliability), None
        )
        if variant is None:
            continue
        part = found.reliability[variant]
        thresholds = [NONE if one is None else f"{one.machine:.3f}" for one in found.thresholds[variant]]
        rates = [share(part, kind) for kind in ("native", "translated", "machine")]
        auc = NONE if part.auc is None else f"{part.auc:.3f}"
        shown = "withheld" if variant in found.withheld else " / ".join(thresholds)
        rows.append([language, auc, f"{part.ece:.3f}", *rates, shown])
    columns = [
        "language", "AUC", "ECE", "native flagged", "translations flagged", "machine flagged", "thresholds",
    ]  # fmt: skip
    return Table(columns, rows, version=calibration.version, command="python -m scripts.training.verdict")


def by_language(calibration: Calibration, accounts: AccountModel) -> Table:
    """Which verdicts a post, or an account of ten, can get in each language, and what is found out of fold.

    Args:
        calibration: of posts. Of a question without a threshold, or whose verdict is withheld, it says so.
        accounts: the judgement on accounts.
    """
    asked: dict[Question, Dependence | None] = {
        "machine_translated": accounts.machine, "translated": accounts.translated,
        "rudimentary": accounts.rudimentary,
    }  # fmt: skip

    def post(found: Fitted, name: Question) -> str:
        variants = [n for n in VARIANTS if question(n) == name and n in found.reliability]
        if not variants or all(one is None for one in found.thresholds[variants[-1]]):
            return "not judged"
        share = found.reliability[variants[-1]].flagged.get("machine")
        if variants[-1] in found.withheld:
            return "withheld"
        return "finds none" if share is None or share < 0.0005 else f"finds {100 * share:.1f} %"

    def account(code: str, part: Dependence | None) -> str:
        known = part is not None and any(code in row.cuts for row in part.rows if row.posts == 10)
        return "judged" if known else "not judged"

    rows = [
        [code, *(post(found, name) for name in asked), *(account(code, part) for part in asked.values())]
        for code, found in sorted(calibration.languages.items())
    ]
    heads = [f"`{name}`" for name in asked]
    columns = ["language", *(f"post: {head}" for head in heads), *(f"account: {head}" for head in heads)]
    return Table(columns, rows, version=calibration.version, command="python -m scripts.training.verdict")


def named(name: str) -> Table:
    """The table that a marker names: a file of ``docs/measurements``, or one that is derived from a file."""
    fits: dict[str, Question] = {
        "verdict": "machine_translated", "verdict-translated": "translated",
        "verdict-rudimentary": "rudimentary",
    }  # fmt: skip
    embedded = ROOT / "models" / "embedded"
    if name in fits:
        return fitted(read(embedded / "verdict.json"), fits[name])
    if name == "languages":
        return by_language(read(embedded / "verdict.json"), read_accounts(embedded / "accounts.json"))
    return Table.read(MEASUREMENTS / f"{name}.json")


def rendered(document: str) -> str:
    """A document with all of its tables as they were measured."""
    return _PLACE.sub(lambda place: f"{place[1]}{place[2]}\n{named(place[1]).markdown}\n\n", document)


def documents() -> list[Path]:
    """The documents that have measured tables."""
    found = [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))]
    return [path for path in found if _PLACE.search(path.read_text("utf-8"))]


def main() -> None:
    command(__doc__).parse_args()
    for path in documents():
        write_text(rendered(path.read_text("utf-8")), path)


if __name__ == "__main__":
    main()
