"""The images table: one memory-mapped Arrow file of image ids, owners and weights, and when images were registered."""

import os
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime
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

_REGISTERED = "registered"
_MOMENT = pa.timestamp("us", "UTC")
_SCHEMA = pa.schema(
    [
        pa.field("image_id", pa.large_string(), nullable=False),
        pa.field("owner_id", pa.dictionary(pa.int32(), pa.large_string()), nullable=False),
        pa.field("weight", pa.float64(), nullable=False),
    ]
)
"""Of a corpus that does not say when images were registered; where it does there is one more column, of moments or
numbers."""

_SCHEMAS = [_SCHEMA, *(_SCHEMA.append(pa.field(_REGISTERED, kind)) for kind in (_MOMENT, pa.int64()))]

_ROWS_AT_ONCE = 65_536


class ArrowImages(ImagesTable):
    """An `ImagesTable` over one record batch."""

    def __init__(self, batch: pa.RecordBatch) -> None:
        self._batch = batch

    def __len__(self) -> int:
        return int(self._batch.num_rows)

    @property
    def registered_by(self) -> type[datetime] | type[int] | None:
        """Whether moments or numbers say when images were registered; None where nothing does."""
        if _REGISTERED not in self._batch.schema.names:
            return None
        return int if pa.types.is_integer(self._batch.schema.field(_REGISTERED).type) else datetime

    @property
    def image_ids(self) -> pa.LargeStringArray:
        """All ids, in order of row."""
        return self._batch.column("image_id")

    @override
    def images(self, rows: Sequence[int] | NDArray[np.int64]) -> list[TrainingImage]:
        taken = self._batch.take(pa.array(np.asarray(rows, np.int64)))
        columns = (column.to_pylist() for column in taken.columns)
        return [TrainingImage(*row) for row in zip(*columns, strict=True)]

    def all(self) -> Iterator[TrainingImage]:
        """Yield all rows, in order, a part of them in memory at a time."""
        for start in range(0, len(self), _ROWS_AT_ONCE):
            yield from self.images(range(start, min(start + _ROWS_AT_ONCE, len(self))))

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
    """Write the table, rows in the order given.

    Through Python's own file, whose errors name a full disk; in one batch, so that a row is found without search.
    """
    rows = list(images)
    owners = pa.array([row.owner_id for row in rows], pa.large_string()).dictionary_encode()
    columns: list[pa.Array] = [
        pa.array([row.image_id for row in rows], pa.large_string()),
        owners,
        pa.array([row.weight for row in rows], pa.float64()),
    ]
    schema = _SCHEMA
    registered = [row.registered for row in rows]
    if (said := next((each for each in registered if each is not None), None)) is not None:
        columns.append(pa.array(registered, pa.int64() if isinstance(said, int) else _MOMENT))
        schema = schema.append(pa.field(_REGISTERED, columns[-1].type))
    batch = pa.RecordBatch.from_arrays(columns, schema=schema)
    with path.open("wb") as file, pa.ipc.new_file(file, schema) as writer:
        writer.write_batch(batch)


def open_images(path: Path) -> ArrowImages:
    """Map a table.

    Raises:
        IndexRefused: it is missing or holds something else.
    """
    try:
        reader = pa.ipc.open_file(pa.memory_map(os.fsencode(path)))
        if reader.schema not in _SCHEMAS or reader.num_record_batches != 1:
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
