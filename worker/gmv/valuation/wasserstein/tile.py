"""Squared costs of four tokens of a candidate to all of the query's, made and used in the processor's registers.

A library's matrix product writes its result, which is then read to subtract it from the norms, read for minima by rows
and by columns, and read once more to be kept. Here a tile of 4 x 16 products never leaves the eight registers it is
summed in before all that is done (Goto & van de Geijn, ACM TOMS 34, 2008, for the shape of it; the query is laid out
once per event, and not once per product as a library must). At 64 tokens of 64 a candidate takes 5.9 us, at 196 58 us;
OpenBLAS and the loops after it took 8.6 and 82.
"""

from collections.abc import Callable
from typing import Any, Final, cast

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from gmv.valuation.wasserstein.instructions import FINITE, LARGE

TILE_ROWS: Final = 4
TILE_COLUMNS: Final = 16

_LANES: Final = 8
_VECTORS: Final = TILE_COLUMNS // _LANES
"""4 rows of 2 vectors: 8 sums that do not wait for one another, as many as two units of four cycles' latency take. With
6 rows, or 3 vectors, it is no faster, and more of a matrix is padding."""

_generate: Final[Any] = cgutils  # has no types

_SUMMING: Final = (*FINITE, "contract", "reassoc")
_SINGLE: Final = ir.FloatType()
_VECTOR: Final = ir.VectorType(_SINGLE, _LANES)
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
    """Write the squared costs of four rows, and their minima: `square_tiles`.

    Args:
        tokens: float32 [r, d], of a candidate, r a multiple of 4.
        norms: float32 [r], their squared lengths, lowered.
        first: int64, a multiple of 4: of the rows.
        panels: float32 [c / 16, d, 16], of the query's tokens.
        query_norms: float32 [c], their squared lengths, lowered.
        squares: float32 [r, c]; rows first to first + 3 are written: max(0, |b|^2 + |q|^2 - 2 b.q).
        row_minima: float32 [r]; the same four are written.
        column_minima: float32 [c], lowered to the least square of each column.
    """
    arrays = {tokens: 2, norms: 1, panels: 3, query_norms: 1, squares: 2, row_minima: 1, column_minima: 1}
    if first != types.int64 or not all(each == _contiguous(axes) for each, axes in arrays.items()):
        return None
    signature = types.void(tokens, norms, first, panels, query_norms, squares, row_minima, column_minima)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        arrays = [
            None if kind == types.int64 else context.make_array(kind)(context, builder, argument)
            for kind, argument in zip(signature.args, arguments, strict=True)
        ]
        _Tiles(builder, arguments[2], arrays).write()
        return context.get_dummy_value()

    return signature, generate


def _contiguous(axes: int) -> Any:
    return types.Array(types.float32, axes, "C")


class _Tiles:
    """Writes the instructions of one call."""

    def __init__(self, builder: Any, first: Any, arrays: list[Any]) -> None:
        self._builder = builder
        tokens, norms, _, panels, query_norms, squares, row_minima, column_minima = arrays
        self._panel_count, self._token_size, _ = _generate.unpack_tuple(builder, panels.shape)
        _, width = _generate.unpack_tuple(builder, squares.shape)
        rows = [builder.add(first, _INDEX(row)) for row in range(TILE_ROWS)]
        self._tokens = [self._at(tokens.data, builder.mul(row, self._token_size)) for row in rows]
        self._squares = [self._at(squares.data, builder.mul(row, width)) for row in rows]
        self._norms = [self._splat(builder.load(self._at(norms.data, row))) for row in rows]
        self._row_minima = [self._at(row_minima.data, row) for row in rows]
        self._panels, self._query_norms, self._column_minima = panels.data, query_norms.data, column_minima.data
        self._sums = [[_generate.alloca_once(builder, _VECTOR) for _ in range(_VECTORS)] for _ in rows]
        self._least = [_generate.alloca_once_value(builder, _constant(LARGE)) for _ in rows]

    def write(self) -> None:
        """Panel by panel; minima of rows stay in registers until the last."""
        builder = self._builder
        with _generate.for_range(builder, self._panel_count) as panels:
            self._multiply(builder.mul(panels.index, builder.mul(self._token_size, _INDEX(TILE_COLUMNS))))
            for vector in range(_VECTORS):
                column = builder.add(builder.mul(panels.index, _INDEX(TILE_COLUMNS)), _INDEX(vector * _LANES))
                self._square(vector, column)
        reduce = self._function("llvm.vector.reduce.fmin", _SINGLE, 1)
        for least, place in zip(self._least, self._row_minima, strict=True):
            builder.store(builder.call(reduce, [builder.load(least)], fastmath=FINITE), place)

    def _multiply(self, panel: Any) -> None:
        """Sum the products of four tokens with the sixteen of a panel, all in registers."""
        builder = self._builder
        for sums in self._sums:
            for total in sums:
                builder.store(_constant(0), total)
        with _generate.for_range(builder, self._token_size) as components:
            row = self._at(self._panels, builder.add(panel, builder.mul(components.index, _INDEX(TILE_COLUMNS))))
            theirs = [self._load(row, _INDEX(vector * _LANES)) for vector in range(_VECTORS)]
            for token, sums in zip(self._tokens, self._sums, strict=True):
                ours = self._splat(builder.load(self._at(token, components.index)))
                for total, their in zip(sums, theirs, strict=True):
                    product = builder.fmul(ours, their, flags=_SUMMING)
                    builder.store(builder.fadd(builder.load(total), product, flags=_SUMMING), total)

    def _square(self, vector: int, column: Any) -> None:
        """Turn the products of eight columns into squares, and lower the minima by them."""
        builder = self._builder
        greater = self._function("llvm.maxnum", _VECTOR, 2)
        lesser = self._function("llvm.minnum", _VECTOR, 2)
        query_norms = self._load(self._query_norms, column)
        least_of_columns = self._load(self._column_minima, column)
        for row in range(TILE_ROWS):
            norms = builder.fadd(self._norms[row], query_norms, flags=_SUMMING)
            twice = builder.fmul(_constant(-2), builder.load(self._sums[row][vector]), flags=_SUMMING)
            square = builder.call(greater, [builder.fadd(norms, twice, flags=_SUMMING), _constant(0)], fastmath=FINITE)
            self._store(square, self._squares[row], column)
            least_of_columns = builder.call(lesser, [least_of_columns, square], fastmath=FINITE)
            least_of_row = builder.load(self._least[row])
            builder.store(builder.call(lesser, [least_of_row, square], fastmath=FINITE), self._least[row])
        self._store(least_of_columns, self._column_minima, column)

    def _function(self, name: str, result: Any, arguments: int) -> Any:
        kind = ir.FunctionType(result, [_VECTOR] * arguments)
        return _generate.get_or_insert_function(self._builder.module, kind, f"{name}.v{_LANES}f32")

    def _at(self, base: Any, offset: Any) -> Any:
        return self._builder.gep(base, [offset])

    def _load(self, base: Any, offset: Any) -> Any:
        place = self._builder.bitcast(self._at(base, offset), _VECTOR.as_pointer())
        return self._builder.load(place, align=4)

    def _store(self, vector: Any, base: Any, offset: Any) -> None:
        place = self._builder.bitcast(self._at(base, offset), _VECTOR.as_pointer())
        self._builder.store(vector, place, align=4)

    def _splat(self, number: Any) -> Any:
        """Return a vector of one number."""
        undefined = ir.Constant(_VECTOR, ir.Undefined)
        single = self._builder.insert_element(undefined, number, ir.IntType(32)(0))
        return self._builder.shuffle_vector(single, undefined, ir.VectorType(ir.IntType(32), _LANES)([0] * _LANES))


def _constant(number: Any) -> Any:
    return _VECTOR([_SINGLE(float(number))] * _LANES)


square_tiles: Final[Callable[..., None]] = cast(Any, _square_tiles)
