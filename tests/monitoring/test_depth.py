from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray
from prometheus_client import CollectorRegistry

from gmv.monitoring.catalogue import Metrics
from gmv.monitoring.depth import RecallDepth
from gmv.valuation.ranking import Ranking

RECALLED = np.array([40, 7, 99, 3, 12, 60, 5, 81, 22, 31, 64])  # eleven, so that places are tenths


class Chosen:
    """A re-rank whose answer is known before."""

    def __init__(self, rows: Sequence[int]) -> None:
        self.rankings = [Ranking(np.array(rows), np.zeros(len(rows)), None)]

    def nearest(
        self, queries: Sequence[NDArray[np.float32]], candidates: Sequence[NDArray[np.int64]], contributors: int
    ) -> list[Ranking]:
        return self.rankings


def depths_of(chosen: Chosen, recalled: NDArray[np.int64] = RECALLED) -> tuple[float, float]:
    registry = CollectorRegistry()
    watched = RecallDepth(chosen, Metrics(registry))
    assert watched.nearest([np.zeros((4, 2), np.float32)], [recalled], 3) is chosen.rankings
    value = registry.get_sample_value
    return value("gmv_contributor_depth_ratio_count") or 0.0, value("gmv_contributor_depth_ratio_sum") or 0.0


@pytest.mark.parametrize(
    ("rows", "places"),
    [([40, 7, 99], (0.0, 0.1, 0.2)), ([64, 40], (1.0, 0.0)), ([60], (0.5,))],
)
def test_places_are_those_in_the_order_of_recall(rows: list[int], places: tuple[float, ...]) -> None:
    count, total = depths_of(Chosen(rows))
    assert count == len(places)
    assert total == pytest.approx(sum(places))


def test_where_every_recalled_image_contributes_there_is_nothing_to_tell() -> None:
    assert depths_of(Chosen([64, 40, 7]), np.array([40, 7, 64])) == (0.0, 0.0)
