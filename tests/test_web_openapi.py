"""The service against its own OpenAPI document: requests that fit it, and requests that do not."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.specs.openapi.checks import positive_data_acceptance
from web_server import serving

from checker.pipeline import Checker
from checker.web.app import create_app
from checker.web.limits import Limits

TOKEN = "a-token-of-the-tests-0123456789"
LIMITS = Limits(posts=3, characters=200, waiting=100)
# random bytes are no CSV and no scores, random text is in no language
READ_BY_CONTENT = {"/v1/score/file", "/v1/quality", "/v1/accounts", "/v1/report"}


@pytest.fixture(scope="module")
def url(checker: Checker) -> Iterator[str]:
    with serving(create_app(checker, limits=LIMITS, token=TOKEN)) as base:
        yield base


@pytest.fixture(scope="module")
def openapi(url: str) -> schemathesis.BaseSchema:
    return schemathesis.openapi.from_url(f"{url}/openapi.json")


PATHS = (
    ("GET", "/healthz"), ("GET", "/metrics"), ("GET", "/v1/models"), ("GET", "/v1/languages"),
    ("POST", "/v1/score"), ("POST", "/v1/score/file"), ("POST", "/v1/quality"),
    ("POST", "/v1/accounts"), ("POST", "/v1/report"),
)  # fmt: skip


@pytest.mark.parametrize(
    ("method", "path", "mode"),
    [
        (method, path, mode)
        for method, path in PATHS
        for mode in schemathesis.GenerationMode
        if mode.is_positive or method == "POST"  # a GET has nothing that could be wrong
    ],
)
def test_the_service_keeps_to_its_description(
    openapi: schemathesis.BaseSchema, method: str, path: str, mode: schemathesis.GenerationMode
) -> None:
    requests = openapi[path][method].as_strategy(generation_mode=mode)

    @settings(max_examples=20, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(case=requests)
    def check(case: schemathesis.Case) -> None:
        excluded = [positive_data_acceptance] if path in READ_BY_CONTENT else []
        headers = {"Authorization": f"Bearer {TOKEN}"}
        case.call_and_validate(headers=headers, excluded_checks=excluded, timeout=30)

    check()


def test_the_description_is_complete(url: str) -> None:
    document = httpx.get(f"{url}/openapi.json", trust_env=False).json()
    paths = document["paths"]
    assert set(paths) == {path for _, path in PATHS}
    for path in {"/v1/score"} | READ_BY_CONTENT:
        errors = {"400", "401", "403", "408", "413", "415", "422", "500", "503"}
        assert set(paths[path]["post"]["responses"]) == {"200"} | errors
        for status in errors:
            content = paths[path]["post"]["responses"][status]["content"]
            assert content == {"application/json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    assert document["components"]["schemas"]["Post"]["properties"]["text"]["maxLength"] == LIMITS.characters
    assert paths["/v1/score"]["post"]["security"]
    assert "security" not in paths["/healthz"]["get"]


def test_there_is_no_page_that_loads_from_elsewhere(url: str) -> None:
    for path in "/docs", "/redoc":
        headers = {"Authorization": f"Bearer {TOKEN}"}
        assert httpx.get(f"{url}{path}", headers=headers, trust_env=False).status_code == 404
