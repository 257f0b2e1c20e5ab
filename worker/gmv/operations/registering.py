"""A log made known to a ledger: where crediting of each of its partitions begins."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from gmv.errors import PositionOutsideLog
from gmv.ledger.administration import Registry
from gmv.ledger.beginning import Begin, FirstPartitions
from gmv.ledger.port import Accounts
from gmv.ledger.position import Position
from gmv.stream.records import LogDescription


class Edge(StrEnum):
    """Where in a log crediting begins, when a ledger first knows it."""

    START = "start"
    END = "end"


@dataclass(frozen=True, slots=True)
class Registered:
    """A log that a ledger knows.

    Attributes:
        positions: next offset by partition, in order.
        new: partitions that were registered now.
        added: of them, those that the log did not have when the ledger first knew it: they begin at their beginning.
    """

    positions: Mapping[int, int]
    new: tuple[int, ...]
    added: tuple[int, ...]


def register_log(log: LogDescription, edge: Edge, registry: Registry, accounts: Accounts) -> Registered:
    """Give each partition of a log a position, where it has none.

    Args:
        log: as it is now.
        edge: where to begin, if the ledger does not know the log yet.
        registry: of a ledger that has been made.
        accounts: of the same ledger.

    Raises:
        PositionOutsideLog: the ledger knows another log of that name.
    """
    known = _positions_in(log, accounts)
    for number, position in known.items():
        _require_same(log, position.topic_id, f"is at {position.next_offset} of another {log.topic}[{number}]")
    first = registry.first_partitions(log.topic, FirstPartitions(log.topic_id, _first_begins(log, edge, known)))
    _require_same(log, first.topic_id, f"began with another {log.topic}")
    begins = first.begins_at({number: bounds.start for number, bounds in log.bounds.items()})
    positions = {number: Position(log.topic_id, begin.offset) for number, begin in begins.items()}
    new = registry.register(log.topic, positions, {number: begin.log_start for number, begin in begins.items()})
    offsets = {number: position.next_offset for number, position in sorted(_positions_in(log, accounts).items())}
    return Registered(offsets, new, tuple(number for number in new if number not in first.begins))


def _positions_in(log: LogDescription, accounts: Accounts) -> dict[int, Position]:
    return {number: position for (topic, number), position in accounts.positions().items() if topic == log.topic}


def _first_begins(log: LogDescription, edge: Edge, known: Mapping[int, Position]) -> dict[int, Begin | None]:
    """What is kept if nothing is: of a ledger that knows the log, made before it was, that these were there."""
    if known:
        return dict.fromkeys(sorted(known))
    return {
        number: Begin(bounds.start if edge is Edge.START else bounds.end, bounds.start)
        for number, bounds in sorted(log.bounds.items())
    }


def _require_same(log: LogDescription, topic_id: str, where: str) -> None:
    if topic_id != log.topic_id:
        raise PositionOutsideLog(
            f"the ledger {where}, with id {topic_id}, and this one's is {log.topic_id}: a topic that was deleted and "
            "made again, or a file whose first line changed, is a new log. Give it a new name, or a ledger of its own "
            "by --ledger or ledger.namespace"
        )
