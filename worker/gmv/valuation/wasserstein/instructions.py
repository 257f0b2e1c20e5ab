"""Float32 operations that numba does not make instructions of."""

from collections.abc import Callable
from typing import Any, Final, cast

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

LARGE: Final = np.float32(1e30)
"""Stands for infinity, which compiled code must not meet."""

FINITE: Final = ("nnan", "ninf", "nsz")
"""Flags of an instruction that meets neither NaN nor infinity, and to which both zeros are one."""


@intrinsic
def _from_bits(_typing: Any, bits: Any) -> tuple[Any, Callable[..., Any]] | None:
    if bits != types.int32:
        return None

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], ir.FloatType())

    return types.float32(types.int32), generate


from_bits: Final[Callable[[np.int32], np.float32]] = cast(Any, _from_bits)
"""The float32 number that has these bits."""
