"""The data sets that experiments run on: scikit-learn's digits, or a Parquet file with a label to each image."""

from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from gmv.errors import ExperimentRefused, PackagesMissing, Poison
from gmv.experiments.images import LabelledImages
from gmv.imaging.decode import ImageLimits, decode_image

DIGITS: Final = "digits"
_DIGIT_LEVELS = 16  # pixels of scikit-learn's digits are 0 to 16
_BYTES_MAX, _PIXELS_MAX = 10_000_000, 1_000_000


def digits() -> LabelledImages:
    """Return the 1,797 handwritten digits of scikit-learn, 8 x 8 pixels, real ones (UCI, Alpaydin and Kaynak).

    Raises:
        PackagesMissing: scikit-learn is not installed.
    """
    try:
        from sklearn.datasets import load_digits
    except ModuleNotFoundError as error:
        raise PackagesMissing(
            "the digits are scikit-learn's, which is not installed: pip install 'gmv[worker,experiments]'"
        ) from error
    found = load_digits()
    pixels = np.rint(found.images * (255 / _DIGIT_LEVELS)).astype(np.uint8)[..., np.newaxis]
    return LabelledImages(DIGITS, pixels, found.target.astype(np.int64), 10)


def labelled_parquet(path: Path, label_column: str = "label", image_column: str = "image") -> LabelledImages:
    """Return the images of a Parquet file, in order of their rows.

    Args:
        path: of the file, of columns as Hugging Face's data sets have them: images as bytes or as a struct of them.
        label_column: whole numbers from 0, or names of classes, which are numbered in alphabetical order.
        image_column: of files in PNG, JPEG or WEBP.

    Raises:
        ExperimentRefused: it is no such file, a label is missing, or is neither number nor name, an image is damaged or
            of another size than the first.
    """
    try:
        table = pq.read_table(path, columns=[label_column, image_column])
    except (OSError, pa.ArrowInvalid, KeyError) as error:
        raise ExperimentRefused(
            f"{path} cannot be read as Parquet with the columns {label_column} and {image_column}: {error}"
        ) from error
    if label_column not in table.column_names or image_column not in table.column_names:
        raise ExperimentRefused(f"{path} has no columns {label_column} and {image_column}; name those it has")
    labels = _labels(path, table[label_column])
    limits = ImageLimits(_BYTES_MAX, _PIXELS_MAX)
    pixels: list[np.ndarray] = []
    for row, cell in enumerate(table[image_column].to_pylist()):
        content = cell.get("bytes") if isinstance(cell, dict) else cell
        if not isinstance(content, bytes):
            raise ExperimentRefused(f"{path}: row {row} has no image; its {image_column} holds no bytes")
        try:
            pixels.append(decode_image(content, limits))
        except Poison as poison:
            raise ExperimentRefused(f"{path}: the image of row {row} is refused: {poison.detail}") from poison
        if pixels[-1].shape != pixels[0].shape:
            raise ExperimentRefused(
                f"{path}: the image of row {row} is {pixels[-1].shape[:2]}, the first {pixels[0].shape[:2]}; "
                "generators make images of one size"
            )
    if not pixels:
        raise ExperimentRefused(f"{path} has no rows")
    if (classes := int(labels.max()) + 1) > len(pixels):
        raise ExperimentRefused(
            f"{path} has a label {classes - 1:,}, and {len(pixels):,} images; number the classes from 0 without gaps"
        )
    return LabelledImages(path.stem, np.stack(pixels), labels, classes)


def _labels(path: Path, column: pa.ChunkedArray) -> np.ndarray:
    if column.null_count:
        row = column.to_pylist().index(None)
        raise ExperimentRefused(
            f"{path}: row {row} has no label, as have {column.null_count} rows in all; give each its class"
        )
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        return np.unique(column.to_pylist(), return_inverse=True)[1].astype(np.int64)
    if not pa.types.is_integer(column.type):
        raise ExperimentRefused(f"{path}: labels are of type {column.type}; name the classes, or number them from 0")
    return np.asarray(column.to_numpy(), np.int64)
