"""The verdict layer on data made by hand, and the sanity of what ships."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checker.evidence.evidence import Evidence
from checker.languages import SUPPORTED
from checker.pipeline import Checker
from checker.text import SHORTEST
from checker.verdict.file import Calibration, Threshold
from checker.verdict.model import (
    BANDS,
    VARIANTS,
    Judgement,
    VerdictModel,
    combine,
    decide,
    features,
    logit,
    question,
    richest,
    sigmoid,
)

ALL = "style+fluency+round_trip"
CUT = {"machine": 0.9, "false_positive_rate": 0.008, "posts": 250, "negatives": "native"}
SCALES = {
    "style": [-1.0, 2.0], "fluency": [0.5, 1.0], "chrf": [40.0, 10.0], "log_likelihood": [-3.0, 1.0],
    "gap": [1.0, 0.5],
}  # fmt: skip
RELIABILITY = {"ece": 0.02, "bins": [{"predicted": 0.45, "observed": 0.5, "posts": 500}]}
WEIGHTS = {
    "style": ([1.0, 0.1], -0.5),
    "style+fluency": ([0.9, 0.1, 0.3, -0.05], -0.4),
    ALL: ([0.8, 0.1, 0.2, 0.0, 0.5, 0.4, -0.3], -0.3),
}
DATA: dict[str, Any] = {
    "models": {"fluency": "lm@1", "translator": "mt@1"},
    "bands": BANDS.edges,
    "variants": {
        name: {
            "features": VARIANTS[name],
            "posts": 500,
            "weights": weights,
            "intercept": intercept,
            "reliability": RELIABILITY,
        }
        for name, (weights, intercept) in WEIGHTS.items()
    },
    "languages": {
        "ru": {
            "scales": SCALES,
            "correction": {"style": [1.2, 0.1], "style+fluency": [1.1, -0.1], ALL: [0.9, 0.2]},
            "thresholds": {variant: [None, CUT, CUT, CUT, CUT] for variant in VARIANTS},
            "human_quantiles": {"style": [-3.0, -2.0, -1.0, 0.0, 1.0]},
            "reliability": dict.fromkeys(VARIANTS, RELIABILITY),
        },
        "de": {
            "scales": {"style": [-1.0, 2.0], "fluency": [0.5, 1.0]},
            "correction": {"style": [1.0, 0.0]},
            "thresholds": {"style": [CUT] * 5},
            "human_quantiles": {},
            "reliability": {"style": RELIABILITY},
            "models": {"style": "de@1"},
        },
    },
}
MODEL = VerdictModel(Calibration.model_validate(DATA))
BARE = Evidence(columns=120, style=0.3)
FLUENT = replace(BARE, fluency=0.8)
FULL = replace(FLUENT, chrf=55.0, log_likelihood=-2.4, gap=0.7)


def judge(evidence: Evidence, language: str = "ru") -> Judgement:
    judgement = MODEL.judge(language, evidence)
    assert judgement is not None
    return judgement


def test_the_probability_by_hand() -> None:
    # Z-scores 0.65, 0.3, 1.5, 0.6, -0.6; at 120 columns nothing depends on the length.
    style, fluency, trip = 0.8 * 0.65, 0.2 * 0.3, 0.5 * 1.5 + 0.4 * 0.6 - 0.3 * -0.6
    expected = 0.9 * (-0.3 + style + fluency + trip) + 0.2
    judgement = judge(FULL)
    assert judgement.probability == pytest.approx(1 / (1 + math.exp(-expected)), abs=1e-4)
    assert judgement.contributions == {
        "style": pytest.approx(0.9 * style),
        "fluency": pytest.approx(0.9 * fluency),
        "round_trip": pytest.approx(0.9 * trip),
    }


def test_length_counts_in_doublings_of_120_columns() -> None:
    by_length = [features(replace(BARE, columns=c), SCALES, "style")[1] for c in (60, 120, 240, 480)]
    assert by_length == pytest.approx([-0.65, 0, 0.65, 1.3])
    assert all(map(math.isfinite, features(replace(BARE, columns=0), SCALES, "style")))


def test_an_outlier_counts_as_six_deviations() -> None:
    assert features(replace(BARE, style=1e9), SCALES, "style")[0] == 6
    assert features(replace(BARE, style=-1e9), SCALES, "style")[0] == -6


@given(st.sampled_from([BARE, FLUENT, FULL]), st.integers(0, 3000), st.floats(-40, 40), st.floats(-40, 40))
def test_more_machine_like_wording_never_lowers_the_probability(
    evidence: Evidence, columns: int, one: float, other: float
) -> None:
    low, high = (judge(replace(evidence, columns=columns, style=s)) for s in sorted((one, other)))
    assert 0 <= low.probability <= high.probability <= 1


@given(st.sampled_from([BARE, FLUENT, FULL]), st.integers(1, 2000), st.floats(-6, 6))
def test_the_contributions_make_up_the_log_odds(evidence: Evidence, columns: int, style: float) -> None:
    evidence = replace(evidence, columns=columns, style=style)
    judgement = judge(evidence)
    variant = "+".join(judgement.contributions)
    assert variant == richest(MODEL.calibration, "ru", evidence.known)
    slope, offset = DATA["languages"]["ru"]["correction"][variant]
    base = slope * DATA["variants"][variant]["intercept"] + offset
    log_odds = base + sum(judgement.contributions.values())
    assert judgement.probability == pytest.approx(sigmoid(log_odds), abs=1e-4)


@pytest.mark.parametrize(
    ("evidence", "language", "variant"),
    [
        (FULL, "ru", ALL),
        (FLUENT, "ru", "style+fluency"),
        (BARE, "ru", "style"),
        (replace(FULL, fluency=None), "ru", "style"),
        (FULL, "de", "style"),
        (FULL, "fr", None),
    ],
)
def test_the_richest_variant_that_was_fitted_and_has_its_evidence(
    evidence: Evidence, language: str, variant: str | None
) -> None:
    assert richest(MODEL.calibration, language, evidence.known) == variant
    judgement = MODEL.judge(language, evidence)
    assert (judgement and list(judgement.contributions)) == (variant and variant.split("+"))


def test_evidence_that_is_not_in_the_variant_changes_nothing() -> None:
    assert judge(FULL, "de") == judge(replace(FULL, chrf=1.0, fluency=-5.0), "de") == judge(BARE, "de")


@pytest.mark.parametrize(
    ("machine", "translated", "verdict"),
    [
        (1.0, 0.0, "machine_translated"),
        (0.9, 0.5, "machine_translated"),
        (0.8999, 1.0, "translated"),
        (0.5, 0.9, "translated"),
        (0.5, 0.8999, "uncertain"),
        (0.5, 0.0501, "uncertain"),
        (0.8999, 0.05, "human_written"),
        (0.0, 0.0, "human_written"),
        (0.0, None, "uncertain"),
        (None, 0.9, "translated"),
        (None, None, "uncertain"),
    ],
)
def test_the_verdict_answers_both_questions(
    machine: float | None, translated: float | None, verdict: str
) -> None:
    one = None if machine is None else Judgement(machine, {}, Threshold(**CUT), "style")
    cut = Threshold(**CUT, clear=0.05)
    other = None if translated is None else Judgement(translated, {}, cut, "translated")
    assert decide(one, other) == verdict
    unmeasured = [answer and replace(answer, threshold=None) for answer in (one, other)]
    assert decide(*unmeasured) == "uncertain"


@pytest.mark.parametrize(
    ("machine", "translated", "rudimentary", "verdict"),
    [
        (0.9, 0.9, 0.9, "machine_translated"),
        (0.8, 0.9, 0.9, "rudimentary"),
        (0.8, 0.01, 0.9, "rudimentary"),
        (0.8, 0.9, 0.8999, "translated"),
        (0.8, 0.01, 0.5, "uncertain"),
        (0.8, 0.01, 0.4999, "human_written"),
    ],
)
def test_rudimentary_wording_is_called_so_and_never_human_written(
    machine: float, translated: float, rudimentary: float, verdict: str
) -> None:
    cut = Threshold(**CUT, clear=0.05)
    answers = [
        Judgement(said, {}, cut, variant)
        for said, variant in (
            (machine, "style"),
            (translated, "translated:style"),
            (rudimentary, "rudimentary:encoder"),
        )
    ]
    assert decide(*answers) == verdict


@pytest.mark.parametrize("columns", [0, SHORTEST - 1])
def test_no_verdict_on_a_length_that_was_not_measured(columns: int) -> None:
    for style in (-99.0, 99.0):
        judgement = judge(replace(BARE, columns=columns, style=style), "de")
        assert judgement.threshold is None
        assert not judgement.reached


@pytest.mark.parametrize("columns", [SHORTEST, BANDS.edges[0], BANDS.edges[-1], 1200, 1201, 10**6])
def test_a_verdict_on_the_lengths_that_were_measured_and_on_longer_ones(columns: int) -> None:
    assert judge(replace(BARE, columns=columns, style=99), "de").reached
    assert not judge(replace(BARE, columns=columns, style=-99), "de").reached


def test_no_verdict_in_a_band_that_was_not_measured() -> None:
    assert judge(replace(BARE, columns=BANDS.edges[0] - 1)).threshold is None
    assert judge(replace(BARE, columns=BANDS.edges[0])).threshold == Threshold(**CUT)


@given(st.integers(1, 1500), st.floats(-5, 5))
def test_style_alone_is_calibrated_and_its_slope_is_that_of_the_line(columns: int, style: float) -> None:
    evidence = replace(FULL, columns=columns, style=style)
    log_odds, slope = MODEL.style("ru", evidence)
    assert sigmoid(log_odds) == pytest.approx(
        judge(replace(BARE, columns=columns, style=style)).probability, abs=1e-4
    )
    moved, _ = MODEL.style("ru", replace(evidence, style=style + 0.5))
    assert moved - log_odds == pytest.approx(0.5 * slope, abs=1e-6)


def test_rank_among_human_posts() -> None:
    assert [MODEL.rank("ru", "style", v) for v in (-9, -2, -0.5, 1, 9)] == [0, 0.25, 0.625, 1, 1]
    assert MODEL.rank("ru", "chrf", 50) is None
    assert MODEL.rank("fr", "style", 0) is None


@given(st.floats(-9, 9))
def test_logit_undoes_sigmoid(log_odds: float) -> None:
    assert logit(sigmoid(log_odds)) == pytest.approx(log_odds, rel=1e-6, abs=1e-9)


def test_the_ends_of_the_scale_are_finite() -> None:
    assert (sigmoid(-1e6), sigmoid(0), sigmoid(1e6)) == (0, 0.5, 1)
    assert logit(0) == pytest.approx(-logit(1))
    assert math.isfinite(logit(0))


# What ships


@pytest.fixture(scope="module")
def shipped() -> dict[str, Any]:
    path = Path(__file__).parents[1] / "models" / "embedded" / "verdict.json"
    data: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return data


def test_every_language_was_fitted(shipped: dict[str, Any]) -> None:
    assert set(shipped["languages"]) == set(SUPPORTED)
    for language, fitted in shipped["languages"].items():
        assert {"style", "style+encoder"} <= set(fitted["correction"]), language
        assert not any(name.endswith("round_trip") for name in fitted["correction"]), "it adds nothing"
        assert set(fitted["thresholds"]) == set(fitted["correction"]) <= set(shipped["variants"])
        assert len(fitted["human_quantiles"]["style"]) > 10
        assert all(spread > 0 for _, spread in fitted["scales"].values())
        assert all(slope >= 0 for slope, _ in fitted["correction"].values())
    native = {code for code, f in shipped["languages"].items() if "translated:style" in f["correction"]}
    assert set(SUPPORTED) - native == {"ar", "bg", "pl", "ro"}, "no native text of these was at hand"


def test_it_was_fitted_with_the_models_that_ship(checker: Checker) -> None:
    store = checker.store
    model = store.language_model("embedded", "ru")
    assert model is not None
    for language in SUPPORTED:
        models = checker.models.verdicts.models(language)
        assert models["fluency"] == model.label
        small = checker.models.labels(language).get("translator", "")
        assert models.get("translator", "") == small
        assert checker.models.verdict(language) is checker.models.verdicts
        assert not checker.models.outdated(language)


def test_the_bands_and_features_are_those_of_the_code(shipped: dict[str, Any]) -> None:
    assert tuple(shipped["bands"]) == BANDS.edges
    for name, variant in shipped["variants"].items():
        assert tuple(variant["features"]) == VARIANTS[name]
        assert len(variant["weights"]) == len(VARIANTS[name])
        weights = dict(zip(variant["features"], variant["weights"], strict=True))
        if "style" in weights:
            long = weights["style"] + math.log2(480 / 120) * weights.get("style_by_length", 0)
            assert long > 0, "in a long post, wording like a machine's speaks for a machine"
        asked = question(name)
        head = "machine_head" if asked == "machine_translated" else f"{asked}_head"
        if head in weights:
            assert weights[head] + math.log2(480 / 120) * weights[f"{head}_by_length"] > 0


def test_every_threshold_keeps_the_promised_error_rate(shipped: dict[str, Any]) -> None:
    allowed = {"native": 0.01, "human translations": 0.02}
    cuts = [
        (language, cut)
        for language, fitted in shipped["languages"].items()
        for bands in fitted["thresholds"].values()
        for cut in bands
    ]
    assert len(cuts) % len(BANDS) == 0
    measured = [(language, Threshold(**cut)) for language, cut in cuts if cut is not None]
    assert measured
    for language, cut in measured:
        assert 0.5 <= cut.machine < 1, language
        assert 0 <= cut.false_positive_rate <= allowed[cut.negatives], language
        assert cut.posts >= 99, language


def test_the_reliability_tables_are_there(shipped: dict[str, Any]) -> None:
    tables = [variant["reliability"] for variant in shipped["variants"].values()]
    for language in shipped["languages"].values():
        tables += language["reliability"].values()
    assert len(tables) > len(shipped["variants"]) + 2 * len(SUPPORTED)
    for table in tables:
        assert 0 <= table["ece"] < 0.5
        assert table["bins"]
        for row in table["bins"]:
            assert 0 <= row["predicted"] <= 1
            assert 0 <= row["observed"] <= 1
            assert row["posts"] > 0


@given(
    st.sampled_from(SUPPORTED), st.integers(0, 3000), st.floats(-30, 30),
    st.none() | st.floats(-10, 10), st.none() | st.floats(0, 100), st.floats(-9, 0), st.floats(-5, 9),
)  # fmt: skip
def test_any_evidence_gives_a_probability(
    checker: Checker, language: str, columns: int, style: float, fluency: float | None, chrf: float | None,
    log_likelihood: float, gap: float,
) -> None:  # fmt: skip
    judgement = checker.models.verdicts.judge(
        language, Evidence(columns, style, fluency, chrf, log_likelihood, gap)
    )
    assert judgement is not None
    assert 0 <= judgement.probability <= 1
    assert all(map(math.isfinite, judgement.contributions.values()))


@pytest.mark.parametrize("style", [-40.0, -1.0, 0.0, 2.5, 40.0])
@pytest.mark.parametrize("columns", [40, 120, 900])
def test_the_slope_of_style_is_that_of_the_regression_also_where_it_is_clamped(
    style: float, columns: int
) -> None:
    evidence = replace(BARE, columns=columns, style=style)
    log_odds, slope = MODEL.style("ru", evidence)
    middle = replace(evidence, style=SCALES["style"][0])
    rise = MODEL.style("ru", replace(middle, style=middle.style + 0.5))[0] - MODEL.style("ru", middle)[0]
    assert slope == pytest.approx(rise / 0.5)
    assert slope != 0
    assert log_odds == pytest.approx(MODEL.style("ru", evidence)[0])


def test_documentation_is_never_called_machine_translated_however_sure_the_model_is() -> None:
    model = VerdictModel(Calibration.model_validate(DATA | {"technical": 0.5}))
    sure = replace(BARE, style=9.0)
    plain, doubtful, manual = (
        model.judge("ru", replace(sure, technical=value)) for value in (None, 0.49, 0.5)
    )
    assert plain is not None
    assert doubtful is not None
    assert manual is not None
    assert decide(plain, None) == decide(doubtful, None) == "machine_translated"
    assert decide(manual, None) == "uncertain"
    assert (manual.technical, manual.threshold, manual.alarms) == (True, None, ())
    assert manual.probability == plain.probability
    assert decide(manual, Judgement(0.95, {}, Threshold(**CUT), "translated:style")) == "translated"
    ungated = judge(replace(sure, technical=9.0))
    assert decide(ungated, None) == "machine_translated", "a calibration of the user's own judges all"
    mixed = combine([(80, plain), (40, manual)])
    assert mixed is not None
    assert decide(mixed, None) == "uncertain"
    assert mixed.technical


def test_the_head_for_documentation_goes_with_its_encoder() -> None:
    assert replace(FULL, technical=1.0).without({"encoder"}).technical is None
    assert replace(FULL, technical=1.0).without({"translator"}).technical == 1.0
