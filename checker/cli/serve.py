"""``checker serve``: the HTTP service and its page."""

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

from checker.bitext.estimator import QualityEstimator
from checker.cli import options
from checker.errors import CheckerError, InputError
from checker.pipeline import Checker
from checker.settings import Settings

_EXTRA = {"fastapi", "prometheus_client", "python_multipart", "starlette", "uvicorn"}


@options.with_settings(without=("no_cache",))
def serve(
    settings: Settings,
    host: Annotated[
        str, typer.Option(help="Address to listen on. Any other than this machine's own needs a token.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on.")] = 8000,
    token_file: Annotated[
        Path | None,
        typer.Option(help="File with the token that clients must send. Default: $STATEMENT_CHECKER_TOKEN."),
    ] = None,
    no_token: Annotated[
        bool, typer.Option("--no-token", help="Serve everyone who can reach the address.")
    ] = False,
    allowed_host: Annotated[
        list[str] | None,
        typer.Option(help="Name by which clients may reach this service. May be repeated."),
    ] = None,
    max_posts: Annotated[int, typer.Option(min=1, max=1000, help="Most posts per request.")] = 200,
    max_rows: Annotated[
        int, typer.Option(min=1, max=10_000, help="Most rows per file that the page checks.")
    ] = 2000,
    timeout: Annotated[float, typer.Option(min=1, help="Most seconds per answer.")] = 60,
) -> None:
    """Serve the web page and the JSON interface over HTTP.

    See docs/http.md for both.
    """
    try:
        import python_multipart  # noqa: F401, FastAPI's error for it would not name the extra
        import uvicorn  # noqa: F401

        from checker.web import security
        from checker.web.app import create_app
        from checker.web.limits import Limits
        from checker.web.server import Server, bind, config
    except ModuleNotFoundError as error:
        if error.name not in _EXTRA:
            raise
        raise CheckerError(
            'The service needs more packages: pip install "statement-checker[serve]".'
        ) from None
    token = None if no_token else security.find_token(token_file)
    local = security.is_loopback(host)
    if token is None and not local:
        if not no_token:
            fix = f"Set a token with --token-file or ${security.TOKEN_VARIABLE}, or add --no-token."
            raise InputError(f"Others can reach {host}, and there is no token.", fix=fix)
        print(f"checker: warning: anyone who can reach {host} may use this service.", file=sys.stderr)
    hosts = {*(allowed_host or []), *(security.LOCAL_HOSTS | {host} if local else ())}
    limits = Limits(posts=max_posts, rows=max_rows, seconds=timeout)
    listeners = bind(host, port)
    checker = Checker(settings)
    estimator = QualityEstimator(store=checker.store, models=checker.models)
    app = create_app(checker, estimator, limits=limits, token=token, hosts=hosts or None)
    with suppress(KeyboardInterrupt):
        Server(config(app, host, port, limits=limits)).run(sockets=listeners)
