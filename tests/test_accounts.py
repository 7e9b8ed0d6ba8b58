"""The accounts of a file: what `checker accounts` reads and writes, and what hostile files do to it."""

from __future__ import annotations

import csv
import io
import json
import math
import os
import re
import sqlite3
import subprocess
import sys
import tracemalloc
from collections.abc import Callable
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_account import BOTH, text

import checker
from checker import InputError, Settings
from checker.account.duplicates import fingerprint
from checker.account.post import AccountPost
from checker.evaluation.accounts import evaluate_accounts
from checker.evaluation.files import evaluate_accounts_file
from checker.io.table import ACCOUNT_COLUMNS
from checker.io.write import write as write_scores
from checker.pages.accounts import accounts_page, collected
from checker.pipeline import Checker
from checker.result import Language, Result, Sentence
from checker.runs import accounts as runs
from checker.runs.accounts import AccountsSummary, Choice, accounts_file
from checker.runs.grouped import Grouped
from checker.runs.ray.partitions import find
from checker.verdict.model import sigmoid
from checker.version import __version__

FAST = Settings(round_trip=False, fluency=False)


@pytest.fixture(autouse=True)
def model(monkeypatch: pytest.MonkeyPatch) -> None:
    """Thresholds of the tests: those that ship are fitted anew now and then."""
    monkeypatch.setattr(runs, "shipped", lambda: BOTH)
    monkeypatch.setattr("checker.evaluation.accounts.shipped", lambda: BOTH)


def scored(number: int, log_odds: float, **fields: Any) -> dict[str, Any]:
    """A line of a file of scores."""
    body = text(number)
    result = Result(
        id=str(number),
        verdict="uncertain",
        machine_translated=round(sigmoid(log_odds), 4),
        translated=round(sigmoid(log_odds), 4),
        language=Language(code="ru", confidence=1.0),
        columns=len(body),
        sentences=(Sentence(text=body, start=0, end=len(body), language="ru"),),
        models={"profile": "embedded"},
        version=__version__,
    )
    return result.to_dict() | fields


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")
    return path


def scores(path: Path) -> Path:
    """Three accounts: a machine, a human, and a human that becomes a machine; one row is of nobody."""
    random = np.random.default_rng(0)
    rows = [scored(n, 2.0, account="machine", date="2026-01-02") for n in range(12)]
    rows += [scored(100 + n, -2.0, account="human") for n in range(12)]
    rows += [
        scored(
            200 + n, float((2.0 if n >= 15 else -2.0) + random.normal(0, 0.4)), account="turning",
            date=(date(2025, 1, 1) + timedelta(10 * n)).isoformat(),
        )
        for n in range(30)
    ]  # fmt: skip
    return write(path / "scores.jsonl", [*rows, scored(999, 1.0)])


def read(path: Path) -> dict[str, dict[str, Any]]:
    return {row["account"]: row for row in map(json.loads, path.read_bytes().splitlines())}


def test_a_file_of_scores_needs_no_models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "score_file", lambda *_, **__: pytest.fail("it was scored"))
    output = tmp_path / "accounts.jsonl"
    summary = accounts_file(scores(tmp_path), output)
    found = read(output)
    assert {name: row["verdict"] for name, row in found.items()} == {
        "machine": "machine_translated", "human": "human_written", "turning": "machine_translated",
    }  # fmt: skip
    assert list(found) == sorted(found)
    (change,) = found["turning"]["changes"]
    assert change["day"] == (date(2025, 1, 1) + timedelta(150)).isoformat()
    assert (summary.accounts, summary.posts, summary.nameless) == (3, 54, 1)
    assert summary.verdicts["machine_translated"] == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["accounts.jsonl", "scores.jsonl"]


def test_scores_may_lie_beside_the_accounts(tmp_path: Path) -> None:
    rows = [json.loads(line) for line in scores(tmp_path).read_text("utf-8").splitlines()]
    bare = [{key: value for key, value in row.items() if key not in ("account", "date")} for row in rows]
    beside = write(tmp_path / "bare.jsonl", bare)
    posts = tmp_path / "posts.csv"
    with posts.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "text", "user", "made"])
        writer.writerows([row["id"], "…", row.get("account", ""), row.get("date", "")] for row in rows)
    output, other = tmp_path / "a.jsonl", tmp_path / "b.jsonl"
    accounts_file(posts, output, scores=beside, choice=Choice(by="user", time="made"))
    accounts_file(tmp_path / "scores.jsonl", other)
    assert output.read_bytes() == other.read_bytes()
    with pytest.raises(InputError, match="--by"):
        accounts_file(posts, output, scores=beside, choice=Choice(by="nobody"))


@pytest.mark.parametrize("kind", [".csv", ".tsv", ".parquet", ".sqlite", ".duckdb"])
def test_accounts_are_written_as_tables(tmp_path: Path, kind: str) -> None:
    output = tmp_path / f"accounts{kind}"
    accounts_file(scores(tmp_path), output)
    if kind in (".csv", ".tsv"):
        reader = csv.DictReader(
            io.StringIO(output.read_text("utf-8-sig")), delimiter="\t" if kind == ".tsv" else ","
        )
        assert reader.fieldnames == list(ACCOUNT_COLUMNS)
        rows = list(reader)
    elif kind == ".parquet":
        rows = pq.read_table(output).to_pylist()
        assert json.loads(rows[0]["json"])["account"] == "human"
    elif kind == ".duckdb":
        duckdb = pytest.importorskip("duckdb")
        with duckdb.connect(str(output)) as connection:
            found = connection.execute("SELECT account, verdict, posts_distinct FROM accounts").fetchall()
        rows = [{"account": a, "verdict": v, "posts.distinct": n} for a, v, n in found]
    else:
        with closing(sqlite3.connect(output)) as connection:
            found = connection.execute("SELECT account, verdict, posts_distinct FROM accounts").fetchall()
        rows = [{"account": a, "verdict": v, "posts.distinct": n} for a, v, n in found]
    assert [(row["account"], row["verdict"], int(row["posts.distinct"])) for row in rows] == [
        ("human", "human_written", 12), ("machine", "machine_translated", 12),
        ("turning", "machine_translated", 30),
    ]  # fmt: skip


def test_days_can_be_chosen(tmp_path: Path) -> None:
    summary = AccountsSummary()
    found = list(checker.accounts(scores(tmp_path), since=date(2025, 6, 1), window="year", summary=summary))
    assert [account.account for account in found] == ["machine", "turning"]
    assert found[1].posts.given == 14
    assert [window.start for window in found[1].windows] == [date(2025, 1, 1)]
    assert summary.outside == 12 + 16
    with pytest.raises(InputError, match="these days"):
        list(checker.accounts(tmp_path / "scores.jsonl", until=date(1999, 1, 1)))


NAMES = st.one_of(
    st.none(), st.text(max_size=20), st.integers(), st.floats(), st.booleans(),
    st.lists(st.integers(), max_size=2),
    st.sampled_from(["a\nb", "=1+1", "\x1b[31m", "\u202eabc", "x" * 5000, "\x00", "\ud800", "'; DROP x"]),
)  # fmt: skip
DATES = st.one_of(
    st.none(), st.text(max_size=12), st.integers(), st.just("2025-13-40"), st.just("2025-03-01")
)


@given(st.lists(st.tuples(NAMES, DATES), min_size=1, max_size=12))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_name_and_no_date_stops_a_run(tmp_path: Path, facts: list[tuple[Any, Any]]) -> None:
    rows = [scored(n, 0.5, account=name, date=day) for n, (name, day) in enumerate(facts)]
    path = tmp_path / "hostile.jsonl"
    path.write_text(
        "".join(json.dumps(row) + "\n" for row in [*rows, scored(500, 0.1, account="one")]), "utf-8"
    )
    for output in (tmp_path / "out.jsonl", tmp_path / "out.csv"):
        summary = accounts_file(path, output)
        assert summary.posts + summary.nameless == len(rows) + 1
    found = read(tmp_path / "out.jsonl")
    assert sum(row["posts"]["given"] for row in found.values()) == summary.posts
    assert all(name == name.strip() for name in found)


def test_numbers_that_are_no_name_are_left_out(tmp_path: Path) -> None:
    rows = [scored(n, 1.0, account=name) for n, name in enumerate([math.nan, 12.0, 12, None, " ", "12 "])]
    path = tmp_path / "scores.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    (found,) = checker.accounts(path)
    assert (found.account, found.posts.given) == ("12", 3)


def test_broken_rows_are_named_and_the_rest_is_judged(tmp_path: Path) -> None:
    path = scores(tmp_path)
    lines = path.read_text("utf-8").splitlines()
    wrong = json.dumps(scored(700, 1.0, account="machine") | {"machine_translated": 3})
    unread = '{"id": "x", "row": 3, "field": null, "error": "bad", "fix": "mend it", "account": "machine"}'
    path.write_text("\n".join([*lines, "{torn", wrong, unread]), "utf-8")
    summary = accounts_file(path, tmp_path / "out.jsonl")
    assert (summary.unread, len(summary.first_unread)) == (3, 3)
    assert read(tmp_path / "out.jsonl")["machine"]["posts"]["given"] == 12


@given(
    st.builds(
        AccountPost,
        id=st.text(),
        row=st.integers(1, 10**9),
        machine=st.none() | st.floats(-9, 9),
        translated=st.none() | st.floats(-9, 9),
        rudimentary=st.none() | st.floats(-9, 9),
        language=st.none() | st.sampled_from(["ru", "uk"]),
        day=st.none() | st.dates(),
        text=st.none() | st.text(st.characters(codec="utf-8")),
        print=st.none() | st.builds(fingerprint, st.text(st.characters(codec="utf-8"), min_size=1)),
        calibration=st.none() | st.just("own.json@1"),
        version=st.none() | st.just(__version__),
        technical=st.booleans(),
    )
)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_post_comes_back_as_it_was_kept(tmp_path: Path, post: AccountPost) -> None:
    with Grouped(tmp_path) as grouped:
        grouped.add("a", post)
        assert list(grouped.accounts()) == [("a", 1, [post])]


def test_an_account_of_many_posts_is_drawn_from(tmp_path: Path) -> None:
    with Grouped(tmp_path) as grouped:
        for n in range(300):
            grouped.add("a", AccountPost(id=str(n), row=n + 1, machine=1.0))
        grouped.add("b", manual := AccountPost(id="b", row=1, machine=None, technical=True))
        accounts = list(grouped.accounts(most=100))
    found = [(name, given, len(posts)) for name, given, posts in accounts]
    assert accounts[1][2] == [manual]
    assert found == [("a", 300, 100), ("b", 1, 1)]
    assert not list(tmp_path.iterdir())


def test_memory_does_not_grow_with_the_posts(tmp_path: Path) -> None:
    def peak(count: int) -> int:
        tracemalloc.start()
        with Grouped(tmp_path) as grouped:
            for n in range(count):
                grouped.add(f"a{n // 5}", AccountPost(id=str(n), row=n + 1, machine=1.0, text="x" * 200))
            assert sum(given for _, given, _ in grouped.accounts()) == count
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak

    assert peak(20_000) < 2**20 > peak(4_000)


def test_a_run_that_is_killed_leaves_no_posts_behind(tmp_path: Path) -> None:
    with Grouped(tmp_path) as grouped:
        for n in range(3000):
            grouped.add(f"a{n % 7}", AccountPost(id=str(n), row=n + 1, machine=1.0, text="x" * 200))
        assert os.name == "nt" or not list(tmp_path.iterdir())
        assert grouped.count() == 7
        assert next((name, given) for name, given, _ in grouped.accounts()) == ("a0", 429)


def test_reading_and_judging_report_their_progress(tmp_path: Path) -> None:
    rows = [scored(n, 1.0, account=f"a{n % 150}") for n in range(310)]
    seen: dict[str, list[tuple[int, int | None]]] = {"read": [], "judged": []}
    accounts_file(
        write(tmp_path / "s.jsonl", rows), tmp_path / "out.jsonl",
        on_read=lambda *at: seen["read"].append(at), on_judged=lambda *at: seen["judged"].append(at),
    )  # fmt: skip
    assert seen["read"] == [(100, None), (200, None), (300, None), (310, 310)]
    assert seen["judged"] == [(100, 150), (150, 150)]


POSTS = [
    ("Ремонт моста у старой мельницы закончат к середине осени, обещали в городе.", "town"),
    ("Школьный автобус теперь ходит каждые двадцать минут и заезжает в порт.", "town"),
    ("На площади открыли небольшой музей часов, вход туда свободный.", "harbour"),
    ("Рыбаки вернулись в гавань раньше обычного из-за сильного ветра.", "harbour"),
    ("ok", "harbour"),
]


def posts(path: Path) -> Path:
    rows = [{"id": f"p{n}", "text": body, "account": name} for n, (body, name) in enumerate(POSTS)]
    return write(path / "posts.jsonl", [*rows, {"id": "nobody's", "text": POSTS[0][0]}])


def test_posts_are_scored_first(tmp_path: Path) -> None:
    output, kept = tmp_path / "accounts.jsonl", tmp_path / "kept.jsonl"
    accounts_file(posts(tmp_path), output, settings=FAST, save_scores=kept)
    found = read(output)
    assert {name: (row["posts"]["given"], row["posts"]["scored"]) for name, row in found.items()} == {
        "town": (2, 2), "harbour": (3, 2),
    }  # fmt: skip
    assert len(kept.read_text("utf-8").splitlines()) == 6
    kept.unlink()
    once = output.read_bytes()
    accounts_file(posts(tmp_path), output, settings=FAST)
    assert output.read_bytes() == once
    assert sorted(path.name for path in tmp_path.iterdir()) == ["accounts.jsonl", "posts.jsonl"]


def test_an_interrupted_run_is_resumed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source, output = posts(tmp_path), tmp_path / "accounts.jsonl"
    seen: list[int] = []

    def stop(done: int, total: int | None) -> None:
        seen.append(done)
        if done:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        accounts_file(source, output, settings=FAST, on_progress=stop)
    assert not output.exists()
    accounts_file(source, output, settings=FAST, on_progress=lambda done, total: seen.append(done))
    assert seen == [0, 6, 6]
    assert len(read(output)) == 2


def test_a_file_without_accounts_is_refused_before_it_is_scored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs, "score_file", lambda *_, **__: pytest.fail("it was scored"))
    with pytest.raises(InputError, match=r"'user'.*--by"):
        accounts_file(posts(tmp_path), tmp_path / "out.jsonl", choice=Choice(by="user"))
    (tmp_path / "posts.txt").write_text("a post\n")
    with pytest.raises(InputError, match="no column"):
        accounts_file(tmp_path / "posts.txt", tmp_path / "out.jsonl")


def run(*arguments: object, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "checker", "accounts", *map(str, arguments)]
    return subprocess.run(command, input=stdin, capture_output=True, text=True, check=False)


def test_the_command_end_to_end(tmp_path: Path) -> None:
    fast = ("--no-round-trip", "--no-fluency", "--no-cache")
    done = run(posts(tmp_path), "-o", tmp_path / "out.csv", *fast)
    assert done.returncode == 0, done.stderr
    assert "2 accounts, 5 posts" in done.stderr
    assert "Left out: 1 posts without a value in the column 'account'" in done.stderr
    assert "harbour" in done.stdout
    piped = run("-", *fast, stdin=(tmp_path / "posts.jsonl").read_text("utf-8"))
    assert piped.returncode == 0, piped.stderr
    assert {json.loads(line)["account"] for line in piped.stdout.splitlines()} == {"town", "harbour"}


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("--since", "yesterday"), "--since is no date"),
        (("--since", "2026-02-01", "--until", "2026-01-01"), "--until is before --since"),
        (("--address", "127.0.0.1:9"), "--address is for Ray"),
        (("--by", "user"), "'user'"),
    ],
)
def test_mistakes_of_the_command_are_one_line(
    tmp_path: Path, arguments: tuple[str, ...], problem: str
) -> None:
    done = run(posts(tmp_path), *arguments)
    assert done.returncode == 2
    assert problem in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_the_page_shows_accounts_and_runs_nothing(tmp_path: Path) -> None:
    path, page = scores(tmp_path), tmp_path / "accounts.html"
    rows = [scored(800 + n, 0.5, account="<script>alert(1)</script>\u202e") for n in range(3)]
    path.write_text(path.read_text("utf-8") + "".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    accounts_page(collected(checker.accounts(path)), page)
    source = page.read_text("utf-8")
    assert "<script" not in source
    assert "\u202e" not in source
    for said in (
        "machine: machine-translated",
        "Over time",
        "writes differently from 2025-05-31 on",
        text(0)[:40],
    ):
        assert said in re.sub(r"</?bdi[^>]*>", "", source), said
    accounts_page(collected(checker.accounts(path)), tmp_path / "again.html")
    assert (tmp_path / "again.html").read_bytes() == page.read_bytes()
    assert [one.account for one in collected(checker.accounts(path), 2).accounts] == ["turning", "human"]


def test_the_report_judges_the_accounts_of_a_file_that_has_them(tmp_path: Path) -> None:
    checker.report(scores(tmp_path), tmp_path / "report.html")
    source = (tmp_path / "report.html").read_text("utf-8")
    assert "Each account judged by all of its posts" in source
    assert "writes differently from 2025-05-31 on" in source


@pytest.fixture
def partitions(tmp_path: Path) -> Path:
    """The accounts of `scores`, in no order, as a directory: a table, lines, and a file without rows."""
    rows = [json.loads(line) for line in scores(tmp_path).read_text("utf-8").splitlines()]
    np.random.default_rng(1).shuffle(rows)
    folder = tmp_path / "in"
    (folder / "days").mkdir(parents=True)
    body = [
        {
            "id": row["id"],
            "text": row["sentences"][0]["text"],
            "user": row.get("account"),
            "date": row.get("date"),
        }
        for row in rows
    ]
    pq.write_table(pa.Table.from_pylist(body[:20]), folder / "days" / "first.parquet")
    write(folder / "rest.jsonl", body[20:])
    write(folder / "none.jsonl", [])
    return folder


def scores_of(source: Path, target: Path, known: Path) -> None:
    """What Ray leaves: a table of scores for each partition."""
    by_id = {row["id"]: row for row in map(json.loads, known.read_text("utf-8").splitlines())}
    for name, path in find(source.resolve(), target.resolve()).items():
        table = path.suffix == ".parquet"
        posts = pq.read_table(path).to_pylist() if table else map(json.loads, path.open(encoding="utf-8"))
        done = [{k: v for k, v in by_id[p["id"]].items() if k not in ("account", "date")} for p in posts]
        result = (target / name).with_suffix(".parquet")
        result.parent.mkdir(parents=True, exist_ok=True)
        write_scores(map(json.dumps, done), result)


def test_partitions_are_aggregated_here(
    tmp_path: Path, partitions: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def score_directory(source: Path, target: Path, *_: object, **__: object) -> None:
        scores_of(source, target, tmp_path / "scores.jsonl")

    monkeypatch.setattr(runs, "score_directory", score_directory)
    output, local = tmp_path / "there.jsonl", tmp_path / "here.jsonl"
    summary = accounts_file(partitions, output, runner="ray", choice=Choice(by="user"))
    accounts_file(tmp_path / "scores.jsonl", local)
    there, here = read(output), read(local)
    for one in (*there.values(), *here.values()):
        for post in (*one["loudest_for"], *one["loudest_against"]):
            del post["row"]  # of its partition
    assert there == here
    assert (summary.accounts, summary.posts, summary.nameless, summary.unread) == (3, 54, 1, 0)
    assert not list(tmp_path.glob("there.jsonl.scores*"))


def test_partitions_without_accounts_are_refused_before_they_are_scored(
    tmp_path: Path, partitions: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs, "score_directory", lambda *_, **__: pytest.fail("it was scored"))
    with pytest.raises(InputError, match=r"first\.parquet has no column 'channel'"):
        accounts_file(partitions, tmp_path / "out.jsonl", runner="ray", choice=Choice(by="channel"))
    (partitions / "days" / "first.parquet").unlink()
    with pytest.raises(InputError, match=r"No row of .*in has a value in the column 'channel'.*--by"):
        accounts_file(partitions, tmp_path / "out.jsonl", runner="ray", choice=Choice(by="channel"))


@pytest.mark.slow
def test_accounts_on_ray_are_those_of_the_local_run(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    source = posts(tmp_path)
    local, there = tmp_path / "local.jsonl", tmp_path / "ray.jsonl"
    accounts_file(source, local, settings=FAST)
    rows = [json.loads(line) for line in source.open(encoding="utf-8")]
    pq.write_table(pa.Table.from_pylist(rows[::2]), folder / "day.parquet")
    write(folder / "other.jsonl", rows[1::2])
    write(folder / "quiet.jsonl", [])
    accounts_file(folder, there, settings=FAST, runner="ray", workers=1)
    found, known = read(there), read(local)
    for one in (*found.values(), *known.values()):
        for post in (*one["loudest_for"], *one["loudest_against"]):
            del post["row"]
    assert found == known
    assert not list(tmp_path.glob("*.scores"))


# Measuring


@pytest.fixture
def labelled(tmp_path: Path) -> Callable[..., Path]:
    def make(accounts: int = 12, size: int = 10) -> Path:
        rows = []
        for number in range(3 * accounts):
            kind = ("native", "translated", "machine")[number % 3]
            for n in range(size):
                row = scored(1000 * number + n, 2.0 if kind == "machine" else -1.0, user=f"u{number}")
                origin = {"native": "original", "translated": "translated"}.get(kind)
                label = "machine" if kind == "machine" else "human"
                rows.append(row | {"label": label, "origin": origin, "text": text(1000 * number + n)})
        rows[0] |= {"label": "machine", "origin": None}
        return write(tmp_path / "labelled.jsonl", rows)

    return make


def test_accounts_are_measured_against_their_labels(labelled: Callable[..., Path]) -> None:
    found = evaluate_accounts_file(labelled(), by="user", resamples=100)
    assert found.left_out == {"mixed": 1, "posts": 0}
    assert found.overall.accounts == {"native": 11, "translated": 12, "machine": 12}
    assert found.overall.machine_flagged.value == 1.0
    assert found.overall.native_flagged.value == 0.0
    assert found.overall.auc_translated is not None
    assert found.overall.auc_translated.value == 1.0
    assert [size.name for size in found.sizes] == ["10–19"]
    assert [language.name for language in found.languages] == ["ru"]


def test_posts_that_read_like_documentation_do_not_count_in_a_measurement(
    labelled: Callable[..., Path],
) -> None:
    path = labelled()
    rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    for n, row in enumerate(rows):
        row["warnings"] = [{"code": "technical", "text": "A manual."}] if n % 10 < 6 else []
    found = evaluate_accounts_file(write(path, rows), by="user", resamples=100)
    assert [size.name for size in found.sizes] == ["3–4"]


def test_too_few_accounts_give_no_share(labelled: Callable[..., Path]) -> None:
    found = evaluate_accounts_file(labelled(accounts=3), by="user", resamples=100)
    assert found.overall.machine_flagged.value is None
    assert found.overall.machine_flagged.posts == 3
    with pytest.raises(InputError, match="--by"):
        evaluate_accounts_file(labelled(accounts=3), by="channel")
    with pytest.raises(InputError, match="--by"):
        evaluate_accounts([], "user")


def test_the_measurement_is_a_command(labelled: Callable[..., Path], tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "checker",
        "evaluate",
        str(labelled()),
        "--by",
        "user",
        "--bootstrap",
        "100",
    ]
    done = subprocess.run(
        [*command, "--json", str(tmp_path / "a.json")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "10–19 posts" in done.stdout
    assert json.loads((tmp_path / "a.json").read_text("utf-8"))["by"] == "user"


def test_the_checker_makes_posts_that_can_be_combined(checker: Checker) -> None:
    result = checker.score(POSTS[0][0])
    post = AccountPost.of(result, 7, date(2026, 1, 1))
    assert (post.id, post.row, post.day) == ("1", 7, date(2026, 1, 1))
    assert post.text == POSTS[0][0]
    assert post.machine is not None
    assert post.print is not None
