"""Firefox's translator, end to end: the real Portuguese pair that a wheel brings, offline."""

import importlib.util
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from sacrebleu.metrics.chrf import CHRF
from tiny_models import toy_marian

from checker.bitext.estimator import QualityEstimator
from checker.errors import CheckerError, ModelCorruptedError, ModelNotFoundError, UnsupportedPairError
from checker.models import Store, firefox_engine
from checker.models.firefox_engine import CONTEXT, FirefoxTranslator
from checker.models.firefox_worker import Loaded
from checker.models.lock import LockedModel, lock_file, write_lock
from checker.pipeline import Checker
from checker.settings import Chosen, Profile, Settings

# Written for this test; the English is ours, not the translator's.
LINES = [
    ("A biblioteca municipal fecha mais cedo às sextas-feiras durante o verão.",
     "The municipal library closes earlier on Fridays during the summer."),
    ("Três barcos de pesca ficaram presos no porto por causa da tempestade.",
     "Three fishing boats were stuck in the harbour because of the storm."),
    ("O presidente da câmara prometeu plantar duzentas árvores até ao fim do ano.",
     "The mayor promised to plant two hundred trees by the end of the year."),
    ("A ponte estará fechada ao trânsito entre as dez da noite e as seis da manhã.",
     "The bridge will be closed to traffic between ten at night and six in the morning."),
    ("Os moradores devem ferver a água antes de a beber.",
     "Residents must boil the water before drinking it."),
    ("A minha avó guardava as cartas numa caixa de madeira debaixo da cama.",
     "My grandmother kept the letters in a wooden box under the bed."),
    ("Nenhum passageiro ficou ferido no acidente de comboio desta manhã.",
     "No passengers were injured in this morning's train accident."),
    ("O museu recebeu mais visitantes este mês do que em todo o ano passado.",
     "The museum received more visitors this month than in the whole of last year."),
    ("Os bombeiros demoraram quatro horas a apagar o incêndio no armazém.",
     "It took firefighters four hours to put out the fire in the warehouse."),
    ("O novo horário dos autocarros entra em vigor na próxima segunda-feira.",
     "The new bus timetable comes into force next Monday."),
]  # fmt: skip
SENTENCE = LINES[9][0]


@pytest.fixture(scope="module")
def store() -> Store:
    return Store()


def translator(store: Store, source: str, target: str, threads: int | None = None) -> FirefoxTranslator:
    model = store.model(f"embedded/firefox-{source}-{target}")
    return FirefoxTranslator(model, store.path(model), threads=threads)


@pytest.fixture(scope="module")
def into_english(store: Store) -> FirefoxTranslator:
    return translator(store, "pt", "en")


def test_known_sentences_come_back_recognisable(store: Store, into_english: FirefoxTranslator) -> None:
    back = translator(store, "en", "pt")
    english = [found.text for found in into_english.translate([pt for pt, _ in LINES], "pt", "en")]
    returned = [found.text for found in back.translate(english, "en", "pt")]
    assert CHRF().corpus_score(english, [[en for _, en in LINES]]).score > 62
    assert CHRF(word_order=2).corpus_score(returned, [[pt for pt, _ in LINES]]).score > 65


def test_order_repetition_and_emptiness_are_kept(into_english: FirefoxTranslator) -> None:
    texts = [LINES[0][0], "", LINES[1][0], " \u200b ", LINES[0][0], "\ud800 Bom dia a todos."]
    found = into_english.translate(texts, "pt", "en")
    assert [bool(one.text) for one in found] == [True, False, True, False, True, True]
    assert found[0] == found[4]
    assert found[0] == into_english.translate(texts[:1], "pt", "en")[0]
    assert {one.log_likelihood for one in found} == {None}
    assert into_english.log_probabilities(texts, texts, "pt", "en") == [[]] * len(texts)


def test_a_pair_that_it_does_not_have(into_english: FirefoxTranslator) -> None:
    with pytest.raises(UnsupportedPairError, match="'en' into 'pt'"):
        into_english.translate(["Good morning."], "en", "pt")


def test_what_is_longer_than_the_context_is_split_not_cut(into_english: FirefoxTranslator) -> None:
    clauses = [f"no dia {day} de maio a escola abre às {day % 12 + 1} horas" for day in range(1, 29)]
    long = "; ".join(clauses) + "."
    assert into_english.pieces(long) > 2 * CONTEXT
    parts = list(into_english._parts(long))
    assert " ".join(" ".join(parts).split()) == long
    assert all(into_english.pieces(part) <= CONTEXT for part in parts)
    assert all(part.strip().startswith("no dia") for part in parts)
    english = into_english.translate([long], "pt", "en")[0].text
    missing = [day for day in range(1, 29) if str(day) not in english]
    assert missing == []


def test_text_without_any_space_is_split(into_english: FirefoxTranslator) -> None:
    parts = list(into_english._parts("áé" * 500))
    assert "".join(parts) == "áé" * 500
    assert all(into_english.pieces(part) <= CONTEXT for part in parts)


def test_threads_get_the_answers_of_one(store: Store) -> None:
    one, two = translator(store, "pt", "en", threads=1), translator(store, "pt", "en", threads=2)
    texts = [pt for pt, _ in LINES]
    expected = one.translate(texts, "pt", "en")
    with ThreadPoolExecutor(4) as pool:
        futures = [pool.submit(two.translate, texts[n:] + texts[:n], "pt", "en") for n in range(4)]
        for n, future in enumerate(futures):
            assert future.result() == expected[n:] + expected[:n]


def workers(parent: int) -> dict[int, int]:
    """Worker processes of a process, and what each has in memory in bytes."""
    found = {}
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            text, command = status.read_text(), status.with_name("cmdline").read_bytes()
        except OSError:
            continue
        fields = dict(line.split(":\t", 1) for line in text.splitlines() if ":\t" in line)
        if int(fields["PPid"]) == parent and b"firefox_worker" in command:
            found[int(fields["Pid"])] = int(fields.get("VmRSS", "0 kB").split()[0]) * 1024
    return found


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc")
def test_a_loaded_model_takes_little_memory_and_its_process_ends_with_the_run() -> None:
    code = (
        "import sys, time\n"
        "from checker.models import Store, firefox_engine\n"
        "store = Store()\n"
        "for pair in ('pt', 'en'), ('en', 'pt'):\n"
        "    model = store.model('embedded/firefox-%s-%s' % pair)\n"
        "    one = firefox_engine.FirefoxTranslator(model, store.path(model), threads=1)\n"
        "    one.translate(['Bom dia a todos.'], *pair)\n"
        "print('ready', flush=True)\n"
        "time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as run:
        assert run.stdout is not None
        assert run.stdout.readline() == "ready\n"
        found = workers(run.pid)
        run.kill()
    assert len(found) == 1  # both models in one process
    assert sum(found.values()) < 250_000_000
    deadline = time.monotonic() + 10
    while any(Path(f"/proc/{pid}").exists() for pid in found) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(Path(f"/proc/{pid}").exists() for pid in found)


@pytest.fixture
def damaged(store: Store, tmp_path: Path) -> Callable[..., FirefoxTranslator]:
    """The pair into English with one of its files changed."""
    model = store.model("embedded/firefox-pt-en")

    def make(name: str, change: Callable[[bytes], bytes]) -> FirefoxTranslator:
        folder = tmp_path / name
        shutil.copytree(store.path(model), folder)
        path = next(folder.glob(name))
        path.write_bytes(change(path.read_bytes()))
        return FirefoxTranslator(model, folder, threads=1)

    return make


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("model.*.bin", lambda data: data[: len(data) // 2]),
        ("model.*.bin", lambda data: b"x" * 1000),
        ("model.*.bin", lambda data: data[:8] + b"\xff" * 2000 + data[2008:]),
        ("lex.*.bin", lambda data: data[: len(data) // 2]),  # a panic of the engine
        ("lex.*.bin", lambda data: b""),
    ],
)
def test_a_damaged_model_is_one_error(
    damaged: Callable[..., FirefoxTranslator], name: str, change: Callable[[bytes], bytes]
) -> None:
    with pytest.raises(ModelCorruptedError, match=r"firefox-pt-en@.* cannot be used .* Install") as error:
        damaged(name, change).translate([SENTENCE], "pt", "en")
    assert "\n" not in str(error.value)


def test_after_a_damaged_model_the_engine_goes_on(
    damaged: Callable[..., FirefoxTranslator], store: Store
) -> None:
    with pytest.raises(ModelCorruptedError):
        damaged("lex.*.bin", lambda data: data[:100]).translate([SENTENCE], "pt", "en")
    assert "Monday" in translator(store, "pt", "en", threads=1).translate([SENTENCE], "pt", "en")[0].text


def test_a_worker_that_is_killed_is_replaced(store: Store) -> None:
    one = translator(store, "pt", "en", threads=1)
    expected = one.translate([SENTENCE], "pt", "en")
    for worker in one._workers._all:
        assert worker._process is not None
        worker._process.kill()
        worker._process.wait()
    assert one.translate([SENTENCE], "pt", "en") == expected


@pytest.fixture
def dying(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[str], None]:
    """Make workers end, or their engine panic, under a condition on the text."""

    def make(on: str, how: str = "os.kill(os.getpid(), 9)") -> None:
        script = tmp_path / "firefox_worker_that_dies.py"
        script.write_text(
            "import os, sys\n"
            f"sys.path.insert(0, {str(Path(firefox_engine.__file__).parent)!r})\n"
            "import firefox_worker\n"
            "class Loaded(firefox_worker.Loaded):\n"
            "    def get(self, paths):\n"
            "        self.translate = super().get(paths).translate\n"
            "        class Dying:\n"
            "            def translate(_, text):\n"
            f"                if {on}:\n"
            f"                    {how}\n"
            "                return self.translate(text)\n"
            "        return Dying()\n"
            "firefox_worker.Loaded = Loaded\n"
            "firefox_worker.main()\n"
        )
        monkeypatch.setattr(firefox_engine, "_WORKER", script)
        monkeypatch.setattr(firefox_engine, "_pools", {})

    return make


@pytest.mark.parametrize("how", ["os.kill(os.getpid(), 9)", "raise BaseException('a panic')"])
def test_a_sentence_that_ends_the_engine_costs_no_other_its_translation(
    store: Store, into_english: FirefoxTranslator, dying: Callable[..., None], how: str,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    texts = [pt for pt, _ in LINES]
    expected = into_english.translate(texts, "pt", "en")
    dying("'barcos' in text", how)
    found = translator(store, "pt", "en", threads=1).translate(texts, "pt", "en")
    assert found[1].text == ""
    assert found[:1] + found[2:] == expected[:1] + expected[2:]
    assert "fails on 1 of" in caplog.text
    assert "barcos" not in caplog.text


def test_a_part_of_a_sentence_that_fails_takes_the_sentence_with_it(
    store: Store, dying: Callable[..., None]
) -> None:
    dying("'barcos' in text")
    long = "; ".join(pt.rstrip(".") for pt, _ in LINES * 2) + "."
    one = translator(store, "pt", "en", threads=1)
    assert len(list(one._parts(long))) > 1
    assert one.translate([long], "pt", "en")[0].text == ""


def test_a_post_with_such_a_sentence_has_an_unreliable_round_trip_there(dying: Callable[..., None]) -> None:
    dying("'boats' in text")  # on the way back
    result = Checker(threads=1, fluency=False).score(" ".join(pt for pt, _ in LINES[:3]))
    assert [sentence.reliable for sentence in result.sentences] == [True, False, True]
    assert result.round_trip is not None


def test_an_accident_is_not_kept_in_the_cache(
    dying: Callable[..., None], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    settings = Settings(threads=1, fluency=False, cache=tmp_path / "sentences")
    dying("text != '2026 1 2 3.'")
    assert Checker(settings).score(LINES[1][0]).round_trip is None
    monkeypatch.undo()
    assert Checker(settings).score(LINES[1][0]).round_trip is not None


def test_an_engine_that_ends_on_everything_is_one_error(store: Store, dying: Callable[..., None]) -> None:
    dying("True")
    with pytest.raises(CheckerError, match=r"ends as soon as it translates \(status -9\)"):
        translator(store, "pt", "en", threads=1).translate([SENTENCE], "pt", "en")


def test_a_worker_forgets_the_model_that_was_used_longest_ago(store: Store, tmp_path: Path) -> None:
    model = store.model("embedded/firefox-pt-en")
    paths = firefox_engine.files(store.path(model), model)
    loaded = Loaded(limit=2)
    models = []
    for name in "abc":
        copy = tmp_path / name
        copy.symlink_to(str(paths["model"]))
        models.append((str(copy), paths["source"], paths["target"], None))
    first, second = loaded.get(models[0]), loaded.get(models[1])
    assert loaded.get(models[0]) is first
    loaded.get(models[2])  # in the place of the second
    assert (len(loaded), loaded.get(models[0]) is first) == (2, True)
    assert loaded.get(models[1]) is not second
    assert len(loaded) == 2


def test_without_fxtranslate_the_message_says_what_to_install(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(
        "importlib.util.find_spec", lambda name: None if name == "fxtranslate" else find(name)
    )
    with pytest.raises(CheckerError, match="pip install fxtranslate"):
        translator(store, "pt", "en")
    assert store.translator("embedded", "pt", "en") is None


def test_a_processor_without_avx2_does_without(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(firefox_engine, "has_avx2", lambda: False)
    with pytest.raises(CheckerError, match="needs a processor with AVX2"):
        translator(store, "pt", "en")
    assert store.translator("embedded", "pt", "en") is None
    assert store.second_pivot("embedded") == "ru"


# -- the choice ------------------------------------------------------------------------------------


def test_portuguese_needs_nothing_but_the_package(store: Store) -> None:
    model = store.translator("embedded", "pt", "en")
    assert model is not None
    assert (model.id, model.grade, model.licence) == ("embedded/firefox-pt-en", "production", "MPL-2.0")
    assert store.translator("hub", "pt", "en") == model
    assert store.second_pivot("embedded") == "pt"
    assert store.translator("embedded", "pt", "en", "embedded") is None
    assert store.translator("embedded", "pt", "en", forced=True) is None
    russian = store.translator("embedded", "ru", "en")
    assert russian is not None
    assert (russian.id, russian.grade) == ("embedded/translator", "draft")


def test_without_the_package_english_goes_through_russian(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("checker.models.store._package_folder", lambda model: None)
    assert store.translator("embedded", "pt", "en") is None
    assert store.second_pivot("embedded") == "ru"
    with pytest.raises(ModelNotFoundError, match=r"pip install .*portuguese"):
        store.path(store.model("embedded/firefox-pt-en"))


def test_every_language_has_both_directions_to_fetch(store: Store) -> None:
    from checker.languages import SUPPORTED

    for language in SUPPORTED:
        needed = store.required("hub", language)
        assert [model.family for model in needed] == ["causal-lm", "firefox", "firefox"]
        others = store.required("hub", language, chosen="opus-mt")
        assert "firefox" not in {model.family for model in others}


@pytest.fixture
def with_opus_mt(tmp_path: Path, copied_models: Callable[..., Path]) -> Store:
    """A store whose OPUS-MT models between Russian and English were downloaded: a toy stands in for them."""
    store = Store(copied_models(), tmp_path / "home")
    lock = {}
    for pair in "ru-en", "en-ru":
        model = store.model(f"Helsinki-NLP/opus-mt-{pair}")
        revision = model.revision or "c" * 40
        folder = store._hub_folder(model, revision)
        shutil.copytree(toy_marian(), folder)
        names = [path.name for path in sorted(folder.iterdir())]
        lock[model.id] = LockedModel(revision=revision, files={n: lock_file(folder / n) for n in names})
    write_lock(store.home / "models.lock", lock)
    return store


def names_of(store: Store, chosen: Chosen = "auto", profile: Profile = "embedded") -> list[str | None]:
    pairs = ("pt", "en"), ("ru", "en"), ("en", "ru"), ("de", "en"), ("fa", "en")
    found = (store.translator(profile, *pair, chosen) for pair in pairs)
    return [model.id.split("/", 1)[1] if model else None for model in found]


def test_a_downloaded_opus_mt_comes_after_firefox_and_before_what_ships(with_opus_mt: Store) -> None:
    store = with_opus_mt
    opus = ["opus-mt-ru-en", "opus-mt-en-ru"]
    assert names_of(store) == ["firefox-pt-en", *opus, "translator", None]
    assert names_of(store, "embedded") == [None, "translator", "translator", "translator", None]
    assert names_of(store, "opus-mt")[1:3] == names_of(store, profile="hub")[1:3] == opus
    forced = store.translator("embedded", "ru", "en", forced=True)  # whose likelihoods were measured
    assert forced is not None
    assert forced.id == "embedded/translator"
    store.remove([store.model("Helsinki-NLP/opus-mt-en-ru")])  # one direction alone
    assert names_of(store)[1:3] == ["translator", "translator"]


def test_the_result_names_the_translator_that_was_chosen(with_opus_mt: Store) -> None:
    store = with_opus_mt
    post = "Старый солдат видит большой мост. Старый солдат видит новый город."
    downloaded = Checker(store=store, fluency=False, threads=1).score(post)
    shipped = Checker(store=store, fluency=False, threads=1, translator="embedded").score(post)
    assert downloaded.models["translator"] == " + ".join(
        store.model(f"Helsinki-NLP/opus-mt-{pair}").label for pair in ("ru-en", "en-ru")
    )
    assert downloaded.sentences[0].pivot_text == "Old soldier sees large bridge."
    assert shipped.models["translator"] == store.model("embedded/translator").label
    grades = [{sentence.grade for sentence in result.sentences} for result in (downloaded, shipped)]
    assert grades == [{"production"}, {"draft"}]
    assert store.digests("embedded").keys() >= {"Helsinki-NLP/opus-mt-ru-en"}


def test_a_file_that_differs_from_the_lock_is_refused(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = store.model("embedded/firefox-pt-en")
    folder = tmp_path / "other"
    shutil.copytree(store.path(model), folder)
    path = next(folder.glob("lex.*.bin"))
    path.write_bytes(bytes(path.stat().st_size))
    monkeypatch.setattr("checker.models.store._package_folder", lambda model: folder)
    with pytest.raises(ModelCorruptedError, match="expected sha256"):
        store.path(model)


# -- results ---------------------------------------------------------------------------------------


def test_a_portuguese_post_makes_a_production_round_trip(checker: Checker) -> None:
    result = checker.score(" ".join(pt for pt, _ in LINES[:3]))
    trip = result.round_trip
    assert trip is not None
    assert (trip.pivot, trip.grade, trip.log_likelihood, trip.gap) == ("en", "production", None, None)
    assert trip.chrf > 60
    assert result.models["translator"].startswith("embedded/firefox-pt-en@")
    for sentence in result.sentences:
        assert (sentence.grade, sentence.reliable, sentence.log_likelihood) == ("production", True, None)
        assert sentence.pivot_text


def test_an_english_post_goes_through_portuguese(checker: Checker) -> None:
    result = checker.score(" ".join(en for _, en in LINES[:3]))
    assert result.round_trip is not None
    assert (result.round_trip.pivot, result.round_trip.grade) == ("pt", "production")
    assert result.round_trip.chrf > 60


def test_one_kind_of_translator_can_be_asked_for() -> None:
    result = Checker(translator="embedded", likelihood=True).score(" ".join(en for _, en in LINES[:3]))
    assert result.round_trip is not None
    assert (result.round_trip.pivot, result.round_trip.grade) == ("ru", "draft")
    assert result.round_trip.log_likelihood is not None


def test_quality_of_a_portuguese_pair_is_honest_about_likelihoods(checker: Checker) -> None:
    quality = QualityEstimator(models=checker.models).estimate(LINES[9][0], LINES[9][1])
    assert (quality.adequacy, quality.forward) == (None, None)
    assert "no_likelihood" in {warning.code for warning in quality.warnings}


def test_a_forked_process_starts_workers_of_its_own(store: Store) -> None:
    one = translator(store, "pt", "en", threads=1)
    pool = one._workers
    key = os.getpid(), 1
    assert firefox_engine._pools[key] is pool
    assert replace(store.model("embedded/firefox-pt-en")).serves("pt", "en")
