"""A server that is away or refuses: what the ledger makes of it, in words, and that it goes on when it may."""

import random
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import pytest
from redis import Redis
from redis.exceptions import BusyLoadingError, RedisError
from redis.exceptions import ConnectionError as RedisConnectionError

from gmv.errors import LedgerMissing, LedgerUnavailable
from gmv.ledger.open import open_accounts, open_ledger, open_registry
from gmv.ledger.port import AlreadyCommitted, Committed, Fenced, Missing
from gmv.settings import LedgerSettings
from tests.ledger.batches import TOPIC, at, batch, entry
from tests.ledger.conftest import create
from tests.ledger.servers import client, commands_logged
from tests.services.patience import patience
from tests.services.redis import RedisServer
from tests.services.server import free_port, wait_for

pytestmark = pytest.mark.servers
ON_VALKEY_TOO = True

Hinder = Callable[[RedisServer], None]


def out_of_memory(server: RedisServer) -> None:
    client(server).config_set("maxmemory", "1")


def too_few_replicas(server: RedisServer) -> None:
    client(server).config_set("min-replicas-to-write", 1)


def a_replica(server: RedisServer) -> None:
    client(server).replicaof("127.0.0.1", free_port())


def disk_refuses(server: RedisServer) -> None:
    """A background save that failed makes Redis refuse writes, as a full disk does."""
    admin = client(server)
    admin.config_set("save", "3600 1")
    (server.folder / "temp").mkdir()
    admin.config_set("dir", str(server.folder / "temp"))
    shutil.rmtree(server.folder / "temp")
    admin.bgsave()
    wait_for(lambda: not admin.info("persistence")["rdb_bgsave_in_progress"], 20, "the save to fail")


def cured(server: RedisServer) -> None:
    admin = client(server)
    for name, value in {"maxmemory": "0", "min-replicas-to-write": "0", "save": ""}.items():
        admin.config_set(name, value)
    admin.replicaof("NO", "ONE")


def is_busy(admin: Redis) -> bool:
    try:
        return not admin.ping()
    except RedisError:
        return True


@contextmanager
def busy(server: RedisServer) -> Iterator[None]:
    """A script that never ends, of somebody else."""
    admin = client(server)
    admin.config_set("busy-reply-threshold", 1)

    def spin() -> None:
        with suppress(RedisError):
            Redis(port=server.port, socket_timeout=None).eval("while true do end", 0)

    spinning = threading.Thread(target=spin)
    spinning.start()
    wait_for(lambda: is_busy(admin), 20, "the script to block the server")
    yield
    admin.script_kill()
    spinning.join()


@pytest.mark.parametrize(
    ("hinder", "words"),
    [
        (out_of_memory, "OOM .*raise its maxmemory"),
        (too_few_replicas, "NOREPLICAS .*bring them back"),
        (a_replica, "READONLY .*address of the primary"),
        (disk_refuses, "MISCONF .*make space"),
    ],
)
def test_a_hindered_server_is_named_and_used_again(
    server: RedisServer, settings: LedgerSettings, hinder: Hinder, words: str
) -> None:
    ledger = open_ledger(settings)
    assert ledger.commit(batch(credits={"alice": 1})) == Committed()
    before = client(server).hgetall("gmv:{0}")
    hinder(server)
    with pytest.raises(LedgerUnavailable, match=words) as refusal:
        ledger.commit(batch(at(10), credits={"alice": 1}))
    assert server.url in str(refusal.value)
    assert client(server).hgetall("gmv:{0}") == before
    assert ledger.positions(TOPIC, [0]) == {0: at(10)}, "reading goes on"
    cured(server)
    assert ledger.commit(batch(at(10), credits={"alice": 1})) == Committed()


def test_a_busy_server_is_waited_for(server: RedisServer, settings: LedgerSettings) -> None:
    ledger = open_ledger(settings)
    ledger.positions(TOPIC, [0])
    with busy(server), pytest.raises(LedgerUnavailable, match=r"BUSY .*SCRIPT KILL"):
        ledger.commit(batch(credits={"alice": 1}))
    assert ledger.commit(batch(credits={"alice": 1})) == Committed()


def test_a_server_that_reads_its_data_is_waited_for(start_redis: Callable[..., RedisServer]) -> None:
    server = start_redis("--key-load-delay", "100000", "--loading-process-events-interval-bytes", "1024")
    settings = LedgerSettings(url=server.url, retry_seconds=patience(20))
    create(settings)
    open_ledger(settings).commit(batch(credits={"alice": 1}))
    client(server).mset({f"other {number}": random.randbytes(4_096) for number in range(20)})  # 2 s, in 80 turns
    client(server).bgrewriteaof()  # so that there is a file to be read key by key
    wait_for(lambda: not client(server).info("persistence")["aof_rewrite_in_progress"], 20, "the rewrite to end")
    server.kill()
    server.start(wait=False)
    assert wait_for(lambda: error_of(server), 20, "the server to listen") is BusyLoadingError
    assert open_ledger(settings).positions(TOPIC, [0]) == {0: at(10)}


def error_of(server: RedisServer) -> type[Exception] | None:
    """What a client gets to hear from a server that listens."""
    try:
        client(server).ping()
    except RedisConnectionError as error:
        return type(error) if isinstance(error, BusyLoadingError) else None
    return Exception


def test_a_server_that_is_down_at_the_start(settings: LedgerSettings) -> None:
    nobody = settings.model_copy(update={"url": f"redis://127.0.0.1:{free_port()}/0"})
    for question in (
        lambda: open_ledger(nobody).positions(TOPIC, [0]),
        lambda: open_accounts(nobody).sums(),
        lambda: open_registry(nobody).create(1),
    ):
        with pytest.raises(LedgerUnavailable, match=r"did not answer within 0.4 s .*refused"):
            question()


def test_a_server_that_goes_down_and_comes_back(server: RedisServer, settings: LedgerSettings) -> None:
    ledger = open_ledger(settings.model_copy(update={"retry_seconds": 20}))
    assert ledger.commit(batch(credits={"alice": 1})) == Committed()
    server.kill()
    back = threading.Timer(0.2, server.start)
    back.start()
    assert ledger.commit(batch(at(10), credits={"alice": 1})) == Committed()
    back.join()


def test_a_server_that_stays_down(server: RedisServer, settings: LedgerSettings) -> None:
    ledger = open_ledger(settings)
    assert ledger.commit(batch(credits={"alice": 1})) == Committed()
    server.kill()
    with pytest.raises(LedgerUnavailable, match="start this again when it is back"):
        ledger.commit(batch(at(10), credits={"alice": 1}))


def test_scripts_that_a_server_forgot_are_sent_again(server: RedisServer, settings: LedgerSettings) -> None:
    ledger, accounts = open_ledger(settings), open_accounts(settings)
    for number in range(3):
        client(server).script_flush()
        expected = at(10 * number) if number else batch().expected
        assert ledger.commit(batch(expected, credits={"alice": 1})) == Committed()
        client(server).script_flush()
        assert [book.micros for book in accounts.snapshots()] == [number + 1]


def test_data_that_is_gone_is_never_taken_for_a_young_ledger(server: RedisServer, settings: LedgerSettings) -> None:
    ledger, accounts = open_ledger(settings), open_accounts(settings)
    assert ledger.commit(batch(credits={"alice": 1}, entries=[entry(1)])) == Committed()
    accounts.sums()
    client(server).flushall()
    assert ledger.commit(batch(at(10), credits={"alice": 1})) == Missing()
    for question in (
        lambda: ledger.positions(TOPIC, [0]),
        lambda: ledger.known(0, [entry(1).identity]),
        lambda: ledger.note(TOPIC, 0),
        lambda: ledger.take_note(TOPIC, 0, None, "a note"),
        accounts.sums,
        lambda: list(accounts.balances()),
    ):
        with pytest.raises(LedgerMissing, match="book 0 is gone"):
            question()
    assert client(server).keys() == []
    create(settings)
    assert ledger.commit(batch(credits={"alice": 1})) == Missing(), "recreated by somebody else: not ours"


def test_one_book_that_is_gone_is_noticed(server: RedisServer, settings: LedgerSettings) -> None:
    of_two = settings.model_copy(update={"namespace": "two"})
    create(of_two, books=2)
    ledger = open_ledger(of_two)
    client(server).delete("two:{1}")
    assert ledger.commit(batch(credits={"alice": 1})) == Committed()
    assert ledger.commit(batch(credits={"alice": 1}, partition=1)) == Missing()
    with pytest.raises(LedgerMissing, match="book 1 is gone"):
        open_accounts(of_two).sums()


def test_after_a_kill_the_totals_are_those_of_the_position(server: RedisServer, settings: LedgerSettings) -> None:
    ledger = open_ledger(settings)
    expected = batch().expected
    for number in range(300):
        following = at(number + 1, f"{number}")
        ledger.commit(batch(expected, following, {"alice": number, f"owner {number % 7}": 1}, [entry(number)]))
        expected = following
        if number == 150:
            server.kill()
            server.start()
    server.kill()
    server.start()
    held = open_ledger(settings).positions(TOPIC, [0])[0].next_offset
    accounts = open_accounts(settings)
    assert accounts.totals(["alice"]) == {"alice": sum(range(held))}
    assert accounts.sums().credited == held
    assert accounts.sums().micros == sum(range(held)) + held
    if held == 300:
        assert ledger.commit(batch(at(299, "298"), at(300, "299"))) == AlreadyCommitted()


def test_a_commit_is_one_write_of_absolute_values(server: RedisServer, settings: LedgerSettings) -> None:
    """What keeps a torn append-only file from counting twice."""
    ledger = open_ledger(settings)
    before = commands_logged(server).count(b"HSET\r\n")
    for number in range(1, 6):
        expected = at(10 * (number - 1)) if number > 1 else batch().expected
        assert ledger.commit(batch(expected, credits={"alice": 7, "bob": 1}, entries=[entry(number)])) == Committed()
    assert isinstance(ledger.commit(batch(at(1), credits={"alice": 1})), Fenced)
    logged = commands_logged(server)
    assert logged.count(b"HSET\r\n") - before == 5
    assert logged.count(b"MULTI") == 0
    assert b"HINCRBY" not in logged
    assert b"\r\n35\r\n" in logged, "alice's total after five batches"
