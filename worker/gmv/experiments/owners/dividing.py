"""Ways to give training images to owners, so that what owners are worth differs for one reason at a time."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from gmv.errors import ExperimentRefused
from gmv.experiments.images import LabelledImages
from gmv.linear.k_means import k_means

_STYLE_DIRECTIONS: Final = 8
_STYLE_ITERATIONS: Final = 50
_SPOILED_MIN: Final = 5
_IMAGES_MIN: Final = 2


@dataclass(frozen=True, slots=True)
class Division:
    """Whose the training images are.

    Attributes:
        images: all of them, as their owners have them.
        owner_of: int64 [images], numbers of owners from 0.
        holdings: what each owner has, in words.
    """

    images: LabelledImages
    owner_of: NDArray[np.int64]
    holdings: tuple[str, ...]

    def stamp(self) -> dict[str, Any]:
        """What tells it from any other, as JSON has it."""
        whose = hashlib.sha256(np.ascontiguousarray(self.owner_of, np.int64).tobytes()).hexdigest()[:16]
        return {"images": self.images.digest, "owners": len(self.holdings), "whose": whose}


Divide: TypeAlias = Callable[[LabelledImages, int, np.random.Generator], Division]
"""Gives images to a number of owners, by chance where it has to."""


def divide(name: str, images: LabelledImages, owners: int, seed: int) -> Division:
    """Give images to owners.

    Args:
        name: of `DIVISIONS`.
        images: the training images.
        owners: how many, at least 2.
        seed: of what is random.

    Raises:
        ExperimentRefused: there is no such division, or it wants another number of owners, or more images.
    """
    if name not in DIVISIONS:
        raise ExperimentRefused(
            f"there is no division {name!r} of images among owners; there are {', '.join(DIVISIONS)}"
        )
    division = DIVISIONS[name](images, owners, np.random.default_rng([seed, 4]))
    counts = np.bincount(division.owner_of, minlength=owners)
    if counts.min() < _IMAGES_MIN:
        raise ExperimentRefused(
            f"of {len(images):,} images divided by {name}, one of {owners} owners has {counts.min()}; each needs "
            f"{_IMAGES_MIN}: give more images, or fewer --owners"
        )
    return division


def equally(images: LabelledImages, owners: int, random: np.random.Generator) -> Division:
    """All have as many images, at random: their worth differs by chance alone. What is left over is nobody's."""
    size = len(images) // owners
    rows = np.sort(random.permutation(len(images))[: size * owners])
    owner_of = random.permutation(np.repeat(np.arange(owners), size))
    return Division(images.take(rows), owner_of, ("at random",) * owners)


def by_size(images: LabelledImages, owners: int, random: np.random.Generator) -> Division:
    """The second owner has twice as many images as the first, the third three times, at random."""
    parts = np.arange(1, owners + 1)
    bounds = np.rint(np.cumsum(parts) / parts.sum() * len(images))
    places = random.permutation(len(images))
    holdings = tuple(f"{part} of {parts.sum()} parts" for part in parts)
    return Division(images, np.searchsorted(bounds, places, side="right").astype(np.int64), holdings)


def by_class(images: LabelledImages, owners: int, random: np.random.Generator) -> Division:
    """Each owner has all images of a class, or of several."""
    del random  # nothing is left to chance
    if owners > images.classes:
        raise ExperimentRefused(
            f"{images.classes} classes cannot be divided among {owners} owners; give --owners {images.classes}, or "
            "leave the division by classes out"
        )
    of_classes = np.arange(images.classes) % owners
    holdings = tuple(
        " and ".join(f"class {label}" for label in np.flatnonzero(of_classes == owner)) for owner in range(owners)
    )
    return Division(images, of_classes[images.labels], holdings)


def by_style(images: LabelledImages, owners: int, random: np.random.Generator) -> Division:
    """Each owner has images that differ alike from the mean of their class, as those of one writer do.

    Clusters, by k-means, of these differences along the directions in which they vary most.
    """
    flat = images.pixels.reshape(len(images), -1).astype(np.float64)
    means = np.stack([flat[images.labels == label].mean(0) for label in range(images.classes)])
    differences = flat - means[images.labels]
    _, _, directions = np.linalg.svd(differences, full_matrices=False)
    along = differences @ directions[:_STYLE_DIRECTIONS].T
    points = np.rint(along * (127 / max(float(np.abs(along).max()), 1.0))).astype(np.int8)
    centres = k_means(points, owners, _STYLE_ITERATIONS, int(random.integers(2**32)))
    return Division(images, cdist(points, centres).argmin(1), ("of one style",) * owners)


def spoiled(images: LabelledImages, owners: int, random: np.random.Generator) -> Division:
    """As many images each; of the last four owners they are half noise, of wrong classes, noise alone, and copies."""
    if owners < _SPOILED_MIN:
        raise ExperimentRefused(
            f"the division spoiled gives four owners images of less use, and {owners} owners are too few; give "
            f"--owners {_SPOILED_MIN} or more, or leave it out"
        )
    equal = equally(images, owners, random)
    pixels, labels = equal.images.pixels.copy(), equal.images.labels.copy()
    half_noise, wrong, noise, copies = (np.flatnonzero(equal.owner_of == owners - back) for back in (4, 3, 2, 1))
    pixels[half_noise] = (pixels[half_noise].astype(np.uint16) + _noise_like(pixels[half_noise], random)) // 2
    labels[wrong] = (labels[wrong] + random.integers(1, images.classes, len(wrong))) % images.classes
    pixels[noise] = _noise_like(pixels[noise], random)
    originals = equal.owner_of == 0
    pixels[copies], labels[copies] = pixels[originals], labels[originals]
    holdings = (*("at random",) * (owners - 4), "half noise", "of wrong classes", "noise", "copies of owner 0's")
    return replace(equal, images=replace(equal.images, pixels=pixels, labels=labels), holdings=holdings)


def _noise_like(pixels: NDArray[np.uint8], random: np.random.Generator) -> NDArray[np.uint8]:
    return random.integers(0, 256, pixels.shape, dtype=np.uint8)


DIVISIONS: Final[Mapping[str, Divide]] = {
    "equal": equally,
    "sizes": by_size,
    "classes": by_class,
    "styles": by_style,
    "spoiled": spoiled,
}
