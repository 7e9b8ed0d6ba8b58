"""WMT test sets as the installed sacrebleu downloads and verifies them, read document by document.

sacrebleu's own reader of the XML sets returns aligned columns: it stops at a system that left out a
segment, and shifts the column of a system that left out a document. Here versions are aligned by document
and segment number. The SGML sets, up to WMT20, have no outputs and come through sacrebleu's text files.
"""

from __future__ import annotations

import html
import logging
import re
import tarfile
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPException
from itertools import groupby
from pathlib import Path
from xml.etree import ElementTree

import portalocker
import sacrebleu.utils
from sacrebleu.dataset import DATASETS
from sacrebleu.dataset.base import Dataset
from sacrebleu.dataset.fake_sgml import FakeSGMLDataset
from sacrebleu.dataset.wmt_xml import WMTXMLDataset

Segments = dict[int, str]

_PROBLEMS = (
    OSError, EOFError, SystemExit, ValueError, HTTPException, tarfile.TarError, zlib.error,
    ElementTree.ParseError, portalocker.LockException,
)  # fmt: skip
"""What a download, an unpacking or a reading fails with; sacrebleu exits on a wrong checksum."""

_ALIASES = {"cz": "cs"}  # how WMT called Czech up to 2010


class SetError(Exception):
    """A test set that cannot be used, and what to do about it."""


@dataclass(frozen=True, slots=True)
class Document:
    """A source document with all that was made of it.

    Attributes:
        id: as in the set.
        original: ISO 639 code of the language that it was written in, None if the set does not tell.
        source: its segments by number; in the language of the source, not always the original.
        translator: who translated the source side, empty if nobody is named.
        references: (translator, segments); the translator is empty if nobody is named.
        outputs: (system, segments).
    """

    id: str
    original: str | None
    source: Segments
    translator: str = ""
    references: list[tuple[str, Segments]] = field(default_factory=list)
    outputs: list[tuple[str, Segments]] = field(default_factory=list)


def testsets() -> dict[str, Dataset]:
    """The sets of the news and general translation tasks by year, with outputs where sacrebleu has them.

    ``wmt21`` is sacrebleu's ``wmt21/systems``; variants with fewer references or other texts are left out.
    WMT08, which does not tell its documents apart, is left out as well.
    """
    found: dict[str, Dataset] = {}
    for name, dataset in DATASETS.items():
        year, _, part = name.partition("/")
        if not re.fullmatch(r"wmt\d\d", year) or part not in ("", "systems") or (not part and year in found):
            continue
        if isinstance(dataset, WMTXMLDataset) or (
            isinstance(dataset, FakeSGMLDataset)
            and "docid" in dataset.fieldnames(next(iter(dataset.langpairs)))
        ):
            found[year] = dataset
    return dict(sorted(found.items()))


def has_outputs(dataset: Dataset) -> bool:
    """Whether a set carries submitted systems: WMT names such files ``….all.xml``."""
    return all(_file(dataset, pair).endswith(".all.xml") for pair in dataset.langpairs)


def directions(dataset: Dataset, languages: Iterable[str]) -> list[str]:
    """The language pairs of a set with at least one side in ``languages``, sorted."""
    return sorted(pair for pair in dataset.langpairs if set(pair.split("-")) & set(languages))


def download(dataset: Dataset) -> None:
    """Download, verify and unpack a set, unless it is in sacrebleu's cache.

    Raises:
        SetError: one of the three failed.
    """
    with _explained(dataset):
        dataset.maybe_download()


def read(dataset: Dataset, direction: str, skipped: Counter[str]) -> list[Document]:
    """The documents of a downloaded set in one direction.

    Args:
        dataset: a value of `testsets`.
        direction: one of `directions`.
        skipped: counts the segments that are left out, by reason.

    Raises:
        SetError: the files are missing or damaged.
    """
    with _explained(dataset):
        if isinstance(dataset, WMTXMLDataset):
            return list(_xml(_folder(dataset) / "raw" / _file(dataset, direction), skipped))
        return list(_sgml(dataset, direction))


def _folder(dataset: Dataset) -> Path:
    return Path(sacrebleu.utils.SACREBLEU_DIR) / dataset.name


def _file(dataset: Dataset, pair: str) -> str:
    entry = dataset.langpairs[pair]
    return str(entry["path"] if isinstance(entry, dict) else entry[0])


class _Messages(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.texts.append(record.getMessage())


@contextmanager
def _explained(dataset: Dataset) -> Iterator[None]:
    """Turn what sacrebleu logs and raises into one `SetError`."""
    logger, messages = logging.getLogger("sacrebleu"), _Messages()
    logger.addHandler(messages)
    try:
        yield
    except _PROBLEMS as error:
        problem = messages.texts[0] if messages.texts else f"{type(error).__name__}: {error}"
        raise SetError(
            f"{dataset.name} cannot be used: {problem.rstrip('.')}. Check the connection to "
            f"{', '.join(dataset.data or [])}, remove {_folder(dataset)} and run this again. "
            "(The environment variable SACREBLEU names another cache folder.)"
        ) from error
    finally:
        logger.removeHandler(messages)


def _language(code: str | None) -> str | None:
    primary = (code or "").strip().lower().replace("_", "-").split("-")[0]
    return _ALIASES.get(primary, primary) or None


def _tidy(text: str) -> str:
    """One line, without spaces around it; other white space stays as it was written."""
    return " ".join(part.strip() for part in text.splitlines() if part.strip())


def _xml(path: Path, skipped: Counter[str]) -> Iterator[Document]:
    for node in ElementTree.parse(path).iter("doc"):
        parts = {tag: [(part, _segments(part)) for part in node.iter(tag)] for tag in ("src", "ref", "hyp")}
        if not parts["src"]:
            continue
        source, segments = parts["src"][0]
        if "testsuite" in node.attrib:
            skipped["segments of test suites"] += len(segments)
        elif "canary" in (node.get("domain"), node.get("id")):  # a marker for scrapers, nobody's text
            skipped["canary segments"] += len(segments)
        else:
            yield Document(
                id=node.get("id", ""),
                original=_language(node.get("origlang")),
                source=segments,
                translator=source.get("translator", ""),
                references=[(part.get("translator", ""), texts) for part, texts in parts["ref"]],
                outputs=[(part.get("system", ""), texts) for part, texts in parts["hyp"]],
            )


def _segments(node: ElementTree.Element) -> Segments:
    found = {int(seg.get("id", "")): _tidy("".join(seg.itertext())) for seg in node.iter("seg")}
    return dict(sorted(found.items()))


def _sgml(dataset: Dataset, pair: str) -> Iterator[Document]:
    """From sacrebleu's text files, a line a segment; it leaves the character entities of SGML in them."""
    columns = {
        name: Path(file).read_text(encoding="utf-8").split("\n")[:-1]
        for name, file in zip(dataset.fieldnames(pair), dataset.get_files(pair), strict=True)
    }
    lengths = {name: len(lines) for name, lines in columns.items()}
    if len(set(lengths.values())) != 1:
        raise ValueError(f"the files of {pair} have different lengths, {lengths}")
    texts = {
        name: [_tidy(html.unescape(line)) for line in lines]
        for name, lines in columns.items()
        if name.split(":")[0] in ("src", "ref")
    }

    def document(line: int) -> tuple[str, str]:  # a line without one is a document of its own
        return columns["docid"][line] or f"line {line}", columns["origlang"][line]

    for (name, original), lines in groupby(range(lengths["src"]), key=document):
        numbers = list(lines)
        sides = {side: {n: column[n] for n in numbers} for side, column in texts.items()}
        source = sides.pop("src")
        references = [(side.partition(":")[2], segments) for side, segments in sides.items()]
        yield Document(name, _language(original), source, references=references)
