"""A process that translates with Firefox's models: started by ``firefox_engine``, never imported by it.

fxtranslate keeps Python's interpreter to itself while it translates, and a translator may be used by the
thread alone that made it. So each core gets a process of its own, which ends with its standard input: no
worker outlives whoever started it. What ends a worker does not end the run: ``firefox_engine`` starts
another.

A request is one line of JSON, ``{"model", "source", "target", "shortlist", "texts"}``: paths of the files of
a model (the shortlist may be null), and what to translate. So is the answer: ``{"texts"}``, with null for a
text that the engine fails on, or ``{"error"}`` where the model cannot be loaded.
"""

from __future__ import annotations

import json
import signal
import sys
from collections import OrderedDict
from pathlib import Path
from typing import Any

MODELS = 6
"""Models in memory, at most: three pairs of languages. The one that was used longest ago makes room."""


class Loaded:
    """Translators by the paths of their files."""

    def __init__(self, limit: int = MODELS) -> None:
        self._limit = limit
        self._translators: OrderedDict[tuple[str | None, ...], Any] = OrderedDict()

    def __len__(self) -> int:
        return len(self._translators)

    def get(self, paths: tuple[str | None, ...]) -> Any:
        """The translator of a model; loaded if it is not here.

        Args:
            paths: of model, vocabularies of source and target, and shortlist.
        """
        from fxtranslate import Translator

        if paths not in self._translators:
            while len(self._translators) >= self._limit:
                self._translators.popitem(last=False)
            files: list[Any] = [Path(path).read_bytes() if path else None for path in paths]
            self._translators[paths] = Translator(*files)
        self._translators.move_to_end(paths)
        return self._translators[paths]

    def drop(self, paths: tuple[str | None, ...]) -> None:
        """Forget a translator: after a panic its state is not known."""
        self._translators.pop(paths, None)


def answer(loaded: Loaded, request: dict[str, Any]) -> dict[str, Any]:
    """The answer to a request."""
    paths = tuple(request[name] for name in ("model", "source", "target", "shortlist"))
    texts: list[str | None] = []
    problem = ""
    for text in request["texts"]:
        try:
            translator = loaded.get(paths)
        except BaseException as error:  # a panic of the engine is no Exception
            return {"error": _said(error)}
        try:
            texts.append(translator.translate(text))
        except BaseException as error:
            loaded.drop(paths)
            texts.append(None)
            problem = _said(error)
    return {"texts": texts, "problem": problem}


def _said(error: BaseException) -> str:
    return next(iter(str(error).splitlines()), "") or type(error).__name__


def main() -> None:
    """Answer requests until standard input ends; an interrupt is the business of the parent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    loaded = Loaded()
    for line in sys.stdin:
        sys.stdout.write(json.dumps(answer(loaded, json.loads(line))) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
