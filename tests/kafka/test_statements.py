"""Statements of what workers credited over a real Kafka and Redis, one of which was killed."""

import signal
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import orjson
from kafka import KafkaProducer

from tests.cli.command import gmv_json
from tests.kafka.world import new_world
from tests.services.kafka import KafkaBroker
from tests.stream.world import event_record

EVENTS = 90
PERIOD = ("--from", "2026-10-01", "--to", "2026-11-01")


def test_a_statement_from_a_topic_whose_worker_was_killed(kafka: KafkaBroker, redis_url: str, tmp_path: Path) -> None:
    """One event in three tells a time in October, one a time in September, one none: that counts at its record's."""
    recorded_ms = int((time.time() - 7_200) * 1_000)
    times = [{"time": "2026-10-05T12:00:00Z"}, {"time": "2026-10-01T01:00:00+02:00"}, {}]
    models = ["m1", "m2"]
    told = [{**times[n % 3], "model": models[n % 2]} for n in range(EVENTS)]
    with new_world(kafka, redis_url, tmp_path, 2, 2) as world:
        world.initialise()
        producer = KafkaProducer(bootstrap_servers=world.kafka.brokers, acks="all")
        for n, keys in enumerate(told):
            plain = orjson.loads(event_record(n, f"e{n}", ["ada", "ben"][n % 5 == 0 :][:1]).value or b"")
            value = orjson.dumps(plain | keys)
            producer.send(world.kafka.topic, value, partition=n % 2, timestamp_ms=recorded_ms + n)
        producer.close()
        first = world.start(seconds_per_run=0.2)
        world.wait_until_done(20)
        first.end(signal.SIGKILL)
        world.start()
        world.wait_until_done(EVENTS)

        where = ("--brokers", world.kafka.brokers)
        month = gmv_json(world.ledger, "credits", "statement", "--owner", "ada", *PERIOD, "--by", "model", *where)
        newest = gmv_json(world.ledger, "explain", "--owner", "ada", "--limit", EVENTS, *where)
    mine = [n for n in range(EVENTS) if n % 5]
    october = Counter(models[n % 2] for n in mine if n % 3 == 0)
    assert {line["label"]: line["credit_micros"] for line in month["lines"]} == {
        model: events * 1_000_000 for model, events in october.items()
    }
    assert month["opening_micros"] == sum(1_000_000 for n in mine if n % 3 == 1)
    assert month["later_micros"] == sum(1_000_000 for n in mine if n % 3 == 2)
    assert month["without_time"]["events"] == 0
    assert month["ledger_micros"] == len(mine) * 1_000_000
    at_records = [n for n in reversed(mine) if n % 3 == 2]
    assert [each["id"] for each in newest["events"][: len(at_records)]] == [f"e{n}" for n in at_records]
    moment = datetime.fromtimestamp((recorded_ms + at_records[0]) / 1_000, UTC)
    assert newest["events"][0]["time"] == moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
