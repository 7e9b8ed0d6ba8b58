"""Judgements on accounts and the report over HTTP: those of the command line, of the same scores."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from web_server import serving

import checker as package
from checker.pipeline import Checker
from checker.web.app import create_app
from checker.web.limits import Limits

POSTS = (
    "Завтра с десяти утра на улице Садовой отключат воду. Запаситесь ею заранее, номер дома {n}.",
    "Мы сделали решение, что рейсы номер {n} будут возобновлены до двенадцатого мая этого года.",
    "Паром номер {n} сегодня не ходит из-за шторма, билеты можно сдать в кассе до самого вечера.",
)
LIMITS = Limits(rows=30)


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    app = create_app(Checker(round_trip=False, fluency=False), limits=LIMITS)
    with (
        serving(app, limits=LIMITS) as url,
        httpx.Client(base_url=url, timeout=60, trust_env=False) as opened,
    ):
        yield opened


@pytest.fixture(scope="module")
def lines(client: httpx.Client) -> str:
    """Scores of two accounts over three months, and a row that cannot be read."""
    rows = [
        {
            "id": f"<b>{n}</b>",
            "text": POSTS[n % 3].format(n=n),
            "user": ("north", "<script>south</script>")[n % 2],
            "at": f"2026-0{1 + n % 3}-01T10:00Z",
        }
        for n in range(12)
    ]
    content = "\n".join([*map(json.dumps, rows), "no JSON"]).encode()
    answer = client.post(
        "/v1/score/file",
        files={"file": ("posts.jsonl", content)},
        data={"account_column": "user", "date_column": "at"},
        headers={"accept": "application/x-ndjson"},
    )
    assert answer.status_code == 200
    return answer.text


def send(client: httpx.Client, path: str, content: str, **data: str) -> httpx.Response:
    return client.post(path, files={"file": ("scores.jsonl", content.encode())}, data=data)


def test_accounts_are_judged_as_by_the_command(client: httpx.Client, lines: str, tmp_path: Path) -> None:
    (tmp_path / "scores.jsonl").write_text(lines, encoding="utf-8")
    for window in "month", "day":
        found = send(client, "/v1/accounts", lines, window=window).json()["accounts"]
        expected = [one.to_dict() for one in package.accounts(tmp_path / "scores.jsonl", window=window)]
        assert found == expected
    assert [one["account"] for one in found] == ["<script>south</script>", "north"]
    assert [one["posts"]["given"] for one in found] == [6, 6]
    shown = [post["row"] for one in found for post in one["loudest_for"] + one["loudest_against"]]
    assert set(shown) <= set(range(1, 13))


def test_the_page_may_leave_out_what_accounts_do_not_need(client: httpx.Client, lines: str) -> None:
    """As ``short`` in api.js."""

    def less(line: str) -> str:
        row: dict[str, Any] = json.loads(line)
        for one in row.get("sentences", ()):
            for name in "differences", "words", "pivot_text", "back_translation":
                del one[name]
        return json.dumps(row)

    whole = send(client, "/v1/accounts", lines).json()
    assert send(client, "/v1/accounts", "\n".join(map(less, lines.splitlines()))).json() == whole


def test_the_report_is_that_of_the_command(client: httpx.Client, lines: str, tmp_path: Path) -> None:
    answer = send(client, "/v1/report", lines, date="1 <i>March</i>")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "attachment" in answer.headers["content-disposition"]
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    (tmp_path / "scores.jsonl").write_text(lines, encoding="utf-8")
    package.report(
        tmp_path / "scores.jsonl", tmp_path / "own.html", date="1 <i>March</i>", command="POST /v1/report"
    )
    assert answer.text == (tmp_path / "own.html").read_text("utf-8")
    assert "1 &lt;i&gt;March&lt;/i&gt;" in answer.text
    assert "<script>south" not in answer.text
    assert "<b>0</b>" not in answer.text
    assert str(tmp_path) not in answer.text


@pytest.mark.parametrize("path", ["/v1/accounts", "/v1/report"])
@pytest.mark.parametrize(
    ("content", "error"),
    [
        ("", "has no rows"),
        ("no JSON\n", "no file of scores"),
        ('{"id": "1", "text": "never scored here"}\n', "no file of scores"),
        ('{"id": "1", "verdict": "uncertain"}\n', "no file of scores"),
        (
            '{"id": "1", "verdict": "certain", "language": {}, "models": {}, "version": "1"}',
            "no file of scores",
        ),
        ("[" * 50_000, "no file of scores"),
        ("{}\n" * 31, "more than 30"),
    ],
)
def test_what_are_no_scores(client: httpx.Client, path: str, content: str, error: str) -> None:
    answer = send(client, path, content)
    problem = answer.json()
    assert (answer.status_code, problem["field"]) == (422, "file")
    assert error in problem["error"]
    assert problem["fix"].endswith(".")
    assert "/tmp" not in problem["error"]
    assert "--" not in problem["fix"]


def test_scores_without_accounts(client: httpx.Client, lines: str) -> None:
    rows = [json.loads(line) | {"account": None} for line in lines.splitlines()]
    content = "\n".join(map(json.dumps, rows))
    answer = send(client, "/v1/accounts", content)
    assert answer.status_code == 422
    assert "account_column" in answer.json()["fix"]
    assert send(client, "/v1/report", content).status_code == 200


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"account": "\ud800", "date": "2026-02-30"}, 200),
        ({"account": "\x00\u202e", "date": 7}, 200),
        ({"account": {"a": 1}, "date": ["x"]}, 422),  # no account at all
        ({"machine_translated": 1.0}, 200),
        ({"machine_translated": None}, 200),
        ({"version": "0.0.1"}, 200),
        ({"more": "x" * 1000}, 200),
    ],
)
def test_any_scores_get_an_answer(
    client: httpx.Client, lines: str, change: dict[str, Any], status: int
) -> None:
    rows = [json.loads(line) | change for line in lines.splitlines()[:12]]
    assert send(client, "/v1/accounts", "\n".join(map(json.dumps, rows))).status_code == status
    assert send(client, "/v1/report", "\n".join(map(json.dumps, rows))).status_code == 200


def test_a_form_has_no_other_parts(client: httpx.Client, lines: str) -> None:
    for data, field in ({"by": "x"}, "by"), ({"window": "hour"}, "window"):
        answer = send(client, "/v1/accounts", lines, **data)
        assert (answer.status_code, answer.json()["field"]) == (422, field)
        assert "Input should" not in answer.json()["error"]
    answer = client.post("/v1/report", json={})
    assert answer.status_code == 415
