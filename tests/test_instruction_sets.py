"""The played processors are other ones: each library says so itself, and float sums do differ under them."""

import sys
from typing import Any

import orjson
import pytest

from tests.instruction_sets import AVX2, INSTRUCTION_SETS, NATIVE, SSE4, InstructionSet, assert_same_bytes, run_under

WHAT_LIBRARIES_USE = """
import faiss, orjson, torch
from numba.core import registry
from numpy._core._multiarray_umath import __cpu_dispatch__, __cpu_features__
triple, name, features = registry.cpu_target.target_context.codegen().magic_tuple()
print(orjson.dumps({
    "torch": torch.backends.cpu.get_cpu_capability(),
    "numba": name,
    "numpy": [name for name in __cpu_dispatch__ if __cpu_features__[name]],
    "faiss": faiss.SIMDConfig.get_level_name(),
}).decode())
"""

FLOAT_PRODUCT = """
import numpy as np
draw = np.random.default_rng(0)
product = draw.normal(size=(64, 300)).astype(np.float32) @ draw.normal(size=(300, 64)).astype(np.float32)
print(product.tobytes().hex())
"""

INTEGER_PRODUCT = """
import numpy as np, torch
draw = np.random.default_rng(0)
left, right = draw.integers(-128, 128, (64, 300)), draw.integers(-128, 128, (300, 64))
floats = left.astype(np.float32), right.astype(np.float32)
products = floats[0] @ floats[1], (torch.from_numpy(floats[0]) @ torch.from_numpy(floats[1])).numpy()
assert all((product == left @ right).all() for product in products)
print(*(product.tobytes().hex() for product in products))
"""


def used(instructions: InstructionSet) -> dict[str, Any]:
    told: dict[str, Any] = orjson.loads(run_under(instructions, sys.executable, "-c", WHAT_LIBRARIES_USE))
    return told


@pytest.mark.slow
def test_every_library_takes_this_processor_for_the_one_that_is_played() -> None:
    played = [each for each in (AVX2, SSE4) if each in INSTRUCTION_SETS]
    wanted = {
        AVX2.name: ("AVX2", "haswell", "AVX2", ("AVX512", "X86_V4")),
        SSE4.name: ("DEFAULT", "nehalem", "NONE", ("",)),
    }
    for each in played:
        found = used(each)
        capability, name, level, absent = wanted[each.name]
        assert (found["torch"], found["numba"], found["faiss"]) == (capability, name, level)
        assert not [variant for variant in found["numpy"] if variant.startswith(absent)]


@pytest.mark.slow
def test_float_sums_differ_and_sums_of_integers_do_not() -> None:
    """Else those who use this would show nothing. By numpy's BLAS: torch's is not told on AMD's."""
    products = {run_under(each, sys.executable, "-c", FLOAT_PRODUCT) for each in INSTRUCTION_SETS}
    assert len(products) > 1 or INSTRUCTION_SETS == (NATIVE,)
    assert_same_bytes(INTEGER_PRODUCT)


@pytest.mark.slow
def test_a_program_that_prints_what_it_runs_on_is_found() -> None:
    with pytest.raises(AssertionError, match="as it is"):
        assert_same_bytes(WHAT_LIBRARIES_USE)
