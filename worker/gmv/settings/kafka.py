"""The section `kafka`."""

from typing import Literal

from pydantic import Field

from gmv.settings.section import TOPIC_PATTERN, Records, Seconds
from gmv.settings.server import Guarded


class KafkaSettings(Guarded):
    """Which log is read, and as whom."""

    brokers: str = Field(
        "localhost:9092", description="Brokers to ask first, as `host:port`, separated by commas; they name the others."
    )
    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_SSL"] = Field(
        "PLAINTEXT",
        description="What the brokers' listener speaks: nothing encrypted, TLS, or TLS with a user and a password.",
    )
    sasl_mechanism: Literal["SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN"] = Field(
        "SCRAM-SHA-512", description="How the password is proved to the brokers; used with `SASL_SSL` alone."
    )
    topic: str = Field(
        "generated-images",
        pattern=TOPIC_PATTERN,
        description="Topic from which events are read. Receipts go to the topic of this name with `.attributions` "
        "added, dead letters to that with `.dlq` added.",
    )
    group: str = Field("gmv", description="Consumer group, whose members divide the topic's partitions among them.")
    instance_id: str | None = Field(
        None,
        description="Name of this worker as a static member of the group, a different one for each worker: a worker "
        "that is back within its session keeps its partitions. Without it, membership is dynamic.",
    )
    isolation: Literal["read_committed", "read_uncommitted"] = Field(
        "read_committed",
        description="Whether records of a producer's transaction are read only once it is committed, or at once, "
        "aborted ones included.",
    )
    session_seconds: Seconds = Field(
        30.0, ge=6, description="How long a worker may be silent before its partitions are given to other workers."
    )
    heartbeat_seconds: Seconds = Field(
        3.0,
        gt=0,
        description="How often a worker shows the group that it is alive. At most a third of the session, so that a "
        "lost heartbeat does no harm.",
    )
    rebalance_seconds: Seconds = Field(
        60.0,
        gt=0,
        description="How long a rebalance waits for a worker to finish its run of records. Set it above twice the "
        "longest run.",
    )
    run_records_max: Records = Field(
        128, ge=1, le=1_500, description="How many records are read, attributed and committed at once, at most."
    )
    retry_seconds: Seconds = Field(
        30.0, gt=0, description="How long brokers that do not answer are tried before gmv stops."
    )

    @property
    def receipts_topic(self) -> str:
        """Where receipts go."""
        return f"{self.topic}.attributions"

    @property
    def dead_letters_topic(self) -> str:
        """Where poison goes."""
        return f"{self.topic}.dlq"
