"""How much recall loses against exact search: measured at every build, since it decides what a re-rank can find."""

import numpy as np
from numpy.typing import NDArray

from gmv.index.manifest import MeasuredRecall
from gmv.index.port import Recall

_QUERIES = 500
_DEPTHS = (1, 10, 100)
_CHUNK_ROWS = 8_192
_DECIMALS = 4


def measure_recall(recall: Recall, vectors: NDArray[np.float32], candidates: int, seed: int) -> MeasuredRecall:
    """Compare recall with brute force, for a sample of training images, each of which is left out of its own answer.

    Args:
        recall: over the vectors.
        vectors: float32 [rows, D], mapped or in memory; read in chunks.
        candidates: M.
        seed: of the sample.
    """
    rows = len(vectors)
    queries = np.sort(np.random.default_rng(seed).choice(rows, min(rows, _QUERIES), replace=False))
    exact = nearest_rows(vectors, queries, max(_DEPTHS))
    recalled = recall.recall(vectors[queries], candidates + 1)  # one more, for the query itself
    shares = [_share_found(exact[:, :depth], recalled) for depth in _DEPTHS]
    return MeasuredRecall(
        queries=len(queries),
        candidates=candidates,
        nearest_1=shares[0],
        nearest_10=shares[1],
        nearest_100=shares[2],
    )


def nearest_rows(vectors: NDArray[np.float32], queries: NDArray[np.int64], depth: int) -> NDArray[np.int64]:
    """Return the rows nearest to each of the rows asked for, itself left out, by brute force in float32.

    Returns:
        int64 [queries, min(depth, rows - 1)], in order of (distance, row).
    """
    depth = min(depth, len(vectors) - 1)
    if depth == 0:
        return np.empty((len(queries), 0), np.int64)
    asked = vectors[queries]
    nearest = np.empty((len(queries), 0), np.int64)
    distances = np.empty((len(queries), 0), np.float32)
    for start in range(0, len(vectors), _CHUNK_ROWS):
        chunk = vectors[start : start + _CHUNK_ROWS]
        found = np.square(chunk).sum(1) - 2 * asked @ chunk.T  # the query's own square changes no order
        here = np.arange(start, start + len(chunk))
        found[queries[:, np.newaxis] == here] = np.inf
        if len(chunk) > depth:  # sort the nearest only: a tenth of the time
            few = np.sort(np.argpartition(found, depth - 1, axis=1)[:, :depth], axis=1)
            found, rows = np.take_along_axis(found, few, 1), here[few]
        else:
            rows = np.broadcast_to(here, found.shape)
        distances, nearest = np.hstack([distances, found]), np.hstack([nearest, rows])
        best = np.lexsort((nearest, distances))[:, :depth]
        distances = np.take_along_axis(distances, best, 1)
        nearest = np.take_along_axis(nearest, best, 1)
    return nearest


def _share_found(exact: NDArray[np.int64], recalled: list[NDArray[np.int64]]) -> float:
    """Nothing to find is found: a corpus of one image has recall 1."""
    found = [np.isin(wanted, rows) for wanted, rows in zip(exact, recalled, strict=True)]
    return round(float(np.mean(found)), _DECIMALS) if exact.size else 1.0
