"""What `scripts.bench.speed` measures with: any number of posts, and a translator of OPUS-MT's size."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Iterator
from pathlib import Path

from checker.models import Store
from checker.models.lock import LockedModel, lock_file, write_lock
from checker.models.weights import network
from scripts.bench.examples import examples
from scripts.command import ROOT

EMBEDDED = ROOT / "models" / "embedded"
SENTENCES = 3  # of a post
_PIECES = 32_000  # of the vocabulary: with 512 dimensions and twelve layers that is 61 million parameters

_REGISTRY = """
[[model]]
id = "random/opus-mt"
profile = "hub"
task = "translation"
family = "marian"
pairs = ["ru-en", "en-ru"]
target_tags = { ru = ">>ru<<", en = ">>en<<" }
licence = "Apache-2.0"

[[model]]
id = "random/fluency"
profile = "hub"
task = "language-model"
family = "causal-lm"
languages = ["ru", "en"]
licence = "Apache-2.0"
"""


def posts(languages: list[str], count: int) -> Iterator[str]:
    """Distinct posts of three sentences of 3 to 60 words, from the words of examples/posts.jsonl.

    Args:
        languages: of the example posts to take words from, in turn; those written with spaces.
        count: how many posts.
    """
    pure = [post for post in examples() if "mixed" not in post["id"]]
    words = {
        code: " ".join(post["text"] for post in pure if post["id"].startswith(f"{code}-"))
        for code in languages
    }
    rng = random.Random(1)
    for number in range(count):
        source = words[languages[number % len(languages)]].split()
        text = []
        for _ in range(SENTENCES):
            length = max(3, min(60, round(rng.lognormvariate(2.5, 0.5))))
            start = rng.randrange(len(source))
            span = [source[(start + n) % len(source)].strip(".!?:…") for n in range(length)]
            text.append(" ".join([*span, str(rng.randrange(10_000))]).capitalize() + ".")
        yield " ".join(text)


def random_store(folder: Path) -> Store:
    """A store whose hub profile is a Marian of random weights that writes until it is stopped.

    It has the size and the shape of an OPUS-MT model (61 million parameters, six layers on either side), and
    the vocabulary of the embedded translator, filled up. The language model is the embedded one.
    """
    from transformers import AutoModelForCausalLM

    folder.mkdir(parents=True, exist_ok=True)
    home, commit = folder / "home", "0" * 40
    (folder / "registry.toml").write_text(_REGISTRY)
    if not (folder / "embedded").exists():
        (folder / "embedded").symlink_to(EMBEDDED)
        translator = home / "models" / "random--opus-mt" / commit
        fluency = home / "models" / "random--fluency" / commit
        _write_random_marian(translator)
        shutil.copytree(EMBEDDED / "fluency", fluency, ignore=shutil.ignore_patterns("ctranslate2", "*.md"))
        network(AutoModelForCausalLM, EMBEDDED / "fluency").save_pretrained(fluency)
        models = {"random/opus-mt": translator, "random/fluency": fluency}
        locked = {
            name: LockedModel(revision=commit, files={p.name: lock_file(p) for p in path.iterdir()})
            for name, path in models.items()
        }
        write_lock(home / "models.lock", locked)
    return Store(folder / "registry.toml", home)


def _write_random_marian(folder: Path) -> None:
    import torch
    from transformers import GenerationConfig, MarianConfig, MarianMTModel

    source = EMBEDDED / "translator"
    folder.mkdir(parents=True)
    for name in "source.spm", "target.spm":
        shutil.copy(source / name, folder)
    vocabulary = json.loads((source / "vocab.json").read_text(encoding="utf-8"))
    old, known = vocabulary.pop("<pad>"), len(vocabulary) - 1
    vocabulary |= {f"unused{number}": number for number in range(known + 1, _PIECES)}
    vocabulary["<pad>"] = _PIECES
    (folder / "vocab.json").write_text(json.dumps(vocabulary, ensure_ascii=False), encoding="utf-8")
    settings = (source / "tokenizer_config.json").read_text(encoding="utf-8")
    (folder / "tokenizer_config.json").write_text(settings.replace(f'"{old}"', f'"{_PIECES}"'))
    torch.manual_seed(1)
    model = MarianMTModel(
        MarianConfig(
            vocab_size=_PIECES + 1, d_model=512, encoder_layers=6, decoder_layers=6,
            encoder_attention_heads=8, decoder_attention_heads=8, encoder_ffn_dim=2048, decoder_ffn_dim=2048,
            pad_token_id=_PIECES, eos_token_id=0, bos_token_id=None, decoder_start_token_id=_PIECES,
            forced_eos_token_id=None, max_position_embeddings=512, scale_embedding=True,
            activation_function="swish", share_encoder_decoder_embeddings=True, tie_word_embeddings=True,
        )
    )  # fmt: skip
    with torch.no_grad():  # no end of sentence, no tag, no unused piece is ever written
        model.final_logits_bias[0, [0, 1]] = -1e4
        model.final_logits_bias[0, known - 1 :] = -1e4
    model.generation_config = GenerationConfig(
        decoder_start_token_id=_PIECES, pad_token_id=_PIECES, eos_token_id=0, max_length=512
    )
    model.save_pretrained(folder)
