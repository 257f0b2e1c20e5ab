"""Protections of the exact re-rank."""

from typing import Final

from .mutation import Arguments, Mutation, pytest

_KERNEL: Final = "valuation/wasserstein"


def _bounds(selection: str) -> Arguments:
    return pytest("tests/valuation/wasserstein/test_bounds.py", "-k", selection, seconds_max=400)


def _ranking(selection: str) -> Arguments:
    return pytest("tests/valuation/wasserstein/test_rerank.py", "-k", selection, seconds_max=400)


MUTATIONS = [
    Mutation(
        "Bounds from duals are lowered for rounding, not raised by 1e-4",
        f"{_KERNEL}/bounds.py",
        "    return total - _ROUNDING * size",
        "    return total * 1.0001",
        _bounds("made_tight or no_bound"),
    ),
    Mutation(
        "The relaxed bound is lowered for rounding, not raised by 1e-4",
        f"{_KERNEL}/bounds.py",
        "* (1.0 - _ROUNDING)",
        "* 1.0001",
        _bounds("no_bound"),
    ),
    Mutation(
        "Float32 costs are lowered by what float32 may be wrong",
        f"{_KERNEL}/cost.py",
        "np.float32(1.0 - (2 * size + 16) * _UNIT_ROUNDOFF)",
        "np.float32(1.0)",
        _bounds("never_above"),
    ),
    Mutation(
        "A candidate is discarded where its bound is above the threshold, not below",
        f"{_KERNEL}/topk.py",
        "        if bound > threshold:\n            scratch.counts[Step.HALF]",
        "        if bound < threshold:\n            scratch.counts[Step.HALF]",
        _ranking("permutations or pot"),
    ),
    Mutation(
        "A search is given up only where feasible duals prove it",
        f"{_KERNEL}/assignment.py",
        "    return tighten_rows(costs, search.trial_columns, search.trial_rows) > threshold",
        "    return True",
        _bounds("search"),
    ),
    Mutation(
        "An assignment counts as the cheapest only with a certificate",
        f"{_KERNEL}/certificate.py",
        "    if largest == 0.0:\n        return True",
        "    if largest >= 0.0:\n        return True",
        _bounds("certificate"),
    ),
    Mutation(
        "Candidates are ranked in order of row, in whichever order they come",
        f"{_KERNEL}/rerank.py",
        "        return ascending\n",
        "        return rows\n",
        _ranking("nor_does_the_order"),
    ),
    Mutation(
        "Ties are in order of row",
        f"{_KERNEL}/ties.py",
        "rows[order[to - 1]] > rows[moved]",
        "rows[order[to - 1]] < rows[moved]",
        _ranking("row"),
    ),
]
