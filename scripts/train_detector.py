"""Train the neural detector: one small BERT encoder for all languages, human or machine-translated.

    python scripts/train_detector.py --corpora CORPORA --minutes 100 --out runs/detector

Posts of one to five consecutive lines of one test set and system, so that a post is a post whatever its
length. Languages are drawn by size to the power of ``--temperature``, so that those with a few thousand
lines borrow from the others; human and machine are drawn equally often, test sets equally within each
class (a set counts as no more than its lines when it has fewer than 500), and systems equally within a
set. Two auxiliary targets share the encoder: was the text written in this language or translated into
it, and the masked tokens (Devlin et al. 2019). Lines of ``corpora.HELD_OUT`` are left out, but for the
first half of flores-dev: for fourteen languages there is no other machine text. The run is resumable and
uses a GPU if there is one.
"""

from __future__ import annotations

import argparse
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from corpora import LANGUAGES, for_detector, held_out, labelled, native_train, unpaired
from labelled_posts import VERSION, group, kind, runs
from sklearn.metrics import roc_auc_score
from tokenizers import Tokenizer
from torch.nn import functional
from training import Batch, bucketed, fit, round_up, write_record
from transformers import BertConfig, BertModel

from checker.evidence.style import fold
from checker.text import clean

MAX_TOKENS = 192
NATIVE_SHARE = 0.25
MASKED = 0.15
UNKNOWN = -1


@dataclass
class Shelf:
    """Lines of one language and class, ready to be drawn from.

    Attributes:
        machine: the class.
        runs: one entry a (test set, source language, system): its lines in order, as token arrays.
        translated: for each run 1, 0 or ``UNKNOWN``: translated, original, or not known.
        chances: for each run, how likely it is to be drawn.
    """

    machine: int
    runs: list[list[np.ndarray]]
    translated: list[int]
    chances: np.ndarray


def encode(tokenizer: Tokenizer, texts: list[str]) -> list[np.ndarray]:
    encoded = tokenizer.encode_batch([fold(clean(text).text) for text in texts], add_special_tokens=False)
    return [np.array(e.ids, np.uint16) for e in encoded]


def shelves(corpora: Path, language: str, tokenizer: Tokenizer, most: int) -> list[Shelf]:
    """The human and the machine shelf of a language; machine lines are thinned to ``most`` by version."""
    frame = labelled(corpora, language, "train")
    frame = frame[for_detector(frame) & ~unpaired(frame)]
    frame = frame.assign(kind=kind(frame))
    frame["run"] = runs(frame)
    found = []
    for machine in (0, 1):
        part = frame[(frame["kind"] == "machine") == bool(machine)]
        kept = min(1.0, most / max(len(part), 1))
        size = part.groupby(VERSION, observed=True)["text"].transform("size")
        part = part[part.groupby(VERSION, observed=True).cumcount() < kept * size]
        texts, translated, sets, systems = [], [], [], []
        for (testset, _, system, what, _), rows in part.groupby([*VERSION, "run"], observed=True):
            texts.append(encode(tokenizer, rows["text"].tolist()))
            translated.append({"native": 0, "mixed": UNKNOWN}.get(str(what), 1))
            sets.append(str(testset))
            systems.append(str(system) if machine else "human")
        sizes = pd.DataFrame({"set": sets, "system": systems, "lines": [float(len(run)) for run in texts]})
        by_set = sizes.groupby("set")
        of_system = sizes["lines"] / sizes.groupby(["set", "system"])["lines"].transform("sum")
        of_set = of_system / by_set["system"].transform("nunique")
        chances = (of_set * (by_set["lines"].transform("sum") / 500).clip(upper=1.0)).to_numpy()
        chances = chances / chances.sum()
        if language == "ru" and not machine:
            leads, _ = native_train(corpora)
            # A lead is a post by itself: a run of its own would join two news items.
            texts += [[ids] for ids in encode(tokenizer, leads["text"].tolist())]
            translated += [0] * len(leads)
            chances = np.r_[(1 - NATIVE_SHARE) * chances, np.full(len(leads), NATIVE_SHARE / len(leads))]
        found.append(Shelf(machine, texts, translated, chances))
    return found


def draw(shelf: Shelf, rng: np.random.Generator, count: int) -> Iterator[tuple[np.ndarray, int, int]]:
    """Posts of one to five lines: token ids, machine, translated."""
    for number in rng.choice(len(shelf.runs), count, p=shelf.chances):
        run = shelf.runs[number]
        size = int(rng.integers(1, 6))
        start = int(rng.integers(0, max(len(run) - size, 0) + 1))
        ids = np.concatenate(run[start : start + size])[: MAX_TOKENS - 1]
        if len(ids):
            yield ids, shelf.machine, shelf.translated[number]


class Detector(torch.nn.Module):
    """The encoder with its heads: machine, translated, masked tokens."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.encoder = BertModel(config, add_pooling_layer=False)
        self.norm = torch.nn.LayerNorm(config.hidden_size)
        self.head_machine = torch.nn.Linear(config.hidden_size, 2)
        torch.nn.init.zeros_(self.head_machine.weight)

    def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Hidden states, and the log-odds of machine and of translated."""
        hidden = self.encoder(input_ids=ids, attention_mask=mask).last_hidden_state
        weight = mask.unsqueeze(-1).to(hidden.dtype)
        pooled = (hidden * weight).sum(1) / weight.sum(1)
        return hidden, self.head_machine(pooled)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--corpora", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--tokenizer", type=Path, default=Path("models/embedded/fluency/tokenizer.json"))
    parser.add_argument("--languages", nargs="+", default=LANGUAGES)
    parser.add_argument("--minutes", type=float, default=100)
    parser.add_argument("--steps", type=int)
    parser.add_argument("--width", type=int, default=256)
    parser.add_argument("--layers", type=int, default=4)
    parser.add_argument("--lines", type=int, default=60_000, help="machine lines a language, at most")
    parser.add_argument("--posts", type=int, default=40_000, help="posts of an epoch")
    parser.add_argument("--batch-tokens", type=int, default=6144)
    parser.add_argument("--lr", type=float, default=1.5e-3)
    parser.add_argument("--dropout", type=float, default=0.1)
    parser.add_argument("--temperature", type=float, default=0.4)
    parser.add_argument("--masked-weight", type=float, default=0.1)
    parser.add_argument("--translated-weight", type=float, default=0.3)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    tokenizer = Tokenizer.from_file(str(args.tokenizer))
    tags = {language: tokenizer.token_to_id(f">>{language}<<") for language in args.languages}
    unknown = tokenizer.token_to_id("<unk>")
    library = {
        language: shelves(args.corpora, language, tokenizer, args.lines) for language in args.languages
    }
    sizes = np.array([sum(len(r) for s in both for r in s.runs) for both in library.values()], float)
    shares = sizes**args.temperature / (sizes**args.temperature).sum()
    print({k: round(float(v), 3) for k, v in zip(library, shares, strict=True)}, flush=True)

    config = BertConfig(
        vocab_size=tokenizer.get_vocab_size(), hidden_size=args.width, num_hidden_layers=args.layers,
        num_attention_heads=args.width // 64, intermediate_size=4 * args.width,
        max_position_embeddings=MAX_TOKENS, type_vocab_size=1, pad_token_id=0,
        position_embedding_type="absolute",
        hidden_dropout_prob=args.dropout, attention_probs_dropout_prob=0.0,
    )  # fmt: skip
    model = Detector(config)
    print(f"{sum(p.numel() for p in model.parameters()) / 1e6:.1f} M parameters", flush=True)

    def pad(rows: list[np.ndarray]) -> tuple[torch.Tensor, torch.Tensor]:
        width = min(round_up(max(map(len, rows))), MAX_TOKENS)
        ids = np.zeros((len(rows), width), np.int64)
        mask = np.zeros((len(rows), width), np.int64)
        for number, row in enumerate(rows):
            ids[number, : len(row)], mask[number, : len(row)] = row, 1
        return torch.from_numpy(ids), torch.from_numpy(mask)

    def batches(epoch: int) -> Iterator[Batch]:
        rng = np.random.default_rng((args.seed, epoch))
        posts = []
        for (language, both), share in zip(library.items(), shares, strict=True):
            for shelf in both:
                posts += [
                    (np.r_[np.uint16(tags[language]), ids], machine, translated)
                    for ids, machine, translated in draw(shelf, rng, round(args.posts * share / 2))
                ]
        lengths = np.array([len(ids) for ids, _, _ in posts])
        for rows in bucketed(lengths, args.batch_tokens, args.seed + epoch):
            ids, mask = pad([posts[i][0] for i in rows])
            hidden = (torch.from_numpy(rng.random(ids.shape)) < MASKED) & (mask == 1)
            hidden[:, 0] = False  # the language tag
            labels = torch.where(hidden, ids, -100)
            yield {
                "ids": torch.where(hidden, unknown, ids), "mask": mask, "labels": labels,
                "machine": torch.tensor([posts[i][1] for i in rows]),
                "translated": torch.tensor([posts[i][2] for i in rows]),
            }  # fmt: skip

    def loss(model: torch.nn.Module, batch: Batch) -> torch.Tensor:
        hidden, scores = model(batch["ids"], batch["mask"])
        scores = scores.float()
        total = functional.binary_cross_entropy_with_logits(
            scores[:, 0], 0.02 + 0.96 * batch["machine"].float()
        )
        known = batch["translated"] != UNKNOWN
        if args.translated_weight and known.any():
            total = total + args.translated_weight * functional.binary_cross_entropy_with_logits(
                scores[known, 1], batch["translated"][known].float()
            )
        chosen = batch["labels"] != -100
        if args.masked_weight and chosen.any():
            logits = model.norm(hidden[chosen]) @ model.encoder.embeddings.word_embeddings.weight.T
            total = total + args.masked_weight * functional.cross_entropy(
                logits.float(), batch["labels"][chosen]
            )
        return total

    dev: list[tuple[str, pd.DataFrame, list[np.ndarray]]] = []
    for language in args.languages:
        frame = labelled(args.corpora, language, "train")
        frame = frame[held_out(frame["testset"]) & ~for_detector(frame)]
        posts = group(frame, 100, (3,))
        rows = [
            np.r_[np.uint16(tags[language]), ids[: MAX_TOKENS - 1]]
            for ids in encode(tokenizer, posts["text"].tolist())
        ]
        dev.append((language, posts, rows))

    @torch.no_grad()
    def evaluate(model: torch.nn.Module) -> dict[str, float]:
        device = next(model.parameters()).device
        found: dict[str, list[float]] = {"native": [], "translated": []}
        each: dict[str, float] = {}
        for language, posts, rows in dev:
            scores = np.zeros(len(rows))
            order = np.argsort([len(row) for row in rows])
            for start in range(0, len(order), 32):
                chosen = order[start : start + 32]
                ids, mask = pad([rows[i] for i in chosen])
                with torch.autocast(device.type, dtype=torch.bfloat16):
                    scores[chosen] = model(ids.to(device), mask.to(device))[1][:, 0].float().cpu().numpy()
            machine = scores[(posts["kind"] == "machine").to_numpy()]
            for what, values in found.items():
                human = scores[(posts["kind"] == what).to_numpy()]
                if len(human) >= 20 and len(machine) >= 20:
                    auc = roc_auc_score(
                        np.r_[np.zeros(len(human)), np.ones(len(machine))], np.r_[human, machine]
                    )
                    values.append(float(auc))
                    each[f"{language}_{what}"] = round(float(auc), 3)
        return {f"auc_{what}": round(float(np.mean(v)), 4) for what, v in found.items() if v} | each

    record = fit(
        model, batches, loss, evaluate, args.out, minutes=args.minutes, lr=args.lr, steps=args.steps,
        save_every=900,
    )  # fmt: skip
    folder = args.out / "model"
    folder.mkdir(parents=True, exist_ok=True)
    model.encoder.half().save_pretrained(folder)  # position_embedding_type is what CTranslate2 asks for
    shutil.copyfile(args.tokenizer, folder / "tokenizer.json")
    head = model.head_machine.float()
    np.savez(folder / "head.npz", weights=head.weight[0].detach().numpy(), bias=head.bias[0].detach().numpy())
    write_record(folder, vars(args) | {"tokenizer": args.tokenizer.name}, record)


if __name__ == "__main__":
    main()
