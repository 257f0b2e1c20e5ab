"""Recall by faiss, made a function of the query alone."""

from pathlib import Path

import faiss
import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from gmv.encoders.port import Numbers
from gmv.errors import IndexRefused
from gmv.index.port import Recall

_SPARE = 16  # rows asked for beyond M: most ties at the M-th place end within them


class FaissRecall(Recall):
    """A `Recall` over a faiss index with Euclidean distance.

    Vectors are searched one by one, since faiss takes other paths, with other last bits, for many at once. Equally
    distant rows (exact copies, or equal codes) are in order of row, also where M cuts through them; where codes are
    refined, that is of the rows that the codes brought, at least four times as many.
    """

    def __init__(self, index: faiss.Index) -> None:
        self._index = index

    @property
    def rows(self) -> int:
        """Training images in it."""
        return int(self._index.ntotal)

    @property
    def vector_size(self) -> int:
        """D."""
        return int(self._index.d)

    @property
    def lists(self) -> int:
        """Lists of an inverted file; 0 where all rows are compared."""
        inverted = faiss.try_extract_index_ivf(self._index)
        return 0 if inverted is None else int(inverted.nlist)

    def probe(self, lists: int) -> None:
        """Look into so many lists from now on, those nearest to a query."""
        faiss.extract_index_ivf(self._index).nprobe = lists

    @override
    def recall(self, vectors: Numbers, candidates: int) -> list[NDArray[np.int64]]:
        return [self._nearest(vector[np.newaxis], min(candidates, self.rows)) for vector in vectors]

    def _nearest(self, vector: Numbers, wanted: int) -> NDArray[np.int64]:
        """Ask for more and more until the last row's distance is beyond the last one wanted."""
        asked = min(wanted + _SPARE, self.rows)
        while True:
            found_distances, found_rows = self._index.search(vector, asked)
            is_row = found_rows >= 0  # faiss fills up with -1 where the probed lists hold fewer
            distances, rows = found_distances[is_row], found_rows[is_row]
            if len(rows) < asked or asked == self.rows or distances[-1] > distances[wanted - 1]:
                return rows[np.lexsort((rows, distances))][:wanted]
            asked = min(2 * asked, self.rows)


def write_recall(path: Path, index: faiss.Index) -> None:
    """Write an index through Python's own file, whose errors name a full disk; faiss's do not."""
    with path.open("wb") as file:
        file.write(faiss.serialize_index(index).data)


def open_recall(path: Path) -> FaissRecall:
    """Open an index, mapped into memory where its type can be.

    Raises:
        IndexRefused: faiss cannot read it, or it compares otherwise than by Euclidean distance.
    """
    try:
        # By number: faiss takes names in UTF-8 only, which not every folder's is.
        with path.open("rb") as file:
            name = f"/proc/self/fd/{file.fileno()}"
            index = faiss.read_index(name, faiss.IO_FLAG_MMAP_IFC | faiss.IO_FLAG_READ_ONLY)
    except (OSError, RuntimeError) as error:
        reason = str(error).strip().splitlines()[-1]
        raise IndexRefused(f"{path} cannot be read by faiss ({reason}); build the index again") from error
    if index.metric_type != faiss.METRIC_L2:
        raise IndexRefused(f"{path} does not compare by Euclidean distance; build the index again")
    return FaissRecall(index)
