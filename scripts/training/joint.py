"""Train one stack of layers that says what both stacks of the encoder say: half the time for each sentence.

    python -m scripts.training.joint --faults runs/faults --packs runs/encoder --models models \\
        --out runs/joint --minutes 90

The layers begin as those that find faulty words (``--faults``, a run of `scripts.training.faults`) and go on
learning that. From every vector a linear map also reads the vector of the other stack, which ships in
``--models``: its teacher (Hinton et al. 2015, arXiv 1503.02531; hidden states as targets: Jiao et al. 2020,
TinyBERT). The heads that were trained on the teacher's vectors read the mapped ones. ``--packs`` has posts of
people and of machines (``scripts.training.encoder pack``); the other pack is of sentences.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn
from torch.nn import functional

from checker.models.weights import CONVERTED, read
from scripts.command import command
from scripts.training.encoder import Encoder, area, family_table
from scripts.training.encoder_data import Pack, batches
from scripts.training.faults import losses as fault_losses
from scripts.training.faults import of_rows
from scripts.training.loop import Batch, add_options, attention, begin, fit, write_record

HELD = 1000
"""Posts of families held out that are scored at every checkpoint."""


def weights_of(folder: Path) -> dict[str, torch.Tensor]:
    """The weights of a converted encoder by the names of ``BertModel``; embeddings included."""
    arrays = read(folder / CONVERTED / "model.bin" if (folder / CONVERTED).exists() else folder / "model.bin")
    found: dict[str, npt.NDArray[Any]] = {}
    last = {"gamma": "weight", "beta": "bias", "weight": "weight", "bias": "bias"}
    for name, array in arrays.items():
        match name.split("/"):
            case ["encoder", "embeddings_0", "weight"]:
                found["embeddings.word_embeddings.weight"] = array
            case ["encoder", "position_encodings", "encodings"]:
                found["embeddings.position_embeddings.weight"] = array
            case ["encoder", "layernorm_embedding", end]:
                found[f"embeddings.LayerNorm.{last[end]}"] = array
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
                    found[f"encoder.layer.{layer.removeprefix('layer_')}.{module}.{last[end]}"] = array
    return {name: torch.from_numpy(np.ascontiguousarray(array)) for name, array in found.items()}


class Teacher(Encoder):
    """The stack that ships for the first two questions, with its heads."""

    @classmethod
    def shipped(cls, base: Path, folder: Path, layers: int = 6) -> Teacher:
        """From the folder of the encoder that ships."""
        made = cls(json.loads((base / "config.json").read_text()), layers, 0.0, attention())
        stored, state = weights_of(folder), made.body.state_dict()
        # Positions beyond those that ship are never read; the kind of a token is in the positions.
        for name, value in stored.items():
            state[name][: len(value)] = value
        state["embeddings.token_type_embeddings.weight"].zero_()
        made.body.load_state_dict(state)
        with np.load(folder / "heads.npz") as heads:
            for name in ("machine", "translated"):
                head = getattr(made, f"head_{name}")
                head.weight.data[0] = torch.from_numpy(heads[name])
                head.bias.data[:] = torch.from_numpy(heads[f"{name}_bias"])
        return made.eval().requires_grad_(False)

    def vectors(self, batch: Batch) -> torch.Tensor:
        """Of every piece; (posts, pieces, width)."""
        found: torch.Tensor = self.body(
            input_ids=batch["ids"], attention_mask=batch["mask"]
        ).last_hidden_state.float()
        return found

    def said(self, vectors: torch.Tensor, mask: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Log-odds of machine and of translated, from vectors of its own or from those read as its own."""
        shown = mask.unsqueeze(-1).to(vectors.dtype)
        count = shown.sum(1)
        mean = (vectors * shown).sum(1) / count
        spread = (((vectors - mean.unsqueeze(1)) ** 2 * shown).sum(1) / count + 1e-5).sqrt()
        largest = vectors.masked_fill(shown == 0, -1e4).amax(1)
        return (
            functional.linear(
                torch.cat([mean, spread, largest], 1), self.head_machine.weight, self.head_machine.bias
            )[:, 0],
            functional.linear(
                torch.cat([mean, spread], 1), self.head_translated.weight, self.head_translated.bias
            )[:, 0],
        )


class Joint(Encoder):
    """Layers for faulty words, with a map from their vectors to those of the teacher."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        width = self.body.config.hidden_size
        self.read = nn.Linear(width, width)

    def both(self, batch: Batch) -> tuple[torch.Tensor, torch.Tensor]:
        """Vectors of every piece, and the teacher's as they are read from them."""
        hidden = self.body(input_ids=batch["ids"], attention_mask=batch["mask"]).last_hidden_state.float()
        return hidden, self.read(hidden).float()

    def forward(
        self, ids: torch.Tensor, mask: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """As `Encoder`; the vectors are kept for who needs them in the same step."""
        hidden = self.body(input_ids=ids, attention_mask=mask).last_hidden_state.float()
        self.kept = hidden
        shown = mask.unsqueeze(-1).to(hidden.dtype)
        count = shown.sum(1)
        mean = (hidden * shown).sum(1) / count
        spread = (((hidden - mean.unsqueeze(1)) ** 2 * shown).sum(1) / count + 1e-5).sqrt()
        largest = hidden.masked_fill(shown == 0, -1e4).amax(1)
        translated = self.head_translated(torch.cat([mean, spread], 1))
        machine = self.head_machine(torch.cat([mean, spread, largest], 1))
        return translated[:, 0], machine[:, 0], self.head_fault(hidden)[..., 0]


def main() -> None:
    parser = command(__doc__)
    parser.add_argument("--faults", type=Path, required=True, help="the run that the layers begin at")
    parser.add_argument("--packs", type=Path, required=True, help="with train/ and held/")
    parser.add_argument("--models", type=Path, default=Path("models"), help="with the teacher")
    add_options(parser, minutes=90, lr=2e-4)
    args = parser.parse_args()
    begin(args)
    base = args.faults / "base"
    teacher = Teacher.shipped(base, args.models / "embedded" / "encoder")
    sentences, dev = Pack.load(args.faults / "train"), Pack.load(args.faults / "dev")
    posts, held = Pack.load(args.packs / "train"), Pack.load(args.packs / "held")
    begun = torch.load(args.faults / "model.pt", map_location="cpu", weights_only=True)
    model = Joint(json.loads((base / "config.json").read_text()), begun["layers"], 0.0, attention())
    model.load_state_dict(begun["model"], strict=False)

    @torch.no_grad()
    def moments() -> tuple[torch.Tensor, torch.Tensor]:
        """Variance of the teacher's vectors by place; and the map that fits best to begin with."""
        ours, theirs = [], []
        for rows in batches(posts, args.batch_tokens, 99)[:12]:
            batch = of_rows(posts, rows)
            shown = batch["mask"].bool()
            hidden, _ = model.both(batch)
            ours.append(hidden[shown])
            theirs.append(teacher.vectors(batch)[shown])
        one, other = torch.cat(ours), torch.cat(theirs)
        one = torch.cat([one, torch.ones(len(one), 1)], 1)
        best = torch.linalg.solve(one.T @ one + 1e-2 * torch.eye(one.shape[1]), one.T @ other)
        model.read.weight.data[:], model.read.bias.data[:] = best[:-1].T, best[-1]
        left = ((one @ best - other) ** 2).mean(0) / other.var(0)
        print(f"the map leaves {left.mean():.3f} of the variance", flush=True)
        return other.var(0), best

    variance, _ = moments()

    def epoch_of(epoch: int) -> Iterator[Batch]:
        """A batch of sentences, a batch of posts, in turn."""
        number = 0
        of_posts: list[npt.NDArray[np.int64]] = []
        for rows in batches(sentences, args.batch_tokens, args.seed + epoch):
            yield of_rows(sentences, rows) | {"spoilt": torch.ones(1)}
            if not of_posts:
                of_posts = batches(posts, args.batch_tokens, args.seed + 1000 * epoch + number)[::-1]
                number += 1
            yield of_rows(posts, of_posts.pop()) | {"spoilt": torch.zeros(1)}

    def loss(model: nn.Module, batch: Batch) -> torch.Tensor:
        assert isinstance(model, Joint)
        known = {name: value for name, value in batch.items() if name != "spoilt"}
        if batch["spoilt"].item():
            own = fault_losses(model, known)
            hidden = model.kept
        else:
            hidden = model.body(input_ids=batch["ids"], attention_mask=batch["mask"]).last_hidden_state
            own = hidden.sum() * 0
        mapped = model.read(hidden.float()).float()
        with torch.no_grad():
            theirs = teacher.vectors(batch)
        shown = batch["mask"].bool()
        apart = ((mapped - theirs) ** 2 / variance)[shown].mean()
        with torch.autocast("cpu", enabled=False):
            real = batch["mask"].sum(1) > 1
            said = zip(teacher.said(mapped, batch["mask"]), teacher.said(theirs, batch["mask"]), strict=True)
            heads = sum(((a - b)[real] ** 2).mean() for a, b in said)
        total: torch.Tensor = own + apart + 0.2 * heads
        return total

    rows = np.sort(np.random.default_rng(1).permutation(len(held))[:HELD])
    about = [held.about[row] for row in rows]

    @torch.no_grad()
    def evaluate(model: nn.Module) -> dict[str, float]:
        assert isinstance(model, Joint)
        found: dict[str, float] = {}
        tokens, labels = [], []
        order = np.argsort(dev.lengths, kind="stable")
        for start in range(0, len(order), 60):
            batch = of_rows(dev, order[start : start + 60])
            _, _, fault = model(batch["ids"], batch["mask"])
            shown = batch["labels"] != -100
            tokens.append(fault[shown].numpy())
            labels.append(batch["labels"][shown].numpy())
        said, truth = np.concatenate(tokens), np.concatenate(labels)
        found["faulty_words"] = round(area(said[truth == 0], said[truth == 1]), 4)
        ours, theirs = np.zeros((2, len(rows)), np.float32), np.zeros((2, len(rows)), np.float32)
        order = np.argsort(held.lengths[rows], kind="stable")
        for start in range(0, len(order), 32):
            part = order[start : start + 32]
            batch = of_rows(held, rows[part])
            for kept, vectors in (ours, model.both(batch)[1]), (theirs, teacher.vectors(batch)):
                for number, each in enumerate(teacher.said(vectors, batch["mask"])):
                    kept[number, part] = each[: len(part)].numpy()
        for number, head in enumerate(("machine", "translated")):
            found[f"{head}_agreement"] = round(float(np.corrcoef(ours[number], theirs[number])[0, 1]), 4)
            for name, scores in ("ours", ours), ("teacher", theirs):
                mean = family_table(scores[number], held.language[rows], about, least=5)["mean"]
                for key in "native_against_machine", "inside_translated", "translated_against_native":
                    if key in mean:
                        found[f"{head}_{key}_{name}"] = mean[key]
        return found

    trained = [p for p in model.parameters() if p.requires_grad]
    optimiser = torch.optim.AdamW(trained, lr=args.lr, weight_decay=0.01, betas=(0.9, 0.98))
    record = fit(
        model, epoch_of, loss, evaluate, args.out, minutes=args.minutes, lr=args.lr, steps=args.steps,
        optimisers=[optimiser], save_every=900,
    )  # fmt: skip
    torch.save({"layers": begun["layers"], "model": model.state_dict()}, args.out / "model.pt")
    write_record(args.out, vars(args), record)


if __name__ == "__main__":
    main()
