"""Symmetric matrices that are easy, and such as are hard on an eigensolver."""

from collections.abc import Callable
from enum import StrEnum

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

Matrix = NDArray[np.float64]


class Kind(StrEnum):
    RANDOM = "random"
    COVARIANCE = "covariance"
    RANK_OF_TWO = "rank of two"
    EQUAL_VALUES = "equal values"
    DIAGONAL = "diagonal"
    ZERO = "zero"
    GRADED = "graded over 40 decimal orders"
    HUGE = "huge"
    TINY = "tiny"
    INTEGERS = "integers"
    WILKINSON = "Wilkinson's, whose values lie in close pairs"
    BLOCKS = "two blocks"


kinds = st.sampled_from(Kind)
seeds = st.integers(0, 2**32 - 1)


def symmetric_matrix(kind: Kind, size: int, seed: int) -> Matrix:
    """A float64 [size, size] matrix, symmetric to the bit."""
    draw = np.random.default_rng(seed)
    some = draw.uniform(-1.0, 1.0, (size, size))  # normal ones have other last bits in another C library
    return _MADE[kind](some + some.T, draw)


def _square(samples: Matrix) -> Matrix:
    """Of integers, so it is symmetric, whatever BLAS does."""
    return samples.T @ samples


def _with_equal_values(both: Matrix, _draw: np.random.Generator) -> Matrix:
    size = len(both)
    turn = np.linalg.qr(both)[0]
    equal = turn @ np.diag(np.repeat([3.0, 1.0], [size // 2, size - size // 2])) @ turn.T
    return (equal + equal.T) / 2


def _graded(both: Matrix, _draw: np.random.Generator) -> Matrix:
    scales = np.ldexp(1.0, np.linspace(-66, 66, len(both)).astype(int))
    return both * np.minimum(scales, scales[:, np.newaxis])


def _wilkinson(both: Matrix, _draw: np.random.Generator) -> Matrix:
    size = len(both)
    return np.diag(np.abs(np.arange(size) - (size - 1) / 2)) + np.eye(size, k=1) + np.eye(size, k=-1)


def _blocks(both: Matrix, _draw: np.random.Generator) -> Matrix:
    low = np.arange(len(both)) < len(both) // 2
    return np.where(low == low[:, np.newaxis], both, 0.0)


def _integers(both: Matrix, draw: np.random.Generator) -> Matrix:
    whole = draw.integers(-3, 4, both.shape).astype(float)
    return whole + whole.T


_MADE: dict[Kind, Callable[[Matrix, np.random.Generator], Matrix]] = {
    Kind.RANDOM: lambda both, _: both,
    Kind.COVARIANCE: lambda both, draw: _square(draw.integers(-100, 100, (3 * len(both), len(both))).astype(float)),
    Kind.RANK_OF_TWO: lambda both, draw: _square(draw.integers(-9, 9, (2, len(both))).astype(float)),
    Kind.EQUAL_VALUES: _with_equal_values,
    Kind.DIAGONAL: lambda both, _: np.diag(np.diag(both)),
    Kind.ZERO: lambda both, _: np.zeros_like(both),
    Kind.GRADED: _graded,
    Kind.HUGE: lambda both, _: both * 1e300,
    Kind.TINY: lambda both, _: both * 1e-300,
    Kind.INTEGERS: _integers,
    Kind.WILKINSON: _wilkinson,
    Kind.BLOCKS: _blocks,
}


def definite_matrix(size: int, seed: int, smallest: float = 1e-3) -> Matrix:
    """A positive definite one."""
    samples = np.random.default_rng(seed).normal(size=(2 * size, size))
    both = samples.T @ samples / size + smallest * np.eye(size)
    return (both + both.T) / 2
