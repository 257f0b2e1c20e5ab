"""Owners' values and credits: dividing, the fast generator and what it is worth, in worlds worked out by hand."""

from dataclasses import replace
from itertools import chain

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gmv.errors import ExperimentRefused
from gmv.experiments.games import shapley_values
from gmv.experiments.images import LabelledImages
from gmv.experiments.owners.baselines import images_of_owners, pixel_hits
from gmv.experiments.owners.comparing import agreement, rank_correlations, values_of
from gmv.experiments.owners.components import principal_components
from gmv.experiments.owners.crediting import hits_of
from gmv.experiments.owners.dividing import DIVISIONS, Division, divide
from gmv.experiments.owners.gaussians import PRIOR_IMAGES, learn
from gmv.experiments.owners.retraining import members_of, utilities_of_subsets
from gmv.experiments.owners.worth import Worth, draw_after_training, noise_of
from gmv.experiments.quality.recogniser import Recogniser, RecogniserNetwork
from gmv.valuation.types import Attribution, Contributor
from tests.experiments.world import CLASSES, shapes

IMAGES = shapes()


@pytest.mark.parametrize("name", [name for name in DIVISIONS if name not in {"spoiled", "styles"}])
@given(owners=st.integers(2, CLASSES), seed=st.integers(0, 100))
def test_each_image_has_an_owner_and_stays_as_it_is(name, owners, seed):
    division = divide(name, IMAGES, owners, seed)
    assert len(division.holdings) == owners
    assert set(division.owner_of.tolist()) == set(range(owners))
    left_out = len(IMAGES) % owners if name == "equal" else 0
    assert len(division.images) == len(division.owner_of) == len(IMAGES) - left_out
    if not left_out:
        np.testing.assert_array_equal(division.images.pixels, IMAGES.pixels)
    np.testing.assert_array_equal(division.owner_of, divide(name, IMAGES, owners, seed).owner_of)


def test_sizes_grow_evenly():
    assert np.bincount(divide("sizes", IMAGES, 3, 0).owner_of).tolist() == [10, 20, 30]
    assert np.bincount(divide("equal", IMAGES, 4, 0).owner_of).tolist() == [15] * 4
    assert np.bincount(divide("equal", IMAGES, 7, 0).owner_of).tolist() == [8] * 7


def test_an_owner_has_a_class_or_several():
    assert divide("classes", IMAGES, 2, 0).owner_of.tolist() == [0] * 20 + [1] * 20 + [0] * 20
    assert divide("classes", IMAGES, 2, 0).holdings == ("class 0 and class 2", "class 1")


def test_images_of_one_style_come_together():
    """Dark and bright images of two classes: owners have what differs alike, not a class."""
    random = np.random.default_rng(0)
    is_bright, labels = np.arange(40) % 2 == 0, np.arange(40) // 20
    pixels = random.integers(0, 10, (40, 4, 4, 1)) + 100 * is_bright.reshape(-1, 1, 1, 1)
    pixels[:, 0] += 100 * labels.reshape(-1, 1, 1)
    images = LabelledImages("styles", pixels.astype(np.uint8), labels, 2)
    owner_of = divide("styles", images, 2, 0).owner_of
    assert set(owner_of[is_bright].tolist()) ^ set(owner_of[~is_bright].tolist()) == {0, 1}


def test_the_last_four_owners_are_spoiled():
    division = divide("spoiled", IMAGES, 6, 0)
    changed = [(division.images.pixels != IMAGES.pixels)[division.owner_of == owner].any() for owner in range(6)]
    relabelled = [(division.images.labels != IMAGES.labels)[division.owner_of == owner] for owner in range(6)]
    assert changed == [False, False, True, False, True, True]
    assert relabelled[3].all()
    assert not np.concatenate([relabelled[owner] for owner in (0, 1, 2, 4)]).any()
    originals, copies = (division.images.pixels[division.owner_of == owner] for owner in (0, 5))
    np.testing.assert_array_equal(copies, originals)


@pytest.mark.parametrize(
    ("name", "owners", "sentence"),
    [
        ("writers", 3, "no division 'writers' .*; there are equal, sizes, classes, styles, spoiled"),
        ("classes", 4, "3 classes cannot be divided among 4 owners; give --owners 3"),
        ("spoiled", 4, "4 owners are too few; give --owners 5 or more"),
        ("sizes", 12, "one of 12 owners has 1; each needs 2"),
    ],
)
def test_a_division_that_does_not_fit_is_refused(name, owners, sentence):
    with pytest.raises(ExperimentRefused, match=sentence):
        divide(name, IMAGES, owners, 0)


def test_components_hold_images_that_vary_in_as_many_ways():
    found = principal_components(IMAGES.pixels, 64)
    np.testing.assert_array_equal(found.pixels(found.latents(IMAGES.pixels)), IMAGES.pixels)
    np.testing.assert_allclose(np.cov(found.latents(IMAGES.pixels).T), np.eye(len(found.deviations)), atol=1e-9)
    assert len(principal_components(IMAGES.pixels, 5).deviations) == 5
    assert len(principal_components(IMAGES.pixels[:4], 64).deviations) == 3


def test_a_gaussian_by_hand():
    """Two images of class 0 at -1 and 1, one of class 2 at 5: S is 2 and 0."""
    learnt = learn(np.array([[-1.0], [1.0], [5.0]]), np.array([0, 0, 2]), 3)
    shared = (2 + PRIOR_IMAGES) / (3 + PRIOR_IMAGES)
    assert learnt.means[[0, 2], 0].tolist() == [0, 5]
    assert learnt.is_known.tolist() == [True, False, True]
    variances = learnt.factors[:, 0, 0] ** 2
    assert variances[0] == pytest.approx((2 + PRIOR_IMAGES * shared) / (2 + PRIOR_IMAGES))
    assert variances[2] == pytest.approx(PRIOR_IMAGES * shared / (1 + PRIOR_IMAGES))
    drawn = learnt.draw(np.array([2, 0]), np.array([[2.0], [-1.0]]))
    assert drawn[:, 0].tolist() == pytest.approx([5 + 2 * variances[2] ** 0.5, -(variances[0] ** 0.5)])


def test_many_images_give_their_own_moments():
    random = np.random.default_rng(0)
    spread = np.array([[1.0, 0.0], [0.8, 0.3]])
    latents = random.standard_normal((50_000, 2)) @ spread.T + [1, 2]
    learnt = learn(latents, np.zeros(50_000, np.int64), 1)
    drawn = learnt.draw(np.zeros(50_000, np.int64), random.standard_normal((50_000, 2)))
    np.testing.assert_allclose(np.cov(drawn.T), spread @ spread.T, atol=0.02)
    np.testing.assert_allclose(drawn.mean(0), [1, 2], atol=0.02)


def test_what_was_never_seen_is_not_drawn():
    components = principal_components(IMAGES.pixels, 8)
    noise = noise_of(components, 12, 0, 0)

    def drawn(labels):
        some = IMAGES.take(np.flatnonzero(np.isin(IMAGES.labels, labels)))
        return draw_after_training(some, components.latents(some.pixels), components, noise)

    assert drawn([0, 1, 2]).labels.tolist() == [0, 1, 2] * 4
    assert drawn([2]).labels.tolist() == [2] * 4
    np.testing.assert_array_equal(drawn([]).pixels, noise.pixels)


def test_all_owners_are_worth_more_than_noise_is():
    division = divide("equal", IMAGES, 3, 0)
    held_out = (shapes(seed=1), shapes(seed=2))
    network = RecogniserNetwork(Recogniser(), 1, CLASSES).eval()
    worth = Worth(division, held_out, principal_components(IMAGES.pixels, 16), network, 60, 0)
    nobody, everybody = worth.of(np.array([], np.int64)), worth.of(np.arange(3))
    assert (everybody > nobody).all()
    assert (worth.of_images() > nobody).all()
    np.testing.assert_array_equal(everybody, worth.of(np.arange(3)))


STAMP = {"owners": 3}
SUMS = np.array([1.0, 10.0, 100.0])


def test_every_subset_is_asked_once_and_kept(tmp_path):
    asked: list[list[int]] = []
    steps: list[int] = []

    def worth(members):
        asked.append(members.tolist())
        return np.array([SUMS[members].sum(), 0.0])

    found = utilities_of_subsets(worth, 3, tmp_path / "kept", STAMP, steps.append)
    assert asked == [[], [0], [1], [0, 1], [2], [0, 2], [1, 2], [0, 1, 2]]
    assert shapley_values(found.utilities[0]).tolist() == pytest.approx(SUMS)
    again = utilities_of_subsets(worth, 3, tmp_path / "kept", STAMP, steps.append)
    assert len(asked) == 8
    assert steps == [1] * 8 + [8]
    np.testing.assert_array_equal(again.utilities, found.utilities)
    assert again.seconds == found.seconds


def test_what_was_stored_before_a_kill_is_used(tmp_path):
    asked: list[np.ndarray] = []

    def killed(members):
        if len(asked) == 300:
            raise KeyboardInterrupt
        asked.append(members)
        return np.full(2, float(len(members)))

    with pytest.raises(KeyboardInterrupt):
        utilities_of_subsets(killed, 9, tmp_path / "kept", STAMP, lambda _: None)
    asked.clear()
    found = utilities_of_subsets(killed, 9, tmp_path / "kept", STAMP, lambda _: None)
    assert len(asked) == 512 - 256
    assert found.utilities[1].tolist() == [len(members_of(subset, 9)) for subset in range(512)]


@pytest.mark.parametrize("figure", [np.nan, np.inf])
def test_a_training_that_diverged_is_refused(figure, tmp_path):
    def worth(members):
        return np.array([0.0, figure if members.tolist() == [0, 1] else 1.0])

    with pytest.raises(ExperimentRefused, match=r"generator of owners 0, 1 is worth (nan|0\.0): .*diverged"):
        utilities_of_subsets(worth, 2, tmp_path / "kept", STAMP, lambda _: None)


def test_rank_correlations_by_hand():
    """One pair of six is the other way round: tau (5 - 1) / 6, and rho 1 - 6 * 2 / (4 * 15)."""
    assert rank_correlations(np.array([1.0, 2, 3, 4]), np.array([1.0, 2, 9, 5])) == pytest.approx((0.8, 4 / 6))
    assert rank_correlations(np.ones(4), np.arange(4.0)) == (0, 0)


def test_credits_like_the_values_of_an_additive_game_agree_and_opposite_ones_do_not():
    subsets = np.arange(8)
    utilities = sum((subsets >> owner & 1) * each for owner, each in enumerate(SUMS))
    values = values_of(utilities)
    found = agreement("credits", [SUMS, SUMS * 2], [values, values])
    opposite = agreement("credits", [-SUMS], [values])
    for concept in ("shapley", "banzhaf", "leave_one_out"):
        for rank in ("spearman", "kendall"):
            assert getattr(getattr(found, concept), rank).mean == pytest.approx(1)
            assert getattr(getattr(opposite, concept), rank).mean == pytest.approx(-1)


def test_simpler_measures_by_hand():
    pixels = np.array([0, 10, 100, 200], np.uint8).reshape(4, 1, 1, 1)
    division = Division(LabelledImages("tiny", pixels, np.zeros(4, np.int64), 1), np.array([0, 2, 2, 2]), ("",) * 3)
    assert images_of_owners(division).tolist() == [1, 0, 3]
    assert pixel_hits(division, np.array([4, 190], np.uint8).reshape(2, 1, 1, 1), 2).tolist() == [1, 0, 3]


def test_hits_are_counted_by_owner():
    events = [["a", "b", "a"], ["b"], []]
    names = iter(map(str, range(10)))
    contributors = [
        Attribution(tuple(Contributor(next(names), owner, 0.1, 0.3, 1.0, 5) for owner in each), 1.0, 1.0, 5 * len(each))
        for each in events
    ]
    assert hits_of(contributors) == {owner: [*chain(*events)].count(owner) for owner in ("a", "b")}


def test_divisions_are_told_apart():
    one, other = divide("equal", IMAGES, 3, 0), divide("equal", IMAGES, 3, 1)
    assert one.stamp() != other.stamp()
    assert one.stamp() == replace(one).stamp()
