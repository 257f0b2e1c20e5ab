"""All methods judged by the same losses, seed by seed, and then over seeds."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from gmv.experiments.lds.methods import Method
from gmv.experiments.lds.results import CIFAR_2, LDS, MethodResult
from gmv.experiments.lds.score import datamodelling_scores, mean_score, rank_correlations
from gmv.experiments.statistics import over_seeds


@dataclass(frozen=True, slots=True)
class Judged:
    """One seed: what became of generated images, and what is judged by it.

    Attributes:
        seed: of all that is random.
        masks: bool [subsets, training], which images each subset holds.
        losses: float64 [trainings, subsets, generated].
        methods: in an order that all seeds share.
    """

    seed: int
    masks: NDArray[np.bool_]
    losses: NDArray[np.float64]
    methods: Sequence[Method]


def result_of(
    judged: Sequence[Judged],
    command: str,
    dataset: str,
    trainings: int | None,
    index_id: str,
    temperature: float,
    left_out: tuple[str, ...] = (),
) -> LDS:
    """Return the experiment's result; see `LDS`.

    Args:
        judged: one or more seeds.
        command: that makes it again.
        dataset: the data set, or the folder that losses are from.
        trainings: of each subset; None where they are of others.
        index_id: of the index that gmv attributed by.
        temperature: its own tau.
        left_out: what was not computed, and why.
    """
    first = judged[0]
    agreements = [found for each in judged if (found := agreement(each.losses)) is not None]
    return LDS(
        "lds",
        command,
        dataset,
        first.masks.shape[1],
        first.losses.shape[2],
        len(first.masks),
        trainings,
        over_seeds(agreements) if agreements else None,
        index_id,
        temperature,
        left_out,
        tuple(_method(judged, place) for place in range(len(first.methods))),
        CIFAR_2,
    )


def _method(judged: Sequence[Judged], place: int) -> MethodResult:
    found = tuple(
        mean_score(datamodelling_scores(each.masks, each.losses.mean(0), each.methods[place].scores), each.seed)
        for each in judged
    )
    method = judged[0].methods[place]
    return MethodResult(method.name, method.sees, over_seeds([each.mean for each in found]), found)


def agreement(losses: NDArray[np.float64]) -> float | None:
    """Return how alike trainings order the subsets, mean over generated images and pairs of trainings; None of one.

    Args:
        losses: float64 [trainings, subsets, generated].
    """
    pairs = [rank_correlations(one.T, other.T).mean() for one, other in combinations(losses, 2)]
    return float(np.mean(pairs)) if pairs else None
