"""The web page in a real Chromium, against a real ``checker serve``: ``make test-browser``."""

from __future__ import annotations

import csv
import json
import os
import re
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from xml.etree import ElementTree

import httpx
import pytest

from checker.pipeline import Checker
from checker.statistics import Bin
from checker.text import in_hundred, percent
from checker.verdict.advice import MEANINGS, VERDICTS
from checker.verdict.file import Fitted, Reliability, Threshold, read
from checker.verdict.model import question

pytest.importorskip("playwright", reason="playwright is not installed (it is in the extra dev)")
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Error, Locator, Page, expect

from scripts.bench.browser import chromium, find_chromium
from scripts.bench.serving import serving

pytestmark = pytest.mark.browser

EXAMPLES = Path(__file__).parents[1] / "examples" / "posts.jsonl"
TOKEN = "a-token-for-these-tests-only"
RUSSIAN = (
    "🚨🚢 Паром сегодня не ходит из-за шторма. 🙂 Пожалуйста, осуществите посещение кассы для возврата ваших "
    "билетов. Мы сделали решение, что рейсы будут возобновлены до 12 мая! @port_news https://example.org/a"
)
PERSIAN = (
    "به دلیل توفان، کشتی امروز حرکت نمی‌کند. بلیت‌ها را می‌توان تا عصر به باجه پس داد. از مسافران گرامی "
    "خواهشمندیم برای آگاهی از زمان حرکت بعدی با شماره ۱۲۳ تماس بگیرند."
)
GERMAN = (
    "Die Fähre fährt heute wegen des Sturms nicht. Fahrkarten können bis zum Abend an der Kasse "
    "zurückgegeben werden; wann es weitergeht, erfahren Sie unter der bekannten Nummer."
)
SWAHILI = "Leo kivuko hakitasafiri kwa sababu ya dhoruba kali. Tafadhali rudini kesho asubuhi."
UNSURE = "Taxi Hotel Restaurant Museum Park Bank Bus Metro Radio Internet"
HOSTILE = (
    '<img src="x" onerror="window.owned = 1"> </textarea><script>window.owned = 2</script> Паром сегодня '
    "\u202eне ходит\u202c из-за шторма. <b>Билеты</b> можно сдать \u2066в кассе\u2069 до самого вечера."
)
FILE = f'id,text\nnorth,"{RUSSIAN}"\nsouth,"{PERSIAN}"\nbroken\n<b>x</b>,Внимание!\n'
NAMES = {verdict: name.capitalize() for verdict, name in VERDICTS.items()}
EVIDENCE = ("encoder", "style", "fluency", "round_trip")

Open = Callable[..., Page]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    path = find_chromium()
    if path is None:
        give_up = pytest.fail if os.environ.get("CI_BROWSER") == "1" else pytest.skip
        give_up("There is no Chromium: run make test-browser, or give the path of one in CHROMIUM.")
    expect.set_options(timeout=30_000)
    with chromium(path) as running:
        yield running


@pytest.fixture(scope="module")
def address(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serving(tmp_path_factory.mktemp("service") / "log") as url:
        yield url


@pytest.fixture(scope="module")
def calibrated(browser: Browser, checker: Checker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A service with a calibration of these tests: all that it says of Russian, Persian and German is known.

    A slope of 0 gives every post of a language the same probability. Russian has no error rate under 60
    columns, German none at all.
    """
    shipped = read(checker.store.registry.parent / "embedded" / "verdict.json")
    bins = (Bin(predicted=0.94, observed=0.88, posts=40), Bin(predicted=0.86, observed=0.8, posts=60))
    rates = Reliability(ece=0.05, bins=bins, flagged={"machine": 0.61})
    native = Threshold(0.9, 0.02, 150, "native")
    translated = Threshold(0.8, 0.0, 113, "human translations")

    def fitted(code: str, log_odds: float, thresholds: tuple[Threshold | None, ...]) -> Fitted:
        correction = shipped.languages[code].correction
        variants = [name for name in correction if question(name) == "machine_translated"]
        changes = {
            "models": checker.models.labels(code),
            "correction": dict.fromkeys(variants, (0.0, log_odds)),
            "thresholds": dict.fromkeys(variants, thresholds),
            "reliability": dict.fromkeys(variants, rates),
            "withheld": {},
            "tails": {},
        }
        return shipped.languages[code].model_copy(update=changes)

    languages = {
        "ru": fitted("ru", 3.0, (None, *[native] * 4)),
        "fa": fitted("fa", -3.0, (translated,) * 5),
        "de": fitted("de", 0.0, (None,) * 5),
    }
    folder = tmp_path_factory.mktemp("calibrated")
    shipped.model_copy(update={"languages": languages, "models": {}}).write(folder / "own.json")
    with serving(folder / "log", options=["--calibration", str(folder / "own.json")]) as url:
        yield url


@pytest.fixture(scope="module")
def api(address: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=address, timeout=60, trust_env=False) as client:
        yield client


@pytest.fixture
def open_page(browser: Browser, address: str) -> Iterator[Open]:
    """Open the page in a fresh browser context.

    At the end of every test: no error on the console, no request to another origin, nothing stored. A test
    that provokes an error says which line of the console belongs to it (``told``).
    """
    opened: list[tuple[Page, list[str], str]] = []

    def open_one(url: str = address, told: str = "(?!)", **options: Any) -> Page:
        context = browser.new_context(**options)
        context.set_default_timeout(30_000)
        page, wrong = context.new_page(), []

        def note(requested: str) -> None:
            if urlsplit(requested)[:2] != urlsplit(url)[:2]:
                wrong.append(f"request to {requested}")

        page.on("console", lambda line: line.type in ("error", "warning") and wrong.append(line.text))
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("request", lambda request: note(request.url))
        page.goto(url)
        opened.append((page, wrong, told))
        return page

    yield open_one
    for page, wrong, told in opened:
        stored = page.evaluate("[localStorage.length, sessionStorage.length, document.cookie]")
        page.context.close()
        assert [line for line in wrong if not re.search(told, line)] == []
        assert stored == [0, 0, ""]


def check(page: Page, text: str) -> Locator:
    """Check a post; gives its verdict."""
    page.get_by_label("The post, as it was published").fill(text)
    page.get_by_role("button", name="Check the post").click()
    verdict = page.locator("#verdict")
    expect(verdict).to_be_visible()
    return verdict


def drop(page: Page, name: str, content: str) -> None:
    """Drop a file on the page."""
    data = page.evaluate_handle("new DataTransfer()")
    data.evaluate("(data, [name, text]) => data.items.add(new File([text], name))", [name, content])
    page.dispatch_event("body", "drop", {"dataTransfer": data})
    expect(page.get_by_role("table")).to_be_visible()


def sentence(page: Page, number: int) -> Locator:
    return page.locator(".passage [role=button]").nth(number)


def hundred(probability: float) -> str:
    return in_hundred(probability).replace("\N{NO-BREAK SPACE}", " ")


def score(api: httpx.Client, text: str) -> dict[str, Any]:
    answer = api.post("/v1/score", json={"text": text})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


# -- a post ------------------------------------------------------------------------------------------


def test_a_pasted_post_gets_a_verdict(open_page: Open, api: httpx.Client) -> None:
    page = open_page(permissions=["clipboard-read", "clipboard-write"])
    result = score(api, RUSSIAN)
    page.evaluate("text => navigator.clipboard.writeText(text)", RUSSIAN)
    page.get_by_label("The post, as it was published").focus()
    page.keyboard.press("Control+v")
    expect(page.locator("#verdict")).to_have_text(result["headline"])
    chance = f"{hundred(result['machine_translated'])} posts like this"
    expect(page.get_by_role("status").first).to_contain_text(chance)  # the live region
    expect(page.locator(".verdict .chance")).to_contain_text(chance)
    expect(page.locator(".verdict .meaning")).to_have_text(MEANINGS[result["verdict"]])
    assert page.locator(".verdict").inner_text().count(chance.split()[0]) == 1  # no figure twice
    assert page.locator(".facts").inner_text().count(percent(result["fluency"])) == 1
    sure = percent(result["language"]["confidence"])
    expect(page.locator(".facts")).to_contain_text(f"Russian, {sure} sure")
    for metric in ("chrf", "bleu", "ter"):
        expect(page.locator(".facts")).to_contain_text(f"{result['round_trip'][metric]:.1f}")
    said = page.locator("#result li").all_text_contents()
    texts = [one["text"] for one in (*result["reasons"], *result["warnings"])]
    assert set(texts) | set(result["advice"]) <= set(said)
    assert len(said) == len(set(said))  # nothing is said twice


@pytest.mark.parametrize(
    ("text", "verdict", "thresholds", "kinds"),
    [
        (RUSSIAN, "machine_translated", (0.9,), ["threshold", "calibration", "detection"]),
        (PERSIAN, "uncertain", (0.8,), ["threshold", "detection"]),
        (f"{RUSSIAN} {PERSIAN}", "uncertain", (0.9,), None),  # the stricter one
        (f"{RUSSIAN} {GERMAN}", "uncertain", (), None),
        (GERMAN, "uncertain", (), ["unmeasured"]),
        (
            "Паром это утро не идти из-за к сильная шторм.",
            "uncertain",
            (),
            ["rudimentary", "unmeasured", "calibration"],
        ),
    ],
    ids=["machine", "low", "two languages", "one of two unmeasured", "unmeasured", "unmeasured length"],
)
def test_the_dial_and_the_error_rates_are_those_of_the_result(
    open_page: Open,
    calibrated: str,
    text: str,
    verdict: str,
    thresholds: tuple[float, ...],
    kinds: list[str] | None,
) -> None:
    page = open_page(calibrated)
    check(page, text)
    with httpx.Client(base_url=calibrated, timeout=60, trust_env=False) as client:
        result = score(client, text)
    assert result["verdict"] == verdict
    expect(page.locator("#verdict")).to_have_text(result["headline"])
    rates = [reason for reason in result["reasons"] if reason["kind"] not in EVIDENCE]
    if kinds is not None:
        assert [reason["kind"] for reason in rates] == kinds
    assert page.locator(".dial .mark").all_text_contents() == [*map(percent, thresholds), "0", "100"]
    assert page.locator(".rate li").all_text_contents() == [reason["text"] for reason in rates]
    assert page.locator(".advice li").all_text_contents() == result["advice"]


@pytest.mark.parametrize("counted", [False, True], ids=["shown", "counted"])
def test_it_says_whether_the_verdict_counts_the_round_trip(
    open_page: Open, api: httpx.Client, counted: bool
) -> None:
    """As the reasons of the result have it: they name the evidence that the verdict counts."""
    result = score(api, RUSSIAN)
    if counted:
        kind = {"kind": "round_trip", "text": "Most of it came back."}
        result["reasons"] = [kind, *result["reasons"]]
    page = open_page()
    page.route("**/v1/score", lambda route: route.fulfill(json=result))
    check(page, RUSSIAN)
    expect(page.locator(".facts")).not_to_contain_text("chrF++" if counted else "no such thing")
    (fact,) = page.locator(".facts > div").filter(has_text="Round trip through English").all()
    expect(fact).to_contain_text("The verdict counts it." if counted else "this verdict does not count it")
    (fluency,) = page.locator(".facts > div").filter(has_text="Fluency").all()
    expect(fluency).to_contain_text("this verdict does not count it")


def test_a_translation_is_in_the_pivot_of_its_sentence(open_page: Open, api: httpx.Client) -> None:
    """Sentences of a mixed post are not translated into the same language."""
    english = "The ferry does not run today because of the storm, and tickets can be returned until evening."
    text = f"{RUSSIAN}\n{english}"
    pivots = [part["pivot"] for part in score(api, text)["sentences"]]
    assert set(pivots) == {"en", "pt"}
    page = open_page()
    check(page, text)
    for number, pivot in enumerate(pivots):
        sentence(page, number).click()
        translated = page.locator("#sentence section").nth(1)
        expect(translated.locator(".of")).to_have_text({"en": "English", "pt": "Portuguese"}[pivot])
        expect(translated.locator(".text")).to_have_attribute("lang", pivot)


def test_percentages_read_as_in_python(open_page: Open) -> None:
    shares = [0, 0.0001, 0.0099, 0.01, 0.0149, 0.31, 0.385, 0.9849, 0.99, 0.9901, 0.99996, 1]
    page = open_page()
    said = page.evaluate(
        """async shares => {
        const { inHundred, percent } = await import("/static/text.js");
        return shares.map(share => [percent(share), inHundred(share)]);
    }""",
        shares,
    )
    assert said == [[percent(share), f"{hundred(share)} posts like this"] for share in shares]


def test_sentences_and_words_are_marked_where_the_service_says(open_page: Open, api: httpx.Client) -> None:
    page = open_page()
    check(page, RUSSIAN)
    result = score(api, RUSSIAN)
    marked = page.locator(".passage .telling").all_text_contents()
    assert marked == [
        RUSSIAN[word["start"] : word["end"]]
        for part in result["sentences"]
        for word in part["words"]
        if word["weight"] > 0
    ]
    assert len(marked) > 3
    badges = page.locator(".passage .badge").all_text_contents()
    assert badges == [hundred(part["machine_translated"]).split(" in ")[0] for part in result["sentences"]]
    for number, part in enumerate(result["sentences"]):
        level = min(4, int(part["machine_translated"] * 5))
        expect(sentence(page, number)).to_have_class(re.compile(rf"\blevel-{level}\b"))
    page.evaluate("document.querySelectorAll('.passage .badge').forEach(badge => badge.remove())")
    assert page.locator(".passage").text_content() == RUSSIAN


def test_a_sentence_opens_by_keyboard(open_page: Open, api: httpx.Client) -> None:
    page = open_page()
    check(page, RUSSIAN)
    (_, part, _) = score(api, RUSSIAN)["sentences"]
    sentence(page, 0).focus()
    page.keyboard.press("Tab")
    expect(sentence(page, 1)).to_be_focused()
    page.keyboard.press("Enter")
    expect(sentence(page, 1)).to_have_attribute("aria-expanded", "true")
    region = page.get_by_role("region", name="Sentence 2 of 3")
    expect(region.get_by_role("heading", name="Sentence 2 of 3")).to_be_focused()
    assert region.locator(".text").all_text_contents() == [
        part["text"],
        part["pivot_text"],
        part["back_translation"],
    ]
    lost = region.locator(".text").nth(0).locator(".differs").all_text_contents()
    spans = [(span["start"], span["end"]) for span in part["differences"]]
    assert lost == [RUSSIAN[start:end] for start, end in spans if start < end]
    theirs = region.locator(".text").nth(2).locator(".differs").all_text_contents()
    assert theirs == [
        part["back_translation"][span["back_start"] : span["back_end"]]
        for span in part["differences"]
        if span["back_start"] < span["back_end"]
    ]
    page.keyboard.press("Escape")
    expect(region).to_be_hidden()
    expect(sentence(page, 1)).to_be_focused()
    page.keyboard.press("Space")
    expect(region).to_be_visible()


def test_persian_runs_from_right_to_left(open_page: Open) -> None:
    page = open_page()
    check(page, PERSIAN)
    passage = page.locator(".passage")
    expect(passage).to_have_css("direction", "rtl")
    expect(passage).to_have_attribute("lang", "fa")
    expect(sentence(page, 0)).to_have_css("direction", "rtl")
    expect(page.get_by_label("The post, as it was published")).to_have_css("direction", "rtl")
    expect(page.locator(".verdict .meaning")).to_have_css("direction", "ltr")
    first = sentence(page, 0).evaluate("sentence => sentence.getClientRects()[0].right")
    whole = passage.evaluate("passage => passage.getBoundingClientRect().right")
    assert whole - first < 30  # the first line begins at the right edge
    sentence(page, 0).click()
    expect(page.locator("#sentence")).to_contain_text("was not translated")


def test_a_hostile_post_is_text(open_page: Open) -> None:
    page = open_page()
    images = page.locator("img, script").count()
    check(page, HOSTILE)
    sentence(page, 0).click()
    expect(page.locator("#sentence")).to_be_visible()
    drop(page, "<img src=x onerror=window.owned=3>.csv", FILE)
    assert page.locator("img, script").count() == images
    assert page.evaluate("window.owned") is None
    expect(page.locator("#posts-title")).to_have_text("<img src=x onerror=window.owned=3>.csv")
    check(page, HOSTILE)
    shown = page.locator(".passage").inner_text()
    assert "onerror" in shown
    assert not re.search("[\u202a-\u202e\u2066-\u2069]", shown)
    assert shown.count("\ufffd") == 4  # changes of direction are visible
    expect(page.locator(".passage [role=button]").first).to_have_css("unicode-bidi", "isolate")


def test_markup_given_as_a_string_is_refused(open_page: Open) -> None:
    page = open_page(told="TrustedHTML")
    with pytest.raises(Error, match="TrustedHTML"):
        page.evaluate("document.body.innerHTML = '<b>x</b>'")
    expect(page.locator("h1")).to_be_visible()


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Внимание!", "too_short"),
        ("🙂🙂 https://example.org/a @port_news", "no_text"),
        (SWAHILI, "language_unsupported"),
        (UNSURE, "language_unsure"),
    ],
)
def test_it_says_why_a_post_is_not_scored_and_what_to_do(
    open_page: Open, api: httpx.Client, text: str, code: str
) -> None:
    result = score(api, text)
    (warning,) = result["warnings"]
    assert warning["code"] == code
    page = open_page()
    expect(check(page, text)).to_have_text(result["headline"])
    assert page.locator(".verdict .rate li").all_text_contents() == [warning["text"]]
    expect(page.locator(".verdict .chance")).to_have_count(0)
    expect(page.locator(".warnings")).to_have_count(0)  # nothing is said twice
    assert page.locator(".advice li").all_text_contents() == result["advice"] != []


def test_results_can_be_copied(open_page: Open, api: httpx.Client) -> None:
    page = open_page(permissions=["clipboard-read", "clipboard-write"])
    check(page, HOSTILE)
    page.get_by_role("button", name="Copy as JSON").click()
    expect(page.locator("#result .done")).to_have_text("Copied.")
    assert json.loads(page.evaluate("navigator.clipboard.readText()")) == score(api, HOSTILE)
    page.get_by_role("button", name="Copy as Markdown").click()
    page.wait_for_function("async () => (await navigator.clipboard.readText()).startsWith('##')")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert "### Why" in copied
    assert "</b>" not in copied
    assert "\\</b\\>" in copied
    assert "\u202e" not in copied


def test_a_language_can_be_named(open_page: Open, api: httpx.Client) -> None:
    text = "Taxi Hotel Restaurant Museum Park Bank Bus Metro Radio Internet"
    page = open_page()
    page.get_by_label("Language of the post").select_option("German")
    expect(check(page, text)).not_to_contain_text("Not scored")
    expect(page.locator(".facts")).to_contain_text("German")


def test_examples_can_be_tried(open_page: Open) -> None:
    page = open_page()
    for name in ("A clumsy translation", "A post by a native speaker", "A Persian post"):
        page.get_by_role("button", name=name).click()
        expect(page.locator("body")).not_to_have_attribute("aria-busy", "true")
        expect(page.locator("#verdict")).to_be_visible()
        assert not page.locator("#verdict").inner_text().startswith("Not scored")
        page.get_by_role("button", name="Clear").click()
    page.get_by_text("25 languages can be scored").click()
    expect(page.locator("#supported")).to_contain_text("Hebrew, Hindi")


def test_source_and_post_stand_side_by_side(open_page: Open) -> None:
    page = open_page()
    page.get_by_text("Source text, if you have it").click()
    page.get_by_role("textbox", name="Source text").fill(
        "The ferry does not run today. Tickets are returned by 21 May."
    )
    check(page, "Паром сегодня не ходит из-за шторма. Билеты принимаются обратно до 12 мая.")
    side = page.locator(".side")
    expect(side).to_contain_text("Source, English")
    expect(side).to_contain_text("Post, Russian")
    assert {"12 мая", "21 May"} <= set(side.locator(".differs").all_text_contents())


def test_the_page_in_russian(open_page: Open, api: httpx.Client) -> None:
    page = open_page(locale="ru-RU")
    expect(page.locator("html")).to_have_attribute("lang", "ru")
    page.get_by_label("Текст поста").fill(PERSIAN)
    page.get_by_role("button", name="Проверить пост").click()
    headline = page.locator("#verdict")
    expect(headline).to_have_text(re.compile("[а-я]{4}"))
    assert not re.search("[A-Za-z]", headline.inner_text())
    assert not re.search("[A-Za-z]", page.locator(".advice").inner_text())
    expect(page.locator(".facts")).to_contain_text("персидский")
    page.get_by_role("link", name="English").click()
    expect(page.locator("html")).to_have_attribute("lang", "en")


# -- a file ------------------------------------------------------------------------------------------


def test_a_dropped_file_becomes_a_table_whose_rows_open(open_page: Open) -> None:
    page = open_page()
    drop(page, "posts.csv", FILE)
    rows = page.locator("tbody tr")
    expect(rows).to_have_count(4)
    assert rows.locator("th").all_text_contents() == ["north", "south", "3", "<b>x</b>"]
    expect(rows.nth(1)).to_contain_text("Persian")
    expect(rows.nth(2)).to_contain_text("Not read")
    expect(rows.nth(2)).to_contain_text("The columns are wrong in line 4")
    expect(page.get_by_role("status").first).to_contain_text("4 posts")
    expect(page.get_by_role("heading", name="posts.csv", exact=True)).to_be_focused()
    page.get_by_role("button", name="south").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#verdict")).to_be_focused()
    expect(page.locator(".passage")).to_contain_text("به دلیل توفان")
    page.get_by_role("button", name="Back to the table").click()
    expect(page.locator("#result")).to_be_hidden()
    expect(page.get_by_role("button", name="south")).to_be_focused()


def test_every_example_gets_the_verdict_of_the_service(open_page: Open, api: httpx.Client) -> None:
    page = open_page()
    page.set_input_files("#file", EXAMPLES)
    posts = [json.loads(line) for line in EXAMPLES.read_text(encoding="utf-8").splitlines()]
    expect(page.locator("tbody tr")).to_have_count(len(posts))
    results = api.post("/v1/score", json=posts).json()["results"]
    labels = page.locator("tbody .label").all_text_contents()
    assert labels == [NAMES[result["verdict"]] for result in results]
    assert len(set(labels)) > 1
    for post, result in zip(posts, results, strict=True):
        page.get_by_role("button", name=post["id"], exact=True).click()
        expect(page.locator("#verdict")).to_have_text(result["headline"])
        expect(page.locator(".passage .shaded")).to_have_count(len(result["sentences"]))
        rates = page.locator(".rate").all_text_contents()
        asked = [one for one in result["thresholds"] if one["question"] == "machine_translated"]
        assert all(f" of {one['posts']} " in "".join(rates) for one in asked)


def test_a_file_can_be_chosen_and_its_column_named(open_page: Open, tmp_path: Path) -> None:
    path = tmp_path / "posts.jsonl"
    path.with_suffix(".csv").write_text(f"nr;entry;post, or so\n1;{PERSIAN};x\n", encoding="utf-8")
    path.write_text(json.dumps({"body": RUSSIAN}, ensure_ascii=False) + "\n", encoding="utf-8")
    page = open_page()
    with page.expect_file_chooser() as chosen:
        page.get_by_role("button", name="Choose a file").click()
    chosen.value.set_files(path.with_suffix(".csv"))
    expect(page.get_by_role("heading", name="File: posts.csv")).to_be_focused()
    expect(page.get_by_role("status").first).to_contain_text("Say which column is which")
    offered = page.get_by_label("Column with the text").locator("option").all_text_contents()
    assert offered == ["nr", "entry", "post, or so"]
    assert page.get_by_label("Account column").input_value() == ""
    page.get_by_label("Column with the text").select_option("entry")
    page.get_by_role("button", name="Check the file").click()
    expect(page.locator("tbody tr")).to_have_count(1)
    expect(page.locator("tbody tr")).to_contain_text("Persian")
    expect(page.locator(".accounts")).to_have_count(0)
    page.set_input_files("#file", path)
    expect(page.get_by_label("Column with the text")).to_have_value("body")
    page.get_by_role("button", name="Check the file").click()
    expect(page.locator("tbody tr")).to_contain_text("Russian")


def test_the_language_of_a_file_can_be_named(open_page: Open) -> None:
    page = open_page()
    drop(page, "posts.txt", UNSURE)
    expect(page.locator("tbody tr")).to_contain_text("Not scored")
    page.get_by_label("Language of all its posts").select_option("German")
    page.get_by_role("button", name="Check the file").click()
    expect(page.locator("tbody tr")).to_contain_text("German")
    expect(page.locator("tbody tr")).not_to_contain_text("Not scored")


def lines(count: int) -> str:
    """A file of many posts that are soon scored: there is nothing in them."""
    return "".join(json.dumps({"id": f"p{n}", "text": "…"}) + "\n" for n in range(count))


def test_a_large_file_shows_how_far_it_is(open_page: Open) -> None:
    page = open_page(told="status of 422")
    page.evaluate(
        """() => {
        window.seen = [];
        const told = document.getElementById("counted");
        new MutationObserver(() => window.seen.push(told.textContent)).observe(told, { childList: true });
    }"""
    )
    drop(page, "posts.jsonl", lines(700))
    seen = [one for one in page.evaluate("window.seen") if one]
    assert (seen[0], seen[-1]) == ("0 of 700 rows", "700 of 700 rows")
    assert len(seen) > 5
    assert page.locator("#bar").evaluate("bar => [bar.value, bar.max]") == [700, 700]
    expect(page.locator("#working")).to_be_hidden()
    rows = page.locator("#posts > .scroll tbody tr")
    expect(rows).to_have_count(300)
    page.get_by_role("button", name="Show more (400 left)").click()
    page.get_by_role("button", name="Show more (100 left)").click()
    expect(rows).to_have_count(700)
    expect(page.get_by_role("button", name="Show more")).to_be_hidden()
    page.set_input_files("#file", {"name": "a.jsonl", "mimeType": "", "buffer": lines(2001).encode()})
    expect(page.get_by_role("alert")).to_contain_text("more than 2000 posts")


def broken(page: Page, rows: int, total: int, last: str = "") -> None:
    """Answer a file with the beginning of an answer."""
    result = {"id": "1", "row": 1, "field": None, "error": "It is bad.", "fix": "Mend it.", "account": "x"}
    body = "".join(json.dumps(result | {"id": str(n), "row": n}) + "\n" for n in range(1, rows + 1)) + last
    headers = {"Statement-Checker-Rows": str(total), "Content-Type": "application/x-ndjson"}
    page.route("**/v1/score/file", lambda route: route.fulfill(body=body, headers=headers))


@pytest.mark.parametrize("said", [True, False])
def test_what_was_scored_before_an_answer_broke_off_is_shown(open_page: Open, said: bool) -> None:
    page = open_page()
    problem = {"field": None, "error": "Scoring took too long.", "fix": "Send less."}
    broken(page, 5, 9, json.dumps(problem) + "\n" if said else "")
    drop(page, "posts.csv", FILE)
    expect(page.locator("tbody tr")).to_have_count(5)
    expect(page.get_by_role("alert")).to_contain_text("took too long" if said else "does not answer")
    expect(page.locator("#posts .problem")).to_contain_text("Only the first 5 of 9 rows were checked.")
    expect(page.locator(".accounts")).to_have_count(0)


def test_a_file_can_be_cancelled_and_keeps_what_is_done(open_page: Open) -> None:
    page = open_page()
    posts = "".join(json.dumps({"text": f"{RUSSIAN} {n}"}) + "\n" for n in range(400))
    page.set_input_files("#file", {"name": "a.jsonl", "mimeType": "", "buffer": posts.encode()})
    expect(page.locator("#counted")).to_contain_text("20 of 400")
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator("#posts .problem")).to_contain_text("of 400 rows were checked")
    expect(page.locator("#working")).to_be_hidden()
    assert 20 <= page.locator("#posts > .scroll tbody tr").count() < 400


FEED = "body,channel,created_at\n" + "".join(
    f'"{text} {n}",{account},2026-0{1 + n}-1{n}\n'
    for n in range(4)
    for text, account in ((RUSSIAN, "=north()"), (PERSIAN, "<i>south</i>"), (GERMAN, ""))
)


def check_feed(page: Page) -> None:
    page.set_input_files("#file", {"name": "feed.csv", "mimeType": "", "buffer": FEED.encode()})
    expect(page.get_by_label("Account column")).to_have_value("channel")
    expect(page.get_by_label("Date column")).to_have_value("created_at")
    page.get_by_role("button", name="Check the file").click()
    expect(page.locator(".accounts")).to_be_visible()


def test_accounts_are_judged_by_the_service(open_page: Open, api: httpx.Client, tmp_path: Path) -> None:
    page = open_page()
    check_feed(page)
    answer = api.post(
        "/v1/score/file",
        files={"file": ("feed.csv", FEED.encode())},
        data={"text_column": "body", "account_column": "channel", "date_column": "created_at"},
        headers={"accept": "application/x-ndjson"},
    )
    scores = {"file": ("scores.jsonl", answer.content)}
    found = api.post("/v1/accounts", files=scores, data={"window": "month"}).json()["accounts"]
    south = next(one for one in found if one["account"] == "<i>south</i>")
    accounts = page.locator(".accounts > .scroll tbody tr")
    assert set(accounts.locator("th").all_text_contents()) == {"=north()", "<i>south</i>"}
    row = accounts.filter(has_text="south")
    expect(row).to_contain_text(NAMES[south["verdict"]])
    expect(row.locator("td").last).to_have_text(str(south["posts"]["distinct"]))
    row.get_by_role("button").focus()
    page.keyboard.press("Enter")
    detail = page.locator(".account")
    expect(detail.locator("#account-title")).to_be_focused()
    counts = [south["posts"][name] for name in ("given", "scored", "distinct")]
    expect(detail).to_contain_text(
        "{} posts given, {} scored, {} distinct. From 2026-01-10 to".format(*counts)
    )
    rate = south["false_alarm_rate"]
    sure = "no false-alarm rate was measured" if rate is None else percent(rate)
    expect(detail.locator(".sure")).to_contain_text(sure)
    items = detail.locator("li").all_text_contents()
    assert {*south["reasons"], *(note["text"] for note in south["warnings"])} <= set(items)
    starts = detail.get_by_role("region", name="Over time").locator("tbody th").all_text_contents()
    assert starts == [window["start"] for window in south["windows"]]
    loud = [post["id"] for post in south["loudest_for"] + south["loudest_against"]]
    assert detail.locator("section li button").all_text_contents() == loud
    detail.locator("section li button").first.click()
    expect(page.locator(".passage")).to_contain_text("به دلیل توفان")
    page.get_by_role("button", name="Back to the table").click()
    detail.get_by_role("button", name="Show its posts").click()
    expect(page.locator("#posts > .scroll tbody tr")).to_have_count(4)
    expect(page.get_by_label("Account", exact=True)).to_be_focused()
    expect(page.get_by_label("Account", exact=True)).to_have_value("<i>south</i>")
    page.get_by_label("Account", exact=True).select_option("all accounts")
    expect(page.locator("#posts > .scroll tbody tr")).to_have_count(12)
    with page.expect_download() as saved:
        page.get_by_role("button", name="Save as CSV").click()
    saved.value.save_as(tmp_path / "saved.csv")
    rows = list(csv.DictReader((tmp_path / "saved.csv").open(encoding="utf-8-sig", newline="")))
    assert [one["account"] for one in rows[:3]] == ["'=north()", "<i>south</i>", ""]
    assert rows[0]["date"] == "2026-01-10"
    shown = accounts.all_text_contents()
    with page.expect_download() as saved:
        page.get_by_role("button", name="Save as a file").click()
    saved.value.save_as(tmp_path / "saved.json")
    other = open_page(told="ERR_INTERNET_DISCONNECTED")
    other.context.set_offline(True)
    other.set_input_files("#file", tmp_path / "saved.json")
    expect(other.locator(".accounts")).to_be_visible()
    assert other.locator(".accounts > .scroll tbody tr").all_text_contents() == shown


def test_accounts_that_cannot_be_judged_cost_no_results(open_page: Open) -> None:
    page = open_page(told="status of 503")
    problem = {"field": None, "error": "Too much is waiting.", "fix": "Try again."}
    page.route("**/v1/accounts", lambda route: route.fulfill(status=503, json=problem))
    page.set_input_files("#file", {"name": "feed.csv", "mimeType": "", "buffer": FEED.encode()})
    page.get_by_role("button", name="Check the file").click()
    expect(page.locator("tbody tr")).to_have_count(12)
    expect(page.get_by_role("alert")).to_contain_text("Too much is waiting.")
    expect(page.locator("#posts .problem")).to_have_count(0)


def test_the_report_is_saved(open_page: Open, browser: Browser, tmp_path: Path) -> None:
    page = open_page()
    check_feed(page)
    with page.expect_download() as saved:
        page.get_by_role("button", name="Save as HTML report").click()
    assert saved.value.suggested_filename == "feed.report.html"
    saved.value.save_as(tmp_path / "report.html")
    expect(page.get_by_role("status").first).to_contain_text("The report is saved")
    expect(page.locator("#posts")).to_be_visible()
    context = browser.new_context()
    report = context.new_page()
    report.goto((tmp_path / "report.html").as_uri())
    expect(report.locator("body")).to_contain_text("<i>south</i>")
    expect(report.locator("body")).to_contain_text("به دلیل توفان")
    assert report.locator("i", has_text="south").count() == 0
    context.close()


def test_rows_are_chosen_and_ordered(open_page: Open) -> None:
    page = open_page()
    drop(page, "posts.csv", FILE)
    rows = page.locator("tbody tr")
    page.get_by_label("Order").select_option("highest first")
    numbers = [int(one) for one in page.locator("tbody .amount").all_text_contents() if one.isdigit()]
    assert numbers == sorted(numbers, reverse=True)
    page.get_by_label("Order").select_option("lowest first")
    assert [
        int(one) for one in page.locator("tbody .amount").all_text_contents() if one.isdigit()
    ] == numbers[::-1]
    page.get_by_label("Language", exact=True).select_option("Persian")
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("south")
    page.get_by_label("Language", exact=True).select_option("all languages")
    page.get_by_label("Verdict", exact=True).select_option("Not scored")
    assert set(page.locator("tbody .label").all_text_contents()) == {"Not scored"}


def test_a_file_of_answers_is_saved_and_opened_again(open_page: Open, tmp_path: Path) -> None:
    page = open_page()
    drop(page, "posts.csv", FILE)
    shown = page.locator("tbody").inner_text()
    with page.expect_download() as saved:
        page.get_by_role("button", name="Save as a file").click()
    assert saved.value.suggested_filename == "posts.checked.json"
    saved.value.save_as(tmp_path / "saved.json")
    with page.expect_download() as saved:
        page.get_by_role("button", name="Save as CSV").click()
    saved.value.save_as(tmp_path / "saved.csv")
    rows = list(csv.DictReader((tmp_path / "saved.csv").open(encoding="utf-8-sig", newline="")))
    assert [row["id"] for row in rows] == ["north", "south", "3", "<b>x</b>"]
    with page.expect_download() as saved:
        page.get_by_role("button", name="Save as XLSX").click()
    saved.value.save_as(tmp_path / "saved.xlsx")
    with zipfile.ZipFile(tmp_path / "saved.xlsx") as book:
        assert book.testzip() is None
        sheet = ElementTree.fromstring(book.read("sheet.xml"))
        assert all(ElementTree.fromstring(book.read(name)) is not None for name in book.namelist())
    cells = [
        [value.text for value in row.iter() if value.text] for row in sheet.iter() if row.tag.endswith("}row")
    ]
    assert [row[0] for row in cells] == ["id", "north", "south", "3", "<b>x</b>"]
    other = open_page(told="ERR_INTERNET_DISCONNECTED")
    other.context.set_offline(True)
    other.set_input_files("#file", tmp_path / "saved.json")
    expect(other.locator("tbody tr")).to_have_count(4)
    assert other.locator("tbody").inner_text() == shown
    expect(other.locator("#posts-title")).to_have_text("posts.csv")
    other.get_by_role("button", name="north").click()
    expect(other.locator("#verdict")).to_be_visible()
    (tmp_path / "wrong.json").write_text('{"results": [1]}')
    other.set_input_files("#file", tmp_path / "wrong.json")
    expect(other.get_by_role("alert")).to_contain_text("wrong.json was not saved by this page")


def test_work_can_be_cancelled(open_page: Open) -> None:
    page = open_page()
    page.route("**/v1/score", lambda route: None)  # never answered
    page.get_by_label("The post, as it was published").fill(RUSSIAN)
    page.get_by_role("button", name="Check the post").click()
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("status").first).to_have_text("Cancelled.")
    expect(page.get_by_role("button", name="Cancel")).to_be_hidden()


# -- what goes wrong -----------------------------------------------------------------------------------


def test_a_refusal_says_what_to_do(open_page: Open) -> None:
    page = open_page(told="status of 422")
    page.get_by_label("The post, as it was published").fill("а" * 20_001)
    page.get_by_role("button", name="Check the post").click()
    expect(page.get_by_role("alert")).to_contain_text("20000 characters")
    expect(page.locator("#result")).to_be_hidden()
    check(page, RUSSIAN)
    expect(page.locator("#problem")).to_be_hidden()


def test_an_empty_field_and_a_silent_service_are_explained(open_page: Open) -> None:
    page = open_page(told="ERR_INTERNET_DISCONNECTED")
    page.get_by_role("button", name="Check the post").click()
    expect(page.get_by_role("alert")).to_contain_text("There is no post to check.")
    page.context.set_offline(True)
    page.get_by_label("The post, as it was published").fill(RUSSIAN)
    page.get_by_role("button", name="Check the post").click()
    expect(page.get_by_role("alert")).to_contain_text("The service does not answer.")


def test_a_token_is_asked_for_when_it_is_needed(open_page: Open, browser: Browser, tmp_path: Path) -> None:
    with serving(tmp_path / "log", {"STATEMENT_CHECKER_TOKEN": TOKEN}) as url:
        page = open_page(url, told="status of 401")
        field = page.get_by_label("This service asks for a token")
        expect(field).to_be_hidden()
        page.get_by_label("The post, as it was published").fill(RUSSIAN)
        page.get_by_role("button", name="Check the post").click()
        expect(field).to_be_focused()
        expect(page.locator("#problem")).to_be_hidden()
        field.fill("not-the-right-token")
        page.keyboard.press("Enter")
        expect(page.get_by_role("alert")).to_contain_text("The token is wrong.")
        field.fill(TOKEN)
        page.keyboard.press("Enter")
        expect(page.locator("#verdict")).to_be_visible()
        expect(field).to_be_hidden()


# -- everybody can use it --------------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(open_page: Open, scheme: str) -> None:
    page = open_page(color_scheme=scheme)

    def findings() -> list[str]:
        found = Axe().run(page).response["violations"]
        return [f"{one['impact']}: {one['id']}: {one['nodes'][0]['html'][:200]}" for one in found]

    assert findings() == []
    check(page, RUSSIAN)
    sentence(page, 1).click()
    expect(page.locator("#sentence")).to_be_visible()
    assert findings() == []
    drop(page, "posts.csv", FILE)
    assert findings() == []
    check_feed(page)
    page.locator(".accounts tbody button").first.click()
    assert findings() == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_shade_has_contrast(open_page: Open, scheme: str) -> None:
    page = open_page(color_scheme=scheme)
    names = ["paper", "card", "ink", "muted", "edge", "accent", "on-accent", "machine", "human", "between",
             "differs", "level-1", "level-2", "level-3", "level-4"]  # fmt: skip
    root = page.evaluate_handle("getComputedStyle(document.documentElement)")
    value = "(style, name) => style.getPropertyValue('--' + name)"
    colour = {name: root.evaluate(value, name) for name in names}
    text = [("ink", ground) for ground in ("paper", "card", "differs", *names[-4:])]
    text += [(ink, ground) for ink in ("muted", "machine", "human", "accent") for ground in ("paper", "card")]
    text += [("on-accent", "accent")]
    graphics = [(ink, ground) for ink in ("edge", "between") for ground in ("paper", "card")]
    graphics += [("machine", f"level-{level}") for level in range(1, 5)]
    low = [(pair, 4.5) for pair in text if contrast(colour, *pair) < 4.5]
    low += [(pair, 3.0) for pair in graphics if contrast(colour, *pair) < 3]
    assert low == []
    dark = luminance(colour["paper"]) < luminance(colour["ink"])
    assert dark == (scheme == "dark")
    body = page.locator("body").evaluate("e => getComputedStyle(e).backgroundColor")
    assert [int(part) for part in re.findall(r"\d+", body)] == list(bytes.fromhex(colour["paper"][1:]))


def contrast(colours: dict[str, str], one: str, other: str) -> float:
    """Contrast ratio of WCAG 2.2."""
    low, high = sorted([luminance(colours[one]), luminance(colours[other])])
    return (high + 0.05) / (low + 0.05)


def luminance(colour: str) -> float:
    """Relative luminance of ``#rrggbb``, as WCAG 2.2 has it."""
    parts = [value / 255 for value in bytes.fromhex(colour.strip().removeprefix("#"))]
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_a_phone_need_not_scroll_sideways(open_page: Open) -> None:
    page = open_page(viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True)

    def overflow() -> int:
        return int(page.locator("html").evaluate("html => html.scrollWidth - html.clientWidth"))

    assert overflow() == 0
    check(page, RUSSIAN + " " + "ы" * 300)
    sentence(page, 1).tap()
    expect(page.locator("#sentence")).to_be_visible()
    assert overflow() == 0
    drop(page, f"{'long' * 40}.csv", FILE)
    assert overflow() == 0
    check_feed(page)
    page.locator(".accounts tbody button").first.tap()
    assert overflow() == 0
