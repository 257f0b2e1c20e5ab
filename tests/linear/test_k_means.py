"""k-means against the same rules in exact fractions, and against the best of all ways to share out a few points."""

import itertools
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from gmv.linear.k_means import NUMBERS_MAX, k_means

Point = tuple[int, ...]


def square(some: Point, other: Point) -> int:
    return sum((mine - theirs) ** 2 for mine, theirs in zip(some, other, strict=True))


def mean(points: list[Point]) -> Point:
    return tuple(round(Fraction(sum(numbers), len(points))) for numbers in zip(*points, strict=True))


def mirrored(point: Point, mirror: list[int]) -> Point:
    return tuple(point[place] for place in mirror)


def by_the_rules(points: list[Point], centres: list[Point], iterations: int, mirror: list[int] | None) -> list[Point]:
    """The rules as the docstring states them, one point at a time."""

    def closed() -> list[Point]:
        return centres + [mirrored(centre, mirror) for centre in centres] if mirror is not None else centres

    for _ in range(iterations):
        dictionary = closed()
        squares = [[square(point, atom) for atom in dictionary] for point in points]
        nearest = [each.index(min(each)) for each in squares]
        members: list[list[Point]] = [[] for _ in centres]
        for point, place in zip(points, nearest, strict=True):
            is_mirrored = place >= len(centres)
            members[place % len(centres)].append(mirrored(point, mirror or []) if is_mirrored else point)
        far = sorted((-min(each), row) for row, each in enumerate(squares))
        takers = iter([points[row] for less, row in far if less < 0])
        centres = [mean(own) if own else next(takers, centre) for own, centre in zip(members, centres, strict=True)]
    return closed()


def first_centres(points: NDArray[np.int8], atoms: int, seed: int) -> list[Point]:
    rows = np.sort(np.random.default_rng(seed).choice(len(points), atoms, replace=False))
    return [tuple(point) for point in points[rows].tolist()]


@st.composite
def mirrors(draw: st.DrawFn, size: int) -> list[int] | None:
    """No mirror, or places that change in pairs, others staying where they are."""
    if draw(st.booleans()):
        return None
    order = draw(st.permutations(range(size)))
    mirror = list(range(size))
    for some, other in zip(*[iter(order[: 2 * draw(st.integers(0, size // 2))])] * 2, strict=True):
        mirror[some], mirror[other] = other, some
    return mirror


few = st.sampled_from([-128, -5, -1, 0, 1, 2, 127])


@given(st.data(), st.integers(1, 6), st.integers(1, 20), st.integers(1, 5), st.integers(0, 2**32 - 1))
def test_keeps_to_its_rules(data: st.DataObject, size: int, count: int, iterations: int, seed: int) -> None:
    """Few different numbers, so that points are equal, equally near, or further away than any that has a centre."""
    point = st.lists(few | st.integers(-128, 127), min_size=size, max_size=size)
    points = np.array(data.draw(st.lists(point, min_size=count, max_size=count)), np.int8)
    atoms, mirror = data.draw(st.integers(1, count)), data.draw(mirrors(size))
    found = k_means(points, atoms, iterations, seed, None if mirror is None else np.array(mirror))

    told = [tuple(each) for each in points.tolist()]
    assert found.dtype == np.int8
    assert [tuple(atom) for atom in found.tolist()] == by_the_rules(
        told, first_centres(points, atoms, seed), iterations, mirror
    )


def cost(points: NDArray[np.int8], centres: NDArray[np.int8]) -> int:
    wide = points.astype(int)[:, np.newaxis] - centres.astype(int)
    return int((wide**2).sum(2).min(1).sum())


def least_cost(points: NDArray[np.int8], atoms: int) -> int:
    """Of all ways to share the points out."""
    told = [tuple(each) for each in points.tolist()]
    best = None
    for shared_out in itertools.product(range(atoms), repeat=len(told)):
        groups = [[point for point, at in zip(told, shared_out, strict=True) if at == place] for place in range(atoms)]
        total = sum(square(point, mean(group)) for group in groups if group for point in group)
        best = total if best is None else min(best, total)
    assert best is not None
    return best


@given(st.integers(0, 2**32 - 1))
def test_finds_groups_that_lie_apart_as_the_best_of_all_ways_does(seed: int) -> None:
    draw = np.random.default_rng(seed)
    groups = np.array([[-100, -100], [100, -90], [0, 110]])
    points = (groups[draw.permutation(np.repeat(np.arange(3), 2))] + draw.integers(-3, 4, (6, 2))).astype(np.int8)
    costs = [cost(points, k_means(points, 3, 20, start)) for start in range(20)]
    assert min(costs) == least_cost(points, 3)


def test_chunks_and_many_numbers_are_exact() -> None:
    """At the largest p, with the largest numbers, over more points than are looked at at once."""
    draw = np.random.default_rng(0)
    points = draw.choice(np.array([-128, 127, 126], np.int8), (5_000, NUMBERS_MAX))
    mirror = np.arange(NUMBERS_MAX)[::-1].copy()
    centres = points[np.sort(np.random.default_rng(3).choice(5_000, 7, replace=False))].astype(np.int64)
    dictionary = np.concatenate([centres, centres[:, mirror]])
    wide = points.astype(np.int64)
    nearest = ((wide**2).sum(1, keepdims=True) + (dictionary**2).sum(1) - 2 * wide @ dictionary.T).argmin(1)
    expected = []
    for place in range(7):
        own = np.concatenate([wide[nearest == place], wide[nearest == place + 7][:, mirror]])
        expected.append([round(Fraction(total, len(own))) for total in own.sum(0).tolist()])
    found = k_means(points, 7, 1, 3, mirror)
    assert (found[:7] == expected).all()
    assert (found[7:] == found[:7, mirror]).all()


def test_equal_points_leave_centres_where_they_are() -> None:
    points = np.full((9, 4), 3, np.int8)
    assert (k_means(points, 4, 5, 0) == np.full((4, 4), 3)).all()


@pytest.mark.parametrize(
    ("points", "atoms", "iterations", "mirror"),
    [
        (np.zeros((3, 2)), 1, 1, None),
        (np.zeros((3, NUMBERS_MAX + 1), np.int8), 1, 1, None),
        (np.zeros((3, 0), np.int8), 1, 1, None),
        (np.zeros(3, np.int8), 1, 1, None),
        (np.zeros((3, 2), np.int8), 4, 1, None),
        (np.zeros((3, 2), np.int8), 0, 1, None),
        (np.zeros((3, 2), np.int8), 1, 0, None),
        (np.zeros((3, 3), np.int8), 1, 1, np.array([1, 2, 0])),
        (np.zeros((3, 2), np.int8), 1, 1, np.array([0, 0])),
        (np.zeros((3, 2), np.int8), 1, 1, np.array([0])),
        (np.zeros((3, 2), np.int8), 1, 1, np.array([-1, 0])),
    ],
)
def test_what_cannot_be_clustered_is_refused(
    points: NDArray[np.int8], atoms: int, iterations: int, mirror: NDArray[np.int64] | None
) -> None:
    with pytest.raises(ValueError, match=r"not int8|cannot be had|not itself"):
        k_means(points, atoms, iterations, 0, mirror)
