"""The baseline for speed: the evidence of a post with plain transformers, as most users would write it.

Every sentence is translated into the pivot and back, the original is scored given the pivot translation, the
language model gives a perplexity, and sacrebleu compares the two versions. Sentences are processed in
their order, one or ``size`` at a time, in 32-bit floats on all cores.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import sacrebleu
import torch
from transformers import AutoModelForCausalLM, AutoModelForSeq2SeqLM, AutoTokenizer, GenerationConfig

from checker.models.weights import network


def loaded(auto_class: Any, folder: Path) -> Any:
    """The network of a model with the options that it comes with, as ``from_pretrained`` gives it.

    Args:
        auto_class: the class of transformers that fits the task.
        folder: of the model; one that ships has its weights in CTranslate2's format alone.
    """
    found = network(auto_class, folder).eval()
    found.generation_config = GenerationConfig.from_pretrained(folder, local_files_only=True)
    return found


class Plain:
    """The models, and how they are used.

    Args:
        translator: folder of a Marian that translates between Russian and English.
        language_model: folder of a causal language model.
        beam: width of the beam; OPUS-MT models come with 4.
        size: sentences translated together.
        fixed: every translation has the length of its source; for models of random weights.
    """

    def __init__(self, translator: Path, language_model: Path, beam: int, size: int, fixed: bool) -> None:
        options: dict[str, Any] = {"local_files_only": True}
        self._tokenizer = AutoTokenizer.from_pretrained(translator, **options)
        self._model = loaded(AutoModelForSeq2SeqLM, translator)
        self._lm_tokenizer = AutoTokenizer.from_pretrained(language_model, **options)
        self._lm = loaded(AutoModelForCausalLM, language_model)
        self._beam, self._size, self._fixed = beam, size, fixed

    @torch.inference_mode()
    def evidence(self, sentences: Sequence[str], language: str) -> Iterator[dict[str, float]]:
        """What the round trip and the language model say of each sentence."""
        pivot = "ru" if language == "en" else "en"
        for start in range(0, len(sentences), self._size):
            batch = list(sentences[start : start + self._size])
            pivots = self._translate(batch, pivot)
            backs = self._translate(pivots, language)
            likelihoods = self._forced(pivots, batch, language)
            for text, back, likelihood in zip(batch, backs, likelihoods, strict=True):
                yield {
                    "chrf": sacrebleu.sentence_chrf(back, [text], word_order=2).score,
                    "bleu": sacrebleu.sentence_bleu(back, [text]).score,
                    "ter": sacrebleu.sentence_ter(back, [text]).score,
                    "log_likelihood": likelihood,
                    "perplexity": self._perplexity(text, language),
                }

    def _encoded(self, texts: Sequence[str], target: str) -> Any:
        tagged = [f">>{target}<< {text}" for text in texts]
        return self._tokenizer(tagged, return_tensors="pt", padding=True, truncation=True, max_length=480)

    def _translate(self, texts: Sequence[str], target: str) -> list[str]:
        inputs = self._encoded(texts, target)
        length = inputs["input_ids"].shape[1]
        limits = {"min_new_tokens": length, "max_new_tokens": length} if self._fixed else {"max_length": 512}
        outputs = self._model.generate(**inputs, num_beams=self._beam, **limits)
        decoded: list[str] = self._tokenizer.batch_decode(outputs, skip_special_tokens=True)
        return decoded

    def _forced(self, sources: Sequence[str], targets: Sequence[str], target: str) -> list[float]:
        inputs = self._encoded(sources, target)
        labels = self._tokenizer(
            text_target=list(targets), return_tensors="pt", padding=True, truncation=True, max_length=480
        )["input_ids"]
        logits = self._model(**inputs, labels=labels).logits
        found = logits.log_softmax(-1).gather(-1, labels[..., None])[..., 0]
        counted = labels != self._tokenizer.pad_token_id
        means: list[float] = ((found * counted).sum(1) / counted.sum(1)).tolist()
        return means

    def _perplexity(self, text: str, language: str) -> float:
        ids = self._lm_tokenizer(f">>{language}<<{text}", return_tensors="pt")["input_ids"][:, :256]
        return float(self._lm(input_ids=ids, labels=ids).loss.exp())
