"""The models that the package knows: what they do, where they come from, which files they need."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import field
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic.dataclasses import dataclass

from checker.errors import InputError, ModelNotFoundError
from checker.result import Grade
from checker.settings import Profile

Task = Literal["translation", "language-model", "encoder"]
Family = Literal["firefox", "marian", "m2m100", "causal-lm", "bert"]


def is_safe_name(name: str) -> bool:
    """Whether a relative file name stays inside its folder, on POSIX and on Windows alike."""
    parts = name.replace("\\", "/").split("/")
    anchored = PurePosixPath(name).is_absolute() or bool(PureWindowsPath(name).anchor)
    return not anchored and name.isprintable() and not {"", ".", ".."} & set(parts)


def _safe(name: str) -> str:
    if not is_safe_name(name):
        raise ValueError(f"{name!r} is not a path inside the model's folder")
    return name


def _split(pair: Any) -> Any:
    if isinstance(pair, str) and pair.count("-") != 1:
        raise ValueError(f"{pair!r} must read source-target, for example ru-en")
    return pair.split("-") if isinstance(pair, str) else pair


Name = Annotated[str, AfterValidator(_safe)]
Pair = Annotated[tuple[str, str], BeforeValidator(_split)]
Revision = Annotated[str, Field(pattern=r"^([0-9a-f]{40}|\d+\.\d+\.\d+|)$")]


@dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class Model:
    """One entry of the registry.

    Attributes:
        id: repository on the hub (``Helsinki-NLP/opus-mt-ru-en``) or ``embedded/<folder>``.
        profile: ``embedded`` models ship with the package, ``hub`` models are downloaded once.
        task: what the model does.
        family: architecture, which decides how an engine loads it.
        licence: SPDX identifier.
        pairs: (source, target) pairs that a ``marian`` model translates, ISO 639-1; ``ru-en`` for short.
        languages: ISO 639-1 codes; a ``m2m100`` model translates between any two of them, a
            ``causal-lm`` reads all of them.
        target_tags: for models with several target languages, the tag that the tokenizer expects in
            front of the source text, by target language (``{"pt": ">>por<<"}``).
        revision: commit on the hub or version of an embedded model; empty while it is open, that is
            until a download resolves it and writes it into the lock.
        files: names or glob patterns of the files that the model needs. Of the weights, ``*.bin`` is
            only fetched from a repository without ``*.safetensors``.
        size_mb: approximate size of these files in megabytes.
        grade: of a translator: ``draft`` where its text is not to be quoted. It is ``production`` from 60
            chrF on lines that it has not seen, into English, or by the measurements that its makers publish.
        package: folder ``package/inside`` of an installed Python package that brings the files; its code is
            not imported.
    """

    id: Name
    profile: Profile
    task: Task
    family: Family
    licence: str
    pairs: tuple[Pair, ...] = ()
    languages: tuple[str, ...] = ()
    target_tags: Mapping[str, str] = field(default_factory=dict, hash=False)
    revision: Revision = ""
    files: tuple[Name, ...] = ()
    size_mb: Annotated[int, Field(ge=0)] = 0
    grade: Grade = "draft"
    package: str = ""

    @property
    def label(self) -> str:
        """``id@revision``, a commit cut to 12 characters: what a result says about its models."""
        return f"{self.id}@{self.revision[:12] or 'open'}"

    def serves(self, source: str, target: str) -> bool:
        """Whether the model translates ``source`` into ``target`` (ISO 639-1 codes)."""
        if self.task != "translation" or source == target:
            return False
        return (source, target) in self.pairs or {source, target} <= set(self.languages)

    def target_tag(self, target: str) -> str:
        """The tag to put in front of a source text, for example ``>>por<<``; empty if there is none."""
        return self.target_tags.get(target, "")


def load_registry(path: Path) -> tuple[Model, ...]:
    """Read ``registry.toml``: ``[[model]]`` tables, and tables of the files and grades of families.

    Raises:
        ModelNotFoundError: there is no such file.
        InputError: it is not TOML, an entry has a wrong, missing or unknown field, or two have one id.
    """
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
        files, grades = data.get("files", {}), data.get("grades", {})
        models = tuple(
            Model(**{"files": files.get(family, ()), "grade": grades.get(family, "draft"), **entry})
            for entry in data.get("model", [])
            for family in [entry.get("family")]
        )
    except FileNotFoundError:
        raise ModelNotFoundError(
            f"The registry of models, {path}, is missing: install the package again."
        ) from None
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{path} is not TOML ({error}).", fix="Correct it.") from None
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise InputError(
            f"{path}: {first['msg']}, not {first['input']!r}.", fix="Correct it.", field=where
        ) from None
    ids = [model.id for model in models]
    if repeated := {name for name in ids if ids.count(name) > 1}:
        raise InputError(f"{path} lists {', '.join(sorted(repeated))} more than once.", fix="Remove one.")
    return models
