"""The lesser and the greater of two float32 numbers, as single processor instructions.

Python's `min` and `max` let numba make a comparison and a choice, which LLVM does not turn into vector code: minima of
a 64 x 64 matrix took 2.0 us by rows and 1.6 us by columns, and take 0.33 and 0.27 us by these.
"""

from collections.abc import Callable
from typing import Any, Final

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

LARGE: Final = np.float32(1e30)
"""Stands for infinity, which compiled code must not meet."""


def _instruction(name: str) -> Any:
    """Make a function of two float32 numbers out of an intrinsic function of LLVM."""

    @intrinsic
    def instruction(_typing: Any, left: Any, right: Any) -> tuple[Any, Callable[..., Any]] | None:
        if (left, right) != (types.float32, types.float32):
            return None

        def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
            single = ir.FloatType()
            function = builder.module.declare_intrinsic(name, [single], ir.FunctionType(single, [single, single]))
            return builder.call(function, arguments, fastmath=("nnan", "ninf", "nsz"))

        return types.float32(types.float32, types.float32), generate

    return instruction


lesser: Final[Callable[[np.float32, np.float32], np.float32]] = _instruction("llvm.minnum")
greater: Final[Callable[[np.float32, np.float32], np.float32]] = _instruction("llvm.maxnum")
