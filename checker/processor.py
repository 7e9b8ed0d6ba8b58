"""What the processor of this machine can do, and which numbers models therefore compute with.

CTranslate2 multiplies 8-bit integers by the instructions that a processor has. Where it has VNNI (x86) or the
dot product (Arm), sums of products are kept in 32 bits and exact. Older x86 instructions add two products in
16 bits, which overflow: the sum is clipped, and a model gives another answer. There, models compute with
32-bit floats made from the same stored weights.
"""

from __future__ import annotations

import functools
import os
import platform
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Arithmetic = Literal["int8", "float32", "float16"]
"""The numbers that a model is computed with, as CTranslate2 names them."""

_EXACT = frozenset({"avx512_vnni", "avx_vnni", "asimddp", "i8mm"})

_SETS = (
    ("AVX-512 VNNI", "avx512_vnni"), ("AVX-VNNI", "avx_vnni"), ("AVX-512", "avx512f"), ("AVX2", "avx2"),
    ("AVX", "avx"), ("SSE4.1", "sse4_1"), ("NEON I8MM", "i8mm"),
    ("NEON dot product", "asimddp"), ("NEON", "asimd"),
)  # fmt: skip

_AVX = ("avx",)
_AVX2 = (*_AVX, "avx2")
_AVX_VNNI = (*_AVX2, "avx_vnni")
_AVX512 = (*_AVX2, "avx512f")
_WIDE = frozenset({*_AVX_VNNI, *_AVX512, "avx512_vnni"})

_ONEDNN: dict[str, tuple[str, ...]] = {
    "SSE41": (), "AVX": _AVX, "AVX2": _AVX2, "AVX2_VNNI": _AVX_VNNI, "AVX2_VNNI_2": _AVX_VNNI,
    "AVX512_CORE": _AVX512,
    **dict.fromkeys(
        (f"AVX512_CORE_{name}" for name in ("VNNI", "BF16", "FP16", "AMX", "AMX_FP16")),
        (*_AVX512, "avx512_vnni"),
    ),
}  # fmt: skip
_LIMITS: dict[str, dict[str, tuple[str, ...]]] = {
    "CT2_FORCE_CPU_ISA": {"GENERIC": (), "AVX": _AVX, "AVX2": _AVX2},
    "ONEDNN_MAX_CPU_ISA": _ONEDNN,
    "DNNL_MAX_CPU_ISA": _ONEDNN,
    "MKL_ENABLE_INSTRUCTIONS": {
        "SSE4_2": (), "AVX": _AVX, "AVX2": _AVX2, "AVX2_E1": _AVX_VNNI, "AVX512": _AVX512,
    },
}  # fmt: skip
"""What stays of ``_WIDE`` under the values of the variables that make libraries pretend an older processor.

Libraries ignore a value that they do not know, or know it as that of a newer processor.
"""

_APPLE = {"feat_dotprod": "asimddp", "feat_i8mm": "i8mm", "neon": "asimd", "advsimd": "asimd"}
_INTEL_MAC = {
    "avx512vnni": "avx512_vnni", "avx512f": "avx512f", "avx2_0": "avx2", "avx1_0": "avx", "sse4_1": "sse4_1",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Processor:
    """A processor.

    Attributes:
        name: model, as the system tells it; "unknown" where it does not.
        instructions: names of its instruction sets, as Linux writes them; empty where they are not known.
    """

    name: str = "unknown"
    instructions: frozenset[str] = frozenset()

    @property
    def best(self) -> str:
        """The most capable of the instruction sets that matter here, by its usual name."""
        return next((name for name, flag in _SETS if flag in self.instructions), "unknown")


def from_cpuinfo(text: str) -> Processor:
    """What Linux says in ``/proc/cpuinfo``; instructions are those that all cores have.

    Args:
        text: the content of the file; an empty one gives an unknown processor.
    """
    cores = [
        {
            key.strip().lower(): value.strip()
            for key, _, value in (line.partition(":") for line in block.splitlines())
        }
        for block in text.split("\n\n")
    ]
    known = [
        frozenset(flags.lower().split())
        for core in cores
        if (flags := core.get("flags") or core.get("features"))
    ]
    first = cores[0]
    name = first.get("model name", "")
    if family := first.get("cpu family"):
        name = f"{name} (family {family}, model {first.get('model', '?')})"
    elif part := first.get("cpu part"):
        name = f"{name or 'Arm'} (implementer {first.get('cpu implementer', '?')}, part {part})"
    return Processor(name.strip() or "unknown", frozenset.intersection(*known) if known else frozenset())


def from_sysctl(text: str) -> Processor:
    """What macOS says by ``sysctl hw.optional machdep.cpu.brand_string``.

    Args:
        text: lines ``key: value``; an empty one gives an unknown processor.
    """
    values = dict(re.findall(r"(?m)^([\w.]+): *(.*)$", text))
    names = {**_APPLE, **_INTEL_MAC}
    flags = {key.rpartition(".")[2].lower() for key, value in values.items() if value == "1"}
    return Processor(
        values.get("machdep.cpu.brand_string") or "unknown",
        frozenset(names[flag] for flag in flags if flag in names),
    )


def pretended(processor: Processor, environ: Mapping[str, str]) -> Processor:
    """The processor that the numerical libraries see: they can be told to take it for an older one.

    Args:
        processor: the one that there is.
        environ: environment variables.
    """
    left = processor.instructions
    for variable, limits in _LIMITS.items():
        kept = limits.get(environ.get(variable, "").strip().upper())
        if kept is not None:
            left -= _WIDE.difference(kept)
    return Processor(processor.name, left)


def exact_in_eight_bits(processor: Processor) -> bool:
    """Whether products of 8-bit integers are summed without overflow; False where that is not known."""
    return not _EXACT.isdisjoint(processor.instructions)


def arithmetic(processor: Processor) -> Arithmetic:
    """The numbers to compute with on a processor: the fastest of those that give what the model says."""
    return "int8" if exact_in_eight_bits(processor) else "float32"


def here() -> Processor:
    """The processor of this machine, as the numerical libraries of this process see it."""
    return pretended(_present(), os.environ)


def has_avx2(found: Processor | None = None, machine: str | None = None) -> bool:
    """Whether a program for AVX2 runs on a processor; True where its instructions are not known, or not x86.

    Args:
        found: by default the one of this machine, whatever older one other libraries are made to see.
        machine: as ``platform.machine`` names it, by default this one.
    """
    instructions = (found or _present()).instructions
    x86 = (machine or platform.machine()).lower() in ("x86_64", "amd64")
    return not x86 or not instructions or "avx2" in instructions


@functools.cache
def _present() -> Processor:
    if sys.platform == "darwin":
        try:
            command = ["sysctl", "hw.optional", "machdep.cpu.brand_string"]
            return from_sysctl(subprocess.run(command, capture_output=True, text=True, timeout=10).stdout)
        except (OSError, subprocess.SubprocessError):
            return Processor()
    try:
        return from_cpuinfo(Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace"))
    except OSError:
        return Processor(platform.processor() or "unknown")
