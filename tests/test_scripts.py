"""The scripts: each starts, and the tables of the documentation are those that were measured."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from checker.verdict.file import read
from scripts.bench import tables
from scripts.bench.result_docs import files
from scripts.bench.speed import NUMBERED, WAYS, stage_functions
from scripts.bench.speed import tables as speed_tables
from scripts.bench.tables import DOCS, MEASUREMENTS, Table, documents, named, rendered
from scripts.command import ROOT

COMMANDS = sorted(
    ".".join(path.relative_to(ROOT).with_suffix("").parts)
    for path in (ROOT / "scripts").rglob("*.py")
    if "def main(" in path.read_text(encoding="utf-8")
)


@pytest.mark.slow
@pytest.mark.parametrize("name", COMMANDS)
def test_every_script_explains_itself(name: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", name, "--help"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert f"python -m {name}" in done.stdout


def test_the_documents_have_the_tables_that_were_measured() -> None:
    for path in documents():
        assert path.read_text("utf-8") == rendered(path.read_text("utf-8")), f"{path.name}: run make docs"


def test_the_documented_result_is_the_real_one() -> None:
    for path, text in files().items():
        assert path.read_text("utf-8") == text, f"{path.name}: run make docs"


def test_every_measurement_names_its_version_and_command() -> None:
    for path in MEASUREMENTS.glob("*.json"):
        table = Table.read(path)
        assert table.version, path.name
        assert table.command.startswith("python -m scripts."), path.name
        assert table.command.split()[2] in COMMANDS, path.name
        assert path.read_text("utf-8") == table.json + "\n", path.name


def test_a_table_is_rendered_between_its_markers_and_nothing_else_changes() -> None:
    table = named("http").markdown
    text = "a\n\n<!-- table:http -->\nold\n<!-- /table -->\n\nb\n"
    once = rendered(text)
    assert once == f"a\n\n<!-- table:http -->\n\n{table}\n\n<!-- /table -->\n\nb\n"
    assert rendered(once) == once


def test_a_row_has_a_cell_for_every_column() -> None:
    with pytest.raises(ValueError, match="1 cells for 2 columns"):
        Table(["a", "b"], [["1"]])


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    table = Table(["a|b", "ç"], [["1", '"–"'], ["2", ""]], right=True)
    tables.publish({"some": table}, tmp_path / "new")
    found = Table.read(tmp_path / "new" / "some.json")
    assert found.markdown == table.markdown
    assert (found.version, found.command) == (table.version, table.command)


def test_paths_do_not_reach_the_documentation(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    options = ["--corpora", str(tmp_path), "--posts", "5", "--json", "a.json", "--tables", str(tmp_path)]
    monkeypatch.setattr(sys, "argv", ["x", *options, "--languages", "ru", "de"])
    assert Table(["a"], []).command.endswith(" --corpora CORPORA --posts 5 --languages ru de")


def test_the_verdict_table_is_that_of_the_shipped_verdict() -> None:
    calibration = read(ROOT / "models" / "embedded" / "verdict.json")
    assert [row[0] for row in named("verdict").rows] == sorted(calibration.languages)
    assert named("verdict").version == calibration.version


def test_the_languages_table_has_every_language_and_what_is_withheld() -> None:
    found = {row[0]: row[1:] for row in named("languages").rows}
    calibration = read(ROOT / "models" / "embedded" / "verdict.json")
    assert sorted(found) == sorted(calibration.languages)
    for code, cells in found.items():
        withheld = "style+encoder" in calibration.languages[code].withheld
        assert (cells[0] == "withheld") == withheld, code
    assert found["zh"][2] == found["zh"][5] == "not judged"
    assert found["ru"][2].startswith("finds ")
    assert found["ru"][5] == "judged"


def test_the_stages_that_are_timed_exist() -> None:
    for owner, name, stage in stage_functions():
        assert callable(getattr(owner, name)), stage


def test_the_speed_tables_are_those_of_the_docs() -> None:
    speed = {"posts_per_second": 20.0, "posts_per_cpu_second": 10.0, "peak_mib": 1300}
    ways = dict.fromkeys(WAYS, speed | {"characters_per_second": 3200.0})
    slow = {"posts_per_second": 0.5, "ratio_posts_per_second": 40.0, "peak_mib": 300}
    record = {
        "model": "opus",
        "instruction_set": "AVX-512 VNNI",
        "compare": {"a": slow, "b": slow, "c": speed},
        "stages": {"language": 1.0, "translation, there and back": 3.0},
        "ways": ways | {"product": {"gflops": 140.2}},
        "numbers": {
            f"{name}, {kind}": 1.5
            for name in NUMBERED
            for kind in ("int8", "float32", "times as long in float32")
        },
        "memory": {"everything": {"100": 300}, "fast": {"100": 150, "10000": 200}},
    }
    found = speed_tables(record)
    for name, table in found.items():
        # What int8 costs was measured on a processor without VNNI.
        published = named(name.replace("avx-512-vnni", "avx2") if "numbers" in name else name)
        assert list(table.columns) == list(published.columns), name
        assert len(table.rows) in (2, len(published.rows)), name
    ways_here = [row[0] for row in named("speed-ways-avx-512-vnni").rows]
    assert ways_here == [row[0] for row in found["speed-ways-avx-512-vnni"].rows]
    assert found["speed-opus-avx-512-vnni"].rows[0][1:] == ["0.50", "40 ×", "300 MiB"]
    assert found["speed-ways-avx-512-vnni"].rows[0][1:] == ["3,200", "20", "1,300 MiB"]
    assert found["speed-ways-avx-512-vnni"].rows[-1][1] == "140 GFLOP/s"
    assert found["speed-stages-avx-512-vnni"].rows[0] == ["translation, there and back", "3.0", "75 %"]
    assert found["speed-memory-avx-512-vnni"].rows[1] == ["10,000", "not run", "200 MiB"]


def test_no_script_changes_where_modules_are_found() -> None:
    for path in (ROOT / "scripts").rglob("*.py"):
        assert "sys.path" not in path.read_text("utf-8"), path.name
    assert DOCS.is_dir()
