"""Near copies: one place in a ranking, and who is paid for it, in worlds whose credits are known by hand."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from typing_extensions import override

from gmv.valuation.attribution import owner_credits, value_places
from gmv.valuation.copies import OnePlacePerGroup, paid_copies
from gmv.valuation.owners import Ownership
from gmv.valuation.ranking import MirroredLook, Ranking, Reranker, Step, Tokens
from gmv.valuation.types import Candidate

NEAREST = Candidate("copy-2", "cy", 1.0, 0.25, True, "a")
MEMBERS = [
    Candidate("original", "ada", 1.0, 9.0, group="a"),
    Candidate("copy-1", "cy", 0.5, 9.0, group="a"),
    Candidate("copy-2", "cy", 1.0, 9.0, group="a"),
    Candidate("a", "ben", 1.0, 9.0, group="a"),
]
"""In order of registration. The group is named by the image of the lowest row, not by the earliest."""

STRANGER = Candidate("z", "dee", 1.0, 0.25)


def paid(
    ownership: Ownership | None = None, *, only_earliest: bool = False, owners_max: int = 100
) -> list[tuple[str, str, float]]:
    chosen = paid_copies(NEAREST, MEMBERS, ownership or Ownership(), only_earliest=only_earliest, owners_max=owners_max)
    assert {(each.distance, each.mirrored, each.group) for each in chosen} == {(0.25, True, "a")}
    return [(each.image_id, each.owner_id, each.weight) for each in chosen]


def test_each_owner_is_paid_once_for_the_nearest_image_or_else_the_earliest() -> None:
    assert paid() == [("copy-2", "cy", 1.0), ("original", "ada", 1.0), ("a", "ben", 1.0)]


def test_the_earliest_takes_all() -> None:
    assert paid(only_earliest=True) == [("original", "ada", 1.0)]


def test_no_more_owners_than_a_commit_bears_and_these_are_the_earliest() -> None:
    assert paid(owners_max=2) == [("copy-2", "cy", 1.0), ("original", "ada", 1.0)]
    assert paid(owners_max=1) == [("original", "ada", 1.0)]


def test_who_opted_out_and_keeps_the_place_takes_a_part_that_nobody_is_paid() -> None:
    assert paid(Ownership(frozenset({"ada"}))) == [("copy-2", "cy", 1.0), ("original", "ada", 0.0), ("a", "ben", 1.0)]
    assert paid(Ownership(frozenset({"ada"})), only_earliest=True) == [("original", "ada", 0.0)]


def test_an_owner_of_two_who_opted_one_out_is_paid_for_the_other() -> None:
    said = Ownership(opted_out_images=frozenset({"copy-2"}))
    assert paid(said) == [("original", "ada", 1.0), ("copy-1", "cy", 0.5), ("a", "ben", 1.0)]


def test_of_images_that_are_left_out_the_others_take_the_part() -> None:
    said = Ownership(frozenset({"ada"}), is_left_out=True)
    assert paid(said) == [("copy-2", "cy", 1.0), ("a", "ben", 1.0)]
    assert paid(said, only_earliest=True) == [("copy-1", "cy", 0.5)]


def test_images_are_whose_they_are_now() -> None:
    assert paid(Ownership(owners={"original": "cy"})) == [("copy-2", "cy", 1.0), ("a", "ben", 1.0)]
    assert paid(Ownership(owners={"original": "new"}), only_earliest=True) == [("original", "new", 1.0)]
    given_to_who_is_out = Ownership(frozenset({"ben"}), owners={"original": "ben"}, is_left_out=True)
    assert paid(given_to_who_is_out) == [("copy-2", "cy", 1.0)]


def test_a_place_is_worth_what_it_was_and_split_evenly() -> None:
    """Two places at one distance share evenly: half to a stranger, and of the other half a third to each owner."""
    group = paid_copies(NEAREST, MEMBERS, Ownership(), only_earliest=False, owners_max=9)
    valued = value_places([group, [STRANGER], []], 1.0, 1.0)
    assert owner_credits([valued]) == {"dee": 500_000, "ben": 166_667, "cy": 166_667, "ada": 166_666}
    assert [each.utility for each in valued.contributors] == [0.5 / 3] * 3 + [0.5]
    assert [each.group for each in valued.contributors] == ["a", "a", "a", None]


def test_the_part_of_who_opted_out_is_paid_to_nobody() -> None:
    group = paid_copies(NEAREST, MEMBERS, Ownership(frozenset({"ben"})), only_earliest=False, owners_max=9)
    valued = value_places([group, [STRANGER]], 1.0, 1.0)
    assert owner_credits([valued]) == {"dee": 500_000, "cy": 166_667, "ada": 166_666}
    assert valued.micros == 833_333


NAMES = st.sampled_from("abcdef")
MEMBER = st.builds(Candidate, NAMES, NAMES, st.sampled_from([0.0, 0.3, 1.0]), st.just(0.0))


@given(
    st.lists(st.lists(MEMBER, min_size=1, max_size=5, unique_by=lambda each: each.image_id), max_size=4),
    st.frozensets(NAMES, max_size=3),
    st.frozensets(NAMES, max_size=3),
    st.dictionaries(NAMES, NAMES, max_size=3),
    st.booleans(),
    st.booleans(),
    st.floats(0, 1),
)
def test_whatever_is_said_all_is_conserved_and_nobody_who_is_out_is_paid(
    groups: list[list[Candidate]],
    owners_out: frozenset[str],
    images_out: frozenset[str],
    owners: dict[str, str],
    is_left_out: bool,
    only_earliest: bool,
    quality: float,
) -> None:
    said = Ownership(owners_out, images_out, owners, is_left_out)
    places = []
    for number, group in enumerate(groups):
        members = [Candidate(f"{number}{each.image_id}", each.owner_id, each.weight, 0.0) for each in group]
        remaining = [each for each in members if not (is_left_out and said.is_opted_out(each.image_id, each.owner_id))]
        if remaining:
            places.append(paid_copies(remaining[-1], members, said, only_earliest=only_earliest, owners_max=9))
    valued = value_places(places, quality, 1.0)
    assert sum(each.micros for each in valued.contributors) == valued.micros
    assert valued.micros <= round(1e6 * quality)
    assert not owner_credits([valued]).keys() & owners_out
    for place in places:
        assert len({each.owner_id for each in place}) == len(place)
        assert len(place) <= (1 if only_earliest else 9)


class ByNumber(Reranker):
    """Ranks rows by a distance that each has, of either look, and remembers what it was asked."""

    def __init__(self, distances: Sequence[float], mirrored_distances: Sequence[float]) -> None:
        self.distances = distances, mirrored_distances
        self.asked: list[int] = []

    @override
    def nearest(
        self,
        queries: Sequence[Tokens],
        candidates: Sequence[NDArray[np.int64]],
        contributors: int,
        mirrored: Sequence[MirroredLook | None] | None = None,
    ) -> list[Ranking]:
        self.asked.append(contributors)
        looks = [None] * len(queries) if mirrored is None else mirrored
        return [self._rank(rows, look, contributors) for rows, look in zip(candidates, looks, strict=True)]

    def _rank(self, rows: NDArray[np.int64], look: MirroredLook | None, contributors: int) -> Ranking:
        pairs = [(self.distances[0][row], row, False) for row in rows.tolist()]
        pairs += [(self.distances[1][row], row, True) for row in (look.candidates.tolist() if look else ())]
        assert pairs, "a query without candidates is no query"
        best: dict[int, tuple[float, int, bool]] = {}
        for distance, row, turned in sorted(pairs, key=lambda pair: (pair[0], pair[2])):
            best.setdefault(row, (distance, row, turned))
        first = sorted(best.values(), key=lambda pair: pair[:2])[:contributors]
        distances, found, turned_of = ([pair[part] for pair in first] for part in range(3))
        return Ranking(
            np.array(found, np.int64), np.array(distances), np.array(turned_of, np.bool_), {Step.CERTIFIED: len(pairs)}
        )


@st.composite
def worlds(draw: st.DrawFn) -> tuple[list[int], list[list[float]], list[tuple[list[int], list[int] | None]], int]:
    rows = draw(st.integers(1, 12))
    group_of = [draw(st.integers(0, row)) for row in range(rows)]
    group_of = [min(group, group_of[group]) for group in group_of]
    distances = [draw(st.lists(st.sampled_from([0.0, 0.5, 1.0, 2.0, 3.0]), min_size=rows, max_size=rows)) for _ in "ab"]
    some = st.lists(st.integers(0, rows - 1), unique=True)
    queries = draw(
        st.lists(st.tuples(some, st.none() | some).filter(lambda pair: bool(pair[0] or pair[1])), max_size=4)
    )
    return group_of, distances, queries, draw(st.integers(1, 6))


@given(worlds())
def test_it_is_what_collapsing_a_full_ranking_comes_to(
    world: tuple[list[int], list[list[float]], list[tuple[list[int], list[int] | None]], int],
) -> None:
    group_of, distances, queries, contributors = world
    inner = ByNumber(*distances)
    tokens = np.zeros((1, 1), np.float32)
    candidates = [np.array(rows, np.int64) for rows, _ in queries]
    looks = [None if turned is None else MirroredLook(tokens, np.array(turned, np.int64)) for _, turned in queries]
    asked = [tokens] * len(queries)
    found = OnePlacePerGroup(inner, np.array(group_of, np.int32)).nearest(asked, candidates, contributors, looks)
    full = inner.nearest(asked, candidates, 99, looks)
    assert len(found) == len(full)
    for ranking, whole in zip(found, full, strict=True):
        kept: dict[int, tuple[int, float, bool]] = {}
        for row, distance, turned in zip(whole.rows, whole.distances, whole.mirrored, strict=True):
            kept.setdefault(group_of[row], (row, distance, turned))
        wanted = list(kept.values())[:contributors]
        assert list(zip(ranking.rows, ranking.distances, ranking.mirrored, strict=True)) == wanted


def test_without_copies_it_is_one_call() -> None:
    inner = ByNumber([1.0, 2.0, 3.0], [9.0] * 3)
    (ranking,) = OnePlacePerGroup(inner, np.arange(3, dtype=np.int32)).nearest(
        [np.zeros((1, 1), np.float32)], [np.arange(3)], 2
    )
    assert inner.asked == [2]
    assert ranking.rows.tolist() == [0, 1]


@pytest.mark.parametrize("copies", [1, 10, 50])
def test_any_number_of_copies_takes_one_more_call(copies: int) -> None:
    inner = ByNumber([row / 100 for row in range(copies + 10)], [9.0] * 99)
    group_of = np.array([0] * copies + list(range(copies, copies + 10)), np.int32)
    (ranking,) = OnePlacePerGroup(inner, group_of).nearest([np.zeros((1, 1), np.float32)], [np.arange(copies + 10)], 10)
    assert inner.asked == ([10] if copies == 1 else [10, 9])
    assert ranking.rows.tolist() == [0, *range(copies, copies + 9)]
    assert ranking.ended == {Step.CERTIFIED: copies + 10 + (10 if copies > 1 else 0)}
