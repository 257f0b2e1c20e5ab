"""Images out of a Parquet file, as Hugging Face datasets writes it, to be sent as events."""

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa

from gmv.errors import EventsRefused
from gmv.parquet.batches import batches_of, schema_of
from gmv.parquet.columns import field_of, field_type, is_bytes, plain_type


def parquet_images(path: Path) -> Iterator[tuple[str, bytes]]:
    """Yield (file#row, image file) of each row.

    Raises:
        EventsRefused: it is not Parquet, has no column of images, or a row has none.
    """
    row = 0
    try:
        column = _image_column(path, schema_of(path))
        for batch in batches_of(path, [column]):
            for content in field_of(batch.column(0), "bytes", is_bytes) or ():
                if not content.is_valid:
                    raise EventsRefused(f"{path}: row {row} has no image; remove it, or fill it in")
                yield f"{path.name}#{row}", content.as_py()
                row += 1
    except (OSError, pa.ArrowException) as error:
        raise EventsRefused(f"{path} cannot be read as Parquet ({error})") from error
    if row == 0:
        raise EventsRefused(f"{path} has no rows")


def _image_column(path: Path, schema: pa.Schema) -> str:
    """Return the column `image`, or the first that holds structs with `bytes`."""

    def holds_images(field: pa.Field) -> bool:
        kind = plain_type(field.type)
        return is_bytes(field_type(kind, "bytes")) or (field.name == "image" and is_bytes(kind))

    for field in sorted(schema, key=lambda field: field.name != "image"):
        if holds_images(field):
            return str(field.name)
    raise EventsRefused(
        f"{path} has no image column, but {', '.join(schema.names)}; it is called image and holds the files' bytes, "
        "or structs with a field `bytes`"
    )
