"""The core of other methods that tell machine translation from human text, for ``scripts/bench/peers.py``.

All scores point the same way: the higher, the more machine-like the text is by the rule of the method's
paper. None of them is the published system: the models are as small as ours.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from checker.evidence.metrics import metrics
from checker.models.language_model import MAX_TOKENS
from checker.models.weights import network
from checker.statistics import Counts, Floats
from scripts.command import ROOT

if TYPE_CHECKING:
    import torch

START, STOP, UNKNOWN = 0, 1, 2
"""Tokens of `CharacterModel` that are no character."""


def bleu(texts: Sequence[str], back_translations: Sequence[str], language: str) -> float:
    """BLEU of a round trip with the sentences of one post taken as one segment, 0 to 100.

    What TSRT builds on (Nguyen-Son et al. 2021): machine-translated text changes less when it is translated
    there and back. Their detector also learns from the pair; this is only the similarity.
    """
    (_, metric, _), _ = metrics(language)
    return float(metric.sentence_score(" ".join(back_translations), [" ".join(texts)]).score)


def likelihood(scores: Sequence[Sequence[float]]) -> float:
    """Mean log-probability of the tokens of a post's sentences: minus its log-perplexity.

    Machine-made text is the more likely one (GLTR: Gehrmann et al. 2019).
    """
    tokens = [value for sentence in scores for value in sentence]
    return sum(tokens) / len(tokens) if tokens else 0.0


def perplexities(
    observer: torch.Tensor, performer: torch.Tensor, tokens: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Log-perplexity and cross-log-perplexity at every position, in nats.

    Args:
        observer: logits of the observer, positions × vocabulary.
        performer: logits of the performer at the same positions.
        tokens: what follows at each position.

    Returns:
        Surprisal of the token under the observer, and cross-entropy of the observer's prediction under
        the performer (Hans et al. 2024).
    """
    said, other = observer.log_softmax(-1), performer.log_softmax(-1)
    return -said.gather(-1, tokens[..., None])[..., 0], -(said.exp() * other).sum(-1)


class Binoculars:
    """Log-perplexity over cross-log-perplexity of two language models with one tokenizer (Hans et al. 2024).

    Args:
        observer: folder of the model whose perplexity is the numerator, with ``tokenizer.json``.
        performer: folder of the other one.
    """

    def __init__(self, observer: Path, performer: Path) -> None:
        from tokenizers import Tokenizer
        from transformers import AutoModelForCausalLM

        if (observer / "tokenizer.json").read_bytes() != (performer / "tokenizer.json").read_bytes():
            raise ValueError("Observer and performer must have the same tokenizer.")
        self._tokenizer = Tokenizer.from_file(str(observer / "tokenizer.json"))
        self._tokenizer.encode_special_tokens = True  # "</s>" in a post is text, not the end of it
        folders = (observer, performer)
        self._models: list[Any] = [network(AutoModelForCausalLM, folder).eval() for folder in folders]

    def ratio(self, sentences: Sequence[str], language: str) -> float:
        """The ratio of one post, sums over all tokens of its sentences; low for a machine."""
        import torch

        tag = self._tokenizer.token_to_id(f">>{language}<<")
        above = below = 0.0
        for encoded in self._tokenizer.encode_batch(list(sentences)):
            ids = torch.tensor([([] if tag is None else [tag]) + encoded.ids[:MAX_TOKENS]])
            if ids.shape[1] < 2:
                continue
            with torch.inference_mode():
                observer, performer = (model(ids[:, :-1], use_cache=False).logits for model in self._models)
                found = perplexities(observer, performer, ids[:, 1:])
            above, below = above + found[0].sum().item(), below + found[1].sum().item()
        return above / below if below else 1.0


def train_performer(corpora: Path, observer: Path, folder: Path, minutes: float) -> Path:
    """A second, smaller language model with the observer's tokenizer and kind of text; kept in ``folder``."""
    model = folder / "model"
    if not (model / "training.json").exists():
        model.mkdir(parents=True, exist_ok=True)
        shutil.copy(observer / "tokenizer.json", model)
        options = ["--layers", "2", "--width", "128", "--lines", "100000", "--minutes", str(minutes)]
        program = [sys.executable, "-m", "scripts.training.fluency"]
        paths = ["--corpora", str(corpora.resolve()), "--out", str(folder.resolve())]
        subprocess.run([*program, *paths, *options], check=True, stdout=sys.stderr, cwd=ROOT)
    return model


class CharacterModel:
    """An n-gram language model over characters with interpolated modified Kneser-Ney smoothing.

    The model inside Monocleaner, which has KenLM estimate one of order 7 with ``--discount_fallback``. The
    ``kenlm`` package on PyPI can query such a model but not estimate it, hence this one: Chen and Goodman
    (1999), with the adjusted counts of Heafield et al. (2013).

    Args:
        texts: training lines.
        order: length of the longest n-gram, 2 or more.
    """

    def __init__(self, texts: Sequence[str], order: int = 7) -> None:
        characters = sorted(set("".join(texts)))
        self._codes = {character: number for number, character in enumerate(characters, UNKNOWN + 1)}
        self._size = len(characters) + UNKNOWN + 1
        tokens, offsets = self._tokens(texts)
        # Every n-gram has a number. Its key is the number of its first n-1 tokens and its last token.
        self._keys = [np.arange(self._size)]
        numbers, suffixes = tokens, [np.zeros(self._size, np.int64)]
        counts, opens = [np.bincount(tokens, minlength=self._size)], [self._keys[0] == START]
        for n in range(2, order + 1):
            here = offsets >= n - 1
            keys = (np.r_[0, numbers[:-1]] * self._size + tokens)[here]
            distinct, first, inverse = np.unique(keys, return_index=True, return_inverse=True)
            self._keys.append(distinct)
            suffixes.append(numbers[here][first])
            opens.append(offsets[here][first] == n - 1)
            counts.append(np.bincount(inverse, minlength=len(distinct)))
            numbers = np.full(len(tokens), -1)
            numbers[here] = inverse
        for n in range(order - 1):  # shorter ones count by how many tokens stand before them (Kneser and Ney)
            before = np.bincount(suffixes[n + 1], minlength=len(counts[n]))
            counts[n] = np.where(opens[n], counts[n], before) if n else before
        lower: Floats = np.array([1 / (self._size - 1)])  # no line goes on with START
        self._probability, self._backoff = [], []
        for n in range(order):
            contexts, size = self._keys[n] // self._size, len(self._keys[n - 1]) if n else 1
            taken = discounts(counts[n])[np.minimum(counts[n], 3)]
            totals = np.bincount(contexts, counts[n], size)
            rest = np.where(totals > 0, np.bincount(contexts, taken, size) / np.maximum(totals, 1), 1.0)
            kept = (counts[n] - taken) / np.maximum(totals[contexts], 1)
            lower = kept + rest[contexts] * lower[suffixes[n]]
            self._probability.append(lower)
            self._backoff.append(rest)

    def log_probabilities(self, text: str) -> Floats:
        """Log-probability (nats) of every character of a line and of its end."""
        tokens, offsets = self._tokens([text])
        found, numbers = self._probability[0][tokens], tokens
        for n in range(1, len(self._keys)):
            contexts, keys = np.r_[-1, numbers[:-1]], self._keys[n]
            if not len(keys):
                break  # every training line is shorter
            wanted = contexts * self._size + tokens
            place = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
            known = (offsets >= n) & (contexts >= 0)
            seen = known & (keys[place] == wanted)
            found[seen] = self._probability[n][place[seen]]
            found[known & ~seen] *= self._backoff[n][contexts[known & ~seen]]
            numbers = np.where(seen, place, -1)
        return np.log(found[1:])

    def _tokens(self, texts: Sequence[str]) -> tuple[Counts, Counts]:
        """Tokens of all lines, one after the other, and the place of each token in its line."""
        lines = [[START, *(self._codes.get(c, UNKNOWN) for c in text), STOP] for text in texts]
        tokens = np.array([token for line in lines for token in line], np.int64)
        return tokens, np.concatenate([np.arange(len(line)) for line in lines])


def discounts(counts: NDArray[np.int64]) -> Floats:
    """What to take from counts of 0, 1, 2 and of 3 or more (Chen and Goodman 1999).

    Half, one and one and a half where too few n-grams are there to estimate it, as KenLM's fallback does.
    """
    ones, twos, threes, fours = (int((counts == k).sum()) for k in (1, 2, 3, 4))
    if not (ones and twos and threes):
        return np.array([0, 0.5, 1.0, 1.5])
    share = ones / (ones + 2 * twos)
    pairs = ((1, twos / ones), (2, threes / twos), (3, fours / threes))
    found = [k - (k + 1) * share * ratio for k, ratio in pairs]
    usable = all(0 <= d <= k for (k, _), d in zip(pairs, found, strict=True))
    return np.array([0, *found] if usable else [0, 0.5, 1.0, 1.5])


def disfluency(model: CharacterModel, sentences: Sequence[str]) -> float:
    """Minus Monocleaner's raw score of a post: log-probability over characters and line ends.

    Monocleaner takes text of low probability for not fluent. Its score between 0 and 1 is this figure, cut
    off at both ends, which could only make ties.
    """
    values = np.concatenate([model.log_probabilities(sentence) for sentence in sentences])
    return -float(values.mean())


class NgramClassifier:
    """TF-IDF of character 1–5-grams and logistic regression, the usual yardstick.

    Args:
        texts: training lines.
        machine: 1 for machine lines, 0 for human ones.
        weights: of the lines.
    """

    def __init__(self, texts: Sequence[str], machine: Sequence[int], weights: Floats | None = None) -> None:
        from sklearn.feature_extraction.text import TfidfVectorizer
        from sklearn.linear_model import LogisticRegression

        least = 3 if len(texts) > 1000 else 1
        self._vectorizer = TfidfVectorizer(
            analyzer="char", ngram_range=(1, 5), min_df=least, sublinear_tf=True, dtype=np.float32
        )
        self._model = LogisticRegression(solver="liblinear", C=10.0, random_state=0)
        self._model.fit(self._vectorizer.fit_transform(texts), machine, sample_weight=weights)

    def log_odds(self, texts: Sequence[str]) -> Floats:
        """Log-odds that each text is machine-made."""
        found: Floats = self._model.decision_function(self._vectorizer.transform(texts))
        return found
