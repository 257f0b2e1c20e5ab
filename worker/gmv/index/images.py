"""The images table: one memory-mapped Arrow file of image ids, owners and weights."""

import os
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from typing_extensions import override

from gmv.corpus.port import TrainingImage
from gmv.errors import IndexRefused
from gmv.index.digests import check_digests, check_sizes
from gmv.index.manifest import IMAGES_FILE, read_manifest
from gmv.index.port import ImagesTable

_SCHEMA = pa.schema(
    [
        pa.field("image_id", pa.large_string(), nullable=False),
        pa.field("owner_id", pa.dictionary(pa.int32(), pa.large_string()), nullable=False),
        pa.field("weight", pa.float64(), nullable=False),
    ]
)


class ArrowImages(ImagesTable):
    """An `ImagesTable` over one record batch."""

    def __init__(self, batch: pa.RecordBatch) -> None:
        self._batch = batch

    def __len__(self) -> int:
        return int(self._batch.num_rows)

    @override
    def images(self, rows: Sequence[int] | NDArray[np.int64]) -> list[TrainingImage]:
        taken = self._batch.take(pa.array(np.asarray(rows, np.int64)))
        columns = (column.to_pylist() for column in taken.columns)
        return [TrainingImage(*row) for row in zip(*columns, strict=True)]

    @property
    def image_ids(self) -> pa.LargeStringArray:
        """All ids, in order of row."""
        return self._batch.column("image_id")

    @property
    def columns(self) -> list[pa.Array]:
        """Ids, owners and weights, in order of row, owners as texts."""
        owners = self._batch.column("owner_id").cast(pa.large_string())
        return [self.image_ids, owners, self._batch.column("weight")]

    @override
    def known_images(self, image_ids: Collection[str]) -> set[str]:
        return _common(self._batch.column("image_id"), image_ids)

    def rows_of_images(self, image_ids: Collection[str]) -> NDArray[np.int64]:
        """Return the rows of these images, int64, ascending; passes over all of them."""
        return _rows(self._batch.column("image_id"), image_ids)

    def rows_of_owners(self, owner_ids: Collection[str]) -> NDArray[np.int64]:
        """Return the rows of these owners' images, int64, ascending; passes over all of them."""
        column = self._batch.column("owner_id")
        return _rows(column.indices, _rows(column.dictionary, owner_ids).tolist())

    def owners(self) -> set[str]:
        """Return all who have an image in the index."""
        return set(self._batch.column("owner_id").dictionary.to_pylist())

    @override
    def known_owners(self, owner_ids: Collection[str]) -> set[str]:
        return _common(self._batch.column("owner_id").dictionary, owner_ids)


def _rows(column: pa.Array, wanted: Collection[str] | Collection[int]) -> NDArray[np.int64]:
    found = pc.is_in(column, value_set=pa.array(list(wanted), column.type))
    return np.flatnonzero(found.to_numpy(zero_copy_only=False))


def _common(held: pa.Array, asked: Collection[str]) -> set[str]:
    wanted = pa.array(list(asked), held.type)
    return set(held.filter(pc.is_in(held, value_set=wanted)).to_pylist())


def write_images(path: Path, images: Iterable[TrainingImage]) -> None:
    """Write the table, rows in the order given."""
    _write(path, columns_of(images))


def write_images_of_both(
    path: Path, images: ArrowImages, added: Iterable[TrainingImage], rows: NDArray[np.int64]
) -> None:
    """Write a table of rows of another, and of images that it lacks.

    Args:
        path: of the new table.
        images: the other table.
        added: their rows follow those of the other.
        rows: int64, those wanted, in order.
    """
    both = zip(images.columns, columns_of(added), strict=True)
    _write(path, [pa.concat_arrays(parts).take(pa.array(rows)) for parts in both])


def columns_of(images: Iterable[TrainingImage]) -> list[pa.Array]:
    """Return ids, owners and weights, as `ArrowImages.columns` does."""
    rows = list(images)
    return [
        pa.array([row.image_id for row in rows], pa.large_string()),
        pa.array([row.owner_id for row in rows], pa.large_string()),
        pa.array([row.weight for row in rows], pa.float64()),
    ]


def _write(path: Path, columns: Sequence[pa.Array]) -> None:
    """Through Python's own file, whose errors name a full disk; in one batch, so that a row is found without search."""
    image_ids, owners, weights = columns
    batch = pa.RecordBatch.from_arrays([image_ids, owners.dictionary_encode(), weights], schema=_SCHEMA)
    with path.open("wb") as file, pa.ipc.new_file(file, _SCHEMA) as writer:
        writer.write_batch(batch)


def open_images(path: Path) -> ArrowImages:
    """Map a table.

    Raises:
        IndexRefused: it is missing or holds something else.
    """
    try:
        reader = pa.ipc.open_file(pa.memory_map(os.fsencode(path)))
        if reader.schema != _SCHEMA or reader.num_record_batches != 1:
            raise IndexRefused(f"{path} is another table than the index's; build the index again")
        return ArrowImages(reader.get_batch(0))
    except (OSError, pa.ArrowException) as error:
        raise IndexRefused(f"{path} cannot be mapped ({error}); build the index again") from error


def images_of(index: Path) -> ArrowImages:
    """Map the table of an index folder, and nothing else of it.

    Raises:
        IndexRefused: there is no index, or its table is missing or was altered.
    """
    manifest, _ = read_manifest(index)
    table = {name: entry for name, entry in manifest.files.items() if name == IMAGES_FILE}
    check_sizes(index, table)
    check_digests(index, table)
    return open_images(index / IMAGES_FILE)
