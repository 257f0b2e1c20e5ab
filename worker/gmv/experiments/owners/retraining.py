"""The utilities of all subsets of owners, one training each; stored as they come, and taken up again."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray

from gmv.errors import ExperimentRefused
from gmv.experiments.owners.worth import REPETITIONS
from gmv.experiments.stored import load, store

OWNERS_MIN: Final = 2
OWNERS_MAX: Final = 12
"""4,096 trainings."""

_STORED_AT_ONCE: Final = 256


@dataclass(frozen=True, slots=True)
class Retrained:
    """What was found.

    Attributes:
        utilities: float64 [repetitions, 2^n]; bit i of a place says whether owner i is in the subset.
        seconds: of one core.
    """

    utilities: NDArray[np.float64]
    seconds: float


def utilities_of_subsets(
    worth: Callable[[NDArray[np.int64]], NDArray[np.float64]],
    owners: int,
    path: Path,
    stamp: Mapping[str, Any],
    progress: Callable[[int], None],
) -> Retrained:
    """Ask what every subset of owners is worth, but for those that are stored.

    Args:
        worth: of the numbers of some owners, float64 [repetitions].
        owners: n.
        path: where utilities are kept.
        stamp: all that decides them, as JSON has it.
        progress: called with the number of subsets done since the last call, those that were stored included.

    Raises:
        ExperimentRefused: a utility is no finite number, or what is stored is of another experiment.
    """
    utilities, seconds = np.empty((REPETITIONS, 0)), 0.0
    if (stored := load(path, stamp)) is not None:
        utilities, seconds = stored["utilities"].numpy(), stored["seconds"].item()
        progress(utilities.shape[1])
    while (done := utilities.shape[1]) < 2**owners:
        part = range(done, min(done + _STORED_AT_ONCE, 2**owners))
        begun = time.process_time()
        found = np.empty((REPETITIONS, len(part)))
        for place, subset in enumerate(part):
            found[:, place] = worth(members := members_of(subset, owners))
            _check(found[:, place], members)
            progress(1)
        seconds += time.process_time() - begun
        utilities = np.concatenate([utilities, found], axis=1)
        tensors = {"utilities": torch.from_numpy(utilities), "seconds": torch.tensor(seconds, dtype=torch.float64)}
        store(path, tensors, stamp)
    return Retrained(utilities, seconds)


def members_of(subset: int, owners: int) -> NDArray[np.int64]:
    """Return the numbers of the owners in a subset."""
    return np.flatnonzero(subset >> np.arange(owners) & 1)


def _check(found: NDArray[np.float64], members: NDArray[np.int64]) -> None:
    if not np.isfinite(found).all():
        raise ExperimentRefused(
            f"the generator of owners {', '.join(map(str, members))} is worth {found.min()}: its training diverged; "
            "look for images of theirs that are no images"
        )
