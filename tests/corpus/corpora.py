"""Corpora of a few small pictures, in every form that is read."""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from gmv.corpus.open import open_corpus
from gmv.corpus.port import Corpus
from tests.encoders.pictures import picture, png

IMAGE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
FILES = [png(picture(seed)) for seed in range(24)]


def opened(*paths: Path, bytes_max: int = 10**6, **how: Any) -> Corpus:
    """Open what is at paths, as `gmv index build` does."""
    return open_corpus(paths, bytes_max, **how)


def rows(count: int) -> list[dict[str, Any]]:
    """Of a sound corpus, ids out of order."""
    return [
        {
            "image_id": f"{(7 * number) % 24:02}.png",
            "owner_id": f"owner {number % 3}",
            "weight": 1 - number / 100,
            "image": {"bytes": FILES[number], "path": None},
        }
        for number in range(count)
    ]


def write_parquet(path: Path, corpus: Sequence[dict[str, Any]], image: pa.DataType = IMAGE) -> Path:
    """Row groups of five, so that batches end in odd places."""
    types = {"image": image}
    table = pa.table(
        {
            name: pa.array([row[name] for row in corpus], types.get(name))
            for name in (corpus[0] if corpus else rows(1)[0])
        }
    )
    pq.write_table(table, path, row_group_size=5)
    return path


def write_folder(path: Path, corpus: Sequence[dict[str, Any]]) -> Path:
    path.mkdir()
    for row in corpus:
        (path / row["image_id"]).write_bytes(row["image"]["bytes"])
    return write_metadata(
        path,
        [["file_name", "owner_id", "weight"]] + [[row["image_id"], row["owner_id"], row["weight"]] for row in corpus],
    )


def write_metadata(path: Path, lines: Sequence[Sequence[object]]) -> Path:
    with (path / "metadata.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(lines)
    return path


def write_features(path: Path, count: int, **changed: Any) -> Path:
    """Rows of a vector of 4 and 3 tokens of 2; `changed` are columns given anew."""
    columns = {
        "image_id": [f"i{number}" for number in range(count)],
        "owner_id": ["o"] * count,
        "tokens": [[[number + 0.5, 1.0], [2.0, 3.0], [4.0, 5.0]] for number in range(count)],
        "vector": [[float(number % 4 == place) for place in range(4)] for number in range(count)],
    }
    pq.write_table(pa.table(columns | changed), path)
    return path
