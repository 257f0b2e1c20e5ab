"""What the attributor needs of an index, and what an index build needs of an encoder and a corpus."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class TrainingImage:
    """A row of the images table. Rows are in order of image_id, so a tie broken by row is broken by image id."""

    image_id: str
    owner_id: str
    weight: float


class Recall(Protocol):
    """Approximate nearest neighbours of a global vector."""

    def recall(self, vectors: NDArray[np.float32], candidates: int) -> list[NDArray[np.int64]]:
        """Return the rows of the most similar training images for each of float32 [b, D], most similar first.

        Each answer is int64 [<= candidates], without fill-ins, and depends on its own vector alone, bit for bit.
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


@dataclass(frozen=True, slots=True)
class CorpusImage:
    """One training image as a corpus reader yields it.

    Attributes:
        image_id: of the catalogue.
        content: the file, undecoded; empty where there is none.
        why_missing: what to tell of a file that is not there; None where it is.
    """

    image_id: str
    content: bytes
    why_missing: str | None = None


class Corpus(Protocol):
    """A training set on disk. The catalogue is cheap and read first, so that bad ids fail before any encoding."""

    def catalogue(self) -> list[TrainingImage]:
        """Return ids, owners and weights of all images, in corpus order.

        Raises:
            CorpusRefused: the corpus is empty, an image id is duplicated, an id or owner is missing.
        """

    def images(self) -> Iterator[CorpusImage]:
        """Yield all images in corpus order, holding one batch in memory at a time."""

    def fingerprint(self) -> str:
        """Return a text that changes whenever other ids or images could come from the corpus; cheap."""

    @property
    def path(self) -> Path:
        """Where the corpus is."""
