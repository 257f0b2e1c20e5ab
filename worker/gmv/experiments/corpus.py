"""An experiment's images as a corpus, and as events: the forms in which gmv takes images from anybody."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from gmv.demo.remix import png
from gmv.events.model import GeneratedImage, ImageBytes
from gmv.experiments.images import LabelledImages

SOURCE = "/gmv/experiments"


def image_id(row: int) -> str:
    """Return the id of a training image: ids are in order of rows, as an index is."""
    return f"{row:08}"


def write_corpus(images: LabelledImages, path: Path) -> None:
    """Write the images as Parquet, each class an owner of its own, since experiments look at images alone."""
    table = pa.table(
        {
            "image_id": [image_id(row) for row in range(len(images))],
            "owner_id": [f"class-{label}" for label in images.labels],
            "image": [{"bytes": image_file(each), "path": None} for each in images.pixels],
        }
    )
    pq.write_table(table, path)


def events_of(drawn: Iterable[NDArray[np.uint8]]) -> list[GeneratedImage]:
    """Return generated images, each uint8 [height, width, channels], as events."""
    return [GeneratedImage(SOURCE, str(row), ImageBytes(image_file(each))) for row, each in enumerate(drawn)]


def image_file(pixels: NDArray[np.uint8]) -> bytes:
    """Return an image, [side, side, 1 or 3], as PNG in RGB: gmv brings it to its encoder's size, as any other."""
    return png(np.broadcast_to(pixels, (*pixels.shape[:2], 3)))
