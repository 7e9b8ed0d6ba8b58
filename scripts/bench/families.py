"""What a family of text gets from a verdict that has never seen it.

A family is where text comes from: one documentation, one parliament, one newsroom. A detector can learn what
a test set is about instead of how it is written, so whole families are the unit: each is judged by a fit on
the others, with the thresholds that the others set. For each family and language: the share of native,
human-translated and machine-translated posts that is flagged, the AUC inside the family where it has both
sides, and that of its machine text against human text of the others. The worst language is reported beside
the mean.

    python -m scripts.bench.families --evidence runs/evidence --tables docs/measurements

The evidence is what ``scripts.training.verdict --cache`` kept: that of the shipped models.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from checker.calibration import fit as fitting
from checker.calibration.fit import Observed
from checker.result import Question
from checker.statistics import Floats
from checker.verdict.model import documentation, question
from checker.version import __version__
from scripts.bench.held_out import Error, calibration, flags, hidden, out_of_fold, richest_said, together
from scripts.bench.tables import NONE, Table, add_option, publish, write_json
from scripts.command import command
from scripts.training.beginners import BEGINNERS, BENT, PLAIN
from scripts.training.clumsy import WORDED
from scripts.training.technical import is_documentation
from scripts.training.verdict import BARE, LEAST, SHIPPED, TECHNICAL, observed
from scripts.training.word_for_word import WORD_FOR_WORD


def summary(
    rows: Sequence[Mapping[str, Any]], asked: Question, meant: Collection[str] | None = None
) -> list[list[str]]:
    """Of every family: mean over languages and the worst of them; last over all families.

    Args:
        rows: of `hidden`.
        asked: the question: the worst is the highest share of what should not be flagged, the lowest of the
            rest.
        meant: families whose machine posts the last line is about; None for all of them.
    """
    lines = []
    families = sorted({row["family"] for row in rows})
    for family in [*families, None]:
        own = [row for row in rows if family in (None, row["family"])]
        if family is None and meant is not None:
            sides = {"machine", *(f"auc_{name}" for name in SEPARATIONS if name != "people")}
            own = [row if row["family"] in meant else {**row, **dict.fromkeys(sides)} for row in own]
        line = [family or "**all**"]
        for kind in fitting.KINDS:
            found = [(row[kind]["flagged"], row["language"]) for row in own if row[kind]]
            if not found:
                line.append(NONE)
                continue
            share, code = worst_of(kind, asked)(found)
            mean = 100 * np.mean([value for value, _ in found])
            line.append(f"{mean:.1f} % ({code} {100 * share:.0f} %)")
        for name in ("inside", "translated", "native", "people"):
            scores = [(row[f"auc_{name}"], row["language"]) for row in own if row[f"auc_{name}"] is not None]
            line.append(
                f"{np.mean([v for v, _ in scores]):.2f} ({min(scores)[1]} {min(scores)[0]:.2f})"
                if scores else NONE
            )  # fmt: skip
        lines.append(line)
    return lines


COLUMNS = [
    "family", "native flagged", "translations flagged", "machine flagged", "AUC inside",
    "AUC against translations",
    "AUC against native", "AUC translation against native",
]  # fmt: skip


MACHINE, CLUMSY_POSTS = "machine translations", "clumsy posts"
"""What a question is to find; rudimentary wording is fitted on posts that are clumsy, whoever made them."""

ASKED: dict[Question, tuple[str, str]] = {
    "machine_translated": ("machine", MACHINE),
    "translated": ("translated", MACHINE),
    "rudimentary": ("rudimentary", CLUMSY_POSTS),
}
"""Question → its name in tables, and what its machine posts are called."""

COMPARED: dict[Question, tuple[str, ...]] = {
    "machine_translated": ("native", "translated", "inside"),
    "translated": ("native", "people"),
    "rudimentary": ("native", "translated", "inside"),
}
"""The separations that say something about a question."""

SEPARATIONS = {
    "native": "AUC, {} against native text",
    "people": "AUC, human translation against native text",
    "translated": "AUC, {} against human translations of other families",
    "inside": "AUC, {} against human translations of the family",
}

Measured = list[tuple[float, str]]
"""A figure, and the family and language that it is of."""


def short(rows: Mapping[Question, Sequence[Mapping[str, Any]]]) -> list[list[str]]:
    """Mean and worst over families and languages, for the questions that a figure is about."""
    lines = []
    for asked, (title, sought) in ASKED.items():
        every = rows[asked]
        meant = [row for row in every if asked != "rudimentary" or row["family"] in (*WORD_FOR_WORD, BARE)]
        wrong = fitting.ALLOWED[asked]
        for kind, of in ("native", "native posts"), ("translated", "human translations"), ("machine", sought):
            found = rates(meant if kind == "machine" else every, kind)
            said = "wrongly called so" if kind in wrong else "found"
            lines += mean_and_worst(title, f"{of} {said}", found, worst_of(kind, asked))
            cleared = rates(every, f"{kind}_cleared")
            said = "found to be human-written" if kind in wrong else "wrongly called human-written"
            lines += mean_and_worst(title, f"{of} {said}", cleared, min if kind in wrong else max)
        for name in COMPARED[asked]:
            found = [(r[f"auc_{name}"], where(r)) for r in meant if r[f"auc_{name}"] is not None]
            lines += mean_and_worst(title, SEPARATIONS[name].format(sought), found, min, "{:.2f}")
    return lines


def any_question(rows: Sequence[Mapping[str, Any]]) -> list[list[str]]:
    """The lines of `short` for all questions at once.

    Args:
        rows: of `together`.
    """
    kinds = {
        "native": "native posts wrongly called any of these",
        "translated": "human translations wrongly called machine or rudimentary",
    }
    return [
        found for kind, said in kinds.items() for found in mean_and_worst("any", said, rates(rows, kind), max)
    ]


def rates(rows: Sequence[Mapping[str, Any]], kind: str) -> Measured:
    """The shares flagged of a kind, where they are known."""
    return [(row[kind]["flagged"], where(row)) for row in rows if row[kind]]


def worst_of(kind: str, asked: Question) -> Callable[[Measured], tuple[float, str]]:
    """Takes the highest share of what a question should not find, the lowest of what it should."""
    return max if kind in fitting.ALLOWED[asked] else min


def where(row: Mapping[str, Any]) -> str:
    """Family and language of a row."""
    return f"{row['family']}, {row['language']}"


def mean_and_worst(
    title: str,
    said: str,
    found: Measured,
    worst: Callable[[Measured], tuple[float, str]],
    form: str = "{:.1%}",
) -> list[list[str]]:
    """One line of `short`; none where nothing was measured."""
    if not found:
        return []
    figure, place = worst(found)
    mean = float(np.mean([value for value, _ in found]))
    figures = [form.format(value).replace("%", " %") for value in (mean, figure)]
    return [[title, said, *figures, place, str(len(found))]]


SYSTEMS = {
    "rudimentary: word for word, news, speeches, documentation": WORD_FOR_WORD,
    "rudimentary: words in their dictionary form, news and documentation": (PLAIN,),
    "rudimentary: one in three of the words with other forms wrong, news and documentation": (BENT,),
    "rudimentary: by rules (Apertium), parliaments and news": ("made_rules",),
    "rudimentary: small translators of this project, news": ("made_small",),
    "a production translator (Firefox), news": ("made_firefox",),
    "systems of 2021, news": ("wmt21",),
    "a production system, documentation (msdocs)": ("msdocs",),
    "large language models of 2025 and 2026, documentation": ("coop", "mdn_mt"),
}
"""Machine text by quality → how the names of its families begin."""


def systems(rows: Mapping[Question, Sequence[Mapping[str, Any]]]) -> list[list[str]]:
    """What is found of machine text of each quality: means over families and languages.

    Shares that each question says yes to, then the AUC of the first.
    """
    lines = []
    for title, families in SYSTEMS.items():
        own = {
            asked: [row for row in found if row["family"].startswith(families) and row["machine"]]
            for asked, found in rows.items()
        }
        if not own["machine_translated"]:
            continue
        shares = [
            f"{100 * np.mean([row['machine']['flagged'] for row in own[asked]]):.1f} %"
            if own[asked]
            else NONE
            for asked in ASKED
        ]
        areas = []
        for key in ("auc_native", "auc_translated"):
            found = [row[key] for row in own["machine_translated"] if row[key] is not None]
            areas.append(f"{np.mean(found):.2f}" if found else NONE)
        languages = {row["language"] for rows_of in own.values() for row in rows_of}
        lines.append([title, str(len(languages)), *shares, *areas])
    return lines


def tables(
    posts: Mapping[Question, Sequence[Observed]], variants: Mapping[str, Floats]
) -> tuple[dict[str, Table], dict[str, list[dict[str, Any]]]]:
    """The tables ``families…``, one a question, all of them in short, and the rows.

    What was made for the question of rudimentary wording is in the table of that alone, and by quality.
    """
    found, kept = {}, {}
    by = "python -m scripts.bench.families --evidence runs/evidence"
    names: dict[Question, str] = {
        "machine_translated": "families", "translated": "families-translated",
        "rudimentary": "families-rudimentary",
    }  # fmt: skip
    by_question: dict[Question, list[dict[str, Any]]] = {}
    flagged: dict[Question, Floats] = {}
    errors: list[list[str]] = []
    for asked, name in names.items():
        said = richest_said(posts[asked], variants, asked)
        if asked != "rudimentary":
            said[[post.testset == BARE for post in posts[asked]]] = np.nan
        met = flags(posts[asked], said, asked, LEAST[asked])
        flagged[asked] = met.flagged
        rows = hidden(posts[asked], said, met, (BARE, *BEGINNERS))
        by_question[asked] = rows
        errors += calibrated(asked, calibration(posts[asked], said, asked))
        kept[name] = [row for row in rows if asked == "rudimentary" or row["family"] not in WORDED]
        meant = (*WORD_FOR_WORD, BARE) if asked == "rudimentary" else None
        found[name] = Table(COLUMNS, summary(kept[name], asked, meant), version=__version__, command=by)
    found["technical"] = Table(
        ["", "family", "taken for documentation", "posts"],
        taken(posts["machine_translated"]),
        version=__version__,
        command=by,
    )
    columns = [
        "question", "figure", "mean", "worst", "family and language of the worst",
        "measured: a family in a language each",
    ]  # fmt: skip
    in_short = {asked: kept[name] for asked, name in names.items()}
    every = posts["rudimentary"]
    people = [n for n, post in enumerate(every) if post.testset not in (BARE, *WORDED)]
    any_of = together([every[n] for n in people], {asked: of[people] for asked, of in flagged.items()})
    found["families-worst"] = Table(
        columns, [*short(in_short), *any_question(any_of)], version=__version__, command=by
    )
    kept["families-together"] = any_of
    columns = ["question", "mean of languages", "worst language", "languages", "all languages together"]
    found["families-calibration"] = Table(columns, errors, version=__version__, command=by)
    columns = [
        "machine translation", "languages", "called machine-translated", "called translated",
        "called rudimentary", "AUC of the first question against native text", "against human translations",
    ]  # fmt: skip
    found["families-systems"] = Table(columns, systems(by_question), version=__version__, command=by)
    return found, kept


def calibrated(asked: Question, errors: Sequence[Error]) -> list[list[str]]:
    """Calibration errors of a question, each with the least that can be expected in brackets."""
    if len(errors) < 2:
        return []
    *each, every = errors
    worst = max(each, key=lambda error: error.seen)
    mean = Error(None, *(float(np.mean([error[n] for error in each])) for n in (1, 2)))
    cells = [f"{error.seen:.3f} ({error.least:.3f})" for error in (mean, worst, every)]
    return [[ASKED[asked][0], cells[0], f"{worst.language} {cells[1]}", str(len(each)), cells[2]]]


def taken(posts: Sequence[Observed]) -> list[list[str]]:
    """What is taken for technical documentation, by a head that has not seen the family; each side's mean."""
    families = np.array([post.testset for post in posts])
    found = np.array([documentation(post.evidence, TECHNICAL) for post in posts], bool)
    lines = []
    for side, kind in ((True, "documentation"), (False, "other")):
        names = sorted(set(families) - {*WORDED, BARE})  # these are made of documentation as well
        own = [name for name in names if is_documentation(name) == side]
        shares = [float(found[families == name].mean()) for name in own]
        lines += [
            [kind, name, f"{100 * share:.0f} %", str(int((families == name).sum()))]
            for name, share in zip(own, shares, strict=True)
        ]
        if shares:
            worst = min(shares) if side else max(shares)
            lines.append([kind, "**mean**", f"{100 * np.mean(shares):.0f} % (worst {100 * worst:.0f} %)", ""])
    return lines


def main() -> None:
    parser = command(__doc__)
    parser.add_argument(
        "--evidence", type=Path, required=True, help="the --cache of scripts.training.verdict"
    )
    parser.add_argument("--variants", nargs="+", default=list(SHIPPED), help="to compare, the richest last")
    parser.add_argument("--json", type=Path, help="every family and language, with intervals")
    add_option(parser)
    args = parser.parse_args()
    read = [pd.read_parquet(path) for path in sorted(args.evidence.glob("*.parquet"))]
    posts = {asked: [post for table in read for post in observed(table, asked)] for asked in ASKED}
    said = {  # a question has folds of its own
        name: out_of_fold(posts[question(name)], name)
        for name in args.variants
        if fitting.able(posts[question(name)], name)
    }
    found, rows = tables(posts, said)
    publish(found, args.tables)
    write_json(rows, args.json)


if __name__ == "__main__":
    main()
