"""Faults of the ledger's server: killed, torn, emptied, full, slow, put back."""

import contextlib
import os
import random
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from gmv.errors import LedgerMissing
from tests.faults.scenario import NotHere, Outcome, scenario
from tests.faults.world import Servers, World
from tests.ledger.servers import client, log_of
from tests.services.proxy import Proxy
from tests.services.redis import Fsync, RedisServer
from tests.services.server import wait_for

TMPFS_BYTES = 4 * 2**20
CUT_BYTES_MAX = 40_000


@scenario(2, "reply-lost", "a commit is applied and its answer lost, again and again", runs=3)
def reply_lost(site: Servers, chance: random.Random) -> Outcome:
    with site.world(chance) as world, Proxy(site.redis.port) as proxy:
        world.ledger_url = proxy.url
        world.fork()
        times: list[float] = []
        with world.crediting():
            for _ in range(10):
                struck = proxy.strikes
                proxy.at_commit(chance.randint(1, 5), "reply", lambda: None)
                wait_for(partial(_has_struck, proxy, struck), 30, "a lost answer")
                times.append(world.wait_for_credits(world.done(), time.monotonic()))
        world.finish()
    return Outcome(world.violations, times)


@scenario(8, "redis-kill-everysec", "SIGKILL of Redis under load, appendfsync everysec", runs=4)
def redis_kill_everysec(site: Servers, chance: random.Random) -> Outcome:
    return _redis_killed(site, chance, "everysec")


@scenario(8, "redis-kill-always", "SIGKILL of Redis under load, appendfsync always", runs=4)
def redis_kill_always(site: Servers, chance: random.Random) -> Outcome:
    return _redis_killed(site, chance, "always")


def _redis_killed(site: Servers, chance: random.Random, appendfsync: Fsync) -> Outcome:
    times: list[float] = []
    with RedisServer(appendfsync) as redis, site.world(chance, redis) as world:
        world.may_go_back = appendfsync != "always"
        world.fork()
        with world.crediting():
            for _ in range(3):
                time.sleep(chance.uniform(0.1, 1))
                redis.kill()
                time.sleep(chance.uniform(0, 2))
                times.append(_back(world, redis))
        world.finish()
    return Outcome(world.violations, times, 3)


@scenario(
    9,
    "power-loss",
    "SIGKILL of Redis, its log cut at a random byte, back under the same worker; twice more at the end",
    runs=4,
)
def power_loss(site: Servers, chance: random.Random) -> Outcome:
    times: list[float] = []
    with RedisServer("everysec") as redis, site.world(chance, redis) as world:
        world.may_go_back = True
        world.fork(kafka_run_records_max=chance.randint(1, 60))
        with world.crediting():
            whole = log_of(redis).stat().st_size  # the ledger is there: who cuts it away meets `missing`, another fault
            for _ in range(5):
                time.sleep(chance.uniform(0.2, 1))
                redis.kill()
                size = log_of(redis).stat().st_size
                os.truncate(log_of(redis), max(whole, size - chance.randrange(CUT_BYTES_MAX)))
                times.append(_back(world, redis))
        world.finish()
        _restart_twice(world, redis)
    return Outcome(world.violations, times, 5)


@scenario(13, "script-flush", "SCRIPT FLUSH ten times a second", runs=2)
def script_flush(site: Servers, chance: random.Random) -> Outcome:
    with site.world(chance) as world:
        worker = world.fork()
        with world.crediting():
            for _ in range(50):
                client(site.redis).script_flush()
                time.sleep(0.1)
            seconds = world.wait_for_credits(world.done(), time.monotonic())
        world.finish()
        world.expect_running(worker)
    return Outcome(world.violations, [seconds])


@scenario(14, "flushall", "FLUSHALL under load: the worker stops, and nothing is written", runs=3)
def flushall(site: Servers, chance: random.Random) -> Outcome:
    with RedisServer() as redis, site.world(chance, redis) as world:
        worker = world.fork()
        with world.crediting():
            time.sleep(chance.uniform(0, 0.5))
            client(redis).flushall()
            world.expect_exit(worker, LedgerMissing.exit_code)
            world.expect_exit(world.fork(), LedgerMissing.exit_code)
        if found := client(redis).keys():
            world.violations.append(f"I8: the emptied server holds {found!r}")
    return Outcome(world.violations)


@scenario(15, "bad-network", "answers of Redis come late, one in 30 connections is cut at each of them", runs=3)
def bad_network(site: Servers, chance: random.Random) -> Outcome:
    with site.world(chance) as world, Proxy(site.redis.port) as proxy:
        world.ledger_url = proxy.url
        worker = world.fork()
        with world.crediting():
            proxy.delay_seconds, proxy.cut_chance = 0.02, 1 / 30
            time.sleep(8)
            proxy.delay_seconds, proxy.cut_chance = 0.0, 0.0
            seconds = world.wait_for_credits(world.done(), time.monotonic())
        world.finish()
        world.expect_running(worker)
    return Outcome(world.violations, [seconds])


@scenario(23, "disk-full-everysec", "the disk of Redis is full for 5 s, appendfsync everysec", runs=2)
def disk_full_everysec(site: Servers, chance: random.Random) -> Outcome:
    return _disk_full(site, chance, "everysec")


@scenario(
    23, "disk-full-always", "the disk of Redis is full: with appendfsync always it ends, and is started again", runs=2
)
def disk_full_always(site: Servers, chance: random.Random) -> Outcome:
    return _disk_full(site, chance, "always")


def _disk_full(site: Servers, chance: random.Random, appendfsync: Fsync) -> Outcome:
    with _small_disk(site.folder) as disk:
        redis = RedisServer(appendfsync, ["--dir", str(disk), "--aof-use-rdb-preamble", "no"])
        with redis, site.world(chance, redis) as world:
            worker = world.fork()
            with world.crediting():
                ballast = disk / "ballast"
                _fill(ballast)
                time.sleep(5)
                ballast.unlink()
                if not _answers(redis):
                    redis.kill()
                seconds = _back(world, redis) if not redis.is_running else _credits_again(world)
            world.finish()
            world.expect_running(worker)
    return Outcome(world.violations, [seconds])


@scenario(24, "redis-out-of-memory", "maxmemory below what is used, for 5 s", runs=2)
def redis_out_of_memory(site: Servers, chance: random.Random) -> Outcome:
    with RedisServer() as redis, site.world(chance, redis) as world:
        worker = world.fork()
        with world.crediting():
            client(redis).config_set("maxmemory", "1")
            time.sleep(5)
            before = world.done()
            time.sleep(0.5)
            if world.done() != before:
                world.violations.append("I4: positions moved while the server refused writes")
            client(redis).config_set("maxmemory", "0")
            seconds = _credits_again(world)
        world.finish()
        world.expect_running(worker)
    return Outcome(world.violations, [seconds])


@scenario(27, "backup-restored", "the files of an earlier moment put back over a server that went on", runs=3)
def backup_restored(site: Servers, chance: random.Random) -> Outcome:
    with RedisServer() as redis, site.world(chance, redis) as world:
        world.may_go_back = True
        world.fork()
        with world.crediting():
            backup = _back_up(redis)
            time.sleep(chance.uniform(2, 4))
            redis.kill()
            shutil.rmtree(redis.folder / "appendonlydir")
            backup.rename(redis.folder / "appendonlydir")
            seconds = _back(world, redis)
        world.finish()
    return Outcome(world.violations, [seconds], 1)


def _has_struck(proxy: Proxy, before: int) -> bool:
    return proxy.strikes > before


def _back(world: World, redis: RedisServer) -> float:
    """Start the server again; seconds from then to the next credit."""
    began = time.monotonic()
    redis.start()
    return world.wait_for_credits(world.done(), began)


def _credits_again(world: World) -> float:
    return world.wait_for_credits(world.done(), time.monotonic())


def _restart_twice(world: World, redis: RedisServer) -> None:
    """What double counts after a torn commit of several writes is a second restart."""
    before = world.snapshot()
    for _ in range(2):
        redis.kill()
        redis.start()
    after = world.snapshot()
    if (after.balances, after.positions) != (before.balances, before.positions):
        world.violations.append(f"I2: {dict(before.balances)} became {dict(after.balances)} by restarts")


def _answers(redis: RedisServer) -> bool:
    return redis.is_running and redis.is_ready()


def _back_up(redis: RedisServer) -> Path:
    """Copy the files of one moment: a server at rest, since a copy of a growing one is of no moment."""
    redis.stop()
    copied = shutil.copytree(redis.folder / "appendonlydir", redis.folder / "backup")
    redis.start()
    return Path(copied)


@contextmanager
def _small_disk(folder: Path) -> Iterator[Path]:
    disk = folder / "disk"
    disk.mkdir(exist_ok=True)
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={TMPFS_BYTES}", "gmv-faults", str(disk)], capture_output=True, text=True
    )
    if mounted.returncode:
        raise NotHere(f"mounting a small disk takes root ({mounted.stderr.strip()})")
    try:
        yield disk
    finally:
        subprocess.run(["umount", "--lazy", str(disk)], check=True)


def _fill(ballast: Path) -> None:
    with contextlib.suppress(OSError), ballast.open("wb", buffering=0) as file:
        while file.write(bytes(4_096)):
            pass
