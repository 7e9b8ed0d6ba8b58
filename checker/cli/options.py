"""Options that several commands have: how posts are scored, and which columns hold them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Profile = Annotated[str, typer.Option(help="Set of models: embedded or hub.")]
Engine = Annotated[str, typer.Option(help="Translation engine: ctranslate2 or transformers.")]
Device = Annotated[str, typer.Option(help="Where to compute: auto, cpu or cuda.")]
Pivot = Annotated[str, typer.Option(help="Language of the round trip, ISO 639-1.")]
Language = Annotated[str | None, typer.Option(help="Language of the posts, instead of identifying it.")]
NoRoundTrip = Annotated[bool, typer.Option("--no-round-trip", help="Skip the translations: faster.")]
NoFluency = Annotated[bool, typer.Option("--no-fluency", help="Skip the language model: faster.")]
NoCache = Annotated[
    bool, typer.Option("--no-cache", help="Keep nothing of the posts for the next run; see docs/speed.md.")
]
Threads = Annotated[int | None, typer.Option(help="Threads of the models on a CPU; by default one a core.")]
Calibration = Annotated[Path | None, typer.Option(help="Verdict fitted with checker calibrate.")]

TextColumn = Annotated[str, typer.Option(help="Column with the text.")]
IdColumn = Annotated[str, typer.Option(help="Column with the id.")]
LabelColumn = Annotated[str, typer.Option(help="Column with the label: human or machine.")]
