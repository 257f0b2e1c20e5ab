"""Cholesky's factor, equations with it, and products, against LAPACK and exact integers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gmv.linear.product import multiply
from gmv.linear.triangular import cholesky, solve_lower, solve_lower_transposed
from tests.linear.matrices import definite_matrix, seeds

sizes = st.integers(1, 24)


@given(sizes, seeds)
def test_the_factor_is_that_of_lapack(size: int, seed: int) -> None:
    matrix = definite_matrix(size, seed)
    lower = cholesky(matrix)
    np.testing.assert_allclose(lower, np.linalg.cholesky(matrix), atol=1e-10)
    np.testing.assert_allclose(lower @ lower.T, matrix, atol=1e-13 * size)
    assert (np.triu(lower, 1) == 0).all()


@given(st.integers(1, 12), seeds)
def test_the_factor_of_integers_is_exact(size: int, seed: int) -> None:
    """Every number on the way is an integer, so nothing is rounded."""
    draw = np.random.default_rng(seed)
    lower = np.tril(draw.integers(-9, 10, (size, size)), -1) + np.diag(draw.integers(1, 10, size))
    assert (cholesky((lower @ lower.T).astype(float)) == lower).all()


@given(sizes, st.integers(1, 7), seeds)
def test_equations_are_solved(size: int, columns: int, seed: int) -> None:
    lower = cholesky(definite_matrix(size, seed))
    right = np.random.default_rng(seed).normal(size=(size, columns))
    before = lower.copy(), right.copy()
    np.testing.assert_allclose(lower @ solve_lower(lower, right), right, atol=1e-9)
    np.testing.assert_allclose(lower.T @ solve_lower_transposed(lower, right), right, atol=1e-9)
    assert (lower == before[0]).all()
    assert (right == before[1]).all()


@given(st.integers(1, 9), st.integers(1, 9), st.integers(1, 9), seeds)
def test_products_of_integers_are_exact(rows: int, inner: int, columns: int, seed: int) -> None:
    draw = np.random.default_rng(seed)
    left, right = draw.integers(-1000, 1000, (rows, inner)), draw.integers(-1000, 1000, (inner, columns))
    assert (multiply(left.astype(float), right.astype(float)) == left @ right).all()


def test_each_sum_of_a_product_is_taken_from_the_first_to_the_last() -> None:
    draw = np.random.default_rng(0)
    left, right = draw.normal(size=(5, 90)), draw.normal(size=(90, 37))
    sums = np.zeros((5, 37))
    for inner in range(90):
        sums += left[:, inner, np.newaxis] * right[inner]
    assert (multiply(left, right) == sums).all()


@pytest.mark.parametrize("diagonal", [[0.0, 1.0], [1.0, -1.0, 2.0], [1.0, 1.0, 0.0]])
def test_what_is_not_positive_definite_is_refused(diagonal: list[float]) -> None:
    place = int(np.argmin(diagonal))
    with pytest.raises(ValueError, match=f"pivot {place} of {len(diagonal)} is"):
        cholesky(np.diag(diagonal))


def test_shapes_that_do_not_fit_are_refused() -> None:
    for function in (solve_lower, solve_lower_transposed):
        with pytest.raises(ValueError, match="does not fit"):
            function(np.eye(3), np.ones((2, 1)))
    with pytest.raises(ValueError, match="have no product"):
        multiply(np.eye(3), np.ones((2, 1)))
