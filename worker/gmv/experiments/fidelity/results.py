"""What the fidelity experiment ends with."""

from dataclasses import dataclass

from gmv.experiments.statistics import Interval


@dataclass(frozen=True, slots=True)
class ClassShare:
    """C1: the share of the K nearest that are of the query's class.

    Attributes:
        contributors: K.
        recalled: of the K that recall finds nearest, without a re-rank.
        by_pixels: of the K nearest by Euclidean distance of pixels among the index's own number of candidates: a
            re-rank by L2.
        ranked: of the K nearest by W1 among these candidates, as a worker credits them.
        exact: of the K nearest by W1 among all images.
        pixels: of the K nearest by Euclidean distance of pixels among all.
        chance: of K random ones.
    """

    contributors: int
    recalled: Interval
    by_pixels: Interval
    ranked: Interval
    exact: Interval
    pixels: Interval
    chance: Interval


@dataclass(frozen=True, slots=True)
class OfClass:
    """C1 of the queries of one class; `queries` are those of all seeds."""

    label: int
    queries: int
    share: ClassShare


@dataclass(frozen=True, slots=True)
class Quantised:
    """What quantising the vectors that are recalled by changes.

    Attributes:
        way: "none", "codes" of the index itself, whose first are compared again by vectors, or "pq".
        recalled: C1 at K = 10 by recall alone.
        ranked: C1 at K = 10 after the re-rank, by W1 among the index's own number of candidates.
        recall: share of the ten nearest of all that are among the ten credited.
        value_change: part of all value that is at other images than without quantisation, at the index's own tau.
    """

    way: str
    recalled: Interval
    ranked: Interval
    recall: Interval
    value_change: Interval


@dataclass(frozen=True, slots=True)
class Weighted:
    """What the quality of generated images changes as a weight: queries under noise, whose quality is known.

    Attributes:
        is_weighted: by quality.
        class_share: of all value, what goes to images of the queries' classes.
        noise_share: what goes to training images of noise.
        value_change: part of all value that is at other images than by the same queries without noise.
    """

    is_weighted: bool
    class_share: Interval
    noise_share: Interval
    value_change: Interval


@dataclass(frozen=True, slots=True)
class Depth:
    """What M candidates find of what all of them find.

    Attributes:
        candidates: M, pairs of a training image and a look.
        recall: share of the ten nearest of all that are among the ten credited.
        moved: share of an event's credit that goes to others than it would with all images as candidates, at the
            index's own tau.
    """

    candidates: int
    recall: Interval
    moved: Interval


@dataclass(frozen=True, slots=True)
class Sharpness:
    """What a temperature makes of the same ten.

    Attributes:
        temperature: tau.
        effective_contributors: exp of the entropy of the shares, mean over events; ten where all have the same.
        class_share: of an event's credit, what goes to its class.
        noise_auc: C3: probability that a real training image is worth more than one of noise.
    """

    temperature: float
    effective_contributors: Interval
    class_share: Interval
    noise_auc: Interval


@dataclass(frozen=True, slots=True)
class Fidelity:
    """The experiment's result; `command` makes it again.

    `temperature` and `candidates` are the indexes' own, over seeds; `noise_auc_of_hits` is C3 by counting.
    """

    experiment: str
    command: str
    dataset: str
    seeds: tuple[int, ...]
    queries: int
    indexed: int
    noise: int
    temperature: Interval
    candidates: Interval
    class_shares: tuple[ClassShare, ...]
    classes: tuple[OfClass, ...]
    quantised: tuple[Quantised, ...]
    weighted: tuple[Weighted, ...]
    depths: tuple[Depth, ...]
    sharpness: tuple[Sharpness, ...]
    noise_auc_of_hits: Interval
