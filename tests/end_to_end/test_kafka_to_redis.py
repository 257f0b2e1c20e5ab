"""Images into Kafka, credits out of Redis, by the commands a user runs, against credits worked out by other means."""

import random
import signal
import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.request import urlopen

import orjson
import pytest
from kafka import KafkaProducer

from gmv.corpus.port import image_files
from gmv.demo.remix import png, recipes, remixes
from gmv.events.encoding import structured
from gmv.events.model import GeneratedImage, ImageBytes
from gmv.imaging.decode import ImageLimits, decode_image
from gmv.index.opened import Index
from gmv.kafka.admin import describe_topic
from gmv.ledger.open import open_accounts
from gmv.ledger.port import Sums
from gmv.settings import KafkaSettings, LedgerSettings
from tests.conftest import TopicFactory
from tests.corpus.corpora import opened
from tests.end_to_end.command import command, gmv, gmv_json
from tests.end_to_end.oracle import Image, nearest, owed
from tests.kafka.world import reading
from tests.services.kafka import KafkaBroker
from tests.services.patience import patience
from tests.services.server import find_program, free_port, mortal, wait_for

EVENTS = 2_000
PICTURES = 80  # different images among the events
CONTRIBUTORS = 5
PARTITIONS = 4
POISON = [b"{broken", b"", b'{"specversion": "1.0", "type": "gmv.image.generated.v1", "source": "/s"}', b"\xff\xfe"]


class World:
    """Events of real images, and what each owner is owed for them."""

    def __init__(self, index: Index, seed: int) -> None:
        chance = random.Random(seed)
        rows = range(len(index.images))
        table = index.images.images(rows)
        tokens = index.tokens / float(index.token_scale)
        corpus = [Image(row.image_id, row.owner_id, row.weight, own) for row, own in zip(table, tokens, strict=True)]
        limits = ImageLimits(10**6, 10**6)
        files = image_files(opened(index.path.parent / "corpus.parquet"))
        originals = {image.image_id: decode_image(image.content, limits) for image in files}
        made_of = recipes({image.image_id: image.owner_id for image in table}, PICTURES, seed)
        pictures = list(remixes(made_of, originals))
        ranked = []
        for pixels in pictures:
            looks = index.encoder.encode([pixels, pixels[:, ::-1]]).tokens / float(index.token_scale)
            ranked.append(nearest(list(looks), corpus, CONTRIBUTORS))
        self.lines: list[bytes] = []
        self.owed: Counter[str] = Counter()
        for number in range(EVENTS):
            picture = chance.randrange(PICTURES)
            quality = chance.choice([1.0, 1.0, 0.5, round(chance.random(), 3)])
            content = ImageBytes(png(pictures[picture]))
            self.lines.append(structured(GeneratedImage("/test", f"event-{number}", content, quality=quality)))
            self.owed += owed(ranked[picture], quality, index.manifest.defaults.temperature)
        self.again = chance.sample(self.lines, 50)


@contextmanager
def worker(log: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("ab") as file:
        process = subprocess.Popen(mortal(command("worker", "--web-port", port)), stdout=file, stderr=file)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def stop(process: subprocess.Popen[bytes]) -> int:
    process.send_signal(signal.SIGTERM)
    return process.wait(patience(30))


def emit(path: Path, lines: list[bytes]) -> None:
    path.write_bytes(b"\n".join(lines))
    gmv("emit", path)


def send_raw(kafka: KafkaBroker, topic: str, values: list[bytes]) -> None:
    producer = KafkaProducer(bootstrap_servers=kafka.address, acks="all")
    for value in values:
        producer.send(topic, value)
    producer.flush()
    producer.close()


def sums(ledger: LedgerSettings) -> Sums:
    with closing(open_accounts(ledger)) as accounts:
        return accounts.sums()


def positions(ledger: LedgerSettings) -> dict[int, int]:
    with closing(open_accounts(ledger)) as accounts:
        return {number: position.next_offset for (_, number), position in accounts.positions().items()}


def ends(kafka: KafkaBroker, topic: str) -> dict[int, int]:
    described = describe_topic(KafkaSettings(brokers=kafka.address, topic=topic))
    return {number: bounds.end for number, bounds in described.bounds.items()}


def page(port: int, name: str) -> bytes:
    with urlopen(f"http://127.0.0.1:{port}/{name}", timeout=patience(10)) as answer:
        content: bytes = answer.read()
    return content


def assert_sound(metrics: bytes) -> None:
    """What promtool and the worker's own log would say."""
    checked = subprocess.run([find_program("promtool"), "check", "metrics"], input=metrics, capture_output=True)
    assert checked.returncode == 0, checked.stderr.decode()
    assert b"gmv_credits_micros_total" in metrics


def test_two_workers_credit_what_the_oracle_says(
    small_index: Index,
    kafka: KafkaBroker,
    topic: TopicFactory,
    redis_url: str,
    tmp_path: Path,
    seed: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = World(small_index, seed)
    name = topic(PARTITIONS)
    kafka.create_topic(f"{name}.attributions", 2)
    kafka.create_topic(f"{name}.dlq", 1)
    for key, value in {
        "INDEX": str(small_index.path),
        "KAFKA_BROKERS": kafka.address,
        "KAFKA_TOPIC": name,
        "KAFKA_GROUP": name,
        "KAFKA_SESSION_SECONDS": "6",
        "LEDGER_URL": redis_url,
        "LEDGER_NAMESPACE": name,
        "VALUATION_CANDIDATES": str(2 * len(small_index.images)),  # each as it is and mirrored
        "VALUATION_CONTRIBUTORS": str(CONTRIBUTORS),
    }.items():
        monkeypatch.setenv(f"GMV_{key}", value)
    gmv("ledger", "init", "--topic", name)

    emit(tmp_path / "first.jsonl", world.lines[: EVENTS // 2])
    ledger = LedgerSettings(url=redis_url, namespace=name)
    half = EVENTS // 2
    ports = [free_port(), free_port()]
    with worker(tmp_path / "early.log", ports[0]) as early:
        wait_for(lambda: sums(ledger).credited >= half // 5, 90, "the first events")
        with worker(tmp_path / "late.log", ports[1]) as late:
            send_raw(kafka, name, POISON)
            emit(tmp_path / "second.jsonl", world.lines[half:] + world.again)
            wait_for(lambda: sums(ledger).credited >= half, 90, "half of the events")
            assert stop(early) == 0, (tmp_path / "early.log").read_text()
            wait_for(lambda: positions(ledger) == ends(kafka, name), 120, "the log's end")
            metrics = page(ports[1], "metrics")
            assert all(orjson.loads(page(ports[1], each))["good"] for each in ("livez", "readyz"))
            assert stop(late) == 0, (tmp_path / "late.log").read_text()

    assert sums(ledger).credited == EVENTS
    assert sums(ledger).duplicates == len(world.again)
    exported = {
        row["owner_id"]: row["credit_micros"] for row in orjson.loads(gmv("credits", "export", "--format", "json"))
    }
    assert exported == {owner: micros for owner, micros in world.owed.items() if micros}
    checked = gmv_json("ledger", "verify", "--receipts-topic", f"{name}.attributions")
    assert checked["conserved"] is True
    with reading(kafka.address, f"{name}.dlq") as letters:
        assert sorted(letter.value for letter in letters) == sorted(POISON)
    assert_sound(metrics)
