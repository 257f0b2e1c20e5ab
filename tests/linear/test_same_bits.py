"""All of this room gives the same bytes on other processors, as far as this one can play them."""

import pytest

from tests.instruction_sets import assert_same_bytes

PROGRAM = """
import hashlib
import numpy as np
from gmv.linear.eigen import eigh, generalised_eigh
from gmv.linear.k_means import k_means
from gmv.linear.product import multiply
from tests.linear.matrices import Kind, symmetric_matrix

def show(name, *arrays):
    print(name, hashlib.sha256(b"".join(np.ascontiguousarray(each).tobytes() for each in arrays)).hexdigest())

# What is multiplied here is made without BLAS, whose sums are what differs.
for size in (1, 2, 7, 64, 130):
    draw = np.random.default_rng(size)
    samples = draw.integers(-100, 100, (2 * size, size)).astype(float)
    some = draw.uniform(-1.0, 1.0, (size, size))
    within = multiply(samples.T, samples) + np.eye(size)
    show("random", *eigh(some + some.T))
    show("covariance", *eigh(within))
    show("general", *generalised_eigh(some + some.T, within, size))
    show("product", multiply(some, some))
for kind in (Kind.ZERO, Kind.DIAGONAL, Kind.GRADED, Kind.HUGE, Kind.TINY, Kind.INTEGERS, Kind.WILKINSON, Kind.BLOCKS):
    show(kind, *eigh(symmetric_matrix(kind, 40, 1)))
points = np.random.default_rng(0).integers(-128, 128, (5000, 108)).astype(np.int8)
show("k-means", k_means(points, 60, 10, 0), k_means(points, 40, 10, 0, np.arange(108)[::-1].copy()))
"""


@pytest.mark.slow
def test_the_same_bytes_on_every_processor() -> None:
    assert assert_same_bytes(PROGRAM).count(b"\n") == 5 * 4 + 8 + 1
