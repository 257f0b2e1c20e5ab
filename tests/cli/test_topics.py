"""`gmv topics create` on a real broker."""

import uuid

import pytest
from kafka.admin import ConfigResource, ConfigResourceType

from gmv.errors import LogRefused
from gmv.kafka.rights import rights
from gmv.kafka.topics import DEAD_LETTER_HEADERS_BYTES, create_missing, planned
from gmv.settings import ImageSettings, Settings
from tests.end_to_end.command import gmv, gmv_json
from tests.services.kafka import KafkaBroker
from tests.services.patience import patience
from tests.services.secure_kafka import SecureKafkaBroker

pytestmark = pytest.mark.servers


def described(kafka: KafkaBroker, name: str) -> dict[str, str]:
    """A topic's number of partitions and its own configuration."""
    with kafka.admin() as admin:
        (found,) = admin.describe_topics([name])
        resource = ConfigResource(ConfigResourceType.TOPIC, name)
        configs = admin.describe_configs([resource], config_filter="modified")["topic"][name]
    return {"partitions": str(len(found["partitions"]))} | {key: each["value"] for key, each in configs.items()}


def test_what_is_missing_is_made_and_what_is_there_stays(kafka: KafkaBroker) -> None:
    name = f"test-{uuid.uuid4().hex}"
    kafka.create_topic(f"{name}.dlq", 3, cleanup_policy="compact")
    before = described(kafka, f"{name}.dlq")
    arguments = ("topics", "create", "--brokers", kafka.address, "--topic", name, "--partitions", "5")

    shown = gmv_json(*arguments, "--retention-days", "3")

    assert [(each["name"], each["created"]) for each in shown["topics"]] == [
        (name, True),
        (f"{name}.attributions", True),
        (f"{name}.dlq", False),
    ]
    keys = [list(each) for each in shown["topics"]]
    assert keys == [["name", "created", "partitions", "configs"]] * 2 + [["name", "created"]]
    images = ImageSettings()
    assert described(kafka, name) == {
        "partitions": "5",
        "cleanup.policy": "delete",
        "retention.ms": "259200000",
        "retention.bytes": "-1",
        "max.message.bytes": str(images.record_bytes_max),
    }
    kept = {
        "cleanup.policy": "delete",
        "retention.ms": "-1",
        "retention.bytes": "-1",
        "message.timestamp.type": "LogAppendTime",
    }
    assert described(kafka, f"{name}.attributions") == {"partitions": "5"} | kept
    assert described(kafka, f"{name}.dlq") == before
    again = gmv(*arguments)
    assert again.count("was there") == 3
    assert described(kafka, name)["retention.ms"] == "259200000"


def test_a_dead_letter_may_be_larger_than_its_event_by_its_headers() -> None:
    events, _, dead_letters = planned(Settings(), 1, 1.0)
    sizes = [int(topic.configs["max.message.bytes"]) for topic in (events, dead_letters)]
    assert sizes[1] - sizes[0] == DEAD_LETTER_HEADERS_BYTES


def test_more_replicas_than_brokers_are_refused_in_words(kafka: KafkaBroker) -> None:
    name = f"test-{uuid.uuid4().hex}"
    said = gmv("topics", "create", "--brokers", kafka.address, "--topic", name, "--replication", "3", exit_code=2)
    assert f"does not make a topic {name!r} like that" in said
    assert "eplication factor" in said


def test_an_administrator_needs_the_right_to_create_and_no_other(secure_kafka: SecureKafkaBroker) -> None:
    name = f"test-{uuid.uuid4().hex}"
    settings = Settings(kafka=secure_kafka.by_password("worker", topic=name, retry_seconds=patience(10)))
    plan = planned(settings, 1, 1.0)
    secure_kafka.allow("worker", *rights("administrator", settings.kafka))
    assert len(create_missing(settings, plan)) == 3
    assert create_missing(settings, plan) == ()
    secure_kafka.allow("worker")
    with pytest.raises(LogRefused, match="does not let user 'worker' do that"):
        create_missing(settings, plan)
