"""Images whose sources are known: mixes of training images, and altered copies of single ones."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gmv.demo.remix import png
from gmv.events.model import GeneratedImage, ImageBytes
from gmv.indexing.calibrating import MIXES
from gmv.indexing.mixes import altered_copy, draw_sources, mixed

ALTERED_COPIES: Final = "altered copies of training images"
_SOURCE: Final = "/gmv/calibrate"  # CloudEvents source
_SEED: Final = 7  # another than a build's own mixes have

Pixels = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Sources:
    """Which training images the queries of each kind are made of, settled before any is read.

    Attributes:
        mixes: rows of each mix, one to three.
        altered_copies: the row of each copy.
    """

    mixes: Sequence[tuple[int, ...]]
    altered_copies: Sequence[int]

    @property
    def rows(self) -> frozenset[int]:
        """All rows that are needed."""
        return frozenset(row for each in self.mixes for row in each) | frozenset(self.altered_copies)


@dataclass(frozen=True, slots=True)
class Query:
    """An image, as the event that would bring it, and the rows that it is made of."""

    event: GeneratedImage
    sources: tuple[int, ...]


def draw(rows: int, count: int) -> Sources:
    """Draw the sources of `count` queries of each kind from so many rows; the same each time."""
    mixes = [tuple(each.tolist()) for each in draw_sources(count, rows, _SEED)]
    copied = np.random.default_rng((_SEED, 3)).integers(0, rows, count).tolist()
    return Sources(mixes, copied)


def make_queries(sources: Sources, pictures: Mapping[int, Pixels]) -> dict[str, list[Query]]:
    """Make the queries of each kind, each as large as its first source.

    Args:
        sources: of each.
        pictures: uint8 [side, side, 3], by row.
    """
    mixes = [
        (mixed([pictures[row] for row in rows], len(pictures[rows[0]]), _SEED, number), rows)
        for number, rows in enumerate(sources.mixes)
    ]
    copies = [
        (altered_copy(pictures[row], len(pictures[row]), _SEED, number), (row,))
        for number, row in enumerate(sources.altered_copies)
    ]
    return {MIXES: _queries("mix", mixes), ALTERED_COPIES: _queries("copy", copies)}


def _queries(name: str, made: Sequence[tuple[Pixels, tuple[int, ...]]]) -> list[Query]:
    return [
        Query(GeneratedImage(_SOURCE, f"{name}-{number}", ImageBytes(png(pixels))), rows)
        for number, (pixels, rows) in enumerate(made)
    ]
