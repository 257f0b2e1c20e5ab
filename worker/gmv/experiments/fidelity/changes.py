"""How values change: by quantising what is recalled by, and by weighting generated images with their quality."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from gmv.experiments.attributing import Nearest
from gmv.experiments.fidelity.asking import CREDITED, World
from gmv.experiments.fidelity.measures import class_share_of, overlap, same_class
from gmv.experiments.fidelity.results import OfClass, Quantised, Weighted
from gmv.experiments.statistics import over_seeds
from gmv.experiments.values import softmax_values


def of_class(worlds: Sequence[World], label: int) -> OfClass | None:
    """Return C1 of the queries of one class, at K = 10; None where no seed has any. Seeds without any count not."""
    found = [one for each in worlds if len((one := _only(each, label)).queries)]
    if not found:
        return None
    return OfClass(label, sum(len(each.queries) for each in found), class_share_of(found, CREDITED))


def _only(world: World, label: int) -> World:
    """Return a world with the queries of one class alone."""
    rows = np.flatnonzero(world.queries.labels == label)

    def some(nearest: Nearest) -> Nearest:
        return Nearest(nearest.rows[rows], nearest.distances[rows])

    return replace(
        world,
        queries=world.queries.take(rows),
        recalled={count: some(nearest) for count, nearest in world.recalled.items()},
        ranked=some(world.ranked),
        found=some(world.found),
        exact=some(world.exact),
    )


def quantised_of(worlds: Sequence[World], way: str) -> Quantised:
    """Compare recall by quantised vectors with recall by the vectors themselves, `World.quantised`'s "none"."""
    found = [(each, each.quantised[way], each.quantised["none"].ranked) for each in worlds]
    return Quantised(
        way,
        over_seeds([same_class(of.recalled.rows, each) for each, of, _ in found]),
        over_seeds([same_class(of.ranked.rows, each) for each, of, _ in found]),
        over_seeds([overlap(of.ranked.rows, each.exact.first(CREDITED).rows) for each, of, _ in found]),
        over_seeds([value_change(values_of(of.ranked, each), values_of(plain, each)) for each, of, plain in found]),
    )


def weighted_of(worlds: Sequence[World], is_weighted: bool) -> Weighted:
    """Value training images by spoiled queries, with their quality as a weight or without."""
    values = [values_of(each.spoiled, each, each.qualities if is_weighted else None) for each in worlds]
    return Weighted(
        is_weighted,
        over_seeds([class_value(each, is_weighted) for each in worlds]),
        over_seeds([noise_value(of, each) for of, each in zip(values, worlds, strict=True)]),
        over_seeds(
            [
                value_change(of, values_of(each.ranked.first(CREDITED), each))
                for of, each in zip(values, worlds, strict=True)
            ]
        ),
    )


def values_of(nearest: Nearest, world: World, qualities: NDArray[np.float64] | None = None) -> NDArray[np.float64]:
    """Return the value of each indexed image at the index's own tau, float64 [indexed]."""
    return softmax_values(nearest, len(world.indexed), world.temperature, qualities)


def noise_value(values: NDArray[np.float64], world: World) -> float:
    """Return which part of all value is at training images of noise."""
    return float(values[world.indexed.labels < 0].sum() / values.sum())


def value_change(values: NDArray[np.float64], others: NDArray[np.float64]) -> float:
    """Return which part of all value is at other images than it was: half the sum of differences of their shares."""
    return float(np.abs(values / values.sum() - others / others.sum()).sum() / 2)


def class_value(world: World, is_weighted: bool) -> float:
    """Return which part of the value that spoiled queries give goes to images of their own class."""
    weights = world.qualities if is_weighted else np.ones(len(world.queries))
    within = 0.0
    for label in np.unique(world.queries.labels):
        rows = np.flatnonzero(world.queries.labels == label)
        of = Nearest(world.spoiled.rows[rows], world.spoiled.distances[rows])
        within += float(values_of(of, world, weights[rows])[world.indexed.labels == label].sum())
    return within / float(weights.sum())
