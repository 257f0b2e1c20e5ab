from collections.abc import Callable

import orjson
import pytest

from gmv.errors import LedgerUnavailable
from gmv.monitoring.health import Health
from gmv.monitoring.reachability import Reachability
from tests.monitoring.world import Clock, Lines

STUCK_SECONDS = 300.0

Step = float | Callable[[Health], None]
"""Seconds that pass, or what a worker tells."""


def judged_after(*steps: Step) -> Health:
    clock = Clock()
    health = Health(STUCK_SECONDS, monotonic=clock)
    for step in steps:
        if callable(step):
            step(health)
        else:
            clock.now += step
    return health


def loaded(health: Health) -> None:
    health.index_loaded()


def owns_two(health: Health) -> None:
    health.partitions_assigned(2)


def owns_none(health: Health) -> None:
    health.partitions_assigned(0)


def caught_up(health: Health) -> None:
    health.lag_seen(0)


def behind_a_transaction_marker(health: Health) -> None:
    health.lag_seen(1)


def behind(health: Health) -> None:
    health.lag_seen(40)


def finished(health: Health) -> None:
    health.run_finished()


def ledger_there(health: Health) -> None:
    health.ledger_answered()


@pytest.mark.parametrize(
    ("steps", "stuck"),
    [
        ((), False),
        ((1e6,), False),  # waiting for an assignment is not being stuck
        ((owns_none, 1e6), False),
        ((owns_two, behind, 300.0), False),
        ((owns_two, behind, 200.0, behind, 101.0), True),
        ((owns_two, behind, 200.0, finished, behind, 200.0), False),
        ((owns_two, behind, 200.0, finished, behind, 301.0), True),
        ((owns_two, caught_up, 299.0, caught_up, 299.0, caught_up), False),
        ((owns_two, caught_up, 200.0, caught_up, 200.0, behind, 200.0), False),  # behind since 200 s, not 400 s
        ((owns_two, behind, 200.0, caught_up, 1.0, behind, 200.0), False),
        ((owns_two, behind, 200.0, owns_two, behind, 200.0), False),  # a new assignment is a new chance
        ((owns_two, behind, 200.0, owns_none, 200.0), False),
        ((owns_two, behind_a_transaction_marker, 200.0, behind_a_transaction_marker, 200.0), False),
        ((owns_two, caught_up, 301.0), True),  # a run hangs: nobody reads the log's end any more
        ((owns_two, caught_up, 200.0, finished, 200.0), False),
        ((owns_two, 301.0), True),
    ],
)
def test_live_unless_stuck(steps: tuple[Step, ...], stuck: bool) -> None:
    verdict = judged_after(*steps).live()

    assert verdict.good is not stuck
    assert all(complaint.startswith("stuck: ") for complaint in verdict.complaints)


@pytest.mark.parametrize(
    ("steps", "complaints"),
    [
        ((), ["the index", "no partition assignment", "the ledger"]),
        ((loaded,), ["no partition assignment", "the ledger"]),
        ((loaded, ledger_there), ["no partition assignment"]),
        ((loaded, ledger_there, owns_two), []),
        ((loaded, ledger_there, owns_none), []),  # others have all partitions; this one stands by
        ((ledger_there, owns_two), ["the index"]),
        ((loaded, ledger_there, owns_two, behind, 1e6), []),  # stuck is live's to tell
    ],
)
def test_ready_once_index_assignment_and_ledger_are_there(steps: tuple[Step, ...], complaints: list[str]) -> None:
    verdict = judged_after(*steps).ready()

    assert verdict.good is (not complaints)
    assert len(verdict.complaints) == len(complaints)
    for told, beginning in zip(verdict.complaints, complaints, strict=True):
        assert told.startswith(beginning)


def test_ready_names_each_server_that_is_away_and_since_when() -> None:
    clock = Clock()
    kafka, ledger = (
        Reachability(server, address, Lines(), clock, lambda: 1_800_000_000.0 + clock.now)
        for server, address in (("Kafka", "k1:9092,k2:9092"), ("the ledger", "redis://r:6379/0"))
    )
    health = Health(STUCK_SECONDS, (kafka, ledger), clock)
    for step in (loaded, ledger_there, owns_two):
        step(health)
    with pytest.raises(LedgerUnavailable), ledger.asked():
        raise LedgerUnavailable("refused")
    assert health.ready().good  # it may be back in a moment
    clock.now = 12.0
    kafka.failed("no broker")
    clock.now = 14.5
    assert health.ready().complaints == (
        "Kafka at k1:9092,k2:9092 has not served this worker since 2027-01-15T08:00:12+00:00, for 2 s: no broker",
        "the ledger at redis://r:6379/0 has not served this worker since 2027-01-15T08:00:00+00:00, for 14 s: refused",
    )
    with kafka.asked():
        pass
    with ledger.asked():
        pass
    assert health.ready().good
    assert health.live().good


def test_a_page_says_why() -> None:
    status, body = judged_after(owns_two, behind, 301.0).live().page()

    assert status == 503
    told = orjson.loads(body)
    assert told["good"] is False
    assert told["complaints"][0] == "stuck: 40 records behind and no run finished for 301 s (limit 300 s)"


def test_a_good_page() -> None:
    status, body = judged_after().live().page()

    assert status == 200
    assert orjson.loads(body) == {"good": True, "complaints": []}
