"""What a build measures of evidence, against sorted distances on a line."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from gmv.encoders.flatness import tokens_alike
from gmv.index.evidence import MeasuredEvidence
from gmv.index.groups import GroupOfRow
from gmv.index.past_copies import RecallPastCopies
from gmv.indexing.calibration import Query
from gmv.indexing.evidence import Made, Ranked, measure_evidence
from gmv.valuation.copies import OnePlacePerGroup
from gmv.valuation.evidence import RANK, p_value, ratio
from gmv.valuation.wasserstein.rerank import ExactReranker
from tests.indexing.test_temperature import Everything

NOTHING = Made([], [])


@contextmanager
def silent(_description: str, _total: int | None, _unit: str) -> Iterator[Callable[[int], None]]:
    yield lambda _steps: None


def line_of(count: int, seed: int = 1) -> NDArray[np.float32]:
    return np.random.default_rng(seed).permutation(8 * count)[:count].astype(np.float32)


def measured(
    line: NDArray[np.float32], made: Made = NOTHING, seed: int = 0, group_of: GroupOfRow | None = None
) -> MeasuredEvidence:
    """Images on a line, of one token each, so W1 is the distance of their places."""
    tokens = line.reshape(-1, 1, 1)
    groups = np.arange(len(line), dtype=np.int32) if group_of is None else group_of
    ranked = Ranked(Everything(line), OnePlacePerGroup(ExactReranker(tokens), groups), len(line), groups)
    names = [f"i{row}" for row in range(len(line))]
    return measure_evidence(ranked, line.reshape(-1, 1), tokens, 0, None, names, made, seed, silent)


def by_hand(line: NDArray[np.float32]) -> list[float]:
    """The ratio of each image among all others."""
    found = []
    for row, own in enumerate(line):
        others = sorted(abs(float(other) - float(own)) for at, other in enumerate(line) if at != row)
        found.append(ratio(others))
    return found


@given(st.lists(st.integers(0, 500), min_size=2, max_size=30))
def test_of_a_small_corpus_every_image_is_left_out_once(places: list[int]) -> None:
    line = np.array(places, np.float32)
    found = measured(line)
    assert list(found.ratios) == sorted(by_hand(line))
    assert (found.images, found.queries_without_source) == (len(places), 0)
    assert {each.without_source for each in found.errors} == {None}


@pytest.mark.parametrize(("images", "enough"), [(60, 219), (199, 219), (200, 219), (399, 419), (599, 619), (618, 619)])
def test_where_few_are_left_to_be_paid_without_a_source_it_is_said_how_many_images_it_takes(
    images: int, enough: int
) -> None:
    line = line_of(images)
    copies = [Query(np.array([place]), np.array([[place]], np.float32)) for place in line[:20]]
    found = measured(line, Made(copies, []))
    assert found.sentence(found.errors[1]) == (
        "misses 0.0% of 20 altered copies; how often it pays without a source is not measured: too few images, "
        f"it takes {enough}, and 2,499 for 500 such images"
    )
    larger = measured(line_of(enough))
    assert "images without a source" in larger.sentence(larger.errors[1])
    assert "not measured" not in larger.sentence(larger.errors[1])


def test_near_copies_are_left_out_with_an_image_and_have_one_place_among_the_others() -> None:
    """Sixty images, ten of which have nine copies each: ratios are those of the sixty alone, of these ten ten times."""
    line = line_of(60) * 8
    copied = np.repeat(line[:10], 9) + np.tile(np.arange(1, 10, dtype=np.float32) / 64, 10)
    everything = np.concatenate([line, copied])
    group_of = np.concatenate([np.arange(60), np.repeat(np.arange(10), 9)]).astype(np.int32)
    alone = by_hand(line)
    expected = sorted(alone + 9 * alone[:10])
    assert np.allclose(measured(everything, group_of=group_of).ratios, expected, atol=0.03)
    assert not np.allclose(measured(everything).ratios, expected, atol=0.03)


def crowded_line() -> tuple[NDArray[np.float32], GroupOfRow]:
    """Two hundred images, and forty copies of the first."""
    line = np.concatenate([line_of(200), np.full(40, line_of(200)[0], np.float32)])
    return line, np.concatenate([np.arange(200), np.zeros(40)]).astype(np.int32)


def test_an_image_whose_copies_are_all_that_is_recalled_resembles_nothing() -> None:
    """Each of the copies recalls eleven, all of them copies: nobody else is left to compare with."""
    line, group_of = crowded_line()
    tokens = line.reshape(-1, 1, 1)
    ranked = Ranked(Everything(line), OnePlacePerGroup(ExactReranker(tokens), group_of), 10, group_of)
    names = [f"i{row}" for row in range(len(line))]
    found = measure_evidence(ranked, line.reshape(-1, 1), tokens, 0, None, names, NOTHING, 0, silent)
    assert found.images == len(found.ratios) < 199
    assert found.queries_without_source == 41
    assert {each.without_source is not None for each in found.errors} == {True}


def test_recall_past_copies_gives_an_image_its_ratio_to_others() -> None:
    line, group_of = crowded_line()
    tokens = line.reshape(-1, 1, 1)
    recall = RecallPastCopies(Everything(line), group_of, RANK + 1)
    ranked = Ranked(recall, OnePlacePerGroup(ExactReranker(tokens), group_of), 10, group_of)
    alone = by_hand(line[:200])
    queries = [Query(line[row : row + 1], tokens[row], None, row) for row in (0, 200, 7)]
    assert [each and each.ratio for each in ranked.nearness(queries)] == [alone[0], alone[0], alone[7]]


def test_of_a_larger_one_every_third_ratio_is_kept_and_others_show_the_errors() -> None:
    """620 images: 599 give ratios, 199 of them are kept, and the other 21 are asked."""
    line = line_of(620)
    found, every = measured(line), by_hand(line)
    assert (found.images, len(found.ratios), found.queries_without_source) == (599, 199, 21)
    assert set(found.ratios) <= set(every)
    assert list(found.ratios) == sorted(found.ratios)
    spread = np.quantile(every, [place / 200 for place in range(1, 200)])
    assert np.abs(np.array(found.ratios) - spread).max() < 0.08
    assert measured(line, seed=1).ratios != found.ratios
    assert [each.level for each in found.errors] == [0.01, 0.05, 0.1]
    assert all(each.without_source is not None and 0 <= each.without_source <= 1 for each in found.errors)


def test_one_image_alone_has_nothing_to_be_compared_with() -> None:
    found = measured(np.zeros(1, np.float32))
    assert (found.images, found.ratios, found.flat_images) == (0, (), 0)


def test_errors_are_counted_by_copies_and_mixes() -> None:
    """Copies lie on their image, mixes between two: p-values by hand, at each level."""
    line = line_of(300, seed=5) * 4
    copies = [Query(np.array([place]), np.array([[place]], np.float32)) for place in line[:20]]
    between = np.sort(line)[:41]
    middle = (between[:-1] + between[1:]) / 2
    mixes = [Query(np.array([place]), np.array([[place]], np.float32)) for place in middle]
    found = measured(line, Made(copies, mixes))
    assert (found.queries_copies, found.queries_mixes) == (20, 40)
    assert {each.copies_missed for each in found.errors} == {0.0}
    p_values = [p_value(ratio(sorted(np.abs(line - place).tolist())), found.ratios) for place in middle]
    assert [each.mixes_missed for each in found.errors] == [
        pytest.approx(np.mean([p > each.level for p in p_values]), abs=1e-4) for each in found.errors
    ]


def test_flat_training_images_are_counted_and_the_first_are_named() -> None:
    tokens = np.random.default_rng(2).integers(-60, 60, (40, 8, 4)).astype(np.int8)
    tokens[[3, 11]] = 7
    vectors = np.arange(40, dtype=np.float32)
    ranked = Ranked(Everything(vectors), ExactReranker(tokens), 40, np.arange(40, dtype=np.int32))
    names = [f"i{row:02}" for row in range(40)]
    found = measure_evidence(ranked, vectors.reshape(-1, 1), tokens, 0, None, names, NOTHING, 0, silent)
    assert (found.flat_images, found.flat_named, found.flat_from) == (2, ("i03", "i11"), 2)


def test_copies_of_a_flat_training_image_are_missed() -> None:
    """Nothing tells a copy of it from whatever is as empty, under noise that leaves no two tokens alike."""
    random = np.random.default_rng(2)
    tokens = random.integers(-60, 60, (40, 8, 4)).astype(np.int8)
    tokens[3] = 50
    noise = random.integers(-25, 26, (8, 4)).astype(np.int8)
    vectors = np.arange(40, dtype=np.float32)
    ranked = Ranked(Everything(vectors), ExactReranker(tokens), 40, np.arange(40, dtype=np.int32))
    copies = [Query(vectors[row : row + 1], tokens[row] + noise) for row in (3, 4, 5, 6)]
    made, names = Made(copies, []), [f"i{row:02}" for row in range(40)]
    found = measure_evidence(ranked, vectors.reshape(-1, 1), tokens, 0, None, names, made, 0, silent)
    assert tokens_alike(copies[0].tokens[None], 0)[0] < found.flat_from
    assert [each.copies_missed for each in found.errors if each.level == 0.1] == [0.25]
