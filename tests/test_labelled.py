"""Labels and scores are read from every format; a row that cannot be used is named and the others go on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from checker.errors import InputError
from checker.evaluation.labelled import LABELS, LabelledPost, read_labelled
from checker.evaluation.scores import Score, has_scores, joined, read_scored, read_scores, saved
from checker.io.write import write as write_scores
from checker.pipeline import Checker
from checker.result import Result, RowError


def jsonl(path: Path, rows: list[Any]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


ROWS = [
    {"id": "a", "text": "один", "label": "human", "lang": "ru", "origin": "original", "testset": 2021},
    {"id": 7, "text": "two", "label": "machine", "lang": "EN-gb", "system": "online-b", "topic": "weather"},
    {"text": "drei", "label": "human", "language": "de", "origin": "translated", "topic": ""},
]
POSTS = [
    LabelledPost(1, "a", "один", False, "ru", None, "original", "2021"),
    LabelledPost(2, "7", "two", True, "en", "online-b", None, None, {"topic": "weather"}),
    LabelledPost(3, "3", "drei", False, "de", None, "translated"),
]


def test_jsonl(tmp_path: Path) -> None:
    assert read_labelled(jsonl(tmp_path / "l.jsonl", ROWS), extra=["topic"]) == (POSTS, [])
    assert [post.kind for post in POSTS] == ["native", "machine", "translated"]
    assert LabelledPost(1, "a", "", False).kind == "native"


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".parquet"])
def test_tables(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"l{suffix}"
    names = ["id", "text", "label", "lang", "language", "system", "origin", "testset", "topic"]
    table = {name: [row.get(name) for row in ROWS] for name in names}
    table["id"] = ["a", "7", None]
    if suffix == ".parquet":
        pq.write_table(pa.table({**table, "testset": [2021.0, None, None], "ignored": [b"\xff"] * 3}), path)
    else:
        mark = "," if suffix == ".csv" else "\t"
        rows = [
            [str(v) if v is not None else "" for v in cells] for cells in zip(*table.values(), strict=True)
        ]
        path.write_text("\n".join(mark.join(cells) for cells in [names, *rows]) + "\n", encoding="utf-8")
    assert read_labelled(path, extra=["topic"]) == (POSTS, [])


@pytest.mark.parametrize(
    "label", [*LABELS, "Human", "MACHINE", " machine-translated ", 0, 1, 1.0, True, False]
)
def test_labels_that_are_understood(tmp_path: Path, label: object) -> None:
    posts, bad = read_labelled(jsonl(tmp_path / "l.jsonl", [{"text": "x", "label": label}]))
    assert not bad
    key = str(int(label) if isinstance(label, bool | float) else label).strip().lower().replace("-", "_")
    assert posts[0].machine == LABELS[key]


@pytest.mark.parametrize(
    ("row", "field", "problem"),
    [
        ({"text": "x"}, "label", "no label"),
        ({"text": "x", "label": None}, "label", "no label"),
        ({"text": "x", "label": "robot"}, "label", "'robot'"),
        ({"text": "x", "label": 2}, "label", "'2'"),
        ({"text": "x", "label": 0.5}, "label", "'0.5'"),
        ({"text": "x", "label": ["human"]}, "label", "a list"),
        ({"text": "x", "label": "r\u202eo\x1b" + "t" * 999}, "label", r"'r\u202eo\x1bttt"),
        ({"label": "human"}, "text", "no text"),
        ({"text": None, "label": "human"}, "text", "null"),
        ({"text": "x", "label": "human", "origin": "native"}, "origin", "'native'"),
        ({"text": "x", "label": "human", "system": {"a": 1}}, "system", "an object"),
        ({"text": "x", "label": "human", "topic": []}, "topic", "a list"),
        (["text"], None, "a list, not an object"),
    ],
)
def test_a_bad_row_is_named_and_the_others_go_on(
    tmp_path: Path, row: object, field: str | None, problem: str
) -> None:
    good = {"text": "x", "label": "human"}
    posts, bad = read_labelled(jsonl(tmp_path / "l.jsonl", [good, row, good]), extra=["topic"])
    assert [post.row for post in posts] == [1, 3]
    assert len(bad) == 1
    assert (bad[0].row, bad[0].field) == (2, field)
    assert problem in bad[0].error
    assert len(bad[0].error) < 100
    assert bad[0].fix.endswith(".")


def test_files_without_a_place_for_labels(tmp_path: Path) -> None:
    (tmp_path / "l.csv").write_text("text\nx\n")
    with pytest.raises(InputError, match=r"no column 'label'; it has 'text'. Use --label-column"):
        read_labelled(tmp_path / "l.csv")
    (tmp_path / "l.txt").write_text("x\n")
    for path in (tmp_path / "l.txt", "-"):
        with pytest.raises(InputError, match="cannot hold labels"):
            read_labelled(path)


cells = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.text(), max_size=2)
fields = st.sampled_from(
    ["id", "text", "label", "lang", "language", "system", "origin", "testset", "topic", "verdict",
     "machine_translated", "columns", "sentences", "models", "version"]
)  # fmt: skip


@given(rows=st.lists(st.dictionaries(fields, cells | st.just("human") | st.just("uncertain")), max_size=4))
def test_every_row_comes_out_once(
    tmp_path_factory: pytest.TempPathFactory, rows: list[dict[str, Any]]
) -> None:
    path = jsonl(tmp_path_factory.mktemp("l") / "l.jsonl", rows)
    for read in (read_labelled, read_scored):
        good, bad = read(path, extra=["topic"])
        numbers = [(item if isinstance(item, LabelledPost) else item[0]).row for item in good]
        assert sorted([*numbers, *(error.row for error in bad)]) == list(range(1, len(rows) + 1))


# Scores


SCORED = {"id": "a", "label": "machine", "verdict": "uncertain", "machine_translated": 0.25}


def test_a_saved_score_is_read_back(tmp_path: Path) -> None:
    score = Score("7", 0.5, "uncertain", "en", 120, {"profile": "embedded"}, "0.1.0", 0.7, True)
    (tmp_path / "s.jsonl").write_text(saved(POSTS[1], score) + "\n")
    [(post, again)], bad = read_scored(tmp_path / "s.jsonl", extra=["topic"])
    assert not bad
    assert again == score
    assert (post.text, post.row) == ("", 1)
    assert (post.machine, post.language, post.system, post.extra) == (
        True,
        "en",
        "online-b",
        {"topic": "weather"},
    )


@pytest.mark.parametrize("kind", ["jsonl", "csv"])
def test_scores_say_which_posts_read_like_documentation(tmp_path: Path, kind: str) -> None:
    warnings = ({"code": "no_translator", "text": "No | pair."}, {"code": "technical", "text": "A manual."})
    results = [
        Result.model_validate(
            {"id": str(n), "verdict": "uncertain", "machine_translated": 0.5, "models": {}, "version": "0",
             "language": {"code": "ru", "confidence": 1}, "warnings": warnings[:n]}
        )
        for n in range(3)
    ]  # fmt: skip
    path = tmp_path / f"scores.{kind}"
    write_scores((result.to_json() for result in results), path)
    scores, bad = read_scores(path)
    assert [score.technical for score in scores] == [False, False, True]
    assert not bad


def test_the_output_of_the_checker_with_labels_is_a_file_of_scores(tmp_path: Path, checker: Checker) -> None:
    text = "The bridge on Station Road will be shut from Monday while we replace two bearings."
    error = RowError(id="x", row=1, field="text", error="There is no text.", fix="Add it.")
    result = checker.score(text, "a")
    path = tmp_path / "s.jsonl"
    path.write_text(f"{error.to_json()}\n{result.to_json()}\n")
    assert has_scores(path)
    scores, bad = read_scores(path)
    assert scores == [Score.of(result)]
    assert scores[0].columns == len(text)
    assert scores[0].language == "en"
    assert bad[0].field == "verdict"
    assert [error.field for error in read_scored(path)[1]] == ["label", "label"]
    path.write_text(json.dumps(result.to_dict() | {"label": "human"}) + "\n")
    assert read_scored(path)[0][0][1] == Score.of(result)


def test_a_table_of_scores(tmp_path: Path) -> None:
    path = tmp_path / "s.csv"
    path.write_text("id,label,verdict,machine_translated,language.code,sentences\na,human,uncertain,0.5,ru,2\n"
                    "b,1,not_scored,,,0\n")  # fmt: skip
    assert has_scores(path)
    pairs, bad = read_scored(path)
    assert not bad
    assert [score for _, score in pairs] == [
        Score("a", 0.5, "uncertain", "ru"),
        Score("b", None, "not_scored"),
    ]


@pytest.mark.parametrize(
    ("change", "field", "problem"),
    [
        ({"verdict": "maybe"}, "verdict", "'maybe'"),
        ({"verdict": None}, "verdict", "no verdict"),
        ({"verdict": ["uncertain"]}, "verdict", "['uncertain']"),
        ({"machine_translated": 1.5}, "machine_translated", "1.5"),
        ({"machine_translated": "high"}, "machine_translated", "'high'"),
        ({"machine_translated": float("nan")}, "machine_translated", "nan"),
        ({"machine_translated": True}, "machine_translated", "True"),
        ({"label": "robot"}, "label", "'robot'"),
    ],
)
def test_a_bad_score_is_named(tmp_path: Path, change: dict[str, object], field: str, problem: str) -> None:
    pairs, bad = read_scored(jsonl(tmp_path / "s.jsonl", [SCORED, SCORED | change]))
    assert len(pairs) == 1
    assert (bad[0].row, bad[0].field) == (2, field)
    assert problem in bad[0].error


def test_posts_are_not_scores(tmp_path: Path) -> None:
    assert not has_scores(jsonl(tmp_path / "l.jsonl", ROWS))
    assert not has_scores(jsonl(tmp_path / "empty.jsonl", []))


def test_scores_are_joined_by_id() -> None:
    a, b, c = (Score(name, 0.5, "uncertain") for name in "abc")
    assert joined([a, b], [b, a]) == [a, b]
    with pytest.raises(InputError, match="1 ids are in the first file only: 'a'"):
        joined([a, b], [b])
    with pytest.raises(InputError, match="1 ids are in the second file only: 'c'"):
        joined([a, b], [a, b, c])
    with pytest.raises(InputError, match="second file has ids more than once: 'b'"):
        joined([a, b], [a, b, b])
    many = [Score(f"{number}\u202e", 0.5, "uncertain") for number in range(9)]
    with pytest.raises(InputError, match=r"9 ids .* '4\\u202e', …\."):
        joined(many, [])
