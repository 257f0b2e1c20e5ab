"""Scratch is as large as is said, and no larger than is allowed."""

import numpy as np
import pytest

from gmv.valuation.wasserstein.scratch import new_scratch, scratch_bytes


def allocated(arrays: tuple[object, ...]) -> int:
    """Bytes of all arrays, views of others not counted again."""
    return sum(
        allocated(each) if isinstance(each, tuple) else each.nbytes
        for each in arrays
        if isinstance(each, tuple) or (isinstance(each, np.ndarray) and each.base is None)
    )


@pytest.mark.parametrize(("candidates", "tokens", "size"), [(100, 64, 64), (500, 196, 64), (7, 1, 4), (1_000, 49, 15)])
def test_scratch_is_as_large_as_its_formula_says(candidates: int, tokens: int, size: int) -> None:
    estimated, real = scratch_bytes(candidates, tokens, size), allocated(new_scratch(candidates, tokens, size))
    assert estimated <= real <= estimated + 130 * (tokens + candidates) + 8 * size + 1_000


def test_scratch_stays_below_64_mb_at_196_tokens_and_500_candidates() -> None:
    assert scratch_bytes(500, 196, 64) < 64 * 10**6
