"""Train the embedded language model: a small Llama-style causal LM over all languages, human text only.

    python -m scripts.training.fluency --corpora CORPORA --minutes 75 --out runs/fluency
    python -m scripts.training.fluency --tsv lines.tsv --minutes 75 --out runs/fluency

The TSV has two columns without a header: language code, one line of human text. Every line starts
with its language's tag (``>>ru<<``), so that the model need not guess the language. Languages are sampled
in proportion to their size to the power of ``--temperature``. The run is resumable and uses a GPU if
there is one. ``--unigrams`` writes ``unigrams.npz`` into the folder of a trained model, and trains nothing.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from checker.models.language_model import UNIGRAMS
from scripts.command import command
from scripts.training.corpora import human_lines, tsv
from scripts.training.loop import (
    Batch,
    add_options,
    attention,
    begin,
    bucketed,
    fit,
    linear_cross_entropy,
    round_up,
    write_record,
)

MAX_TOKENS = 160
END = "</s>"


def read_lines(args: argparse.Namespace) -> dict[str, list[str]]:
    lines: dict[str, list[str]] = defaultdict(list)
    if args.tsv:
        rows: Iterable[tuple[str, str]] = tsv(args.tsv)
    else:
        rows = human_lines(args.corpora, held=False)
    for language, text in rows:
        lines[language].append(text)
    return dict(lines)


def sample(lines: dict[str, list[str]], temperature: float, total: int, seed: int) -> list[tuple[str, str]]:
    """About ``total`` lines, languages in proportion to size ** temperature, repeats only when needed."""
    rng = np.random.default_rng(seed)
    sizes = np.array([sum(map(len, v)) for v in lines.values()], float)
    shares = sizes**temperature / (sizes**temperature).sum()
    drawn = []
    for (language, texts), share in zip(lines.items(), shares, strict=True):
        mean = sum(map(len, texts)) / len(texts)
        wanted = round(share * total * 75 / mean)
        order = np.concatenate([rng.permutation(len(texts)) for _ in range(wanted // len(texts) + 1)])
        drawn += [(language, texts[i]) for i in order[:wanted]]
    rng.shuffle(drawn)
    return drawn


def train_tokenizer(lines: dict[str, list[str]], folder: Path, size: int) -> PreTrainedTokenizerFast:
    """A byte-fallback unigram tokenizer in ``tokenizer.json``, readable without transformers."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "tokenizer.json"
    if not path.exists():
        tags = [f">>{language}<<" for language in sorted(lines)]
        tokenizer = Tokenizer(models.BPE(byte_fallback=True, unk_token="<unk>", fuse_unk=True))
        tokenizer.normalizer = normalizers.NFKC()
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
            [pre_tokenizers.Metaspace(), pre_tokenizers.Punctuation()]
        )
        tokenizer.decoder = decoders.Sequence(
            [decoders.ByteFallback(), decoders.Metaspace(), decoders.Fuse()]
        )
        trainer = trainers.BpeTrainer(
            vocab_size=size, limit_alphabet=4500, show_progress=False,
            special_tokens=[END, "<unk>", *tags, *(f"<0x{b:02X}>" for b in range(256))],
        )  # fmt: skip
        texts = [text for _, text in sample(lines, 0.5, 250_000, 0)]
        tokenizer.train_from_iterator(texts, trainer)
        tokenizer.post_processor = processors.TemplateProcessing(
            single=f"$A {END}", special_tokens=[(END, tokenizer.token_to_id(END))]
        )
        tokenizer.save(str(path))
    return PreTrainedTokenizerFast(
        tokenizer_file=str(path), eos_token=END, bos_token=END, unk_token="<unk>", pad_token=END
    )


def write_unigrams(lines: dict[str, list[str]], tokenizer: Tokenizer, path: Path) -> None:
    """Log-probability (nats) of every token on its own, by language: add-one counts over all lines.

    Args:
        lines: by language.
        tokenizer: ends a text with ``END``, which counts once a line.
        path: an ``.npz`` with one array of 16-bit floats a language.
    """
    rows = {}
    for language, texts in sorted(lines.items()):
        counts = np.ones(tokenizer.get_vocab_size())
        for start in range(0, len(texts), 10_000):
            for encoded in tokenizer.encode_batch(texts[start : start + 10_000]):
                np.add.at(counts, encoded.ids, 1)
        rows[language] = np.log(counts / counts.sum()).astype(np.float16)
    np.savez_compressed(path, **rows)


def main() -> None:
    parser = command(__doc__)
    parser.add_argument("--corpora", type=Path)
    parser.add_argument("--tsv", type=Path)
    parser.add_argument("--vocab", type=int, default=16000)
    parser.add_argument("--layers", type=int, default=4)
    parser.add_argument("--lines", type=int, default=400_000, help="lines sampled for an epoch")
    parser.add_argument("--temperature", type=float, default=0.5)
    parser.add_argument("--unigrams", action="store_true", help="write unigrams.npz of a trained model alone")
    add_options(parser, minutes=75, lr=3e-3)
    args = parser.parse_args()
    begin(args)

    lines = read_lines(args)
    rng = np.random.default_rng(args.seed)
    dev: list[tuple[str, str]] = []
    for language, texts in lines.items():
        rng.shuffle(texts)
        dev += [(language, text) for text in texts[:40]]
        lines[language] = texts[40:]
    model_folder = args.out / "model"
    tokenizer = train_tokenizer(lines, model_folder, args.vocab)
    backend = tokenizer.backend_tokenizer
    if args.unigrams:
        write_unigrams(lines, backend, model_folder / UNIGRAMS)
        return

    def encode(drawn: list[tuple[str, str]]) -> list[NDArray[np.uint16]]:
        encoded = backend.encode_batch([text for _, text in drawn])
        tags = [backend.token_to_id(f">>{language}<<") for language, _ in drawn]
        return [np.array([tag, *e.ids[:MAX_TOKENS]], np.uint16) for tag, e in zip(tags, encoded, strict=True)]

    dev_rows = encode(dev)
    config = LlamaConfig(  # type: ignore[call-arg]
        vocab_size=len(tokenizer), hidden_size=args.width, intermediate_size=11 * args.width // 4,
        num_hidden_layers=args.layers, num_attention_heads=args.width // 64,
        max_position_embeddings=512, tie_word_embeddings=True, bos_token_id=0, eos_token_id=0,
        pad_token_id=None, attn_implementation=attention(),
    )  # fmt: skip
    model = LlamaForCausalLM(config)
    print(f"{sum(p.numel() for p in model.parameters()) / 1e6:.1f} M parameters", flush=True)

    def collate(rows: list[NDArray[np.uint16]]) -> Batch:
        width = round_up(max(map(len, rows)) - 1)
        inputs, labels = torch.zeros(len(rows), width, dtype=torch.long), torch.full((len(rows), width), -100)
        for number, row in enumerate(rows):
            ids = torch.from_numpy(row.astype(np.int64))
            inputs[number, : len(ids) - 1] = ids[:-1]
            labels[number, : len(ids) - 1] = ids[1:]
        return {"input_ids": inputs, "labels": labels}

    def loss(model: torch.nn.Module, batch: Batch) -> torch.Tensor:
        # Right padding under a causal mask needs no attention mask.
        body, head = model.get_submodule("model"), model.get_parameter("model.embed_tokens.weight")
        hidden = body(input_ids=batch["input_ids"], use_cache=False).last_hidden_state
        return linear_cross_entropy(hidden, head, batch["labels"])

    def batches(epoch: int) -> Iterator[Batch]:
        rows = encode(sample(lines, args.temperature, args.lines, args.seed + epoch))
        lengths = np.array([len(row) - 1 for row in rows])
        print(f"epoch {epoch}: {lengths.sum()} tokens", flush=True)
        for group in bucketed(lengths, args.batch_tokens, args.seed + epoch):
            yield collate([rows[i] for i in group])

    @torch.no_grad()
    def evaluate(model: torch.nn.Module) -> dict[str, float]:
        device = next(model.parameters()).device
        order = np.argsort([len(row) for row in dev_rows])
        total = 0.0
        for start in range(0, len(order), 50):
            batch = collate([dev_rows[i] for i in order[start : start + 50]])
            batch = {key: value.to(device) for key, value in batch.items()}
            total += loss(model, batch).item() * int((batch["labels"] != -100).sum())
        characters = sum(len(text) for _, text in dev)
        return {"dev_bits_per_character": round(total / np.log(2) / characters, 4)}

    record = fit(model, batches, loss, evaluate, args.out, minutes=args.minutes, lr=args.lr, steps=args.steps)
    model.half().save_pretrained(model_folder)
    tokenizer.save_pretrained(model_folder)
    write_unigrams(lines, backend, model_folder / UNIGRAMS)
    write_record(model_folder, vars(args), record)


if __name__ == "__main__":
    main()
