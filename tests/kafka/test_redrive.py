"""Dead letters sent once more, on a real broker, and what workers make of them."""

import asyncio
import signal
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from pathlib import Path

import orjson
import pytest
from kafka import KafkaProducer

from gmv.errors import EventsRefused, LogRefused, LogUnavailable, Poison, Reason
from gmv.kafka.dead_letters import dead_letter_message, dead_letters_in_topic
from gmv.kafka.redrive import TopicOfEvents
from gmv.kafka.rights import rights
from gmv.operations.redriving import plan, selected, send
from gmv.settings import KafkaSettings
from gmv.stream.dead_letters import REPLAYED_FROM, FoundDeadLetter, Wanted
from gmv.stream.ports import DeadLetter
from gmv.stream.records import Partition, Record
from tests.conftest import TopicFactory
from tests.events.samples import envelope
from tests.kafka.world import World, new_world, reading
from tests.services.kafka import KafkaBroker
from tests.services.patience import patience
from tests.services.secure_kafka import SecureKafkaBroker
from tests.services.server import free_port

PARTITIONS = 4


def event(name: str, owners: Sequence[str] = ("ada", "ben")) -> bytes:
    """An event to gmv, and to the workers of these tests as well."""
    data = {"image": {"bytes": ""}}
    return orjson.dumps(envelope(source="/test", id=name, data=data, owners=owners, says=0))


def redrive(kafka: KafkaSettings, wanted: Wanted | None = None) -> int:
    made = plan(dead_letters_in_topic(kafka), wanted or Wanted(), kafka.topic, range(PARTITIONS), False, None, None)
    return send_dead_letters(kafka, selected(dead_letters_in_topic(kafka), made.chosen))


def send_dead_letters(kafka: KafkaSettings, dead_letters: Iterable[FoundDeadLetter]) -> int:
    async def run() -> int:
        async with TopicOfEvents(kafka) as destination:
            return (await send(dead_letters, destination, 1e6, lambda _: None, None)).sent

    return asyncio.run(run())


def dead_letter(kafka: KafkaSettings, partition: int, record: Record, times: int = 1) -> None:
    """Put a record among the dead letters, as a worker would; it may be credited now."""
    poison = Poison(Reason.IMAGE_UNREACHABLE, "the store was away")
    with closing(KafkaProducer(bootstrap_servers=kafka.brokers, acks="all")) as producer:
        for _ in range(times):
            dead_letter = dead_letter_message(Partition(kafka.topic, partition), DeadLetter(record, poison), "g")
            producer.send(kafka.dead_letters_topic, **dead_letter._asdict())
        producer.flush()


@pytest.fixture
def world(kafka: KafkaBroker, redis_url: str, tmp_path: Path) -> Iterator[World]:
    with new_world(kafka, redis_url, tmp_path, PARTITIONS, receipts_partitions=2, dead_letters_partitions=2) as world:
        world.initialise()
        yield world


RECORDS = (
    Record(5, event("a"), b"key", (("h", b"1"), ("h", b"2"), ("ce_x", b"\xff"), ("none", None))),
    Record(6, event("b"), None, ()),
    Record(7, b"\x00\xff", b"", (("__dlq.errors.topic", b"of others"),)),
    Record(8, None, b"tombstone", ()),
)


def test_records_go_to_their_partition_byte_for_byte(kafka: KafkaBroker, topic: TopicFactory) -> None:
    settings = KafkaSettings(brokers=kafka.address, topic=topic(PARTITIONS), retry_seconds=patience(10))
    dead_letters = [
        FoundDeadLetter(Partition(settings.topic, number), record, "reason", "detail")
        for number, record in enumerate(RECORDS)
    ]
    assert send_dead_letters(settings, dead_letters) == len(RECORDS)
    with reading(kafka.address, settings.topic) as found:
        sent = list(found)
    assert [(each.partition, each.key, each.value) for each in sent] == [
        (number, record.key, record.value) for number, record in enumerate(RECORDS)
    ]
    for dead_letter, each in zip(dead_letters, sent, strict=True):
        assert list(each.headers) == [*dead_letter.record.headers, (REPLAYED_FROM, dead_letter.place.encode())]


def test_an_event_is_credited_once_however_often_it_is_sent(world: World) -> None:
    dead_letter(world.kafka, 2, Record(5, event("a"), b"key", (("h", b"1"),)), times=2)
    dead_letter(world.kafka, 3, Record(6, event("b"), None))
    assert [redrive(world.kafka) for _ in range(3)] == [2, 2, 2]
    worker = world.start()
    world.wait_until_done(6)
    assert worker.end(signal.SIGTERM) == 0, worker.said
    assert world.totals() == {"ada": 1_000_000, "ben": 1_000_000}
    assert (world.sums().credited, world.sums().duplicates) == (2, 4)
    assert world.positions() == {0: 0, 1: 0, 2: 3, 3: 3}


def test_what_is_refused_again_is_one_record_and_its_dead_letters_do_not_multiply(world: World) -> None:
    dead_letter(world.kafka, 1, Record(5, event("nobody's", owners=()), b"key"))
    worker = world.start()
    for times in range(1, 4):
        assert redrive(world.kafka) == 1
        world.wait_until_done(times)
        assert redrive(world.kafka, Wanted(frozenset({Reason.IMAGE_UNREACHABLE}))) == 0, "it has another reason now"
    assert worker.end(signal.SIGTERM) == 0, worker.said
    dead_letters = sorted(dead_letters_in_topic(world.kafka), key=lambda dead_letter: len(dead_letter.replayed_from))
    topic = world.kafka.topic
    assert [dead_letter.replayed_from for dead_letter in dead_letters] == [
        [],
        [f"{topic}/1/5"],
        [f"{topic}/1/5", f"{topic}/1/0"],
        [f"{topic}/1/5", f"{topic}/1/0", f"{topic}/1/1"],
    ]
    assert world.totals() == {}


def test_a_record_with_one_more_header_may_be_too_large(kafka: KafkaBroker, topic: TopicFactory) -> None:
    settings = KafkaSettings(
        brokers=kafka.address, topic=topic(1, max_message_bytes="5000"), retry_seconds=patience(10)
    )
    dead_letter = FoundDeadLetter(Partition(settings.topic, 0), Record(7, bytes(4_930), b"k"), "reason", "detail")
    with pytest.raises(EventsRefused, match=rf"{settings.topic}/0/7 is larger.*max\.message\.bytes"):
        send_dead_letters(settings, [dead_letter])


def test_brokers_that_are_not_there_are_named() -> None:
    settings = KafkaSettings(brokers=f"127.0.0.1:{free_port()}", topic="x", retry_seconds=1)
    with pytest.raises(LogUnavailable, match=f"{settings.brokers} does not take records"):
        send_dead_letters(settings, [])


def test_a_redriver_needs_no_more_than_its_rights(secure_kafka: SecureKafkaBroker) -> None:
    settings = secure_kafka.by_password("worker", topic=f"test-{uuid.uuid4().hex}", retry_seconds=patience(10))
    for name in (settings.topic, settings.dead_letters_topic):
        secure_kafka.create_topic(name, 1)
    dead_letter = FoundDeadLetter(Partition(settings.topic, 0), RECORDS[0], "reason", "detail")
    secure_kafka.allow("worker", *rights("redriver", settings))
    assert list(dead_letters_in_topic(settings)) == []
    assert send_dead_letters(settings, [dead_letter]) == 1

    stranger = secure_kafka.by_password("stranger", topic=settings.topic, retry_seconds=patience(10))
    for question in (lambda: send_dead_letters(stranger, [dead_letter]), lambda: list(dead_letters_in_topic(stranger))):
        with pytest.raises(LogRefused, match="does not let user 'stranger' do that"):
            question()
