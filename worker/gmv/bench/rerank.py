"""The re-rank against what it replaces, and against the least it could take: four ways, taking turns."""

import statistics
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import ot
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist

from gmv.bench.rerank_floor import CostMatrices
from gmv.bench.rerank_worlds import World, Worlds
from gmv.valuation.ranking import Ranking, Tokens
from gmv.valuation.wasserstein.rerank import ExactReranker
from gmv.valuation.wasserstein.scratch import scratch_bytes

TIE: Final = 1e-9
"""Distances of POT that differ by less are one distance: its own are good to about 1e-12."""

CANDIDATES: Final = 100
"""M, unless settings name another: the same for every index, so that figures can be compared."""

_MANY: Final = 500
_BLOCK: Final = 8
"""Queries that one way ranks before it is another's turn: a worker ranks a run of events, too, and not one alone."""

_SHARED_BLOCK: Final = 100
"""Queries that two threads share: about a worker's run. Of eight, the last to be taken is a quarter of a thread's time,
and a virtual processor that was idle takes milliseconds to be there."""

Rows = NDArray[np.int64]
Way = Callable[[Sequence[Tokens], Sequence[Rows]], Any]


@dataclass(frozen=True, slots=True)
class RerankCase:
    """One size of token sets; milliseconds are medians over blocks, per query, in one thread.

    Attributes:
        tokens: in a set.
        token_size: numbers in a token.
        dtype: of the numbers; int8 ones are the same tokens, rounded.
        queries: how many were ranked.
        ms_pot: by POT, solve by solve.
        ms_scipy: by SciPy, solve by solve.
        ms_ours: by gmv.
        ms_floor: for the cost matrices alone.
        ratio_vs_pot: times as fast as POT.
        ratio_vs_scipy: times as fast as SciPy.
        ratio_vs_floor: times as long as the cost matrices alone.
        mismatches: queries whose K nearest are not POT's, in another order or otherwise, up to ties.
        max_abs_diff: largest difference from POT's distances.
        candidates_ended_per_query: by the step that ended them.
        ratio_two_threads: queries a second by two threads, to those by one.
        scratch_bytes_per_thread: memory.
    """

    tokens: int
    token_size: int
    dtype: str
    queries: int
    ms_pot: float
    ms_scipy: float
    ms_ours: float
    ms_floor: float
    ratio_vs_pot: float
    ratio_vs_scipy: float
    ratio_vs_floor: float
    mismatches: int
    max_abs_diff: float
    candidates_ended_per_query: Mapping[str, float]
    ratio_two_threads: float
    scratch_bytes_per_thread: int


@dataclass(frozen=True, slots=True)
class RerankBench:
    """What `bench_rerank` measured.

    Attributes:
        candidates: M.
        contributors: K.
        baseline: what is compared with, in words.
        cases: at the index' own number of tokens, and at 196; then both with tokens of int8, where the index's are not.
        many_candidates: a larger M.
        ratio_many_candidates: how many times as long a query takes with it.
    """

    candidates: int
    contributors: int
    baseline: str
    cases: tuple[RerankCase, ...]
    many_candidates: int
    ratio_many_candidates: float


def bench_rerank(worlds: Worlds, candidates: int, contributors: int, queries: int, finer_queries: int) -> RerankBench:
    """Measure the re-rank of real queries, at the index' own number of tokens and at 196.

    Args:
        worlds: where queries and candidates come from.
        candidates: M.
        contributors: K.
        queries: at the index' own number of tokens.
        finer_queries: at 196.
    """
    own, finer = worlds.as_indexed(candidates, queries), worlds.finer(candidates, finer_queries)
    rounded = [world.in_integers() for world in (own, finer) if world.dtype != "int8"]
    many = worlds.as_indexed(_MANY, queries)
    return RerankBench(
        candidates=candidates,
        contributors=contributors,
        baseline="SciPy's cdist in float64 and POT's emd2, candidate by candidate",
        cases=tuple(bench_world(world, contributors) for world in (own, finer, *rounded)),
        many_candidates=_MANY,
        ratio_many_candidates=_ratio_of_many(own, many, contributors),
    )


def bench_world(world: World, contributors: int) -> RerankCase:
    """Measure one size of token sets."""
    reranker, floor = ExactReranker(world.store), CostMatrices(world.store)
    ways: dict[str, Way] = {
        "pot": lambda queries, candidates: _naive(world, queries, candidates, _by_pot),
        "scipy": lambda queries, candidates: _naive(world, queries, candidates, _by_scipy),
        "ours": lambda queries, candidates: reranker.nearest(queries, candidates, contributors),
        "floor": floor.compute,
    }
    milliseconds: dict[str, list[float]] = {name: [] for name in ways}
    comparisons: list[tuple[bool, float]] = []
    ended: Counter[str] = Counter()
    for block in _blocks(world):
        queries, candidates = world.queries[block], world.candidates[block]
        results = {}
        for name, way in ways.items():
            started = time.perf_counter()
            results[name] = way(queries, candidates)
            milliseconds[name].append(1e3 * (time.perf_counter() - started) / len(queries))
        comparisons += map(_compare, results["ours"], candidates, results["pot"])
        for ranking in results["ours"]:
            ended.update({step.name.lower(): count for step, count in (ranking.ended or {}).items()})
    medians = {name: statistics.median(each) for name, each in milliseconds.items()}
    count, size = world.store.shape[1:]
    return RerankCase(
        tokens=count,
        token_size=size,
        dtype=world.dtype,
        queries=len(comparisons),
        ms_pot=medians["pot"],
        ms_scipy=medians["scipy"],
        ms_ours=medians["ours"],
        ms_floor=medians["floor"],
        ratio_vs_pot=medians["pot"] / medians["ours"],
        ratio_vs_scipy=medians["scipy"] / medians["ours"],
        ratio_vs_floor=medians["ours"] / medians["floor"],
        mismatches=sum(not is_equal for is_equal, _ in comparisons),
        max_abs_diff=max(difference for _, difference in comparisons),
        candidates_ended_per_query={step: number / len(comparisons) for step, number in ended.items()},
        ratio_two_threads=_ratio_of_two_threads(world, contributors),
        scratch_bytes_per_thread=scratch_bytes(len(world.candidates[0]), count, size),
    )


def _blocks(world: World, length: int = _BLOCK) -> list[slice]:
    """Cut the queries into blocks; the last may be smaller."""
    return [slice(first, first + length) for first in range(0, len(world.queries), length)]


def _naive(
    world: World, queries: Sequence[Tokens], candidates: Sequence[Rows], solve: Callable[[NDArray[np.float64]], float]
) -> list[NDArray[np.float64]]:
    """Return the distance of every candidate, as one would write it without this kernel."""
    supports = [query.astype(np.float64) for query in queries]
    return [
        np.array([solve(cdist(support, world.store[row].astype(np.float64))) for row in rows])
        for support, rows in zip(supports, candidates, strict=True)
    ]


def _by_pot(cost: NDArray[np.float64]) -> float:
    uniform = np.full(len(cost), 1.0 / len(cost))
    return float(ot.emd2(uniform, uniform, cost))


def _by_scipy(cost: NDArray[np.float64]) -> float:
    return float(cost[linear_sum_assignment(cost)].mean())


def _compare(ranking: Ranking, rows: Rows, distances: NDArray[np.float64]) -> tuple[bool, float]:
    """Return whether a ranking is that of all candidates' distances up to ties, and how far its own are off at most."""
    truth = dict(zip(rows.tolist(), distances.tolist(), strict=True))
    nearest = np.sort(distances)[: len(ranking.rows)]
    theirs = np.array([truth[row] for row in ranking.rows.tolist()])
    difference = float(np.abs(ranking.distances - theirs).max())
    return bool((np.abs(theirs - nearest) <= TIE).all()) and difference <= TIE, difference


def _ratio_of_two_threads(world: World, contributors: int) -> float:
    """Return how many times as many queries a second two threads rank as one does."""
    one, two = ExactReranker(world.store), ExactReranker(world.store, threads=2)
    return _ratio((one, world), (two, world), contributors, _SHARED_BLOCK)


def _ratio_of_many(few: World, many: World, contributors: int) -> float:
    """Return how many times as long a query takes with `_MANY` candidates."""
    return _ratio((ExactReranker(many.store), many), (ExactReranker(few.store), few), contributors, _BLOCK)


def _ratio(
    dividend: tuple[ExactReranker, World], divisor: tuple[ExactReranker, World], contributors: int, block_length: int
) -> float:
    """Return the median of the ratios of times, block by block, the two taking turns twice: the first warms up."""
    ratios = []
    for block in _blocks(divisor[1], block_length):
        times = [_time(*each, block, contributors) for each in (dividend, divisor) * 2]
        ratios.append(times[2] / times[3])
    return statistics.median(ratios)


def _time(reranker: ExactReranker, world: World, block: slice, contributors: int) -> float:
    started = time.perf_counter()
    reranker.nearest(world.queries[block], world.candidates[block], contributors)
    return time.perf_counter() - started
