"""The round trip: its metrics, its guard, its differences, and the whole of it on a real small model."""

import random
import time
import unicodedata
from pathlib import Path

import pytest
import sacrebleu
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_models import RANDOM_M2M100, TOY_MARIAN, random_m2m100, toy_marian, toy_pairs

from checker.errors import UnsupportedPairError
from checker.evidence import roundtrip
from checker.evidence.metrics import metrics
from checker.evidence.roundtrip import (
    Raw,
    SentenceRoundTrip,
    aggregate,
    changes,
    is_reliable,
    round_trips,
    signatures,
)
from checker.models.ctranslate2_engine import CTranslate2Translator, convert
from checker.text import words

RUSSIAN = [russian for _, russian in toy_pairs(12, seed=99)]


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> CTranslate2Translator:
    converted = tmp_path_factory.mktemp("roundtrip") / "int8"
    convert(toy_marian(), converted)
    return CTranslate2Translator(TOY_MARIAN, toy_marian(), converted, device="cpu")


def trip(sentences: list[str], toy: CTranslate2Translator) -> list[SentenceRoundTrip]:
    return round_trips(sentences, "ru", "en", toy, toy)


# ---- the whole trip ----


def test_what_the_translator_would_say_comes_back(toy: CTranslate2Translator) -> None:
    for sentence, found in zip(RUSSIAN, trip(RUSSIAN, toy), strict=True):
        assert found.back_translation == sentence
        assert (found.chrf, found.ter, found.changes) == (100, 0, ())
        assert found.bleu == pytest.approx(100)
        assert found.reliable
        assert found.log_likelihood == pytest.approx(
            sum(found.token_log_likelihoods) / len(found.token_log_likelihoods), abs=1e-4
        )
        assert found.gap == pytest.approx(0, abs=0.01)


def test_what_it_would_not_say_shows_in_every_measure(toy: CTranslate2Translator) -> None:
    plain, foreign = trip(["Город видит мост.", "Город видит ещё мост!"], toy)
    assert foreign.pivot_text == plain.pivot_text == "City sees bridge."
    assert foreign.reliable
    assert foreign.changes == ((12, 15, 12, 12),)
    assert foreign.chrf < 80
    assert foreign.ter > 0
    assert foreign.log_likelihood < plain.log_likelihood - 1
    assert foreign.gap > 1


def test_the_metrics_are_those_of_sacrebleu(toy: CTranslate2Translator) -> None:
    (found,) = trip(["Город снова видит старый мост."], toy)
    back, reference = found.back_translation, ["Город снова видит старый мост."]
    assert found.chrf == pytest.approx(sacrebleu.sentence_chrf(back, reference, word_order=2).score, abs=0.01)
    assert found.bleu == pytest.approx(sacrebleu.sentence_bleu(back, reference).score, abs=0.01)
    assert found.ter == pytest.approx(sacrebleu.sentence_ter(back, reference).score, abs=0.01)


@settings(deadline=None)  # the first example loads what it needs
@given(st.text(max_size=80), st.text(max_size=80), st.sampled_from(["ru", "en", "zh", "ja"]))
def test_the_metrics_of_any_two_texts_are_those_of_sacrebleu(text: str, back: str, language: str) -> None:
    tokenizer, unspaced = {"zh": "zh", "ja": "char"}.get(language, "13a"), language in ("zh", "ja")
    found = roundtrip._measured(text, language, "en", Raw("pivot", back, -1.0, (-1.0,)))
    text, back = (unicodedata.normalize("NFKC", side) for side in (text, back))
    expected = (
        sacrebleu.sentence_chrf(back, [text], word_order=2),
        sacrebleu.sentence_bleu(back, [text], tokenize=tokenizer),
        sacrebleu.sentence_ter(back, [text], normalized=unspaced, asian_support=unspaced),
    )
    assert (found.chrf, found.bleu, found.ter) == tuple(round(metric.score, 2) for metric in expected)


def test_a_sentence_in_capitals_is_not_reliable() -> None:
    sentence = "LE VIEUX PONT SERA FERMÉ VENDREDI"
    raw = Raw("The old bridge will be closed on Friday", "Le vieux pont sera fermé vendredi", -1.0, (-1.0,))
    assert not roundtrip._measured(sentence, "fr", "en", raw).reliable
    assert roundtrip._measured(sentence.capitalize(), "fr", "en", raw).reliable


def test_styled_letters_are_compared_in_one_normal_form() -> None:
    raw = Raw("The bridge is closed", "Мост № ５ закрыт сегодня", -1.0, (-1.0,))
    found = roundtrip._measured("Мост № 5 закрыт сегодня", "ru", "en", raw)
    assert (found.chrf, found.bleu, found.ter) == (100.0, 100.0, 0.0)


def test_equal_sentences_are_translated_once_and_order_is_kept(toy: CTranslate2Translator) -> None:
    sentences = [RUSSIAN[0], "", RUSSIAN[1], RUSSIAN[0]]
    asked: list[list[str]] = []
    with pytest.MonkeyPatch.context() as patch:
        translate = toy.translate
        patch.setattr(
            toy, "translate", lambda texts, *pair: asked.append(list(texts)) or translate(texts, *pair)
        )
        found = trip(sentences, toy)
    assert [len(texts) for texts in asked] == [3, 3]
    assert asked[0] == [RUSSIAN[0], "", RUSSIAN[1]]
    assert [one.back_translation for one in found] == sentences
    assert round_trips([], "ru", "en", toy, toy) == []


def test_an_empty_sentence_does_not_count(toy: CTranslate2Translator) -> None:
    (found,) = trip(["\u200b"], toy)
    assert not found.reliable
    assert (found.pivot_text, found.back_translation, found.token_log_likelihoods) == ("", "", ())
    assert found.log_likelihood == 0
    assert aggregate([found], "en", "ru") is None


def test_a_pair_that_is_not_served_is_refused(toy: CTranslate2Translator) -> None:
    with pytest.raises(UnsupportedPairError, match="de into en"):
        round_trips(["Die Brücke."], "de", "en", toy, toy)


def test_a_model_that_loops_is_not_believed(tmp_path: Path) -> None:
    convert(random_m2m100(), tmp_path / "int8")
    broken = CTranslate2Translator(RANDOM_M2M100, random_m2m100(), tmp_path / "int8", device="cpu")
    found = round_trips(RUSSIAN, "ru", "en", broken, broken)
    assert not any(one.reliable for one in found)
    assert all(one.changes == () for one in found)
    assert aggregate(found, "en", "ru") is None


def test_a_huge_sentence_is_survived(toy: CTranslate2Translator) -> None:
    rng = random.Random(1)
    vocabulary = [word for sentence in RUSSIAN for word in sentence.lower().rstrip(".").split()]
    begun = time.monotonic()
    (found,) = trip([" ".join(rng.choices(vocabulary, k=2500))], toy)  # about 20,000 characters
    assert not found.reliable
    assert time.monotonic() - begun < 30


@pytest.mark.parametrize("language", ["ru", "zh"])
def test_scrambled_text_does_not_stall_the_metrics(language: str) -> None:
    rng = random.Random(1)
    letters = [chr(0x4E00 + n) if language == "zh" else f"слово{n} " for n in range(400)]
    one, other = ("".join(rng.choices(letters, k=3000)) for _ in range(2))
    begun = time.monotonic()
    found = roundtrip._measured(one, language, "en", Raw("x" * 20_000, other, -1.0, (-1.0,)))
    assert found.ter > 50
    assert time.monotonic() - begun < 30


# ---- means ----


def measured(tokens: int, chrf: float, log_likelihood: float, reliable: bool = True) -> SentenceRoundTrip:
    return SentenceRoundTrip(
        pivot_text="a", back_translation="b", chrf=chrf, bleu=chrf / 2, ter=100 - chrf, gap=0.5,
        log_likelihood=log_likelihood, token_log_likelihoods=(log_likelihood,) * tokens, reliable=reliable,
        changes=(),
    )  # fmt: skip


def test_means_are_weighted_by_tokens_over_reliable_sentences() -> None:
    trips = [measured(10, 80, -1), measured(30, 40, -3), measured(50, 0, -9, reliable=False)]
    found = aggregate(trips, "en", "ru")
    assert found is not None
    assert (found.pivot, found.chrf, found.bleu, found.ter) == ("en", 50, 25, 50)
    assert (found.log_likelihood, found.gap) == (-2.5, 0.5)
    assert found.signature == signatures("ru")
    assert aggregate([], "en", "ru") is None


# ---- metrics of languages without spaces ----


def test_signatures_name_metric_tokenizer_and_version() -> None:
    chrf, bleu, ter = signatures("ru").split("; ")
    assert chrf.startswith("chrF2++|nrefs:1|case:mixed|eff:yes|nc:6|nw:2|")
    assert bleu.startswith("BLEU|nrefs:1|case:mixed|eff:yes|tok:13a|")
    assert ter.startswith("TER|nrefs:1|case:lc|tok:tercom|norm:no|")
    assert all(part.endswith(f"version:{sacrebleu.__version__}") for part in (chrf, bleu, ter))
    assert "tok:zh" in signatures("zh")
    assert "tok:char" in signatures("ja")
    assert "tok:char" in signatures("ko")


@pytest.mark.parametrize(
    ("language", "reference", "hypothesis"),
    [("zh", "桥已经关闭了", "桥今天关闭了"), ("ja", "橋は閉鎖中です", "橋は通行止です")],
)
def test_one_changed_word_is_not_the_whole_sentence_where_there_are_no_spaces(
    language: str, reference: str, hypothesis: str
) -> None:
    (_, bleu, ter), _ = metrics(language)
    assert 0 < ter.sentence_score(hypothesis, [reference]).score < 100
    assert bleu.sentence_score(hypothesis, [reference]).score > 10


# ---- the guard ----

SENTENCE = "Власти закрыли старый мост через реку из-за угрозы обрушения."
PIVOT = "The authorities closed the old bridge over the river because it might collapse."


def test_an_honest_round_trip_is_reliable() -> None:
    assert is_reliable(SENTENCE, PIVOT, "Старый мост через реку закрыт из-за риска обвала.", "ru", "en")
    assert is_reliable("Да.", "Yes.", "Да, это так.", "ru", "en")


@pytest.mark.parametrize(
    ("pivot_text", "back_translation"),
    [
        ("", ""),
        (PIVOT, ""),
        (SENTENCE, SENTENCE),  # copied, not translated
        (SENTENCE.upper(), SENTENCE),
        (PIVOT, "Мост закрыт."),
        (PIVOT, SENTENCE + " Об этом сообщила пресс-служба городской администрации утром во вторник."),
        ("The bridge is closed, " + "no, " * 12, SENTENCE),
        ("The old bridge is closed. " * 3, SENTENCE),
        (PIVOT, "Власти закрыли мост " + "ха" * 12),
        (PIVOT, "Власти закрыли мост " + "_" * 30),
    ],
)  # fmt: skip
def test_a_lost_copied_or_looping_translation_is_not(pivot_text: str, back_translation: str) -> None:
    assert not is_reliable(SENTENCE, pivot_text, back_translation, "ru", "en")


def test_a_repetition_that_the_source_has_is_no_loop() -> None:
    chant = "Нет войне, нет войне, нет войне, нет войне, нет войне!"
    assert is_reliable(chant, "No war, no war, no war, no war, no war!", chant.lower(), "ru", "en")
    assert is_reliable("Ха" * 12 + "!", "Ha" * 12 + "!", "Ха" * 12, "ru", "en")


def test_a_name_may_recur_where_a_word_is_a_character() -> None:
    chinese = "联合国秘书长说，联合国秘书处和联合国秘书组织都将关闭，联合国秘书们已经离开。"
    english = (
        "The UN secretary-general said that the secretariat and its offices will close and staff have left."
    )
    assert is_reliable(chinese, english, chinese, "zh", "en")
    assert not is_reliable(chinese, english, "联合国秘书长说今天关闭" * 4, "zh", "en")


# ---- differences ----


def told(sentence: str, back_translation: str) -> list[tuple[str, str]]:
    """What stands on either side of every change."""
    return [
        (sentence[start:end], back_translation[back_start:back_end])
        for start, end, back_start, back_end in changes(sentence, back_translation)
    ]


def test_changes_name_the_span_on_both_sides() -> None:
    sentence, back = "Срочно покиньте опасную зону!", "Немедленно покиньте зону опасности."
    assert told(sentence, back) == [("Срочно", "Немедленно"), ("опасную", ""), ("", "опасности")]


def test_a_phrase_that_repeats_is_found_in_its_own_place() -> None:
    """Searched for as a string, the first "мост" would be marked in place of the second."""
    ((start, end, back_start, back_end),) = changes("Мост и река", "Мост и мост")
    assert (start, end, back_start, back_end) == (7, 11, 7, 11)


def test_case_and_punctuation_are_no_difference() -> None:
    assert changes("«Мост», — сказал ВРАЧ: закрыт…", "мост сказал врач закрыт") == ()
    assert changes("It's the mayor's bridge", "ITS the mayor’s bridge!") == ()
    assert changes("", "") == changes("!!!", "...") == ()


def test_everything_differs_from_nothing() -> None:
    assert changes("  Мост закрыт. ", "") == ((2, 13, 0, 0),)
    assert changes("!!!", "мост") == ((3, 3, 0, 4),)


ALPHABET = st.text(st.sampled_from("аб ,.!А'桥é\u0301\n"), max_size=30)


@given(sentence=ALPHABET, back_translation=ALPHABET)
def test_changes_lie_on_words_in_order(sentence: str, back_translation: str) -> None:
    done, back_done = 0, 0
    for start, end, back_start, back_end in changes(sentence, back_translation):
        assert done <= start <= end <= len(sentence)
        assert back_done <= back_start <= back_end <= len(back_translation)
        assert start < end or back_start < back_end
        for text, first, last in (sentence, start, end), (back_translation, back_start, back_end):
            if first < last:
                assert first in {word.start for word in words(text)}
                assert last in {word.end for word in words(text)}
        done, back_done = end, back_end


@given(ALPHABET)
def test_a_text_does_not_differ_from_itself(text: str) -> None:
    assert changes(text, text) == ()


@given(st.lists(st.sampled_from(["мост", "река", "город", "порт"]), unique=True, min_size=1), st.data())
def test_a_replaced_word_is_found(found_words: list[str], data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(found_words) - 1))
    changed = [*found_words[:place], "ключ", *found_words[place + 1 :]]
    assert told(" ".join(found_words), " ".join(changed)) == [(found_words[place], "ключ")]
