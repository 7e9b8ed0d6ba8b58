"""The heads on the encoder: sums that come out the same however a post is cut, and files that are refused."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checker.errors import ModelCorruptedError
from checker.evidence.heads import Heads, Summary, packed, pool, summarise, unpacked

WIDTH = 6


def arrays(seed: int = 0) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    made = {"machine": rng.normal(size=3 * WIDTH), "translated": rng.normal(size=2 * WIDTH)}
    made |= {f"{name}_bias": rng.normal(size=1) for name in ("machine", "translated")}
    return {name: value.astype(np.float32) for name, value in made.items()}


def vectors(count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(count, WIDTH)).astype(np.float32)


@settings(deadline=None)
@given(st.integers(0, 1000), st.lists(st.integers(1, 9), min_size=1, max_size=6))
def test_a_post_is_the_same_cut_or_whole(seed: int, sizes: list[int]) -> None:
    whole = np.random.default_rng(seed).normal(size=(sum(sizes), WIDTH)).astype(np.float32)
    parts = np.split(whole, np.cumsum(sizes)[:-1])
    pooled, at_once = pool(summarise(part) for part in parts), summarise(whole)
    assert pooled is not None
    assert at_once is not None
    assert pooled.number == at_once.number
    for one, other in zip(pooled[1:], at_once[1:], strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-3)
    heads = Heads(arrays())
    assert heads.machine(pooled) == pytest.approx(heads.machine(at_once), abs=1e-2)
    assert heads.translated(pooled) == pytest.approx(heads.translated(at_once), abs=1e-2)


def test_nothing_is_said_of_no_vectors() -> None:
    assert summarise(np.zeros((0, 0), np.float32)) is None
    assert pool([None, None]) is None


@given(st.integers(1, 10**6), st.lists(st.floats(width=32, allow_nan=False), min_size=1, max_size=20))
def test_a_summary_comes_back_from_json_to_the_last_bit(number: int, values: list[float]) -> None:
    vectors = np.array(values, np.float32)
    given = Summary(number, vectors, vectors[::-1], -vectors)
    found = unpacked(json.loads(json.dumps(packed(given))))
    assert found is not None
    assert found.number == number
    assert [part.tobytes() for part in found[1:]] == [part.tobytes() for part in given[1:]]
    assert unpacked(packed(None)) is None


def test_log_odds_by_hand() -> None:
    made, rows = arrays(), vectors(5)
    summary = summarise(rows)
    assert summary is not None
    deviation = np.sqrt(rows.var(0) + 1e-5)
    expected = np.concatenate([rows.mean(0), deviation, rows.max(0)]) @ made["machine"]
    assert Heads(made).machine(summary) == pytest.approx(float(expected + made["machine_bias"][0]), abs=1e-3)


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "heads.npz"
    np.savez(path, **arrays())
    summary = summarise(vectors(4))
    assert summary is not None
    assert Heads.load(path).machine(summary) == Heads(arrays()).machine(summary)
    np.savez(path, **(arrays() | {"machine": np.zeros(3, np.float32)}))
    with pytest.raises(ModelCorruptedError, match="'machine' has a wrong shape"):
        Heads.load(path)
    path.write_bytes(b"not an archive")
    with pytest.raises(ModelCorruptedError, match="Install the package again"):
        Heads.load(path)
    with pytest.raises(ModelCorruptedError, match=r"cannot be read"):
        Heads.load(tmp_path / "none.npz")


@pytest.mark.parametrize("name", ["technical", "rudimentary"])
def test_nothing_is_said_by_a_head_that_was_not_fitted(tmp_path: Path, name: str) -> None:
    rows = vectors(5)
    summary = summarise(rows)
    assert summary is not None
    assert getattr(Heads(arrays()), name)(summary) is None
    weights = np.linspace(-1, 1, 2 * WIDTH).astype(np.float32)
    made = arrays() | {name: weights, f"{name}_bias": np.array([0.5], np.float32)}
    path = tmp_path / "heads.npz"
    np.savez(path, **made)
    expected = np.concatenate([rows.mean(0), np.sqrt(rows.var(0) + 1e-5)]) @ weights + 0.5
    assert getattr(Heads.load(path), name)(summary) == pytest.approx(float(expected), abs=1e-3)
    np.savez(path, **(made | {name: np.zeros(3, np.float32)}))
    with pytest.raises(ModelCorruptedError, match=f"'{name}' has a wrong shape"):
        Heads.load(path)


def test_every_piece_has_log_odds(tmp_path: Path) -> None:
    rng, rows = np.random.default_rng(1), vectors(5)
    made = {"order": rng.normal(size=WIDTH), "order_bias": np.array([0.5])}
    whole = arrays() | {name: value.astype(np.float32) for name, value in made.items()}
    assert Heads(arrays()).order(rows) is None
    path = tmp_path / "heads.npz"
    np.savez(path, **whole)
    found = Heads.load(path).order(rows)
    assert found is not None
    np.testing.assert_allclose(found, [row @ made["order"] + 0.5 for row in rows], atol=1e-4)
    for damaged in {"order": np.zeros(WIDTH + 1, np.float32)}, {"order_bias": np.zeros(2, np.float32)}:
        np.savez(path, **(whole | damaged))
        with pytest.raises(ModelCorruptedError, match="'order' has a wrong shape"):
            Heads.load(path)
