"""What is said of topics, group and positions, each rule tried on what it allows and on what it does not."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from gmv.doctor.finding import State
from gmv.doctor.kafka import judge_dead_letters, judge_events, judge_group, judge_receipts, judge_rights
from gmv.doctor.progress import judge_beginning, judge_headroom, judge_open_transactions
from gmv.kafka.inspection import GroupFacts, PartitionFacts, TopicFacts
from gmv.kafka.topics import DEAD_LETTER_HEADERS_BYTES, planned
from gmv.ledger.beginning import Begin, Beginning, FirstPartitions
from gmv.ledger.position import Position
from gmv.settings import ImageSettings, KafkaSettings, Settings, ValuationSettings

SETTINGS = Settings(kafka=KafkaSettings(topic="events"))
DAY_MS = 86_400_000
MAY = frozenset({"READ", "WRITE", "DESCRIBE"})
HEALTHY = PartitionFacts(start=0, end=100, replicas=3, in_sync=3)
BROKERS_OWN = {"min.insync.replicas": "2", "unclean.leader.election.enable": "false", "max.message.bytes": "1048588"}
PLANS = {plan.name: plan for plan in planned(SETTINGS, 4, 7.0)}


def topic(name: str = "events", **changed: Any) -> TopicFacts:
    """A topic as `gmv topics create` makes it, over three brokers."""
    configs = BROKERS_OWN | dict(PLANS[name].configs)
    made = TopicFacts(name, True, "id-1", dict.fromkeys(range(4), HEALTHY), configs, MAY, None)
    return replace(made, **changed)


def configured(name: str, **configs: str) -> TopicFacts:
    made = topic(name)
    named = {key.replace("_", "."): value for key, value in configs.items()}
    return replace(made, configs={**(made.configs or {}), **named})


def judged(facts: TopicFacts, settings: Settings = SETTINGS) -> list[tuple[State, str, str]]:
    match facts.name.rpartition(".")[2]:
        case "attributions":
            findings = judge_receipts(facts, settings)
        case "dlq":
            findings = judge_dead_letters(facts, topic())
        case _:
            findings = judge_events(facts, settings)
    return [(finding.state, finding.found, finding.advice) for finding in findings]


@pytest.mark.parametrize("name", PLANS)
def test_topics_as_gmv_makes_them_are_fine(name: str) -> None:
    assert [state for state, *_ in judged(topic(name))] == [State.OK]


TOPIC_CASES = [
    (topic(topic_id=None, partitions={}, configs=None), State.PROBLEM, "not there", "gmv topics create"),
    (topic(topic_id=None, partitions={}, configs=None, is_visible=False), State.PROBLEM, "not even see", "rights"),
    (topic(configs=None), State.WARNING, "may not read its settings", "DescribeConfigs"),
    (topic(partitions={0: HEALTHY}), State.WARNING, "one worker at most", "more partitions"),
    (topic(partitions={0: HEALTHY, 1: PartitionFacts(0, 1, 1, 1)}), State.WARNING, "one replica", "three"),
    (topic(partitions={0: HEALTHY, 1: PartitionFacts(0, 1, 3, 2)}), State.WARNING, "1 of its partitions", "brokers"),
    (configured("events", cleanup_policy="compact"), State.PROBLEM, "compacted", "to delete"),
    (configured("events", cleanup_policy="compact,delete"), State.PROBLEM, "compacted", "to delete"),
    (configured("events", min_insync_replicas="1"), State.WARNING, "one broker has it", "min.insync.replicas to 2"),
    (configured("events", unclean_leader_election_enable="true"), State.PROBLEM, "acknowledged", "false"),
    (configured("events", max_message_bytes="99999999"), State.PROBLEM, "dead-lettered", "images.bytes_max"),
    (
        configured("events.attributions", retention_ms=str(30 * DAY_MS)),
        State.WARNING,
        "30.0 days",
        "retention.ms to -1",
    ),
    (configured("events.attributions", retention_bytes="1000"), State.WARNING, "1,000 bytes", "retention.bytes to -1"),
    (configured("events.attributions", cleanup_policy="compact"), State.PROBLEM, "compacted", "to delete"),
    (configured("events.attributions", max_message_bytes="8000"), State.PROBLEM, "10 contributors", "8096"),
    (configured("events.dlq", retention_ms="0"), State.WARNING, "redriven", "retention.ms to -1"),
    (configured("events.dlq", max_message_bytes="1048588"), State.WARNING, "stop its partition", "max.message.bytes"),
]


@pytest.mark.parametrize(("facts", "state", "found", "advice"), TOPIC_CASES)
def test_what_a_topic_must_not_be_is_told_once_and_with_advice(
    facts: TopicFacts, state: State, found: str, advice: str
) -> None:
    ((said_state, said, said_advice),) = judged(facts)
    assert said_state == state
    assert found in said
    assert advice in said_advice


@pytest.mark.parametrize("largest", ["1048588", "2097152", "67108864"])
def test_topics_of_one_size_keep_no_worker_from_starting(largest: str) -> None:
    """As brokers make them by their defaults: only the headers of a dead letter have no room."""
    both = (configured(name, max_message_bytes=largest) for name in ("events.dlq", "events"))
    (finding,) = judge_dead_letters(*both)
    assert finding.state == State.WARNING
    assert finding.advice.endswith(str(int(largest) + DEAD_LETTER_HEADERS_BYTES))


def test_the_advice_for_large_records_is_enough() -> None:
    facts = configured("events", max_message_bytes="99999999")
    ((_, _, advice),) = judged(facts)
    enough = int(advice.split("bytes_max to ")[1].split(", or")[0].replace(",", ""))
    for bytes_max, state in ((enough, State.OK), (enough - 1, State.PROBLEM)):
        settings = SETTINGS.model_copy(update={"images": ImageSettings(bytes_max=bytes_max)})
        assert judged(facts, settings)[0][0] == state


def test_more_contributors_need_larger_receipts() -> None:
    settings = SETTINGS.model_copy(update={"valuation": ValuationSettings(contributors=1_000)})
    facts = configured("events.attributions", max_message_bytes="100000")
    assert judged(facts, settings)[0][0] == State.PROBLEM


def all_topics(**may: frozenset[str] | None) -> list[TopicFacts]:
    return [
        topic(name, may=may.get(key, MAY)) for name, key in zip(PLANS, ("events", "receipts", "letters"), strict=True)
    ]


@pytest.mark.parametrize(
    ("topics", "is_member", "lacking"),
    [
        (all_topics(), True, None),
        (all_topics(events=None, receipts=None, letters=None), True, None),
        (all_topics(events=frozenset({"DESCRIBE"})), True, "Read on topic events"),
        (all_topics(receipts=frozenset({"READ"})), True, "Write on topic events.attributions"),
        (all_topics(letters=frozenset()), True, "Write on topic events.dlq"),
        (all_topics(), False, "Read on group gmv"),
    ],
)
def test_rights_that_are_lacking_are_listed(topics: list[TopicFacts], is_member: bool, lacking: str | None) -> None:
    (finding,) = judge_rights(topics, GroupFacts(is_member, "Stable", 1), SETTINGS)
    assert finding.state == (State.PROBLEM if lacking else State.OK)
    assert (lacking or "may do what a worker does") in finding.found


def test_more_workers_than_partitions_have_nothing_to_do() -> None:
    (finding,) = judge_group(GroupFacts(True, "Stable", 6), "gmv", 4)
    assert (finding.state, "2 have nothing to do" in finding.found) == (State.WARNING, True)
    (finding,) = judge_group(GroupFacts(True, "Stable", 4), "gmv", 4)
    assert (finding.state, finding.found) == (State.OK, "4 workers are in it (stable)")


@pytest.mark.parametrize(
    ("group", "state", "found"),
    [
        (GroupFacts(True, "Stable", protocol="consumer"), State.PROBLEM, "of the group protocol 'consumer' (stable)"),
        (GroupFacts(True, "Reconciling", protocol="consumer"), State.PROBLEM, "nothing is credited"),
        (GroupFacts(True, "Empty", protocol="consumer"), State.OK, "0 workers are in it (empty)"),
        (GroupFacts(True, "Empty", protocol="share"), State.PROBLEM, "of the group protocol 'share'"),
        (GroupFacts(True, "NotReady", protocol="streams"), State.PROBLEM, "of the group protocol 'streams'"),
        (GroupFacts(True, "Stable", 3, ("console-consumer at /10.0.0.7",)), State.PROBLEM, "1 of its 3 members"),
        (GroupFacts(True), State.OK, "nobody has been in it"),
    ],
)
def test_members_that_are_no_workers_are_named(group: GroupFacts, state: State, found: str) -> None:
    (finding,) = judge_group(group, "gmv", 4)
    assert (finding.state, found in finding.found) == (state, True)


NOW_MS = 100 * DAY_MS
ONE = topic(partitions={0: PartitionFacts(10, 100, 3, 3)})  # kept for seven days


@pytest.mark.parametrize(
    ("positions", "age_days", "state", "found"),
    [
        ({0: Position("id-1", 10)}, 1.0, State.OK, "90 records wait"),
        ({0: Position("id-1", 100)}, None, State.OK, "0 records wait"),
        ({0: Position("id-1", 50)}, 4.0, State.WARNING, "4.0 days old, and they are deleted after 7.0 days"),
        ({0: Position("id-1", 50)}, 6.5, State.PROBLEM, "6.5 days old"),
        ({0: Position("id-1", 9)}, 1.0, State.PROBLEM, "records 9 to 9 were deleted before they were credited"),
        ({0: Position("id-1", 101)}, None, State.PROBLEM, "above the log's end 100"),
        ({0: Position("id-0", 50)}, 1.0, State.PROBLEM, "another topic of this name"),
        ({}, None, State.PROBLEM, "no position for events[0]"),
    ],
)
def test_position_headroom(positions: Mapping[int, Position], age_days: float | None, state: State, found: str) -> None:
    times = {} if age_days is None else {0: NOW_MS - int(age_days * DAY_MS)}
    (finding,) = judge_headroom(ONE, positions, times, NOW_MS)
    assert finding.state == state
    assert found in finding.found
    assert (finding.advice == "") == (state is State.OK)


def test_without_a_limit_nothing_is_too_old() -> None:
    endless = replace(ONE, configs={**(ONE.configs or {}), "retention.ms": "-1"})
    (finding,) = judge_headroom(endless, {0: Position("id-1", 10)}, {0: 0}, NOW_MS)
    assert finding.state == State.OK


@pytest.mark.parametrize(
    ("begins", "state", "found"),
    [
        ({0: Begin(9, 0), 1: Begin(0, 0)}, State.OK, "each partition began where it should"),
        ({0: Begin(9, 0), 1: Begin(0, 4)}, State.OK, "each partition began where it should"),
        ({1: Begin(12, 3)}, State.PROBLEM, "events[1] was added to the topic and began at 12: records 3 to 11"),
    ],
)
def test_an_added_partition_begins_at_its_beginning(begins: dict[int, Begin], state: State, found: str) -> None:
    (finding,) = judge_beginning("events", Beginning(FirstPartitions("id-1", {0: Begin(9, 0)}), begins))
    assert (finding.state, found in finding.found) == (state, True)
    assert judge_beginning("events", Beginning(None, begins))[0].state == State.OK


MINUTE_MS = 60_000
HELD = "events[3]: 1,200 records wait behind an open transaction since offset 100"
BEHIND = topic(partitions={0: HEALTHY, 3: replace(HEALTHY, unstable_records=1_200)})


@pytest.mark.parametrize(
    ("facts", "times", "state", "found"),
    [
        (topic(), {}, State.OK, "none keeps records back"),
        (
            BEHIND,
            {3: NOW_MS - 900},
            State.OK,
            "events[3]: 1,200 records wait behind an open transaction since offset 100",
        ),
        (BEHIND, {3: NOW_MS + 900}, State.OK, "it began 0.0 minutes ago"),  # by a clock that is ahead
        (BEHIND, {3: NOW_MS - 12 * MINUTE_MS}, State.WARNING, "it began 12.0 minutes ago"),
        (BEHIND, {}, State.WARNING, "events[3]: 1,200 records wait behind an open transaction since offset 100"),
    ],
)
def test_an_open_transaction(facts: TopicFacts, times: Mapping[int, int], state: State, found: str) -> None:
    (finding,) = judge_open_transactions(facts, times, NOW_MS)
    assert finding.state == state
    assert found in finding.found
    assert ("--partition 3 --start-offset 100" in finding.advice) == (state is State.WARNING)


def test_what_retention_takes_behind_an_open_transaction_is_a_problem() -> None:
    held = replace(ONE, partitions={0: replace(ONE.partitions[0], unstable_records=9)})
    (finding,) = judge_headroom(held, {0: Position("id-1", 100)}, {0: NOW_MS - int(6.5 * DAY_MS)}, NOW_MS)
    assert finding.state == State.PROBLEM
