from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray
from prometheus_client import CollectorRegistry

from gmv.monitoring.catalogue import Metrics
from gmv.monitoring.depth import RecallDepth
from gmv.valuation.ranking import MirroredLook, Ranking, Tokens

RECALLED = np.array([40, 7, 99, 3, 12, 60, 5, 81, 22, 31, 64])  # eleven, so that places are tenths


class Chosen:
    """A re-rank whose answer is known before."""

    def __init__(self, rows: Sequence[int], mirrored: Sequence[int] = ()) -> None:
        places = np.array([*rows, *mirrored])
        self.rankings = [Ranking(places, np.zeros(len(places)), np.arange(len(places)) >= len(rows), None)]

    def nearest(
        self,
        queries: Sequence[Tokens],
        candidates: Sequence[NDArray[np.int64]],
        contributors: int,
        mirrored: Sequence[MirroredLook | None] | None = None,
    ) -> list[Ranking]:
        return self.rankings


def depths_of(
    chosen: Chosen, recalled: NDArray[np.int64] = RECALLED, look: MirroredLook | None = None
) -> tuple[float, float]:
    registry = CollectorRegistry()
    watched = RecallDepth(chosen, Metrics(registry))
    mirrored = None if look is None else [look]
    assert watched.nearest([np.zeros((4, 2), np.float32)], [recalled], 3, mirrored) is chosen.rankings
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


def test_the_mirrored_look_s_places_are_those_in_its_own_list() -> None:
    look = MirroredLook(np.zeros((4, 2), np.float32), np.array([7, 99, 12, 5, 40]))
    assert depths_of(Chosen([40, 7], mirrored=[99]), look=look) == pytest.approx((3, 0.0 + 0.1 + 0.25))
    assert depths_of(Chosen([40, 7]), look=look) == pytest.approx((2, 0.1))
    assert depths_of(Chosen([], mirrored=[40]), look=look) == (1, 1.0)
