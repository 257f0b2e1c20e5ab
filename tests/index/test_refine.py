"""Pairs of row and look compared place by place, against Python's own numbers, to the bit."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from gmv.encoders.mirror import mirror_of_grid
from gmv.index.integer_recall import IntegerRecall
from gmv.index.look_layout import PLACE_SIZE_MAX
from gmv.index.refine import refine
from gmv.indexing.coding import fit_coder
from tests.index.relaxed import relaxed_apart
from tests.instruction_sets import assert_same_bytes


def refined(
    vectors: NDArray[np.int8], looks: NDArray[np.int8], rows: list[int], mirrored: list[bool], places: int
) -> list[float]:
    apart = np.empty(len(rows))
    vectors.flags.writeable = False
    refine(vectors, looks, np.array(rows, np.int64), np.array(mirrored, np.bool_), places, apart)
    return [float(each) for each in apart]


@settings(max_examples=60, deadline=None)
@given(
    side=st.integers(1, 6),
    size=st.integers(1, 9) | st.sampled_from([31, 62, 63, 64, 65, 128, 130]),
    numbers=st.sampled_from([(-128, 128), (-127, 128), (-2, 3), (127, 128), (-128, -127)]),
    seed=st.integers(0, 2**32 - 1),
)
def test_it_is_what_its_definition_says(side: int, size: int, numbers: tuple[int, int], seed: int) -> None:
    """Grids that fill no register, one or several; places of more numbers than one, and of fewer."""
    draw = np.random.default_rng(seed)
    vectors, looks = (draw.integers(*numbers, (count, side * side * size)).astype(np.int8) for count in (5, 2))
    rows, mirrored = draw.integers(0, 5, 9).tolist(), draw.integers(0, 2, 9).astype(bool).tolist()

    assert refined(vectors, looks, rows, mirrored, side * side) == [
        relaxed_apart(vectors[row], looks[int(turned)], side) for row, turned in zip(rows, mirrored, strict=True)
    ]


@pytest.mark.parametrize(("ours", "theirs"), [(-128, 127), (127, -128), (-128, -128), (127, 127), (0, -128)])
@pytest.mark.parametrize(("side", "size"), [(4, 64), (5, 17), (1, PLACE_SIZE_MAX), (2, PLACE_SIZE_MAX)])
def test_the_greatest_numbers_do_not_overflow(side: int, size: int, ours: int, theirs: int) -> None:
    vectors = np.full((2, side * side * size), ours, np.int8)
    looks = np.full((2, side * side * size), theirs, np.int8)

    assert (
        refined(vectors, looks, [0, 1], [False, True], side * side) == [relaxed_apart(vectors[0], looks[0], side)] * 2
    )


@pytest.mark.parametrize(("down", "right"), [(0, 1), (1, 0), (0, -1), (-1, 0)])
def test_what_moved_by_one_place_is_near_and_what_left_at_one_side_is_not_at_the_other(down: int, right: int) -> None:
    content = np.random.default_rng(5).integers(-127, 128, (4, 4, 64)).astype(np.int8)
    moved = np.roll(content, (down, right), (0, 1))
    vectors, looks = content.reshape(1, -1).copy(), np.stack([moved.ravel()] * 2)

    (apart,) = refined(vectors, looks, [0], [False], 16)
    assert apart == relaxed_apart(vectors[0], looks[0], 4)
    assert apart > 24 * np.sqrt(40.0) + 8 * np.sqrt(300.0)  # the four that came round to the other side are strangers


def test_no_pairs_are_none() -> None:
    assert refined(np.zeros((1, 1024), np.int8), np.zeros((2, 1024), np.int8), [], [], 16) == []


BYTES = """
import numpy as np
from gmv.index.refine import refine
draw = np.random.default_rng(1)
for places, size in ((16, 64), (9, 20), (25, 70)):
    vectors = draw.integers(-128, 128, (300, places * size)).astype(np.int8)
    looks = vectors[:2] // 2
    vectors.flags.writeable = False
    apart = np.empty(300)
    refine(vectors, looks, draw.permutation(300), draw.integers(0, 2, 300) > 0, places, apart)
    print(apart.tobytes().hex())
"""


def test_it_is_the_same_on_every_processor() -> None:
    assert_same_bytes(BYTES)


@pytest.mark.parametrize(("places", "size"), [(3, 8), (0, 8), (16, 1), (4, PLACE_SIZE_MAX + 2)])
def test_vectors_that_are_not_of_so_many_places_are_refused(places: int, size: int) -> None:
    signs = np.ones(size, np.int8)
    vectors = np.ones((3, 4 * size), np.int8)
    with pytest.raises(ValueError, match="place"):
        IntegerRecall(None, vectors, vectors, mirror_of_grid(2, signs), places)  # type: ignore[arg-type]


@pytest.mark.parametrize("candidates", [1, 2, 3, 7, 39, 40, 41])
def test_equal_pairs_at_the_last_place_are_taken_by_look_and_row(candidates: int) -> None:
    """All 20 rows are one image, which equals its mirrored look: 40 pairs at one distance, and none is left out."""
    mirror = mirror_of_grid(2, np.ones(8, np.int8))
    vectors = np.tile(np.random.default_rng(2).integers(-99, 99, 8).astype(np.int8), (20, 4))
    coder = fit_coder(np.vstack([vectors, vectors[:1] // 2]), mirror, seed=0)
    recall = IntegerRecall(coder, coder.codes(vectors), vectors, mirror, 4)

    (found,) = recall.recall_looks(vectors[:1], candidates)
    assert found.rows.tolist() == list(range(min(candidates, 20)))
    assert found.mirrored_rows.tolist() == list(range(min(candidates, 40) - len(found.rows)))
