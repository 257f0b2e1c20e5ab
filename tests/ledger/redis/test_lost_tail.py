"""A server that comes back without what it had acknowledged: a torn append-only file, a replica that was behind."""

import shutil
from collections.abc import Callable
from typing import Any

import pytest
from redis import Redis

from gmv.ledger.open import open_accounts, open_ledger
from gmv.ledger.port import AlreadyCommitted, Batch, Committed, Fenced, Ledger, Missing, Rewound, Sums
from gmv.ledger.verify import conservation
from gmv.settings import LedgerSettings
from tests.ledger.batches import START, TOPIC, at, batch, entry
from tests.ledger.conftest import create
from tests.ledger.servers import client, log_of
from tests.services.patience import patience
from tests.services.redis import RedisServer
from tests.services.server import wait_for

pytestmark = pytest.mark.servers
ON_VALKEY_TOO = True

FIRST = batch(START, at(10, "1"), {"alice": 1, "bob": 20}, [entry(1)])
SECOND = batch(at(10, "1"), at(20, "2"), {"alice": 300, "cy": 4_000}, [entry(2)], dead_letters=1)
THIRD = batch(at(20, "2"), at(30, "3"), {"alice": 50_000}, [entry(3)], duplicates=1)
ALL = {"alice": 50_301, "bob": 20, "cy": 4_000}


def go_on(ledger: Ledger, following: list[Batch]) -> None:
    """Do what a worker does that had committed all but the last: try that, and go back to where the answer says."""
    answer = ledger.commit(following[-1])
    if isinstance(answer, Rewound):
        go_on(ledger, following[:-1])
        answer = ledger.commit(following[-1])
    assert answer in (Committed(), AlreadyCommitted())


def assert_all_is_counted_once(settings: LedgerSettings) -> None:
    accounts = open_accounts(settings)
    assert {balance.owner_id: balance.micros for balance in accounts.balances()} == ALL
    assert accounts.sums() == Sums(sum(ALL.values()), 3, 1, 1)
    assert conservation(accounts).conserved
    assert accounts.positions()[TOPIC, 0] == at(30, "3")


@pytest.mark.parametrize("share_kept", [0.0, 0.05, 0.2, 0.5, 0.8, 0.95, 0.99, 1.0])
def test_wherever_a_crash_tore_the_log_all_is_counted_once(keeping_server: RedisServer, share_kept: float) -> None:
    """The second restart is what double counts where a commit is several writes."""
    server, settings = keeping_server, LedgerSettings(url=keeping_server.url, retry_seconds=patience(10))
    create(settings)
    ledger = open_ledger(settings)
    assert ledger.commit(FIRST) == Committed()
    whole = log_of(server).stat().st_size
    assert ledger.commit(SECOND) == Committed()
    server.kill()
    log = log_of(server).read_bytes()
    log_of(server).write_bytes(log[: whole + round(share_kept * (len(log) - whole))])
    server.start()
    go_on(ledger, [FIRST, SECOND, THIRD])
    for _ in range(2):
        assert_all_is_counted_once(settings)
        server.kill()
        server.start()
    assert_all_is_counted_once(settings)


def test_a_backup_that_is_restored_is_followed_back(server: RedisServer, settings: LedgerSettings) -> None:
    """The files of one moment, put back over a server that went on: as a lost tail, however long ago."""
    ledger = open_ledger(settings.model_copy(update={"retry_seconds": 10}))
    assert ledger.commit(FIRST) == Committed()
    server.stop()
    backup = shutil.copytree(server.folder / "appendonlydir", server.folder / "backup")
    server.start()
    assert [ledger.commit(SECOND), ledger.commit(THIRD)] == [Committed(), Committed()]
    server.kill()
    shutil.rmtree(server.folder / "appendonlydir")
    backup.rename(server.folder / "appendonlydir")
    server.start()
    assert ledger.commit(THIRD) == Rewound(at(10, "1"))
    go_on(ledger, [FIRST, SECOND, THIRD])
    assert_all_is_counted_once(settings)


@pytest.fixture
def replica(server: RedisServer, settings: LedgerSettings, start_redis: Callable[..., RedisServer]) -> RedisServer:
    client(server).config_set("repl-diskless-sync-delay", 0)
    replica = start_redis()
    client(replica).replicaof("127.0.0.1", server.port)
    wait_for(lambda: client(replica).info("replication")["master_link_status"] == "up", 20, "the replica to follow")
    return replica


def test_after_a_failover_to_a_replica_that_was_behind(
    server: RedisServer, settings: LedgerSettings, replica: RedisServer
) -> None:
    before = open_ledger(settings)
    assert before.commit(FIRST) == Committed()
    follow(server, replica)
    client(replica).replicaof("NO", "ONE")
    assert before.commit(SECOND) == Committed(), "acknowledged, and about to be lost"
    server.kill()
    promoted = settings.model_copy(update={"url": replica.url})
    after = open_ledger(promoted)
    assert after.commit(THIRD) == Rewound(at(10, "1"))
    assert after.known(0, [entry(2).identity]) == {}, "what was lost is no duplicate"
    go_on(after, [FIRST, SECOND, THIRD])
    assert_all_is_counted_once(promoted)


def test_who_wrote_to_the_old_primary_is_fenced_by_who_wrote_to_the_new_one(
    server: RedisServer, settings: LedgerSettings, replica: RedisServer
) -> None:
    zombie = open_ledger(settings)
    assert zombie.commit(FIRST) == Committed()
    follow(server, replica)
    client(replica).replicaof("NO", "ONE")
    assert zombie.commit(SECOND) == Committed()
    other = batch(at(10, "1"), at(20, "other"), {"dan": 7}, [entry(2)])
    assert open_ledger(settings.model_copy(update={"url": replica.url})).commit(other) == Committed()
    client(server).replicaof("127.0.0.1", replica.port)
    wait_for(lambda: client(server).hexists("gmv:{0}", "o:dan"), 20, "the old primary to follow the new one")
    client(server).replicaof("NO", "ONE")
    assert zombie.commit(THIRD) == Fenced(at(20, "other"))
    assert {each.owner_id for each in open_accounts(settings).balances()} == {"alice", "bob", "dan"}


def test_a_ledger_made_in_two_places_is_one_ledger_in_neither(
    server: RedisServer, settings: LedgerSettings, start_redis: Callable[..., RedisServer]
) -> None:
    """Another server behind the address, with a ledger of its own, takes nothing from a worker of this one."""
    ledger = open_ledger(settings)
    assert ledger.commit(FIRST) == Committed()
    stranger = start_redis()
    create(settings.model_copy(update={"url": stranger.url}))
    foreign: Any = client(stranger).hgetall("gmv:{0}")
    admin = client(server)
    admin.delete("gmv:{0}")
    admin.hset("gmv:{0}", mapping=foreign)
    assert ledger.commit(SECOND) == Missing()
    assert admin.hgetall("gmv:{0}") == foreign


def follow(server: RedisServer, replica: RedisServer) -> None:
    """Return when the replica has all that the server has."""
    ours: Redis = client(server)
    wait_for(lambda: client(replica).hgetall("gmv:{0}") == ours.hgetall("gmv:{0}"), 20, "the replica to catch up")
