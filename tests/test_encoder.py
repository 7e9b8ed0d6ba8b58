"""The encoder that ships: the same alone and in company, whatever it is given."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from checker.errors import ModelCorruptedError
from checker.evidence.heads import summarise
from checker.evidence.style import wording
from checker.models import Store
from checker.models.encoder import WINDOW, Encoder
from checker.pipeline import Checker
from checker.result import Result

RUSSIAN = "Жители района сообщили, что утром на набережной закрыли движение автобусов."
ENGLISH = "The ministry has approved a new schedule for the bridge, which opens on Monday."


@pytest.fixture(scope="module")
def checker() -> Checker:
    return Checker(round_trip=False, fluency=False, threads=1)


@pytest.fixture(scope="module")
def encoder(checker: Checker) -> Encoder:
    found = checker.models.encoder()
    assert found is not None
    return found


def test_a_text_reads_the_same_alone_and_in_company(encoder: Encoder) -> None:
    texts = [RUSSIAN, "", ENGLISH, f"{ENGLISH} {RUSSIAN}", "Да.", ENGLISH]
    together = encoder.read(texts)
    for text, found in zip(texts, together, strict=True):
        (alone,) = encoder.read([text])
        np.testing.assert_allclose(found.vectors, alone.vectors, atol=2e-5)
        np.testing.assert_allclose(found.faults, alone.faults, atol=2e-5)
        np.testing.assert_array_equal(found.spans, alone.spans)
    assert together[1].vectors.shape == (0, 0)
    np.testing.assert_allclose(together[2].vectors, together[5].vectors, atol=2e-5)


def test_a_long_text_is_read_in_windows(encoder: Encoder) -> None:
    short, long = encoder.read([ENGLISH, " ".join([ENGLISH] * 40)])
    pieces = len(short.vectors) - 2
    whole = 40 * pieces
    assert len(long.vectors) == whole + 2 * -(-whole // WINDOW)
    assert np.isfinite(long.vectors).all()
    assert long.faults.shape == long.vectors.shape
    assert not np.allclose(long.faults, long.vectors)


@pytest.mark.parametrize(
    "text", [RUSSIAN, " ".join([ENGLISH] * 40), "両国の大臣は首都で会談した。", "ﬁne — ½ 𝟚x"]
)
def test_every_piece_knows_its_place(encoder: Encoder, text: str) -> None:
    (found,) = encoder.read([text])
    assert found.spans.shape == (len(found.vectors), 2)
    marks = found.spans[:, 0] < 0
    windows = -(-int((~marks).sum()) // WINDOW)
    assert marks.sum() == 2 * windows
    starts, ends = found.spans[~marks].T
    assert (starts <= ends).all()
    assert (np.diff(starts) >= 0).all()
    covered = {place for start, end in found.spans[~marks] for place in range(start, end)}
    assert {place for place, letter in enumerate(text) if letter.isalnum()} <= covered


@pytest.mark.parametrize(
    "text", ["</s> <s> <pad> <unk>", "\u0000\ufffd\u200b", "🏳️‍🌈" * 300, "x" * 2_000, "∑∫ √2 ≠ 𝟚", "ا" * 999]
)
def test_hostile_text_is_text(encoder: Encoder, text: str) -> None:
    (found,) = encoder.read([text])
    assert np.isfinite(found.vectors).all()


def test_marks_in_a_text_are_not_those_around_it(encoder: Encoder) -> None:
    written, bare = encoder.read([f"{ENGLISH} </s> {ENGLISH}", f"{ENGLISH} {ENGLISH}"])
    assert len(written.vectors) > len(bare.vectors)


@pytest.mark.parametrize(
    ("language", "one", "other"),
    [
        (
            "ro",
            "Autoritatea a anunţat că şoseaua se închide.",
            "Autoritatea a anunțat că șoseaua se închide.",
        ),
        ("fa", "وزارت می\u200cگوید جاده بسته است.", "وزارت می گوید جاده بسته است."),
        (
            "ru",
            "«Мост откроют — завтра», пишёт пресс-служба…",
            '"Мост откроют - завтра", пишет пресс-служба.',
        ),
    ],
)
def test_spellings_of_the_keyboard_are_read_alike(
    encoder: Encoder, checker: Checker, language: str, one: str, other: str
) -> None:
    read = encoder.read([wording(text, language).text for text in (one, other)])
    first, second = (checker.models.heads.machine(s) for one in read if (s := summarise(one.vectors)))
    assert first == pytest.approx(second, abs=1e-3)


def test_order_of_words_matters(encoder: Encoder, checker: Checker) -> None:
    words = RUSSIAN.rstrip(".").split()
    read = encoder.read([RUSSIAN, " ".join(words[::-1]) + "."])
    first, second = (checker.models.heads.machine(s) for one in read if (s := summarise(one.vectors)))
    assert abs(first - second) > 0.05


def test_the_verdict_names_the_encoder_and_can_do_without_it(checker: Checker) -> None:
    plain = Checker(round_trip=False, fluency=False, encoder=False, threads=1)
    found: tuple[Result, Result] = (checker.score(RUSSIAN), plain.score(RUSSIAN))
    assert found[0].models["encoder"].startswith("embedded/encoder@")
    assert "encoder" not in found[1].models
    assert {reason.kind for reason in found[0].reasons} >= {"encoder", "style"}
    assert "encoder" not in {reason.kind for reason in found[1].reasons}
    assert found[0].machine_translated != found[1].machine_translated


@pytest.mark.parametrize("damaged", ["ctranslate2/model.bin", "faults/model.bin", "tokenizer.json"])
def test_a_damaged_encoder_is_one_clear_error(tmp_path: Path, damaged: str) -> None:
    store = Store()
    model = store.encoder()
    assert model is not None
    folder = tmp_path / "encoder"
    shutil.copytree(store.path(model), folder)
    (folder / damaged).write_bytes(b"\0" * 100)
    with pytest.raises(ModelCorruptedError, match="Install the package again"):
        Encoder(folder, folder / "ctranslate2", "encoder@1")
