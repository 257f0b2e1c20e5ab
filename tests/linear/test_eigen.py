"""Eigenvalues and vectors against LAPACK's, and against what defines them."""

import numpy as np
import pytest
import scipy.linalg
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from gmv.linear.eigen import eigh, generalised_eigh
from tests.linear.matrices import Kind, definite_matrix, kinds, seeds, symmetric_matrix

sizes = st.integers(1, 24)


def assert_are_signed(vectors: NDArray[np.float64]) -> None:
    for vector in vectors.T:
        assert vector[np.abs(vector).argmax()] > 0


def assert_is_solved(matrix: NDArray[np.float64]) -> None:
    values, vectors = eigh(matrix)
    size, length = len(matrix), np.abs(matrix).max()
    scaled = matrix / (length or 1.0)
    near = 1e-14 * size
    assert (np.diff(values) <= 0).all()
    assert vectors.shape == (size, size)
    np.testing.assert_allclose(vectors.T @ vectors, np.eye(size), atol=near)
    np.testing.assert_allclose(scaled @ vectors, vectors * (values / (length or 1.0)), atol=near)
    np.testing.assert_allclose(values / (length or 1.0), np.linalg.eigvalsh(scaled)[::-1], atol=near)
    assert_are_signed(vectors)


@given(kinds, sizes, seeds)
def test_solves_what_it_is_given(kind: Kind, size: int, seed: int) -> None:
    assert_is_solved(symmetric_matrix(kind, size, seed))


@pytest.mark.parametrize("kind", Kind)
def test_solves_more_rows_than_are_rotated_at_once(kind: Kind) -> None:
    assert_is_solved(symmetric_matrix(kind, 150, 3))


@given(sizes, seeds)
def test_vectors_are_those_of_lapack_where_values_are_apart(size: int, seed: int) -> None:
    turn = np.linalg.qr(np.random.default_rng(seed).normal(size=(size, size)))[0]
    apart = turn @ np.diag(np.arange(size, 0, -1.0)) @ turn.T
    values, vectors = eigh((apart + apart.T) / 2)
    np.testing.assert_allclose(values, np.arange(size, 0, -1.0), atol=1e-12)
    np.testing.assert_allclose(np.abs(np.sum(vectors * turn, axis=0)), np.ones(size), atol=1e-12)


def test_known_values_and_signs() -> None:
    values, vectors = eigh(np.array([[2.0, 1.0], [1.0, 2.0]]))
    assert values == pytest.approx([3.0, 1.0])
    # Of components that are equally large, the first is positive.
    assert vectors == pytest.approx(np.array([[1.0, 1.0], [1.0, -1.0]]) / np.sqrt(2))
    for value in (-4.0, 0.0, 7.5):
        alone = eigh(np.array([[value]]))
        assert (alone[0].tolist(), alone[1].tolist()) == ([value], [[1.0]])


def test_the_unit_changes_nothing_but_the_unit() -> None:
    """By a power of two: vectors stay the same to the bit, and values are multiplied by it."""
    matrix = symmetric_matrix(Kind.RANDOM, 12, 1)
    values, vectors = eigh(matrix)
    for power in (-900, -3, 1, 900):
        scaled_values, scaled_vectors = eigh(np.ldexp(matrix, power))
        assert (scaled_values == np.ldexp(values, power)).all()
        assert (scaled_vectors == vectors).all()


def test_what_it_is_given_stays_as_it_is_in_any_layout() -> None:
    matrix = symmetric_matrix(Kind.RANDOM, 9, 1)
    before = matrix.copy()
    values, vectors = eigh(matrix)
    wide = np.zeros((9, 18))
    wide[:, ::2] = matrix
    for same in (np.asfortranarray(matrix), wide[:, ::2]):
        again = eigh(same)
        assert (again[0] == values).all()
        assert (again[1] == vectors).all()
    assert (matrix == before).all()


@given(sizes, seeds, st.data())
def test_general_ones_are_those_of_scipy(size: int, seed: int, data: st.DataObject) -> None:
    total, within = symmetric_matrix(Kind.RANDOM, size, seed), definite_matrix(size, seed)
    count = data.draw(st.integers(1, size))
    values, vectors = generalised_eigh(total, within, count)
    expected = scipy.linalg.eigh(total, within, eigvals_only=True)[::-1]
    scale = np.abs(expected).max() or 1.0
    assert vectors.shape == (size, count)
    np.testing.assert_allclose(values, expected[:count], atol=1e-9 * scale)
    np.testing.assert_allclose(vectors.T @ within @ vectors, np.eye(count), atol=1e-9)
    lengths = np.linalg.norm(vectors, axis=0)
    np.testing.assert_allclose(total @ vectors / lengths, within @ vectors * values / lengths, atol=1e-9 * scale)
    assert_are_signed(vectors)


@pytest.mark.parametrize(
    ("matrix", "why"),
    [
        (np.ones((2, 3)), "symmetric"),
        (np.array([[1.0, 2.0], [2.0000000000000004, 1.0]]), "symmetric"),
        (np.array([[np.nan]]), "finite"),
        (np.array([[1.0, np.inf], [np.inf, 1.0]]), "finite"),
        (np.ones((2, 2), np.float32), "float64"),
        (np.ones((0, 0)), "float64"),
        (np.ones(4), "float64"),
    ],
)
def test_what_is_no_symmetric_matrix_is_refused(matrix: NDArray[np.float64], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        eigh(matrix)


def test_general_ones_that_cannot_be_had_are_refused() -> None:
    one = np.eye(3)
    for total, within, count in ((one, one, 0), (one, one, 4), (one, np.eye(2), 1)):
        with pytest.raises(ValueError, match="cannot be had"):
            generalised_eigh(total, within, count)
    with pytest.raises(ValueError, match="not positive definite: pivot 1 of 3 is 0"):
        generalised_eigh(one, np.diag([1.0, 0.0, 1.0]), 1)
