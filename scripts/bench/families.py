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

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from checker import statistics as stats
from checker.calibration import fit as fitting
from checker.calibration.fit import LEAST_POSTS, Observed
from checker.result import Question
from checker.statistics import Floats
from checker.verdict.model import BANDS, VARIANTS, documentation, question
from checker.version import __version__
from scripts.bench.tables import NONE, Table, add_option, publish, write_json
from scripts.command import command
from scripts.training.beginners import BEGINNERS, BENT, PLAIN
from scripts.training.clumsy import WORDED
from scripts.training.technical import is_documentation
from scripts.training.verdict import BARE, LEAST, SHIPPED, TECHNICAL, observed
from scripts.training.word_for_word import WORD_FOR_WORD

LEAST_AUC = 50
"""Posts of each class from which an AUC is reported."""


def flags(
    posts: Sequence[Observed],
    probability: Floats,
    asked: Question = "machine_translated",
    least: float = 0.5,
) -> Floats:
    """Whether each post is flagged by thresholds that other families set: 1, 0, or nan where there is none.

    Args:
        posts: of any languages.
        probability: of every post, by a fit that did not know its family; nan where nothing is said of it.
        asked: the question.
        least: no threshold is lower.

    Posts that read like documentation are not called machine-translated, and set no threshold for that. Those
    that the question is not fitted on set none either. The thresholds that a post meets are those of neither
    its family nor the one that it was made of, nor of what was made of these (`Observed.fold`).
    """
    found = np.full(len(posts), np.nan)
    known = ~np.isnan(probability)
    fitted = np.array([post.fitted for post in posts], bool)
    plain = np.array([not documentation(post.evidence, TECHNICAL, asked) for post in posts], bool)
    codes = np.array([post.language for post in posts])
    families = np.array([post.testset for post in posts])
    folds = np.array([post.fold for post in posts])
    bands = np.array([BANDS.number(post.evidence.columns) for post in posts])
    for language in sorted(set(codes)):
        here = known & (codes == language)
        for family, fold in sorted(set(zip(families[here].tolist(), folds[here].tolist(), strict=True))):
            rule = here & fitted & plain & (families != family) & (folds != fold)
            others = [posts[n] for n in np.flatnonzero(rule).tolist()]
            cuts = fitting.thresholds(others, probability[rule], asked, least)
            limits = np.array([np.nan if cut is None else cut.machine for cut in cuts])
            if np.isfinite(limits).any():  # where a length has no threshold, the verdict finds nothing
                own = here & (families == family) & (folds == fold)
                met = probability[own] >= np.nan_to_num(limits[bands[own]], nan=np.inf)
                found[own] = met & plain[own]
    return found


def hidden(
    posts: Sequence[Observed], probability: Floats, flagged: Floats, whole: Collection[str] = ()
) -> list[dict[str, Any]]:
    """How often each family is flagged, and how it is told apart; one row a family and language.

    Args:
        posts: of any languages.
        probability: of every post, by a fit that did not know its family; nan where nothing is said of it.
        flagged: `flags` of them.
        whole: families that were made of others: theirs count among the others that they are told from.
    """
    rows = []
    known = ~np.isnan(probability)
    codes = np.array([post.language for post in posts])
    families = np.array([post.testset for post in posts])
    folds = np.array([post.fold for post in posts])
    kinds = np.array([post.kind for post in posts])
    for language in sorted(set(codes[known])):
        here = known & (codes == language)
        for family in sorted(set(families[here])):
            inside = here & (families == family)
            same = families == family
            if family not in whole:
                same |= np.isin(folds, folds[inside])
            others = here & ~same
            row: dict[str, Any] = {"language": language, "family": family}
            for kind in fitting.KINDS:
                row[kind] = rate(flagged[inside & (kinds == kind)])
            for name, negatives, positives in (
                ("inside", inside & (kinds == "translated"), inside & (kinds == "machine")),
                ("translated", others & (kinds == "translated"), inside & (kinds == "machine")),
                ("native", here & (kinds == "native"), inside & (kinds == "machine")),
                ("people", here & (kinds == "native"), inside & (kinds == "translated")),
            ):
                row[f"auc_{name}"] = area(probability[negatives], probability[positives])
            rows.append(row)
    return rows


def rate(flagged: Floats) -> dict[str, Any] | None:
    """Share of `flags`, its interval, and the number of posts; None of too few, and without thresholds."""
    met = flagged[~np.isnan(flagged)]
    if len(flagged) < LEAST_POSTS // 2 or not len(met):
        return None
    low, high = stats.rate_interval(int(met.sum()), len(met))
    return {"flagged": float(met.mean()), "low": low, "high": high, "posts": len(met)}


def together(posts: Sequence[Observed], found: Mapping[Question, Floats]) -> list[dict[str, Any]]:
    """How often human posts of each family are called anything that they are not, by whichever question.

    Native posts must get none of the verdicts, human translations neither of those but ``translated``. A
    question that has no threshold for a post says nothing of it.

    Args:
        posts: of any languages, but those that were made of others.
        found: `flags` of them by each question.
    """
    rows = []
    keys = np.array([f"{post.language} {post.testset}" for post in posts])
    kinds = np.array([post.kind for post in posts])
    for key in sorted(set(keys)):
        language, family = key.split(" ", 1)
        row: dict[str, Any] = {"language": language, "family": family}
        for kind in ("native", "translated"):
            own = (keys == key) & (kinds == kind)
            asked = [flags for question, flags in found.items() if kind in fitting.ALLOWED[question]]
            several = np.array([flags[own] for flags in asked])
            unknown = np.isnan(several).all(0)
            row[kind] = rate(np.where(unknown, np.nan, (several == 1).any(0)))
        rows.append(row)
    return rows


def area(negative: Floats, positive: Floats) -> float | None:
    """AUC; None for fewer than ``LEAST_AUC`` of either."""
    if min(len(negative), len(positive)) < LEAST_AUC:
        return None
    said = np.concatenate([negative, positive])
    return float(stats.auc(stats.tally(said, np.arange(len(said)) >= len(negative))))


def summary(rows: Sequence[Mapping[str, Any]], meant: Collection[str] | None = None) -> list[list[str]]:
    """Of every family: mean over languages and the worst of them; last over all families.

    Args:
        rows: of `hidden`.
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
            line.append(
                f"{100 * np.mean([v for v, _ in found]):.1f} % ({max(found)[1]} {100 * max(found)[0]:.0f} %)"
                if found else NONE
            )  # fmt: skip
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
RATES = {
    "native": "native posts called so",
    "translated": "human translations called so",
    "machine": f"{MACHINE} called so",
}
SEPARATIONS = {
    "native": "AUC, machine against native text",
    "people": "AUC, human translation against native text",
    "translated": "AUC, machine against human translations of other families",
    "inside": "AUC, machine against human translations of the family",
}
ASKED: dict[Question, str] = {
    "machine_translated": "machine", "translated": "translated", "rudimentary": "rudimentary",
}  # fmt: skip
COMPARED: dict[Question, tuple[str, ...]] = {
    "machine_translated": ("native", "translated", "inside"),
    "translated": ("native", "people"),
    "rudimentary": ("native", "translated"),
}
"""The separations that say something about a question."""


def short(rows: Mapping[Question, Sequence[Mapping[str, Any]]]) -> list[list[str]]:
    """Mean and worst over families and languages, for the questions that a figure is about.

    Of rudimentary wording, machine text is what that answer is fitted on, and is called clumsy posts.
    """
    lines = []
    for asked, title in ASKED.items():
        meant = [
            row for row in rows[asked] if asked != "rudimentary" or row["family"] in (*WORD_FOR_WORD, BARE)
        ]
        for kind, said in RATES.items():
            own = meant if kind == "machine" else rows[asked]
            found = [(r[kind]["flagged"], f"{r['family']}, {r['language']}") for r in own if r[kind]]
            if not found:
                continue
            worst = (
                max(found)
                if kind != "machine" and (asked, kind) != ("translated", "translated")
                else min(found)
            )
            mean = np.mean([value for value, _ in found])
            figures = [f"{100 * mean:.1f} %", f"{100 * worst[0]:.1f} %"]
            said = said.replace(MACHINE, CLUMSY_POSTS) if asked == "rudimentary" else said
            lines.append([title, said, *figures, worst[1], str(len(found))])
        for name in COMPARED[asked]:
            key = f"auc_{name}"
            found = [(r[key], f"{r['family']}, {r['language']}") for r in meant if r[key] is not None]
            if not found:
                continue
            mean = np.mean([value for value, _ in found])
            lines.append(
                [
                    title,
                    SEPARATIONS[name].replace("machine", CLUMSY_POSTS)
                    if asked == "rudimentary"
                    else SEPARATIONS[name],
                    f"{mean:.2f}",
                    f"{min(found)[0]:.2f}",
                    min(found)[1],
                    str(len(found)),
                ]
            )
    return lines


def any_question(rows: Sequence[Mapping[str, Any]]) -> list[list[str]]:
    """The lines of `short` for all questions at once.

    Args:
        rows: of `together`.
    """
    lines = []
    for kind, said in ("native", "native posts called any of these"), (
        "translated", "human translations called machine or rudimentary",
    ):  # fmt: skip
        found = [(r[kind]["flagged"], f"{r['family']}, {r['language']}") for r in rows if r[kind]]
        if found:
            mean, (worst, where) = float(np.mean([value for value, _ in found])), max(found)
            lines.append(["any", said, f"{100 * mean:.1f} %", f"{100 * worst:.1f} %", where, str(len(found))])
    return lines


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
    for asked, name in names.items():
        said = richest_said(posts[asked], variants, asked)
        if asked != "rudimentary":
            said[[post.testset == BARE for post in posts[asked]]] = np.nan
        flagged[asked] = flags(posts[asked], said, asked, LEAST[asked])
        rows = hidden(posts[asked], said, flagged[asked], (BARE, *BEGINNERS))
        by_question[asked] = rows
        kept[name] = [row for row in rows if asked == "rudimentary" or row["family"] not in WORDED]
        meant = (*WORD_FOR_WORD, BARE) if asked == "rudimentary" else None
        found[name] = Table(COLUMNS, summary(kept[name], meant), version=__version__, command=by)
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
    columns = [
        "machine translation", "languages", "called machine-translated", "called translated",
        "called rudimentary", "AUC of the first question against native text", "against human translations",
    ]  # fmt: skip
    found["families-systems"] = Table(columns, systems(by_question), version=__version__, command=by)
    return found, kept


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


def richest_said(posts: Sequence[Observed], variants: Mapping[str, Floats], asked: Question) -> Floats:
    """Probabilities by the richest variant that answers for each post; nan where none does."""
    said = np.full(len(posts), np.nan)
    for name in VARIANTS:
        if question(name) == asked and name in variants:
            said = np.where(np.isnan(variants[name]), said, variants[name])
    return said


def out_of_fold(posts: Sequence[Observed], name: str) -> Floats:
    """Probability of every post by a fit that did not know its family; nan where the variant cannot say."""
    scale = {language: fitting.scales(part) for language, part in fitting.by_language(posts).items()}
    able = fitting.able(posts, name)
    said = np.full(len(posts), np.nan)
    _, _, probability = fitting.fit_variant([posts[n] for n in able], scale, name)
    said[able] = probability
    return said


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
