"""What the attributor needs of an index."""

from collections.abc import Collection, Sequence
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from gmv.corpus.port import TrainingImage
from gmv.encoders.port import Numbers

_NO_ROWS = np.empty(0, np.int64)


class LooksRecalled(NamedTuple):
    """What was recalled for a query, by how near it is to the query's two looks.

    Attributes:
        rows: int64, of the training images most similar to the look as it is, most similar first.
        mirrored_rows: int64, of those most similar to the mirrored look. A row may be in both.
    """

    rows: NDArray[np.int64]
    mirrored_rows: NDArray[np.int64]


class Recall(Protocol):
    """Approximate nearest neighbours of a global vector."""

    def recall(self, vectors: Numbers, candidates: int) -> list[NDArray[np.int64]]:
        """Return the rows of the most similar training images for each of [b, D] vectors, most similar first.

        Each answer is int64 [<= candidates], without fill-ins, perhaps empty, and depends on its own vector alone, bit
        for bit.
        """

    def recall_looks(self, vectors: Numbers, candidates: int) -> list[LooksRecalled]:
        """Return the `candidates` pairs of row and look most similar to each of [b, D] vectors.

        Of equally similar ones, the look as it is comes first, and then the lower row. By default there is that look
        alone.
        """
        return [LooksRecalled(rows, _NO_ROWS) for rows in self.recall(vectors, candidates)]


class ImagesTable(Protocol):
    """Who made what."""

    def __len__(self) -> int: ...

    def images(self, rows: Sequence[int] | NDArray[np.int64]) -> list[TrainingImage]:
        """Return the rows asked for, in the order asked."""

    def known_images(self, image_ids: Collection[str]) -> set[str]:
        """Return those of the images that are in the index; passes over all of them."""

    def known_owners(self, owner_ids: Collection[str]) -> set[str]:
        """Return those of the owners that have an image in the index."""
