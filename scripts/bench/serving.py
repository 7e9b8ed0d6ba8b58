"""A ``checker serve`` in a process of its own, for benchmarks, screenshots and tests."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import ProxyHandler, build_opener

START = 60
"""Seconds that the service may take to start."""


@contextmanager
def serving(
    log: Path,
    environment: Mapping[str, str] | None = None,
    options: Sequence[str] = (),
    checkout: Path | None = None,
) -> Iterator[str]:
    """A ``checker serve`` of its own on loopback; gives its address, without a slash at the end.

    Args:
        log: file for what it prints.
        environment: variables to add.
        options: further options of ``checker serve``.
        checkout: of another version, which then serves, with the packages that are here.

    Raises:
        RuntimeError: it did not start; the message has what it printed.
    """
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, *_entry(checkout), "serve", "--port", str(port), *options]
    with log.open("wb") as output:
        service = subprocess.Popen(
            command, stdout=output, stderr=output, env={**os.environ, **(environment or {})}, cwd=checkout
        )
    address = f"http://127.0.0.1:{port}"
    try:
        _wait(service, address, log)
        yield address
    finally:
        service.terminate()
        service.wait(timeout=30)


def _entry(checkout: Path | None) -> list[str]:
    """How Python is told to run the command ``checker``: of a checkout, as its pyproject.toml says."""
    if checkout is None:
        return ["-m", "checker"]
    project = tomllib.loads((checkout / "pyproject.toml").read_text("utf-8"))["project"]
    module, function = project["scripts"]["checker"].split(":")
    return ["-c", f"from {module} import {function}; {function}()"]


def _wait(service: subprocess.Popen[bytes], address: str, log: Path) -> None:
    opener = build_opener(ProxyHandler({}))
    deadline = time.monotonic() + START
    while service.poll() is None and time.monotonic() < deadline:
        try:
            opener.open(f"{address}/healthz", timeout=5).close()
        except (URLError, OSError):
            time.sleep(0.1)
        else:
            return
    raise RuntimeError(f"The service did not start: {log.read_text(errors='replace')}")
