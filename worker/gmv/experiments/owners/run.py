"""Owners' credits against their exact values by retraining, for several ways to give images to owners.

The used part of a seed's split is divided among owners. A fast generator is trained on every subset of them, and what
it draws is compared with images of the unused part: so the Shapley and Banzhaf values of owners are exact. gmv credits
the same owners for what the generator of them all draws. The third part is nobody's: on it the features of the
comparison are learnt, and the components that the generator works in.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from gmv.errors import ExperimentRefused
from gmv.experiments.folder import Folder
from gmv.experiments.images import LabelledImages, check_images
from gmv.experiments.laboratory import PER_CLASS_MIN
from gmv.experiments.owners.comparing import division_result
from gmv.experiments.owners.dividing import divide
from gmv.experiments.owners.finding import find, ground_of
from gmv.experiments.owners.gaussians import PRIOR_IMAGES
from gmv.experiments.owners.results import Owners
from gmv.experiments.owners.retraining import OWNERS_MAX, OWNERS_MIN
from gmv.experiments.quality.recogniser import Recogniser
from gmv.experiments.statistics import over_seeds
from gmv.indexing.progress import Progress
from gmv.settings import Settings
from gmv.whole_file import make_folder

DRAWN_PER_CLASS_MIN: Final = 2
"""One image has no covariance."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is asked.

    Attributes:
        seeds: one or more, of splits, divisions, trainings and noise.
        owners: how many, from 2 to 12.
        divisions: names of ways to give images to owners.
        drawn: images that each generator draws.
    """

    seeds: Sequence[int]
    owners: int
    divisions: Sequence[str]
    drawn: int


def run_owners(
    images: LabelledImages, folder: Folder, settings: Settings, plan: Plan, command: str, progress: Progress
) -> Owners:
    """Divide, train on all subsets, credit, and compare; what is there already is used.

    Args:
        images: the data set.
        folder: to keep everything in.
        settings: of attribution, as a worker has them.
        plan: what is asked.
        command: that makes the same result.
        progress: shows long steps.

    Raises:
        ExperimentRefused: there are too few images, a division does not fit, or what is stored is of another
            experiment.
    """
    _check(images, plan)
    make_folder(folder.root)
    grounds = [ground_of(images, folder, seed, progress) for seed in plan.seeds]
    for name in plan.divisions:  # what does not fit is refused before anything long
        divide(name, grounds[0].training, plan.owners, plan.seeds[0])
    found = {
        name: [find(name, each, plan.owners, plan.drawn, folder, settings, progress) for each in grounds]
        for name in plan.divisions
    }
    first = grounds[0]
    return Owners(
        "owners",
        command,
        images.name,
        tuple(plan.seeds),
        plan.owners,
        len(first.training),
        sum(map(len, first.held_out)),
        plan.drawn,
        settings.valuation.contributors,
        f"a Gaussian of each class in {len(first.components.deviations)} principal components, shrunk by "
        f"{PRIOR_IMAGES:g} images' weight towards what classes share",
        f"{Recogniser().features} features of a small convolutional classifier",
        over_seeds([each.recognised for each in grounds]),
        over_seeds([each.credited.temperature for seeds in found.values() for each in seeds]),
        tuple(division_result(name, plan.seeds[0], seeds) for name, seeds in found.items()),
    )


def _check(images: LabelledImages, plan: Plan) -> None:
    check_images(images, PER_CLASS_MIN)
    if not OWNERS_MIN <= plan.owners <= OWNERS_MAX:
        raise ExperimentRefused(
            f"--owners {plan.owners}: a generator is trained on every subset of owners; give {OWNERS_MIN} to "
            f"{OWNERS_MAX}"
        )
    if plan.drawn < (least := DRAWN_PER_CLASS_MIN * images.classes):
        raise ExperimentRefused(
            f"{plan.drawn} drawn images are too few to compare {images.classes} classes by; give --drawn {least} or "
            "more"
        )
