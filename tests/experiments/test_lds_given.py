"""Masks and losses of others: what fits is read as it is, what does not is refused by its name."""

from pathlib import Path

import numpy as np
import pytest

from gmv.errors import ExperimentRefused
from gmv.experiments.lds.given import SUBSETS_MIN, read_given
from gmv.experiments.lds.subsets import random_halves_by_class
from tests.experiments.world import shapes

TRAINING, GENERATED, SUBSETS = 60, 4, 12


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_given(tmp_path / "theirs")


def write_given(folder: Path) -> Path:
    """An additive loss, with its coefficients as scores."""
    images, random = shapes(), np.random.default_rng(0)
    folder.mkdir()
    masks, coefficients = random_halves_by_class(images.labels, SUBSETS, 0), random.normal(size=(GENERATED, TRAINING))
    np.save(folder / "training.npy", images.pixels)
    np.save(folder / "generated.npy", images.pixels[::15])
    np.save(folder / "masks.npy", masks)
    np.save(folder / "losses.npy", (9 - masks @ coefficients.T).astype(np.float32))
    np.save(folder / "scores-true.npy", coefficients)
    return folder


def test_a_folder_is_read_as_it_is(folder):
    given = read_given(folder)
    np.testing.assert_array_equal(given.training.pixels, shapes().pixels)
    assert given.generated.shape == (GENERATED, 8, 8, 1)
    assert given.masks.dtype == np.bool_
    assert given.losses.dtype == np.float64
    assert given.losses[3, 1] == pytest.approx(9 - given.masks[3] @ given.scores["true"][1])
    assert list(given.scores) == ["true"]
    np.save(folder / "masks.npy", given.masks.astype(np.uint8))
    np.testing.assert_array_equal(read_given(folder).masks, given.masks)


def masks(subsets: int = SUBSETS, training: int = TRAINING) -> np.ndarray:
    return random_halves_by_class(np.zeros(training, np.int64), subsets, 0)


FULL, EMPTY, OTHER = masks(), masks(), masks().astype(np.int64)
FULL[3], EMPTY[4], OTHER[0, 0] = True, False, 2
DIVERGED = np.zeros((SUBSETS, GENERATED))
DIVERGED[2, 1] = np.nan


@pytest.mark.parametrize(
    ("name", "array", "sentence"),
    [
        ("training", np.zeros((TRAINING, 8, 8, 1)), r"training.npy is float64 .*; write uint8 \[training, height"),
        ("training", np.zeros((TRAINING, 8, 8, 2), np.uint8), r"training.npy is uint8 \(60, 8, 8, 2\)"),
        ("training", np.zeros((0, 8, 8, 1), np.uint8), r"training.npy is uint8 \(0, 8, 8, 1\)"),
        (
            "generated",
            np.zeros((GENERATED, 64), np.uint8),
            r"generated.npy is uint8 \(4, 64\); write uint8 \[generated",
        ),
        (
            "generated",
            np.zeros((GENERATED, 8, 8, 3), np.uint8),
            r"images of \(8, 8, 1\) and generated ones of \(8, 8, 3\)",
        ),
        ("masks", masks(training=59), r"masks.npy is bool \(12, 59\); .* of the shape \(subsets, 60\)"),
        ("masks", masks().astype(np.float64), "masks.npy is float64"),
        ("masks", OTHER, "masks.npy is int64"),
        ("masks", OTHER - 2, "masks.npy is int64"),
        ("masks", masks(SUBSETS_MIN - 1), "has 7 subsets, and a rank correlation needs 8"),
        ("masks", FULL, "subset 3 holds all of the images; leave it out"),
        ("masks", EMPTY, "subset 4 holds none of the images; leave it out"),
        ("losses", np.zeros((GENERATED, SUBSETS)), r"losses.npy is float64 \(4, 12\); .* of the shape \(12, 4\)"),
        ("losses", np.zeros((SUBSETS, GENERATED), np.complex128), "losses.npy is complex128"),
        ("losses", DIVERGED, r"losses.npy has nan at \[2, 1\]: leave out the training that diverged"),
        ("scores-true", np.zeros((TRAINING, GENERATED)), r"scores-true.npy is float64 .* of the shape \(4, 60\)"),
        ("scores-true", np.full((GENERATED, TRAINING), np.inf), r"scores-true.npy has inf at \[0, 0\]"),
    ],
)
def test_what_does_not_fit_is_refused(folder, name, array, sentence):
    np.save(folder / f"{name}.npy", array)
    with pytest.raises(ExperimentRefused, match=sentence):
        read_given(folder)


@pytest.mark.parametrize("name", ["training", "generated", "masks", "losses"])
def test_what_is_missing_is_named_with_what_it_should_hold(folder, name):
    (folder / f"{name}.npy").unlink()
    with pytest.raises(ExperimentRefused, match=rf"theirs has no {name}.npy: write .*, with numpy.save"):
        read_given(folder)


@pytest.mark.parametrize("content", [b"", b"masks", b"\x93NUMPY"])
def test_what_is_no_array_is_refused(folder, content):
    (folder / "losses.npy").write_bytes(content)
    with pytest.raises(ExperimentRefused, match=r"losses.npy cannot be read as an array of NumPy"):
        read_given(folder)


def test_objects_are_not_opened(folder):
    """A pickle runs what its writer wants."""
    np.save(folder / "losses.npy", np.array([{}], object), allow_pickle=True)
    with pytest.raises(ExperimentRefused, match=r"losses.npy cannot be read"):
        read_given(folder)


def test_an_archive_is_refused(folder):
    with (folder / "losses.npy").open("wb") as file:
        np.savez(file, losses=np.zeros((SUBSETS, GENERATED)))
    with pytest.raises(ExperimentRefused, match=r"losses.npy is an archive, not one array"):
        read_given(folder)
