"""A topic, the ledger for it and worker processes over both: what a test of the pump needs."""

import contextlib
import os
import signal
import subprocess
import sys
import uuid
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple, Self
from urllib.error import HTTPError
from urllib.request import urlopen

import orjson
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.consumer.fetcher import ConsumerRecord
from prometheus_client.parser import text_string_to_metric_families

from gmv.kafka.admin import describe_topic
from gmv.ledger.open import open_accounts, open_registry
from gmv.ledger.port import Sums
from gmv.operations.published import Published
from gmv.operations.verifying import VerifiedReceipts, verify_receipts
from gmv.settings import KafkaSettings, LedgerSettings
from gmv.stream.records import Record
from gmv.valuation.types import MICROS_PER_CREDIT
from tests.services.kafka import KafkaBroker
from tests.services.patience import patience
from tests.services.server import free_port, mortal, wait_for

END_SECONDS_MAX = 60.0


class Sent(NamedTuple):
    """A record as it was sent."""

    partition: int
    record: Record


class Worker:
    """One worker process, with more variables in its environment; its command ends with the port of its pages."""

    def __init__(self, command: Sequence[str], log: Path, temporary: Path, variables: Mapping[str, str]) -> None:
        self._log = log
        self._pages = f"http://127.0.0.1:{command[-1]}"
        environment = {**os.environ, "TMPDIR": str(temporary), **variables}
        with log.open("ab") as file:
            self._process = subprocess.Popen(mortal(command), stdout=file, stderr=file, env=environment)

    @property
    def said(self) -> str:
        """All it wrote."""
        return self._log.read_text(errors="replace")

    @property
    def all_lines(self) -> list[dict[str, Any]]:
        """All that it logged."""
        return [orjson.loads(line) for line in self.said.splitlines() if line.startswith("{") and line.endswith("}")]

    def lines(self, event: str) -> list[dict[str, Any]]:
        """The lines that it logged of one event."""
        return [line for line in self.all_lines if line["event"] == event]

    def page(self, path: str) -> tuple[int, str]:
        """Status and body of a page; 0 and nothing where nobody answers."""
        try:
            with urlopen(f"{self._pages}{path}", timeout=patience(5)) as answer:
                return int(answer.status), answer.read().decode()
        except HTTPError as refused:
            return refused.code, refused.read().decode()
        except OSError:
            return 0, ""

    def metric(self, name: str, **labels: str) -> float | None:
        """The value of a series, None where there is none."""
        for family in text_string_to_metric_families(self.page("/metrics")[1]):
            for sample in family.samples:
                if sample.name == name and labels.items() <= sample.labels.items():
                    return float(sample.value)
        return None

    @property
    def is_running(self) -> bool:
        return self._process.poll() is None

    def send(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def end(self, number: signal.Signals | None = None) -> int:
        """Send the signal, if any, and return the exit code, negative after a kill."""
        if number is not None:
            self.send(number)
        return self._process.wait(patience(END_SECONDS_MAX))


class World:
    """Workers over one topic of a broker, with a ledger of the topic's own."""

    def __init__(self, broker: KafkaBroker, topic: str, redis_url: str, folder: Path) -> None:
        self.kafka = KafkaSettings(brokers=broker.address, topic=topic, group=topic, retry_seconds=patience(10))
        self.ledger = LedgerSettings(url=redis_url, namespace=topic, retry_seconds=patience(10))
        self.sent: list[Sent] = []
        self._folder = folder
        self.temporary = folder / "temporary"
        """Where its workers put what they do not keep."""
        self.temporary.mkdir()
        self._workers: list[Worker] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self._workers:
            if worker.is_running:
                worker.end(signal.SIGKILL)

    def initialise(self, ahead: int = 0) -> None:
        """Make the ledger, with its positions at the topic's start, or so many offsets ahead of it."""
        log = describe_topic(self.kafka)
        starts = {
            number: replace(position, next_offset=position.next_offset + ahead)
            for number, position in log.starts().items()
        }
        with contextlib.closing(open_registry(self.ledger)) as registry:
            registry.create(books=1)
            registry.register(log.topic, starts)

    def produce(self, records: Sequence[Sent]) -> None:
        """Send records; `Record.offset` is ignored."""
        producer = KafkaProducer(bootstrap_servers=self.kafka.brokers, acks="all", linger_ms=5)
        for partition, record in records:
            producer.send(self.kafka.topic, record.value, record.key, headers=list(record.headers), partition=partition)
        producer.flush()
        producer.close()
        self.sent += records

    def start(
        self,
        seconds_per_run: float = 0.0,
        instance_id: str = "",
        retry_seconds: float = 10.0,
        ledger_retry_seconds: float = 5.0,
        log_level: str = "info",
    ) -> Worker:
        kafka, ledger = self.kafka, self.ledger
        arguments = (kafka.brokers, kafka.topic, ledger.url, ledger.namespace, instance_id)
        command = [sys.executable, "-m", "tests.kafka.small_worker", *arguments, str(seconds_per_run)]
        log = self._folder / f"worker-{len(self._workers)}.log"
        variables = {
            "GMV_KAFKA_RETRY_SECONDS": str(retry_seconds),
            "GMV_LEDGER_RETRY_SECONDS": str(ledger_retry_seconds),
            "GMV_WORKER_LOG_LEVEL": log_level,
        }
        worker = Worker([*command, str(free_port())], log, self.temporary, variables)
        self._workers.append(worker)
        return worker

    def positions(self) -> dict[int, int]:
        """Return the offset each partition has to be read at next."""
        with contextlib.closing(open_accounts(self.ledger)) as accounts:
            return {number: position.next_offset for (_, number), position in accounts.positions().items()}

    def wait_until_done(self, records: int | None = None) -> None:
        """Wait until so many records, or all, are behind the ledger's positions."""
        wanted = len(self.sent) if records is None else records

        def is_done() -> bool:
            if sum(self.positions().values()) >= wanted:
                return True
            assert any(worker.is_running for worker in self._workers), self._workers[-1].said
            return False

        wait_for(is_done, END_SECONDS_MAX, f"{wanted} records done")

    def totals(self) -> dict[str, int]:
        with contextlib.closing(open_accounts(self.ledger)) as accounts:
            return {balance.owner_id: balance.micros for balance in accounts.balances()}

    def sums(self) -> Sums:
        with contextlib.closing(open_accounts(self.ledger)) as accounts:
            return accounts.sums()

    def explanation(self) -> VerifiedReceipts:
        """Recompute all totals from the receipts topic."""
        with contextlib.closing(open_accounts(self.ledger)) as accounts:
            return verify_receipts(
                accounts,
                lambda: (
                    Published(f"{record.partition}/{record.offset}", record.value)
                    for record in self.read(self.kafka.receipts_topic)
                ),
            )

    def read(self, topic: str) -> Iterator[ConsumerRecord]:
        """Yield all records of a topic, partition after partition."""
        with reading(self.kafka.brokers, topic) as records:
            yield from records

    def oracle(self) -> dict[str, int]:
        """Credit what was sent by hand: each event once, its budget in equal parts to the owners it names."""
        totals: Counter[str] = Counter()
        credited: set[str] = set()
        for _, record in self.sent:
            event = content_of(record)
            if event is None or event.name in credited or not event.owners:
                continue
            credited.add(event.name)
            totals.update(equal_parts(sorted(event.owners)))
        return dict(totals)


@contextmanager
def new_world(
    kafka: KafkaBroker,
    redis_url: str,
    folder: Path,
    partitions: int,
    receipts_partitions: int = 1,
    dead_letters_partitions: int = 1,
    **configs: str,
) -> Iterator[World]:
    """Make topics that no other test sees, and a world over them; `configs` are those of the receipts' topic."""
    name = f"test-{uuid.uuid4().hex}"
    kafka.create_topic(name, partitions)
    kafka.create_topic(f"{name}.attributions", receipts_partitions, **configs)
    kafka.create_topic(f"{name}.dlq", dead_letters_partitions)
    with World(kafka, name, redis_url, folder) as world:
        yield world


class Content(NamedTuple):
    """What an event of the test's world says."""

    name: str
    owners: list[str]


def content_of(record: Record) -> Content | None:
    try:
        event = orjson.loads(record.value or b"")
    except orjson.JSONDecodeError:
        return None
    return Content(event["id"], event["owners"])


def equal_parts(owners: Sequence[str]) -> dict[str, int]:
    """Share one credit; what does not divide goes to the first, a micro-credit each."""
    whole, left = divmod(MICROS_PER_CREDIT, len(owners))
    return {owner: whole + (rank < left) for rank, owner in enumerate(owners)}


@contextmanager
def reading(brokers: str, topic: str) -> Iterator[Iterator[ConsumerRecord]]:
    consumer = KafkaConsumer(bootstrap_servers=brokers, enable_auto_commit=False, auto_offset_reset="earliest")
    partitions = [TopicPartition(topic, number) for number in sorted(consumer.partitions_for_topic(topic) or ())]
    ends = consumer.end_offsets(partitions)

    def all_of(partition: TopicPartition) -> Iterator[ConsumerRecord]:
        consumer.assign([partition])
        consumer.seek_to_beginning(partition)
        while consumer.position(partition) < ends[partition]:
            for fetched in consumer.poll(timeout_ms=500).values():
                yield from fetched

    try:
        yield (record for partition in partitions for record in all_of(partition))
    finally:
        consumer.close()
