"""Two looks of a query in one pass: the ranking is that of each look alone, merged."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from gmv.valuation.ranking import MirroredLook, Ranking, Step
from gmv.valuation.wasserstein import rerank
from gmv.valuation.wasserstein.rerank import ExactReranker
from gmv.valuation.wasserstein.tokens import TokenStore
from tests.valuation.wasserstein.ranked import rows_of
from tests.valuation.wasserstein.sets import Kind, integer_sets, kinds, seeds, token_sets

Rows = NDArray[np.int64]
NONE: Rows = np.empty(0, np.int64)


def alone(reranker: ExactReranker, look: NDArray[np.int8] | NDArray[np.float32], rows: Rows) -> dict[int, float]:
    """The distance of every candidate of one look."""
    if not len(rows):
        return {}
    (ranking,) = reranker.nearest([look], [rows], len(rows))
    return dict(zip(ranking.rows.tolist(), ranking.distances.tolist(), strict=True))


def assert_is_merged(ranking: Ranking, plain: dict[int, float], mirrored: dict[int, float], contributors: int) -> None:
    """The first of the lesser distances, with the mirrored look only where it is the nearer."""
    lesser = {row: min(each[row] for each in (plain, mirrored) if row in each) for row in plain | mirrored}
    count = min(contributors, len(lesser))
    assert len(set(ranking.rows.tolist())) == len(ranking.rows) == count
    room = 1e-11 * max(lesser.values())
    np.testing.assert_allclose(ranking.distances, sorted(lesser.values())[:count], rtol=1e-11, atol=room)
    for row, distance, is_mirrored in zip(ranking.rows.tolist(), ranking.distances, ranking.mirrored, strict=True):
        assert distance == pytest.approx((mirrored if is_mirrored else plain)[row], rel=1e-14)
        assert distance == pytest.approx(lesser[row], rel=1e-11, abs=room)
        if row in plain and row in mirrored:
            assert is_mirrored == (mirrored[row] < plain[row] * (1 - 2.0**-40)) or abs(distance) < room


@settings(max_examples=150, deadline=None)
@given(kinds, seeds, st.sampled_from([(16, 5), (33, 8), (5, 1)]), st.integers(1, 40), st.booleans(), st.booleans())
def test_are_two_rankings_merged(
    kind: Kind, seed: int, shape: tuple[int, int], contributors: int, is_integer: bool, is_of_another_size: bool
) -> None:
    sets = (integer_sets if is_integer else token_sets)(kind, 32, *shape, seed)
    rng = np.random.default_rng(seed)
    store, query, turned = sets[:30], sets[30], sets[31]
    if is_of_another_size:
        query, turned = query[:3], turned[:3]
    candidates, others = (rng.permutation(30)[: rng.integers(low, 31)] for low in (1, 0))
    reranker = ExactReranker(store)
    (ranking,) = reranker.nearest([query], [candidates], contributors, [MirroredLook(turned, others)])
    assert_is_merged(ranking, alone(reranker, query, candidates), alone(reranker, turned, others), contributors)
    if ranking.ended is not None:
        assert sum(ranking.ended.values()) == len(candidates) + len(others)


@settings(max_examples=40, deadline=None)
@given(kinds, seeds, st.integers(1, 20))
def test_looks_that_are_equal_are_the_look_as_it_is(kind: Kind, seed: int, contributors: int) -> None:
    sets = integer_sets(kind, 31, 16, 5, seed)
    reranker, rows = ExactReranker(sets[:30]), rows_of(sets[:30])
    (ranking,) = reranker.nearest([sets[30]], [rows], contributors, [MirroredLook(sets[30][::-1], rows)])
    (single,) = reranker.nearest([sets[30]], [rows], contributors)
    assert ranking.rows.tolist() == single.rows.tolist()
    assert not ranking.mirrored.any()
    np.testing.assert_allclose(ranking.distances, single.distances, rtol=1e-14)


@pytest.mark.parametrize("store", [integer_sets(Kind.RANDOM, 61, 16, 5, 1), token_sets(Kind.RANDOM, 61, 16, 5, 1)])
def test_all_candidates_may_be_the_mirrored_look_s(store: TokenStore) -> None:
    reranker, rows, query, turned = ExactReranker(store[:60]), rows_of(store[:60]), store[60], store[60] * 0
    (ranking,) = reranker.nearest([turned], [NONE], 7, [MirroredLook(query, rows)])
    (single,) = reranker.nearest([query], [rows], 7)
    assert ranking.mirrored.all()
    assert ranking.rows.tolist() == single.rows.tolist()
    assert ranking.distances.tobytes() == single.distances.tobytes()
    assert ranking.ended == single.ended


def test_queries_with_and_without_a_mirrored_look_rank_side_by_side() -> None:
    sets = integer_sets(Kind.RANDOM, 46, 16, 5, seed=2)
    store, queries, turned = sets[:40], list(sets[40:43]), list(sets[43:])
    rows = [rows_of(store)] * 3
    looks = [MirroredLook(turned[0], rows[0]), None, MirroredLook(turned[2], NONE)]
    together = ExactReranker(store, threads=2).nearest(queries, rows, 10, looks)
    for place, look in enumerate(looks):
        (single,) = ExactReranker(store).nearest([queries[place]], [rows[place]], 10, [look])
        assert single.distances.tobytes() == together[place].distances.tobytes()
        assert single.mirrored.tobytes() == together[place].mirrored.tobytes()
    (plain,) = ExactReranker(store).nearest([queries[2]], [rows[2]], 10)
    assert plain.distances.tobytes() == together[2].distances.tobytes()
    assert together[0].mirrored.any()
    assert not together[1].mirrored.any()


@pytest.mark.parametrize("threads", [1, 3])
def test_how_a_call_is_cut_into_runs_changes_nothing(threads: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two queries to a run, but for those of another number of tokens, which go alone."""
    monkeypatch.setattr(rerank, "_LOOK_BYTES_MAX", 2 * 2 * 16 * 5 * 4)
    sets = integer_sets(Kind.RANDOM, 60, 16, 5, seed=4)
    store, queries, turned = sets[:40], list(sets[40:50]), list(sets[50:])
    for other in (2, 3, 8):
        queries[other], turned[other] = queries[other][:7], turned[other][:7]
    rows = [rows_of(store)[place:] for place in range(10)]
    looks = [MirroredLook(each, rows[place]) if place % 3 else None for place, each in enumerate(turned)]
    together = ExactReranker(store, threads=threads).nearest(queries, rows, 9, looks)
    for place, look in enumerate(looks):
        (single,) = ExactReranker(store).nearest([queries[place]], [rows[place]], 9, [look])
        assert single.distances.tobytes() == together[place].distances.tobytes()
        assert single.rows.tobytes() == together[place].rows.tobytes()
        assert single.mirrored.tobytes() == together[place].mirrored.tobytes()
        assert single.ended == together[place].ended


def test_one_threshold_for_both_looks_assigns_fewer_than_two_rankings() -> None:
    """Two rankings settle K candidates each at least; what both looks share is settled once."""
    sets = integer_sets(Kind.RANDOM, 202, 32, 8, seed=3)
    reranker, rows = ExactReranker(sets[:200]), rows_of(sets[:200])
    (ranking,) = reranker.nearest([sets[200]], [rows[:100]], 10, [MirroredLook(sets[201], rows[100:])])
    assert ranking.ended is not None
    assert sum(ranking.ended[step] for step in (Step.CERTIFIED, Step.UNPROVEN)) < 15


QUERY = np.zeros((2, 2), np.int8)
ROWS = np.arange(3)


@pytest.mark.parametrize(
    ("rows", "look", "complaint"),
    [
        (NONE, MirroredLook(QUERY, NONE), "query 0 has no candidates"),
        (NONE, None, "query 0 has no candidates"),
        (ROWS, MirroredLook(QUERY[:1], ROWS), r"query 0 is \(2, 2\), and its mirrored look \(1, 2\)"),
        (ROWS, MirroredLook(QUERY.astype(np.float32), ROWS), "the mirrored look of query 0 is float32"),
        (ROWS, MirroredLook(QUERY, ROWS + 1), "the mirrored look of query 0 has candidates outside"),
        (ROWS, MirroredLook(QUERY, np.array([1, 1])), "the mirrored look of query 0 has a candidate twice"),
        (ROWS, MirroredLook(QUERY, ROWS.astype(np.int32)), "the candidates of the mirrored look of query 0 are int32"),
    ],
)
def test_a_bad_look_is_refused(rows: Rows, look: MirroredLook | None, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        ExactReranker(np.zeros((3, 2, 2), np.int8)).nearest([QUERY], [rows], 1, [look])
