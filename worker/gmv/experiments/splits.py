"""Which images a generator is shown, and which it is not, though they come from the same distribution."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gmv.experiments.images import LabelledImages, Rows

PARTS = 3


@dataclass(frozen=True, slots=True)
class Split:
    """A data set in three parts of equal size, class by class; a class's one or two left over are in none.

    Attributes:
        used: v1, what the generator is trained on.
        unused: v2, what it is not trained on.
        control: not trained on either: with `unused`, a pair that should show no difference.
    """

    used: Rows
    unused: Rows
    control: Rows


def split(images: LabelledImages, seed: int) -> Split:
    """Split images at random, by a seed, so that each part has as many of each class.

    Args:
        images: checked, see `check_images`.
        seed: any number that is not negative.
    """
    random = np.random.default_rng([seed, PARTS])
    parts: list[list[NDArray[np.int64]]] = [[] for _ in range(PARTS)]
    for label in range(images.classes):
        rows = random.permutation(np.flatnonzero(images.labels == label))
        size = len(rows) // PARTS
        for place, part in enumerate(parts):
            part.append(rows[place * size : (place + 1) * size])
    return Split(*(np.sort(np.concatenate(part)) for part in parts))
