"""The reference engine: Hugging Face transformers on the original weights."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from checker.errors import CheckerError
from checker.models import Model
from checker.models.tokenizer import Tokenizer, by_limit
from checker.models.translator import BEAM, Translation
from checker.models.weights import network

_BATCH_TOKENS = 512


class TransformersTranslator:
    """A Marian or M2M100 in 32-bit floats; see ``weights.network``.

    Args:
        model: what the model is and which pairs it serves.
        folder: its Hugging Face files.
        beam: width of the beam; 1 is greedy search.
        device: ``auto``, ``cpu`` or ``cuda``.

    Raises:
        CheckerError: ``cuda`` was asked for and there is no such device.
    """

    forced_decoding = True

    def __init__(self, model: Model, folder: Path, *, beam: int = BEAM, device: str = "auto") -> None:
        import torch
        from transformers import AutoModelForSeq2SeqLM, AutoTokenizer, GenerationConfig

        if device == "cuda" and not torch.cuda.is_available():
            raise CheckerError("torch sees no CUDA device: use the device cpu or auto.")
        self.label = model.label
        self._model = model
        self._device = device if device != "auto" else "cuda" if torch.cuda.is_available() else "cpu"
        self._tokenizer = Tokenizer(model, folder)
        options: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
        with quietly():
            self._vocabulary = AutoTokenizer.from_pretrained(folder, **options)
            loaded = network(AutoModelForSeq2SeqLM, folder)
        self._network = loaded.eval().to(self._device)
        config = loaded.config
        self._start: int = config.decoder_start_token_id
        self._pad: int = config.pad_token_id
        self._end: int = config.eos_token_id
        if model.family == "marian":
            # <pad> stands for the zero vector that the decoder starts from and is never written.
            loaded.final_logits_bias[..., self._pad] = float("-inf")
        loaded.generation_config = GenerationConfig(
            num_beams=beam,
            early_stopping=beam > 1,
            decoder_start_token_id=self._start,
            pad_token_id=self._pad,
            eos_token_id=self._end,
        )

    def serves(self, source: str, target: str) -> bool:
        """Whether the model translates ``source`` into ``target``."""
        return self._model.serves(source, target)

    def translate(self, texts: Sequence[str], source: str, target: str) -> list[Translation]:
        """See ``Translator.translate``."""
        sources = self._tokenizer.sources(texts, source, target)
        translations = [Translation("", 0.0)] * len(texts)
        start = [self._start, *self._ids(self._tokenizer.prefix(target))]
        for limit, group in by_limit(sources).items():
            for rows in _batches(group, [len(tokens) for tokens in sources]):
                inputs = self._inputs([sources[row] for row in rows])
                outputs = self._network.generate(
                    **inputs,
                    decoder_input_ids=self._tensor([start] * len(rows)),
                    max_new_tokens=limit,
                )
                ids = [self._trimmed(row) for row in outputs[:, len(start) :].tolist()]
                scores = self._forced(inputs, start, ids)
                for row, best, values in zip(rows, ids, scores, strict=True):
                    text = self._tokenizer.decode(self._vocabulary.convert_ids_to_tokens(best))
                    translations[row] = Translation(text, sum(values) / len(values))
        return translations

    def log_probabilities(
        self, sources: Sequence[str], targets: Sequence[str], source: str, target: str
    ) -> list[list[float]]:
        """See ``Translator.log_probabilities``."""
        encoded = self._tokenizer.sources(sources, source, target)
        decoded = self._tokenizer.targets(targets)
        start = [self._start, *self._ids(self._tokenizer.prefix(target))]
        lengths = [max(len(a), len(b)) for a, b in zip(encoded, decoded, strict=True)]
        order = sorted(
            (row for row in range(len(sources)) if encoded[row] and decoded[row]), key=lengths.__getitem__
        )
        scores: list[list[float]] = [[] for _ in sources]
        for rows in _batches(order, lengths):
            ids = [[*self._ids(decoded[row]), self._end] for row in rows]
            values = self._forced(self._inputs([encoded[row] for row in rows]), start, ids)
            for row, value in zip(rows, values, strict=True):
                scores[row] = value
        return scores

    def _ids(self, tokens: list[str]) -> list[int]:
        ids: list[int] = self._vocabulary.convert_tokens_to_ids(tokens)  # type: ignore[assignment]
        return ids

    def _trimmed(self, ids: list[int]) -> list[int]:
        """One generated row up to its end of sentence."""
        return ids[: ids.index(self._end) + 1] if self._end in ids else ids

    def _tensor(self, rows: list[list[int]]) -> Any:
        import torch

        width = max(map(len, rows))
        return torch.tensor([row + [self._pad] * (width - len(row)) for row in rows], device=self._device)

    def _inputs(self, tokens: list[list[str]]) -> dict[str, Any]:
        ids = self._tensor([self._ids(row) for row in tokens])
        return {"input_ids": ids, "attention_mask": (ids != self._pad).long()}

    def _forced(self, inputs: dict[str, Any], start: list[int], ids: list[list[int]]) -> list[list[float]]:
        """Log-probability of every id, each row given its source and the ids before."""
        import torch

        labels = self._tensor(ids)
        with torch.inference_mode():
            prompt = self._tensor([start] * len(ids))
            logits = self._network(
                **inputs, decoder_input_ids=torch.cat([prompt, labels[:, :-1]], dim=1), use_cache=False
            ).logits[:, len(start) - 1 :]
            values = (logits.gather(-1, labels[..., None])[..., 0] - logits.logsumexp(-1)).tolist()
        return [value[: len(row)] for value, row in zip(values, ids, strict=True)]


@contextmanager
def quietly() -> Iterator[None]:
    """Load with transformers without its progress bars and its advice to install sacremoses."""
    from transformers.utils import logging

    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Recommended: pip install sacremoses")
            yield
    finally:
        if shown:
            logging.enable_progress_bar()


def _batches(rows: list[int], lengths: list[int]) -> Iterator[list[int]]:
    """Consecutive rows, shortest first, that pad to at most ``_BATCH_TOKENS`` tokens."""
    batch: list[int] = []
    for row in rows:
        if batch and (len(batch) + 1) * lengths[row] > _BATCH_TOKENS:
            yield batch
            batch = []
        batch.append(row)
    if batch:
        yield batch
