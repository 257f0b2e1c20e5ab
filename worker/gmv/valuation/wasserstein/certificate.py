"""The float64 distance of an assignment, and the proof that no other is shorter.

Everything here is computed exactly as IEEE 754 says, in a fixed order, from the tokens themselves.
"""

import math
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gmv.compiled import strict

TOLERANCE: Final = 2.0**-44
"""Of a certificate, relative to the largest matched cost: the mean matched cost exceeds W1 by at most about so much.
Were it nothing, ties would have the duals chase each other's rounding."""

_NEAR: Final = 2.0**-12
"""How nearly tight an entry must be to get a float64 cost, relative to the largest matched cost. Costs by float32 and
the duals of their assignment are good to about 2^-17; of 64 x 64 entries about 140 are near."""

_SWEEPS_MAX: Final = 64
"""After which a certificate is given up. Real images need 2 to 6."""


class Proof(NamedTuple):
    """Scratch of one certificate.

    Attributes:
        columns: float64 [n], column duals.
        near_row: int32 [n n], of nearly tight entries.
        near_column: int32 [n n].
        near_cost: float64 [n n].
        squares: float64 [d].
    """

    columns: NDArray[np.float64]
    near_row: NDArray[np.int32]
    near_column: NDArray[np.int32]
    near_cost: NDArray[np.float64]
    squares: NDArray[np.float64]


def new_proof(tokens: int, token_size: int) -> Proof:
    """Allocate scratch for sets of n tokens of d numbers."""
    return Proof(
        columns=np.empty(tokens, np.float64),
        near_row=np.empty(tokens * tokens, np.int32),
        near_column=np.empty(tokens * tokens, np.int32),
        near_cost=np.empty(tokens * tokens, np.float64),
        squares=np.empty(token_size, np.float64),
    )


class Ground(NamedTuple):
    """What the distances between the tokens of a pair are computed from.

    Attributes:
        is_exact: whether the squares are the true ones, of whole numbers.
        squares: float32 [n or more, n or more].
        candidate: float32 [n, d]; read where the squares are not exact.
        query: float32 [n, d]; ditto.
    """

    is_exact: bool
    squares: NDArray[np.float32]
    candidate: NDArray[np.float32]
    query: NDArray[np.float32]


@strict
def distance(
    some: NDArray[np.float32], row: int, other: NDArray[np.float32], column: int, squares: NDArray[np.float64]
) -> float:
    """Return the Euclidean distance of two float32 tokens in float64, its relative error below d 2^-53.

    Four sums side by side do not wait for one another, and are the same four on every machine.

    Args:
        some: float32 [n, d].
        row: of the one token.
        other: float32 [n, d].
        column: of the other.
        squares: float64 [d], scratch.
    """
    size = squares.shape[0]
    for component in range(size):
        difference = np.float64(some[row, component]) - np.float64(other[column, component])
        squares[component] = difference * difference
    first = second = third = fourth = 0.0
    whole = size - size % 4
    for component in range(0, whole, 4):
        first += squares[component]
        second += squares[component + 1]
        third += squares[component + 2]
        fourth += squares[component + 3]
    for component in range(whole, size):
        first += squares[component]
    return math.sqrt((first + second) + (third + fourth))


@strict
def total_cost(
    ground: Ground,
    column_of: NDArray[np.int64],
    matched: NDArray[np.float64],
    squares: NDArray[np.float64],
) -> float:
    """Return the total cost of an assignment, summed with compensation (Neumaier, ZAMM 54, 1974).

    Args:
        ground: of the pair.
        column_of: int64 [n], the query's token for each of the candidate's.
        matched: float64 [n], written: the cost of each pair.
        squares: float64 [d], scratch.
    """
    total = 0.0
    lost = 0.0
    exact, candidate, query = ground.squares, ground.candidate, ground.query  # once, since each counts a reference
    for row in range(column_of.shape[0]):
        column = column_of[row]
        if ground.is_exact:
            cost = math.sqrt(np.float64(exact[row, column]))
        else:
            cost = distance(candidate, row, query, column, squares)
        matched[row] = cost
        following = total + cost
        lost += (total - following) + cost if total >= cost else (cost - following) + total
        total = following
    return total + lost


@strict
def is_optimal(
    ground: Ground,
    costs: NDArray[np.int32],
    start: NDArray[np.int32],
    unit: float,
    column_of: NDArray[np.int64],
    matched: NDArray[np.float64],
    proof: Proof,
) -> bool:
    """Prove an assignment optimal by duals that are feasible, and tight where it matches (linear programming duality).

    Row duals follow from column duals, u_j = c_jm - v_m for the match m of j; and wherever u_j + v_i > c_ji, v_i is
    lowered to make it equal, until nothing is left to lower: the method of Bellman and Ford on the residual graph.
    Should that not end, there is a cycle of negative cost, or a tie too close for the duals it started from.

    Costs in units are lower bounds, so entries that are costly by them stay feasible while no column dual falls by
    more than the margin by which they are: only nearly tight ones are computed from the tokens and looked at again.

    Args:
        ground: of the pair.
        costs: int32 [n, n], in units, never above the true ones.
        start: int32 [n], column duals of the search, in units.
        unit: of both.
        column_of: int64 [n], the assignment.
        matched: float64 [n], its costs.
        proof: scratch.
    """
    largest = 0.0
    for row in range(costs.shape[0]):
        proof.columns[row] = start[row] * unit
        largest = max(largest, matched[row])
    if largest == 0.0:
        return True
    margin = largest * _NEAR
    near = _find_near(costs, start, unit, column_of, matched, margin, proof)
    _measure(ground, near, proof)
    if not _lower_columns(near, column_of, matched, largest * TOLERANCE, proof):
        return False
    for column in range(costs.shape[0]):
        if start[column] * unit - proof.columns[column] > margin:
            return False
    return True


@strict
def _find_near(
    costs: NDArray[np.int32],
    start: NDArray[np.int32],
    unit: float,
    column_of: NDArray[np.int64],
    matched: NDArray[np.float64],
    margin: float,
    proof: Proof,
) -> int:
    """Collect the entries whose reduced cost is within the margin, but for the matched ones. Returns how many."""
    near = 0
    near_row, near_column = proof.near_row, proof.near_column
    for row in range(costs.shape[0]):
        own = column_of[row]
        limit = np.int32(math.floor((matched[row] - proof.columns[own] + margin) / unit))
        for column in range(costs.shape[0]):
            if np.int32(costs[row, column] - start[column]) <= limit and column != own:
                near_row[near] = row
                near_column[near] = column
                near += 1
    return near


@strict
def _measure(ground: Ground, near: int, proof: Proof) -> None:
    """Compute the distances of the entries collected."""
    exact, candidate, query = ground.squares, ground.candidate, ground.query
    for entry in range(near):
        row, column = proof.near_row[entry], proof.near_column[entry]
        if ground.is_exact:
            proof.near_cost[entry] = math.sqrt(np.float64(exact[row, column]))
        else:
            proof.near_cost[entry] = distance(candidate, row, query, column, proof.squares)


@strict
def _lower_columns(
    near: int, column_of: NDArray[np.int64], matched: NDArray[np.float64], slack: float, proof: Proof
) -> bool:
    """Lower column duals until no near entry is violated by more than the slack; False where that does not end."""
    for _ in range(_SWEEPS_MAX):
        changed = False
        for entry in range(near):
            row = proof.near_row[entry]
            column = proof.near_column[entry]
            room = proof.near_cost[entry] - (matched[row] - proof.columns[column_of[row]])
            if proof.columns[column] > room + slack:
                proof.columns[column] = room
                changed = True
        if not changed:
            return True
    return False
