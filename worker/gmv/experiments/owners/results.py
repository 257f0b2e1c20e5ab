"""What the experiment ends with."""

from dataclasses import dataclass

from gmv.experiments.statistics import Interval


@dataclass(frozen=True, slots=True)
class Correlation:
    """Rank correlations over owners, mean over seeds: 1 where both order owners alike, 0 by chance."""

    spearman: Interval
    kendall: Interval


@dataclass(frozen=True, slots=True)
class Agreement:
    """How a measure orders owners beside what they are worth."""

    measure: str
    shapley: Correlation
    banzhaf: Correlation
    leave_one_out: Correlation


@dataclass(frozen=True, slots=True)
class OwnerResult:
    """One owner, of one seed.

    Attributes:
        owner: its number.
        holding: what its images are, in words.
        images: how many it has.
        shapley, banzhaf, leave_one_out: in Frechet distance that the owner takes away.
        credit: its share of all credits at the index's own tau.
    """

    owner: int
    holding: str
    images: int
    shapley: float
    banzhaf: float
    leave_one_out: float
    credit: float


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds of one core, over seeds.

    Attributes:
        trainings: generators for the exact values.
        retraining_seconds: to train, draw and judge all of them, `REPETITIONS` times each.
        index_seconds: to build gmv's index of the owners' images.
        attribution_seconds: to attribute what the generator of all owners drew.
        ratio: of retraining to index and attribution together.
    """

    trainings: int
    retraining_seconds: Interval
    index_seconds: Interval
    attribution_seconds: Interval
    ratio: Interval


@dataclass(frozen=True, slots=True)
class DivisionResult:
    """One way to give images to owners.

    Attributes:
        division: its name.
        distance: Frechet distance of what the generator of all owners draws, over seeds.
        distance_of_images: of the owners' images themselves, over seeds.
        distance_of_noise: of noise, which is what nobody's generator draws.
        repeated: Shapley values by other noise and other held-out images: no measure can agree better, but by luck.
        agreements: of each measure.
        first_seed: of the owners that follow.
        owners: one by one, of the first seed.
        cost: of both.
    """

    division: str
    distance: Interval
    distance_of_images: Interval
    distance_of_noise: Interval
    repeated: Correlation
    agreements: tuple[Agreement, ...]
    first_seed: int
    owners: tuple[OwnerResult, ...]
    cost: Cost


@dataclass(frozen=True, slots=True)
class Owners:
    """The experiment's result; `command` makes it again, but for the seconds.

    Attributes:
        experiment: its name.
        command: that makes it again.
        dataset: its name.
        seeds: of splits, divisions, trainings and noise.
        owners: how many.
        images: of all owners together.
        held_out: images that what is drawn is compared with.
        drawn: images that each generator draws.
        contributors: K.
        generator: what is trained, in words.
        features: what Frechet distances are of, in words.
        recognised: share of held-out images whose class the features' network tells.
        temperature: the indexes' own tau, over all divisions and seeds.
        divisions: one by one.
    """

    experiment: str
    command: str
    dataset: str
    seeds: tuple[int, ...]
    owners: int
    images: int
    held_out: int
    drawn: int
    contributors: int
    generator: str
    features: str
    recognised: Interval
    temperature: Interval
    divisions: tuple[DivisionResult, ...]
