"""What is measured of one division of a seed: values by retraining, and credits."""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gmv.experiments.folder import Folder
from gmv.experiments.images import LabelledImages
from gmv.experiments.owners.baselines import pixel_hits
from gmv.experiments.owners.components import Components, principal_components
from gmv.experiments.owners.crediting import Asked, Credited, credit_owners
from gmv.experiments.owners.dividing import Division, divide
from gmv.experiments.owners.gaussians import PRIOR_IMAGES
from gmv.experiments.owners.retraining import Retrained, utilities_of_subsets
from gmv.experiments.owners.worth import REPETITIONS, Worth, draw_after_training, noise_of
from gmv.experiments.quality.recogniser import Recogniser, RecogniserNetwork, accuracy, recogniser_of
from gmv.experiments.splits import split
from gmv.experiments.statistics import random_halves
from gmv.indexing.progress import Progress
from gmv.settings import Settings
from gmv.whole_file import make_folder

COMPONENTS: Final = 32


class Ground(NamedTuple):
    """What all divisions of a seed share: images of the owners and held-out ones, components and features."""

    seed: int
    training: LabelledImages
    held_out: tuple[LabelledImages, ...]
    components: Components
    recogniser: RecogniserNetwork
    recognised: float


class Found(NamedTuple):
    """A division by one seed."""

    division: Division
    retrained: Retrained
    worth_of_images: float
    credited: Credited
    pixel_hits: NDArray[np.float64]


def ground_of(images: LabelledImages, folder: Folder, seed: int, progress: Progress) -> Ground:
    """Split the data set by a seed, and learn on the third part what is compared by; see `run_owners`."""
    parts = split(images, seed)
    third, unused = images.take(parts.control), images.take(parts.unused)
    recogniser = recogniser_of(third, folder, seed, progress)
    halves = random_halves(np.arange(len(unused)), np.random.default_rng([seed, 6]))
    return Ground(
        seed,
        images.take(parts.used),
        tuple(unused.take(half) for half in halves),
        principal_components(third.pixels, COMPONENTS),
        recogniser,
        accuracy(recogniser, unused),
    )


def find(
    name: str, ground: Ground, owners: int, count: int, folder: Folder, settings: Settings, progress: Progress
) -> Found:
    """Divide the owners' images, train on every subset of owners, and credit them for what that of them all draws.

    Args:
        name: of the division.
        ground: of the seed.
        owners: how many.
        count: of images that each generator draws.
        folder: to keep everything in.
        settings: of attribution.
        progress: shows long steps.
    """
    seed, components = ground.seed, ground.components
    division = divide(name, ground.training, owners, seed)
    place = Folder(folder.root / f"owners-{name}-{seed}")
    make_folder(place.root)
    worth = Worth(division, ground.held_out, components, ground.recogniser, count, seed)
    stamp = division.stamp() | {
        "held_out": [each.digest for each in ground.held_out],
        "drawn": count,
        "components": COMPONENTS,
        "prior_images": PRIOR_IMAGES,
        "recogniser": Recogniser().configuration(),
        "seed": seed,
    }
    path, what = place.root / "utilities.safetensors", f"training on subsets of owners, {name}, seed {seed}"
    with progress(what, 2**owners, "subsets") as advance:
        retrained = utilities_of_subsets(worth.of, owners, path, stamp, advance)
    latents = components.latents(division.images.pixels)
    noise = noise_of(components, count, seed, REPETITIONS)
    drawn = draw_after_training(division.images, latents, components, noise)
    generated = LabelledImages("generated", drawn.pixels, drawn.labels, division.images.classes)
    credited = credit_owners(Asked(division, generated, settings, f"{name}, seed {seed}"), place, progress)
    hits = pixel_hits(division, drawn.pixels, settings.valuation.contributors)
    return Found(division, retrained, float(worth.of_images().mean()), credited, hits)
