"""The receipts of a world: each credit has one, each one adds up, and the ledger confirms them (I1, I2, I3)."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any

import orjson

from gmv.errors import ConservationBroken
from gmv.ledger.port import Balance, Snapshot
from gmv.ledger.position import Position
from gmv.operations.published import Published
from gmv.operations.verifying import verify_receipts

from .oracle import ACCOUNT, MICROS_PER_EVENT, Book, Place
from .world import World

TWO_INDEXES = "a record has receipts by two indexes"

Receipt = dict[str, Any]
Batches = dict[str, dict[int, Receipt]]


def check_receipts(world: World, books: list[Book], snapshots: list[Snapshot]) -> None:
    """Judge all that was published: the committed receipts are those of the credited events, each once."""
    batches = _batches(world)
    _check_indexes(world, batches)
    for snapshot in snapshots:
        _check_book(world, books[snapshot.book], snapshot, batches)
    if not world.baseline and not world.violations:
        published = [Published(str(place), each.value or b"") for place, each in enumerate(world.receipts.records)]
        try:
            verify_receipts(SnapshotAccounts(snapshots), lambda: published)  # type: ignore[arg-type]
        except ConservationBroken as broken:
            world.violate("I2", f"gmv ledger verify: {broken}")


def indexes_of(world: World) -> dict[tuple[str, Place], int]:
    """Return the number of the index that each receipt names, by batch and place."""
    return {
        (batch, (receipt["position"]["partition"], offset)): int(receipt["index"])
        for batch, receipts in _batches(world).items()
        for offset, receipt in receipts.items()
    }


def _check_indexes(world: World, batches: Batches) -> None:
    """Receipts name an index that there was, with its own settings; those of one batch name one."""
    named: defaultdict[Place, set[int]] = defaultdict(set)
    for batch, receipts in batches.items():
        stamps = {(receipt["index"], receipt["settings"]) for receipt in receipts.values()}
        if len(stamps) > 1:
            world.violate("I2", f"batch {batch} names several indexes: {sorted(stamps)}")
        for index, settings in stamps:
            if int(index) not in world.indexes or settings != f"settings of {index}":
                world.violate("I2", f"batch {batch} names index {index} with {settings}")
        for offset, receipt in receipts.items():
            named[receipt["position"]["partition"], offset].add(int(receipt["index"]))
    for indexes in named.values():
        if len(indexes) > 1:
            world.count(TWO_INDEXES)


def _batches(world: World) -> Batches:
    batches: Batches = defaultdict(dict)
    for published in world.receipts.records:
        receipt = orjson.loads(published.value or b"")
        shared = sum(_shares(receipt).values())
        if (shared, receipt["micros"]) != (MICROS_PER_EVENT, MICROS_PER_EVENT):
            world.violate("I1", f"{receipt['event']} is worth {receipt['micros']}, its shares are worth {shared}")
        batches[receipt["batch"]][receipt["position"]["offset"]] = receipt
    return batches


def _shares(receipt: Receipt) -> Counter[str]:
    shares = Counter({share["owner_id"]: share["micros"] for share in receipt["contributors"]})
    return shares + Counter({ACCOUNT: receipt.get("unattributed_micros", 0)})


def _check_book(world: World, book: Book, snapshot: Snapshot, batches: Batches) -> None:
    explained: Counter[Place] = Counter()
    totals: Counter[str] = Counter()
    for (_, partition), position in snapshot.positions.items():
        for receipt in _chain(world, position.batch_id, batches):
            if receipt["position"]["partition"] != partition:
                world.violate("I2", f"a batch of partition {partition} has a receipt of {receipt['position']}")
            explained[partition, receipt["position"]["offset"]] += 1
            totals.update(+_shares(receipt))
    credited = Counter(place for place, fate in book.fates.items() if fate == {"credited"})
    if explained != credited:
        too_many, too_few = sorted((explained - credited).elements()), sorted((credited - explained).elements())
        world.violate("I3", f"receipts without credit: {too_many}, credit without receipt: {too_few}")
    if totals != book.totals:
        world.violate("I2", f"receipts add up to {dict(totals)}, the log to {dict(book.totals)}")


def _chain(world: World, newest: str, batches: Batches) -> Iterator[Receipt]:
    """Yield the receipts of a batch and of all before it."""
    batch = newest
    while batch:
        receipts = [receipt for _, receipt in sorted(batches.get(batch, {}).items())]
        if not receipts or len(receipts) != receipts[0]["batch_receipts"]:
            world.violate("I2", f"batch {batch} is committed and has not all its receipts")
            return
        digest = hashlib.blake2b(digest_size=16)
        for receipt in receipts:
            said = {name: value for name, value in receipt.items() if name not in {"batch", "batch_receipts"}}
            digest.update(orjson.dumps(said) + b"\n")
        if digest.hexdigest() != batch:
            world.violate("I2", f"batch {batch} is not the digest of its receipts")
        yield from receipts
        batch = receipts[0]["previous_batch"]


class SnapshotAccounts:
    """As much of an `Accounts` as `verify_receipts` asks."""

    def __init__(self, snapshots: list[Snapshot]) -> None:
        self._snapshots = snapshots

    def positions(self) -> dict[tuple[str, int], Position]:
        """See `Accounts`."""
        return {place: position for each in self._snapshots for place, position in each.positions.items()}

    def balances(self) -> Iterator[Balance]:
        """See `Accounts`."""
        totals: Counter[str] = Counter()
        for snapshot in self._snapshots:
            totals.update(snapshot.balances)
        return (Balance(*total) for total in totals.items())
