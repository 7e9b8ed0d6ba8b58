"""What a user installs: the wheel, built and run on its own."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from checker.result import Result

ROOT = Path(__file__).parents[1]
POST = "Паром сегодня не ходит из-за шторма. Билеты можно сдать в кассе до вечера."

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    _run(sys.executable, "-m", "pip", "wheel", ROOT, "--no-deps", "--no-build-isolation", "-w", folder)
    (built,) = folder.glob("statement_checker-*.whl")
    return built


@pytest.fixture(scope="module")
def site(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    _run(sys.executable, "-m", "pip", "install", "--no-deps", "--no-index", "--target", folder, wheel)
    return folder


def _run(*command: object, **options: object) -> str:
    done = subprocess.run(
        list(map(str, command)), capture_output=True, encoding="utf-8", timeout=600, **options
    )  # type: ignore[call-overload]
    assert done.returncode == 0, done.stderr
    return str(done.stdout)


def _alone(site: Path, folder: Path, *command: object) -> str:
    """Run with the installed package in front, away from the checkout, without a home of its own."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("STATEMENT_CHECKER")}
    return _run(*command, cwd=folder, env=kept | {"PYTHONPATH": str(site), "HOME": str(folder)})


def test_the_wheel_carries_the_models_and_nothing_that_is_not_needed(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    inside = {name.removeprefix("checker/_models/") for name in names if name.startswith("checker/_models/")}
    tracked = {
        path.relative_to(ROOT / "models").as_posix()
        for path in (ROOT / "models").rglob("*")
        if path.is_file() and not path.name.startswith(".")
    }
    assert inside == tracked
    assert "checker/py.typed" in names
    assert {"checker/pages/templates/report.html.j2", "checker/web/templates/page.html.j2"} <= set(names)
    assert {name.split("/")[0].split("-")[0] for name in names} == {"checker", "statement_checker"}
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert not any("__pycache__" in name for name in names)
    assert wheel.stat().st_size < 100 * 2**20  # the limit of the package index


def test_it_scores_from_an_empty_folder(site: Path, tmp_path: Path) -> None:
    where = "import checker, checker.models as s; print(checker.__file__); print(s.Store().registry)"
    found = _alone(site, tmp_path, sys.executable, "-c", where).split()
    assert [Path(path) for path in found] == [
        site / "checker" / "__init__.py",
        site / "checker" / "_models" / "registry.toml",
    ]
    printed = _alone(site, tmp_path, site / "bin" / "checker", "score", "--text", POST, "--json")
    result = Result.model_validate_json(printed)
    assert result.verdict != "not_scored"
    assert result.language.code == "ru"
    assert result.round_trip is not None
    assert result.fluency is not None
    assert not list(tmp_path.iterdir())


def test_its_models_are_intact(site: Path, tmp_path: Path) -> None:
    verify = "from checker.models import Store; s = Store(); s.verify(s.models('embedded')); print('intact')"
    assert _alone(site, tmp_path, sys.executable, "-c", verify) == "intact\n"
