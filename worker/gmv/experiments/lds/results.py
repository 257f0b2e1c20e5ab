"""What the experiment ends with."""

from dataclasses import dataclass
from typing import Final

from gmv.experiments.lds.score import MeanScore
from gmv.experiments.statistics import Interval


@dataclass(frozen=True, slots=True)
class MethodResult:
    """A way to score training images.

    Attributes:
        method: its name.
        sees: what it needs beside the training images and the generated one.
        score: the linear datamodelling score, over seeds.
        seeds: one by one, each a mean over generated images.
    """

    method: str
    sees: str
    score: Interval
    seeds: tuple[MeanScore, ...]


@dataclass(frozen=True, slots=True)
class Published:
    """A figure of others, of another data set: `low` and `high` are the least and the best of their variants."""

    method: str
    low: float
    high: float
    source: str


CIFAR_2: Final = (
    Published("NDA, patches of all training images", 0.160, 0.160, "arXiv:2510.14269"),
    Published("cosine and inner product of CLIP", 0.033, 0.042, "D-TRAK, arXiv:2311.00500"),
    Published("cosine and inner product of pixels", 0.049, 0.054, "D-TRAK, arXiv:2311.00500"),
    Published("TRAK, gradients of the loss", 0.059, 0.161, "D-TRAK, arXiv:2311.00500"),
    Published("D-TRAK, gradients of the output's square", 0.191, 0.260, "D-TRAK, arXiv:2311.00500"),
)
"""On generated images of CIFAR-2: 5,000 images of two classes, 64 halves, diffusions of 36 million weights."""


@dataclass(frozen=True, slots=True)
class LDS:
    """The experiment's result; `command` makes it again.

    Attributes:
        experiment: its name.
        command: that makes it again.
        dataset: the data set, or the folder that masks and losses are from.
        images: training images, of which halves are taken.
        drawn: generated images.
        subsets: halves.
        trainings: of each half, whose losses are averaged; None where they are of others.
        agreement: Spearman's rank correlation, over halves, of the losses of two trainings, mean over generated images;
            None where each half was trained once.
        index_id: of the index.
        temperature: its own tau.
        left_out: what was not computed, and why.
        methods: one by one.
        published: of others, on CIFAR-2.
    """

    experiment: str
    command: str
    dataset: str
    images: int
    drawn: int
    subsets: int
    trainings: int | None
    agreement: Interval | None
    index_id: str
    temperature: float
    left_out: tuple[str, ...]
    methods: tuple[MethodResult, ...]
    published: tuple[Published, ...]
