"""Lines, pairs and posts from the documents of `wmt`, each with what the set says about how it was made."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from sacrebleu.dataset.base import Dataset

from scripts.training.wmt import Document, directions, download, read


class Row(NamedTuple):
    """A segment in one version: the source, a reference or an output.

    Attributes:
        lang: the language of the text.
        text: one line.
        label: ``human`` or ``machine``.
        origin: ``original``, ``translated``, or ``mixed`` where the set does not tell.
        system: the MT system; ``author``, ``reference`` or ``reference-<translator>`` for text by humans.
        source_lang: for text by humans the language that it was written in first, as far as the set tells;
            for text by machines the language of the source.
        line: number of the segment, see `LineNumbers`.
    """

    lang: str
    text: str
    label: str
    origin: str
    system: str
    source_lang: str
    line: int


class Pair(NamedTuple):
    """A segment in English and in another language; ``kind`` is ``human`` or ``machine-SYSTEM-FROM-TO``."""

    lang: str
    en: str
    other: str
    kind: str


class Collection(NamedTuple):
    """What a test set gave, and how much was left out for which reason."""

    rows: list[Row]
    pairs: list[Pair]
    skipped: Counter[str]


class Post(NamedTuple):
    """Neighbouring lines of one document in one version; the fields are the columns of the JSONL file."""

    text: str
    label: str
    lang: str
    origin: str
    system: str
    testset: str
    source_lang: str
    line: int


class LineNumbers:
    """Numbers the original segments of a test set.

    A document has the same numbers in every direction that has it in the same words. A number is left out
    between two documents: lines with consecutive numbers are neighbours in one document.
    """

    def __init__(self) -> None:
        self._first: dict[tuple[str, str, tuple[str, ...]], int] = {}
        self._next = 0

    def first(self, document: str, language: str, segments: tuple[str, ...]) -> int:
        """The number of the first of ``segments``, a document with its id and language."""
        key = (document, language, segments)
        if key not in self._first:
            self._first[key] = self._next
            self._next += len(segments) + 1
        return self._first[key]


def collect(dataset: Dataset, languages: Iterable[str], advance: Callable[[], object]) -> Collection:
    """Download a set if it is not there yet, and read it.

    Args:
        dataset: a value of `testsets`.
        languages: the languages whose text is wanted.
        advance: called after every direction.

    Raises:
        SetError: the set cannot be downloaded, verified, unpacked or read.
    """
    wanted, numbers, skipped = set(languages), LineNumbers(), Counter[str]()
    rows: dict[tuple[str, str, str, int], Row] = {}
    pairs: dict[Pair, None] = {}
    download(dataset)
    for direction in directions(dataset, wanted):
        source, target = direction.split("-")
        for document in read(dataset, direction, skipped):
            for row in _rows(document, source, target, wanted, numbers, skipped):
                first = rows.setdefault((row.lang, row.source_lang, row.system, row.line), row)
                if first is not row:
                    skipped["repeated lines" if first == row else "second texts of a line"] += 1
            pairs |= dict.fromkeys(p for p in _pairs(document, source, target) if p.lang in wanted)
        advance()
    return Collection(list(rows.values()), list(pairs), skipped)


def posts_of(rows: Iterable[Row], testset: str, size: int) -> Iterator[Post]:
    """Posts of ``size`` neighbouring lines of one version, in order and without overlap.

    Human text of mixed origin gives none: it is not known to be native or translated.
    """
    versions: dict[tuple[str, ...], dict[int, str]] = defaultdict(dict)
    for row in rows:
        if row.origin != "mixed":
            versions[row.lang, row.label, row.origin, row.system, row.source_lang][row.line] = row.text
    for (lang, label, origin, system, source_lang), lines in versions.items():
        run: list[int] = []
        for line in sorted(lines):
            run = [*run, line] if run and line == run[-1] + 1 else [line]
            if len(run) == size:
                text = " ".join(lines[number] for number in run)
                yield Post(text, label, lang, origin, system, testset, source_lang, run[0])
                run = []


def draw(posts: Iterable[Post], most: int) -> Iterator[Post]:
    """At most ``most`` posts of each language, label and origin, evenly over systems."""
    kinds: dict[tuple[str, str, str], dict[str, list[Post]]] = defaultdict(lambda: defaultdict(list))
    for post in posts:
        kinds[post.lang, post.label, post.origin][post.system].append(post)
    for kind, systems in kinds.items():
        left = most
        for done, (system, made) in enumerate(sorted(systems.items(), key=lambda item: len(item[1]))):
            share = min(len(made), left // (len(systems) - done))
            left -= share
            chosen = random.Random(" ".join((*kind, system))).sample(range(len(made)), share)
            yield from (made[number] for number in sorted(chosen))


def _rows(
    document: Document,
    source: str,
    target: str,
    wanted: set[str],
    numbers: LineNumbers,
    skipped: Counter[str],
) -> Iterator[Row]:
    original, language = document.source, source
    versions = [(source, "human", *_origin(document, source, source, document.translator), document.source)]
    for translator, segments in document.references:
        made = _origin(document, target, source, translator)
        if made[0] == "original":
            original, language = segments, target
        versions.append((target, "human", *made, segments))
    versions += [(target, "machine", "translated", system, source, part) for system, part in document.outputs]
    first = numbers.first(document.id, language, tuple(original.get(n, "") for n in document.source))
    for lang, label, origin, system, source_lang, segments in versions:
        if lang not in wanted:
            continue
        for line, number in enumerate(document.source, start=first):
            if text := segments.get(number):
                yield Row(lang, text, label, origin, system, source_lang, line)
            else:
                skipped[f"{label} lines {'without text' if number in segments else 'not there'}"] += 1


def _origin(document: Document, language: str, source: str, translator: str) -> tuple[str, str, str]:
    """Origin, system and source language of one human side of a document, that in ``language``."""
    written = document.original
    name = f"reference-{translator.removeprefix('ref')}" if translator else "reference"
    if written is None:
        return "mixed", name if translator else "author-or-reference", source
    if written == language and (language == source or not translator):
        return "original", "author", language
    return "translated", name, source if written == language else written


def _pairs(document: Document, source: str, target: str) -> Iterator[Pair]:
    if "en" not in (source, target):
        return
    versions = [("human", segments) for _, segments in document.references]
    versions += [(f"machine-{system}-{source}-{target}", segments) for system, segments in document.outputs]
    for kind, segments in versions:
        for number, text in document.source.items():
            if text and (translation := segments.get(number)):
                if source == "en":
                    yield Pair(target, text, translation, kind)
                else:
                    yield Pair(source, translation, text, kind)
