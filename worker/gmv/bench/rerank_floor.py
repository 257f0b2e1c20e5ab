"""What an exact re-rank would take that pruned nothing and solved nothing: all cost matrices, and their minima."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gmv.compiled import fast
from gmv.valuation.wasserstein.cost import square_roots
from gmv.valuation.wasserstein.scratch import Scratch, new_scratch
from gmv.valuation.wasserstein.tokens import StoredTokens, stored_tokens
from gmv.valuation.wasserstein.topk import prepare, square


class CostMatrices:
    """Computes what the kernel computes first, by the kernel's own code, and the root of every entry."""

    def __init__(self, tokens: NDArray[np.float16] | NDArray[np.float32]) -> None:
        self._store = stored_tokens(tokens)
        self._shape = tokens.shape[1:]
        self._scratch = new_scratch(1, *self._shape)
        self.compute([tokens[0].astype(np.float32)], [np.zeros(1, np.int64)])

    def compute(self, queries: Sequence[NDArray[np.float32]], candidates: Sequence[NDArray[np.int64]]) -> None:
        """Compute the costs of each float32 [n, d] to each of its int64 [M] rows, over one another."""
        for query, rows in zip(queries, candidates, strict=True):
            _compute_all(self._store, rows, query, self._scratch)


@fast
def _compute_all(store: StoredTokens, rows: NDArray[np.int64], query: NDArray[np.float32], scratch: Scratch) -> None:
    prepare(query, scratch)
    for row in rows:
        square(store, row, scratch.squares[0], scratch.column_minima[0], scratch)
        square_roots(scratch.squares[0], scratch.costs)
