"""What is said of Redis and of the machine, each rule tried on what it allows and on what it does not."""

from collections.abc import Iterable
from typing import Any

import pytest

from gmv.doctor.finding import State
from gmv.doctor.machine import judge_clocks, judge_memory, judge_threads, judge_timings
from gmv.doctor.redis import UNWANTED, judge_server, judge_user
from gmv.doctor.redis_product import judge_product
from gmv.ledger.redis.inspection import ServerFacts, UserFacts
from gmv.settings import KafkaSettings, Settings

HEALTHY: dict[str, Any] = {
    "redis_version": "8.2.6",
    "role": "master",
    "loading": 0,
    "aof_enabled": 1,
    "aof_last_write_status": "ok",
    "aof_last_bgrewrite_status": "ok",
    "maxmemory_policy": "noeviction",
    "maxmemory": 2**30,
    "used_memory": 2**20,
    "total_system_memory": 2**34,
}
GB = 2**30
VALKEY = {"redis_version": "7.2.4", "server_name": "valkey", "valkey_release_stage": "ga"}


def judged(configs: dict[str, str] | None = None, **info: Any) -> dict[str, State]:
    told = {name: value for name, value in (HEALTHY | info).items() if value is not None}
    facts = ServerFacts(told, {"appendfsync": "always"} if configs is None else configs, 0.0)
    return {finding.check.removeprefix("Redis "): finding.state for finding in judge_server(facts)}


def test_a_healthy_server_is_fine() -> None:
    assert judged() == dict.fromkeys(("version", "role", "persistence", "memory"), State.OK)


@pytest.mark.parametrize(
    ("check", "state", "info"),
    [
        ("version", State.PROBLEM, {"redis_version": "6.2.20"}),
        ("version", State.WARNING, {"redis_version": "7.0.15"}),
        ("version", State.WARNING, {"redis_version": "7.2.10"}),
        ("version", State.WARNING, {"redis_version": "7.2.13"}),
        ("version", State.OK, {"redis_version": "7.2.14"}),
        ("version", State.WARNING, {"redis_version": "7.4.8"}),
        ("version", State.OK, {"redis_version": "7.4.9"}),
        ("version", State.WARNING, {"redis_version": "8.0.99"}),  # it ended before the newer one was fixed
        ("version", State.WARNING, {"redis_version": "8.2.5"}),
        ("version", State.WARNING, {"redis_version": "8.4.2"}),
        ("version", State.OK, {"redis_version": "8.4.3"}),
        ("version", State.WARNING, {"redis_version": "8.6.2"}),
        ("version", State.OK, {"redis_version": "8.6.3"}),
        ("version", State.OK, {"redis_version": "8.8.0"}),
        ("version", State.WARNING, {"redis_version": "255.255.255-custom"}),
        ("version", State.WARNING, VALKEY | {"valkey_version": "7.2.10"}),
        ("version", State.OK, VALKEY | {"valkey_version": "7.2.11"}),
        ("version", State.WARNING, VALKEY | {"valkey_version": "8.0.5"}),
        ("version", State.OK, VALKEY | {"valkey_version": "8.0.6"}),
        ("version", State.WARNING, VALKEY | {"valkey_version": "8.1.6"}),
        ("version", State.OK, VALKEY | {"valkey_version": "8.1.7"}),
        ("version", State.WARNING, VALKEY | {"valkey_version": "9.0.3"}),
        ("version", State.OK, VALKEY | {"valkey_version": "9.0.4"}),
        ("version", State.OK, VALKEY | {"valkey_version": "9.1.2"}),
        ("version", State.WARNING, VALKEY | {"valkey_version": "9.1.0", "valkey_release_stage": "rc2"}),
        ("version", State.WARNING, VALKEY),
        ("version", State.OK, {"redis_version": "7.2.4", "valkey_version": "8.1.7"}),
        ("version", State.OK, {"server_name": "redis"}),
        ("version", State.PROBLEM, {"redis_version": "7.4.0", "dragonfly_version": "df-v1.40.1"}),
        ("version", State.PROBLEM, {"redis_version": "6.3.4", "mvcc_depth": 0}),
        ("version", State.PROBLEM, {"redis_version": "6.2.0", "executable": "/usr/bin/keydb-server"}),
        ("version", State.PROBLEM, {"redis_version": "4.0.0", "kvrocks_version": "2.9.0"}),
        ("version", State.WARNING, {"redis_version": "7.0.0", "kvrocks_version": "2.12.0"}),
        ("version", State.WARNING, {"redis_version": "7.4.3", "garnet_version": "1.0.80"}),
        ("version", State.WARNING, {"redis_version": "7.2.4", "server_name": "newcomer", "newcomer_version": "1.0.0"}),
        ("role", State.PROBLEM, {"role": "slave"}),
        ("role", State.WARNING, {"loading": 1}),
        ("persistence", State.PROBLEM, {"aof_enabled": 0}),
        ("persistence", State.PROBLEM, {"aof_last_write_status": "err"}),
        ("persistence", State.WARNING, {"aof_last_bgrewrite_status": "err"}),
        ("persistence", State.WARNING, {"configs": {"appendfsync": "everysec"}}),
        ("persistence", State.WARNING, {"configs": {"appendfsync": "no"}}),
        ("persistence", State.WARNING, {"configs": {}}),  # what cannot be seen is said
        ("persistence", State.WARNING, {"aof_enabled": None}),
        ("memory", State.PROBLEM, {"maxmemory_policy": "allkeys-lru"}),
        ("memory", State.WARNING, {"maxmemory_policy": None}),
        ("memory", State.PROBLEM, {"maxmemory_policy": "volatile-ttl", "maxmemory": 0}),
        ("memory", State.OK, {"used_memory": 0.7 * GB}),
        ("memory", State.WARNING, {"used_memory": 0.8 * GB}),
        ("memory", State.PROBLEM, {"used_memory": 0.96 * GB}),
        ("memory", State.OK, {"maxmemory": 0, "used_memory": 10 * GB}),
        ("memory", State.WARNING, {"maxmemory": 0, "used_memory": 13 * GB}),
    ],
)
def test_one_thing_that_is_not_as_it_should_be(check: str, state: State, info: dict[str, Any]) -> None:
    expected = dict.fromkeys(("version", "role", "persistence", "memory"), State.OK) | {check: state}
    assert judged(**info) == expected


@pytest.mark.parametrize(
    ("info", "words"),
    [
        ({"redis_version": "7.2.14"}, "it is Redis 7.2.14"),
        ({"redis_version": "8.6.2"}, "it is Redis 8.6.2, and CVE-2026-23479"),
        ({"redis_version": "7.0.15"}, "it is Redis 7.0.15, and CVE-2025-49844 lets users who may run scripts run code"),
        (VALKEY | {"valkey_version": "8.1.1"}, "it is Valkey 8.1.1, and CVE-2025-49844"),
        (
            {"redis_version": "7.4.0", "dragonfly_version": "df-v1.40.1"},
            "it is Dragonfly 1.40.1, which keeps no append",
        ),
        ({"redis_version": "6.3.4", "mvcc_depth": 0}, "it is KeyDB 6.3.4 and knows the commands of Redis 6.3"),
        ({"redis_version": "7.0.0", "kvrocks_version": "2.12.0"}, "it is Kvrocks 2.12.0"),
    ],
)
def test_a_server_is_called_by_its_own_name_and_version(info: dict[str, Any], words: str) -> None:
    assert judge_product(info, "Redis version").found.startswith(words)


def test_a_sentinel_is_judged_by_nothing_else() -> None:
    (finding,) = judge_server(ServerFacts(HEALTHY | {"redis_mode": "sentinel"}, {}, 0.0))
    assert (finding.state, "keeps no data" in finding.found) == (State.PROBLEM, True)


@pytest.mark.parametrize(
    ("configs", "states"),
    [
        ({"appendonly": "yes", "appendfsync": "always", "maxmemory-policy": "noeviction"}, [State.OK, State.OK]),
        ({"appendonly": "no", "maxmemory-policy": "allkeys-lfu"}, [State.PROBLEM, State.PROBLEM]),
        ({"appendfsync": "always"}, [State.WARNING, State.WARNING]),
    ],
)
def test_without_info_its_configuration_is_judged(configs: dict[str, str], states: list[State]) -> None:
    unseen, *others = judge_server(ServerFacts(None, configs, None))
    assert (unseen.state, unseen.found) == (State.WARNING, "this user may not ask it how it is (INFO)")
    assert [finding.state for finding in others] == states


def test_a_server_that_tells_this_user_nothing_is_a_warning_with_advice() -> None:
    (finding,) = judge_server(ServerFacts(None, {}, None))
    assert finding.state == State.WARNING
    assert "`doctor` of `gmv ledger acl`" in finding.advice


def user_facts(refused: Iterable[str], allowed: Iterable[str]) -> UserFacts:
    not_these, these = (tuple(tuple(name.split("|")) for name in names) for names in (refused, allowed))
    return UserFacts("ada", not_these, these)


@pytest.mark.parametrize(
    ("refused", "allowed", "state", "found"),
    [
        (UNWANTED, ("hset", "hmget"), State.OK, "may do what a worker does"),
        ((*UNWANTED, "hset", "script|load"), ("hmget",), State.PROBLEM, "may not run hset, script|load"),
        (UNWANTED[1:], ("hset", UNWANTED[0]), State.WARNING, f"may run {UNWANTED[0]}, which gmv never does"),
    ],
)
def test_rights(refused: tuple[str, ...], allowed: tuple[str, ...], state: State, found: str) -> None:
    facts = user_facts(refused, allowed)
    (finding,) = judge_user(facts, "worker")
    assert finding.state == state
    assert found in finding.found


@pytest.mark.parametrize(
    ("refused", "allowed", "state", "found"),
    [
        ((*UNWANTED, "hset", "evalsha"), ("hmget",), State.WARNING, "ada may look at the ledger and write nothing"),
        (("hset", "evalsha", "hlen"), ("hmget", "flushall"), State.WARNING, "what a worker may do was not looked at"),
        ((*UNWANTED, "hset"), ("hmget", "evalsha"), State.PROBLEM, "may not run hset"),
        (UNWANTED, ("hset", "evalsha", "hmget"), State.OK, "may do what a worker does"),
    ],
)
def test_who_writes_nothing_is_no_worker_of_too_few_rights(
    refused: tuple[str, ...], allowed: tuple[str, ...], state: State, found: str
) -> None:
    (finding,) = judge_user(user_facts(refused, allowed), "worker", {"hset", "evalsha"})
    assert (finding.state, found in finding.found) == (state, True)
    (named,) = judge_user(user_facts(refused, allowed), "worker")  # by --user
    assert named.state == (State.OK if state == State.OK else State.PROBLEM)


def test_a_user_that_is_not_there() -> None:
    (finding,) = judge_user(UserFacts("ghost", exists=False), "worker")
    assert (finding.state, finding.found) == (State.PROBLEM, "there is no user ghost")


def test_rights_that_this_user_may_not_ask_for() -> None:
    (finding,) = judge_user(UserFacts(None, (), ()), "worker")
    assert finding.state == State.WARNING


@pytest.mark.parametrize(
    ("threads", "cores", "state"),
    [(1, 0.5, State.OK), (1, 2, State.OK), (2, 2, State.OK), (3, 2, State.WARNING), (2, 1.5, State.WARNING)],
)
def test_threads_against_cores(threads: int, cores: float, state: State) -> None:
    assert [finding.state for finding in judge_threads(threads, cores)] == [state]


@pytest.mark.parametrize(("available", "state"), [(GB, State.OK), (GB - 1, State.WARNING)])
def test_an_index_larger_than_memory(available: int, state: State) -> None:
    assert [finding.state for finding in judge_memory(GB, available)] == [state]


@pytest.mark.parametrize(
    ("ahead", "newest_ms", "states"),
    [
        (None, None, [State.OK]),
        (4.0, 1_000_000, [State.OK]),
        (-6.0, None, [State.WARNING]),
        (6.0, 1_006_000, [State.WARNING, State.WARNING]),
        (0.0, 500_000, [State.OK]),  # an old event tells nothing
    ],
)
def test_clocks(ahead: float | None, newest_ms: int | None, states: list[State]) -> None:
    assert [finding.state for finding in judge_clocks(ahead, newest_ms, now_ms=1_000_000)] == states


def test_what_is_ahead_is_called_so() -> None:
    redis, event = judge_clocks(6.0, 3_972_000, now_ms=1_000_000)
    assert redis.found == "the clock of Redis is 6 s ahead of this machine's"
    assert event.found == "the newest event's time is 2,972 s ahead of this machine's clock"


@pytest.mark.parametrize(
    ("kafka", "states"),
    [
        (KafkaSettings(instance_id="worker-1"), [State.OK]),
        (KafkaSettings(), [State.WARNING]),
        (KafkaSettings(instance_id="worker-1", session_seconds=6, heartbeat_seconds=2.5), [State.PROBLEM]),
    ],
)
def test_group_timings(kafka: KafkaSettings, states: list[State]) -> None:
    assert [finding.state for finding in judge_timings(Settings(kafka=kafka))] == states
