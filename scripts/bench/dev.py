"""Measure the embedded profile on a year and on MT systems that nothing was trained on, and on native leads.

    python -m scripts.bench.dev --corpora CORPORA --posts 300 --json dev.json

The Checker scores posts of ``--lines`` consecutive lines as a user would, except that their language is
given. They are measured as by ``checker evaluate``. Intervals are 95 %: bootstrap for
AUC, Clopper-Pearson for shares. ECE weighs human and machine equally.

With ``--spare``, it measures instead how many human posts a verdict fitted with ``scripts.training.verdict
--spare`` flags in the part of the test sets without MT output that the fit did not see.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import pandas as pd

from checker.evaluation.evaluate import evaluate
from checker.evaluation.labelled import LabelledPost
from checker.evaluation.result import Estimate, Figures, Share
from checker.evaluation.scores import Score
from checker.models import Store
from checker.pipeline import Checker
from checker.result import Result
from scripts.bench.tables import NONE, Table, add_option, progress, publish, write_json
from scripts.command import command
from scripts.training.corpora import LANGUAGES, dev, halves, labelled, native, unpaired
from scripts.training.posts import group

HUMAN = ("native", "translated")
SETS = {"wmt19": "NTREX"}
"""What an unpaired test set is called in the docs: NTREX are translations of the English lines of WMT19."""


def labelled_posts(posts: pd.DataFrame, language: str) -> list[LabelledPost]:
    """Posts of `scripts.training.posts.group` as ``checker evaluate`` takes them."""
    return [
        LabelledPost(
            row=row,
            id=str(row),
            text=post["text"],
            machine=post["kind"] == "machine",
            language=language,
            system=str(post["system"]),
            origin="translated" if post["kind"] == "translated" else "original",
            testset=str(post["testset"]),
        )
        for row, post in enumerate(posts.to_dict("records"), start=1)
    ]


def measure(posts: Sequence[LabelledPost], results: Iterable[Result | Score]) -> dict[str, Figures]:
    """Figures of the machine posts against each kind of human posts that there is."""
    scored = list(zip(posts, results, strict=True))
    found = {}
    for kind in HUMAN:
        ours = [pair for pair in scored if pair[0].kind in (kind, "machine")]
        if any(not post.machine for post, _ in ours):
            found[kind] = evaluate([post for post, _ in ours], [result for _, result in ours]).overall
    return found


def points(found: Estimate | None) -> str:
    """An AUC with its interval."""
    return f"{found.value:.3f} ({found.low:.3f}–{found.high:.3f})" if found else NONE


def percent(found: Share | None) -> str:
    """A share with its interval."""
    if found is None or found.value is None or found.low is None or found.high is None:
        return NONE
    return f"{100 * found.value:.1f} % ({100 * found.low:.1f}–{100 * found.high:.1f})"


def table(languages: Mapping[str, Mapping[str, Figures]]) -> Table:
    """The table of detection.

    Args:
        languages: by language what `measure` found.
    """
    rows = []
    for language, parts in languages.items():
        native, translated = parts.get("native"), parts.get("translated")
        counts = Counter({k: n for part in parts.values() for k, n in part.posts.items() if n})
        either = native or translated
        rows.append(
            [
                language,
                " / ".join(str(counts[kind]) for kind in (*HUMAN, "machine")),
                points(native.auc if native else None),
                points(translated.auc if translated else None),
                " / ".join(NONE if part is None else str(part.ece) for part in (native, translated)),
                percent(native.false_positive_rate if native else None),
                percent(translated.false_positive_rate if translated else None),
                percent(either.true_positive_rate if either else None),
            ]
        )
    columns = [
        "language", "posts native / translated / machine", "AUC native against machine",
        "AUC human translation against machine", "ECE native / translated", "native flagged",
        "translations flagged", "machine flagged",
    ]  # fmt: skip
    return Table(columns, rows)


def human_table(alone: Mapping[str, Figures]) -> Table:
    """How many human posts are flagged, by the name of their set."""
    rows = [
        [name, str(part.false_positive_rate.posts), percent(part.false_positive_rate)]
        for name, part in alone.items()
    ]
    return Table(["human posts alone", "posts", "flagged"], rows)


def human_posts(corpora: Path, language: str, most: int, lines: tuple[int, ...]) -> pd.DataFrame:
    """Posts of the second half of test sets that no system translated: nothing of them was fitted on."""
    frame = labelled(corpora, language, "train")
    return group(frame[unpaired(frame) & ~halves(frame)], most, lines)


def leads(corpora: Path, most: int) -> list[LabelledPost]:
    """Native Russian news leads that nothing was trained on."""
    frame = native(corpora, "dev").sample(most, random_state=0)
    return [
        LabelledPost(row=row, id=str(row), text=text, machine=False, language="ru", origin="original")
        for row, text in enumerate(frame["text"], start=1)
    ]


def main() -> None:
    parser = command(__doc__)
    parser.add_argument("--corpora", type=Path, required=True)
    parser.add_argument("--models", type=Path, default=Path("models"))
    parser.add_argument("--languages", nargs="+", default=LANGUAGES)
    parser.add_argument("--posts", type=int, default=300, help="posts of each kind per language, at most")
    parser.add_argument("--lines", type=int, nargs="+", default=[3], help="lines per post")
    parser.add_argument("--spare", action="store_true", help="measure the human posts that were spared")
    parser.add_argument("--json", type=Path, help="write all figures there")
    add_option(parser)
    args = parser.parse_args()
    store, lines = Store(args.models / "registry.toml"), tuple(args.lines)
    languages: dict[str, dict[str, Figures]] = {}
    alone: dict[str, Figures] = {}

    def score(posts: Sequence[LabelledPost], language: str | None) -> list[Result]:
        checker = Checker(store=store, language=language, round_trip=False)  # no part of the verdict
        return list(checker.score_many([post.text for post in posts]))

    for language in args.languages:
        if args.spare:
            frame = human_posts(args.corpora, language, args.posts, lines)
            for (testset, kind), part in frame.groupby(["testset", "kind"], observed=True):
                posts = labelled_posts(part, language)
                alone[f"{language} {SETS.get(testset, testset)}, {kind}"] = evaluate(
                    posts, score(posts, language)
                ).overall
        elif not (frame := dev(args.corpora, language)).empty:
            posts = labelled_posts(group(frame, args.posts, lines), language)
            languages[language] = measure(posts, score(posts, language))
        progress(language)
    if "ru" in args.languages and not args.spare:
        posts = leads(args.corpora, 4 * args.posts)
        alone["ru leads, native"] = evaluate(posts, score(posts, None)).overall
    found = {"detection-human" if args.spare else "detection-leads": human_table(alone)}
    publish(found if args.spare else {"detection": table(languages), **found}, args.tables)
    record = {
        "languages": {
            code: {kind: part.model_dump(mode="json") for kind, part in parts.items()}
            for code, parts in languages.items()
        },
        "human posts alone": {name: part.model_dump(mode="json") for name, part in alone.items()},
    }
    write_json(record, args.json)


if __name__ == "__main__":
    main()
