"""Rankings, and what must hold of them."""

import numpy as np
from numpy.typing import NDArray

from gmv.valuation.ranking import Ranking, Tokens
from gmv.valuation.wasserstein.rerank import ExactReranker
from gmv.valuation.wasserstein.tokens import TokenStore


def rows_of(store: TokenStore) -> NDArray[np.int64]:
    return np.arange(len(store), dtype=np.int64)


def rank(store: TokenStore, query: Tokens, contributors: int) -> Ranking:
    return ExactReranker(store).nearest([query], [rows_of(store)], contributors)[0]


def assert_is_ranked_by(ranking: Ranking, truth: NDArray[np.float64], contributors: int, tie: float) -> None:
    """Ids up to ties, distances up to 1e-9 of the largest or 1e-12 of the size of numbers that went in."""
    np.testing.assert_allclose(ranking.distances, truth[ranking.rows], rtol=1e-9, atol=tie)
    ascending = np.sort(truth)[: len(ranking.rows)]
    np.testing.assert_allclose(truth[ranking.rows], ascending, rtol=1e-9, atol=tie)
    assert len(set(ranking.rows.tolist())) == len(ranking.rows) == min(contributors, len(truth))
