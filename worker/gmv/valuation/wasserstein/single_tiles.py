"""The instructions that make eight tokens' squared costs to all of the query's: `tile` says what for; of float32."""

from typing import Any, Final

from llvmlite import ir
from numba.core import cgutils

from gmv.valuation.wasserstein.instructions import FINITE, LARGE

TILE_ROWS: Final = 8
TILE_COLUMNS: Final = 16

_SUMS: Final = 8
"""That do not wait for one another: as many as two units of four cycles' latency take."""

_generate: Final[Any] = cgutils  # has no types

_SUMMING: Final = (*FINITE, "contract", "reassoc")
_SINGLE: Final = ir.FloatType()
_INTEGER: Final = ir.IntType(32)
_INDEX: Final = ir.IntType(64)


class SingleTiles:
    """Writes the instructions of one call, for float32."""

    _flags: tuple[str, ...] = _SUMMING
    """Of the sum of both norms and a product."""

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
        lesser = self._function("llvm.minnum", self._vector, 2)
        query_norms = self._load(self._at(self._query_norms, column), self._vector)
        least_of_columns = self._load(self._at(self._column_minima, column), self._vector)
        for row, product in zip(rows, products, strict=True):
            square = self._not_negative(self._of_product(self._norms[row], query_norms, product))
            self._store(square, self._at(self._squares[row], column))
            least_of_columns = builder.call(lesser, [least_of_columns, square], fastmath=FINITE)
            least_of_row = builder.load(self._least[row])
            builder.store(builder.call(lesser, [least_of_row, square], fastmath=FINITE), self._least[row])
        self._store(least_of_columns, self._at(self._column_minima, column))

    def _of_product(self, norms: Any, query_norms: Any, product: Any) -> Any:
        builder = self._builder
        both = builder.fadd(norms, query_norms, flags=self._flags)
        return builder.fadd(both, builder.fmul(self._constant(-2), product, flags=self._flags), flags=self._flags)

    def _not_negative(self, square: Any) -> Any:
        """Rounding may have made a square of near tokens less than 0."""
        greater = self._function("llvm.maxnum", self._vector, 2)
        return self._builder.call(greater, [square, self._constant(0)], fastmath=FINITE)

    def _function(self, name: str, result: Any, arguments: int) -> Any:
        kind = ir.FunctionType(result, [self._vector] * arguments)
        return _generate.get_or_insert_function(self._builder.module, kind, f"{name}.v{self._lanes}f32")

    def _at(self, base: Any, offset: Any) -> Any:
        return self._builder.gep(base, [offset])

    def _load_all(self, place: Any, kind: Any) -> list[Any]:
        """Load one step's numbers of the sixteen tokens of a panel, a vector at a time."""
        return [self._load(self._at(place, _INDEX(vector * kind.count)), kind) for vector in range(self._vectors)]

    def _load(self, place: Any, kind: Any) -> Any:
        align = 4 if kind.element == _SINGLE else 1
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
