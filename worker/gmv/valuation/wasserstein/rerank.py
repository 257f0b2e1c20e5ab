"""The exact re-rank: of M recalled training images, the K nearest to the query by W1."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from gmv.valuation.wasserstein.transport import w1


class TokenSets(Protocol):
    """Where the training images' tokens are."""

    def tokens(self, rows: NDArray[np.int64]) -> NDArray[np.float16]:
        """Return float16 [len(rows), n, d]."""


class ExactReranker:
    """One exact transport per candidate; nothing is approximated and nothing is pruned."""

    def __init__(self, store: TokenSets) -> None:
        self._store = store

    def nearest(
        self, query: NDArray[np.float32], rows: NDArray[np.int64], contributors: int
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return the K = `contributors` rows nearest to the query, and their W1 distances.

        Args:
            query: float32 [n, d], finite.
            rows: int64 [M], each once, in any order.
            contributors: K >= 1; all M are returned where M < K.

        Returns:
            int64 [min(K, M)] and float64 [min(K, M)], in order of (distance, row). Rows are in order of image id,
            so equal distances, those of exact copies among them, are in order of image id.
        """
        tokens = self._store.tokens(rows).astype(np.float64)
        support = query.astype(np.float64)
        distances = np.array([w1(support, candidate) for candidate in tokens], dtype=np.float64)
        order = np.lexsort((rows, distances))[:contributors]
        return rows[order], distances[order]
