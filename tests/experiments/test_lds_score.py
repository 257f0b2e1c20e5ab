"""The linear datamodelling score where it is known: additive losses, a world by hand, and what cannot matter."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from gmv.experiments.lds.judging import Judged, agreement, result_of
from gmv.experiments.lds.methods import Method
from gmv.experiments.lds.score import RESAMPLES, datamodelling_scores, mean_score, rank_correlations
from gmv.experiments.lds.subsets import random_halves_by_class
from gmv.experiments.report.sections import section_of
from gmv.experiments.report.writing import as_markdown

SUBSETS, IMAGES, DRAWN = 64, 60, 100
LABELS = np.arange(IMAGES) % 3


def additive(seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Masks, losses from which each image of a subset takes its coefficient, and the coefficients."""
    random = np.random.default_rng(seed)
    masks = random_halves_by_class(LABELS, SUBSETS, seed)
    coefficients = random.normal(size=(DRAWN, IMAGES))
    return masks, 7 - masks @ coefficients.T, coefficients


def test_true_coefficients_of_an_additive_loss_have_the_score_1():
    masks, losses, coefficients = additive()
    np.testing.assert_allclose(datamodelling_scores(masks, losses, coefficients), 1)


def test_negated_coefficients_have_the_score_minus_1():
    masks, losses, coefficients = additive()
    np.testing.assert_allclose(datamodelling_scores(masks, losses, -coefficients), -1)


def test_random_scores_are_near_0():
    """Coefficients of 60 images, less the means of 3 classes, correlate by 1 / sqrt(57); and there are 64 subsets."""
    masks, losses, _ = additive()
    by_image = datamodelling_scores(masks, losses, np.random.default_rng(5).normal(size=(DRAWN, IMAGES)))
    deviation = np.sqrt(1 / 57 + 1 / 63)
    assert abs(by_image.mean()) < 4 * deviation / np.sqrt(DRAWN)
    assert by_image.std() == pytest.approx(deviation, rel=0.25)


def test_noise_in_losses_costs_what_it_costs_a_correlation():
    """Coefficients of variance 1, summed over halves, and noise as large: a correlation of 1 / sqrt(2)."""
    masks, losses, coefficients = additive()
    noisy = losses + losses.std(0) * np.random.default_rng(1).normal(size=losses.shape)
    spearman = 6 / np.pi * np.arcsin(np.sqrt(1 / 2) / 2)  # of two normal numbers with that correlation
    assert datamodelling_scores(masks, noisy, coefficients).mean() == pytest.approx(spearman, abs=0.04)


def test_a_world_worked_out_by_hand():
    """The first scores order three of four subsets; the second say the same of all."""
    masks = np.array([[1, 1, 0], [1, 0, 1], [0, 1, 1], [1, 0, 0]], np.bool_)
    losses = np.array([[1.0, 1.0], [2.0, 2.0], [3.0, 3.0], [2.5, 4.0]])
    scores = np.array([[3.0, 2.0, 1.0], [0.0, 0.0, 0.0]])  # sums 5, 4, 3, 3; losses taken off rank 4, 3, 1, 2
    expected = np.corrcoef([4, 3, 1.5, 1.5], [4, 3, 1, 2])[0, 1]
    assert datamodelling_scores(masks, losses, scores).tolist() == pytest.approx([expected, 0])


@given(st.integers(0, 1_000), st.floats(0.01, 100), st.floats(-100, 100))
def test_what_orders_nothing_changes_nothing(seed, factor, constant):
    """Halves are of one size, so a constant says nothing of them; and only the order of losses counts."""
    masks, losses, _ = additive(seed % 7)
    scores = np.random.default_rng(seed).normal(size=(5, IMAGES))
    as_they_are = datamodelling_scores(masks, losses[:, :5], scores)
    np.testing.assert_allclose(datamodelling_scores(masks, np.exp(losses[:, :5]), scores), as_they_are)
    np.testing.assert_allclose(datamodelling_scores(masks, losses[:, :5], factor * scores + constant), as_they_are)


@pytest.mark.parametrize("constant", [0.1, 1 / 3, 1e6])
def test_equal_scores_say_nothing_of_halves(constant):
    """Though their sums, added up in another order, differ in the last bits."""
    masks, losses, _ = additive()
    assert not datamodelling_scores(masks, losses, np.full((DRAWN, IMAGES), constant)).any()


@given(st.integers(0, 1_000))
def test_rank_correlations_are_those_of_scipy(seed):
    random = np.random.default_rng(seed)
    one, other = random.integers(0, 6, (2, 3, 12)).astype(float)
    found = rank_correlations(one, other)
    for place in range(3):
        if np.ptp(one[place]) and np.ptp(other[place]):
            assert found[place] == pytest.approx(stats.spearmanr(one[place], other[place]).statistic)


def test_an_interval_is_that_of_a_mean():
    by_image = np.random.default_rng(0).normal(0.3, 1, 400)
    found = mean_score(by_image, 3)
    assert found.seed == 3
    assert found.mean == pytest.approx(by_image.mean())
    half = 1.96 * by_image.std() / np.sqrt(400)
    assert (found.low, found.high) == pytest.approx((found.mean - half, found.mean + half), abs=0.15 * half)
    assert mean_score(by_image, 3) == found
    assert mean_score(np.full(9, 0.5), 0).low == mean_score(np.full(9, 0.5), 0).high == 0.5
    assert RESAMPLES >= 1_000  # fewer leave the ends of an interval to chance


def test_halves_are_of_each_class_half():
    labels = np.repeat([0, 1, 2], [10, 7, 4])
    masks = random_halves_by_class(labels, 200, 1)
    assert {tuple(np.bincount(labels[mask])) for mask in masks} == {(5, 3, 2)}
    assert masks.mean(0) == pytest.approx(np.repeat([1 / 2, 3 / 7, 1 / 2], [10, 7, 4]), abs=0.15)
    np.testing.assert_array_equal(masks, random_halves_by_class(labels, 200, 1))
    assert (masks != random_halves_by_class(labels, 200, 2)).any()


def test_trainings_that_order_halves_alike_agree():
    losses = np.random.default_rng(0).normal(size=(1, 12, 3))
    twice = np.concatenate([losses, losses * 2 + 1])
    assert agreement(losses) is None
    assert agreement(twice) == pytest.approx(1)
    assert agreement(np.concatenate([twice, -losses])) == pytest.approx((1 - 1 - 1) / 3)


def test_a_result_is_of_the_mean_losses_of_all_trainings():
    """Each training alone has noise that the other takes back."""
    masks, losses, coefficients = additive()
    noise = np.random.default_rng(2).normal(size=losses.shape)
    told = result_of(
        [
            Judged(seed, masks, np.stack([losses + noise, losses - noise]), [Method("true", "all", coefficients)])
            for seed in (4, 5)
        ],
        "gmv experiment lds",
        "made",
        2,
        "id",
        0.1,
    )
    (method,) = told.methods
    assert (told.images, told.drawn, told.subsets, told.trainings) == (IMAGES, DRAWN, SUBSETS, 2)
    assert [each.seed for each in method.seeds] == [4, 5]
    assert method.score.mean == pytest.approx(1)
    assert told.agreement is not None
    assert 0.5 < told.agreement.mean < 1
    document = as_markdown([section_of(told)])
    assert "| true | all | 1.000 (1.000 to 1.000) | 1.000 (1.000 to 1.000) | 1.000 (1.000 to 1.000) |" in document
    assert "| D-TRAK, gradients of the output's square | 0.191 to 0.260 | D-TRAK, arXiv:2311.00500 |" in document
