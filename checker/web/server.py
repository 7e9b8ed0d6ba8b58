"""How the service listens: uvicorn with the settings that a small public service needs."""

from __future__ import annotations

import uvicorn
from starlette.types import ASGIApp

CONNECTIONS = 256
"""Connections at once; a further one gets 503 from uvicorn itself."""


def config(app: ASGIApp, host: str, port: int, *, log_level: str = "info") -> uvicorn.Config:
    """A configuration for ``uvicorn.Server``.

    The access log is the application's own (`checker.web.metrics.Observe`): uvicorn's has query strings.
    """
    return uvicorn.Config(
        app,
        host=host,
        port=port,
        http="h11",
        ws="none",
        lifespan="on",
        log_level=log_level,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=CONNECTIONS,
        h11_max_incomplete_event_size=16 * 2**10,
        timeout_keep_alive=5,
        timeout_graceful_shutdown=10,
    )
