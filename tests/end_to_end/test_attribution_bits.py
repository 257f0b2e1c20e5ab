"""What real images earn does not depend on `worker.threads`, the cutting of a log into runs, or candidates' order."""

import io
from collections.abc import Sequence

import numpy as np
import pyarrow.parquet as parquet
import pytest
from numpy.typing import NDArray
from PIL import Image

from gmv.assembly.parts import method_of
from gmv.attributor import Attributor
from gmv.events.model import GeneratedImage, ImageBytes
from gmv.events.reader import ImageReader
from gmv.index.opened import Index
from gmv.index.port import LooksRecalled, Recall
from gmv.settings import Settings
from gmv.valuation.owners import Ownership
from gmv.valuation.types import Attribution
from gmv.valuation.wasserstein.rerank import ExactReranker
from tests.end_to_end.conftest import EXAMPLE_CORPUS

EVENTS = 60


class Shuffled(Recall):
    """Recalls the same images in another order."""

    def __init__(self, recall: Recall) -> None:
        self._recall = recall
        self._random = np.random.default_rng(1)

    def recall(self, vectors: NDArray[np.float32], candidates: int) -> list[NDArray[np.int64]]:
        return [self._random.permutation(rows) for rows in self._recall.recall(vectors, candidates)]

    def recall_looks(self, vectors: NDArray[np.float32], candidates: int) -> list[LooksRecalled]:
        recalled = self._recall.recall_looks(vectors, candidates)
        return [LooksRecalled(*map(self._random.permutation, looks)) for looks in recalled]


@pytest.fixture(scope="module")
def events() -> list[GeneratedImage]:
    """Images that are not in the index, and flat ones, whose tokens repeat: many matchings cost the same."""
    files = [image["bytes"] for image in parquet.read_table(EXAMPLE_CORPUS)["image"].to_pylist()[-EVENTS:]]
    for shade in range(0, 250, 50):
        buffer = io.BytesIO()
        Image.new("RGB", (32, 32), (shade, shade, 255 - shade)).save(buffer, "PNG")
        files.append(buffer.getvalue())
    return [GeneratedImage("/stable", f"{number}", ImageBytes(content)) for number, content in enumerate(files)]


def attribute(
    index: Index, events: Sequence[GeneratedImage], threads: int, run: int, recall: Recall
) -> list[Attribution]:
    settings = Settings()
    reranker, method = ExactReranker(index.tokens, threads, index.token_scale), method_of(settings, index)
    attributor = Attributor(
        ImageReader(settings.images), index.encoder, recall, reranker, index.images, method, Ownership(), index.mirror
    )
    outcomes = [
        outcome for first in range(0, len(events), run) for outcome in attributor.attribute(events[first : first + run])
    ]
    assert all(isinstance(outcome, Attribution) for outcome in outcomes)
    return [outcome for outcome in outcomes if isinstance(outcome, Attribution)]


def test_not_a_bit_changes(larger_index: Index, events: list[GeneratedImage]) -> None:
    together = attribute(larger_index, events, 1, len(events), larger_index.recall)
    assert len({share.image_id for each in together for share in each.contributors}) > 100
    for threads, run in ((1, 1), (2, 64), (3, 7)):
        assert attribute(larger_index, events, threads, run, Shuffled(larger_index.recall)) == together, (threads, run)
