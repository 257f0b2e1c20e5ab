"""Rules for Kafka: what its topics and its group must be, for every event to be credited and every credit explained."""

from collections.abc import Iterator
from typing import Final

from gmv.doctor.finding import Finding, fine, fine_unless, problem, warning
from gmv.doctor.topic_settings import days, number_of
from gmv.kafka.inspection import CLASSIC, GroupFacts, TopicFacts
from gmv.kafka.rights import rights
from gmv.kafka.topics import DEAD_LETTER_HEADERS_BYTES
from gmv.settings import Settings

RECEIPT_BYTES: Final = 4_096
CONTRIBUTOR_BYTES: Final = 400
"""More than a receipt takes besides its contributors, and more than one of them does."""

_GROUP_OF_THEIR_OWN: Final = (
    "give the others a group of their own, or set kafka.group to another; `kafka-consumer-groups.sh --describe "
    "--members` names them"
)


def judge_events(topic: TopicFacts, settings: Settings) -> list[Finding]:
    """Judge the topic of events."""
    check = f"topic {topic.name}"

    def complaints() -> Iterator[Finding]:
        yield from _common(topic, check)
        if len(topic.partitions) == 1:
            yield warning(check, "it has one partition, so one worker at most has work", "make it with more partitions")
        largest = number_of(topic, "max.message.bytes")
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
        largest = number_of(topic, "max.message.bytes")
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
        incoming, largest = number_of(events, "max.message.bytes"), number_of(topic, "max.message.bytes")
        if incoming is not None and largest is not None and largest < incoming + DEAD_LETTER_HEADERS_BYTES:
            # Until there is such a record nothing stops, and then no credit is lost: brokers' defaults are no obstacle.
            yield warning(
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
    if group.protocol != CLASSIC and (group.protocol, group.state) != ("consumer", "Empty"):  # that a worker takes over
        return [
            problem(
                check,
                f"it is of the group protocol {group.protocol!r} ({(group.state or 'unknown').lower()}), by which no "
                "worker of gmv joins: of the partitions that others hold in it nothing is credited",
                _GROUP_OF_THEIR_OWN,
            )
        ]
    if group.strangers:
        return [
            problem(
                check,
                f"{len(group.strangers)} of its {group.members} members are no workers of gmv "
                f"({', '.join(group.strangers)}): of the partitions that they hold nothing is credited",
                _GROUP_OF_THEIR_OWN,
            )
        ]
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
    if replicas > 1 and number_of(topic, "min.insync.replicas") == 1:
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
        limit = number_of(topic, name)
        if limit is not None and limit >= 0:
            found = f"kept for {days(limit)}" if name == "retention.ms" else f"kept up to {limit:,} bytes a partition"
            yield warning(check, f"{found}, and {why}", f"set its {name} to -1, or archive it before")


def _is_allowed(operation: str, resource: str, may: frozenset[str] | None, group: GroupFacts) -> bool:
    if resource == "Group":
        return group.is_allowed
    return may is None or operation.upper() in may
