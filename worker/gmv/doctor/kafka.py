"""Rules for Kafka: what its topics and its group must be, for every event to be credited and every credit explained."""

from collections.abc import Iterator, Mapping
from typing import Final

from gmv.doctor.finding import Finding, fine, fine_unless, problem, warning
from gmv.kafka.inspection import GroupFacts, TopicFacts
from gmv.kafka.rights import rights
from gmv.kafka.topics import DEAD_LETTER_HEADERS_BYTES
from gmv.ledger.beginning import Beginning
from gmv.ledger.position import Position
from gmv.settings import Settings

RECEIPT_BYTES: Final = 4_096
CONTRIBUTOR_BYTES: Final = 400
"""More than a receipt takes besides its contributors, and more than one of them does."""

AGE_WARNING: Final = 0.5
AGE_PROBLEM: Final = 0.9
"""Parts of the retention that the oldest record not credited yet has behind it."""

_MILLISECONDS_PER_DAY: Final = 86_400_000


def judge_events(topic: TopicFacts, settings: Settings) -> list[Finding]:
    """Judge the topic of events."""
    check = f"topic {topic.name}"

    def complaints() -> Iterator[Finding]:
        yield from _common(topic, check)
        if len(topic.partitions) == 1:
            yield warning(check, "it has one partition, so one worker at most has work", "make it with more partitions")
        largest = _number(topic, "max.message.bytes")
        if largest is not None and largest > settings.images.record_bytes_max:
            yield problem(
                check,
                f"it takes records of {largest:,} bytes, and a worker passes on no more than "
                f"{settings.images.record_bytes_max:,}: a larger one that is bad could not be dead-lettered",
                f"raise images.bytes_max to {(largest - 2**20 + 1) // 2:,}, or lower the topic's max.message.bytes",
            )

    return _described(topic, check, complaints())


def judge_receipts(topic: TopicFacts, settings: Settings) -> list[Finding]:
    """Judge the topic of receipts."""
    check = f"topic {topic.name}"

    def complaints() -> Iterator[Finding]:
        yield from _common(topic, check)
        yield from _kept_for_good(topic, check, "a credit can be explained no longer than its receipt is kept")
        needed = RECEIPT_BYTES + CONTRIBUTOR_BYTES * settings.valuation.contributors
        largest = _number(topic, "max.message.bytes")
        if largest is not None and largest < needed:
            yield problem(
                check,
                f"it takes records of {largest:,} bytes, and a receipt of {settings.valuation.contributors} "
                f"contributors may have {needed:,}",
                f"raise its max.message.bytes to {needed}",
            )

    return _described(topic, check, complaints())


def judge_dead_letters(topic: TopicFacts, events: TopicFacts) -> list[Finding]:
    """Judge the topic of dead letters."""
    check = f"topic {topic.name}"

    def complaints() -> Iterator[Finding]:
        yield from _common(topic, check)
        yield from _kept_for_good(topic, check, "a record that was not credited can be redriven no longer than that")
        incoming, largest = _number(events, "max.message.bytes"), _number(topic, "max.message.bytes")
        if incoming is not None and largest is not None and largest < incoming + DEAD_LETTER_HEADERS_BYTES:
            yield problem(
                check,
                f"it takes records of {largest:,} bytes, and events may have {incoming:,} and get more headers here: "
                "a large bad one would stop its partition",
                f"raise its max.message.bytes to {incoming + DEAD_LETTER_HEADERS_BYTES}",
            )

    return _described(topic, check, complaints())


def judge_rights(topics: list[TopicFacts], group: GroupFacts, settings: Settings) -> list[Finding]:
    """Judge whether we may do what a worker does."""
    may = {topic.name: topic.may for topic in topics if topic.topic_id}
    lacking = [
        f"{right.operation} on {right.resource.lower()} {right.name}"
        for right in rights("worker", settings.kafka)
        if not _is_allowed(right.operation, right.resource, may.get(right.name), group)
    ]
    if lacking:
        found = f"this user may not do what a worker does: {', '.join(lacking)}"
        return [problem("Kafka rights", found, "give it these rights; SECURITY.md lists all")]
    return [fine("Kafka rights", "this user may do what a worker does")]


def judge_group(group: GroupFacts, name: str, partitions: int) -> list[Finding]:
    """Judge the consumer group."""
    check = f"group {name}"
    if group.state is None:
        return [fine(check, "nobody has been in it that we can see")]
    if group.members > partitions:
        return [
            warning(
                check,
                f"{group.members} workers share {partitions} partitions, so {group.members - partitions} have nothing "
                "to do",
                "run no more workers than there are partitions",
            )
        ]
    return [fine(check, f"{group.members} workers are in it ({group.state.lower()})")]


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
    retention = _number(events, "retention.ms")

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
    found = f"the oldest record not credited yet is {_days(age)} old, and they are deleted after {_days(retention)}"
    advice = "run more workers, or raise the topic's retention.ms until they have caught up"
    yield (problem if age > AGE_PROBLEM * retention else warning)(check, found, advice)


def _described(topic: TopicFacts, check: str, complaints: Iterator[Finding]) -> list[Finding]:
    if not topic.is_visible:
        return [problem(check, "this user may not even see it", "let the user describe it; SECURITY.md lists rights")]
    if topic.topic_id is None:
        return [problem(check, "it is not there", "gmv topics create makes the topics that are missing")]
    return fine_unless(complaints, check, f"{len(topic.partitions)} partitions")


def _common(topic: TopicFacts, check: str) -> Iterator[Finding]:
    if topic.configs is None:
        yield warning(check, "this user may not read its settings", "let the user DescribeConfigs, and run this again")
    elif "compact" in topic.configs.get("cleanup.policy", ""):
        yield problem(
            check,
            "it is compacted: of two records with one key, the older is deleted",
            "set its cleanup.policy to delete",
        )
    replicas = min(held.replicas for held in topic.partitions.values())
    behind = sum(held.in_sync < held.replicas for held in topic.partitions.values())
    if replicas == 1:
        yield warning(check, "it has one replica: what a broker loses is lost", "give it three, over three brokers")
    elif behind:
        yield warning(check, f"{behind} of its partitions have replicas that are behind", "see to the brokers")
    if replicas > 1 and _number(topic, "min.insync.replicas") == 1:
        yield warning(
            check,
            "a record counts as kept when one broker has it, and is lost with that one",
            "set its min.insync.replicas to 2",
        )
    if topic.configs and topic.configs.get("unclean.leader.election.enable") == "true":
        yield problem(
            check,
            "a broker that lags may become leader, and then acknowledged records are gone",
            "set its unclean.leader.election.enable to false",
        )


def _kept_for_good(topic: TopicFacts, check: str, why: str) -> Iterator[Finding]:
    for name in ("retention.ms", "retention.bytes"):
        limit = _number(topic, name)
        if limit is not None and limit >= 0:
            found = f"kept for {_days(limit)}" if name == "retention.ms" else f"kept up to {limit:,} bytes a partition"
            yield warning(check, f"{found}, and {why}", f"set its {name} to -1, or archive it before")


def _is_allowed(operation: str, resource: str, may: frozenset[str] | None, group: GroupFacts) -> bool:
    if resource == "Group":
        return group.is_allowed
    return may is None or operation.upper() in may


def _number(topic: TopicFacts, name: str) -> int | None:
    value = topic.configs.get(name) if topic.configs else None
    return None if value is None else int(value)


def _days(milliseconds: int) -> str:
    return f"{milliseconds / _MILLISECONDS_PER_DAY:,.1f} days"
