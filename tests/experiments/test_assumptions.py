"""The arithmetic of RA1, RA2 and RA3 in worlds small enough to be worked out by hand."""

import math
from itertools import combinations

import numpy as np
import pytest

from gmv.errors import ExperimentRefused
from gmv.experiments.attributing import Nearest
from gmv.experiments.laboratory import Drawn
from gmv.experiments.ra1 import distances_to_parts, nearness, permuted_differences
from gmv.experiments.ra2 import NULL_REPETITIONS, measure_values
from gmv.experiments.ra3 import align, alignment, auc, by_decile, discriminants
from gmv.experiments.splits import Split
from gmv.experiments.values import hit_counts, softmax_values
from tests.experiments.world import CLASSES, shapes

TWO_EVENTS = Nearest(
    np.array([[3, 0, 1], [0, 2, -1]]),
    np.array([[0.0, math.log(2), math.log(4)], [0.5, 0.5 + math.log(3), np.inf]]),
)
"""The first event's likenesses are 1, 1/2 and 1/4; the second's, with two contributors, 1 and 1/3."""


def test_values_are_sums_of_utilities():
    values = softmax_values(TWO_EVENTS, 5, 1.0)
    assert values.tolist() == pytest.approx([2 / 7 + 3 / 4, 1 / 7, 1 / 4, 4 / 7, 0])
    assert values.sum() == pytest.approx(2)


def test_a_lower_temperature_favours_the_nearest():
    """At tau = 1/2, likenesses are squared."""
    values = softmax_values(TWO_EVENTS, 5, 0.5)
    assert values.tolist() == pytest.approx([4 / 21 + 9 / 10, 1 / 21, 1 / 10, 16 / 21, 0])


def test_hits_are_counted():
    assert hit_counts(TWO_EVENTS, 5).tolist() == [2, 1, 1, 1, 0]


def test_used_and_unused_images_are_compared_seed_by_seed():
    parts = {
        0: Split(np.array([0, 1]), np.array([2, 3]), np.array([4, 5])),
        1: Split(np.array([4, 5]), np.array([2, 3]), np.array([0, 1])),
    }
    phi = np.array([5.0, 7.0, 1.0, 3.0, 1.0, 3.0])
    found = measure_values("softmax", 1.0, {0: phi, 1: phi}, parts)

    first, second = found.seeds
    assert (first.used.v1_mean, first.used.v2_mean, first.used.ratio) == (6, 2, 3)
    assert first.used.t == pytest.approx(4 / math.sqrt(2 * 2 / 2))
    assert (second.used.ratio, second.used.t, second.used.p) == (1, 0, 1)
    assert (first.null.t, second.null.v2_mean) == (0, 6)
    assert found.ratio.mean == 2
    assert found.v1_share.mean == pytest.approx((12 / 20 + 4 / 20) / 2)
    assert found.null.repetitions == 2 * NULL_REPETITIONS


FOUR = np.array([[0, 1, 2, 3], [2, 0, 3, 1], [1, 3, 0, 2]])
NEAREST_OF_FOUR = Nearest(FOUR, np.array([[1.0, 2, 4, 8], [1, 3, 5, 7], [2, 3, 4, 9]]))


def difference(v1: tuple[int, ...]) -> float:
    """v2's mean distance less v1's, looked up image by image."""
    total = 0.0
    for rows, distances in zip(FOUR.tolist(), NEAREST_OF_FOUR.distances.tolist(), strict=True):
        of = dict(zip(rows, distances, strict=True))
        total += min(of[row] for row in range(4) if row not in v1) - min(of[row] for row in v1)
    return total / 3


def test_distances_to_the_nearest_of_each_part():
    v1, v2 = distances_to_parts(NEAREST_OF_FOUR, np.array([True, True, False, False]))
    assert v1.tolist() == [1, 3, 2]
    assert v2.tolist() == [4, 1, 3]


def test_permuted_parts_give_the_differences_that_all_parts_give():
    every = {round(difference(v1), 9) for v1 in combinations(range(4), 2)}
    permuted = permuted_differences(NEAREST_OF_FOUR, np.arange(4), 300, np.random.default_rng(0))
    assert set(permuted.round(9).tolist()) == every
    assert permuted.mean() == pytest.approx(np.mean([difference(v1) for v1 in combinations(range(4), 2)]), abs=0.1)


def test_parts_are_compared_with_permuted_ones():
    found = nearness(NEAREST_OF_FOUR, np.array([True, True, False, False]), np.arange(4), np.random.default_rng(0))
    every = np.array([difference(v1) for v1 in combinations(range(4), 2)])
    as_far = np.mean(np.abs(every - every.mean()) >= abs(difference((0, 1)) - every.mean()) - 1e-9)
    assert found.difference == pytest.approx(difference((0, 1))) == pytest.approx((3 - 2 + 1) / 3)
    assert found.nearer_to_v1 == pytest.approx(2 / 3)
    assert found.p == pytest.approx(as_far, abs=0.06)


def test_a_part_that_is_not_among_the_nearest_is_refused():
    with pytest.raises(ExperimentRefused, match="has its 3 nearest in one part"):
        distances_to_parts(TWO_EVENTS, np.array([False, False, False, False, True]))


def test_ranks_and_tenths_by_hand():
    assert auc(np.array([3.0, 1.0]), np.array([0.0, 1.0])) == pytest.approx(3.5 / 4)
    assert by_decile(np.arange(20.0)[::-1], np.arange(20.0)) == tuple(18.5 - 2 * tenth for tenth in range(10))


def test_discriminants_tell_the_classes_apart():
    """Two classes that differ along (1, 1), and vary along (1, -1): what varies within is no use."""
    random = np.random.default_rng(0)
    labels = np.arange(400) % 2
    across = random.normal(size=400) * 5
    pixels = np.outer(labels, [1, 1]) + np.outer(across, [1, -1]) + random.normal(size=(400, 2)) * 0.01
    _, directions = discriminants(pixels, labels, 2)
    direction = directions[:, 0] / np.linalg.norm(directions[:, 0])
    assert abs(direction @ [1, 1]) / math.sqrt(2) > 0.99


def test_images_alike_in_class_are_aligned():
    images = shapes()
    of_one_class = images.pixels[images.labels == 1]
    aligned = alignment(images, of_one_class)
    assert aligned[images.labels == 1].min() > aligned[images.labels != 1].max()


def test_credit_that_stays_in_its_class():
    """Each event goes to two images of its own class but for one, half of whose credit goes elsewhere."""
    images = shapes(per_class=10)
    labels = np.arange(CLASSES)
    rows = np.array([[0, 1], [10, 11], [20, 0]])
    drawn = Drawn(images.pixels[[5, 15, 25]], labels)
    found = align(7, images, drawn, Nearest(rows, np.ones((3, 2))), 1.0)

    assert found.seed == 7
    assert found.class_share == pytest.approx(2.5 / 3)
    # Of a class with two of ten images credited, and 20 others without: (2 + 8 / 2) / 10. Of the last, one image of
    # ten is credited and one of 20 others: (1 * (19 + .5) + 9 * 19 / 2) / 200.
    assert found.class_auc == pytest.approx((0.6 + 0.6 + (19.5 + 85.5) / 200) / 3)
    assert len(found.decile_alignment) == 10
