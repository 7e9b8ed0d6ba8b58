"""The trial: posts worded clumsily and well, written for this alone; how many are called rudimentary?

    python -m scripts.bench.trial --posts examples/trial

Every other measure of rudimentary wording is on text that this project made with dictionaries, or spoilt. The
posts of the trial were written by a language model that knew nothing of the detectors: in each language six
accounts of good posts and six of clumsy ones, in six styles each. Nothing is ever fitted on them; versions
are compared by them. They were not checked by native speakers.

By style: posts that are called rudimentary, AUC of the probability against the good posts of the same
language, AUC of fluency, words that are shown as broken, and accounts of five posts that are called
rudimentary.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score

from checker import Checker, Settings, accounts, score_file
from scripts.bench.tables import NONE, Table, add_option, publish
from scripts.command import command

GOOD, CLUMSY = "good", "clumsy"


def read(folder: Path) -> pd.DataFrame:
    """The posts of all languages: ``id, account, lang, kind, style, text``."""
    paths = sorted(folder.glob("*.jsonl"))
    return pd.concat([pd.read_json(path, lines=True) for path in paths], ignore_index=True)


def scored(posts: pd.DataFrame, folder: Path) -> tuple[pd.DataFrame, dict[str, str]]:
    """What is found in each post, and the verdicts of the accounts.

    Args:
        posts: as `read`.
        folder: for files between the steps.
    """
    source, target = folder / "posts.jsonl", folder / "scores.jsonl"
    posts.to_json(source, orient="records", lines=True, force_ascii=False)
    settings = Settings(round_trip=False, cache=None)
    score_file(source, target, checker=Checker(settings))
    rows = [json.loads(line) for line in target.read_text("utf-8").splitlines()]
    texts = dict(zip(posts["id"], posts["text"], strict=True))
    found = pd.DataFrame(
        {
            "id": row["id"],
            "verdict": row["verdict"],
            "rudimentary": row["rudimentary"],
            "fluency": row["fluency"],
            "words": len(texts[row["id"]].split()),
            "broken": sum(
                len(texts[row["id"]][place["start"] : place["end"]].split())
                for sentence in row["sentences"]
                for place in sentence["broken"]
            ),
        }
        for row in rows
    )
    verdicts: dict[str, str] = {
        one.account: one.verdict for one in accounts(source, scores=target, settings=settings)
    }
    return posts.merge(found, on="id", validate="one_to_one"), verdicts


def area(table: pd.DataFrame, chosen: pd.Series[bool], name: str, sign: int) -> float:
    """AUC of some clumsy posts against the good ones of their language, mean of the languages; nan where none
    has both.

    Args:
        table: of all posts.
        chosen: the clumsy ones.
        name: of the column.
        sign: 1 where clumsy posts should be higher, -1 where lower.
    """
    areas = []
    for _, part in table[table[name].notna()].groupby("lang"):
        own, good = part[name][chosen[part.index]], part[name][part["kind"] == GOOD]
        if len(own) and len(good):
            truth = [1] * len(own) + [0] * len(good)
            areas.append(float(roc_auc_score(truth, sign * np.r_[own, good])))
    return float(np.mean(areas)) if areas else float("nan")


def row(table: pd.DataFrame, chosen: pd.Series[bool], verdicts: dict[str, str], *, areas: bool) -> list[str]:
    """Cells of some posts."""
    part = table[chosen]
    sources = sorted(set(part["account"]))
    called = sum(verdicts.get(source) == "rudimentary" for source in sources)
    values = [area(table, chosen, *what) for what in (("rudimentary", 1), ("fluency", -1))] if areas else []
    return [
        str(len(part)),
        str(int(part["rudimentary"].notna().sum())),
        str(int((part["verdict"] == "rudimentary").sum())),
        *([NONE if np.isnan(value) else f"{value:.3f}" for value in values] or [NONE, NONE]),
        f"{1000 * part['broken'].sum() / part['words'].sum():.0f}",
        str(len(sources)),
        str(called),
    ]


def main() -> None:
    parser = command(__doc__)
    parser.add_argument("--posts", type=Path, default=Path("examples/trial"), help="folder with the posts")
    add_option(parser)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        table, verdicts = scored(read(args.posts), Path(folder))
    columns = [
        "posts", "asked", "called rudimentary", "AUC, rudimentary", "AUC, fluency",
        "of 1,000 words shown as broken", "accounts", "accounts called rudimentary",
    ]  # fmt: skip
    rows, languages = [], []
    for kind in (GOOD, CLUMSY):
        own = table["kind"] == kind
        for style in sorted(set(table.loc[own, "style"])):
            rows.append(
                [
                    f"{kind}: {style}",
                    *row(table, own & (table["style"] == style), verdicts, areas=kind == CLUMSY),
                ]
            )
        rows.append([f"{kind}: all", *row(table, own, verdicts, areas=kind == CLUMSY)])
    for language in sorted(set(table["lang"])):
        here = table["lang"] == language
        clumsy = row(table, here & (table["kind"] == CLUMSY), verdicts, areas=True)
        good = row(table, here & (table["kind"] == GOOD), verdicts, areas=False)
        languages.append([language, *clumsy, good[2], good[7]])
    publish(
        {
            "trial": Table(["posts worded so", *columns], rows, right=True),
            "trial-languages": Table(
                ["language, clumsy posts", *columns, "good posts called", "good accounts called"],
                languages, right=True,
            ),
        },
        args.tables,
    )  # fmt: skip


if __name__ == "__main__":
    main()
