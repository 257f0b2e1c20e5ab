"""What an index build needs of a training corpus, whichever form it has."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, slots=True)
class TrainingImage:
    """A row of the images table. Rows are in order of image_id, so a tie broken by row is broken by image id."""

    image_id: str
    owner_id: str
    weight: float


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
