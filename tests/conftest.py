"""The embedded models, loaded once for all tests, and copies of their folder to damage."""

from __future__ import annotations

import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from checker.pipeline import Checker

settings.register_profile("unhurried", deadline=None)  # the time of an example measures the machine
settings.load_profile("unhurried")
MODELS = Path(__file__).parents[1] / "models"


@pytest.fixture(scope="session", autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No test reads or writes the user's cache of sentences."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STATEMENT_CHECKER_CACHE", str(tmp_path_factory.mktemp("sentences")))
        yield


@pytest.fixture(scope="session", autouse=True)
def interruptible() -> None:
    """Ctrl-C reaches the commands that tests start, also where a shell runs the tests in the background."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def checker() -> Checker:
    """The checker as it ships."""
    return Checker()


@pytest.fixture
def copied_models(tmp_path: Path) -> Callable[..., Path]:
    """Make a folder like ``models/``: links to all of it, and copies of the named parts of ``embedded/``.

    The function returns the path of its registry.
    """

    def copy(*parts: str) -> Path:
        folder = tmp_path / "models"
        (folder / "embedded").mkdir(parents=True)
        shutil.copy(MODELS / "registry.toml", folder)
        for path in (MODELS / "embedded").iterdir():
            target = folder / "embedded" / path.name
            if path.name not in parts:
                target.symlink_to(path)
            elif path.is_dir():
                shutil.copytree(path, target)
            else:
                shutil.copy(path, target)
        return folder / "registry.toml"

    return copy


@pytest.fixture
def client(url: str) -> Iterator[Any]:
    """An HTTP client of the service that the fixture ``url`` of a module serves."""
    import httpx

    with httpx.Client(base_url=url, timeout=60, trust_env=False) as opened:
        yield opened
