"""A picture is flat by itself, or by the training image that it is nearest to."""

from typing import Final

import numpy as np
import pytest

from gmv.index.evidence import EvidenceJudge
from gmv.valuation.evidence import EvidenceRule
from gmv.valuation.ranking import Ranking

FLAT_FROM: Final = 4  # of 8 tokens

VARIED, FLAT = np.random.default_rng(1).integers(-90, 90, (8, 4)).astype(np.int8), np.full((8, 4), 50, np.int8)
NEARLY_FLAT = FLAT + np.random.default_rng(2).choice(np.array([-40, 40], np.int8), (8, 4))


def ranking(*rows: int) -> Ranking:
    distances = np.arange(1.0, len(rows) + 1)
    return Ranking(np.array(rows, np.int64), distances, np.zeros(len(rows), np.bool_), None)


@pytest.mark.parametrize(
    ("tokens", "nearest", "is_flat"),
    [
        (VARIED, (0, 1, 2), False),
        (NEARLY_FLAT, (0, 1, 2), False),
        (FLAT, (0, 1, 2), True),
        (NEARLY_FLAT, (1, 0, 2), True),
        (VARIED, (1,), True),
        (VARIED, (), False),
        (FLAT, (), True),
        (FLAT[:4], (0,), True),  # of fewer tokens as large a share
        (np.concatenate([VARIED, VARIED + np.int8(30)]), (0,), False),
    ],
)
def test_as_empty_as_what_it_is_nearest_to(
    tokens: np.ndarray[tuple[int, int], np.dtype[np.int8]], nearest: tuple[int, ...], is_flat: bool
) -> None:
    judge = EvidenceJudge(EvidenceRule((0.5,), 0.9, is_policy=True), FLAT_FROM, np.stack([VARIED, FLAT, VARIED]), 0)
    found = judge.judge(tokens, ranking(*nearest))
    assert (found.is_flat, found.is_reliable) == (is_flat, not is_flat and found.p_value <= 0.9)
