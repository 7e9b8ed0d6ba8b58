"""The network of a model for the engine ``transformers``, whatever format its weights come in.

A shipped model has its weights once, in CTranslate2's format in 8-bit integers. For the reference engine, the
same numbers are put into a Hugging Face network as 32-bit floats. The format is that of CTranslate2's
``model_spec.py``: a header, then every variable with its name, shape, type and bytes.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from checker.errors import ModelCorruptedError

CONVERTED = "ctranslate2"  # folder of the conversion in that of a model
_VERSION = 6
_TYPES = (np.float32, np.int8, np.int16, np.int32, np.float16)

Arrays = dict[str, npt.NDArray[Any]]

_MARIAN = {
    "self_attention": "self_attn", "attention": "encoder_attn", "ffn/linear_0": "fc1", "ffn/linear_1": "fc2",
    "self_attention/layer_norm": "self_attn_layer_norm", "attention/layer_norm": "encoder_attn_layer_norm",
    "ffn/layer_norm": "final_layer_norm",
}  # fmt: skip
_LLAMA = {
    "self_attention": "self_attn", "ffn/linear_0": "mlp.gate_proj", "ffn/linear_0_noact": "mlp.up_proj",
    "ffn/linear_1": "mlp.down_proj", "self_attention/layer_norm": "input_layernorm",
    "ffn/layer_norm": "post_attention_layernorm",
}  # fmt: skip
_LAYER = re.compile(r"(?P<side>encoder|decoder)/layer_(?P<layer>\d+)/(?P<path>.+)/(?P<last>\w+)")
_FUSED = {
    "self_attention/linear_0": ("q_proj", "k_proj", "v_proj"), "attention/linear_0": ("q_proj",),
    "attention/linear_1": ("k_proj", "v_proj"),
}  # fmt: skip


def network(auto_class: Any, folder: Path) -> Any:
    """A network in 32-bit floats.

    Only local files are read, no code of a model's repository is ever run, and a checkpoint that is a pickle
    is loaded through torch's weights-only reader.

    Args:
        auto_class: the class of transformers that fits the task.
        folder: Hugging Face files, with the weights or with a CTranslate2 conversion in their place.

    Raises:
        ModelCorruptedError: the conversion is not one, or its architecture is not that of its configuration.
    """
    import torch
    from transformers import AutoConfig

    options: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
    binary = folder / CONVERTED / "model.bin"
    if not binary.exists() or any(folder.glob("*.safetensors")) or any(folder.glob("*.bin")):
        return auto_class.from_pretrained(folder, dtype=torch.float32, **options)
    config = AutoConfig.from_pretrained(folder, **options)
    found = auto_class.from_config(config, dtype=torch.float32)
    wanted = found.state_dict()
    names = {"marian": _marian, "llama": _llama}
    if config.model_type not in names:
        raise ModelCorruptedError(f"{folder} has no weights that transformers can read.")
    try:
        stored = {name: torch.from_numpy(array) for name, array in names[config.model_type](read(binary))}
        state = {name: _padded(stored[name], wanted[name]) for name in wanted if name in stored}
        left = set(found.load_state_dict(state, strict=False).missing_keys) - {"final_logits_bias"}
    except (KeyError, RuntimeError, ValueError) as error:
        raise ModelCorruptedError(f"{binary} does not fit the configuration beside it ({error}).") from None
    if left:
        raise ModelCorruptedError(f"{binary} lacks {', '.join(sorted(left))}.")
    found.tie_weights()
    return found


def read(path: Path) -> Arrays:
    """The variables of a file that CTranslate2 wrote, 8-bit ones as the 32-bit floats that they stand for.

    Raises:
        ModelCorruptedError: it is not such a file, or is cut off.
    """
    try:
        raw = dict(_variables(path.read_bytes()))
    except (struct.error, IndexError, ValueError, UnicodeDecodeError) as error:
        raise ModelCorruptedError(f"{path} cannot be read ({error}). Install the package again.") from None
    scales = {name: raw.pop(name) for name in list(raw) if name.endswith("_scale")}
    return {name: _floats(array, scales.get(f"{name}_scale")) for name, array in raw.items()}


def _variables(data: bytes) -> Iterator[tuple[str, npt.NDArray[Any]]]:
    place = 0

    def number(form: str) -> int:
        nonlocal place
        (value,) = struct.unpack_from(f"<{form}", data, place)
        place += struct.calcsize(form)
        return int(value)

    def name() -> str:
        nonlocal place
        length = number("H")
        place += length
        return data[place - length : place - 1].decode()  # it ends with a zero

    if (version := number("I")) != _VERSION:
        raise ValueError(f"version {version}, not {_VERSION}")
    name(), number("I")  # the architecture and its revision
    for _ in range(number("I")):
        variable = name()
        shape = tuple(number("I") for _ in range(number("B")))
        kind = np.dtype(_TYPES[number("B")])
        size = number("I")
        yield variable, np.frombuffer(data, kind, size // kind.itemsize, place).reshape(shape)
        place += size


def _floats(array: npt.NDArray[Any], scale: npt.NDArray[Any] | None) -> npt.NDArray[Any]:
    values = array.astype(np.float32)
    return values if scale is None else values / scale.astype(np.float32)[..., None]


def _marian(arrays: Arrays) -> Iterator[tuple[str, npt.NDArray[Any]]]:
    """Names of ``MarianMTModel``."""
    embeddings = arrays["decoder/embeddings/weight"]
    yield "model.shared.weight", embeddings
    positions = arrays["decoder/position_encodings/encodings"]
    for side in "encoder", "decoder":
        yield f"model.{side}.embed_tokens.weight", embeddings
        yield f"model.{side}.embed_positions.weight", positions
    yield "lm_head.weight", embeddings
    yield from _layers(arrays, _MARIAN, "model.{side}.layers.{layer}", "out_proj")


def _llama(arrays: Arrays) -> Iterator[tuple[str, npt.NDArray[Any]]]:
    """Names of ``LlamaForCausalLM``."""
    yield "model.embed_tokens.weight", arrays["decoder/embeddings/weight"]
    yield "lm_head.weight", arrays["decoder/embeddings/weight"]
    yield "model.norm.weight", arrays["decoder/layer_norm/gamma"]
    yield from _layers(arrays, _LLAMA, "model.layers.{layer}", "o_proj")


def _layers(
    arrays: Arrays, names: dict[str, str], prefix: str, output: str
) -> Iterator[tuple[str, npt.NDArray[Any]]]:
    for variable, array in arrays.items():
        found = _LAYER.fullmatch(variable)
        if found is None:
            continue
        path, last = found["path"].split("/"), found["last"]
        start = prefix.format(side=found["side"], layer=found["layer"])
        end = {"gamma": "weight", "beta": "bias"}.get(last, last)
        module = "/".join(path)
        if parts := _FUSED.get(module):
            owner = names[path[0]]
            for part, piece in zip(parts, np.split(array, len(parts)), strict=True):
                yield f"{start}.{owner}.{part}.{end}", piece
        elif module in names:
            yield f"{start}.{names[module]}.{end}", array
        elif path[-1].startswith("linear_"):
            yield f"{start}.{names[path[0]]}.{output}.{end}", array


def _padded(tensor: Any, wanted: Any) -> Any:
    """The tensor with rows of zeros behind it where the network has more: Marian's padding is not stored."""
    import torch

    if tensor.ndim == 2 and tensor.shape[0] < wanted.shape[0]:
        return torch.cat([tensor, wanted.new_zeros(wanted.shape[0] - tensor.shape[0], tensor.shape[1])])
    return tensor
