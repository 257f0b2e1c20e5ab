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

    def __init__(self, index: faiss.Index, row_of: NDArray[np.int64] | None = None) -> None:
        """Take an index, and of one that images were added to or removed from the row of each of its vectors.

        Args:
            index: of faiss, which counts vectors as they came.
            row_of: int64 [vectors], -1 where the image was removed; None: vectors are in order of row.
        """
        self._index = index
        self._row_of = row_of
        self.rows = self._vectors if row_of is None else int((row_of >= 0).sum())
        """Training images in it."""

    @property
    def row_of(self) -> NDArray[np.int64]:
        """The row of each of faiss's vectors, -1 where the image was removed."""
        return np.arange(self._vectors) if self._row_of is None else self._row_of

    @property
    def _vectors(self) -> int:
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
        wanted = min(candidates, self.rows)
        return [self._nearest(vector[np.newaxis], wanted) for vector in vectors]

    def _nearest(self, vector: Numbers, wanted: int) -> NDArray[np.int64]:
        """Ask for more and more until the last vector's distance is beyond that of the last row wanted."""
        asked = min(wanted + _SPARE, self._vectors)
        while True:
            found_distances, found = self._index.search(vector, asked)
            is_found = found >= 0  # faiss fills up with -1 where the probed lists hold fewer
            distances, rows = found_distances[is_found], self._rows(found[is_found])
            are_all = len(rows) < asked or asked == self._vectors
            there = np.flatnonzero(rows >= 0)
            if are_all or (len(there) >= wanted and distances[-1] > distances[there[wanted - 1]]):
                return rows[there[np.lexsort((rows[there], distances[there]))]][:wanted]
            asked = min(2 * asked, self._vectors)

    def _rows(self, found: NDArray[np.int64]) -> NDArray[np.int64]:
        return found if self._row_of is None else self._row_of[found]


def write_recall(path: Path, index: faiss.Index) -> None:
    """Write an index through Python's own file, whose errors name a full disk; faiss's do not."""
    with path.open("wb") as file:
        file.write(faiss.serialize_index(index).data)


def open_recall(path: Path, rows_path: Path | None = None) -> FaissRecall:
    """Open an index, mapped into memory where its type can be.

    Args:
        path: of the index.
        rows_path: of the rows of its vectors, which an index has that images were added to or removed from.

    Raises:
        IndexRefused: faiss cannot read it, it compares otherwise than by Euclidean distance, or the rows are others'.
    """
    index = _read(path, faiss.IO_FLAG_MMAP_IFC | faiss.IO_FLAG_READ_ONLY)
    if index.metric_type != faiss.METRIC_L2:
        raise IndexRefused(f"{path} does not compare by Euclidean distance; build the index again")
    return FaissRecall(index, None if rows_path is None else _open_rows(rows_path, int(index.ntotal)))


def read_growing(path: Path) -> faiss.Index:
    """Read an index into memory, to add vectors to it.

    Raises:
        IndexRefused: faiss cannot read it.
    """
    return _read(path, 0)


def _read(path: Path, flags: int) -> faiss.Index:
    try:
        # By number: faiss takes names in UTF-8 only, which not every folder's is.
        with path.open("rb") as file:
            return faiss.read_index(f"/proc/self/fd/{file.fileno()}", flags)
    except (OSError, RuntimeError) as error:
        reason = str(error).strip().splitlines()[-1]
        raise IndexRefused(f"{path} cannot be read by faiss ({reason}); build the index again") from error


def _open_rows(path: Path, vectors: int) -> NDArray[np.int64]:
    try:
        rows: NDArray[np.int64] = np.lib.format.open_memmap(path, "r").view(np.ndarray)
    except (OSError, ValueError) as error:
        raise IndexRefused(f"{path} cannot be mapped ({error}); build the index again") from error
    if rows.dtype != np.int64 or rows.shape != (vectors,):
        raise IndexRefused(f"{path} holds {rows.dtype} {rows.shape}, not int64 [{vectors}]; build the index again")
    return rows
