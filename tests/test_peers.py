"""The methods that the project is compared with, and the statistics of the comparison."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM

from checker import statistics as metrics
from scripts.bench import methods, peers
from scripts.bench.paired import Estimate, against, digest, estimate, figure, resamples

LINES = [
    "The ministry opened a new bridge over the northern river today.",
    "The minister said that the road to the harbour is closed.",
    "Engineers repaired the railway bridge near the old market.",
    "The school in the village is open again, the mayor said.",
]


# The methods


def test_bleu_of_a_round_trip_that_changes_nothing_is_100() -> None:
    assert methods.bleu(LINES[:2], LINES[:2], "en") == pytest.approx(100)
    assert methods.bleu(["橋は閉鎖された。"], ["橋は閉鎖された。"], "ja") == pytest.approx(100)


def test_bleu_falls_with_every_word_that_does_not_come_back() -> None:
    changed = LINES[0].replace("opened", "inaugurated")
    worse = changed.replace("northern", "wide")
    found = [methods.bleu([LINES[0]], [back], "en") for back in (LINES[0], changed, worse, "Something else.")]
    assert found == sorted(found, reverse=True)
    assert len(set(found)) == 4


def test_the_round_trip_is_scored_post_by_post() -> None:
    class Echo:
        """A translator that gives back its input, but for one sentence."""

        def translate(self, texts: Sequence[str], source: str, target: str) -> list[SimpleNamespace]:
            return [SimpleNamespace(text="lost" if text == LINES[2] else text) for text in texts]

    class Pair(SimpleNamespace):
        def translators(self, language: str) -> tuple[Echo, Echo] | None:
            return (Echo(), Echo()) if language == "ru" else None

        def pivot(self, language: str) -> str:
            return "en"

    checker: Any = SimpleNamespace(models=Pair())
    posts = peers.Language("ru", ["", ""], [LINES[:2], [LINES[2]]])
    scores = peers.round_trip(checker, posts)
    assert scores is not None
    assert scores.values[0] == pytest.approx(100)
    assert scores.values[1] < 20
    assert peers.round_trip(checker, peers.Language("de", [""], [LINES[:1]])) is None


def test_likelihood_is_minus_the_log_perplexity_of_all_tokens() -> None:
    assert methods.likelihood([[-1.0, -2.0], [-6.0]]) == -3
    assert methods.likelihood([[]]) == 0


def test_cross_perplexity_of_two_models_of_three_words() -> None:
    observer = torch.tensor([[0.5, 0.25, 0.25], [0.8, 0.1, 0.1]])
    performer = torch.tensor([[0.25, 0.5, 0.25], [0.2, 0.4, 0.4]])
    surprise, crossed = methods.perplexities(observer.log(), performer.log(), torch.tensor([1, 0]))
    assert surprise.tolist() == pytest.approx([math.log(4), -math.log(0.8)])
    by_hand = [
        -(0.5 * math.log(0.25) + 0.25 * math.log(0.5) + 0.25 * math.log(0.25)),
        -(0.8 * math.log(0.2) + 0.2 * math.log(0.4)),
    ]
    assert crossed.tolist() == pytest.approx(by_hand)
    shifted, same = methods.perplexities(observer.log() + 7, performer.log() - 3, torch.tensor([1, 0]))
    assert shifted.tolist() == pytest.approx(surprise.tolist())  # logits are known up to a constant
    assert same.tolist() == pytest.approx(by_hand)


def _language_model(folder: Path, seed: int, words: Sequence[str]) -> Path:
    """A language model with random weights over a few words."""
    vocabulary = {word: number for number, word in enumerate(["<unk>", ">>en<<", *words])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    folder.mkdir()
    tokenizer.save(str(folder / "tokenizer.json"))
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=len(vocabulary), hidden_size=16, intermediate_size=16, num_hidden_layers=1,
        num_attention_heads=2, max_position_embeddings=32, initializer_range=1.0,
    )  # fmt: skip
    LlamaForCausalLM(config).save_pretrained(folder)
    return folder


def test_binoculars_is_the_ratio_of_sums_over_all_tokens(tmp_path: Path) -> None:
    words = ["the", "bridge", "is", "closed"]
    folders = [_language_model(tmp_path / str(seed), seed, words) for seed in (1, 2)]
    ratio = methods.Binoculars(*folders).ratio(["the bridge is closed", "closed is the"], "en")
    assert ratio == methods.Binoculars(*folders).ratio(["the bridge is closed", "closed is the"], "en")
    networks = [LlamaForCausalLM.from_pretrained(folder).eval() for folder in folders]
    above = below = 0.0
    for ids in ([1, 2, 3, 4, 5], [1, 5, 4, 2]):
        with torch.inference_mode():
            said, other = (m(torch.tensor([ids])).logits[0, :-1].softmax(-1).numpy() for m in networks)
        for place, token in enumerate(ids[1:]):
            above -= math.log(said[place][token])
            below -= sum(p * math.log(q) for p, q in zip(said[place], other[place], strict=True))
    assert ratio == pytest.approx(above / below, rel=1e-4)
    assert ratio != pytest.approx(methods.Binoculars(*folders[::-1]).ratio(["the bridge is closed"], "en"))


def test_binoculars_needs_one_tokenizer(tmp_path: Path) -> None:
    folders = [_language_model(tmp_path / word, 1, [word]) for word in ("bridge", "road")]
    with pytest.raises(ValueError, match="same tokenizer"):
        methods.Binoculars(*folders)


def test_kneser_ney_by_hand() -> None:
    """Three bigrams seen once each: a half is taken from each, and from each of three unigrams."""
    model = methods.CharacterModel(["ab"], order=2)
    unigram = 0.5 / 3 + 0.5 / 4  # the rest goes to a, b, the end of the line and unknown characters
    assert np.exp(model.log_probabilities("ab")) == pytest.approx([0.5 + 0.5 * unigram] * 3)
    assert np.exp(model.log_probabilities("ba")) == pytest.approx(
        [0.5 * unigram, 0.5 * unigram, 0.5 * unigram]
    )
    assert np.exp(model.log_probabilities("x")) == pytest.approx([0.5 * 0.5 / 4, unigram])


def test_discounts_by_hand_and_when_there_is_too_little_to_estimate_them() -> None:
    counts = np.repeat([1, 2, 3, 4], [40, 20, 10, 5])
    share = 40 / (40 + 2 * 20)
    assert methods.discounts(counts) == pytest.approx(
        [0, 1 - 2 * share * 0.5, 2 - 3 * share * 0.5, 3 - 4 * share * 0.5]
    )
    assert methods.discounts(np.array([1, 1, 5])).tolist() == [0, 0.5, 1, 1.5]


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.text("abc ", max_size=8), min_size=1, max_size=12), st.text("abcz ", max_size=8),
    st.integers(2, 7),
)  # fmt: skip
def test_probabilities_after_any_beginning_add_up_to_one(lines: list[str], start: str, order: int) -> None:
    model = methods.CharacterModel(lines, order)
    known = sorted(set("".join(lines)))
    following = [model.log_probabilities(start + c)[len(start)] for c in [*known, "\u2603"]]
    end = model.log_probabilities(start)[len(start)]
    assert sum(math.exp(value) for value in [*following, end]) == pytest.approx(1)


def test_seen_text_is_more_fluent() -> None:
    model = methods.CharacterModel(LINES)
    jumbled = "".join(sorted(LINES[0]))
    found = [methods.disfluency(model, [text]) for text in (LINES[0], "The mayor opened a school.", jumbled)]
    assert found == sorted(found)
    assert found == [
        methods.disfluency(methods.CharacterModel(LINES), [text])
        for text in (LINES[0], "The mayor opened a school.", jumbled)
    ]
    both = np.concatenate([model.log_probabilities(text) for text in LINES[:2]])
    assert methods.disfluency(model, LINES[:2]) == pytest.approx(-both.mean())
    assert math.isfinite(methods.disfluency(model, ["\U0001f6a7 \u6a4b"]))


def test_the_ngram_classifier_learns_a_habit_and_learns_it_again() -> None:
    human = [line.replace("The", "A") for line in LINES] * 3
    machine = [line + " It is said that it is so." for line in LINES] * 3
    labels = [0] * len(human) + [1] * len(machine)
    found = [
        methods.NgramClassifier([*human, *machine], labels).log_odds(["A road was closed.", "It is said so."])
        for _ in range(2)
    ]
    assert found[0][0] < 0 < found[0][1]
    assert found[0].tolist() == found[1].tolist()


# The statistics of the comparison


def test_resamples_begin_with_the_posts_and_keep_the_size_of_every_kind() -> None:
    kinds = ["native"] * 5 + ["machine"] * 3
    counts = resamples(kinds, 20, "ru")
    assert counts[0].tolist() == [1] * 8
    assert (counts[:, :5].sum(1) == 5).all()
    assert (counts[:, 5:].sum(1) == 3).all()
    assert (counts == resamples(kinds, 20, "ru")).all()
    assert (counts != resamples(kinds, 20, "de")).any()
    assert (counts[1:] != 1).any()


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 4), st.booleans()), min_size=2, max_size=30))
def test_figures_are_those_of_the_posts_that_were_drawn(posts: list[tuple[int, bool]]) -> None:
    posts += [(0, False), (1, True)]
    scores, machine = (np.array(part) for part in zip(*posts, strict=True))
    counts = resamples(np.where(machine, "machine", "native"), 5, "ru")
    found = figure(metrics.auc, scores, machine, counts)
    expected = [roc_auc_score(np.repeat(machine, row), np.repeat(scores, row)) for row in counts]
    assert found == pytest.approx(expected)


def test_an_estimate_is_the_first_value_with_the_interval_of_the_others() -> None:
    assert estimate(np.array([0.5, *np.linspace(0, 1, 1001)])) == Estimate(0.5, 0.025, 0.975)


def test_a_digest_changes_with_every_part(tmp_path: Path) -> None:
    (tmp_path / "weights").write_bytes(b"1")
    first = digest([tmp_path, "a", "bc"])
    assert first == digest([tmp_path, "a", "bc"])
    assert first != digest([tmp_path, "ab", "c"])
    (tmp_path / "weights").write_bytes(b"2")
    assert first != digest([tmp_path, "a", "bc"])


KINDS = ["native"] * 60 + ["translated"] * 60 + ["machine"] * 60


def _figures(**shifts: float) -> peers.Figures:
    rng = np.random.default_rng(0)
    machine = np.array([kind == "machine" for kind in KINDS])
    values = {method: rng.normal(size=len(KINDS)) + shift * machine for method, shift in shifts.items()}
    return peers.measure(KINDS, values, resamples(KINDS, 100, "ru"))


def test_one_figure_may_turn_round_and_a_trained_method_may_not() -> None:
    found = _figures(**{peers.BLEU: -1.0, peers.OURS: -1.0})
    reverse, ours = found[peers.BLEU], found[peers.OURS]
    assert reverse["native_auc"][0] < 0.4 < 0.6 < reverse["native_auc_better"][0]
    assert reverse["native_auc_better"] == pytest.approx(1 - reverse["native_auc"])
    assert (ours["native_auc_better"] == ours["native_auc"]).all()
    assert reverse["native_tpr_better"][0] > ours["native_tpr_better"][0]


def test_means_and_leads_are_over_the_languages_that_a_method_serves() -> None:
    shifts = {peers.PERPLEXITY: 0.5, peers.OURS: 2.0}
    languages = {
        "ru": _figures(**shifts, **{peers.BLEU: 0.0}),
        "de": _figures(**shifts | {peers.OURS: 0.5}),
    }
    name = "native_auc"
    only = peers.mean(languages, peers.BLEU, name)
    assert only is not None
    assert (only == languages["ru"][peers.BLEU][name]).all()
    lead = peers.lead(languages, peers.BLEU, name)
    assert lead is not None
    assert (lead == languages["ru"][peers.OURS][name] - only).all()
    both = peers.mean(languages, peers.OURS, name)
    assert both is not None
    assert both[0] == pytest.approx(np.mean([found[peers.OURS][name][0] for found in languages.values()]))
    assert peers.mean(languages, peers.NGRAMS, name) is None

    tables = peers.tables(languages, {peers.OURS: 0.01})
    row = next(row for row in tables["peers-native"].rows if row[0] == peers.BLEU)
    assert row[2] == "–"
    row = next(row for row in tables["peers-rates"].rows if row[0] == peers.OURS)
    assert row[3:] == ["ru, de", "10.0"]
    assert set(tables) == {"peers-native", "peers-translated", "peers-rates"}
    kept = peers.record(languages)
    assert kept["mean"][peers.OURS][name] == estimate(both)


def test_kept_scores_are_not_scored_again(tmp_path: Path) -> None:
    first = peers.Scores(np.array([0.5, np.nan]), 1.0, 2.0)
    peers.cached(tmp_path, "ru-ngrams", "key", lambda: first)

    def again() -> peers.Scores:
        raise AssertionError("scored again")

    kept = peers.cached(tmp_path, "ru-ngrams", "key", again)
    assert (kept.seconds, kept.training) == (1.0, 2.0)
    assert np.array_equal(kept.values, first.values, equal_nan=True)
    with pytest.raises(AssertionError):
        peers.cached(tmp_path, "ru-ngrams", "another key", again)


# Kinds of human posts


def test_machine_posts_are_told_from_one_kind_of_human_posts() -> None:
    kinds = ["native", "native", "translated", "machine"]
    scores = [0.0, 0.2, 1.0, 0.5]
    counts = resamples(kinds, 1, "ru")
    assert against("native", metrics.auc, scores, kinds, counts)[0] == 1
    assert against("translated", metrics.auc, scores, kinds, counts)[0] == 0
