"""The HTTP service, by a real server on loopback with the embedded models."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from web_server import serving

from checker.bitext.estimator import QualityEstimator
from checker.languages import SUPPORTED
from checker.pipeline import Checker
from checker.result import Result
from checker.verdict import file as fitted
from checker.version import __version__
from checker.web import catalogue
from checker.web.app import create_app
from checker.web.limits import Limits

SOURCE, TARGET = "В учениях участвуют 1 250 военнослужащих.", "The exercise involves 1,520 servicemen."
PERSIAN = "وزارت امور خارجه امروز با انتشار بیانیه‌ای گفت که گفتگوها هفته آینده ادامه خواهد یافت."
LIMITS = Limits(body=50_000, posts=20, characters=3000, waiting=200)


@pytest.fixture(scope="module")
def estimator() -> QualityEstimator:
    return QualityEstimator()


@pytest.fixture(scope="module")
def client(checker: Checker, estimator: QualityEstimator) -> Iterator[httpx.Client]:
    app = create_app(checker, estimator, limits=LIMITS)
    with serving(app) as url, httpx.Client(base_url=url, timeout=60, trust_env=False) as opened:
        yield opened


def assert_alike(answer: Any, expected: Any) -> None:
    """Equal but for what batching does to floating point: 1e-3, relative or absolute."""
    if isinstance(expected, dict):
        assert answer.keys() == expected.keys()
        for key in expected:
            assert_alike(answer[key], expected[key])
    elif isinstance(expected, list):
        assert len(answer) == len(expected)
        for ours, theirs in zip(answer, expected, strict=True):
            assert_alike(ours, theirs)
    elif isinstance(expected, float):
        assert answer == pytest.approx(expected, rel=1e-3, abs=1e-3)
    elif isinstance(expected, str):
        assert re.sub(r"[\d.]+", "#", answer) == re.sub(r"[\d.]+", "#", expected)  # reasons have numbers
    else:
        assert answer == expected


def test_health(client: httpx.Client) -> None:
    assert client.get("/healthz").json() == {"status": "ok", "version": __version__}


def test_score_is_the_json_of_python(client: httpx.Client, checker: Checker) -> None:
    answer = client.post("/v1/score", json={"text": SOURCE, "id": "7"})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.text == checker.score(SOURCE, "7").to_json()


def test_a_list_keeps_its_order_and_ids(client: httpx.Client, checker: Checker) -> None:
    posts: list[dict[str, Any]] = [
        {"text": SOURCE, "id": "a"}, {"text": "", "id": 12}, {"text": PERSIAN}, {"text": TARGET, "id": "a"},
    ]  # fmt: skip
    results = client.post("/v1/score", json=posts).json()["results"]
    assert [result["id"] for result in results] == ["a", "12", "3", "a"]
    for result, post in zip(results, posts, strict=True):
        assert_alike(result, checker.score(str(post["text"]), result["id"]).to_dict())


def test_a_language_that_is_named_is_not_identified(client: httpx.Client) -> None:
    text = "Taxi Hotel Restaurant Museum Park Bank Bus Metro Radio Internet"
    assert client.post("/v1/score", json={"text": text}).json()["verdict"] == "not_scored"
    both = client.post("/v1/score", json=[{"text": text, "language": code} for code in ("de", "fr")]).json()
    assert [one["language"]["code"] for one in both["results"]] == ["de", "fr"]
    assert all(one["machine_translated"] is not None for one in both["results"])
    wrong = client.post("/v1/score", json=[{"text": text}, {"text": text, "language": "xx"}])
    assert wrong.status_code == 422
    assert wrong.json()["field"] == "1.language"
    assert "leave it out" in wrong.json()["fix"]


def test_a_list_of_one_is_a_list(client: httpx.Client) -> None:
    assert [result["id"] for result in client.post("/v1/score", json=[{"text": "?"}]).json()["results"]] == [
        "1"
    ]
    assert client.post("/v1/score", json=[]).json() == {"results": []}


def test_clients_at_once_get_their_own_answers(client: httpx.Client, checker: Checker) -> None:
    texts = [f"{SOURCE} Номер {n}." if n % 2 else f"{PERSIAN} {n}" for n in range(16)]

    def ask(n: int) -> dict[str, Any]:
        with httpx.Client(base_url=client.base_url, timeout=60, trust_env=False) as own:
            answer: dict[str, Any] = own.post(
                "/v1/score", json={"text": texts[n], "id": f"client {n}"}
            ).json()
            return answer

    with ThreadPoolExecutor(len(texts)) as pool:
        answers = list(pool.map(ask, range(len(texts))))
    for n, answer in enumerate(answers):
        assert_alike(answer, checker.score(texts[n], f"client {n}").to_dict())
    batches = client.get("/metrics").text
    assert 'statement_checker_batch_sentences_bucket{le="1.0"}' in batches
    posts = _sample(batches, "statement_checker_batch_sentences_sum")
    assert _sample(batches, "statement_checker_batch_sentences_count") < posts  # some were scored together


@pytest.mark.parametrize(
    "text",
    [
        "\u202eПривет\u202c мир, это проверка направления письма в тексте поста.",
        "Controls\x00\x01\x1b[31m in the middle of a perfectly ordinary English sentence.\r\n\t",
        "<script>alert(1)</script> The ministry published its statement on Tuesday.",
        "😀" * 200,
        "a" * 3000,
    ],
)
def test_hostile_text_is_scored_as_python_scores_it(
    client: httpx.Client, checker: Checker, text: str
) -> None:
    answer = client.post("/v1/score", json={"text": text, "id": "\u202e\x00"})
    assert answer.status_code == 200
    assert answer.text == checker.score(text, "\u202e\x00").to_json()


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("/v1/quality", {"source": "", "target": TARGET}, "source"),
        ("/v1/quality", {"source": SOURCE}, "target"),
        ("/v1/quality", {"source": SOURCE, "target": 7}, "target"),
        ("/v1/quality", {"source": SOURCE, "target": TARGET, "target_language": "tlh"}, "target_language"),
        ("/v1/quality", {"source": SOURCE, "target": TARGET, "colour": "red"}, "colour"),
        ("/v1/quality", "{", None),
        ("/v1/score", "{", None),
        ("/v1/score", b"\xff\xfe", None),
        ("/v1/score", "7", None),
        ("/v1/score", '{"id": "1"}', "text"),
        ("/v1/score", '{"text": "\\ud800 cut"}', "text"),
        ("/v1/score", '[{"text": "x", "id": "\\udfff"}]', "0.id"),
        ("/v1/quality", '{"source": "\\udfff", "target": "x"}', "source"),
        ("/v1/score", {"text": "x" * 3001}, "text"),
        ("/v1/score", {"text": "x", "id": True}, "id"),
        ("/v1/score", {"text": "x", "id": "i" * 257}, "id"),
        ("/v1/score", {"text": "x", "txet": "y"}, "txet"),
        ("/v1/score", [{"text": "x"}, {"text": "y"}, {"text": None}], "2.text"),
        ("/v1/score", [{"text": "x"}, {"text": "x" * 3001}], "1.text"),
        ("/v1/score", [{"text": "x"}, {"text": "y", "id": 1.5}], "1.id"),
        ("/v1/score", ["x"], "0"),
        ("/v1/score", [{"text": "x"}] * 21, None),
    ],
)
def test_a_bad_request_says_what_is_wrong(
    client: httpx.Client, path: str, body: object, field: str | None
) -> None:
    content = body if isinstance(body, str | bytes) else json.dumps(body)
    answer = client.post(path, content=content, headers={"content-type": "application/json"})
    assert answer.status_code == 422
    problem = answer.json()
    assert problem["field"] == field
    assert problem["error"].endswith(".")
    assert not re.search("Input should|Value error|dictionary|JSON object", problem["error"])  # of pydantic
    assert problem["fix"].endswith(".")


def test_json_that_is_nested_too_deep(client: httpx.Client) -> None:
    headers = {"content-type": "application/json"}
    answer = client.post("/v1/score", content="[" * 10_000, headers=headers)
    assert answer.status_code == 400
    assert answer.json()["fix"]


def test_a_body_that_does_not_say_that_it_is_json(client: httpx.Client) -> None:
    for headers in {}, {"content-type": "text/plain"}:
        answer = client.post("/v1/score", content=b'{"text": "x"}', headers=headers)
        assert answer.status_code == 415
        assert "application/json" in answer.json()["fix"]


def test_no_such_path_or_method(client: httpx.Client) -> None:
    for answer, status in (client.get("/v1/scores"), 404), (client.get("/v1/score"), 405):
        assert answer.status_code == status
        assert answer.json()["fix"]


def test_a_csv_file_has_an_error_in_the_place_of_a_bad_row(client: httpx.Client, checker: Checker) -> None:
    rows = f'nr;body\na;"{SOURCE}"\nb\nc;"{"x" * 3001}"\nd;"{PERSIAN}"\n'
    answer = client.post(
        "/v1/score/file",
        files={"file": ("posts.csv", rows.encode("utf-8-sig"))},
        data={"text_column": "body", "id_column": "nr"},
    )
    assert answer.status_code == 200
    first, short, long, last = answer.json()["results"]
    assert_alike(first, checker.score(SOURCE, "a").to_dict())
    assert_alike(last, checker.score(PERSIAN, "d").to_dict())
    assert (short["row"], long["row"]) == (2, 3)
    assert "3000" in long["error"]
    assert long["field"] == "body"


def test_a_jsonl_and_a_text_file(client: httpx.Client) -> None:
    lines = json.dumps({"id": "x", "text": SOURCE}).encode() + b'\n{"id": "y", "text": "\\ud800"}\nno JSON\n'
    results = client.post("/v1/score/file", files={"file": ("a.JSONL", lines)}).json()["results"]
    assert [result["id"] for result in results] == ["x", "y", "3"]
    assert ["error" in result for result in results] == [False, True, True]
    plain = client.post("/v1/score/file", files={"file": ("a.txt", f"{SOURCE}\n\n{TARGET}".encode())})
    assert [result["id"] for result in plain.json()["results"]] == ["1", "3"]
    assert client.post("/v1/score/file", files={"file": ("a.txt", b"")}).json() == {"results": []}


def test_the_language_of_a_file_can_be_named(client: httpx.Client) -> None:
    text = "Taxi Hotel Restaurant Museum Park Bank Bus Metro Radio Internet"
    files = {"file": ("a.txt", f"{text}\n{SOURCE}\n".encode())}
    found, named = (
        client.post("/v1/score/file", files=files, data=data) for data in ({}, {"language": "de"})
    )
    assert [one["language"]["code"] for one in named.json()["results"]] == ["de", "de"]
    assert found.json()["results"][0]["verdict"] == "not_scored"
    wrong = client.post("/v1/score/file", files=files, data={"language": "xx"})
    assert (wrong.status_code, wrong.json()["field"]) == (422, "language")


FEED = (
    "nr,post,who,when\n"
    f'1,"{SOURCE}",north,2026-03-01T10:00:00Z\n2,"{PERSIAN}", 7 ,soon\nbroken\n4,"{TARGET}",,2026-03-04\n'
)
COLUMNS = {"id_column": "nr", "text_column": "post", "account_column": "who", "date_column": "when"}


def test_account_and_date_stand_beside_each_row(client: httpx.Client) -> None:
    files = {"file": ("feed.csv", FEED.encode())}
    rows = client.post("/v1/score/file", files=files, data=COLUMNS).json()["results"]
    assert [row["account"] for row in rows] == ["north", "7", None, None]
    assert [row["date"] for row in rows] == ["2026-03-01", None, None, "2026-03-04"]
    assert "error" in rows[2]
    plain = client.post("/v1/score/file", files=files, data={"id_column": "nr", "text_column": "post"})
    kept = [{key: row[key] for key in row if key not in ("account", "date")} for row in rows]
    assert_alike(plain.json()["results"], kept)
    for data, fix in ({"account_column": "whom"}, "account_column"), ({"date_column": "x"}, "date_column"):
        wrong = client.post("/v1/score/file", files=files, data=COLUMNS | data)
        assert (wrong.status_code, wrong.json()["field"]) == (422, "file")
        assert fix in wrong.json()["fix"]
    text = client.post("/v1/score/file", files={"file": ("a.txt", b"x")}, data={"account_column": "who"})
    assert text.status_code == 422
    assert "account_column" in text.json()["fix"]


def test_a_large_file_is_answered_line_by_line(client: httpx.Client, checker: Checker) -> None:
    """As `checker score --keep account --keep date` would write it."""
    posts = [
        {"text": f"{SOURCE} {n}.", "id": n, "account": f"a{n % 3}", "date": "2026-01-02"} for n in range(50)
    ]
    lines = [json.dumps(post) for post in posts]
    lines[30] = "no JSON"
    files = {"file": ("a.jsonl", "\n".join(lines).encode())}
    refused = client.post("/v1/score/file", files=files)
    assert refused.status_code == 422
    assert "application/x-ndjson" in refused.json()["fix"]
    headers, data = {"accept": "application/x-ndjson"}, {"account_column": "account", "date_column": "date"}
    pieces = []
    with client.stream("POST", "/v1/score/file", files=files, data=data, headers=headers) as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("application/x-ndjson")
        assert answer.headers["statement-checker-rows"] == "50"
        pieces = list(answer.iter_raw())
    assert len(pieces) >= 3  # it came as it was scored
    rows = [json.loads(line) for line in b"".join(pieces).decode().splitlines()]
    assert [row["id"] for row in rows] == [str(n) if n != 30 else "31" for n in range(50)]
    assert "error" in rows[30]
    own = checker.score(str(posts[7]["text"]), "7").to_dict() | {"account": "a1", "date": "2026-01-02"}
    assert_alike(rows[7], own)
    empty = client.post("/v1/score/file", files={"file": ("a.txt", b"")}, headers=headers)
    assert (empty.text, empty.headers["statement-checker-rows"]) == ("", "0")
    early = client.post("/v1/score/file", files={"file": ("a.csv", b"id,body\n1,x\n")}, headers=headers)
    assert early.status_code == 422


@pytest.mark.parametrize(
    ("name", "content", "error"),
    [
        ("posts.csv", b"id,body\n1,x\n", "no column 'text'"),
        ("posts.csv", "id,text\n1,x\n".encode("utf-16"), "UTF-16"),
        ("posts.csv", b"", "no header"),
        ("posts.txt", b"x\n" * 21, "more than 20"),
        ("posts.parquet", b"PAR1", "format"),
        ("../../etc/passwd", b"root", "format"),
        ("posts", b"x", "format"),
    ],
)
def test_a_file_that_cannot_be_read(client: httpx.Client, name: str, content: bytes, error: str) -> None:
    answer = client.post("/v1/score/file", files={"file": (name, content)})
    assert answer.status_code == 422
    problem = answer.json()
    assert problem["field"] == "file"
    assert error in problem["error"]
    assert "--" not in problem["fix"]
    assert "/" not in problem["error"]  # the name of no folder of the service


def test_an_upload_without_a_file(client: httpx.Client) -> None:
    form = client.post("/v1/score/file", files={"text_column": (None, "body")})
    assert (form.status_code, form.json()["field"]) == (422, "file")
    other = client.post("/v1/score/file", data={"text_column": "body"})
    assert other.status_code == 415
    assert "multipart/form-data" in other.json()["fix"]


@pytest.mark.parametrize(
    ("more", "field", "error"),
    [
        (("file", ("b.txt", SOURCE.encode())), "file", "2 files"),
        (("file", (None, "text")), "file", "2 files"),
        (("text_column", (None, "body")), "text_column", "2 values"),
        (("column", (None, "body")), "column", "no such field"),
    ],
)
@pytest.mark.parametrize("first", [True, False])
def test_no_part_of_a_form_is_dropped(
    client: httpx.Client, more: tuple[str, Any], field: str, error: str, first: bool
) -> None:
    parts: list[tuple[str, Any]] = [("file", ("a.txt", SOURCE.encode())), ("text_column", (None, "text"))]
    answer = client.post("/v1/score/file", files=[more, *parts] if first else [*parts, more])
    assert (answer.status_code, answer.json()["field"]) == (422, field)
    assert error in answer.json()["error"]
    assert answer.json()["fix"]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", b"id,txt\n1,abc\n"), ("a.csv", "id,text".encode("utf-16")), ("a.csv", b"\x1f\x8b\x08"),
        ("a.csv", b"Report\nid,text\n1,a\n"), ("a.jsonl", b'{"id": 1}'), ("a.jsonl", b"[1]"),
    ],
)  # fmt: skip
def test_a_file_is_explained_to_who_has_no_command_line(
    client: httpx.Client, name: str, content: bytes
) -> None:
    problem = client.post("/v1/score/file", files={"file": (name, content)}).json()
    told = problem["results"][0] if "results" in problem else problem
    for word in ("--", "iconv", "zcat", "The file are", "of The"):
        assert word not in f"{told['error']} {told['fix']}"


def test_quality_is_the_json_of_python(client: httpx.Client, estimator: QualityEstimator) -> None:
    body = {"source": SOURCE, "target": TARGET, "id": "7", "reference": TARGET}
    answer = client.post("/v1/quality", json=body)
    assert answer.status_code == 200
    assert answer.text == estimator.estimate(SOURCE, TARGET, TARGET, id="7").to_json()
    assert [finding["kind"] for finding in answer.json()["findings"]] == ["number"]


def test_a_bad_pair_does_not_spoil_those_beside_it(client: httpx.Client, estimator: QualityEstimator) -> None:
    good, bad = {"source": SOURCE, "target": TARGET}, {"source": "…", "target": TARGET}
    with ThreadPoolExecutor(8) as pool:
        answers = list(
            pool.map(lambda n: client.post("/v1/quality", json=bad if n % 4 == 0 else good), range(8))
        )
    assert [answer.status_code for answer in answers] == [422, 200, 200, 200] * 2
    expected = estimator.estimate(SOURCE, TARGET).to_dict()
    for n in (1, 2, 3, 5, 6, 7):
        assert_alike(answers[n].json(), expected)


def test_languages_have_the_error_rates_of_their_verdicts(client: httpx.Client, checker: Checker) -> None:
    languages = {one["code"]: one for one in client.get("/v1/languages").json()["languages"]}
    assert tuple(languages) == SUPPORTED
    russian, persian = languages["ru"], languages["fa"]
    assert (russian["name"], russian["fluency"], russian["round_trip"]) == ("Russian", True, True)
    assert (persian["name"], persian["fluency"], persian["round_trip"]) == ("Persian", True, False)
    verdict = russian["verdict"]
    assert 0 < verdict["flagged"]["machine"] <= 1
    assert sum(row["posts"] for row in verdict["bins"]) > 100
    bands = verdict["bands"]
    assert [band["from"] for band in bands] == [30, 60, 120, 240, 480]
    assert [band["to"] for band in bands] == [60, 120, 240, 480, 1200]
    more = (
        "Они пройдут на трёх полигонах. Об этом сообщили в штабе округа во вторник, после совещания с главами"
    )
    more += " районов и командирами частей."
    result = checker.score(f"{SOURCE} {more}")
    applied = next(band["threshold"] for band in bands if band["from"] <= result.columns < band["to"])
    assert applied["machine"] >= 0.9
    compared = {threshold.question: threshold.probability for threshold in result.thresholds}
    assert compared["machine_translated"] == applied["machine"]
    layer = checker.models.verdicts.calibration.languages
    for code, one in languages.items():
        assert one["verdict"]["withheld"] == layer[code].withheld.get(one["verdict"]["variant"], "")


def test_languages_of_a_calibration_have_its_error_rates(checker: Checker, tmp_path: Path) -> None:
    shipped = fitted.read(checker.store.registry.parent / "embedded" / "verdict.json")
    rates = {
        variant: rate.model_copy(update={"ece": 0.4321})
        for variant, rate in shipped.languages["ru"].reliability.items()
    }
    models = shipped.models | {"style": checker.models.labels("ru")["style"]}
    russian = shipped.languages["ru"].model_copy(update={"reliability": rates, "models": models})
    path = tmp_path / "own.json"
    shipped.model_copy(update={"languages": {"ru": russian}}).write(path)
    own = Checker(calibration=path, store=checker.store)
    languages = {one.code: one.verdict for one in catalogue.languages(own).languages}
    russian_verdict, persian_verdict = languages["ru"], languages["fa"]
    assert russian_verdict is not None
    assert persian_verdict is not None
    assert (russian_verdict.ece, persian_verdict.calibration) == (0.4321, None)
    assert russian_verdict.calibration == catalogue.models(own).calibration
    assert str(russian_verdict.calibration).startswith("own.json@")


def test_models_are_those_that_results_name(client: httpx.Client, checker: Checker) -> None:
    served = client.get("/v1/models").json()
    labels = {f"{model['id']}@{model['revision']}" for model in served["models"] if model["installed"]}
    named = checker.score(SOURCE).models
    assert {named["fluency"], named["translator"]} <= labels
    assert (served["profile"], served["version"]) == ("embedded", __version__)
    assert len(served["sha256"]["verdict.json"]) == 64


def test_metrics_count_requests_and_verdicts(client: httpx.Client) -> None:
    def count(name: str) -> float:
        return _sample(client.get("/metrics").text, name)

    requests = 'statement_checker_requests_total{method="POST",path="/v1/score",status="200"}'
    verdicts = 'statement_checker_posts_total{verdict="not_scored"}'
    client.post("/v1/score", json={"text": ""})
    before = count(requests), count(verdicts)
    assert (
        Result.model_validate_json(client.post("/v1/score", json={"text": ""}).text).verdict == "not_scored"
    )
    assert (count(requests), count(verdicts)) == (before[0] + 1, before[1] + 1)
    assert count("statement_checker_waiting_posts") == 0


def test_unknown_paths_are_counted_as_one(client: httpx.Client) -> None:
    client.get("/a-path-with-the-text-of-a-post")
    exposition = client.get("/metrics").text
    assert "a-path" not in exposition
    assert 'path="other",status="404"' in exposition


def _sample(exposition: str, name: str) -> float:
    return next(float(line.split()[-1]) for line in exposition.splitlines() if line.startswith(f"{name} "))
