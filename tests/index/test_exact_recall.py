"""Recall in exact integers, against brute force in Python's own."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from gmv.index.exact_recall import ExactRecall

Vectors = NDArray[np.int8]


def drawn(rows: int, size: int, seed: int, low: int = -128, high: int = 127) -> Vectors:
    return np.random.default_rng(seed).integers(low, high, (rows, size), np.int8, endpoint=True)


def signs_of(size: int, negative: int, seed: int | None = None) -> Vectors:
    """So many components of sign -1: the last ones, or at random."""
    signs = np.ones(size, np.int8)
    signs[size - negative :] = -1
    return signs if seed is None else np.random.default_rng(seed).permutation(signs)


def brute_force(vectors: Vectors, signs: Vectors, query: Vectors, candidates: int) -> tuple[list[int], list[int]]:
    """Rows of the nearest (row, look), in order of (distance, look, row)."""
    looks = (query.astype(int), query.astype(int) * signs)
    pairs = sorted(
        (int(np.square(row.astype(int) - look).sum()), place, number)
        for place, look in enumerate(looks)
        for number, row in enumerate(vectors)
    )[:candidates]
    return [row for _, place, row in pairs if place == 0], [row for _, place, row in pairs if place == 1]


def as_lists(found: tuple[NDArray[np.int64], NDArray[np.int64]]) -> tuple[list[int], list[int]]:
    assert [each.dtype for each in found] == [np.int64, np.int64]
    return found[0].tolist(), found[1].tolist()


SHAPES = [(1, 16, 8), (2, 1, 0), (3, 5, 5), (5, 16, 0), (67, 33, 16), (1_024, 16, 8), (1_025, 32, 31), (2_051, 48, 1)]


@pytest.mark.parametrize("is_mixed", [False, True], ids=["by sign", "mixed"])
@pytest.mark.parametrize(("rows", "size", "negative"), SHAPES)
def test_it_is_brute_force(rows: int, size: int, negative: int, is_mixed: bool) -> None:
    vectors, queries = drawn(rows, size, 1), drawn(3, size, 2)
    signs = signs_of(size, negative, 3 if is_mixed else None)
    recall = ExactRecall(vectors, signs)

    for candidates in (1, 7, rows, 2 * rows - 1, 2 * rows + 5):
        for query, found in zip(queries, recall.recall_looks(queries, candidates), strict=True):
            assert as_lists(found) == brute_force(vectors, signs, query, candidates)


@settings(max_examples=50)
@given(st.data())
def test_ties_prefer_the_look_as_it_is_and_then_the_lower_row(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, 4))
    numbers = st.lists(st.integers(-1, 1), min_size=size, max_size=size)
    vectors = np.array(data.draw(st.lists(numbers, min_size=1, max_size=40)), np.int8)
    signs = np.array(data.draw(st.lists(st.sampled_from([-1, 1]), min_size=size, max_size=size)), np.int8)
    query = np.array([data.draw(numbers)], np.int8)
    candidates = data.draw(st.integers(1, 90))

    (found,) = ExactRecall(vectors, signs).recall_looks(query, candidates)
    assert as_lists(found) == brute_force(vectors, signs, query[0], candidates)


@pytest.mark.parametrize("first_look", [0, 1])
@pytest.mark.parametrize("each", [20, 1_030])
@pytest.mark.parametrize("candidates", [1, 3, 20, 25])
def test_a_tie_with_the_farthest_wanted_is_decided_by_look_and_row(candidates: int, each: int, first_look: int) -> None:
    """Also where that was known before: a block of rows is at distance 0 from one look, and the next from the other."""
    signs, query = signs_of(32, 16), drawn(1, 32, 13, 1, 9)
    looks = (query[0], query[0] * signs)
    vectors = np.repeat([looks[first_look], looks[1 - first_look]], each, axis=0)

    (found,) = ExactRecall(vectors, signs).recall_looks(query, candidates)
    assert as_lists(found) == brute_force(vectors, signs, query[0], candidates)


@pytest.mark.parametrize("number", [-128, 127])
def test_the_greatest_numbers_do_not_overflow(number: int) -> None:
    """At D = 2^15, the largest: squared distances of almost 2^31."""
    vectors = np.full((3, 2**15), number, np.int8)
    vectors[1] = 0
    query = np.full((1, 2**15), -number - 1, np.int8)
    signs = signs_of(2**15, 2**14)

    (found,) = ExactRecall(vectors, signs).recall_looks(query, 6)
    assert as_lists(found) == brute_force(vectors, signs, query[0], 6)


def test_the_look_alone_is_both_looks_where_nothing_is_mirrored() -> None:
    vectors, queries = drawn(300, 32, 4, -9, 9), drawn(70, 32, 5, -9, 9)
    recall = ExactRecall(vectors, signs_of(32, 16))
    rows_alone = recall.recall(queries, 40)

    for query, rows in zip(queries, rows_alone, strict=True):
        assert rows.tolist() == brute_force(vectors, signs_of(32, 0), query, 300)[0][:40]
    assert [len(rows) for rows in recall.recall(queries[:2], 999)] == [300, 300]


def test_a_mirrored_query_finds_the_same_rows_by_the_other_look() -> None:
    """But for ties, whose order prefers the look as it is."""
    vectors, signs = drawn(2_000, 64, 6), signs_of(64, 32)
    recall = ExactRecall(vectors, signs)
    (as_it_is,) = recall.recall_looks(vectors[:1], 80)
    (mirrored,) = recall.recall_looks(vectors[:1] * signs, 80)

    assert as_it_is.rows[0] == mirrored.mirrored_rows[0] == 0
    assert set(as_it_is.rows) == set(mirrored.mirrored_rows)
    assert set(as_it_is.mirrored_rows) == set(mirrored.rows)


def test_an_answer_depends_on_its_own_vector_alone() -> None:
    vectors, queries = drawn(3_000, 32, 7, -20, 20), drawn(150, 32, 8, -20, 20)
    recall = ExactRecall(vectors, signs_of(32, 16))
    alone = [recall.recall_looks(query[np.newaxis], 50)[0] for query in queries]

    assert [as_lists(found) for found in recall.recall_looks(queries, 50)] == [as_lists(found) for found in alone]


def test_fewer_candidates_are_the_first_of_more() -> None:
    vectors, queries = drawn(500, 16, 9, -3, 3), drawn(9, 16, 10, -3, 3)
    recall = ExactRecall(vectors, signs_of(16, 8))

    for few, many in zip(recall.recall_looks(queries, 20), recall.recall_looks(queries, 90), strict=True):
        assert few.rows.tolist() == many.rows[: len(few.rows)].tolist()
        assert few.mirrored_rows.tolist() == many.mirrored_rows[: len(few.mirrored_rows)].tolist()


def test_nothing_is_asked_for_or_held() -> None:
    signs = signs_of(16, 8)
    assert ExactRecall(drawn(5, 16, 1), signs).recall_looks(drawn(0, 16, 1), 5) == []
    for rows, candidates in ((0, 5), (5, 0)):
        (found,) = ExactRecall(drawn(rows, 16, 1), signs).recall_looks(drawn(1, 16, 1), candidates)
        assert as_lists(found) == ([], [])


def test_a_mapped_file_answers_as_memory_does(tmp_path: Path) -> None:
    vectors, queries, signs = drawn(500, 16, 11), drawn(5, 16, 12), signs_of(16, 8)
    np.save(tmp_path / "vectors.npy", vectors)
    opened = ExactRecall(np.load(tmp_path / "vectors.npy", mmap_mode="r").view(np.ndarray), signs)

    assert (opened.rows, opened.vector_size) == (500, 16)
    in_memory = ExactRecall(vectors, signs).recall_looks(queries, 30)
    assert [as_lists(found) for found in opened.recall_looks(queries, 30)] == [as_lists(found) for found in in_memory]


@pytest.mark.parametrize(
    ("vectors", "signs"),
    [
        (drawn(4, 16, 1).astype(np.int16), signs_of(16, 8)),
        (drawn(4, 16, 1)[0], signs_of(16, 8)),
        (drawn(4, 32, 1)[:, ::2], signs_of(16, 8)),
        (drawn(1, 2**15 + 1, 1), signs_of(2**15 + 1, 0)),
        (drawn(4, 16, 1), signs_of(15, 8)),
        (drawn(4, 16, 1), np.zeros(16, np.int8)),
        (drawn(4, 16, 1), np.full(16, -128, np.int8)),
        (drawn(4, 16, 1), np.ones(16)),
    ],
)
def test_what_is_no_such_store_is_refused(vectors: Any, signs: Any) -> None:
    with pytest.raises(ValueError, match=r"not|beyond"):
        ExactRecall(vectors, signs)


@pytest.mark.parametrize("queries", [drawn(2, 15, 1), drawn(2, 16, 1)[0], np.zeros((2, 16), np.float32)])
def test_what_is_no_such_query_is_refused(queries: Any) -> None:
    recall = ExactRecall(drawn(4, 16, 1), signs_of(16, 8))
    for ask in (recall.recall, recall.recall_looks):
        with pytest.raises(ValueError, match=r"not int8 \[b, 16\]"):
            ask(queries, 3)
