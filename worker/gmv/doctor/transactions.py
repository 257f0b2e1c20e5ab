"""The rule for open transactions on the topic of events: workers read nothing behind the first record of one."""

from collections.abc import Mapping
from typing import Final

from gmv.doctor.finding import Finding, fine_unless, warning
from gmv.kafka.inspection import TopicFacts

TRANSACTION_MILLISECONDS: Final = 60_000
"""After that long, brokers end a transaction by default (transaction.timeout.ms), and credits come late by the
objective of rules.yaml."""


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


def _minutes(milliseconds: int) -> str:
    return f"{max(0, milliseconds) / 60_000:,.1f} minutes"
