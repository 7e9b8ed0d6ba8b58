"""Fit a calibration that counts the round trip through Firefox's translators, and say what it gains.

    python -m scripts.training.calibrate_translator --languages ru uk -o calibration-translator.json
    python -m scripts.training.calibrate_translator --languages fa --human posts.jsonl -o calibration-fa.json

What ``make calibrate-translator`` runs. It downloads the translators (tens of megabytes per language) and
the WMT test sets, translates, fits, and prints out of fold, by whole MT systems, how well machine is told
from human before, without the round trip, and after. An interrupted run goes on where it was: downloads stay,
and translations are kept in the cache of sentences.

With ``--human``, no test set is needed, and no machine text: thresholds are ranks among these human posts.
The file is labelled as docs/calibrate.md says, with ``lang``.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from checker.calibration.calibrate import length
from checker.calibration.files import calibrate_file
from checker.calibration.fit import Observed
from checker.errors import CheckerError
from checker.evaluation.labelled import read_labelled
from checker.evidence.cache import default_folder
from checker.models import Store
from checker.models.lock import sha256
from checker.pipeline import Checker
from checker.progress import shown
from checker.verdict.file import Calibration, Reliability, Source, read
from checker.verdict.model import BANDS
from scripts.command import command
from scripts.training import prepare_wmt, wmt
from scripts.training.human_ranks import by_rank, richest_round_trip

TESTSETS = ("wmt23", "wmt24")  # no shipped model was trained on them


def markdown(calibration: Calibration) -> str:
    """Before and after, a row a language; an AUC and a share found only where there is machine text."""
    lines = [
        "| language | posts | AUC before | AUC after | found before | found after | human flagged | lengths |"
    ]
    lines.append("| --- " * 8 + "|")
    for language, fitted in sorted(calibration.languages.items()):
        counted = richest_round_trip(fitted.correction) or ""
        without = counted.removesuffix("+round_trip")
        before, after = (fitted.reliability.get(name) for name in (without, counted))
        ranked = "machine" not in fitted.posts
        cells = [language, str(sum(fitted.posts.values())), *(["–"] * 4 if ranked else [])]
        if not ranked:
            cells += [_auc(before), _auc(after), _found(before), _found(after)]
        human = [share for kind, share in (after.flagged if after else {}).items() if kind != "machine"]
        cells.append(f"{max(human):.1%}" if human else "–")
        cuts = fitted.thresholds.get(counted, ())
        cells.append(", ".join(length(number) for number, cut in enumerate(cuts) if cut) or "none")
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _auc(part: Reliability | None) -> str:
    return "–" if part is None or part.auc is None else f"{part.auc:.3f}"


def _found(part: Reliability | None) -> str:
    return f"{part.flagged['machine']:.1%}" if part and "machine" in part.flagged else "–"


def ranked(checker: Checker, posts: Path, languages: Sequence[str]) -> Calibration:
    """Thresholds among the human posts of a file; machine posts in it are left out.

    Raises:
        InputError: the file cannot be read, or no language has enough posts.
    """
    found, errors = read_labelled(posts)
    told = [f"Row {error.row} was left out: {error.error}" for error in errors]
    observed: list[Observed] = []
    for language in languages:
        texts = {post.text: post for post in found if post.language == language and not post.machine}
        evidence = checker.evidence_many(texts, language)
        human = [
            Observed(one, language, post.kind, post.testset or "", 0)
            for post, one in zip(texts.values(), evidence, strict=True)
            if BANDS.holds(one.columns) and one.chrf is not None
        ]
        told.append(
            f"{language}: {len(human)} of {len(texts)} human posts have a round trip and a length band."
        )
        observed += human
    print(*told, sep="\n", file=sys.stderr)
    shipped = read(checker.store.registry.parent / "embedded" / "verdict.json")
    models = {
        language: {**checker.models.labels(language), "pivot": checker.models.pivot(language)}
        for language in languages
    }
    calibration = by_rank(shipped, observed, models)
    return calibration.model_copy(update={"source": Source(file=posts.name, sha256=sha256(posts))})


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The options; a language that no test set has is left out, unless human posts are given."""
    known = wmt.testsets()
    parser = command(__doc__)
    parser.add_argument("--languages", nargs="+", required=True, metavar="CODE", help="ISO 639-1 codes")
    parser.add_argument("-o", "--output", type=Path, required=True, help="the calibration, a .json")
    parser.add_argument("--human", type=Path, metavar="FILE", help="human posts: thresholds from their ranks")
    parser.add_argument("--testsets", nargs="+", default=TESTSETS, choices=known, metavar="SET")
    parser.add_argument(
        "--lines", nargs="+", type=int, default=[1, 2, 4], metavar="N", help="lines of a post"
    )
    parser.add_argument("--posts", type=int, default=100, help="of each test set, kind and number of lines")
    parser.add_argument("--folder", type=Path, default=Path("runs"), help="for the posts of the test sets")
    parser.add_argument("--mirror", metavar="URL", help="fetch the translators from there")
    parser.add_argument("--from", dest="source", type=Path, metavar="DIR", help="take them from a folder")
    args = parser.parse_args(arguments)
    strange = [] if args.human else list(_without_set(args.languages, args.testsets))
    args.languages = [code for code in args.languages if code not in strange]
    if strange:
        told = (
            f"{' '.join(strange)} cannot be fitted: none of {' '.join(args.testsets)} has it. Bring human "
            "posts of your own (--human FILE), or both kinds: checker calibrate --translator firefox."
        )
        if not args.languages:
            parser.error(told)
        print(told, file=sys.stderr)
    return args


def _without_set(languages: Sequence[str], testsets: Sequence[str]) -> Iterator[str]:
    known = wmt.testsets()
    for code in languages:
        if not any(wmt.directions(known[name], [code]) for name in testsets):
            yield code


def _downloaded(store: Store, args: argparse.Namespace) -> None:
    needed = [store.required("hub", language, chosen="firefox") for language in args.languages]
    small = {model.id: model for models in needed for model in models if model.family == "firefox"}
    store.download(small.values(), mirror=args.mirror, folder=args.source)


def _run(args: argparse.Namespace) -> Calibration | None:
    store = Store()
    _downloaded(store, args)
    checker = Checker(
        store=store, translator="firefox", fluency=False, cache=default_folder(store.home), exact=True
    )
    if args.human:
        calibration = ranked(checker, args.human, args.languages)
        calibration.write(args.output)
        return calibration
    posts = args.folder / "translator.jsonl"
    options = {"--testsets": args.testsets, "--languages": args.languages, "--lines": args.lines}
    listed = [text for name, values in options.items() for text in (name, *map(str, values))]
    if prepare_wmt.main([*listed, "--posts", str(args.posts), "--jsonl", str(posts)]):
        print("Not all test sets could be read. Run this again: it goes on where it was.", file=sys.stderr)
        return None
    with shown() as on_progress:
        return calibrate_file(
            posts,
            args.output,
            checker=checker,
            on_left_out=lambda lines: print(*lines, sep="\n", file=sys.stderr),
            on_progress=on_progress,
        )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the script; the exit status is 1 if there is no calibration."""
    args = parse(arguments)
    try:
        calibration = _run(args)
    except CheckerError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 1
    if calibration is None:
        return 1
    print(markdown(calibration))
    print(f"Use it with: checker score INPUT --calibration {args.output}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
