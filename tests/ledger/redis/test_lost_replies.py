"""Connections break after a commit was applied and before its reply came: redis-py sends it again."""

from collections.abc import Iterator
from unittest.mock import patch
from urllib.parse import urlsplit

import pytest
from redis import Redis

from gmv.ledger.open import open_accounts, open_ledger, open_registry
from gmv.ledger.port import AlreadyCommitted, Committed, Ledger, Sums
from gmv.ledger.redis import server as redis_server
from gmv.settings import LedgerSettings
from tests.ledger.batches import START, TOPIC, at, batch, entry
from tests.ledger.servers import client
from tests.services.proxy import Proxy
from tests.services.redis import RedisServer

pytestmark = pytest.mark.servers
ON_VALKEY_TOO = True


@pytest.fixture
def proxy(server: RedisServer) -> Iterator[Proxy]:
    with Proxy(server.port) as proxy:
        yield proxy


@pytest.fixture
def ledger(settings: LedgerSettings, proxy: Proxy) -> Iterator[Ledger]:
    """Connected through the proxy, and its script known to the server."""
    ledger = open_ledger(settings.model_copy(update={"url": proxy.url, "retry_seconds": 10}))
    assert ledger.commit(batch(credits={"alice": 1})) == Committed()
    yield ledger
    ledger.close()


def test_the_proxy_loses_what_was_done(server: RedisServer, proxy: Proxy) -> None:
    """What the ledger is safe from: without a position to compare, the same loss counts twice."""
    client = Redis(port=proxy.port)
    client.ping()
    proxy.lose_next_answer()
    assert client.hincrby("naive", "alice", 1) == 2


def test_a_commit_sent_again_counts_once(settings: LedgerSettings, proxy: Proxy, ledger: Ledger) -> None:
    proxy.lose_next_answer()
    sent_twice = batch(at(10), credits={"alice": 10, "bob": 5}, entries=[entry(1)], dead_letters=1, duplicates=1)
    assert ledger.commit(sent_twice) == AlreadyCommitted()
    assert proxy.strikes == 1
    accounts = open_accounts(settings)
    assert accounts.totals(["alice"]) == {"alice": 11}
    assert accounts.totals(["bob"]) == {"bob": 5}
    assert accounts.sums() == Sums(16, 1, 1, 1)
    assert ledger.commit(batch(at(20), credits={"alice": 1})) == Committed()


class WithItsOwnRetries:
    """redis-py as it comes: 10 retries, of connecting, of sending and of waiting for an answer."""

    @staticmethod
    def from_url(url: str, **_: object) -> Redis:
        return Redis(port=urlsplit(url).port or 0)  # whose `from_url` retries nothing


def test_a_commit_that_redis_py_sends_again_counts_once(
    settings: LedgerSettings, proxy: Proxy, server: RedisServer
) -> None:
    """At any depth of retries, the second sending finds the position where the batch leads."""
    once = settings.model_copy(update={"url": proxy.url, "retry_seconds": 1e-9})
    with patch.object(redis_server, "Redis", WithItsOwnRetries):
        ledger = open_ledger(once)
        assert ledger.commit(batch(credits={"alice": 1})) == Committed()
        client(server).config_resetstat()
        proxy.lose_next_answer()
        sent_twice = batch(at(10), credits={"alice": 10, "bob": 5}, entries=[entry(1)])
        assert ledger.commit(sent_twice) == AlreadyCommitted()
    assert client(server).info("commandstats")["cmdstat_evalsha"]["calls"] == 2
    assert open_accounts(settings).sums() == Sums(16, 1, 0, 0)


def test_a_note_sent_again_is_taken(proxy: Proxy, ledger: Ledger) -> None:
    assert ledger.take_note(TOPIC, 0, None, "first")
    proxy.lose_next_answer()
    assert ledger.take_note(TOPIC, 0, "first", "second")
    assert (proxy.strikes, ledger.note(TOPIC, 0)) == (1, "second")


def test_an_answer_that_wrote_nothing_is_asked_again(ledger: Ledger, proxy: Proxy) -> None:
    proxy.lose_next_answer()
    assert ledger.positions(TOPIC, [0, 1]) == {0: at(10), 1: START}
    assert proxy.strikes == 1


def test_the_registry_is_safe_to_send_again(settings: LedgerSettings, proxy: Proxy) -> None:
    registry = open_registry(settings.model_copy(update={"url": proxy.url}))
    for _ in range(12):  # wherever in the sequence of commands a reply is lost
        proxy.lose_next_answer()
        registry.create(1)
    proxy.lose_next_answer()
    assert registry.register(TOPIC, {0: at(99), 5: at(7)}) == (5,)
    assert open_ledger(settings).positions(TOPIC, [0, 5]) == {0: START, 5: at(7)}
