"""Measure language identification on NTREX-128 (Federmann et al. 2022), which nothing was tuned on.

Prints, as Markdown, the accuracy on whole lines and on their first 40 characters, and the CPU time per text,
for this project, for py3langid and for langdetect. The lines come from a checkout of NTREX-128 (34 languages)
or from the NTREX rows of the training corpora (the 25 supported languages):

    python -m scripts.bench.language --ntrex NTREX/NTREX-128
    python -m scripts.bench.language --corpora CORPORA --limit 500
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from checker.language import identify
from checker.languages import SUPPORTED
from scripts.bench.tables import Table, add_option, publish
from scripts.command import command

START = 40  # characters

# The languages measured on NTREX-128 by their file; nine of them are not supported.
FILES = {
    "ar": "arb", "az": "aze-Latn", "be": "bel", "bg": "bul", "ca": "cat", "cs": "ces", "de": "deu",
    "el": "ell", "en": "eng-US", "es": "spa", "fa": "fas", "fi": "fin", "fr": "fra", "he": "heb", "hi": "hin",
    "hu": "hun", "hy": "hye", "id": "ind", "it": "ita", "ja": "jpn", "ka": "kat", "kk": "kaz", "ko": "kor",
    "nl": "nld", "pl": "pol", "ps": "pus", "pt": "por", "ro": "ron", "ru": "rus", "sv": "swe", "tr": "tur",
    "uk": "ukr", "vi": "vie", "zh": "zho-CN",
}  # fmt: skip

Identifier = Callable[[str], str | None]


def from_ntrex(folder: Path) -> dict[str, list[str]]:
    """Lines by language of a folder with ``newstest2019-ref.<language>.txt``.

    Raises:
        FileNotFoundError: a language is missing.
    """
    return {
        code: [
            line for line in (folder / f"newstest2019-ref.{name}.txt").read_text("utf-8").split("\n") if line
        ]
        for code, name in FILES.items()
    }


def from_corpora(folder: Path) -> dict[str, list[str]]:
    """NTREX lines by language of ``parallel/en-<language>.parquet``; English from the Russian pairs."""
    import pyarrow.parquet as pq

    texts = {}
    for code in SUPPORTED:
        other = "ru" if code == "en" else code
        table = pq.read_table(
            folder / "parallel" / f"en-{other}.parquet", columns=[code], filters=[("testset", "==", "ntrex")]
        )
        texts[code] = [line for line in table[code].to_pylist() if line]
    return texts


def spread(lines: list[str], limit: int | None) -> list[str]:
    """At most ``limit`` lines at equal distances."""
    if limit is None or limit >= len(lines):
        return lines
    return [lines[n * len(lines) // limit] for n in range(limit)]


def identifiers() -> dict[str, Identifier]:
    """This project and the two libraries as their documentation uses them, all loaded."""
    import langdetect
    import py3langid

    langdetect.DetectorFactory.seed = 0

    def by_langdetect(text: str) -> str | None:
        try:
            return str(langdetect.detect(text)).partition("-")[0]  # zh-cn, zh-tw
        except langdetect.LangDetectException:
            return None

    found: dict[str, Identifier] = {
        "checker": lambda text: identify(text).code,
        "py3langid": lambda text: str(py3langid.classify(text)[0]),
        "langdetect": by_langdetect,
    }
    for name in found:
        found[name]("Merci beaucoup, mes amis.")
    return found


def measure(texts: list[str], code: str, identifier: Identifier) -> tuple[float, float]:
    """Accuracy, and CPU seconds."""
    start = time.process_time()
    right = sum(identifier(text) == code for text in texts)
    return right / len(texts), time.process_time() - start


def main() -> None:
    parser = command(__doc__)
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--ntrex", type=Path, help="folder of newstest2019-ref.<language>.txt")
    source.add_argument("--corpora", type=Path, help="folder of the training corpora")
    parser.add_argument("--limit", type=int, help="lines a language; by default all")
    add_option(parser)
    args = parser.parse_args()

    lines = from_ntrex(args.ntrex) if args.ntrex else from_corpora(args.corpora)
    lines = {code: spread(found, args.limit) for code, found in sorted(lines.items())}
    found = identifiers()
    lengths = {"line": None, f"first {START}": START}
    columns = [(name, label) for name in found for label in lengths]
    table: dict[str, list[float]] = {}
    seconds = dict.fromkeys(columns, 0.0)
    for code, texts in lines.items():
        table[code] = []
        for name, label in columns:
            cut = [text[: lengths[label]] for text in texts]
            accuracy, spent = measure(cut, code, found[name])
            table[code].append(accuracy)
            seconds[name, label] += spent

    heads = ["language", "lines", *(f"{name}, {label}" for name, label in columns)]
    rows = [[code, str(len(lines[code])), *(f"{value:.4f}" for value in row)] for code, row in table.items()]
    total = sum(map(len, lines.values()))
    means = [sum(row[n] for row in table.values()) / len(table) for n in range(len(columns))]
    rows.append([f"**mean of {len(table)}**", str(total), *(f"**{mean:.4f}**" for mean in means)])
    rows.append(["µs a text", str(total), *(f"{seconds[c] / total * 1e6:.0f}" for c in columns)])
    publish({"language": Table(heads, rows, right=True)}, args.tables)


if __name__ == "__main__":
    main()
