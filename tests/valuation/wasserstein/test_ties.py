"""The order of candidates, against a definition that is easy to read."""

from random import Random

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from gmv.valuation.wasserstein.ties import TIE, order_by_distance

steps = st.lists(st.sampled_from([0.0, TIE / 4, TIE / 2, 4 * TIE, 0.1]), max_size=12)


def by_definition(rows: list[int], distances: list[float]) -> list[int]:
    """Chains of near distances, one after another, each in order of row."""
    chains: list[list[int]] = []
    for place in sorted(range(len(rows)), key=lambda place: distances[place]):
        if not chains or distances[place] - distances[chains[-1][-1]] > TIE * distances[place]:
            chains.append([])
        chains[-1].append(place)
    return [place for chain in chains for place in sorted(chain, key=lambda place: rows[place])]


@given(steps, st.randoms(use_true_random=False), st.sampled_from([0.0, 1.0]))
def test_chains_of_ties_are_in_order_of_row(steps: list[float], random: Random, least: float) -> None:
    distances = list(np.cumsum([least, *steps]))
    random.shuffle(distances)
    rows = list(range(100, 100 + len(distances)))
    random.shuffle(rows)
    order = np.empty(len(rows), np.int64)
    assert order_by_distance(np.array(rows), np.zeros(len(rows), np.bool_), np.array(distances), order) == len(rows)
    assert order.tolist() == by_definition(rows, distances)


def test_nothing_has_no_order() -> None:
    assert order_by_distance(np.empty(0, np.int64), np.empty(0, np.bool_), np.empty(0), np.empty(0, np.int64)) == 0


@given(st.lists(st.tuples(st.integers(0, 6), st.booleans()), unique=True), st.data())
def test_of_two_looks_the_nearer_counts_and_of_equals_the_look_as_it_is(
    pairs: list[tuple[int, bool]], data: st.DataObject
) -> None:
    near = st.sampled_from([0.0, 1.0, 1.0 + TIE / 2, 1.0 + 4 * TIE, 2.0])
    distances = [data.draw(near) for _ in pairs]
    order = np.empty(len(pairs), np.int64)
    rows, mirrored = ([pair[part] for pair in pairs] for part in (0, 1))
    count = order_by_distance(np.array(rows, np.int64), np.array(mirrored, np.bool_), np.array(distances), order)

    place_of = {pair: place for place, pair in enumerate(pairs)}
    kept = {}
    for row in rows:
        looks = [place_of[row, look] for look in (False, True) if (row, look) in place_of]
        kept[row] = looks[-1] if distances[looks[-1]] < distances[looks[0]] * (1 - TIE) else looks[0]
    places = list(kept.values())
    expected = by_definition([rows[place] for place in places], [distances[place] for place in places])
    assert order[:count].tolist() == [places[place] for place in expected]
