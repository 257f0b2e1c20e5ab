"""The bench's worker without event ids and receipts does what its name says: the baseline is not the product."""

from concurrent.futures import ThreadPoolExecutor

from gmv.bench.unprotected_worker import LedgerWithoutIds, OutboxWithoutReceipts
from gmv.stream.core import Core
from gmv.stream.records import Run
from gmv.valuation.types import MICROS_PER_CREDIT
from tests.stream.world import (
    PARTITION,
    MemoryLedger,
    MemoryLog,
    MemoryOutbox,
    Notes,
    event_record,
    parts,
    poison_record,
)


async def test_an_event_sent_twice_is_credited_twice_and_only_dead_letters_are_published() -> None:
    ledger, outbox = MemoryLedger(), MemoryOutbox()
    runs = [(event_record(0, "a"), poison_record(1)), (event_record(2, "a"),)]
    with ThreadPoolExecutor(1) as executor:
        core = Core(parts(LedgerWithoutIds(ledger), OutboxWithoutReceipts(outbox), Notes()), executor)
        await core.take_up([PARTITION], MemoryLog([record for run in runs for record in run]))
        for run in runs:
            await core.credit(Run(PARTITION, run))
    assert ledger.totals == {"ada": 2 * MICROS_PER_CREDIT}
    assert not ledger.events
    assert not outbox.receipts
    assert [letter.record.offset for letter in outbox.dead_letters] == [1]
