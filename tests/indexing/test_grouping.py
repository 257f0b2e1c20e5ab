"""From pairs of near copies to groups: worlds by hand, and what holds for any links."""

from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gmv.indexing.grouping import Link, groups_of
from gmv.indexing.growing.regrouping import regrouped


@pytest.mark.parametrize(
    ("links", "groups"),
    [
        ([], [0, 1, 2, 3, 4, 5, 6, 7]),
        ([(2, 5)], [0, 1, 2, 3, 4, 2, 6, 7]),
        ([(5, 2), (5, 7), (0, 1)], [0, 0, 2, 3, 4, 2, 6, 2]),
        ([(3, 3)], [0, 1, 2, 3, 4, 5, 6, 7]),
        ([(7, 6), (6, 5), (5, 4)], [0, 1, 2, 3, 4, 4, 4, 4]),
    ],
)
def test_what_is_connected_is_a_group_named_by_its_lowest_row(links: list[Link], groups: list[int]) -> None:
    assert groups_of(8, links).tolist() == groups


def test_a_chain_does_not_reach_farther_than_two_links_from_its_centre() -> None:
    """Of nine in a row, all but the ends have two links: the lowest of them, 1, is the centre, and reaches to 3."""
    chain = [(row, row + 1) for row in range(8)]
    assert groups_of(9, chain).tolist() == [0, 0, 0, 0, 4, 4, 4, 4, 8]


def test_two_crowds_with_one_image_between_are_two_groups() -> None:
    """The centre is 4, which has one link more than others of its crowd; by 5 it reaches 6, and no farther."""
    crowds = [(one, other) for crowd in (range(5), range(6, 11)) for one in crowd for other in crowd if one < other]
    assert groups_of(11, [*crowds, (4, 5), (5, 6)]).tolist() == [0] * 7 + [7] * 4


LINKS = st.lists(st.tuples(st.integers(0, 19), st.integers(0, 19)), max_size=40)


@given(LINKS, st.randoms())
def test_the_order_of_links_changes_nothing(links: list[Link], random: Random) -> None:
    shuffled = [(other, one) for one, other in random.sample(links, len(links))]
    assert (groups_of(20, links) == groups_of(20, links + shuffled)).all()
    assert (groups_of(20, links) == groups_of(20, shuffled)).all()


@given(LINKS)
def test_members_are_within_four_links_and_nobody_linked_is_alone_but_at_the_end_of_a_chain(links: list[Link]) -> None:
    group_of = groups_of(20, links)
    near = np.eye(20, dtype=bool)
    for one, other in links:
        near[one, other] = near[other, one] = True
    four = np.linalg.matrix_power(near.astype(np.int64), 4) > 0
    for row in range(20):
        assert group_of[row] == np.flatnonzero(group_of == group_of[row]).min()
        assert four[row, group_of == group_of[row]].all()
    connected = np.linalg.matrix_power(near.astype(float), 20) > 0
    for row in range(20):
        component = np.flatnonzero(connected[row])
        if len(component) > 1:
            assert len(set(group_of[component].tolist())) < len(component)


ROWS = np.arange(24)


@given(LINKS, st.sets(st.integers(0, 19)), st.lists(st.tuples(st.integers(20, 23), st.integers(0, 23))))
def test_groups_of_an_index_that_grows_are_never_torn_apart(
    links: list[Link], removed: set[int], added: list[Link]
) -> None:
    """Twenty rows, some of which are removed, and four that are added and linked to anybody."""
    before = groups_of(20, links)
    rows = np.array([row for row in ROWS if row not in removed])
    place = {int(row): at for at, row in enumerate(rows)}
    new = [(place[one], place[other]) for one, other in added if other in place]
    group_of = regrouped(before, rows, new)
    assert all(group_of[row] == np.flatnonzero(group_of == group_of[row]).min() for row in range(len(rows)))
    of_parent = [before[row] if row < 20 else row for row in rows]
    for one in range(len(rows)):
        for other in range(one):
            assert of_parent[one] != of_parent[other] or group_of[one] == group_of[other]
    if not new:
        assert len(set(group_of.tolist())) == len(set(of_parent))


def test_many_added_copies_of_one_member_take_nobody_from_its_group() -> None:
    """The ten added are copies of each other, and one of them of row 1: more links than any row of the group has."""
    before = groups_of(5, [(0, row) for row in range(1, 5)])
    added = [(one, other) for one in range(5, 15) for other in range(5, one)] + [(5, 1)]
    assert set(regrouped(before, np.arange(15), added).tolist()) == {0}


def test_an_added_image_joins_the_groups_that_it_is_a_copy_of() -> None:
    before = groups_of(8, [(0, 1), (0, 2), (5, 6), (5, 7)])
    assert regrouped(before, np.arange(9), [(8, 1), (8, 7)]).tolist() == [0, 0, 0, 3, 4, 0, 0, 0, 0]
