"""What gmv credits owners for generated images: by a worker's index, owners file and attribution."""

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
import orjson
import torch
from numpy.typing import NDArray
from torch import Tensor

from gmv.assembly.owners import read_ownership
from gmv.experiments.attributing import attributions_at, index_of
from gmv.experiments.corpus import image_id
from gmv.experiments.folder import Folder
from gmv.experiments.images import LabelledImages
from gmv.experiments.owners.dividing import Division
from gmv.experiments.stored import load, store
from gmv.experiments.values import POSTER_TEMPERATURE
from gmv.index.opened import Index
from gmv.indexing.progress import Progress
from gmv.settings import OwnersSettings, Settings
from gmv.valuation.attribution import owner_credits
from gmv.valuation.owners import Ownership
from gmv.valuation.types import Attribution
from gmv.whole_file import make_folder, write_whole

_OWNERS_FILE: Final = "owners.jsonl"


@dataclass(frozen=True, slots=True)
class Credited:
    """What owners are credited.

    Attributes:
        at_poster, at_own: float64 [owners], micro-credits at tau = 1 and at the index's own tau.
        hits: float64 [owners], how often an owner is among those who are paid for an event.
        temperature: the index's own tau.
        index_seconds, attribution_seconds: of one core.
    """

    at_poster: NDArray[np.float64]
    at_own: NDArray[np.float64]
    hits: NDArray[np.float64]
    temperature: float
    index_seconds: float
    attribution_seconds: float

    def tensors(self) -> dict[str, Tensor]:
        """As they are stored."""
        of_owners = np.stack([self.at_poster, self.at_own, self.hits])
        numbers = np.array([self.temperature, self.index_seconds, self.attribution_seconds])
        return {"of_owners": torch.from_numpy(of_owners), "numbers": torch.from_numpy(numbers)}


def credited_of(tensors: dict[str, Tensor]) -> Credited:
    """Return what `Credited.tensors` stored."""
    return Credited(*tensors["of_owners"].numpy(), *tensors["numbers"].tolist())


class Asked(NamedTuple):
    """What is attributed, by which settings; the name of division and seed is for people."""

    division: Division
    generated: LabelledImages
    settings: Settings
    name: str


def credit_owners(asked: Asked, folder: Folder, progress: Progress) -> Credited:
    """Credit owners for what the generator of them all drew, or return what is stored of it.

    Near copies are paid as settings say, as a worker does; tau is that of the index, and 1.

    Args:
        asked: what is attributed.
        folder: of this division and seed alone.
        progress: shows long steps.

    Raises:
        ExperimentRefused: the folder holds an index of other images, or credits of other settings.
    """
    make_folder(folder.root)
    division, settings = asked.division, asked.settings
    path = folder.root / "credits.safetensors"
    deciding = settings.valuation.model_dump(exclude={"temperature"})
    stamp = division.stamp() | {"generated": asked.generated.digest, "valuation": deciding}
    if (stored := load(path, stamp)) is not None:
        return credited_of(stored)
    begun = time.process_time()
    index = index_of(division.images, folder, settings, progress)
    index_seconds = time.process_time() - begun
    found = _credited(asked, index, _ownership(division, folder, index), index_seconds, progress)
    store(path, found.tensors(), stamp)
    return found


def _credited(asked: Asked, index: Index, ownership: Ownership, index_seconds: float, progress: Progress) -> Credited:
    own, owners = index.manifest.defaults.temperature, len(asked.division.holdings)

    begun = time.process_time()
    with progress(f"crediting owners, {asked.name}", len(asked.generated), "images") as advance:
        at_poster, at_own = attributions_at(
            [POSTER_TEMPERATURE, own], index, asked.generated.pixels, asked.settings, ownership, advance
        )
    seconds = time.process_time() - begun
    return Credited(
        _by_number(owner_credits(at_poster), owners),
        _by_number(owner_credits(at_own), owners),
        _by_number(hits_of(at_own), owners),
        own,
        index_seconds,
        seconds,
    )


def _ownership(division: Division, folder: Folder, index: Index) -> Ownership:
    """Write an owners file, and read it as a worker does."""
    lines = [
        orjson.dumps({"image_id": image_id(row), "owner_id": owner_id(owner)})
        for row, owner in enumerate(division.owner_of.tolist())
    ]
    path = folder.root / _OWNERS_FILE
    write_whole(path, b"\n".join(lines) + b"\n")
    return read_ownership(OwnersSettings(file=path), index.images)


def owner_id(owner: int) -> str:
    """Return the name by which an owner is credited."""
    return f"owner-{owner}"


def hits_of(attributions: Sequence[Attribution]) -> dict[str, int]:
    """Count by owner how often one of its images is a contributor, once for each place that it is paid for."""
    return Counter(each.owner_id for attribution in attributions for each in attribution.contributors)


def _by_number(figures: dict[str, int], owners: int) -> NDArray[np.float64]:
    return np.array([figures.get(owner_id(owner), 0) for owner in range(owners)], np.float64)
