"""Translate each sentence into a pivot language and back, and measure what of it comes back.

Text that a machine translated is close to what a translator would write, so that little is lost on the way
and the translator itself finds the wording likely. Three surface metrics compare the back-translation
(hypothesis) with the sentence (reference): chrF++ (Popović 2017), BLEU (Papineni et al. 2002) and TER
(Snover et al. 2006), as implemented by sacrebleu (Post 2018). Where they count or are asked for, two figures
come from a translator that has forced decoding: the log-likelihood of the sentence given its pivot
translation (Prism, Thompson and Post 2020), and how much more likely its own best output is.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import pairwise
from typing import NamedTuple

from checker.evidence.cache import Cache, remembered
from checker.evidence.metrics import UNSPACED, head, metrics, signatures
from checker.models.translator import Translator
from checker.result import Grade, RoundTrip
from checker.text import Span, width, words

CAPITALS = 0.7  # share of capitals among letters from which the round trip of a sentence does not count
_RUN = re.compile(r"(.)\1{15,}|(.{2,20}?)\2{5,}", re.DOTALL)


class Change(NamedTuple):
    """Words that did not come back as they were.

    Attributes:
        start, end: their span in the sentence; empty where words were only added.
        back_start, back_end: what stands in their place in the back-translation; empty where it lacks them.
    """

    start: int
    end: int
    back_start: int
    back_end: int


@dataclass(frozen=True)
class SentenceRoundTrip:
    """What one sentence gave.

    Attributes:
        pivot_text: the translation into the pivot.
        back_translation: the translation of ``pivot_text`` back.
        chrf: chrF++, 0 to 100.
        bleu: BLEU with effective order, 0 to 100.
        ter: translation edit rate in per cent, over the first ``TER_WORDS`` words; may exceed 100.
        log_likelihood: mean token log-probability (nats) of the sentence, forced-decoded from
            ``pivot_text``; 0 when there is no token, None without forced decoding.
        gap: mean token log-probability of the back-translation minus ``log_likelihood``; None where that is.
        token_log_likelihoods: of every token of the sentence, end of sentence last; empty without forced
            decoding.
        reliable: False when the translator looped, copied or lost the sentence; see ``is_reliable``.
        changes: words that did not come back, in text order; none when the round trip is unreliable.
        columns: length of the sentence; wide characters count as two.
    """

    pivot_text: str
    back_translation: str
    chrf: float
    bleu: float
    ter: float
    log_likelihood: float | None
    gap: float | None
    token_log_likelihoods: tuple[float, ...]
    reliable: bool
    changes: tuple[Change, ...]
    columns: int


class Raw(NamedTuple):
    """What the translators gave for one sentence: what is worth keeping.

    Attributes:
        pivot_text: the translation into the pivot.
        back_translation: the translation of ``pivot_text`` back.
        back_log_likelihood: mean token log-probability (nats) of ``back_translation``; None by a translator
            that does not say.
        tokens: log-probability (nats) of every token of the sentence given ``pivot_text``; None without
            forced decoding, or where it is not asked for.
    """

    pivot_text: str
    back_translation: str
    back_log_likelihood: float | None
    tokens: Sequence[float] | None


def translated(
    sentences: Sequence[str],
    language: str,
    pivot: str,
    forward: Translator,
    backward: Translator,
    *,
    likelihood: bool = True,
) -> list[Raw]:
    """Send every sentence there and back, all in one batch.

    Args:
        sentences: distinct sentences of any number of posts.
        language: what they are written in, ISO 639-1.
        pivot: language to translate them into.
        forward: translates ``language`` into ``pivot``.
        backward: translates ``pivot`` into ``language``.
        likelihood: also force-decode every sentence, where the translator can.

    Raises:
        UnsupportedPairError: a translator does not serve its direction.
    """
    pivots = [translation.text for translation in forward.translate(sentences, language, pivot)]
    backs = backward.translate(pivots, pivot, language)
    scores: Sequence[list[float] | None] = [None] * len(pivots)
    if likelihood and backward.forced_decoding:
        scores = backward.log_probabilities(pivots, sentences, pivot, language)
    return [
        Raw(pivot_text, back.text, back.log_likelihood, tokens)
        for pivot_text, back, tokens in zip(pivots, backs, scores, strict=True)
    ]


def round_trips(
    sentences: Sequence[str],
    language: str,
    pivot: str,
    forward: Translator,
    backward: Translator,
    cache: Cache | None = None,
    scope: str = "",
    *,
    likelihood: bool = True,
) -> list[SentenceRoundTrip]:
    """The round trip of every sentence, in their order; equal ones are sent once.

    Args:
        sentences: sentences of any number of posts.
        language, pivot, forward, backward: as for ``translated``.
        cache: has what the translators gave before.
        scope: the models and options that ``cache`` knows it by.
        likelihood: as for ``translated``.

    Raises:
        UnsupportedPairError: a translator does not serve its direction.
    """

    def send(new: list[str]) -> list[Raw]:
        return translated(new, language, pivot, forward, backward, likelihood=likelihood)

    def complete(raw: Raw) -> bool:
        """Whether there are both translations: an engine that came to an end may give them next time."""
        return bool(raw.pivot_text and raw.back_translation)

    found = dict(zip(sentences, remembered(cache, scope, sentences, send, complete), strict=True))
    trips = {sentence: _measured(sentence, language, pivot, Raw(*raw)) for sentence, raw in found.items()}
    return [trips[sentence] for sentence in sentences]


def aggregate(
    trips: Sequence[SentenceRoundTrip], pivot: str, language: str, grade: Grade = "draft"
) -> RoundTrip | None:
    """Means over the reliable sentences, weighted by their columns; None when there is none.

    Args:
        trips: of the sentences of a post.
        pivot, language: ISO 639-1 codes.
        grade: of the translators, the lower one of both.
    """
    counted = [trip for trip in trips if trip.reliable]
    if not counted:
        return None

    def mean(name: str, digits: int) -> float | None:
        found = [(value, trip.columns) for trip in counted if (value := getattr(trip, name)) is not None]
        total = sum(columns for _, columns in found)
        return round(sum(value * columns for value, columns in found) / total, digits) if found else None

    return RoundTrip(
        pivot=pivot,
        chrf=mean("chrf", 2) or 0.0,
        bleu=mean("bleu", 2) or 0.0,
        ter=mean("ter", 2) or 0.0,
        log_likelihood=mean("log_likelihood", 4),
        gap=mean("gap", 4),
        signature=signatures(language),
        grade=grade,
    )


def is_reliable(sentence: str, pivot_text: str, back_translation: str, language: str, pivot: str) -> bool:
    """Whether the round trip says something about the sentence.

    It does not when a translation is empty or a mere copy (of letters and digits, whatever became of capitals
    and punctuation), when the back-translation is less than half or
    more than twice as long as the sentence (ten characters aside, which short sentences need), or when a
    translation loops: a run of one repeated string that its source lacks, or a most frequent 4-gram that
    occurs at least twice more often than the most frequent one of its source. These are the oscillatory
    hallucinations of Raunak et al. (2021), found with the n-gram test of Guerreiro et al. (2023).
    """
    if not pivot_text or not back_translation or _bare(pivot_text) == _bare(sentence):
        return False
    ratio = (len(back_translation) + 10) / (len(sentence) + 10)
    counts = _repeats(sentence, language), _repeats(pivot_text, pivot), _repeats(back_translation, language)
    loops = any(after >= before + 2 for before, after in pairwise(counts)) or any(
        _RUN.search(after) and not _RUN.search(before)
        for before, after in pairwise((sentence, pivot_text, back_translation))
    )
    return 0.5 <= ratio <= 2.0 and not loops


def changes(sentence: str, back_translation: str) -> tuple[Change, ...]:
    """Words that the back-translation replaced, dropped or added, with their place on both sides.

    Words are compared without regard to case, and punctuation is not compared at all.
    """
    ours, theirs = words(sentence), words(back_translation)
    keys = [_key(word) for word in ours], [_key(word) for word in theirs]
    opcodes = SequenceMatcher(None, *keys, autojunk=False).get_opcodes()
    return tuple(
        Change(*_extent(ours, i, j, len(sentence)), *_extent(theirs, k, m, len(back_translation)))
        for kind, i, j, k, m in opcodes
        if kind != "equal"
    )


def _extent(spans: Sequence[Span], first: int, stop: int, length: int) -> tuple[int, int]:
    """Where words ``first`` to ``stop`` begin and end; the place before ``first`` when there are none."""
    if first < stop:
        return spans[first].start, spans[stop - 1].end
    place = spans[first].start if first < len(spans) else length
    return place, place


def _measured(sentence: str, language: str, pivot: str, raw: Raw) -> SentenceRoundTrip:
    (chrf, bleu, ter), _ = metrics(language)
    back, tokens = raw.back_translation, tuple(raw.tokens or ())
    # Translators write in the normal form of their tokenizer: both sides are compared in one.
    ours, theirs = (unicodedata.normalize("NFKC", text) for text in (sentence, back))
    log_likelihood = gap = None
    if raw.tokens is not None:
        log_likelihood = round(sum(tokens) / len(tokens) if tokens else 0.0, 4)
        if raw.back_log_likelihood is not None:
            gap = round(raw.back_log_likelihood - log_likelihood, 4)
    visible = bool(tokens) or raw.tokens is None
    reliable = (
        visible
        and not _in_capitals(sentence)
        and is_reliable(sentence, raw.pivot_text, back, language, pivot)
    )
    heads = [head(text, language) for text in (theirs, ours)]
    return SentenceRoundTrip(
        pivot_text=raw.pivot_text,
        back_translation=back,
        chrf=round(chrf.sentence_score(theirs, [ours]).score, 2),
        bleu=round(bleu.sentence_score(theirs, [ours]).score, 2),
        ter=round(ter.sentence_score(heads[0], heads[1:]).score, 2),
        log_likelihood=log_likelihood,
        gap=gap,
        token_log_likelihoods=tokens,
        reliable=reliable,
        changes=changes(sentence, back) if reliable else (),
        columns=width(sentence),
    )


def _in_capitals(sentence: str) -> bool:
    """Whether a sentence is in capitals, which translators copy rather than translate."""
    cased = [letter for letter in sentence if letter.isupper() or letter.islower()]
    return len(words(sentence)) > 2 and sum(map(str.isupper, cased)) > CAPITALS * len(cased)


def _bare(text: str) -> str:
    """Letters and digits of a text, in small letters; the text itself where there are none."""
    return "".join(character for character in text.casefold() if character.isalnum()) or text


def _key(word: Span) -> str:
    return _bare(word.text)


def _repeats(text: str, language: str) -> int:
    """How often the most frequent 4-gram of words occurs; 8-gram where a word is a single character."""
    keys = [_key(word) for word in words(text)]
    n = 8 if language in UNSPACED else 4
    return max(Counter(zip(*(keys[shift:] for shift in range(n)), strict=False)).values(), default=0)
