"""Events sent while a fault goes on: some twice, some poison, one in a while under the id of another."""

import random
import threading
from types import TracebackType

from kafka import KafkaProducer
from kafka.errors import KafkaError

from tests.faults.corpus import event, event_of

POISON = (b"{broken", b"", b"[]", b'{"specversion": "1.0", "id": "poison"}', b"\xff\xfe", None)
EVERY_SECONDS = 0.05


class Load:
    """Sends records at a steady rate until it is closed; what was sent is read from the log, not remembered here.

    Args:
        brokers: of Kafka.
        topic: where to.
        partitions: of the topic.
        chance: what to send.
        first: number of the first event; no two loads over one topic may share numbers.
        records_per_second: the rate.
    """

    def __init__(
        self,
        brokers: str,
        topic: str,
        partitions: int,
        chance: random.Random,
        first: int,
        records_per_second: float = 150.0,
    ) -> None:
        self._brokers, self._topic, self._partitions = brokers, topic, partitions
        self._chance = chance
        self._each_time = max(1, round(records_per_second * EVERY_SECONDS))
        self.number = first
        self._sent: list[tuple[int, bytes]] = []
        self._sending = threading.Lock()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._go_on, daemon=True)
        self._producer = KafkaProducer(bootstrap_servers=brokers, acks="all", linger_ms=5, delivery_timeout_ms=120_000)

    def __enter__(self) -> "Load":
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stopping.set()
        self._thread.join()
        self._producer.flush(timeout=120)
        self._producer.close()

    def send(self, records: int) -> None:
        """Send so many at once, beside those of the steady rate.

        A record is made and handed over in one go: a repeat, or another picture under the same id, would overtake the
        event that it is one of otherwise, and what is owed for an id is what its first record shows.
        """
        for _ in range(records):
            with self._sending:
                partition, value = self._next()
                self.send_one(partition, value)

    def send_one(self, partition: int, value: bytes | None) -> None:
        """Send this record."""
        self._producer.send(self._topic, value, b"key", partition=partition)

    def _go_on(self) -> None:
        while not self._stopping.wait(EVERY_SECONDS):
            try:
                self.send(self._each_time)
            except KafkaError:  # the broker is what the fault is about
                continue

    def _next(self) -> tuple[int, bytes | None]:
        """All that is sent of one event goes to one partition."""
        draw = self._chance.random()
        if draw < 0.03:
            return self._chance.randrange(self._partitions), self._chance.choice(POISON)
        if draw < 0.13 and self._sent:
            return self._chance.choice(self._sent[-400:])
        self.number += 1
        partition = self.number % self._partitions
        if draw < 0.15 and self._sent:
            return self._conflict()
        value = event(self.number, self._chance)
        self._sent.append((partition, value))
        return partition, value

    def _conflict(self) -> tuple[int, bytes]:
        """Another picture under the id of an event that was sent."""
        partition, value = self._chance.choice(self._sent[-400:])
        event_id = value.split(b'"id":"', 1)[1].split(b'"', 1)[0].decode()
        number, picture, quality = event_id.split("/")
        other = event_of(f"{number}/{(int(picture) + 1) % 12}/{quality}")
        return partition, other.replace(
            f'/{(int(picture) + 1) % 12}/{quality}"'.encode(), f'/{picture}/{quality}"'.encode()
        )
