"""Real translation models small enough to be built inside a test run.

``toy_marian`` is trained for some seconds, through the tokenizer and the batches of
``scripts/training/translator.py``, on a language of a few dozen words that are translated one by one. Its
translations are therefore known, and it has the files of every Marian that the project trains or
downloads. ``random_m2m100`` has random weights: enough to compare two engines.

The folders are kept in the temporary directory under a name that follows the recipe, so that the
test processes of one machine build each model once.
"""

from __future__ import annotations

import functools
import hashlib
import json
import random
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from checker.models import Model

TRAINER = Path(__file__).parents[1] / "scripts" / "training" / "translator.py"

NOUNS = {
    "bridge": "мост", "garden": "сад", "soldier": "солдат", "river": "река", "city": "город",
    "market": "рынок", "engineer": "инженер", "doctor": "врач", "school": "школа", "train": "поезд",
    "minister": "министр", "harbour": "порт", "village": "деревня", "letter": "письмо", "road": "дорога",
}  # fmt: skip
ADJECTIVES = {
    "old": "старый", "new": "новый", "quiet": "тихий", "large": "большой", "green": "зелёный",
    "northern": "северный", "closed": "закрытый", "empty": "пустой",
}  # fmt: skip
VERBS = {
    "sees": "видит", "builds": "строит", "leaves": "покидает", "guards": "охраняет", "repairs": "чинит",
}  # fmt: skip
ADVERBS = {"today": "сегодня", "slowly": "медленно", "again": "снова", "tonight": "вечером"}

TOY_MARIAN = Model(
    id="tests/toy-marian", profile="embedded", task="translation", family="marian", licence="Apache-2.0",
    pairs=(("en", "ru"), ("ru", "en")), target_tags={"en": ">>en<<", "ru": ">>ru<<"}, revision="1.0.0",
)  # fmt: skip
RANDOM_M2M100 = Model(
    id="tests/random-m2m100", profile="hub", task="translation", family="m2m100", licence="Apache-2.0",
    languages=("en", "fa", "ru"), revision="1.0.0",
)  # fmt: skip


def toy_pairs(count: int, seed: int) -> list[tuple[str, str]]:
    """Distinct English-Russian pairs of the toy language, word for word."""
    rng = random.Random(seed)

    def phrase() -> list[tuple[str, str]]:
        adjective = [rng.choice(list(ADJECTIVES.items()))] if rng.random() < 0.6 else []
        return [*adjective, rng.choice(list(NOUNS.items()))]

    pairs: dict[tuple[str, str], None] = {}
    while len(pairs) < count:
        words = [*phrase(), rng.choice(list(VERBS.items())), *phrase()]
        if rng.random() < 0.5:
            words.append(rng.choice(list(ADVERBS.items())))
        english, russian = (" ".join(side).capitalize() + "." for side in zip(*words, strict=True))
        pairs[english, russian] = None
    return list(pairs)


@functools.cache
def toy_marian() -> Path:
    """A Marian that translates the toy language in both directions, ``>>ru<<`` tags included."""
    return _built("toy-marian", _train_toy_marian)


@functools.cache
def random_m2m100() -> Path:
    """An M2M100 of random weights over the words of the toy language."""
    return _built("random-m2m100", _write_random_m2m100)


def _built(name: str, build: Callable[[Path], None]) -> Path:
    recipe = Path(__file__).read_bytes() + TRAINER.read_bytes()
    digest = hashlib.sha256(recipe).hexdigest()[:12]
    folder = Path(tempfile.gettempdir()) / f"statement-checker-{name}-{digest}"
    if not folder.exists():
        draft = Path(tempfile.mkdtemp(prefix=f"{folder.name}-", dir=folder.parent))
        build(draft)
        try:
            draft.rename(folder)
        except OSError:  # another process was faster
            shutil.rmtree(draft)
    return folder


def _train_toy_marian(folder: Path) -> None:
    import numpy as np
    import torch
    from transformers import MarianConfig, MarianMTModel

    from scripts.training.translator import collate, encode, train_tokenizer

    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # matrices this small are slower on two
    torch.manual_seed(1)
    pairs = {"ru": (toy_pairs(3000, seed=1), toy_pairs(10, seed=2))}
    tokenizer = train_tokenizer(pairs, folder, size=195)
    sources, targets, _ = encode(pairs, folder, 0)
    pad = tokenizer.pad_token_id
    model = MarianMTModel(
        MarianConfig(
            vocab_size=pad + 1, d_model=64, encoder_layers=1, decoder_layers=1, encoder_attention_heads=2,
            decoder_attention_heads=2, encoder_ffn_dim=128, decoder_ffn_dim=128, dropout=0.0,
            pad_token_id=pad, eos_token_id=0, decoder_start_token_id=pad, forced_eos_token_id=0,
            max_position_embeddings=512, scale_embedding=True, share_encoder_decoder_embeddings=True,
            tie_word_embeddings=True,
        )
    ).train()  # fmt: skip
    steps, size = 600, 64
    optimiser = torch.optim.AdamW(model.parameters(), lr=5e-3, betas=(0.9, 0.98))
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 5e-3, total_steps=steps)
    rng = np.random.default_rng(1)
    for _ in range(steps):
        batch = collate(sources, targets, rng.choice(len(sources), size, replace=False), pad)
        labels = batch.pop("labels")
        logits = model(**batch, use_cache=False).logits[..., :-1]
        loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), labels.flatten())
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        schedule.step()
        with torch.no_grad():
            model.get_parameter("model.shared.weight")[pad].zero_()
    torch.set_num_threads(threads)
    model.half().save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def _write_random_m2m100(folder: Path) -> None:
    import sentencepiece
    import torch
    from transformers import M2M100Config, M2M100ForConditionalGeneration, M2M100Tokenizer

    torch.manual_seed(1)
    sides = [side for pair in toy_pairs(500, seed=1) for side in pair]
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(sides), model_prefix=str(folder / "sentencepiece.bpe"), vocab_size=160,
        model_type="bpe", minloglevel=2,
    )  # fmt: skip
    (folder / "sentencepiece.bpe.vocab").unlink()
    spm = sentencepiece.SentencePieceProcessor(str(folder / "sentencepiece.bpe.model"))
    pieces = [spm.id_to_piece(number) for number in range(3, spm.get_piece_size())]
    vocab = {piece: number for number, piece in enumerate(["<s>", "<pad>", "</s>", "<unk>", *pieces])}
    (folder / "vocab.json").write_text(json.dumps(vocab, ensure_ascii=False), encoding="utf-8")
    tokenizer = M2M100Tokenizer(str(folder / "vocab.json"), str(folder / "sentencepiece.bpe.model"))
    model = M2M100ForConditionalGeneration(
        M2M100Config(
            vocab_size=len(vocab) + len(tokenizer.lang_code_to_id) + tokenizer.num_madeup_words, d_model=32,
            encoder_layers=1, decoder_layers=1, encoder_attention_heads=2, decoder_attention_heads=2,
            encoder_ffn_dim=64, decoder_ffn_dim=64, max_position_embeddings=1024, dropout=0.0, init_std=0.3,
        )
    )  # fmt: skip
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
