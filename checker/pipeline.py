"""The checker: post → language → sentences → round trip, fluency, style → verdict → result."""

from __future__ import annotations

import re
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import chain, islice
from pathlib import Path
from typing import NamedTuple, get_args

from checker import __version__, fluency, reasons, roundtrip, style
from checker.cache import Cache, remembered
from checker.errors import InputError
from checker.language import SUPPORTED, identify
from checker.models import Models
from checker.processor import Arithmetic
from checker.result import Difference, Language, MeasuredThreshold, Result, RoundTrip, Sentence, Verdict, Word
from checker.store import Store
from checker.store.registry import Profile
from checker.text import MAX_CHARACTERS, CleanText, Span, clean, sentences, width, words
from checker.translation import Device, Engine, ctranslate2_engine
from checker.verdict import SHORTEST, Evidence, Judgement, decide, logit, measured, sigmoid

BATCH = 64  # posts scored together
AHEAD = 3  # batches in work at a time
OWN_LANGUAGE = 30  # columns from which a sentence's language is identified on its own
LIKELY = 0.5  # confidence under which a post's language counts as not identified
SURE = 0.9  # confidence from which a sentence may be in another language than its post
SHOWN_WORDS = 5  # words a sentence that are shown for its style
_LONE_SURROGATE = re.compile(r"[\ud800-\udfff]")


@dataclass
class _Unit:
    """A sentence on its way through the models."""

    span: Span
    language: str
    columns: int
    perplexity: float | None = None
    rank: fluency.Rank | None = None
    trip: roundtrip.SentenceRoundTrip | None = None
    alone: _Findings | None = None


@dataclass
class _Post:
    """A post on its way through the models."""

    id: str
    cleaned: CleanText
    language: Language
    units: list[_Unit] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    scored: bool = False

    def parts(self) -> dict[str, list[_Unit]]:
        """Sentences by supported language, the language with most text first."""
        parts: dict[str, list[_Unit]] = defaultdict(list)
        for unit in self.units:
            if unit.language in SUPPORTED:
                parts[unit.language].append(unit)
        return dict(sorted(parts.items(), key=lambda item: -sum(u.columns for u in item[1])))


class _Findings(NamedTuple):
    """What the models found about sentences of one language."""

    evidence: Evidence
    round_trip: RoundTrip | None
    fluency: float | None


class Checker:
    """Scores posts. Models are loaded when first needed and kept; safe to share by threads.

    Args:
        profile: ``embedded`` (shipped) or ``hub`` (downloaded once with ``checker models download``).
        engine: ``ctranslate2`` or ``transformers``.
        device: ``auto``, ``cpu`` or ``cuda``.
        pivot: ISO 639-1 code of the round trip's pivot; posts in the pivot itself go through Russian
            if it is English, and through English otherwise.
        language: score every post in this language instead of identifying it.
        round_trip: False skips translation, the slowest part.
        fluency: False skips the language model.
        calibration: a file of ``checker calibrate``: the verdict in the languages that it has.
        store: where the models are.
        cache: a folder to keep what models say of sentences in, see ``cache.Cache``; None keeps nothing.
        threads: of CTranslate2 on a CPU; by default one a core.
        exact: evidence in 32-bit floats on every processor, to be fitted on. Without it, evidence that no
            verdict counts may be computed in 8-bit integers, where the processor sums these exactly.

    Raises:
        InputError: an argument has no such value, or ``calibration`` cannot be used.
        CheckerError: ``cuda`` was asked for and there is no such device (raised on first use).
    """

    def __init__(
        self,
        profile: Profile = "embedded",
        *,
        engine: Engine = "ctranslate2",
        device: Device = "auto",
        pivot: str = "en",
        language: str | None = None,
        round_trip: bool = True,
        fluency: bool = True,
        calibration: str | Path | None = None,
        store: Store | None = None,
        cache: str | Path | None = None,
        threads: int | None = None,
        exact: bool = False,
    ) -> None:
        for name, value, known in (
            ("profile", profile, get_args(Profile)),
            ("engine", engine, get_args(Engine)),
            ("device", device, get_args(Device)),
            ("pivot", pivot, SUPPORTED),
            ("language", language or SUPPORTED[0], SUPPORTED),
        ):
            if value not in known:
                raise InputError(f"There is no {name} {value!r}.", fix=f"Use one of {', '.join(known)}.")
        if threads is not None and threads < 1:
            raise InputError(f"There cannot be {threads} threads.", fix="Use a number from 1.")
        self.profile = profile
        self._forced, self._round_trip, self._fluency = language, round_trip, fluency
        self._ahead = AHEAD if (threads or ctranslate2_engine.cores()) > 1 else 1
        self._cache = Cache(Path(cache)) if cache is not None else None
        self.store = store or Store()
        own = Path(calibration) if calibration is not None else None
        self.models = Models(self.store, profile, engine, device, pivot, own, threads, exact)

    def score(self, text: str, id: str = "1") -> Result:
        """Score one post.

        Args:
            text: the post as it was published; anything that is a string is accepted.
            id: returned in the result.

        Raises:
            InputError: ``text`` is not a string.
            ModelNotFoundError: a model of the hub profile was not downloaded.
            ModelCorruptedError: a model file does not match its lock.
        """
        return self._score_batch([(id, text)])[0]

    def score_many(self, texts: Iterable[str], ids: Iterable[str] | None = None) -> Iterator[Result]:
        """Score many posts, batched inside; results come in the order of the posts.

        Args:
            texts: the posts; a generator of any length will do. A few batches are read ahead.
            ids: one for each post; by default "1", "2", …

        Raises:
            InputError: ``texts`` is one string, or as ``score``.
            ValueError: there are more or fewer ids than posts.
        """
        if isinstance(texts, str):
            raise InputError("The posts must be a sequence of strings.", fix="Use score for one post.")
        numbered = enumerate(texts, start=1)
        pairs = ((str(n), text) for n, text in numbered) if ids is None else zip(ids, texts, strict=True)
        batches = iter(lambda: list(islice(pairs, BATCH)), [])
        yield from chain.from_iterable(self.score_batches(batches))

    def score_batches(self, batches: Iterable[Sequence[tuple[str, str]]]) -> Iterator[list[Result]]:
        """Score batches of ``(id, text)``; the results of each, in order.

        ``AHEAD`` batches are worked on at a time, so that the models have work while the results of one
        batch are put together and the texts of another are cut.

        Args:
            batches: what is in the models at the same time; read ahead, but no further than that.

        Raises:
            InputError: a post is not a string; the batches before it have given their results.
        """
        if self._ahead == 1:
            yield from map(self._score_batch, batches)
            return
        pool = ThreadPoolExecutor(self._ahead, "checker")
        waiting: deque[Future[list[Result]]] = deque()
        try:
            for batch in batches:
                waiting.append(pool.submit(self._score_batch, batch))
                if len(waiting) == self._ahead:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            pool.shutdown(cancel_futures=True)

    def evidence_many(
        self, texts: Iterable[str], language: str, percentiles: fluency.FluencyTable | None = None
    ) -> Iterator[Evidence]:
        """The evidence of posts in a known language, without a verdict: what a verdict is fitted on.

        Args:
            texts: posts that are known to be in ``language``.
            language: ISO 639-1 code.
            percentiles: of human fluency under the language model; by default those that scoring uses.
        """
        texts = iter(texts)
        while batch := list(islice(texts, BATCH)):
            parts = []
            for text in batch:
                cleaned = clean(text[:MAX_CHARACTERS]).text
                parts.append([_Unit(s, language, width(s.text)) for s in sentences(cleaned, language)])
            self._run_models(language, [unit for part in parts for unit in part], percentiles)
            for part in parts:
                yield self._evidence(language, part).evidence

    @property
    def arithmetic(self) -> Arithmetic | None:
        """The numbers that translators and language models compute with; None where neither is asked for."""
        return self.models.arithmetic if self._round_trip or self._fluency else None

    # -- one batch, top to bottom ------------------------------------------------------------------

    def _score_batch(self, batch: Sequence[tuple[str, str]]) -> list[Result]:
        posts = [self._prepare(id, text) for id, text in batch]
        by_language: dict[str, list[_Unit]] = defaultdict(list)
        for post in posts:
            if post.scored:
                for language, units in post.parts().items():
                    by_language[language] += units
        for language, units in by_language.items():
            self._run_models(language, units)
        return [self._result(post) for post in posts]

    def _prepare(self, id: str, text: str) -> _Post:
        """Clean, identify, cut into sentences; say why where the post cannot be scored."""
        if not isinstance(text, str):
            raise InputError(f"A post must be a string, not {type(text).__name__}.", fix="Pass its text.")
        cleaned = clean(text[:MAX_CHARACTERS])
        post = _Post(id, cleaned, Language(code=None, confidence=0.0))
        if len(text) > MAX_CHARACTERS:
            post.warnings.append(
                f"Only the first {MAX_CHARACTERS} of {len(text)} characters were scored: "
                "send long texts in parts."
            )
        columns = width(cleaned.text)
        if not cleaned.text:
            post.warnings.append(
                "Not scored: there is no text left after links, mentions and emoji are set aside."
            )
            return post
        post.language = (
            Language(code=self._forced, confidence=1.0) if self._forced else identify(cleaned.text)
        )
        self._cut(post)
        if columns < SHORTEST:
            post.warnings.append(
                f"Not scored: too short, {columns} columns of text; the minimum is {SHORTEST} "
                "(a wide character counts as two)."
            )
        elif post.language.code is None:
            post.warnings.append("Not scored: the language could not be identified.")
        elif post.language.confidence < LIKELY and not post.language.mixed:
            post.warnings.append(
                f"Not scored: the language could not be identified; the best guess, {post.language.code!r}, "
                f"has a confidence of {post.language.confidence:.2f}. Name the language if you know it."
            )
        elif post.language.code not in SUPPORTED:
            post.warnings.append(
                f"Not scored: the language {post.language.code!r} is not supported; supported are "
                f"{', '.join(SUPPORTED)}."
            )
        elif not post.units:
            post.warnings.append("Not scored: there is no word in it.")
        else:
            post.scored = True
        return post

    def _cut(self, post: _Post) -> None:
        """Sentences with their languages; a confident sentence may differ from its post."""
        code = post.language.code
        guesses = []
        for span in sentences(post.cleaned.text, code):
            columns = width(span.text)
            own = code
            if self._forced is None and columns >= OWN_LANGUAGE:
                wanted = min(SURE, post.language.confidence)
                whole = span.text == post.cleaned.text
                guess = post.language if whole else identify(span.text, wanted)
                if guess.code in SUPPORTED and guess.confidence >= wanted:
                    own = guess.code
            guesses.append((span, own, columns))
        found: dict[str, int] = defaultdict(int)
        for _, own, columns in guesses:
            if own in SUPPORTED:
                found[own] += columns
        if found:  # the language with most text; its evidence stands for the post
            code = max(found, key=found.__getitem__)
        post.units = [_Unit(span, known, columns) for span, own, columns in guesses if (known := own or code)]
        mixed = sum(columns >= OWN_LANGUAGE for columns in found.values()) > 1
        if found and (left := [unit.language for unit in post.units if unit.language not in SUPPORTED]):
            mixed = True
            post.warnings.append(
                f"{len(left)} of {len(post.units)} sentences are not scored: the language {left[0]!r} is not "
                "supported."
            )
        confidence = post.language.confidence
        if code is not None and post.language.code != code:
            confidence = round(found[code] / sum(columns for _, _, columns in guesses), 4)
        post.language = post.language.model_copy(
            update={"code": code, "mixed": mixed, "confidence": confidence}
        )

    def _run_models(
        self, language: str, units: list[_Unit], percentiles: fluency.FluencyTable | None = None
    ) -> None:
        if self._fluency:
            self._add_fluency(language, units, percentiles or self.models.percentiles_of(language))
        if self._round_trip:
            self._add_round_trips(language, units)

    def _add_fluency(self, language: str, units: list[_Unit], percentiles: fluency.FluencyTable) -> None:
        model = self.models.language_model(language)
        if model is None:
            return
        texts = [unit.span.text for unit in units]
        scope = self.models.scope("fluency", language) if self._cache else ""

        def read(new: list[str]) -> list[fluency.Reading]:
            return [fluency.reading(scores) for scores in model.score(new, language)]

        for unit, kept in zip(units, remembered(self._cache, scope, texts, read), strict=True):
            found = fluency.Reading(*kept)  # from a cache it comes as a list
            unit.perplexity = found.perplexity
            if percentiles.model == model.label:
                unit.rank = percentiles.rank(language, unit.span.text, found)

    def _add_round_trips(self, language: str, units: list[_Unit]) -> None:
        pair = self.models.translators(language)
        if pair is None:
            return
        texts = [unit.span.text for unit in units]
        scope = self.models.scope("translator", language) if self._cache else ""
        pivot = self.models.pivot(language)
        trips = roundtrip.round_trips(texts, language, pivot, *pair, self._cache, scope)
        for unit, trip in zip(units, trips, strict=True):
            unit.trip = trip

    # -- from evidence to the result ---------------------------------------------------------------

    def _evidence(self, language: str, units: Sequence[_Unit]) -> _Findings:
        """What sentences of one language, taken as a post, give to a verdict."""
        if len(units) > 1:
            return self._measured(language, units)
        unit = units[0]
        if unit.alone is None:
            unit.alone = self._measured(language, units)
        return unit.alone

    def _measured(self, language: str, units: Sequence[_Unit]) -> _Findings:
        text = " ".join(unit.span.text for unit in units)
        rank = fluency.pool([(unit.rank, unit.columns) for unit in units if unit.rank is not None])
        trips = [unit.trip for unit in units if unit.trip is not None]
        trip = roundtrip.aggregate(trips, self.models.pivot(language), language) if trips else None
        evidence = Evidence(
            columns=width(text),
            style=self.models.style(language).log_odds(text),
            fluency=rank.z if rank else None,
            chrf=trip.chrf if trip else None,
            log_likelihood=trip.log_likelihood if trip else None,
            gap=trip.gap if trip else None,
        )
        return _Findings(evidence, trip, round(rank.percentile, 4) if rank else None)

    def _judge(self, language: str, evidence: Evidence) -> Judgement | None:
        """Judge by the evidence of those models alone that the verdict was calibrated with."""
        evidence = evidence.without(self.models.outdated(language))
        return self.models.verdict(language).judge(language, evidence)

    def _result(self, post: _Post) -> Result:
        if not post.scored:
            return Result(
                id=post.id, verdict="not_scored", language=post.language,
                sentences=tuple(self._sentence(post, unit, None) for unit in post.units),
                warnings=tuple(post.warnings), models={"profile": self.profile}, version=__version__,
            )  # fmt: skip
        judged: list[tuple[int, Judgement]] = []
        lines: list[str] = []
        cuts: list[MeasuredThreshold] = []
        main: _Findings | None = None
        for language, units in post.parts().items():
            found = self._evidence(language, units)
            main = main or found
            evidence, trip, percentile = found
            judgement = self._judge(language, evidence)
            if judgement is None:
                continue
            judged.append((evidence.columns, judgement))
            if judgement.threshold is not None:
                cuts.append(measured(language, evidence.columns, judgement.threshold))
            said = reasons.reasons(
                language, evidence, judgement, self.models.verdict(language), percentile, trip
            )
            said.append(reasons.threshold_reason(language, judgement))
            prefix = f"{reasons.name(language)} part: " if post.language.mixed else ""
            lines += [prefix + line for line in said]
            self._warn(post, language, units, judgement)
        assert main is not None  # a scored post has at least one sentence
        probability, verdict = _combine(judged)
        evidence, trip, percentile = main
        code = str(post.language.code)
        return Result(
            id=post.id,
            verdict=verdict,
            machine_translated=probability,
            fluency=percentile,
            language=post.language,
            round_trip=trip,
            style=round(self.models.verdict(code).style(code, evidence)[0], 4),
            sentences=tuple(
                self._sentence(post, unit, unit.language if unit.language in SUPPORTED else None)
                for unit in post.units
            ),
            thresholds=tuple(cuts),
            reasons=tuple(lines),
            warnings=tuple(dict.fromkeys(post.warnings)),
            models={"profile": self.profile} | self._labels(code),
            version=__version__,
        )

    def _sentence(self, post: _Post, unit: _Unit, language: str | None) -> Sentence:
        start, end = post.cleaned.span(unit.span.start, unit.span.end)
        text = _LONE_SURROGATE.sub("\ufffd", post.cleaned.source[start:end])  # JSON has no place for them
        if language is None:
            return Sentence(text=text, start=start, end=end, language=unit.language)
        evidence = self._evidence(language, [unit]).evidence
        log_odds, gain = self.models.verdict(language).style(language, evidence)
        judgement = self._judge(language, evidence) if unit.columns >= SHORTEST else None
        trip = unit.trip

        def located(first: int, last: int) -> dict[str, int]:
            """Offsets of a span of the sentence in the text as given."""
            begin, stop = post.cleaned.span(unit.span.start + first, unit.span.start + last)
            return {"start": begin, "end": stop}

        return Sentence(
            text=text,
            start=start,
            end=end,
            language=language,
            machine_translated=judgement.probability if judgement else None,
            fluency=None if unit.rank is None else round(unit.rank.percentile, 4),
            perplexity=None if unit.perplexity is None else round(unit.perplexity, 2),
            style=round(log_odds, 4),
            pivot_text=trip.pivot_text if trip else None,
            back_translation=trip.back_translation if trip else None,
            chrf=trip.chrf if trip else None,
            bleu=trip.bleu if trip else None,
            ter=trip.ter if trip else None,
            log_likelihood=trip.log_likelihood if trip else None,
            gap=trip.gap if trip else None,
            reliable=trip.reliable if trip else None,
            differences=tuple(
                Difference(**located(first, last), back_translation=instead)
                for first, last, instead in (trip.differences if trip else ())
            ),
            words=tuple(
                Word(**located(span.start, span.end), weight=round(weight * gain, 4))
                for span, weight in self._telling_words(language, unit.span.text)
            ),
        )

    def _telling_words(self, language: str, text: str) -> list[tuple[Span, float]]:
        """The words with the largest shares of the style log-odds, in text order."""
        spans = words(text)
        shares = self.models.style(language).contributions(text)
        weights = style.word_weights(shares, [(s.start, s.end) for s in spans])
        largest = sorted(range(len(spans)), key=lambda n: -abs(weights[n]))[:SHOWN_WORDS]
        return [(spans[n], weights[n]) for n in sorted(largest)]

    def _labels(self, language: str) -> dict[str, str]:
        """name@revision of every model that a post in this language meets, of a calibration; arithmetic."""
        labels = dict(self.models.labels(language))
        if own := self.models.verdict(language).label:
            labels["calibration"] = own
        for task, wanted in ("translator", self._round_trip), ("fluency", self._fluency):
            if not wanted:
                labels.pop(task, None)
        if self.arithmetic and labels.keys() & {"translator", "fluency"}:
            labels["arithmetic"] = self.arithmetic
        return labels

    def _warn(self, post: _Post, language: str, units: Sequence[_Unit], judgement: Judgement) -> None:
        """What limits this part of the verdict."""
        named, pivot = reasons.name(language), self.models.pivot(language)
        if self._round_trip and not any(u.trip for u in units):
            post.warnings.append(
                f"No {self.profile} translator serves {named} and {reasons.name(pivot)} yet: "
                "there is no round trip."
            )
        lost = sum(1 for u in units if u.trip is not None and not u.trip.reliable)
        if lost:
            post.warnings.append(
                f"The round trip of {lost} of {len(units)} {named} sentences is unreliable "
                "and does not count."
            )
        outdated = self.models.outdated(language)
        for part, label in self._labels(language).items():
            if part in outdated:
                post.warnings.append(
                    f"The verdict was not calibrated with {label}: its {part} evidence is shown, not counted."
                )
        own = self.models.calibration
        if own and own is not self.models.verdict(language):
            why = "was fitted with another style model" if own.models(language) else "does not have it"
            post.warnings.append(f"{named} is judged by the shipped verdict: {own.label} {why}.")
        if judgement.threshold and judgement.threshold.negatives != "native":
            post.warnings.append(
                f"No native {named} text was at hand: the error rates were measured on human translations."
            )


def _combine(judged: Sequence[tuple[int, Judgement]]) -> tuple[float | None, Verdict]:
    """One verdict for a post of several languages: log-odds weighted by length, the strictest threshold."""
    if not judged:
        return None, "uncertain"
    if len(judged) == 1:
        return judged[0][1].probability, judged[0][1].verdict
    total = sum(columns for columns, _ in judged)
    probability = round(sigmoid(sum(logit(j.probability) * c for c, j in judged) / total), 4)
    cuts = [j.threshold.machine if j.threshold else None for _, j in judged]
    measured = [cut for cut in cuts if cut is not None]
    return probability, decide(probability, max(measured) if len(measured) == len(cuts) else None)
