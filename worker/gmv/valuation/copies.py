"""Near copies of one image: they have one place in a contributor set, and a policy says who is paid for it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from gmv.valuation.owners import Ownership
from gmv.valuation.ranking import MirroredLook, Ranking, Reranker, Step, Tokens
from gmv.valuation.types import Candidate

PAID_OWNERS_MAX: Final = 1_000
"""Whom one event pays at most, since a commit has a limit: of a group with more than 1,000 / K owners, the first."""

_NO_ROWS: Final = np.empty(0, np.int64)


def paid_copies(
    nearest: Candidate, members: Sequence[Candidate], ownership: Ownership, *, only_earliest: bool, owners_max: int
) -> list[Candidate]:
    """Return the images that the place of a group is paid for, each of another owner, for equal parts of it.

    What owners have said comes first: an image that is left out is no member, and one that is opted out and keeps its
    place has a weight of 0, so that its owner's part is paid to nobody. An owner has one part for all images they have
    in the group: for one of them that has a weight, where there is one, for the nearest of these, or else the first.

    Args:
        nearest: the member that is nearest to the generated image, as the index says; in no way left out.
        members: all images of the group as the index says, in order of registration.
        ownership: what owners have said since the index was built.
        only_earliest: whether the first takes all of it.
        owners_max: who is paid at most, in order of registration.

    Returns:
        At least one, with the distance and the look of the nearest, which comes first where it is one of them.
    """
    said = ownership.apply(members)
    if only_earliest:
        chosen = said[:1]
    else:
        of_owner: dict[str, Candidate] = {}
        for each in sorted(said, key=lambda member: (member.weight == 0.0, member.image_id != nearest.image_id)):
            of_owner.setdefault(each.owner_id, each)
        first = dict.fromkeys(each.owner_id for each in said)
        chosen = [of_owner[owner_id] for owner_id in first][:owners_max]
    nearest_first = sorted(chosen, key=lambda each: each.image_id != nearest.image_id)
    return [replace(each, distance=nearest.distance, mirrored=nearest.mirrored) for each in nearest_first]


class OnePlacePerGroup(Reranker):
    """A `Reranker` that ranks a group of near copies once, where the nearest of them is.

    The same answer as to rank all candidates and keep the first of each group. Without copies among the K nearest it is
    one call for K, as ever. Of queries that come out short, candidates in groups that were found are left out, and the
    rest is asked once more for what is missing: what is found then lies behind what was found before.
    """

    def __init__(self, inner: Reranker, group_of: NDArray[np.int32]) -> None:
        """Take note of the groups.

        Args:
            inner: ranks every row for itself.
            group_of: int32 [rows], a number that the rows of a group share, and no other row.
        """
        self._inner = inner
        self._group_of = group_of

    @override
    def nearest(
        self,
        queries: Sequence[Tokens],
        candidates: Sequence[NDArray[np.int64]],
        contributors: int,
        mirrored: Sequence[MirroredLook | None] | None = None,
    ) -> list[Ranking]:
        found = list(map(self._collapsed, self._inner.nearest(queries, candidates, contributors, mirrored)))
        looks: list[MirroredLook | None] = [None] * len(found) if mirrored is None else list(mirrored)
        rows = list(candidates)
        short = self._short(range(len(found)), found, contributors, rows, looks)
        while short:
            # One call for each number that is missing: K is of a call.
            for missing in sorted({contributors - len(found[place].rows) for place in short}):
                asked = [place for place in short if contributors - len(found[place].rows) == missing]
                more = self._inner.nearest(
                    [queries[place] for place in asked],
                    [rows[place] for place in asked],
                    missing,
                    None if mirrored is None else [looks[place] for place in asked],
                )
                for place, ranking in zip(asked, more, strict=True):
                    found[place] = _joined(found[place], self._collapsed(ranking))
            short = self._short(short, found, contributors, rows, looks)
        return found

    def _collapsed(self, ranking: Ranking) -> Ranking:
        """Return a ranking with the first of each group."""
        _, first = np.unique(self._group_of[ranking.rows], return_index=True)
        if len(first) == len(ranking.rows):
            return ranking
        kept = np.sort(first)
        return Ranking(ranking.rows[kept], ranking.distances[kept], ranking.mirrored[kept], ranking.ended)

    def _short(
        self,
        places: Sequence[int],
        found: Sequence[Ranking],
        contributors: int,
        rows: list[NDArray[np.int64]],
        looks: list[MirroredLook | None],
    ) -> list[int]:
        """Return the queries that have fewer than K although candidates remain, whose groups were not found yet."""
        short = []
        for place in places:
            if len(found[place].rows) >= contributors:
                continue
            groups = self._group_of[found[place].rows]
            rows[place] = self._others(rows[place], groups)
            look = looks[place]
            if look is not None:
                looks[place] = look = MirroredLook(look.tokens, self._others(look.candidates, groups))
            if len(rows[place]) + len(_NO_ROWS if look is None else look.candidates):
                short.append(place)
        return short

    def _others(self, rows: NDArray[np.int64], groups: NDArray[np.int32]) -> NDArray[np.int64]:
        return rows[~np.isin(self._group_of[rows], groups)]


def _joined(first: Ranking, more: Ranking) -> Ranking:
    return Ranking(
        np.concatenate((first.rows, more.rows)),
        np.concatenate((first.distances, more.distances)),
        np.concatenate((first.mirrored, more.mirrored)),
        _added(first.ended, more.ended),
    )


def _added(one: Mapping[Step, int] | None, other: Mapping[Step, int] | None) -> Mapping[Step, int] | None:
    return None if one is None or other is None else {step: count + other[step] for step, count in one.items()}
