"""The core under faults that Hypothesis chooses: crashes at each step, lost replies, rewinds, other boundaries.

In every case, once the log is read to its end the totals are those of a single pass over it (I2), each record is
credited, dead-lettered or a duplicate, exactly one of the three (I3), and the receipts explain every micro-credit.
"""

import asyncio
import copy
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from gmv.ledger.port import Answer, Batch, Committed
from gmv.stream.core import Core
from gmv.stream.ports import DeadLetter, SealedReceipt
from gmv.stream.records import Partition, Record, Run
from gmv.valuation.attribution import owner_credits
from gmv.valuation.receipt import Receipt, changes_of, is_correction, unseal
from gmv.valuation.types import Attribution

from .world import (
    PARTITION,
    Crash,
    EqualShares,
    JsonDecoder,
    MemoryLedger,
    MemoryLog,
    MemoryOutbox,
    Notes,
    event_record,
    parts,
    poison_record,
)

FAULTS = ("none", "none", "crash before publish", "crash before commit", "lost reply", "crash after commit", "rewind")


@dataclass
class FaultyOutbox(MemoryOutbox):
    fault: str = "none"

    async def publish(
        self, partition: Partition, receipts: Sequence[SealedReceipt], dead_letters: Sequence[DeadLetter]
    ) -> None:
        if self.fault == "crash before publish":
            raise Crash
        await super().publish(partition, receipts, dead_letters)


@dataclass
class FaultyLedger(MemoryLedger):
    fault: str = "none"
    history: list[MemoryLedger] = field(default_factory=list)

    def commit(self, batch: Batch) -> Answer:
        if self.fault == "crash before commit":
            raise Crash
        if self.fault == "rewind" and self.history:
            earlier = self.history.pop()
            self.state, self.totals, self.events = earlier.state, earlier.totals, earlier.events
        before = MemoryLedger(dict(self.state), dict(self.totals), dict(self.events))
        answer = super().commit(batch)
        if isinstance(answer, Committed):
            self.history.append(before)
        if self.fault == "lost reply":  # the client sends the same call again
            answer = super().commit(batch)
        if self.fault == "crash after commit":
            raise Crash
        return answer


records = st.lists(
    st.one_of(
        st.just("poison"),
        st.tuples(
            st.sampled_from("abcdef"), st.lists(st.sampled_from(["ada", "bob", "cyd"]), unique=True), st.integers(0, 1)
        ),
    ),
    min_size=1,
    max_size=12,
)


def as_log(drawn: list[object]) -> list[Record]:
    log = []
    for offset, each in enumerate(drawn):
        if isinstance(each, tuple):
            name, owners, says = each
            log.append(event_record(offset, name, owners, says))
        else:
            log.append(poison_record(offset))
    return log


def oracle(log: list[Record]) -> tuple[dict[str, int], set[int]]:
    """Totals and offsets dead-lettered, by one pass with no batches at all."""
    credited: dict[str, int] = {}
    totals: dict[str, int] = {}
    dead: set[int] = set()
    for record in log:
        if record.value == b"{broken":
            dead.add(record.offset)
            continue
        event = orjson.loads(record.value or b"")
        if event["id"] in credited:
            if credited[event["id"]] != event["says"]:
                dead.add(record.offset)
        elif not event["owners"]:
            dead.add(record.offset)
        else:
            credited[event["id"]] = event["says"]
            outcome = EqualShares().attribute([JsonDecoder().decode(record)])[0]
            assert isinstance(outcome, Attribution)
            for owner, micros in owner_credits([outcome]).items():
                totals[owner] = totals.get(owner, 0) + micros
    return totals, dead


async def read_to_the_end(
    log: list[Record], ledger: FaultyLedger, outbox: FaultyOutbox, plan: list[tuple[int, str]], pool: ThreadPoolExecutor
) -> None:
    """Restart after each crash, until the position is at the log's end."""
    while ledger.state[0].next_offset < len(log):
        core = Core(parts(ledger, outbox, Notes()), pool)
        ledger.fault = outbox.fault = "none"
        await core.assign([PARTITION], MemoryLog(log))
        try:
            while (start := core.next_offset(PARTITION)) < len(log):
                size, fault = plan.pop() if plan else (len(log), "none")
                ledger.fault = outbox.fault = fault
                await core.credit(Run(PARTITION, tuple(log[start : start + size])))
        except Crash:
            continue


@settings(max_examples=300, deadline=None)
@given(records, st.lists(st.tuples(st.integers(1, 5), st.sampled_from(FAULTS)), max_size=12))
def test_the_log_read_to_its_end_gives_the_totals_of_one_pass(drawn: list[object], plan: list[tuple[int, str]]) -> None:
    log = as_log(drawn)
    ledger, outbox = FaultyLedger(), FaultyOutbox()
    with ThreadPoolExecutor(1) as pool:
        asyncio.run(read_to_the_end(log, ledger, outbox, copy.copy(plan), pool))
    totals, dead = oracle(log)
    assert ledger.totals == totals
    assert {dead_letter.record.offset for dead_letter in outbox.dead_letters} == dead
    assert explained(outbox, ledger) == totals


def explained(outbox: MemoryOutbox, ledger: MemoryLedger) -> dict[str, int]:
    """Totals from the receipts that the ledger's position confirms, walking the chain back from it."""
    batches: dict[str, dict[int, Receipt]] = {}
    for published in outbox.receipts:
        batch, _, receipt = unseal(published.value)
        assert not is_correction(receipt)
        batches.setdefault(batch, {})[receipt["position"]["offset"]] = receipt
    totals: dict[str, int] = {}
    batch = ledger.state[0].batch_id
    while batch:
        receipts = list(batches[batch].values())
        for receipt in receipts:
            for owner_id, micros in changes_of(receipt):
                totals[owner_id] = totals.get(owner_id, 0) + micros
        batch = receipts[0]["previous_batch"]
    return totals
