"""A data set made by hand, small enough that an experiment on it takes seconds: three classes of 8 x 8 pixels."""

import io
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

from gmv.experiments.images import LabelledImages

CLASSES = 3
SIDE = 8


def shapes(per_class: int = 20, side: int = SIDE, seed: int = 0) -> LabelledImages:
    """A bar across, a bar down and a diagonal, each at another place and shade."""
    random = np.random.default_rng(seed)
    labels = np.repeat(np.arange(CLASSES), per_class)
    pixels = random.integers(0, 40, (len(labels), side, side, 1), dtype=np.uint8)
    for image, label in zip(pixels, labels, strict=True):
        place, shade = random.integers(0, side), random.integers(120, 256)
        if label == 0:
            image[place] = shade
        elif label == 1:
            image[:, place] = shade
        else:
            image[np.arange(side), (np.arange(side) + place) % side] = shade
    return LabelledImages("shapes", pixels, labels.astype(np.int64), CLASSES)


def write_parquet(images: LabelledImages, path: Path, labels: object = None) -> Path:
    files = []
    for each in images.pixels:
        file = io.BytesIO()
        Image.fromarray(each[:, :, 0]).save(file, "PNG")
        files.append({"bytes": file.getvalue(), "path": None})
    pq.write_table(pa.table({"image": files, "label": images.labels if labels is None else labels}), path)
    return path
