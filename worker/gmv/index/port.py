"""What the attributor needs of an index."""

from collections.abc import Collection, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from gmv.corpus.port import TrainingImage


class Recall(Protocol):
    """Approximate nearest neighbours of a global vector."""

    def recall(self, vectors: NDArray[np.float32], candidates: int) -> list[NDArray[np.int64]]:
        """Return the rows of the most similar training images for each of float32 [b, D], most similar first.

        Each answer is int64 [<= candidates], without fill-ins, perhaps empty, and depends on its own vector alone, bit
        for bit.
        """


class ImagesTable(Protocol):
    """Who made what."""

    def __len__(self) -> int: ...

    def images(self, rows: Sequence[int] | NDArray[np.int64]) -> list[TrainingImage]:
        """Return the rows asked for, in the order asked."""

    def known_images(self, image_ids: Collection[str]) -> set[str]:
        """Return those of the images that are in the index; passes over all of them."""

    def known_owners(self, owner_ids: Collection[str]) -> set[str]:
        """Return those of the owners that have an image in the index."""
