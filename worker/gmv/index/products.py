"""Products of four rows of int8 numbers with an int16 query, in the processor's registers.

Written as instructions for LLVM, since numba's own loop multiplies one pair of numbers per lane of 32 bits: here two
neighbouring products of 16 bits are made and added by one instruction (`vpmaddwd`, where there is one), and the four
sums of a row's lanes are added up together. Of integers, so in any order the same.
"""

from collections.abc import Callable
from typing import Any, Final, cast

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from gmv.processor import register_lanes

ROWS: Final = 4
LANES: Final = 2 * register_lanes()
"""Numbers that one step multiplies, of 16 bits: a register. Of two registers LLVM ran out, and put sums in memory: a
query took 295 us rather than 219 on AVX2."""

_generate: Final[Any] = cgutils  # has no types

_INDEX: Final = ir.IntType(64)
_LANE: Final = ir.IntType(32)
_BYTES: Final = ir.VectorType(ir.IntType(8), LANES)
_SHORTS: Final = ir.VectorType(ir.IntType(16), LANES)
_WIDE: Final = ir.VectorType(_LANE, LANES)
_SUMS: Final = ir.VectorType(_LANE, LANES // 2)


@intrinsic
def _multiply_rows(
    _typing: Any, rows: Any, first: Any, query: Any, begin: Any, end: Any, products: Any
) -> tuple[Any, Callable[..., Any]] | None:
    """Write the products of four rows: `multiply_rows`.

    Args:
        rows: int8 [r, D], read-only.
        first: int64, of four rows.
        query: int16 [D].
        begin: int64, of the components.
        end: int64, `begin` and a multiple of `LANES`.
        products: int32 [r]; those of the four rows are written.
    """
    arrays = (rows, query, products)
    expected = (
        types.Array(types.int8, 2, "C", readonly=True),
        types.Array(types.int16, 1, "C"),
        types.Array(types.int32, 1, "C"),
    )
    if arrays != expected or {first, begin, end} != {types.int64}:
        return None
    signature = types.void(rows, first, query, begin, end, products)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        data, shape = [], None
        for kind, argument in zip(signature.args, arguments, strict=True):
            array = None if kind == types.int64 else context.make_array(kind)(context, builder, argument)
            data.append(argument if array is None else array.data)
            shape = shape or (array and array.shape)
        _, size = _generate.unpack_tuple(builder, shape)
        _Rows(builder, size, *data).write()
        return context.get_dummy_value()

    return signature, generate


def add_neighbours(builder: Any, products: Any) -> Any:
    """Add up pairs of lanes: a vector of half as many."""
    lanes = products.type.count
    kind = ir.VectorType(_LANE, lanes // 2)
    even, odd = (builder.shuffle_vector(products, products, kind(list(range(parity, lanes, 2)))) for parity in (0, 1))
    return builder.add(even, odd)


class _Rows:
    """Writes the instructions of one call."""

    def __init__(
        self, builder: Any, size: Any, rows: Any, first: Any, query: Any, begin: Any, end: Any, products: Any
    ) -> None:
        self._builder = builder
        self._rows = [self._at(rows, builder.mul(builder.add(first, _INDEX(row)), size)) for row in range(ROWS)]
        self._query, self._begin, self._end = query, begin, end
        self._place = self._at(products, first)

    def write(self) -> None:
        builder = self._builder
        sums = [_generate.alloca_once_value(builder, _SUMS([_LANE(0)] * (LANES // 2))) for _ in self._rows]
        step = _INDEX(LANES)
        with _generate.for_range_slice(builder, self._begin, self._end, step, inc=True) as (component, _):
            theirs = builder.sext(self._load(self._query, component, _SHORTS), _WIDE)
            for row, total in zip(self._rows, sums, strict=True):
                ours = builder.sext(self._load(row, component, _BYTES), _WIDE)
                builder.store(
                    builder.add(builder.load(total), add_neighbours(builder, builder.mul(ours, theirs))), total
                )
        quarters = [self._folded(builder.load(total)) for total in sums]
        builder.store(self._added_up(quarters), builder.bitcast(self._place, quarters[0].type.as_pointer()), align=4)

    def _folded(self, sums: Any) -> Any:
        """Add halves until four lanes are left."""
        lanes = LANES // 2
        while lanes > ROWS:
            lanes //= 2
            lower, upper = (self._shuffle(sums, sums, range(start, start + lanes)) for start in (0, lanes))
            sums = self._builder.add(lower, upper)
        return sums

    def _added_up(self, quarters: Any) -> Any:
        """Add up the lanes of each of four vectors of four, into the lanes of one."""
        one, other = (
            self._builder.add(self._shuffle(left, right, (0, 4, 1, 5)), self._shuffle(left, right, (2, 6, 3, 7)))
            for left, right in (quarters[:2], quarters[2:])
        )
        return self._builder.add(self._shuffle(one, other, (0, 1, 4, 5)), self._shuffle(one, other, (2, 3, 6, 7)))

    def _shuffle(self, left: Any, right: Any, lanes: Any) -> Any:
        chosen = list(lanes)
        return self._builder.shuffle_vector(left, right, ir.VectorType(_LANE, len(chosen))(chosen))

    def _at(self, base: Any, offset: Any) -> Any:
        return self._builder.gep(base, [offset])

    def _load(self, base: Any, offset: Any, kind: Any) -> Any:
        place = self._builder.bitcast(self._at(base, offset), kind.as_pointer())
        return self._builder.load(place, align=1)


multiply_rows: Final[Callable[..., None]] = cast(Any, _multiply_rows)
