"""The estimator: two texts → sentences → alignment → adequacy, fluency, checks → findings → quality."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from itertools import islice
from typing import TypeVar, Unpack

from pydantic import Field

from checker import measure
from checker.bitext.adequacy import adequacies
from checker.bitext.alignment import align
from checker.bitext.checks import check
from checker.bitext.document import Text, read
from checker.bitext.findings import findings
from checker.bitext.human_rates import Direction, HumanTable
from checker.bitext.reference import compare
from checker.bitext.result import Finding, Passage, Quality, QualityWarning, Segment
from checker.bitext.signals import TRANSLATED, Document, Unit, signals
from checker.errors import InputError, ModelCorruptedError, ModelNotFoundError
from checker.evidence import fluency
from checker.language import LIKELY
from checker.languages import SUPPORTED
from checker.loaded import LoadedModels
from checker.models import Model, Store
from checker.result import Record
from checker.settings import Options, Settings
from checker.text import Span
from checker.version import __version__

T = TypeVar("T")

BATCH = 32
"""Pairs measured together."""

SLICE = 32
"""Sentences in the models at once: whoever shares them, as the posts of a service do, waits for no more."""


class Pair(Record):
    """Two texts to compare: a row of the input, and the body of a request."""

    source: str = Field(description="The text that was translated.")
    target: str = Field(description="Its translation.")
    reference: str | None = Field(None, description="Another translation of the source, known to be good.")
    source_language: str | None = Field(None, description="ISO 639-1 code; identified where it is not given.")
    target_language: str | None = Field(None, description="ISO 639-1 code; identified where it is not given.")
    id: str = Field("1", description="Returned in the result.")


class QualityEstimator:
    """Estimates translation quality. Models are loaded when first needed and kept; safe to share by threads.

    Args:
        settings: profile, engine, device and threads; the rest is about posts and has no effect.
        store: where the models are.
        table: what human translations look like; by default the one that ships.
        models: those of a ``Checker`` with the same settings, so that both share what is loaded; by default
            its own.
        options: fields of `checker.Settings` by name, instead of ``settings``.

    Raises:
        InputError: an option has no such value.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        store: Store | None = None,
        table: HumanTable | None = None,
        models: LoadedModels | None = None,
        **options: Unpack[Options],
    ) -> None:
        settings = models.settings if models is not None else Settings.of(settings, options)
        self.settings = settings
        self.profile = settings.profile
        self.store = store or Store()
        self._models = models or LoadedModels(self.store, settings)
        self._table = table

    @cached_property
    def table(self) -> HumanTable:
        """What human translations look like.

        Raises:
            ModelNotFoundError: the file that ships is missing.
            ModelCorruptedError: it is damaged.
        """
        if self._table is not None:
            return self._table
        path = self.store.registry.parent / "embedded" / "quality.json"
        if not path.is_file():
            raise ModelNotFoundError(f"{path}, which ships with the package, is missing: install it again.")
        try:
            return HumanTable.read(path)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ModelCorruptedError(
                f"{path} cannot be read ({error}). Install the package again."
            ) from None

    def estimate(
        self,
        source: str,
        target: str,
        reference: str | None = None,
        *,
        source_language: str | None = None,
        target_language: str | None = None,
        id: str = "1",
    ) -> Quality:
        """Say how good a translation one text is of another.

        Args:
            source: the text that was translated.
            target: its translation.
            reference: another translation, known to be good; adds chrF++, BLEU and TER.
            source_language, target_language: ISO 639-1 codes; identified where they are not given.
            id: returned in the result.

        Raises:
            InputError: a text is not a string, empty or too long, or its language is not supported or not
                identified.
            ModelNotFoundError: a model of the hub profile was not downloaded.
            ModelCorruptedError: a model file does not match its lock.
        """
        pair = Pair.model_construct(
            source=source,
            target=target,
            reference=reference,
            source_language=source_language,
            target_language=target_language,
            id=id,
        )
        return next(self.estimate_many([pair]))

    def estimate_many(self, pairs: Iterable[Pair]) -> Iterator[Quality]:
        """Estimate many pairs, batched inside; results come in the order of the pairs.

        Raises:
            InputError: as ``estimate``, for the first pair that it holds of; its batch gives no result.
        """
        for document in self.measure(pairs):
            yield self._quality(document)

    def measure(self, pairs: Iterable[Pair]) -> Iterator[Document]:
        """Aligned pairs with their signals, without rates and flags: what the table is measured on."""
        pairs = iter(pairs)
        while batch := list(islice(pairs, BATCH)):
            documents = [_read(pair) for pair in batch]
            by_direction: dict[tuple[str, str], list[Document]] = defaultdict(list)
            for document in documents:
                by_direction[document.direction].append(document)
            for direction, group in by_direction.items():
                self._run(direction, group)
            yield from documents

    def translator(self, source: str, target: str) -> str | None:
        """Labels of the translators that say how likely one text is given the other, both ways.

        None unless there are both. Texts may be aligned with another one, see ``_align``.
        """
        chosen = self.settings.translator
        there = self.store.translator(self.profile, source, target, chosen, forced=True)
        back = self.store.translator(self.profile, target, source, chosen, forced=True)
        return " + ".join(dict.fromkeys([there.label, back.label])) if there and back else None

    def _bridge(self, source: str, target: str) -> Model | None:
        return self.store.translator(self.profile, source, target, self.settings.translator)

    # -- the models, one direction at a time -------------------------------------------------------

    def _run(self, direction: tuple[str, str], documents: Sequence[Document]) -> None:
        source, target = direction
        self._align(direction, documents)
        units = [unit for document in documents for unit in document.units]
        both = [(unit, unit.source.text, unit.target.text) for unit in units if unit.source and unit.target]
        for unit, ours, theirs in both:
            unit.checks = check(ours, theirs, source, target)
        forward = self._models.translator(source, target, forced=True)
        backward = self._models.translator(target, source, forced=True)
        if forward and backward:
            texts = [(ours, theirs) for _, ours, theirs in both]
            measured = [
                adequacy
                for part in _slices(texts)
                for adequacy in adequacies(part, source, target, forward, backward)
            ]
            for (unit, _, _), adequacy in zip(both, measured, strict=True):
                unit.adequacy = adequacy
        self._add_fluency(target, units)
        ratio = self.table.length(source, target).ratio
        for unit in units:
            unit.signals = signals(unit, direction, ratio)

    def _align(self, direction: tuple[str, str], documents: Sequence[Document]) -> None:
        """Align every document, with a translation of its source if a translator serves the pair."""
        translator = self._models.translator(*direction)
        lengths = self.table.length(*direction)
        # A sentence on either side leaves nothing to align.
        unsure = [max(len(d.source.sentences), len(d.target.sentences)) > 1 for d in documents]
        texts = [
            s.text for d, needed in zip(documents, unsure, strict=True) if needed for s in d.source.sentences
        ]
        parts = _slices(texts) if translator else []
        bridge = (found for part in parts if translator for found in translator.translate(part, *direction))
        for document, needed in zip(documents, unsure, strict=True):
            ours, theirs = ([s.text for s in side.sentences] for side in (document.source, document.target))
            translated = [next(bridge).text for _ in ours] if translator and needed else None
            for bead in align(ours, theirs, lengths, translated):
                document.units.append(
                    Unit(
                        document.source.join(bead.source_start, bead.source_stop),
                        document.target.join(bead.target_start, bead.target_stop),
                    )
                )

    def _add_fluency(self, language: str, units: Sequence[Unit]) -> None:
        targets = [(unit, unit.target.text) for unit in units if unit.target]
        texts, table = [text for _, text in targets], self._models.percentiles
        units_left = iter(targets)
        for part in _slices(texts):
            found = measure.fluencies(self._models, language, part, percentiles=table)
            for one in found or ():
                next(units_left)[0].rank = one.rank

    # -- from signals to the result ----------------------------------------------------------------

    def _human(self, direction: tuple[str, str]) -> Direction | None:
        """What the table says of a direction, without what it measured with another translator."""
        human = self.table.directions.get("-".join(direction))
        if human is None or self.translator(*direction) == human.translator:
            return human
        own = {name: rows for name, rows in human.signals.items() if name not in TRANSLATED}
        return replace(human, signals=own, adequacy=(), translator=None)

    def _quality(self, document: Document) -> Quality:
        human = self._human(document.direction)
        found: list[Finding] = []
        segments: list[Segment] = []
        for number, unit in enumerate(document.units):
            here = findings(number, unit, document, human)
            found += here
            segments.append(_segment(unit, document, human, any(finding.flag for finding in here)))
        adequacy = document.adequacy
        rank = fluency.pool([(unit.rank, unit.columns) for unit in document.units if unit.rank])
        models = {"profile": self.profile, "translator": self.translator(*document.direction)}
        if rank:
            models["fluency"] = self._models.percentiles.model
            if self._models.percentiles.statistic == fluency.JOINED:
                models["encoder"] = self._models.labels(document.direction[1])["encoder"]
        if any(models.get(task) for task in ("translator", "fluency")):
            models["arithmetic"] = self._models.arithmetic
        return Quality(
            id=document.id,
            flagged=any(segment.flagged for segment in segments),
            adequacy=_percentile(human, adequacy[:2], adequacy[2]) if adequacy else None,
            forward=adequacy[0] if adequacy else None,
            backward=adequacy[1] if adequacy else None,
            coverage=document.coverage,
            fluency=round(rank.percentile, 4) if rank else None,
            source_language=document.source.language,
            target_language=document.target.language,
            segments=tuple(segments),
            findings=tuple(found),
            reference=compare(document.target, document.reference) if document.reference else None,
            warnings=tuple(self._warnings(document, human)),
            models={name: label for name, label in models.items() if label},
            version=__version__,
        )

    def _warnings(self, document: Document, human: Direction | None) -> Iterator[QualityWarning]:
        source, target = document.direction
        for role, text in ("source", document.source), ("target", document.target):
            if text.language.confidence < LIKELY:
                yield QualityWarning(
                    code="language_unsure",
                    text=f"The {role} may not be in {text.code!r}: name its language if you know it.",
                )
        label = self.translator(*document.direction)
        if source == target:
            yield QualityWarning(
                code="same_language",
                text=f"Both texts are in {source!r}: nothing was translated, or name their languages.",
            )
        elif label is None and (bridge := self._bridge(source, target)):
            yield QualityWarning(
                code="no_likelihood",
                text=f"{bridge.label} translates {source!r} into {target!r} but cannot say how likely a "
                "given translation is: there is no adequacy, and what is left out or added within a sentence "
                "is not found.",
            )
        elif label is None:
            yield QualityWarning(
                code="no_translator",
                text=f"No {self.profile} translator serves {source!r} and {target!r}: there is no adequacy, "
                "and what is left out or added within a sentence is not found.",
            )
        elif human and human.translator is None:
            yield QualityWarning(
                code="not_ranked",
                text=f"Human translations were not measured with {label}: its likelihoods are shown, not "
                "ranked.",
            )
        if human is None and source != target:
            yield QualityWarning(
                code="not_measured",
                text=f"Human translations from {source!r} into {target!r} were not measured: only facts are "
                "flagged.",
            )


def _slices(items: Sequence[T]) -> list[Sequence[T]]:
    return [items[start : start + SLICE] for start in range(0, len(items), SLICE)]


def _read(pair: Pair) -> Document:
    for name in "source_language", "target_language":
        code = getattr(pair, name)
        if code is not None and code not in SUPPORTED:
            problem = f"The language {code!r} is not supported."
            raise InputError(problem, fix=f"Use one of {', '.join(SUPPORTED)}.", field=name)
    source = read(pair.source, "source", pair.source_language)
    target = read(pair.target, "target", pair.target_language, source.code)
    reference = None if pair.reference is None else read(pair.reference, "reference", target.code)
    return Document(pair.id, source, target, reference)


def _segment(unit: Unit, document: Document, human: Direction | None, flagged: bool) -> Segment:
    adequacy = unit.adequacy
    both = (adequacy.forward, adequacy.backward) if adequacy else None

    def passage(text: Text, span: Span | None) -> Passage | None:
        return text.passage(span.start, span.end) if span else None

    return Segment(
        source=passage(document.source, unit.source),
        target=passage(document.target, unit.target),
        flagged=flagged,
        adequacy=_percentile(human, both, unit.columns) if both else None,
        forward=both[0] if both else None,
        backward=both[1] if both else None,
        fluency=round(unit.rank.percentile, 4) if unit.rank else None,
    )


def _percentile(human: Direction | None, adequacy: tuple[float, float], columns: int) -> float | None:
    return human.percentile(sum(adequacy) / 2, columns) if human else None
