"""Train the embedded translator: one Marian for both directions of every pair, in Hugging Face format.

    python -m scripts.training.translator --corpora CORPORA --languages ru --minutes 95 --out runs/translator
    python -m scripts.training.translator --tsv ru=pairs.tsv --languages ru --out runs/translator

A TSV has two columns without a header: English, then the other language. The target language is
named by a tag before the source (``>>ru<<``), as in the multilingual OPUS-MT models, so that the result
loads through the same class. The run is resumable (repeat the command) and uses a GPU if there
is one. Human and machine pairs are both used: machine targets act as sequence-level distillation
(Kim and Rush 2016). Deep encoder, shallow decoder: Kasai et al. 2021.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import sentencepiece as spm
import torch
from numpy.typing import NDArray
from transformers import AutoModelForSeq2SeqLM, GenerationConfig, MarianConfig, MarianMTModel, MarianTokenizer

from checker.models.weights import network
from checker.statistics import Counts, Floats
from scripts.command import command
from scripts.training.corpora import held_out, parallel, tsv
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

MAX_TOKENS = 128
DEV_PAIRS = 200  # of each language


Side = list[tuple[str, str]]
Pairs = dict[str, tuple[Side, Side]]
"""Language → training and development pairs ``(en, other)``."""

Ids = list[NDArray[np.uint16]]
"""Token numbers, one array per line."""


def read_pairs(args: argparse.Namespace) -> Pairs:
    """Training and development pairs ``(en, other)`` per language."""
    given = dict(item.split("=", 1) for item in args.tsv)
    pairs: Pairs = {}
    for language in args.languages:
        if language in given:
            rows = tsv(Path(given[language]))
            pairs[language] = rows[DEV_PAIRS:], rows[:DEV_PAIRS]
            continue
        frame = parallel(args.corpora, language)
        dev = frame[(frame["testset"] == "flores-dev") & (frame["kind"] == "human")].head(DEV_PAIRS)
        train = frame[~held_out(frame["testset"])].drop_duplicates(["en", "other"])
        if args.systems:
            system = train["kind"].astype(str).str.split("-").str[1]
            train = train[(train["kind"] == "human") | system.isin(args.systems)]
        found = [list(zip(part["en"], part["other"], strict=True)) for part in (train, dev)]
        pairs[language] = found[0], found[1]
    return pairs


def train_tokenizer(pairs: Pairs, out: Path, size: int) -> MarianTokenizer:
    """Joint sentencepiece over all sides, written as a Marian tokenizer with one tag per language."""
    out.mkdir(parents=True, exist_ok=True)
    if not (out / "vocab.json").exists():
        sides = {text for train, _ in pairs.values() for pair in train for text in pair}
        spm.SentencePieceTrainer.train(
            sentence_iterator=iter(sorted(sides)), model_prefix=str(out / "source"),
            vocab_size=size, model_type="unigram", character_coverage=0.9995,
            normalization_rule_name="nmt_nfkc", input_sentence_size=400_000,
            shuffle_input_sentence=True, bos_id=-1, eos_id=0, unk_id=1, num_threads=2,
            minloglevel=2,
        )  # fmt: skip
        (out / "source.model").rename(out / "source.spm")
        (out / "source.vocab").unlink()
        (out / "target.spm").write_bytes((out / "source.spm").read_bytes())
        model = spm.SentencePieceProcessor(str(out / "source.spm"))
        pieces = [model.id_to_piece(i) for i in range(model.get_piece_size())]
        pieces += [f">>{language}<<" for language in ["en", *pairs]] + ["<pad>"]
        vocab = {piece: number for number, piece in enumerate(pieces)}
        (out / "vocab.json").write_text(json.dumps(vocab, ensure_ascii=False), encoding="utf-8")
    return MarianTokenizer(
        str(out / "source.spm"), str(out / "target.spm"), str(out / "vocab.json"),
        source_lang="mul", target_lang="mul", model_max_length=512,
    )  # fmt: skip


def start_from(model: MarianMTModel, tokenizer: MarianTokenizer, folder: Path) -> int:
    """Copy an earlier translator of the same shape into ``model``; returns how many pieces both know.

    Pieces that only the new vocabulary has start at the mean of the old pieces that spell them.
    """
    old = network(AutoModelForSeq2SeqLM, folder)
    spelling = MarianTokenizer.from_pretrained(folder, local_files_only=True)
    state = {
        name: value
        for name, value in old.state_dict().items()
        if value.shape == model.state_dict()[name].shape
    }
    model.load_state_dict(state, strict=False)
    known, table = spelling.get_vocab(), old.get_parameter("model.shared.weight").detach()
    rows, shared = model.get_parameter("model.shared.weight").detach(), 0
    for piece, number in tokenizer.get_vocab().items():
        if piece in known:
            rows[number] = table[known[piece]]
            shared += 1
        elif not piece.startswith(">>"):
            spelt = spelling.spm_source.encode(piece.replace("\u2581", " "), out_type=str)
            found = [known[part] for part in spelt if part in known]
            if found:
                rows[number] = table[found].mean(0)
    return shared


def shares(sizes: Floats, temperature: float) -> Floats:
    """How often the rows of each language come in an epoch, in which the largest comes once.

    Languages are drawn in proportion to size ** temperature (Arivazhagan et al. 2019).
    """
    often: Floats = sizes**temperature / sizes
    often /= often[np.argmax(sizes)]
    return often


def encode(pairs: Pairs, folder: Path, part: int) -> tuple[Ids, Ids, Counts]:
    """Both directions of every pair as ``uint16`` ids, the tag first on the source, ``</s>`` last.

    The third value numbers the languages of the rows.
    """
    model = spm.SentencePieceProcessor(str(folder / "source.spm"))
    vocab = json.loads((folder / "vocab.json").read_text(encoding="utf-8"))
    sources, targets, languages = [], [], []
    for number, (language, parts) in enumerate(pairs.items()):
        english, other = (model.encode([pair[side] for pair in parts[part]]) for side in (0, 1))
        for tag, left, right in ((language, english, other), ("en", other, english)):
            for source, target in zip(left, right, strict=True):
                if 0 < len(source) < MAX_TOKENS and 0 < len(target) < MAX_TOKENS:
                    sources.append(np.array([vocab[f">>{tag}<<"], *source, 0], np.uint16))
                    targets.append(np.array([*target, 0], np.uint16))
                    languages.append(number)
    return sources, targets, np.array(languages)


def collate(sources: Ids, targets: Ids, rows: Counts, pad: int) -> Batch:
    """Pad the rows of one batch; the decoder input is the target shifted right behind ``<pad>``."""
    width = round_up(max(len(sources[r]) for r in rows))
    height = round_up(max(len(targets[r]) for r in rows))
    source = torch.full((len(rows), width), pad)
    labels = torch.full((len(rows), height), -100)
    decoder = torch.full((len(rows), height), pad)
    for number, row in enumerate(rows):
        source[number, : len(sources[row])] = torch.from_numpy(sources[row].astype(np.int64))
        target = torch.from_numpy(targets[row].astype(np.int64))
        labels[number, : len(target)] = target
        decoder[number, 1 : len(target)] = target[:-1]
    return {
        "input_ids": source, "attention_mask": (source != pad).long(),
        "decoder_input_ids": decoder, "labels": labels,
    }  # fmt: skip


def main() -> None:
    parser = command(__doc__)
    parser.add_argument("--corpora", type=Path)
    parser.add_argument("--tsv", action="append", default=[], metavar="LANG=FILE")
    parser.add_argument("--languages", nargs="+", default=["ru"])
    parser.add_argument("--vocab", type=int, default=8000)
    parser.add_argument("--encoder-layers", type=int, default=6)
    parser.add_argument("--decoder-layers", type=int, default=2)
    parser.add_argument("--label-smoothing", type=float, default=0.1)
    parser.add_argument("--temperature", type=float, default=0.4, help="sampling over languages")
    parser.add_argument("--systems", nargs="+", help="MT systems whose output is used; all by default")
    parser.add_argument("--start-from", type=Path, help="an earlier translator of the same shape")
    add_options(parser, minutes=95, lr=2e-3)
    args = parser.parse_args()
    begin(args)

    pairs = read_pairs(args)
    model_folder = args.out / "model"
    tokenizer = train_tokenizer(pairs, model_folder, args.vocab)
    pad = tokenizer.pad_token_id
    sources, targets, languages = encode(pairs, model_folder, 0)
    dev_sources, dev_targets, _ = encode(pairs, model_folder, 1)
    print(f"{len(sources)} training pairs, {sum(map(len, targets))} target tokens", flush=True)

    config = MarianConfig(  # type: ignore[call-arg]
        vocab_size=pad + 1, d_model=args.width, encoder_layers=args.encoder_layers,
        decoder_layers=args.decoder_layers, encoder_attention_heads=args.width // 64,
        decoder_attention_heads=args.width // 64, encoder_ffn_dim=4 * args.width,
        decoder_ffn_dim=4 * args.width, dropout=0.0, pad_token_id=pad, eos_token_id=0,
        bos_token_id=None, decoder_start_token_id=pad, forced_eos_token_id=0,
        max_position_embeddings=512, scale_embedding=True, activation_function="swish",
        share_encoder_decoder_embeddings=True, tie_word_embeddings=True,
        attn_implementation=attention(),
    )  # fmt: skip
    model = MarianMTModel(config)
    if args.start_from is not None:
        print(f"{start_from(model, tokenizer, args.start_from)} pieces known", flush=True)

    def loss(model: torch.nn.Module, batch: Batch, smoothing: float = args.label_smoothing) -> torch.Tensor:
        inputs = {key: batch[key] for key in ("input_ids", "attention_mask", "decoder_input_ids")}
        hidden = model.get_submodule("model")(**inputs, use_cache=False).last_hidden_state
        head = model.get_parameter("model.shared.weight")[:pad]  # <pad> is never produced
        return linear_cross_entropy(hidden, head, batch["labels"], smoothing)

    lengths = np.array([max(map(len, pair)) for pair in zip(sources, targets, strict=True)])
    often = shares(np.bincount(languages, lengths).astype(float), args.temperature)[languages]

    def batches(epoch: int) -> Iterator[Batch]:
        rng = np.random.default_rng(args.seed + epoch)
        times = np.floor(often + rng.random(len(often))).astype(int)
        drawn = np.repeat(np.arange(len(often)), times)
        for rows in bucketed(lengths[drawn], args.batch_tokens, args.seed + epoch):
            yield collate(sources, targets, drawn[rows], pad)

    @torch.no_grad()
    def evaluate(model: torch.nn.Module) -> dict[str, float]:
        order = np.argsort([len(target) for target in dev_targets])
        device = next(model.parameters()).device
        total = count = 0.0
        for start in range(0, len(order), 50):
            batch = collate(dev_sources, dev_targets, order[start : start + 50], pad)
            batch = {key: value.to(device) for key, value in batch.items()}
            tokens = int((batch["labels"] != -100).sum())
            total += loss(model, batch, 0.0).item() * tokens
            count += tokens
        return {"dev_loss": round(total / count, 4)}

    @torch.no_grad()
    def keep_pad_at_zero(model: torch.nn.Module) -> None:
        # Marian's decoder starts from a zero vector; Hugging Face expresses that as <pad>'s row.
        model.get_parameter("model.shared.weight")[pad].zero_()

    keep_pad_at_zero(model)
    record = fit(
        model, batches, loss, evaluate, args.out, minutes=args.minutes, lr=args.lr,
        steps=args.steps, after_step=keep_pad_at_zero,
    )  # fmt: skip
    model.generation_config = GenerationConfig(
        max_length=512, num_beams=4, bad_words_ids=[[pad]], decoder_start_token_id=pad,
        pad_token_id=pad, eos_token_id=0, forced_eos_token_id=0,
    )  # fmt: skip
    model.half().save_pretrained(model_folder)
    tokenizer.save_pretrained(model_folder)
    write_record(model_folder, vars(args), record)


if __name__ == "__main__":
    main()
