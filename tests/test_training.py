"""Shared parts of the training scripts: the loss, how languages are drawn, a start from an earlier model."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import regex
import tiny_models

from scripts.training.ship import ship


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_loss_and_gradients_are_those_of_torch(smoothing: float) -> None:
    import torch

    from scripts.training.loop import linear_cross_entropy

    generator = torch.Generator().manual_seed(1)
    hidden = torch.randn(3, 200, 32, generator=generator)
    weight = 0.1 * torch.randn(90, 32, generator=generator)
    labels = torch.randint(0, 90, (3, 200), generator=generator)
    labels[:, 150:] = -100
    found = []
    for fused in (True, False):
        rows, table = hidden.clone().requires_grad_(), weight.clone().requires_grad_()
        if fused:
            loss = linear_cross_entropy(rows, table, labels, smoothing)
        else:
            logits = (rows @ table.t()).flatten(0, 1)
            loss = torch.nn.functional.cross_entropy(logits, labels.flatten(), label_smoothing=smoothing)
        (2 * loss).backward()
        assert rows.grad is not None
        assert table.grad is not None
        found.append((loss.detach(), rows.grad, table.grad))
    for ours, theirs in zip(*found, strict=True):
        assert float((ours - theirs).norm() / theirs.norm()) < 0.01  # products in bfloat16
    assert not found[0][1][:, 150:].any()


def test_no_label_no_loss() -> None:
    import torch

    from scripts.training.loop import linear_cross_entropy

    hidden = torch.randn(1, 4, 8, requires_grad=True)
    loss = linear_cross_entropy(hidden, torch.randn(9, 8), torch.full((1, 4), -100))
    loss.backward()
    assert loss.item() == 0.0
    assert hidden.grad is not None
    assert not hidden.grad.any()


def test_small_languages_are_repeated_and_the_largest_comes_once() -> None:
    from scripts.training.translator import shares

    sizes = np.array([100.0, 10000.0])
    assert shares(sizes, 1.0) == pytest.approx([1, 1])
    assert shares(sizes, 0.5) == pytest.approx([10, 1])
    assert shares(sizes, 0.0) == pytest.approx([100, 1])


def test_training_goes_on_from_a_translator_as_it_ships(tmp_path: Path) -> None:
    from transformers import MarianConfig, MarianMTModel, MarianTokenizer

    from scripts.training.translator import start_from

    shipped = Path(__file__).parent.parent / "models" / "embedded" / "translator"  # in 8 bits, by CTranslate2
    tokenizer = MarianTokenizer.from_pretrained(shipped)
    model = MarianMTModel(MarianConfig.from_pretrained(shipped))
    before = model.get_parameter("model.encoder.layers.0.fc1.weight").detach().clone()
    assert start_from(model, tokenizer, shipped) == len(tokenizer.get_vocab())
    assert not before.equal(model.get_parameter("model.encoder.layers.0.fc1.weight"))


def test_a_new_vocabulary_starts_from_the_pieces_that_are_known(tmp_path: Path) -> None:
    import torch
    from transformers import MarianConfig, MarianMTModel, MarianTokenizer

    from scripts.training.translator import start_from, train_tokenizer

    old = tiny_models.toy_marian()
    pairs = {"ru": (tiny_models.toy_pairs(500, seed=3), []), "uk": (tiny_models.toy_pairs(500, seed=4), [])}
    tokenizer = train_tokenizer(pairs, tmp_path, size=150)
    config = MarianConfig.from_pretrained(old)
    config.vocab_size = config.decoder_vocab_size = len(tokenizer)
    config.pad_token_id = config.decoder_start_token_id = tokenizer.pad_token_id
    model = MarianMTModel(config)
    shared = start_from(model, tokenizer, old)

    before = MarianMTModel.from_pretrained(old, dtype=torch.float32)
    known = MarianTokenizer.from_pretrained(old).get_vocab()
    both = [piece for piece in tokenizer.get_vocab() if piece in known]
    assert shared == len(both) > 50
    for piece in both:
        ours = model.get_parameter("model.shared.weight")[tokenizer.get_vocab()[piece]]
        assert torch.equal(ours, before.get_parameter("model.shared.weight")[known[piece]])
    name = "model.encoder.layers.0.fc1.weight"
    assert torch.equal(model.get_parameter(name), before.get_parameter(name))


def test_weights_ship_once(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "model").symlink_to(tiny_models.toy_marian())
    assert (tmp_path / "run" / "model" / "model.safetensors").exists()
    for _ in range(2):  # also where an earlier model is
        size = ship(tmp_path / "run", tmp_path / "shipped")
        assert (tmp_path / "shipped" / "ctranslate2" / "model.bin").exists()
        assert (tmp_path / "shipped" / "source.spm").exists()
        assert not list((tmp_path / "shipped").glob("*.safetensors"))
        assert size > 0


def test_paths_do_not_reach_the_training_record(tmp_path: Path) -> None:
    from scripts.training.loop import write_record

    write_record(tmp_path, {"out": tmp_path, "seed": 1}, {"step": 2})
    assert str(tmp_path) not in (tmp_path / "training.json").read_text()


def test_translations_made_here_are_labelled_lines_and_are_kept(tmp_path: Path) -> None:
    from checker.models import Store
    from scripts.training.made import FAMILIES, made

    lines = ["The bridge is closed.", "The ferry goes on Friday.", "The bridge is closed."]
    rows = {
        "text": lines, "label": "human", "origin": "original", "system": "author", "source_lang": "en",
        "testset": "wmt21", "line": range(3), "split": ["dev", "dev", "dev"],
    }  # fmt: skip
    (tmp_path / "labelled").mkdir()
    pd.DataFrame(rows).to_parquet(tmp_path / "labelled" / "en.parquet")
    store, folder = Store(), tmp_path / "kept"
    found = made(tmp_path, store, "ru", folder)
    assert found["line"].tolist() == [0, 1]  # what is written twice is translated once
    assert all(regex.search(r"\p{Cyrillic}", text) for text in found["text"])
    assert set(found["testset"]) == {FAMILIES["marian"]}
    assert set(found["label"]) == {"machine"}
    (tmp_path / "labelled" / "en.parquet").unlink()
    assert made(tmp_path, store, "ru", folder).equals(found)
    found.assign(system="older").to_parquet(folder / "ru.parquet")
    with pytest.raises(FileNotFoundError):  # made again, for which the corpora are needed
        made(tmp_path, store, "ru", folder)
    assert made(tmp_path, store, "el").empty
