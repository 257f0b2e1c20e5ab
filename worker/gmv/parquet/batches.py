"""A Parquet file in batches chosen by bytes, whatever its name, its pages and its row groups are.

All functions raise `OSError` or `pyarrow.ArrowException` where it cannot be read; who calls them says what of.
"""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

_BATCH_BYTES: Final = 8 * 2**20
_BATCH_ROWS: Final = 32  # where a few images are far above the mean, this many of them are in memory
_READ_BYTES: Final = 8 * 2**20  # a column of a row group is read so many bytes at a time, not whole


def schema_of(file: Path) -> pa.Schema:
    """Read what a file says of its columns."""
    with _opened(file) as opened:
        return pq.read_schema(opened)


def batches_of(file: Path, columns: Sequence[str], rows: int | None = None) -> Iterator[pa.RecordBatch]:
    """Yield a file's rows in order, some 8 MiB at a time.

    Args:
        file: the file.
        columns: to read; a name such as `image.bytes` is a struct's field.
        rows: of a batch, where columns are known to be small.
    """
    # Of 260 images of 9 MB, a page holds 1.2 GB. Arrow keeps that for the next page, and puts batches beside it that
    # leave gaps: a build took 2.3 GB, and takes 2.0 with batches elsewhere and the page given back.
    pages = pa.default_memory_pool()
    pa.set_memory_pool(pa.system_memory_pool())
    try:
        with _opened(file) as opened, pq.ParquetFile(opened, buffer_size=_READ_BYTES, pre_buffer=False) as parquet:
            for group in range(parquet.metadata.num_row_groups):
                at_once = rows or _rows_at_once(parquet.metadata.row_group(group))
                yield from parquet.iter_batches(at_once, [group], list(columns), use_threads=False)
    finally:
        pa.set_memory_pool(pages)
        pages.release_unused()


def _opened(file: Path) -> pa.OSFile:
    return pa.OSFile(os.fsencode(file))  # of a name in text it makes UTF-8, which not every file's name is


def _rows_at_once(group: Any) -> int:
    row_bytes: int = group.total_byte_size // max(1, group.num_rows)
    return max(1, min(_BATCH_ROWS, _BATCH_BYTES // max(1, row_bytes)))
