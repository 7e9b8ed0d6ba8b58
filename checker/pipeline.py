"""The way of a post through the checker: prepare, run the models, judge, explain."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import chain, islice
from typing import Unpack

from checker import measure
from checker.errors import InputError
from checker.evidence.cache import Cache
from checker.evidence.evidence import Evidence
from checker.evidence.fluency import FluencyTable
from checker.explain import Part, explain, judge
from checker.loaded import LoadedModels
from checker.models import Store, ctranslate2_engine
from checker.post import Post, Unit, prepare, units
from checker.processor import Arithmetic
from checker.result import QUESTIONS, Result
from checker.settings import Options, Settings
from checker.text import MAX_CHARACTERS, clean

BATCH = 64  # posts scored together
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
        self._ahead = AHEAD if (settings.threads or ctranslate2_engine.cores()) > 1 else 1
        self._cache = Cache(settings.cache) if settings.cache is not None else None
        self.store = store or Store()
        self.models = LoadedModels(self.store, settings)

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
        batch are assembled and the texts of another are split.

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
        self, texts: Iterable[str], language: str, percentiles: FluencyTable | None = None
    ) -> Iterator[Evidence]:
        """The evidence of posts in a known language, without a verdict: what a verdict is fitted on.

        Args:
            texts: posts that are known to be in ``language``.
            language: ISO 639-1 code.
            percentiles: of human fluency under the language model; by default those that scoring uses.
        """
        texts = iter(texts)
        while batch := list(islice(texts, BATCH)):
            posts = [units(clean(text[:MAX_CHARACTERS]).text, language) for text in batch]
            self._run(language, [unit for post in posts for unit in post], percentiles)
            for post in posts:
                yield measure.findings(self.models, language, post).evidence

    @property
    def arithmetic(self) -> Arithmetic | None:
        """The numbers that translators and language models compute with; None where neither is asked for."""
        return self.models.arithmetic if self.settings.round_trip or self.settings.fluency else None

    def _score_batch(self, batch: Sequence[tuple[str, str]]) -> list[Result]:
        """One batch, top to bottom: text, sentences by language, evidence, verdict, explanation."""
        posts = [prepare(id, text, self._language) for id, text in batch]
        by_language: dict[str, list[Unit]] = defaultdict(list)
        for post in posts:
            if post.scored:
                for language, sentences in post.parts().items():
                    by_language[language] += sentences
        for language, sentences in by_language.items():
            self._run(language, sentences)
        return [explain(post, self._judged(post) if post.scored else (), self.models) for post in posts]

    def _judged(self, post: Post) -> list[Part]:
        """Findings and judgement on the sentences of each language."""
        parts = []
        for language, sentences in post.parts().items():
            found = measure.findings(self.models, language, sentences)
            answers = [judge(self.models, language, found, asked) for asked in QUESTIONS]
            parts.append(Part(language, sentences, found, *answers))
        return parts

    def _run(self, language: str, sentences: list[Unit], percentiles: FluencyTable | None = None) -> None:
        measure.run(self.models, language, sentences, self._cache, percentiles)
