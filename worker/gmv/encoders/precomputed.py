"""The encoder of an index that was built from features: it names them, and cannot make any."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from gmv.encoders.port import Encoder, Features
from gmv.errors import Poison, Reason

KIND = "precomputed"


class Precomputed(Encoder):
    """An `Encoder` that lives elsewhere; events bring its features with them."""

    def __init__(self, encoder_id: str, vector_size: int, tokens_shape: tuple[int, int]) -> None:
        self._encoder_id = encoder_id
        self._vector_size = vector_size
        self._tokens_shape = tokens_shape

    @property
    @override
    def encoder_id(self) -> str:
        return self._encoder_id

    @property
    @override
    def vector_size(self) -> int:
        return self._vector_size

    @property
    @override
    def tokens_shape(self) -> tuple[int, int]:
        return self._tokens_shape

    @override
    def encode(self, images: Sequence[NDArray[np.uint8]]) -> Features:
        """Refuse; see `Encoder`."""
        raise Poison(
            Reason.WRONG_ENCODER,
            f"the index holds features of {self._encoder_id}, which gmv cannot compute; send features, not images",
        )
