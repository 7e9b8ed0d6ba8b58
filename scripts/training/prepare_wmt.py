"""Build labelled lines, labelled posts and parallel text from the WMT test sets that sacrebleu knows.

    python -m scripts.training.prepare_wmt --out CORPORA --jsonl posts.jsonl --posts 300

``--out`` gets the folder that `corpora` describes, ``--jsonl`` what ``checker evaluate`` and ``checker
calibrate`` read. Sources are native text and references are translations by humans, where the set says so
(``origlang``); submitted systems are machine text. sacrebleu stores what it downloads, so a second run needs
no network. The same sets give the same bytes. See docs/data.md for what each part is used for.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from scripts.command import command
from scripts.training.corpora import LANGUAGES
from scripts.training.wmt import SetError, directions, has_outputs, testsets
from scripts.training.wmt_lines import Pair, Post, Row, collect, draw, posts_of

MADE_BY = {b"made_by": b"scripts/prepare_wmt.py"}
CATEGORY = pa.dictionary(pa.int32(), pa.string())
LABELLED = pa.schema(
    {
        "text": pa.string(), "label": CATEGORY, "origin": CATEGORY, "system": CATEGORY,
        "source_lang": CATEGORY, "testset": CATEGORY, "line": pa.int32(), "split": CATEGORY,
    },
    metadata=MADE_BY,
)  # fmt: skip


def labelled_tables(rows: Iterable[Row], testset: str, split: str) -> Iterator[tuple[str, pa.Table]]:
    """The part of one test set in each ``labelled`` file, with the name of the file."""
    by_language: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        by_language[row.lang].append(row)
    for lang, part in by_language.items():
        columns = {name: [getattr(row, name) for row in part] for name in Row._fields if name != "lang"}
        columns |= {"testset": [testset] * len(part), "split": [split] * len(part)}
        yield f"labelled/{lang}.parquet", pa.table(columns, schema=LABELLED)


def parallel_tables(pairs: Iterable[Pair], testset: str) -> Iterator[tuple[str, pa.Table]]:
    """The part of one test set in each ``parallel`` file, with the name of the file."""
    by_language: dict[str, list[Pair]] = defaultdict(list)
    for pair in pairs:
        by_language[pair.lang].append(pair)
    for lang, part in by_language.items():
        types = {"en": pa.string(), lang: pa.string(), "kind": CATEGORY, "testset": CATEGORY}
        columns = {
            "en": [pair.en for pair in part], lang: [pair.other for pair in part],
            "kind": [pair.kind for pair in part], "testset": [testset] * len(part),
        }  # fmt: skip
        yield f"parallel/en-{lang}.parquet", pa.table(columns, schema=pa.schema(types, metadata=MADE_BY))


def earlier(out: Path) -> list[Path]:
    """The files of an earlier run.

    Raises:
        FileExistsError: other files are in their place.
    """
    found = sorted([*out.glob("labelled/*.parquet"), *out.glob("parallel/*.parquet")])
    for path in found:
        if not MADE_BY.items() <= (pq.read_schema(path).metadata or {}).items():
            raise FileExistsError(f"{path} was not written by this script. Give another folder to --out.")
    return found


def write_corpora(tables: dict[str, list[pa.Table]], out: Path) -> None:
    """Write the files of a corpora folder and remove those of an earlier run that are not written again."""
    for path in earlier(out):
        if path.relative_to(out).as_posix() not in tables:
            path.unlink()
    for name, parts in sorted(tables.items()):
        path = out / name
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(".tmp")
        pq.write_table(pa.concat_tables(parts).unify_dictionaries(), draft, compression="zstd")
        draft.replace(path)


def write_posts(posts: Iterable[Post], path: Path) -> None:
    """Write a JSON object a line."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.tmp")
    with draft.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(json.dumps(post._asdict(), ensure_ascii=False) + "\n" for post in posts)
    draft.replace(path)


def count(rows: list[Row], pairs: list[Pair], posts: list[Post]) -> dict[str, int]:
    """How much a test set gave."""
    kinds = Counter("machine" if row.label == "machine" else row.origin for row in rows)
    return {
        "native lines": kinds["original"], "translated lines": kinds["translated"],
        "lines of mixed origin": kinds["mixed"], "machine lines": kinds["machine"],
        "pairs": len(pairs), "posts": len(posts),
    }  # fmt: skip


def report(counts: dict[str, dict[str, int]], skipped: dict[str, Counter[str]], console: Console) -> None:
    """Show what every test set gave, and what was left out and why."""
    for title, numbers in (("Written", counts), ("Left out", skipped)):
        table = Table("test set", title=title)
        names = list(dict.fromkeys(name for row in numbers.values() for name in row))
        if not names:
            continue
        for name in names:
            table.add_column(name, justify="right")
        for testset, row in numbers.items():
            table.add_row(testset, *(f"{row.get(name, 0):,}" for name in names))
        console.print(table)


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """The options; test sets in the order of their years."""
    known = testsets()
    default = [name for name, dataset in known.items() if has_outputs(dataset)]
    parser = command(__doc__)
    add = parser.add_argument
    add("--out", type=Path, help="folder for labelled/ and parallel/")
    add("--jsonl", type=Path, help="file for labelled posts")
    add(
        "--testsets", nargs="+", choices=known, default=default, metavar="SET",
        help=f"any of {' '.join(known)}; default: those with submitted systems, {' '.join(default)}",
    )  # fmt: skip
    add(
        "--dev", nargs="+", metavar="SET",
        help="sets of the split dev, which parallel/ leaves out; default: the newest of --testsets",
    )  # fmt: skip
    add("--languages", nargs="+", metavar="CODE", help=f"ISO 639-1 codes; default: {' '.join(LANGUAGES)}")
    add("--lines", nargs="+", type=int, default=[3], metavar="N", help="lines of a post; default: 3")
    add(
        "--posts", type=int, metavar="N",
        help="at most N posts of each test set, language, label, origin and number of lines, evenly over "
        "systems; default: all",
    )  # fmt: skip
    args = parser.parse_args(arguments)
    args.testsets, args.lines = sorted(set(args.testsets)), sorted(set(args.lines))
    args.dev = set(args.dev or args.testsets[-1:])
    if not (args.out or args.jsonl):
        parser.error("there is nothing to write: give --out, --jsonl or both")
    if strange := args.dev - set(args.testsets):
        parser.error(f"--dev {' '.join(sorted(strange))} is not among --testsets {' '.join(args.testsets)}")
    if args.lines[0] < 1 or (args.posts is not None and args.posts < 1):
        parser.error("--lines and --posts must be at least 1")
    for code in args.languages or []:
        if not any(directions(known[name], [code]) for name in args.testsets):
            parser.error(f"--languages {code}: no direction of {' '.join(args.testsets)} has it")
    args.languages = args.languages or LANGUAGES
    return args


def main(arguments: list[str] | None = None) -> int:
    """Run the script; the exit status is 1 if anything could not be used or written."""
    args = parse(arguments)
    console = Console(stderr=True, soft_wrap=True, highlight=False, markup=False)
    tables: dict[str, list[pa.Table]] = defaultdict(list)
    everything: list[Post] = []
    counts: dict[str, dict[str, int]] = {}
    skipped: dict[str, Counter[str]] = {}
    failed = False
    try:
        if args.out:
            earlier(args.out)
        with Progress(console=console) as progress:
            for name in args.testsets:
                dataset = testsets()[name]
                task = progress.add_task(name, total=len(directions(dataset, args.languages)))
                try:
                    found = collect(dataset, args.languages, partial(progress.advance, task))
                except SetError as error:
                    console.print(f"Error: {error}", style="red")
                    failed = True
                    continue
                pairs = [] if name in args.dev else found.pairs
                posts: list[Post] = []
                for size in args.lines:
                    made = posts_of(found.rows, name, size)
                    posts += made if args.posts is None else draw(made, args.posts)
                for file, table in (
                    *labelled_tables(found.rows, name, "dev" if name in args.dev else "train"),
                    *parallel_tables(pairs, name),
                ):
                    tables[file].append(table)
                everything += posts
                counts[name], skipped[name] = count(found.rows, pairs, posts), found.skipped
        if args.out and counts:
            write_corpora(tables, args.out)
        if args.jsonl and counts:
            write_posts(everything, args.jsonl)
    except (OSError, pa.ArrowInvalid) as error:
        console.print(f"Error: {error}", style="red")
        return 1
    if counts:
        report(counts, skipped, console)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
