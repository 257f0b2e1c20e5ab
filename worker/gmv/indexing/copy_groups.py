"""A build's groups of near copies, and what its manifest says of them."""

from collections.abc import Sequence

import numpy as np

from gmv.corpus.port import TrainingImage
from gmv.encoders.port import MirroringEncoder
from gmv.index.groups import GroupOfRow
from gmv.index.measured import AlteredCopies, FoundCopies
from gmv.indexing.altered_copies import altered_copies
from gmv.indexing.calibrating import Calibration
from gmv.indexing.copies import CopyFinder
from gmv.indexing.grouping import groups_of
from gmv.indexing.progress import Progress

_SEED = 0


def group_copies(
    finder: CopyFinder,
    images: Sequence[TrainingImage],
    calibration: Calibration,
    encoder: MirroringEncoder | None,
    progress: Progress,
) -> tuple[GroupOfRow, FoundCopies]:
    """Learn up to which distance images are near copies, see how well that tells them, and group all of them.

    Args:
        finder: over the rows.
        images: of the rows.
        calibration: the corpus, and how it is read.
        encoder: of images; without one no copies can be made to see how many are missed.
        progress: shows both steps.
    """
    with progress("learning what a copy is", None, "") as advance:
        learnt = finder.learn_level(_SEED)
        altered = _altered(finder, [image.image_id for image in images], learnt.level, calibration, encoder)
        advance(1)
    links = finder.find_links(np.arange(finder.rows), learnt.level, calibration.threads, progress)
    group_of = groups_of(finder.rows, links)
    return group_of, FoundCopies(
        level=learnt.level,
        queries=learnt.queries,
        nearest_within=learnt.nearest_within,
        tenth_within=learnt.tenth_within,
        altered=altered,
        **counts_of(group_of, [image.owner_id for image in images]),
    )


def counts_of(group_of: GroupOfRow, owners: Sequence[str]) -> dict[str, int]:
    """Return how many groups there are, how many images are in them, and how many are of several owners.

    Args:
        group_of: int32 [rows], the lowest row of each row's group.
        owners: of the rows.
    """
    owners_of: dict[int, set[str]] = {}
    sizes = np.bincount(group_of)
    grouped = np.flatnonzero(sizes[group_of] > 1)
    for row in grouped.tolist():
        owners_of.setdefault(int(group_of[row]), set()).add(owners[row])
    return {
        "groups": len(owners_of),
        "images": len(grouped),
        "groups_of_several_owners": sum(len(each) > 1 for each in owners_of.values()),
    }


def _altered(
    finder: CopyFinder,
    image_ids: Sequence[str],
    level: float,
    calibration: Calibration,
    encoder: MirroringEncoder | None,
) -> tuple[AlteredCopies, ...]:
    if encoder is None:
        return ()
    rows, by_kind = altered_copies(calibration.corpus, image_ids, calibration.limits, encoder, calibration.side, _SEED)
    return tuple(
        AlteredCopies(
            kind=kind, images=len(rows), missed=round(float(finder.is_missed(features, rows, level).mean()), 4)
        )
        for kind, features in by_kind.items()
    )
