"""The encoder: every piece of a text as a vector that knows its neighbours.

The first layers of a multilingual BERT (Devlin et al. 2019), fine-tuned twice: to tell translations from
other text, and to find faulty words, as the discriminator of ELECTRA does (Clark et al. 2020). So each piece
has two vectors; ``checker.evidence.heads`` says what is read from them. They are computed with 32-bit floats
on every processor, and a text is padded to the next multiple of eight pieces, whatever is beside it: what is
said of it is the same alone and in company.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from checker.errors import ModelCorruptedError
from checker.models.tokenizer import alike, bucket

FAULTS = "faults"
"""Folder, inside that of the encoder, of the layers that find faulty words."""

WINDOW = 126
"""Pieces of a text that are read together; a longer text is read in windows."""

_BATCH_TOKENS = 1024
_MARK = (-1, -1)  # the span of what is no piece

Floats = npt.NDArray[np.float32]
Integers = npt.NDArray[np.int32]


class Pieces(NamedTuple):
    """What the encoder makes of a text.

    Attributes:
        vectors: one for each piece, and for the marks around each window; (vectors, width); (0, 0) of a text
            without a piece.
        faults: the same by the layers that find faulty words.
        spans: first character of each piece and one past its last; -1 for marks; (vectors, 2).
    """

    vectors: Floats
    faults: Floats
    spans: Integers


class Encoder:
    """A converted encoder. Safe to share by threads.

    Args:
        folder: with the tokenizer, and the layers that find faulty words in `FAULTS`; what
            ``scripts/training/encoder_ship.py`` and ``faults.py`` wrote.
        converted: with the other layers, in CTranslate2's format as well.
        label: name@revision.
        device: ``auto``, ``cpu`` or ``cuda``.
        threads: on the CPU; by default one per core.

    Raises:
        CheckerError: ``cuda`` was asked for and there is no such device.
        ModelCorruptedError: a file is missing or damaged.
    """

    def __init__(
        self, folder: Path, converted: Path, label: str, *, device: str = "auto", threads: int | None = None
    ) -> None:
        import ctranslate2
        from tokenizers import Tokenizer

        from checker.models.ctranslate2_engine import placed

        self.label = label
        place = placed(device, threads, "float32")
        try:
            self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
            self._stacks = [ctranslate2.Encoder(str(path), **place) for path in (converted, folder / FAULTS)]
        except Exception as error:  # tokenizers raises no class of its own
            problem = f"The encoder in {folder} cannot be read ({error}). Install the package again."
            raise ModelCorruptedError(problem) from None
        self._tokenizer.encode_special_tokens = True  # "</s>" in a post is text, not the end of it
        self._first, self._last = (int(self._tokenizer.token_to_id(mark) or 0) for mark in ("<s>", "</s>"))

    def read(self, texts: Sequence[str]) -> list[Pieces]:
        """The vectors of every text.

        Args:
            texts: of any language, without lone surrogates.
        """
        windows: list[list[int]] = []
        owners: list[int] = []
        places: list[list[tuple[int, int]]] = [[] for _ in texts]
        for number, code in enumerate(self._tokenizer.encode_batch(list(texts), add_special_tokens=False)):
            for start in range(0, len(code.ids), WINDOW):
                windows.append([self._first, *code.ids[start : start + WINDOW], self._last])
                owners.append(number)
                places[number] += [_MARK, *code.offsets[start : start + WINDOW], _MARK]
        read: dict[int, tuple[Floats, Floats]] = {}
        for rows in alike([bucket(len(window)) for window in windows]):
            step = max(1, _BATCH_TOKENS // bucket(len(windows[rows[0]])))
            for start in range(0, len(rows), step):
                part = rows[start : start + step]
                read |= zip(part, self._forward([windows[row] for row in part]), strict=True)
        found: list[list[tuple[Floats, Floats]]] = [[] for _ in texts]
        for row, owner in enumerate(owners):
            found[owner].append(read[row])
        return [
            Pieces(
                _joined([vectors for vectors, _ in part]),
                _joined([faults for _, faults in part]),
                np.array(spans, np.int32).reshape(-1, 2),
            )
            for part, spans in zip(found, places, strict=True)
        ]

    def _forward(self, windows: list[list[int]]) -> list[tuple[Floats, Floats]]:
        """Both vectors of windows that are padded to the same length: of each, (pieces, width)."""
        import ctranslate2

        lengths = [len(window) for window in windows]
        ids = np.zeros((len(windows), bucket(lengths[0])), np.int32)
        for row, window in zip(ids, windows, strict=True):
            row[: len(window)] = window
        given, known = (
            ctranslate2.StorageView.from_array(array) for array in (ids, np.array(lengths, np.int32))
        )
        if self._stacks[0].device != "cpu":
            given, known = (view.to_device(ctranslate2.Device.cuda) for view in (given, known))
        found = []
        for stack in self._stacks:
            hidden = stack.forward_batch(given, lengths=known).last_hidden_state
            if hidden.device != "cpu":
                hidden = hidden.to_device(ctranslate2.Device.cpu)
            found.append(np.array(hidden, dtype=np.float32))
        return [(one[:length], other[:length]) for one, other, length in zip(*found, lengths, strict=True)]


def _joined(windows: list[Floats]) -> Floats:
    """The vectors of a text, from those of its windows."""
    return np.concatenate(windows) if windows else np.zeros((0, 0), np.float32)
