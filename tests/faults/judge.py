"""Judges a ledger at rest against the oracle: which invariants (I1-I10) are violated, in words."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from gmv.ledger.port import Snapshot
from tests.faults.oracle import Expected, Logged, Place, expect
from tests.faults.reading import read_topic

TOPIC_HEADER, PARTITION_HEADER, OFFSET_HEADER = (f"__dlq.errors.{name}" for name in ("topic", "partition", "offset"))

Receipt = dict[str, Any]


def judge(brokers: str, topic: str, snapshot: Snapshot, attempts_max: int) -> list[str]:
    """Compare what the ledger and the topics hold.

    Args:
        brokers: of Kafka.
        topic: of the events.
        snapshot: the ledger's one book, with its balances.
        attempts_max: how often a range of the log may have been read, and so a dead letter been repeated.
    """
    positions = {number: position.next_offset for (_, number), position in snapshot.positions.items()}
    expected = expect(read_topic(brokers, topic), positions)
    return [
        *_totals(snapshot, expected),
        *_receipts(snapshot, expected, list(read_topic(brokers, f"{topic}.attributions"))),
        *_dead_letters(topic, expected, list(read_topic(brokers, f"{topic}.dlq")), attempts_max),
    ]


def _totals(snapshot: Snapshot, expected: Expected) -> Iterator[str]:
    totals = {owner: micros for owner, micros in snapshot.balances.items() if micros}
    if totals != dict(expected.totals):
        yield f"I2: the ledger holds {totals}, the log gives {dict(expected.totals)}"
    sums = snapshot.sums
    if sums.micros != sum(totals.values()):
        yield f"I6: {sums.micros} micro-credits are counted, the totals are {sum(totals.values())}"
    found = sums.credited, sums.dead_letters, sums.duplicates
    wanted = len(expected.credited), len(expected.dead), expected.repeats
    if found != wanted:
        yield f"I3: (credited, dead letters, repeats) are {found}, the log gives {wanted}"


def _receipts(snapshot: Snapshot, expected: Expected, published: list[Logged]) -> Iterator[str]:
    batches: dict[str, dict[Place, Receipt]] = defaultdict(dict)
    for record in published:
        receipt = orjson.loads(record.value or b"")
        where = receipt["position"]
        batches[receipt["batch"]][where["partition"], where["offset"]] = receipt
        quality = float(receipt["event"]["id"].split("/")[2])
        shared = sum(share["micros"] for share in receipt["contributors"]) + receipt.get("unattributed_micros", 0)
        if not shared == receipt["micros"] == round(1_000_000 * quality):
            yield f"I1: {receipt['event']} is worth {receipt['micros']}, its shares are worth {shared}"
    explained: Counter[str] = Counter()
    for position in snapshot.positions.values():
        for place, receipt in _committed(position.batch_id, batches):
            event_id = receipt["event"]["id"]
            explained[event_id] += 1
            if place not in expected.credited.get(event_id, ()):
                yield f"I3: a committed receipt of {event_id} names the place {place}, where it is not"
    if explained != Counter(expected.credited.keys()):
        odd = {each for each in {*explained, *expected.credited} if explained[each] != (each in expected.credited)}
        yield f"I3: these events have no committed receipt, or more than one: {sorted(odd)[:10]}"


def _committed(newest: str, batches: Mapping[str, Mapping[Place, Receipt]]) -> Iterator[tuple[Place, Receipt]]:
    """Walk back from the batch that a position names; a batch without receipts ends the walk, which shows above."""
    while newest and batches.get(newest):
        receipts = batches[newest]
        yield from receipts.items()
        newest = next(iter(receipts.values()))["previous_batch"]


def _dead_letters(topic: str, expected: Expected, dead_letters: list[Logged], attempts_max: int) -> Iterator[str]:
    times: Counter[Place] = Counter()
    for dead_letter in dead_letters:
        texts = {name: value or b"" for name, value in dead_letter.headers}
        place = int(texts[PARTITION_HEADER]), int(texts[OFFSET_HEADER])
        times[place] += 1
        record = expected.records.get(place)
        if record is None:  # beyond the position: published, and its commit never came
            continue
        if texts[TOPIC_HEADER].decode() != topic or place not in expected.dead:
            yield f"I9: there is a dead letter of {place}, which is not poison"
        own = dead_letter.headers[: len(record.headers)]
        if (dead_letter.value, dead_letter.key, own) != (record.value, record.key, record.headers):
            yield f"I9: the dead letter of {place} is not the record that is there"
    if missing := expected.dead - times.keys():
        yield f"I9: passed without a dead letter: {sorted(missing)[:10]}"
    if (most := max(times.values(), default=0)) > attempts_max:
        yield f"I9: {most} dead letters of one record in {attempts_max} attempts"
