"""Faults of workers: killed, frozen, doubled, replaced all the time, short of memory, of two versions."""

import random
import resource
import signal
import time
from functools import partial
from pathlib import Path

import gmv
from tests.faults.scenario import Outcome, scenario
from tests.faults.stage import END_SECONDS_MAX, SESSION_SECONDS, Site, Stage
from tests.services.proxy import Moment, Proxy
from tests.services.server import POLL_SECONDS, wait_for

KILLS_PER_RUN_MAX = 2
NEXT_VERSION = "99.0.0"
RECOVERIES = 20
DEFAULT = dict.fromkeys(("kafka_session_seconds", "kafka_heartbeat_seconds", "kafka_run_records_max"))
"""What `Stage.settings` leaves to gmv's own defaults."""


@scenario(1, "kill", "SIGKILL at a random moment under load, also while it starts; a new one at once", runs=100)
def kill(site: Site, chance: random.Random) -> Outcome:
    times: list[float] = []
    with site.stage(chance) as stage:
        worker = stage.fork()
        with stage.crediting():
            for _ in range(chance.randint(1, KILLS_PER_RUN_MAX)):
                time.sleep(chance.uniform(0, 0.8))
                worker.end(signal.SIGKILL)
                began, done = time.monotonic(), stage.done()
                worker = stage.fork()
                if chance.random() < 0.3:  # and once more while it starts
                    time.sleep(chance.uniform(0, 0.5))
                    worker.end(signal.SIGKILL)
                    worker = stage.fork()
                times.append(stage.wait_for_credits(done, began))
        stage.finish()
    return Outcome(stage.violations, times, stage.starts - 1)


@scenario(1, "kill-before-commit", "SIGKILL when the commit has been sent, before the server gets it", runs=50)
def kill_before_commit(site: Site, chance: random.Random) -> Outcome:
    return _killed_at_commits(site, chance, "request")


@scenario(1, "kill-after-commit", "SIGKILL when the commit has been applied, before its answer arrives", runs=50)
def kill_after_commit(site: Site, chance: random.Random) -> Outcome:
    return _killed_at_commits(site, chance, "reply")


def _killed_at_commits(site: Site, chance: random.Random, when: Moment) -> Outcome:
    times: list[float] = []
    with site.stage(chance) as stage, Proxy(site.redis.port) as proxy:
        stage.ledger_url = proxy.url
        worker = stage.fork()
        with stage.crediting():
            for _ in range(chance.randint(1, KILLS_PER_RUN_MAX)):
                proxy.at_commit(chance.randint(1, 6), when, partial(worker.send, signal.SIGKILL))
                worker.end()
                began, done = time.monotonic(), stage.done()
                worker = stage.fork()
                times.append(stage.wait_for_credits(done, began))
        stage.finish()
    return Outcome(stage.violations, times, stage.starts - 1)


@scenario(
    1,
    "recovery",
    "20 x SIGKILL at a random moment, each time a new process at once, imports included; default settings",
)
def recovery(site: Site, chance: random.Random) -> Outcome:
    """As Kubernetes starts a StatefulSet's pod again: static membership, a session of 30 s."""
    times: list[float] = []
    with site.stage(chance) as stage:
        worker = stage.start({}, kafka_instance_id="one", **DEFAULT)
        with stage.crediting(60, first_seconds_max=120):
            for _ in range(RECOVERIES):
                time.sleep(chance.uniform(0.2, 1.5))
                worker.end(signal.SIGKILL)
                began, done = time.monotonic(), stage.done()
                worker = stage.start({}, kafka_instance_id="one", **DEFAULT)
                times.append(stage.wait_for_credits(done, began))
        stage.finish()
    return Outcome(stage.violations, times, RECOVERIES)


@scenario(
    1,
    "takeover",
    "SIGKILL of one of two workers, which stays away: the other has to take over, by default settings",
    runs=2,
)
def takeover(site: Site, chance: random.Random) -> Outcome:
    with site.stage(chance) as stage:
        victim, _ = stage.fork("one", **DEFAULT), stage.fork("two", **DEFAULT)
        with stage.load():
            wait_for(lambda: _all_move(stage), 120, "credits in all partitions")
            victim.end(signal.SIGKILL)
            began, before = time.monotonic(), _positions(stage)
            wait_for(
                lambda: all(_positions(stage)[each] > before[each] for each in before),
                END_SECONDS_MAX,
                "I7: all partitions",
            )
            seconds = time.monotonic() - began
        stage.finish()
    return Outcome(stage.violations, [seconds], 1)


@scenario(3, "zombie", "SIGSTOP past the session, another takes over and commits, SIGCONT", runs=3)
def zombie(site: Site, chance: random.Random) -> Outcome:
    with site.stage(chance) as stage:
        frozen = stage.fork(None)
        with stage.crediting():
            time.sleep(chance.uniform(0, 0.5))
            frozen.send(signal.SIGSTOP)
            began, done = time.monotonic(), stage.done()
            stage.fork(None)
            seconds = stage.wait_for_credits(done, began)
            frozen.send(signal.SIGCONT)
            time.sleep(3)
        stage.finish()
        stage.expect_running(frozen)
    return Outcome(stage.violations, [seconds])


@scenario(4, "double-assignment", "two workers that both own every partition, in two groups over one ledger", runs=3)
def double_assignment(site: Site, chance: random.Random) -> Outcome:
    with site.stage(chance) as stage:
        workers = [stage.fork(None, kafka_group=f"{stage.topic}-{name}") for name in "ab"]
        with stage.crediting():
            time.sleep(2 * SESSION_SECONDS)
        stage.finish()
        if not any(worker.is_running for worker in workers):
            stage.violations.append(f"I7: both workers ended: {workers[0].said[-500:]}")
    return Outcome(stage.violations)


@scenario(
    4, "one-name-twice", "two workers under one static member's name, both started again whenever they end", runs=2
)
def one_name_twice(site: Site, chance: random.Random) -> Outcome:
    with site.stage(chance) as stage:
        workers = [stage.fork("one"), stage.fork("one")]
        with stage.crediting():
            until = time.monotonic() + 10
            while time.monotonic() < until:
                workers = [each if each.is_running else stage.fork("one") for each in workers]
                time.sleep(0.5)
        workers[0].end(signal.SIGKILL)
        if not workers[1].is_running:
            stage.fork("one")
        stage.finish()
    return Outcome(stage.violations)


@scenario(5, "rebalance-storm", "workers join, leave and are killed every second or two", runs=3)
def rebalance_storm(site: Site, chance: random.Random) -> Outcome:
    with site.stage(chance) as stage:
        workers = [stage.fork(None)]
        killed = 0
        with stage.crediting():
            for _ in range(12):
                time.sleep(chance.uniform(0.3, 2))
                if len(workers) < 2 or (len(workers) < 4 and chance.random() < 0.5):
                    workers.append(stage.fork(None))
                    continue
                leaving = workers.pop(chance.randrange(len(workers)))
                is_killed = chance.random() < 0.5
                killed += is_killed
                leaving.end(signal.SIGKILL if is_killed else signal.SIGTERM)
        began, done = time.monotonic(), stage.done()
        times = [stage.wait_for_credits(done, began)] if _behind(stage) else []
        stage.finish()
    return Outcome(stage.violations, times, killed)


@scenario(
    25, "out-of-memory", "the address space is limited to what the worker has; what ends is started again", runs=3
)
def out_of_memory(site: Site, chance: random.Random) -> Outcome:
    with site.stage(chance) as stage:
        worker = stage.fork()
        with stage.crediting():
            mapped = int(Path(f"/proc/{worker.pid}/statm").read_text().split()[0]) * resource.getpagesize()
            limit = mapped + chance.randrange(2**20)
            resource.prlimit(worker.pid, resource.RLIMIT_AS, (limit, limit))
            time.sleep(3)
            began, done = time.monotonic(), stage.done()
            if worker.is_running:
                worker.end(signal.SIGKILL)
            stage.fork()
            seconds = stage.wait_for_credits(done, began)
        stage.finish()
    return Outcome(stage.violations, [seconds], 1)


@scenario(26, "rolling-upgrade", "a worker of the next version joins, then the one of this version leaves", runs=2)
def rolling_upgrade(site: Site, chance: random.Random) -> Outcome:
    with site.stage(chance) as stage:
        old = stage.fork(None)
        with stage.crediting(50):
            stage.start({"PYTHONPATH": str(_next_version(site.folder))})
            wait_for(lambda: f'"version":"{NEXT_VERSION}"' in stage.log.read_text(), 120, "the next version")
            time.sleep(chance.uniform(1, 4))
            began, done = time.monotonic(), stage.done()
            if code := old.end(signal.SIGTERM):
                stage.violations.append(f"I7: the old version ended with {code}")
            seconds = stage.wait_for_credits(done, began)
        stage.finish()
    return Outcome(stage.violations, [seconds])


def _next_version(folder: Path) -> Path:
    """Return what to import the next version of gmv from: all of this one, but for its number."""
    source = folder / "next" / "gmv"
    source.mkdir(parents=True, exist_ok=True)
    real = Path(gmv.__file__).parent
    (source / "__init__.py").write_text(f'__version__ = "{NEXT_VERSION}"\n__path__ = [{str(real)!r}]\n')
    return source.parent


def _positions(stage: Stage) -> dict[int, int]:
    return {number: position.next_offset for (_, number), position in stage.snapshot().positions.items()}


def _all_move(stage: Stage) -> bool:
    return all(offset > 0 for offset in _positions(stage).values())


def _behind(stage: Stage) -> bool:
    before = stage.done()
    time.sleep(POLL_SECONDS)
    return stage.done() == before
