"""Squared costs of eight tokens of a candidate to all of the query's, made and used in the processor's registers.

A library's matrix product writes its result, which is then read to subtract it from the norms, read for minima by rows
and by columns, and read once more to be kept. Here a tile of products never leaves the registers it is summed in before
all that is done (Goto & van de Geijn, ACM TOMS 34, 2008, for the shape of it; the query is laid out once per event, and
not once per product as a library must).

Of float32 tokens, each step multiplies one number of a token by that of sixteen others; of whole numbers two or four
side by side, in one instruction (`integer_tiles`).
"""

from collections.abc import Callable
from typing import Any, Final, cast

from numba import types
from numba.extending import intrinsic

from gmv.processor import register_lanes
from gmv.valuation.wasserstein.integer_tiles import ByteTiles, ShortTiles
from gmv.valuation.wasserstein.single_tiles import SingleTiles

_SINGLES: Final = (types.float32, types.float32)
_SHORTS: Final = (types.int16, types.int16)
_BYTES: Final = (types.uint8, types.int8)


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
        tokens: float32, int16 or uint8 [r, d], of a candidate, r a multiple of 8, and d of 4 for int16, 8 for uint8.
        norms: float32 [r], their squared lengths, lowered.
        first: int64, a multiple of 8: of the rows.
        panels: of the query's tokens, float32 [c / 16, d, 16], int16 [c / 16, d / 2, 32] or int8 [c / 16, d / 4, 64].
        query_norms: float32 [c], their squared lengths, lowered.
        squares: float32 [r, c]; rows first to first + 7 are written: max(0, |b|^2 + |q|^2 - 2 b.q).
        row_minima: float32 [r]; the same eight are written.
        column_minima: float32 [c], lowered to the least square of each column.
    """
    arrays = {norms: 1, query_norms: 1, squares: 2, row_minima: 1, column_minima: 1}
    are_singles = all(each == types.Array(types.float32, axes, "C") for each, axes in arrays.items())
    if first != types.int64 or not are_singles:
        return None
    for (ours, theirs), tiles in ((_SINGLES, SingleTiles), (_SHORTS, ShortTiles), (_BYTES, ByteTiles)):
        if (tokens, panels) == (types.Array(ours, 2, "C"), types.Array(theirs, 3, "C")):
            return _call(
                tiles, types.void(tokens, norms, first, panels, query_norms, squares, row_minima, column_minima)
            )
    return None


def _call(tiles: type[SingleTiles], signature: Any) -> tuple[Any, Callable[..., Any]]:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        arrays = [
            None if each == types.int64 else context.make_array(each)(context, builder, argument)
            for each, argument in zip(signature.args, arguments, strict=True)
        ]
        tiles(builder, register_lanes(), arguments[2], arrays).write()
        return context.get_dummy_value()

    return signature, generate


square_tiles: Final[Callable[..., None]] = cast(Any, _square_tiles)
