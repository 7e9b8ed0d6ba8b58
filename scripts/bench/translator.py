"""Measure the translator of a profile: chrF, chrF++ and BLEU per direction, and its speed.

    python -m scripts.bench.translator --corpora CORPORA --languages ru
    python -m scripts.bench.translator --tsv ru=pairs.tsv --limit 200 --json translator.json

A TSV has two columns without a header: English, then the other language. From the corpora come two sets
that no embedded translator was trained on: the human pairs of FLORES dev, and the lines of WMT21 that were
written in the other language, with their first English reference. (Lines of WMT21 that were translated into
several languages cannot be paired, which are all the English ones: their sets share the numbers.)

Speed is sentences per second over the whole set, beside that of ``generate`` called by transformers for one
sentence after the other with the same beam, on the first sentences of the same set and in the same run.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import pandas as pd
from sacrebleu.metrics.bleu import BLEU
from sacrebleu.metrics.chrf import CHRF

from checker.models import Model, Store
from checker.models.load import load_translator as load
from checker.models.transformers_engine import quietly
from checker.models.translator import BEAM
from scripts.bench.tables import Table, add_option, progress, publish, write_json
from scripts.command import command
from scripts.training.corpora import LANGUAGES, labelled, parallel, tsv

BLEU_TOKENIZERS = {"zh": "zh", "ja": "char", "ko": "char"}
Pairs = list[tuple[str, str]]


@dataclass(frozen=True)
class Measurement:
    """One direction on one set.

    Attributes:
        chrf, chrf_words, bleu: of the corpus, with the signatures beside them; ``chrf_words`` is chrF++.
        per_second: sentences per second in one call.
        plain_per_second: sentences per second of the plain transformers loop.
    """

    direction: str
    test_set: str
    translator: str
    sentences: int
    chrf: float
    chrf_words: float
    bleu: float
    per_second: float
    plain_per_second: float | None
    signatures: str


def test_sets(args: argparse.Namespace, language: str) -> dict[str, Pairs]:
    """Pairs ``(English, other)`` by the name of their set."""
    tables = dict(item.split("=", 1) for item in args.tsv)
    if language in tables:
        path = Path(tables[language])
        return {path.name: tsv(path)[: args.limit]}
    if not args.corpora:
        return {}
    frame = parallel(args.corpora, language)
    flores = frame[(frame["testset"] == "flores-dev") & (frame["kind"] == "human")]
    written = labelled(args.corpora, language, "dev")
    written = written[written["system"] == "author"].drop_duplicates(["testset", "line"], keep=False)
    english = labelled(args.corpora, "en", "dev")
    wmt = pd.merge(
        english[(english["system"] == "reference-A") & (english["source_lang"] == language)],
        written,
        on=["testset", "line"], suffixes=("_en", ""),
    )  # fmt: skip
    found = {
        "flores-dev": list(zip(flores["en"], flores["other"], strict=True)),
        "wmt21": list(zip(wmt["text_en"], wmt["text"], strict=True)),
    }
    return {name: pairs[: args.limit] for name, pairs in found.items() if pairs}


def plain_speed(model: Model, folder: Path, texts: list[str], source: str, target: str) -> float:
    """Sentences per second of ``generate`` on one sentence after the other, as in a model card's example."""
    from transformers import AutoModelForSeq2SeqLM, AutoTokenizer

    from scripts.bench.plain import loaded

    with quietly():
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        network = loaded(AutoModelForSeq2SeqLM, folder)
    options = {"num_beams": BEAM, "max_length": 256}
    if model.family == "m2m100":
        tokenizer.src_lang = source
        options["forced_bos_token_id"] = tokenizer.get_lang_id(target)
    begun = time.perf_counter()
    for text in texts:
        inputs = tokenizer(f"{model.target_tag(target)} {text}", return_tensors="pt", truncation=True)
        tokenizer.batch_decode(network.generate(**inputs, **options), skip_special_tokens=True)
    return len(texts) / (time.perf_counter() - begun)


def measure(
    args: argparse.Namespace, store: Store, source: str, target: str, name: str, pairs: Pairs
) -> Measurement | None:
    """One direction on one set; None when the profile has no translator for it."""
    model = store.translator(args.profile, source, target)
    if model is None or not store.installed(model):
        return None
    translator = load(model, store, args.engine, args.device)
    texts, references = ([pair[side] for pair in pairs] for side in ((0, 1) if source == "en" else (1, 0)))
    translator.translate(texts[:1], source, target)
    begun = time.perf_counter()
    outputs = [translation.text for translation in translator.translate(texts, source, target)]
    seconds = time.perf_counter() - begun
    metrics = CHRF(), CHRF(word_order=2), BLEU(tokenize=BLEU_TOKENIZERS.get(target, "13a"))
    scores = [metric.corpus_score(outputs, [references]) for metric in metrics]
    plain = plain_speed(model, store.path(model), texts[: args.plain], source, target) if args.plain else None
    return Measurement(
        direction=f"{source}-{target}",
        test_set=name,
        translator=translator.label,
        sentences=len(pairs),
        chrf=round(scores[0].score, 1),
        chrf_words=round(scores[1].score, 1),
        bleu=round(scores[2].score, 1),
        per_second=round(len(texts) / seconds, 1),
        plain_per_second=plain and round(plain, 1),
        signatures="; ".join(
            f"{score.name}|{metric.get_signature()}" for score, metric in zip(scores, metrics, strict=True)
        ),
    )


def table(rows: Sequence[Measurement]) -> Table:
    """The table of the docs: sets one after the other."""
    names = {"flores-dev": "FLORES dev", "wmt21": "WMT21"}
    cells = [
        [
            row.direction.replace("-", " → "), names.get(row.test_set, row.test_set),
            *(f"{value:.1f}" for value in (row.chrf, row.chrf_words, row.bleu)),
        ]
        for row in sorted(rows, key=lambda row: row.test_set)
    ]  # fmt: skip
    return Table(["direction", "set", "chrF", "chrF++", "BLEU"], cells)


def main() -> None:
    parser = command(__doc__)
    parser.add_argument("--corpora", type=Path)
    parser.add_argument("--tsv", action="append", default=[], metavar="LANG=FILE")
    parser.add_argument("--languages", nargs="+", default=[code for code in LANGUAGES if code != "en"])
    parser.add_argument("--profile", choices=["embedded", "hub"], default="embedded")
    parser.add_argument("--engine", choices=["ctranslate2", "transformers"], default="ctranslate2")
    parser.add_argument("--device", choices=["auto", "cpu", "cuda"], default="cpu")
    parser.add_argument("--limit", type=int, help="first so many pairs of each set")
    parser.add_argument("--plain", type=int, default=20, help="sentences of the plain loop; 0 leaves it out")
    parser.add_argument("--json", type=Path, help="write the measurements to this file")
    add_option(parser)
    args = parser.parse_args()

    store = Store()
    rows: list[Measurement] = []
    for language in args.languages:
        if not any(store.translator(args.profile, *pair) for pair in (("en", language), (language, "en"))):
            continue
        for name, pairs in test_sets(args, language).items():
            for source, target in (("en", language), (language, "en")):
                if row := measure(args, store, source, target, name, pairs):
                    rows.append(row)
                    progress(*asdict(row).values())
    if not rows:
        parser.error("nothing to measure: no translator of this profile is installed, or there are no pairs")
    publish({"translator": table(rows)}, args.tables)
    write_json([asdict(row) for row in rows], args.json)


if __name__ == "__main__":
    main()
