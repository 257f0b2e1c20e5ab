"""What is measured of attributions whose truth is known, one figure per seed."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gmv.experiments.truth.mixing import Mixes
from gmv.experiments.values import shares_of


class Found(NamedTuple):
    """Of the K nearest, the share that are sources; and of the sources, the share that are among them."""

    precision: float
    recall: float


class Line(NamedTuple):
    """The line through shares against mixing weights that has the least squares; a slope of 1 through 0 is truth."""

    slope: float
    intercept: float


def found_at(mixes: Mixes, contributors: int) -> Found:
    """Return precision and recall of true sources at K = `contributors`; where fewer were found, others are missed."""
    first = mixes.nearest.rows[:, :contributors]
    hits = int((first[:, :, None] == mixes.sources[:, None, :]).sum())
    return Found(hits / (len(first) * contributors), hits / mixes.sources.size)


def source_shares(mixes: Mixes, temperature: float) -> NDArray[np.float64]:
    """Return what each source earned of its event, float64 [events, n]; 0 of one that is no contributor."""
    is_source = mixes.nearest.rows[:, :, None] == mixes.sources[:, None, :]
    earned: NDArray[np.float64] = (shares_of(mixes.nearest, temperature)[:, :, None] * is_source).sum(1)
    return earned


def on_sources(mixes: Mixes, temperature: float) -> float:
    """Return the share of credit on true sources, mean over events."""
    return float(source_shares(mixes, temperature).sum(1).mean())


def on_owners(mixes: Mixes, owners: NDArray[np.str_], temperature: float) -> float:
    """Return the share of credit on owners of true sources, by any of their images, mean over events.

    Args:
        mixes: with their contributors.
        owners: of each row.
        temperature: tau.
    """
    rows = mixes.nearest.rows
    is_owner = (owners[rows][:, :, None] == owners[mixes.sources][:, None, :]).any(2) & (rows >= 0)
    return float((shares_of(mixes.nearest, temperature) * is_owner).sum(1).mean())


def owners_by_chance(mixes: Mixes, owners: NDArray[np.str_], owned: Mapping[str, int]) -> float:
    """Return the share of all training images that are of the owners of an event's sources, mean over events."""
    of = [sum(owned[owner] for owner in set(each)) for each in owners[mixes.sources].tolist()]
    return float(np.mean(of)) / len(owners)


def misplaced(mixes: Mixes, temperature: float) -> float:
    """Return the share of credit that is not where the mixing weights would have it, mean over events.

    It is the distance in total variation between shares and weights: 0 where each source earns its weight, 1 where all
    goes to others.
    """
    kept = np.minimum(source_shares(mixes, temperature), mixes.weights).sum(1)
    return float(1 - kept.mean())


def line_through(weights: NDArray[np.float64], shares: NDArray[np.float64]) -> Line | None:
    """Return the line of least squares; None where all weights are alike, as those of single sources are."""
    centred = weights - weights.mean()
    spread = float(centred @ centred)
    if spread < 1e-9 * len(weights):
        return None
    slope = float(centred @ (shares - shares.mean())) / spread
    return Line(slope, float(shares.mean()) - slope * float(weights.mean()))
