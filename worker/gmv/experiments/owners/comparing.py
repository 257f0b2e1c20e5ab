"""What owners earn beside what they are worth: rank correlations, each seed's, and over seeds."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from gmv.experiments.games import banzhaf_values, leave_one_out, shapley_values
from gmv.experiments.owners.baselines import images_of_owners
from gmv.experiments.owners.finding import Found
from gmv.experiments.owners.results import Agreement, Correlation, Cost, DivisionResult, OwnerResult
from gmv.experiments.statistics import over_seeds

Figures = NDArray[np.float64]
"""float64 [owners]."""


class Values(NamedTuple):
    """What owners are worth, float64 [owners] each."""

    shapley: Figures
    banzhaf: Figures
    leave_one_out: Figures


def values_of(utilities: NDArray[np.float64]) -> Values:
    """Return all three, of the utilities of all subsets."""
    return Values(shapley_values(utilities), banzhaf_values(utilities), leave_one_out(utilities))


def rank_correlations(one: Figures, other: Figures) -> tuple[float, float]:
    """Return Spearman's rho and Kendall's tau-b; 0 where all figures of one are the same, which orders nothing."""
    if np.ptp(one) == 0 or np.ptp(other) == 0:
        return 0.0, 0.0
    return float(stats.spearmanr(one, other).statistic), float(stats.kendalltau(one, other).statistic)


def correlation(pairs: Sequence[tuple[Figures, Figures]]) -> Correlation:
    """Return the rank correlations of two figures of owners, a pair for each seed."""
    found = [rank_correlations(*pair) for pair in pairs]
    return Correlation(over_seeds([rho for rho, _ in found]), over_seeds([tau for _, tau in found]))


def agreement(measure: str, figures: Sequence[Figures], values: Sequence[Values]) -> Agreement:
    """Compare a measure with what owners are worth, seed by seed."""
    pairs = list(zip(figures, values, strict=True))
    return Agreement(
        measure,
        correlation([(each, worth.shapley) for each, worth in pairs]),
        correlation([(each, worth.banzhaf) for each, worth in pairs]),
        correlation([(each, worth.leave_one_out) for each, worth in pairs]),
    )


def division_result(name: str, first_seed: int, found: Sequence[Found]) -> DivisionResult:
    """Compare all measures over one division, a `Found` for each seed."""
    values = [values_of(each.retrained.utilities.mean(0)) for each in found]
    repeated = [tuple(values_of(utilities).shapley for utilities in each.retrained.utilities) for each in found]
    measures = {
        "gmv's credits at the index's own tau": [each.credited.at_own for each in found],
        "gmv's credits at tau 1": [each.credited.at_poster for each in found],
        "gmv's contributors, counted": [each.credited.hits for each in found],
        "nearest by pixels, counted": [each.pixel_hits for each in found],
        "number of images": [images_of_owners(each.division) for each in found],
        "leave one out": [each.leave_one_out for each in values],
    }
    return DivisionResult(
        name,
        over_seeds([-float(each.retrained.utilities[:, -1].mean()) for each in found]),
        over_seeds([-each.worth_of_images for each in found]),
        over_seeds([-float(each.retrained.utilities[:, 0].mean()) for each in found]),
        correlation([(one, other) for one, other in repeated]),
        tuple(agreement(measure, figures, values) for measure, figures in measures.items()),
        first_seed,
        _owners(found[0], values[0]),
        _cost(found),
    )


def _owners(found: Found, values: Values) -> tuple[OwnerResult, ...]:
    images, earned = images_of_owners(found.division), found.credited.at_own
    return tuple(
        OwnerResult(
            owner,
            holding,
            int(images[owner]),
            float(values.shapley[owner]),
            float(values.banzhaf[owner]),
            float(values.leave_one_out[owner]),
            float(earned[owner] / earned.sum()),
        )
        for owner, holding in enumerate(found.division.holdings)
    )


def _cost(found: Sequence[Found]) -> Cost:
    retraining = [each.retrained.seconds for each in found]
    credited = [each.credited for each in found]
    ratios = [
        seconds / (each.index_seconds + each.attribution_seconds)
        for seconds, each in zip(retraining, credited, strict=True)
    ]
    return Cost(
        found[0].retrained.utilities.shape[1],
        over_seeds(retraining),
        over_seeds([each.index_seconds for each in credited]),
        over_seeds([each.attribution_seconds for each in credited]),
        over_seeds(ratios),
    )
