"""What the fidelity experiment measures, in worlds worked out by hand; and in short on the code that credits."""

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gmv.experiments.attributing import Nearest
from gmv.experiments.fidelity.asking import Answers, World, with_noise
from gmv.experiments.fidelity.changes import (
    class_value,
    of_class,
    quantised_of,
    value_change,
    values_of,
    weighted_of,
)
from gmv.experiments.fidelity.measures import (
    chance,
    class_credit,
    class_share_of,
    depth_of,
    moved,
    noise_auc,
    overlap,
    reranked_by_pixels,
    same_class,
    sharpness_of,
)
from gmv.experiments.fidelity.quantising import PQ_BYTES, product_quantised, through_codes, unquantised
from gmv.experiments.fidelity.spoiling import spoiled
from gmv.experiments.images import LabelledImages
from gmv.experiments.pixel_neighbours import nearest_by_pixels
from gmv.index.integer_recall import IntegerRecall
from gmv.index.opened import open_index
from gmv.index.refine import refine
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
SPOILED = Nearest(np.array([[1, 4], [4, 3]]), np.array([[0.0, math.log(3)], [0.0, math.log(3)]]))
"""Under noise, the first query finds its class for 3/4 and noise for 1/4, the second noise for 3/4."""

WAYS = {"none": Answers(EXACT, EXACT), "codes": Answers(RANKED, EXACT), "pq": Answers(RANKED, RANKED)}
WORLD = World(
    INDEXED,
    QUERIES,
    1.0,
    2,
    dict.fromkeys(COUNTS, RANKED),
    {10: RANKED},
    RANKED,
    EXACT,
    Nearest(np.array([[1, 2, -1], [1, 2, 3]]), np.zeros((2, 3))),
    WAYS,
    SPOILED,
    np.array([1.0, 0.5]),
)


def test_c1_by_hand():
    assert same_class(RANKED.rows, WORLD) == 0.5
    assert same_class(EXACT.rows, WORLD) == 0.75
    assert same_class(np.array([[1, -1], [2, -1]]), WORLD) == 1
    assert chance(WORLD) == pytest.approx(2 / 5)
    found = class_share_of([WORLD], 10)
    assert (found.recalled.mean, found.ranked.mean, found.exact.mean) == (0.5, 0.5, 0.75)


def test_the_nearest_by_pixels():
    assert nearest_by_pixels(WORLD.queries.pixels, WORLD.indexed.pixels, 3).tolist() == [[1, 0, 2], [2, 3, 1]]


def test_a_rerank_by_pixels_orders_candidates_and_takes_both_looks():
    assert reranked_by_pixels(WORLD, 2).tolist() == [[1, 2], [2, 3]]
    assert reranked_by_pixels(WORLD, 4).tolist() == [[1, 2, -1, -1], [2, 3, 1, -1]]
    assert class_share_of([WORLD], 10).by_pixels.mean == pytest.approx((1 + 2) / 5)
    sides = np.array([[9, 200], [200, 9]], np.uint8).reshape(2, 1, 2, 1)
    indexed = LabelledImages("sides", sides, np.array([0, 1]), 2)
    queries = LabelledImages("sides", sides[:1], np.array([0]), 2)
    mirrored = replace(WORLD, indexed=indexed, queries=queries, found=Nearest(np.array([[1, 0]]), np.zeros((1, 2))))
    assert reranked_by_pixels(mirrored, 1).tolist() == [[0]]  # both are as near, one of them mirrored


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


def test_c1_of_a_class_by_hand():
    """The second query's nearest are of classes 1 and 0, by all ways but pixels."""
    second = of_class([WORLD, WORLD], 1)
    assert second is not None
    assert (second.label, second.queries) == (1, 2)
    assert (second.share.ranked.mean, second.share.exact.mean) == (0.5, 0.5)
    assert second.share.chance.mean == pytest.approx(2 / 5)
    first = of_class([WORLD], 0)
    assert first is not None
    assert (first.share.ranked.mean, first.share.exact.mean) == (0.5, 1)
    assert of_class([WORLD], 2) is None


def test_what_quantisation_changes_by_hand():
    assert quantised_of([WORLD], "none").value_change.mean == 0
    codes, pq = quantised_of([WORLD], "codes"), quantised_of([WORLD], "pq")
    assert (codes.recalled.mean, codes.ranked.mean, codes.recall.mean, codes.value_change.mean) == (0.5, 0.75, 1, 0)
    # Rows 0, 1 and 2 are worth 1/3, 2/3 + 1/4 and 3/4; with PQ 0, 3/4 + 1/4 and 1/4 + 3/4; all of 2.
    assert pq.value_change.mean == pytest.approx((1 / 3 + 1 / 12 + 1 / 4) / 2 / 2)
    assert pq.recall.mean == 0.75


def test_what_the_quality_weight_changes_by_hand():
    plain, weighted = (weighted_of([WORLD], is_weighted) for is_weighted in (False, True))
    assert plain.class_share.mean == pytest.approx((3 / 4 + 1 / 4) / 2)
    assert weighted.class_share.mean == pytest.approx((3 / 4 + 1 / 8) / 1.5)
    assert class_value(WORLD, is_weighted=True) == weighted.class_share.mean
    assert plain.noise_share.mean == pytest.approx((1 / 4 + 3 / 4) / 2)
    assert weighted.noise_share.mean == pytest.approx((1 / 4 + 3 / 8) / 1.5)
    np.testing.assert_allclose(values_of(SPOILED, WORLD, WORLD.qualities), [0, 3 / 4, 0, 1 / 8, 1 / 4 + 3 / 8])
    # By RANKED, rows 1 and 2 have half of all value each.
    assert plain.value_change.mean == pytest.approx((1 / 8 + 1 / 2 + 1 / 8 + 1 / 2) / 2)


@given(st.lists(st.integers(0, 50), min_size=3, max_size=8).filter(any), st.integers(1, 9))
def test_value_that_only_grows_does_not_move_and_all_can(values, factor):
    worth = np.array(values, float)
    assert value_change(worth, factor * worth) == pytest.approx(0)
    assert value_change(np.append(worth, 0), np.append(0 * worth, factor)) == pytest.approx(1)


def test_pictures_are_spoiled_in_turn_and_quality_is_what_is_left():
    pixels = np.full((8, 16, 16, 1), 200, np.uint8)
    noisy, qualities = spoiled(pixels, np.random.default_rng(0))
    assert qualities.tolist() == [1, 0.75, 0.5, 0.25] * 2
    np.testing.assert_array_equal(noisy[::4], pixels[::4])
    for place, quality in enumerate(qualities):
        assert noisy[place].mean() == pytest.approx(200 * quality + 127.5 * (1 - quality), abs=8)


def test_product_quantisation_keeps_what_there_are_centroids_for():
    """Two kinds of vectors are told apart by one bit a part; of many random ones something is lost."""
    two = np.repeat(np.array([[-100], [90]], np.int8), 8 * PQ_BYTES, axis=1).repeat(2, 0)
    np.testing.assert_array_equal(through_codes(two), two)
    many = np.random.default_rng(0).integers(-127, 128, (600, 8 * PQ_BYTES)).astype(np.int8)
    left = through_codes(many)
    assert left.dtype == np.int8
    assert 0 < ((left.astype(float) - many) ** 2).mean() < (many.astype(float) ** 2).mean()
    assert len(np.unique(left[:, :8], axis=0)) <= 256


@pytest.fixture(scope="module")
def told_of(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], Path]:
    """What the command tells of shapes, and the folder that it made."""
    place = tmp_path_factory.mktemp("fidelity")
    parquet = write_parquet(shapes(), place / "shapes.parquet")
    done = run("fidelity", parquet, place / "out", "--seeds", "0,1", "--queries", "6", "--json", training=())
    assert done.returncode == 0, done.stderr
    return orjson.loads(done.stdout), place / "out" / "shapes"


@pytest.mark.slow
def test_an_index_that_is_not_quantised_recalls_by_its_vectors(told_of):
    """Against all pairs of a row and a look, in order of their distances."""
    index = open_index(told_of[1] / "fidelity-0" / "index", verify=False)
    assert index.mirror is not None
    asked = index.encoder.encode([shapes(1, seed=5).pixels[0].repeat(3, 2)]).vectors.astype(np.int8)
    looks = np.stack([asked[0], index.mirror.vector_mirror.apply(asked[0])])
    rows, mirrored = np.tile(np.arange(40), 2), np.repeat([False, True], 40)
    for other in (unquantised(index), product_quantised(index)):
        assert isinstance(other.recall, IntegerRecall)
        apart = np.empty(80)
        refine(other.recall.vectors, looks, rows, mirrored, index.mirror.vector_places, apart)
        (found,) = other.recall.recall_looks(asked, 12)
        nearest = np.lexsort((rows, mirrored, apart))[:12]
        assert set(found.rows.tolist()) == set(rows[nearest][~mirrored[nearest]].tolist())
        assert set(found.mirrored_rows.tolist()) == set(rows[nearest][mirrored[nearest]].tolist())


def test_noise_is_put_after_the_images():
    images = shapes()
    noisy = with_noise(images, np.random.default_rng(0))
    np.testing.assert_array_equal(noisy.pixels[:60], images.pixels)
    assert noisy.labels[60:].tolist() == [-1] * 6


@pytest.mark.slow
def test_the_command_measures_an_index_of_two_parts_and_noise(told_of):
    told, folder = told_of
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
    assert [each["way"] for each in told["quantised"]] == ["none", "codes", "pq"]
    assert told["quantised"][0]["value_change"]["mean"] == 0
    assert told["quantised"][1]["ranked"] == told["class_shares"][1]["ranked"]
    assert [each["is_weighted"] for each in told["weighted"]] == [False, True]
    assert sum(each["queries"] for each in told["classes"]) == 12
    assert orjson.loads((folder / "fidelity.json").read_bytes()) == told
