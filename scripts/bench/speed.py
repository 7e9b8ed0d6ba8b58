"""Measure speed, memory and start-up: this project and plain transformers, with the same models and posts.

    python -m scripts.bench.speed --model embedded --json benchmark.json
    python -m scripts.bench.speed --model opus --posts 96 --batched-posts 16 --plain-posts 5

* compare: posts per second of (a) transformers, a sentence at a time, (b) transformers, 32 sentences at a
  time, (c) this project, each in a separate process, in turn, ``--repeat`` times; medians. The posts have
  three sentences and are in Russian and English, which the round trip serves.
* ways: characters and posts per second of ``checker score`` with and without round trip, fluency, encoder,
  cache and further processes, start-up taken off (two files of different length, subtracted), beside a matrix
  product of the same round: machines differ. English posts make the round trip with the embedded translator,
  as where the extra ``portuguese`` is not installed.
* stages: what one post costs in each stage, in processor time on one thread.
* memory: peak of a process that scores ``--grow`` posts, read and discarded one by one.
* numbers: sentences per second of processor time of the models with 8-bit integers and with 32-bit floats, in
  turn, in one process on one thread.
* start: ``checker score --text`` beside ``python -c "import torch, transformers"``.

``--model opus`` takes a Marian of random weights, of the size of an OPUS-MT model, whose translations are as
long as their sources in all three. Models are loaded and warm before the clock starts.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from checker.runs.processes import ROWS
from scripts.bench.process_tree import descendants, peak_of
from scripts.bench.random_models import EMBEDDED, SENTENCES, posts, random_store
from scripts.bench.tables import Table, add_option, progress, publish, write_json
from scripts.command import ROOT, command


class Way(NamedTuple):
    """A way to score.

    Attributes:
        options: of ``checker score``.
        times: how many times ``--posts`` the shorter file has.
        cached: whether all is in the cache.
    """

    options: tuple[str, ...]
    times: int
    cached: bool = False


WAYS = {
    "everything": Way((), 6),
    "everything, `--workers 1`": Way(("--workers", "1"), 2),
    "everything, from the cache": Way((), 6, cached=True),
    "`--no-round-trip`": Way(("--no-round-trip",), 6),
    "`--fast --workers 2`": Way(("--fast", "--workers", "2"), 8),
    "`--fast`": Way(("--fast",), 8),
    "`--fast --no-encoder`": Way(("--fast", "--no-encoder"), 32),
    "`--fast --no-encoder --workers 1`": Way(("--fast", "--no-encoder", "--workers", "1"), 16),
}
FAST = {"round_trip": False, "fluency": False}
NUMBERED = ("translation", "forced decoding", "language model")
TITLES = {
    "embedded": "Embedded translator",
    "opus": "A Marian of random weights with 61 million parameters, every translation as long as its source",
}
SCORE = "from checker.cli.app import main; main()"


# -- in a process of its own ---------------------------------------------------------------------------


def checker_of(job: dict[str, Any]) -> Any:
    """The checker that a job asks for."""
    from checker.pipeline import Checker

    if job["model"] == "embedded":
        return Checker(**job["settings"])
    from checker.models import ctranslate2_engine

    vars(ctranslate2_engine)["length_limit"] = lambda length: length
    return Checker(profile="hub", store=random_store(Path(job["folder"])), **job["settings"])


def run_ours(job: dict[str, Any]) -> dict[str, float]:
    """Score posts with this project."""
    checker = checker_of(job)
    list(checker.score_many(posts(job["languages"], 8)))
    stream = list(islice(posts(job["languages"], job["posts"] + 8), 8, None))
    found = timed(lambda: sum(1 for result in checker.score_many(stream) if result.to_json()))
    return found | {"characters_per_second": found["posts_per_second"] * sum(map(len, stream)) / len(stream)}


def run_product(job: dict[str, Any]) -> dict[str, float]:
    """Billions of operations a second of a product of two matrices of 32-bit floats, on all cores."""
    import numpy as np

    size = 1024
    one = np.random.default_rng(0).random((size, size), np.float32)
    one @ one  # threads are there
    begun = time.perf_counter()
    for _ in range(job["repeat"]):
        one @ one
    return {"gflops": 2 * size**3 * job["repeat"] / (time.perf_counter() - begun) / 1e9}


def run_plain(job: dict[str, Any]) -> dict[str, float]:
    """Score posts with transformers."""
    from checker.text import clean, sentences
    from scripts.bench.plain import Plain

    translator, fluency = EMBEDDED / "translator", EMBEDDED / "fluency"
    fixed = job["model"] != "embedded"
    if fixed:
        store = random_store(Path(job["folder"]))
        translator, fluency = (store.path(store.model(f"random/{name}")) for name in ("opus-mt", "fluency"))
    plain = Plain(translator, fluency, job["beam"], job["size"], fixed)
    by_language: dict[str, list[str]] = defaultdict(list)
    languages = job["languages"]
    for number, post in enumerate(posts(languages, job["posts"])):
        code = languages[number % len(languages)]
        by_language[code] += [span.text for span in sentences(clean(post).text, code)]
    list(plain.evidence(["Да."], "ru"))

    def score() -> int:
        for code, texts in by_language.items():
            for evidence in plain.evidence(texts, code):
                json.dumps(evidence)
        return int(job["posts"])

    return timed(score)


def stage_functions() -> list[tuple[Any, str, str]]:
    """What is watched: owner, name of the function, and the stage that its time counts to."""
    from checker import measure, pipeline, post
    from checker.evidence import roundtrip
    from checker.models.ctranslate2_engine import CTranslate2Translator
    from checker.models.encoder import Encoder
    from checker.models.language_model import CTranslate2LanguageModel
    from checker.result import Result

    return [
        (post, "clean", "cleaning"),
        (post, "sentences", "sentences"),
        (post, "identify", "language"),
        (CTranslate2Translator, "translate", "translation, there and back"),
        (CTranslate2Translator, "log_probabilities", "forced decoding"),
        (CTranslate2LanguageModel, "log_probabilities", "language model"),
        (Encoder, "read", "encoder"),
        (roundtrip, "_measured", "chrF++, BLEU, TER, differences"),
        (measure, "findings", "style, verdict, result"),
        (pipeline, "judge", "style, verdict, result"),
        (pipeline, "explain", "style, verdict, result"),
        (Result, "to_json", "JSON"),
    ]


def run_stages(job: dict[str, Any]) -> dict[str, float]:
    """Milliseconds of processor time per post by stage: one thread, one batch at a time."""
    job["settings"]["threads"] = 1
    spent: dict[str, float] = defaultdict(float)

    def watch(owner: Any, name: str, stage: str) -> None:
        function = getattr(owner, name)

        def watched(*args: Any, **options: Any) -> Any:
            begun, inner = time.process_time(), sum(spent.values())
            try:
                return function(*args, **options)
            finally:
                nested = sum(spent.values()) - inner
                spent[stage] += time.process_time() - begun - nested

        setattr(owner, name, watched)

    for owner, name, stage in stage_functions():
        watch(owner, name, stage)
    checker = checker_of(job)
    stream = posts(job["languages"], job["posts"] + 8)
    [result.to_json() for result in checker.score_many(islice(stream, 8))]
    spent.clear()
    begun = time.process_time()
    count = sum(1 for result in checker.score_many(stream) if result.to_json())
    total = time.process_time() - begun
    spent["everything else"] = total - sum(spent.values())
    return {stage: round(1000 * seconds / count, 3) for stage, seconds in spent.items()}


def timed(score: Callable[[], int]) -> dict[str, float]:
    """Posts per second and posts per second of processor time of a function that returns their number."""
    before, begun = time.process_time(), time.perf_counter()
    count = score()
    wall, cpu = time.perf_counter() - begun, time.process_time() - before
    return {"posts_per_second": count / wall, "posts_per_cpu_second": count / cpu}


def run_numbers(job: dict[str, Any]) -> dict[str, float]:
    """Sentences per second of processor time, by model and numbers; and how much longer floats take."""
    from checker.models import Store
    from checker.models.load import load_language_model, load_translator
    from checker.processor import Arithmetic
    from checker.text import clean, sentences

    store = Store()
    both: tuple[Arithmetic, ...] = ("int8", "float32")
    texts = [span.text for post in posts(["ru"], job["posts"]) for span in sentences(clean(post).text, "ru")]
    there, fluency = store.translator("embedded", "ru", "en"), store.language_model("embedded", "ru")
    assert there is not None
    assert fluency is not None
    spent: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    models = {
        numbers: (
            load_translator(there, store, device="cpu", threads=1, numbers=numbers),
            load_language_model(fluency, store, device="cpu", threads=1, numbers=numbers),
        )
        for numbers in both
    }
    for turn in range(job["repeat"] + 1):  # the first is not counted
        for numbers, (translator, reader) in list(models.items())[:: 1 if turn % 2 else -1]:
            marks = [time.process_time()]
            found = translator.translate(texts, "ru", "en")
            marks.append(time.process_time())
            translator.log_probabilities([one.text for one in found], texts, "en", "ru")
            marks.append(time.process_time())
            reader.log_probabilities(texts, "ru")
            marks.append(time.process_time())
            for name, begun, ended in zip(NUMBERED, marks, marks[1:], strict=False):
                spent[name][numbers] += [ended - begun] if turn else []
    record: dict[str, float] = {}
    for name, by in spent.items():
        for kind, seconds in by.items():
            record[f"{name}, {kind}"] = round(len(texts) / statistics.median(seconds), 1)
        ratios = [slow / fast for slow, fast in zip(by["float32"], by["int8"], strict=True)]
        record[f"{name}, times as long in float32"] = round(statistics.median(ratios), 2)
    return record


RUNS = {
    "ours": run_ours, "plain": run_plain, "stages": run_stages, "numbers": run_numbers,
    "product": run_product,
}  # fmt: skip


def child(job: dict[str, Any]) -> None:
    """Do one job; the last line of the output is what it found."""
    found = RUNS[job["run"]](job)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform != "darwin" else 2**20)
    print(json.dumps({"found": found, "peak_mib": round(peak)}))


# -- the measurements ----------------------------------------------------------------------------------


def measured(args: argparse.Namespace, run: str, **job: Any) -> dict[str, Any]:
    """What a process of its own finds."""
    same = {"translator": "embedded"} if args.model == "embedded" else {}  # in every language that it serves
    job = {"run": run, "model": args.model, "folder": str(args.folder), **job}
    job["settings"] = same | job.get("settings", {})
    program = [sys.executable, "-m", "scripts.bench.speed", "--child", json.dumps(job)]
    done = subprocess.run(program, check=False, capture_output=True, text=True, env=quiet(), cwd=ROOT)
    if done.returncode:
        sys.exit(done.stderr)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def medians(rounds: list[dict[str, dict[str, Any]]]) -> dict[str, dict[str, float]]:
    """Median of each figure and highest peak of every job over the rounds."""
    return {
        name: {
            **{
                key: round(statistics.median(one[name]["found"][key] for one in rounds), 3)
                for key in rounds[0][name]["found"]
            },
            "peak_mib": max(one[name]["peak_mib"] for one in rounds),
        }
        for name in rounds[0]
    }


def compare(args: argparse.Namespace) -> dict[str, Any]:
    """(a), (b) and (c), in turn."""
    languages = ["ru", "en"]
    plain = {"languages": languages, "beam": args.plain_beam}
    rounds = [
        {
            "a": measured(args, "plain", posts=args.plain_posts, size=1, **plain),
            "b": measured(args, "plain", posts=args.batched_posts, size=32, **plain),
            "c": measured(args, "ours", posts=args.posts, languages=languages, settings={"likelihood": True}),
        }
        for _ in range(args.repeat)
    ]
    found: dict[str, Any] = medians(rounds)
    for name in "a", "b":
        for key in "posts_per_second", "posts_per_cpu_second":
            ratios = [one["c"]["found"][key] / one[name]["found"][key] for one in rounds]
            found[name][f"ratio_{key}"] = round(statistics.median(ratios), 1)
    return found


def ways(args: argparse.Namespace) -> dict[str, Any]:
    """What leaving out, remembering and further processes gain; eight languages that are written with spaces.

    Four of them have a round trip: English, German, French and Russian.
    """
    languages = ["ru", "en", "uk", "de", "fr", "tr", "ar", "fa"]
    most = 2 * args.posts * max(way.times for way in WAYS.values())
    texts = list(posts(languages, most))
    rounds = []
    for _ in range(args.repeat):
        found = {}
        for name, way in WAYS.items():
            found[name] = scored_by_command(texts, way, args.posts * way.times)
            progress(f"{name}: {json.dumps(found[name])}")
        found["product"] = measured(args, "product", repeat=60)
        rounds.append(found)
    return medians(rounds)


def scored_by_command(texts: list[str], way: Way, count: int) -> dict[str, Any]:
    """Speed of ``checker score`` on ``count`` posts that follow as many others; peak of all its processes."""
    if "--workers" not in way.options and count < ROWS:
        sys.exit(f"--posts is too small: the shorter file must have {ROWS} rows, as more processes have")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        environment = quiet() | {"STATEMENT_CHECKER_CACHE": str(folder / "cache")}

        def score(number: int) -> tuple[float, int]:
            source, output = folder / f"{number}.jsonl", folder / "scores.jsonl"
            source.write_text(
                "".join(json.dumps({"id": n, "text": text}) + "\n" for n, text in enumerate(texts[:number]))
            )
            cache = () if way.cached else ("--no-cache",)
            options = ("score", str(source), "-o", str(output), "--translator", "embedded", *way.options)
            return timed_with_peak([sys.executable, "-c", SCORE, *options, *cache], environment)

        if way.cached:
            score(2 * count)
        shorter, (longer, peak) = score(count)[0], score(2 * count)
        rate = count / (longer - shorter)
        characters = rate * sum(map(len, texts[count : 2 * count])) / count
        return {
            "found": {"posts_per_second": rate, "characters_per_second": characters},
            "peak_mib": peak,
        }


def timed_with_peak(program: list[str], environment: dict[str, str]) -> tuple[float, int]:
    """Wall time of a command that must succeed; MiB at the peak of each of its processes, summed (Linux)."""
    peaks: dict[int, int] = {}
    begun = time.perf_counter()
    with (
        tempfile.TemporaryFile("w+") as said,
        subprocess.Popen(
            program, stdout=subprocess.DEVNULL, stderr=said, env=environment, cwd=ROOT
        ) as process,
    ):
        while process.poll() is None:
            for pid in (process.pid, *descendants(process.pid)):
                peaks[pid] = max(peaks.get(pid, 0), peak_of(pid))
            time.sleep(0.05)
        spent = time.perf_counter() - begun
        if process.returncode:
            said.seek(0)
            sys.exit(said.read())
    return spent, round(sum(peaks.values()) / 2**20)


def stages(args: argparse.Namespace) -> dict[str, Any]:
    """Milliseconds per post."""
    found: dict[str, Any] = measured(args, "stages", posts=args.posts, languages=["ru", "en"])["found"]
    return found


def numbers(args: argparse.Namespace) -> dict[str, float]:
    """The embedded models in both kinds of numbers."""
    found: dict[str, float] = measured(args, "numbers", posts=min(args.posts, 32), repeat=args.repeat)[
        "found"
    ]
    return found


def memory(args: argparse.Namespace) -> dict[str, Any]:
    """Peaks by number of posts: all evidence up to ``--grow-full`` posts, and the fastest way."""
    full = [count for count in args.grow if count <= args.grow_full]
    languages = ["ru", "en"]
    return {
        "everything": {
            str(count): measured(args, "ours", posts=count, languages=languages)["peak_mib"] for count in full
        },
        "--fast": {
            str(count): measured(args, "ours", posts=count, languages=languages, settings=FAST)["peak_mib"]
            for count in args.grow
        },
    }


def start(args: argparse.Namespace) -> dict[str, float]:
    """Seconds to the first verdict of a new process, beside the import of torch and transformers."""
    text = next(posts(["ru"], 1))
    ours: list[float] = []
    theirs: list[float] = []
    for _ in range(max(args.repeat, 3)):
        ours.append(seconds([sys.executable, "-c", SCORE, "score", "--text", text, "--no-cache"]))
        theirs.append(seconds([sys.executable, "-c", "import torch, transformers"]))
    return {
        "checker": round(statistics.median(ours), 2),
        "import": round(statistics.median(theirs), 2),
        "ratio": round(statistics.median(o / t for o, t in zip(ours, theirs, strict=True)), 2),
    }


def seconds(program: list[str]) -> float:
    """Wall time of a command that must succeed."""
    begun = time.perf_counter()
    subprocess.run(program, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - begun


def machine() -> dict[str, Any]:
    """What figures of speed are worth nothing without: the processor, its instructions, the numbers."""
    from checker import processor
    from checker.models.ctranslate2_engine import cores
    from checker.models.load import arithmetic

    here = processor.here()
    return {
        "processor": here.name, "instruction_set": here.best, "arithmetic": arithmetic("ctranslate2", "auto"),
        "cores": cores(), "architecture": platform.machine(),
    }  # fmt: skip


def quiet() -> dict[str, str]:
    """The environment of a child: no hub, and nothing said of it."""
    return {
        **os.environ,
        "HF_HUB_OFFLINE": "1",
        "TRANSFORMERS_VERBOSITY": "error",
        "PYTHONWARNINGS": "ignore",
    }


MEASUREMENTS: dict[str, Callable[[argparse.Namespace], dict[str, Any]]] = {
    "compare": compare, "ways": ways, "stages": stages, "memory": memory, "numbers": numbers, "start": start,
}  # fmt: skip


def tables(record: dict[str, Any]) -> dict[str, Table]:
    """The tables of docs/speed.md that a run has the figures for, named after the instruction set as well."""
    found = {}
    if compared := record.get("compare"):
        title = TITLES[record["model"]]
        names = {
            "a": "(a) transformers, one sentence",
            "b": "(b) transformers, 32 sentences",
            "c": "(c) this project",
        }
        rows = []
        for key, name in names.items():
            part = compared[key]
            faster = f"{part['ratio_posts_per_second']:.0f} ×" if key != "c" else ""
            form = ".1f" if part["posts_per_second"] >= 1 else ".2f"
            rows.append([name, format(part["posts_per_second"], form), faster, f"{part['peak_mib']:,} MiB"])
        columns = [title, "posts per second", "(c) is faster by", "peak memory"]
        found[f"speed-{record['model']}"] = Table(columns, rows)
    if spent := record.get("stages"):
        total = sum(spent.values())
        rows = [
            [stage, f"{spent[stage]:.1f}", f"{100 * spent[stage] / total:.0f} %"]
            for stage in sorted(spent, key=spent.__getitem__, reverse=True)
        ]
        columns = ["Stage of (c)", "ms of processor time a post", "share"]
        found["speed-stages"] = Table(columns, rows)
    if speeds := record.get("ways"):
        rows = [
            [
                way, f"{speeds[way]['characters_per_second']:,.0f}",
                f"{speeds[way]['posts_per_second']:.0f}", f"{speeds[way]['peak_mib']:,} MiB",
            ]
            for way in WAYS
        ]  # fmt: skip
        product = f"{speeds['product']['gflops']:.0f} GFLOP/s"
        rows.append(["beside them, a product of two matrices", product, "", ""])
        columns = ["", "characters per second", "posts per second", "peak memory"]
        found["speed-ways"] = Table(columns, rows)
    if peaks := record.get("memory"):
        full, fast = peaks.values()
        rows = [
            [f"{int(count):,}", f"{full[count]:,} MiB" if count in full else "not run", f"{peak:,} MiB"]
            for count, peak in fast.items()
        ]
        columns = ["posts", "peak memory, everything", "`--no-round-trip --no-fluency`"]
        found["speed-memory"] = Table(columns, rows)
    if speeds := record.get("numbers"):
        rows = [
            [
                name,
                *(f"{speeds[f'{name}, {kind}']:.1f}" for kind in ("float32", "int8")),
                f"{speeds[f'{name}, times as long in float32']:.2f} ×",
            ]
            for name in NUMBERED
        ]
        columns = ["", "32-bit floats", "8-bit integers", "floats take"]
        found["speed-numbers"] = Table(columns, rows)
    instructions = str(record["instruction_set"]).lower().replace(" ", "-")
    return {f"{name}-{instructions}": table for name, table in found.items()}


@contextmanager
def models(args: argparse.Namespace) -> Iterator[None]:
    """The folder of the random translator, made and converted before anything is measured."""
    with tempfile.TemporaryDirectory() as folder:
        args.folder = Path(folder)
        if args.model == "opus":
            measured(args, "ours", posts=1, languages=["ru"])
        yield


def main() -> None:
    parser = command(__doc__)
    parser.add_argument("--model", choices=TITLES, default="embedded")
    parser.add_argument("--parts", nargs="+", choices=MEASUREMENTS, default=list(MEASUREMENTS))
    parser.add_argument("--posts", type=int, default=192, help="of this project")
    parser.add_argument("--plain-posts", type=int, default=10, help="of (a)")
    parser.add_argument("--batched-posts", type=int, default=32, help="of (b)")
    parser.add_argument("--plain-beam", type=int, default=4, help="of (a) and (b); this project has 2")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--threads", type=int, help="of everything; by default as many as there are cores")
    parser.add_argument("--grow", type=int, nargs="+", default=[100, 1000, 10_000])
    parser.add_argument("--grow-full", type=int, default=1000)
    parser.add_argument("--json", type=Path, help="write the figures there")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    add_option(parser)
    args = parser.parse_args()
    if args.child:
        child(json.loads(args.child))
        return
    if args.threads:
        os.environ |= dict.fromkeys(("OMP_NUM_THREADS", "RAYON_NUM_THREADS"), str(args.threads))
    record: dict[str, Any] = {
        "model": args.model, **machine(),
        "posts": args.posts, "sentences_per_post": SENTENCES, "load_before": os.getloadavg()[0],
    }  # fmt: skip
    progress(f"machine: {json.dumps(machine())}")
    with models(args):
        for part in args.parts:
            record[part] = MEASUREMENTS[part](args)
            progress(f"{part}: {json.dumps(record[part])}")
    record["load_after"] = os.getloadavg()[0]
    publish(tables(record), args.tables)
    write_json(record, args.json)


if __name__ == "__main__":
    main()
