"""Fit the verdict layer of the embedded profile on families of text that no model was trained on.

    python -m scripts.training.verdict --corpora CORPORA --models models --cache runs/evidence

A family is where text comes from: one documentation, one parliament, one year of a shared task. Each one is
held out in turn, and the thresholds hold in the worst. ``scripts.bench.families`` measures from the same
evidence what a family gets from thresholds that never saw it.

The posts are those of WMT21, of NTREX where no system translated it, translations of our own (`made`, `rules`
and `word_for_word`), and of the ``wild`` corpora, less what the encoder was trained on; two in three of them
are cut to their first sentences, since posts are short. Games, jokes and chat (`debian`) set thresholds for
rudimentary wording, and measure the other answers.

Documentation is never called machine-translated: ``scripts.training.technical`` comes between ``--gather``
and the fit, and says which posts that is; ``scripts.training.rudimentary`` says how rudimentary their wording
is.
"""

from __future__ import annotations

import argparse
import random
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from itertools import chain
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
import pandas as pd

from checker.calibration import fit as fitting
from checker.calibration.fit import Observed
from checker.evaluation.labelled import Kind
from checker.evidence.evidence import Evidence
from checker.evidence.heads import pooled
from checker.models import Store
from checker.pipeline import Checker
from checker.result import Question
from checker.text import sentences, width
from checker.verdict.file import Calibration, Fitted
from checker.verdict.model import BANDS
from checker.version import __version__
from scripts.command import command
from scripts.training import debian
from scripts.training.beginners import BEGINNERS
from scripts.training.clumsy import CLUMSY, clumsy
from scripts.training.corpora import LANGUAGES, UNPAIRED, dev, labelled, unpaired
from scripts.training.encoder_data import trained_on
from scripts.training.faults_data import bare
from scripts.training.made import FAMILIES, made
from scripts.training.posts import neighbours
from scripts.training.word_for_word import WORD_FOR_WORD

SHIPPED = ("style", "style+encoder", "translated:style", "translated:style+encoder", "rudimentary:encoder")
"""The variants that the shipped verdict may use. Beside this encoder the round trip adds nothing, not even by
translators of production grade (docs/peers.md)."""

BY_RANK = ("style+encoder+round_trip",)
"""Variants whose weights ship for calibrations without machine text (`human_ranks`). None uses them."""

ROUND_TRIP = ("pt", "en")
"""Languages that these are fitted on: a translator of production grade makes their round trip."""

LEAST: Mapping[Question, float] = {"machine_translated": 0.91, "translated": 0.97, "rudimentary": 0.995}
"""No shipped threshold is lower. Families that a language was not measured on exceed thresholds that its own
families set. With these, none that is held out with 99 posts or more of a kind has more than 1 % of its
native posts, or 2 % of its human translations, wrongly called so. At the first .88 would do as well; the
others are the lowest that do: of .95, .96, .97, .975, .98, .985 and .99, and of .95, .97, .98, .985, .9875,
.99, .9925 and .995. They were chosen on the families of the tables, so that these are a little too good."""

TECHNICAL = 0.0
"""Log-odds of the encoder's head from which a post counts as technical documentation."""

LINES = 3
"""Lines of WMT21 that make a post, at most."""

BARE = "made_bare"
"""Family of human and word-for-word posts without capitals and marks: what a person types in a hurry must not
look rudimentary. Other questions are not fitted on it. Their ``system`` is the family of the post."""

_SPLIT, _CLOSED, _OPENED = re.compile(r"\bσ (?=τ)"), re.compile(r"\s+([,.;·:!?»)])"), re.compile(r"([«(])\s+")


# --- posts ----------------------------------------------------------------------------------------


def unseen(
    corpora: Path,
    language: str,
    most: int,
    seed: int = 0,
    translations: pd.DataFrame | None = None,
    packages: Path | None = None,
) -> Iterator[dict[str, Any]]:
    """Posts of families that no model was trained on: ``text``, ``kind``, ``testset``, ``system``, ``page``.

    Human and word-for-word ones come once more as people type in a hurry, the family `BARE`.

    Args:
        corpora: folder with ``labelled`` and ``wild``.
        language: ISO 639-1 code.
        most: posts of each family and kind, at most; of WMT21 three times as many, of `made` and
            `word_for_word` twice as many.
        seed: of the draw.
        translations: of `made`.
        packages: folder of `debian`, for other registers; by default there are none.
    """
    found: dict[Kind, list[dict[str, Any]]] = defaultdict(list)
    drawn = _drawn(corpora, language, most, seed, translations)
    for post in chain(drawn, debian.posts(packages, language, most) if packages else ()):
        yield post
        fitted = fitted_on(post["kind"], post["testset"], "rudimentary")
        if fitted and post["testset"] not in debian.REGISTERS:  # jokes without marks are none
            found[post["kind"]].append(post)
    rng = random.Random(f"{seed} {language} {BARE}")
    for posts in found.values():
        pages = [(post["testset"], post["system"], post["page"]) for post in posts]
        for post in [posts[number] for number in neighbours(pages, most, rng)]:
            yield post | {"text": bare(post["text"], language), "testset": BARE, "system": post["testset"]}


def _drawn(
    corpora: Path, language: str, most: int, seed: int, translations: pd.DataFrame | None
) -> Iterator[dict[str, Any]]:
    """The posts of `unseen` as they were written."""
    rng = random.Random(f"{seed} {language}")
    plain = dict.fromkeys(("testset", "label", "origin", "system"), str)
    frame = labelled(corpora, language).astype(plain)
    found: dict[Kind, list[dict[str, Any]]] = defaultdict(list)
    for post in _posts_of(dev(corpora, language).astype(plain), "wmt21", rng):
        found[post["kind"]].append(post)
    for posts in found.values():
        yield from _some(posts, 3 * most, rng)
    if translations is not None and len(translations):
        [family] = translations["testset"].unique()
        yield from _some(list(_posts_of(translations, family, rng)), 2 * most, rng)
    columns = ["text", "kind", "family", "system", "page"]
    wild = pd.read_parquet(corpora / "wild" / f"{language}.parquet", columns=columns)
    wild = wild.astype(dict.fromkeys(columns[1:], str))
    wild = wild[~wild["family"].isin(trained_on(corpora))]
    for (family, kind_of), part in wild.groupby(["family", "kind"]):
        for row in _some(part.to_dict("records"), most, rng):
            text = shortened(whole(row["text"], language), language, rng)
            yield {
                "text": text, "kind": kind_of, "testset": family, "system": row["system"],
                "page": row["page"],
            }  # fmt: skip
    alone = frame[unpaired(frame) & (frame["testset"] == UNPAIRED) & (frame["origin"] == "translated")]
    yield from _some(list(_posts_of(alone, UNPAIRED, rng)), most, rng)
    for row in clumsy(corpora, language, most).to_dict("records"):
        text = shortened(row.pop("text"), language, rng)
        yield {"text": text, "testset": row.pop("family"), **row}


def _some(posts: Sequence[dict[str, Any]], most: int, rng: random.Random) -> list[dict[str, Any]]:
    """Some of the posts, neighbours of one system together."""
    return [posts[n] for n in neighbours([(post["system"], post["page"]) for post in posts], most, rng)]


def _posts_of(frame: pd.DataFrame, family: str, rng: random.Random) -> Iterator[dict[str, Any]]:
    """Neighbouring lines of test sets as posts of one family."""
    columns = ["testset", "source_lang", "label", "origin", "system"]
    for (testset, source, label, origin, system), part in frame.groupby(columns, observed=True):
        kind: Kind = "machine" if label == "machine" else "native" if origin == "original" else "translated"
        ordered = part.sort_values("line")
        lines, texts = ordered["line"].tolist(), ordered["text"].tolist()
        start = 0
        while start < len(texts):
            size = rng.randint(1, LINES)
            yield {
                "text": " ".join(texts[start : start + size]), "kind": kind, "testset": family,
                "system": system, "page": f"{testset}-{source}-{lines[start] // 20}",
            }  # fmt: skip
            start += size


def whole(text: str, language: str) -> str:
    """A text whose words a treebank has not taken apart, as in Greek a preposition and its article."""
    if language == "el":
        text = _OPENED.sub(r"\1", _CLOSED.sub(r"\1", _SPLIT.sub("σ", text)))
    return text


def shortened(text: str, language: str, rng: random.Random) -> str:
    """The first sentences of two texts in three: as long as posts are."""
    wanted = rng.choice((100, 220, None))
    if wanted is None:
        return text
    kept = ""
    for span in sentences(text, language):
        if kept and width(kept) + width(span.text) > wanted:
            break
        kept = text[: span.end]
    return kept or text


def collect(
    checker: Checker,
    corpora: Path,
    language: str,
    most: int,
    translations: pd.DataFrame | None = None,
    packages: Path | None = None,
) -> pd.DataFrame:
    """Posts of one language with their evidence, one column a field of ``Evidence``; without their text.

    ``pooled`` has the encoder's vectors of the post for ``scripts.training.technical``, ``pooled_faults``
    those for faulty words for ``scripts.training.rudimentary``.
    """
    posts = pd.DataFrame(unseen(corpora, language, most, 0, translations, packages))
    found = list(checker.findings_many(posts["text"], language))
    table = posts.drop(columns="text").join(
        pd.DataFrame([asdict(one.evidence) for one in found], columns=list(Evidence.__dataclass_fields__))
    )
    for name, summaries in ("pooled", "summary"), ("pooled_faults", "faults"):
        vectors = (getattr(one, summaries) for one in found)
        table[name] = [None if one is None else pooled(one).tolist() for one in vectors]
    for said in ("technical", "rudimentary_head"):  # the shipped heads have seen these families:
        table[said] = None  # `technical` and `rudimentary` say it of each without it
    trips = ["chrf", "bleu", "log_likelihood", "gap"]
    if checker.models.grade(language) != "production":
        table[trips] = None
    table.loc[table["testset"] == FAMILIES["firefox"], trips] = None  # by the translator that made them
    table = table.assign(language=language)
    return table[table["columns"].between(BANDS.shortest, BANDS.longest)].reset_index(drop=True)


def gather(checker: Checker, language: str, args: argparse.Namespace) -> pd.DataFrame:
    """``collect``, or what an earlier run kept of it."""
    kept = args.cache / f"{language}.parquet" if args.cache else None
    if kept is not None and kept.exists():
        return pd.read_parquet(kept)
    folder = args.cache / "made" if args.cache else None
    translations = made(args.corpora, checker.store, language, folder)
    table = collect(checker, args.corpora, language, args.posts, translations, args.debian)
    if kept is not None:
        kept.parent.mkdir(parents=True, exist_ok=True)
        table.to_parquet(kept)
    print(language, len(table), "posts", flush=True)
    return table


def fitted_on(kind: Kind, family: str, asked: Question) -> bool:
    """Whether the answer to a question is fitted on such posts; it is measured on the others all the same."""
    if asked == "rudimentary":
        return kind != "machine" or family in (*WORD_FOR_WORD, BARE)
    return family not in (*CLUMSY, BARE, *debian.REGISTERS)


def observed(table: pd.DataFrame, asked: Question = "machine_translated") -> list[Observed]:
    """The posts of one language; a fold is a family, with what was made of its posts.

    A family has the same number in every language. Where a kind has one family only, the pages of this family
    are halved in that language: another year of it is then all that is known of the kind.
    """
    table = table.drop(columns=["pooled", "pooled_faults"], errors="ignore")
    rows = table.astype(object).where(table.notna(), None).to_dict("records")
    families = defaultdict(set)
    for row in rows:
        if fitted_on(row["kind"], row["testset"], asked):
            families[row["kind"]].add(source(row["testset"], row["system"]))

    alone = {family for of_kind in families.values() if len(of_kind) == 1 for family in of_kind}

    def half(row: Mapping[str, Any]) -> int:
        halved = source(row["testset"], row["system"]) in alone
        return 1 + sum(map(ord, row["page"])) % 2 if halved else 0

    return [
        Observed(
            evidence=Evidence(**{name: row.get(name) for name in Evidence.__dataclass_fields__}),
            language=row["language"],
            kind=row["kind"],
            testset=row["testset"],
            fold=crc32(source(row["testset"], row["system"]).encode()),
            half=half(row),
            fitted=fitted_on(row["kind"], row["testset"], asked),
        )
        for row in rows
    ]


def source(family: str, system: str) -> str:
    """The family of a post, or that of the posts that it was made of.

    Posts that were made word for word, or by rules, have several sources each and count as families.
    """
    if family in FAMILIES.values():
        return "wmt21"  # other versions of its lines
    return system if family in (BARE, *BEGINNERS) else family


def shown(part: Fitted) -> Fitted:
    """What ships of a language: without the variants of `BY_RANK`."""
    by_variant = {
        name: {variant: value for variant, value in getattr(part, name).items() if variant not in BY_RANK}
        for name in ("correction", "thresholds", "reliability", "withheld", "tails")
    }
    return part.model_copy(update=by_variant)


def main() -> None:
    parser = command(__doc__)
    parser.add_argument("--corpora", type=Path, required=True)
    parser.add_argument("--models", type=Path, default=Path("models"))
    parser.add_argument("--languages", nargs="+", default=LANGUAGES)
    parser.add_argument("--posts", type=int, default=120, help="posts of each family and kind, at most")
    parser.add_argument("--cache", type=Path, help="folder that keeps each language's evidence between runs")
    parser.add_argument("--debian", type=Path, help="folder of unpacked packages, for other registers")
    parser.add_argument("--gather", action="store_true", help="gather evidence and stop")
    args = parser.parse_args()
    store = Store(args.models / "registry.toml")
    embedded = args.models / "embedded"
    checkers = {
        trip: Checker(store=store, round_trip=trip, fluency=False, exact=True) for trip in (False, True)
    }
    tables = [gather(checkers[language in ROUND_TRIP], language, args) for language in args.languages]
    if args.gather:
        return

    if any(table["rudimentary_head"].isna().all() for table in tables):
        raise SystemExit("The evidence lacks rudimentary_head: run scripts.training.rudimentary first.")

    def fit(asked: Question, names: Sequence[str]) -> Calibration:
        posts = [post for table in tables for post in observed(table, asked) if post.fitted]
        found = fitting.fit(posts, names, LEAST, TECHNICAL)
        return found.model_copy(update={"fitted_on": tuple(sorted({post.testset for post in posts}))})

    names = [name for name in SHIPPED if name not in fitting.RUDIMENTARY]
    fitted = fitting.merged(
        fit("machine_translated", (*names, *BY_RANK)), fit("rudimentary", fitting.RUDIMENTARY)
    )
    languages = {
        language: shown(part).model_copy(update={"models": dict(checkers[False].models.labels(language))})
        for language, part in fitted.languages.items()
    }
    fitted.model_copy(
        update={
            "version": __version__,
            "languages": languages,
        }
    ).write(embedded / "verdict.json")
    for name in SHIPPED:
        parts = [p.reliability[name] for p in fitted.languages.values() if name in p.reliability]
        if parts:
            aucs = [part.auc for part in parts if part.auc is not None]
            print(
                f"{name}: out of fold, means of {len(parts)} languages: AUC {np.mean(aucs):.3f}, "
                f"ECE {np.mean([part.ece for part in parts]):.3f}"
            )


if __name__ == "__main__":
    main()
