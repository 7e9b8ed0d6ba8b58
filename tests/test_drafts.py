"""What is shown of a draft translation: that there is one, and not its text where it could be quoted."""

import io
import json
import sqlite3
from pathlib import Path

import pytest
from rich.console import Console

from checker.cli.terminal import show
from checker.io.database import write_sqlite
from checker.pipeline import Checker
from checker.result import Result

RUSSIAN = (
    "Ваше присутствие в этой зоне помещает вашу жизнь в опасность. Пожалуйста, эвакуируйте себя немедленно."
)
PORTUGUESE = "A ponte estará fechada ao trânsito entre as dez da noite e as seis da manhã de sábado."


@pytest.fixture(scope="module")
def results(checker: Checker) -> dict[str, Result]:
    return {"draft": checker.score(RUSSIAN, "draft"), "production": checker.score(PORTUGUESE, "production")}


def test_sentences_carry_the_grade(results: dict[str, Result]) -> None:
    for grade, result in results.items():
        assert result.round_trip is not None
        assert result.round_trip.grade == grade
        assert {sentence.grade for sentence in result.sentences} == {grade}


def test_tables_leave_a_draft_out(results: dict[str, Result], tmp_path: Path) -> None:
    write_sqlite([result.to_json() for result in results.values()], tmp_path / "scores.sqlite")
    with sqlite3.connect(tmp_path / "scores.sqlite") as found:
        rows = found.execute("SELECT grade, pivot_text, back_translation, chrf FROM sentences").fetchall()
    assert {grade for grade, *_ in rows} == {"draft", "production"}
    for grade, pivot, back, chrf in rows:
        assert (pivot is None) == (back is None) == (grade == "draft")
        assert chrf is not None
    assert all(json.loads(result.to_json())["sentences"] for result in results.values())  # the JSON has it


def test_a_terminal_says_that_a_draft_was_left_out(results: dict[str, Result]) -> None:
    for grade, result in results.items():
        console = Console(width=200, record=True, file=io.StringIO())
        console.print(show(result))
        text = console.export_text()
        sentence = result.sentences[0]
        assert sentence.pivot_text is not None
        assert (sentence.pivot_text in text) == (grade == "production")
        assert ("not to be quoted" in text) == (grade == "draft")


def test_a_round_trip_is_shown_and_not_counted(results: dict[str, Result]) -> None:
    for result in results.values():
        assert result.round_trip is not None
        assert "round_trip" not in {reason.kind for reason in result.reasons}
        assert "uncalibrated" not in {warning.code for warning in result.warnings}


def test_counting_it_does_not_make_other_translators_slow(checker: Checker) -> None:
    assert "style+encoder+round_trip" in checker.models.verdicts.calibration.variants
    assert not checker.models.verdicts.counts_models
