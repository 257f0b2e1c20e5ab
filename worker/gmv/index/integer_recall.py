"""Recall in integers: a scan of all codes, refined by vectors. The same answer on every processor."""

from math import isqrt
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from gmv.encoders.mirror import Mirror
from gmv.encoders.port import MirroringEncoder, Numbers
from gmv.errors import IndexRefused
from gmv.index.codes import Coder, open_coder
from gmv.index.exact_recall import ExactRecall
from gmv.index.look_layout import PLACE_SIZE_MAX
from gmv.index.manifest import CODER_FILE, CODES_FILE, VECTORS_FILE
from gmv.index.port import LooksRecalled, Recall
from gmv.index.refine import refine

Pairs = tuple[NDArray[np.int64], NDArray[np.bool_]]
"""Rows, [m], and which of them are near by the mirrored look."""

PAIRS_PER_CANDIDATE = 10
"""Pairs that the scan takes, for every one wanted. Of the ten nearest by W1 of 49,500 images .978 are among the first
1,000 by codes, .96 among 500, .99 among 1,500."""


class IntegerRecall(Recall):
    """A `Recall` of both looks over codes and vectors.

    Attributes:
        coder: made the codes of the vectors.
        codes: int8 [rows, c].
    """

    def __init__(
        self,
        coder: Coder,
        codes: NDArray[np.int8],
        vectors: NDArray[np.int8],
        mirror: Mirror,
        places: int,
        pairs_per_candidate: int = PAIRS_PER_CANDIDATE,
    ) -> None:
        """Take the parts of an index.

        Args:
            coder: made the codes of the vectors.
            codes: int8 [rows, c].
            vectors: int8 [rows, D].
            mirror: of vectors.
            places: parts of the image that a vector describes, one after another: a square grid of them.
            pairs_per_candidate: that the scan takes for every one wanted.

        Raises:
            ValueError: vectors are not of so many parts.
        """
        if places < 1 or isqrt(places) ** 2 != places or vectors.shape[1] % places:
            raise ValueError(f"vectors of {vectors.shape[1]} numbers are not of {places} places of a square grid")
        if vectors.shape[1] // places > PLACE_SIZE_MAX:
            raise ValueError(f"a place has {vectors.shape[1] // places:,} numbers, above {PLACE_SIZE_MAX:,}")
        self.coder = coder
        self.codes = codes
        self._scan = ExactRecall(codes, coder.projection.signs)
        self._vectors = vectors.view()
        self._vectors.flags.writeable = False  # as a mapped file is: one type is one compilation
        self._mirror = mirror
        self._places = places
        self._pairs_per_candidate = pairs_per_candidate

    @property
    def vectors(self) -> NDArray[np.int8]:
        """Of all rows, int8 [rows, D], read-only."""
        return self._vectors

    @property
    def rows(self) -> int:
        """Training images in it."""
        return len(self._vectors)

    @property
    def vector_size(self) -> int:
        """D."""
        return int(self._vectors.shape[1])

    @override
    def recall(self, vectors: Numbers, candidates: int) -> list[NDArray[np.int64]]:
        return [rows for rows, _ in self._nearest(vectors, candidates, both_looks=False)]

    @override
    def recall_looks(self, vectors: Numbers, candidates: int) -> list[LooksRecalled]:
        found = self._nearest(vectors, candidates, both_looks=True)
        return [LooksRecalled(rows[~mirrored], rows[mirrored]) for rows, mirrored in found]

    def _nearest(self, vectors: Numbers, candidates: int, both_looks: bool) -> list[Pairs]:
        integers = vectors.astype(np.int8)
        scanned = self._scan.pairs(self.coder.codes(integers), candidates * self._pairs_per_candidate, both_looks)
        looks = np.empty((len(integers), 2, integers.shape[1]), np.int8)  # of one layout, whatever the vectors' is
        looks[:, 0], looks[:, 1] = integers, self._mirror.apply(integers)
        return [
            self._refined(each, (rows, mirrored), candidates)
            for each, rows, mirrored in zip(looks, *scanned, strict=True)
        ]

    def _refined(self, looks: NDArray[np.int8], pairs: Pairs, candidates: int) -> Pairs:
        """Return the first of the pairs; of equal ones the look as it is, then the lower row."""
        rows, mirrored = pairs
        apart = np.empty(len(rows))
        refine(self._vectors, looks, rows, mirrored, self._places, apart)
        near = np.arange(len(rows))
        if candidates < len(rows):  # to put all in order takes 100 us of 1,000 pairs, and to find these 5
            near = np.flatnonzero(apart <= np.partition(apart, candidates - 1)[candidates - 1])
        first = near[np.lexsort((rows[near], mirrored[near], apart[near]))[:candidates]]
        return rows[first], mirrored[first]


def open_integer_recall(folder: Path, encoder: MirroringEncoder) -> IntegerRecall:
    """Map the files of an index's folder, shared by all workers of a host.

    Raises:
        IndexRefused: one is missing or holds something else.
    """
    coder = open_coder(folder / CODER_FILE, encoder.vector_size)
    codes = _map(folder / CODES_FILE, len(coder.projection.signs))
    vectors = _map(folder / VECTORS_FILE, encoder.vector_size)
    return IntegerRecall(coder, codes, vectors, encoder.vector_mirror, encoder.vector_places)


def _map(path: Path, size: int) -> NDArray[np.int8]:
    try:
        mapped = np.lib.format.open_memmap(path, "r")  # np.load takes archives, too
    except (OSError, ValueError) as error:
        raise IndexRefused(f"{path} cannot be mapped ({error}); build the index again") from error
    if mapped.dtype != np.int8 or mapped.shape[1:] != (size,):
        raise IndexRefused(
            f"{path} holds {mapped.dtype} {mapped.shape}, not int8 [rows, {size}]; build the index again"
        )
    array: NDArray[np.int8] = mapped.view(np.ndarray)
    return array
