"""Where a ledger can be: what a test needs beside the contract, to look behind it and to damage it."""

import sqlite3
import uuid
from abc import ABC, abstractmethod
from contextlib import closing
from functools import cached_property
from pathlib import Path
from unittest.mock import patch

import pytest
from redis import Redis, RedisCluster

from gmv.ledger.administration import Janitor, Registry
from gmv.ledger.open import open_accounts, open_janitor, open_ledger, open_registry
from gmv.ledger.port import FIELDS_MAX, Accounts, Answer, Batch, Ledger
from gmv.ledger.redis import server as redis_server
from gmv.ledger.redis.address import address_of
from gmv.ledger.redis.cluster import Cluster
from gmv.ledger.tidy import one_pass
from gmv.settings import LedgerSettings
from tests.services.patience import patience
from tests.simulator.redis_client import Primary, Site
from tests.simulator.redis_server import Server

BEGINS = (b"#m:begin:", b"#m:first:")


class LedgerWorld(ABC):
    """An address, and everything that was opened at it."""

    settings: LedgerSettings
    has_janitor = True

    def __init__(self) -> None:
        self._opened: list[Ledger | Accounts | Registry | Janitor] = []

    def ledger(self) -> Ledger:
        ledger = open_ledger(self.settings)
        self._opened.append(ledger)
        return ledger

    def accounts(self) -> Accounts:
        accounts = open_accounts(self.settings)
        self._opened.append(accounts)
        return accounts

    @cached_property
    def reader(self) -> Accounts:
        """One that is opened once, for what is read often: a cluster's client asks its way first, which takes 15 ms."""
        return self.accounts()

    def registry(self) -> Registry:
        registry = open_registry(self.settings)
        self._opened.append(registry)
        return registry

    def janitor(self) -> Janitor:
        janitor = open_janitor(self.settings)
        self._opened.append(janitor)
        return janitor

    def close(self) -> None:
        for opened in self._opened:
            opened.close()

    @abstractmethod
    def dump(self) -> object:
        """All that is stored, as it is stored."""

    @abstractmethod
    def overwrite_position(self, topic: str, partition: int, text: str) -> None:
        """Put a text where the position is, behind the ledger's back; for a ledger of one book."""

    @abstractmethod
    def forget_begins(self) -> None:
        """Take away what says where crediting began, as if gmv 0.1 had made the ledger."""


class RedisWorld(LedgerWorld):
    def __init__(self, url: str, retry_seconds: float = patience(10)) -> None:
        super().__init__()
        self.settings = LedgerSettings(url=url, namespace=f"t{uuid.uuid4().hex}", retry_seconds=retry_seconds)
        self.client = self.connect(url)

    def connect(self, url: str) -> Redis | RedisCluster:
        return Redis.from_url(url)

    def dump(self) -> object:
        keys = sorted(self.client.scan_iter(f"{self.settings.namespace}:*"))
        return {key: self.client.hgetall(key) for key in keys}

    def overwrite_position(self, topic: str, partition: int, text: str) -> None:
        self.client.hset(f"{self.settings.namespace}:{{0}}", f"#p:{topic}:{partition}", text)

    def forget_begins(self) -> None:
        for book in range(self.reader.books()):
            key = f"{self.settings.namespace}:{{{book}}}"
            for field in self.client.hkeys(key):
                if isinstance(field, bytes) and field.startswith(BEGINS):
                    self.client.hdel(key, field)

    def close(self) -> None:
        super().close()
        self.client.close()


class ClusterWorld(RedisWorld):
    """Books on three primaries."""

    def connect(self, url: str) -> RedisCluster:
        return Cluster(address_of(self.settings).hosts)


class SimulatedWorld(LedgerWorld):
    """A simulated server, which runs our scripts in a real Lua: the simulator relies on it keeping the contract."""

    has_janitor = False

    def __init__(self) -> None:
        super().__init__()
        self.settings = LedgerSettings(url="redis://simulated:6379/0", namespace="t")
        self.server = Server()
        site = Site([Primary(self.server)], FIELDS_MAX, violated=violated)
        self._patch = patch.object(redis_server, "Redis", site)
        self._patch.start()

    def dump(self) -> object:
        return {key: dict(fields) for key, fields in self.server.hashes.items()}

    def overwrite_position(self, topic: str, partition: int, text: str) -> None:
        self.server.execute(b"HSET", b"t:{0}", f"#p:{topic}:{partition}".encode(), text.encode())

    def forget_begins(self) -> None:
        for fields in self.server.hashes.values():
            for field in [field for field in fields if field.startswith(BEGINS)]:
                del fields[field]

    def close(self) -> None:
        super().close()
        self._patch.stop()


def violated(invariant: str, what: str) -> None:
    raise AssertionError(f"{invariant}: {what}")


class SqliteWorld(LedgerWorld):
    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path
        self.settings = LedgerSettings(url=f"sqlite:///{path}", retry_seconds=patience(10))

    def dump(self) -> object:
        if not self.path.exists():
            return None
        with closing(sqlite3.connect(self.path)) as connection:
            return list(connection.iterdump())

    def overwrite_position(self, topic: str, partition: int, text: str) -> None:
        with closing(sqlite3.connect(self.path)) as connection, connection:
            connection.execute(
                "UPDATE positions SET position = ? WHERE topic = ? AND partition = ?", (text, topic, partition)
            )

    def forget_begins(self) -> None:
        with closing(sqlite3.connect(self.path)) as connection, connection:
            connection.execute("DELETE FROM metadata WHERE name LIKE '#m:%'")


WITH_JANITOR = (
    "sqlite",
    *(pytest.param(kind, marks=pytest.mark.servers) for kind in ("redis", "cluster")),
    pytest.param("valkey", marks=[pytest.mark.servers, pytest.mark.exhaustive]),
)
"""Kinds of places that a janitor works in; the simulated server is the one without."""


def world_of(kind: str, request: pytest.FixtureRequest, path: Path) -> LedgerWorld:
    """A place of a kind; servers are those that all tests share."""
    match kind:
        case "redis":
            return RedisWorld(request.getfixturevalue("redis_url"))
        case "valkey":
            return RedisWorld(request.getfixturevalue("valkey_server").url)
        case "cluster":
            return ClusterWorld(request.getfixturevalue("redis_cluster").url)
        case "simulated":
            return SimulatedWorld()
        case _:
            return SqliteWorld(path)


def refuse(place: LedgerWorld, refused: Batch) -> Answer:
    """Commit a batch that has to be refused, and see that it changed nothing (I4)."""
    before = place.dump()
    answer = place.ledger().commit(refused)
    assert place.dump() == before
    return answer


def balances(place: LedgerWorld) -> dict[str, int]:
    found = list(place.reader.balances())
    assert len({balance.owner_id for balance in found}) == len(found)
    return {balance.owner_id: balance.micros for balance in found}


def pass_over(janitor: Janitor, book: int) -> int:
    """Sweep a book to the end of a pass; return how many identities were removed."""
    return sum(swept.expired for swept in one_pass(janitor, book))
