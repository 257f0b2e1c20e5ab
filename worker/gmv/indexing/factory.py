"""Which faiss index for how many images, and its training."""

import math
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

from gmv.errors import InvalidSettings

FLAT_IMAGES_MAX = 2_000
"""Below, exact search is as quick as any, and codes would have too few images to learn from."""

SCANNED_IMAGES_MAX = 250_000
"""Up to so many, all codes are scanned; above, those of the nearest lists. Of 250,000, .94 of the 100 nearest are
recalled in 1.9 ms by a scan, .83 in 1.0 ms by lists."""

_CODES_MAX = 128
"""Of four bits, scanned in registers: 64 bytes an image. Codes alone say too little: where 50,000 are recalled from by
64 codes of eight bits, which takes 2.0 ms, .68 of the 100 nearest are among 100; by these, refined, .97 in 0.4 ms."""
_NUMBERS_PER_CODE_MIN = 2
_REFINED_TIMES_WANTED = 4
"""So many times the rows wanted are ordered again by their vectors in float16, 2 D bytes an image, of which the codes
choose. Twice: .88 of the 100 nearest; six times: .99, in 0.1 ms more."""
_LISTS_PROBED_SHARE = 1 / 8  # before a build has measured how many are enough (`probing`)
_TRAINING_ROWS_MAX = 100_000
_LIST_ROWS_MIN = 39  # below it faiss warns that a list's centre rests on too few
_CHUNK_ROWS = 65_536


def default_factory(images: int, vector_size: int) -> str:
    """Return the faiss factory string for a corpus.

    Args:
        images: in the corpus.
        vector_size: D.
    """
    if images < FLAT_IMAGES_MAX:
        return "Flat"
    codes = max(1, min(_CODES_MAX, vector_size // _NUMBERS_PER_CODE_MIN))
    # A random rotation spreads the variance over the codes at no cost: of the 100 nearest of 5,000, 100 recalled by
    # codes alone held .763; .723 without a rotation, .771 with one that is learnt (OPQ) in 11 times the time.
    rotation = f"RR{vector_size // codes * codes}"
    # 4 sqrt(images), to the nearest power of two by its logarithm: by integers, which are the same in all C libraries.
    lists = "" if images <= SCANNED_IMAGES_MAX else f"IVF{2 ** ((16 * images).bit_length() // 2)},"
    return f"{rotation},{lists}PQ{codes}x4fs,Refine(SQfp16)"


def train_index(factory: str, vectors: NDArray[np.float32], seed: int) -> faiss.Index:
    """Build a faiss index over float32 [rows, D]; the same input and threads give the same bits.

    Args:
        factory: faiss factory string.
        vectors: mapped or in memory; read in chunks.
        seed: of the choice of training rows.

    Raises:
        InvalidSettings: faiss does not know the factory, or cannot train it on so few or such vectors.
    """
    rows, size = vectors.shape
    try:
        index = faiss.index_factory(size, factory, faiss.METRIC_L2)
        quantizers = _quieten(index)
        chosen = np.random.default_rng(seed).choice(rows, min(rows, _TRAINING_ROWS_MAX), replace=False)
        index.train(vectors[np.sort(chosen)])
        del quantizers
        for start in range(0, rows, _CHUNK_ROWS):
            index.add(np.ascontiguousarray(vectors[start : start + _CHUNK_ROWS]))
    except RuntimeError as error:
        reason = str(error).strip().splitlines()[-1]
        raise InvalidSettings(
            f"faiss cannot build {factory!r} over {rows:,} vectors of {size} numbers ({reason}); give another --factory"
        ) from error
    _set_search(index)
    return index


def _quieten(index: Any) -> list[faiss.ProductQuantizer]:
    """Keep faiss from warning, once per code byte and iteration, of few images, which `default_factory` has weighed.

    Returns:
        What faiss holds bare pointers to: to be kept until it is trained.
    """
    quantizers = []
    if isinstance(index, faiss.IndexRefine):
        index = faiss.downcast_index(index.base_index)
    if isinstance(index, faiss.IndexPreTransform):
        chain: Any = index.chain
        for place in range(chain.size()):
            rotation = faiss.downcast_VectorTransform(chain.at(place))
            if isinstance(rotation, faiss.OPQMatrix):
                quantizers.append(faiss.ProductQuantizer(rotation.d_out, rotation.M, 8))
                rotation.pq = quantizers[-1]
        index = faiss.downcast_index(index.index)
    if hasattr(index, "pq"):
        quantizers.append(index.pq)
    if hasattr(index, "do_polysemous_training"):
        index.do_polysemous_training = False  # 4 minutes of annealing for a search mode that is not used here
    for quantizer in quantizers:
        quantizer.cp.min_points_per_centroid = 1
    return quantizers


def _set_search(index: Any) -> None:
    if isinstance(index, faiss.IndexRefine):
        index.k_factor = _REFINED_TIMES_WANTED
    inverted = faiss.try_extract_index_ivf(index)
    if inverted is not None:
        inverted.nprobe = max(1, math.ceil(inverted.nlist * _LISTS_PROBED_SHARE))
