"""Rules for how far crediting has come: where it began, what keeps it back, and how near retention is."""

from collections.abc import Iterator, Mapping
from typing import Final

from gmv.doctor.finding import Finding, fine_unless, problem, warning
from gmv.doctor.topic_settings import days, number_of
from gmv.kafka.inspection import TopicFacts
from gmv.ledger.beginning import Beginning
from gmv.ledger.position import Position

AGE_WARNING: Final = 0.5
AGE_PROBLEM: Final = 0.9
"""Parts of the retention that the oldest record not credited yet has behind it."""

TRANSACTION_MILLISECONDS: Final = 60_000
"""After that long, brokers end a transaction by default (transaction.timeout.ms), and credits come late by the
objective of rules.yaml."""


def judge_beginning(topic: str, beginning: Beginning) -> list[Finding]:
    """Judge where crediting of the topic's partitions began: one that was added later begins at its beginning."""
    check = "positions' beginnings"

    def complaints() -> Iterator[Finding]:
        for number, begin in beginning.late.items():
            yield problem(
                check,
                f"{topic}[{number}] was added to the topic and began at {begin.offset:,}: records "
                f"{begin.log_start:,} to {begin.offset - 1:,} were never credited",
                "send them again, as docs/runbook.md says under GmvLedgerMissing",
            )

    return fine_unless(complaints(), check, "each partition began where it should")


def judge_open_transactions(events: TopicFacts, times: Mapping[int, int], now_ms: int) -> list[Finding]:
    """Judge what keeps readers of committed records from the rest of the log.

    No problem, but a warning: other partitions go on, and a worker that does not start would not help this one.

    Args:
        events: the topic.
        times: by partition, the time of the first record of an open transaction, where it can be read.
        now_ms: by this machine's clock.
    """
    check = "open transactions"
    held = {number: facts for number, facts in events.partitions.items() if facts.unstable_records}

    def said(number: int) -> str:
        begun = f"; it began {_minutes(now_ms - times[number])} ago" if number in times else ""
        return (
            f"{events.name}[{number}]: {held[number].unstable_records:,} records wait behind an open transaction since "
            f"offset {held[number].end:,}, its own among them{begun}"
        )

    long_open = [
        warning(
            check,
            said(number),
            "they are credited once it ends. Where its producer is gone, end it: kafka-transactions.sh abort --topic "
            f"{events.name} --partition {number} --start-offset {facts.end} (docs/runbook.md, GmvTransactionHangs)",
        )
        for number, facts in held.items()
        if number not in times or now_ms - times[number] > TRANSACTION_MILLISECONDS
    ]
    return fine_unless(long_open, check, "; ".join(map(said, held)) or "none keeps records back")


def judge_headroom(
    events: TopicFacts, positions: Mapping[int, Position], times: Mapping[int, int], now_ms: int
) -> list[Finding]:
    """Judge whether the log still holds all that is not credited, and for how long.

    Args:
        events: the topic.
        positions: of the ledger, by partition.
        times: by partition, the time of the record that is credited next.
        now_ms: by this machine's clock.
    """
    check = "position headroom"
    retention = number_of(events, "retention.ms")

    def complaints() -> Iterator[Finding]:
        for number, held in events.partitions.items():
            position = positions.get(number)
            if position is None:
                yield problem(
                    check,
                    f"the ledger has no position for {events.name}[{number}]",
                    f"gmv ledger init --topic {events.name}",
                )
            elif position.topic_id != events.topic_id:
                yield problem(
                    check,
                    f"the ledger's position is in another topic of this name (id {position.topic_id}, "
                    f"now {events.topic_id})",
                    "a topic made again is a new log: give it a new name, or a ledger of its own",
                )
            elif position.next_offset < held.start:
                yield problem(
                    check,
                    f"{events.name}[{number}]: records {position.next_offset:,} to {held.start - 1:,} were deleted "
                    "before they were credited",
                    "restore them; gmv does not skip paid work",
                )
            elif position.next_offset > held.end:
                yield problem(
                    check,
                    f"{events.name}[{number}]: the ledger's position is {position.next_offset:,}, above the log's end "
                    f"{held.end:,}",
                    "the log lost its tail, or is another one; restore it",
                )
        yield from _aging(times, retention, now_ms, check)

    waiting = sum(
        max(0, held.end - positions[number].next_offset)
        for number, held in events.partitions.items()
        if number in positions
    )
    return fine_unless(complaints(), check, f"{waiting:,} records wait to be credited, all within retention")


def _aging(times: Mapping[int, int], retention: int | None, now_ms: int, check: str) -> Iterator[Finding]:
    if not times or retention is None or retention <= 0:
        return
    age = now_ms - min(times.values())
    if age <= AGE_WARNING * retention:
        return
    found = f"the oldest record not credited yet is {days(age)} old, and they are deleted after {days(retention)}"
    advice = "run more workers, or raise the topic's retention.ms until they have caught up"
    yield (problem if age > AGE_PROBLEM * retention else warning)(check, found, advice)


def _minutes(milliseconds: int) -> str:
    return f"{max(0, milliseconds) / 60_000:,.1f} minutes"
