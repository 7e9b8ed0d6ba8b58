"""Which numbers a processor computes with: from what the system says of it, and from what it pretends."""

from __future__ import annotations

from pathlib import Path

import pytest

from checker import processor
from checker.models.ctranslate2_engine import placed
from checker.models.load import arithmetic as arithmetic_of
from checker.processor import (
    Processor,
    arithmetic,
    exact_in_eight_bits,
    from_cpuinfo,
    from_sysctl,
    has_avx2,
    pretended,
)

BASE = "fpu sse sse2 ssse3 sse4_1 sse4_2"


def x86(name: str, family: int, model: int, flags: str, cores: int = 2) -> str:
    """What Linux says of an x86 processor."""
    block = (
        f"processor\t: {{}}\nvendor_id\t: x\ncpu family\t: {family}\nmodel\t\t: {model}\n"
        f"model name\t: {name}\nflags\t\t: {BASE} {flags}\nbugs\t\t: spectre_v1\n"
    )
    return "\n".join(block.format(number) for number in range(cores)) + "\n"


def arm(part: str, features: str) -> str:
    """What Linux says of an Arm processor."""
    return (
        f"processor\t: 0\nBogoMIPS\t: 243.75\nFeatures\t: {features}\nCPU implementer\t: 0x41\n"
        f"CPU architecture: 8\nCPU variant\t: 0x1\nCPU part\t: {part}\nCPU revision\t: 1\n\n"
    )


ICE_LAKE = x86("Intel(R) Xeon(R) Platinum 8375C", 6, 106, "avx avx2 fma avx512f avx512bw avx512_vnni")
ALDER_LAKE = x86("12th Gen Intel(R) Core(TM) i7-12700", 6, 151, "avx avx2 fma avx_vnni")
SKYLAKE = x86("Intel(R) Xeon(R) Platinum 8175M", 6, 85, "avx avx2 fma avx512f avx512bw")
SANDY_BRIDGE = x86("Intel(R) Xeon(R) E5-2670", 6, 45, "avx")
ZEN_2 = x86("AMD EPYC 7742", 23, 49, "avx avx2 fma")
ZEN_3 = x86("AMD EPYC 7B13", 25, 1, "avx avx2 fma vaes vpclmulqdq")
ZEN_4 = x86("AMD EPYC 9R14", 25, 17, "avx avx2 fma avx512f avx512bw avx512_vnni avx512_bf16")
ZEN_5 = x86("AMD EPYC 9755", 26, 2, "avx avx2 fma avx_vnni avx512f avx512bw avx512_vnni avx512_bf16")
NEOVERSE_V1 = arm("0xd40", "fp asimd evtstrm aes atomics fphp asimdhp asimddp sve i8mm bf16")
NEOVERSE_N1 = arm("0xd0c", "fp asimd evtstrm aes atomics fphp asimdhp asimddp")
CORTEX_A72 = arm("0xd08", "fp asimd evtstrm crc32 cpuid")


@pytest.mark.parametrize(
    ("text", "best", "numbers"),
    [
        (ICE_LAKE, "AVX-512 VNNI", "int8"),
        (ALDER_LAKE, "AVX-VNNI", "int8"),
        (SKYLAKE, "AVX-512", "float32"),
        (SANDY_BRIDGE, "AVX", "float32"),
        (x86("QEMU", 6, 1, ""), "SSE4.1", "float32"),
        (ZEN_2, "AVX2", "float32"),
        (ZEN_3, "AVX2", "float32"),
        (ZEN_4, "AVX-512 VNNI", "int8"),
        (ZEN_5, "AVX-512 VNNI", "int8"),
        (NEOVERSE_V1, "NEON I8MM", "int8"),
        (NEOVERSE_N1, "NEON dot product", "int8"),
        (CORTEX_A72, "NEON", "float32"),
        ("", "unknown", "float32"),
        ("\n\n\n", "unknown", "float32"),
        ("processor\t: 0\nflags\t\t:\n", "unknown", "float32"),
        ("no colon\nflags", "unknown", "float32"),
    ],
)
def test_the_numbers_follow_from_what_linux_says(text: str, best: str, numbers: str) -> None:
    found = from_cpuinfo(text)
    assert (found.best, arithmetic(found)) == (best, numbers)
    assert exact_in_eight_bits(found) is (numbers == "int8")


def test_a_processor_is_named() -> None:
    assert from_cpuinfo(ZEN_3).name == "AMD EPYC 7B13 (family 25, model 1)"
    assert from_cpuinfo(NEOVERSE_N1).name == "Arm (implementer 0x41, part 0xd0c)"
    assert from_cpuinfo("").name == "unknown"


def test_what_not_all_cores_can_do_does_not_count() -> None:
    mixed = x86("a", 6, 1, "avx avx2 avx_vnni", cores=1) + "\n" + x86("a", 6, 1, "avx avx2", cores=1)
    assert from_cpuinfo(mixed).best == "AVX2"


@pytest.mark.parametrize(
    ("text", "name", "best", "numbers"),
    [
        (
            "hw.optional.arm.FEAT_DotProd: 1\nhw.optional.arm.FEAT_I8MM: 0\nhw.optional.neon: 1\n"
            "machdep.cpu.brand_string: Apple M1\n",
            "Apple M1",
            "NEON dot product",
            "int8",
        ),
        (
            "hw.optional.arm.FEAT_DotProd: 1\nhw.optional.arm.FEAT_I8MM: 1\n"
            "machdep.cpu.brand_string: Apple M2\n",
            "Apple M2",
            "NEON I8MM",
            "int8",
        ),
        (
            "hw.optional.avx2_0: 1\nhw.optional.avx512f: 1\nhw.optional.avx512vnni: 1\n"
            "machdep.cpu.brand_string: Intel(R) Core(TM) i5-1038NG7\n",
            "Intel(R) Core(TM) i5-1038NG7",
            "AVX-512 VNNI",
            "int8",
        ),
        (
            "hw.optional.avx1_0: 1\nhw.optional.avx2_0: 1\nhw.optional.avx512vnni: 0\n"
            "machdep.cpu.brand_string: Intel(R) Core(TM) i7\n",
            "Intel(R) Core(TM) i7",
            "AVX2",
            "float32",
        ),
        ("", "unknown", "unknown", "float32"),
        ("sysctl: unknown oid 'hw.optional'\n", "unknown", "unknown", "float32"),
    ],
)
def test_the_numbers_follow_from_what_macos_says(text: str, name: str, best: str, numbers: str) -> None:
    found = from_sysctl(text)
    assert (found.name, found.best, arithmetic(found)) == (name, best, numbers)


@pytest.mark.parametrize(
    ("text", "variable", "value", "best"),
    [
        (ICE_LAKE, "ONEDNN_MAX_CPU_ISA", "AVX2", "AVX2"),
        (ICE_LAKE, "ONEDNN_MAX_CPU_ISA", "avx512_core", "AVX-512"),
        (ICE_LAKE, "ONEDNN_MAX_CPU_ISA", "AVX512_CORE_VNNI", "AVX-512 VNNI"),
        (ICE_LAKE, "ONEDNN_MAX_CPU_ISA", "AVX2_VNNI", "AVX2"),
        (ZEN_5, "ONEDNN_MAX_CPU_ISA", "AVX2_VNNI", "AVX-VNNI"),
        (ZEN_5, "ONEDNN_MAX_CPU_ISA", "AVX512_CORE_AMX", "AVX-512 VNNI"),
        (ZEN_5, "DNNL_MAX_CPU_ISA", "SSE41", "SSE4.1"),
        (ZEN_5, "ONEDNN_MAX_CPU_ISA", "ALL", "AVX-512 VNNI"),
        (ZEN_5, "ONEDNN_MAX_CPU_ISA", "nonsense", "AVX-512 VNNI"),
        (ZEN_5, "ONEDNN_MAX_CPU_ISA", "", "AVX-512 VNNI"),
        (ZEN_5, "CT2_FORCE_CPU_ISA", "GENERIC", "SSE4.1"),
        (ZEN_5, "CT2_FORCE_CPU_ISA", "AVX", "AVX"),
        (ZEN_5, "CT2_FORCE_CPU_ISA", "AVX2", "AVX2"),
        (ZEN_5, "CT2_FORCE_CPU_ISA", "AVX512", "AVX-512 VNNI"),
        (ICE_LAKE, "MKL_ENABLE_INSTRUCTIONS", "AVX2", "AVX2"),
        (ALDER_LAKE, "MKL_ENABLE_INSTRUCTIONS", "AVX2_E1", "AVX-VNNI"),
        (ZEN_3, "ONEDNN_MAX_CPU_ISA", "AVX512_CORE_VNNI", "AVX2"),  # none is gained
        (NEOVERSE_V1, "CT2_FORCE_CPU_ISA", "GENERIC", "NEON I8MM"),  # its 8-bit product is another library's
    ],
)
def test_a_processor_that_pretends_to_be_older_is_taken_for_that(
    text: str, variable: str, value: str, best: str
) -> None:
    assert pretended(from_cpuinfo(text), {variable: value}).best == best


def test_the_narrowest_pretence_counts() -> None:
    both = {"CT2_FORCE_CPU_ISA": "AVX2", "ONEDNN_MAX_CPU_ISA": "AVX512_CORE_VNNI"}
    assert arithmetic(pretended(from_cpuinfo(ZEN_5), both)) == "float32"
    assert pretended(from_cpuinfo(ZEN_5), {}) == from_cpuinfo(ZEN_5)


@pytest.mark.parametrize("system", ["linux", "darwin", "win32"])
def test_a_system_that_tells_nothing_is_no_error(monkeypatch: pytest.MonkeyPatch, system: str) -> None:
    def fail(*args: object, **options: object) -> str:
        raise FileNotFoundError("there is no such thing")

    monkeypatch.setattr(processor.sys, "platform", system)
    monkeypatch.setattr(Path, "read_text", fail)
    monkeypatch.setattr(processor.subprocess, "run", fail)
    assert processor._present.__wrapped__().instructions == frozenset()


@pytest.mark.parametrize(("text", "numbers"), [(ZEN_3, "float32"), (ZEN_4, "int8")])
def test_models_are_placed_by_the_processor(monkeypatch: pytest.MonkeyPatch, text: str, numbers: str) -> None:
    monkeypatch.setattr(processor, "here", lambda: from_cpuinfo(text))
    assert placed("cpu", 3) == {
        "device": "cpu",
        "compute_type": numbers,
        "inter_threads": 3,
        "intra_threads": 1,
    }
    assert placed("cpu", 3, "float32")["compute_type"] == "float32"
    assert arithmetic_of("ctranslate2", "cpu") == numbers
    assert arithmetic_of("transformers", "cpu") == arithmetic_of("transformers", "cuda") == "float32"


def test_a_gpu_has_its_own_numbers_whatever_the_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    import ctranslate2

    monkeypatch.setattr(ctranslate2, "get_cuda_device_count", lambda: 1)
    monkeypatch.setattr(processor, "here", Processor)
    for device in "auto", "cuda":
        assert placed(device) == {"device": "cuda", "compute_type": "float16"}
        assert arithmetic_of("ctranslate2", device) == "float16"  # type: ignore[arg-type]
    assert placed("cpu")["compute_type"] == "float32"
    monkeypatch.setattr(ctranslate2, "get_cuda_device_count", lambda: 0)
    assert arithmetic_of("ctranslate2", "auto") == "float32"
    assert arithmetic_of("ctranslate2", "cuda") == "float16"  # elsewhere there may be one


@pytest.mark.parametrize(
    ("instructions", "machine", "runs"),
    [
        ({"avx", "avx2"}, "x86_64", True),
        ({"avx", "sse4_1"}, "x86_64", False),
        ({"avx"}, "AMD64", False),
        (set(), "AMD64", True),  # Windows does not say
        ({"asimd"}, "aarch64", True),
    ],
)
def test_where_a_program_for_avx2_runs(instructions: set[str], machine: str, runs: bool) -> None:
    assert has_avx2(Processor("any", frozenset(instructions)), machine) is runs
