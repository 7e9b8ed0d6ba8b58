"""The encoder's layers for faulty words: how sentences are spoilt, how they are trained and shipped."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from itertools import pairwise, product
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checker.evidence.heads import Heads
from scripts.training import faults_data
from scripts.training.encoder_data import Lexicon, Pack, Post, pack
from scripts.training.faults_data import (
    Draft,
    Vocabulary,
    bare,
    chatty,
    dictionaries,
    senses,
    spoil,
)

ROOT = Path(__file__).parents[1]
TEXTS = {
    "en": "The ministers of the two countries met in the capital, and signed a new agreement on trade.",
    "ru": "Министры двух стран встретились в столице и подписали новое соглашение о торговле.",
    "ja": "両国の大臣は首都で会談し、貿易に関する新しい協定に署名した。",
}
PAIRS = [
    ("the new house", "das neue Haus"), ("the old house", "das alte Haus"), ("a house", "ein Haus"),
    ("the building is new", "das Gebäude ist neu"), ("the house is old", "das Gebäude ist alt"),
    ("the building", "das Gebäude"), ("the old building", "das alte Haus"), ("new", "neu"),
]  # fmt: skip


def vocabulary(language: str) -> Vocabulary:
    other = TEXTS[language].replace("met", "meets").replace("signed", "signing")
    texts = [TEXTS[language]] * 3 + [other] * 3
    made = Vocabulary.learn(texts, language)
    return Vocabulary(
        made.lexicon, {"ministers": ["servants"], "capital": ["money"]}, {}, made.common, made.known
    )


@pytest.mark.parametrize("language", TEXTS)
@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_spans_of_faults_are_words_of_the_spoilt_text(language: str, seed: int) -> None:
    text = TEXTS[language]
    spoilt, spans = spoil(text, language, vocabulary(language), random.Random(seed))
    assert not spans or spoilt != text
    assert all(0 <= start < end <= len(spoilt) for start, end in spans)
    assert all(a[1] <= b[0] for a, b in pairwise(spans))
    if language != "ja":
        for start, end in spans:
            assert " " not in spoilt[start:end]
            assert spoilt[start].isalnum(), "marks are no part of a faulty word"


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_a_capital_and_the_last_mark_tell_nothing(seed: int) -> None:
    spoilt, _ = spoil(TEXTS["en"], "en", vocabulary("en"), random.Random(seed))
    assert spoilt[0].isupper()
    assert spoilt[-1] == "."
    assert "The " not in spoilt[1:], "no capital of the beginning elsewhere"


@pytest.mark.parametrize("text", ["", "Too short", "One two three", "…", "— — — —"])
def test_what_cannot_be_spoilt_is_left_alone(text: str) -> None:
    for seed in range(20):
        assert spoil(text, "en", Vocabulary(faults_data.Lexicon()), random.Random(seed)) == (text, [])


def test_words_with_the_same_translation_replace_each_other_and_forms_of_one_word_do_not() -> None:
    found = senses(*dictionaries(PAIRS))
    assert "Gebäude" in found["haus"]
    assert "Haus" in found["gebäude"]
    assert all(other.lower() != word for word, others in found.items() for other in others)
    assert senses(*dictionaries([])) == {}


def test_a_word_that_changes_place_takes_no_marks_along() -> None:
    draft = Draft("Yes, we can do it.", "en", Vocabulary(faults_data.Lexicon()), random.Random(1))
    draft.items = draft.items[::-1]
    assert draft.text()[0] == "It, do can we Yes."


def test_what_is_typed_in_a_hurry_has_neither_capitals_nor_marks() -> None:
    assert bare("Yes; it’s true, I think!", "en") == "yes it’s true i think"
    assert bare("IŞIKLAR, yandı.", "tr") == "ışıklar yandı"


def test_a_unit_has_the_sentence_as_it_is_and_spoilt() -> None:
    for seed in range(40):
        unit = faults_data._unit(TEXTS["en"], "en", vocabulary("en"), random.Random(seed))
        if unit:
            whole, *others = unit
            assert whole.spans == []
            assert others
            assert all(post.spans and post.machine == 1 and post.text != whole.text for post in others)


def test_sentences_that_are_kept_from_training_are_in_no_unit_of_it() -> None:
    names = ["".join(letters) for letters in product("abcdefghij", repeat=3)]
    pool = [TEXTS["en"].replace("two", name) for name in names]
    materials = {"en": faults_data.Material({"sets": pool}, vocabulary("en"), {})}
    seen = {}
    for held in (True, False):
        posts = [post for _, post in faults_data.drawn(materials, 600, 1, held=held)]
        seen[held] = {post.text for post in posts if not post.spans} & set(pool)
        assert 0 < sum(not post.spans for post in posts) <= sum(bool(post.spans) for post in posts)
    assert seen[True]
    assert len(seen[False]) > 100
    assert not seen[True] & seen[False]


def test_dictionary_forms_are_faulty_and_so_is_a_word_behind_one_that_is_missing() -> None:
    words = Vocabulary.learn(
        [TEXTS["ru"], "Министр страны подписать соглашение в столица и в столице."] * 3, "ru"
    )
    draft = Draft(TEXTS["ru"], "ru", words, random.Random(0))
    draft.plain(1.0, 0.0)
    text, spans = draft.text()
    assert text.startswith("Министр два страна встретиться в столица и подписать")
    assert "Министр" in [text[a:b] for a, b in spans]
    assert "и" not in [text[a:b] for a, b in spans]
    draft = Draft(TEXTS["ru"], "ru", words, random.Random(0))
    draft.plain(0.0, 1.0)
    text, spans = draft.text()
    assert text == "Министры стран встретились столице подписали новое соглашение торговле."
    assert [text[a:b] for a, b in spans] == ["стран", "столице", "подписали", "торговле"]


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A base of two layers with the pieces of the encoder that ships, and some units."""
    import torch
    from safetensors.torch import save_file
    from tokenizers import Tokenizer
    from transformers import BertConfig, BertModel

    torch.manual_seed(0)
    tokenizer = ROOT / "models" / "embedded" / "encoder" / "tokenizer.json"
    size = Tokenizer.from_file(str(tokenizer)).get_vocab_size()
    config = {
        "model_type": "bert", "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4,
        "intermediate_size": 64, "vocab_size": size, "max_position_embeddings": 160, "type_vocab_size": 2,
        "layer_norm_eps": 1e-12, "pad_token_id": 1, "hidden_act": "gelu",
    }  # fmt: skip
    base = tmp_path / "run" / "base"
    base.mkdir(parents=True)
    body = BertModel(BertConfig(**config), add_pooling_layer=False)
    save_file(
        {name: value.contiguous() for name, value in body.state_dict().items()}, base / "model.safetensors"
    )
    (base / "config.json").write_text(json.dumps(config))
    (base / "tokenizer.json").write_bytes(tokenizer.read_bytes())
    posts: list[tuple[int, Post]] = []
    for unit in range(120):
        language = ("en", "ru", "ja")[unit % 3]
        made = faults_data._unit(TEXTS[language], language, vocabulary(language), random.Random(unit))
        posts += [(unit, post) for post in made]
    for name, own in ("train", posts), ("dev", posts[:60]):
        pack(own, Tokenizer.from_file(str(tokenizer)), 96).save(tmp_path / "run" / name)
    return tmp_path


def test_layers_are_trained_go_on_and_ship(run: Path) -> None:
    def command(*words: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "scripts.training.faults", *words], cwd=ROOT, capture_output=True,
            encoding="utf-8", timeout=300,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    out = str(run / "run")
    for steps in ("2", "4"):
        said = command("train", "--out", out, "--layers", "2", "--steps", steps, "--batch-tokens", "400")
    assert '"step": 4' in said
    assert '"step": 2' not in said, "it went on"
    models = run / "models"
    folder = models / "embedded" / "encoder"
    folder.mkdir(parents=True)
    (models / "registry.toml").write_text("")
    np.savez(
        folder / "heads.npz", machine=np.zeros(96), machine_bias=np.zeros(1), translated=np.zeros(64),
        translated_bias=np.zeros(1),
    )  # fmt: skip
    command("ship", "--out", out, "--models", str(models), "--note", "It was a trial.")
    heads = Heads.load(folder / "heads.npz")
    odds = heads.order(np.ones((3, 32), np.float32))
    assert odds is not None
    assert odds.shape == (3,)
    assert "which has the scores. It was a trial." in (folder / "faults" / "README.md").read_text()

    import ctranslate2

    stack = ctranslate2.Encoder(str(folder / "faults"), compute_type="float32")
    hidden = stack.forward_batch([[0, 40, 41, 2]]).last_hidden_state
    assert np.array(hidden).shape == (1, 4, 32)


def test_the_versions_of_a_sentence_stay_together(run: Path) -> None:
    data = Pack.load(run / "run" / "train")
    for unit in np.unique(data.unit):
        rows = np.flatnonzero(data.unit == unit)
        assert (np.diff(rows) == 1).all()
        assert not (data.faults[data.starts[rows[0]] : data.starts[rows[0] + 1]] == 1).any()


@given(seed=st.integers(0, 1000), language=st.sampled_from(sorted(TEXTS)))
def test_typed_in_a_chat_a_sentence_keeps_its_words(seed: int, language: str) -> None:
    text = TEXTS[language]
    typed = chatty(text, language, random.Random(seed))
    assert typed.rstrip(".!。").casefold() == text.rstrip(".。").casefold()


@pytest.mark.parametrize("language", ["en", "ja"])
@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_blanks_stay_where_they_are(language: str, seed: int) -> None:
    text = {"en": "Prices (of bread)  rose - again.", "ja": "Windows 11 を New York で、使いました。"}[
        language
    ]
    draft = Draft(text, language, vocabulary(language), random.Random(seed))
    assert draft.text() == (text, [])
    draft.shuffle()
    made, _ = draft.text()
    assert [place for place, sign in enumerate(made) if sign == " "] or language == "en"
    assert made.count(" ") == text.count(" ")


def test_a_calque_has_the_order_of_its_source() -> None:
    there = {"habe": [("have", 1.0)], "haus": [("house", 0.9), ("home", 0.1)], "gekauft": [("bought", 1.0)]}
    known = Vocabulary(Lexicon(), {}, there)
    draft = Draft("Ich habe gestern das alte Haus gekauft.", "de", known, random.Random(0))
    draft.follow("I have bought the old house.")
    assert draft.text() == ("Ich habe gestern das alte gekauft Haus.", [(26, 33)])
    draft.follow("")
    assert draft.text()[0] == "Ich habe gestern das alte gekauft Haus."


@pytest.mark.slow
def test_one_stack_learns_what_two_say(run: Path) -> None:
    """Layers for faulty words are trained, then with a teacher beside them that says something else."""
    import torch
    from tokenizers import Tokenizer

    from checker.models.encoder import Encoder
    from scripts.training.encoder import Encoder as Trained
    from scripts.training.encoder_ship import write
    from scripts.training.joint import best_map, teacher_of

    def command(name: str, *words: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", f"scripts.training.{name}", *words], cwd=ROOT, capture_output=True,
            encoding="utf-8", timeout=300,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    out, teacher = run / "run", run / "teacher"
    torch.manual_seed(3)
    other = Trained.load(out / "base", 2)
    for name, value in other.named_parameters():
        if "encoder.layer" in name or name.startswith("head_"):
            value.data += 0.2 * torch.randn_like(value)
    write(other, out / "base", teacher, np.arange(other.body.config.vocab_size), 160)
    command("faults", "train", "--out", str(out), "--layers", "2", "--steps", "2", "--batch-tokens", "400")
    tokenizer = Tokenizer.from_file(str(out / "base" / "tokenizer.json"))
    posts = [
        (
            number,
            Post(
                f"{TEXTS['ru']} {number}", "ru", number % 2, 1,
                about={"family": "f", "kind": ("native", "machine")[number % 2]},
            ),
        )
        for number in range(60)
    ]  # fmt: skip
    for name in "train", "held":
        pack(posts, tokenizer, 96).save(run / "posts" / name)
    words = ["--faults", str(out), "--packs", str(run / "posts"), "--teacher", str(teacher)]
    words += ["--batch-tokens", "400"]

    def left(said: str) -> dict[str, float]:
        """How much of the variance each map leaves to begin with."""
        lines = [line.split(": the map leaves ") for line in said.splitlines() if "the map leaves" in line]
        return {name: float(rest.split()[0]) for name, rest in lines}

    alone = left(command("joint", *words, "--out", str(run / "alone"), "--mean", "0", "--steps", "0"))
    said = command("joint", *words, "--out", str(run / "joint"), "--steps", "4")
    assert '"step": 4' in said
    assert left(said)["translations"] < 0.8 * alone["translations"], "the mean says some of what it says"
    assert alone["faulty words"] < 0.01 < left(said)["faulty words"], "at first it is that stack"
    record = json.loads((run / "joint" / "training.json").read_text())["last"]
    assert {"faulty_words", "machine_agreement", "translated_agreement"} <= set(record)
    command("joint", *words, "--out", str(run / "more"), "--begin", str(run / "joint"), "--steps", "2")
    before, after = (
        torch.load(run / name / "model.pt", weights_only=True)["model"]["to_teacher.weight"]
        for name in ("joint", "more")
    )
    assert before.shape == (32, 32)
    assert not torch.equal(before, after)

    ids = torch.tensor([tokenizer.encode(TEXTS["ru"]).ids])
    ones, known = torch.ones_like(ids), teacher_of(out / "base", teacher)
    (teacher / "faults").symlink_to(teacher / "ctranslate2")
    [found] = Encoder(teacher, teacher / "ctranslate2", "x", device="cpu").read([TEXTS["ru"]])
    with torch.no_grad():
        vectors = known.vectors(ids, ones)[0].numpy()
        assert vectors == pytest.approx(found.vectors, abs=1e-3)
        assert vectors == pytest.approx(other.eval().vectors(ids, ones)[0].numpy(), abs=0.1), "8 bits apart"
    assert torch.equal(known.head_machine.weight, other.head_machine.weight)

    one = torch.randn(500, 6)
    weight, bias, remains = best_map(one, one @ torch.ones(6, 3) * 2 + 1)
    assert weight.numpy() == pytest.approx(2, abs=1e-2)
    assert bias.numpy() == pytest.approx(1, abs=1e-2)
    assert remains < 1e-3
