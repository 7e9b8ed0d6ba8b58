"""Batches, threads and what can be left out: what makes scoring fast must not change what it says."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from told import codes, counted
from typer.testing import CliRunner

from checker.bitext.estimator import QualityEstimator
from checker.cli.app import app
from checker.errors import InputError
from checker.models.ctranslate2_engine import CTranslate2Translator
from checker.models.language_model import CTranslate2LanguageModel
from checker.pipeline import AHEAD, BATCH, Checker

RUSSIAN = "Завтра с десяти утра на улице Садовой отключат воду. Запаситесь ею заранее и предупредите соседей."
GERMAN = "Am Samstag bleibt die Bücherei wegen eines Fests geschlossen. Bücher kann man trotzdem abgeben."
PERSIAN = "کتابخانه مرکزی شهر از شنبه تا ساعت هشت شب باز است. برای عضویت کارت شناسایی همراه داشته باشید."
ENGLISH = "Trams will not run across the old bridge this weekend. Take the number nine bus instead."


@pytest.fixture(scope="module")
def fastest() -> Checker:
    """Neither translator nor language model."""
    return Checker(round_trip=False, fluency=False, threads=2)


def numbered(count: int) -> list[str]:
    """Distinct posts of several languages and lengths."""
    return [f"{[RUSSIAN, GERMAN, ENGLISH][n % 3]} {n} {'слово ' * (n % 5)}" for n in range(count)]


def test_neighbours_change_nothing(checker: Checker) -> None:
    posts = numbered(24)
    for one, other in zip(checker.score_many(posts), map(checker.score, posts), strict=True):
        assert one.verdict == other.verdict
        assert one.machine_translated == pytest.approx(other.machine_translated, abs=1e-3)
        for ours, theirs in zip(one.sentences, other.sentences, strict=True):
            assert ours.back_translation == theirs.back_translation
            for name, tolerance in ("perplexity", {"rel": 1e-3}), ("log_likelihood", {"abs": 1e-3}):
                one_of, other_of = getattr(ours, name), getattr(theirs, name)
                assert (one_of is None) is (other_of is None)
                assert one_of is None or one_of == pytest.approx(other_of, **tolerance)


def test_the_number_of_threads_changes_nothing(checker: Checker) -> None:
    posts = numbered(BATCH + 5)
    one = Checker(round_trip=False, threads=1, store=checker.store)
    many = Checker(round_trip=False, threads=3, store=checker.store)
    assert list(one.score_many(posts)) == list(many.score_many(posts))
    with pytest.raises(InputError, match="threads must be at least 1"):
        Checker(threads=0)


# Batches


def test_batches_come_back_in_order_and_whole(fastest: Checker) -> None:
    batches = [[(f"{n}-{m}", GERMAN) for m in range(n % 4)] for n in range(13)]
    found = list(fastest.score_batches(batches))
    assert [[result.id for result in batch] for batch in found] == [[id for id, _ in b] for b in batches]


def test_several_batches_are_in_work_at_a_time_but_not_more(
    fastest: Checker, monkeypatch: pytest.MonkeyPatch
) -> None:
    working, most, lock = 0, 0, threading.Lock()
    together = threading.Barrier(AHEAD)
    score = fastest._score_batch

    def watched(batch: Any) -> Any:
        nonlocal working, most
        with lock:
            working += 1
            most = max(most, working)
        together.wait(60)  # breaks unless so many work at once
        try:
            return score(batch)
        finally:
            with lock:
                working -= 1

    monkeypatch.setattr(fastest, "_score_batch", watched)
    assert len(list(fastest.score_batches([[("1", GERMAN)]] * (3 * AHEAD)))) == 3 * AHEAD
    assert most == AHEAD


@pytest.mark.parametrize("threads", [1, 2])
def test_what_is_in_work_is_given_before_the_reader_fails(threads: int) -> None:
    checker = Checker(round_trip=False, fluency=False, threads=threads)

    def batches() -> Iterator[list[tuple[str, str]]]:
        yield from ([(f"{n}", GERMAN)] for n in range(AHEAD + 1))
        raise OSError("the disk is gone")

    found: list[str] = []
    with pytest.raises(OSError, match="the disk is gone"):
        found += (result.id for batch in checker.score_batches(batches()) for result in batch)
    assert found == [f"{n}" for n in range(AHEAD + 1)]


@pytest.mark.parametrize("threads", [1, 2])
def test_a_bad_post_stops_after_the_batches_before_it(threads: int) -> None:
    checker = Checker(round_trip=False, fluency=False, threads=threads)
    batches: list[Any] = [[("1", GERMAN)], [("2", None)], [("3", GERMAN)]]
    results = checker.score_batches(batches)
    assert next(results)[0].id == "1"
    with pytest.raises(InputError, match="must be a string"):
        next(results)


def test_who_stops_early_leaves_nothing_running(fastest: Checker) -> None:
    taken = 0

    def posts() -> Iterator[str]:
        nonlocal taken
        while True:
            taken += 1
            yield GERMAN

    results = fastest.score_many(posts())
    next(results)
    results.close()  # type: ignore[attr-defined]
    assert taken <= AHEAD * BATCH
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("checker")]


# What can be left out


def test_without_fluency_the_verdict_rests_on_style(
    checker: Checker, fastest: Checker, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: object, **options: object) -> None:
        raise AssertionError("a model was loaded")

    monkeypatch.setattr(CTranslate2LanguageModel, "__init__", fail)
    monkeypatch.setattr(CTranslate2Translator, "__init__", fail)
    result, full = Checker(round_trip=False, fluency=False).score(RUSSIAN), checker.score(RUSSIAN)
    assert result == fastest.score(RUSSIAN)
    assert result.fluency is result.round_trip is None
    assert all(sentence.perplexity is sentence.fluency is None for sentence in result.sentences)
    assert set(result.models) == {"profile", "style", "encoder"}
    assert set(counted(result)) == {"style", "encoder"}
    assert result.style == full.style
    (evidence,) = fastest.evidence_many([RUSSIAN], "ru")
    judged = checker.models.verdicts.judge("ru", evidence)
    assert judged is not None
    assert result.machine_translated == judged.probability


def test_the_round_trip_goes_without_fluency(checker: Checker) -> None:
    result = Checker(fluency=False, store=checker.store).score(RUSSIAN)
    assert result.round_trip == checker.score(RUSSIAN).round_trip
    assert result.fluency is None
    persian = Checker(fluency=False, store=checker.store).score(PERSIAN)
    assert "no_translator" in codes(persian)


def test_the_command_line_keeps_sentences_unless_told_not_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STATEMENT_CHECKER_CACHE", str(tmp_path / "cache"))
    source = tmp_path / "posts.txt"
    source.write_text(RUSSIAN + "\n", encoding="utf-8")
    command = ["score", str(source), "--no-round-trip", "--json"]
    plain = CliRunner().invoke(app, [*command, "--no-cache", "--threads", "1"])
    CliRunner().invoke(app, ["score", "--text", RUSSIAN, "--no-round-trip"])
    assert not (tmp_path / "cache").exists(), "nor does one text"
    kept = CliRunner().invoke(app, command)
    assert (tmp_path / "cache" / "sentences.sqlite").exists()
    again = CliRunner().invoke(app, command)
    assert json.loads(plain.stdout) == json.loads(kept.stdout) == json.loads(again.stdout)


def test_the_options_of_a_run_that_results_do_not_depend_on_may_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, output = tmp_path / "posts.jsonl", tmp_path / "scores.jsonl"
    source.write_text("".join(json.dumps({"text": text}) + "\n" for text in numbered(BATCH + 8)))
    monkeypatch.setattr("checker.runs.local._publish", _fail)
    command = ["score", str(source), "-o", str(output), "--no-round-trip", "--no-fluency"]
    with pytest.raises(RuntimeError):
        CliRunner().invoke(app, command, catch_exceptions=False)
    monkeypatch.undo()
    done = CliRunner().invoke(app, [*command, "--no-cache", "--threads", "1"])
    assert done.exit_code == 0, done.output
    assert len(output.read_text(encoding="utf-8").splitlines()) == BATCH + 8


def _fail(*args: object) -> None:
    raise RuntimeError("interrupted")


# Models


def test_an_estimator_shares_the_models_of_a_checker(
    checker: Checker, monkeypatch: pytest.MonkeyPatch
) -> None:
    checker.score(RUSSIAN)
    expected = QualityEstimator(store=checker.store).estimate(RUSSIAN, ENGLISH)
    loaded = checker.models.translator("ru", "en")
    monkeypatch.setattr(CTranslate2Translator, "__init__", _fail)
    monkeypatch.setattr(CTranslate2LanguageModel, "__init__", _fail)
    sharing = QualityEstimator(store=checker.store, models=checker.models)
    assert sharing.estimate(RUSSIAN, ENGLISH) == expected
    assert checker.models.translator("ru", "en") is loaded
    assert checker.models.translator("ru", "de") is None
