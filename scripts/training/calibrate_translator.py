"""Fit a calibration that counts the round trip through Firefox's translators, and say what it gains.

    python -m scripts.training.calibrate_translator posts.jsonl -o calibration-translator.json

What ``make calibrate-translator`` runs after it has fetched models and test sets. The posts are labelled as
docs/calibrate.md says. Translations are kept in the cache of sentences, so that an interrupted run goes on
where it was. Printed out of fold, by whole MT systems and test sets where the posts name them: how well the
style detector tells machine from human before, and the round trip beside it after.
"""

from __future__ import annotations

import sys
from pathlib import Path

from checker.calibration.files import calibrate_file
from checker.evidence.cache import default_folder
from checker.models import Store
from checker.pipeline import Checker
from checker.progress import shown
from checker.verdict.file import Calibration, Reliability
from scripts.command import command

BEFORE, AFTER = "style", "style+round_trip"


def markdown(calibration: Calibration) -> str:
    """Before and after, a row a language."""
    lines = ["| language | posts | AUC before | AUC after | found before | found after |", "| --- " * 6 + "|"]
    for language, fitted in sorted(calibration.languages.items()):
        before, after = (fitted.reliability.get(name) for name in (BEFORE, AFTER))
        cells = [language, str(sum(fitted.posts.values()))]
        cells += [_auc(before), _auc(after), _found(before), _found(after)]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _auc(part: Reliability | None) -> str:
    return "–" if part is None or part.auc is None else f"{part.auc:.3f}"


def _found(part: Reliability | None) -> str:
    return f"{part.flagged['machine']:.1%}" if part and "machine" in part.flagged else "–"


def main() -> None:
    parser = command(__doc__)
    parser.add_argument("posts", type=Path)
    parser.add_argument("-o", "--output", type=Path, required=True)
    args = parser.parse_args()
    store = Store()
    checker = Checker(
        store=store, translator="firefox", fluency=False, cache=default_folder(store.home), exact=True
    )
    with shown() as on_progress:
        calibration = calibrate_file(
            args.posts,
            args.output,
            checker=checker,
            on_left_out=lambda lines: print(*lines, sep="\n", file=sys.stderr),
            on_progress=on_progress,
        )
    print(markdown(calibration))
    print(f"Use it with: checker score INPUT --calibration {args.output}", file=sys.stderr)


if __name__ == "__main__":
    main()
