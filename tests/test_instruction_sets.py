"""The same answer under every instruction set that this machine has or can pretend to have."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from instruction_sets import NATIVE, Pretence, possible, said_under

from checker import processor
from checker.pipeline import Checker
from checker.processor import Processor, arithmetic, pretended
from checker.verdict.file import Calibration, read
from checker.verdict.model import VARIANTS

SAME = 0.005
"""How far a probability may be from that on another processor: what docs/speed.md promises."""

EXAMPLES = Path(__file__).parents[1] / "examples" / "posts.jsonl"
POSTS = slice(1, 7)  # in Russian, English, German and French, with a round trip, and two without
ALL_EVIDENCE = "style+fluency+round_trip"
WEIGHTS = (0.8, 1.1, -0.2, 0.45, -0.45, -0.35, -0.75)  # as fitted on 220 Russian posts of WMT21

PROGRAM = """
import json, sys, tempfile
from checker.pipeline import Checker

posts, own = json.loads(sys.argv[1]), sys.argv[2]
cache = tempfile.TemporaryDirectory()  # the second checker computes what its numbers differ in
said = {}
for name, settings in ("shipped", {}), ("own", {"calibration": own}):
    checker = Checker(threads=1, cache=cache.name, **settings)
    said[name] = {
        "arithmetic": checker.arithmetic,
        "scope": checker.models.scope("translator", "ru"),
        "results": [json.loads(result.to_json()) for result in checker.score_many(posts)],
    }
print(json.dumps(said))
"""


def counting_everything(checker: Checker) -> Calibration:
    """A calibration of one's own that counts all evidence in the languages with a round trip."""
    shipped = read(checker.store.registry.parent / "embedded" / "verdict.json")
    languages = {}
    for language in "ru", "en", "de", "fr":
        fitted = shipped.languages[language]
        parts = {
            part: dict.fromkeys(("style", ALL_EVIDENCE), getattr(fitted, part)["style"])
            for part in ("correction", "thresholds", "reliability")
        }
        scales = {
            **fitted.scales,
            "fluency": (0.0, 1.0),
            "chrf": (55.0, 12.0),
            "log_likelihood": (-2.0, 0.6),
            "gap": (1.2, 0.5),
        }
        models = checker.models.labels(language)
        languages[language] = fitted.model_copy(update={**parts, "scales": scales, "models": models})
    richer = {"features": VARIANTS[ALL_EVIDENCE], "weights": WEIGHTS}
    variants = {**shipped.variants, ALL_EVIDENCE: shipped.variants["style"].model_copy(update=richer)}
    return shipped.model_copy(update={"variants": variants, "languages": languages, "models": {}})


@pytest.fixture(scope="module")
def inputs(checker: Checker, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """Posts, as JSON, and a calibration."""
    lines = EXAMPLES.read_text(encoding="utf-8").splitlines()
    posts = [json.loads(line)["text"] for line in lines[POSTS]]
    own = tmp_path_factory.mktemp("instruction-sets") / "own.json"
    counting_everything(checker).write(own)
    return json.dumps(posts), str(own)


@pytest.fixture(scope="module")
def native(inputs: tuple[str, str]) -> Any:
    """What is said here."""
    return said_under(NATIVE, PROGRAM, *inputs)


DEFAULT = ("avx2", "onednn")
"""What the default tests pretend to be; the slow ones are everything that can be pretended."""


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(one, marks=() if one.name in DEFAULT else pytest.mark.slow) for one in possible()[1:]
    ],
    ids=str,
)
def pretence(request: pytest.FixtureRequest) -> Pretence:
    """Each of the processors that this one can be taken for."""
    found: Pretence = request.param
    return found


@pytest.fixture(scope="module")
def said(pretence: Pretence, inputs: tuple[str, str]) -> Any:
    """What is said under a pretence."""
    return said_under(pretence, PROGRAM, *inputs)


@pytest.mark.parametrize("verdict", ["shipped", "own"])
def test_verdicts_and_probabilities_are_the_same(native: Any, said: Any, verdict: str) -> None:
    pairs = list(zip(native[verdict]["results"], said[verdict]["results"], strict=True))
    assert len(pairs) == 6
    for ours, theirs in pairs:
        assert ours["verdict"] == theirs["verdict"]
        assert ours["machine_translated"] == pytest.approx(theirs["machine_translated"], abs=SAME)
        for one, other in zip(ours["sentences"], theirs["sentences"], strict=True):
            assert one["machine_translated"] == pytest.approx(other["machine_translated"], abs=SAME)


def test_a_verdict_that_counts_all_evidence_is_computed_in_floats(native: Any, said: Any) -> None:
    for one in native, said:
        own = one["own"]
        assert own["arithmetic"] == "float32"
        trips = [result["round_trip"] for result in own["results"] if result["language"]["code"] == "ru"]
        assert all(trip["log_likelihood"] < 0 for trip in trips), "it is computed where it is counted"
        assert any(
            {"fluency", "round_trip"} <= {reason["kind"] for reason in result["reasons"]}
            for result in own["results"]
        )
        named = {result["models"]["arithmetic"] for result in own["results"] if result["round_trip"]}
        assert named <= {"float32", "fluency float32, translator int8"}  # the latter by Firefox's translator
        assert "float32" in named


def test_a_model_says_the_same_where_it_computes_with_the_same_numbers(native: Any, said: Any) -> None:
    for verdict in "shipped", "own":
        ours, theirs = native[verdict], said[verdict]
        alike = ours["arithmetic"] == theirs["arithmetic"]
        assert (ours["scope"] == theirs["scope"]) is alike, "the cache keeps numbers of one kind apart"
        if ours["arithmetic"] == theirs["arithmetic"] == "float32":
            for one, other in zip(ours["results"], theirs["results"], strict=True):
                for sentence, same in zip(one["sentences"], other["sentences"], strict=True):
                    assert sentence["back_translation"] == same["back_translation"]
                    for value in "log_likelihood", "perplexity":
                        if sentence[value] is not None or same[value] is not None:
                            assert sentence[value] == pytest.approx(same[value], rel=1e-3)


def test_the_numbers_are_those_of_the_processor_that_is_pretended(pretence: Pretence, said: Any) -> None:
    seen = pretended(processor.here(), pretence.environment)
    assert said["shipped"]["arithmetic"] == arithmetic(seen)


# The harness


def test_only_what_a_machine_has_can_be_pretended() -> None:
    def names(*instructions: str) -> list[str]:
        return [str(pretence) for pretence in possible(Processor("x", frozenset(instructions)))]

    assert names() == ["native"]
    assert names("sse4_1", "avx", "avx2") == ["native", "sse41", "avx", "avx2", "mkl", "onednn"]
    assert names("asimd", "asimddp") == ["native", "generic-arm"]
    newest = names("sse4_1", "avx", "avx2", "avx_vnni", "avx512f", "avx512_vnni")
    assert newest == ["native", "sse41", "avx", "avx2", "avx-vnni", "avx512", "avx512-vnni", "mkl", "onednn"]


def test_a_program_that_fails_is_not_taken_for_agreement() -> None:
    with pytest.raises(AssertionError, match=r"native: .*no such luck"):
        said_under(NATIVE, "raise SystemExit('no such luck')")


def test_a_program_sees_the_pretence_and_not_that_of_the_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CT2_FORCE_CPU_ISA", "AVX")
    program = "import json, os; print(json.dumps(os.environ.get('CT2_FORCE_CPU_ISA')))"
    assert said_under(NATIVE, program) is None
    assert said_under(Pretence("x", "", {"CT2_FORCE_CPU_ISA": "GENERIC"}), program) == "GENERIC"
