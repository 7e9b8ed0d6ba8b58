"""Train one stack of layers that says what both stacks of the encoder say: half the time for each sentence.

    python -m scripts.training.joint --faults runs/faults --packs runs/encoder --out runs/joint --minutes 90

There are two stacks: one finds faulty words (``--faults``, a run of `scripts.training.faults`), one was
trained to tell translations (``--teacher``, the encoder that ships). Both come from one base, so their mean,
at which these layers begin, says much of what either says (Wortsman et al. 2022, arXiv 2203.05482). Then they
learn the rest: linear maps from their vectors must give the vectors of the first on sentences and of the
second on sentences and posts, and what its heads say (Hinton et al. 2015, arXiv 1503.02531; hidden states as
targets: Jiao et al. 2020, TinyBERT). They also go on learning which words are faulty.

``--begin`` goes on from another run of this script, with a share of the teacher (``--mean``) once more. The
sentences are those of ``--faults``. ``--packs`` has posts of people and of machines in the same pieces:
``scripts.training.encoder pack`` into a folder whose ``base`` is that of ``--faults``. Nothing ships yet.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from checker.models.weights import CONVERTED, read
from scripts.command import command
from scripts.training.encoder import Encoder, family_table
from scripts.training.encoder_data import Pack, batches
from scripts.training.faults import areas, of_rows
from scripts.training.faults import losses as fault_losses
from scripts.training.loop import Batch, add_options, attention, begin, fit, write_record

HEADS = ("translated", "machine")
"""Heads of the teacher."""

HELD = 2500
"""Posts of families held out that are scored at every checkpoint."""


def weights_of(folder: Path) -> dict[str, torch.Tensor]:
    """The weights of a converted encoder by the names of ``BertModel``; embeddings included."""
    arrays = read(folder / CONVERTED / "model.bin")
    found: dict[str, npt.NDArray[Any]] = {}
    for variable, array in arrays.items():
        name = variable.replace("gamma", "weight").replace("beta", "bias")
        match name.split("/"):
            case ["encoder", "embeddings_0", "weight"]:
                found["embeddings.word_embeddings.weight"] = array
            case ["encoder", "position_encodings", "encodings"]:
                found["embeddings.position_embeddings.weight"] = array
            case ["encoder", "layernorm_embedding", end]:
                found[f"embeddings.LayerNorm.{end}"] = array
            case ["encoder", layer, "self_attention", "linear_0", end]:
                owner = f"encoder.layer.{layer.removeprefix('layer_')}.attention.self"
                for part, piece in zip(("query", "key", "value"), np.split(array, 3), strict=True):
                    found[f"{owner}.{part}.{end}"] = piece
            case ["encoder", layer, *path, end] if layer.startswith("layer_"):
                module = {
                    "self_attention/linear_1": "attention.output.dense",
                    "self_attention/layer_norm": "attention.output.LayerNorm",
                    "ffn/linear_0": "intermediate.dense",
                    "ffn/linear_1": "output.dense",
                    "ffn/layer_norm": "output.LayerNorm",
                }.get("/".join(path))
                if module is not None:
                    found[f"encoder.layer.{layer.removeprefix('layer_')}.{module}.{end}"] = array
    return {name: torch.from_numpy(np.ascontiguousarray(array)) for name, array in found.items()}


def teacher_of(base: Path, folder: Path) -> Encoder:
    """The stack that was trained to tell translations, with its heads.

    Args:
        base: folder with the configuration.
        folder: that `scripts.training.encoder_ship` wrote.
    """
    stored = weights_of(folder)
    layers = len({name.split(".")[2] for name in stored if name.startswith("encoder.layer.")})
    made = Encoder(json.loads((base / "config.json").read_text()), layers, 0.0, attention())
    state = made.body.state_dict()
    for name, value in stored.items():
        state[name][: len(value)] = value  # positions beyond those that ship are never read
    state["embeddings.token_type_embeddings.weight"].zero_()  # that of a token is in its position
    made.body.load_state_dict(state)
    with np.load(folder / "heads.npz") as heads:
        for name in ("machine", "translated"):
            head = getattr(made, f"head_{name}")
            head.weight.data[0] = torch.from_numpy(heads[name])
            head.bias.data[:] = torch.from_numpy(heads[f"{name}_bias"])
    return made.eval().requires_grad_(False)


class Joint(Encoder):
    """Layers with a head for faulty words, and maps to the vectors of the teacher and of what finds them."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        width = self.body.config.hidden_size
        self.to_teacher = nn.Linear(width, width)
        self.to_finder = nn.Linear(width, width)

    @classmethod
    def of_run(cls, base: Path, run: Path) -> Joint:
        """The layers of a run of this script or of `scripts.training.faults`, which has no maps.

        Args:
            base: folder with the configuration.
            run: folder with ``model.pt``.

        Raises:
            ValueError: the run lacks weights.
        """
        state = torch.load(run / "model.pt", map_location="cpu", weights_only=True)
        made = cls(json.loads((base / "config.json").read_text()), state["layers"], 0.0, attention())
        missing, _ = made.load_state_dict(state["model"], strict=False)
        if lacking := [name for name in missing if not name.startswith("to_")]:
            raise ValueError(f"{run} lacks {lacking}")
        return made

    def mapped(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """What the vectors of the teacher would be; (posts, tokens, width)."""
        found: torch.Tensor = self.to_teacher(self.vectors(ids, mask))
        return found


@torch.no_grad()
def said(
    teacher: Encoder,
    vectors: Callable[[torch.Tensor, torch.Tensor], torch.Tensor],
    posts: Pack,
    rows: npt.NDArray[np.int64],
) -> dict[str, npt.NDArray[np.float32]]:
    """Log-odds of posts by the heads of the teacher.

    Args:
        teacher: with its heads.
        vectors: those of pieces, from their numbers and their mask.
        posts, rows: a pack, and which posts of it.
    """
    device = next(teacher.parameters()).device
    found = {name: np.zeros(len(rows), np.float32) for name in HEADS}
    order = np.argsort(posts.lengths[rows], kind="stable")
    for start in range(0, len(order), 32):
        part = order[start : start + 32]
        batch = of_rows(posts, rows[part])
        ids, mask = batch["ids"].to(device), batch["mask"].to(device)
        for name, each in zip(HEADS, teacher.said(vectors(ids, mask), mask)[:2], strict=True):
            found[name][part] = each[: len(part)].cpu().numpy()
    return found


def best_map(one: torch.Tensor, other: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, float]:
    """The linear map from some vectors to others that leaves least; its bias; the share that it leaves."""
    padded = torch.cat([one, torch.ones(len(one), 1)], 1)
    found = torch.linalg.solve(padded.T @ padded + 1e-2 * torch.eye(padded.shape[1]), padded.T @ other)
    left = ((padded @ found - other) ** 2).mean(0) / other.var(0)
    return found[:-1].T.contiguous(), found[-1], float(left.mean())


def train(args: argparse.Namespace) -> None:
    """Write ``checkpoint.pt`` and ``model.pt``."""
    begin(args)
    base = args.faults / "base"
    sentences, dev = Pack.load(args.faults / "train"), Pack.load(args.faults / "dev")
    posts, held = Pack.load(args.packs / "train"), Pack.load(args.packs / "held")
    teacher = teacher_of(base, args.teacher)
    finder = Joint.of_run(base, args.faults).eval().requires_grad_(False)
    model = Joint.of_run(base, args.begin or args.faults)
    size = model.body.config.vocab_size
    for pack in posts, held:
        if pack.ids.max() >= size:
            raise SystemExit(f"{args.packs} has other pieces than {base}: pack the posts with that base")
    spread = []
    with torch.no_grad():
        for ours, theirs in zip(model.body.parameters(), teacher.body.parameters(), strict=True):
            ours.lerp_(theirs, args.mean)
        for name, own, other, texts in (
            ("translations", model.to_teacher, teacher, posts),
            ("faulty words", model.to_finder, finder, sentences),
        ):
            pairs = []
            for rows in batches(texts, args.batch_tokens, 99)[:12]:
                batch = of_rows(texts, rows)
                shown = batch["mask"].bool()
                pairs.append([one.vectors(batch["ids"], batch["mask"])[shown] for one in (model, other)])
            first, second = (torch.cat(part) for part in zip(*pairs, strict=True))
            own.weight.data, own.bias.data, left = best_map(first, second)
            spread.append(second.var(0))
            print(f"{name}: the map leaves {left:.3f} of the variance", flush=True)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    teacher, finder = teacher.to(device), finder.to(device)
    of_texts, of_words = (variance.to(device) for variance in spread)

    def epoch_of(epoch: int) -> Iterator[Batch]:
        """A batch of sentences, a batch of posts, in turn."""
        number = 0
        of_posts: list[npt.NDArray[np.int64]] = []
        for rows in batches(sentences, args.batch_tokens, args.seed + epoch):
            yield of_rows(sentences, rows) | {"spoilt": torch.ones(1)}
            if not of_posts:
                of_posts = batches(posts, args.batch_tokens, args.seed + 1000 * epoch + number)[::-1]
                number += 1
            batch = of_rows(posts, of_posts.pop())
            batch["labels"] = torch.where(batch["mask"] == 1, 0, -100)  # every piece counts as read
            yield batch | {"spoilt": torch.zeros(1)}

    def loss(model: nn.Module, batch: Batch) -> torch.Tensor:
        """What tells translations, and its heads; of sentences also which words are faulty."""
        assert isinstance(model, Joint)
        ids, mask = batch["ids"], batch["mask"]
        hidden = model.vectors(ids, mask)
        shown = mask.bool()
        mapped = model.to_teacher(hidden).float()
        with torch.no_grad():
            wanted = teacher.vectors(ids, mask)
        total: torch.Tensor = ((mapped - wanted) ** 2 / of_texts)[shown].mean()
        with torch.autocast(mask.device.type, enabled=False):
            both = zip(teacher.said(mapped, mask)[:2], teacher.said(wanted, mask)[:2], strict=True)
            real = mask.sum(1) > 1
            total = (
                total + 0.2 * torch.stack([((one - other)[real] ** 2).mean() for one, other in both]).sum()
            )
        if batch["spoilt"].item():
            with torch.no_grad():
                found = finder.vectors(ids, mask)
            total = total + ((model.to_finder(hidden).float() - found) ** 2 / of_words)[shown].mean()
            total = total + fault_losses(model, batch, hidden)
        return total

    rows = np.sort(np.random.default_rng(1).permutation(len(held))[:HELD])
    about = [held.about[row] for row in rows]

    of_teacher = said(teacher, teacher.vectors, held, rows)

    def evaluate(model: nn.Module) -> dict[str, float]:
        assert isinstance(model, Joint)
        found: dict[str, float] = {"faulty_words": areas(model, dev)[0]}
        of_model = said(teacher, model.mapped, held, rows)
        for name in HEADS:
            ours, theirs = of_model[name], of_teacher[name]
            found[f"{name}_agreement"] = round(float(np.corrcoef(ours, theirs)[0, 1]), 4)
            for whose, each in ("ours", ours), ("teacher", theirs):
                mean = family_table(each, held.language[rows], about, least=5)["mean"]
                for key in "native_against_machine", "inside_translated", "translated_against_native":
                    if key in mean:
                        found[f"{name}_{key}_{whose}"] = mean[key]
        return found

    trained = [p for p in model.parameters() if p.requires_grad]
    optimiser = torch.optim.AdamW(trained, lr=args.lr, weight_decay=0.01, betas=(0.9, 0.98))
    record = fit(
        model, epoch_of, loss, evaluate, args.out, minutes=args.minutes, lr=args.lr, steps=args.steps,
        optimisers=[optimiser], save_every=900,
    )  # fmt: skip
    torch.save(
        {"layers": model.body.config.num_hidden_layers, "model": model.state_dict()}, args.out / "model.pt"
    )
    write_record(args.out, vars(args), record)


def main() -> None:
    parser = command(__doc__)
    parser.add_argument("--faults", type=Path, required=True, help="run of the stack for faulty words")
    parser.add_argument("--packs", type=Path, required=True, help="with train/ and held/")
    parser.add_argument("--teacher", type=Path, default=Path("models/embedded/encoder"), help="folder")
    parser.add_argument("--begin", type=Path, help="run that the layers begin at; by default --faults")
    parser.add_argument("--mean", type=float, default=0.5, help="share of the teacher to begin with")
    add_options(parser, minutes=90, lr=2e-4)
    train(parser.parse_args())


if __name__ == "__main__":
    main()
