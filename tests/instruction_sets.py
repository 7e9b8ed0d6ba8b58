"""The instruction sets that this machine has or can pretend to have, and a way to run a program under each.

Numerical libraries choose their code by the processor when they are loaded. Environment variables make them
take it for an older one. So a program is run in a process of its own, and what it prints is compared: a green
run on a new processor then means something on an old one. What the machine cannot pretend is left out.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from checker import processor
from checker.processor import Processor

ROOT = Path(__file__).parents[1]
_PRETENDING = ("CT2_", "ONEDNN_", "DNNL_", "MKL_", "ATEN_CPU_CAPABILITY", "OPENBLAS_CORETYPE", "NPY_")


@dataclass(frozen=True)
class Pretence:
    """A processor to take this one for.

    Attributes:
        name: for the names of tests.
        needs: the instruction that the machine must have, as Linux writes it; any machine will do without.
        environment: what makes CTranslate2 and its libraries, torch and numpy's OpenBLAS believe it.
    """

    name: str
    needs: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.name


NATIVE = Pretence("native")

ALL = (
    NATIVE,
    Pretence("sse41", "sse4_1", {
        "CT2_FORCE_CPU_ISA": "GENERIC", "ONEDNN_MAX_CPU_ISA": "SSE41", "MKL_ENABLE_INSTRUCTIONS": "SSE4_2",
        "ATEN_CPU_CAPABILITY": "default", "OPENBLAS_CORETYPE": "Nehalem",
    }),
    Pretence("avx", "avx", {
        "CT2_FORCE_CPU_ISA": "AVX", "ONEDNN_MAX_CPU_ISA": "AVX", "MKL_ENABLE_INSTRUCTIONS": "AVX",
        "ATEN_CPU_CAPABILITY": "default", "OPENBLAS_CORETYPE": "Sandybridge",
    }),
    Pretence("avx2", "avx2", {
        "CT2_FORCE_CPU_ISA": "AVX2", "ONEDNN_MAX_CPU_ISA": "AVX2", "MKL_ENABLE_INSTRUCTIONS": "AVX2",
        "ATEN_CPU_CAPABILITY": "avx2", "OPENBLAS_CORETYPE": "Haswell",
    }),
    Pretence("avx-vnni", "avx_vnni", {
        "ONEDNN_MAX_CPU_ISA": "AVX2_VNNI", "MKL_ENABLE_INSTRUCTIONS": "AVX2_E1",
        "OPENBLAS_CORETYPE": "Haswell",
    }),
    Pretence("avx512", "avx512f", {
        "CT2_FORCE_CPU_ISA": "AVX512", "ONEDNN_MAX_CPU_ISA": "AVX512_CORE",
        "MKL_ENABLE_INSTRUCTIONS": "AVX512",
    }),
    Pretence("avx512-vnni", "avx512_vnni", {
        "CT2_FORCE_CPU_ISA": "AVX512", "ONEDNN_MAX_CPU_ISA": "AVX512_CORE_VNNI",
        "MKL_ENABLE_INSTRUCTIONS": "AVX512_E1",
    }),
    Pretence("mkl", "sse4_1", {"CT2_USE_MKL": "1"}),  # the library that CTranslate2 takes on Intel
    Pretence("onednn", "sse4_1", {"CT2_USE_MKL": "0"}),  # the one that it takes on AMD
    Pretence("generic-arm", "asimd", {"CT2_FORCE_CPU_ISA": "GENERIC"}),
)  # fmt: skip


def possible(present: Processor | None = None) -> list[Pretence]:
    """What a machine can pretend, what it is first.

    Args:
        present: its processor; by default the one that there is.
    """
    found = (present or processor.here()).instructions
    return [pretence for pretence in ALL if not pretence.needs or pretence.needs in found]


def said_under(pretence: Pretence, program: str, *arguments: str) -> Any:
    """What a Python program prints last, read as JSON, on the processor that is pretended.

    Args:
        pretence: the processor.
        program: source; ``sys.argv[1:]`` has the arguments, and the tests' modules can be imported.
        arguments: of the program.

    Raises:
        AssertionError: the program failed; the message has its errors.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_PRETENDING)}
    paths = os.pathsep.join([str(ROOT), str(Path(__file__).parent)])
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        capture_output=True, text=True, encoding="utf-8", timeout=300, cwd=ROOT,
        env=kept | {"PYTHONPATH": paths, "PYTHONUTF8": "1"} | dict(pretence.environment),
    )  # fmt: skip
    assert done.returncode == 0, f"{pretence}: {done.stderr}"
    return json.loads(done.stdout.splitlines()[-1])
