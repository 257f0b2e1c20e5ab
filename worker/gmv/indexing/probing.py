"""How many lists of an inverted file are enough: calibrated by the true nearest, as the number of candidates is.

What lists lose, no number of candidates brings back, and what they hold costs time whether it is needed or not. So
lists may lose half of what the target allows: with .95, .025 less than all lists recall within the most candidates
that are tried. The other half is left to the number of candidates, which is calibrated after it.
"""

from collections.abc import Sequence

import numpy as np

from gmv.index.measured import CalibratedLists, ProbedPoint
from gmv.index.recall import FaissRecall
from gmv.indexing.calibrating import Truth
from gmv.indexing.calibration import recalled_at, share_point


def calibrate_lists(
    recall: FaissRecall, truths: Sequence[Truth], target: float, candidates: int
) -> CalibratedLists | None:
    """Find the least number of lists tried that is enough, and have recall probe so many; None where there are none.

    Args:
        recall: over the rows.
        truths: queries with their true nearest.
        target: share of the true ten nearest, above 0 and at most 1.
        candidates: M, the most that are tried.
    """
    if recall.lists == 0:
        return None
    points = [_point(recall, truths, probes, candidates) for probes in tried_of(recall.lists)]
    goal = points[-1].recall - (1 - target) / 2
    probes = min(point.probes for point in points if point.recall >= goal)
    recall.probe(probes)
    return CalibratedLists(
        lists=recall.lists, probes=probes, candidates=candidates, target=target, points=tuple(points)
    )


def tried_of(lists: int) -> list[int]:
    """Return each number of lists that is tried: in steps of about a half, up to all of them."""
    steps = [step for power in range(lists.bit_length()) for step in (2**power, 3 * 2**power // 2) if step < lists]
    return [*sorted(set(steps)), lists]


def _point(recall: FaissRecall, truths: Sequence[Truth], probes: int, candidates: int) -> ProbedPoint:
    recall.probe(probes)
    found = sought = queries = 0
    for truth in truths:
        recalled = recalled_at(recall, truth.queries, [candidates])[candidates]
        found += sum(int(np.isin(true, keys).sum()) for true, keys in zip(truth.nearest, recalled, strict=True))
        sought += sum(map(len, truth.nearest))
        queries += len(truth.queries)
    share = share_point(candidates, found / sought if sought else 1.0, queries)
    return ProbedPoint(probes=probes, recall=share.recall, least=share.least, most=share.most)
