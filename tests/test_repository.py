"""The repository itself: what is in it, and what its documents point to."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from checker.models import Store
from checker.models.lock import read_lock

ROOT = Path(__file__).parents[1]
PICKLES = (".pkl", ".pickle", ".pt", ".pth", ".ckpt", ".bin", ".joblib", ".npy", ".h5", ".onnx")
MACHINE = re.compile(  # somebody's folder, an address of a private network
    r"(?<![\w.<>/])(?:/(?:home|Users)/\w+|/root\b|/work\b|/mnt/\w+|/tmp/\w+|[A-Z]:\\Users)"
    r"|\b(?:10\.\d{1,3}|192\.168|172\.(?:1[6-9]|2\d|3[01]))\.\d{1,3}\.\d{1,3}\b"
)
FOLDERS = ("docs", "models", "examples")
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(path for f in FOLDERS for path in (ROOT / f).rglob("*.md"))])
LINK = re.compile(r"(?<!!)\[[^\]\n]*\]\(([^)\s]+)\)")
CODE = re.compile(r"^(```|~~~).*?^\1|`[^`\n]*`", re.DOTALL | re.MULTILINE)


@pytest.fixture(scope="module")
def tracked() -> list[Path]:
    try:
        listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not a checkout")
    paths = [ROOT / name for name in listed.stdout.decode().split("\0") if name]
    return [path for path in paths if path.is_file()]


def test_no_pickled_checkpoint_is_tracked(tracked: list[Path]) -> None:
    found = {path.relative_to(ROOT).as_posix() for path in tracked if path.suffix in PICKLES}
    converted = re.compile(r"models/embedded/(\w+/ctranslate2|encoder/faults)/model\.bin")
    assert all(map(converted.fullmatch, found)), found
    for path in ROOT.glob("models/embedded/*/*/model.bin"):
        assert path.read_bytes()[:2] not in (b"PK", b"\x80\x02", b"\x80\x04"), f"{path} is a pickle"


def test_no_machine_is_named(tracked: list[Path]) -> None:
    found = []
    for path in tracked:
        content = path.read_bytes()
        if b"\0" in content or path == Path(__file__):
            continue
        for number, line in enumerate(content.decode("utf-8", "replace").splitlines(), start=1):
            if match := MACHINE.search(line):
                found.append(f"{path.relative_to(ROOT)}:{number}: {match[0]}")
    assert not found


def test_every_text_is_utf8_with_a_final_newline(tracked: list[Path]) -> None:
    for path in tracked:
        content = path.read_bytes()
        if path.suffix in (".py", ".md", ".toml", ".txt", ".jsonl") and content:
            content.decode("utf-8")
            assert content.endswith(b"\n"), path
            assert b"\r" not in content, path


def test_the_embedded_models_are_those_of_the_lock_and_small_enough() -> None:
    store = Store()
    models = store.models("embedded")
    assert {model.task for model in models} == {"translation", "language-model", "encoder"}
    store.verify(models)
    lock = read_lock(store.registry.parent / "embedded" / "models.lock")
    for model in models:
        folder = store.registry.parent / model.id
        files = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
        assert {Path(name).name for name in files - set(lock[model.id].files)} <= {"README.md"}
    assert sum(path.stat().st_size for path in (ROOT / "models").rglob("*") if path.is_file()) < 90 * 2**20


def test_every_model_has_a_card() -> None:
    for folder in (ROOT / "models" / "embedded").iterdir():
        if folder.is_dir():
            card = (folder / "README.md").read_text(encoding="utf-8").lower()
            for part in ("data", "licen", "limit"):
                assert part in card, f"{folder.name}: {part}"


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_relative_links_lead_somewhere(document: Path) -> None:
    for link in LINK.findall(CODE.sub("", document.read_text(encoding="utf-8"))):
        parts = urlsplit(link)
        if parts.scheme:
            assert parts.scheme in ("https", "mailto"), link
            continue
        assert not link.startswith("/"), link
        target = document.parent / unquote(parts.path) if parts.path else document
        assert target.exists(), f"{document.name} links to {link}"
        assert ROOT in target.resolve().parents, link
        if parts.fragment and target.suffix == ".md":
            assert parts.fragment in _anchors(target), f"{document.name} links to {link}"


def _anchors(document: Path) -> set[str]:
    """The anchors that GitHub makes of the headings."""
    headings = re.findall(
        r"^#+\s+(.+?)\s*$", CODE.sub("", document.read_text(encoding="utf-8")), re.MULTILINE
    )
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_no_document_has_a_placeholder() -> None:
    for document in DOCUMENTS:
        assert not re.search(
            r"@@\w+@@|\bTODO\b|\bTBD\b|\bFIXME\b|\b[A-Z]+_RESULT\b", document.read_text(encoding="utf-8")
        ), document
