"""The bench's worker without event ids and receipts does what its name says: the baseline is not the product."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from gmv.bench.stream import of_its_own, variables_of
from gmv.errors import InvalidSettings
from gmv.settings import PREFIX, KafkaSettings, LedgerSettings, Settings
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
from tools.unprotected_worker import LedgerWithoutIds, OutboxWithoutReceipts, main, require_own


async def test_an_event_sent_twice_is_credited_twice_and_only_dead_letters_are_published() -> None:
    ledger, outbox = MemoryLedger(), MemoryOutbox()
    runs = [(event_record(0, "a"), poison_record(1)), (event_record(2, "a"),)]
    with ThreadPoolExecutor(1) as executor:
        core = Core(parts(LedgerWithoutIds(ledger), OutboxWithoutReceipts(outbox), Notes()), executor)
        await core.assign([PARTITION], MemoryLog([record for run in runs for record in run]))
        for run in runs:
            await core.credit(Run(PARTITION, run))
    assert ledger.totals == {"ada": 2 * MICROS_PER_CREDIT}
    assert not ledger.events
    assert not outbox.receipts
    assert [letter.record.offset for letter in outbox.dead_letters] == [1]


@pytest.mark.parametrize(
    ("namespace", "topic", "others"),
    [
        ("gmv", "generated-images", "ledger.namespace is gmv and kafka.topic is generated-images, but"),
        ("gmv-bench-1", "generated-images", "^kafka.topic is generated-images, but"),
        ("gmv-benches", "gmv-bench-1", "^ledger.namespace is gmv-benches, but"),
    ],
)
def test_ledgers_and_topics_that_no_bench_made_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, namespace: str, topic: str, others: str
) -> None:
    ledger = tmp_path / "ledger.db"
    settings = Settings(
        index=tmp_path / "index",
        ledger=LedgerSettings(url=f"sqlite:///{ledger}", namespace=namespace),
        kafka=KafkaSettings(topic=topic),
    )
    for name, value in variables_of(settings).items():
        assert name.startswith(PREFIX)
        monkeypatch.setenv(name, value)
    with pytest.raises(InvalidSettings, match=others):
        main()
    assert not ledger.exists()


def test_those_of_a_bench_are_taken() -> None:
    require_own(of_its_own(Settings()))
