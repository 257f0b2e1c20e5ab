"""Which queries a build asks to see how many candidates are enough."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gmv.corpus.port import Corpus, image_files
from gmv.encoders.port import Features, MirroringEncoder, Numbers
from gmv.encoders.working_size import to_working_size
from gmv.imaging.decode import ImageLimits, decode_image
from gmv.index.tokens import Tokens, as_query
from gmv.indexing.calibration import Query, queries_of
from gmv.indexing.mixes import altered_copy, draw_sources, mixed

_PAIRS_OF_A_KIND: Final = 3_000_000  # ranked by brute force: some 20 s in one thread
_QUERIES_MIN, _QUERIES_MAX = 20, 60
_SOURCES: Final = 200  # read for copies and mixes


def queries_for(rows: int) -> int:
    """Return how many queries of a kind are asked: the fewer, the more rows each is ranked against."""
    return min(rows, _QUERIES_MAX, max(_QUERIES_MIN, _PAIRS_OF_A_KIND // max(1, rows)))


def training_images(
    vectors: Numbers, tokens: Tokens, encoder: MirroringEncoder | None, count: int, seed: int
) -> list[Query]:
    """Draw training images, in order of row, to be left out of their own answers.

    Args:
        vectors: [rows, D].
        tokens: [rows, n, d].
        encoder: that mirrors images; None where there is no mirrored look.
        count: at most.
        seed: of the draw.
    """
    rows = len(vectors)
    drawn = np.sort(np.random.default_rng(seed).choice(rows, min(rows, count), replace=False))
    features = Features(np.array(vectors[drawn]), as_query(tokens[drawn]))
    return queries_of(features, encoder, drawn.tolist())


def pictures(
    corpus: Corpus, image_ids: Sequence[str], limits: ImageLimits, side: int, seed: int
) -> list[NDArray[np.uint8]]:
    """Read some of the training images, to make others of: uint8 [side, side, 3] each, in order of id.

    Args:
        corpus: passed over once.
        image_ids: of the images that are in the index, all of which were decoded before.
        limits: of images.
        side: in pixels.
        seed: of the draw.
    """
    places = np.random.default_rng((seed, 2)).choice(len(image_ids), min(len(image_ids), _SOURCES), replace=False)
    read = pictures_of(corpus, {image_ids[place] for place in places}, limits, side)
    return [read[image_id] for image_id in sorted(read)]


def pictures_of(corpus: Corpus, image_ids: set[str], limits: ImageLimits, side: int) -> dict[str, NDArray[np.uint8]]:
    """Return some training images, all of which were decoded before, by id: uint8 [side, side, 3] each."""
    return {
        image.image_id: to_working_size(decode_image(image.content, limits), side)
        for image in image_files(corpus)
        if image.image_id in image_ids
    }


def mixes(
    sources: Sequence[NDArray[np.uint8]], encoder: MirroringEncoder, side: int, count: int, seed: int
) -> list[Query]:
    """Make mixes of one to three pictures each, and encode them.

    Args:
        sources: uint8 [side, side, 3] each.
        encoder: of the index.
        side: of a mix, in pixels.
        count: of mixes.
        seed: of the draw.
    """
    return _mixes_of(draw_sources(count, len(sources), seed), sources, encoder, side, seed)


def copies_and_mixes(
    sources: Sequence[NDArray[np.uint8]], encoder: MirroringEncoder, side: int, seed: int
) -> tuple[list[Query], list[Query]]:
    """Make an altered copy of each picture, and as many mixes of two or three; encode them.

    Args:
        sources: uint8 [side, side, 3] each.
        encoder: of the index.
        side: of what is made, in pixels.
        seed: of the draw.
    """
    copies = [altered_copy(each, side, seed, number) for number, each in enumerate(sources)]
    several = [each for each in draw_sources(2 * len(sources), len(sources), seed + 2) if len(each) > 1]
    return _encoded(copies, encoder), _mixes_of(several[: len(sources)], sources, encoder, side, seed + 2)


def _mixes_of(
    places: Sequence[NDArray[np.int64]],
    sources: Sequence[NDArray[np.uint8]],
    encoder: MirroringEncoder,
    side: int,
    seed: int,
) -> list[Query]:
    made = [mixed([sources[place] for place in each], side, seed, number) for number, each in enumerate(places)]
    return _encoded(made, encoder)


def _encoded(made: Sequence[NDArray[np.uint8]], encoder: MirroringEncoder) -> list[Query]:
    return queries_of(encoder.encode(made), encoder) if made else []
