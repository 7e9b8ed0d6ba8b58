"""``checker models``: fetch, list, verify and remove models."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console
from rich.table import Table

from checker import processor
from checker.errors import InputError, ModelCorruptedError
from checker.models import Model, Store
from checker.models.load import arithmetic

app = typer.Typer(
    no_args_is_help=True, add_completion=False, rich_markup_mode=None,
    help="Fetch, list, verify and remove models.",
)  # fmt: skip

Family = Literal["firefox", "opus-mt"]
Ids = Annotated[list[str] | None, typer.Option("--model", help="Id of a model; may be repeated.")]
Everything = Annotated[bool, typer.Option("--all", help="Every model of the hub profile.")]


@app.command()
def download(
    language: Annotated[
        list[str] | None,
        typer.Option(help="Fetch every model that scoring this language takes, ISO 639-1. May be repeated."),
    ] = None,
    model: Ids = None,
    everything: Everything = False,
    family: Annotated[
        Family, typer.Option(help="Which translators --language fetches: Firefox's are small and fast.")
    ] = "firefox",
    mirror: Annotated[
        str | None,
        typer.Option(help="Address of a mirror of Firefox's models, with records.json in it.", metavar="URL"),
    ] = None,
    source: Annotated[
        Path | None,
        typer.Option(
            "--from", help="Folder to take Firefox's models from, one folder a pair (ru-en).", metavar="DIR"
        ),
    ] = None,
) -> None:
    """Fetch models of the hub profile: resume, verify, and skip what is on this machine."""
    store = _store()
    models = _named(store, model, everything)
    models += [needed for code in language or [] for needed in store.required("hub", code, chosen=family)]
    if not models:
        raise InputError("Nothing to fetch was named.", fix="Use --language ru, --model ID or --all.")
    store.download(models, mirror=mirror, folder=source)
    for fetched in dict.fromkeys(store.model(wanted.id) for wanted in models):
        typer.echo(f"{fetched.label}  {_size(store, fetched)}")


@app.command("list")
def list_models() -> None:
    """List every known model, and whether it is on this machine.

    On standard error: the numbers that this machine computes with.
    """
    store = _store()
    table = Table("model", "task", "languages", "grade", "size", "licence", "installed", box=None)
    for model in store.models():
        pairs = " ".join("-".join(pair) for pair in model.pairs)
        served = pairs or f"{len(model.languages)} languages"
        installed = "yes" if store.installed(model) else "damaged" if store.locked(model) else "no"
        grade = model.grade if model.task == "translation" else ""
        table.add_row(model.id, model.task, served, grade, _size(store, model), model.licence, installed)
    Console(width=None if sys.stdout.isatty() else 120).print(table)
    typer.echo(f"Translators and language models compute in {_computed()}.", err=True)


@app.command()
def verify(model: Ids = None) -> None:
    """Compare every file of the models on this machine with the lock."""
    store = _store()
    models = _named(store, model, everything=False) or [m for m in store.models() if store.locked(m)]
    corrupted = []
    for one in models:
        try:
            store.verify([one])
            typer.echo(f"{one.label}  intact")
        except ModelCorruptedError as error:
            corrupted.append(str(error))
    if corrupted:
        raise ModelCorruptedError(" ".join(corrupted))


@app.command()
def remove(model: Ids = None, everything: Everything = False) -> None:
    """Delete downloaded models and their conversions."""
    store = _store()
    models = [one for one in _named(store, model, everything) if store.locked(one)]
    if not models:
        raise InputError("No downloaded model was named.", fix="Use --model ID or --all.")
    store.remove(models)
    for one in models:
        typer.echo(f"{one.label}  removed")


@app.command("lock-embedded", hidden=True)
def lock_embedded() -> None:
    """For maintainers: write the checksums of the embedded models after their weights changed."""
    typer.echo(_store().lock_embedded())


def _computed() -> str:
    """The numbers that models are computed with here, and why."""
    here = processor.here()
    numbers = arithmetic("ctranslate2", "auto")
    if numbers == "float16":
        return "float16, on the GPU"
    return f"{numbers} on this processor: {here.name}, {here.best}"


def _store() -> Store:
    return Store()


def _named(store: Store, ids: list[str] | None, everything: bool) -> list[Model]:
    return store.models("hub") if everything else [store.model(name) for name in ids or []]


def _size(store: Store, model: Model) -> str:
    return f"{store.size(model) / 1e6:,.0f} MB"
