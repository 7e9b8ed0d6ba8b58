"""``make calibrate-translator`` end to end, against records and a test set on the loopback interface.

The real pair Portuguese-English stands in for Russian, with Portuguese text.
"""

import itertools
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import fake_records
import pytest
from test_firefox_download import russian  # noqa: F401  (a fixture)
from test_prepare_wmt import Server

from checker.evidence.style import wording
from checker.pipeline import Checker
from checker.verdict.file import read
from scripts.training import calibrate_translator

ROOT = Path(__file__).parents[1]
WHO = ["o presidente da câmara", "a diretora da escola", "o comandante do porto", "a ministra da saúde",
       "o dono do café", "a associação de moradores"]  # fmt: skip
DID = [
    "anunciou a abertura de",
    "visitou com os vizinhos",
    "prometeu fechar",
    "pediu ajuda para",
    "mandou pintar",
]
WHAT = ["uma biblioteca nova", "duas pontes antigas", "o mercado do peixe", "um jardim para crianças",
        "a estação dos comboios", "três casas em ruínas"]  # fmt: skip


def written(count: int, place: str) -> list[str]:
    """Distinct sentences of one length band."""
    found = [
        f"Na {day}, {who} {did} {what} {place}."
        for day, who, did, what in itertools.product(("segunda", "terça", "sexta"), WHO, DID, WHAT)
    ]
    random.Random(place).shuffle(found)
    return found[:count]


NATIVE, MACHINE = written(110, "em Lisboa"), written(104, "de o Porto")


def document(name: str, language: str, segments: dict[str, list[str]], original: str) -> str:
    """A document of the format of WMT since 2021; the keys are the tags of its versions."""
    lines = [f'<doc origlang="{original}" id="{name}">']
    for tag, texts in segments.items():
        numbered = "".join(f'<seg id="{n}">{text}</seg>' for n, text in enumerate(texts, 1))
        lines.append(f"<{tag}><p>{numbered}</p></{tag.split(' ')[0]}>")
    return "\n".join([*lines, "</doc>"])


@pytest.fixture
def testset(tmp_path: Path) -> Iterator[tuple[str, Server]]:
    """Code that makes the set ``wmt98`` known to sacrebleu, and the server that has it."""
    source = [f"Sentence number {n} of the news." for n in range(52)]
    into = document("news", "ru", {
        'src lang="en"': source,
        'hyp system="A" lang="ru"': MACHINE[:52],
        'hyp system="B" lang="ru"': MACHINE[52:],
    }, "en")  # fmt: skip
    outof = document("leads", "en", {'src lang="ru"': NATIVE}, "ru")
    files = {
        f"t.{pair}.all.xml": f"<dataset>{doc}</dataset>" for pair, doc in (("en-ru", into), ("ru-en", outof))
    }
    server = Server(tmp_path / "served")
    url, md5 = server.archive("wmt98.tgz", files)
    pairs = {name.split(".")[1]: [name] for name in files}
    code = (
        "from sacrebleu.dataset import DATASETS\n"
        "from sacrebleu.dataset.wmt_xml import WMTXMLDataset\n"
        f"pairs = {pairs!r}\n"
        f"made = WMTXMLDataset('wmt98', [{url!r}], 'ours', '', [{md5!r}], pairs, refs=['A'])\n"
        "DATASETS['wmt98'] = made\n"
    )
    yield code, server
    server.httpd.shutdown()
    server.httpd.server_close()


@pytest.mark.slow
def test_a_killed_calibration_goes_on_and_says_before_and_after(
    russian: dict[tuple[str, str], Path],  # noqa: F811
    testset: tuple[str, Server],
    tmp_path: Path,
) -> None:
    register, sets = testset
    total = len(NATIVE) + len(MACHINE)
    vectors = {wording(text, "ru").text for text in (*NATIVE, *MACHINE)}  # what the encoder reads of them
    home, output = tmp_path / "home", tmp_path / "calibration.json"
    command = [
        "--languages", "ru", "--testsets", "wmt98", "--lines", "1", "--posts", "200", "-o", str(output),
        "--folder", str(tmp_path / "runs"),
    ]  # fmt: skip
    code = (
        f"{register}import sys\n"
        "from scripts.training.calibrate_translator import main\n"
        f"sys.exit(main({command!r}))\n"
    )
    with fake_records.serve(russian) as records:
        environment = {
            **os.environ, "PYTHONPATH": str(ROOT), "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1",
            "STATEMENT_CHECKER_HOME": str(home), "STATEMENT_CHECKER_CACHE": str(home / "sentences"),
            "SACREBLEU": str(tmp_path / "sacrebleu"), "FXTRANSLATE_RECORDS_URL": records.records,
        }  # fmt: skip
        started = [sys.executable, "-c", code]

        def kept() -> dict[bytes, bytes]:
            """The sentences in the cache."""
            try:
                with sqlite3.connect(
                    f"file:{home / 'sentences' / 'sentences.sqlite'}?mode=ro", uri=True
                ) as file:
                    return dict(file.execute("SELECT key, value FROM entry_1"))
            except sqlite3.Error:
                return {}

        log = tmp_path / "log"
        with log.open("w") as output_of, subprocess.Popen(started, env=environment, stderr=output_of) as run:
            deadline = time.monotonic() + 120
            while len(kept()) <= len(vectors):  # the encoder reads before anything is translated
                assert time.monotonic() < deadline
                assert run.poll() is None, log.read_text()
                time.sleep(0.02)
            run.send_signal(signal.SIGKILL)
        before = kept()
        assert len(vectors) < len(before) < total + len(vectors)
        assert not output.exists()
        records.requests.clear()
        sets.requests.clear()

        done = subprocess.run(started, env=environment, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stderr
    assert (records.requests, sets.requests) == ([], [])
    after = kept()
    assert {key: after[key] for key in before} == before  # none was translated again
    assert len(after) == total + len(vectors)
    header, _, row = done.stdout.strip().split("\n")
    assert header.startswith("| language | posts | AUC before | AUC after |")
    language, posts, *figures = [cell.strip() for cell in row.strip("|").split("|")]
    assert (language, posts) == ("ru", str(total))
    assert all(0 <= float(auc) <= 1 for auc in figures[:2])
    fitted = read(output).languages["ru"]
    assert fitted.models["translator"].startswith("firefox/ru-en@")
    assert {"style", "style+round_trip"} <= fitted.correction.keys()


def test_human_posts_alone_give_a_threshold_by_rank(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STATEMENT_CHECKER_HOME", str(tmp_path / "home"))
    posts, output = tmp_path / "posts.jsonl", tmp_path / "calibration.json"
    rows = [{"text": text, "label": "human", "lang": "pt"} for text in NATIVE]
    rows += [
        {"text": MACHINE[0], "label": "machine", "lang": "pt"},
        {"text": "Olá.", "label": "human", "lang": "pt"},
    ]
    posts.write_text("\n".join(map(json.dumps, rows)))
    command = ["--languages", "pt", "--human", str(posts), "-o", str(output)]
    assert calibrate_translator.main(command) == 0
    out, err = capsys.readouterr()
    assert f"pt: {len(NATIVE)} of {len(NATIVE) + 1} human posts have a round trip" in err
    assert f"| pt | {len(NATIVE)} | – | – | – | – |" in out
    fitted = read(output).languages["pt"]
    assert fitted.posts == {"native": len(NATIVE)}
    cuts = [cut for cut in fitted.thresholds["style+encoder+round_trip"] if cut]
    assert [cut.posts for cut in cuts] == [len(NATIVE)]
    assert all(cut.false_positive_rate <= 0.01 for cut in cuts)

    checker = Checker(calibration=output, fluency=False, threads=1)
    results = list(checker.score_many(NATIVE[:8]))
    assert sum(result.verdict == "machine_translated" for result in results) <= 1
    codes = {warning.code for result in results for warning in result.warnings}
    assert codes == {"no_machine_text"}
    kinds = {reason.kind for result in results for reason in result.reasons}
    assert kinds - {"translated", "rudimentary"} == {"style", "encoder", "round_trip", "threshold"}
    assert "more than of" in " ".join(reason.text for reason in results[0].reasons)


def test_too_few_human_posts_are_one_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STATEMENT_CHECKER_HOME", str(tmp_path / "home"))
    posts = tmp_path / "posts.jsonl"
    posts.write_text(json.dumps({"text": NATIVE[0], "label": "human", "lang": "pt"}))
    command = ["--languages", "pt", "--human", str(posts), "-o", str(tmp_path / "calibration.json")]
    assert calibrate_translator.main(command) == 1
    assert "Bring at least 99 of one kind and length" in capsys.readouterr().err
    assert not (tmp_path / "calibration.json").exists()


def test_a_language_without_test_set_names_the_way_out(capsys: pytest.CaptureFixture[str]) -> None:
    told = "fa cannot be fitted: none of wmt23 wmt24 has it"
    with pytest.raises(SystemExit):
        calibrate_translator.main(["--languages", "fa", "-o", "calibration.json"])
    assert told in " ".join(capsys.readouterr().err.split())
    args = calibrate_translator.parse(["--languages", "ru", "fa", "-o", "calibration.json"])
    assert args.languages == ["ru"]  # the others go on
    assert told in capsys.readouterr().err
