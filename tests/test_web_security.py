"""Who may use the service, what every answer carries, and what the log does not."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from web_server import serving

from checker.errors import InputError
from checker.pipeline import Checker
from checker.web.app import create_app
from checker.web.limits import Limits
from checker.web.security import HEADERS, find_token, is_loopback

TOKEN = "a-token-of-the-tests-0123456789"
SECRET = "Секретное сообщение, которое не должно попасть в журнал службы."


@pytest.fixture(scope="module")
def url(checker: Checker) -> Iterator[str]:
    with serving(create_app(checker, token=TOKEN, limits=Limits(body=20_000))) as base:
        yield base


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/v1/score"), ("POST", "/v1/score/file"), ("POST", "/v1/quality"), ("GET", "/v1/models"),
        ("GET", "/v1/languages"), ("GET", "/metrics"), ("GET", "/nothing"),
    ],
)  # fmt: skip
@pytest.mark.parametrize(
    "headers",
    [{}, {"Authorization": "Bearer"}, bearer("wrong"), bearer(TOKEN[:-1]), bearer(f"{TOKEN}x"),
     {"Authorization": TOKEN}, {"Authorization": f"Basic {TOKEN}"}],
)  # fmt: skip
def test_without_the_token_there_is_nothing(
    client: httpx.Client, method: str, path: str, headers: dict[str, str]
) -> None:
    answer = client.request(method, path, headers=headers)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert "Bearer" in answer.json()["fix"]


def test_a_token_of_other_characters_is_wrong(url: str) -> None:
    with httpx.Client(base_url=url, trust_env=False) as client:
        header = [(b"Authorization", "Bearer пароль".encode())]
        assert client.get("/v1/models", headers=header).status_code == 401


def test_with_the_token_there_is(client: httpx.Client) -> None:
    assert client.get("/v1/models", headers=bearer(TOKEN)).status_code == 200
    assert client.get("/metrics", headers={"authorization": f"bearer {TOKEN}"}).status_code == 200
    scored = client.post("/v1/score", json={"text": "?"}, headers=bearer(TOKEN))
    assert scored.json()["verdict"] == "not_scored"


def test_the_page_and_health_need_no_token(client: httpx.Client) -> None:
    for path in ("/healthz", "/openapi.json", "/"):
        assert client.get(path).status_code == 200, path
    assert client.get("/static/nothing").status_code == 404


@pytest.mark.parametrize("path", ["/static/../app.py", "/static/%2e%2e/app.py", "/static/..%2fapp.py"])
def test_static_files_are_those_of_the_page(url: str, path: str) -> None:
    host, port = httpx.URL(url).host, httpx.URL(url).port
    request = httpx.Request("GET", httpx.URL(scheme="http", host=host, port=port, raw_path=path.encode()))
    with httpx.Client(trust_env=False) as client:
        assert client.send(request).status_code in (401, 404)


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example:80", "", "localhost.", "[::1"])
def test_a_request_for_another_host_is_refused(client: httpx.Client, host: str) -> None:
    answer = client.get("/healthz", headers={"Host": host})
    assert answer.status_code == 400
    assert "--allowed-host" in answer.json()["fix"]


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8000", "127.0.0.1:1", "[::1]:8000"])
def test_names_of_this_machine_are_not(client: httpx.Client, host: str) -> None:
    assert client.get("/healthz", headers={"Host": host}).status_code == 200


def test_a_page_of_another_site_cannot_use_the_service(client: httpx.Client) -> None:
    for site, status in ("cross-site", 403), ("same-site", 403), ("same-origin", 200), ("none", 200):
        headers = bearer(TOKEN) | {"Sec-Fetch-Site": site, "Origin": "https://evil.example"}
        answer = client.post("/v1/score", json={"text": "?"}, headers=headers)
        assert answer.status_code == status
        assert "access-control-allow-origin" not in answer.headers
    assert client.get("/", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 200  # a link
    preflight = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    assert client.options("/v1/score", headers=preflight | bearer(TOKEN)).status_code == 403


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("https://evil.example", 403), ("null", 403), ("http://127.0.0.1:1", 403), ("", 403),
        ("http://[", 403), ("http://evil.example@127.0.0.1", 403), (None, 200),
    ],
)  # fmt: skip
def test_a_browser_that_says_no_more_than_the_origin(
    client: httpx.Client, origin: str | None, status: int
) -> None:
    headers = bearer(TOKEN) | ({} if origin is None else {"Origin": origin})
    assert client.post("/v1/score", json={"text": "?"}, headers=headers).status_code == status


def test_the_page_itself_is_no_other_site(client: httpx.Client) -> None:
    own = bearer(TOKEN) | {"Origin": str(client.base_url).rstrip("/")}
    assert client.post("/v1/score", json={"text": "?"}, headers=own).status_code == 200
    behind_a_proxy = bearer(TOKEN) | {"Origin": "https://localhost", "Host": "localhost"}
    assert client.post("/v1/score", json={"text": "?"}, headers=behind_a_proxy).status_code == 200


def test_every_answer_has_the_security_headers(client: httpx.Client) -> None:
    good, large = {"text": "?"}, {"text": "x" * 30_000}
    answers = {
        200: client.post("/v1/score", json=good, headers=bearer(TOKEN)),
        400: client.get("/", headers={"Host": "evil.example"}),
        401: client.post("/v1/score", json=good),
        404: client.get("/static/nothing"),
        405: client.get("/v1/score", headers=bearer(TOKEN)),
        413: client.post("/v1/score", json=large, headers=bearer(TOKEN)),
        422: client.post("/v1/score", json={}, headers=bearer(TOKEN)),
    }
    for status, answer in answers.items():
        assert answer.status_code == status
        assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS
        assert "server" not in answer.headers
    assert "unsafe" not in HEADERS["Content-Security-Policy"]
    assert "require-trusted-types-for 'script'" in HEADERS["Content-Security-Policy"].split("; ")
    assert answers[200].headers["cache-control"] == "no-store"
    assert client.get("/").headers["cache-control"] == "no-cache"


def test_the_log_has_no_text_of_a_client(client: httpx.Client, caplog: pytest.LogCaptureFixture) -> None:
    for name in ("httpx", "httpcore"):  # the client's own
        caplog.set_level(logging.CRITICAL, name)
    caplog.set_level(logging.DEBUG)
    client.post("/v1/score", json={"text": SECRET, "id": SECRET}, headers=bearer(TOKEN))
    client.post("/v1/score", json={"text": [SECRET]}, headers=bearer(TOKEN))
    client.post("/v1/score/file", files={"file": (f"{SECRET}.csv", SECRET.encode())}, headers=bearer(TOKEN))
    client.get("/v1/score", params={"text": "Confidential"}, headers=bearer(TOKEN))
    client.get("/Confidential%0aline", headers=bearer(TOKEN))
    deadline = time.monotonic() + 5
    while "GET other 404" not in caplog.text and time.monotonic() < deadline:
        time.sleep(0.01)  # a request is logged after it was answered
    assert "POST /v1/score 200" in caplog.text
    assert "GET other 404" in caplog.text
    for word in ("Секретное", "Confidential", TOKEN):
        assert word not in caplog.text


def test_a_mistake_of_the_service_is_500_without_its_message(
    checker: Checker, caplog: pytest.LogCaptureFixture
) -> None:
    app = create_app(checker)

    @app.get("/broken")
    def broken() -> None:
        raise RuntimeError(SECRET)

    with serving(app) as base:
        answer = httpx.get(f"{base}/broken", trust_env=False)
    assert answer.status_code == 500
    assert answer.json()["fix"]
    assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS
    assert "RuntimeError" in caplog.text
    assert "test_web_security.py" in caplog.text  # where it was raised
    assert "Секретное" not in caplog.text + answer.text


def test_where_the_token_comes_from(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(f"{TOKEN}\n")
    variable = {"STATEMENT_CHECKER_TOKEN": f"{TOKEN}-of-the-environment"}
    assert find_token(file, variable) == TOKEN
    assert find_token(None, variable) == f"{TOKEN}-of-the-environment"
    assert find_token(None, {}) is None


@pytest.mark.parametrize(
    "content", [b"", b"short", b"two words of a token", b"\xff" * 20, "пароль".encode() * 9]
)
def test_a_bad_token_is_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "token"
    file.write_bytes(content)
    with pytest.raises(InputError, match="token_urlsafe"):
        find_token(file, {})


def test_a_missing_token_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        find_token(tmp_path / "token", {"STATEMENT_CHECKER_TOKEN": TOKEN})


def test_an_empty_variable_is_no_token() -> None:
    with pytest.raises(InputError, match="STATEMENT_CHECKER_TOKEN"):
        find_token(None, {"STATEMENT_CHECKER_TOKEN": ""})


def test_loopback() -> None:
    assert all(map(is_loopback, ["127.0.0.1", "127.8.0.1", "::1", "localhost"]))
    assert not any(map(is_loopback, ["0.0.0.0", "::", "192.0.2.7", "statements.example", ""]))
