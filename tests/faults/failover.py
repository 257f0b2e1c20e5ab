"""Faults of a ledger with a replica: one that is behind takes over; two primaries at once."""

import random
import time
from collections.abc import Iterator
from contextlib import contextmanager

from tests.faults.scenario import Outcome, scenario
from tests.faults.world import Servers
from tests.ledger.servers import client
from tests.services.proxy import Proxy
from tests.services.redis import RedisServer
from tests.services.server import wait_for


@scenario(10, "lagging-replica", "a replica that is behind becomes primary; clients are turned to it", runs=3)
def lagging_replica(site: Servers, chance: random.Random) -> Outcome:
    with _replicated() as (primary, replica), site.world(chance, primary) as world, Proxy(primary.port) as proxy:
        world.may_go_back = True
        world.ledger_url = proxy.url
        world.fork()
        with world.crediting():
            client(replica).replicaof("NO", "ONE")  # what the primary acknowledges from here on is lost
            time.sleep(chance.uniform(0.2, 2))
            primary.kill()
            world.redis, began = replica, time.monotonic()
            proxy.turn_to(replica.port)
            seconds = world.wait_for_credits(world.done(), began)
        world.finish()
    return Outcome(world.violations, [seconds], 1)


@scenario(
    11, "split-brain", "two workers on two primaries, that both take commits; one becomes the other's replica", runs=3
)
def split_brain(site: Servers, chance: random.Random) -> Outcome:
    with (
        _replicated() as (old, new),
        site.world(chance, old) as world,
        Proxy(old.port) as to_one,
        Proxy(old.port) as to_other,
    ):
        world.may_go_back = True
        world.fork(None, ledger_url=to_one.url)
        world.fork(None, ledger_url=to_other.url)
        with world.crediting():
            wait_for(
                lambda: all(each.next_offset for each in world.snapshot().positions.values()), 60, "all partitions"
            )
            client(new).replicaof("NO", "ONE")
            to_other.turn_to(new.port)
            time.sleep(chance.uniform(0.5, 3))
            world.redis = new
            client(old).replicaof("127.0.0.1", new.port)
            began, done = time.monotonic(), world.done()
            to_one.turn_to(new.port)
            seconds = world.wait_for_credits(done, began)
        world.finish()
    return Outcome(world.violations, [seconds])


@contextmanager
def _replicated() -> Iterator[tuple[RedisServer, RedisServer]]:
    with RedisServer() as primary, RedisServer() as replica:
        client(primary).config_set("repl-diskless-sync-delay", 0)
        client(replica).replicaof("127.0.0.1", primary.port)
        wait_for(lambda: client(replica).info("replication")["master_link_status"] == "up", 20, "the replica to follow")
        yield primary, replica
