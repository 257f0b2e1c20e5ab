"""What is unattributed, shared over the whole corpus by weight: what collecting societies call analogy.

The shares are a file of corrections, one line per owner and book, that is applied like any other: reviewed before,
receipts and chain and all, and each line once. A file that is there is never made again, so what a period is shared by
is settled with its first making.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

from gmv.corpus.port import TrainingImage
from gmv.errors import CorrectionsRefused
from gmv.ledger.port import Accounts
from gmv.operations.correction_file import WireCorrection
from gmv.valuation.apportion import apportion
from gmv.valuation.evidence import UNATTRIBUTED
from gmv.valuation.owners import Ownership
from gmv.whole_file import write_whole


def weights_by_owner(images: Iterable[TrainingImage], ownership: Ownership) -> dict[str, float]:
    """Return the sum of the weights of each owner's images, those left out that are opted out.

    The sums are correctly rounded, so they do not depend on the order of the images.
    """
    weights: defaultdict[str, list[float]] = defaultdict(list)
    for image in images:
        if image.weight > 0 and not ownership.is_opted_out(image.image_id, image.owner_id):
            weights[ownership.owner_of(image.image_id, image.owner_id)].append(image.weight)
    return {owner_id: math.fsum(some) for owner_id, some in sorted(weights.items())}


def shares_of(accounts: Accounts, weights: dict[str, float], period: str, time: str) -> Iterator[WireCorrection]:
    """Yield what each owner is given of what is on the account in each book, in proportion to their weight.

    Args:
        accounts: of the ledger.
        weights: by owner.
        period: names this sharing for good, such as `2026-10`.
        time: when they are made (RFC 3339): in which statements they are.
    """
    owners = list(weights)
    for book in range(accounts.books()):
        held = accounts.totals([UNATTRIBUTED], book).get(UNATTRIBUTED, 0)
        for owner_id, micros in zip(owners, apportion(held, list(weights.values()), owners), strict=True):
            if micros:
                yield WireCorrection(
                    id=f"{UNATTRIBUTED}/{period}/{book}/{owner_id}",
                    from_owner=UNATTRIBUTED,
                    to_owner=owner_id,
                    micros=micros,
                    reason=f"share of what is unattributed, {period}, by weight in the corpus",
                    partition=book,
                    time=time,
                )


def write_shares(path: Path, accounts: Accounts, weights: dict[str, float], period: str, time: str) -> None:
    """Write the file of corrections, unless it is there.

    Raises:
        CorrectionsRefused: nothing is unattributed, or nobody has a weight to share it by.
    """
    if path.exists():
        return
    if not weights:
        raise CorrectionsRefused("all images of the index are opted out or weigh nothing: nobody can be given a share")
    shares = shares_of(accounts, weights, period, time)
    lines = [each.model_dump_json(exclude_none=True).encode() + b"\n" for each in shares]
    if not lines:
        raise CorrectionsRefused(f"the account {UNATTRIBUTED!r} holds nothing: there is nothing to share")
    write_whole(path, b"".join(lines))
