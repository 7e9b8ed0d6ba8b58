"""The style detector: n-gram ngrams, folding, shares of the log-odds, the shipped models."""

from __future__ import annotations

import hashlib
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from checker.errors import ModelCorruptedError
from checker.evidence.style import (
    BITS,
    ORDERS,
    REVISION,
    WORD_ORDERS,
    StyleModel,
    fold,
    load,
    ngrams,
    normal,
    word_weights,
    wording,
)
from checker.languages import SUPPORTED
from checker.models.lock import sha256

SHIPPED = Path(__file__).parents[1] / "models" / "embedded" / "style"
ANY = st.text(st.characters(exclude_categories=()), max_size=40)  # lone surrogates and astral characters too


@pytest.fixture(scope="module")
def model() -> StyleModel:
    """Random weights: no test may depend on what was learnt."""
    weights = np.random.default_rng(1).integers(-128, 128, 1 << BITS).astype(np.int8)
    return StyleModel(weights, scale=0.01, bias=-0.7, label="random@0")


@given(ANY)
@example("")
@example("\ud800")
@example("😀")
def test_every_ngram_has_one_bucket(text: str) -> None:
    found = ngrams(text)
    words = len(found.spans)
    assert [len(part) for part in found.characters] == [max(len(text) + 3 - order, 0) for order in ORDERS]
    assert [len(part) for part in found.words] == [max(words + 1 - order, 0) for order in WORD_ORDERS]
    assert found.votes**2 == pytest.approx(max(sum(map(len, (*found.characters, *found.words))), 1))
    for part in (*found.characters, *found.words):
        assert ((part >= 0) & (part < 1 << BITS)).all()


@given(ANY, ANY)
def test_an_ngram_has_the_same_bucket_wherever_it_stands(before: str, text: str) -> None:
    alone, behind = ngrams(text), ngrams(f"{before} {text}")
    shift = len(before) + 1
    for order, here, there in zip(ORDERS, alone.characters, behind.characters, strict=True):
        inside = range(1, len(text) + 2 - order)  # without the leading space
        assert [here[i] for i in inside] == [there[shift + i] for i in inside]
    for here, there in zip(alone.words, behind.words, strict=True):
        assert here.tolist() == there[len(there) - len(here) :].tolist()
    assert (alone.spans + shift).tolist() == behind.spans[len(behind.spans) - len(alone.spans) :].tolist()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Мост закрыт, «Нева».", ["Мост", "закрыт", "Нева"]),
        ("हिन्दी भाषा", ["हिन्दी", "भाषा"]),
        ("文本。テキストです", []),
        ("在 COVID 之后", ["COVID"]),
        ("\ud800a\x00b", ["a", "b"]),
    ],
)
def test_words_are_runs_of_letters_in_scripts_with_spaces(text: str, words: list[str]) -> None:
    assert [text[start:end] for start, end in ngrams(text).spans] == words


def test_no_name_or_run_of_capitals_is_looked_at_from_each_of_its_letters() -> None:
    started = time.process_time()
    wording("«Я" * 10_000 + "é", "de")
    wording("て\u0301'" * 6_000, "de")
    assert time.process_time() - started < 1


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("de", "die stadt sperrt die alte brücke. bitte nutzen sie die fähre.",
         "Die Stadt sperrt die alte Brücke. Bitte nutzen Sie die Fähre."),
        ("ru", "Город Закрыл Мост На Реке. Все Туда.", "Город закрыл мост на реке. Все туда."),
        ("tr", "istanbul köprüsü kapalı. iyi günler.", "İstanbul köprüsü kapalı. İyi günler."),
        ("tr", "IĞDIR YOLU BUGÜN KAPALI OLACAK", "Iğdır yolu bugün kapalı olacak"),
        ("en", "Bonn, Paris and Rome agreed", "Bonn, Paris and Rome agreed"),
        ("en", "The Old Bridge", "The Old Bridge"),
        ("en", "iPhone sales in the USA fell", "iPhone sales in the USA fell"),
        ("ja", "市は橋を閉鎖する", "市は橋を閉鎖する"),
        ("en", "Call us today. +44 20 7946 0123", "Call us today."),
        ("ru", "Сегодня закрыто. Тел.: 8 (495) 123-45-67", "Сегодня закрыто."),
        ("en", "It opened in 1990. 2,024 people came", "It opened in 1990. 2,024 people came"),
        ("en", "He saw it. 12345", "He saw it. 12345"),
        ("en", "Tel. 020-7946-0123", ""),  # all that a sentence is
        *((language, text, text) for language, text in (
            ("de", "Geöffnet: 10-12.05.2024"), ("en", "2024-05-12 10.30"), ("de", "Ja. 1.2.2024-5.2.2024"),
            ("en", "Budget: 2 500 000-3 000 000."), ("en", "Population: 12 345 678 (2021)"),
            ("en", "Final score: 21-15 21-18"), ("en", "ISBN: 978-3-16-148410-0"),
            ("en", "Barack Obama, Al Gore, Joe Biden, Bill Clinton"), ("en", "Xi Jinping, Li Keqiang"),
        )),
        ("fa", "۰۲۱-۱۲۳۴۵۶۷۸", ""),
        ("de", "Stand: 01.02.2024", "Stand: 01.02.2024"),
        ("en", "Updated: 2024-05-12", "Updated: 2024-05-12"),
        ("de", "Offen: 09.00-17.00", "Offen: 09.00-17.00"),
        ("de", "Summe: 1.234.567", "Summe: 1.234.567"),
        ("en", "Angela Merkel, Mario Draghi", "Angela Merkel, Mario Draghi"),
        ("en", "He Signs The NATO Deal To Cut Costs", "He signs the NATO deal to cut costs"),
        ("en", "at 3. and i saw, e.g. at night, us", "At 3. and I saw, e.g. at night, us"),
        ("es", "¿dónde está el puente? ¡vamos al puerto!", "¿Dónde está el puente? ¡Vamos al puerto!"),
    ],
)  # fmt: skip
def test_capitals_and_telephone_numbers_are_no_wording(language: str, text: str, expected: str) -> None:
    assert wording(text, language).text == expected


def test_words_are_compared_in_small_letters() -> None:
    for small, capital in zip(ngrams("мост закрыт").words, ngrams("МОСТ Закрыт").words, strict=True):
        assert small.tolist() == capital.tolist()


def test_a_pair_of_words_counts_evenly_for_the_characters_it_spans() -> None:
    text = "Да, мост закрыт вчера"
    weights = np.zeros(1 << BITS, np.int8)
    weights[ngrams(text).words[1][1]] = 100  # "мост закрыт"
    shares = StyleModel(weights, scale=0.01, bias=0.0, label="one@0").read(text).shares
    inside = np.zeros(len(text), bool)
    inside[4:15] = True
    assert np.ptp(shares[inside]) == pytest.approx(0)
    assert shares[inside].min() > 0
    assert shares[~inside] == pytest.approx(0)


@given(ANY)
def test_folding_keeps_the_length_and_is_done_once(text: str) -> None:
    assert len(fold(text)) == len(text)
    assert fold(fold(text)) == fold(text)


@pytest.mark.parametrize(
    "variant",
    [
        'Он сказал: "нет" - 25-го',
        "Он сказал: «нет» — 25-го",
        "Он сказал: „нет“ – 31‑го",
        "Он сказал: ”нет” − ٤٧-го",
    ],
)
def test_the_keyboard_makes_no_difference(model: StyleModel, variant: str) -> None:
    assert model.log_odds(variant) == model.log_odds('Он сказал: "нет" - 25-го')
    assert model.log_odds(variant) != model.log_odds("Он сказал: нет - 25-го")


@pytest.mark.parametrize(
    ("language", "one", "other"),
    [
        ("ro", "Primăria anunță că orașul așteaptă", "Primăria anunţă că oraşul aşteaptă"),
        ("ru", "Ещё идёт учёт, всё готово", "Еще идет учет, все готово"),
        ("ru", "Большая часть замко\u0301в закрыта", "Большая часть замков закрыта"),
        ("de", "Die Straße heißt Große Gasse", "Die Strasse heisst Grosse Gasse"),
        ("fa", "جاده‌ها بسته شده‌اند و می‌گویند", "جاده ها بسته شده اند و می گویند"),
        ("fa", "مرکز واکسیناسیون یک", "مركز واكسيناسيون يك"),
        ("ar", "مركز المدينة يعلن", "مرکز المدینة یعلن"),
        ("zh", "由于大雪，道路关闭。请注意！", "由于大雪, 道路关闭. 请注意!"),
        ("ja", "大雪のため、道路は閉鎖，注意！", "大雪のため、道路は閉鎖, 注意!"),
        ("he", "הַמֶּמְשָׁלָה אִשְּׁרָה", "הממשלה אשרה"),
        ("hi", "सड़क बंद है।", "सड़क बंद है |"),
        ("fr", "Les sœurs et le cœur", "Les soeurs et le coeur"),
        ("en", "Wait!!! Really?? Yes...", "Wait! Really? Yes."),
        ("fr", "La mairie ferme le vieux pont vendredi", "LA MAIRIE FERME LE VIEUX PONT VENDREDI"),
        ("tr", "Sınır kapısı kapalı, bilgi için arayın", "SINIR KAPISI KAPALI, BİLGİ İÇİN ARAYIN"),
        ("uk", "Проєкт фінансує, а роботи веде він", "Проєкт фінансує «Old Bank» (OBB 2), а роботи веде він"),
    ],
)  # fmt: skip
def test_spelling_twins_are_one_text(model: StyleModel, language: str, one: str, other: str) -> None:
    ours = StyleModel(model.weights, model.scale, model.bias, "random@0", language)
    assert normal(other, language).text == normal(one, language).text
    assert ours.log_odds(other) == ours.log_odds(one)


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "NATO, the EU and the UN met"),
        ("ru", "В НАТО, ЕС и ООН"),
        ("ru", "Компания Microsoft и NATO"),
        ("zh", "共3,500元, 3.5"),
        ("ja", "AとB、COVIDのとき"),
    ],
)
def test_folding_leaves_acronyms_brands_and_numbers(language: str, text: str) -> None:
    assert len(normal(text, language).text) == len(text)


@given(ANY, st.sampled_from(SUPPORTED))
def test_every_folded_character_knows_its_place(text: str, language: str) -> None:
    folded = normal(text, language)
    assert len(folded.text) == len(folded.starts) == len(folded.ends)
    places = folded.starts.tolist()
    assert places == sorted(places)
    assert all(0 <= start < end <= len(text) for start, end in zip(places, folded.ends.tolist(), strict=True))


@given(text=ANY.filter(bool), language=st.sampled_from(SUPPORTED))
def test_the_shares_of_a_folded_text_sum_to_its_log_odds(model: StyleModel, text: str, language: str) -> None:
    ours = StyleModel(model.weights, model.scale, model.bias, "random@0", language)
    shares = ours.read(text).shares
    if normal(text, language).text:
        assert shares.sum() == pytest.approx(ours.log_odds(text) - ours.bias, abs=1e-9)


@given(text=ANY.filter(bool))
@example(text="a")
@example(text="\udfff😀")
def test_the_shares_of_the_characters_sum_to_the_log_odds(model: StyleModel, text: str) -> None:
    shares = model.read(text).shares
    assert shares.shape == (len(text),)
    assert model.read(text).log_odds == model.log_odds(text)
    assert shares.sum() == pytest.approx(model.log_odds(text) - model.bias, abs=1e-9)


def test_an_empty_text_has_no_shares(model: StyleModel) -> None:
    assert model.read("").shares.shape == (0,)
    assert np.isfinite(model.log_odds(""))


def test_evidence_adds_up_like_independent_votes() -> None:
    weights = np.random.default_rng(1).integers(0, 128, 1 << BITS).astype(np.int8)
    model = StyleModel(weights, scale=0.01, bias=-0.7, label="machine@0")
    text = "Жителей просят не подходить к берегу до утра. "
    once, often = (model.log_odds(text * times) - model.bias for times in (10, 90))
    assert often / once == pytest.approx(3, rel=0.05)  # sqrt(90 / 10)


@given(st.lists(st.floats(-5, 5), max_size=30), st.data())
def test_the_weight_of_a_word_is_the_sum_of_its_characters(shares: list[float], data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(shares)))
    end = data.draw(st.integers(start, len(shares)))
    spans = [(0, start), (start, end), (end, len(shares)), (0, len(shares))]
    weights = word_weights(np.array(shares), spans)
    assert weights[1] == pytest.approx(sum(shares[start:end]), abs=1e-9)
    assert sum(weights[:3]) == pytest.approx(weights[3], abs=1e-9)


def test_weights_of_another_size_are_refused() -> None:
    with pytest.raises(ValueError, match="weights"):
        StyleModel(np.zeros(1 << (BITS - 1), np.int8), 1.0, 0.0, "short@0")


def test_a_file_is_read_as_it_was_written(tmp_path: Path, model: StyleModel) -> None:
    np.savez_compressed(tmp_path / "x.npz", weights=model.weights, scale=model.scale, bias=model.bias)
    read = load(tmp_path / "x.npz", "x@1")
    assert read.label == "x@1"
    assert read.log_odds("Мост закрыт.") == model.log_odds("Мост закрыт.")


class _Payload:
    """What a pickle would run."""

    def __reduce__(self) -> tuple[object, ...]:
        return (Path("ran").touch, ())


def test_a_damaged_or_hostile_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    whole = bytearray((SHIPPED / "fa.npz").read_bytes())
    flipped = whole.copy()
    flipped[len(flipped) // 2] ^= 1
    files = {"empty": b"", "text": b"weights", "cut": whole[:5000], "flipped": flipped}
    for name, content in files.items():
        (tmp_path / f"{name}.npz").write_bytes(content)
    np.savez(tmp_path / "short.npz", weights=np.zeros(4, np.int8), scale=1.0, bias=0.0)
    np.savez(tmp_path / "other.npz", something=np.zeros(4))
    np.savez(tmp_path / "pickle.npz", weights=np.array([_Payload()], object), scale=1.0, bias=0.0)
    for name in (*files, "short", "other", "pickle"):
        with pytest.raises(ModelCorruptedError, match=f"{name}.npz"):
            load(tmp_path / f"{name}.npz", "x@1")
    assert not Path("ran").exists()


def test_the_card_names_the_revision_that_a_calibration_holds_for() -> None:
    card = (SHIPPED / "README.md").read_text(encoding="utf-8")
    assert card.startswith(f"# embedded/style {REVISION}\n")
    digest = hashlib.sha256()
    for path in sorted(SHIPPED.glob("*.npz")):
        digest.update(bytes.fromhex(sha256(path)))
    assert f"`{digest.hexdigest()[:16]}`" in card  # new weights need a new revision


@pytest.mark.parametrize("language", SUPPORTED)
def test_every_language_ships_a_model(language: str) -> None:
    model = load(SHIPPED / f"{language}.npz", f"style-{language}@1")
    assert model.weights.dtype == np.int8
    assert model.weights.any()
    assert model.scale > 0
    assert np.isfinite([model.bias, model.log_odds("Text, 文本, текст, متن.")]).all()
