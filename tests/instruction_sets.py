"""Processors of other kinds, played on this one: every library that computes is told to use an older instruction set.

A program that gives the same bytes under all of them does not depend on how a library adds up, on fused
multiplications, or on which of its variants a C library takes.
"""

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from numpy._core._multiarray_umath import __cpu_dispatch__, __cpu_features__  # type: ignore[import-not-found]

from tests.services.patience import patience


@dataclass(frozen=True, slots=True)
class InstructionSet:
    """A kind of processor by the environment that makes libraries take this one for it.

    Attributes:
        name: for messages.
        environment: variables that they read when they are loaded.
        needs: what this processor must have, as numpy names it; any one of these.
    """

    name: str
    environment: Mapping[str, str] = field(default_factory=dict)
    needs: frozenset[str] = frozenset()

    @property
    def is_playable(self) -> bool:
        """Whether this processor has these instructions: a library that is told to use others crashes."""
        return not self.needs or any(__cpu_features__.get(name) for name in self.needs)


_WIDE: Final = ("AVX512", "X86_V4")
"""How numpy's names of what is above AVX2 begin."""


def _numpy_without(*beginnings: str) -> str:
    """Features that numpy has variants for on this machine; it warns where it is told to leave out others."""
    return " ".join(name for name in __cpu_dispatch__ if name.startswith(beginnings) and __cpu_features__[name])


NATIVE: Final = InstructionSet("as it is")

AVX512_WITHOUT_AMX: Final = InstructionSet(
    "AVX-512 without AMX, in torch, BLAS and faiss",
    {
        "ATEN_CPU_CAPABILITY": "avx512",
        "MKL_ENABLE_INSTRUCTIONS": "AVX512",
        "ONEDNN_MAX_CPU_ISA": "AVX512_CORE",
        "OPENBLAS_CORETYPE": "SkylakeX",
        "FAISS_SIMD_LEVEL": "AVX512",
    },
    frozenset({"AVX512_SKX", "X86_V4"}),
)

AVX2: Final = InstructionSet(
    "AVX2 (Haswell)",
    {
        "NUMBA_CPU_NAME": "haswell",
        "NUMBA_CPU_FEATURES": "",  # those of that processor, not of this one
        "ATEN_CPU_CAPABILITY": "avx2",
        "MKL_ENABLE_INSTRUCTIONS": "AVX2",
        "ONEDNN_MAX_CPU_ISA": "AVX2",
        "OPENBLAS_CORETYPE": "Haswell",
        "NPY_DISABLE_CPU_FEATURES": _numpy_without(*_WIDE),
        "FAISS_SIMD_LEVEL": "AVX2",
        "ARROW_USER_SIMD_LEVEL": "AVX2",
        "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX512F,-AVX512VL,-AVX512BW,-AVX512DQ",
    },
    frozenset({"AVX2", "X86_V3"}),
)

SSE4: Final = InstructionSet(
    "SSE4.2 (Nehalem), no fused multiplication",
    {
        "NUMBA_CPU_NAME": "nehalem",
        "NUMBA_CPU_FEATURES": "",
        "ATEN_CPU_CAPABILITY": "default",
        "MKL_ENABLE_INSTRUCTIONS": "SSE4_2",
        "ONEDNN_MAX_CPU_ISA": "SSE41",
        "OPENBLAS_CORETYPE": "Nehalem",
        "NPY_DISABLE_CPU_FEATURES": _numpy_without(""),
        "FAISS_SIMD_LEVEL": "NONE",
        "ARROW_USER_SIMD_LEVEL": "NONE",
        "JSIMD_FORCENONE": "1",  # libjpeg-turbo in plain C
        "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-FMA,-FMA4,-AVX,-AVX2,-AVX512F,-AVX512VL,-AVX512BW,-AVX512DQ",
    },
    frozenset({"SSE42", "X86_V2"}),
)

INSTRUCTION_SETS: Final = tuple(each for each in (NATIVE, AVX512_WITHOUT_AMX, AVX2, SSE4) if each.is_playable)
"""That this processor can play, its own first."""


def run_under(instructions: InstructionSet, *command: object, **variables: str) -> bytes:
    """Run a command to its end as on such a processor, and return what it prints.

    Args:
        instructions: what it is told to use.
        command: program and arguments.
        variables: further ones of its environment.
    """
    done = subprocess.run(
        [*map(str, command)],
        capture_output=True,
        env=os.environ | dict(instructions.environment) | variables,
        timeout=patience(180),
    )
    assert done.returncode == 0, f"{instructions.name}: {done.stdout.decode()}\n{done.stderr.decode()}"
    return done.stdout


def assert_same_bytes(program: str, *arguments: object) -> bytes:
    """Run a Python program under each instruction set; it has to print the same, and not nothing, which is returned."""
    printed = {each.name: run_under(each, sys.executable, "-c", program, *arguments) for each in INSTRUCTION_SETS}
    first = printed[NATIVE.name]
    assert first
    assert {name: text for name, text in printed.items() if text != first} == {}, f"{NATIVE.name}: {first!r}"
    return first
