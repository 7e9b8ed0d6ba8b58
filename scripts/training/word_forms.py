"""What words of a language are easily taken for one another: forms of one word, and words in the same places.

Forms come from the dictionaries of the PyPI package simplemma (MIT), which training alone needs. Words that
stand between the same neighbours, as prepositions and articles do, are found in the text itself (as
Schütze 1995).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

WITHOUT = ("ja", "ko", "zh")
"""Languages of which simplemma has no dictionary."""

MOST_FORMS = 12
"""Forms that a word is replaced by: the most frequent ones."""

PLACED = 250
"""Most frequent words that are compared by their neighbours."""

NEIGHBOURS = 600
"""Most frequent words that count as neighbours."""

ALIKE = 6
"""Words that a frequent word is replaced by: those most like it."""


class Forms(NamedTuple):
    """Forms of the words of a language.

    Attributes:
        base: word in lower case → its dictionary form, where that is another word.
        others: word in lower case → other forms of it.
    """

    base: dict[str, str]
    others: dict[str, list[str]]


def learn_forms(counts: Mapping[str, int], language: str) -> Forms:
    """Forms of the words that occur more than once.

    Args:
        counts: words as they are written, and how often.
        language: ISO 639-1 code; in Korean, whose endings are syllables, words that share all but the last
            two are taken for forms of one word, and in Chinese and Japanese none are.
    """
    if language in WITHOUT and language != "ko":
        return Forms({}, {})
    written: dict[str, tuple[int, str]] = {}
    times: Counter[str] = Counter()
    for word, count in counts.items():
        if word.isalpha():
            written[word.lower()] = max((count, word), written.get(word.lower(), (0, "")))
            times[word.lower()] += count
    usual = {lower: (times[lower], word) for lower, (_, word) in written.items() if times[lower] > 1}
    base = {lower: _base(word, language) for lower, (_, word) in usual.items()}
    groups: defaultdict[str, list[str]] = defaultdict(list)
    for lower in sorted(usual, key=lambda one: (-usual[one][0], one)):
        groups[base[lower].lower()].append(lower)
    others = {
        lower: [usual[other][1] for other in group if _other(other, lower)][:MOST_FORMS]
        for group in groups.values()
        for lower in group
        if len(group) > 1
    }
    if language == "ko":
        base = {}
    return Forms({lower: form for lower, form in base.items() if _other(form.lower(), lower)}, others)


def _other(word: str, than: str) -> bool:
    """Whether a word is another one, and not the same with a dot over its letters less."""
    return word.replace("ё", "е") != than.replace("ё", "е")


def _base(word: str, language: str) -> str:
    if language == "ko":
        return word[: max(2, len(word) - 2)]
    import simplemma

    return str(simplemma.lemmatize(word, lang=language))


def learn_alike(sentences: Iterable[Sequence[str]]) -> dict[str, list[str]]:
    """Frequent words → those most like them by the words before and after (cosine of positive pointwise
    mutual information).

    Args:
        sentences: words of each, in lower case.
    """
    rows = list(sentences)
    common = [word for word, _ in Counter(word for row in rows for word in row).most_common(NEIGHBOURS)]
    placed = {word: number for number, word in enumerate([w for w in common if w.isalpha()][:PLACED])}
    near = {word: number for number, word in enumerate(common)}
    table = np.zeros((len(placed), 2 * len(common)))
    for row in rows:
        for one, other in pairwise(row):
            if one in placed and other in near:
                table[placed[one], len(common) + near[other]] += 1
            if other in placed and one in near:
                table[placed[other], near[one]] += 1
    if not table.sum():
        return {}
    expected = table.sum(1, keepdims=True) * table.sum(0, keepdims=True) / table.sum()
    with np.errstate(divide="ignore", invalid="ignore"):
        gain = np.nan_to_num(np.maximum(np.log(table / expected), 0.0), nan=0.0, neginf=0.0)
    gain /= np.linalg.norm(gain, axis=1, keepdims=True) + 1e-9
    likeness = gain @ gain.T
    np.fill_diagonal(likeness, -1.0)
    words = list(placed)
    return {
        word: [words[other] for other in np.argsort(-likeness[number])[:ALIKE] if likeness[number, other] > 0]
        for word, number in placed.items()
    }
