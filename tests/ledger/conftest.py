"""Servers for what one ledger's server does: a shared one, and one of a test's own to be mistreated."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from gmv.ledger.open import open_registry
from gmv.settings import LedgerSettings
from tests.ledger.batches import START, TOPIC
from tests.services.redis import RedisServer, ValkeyServer

RETRY_SECONDS = 0.4


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Where a module says `ON_VALKEY_TOO`, try all of it on Valkey as well."""
    if getattr(metafunc.module, "ON_VALKEY_TOO", False) and "kind" in metafunc.fixturenames:
        metafunc.parametrize("kind", [RedisServer, ValkeyServer], ids=["redis", "valkey"], indirect=True)


@pytest.fixture
def kind(request: pytest.FixtureRequest) -> type[RedisServer]:
    """What the ledger's server is."""
    return getattr(request, "param", RedisServer)


@pytest.fixture
def start_redis(kind: type[RedisServer]) -> Iterator[Callable[..., RedisServer]]:
    """Start a server with options; it loses up to a second of writes with its machine, and none with its process."""
    with ExitStack() as started:
        yield lambda *options: started.enter_context(kind(appendfsync="everysec", options=options))


@pytest.fixture
def server(start_redis: Callable[..., RedisServer]) -> RedisServer:
    return start_redis("--enable-protected-configs", "yes")


@pytest.fixture
def keeping_server(kind: type[RedisServer]) -> Iterator[RedisServer]:
    """A server that loses nothing when it is killed, so that nothing is lost but what a test cuts off.

    One that writes to its disk every second can: while that takes long, it puts off even writing to the file.
    """
    with kind(appendfsync="always") as server:
        yield server


@pytest.fixture
def settings(server: RedisServer) -> LedgerSettings:
    """A ledger of one book whose positions are the starts of two partitions, retried for a short time only."""
    settings = LedgerSettings(url=server.url, retry_seconds=RETRY_SECONDS)
    create(settings)
    return settings


def create(settings: LedgerSettings, books: int = 1) -> None:
    registry = open_registry(settings)
    registry.create(books)
    registry.register(TOPIC, dict.fromkeys(range(2), START))
    registry.close()
