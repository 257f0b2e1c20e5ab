"""What an exact re-rank would take that pruned nothing and solved nothing: all cost matrices, and their minima."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gmv.compiled import strict
from gmv.valuation.ranking import Tokens
from gmv.valuation.wasserstein.fixed import costs_of
from gmv.valuation.wasserstein.matrices import prepare, square
from gmv.valuation.wasserstein.scratch import Scratch, new_scratch
from gmv.valuation.wasserstein.tokens import StoredTokens, TokenStore, stored_tokens


class CostMatrices:
    """Computes what the kernel computes first, by the kernel's own code, and the root of every entry."""

    def __init__(self, tokens: TokenStore) -> None:
        self._store = stored_tokens(tokens)
        self._shape = tokens.shape[1:]
        self._scratch = new_scratch(1, *self._shape)
        self.compute([tokens[0].astype(np.float32)], [np.zeros(1, np.int64)])

    def compute(self, queries: Sequence[Tokens], candidates: Sequence[NDArray[np.int64]]) -> None:
        """Compute the costs of each [n, d] to each of its int64 [M] rows, over one another."""
        for query, rows in zip(queries, candidates, strict=True):
            _compute_all(self._store, rows, query[None].astype(np.float32), self._scratch)


@strict
def _compute_all(store: StoredTokens, rows: NDArray[np.int64], looks: NDArray[np.float32], scratch: Scratch) -> None:
    prepare(store, looks, scratch)
    for row in rows:
        unit = square(store, row, 0, scratch.squares[0], scratch.column_minima[0], scratch)
        costs_of(scratch.squares[0], unit, scratch.costs)
