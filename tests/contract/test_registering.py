"""A log made known to every kind of ledger: where its partitions begin, however that was interrupted."""

from collections.abc import Mapping
from dataclasses import replace
from typing import cast

import pytest

from gmv.errors import LedgerMissing, PositionOutsideLog
from gmv.ledger.administration import Registry
from gmv.ledger.beginning import Begin, FirstPartitions
from gmv.ledger.port import Accounts
from gmv.ledger.position import Position
from gmv.ledger.verify import conservation
from gmv.operations.registering import Edge, Registered, register_log
from gmv.stream.records import Bounds, LogDescription
from tests.contract.worlds import LedgerWorld

LOG = LogDescription("grown", "id-1", {0: Bounds(3, 10), 1: Bounds(0, 20)})
GROWN = replace(LOG, bounds={**LOG.bounds, 2: Bounds(0, 7), 3: Bounds(4, 9)})


@pytest.fixture
def empty(place: LedgerWorld, books: int) -> LedgerWorld:
    place.registry().create(books)
    return place


def register(place: LedgerWorld, log: LogDescription, edge: Edge) -> Registered:
    return register_log(log, edge, place.registry(), place.accounts())


def begins(place: LedgerWorld) -> dict[tuple[str, int], Begin]:
    return {log: begin for book in place.accounts().snapshots() for log, begin in book.begins.items()}


@pytest.mark.parametrize(("edge", "offsets"), [(Edge.START, {0: 3, 1: 0}), (Edge.END, {0: 10, 1: 20})])
def test_a_new_log_begins_where_it_is_asked_to(empty: LedgerWorld, edge: Edge, offsets: dict[int, int]) -> None:
    assert register(empty, LOG, edge) == Registered(offsets, (0, 1), ())
    assert empty.accounts().positions() == {("grown", number): Position("id-1", at) for number, at in offsets.items()}


@pytest.mark.parametrize("edge", Edge)
def test_partitions_that_were_added_begin_at_their_beginning(empty: LedgerWorld, edge: Edge) -> None:
    register(empty, LOG, Edge.END)
    assert register(empty, GROWN, edge) == Registered({0: 10, 1: 20, 2: 0, 3: 4}, (2, 3), (2, 3))
    assert begins(empty) == {
        ("grown", 0): Begin(10, 3),
        ("grown", 1): Begin(20, 0),
        ("grown", 2): Begin(0, 0),
        ("grown", 3): Begin(4, 4),
    }
    assert conservation(empty.accounts()).conserved


@pytest.mark.parametrize("edge", Edge)
def test_again_nothing_changes(empty: LedgerWorld, edge: Edge) -> None:
    register(empty, LOG, Edge.END)
    register(empty, GROWN, Edge.END)
    before = empty.dump()
    assert register(empty, GROWN, edge).new == ()
    assert empty.dump() == before


class Interrupted(Exception):  # noqa: N818 - a flow word
    pass


class Interruptible(Registry):
    """Registers some partitions of those asked for, and is killed."""

    def __init__(self, inner: Registry, partitions: int) -> None:
        self._inner = inner
        self._partitions = partitions

    def first_partitions(self, topic: str, first: FirstPartitions) -> FirstPartitions:
        return self._inner.first_partitions(topic, first)

    def register(
        self, topic: str, positions: Mapping[int, Position], log_starts: Mapping[int, int] | None = None
    ) -> tuple[int, ...]:
        self._inner.register(topic, dict(sorted(positions.items())[: self._partitions]), log_starts)
        raise Interrupted

    def create(self, books: int | None = None) -> None:
        self._inner.create(books)

    def state_window(self, offsets: int) -> None:
        self._inner.state_window(offsets)

    def close(self) -> None:
        self._inner.close()


@pytest.mark.parametrize("partitions", [0, 1])
def test_what_was_interrupted_is_completed_where_it_began(empty: LedgerWorld, partitions: int) -> None:
    """Partitions that the log had then are not taken for added ones: their past was to be left out."""
    with pytest.raises(Interrupted):
        register_log(LOG, Edge.END, Interruptible(empty.registry(), partitions), empty.accounts())
    later = replace(GROWN, bounds={number: replace(each, end=each.end + 50) for number, each in GROWN.bounds.items()})
    assert register(empty, later, Edge.START).positions == {0: 10, 1: 20, 2: 0, 3: 4}


def test_of_two_at_once_the_first_decides(empty: LedgerWorld) -> None:
    """The second has looked before the first began, and asks for something else."""
    registry, stale = empty.registry(), _Stale(empty.accounts())
    register(empty, LOG, Edge.END)
    register_log(GROWN, Edge.START, registry, cast(Accounts, stale))
    assert {number: each.next_offset for (_, number), each in empty.accounts().positions().items()} == {
        0: 10,
        1: 20,
        2: 0,
        3: 4,
    }


class _Stale:
    """Accounts that show no position at the first look."""

    def __init__(self, inner: Accounts) -> None:
        self._inner = inner
        self._looks = 0

    def __getattr__(self, name: str) -> object:
        return getattr(self._inner, name)

    def positions(self) -> dict[tuple[str, int], Position]:
        self._looks += 1
        return {} if self._looks == 1 else self._inner.positions()


def test_a_ledger_that_recorded_no_beginnings_knows_its_partitions_all_the_same(empty: LedgerWorld) -> None:
    """As gmv 0.1 made it."""
    empty.registry().register("grown", {0: Position("id-1", 10), 1: Position("id-1", 20)})
    empty.forget_begins()
    assert register(empty, GROWN, Edge.END).positions == {0: 10, 1: 20, 2: 0, 3: 4}
    assert conservation(empty.accounts()).begins_unrecorded == ("grown[0]", "grown[1]")


@pytest.mark.parametrize("is_registered", [True, False])
def test_a_topic_that_was_made_again_is_refused(empty: LedgerWorld, is_registered: bool) -> None:
    if is_registered:
        register(empty, LOG, Edge.END)
    else:
        empty.registry().first_partitions("grown", FirstPartitions("id-1", {0: Begin(10, 3)}))
    before = empty.dump()
    with pytest.raises(PositionOutsideLog, match="deleted and made again"):
        register(empty, replace(GROWN, topic_id="id-2"), Edge.END)
    assert empty.dump() == before


def test_a_position_that_began_late_is_found(empty: LedgerWorld) -> None:
    """As `--from end` registered it before."""
    register(empty, LOG, Edge.END)
    empty.registry().register("grown", {2: Position("id-1", 7)}, {2: 0})
    (complaint,) = conservation(empty.accounts()).complaints
    assert "grown[2] was added to its topic and began at 7, not at 0" in complaint


def test_a_partition_that_was_added_is_distinguished_from_one_that_lost_its_position(empty: LedgerWorld) -> None:
    """The first waits for an administrator; for the second, and where nothing is known, a worker stops."""
    ledger = empty.ledger()
    assert ledger.unregistered("grown", [0, 1, 2]) == set()
    empty.registry().first_partitions("grown", FirstPartitions("id-1", {0: Begin(10, 3), 1: Begin(20, 0)}))
    assert ledger.unregistered("grown", [0, 1, 2, 3]) == {2, 3}
    register(empty, replace(GROWN, bounds={number: GROWN.bounds[number] for number in (0, 1, 2)}), Edge.END)
    assert ledger.unregistered("grown", [0, 1, 2, 3]) == {3}
    assert ledger.unregistered("grown", []) == set()
    with pytest.raises(LedgerMissing, match=r"grown\[3\].*gmv ledger init"):
        ledger.positions("grown", [3])
