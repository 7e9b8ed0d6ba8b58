"""``checker serve``: what it refuses to start with."""

from __future__ import annotations

import socket
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from checker.cli.app import app as command
from checker.errors import InputError


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1"])
def test_others_are_not_let_in_by_accident(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("STATEMENT_CHECKER_TOKEN", raising=False)
    outcome = CliRunner().invoke(command, ["serve", "--host", host])
    assert isinstance(outcome.exception, InputError)
    assert "--no-token" in str(outcome.exception)


@pytest.mark.parametrize("package", ["fastapi", "prometheus_client", "python_multipart", "uvicorn"])
def test_a_missing_package_names_the_extra(package: str) -> None:
    code = f"import sys; sys.modules[{package!r}] = None; from checker.cli.app import main; main()"
    done = subprocess.run([sys.executable, "-c", code, "serve"], capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert 'pip install "statement-checker[serve]"' in done.stderr


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_port_in_use_is_one_line_before_the_models_load(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("checker.cli.serve.Checker", lambda settings: pytest.fail("the models were loaded"))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        outcome = CliRunner().invoke(command, ["serve", "--host", host, "--port", port])
    assert isinstance(outcome.exception, InputError)
    assert str(outcome.exception).startswith(f"Port {port} of {host} is in use.")
    assert "--port" in outcome.exception.fix


@pytest.mark.parametrize("host", ["192.0.2.1", "no such name"])
def test_an_address_of_another_machine(host: str) -> None:
    outcome = CliRunner().invoke(command, ["serve", "--host", host, "--no-token"])
    assert isinstance(outcome.exception, InputError)
    assert "--host" in outcome.exception.fix
