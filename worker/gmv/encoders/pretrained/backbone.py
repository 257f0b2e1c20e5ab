"""What gmv needs of a network that somebody else has trained."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from gmv.errors import Poison, Reason

ACTIVATION_MAX: Final = 1e9
"""Of a number that a network puts out: networks stay below a few thousand. The squares of what is projected from it
have to stay finite in float32."""


class Activations(NamedTuple):
    """What a network puts out for one image.

    Attributes:
        vector: float32 [G], of the image as a whole.
        feature_map: float32 [side, side, c], row by row from the upper left.
    """

    vector: NDArray[np.float32]
    feature_map: NDArray[np.float32]


class ActivationsShape(NamedTuple):
    """G, side and c of `Activations`."""

    vector: int
    side: int
    channels: int


@dataclass(frozen=True, slots=True)
class Origin:
    """Whose network it is.

    Attributes:
        name: as its makers call it.
        licence: of its weights, in the words of who gave them.
        sha256: of its weights, 64 hex digits.
    """

    name: str
    licence: str
    sha256: str


class Backbone(Protocol):
    """A network with its weights, the preparation of its input, and the choice of its outputs."""

    @property
    def kind(self) -> str:
        """Which program runs it, and the version of what that program does."""

    @property
    def origin(self) -> Origin:
        """Whose network it is."""

    @property
    def options(self) -> Mapping[str, Any]:
        """What decides its outputs beside weights and program: of JSON's types alone."""

    @property
    def files(self) -> Mapping[str, Path]:
        """Files that an index has to keep to run it again, by the names that they have there."""

    @property
    def shape(self) -> ActivationsShape:
        """Of what it puts out for any image."""

    def run(self, image: NDArray[np.uint8]) -> Activations:
        """Run it on one RGB image, uint8 [height, width, 3] of any size. Called by several threads at once.

        Raises:
            Poison: `invalid_features`, where a number that it puts out is not finite.
        """


class KnownBackbone(Backbone):
    """A `Backbone` but for `run`: what is known of it once it is open. A subclass sets `_shape`."""

    _shape: ActivationsShape

    def __init__(self, kind: str, origin: Origin, options: Mapping[str, Any], files: Mapping[str, Path]) -> None:
        self._kind = kind
        self._origin = origin
        self._options = options
        self._files = files

    @property
    @override
    def kind(self) -> str:
        return self._kind

    @property
    @override
    def origin(self) -> Origin:
        return self._origin

    @property
    @override
    def options(self) -> Mapping[str, Any]:
        return self._options

    @property
    @override
    def files(self) -> Mapping[str, Path]:
        return self._files

    @property
    @override
    def shape(self) -> ActivationsShape:
        return self._shape


def finite(activations: Activations) -> Activations:
    """Return activations whose numbers are all finite, and such that sums of their products are.

    Raises:
        Poison: `invalid_features`.
    """
    if not all((np.abs(numbers) <= ACTIVATION_MAX).all() for numbers in activations):  # false of NaN, too
        raise Poison(
            Reason.INVALID_FEATURES,
            f"the network's output for this image is not finite, or beyond {ACTIVATION_MAX:g}; half precision "
            "overflows above 65,504",
        )
    return activations
