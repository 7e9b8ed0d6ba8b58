"""Firefox Translations: small Marian models (Mozilla, MPL-2.0) that run by fxtranslate on any processor.

The models are students of 17 to 60 MB with a recurrent decoder (SSRU; Kim et al. 2019, "From research to
production and back", WNGT), in 8-bit integers, and translate greedily. There is no forced decoding: they say
nothing of how likely a given translation is. What is said of a sentence does not depend on those beside it.

fxtranslate cuts what is longer than its context without a word, and ends every translation after 256 pieces.
A longer sentence is therefore split here, at the punctuation next to its middle, and its translated parts are
joined again.
"""

from __future__ import annotations

import atexit
import importlib.util
import json
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path
from queue import LifoQueue
from typing import Any, NoReturn

import regex

from checker.errors import CheckerError, ModelCorruptedError, UnsupportedPairError
from checker.models.ctranslate2_engine import cores
from checker.models.registry import Model
from checker.models.translator import Translation
from checker.processor import has_avx2
from checker.text import valid

CONTEXT = 127
"""Pieces of source text that a model reads; fxtranslate's own segmenter cuts there, too."""

PART = 16
"""Sentences in a request to a worker, at most: the pipe costs nothing, and the work can be shared out."""

PROBE = "2026 1 2 3."
"""A text that a sound model of any language translates."""

_WORKER = Path(__file__).with_name("firefox_worker.py")
_UNSPACED = ("zh", "ja")
_BREAK = regex.compile(r"(?<=[;:.!?—–])\s+|(?<=,)\s+|(?<=[、，；：。！？،؛۔])\s*")
_SPACE = regex.compile(r"\s+")
_log = logging.getLogger(__name__)


class FirefoxTranslator:
    """A Firefox model.

    Args:
        model: what the model is and which pair it serves.
        folder: its files, verified: ``model.*.bin``, ``vocab.*.spm`` or ``srcvocab.*.spm`` and
            ``trgvocab.*.spm``, and ``lex.*.bin``, without which it is somewhat slower.
        threads: worker processes, at most; by default ``cores()``. All translators of a process share them.

    Raises:
        CheckerError: fxtranslate is not installed, or not for this processor.
        ModelCorruptedError: a file that the model needs is missing.
    """

    forced_decoding = False

    def __init__(self, model: Model, folder: Path, *, threads: int | None = None) -> None:
        if problem := hindrance():
            raise CheckerError(f"{model.id} cannot run here: {problem}")
        self.label = model.label
        self._model = model
        self._files = files(folder, model)
        self._workers = _workers(threads or cores())

    def serves(self, source: str, target: str) -> bool:
        """Whether the model translates ``source`` into ``target``."""
        return self._model.serves(source, target)

    def translate(self, texts: Sequence[str], source: str, target: str) -> list[Translation]:
        """See ``Translator.translate``; ``log_likelihood`` is None.

        A text that ends the engine, in two processes, has an empty translation, so that its round trip is not
        reliable; the others are translated.

        Raises:
            UnsupportedPairError: the model does not serve the pair.
            ModelCorruptedError: the engine refuses the files.
            CheckerError: the engine ends whatever it is given.
        """
        self._require(source, target)
        parts = [list(self._parts(valid(text))) for text in texts]
        flat = iter(self._translated([part for split in parts for part in split]))
        joint = "" if target in _UNSPACED else " "
        found = [[next(flat) for _ in split] for split in parts]
        return [Translation("" if None in split else joint.join(map(str, split)), None) for split in found]

    def log_probabilities(
        self, sources: Sequence[str], targets: Sequence[str], source: str, target: str
    ) -> list[list[float]]:
        """There is no forced decoding: every list is empty."""
        self._require(source, target)
        return [[] for _ in sources]

    def pieces(self, text: str) -> int:
        """Length of a source text in the model's own units."""
        return len(self._vocabulary.encode(text))

    @cached_property
    def _vocabulary(self) -> Any:
        from sentencepiece import SentencePieceProcessor

        try:
            return SentencePieceProcessor(model_file=self._files["source"])
        except (OSError, RuntimeError) as error:
            raise ModelCorruptedError(
                f"{self._files['source']} is no sentencepiece model ({error})."
            ) from None

    def _require(self, source: str, target: str) -> None:
        if not self.serves(source, target):
            raise UnsupportedPairError(f"{self.label} does not translate {source!r} into {target!r}.")

    def _parts(self, text: str) -> Iterator[str]:
        """The text in parts that fit the context; nothing where there is no visible character."""
        text = " ".join(text.split())
        # A piece is at least a byte.
        if len(text.encode()) <= CONTEXT or self.pieces(text) <= CONTEXT:
            if text:
                yield text
            return
        place = _middle(text)
        yield from self._parts(text[:place])
        yield from self._parts(text[place:])

    def _translated(self, texts: list[str]) -> list[str | None]:
        """Every text, once, the longest first, shared out over the workers; None for what fails."""
        waiting = sorted(set(texts), key=lambda text: (-len(text), text))
        size = max(1, min(PART, -(-len(waiting) // (4 * self._workers.count))))
        requests = [waiting[start : start + size] for start in range(0, len(waiting), size)]
        found: dict[str, str | None] = {}
        for request, answers in zip(requests, self._workers.map(self._ask, requests), strict=True):
            found |= zip(request, answers, strict=True)
        return [found[text] for text in texts]

    def _ask(self, worker: _Worker, texts: list[str]) -> list[str | None]:
        answers = self._answers(worker, texts)
        failed = [text for text, answer in zip(texts, answers, strict=True) if answer is None]
        if failed:
            self._probe(worker)
            _log.warning(
                "The engine of %s fails on %d of %d sentences, the longest of %d characters: their round "
                "trips do not count.",
                self.label, len(failed), len(texts), max(map(len, failed)),
            )  # fmt: skip
        return answers

    def _answers(self, worker: _Worker, texts: list[str]) -> list[str | None]:
        """The translations; where processes end, of each text on its own, and None for those at fault."""
        for _ in range(2):
            try:
                found: list[str | None] = self._answer(worker, texts)["texts"]
                return found
            except (OSError, ValueError):
                worker.close()
        return [None] if len(texts) == 1 else [self._answers(worker, [text])[0] for text in texts]

    def _probe(self, worker: _Worker) -> None:
        """Raise unless the model translates at all: then it is the texts that the engine fails on."""
        try:
            answer = self._answer(worker, [PROBE])
        except (OSError, ValueError):
            raise CheckerError(
                f"The engine of {self.label} ends as soon as it translates (status {worker.close()}). Verify "
                "its files with: checker models verify"
            ) from None
        if answer["texts"] == [None]:
            self._refuse(answer["problem"])

    def _answer(self, worker: _Worker, texts: list[str]) -> dict[str, Any]:
        """What a worker says.

        Raises:
            OSError, ValueError: its process came to an end.
            ModelCorruptedError: the model cannot be loaded.
        """
        answer = worker.ask({**self._files, "texts": texts})
        if "error" in answer:
            self._refuse(answer["error"])
        return answer

    def _refuse(self, problem: str) -> NoReturn:
        repair = (
            "Install the package again."
            if self._model.profile == "embedded"
            else f"Repair it with: checker models download --model {self._model.id}"
        )
        raise ModelCorruptedError(f"{self.label} cannot be used ({problem}). {repair}")


def hindrance() -> str:
    """Why Firefox's models cannot run on this machine; empty where they can. Nothing is imported.

    The wheels of fxtranslate for x86 have code for AVX2 and do not ask whether the processor has it.
    """
    if importlib.util.find_spec("fxtranslate") is None:
        return "fxtranslate is missing: pip install fxtranslate"
    return "" if has_avx2() else "fxtranslate needs a processor with AVX2"


def files(folder: Path, model: Model) -> dict[str, str | None]:
    """Paths of the files in a model's folder, by what they are: model, source, target, shortlist.

    Raises:
        ModelCorruptedError: one that the model needs is missing.
    """

    def one(*patterns: str) -> str | None:
        found = (path for pattern in patterns for path in sorted(folder.glob(pattern)))
        return next((str(path) for path in found), None)

    named = {
        "model": one("model.*.bin"),
        "source": one("srcvocab.*.spm", "vocab.*.spm"),
        "target": one("trgvocab.*.spm", "vocab.*.spm"),
        "shortlist": one("lex.*.bin"),
    }
    missing = [name for name in ("model", "source", "target") if named[name] is None]
    if missing:
        raise ModelCorruptedError(f"{model.label} lacks files in {folder}: {', '.join(missing)}.")
    return named


def _middle(text: str) -> int:
    """Where to split a text: at the punctuation next to its middle, else at a space, else in the middle."""
    middle = len(text) // 2
    for pattern in _BREAK, _SPACE:
        places = [match.end() for match in pattern.finditer(text) if 0 < match.end() < len(text)]
        # Punctuation near either end would leave a part of a word or two.
        near = [place for place in places if pattern is _SPACE or abs(place - middle) <= 0.3 * len(text)]
        if near:
            return min(near, key=lambda place: abs(place - middle))
    return middle


class _Worker:
    """A process that translates; see ``firefox_worker``. For one thread at a time."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None

    def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        """The answer to a request.

        Raises:
            OSError, ValueError: the process came to an end.
        """
        if self._process is None:
            self._process = subprocess.Popen(
                [sys.executable, "-P", str(_WORKER)],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                encoding="utf-8",
            )  # fmt: skip
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer

    def close(self) -> int | None:
        """End the process, if there is one, and return its status; the next request starts another."""
        process, self._process = self._process, None
        if process is None:
            return None
        for pipe in process.stdin, process.stdout:
            try:
                if pipe is not None:
                    pipe.close()
            except OSError:
                pass
        try:
            return process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            return process.wait()


class _Workers:
    """Processes that translate, started when they are first needed. Safe to share by threads."""

    def __init__(self, count: int) -> None:
        self.count = count
        self._all = [_Worker() for _ in range(count)]
        self._idle: LifoQueue[_Worker] = LifoQueue()  # the one that has its models loaded comes first
        for worker in reversed(self._all):
            self._idle.put(worker)
        self._pool = ThreadPoolExecutor(count, "firefox")

    def map(self, ask: Any, requests: list[list[str]]) -> Iterator[list[str | None]]:
        """``ask(worker, request)`` for every request, in their order."""

        def answered(request: list[str]) -> list[str | None]:
            worker = self._idle.get()
            try:
                answers: list[str | None] = ask(worker, request)
            finally:
                self._idle.put(worker)
            return answers

        return self._pool.map(answered, requests)

    def close(self) -> None:
        """End the processes."""
        for worker in self._all:
            worker.close()


_pools: dict[tuple[int, int], _Workers] = {}
_guard = threading.Lock()


def _workers(count: int) -> _Workers:
    """The workers of this process: a fork of it must not speak through the same pipes."""
    with _guard:
        key = os.getpid(), count
        if key not in _pools:
            _pools[key] = _Workers(count)
        return _pools[key]


@atexit.register
def _close() -> None:
    for (process, _), workers in list(_pools.items()):
        if process == os.getpid():
            workers.close()
