"""A ledger made, if there is none, and a log made known to it."""

from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass

from gmv.ledger.open import open_accounts, open_registry
from gmv.operations.registering import Edge, register_log
from gmv.settings import LedgerSettings
from gmv.stream.records import LogDescription


@dataclass(frozen=True, slots=True)
class InitialisedLedger:
    """A ledger that is ready for a log.

    Attributes:
        ledger_url: of the ledger.
        topic: of the log.
        topic_id: of the log.
        positions: next offset by partition, in order.
        registered: partitions that were registered now.
        added: of them, those that the log did not have when the ledger first knew it: they begin at their beginning.
    """

    ledger_url: str
    topic: str
    topic_id: str
    positions: Mapping[int, int]
    registered: tuple[int, ...]
    added: tuple[int, ...]


def initialise(
    log: LogDescription, edge: Edge, books: int | None, identity_window: int | None, settings: LedgerSettings
) -> InitialisedLedger:
    """Make a ledger if there is none, and give each partition of a log a position, where it has none.

    Args:
        log: as it is now.
        edge: where to begin, if the ledger does not know the log yet.
        books: hashes that totals are spread over; None is as many as there are, and one in a new ledger.
        identity_window: in offsets, to be stated in the ledger; None leaves what it states.
        settings: which ledger.

    Raises:
        InvalidSettings: the ledger has another number of books.
        PositionOutsideLog: the ledger knows another log of that name.
    """
    with closing(open_registry(settings)) as registry, closing(open_accounts(settings)) as accounts:
        registry.create(books)
        if identity_window is not None:
            registry.state_window(identity_window)
        registered = register_log(log, edge, registry, accounts)
    return InitialisedLedger(
        settings.url, log.topic, log.topic_id, registered.positions, registered.new, registered.added
    )
