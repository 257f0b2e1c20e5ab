"""Memory is a matter of bytes, not of rows: 260 images of 9 MB are 2.3 GB, and a build takes less than 2 GiB."""

import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.corpus.corpora import FILES, IMAGE

IMAGES = 260
IMAGE_BYTES = 9_000_000
MEMORY_BYTES_MAX = 2 * 2**30

_BUILD = """
import re, sys
from pathlib import Path
from gmv.cli import main
sys.argv[1:] = ["index", "build", *sys.argv[1:]]
try:
    main()
finally:  # of this program alone: getrusage would tell the most of the test that forked it, too
    print("most memory", re.search("VmHWM:\\s*(.*) kB", Path("/proc/self/status").read_text())[1], file=sys.stderr)
"""


def write_large(path: Path) -> Path:
    """One row group of pictures with zeros behind: 2.3 GB in memory, and a small file on disk."""
    with pq.ParquetWriter(
        path,
        pa.schema([("image_id", pa.string()), ("owner_id", pa.string()), ("image", IMAGE)]),
        compression="zstd",
        use_dictionary=False,
    ) as writer:
        half = IMAGES // 2
        batches = [
            pa.table(
                {
                    "image_id": [f"i{number:03}" for number in range(start, start + half)],
                    "owner_id": [f"o{number % 4}" for number in range(start, start + half)],
                    "image": pa.array(
                        [
                            {"bytes": FILES[number % 24].ljust(IMAGE_BYTES, b"\0"), "path": None}
                            for number in range(start, start + half)
                        ],
                        IMAGE,
                    ),
                }
            )
            for start in (0, half)
        ]
        writer.write_table(pa.concat_tables(batches), row_group_size=IMAGES)
    return path


@pytest.mark.exhaustive
def test_a_corpus_of_large_images_is_built_within_two_gigabytes(tmp_path: Path) -> None:
    corpus = write_large(tmp_path / "corpus.parquet")

    done = subprocess.run(
        [sys.executable, "-c", _BUILD, str(corpus), "--out", str(tmp_path / "index")],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert int(done.stderr.rpartition("most memory ")[2]) * 1024 <= MEMORY_BYTES_MAX
