"""How many candidates are enough, against counting by hand."""

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.stats import binomtest
from typing_extensions import override

from gmv.encoders.port import Numbers
from gmv.index.manifest import CalibratedCandidates
from gmv.index.port import LooksRecalled, Recall
from gmv.indexing.calibration import (
    Answers,
    Query,
    calibrate,
    keys_of,
    recalled_at,
    rows_of,
    tried_up_to,
    true_nearest,
    wilson_interval,
)
from gmv.indexing.calibration_queries import queries_for, training_images
from gmv.valuation.wasserstein.rerank import ExactReranker

KEYS = st.permutations(range(12))


def keys(*numbers: int) -> NDArray[np.int64]:
    return np.array(numbers, np.int64)


def answers(kind: str, *pairs: tuple[Sequence[int], Sequence[int]]) -> Answers:
    """True and recalled keys of each query, as by a recall whose fewer candidates are the first of more."""
    most = max((len(recalled) for _, recalled in pairs), default=1)
    by_number = {count: [keys(*recalled[:count]) for _, recalled in pairs] for count in range(1, most + 1)}
    return Answers(kind, [keys(*true) for true, _ in pairs], by_number)


@given(st.lists(st.tuples(KEYS, KEYS), min_size=1, max_size=6), st.integers(1, 12), st.integers(1, 100))
def test_it_is_the_least_number_that_reaches_the_target(
    drawn: list[tuple[list[int], list[int]]], candidates_max: int, percent: int
) -> None:
    pairs = [(one[:5], other[:candidates_max]) for one, other in drawn]
    found = calibrate([answers("some", *pairs)], percent / 100, candidates_max)

    shares = {
        count: np.mean([key in recalled[:count] for true, recalled in pairs for key in true])
        for count in range(1, candidates_max + 1)
    }
    enough = [count for count, share in shares.items() if round(share, 4) >= percent / 100]
    assert found.candidates == (enough[0] if enough else None)
    for point in found.curves[0].points:
        assert point.recall == pytest.approx(shares[point.candidates], abs=1e-4)
        assert point.least <= point.recall <= point.most


def test_the_target_holds_for_each_kind_of_queries() -> None:
    easy = answers("easy", ((1, 2), (1, 2, 3, 4)))
    hard = answers("hard", ((1, 2), (3, 1, 4, 2)))
    lost = answers("lost", ((1, 2), (3, 1, 4, 5)))

    assert calibrate([easy], 1.0, 4).candidates == 2
    assert calibrate([easy, hard], 1.0, 4).candidates == 4
    assert calibrate([easy, hard], 0.5, 4).candidates == 2
    assert calibrate([easy, lost], 1.0, 4).candidates is None


def test_each_query_counts_by_what_there_is_to_find() -> None:
    """Of an index of three images, nobody has ten neighbours."""
    few = answers("few", ((1, 2), (1, 2)), ((), (1, 2)), ((4,), (1, 2)))
    assert [point.recall for point in calibrate([few], 0.5, 2).curves[0].points] == [0.3333, 0.6667]


def test_a_target_out_of_reach_is_told_with_what_was_reached() -> None:
    lost = answers("mixes", *[((1, 2), (3, 1, 4, 5))] * 5)
    sentence = calibrate([lost], 0.95, 4).sentence()

    assert "95.0% of the ten nearest by W1 are not reached by 4 candidates (mixes: 50.0%)" in sentence
    assert "--candidates-max" in sentence
    assert calibrate([lost], 0.5, 4).sentence() == "2 candidates hold 50.0% of the ten nearest by W1"


@pytest.mark.parametrize("pairs", [[], [((), (1, 2))]])
def test_where_nothing_is_sought_the_fewest_are_enough(pairs: list[tuple[Sequence[int], Sequence[int]]]) -> None:
    assert calibrate([answers("none", *pairs)], 0.95, 10).candidates == 1


@pytest.mark.parametrize("most", [1, 10, 11, 100, 1_000, 10_000])
def test_numbers_tried_go_up_to_the_most_by_a_fifth_or_so(most: int) -> None:
    tried = tried_up_to(most, 10**6)

    assert tried[-1] == most
    assert tried == sorted(set(tried))
    assert len(tried) <= 40
    assert tried_up_to(most, 15) == [step for step in (10, 20) if step < most] + [most]
    assert all(later <= 1.26 * earlier for earlier, later in pairwise(tried[4:]) if later <= 1_000)


def test_what_was_measured_is_the_same_after_it_was_kept() -> None:
    measured = calibrate([answers("one", ((1, 2), (3, 1)))], 0.95, 2)
    assert CalibratedCandidates.model_validate_json(measured.model_dump_json()) == measured


@pytest.mark.parametrize(("found", "trials"), [(0, 1), (1, 1), (0, 60), (57, 60), (60, 60), (500, 1_000)])
def test_the_interval_is_wilsons(found: int, trials: int) -> None:
    by_scipy = binomtest(found, trials).proportion_ci(method="wilson")
    assert wilson_interval(found / trials, trials) == pytest.approx((by_scipy.low, by_scipy.high), abs=1e-6)


def line(places: Sequence[float]) -> NDArray[np.float16]:
    """Images of one token each, so W1 is the distance of their places."""
    return np.array(places, np.float16).reshape(-1, 1, 1)


def query(place: float, mirrored: float | None = None, row: int | None = None) -> Query:
    at = [None if each is None else np.full((1, 1), each, np.float32) for each in (place, mirrored)]
    assert at[0] is not None
    return Query(np.zeros(1), at[0], at[1], row)


@given(
    st.lists(st.integers(0, 50), min_size=1, max_size=30),
    st.lists(st.tuples(st.integers(0, 50), st.none() | st.integers(0, 50), st.booleans()), min_size=1, max_size=4),
)
def test_the_true_nearest_are_those_of_all_pairs(places: list[int], asked: list[tuple[int, int | None, bool]]) -> None:
    queries = [query(one, other, 0 if is_own else None) for one, other, is_own in asked]
    found = true_nearest(ExactReranker(line(places)), queries, len(places))

    for (one, other, is_own), nearest in zip(asked, found, strict=True):
        nearer_looks = (
            (row, min((abs(place - look), which) for which, look in enumerate((one, other)) if look is not None))
            for row, place in enumerate(places)
            if not (is_own and row == 0)
        )
        expected = sorted((distance, row, which) for row, (distance, which) in nearer_looks)
        assert nearest.tolist() == [2 * row + which for _, row, which in expected[:10]]


class InOrder(Recall):
    """Recalls rows from the last."""

    @override
    def recall(self, vectors: Numbers, candidates: int) -> list[NDArray[np.int64]]:
        return [np.arange(9, -1, -1)[:candidates] for _ in vectors]


class BothLooks(InOrder):
    """Recalls half of the rows from the last by each look."""

    @override
    def recall_looks(self, vectors: Numbers, candidates: int) -> list[LooksRecalled]:
        rows = np.arange(9, -1, -1)
        return [LooksRecalled(rows[: candidates - candidates // 2], rows[: candidates // 2]) for _ in vectors]


def test_a_training_image_is_not_among_its_own_candidates() -> None:
    found = recalled_at(InOrder(), [query(0.0, row=8), query(0.0, row=0)], [1, 3])
    assert {count: [rows_of(each).tolist() for each in rows] for count, rows in found.items()} == {
        1: [[9], [9]],
        3: [[9, 7, 6], [9, 8, 7]],
    }
    assert recalled_at(InOrder(), [query(0.0)], [2])[2][0].tolist() == [18, 16]
    assert recalled_at(InOrder(), [], [3]) == {3: []}


def test_both_looks_recall_and_neither_the_image_itself() -> None:
    (found,) = recalled_at(BothLooks(), [query(0.0, row=9)], [4])[4]
    assert found.tolist() == [2 * 8, 2 * 7, 2 * 8 + 1]


def test_a_row_seen_mirrored_is_another_candidate() -> None:
    rows = np.array([4, 7])
    assert keys_of(rows).tolist() == [8, 14]
    assert keys_of(rows, np.array([False, True])).tolist() == [8, 15]
    assert rows_of(keys_of(rows, True)).tolist() == [4, 7]


def test_training_images_are_drawn_once_each_and_know_their_row() -> None:
    vectors, tokens = np.arange(20.0).reshape(20, 1), line(range(20))
    drawn = training_images(vectors, tokens, None, 7, seed=3)

    rows = [each.row for each in drawn]
    assert len(set(rows)) == 7
    assert rows == sorted(rows, key=lambda row: row or 0)
    assert [(each.vector.item(), each.tokens.item()) for each in drawn] == [(row, row) for row in rows]
    assert {each.tokens.dtype for each in drawn} == {np.dtype(np.float32)}
    assert len(training_images(vectors, tokens, None, 99, seed=3)) == 20


def test_the_more_rows_the_fewer_queries_within_limits() -> None:
    assert [queries_for(rows) for rows in (1, 70, 5_000, 50_000, 10**7)] == [1, 60, 60, 60, 20]
    assert math.prod([queries_for(100_000), 100_000]) <= 3_000_000
