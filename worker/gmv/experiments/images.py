"""Labelled images of an experiment: their pixels, their classes, and what is wrong with them said in a sentence."""

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gmv.errors import ExperimentRefused

Rows = NDArray[np.int64]
"""Numbers of images, counted from 0."""

CLASSES_MIN = 2
_CHOICE = 4
"""Seed of which images are chosen where not all are taken; experiments have seeds of their own."""


@dataclass(frozen=True, slots=True)
class LabelledImages:
    """A data set, in memory.

    Attributes:
        name: of the data set.
        pixels: uint8 [images, side, side, channels], of one channel or three.
        labels: int64 [images], in [0, classes).
        classes: how many there are.
    """

    name: str
    pixels: NDArray[np.uint8]
    labels: NDArray[np.int64]
    classes: int

    def __len__(self) -> int:
        return len(self.pixels)

    @property
    def shape(self) -> tuple[int, int, int]:
        """(channels, side, side), as torch has an image."""
        side, channels = self.pixels.shape[2:]
        return channels, side, side

    @property
    def digest(self) -> str:
        """16 hex digits over pixels and labels."""
        content = hashlib.sha256(np.ascontiguousarray(self.pixels).tobytes())
        content.update(np.ascontiguousarray(self.labels, np.int64).tobytes())
        return content.hexdigest()[:16]

    def take(self, rows: Rows) -> "LabelledImages":
        """Return these rows, in this order."""
        return LabelledImages(self.name, self.pixels[rows], self.labels[rows], self.classes)

    def fewer(self, count: int) -> "LabelledImages":
        """Return so many images, as many of each class, chosen at random and the same each time; in order of row.

        Args:
            count: of images; where it is no multiple of the classes, the result has a few less.

        Raises:
            ExperimentRefused: a class has fewer than its part, or a part is no image.
        """
        part, random = count // self.classes, np.random.default_rng(_CHOICE)
        scarce = int(np.bincount(self.labels, minlength=self.classes).min())
        if not 1 <= part <= scarce:
            raise ExperimentRefused(
                f"{count:,} images are {part:,} of each class, and {self.name} has {scarce:,} of its smallest class; "
                f"ask for {self.classes:,} to {self.classes * scarce:,} with --images"
            )
        rows = [
            random.permutation(np.flatnonzero(self.labels == label))[:part].astype(np.int64)
            for label in range(self.classes)
        ]
        return self.take(np.sort(np.concatenate(rows)))


def check_images(images: LabelledImages, per_class_min: int) -> None:
    """See that generators can be trained on images and that these can be split.

    Args:
        images: to look at.
        per_class_min: how many of each class are needed.

    Raises:
        ExperimentRefused: there is one class only, a class has too few images, or images are no squares.
    """
    if images.pixels.ndim != 4 or images.pixels.shape[1] != images.pixels.shape[2]:
        raise ExperimentRefused(
            f"{images.name} has images of {images.pixels.shape[1:]}; generators make squares: crop them to one size"
        )
    if len(images.labels) != len(images.pixels):
        raise ExperimentRefused(
            f"{images.name} has {len(images.pixels):,} images and {len(images.labels):,} labels; each needs its own"
        )
    found = np.unique(images.labels)
    if len(found) < CLASSES_MIN:
        raise ExperimentRefused(
            f"{images.name} has one class only; the generators are told a class, and RA3 compares classes: give two"
        )
    if found[0] < 0 or found[-1] >= images.classes:
        raise ExperimentRefused(
            f"{images.name} has labels from {found[0]} to {found[-1]}; with {images.classes} classes they are 0 to "
            f"{images.classes - 1}"
        )
    counts = np.bincount(images.labels, minlength=images.classes)
    if counts.min() < per_class_min:
        scarce = int(counts.argmin())
        raise ExperimentRefused(
            f"{images.name} has {counts[scarce]} images of class {scarce}; {per_class_min} of each class are needed: "
            "give more, or leave the class out"
        )
