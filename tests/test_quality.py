"""The quality of a pair: what is found in translations with a known fault, from Python and as a command."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from told import codes

import checker
from checker.bitext.adequacy import MAX_CLAUSES, adequacies, clauses
from checker.bitext.document import MAX_TEXT, read
from checker.bitext.estimator import Pair, QualityEstimator
from checker.bitext.human_rates import HumanTable
from checker.bitext.result import (
    Finding,
    Kind,
    Passage,
    Quality,
    ReferenceScores,
    ReferenceSegment,
    Segment,
)
from checker.errors import InputError, ModelCorruptedError, ModelNotFoundError
from checker.models import Store
from checker.models.load import Translators
from checker.text import MAX_CHARACTERS, clean, words

RUSSIAN = [
    "Министр обороны прибыл в столицу в понедельник.",
    "В учениях участвуют 1 250 военнослужащих и 40 самолётов.",
    "Учения продлятся до 17 мая 2023 года.",
    "По словам министра, они не направлены против третьих стран.",
    "Президент поблагодарил всех участников за работу.",
]
ENGLISH = [
    "The defence minister arrived in the capital on Monday.",
    "The exercise involves 1,250 servicemen and 40 aircraft.",
    "The exercise will last until 17 May 2023.",
    "According to the minister, it is not directed against third countries.",
    "The president thanked all participants for their work.",
]


@pytest.fixture(scope="module")
def estimator() -> QualityEstimator:
    return QualityEstimator()


def test_a_telephone_number_is_copied_rightly(estimator: QualityEstimator) -> None:
    source, target = (
        "Позвоните нам завтра утром. +7 495 123-45-67",
        "Call us tomorrow morning. +7 495 123-45-67",
    )
    assert [f.kind for f in estimator.estimate(source, target).findings if f.flag] == []
    wrong = estimator.estimate(source, target.replace("45-67", "45-68"))
    assert [f.kind for f in wrong.findings if f.flag] == ["number"]


def both(estimator: QualityEstimator, english: list[str]) -> list[Quality]:
    """A faulty English text as the translation, and as the source."""
    ours, theirs = " ".join(RUSSIAN), " ".join(english)
    return [estimator.estimate(ours, theirs), estimator.estimate(theirs, ours)]


def only(quality: Quality, kind: str) -> Finding:
    (found,) = (finding for finding in quality.findings if finding.kind == kind)
    return found


def check_offsets(quality: Quality, source: str, target: str, reference: str = "") -> None:
    """Every passage is where it says it is, and every sentence is in one segment."""
    sides = [(quality.segments, "source", source), (quality.segments, "target", target)]
    for segments, side, whole in sides:
        passages = [passage for segment in segments if (passage := getattr(segment, side))]
        for passage in passages:
            assert whole[passage.start : passage.end] == passage.text
        ends = [0, *(passage.end for passage in passages)]
        assert all(end <= passage.start for end, passage in zip(ends, passages, strict=False))
        outside = whole
        for passage in reversed(passages):
            outside = outside[: passage.start] + outside[passage.end :]
        assert not words(outside) or clean(whole).text != whole
    for finding in quality.findings:
        assert finding.segment < len(quality.segments)
        for passages, whole in ((finding.source, source), (finding.target, target)):
            assert all(whole[passage.start : passage.end] == passage.text for passage in passages)
    for pair in quality.reference.segments if quality.reference else ():
        for passage, whole in ((pair.target, target), (pair.reference, reference)):
            assert passage is None or whole[passage.start : passage.end] == passage.text


def test_a_good_translation_has_no_flag(estimator: QualityEstimator) -> None:
    for quality in both(estimator, ENGLISH):
        assert not quality.flagged, quality.findings
        assert quality.coverage == 1
        assert len(quality.segments) == 5
        assert not quality.warnings
        assert quality.adequacy is not None
        assert quality.adequacy > 0.3
        assert {"translator", "fluency", "encoder", "profile", "arithmetic"} == set(quality.models)


@pytest.mark.parametrize("dropped", range(5))
def test_a_dropped_sentence_is_missing(estimator: QualityEstimator, dropped: int) -> None:
    there, back = both(estimator, ENGLISH[:dropped] + ENGLISH[dropped + 1 :])
    for quality, side in ((there, "source"), (back, "target")):
        assert quality.flagged
        passages = [getattr(segment, side) for segment in quality.segments if segment.flagged]
        assert any(RUSSIAN[dropped] in passage.text for passage in passages if passage)
    assert [passage.text for passage in only(there, "missing").source] == [RUSSIAN[dropped]]
    assert there.coverage < 1
    if dropped == 2:
        pytest.xfail("the translator of 0.2.0 joins it to the next sentence: flagged, as a number")
    assert [passage.text for passage in only(back, "added").target] == [RUSSIAN[dropped]]
    assert back.coverage < 1


def test_a_swapped_number_is_shown_on_both_sides(estimator: QualityEstimator) -> None:
    english = [*ENGLISH]
    english[1] = english[1].replace("1,250", "1,520")
    for quality in both(estimator, english):
        found = only(quality, "number")
        assert found.flag
        assert {p.text for p in (*found.source, *found.target)} == {"1 250", "1,520"}
        check_offsets(quality, *(" ".join(side) for side in _sides(quality, english)))


def _sides(quality: Quality, english: list[str]) -> tuple[list[str], list[str]]:
    return (RUSSIAN, english) if quality.source_language.code == "ru" else (english, RUSSIAN)


def test_a_wrong_date_is_shown_on_both_sides(estimator: QualityEstimator) -> None:
    english = [*ENGLISH]
    english[2] = english[2].replace("17 May", "27 May")
    for quality in both(estimator, english):
        found = only(quality, "date")
        assert found.flag
        assert {p.text for p in (*found.source, *found.target)} == {"17 мая 2023", "27 May 2023"}
        assert not [f for f in quality.findings if f.kind == "number"]


def test_a_lost_negation_is_at_least_a_hint(estimator: QualityEstimator) -> None:
    english = [*ENGLISH]
    english[3] = english[3].replace("is not", "is")
    there, back = both(estimator, english)
    assert [p.text for p in only(there, "negation").source] == ["не"]
    assert [p.text for p in only(back, "negation").target] == ["не"]


@pytest.mark.parametrize("place", range(5))
def test_an_untranslated_sentence_is_found(estimator: QualityEstimator, place: int) -> None:
    there, _ = both(estimator, [*ENGLISH[:place], RUSSIAN[place], *ENGLISH[place + 1 :]])
    assert [p.text for p in only(there, "untranslated").target] == [RUSSIAN[place]]
    assert only(there, "untranslated").flag
    assert there.target_language.code == "en"


def test_shuffled_words_are_unlikely(estimator: QualityEstimator) -> None:
    shuffled = "minister the to According, not it directed is third against countries."
    right, wrong = (estimator.estimate(RUSSIAN[3], text) for text in (ENGLISH[3], shuffled))
    assert right.adequacy is not None
    assert wrong.adequacy is not None
    assert wrong.adequacy < right.adequacy - 0.2


def test_a_wrong_sentence_is_flagged(estimator: QualityEstimator) -> None:
    wrong = [*ENGLISH]
    wrong[3] = "The harvest was the best in ten years, farmers in the south said."
    there, back = both(estimator, wrong)
    worst = min((s for s in back.segments if s.adequacy is not None), key=lambda s: s.adequacy or 0)
    assert worst.source
    assert worst.source.text == wrong[3]
    for quality in (there, back):
        flagged = [segment for segment in quality.segments if segment.flagged]
        assert len(flagged) <= 2
        if quality is back and not flagged:
            pytest.xfail(
                "one of the 8 % that the English-Russian cut misses: the least adequate, not flagged"
            )
        assert any(segment.source and segment.source.text in (RUSSIAN[3], wrong[3]) for segment in flagged)


def test_a_dropped_clause_is_named(estimator: QualityEstimator) -> None:
    russian = (
        "Министр обороны прибыл в столицу в понедельник, а во вторник он встретится с президентом страны, "
        "чтобы обсудить поставки зерна."
    )
    english = "The defence minister arrived in the capital on Monday."
    there, back = estimator.estimate(russian, english), estimator.estimate(english, russian)
    assert there.flagged
    assert back.flagged
    assert only(there, "omission").source[0].text in russian[russian.index(" а во ") :]
    assert only(back, "addition").target[0].text in russian[russian.index(" а во ") :]


def test_a_reference_adds_the_metrics(estimator: QualityEstimator) -> None:
    source, target = " ".join(RUSSIAN), " ".join(ENGLISH[1:])
    reference = " ".join(ENGLISH)
    scores = estimator.estimate(source, target, reference).reference
    assert scores is not None
    assert [segment.target is None for segment in scores.segments] == [True, False, False, False, False]
    assert {s.bleu for s in scores.segments if s.target} == {100}
    assert (scores.segments[0].bleu, scores.segments[0].ter) == (0, 100)
    assert 60 < scores.bleu < 100
    assert [part.split("|")[0] for part in scores.signature.split("; ")] == ["chrF2++", "BLEU", "TER"]
    perfect = estimator.estimate(source, reference, reference).reference
    assert perfect is not None
    assert (perfect.chrf, perfect.bleu, perfect.ter) == (100, 100, 0)


def test_a_pair_without_a_translator_has_no_adequacy(estimator: QualityEstimator) -> None:
    german = "Der Minister traf am Montag mit 1.250 Soldaten ein. Er bleibt bis zum 17. Mai 2023 dort."
    french = (
        "Le ministre est arrivé lundi avec 1 250 soldats. Il reste dans la capitale jusqu'au 18 mai 2023."
    )
    quality = estimator.estimate(german, french)
    assert (quality.adequacy, quality.forward, quality.backward) == (None, None, None)
    assert "translator" not in quality.models
    assert codes(quality) == ["no_translator", "not_measured"]
    assert only(quality, "date").human_rate is None
    assert only(quality, "date").flag
    english = "The minister arrived on Monday with 1,520 soldiers. He stays in the capital until 17 May 2023."
    assert only(estimator.estimate(german, english), "number").flag


def test_likelihoods_of_another_translator_are_shown_and_not_ranked() -> None:
    table = HumanTable(dict(QualityEstimator().table.directions))
    table.directions["ru-en"] = replace(table.directions["ru-en"], translator="another@1")
    quality = QualityEstimator(table=table).estimate(RUSSIAN[0], ENGLISH[3])
    assert quality.adequacy is None
    assert quality.forward is not None
    assert not {"likelihood", "omission", "addition"} & {finding.kind for finding in quality.findings}
    assert codes(quality) == ["not_ranked"]


def test_both_texts_in_one_language(estimator: QualityEstimator) -> None:
    quality = estimator.estimate(" ".join(RUSSIAN), " ".join(RUSSIAN))
    assert "same_language" in codes(quality)
    assert {finding.kind for finding in quality.findings} == {"untranslated"}


# Hostile texts


@pytest.mark.parametrize(
    ("source", "target", "field"),
    [
        ("", ENGLISH[0], "source"),
        (RUSSIAN[0], " \n\u202e\u200b", "target"),
        (RUSSIAN[0], "🎉 https://example.org @name", "target"),
        ("а" * (MAX_TEXT + 1), ENGLISH[0], "source"),
        (RUSSIAN[0], "a.\n" * 2500, "target"),
        (RUSSIAN[0], "12345 67890", "target"),
        (RUSSIAN[0], "Սա հայերեն նախադասություն է, որը չի աջակցվում։", "target"),
        (None, ENGLISH[0], "source"),
    ],
)
def test_what_cannot_be_compared_is_a_clear_error(
    estimator: QualityEstimator, source: str, target: str, field: str
) -> None:
    with pytest.raises(InputError) as error:
        estimator.estimate(source, target)
    assert error.value.field == field
    assert error.value.fix


def test_unknown_languages_are_an_error(estimator: QualityEstimator) -> None:
    with pytest.raises(InputError, match="not supported"):
        estimator.estimate(RUSSIAN[0], ENGLISH[0], target_language="tlh")


@given(st.text(max_size=150), st.text(alphabet="абв \n.,!?12<>&;\u202e\ud800\x00אبعربی中文。", max_size=150))
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_has_a_result_with_true_offsets(estimator: QualityEstimator, noise: str, more: str) -> None:
    source, target = f"{RUSSIAN[0]} {noise}", f"{more} {ENGLISH[0]}"
    quality = estimator.estimate(source, target, ENGLISH[0], source_language="ru", target_language="en")
    if not any("\ud800" <= character <= "\udfff" for character in source + target):
        check_offsets(quality, source, target, ENGLISH[0])
    again = estimator.estimate(source, target, ENGLISH[0], source_language="ru", target_language="en")
    assert quality.to_json() == again.to_json()
    assert Quality.model_validate_json(quality.to_json()) == quality


def test_offsets_count_what_was_set_aside(estimator: QualityEstimator) -> None:
    source = f"📢 <b>{RUSSIAN[1]}</b>\n\n{RUSSIAN[2]} https://example.org/1"
    target = f"@mod\u200b {ENGLISH[1].replace('40', '14')}\r\n{ENGLISH[2]} #news"
    quality = estimator.estimate(source, target)
    check_offsets(quality, source, target)
    found = only(quality, "number")
    assert [p.text for p in (*found.source, *found.target)] == ["40", "14"]


def test_texts_of_very_different_lengths(estimator: QualityEstimator) -> None:
    source = " ".join(RUSSIAN * 12)
    quality = estimator.estimate(source, ENGLISH[2])
    assert quality.coverage < 0.1
    assert sum(finding.kind == "missing" for finding in quality.findings) > 50


def test_a_long_line_is_cut_and_loses_nothing() -> None:
    text = read("слово " * (MAX_CHARACTERS // 4), "source", "ru")
    assert len(text.sentences) > 1
    assert sum(len(words(s.text)) for s in text.sentences) == MAX_CHARACTERS // 4


def test_a_missing_or_damaged_table_is_a_clear_error(copied_models, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    registry = copied_models("quality.json")
    path = registry.parent / "embedded" / "quality.json"
    path.write_text("{}")
    with pytest.raises(ModelCorruptedError, match=r"quality\.json"):
        _ = QualityEstimator(store=Store(registry)).table
    path.unlink()
    with pytest.raises(ModelNotFoundError, match="install it again"):
        _ = QualityEstimator(store=Store(registry)).table


def test_unknown_settings() -> None:
    with pytest.raises(InputError, match="profile"):
        QualityEstimator(profile="best")  # type: ignore[arg-type]


# Adequacy


@given(st.text(alphabet="аб ,;()—.", max_size=300))
def test_clauses_are_in_order_and_few(text: str) -> None:
    found = clauses(text)
    assert len(found) <= MAX_CLAUSES
    assert all(0 <= start < end <= len(text) for start, end in found)
    assert all(first[1] <= second[0] for first, second in pairwise(found))


def test_adequacy_prefers_the_translation() -> None:
    translators = Translators(Store(), "embedded")
    there, back = translators.get("ru", "en"), translators.get("en", "ru")
    assert there is not None
    assert back is not None
    right, wrong, nothing = adequacies(
        [(RUSSIAN[0], ENGLISH[0]), (RUSSIAN[0], ENGLISH[1]), (RUSSIAN[0], "")], "ru", "en", there, back
    )
    assert right is not None
    assert wrong is not None
    assert right.forward > wrong.forward
    assert right.backward > wrong.backward
    assert nothing is None


# Python and the command line


def run(*args: object, data: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "checker", "quality", *map(str, args)]
    return subprocess.run(
        command, input=data, capture_output=True, check=False, timeout=300, env={**os.environ}
    )


def test_python_and_command_line_give_the_same_json(tmp_path: Path) -> None:
    source, target = " ".join(RUSSIAN), " ".join(ENGLISH[1:])
    expected = checker.quality(source, target, reference=" ".join(ENGLISH)).to_json()
    files = {"source": source, "target": target, "reference": " ".join(ENGLISH)}
    for name, text in files.items():
        (tmp_path / f"{name}.txt").write_text(text, encoding="utf-8")
    named = [part for name in files for part in (f"--{name}", tmp_path / f"{name}.txt")]
    assert run(*named, "--json").stdout.decode() == expected + "\n"

    written = tmp_path / "quality.json"
    typed = ("--source-text", source, "--target-text", target, "--reference", tmp_path / "reference.txt")
    assert run(*typed, "-o", written).returncode == 0
    assert written.read_text(encoding="utf-8") == expected + "\n"

    rows = tmp_path / "pairs.jsonl"
    bad = '{"id": "2", "source": 7, "target": "x"}'
    rows.write_text(json.dumps({"id": "1", **files}) + f"\n{bad}\n" + '{"id": "3"}\n', encoding="utf-8")
    outcomes = run(rows).stdout.decode().splitlines()
    assert outcomes[0] == expected
    assert [(json.loads(o)["id"], json.loads(o)["field"]) for o in outcomes[1:]] == [
        ("2", "source"),
        ("3", "source"),
    ]


def test_the_output_may_differ_from_the_input_in_its_extension_only(tmp_path: Path) -> None:
    pairs, output = tmp_path / "pairs.jsonl", tmp_path / "pairs.json"
    row = {"id": "a", "source": RUSSIAN[0], "target": ENGLISH[0]}
    pairs.write_text(json.dumps(row), encoding="utf-8")
    done = run(pairs, "-o", output)
    assert done.returncode == 0, done.stderr
    assert b"1 pairs, 0 flagged, 0 unreadable" in done.stderr
    assert json.loads(output.read_text(encoding="utf-8"))["id"] == "a"
    done = run(pairs, "-o", pairs)
    assert done.returncode == 2
    assert b"is the input" in done.stderr
    assert json.loads(pairs.read_text(encoding="utf-8")) == row


def test_an_output_is_written_whole_or_stays_as_it_was(estimator: QualityEstimator, tmp_path: Path) -> None:
    pairs, output = tmp_path / "pairs.csv", tmp_path / "quality.jsonl"
    pairs.write_text(f"source,target\n{RUSSIAN[0]},{ENGLISH[0]}\n" * 2, encoding="utf-8")
    output.write_text("old\n")

    def fail(outcome: object) -> None:
        assert output.read_text() == "old\n"
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        checker.quality_file(pairs, output, estimator=estimator, on_outcome=fail)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["pairs.csv", "quality.jsonl"]
    assert output.read_text() == "old\n"
    counts = checker.quality_file(pairs, output, estimator=estimator)
    assert (counts.pairs, counts.flagged, counts.errors) == (2, 0, 1)  # the header again is no pair
    assert len(output.read_text(encoding="utf-8").splitlines()) == 3


def test_a_file_and_a_text_of_one_role_exclude_each_other(tmp_path: Path) -> None:
    (tmp_path / "source.txt").write_text("Текст.", encoding="utf-8")
    done = run("--source", tmp_path / "source.txt", "--source-text", "Текст.", "--target-text", "Text.")
    assert done.returncode == 2
    assert b"--source and --source-text exclude each other." in done.stderr


def test_the_report_for_people() -> None:
    done = run("--source-text", RUSSIAN[1], "--target-text", ENGLISH[1].replace("40", "\x1b[31m14"))
    shown = done.stdout.decode()
    assert done.returncode == 0
    assert "flag number" in shown
    assert "\x1b" not in shown


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ((), "either PAIRS or"),
        (("--source-text", "Текст."), "There is no target"),
        (("--source", "nowhere.txt", "--target-text", "x"), "cannot be read"),
        (("--source-text", "Текст.", "--target-text", "Text.", "-o", "x.csv"), "unknown"),
        (("--source-text", "", "--target-text", "Text."), "has no text"),
    ],
)
def test_mistakes_in_the_command(args: tuple[str, ...], message: str) -> None:
    done = run(*args)
    assert done.returncode == 2
    assert message in done.stderr.decode()


def test_batches_keep_the_order(estimator: QualityEstimator) -> None:
    pairs = [
        Pair(id=str(n), source=ours, target=theirs)
        for n, (ours, theirs) in enumerate(
            [*zip(RUSSIAN, ENGLISH, strict=True), *zip(ENGLISH, RUSSIAN, strict=True)]
        )
    ]
    found = list(estimator.estimate_many(pairs))
    assert [quality.id for quality in found] == [pair.id for pair in pairs]
    assert [quality.source_language.code for quality in found] == ["ru"] * 5 + ["en"] * 5


def test_every_field_is_documented() -> None:
    text = (Path(__file__).parents[1] / "docs" / "quality.md").read_text(encoding="utf-8")
    for record in (Quality, Segment, Finding, Passage, ReferenceScores, ReferenceSegment, Pair):
        for name in record.model_fields:
            assert f"`{name}`" in text, f"{record.__name__}.{name}"
    for kind in get_args(Kind):
        assert f"`{kind}`" in text, kind


def test_slices_of_a_long_pair_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    estimator = QualityEstimator()
    source = " ".join(f"Паром номер {n} сегодня не ходит." for n in range(3, 12))
    target = " ".join(f"Ferry number {n} does not run today." for n in range(3, 11))
    whole = estimator.estimate(source, target).to_json()
    monkeypatch.setattr("checker.bitext.estimator.SLICE", 2)
    assert estimator.estimate(source, target).to_json() == whole
