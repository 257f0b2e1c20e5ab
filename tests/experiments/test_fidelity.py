"""What the fidelity experiment measures, in worlds worked out by hand; and in short on the code that credits."""

import math

import numpy as np
import orjson
import pytest

from gmv.experiments.attributing import Nearest
from gmv.experiments.fidelity.asking import World, with_noise
from gmv.experiments.fidelity.measures import (
    chance,
    class_credit,
    class_share_of,
    depth_of,
    moved,
    nearest_by_pixels,
    noise_auc,
    overlap,
    same_class,
    sharpness_of,
)
from gmv.experiments.images import LabelledImages
from tests.experiments.test_command import run
from tests.experiments.world import shapes, write_parquet

INDEXED = LabelledImages(
    "tiny", np.array([0, 10, 100, 110, 255], np.uint8).reshape(5, 1, 1, 1), np.array([0, 0, 1, 1, -1]), 2
)
QUERIES = LabelledImages("tiny", np.array([9, 90], np.uint8).reshape(2, 1, 1, 1), np.array([0, 1]), 2)
RANKED = Nearest(np.array([[1, 2], [2, 1]]), np.array([[0.0, math.log(3)], [1.0, 1.0 + math.log(3)]]))
"""Each query's nearest is of its class, and earns 3/4; the other is not."""

EXACT = Nearest(np.array([[1, 0], [2, 1]]), np.array([[0.0, math.log(2)], [1.0, 1.0 + math.log(3)]]))
"""Of the first query, a nearer one of its class had not been recalled: 2/3 and 1/3."""

COUNTS = (5, 10, 30, 50)
WORLD = World(INDEXED, QUERIES, 1.0, 2, dict.fromkeys(COUNTS, RANKED), {10: RANKED}, RANKED, EXACT)


def test_c1_by_hand():
    assert same_class(RANKED.rows, WORLD) == 0.5
    assert same_class(EXACT.rows, WORLD) == 0.75
    assert same_class(np.array([[1, -1], [2, -1]]), WORLD) == 1
    assert chance(WORLD) == pytest.approx(2 / 5)
    found = class_share_of([WORLD], 10)
    assert (found.recalled.mean, found.ranked.mean, found.exact.mean) == (0.5, 0.5, 0.75)


def test_the_nearest_by_pixels():
    assert nearest_by_pixels(WORLD, 3).tolist() == [[1, 0, 2], [2, 3, 1]]


def test_what_fewer_candidates_miss():
    assert overlap(RANKED.rows, EXACT.rows) == pytest.approx((0.5 + 1) / 2)
    # First query: 3/4 and 1/4 against 2/3 and 1/3, of which row 2's quarter went elsewhere, and 1/12 of row 1's.
    assert moved(RANKED, EXACT, 1.0) == pytest.approx((1 / 12 + 1 / 4 + 1 / 3) / 2 / 2)
    assert moved(EXACT, EXACT, 1.0) == 0
    found = depth_of([WORLD], 10)
    assert (found.recall.mean, found.moved.mean) == pytest.approx((0.75, 1 / 6))


def test_temperatures_by_hand():
    found = sharpness_of([WORLD], None)
    entropy = -(0.75 * math.log(0.75) + 0.25 * math.log(0.25))
    assert found.temperature == 1
    assert found.effective_contributors.mean == pytest.approx(math.exp(entropy))
    assert found.class_share.mean == pytest.approx(0.75)
    assert class_credit([{1: 0.6, 2: 0.4}, {4: 1.0}], WORLD) == pytest.approx(0.3)
    assert sharpness_of([WORLD], 0.5).class_share.mean == pytest.approx(0.9)


def test_noise_is_worth_less_by_hand():
    """Rows 0 and 3 are worth as little as the one of noise, rows 1 and 2 more."""
    assert noise_auc(np.array([0.0, 2.0, 1.0, 0.0, 0.0]), WORLD) == pytest.approx((2 + 2 / 2) / 4)
    assert noise_auc(np.array([0.0, 0.0, 0.0, 0.0, 5.0]), WORLD) == 0


def test_noise_is_put_after_the_images():
    images = shapes()
    noisy = with_noise(images, np.random.default_rng(0))
    np.testing.assert_array_equal(noisy.pixels[:60], images.pixels)
    assert noisy.labels[60:].tolist() == [-1] * 6


@pytest.mark.slow
def test_the_command_measures_an_index_of_two_parts_and_noise(tmp_path):
    parquet = write_parquet(shapes(), tmp_path / "shapes.parquet")
    arguments = ("--seeds", "0,1", "--queries", "6", "--json")
    done = run("fidelity", parquet, tmp_path / "out", *arguments, training=())
    assert done.returncode == 0, done.stderr
    told = orjson.loads(done.stdout)

    assert (told["queries"], told["indexed"], told["noise"], told["seeds"]) == (6, 40, 4, [0, 1])
    assert [each["contributors"] for each in told["class_shares"]] == [5, 10, 30, 50]
    every = told["class_shares"][-1]  # 40 images are all there are: in any order, a class has 12 of 40
    for way in ("exact", "pixels", "chance"):
        assert every[way]["mean"] == pytest.approx(12 / 40), way
    deepest = told["depths"][-1]  # 200 pairs of an image and a look are more than there are
    assert (deepest["recall"]["mean"], deepest["moved"]["mean"]) == (1, 0)
    assert told["sharpness"][-1]["temperature"] == pytest.approx(told["temperature"]["mean"])
    flat, sharp = (told["sharpness"][place]["effective_contributors"]["mean"] for place in (0, 4))
    assert 1 <= sharp < flat <= 10
    assert orjson.loads((tmp_path / "out" / "shapes" / "fidelity.json").read_bytes()) == told
