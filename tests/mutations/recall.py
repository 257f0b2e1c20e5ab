"""Protections of recall in integers, and of its measurement."""

from .mutation import Mutation, pytest

_EXACT = "tests/index/test_exact_recall.py"
_REFINE = "tests/index/test_refine.py"
_CALIBRATION = "tests/indexing/test_calibration.py"
_PROBING = "tests/indexing/test_probing.py"

MUTATIONS = [
    Mutation(
        "A pair as far as the farthest of those wanted may come before it, by its look or row",
        "index/scan.py",
        "found += int(nearer[row] <= limit)",
        "found += int(nearer[row] < limit)",
        pytest(_EXACT, "-k", "tie", seconds_max=200),
    ),
    Mutation(
        "Numbers beyond whole registers are multiplied, too",
        "index/scan.py",
        "for component in range(end_by_vectors, end):",
        "for component in range(end, end):",
        pytest(_EXACT, "-k", "brute_force", seconds_max=200),
    ),
    Mutation(
        "Of pairs as far as the last one wanted, look and row decide which is taken",
        "index/integer_recall.py",
        "np.flatnonzero(apart <= ",
        "np.flatnonzero(apart < ",
        pytest(_REFINE, "-k", "equal_pairs", seconds_max=200),
    ),
    Mutation(
        "What is at the end of a row of places is not beside the start of the next",
        "index/look_layout.py",
        "return place + 1 if column < side - 1 else -1",
        "return place + 1 if place < side * side - 1 else -1",
        pytest(_REFINE, "-k", "definition", seconds_max=200),
    ),
    Mutation(
        "A training image is left out of its own true answer",
        "indexing/calibration.py",
        "every if query.row is None else np.delete(every, query.row)",
        "every",
        pytest(_CALIBRATION, "-k", "all_pairs", seconds_max=200),
    ),
    Mutation(
        "A training image is left out of its own candidates",
        "indexing/calibration.py",
        "rows[rows != query.row][:count]",
        "rows[:count]",
        pytest(_CALIBRATION, "-k", "own_candidates", seconds_max=200),
    ),
    Mutation(
        "A row that was recalled by the farther look counts as missed",
        "indexing/calibration.py",
        "2 * rows + np.asarray(is_mirrored, np.int64)",
        "2 * rows",
        pytest(_CALIBRATION, "-k", "all_pairs or mirrored", seconds_max=200),
    ),
    Mutation(
        "The mirrored look is refined by the mirrored vector",
        "index/integer_recall.py",
        "= integers, self._mirror.apply(integers)",
        "= integers, integers",
        pytest("tests/index/test_integer_recall.py", "-k", "mirrored_copy", seconds_max=400),
    ),
    Mutation(
        "One more is recalled, for the training image that is left out",
        "indexing/calibration.py",
        "recall.recall_looks(vectors, count + spare)",
        "recall.recall_looks(vectors, count)",
        pytest(_CALIBRATION, "-k", "own_candidates", seconds_max=200),
    ),
    Mutation(
        "A number of candidates reaches the target for each kind of queries",
        "indexing/calibration.py",
        "too_few = {point.candidates for curve in curves for",
        "too_few = {point.candidates for curve in curves[:1] for",
        pytest(_CALIBRATION, "-k", "each_kind", seconds_max=200),
    ),
    Mutation(
        "Recall that is the target reaches it",
        "indexing/calibration.py",
        "if point.recall < target}",
        "if point.recall <= target}",
        pytest(_CALIBRATION, "-k", "each_kind or least_number", seconds_max=200),
    ),
    Mutation(
        "The interval is as wide as so few queries make it",
        "indexing/calibration.py",
        "math.sqrt(square * share * (1 - share) + square * square / 4)",
        "math.sqrt(square * share * (1 - share))",
        pytest(_CALIBRATION, "-k", "wilson", seconds_max=200),
    ),
    Mutation(
        "Lists lose no more than half of what may be lost",
        "indexing/probing.py",
        "points[-1].recall - (1 - target) / 2",
        "points[-1].recall - (1 - target)",
        pytest(_PROBING, "-k", "no_more_than_half", seconds_max=400),
    ),
    Mutation(
        "An opened index probes the lists that its manifest names",
        "index/opened.py",
        "        recall.probe(entry.lists.probes)\n",
        "",
        pytest(_PROBING, "-k", "opens_with_the_lists", seconds_max=400),
    ),
]
