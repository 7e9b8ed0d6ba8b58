"""Measure the encoder's head that finds faulty words, and the percentiles of human fluency with it.

    python -m scripts.training.order --corpora CORPORA --models models --out runs/order.parquet

The head and its layers learnt from human sentences that were spoilt (``scripts.training.faults``). Nothing
that is measured here was among them: these are families of text that the encoder was not trained on. Nor was
the language model, but for the lines of NTREX: all that Arabic, Bulgarian, Polish and Romanian have. From
these sentences come the percentiles in ``fluency.json``, and the limits from which a word is shown as broken.
Documentation is not measured: posts are no manuals.

``--out`` has what the head and the language model say of every sentence that was measured, of some with their
words shuffled inside windows of four, and of some with one wrong form, for ``scripts.bench.fluency``; it has
no text.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from checker.evidence import fluency, order
from checker.evidence.fluency import FluencyTable, Reading
from checker.evidence.order import Order
from checker.measure import sights
from checker.models import Store
from checker.models.language_model import LanguageModel
from checker.models.load import load_language_model
from checker.pipeline import Checker
from checker.text import clean, sentences, width, words
from scripts.command import command
from scripts.training.corpora import LANGUAGES, UNPAIRED, labelled, unpaired
from scripts.training.encoder_data import Lexicon, Span, stem
from scripts.training.technical import is_documentation

WINDOW = 4
SHOWN = 0.005
"""Share of the words of human sentences that are shown as broken."""

SHORTEST, LONGEST = 20, 400
"""Columns of the sentences."""

NTREX = "ntrex"
"""Family that the language model was trained on."""

VERSIONS = ("", "mixed", "bent")
"""A sentence as it is, with its words shuffled, and with one wrong form."""


@dataclass
class Example:
    """A human sentence, and what was made of it.

    Attributes:
        language: ISO 639-1 code.
        family: that it comes from.
        texts: the sentence under "", and its ``VERSIONS``, as a post has them.
        bent: where the wrong form is.
        said: by version what the head says; offsets in the text.
    """

    language: str
    family: str
    texts: dict[str, str]
    bent: Span | None = None
    said: dict[str, Order] = field(default_factory=dict)


def shuffled(text: str, rng: random.Random) -> str:
    """The text with its words shuffled inside windows of four; what stands between the words stays."""
    spans = words(text)
    places = [
        place
        for start in range(0, len(spans), WINDOW)
        for place in rng.sample(
            range(start, min(start + WINDOW, len(spans))), min(WINDOW, len(spans) - start)
        )
    ]
    pieces, done = [], 0
    for span, other in zip(spans, places, strict=True):
        pieces += [text[done : span.start], spans[other].text]
        done = span.end
    return "".join(pieces) + text[done:]


def bend(text: str, lexicon: Lexicon, rng: random.Random) -> tuple[str, Span] | None:
    """One word in another form, or another preposition or article; None where no word has one.

    Returns:
        The text and the span of the word in it.
    """
    choices = []
    for span in words(text):
        forms = lexicon.forms.get(stem(span.text), []) if len(span.text) >= 5 else []
        others = forms or (lexicon.short if span.text in lexicon.short else [])
        if left := [other for other in others if other != span.text]:
            choices.append((span, left))
    if not choices:
        return None
    span, others = rng.choice(choices)
    new = rng.choice(others)
    return text[: span.start] + new + text[span.end :], (span.start, span.start + len(new))


# --- sentences ------------------------------------------------------------------------------------


def families(corpora: Path, language: str) -> dict[str, list[str]]:
    """Human texts by family, `NTREX` last; all documentations of one publisher are one family."""
    frame = labelled(corpora, language)
    human = frame[frame["label"] == "human"]
    alone = unpaired(frame).reindex(human.index) & (human["split"] != "dev")
    ntrex = alone & (human["testset"] == UNPAIRED) & (human["origin"] == "translated")
    found = {
        "test sets": human.loc[(human["split"] != "dev") & ~alone, "text"].tolist(),
        "wmt21": human.loc[human["split"] == "dev", "text"].tolist(),
    }
    wild = pd.read_parquet(corpora / "wild" / f"{language}.parquet", columns=["text", "label", "family"])
    wild = wild[wild["label"] == "human"]
    for family, part in wild.groupby(wild["family"].astype(str)):
        if len(part):
            found.setdefault(family.split("-")[0], []).extend(part["text"].tolist())
    found[NTREX] = human.loc[ntrex, "text"].tolist()
    return {family: texts for family, texts in found.items() if texts}


def is_measured(family: str) -> bool:
    """Whether a family is measured: the encoder was not trained on it, and it is no documentation."""
    return family != "test sets" and not is_documentation(family)


def drawn(texts: Sequence[str], language: str, most: int, rng: random.Random) -> list[str]:
    """Different sentences of texts, in random order."""
    found: dict[str, None] = {}
    for text in rng.sample(texts, len(texts)):
        if len(found) >= most:
            break
        for span in sentences(clean(text).text, language):
            if SHORTEST <= width(span.text) <= LONGEST and len(words(span.text)) >= WINDOW:
                found[span.text] = None
    return list(found)[:most]


def examples(corpora: Path, language: str, most: int, versions: int) -> Iterator[Example]:
    """Sentences of a language.

    Args:
        corpora: with ``labelled`` and ``wild``.
        language: ISO 639-1 code.
        most: sentences.
        versions: of them that are changed as well, about.
    """
    rng = random.Random(language)
    texts = families(corpora, language)
    lexicon = Lexicon.learn(clean(text).text for part in texts.values() for text in part[:8000])
    names = [family for family in texts if is_measured(family)]
    left = most
    for number, family in enumerate(names):
        others = len([name for name in names[number:] if name != NTREX]) or 1
        pool = drawn(texts[family], language, left if family == NTREX else -(-left // others), rng)
        left -= len(pool)
        for text in pool:
            one = Example(language, family, {"": text})
            if rng.random() < versions / most:
                one.texts["mixed"] = shuffled(text, rng)
                if changed := bend(text, lexicon, rng):
                    one.texts["bent"], one.bent = changed
            yield one


def look(checker: Checker, found: Sequence[Example], part: int = 300) -> None:
    """Fill in what the head says of every version of the sentences."""
    for start in range(0, len(found), part):
        texts = [(one, name, text) for one in found[start : start + part] for name, text in one.texts.items()]
        seen = sights(checker.models, [one.language for one, *_ in texts], [text for *_, text in texts])
        assert seen is not None
        for (one, name, _), sight in zip(texts, seen, strict=True):
            one.said[name] = sight.order or Order(None)


# --- measuring ------------------------------------------------------------------------------------


def limit_of(found: Sequence[Example]) -> float:
    """The log-odds that a share `SHOWN` of the words of whole sentences reach, at least what is kept."""
    total = sum(len(words(one.texts[""])) for one in found)
    odds = sorted((odds for one in found for *_, odds in one.said[""].words), reverse=True)
    allowed = int(SHOWN * total)
    return round(odds[allowed] + 0.01 if allowed < len(odds) else order.KEPT, 2)


def measure(scorer: LanguageModel, language: str, found: Sequence[Example], limit: float) -> pd.DataFrame:
    """What models say of the sentences of a language, a row each.

    Columns ``language``, ``family``, ``words``; ``slor``, ``order`` and ``shown`` (words that are shown as
    broken), the same with ``mixed_`` and, of the form that was changed, ``bent_order`` and ``bent_shown``.
    """
    table = pd.DataFrame(
        {
            "language": language,
            "family": [one.family for one in found],
            "words": [len(words(one.texts[""])) for one in found],
        }
    )
    for name in VERSIONS:
        prefix, rows = f"{name}_" if name else "", [n for n, one in enumerate(found) if name in one.texts]
        said = [found[n].said[name] for n in rows]
        table.loc[rows, f"{prefix}order"] = [one.value for one in said]
        shown = [[(a, b) for a, b, odds in one.words if odds >= limit] for one in said]
        if name == "bent":
            spans = [found[n].bent or (0, 0) for n in rows]
            hit = [
                any(a < last and b > first for a, b in s)
                for s, (first, last) in zip(shown, spans, strict=True)
            ]
            table.loc[rows, "bent_shown"] = np.array(hit, float)
            continue
        table.loc[rows, f"{prefix}shown"] = [float(len(places)) for places in shown]
        scores = scorer.log_probabilities([found[n].texts[name] for n in rows], language)
        table.loc[rows, f"{prefix}slor"] = [fluency.reading(one).value for one in scores]
    return table


def percentiles(
    model: str, found: Sequence[Example], slor: Sequence[float | None], broken: Mapping[str, float]
) -> FluencyTable:
    """Of the sentences that were measured: by both models, and by the language model alone."""
    alone, both = [], []
    for one, value in zip(found, slor, strict=True):
        reading = Reading(fluency.CLIPPED_SLOR, None if pd.isna(value) else value, None)
        alone.append((one.language, one.texts[""], reading))
        if (said := one.said[""].value) is not None:
            both.append((one.language, one.texts[""], fluency.joined(reading, said)))
    by_model, joined = FluencyTable.measure(model, alone), FluencyTable.measure(model, both)
    return FluencyTable(model, fluency.JOINED, joined.quantiles, broken, by_model.quantiles)


def main() -> None:
    parser = command(__doc__)
    parser.add_argument("--corpora", type=Path, required=True)
    parser.add_argument("--models", type=Path, default=Path("models"))
    parser.add_argument("--languages", nargs="+", default=LANGUAGES)
    parser.add_argument("--sentences", type=int, default=800, help="measured in each language, at most")
    parser.add_argument("--versions", type=int, default=150, help="of them that are changed as well")
    parser.add_argument("--out", type=Path, help="a Parquet file for what was said of the sentences")
    parser.add_argument("--no-ship", action="store_true", help="measure only")
    args = parser.parse_args()
    if not args.no_ship and set(args.languages) != set(LANGUAGES):
        parser.error("What ships needs every language: leave out --languages, or use --no-ship.")
    store = Store(args.models / "registry.toml")
    checker = Checker(store=store, round_trip=False, fluency=False, exact=True)
    model = store.language_model("embedded", "en")
    assert model is not None
    scorer = load_language_model(model, store, numbers="float32")
    found: list[Example] = []
    tables, broken = [], {}
    for language in args.languages:
        own = list(examples(args.corpora, language, args.sentences, args.versions))
        look(checker, own)
        found += own
        broken[language] = limit_of(own)
        tables.append(measure(scorer, language, own, broken[language]))
        counts = pd.Series([one.family for one in own]).value_counts().to_dict()
        print(f"{language}: {counts}; words are shown from {broken[language]}", flush=True)
    table = pd.concat(tables, ignore_index=True)
    if args.out:
        args.out.parent.mkdir(parents=True, exist_ok=True)
        table.to_parquet(args.out)
    if args.no_ship:
        return
    percentiles(model.label, found, table["slor"].tolist(), broken).write(
        args.models / "embedded" / "fluency.json"
    )
    print(store.lock_embedded())


if __name__ == "__main__":
    main()
