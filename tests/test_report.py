"""The report: every number is that of its input, no text of a post gets out of its box, the bytes stay."""

from __future__ import annotations

import json
import os
import random
import re
import tracemalloc
from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.csv
import pyarrow.parquet
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import UndefinedError
from test_cli import EXAMPLES, REAL, run
from test_evaluation import Page

from checker.errors import InputError
from checker.evidence import style
from checker.io.outcomes import Columns, Row, day_of, read
from checker.io.write import write
from checker.models import Store
from checker.models.lock import sha256
from checker.pages import html, plots, post
from checker.pages.provenance import Origin, files, used
from checker.pages.rates import Measured, Rate, measured
from checker.pages.report import Report, page
from checker.pages.summary import BINS, Contents, contents
from checker.pipeline import Checker
from checker.result import (
    Difference,
    Language,
    Place,
    Reason,
    Result,
    RowError,
    Sentence,
    Verdict,
    Warning,
    Word,
)
from checker.statistics import rate_interval
from checker.text import percent
from checker.verdict.advice import MEANINGS
from checker.verdict.file import read as read_calibration
from checker.verdict.marks import back_runs, runs
from checker.version import __version__

MODELS = {"profile": "embedded", "style": f"embedded/style-ru@{style.REVISION}"}
SHIPPED = Path(__file__).parents[1] / "models" / "embedded" / "verdict.json"


def result(id: str = "1", probability: float | None = 0.5, **fields: Any) -> Result:
    """A result in Russian."""
    verdict: Verdict = "not_scored" if probability is None else "uncertain"
    if probability is not None and not 0.1 < probability < 0.9:
        verdict = "machine_translated" if probability > 0.5 else "human_written"
    known: dict[str, Any] = {
        "language": Language(code="ru", confidence=1), "models": MODELS, "version": __version__,
        "sentences": (sentence("Покиньте район."),),
    }  # fmt: skip
    return Result(id=id, verdict=verdict, machine_translated=probability, **known | fields)


def sentence(text: str, **fields: Any) -> Sentence:
    known = {"start": 0, "end": len(text), "language": "ru", "machine_translated": 0.5}
    return Sentence(text=text, **known | fields)


def scores(folder: Path, *outcomes: Result | RowError, name: str = "scores.jsonl") -> Path:
    path = folder / name
    write((outcome.to_json() for outcome in outcomes), path)
    return path


def made(found: Contents, own: Path | None = None, date: str | None = None) -> str:
    """The page of some contents."""
    store = Store()
    rates = measured(found.judged, store, own)
    origin = Origin(
        "checker report scores.jsonl -o report.html", {"scores": ("scores.jsonl", "0" * 64)}, date
    )
    return page(Report(found, rates, used(found.counts.models, store, rates.shipped), origin))


def made_of(*results: Result) -> str:
    return made(contents(Row(number, one) for number, one in enumerate(results, 1)))


def plain(source: str) -> str:
    """The words of a page."""
    return " ".join(re.sub(r"<[^>]+>", " ", source).replace("&nbsp;", " ").replace("\u00a0", " ").split())


# From end to end


@pytest.fixture(scope="module")
def examples(checker: Checker, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The scores of examples/posts.jsonl."""
    posts = [json.loads(line) for line in EXAMPLES.read_text("utf-8").splitlines()]
    found = checker.score_many([post["text"] for post in posts], [post["id"] for post in posts])
    return scores(tmp_path_factory.mktemp("report"), *found)


def test_the_examples_end_to_end(examples: Path) -> None:
    output = examples.with_name("report.html")
    done = run("report", examples, "-o", output, "--date", "2026-11-23", command=REAL)
    assert done.returncode == 0, done.stderr
    source = output.read_text("utf-8")
    parsed, said = Page(source), plain(source)
    assert all(address.startswith("#") for address in parsed.addresses)
    assert not parsed.tags & {"script", "link", "img", "iframe", "object"}
    assert set(re.findall(r"https?://[^\s\"'<]+", source)) <= {
        "http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink", "https://example.org/rozklad.",
    }  # fmt: skip
    assert not re.search(r"url\((?!#)|@import|<[^>]*\son\w+=", source)
    headings = re.findall(r"<h2>(.*?)</h2>", source)
    assert headings == [
        "Summary", "Read this first", "Contents", "Probabilities", "By language",
        "How often such verdicts were wrong",
        "The most suspicious posts", "The least suspicious posts", "How the verdict is made",
        "What it cannot tell", "Where this report comes from",
    ]  # fmt: skip
    assert "Date: 2026-11-23" in said
    assert sha256(examples) in source
    assert f"checker report {examples} -o {output} --date 2026-11-23" in said
    for digest in Store().digests("embedded").items():
        assert (
            digest[0] in ("registry.toml", "quality.json", "accounts.json")
            or digest[0].endswith(".npz")
            or digest[1] in source
        )
    shown = [json.loads(line)["id"] for line in EXAMPLES.read_text("utf-8").splitlines()][:-1]
    assert sorted(re.findall(r'<h3>\d+\. <bdi dir="auto">(.*?)</bdi>', source)) == sorted(shown)
    for language in ("fa", "ar", "ru", "zh"):
        assert f'<bdi class="text" dir="auto" lang="{language}">' in source
    again = run("report", examples, "-o", output, "--date", "2026-11-23", command=REAL)
    assert again.returncode == 0
    assert output.read_text("utf-8") == source


def test_every_format_of_scores_gives_the_same_figures(examples: Path, tmp_path: Path) -> None:
    lines = examples.read_text("utf-8").splitlines()
    posts = len(lines)
    lines.append(RowError(id="bad", row=posts + 1, field="text", error="None.", fix="Add it.").to_json())
    pages = {}
    for suffix in (".jsonl", ".parquet", ".csv", ".tsv"):
        path = tmp_path / f"scores{suffix}"
        write(lines, path)
        found = contents(read(path, Columns()))
        assert (found.counts.rows, found.counts.errors, found.unread) == (posts + 1, 1, 0)
        pages[suffix] = made(found)
    assert pages[".parquet"] == pages[".jsonl"]
    assert pages[".csv"] == pages[".tsv"]
    first = "<h2>The most suspicious posts</h2>"
    assert pages[".csv"].partition(first)[0] == pages[".jsonl"].partition(first)[0]
    assert "A table of scores has no sentences" in pages[".csv"]
    assert "A table of scores has no sentences" not in pages[".jsonl"]


# Hostile posts

HOSTILE = '</bdi><script>alert(1)</script><b onclick="x">&amp;\u202e\x1b[31m\x00\u2066" \' {0} %s'


def test_nothing_of_an_input_is_markup_or_control() -> None:
    one = sentence(
        HOSTILE,
        pivot_text=HOSTILE,
        back_translation=HOSTILE,
        pivot=HOSTILE,
        differences=(Difference(start=2, end=9, back_translation="script", back_start=3, back_end=9),),
        words=(Word(start=4, end=12, weight=0.5), Word(start=0, end=99999, weight=1)),
    )
    hostile = result(
        HOSTILE,
        sentences=(one,),
        reasons=(Reason(kind="style", text=HOSTILE), Reason(kind="threshold", text=HOSTILE)),
        warnings=(Warning(code="truncated", text=HOSTILE),),
        models={"profile": HOSTILE, "style": HOSTILE, "calibration": HOSTILE},
        version=HOSTILE,
        language=Language(code=HOSTILE, confidence=1),
    )
    found = contents([Row(1, hostile, HOSTILE, date(2026, 5, 1)), Row(2, result("2"))])
    source = made(found, date=HOSTILE)
    parsed = Page(source)
    assert not parsed.tags & {"script", "b"}
    assert "onclick" in source
    assert not re.search(r"<[^>]*\sonclick", source)
    assert not set(source) & set("\u202e\u2066\x1b\x00")
    assert HOSTILE[:5] not in re.sub(r"<bdi[^>]*>.*?</bdi>", "", source, flags=re.DOTALL)
    assert 'lang="&lt' not in source


def test_lone_surrogates_of_a_column_do_not_reach_the_file(tmp_path: Path) -> None:
    path = scores(tmp_path, result())
    row = json.loads(path.read_text())
    path.write_text(json.dumps(row | {"account": "a\ud800b"}))
    source = made(contents(read(path, Columns())))
    assert "a\ufffdb" in source
    source.encode()


def test_a_huge_post_is_cut_with_a_note() -> None:
    long = sentence("Слово. " * 10_000, words=(Word(start=0, end=5, weight=1.0),))
    source = made_of(result("x" * 500, sentences=(long,) * 40), result("2"))
    assert len(source) < 150_000
    assert source.count("(cut: the text is longer)") == post.SENTENCES
    assert f"{40 - post.SENTENCES} more sentences are not shown here." in source
    assert f"{'x' * html.LABEL}…" in source
    assert "x" * (html.LABEL + 1) not in source
    Page(source)


spans = st.integers(0, 30)


@given(
    st.text(max_size=25),
    st.lists(st.tuples(spans, spans, st.floats(-1, 1)), max_size=5),
    st.lists(st.tuples(spans, spans, spans, spans), max_size=5),
    st.text(max_size=25),
)
def test_cutting_a_sentence_loses_nothing(
    text: str, words: list[tuple[int, int, float]], lost: list[tuple[int, int, int, int]], back: str
) -> None:
    """Whatever the offsets are: a file of scores may have been edited."""
    one = Sentence.model_construct(
        text=text, start=3, end=3 + len(text), back_translation=back,
        words=tuple(Word(start=a, end=b, weight=w) for a, b, w in words),
        differences=tuple(
            Difference(start=a, end=b, back_translation="", back_start=c, back_end=d) for a, b, c, d in lost
        ),
    )  # fmt: skip
    assert "".join(run.text for run in runs(one)) == text
    assert "".join(run.text for run in back_runs(one)) == back


def test_words_and_differences_are_where_they_belong() -> None:
    """By offsets on both sides: the back-translation has the same words twice, and one that was added."""
    one = sentence(
        "эвакуируйте себя сейчас", start=5, end=28, pivot="en",
        pivot_text="leave now", back_translation="уходите же сейчас, уходите же",
        words=(Word(start=5, end=16, weight=0.4), Word(start=17, end=21, weight=-0.2)),
        broken=(Place(start=22, end=28), Place(start=90, end=99)),
        differences=(
            Difference(start=5, end=21, back_translation="уходите же", back_start=0, back_end=10),
            Difference(start=28, end=28, back_translation="же", back_start=27, back_end=29),
        ),
    )  # fmt: skip
    assert runs(one) == [
        ("эвакуируйте", 0.4, True, False),
        (" ", 0.0, True, False),
        ("себя", -0.2, True, False),
        (" ", 0.0, False, False),
        ("сейчас", 0.0, False, True),
    ]
    assert back_runs(one) == [
        ("уходите же", 0.0, True, False),
        (" сейчас, уходите ", 0.0, False, False),
        ("же", 0.0, True, False),
    ]
    source = made_of(result(sentences=(one,)), result("2"))
    share = "+0.40 of the log-odds of the sentence"
    assert f'<u><mark class="m" title="{share}">эвакуируйте</mark></u><u> </u>' in source
    assert "<i>сейчас</i></bdi>" in source
    assert "<u>уходите же</u> сейчас, уходите <u>же</u></bdi>" in source


def test_a_translation_is_in_the_pivot_of_its_sentence() -> None:
    """Sentences of a mixed post are not translated into the same language."""
    mixed = result(
        sentences=(
            sentence("Покиньте район.", pivot="en", pivot_text="Leave the area."),
            sentence("Leave the area.", language="en", pivot="ru", pivot_text="Покиньте район."),
        )
    )
    source = made_of(mixed, result("2"))
    assert re.findall(r"<dt>in (.*?)</dt>", source) == ["English", "Russian"]
    assert '<bdi class="text" dir="auto" lang="ru">Покиньте район.</bdi></dd>' in source


def test_what_a_probability_means_stands_beside_it_and_evidence_apart_from_error_rates() -> None:
    one = result(
        probability=0.38,
        reasons=(
            Reason(kind="style", text="Why it is so."),
            Reason(kind="threshold", text="How often it is wrong."),
        ),
        warnings=(Warning(code="truncated", text="What limits it."),),
    )
    source = made_of(one, result("2", 0.2))
    said = plain(source)
    assert "Cannot tell: the evidence does not decide. Translated by a machine: 38 in 100 posts like" in said
    assert "<h4>How often this is wrong</h4><ul><li>How often it is wrong.</li></ul>" in source
    assert said.partition("The most suspicious")[2].count("38 in 100") == 1  # no figure twice
    assert "<h4>Why</h4><ul><li>Why it is so.</li></ul>" in source
    assert "<h4>Warnings</h4><ul><li>What limits it.</li></ul>" in source


def test_the_summary_comes_first_and_leads_to_the_rest() -> None:
    source = made_of(result("1", 0.95), result("2"), result("3", None))
    said = plain(source)
    finding = "Of 2 posts that were scored, 1 is called machine-translated; of 1 the tool cannot tell."
    assert said.index(finding) < said.index("What to do next") < said.index("Read this first")
    there = set(re.findall(r'<section id="(\w+)"', source))
    addresses = re.findall(r'<li><a href="#(\w+)">', source)
    assert len(addresses) > 5
    assert set(addresses) <= there
    assert all(meaning in said for meaning in MEANINGS.values())


def test_only_flagged_posts_are_shown_on_demand() -> None:
    rows = [Row(n, result(f"post-{n}", p)) for n, p in enumerate((0.95, 0.5, 0.99, 0.0, 0.97), 1)]
    found = contents(rows, 2, flagged_only=True)
    assert [one.id for _, one in found.most] == ["post-3", "post-5"]
    assert found.least == []
    said = plain(made(found))
    assert "2 of 3 are shown." in said
    assert "post-2" not in said
    assert "The least suspicious posts" not in said
    assert found.counts.verdicts.total() == 5  # all are counted


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_the_text_of_posts_is_shown_where_the_scores_have_none(tmp_path: Path, suffix: str) -> None:
    path = scores(tmp_path, result("1"), result("2"), name="scores.csv")
    posts = tmp_path / f"posts{suffix}"
    table = pyarrow.table({"id": ["1", "2"], "body": ["Покиньте <b>район</b>.", "Паром не ходит."]})
    (pyarrow.csv.write_csv if suffix == ".csv" else pyarrow.parquet.write_table)(table, posts)
    done = run("report", path, "-o", tmp_path / "r.html", "--posts", posts, "--text-column", "body")
    assert done.returncode == 0, done.stderr
    source = (tmp_path / "r.html").read_text("utf-8")
    assert 'lang="ru">Покиньте &lt;b&gt;район&lt;/b&gt;.</bdi>' in source
    assert "A table of scores has no sentences" not in source


# Counting


@given(st.lists(st.one_of(st.none(), st.integers(0, 4).map(lambda n: n / 4)), max_size=30), st.integers(0, 8))
def test_most_and_least_are_those_of_sorting_all(probabilities: list[float | None], shown: int) -> None:
    rows = [Row(n, result(str(n), p)) for n, p in enumerate(probabilities, 1)]
    found = contents(rows, shown)
    ranked = sorted(
        (row for row in rows if row.outcome.machine_translated is not None),  # type: ignore[union-attr]
        key=lambda row: -row.outcome.machine_translated,  # type: ignore[union-attr, operator]
    )
    half = (len(ranked) + 1) // 2
    assert [row for row, _ in found.most] == ranked[: min(shown, half)]
    assert [row for row, _ in found.least] == ranked[::-1][: min(shown, len(ranked) - half)]


def test_counts() -> None:
    rows = [
        Row(1, result("1", 0.95), "@a", date(2026, 1, 31)),
        Row(2, result("2", 1.0), "@a", date(2026, 3, 1)),
        Row(3, result("3", 0.0), "@b"),
        Row(4, result("4", None, language=Language(code=None, confidence=0)), None, date(2026, 3, 9)),
        Row(5, RowError(id="5", row=5, field=None, error="e", fix="f"), "@c"),
    ]
    found = contents(rows)
    assert (found.counts.rows, found.counts.errors, found.with_probability) == (5, 1, 3)
    assert found.histogram["machine_translated"] == [0] * (BINS - 1) + [2]
    assert found.histogram["human_written"] == [1] + [0] * (BINS - 1)
    assert found.languages == {"ru": {"machine_translated": 2, "human_written": 1}, "?": {"not_scored": 1}}
    assert found.accounts == {"@a": {"machine_translated": 2}, "@b": {"human_written": 1}}
    source = plain(made(found))
    assert "2026-01 1 1 0 0 0 0 0 2026-03 2 1 0 0 0 0 1" in source
    assert "Posts with no known account: 1." in source
    assert "Posts with no known date: 1." in source
    assert "not identified 1 0 0 0 0 0 1" in source
    assert "unreadable rows of the input 1" in source


def test_a_rudimentary_post_is_listed_by_the_probability_of_that() -> None:
    clumsy = result("clumsy", 0.3).model_copy(update={"verdict": "rudimentary", "rudimentary": 0.99})
    plain = result("plain", 0.3).model_copy(update={"rudimentary": 0.9})
    found = contents(
        Row(n, one) for n, one in enumerate((plain, result("sure", 0.8), clumsy, result("low", 0.1)), 1)
    )
    assert [row.outcome.id for row, _ in found.most] == ["clumsy", "sure"]
    assert [row.outcome.id for row, _ in found.least] == ["low", "plain"]
    assert (clumsy.suspicion, plain.suspicion) == (0.99, 0.3)
    assert [row.outcome.id for row, _ in contents([Row(1, clumsy)], flagged_only=True).most] == ["clumsy"]


def test_it_says_of_which_verdict_the_error_rates_are(tmp_path: Path) -> None:
    clumsy = result("clumsy", 0.3).model_copy(update={"verdict": "rudimentary", "rudimentary": 0.99})
    said = "are of the verdict machine-translated"
    assert said in plain(made(contents([Row(1, clumsy)])))
    assert said not in plain(made(contents([Row(1, result("sure", 0.95))])))


def test_accounts_are_ordered_by_posts_and_cut() -> None:
    rows = [Row(n, result(str(n)), f"@{n % 40:02}") for n in range(1, 100)]
    source = plain(made(contents(rows)))
    assert "By account account posts" in source
    assert "@01 3 0 0 0 0 3 0 @02 3" in source
    assert "10 more 20 0 0% 0 0% 0 0% 0 0% 20 100% 0 0%" in source
    assert "@39" not in source.partition("The most suspicious")[0]


def test_memory_does_not_grow_with_the_rows() -> None:
    one = result(sentences=(sentence("Покиньте район. " * 50),) * 20)

    def rows(count: int) -> Iterator[Row]:
        chance = random.Random(0)
        for number in range(count):
            yield Row(
                number, one.model_copy(update={"id": str(number), "machine_translated": chance.random()})
            )

    peaks = []
    for count in (200, 20_000):
        tracemalloc.start()
        contents(rows(count))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] + 200_000


# Reading


def test_account_and_date_come_from_the_posts(tmp_path: Path) -> None:
    path = scores(
        tmp_path, result("=1"), RowError(id="2", row=2, field="text", error="e", fix="f"), result("c"),
        name="scores.csv",
    )  # fmt: skip
    posts = tmp_path / "posts.csv"
    posts.write_text("id,text,who,when\n=1,x,@a,2026-02-03T10:00:00Z\n2,,@b,\nc,z,,soon\n")
    rows = list(read(path, Columns("who", "when"), posts))
    assert [(row.account, row.day) for row in rows if isinstance(row, Row)] == [
        ("@a", date(2026, 2, 3)), ("@b", None), (None, None),
    ]  # fmt: skip
    assert [row for row in read(path, Columns(), posts) if isinstance(row, Row) and row.account] == []


def test_columns_of_the_scores_themselves(tmp_path: Path) -> None:
    path = scores(tmp_path, result())
    row = json.loads(path.read_text())
    path.write_text(json.dumps(row | {"account": 77, "date": "2026-05-06", "label": "human"}))
    assert [(row.account, row.day) for row in read(path, Columns()) if isinstance(row, Row)] == [
        ("77", date(2026, 5, 6))
    ]
    assert "By account" in made(contents(read(path, Columns())))
    assert "By account" not in made(contents(read(path, Columns(account="who"))))


@pytest.mark.parametrize("option", ["--account-column", "--date-column"])
def test_a_column_that_was_named_and_is_nowhere(tmp_path: Path, option: str) -> None:
    done = run("report", scores(tmp_path, result()), "-o", tmp_path / "a.html", option, "who", command=REAL)
    assert done.returncode == 2
    assert "in 'who'. Check " + option in done.stderr


@pytest.mark.parametrize(
    ("given", "day"),
    [
        ("2026-02-03", date(2026, 2, 3)),
        (" 2026-02-03 10:00", date(2026, 2, 3)),
        (datetime(2026, 2, 3, 23, 59), date(2026, 2, 3)),
        (date(2026, 2, 3), date(2026, 2, 3)),
        ("0001-01-01", None),
        ("9999-12-31", None),
        ("3 February", None),
        ("", None),
        (17, None),
        (None, None),
    ],
)
def test_days(given: object, day: date | None) -> None:
    assert day_of(given) == day


@pytest.mark.parametrize(
    ("posts", "problem"),
    [
        ("id,account\na,x\n", "--posts has fewer rows than the scores"),
        ("id,account\na,x\nb,x\nc,x\n", "--posts has more rows than the scores"),
        ("id,account\na,x\nother,x\n", "The id is 'b' in the scores and 'other' in --posts."),
    ],
)
def test_posts_that_were_not_scored_are_a_mistake(tmp_path: Path, posts: str, problem: str) -> None:
    path = scores(tmp_path, result("a"), result("b"))
    (tmp_path / "posts.csv").write_text(posts)
    with pytest.raises(InputError, match=re.escape(problem)):
        list(read(path, Columns(), tmp_path / "posts.csv"))
    with pytest.raises(InputError, match=r"no column 'who'.*Use --account-column"):
        read(path, Columns("who"), tmp_path / "posts.csv")


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        (
            "a.jsonl",
            '{"id": "1", "text": "post"}\n',
            "row 1: field 'verdict': .* is no file of scores. There is no",
        ),
        ("a.jsonl", "[1]\n", "is no file of scores. The line is a list"),
        ("a.jsonl", '{"verdict": "fake", "id": "1"}\n', "field 'verdict': .* no file of scores"),
        ("a.jsonl", "", "has no rows"),
        ("a.csv", "id,text\n1,post\n", "is no file of scores. There is no verdict"),
        ("a.csv", "id,verdict,models\n1,uncertain,{\n", "field 'models': .* It is not JSON"),
        ("a.txt", "post\n", "is no file of scores. Use .jsonl"),
        ("a.sqlite", "", "is no file of scores. Use .jsonl"),
    ],
)
def test_a_file_that_is_none_of_scores(tmp_path: Path, name: str, content: str, problem: str) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(InputError, match=problem):
        list(read(tmp_path / name, Columns()))
    done = run("report", tmp_path / name, "-o", tmp_path / "report.html", command=REAL)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "report.html").exists()


def test_a_row_that_holds_no_score_is_named_and_left_out(tmp_path: Path) -> None:
    path = scores(tmp_path, result("1"), result("2"))
    path.write_text(path.read_text() + '{"id": "3", "verdict": "uncertain"}\n' * 7)
    done = run("report", path, "-o", tmp_path / "report.html", command=REAL)
    assert done.returncode == 0
    assert "Left out: row 3: field 'language': Field required. Make it with: checker score" in done.stderr
    assert "Left out: 2 more bad rows." in done.stderr
    assert "rows of the scores without a score, left out 7" in plain(
        (tmp_path / "report.html").read_text("utf-8")
    )


def test_the_output_is_not_the_input(tmp_path: Path) -> None:
    path = scores(tmp_path, result())
    for output in (path, tmp_path / "report.pdf", tmp_path / "nowhere" / "report.html"):
        done = run("report", path, "-o", output, command=REAL)
        assert (done.returncode, done.stderr.count("\n")) == (2, 1)


# Error rates


def rates_of(*results: Result, own: Path | None = None) -> Measured:
    return measured(contents(Row(n, one) for n, one in enumerate(results, 1)).judged, Store(), own)


def test_rates_are_those_of_the_calibration() -> None:
    fitted = read_calibration(SHIPPED)
    in_german = result(language=Language(code="de", confidence=1))
    found = rates_of(result(), result(), in_german)
    assert [(rate.language, rate.posts, rate.variant) for rate in found.rates] == [
        ("ru", 2, "style"), ("de", 1, "style"),  # without the models of the other evidence
    ]  # fmt: skip
    rate, cuts = found.rates[0], [cut for cut in fitted.languages["ru"].thresholds["style"] if cut]
    assert rate.measured == sum(cut.posts for cut in cuts) > 0
    assert rate.flagged == sum(round(cut.false_positive_rate * cut.posts) for cut in cuts)
    assert rate.found == fitted.languages["ru"].reliability["style"].flagged["machine"]
    assert found.overall == fitted.variants["style"].reliability
    said = plain(made_of(result(), result(), in_german))
    for uncounted in ("fluency", "the round trip"):
        assert f"Here {uncounted} is shown as evidence. It is not counted in the verdict." in said
    assert f"{rate.flagged} of {rate.measured} native posts were called machine-translated" in said
    shares = (rate.flagged_share, rate.interval.high, 1 - rate.found)
    flagged, most, missed = (plain(percent(share, 1)) for share in shares)
    assert f"measured: {flagged}, and up to {most} within the 95 % interval." in said
    assert f"Of the machine-translated posts, {missed} were missed." in said


def test_the_shipped_verdict_counts_style_whatever_else_was_scored() -> None:
    calibration = read_calibration(SHIPPED)
    fluency = calibration.languages["ru"].models["fluency"]
    assert rates_of(result(models=MODELS | {"fluency": fluency})).variant == "style"
    assert rates_of(result(models=MODELS | {"fluency": "other@1"})).variant == "style"


def test_base_rates_by_hand() -> None:
    """1 000 posts, 10 of them by a machine, of which 4 are flagged; of 990 human ones 1 % at most."""
    reliability = read_calibration(SHIPPED).variants["style"].reliability
    rate = Rate("ru", 1, "style", "native", 0, 400, 0.4, (), reliability)
    high = rate_interval(0, 400).high
    assert high == pytest.approx(1 - 0.025 ** (1 / 400))
    assert rate.human_share(0.01) == pytest.approx(990 * high / (990 * high + 4))
    assert Rate("ru", 1, "style", "native", 0, 400, None, (), reliability).human_share(0.01) is None


def test_no_error_rate_is_claimed_for_another_calibration() -> None:
    older = result(version="0.0.1")
    own = result(models=MODELS | {"calibration": "mine.json@0123456789ab"})
    found = rates_of(older, own, own)
    assert (found.rates, found.overall, found.shipped) == ((), None, False)
    assert found.unknown == {"mine.json@0123456789ab": 2, "statement-checker 0.0.1": 1}
    source = plain(made_of(older, own, own))
    assert "Judged by statement-checker 0.0.1, whose error rates are not available here: 1 posts." in source
    assert "Some flagged posts were written by people" not in source
    assert "Read this first A verdict is a reason to look closer. It proves nothing." in source


def test_a_calibration_of_ones_own(tmp_path: Path) -> None:
    path = tmp_path / "mine.json"
    fitted = read_calibration(SHIPPED)
    fitted.model_copy(update={"languages": {"ru": fitted.languages["pl"]}}).write(path)
    own = result(models=MODELS | {"calibration": f"mine.json@{sha256(path)[:12]}"})
    found = rates_of(own, own, result(), own=path)
    assert [(rate.posts, rate.negatives) for rate in found.rates] == [
        (2, "human translations"),
        (1, "native"),
    ]
    assert found.shipped
    with pytest.raises(InputError, match=r"No post was judged by mine\.json@"):
        rates_of(result(), own=path)
    path.write_text("{}")
    with pytest.raises(InputError, match="not a calibration"):
        rates_of(own, own=path)
    with pytest.raises(InputError, match="cannot be read"):
        rates_of(own, own=tmp_path / "none.json")


def test_digests_are_those_of_the_locks() -> None:
    store = Store()
    label = store.models("embedded")[0].label
    translator = {
        "profile": {"embedded"},
        "translator": {f"{label} + other/model@1"},
        "style": {MODELS["style"]},
    }
    found = {entry.label: entry.digest for entry in used(translator, store, shipped=True)}
    digests = store.digests("embedded")
    assert found == {
        MODELS["style"]: digests["ru.npz"],
        label: digests[store.models("embedded")[0].id],
        "other/model@1": None,
        f"embedded/fluency.json@{__version__}": digests["fluency.json"],
        f"embedded/verdict.json@{__version__}": sha256(SHIPPED),
    }
    old = used({"profile": {"embedded"}, "style": {"embedded/style-ru@0.0.1"}}, store, shipped=False)
    assert [entry.digest for entry in old] == [None]


def test_names_of_files_without_their_folders(tmp_path: Path) -> None:
    path = scores(tmp_path, result())
    assert files(scores=path, posts=None) == {"scores": ("scores.jsonl", sha256(path))}


# The page


def test_a_page_of_nothing_that_was_scored() -> None:
    source = made_of(result("1", None))
    assert "<svg" not in source
    assert "not scored" in source
    assert "How often such verdicts were wrong" not in source


def test_plots_are_labelled_and_their_ids_apart() -> None:
    found = contents([Row(1, result(), "@a", date(2026, 1, 1)), Row(2, result(), "@a", date(2026, 1, 2))])
    source = made(found)
    Page(source)  # ids are unique
    drawn = re.findall(r'<svg role="img" aria-labelledby="(\S+) (\S+)".*?</svg>', source, re.DOTALL)
    assert [name for name, _ in drawn] == ["histogram-title", "timeline-title", "reliability-title"]
    for title, description in drawn:
        assert re.search(rf'<title id="{title}">\w.+</title><desc id="{description}">\w.+</desc>', source)
    for target in re.findall(r'(?:url\(#|href="#)([^")]+)', source):
        assert f'id="{target}"' in source


def test_labels_of_a_time_line_keep_their_distance() -> None:
    days = [date(1990, 1, 1), *(date(2026, 5, day) for day in range(1, 32)), date(2099, 12, 31)]
    source = plots.timeline({day: Counter(uncertain=1) for day in days})
    assert re.findall(r">(\d{4}-\d\d)</text>", source) == ["1990-01", "2026-05", "2099-12"]
    source = plots.timeline({day: Counter(uncertain=1) for day in days[1:-1]})
    labels = re.findall(r">(2026-05-\d\d)</text>", source)
    assert labels[0] == "2026-05-01"
    assert 5 <= len(labels) <= 9


def test_tables_have_headers() -> None:
    source = made_of(result(), result())
    for table in re.findall(r"<table>.*?</table>", source, re.DOTALL):
        columns = table.count('<th scope="col"')
        for row in re.findall(r"<tr>(?:(?!</tr>).)*</tr>", table.partition("</thead>")[2], re.DOTALL):
            assert row.count('<th scope="row">') == 1
            assert len(re.findall("<td[ >]", row)) == columns - 1


def test_printing_is_light_and_breaks_between_things() -> None:
    source = made_of(result())
    rules = "".join(re.findall(r"@media print \{.*?\n?\}\s*\}", source, re.DOTALL))
    assert "color-scheme: light;" in rules
    assert "break-inside: avoid" in rules
    assert "@page" in source


def test_text_on_colour_has_contrast() -> None:
    """WCAG 2.2 AA: 4.5 to 1, black on every background."""

    def luminance(colour: str) -> float:
        parts = [int(colour[n : n + 2], 16) / 255 for n in (0, 2, 4)]
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return sum(w * p for w, p in zip((0.2126, 0.7152, 0.0722), linear, strict=True))

    colours = re.findall(r"background: #([0-9a-f]{6})", made_of(result()))
    assert len(colours) == 7
    for colour in colours:
        assert (luminance(colour) + 0.05) / 0.05 >= 4.5


def test_templates_escape_and_miss_nothing() -> None:
    """Whatever a template is given is text, in every one of them; a name that it lacks is an error."""
    environment = html._environment()
    told = environment.from_string("{{ value }}").render(value="<&\"'\x1b\ud800\u202e")
    assert told == "&lt;&amp;&#34;&#39;\ufffd\ufffd\ufffd"
    with pytest.raises(UndefinedError):
        environment.from_string("{{ nothing }}").render()
    for path in Path(html.__file__).parent.glob("templates/*"):
        assert not re.search(r"\|\s*safe|autoescape", path.read_text("utf-8"))


@pytest.mark.browser
def test_in_a_browser(examples: Path, tmp_path: Path) -> None:
    """Nothing is requested or logged, Persian runs from the right, print is light, axe finds nothing."""
    pytest.importorskip("playwright", reason="playwright is not installed (it is in the extra dev)")
    from axe_playwright_python.sync_playwright import Axe

    from scripts.bench.browser import chromium, find_chromium

    browser_path = find_chromium()
    if browser_path is None:
        give_up = pytest.fail if os.environ.get("CI_BROWSER") == "1" else pytest.skip
        give_up("There is no Chromium: run make test-browser, or give the path of one in CHROMIUM.")
    path = tmp_path / "report.html"
    path.write_text(made(contents(read(examples, Columns()))), encoding="utf-8")
    asked, logged = [], []
    with chromium(browser_path) as browser:
        tab = browser.new_page(color_scheme="dark")
        tab.on("request", lambda request: asked.append(request.url))
        tab.on("console", lambda message: logged.append(message.text))
        tab.goto(path.as_uri())
        persian = tab.locator('bdi[lang="fa"]').first
        assert persian.evaluate("e => getComputedStyle(e).direction") == "rtl"
        for scheme in ("dark", "light"):
            tab.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            assert Axe().run(tab).response["violations"] == []
        tab.emulate_media(media="print", color_scheme="dark")
        assert tab.evaluate("getComputedStyle(document.documentElement).colorScheme") == "light"
        assert tab.pdf(format="A4").startswith(b"%PDF")
        tab.emulate_media(media="screen")
        tab.set_viewport_size({"width": 360, "height": 700})
        assert tab.evaluate("document.documentElement.scrollWidth") <= 360
    assert asked == [path.as_uri()]
    assert logged == []
