"""The weights that ship for the default engine, read by the reference engine."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from checker.errors import ModelCorruptedError
from checker.models.weights import CONVERTED, network, read

SHIPPED = Path(__file__).resolve().parents[1] / "models" / "embedded"


def auto(name: str) -> object:
    import transformers

    return getattr(transformers, {"fluency": "AutoModelForCausalLM"}.get(name, "AutoModelForSeq2SeqLM"))


@pytest.mark.parametrize("name", ["fluency", "translator"])
def test_every_number_that_is_stored_is_in_the_network(name: str) -> None:
    import torch

    stored = read(SHIPPED / name / CONVERTED / "model.bin")
    state = network(auto(name), SHIPPED / name).state_dict()
    matrices = [array for array in stored.values() if array.ndim == 2]
    sums = sorted(round(float(array.sum(dtype="float64")), 3) for array in matrices)
    fused = sum(1 for variable in stored if variable.endswith("self_attention/linear_0/weight"))
    assert fused > 0
    embedded = stored["decoder/embeddings/weight"]
    ours = next(
        tensor for key, tensor in state.items() if key.endswith(("shared.weight", "embed_tokens.weight"))
    )
    assert torch.equal(ours[: len(embedded)], torch.from_numpy(embedded))
    assert not ours[len(embedded) :].any(), "padding is the zero vector"
    halves = [float(tensor.double().sum()) for key, tensor in state.items() if key.endswith("fc1.weight")]
    halves += [
        float(tensor.double().sum()) for key, tensor in state.items() if key.endswith("gate_proj.weight")
    ]
    assert halves
    assert all(any(abs(value - known) < 0.01 for known in sums) for value in halves)


def test_a_file_that_was_cut_off_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "model.bin"
    whole = (SHIPPED / "fluency" / CONVERTED / "model.bin").read_bytes()
    for length in (0, 3, 40, 1000, len(whole) // 2):
        path.write_bytes(whole[:length])
        with pytest.raises(ModelCorruptedError, match="cannot be read"):
            read(path)
    path.write_bytes(b"\x07" + whole[1:])
    with pytest.raises(ModelCorruptedError, match="version 7, not 6"):
        read(path)


def test_weights_that_do_not_fit_the_configuration_are_an_error(tmp_path: Path) -> None:
    shutil.copytree(SHIPPED / "fluency", tmp_path / "model")
    config = tmp_path / "model" / "config.json"
    wider = json.loads(config.read_text()) | {"num_hidden_layers": 5}
    config.write_text(json.dumps(wider))
    with pytest.raises(ModelCorruptedError, match=r"lacks .*layers\.4"):
        network(auto("fluency"), tmp_path / "model")
