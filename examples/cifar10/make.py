"""Make the example corpus: 5,000 images of 100 owners, picked out of the 50,000 CIFAR-10 training images.

    python examples/cifar10/make.py SOURCE.parquet [OUT.parquet]

SOURCE has the columns image_id, owner_id, label and image (struct of bytes and path). The picked rows are
copied as they are: no image is decoded or encoded again. The same source gives the same rows, and with the
same pyarrow the same bytes.
"""

import hashlib
import json
import math
import sys
from collections import Counter
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

IMAGES = 5_000
OWNERS = 100
BYTES_MAX = 3_000_000
IMAGE_TYPE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
# How Hugging Face `datasets` marks its columns, so that it shows pictures instead of bytes.
FEATURES = {name: {"dtype": "string", "_type": "Value"} for name in ("image_id", "owner_id", "label")} | {
    "image": {"_type": "Image"}
}


def quotas(images_by_owner: Counter[str]) -> dict[str, int]:
    """Return how many images each of the largest owners gives, by the square root of what they have.

    The source is so skewed that an even draw would leave most owners one image or none; the square root keeps
    large and small owners apart and gives the smallest of the 100 still 24 images.
    """
    largest = sorted(images_by_owner.items(), key=lambda owned: (-owned[1], owned[0]))[:OWNERS]
    total = sum(math.sqrt(count) for _, count in largest)
    exact = {owner: IMAGES * math.sqrt(count) / total for owner, count in largest}
    given = {owner: math.floor(quota) for owner, quota in exact.items()}
    by_remainder = sorted(exact, key=lambda owner: (given[owner] - exact[owner], owner))
    for owner in by_remainder[: IMAGES - sum(given.values())]:
        given[owner] += 1
    return given


def picked_rows(image_ids: list[str], owner_ids: list[str]) -> list[int]:
    """Return the corpus's rows in order of image id; an owner's are drawn by the SHA-256 of the image id."""
    left = quotas(Counter(owner_ids))
    lots = [hashlib.sha256(image_id.encode()).digest() for image_id in image_ids]
    picked = []
    for row in sorted(range(len(image_ids)), key=lots.__getitem__):
        if left.get(owner_ids[row], 0) > 0:
            left[owner_ids[row]] -= 1
            picked.append(row)
    return sorted(picked, key=image_ids.__getitem__)


def main(source: Path, out: Path) -> None:
    """Write the corpus and print what to put into its README."""
    table = pq.read_table(source, columns=["image_id", "owner_id", "label", "image"])
    rows = picked_rows(table["image_id"].to_pylist(), table["owner_id"].to_pylist())
    schema = pa.schema(
        [("image_id", pa.string()), ("owner_id", pa.string()), ("label", pa.string()), ("image", IMAGE_TYPE)],
        metadata={"huggingface": json.dumps({"info": {"features": FEATURES}})},
    )
    # Two thirds of a 32 x 32 JPEG are tables, the same in every file: Zstandard takes 4.9 MB to 1.6 MB.
    pq.write_table(
        table.take(rows).cast(schema),
        out,
        compression="zstd",
        compression_level=19,
        use_dictionary=["owner_id", "label"],
        row_group_size=1_000,
    )
    content = out.read_bytes()
    if len(content) > BYTES_MAX:
        raise SystemExit(f"{out} is {len(content):,} bytes, above the {BYTES_MAX:,} that an example may take.")
    counts = Counter(table["owner_id"].take(rows).to_pylist()).values()
    print(f"{len(rows):,} images, {len(counts)} owners of {min(counts)} to {max(counts)} images each")
    print(f"{len(content):,} bytes, SHA-256 {hashlib.sha256(content).hexdigest()}")


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        raise SystemExit(__doc__)
    beside = Path(__file__).parents[2] / "worker" / "gmv" / "demo" / "corpus.parquet"
    main(Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) == 3 else beside)
