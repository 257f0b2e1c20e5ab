"""Masks and losses that others have made, in a folder of NumPy's files: a published benchmark, say."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from gmv.errors import ExperimentRefused
from gmv.experiments.images import LabelledImages

SUBSETS_MIN: Final = 8
"""Of fewer, a rank correlation is hardly more than chance: of 8, it is above .64 by chance once in twenty."""

_LAYOUT: Final = {
    "training.npy": "uint8 [training, height, width, 1 or 3], the training images",
    "generated.npy": "uint8 [generated, height, width, 1 or 3], the generated images",
    "masks.npy": "bool [subsets, training], which images each subset holds",
    "losses.npy": "float [subsets, generated], of the model that was trained on each subset",
}
_SCORES: Final = "scores-*.npy"


@dataclass(frozen=True, slots=True)
class Given:
    """What a folder holds.

    Attributes:
        training: the training images; they have no labels.
        generated: uint8 [generated, height, width, channels].
        masks: bool [subsets, training].
        losses: float64 [subsets, generated].
        scores: of other methods by name, float64 [generated, training]; higher where the image takes more off the loss.
    """

    training: LabelledImages
    generated: NDArray[np.uint8]
    masks: NDArray[np.bool_]
    losses: NDArray[np.float64]
    scores: Mapping[str, NDArray[np.float64]]


def read_given(folder: Path) -> Given:
    """Read a folder, and see that its files fit each other.

    Raises:
        ExperimentRefused: a file is missing, is no array of numbers, or does not fit the others.
    """
    training, generated = (_images(folder / name) for name in ("training.npy", "generated.npy"))
    if training.shape[1:] != generated.shape[1:]:
        raise ExperimentRefused(
            f"{folder} has training images of {training.shape[1:]} and generated ones of {generated.shape[1:]}, whose "
            "pixels cannot be compared: bring them to one size"
        )
    subsets = len(masks := _masks(folder / "masks.npy", len(training)))
    losses = _numbers(folder / "losses.npy", (subsets, len(generated)))
    scores = {
        path.stem.removeprefix("scores-"): _numbers(path, (len(generated), len(training)))
        for path in sorted(folder.glob(_SCORES))
    }
    labels = np.zeros(len(training), np.int64)
    return Given(LabelledImages(folder.name, training, labels, 1), generated, masks, losses, scores)


def _images(path: Path) -> NDArray[np.uint8]:
    found = _read(path)
    if found.dtype != np.uint8 or found.ndim != 4 or found.shape[3] not in {1, 3} or not found.size:
        raise _unlike(path, found)
    return found


def _masks(path: Path, training: int) -> NDArray[np.bool_]:
    found = _read(path)
    if (
        found.dtype.kind not in "bui"
        or found.ndim != 2
        or found.shape[1] != training
        or not np.isin(found, (0, 1)).all()
    ):
        raise _unlike(path, found, (None, training))
    if len(found) < SUBSETS_MIN:
        raise ExperimentRefused(
            f"{path} has {len(found)} subsets, and a rank correlation needs {SUBSETS_MIN} at least: train on more"
        )
    masks: NDArray[np.bool_] = found.astype(np.bool_)
    for place, mask in enumerate(masks):
        if mask.all() or not mask.any():
            raise ExperimentRefused(
                f"{path}: subset {place} holds {'all' if mask.any() else 'none'} of the images; leave it out"
            )
    return masks


def _numbers(path: Path, shape: tuple[int, int]) -> NDArray[np.float64]:
    found = _read(path)
    if found.dtype.kind not in "fiu" or found.shape != shape:
        raise _unlike(path, found, shape)
    if not np.isfinite(found).all():
        row, column = (int(each[0]) for each in np.nonzero(~np.isfinite(found)))
        raise ExperimentRefused(
            f"{path} has {found[row, column]} at [{row}, {column}]: leave out the training that diverged, or the image"
        )
    return found.astype(np.float64)


def _read(path: Path) -> NDArray[Any]:
    try:
        found = np.load(path, allow_pickle=False)
    except FileNotFoundError as error:
        raise ExperimentRefused(f"{path.parent} has no {path.name}: {_meant(path)}") from error
    except (OSError, ValueError, EOFError) as error:
        raise ExperimentRefused(f"{path} cannot be read as an array of NumPy ({error}); {_meant(path)}") from error
    if not isinstance(found, np.ndarray):
        raise ExperimentRefused(f"{path} is an archive, not one array; {_meant(path)}")
    return found


def _meant(path: Path) -> str:
    return f"write {_LAYOUT.get(path.name, 'float [generated, training], the scores of a method')}, with numpy.save"


def _unlike(path: Path, found: NDArray[Any], shape: tuple[int | None, int] | None = None) -> ExperimentRefused:
    wanted = f" of the shape ({'subsets' if shape[0] is None else shape[0]}, {shape[1]})" if shape else ""
    return ExperimentRefused(f"{path} is {found.dtype} {found.shape}; {_meant(path)}{wanted}")
