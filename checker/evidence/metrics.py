"""chrF++, BLEU and TER as sacrebleu computes them, configured for a language.

chrF++ (Popović 2017), BLEU (Papineni et al. 2002) and TER (Snover et al. 2006), as implemented by sacrebleu
(Post 2018).
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sacrebleu.metrics.base import Metric

TER_WORDS = 100
"""TER is measured on the first words of a sentence, Chinese and Japanese on the first characters: its search
for shifts takes seconds beyond."""

_BLEU_TOKENIZERS = {"zh": "zh", "ja": "char", "ko": "char"}
UNSPACED = ("zh", "ja")


def signatures(language: str) -> str:
    """The sacrebleu signatures of chrF++, BLEU and TER for a language, separated by semicolons."""
    return metrics(language)[1]


@functools.cache
def metrics(language: str) -> tuple[tuple[Metric, Metric, Metric], str]:
    """chrF++, BLEU and TER for a language, and their signatures."""
    from sacrebleu.metrics.bleu import BLEU
    from sacrebleu.metrics.chrf import CHRF
    from sacrebleu.metrics.ter import TER

    unspaced = language in UNSPACED
    found = (
        CHRF(word_order=2),
        BLEU(effective_order=True, tokenize=_BLEU_TOKENIZERS.get(language, "13a")),
        TER(normalized=unspaced, asian_support=unspaced),
    )
    # A metric has no signature before it has scored a corpus.
    names = [metric.corpus_score(["a"], [["a"]]).name for metric in found]
    return found, "; ".join(
        f"{name}|{metric.get_signature()}" for name, metric in zip(names, found, strict=True)
    )


def head(text: str, language: str) -> str:
    """The part of a text that TER is measured on."""
    return text[:TER_WORDS] if language in UNSPACED else " ".join(text.split()[:TER_WORDS])
