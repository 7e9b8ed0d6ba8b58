"""Figures are what their definitions say, intervals cover, and nothing is made up from too few posts."""

from __future__ import annotations

import html
import json
import math
import re
import subprocess
import sys
from collections import Counter
from functools import partial
from html.parser import HTMLParser
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from sklearn.metrics import brier_score_loss, roc_auc_score

import checker
from checker import statistics as metrics
from checker.errors import InputError
from checker.evaluation.evaluate import compare, evaluate
from checker.evaluation.labelled import LabelledPost
from checker.evaluation.result import LEAST, Evaluation
from checker.evaluation.scores import Score
from checker.evaluation.table import GLOSSARY, rows, table
from checker.pages.evaluation import page
from checker.result import Language, Result, Sentence, Verdict
from checker.verdict.model import BANDS

EXAMPLES = Path(__file__).parent.parent / "examples" / "labelled.jsonl"

samples = st.lists(
    st.tuples(st.integers(0, 12).map(lambda n: n / 12), st.booleans()), min_size=2, max_size=80
).filter(lambda pairs: len({label for _, label in pairs}) == 2)  # few scores: many ties


def simulated(
    random: np.random.Generator, human: int, machine: int, shift: float = 1.0
) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities whose log-odds are normal, ``shift`` apart."""
    labels = np.arange(human + machine) >= human
    return 1 / (1 + np.exp(-random.normal(labels * shift))), labels


# Figures against their definitions


@given(samples)
def test_auc_is_that_of_scikit_learn(pairs: list[tuple[float, bool]]) -> None:
    scores, labels = zip(*pairs, strict=True)
    assert metrics.auc(metrics.tally(scores, labels)) == pytest.approx(roc_auc_score(labels, scores))


@given(samples, st.sampled_from([0.0, 0.01, 0.05, 0.3, 1.0]))
def test_tpr_at_fpr_is_the_best_of_all_thresholds(pairs: list[tuple[float, bool]], fpr: float) -> None:
    human = [score for score, label in pairs if not label]
    machine = [score for score, label in pairs if label]
    best = max(
        sum(score >= cut for score in machine) / len(machine)
        for cut in [*human, *machine, math.inf]
        if sum(score >= cut for score in human) <= fpr * len(human) + 1e-9
    )
    assert metrics.tpr_at_fpr(metrics.tally(*zip(*pairs, strict=True)), fpr) == pytest.approx(best)


def test_tpr_at_fpr_by_hand() -> None:
    human, machine = [n / 100 for n in range(100)], [0.995, 0.99, 0.985, 0.5]
    counts = metrics.tally([*human, *machine], [False] * 100 + [True] * 4)
    assert metrics.tpr_at_fpr(counts, 0.0) == 0.25  # above every human post
    assert metrics.tpr_at_fpr(counts, 0.01) == 0.75  # 0.985 lets the one at 0.99 through, which is a tie
    assert metrics.tpr_at_fpr(counts, 0.05) == 0.75
    assert metrics.tpr_at_fpr(counts, 1.0) == 1.0
    tied = metrics.tally([0.5] * 200, [False] * 100 + [True] * 100)
    assert metrics.tpr_at_fpr(tied, 0.99) == 0.0  # a threshold at the tie would flag every human post
    assert metrics.tpr_at_fpr(tied, 1.0) == 1.0


def test_calibration_error_by_hand() -> None:
    # Balanced, a human post weighs 1/4 and a machine post 1/8; at prevalence each weighs 1/6.
    scores, labels = [0.05, 0.95, 0.92, 0.98, 0.45, 1.0], [False, False, True, True, True, True]
    counts = metrics.tally(scores, labels)
    low, middle = 0.05 / 4, (0.45 - 1) / 8
    high = 0.95 / 4 + (0.92 - 1 + 0.98 - 1 + 1.0 - 1) / 8
    assert metrics.ece(counts) == pytest.approx(abs(low) + abs(middle) + abs(high))
    even = (0.05, 0.45 - 1, 0.95 + 0.92 - 1 + 0.98 - 1 + 1.0 - 1)
    assert metrics.ece(counts, balanced=False) == pytest.approx(sum(map(abs, even)) / 6)
    error, bins = metrics.reliability(scores, labels)
    assert error == pytest.approx(float(metrics.ece(counts)))
    assert [row.posts for row in bins] == [1, 1, 4]
    assert bins[1].observed == 1
    assert bins[2].observed == pytest.approx((3 / 8) / (3 / 8 + 1 / 4))
    assert bins[2].predicted == pytest.approx(((0.92 + 0.98 + 1.0) / 8 + 0.95 / 4) / (3 / 8 + 1 / 4))


@given(samples)
def test_brier_and_calibration_errors_agree_with_other_implementations(
    pairs: list[tuple[float, bool]],
) -> None:
    scores, labels = (np.array(part) for part in zip(*pairs, strict=True))
    counts, weight = metrics.tally(scores, labels), metrics.balanced_weights(labels)
    assert metrics.brier(counts, balanced=False) == pytest.approx(brier_score_loss(labels, scores))
    assert metrics.brier(counts) == pytest.approx(brier_score_loss(labels, scores, sample_weight=weight))
    assert metrics.ece(counts) == pytest.approx(metrics.reliability(scores, labels)[0])
    plain = metrics.reliability(scores, labels, np.ones(len(scores)))[0]
    assert metrics.ece(counts, balanced=False) == pytest.approx(plain)


def test_clopper_pearson() -> None:
    """At each end of the interval, the count or a more extreme one has a chance of 2.5 %."""
    low, high = metrics.rate_interval(1, 200)
    assert 1 - (1 - low) ** 200 == pytest.approx(0.025)
    assert (1 - high) ** 200 + 200 * high * (1 - high) ** 199 == pytest.approx(0.025)
    assert metrics.rate_interval(0, 10) == pytest.approx((0, 1 - 0.025 ** (1 / 10)))


def test_a_score_that_is_not_finite_is_refused() -> None:
    with pytest.raises(ValueError, match="finite"):
        metrics.tally([0.5, math.nan], [True, False])


# Intervals and tests


def test_the_bootstrap_interval_covers_the_truth() -> None:
    random = np.random.default_rng(3)
    truth = 0.5 * (1 + math.erf(1 / 2))  # AUC of two normals one apart
    covered = 0
    for seed in range(200):
        counts = metrics.tally(*simulated(random, 60, 40))
        low, high = metrics.bootstrap(counts, {"auc": metrics.auc}, 200, seed)["auc"]
        covered += low <= truth <= high
    assert 0.89 <= covered / 200 <= 0.99  # 95 % and three standard errors


def test_resamples_keep_the_size_of_each_class() -> None:
    counts = metrics.tally([0.1, 0.2, 0.2, 0.9], [False, False, True, True])
    drawn = metrics.bootstrap(
        counts, {"human": lambda t: t.human.sum(-1), "machine": lambda t: t.machine.sum(-1)}, 50, 0
    )
    assert drawn == {"human": (2, 2), "machine": (2, 2)}


def test_paired_bootstrap_of_equal_scores_is_no_difference() -> None:
    scores, labels = simulated(np.random.default_rng(0), 120, 80)
    statistics = {"auc": metrics.auc, "tpr": partial(metrics.tpr_at_fpr, fpr=0.01), "ece": metrics.ece}
    for test in metrics.paired_bootstrap(scores, scores, labels, statistics, 200, 0).values():
        assert test == (0.0, (0.0, 0.0), 1.0)


def test_paired_bootstrap_finds_a_difference_and_its_sign() -> None:
    random = np.random.default_rng(1)
    scores, labels = simulated(random, 150, 150, 2.0)
    worse = np.clip(scores + random.normal(0, 0.5, len(scores)), 0, 1)
    test = metrics.paired_bootstrap(scores, worse, labels, {"auc": metrics.auc}, 500, 0)["auc"]
    assert test.value == pytest.approx(roc_auc_score(labels, worse) - roc_auc_score(labels, scores))
    assert test.interval.low < test.value < test.interval.high < 0
    assert test.p_value == pytest.approx(2 / 501)
    back = metrics.paired_bootstrap(worse, scores, labels, {"auc": metrics.auc}, 500, 0)["auc"]
    assert back.value == -test.value


def test_paired_bootstrap_raises_few_false_alarms() -> None:
    random = np.random.default_rng(2)
    alarms = 0
    for seed in range(100):
        truth, labels = simulated(random, 60, 60)
        noisy = [truth + random.normal(0, 0.3, len(truth)) for _ in range(2)]
        test = metrics.paired_bootstrap(*noisy, labels, {"auc": metrics.auc}, 200, seed)["auc"]
        alarms += test.p_value < 0.05
    assert 0 < alarms <= 12  # five are expected


# Groups


def scored(
    random: np.random.Generator, human: int, machine: int, **facts: str | None
) -> tuple[list[LabelledPost], list[Score]]:
    """Posts without text; those of at least 0.9 are flagged."""
    said, labels = simulated(random, human, machine)
    posts = [
        LabelledPost(row, str(row), "", bool(label), **(facts if label else facts | {"system": None}))  # type: ignore[arg-type]
        for row, label in enumerate(labels, 1)
    ]
    return posts, [score(post.id, float(p)) for post, p in zip(posts, said, strict=True)]


def score(id: str, probability: float | None, columns: int = 100) -> Score:
    verdict: Verdict = "not_scored" if probability is None else "uncertain"
    return Score(
        id, probability, "machine_translated" if (probability or 0) >= 0.9 else verdict, "ru", columns
    )


@pytest.fixture(scope="module")
def evaluation() -> Evaluation:
    """Two systems; native, translated and unscored posts; a name of a system that is hostile."""
    random = np.random.default_rng(0)
    posts, scores = scored(random, 150, 100, system="<b>online</b>\u202e", testset="wmt", origin="original")
    for part in (
        scored(random, 50, 12, system="bergamot", testset="wmt", origin="translated"),
        scored(random, 0, 4, system="tiny", testset="ntrex"),
    ):
        posts, scores = posts + part[0], scores + part[1]
    posts += [LabelledPost(9, "9", "", False)] * 10
    scores += [score("9", None, 20)] * 10
    return evaluate(posts, scores, ["system", "length", "lang", "testset"], resamples=100, seed=7)


def test_denominators(evaluation: Evaluation) -> None:
    overall = evaluation.overall
    assert overall.posts == {"native": 160, "translated": 50, "machine": 116}
    assert overall.with_probability == {"human": 200, "machine": 116}
    assert (overall.coverage.count, overall.coverage.posts) == (316, 326)
    assert overall.false_positive_rate.posts == 210  # posts that were not scored count, too
    flagged = overall.false_positive_rate.count + overall.true_positive_rate.count
    assert overall.decided.count == flagged > 0
    assert overall.verdicts["human"]["not_scored"] == 10
    assert sum(overall.verdicts["human"].values()) == 210
    assert overall.auc is not None
    assert overall.auc.low < overall.auc.value < overall.auc.high
    assert overall.auc_native is not None
    assert overall.auc_translated is not None
    assert sum(row.posts for row in overall.reliability) == 316
    assert set(evaluation.definitions) >= set(overall.to_dict()) - {"name"}


def test_the_page_says_the_finding_and_what_became_of_every_post(evaluation: Evaluation) -> None:
    source = " ".join(re.sub(r"<[^>]+>", " ", page(evaluation)).split())
    overall = evaluation.overall
    found, wrong = overall.true_positive_rate.count, overall.false_positive_rate.count
    finding = (
        f"Of 116 machine-translated posts the verdict found {found}; of 210 human posts it called {wrong}"
    )
    assert source.index(finding) < source.index("AUC")
    counts = [dict(overall.verdicts["human"]).get(verdict, 0) for verdict in get_args(Verdict)]
    assert f"human {' '.join(map(str, counts))}" in source
    titles = {title.replace("\n", " ") for title in rows(evaluation, None)[0][1]}
    assert titles <= set(GLOSSARY)
    assert all(GLOSSARY[title] in html.unescape(source) for title in titles)


def test_a_system_is_compared_with_all_human_posts(evaluation: Evaluation) -> None:
    groups = {group.name: group for group in evaluation.groups["system"]}
    assert list(groups) == ["<b>online</b>\u202e", "bergamot", "tiny"]
    assert {name: group.posts["machine"] for name, group in groups.items()} == {
        "<b>online</b>\u202e": 100, "bergamot": 12, "tiny": 4,
    }  # fmt: skip
    assert {group.false_positive_rate.posts for group in groups.values()} == {210}


def test_too_few_posts_give_no_figure(evaluation: Evaluation) -> None:
    tiny = evaluation.groups["system"][-1]
    assert tiny.posts["machine"] == 4 < LEAST
    assert (tiny.auc, tiny.tpr_at_5_fpr, tiny.ece, tiny.brier, tiny.true_positive_rate.value) == (None,) * 5
    assert tiny.reliability == ()
    assert tiny.false_positive_rate.value is not None
    posts, scores = scored(np.random.default_rng(0), 99, 50)
    overall = evaluate(posts, scores, resamples=100).overall
    assert overall.tpr_at_1_fpr is None  # one in a hundred of 99
    assert overall.tpr_at_5_fpr is not None
    assert overall.auc_native is None  # no origin is given
    only = evaluate(posts[:99], scores[:99], resamples=100)
    assert only.overall.auc is None
    assert only.overall.false_positive_rate.value is not None
    assert "–" in page(only)


def test_groups_of_length_language_and_test_set(evaluation: Evaluation) -> None:
    lengths = {group.name: sum(group.posts.values()) for group in evaluation.groups["length"]}
    first, second = BANDS.edges[:2]
    assert lengths == {f"under {first}": 10, f"{first}–{second - 1}": 316}
    assert [group.name for group in evaluation.groups["lang"]] == ["ru"]  # as identified
    assert [group.name for group in evaluation.groups["testset"]] == ["ntrex", "wmt", "unknown"]


def test_a_post_is_in_the_length_that_chose_its_threshold(tmp_path: Path) -> None:
    """Of a mixed post the part in one language: shorter than the whole."""
    text = "ж" * (3 * BANDS.edges[0])
    sentence = Sentence(text=text, start=0, end=len(text), language="ru")
    mixed = Result(
        id="1", verdict="uncertain", machine_translated=0.5, columns=BANDS.edges[0] - 1,
        language=Language(code="ru", confidence=1, mixed=True), sentences=(sentence,), models={}, version="0",
    )  # fmt: skip
    posts = [LabelledPost(1, "1", "", True), LabelledPost(2, "2", "", False)]
    direct = evaluate(posts, [mixed, mixed], ["length"], resamples=1).groups["length"]
    assert [group.name for group in direct] == [f"under {BANDS.edges[0]}"]
    rows = [{**mixed.to_dict(), "id": post.id, "label": post.machine} for post in posts]
    path = tmp_path / "scores.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    read = checker.evaluate(path, group_by=["length"], resamples=1).groups["length"]
    assert read == direct


def test_an_interval_does_not_depend_on_other_groups(evaluation: Evaluation) -> None:
    assert evaluation.groups["lang"][0].auc == evaluation.overall.auc


def test_a_key_that_no_post_has() -> None:
    posts, scores = scored(np.random.default_rng(0), 10, 10)
    with pytest.raises(InputError, match="No post has a 'topic'"):
        evaluate(posts, scores, ["topic"])
    with pytest.raises(InputError, match="no labelled post"):
        evaluate([], [])


def test_compare_leaves_out_posts_without_a_probability() -> None:
    posts, first = scored(np.random.default_rng(0), 120, 60)
    second = [Score(one.id, None, "not_scored") if one.id in ("1", "2") else one for one in first]
    comparison = compare(posts, first, second, resamples=100)
    assert comparison.posts == {"human": 118, "machine": 60}
    assert comparison.left_out == 2
    assert {name: (row.difference, row.p_value) for name, row in comparison.figures.items()} == dict.fromkeys(
        ("auc", "ece", "tpr_at_1_fpr"), (0.0, 1.0)
    )
    with pytest.raises(InputError, match="Only 9 posts of a class"):
        compare(posts[-69:], first[-69:], first[-69:])


def test_the_same_seed_gives_the_same_bytes() -> None:
    posts, scores = scored(np.random.default_rng(0), 40, 40, system="a")
    first, again, other = (
        evaluate(posts, scores, ["system"], resamples=100, seed=seed) for seed in (1, 1, 2)
    )
    assert first.to_json() == again.to_json()
    assert page(first) == page(again)
    assert first.overall.auc != other.overall.auc
    assert "seed:1|" in first.signature.line


# What people see


class Page(HTMLParser):
    """Fails where tags do not match or an id repeats; collects ids, texts and all addresses."""

    void = frozenset({"meta", "br", "link", "img"})

    def __init__(self, source: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: Counter[str] = Counter()
        self.addresses: list[str] = []
        self.tags: set[str] = set()
        self.feed(source)
        self.close()
        assert not self.open
        assert set(self.ids.values()) == {1}

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        if tag not in self.void:
            self.open.append(tag)
        self.handle_startendtag(tag, attributes)

    def handle_startendtag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        for name, value in attributes:
            self.ids.update([value or ""] if name == "id" else [])
            if name in ("src", "href", "xlink:href", "action", "data"):
                self.addresses.append(value or "")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_is_valid_and_loads_nothing(evaluation: Evaluation) -> None:
    source = page(evaluation)
    parsed = Page(source)
    assert all(address.startswith("#") for address in parsed.addresses)
    assert not parsed.tags & {"script", "link", "img", "iframe", "b"}
    assert set(re.findall(r"https?://[^\s\"']+", source)) == {
        "http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink",
    }  # fmt: skip
    assert not re.search(r"url\((?!#)|@import", source)
    assert "&lt;b&gt;online&lt;/b&gt;\ufffd" in source
    assert "\u202e" not in source
    assert "ROC" in source
    assert source.startswith("<!doctype html>")


def test_the_table_shows_figures_with_intervals_and_dashes(evaluation: Evaluation) -> None:
    console = Console(width=120, record=True)
    with console.capture() as capture:
        console.print(table(evaluation, "system"))
    shown = capture.get()
    auc = evaluation.overall.auc
    assert auc is not None
    assert f"{auc.value:.3f}" in shown
    assert f"{auc.low:.3f}–{auc.high:.3f}" in shown
    assert "<b>online</b>\ufffd" in shown
    assert "…" not in shown
    assert "–" in next(line for line in shown.splitlines() if line.startswith("tiny"))


# The command


def run(*args: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "checker", "evaluate", *map(str, args), "--bootstrap", "100"]
    return subprocess.run(command, capture_output=True, check=False, timeout=300, encoding="utf-8")


def test_the_example_end_to_end(tmp_path: Path) -> None:
    labelled, saved = tmp_path / "labelled.jsonl", tmp_path / "scores.jsonl"
    bad = json.dumps({"text": "x", "label": "ro\x1bbot"}) + "\n"
    labelled.write_text(EXAMPLES.read_text("utf-8") + bad, encoding="utf-8")
    written = [tmp_path / "one.json", tmp_path / "two.json"]
    done = run(labelled, "--group-by", "lang,system", "--json", written[0], "--html", tmp_path / "a.html",
               "--save", saved, "--fast")  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "Left out: row 25: field 'label': The label is 'ro\\x1bbot'. Use human or machine." in done.stderr
    assert "12 / 12" in done.stdout
    assert "left_out:1|posts:24" in done.stdout
    report = json.loads(written[0].read_text("utf-8"))
    evaluation = Evaluation.model_validate(report)
    assert evaluation.overall.auc is not None
    assert evaluation.overall.auc.value > 0.7
    assert evaluation.signature.models["profile"] == ("embedded",)
    assert [group.name for group in evaluation.groups["system"]] == ["calque", "embedded-translator"]
    assert [group.name for group in evaluation.groups["lang"]] == ["de", "en", "fr", "ru"]
    texts = [json.loads(line)["text"] for line in EXAMPLES.read_text("utf-8").splitlines()]
    for path in (tmp_path / "a.html", written[0], saved):
        content = path.read_text("utf-8")
        assert not any(text[:20] in content for text in texts)
    Page((tmp_path / "a.html").read_text("utf-8"))

    # The saved scores give the same figures without scoring, byte for byte the same every time.
    again = [run(saved, "--group-by", "language, system", "--json", path) for path in written]
    assert [done.returncode for done in again] == [0, 0], again[0].stderr
    assert "used as they are" in again[0].stderr
    assert written[0].read_bytes() == written[1].read_bytes()
    kept = Evaluation.model_validate_json(written[0].read_text("utf-8"))
    assert kept.overall == evaluation.overall
    assert kept.groups == evaluation.groups
    assert again[0].stdout == again[1].stdout

    # So does Python, and its page is that of the command.
    rows, seen = [], []
    ours = checker.evaluate(
        labelled, group_by=["lang", "system"], resamples=100, save=tmp_path / "python.jsonl",
        on_bad_rows=rows.extend, on_progress=lambda *progress: seen.append(progress),
        checker=checker.Checker(round_trip=False, fluency=False),
    )  # fmt: skip
    assert ours == evaluation
    assert [row.row for row in rows] == [25]
    assert seen == [(done, 24) for done in range(25)]
    assert (tmp_path / "python.jsonl").read_bytes() == saved.read_bytes()
    checker.evaluation_page(ours, tmp_path / "python.html")
    assert (tmp_path / "python.html").read_bytes() == (tmp_path / "a.html").read_bytes()

    compared = run(saved, "--against", saved, "--json", written[0])
    assert compared.returncode == 0, compared.stderr
    figures = json.loads(written[0].read_text("utf-8"))["figures"]
    assert (figures["auc"]["difference"], figures["auc"]["p_value"]) == (0.0, 1.0)
    tested = checker.compare(saved, saved, resamples=100)
    assert tested.model_dump_json(indent=2) + "\n" == written[0].read_text("utf-8")
    fewer = tmp_path / "fewer.jsonl"
    fewer.write_text("".join(saved.read_text("utf-8").splitlines(keepends=True)[1:]), encoding="utf-8")
    compared = run(saved, "--against", fewer)
    assert compared.returncode == 2
    assert "1 ids are in the first file only: 'ru-heating-human'" in compared.stderr


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--json", "a.txt"], "The format of a.txt is unknown. Use .json."),
        (["--html", "nowhere/a.html"], "There is no folder nowhere."),
        (["--against", EXAMPLES], "has no scores"),
        (["--against", EXAMPLES, "--group-by", "lang"], "Leave out --group-by"),
        (["--label-column", "gold"], "There is no label"),
        (["--profile", "klingon"], "'klingon' is not one of 'embedded', 'hub'"),
    ],
)
def test_mistakes_are_told_before_anything_is_scored(options: list[object], message: str) -> None:
    done = run(EXAMPLES, *options)
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr
