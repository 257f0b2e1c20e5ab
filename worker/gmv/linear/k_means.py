"""k-means over small integers (Lloyd, IEEE Transactions on Information Theory 28, 1982), exact in every step.

Squared distances are products and sums of integers below 2^24 in magnitude, which float32 holds, so a matrix product
gives the same ones in any order of adding up, by any library.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.int8]
Mirror = NDArray[np.int64]

NUMBERS_MAX: Final = 341
"""p, at most: 2 x.a and a.a together stay below 3 p 2^14, and that below 2^24."""

_ROWS_AT_ONCE: Final = 2_048


def k_means(points: Points, atoms: int, iterations: int, seed: int, mirror: Mirror | None = None) -> Points:
    """Return the centres of clusters of the points, rounded to integers.

    It begins with points drawn without replacement. In each iteration a point belongs to the nearest centre, of equally
    near ones to the first; a centre becomes the mean of its points, each number rounded, halves to even. Where centres
    have no point, they become, in their order, the points that are farthest from theirs, of equally far ones the first;
    one stays where it is where no point is left that is not at its centre. It ends early where no centre has moved.

    With a mirror the dictionary is closed under it: it consists of the atoms and, behind them in the same order, of
    their mirror images. A point that is nearest to a mirror image counts, mirrored, for the atom.

    Args:
        points: int8 [n, p], p at most 341.
        atoms: K, 1 to n; with a mirror, how many there are besides their mirror images.
        iterations: at most; 1 at least.
        seed: of the first centres.
        mirror: int64 [p], which number stands in each place of the mirror image; mirrored twice, a point is itself.

    Returns:
        int8 [K, p]; with a mirror, [2 K, p].

    Raises:
        ValueError: an argument is something else.
    """
    _check(points, atoms, iterations, mirror)
    centres = points[np.sort(np.random.default_rng(seed).choice(len(points), atoms, replace=False))]
    for _ in range(iterations):
        dictionary = _closed(centres, mirror)
        nearest, squares = _nearest(points, dictionary)
        moved = _moved(points, centres, nearest, squares, mirror)
        if np.array_equal(moved, centres):
            break
        centres = moved
    return _closed(centres, mirror)


def _check(points: Points, atoms: int, iterations: int, mirror: Mirror | None) -> None:
    if points.dtype != np.int8 or points.ndim != 2 or not 1 <= points.shape[1] <= NUMBERS_MAX:
        raise ValueError(f"points are {points.dtype} {points.shape}, not int8 [n, p], p 1 to {NUMBERS_MAX}")
    if not 1 <= atoms <= len(points) or iterations < 1:
        raise ValueError(f"{atoms} atoms of {len(points)} points in {iterations} iterations cannot be had")
    own = np.arange(points.shape[1])
    if mirror is not None and not (np.array_equal(np.sort(mirror), own) and np.array_equal(mirror[mirror], own)):
        raise ValueError("mirrored twice, a point is not itself")


def _closed(centres: Points, mirror: Mirror | None) -> Points:
    return centres if mirror is None else np.concatenate([centres, centres[:, mirror]])


def _nearest(points: Points, dictionary: Points) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return which of the dictionary is nearest to each point, int64 [n], and its squared distance, int64 [n]."""
    atoms = dictionary.astype(np.float32)
    squares, twice = np.square(atoms).sum(axis=1), 2 * atoms.T
    places, distances = [], []
    for start in range(0, len(points), _ROWS_AT_ONCE):
        some = points[start : start + _ROWS_AT_ONCE].astype(np.float32)
        likeness = some @ twice
        likeness -= squares
        place = likeness.argmax(axis=1)  # of 2 x.a - a.a; of equal ones the first
        likest = np.take_along_axis(likeness, place[:, np.newaxis], axis=1)[:, 0]
        places.append(place)
        distances.append((np.square(some).sum(axis=1) - likest).astype(np.int64))
    return np.concatenate(places), np.concatenate(distances)


def _moved(
    points: Points, centres: Points, nearest: NDArray[np.int64], squares: NDArray[np.int64], mirror: Mirror | None
) -> Points:
    size = len(centres)
    copies = 1 if mirror is None else 2
    counts = np.bincount(nearest, minlength=copies * size)
    sums = _sums(points, nearest, copies * size)
    if mirror is not None:
        counts, sums = counts[:size] + counts[size:], sums[:size] + sums[size:][:, mirror]
    moved = centres.copy()
    has_points = counts > 0
    moved[has_points] = np.rint(sums[has_points] / counts[has_points, np.newaxis]).astype(np.int8)
    empty = np.flatnonzero(~has_points)
    farthest = np.argsort(-squares, kind="stable")[: len(empty)]
    farthest = farthest[squares[farthest] > 0]
    moved[empty[: len(farthest)]] = points[farthest]
    return moved


def _sums(points: Points, nearest: NDArray[np.int64], clusters: int) -> NDArray[np.int64]:
    """Return the sum of each cluster's points, int64 [clusters, p]."""
    sums = np.zeros((clusters, points.shape[1]), np.int64)
    for start in range(0, len(points), _ROWS_AT_ONCE):
        some = nearest[start : start + _ROWS_AT_ONCE]
        order = np.argsort(some, kind="stable")
        present, first = np.unique(some[order], return_index=True)
        sums[present] += np.add.reduceat(points[start + order], first, dtype=np.int64)
    return sums
