"""``checker serve``: the HTTP service and its page."""

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any

import typer

from checker.cli import options
from checker.errors import CheckerError, InputError

_EXTRA = {"fastapi", "prometheus_client", "python_multipart", "starlette", "uvicorn"}


def serve(
    host: Annotated[
        str, typer.Option(help="Address to listen on; others than this machine's own need a token.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on.")] = 8000,
    token_file: Annotated[
        Path | None,
        typer.Option(help="File with the token that clients must send; else $STATEMENT_CHECKER_TOKEN."),
    ] = None,
    no_token: Annotated[
        bool, typer.Option("--no-token", help="Let everybody in who reaches the address.")
    ] = False,
    allowed_host: Annotated[
        list[str] | None,
        typer.Option(help="Name that clients may use for this service. May be repeated."),
    ] = None,
    profile: options.Profile = "embedded",
    engine: options.Engine = "ctranslate2",
    device: options.Device = "auto",
    pivot: options.Pivot = "en",
    calibration: options.Calibration = None,
    no_round_trip: options.NoRoundTrip = False,
    threads: options.Threads = None,
    max_posts: Annotated[int, typer.Option(min=1, max=1000, help="Posts of one request or file.")] = 200,
    timeout: Annotated[float, typer.Option(min=1, help="Seconds that an answer may take.")] = 60,
) -> None:
    """Serve the web page and the JSON interface over HTTP; docs/http.md describes both."""
    try:
        import python_multipart  # noqa: F401, FastAPI's error for it would not name the extra
        import uvicorn

        from checker.web import security
        from checker.web.app import create_app
        from checker.web.limits import Limits
        from checker.web.server import config
    except ModuleNotFoundError as error:
        if error.name not in _EXTRA:
            raise
        raise CheckerError(
            'The service needs more packages: pip install "statement-checker[serve]".'
        ) from None
    from checker.bitext.estimator import Estimator
    from checker.pipeline import Checker

    token = None if no_token else security.find_token(token_file)
    local = security.is_loopback(host)
    if token is None and not local:
        if not no_token:
            fix = f"Set a token with --token-file or ${security.TOKEN_VARIABLE}, or say --no-token."
            raise InputError(f"Others can reach {host}, and there is no token.", fix=fix)
        print(f"checker: warning: whoever reaches {host} may use this service.", file=sys.stderr)
    hosts = {*(allowed_host or []), *(security.LOCAL_HOSTS | {host} if local else ())}
    shared: dict[str, Any] = {"profile": profile, "engine": engine, "device": device}
    checker = Checker(
        **shared, pivot=pivot, calibration=calibration, round_trip=not no_round_trip, threads=threads
    )
    app = create_app(
        checker,
        Estimator(**shared, store=checker.store, models=checker.models),
        limits=Limits(posts=max_posts, seconds=timeout),
        token=token,
        hosts=hosts or None,
    )
    with suppress(KeyboardInterrupt):
        uvicorn.Server(config(app, host, port)).run()
