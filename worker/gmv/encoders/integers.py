"""Features of an exact encoder as others hand them over: any numbers, which have to be the integers they were."""

import numpy as np
from numpy.typing import NDArray

from gmv.encoders.port import Encoder
from gmv.errors import Poison, Reason

_LARGEST = 127


def check_integers(vector: NDArray[np.float32], tokens: NDArray[np.float32], encoder: Encoder) -> None:
    """See that features can be an exact encoder's.

    Args:
        vector: float32 [D], finite.
        tokens: float32 [n, d], finite, of the encoder's d.
        encoder: whose.

    Raises:
        Poison: `invalid_features`, for another number of tokens, or numbers that are no integers or out of range.
    """
    if tokens.shape != encoder.tokens_shape:
        raise Poison(
            Reason.INVALID_FEATURES,
            f"the event has {len(tokens)} tokens, {encoder.encoder_id} makes {encoder.tokens_shape[0]}",
        )
    for name, numbers in (("vector", vector), ("tokens", tokens)):
        if not ((np.rint(numbers) == numbers) & (np.abs(numbers) <= _LARGEST)).all():
            raise Poison(
                Reason.INVALID_FEATURES,
                f"the {name} should hold integers from -{_LARGEST} to {_LARGEST}, as {encoder.encoder_id} makes them",
            )
