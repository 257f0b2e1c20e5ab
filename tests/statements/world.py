"""A ledger in a file with receipts of events whose times, models and evidence a test chooses."""

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from gmv.ledger.open import open_accounts, open_ledger, open_registry
from gmv.ledger.port import Batch, Committed, Entry
from gmv.ledger.position import Position
from gmv.ledger.totals import LedgerTotals, read_totals
from gmv.operations.published import Published
from gmv.settings import LedgerSettings
from gmv.statements.bookings import Booking, committed_bookings
from gmv.valuation.receipt import AnyReceipt, CorrectionReceipt, Receipt, changes_of, seal

EVENTS = "events.jsonl"


@dataclass(frozen=True)
class Event:
    """What a test says of an event: owner -> micro-credits, for an image of theirs each; and keys of its receipt."""

    paid: Mapping[str, int]
    keys: Mapping[str, Any] = field(default_factory=dict)


def paying(owner_id: str = "ada", micros: int = 1_000_000, **keys: Any) -> Event:
    return Event({owner_id: micros}, keys)


def receipt_of(offset: int, event: Event, previous: str = "", topic: str = EVENTS) -> Receipt:
    made: dict[str, Any] = {
        "event": {"source": "/s", "id": f"e{offset}"},
        "position": {"topic": topic, "partition": 0, "offset": offset},
        "previous_batch": previous,
        "index": "index-1",
        "settings": "settings-1",
        "quality": 1.0,
        "temperature": 0.25,
        "contributors": [
            {
                "image_id": f"{owner_id}-{micros % 3}",
                "owner_id": owner_id,
                "distance": 0.5,
                "utility": 0.5,
                "weight": 1.0,
                "micros": micros,
            }
            for owner_id, micros in event.paid.items()
        ],
        "micros": sum(event.paid.values()),
    }
    return made | dict(event.keys)  # type: ignore[return-value]


def correction_of(
    offset: int, owner_id: str, micros: int, previous: str = "", time: str | None = None
) -> CorrectionReceipt:
    """One that takes micro-credits and gives them to nobody."""
    made: CorrectionReceipt = {
        "correction": f"c{offset}",
        "position": {"topic": "corrections/c.jsonl", "partition": 0, "offset": offset},
        "previous_batch": previous,
        "reason": "mistaken",
        "entries": [{"owner_id": owner_id, "micros": -micros}],
        "micros": -micros,
    }
    if time is not None:
        made["time"] = time
    return made


class World:
    """A ledger, and a file of receipts beside it."""

    def __init__(self, folder: Path) -> None:
        self.settings = LedgerSettings(url=f"sqlite:///{folder / 'ledger.db'}")
        self.receipts = folder / "events.receipts.jsonl"
        self.receipts.touch()
        with closing(open_registry(self.settings)) as registry:
            registry.create(1)
            registry.register(EVENTS, {0: Position("first-record:1", 0)})

    def commit(self, events: Sequence[Event], orphans: int = 0, copies: int = 1) -> list[bytes]:
        """Credit a batch. Of it there are so many copies, and so many others that were never committed before."""
        with closing(open_ledger(self.settings)) as ledger:
            (expected,) = ledger.positions(EVENTS, [0]).values()
            start = expected.next_offset
            receipts = [receipt_of(start + n, event, expected.batch_id) for n, event in enumerate(events)]
            name, lines = seal(receipts)
            added = _added(receipts)
            entries = [Entry((start + n).to_bytes(16), start + n, b"payload.") for n in range(len(events))]
            following = Position(expected.topic_id, start + len(events), -1, name)
            answer = ledger.commit(Batch(EVENTS, 0, expected, following, added, entries))
            assert answer == Committed()
        never = [
            line
            for orphan in range(orphans)
            for line in seal([{**each, "settings": f"other-{orphan}"} for each in receipts])[1]
        ]
        with self.receipts.open("ab") as file:
            file.writelines(line + b"\n" for line in never + lines * copies)
        return lines

    def totals(self) -> LedgerTotals:
        with closing(open_accounts(self.settings)) as accounts:
            return read_totals(accounts)

    def published(self) -> list[Published]:
        lines = self.receipts.read_bytes().splitlines()
        return [Published(f"r:{number}", line) for number, line in enumerate(lines, start=1)]

    def bookings(self) -> list[Booking]:
        return list(committed_bookings(self.totals().positions, self.published))


def _added(receipts: Sequence[AnyReceipt]) -> dict[str, int]:
    totals: dict[str, int] = {}
    for receipt in receipts:
        for owner_id, micros in changes_of(receipt):
            totals[owner_id] = totals.get(owner_id, 0) + micros
    return totals


def json_lines(*objects: object) -> bytes:
    return b"".join(orjson.dumps(each) + b"\n" for each in objects)
