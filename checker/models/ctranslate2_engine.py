"""The default engine: CTranslate2, on a CPU with the numbers that suit it, on a GPU with 16-bit floats.

What is said of a sentence does not depend on the sentences beside it, and may be kept: every text is padded
to a length that follows from its own, so that it goes through the same additions in a batch as alone. Where
texts are scored, on the CPU, those of one length are taken together, without padding. On a GPU the third
decimal may change.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from checker import processor
from checker.errors import CheckerError
from checker.models import Model, Store
from checker.models.tokenizer import Tokenizer, alike, bucket, length_limit, stretched
from checker.models.translator import BEAM, Translation
from checker.processor import Arithmetic

_TRANSLATE_TOKENS = 1024
_UNLIMITED = 1 << 20
_SCORE_TOKENS = 128  # a score batch holds one logit for every position and word of the vocabulary


class CTranslate2Translator:
    """A converted Marian or M2M100.

    Args:
        model: what the model is and which pairs it serves.
        folder: its Hugging Face files; only the sentencepiece models are read.
        converted: folder of the conversion; see ``convert``.
        beam: width of the beam; 1 is greedy search.
        device: ``auto``, ``cpu`` or ``cuda``.
        compute_type: the numbers to compute with; None is those of ``arithmetic``.
        threads: on the CPU; by default ``cores()``.

    Raises:
        CheckerError: ``cuda`` was asked for and there is no such device.
    """

    forced_decoding = True

    def __init__(
        self,
        model: Model,
        folder: Path,
        converted: Path,
        *,
        beam: int = BEAM,
        device: str = "auto",
        compute_type: str | None = None,
        threads: int | None = None,
    ) -> None:
        import ctranslate2

        place = placed(device, threads, compute_type)
        self.label = model.label
        self._model, self._beam = model, beam
        self._tokenizer = Tokenizer(model, folder)
        self._translator = ctranslate2.Translator(str(converted), **place)
        self._padded = place["device"] != "cpu"

    def serves(self, source: str, target: str) -> bool:
        """Whether the model translates ``source`` into ``target``."""
        return self._model.serves(source, target)

    def translate(self, texts: Sequence[str], source: str, target: str) -> list[Translation]:
        """See ``Translator.translate``."""
        sources = self._tokenizer.sources(texts, source, target)
        translations = [Translation("", 0.0)] * len(texts)
        prefix = self._tokenizer.prefix(target)
        running: list[tuple[int, Any]] = []
        for rows in alike([bucket(len(tokens)) for tokens in sources]):
            width = bucket(len(sources[rows[0]]))
            for start in range(0, len(rows), size := max(_TRANSLATE_TOKENS // width, 1)):
                part = rows[start : start + size]
                batch = [sources[row] for row in part]
                if (longest := max(batch, key=len)) and len(longest) < width:
                    batch.append(stretched(longest, width))  # its translation is not used
                results = self._translator.translate_batch(
                    batch,
                    target_prefix=[prefix] * len(batch),
                    beam_size=self._beam,
                    max_input_length=0,
                    max_decoding_length=length_limit(width) + len(prefix),
                    return_end_token=True,
                    return_scores=True,
                    asynchronous=True,
                )
                running += zip(part, results, strict=False)
        for row, future in running:
            result = future.result()
            tokens, mean = result.hypotheses[0], result.scores[0]
            # The prefix has probability 1 but counts as length.
            mean *= len(tokens) / (len(tokens) - len(prefix))
            translations[row] = Translation(self._tokenizer.decode(tokens), min(mean, 0.0))
        return translations

    def log_probabilities(
        self, sources: Sequence[str], targets: Sequence[str], source: str, target: str
    ) -> list[list[float]]:
        """See ``Translator.log_probabilities``."""
        encoded = self._tokenizer.sources(sources, source, target)
        decoded = self._tokenizer.targets(targets)
        prefix = self._tokenizer.prefix(target)
        shapes = [(len(a), len(b)) if a and b else None for a, b in zip(encoded, decoded, strict=True)]
        if self._padded:
            shapes = [shape and (1, 1) for shape in shapes]
        scores: list[list[float]] = [[] for _ in sources]
        running: list[tuple[int, Any]] = []
        for rows in alike(shapes):
            results = self._translator.score_batch(
                [encoded[row] for row in rows],
                [prefix + decoded[row] for row in rows],
                max_batch_size=_SCORE_TOKENS,
                batch_type="tokens",
                max_input_length=0,
                offset=len(prefix),
                asynchronous=True,
            )
            running += zip(rows, results, strict=True)
        for row, future in running:
            scores[row] = [min(value, 0.0) for value in future.result().log_probs]
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

    from checker.models.transformers_engine import quietly

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


def placed(device: str, threads: int | None = None, compute_type: str | None = None) -> dict[str, Any]:
    """Arguments of a CTranslate2 model: where it runs, with which numbers, on how many threads.

    Args:
        device: ``auto``, ``cpu`` or ``cuda``; ``auto`` is ``cuda`` where there is one.
        threads: on the CPU; by default ``cores()``. Each computes a batch of its own: threads inside one
            product of small matrices wait for each other.
        compute_type: the numbers; by default those of ``arithmetic``.

    Raises:
        CheckerError: ``cuda`` was asked for and there is no such device.
    """
    if device == "cuda" and not _sees_gpu():
        raise CheckerError("CTranslate2 sees no CUDA device: use the device cpu or auto.")
    found = arithmetic(device)
    compute_type = compute_type or found
    if found == "float16":
        return {"device": "cuda", "compute_type": compute_type}
    parallel = {"inter_threads": threads or cores(), "intra_threads": 1}
    return {"device": "cpu", "compute_type": compute_type, **parallel}


def arithmetic(device: str) -> Arithmetic:
    """The numbers that this engine computes with; CTranslate2 makes them from any stored weights.

    Args:
        device: as for ``placed``; ``cuda`` need not be there.
    """
    if device == "cuda" or (device == "auto" and _sees_gpu()):
        return "float16"
    return processor.arithmetic(processor.here())


def _sees_gpu() -> bool:
    import ctranslate2

    return bool(ctranslate2.get_cuda_device_count() > 0)


def cores() -> int:
    """Processor cores that this process may use: its affinity, its cgroup's quota, ``OMP_NUM_THREADS``."""
    found = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    asked = os.environ.get("OMP_NUM_THREADS", "").split(",")[0].strip()
    if asked.isdecimal() and int(asked):
        found = min(found, int(asked))
    return max(1, min(found, _quota(Path("/sys/fs/cgroup"))))


def _quota(root: Path) -> int:
    """Cores that a container may use, at least 1; many where no quota is set."""
    try:
        quota, period = (root / "cpu.max").read_text().split()[:2]  # cgroup v2
    except (OSError, ValueError):
        try:
            quota, period = (
                (root / "cpu" / f"cpu.cfs_{name}_us").read_text().strip() for name in ("quota", "period")
            )
        except OSError:
            return _UNLIMITED
    if not (quota.isdecimal() and period.isdecimal() and int(period)):
        return _UNLIMITED  # "max" or -1
    return max(1, -(-int(quota) // int(period)))
