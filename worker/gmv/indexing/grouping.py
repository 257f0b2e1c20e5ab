"""From pairs of near copies to groups of them."""

from collections import defaultdict
from collections.abc import Iterable, Iterator

import numpy as np

from gmv.index.groups import GroupOfRow

Link = tuple[int, int]
"""Two rows that are near copies of each other."""


def groups_of(rows: int, links: Iterable[Link]) -> GroupOfRow:
    """Return the group of each row: rows that links connect, as far as a chain of them may reach.

    A copy of a copy is one, but a chain of images, each a little unlike the last, may end at a stranger. So a group has
    a centre, the row with most links, the lowest of several, and reaches two links from it. What is connected and
    farther away makes groups of its own by the same rule. The same links in any order give the same groups.

    Args:
        rows: of the index.
        links: in any order, either way round, any number of times.

    Returns:
        int32 [rows], the lowest row of each row's group.
    """
    beside: dict[int, set[int]] = defaultdict(set)
    for one, other in links:
        if one != other:
            beside[one].add(other)
            beside[other].add(one)
    group_of = np.arange(rows, dtype=np.int32)
    for group in _groups(beside):
        group_of[sorted(group)] = min(group)
    return group_of


def _groups(beside: dict[int, set[int]]) -> Iterator[set[int]]:
    waiting = set(beside)
    for start in sorted(beside):
        connected = _reached(start, beside, waiting) if start in waiting else set()
        waiting -= connected
        while connected:
            links = {row: beside[row] & connected for row in connected}
            centre = min(connected, key=lambda row: (-len(links[row]), row))
            group = {centre} | links[centre]
            for row in links[centre]:
                group |= links[row]
            yield group
            connected -= group


def _reached(start: int, beside: dict[int, set[int]], within: set[int]) -> set[int]:
    reached, edge = {start}, [start]
    while edge:
        found = (beside[edge.pop()] & within) - reached
        reached |= found
        edge += found
    return reached
