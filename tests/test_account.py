"""Many posts, one judgement: what the order, repetition and dates of posts change, and what they must not."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from hashlib import sha256

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checker.account.change import change
from checker.account.combine import NOTHING_KNOWN, combine
from checker.account.duplicates import clusters, fingerprint
from checker.account.file import AccountModel, Dependence, Row, Spread, read, shipped
from checker.account.model import CLIP, effective
from checker.account.post import AccountPost
from checker.account.share import share
from checker.result import Language, Result, Warning
from checker.version import __version__
from scripts.command import ROOT

WORDS = (
    "bridge", "river", "council", "notice", "minister", "harbour", "school", "winter", "budget", "market",
    "train", "engine", "forest", "letter", "museum", "doctor", "garden", "window", "summer", "island",
    "signal", "paper", "copper", "weather", "village", "border", "ticket", "morning",
)  # fmt: skip


def text(number: int) -> str:
    """A text that is like no other one."""
    return " ".join(random.Random(number).choices(WORDS, k=30))


def dependence(**changed: object) -> Dependence:
    rows = tuple(
        Row(posts=n, cuts={"ru": cut, "uk": cut}, human=-1.0, spread=1.8,
            flagged={"native": 0.0, "translated": 0.01}, worst=0.02, family="a")
        for n, cut in ((1, 3.0), (3, 1.5), (10, 1.0))
    )  # fmt: skip
    kinds = {
        "native": Spread(location=-1.5, between=0.5, within=1.0, posts=100, units=10),
        "translated": Spread(location=-0.5, between=0.5, within=1.0, posts=100, units=10),
        "machine": Spread(location=1.5, between=0.5, within=1.0, posts=100, units=10),
    }
    fields = {"gain": 1.0, "correlation": 0.2, "calibrated": 50, "middle": 0.0, "middles": {}, "kinds": kinds,
              "rows": rows}  # fmt: skip
    return Dependence.model_validate(fields | changed)


MODEL = AccountModel(machine=dependence())


def posts(
    log_odds: Sequence[float], language: str = "ru", first: int = 0, **fields: object
) -> list[AccountPost]:
    return [
        AccountPost(
            id=f"{first + n}", row=first + n + 1, machine=value, language=language, text=text(first + n),
            print=fingerprint(text(first + n)), version=__version__, **fields,  # type: ignore[arg-type]
        )
        for n, value in enumerate(log_odds)
    ]  # fmt: skip


LOG_ODDS = st.lists(st.floats(-9, 9), min_size=1, max_size=25)


@given(LOG_ODDS, st.randoms(use_true_random=False))
@settings(max_examples=40, deadline=None)
def test_the_order_of_posts_does_not_matter(values: list[float], random: random.Random) -> None:
    given = posts(values)
    given = [replace(post, day=date(2025, 1, 1) + timedelta(n // 2)) for n, post in enumerate(given)]
    shuffled = random.sample(given, len(given))
    assert combine("a", shuffled, MODEL) == combine("a", given, MODEL)


@given(LOG_ODDS, st.data())
@settings(max_examples=40, deadline=None)
def test_a_post_given_again_changes_nothing_but_the_counts(values: list[float], data: st.DataObject) -> None:
    given = posts(values)
    again = data.draw(st.lists(st.sampled_from(given), max_size=8))
    once, twice = combine("a", given, MODEL), combine("a", [*given, *again], MODEL)
    assert twice.posts.distinct == len(given)
    assert twice.posts.given == len(given) + len(again)
    kept = {
        "machine_translated",
        "machine_translated_interval",
        "verdict",
        "share_machine_translated",
        "languages",
    }
    assert once.model_dump(include=kept) == twice.model_dump(include=kept)


@given(LOG_ODDS, st.floats(0, 9))
@settings(max_examples=60, deadline=None)
def test_a_post_as_machine_like_as_the_others_never_lowers_the_probability(
    values: list[float], more: float
) -> None:
    before = combine("a", posts(values), MODEL)
    mean = float(np.mean([min(max(v, -CLIP), CLIP) for v in values]))
    added = posts([max(mean, more, 0.0)], first=1000)
    after = combine("a", [*posts(values), *added], MODEL)
    assert before.machine_translated is not None
    assert after.machine_translated is not None
    assert after.machine_translated >= before.machine_translated - 1e-4


@given(LOG_ODDS)
@settings(max_examples=40, deadline=None)
def test_intervals_hold_what_they_are_of(values: list[float]) -> None:
    account = combine("a", posts(values), MODEL)
    for value, interval in (
        (account.machine_translated, account.machine_translated_interval),
        (account.share_machine_translated, account.share_interval),
    ):
        assert interval is not None
        if value is None:
            assert interval.high - interval.low > NOTHING_KNOWN
        else:
            assert interval.low <= value <= interval.high


def test_one_extreme_post_does_not_decide() -> None:
    account = combine("a", posts([-1.5] * 9 + [9.0]), MODEL)
    assert account.machine_translated is not None
    assert account.machine_translated < 0.5


def test_machine_posts_are_flagged_and_human_posts_are_not() -> None:
    machine = combine("m", posts([1.6] * 10), MODEL)
    human = combine("h", posts([-1.6] * 10, translated=-2.5), BOTH)
    assert (machine.verdict, human.verdict) == ("machine_translated", "human_written")
    assert combine("h", posts([-1.6] * 10), MODEL).verdict == "uncertain"  # a person may have translated it
    assert machine.false_alarm_rate == 0.01
    assert machine.threshold is not None
    assert machine.threshold.posts == 10
    assert "in 100 accounts" in machine.reasons[0]


def test_fewer_posts_need_more_evidence() -> None:
    assert combine("a", posts([1.3] * 2), MODEL).verdict == "uncertain"
    assert combine("a", posts([1.3] * 12), MODEL).verdict == "machine_translated"


def test_a_language_without_a_measured_rate_gets_no_verdict() -> None:
    account = combine("a", posts([3.0] * 12, language="sw"), MODEL)
    assert (account.verdict, account.false_alarm_rate, account.threshold) == ("uncertain", None, None)
    assert "language_unmeasured" in {note.code for note in account.warnings}


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [("calibration", "own.json@1", "calibration_unmeasured"), ("version", "0.1.0", "version_unmeasured")],
)
def test_scores_of_another_verdict_get_no_verdict(field: str, value: str, code: str) -> None:
    given = [replace(post, **{field: value}) for post in posts([3.0] * 12)]
    account = combine("a", given, MODEL)
    assert account.verdict == "uncertain"
    assert code in {note.code for note in account.warnings}


def test_posts_that_were_not_scored_are_counted_and_left_out() -> None:
    given = [*posts([1.6] * 10), *[replace(post, machine=None) for post in posts([0.0] * 5, first=50)]]
    account = combine("a", given, MODEL)
    assert (account.posts.given, account.posts.scored) == (15, 10)
    assert combine("a", [], MODEL).verdict == "not_scored"
    nothing = [replace(post, machine=math.nan) for post in posts([0.0])]
    assert combine("a", nothing, MODEL).verdict == "not_scored"


def test_posts_that_read_like_documentation_are_counted_and_left_out() -> None:
    result = Result(
        id="1", verdict="translated", machine_translated=0.9, translated=0.99,
        language=Language(code="ru", confidence=1.0), columns=60, models={},
        warnings=(Warning(code="technical", text="It reads like documentation."),), version=__version__,
    )  # fmt: skip
    found = combine("a", [AccountPost.of(result, row) for row in range(1, 4)], MODEL)
    assert (found.verdict, found.posts.given, found.posts.scored) == ("not_scored", 3, 0)
    assert found.posts.documentation == 3
    manual = AccountPost.of(result, 1)
    both = combine("a", [*posts([0.0] * 10), manual], MODEL)
    assert (both.posts.given, both.posts.scored, both.posts.documentation) == (11, 10, 1)
    [note] = [note.text for note in both.warnings if note.code == "documentation"]
    assert note == "1 post reads like documentation or instructions and does not count."
    assert both.machine_translated == combine("a", posts([0.0] * 10), MODEL).machine_translated


def test_languages_are_judged_apart_as_well() -> None:
    given = [*posts([-1.6] * 12, "uk", translated=-2.5), *posts([2.5] * 12, "ru", 100, translated=2.5)]
    account = combine("a", given, BOTH)
    assert {part.language: part.verdict for part in account.languages} == {
        "ru": "machine_translated", "uk": "human_written",
    }  # fmt: skip
    assert account.verdict == "machine_translated"
    assert {"languages_mixed", "languages_differ"} <= {note.code for note in account.warnings}


def test_two_posts_in_another_language_are_no_part_of_their_own() -> None:
    given = [*posts([-1.6] * 12, "uk"), *posts([4.0] * 2, "ru", first=100)]
    account = combine("a", given, MODEL)
    assert account.verdict != "machine_translated"
    assert account.languages[1].verdict == "uncertain"


def test_a_machine_from_one_day_on_is_found() -> None:
    noise = np.random.default_rng(0).normal(0, 0.5, 40)
    values = [(-1.5 if n < 20 else 2.0) + noise[n] for n in range(40)]
    given = [
        replace(post, day=date(2025, 1, 1) + timedelta(7 * n), translated=post.machine)
        for n, post in enumerate(posts(values))
    ]
    account = combine("a", given, BOTH)
    (found,) = account.changes
    assert found.day == date(2025, 1, 1) + timedelta(7 * 20)
    assert (found.before.verdict, found.after.verdict) == ("human_written", "machine_translated")
    assert account.verdict == "machine_translated"
    assert account.mixed
    assert account.share_machine_translated == pytest.approx(0.5, abs=0.1)
    assert found.p_value <= 0.01
    assert "2025-05-21" in next(note.text for note in account.warnings if note.code == "change")
    assert len(account.windows) == 10
    assert {window.verdict for window in account.windows} == {"uncertain"}


def test_a_change_is_rarely_found_where_there_is_none() -> None:
    random = np.random.default_rng(1)
    days = [date(2025, 1, 1) + timedelta(n) for n in range(30)]
    found = [change(random.normal(size=30), days) for _ in range(200)]
    assert sum(one is not None and one.p_value <= 0.01 for one in found) <= 6


def test_posts_of_one_day_have_no_change() -> None:
    assert change(np.arange(20.0), [date(2025, 1, 1)] * 20) is None
    assert change(np.arange(5.0), [date(2025, 1, n + 1) for n in range(5)]) is None


def test_human_and_machine_posts_side_by_side_are_called_mixed() -> None:
    account = combine("a", posts([-3.0, 3.0] * 10), MODEL)
    assert account.mixed
    assert account.share_machine_translated == pytest.approx(0.5, abs=0.1)
    assert "mixed_posts" in {note.code for note in account.warnings}
    assert not combine("a", posts([1.5, 2.0] * 10), MODEL).mixed


@pytest.mark.parametrize("true", [0.0, 0.3, 1.0])
def test_the_share_is_that_of_the_mixture(true: float) -> None:
    random = np.random.default_rng(0)
    machine = random.random(4000) < true
    values = random.normal(np.where(machine, 1.0, -1.0))  # of variance 1: the log ratio is twice the value
    found = share(2 * values, 4000)
    assert found.value == pytest.approx(true, abs=0.03)
    assert found.low <= true <= found.high + 0.005


def test_dependent_posts_say_less() -> None:
    assert effective(10, 0.0) == 10
    assert effective(10, 1.0) == 1
    few, many = (
        combine("a", posts([1.0] * 20), AccountModel(machine=dependence(correlation=r))) for r in (0.5, 0.1)
    )
    assert few.machine_translated is not None
    assert many.machine_translated is not None
    assert few.machine_translated < many.machine_translated


def test_loud_posts_are_on_their_side() -> None:
    account = combine("a", posts([3.0, -2.0, 1.0, -1.0, 2.0, 0.5]), MODEL)
    assert [post.id for post in account.loudest_for] == ["0", "4", "2"]
    assert [post.id for post in account.loudest_against] == ["1", "3"]


def test_translated_is_left_empty_without_its_probabilities() -> None:
    assert combine("a", posts([1.0] * 5), MODEL).translated is None
    model = AccountModel(machine=dependence(), translated=dependence())
    account = combine("a", posts([0.2] * 12, translated=2.0), model)
    assert account.verdict == "translated"
    assert account.translated is not None
    assert account.translated > 0.9
    assert combine("a", posts([2.0] * 12, translated=2.0), model).verdict == "machine_translated"


TRANSLATED = dependence(
    kinds={
        "native": Spread(location=-1.5, between=0.5, within=1.0, posts=100, units=10),
        "translated": Spread(location=1.0, between=0.5, within=1.0, posts=100, units=10),
        "machine": Spread(location=1.5, between=0.5, within=1.0, posts=100, units=10),
    },
    rows=tuple(
        Row(posts=n, cuts={"ru": cut}, human=-1.0, flagged={"native": rate, "translated": 0.4}, worst=0.005)
        for n, cut, rate in ((1, 3.5, 0.001), (5, 1.2, 0.002), (10, 0.8, 0.003))
    ),
)
BOTH = AccountModel(machine=dependence(), translated=TRANSLATED)


@pytest.mark.parametrize(("count", "rate"), [(5, 0.002), (9, 0.002), (10, 0.003), (40, 0.003)])
def test_translated_has_a_threshold_and_a_rate_for_its_number_of_posts(count: int, rate: float) -> None:
    account = combine("a", posts([0.2] * count, translated=1.4), BOTH)
    assert account.verdict == "translated"
    assert account.false_alarm_rate == rate
    assert account.translated_threshold is not None
    assert account.translated_threshold.posts == (5 if count < 10 else 10)
    assert account.translated is not None
    assert account.translated >= account.translated_threshold.translated
    assert "translated, by a person or a machine" in account.reasons[0]
    assert "native accounts" in account.reasons[1]
    assert combine("a", posts([0.2] * 4, translated=1.4), BOTH).verdict == "uncertain"


@given(LOG_ODDS, st.data())
@settings(max_examples=60, deadline=None)
def test_the_first_verdict_that_holds_is_given(values: list[float], data: st.DataObject) -> None:
    others = data.draw(st.lists(st.floats(-9, 9), min_size=len(values), max_size=len(values)))
    given = [replace(post, translated=one) for post, one in zip(posts(values), others, strict=True)]
    account, without = combine("a", given, BOTH), combine("a", posts(values), BOTH)
    assert account.translated is not None
    assert account.translated_threshold is not None
    over = account.translated >= account.translated_threshold.translated + 1e-4
    if without.verdict == "machine_translated":
        assert account.verdict == "machine_translated"
    elif over:
        assert account.verdict == "translated"
    assert without.verdict != "human_written"  # whether it was translated is not known
    if account.verdict == "human_written":
        assert max(account.machine_translated or 0, account.translated) < 0.5


def test_what_was_translated_is_not_called_written_in_its_language() -> None:
    assert combine("a", posts([-1.6] * 10, translated=-1.6), BOTH).verdict == "human_written"
    assert combine("a", posts([-1.6] * 10, translated=0.2), BOTH).verdict == "uncertain"
    assert combine("a", posts([-1.6] * 10, translated=2.0), BOTH).verdict == "translated"


ALL = AccountModel(machine=dependence(), translated=TRANSLATED, rudimentary=dependence())


def test_accounts_of_clumsy_posts_are_called_rudimentary_and_never_human_written() -> None:
    account = combine("a", posts([-1.6] * 10, translated=-1.6, rudimentary=2.0), ALL)
    assert account.verdict == "rudimentary"
    assert account.rudimentary_threshold is not None
    assert account.rudimentary is not None
    assert account.rudimentary >= account.rudimentary_threshold.rudimentary
    assert account.rudimentary_interval is not None
    assert account.rudimentary_interval.low < account.rudimentary < account.rudimentary_interval.high
    assert account.false_alarm_rate == 0.01, "the higher of both kinds of human account"
    assert "word for word" in account.reasons[0]
    assert "1.0\xa0% of accounts of human translations" in account.reasons[1]
    assert account.languages[0].rudimentary == account.rudimentary
    doubtful = combine("a", posts([-1.6] * 10, translated=-1.6, rudimentary=0.2), ALL)
    assert doubtful.verdict == "uncertain"
    assert "word for word" in doubtful.reasons[-2], "it is rather rudimentary, and no more"
    plain = combine("a", posts([-1.6] * 10, translated=-1.6, rudimentary=-0.2), ALL)
    assert plain.verdict == "human_written"
    assert (
        combine("a", posts([2.0] * 10, translated=2.0, rudimentary=2.0), ALL).verdict == "machine_translated"
    )
    assert combine("a", posts([0.2] * 10, translated=2.0, rudimentary=2.0), ALL).verdict == "rudimentary"
    assert combine("a", posts([-1.6] * 10, translated=-1.6), ALL).rudimentary is None, "older scores"


def test_the_loudest_posts_are_those_of_the_verdict() -> None:
    given = posts([-1.0] * 10, translated=-1.6)
    clumsy = [replace(post, rudimentary=2.0 + n / 10) for n, post in enumerate(given)]
    clumsy[4] = replace(clumsy[4], rudimentary=-1.0)
    clumsy[5] = replace(clumsy[5], rudimentary=None)
    account = combine("a", clumsy, ALL)
    assert account.verdict == "rudimentary"
    assert [post.id for post in account.loudest_for] == ["9", "8", "7"]
    assert [post.id for post in account.loudest_against] == ["4"]
    assert account.loudest_for[0].rudimentary == pytest.approx(1 / (1 + math.exp(-2.9)), abs=1e-4)
    other = combine("a", [replace(post, machine=3.0) for post in clumsy], ALL)
    assert other.verdict == "machine_translated"
    assert "5" in {post.id for post in combine("a", given[5:6], ALL).loudest_against}


def test_a_language_of_an_account_is_rudimentary_on_its_own() -> None:
    given = [
        *posts([0.0] * 12, "ru", translated=-0.5, rudimentary=-2.0),
        *posts([0.0] * 12, "uk", 100, translated=-0.5, rudimentary=2.5),
    ]
    account = combine("a", given, ALL)
    assert {part.language: part.verdict for part in account.languages}["uk"] == "rudimentary"
    assert account.verdict == "rudimentary"
    assert any(note.code == "languages_differ" for note in account.warnings)


def test_what_reads_like_documentation_has_no_log_odds() -> None:
    result = Result(
        id="1", verdict="uncertain", machine_translated=0.5, translated=0.6, rudimentary=0.9,
        language=Language(code="ru", confidence=1), models={}, version=__version__,
    )  # fmt: skip
    kept = AccountPost.of(result, 1)
    assert kept.rudimentary == pytest.approx(math.log(9))
    manual = result.model_copy(update={"warnings": (Warning(code="technical", text="…"),)})
    assert AccountPost.of(manual, 1).rudimentary is None


def test_translated_is_said_of_one_language_alone() -> None:
    model = AccountModel(machine=dependence(), translated=TRANSLATED.model_copy(update={"rows": tuple(
        row.model_copy(update={"cuts": row.cuts | {"uk": row.cuts["ru"]}}) for row in TRANSLATED.rows
    )}))  # fmt: skip
    given = [*posts([-1.6] * 12, "uk", translated=-2.5), *posts([0.0] * 12, "ru", 100, translated=2.5)]
    account = combine("a", given, model)
    assert {part.language: part.verdict for part in account.languages} == {
        "ru": "translated", "uk": "human_written",
    }  # fmt: skip
    assert account.verdict == "translated"
    assert "languages_differ" in {note.code for note in account.warnings}


def test_a_language_may_have_a_threshold_for_one_question_only() -> None:
    account = combine("a", posts([0.0] * 12, "uk", translated=4.0), BOTH)
    assert (account.verdict, account.translated_threshold) == ("uncertain", None)
    (note,) = [note for note in account.warnings if note.code == "question_unmeasured"]
    assert "Ukrainian is called translated" in note.text
    rows = tuple(row.model_copy(update={"cuts": {"ru": row.cuts["ru"]}}) for row in dependence().rows)
    third = AccountModel(machine=dependence(), rudimentary=dependence(rows=rows))
    (note,) = combine("a", posts([0.0] * 12, "uk", rudimentary=0.0), third).warnings
    assert "Ukrainian is called rudimentary" in note.text
    (note,) = combine("a", posts([0.0] * 12, "uk"), third).warnings
    assert note.text == "Whether the wording is rudimentary was not judged for any post in Ukrainian."
    assert combine("a", posts([2.0] * 12, "uk", translated=4.0), BOTH).verdict == "machine_translated"
    assert combine("a", posts([-2.0] * 12, "uk", translated=-4.0), BOTH).verdict == "human_written"


# Near-duplicates


def numbers(*texts: str) -> list[int]:
    found = clusters([fingerprint(text) for text in texts])
    return [found.index(one) for one in found]


def test_repeated_texts_are_one() -> None:
    assert numbers(text(1), text(2), text(1).upper() + "!!", text(2)) == [0, 1, 0, 1]
    assert clusters([None, None, fingerprint("")]) == [0, 1, 2]


def test_a_few_other_words_make_no_new_text() -> None:
    first, other = text(1), text(2)
    changed = first.replace(first.split()[3], "today", 1)
    assert numbers(first, other, changed) == [0, 1, 0]


def test_a_quote_with_a_comment_is_the_quoted_text() -> None:
    quoted = text(1) + " " + text(5)
    assert numbers(quoted, text(2), f"{quoted} {' '.join(text(3).split()[:12])}") == [0, 1, 0]


@given(st.lists(st.text(max_size=200), max_size=12), st.randoms(use_true_random=False))
@settings(max_examples=60, deadline=None)
def test_clusters_do_not_depend_on_the_order(texts: list[str], random: random.Random) -> None:
    places = random.sample(range(len(texts)), len(texts))
    straight = clusters([fingerprint(text) for text in texts])
    shuffled = clusters([fingerprint(texts[place]) for place in places])
    for one in range(len(texts)):
        for other in range(len(texts)):
            same = straight[places[one]] == straight[places[other]]
            assert same == (shuffled[one] == shuffled[other])


def test_few_and_many_texts_are_compared_alike() -> None:
    made = [text(n) for n in range(60)]
    made += [f"{made[n]} today" for n in range(0, 60, 7)]
    few = clusters([fingerprint(one) for one in made[:8] + made[60:62]])
    many = clusters([fingerprint(one) for one in made])
    assert len(made) > 64
    assert (few[0], few[7]) == (few[8], few[9])
    assert len(set(many)) == 60
    assert [many[60 + k] for k in range(9)] == [many[n] for n in range(0, 60, 7)]


def test_many_texts_stay_apart() -> None:
    assert len(set(clusters([fingerprint(text(n)) for n in range(2000)]))) == 2000


# The file


def test_the_shipped_model_is_of_the_shipped_verdict() -> None:
    model = shipped()
    verdict = (ROOT / "models" / "embedded" / "verdict.json").read_bytes()
    assert model.verdict == sha256(verdict).hexdigest(), (
        "run python -m scripts.training.accounts gather, then fit"
    )
    assert model.version == json.loads(verdict)["version"], "both are fitted by one version"


def test_a_file_is_read_as_it_was_written(tmp_path: object) -> None:
    from pathlib import Path

    path = Path(str(tmp_path)) / "accounts.json"
    MODEL.write(path)
    assert read(path) == MODEL
    path.write_text(path.read_text().replace('"gain": 1.0', '"gain": -1'))
    with pytest.raises(ValueError, match=r"machine\.gain"):
        read(path)
