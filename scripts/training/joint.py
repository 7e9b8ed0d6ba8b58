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

HELD = 1000
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
    """The stack that ships for the first two questions, with its heads.

    Args:
        base: folder with the configuration.
        folder: of the encoder that ships.
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
    """Layers for faulty words, with a map from their vectors to those of the teacher."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        width = self.body.config.hidden_size
        self.read = nn.Linear(width, width)


def best_map(one: torch.Tensor, other: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, float]:
    """The linear map from some vectors to others that leaves least; its bias; the share that it leaves."""
    padded = torch.cat([one, torch.ones(len(one), 1)], 1)
    found = torch.linalg.solve(padded.T @ padded + 1e-2 * torch.eye(padded.shape[1]), padded.T @ other)
    left = ((padded @ found - other) ** 2).mean(0) / other.var(0)
    return found[:-1].T.contiguous(), found[-1], float(left.mean())


def main() -> None:
    parser = command(__doc__)
    parser.add_argument("--faults", type=Path, required=True, help="the run that the layers begin at")
    parser.add_argument("--packs", type=Path, required=True, help="with train/ and held/")
    parser.add_argument("--models", type=Path, default=Path("models"), help="with the teacher")
    add_options(parser, minutes=90, lr=2e-4)
    args = parser.parse_args()
    begin(args)
    base = args.faults / "base"
    sentences, dev = Pack.load(args.faults / "train"), Pack.load(args.faults / "dev")
    posts, held = Pack.load(args.packs / "train"), Pack.load(args.packs / "held")
    begun = torch.load(args.faults / "model.pt", map_location="cpu", weights_only=True)
    teacher = teacher_of(base, args.models / "embedded" / "encoder")
    model = Joint(json.loads((base / "config.json").read_text()), begun["layers"], 0.0, attention())
    model.load_state_dict(begun["model"], strict=False)
    with torch.no_grad():
        pairs = []
        for rows in batches(posts, args.batch_tokens, 99)[:12]:
            batch = of_rows(posts, rows)
            shown = batch["mask"].bool()
            pairs.append([one.vectors(batch["ids"], batch["mask"])[shown] for one in (model, teacher)])
        ours, theirs = (torch.cat(part) for part in zip(*pairs, strict=True))
        model.read.weight.data, model.read.bias.data, left = best_map(ours, theirs)
        variance = theirs.var(0)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    teacher, variance = teacher.to(device), variance.to(device)
    print(f"the map leaves {left:.3f} of the variance", flush=True)

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
        mask = batch["mask"]
        hidden = model.vectors(batch["ids"], mask)
        mapped = model.read(hidden).float()
        with torch.no_grad():
            wanted = teacher.vectors(batch["ids"], mask)
        apart = ((mapped - wanted) ** 2 / variance)[mask.bool()].mean()
        with torch.autocast(mask.device.type, enabled=False):
            said = zip(teacher.said(mapped, mask)[:2], teacher.said(wanted, mask)[:2], strict=True)
            real = mask.sum(1) > 1
            heads = torch.stack([((one - other)[real] ** 2).mean() for one, other in said]).sum()
        total: torch.Tensor = apart + 0.2 * heads
        return total + fault_losses(model, batch, hidden) if batch["spoilt"].item() else total

    rows = np.sort(np.random.default_rng(1).permutation(len(held))[:HELD])
    about = [held.about[row] for row in rows]

    @torch.no_grad()
    def scores(vectors: Callable[[torch.Tensor, torch.Tensor], torch.Tensor]) -> npt.NDArray[np.float32]:
        """What the teacher's heads say of posts held out: translated and machine, a row each."""
        found = np.zeros((2, len(rows)), np.float32)
        order = np.argsort(held.lengths[rows], kind="stable")
        for start in range(0, len(order), 32):
            part = order[start : start + 32]
            batch = of_rows(held, rows[part])
            ids, mask = batch["ids"].to(device), batch["mask"].to(device)
            for head, each in enumerate(teacher.said(vectors(ids, mask), mask)[:2]):
                found[head, part] = each[: len(part)].cpu().numpy()
        return found

    of_teacher = scores(teacher.vectors)

    def evaluate(model: nn.Module) -> dict[str, float]:
        assert isinstance(model, Joint)
        found: dict[str, float] = {"faulty_words": areas(model, dev)[0]}
        of_model = scores(lambda ids, mask: model.read(model.vectors(ids, mask)))
        for head, name in enumerate(("translated", "machine")):
            ours, theirs = of_model[head], of_teacher[head]
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
    torch.save({"layers": begun["layers"], "model": model.state_dict()}, args.out / "model.pt")
    write_record(args.out, vars(args), record)


if __name__ == "__main__":
    main()
