"""What a user of the command sees: output, messages and exit status."""

from __future__ import annotations

import json
import os
import pty
import re
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from rich.console import Console, RenderableType

from checker.cli.score import Highest
from checker.cli.terminal import show, table
from checker.result import (
    Difference,
    FalseAlarm,
    Language,
    Reason,
    Result,
    RoundTrip,
    RowError,
    Sentence,
    Warning,
    Word,
)
from checker.runs.local import CHUNK
from checker.text import printable
from checker.verdict.advice import advice
from checker.version import __version__

EXAMPLES = Path(__file__).parent.parent / "examples" / "posts.jsonl"

REAL = [sys.executable, "-m", "checker"]
STAND_IN = """
import sys, types
sys.path.insert(0, {tests!r})
from test_batch import StandIn
from checker.models import Store

class Checker(StandIn):
    def __init__(self, settings):
        super().__init__(pause={pause})
        self.settings, self.profile, self.store = settings, settings.profile, Store()
    def score(self, text):
        return next(self.score_many([text], ["1"]))

pipeline = types.ModuleType("checker.pipeline")
pipeline.Checker = Checker
sys.modules["checker.pipeline"] = pipeline
sys.argv[0] = "checker"
from checker.cli.app import main
main()
"""


def stand_in(pause: float = 0.0) -> list[str]:
    """The command with models that answer at once."""
    return [sys.executable, "-c", STAND_IN.format(tests=str(Path(__file__).parent), pause=pause)]


def run(
    *args: object, command: list[str] | None = None, data: bytes = b"", **env: str
) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [*(command or stand_in()), *map(str, args)],
        input=data, capture_output=True, check=False, timeout=300, env={**os.environ, **env},
    )  # fmt: skip
    return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())


@pytest.fixture
def posts(tmp_path: Path) -> Path:
    """Three good rows and a bad one."""
    path = tmp_path / "posts.jsonl"
    path.write_text(
        '{"id": "a", "text": "один"}\n{"id": "b", "text": "three"}\n{"id": "c"}\n{"id": "d", "text": ""}\n'
    )
    return path


# The command


def test_help_and_version_import_nothing_heavy() -> None:
    code = (
        "import sys, checker.cli.app\n"
        "heavy = {'torch', 'transformers', 'ctranslate2', 'pyarrow', 'sacrebleu', 'numpy', 'pydantic'}\n"
        "print(heavy & set(sys.modules))"
    )
    assert run(command=[sys.executable, "-c", code]).stdout == "set()\n"
    assert run("--version", command=REAL).stdout == f"statement-checker {__version__}\n"
    assert "score" in run("--help", command=REAL).stdout
    assert "--text-column" in run("score", "--help", command=REAL).stdout


def test_piped_output_is_jsonl_and_bad_rows_are_counted(posts: Path) -> None:
    done = run("score", posts)
    assert done.returncode == 0
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [row["id"] for row in rows] == ["a", "b", "c", "d"]
    assert rows[2]["error"] == "There is no text."
    assert "4 rows" in done.stderr
    assert "1 unreadable" in done.stderr
    assert "1 not-scored" in done.stderr


def test_strict_exits_with_3_for_a_bad_row(posts: Path, tmp_path: Path) -> None:
    assert run("score", posts, "--strict").returncode == 3
    (tmp_path / "good.txt").write_text("fine\n")
    assert run("score", tmp_path / "good.txt", "--strict").returncode == 0


def test_output_file_with_a_preview(posts: Path) -> None:
    output = posts.parent / "scores.jsonl"
    done = run("score", posts, "-o", output)
    assert done.returncode == 0
    assert len(output.read_text().splitlines()) == 4
    assert "unreadable" in done.stdout
    assert "human-written" in done.stdout
    many = posts.parent / "many.txt"
    many.write_text("post\n" * 30)
    assert "10 more" in run("score", many, "-o", output).stdout


def test_standard_input(posts: Path) -> None:
    assert len(run("score", "-", data=posts.read_bytes()).stdout.splitlines()) == 4
    assert json.loads(run("score", "-", data="просто текст\n".encode()).stdout)["id"] == "1"
    output = posts.parent / "out.csv"
    assert run("score", "-", "-o", output, data=b"one\ntwo\n").returncode == 0
    assert len(output.read_text("utf-8-sig").splitlines()) == 3


def test_a_terminal_gets_a_table(posts: Path) -> None:
    reader, writer = pty.openpty()
    done = subprocess.run(
        [*stand_in(), "score", str(posts)], stdout=writer, stderr=subprocess.PIPE, check=False
    )
    os.close(writer)
    shown = os.read(reader, 100_000).decode()
    os.close(reader)
    assert done.returncode == 0
    assert "verdict" in shown
    assert "human-written" in shown
    assert "{" not in shown


@pytest.mark.parametrize("plain", ["", "1"])
def test_a_text_on_a_terminal_has_colours_unless_the_user_has_none(plain: str) -> None:
    reader, writer = pty.openpty()
    env = {**os.environ, "TERM": "xterm-256color", "NO_COLOR": plain}
    done = subprocess.run([*stand_in(), "score", "--text", "three"], stdout=writer, env=env, check=False)
    os.close(writer)
    shown = os.read(reader, 100_000).decode()
    os.close(reader)
    assert done.returncode == 0
    assert "machine-translated" in shown
    assert ("\x1b[" in shown) is not bool(plain)


@pytest.mark.parametrize(
    ("args", "problem"),
    [
        (["{folder}/missing.jsonl"], "missing.jsonl"),
        (["{folder}/missing.jsonl", "-o", "{posts}"], "missing.jsonl"),
        (["{folder}/posts.doc"], "format"),
        (["{folder}/posts.csv"], "no column 'text'"),
        (["{folder}/posts.csv", "--text-column", "body", "--id-column", "nr"], "no column 'nr'"),
        (["{posts}", "-o", "{folder}/nowhere/out.jsonl"], "no folder"),
        (["{posts}", "-o", "{folder}/out.xlsx"], "format"),
        (["{posts}", "-o", "{posts}"], "is the input"),
        (["{posts}", "-o", "{folder}/out.csv", "--json"], "--output"),
        (["{posts}", "--text", "both"], "INPUT or --text"),
        ([], "INPUT or --text"),
        (["{folder}/\x1b[31mmissing.jsonl"], "missing.jsonl"),
    ],
)
def test_a_mistake_is_one_line_and_exit_status_2(posts: Path, args: list[str], problem: str) -> None:
    (posts.parent / "posts.csv").write_text("body\none\n")
    (posts.parent / "posts.doc").touch()
    done = run("score", *(arg.format(folder=posts.parent, posts=posts) for arg in args))
    assert done.returncode == 2
    assert done.stdout == ""
    assert problem in done.stderr
    assert done.stderr.count("\n") == 1
    assert "\x1b" not in done.stderr
    assert not list(posts.parent.glob("*.journal"))


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_says_how_to_resume(tmp_path: Path, stop: signal.Signals) -> None:
    source, output = tmp_path / "posts.txt", tmp_path / "out.jsonl"
    source.write_text("post\n" * 1000)
    process = subprocess.Popen(
        [*stand_in(0.005), "score", "--restart", source, "-o", output], stderr=subprocess.PIPE, text=True
    )
    journal = Path(f"{output}.journal")
    while not journal.exists() or journal.read_bytes().count(b"chunk") < 2:
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(stop)
    _, told = process.communicate(timeout=60)
    assert process.returncode == 130
    command = shlex.split(told.partition("Resume with: checker ")[2])
    assert command == ["score", str(source), "-o", str(output)]
    assert "Traceback" not in told
    done = run(*command)
    went_on = re.search(r"Going on after the (\d+) rows", done.stderr)
    assert went_on is not None
    assert int(went_on[1]) in (CHUNK, 2 * CHUNK, 3 * CHUNK)
    assert len(output.read_bytes().splitlines()) == 1000


def test_a_closed_pipe_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "posts.txt").write_text("post\n" * 5000)
    process = subprocess.Popen(
        [*stand_in(), "score", tmp_path / "posts.txt"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.readline()
    process.stdout.close()
    assert process.stderr.read() == b""
    process.wait(timeout=60)
    process.stderr.close()


def test_text_in_an_encoding_that_is_not_utf8_is_a_mistake() -> None:
    done = subprocess.run([*stand_in(), "score", "--text", b"caf\xe9"], capture_output=True, check=False)
    assert done.returncode == 2
    assert done.stderr.count(b"\n") == 1


def test_output_is_utf8_in_any_locale(posts: Path) -> None:
    done = run("score", posts, PYTHONIOENCODING="ascii", LC_ALL="C")
    assert json.loads(done.stdout.splitlines()[0])["id"] == "a"
    assert run("score", posts, "-o", posts.parent / "out.csv", PYTHONIOENCODING="ascii").returncode == 0


# The command with the embedded models


def test_the_examples_end_to_end(tmp_path: Path) -> None:
    output = tmp_path / "scores.jsonl"
    done = run("score", EXAMPLES, "-o", output, command=REAL)
    assert done.returncode == 0, done.stderr
    results = {row["id"]: row for row in map(json.loads, output.read_text("utf-8").splitlines())}
    assert list(results) == [json.loads(line)["id"] for line in EXAMPLES.read_text("utf-8").splitlines()]
    for id, row in results.items():
        Result.model_validate(row)
        if id != "ru-too-short":
            assert row["language"]["code"] in id
    assert results["ru-too-short"]["verdict"] == "not_scored"
    assert results["ru-en-mixed"]["language"]["mixed"]
    calqued, native = results["ru-warning-calqued"], results["ru-warning-native"]
    assert calqued["machine_translated"] > native["machine_translated"]
    assert native["verdict"] != "machine_translated"


def test_one_text_is_shown_with_its_evidence() -> None:
    text = json.loads(EXAMPLES.read_text("utf-8").splitlines()[0])["text"]
    done = run("score", "--text", text, command=REAL)
    assert done.returncode == 0, done.stderr
    assert "language Russian" in done.stdout
    for heading in ("Why", "Sentences", "in English", "not to be quoted", "words", "What to do next"):
        assert heading in done.stdout
    assert "\x1b" not in done.stdout
    told = " ".join(done.stdout.split())
    assert re.match(r"(Looks|Cannot tell|Reads like)[^.]*\. What to do next", told)
    assert re.search(r"Translated by a machine: \d\d in 100 posts like this ", told)
    done = run("score", "--text", text, "--json", "--no-round-trip", command=REAL)
    result = Result.model_validate_json(done.stdout)
    assert result.language.code == "ru"
    assert result.round_trip is None


@pytest.mark.parametrize("option", ["--profile", "--engine", "--device", "--pivot", "--language"])
def test_an_unknown_choice_is_one_line_and_exit_status_2(option: str) -> None:
    done = run("score", "--text", "text", option, "klingon", command=REAL)
    assert done.returncode == 2
    assert "klingon" in done.stderr
    assert done.stderr.count("\n") == 1


def test_cuda_without_a_gpu_is_one_line_and_exit_status_2(posts: Path) -> None:
    done = run(
        "score",
        EXAMPLES,
        "-o",
        posts.parent / "out.jsonl",
        "--device",
        "cuda",
        command=REAL,
        CUDA_VISIBLE_DEVICES="",
    )
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "Traceback" not in done.stderr


# The report

TEXT = "[red]Эвакуируйте себя \x1b[31mнемедленно\u202e!"
SENTENCE = Sentence(
    text=TEXT[5:],
    start=5,
    end=len(TEXT),
    language="ru",
    machine_translated=0.999,
    pivot="en",
    pivot_text="Evacuate [bold]yourself[/bold] at once!",
    back_translation="Немедленно эвакуируйтесь!",
    chrf=41.0,
    words=(Word(start=5, end=16, weight=0.5), Word(start=17, end=21, weight=-0.5)),
    differences=(
        Difference(start=12, end=21, back_translation="", back_start=10, back_end=10),
        Difference(start=5, end=5, back_translation="!", back_start=24, back_end=25),
    ),
)
RESULT = Result(
    id="[b]id\x1b",
    verdict="machine_translated",
    machine_translated=0.93,
    fluency=0.412,
    language=Language(code="ru", confidence=0.998, mixed=True),
    round_trip=RoundTrip(pivot="en", chrf=61.25, bleu=33, ter=48.1, log_likelihood=-1, gap=0, signature="s"),
    sentences=(SENTENCE,),
    reasons=(
        Reason(kind="style", text="Calqued: [i]себя[/i]\x07."),
        Reason(kind="threshold", text="The threshold."),
        Reason(kind="fluency", text="second"),
    ),
    warnings=(Warning(code="truncated", text="A warning."),),
    advice=("Do this [b]first[/b].",),
    models={"translator": "marian@1"},
    version="0.1.0",
)


def render(renderable: RenderableType, width: int = 120, colour: bool = False) -> str:
    console = Console(
        width=width, force_terminal=colour, color_system="standard" if colour else None, no_color=False
    )
    with console.capture() as capture:
        console.print(renderable)
    return capture.get().replace("\N{NO-BREAK SPACE}", " ")


def test_nothing_of_a_post_is_taken_for_markup_or_control() -> None:
    for shown in (render(show(RESULT)), render(show(RESULT, marks=True)), render(table([RESULT]))):
        assert "[b]id" in shown or "[i]себя[/i]" in shown
        assert not set(shown) & {"\x1b", "\x07", "\u202e"}
    assert "[bold]yourself[/bold]" in render(show(RESULT))
    assert len(printable(TEXT)) == len(TEXT)
    assert printable("نیم‌فاصله\n") == "نیم‌فاصله\n"


def test_one_post_in_full() -> None:
    shown = render(show(RESULT))
    for part in (
        "93 in 100",
        "Russian (>99% sure)",
        "mixed",
        "second",
    ):
        assert part in shown
    for part in (
        "Немедленно эвакуируйтесь!",
        "A warning.",
        "marian@1",
        "statement-checker 0.1.0",
        "Russian   chrF++ 41.0",
        "in English  Evacuate",
        "Эвакуируйте +0.50",
    ):
        assert part in shown


def test_the_finding_comes_first_then_what_to_do_then_the_evidence() -> None:
    alarm = {"language": "ru", "negatives": "native", "posts": 300}
    asked = RESULT.model_copy(
        update={
            "translated": 0.97,
            "false_alarm_rate": (
                FalseAlarm.model_validate(alarm | {"question": "machine_translated", "rate": 1 / 90}),
                FalseAlarm.model_validate(alarm | {"question": "translated", "rate": 1 / 70}),
            ),
        }
    )
    lines = [line.strip() for line in render(show(asked, marks=True), width=200).splitlines()]
    assert lines[0] == "Looks machine-translated: only 1 in 90 human posts scores this high."
    assert lines[2:4] == ["What to do next", "- Do this [b]first[/b]."]
    assert lines[5:7] == [
        "Translated by a machine: 93 in 100 posts like this",
        "Translated at all, by a person or a machine: 97 in 100 posts like this",
    ]
    assert lines[lines.index("How often this is wrong") + 1] == "- The threshold."
    assert " ".join(lines).count("93") == 1  # no figure twice
    assert lines[lines.index("Why") + 1 : lines.index("Why") + 3] == [
        "- Calqued: [i]себя[/i]\ufffd.",
        "- second",
    ]


def test_a_translation_is_in_the_pivot_of_its_sentence() -> None:
    """Not in that of the post: a mixed one has a pivot for each language."""
    english = SENTENCE.model_copy(update={"language": "en", "pivot": "ru", "pivot_text": "Уходите!"})
    shown = render(show(RESULT.model_copy(update={"sentences": (SENTENCE, english)}), marks=True))
    assert re.search(r"in English +Evacuate", shown)
    assert re.search(r"in Russian +Уходите!", shown)


def _unscored(code: str, **facts: object) -> dict[str, object]:
    return {
        "verdict": "not_scored",
        "warnings": (Warning.model_validate({"code": code, "text": "…"}),),
        **facts,
    }


@pytest.mark.parametrize(
    ("update", "expected"),
    [
        ({"verdict": "uncertain"}, "Score the parts in different languages separately."),
        ({"verdict": "uncertain", "reasons": (Reason(kind="unmeasured", text="…"),)}, "checker calibrate"),
        ({"verdict": "human_written"}, "no proof of a human author"),
        (_unscored("no_text", sentences=()), "Give the words of the post"),
        (_unscored("language_unknown", language=Language(code=None, confidence=0)), "--language"),
        (
            _unscored("language_unsupported", language=Language(code="sw", confidence=0.9)),
            "no model here does",
        ),
        (_unscored("too_short"), "Give a longer text"),
    ],
)
def test_every_verdict_comes_with_what_to_do_next(update: dict[str, object], expected: str) -> None:
    result = RESULT.model_copy(update=update)
    shown = render(show(result.model_copy(update={"advice": advice(result)}), marks=True), width=200)
    assert expected in shown.partition("What to do next")[2]


def test_differences_are_marked_in_the_back_translation_too() -> None:
    back = "Немедленно эвакуируйтесь"
    changed = Difference(start=5, end=16, back_translation=back, back_start=0, back_end=len(back))
    sentence = SENTENCE.model_copy(update={"differences": (changed,)})
    result = RESULT.model_copy(update={"sentences": (sentence,)})
    assert "and back    _Немедленно эвакуируйтесь_!" in render(show(result, marks=True))
    assert "\x1b[4mНемедленно эвакуируйтесь\x1b[0m!" in render(show(result), colour=True)


def test_marks_come_without_any_style() -> None:
    """As NO_COLOR asks for, on a terminal that could show them."""
    assert "\x1b" in render(show(RESULT), colour=True)
    assert "\x1b" not in render(show(RESULT, marks=True), colour=True)


def test_a_probability_is_shaded_by_its_size() -> None:
    shades = set()
    for probability in (0.0, 0.3, 0.5, 0.7, 1.0):
        result = RESULT.model_copy(update={"machine_translated": probability})
        escape = re.search(r"\x1b\[([\d;]+)m (?:under |over )?\d+ in 100 ", render(show(result), colour=True))
        assert escape is not None
        shades.add(escape[1])
    assert len(shades) == 5


def test_highlights_as_marks_and_as_styles() -> None:
    # "Эвакуируйте" from 5 to 16 raises the log-odds; "йте себя" and one more from 12 to 21 did not come back.
    assert "*Эвакуир_уйте* себя_ \ufffd[31mнемедленно\ufffd!" in render(show(RESULT, marks=True))
    styled = render(show(RESULT), colour=True)
    # "себя" lowers them.
    machine, human = "\x1b[1;31mЭвакуир\x1b[0m\x1b[1;4;31mуйте\x1b[0m", "\x1b[4;36mсебя\x1b[0m"
    assert f"{machine}\x1b[4m \x1b[0m{human}" in styled
    assert "*" not in styled


def test_a_table_has_whole_ids_and_the_highest_first() -> None:
    error = RowError(id="x" * 50, row=7, field="text", error="There is no text.", fix="Add it.")
    unscored = Result(
        id="2", verdict="not_scored", language=Language(code=None, confidence=0), models={}, version="0",
        warnings=(Warning(code="no_text", text="Not scored:\nempty."),),
    )  # fmt: skip
    lower = RESULT.model_copy(update={"id": "lower", "machine_translated": 0.2, "verdict": "uncertain"})
    ranked = RESULT.model_copy(
        update={
            "id": "ranked",
            "machine_translated": 0.99,
            "reasons": (
                Reason(kind="style", text="…", rank=0.96),
                Reason(kind="fluency", text="…", rank=0.4),
            ),
        }
    )
    for width in (80, 120):
        together = render(table([error, unscored, lower, RESULT, ranked]), width)
        lines = together.splitlines()
        assert max(map(len, lines)) <= width
        assert len(lines) == 6 + 2  # an id of three lines
        assert "".join(line.split()[0] for line in lines[5:]) == error.id  # whole
        places = [together.index(word) for word in ("ranked", "[b]id", "lower", "not scored", "unreadable")]
        assert places == sorted(places)  # highest first
        assert "patterns 96%" in lines[1]
    assert "patterns 96%, fluency 40%" in together
    assert "row 7: There is no text." in together
    assert "only links, mentions" in together
    assert "marian" not in together


def test_the_most_suspicious_rows_are_previewed() -> None:
    kept = Highest(2)
    for n in (1, 3, 2, 0):
        kept.add(RESULT.model_copy(update={"id": str(n), "machine_translated": n / 4}))
    assert [row.id for row in kept.rows] == ["3", "2"]
