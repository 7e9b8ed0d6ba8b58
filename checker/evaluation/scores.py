"""Labelled posts that are already scored: each row has a label, a probability and a verdict.

Such a file is what ``checker evaluate --save`` writes, or the output of ``checker score`` with a label added
to every row. It needs no text.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args

from checker.errors import InputError
from checker.evaluation.labelled import (
    DEFAULT_LABEL,
    FACTS,
    LabelledPost,
    labelled_post,
    labelled_rows,
    parsed,
    shown,
)
from checker.io.read import DEFAULT_ID, DEFAULT_TEXT, Record
from checker.io.table import SEPARATOR
from checker.result import Result, RowError, Verdict
from checker.text import clean, width

_DOCUMENTATION = "reads_like_documentation"  # field of a saved score
_SCORE = (
    "verdict", "machine_translated", "translated", "rudimentary", "language.code", "columns", "sentences",
    "models", "version", _DOCUMENTATION, "warnings",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Score:
    """What the checker said about a post, as far as an evaluation needs it.

    Attributes:
        id: of the post.
        probability: of machine translation, 0 to 1; None where the checker gave none.
        verdict: the default verdict.
        language: ISO 639 code that was identified.
        columns: the length that chose the threshold; a wide character counts as two. None if it is not known.
        models: profile, and name@revision of every model used.
        version: of the package that scored the post.
        translated: probability of a translation by anyone, 0 to 1; None where the checker gave none.
        technical: whether the post reads like documentation: it does not count for its account.
        rudimentary: probability of rudimentary wording, 0 to 1; None where the checker gave none.
    """

    id: str
    probability: float | None
    verdict: Verdict
    language: str | None = None
    columns: int | None = None
    models: Mapping[str, str] = field(default_factory=dict)
    version: str | None = None
    translated: float | None = None
    technical: bool = False
    rudimentary: float | None = None

    @classmethod
    def of(cls, result: Result) -> Score:
        """The score in a result of the checker."""
        return cls(
            result.id, result.machine_translated, result.verdict, result.language.code, result.columns,
            result.models, result.version, result.translated, result.technical, result.rudimentary,
        )  # fmt: skip


def has_scores(path: str | Path, *, id_column: str = DEFAULT_ID) -> bool:
    """Whether the rows of a file carry a verdict and a probability already.

    Raises:
        InputError: as `read_labelled`.
    """
    for row in labelled_rows(path, {}, ("verdict", "machine_translated"), id_column):
        if isinstance(row, Record):
            if {"verdict", "machine_translated"} <= row.fields.keys():
                return True
            if "error" not in row.fields:  # not a post that the checker could not read
                return False
    return False


def read_scores(path: str | Path, *, id_column: str = DEFAULT_ID) -> tuple[list[Score], list[RowError]]:
    """Read a file of scores without its labels: what ``checker score`` or ``checker evaluate --save`` wrote.

    Returns:
        The scores, and an error record for every row that has none, both in the order of the rows.

    Raises:
        InputError: as `read_labelled`.
    """
    return parsed(labelled_rows(path, {}, (DEFAULT_TEXT, *FACTS, *_SCORE), id_column), _score)


def read_scored(
    path: str | Path,
    *,
    text_column: str = DEFAULT_TEXT,
    label_column: str = DEFAULT_LABEL,
    id_column: str = DEFAULT_ID,
    extra: Collection[str] = (),
) -> tuple[list[tuple[LabelledPost, Score]], list[RowError]]:
    """Read a labelled file of scores; as `read_labelled`, with the score of every post."""

    def parse(record: Record) -> tuple[LabelledPost, Score]:
        return labelled_post(record, text_column, label_column, extra, scored=True), _score(record)

    optional = (text_column, *FACTS, *_SCORE, *extra)
    return parsed(labelled_rows(path, {label_column: "--label-column"}, optional, id_column), parse)


def saved(post: LabelledPost, score: Score) -> str:
    """A line of a labelled file of scores, without the text."""
    record = {
        **post.extra, "id": post.id, "label": "machine" if post.machine else "human", "lang": post.language,
        "system": post.system, "origin": post.origin, "testset": post.testset,
        "verdict": score.verdict, "machine_translated": score.probability, "translated": score.translated,
        "rudimentary": score.rudimentary, "language": {"code": score.language}, "columns": score.columns,
        "models": dict(score.models), "version": score.version, _DOCUMENTATION: score.technical,
    }  # fmt: skip
    return json.dumps(record, ensure_ascii=False)


def joined(first: Sequence[Score], second: Sequence[Score]) -> list[Score]:
    """The second scores in the order of the first, by id.

    Raises:
        InputError: an id is there twice, or in one of them only; the message names some.
    """
    ids = {"first": [score.id for score in first], "second": [score.id for score in second]}
    for name, named in ids.items():
        if repeated := [id for id, count in Counter(named).items() if count > 1]:
            raise InputError(
                f"The {name} file has ids more than once: {_some(repeated)}.",
                fix="Give every post its own id.",
            )
    for name, other in (("first", "second"), ("second", "first")):
        if alone := sorted(set(ids[name]) - set(ids[other])):
            raise InputError(
                f"{len(alone)} ids are in the {name} file only: {_some(alone)}.",
                fix="Score the same posts twice; rows that could not be scored count as missing.",
            )
    found = {score.id: score for score in second}
    return [found[score.id] for score in first]


def _some(ids: Sequence[str]) -> str:
    named = ", ".join(map(shown, ids[:5]))
    return f"{named}, …" if len(ids) > 5 else named


def _score(record: Record) -> Score:
    fields = record.fields
    verdict: Any = fields.get("verdict")
    if verdict not in get_args(Verdict):
        raise InputError(
            f"The verdict is {shown(verdict)}." if verdict else "There is no verdict.",
            fix=f"Use one of {', '.join(get_args(Verdict))}: the output of checker score.", field="verdict",
        )  # fmt: skip
    identified = fields.get("language")
    language = identified.get("code") if isinstance(identified, dict) else fields.get("language.code")
    models = fields.get("models")
    return Score(
        id=record.id,
        probability=_probability(fields, "machine_translated"),
        verdict=verdict,
        language=language if isinstance(language, str) and language else None,
        columns=_columns(fields),
        models={str(k): str(v) for k, v in models.items()} if isinstance(models, dict) else {},
        version=version if isinstance(version := fields.get("version"), str) else None,
        translated=_probability(fields, "translated"),
        technical=_technical(fields),
        rudimentary=_probability(fields, "rudimentary"),
    )


def _technical(fields: Mapping[str, Any]) -> bool:
    """Whether it was saved, or a warning says, that the post reads like documentation."""
    warnings = fields.get("warnings")
    if isinstance(warnings, list):
        return any(isinstance(one, dict) and one.get("code") == "technical" for one in warnings)
    if isinstance(warnings, str):  # in a table
        return any(cell.startswith("technical: ") for cell in warnings.split(SEPARATOR))
    return str(fields.get(_DOCUMENTATION)).lower() == "true"


def _probability(fields: Mapping[str, Any], field: str) -> float | None:
    given = fields.get(field)
    try:
        probability = None if given is None or given == "" else float(given)
        valid = probability is None or 0 <= probability <= 1
    except (TypeError, ValueError):
        probability, valid = None, False
    if not valid or isinstance(given, bool):
        raise InputError(
            f"The probability is {shown(given)}.", fix="Use a number from 0 to 1, or null.", field=field
        )
    return probability


def _columns(fields: Mapping[str, Any]) -> int | None:
    """The length of a scored post: as it was saved, or that of its sentences; None if neither is there."""
    columns, sentences = fields.get("columns"), fields.get("sentences")
    if re.fullmatch(r"\d{1,9}", str(columns)):
        return int(str(columns))
    if isinstance(sentences, list):
        texts = [s["text"] for s in sentences if isinstance(s, dict) and isinstance(s.get("text"), str)]
        return width(clean(" ".join(texts)).text)
    return None
