"""What must hold of a world: at any reading of a book (I2, I3, I6), and in all of it at its end."""

from collections import Counter
from collections.abc import Iterator

from gmv.kafka import headers
from gmv.ledger.port import Snapshot
from gmv.ledger.redis.accounts import RedisAccounts

from .oracle import Book, Place, Range, replay
from .receipts import check_receipts, indexes_of
from .redis_server import Command
from .worker import ledger_settings
from .workload import Meaning
from .world import World, batch_of, partition_of, position_of


def check_books(world: World) -> list[Book]:
    """Read every book as `gmv credits` does and compare it with the oracle, at one moment."""
    expected = oracle(world)
    for snapshot in RedisAccounts(ledger_settings("reader")).snapshots(balances=True):
        _check_book(world, snapshot, expected[snapshot.book])
    return expected


def check_end(world: World) -> None:
    """Judge a run after its last fault and its last commit."""
    for primary in world.site.primaries:
        before = primary.server.hashes
        primary.server = primary.server.restarted().restarted()
        if primary.server.hashes != before:
            world.violate("I2", "the append-only file gives other totals at the second restart after a crash")
    books = check_books(world)
    _check_beginnings(world)
    snapshots = list(RedisAccounts(ledger_settings("reader")).snapshots(balances=True))
    _check_dead_letters(world, books)
    check_receipts(world, books, snapshots)
    for worker in world.workers:
        for task in worker.process.tasks:
            if task.done() and not task.cancelled() and task.exception() is not None:
                world.violate("I8", f"{worker.process.name} went on without a task: {task.exception()!r}")


def _check_beginnings(world: World) -> None:
    """I3 of records that were there before their partition had a position: none is passed over but by retention."""
    for primary in world.site.primaries:
        begins: dict[int, int] = {}
        for command in primary.server.file:
            for name, value in zip(command[2::2], command[3::2], strict=True):
                if name.startswith(b"#p:"):
                    begins.setdefault(partition_of(name), position_of(value)[1])
        for partition, offset in begins.items():
            first = world.topic.partitions[partition].start if partition < world.plan.partitions else 0
            if offset > first:
                world.violate("I3", f"partition {partition} began at {offset}: what was before it was passed over")


def oracle(world: World) -> list[Book]:
    """Credit what the ledger's surviving history says was committed, in its order."""
    log: list[list[Meaning | None]] = [
        [meaning if entry.kind == "data" else None for entry, meaning in zip(part.history, meanings, strict=True)]
        for part, meanings in zip(world.topic.partitions, world.meanings, strict=True)
    ]
    ranges = []
    for primary in world.site.primaries:
        for partition, start, end, batch in _ranges(world, primary.server.file):
            if end > len(log[partition]):
                world.violate(
                    "I2", f"partition {partition} is credited to {end}, the log ends at {len(log[partition])}"
                )
                end = len(log[partition])
            ranges.append(Range(partition, start, end, batch))
    return replay(ranges, log, world.plan.books, indexes_of(world))


def _ranges(world: World, file: list[Command]) -> Iterator[Range]:
    next_offsets: dict[int, int] = {}
    for command in file:
        for name, value in zip(command[2::2], command[3::2], strict=True):
            if not name.startswith(b"#p:"):
                continue
            partition, (topic_id, offset) = partition_of(name), position_of(value)
            if topic_id != world.topic.id:
                world.violate("I8", f"a position in topic {topic_id}, which the ledger was not made for")
            if partition in next_offsets:
                yield Range(partition, next_offsets[partition], offset, batch_of(value))
            next_offsets[partition] = offset


def _check_book(world: World, found: Snapshot, book: Book) -> None:
    fates = Counter(book.fates.values())
    certain = {fate: fates[frozenset({fate})] for fate in ("credited", "dead", "duplicate")}
    sums = found.sums
    totals = book.totals + (world.baseline if found.book == 0 else Counter())
    if dict(found.balances) != dict(totals):
        world.violate("I2", f"book {found.book} has {dict(found.balances)}, the log gives {dict(totals)}")
    if sums.micros != totals.total():
        world.violate("I6", f"book {found.book} counts {sums.micros} micro-credits and holds {totals.total()}")
    if (sums.credited, found.events) != (certain["credited"], certain["credited"]):
        world.violate("I3", f"book {found.book}: {sums.credited} credited, {found.events} events, not {certain}")
    if sums.dead_letters < certain["dead"] or sums.duplicates < certain["duplicate"]:
        world.violate("I3", f"book {found.book}: {sums}, not {certain}")
    if sums.credited + sums.dead_letters + sums.duplicates != len(book.fates):
        world.violate("I3", f"book {found.book}: {sums} for {len(book.fates)} records")


def _check_dead_letters(world: World, books: list[Book]) -> None:
    """I9, and that no record was passed without its dead letter."""
    dead_lettered: set[Place] = set()
    attempts: Counter[tuple[Place, object, object]] = Counter()
    for dead_letter in world.dead_letters.records:
        texts = dict(dead_letter.headers)
        place = int(texts[headers.DLQ_PARTITION]), int(texts[headers.DLQ_OFFSET])
        dead_lettered.add(place)
        history = world.topic.partitions[place[0]].history
        if place[1] >= len(history):
            world.violate("I8", f"a dead letter of {place}, which the ledger's topic does not have")
            continue
        record = history[place[1]].record
        if (dead_letter.key, dead_letter.value, dead_letter.headers[: len(record.headers)]) != (
            record.key,
            record.value,
            record.headers,
        ):
            world.violate("I9", f"the dead letter of {place} is not the record that is there")
        attempts[place, dead_letter.sender.process, dead_letter.sender.seeks.get(place[0])] += 1
    for (place, _, _), times in attempts.items():
        if times > 1:
            world.violate("I9", f"{times} dead letters of {place} in one attempt")
    for book in books:
        missing = {place for place, fate in book.fates.items() if fate == {"dead"}} - dead_lettered
        if missing:
            world.violate("I9", f"passed without a dead letter: {sorted(missing)}")
