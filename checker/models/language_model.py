"""Causal language models: the log-probability of every token of a text, from either engine.

A model may come with ``unigrams.npz``: one array per language with the log-probability of every token of the
vocabulary on its own. With it, ``fluency`` can distinguish a rare word from an odd one.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt

from checker.errors import CheckerError, ModelCorruptedError
from checker.models import Model
from checker.models.tokenizer import alike
from checker.models.weights import network

MAX_TOKENS = 256  # of one sentence; what follows is not scored
UNIGRAMS = "unigrams.npz"  # in the folder of a model, written by scripts/training/fluency.py
_BATCH_TOKENS = 128  # a batch holds one logit for every position and word of the vocabulary


@dataclass(frozen=True, slots=True)
class TokenScores:
    """What a model says of the tokens of one text, in order: log-probabilities (nats), at most 0.

    Attributes:
        conditional: of each token after those before it.
        unigram: of each token on its own, in its language; None where the model does not know that.
    """

    conditional: list[float]
    unigram: list[float] | None = None


class LanguageModel(Protocol):
    """Scores text. ``label`` is name@revision."""

    label: str

    def log_probabilities(self, texts: Sequence[str], language: str) -> list[TokenScores]:
        """Log-probabilities of the tokens of each text.

        The end of a text is a token. The first token is scored by a model that was trained with language
        tags; another has nothing to tell it from.

        Args:
            texts: sentences; at most ``MAX_TOKENS`` tokens of each are scored.
            language: ISO 639-1 code.
        """
        ...


class _Encoder:
    """Tokens of a text behind the context that makes its first token scorable.

    Raises:
        ModelCorruptedError: there are unigrams, but not of this tokenizer.
    """

    def __init__(self, folder: Path) -> None:
        from tokenizers import Tokenizer

        self.tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self.tokenizer.encode_special_tokens = True  # "</s>" in a post is text, not the end of it
        self._unigrams = _read_unigrams(folder / UNIGRAMS, self.tokenizer.get_vocab_size())

    def __call__(self, texts: Sequence[str], language: str) -> list[tuple[list[str], list[int]]]:
        tag = f">>{language}<<"
        number = self.tokenizer.token_to_id(tag)
        prefix: tuple[list[str], list[int]] = ([], []) if number is None else ([tag], [number])
        encoded = self.tokenizer.encode_batch(list(texts))
        return [(prefix[0] + e.tokens[:MAX_TOKENS], prefix[1] + e.ids[:MAX_TOKENS]) for e in encoded]

    def scores(self, conditional: list[float], ids: list[int], language: str) -> TokenScores:
        """What the model says of a text, given the log-probabilities of all its ``ids`` but the first."""
        row = self._unigrams.get(language)
        return TokenScores(conditional, None if row is None else row[ids[1:]].tolist())


def _read_unigrams(path: Path, size: int) -> dict[str, npt.NDArray[np.float32]]:
    """Log-probabilities by language and number of a token; none where there is no such file."""
    if not path.exists():
        return {}
    try:
        with np.load(path, allow_pickle=False) as arrays:
            rows = {language: arrays[language].astype(np.float32) for language in arrays.files}
    except (OSError, EOFError, ValueError, zlib.error, BadZipFile) as error:
        raise ModelCorruptedError(f"{path} cannot be read ({error}). Install the package again.") from None
    if any(row.shape != (size,) for row in rows.values()):
        raise ModelCorruptedError(f"{path} does not belong to the tokenizer beside it: train both together.")
    return rows


class CTranslate2LanguageModel:
    """A converted causal LM; see ``checker.models.ctranslate2_engine.convert``.

    Raises:
        CheckerError: ``cuda`` was asked for and there is no such device.
    """

    def __init__(
        self,
        model: Model,
        folder: Path,
        converted: Path,
        *,
        device: str = "auto",
        threads: int | None = None,
        compute_type: str | None = None,
    ) -> None:
        import ctranslate2

        from checker.models.ctranslate2_engine import placed

        place = placed(device, threads, compute_type)
        self.label = model.label
        self._encode = _Encoder(folder)
        self._generator = ctranslate2.Generator(str(converted), **place)
        self._padded = place["device"] != "cpu"

    def log_probabilities(self, texts: Sequence[str], language: str) -> list[TokenScores]:
        """See ``LanguageModel.log_probabilities``."""
        encoded = self._encode(texts, language)
        tokens = [pair[0] for pair in encoded]
        shapes = [len(found) if len(found) > 1 else 0 for found in tokens]
        if self._padded:
            shapes = [min(length, 1) for length in shapes]
        scores: list[list[float]] = [[] for _ in texts]
        running: list[tuple[int, Any]] = []
        for rows in alike(shapes):
            results = self._generator.score_batch(
                [tokens[row] for row in rows],
                max_batch_size=_BATCH_TOKENS,
                batch_type="tokens",
                asynchronous=True,
            )
            running += zip(rows, results, strict=True)
        for row, future in running:
            scores[row] = [min(value, 0.0) for value in future.result().log_probs]
        return [
            self._encode.scores(found, ids, language) for found, (_, ids) in zip(scores, encoded, strict=True)
        ]


class TransformersLanguageModel:
    """The same model in 32-bit floats; see ``weights.network``.

    Raises:
        CheckerError: ``cuda`` was asked for and there is no such device.
    """

    def __init__(self, model: Model, folder: Path, *, device: str = "auto") -> None:
        import torch
        from transformers import AutoModelForCausalLM

        if device == "cuda" and not torch.cuda.is_available():
            raise CheckerError("torch sees no CUDA device: use the device cpu or auto.")
        self.label = model.label
        self._encode = _Encoder(folder)
        self._device = device if device != "auto" else "cuda" if torch.cuda.is_available() else "cpu"
        self._network = network(AutoModelForCausalLM, folder).eval().to(self._device)

    def log_probabilities(self, texts: Sequence[str], language: str) -> list[TokenScores]:
        """See ``LanguageModel.log_probabilities``."""
        import torch

        ids = [pair[1] for pair in self._encode(texts, language)]
        rows = sorted((row for row in range(len(ids)) if len(ids[row]) > 1), key=lambda row: len(ids[row]))
        scores: list[list[float]] = [[] for _ in texts]
        for start in range(0, len(rows), 16):
            group = rows[start : start + 16]
            width = max(len(ids[row]) for row in group)
            padded = torch.tensor(
                [ids[row] + [0] * (width - len(ids[row])) for row in group], device=self._device
            )
            with torch.inference_mode():  # right padding under a causal mask needs no attention mask
                logits = self._network(padded[:, :-1], use_cache=False).logits.float()
                found = logits.log_softmax(-1).gather(-1, padded[:, 1:, None])[..., 0].tolist()
            for row, values in zip(group, found, strict=True):
                scores[row] = values[: len(ids[row]) - 1]
        return [self._encode.scores(found, row, language) for found, row in zip(scores, ids, strict=True)]


def perplexity(scores: Sequence[float]) -> float | None:
    """Token perplexity, ``exp`` of minus the mean log-probability; at least 1. None for no tokens.

    Args:
        scores: ``TokenScores.conditional``.
    """
    return math.exp(min(-sum(scores) / len(scores), 700.0)) if scores else None
