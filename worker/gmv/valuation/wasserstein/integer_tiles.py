"""The same instructions for tokens of whole numbers: products of four or of two of them are added up at once.

Where the processor has VNNI, `vpdpbusd` multiplies four bytes by four and adds the products to a 32-bit sum. One side
of it has no sign: the candidate's numbers are raised by 128, b' = b + 128, so that b'.q = b.q + 128 sum(q), and what is
too much is taken back by the query's norms, |q|^2 + 256 sum(q). Elsewhere both are int16, two by two (`vpmaddwd`).

All sums are exact, before and after they become float32: of d numbers, at most 256 (`cost`), 2 b'.q is within
2 x 256 x 255 x 128 of 0, and |b|^2 + |q|^2 + 256 sum(q) at most 256 (128^2 + 127^2 + 256 x 127), both below 2^24. So
norms are added up first: |b|^2 - 2 b'.q may be above.
"""

from abc import abstractmethod
from functools import reduce
from typing import Any, Final

from llvmlite import ir
from numba.core import cgutils
from typing_extensions import override

from gmv.valuation.wasserstein.instructions import FINITE
from gmv.valuation.wasserstein.single_tiles import SingleTiles

RAISED_BY: Final = 128
"""What is added to a candidate's numbers where bytes are multiplied."""

STEPS_AT_ONCE: Final = 2
"""d is a multiple of what they take."""

STEP_BYTES: Final = 4

_generate: Final[Any] = cgutils  # has no types

_BYTE: Final = ir.IntType(8)
_SHORT: Final = ir.IntType(16)
_INTEGER: Final = ir.IntType(32)
_INDEX: Final = ir.IntType(64)


class _IntegerTiles(SingleTiles):
    """Each step takes 32 bits of a token of the candidate's, and as many of each of the query's."""

    _flags = (*FINITE, "contract")  # in no other order
    _turns = STEPS_AT_ONCE
    """Of sums, which do not wait for one another."""

    @override
    def _multiply(self, rows: range, panel: Any) -> list[list[Any]]:
        builder = self._builder
        zero = ir.VectorType(_INTEGER, self._lanes)([0] * self._lanes)
        turns = [self._zeros(zero, len(rows)) for _ in range(self._turns)]
        with _generate.for_range(builder, builder.udiv(self._steps, _INDEX(STEPS_AT_ONCE))) as steps:
            for place in range(STEPS_AT_ONCE):
                step = builder.add(builder.mul(steps.index, _INDEX(STEPS_AT_ONCE)), _INDEX(place))
                self._take_step(rows, panel, step, turns[place % self._turns])
        return [
            [
                builder.sitofp(reduce(builder.add, (builder.load(total) for total in totals)), self._vector)
                for totals in zip(*of_vector, strict=True)
            ]
            for of_vector in zip(*turns, strict=True)
        ]

    def _take_step(self, rows: range, panel: Any, step: Any, sums: list[list[Any]]) -> None:
        builder = self._builder
        a_step = STEP_BYTES * 8 // self._number.width
        numbers = ir.VectorType(self._number, a_step * self._lanes)
        theirs = self._load_all(self._at(panel, builder.mul(step, self._step_size)), numbers)
        for place, row in enumerate(rows):
            ours = self._at(self._tokens[row], builder.mul(step, _INDEX(a_step)))
            ours = builder.load(builder.bitcast(ours, _INTEGER.as_pointer()), align=1)
            ours = builder.bitcast(self._splat(ours), numbers)
            for vector, their in enumerate(theirs):
                total = sums[vector][place]
                builder.store(self._add_products(builder.load(total), ours, their), total)

    @override
    def _not_negative(self, square: Any) -> Any:
        return square

    @property
    @abstractmethod
    def _number(self) -> ir.IntType:
        """What tokens are made of."""

    @abstractmethod
    def _add_products(self, total: Any, ours: Any, theirs: Any) -> Any:
        """Return the sums, with those of a step's products."""


class ShortTiles(_IntegerTiles):
    """Of int16, two by two."""

    _number = _SHORT
    _turns = 1  # a sum waits one cycle for the last, not five; and AVX2 has registers for no more

    @override
    def _add_products(self, total: Any, ours: Any, theirs: Any) -> Any:
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
        return builder.add(total, builder.add(first, second))


class ByteTiles(_IntegerTiles):
    """Of a candidate's uint8 and a query's int8, four by four: for processors with VNNI."""

    _number = _BYTE

    @override
    def _add_products(self, total: Any, ours: Any, theirs: Any) -> Any:
        builder = self._builder
        kind = ir.FunctionType(total.type, [total.type, ours.type, theirs.type])
        name = f"llvm.x86.avx512.vpdpbusd.{32 * self._lanes}"  # of AVX-VNNI, too
        return builder.call(_generate.get_or_insert_function(builder.module, kind, name), [total, ours, theirs])
