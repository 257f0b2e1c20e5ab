"""How far apart two vectors of places are, in Python's own numbers: what `gmv.index.refine` has to give, to the bit."""

import math

import numpy as np
from numpy.typing import NDArray


def relaxed_apart(vector: NDArray[np.int8], look: NDArray[np.int8], side: int) -> float:
    """Return the sum of roots of how far each place, int8 [side^2 x n], is from the most alike of it and those beside.

    What lies beside a place counts as 40 farther.
    """
    places = side * side
    grid = [divmod(place, side) for place in range(places)]
    costs = [[math.inf] * places for _ in grid]
    for row, here in enumerate(vector.astype(int).reshape(places, -1)):
        for column, there in enumerate(look.astype(int).reshape(places, -1)):
            steps = sum(abs(one - other) for one, other in zip(grid[row], grid[column], strict=True))
            if steps <= 1:
                costs[row][column] = math.sqrt(int(np.square(here - there).sum())) + 40.0 * steps
    total = 0.0
    for place in range(places):
        total += math.sqrt(min(costs[place])) + math.sqrt(min(cost[place] for cost in costs))
    return total
