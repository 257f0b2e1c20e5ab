"""What gmv needs of an image encoder."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Features:
    """What an encoder sees in b images.

    Attributes:
        vectors: float32 [b, D], unit length: one global vector per image, for recall.
        tokens: float32 [b, n, d]: n patch tokens per image, the support of the measure that W1 compares.
    """

    vectors: NDArray[np.float32]
    tokens: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.vectors)


class Encoder(Protocol):
    """Turns images into features; the same image gives the same bits whatever else is in the batch."""

    @property
    def encoder_id(self) -> str:
        """Names kind, version and parameters; features of different ids are never compared."""

    @property
    def vector_size(self) -> int:
        """D."""

    @property
    def tokens_shape(self) -> tuple[int, int]:
        """(n, d)."""

    def encode(self, images: Sequence[NDArray[np.uint8]]) -> Features:
        """Encode RGB images, uint8 [height, width, 3] of any size each.

        Raises:
            Poison: this encoder cannot encode images at all (features have to come with the event).
        """
