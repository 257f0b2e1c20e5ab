"""Tokens that were made elsewhere, to fewer and smaller ones: what an index keeps of them, and compares."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from gmv.encoders.pooling import TokenPool
from gmv.encoders.projection import NO_WHITENING, Projection, fit_projection
from gmv.encoders.reduced import TokenReductionSettings
from gmv.errors import Poison, Reason

_HALF_MAX = float(np.finfo(np.float16).max)


@dataclass(frozen=True, slots=True)
class TokenReduction:
    """How tokens are averaged, and then projected.

    Attributes:
        pool: to fewer; None: all are kept.
        projection: onto principal components, d to fewer; None: all numbers are kept.
    """

    pool: TokenPool | None
    projection: Projection | None

    def shape(self, tokens: int, token_size: int) -> tuple[int, int]:
        """Return what becomes of [n, d]."""
        count = self.pool.count(tokens) if self.pool else tokens
        return count, self.projection.matrix.shape[1] if self.projection else token_size

    @torch.inference_mode()
    def unrounded(self, tokens: NDArray[np.float32]) -> NDArray[np.float32]:
        """Reduce float32 [n, d]. Raises as `apply`."""
        reduced = torch.from_numpy(tokens)
        if self.pool is not None:
            reduced = self.pool.apply(reduced)
        if self.projection is not None:
            reduced = self.projection.apply(reduced)
        numbers: NDArray[np.float32] = reduced.numpy()
        return numbers

    def apply(self, tokens: NDArray[np.float32]) -> NDArray[np.float32]:
        """Reduce float32 [n, d], to what float16 holds: so the index keeps them, and an exact copy is at distance 0.

        Raises:
            Poison: `invalid_features`, where tokens are no grid that can be averaged, or a number is beyond float16.
        """
        reduced = self.unrounded(tokens)
        if not (np.abs(reduced) <= _HALF_MAX).all():
            raise Poison(
                Reason.INVALID_FEATURES,
                f"tokens are beyond ±{_HALF_MAX:,.0f} once they are projected; make all of them smaller by one factor",
            )
        return reduced.astype(np.float16).astype(np.float32)


@torch.inference_mode()
def fit_token_reduction(sample: Sequence[NDArray[np.float32]], settings: TokenReductionSettings) -> TokenReduction:
    """Learn a reduction from tokens of some images; the same bits for the same sample on one machine.

    Components are not whitened: W1 of projected tokens is to be that of tokens as they came, as nearly as can be.

    Args:
        sample: float32 [n, d] each, at least one.
        settings: what is wanted.

    Raises:
        Poison: as `TokenPool.apply`.
    """
    pool = TokenPool(settings.pool) if settings.pool else None
    size = settings.token_size
    if size is None or size >= sample[0].shape[1]:
        return TokenReduction(pool, None)
    each = [torch.from_numpy(tokens) for tokens in sample]
    averaged = torch.cat([pool.apply(tokens) if pool else tokens for tokens in each])
    return TokenReduction(pool, fit_projection(averaged, size, NO_WHITENING))
