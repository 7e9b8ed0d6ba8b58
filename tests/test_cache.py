"""The cache of sentences: the same results with it and without, whatever happens to its file."""

from __future__ import annotations

import logging
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checker.evidence.cache import Cache, default_folder, remembered
from checker.models.ctranslate2_engine import CTranslate2Translator
from checker.models.encoder import Encoder
from checker.models.language_model import CTranslate2LanguageModel
from checker.pipeline import Checker
from checker.settings import Profile

RUSSIAN = "Завтра с десяти утра на улице Садовой отключат воду. Запаситесь ею заранее."
GERMAN = "Am Samstag bleibt die Bücherei wegen eines Fests geschlossen."
POSTS = [RUSSIAN, GERMAN, RUSSIAN.upper(), RUSSIAN]


class Counting:
    """A model that says how long a text is, and which texts it was asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __call__(self, texts: list[str]) -> list[list[float]]:
        self.asked += texts
        return [[len(text), -0.1 * len(text)] for text in texts]


def ask(folder: Path, texts: Sequence[str], scope: str = "model@1") -> tuple[list[list[float]], list[str]]:
    """Answers from a cache that was opened anew, and the texts that the model saw."""
    model, cache = Counting(), Cache(folder)
    answers = remembered(cache, scope, texts, model)
    cache.close()
    return answers, model.asked


def test_what_was_computed_once_is_not_computed_again(tmp_path: Path) -> None:
    first, asked = ask(tmp_path, ["мост", "порт", "мост"])
    assert first == [[4, -0.4], [4, -0.4], [4, -0.4]]
    assert asked == ["мост", "порт"]
    assert ask(tmp_path, ["порт", "новый", "мост"]) == ([[4, -0.4], [5, -0.5], [4, -0.4]], ["новый"])


def test_another_scope_is_another_matter(tmp_path: Path) -> None:
    ask(tmp_path, ["мост"])
    assert ask(tmp_path, ["мост"], "model@2")[1] == ["мост"]


@settings(deadline=None)  # the first example loads what it needs
@given(st.dictionaries(st.text(st.characters()), st.lists(st.floats(allow_nan=False)), max_size=20))
def test_values_come_back_as_they_were(
    tmp_path_factory: pytest.TempPathFactory, values: dict[str, list[float]]
) -> None:
    cache = Cache(tmp_path_factory.mktemp("cache"))
    cache.put("scope", values)
    assert cache.get("scope", [*values, "never kept \U0010ffff"]) == values
    cache.close()


def test_the_file_is_for_its_owner_and_holds_no_text(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "cache"
    cache = Cache(folder)
    cache.put("scope", {"Секретный мост": ["The secret bridge", [-1.25]]})
    cache.close()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    for path in folder.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        content = path.read_bytes()
        for text in ("Секретный", "secret", "-1.25"):
            assert text.encode() not in content


def test_the_oldest_go_when_it_is_full(tmp_path: Path) -> None:
    limit = 400_000
    cache = Cache(tmp_path, limit)
    for part in range(60):
        cache.put("scope", {f"{part}/{number}": "x" * 200 for number in range(100)})
        assert cache.path.stat().st_size < limit * 1.2
    assert cache.get("scope", ["0/0"]) == {}
    assert len(cache.get("scope", [f"59/{number}" for number in range(100)])) == 100
    cache.close()


@pytest.mark.parametrize("damage", ["noise", "cut", "other table", "not a file", "no such folder"])
def test_a_damaged_file_costs_one_warning(
    tmp_path: Path, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "cache"
    ask(folder, [f"{number} мост" for number in range(200)])
    path = Cache(folder).path
    content = path.read_bytes()
    if damage == "noise":
        path.write_bytes(b"noise" * (len(content) // 5))
    elif damage == "cut":
        path.write_bytes(content[: len(content) // 2])
    elif damage == "other table":
        path.unlink()
        with sqlite3.connect(path) as connection:
            connection.execute("CREATE TABLE entry_1 (something)")
    elif damage == "not a file":
        path.unlink()
        path.mkdir()
    else:
        path.unlink()
        folder.rmdir()
        folder.write_text("a file")
    cache, model = Cache(folder), Counting()
    with caplog.at_level(logging.WARNING, "checker"):
        for _ in range(3):
            assert remembered(cache, "model@1", ["порт", "1 мост"], model) == [
                [4, -0.4],
                [6, pytest.approx(-0.6)],
            ]
    assert len(caplog.records) == 1
    assert str(path) in caplog.text
    assert "--no-cache" in caplog.text


def test_a_changed_value_is_computed_again(tmp_path: Path) -> None:
    ask(tmp_path, ["мост", "порт"])
    path = Cache(tmp_path).path
    with sqlite3.connect(path) as connection:
        (value,) = connection.execute("SELECT value FROM entry_1 WHERE id = 1").fetchone()
        changed = value[:-1] + bytes([value[-1] ^ 1])
        connection.execute("UPDATE entry_1 SET value = ? WHERE id = 1", (changed,))
    assert ask(tmp_path, ["мост", "порт"]) == ([[4, -0.4], [4, -0.4]], ["мост"])


def test_a_value_in_the_place_of_another_is_not_taken(tmp_path: Path) -> None:
    ask(tmp_path, ["мост", "гавань"])
    with sqlite3.connect(Cache(tmp_path).path) as connection:
        (first,), (second,) = connection.execute("SELECT value FROM entry_1 ORDER BY id").fetchall()
        connection.executemany("UPDATE entry_1 SET value = ? WHERE id = ?", [(first, 2), (second, 1)])
    assert ask(tmp_path, ["мост", "гавань"])[0] == [[4, -0.4], [6, pytest.approx(-0.6)]]


def test_a_file_that_another_process_keeps_is_no_trouble(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("checker.evidence.cache._PATIENCE", 0.05)
    cache, model = Cache(tmp_path), Counting()
    remembered(cache, "scope", ["мост"], model)
    other = sqlite3.connect(cache.path)
    other.execute("BEGIN EXCLUSIVE")
    with caplog.at_level(logging.WARNING, "checker"):
        assert remembered(cache, "scope", ["мост"], model) == [[4, -0.4]]
    other.rollback()
    other.close()
    assert not caplog.records
    asked = len(model.asked)
    assert remembered(cache, "scope", ["мост"], model) == [[4, -0.4]]
    assert len(model.asked) == asked


def test_processes_share_it(tmp_path: Path) -> None:
    program = (
        "import sys\n"
        "from pathlib import Path\n"
        "from checker.evidence.cache import Cache\n"
        "cache = Cache(Path(sys.argv[1]))\n"
        "for number in range(100):\n"
        "    cache.put('scope', {f'{number}': number, f'{sys.argv[2]}/{number}': number})\n"
    )
    running = [
        subprocess.Popen([sys.executable, "-c", program, str(tmp_path), name], stderr=subprocess.PIPE)
        for name in ("a", "b", "c")
    ]
    assert [(process.communicate()[1], process.returncode) for process in running] == [(b"", 0)] * 3
    cache = Cache(tmp_path)
    texts = [f"{number}" for number in range(100)] + [f"{name}/{n}" for name in "abc" for n in range(100)]
    found = cache.get("scope", texts)
    assert len(found) > 350  # a process that waited too long keeps nothing of that one
    assert all(value == int(text.split("/")[-1]) for text, value in found.items())
    cache.close()


def test_its_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("STATEMENT_CHECKER_CACHE", raising=False)
    assert default_folder(tmp_path) == tmp_path / "sentences"
    monkeypatch.setenv("STATEMENT_CHECKER_CACHE", str(tmp_path / "elsewhere"))
    assert default_folder(tmp_path / "home") == tmp_path / "elsewhere"


# In the checker


def test_results_are_the_same_with_and_without(
    checker: Checker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = list(checker.score_many(POSTS))
    filling, filled = (Checker(cache=tmp_path, store=checker.store) for _ in range(2))
    assert list(filling.score_many(POSTS)) == plain

    def fail(*args: object) -> None:
        raise AssertionError("the model was asked again")

    monkeypatch.setattr(CTranslate2LanguageModel, "log_probabilities", fail)
    monkeypatch.setattr(CTranslate2Translator, "log_probabilities", fail)
    monkeypatch.setattr(Encoder, "read", fail)
    monkeypatch.setattr(CTranslate2Translator, "translate", fail)
    assert list(filled.score_many(POSTS)) == plain


def test_nothing_is_kept_unless_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STATEMENT_CHECKER_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("STATEMENT_CHECKER_HOME", str(tmp_path / "home"))
    Checker(round_trip=False).score(GERMAN)
    assert list(tmp_path.iterdir()) == []


def test_what_a_value_depends_on_is_in_its_scope(checker: Checker) -> None:
    other = Checker(pivot="ru", store=checker.store)
    scopes = {
        checker.models.scope("fluency", "ru"),
        checker.models.scope("fluency", "en"),
        checker.models.scope("translator", "ru"),
        checker.models.scope("translator", "en"),
        checker.models.scope("encoder", ""),
    }
    assert len(scopes) == 5
    for profile in get_args(Profile):
        assert checker.store.digests(profile)["embedded/encoder"] in checker.models.scope("encoder", "")
    assert checker.models.scope("translator", "de") != other.models.scope("translator", "de")
    likely = Checker(likelihood=True, store=checker.store).models
    assert checker.models.scope("translator", "de") != likely.scope("translator", "de")
    assert checker.models.scope("fluency", "de") == likely.scope("fluency", "de")
    digest = checker.store.digests("embedded")["embedded/translator"]
    assert digest in checker.models.scope("translator", "ru")
