"""What an experiment refuses before it trains anything."""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gmv.errors import ExperimentRefused, PackagesMissing
from gmv.experiments.datasets import digits, labelled_parquet
from gmv.experiments.images import LabelledImages, check_images
from gmv.experiments.splits import split
from tests.experiments.world import shapes, write_parquet


def test_images_that_can_be_split_are_taken():
    check_images(shapes(), 20)


@pytest.mark.parametrize(
    ("images", "sentence"),
    [
        (replace(shapes(), labels=np.zeros(60, np.int64)), "one class only"),
        (shapes(per_class=4), "has 4 images of class 0; 15 of each class are needed"),
        (replace(shapes(), classes=4), "has 0 images of class 3"),
        (replace(shapes(), classes=2), "labels from 0 to 2; with 2 classes they are 0 to 1"),
        (replace(shapes(), labels=shapes().labels - 1), "labels from -1"),
        (replace(shapes(), pixels=shapes().pixels[:, :6]), "generators make squares"),
        (replace(shapes(), labels=shapes().labels[:-1]), "60 images and 59 labels"),
    ],
)
def test_images_that_cannot_are_refused(images, sentence):
    with pytest.raises(ExperimentRefused, match=sentence):
        check_images(images, 15)


def test_a_parquet_file_gives_the_pixels_and_labels_that_were_written(tmp_path):
    images = shapes(per_class=5)
    read = labelled_parquet(write_parquet(images, tmp_path / "shapes.parquet"))

    assert read.pixels.shape == (15, 8, 8, 3)
    np.testing.assert_array_equal(read.pixels[..., 0], images.pixels[..., 0])
    np.testing.assert_array_equal(read.labels, images.labels)
    assert read.classes == 3


def test_classes_may_be_named(tmp_path):
    images, names = shapes(per_class=2), ["tree", "bird", "car"]
    path = write_parquet(images, tmp_path / "shapes.parquet", [names[label] for label in images.labels])
    read = labelled_parquet(path)
    assert read.labels.tolist() == [2, 2, 0, 0, 1, 1]
    assert read.classes == 3


def test_fewer_images_are_as_many_of_each_class():
    images = shapes(per_class=20)
    some = images.fewer(17)
    assert np.bincount(some.labels).tolist() == [5, 5, 5]
    assert {each.tobytes() for each in some.pixels} < {each.tobytes() for each in images.pixels}
    np.testing.assert_array_equal(images.fewer(17).pixels, some.pixels)
    np.testing.assert_array_equal(images.fewer(60).pixels, images.pixels)


@pytest.mark.parametrize("count", [2, 63])
def test_fewer_images_than_classes_or_more_than_there_are_are_refused(count):
    with pytest.raises(ExperimentRefused, match="20 of its smallest class; ask for 3 to 60 with --images"):
        shapes(per_class=20).fewer(count)


@pytest.mark.parametrize(
    ("labels", "sentence"),
    [
        ([0, 1, None, 2, 1, None], "row 2 has no label, as have 2 rows in all"),
        ([0.0, 1.0, 2.0, 0.5, 1.0, 2.0], "labels are of type double"),
        ([b"a", b"b", b"c", b"a", b"b", b"c"], "labels are of type binary"),
    ],
)
def test_labels_that_are_missing_or_no_numbers_are_refused(tmp_path, labels, sentence):
    path = write_parquet(shapes(per_class=2), tmp_path / "shapes.parquet", labels)
    with pytest.raises(ExperimentRefused, match=sentence):
        labelled_parquet(path)


def no_file(path: Path) -> None:
    del path


def text(path: Path) -> None:
    path.write_text("label,image\n")


def no_labels(path: Path) -> None:
    pq.write_table(pa.table({"image": [b"x"]}), path)


def damaged(path: Path) -> None:
    pq.write_table(pa.table({"image": [b"no image"], "label": [0]}), path)


def no_image(path: Path) -> None:
    pq.write_table(pa.table({"image": pa.array([None], pa.binary()), "label": [0]}), path)


def no_rows(path: Path) -> None:
    pq.write_table(pa.table({"image": pa.array([], pa.binary()), "label": pa.array([], pa.int64())}), path)


def two_sizes(path: Path) -> None:
    tables = [pq.read_table(write_parquet(shapes(1, side), path)) for side in (8, 12)]
    pq.write_table(pa.concat_tables(tables), path)


@pytest.mark.parametrize(
    ("write", "sentence"),
    [
        (no_file, "cannot be read as Parquet"),
        (text, "cannot be read as Parquet"),
        (no_labels, "label"),
        (damaged, "the image of row 0 is refused"),
        (no_image, "row 0 has no image"),
        (no_rows, "has no rows"),
        (two_sizes, "row 3 is \\(12, 12\\), the first \\(8, 8\\)"),
    ],
)
def test_files_that_are_no_labelled_images_are_refused(tmp_path, write, sentence):
    path = tmp_path / "images.parquet"
    write(path)
    with pytest.raises(ExperimentRefused, match=sentence):
        labelled_parquet(path)


def test_digits_without_scikit_learn_name_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    with pytest.raises(PackagesMissing, match=r"pip install 'gmv\[worker,experiments\]'"):
        digits()


def test_digits_are_the_real_ones():
    images = digits()
    assert images.pixels.shape == (1_797, 8, 8, 1)
    assert images.pixels.max() == 255
    assert np.bincount(images.labels).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    check_images(images, 15)


@given(st.lists(st.integers(3, 30), min_size=2, max_size=5), st.integers(0, 2**32))
def test_parts_of_a_split_share_nothing_and_are_alike(counts, seed):
    labels = np.repeat(np.arange(len(counts)), counts)
    images = LabelledImages("any", np.zeros((len(labels), 1, 1, 1), np.uint8), labels, len(counts))
    parts = split(images, seed)

    together = np.concatenate([parts.used, parts.unused, parts.control])
    assert len(set(together.tolist())) == len(together)
    for part in (parts.used, parts.unused, parts.control):
        assert np.bincount(labels[part], minlength=len(counts)).tolist() == [count // 3 for count in counts]
    np.testing.assert_array_equal(split(images, seed).used, parts.used)
