"""What becomes of numbers that describe an image when it is mirrored, left to right.

Everything in the exact descriptor is closed under mirroring: the mirrored image's numbers are the image's own, in other
places and some with the other sign. So an image is looked at twice for the price of one encoding.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Doubles = NDArray[np.float64]


class Half(NamedTuple):
    """A basis of the numbers that mirroring leaves as they are (symmetric), or of those whose sign it turns.

    Vector h of the basis is `scale[h] x (e[first[h]] + sign[h] x e[second[h]])`, of length 1; where a number stays in
    its place, first and second are the same. All arrays have one entry a vector.
    """

    first: Ints
    second: Ints
    sign: Ints
    scale: Doubles

    def moments(self, second_moments: Doubles) -> Doubles:
        """Return second moments, float64 [p, p] of integers, in this basis: float64 [h, h]."""
        rows = second_moments[self.first] + self.sign[:, np.newaxis] * second_moments[self.second]
        both = rows[:, self.first] + rows[:, self.second] * self.sign
        return both * (self.scale[:, np.newaxis] * self.scale)

    def sums(self, sums: Doubles) -> Doubles:
        """Return sums, float64 [p], in this basis: float64 [h]."""
        return (sums[self.first] + self.sign * sums[self.second]) * self.scale

    def expand(self, vectors: Doubles, size: int) -> Doubles:
        """Return float64 [size, q] of vectors in this basis, float64 [h, q]; mirrored entries are the same bits."""
        scaled = vectors * self.scale[:, np.newaxis]
        whole = np.zeros((size, vectors.shape[1]))
        whole[self.first] = scaled
        whole[self.second] += scaled * self.sign[:, np.newaxis]
        return whole


@dataclass(frozen=True, slots=True)
class Mirror:
    """Mirrored numbers are `signs x numbers[permutation]`; twice mirrored they are what they were.

    Attributes:
        permutation: int64 [p], an involution.
        signs: int64 [p], 1 or -1, the same for both numbers of a pair.
    """

    permutation: Ints
    signs: Ints

    def apply(self, numbers: NDArray[np.int8]) -> NDArray[np.int8]:
        """Return int8 [..., p], within [-127, 127], mirrored."""
        mirrored: NDArray[np.int8] = numbers[..., self.permutation] * self.signs.astype(np.int8)
        return mirrored

    def half(self, sign: int) -> Half:
        """Return the basis of the symmetric numbers for a sign of 1, of the others for -1."""
        place = np.arange(len(self.permutation))
        paired = place < self.permutation
        alone = (place == self.permutation) & (self.signs == sign)
        first = place[paired | alone]
        second = self.permutation[first]
        scale = np.where(first == second, 0.5, np.sqrt(0.5))
        return Half(first, second, np.where(first == second, 1, sign * self.signs[first]), scale)


def mirror_of_patches(side: int, channels: int) -> Mirror:
    """Return how the numbers of a patch change, ordered by (channel, row, column)."""
    places = np.arange(channels * side * side).reshape(channels, side, side)
    return Mirror(places[:, :, ::-1].ravel(), np.ones(places.size, np.int64))


def mirror_of_atoms(atoms: int) -> Mirror:
    """Return how resemblances to atoms change; the second half of the atoms are the first half, mirrored."""
    return Mirror(np.roll(np.arange(atoms), atoms // 2), np.ones(atoms, np.int64))


def mirror_of_signs(signs: NDArray[np.int8]) -> Mirror:
    """Return how components change that stay in place."""
    return Mirror(np.arange(len(signs)), signs.astype(np.int64))


def mirror_of_grid(grid: int, signs: NDArray[np.int8]) -> Mirror:
    """Return how components of the cells of a grid x grid division change, ordered by (row, column, component)."""
    places = np.arange(grid * grid * len(signs)).reshape(grid, grid, len(signs))
    return Mirror(places[:, ::-1].ravel(), np.tile(signs.astype(np.int64), grid * grid))
