"""Work cut into stretches gives what one thread gives, and is done at the same time."""

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from numpy.typing import NDArray

from gmv.assembly.side_by_side import EncoderSideBySide, RecallSideBySide, SideBySide
from gmv.encoders.port import Features
from gmv.errors import Poison, Reason
from gmv.index.recall import FaissRecall
from gmv.indexing.factory import train_index
from tests.services.patience import patience

THREADS = 3
VECTORS = np.random.default_rng(0).normal(size=(2_000, 8)).astype(np.float32)
QUERIES = VECTORS[:7] + np.float32(0.1)


class MeanColour:
    """An encoder that has to be called by as many threads as there are stretches before it answers."""

    encoder_id = "mean-colour"
    vector_size = 3
    tokens_shape = (1, 3)

    def __init__(self, together: int) -> None:
        self._together = threading.Barrier(together, timeout=patience(20))

    def encode(self, images: Sequence[NDArray[np.uint8]]) -> Features:
        self._together.wait()
        if any(image.shape[1] == 1 for image in images):
            raise Poison(Reason.IMAGE_CORRUPT, "one pixel wide")
        vectors = np.array([image.mean((0, 1)) for image in images], np.float32)
        return Features(vectors, vectors[:, np.newaxis])


@pytest.fixture
def side_by_side() -> Iterator[SideBySide]:
    with ThreadPoolExecutor(THREADS) as executor:
        yield SideBySide(executor, THREADS)


def pictures(count: int, width: int = 4) -> list[NDArray[np.uint8]]:
    return list(np.random.default_rng(1).integers(0, 256, (count, 5, width, 3), np.uint8))


@pytest.mark.parametrize(("count", "stretches"), [(1, 1), (2, 2), (3, 3), (7, 3), (10, 3)])
def test_images_are_encoded_at_the_same_time_and_stay_in_order(
    side_by_side: SideBySide, count: int, stretches: int
) -> None:
    encoded = EncoderSideBySide(MeanColour(stretches), side_by_side).encode(pictures(count))
    alone = MeanColour(1).encode(pictures(count))
    assert (encoded.vectors == alone.vectors).all()
    assert (encoded.tokens == alone.tokens).all()


def test_what_one_stretch_raises_is_raised(side_by_side: SideBySide) -> None:
    images = [*pictures(6), *pictures(1, width=1)]
    with pytest.raises(Poison, match="one pixel wide"):
        EncoderSideBySide(MeanColour(THREADS), side_by_side).encode(images)


def test_an_encoder_is_named_as_the_one_inside(side_by_side: SideBySide) -> None:
    encoder = EncoderSideBySide(MeanColour(1), side_by_side)
    assert (encoder.encoder_id, encoder.vector_size, encoder.tokens_shape) == ("mean-colour", 3, (1, 3))


@pytest.mark.parametrize("count", [0, 1, 2, 3, 7])
def test_recall_is_the_same_by_many_threads(side_by_side: SideBySide, count: int) -> None:
    alone = FaissRecall(train_index("PQ4", VECTORS, seed=0))
    found = RecallSideBySide(alone, side_by_side).recall(QUERIES[:count], 20)
    for rows, expected in zip(found, alone.recall(QUERIES[:count], 20), strict=True):
        assert (rows == expected).all()
