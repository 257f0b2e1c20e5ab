"""Protections of the exact re-rank."""

from typing import Final

from .mutation import Arguments, Mutation, pytest

_KERNEL: Final = "valuation/wasserstein"


def _bounds(selection: str) -> Arguments:
    return pytest("tests/valuation/wasserstein/test_bounds.py", "-k", selection, seconds_max=400)


def _ranking(selection: str) -> Arguments:
    return pytest("tests/valuation/wasserstein/test_rerank.py", "-k", selection, seconds_max=400)


def _looks(selection: str) -> Arguments:
    return pytest("tests/valuation/wasserstein/test_looks.py", "-k", selection, seconds_max=400)


MUTATIONS = [
    Mutation(
        "Tokens of whole numbers are padded to what steps take at once, so that none of theirs is left out",
        f"{_KERNEL}/packed.py",
        "at_once = STEPS_AT_ONCE * a_step",
        "at_once = a_step",
        pytest("tests/valuation/wasserstein/test_tiles.py", seconds_max=400),
    ),
    Mutation(
        "Costs are rounded down by what their root and its product may be rounded up",
        f"{_KERNEL}/fixed.py",
        "np.float32(1.0 - 2.0**-22)",
        "np.float32(1.0 + 2.0**-20)",
        _bounds("never_above"),
    ),
    Mutation(
        "Float32 costs are lowered by what float32 may be wrong",
        f"{_KERNEL}/cost.py",
        "np.float32(1.0 - (2 * size + 16) * _UNIT_ROUNDOFF)",
        "np.float32(1.0)",
        _bounds("never_above"),
    ),
    Mutation(
        "Squared costs of whole numbers are exact, and not lowered",
        f"{_KERNEL}/matrices.py",
        "            lower(norms, looks.shape[2])",
        "        lower(norms, looks.shape[2])",
        _bounds("integers"),
    ),
    Mutation(
        "The ascent keeps duals where nothing overflows",
        f"{_KERNEL}/ascent.py",
        "np.int32(min(max(moved, -_DUAL_LIMIT), _DUAL_LIMIT))",
        "np.int32(moved)",
        _bounds("within_its_limits"),
    ),
    Mutation(
        "What reaches a column that the search is done with changes nothing",
        f"{_KERNEL}/fixed.py",
        "np.int32(25 * COST_MAX)",
        "np.int32(32 * COST_MAX)",
        _bounds("exactly_at"),
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
        "        if distance > limit:",
        "        if distance >= limit:",
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
        f"{_KERNEL}/checked.py",
        "        return ascending\n",
        "        return rows\n",
        _ranking("nor_does_the_order"),
    ),
    Mutation(
        "A row is counted once among the K cheapest, whichever of its looks were assigned",
        f"{_KERNEL}/topk.py",
        "    while place < contributors - 1 and scratch.cheapest_row[place] != row:",
        "    while place < contributors - 1:",
        _looks("merged"),
    ),
    Mutation(
        "Of two looks that tie the look as it is counts",
        f"{_KERNEL}/ties.py",
        "distances[plain] - distances[turned] <= TIE * distances[plain]",
        "distances[plain] - distances[turned] < 0.0",
        _looks("looks_that_are_equal"),
    ),
    Mutation(
        "Ties are in order of row",
        f"{_KERNEL}/ties.py",
        "rows[order[to - 1]] > rows[moved]",
        "rows[order[to - 1]] < rows[moved]",
        _ranking("row"),
    ),
    Mutation(
        "A pair of the mirrored look is ranked by the mirrored tokens",
        f"{_KERNEL}/topk.py",
        "        pair = order[place]\n        row, look, unit = rows[pair], int(pair >= first_mirrored),",
        "        pair = order[place]\n        row, look, unit = rows[pair], 0,",
        _looks("merged"),
    ),
    Mutation(
        "Of unequal token sets, too, the mirrored look is ranked by the mirrored tokens",
        f"{_KERNEL}/rerank.py",
        "query.looks[int(turned)]",
        "query.looks[0]",
        _looks("merged"),
    ),
    Mutation(
        "What a look has no certificate for is solved by that look's tokens",
        f"{_KERNEL}/rerank.py",
        "query.looks[int(found.mirrored[place])]",
        "query.looks[0]",
        pytest("tests/valuation/wasserstein/test_looks.py", seconds_max=400),
    ),
    Mutation(
        "The mirrored look has candidates of its own",
        "attributor.py",
        "MirroredLook(each, found.mirrored_rows)",
        "MirroredLook(each, found.rows)",
        pytest("tests/test_attributor.py", "-k", "each_look", seconds_max=400),
    ),
]
