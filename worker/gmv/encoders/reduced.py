"""The encoder of an index that was built from features and keeps less of them: events' features are reduced alike."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from gmv.encoders.precomputed import Precomputed

if TYPE_CHECKING:  # torch is not loaded where no index needs it
    from gmv.encoders.token_reduction import TokenReduction

KIND = "precomputed-reduced/1"


@dataclass(frozen=True, slots=True)
class TokenReductionSettings:
    """What is wanted of a reduction.

    Attributes:
        pool: shape of the tokens that are left, see `TokenPool`; None: all of them.
        token_size: numbers of a token, at most; None: all of them.
    """

    pool: tuple[int, ...] | None = None
    token_size: int | None = None

    @property
    def is_wanted(self) -> bool:
        """Whether anything is reduced."""
        return self.pool is not None or self.token_size is not None


class ReducedFeatures(Precomputed):
    """A `Precomputed` encoder. Its id names the features as they are brought; its sizes are those that are kept.

    Attributes:
        brought_shape: (n, d) of tokens as they are brought.
        reduction: of those.
    """

    def __init__(
        self, encoder_id: str, vector_size: int, brought_shape: tuple[int, int], reduction: "TokenReduction"
    ) -> None:
        super().__init__(encoder_id, vector_size, reduction.shape(*brought_shape))
        self.brought_shape = brought_shape
        self.reduction = reduction

    @property
    def brought_token_size(self) -> int:
        """Numbers of a token as events bring it."""
        return self.brought_shape[1]

    def reduced(self, tokens: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return of float32 [n, d], as an event brings them, what is compared. Raises as `TokenReduction.apply`."""
        return self.reduction.apply(tokens)
