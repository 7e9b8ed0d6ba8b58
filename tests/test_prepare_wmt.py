"""Test sets of our own, served on the loopback interface, through sacrebleu into training files."""

from __future__ import annotations

import hashlib
import io
import json
import os
import subprocess
import sys
import tarfile
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import sacrebleu.dataset.base
import sacrebleu.utils
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sacrebleu.dataset import DATASETS
from sacrebleu.dataset.fake_sgml import FakeSGMLDataset
from sacrebleu.dataset.wmt_xml import WMTXMLDataset

from checker.evaluation.labelled import read_labelled
from scripts.training import corpora, prepare_wmt, wmt, wmt_lines
from scripts.training.posts import group

ROOT = Path(__file__).parents[1]

# A news item written in English, one written in German (a trap in en-de: its "source" is a translation), one
# that does not tell, a test suite and a canary. MT-2 has an empty segment and ends early.
EN_DE = """<?xml version='1.0' encoding='utf-8'?>
<dataset id="wmttest2098"><collection id="general">
  <doc origlang="en" id="storm"><src lang="en"><p>
    <seg id="1">The storm reached the coast 🌊 on Monday.</seg>
    <seg id="2">Two bridges are closed.</seg>
    <seg id="3">Trains will run
      again on Tuesday.</seg>
    <seg id="4">Shops stay open.</seg></p></src>
  <ref lang="de" translator="refA"><p>
    <seg id="1">Der Sturm erreichte am Montag die Küste 🌊.</seg>
    <seg id="2">Zwei Brücken sind gesperrt.</seg>
    <seg id="3">Am Dienstag fahren wieder Züge.</seg>
    <seg id="4">Die Läden bleiben offen.</seg></p></ref>
  <ref lang="de" translator="B"><p>
    <seg id="1">Am Montag war der Sturm 🌊 an der Küste.</seg>
    <seg id="2">Zwei Brücken bleiben zu.</seg>
    <seg id="3">Züge verkehren ab Dienstag.</seg>
    <seg id="4">Geschäfte haben offen &amp; warten.</seg></p></ref>
  <hyp system="ONLINE-A" lang="de"><p>
    <seg id="1">Der Sturm hat die Küste 🌊 am Montag erreicht.</seg>
    <seg id="2">Zwei Brücken werden geschlossen.</seg>
    <seg id="3">Züge werden wieder am Dienstag laufen.</seg>
    <seg id="4">Läden bleiben geöffnet.</seg></p></hyp>
  <hyp system="MT-2" lang="de"><p>
    <seg id="1">Sturm Küste Montag 🌊.</seg>
    <seg id="2"></seg>
    <seg id="3">Züge laufen Dienstag.</seg></p></hyp>
  </doc>
  <doc origlang="de" id="rathaus"><src lang="en" translator="C"><p>
    <seg id="1">The town hall is being renovated.</seg>
    <seg id="2">The offices move to the school.</seg></p></src>
  <ref lang="de"><p>
    <seg id="1">Das Rathaus wird saniert.</seg>
    <seg id="2">Die Ämter ziehen in die Schule.</seg></p></ref>
  <hyp system="ONLINE-A" lang="de"><p>
    <seg id="1">Das Rathaus ist in Renovierung.</seg>
    <seg id="2">Die Büros bewegen sich zur Schule.</seg></p></hyp>
  </doc>
  <doc id="leer"><src lang="en"><p><seg id="1">Nobody knows who wrote this.</seg></p></src>
  <ref lang="de"><p><seg id="1">Niemand weiß, wer das schrieb.</seg></p></ref></doc>
  <doc origlang="en" id="suite-1" testsuite="suite"><src lang="en"><p><seg id="1">I am.</seg></p></src></doc>
  <doc origlang="en" id="canary" domain="canary"><src lang="en"><p><seg id="1">CANARY</seg></p></src>
  <ref lang="de"><p><seg id="1">CANARY</seg></p></ref></doc>
</collection></dataset>
"""
# The same English news item in another direction, and a text that no direction with English has.
EN_FR = """<dataset id="wmttest2098"><doc origlang="en" id="storm"><src lang="en"><p>
    <seg id="1">The storm reached the coast 🌊 on Monday.</seg>
    <seg id="2">Two bridges are closed.</seg>
    <seg id="3">Trains will run again on Tuesday.</seg>
    <seg id="4">Shops stay open.</seg></p></src>
  <ref lang="fr" translator="A"><p>
    <seg id="1">La tempête 🌊 a atteint la côte lundi.</seg>
    <seg id="2">Deux ponts sont fermés.</seg>
    <seg id="3">Les trains\u00a0: mardi.</seg>
    <seg id="4">Les magasins restent ouverts.</seg></p></ref></doc></dataset>
"""


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache for sacrebleu."""
    folder = tmp_path / "sacrebleu"
    monkeypatch.setattr(sacrebleu.utils, "SACREBLEU_DIR", str(folder))
    monkeypatch.setattr(sacrebleu.dataset.base, "SACREBLEU_DIR", str(folder))
    return folder


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        self.server.answered.append(self.path)  # type: ignore[attr-defined]


class Server:
    """Archives under a real URL, and the requests for them."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.folder = folder
        self.httpd = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder)))
        self.httpd.answered = []  # type: ignore[attr-defined]
        self.requests: list[str] = self.httpd.answered  # type: ignore[attr-defined]
        threading.Thread(target=self.httpd.serve_forever, args=(0.01,), daemon=True).start()

    def archive(self, name: str, files: dict[str, str]) -> tuple[str, str]:
        """Serve the files as a .tgz; its URL and md5."""
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w:gz") as tar:
            for path, text in files.items():
                content = text.encode("utf-8")
                entry = tarfile.TarInfo(path)
                entry.size = len(content)
                tar.addfile(entry, io.BytesIO(content))
        (self.folder / name).write_bytes(packed.getvalue())
        url = f"http://127.0.0.1:{self.httpd.server_port}/{name}"
        return url, hashlib.md5(packed.getvalue()).hexdigest()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    running = Server(tmp_path / "served")
    yield running
    running.httpd.shutdown()
    running.httpd.server_close()


@pytest.fixture
def wmt98(cache: Path, server: Server, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A test set with systems, known to sacrebleu as ``wmt98``; its cache folder."""
    files = {"xml/t.en-de.all.xml": EN_DE, "xml/t.en-fr.all.xml": EN_FR}
    url, md5 = server.archive("wmt98.tgz", files)
    pairs: dict[str, Any] = {"en-de": ["xml/t.en-de.all.xml"], "en-fr": {"path": "xml/t.en-fr.all.xml"}}
    monkeypatch.setitem(
        DATASETS, "wmt98", WMTXMLDataset("wmt98", [url], "ours", "", [md5], pairs, refs=["A"])
    )
    return cache / "wmt98"


def run(tmp_path: Path, *more: str) -> tuple[int, pd.DataFrame, list[dict[str, Any]]]:
    """Exit status, labelled lines with their language, and posts."""
    out, posts = tmp_path / "corpora", tmp_path / "posts.jsonl"
    status = prepare_wmt.main(["--out", str(out), "--jsonl", str(posts), *more])
    frames = [
        pd.read_parquet(path).astype({"label": str, "origin": str, "system": str}).assign(lang=path.stem)
        for path in sorted(out.glob("labelled/*.parquet"))
    ]
    lines = posts.read_text("utf-8").split("\n")[:-1] if posts.exists() else []
    table = pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()
    return status, table, [json.loads(line) for line in lines]


def texts(table: pd.DataFrame, **where: str) -> list[str]:
    for column, value in where.items():
        table = table[table[column] == value]
    return table.sort_values("line")["text"].tolist()


# What becomes of a set


def test_sources_references_and_systems_get_their_labels(wmt98: Path, tmp_path: Path) -> None:
    status, table, _ = run(tmp_path, "--testsets", "wmt98")
    assert status == 0
    versions = (
        table.groupby(["lang", "label", "origin", "system", "source_lang"], observed=True).size().to_dict()
    )
    assert versions == {
        ("en", "human", "original", "author", "en"): 4,
        ("en", "human", "translated", "reference-C", "de"): 2,
        ("en", "human", "mixed", "author-or-reference", "en"): 1,
        ("de", "human", "original", "author", "de"): 2,
        ("de", "human", "translated", "reference-A", "en"): 4,
        ("de", "human", "translated", "reference-B", "en"): 4,
        ("de", "human", "mixed", "author-or-reference", "en"): 1,
        ("de", "machine", "translated", "ONLINE-A", "en"): 6,
        ("de", "machine", "translated", "MT-2", "en"): 2,
        ("fr", "human", "translated", "reference-A", "en"): 4,
    }
    assert set(table["testset"]) == {"wmt98"}


def test_origlang_decides_who_wrote_natively(wmt98: Path, tmp_path: Path) -> None:
    _, table, _ = run(tmp_path, "--testsets", "wmt98")
    assert texts(table, lang="de", origin="original") == [
        "Das Rathaus wird saniert.", "Die Ämter ziehen in die Schule.",
    ]  # fmt: skip
    assert "The town hall is being renovated." not in texts(table, lang="en", origin="original")


def test_text_is_kept_as_written_on_one_line(wmt98: Path, tmp_path: Path) -> None:
    _, table, _ = run(tmp_path, "--testsets", "wmt98")
    assert texts(table, system="reference-B")[::3] == [
        "Am Montag war der Sturm 🌊 an der Küste.", "Geschäfte haben offen & warten.",
    ]  # fmt: skip
    assert texts(table, lang="en", origin="original")[2] == "Trains will run again on Tuesday."
    assert texts(table, lang="fr")[2] == "Les trains\u00a0: mardi."


def test_a_line_number_is_one_segment_in_every_version_and_direction(wmt98: Path, tmp_path: Path) -> None:
    _, table, _ = run(tmp_path, "--testsets", "wmt98")
    storm = table[table["line"] == table.loc[table["text"] == "Two bridges are closed.", "line"].item()]
    assert sorted(storm["text"]) == [
        "Deux ponts sont fermés.", "Two bridges are closed.", "Zwei Brücken bleiben zu.",
        "Zwei Brücken sind gesperrt.", "Zwei Brücken werden geschlossen.",
    ]  # fmt: skip
    assert not table.duplicated(["lang", "testset", "source_lang", "line", "system"]).any()
    # A gap between documents: consecutive lines are always of one document.
    assert table.loc[table["text"] == "The town hall is being renovated.", "line"].item() == 5
    assert table.loc[table["text"] == "Shops stay open.", "line"].item() == 3


def test_what_is_left_out_is_counted(wmt98: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = wmt_lines.collect(DATASETS["wmt98"], ["en", "de", "fr"], lambda: None)
    assert found.skipped == {
        "segments of test suites": 1, "canary segments": 1, "machine lines without text": 1,
        "machine lines not there": 1, "repeated lines": 4,
    }  # fmt: skip
    run(tmp_path, "--testsets", "wmt98")
    shown = capsys.readouterr().err
    assert all(reason in " ".join(shown.split()) for reason in ("canary", "repeated"))


def test_the_lines_are_those_of_sacrebleu_where_it_can_read_a_set(wmt98: Path, tmp_path: Path) -> None:
    dataset = DATASETS["wmt98"]
    _, table, _ = run(tmp_path, "--testsets", "wmt98", "--languages", "fr", "en")
    assert texts(table, lang="en", origin="original") == list(dataset.source("en-fr"))
    reference = Path(dataset.get_files("en-fr")[dataset.fieldnames("en-fr").index("ref:A")])
    ours = [" ".join(text.split()) for text in texts(table, lang="fr")]  # sacrebleu loses no-break spaces
    assert ours == reference.read_text("utf-8").split("\n")[:-1]
    with pytest.raises(KeyError):  # and here it cannot: a system that ends early
        dataset.get_files("en-de")


# The files


def test_the_folder_feeds_the_training_scripts(wmt98: Path, tmp_path: Path) -> None:
    run(tmp_path, "--testsets", "wmt98")
    frame = corpora.labelled(tmp_path / "corpora", "de", "dev")
    assert len(frame) == 19
    assert corpora.labelled(tmp_path / "corpora", "de", "train").empty
    table = group(frame, most=50, lines=(2,))
    assert set(table["kind"]) == {"native", "translated", "machine"}
    assert "Das Rathaus wird saniert. Die Ämter ziehen in die Schule." in set(table["text"])


def test_pairs_of_the_train_split_only(wmt98: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(DATASETS, "wmt97", DATASETS["wmt98"])
    run(tmp_path, "--testsets", "wmt98", "wmt97", "--dev", "wmt98")
    pairs = corpora.parallel(tmp_path / "corpora", "de")
    assert set(pairs["testset"]) == {"wmt97"}
    assert Counter(pairs["kind"]) == {
        "human": 11, "machine-ONLINE-A-en-de": 6, "machine-MT-2-en-de": 2,
    }  # fmt: skip
    found = set(zip(pairs["en"], pairs["other"], pairs["kind"], strict=True))
    assert ("Trains will run again on Tuesday.", "Züge laufen Dienstag.", "machine-MT-2-en-de") in found
    splits = corpora.labelled(tmp_path / "corpora", "fr")[["testset", "split"]].astype(str).drop_duplicates()
    assert dict(splits.itertuples(index=False)) == {"wmt97": "train", "wmt98": "dev"}


def test_the_newest_set_is_the_dev_split_unless_named(
    wmt98: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(DATASETS, "wmt97", DATASETS["wmt98"])
    _, table, _ = run(tmp_path, "--testsets", "wmt98", "wmt97")
    assert set(table.loc[table["split"] == "dev", "testset"]) == {"wmt98"}


def test_posts_are_what_evaluate_and_calibrate_read(wmt98: Path, tmp_path: Path) -> None:
    _, _, posts = run(tmp_path, "--testsets", "wmt98", "--lines", "2", "4")
    assert list(posts[0]) == ["text", "label", "lang", "origin", "system", "testset", "source_lang", "line"]
    read, errors = read_labelled(tmp_path / "posts.jsonl")
    assert not errors
    assert Counter((post.language, post.kind) for post in read) == {
        ("en", "native"): 3, ("en", "translated"): 1, ("de", "native"): 1, ("de", "translated"): 6,
        ("de", "machine"): 4, ("fr", "translated"): 3,
    }  # fmt: skip
    assert {post["text"] for post in posts if post["system"] == "ONLINE-A" and post["line"] == 5} == {
        "Das Rathaus ist in Renovierung. Die Büros bewegen sich zur Schule."
    }
    assert not any(post["system"] == "MT-2" for post in posts)  # a gap where a segment is empty


def test_posts_are_drawn_evenly_over_systems(wmt98: Path, tmp_path: Path) -> None:
    _, _, everything = run(tmp_path, "--testsets", "wmt98", "--lines", "1")
    _, _, some = run(tmp_path, "--testsets", "wmt98", "--lines", "1", "--posts", "3")
    assert Counter((post["lang"], post["system"]) for post in some if post["label"] == "machine") == {
        ("de", "ONLINE-A"): 2, ("de", "MT-2"): 1,
    }  # fmt: skip
    assert max(Counter((post["lang"], post["label"], post["origin"]) for post in some).values()) == 3
    assert all(post in everything for post in some)


def test_the_same_sets_give_the_same_bytes_without_a_second_download(
    wmt98: Path, server: Server, tmp_path: Path
) -> None:
    def content() -> dict[str, bytes]:
        files = [*(tmp_path / "corpora").rglob("*.*"), tmp_path / "posts.jsonl"]
        return {path.name: path.read_bytes() for path in files if path.is_file()}

    run(tmp_path, "--testsets", "wmt98", "--posts", "3")
    first = content()
    run(tmp_path, "--testsets", "wmt98", "--posts", "3")
    assert content() == first
    assert set(first) == {"de.parquet", "en.parquet", "fr.parquet", "posts.jsonl"}
    assert server.requests == ["/wmt98.tgz"]


def test_files_of_an_earlier_run_do_not_stay(wmt98: Path, tmp_path: Path) -> None:
    run(tmp_path, "--testsets", "wmt98")
    run(tmp_path, "--testsets", "wmt98", "--languages", "fr")
    assert [path.name for path in (tmp_path / "corpora").rglob("*.parquet")] == ["fr.parquet"]


def test_corpora_from_elsewhere_are_not_touched(
    wmt98: Path, server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "corpora" / "labelled" / "ru.parquet"
    other.parent.mkdir(parents=True)
    pd.DataFrame({"text": ["Чужой файл."]}).to_parquet(other)
    before = other.read_bytes()
    assert prepare_wmt.main(["--out", str(tmp_path / "corpora"), "--testsets", "wmt98"]) == 1
    assert "ru.parquet was not written by this script" in " ".join(capsys.readouterr().err.split())
    assert other.read_bytes() == before
    assert not server.requests


# The older format


def sgml(tag: str, docs: list[tuple[str, str, list[str]]]) -> str:
    lines = [f'<{tag} setid="ours" srclang="any">']
    for name, original, segments in docs:
        lines.append(f'<doc docid="{name}" genre="news"{original}>')
        lines += [f'<seg id="{n}">{text}</seg>' for n, text in enumerate(segments, start=1)]
        lines.append("</doc>")
    return "\n".join([*lines, f"</{tag}>", ""])


CS = [("praha", ["Most je zavřený.", "Otevře se v&#160;pátek &amp; v&#160;sobotu."]), ("leeds", ["Prší."])]
EN = [
    ("praha", ["The bridge is closed.", "It opens on Friday &amp; Saturday."]),
    ("leeds", ["It is raining."]),
]
ORIGINALS = {"praha": ' origlang="cz"', "leeds": ' origlang="en"'}


@pytest.fixture
def wmt99(cache: Path, server: Server, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Register a set in the format of the years before 2021, both directions from the same two files."""

    def register(originals: dict[str, str] = ORIGINALS, english: Any = EN) -> None:
        files = {}
        for side, docs in (("cs", CS), ("en", english)):
            for role in ("src", "ref"):
                files[f"{role}.{side}.sgm"] = sgml(
                    f"{role}set", [(name, originals.get(name, ""), segments) for name, segments in docs]
                )
        url, md5 = server.archive("wmt99.tgz", files)
        pairs = {"cs-en": ["src.cs.sgm", "ref.en.sgm"], "en-cs": ["src.en.sgm", "ref.cs.sgm"]}
        monkeypatch.setitem(DATASETS, "wmt99", FakeSGMLDataset("wmt99", [url], "ours", "", [md5], pairs))

    return register


def test_sgml_origins_go_by_document_and_mirrored_directions_count_once(
    wmt99: Callable[..., None], tmp_path: Path
) -> None:
    wmt99()
    status, table, _ = run(tmp_path, "--testsets", "wmt99")
    assert status == 0
    rows = table[["lang", "origin", "system", "source_lang", "text"]].astype(str)
    assert sorted(rows.itertuples(index=False, name=None)) == [
        ("cs", "original", "author", "cs", "Most je zavřený."),
        ("cs", "original", "author", "cs", "Otevře se v\u00a0pátek & v\u00a0sobotu."),
        ("cs", "translated", "reference", "en", "Prší."),
        ("en", "original", "author", "en", "It is raining."),
        ("en", "translated", "reference", "cs", "It opens on Friday & Saturday."),
        ("en", "translated", "reference", "cs", "The bridge is closed."),
    ]


def test_without_origlang_the_origin_is_mixed_and_there_are_no_posts(
    wmt99: Callable[..., None], tmp_path: Path
) -> None:
    wmt99(originals={})
    _, table, posts = run(tmp_path, "--testsets", "wmt99", "--lines", "1")
    assert set(zip(table["origin"], table["system"], strict=True)) == {("mixed", "author-or-reference")}
    assert posts == []


def test_a_cut_sgml_file_is_an_error(
    wmt99: Callable[..., None], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wmt99(english=EN[:1])
    status, table, _ = run(tmp_path, "--testsets", "wmt99")
    assert status == 1
    assert table.empty
    assert "different lengths" in capsys.readouterr().err


# What goes wrong


def damage_nothing(cache: Path, server: Server) -> None:
    """For the wrong checksum."""


def drop_archive(cache: Path, server: Server) -> None:
    (server.folder / "wmt97.tgz").unlink()


def cut_archive(cache: Path, server: Server) -> None:
    path = server.folder / "wmt97.tgz"
    path.write_bytes(path.read_bytes()[:200])
    DATASETS["wmt97"].md5 = [hashlib.md5(path.read_bytes()).hexdigest()]


def drop_unpacked(cache: Path, server: Server) -> None:
    DATASETS["wmt97"].md5 = None
    DATASETS["wmt97"].maybe_download()
    (cache / "wmt97" / "raw" / "x.en-de.all.xml").unlink()


def cut_unpacked(cache: Path, server: Server) -> None:
    DATASETS["wmt97"].md5 = None
    DATASETS["wmt97"].maybe_download()
    path = cache / "wmt97" / "raw" / "x.en-de.all.xml"
    path.write_text(path.read_text("utf-8")[:900], "utf-8")


@pytest.mark.parametrize(
    ("damage", "problem"),
    [
        (damage_nothing, "MD5 sum of downloaded file was incorrect"),
        (drop_archive, "HTTP Error 404"),
        (cut_archive, "EOFError"),
        (drop_unpacked, "No such file"),
        (cut_unpacked, "ParseError"),
    ],
)
def test_a_damaged_set_is_one_clear_error_and_the_others_go_on(
    damage: Callable[[Path, Server], None],
    problem: str,
    cache: Path,
    wmt98: Path,
    server: Server,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    url, _ = server.archive("wmt97.tgz", {"x.en-de.all.xml": EN_DE})
    dataset = WMTXMLDataset("wmt97", [url], "ours", "", ["0" * 32], {"en-de": ["x.en-de.all.xml"]})
    monkeypatch.setitem(DATASETS, "wmt97", dataset)
    damage(cache, server)
    for _ in range(2):  # and again with what the first run left in the cache
        status, table, posts = run(tmp_path, "--testsets", "wmt97", "wmt98")
        shown = " ".join(capsys.readouterr().err.split())
        assert status == 1
        assert shown.count("Error: wmt97 cannot be used") == 1
        assert f"remove {cache / 'wmt97'}" in shown
        assert "SACREBLEU" in shown
        assert "Fatal" not in shown.replace("used: Fatal", "")  # sacrebleu's own lines do not come on top
        assert set(table["testset"]) == {"wmt98"}
        assert {post["testset"] for post in posts} == {"wmt98"}
        if _ == 0:
            assert problem in shown


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ([], "nothing to write"),
        (["--testsets", "wmt07"], "invalid choice"),
        (["--dev", "wmt20"], "--dev wmt20 is not among --testsets"),
        (["--languages", "tlh"], "--languages tlh: no direction"),
        (["--lines", "0"], "at least 1"),
        (["--posts", "0"], "at least 1"),
    ],
)
def test_wrong_options(
    arguments: list[str], problem: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = ["--out", str(tmp_path)] if arguments else []
    with pytest.raises(SystemExit) as stop:
        prepare_wmt.main([*out, *arguments])
    assert stop.value.code == 2
    assert problem in capsys.readouterr().err


def test_the_sets_of_the_installed_sacrebleu() -> None:
    known = wmt.testsets()
    assert {"wmt14", "wmt20", "wmt21", "wmt22", "wmt23"} <= set(known)
    assert "wmt08" not in known
    assert known["wmt21"].name == "wmt21/systems"
    with_systems = [name for name, dataset in known.items() if wmt.has_outputs(dataset)]
    assert with_systems[:3] == ["wmt21", "wmt22", "wmt23"]
    assert "wmt20" not in with_systems


def test_the_command_without_a_network(tmp_path: Path) -> None:
    nowhere = dict.fromkeys(("http_proxy", "https_proxy", "HTTPS_PROXY", "HTTP_PROXY"), "http://127.0.0.1:9")
    done = subprocess.run(
        [sys.executable, "-m", "scripts.training.prepare_wmt", "--testsets", "wmt22",
         "--jsonl", tmp_path / "p.jsonl"],
        cwd=ROOT,
        env=os.environ | nowhere | {"SACREBLEU": str(tmp_path / "cache"), "no_proxy": ""},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.count("Error: wmt22 cannot be used") == 1
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "p.jsonl").exists()


# Any set at all


@st.composite
def sets(draw: st.DrawFn) -> dict[str, str]:
    """Directions from en with shared documents; every text says what it is: ``document.segment.version``."""
    documents = draw(st.lists(st.integers(1, 7), min_size=2, max_size=4))
    files = {}
    for target in ("de", "fr"):
        chosen = [
            (f"d{number}", draw(st.sets(st.integers(1, size), min_size=1)))
            for number, size in enumerate(documents)
            if draw(st.integers(0, 3))
        ]
        parts = []
        for name, numbers in draw(st.permutations(chosen)):
            versions = [("src", 'lang="en"', "src", numbers)]
            for tag, key, maker in (
                ("ref", "translator", "A"),
                ("hyp", "system", "X"),
                ("hyp", "system", "Y"),
            ):
                some = draw(st.sets(st.sampled_from(sorted(numbers))))
                versions.append((tag, f'lang="{target}" {key}="{maker}"', maker + target, some))
            body = "".join(
                f"<{tag} {attributes}>"
                + "".join(f'<seg id="{n}">{name}.{n}.{version}</seg>' for n in sorted(some))
                + f"</{tag}>"
                for tag, attributes, version, some in versions
            )
            parts.append(f'<doc origlang="en" id="{name}">{body}</doc>')
        files[f"en-{target}"] = f"<dataset>{''.join(parts)}</dataset>"
    return files


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(files=sets(), size=st.integers(1, 4))
def test_no_post_crosses_a_document_and_its_lines_are_neighbours(
    files: dict[str, str], size: int, cache: Path
) -> None:
    raw = cache / "wmt96" / "raw"
    raw.mkdir(parents=True, exist_ok=True)
    (raw / "wmt96.set.tgz").write_text("unpacked")  # sacrebleu takes it for downloaded
    for pair, content in files.items():
        (raw / f"{pair}.all.xml").write_text(content, "utf-8")
    dataset = WMTXMLDataset(
        "wmt96", ["http://127.0.0.1:9/set.tgz"], "ours", "", None,
        {pair: [f"{pair}.all.xml"] for pair in files},
    )  # fmt: skip
    rows = wmt_lines.collect(dataset, ["en", "de", "fr"], lambda: None).rows
    order = {}  # the segments of a document in the direction of a text
    expected = 0
    for pair, content in files.items():
        for doc in wmt.ElementTree.fromstring(content).iter("doc"):
            segments = [seg.get("id", "") for seg in doc.iterfind("src/seg")]
            order[doc.get("id"), pair[3:]] = [int(segment) for segment in segments]
            for version in (*doc.iter("ref"), *doc.iter("hyp")):
                there = {seg.get("id") for seg in version.iter("seg")}
                runs = "".join("x" if segment in there else " " for segment in segments).split()
                expected += sum(len(run) // size for run in runs)
    posts = list(wmt_lines.posts_of(rows, "wmt96", size))
    used: Counter[tuple[str, int]] = Counter()
    for post in posts:
        parts = [part.split(".") for part in post.text.split(" ")]
        assert len(parts) == size
        assert len({(document, version) for document, _, version in parts}) == 1
        document, numbers = parts[0][0], [int(number) for _, number, _ in parts]
        languages = ["de", "fr"] if post.lang == "en" else [post.lang]
        segments = [order[document, language] for language in languages if (document, language) in order]
        assert any(numbers == s[i : i + size] for s in segments for i in range(len(s)))
        used.update((f"{document}.{number}.{parts[0][2]}", post.line) for number in numbers)
    assert all(times == 1 for times in used.values())
    assert sum(post.lang != "en" for post in posts) == expected
