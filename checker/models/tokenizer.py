"""What both engines have in common: the tokens of a text, how many there may be, how they are grouped."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from checker.errors import UnsupportedPairError
from checker.models import Model

if TYPE_CHECKING:
    from sentencepiece import SentencePieceProcessor

MAX_PIECES = 480
"""Longest text in sentencepiece pieces: with the markers it fits the 512 positions of every Marian."""

_FILES = {
    "marian": ("source.spm", "target.spm"),
    "m2m100": ("sentencepiece.bpe.model", "sentencepiece.bpe.model"),
}
_MARKER = re.compile(r"</?s>|<unk>|<pad>|>>\w+<<|__\w+__|madeupword\d+")


class Tokenizer:
    """Text to tokens and back, with the markers of the model's family.

    Uses sentencepiece directly, so that loading a converted model imports neither torch nor transformers, and
    so that a post that contains ``</s>`` or ``>>ru<<`` cannot insert a marker. A text of more than
    ``MAX_PIECES`` pieces is truncated there.

    Args:
        model: a ``marian`` or ``m2m100`` model.
        folder: its Hugging Face files.
    """

    def __init__(self, model: Model, folder: Path) -> None:
        from sentencepiece import SentencePieceProcessor

        self._model = model
        self._source, self._target = (
            SentencePieceProcessor(model_file=str(folder / name)) for name in _FILES[model.family]
        )

    def sources(self, texts: Sequence[str], source: str, target: str) -> list[list[str]]:
        """Tokens for the encoder, one list per text; empty when the text has no visible character.

        Raises:
            UnsupportedPairError: the model does not translate ``source`` into ``target``.
        """
        if not self._model.serves(source, target):
            raise UnsupportedPairError(f"{self._model.label} does not translate {source} into {target}.")
        tag = f"__{source}__" if self._model.family == "m2m100" else self._model.target_tag(target)
        start = [tag] if tag else []
        return [[*start, *row, "</s>"] if row else [] for row in _pieces(self._source, texts)]

    def targets(self, texts: Sequence[str]) -> list[list[str]]:
        """Tokens of translations, without the prefix and without the end of sentence."""
        return _pieces(self._target, texts)

    def prefix(self, target: str) -> list[str]:
        """Tokens that the decoder starts with and that are not part of the translation."""
        return [f"__{target}__"] if self._model.family == "m2m100" else []

    def decode(self, tokens: Iterable[str]) -> str:
        """The text of a translation; markers and unknown words are dropped."""
        return str(self._target.decode([token for token in tokens if not _MARKER.fullmatch(token)])).strip()


def _pieces(processor: SentencePieceProcessor, texts: Sequence[str]) -> list[list[str]]:
    valid = [text.encode("utf-8", "replace").decode("utf-8") for text in texts]  # no lone surrogates
    return [row[:MAX_PIECES] for row in processor.encode(valid, out_type=str)]


def length_limit(length: int) -> int:
    """Longest translation of a source of ``length`` tokens, in tokens.

    A looping translator writes until it is stopped. The limit is two to four times the length of the source
    and depends on nothing else, so that a text is translated the same alone and in a batch.
    """
    return min(2 * max(16, 1 << (length - 1).bit_length()), MAX_PIECES)


def alike(shapes: Sequence[Hashable]) -> list[list[int]]:
    """Numbers of the rows of the same shape, one list per shape; largest shape first, falsy ones left out.

    Largest first, because what is begun last should be done soon.
    """
    groups: dict[Any, list[int]] = defaultdict(list)
    for row, shape in enumerate(shapes):
        if shape:
            groups[shape].append(row)
    return [groups[shape] for shape in sorted(groups, reverse=True)]


def bucket(length: int) -> int:
    """The length that a source of ``length`` tokens is padded to, 0 for 0; it has the same `length_limit`."""
    return -(-length // 8) * 8


def stretched(tokens: Sequence[str], length: int) -> list[str]:
    """A source made ``length`` tokens long by its last piece: beside it, others are padded to that length."""
    *head, piece, end = tokens
    return [*head, *[piece] * (length - len(tokens) + 1), end]


def by_limit(tokens: Sequence[Sequence[str]]) -> dict[int, list[int]]:
    """Numbers of the non-empty rows, shortest first, under the ``length_limit`` that they share."""
    groups: dict[int, list[int]] = defaultdict(list)
    for row in sorted(range(len(tokens)), key=lambda row: len(tokens[row])):
        if tokens[row]:
            groups[length_limit(len(tokens[row]))].append(row)
    return groups
