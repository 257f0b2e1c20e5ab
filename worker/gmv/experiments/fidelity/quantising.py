"""An index that recalls by vectors quantised otherwise: not at all, or by product quantisation as GMValuator's are.

Compared are a query's own vector and the quantised ones of all training images (asymmetric distances: Jégou, Douze and
Schmid, TPAMI 2011), by the distance that the index compares vectors by; so nothing else is approximate.
"""

from dataclasses import replace
from typing import Any, Final, cast

import faiss
import numpy as np
from numpy.typing import NDArray

from gmv.encoders.port import MirroringEncoder
from gmv.index.integer_recall import IntegerRecall
from gmv.index.opened import Index

PQ_BYTES: Final = 8
"""A vector's: the demonstration of GMValuator's first author has IVFPQ with 8 parts of 8 bits."""

_BITS: Final = 8
_LARGEST: Final = 127


def unquantised(index: Index) -> Index:
    """Return an index that recalls by its vectors themselves, without a scan of codes before."""
    return _recalling_by(index, _recall(index).vectors)


def product_quantised(index: Index) -> Index:
    """Return an index that recalls by vectors of `PQ_BYTES` codes each, learnt from all of them."""
    return _recalling_by(index, through_codes(_recall(index).vectors))


def through_codes(vectors: NDArray[np.int8]) -> NDArray[np.int8]:
    """Return what product quantisation leaves of vectors, int8 [rows, D]; D is a multiple of `PQ_BYTES`.

    Of fewer than 256 vectors there are fewer bits: faiss needs a vector for each of a part's centroids.
    """
    numbers = np.ascontiguousarray(vectors, np.float32)
    bits = max(1, min(_BITS, len(vectors).bit_length() - 1))
    # Of its Python layer faiss's types know nothing.
    quantiser: Any = faiss.ProductQuantizer(vectors.shape[1], PQ_BYTES, bits)
    quantiser.cp.min_points_per_centroid = 1  # it would print a warning, in the middle of progress bars
    quantiser.train(numbers)
    left: NDArray[np.float32] = quantiser.decode(quantiser.compute_codes(numbers))
    return np.clip(np.rint(left), -_LARGEST, _LARGEST).astype(np.int8)


def _recalling_by(index: Index, vectors: NDArray[np.int8]) -> Index:
    recall, encoder = _recall(index), cast(MirroringEncoder, index.mirror)
    places, every_pair = encoder.vector_places, 2 * recall.rows
    codes = recall.coder.codes(np.ascontiguousarray(vectors))
    return replace(index, recall=IntegerRecall(recall.coder, codes, vectors, encoder.vector_mirror, places, every_pair))


def _recall(index: Index) -> IntegerRecall:
    return cast(IntegerRecall, index.recall)  # experiments build indexes by the encoder that is learnt alone
