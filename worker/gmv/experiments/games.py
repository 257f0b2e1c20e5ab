"""What players of a cooperative game are worth, exactly: closed forms over the utilities of all subsets of them."""

import math

import numpy as np
from numpy.typing import NDArray

Utilities = NDArray[np.float64]
"""float64 [2^n]: of each subset of n players; bit i of its place says whether player i is in it."""


def players_of(utilities: Utilities) -> int:
    """Return n.

    Raises:
        ValueError: there are not 2^n utilities.
    """
    players = len(utilities).bit_length() - 1
    if len(utilities) != 2**players:
        raise ValueError(f"{len(utilities)} utilities are not those of all subsets of some players: 2, 4, 8 and so on")
    return players


def shapley_values(utilities: Utilities) -> NDArray[np.float64]:
    """Return what each player adds to those before it, mean over all orders, float64 [n].

    Shapley, A Value for n-Person Games, 1953: sum over subsets S without i of |S|! (n - |S| - 1)! / n! times what i
    adds to S. The values sum to what all are worth together beyond what nobody is.
    """
    players = players_of(utilities)
    weights = np.array([1 / (players * math.comb(players - 1, size)) for size in range(players)])
    return np.array([float(weights[sizes] @ added) for sizes, added in _added(utilities, players)])


def banzhaf_values(utilities: Utilities) -> NDArray[np.float64]:
    """Return what each player adds to the subsets without it, mean over these, float64 [n].

    Banzhaf, Weighted Voting Doesn't Work, 1965; of data, Wang and Jia, arXiv:2205.15466. They do not sum to the whole.
    """
    return np.array([float(added.mean()) for _, added in _added(utilities, players_of(utilities))])


def leave_one_out(utilities: Utilities) -> NDArray[np.float64]:
    """Return what all are worth less what all but one are, float64 [n]."""
    everybody = len(utilities) - 1
    without = [everybody - 2**player for player in range(players_of(utilities))]
    return np.asarray(utilities[everybody] - utilities[without])


def _added(utilities: Utilities, players: int) -> list[tuple[NDArray[np.int64], NDArray[np.float64]]]:
    """Return, for each player, the sizes of the subsets without it, and what it adds to them."""
    subsets = np.arange(len(utilities))
    sizes = np.bitwise_count(subsets).astype(np.int64)
    without = [subsets[subsets >> player & 1 == 0] for player in range(players)]
    return [(sizes[each], utilities[each + 2**player] - utilities[each]) for player, each in enumerate(without)]
