"""Faults of the log: brokers that go, recreated topics, records that are gone, transactions, no dead letters."""

import asyncio
import random
import signal
import time

from aiokafka import AIOKafkaProducer
from kafka import TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType

from gmv.errors import LogUnavailable, PositionOutsideLog
from gmv.operations.registering import Edge
from tests.end_to_end.command import command
from tests.faults.corpus import event
from tests.faults.producing import POISON
from tests.faults.scenario import Outcome, scenario
from tests.faults.world import PARTITIONS, Servers, World
from tests.kafka.test_pump import delete
from tests.kafka.world import Worker
from tests.services.kafka import KafkaBroker
from tests.services.proxy import Proxy
from tests.services.server import free_port

ABORTED = 900_000
"""Numbers of events that are sent and taken back."""


@scenario(6, "broker-kill", "SIGKILL of the one broker under load, and back after up to 5 s", runs=2)
def broker_kill(site: Servers, chance: random.Random) -> Outcome:
    return _broker_down(site, chance, is_killed=True)


@scenario(6, "broker-restart", "the one broker stopped in good order under load, and back after up to 5 s", runs=2)
def broker_restart(site: Servers, chance: random.Random) -> Outcome:
    return _broker_down(site, chance, is_killed=False)


def _broker_down(site: Servers, chance: random.Random, is_killed: bool) -> Outcome:
    with site.world(chance) as world:
        worker = world.fork()
        with world.crediting():
            time.sleep(chance.uniform(0, 1))
            (site.kafka.kill if is_killed else site.kafka.stop)()
            time.sleep(chance.uniform(0, 5))
            began, done = time.monotonic(), world.done()
            site.kafka.start()
            if not worker.is_running:  # `kafka.retry_seconds` is over: a supervisor's turn
                world.fork()
            seconds = world.wait_for_credits(done, began)
        world.finish()
    return Outcome(world.violations, [seconds], int(is_killed))


@scenario(15, "bad-network-kafka", "all connections to the broker are cut every second", runs=2)
def bad_network_kafka(site: Servers, chance: random.Random) -> Outcome:
    """The broker names the proxy's port as its own, so that clients go through it always."""
    port = free_port()
    broker = KafkaBroker({"advertised.listeners": f"PLAINTEXT://127.0.0.1:{port}"})
    with Proxy(broker.port, port) as proxy, broker:
        direct, site.kafka = site.kafka, broker
        try:
            with site.world(chance) as world:
                worker = world.fork()
                with world.crediting():
                    for _ in range(8):
                        time.sleep(chance.uniform(0.5, 1.5))
                        proxy.cut()
                    began, done = time.monotonic(), world.done()
                    world.expect_running(worker)
                    seconds = world.wait_for_credits(done, began)
                world.finish()
        finally:
            site.kafka = direct
    return Outcome(world.violations, [seconds])


@scenario(7, "sent-again", "`gmv emit` is killed at a random moment and run again whole, three times", runs=3)
def sent_again(site: Servers, chance: random.Random) -> Outcome:
    events = site.folder / "events.jsonl"
    lines = [event(number, chance) for number in range(1, 3_001)]
    events.write_bytes(b"\n".join(lines))
    with site.world(chance) as world:
        world.fork()
        emit = command("emit", events)
        for is_last in (False, False, False, True):
            emitting = Worker(emit, site.folder / "emit.log", site.folder, world.settings())
            if not is_last:
                time.sleep(chance.uniform(0.5, 2.5))
                emitting.end(signal.SIGKILL)
            elif code := emitting.end():
                world.violations.append(f"gmv emit ended with {code}: {emitting.said[-500:]}")
        world.finish()
        if (credited := world.snapshot().sums.credited) != len(lines):
            world.violations.append(f"I3: {credited} events are credited, {len(lines)} were made")
    return Outcome(world.violations, kills=3)


@scenario(
    19,
    "topic-recreated",
    "the topic is deleted and made again, with fewer records or more, under a frozen worker",
    runs=2,
)
def topic_recreated(site: Servers, chance: random.Random) -> Outcome:
    with site.world(chance) as world:
        worker = world.fork()
        world.credit(200)
        before = world.snapshot()
        worker.send(signal.SIGSTOP)
        delete(site.kafka, world.topic)
        site.kafka.create_topic(world.topic, PARTITIONS)
        with world.load() as load:
            load.send(chance.choice([20, 2_000]))
        worker.send(signal.SIGCONT)
        world.expect_exit(worker, PositionOutsideLog.exit_code)
        world.expect_exit(world.fork(), PositionOutsideLog.exit_code)
        _unchanged(world, before.balances)
    return Outcome(world.violations)


@scenario(20, "retention", "records beyond the position are deleted while no worker runs", runs=2)
def retention(site: Servers, chance: random.Random) -> Outcome:
    with site.world(chance) as world:
        worker = world.fork()
        world.credit(200)
        worker.end(signal.SIGKILL)
        with world.load() as load:
            load.send(200)
        before = world.snapshot()
        partition = chance.randrange(PARTITIONS)
        beyond = before.positions[world.topic, partition].next_offset + chance.randint(1, 10)
        with site.kafka.admin() as admin:
            admin.delete_records({TopicPartition(world.topic, partition): beyond})
        world.expect_exit(world.fork(), PositionOutsideLog.exit_code)
        if world.snapshot().positions[world.topic, partition] != before.positions[world.topic, partition]:
            world.violations.append("I8: the position went past records that are gone")
    return Outcome(world.violations)


@scenario(
    29,
    "topic-grows",
    "the topic is given partitions under load and registered from its end, as an upgrade does; workers are killed",
    runs=3,
)
def topic_grows(site: Servers, chance: random.Random) -> Outcome:
    with site.world(chance) as world:
        workers = {name: world.fork(name) for name in ("one", "two")}
        with world.crediting():
            time.sleep(chance.uniform(0.5, 2.0))
        world.grow(2)
        with world.load():
            for name in ("one", "two"):
                time.sleep(chance.uniform(0.5, 6.0))
                workers[name].end(signal.SIGKILL)
                workers[name] = world.fork(name)
                time.sleep(chance.uniform(0.0, 3.0))
                world.register(Edge.END)
        world.finish()
        began = {number: begin for (_, number), begin in world.snapshot().begins.items()}
        if any(begin.offset > begin.log_start for begin in began.values()) or len(began) != world.partitions:
            world.violations.append(f"I3: partitions began at {began}")
    return Outcome(world.violations, kills=2)


@scenario(
    22,
    "transactions",
    "half of the producer's transactions are aborted; their records and the markers leave gaps",
    runs=3,
)
def transactions(site: Servers, chance: random.Random) -> Outcome:
    with site.world(chance) as world:
        worker = world.fork()
        asyncio.run(_send_transactions(world, chance))
        world.finish()
        if any(int(event_id.split("/")[0]) >= ABORTED for event_id in world.credited()):
            world.violations.append("I3: an event of an aborted transaction is credited")
        world.expect_running(worker)
    return Outcome(world.violations)


async def _send_transactions(world: World, chance: random.Random) -> None:
    number = 0
    async with AIOKafkaProducer(
        bootstrap_servers=world.kafka.brokers, transactional_id=f"faults-{world.topic}"
    ) as producer:
        for _ in range(60):
            is_aborted = chance.random() < 0.5
            await producer.begin_transaction()
            for _ in range(chance.randint(1, 12)):
                number += 1
                value = event(number + ABORTED * is_aborted, chance)
                await producer.send(world.topic, value, partition=number % PARTITIONS)
            await producer.flush()
            await (producer.abort_transaction() if is_aborted else producer.commit_transaction())


@scenario(
    28,
    "no-dead-letter-topic",
    "the topic of dead letters takes none: no position passes poison; then it does again",
    runs=3,
)
def no_dead_letter_topic(site: Servers, chance: random.Random) -> Outcome:
    with site.world(chance) as world:
        worker = world.fork()
        with world.load() as load:
            load.send(100)
        world.wait_until_done()
        _limit_dead_letters(site.kafka, world, "10")
        poisoned = chance.randrange(PARTITIONS)
        fence = world.snapshot().positions[world.topic, poisoned]
        with world.load() as load:
            load.send_one(poisoned, chance.choice(POISON))
            load.send(200)
        world.expect_exit(worker, LogUnavailable.exit_code)
        if world.snapshot().positions[world.topic, poisoned] != fence:
            world.violations.append("I9: the position went past a record whose dead letter was refused")
        _limit_dead_letters(site.kafka, world, "1000000")
        began, done = time.monotonic(), world.done()
        world.fork()
        seconds = world.wait_for_credits(done, began)
        world.finish()
    return Outcome(world.violations, [seconds])


def _limit_dead_letters(kafka: KafkaBroker, world: World, bytes_max: str) -> None:
    limit = ConfigResource(ConfigResourceType.TOPIC, f"{world.topic}.dlq", {"max.message.bytes": bytes_max})
    with kafka.admin() as admin:
        admin.alter_configs([limit])


def _unchanged(world: World, before: object) -> None:
    if world.snapshot().balances != before:
        world.violations.append("I8: credits changed")
