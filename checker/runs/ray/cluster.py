"""A connection to Ray for one run: to a cluster, or to a Ray on this machine that ends with the run."""

from __future__ import annotations

import logging
import os
import re
import secrets
import signal
import socket
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from checker.errors import CheckerError

_QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",  # nothing is sent anywhere
    "RAY_BACKEND_LOG_LEVEL": "fatal",  # it warns of every pool of actors; errors are told by this package
}
_PATIENCE = 10.0  # seconds for a cluster to answer
_OBJECT_STORE = 256 * 2**20  # bytes, of a local Ray; two shards of some 0.4 MiB wait there for each actor


@contextmanager
def connected(address: str | None, cpus: int) -> Iterator[None]:
    """Connect to Ray.

    Usage statistics are off unless the environment asks for them.

    Args:
        address: of a cluster; None starts a Ray on this machine. If this process is connected already, that
            connection is used, and stays.
        cpus: how many a local Ray has to give.

    Raises:
        CheckerError: Ray is missing, cannot be reached or gave up.
    """
    with ExitStack() as stack:
        known = sys.modules.get("ray")
        options = None
        if known is None or not known.is_initialized():
            _set(_QUIET, stack)  # all of them before Ray is imported
            options = {"address": address} if address else _local(cpus, stack)
        try:
            import ray.data
            from ray.exceptions import RayError, RayTaskError
        except ImportError:
            fix = 'Install it with: pip install "statement-checker[ray]"'
            raise CheckerError(f"Ray is not installed. {fix}") from None
        if options:
            stack.callback(ray.shutdown)
            _init(options)
        try:
            yield
        except RayTaskError:
            raise  # an error in this package, with its traceback
        except RayError as error:
            problem = str(error).strip().splitlines()[0]
            fix = "What is scored is kept: give the command again to go on."
            raise CheckerError(f"Ray gave up: {problem} {fix}") from error


def _set(environment: dict[str, str], stack: ExitStack) -> None:
    """Set those variables that are not set, until the stack ends."""
    for name, value in environment.items():
        if name not in os.environ:
            os.environ[name] = value
            stack.callback(os.environ.pop, name, None)


@cache
def _token() -> str:
    """What the processes of a local Ray show each other; one for life, since Ray reads it once a process."""
    return secrets.token_hex(32)


def _local(cpus: int, stack: ExitStack) -> dict[str, Any]:
    """Options of a Ray that nobody else sees or can use, and of which nothing stays when the stack ends."""
    private = {
        "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",  # on any system: listen on the loopback address only
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN": _token(),  # or Ray would put one into the home directory
    }
    _set(private, stack)
    short = "/tmp" if Path("/tmp").is_dir() else None  # names of sockets have at most a hundred characters
    folder = tempfile.TemporaryDirectory(prefix="checker-", dir=short, ignore_cleanup_errors=True)
    return {
        "address": "local", "num_cpus": cpus, "object_store_memory": _OBJECT_STORE,
        "include_dashboard": False, "_temp_dir": stack.enter_context(folder),
    }  # fmt: skip


def _init(options: dict[str, Any]) -> None:
    import ray

    address, terminated = options["address"], signal.getsignal(signal.SIGTERM)
    try:
        if found := re.fullmatch(r"([^/]+):(\d+)", address):  # Ray would try for long
            socket.create_connection((found[1], int(found[2])), _PATIENCE).close()
        with _silenced():
            ray.init(**options, log_to_driver=False, logging_level=logging.ERROR)
    except Exception as error:  # Ray raises this very class if its processes are slow to start
        where, why = "on this machine" if address == "local" else f"at {address}", str(error).rstrip(".")
        raise CheckerError(f"Ray could not be reached {where} ({why}). Check that it runs.") from error
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, terminated)  # Ray has put its own in its place
    logging.getLogger("ray.data").setLevel(logging.ERROR)


@contextmanager
def _silenced() -> Iterator[None]:
    """Keep what compiled code writes to standard error away from it: Ray says there how loud it will be."""
    kept = os.dup(2)
    try:
        with Path(os.devnull).open("wb") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
