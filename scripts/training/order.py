"""Fit the encoder's head that finds words out of place, and the percentiles of human fluency with it.

    python -m scripts.training.order --corpora CORPORA --models models --out runs/order.parquet

The head has one hidden layer over the vector of a piece. It learns from human sentences and from the same
sentences spoilt (``encoder_data.spoil`` and ``disorder``), native ones and translations by people alike: no
text by a machine is among them. Families of text are held out in folds: what is measured, and the percentiles
of human sentences in ``fluency.json``, come from a head that has not seen the family, and of families that
the encoder was not trained on. The head that ships has seen all of them.

``--out`` has what the head and the language model say of every sentence that was held out and of the same
words shuffled inside windows of four, for ``scripts.bench.fluency``; no text.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
from torch import nn

from checker.evidence import fluency, order
from checker.evidence.fluency import FluencyTable, Reading
from checker.evidence.order import Order
from checker.evidence.style import wording
from checker.models import Store
from checker.models.encoder import Pieces
from checker.models.language_model import LanguageModel
from checker.models.load import load_language_model
from checker.pipeline import Checker
from checker.text import clean, sentences, width, words
from scripts.command import command
from scripts.training.corpora import LANGUAGES, labelled, unpaired
from scripts.training.encoder_data import (
    UNKNOWN,
    Lexicon,
    Span,
    disorder,
    spoil,
    token_labels,
    trained_on,
)

FOLDS = 5
HIDDEN = 128
EPOCHS = 4
BATCH = 1024
FEWEST = 200
WINDOW = 4
SHOWN = 0.005
"""Share of the words of human sentences that are shown as broken."""

SHORTEST, LONGEST = 20, 400
"""Columns of the sentences."""

TRAINED = "test sets"
"""Family of the lines that the encoder was trained on: for the head alone, nothing is measured on them."""

Floats = npt.NDArray[np.float32]


@dataclass
class Example:
    """A human sentence as the encoder meets it, and what was made of it.

    Attributes:
        language: ISO 639-1 code.
        family: that is held out together.
        text: the sentence.
        shuffled: the same with its words shuffled; None of what is not measured.
        spoilt: a spoilt version, and where it is spoilt.
        read: what the encoder makes of ``text``, ``shuffled`` and ``spoilt``.
        said: what the head that has not seen the family says of ``text`` and ``shuffled``.
    """

    language: str
    family: str
    text: str
    shuffled: str | None
    spoilt: tuple[str, list[Span]]
    read: list[Pieces] = field(default_factory=list)
    said: list[Order] = field(default_factory=list)


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


# --- sentences ------------------------------------------------------------------------------------


def human(corpora: Path, language: str) -> dict[str, list[str]]:
    """Human texts by family; all documentations of one publisher are one family."""
    frame = labelled(corpora, language)
    frame = frame[frame["label"] == "human"]
    alone = unpaired(labelled(corpora, language)).reindex(frame.index)
    news = (frame["split"] == "dev") | alone
    found = {TRAINED: frame.loc[~news, "text"].tolist(), "news": frame.loc[news, "text"].tolist()}
    wild = pd.read_parquet(corpora / "wild" / f"{language}.parquet", columns=["text", "label", "family"])
    wild = wild[(wild["label"] == "human") & ~wild["family"].isin(trained_on(corpora, language))]
    for family, part in wild.groupby(wild["family"].astype(str)):
        found.setdefault(family.split("-")[0], []).extend(part["text"].tolist())
    return found


def examples(corpora: Path, language: str, most: int) -> Iterator[Example]:
    """Sentences of a language, families in equal numbers as far as they go.

    Args:
        corpora: with ``labelled`` and ``wild``.
        language: ISO 639-1 code.
        most: sentences.
    """
    rng = random.Random(language)
    texts = human(corpora, language)
    lexicon = Lexicon.learn(text for part in texts.values() for text in part[:8000])
    share = -(-most // len(texts))
    for family, part in texts.items():
        seen: set[str] = set()
        for text in rng.sample(part, min(len(part), 3 * share)):
            cleaned = clean(text).text
            spans = [s for s in sentences(cleaned, language) if SHORTEST <= width(s.text) <= LONGEST]
            if not spans or len(seen) == share:
                continue
            plain = wording(rng.choice(spans).text, language).text
            if plain in seen or len(words(plain)) < WINDOW:
                continue
            seen.add(plain)
            spoilt = (
                disorder(plain, language, rng) if rng.random() < 0.6 else spoil(plain, language, lexicon, rng)
            )
            mixed = next(
                (new for _ in range(5) if (new := shuffled(plain, rng)) != plain), None
            )  # of a short one all draws may be the order that it has
            if mixed is not None:
                yield Example(language, family, plain, None if family == TRAINED else mixed, spoilt)


def look(checker: Checker, found: Sequence[Example], part: int = 400) -> None:
    """Fill in what the encoder makes of the sentences, vectors in 16 bits."""
    encoder = checker.models.encoder()
    assert encoder is not None
    for start in range(0, len(found), part):
        texts = [
            (one, text)
            for one in found[start : start + part]
            for text in (one.text, one.shuffled, one.spoilt[0])
        ]
        read = iter(encoder.read([text for _, text in texts if text is not None]))
        for one, text in texts:
            if text is not None:
                pieces = next(read)
                one.read.append(pieces._replace(vectors=pieces.vectors.astype(np.float16)))


# --- the head -------------------------------------------------------------------------------------


def pieces_of(found: Sequence[Example]) -> tuple[torch.Tensor, torch.Tensor]:
    """Vectors of the pieces of whole and spoilt sentences, and whether each is spoilt."""
    vectors, labels = [], []
    for one in found:
        for read, spans in ((one.read[0], []), (one.read[-1], one.spoilt[1])):
            places = [(max(a, 0), max(b, 0)) for a, b in read.spans.tolist()]  # marks have no characters
            label = np.array(token_labels(places, spans), np.int8)
            vectors.append(read.vectors[label != UNKNOWN])
            labels.append(label[label != UNKNOWN])
    return torch.from_numpy(np.concatenate(vectors)), torch.from_numpy(np.concatenate(labels)).float()


def fit(found: Sequence[Example], seed: int = 1) -> dict[str, Floats]:
    """The arrays of the head (`checker.evidence.heads.Heads`)."""
    torch.manual_seed(seed)
    vectors, labels = pieces_of(found)
    sample = vectors[:: max(1, len(vectors) // 50_000)].float()
    middle, spread = sample.mean(0), sample.std(0) + 1e-6
    first, last = nn.Linear(vectors.shape[1], HIDDEN), nn.Linear(HIDDEN, 1)
    net = nn.Sequential(first, nn.ReLU(), last)
    optimizer = torch.optim.AdamW(net.parameters(), lr=2e-3, weight_decay=0.01)
    steps = max(EPOCHS * len(labels) // BATCH, FEWEST)
    schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.02, steps)
    draw = torch.Generator().manual_seed(seed)
    for _ in range(steps):
        rows = torch.randint(len(labels), (BATCH,), generator=draw)
        said = net((vectors[rows].float() - middle) / spread)[:, 0]
        loss = nn.functional.binary_cross_entropy_with_logits(said, labels[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    weights = (first.weight / spread).detach()
    return {
        "order_hidden": weights.T.contiguous().numpy(),
        "order_hidden_bias": (first.bias - weights @ middle).detach().numpy(),
        "order": last.weight[0].detach().numpy(),
        "order_bias": last.bias.detach().numpy(),
    }


def say(arrays: Mapping[str, Floats], found: Sequence[Example]) -> None:
    """Fill in what a head says of the sentences and of their shuffled versions."""
    for one in found:
        texts = [text for text in (one.text, one.shuffled) if text is not None]
        for text, pieces in zip(texts, one.read[:-1], strict=True):
            hidden = pieces.vectors.astype(np.float32) @ arrays["order_hidden"] + arrays["order_hidden_bias"]
            odds = np.maximum(hidden, 0) @ arrays["order"] + arrays["order_bias"]
            one.said.append(order.read(text, odds, pieces.spans))


def cross_fit(found: Sequence[Example]) -> None:
    """Let every sentence that is measured be judged by a head that has not seen its family."""
    families = sorted({one.family for one in found} - {TRAINED})
    fold = {family: number % FOLDS for number, family in enumerate(families)}
    for number in range(FOLDS):
        rest = [one for one in found if fold.get(one.family) != number]
        held = [one for one in found if fold.get(one.family) == number]
        say(fit(rest), held)
        print(f"fold {number}: {len(rest)} sentences, {len(held)} held out", flush=True)


def beside(path: Path, arrays: Mapping[str, Floats]) -> dict[str, Any]:
    """The arrays of a file of heads, with those of this head in their place."""
    with np.load(path, allow_pickle=False) as saved:
        kept = {name: saved[name] for name in saved.files}
    return kept | {name: value.astype(np.float32) for name, value in arrays.items()}


def ship(models: Path, arrays: Mapping[str, Floats]) -> str:
    """Put the head beside the others of the shipped encoder; returns what the store locks."""
    path = models / "embedded" / "encoder" / "heads.npz"
    np.savez(path, **beside(path, arrays))
    return str(Store(models / "registry.toml").lock_embedded())


# --- measuring ------------------------------------------------------------------------------------


def limit_of(found: Sequence[Example]) -> float:
    """The log-odds that a share `SHOWN` of the words of whole sentences reach, at least what is kept."""
    total = sum(len(words(one.text)) for one in found)
    odds = sorted((odds for one in found for _, _, odds in one.said[0].words), reverse=True)
    allowed = int(SHOWN * total)
    return round(odds[allowed] + 0.01 if allowed < len(odds) else order.KEPT, 2)


def measured(scorer: LanguageModel, language: str, found: Sequence[Example]) -> tuple[pd.DataFrame, float]:
    """What models say of held-out sentences, and the limit from which words are shown.

    Columns ``language``, ``family``, and for the sentence and its shuffled version (``mixed_…``) ``slor``,
    ``order`` and ``shown``, the number of words that are shown as broken.
    """
    limit = limit_of(found)
    table = pd.DataFrame({"language": language, "family": [one.family for one in found]})
    versions = {"": [one.text for one in found], "mixed_": [one.shuffled or "" for one in found]}
    for number, (name, texts) in enumerate(versions.items()):
        said = [one.said[number] for one in found]
        table[f"{name}slor"] = [
            fluency.reading(scores).value for scores in scorer.log_probabilities(texts, language)
        ]
        table[f"{name}order"] = [one.value for one in said]
        table[f"{name}shown"] = [sum(odds >= limit for *_, odds in one.words) for one in said]
    return table, limit


def main() -> None:
    parser = command(__doc__)
    parser.add_argument("--corpora", type=Path, required=True)
    parser.add_argument("--models", type=Path, default=Path("models"))
    parser.add_argument("--languages", nargs="+", default=LANGUAGES)
    parser.add_argument("--sentences", type=int, default=900, help="of a language, at most")
    parser.add_argument("--out", type=Path, help="a Parquet file for what was said of held-out sentences")
    parser.add_argument("--no-ship", action="store_true", help="measure only")
    args = parser.parse_args()
    store = Store(args.models / "registry.toml")
    checker = Checker(store=store, round_trip=False, fluency=False, exact=True)
    model = store.language_model("embedded", "en")
    assert model is not None
    scorer = load_language_model(model, store, numbers="float32")
    found: list[Example] = []
    for language in args.languages:
        own = list(examples(args.corpora, language, args.sentences))
        look(checker, own)
        found += own
        print(f"{language}: {len(own)} sentences", flush=True)
    cross_fit(found)
    tables, broken, readings = [], {}, []
    for language in args.languages:
        held = [one for one in found if one.language == language and one.family != TRAINED]
        table, broken[language] = measured(scorer, language, held)
        tables.append(table)
        for one, slor, said in zip(held, table["slor"], table["order"], strict=True):
            alone = Reading(fluency.CLIPPED_SLOR, None if pd.isna(slor) else slor, None)
            readings.append((language, one.text, fluency.joined(alone, said)))
        print(f"{language}: {len(held)} held out, words are shown from {broken[language]}", flush=True)
    if args.out:
        args.out.parent.mkdir(parents=True, exist_ok=True)
        pd.concat(tables, ignore_index=True).to_parquet(args.out)
    if args.no_ship:
        return
    FluencyTable.measure(model.label, readings, broken=broken).write(
        args.models / "embedded" / "fluency.json"
    )
    print(ship(args.models, fit(found)))


if __name__ == "__main__":
    main()
