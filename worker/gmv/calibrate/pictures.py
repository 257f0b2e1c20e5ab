"""The pictures behind an index, read from its corpus once that is seen to be the one that was indexed."""

import hashlib
from collections.abc import Callable, Collection
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gmv.corpus.port import Corpus, image_files
from gmv.encoders.working_size import WORKING_SIZE_MAX, WORKING_SIZE_MIN, to_working_size
from gmv.errors import CorpusRefused, IndexRefused, Poison
from gmv.imaging.decode import ImageLimits, decode_image
from gmv.index.opened import Index
from gmv.indexing.writing import corpus_digest

Pixels = NDArray[np.uint8]

_DIGEST_BYTES: Final = 32


def read_pictures(
    corpus: Corpus, index: Index, rows: Collection[int], limits: ImageLimits, advance: Callable[[int], None]
) -> dict[int, Pixels]:
    """Return the training images of some rows, after all files of the index's images were compared with its digest.

    Args:
        corpus: that the index was built from; what the index left out may be in it.
        index: whose images they are.
        rows: to return.
        limits: of image files.
        advance: called with 1 for each image of the index.

    Returns:
        By row, uint8 [side, side, 3]: a square as large as the longer side, between 16 and 256 pixels.

    Raises:
        CorpusRefused: the corpus cannot be read, an image is missing, or a file is another than was indexed.
        IndexRefused: the index was built from features, and there are no pictures.
    """
    if not index.manifest.encoder.has_parameters:
        raise IndexRefused(
            f"{index.path} holds features of {index.encoder.encoder_id}, and no encoder for images; "
            "calibrate an index that was built from images"
        )
    corpus.catalogue()  # which refuses what has no such columns, and says so
    images = index.images.images(range(len(index.images)))
    row_of = {image.image_id: row for row, image in enumerate(images)}
    digests = np.zeros((len(images), _DIGEST_BYTES), np.uint8)
    pictures: dict[int, Pixels] = {}
    missing = set(row_of)
    for image in image_files(corpus):
        row = row_of.get(image.image_id)
        if row is None:
            continue
        missing.discard(image.image_id)
        digests[row] = np.frombuffer(hashlib.sha256(image.content).digest(), np.uint8)
        if row in rows:
            pictures[row] = _picture(corpus, image.image_id, image.content, limits)
        advance(1)
    if missing:
        raise CorpusRefused(
            f"{corpus.name} lacks {len(missing):,} of the {len(images):,} images of the index, such as "
            f"{min(missing)!r}; name the corpus that {index.path} was built from"
        )
    if corpus_digest(images, digests) != index.manifest.corpus.digest:
        raise CorpusRefused(
            f"{corpus.name} holds other files under the ids of the index; name the corpus that {index.path} was "
            "built from, or build the index again"
        )
    return pictures


def _picture(corpus: Corpus, image_id: str, content: bytes, limits: ImageLimits) -> Pixels:
    try:
        pixels = decode_image(content, limits)
    except Poison as poison:
        raise CorpusRefused(
            f"{corpus.name}: {image_id!r}: {poison.detail}; it was indexed under other limits, or is another file"
        ) from poison
    return to_working_size(pixels, min(max(*pixels.shape[:2], WORKING_SIZE_MIN), WORKING_SIZE_MAX))
