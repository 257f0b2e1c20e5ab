"""Frechet distance and Inception Score against closed forms and the formulas that others compute them by."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.linalg import sqrtm

from gmv.errors import ExperimentRefused
from gmv.experiments.folder import Folder
from gmv.experiments.quality.frechet import Moments, frechet_distance, moments
from gmv.experiments.quality.inception_score import inception_score
from gmv.experiments.quality.recogniser import Recogniser, RecogniserNetwork, accuracy, recogniser_of, see
from gmv.experiments.quality.run import measure
from tests.experiments.world import CLASSES, shapes
from tests.indexing.index_builds import unseen


def random_moments(random: np.random.Generator, size: int, rank: int | None = None) -> Moments:
    spread = random.normal(size=(size, rank or size))
    return Moments(random.normal(size=size), spread @ spread.T)


def test_one_dimension_by_hand():
    """Of two Gaussians on a line: the squares of the differences of means and of deviations."""
    one, other = Moments(np.array([1.0]), np.array([[4.0]])), Moments(np.array([4.0]), np.array([[25.0]]))
    assert frechet_distance(one, other) == pytest.approx(3**2 + (5 - 2) ** 2)


def test_independent_numbers_add_up():
    one = Moments(np.zeros(3), np.diag([1.0, 4.0, 0.0]))
    other = Moments(np.array([1.0, 0, 2]), np.diag([9.0, 4.0, 16.0]))
    assert frechet_distance(one, other) == pytest.approx(1 + 4 + 2**2 + 0 + 4**2)


@pytest.mark.parametrize("seed", range(5))
def test_the_formula_of_fid(seed):
    """tr(C1 + C2 - 2 sqrtm(C1 C2)), as FID's programs compute it."""
    random = np.random.default_rng(seed)
    one, other = random_moments(random, 6), random_moments(random, 6)
    root = sqrtm(one.covariance @ other.covariance).real
    expected = ((one.mean - other.mean) ** 2).sum() + np.trace(one.covariance + other.covariance - 2 * root)
    assert frechet_distance(one, other) == pytest.approx(expected)


@given(st.integers(0, 10_000), st.integers(1, 5))
def test_it_is_a_distance_that_no_rotation_changes(seed, rank):
    """Also where there are fewer directions than numbers."""
    random = np.random.default_rng(seed)
    one, other = random_moments(random, 5, rank), random_moments(random, 5)
    turned, _ = np.linalg.qr(random.normal(size=(5, 5)))
    distance = frechet_distance(one, other)
    assert frechet_distance(one, one) == pytest.approx(0, abs=1e-5)
    assert distance == pytest.approx(frechet_distance(other, one), abs=1e-5)
    assert distance >= ((one.mean - other.mean) ** 2).sum() - 1e-6
    rotated = (Moments(turned @ each.mean, turned @ each.covariance @ turned.T) for each in (one, other))
    assert frechet_distance(*rotated) == pytest.approx(distance, abs=1e-5)


def test_moments_by_hand():
    found = moments(np.array([[0.0, 1.0], [2.0, 5.0]]))
    assert found.mean.tolist() == [1, 3]
    assert found.covariance.tolist() == [[2, 4], [4, 8]]


def test_inception_scores_by_hand():
    sure = np.eye(4)
    assert inception_score(sure) == pytest.approx(4)
    assert inception_score(sure[[0, 0, 1, 1]]) == pytest.approx(2)
    assert inception_score(np.full((3, 4), 0.25)) == pytest.approx(1)
    mixed = np.array([[0.75, 0.25], [0.25, 0.75]])
    assert inception_score(mixed) == pytest.approx(math.exp(0.75 * math.log(1.5) + 0.25 * math.log(0.5)))


def test_images_are_measured_beside_others():
    """By the features of a network with random weights; from themselves they are at no distance."""
    torch.manual_seed(0)
    network, images = RecogniserNetwork(Recogniser(), 1, CLASSES).eval(), shapes()
    distance, score = measure(network, images.pixels, images.pixels)
    seen, other = (see(network, each.pixels) for each in (images, shapes(seed=1)))
    assert distance == pytest.approx(0, abs=1e-6)
    assert score == pytest.approx(inception_score(seen.probabilities))
    apart = measure(network, images.pixels, shapes(seed=1).pixels)[0]
    assert apart == pytest.approx(frechet_distance(moments(seen.features), moments(other.features)))


def test_a_recogniser_tells_classes_and_is_kept(tmp_path):
    folder, known, others = Folder(tmp_path), shapes(per_class=40), shapes(per_class=20, seed=1)
    short = Recogniser(steps=150)
    network = recogniser_of(known, folder, 3, unseen, short)
    assert accuracy(network, others) > 0.9

    seen, again = (see(each, others.pixels) for each in (network, recogniser_of(known, folder, 3, unseen, short)))
    assert seen.features.shape == (60, Recogniser().features)
    np.testing.assert_allclose(seen.probabilities.sum(1), np.ones(60))
    np.testing.assert_array_equal(seen.features, again.features)
    assert inception_score(seen.probabilities) == pytest.approx(CLASSES, abs=0.5)
    with pytest.raises(ExperimentRefused, match=r"made with another configuration \(images is"):
        recogniser_of(others, folder, 3, unseen, short)
