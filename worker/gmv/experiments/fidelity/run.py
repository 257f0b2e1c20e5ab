"""Fidelity beyond the poster: how settings of the method change whom real images are attributed to; nothing is trained.

A part of the data set is left out of an index and asked about, image by image: its own class is known (C1 of the
paper), and so is that images of noise, put among the training images, should be worth nothing (C3).
"""

from collections.abc import Sequence
from typing import Final

from gmv.experiments.fidelity.asking import CANDIDATES, CONTRIBUTORS, CREDITED, ask_world
from gmv.experiments.fidelity.changes import of_class, quantised_of, weighted_of
from gmv.experiments.fidelity.measures import class_share_of, depth_of, noise_auc, sharpness_of
from gmv.experiments.fidelity.results import Fidelity
from gmv.experiments.folder import Folder
from gmv.experiments.images import LabelledImages, check_images
from gmv.experiments.laboratory import PER_CLASS_MIN
from gmv.experiments.statistics import over_seeds
from gmv.experiments.values import POSTER_TEMPERATURE, hit_counts
from gmv.indexing.progress import Progress
from gmv.settings import Settings

TEMPERATURES: Final = (POSTER_TEMPERATURE, 0.3, 0.1, 0.03, 0.01)


def run_fidelity(
    images: LabelledImages,
    folder: Folder,
    settings: Settings,
    seeds: Sequence[int],
    queries: int,
    command: str,
    progress: Progress,
) -> Fidelity:
    """Build an index for each seed, ask it, and compare.

    Args:
        images: the data set, of which two parts of three are indexed.
        folder: to keep indexes in.
        settings: of attribution.
        seeds: of the splits and of noise.
        queries: of the third part, so many at most.
        command: that makes the same result.
        progress: shows long steps.

    Raises:
        ExperimentRefused: there are too few images.
    """
    check_images(images, PER_CLASS_MIN)
    worlds = [ask_world(images, folder, settings, seed, queries, progress) for seed in seeds]
    first = worlds[0]
    return Fidelity(
        "fidelity",
        command,
        images.name,
        tuple(seeds),
        len(first.queries),
        len(first.indexed),
        int((first.indexed.labels < 0).sum()),
        over_seeds([each.temperature for each in worlds]),
        over_seeds([each.candidates for each in worlds]),
        tuple(class_share_of(worlds, count) for count in CONTRIBUTORS),
        tuple(found for label in range(images.classes) if (found := of_class(worlds, label)) is not None),
        tuple(quantised_of(worlds, way) for way in first.quantised),
        tuple(weighted_of(worlds, is_weighted) for is_weighted in (False, True)),
        tuple(depth_of(worlds, count) for count in CANDIDATES),
        tuple(sharpness_of(worlds, tau) for tau in (*TEMPERATURES, None)),
        over_seeds([noise_auc(hit_counts(each.ranked.first(CREDITED), len(each.indexed)), each) for each in worlds]),
    )
