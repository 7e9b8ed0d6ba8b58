"""The default engine: CTranslate2, 8-bit integers, on the CPU or a GPU."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from checker.errors import CheckerError
from checker.store import Model, Store
from checker.translation import BEAM, Translation
from checker.translation.tokenizer import Tokenizer, by_limit

_TRANSLATE_TOKENS = 1024
_SCORE_TOKENS = 256  # a score batch holds one logit for every position and word of the vocabulary


class CTranslate2Translator:
    """A converted Marian or M2M100.

    Args:
        model: what the model is and which pairs it serves.
        folder: its Hugging Face files; only the sentencepiece models are read.
        converted: folder of the conversion; see ``convert``.
        beam: width of the beam; 1 is greedy search.
        device: ``auto``, ``cpu`` or ``cuda``.
        compute_type: of CTranslate2; ``auto`` is the fastest of the device, 8-bit integers on a CPU.

    Raises:
        CheckerError: ``cuda`` was asked for and there is no such device.
    """

    def __init__(
        self,
        model: Model,
        folder: Path,
        converted: Path,
        *,
        beam: int = BEAM,
        device: str = "auto",
        compute_type: str = "auto",
    ) -> None:
        import ctranslate2

        if device == "cuda" and not ctranslate2.get_cuda_device_count():
            raise CheckerError("CTranslate2 sees no CUDA device: use the device cpu or auto.")
        self.label = model.label
        self._model, self._beam = model, beam
        self._tokenizer = Tokenizer(model, folder)
        self._translator = ctranslate2.Translator(
            str(converted),
            device=device,
            compute_type=compute_type,
            inter_threads=cores(),
            intra_threads=1,
        )

    def serves(self, source: str, target: str) -> bool:
        """Whether the model translates ``source`` into ``target``."""
        return self._model.serves(source, target)

    def translate(self, texts: Sequence[str], source: str, target: str) -> list[Translation]:
        """See ``Translator.translate``."""
        sources = self._tokenizer.sources(texts, source, target)
        translations = [Translation("", 0.0)] * len(texts)
        prefix = self._tokenizer.prefix(target)
        running: list[tuple[int, Any]] = []
        for limit, rows in by_limit(sources).items():
            results = self._translator.translate_batch(
                [sources[row] for row in rows],
                target_prefix=[prefix] * len(rows),
                max_batch_size=_TRANSLATE_TOKENS,
                batch_type="tokens",
                beam_size=self._beam,
                max_input_length=0,
                max_decoding_length=limit + len(prefix),
                return_end_token=True,
                return_scores=True,
                asynchronous=True,
            )
            running += zip(rows, results, strict=True)
        for row, future in running:
            result = future.result()
            tokens, mean = result.hypotheses[0], result.scores[0]
            # The prefix has probability 1 but counts as length.
            mean *= len(tokens) / (len(tokens) - len(prefix))
            translations[row] = Translation(self._tokenizer.decode(tokens), min(mean, 0.0))
        return translations

    def score(
        self, sources: Sequence[str], targets: Sequence[str], source: str, target: str
    ) -> list[list[float]]:
        """See ``Translator.score``."""
        encoded = self._tokenizer.sources(sources, source, target)
        decoded = self._tokenizer.targets(targets)
        prefix = self._tokenizer.prefix(target)
        rows = [row for row in range(len(sources)) if encoded[row] and decoded[row]]
        scores: list[list[float]] = [[] for _ in sources]
        results = self._translator.score_batch(
            [encoded[row] for row in rows],
            [prefix + decoded[row] for row in rows],
            max_batch_size=_SCORE_TOKENS,
            batch_type="tokens",
            max_input_length=0,
            offset=len(prefix),
        )
        for row, result in zip(rows, results, strict=True):
            scores[row] = [min(value, 0.0) for value in result.log_probs]
        return scores


def converted_folder(model: Model, store: Store) -> Path:
    """Folder of a model's conversion, which is made first where there is none yet.

    Raises:
        ModelNotFoundError: the model is not on this machine.
        ModelCorruptedError: a file of it is not the one in the lock.
    """
    folder = store.converted_path(model)
    if not folder.is_dir():
        convert(store.path(model), folder)
    return folder


def convert(folder: Path, converted: Path, quantization: str = "int8") -> None:
    """Write the CTranslate2 form of the Hugging Face model in ``folder`` to ``converted``.

    The result appears in one piece: an interrupted conversion leaves nothing that could be taken for a
    finished one. Imports torch and transformers.
    """
    from ctranslate2.converters import TransformersConverter

    from checker.translation.transformers_engine import quietly

    class Converter(TransformersConverter):  # type: ignore[misc]
        def load_model(self, model_class: Any, folder: str, **options: Any) -> Any:
            return super().load_model(model_class, folder, **options | {"dtype": "float32"})

        def load_tokenizer(self, tokenizer_class: Any, folder: str, **options: Any) -> Any:
            tokenizer = super().load_tokenizer(tokenizer_class, folder, **options)
            # transformers 5 no longer lists M2M100's language tokens where the converter looks for them.
            tokenizer.add_tokens(list(getattr(tokenizer, "lang_token_to_id", [])), special_tokens=True)
            return tokenizer

    converted.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f"{converted.name}-", dir=converted.parent) as scratch:
        draft = Path(scratch) / "draft"
        with quietly():
            Converter(str(folder)).convert(str(draft), quantization=quantization)
        try:
            draft.rename(converted)
        except OSError:
            if not converted.is_dir():  # otherwise another process was faster
                raise


def cores() -> int:
    """Processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
