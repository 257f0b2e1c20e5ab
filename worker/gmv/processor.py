"""What the processor can do that is compiled for; numba may be told of another one (`NUMBA_CPU_NAME`)."""

from numba.core.registry import cpu_target


def register_lanes() -> int:
    """Return how many 32-bit numbers its registers hold: 16 or 8, which LLVM splits where they are shorter."""
    return 16 if "avx512bw" in _features() else 8


def multiplies_bytes() -> bool:
    """Return whether it has an instruction for products of bytes, four by four, in the registers it has: VNNI."""
    return ("avx512vnni" if register_lanes() == 16 else "avxvnni") in _features()


def _features() -> frozenset[str]:
    """Return LLVM's names of what it has."""
    *_, features = cpu_target.target_context.codegen().magic_tuple()
    return frozenset(each.removeprefix("+") for each in features.split(",") if each.startswith("+"))
