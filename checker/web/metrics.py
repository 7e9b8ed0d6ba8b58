"""What the service does, for Prometheus and for the log. Neither ever holds a text of a client."""

from __future__ import annotations

import logging
import time
import traceback
from collections.abc import Callable, Iterable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from checker.result import Result, RowError
from checker.web.problems import RequestError

log = logging.getLogger(__name__)

CONTENT_TYPE = CONTENT_TYPE_LATEST
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"})
_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)


class Metrics:
    """The metrics of one application.

    Args:
        waiting: how many posts wait now.
    """

    def __init__(self, waiting: Callable[[], int]) -> None:
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        self._requests = Counter(
            "statement_checker_requests", "Requests answered.", ["method", "path", "status"],
            registry=self._registry,
        )  # fmt: skip
        self._seconds = Histogram(
            "statement_checker_request_seconds", "Seconds from the request's headers to its answer's end.",
            ["path"], buckets=_SECONDS, registry=self._registry,
        )  # fmt: skip
        self._posts = Counter(
            "statement_checker_posts", "Posts by verdict; bad rows of files as row_error.", ["verdict"],
            registry=self._registry,
        )  # fmt: skip
        self._batches = Histogram(
            "statement_checker_batch_sentences", "Sentences in the models together.",
            buckets=(1, 2, 4, 8, 16, 32),
            registry=self._registry,
        )  # fmt: skip
        self._batch_seconds = Histogram(
            "statement_checker_batch_seconds", "Seconds in the models for each batch.", buckets=_SECONDS,
            registry=self._registry,
        )  # fmt: skip
        gauge = Gauge(
            "statement_checker_waiting_posts", "Posts that wait or are in work.", registry=self._registry
        )
        gauge.set_function(waiting)

    def exposition(self) -> bytes:
        """All metrics in the text format of Prometheus."""
        return generate_latest(self._registry)

    def batch(self, sentences: int, seconds: float) -> None:
        """Count a batch."""
        self._batches.observe(sentences)
        self._batch_seconds.observe(seconds)

    def results(self, results: Iterable[Result | RowError]) -> None:
        """Count results by verdict."""
        for result in results:
            verdict = result.verdict if isinstance(result, Result) else "row_error"
            self._posts.labels(verdict).inc()

    def request(self, method: str, path: str, status: int, seconds: float) -> None:
        """Count a request."""
        self._requests.labels(method, path, str(status)).inc()
        self._seconds.labels(path).observe(seconds)


class Observe:
    """Counts and logs every request, and answers what nobody caught with 500.

    The log has the method, the route, the status and the time: no query, no unknown path, no header. Of an
    exception it has the type and the lines of code, but not its message, which may quote a post.

    Args:
        app: what is observed.
        metrics: where requests are counted.
        paths: known paths; any other is counted as ``other``, and those under ``/static/`` as one.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics, paths: frozenset[str]) -> None:
        self._app, self._metrics, self._paths = app, metrics, paths

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status = time.monotonic(), 0
        method = scope["method"] if scope["method"] in _METHODS else "other"
        path = self._route(scope["path"])

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, noted)
        except Exception as error:
            where = "".join(traceback.format_tb(error.__traceback__))
            log.error("%s in %s %s\n%s", type(error).__name__, method, path, where)
            if not status:
                refusal = RequestError(500, "Internal error.", fix="Tell the people who run this service.")
                await refusal.response()(scope, receive, noted)
        finally:
            seconds = time.monotonic() - began
            client = scope["client"][0] if scope.get("client") else "-"
            self._metrics.request(method, path, status or 499, seconds)
            log.info("%s %s %s %d %.0f ms", client, method, path, status or 499, 1000 * seconds)

    def _route(self, path: str) -> str:
        if path.startswith("/static/"):
            return "/static"
        return path if path in self._paths else "other"
