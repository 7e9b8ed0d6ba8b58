"""A process that translates with Firefox's models: started by ``firefox_engine``, never imported by it.

fxtranslate keeps Python's interpreter to itself while it translates, and a translator may be used by the
thread alone that made it. So each core gets a process of its own, which ends with its standard input: no
worker outlives whoever started it, and a damaged model ends a worker, not a run.

A request is one line of JSON, ``{"model", "source", "target", "shortlist", "texts"}``: paths of the files of
a model (the shortlist may be null), and what to translate. So is the answer: ``{"texts"}``, or ``{"error"}``
where the model cannot be loaded or fails.
"""

from __future__ import annotations

import json
import signal
import sys
from pathlib import Path
from typing import Any


def main() -> None:
    """Answer requests until standard input ends; an interrupt is the business of the parent."""
    from fxtranslate import Translator

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    loaded: dict[str, Any] = {}
    for line in sys.stdin:
        request = json.loads(line)
        try:
            if request["model"] not in loaded:
                names = ("model", "source", "target", "shortlist")
                paths = [request[name] for name in names]
                files: list[Any] = [Path(path).read_bytes() if path else None for path in paths]
                loaded[request["model"]] = Translator(*files)
            translator = loaded[request["model"]]
            answer: dict[str, Any] = {"texts": [translator.translate(text) for text in request["texts"]]}
        except BaseException as error:  # a panic of the engine is no Exception
            answer = {"error": next(iter(str(error).splitlines()), "") or type(error).__name__}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
