"""One resumable training loop for the small models of the embedded profile.

The schedule follows time, not steps: ``minutes`` is how long the run may take on any machine, and the
learning rate warms up, holds and falls to zero over that time. A run that was killed resumes from its
last checkpoint with the minutes that were left.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch

from checker.statistics import Counts

Batch = dict[str, torch.Tensor]
CHUNK = 256  # rows of logits held at a time: they stay in the cache


def add_options(parser: argparse.ArgumentParser, *, minutes: float, lr: float) -> None:
    """Give a training script the options that all of them have.

    Args:
        parser: of the script.
        minutes: default of the time for training.
        lr: default of the peak learning rate.
    """
    parser.add_argument("--out", type=Path, required=True, help="folder of the run")
    parser.add_argument("--minutes", type=float, default=minutes, help="of training; earlier runs count")
    parser.add_argument("--steps", type=int, help="stop after so many")
    parser.add_argument("--width", type=int, default=256, help="of the hidden states")
    parser.add_argument("--batch-tokens", type=int, default=4096)
    parser.add_argument("--lr", type=float, default=lr, help="peak learning rate")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--seed", type=int, default=1)


def begin(args: argparse.Namespace) -> None:
    """Take the threads and the seed of `add_options`."""
    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)


def optimizers(model: torch.nn.Module, lr: float, weight_decay: float) -> list[torch.optim.Optimizer]:
    """Muon (Jordan et al. 2024) for the hidden matrices, AdamW for embeddings, gains and biases."""
    matrices: list[torch.nn.Parameter] = []
    others: list[torch.nn.Parameter] = []
    for name, parameter in model.named_parameters():
        if not parameter.requires_grad:
            continue
        hidden = parameter.ndim == 2 and not any(key in name for key in ("shared", "embed", "lm_head"))
        (matrices if hidden else others).append(parameter)
    return [
        torch.optim.Muon(
            matrices, lr=lr, weight_decay=weight_decay, momentum=0.95, adjust_lr_fn="match_rms_adamw"
        ),
        torch.optim.AdamW(others, lr=lr, weight_decay=0.0, betas=(0.9, 0.98)),
    ]


def rate(progress: float, warm_up: float = 0.03, hold: float = 0.3) -> float:
    """Share of the peak learning rate at ``progress`` (0..1): warm up, hold, fall linearly to zero."""
    if progress < warm_up:
        return max(progress / warm_up, 1e-3)
    if progress < hold:
        return 1.0
    return max((1.0 - progress) / (1.0 - hold), 0.0)


def write_record(folder: Path, options: dict[str, Any], record: dict[str, Any]) -> None:
    """Write ``training.json``: the options of the run, paths left out, and the last record of ``fit``."""
    kept = {
        name: None if isinstance(value, Path) or name == "tsv" else value for name, value in options.items()
    }
    (folder / "training.json").write_text(json.dumps({"command": kept, "last": record}, indent=1) + "\n")


class _LinearCrossEntropy(torch.autograd.Function):
    """See `linear_cross_entropy`. Gradients are made on the way forward, while a chunk is in the cache."""

    @staticmethod
    def forward(
        ctx: Any, hidden: torch.Tensor, weight: torch.Tensor, labels: torch.Tensor, smoothing: float
    ) -> torch.Tensor:
        words, count = weight.shape[0], max(len(labels), 1)
        rows, table = hidden.to(torch.bfloat16), weight.to(torch.bfloat16)
        of_rows, of_table = torch.empty_like(rows), torch.zeros_like(weight, dtype=torch.float32)
        total = torch.zeros((), device=hidden.device)
        for start in range(0, len(rows), CHUNK):
            part, own = rows[start : start + CHUNK], labels[start : start + CHUNK, None]
            logits = (part @ table.t()).float()
            normaliser = logits.logsumexp(1, keepdim=True)
            right = logits.gather(1, own)
            total += (normaliser - (1 - smoothing) * right).sum() - smoothing * logits.mean(1).sum()
            slope = logits.sub_(normaliser).exp_().sub_(smoothing / words)
            slope.scatter_add_(1, own, torch.full_like(right, smoothing - 1))
            low = slope.to(torch.bfloat16)
            of_rows[start : start + CHUNK] = low @ table
            of_table += low.t() @ part
        ctx.save_for_backward(of_rows, of_table)
        ctx.count, ctx.dtype = count, hidden.dtype
        return total / count

    @staticmethod
    def backward(ctx: Any, *outer: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, None, None]:
        of_rows, of_table = ctx.saved_tensors
        share = outer[0] / ctx.count
        return (of_rows.float() * share).to(ctx.dtype), of_table * share, None, None


def linear_cross_entropy(
    hidden: torch.Tensor, weight: torch.Tensor, labels: torch.Tensor, smoothing: float = 0.0
) -> torch.Tensor:
    """Mean cross-entropy (nats) of ``hidden @ weight.T``, without ever holding all logits.

    On a CPU this halves the time of a step of a small model. The products are in bfloat16.

    Args:
        hidden: last hidden states, shape ``(..., width)``.
        weight: output embedding, shape ``(words, width)``.
        labels: word numbers, shape ``(...)``; rows with -100 do not count.
        smoothing: label smoothing (Szegedy et al. 2016), 0 to 1.
    """
    kept = (labels != -100).reshape(-1)
    rows = hidden.reshape(-1, hidden.shape[-1])[kept]
    loss: torch.Tensor = _LinearCrossEntropy.apply(  # type: ignore[no-untyped-call]
        rows, weight, labels.reshape(-1)[kept], smoothing
    )
    return loss


def attention() -> str:
    """The attention kernel of transformers that trains fastest on this machine."""
    return "sdpa" if torch.cuda.is_available() else "eager"


def round_up(length: int, multiple: int = 8) -> int:
    """Pad to few distinct shapes: a CPU compiles its matrix kernels once for each."""
    return -(-length // multiple) * multiple


def bucketed(lengths: Counts, tokens: int, seed: int) -> list[Counts]:
    """Shuffled groups of row numbers of similar length, each padding to at most ``tokens`` tokens."""
    rng = np.random.default_rng(seed)
    widths = -(-lengths // 8) * 8
    groups = []
    for width in np.unique(widths):
        rows = rng.permutation(np.flatnonzero(widths == width))
        size = max(tokens // width, 1)
        groups += [rows[start : start + size] for start in range(0, len(rows), size)]
    return [groups[number] for number in rng.permutation(len(groups))]


def fit(
    model: torch.nn.Module,
    batches: Callable[[int], Iterator[Batch]],
    loss: Callable[[torch.nn.Module, Batch], torch.Tensor],
    evaluate: Callable[[torch.nn.Module], dict[str, float]],
    out: Path,
    *,
    minutes: float,
    lr: float,
    weight_decay: float = 0.05,
    steps: int | None = None,
    report_every: float = 60.0,
    save_every: float = 300.0,
    after_step: Callable[[torch.nn.Module], None] | None = None,
    optimisers: list[torch.optim.Optimizer] | None = None,
) -> dict[str, Any]:
    """Train ``model`` in place for ``minutes`` of wall time.

    Args:
        model: any module; moved to the GPU if there is one.
        batches: yields the batches of epoch ``n``, in an order that depends on ``n`` alone.
        loss: mean loss per target token of one batch.
        evaluate: development figures, called at every checkpoint.
        out: folder for ``checkpoint.pt`` and ``log.jsonl``.
        minutes: wall-time budget, earlier runs from the same checkpoint counted in.
        lr: peak learning rate.
        weight_decay: for the hidden matrices; ``optimisers`` have their own.
        steps: stop after so many steps (a smoke test).
        report_every, save_every: seconds between log lines and between checkpoints.
        after_step: called after every update, for constraints on the weights.
        optimisers: of the model; by default those of `optimizers`, which suit weights that begin at random.

    Returns:
        The last log record: epoch, step, seconds, target tokens seen, losses.
    """
    device = "cuda" if torch.cuda.is_available() else "cpu"
    model.to(device).train()
    optimisers = optimisers or optimizers(model, lr, weight_decay)
    out.mkdir(parents=True, exist_ok=True)
    checkpoint = out / "checkpoint.pt"
    epoch, done, step, tokens, spent = 0, 0, 0, 0, 0.0
    if checkpoint.exists():
        state = torch.load(checkpoint, map_location=device, weights_only=True)
        model.load_state_dict(state["model"])
        for optimiser, saved in zip(optimisers, state["optimisers"], strict=True):
            optimiser.load_state_dict(saved)
        epoch, done, step, tokens, spent = (state[k] for k in ("epoch", "done", "step", "tokens", "spent"))

    def save() -> None:
        state = {
            "model": model.state_dict(),
            "optimisers": [o.state_dict() for o in optimisers],
            "epoch": epoch, "done": done, "step": step, "tokens": tokens, "spent": spent,
        }  # fmt: skip
        torch.save(state, checkpoint.with_suffix(".tmp"))
        checkpoint.with_suffix(".tmp").replace(checkpoint)

    begun = reported = saved_at = time.monotonic()
    before, running, seen = spent, 0.0, 0
    record: dict[str, Any] = {}
    finished = False
    while not finished:
        for number, batch in enumerate(batches(epoch)):
            if number < done:
                continue
            progress = spent / (60 * minutes)
            if progress >= 1 or (steps is not None and step >= steps):
                finished = True
                break
            for optimiser in optimisers:
                for group in optimiser.param_groups:
                    group["lr"] = lr * rate(progress)
            batch = {key: value.to(device, non_blocking=True) for key, value in batch.items()}
            with torch.autocast(device, dtype=torch.bfloat16):
                value = loss(model, batch)
            value.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            for optimiser in optimisers:
                optimiser.step()
                optimiser.zero_grad(set_to_none=True)
            if after_step is not None:
                after_step(model)
            step, done = step + 1, number + 1
            running, seen = running + value.item(), seen + 1
            tokens += int((batch["labels"] != -100).sum())
            now = time.monotonic()
            spent = before + now - begun
            if now - reported > report_every or steps is not None:
                record = {"epoch": epoch, "step": step, "seconds": round(spent), "tokens": tokens,
                          "train_loss": round(running / seen, 4)}  # fmt: skip
                running, seen, reported = 0.0, 0, now
                if now - saved_at > save_every:
                    model.eval()
                    record |= evaluate(model)
                    model.train()
                    save()
                    saved_at = now
                print(json.dumps(record), flush=True)
                with (out / "log.jsonl").open("a") as log:
                    log.write(json.dumps(record) + "\n")
        else:
            epoch, done = epoch + 1, 0
    model.eval()
    record = {"epoch": epoch, "step": step, "seconds": round(spent), "tokens": tokens} | evaluate(model)
    save()
    with (out / "log.jsonl").open("a") as log:
        log.write(json.dumps(record) + "\n")
    return record
