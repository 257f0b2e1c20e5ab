"""What is said while a commit waits for a server: which state it is in, and since when, and once that it is over."""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from gmv.ledger.open import open_ledger
from gmv.ledger.port import Answer, Committed
from gmv.monitoring.reachability import Reachability
from gmv.monitoring.watched_servers import WatchedLedger
from gmv.settings import LedgerSettings
from tests.ledger.batches import at, batch
from tests.ledger.redis.test_server_states import (
    Hinder,
    a_replica,
    cured,
    disk_refuses,
    out_of_memory,
    too_few_replicas,
)
from tests.ledger.servers import client
from tests.monitoring.world import Lines
from tests.services.patience import patience
from tests.services.redis import RedisServer
from tests.services.server import wait_for

pytestmark = pytest.mark.servers
ON_VALKEY_TOO = True


def killed(server: RedisServer) -> None:
    server.kill()


def frozen(server: RedisServer) -> None:
    os.kill(client(server).info("server")["process_id"], signal.SIGSTOP)


@contextmanager
def hindered(server: RedisServer, hinder: Hinder) -> Iterator[None]:
    process_id = client(server).info("server")["process_id"]
    hinder(server)
    yield
    if hinder is killed:
        server.start()
    elif hinder is frozen:
        os.kill(process_id, signal.SIGCONT)
    else:
        cured(server)


@pytest.mark.parametrize(
    ("hinder", "why"),
    [
        (killed, "Connection refused"),
        (frozen, "it does not answer"),
        (out_of_memory, "raise its maxmemory"),
        (too_few_replicas, "bring them back"),
        (a_replica, "address of the primary"),
        (disk_refuses, "make space"),
    ],
)
def test_a_commit_that_waits_is_said_with_the_cause(
    server: RedisServer, settings: LedgerSettings, hinder: Hinder, why: str
) -> None:
    log = Lines()
    watched = Reachability("the ledger", server.url, log)
    patient = settings.model_copy(update={"retry_seconds": patience(20)})
    ledger = WatchedLedger(open_ledger(patient, watched.failed), watched)
    assert ledger.commit(batch(credits={"alice": 1})) == Committed()
    assert watched.complaint() is None
    answers: list[Answer] = []
    commit: Callable[[], None] = lambda: answers.append(ledger.commit(batch(at(10), credits={"alice": 1})))  # noqa: E731
    with hindered(server, hinder):
        waiting = threading.Thread(target=commit)
        waiting.start()
        complaint = wait_for(lambda: watched.complaint() or "", 20, "a complaint")
        watched.look()
    waiting.join()
    assert len(answers) == 1
    assert server.url in complaint
    assert why in complaint
    assert watched.complaint() is None
    said = [(event, fields.get("why")) for level, event, fields in log.lines if level != "debug"]
    assert [event for event, _ in said] == ["server_away", "server_back"]
    assert why in str(said[0][1])
