"""Tokens averaged to fewer: along their order, or over the places of a square grid."""

import math
from dataclasses import dataclass

import torch.nn.functional as F  # noqa: N812 - torch's own name for it
from torch import Tensor

from gmv.errors import Poison, Reason


def averaged_map(feature_map: Tensor, rows: int, columns: int) -> Tensor:
    """Average float32 [height, width, c] to [rows, columns, c]; where these divide no side, some places count twice."""
    if feature_map.shape[:2] == (rows, columns):
        return feature_map
    averaged: Tensor = F.adaptive_avg_pool2d(feature_map.permute(2, 0, 1).unsqueeze(0), (rows, columns))[0]
    return averaged.permute(1, 2, 0)


@dataclass(frozen=True, slots=True)
class TokenPool:
    """How many tokens are left.

    Attributes:
        shape: (N,), of tokens in any order that means something, such as time; or (rows, columns), of tokens that are
            places of a square, row by row.
    """

    shape: tuple[int, ...]

    def count(self, tokens: int) -> int:
        """Return how many are left of so many."""
        return min(tokens, math.prod(self.shape))

    def apply(self, tokens: Tensor) -> Tensor:
        """Average float32 [n, d] to [`count(n)`, d]. No more tokens than are wanted stay as they are.

        Raises:
            Poison: `invalid_features`, where a grid is wanted and n is no square, or a side of it too short.
        """
        count, size = tokens.shape
        if count <= math.prod(self.shape):
            return tokens
        if len(self.shape) == 1:
            return averaged_map(tokens.unsqueeze(0), 1, *self.shape)[0]
        side = math.isqrt(count)
        if side * side != count or side < max(self.shape):
            rows, columns = self.shape
            raise Poison(
                Reason.INVALID_FEATURES,
                f"{count:,} tokens are no square of places that could be averaged to {rows} x {columns}; make as many "
                "of each image, or build the index with --pool-tokens N, which averages tokens in their order",
            )
        return averaged_map(tokens.reshape(side, side, size), *self.shape).reshape(-1, size)
