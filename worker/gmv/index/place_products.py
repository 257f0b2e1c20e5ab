"""Products of so many places of one vector with those beside them in a query, in the processor's registers.

A vector's places follow one another in memory, 64 numbers or so each, and to add up the lanes of a register for every
product of two places takes longer than to multiply them. So places are turned in registers first, four numbers of each
side by side in one, and lanes are never added up. The query is laid out likewise, once for each way to be
beside a place: products that nobody asks for are not made. Written as instructions for LLVM, as `products` is.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final, cast

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from gmv.index.products import add_neighbours
from gmv.processor import register_lanes

PLACES: Final = register_lanes()
"""At once: one to each lane of 32 bits, 16 or 8. Of two registers' lanes LLVM would run out of registers."""

NUMBERS: Final = 4 * PLACES
"""Of a place, that one step turns and multiplies: a register of bytes."""

WAYS: Final = 5
"""To be beside a place: to be itself, or on one of four sides."""

_generate: Final[Any] = cgutils  # has no types

_SHORT: Final = ir.IntType(16)
_LANE: Final = ir.IntType(32)
_INDEX: Final = ir.IntType(64)
_LANES: Final = ir.VectorType(_LANE, PLACES)
_SHORTS: Final = ir.VectorType(_SHORT, 2 * PLACES)
_TO_READ: Final = [_LANE(flag) for flag in (0, 3, 1)]
"""And soon, and not as instructions."""

_WIDE: Final = ir.VectorType(_LANE, 2 * PLACES)


def _in_each_quarter(*lanes: int) -> list[int]:
    return [4 * quarter + lane for quarter in range(PLACES // 4) for lane in lanes]


def _quarters(*quarters: int) -> list[int]:
    return [4 * quarter + lane for quarter in quarters for lane in range(4)]


_QUARTER_ORDER: Final = 0, 2, 1, 3
"""Of the rows of four whose lanes were woven."""

_SINGLES: Final = _in_each_quarter(0, PLACES, 1, PLACES + 1), _in_each_quarter(2, PLACES + 2, 3, PLACES + 3)
_DOUBLES: Final = _in_each_quarter(0, 1, PLACES, PLACES + 1), _in_each_quarter(2, 3, PLACES + 2, PLACES + 3)
_QUARTERS: Final = _quarters(*range(0, PLACES // 2, 2)), _quarters(*range(1, PLACES // 2, 2))
"""Lanes of two vectors for the one and for the other that they become: each is one instruction of AVX2 or AVX-512."""

_WEAVES: Final = [(1, _SINGLES), (2, _DOUBLES), (4, _QUARTERS), (8, _QUARTERS)][: PLACES.bit_length() - 1]
"""Which rows are woven with which, by the distance between them."""


@intrinsic
def _compare_places(
    _typing: Any, places: Any, first: Any, following: Any, laid_out: Any, squares: Any, look: Any, apart: Any, at: Any
) -> tuple[Any, Callable[..., Any]] | None:
    """Write the squared distances of `PLACES` places from those of a look, for each way to be beside one.

    Args:
        places: int8 [p, n], n a multiple of `NUMBERS`.
        first: int64, of the places.
        following: int64, of those that are asked for next, which are fetched meanwhile.
        laid_out: int16 [l, 5, n / 2, 2 PLACES], of looks: numbers 4 g and 4 g + 2 of each place in row 2 g, and 4 g + 1
            and 4 g + 3 in row 2 g + 1.
        squares: int32 [l, 5, PLACES], of the lengths of these.
        look: int64, which of them.
        apart: int32 [5, w], of which `PLACES` columns from `at` on are written.
        at: int64.
    """
    is_int8 = isinstance(places, types.Array) and (places.dtype, places.ndim, places.layout) == (types.int8, 2, "C")
    arrays = (laid_out, squares, apart)
    expected = (types.Array(types.int16, 4, "C"), types.Array(types.int32, 3, "C"), types.Array(types.int32, 2, "C"))
    if not is_int8 or arrays != expected or {first, following, look, at} != {types.int64}:
        return None
    signature = types.void(places, first, following, laid_out, squares, look, apart, at)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        given = [
            argument if kind == types.int64 else context.make_array(kind)(context, builder, argument)
            for kind, argument in zip(signature.args, arguments, strict=True)
        ]
        _Turned(builder, *given).write()
        return context.get_dummy_value()

    return signature, generate


class _Turned:
    """Writes the instructions of one call."""

    def __init__(
        self,
        builder: Any,
        places: Any,
        first: Any,
        following: Any,
        laid_out: Any,
        squares: Any,
        look: Any,
        apart: Any,
        at: Any,
    ) -> None:
        self._builder = builder
        _, self._size = _generate.unpack_tuple(builder, places.shape)
        _, width = _generate.unpack_tuple(builder, apart.shape)
        self._places, self._following = (
            [
                self._at(places.data, builder.mul(builder.add(start, _INDEX(place)), self._size))
                for place in range(PLACES)
            ]
            for start in (first, following)
        )
        look_size = builder.mul(self._size, _INDEX(PLACES))
        ways = [builder.add(builder.mul(look, _INDEX(WAYS)), _INDEX(way)) for way in range(WAYS)]
        self._looks = [self._at(laid_out.data, builder.mul(look_size, way)) for way in ways]
        self._squares = [self._at(squares.data, builder.mul(way, _INDEX(PLACES))) for way in ways]
        self._apart = [self._at(apart.data, builder.add(builder.mul(width, _INDEX(way)), at)) for way in range(WAYS)]

    def write(self) -> None:
        """Add up even and odd numbers apart, so that not every sum waits for the last."""
        builder = self._builder
        zero = _LANES([_LANE(0)] * PLACES)
        sums = [[_generate.alloca_once_value(builder, zero) for _ in range(WAYS + 1)] for _ in range(2)]
        with _generate.for_range_slice(builder, _INDEX(0), self._size, _INDEX(NUMBERS), inc=True) as (begin, _):
            self._fetch(begin)
            step = builder.mul(begin, _INDEX(PLACES))
            for group, numbers in enumerate(self._turned(begin)):
                for parity, ours in enumerate(self._widened(numbers)):
                    row = builder.add(step, _INDEX((2 * group + parity) * 2 * PLACES))
                    theirs = [self._load(self._at(look, row), _SHORTS) for look in self._looks]
                    for total, their in zip(sums[parity], [*theirs, ours], strict=True):
                        builder.store(builder.add(builder.load(total), self._pairs(ours, their)), total)
        *products, own = (builder.add(builder.load(even), builder.load(odd)) for even, odd in zip(*sums, strict=True))
        for product, squares, apart in zip(products, self._squares, self._apart, strict=True):
            both = builder.add(own, self._load(squares, _LANES))
            apart = builder.bitcast(apart, _LANES.as_pointer())
            builder.store(builder.sub(both, builder.add(product, product)), apart, align=4)

    def _fetch(self, begin: Any) -> None:
        """Have what is asked for next brought from memory: rows lie anywhere, each in 16 lines of a cache or so."""
        pointer = self._following[0].type
        kind = ir.FunctionType(ir.VoidType(), [pointer, *[_LANE] * 3])
        fetch = self._builder.module.declare_intrinsic("llvm.prefetch", [pointer], kind)
        for place in self._following:
            self._builder.call(fetch, [self._at(place, begin), *_TO_READ])

    def _turned(self, begin: Any) -> list[Any]:
        """Return four numbers of each of the places in each vector: a square matrix of lanes, turned."""
        rows = [self._load(self._at(place, begin), _LANES) for place in self._places]
        for distance, lanes in _WEAVES:
            rows = [
                self._woven(rows[row & ~distance], rows[row | distance], lanes[bool(row & distance)])
                for row in range(PLACES)
            ]
        return [rows[row - row % 4 + _QUARTER_ORDER[row % 4]] for row in range(PLACES)]

    def _woven(self, one: Any, other: Any, lanes: Sequence[int]) -> Any:
        return self._builder.shuffle_vector(one, other, _LANES(list(lanes)))

    def _widened(self, numbers: Any) -> tuple[Any, Any]:
        """Return numbers 0 and 2 of each lane, and 1 and 3, as int16."""
        builder = self._builder
        pairs = builder.bitcast(numbers, _SHORTS)
        byte = _SHORTS([_SHORT(8)] * 2 * PLACES)
        return builder.ashr(builder.shl(pairs, byte), byte), builder.ashr(pairs, byte)

    def _pairs(self, ours: Any, theirs: Any) -> Any:
        """Return the sums of two products each."""
        builder = self._builder
        return add_neighbours(builder, builder.mul(builder.sext(ours, _WIDE), builder.sext(theirs, _WIDE)))

    def _at(self, base: Any, offset: Any) -> Any:
        return self._builder.gep(base, [offset])

    def _load(self, place: Any, kind: Any) -> Any:
        return self._builder.load(self._builder.bitcast(place, kind.as_pointer()), align=1)


compare_places: Final[Callable[..., None]] = cast(Any, _compare_places)
