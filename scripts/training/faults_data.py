"""Human sentences, and the same sentences spoilt: what the encoder of faulty words learns from.

No text by a machine is among them. A sentence comes as it is and in one or two spoilt versions, and every
word of a spoilt version is known to be faulty or not: the task of ELECTRA's discriminator (Clark et al. 2020)
and of grammatical error detection with made-up errors (Grundkiewicz et al. 2019), in 25 languages at once.
Since both sides are of one text, subject, register and length tell nothing, and any human text will do.

Words are spoilt as bad translations spoil them: another form, another word with the same translation, another
preposition or article, one too few or too many, another place. In some sentences words have their dictionary
forms; where a sentence has an English version, it may take the order of that one. Sentences that were typed
without capitals or marks come among the whole ones and among the spoilt ones alike.
"""

from __future__ import annotations

import math
import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from checker import letters
from checker.evidence.style import wording
from checker.text import MARKS, clean, sentences
from scripts.training.corpora import labelled, native_train, parallel, part, spoilt_with
from scripts.training.debian import game_pairs, game_texts
from scripts.training.encoder_data import (
    HELD_OUT_FAMILIES,
    LANGUAGES,
    NO_SPACES,
    Lexicon,
    Post,
    Span,
    augment,
    language_shares,
    rising,
    stem,
    words,
)
from scripts.training.glossary import NEAR, WORDS, Glossary
from scripts.training.word_forms import Forms, learn_alike, learn_forms

MEASURED_SETS = (
    "wmt19", "ntrex", "newstest2019", "wmt09", "newstest2009", "newssyscomb2009", "wmt12", "newstest2012",
)  # fmt: skip
"""Test sets that are kept for measuring: that without machine sides (NTREX), and those of two early years."""

DEV_PARTS = 100
"""One sentence in so many is kept from training, wherever it occurs."""

MOST = 40_000
"""Texts of a register."""

PAIRS = 12_000
"""That a dictionary is learnt from."""

FREQUENT = 40_000
"""Words of a language that others are replaced by."""

SHARES = ((0.0, 0.0, 0.4), (0.05, 0.25, 0.4), (0.25, 0.6, 0.2))
"""How many of the words are spoilt: from, to, and how often. The first is one word."""

CALQUES = 0.4
"""Share of the spoilt sentences with a version in another language that take its order."""

PLAIN = 0.15
"""Share of the spoilt sentences whose words have their dictionary forms."""

WAYS = {"form": 4.0, "sense": 3.0, "small": 3.0, "place": 1.5, "gone": 1.5, "twice": 0.5, "other": 0.5}
"""How often a word is spoilt in each way, before chance makes some of them the habit of a sentence."""

CLOSE = 0.7
"""Share of the small words that are replaced by one that stands in the same places, not by any other; and of
those that are left out, small words rather than others."""

LONGEST = 400
"""Characters of a sentence."""


_MARKS = ".,;:!?()[]«»„“”\"'‘’…。、，！？：；،؟؛।·–—-"


Choices = dict[str, list[tuple[str, float]]]
"""Word → words of the other language, and how likely each is."""


class Item(NamedTuple):
    """A word of a sentence without the marks around it, and whether it is faulty."""

    core: str
    faulty: bool = False


@dataclass
class Vocabulary:
    """What words of one language are replaced by.

    Attributes:
        lexicon: forms of a word, and the small words.
        senses: words with the same translation, but for forms of the word.
        there: counterparts of words in the other language of the pairs, and how likely each is.
        common: frequent words.
        known: words that occur, as they are written.
        forms: other forms of words, and their dictionary forms.
        alike: frequent words → those that stand in the same places.
    """

    lexicon: Lexicon
    senses: dict[str, list[str]] = field(default_factory=dict)
    there: dict[str, list[tuple[str, float]]] = field(default_factory=dict)
    common: list[str] = field(default_factory=list)
    known: frozenset[str] = frozenset()
    forms: Forms = field(default_factory=lambda: Forms({}, {}))
    alike: dict[str, list[str]] = field(default_factory=dict)

    @classmethod
    def learn(cls, texts: Sequence[str], language: str, pairs: Iterable[tuple[str, str]] = ()) -> Vocabulary:
        """From text of a language, and pairs of it with another one."""
        rows = [[text[a:b].strip(_MARKS) for a, b in words(text, language)] for text in texts]
        counts = Counter(word for row in rows for word in row)
        common = [word for word, count in counts.most_common(FREQUENT) if count > 2 and word.isalpha()]
        lexicon = Lexicon.learn(texts, FREQUENT)
        if language in NO_SPACES:
            lexicon.short = [word for word in common if len(word) == 1][:60]
        there, back = dictionaries(list(pairs))
        return cls(
            lexicon, senses(there, back), there, common[:8000], frozenset(counts),
            learn_forms(counts, language), learn_alike([word.lower() for word in row] for row in rows),
        )  # fmt: skip


def dictionaries(pairs: Sequence[tuple[str, str]]) -> tuple[Choices, Choices]:
    """Counterparts of the words of the second side of pairs, then those of the first; none without pairs."""
    if not pairs:
        return {}, {}
    return Glossary([(other, one) for one, other in pairs]).choices, Glossary(pairs).choices


def senses(there: Choices, back: Choices) -> dict[str, list[str]]:
    """Words with the same counterparts as others.

    Args:
        there, back: of `dictionaries`.
    """
    found: dict[str, list[str]] = {}
    for word, counterparts in there.items():
        others = [
            other
            for counterpart, _ in counterparts[:3]
            for other, _ in back.get(counterpart.lower(), ())
            if other.lower() != word and stem(other.lower()) != stem(word)
        ]
        if others:
            found[word] = list(dict.fromkeys(others))
    return found


# --- spoiling -------------------------------------------------------------------------------------


def _cased(word: str, like: str, language: str) -> str:
    """A word with a capital where the one that it replaces has one."""
    if like[:1].isupper() and word[:1].islower():
        return letters.raised(word[:1], language) + word[1:]
    return word


class Draft:
    """A sentence that is being spoilt: its words, and apart from them the marks around each place.

    Args:
        text: the sentence.
        language: ISO 639-1 code.
        vocabulary: of the language.
        rng: draws what is done.
    """

    def __init__(self, text: str, language: str, vocabulary: Vocabulary, rng: random.Random) -> None:
        self.language, self.vocabulary, self.rng = language, vocabulary, rng
        self.items: list[Item] = []
        self.marks: list[tuple[str, str]] = []
        last = 0
        for start, end in words(text, language):
            word = text[start:end]
            core = word.strip(_MARKS)
            at = word.find(core)
            self.items.append(Item(core or word))
            gap = text[last:start] if self.marks else ""
            before, behind = (word[:at], word[at + len(core) :]) if core else ("", "")
            self.marks.append((gap + before, behind))
            last = end
        self.first = self.items[0].core if self.items else ""
        self.once = sum(item.core == self.first for item in self.items) == 1

    def shuffle(self) -> None:
        """Put the words in another order within windows; those that had to be moved are faulty."""
        size, count = self.rng.choice((2, 3, 4, 5)), len(self.items)
        order = [
            place
            for start in range(0, count, size)
            for place in self.rng.sample(range(start, min(start + size, count)), min(size, count - start))
        ]
        self._reorder(order)

    def follow(self, other: str) -> None:
        """Put the words in the order of a version in the other language, as a calque has them.

        A word goes where its likeliest counterpart is, one without any behind the word that it stands behind.

        Args:
            other: that version.
        """
        theirs = [word.lower() for word in WORDS.findall(other)]
        at: list[float] = []
        for place, item in enumerate(self.items):
            known = self.vocabulary.there.get(item.core.lower(), ())
            chances = {word.lower(): chance for word, chance in reversed(known)}  # the likelier one stays
            here = (place + 0.5) / len(self.items)
            likely = [
                (chances[word] * math.exp(-NEAR * abs(here - (number + 0.5) / len(theirs))), number)
                for number, word in enumerate(theirs)
                if word in chances
            ]
            at.append(max(likely)[1] if likely else (at[-1] if at else 0.0))
        self._reorder(sorted(range(len(self.items)), key=lambda place: (at[place], place)))

    def plain(self, share: float, dropped: float) -> None:
        """Give words their dictionary forms and leave small ones out, as who looks up word by word does.

        Args:
            share: of the words.
            dropped: share of the small words.
        """
        small, base = self.vocabulary.lexicon.short, self.vocabulary.forms.base
        for at in reversed(range(len(self.items))):
            core = self.items[at].core
            if core.lower() in small and self.rng.random() < dropped:
                self._drop(at)
            elif core.lower() in base and self.rng.random() < share:
                self.items[at] = Item(_cased(base[core.lower()], core, self.language), True)

    def _drop(self, at: int) -> None:
        """Leave a word out; the one behind it is faulty."""
        if len(self.items) > 4 and at + 1 < len(self.items):
            del self.items[at], self.marks[max(at, 1)]  # what is before the first word stays
            self.items[at] = self.items[at]._replace(faulty=True)

    def _reorder(self, order: Sequence[int]) -> None:
        kept = rising(order)
        self.items = [self.items[place]._replace(faulty=place not in kept) for place in order]

    def spoil(self, habits: dict[str, float]) -> None:
        """Spoil one word, if that can be done to the word that is drawn.

        Args:
            habits: `WAYS`, and how likely each is.
        """
        at = self.rng.randrange(len(self.items))
        core = self.items[at].core
        known, lower = self.vocabulary, core.lower()
        small = known.lexicon.short
        close = known.alike.get(lower, []) if self.rng.random() < CLOSE else []
        stems = known.lexicon.forms.get(stem(core), []) if len(core) >= 5 else []
        others = {
            "form": known.forms.others.get(lower) or stems,
            "sense": known.senses.get(lower, []),
            "small": close or (small if lower in small else []),
            "other": known.common if not core.isdigit() else [],
        }
        can = {way: weight for way, weight in habits.items() if others.get(way, True)}
        way = self.rng.choices(list(can), list(can.values()))[0]
        if way in others:
            new = _cased(self.rng.choice(others[way]), core, self.language)
            self.items[at] = Item(new, True) if new != core else self.items[at]
        elif way == "place":
            self._move(at, at + self.rng.choice((-4, -3, -2, -1, -1, 1, 1, 2, 3, 4)))
        elif way == "gone":
            places = [place for place, item in enumerate(self.items) if item.core.lower() in small]
            self._drop(self.rng.choice(places) if places and self.rng.random() < CLOSE else at)
        else:
            extra = core if self.rng.random() < 0.4 or not small else self.rng.choice(small)
            self.items.insert(at + 1, Item(extra, True))
            before, behind = self.marks[at]
            self.marks[at : at + 1] = [(before, ""), ("" if self.language in NO_SPACES else " ", behind)]

    def _move(self, at: int, to: int) -> None:
        to = min(max(to, 0), len(self.items) - 1)
        if self.items[to].core != self.items[at].core:
            self.items.insert(to, self.items.pop(at)._replace(faulty=True))

    def text(self) -> tuple[str, list[Span]]:
        """The sentence, and the spans of the words that are faulty in it.

        A capital stays at the beginning, whichever word is there: it tells nothing of the order.
        """
        cores = [item.core for item in self.items]
        if self.first[:1].isupper():
            lower = letters.lowered(self.first[:1], self.language) + self.first[1:]
            if self.once and lower in self.vocabulary.known:
                cores = [lower if core == self.first else core for core in cores]
            cores[0] = _cased(cores[0], self.first, self.language)
        parts, spans, place = [], [], 0
        for item, core, (before, behind) in zip(self.items, cores, self.marks, strict=True):
            if item.faulty:
                spans.append((place + len(before), place + len(before) + len(core)))
            parts.append(before + core + behind)
            place += len(parts[-1])
        return "".join(parts), spans


def spoil(
    text: str,
    language: str,
    vocabulary: Vocabulary,
    rng: random.Random,
    other: str | None = None,
) -> tuple[str, list[Span]]:
    """Spoil some words of a sentence.

    Args:
        text: the sentence.
        language: ISO 639-1 code.
        vocabulary: of the language.
        rng: draws what is done.
        other: the sentence in the other language of the vocabulary, if it is known.

    Returns:
        The text, and the spans of what is faulty in it; none if nothing could be spoilt.
    """
    draft = Draft(text, language, vocabulary, rng)
    if sum(any(map(str.isalnum, item.core)) for item in draft.items) < 4:
        return text, []
    before, _ = draft.text()
    low, high, _ = rng.choices(SHARES, [share for *_, share in SHARES])[0]
    count = max(1, round(rng.uniform(low, high) * len(draft.items)))
    habits = {way: weight * rng.expovariate(1.0) for way, weight in WAYS.items()}
    if other is not None and rng.random() < CALQUES:
        draft.follow(other)
        count //= 2
    elif rng.random() < 0.13:
        draft.shuffle()
        count //= 3
    if vocabulary.forms.base and rng.random() < PLAIN:
        draft.plain(rng.uniform(0.4, 1.0), rng.choice((0.0, 0.5, 0.9)))
        count //= 3
    for _ in range(count):
        draft.spoil(habits)
    spoilt, spans = draft.text()
    return (spoilt, spans) if spoilt != before else (text, [])


def vocabulary_of(pools: Mapping[str, Sequence[str]], corpora: Path, language: str) -> Vocabulary:
    """What words of a language are replaced by.

    Args:
        pools: its sentences by register.
        corpora: folder of the corpora, for pairs with English: a third of them, and `word_for_word` has the
            others, so that what is learnt from and what is measured share no pair.
        language: ISO 639-1 code.
    """
    pairs = pairs_of(corpora, language) if language not in NO_SPACES else []
    pairs = [pair for pair in pairs if spoilt_with(pair[language == "en"])]
    rng = random.Random(language)
    return Vocabulary.learn(
        [text for pool in pools.values() for text in pool[:30_000]],
        language,
        rng.sample(pairs, min(len(pairs), PAIRS)),
    )


def bare(text: str, language: str) -> str:
    """A sentence without capitals and marks, as typed in a hurry."""
    return " ".join(MARKS.sub(" ", letters.lowered(text, language)).split())


def chatty(text: str, language: str, rng: random.Random) -> str:
    """A sentence as typed in a chat: without the first capital, the last mark, or both; or with dots."""
    if rng.random() < 0.7:
        text = letters.lowered(text[:1], language) + text[1:]
    if rng.random() < 0.7:
        text = text.rstrip(".。।") + rng.choice(("", "", "", "...", "!", "!!"))
    return text


# --- reading and drawing --------------------------------------------------------------------------


def human_texts(corpora: Path, language: str, games: Path | None = None) -> dict[str, list[str]]:
    """Human texts that may be learnt from, by register: the keys of `POWERS`.

    Args:
        corpora: folder of the corpora.
        language: ISO 639-1 code.
        games: folder of games, if there is one (`game_texts`).
    """
    frame = labelled(corpora, language, "train").astype({"testset": str, "label": str})
    chosen = (frame["label"] == "human") & ~frame["testset"].isin(MEASURED_SETS)
    found = {"sets": frame.loc[chosen, "text"].tolist()}
    if (recent := corpora / "recent" / f"{language}.parquet").exists():
        table = pd.read_parquet(recent, columns=["text", "label"])
        found["sets"] += table.loc[table["label"].astype(str) == "human", "text"].tolist()
    found["pairs"] = [other for _, other in pairs_of(corpora, language)]
    if language == "ru":
        found["news"] = native_train(corpora)[0]["text"].tolist()
    wild = pd.read_parquet(
        corpora / "wild" / f"{language}.parquet", columns=["text", "label", "family", "split"]
    ).astype(str)
    own = (wild["label"] == "human") & (wild["split"] == "train") & ~wild["family"].isin(HELD_OUT_FAMILIES)
    found["wild"] = wild.loc[own, "text"].tolist()
    found["games"] = game_texts(games, language) if games else []
    return {name: list(dict.fromkeys(texts)) for name, texts in found.items() if texts}


def pairs_of(corpora: Path, language: str) -> list[tuple[str, str]]:
    """Human pairs of English and a language that may be learnt from; English with Spanish."""
    pairs = parallel(corpora, "es" if language == "en" else language)
    pairs = pairs[(pairs["kind"] == "human") & ~pairs["testset"].isin(MEASURED_SETS)]
    sides = ["other", "en"] if language == "en" else ["en", "other"]
    return list(pairs[sides].drop_duplicates().itertuples(index=False, name=None))


POWERS = {"sets": 1.0, "pairs": 0.5, "wild": 0.7, "news": 0.3, "games": 1.3}
"""How often each register is drawn, for its size to the power of a half."""


def pieces_of(texts: Sequence[str], language: str) -> list[str]:
    """The sentences of texts, folded as the product folds them."""
    found: dict[str, None] = {}
    for text in texts:
        for span in sentences(clean(text).text, language):
            if len(span.text) <= LONGEST and len(words(span.text, language)) >= 3:
                found[span.text] = None
    return list(found)


class Material(NamedTuple):
    """What posts of a language are drawn from.

    Attributes:
        pools: sentences by register.
        vocabulary: what their words are replaced by.
        versions: of sentences, in the other language of the pairs.
    """

    pools: dict[str, list[str]]
    vocabulary: Vocabulary
    versions: dict[str, str]


def read_materials(
    corpora: Path, seed: int, languages: Sequence[str] = LANGUAGES, games: Path | None = None
) -> dict[str, Material]:
    """Read what `drawn` draws from.

    Args:
        corpora: folder of the corpora.
        seed: of the texts, where a register has too many.
        languages: ISO 639-1 codes.
        games: folder of games, if there is one (`game_texts`).
    """
    found = {}
    for language in languages:
        texts = human_texts(corpora, language, games)
        pick = random.Random(f"{seed} {language}")
        pools = {
            name: pieces_of(pick.sample(own, min(len(own), MOST)), language) for name, own in texts.items()
        }
        pairs = pairs_of(corpora, language) if language not in NO_SPACES else []
        if games and language not in (*NO_SPACES, "en"):
            pairs += game_pairs(games, language)
        found[language] = Material(
            pools, vocabulary_of(pools, corpora, language), versions_of(pairs, language)
        )
        counts = {name: len(pool) for name, pool in pools.items()}
        print(language, counts, len(found[language].vocabulary.senses), "senses", flush=True)
    return found


def drawn(
    materials: Mapping[str, Material], count: int, seed: int, *, held: bool = False
) -> Iterator[tuple[int, Post]]:
    """About ``count`` posts in units: a sentence, and the same once or twice spoilt.

    Args:
        materials: by language.
        count: of the posts.
        seed: of the draw.
        held: draw the sentences that are kept from training, instead of the others.
    """
    pools = {
        language: {
            name: [piece for piece in own if (part(piece, DEV_PARTS) == 0) == held]
            for name, own in one.pools.items()
        }
        for language, one in materials.items()
    }
    shares = language_shares({name: sum(map(len, pool.values())) for name, pool in pools.items()})
    rng = random.Random(seed)
    waiting: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    unit = made = 0
    while made < count:
        language = rng.choices(list(shares), list(shares.values()))[0]
        pool = pools[language]
        weights = [POWERS[name] * len(own) ** 0.5 for name, own in pool.items()]
        name = rng.choices(list(pool), weights)[0]
        queue = waiting[language, name]
        if not queue:
            queue += rng.sample(pool[name], len(pool[name]))
        text = queue.pop()
        _, vocabulary, versions = materials[language]
        posts = _unit(text, language, vocabulary, rng, versions.get(text))
        for post in posts:
            yield unit, post
        made += len(posts)
        unit += bool(posts)


def versions_of(pairs: Iterable[tuple[str, str]], language: str) -> dict[str, str]:
    """Sentences of the second side of pairs, and their versions on the first, where both are one sentence."""
    return {
        piece: other
        for other, text in pairs
        for piece in pieces_of([text], language)
        if len(piece) > 0.9 * len(text) and len(other) <= LONGEST
    }


def _unit(
    text: str, language: str, vocabulary: Vocabulary, rng: random.Random, other: str | None = None
) -> list[Post]:
    """A sentence as it is, and spoilt; ``other`` is as for `spoil`."""
    text = wording(augment(text, language, rng), language).text
    roll = rng.random()
    if roll < 0.12:
        text = bare(text, language)
    elif roll < 0.24:
        text = chatty(text, language, rng)
    posts = [Post(text, language, spans=[])]
    for _ in range(1 + (rng.random() < 0.35)):
        spoilt, spans = spoil(text, language, vocabulary, rng, other=other)
        if spans:
            posts.append(Post(spoilt, language, machine=1, spans=spans))
    return posts if len(posts) > 1 else []
