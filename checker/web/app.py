"""The HTTP service: what the command line says, as JSON, and the page. ``docs/http.md`` is its manual."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Annotated, Any

from fastapi import Body, Depends, FastAPI, File, Form, Request, UploadFile
from fastapi.responses import HTMLResponse, Response
from fastapi.security import HTTPBearer
from fastapi.staticfiles import StaticFiles
from jinja2 import Environment, PackageLoader, StrictUndefined
from pydantic import Discriminator, Field, StrictInt, Tag

from checker.account.combine import WindowSize
from checker.account.file import shipped
from checker.account.record import Account
from checker.bitext.estimator import Pair, QualityEstimator
from checker.bitext.result import Quality
from checker.io.read import problem_of
from checker.languages import NAMES, SUPPORTED
from checker.pipeline import Checker
from checker.result import Record, Result, RowError
from checker.verdict.advice import MEANINGS, VERDICTS
from checker.version import __version__
from checker.web import catalogue, problems, scores, texts
from checker.web.limits import BodyLimit, Limits
from checker.web.lines import ROWS, scored, streamed
from checker.web.metrics import CONTENT_TYPE, Observe
from checker.web.problems import RequestError, check_form, documented
from checker.web.security import LOCAL_HOSTS, Guard, SecurityHeaders
from checker.web.service import Asked, Service
from checker.web.upload import LINES, Columns, read_upload

STATIC = Path(__file__).parent / "static"
MAX_ID = 256
"""Characters of an id."""

LanguageCode = Annotated[str, Field(json_schema_extra={"enum": list(SUPPORTED)})]
_LANGUAGE = "ISO 639-1 code of the language, where it is known; by default it is identified."

_LINES: dict[str, Any] = {
    "content": {LINES: {"schema": {"type": "string", "description": "One row per line, as in `results`."}}},
    "description": f"The answer; as lines, the header `{ROWS}` has their number.",
}
_HTML: dict[str, Any] = {"content": {"text/html": {"schema": {"type": "string"}}}, "description": "The page."}
_ERRORS = (400, 401, 403, 500)
_POST_ERRORS = (*_ERRORS, 408, 413, 415, 422, 503)


class Post(Record):
    """A post to score."""

    text: str = Field(description="The post as it was published.")
    id: Annotated[str, Field(max_length=MAX_ID)] | StrictInt | None = Field(
        None, description="Returned in the result as a string; by default the place in the list, from 1."
    )
    language: LanguageCode | None = Field(None, description=_LANGUAGE)


class Results(Record):
    """One result per post, in order."""

    results: tuple[Result | RowError, ...]


_account = Field(None, description="Who posted it; null where the column has nothing. Only if it was named.")
_date = Field(None, description="When, in ISO 8601; null where the column has no date. Only if it was named.")


class ScoredRow(Result):
    """The result of a row of a file."""

    account: str | None = _account
    date: str | None = _date


class UnreadRowError(RowError):
    """A row of a file that cannot be scored."""

    account: str | None = _account
    date: str | None = _date


class Rows(Record):
    """What became of each row of a file, in order."""

    results: tuple[ScoredRow | UnreadRowError, ...]


class Accounts(Record):
    """One judgement per account, by name."""

    accounts: tuple[Account, ...]


class Health(Record):
    """The service is up."""

    status: str
    version: str


Posts = Annotated[
    Annotated[Post, Tag("post")] | Annotated[list[Post], Tag("posts")],
    Discriminator(lambda body: "posts" if isinstance(body, list) else "post"),
    Body(description="One post, or a list of posts."),
]


ScoresFile = Annotated[
    UploadFile,
    File(description="Scored posts, .jsonl: a row of `/v1/score/file` per line, with `account` and `date`."),
]


def create_app(
    checker: Checker | None = None,
    estimator: QualityEstimator | None = None,
    *,
    limits: Limits | None = None,
    token: str | None = None,
    hosts: Collection[str] | None = LOCAL_HOSTS,
) -> FastAPI:
    """The service as an ASGI application; the models are loaded by this call.

    Args:
        checker: scores posts; by default with the embedded models.
        estimator: estimates translation quality; by default with the models of ``checker``.
        limits: how much a client may ask for.
        token: that clients must send; None for no token.
        hosts: names that the Host header may have; None for any.

    Raises:
        ModelNotFoundError: an embedded model is missing.
        ModelCorruptedError: a file of a model is not the one in the lock.
    """
    checker = checker or Checker()
    estimator = estimator or QualityEstimator(store=checker.store, models=checker.models)
    limits = limits or Limits()
    service = Service(checker, estimator, limits)
    model = shipped(checker.store)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with service.running():
            yield

    app = FastAPI(
        title="statement-checker",
        version=__version__,
        description="Is this official post machine-translated? A calibrated answer with the evidence for it.",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=lifespan,
    )
    problems.install(app)
    locked: Any = [Depends(HTTPBearer(auto_error=False))] if token is not None else []

    rendered = {code: _page(own) for code, own in texts.catalogues().items()}

    @app.get("/", include_in_schema=False)
    async def page(request: Request, lang: str | None = None) -> HTMLResponse:
        code = texts.choose(lang, request.headers.get("Accept-Language", ""))
        return HTMLResponse(rendered[code], headers={"Vary": "Accept-Language", "Content-Language": code})

    app.mount("/static", StaticFiles(directory=STATIC, check_dir=False), name="static")

    @app.get("/healthz", responses=documented(400, 500))
    async def healthz() -> Health:
        """Whether the service is up."""
        return Health(status="ok", version=__version__)

    @app.get("/metrics", response_class=Response, responses=documented(*_ERRORS), dependencies=locked)
    async def prometheus() -> Response:
        """Counters and histograms in the text format of Prometheus."""
        return Response(service.metrics.exposition(), media_type=CONTENT_TYPE)

    @app.get(
        "/v1/models",
        response_model=catalogue.Catalogue,
        responses=documented(*_ERRORS),
        dependencies=locked,
    )
    async def list_models() -> Response:
        """The models that score, with revisions and checksums."""
        return _json(service.models)

    @app.get(
        "/v1/languages",
        response_model=catalogue.Languages,
        responses=documented(*_ERRORS),
        dependencies=locked,
    )
    async def list_languages() -> Response:
        """The languages in which posts are scored, with the measured error rates of their verdicts."""
        return _json(service.languages)

    @app.post(
        "/v1/score",
        response_model=Result | Results,
        responses=documented(*_POST_ERRORS),
        dependencies=locked,
    )
    async def score(request: Request, body: Posts) -> Response:
        """Score one post, or a list of posts; one bad post refuses the list."""
        posts = body if isinstance(body, list) else [body]
        if len(posts) > limits.posts:
            problem = f"There are {len(posts)} posts; a request may have {limits.posts}."
            raise RequestError(422, problem, fix="Send them in parts.")
        for n, post in enumerate(posts):
            _check_post(post, limits, f"{n}." if isinstance(body, list) else "")
        named = [
            Asked(str(n if post.id is None else post.id), post.text, post.language)
            for n, post in enumerate(posts, 1)
        ]
        results = await service.score(request, named)
        service.metrics.results(results)
        return _json(
            Results(results=tuple(results)).to_json() if isinstance(body, list) else results[0].to_json()
        )

    @app.post(
        "/v1/score/file",
        response_model=Rows,
        responses={**documented(*_POST_ERRORS), 200: _LINES},
        dependencies=locked,
    )
    async def score_file(
        request: Request,
        file: Annotated[UploadFile, File(description="A .csv, .tsv, .jsonl or .txt file.")],
        text_column: Annotated[str, Form(description="Column or field with the text.")] = "text",
        id_column: Annotated[str, Form(description="Column or field with the id.")] = "id",
        language: Annotated[LanguageCode | None, Form(description=_LANGUAGE)] = None,
        account_column: Annotated[
            str | None, Form(description="Column or field with the account, which each row then has.")
        ] = None,
        date_column: Annotated[
            str | None, Form(description="Column or field with the date in ISO 8601, likewise.")
        ] = None,
    ) -> Response:
        """Score the posts of a file; a row that cannot be scored has an error in its place.

        With `Accept: application/x-ndjson` the answer has one row per line, as soon as it is scored.
        """
        await check_form(request)
        _check_language("language", language)
        by_line = LINES in request.headers.get("accept", "")
        columns = Columns(text_column, id_column, account_column, date_column)
        most = limits.rows if by_line else limits.posts
        name = file.filename or ""
        rows = await asyncio.to_thread(read_upload, file.file, name, columns, limits, most)
        if by_line:
            return await streamed(request, service, rows, language)
        results = await scored(service, rows, language, partial(service.score, request))
        return _json(f'{{"results":[{",".join(results)}]}}')

    @app.post(
        "/v1/accounts", response_model=Accounts, responses=documented(*_POST_ERRORS), dependencies=locked
    )
    async def accounts(
        request: Request,
        file: ScoresFile,
        window: Annotated[WindowSize, Form(description="Length of the windows over time.")] = "month",
    ) -> Response:
        """Judge accounts by scored posts; their texts are not scored again."""
        await check_form(request)
        found = await service.work(request, partial(scores.judge, file.file, window, limits.rows, model))
        return _json(Accounts(accounts=tuple(found)).to_json())

    @app.post(
        "/v1/report",
        response_class=Response,
        responses={**documented(*_POST_ERRORS), 200: _HTML},
        dependencies=locked,
    )
    async def report(
        request: Request,
        file: ScoresFile,
        date: Annotated[
            str | None, Form(max_length=40, description="To print on the page, as it is.")
        ] = None,
    ) -> Response:
        """Make the page of `checker report` of scored posts."""
        await check_form(request)
        own = checker.settings.calibration
        make = partial(scores.report, file.file, date, limits.rows, own, checker.store)
        page = await service.work(request, make)
        return HTMLResponse(page, headers={"Content-Disposition": 'attachment; filename="report.html"'})

    @app.post("/v1/quality", response_model=Quality, responses=documented(*_POST_ERRORS), dependencies=locked)
    async def quality(request: Request, pair: Pair) -> Response:
        """Say how good a translation one text is of another."""
        for field, value in pair:
            _check_unicode(field, value)
        return _json((await service.quality(request, pair)).to_json())

    _describe_limits(app, limits)
    # The last one added is the first that a request meets.
    app.add_middleware(BodyLimit, limits=limits)
    app.add_middleware(Guard, token=token, hosts=hosts)
    paths = frozenset(getattr(route, "path", "") for route in app.routes)
    app.add_middleware(Observe, metrics=service.metrics, paths=paths)
    app.add_middleware(SecurityHeaders)
    return app


def _page(own: texts.Texts) -> str:
    """The web page in one language, with the words that its scripts show."""
    environment = Environment(loader=PackageLoader("checker.web"), autoescape=True, undefined=StrictUndefined)
    words = {"texts": own.texts, "said": own.said}
    names = {**words, "languages": NAMES, "verdicts": list(VERDICTS), "meanings": MEANINGS}
    others = [other for other in texts.catalogues().values() if other is not own]
    page = environment.get_template("page.html.j2")
    return page.render(names=names, t=own.texts, code=own.code, others=others)


def _check_post(post: Post, limits: Limits, place: str) -> None:
    """Raise RequestError unless a post can be scored; ``place`` goes before the name of the field."""
    if len(post.text) > limits.characters:
        problem = f"The text is longer than {limits.characters} characters."
        raise RequestError(422, problem, fix="Send it in parts.", field=f"{place}text")
    _check_language(f"{place}language", post.language)
    _check_unicode(f"{place}text", post.text)
    _check_unicode(f"{place}id", post.id)


def _check_language(field: str, code: str | None) -> None:
    """Raise RequestError for a language that no model knows."""
    if code is not None and code not in SUPPORTED:
        problem = "The language is not one that can be scored."
        fix = f"Use one of {', '.join(SUPPORTED)}, or leave it out."
        raise RequestError(422, problem, fix=fix, field=field)


def _check_unicode(field: str, value: object) -> None:
    """Raise RequestError for a string with lone surrogates, which JSON may have and UTF-8 may not."""
    if isinstance(value, str) and (problem := problem_of(value)):
        fix = "Do not cut it inside a character."
        raise RequestError(422, f"The text {problem}.", fix=fix, field=field)


def _json(content: str) -> Response:
    return Response(content, media_type="application/json")


def _describe_limits(app: FastAPI, limits: Limits) -> None:
    """Put the limits of requests into the OpenAPI document, too."""
    schema = app.openapi()
    schema["components"]["schemas"]["Post"]["properties"]["text"]["maxLength"] = limits.characters
    body = schema["paths"]["/v1/score"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    for choice in body["oneOf"]:
        if choice.get("type") == "array":
            choice["maxItems"] = limits.posts
