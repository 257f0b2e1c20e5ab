"""Generators trained on halves of the training images, and what each makes of the images that all of them generated."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gmv.experiments.folder import Folder
from gmv.experiments.generators.diffusion.family import Diffusion
from gmv.experiments.generators.diffusion.losses import Probes, denoising_losses, probes
from gmv.experiments.generators.diffusion.process import signal_shares
from gmv.experiments.generators.pixels import to_torch
from gmv.experiments.generators.training import train
from gmv.experiments.images import LabelledImages
from gmv.experiments.stored import load, store
from gmv.indexing.progress import Progress
from gmv.whole_file import make_folder

PROBES = 50
"""Times at which a loss is measured, with other noise at each."""


@dataclass(frozen=True, slots=True)
class Retraining:
    """What is trained, and what it is asked about.

    Attributes:
        family: of the generator.
        name: of it, in names of files.
        training: the images of which halves are taken.
        generated: what the generator that was trained on all of them drew.
        seed: of halves, trainings and noise.
    """

    family: Diffusion
    name: str
    training: LabelledImages
    generated: LabelledImages
    seed: int

    @property
    def probes(self) -> Probes:
        """Times and noise: the same for all generators, so that the losses differ by what was learnt alone."""
        return probes(PROBES, signal_shares(self.family.process_steps), self.training.shape, self.seed)


def losses_of_halves(
    asked: Retraining, masks: NDArray[np.bool_], trainings: int, folder: Folder, progress: Progress
) -> NDArray[np.float64]:
    """Train a generator on each half, as often as is wanted, or use what is there: [trainings, halves, generated].

    Args:
        asked: what is trained, and asked about.
        masks: bool [halves, training], which images each half holds.
        trainings: of each half, with other first weights, batches and noise.
        folder: losses are kept in it, a file for each training.
        progress: shows how many are done.

    Raises:
        ExperimentRefused: a training diverged, or the folder holds losses of another experiment.
    """
    place = folder.halves(asked.name, asked.seed)
    make_folder(place)
    losses = np.empty((trainings, len(masks), len(asked.generated)))
    description = f"training {asked.name} on halves, seed {asked.seed}"
    with progress(description, trainings * len(masks), "trainings") as advance:
        for training in range(trainings):
            for half, mask in enumerate(masks):
                path, rows = place / f"{training}-{half}.safetensors", np.flatnonzero(mask)
                stamp = _stamp(asked, training, rows)
                if (stored := load(path, stamp)) is None:
                    stored = {"losses": _losses(asked, rows, training)}
                    store(path, stored, stamp)
                losses[training, half] = stored["losses"].numpy()
                advance(1)
    return losses


def training_seed(seed: int, training: int) -> int:
    """Return the seed of a training, the same for all halves: they begin with the same weights and meet the same noise.

    So their losses differ by what they hold, and less by chance. D-TRAK's benchmark does the same.
    """
    return int(np.random.SeedSequence([seed, training]).generate_state(1)[0])


def _losses(asked: Retraining, rows: NDArray[np.int64], training: int) -> Tensor:
    network = train(asked.family, asked.training.take(rows), training_seed(asked.seed, training))
    labels = torch.from_numpy(asked.generated.labels)
    return denoising_losses(network, to_torch(asked.generated.pixels), labels, asked.probes)


def _stamp(asked: Retraining, training: int, rows: NDArray[np.int64]) -> dict[str, Any]:
    return {
        "generator": asked.name,
        "configuration": asked.family.configuration(),
        "images": asked.training.digest,
        "generated": asked.generated.digest,
        "seed": asked.seed,
        "training": training,
        "half": rows.tolist(),
        "probes": PROBES,
    }
