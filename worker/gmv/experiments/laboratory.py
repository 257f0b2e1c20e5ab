"""What all experiments share: for each generator and seed, the images it drew and whom gmv attributes them to."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from gmv.errors import ExperimentRefused
from gmv.experiments.attributing import Nearest, attribute, attribution_stamp, index_of, nearest_of
from gmv.experiments.folder import Folder
from gmv.experiments.generators.port import Family, Generator
from gmv.experiments.images import LabelledImages, Rows, check_images
from gmv.experiments.quality.recogniser import RecogniserNetwork, recogniser_of
from gmv.experiments.splits import PARTS, Split, split
from gmv.experiments.stored import load, store, stored_network
from gmv.experiments.training_together import PlannedTraining, train_and_store, train_together
from gmv.index.opened import Index
from gmv.indexing.progress import Progress
from gmv.settings import Settings
from gmv.whole_file import make_folder

PER_CLASS_MIN = 5 * PARTS
"""With fewer, a part has not five of a class, and its means are those of single images."""

_STEPS_TOGETHER_MIN = 500
"""A process takes two seconds before its first step, as long as some 20 take."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """Generated images.

    Attributes:
        pixels: uint8 [events, side, side, channels].
        labels: int64 [events], the class each was asked for.
    """

    pixels: NDArray[np.uint8]
    labels: NDArray[np.int64]


class Selection(NamedTuple):
    """Which training images are looked at: rows or all, K and M, under a name."""

    name: str
    among: Rows | None
    contributors: int
    candidates: int


class Laboratory:
    """Trains, draws and attributes what is asked for, once: what an earlier run has made is used."""

    def __init__(
        self,
        images: LabelledImages,
        families: Mapping[str, Family],
        folder: Folder,
        settings: Settings,
        drawn: int,
        progress: Progress,
        guidance: float | None = None,
    ) -> None:
        """Check the images, and index them.

        Args:
            images: the data set.
            families: generators, by name.
            folder: to keep everything in.
            settings: of attribution: M, and the threads that rank.
            drawn: images that each generator draws, each class as often as the next, give or take one.
            progress: shows long steps.
            guidance: w of the generators that are guided, in place of their own.

        Raises:
            ExperimentRefused: there are too few images, or the folder holds an experiment on others.
        """
        check_images(images, PER_CLASS_MIN)
        if drawn < images.classes:
            raise ExperimentRefused(
                f"{drawn} generated images are fewer than the {images.classes} classes; ask for more"
            )
        make_folder(folder.root)
        self.images = images
        self.families = families
        self._folder = folder
        self._settings = settings
        self._count = drawn
        self._guidance = guidance
        self._progress = progress
        self.index: Index = index_of(images, folder, settings, progress)

    @property
    def temperature(self) -> float:
        """The index's own tau."""
        return self.index.manifest.defaults.temperature

    def split(self, seed: int) -> Split:
        """Return which images are used, by a seed."""
        return split(self.images, seed)

    def generator(self, name: str, seed: int) -> Generator:
        """Return a generator trained on the used images of a seed's split; the seed is that of its training, too."""
        return self.families[name].generator(
            self.network(name, seed), self.images.shape, self.images.classes, self._guidance
        )

    def network(self, name: str, seed: int) -> nn.Module:
        """Return the network of that generator."""
        planned = self._training(name, seed)
        stored = self._stored(planned)  # a network may be false: one of no layers has a length
        return train_and_store(planned, self._progress) if stored is None else stored

    def train(self, seeds: Sequence[int]) -> None:
        """Train all generators that are not there, as many at a time as there are cores.

        Raises:
            ExperimentRefused: a training diverged.
        """
        planned = [self._training(name, seed) for seed in seeds for name in self.families]
        missing = [each for each in planned if self._stored(each) is None]
        processes = min(len(missing), os.cpu_count() or 1)
        if processes > 1 and sum(each.steps for each in missing) >= _STEPS_TOGETHER_MIN:
            train_together(missing, processes, self._progress)

    def _training(self, name: str, seed: int) -> PlannedTraining:
        used = self.images.take(self.split(seed).used)
        path, stamp = self._folder.network(name, seed), self._stamp(name, seed)
        return PlannedTraining(self.families[name], used, seed, path, stamp)

    def _stored(self, planned: PlannedTraining) -> nn.Module | None:
        empty = planned.learner.empty_network(self.images.shape, self.images.classes)
        return stored_network(planned.path, empty, planned.stamp)

    def recogniser(self, seed: int) -> RecogniserNetwork:
        """Return a classifier trained on the third part of a seed's split, which generators and comparisons leave."""
        return recogniser_of(self.images.take(self.split(seed).control), self._folder, seed, self._progress)

    def drawn(self, name: str, seed: int) -> Drawn:
        """Return what a generator draws."""
        labels = np.arange(self._count) % self.images.classes
        path, stamp = self._folder.drawn(self._drawing(name), seed), self._drawn_stamp(name, seed)
        if (stored := load(path, stamp)) is not None:
            return Drawn(stored["pixels"].numpy(), labels)
        generator = self.generator(name, seed)
        with self._progress(f"drawing by {name}, seed {seed}", self._count, "images") as advance:
            pixels = generator.draw(labels, seed, advance)
        store(path, {"pixels": torch.from_numpy(pixels)}, stamp)
        return Drawn(pixels, labels)

    def nearest(self, name: str, seed: int, contributors: int) -> Nearest:
        """Return the contributors of what a generator draws, as a worker over this index credits them.

        Args:
            name: of the generator.
            seed: of split, training and noise.
            contributors: K.
        """
        candidates = self._settings.valuation.candidates or self.index.manifest.defaults.candidates
        return self._nearest(name, seed, Selection("all", None, contributors, candidates))

    def nearest_among(self, name: str, seed: int, contributors: int, among: Rows, among_name: str) -> Nearest:
        """Return the nearest of some training images, exactly: every one of them is a candidate, by both looks.

        Args:
            name: of the generator.
            seed: of split, training and noise.
            contributors: K.
            among: the training images that may be contributors.
            among_name: what they are called, in the name of a file.
        """
        return self._nearest(name, seed, Selection(among_name, among, contributors, 2 * len(self.images)))

    def _nearest(self, name: str, seed: int, selection: "Selection") -> Nearest:
        settings = self._attribution_settings(selection)
        stamp = self._drawn_stamp(name, seed) | attribution_stamp(self.index, settings, selection.among)
        path = self._folder.attributed(self._drawing(name), seed, f"{selection.name}-{selection.contributors}")
        if (stored := load(path, stamp)) is not None:
            return nearest_of(stored)
        drawn = self.drawn(name, seed)
        description = f"attributing {name}, seed {seed}, among {selection.name}"
        with self._progress(description, self._count, "images") as advance:
            found = attribute(self.index, drawn.pixels, settings, selection.among, advance)
        store(path, found.tensors(), stamp)
        return found

    def _attribution_settings(self, selection: "Selection") -> Settings:
        valuation = self._settings.valuation.model_copy(
            update={"contributors": selection.contributors, "candidates": selection.candidates}
        )
        return self._settings.model_copy(update={"valuation": valuation})

    def _drawing(self, name: str) -> str:
        """Return a generator's name, in names of files, with how it draws where that is not its own way."""
        return name if self._weight(name) is None else f"{name}-w{self._weight(name):g}"

    def _weight(self, name: str) -> float | None:
        return self._guidance if self.families[name].is_guided else None

    def _drawn_stamp(self, name: str, seed: int) -> dict[str, Any]:
        weight = self._weight(name)
        return self._stamp(name, seed) | {"drawn": self._count} | ({} if weight is None else {"guidance": weight})

    def _stamp(self, name: str, seed: int) -> dict[str, Any]:
        family = self.families[name]
        return {"generator": name, "configuration": family.configuration(), "images": self.images.digest, "seed": seed}
