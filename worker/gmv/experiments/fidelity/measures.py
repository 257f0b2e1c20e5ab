"""What is measured of the answers, one figure per world, and then over worlds."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gmv.experiments.attributing import Nearest
from gmv.experiments.fidelity.asking import CREDITED, World
from gmv.experiments.fidelity.results import ClassShare, Depth, Sharpness
from gmv.experiments.pixel_neighbours import nearest_by_pixels
from gmv.experiments.ra3 import auc
from gmv.experiments.statistics import over_seeds
from gmv.experiments.values import shares_of, softmax_values
from gmv.valuation.utility import effective_contributors


def class_share_of(worlds: Sequence[World], count: int) -> ClassShare:
    """Return C1 at K = `count`, by each way to find the nearest."""
    return ClassShare(
        count,
        over_seeds([same_class(each.recalled[count].rows, each) for each in worlds]),
        over_seeds([same_class(reranked_by_pixels(each, count), each) for each in worlds]),
        over_seeds([same_class(each.ranked.first(count).rows, each) for each in worlds]),
        over_seeds([same_class(each.exact.first(count).rows, each) for each in worlds]),
        over_seeds([same_class(_by_pixels(each, count), each) for each in worlds]),
        over_seeds([chance(each) for each in worlds]),
    )


def same_class(rows: NDArray[np.int64], world: World) -> float:
    """Return the share of contributors of the queries' classes; rows of -1 are none."""
    found = rows >= 0
    return float(((world.indexed.labels[rows] == world.queries.labels[:, None]) & found).sum() / found.sum())


def _by_pixels(world: World, count: int) -> NDArray[np.int64]:
    return nearest_by_pixels(world.queries.pixels, world.indexed.pixels, count)


def reranked_by_pixels(world: World, count: int) -> NDArray[np.int64]:
    """Return the rows nearest by Euclidean distance of pixels among the candidates that W1 ranks.

    As with W1, the lesser distance of both looks counts.

    Returns:
        int64 [queries, count]; -1 where there are fewer candidates.
    """
    rows = world.found.rows
    asked, known = (each.pixels.astype(np.float64) for each in (world.queries, world.indexed))
    nearest = np.full((len(rows), count), -1)
    for place, look in enumerate(asked):
        candidates = rows[place][rows[place] >= 0]
        apart = np.minimum(*(((known[candidates] - each) ** 2).sum((1, 2, 3)) for each in (look, look[:, ::-1])))
        first = candidates[np.lexsort((candidates, apart))[:count]]
        nearest[place, : len(first)] = first
    return nearest


def chance(world: World) -> float:
    """Return the share of all indexed images that are of a query's class, mean over queries."""
    return float(np.mean([(world.indexed.labels == label).mean() for label in world.queries.labels]))


def depth_of(worlds: Sequence[World], candidates: int) -> Depth:
    """Compare the ten nearest of M candidates with those of all."""
    found = [(each.by_candidates[candidates], each.exact.first(CREDITED), each.temperature) for each in worlds]
    return Depth(
        candidates,
        over_seeds([overlap(some.rows, exact.rows) for some, exact, _ in found]),
        over_seeds([moved(some, exact, tau) for some, exact, tau in found]),
    )


def overlap(some: NDArray[np.int64], exact: NDArray[np.int64]) -> float:
    """Return the share of the exact nearest that are among some."""
    return float(np.mean([np.isin(e[e >= 0], s).mean() for s, e in zip(some, exact, strict=True)]))


def moved(some: Nearest, exact: Nearest, temperature: float) -> float:
    """Return the share of credit that goes to others than it would: half the sum of differences, mean over events."""
    differences = [
        sum(abs(one.get(row, 0.0) - other.get(row, 0.0)) for row in one.keys() | other.keys()) / 2
        for one, other in zip(_by_row(some, temperature), _by_row(exact, temperature), strict=True)
    ]
    return float(np.mean(differences))


def _by_row(nearest: Nearest, temperature: float) -> list[dict[int, float]]:
    """Return the shares of each event by training image."""
    return [
        {row: share for row, share in zip(rows, shares, strict=True) if row >= 0}
        for rows, shares in zip(nearest.rows.tolist(), shares_of(nearest, temperature).tolist(), strict=True)
    ]


def sharpness_of(worlds: Sequence[World], temperature: float | None) -> Sharpness:
    """At a temperature, or at each index's own."""
    taus = [each.temperature if temperature is None else temperature for each in worlds]
    credited = [each.ranked.first(CREDITED) for each in worlds]
    shares = [_by_row(each, tau) for each, tau in zip(credited, taus, strict=True)]
    return Sharpness(
        float(np.mean(taus)),
        over_seeds([float(np.mean([effective_contributors(list(each.values())) for each in of])) for of in shares]),
        over_seeds([class_credit(of, each) for of, each in zip(shares, worlds, strict=True)]),
        over_seeds(
            [
                noise_auc(softmax_values(of, len(each.indexed), tau), each)
                for of, each, tau in zip(credited, worlds, taus, strict=True)
            ]
        ),
    )


def class_credit(shares: Sequence[dict[int, float]], world: World) -> float:
    """Return the share of credit that goes to the queries' classes."""
    within = [
        sum(part for row, part in of.items() if world.indexed.labels[row] == label)
        for of, label in zip(shares, world.queries.labels, strict=True)
    ]
    return float(np.mean(within))


def noise_auc(values: NDArray[np.float64], world: World) -> float:
    """Return the probability that a real image is worth more than one of noise; ties count half."""
    is_noise = world.indexed.labels < 0
    return auc(values[~is_noise], values[is_noise])
