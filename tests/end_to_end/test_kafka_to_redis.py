"""Images into Kafka, credits out of Redis, by the commands a user runs, against credits worked out by other means."""

import random
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

import numpy as np
import orjson
import pytest
from kafka import KafkaProducer

from gmv.assembly.index import Index
from gmv.demo.remix import png, recipes, remixes
from gmv.events.encoding import structured
from gmv.events.model import GeneratedImage, ImageBytes
from gmv.imaging import ImageLimits, decode_image
from gmv.index.parquet_corpus import ParquetCorpus
from gmv.valuation.types import MICROS_PER_CREDIT
from tests.conftest import TopicFactory
from tests.end_to_end.command import command, gmv, gmv_json
from tests.end_to_end.oracle import Image, nearest, owed
from tests.services.kafka import KafkaBroker
from tests.services.server import free_port, mortal, wait_for
from tests.stream.kafka.crew import reading

EVENTS = 2_000
PICTURES = 150  # different images among the events
CONTRIBUTORS = 5
PARTITIONS = 4
POISON = [b"{broken", b"", b'{"specversion": "1.0", "type": "gmv.image.generated.v1", "source": "/s"}', b"\xff\xfe"]


class World:
    """Events of real images, and what each owner is owed for them."""

    def __init__(self, index: Index, seed: int) -> None:
        chance = random.Random(seed)
        rows = range(len(index.images))
        table = index.images.images(rows)
        tokens = index.tokens.tokens(np.arange(len(table))).astype(np.float64)
        corpus = [
            Image(row.image_id, row.owner_id, row.weight, own) for row, own in zip(table, tokens, strict=True)
        ]
        limits = ImageLimits(10**6, 10**6)
        files = ParquetCorpus(index.path.parent / "corpus.parquet").images()
        originals = {image.image_id: decode_image(image.content, limits) for image in files}
        made_of = recipes({image.image_id: image.owner_id for image in table}, PICTURES, seed)
        pictures = list(remixes(made_of, originals))
        ranked = [
            nearest(index.encoder.encode([pixels]).tokens[0].astype(np.float64), corpus, CONTRIBUTORS)
            for pixels in pictures
        ]
        self.lines: list[bytes] = []
        self.owed: Counter[str] = Counter()
        for number in range(EVENTS):
            picture = chance.randrange(PICTURES)
            quality = chance.choice([1.0, 1.0, 0.5, round(chance.random(), 3)])
            content = ImageBytes(png(pictures[picture]))
            self.lines.append(structured(GeneratedImage("/test", f"event-{number}", content, quality=quality)))
            self.owed += owed(ranked[picture], quality)
        self.again = chance.sample(self.lines, 50)


@contextmanager
def worker(environment: dict[str, str], log: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("ab") as file:
        process = subprocess.Popen(
            mortal(command("worker", "--web-port", port)), env=environment, stdout=file, stderr=file
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@pytest.mark.timeout(300)
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
        "VALUATION_CANDIDATES": str(len(small_index.images)),
        "VALUATION_CONTRIBUTORS": str(CONTRIBUTORS),
    }.items():
        monkeypatch.setenv(f"GMV_{key}", value)
    gmv("ledger", "init", "--topic", name)

    first_half = send(tmp_path / "first.jsonl", world.lines[: EVENTS // 2])
    raw(kafka, name, POISON)
    ports = [free_port(), free_port()]
    import os

    with worker(dict(os.environ), tmp_path / "a.log", ports[0]) as early:
        wait_for(lambda: credited() >= EVENTS // 10, 90, "the first events")
        with worker(dict(os.environ), tmp_path / "b.log", ports[1]) as late:
            send(tmp_path / "second.jsonl", world.lines[EVENTS // 2 :] + world.again)
            wait_for(lambda: credited() >= EVENTS // 2, 90, "half of the events")
            assert stop(early) == 0, (tmp_path / "a.log").read_text()
            wait_for(lambda: standing() == ends(kafka, name), 120, "the log's end")
            metrics = urlopen(f"http://127.0.0.1:{ports[1]}/metrics", timeout=10).read().decode()
            assert stop(late) == 0, (tmp_path / "b.log").read_text()

    exported = {row["owner_id"]: row["credit_micros"] for row in orjson.loads(gmv("credits", "export", "--format", "json"))}
    assert exported == {owner: micros for owner, micros in world.owed.items() if micros}
    checked = gmv_json("ledger", "verify", "--receipts-topic", f"{name}.attributions")
    assert checked["conserved"] is True
    with reading(kafka.address, f"{name}.dlq") as letters:
        assert sorted(letter.value for letter in letters) == sorted(POISON)
    assert "gmv_credits_micros_total" in metrics
