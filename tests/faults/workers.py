"""Faults of workers: killed, frozen, doubled, replaced all the time, short of memory, of two versions."""

import random
import resource
import signal
import time
from functools import partial
from pathlib import Path

import gmv
from tests.faults.scenario import Outcome, scenario
from tests.faults.world import END_SECONDS_MAX, SESSION_SECONDS, Servers, World
from tests.services.proxy import Moment, Proxy
from tests.services.server import POLL_SECONDS, wait_for

KILLS_PER_RUN_MAX = 2
NEXT_VERSION = "99.0.0"
RECOVERIES = 20
DEFAULT = dict.fromkeys(("kafka_session_seconds", "kafka_heartbeat_seconds", "kafka_run_records_max"))
"""What `World.settings` leaves to gmv's own defaults."""


@scenario(1, "kill", "SIGKILL at a random moment under load, also while it starts; a new one at once", runs=100)
def kill(site: Servers, chance: random.Random) -> Outcome:
    times: list[float] = []
    with site.world(chance) as world:
        worker = world.fork()
        with world.crediting():
            for _ in range(chance.randint(1, KILLS_PER_RUN_MAX)):
                time.sleep(chance.uniform(0, 0.8))
                worker.end(signal.SIGKILL)
                began, done = time.monotonic(), world.done()
                worker = world.fork()
                if chance.random() < 0.3:  # and once more while it starts
                    time.sleep(chance.uniform(0, 0.5))
                    worker.end(signal.SIGKILL)
                    worker = world.fork()
                times.append(world.wait_for_credits(done, began))
        world.finish()
    return Outcome(world.violations, times, world.starts - 1)


@scenario(1, "kill-before-commit", "SIGKILL when the commit has been sent, before the server gets it", runs=50)
def kill_before_commit(site: Servers, chance: random.Random) -> Outcome:
    return _killed_at_commits(site, chance, "request")


@scenario(1, "kill-after-commit", "SIGKILL when the commit has been applied, before its answer arrives", runs=50)
def kill_after_commit(site: Servers, chance: random.Random) -> Outcome:
    return _killed_at_commits(site, chance, "reply")


def _killed_at_commits(site: Servers, chance: random.Random, when: Moment) -> Outcome:
    times: list[float] = []
    with site.world(chance) as world, Proxy(site.redis.port) as proxy:
        world.ledger_url = proxy.url
        worker = world.fork()
        with world.crediting():
            for _ in range(chance.randint(1, KILLS_PER_RUN_MAX)):
                proxy.at_commit(chance.randint(1, 6), when, partial(worker.send, signal.SIGKILL))
                worker.end()
                began, done = time.monotonic(), world.done()
                worker = world.fork()
                times.append(world.wait_for_credits(done, began))
        world.finish()
    return Outcome(world.violations, times, world.starts - 1)


@scenario(
    1,
    "recovery",
    "20 x SIGKILL at a random moment, each time a new process at once, imports included; default settings",
)
def recovery(site: Servers, chance: random.Random) -> Outcome:
    """As Kubernetes starts a StatefulSet's pod again: static membership, a session of 30 s."""
    times: list[float] = []
    with site.world(chance) as world:
        worker = world.start({}, kafka_instance_id="one", **DEFAULT)
        with world.crediting(60, first_seconds_max=120):
            for _ in range(RECOVERIES):
                time.sleep(chance.uniform(0.2, 1.5))
                worker.end(signal.SIGKILL)
                began, done = time.monotonic(), world.done()
                worker = world.start({}, kafka_instance_id="one", **DEFAULT)
                times.append(world.wait_for_credits(done, began))
        world.finish()
    return Outcome(world.violations, times, RECOVERIES)


@scenario(
    1,
    "takeover",
    "SIGKILL of one of two workers, which stays away: the other has to take over, by default settings",
    runs=2,
)
def takeover(site: Servers, chance: random.Random) -> Outcome:
    with site.world(chance) as world:
        victim, _ = world.fork("one", **DEFAULT), world.fork("two", **DEFAULT)
        with world.load():
            wait_for(lambda: _all_move(world), 120, "credits in all partitions")
            victim.end(signal.SIGKILL)
            began, before = time.monotonic(), _positions(world)
            wait_for(
                lambda: all(_positions(world)[each] > before[each] for each in before),
                END_SECONDS_MAX,
                "I7: all partitions",
            )
            seconds = time.monotonic() - began
        world.finish()
    return Outcome(world.violations, [seconds], 1)


@scenario(3, "zombie", "SIGSTOP past the session, another takes over and commits, SIGCONT", runs=3)
def zombie(site: Servers, chance: random.Random) -> Outcome:
    with site.world(chance) as world:
        frozen = world.fork(None)
        with world.crediting():
            time.sleep(chance.uniform(0, 0.5))
            frozen.send(signal.SIGSTOP)
            began, done = time.monotonic(), world.done()
            world.fork(None)
            seconds = world.wait_for_credits(done, began)
            frozen.send(signal.SIGCONT)
            time.sleep(3)
        world.finish()
        world.expect_running(frozen)
    return Outcome(world.violations, [seconds])


@scenario(4, "double-assignment", "two workers that both own every partition, in two groups over one ledger", runs=3)
def double_assignment(site: Servers, chance: random.Random) -> Outcome:
    with site.world(chance) as world:
        workers = [world.fork(None, kafka_group=f"{world.topic}-{name}") for name in "ab"]
        with world.crediting():
            time.sleep(2 * SESSION_SECONDS)
        world.finish()
        if not any(worker.is_running for worker in workers):
            world.violations.append(f"I7: both workers ended: {workers[0].said[-500:]}")
    return Outcome(world.violations)


@scenario(4, "one-name-twice", "two workers under one static member's name, both started again when they end", runs=2)
def one_name_twice(site: Servers, chance: random.Random) -> Outcome:
    with site.world(chance) as world:
        workers = [world.fork("one"), world.fork("one")]
        with world.crediting():
            until = time.monotonic() + 10
            while time.monotonic() < until:
                workers = [each if each.is_running else world.fork("one") for each in workers]
                time.sleep(0.5)
        workers[0].end(signal.SIGKILL)
        if not workers[1].is_running:
            world.fork("one")
        world.finish()
    return Outcome(world.violations)


@scenario(5, "rebalance-storm", "workers join, leave and are killed every second or two", runs=3)
def rebalance_storm(site: Servers, chance: random.Random) -> Outcome:
    with site.world(chance) as world:
        workers = [world.fork(None)]
        killed = 0
        with world.crediting():
            for _ in range(12):
                time.sleep(chance.uniform(0.3, 2))
                if len(workers) < 2 or (len(workers) < 4 and chance.random() < 0.5):
                    workers.append(world.fork(None))
                    continue
                leaving = workers.pop(chance.randrange(len(workers)))
                is_killed = chance.random() < 0.5
                killed += is_killed
                leaving.end(signal.SIGKILL if is_killed else signal.SIGTERM)
        began, done = time.monotonic(), world.done()
        times = [world.wait_for_credits(done, began)] if _behind(world) else []
        world.finish()
    return Outcome(world.violations, times, killed)


@scenario(
    25, "out-of-memory", "the address space is limited to what the worker has; what ends is started again", runs=3
)
def out_of_memory(site: Servers, chance: random.Random) -> Outcome:
    with site.world(chance) as world:
        worker = world.fork()
        with world.crediting():
            mapped = int(Path(f"/proc/{worker.pid}/statm").read_text().split()[0]) * resource.getpagesize()
            limit = mapped + chance.randrange(2**20)
            resource.prlimit(worker.pid, resource.RLIMIT_AS, (limit, limit))
            time.sleep(3)
            began, done = time.monotonic(), world.done()
            if worker.is_running:
                worker.end(signal.SIGKILL)
            world.fork()
            seconds = world.wait_for_credits(done, began)
        world.finish()
    return Outcome(world.violations, [seconds], 1)


@scenario(26, "rolling-upgrade", "a worker of the next version joins, then the one of this version leaves", runs=2)
def rolling_upgrade(site: Servers, chance: random.Random) -> Outcome:
    with site.world(chance) as world:
        old = world.fork(None)
        with world.crediting(50):
            world.start({"PYTHONPATH": str(_next_version(site.folder))})
            wait_for(lambda: f'"version":"{NEXT_VERSION}"' in world.log.read_text(), 120, "the next version")
            time.sleep(chance.uniform(1, 4))
            began, done = time.monotonic(), world.done()
            if code := old.end(signal.SIGTERM):
                world.violations.append(f"I7: the old version ended with {code}")
            seconds = world.wait_for_credits(done, began)
        world.finish()
    return Outcome(world.violations, [seconds])


def _next_version(folder: Path) -> Path:
    """Return what to import the next version of gmv from: all of this one, but for its number."""
    source = folder / "next" / "gmv"
    source.mkdir(parents=True, exist_ok=True)
    real = Path(gmv.__file__).parent
    (source / "__init__.py").write_text(f'__version__ = "{NEXT_VERSION}"\n__path__ = [{str(real)!r}]\n')
    return source.parent


def _positions(world: World) -> dict[int, int]:
    return {number: position.next_offset for (_, number), position in world.snapshot().positions.items()}


def _all_move(world: World) -> bool:
    return all(offset > 0 for offset in _positions(world).values())


def _behind(world: World) -> bool:
    before = world.done()
    time.sleep(POLL_SECONDS)
    return world.done() == before
