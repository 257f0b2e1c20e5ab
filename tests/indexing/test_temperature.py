"""The temperature follows the distances of the corpus, in whatever unit its tokens are."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from typing_extensions import override

from gmv.index.manifest import MeasuredNeighbours, temperature_of
from gmv.index.port import Recall
from gmv.indexing.temperature import measure_neighbours
from gmv.valuation.utility import effective_contributors, utilities
from gmv.valuation.wasserstein.rerank import ExactReranker


class Everything(Recall):
    """Recalls all rows, nearest places first."""

    def __init__(self, places: NDArray[np.float32]) -> None:
        self._places = places

    @override
    def recall(self, vectors: NDArray[np.float32], candidates: int) -> list[NDArray[np.int64]]:
        return [np.argsort(np.abs(self._places - vector[0]), kind="stable")[:candidates] for vector in vectors]


def measured(places: list[float], candidates: int = 100, temperature: float | None = None) -> MeasuredNeighbours:
    """Images on a line, of one token each, so W1 is the distance of their places."""
    line = np.array(places, np.float32)
    tokens = line.astype(np.float16).reshape(-1, 1, 1)
    reranker = ExactReranker(tokens)
    return measure_neighbours(Everything(line), line.reshape(-1, 1), tokens, reranker, candidates, 0, temperature)


def by_hand(places: list[float]) -> tuple[float, float, float]:
    """Medians of the distances to the nearest and to the tenth nearest other, and of their difference."""
    ten = [
        sorted(abs(other - own) for at, other in enumerate(places) if at != row)[:10] for row, own in enumerate(places)
    ]
    nearest, farthest, spreads = zip(*((near[0], near[-1], near[-1] - near[0]) for near in ten), strict=True)
    return float(np.median(nearest)), float(np.median(farthest)), float(np.median(spreads))


@given(st.lists(st.integers(0, 500), min_size=2, max_size=30))
def test_distances_are_those_of_all_pairs(places: list[int]) -> None:
    line = [float(place) for place in places]
    found = measured(line)

    assert (found.nearest_1, found.nearest_10, found.spread) == pytest.approx(by_hand(line), abs=1e-4)
    assert found.temperature == temperature_of(by_hand(line)[2])
    assert found.queries == len(places)


@given(st.lists(st.integers(0, 200), min_size=12, max_size=30, unique=True), st.sampled_from([0.25, 2.0, 8.0]))
def test_another_unit_of_distance_changes_no_share(places: list[int], unit: float) -> None:
    """Scaled by a power of two, so that every distance is exact."""
    here, there = measured([float(place) for place in places]), measured([place * unit for place in places])

    assert there.temperature == pytest.approx(here.temperature * unit, rel=0.11)  # of two digits each
    assert there.top_share == pytest.approx(here.top_share, abs=0.1)


def test_shares_are_told_at_the_temperature_that_is_wanted() -> None:
    """Equally spaced: an image in the middle has two neighbours at 1, two at 2 and so on, and few are at the ends."""
    places = [float(place) for place in range(101)]
    middle = [1.0, 1.0, 2.0, 2.0, 3.0, 3.0, 4.0, 4.0, 5.0, 5.0]

    for temperature in (0.5, 1.0, 50.0):
        found = measured(places, temperature=temperature)
        shares = utilities(middle, temperature)
        assert found.temperature == temperature
        assert found.top_share == pytest.approx(max(shares), abs=1e-4)
        assert found.effective_contributors == pytest.approx(effective_contributors(shares), abs=1e-4)
    assert measured(places).temperature == 1.3  # a third of 5 - 1


@pytest.mark.parametrize("places", [[3.0], [3.0] * 20, [1.0, 2.0]])
def test_where_no_distances_differ_the_temperature_is_one(places: list[float]) -> None:
    assert measured(places).temperature == 1.0


def test_an_image_alone_has_no_neighbours() -> None:
    assert measured([3.0]).queries == 0


def test_candidates_bound_what_is_ranked() -> None:
    assert measured([float(place) for place in range(50)], candidates=4).nearest_10 == 2.0
