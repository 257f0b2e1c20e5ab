"""What the core may expect of any log: a file and a Kafka topic."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing
from pathlib import Path
from typing import Protocol

import pytest
from aiokafka import ConsumerRebalanceListener
from kafka import KafkaProducer

from gmv.files.log import JsonLinesLog, partition_of
from gmv.kafka.admin import TopicAdmin
from gmv.kafka.log import KafkaLog
from gmv.settings import KafkaSettings
from gmv.stream.ports import Log
from gmv.stream.records import Bounds, Partition, Record
from tests.conftest import TopicFactory
from tests.services.kafka import KafkaBroker

RUN_RECORDS_MAX = 7
READS_WITHOUT_NEWS = 5
LINES = [b'{"number": %d}' % number for number in range(40)]


class LogPlace(Protocol):
    """A place of one partition that values can be appended to and read from as a log."""

    partition: Partition

    def append(self, values: Sequence[bytes]) -> None: ...

    def open(self) -> AbstractAsyncContextManager[Log]: ...


class FilePlace:
    def __init__(self, path: Path) -> None:
        self._path = path
        self.partition = partition_of(path)

    def append(self, values: Sequence[bytes]) -> None:
        with self._path.open("ab") as file:
            file.writelines(value + b"\n" for value in values)

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Log]:
        log = JsonLinesLog(self._path, RUN_RECORDS_MAX)
        yield log
        log.close()


class Arrival(ConsumerRebalanceListener):  # type: ignore[misc]
    def __init__(self) -> None:
        self.assigned = asyncio.Event()

    def on_partitions_revoked(self, revoked: object) -> None: ...

    def on_partitions_assigned(self, assigned: object) -> None:
        self.assigned.set()


class TopicPlace:
    def __init__(self, brokers: str, topic: str) -> None:
        self._settings = KafkaSettings(brokers=brokers, topic=topic, group=topic, run_records_max=RUN_RECORDS_MAX)
        self.partition = Partition(topic, 0)

    def append(self, values: Sequence[bytes]) -> None:
        producer = KafkaProducer(bootstrap_servers=self._settings.brokers)
        for value in values:
            producer.send(self.partition.topic, value)
        producer.flush()
        producer.close()

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Log]:
        with closing(
            await asyncio.to_thread(TopicAdmin, self._settings)
        ) as admin:  # it greets by an event loop of its own
            log = KafkaLog(self._settings, admin)
            arrival = Arrival()
            await log.start(arrival)
            await arrival.assigned.wait()
            yield log
            await log.stop()


@pytest.fixture(params=["file", pytest.param("kafka", marks=pytest.mark.servers)])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> LogPlace:
    if request.param == "file":
        made: LogPlace = FilePlace(tmp_path / "events.jsonl")
    else:
        broker: KafkaBroker = request.getfixturevalue("kafka")
        topic: TopicFactory = request.getfixturevalue("topic")
        made = TopicPlace(broker.address, topic(1))
    made.append(LINES)
    return made


async def read_on(log: Log, place: LogPlace) -> list[Record]:
    """Read until nothing new has come for a while."""
    records: list[Record] = []
    idle = 0
    while idle < READS_WITHOUT_NEWS:
        runs = await log.read()
        for run in runs:
            assert run.partition == place.partition
            assert 0 < len(run.records) <= RUN_RECORDS_MAX
            assert run.next_offset == run.records[-1].offset + 1
            records += run.records
        idle = 0 if runs else idle + 1
    return records


@pytest.mark.parametrize("offset", [0, 1, 6, 7, 39])
async def test_reads_every_record_in_order_from_where_it_was_sought(place: LogPlace, offset: int) -> None:
    async with place.open() as log:
        log.seek(place.partition, offset)
        records = await read_on(log, place)
    assert [(record.offset, record.value) for record in records] == list(enumerate(LINES))[offset:]


async def test_seeks_back_in_the_middle(place: LogPlace) -> None:
    async with place.open() as log:
        log.seek(place.partition, 30)
        await read_on(log, place)
        log.seek(place.partition, 3)
        assert [record.offset for record in await read_on(log, place)] == list(range(3, 40))


async def test_at_its_end_it_is_empty_until_it_grows(place: LogPlace) -> None:
    async with place.open() as log:
        log.seek(place.partition, 40)
        assert await read_on(log, place) == []
        place.append([b"more"])
        (more,) = await read_on(log, place)
    assert (more.offset, more.value) == (40, b"more")


async def test_bounds_and_identity(place: LogPlace) -> None:
    async with place.open() as log:
        identity = await log.topic_id()
        assert await log.bounds([place.partition]) == {place.partition: Bounds(0, 40)}
        place.append([b"more"])
        assert await log.bounds([place.partition]) == {place.partition: Bounds(0, 41)}
        assert await log.topic_id() == identity
        assert await log.bounds([]) == {}
    async with place.open() as log:
        assert await log.topic_id() == identity


@pytest.mark.servers
async def test_after_its_stop_a_topic_is_read_no_more(kafka: KafkaBroker, topic: TopicFactory) -> None:
    """A stop may come while who reads is busy between two reads; it is no failure of theirs."""
    place = TopicPlace(kafka.address, topic(1))
    place.append(LINES)
    async with place.open() as log:
        assert isinstance(log, KafkaLog)
        log.seek(place.partition, 0)
        await log.stop()
        assert await log.read() == []
