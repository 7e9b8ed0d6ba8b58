"""The way of a post through the checker: prepare, run the models, judge, explain."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Generator, Iterable, Iterator, Sequence, Sized
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from itertools import islice, repeat
from typing import Any, Unpack, overload

from checker import measure
from checker.ahead import in_order
from checker.errors import InputError
from checker.evidence.cache import Cache
from checker.evidence.evidence import Evidence
from checker.evidence.fluency import FluencyTable
from checker.explain import Part, explain, judge
from checker.loaded import LoadedModels
from checker.models import Store, ctranslate2_engine
from checker.post import Post, Unit, prepare, reread, units
from checker.processor import Arithmetic
from checker.progress import watched
from checker.result import QUESTIONS, Result, RowError, row_of
from checker.settings import Options, Settings
from checker.text import MAX_CHARACTERS, clean

BATCH = 128  # posts scored together
AHEAD = 3  # batches in work at a time


class Checker:
    """Scores posts. Models are loaded when first needed and kept; safe to share by threads.

    Args:
        settings: how posts are scored; by default with the embedded models.
        store: where the models are.
        options: the fields of `checker.Settings` by name, instead of ``settings``:
            ``Checker(profile="hub", round_trip=False)``.

    Raises:
        InputError: an option has no such value, or the calibration cannot be used.
        CheckerError: ``cuda`` was asked for and there is no such device (raised on first use).
    """

    def __init__(
        self, settings: Settings | None = None, *, store: Store | None = None, **options: Unpack[Options]
    ) -> None:
        self.settings = settings = Settings.of(settings, options)
        self.profile = settings.profile
        self._language = settings.language
        models = settings.round_trip or settings.fluency or settings.encoder  # beside them Python runs on
        self._ahead = AHEAD if models and (settings.threads or ctranslate2_engine.cores()) > 1 else 1
        self._cache = Cache(settings.cache) if settings.cache is not None else None
        self.store = store or Store()
        self.models = LoadedModels(self.store, settings)

    def score(self, text: str, id: str | int = "1") -> Result:
        """Score one post.

        Args:
            text: the post as it was published; anything that is a string is accepted.
            id: returned in the result, as a string.

        Raises:
            InputError: ``text`` is not a string.
            ModelNotFoundError: a model of the hub profile was not downloaded.
            ModelCorruptedError: a model file does not match its lock.
        """
        return self._score_batch([(str(id), text)])[0]

    @overload
    def score_many(
        self, texts: Iterable[str], ids: Iterable[object] | None = None, *, progress: bool = False
    ) -> Iterator[Result]: ...

    @overload
    def score_many(
        self, texts: Iterable[Any], ids: Iterable[object] | None = None, *, progress: bool = False
    ) -> Iterator[Result | RowError]: ...

    def score_many(
        self, texts: Iterable[Any], ids: Iterable[object] | None = None, *, progress: bool = False
    ) -> Iterator[Result | RowError]:
        """Score many posts, batched inside; results come in the order of the posts.

        Args:
            texts: the posts; a generator of any length will do. A few batches are read ahead. One that is no
                string, such as the None or NaN of a gap in a table, has a `RowError` in its place.
            ids: one for each post, strings or whole numbers; by default, and where one is missing, the place
                of the post, from "1".
            progress: draw a bar on standard error, or log a line now and then where there is no terminal.

        Raises:
            InputError: ``texts`` is one string.
            ModelNotFoundError, ModelCorruptedError: as ``score``.
            ValueError: there are more or fewer ids than posts.
        """
        if isinstance(texts, str):
            raise InputError("The posts must be a sequence of strings.", fix="Use score for one post.")
        results = self._score_rows(texts, ids)
        return watched(results, len(texts) if isinstance(texts, Sized) else None) if progress else results

    def _score_rows(
        self, texts: Iterable[Any], ids: Iterable[object] | None
    ) -> Generator[Result | RowError, None, None]:
        named = zip(repeat(None), texts, strict=False) if ids is None else zip(ids, texts, strict=True)
        rows = (row_of(n, id, text) for n, (id, text) in enumerate(named, start=1))
        begun: deque[list[tuple[str, str] | RowError]] = deque()

        def batches() -> Iterator[list[tuple[str, str]]]:
            while batch := list(islice(rows, BATCH)):
                begun.append(batch)
                yield [row for row in batch if not isinstance(row, RowError)]

        with closing(self.score_batches(batches())) as scored:
            for results in map(iter, scored):
                for row in begun.popleft():
                    yield row if isinstance(row, RowError) else next(results)

    def score_batches(
        self, batches: Iterable[Sequence[tuple[str, str]]]
    ) -> Generator[list[Result], None, None]:
        """Score batches of ``(id, text)``; the results of each, in order.

        ``AHEAD`` batches are worked on at a time, so that the models have work while the results of one
        batch are assembled and the texts of another are split.

        Args:
            batches: what is in the models at the same time; read ahead, but no further than that.

        Raises:
            InputError: a post is not a string; the batches before it have given their results.
            Exception: what ``batches`` raised; likewise.
        """
        if self._ahead == 1:
            yield from map(self._score_batch, batches)
            return
        pool = ThreadPoolExecutor(self._ahead, "checker")
        try:
            yield from in_order(lambda batch: pool.submit(self._score_batch, batch), batches, self._ahead)
        finally:
            pool.shutdown(cancel_futures=True)

    def evidence_many(
        self, texts: Iterable[str], language: str, percentiles: FluencyTable | None = None
    ) -> Iterator[Evidence]:
        """The evidence of posts in a known language, without a verdict: what a verdict is fitted on.

        Args:
            texts: posts that are known to be in ``language``.
            language: ISO 639-1 code.
            percentiles: of human fluency under the language model; by default those that scoring uses.
        """
        return (found.evidence for found in self.findings_many(texts, language, percentiles))

    def findings_many(
        self, texts: Iterable[str], language: str, percentiles: FluencyTable | None = None
    ) -> Iterator[measure.Findings]:
        """As `evidence_many`, with all that the models found."""
        texts = iter(texts)
        while batch := list(islice(texts, BATCH)):
            posts = [units(clean(text[:MAX_CHARACTERS]).text, language) for text in batch]
            self._run({language: [unit for post in posts for unit in post]}, percentiles)
            for post in posts:
                yield measure.findings(self.models, language, post)

    @property
    def arithmetic(self) -> Arithmetic | None:
        """The numbers that translators and language models compute with; None where neither is asked for."""
        return self.models.arithmetic if self.settings.round_trip or self.settings.fluency else None

    def prepare(self, id: str, text: str, language: str | None = None) -> Post:
        """The first step of `score`: clean a post, identify its language, cut it into sentences.

        Who takes the three steps of many posts together, as the service does, gets what `score` gives.

        Args:
            id: of the post.
            text: as it was published.
            language: ISO 639-1 code of a supported one, instead of that of the settings or identifying it.

        Raises:
            InputError: ``text`` is not a string.
        """
        return prepare(id, text, language or self._language)

    def measure(self, sentences: Iterable[Unit]) -> None:
        """The second step: run the models over sentences, of any number of prepared posts.

        Args:
            sentences: ``Post.measured()`` of each, in any order and in any number of calls.

        Raises:
            ModelNotFoundError, ModelCorruptedError: as ``score``.
        """
        by_language: dict[str, list[Unit]] = defaultdict(list)
        for unit in sentences:
            if unit.language is not None:
                by_language[unit.language].append(unit)
        self._run(by_language)

    def explain(self, post: Post) -> Result:
        """The last step, when all sentences of a post are measured: judge and explain."""
        reread(post)
        return explain(post, self._judged(post) if post.scored else (), self.models)

    def _score_batch(self, batch: Sequence[tuple[str, str]]) -> list[Result]:
        """One batch, top to bottom: text, sentences by language, evidence, verdict, explanation."""
        posts = [self.prepare(id, text) for id, text in batch]
        self.measure(unit for post in posts for unit in post.measured())
        return [self.explain(post) for post in posts]

    def _judged(self, post: Post) -> list[Part]:
        """Findings and judgement on the sentences of each language."""
        parts = []
        for language, sentences in post.parts().items():
            found = measure.findings(self.models, language, sentences)
            answers = [judge(self.models, language, found, asked) for asked in QUESTIONS]
            parts.append(Part(language, sentences, found, *answers))
        return parts

    def _run(self, sentences: dict[str, list[Unit]], percentiles: FluencyTable | None = None) -> None:
        """The models over sentences by language."""
        together = [(language, unit) for language, part in sentences.items() for unit in part]
        measure.look(self.models, together, self._cache)
        for language, part in sentences.items():
            measure.run(self.models, language, part, self._cache, percentiles)
