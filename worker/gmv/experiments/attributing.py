"""Generated images attributed to training images, by the code that credits: index, recall, exact re-rank, shares."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from prometheus_client import CollectorRegistry

from gmv.assembly.parts import assemble_attributor
from gmv.corpus.open import open_corpus
from gmv.errors import ExperimentRefused, Poison
from gmv.experiments.corpus import events_of, image_id, write_corpus
from gmv.experiments.folder import Folder
from gmv.experiments.images import LabelledImages, Rows
from gmv.index.opened import Index, open_index
from gmv.indexing.build import BuildOptions, build_index
from gmv.indexing.progress import Progress
from gmv.monitoring.catalogue import Metrics
from gmv.monitoring.telemetry import StageClock
from gmv.settings import Settings
from gmv.valuation.owners import Ownership
from gmv.valuation.types import Attribution
from gmv.whole_file import write_whole

_EVENTS_AT_ONCE = 64
_THREADS = os.cpu_count() or 1


@dataclass(frozen=True, slots=True)
class Nearest:
    """The contributors of generated images, nearest first.

    Attributes:
        rows: int64 [events, K], of training images; -1 where there were fewer than K.
        distances: float64 [events, K], W1; infinite where there were fewer.
    """

    rows: NDArray[np.int64]
    distances: NDArray[np.float64]

    def first(self, contributors: int) -> "Nearest":
        """Return the K nearest of more."""
        return Nearest(self.rows[:, :contributors], self.distances[:, :contributors])

    def tensors(self) -> dict[str, torch.Tensor]:
        """As they are stored."""
        return {"rows": torch.from_numpy(self.rows), "distances": torch.from_numpy(self.distances)}


def nearest_of(tensors: dict[str, torch.Tensor]) -> Nearest:
    """Return what `Nearest.tensors` stored."""
    return Nearest(tensors["rows"].numpy(), tensors["distances"].numpy())


def index_of(images: LabelledImages, folder: Folder, settings: Settings, progress: Progress) -> Index:
    """Build an index over all images, used and unused alike, or open the one that is there.

    Raises:
        ExperimentRefused: the folder holds an index of other images.
    """
    if not folder.index.exists():
        write_corpus(images, folder.corpus)
    return index_over(folder.corpus, images.digest, folder, settings, progress)


def index_over(corpus: Path, digest: str, folder: Folder, settings: Settings, progress: Progress) -> Index:
    """Build an index over a corpus, or open the one that is there.

    Args:
        corpus: Parquet.
        digest: that tells it from others.
        folder: to keep the index in.
        settings: of images.
        progress: shows long steps.

    Raises:
        ExperimentRefused: the folder holds an index of other images.
    """
    stamp = folder.index.with_name("images.txt")
    if not folder.index.exists():
        write_whole(stamp, digest.encode())  # before the index: a kill in between leaves none that is unknown
        opened = open_corpus([corpus], settings.images.bytes_max)
        build_index(opened, folder.index, settings, BuildOptions(threads=_THREADS), progress)
    if not stamp.exists() or stamp.read_text() != digest:
        raise ExperimentRefused(
            f"{folder.index} is of other images; give another folder with --out, or delete that one"
        )
    return open_index(folder.index, verify=False)


def attribute(
    index: Index,
    drawn: Sequence[NDArray[np.uint8]] | NDArray[np.uint8],
    settings: Settings,
    among: Rows | None = None,
    progress: Callable[[int], None] = lambda _: None,
) -> Nearest:
    """Return the contributors of generated images, see `attributions_at`.

    Args:
        index: over all training images of the experiment.
        drawn: each uint8 [height, width, channels].
        settings: K, M and how many threads rank.
        among: the training images that may be credited, the others being left out as those of owners who opted out;
            None: all.
        progress: called with the number of events done since the last call.

    Raises:
        ExperimentRefused: an image cannot be attributed.
    """
    # Values are of images: each has a place of its own, though it be a near copy of another, and no credit is withheld.
    valuation = settings.valuation.model_copy(update={"copies": "off", "evidence": None})
    settings = settings.model_copy(update={"valuation": valuation})
    row_of = rows_of(index)
    contributors = settings.valuation.contributors
    rows = np.full((len(drawn), contributors), -1, np.int64)
    distances = np.full((len(drawn), contributors), np.inf)
    any_tau = [index.manifest.defaults.temperature]  # shares are not looked at
    (attributions,) = attributions_at(any_tau, index, drawn, settings, _others_left_out(index, among), progress)
    for place, attribution in enumerate(attributions):
        found = attribution.contributors
        rows[place, : len(found)] = [row_of[each.image_id] for each in found]
        distances[place, : len(found)] = [each.distance for each in found]
    return Nearest(rows, distances)


def attributions_at(
    temperatures: Sequence[float],
    index: Index,
    drawn: Sequence[NDArray[np.uint8]] | NDArray[np.uint8],
    settings: Settings,
    ownership: Ownership,
    progress: Callable[[int], None] = lambda _: None,
) -> list[list[Attribution]]:
    """Attribute generated images as a worker over the index does, by the batch path of `gmv.attributor`.

    Args:
        temperatures: each a tau; all share one ranking.
        index: over training images.
        drawn: uint8 [events, side, side, channels].
        settings: of attribution, as a worker has them.
        ownership: whose images are now.
        progress: called with the number of events done since the last call.

    Returns:
        For each temperature the attributions, in order of the images.

    Raises:
        ExperimentRefused: an image cannot be attributed.
    """
    attributor = assemble_attributor(index, settings, ownership, StageClock(), Metrics(CollectorRegistry()))
    events = events_of(drawn)
    attributions: list[list[Attribution]] = [[] for _ in temperatures]
    for start in range(0, len(events), _EVENTS_AT_ONCE):
        part = events[start : start + _EVENTS_AT_ONCE]
        for found, outcomes in zip(attributions, attributor.attribute_at(part, temperatures), strict=True):
            for place, outcome in enumerate(outcomes, start):
                if isinstance(outcome, Poison):
                    raise ExperimentRefused(f"generated image {place} cannot be attributed: {outcome}")
                found.append(outcome)
        progress(len(part))
    return attributions


def rows_of(index: Index) -> dict[str, int]:
    """Return the row of each training image, by its id."""
    return {image.image_id: row for row, image in enumerate(index.images.images(range(len(index.images))))}


def _others_left_out(index: Index, among: Rows | None) -> Ownership:
    if among is None:
        return Ownership()
    others = np.setdiff1d(np.arange(len(index.images)), among)
    return Ownership(opted_out_images=frozenset(image_id(int(row)) for row in others), is_left_out=True)


def attribution_stamp(index: Index, settings: Settings, among: Rows | None) -> dict[str, Any]:
    """All that decides an attribution beside what was drawn, as JSON has it."""
    return {
        "index": index.index_id,
        "candidates": settings.valuation.candidates,
        "contributors": settings.valuation.contributors,
        "among": "all" if among is None else among.tolist(),
    }
