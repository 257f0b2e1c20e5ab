"""What an index build needs of a training corpus, whichever form it has."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from gmv.corpus.reading import Reading


@dataclass(frozen=True, slots=True)
class TrainingImage:
    """A row of the images table. Rows are in order of image_id, so a tie broken by row is broken by image id.

    Attributes:
        image_id: unique.
        owner_id: who is credited for it.
        weight: in [0, 1], the owner's share of what the image earns.
        registered: when its owner registered it, as a moment in UTC, or as a number that grows; a corpus has one of
            these kinds. None where nobody says.
    """

    image_id: str
    owner_id: str
    weight: float
    registered: datetime | int | None = None


@dataclass(frozen=True, slots=True)
class ImageFile:
    """A training image as its file, undecoded."""

    image_id: str
    content: bytes


@dataclass(frozen=True, slots=True, eq=False)
class ImageFeatures:
    """A training image as what another program's encoder saw in it.

    Attributes:
        image_id: of the catalogue.
        vector: float32 [D]; empty where the row holds none.
        tokens: float32 [n, d]; empty where the row holds none, or tokens of several sizes.
    """

    image_id: str
    vector: NDArray[np.float32]
    tokens: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class MissingImage:
    """A training image of the catalogue whose file is not there.

    Attributes:
        image_id: of the catalogue.
        why: in a sentence.
    """

    image_id: str
    why: str


CorpusImage = ImageFile | ImageFeatures | MissingImage
"""One training image as a corpus reader yields it."""


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All images of a corpus, in corpus order, and how they were found."""

    images: list[TrainingImage]
    reading: Reading


class Corpus(Protocol):
    """A training set on disk. The catalogue is cheap and read first, so that bad ids fail before any encoding."""

    def catalogue(self) -> Catalogue:
        """Return ids, owners and weights of all images, in corpus order, and what was read and passed over.

        Raises:
            CorpusRefused: the corpus is empty, an image id is duplicated, an id or owner is missing.
        """

    def images(self) -> Iterator[CorpusImage]:
        """Yield all images in corpus order, holding one batch in memory at a time."""

    def fingerprint(self) -> str:
        """Return a text that changes whenever other ids or images could come from the corpus; cheap."""

    @property
    def name(self) -> str:
        """What to call the corpus: the paths that were given."""


def image_files(corpus: Corpus) -> Iterator[ImageFile]:
    """Yield the images of a corpus that are there as files."""
    return (image for image in corpus.images() if isinstance(image, ImageFile))
