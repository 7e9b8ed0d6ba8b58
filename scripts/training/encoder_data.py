"""What the encoder learns from: pairs of posts, spoilt posts, and posts changed in what must not matter.

Everything is drawn once and packed into integer arrays (a folder of ``.npy`` files, mapped into memory), so
that training needs neither the corpora nor a tokenizer, the same batches come again after a restart, and
the data travels to another machine.

Posts come in units. A unit is a human and a machine version of the same one to three neighbouring lines of
one test set, so that topic and length tell nothing; or a native post and a machine post of the same test
set; and sometimes the human post once more with words spoilt. Test sets of 2021 and the families in
``HELD_OUT_FAMILIES`` are never drawn for training.
"""

from __future__ import annotations

import json
import random
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import regex

from checker import letters
from checker.evidence.style import wording

LANGUAGES = (
    "ar", "bg", "cs", "de", "el", "en", "es", "fa", "fi", "fr", "he", "hi", "hu",
    "it", "ja", "ko", "nl", "pl", "pt", "ro", "ru", "sv", "tr", "uk", "zh",
)  # fmt: skip
HELD_OUT_FAMILIES = (
    "coop", "mdn_mt", "official", "parlamint", "gnome_docs", "human_docs", "pydocs", "ud", "native_news",
    "msdocs-officedocs-alchemyinsights", "msdocs-customer-insights", "msdocs-partner-center",
    "msdocs-dynamics365smb-docs",
)  # fmt: skip
"""Families of ``wild`` that nothing is trained on: they say when to stop, and they measure."""
UNKNOWN = -1
NO_SPACES = ("ja", "zh")
LINES = ((1, 0.40), (2, 0.36), (3, 0.24))
"""How many lines a post has, and how often."""
_FOLDED = str.maketrans(
    dict.fromkeys("«»„“”‟「」『』〝〞‹›", '"')
    | dict.fromkeys("‘’‚‛`´ʼ′", "'")
    | dict.fromkeys("‐‑‒–—―−", "-")
    | {"…": "...", "\u00a0": " ", "\u202f": " ", "\u2009": " ", "\u200e": None, "\u200f": None}
)
_SPACED = regex.compile(r"\S+")
_PIECES = regex.compile(r"[\p{Han}\p{Hiragana}\p{Katakana}ー]{1,2}|[^\s\p{Han}\p{Hiragana}\p{Katakana}ー]+")
_LETTERS = regex.compile(r"^\p{L}[\p{L}\p{M}’'-]*$")
_EDGES = regex.compile(r"^(\P{L}*)(.*?)(\P{L}*)$", regex.DOTALL)

Span = tuple[int, int]
Integers = npt.NDArray[np.int64]


def fold(text: str) -> str:
    """Quotes, dashes, blanks and dots as one keyboard has them: who typed a text says nothing of its
    wording."""
    return " ".join(text.translate(_FOLDED).split())


def words(text: str, language: str) -> list[Span]:
    """Spans of the words; in Chinese and Japanese of one or two characters."""
    pattern = _PIECES if language in NO_SPACES else _SPACED
    return [match.span() for match in pattern.finditer(text)]


# --- what must not matter -------------------------------------------------------------------------

_CREDITS = ("(AP)", "(Reuters)", "Photo: Reuters", "Foto: dpa", "© AFP", "via @press", "1/2", "(1/3)")
_TAGS = ("#news", "#breaking", "#2024", "#press", "#live", "#update")
_CYRILLIC = str.maketrans("абвгдеёзийклмнопрстуфыэії", "abvgdeeziyklmnoprstufyeii") | {
    ord(letter): latin
    for letter, latin in {
        "х": "kh", "ц": "ts", "ж": "zh", "ч": "ch", "ш": "sh", "щ": "shch", "ю": "yu", "я": "ya", "ъ": "",
        "ь": "", "є": "ie",
    }.items()
}  # fmt: skip
_BRANDS = (
    "Microsoft", "Google", "Telegram", "Facebook", "UNESCO", "Reuters", "Samsung", "Boeing", "Youtube",
    "Майкрософт", "Яндекс", "Газпром", "Укрпошта", "ЮНЕСКО",
)  # fmt: skip
_TITLED = regex.compile(r"(?<![\p{L}\p{M}'’])\p{Ll}")
_ENDS_OF_SENTENCES = tuple(".!?。！？।؟")


def augment(text: str, language: str, rng: random.Random) -> str:
    """Change what says nothing of who wrote a text: most posts not at all, others in one or two ways."""
    if language == "fa" and rng.random() < 0.5:
        text = text.replace("\u200c", rng.choice((" ", "")))
    if language == "ro" and rng.random() < 0.5:
        text = text.translate(
            str.maketrans("șțȘȚ", "şţŞŢ") if rng.random() < 0.5 else str.maketrans("şţŞŢ", "șțȘȚ")
        )
    if language == "ru":
        text = text.replace("ё", "е").replace("Ё", "Е") if rng.random() < 0.7 else text
    roll = rng.random()
    if roll < 0.03:
        text = letters.lowered(text, language)
    elif roll < 0.045:
        text = letters.raised(text, language)
    elif roll < 0.07:
        text = text.rstrip(".!。")
    elif roll < 0.09:
        text = f"{text} {' '.join(rng.sample(_TAGS, rng.randint(1, 2)))}"
    elif roll < 0.11:
        text = _hash(text, language, rng)
    elif roll < 0.13:
        text = f"{text} {rng.choice(_CREDITS)}" if rng.random() < 0.5 else f"{rng.choice(_CREDITS)} {text}"
    elif roll < 0.145:
        text = f"{text} https://t.co/{rng.getrandbits(40):x}"
    elif roll < 0.165:
        text = _other_script(text, rng)
    elif roll < 0.175:
        text = f"{text} {text}"
    elif roll < 0.195:
        text = _TITLED.sub(lambda match: letters.raised(match[0], language), text)
    elif roll < 0.225:
        text = f"{text} {_number(rng)}"
    elif roll < 0.265:
        text = _brand(text, language, rng)
    if rng.random() < 0.1:
        text = regex.sub(r"[0-9]", lambda match: str(rng.randrange(10)), text)
    return text


def shown(text: str, language: str, rng: random.Random) -> str:
    """A post as the encoder meets it: augmented, and then folded as the product folds."""
    return wording(augment(text, language, rng), language).text


def _number(rng: random.Random) -> str:
    """A telephone number in one of its layouts."""
    digits = regex.sub("#", lambda match: str(rng.randrange(10)), rng.choice((
        "+## ## ### ## ##", "0##-###-####", "(0##) ### ## ##", "+###########",
    )))  # fmt: skip
    return rng.choice(("", "", "Tel. ", "☎ ")) + str(digits)


def _brand(text: str, language: str, rng: random.Random) -> str:
    """Put one name, often of another script, between two words."""
    spans = words(text, language)
    if len(spans) < 4:
        return text
    at = rng.choice(spans[1:-1])[1]
    if text[at - 1] in _ENDS_OF_SENTENCES:
        return text
    return f"{text[:at]} {rng.choice(_BRANDS)}{text[at:]}"


def _hash(text: str, language: str, rng: random.Random) -> str:
    """Make a hashtag of one word of four letters or more."""
    spans = [s for s in words(text, language) if s[1] - s[0] >= 4 and text[s[0] : s[1]].isalpha()]
    if not spans:
        return text
    start = rng.choice(spans)[0]
    return f"{text[:start]}#{text[start:]}"


def _other_script(text: str, rng: random.Random) -> str:
    """Write one capitalised Cyrillic word, most often a name, in Latin letters."""
    names = [
        m.span()
        for m in regex.finditer(r"(?<=\s)\p{Lu}\p{Ll}{2,}", text)
        if regex.search(r"\p{Cyrillic}", m[0])
    ]
    if not names:
        return text
    start, end = rng.choice(names)
    return text[:start] + text[start:end].lower().translate(_CYRILLIC).capitalize() + text[end:]


# --- what is spoilt -------------------------------------------------------------------------------


@dataclass
class Lexicon:
    """Word forms of one language.

    Attributes:
        short: the most frequent words of one to four letters: prepositions, particles, articles.
        forms: words that share all but their last letters, by what they share.
    """

    short: list[str] = field(default_factory=list)
    forms: dict[str, list[str]] = field(default_factory=dict)

    @classmethod
    def learn(cls, texts: Iterable[str], most: int = 40_000) -> Lexicon:
        """Count the words of ``texts``; forms that occur once are left out."""
        counts: Counter[str] = Counter()
        for text in texts:
            counts.update(word for word in text.split() if _LETTERS.match(word))
        forms: defaultdict[str, list[str]] = defaultdict(list)
        for word, count in counts.most_common(most):
            if count > 1 and len(word) >= 5:
                forms[stem(word)].append(word)
        short = [word for word, _ in counts.most_common(400) if len(word) <= 4 and word == word.lower()][:40]
        return cls(short, {key: value for key, value in forms.items() if len(value) > 1})


def stem(word: str) -> str:
    """All but the last letters: what forms of one word share."""
    return word[: max(4, len(word) - 3)]


def spoil(
    text: str, language: str, lexicon: Lexicon, rng: random.Random, share: float = 0.12
) -> tuple[str, list[Span]]:
    """Spoil about ``share`` of the words, at least one.

    Words change places, endings change, prepositions change, words fall out (the one after is marked) and
    come twice. Returns the text and the spans of the faults in it.
    """
    joint = "" if language in NO_SPACES else " "
    items = [(text[a:b], False) for a, b in words(text, language)]
    if len(items) < 4:
        return text, []
    for _ in range(max(1, round(share * len(items)))):
        at = rng.randrange(len(items) - 1)
        word, bad = items[at]
        edges = _EDGES.match(word)
        head, core, tail = edges.groups() if edges else ("", word, "")
        way = rng.random()
        others = (
            [form for form in lexicon.forms.get(stem(core), ()) if form != core] if len(core) >= 5 else []
        )
        if others and way < 0.5:
            items[at] = (head + rng.choice(others) + tail, True)
        elif core in lexicon.short and way < 0.7:
            items[at] = (head + rng.choice([s for s in lexicon.short if s != core] or [core]) + tail, True)
        elif way < 0.8:
            target = min(max(at + rng.choice((-3, -2, -1, 1, 2, 3)), 0), len(items) - 1)
            if target != at and items[target][0] != word:
                moved, _ = items.pop(at)
                items.insert(target, (moved, True))
        elif way < 0.9 and not bad:
            items.pop(at)
            items[at] = (items[at][0], True)
        else:
            items.insert(at + 1, (core or word, True))
        if len(items) < 4:
            break
    spoilt, spans, place = [], [], 0
    for number, (word, bad) in enumerate(items):
        if number:
            spoilt.append(joint)
            place += len(joint)
        if bad:
            spans.append((place, place + len(word)))
        spoilt.append(word)
        place += len(word)
    made = "".join(spoilt)
    return made, spans if made != joint.join(text[a:b] for a, b in words(text, language)) else []


def disorder(text: str, language: str, rng: random.Random) -> tuple[str, list[Span]]:
    """Put words in another order: some of them a few places away, or all of them within windows.

    Returns the text and the spans of the fewest words that had to be moved.
    """
    joint = "" if language in NO_SPACES else " "
    items = [text[a:b] for a, b in words(text, language)]
    if len(items) < 4:
        return text, []
    order = list(range(len(items)))
    if rng.random() < 0.5:
        for _ in range(max(1, round(rng.uniform(0.05, 0.4) * len(items)))):
            start = rng.randrange(len(items))
            order.insert(max(start + rng.choice((-3, -2, -1, 1, 2, 3)), 0), order.pop(start))
    else:
        size = rng.choice((2, 3, 4, 5, 6))
        windows = [order[start : start + size] for start in range(0, len(order), size)]
        order = [place for window in windows for place in rng.sample(window, len(window))]
    spans, place, kept = [], 0, rising(order)
    for number in order:
        if number not in kept:
            spans.append((place, place + len(items[number])))
        place += len(items[number]) + len(joint)
    return joint.join(items[number] for number in order), spans


def rising(order: Sequence[int]) -> set[int]:
    """A longest rising part of a row of different numbers."""
    ends: list[int] = []  # least last number of a rising part of each length
    before: dict[int, int | None] = {}
    for number in order:
        length = bisect_left(ends, number)
        before[number] = ends[length - 1] if length else None
        ends[length : length + 1] = [number]
    found: set[int] = set()
    last = ends[-1] if ends else None
    while last is not None:
        found.add(last)
        last = before[last]
    return found


def token_labels(offsets: Sequence[Span], spans: Sequence[Span]) -> list[int]:
    """1 for every token that overlaps a span; tokens of no characters are ``UNKNOWN``."""
    labels = []
    for start, end in offsets:
        if start == end:
            labels.append(UNKNOWN)
        else:
            labels.append(int(any(start < b and a < end for a, b in spans)))
    return labels


# --- drawing --------------------------------------------------------------------------------------


@dataclass
class Post:
    """One post before it is packed.

    Attributes:
        text: folded and augmented.
        language: its code.
        machine: 1 by a machine, 0 by a human, ``UNKNOWN`` where it is not to be learnt from.
        translated: 1 translated (by whomever), 0 written in this language, ``UNKNOWN``.
        spans: faults in the text; None where it is not known what is a fault.
        weight: of the post in the loss.
        about: anything that an evaluation wants to know: family, kind, system.
    """

    text: str
    language: str
    machine: int = UNKNOWN
    translated: int = UNKNOWN
    spans: list[Span] | None = None
    weight: float = 1.0
    about: dict[str, Any] = field(default_factory=dict)


@dataclass
class TestSet:
    """One test set from one source language: versions of its lines, by number.

    Attributes:
        humans: by system, and whether it is ``native``, ``translated`` or ``mixed``.
        machines: by system.
        weight: how often it is drawn.
    """

    __test__ = False
    humans: dict[tuple[str, str], dict[int, str]] = field(default_factory=dict)
    machines: dict[str, dict[int, str]] = field(default_factory=dict)
    weight: float = 1.0


def maker(system: str) -> str:
    """The family of a system: the variants of Bergamot count as one."""
    return system.split("-")[0] if system.startswith("bergamot") else system


def read_sets(rows: Iterable[tuple[str, str, str, str, str, int, str]]) -> dict[tuple[str, str], TestSet]:
    """Test sets by name and source language.

    Args:
        rows: ``testset, source_lang, label, origin, system, line, text``.
    """
    sets: defaultdict[tuple[str, str], TestSet] = defaultdict(TestSet)
    kinds = {"original": "native", "translated": "translated"}
    for testset, source, label, origin, system, line, text in rows:
        entry = sets[testset, source]
        if label == "machine":
            entry.machines.setdefault(system, {})[line] = text
        else:
            entry.humans.setdefault((system, kinds.get(origin, "mixed")), {})[line] = text
    _join_mixed(sets)
    return {key: entry for key, entry in sets.items() if entry.humans or entry.machines}


def _join_mixed(sets: dict[tuple[str, str], TestSet]) -> None:
    """Put human text of mixed origin beside the machine text of the same test set.

    It stands under the source language of the collection that it came from, while its lines are those of
    every direction. They are taken to be the same lines only where both end at the same number.
    """
    for (name, source), entry in list(sets.items()):
        for key in [key for key in entry.humans if key[1] == "mixed"]:
            version = entry.humans[key]
            for (other_name, other_source), other in sets.items():
                last = {max(lines) for lines in other.machines.values()}
                if other_name == name and other_source != source and last == {max(version)}:
                    other.humans.setdefault(key, version)
                    entry.humans.pop(key, None)


def set_weight(name: str, lines: int) -> float:
    """How often a test set is drawn: recent sets have more systems and better ones, big ones more lines."""
    return float(np.sqrt(min(lines, 2000))) * (
        4.0 if "wmt22" in name else 2.0 if "flores" in name or "20" in name else 1.0
    )


def span_of_lines(
    version: dict[int, str], other: dict[int, str] | None, size: int, rng: random.Random
) -> list[int]:
    """Up to ``size`` neighbouring lines that both versions have, from a random place."""
    common = list(version.keys() & other.keys()) if other is not None else list(version)
    if not common:
        return []
    start, known = rng.choice(common), set(common)
    found = [start]
    while len(found) < size and found[-1] + 1 in known:
        found.append(found[-1] + 1)
    return found


def draw_system(machines: dict[str, dict[int, str]], rng: random.Random) -> str:
    """A system: families of systems are equally likely."""
    family = rng.choice(sorted({maker(system) for system in machines}))
    return rng.choice(sorted(system for system in machines if maker(system) == family))


def draw_unit(
    sets: dict[tuple[str, str], TestSet], language: str, lexicon: Lexicon, rng: random.Random
) -> tuple[list[Post], bool]:
    """One unit of posts, and whether they say the same (so that the machine's must rank above the
    human's)."""
    paired = [key for key, entry in sets.items() if entry.machines and entry.humans]
    natives = [key for key, entry in sets.items() if any(what == "native" for _, what in entry.humans)]
    size = rng.choices([n for n, _ in LINES], [p for _, p in LINES])[0]
    if natives and rng.random() < 0.27:
        key = rng.choices(natives, [sets[k].weight for k in natives])[0]
        versions = [v for (_, what), v in sets[key].humans.items() if what == "native"]
        same = [k for k in paired if k[0] == key[0] and k != key] or paired
        other = sets[rng.choice(same)]
        system = draw_system(other.machines, rng)
        version = rng.choice(versions)
        lines = span_of_lines(version, None, size, rng)
        others = span_of_lines(other.machines[system], None, len(lines), rng)
        human = fold(" ".join(version[n] for n in lines))
        machine = fold(" ".join(other.machines[system][n] for n in others))
        return [
            Post(shown(human, language, rng), language, 0, 0),
            Post(shown(machine, language, rng), language, 1, 1),
        ], False
    entry = sets[rng.choices(paired, [sets[k].weight for k in paired])[0]]
    system = draw_system(entry.machines, rng)
    who, what = rng.choice(sorted(entry.humans))
    version, output = entry.humans[who, what], entry.machines[system]
    lines = span_of_lines(version, output, size, rng)
    if not lines:
        return [], True
    human, machine = (wording(fold(" ".join(v[n] for n in lines)), language).text for v in (version, output))
    posts = []
    text = shown(human, language, rng)
    posts.append(
        Post(text, language, 0, {"native": 0, "mixed": UNKNOWN}.get(what, 1), [] if text == human else None)
    )
    text = shown(machine, language, rng)
    posts.append(Post(text, language, 1, 1))
    if rng.random() < 0.4:
        spoilt, spans = (
            disorder(human, language, rng) if rng.random() < 0.6 else spoil(human, language, lexicon, rng)
        )
        posts.append(Post(spoilt, language, UNKNOWN, UNKNOWN, spans))
    return posts, True


# --- packing --------------------------------------------------------------------------------------


@dataclass
class Pack:
    """Posts as integer arrays.

    Attributes:
        ids: tokens of all posts, one after the other.
        faults: for every token 1, 0 or ``UNKNOWN``: was it spoilt?
        starts: where each post begins in ``ids``, and the end of the last.
        machine, translated: as in `Post`.
        language: number in ``LANGUAGES``.
        unit: posts of one unit say the same; they are neighbours.
        weight: of each post.
        about: one entry a post, or nothing.
    """

    ids: npt.NDArray[np.uint16]
    faults: npt.NDArray[np.int8]
    starts: npt.NDArray[np.int64]
    machine: npt.NDArray[np.int8]
    translated: npt.NDArray[np.int8]
    language: npt.NDArray[np.int8]
    unit: npt.NDArray[np.int32]
    weight: npt.NDArray[np.float32]
    about: list[dict[str, Any]] = field(default_factory=list)

    ARRAYS = ("ids", "faults", "starts", "machine", "translated", "language", "unit", "weight")

    def __len__(self) -> int:
        return len(self.machine)

    @property
    def lengths(self) -> npt.NDArray[np.int64]:
        """Tokens of each post."""
        return np.diff(self.starts)

    def save(self, folder: Path) -> None:
        """Write one ``.npy`` file an array, and ``about.json``."""
        folder.mkdir(parents=True, exist_ok=True)
        for name in self.ARRAYS:
            np.save(folder / f"{name}.npy", getattr(self, name))
        (folder / "about.json").write_text(json.dumps(self.about, ensure_ascii=False))

    @classmethod
    def load(cls, folder: Path) -> Pack:
        """Map a saved pack into memory."""
        arrays = {name: np.load(folder / f"{name}.npy", mmap_mode="r") for name in cls.ARRAYS}
        return cls(**arrays, about=json.loads((folder / "about.json").read_text()))


def pack(posts: Iterable[tuple[int, Post]], tokenizer: Any, most: int, chunk: int = 2000) -> Pack:
    """Tokenize posts.

    Args:
        posts: the number of their unit, and the posts.
        tokenizer: a ``tokenizers.Tokenizer`` that puts a first and a last token around a text.
        most: tokens of a post, at most; a longer one is cut and keeps its last token.
    """
    ids: list[npt.NDArray[np.uint16]] = []
    faults: list[npt.NDArray[np.int8]] = []
    rows: list[tuple[int, int, int, int, float]] = []
    about: list[dict[str, Any]] = []

    def add(part: list[tuple[int, Post]]) -> None:
        for (unit, post), code in zip(part, tokenizer.encode_batch([p.text for _, p in part]), strict=True):
            tokens, offsets = code.ids, code.offsets
            labels = [UNKNOWN] * len(tokens) if post.spans is None else token_labels(offsets, post.spans)
            if len(tokens) > most:
                tokens, labels = [*tokens[: most - 1], tokens[-1]], [*labels[: most - 1], labels[-1]]
            ids.append(np.array(tokens, np.uint16))
            faults.append(np.array(labels, np.int8))
            rows.append((post.machine, post.translated, LANGUAGES.index(post.language), unit, post.weight))
            about.append(post.about)

    part: list[tuple[int, Post]] = []
    for item in posts:
        part.append(item)
        if len(part) == chunk:
            add(part)
            part = []
    add(part)
    columns = list(zip(*rows, strict=True)) if rows else [(), (), (), (), ()]
    return Pack(
        ids=np.concatenate(ids) if ids else np.zeros(0, np.uint16),
        faults=np.concatenate(faults) if faults else np.zeros(0, np.int8),
        starts=np.cumsum([0, *map(len, ids)]).astype(np.int64),
        machine=np.array(columns[0], np.int8),
        translated=np.array(columns[1], np.int8),
        language=np.array(columns[2], np.int8),
        unit=np.array(columns[3], np.int32),
        weight=np.array(columns[4], np.float32),
        about=about if any(about) else [],
    )


def batches(pack: Pack, tokens: int, seed: int, window: int | None = None) -> list[npt.NDArray[np.int64]]:
    """Batches of about ``tokens`` padded tokens; units stay whole, and are of similar length within a batch.

    Units are shuffled, sorted by length within windows, cut, and the batches of a window are shuffled. The
    answer depends on the arguments alone: a run that goes on gets the batches it would have had.
    """
    rng = np.random.default_rng(seed)
    window = window or max(400, tokens // 5)
    bounds = np.flatnonzero(np.r_[True, np.diff(pack.unit) != 0, True])
    lengths = pack.lengths
    longest = np.maximum.reduceat(lengths, bounds[:-1]) if len(lengths) else np.zeros(0, np.int64)
    order = rng.permutation(len(bounds) - 1)
    found: list[npt.NDArray[np.int64]] = []
    for start in range(0, len(order), window):
        part = order[start : start + window]
        part = part[np.argsort(longest[part], kind="stable")]
        made: list[npt.NDArray[np.int64]] = []
        rows: list[int] = []
        for unit in part:
            new = list(range(bounds[unit], bounds[unit + 1]))
            if rows and (len(rows) + len(new)) * int(longest[unit]) > tokens:
                made.append(np.array(rows))
                rows = []
            rows += new
        if rows:
            made.append(np.array(rows))
        found += [made[i] for i in rng.permutation(len(made))]
    return found


# --- reading the corpora --------------------------------------------------------------------------


def language_shares(sizes: dict[str, int], power: float = 0.3) -> dict[str, float]:
    """How often each language is drawn: by its lines to the power of ``power``."""
    raised = {language: size**power for language, size in sizes.items()}
    total = sum(raised.values())
    return {language: value / total for language, value in raised.items()}


def labelled_rows(corpora: Path, language: str) -> list[tuple[str, str, str, str, str, int, str]]:
    """The lines that may be trained on: ``testset, source_lang, label, origin, system, line, text``."""
    import pandas as pd

    columns = ["testset", "source_lang", "label", "origin", "system", "line", "text"]
    frames = []
    frame = pd.read_parquet(corpora / "labelled" / f"{language}.parquet")
    frames.append(frame.loc[frame["split"] == "train", columns])
    if (recent := corpora / "recent" / f"{language}.parquet").exists():
        frames.append(pd.read_parquet(recent, columns=columns))
    table = pd.concat([f.astype({c: str for c in columns if c != "line"}) for f in frames])
    return list(table.itertuples(index=False, name=None))


@cache
def trained_on(corpora: Path) -> frozenset[str]:
    """Families of ``wild`` that posts of some language are drawn from."""
    known = [code for code in LANGUAGES if (corpora / "wild" / f"{code}.parquet").exists()]
    return frozenset(family for code in known for family in _wild(corpora, code))


def _wild(corpora: Path, language: str) -> dict[str, dict[str, list[str]]]:
    """Posts of the families with both sides that may be trained on: by family and label."""
    import pandas as pd

    frame = pd.read_parquet(
        corpora / "wild" / f"{language}.parquet", columns=["text", "label", "family", "split"]
    )
    frame = frame[~frame["family"].isin(HELD_OUT_FAMILIES) & (frame["split"] == "train")]
    found: dict[str, dict[str, list[str]]] = {}
    for (family, label), part in frame.groupby(["family", "label"], observed=True):
        found.setdefault(str(family), {})[str(label)] = part["text"].tolist()
    return {
        family: sides
        for family, sides in found.items()
        if min(map(len, sides.values())) >= 20 and len(sides) == 2
    }


def training_posts(
    corpora: Path, count: int, seed: int, languages: Sequence[str] = LANGUAGES
) -> Iterator[tuple[int, Post]]:
    """About ``count`` posts in units, languages mixed in random order."""
    makers = {}
    sizes = {}
    for language in languages:
        sets = read_sets(labelled_rows(corpora, language))
        for (name, _), entry in sets.items():
            entry.weight = set_weight(name, max(map(len, entry.machines.values()), default=0) or 1000)
        human = [t for e in sets.values() for v in e.humans.values() for t in v.values()]
        lexicon = Lexicon.learn(map(fold, human[:20_000]))
        sets = {
            k: e
            for k, e in sets.items()
            if e.humans and (e.machines or any(w == "native" for _, w in e.humans))
        }
        sizes[language] = sum(len(v) for e in sets.values() if e.machines for v in e.humans.values())
        makers[language] = (sets, lexicon, _wild(corpora, language))
        print(
            language,
            sizes[language],
            len(lexicon.forms),
            lexicon.short[:6],
            {k: {s: len(x) for s, x in v.items()} for k, v in makers[language][2].items()},
            flush=True,
        )
    shares = language_shares(sizes)
    rng = random.Random(seed)
    unit = made = 0
    while made < count:
        language = rng.choices(list(shares), list(shares.values()))[0]
        sets, lexicon, wild = makers[language]
        if wild and rng.random() < 0.10:
            sides = wild[rng.choice(sorted(wild))]
            one, other = fold(rng.choice(sides["human"])), fold(rng.choice(sides["machine"]))
            length = max(60, min(len(one), len(other)))
            posts, same = (
                [
                    Post(shown(_cut(one, length), language, rng), language, 0, 1, weight=0.5),
                    Post(shown(_cut(other, length), language, rng), language, 1, 1, weight=0.5),
                ],
                False,
            )
        else:
            posts, same = draw_unit(sets, language, lexicon, rng)
        for post in posts:
            yield unit, post
            made += 1
            if not same:
                unit += 1
        unit += 1


def _cut(text: str, length: int) -> str:
    """The beginning of a text, to the end of a word."""
    if len(text) <= length:
        return text
    return text[:length].rsplit(" ", 1)[0]


def _measured(text: str, language: str, about: dict[str, Any]) -> Post:
    """A post that measures, as the encoder meets it; its kind is in ``about``."""
    kind = about["kind"]
    shown = wording(fold(text), language).text
    return Post(shown, language, int(kind == "machine"), int(kind != "native"), about=about)


def evaluation_posts(
    corpora: Path, most: int, seed: int, languages: Sequence[str] = LANGUAGES
) -> Iterator[tuple[int, Post]]:
    """Posts that nothing is trained on: of WMT21 by lines of three, and of the held-out families.

    Args:
        corpora: the folder with ``labelled`` and ``wild``.
        most: posts of each language, family and kind, at most.
        seed: of the draw.
        languages: which to read.
    """
    import pandas as pd

    number = 0
    for language in languages:
        rng = random.Random(seed)
        frame = pd.read_parquet(corpora / "labelled" / f"{language}.parquet")
        seen = set(frame.loc[frame["split"] == "train", "system"].astype(str))
        if (recent := corpora / "recent" / f"{language}.parquet").exists():
            seen |= set(pd.read_parquet(recent, columns=["system"])["system"].astype(str))
        frame = frame[frame["split"] == "dev"]
        found: defaultdict[str, list[tuple[str, str]]] = defaultdict(list)
        for (_, _, label, origin, system), part in frame.groupby(
            ["testset", "source_lang", "label", "origin", "system"], observed=True
        ):
            kind = "machine" if label == "machine" else {"original": "native"}.get(str(origin), "translated")
            texts = part.sort_values("line")["text"].tolist()
            name = str(system) + (" (seen)" if str(system) in seen else "")
            for start in range(0, len(texts) - 2, 3):
                found[kind].append((" ".join(texts[start : start + 3]), name))
        for kind, items in sorted(found.items()):
            for text, system in rng.sample(items, min(len(items), most * (2 if kind == "machine" else 1))):
                about = {"family": "wmt21", "kind": kind, "system": system}
                yield number, _measured(text, language, about)
                number += 1
        wild = pd.read_parquet(corpora / "wild" / f"{language}.parquet")
        wild = wild[wild["family"].isin(HELD_OUT_FAMILIES)]
        for (family, kind), part in wild.groupby(["family", "kind"], observed=True):
            part = part.sample(min(len(part), most), random_state=seed)
            for text, system in zip(part["text"], part["system"], strict=True):
                about = {"family": str(family), "kind": str(kind), "system": str(system)}
                yield number, _measured(text, language, about)
                number += 1
