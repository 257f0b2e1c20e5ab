"""What gmv needs of an image encoder."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from gmv.encoders.mirror import Mirror
from gmv.errors import Poison, Reason

LENGTH_TOLERANCE: Final = 1e-3
"""How far from 1 the length of a vector made elsewhere may be. Rounding to float16 moves it by up to 2^-11 = 0.00049;
numbers that were divided in float16, by a length that is itself a float16, by up to twice that, 0.00098."""


POSITION_NUMBERS: Final = 2
"""How many of a token's last numbers say where it is, row and column, in what all encoders of gmv make."""

Numbers = NDArray[Any]
"""Of features: float32, or int8 where the encoder is exact, and so the same on every processor."""


@dataclass(frozen=True, slots=True)
class Features:
    """What an encoder sees in b images.

    Attributes:
        vectors: float32 [b, D], unit length: one global vector per image, for recall. The fitted descriptor alone has
            one exception, zero, for an image in which it sees the corpus's mean and nothing else. int8 where
            the encoder is exact, of any length.
        tokens: float32 [b, n, d]: n patch tokens per image, the support of the measure that W1 compares. int8 where the
            encoder is exact.
    """

    vectors: Numbers
    tokens: Numbers

    def __len__(self) -> int:
        return len(self.vectors)


class Encoder(Protocol):
    """Turns images into features; the same image gives the same bits in any batch."""

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


@runtime_checkable
class MirroringEncoder(Encoder, Protocol):
    """An encoder that sees, in the features of an image, those of the image mirrored from left to right."""

    @property
    def token_scale(self) -> int:
        """What is 1 in the unit of W1: the length of a token's content in integers."""

    @property
    def vector_mirror(self) -> Mirror:
        """What becomes of a vector when the image is mirrored."""

    @property
    def vector_places(self) -> int:
        """Parts of the image that a vector describes one after another, with as many numbers each."""

    def mirrored(self, features: Features) -> Features:
        """Return the features of mirrored images: the same as `encode` of them, at their working size, bit for bit."""


def check_unit_length(vector: NDArray[np.float32]) -> None:
    """See that a vector made elsewhere keeps the promise of `Features`.

    Recall compares by Euclidean distance: of two images that are equally similar, the one with the longer vector would
    be found and the other not, and a zero vector is as near to one image as to any other.

    Args:
        vector: float32 [D], finite.

    Raises:
        Poison: `invalid_features`, for another length than 1.
    """
    # The square of a float32 is exact in float64: this decides the same on every processor, which BLAS's sum does not.
    length = math.sqrt(math.fsum(np.square(vector.astype(np.float64)).tolist()))
    if length == 0:
        raise Poison(
            Reason.INVALID_FEATURES,
            "the vector is zero, which resembles nothing; it should have length 1: see why the encoder made it",
        )
    if abs(length - 1) > LENGTH_TOLERANCE:
        raise Poison(
            Reason.INVALID_FEATURES,
            f"the vector has length {length:.4g}, and should have 1, give or take {LENGTH_TOLERANCE:g}: divide its "
            "numbers by their Euclidean norm",
        )
