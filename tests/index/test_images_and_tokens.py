from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from gmv.corpus.port import TrainingImage
from gmv.errors import IndexRefused
from gmv.index.images import open_images, write_images
from gmv.index.tokens import open_tokens

IMAGES = [TrainingImage(f"image {row:03} \u00e9", f"owner {row % 7}", row / 100) for row in range(100)]
TOKENS = np.arange(5 * 3 * 2, dtype=np.float16).reshape(5, 3, 2)


def test_images_come_back_in_the_order_asked(tmp_path: Path) -> None:
    write_images(tmp_path / "images.arrow", IMAGES)
    opened = open_images(tmp_path / "images.arrow")

    assert len(opened) == 100
    assert opened.images([99, 0, 7, 7]) == [IMAGES[99], IMAGES[0], IMAGES[7], IMAGES[7]]
    assert opened.images(np.array([3, 1])) == [IMAGES[3], IMAGES[1]]
    assert opened.images([]) == []


def test_the_same_images_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one", "other"):
        write_images(tmp_path / name, IMAGES)

    assert (tmp_path / "one").read_bytes() == (tmp_path / "other").read_bytes()


def test_another_table_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "images.arrow"
    with pytest.raises(IndexRefused, match=r"images\.arrow"):
        open_images(path)
    path.write_bytes(b"no Arrow")
    with pytest.raises(IndexRefused, match="cannot be mapped"):
        open_images(path)
    table = pa.table({"image_id": ["a"]})
    with path.open("wb") as file, pa.ipc.new_file(file, table.schema) as writer:
        writer.write_table(table)
    with pytest.raises(IndexRefused, match="another table"):
        open_images(path)


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_tokens_are_mapped(tmp_path: Path, dtype: type) -> None:
    np.save(tmp_path / "tokens.npy", TOKENS.astype(dtype))
    opened = open_tokens(tmp_path / "tokens.npy")

    assert opened.shape == (5, 3, 2)
    assert opened.dtype == dtype
    assert (opened == TOKENS).all()
    assert not opened.flags.writeable


@pytest.mark.parametrize("array", [TOKENS.astype(np.float64), TOKENS[0], np.array([{"a": 1}])])
def test_another_array_is_refused(tmp_path: Path, array: np.ndarray) -> None:
    np.save(tmp_path / "tokens.npy", array, allow_pickle=True)

    with pytest.raises(IndexRefused, match=r"tokens\.npy"):
        open_tokens(tmp_path / "tokens.npy")


def test_missing_tokens_are_refused(tmp_path: Path) -> None:
    with pytest.raises(IndexRefused, match="cannot be mapped"):
        open_tokens(tmp_path / "tokens.npy")


@pytest.mark.parametrize("content", [b"", b"\x93NUM", b"\x93NUMPY\x01\x00", b"PK\x03\x04"])
def test_what_is_no_array_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "tokens.npy").write_bytes(content)
    with pytest.raises(IndexRefused, match="cannot be mapped"):
        open_tokens(tmp_path / "tokens.npy")
