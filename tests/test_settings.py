"""One `Settings` for Python and for every command: the same options, checked once."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import fields
from importlib import import_module
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest
from typer.main import get_command
from typer.testing import CliRunner

import checker
from checker import Checker, InputError, Settings
from checker.bitext.estimator import QualityEstimator
from checker.cli.app import COMMANDS, app
from checker.errors import OutputError
from checker.languages import SUPPORTED
from checker.runs.journal import options_of
from checker.runs.local import CHUNK
from checker.settings import Options, Profile

MODELS = {"--profile", "--engine", "--device", "--threads"}
POSTS = MODELS | {"--pivot", "--no-round-trip", "--no-fluency", "--fast"}
ALL = POSTS | {"--language", "--calibration", "--no-cache"}


def options(command: str) -> dict[str, Any]:
    """The options of a command by their name on the command line."""
    group: Any = get_command(app)
    found = group.get_command(None, command)
    return {name: param for param in found.params for name in param.opts if name.startswith("--")}


# The object


def test_keyword_arguments_are_the_fields() -> None:
    assert list(get_type_hints(Options)) == [field.name for field in fields(Settings)]


@pytest.mark.parametrize("field", ["profile", "engine", "device", "pivot", "language"])
def test_an_unknown_value_names_the_option_and_those_that_there_are(field: str) -> None:
    with pytest.raises(InputError, match=rf"There is no {field} 'klingon'\. Use one of \w+, \w+"):
        Settings(**{field: "klingon"})  # type: ignore[arg-type]


def test_an_empty_language_is_no_language() -> None:
    with pytest.raises(InputError, match="There is no language ''"):
        Settings(language="")


def test_paths_may_be_strings() -> None:
    settings = Settings.of(None, {"calibration": "own.json", "cache": "folder"})
    assert (settings.calibration, settings.cache) == (Path("own.json"), Path("folder"))


@pytest.mark.parametrize("scorer", [Checker, QualityEstimator])
def test_settings_or_their_fields_but_not_both(scorer: type[Checker] | type[QualityEstimator]) -> None:
    assert scorer(Settings(profile="hub")).profile == scorer(profile="hub").profile == "hub"
    with pytest.raises(TypeError, match="not both"):
        scorer(Settings(), device="cpu")
    with pytest.raises(TypeError, match="profile=…"):
        scorer("hub")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="profil"):
        scorer(profil="hub")  # type: ignore[call-arg]


def test_a_run_is_known_by_what_results_depend_on() -> None:
    here = options_of(Settings(), "int8")
    elsewhere = Settings(device="cpu", threads=3, cache=Path("cache"), exact=True)
    assert options_of(elsewhere, "int8") == here
    assert options_of(Settings(), "float32") != here
    for changed in (Settings(pivot="de"), Settings(fluency=False), Settings(language="ru")):
        assert options_of(changed, "int8") != here


# The commands


@pytest.mark.parametrize(
    ("command", "offered"),
    [
        ("score", ALL),
        ("evaluate", ALL),
        ("calibrate", POSTS | {"--no-cache"}),
        ("quality", MODELS),
        ("serve", POSTS | {"--language", "--calibration"}),
    ],
)
def test_commands_have_the_same_options_under_the_same_names(command: str, offered: set[str]) -> None:
    found, reference = options(command), options("score")
    assert ALL & set(found) == offered
    for name in offered:
        assert (found[name].help, found[name].default) == (reference[name].help, reference[name].default)


def test_closed_sets_are_choices_in_the_help() -> None:
    shown = CliRunner().invoke(app, ["score", "--help"]).stdout
    for known in (get_args(Profile), SUPPORTED, ("auto", "cpu", "cuda"), ("local", "ray")):
        assert "|".join(known) in shown


def test_a_command_gets_its_options_as_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    given: list[Settings] = []

    def stop(settings: Settings) -> None:
        given.append(settings)
        raise InputError("Enough.", fix="Stop.")

    monkeypatch.setattr("checker.cli.evaluate.Checker", stop)
    (tmp_path / "posts.jsonl").touch()
    arguments = ["--pivot", "de", "--language", "uk", "--no-fluency", "--no-cache", "--threads", "2"]
    CliRunner().invoke(app, ["evaluate", str(tmp_path / "posts.jsonl"), *arguments])
    CliRunner().invoke(app, ["evaluate", str(tmp_path / "posts.jsonl")])
    assert given[0] == Settings(pivot="de", language="uk", fluency=False, threads=2)
    assert given[1].cache is not None


def test_the_list_of_commands_says_what_the_commands_say() -> None:
    for name, told in COMMANDS.items():
        module = import_module(f"checker.cli.{name}")
        described = module.app.info.help if hasattr(module, "app") else getattr(module, name).__doc__
        assert described.splitlines()[0] == told


@pytest.mark.parametrize("argument", ["--help", "--version"])
def test_the_list_of_commands_imports_none_of_them(argument: str) -> None:
    code = (
        "import sys; from checker.cli.app import main\n"
        "try: main()\n"
        "finally: print({m for m in sys.modules if m.startswith(('checker.cli.', 'numpy', 'pydantic.'))})"
    )
    done = subprocess.run([sys.executable, "-c", code, argument], capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == "{'checker.cli.app'}"


def test_an_unknown_command_is_one_line() -> None:
    done = subprocess.run([sys.executable, "-m", "checker", "scor\x1be"], capture_output=True, text=True)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "Did you mean 'score'?" in done.stderr
    assert "--help" in done.stderr
    assert "\x1b" not in done.stderr


def test_no_command_is_the_help_and_exit_status_2() -> None:
    for arguments, told in ([], "evaluate"), (["models"], "download"):
        done = subprocess.run([sys.executable, "-m", "checker", *arguments], capture_output=True, text=True)
        assert done.returncode == 2
        assert told in done.stderr


# The functions


def test_python_resumes_a_run_with_the_same_settings_only(tmp_path: Path) -> None:
    source, output = tmp_path / "posts.txt", tmp_path / "scores.jsonl"
    source.write_text(
        "Паромы сегодня не ходят из-за сильного шторма на море.\n" * (CHUNK + 1), encoding="utf-8"
    )
    plain = Checker(round_trip=False, fluency=False)

    def stop(done: int, total: int | None) -> None:
        if done:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        checker.score_file(source, output, checker=plain, on_progress=stop)
    with pytest.raises(OutputError, match="language was None and is 'ru'"):
        checker.score_file(source, output, checker=Checker(round_trip=False, fluency=False, language="ru"))
    seen: list[tuple[int, int | None]] = []
    summary = checker.score_file(
        source, output, checker=plain, on_progress=lambda *progress: seen.append(progress)
    )
    assert seen == [(CHUNK, CHUNK + 1), (CHUNK + 1, CHUNK + 1)]
    assert summary.rows == len(output.read_bytes().splitlines()) == CHUNK + 1


def test_the_public_names_are_there() -> None:
    for name in checker.__all__:
        assert getattr(checker, name) is not None
