"""Recall past near copies: asked again where they crowd it, and only there."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from typing_extensions import override

from gmv.encoders.port import Numbers
from gmv.index.past_copies import RecallPastCopies
from gmv.index.port import LooksRecalled, Recall


class InOrder(Recall):
    """Recalls rows from the query's own number upwards, of two looks by turns, and remembers what it was asked."""

    def __init__(self, rows: int) -> None:
        self.rows = rows
        self.asked: list[tuple[list[int], int]] = []

    @override
    def recall(self, vectors: Numbers, candidates: int) -> list[NDArray[np.int64]]:
        firsts = vectors[:, 0].tolist()
        self.asked.append((firsts, candidates))
        return [np.arange(first, min(first + candidates, self.rows)) for first in firsts]

    @override
    def recall_looks(self, vectors: Numbers, candidates: int) -> list[LooksRecalled]:
        both = self.recall(vectors, candidates)
        return [LooksRecalled(rows[::2], rows[1::2]) for rows in both]


GROUP_OF = np.array([0] * 20 + list(range(20, 40)), np.int32)
"""Twenty copies, then as many images of their own."""


def queries(*firsts: int) -> NDArray[np.int8]:
    return np.array(firsts, np.int8).reshape(-1, 1)


def test_only_what_is_crowded_is_asked_for_again() -> None:
    inner = InOrder(40)
    found = RecallPastCopies(inner, GROUP_OF, 4).recall_looks(queries(0, 18, 30), 5)
    assert inner.asked == [([0, 18, 30], 5), ([0], 10), ([0], 20), ([0], 40)]
    assert [len(np.concatenate(each)) for each in found] == [40, 5, 5]


@pytest.mark.parametrize(("wanted", "asked"), [(1, [5]), (2, [5, 10, 20, 40]), (99, [5, 10, 20, 40, 80])])
def test_it_ends_with_enough_groups_or_with_all_there_is(wanted: int, asked: list[int]) -> None:
    inner = InOrder(40)
    (rows,) = RecallPastCopies(inner, GROUP_OF, wanted).recall(queries(0), 5)
    assert [candidates for _, candidates in inner.asked] == asked
    assert len(rows) == min(asked[-1], 40)


@given(st.integers(0, 39), st.integers(1, 50), st.integers(1, 12))
def test_without_copies_it_is_one_call(first: int, candidates: int, wanted: int) -> None:
    inner = InOrder(40)
    found = RecallPastCopies(inner, np.arange(40, dtype=np.int32), wanted).recall(queries(first), candidates)
    assert len(inner.asked) == 1
    assert [rows.tolist() for rows in found] == [
        rows.tolist() for rows in InOrder(40).recall(queries(first), candidates)
    ]


def test_no_queries_are_no_answers() -> None:
    assert RecallPastCopies(InOrder(40), GROUP_OF, 3).recall_looks(np.empty((0, 1), np.int8), 5) == []
