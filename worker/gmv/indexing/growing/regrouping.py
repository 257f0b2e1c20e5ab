"""Near copies in an index that is made of another: its groups, less what is removed, and what the added images join."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gmv.corpus.port import TrainingImage
from gmv.encoders.port import Numbers
from gmv.index.groups import GroupOfRow, write_groups
from gmv.index.manifest import GROUPS_FILE
from gmv.index.measured import FoundCopies
from gmv.index.opened import Index
from gmv.index.port import Recall
from gmv.index.tokens import Tokens
from gmv.indexing.copies import CopyFinder
from gmv.indexing.copy_groups import counts_of
from gmv.indexing.grouping import Link, groups_of
from gmv.indexing.progress import Progress
from gmv.valuation.wasserstein.rerank import ExactReranker


def write_regrouped(
    folder: Path,
    parent: Index,
    images: Sequence[TrainingImage],
    rows: NDArray[np.int64],
    added_vectors: Numbers,
    recall: Recall,
    tokens: Tokens,
    threads: int,
    progress: Progress,
) -> FoundCopies | None:
    """Write the groups where there are some, and return what the manifest says; None if the parent looked for none.

    Added images alone are asked, at the level that the parent learnt. A group of the parent
    is one row of their links, so it stays together, and groups that an added image is a copy of become one.

    Args:
        folder: of the index to be.
        parent: its groups stay together.
        images: of the index to be, in order of row.
        rows: int64 [rows], those of the parent, then those that are added, in the order of the index to be.
        added_vectors: [added, D].
        recall: of the index to be.
        tokens: of the index to be.
        threads: that rank.
        progress: shows how far it is.
    """
    (folder / GROUPS_FILE).unlink(missing_ok=True)
    if (copies := parent.manifest.copies) is None:
        return None
    links: list[Link] = []
    if len(added_vectors):
        is_added = rows >= len(parent.images)
        vectors = np.zeros((len(rows), added_vectors.shape[1]), added_vectors.dtype)  # of those that are asked
        vectors[is_added] = added_vectors[rows[is_added] - len(parent.images)]
        finder = CopyFinder(recall, vectors, tokens, ExactReranker(tokens, scale=parent.token_scale), parent.mirror)
        links = finder.find_links(np.flatnonzero(is_added), copies.level, threads, progress)
    group_of = regrouped(parent.groups.group_of, rows, links)
    found = copies.model_copy(update=counts_of(group_of, [image.owner_id for image in images]))
    if found.groups:
        write_groups(folder / GROUPS_FILE, group_of)
    return found


def regrouped(before: GroupOfRow, rows: NDArray[np.int64], links: Iterable[Link]) -> GroupOfRow:
    """Return the groups of an index that is made of another: each of the other's is one row of the new links.

    Args:
        before: int32 [rows of the other], its groups.
        rows: int64 [rows], those of the other, then those that are added, in the order of the index to be.
        links: between rows of the index to be, one of each added.

    Returns:
        int32 [rows], the lowest row of each row's group.
    """
    lowest: dict[int, int] = {}
    stands_for = np.arange(len(rows), dtype=np.int32)
    for row, other in enumerate(rows.tolist()):
        if other < len(before):
            stands_for[row] = lowest.setdefault(int(before[other]), row)
    between = [(int(stands_for[one]), int(stands_for[other])) for one, other in links]
    return groups_of(len(rows), between)[stands_for]
