"""Squared costs of eight tokens of a candidate to all of the query's, made and used in the processor's registers.

A library's matrix product writes its result, which is then read to subtract it from the norms, read for minima by rows
and by columns, and read once more to be kept. Here a tile of products never leaves the registers it is summed in before
all that is done (Goto & van de Geijn, ACM TOMS 34, 2008, for the shape of it; the query is laid out once per event, and
not once per product as a library must).

Of float32 tokens, each step multiplies one number of a token by that of sixteen others. Of whole numbers it multiplies
two, kept as int16 side by side, and adds the products: one instruction (`vpmaddwd`, or with the sum `vpdpwssd`).
"""

from collections.abc import Callable
from typing import Any, Final, cast

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from gmv.valuation.wasserstein.instructions import FINITE, LARGE

TILE_ROWS: Final = 8
TILE_COLUMNS: Final = 16
STEP: Final = 4
"""Whole numbers of a token come in multiples of four: two steps, whose sums do not wait for one another."""

_SUMS: Final = 8
"""That do not wait for one another: as many as two units of four cycles' latency take."""

_generate: Final[Any] = cgutils  # has no types

_SUMMING: Final = (*FINITE, "contract", "reassoc")
_SINGLE: Final = ir.FloatType()
_SHORT: Final = ir.IntType(16)
_INTEGER: Final = ir.IntType(32)
_INDEX: Final = ir.IntType(64)


@intrinsic
def _square_tiles(
    _typing: Any,
    tokens: Any,
    norms: Any,
    first: Any,
    panels: Any,
    query_norms: Any,
    squares: Any,
    row_minima: Any,
    column_minima: Any,
) -> tuple[Any, Callable[..., Any]] | None:
    """Write the squared costs of eight rows, and their minima: `square_tiles`.

    Args:
        tokens: float32 or int16 [r, d], of a candidate, r a multiple of 8, and d of 4 for int16.
        norms: float32 [r], their squared lengths, lowered.
        first: int64, a multiple of 8: of the rows.
        panels: of the query's tokens, float32 [c / 16, d, 16] or int16 [c / 16, d / 2, 32].
        query_norms: float32 [c], their squared lengths, lowered.
        squares: float32 [r, c]; rows first to first + 7 are written: max(0, |b|^2 + |q|^2 - 2 b.q).
        row_minima: float32 [r]; the same eight are written.
        column_minima: float32 [c], lowered to the least square of each column.
    """
    arrays = {norms: 1, query_norms: 1, squares: 2, row_minima: 1, column_minima: 1}
    are_singles = all(each == types.Array(types.float32, axes, "C") for each, axes in arrays.items())
    if first != types.int64 or not are_singles:
        return None
    for dtype, tiles in ((types.float32, _SingleTiles), (types.int16, _IntegerTiles)):
        if (tokens, panels) == (types.Array(dtype, 2, "C"), types.Array(dtype, 3, "C")):
            return _call(
                tiles, types.void(tokens, norms, first, panels, query_norms, squares, row_minima, column_minima)
            )
    return None


def _call(tiles: "type[_SingleTiles]", signature: Any) -> tuple[Any, Callable[..., Any]]:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        arrays = [
            None if each == types.int64 else context.make_array(each)(context, builder, argument)
            for each, argument in zip(signature.args, arguments, strict=True)
        ]
        tiles(builder, _lanes(context), arguments[2], arrays).write()
        return context.get_dummy_value()

    return signature, generate


def _lanes(context: Any) -> int:
    """Return how many 32-bit numbers the registers hold of the processor that is compiled for."""
    *_, features = context.codegen().magic_tuple()
    return 16 if "+avx512bw" in features.split(",") else 8


class _SingleTiles:
    """Writes the instructions of one call."""

    def __init__(self, builder: Any, lanes: int, first: Any, arrays: list[Any]) -> None:
        self._builder = builder
        self._lanes = lanes
        self._vectors = TILE_COLUMNS // lanes
        self._vector = ir.VectorType(_SINGLE, lanes)
        tokens, norms, _, panels, query_norms, squares, row_minima, column_minima = arrays
        self._panel_count, self._steps, self._step_size = _generate.unpack_tuple(builder, panels.shape)
        _, token_size = _generate.unpack_tuple(builder, tokens.shape)
        _, width = _generate.unpack_tuple(builder, squares.shape)
        rows = [builder.add(first, _INDEX(row)) for row in range(TILE_ROWS)]
        self._tokens = [self._at(tokens.data, builder.mul(row, token_size)) for row in rows]
        self._squares = [self._at(squares.data, builder.mul(row, width)) for row in rows]
        self._norms = [self._splat(builder.load(self._at(norms.data, row))) for row in rows]
        self._row_minima = [self._at(row_minima.data, row) for row in rows]
        self._panels, self._query_norms, self._column_minima = panels.data, query_norms.data, column_minima.data
        self._least = [_generate.alloca_once_value(builder, self._constant(LARGE)) for _ in rows]

    def write(self) -> None:
        """Panel by panel; minima of rows stay in registers until the last."""
        builder = self._builder
        group = _SUMS // self._vectors
        with _generate.for_range(builder, self._panel_count) as panels:
            panel = self._at(self._panels, builder.mul(panels.index, builder.mul(self._steps, self._step_size)))
            column = builder.mul(panels.index, _INDEX(TILE_COLUMNS))
            for first in range(0, TILE_ROWS, group):
                rows = range(first, first + group)
                products = self._multiply(rows, panel)
                for vector in range(self._vectors):
                    self._square(rows, products[vector], builder.add(column, _INDEX(vector * self._lanes)))
        reduce = self._function("llvm.vector.reduce.fmin", _SINGLE, 1)
        for least, place in zip(self._least, self._row_minima, strict=True):
            builder.store(builder.call(reduce, [builder.load(least)], fastmath=FINITE), place)

    def _multiply(self, rows: range, panel: Any) -> list[list[Any]]:
        """Return the products of some tokens with the sixteen of a panel, float32: per vector of those, per row."""
        builder = self._builder
        sums = self._zeros(self._constant(0), len(rows))
        with _generate.for_range(builder, self._steps) as steps:
            theirs = self._load_all(self._at(panel, builder.mul(steps.index, self._step_size)), self._vector)
            for place, row in enumerate(rows):
                ours = self._splat(builder.load(self._at(self._tokens[row], steps.index)))
                for vector, their in enumerate(theirs):
                    total = sums[vector][place]
                    product = builder.fmul(ours, their, flags=_SUMMING)
                    builder.store(builder.fadd(builder.load(total), product, flags=_SUMMING), total)
        return [[builder.load(total) for total in each] for each in sums]

    def _zeros(self, zero: Any, rows: int) -> list[list[Any]]:
        sums = [[_generate.alloca_once(self._builder, zero.type) for _ in range(rows)] for _ in range(self._vectors)]
        for each in sums:
            for total in each:
                self._builder.store(zero, total)
        return sums

    def _square(self, rows: range, products: list[Any], column: Any) -> None:
        """Turn the products of one vector of columns into squares, and lower the minima by them."""
        builder = self._builder
        greater = self._function("llvm.maxnum", self._vector, 2)
        lesser = self._function("llvm.minnum", self._vector, 2)
        query_norms = self._load(self._at(self._query_norms, column), self._vector)
        least_of_columns = self._load(self._at(self._column_minima, column), self._vector)
        for row, product in zip(rows, products, strict=True):
            norms = builder.fadd(self._norms[row], query_norms, flags=_SUMMING)
            twice = builder.fmul(self._constant(-2), product, flags=_SUMMING)
            sum_of_all = builder.fadd(norms, twice, flags=_SUMMING)
            square = builder.call(greater, [sum_of_all, self._constant(0)], fastmath=FINITE)
            self._store(square, self._at(self._squares[row], column))
            least_of_columns = builder.call(lesser, [least_of_columns, square], fastmath=FINITE)
            least_of_row = builder.load(self._least[row])
            builder.store(builder.call(lesser, [least_of_row, square], fastmath=FINITE), self._least[row])
        self._store(least_of_columns, self._at(self._column_minima, column))

    def _function(self, name: str, result: Any, arguments: int) -> Any:
        kind = ir.FunctionType(result, [self._vector] * arguments)
        return _generate.get_or_insert_function(self._builder.module, kind, f"{name}.v{self._lanes}f32")

    def _at(self, base: Any, offset: Any) -> Any:
        return self._builder.gep(base, [offset])

    def _load_all(self, place: Any, kind: Any) -> list[Any]:
        """Load one step's numbers of the sixteen tokens of a panel, a vector at a time."""
        return [self._load(self._at(place, _INDEX(vector * kind.count)), kind) for vector in range(self._vectors)]

    def _load(self, place: Any, kind: Any) -> Any:
        align = 2 if kind.element == _SHORT else 4
        return self._builder.load(self._builder.bitcast(place, kind.as_pointer()), align=align)

    def _store(self, vector: Any, place: Any) -> None:
        self._builder.store(vector, self._builder.bitcast(place, self._vector.as_pointer()), align=4)

    def _splat(self, number: Any) -> Any:
        """Return a vector of one number."""
        undefined = ir.Constant(ir.VectorType(number.type, self._lanes), ir.Undefined)
        single = self._builder.insert_element(undefined, number, _INTEGER(0))
        everywhere = ir.VectorType(_INTEGER, self._lanes)([0] * self._lanes)
        return self._builder.shuffle_vector(single, undefined, everywhere)

    def _constant(self, number: Any) -> Any:
        return self._vector([_SINGLE(float(number))] * self._lanes)


class _IntegerTiles(_SingleTiles):
    """Multiplies whole numbers two by two; all sums are exact, before and after they become float32."""

    def _multiply(self, rows: range, panel: Any) -> list[list[Any]]:
        builder = self._builder
        integers = ir.VectorType(_INTEGER, self._lanes)
        shorts = ir.VectorType(_SHORT, 2 * self._lanes)
        zero = integers([0] * self._lanes)
        even, odd = self._zeros(zero, len(rows)), self._zeros(zero, len(rows))
        half = builder.udiv(self._steps, _INDEX(STEP // 2))
        with _generate.for_range(builder, half) as steps:
            for turn, sums in enumerate((even, odd)):
                step = builder.add(builder.mul(steps.index, _INDEX(2)), _INDEX(turn))
                theirs = self._load_all(self._at(panel, builder.mul(step, self._step_size)), shorts)
                for place, row in enumerate(rows):
                    pair = self._at(self._tokens[row], builder.mul(step, _INDEX(2)))
                    pair = builder.load(builder.bitcast(pair, _INTEGER.as_pointer()), align=2)
                    ours = builder.bitcast(self._splat(pair), shorts)
                    for vector, their in enumerate(theirs):
                        total = sums[vector][place]
                        builder.store(builder.add(builder.load(total), self._pairs(ours, their)), total)
        return [
            [
                builder.sitofp(builder.add(builder.load(one), builder.load(other)), self._vector)
                for one, other in zip(*both, strict=True)
            ]
            for both in zip(even, odd, strict=True)
        ]

    def _pairs(self, ours: Any, theirs: Any) -> Any:
        """Return the sums of two products each."""
        builder = self._builder
        wide = ir.VectorType(_INTEGER, 2 * self._lanes)
        products = builder.mul(builder.sext(ours, wide), builder.sext(theirs, wide))
        undefined = ir.Constant(wide, ir.Undefined)
        first, second = (
            builder.shuffle_vector(
                products,
                undefined,
                ir.VectorType(_INTEGER, self._lanes)([2 * lane + turn for lane in range(self._lanes)]),
            )
            for turn in (0, 1)
        )
        return builder.add(first, second)


square_tiles: Final[Callable[..., None]] = cast(Any, _square_tiles)
