"""int8 tokens: the same integers to POT, to every permutation, and to every instruction set."""

import json
import os
import subprocess
import sys
from pathlib import Path

import llvmlite.binding as llvm
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from gmv.valuation.ranking import Tokens
from gmv.valuation.wasserstein.rerank import ExactReranker
from tests.valuation.wasserstein import digest
from tests.valuation.wasserstein.ranked import assert_is_ranked_by, rank, rows_of
from tests.valuation.wasserstein.sets import Kind, by_permutations, by_pot, integer_sets, kinds, seeds

EXACT = 1e-9


def by_pot_of(query: NDArray[np.int8], store: NDArray[np.int8]) -> NDArray[np.float64]:
    return np.array([by_pot(query.astype(float), each.astype(float)) for each in store])


@settings(max_examples=100, deadline=None)
@given(kinds, seeds, st.integers(1, 6), st.integers(1, 4), st.integers(1, 12))
def test_is_the_best_of_all_permutations(kind: Kind, seed: int, tokens: int, size: int, contributors: int) -> None:
    *store, query = integer_sets(kind, 13, tokens, size, seed)
    truth = np.array([by_permutations(query.astype(float), each.astype(float)) for each in store])
    assert_is_ranked_by(rank(np.array(store), query, contributors), truth, contributors, EXACT)


@settings(max_examples=60, deadline=None)
@given(kinds, seeds, st.sampled_from([(64, 64), (33, 256), (49, 15), (7, 3), (1, 4)]), st.integers(1, 30))
def test_equals_pot(kind: Kind, seed: int, shape: tuple[int, int], contributors: int) -> None:
    *sets, query = integer_sets(kind, 31, *shape, seed)
    store = np.array(sets)
    assert_is_ranked_by(rank(store, query, contributors), by_pot_of(query, store), contributors, EXACT)


@settings(max_examples=30, deadline=None)
@given(seeds, st.sampled_from([(5, 256), (64, 8), (3, 1)]))
def test_integers_at_their_limits(seed: int, shape: tuple[int, int]) -> None:
    *sets, query = np.random.default_rng(seed).choice(np.array([-128, -127, 127], np.int8), (13, *shape))
    store = np.array(sets)
    assert_is_ranked_by(rank(store, query, 5), by_pot_of(query, store), 5, EXACT)


@settings(max_examples=40, deadline=None)
@given(kinds, seeds)
def test_rank_as_the_same_numbers_in_float32(kind: Kind, seed: int) -> None:
    *sets, query = integer_sets(kind, 31, 16, 5, seed)
    store = np.array(sets)
    one, other = rank(store, query, 10), rank(store.astype(np.float32), query.astype(np.float32), 10)
    assert one.rows.tolist() == other.rows.tolist()
    np.testing.assert_allclose(one.distances, other.distances, rtol=1e-14)


@pytest.mark.parametrize("tokens", [16, 9])  # by the kernel; by the general solver
@pytest.mark.parametrize("scale", [64.0, 63.5, 0.25])
def test_distances_are_divided_by_the_scale(tokens: int, scale: float) -> None:
    store = integer_sets(Kind.RANDOM, 20, 16, 5, seed=1)
    query = integer_sets(Kind.RANDOM, 1, tokens, 5, seed=2)[0]
    (plain,) = ExactReranker(store).nearest([query], [rows_of(store)], 5)
    (scaled,) = ExactReranker(store, scale=scale).nearest([query], [rows_of(store)], 5)
    assert (scaled.ended is None) == (tokens == 9)
    assert scaled.rows.tolist() == plain.rows.tolist()
    assert scaled.distances.tolist() == (plain.distances / scale).tolist()


@pytest.mark.parametrize("scale", [0.0, -1.0, np.inf, np.nan])
def test_a_scale_that_is_none_is_refused(scale: float) -> None:
    with pytest.raises(ValueError, match="the scale of tokens is"):
        ExactReranker(np.zeros((1, 1, 1), np.int8), scale=scale)


@pytest.mark.parametrize(
    ("store", "query", "complaint"),
    [
        (np.int8, np.float32, r"query 0 is float32 \(2, 2\), not int8"),
        (np.float16, np.int8, r"query 0 is int8 \(2, 2\), not float32"),
        (np.float32, np.int8, r"query 0 is int8 \(2, 2\), not float32"),
        (np.int8, np.int16, r"query 0 is int16 \(2, 2\), not int8"),
    ],
)
def test_queries_are_of_the_kind_of_the_store(store: type, query: type, complaint: str) -> None:
    tokens: Tokens = np.zeros((2, 2), query)
    with pytest.raises(ValueError, match=complaint):
        ExactReranker(np.zeros((1, 2, 2), store)).nearest([tokens], [np.zeros(1, np.int64)], 1)


def narrower_processors() -> dict[str, str]:
    """Processors, by LLVM's names, whose programs this one runs, and none of them its widest."""
    able = llvm.get_host_cpu_features()
    wanted = {"generic": (), "skylake-avx512": ("avx512bw",), "alderlake": ("avxvnni",)}  # others: `tests/exact`
    return {name: "" for name, features in wanted.items() if all(able.get(feature, False) for feature in features)}


@pytest.mark.slow  # compiles the kernel for each processor
@pytest.mark.parametrize(
    "processor",
    [
        pytest.param(each, marks=[pytest.mark.exhaustive] if each == "generic" else [])  # in short: SSE4 in tests/exact
        for each in narrower_processors()
    ],
)
def test_no_instruction_set_changes_a_bit(processor: str, tmp_path: Path) -> None:
    environment = os.environ | {
        "NUMBA_CPU_NAME": processor,
        "NUMBA_CPU_FEATURES": "",
        "NUMBA_CACHE_DIR": str(tmp_path),
    }
    command = [sys.executable, "-m", digest.__name__]
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    theirs, ours = json.loads(ran.stdout), digest.of_rankings()
    assert theirs["processor"] == processor != ours["processor"]
    assert theirs["digests"] == ours["digests"]
