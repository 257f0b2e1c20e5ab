"""Every knob, in one place. Flags win over the environment (`GMV_…`), it over `--config FILE.toml`, it over defaults."""

import hashlib
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import orjson
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from gmv.errors import InvalidSettings

PREFIX = "GMV_"

UnitInterval = Annotated[float, Field(ge=0.0, le=1.0)]


class _Group(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)


class ImageSettings(_Group):
    """What an event's image may be, and where it may come from."""

    root: Path | None = Field(None, description="folder that file URIs must lie under; none: no file URIs")
    schemes: tuple[str, ...] = Field((), description="fsspec schemes allowed besides file, such as s3")
    bytes_max: int = Field(20 * 2**20, gt=0, description="largest image file")
    pixels_max: int = Field(50_000_000, gt=0, description="largest width x height")
    attempts: int = Field(3, ge=1, le=10, description="tries per URI before it is called unreachable")


class ValuationSettings(_Group):
    """What decides credits; its digest stands in every receipt."""

    candidates: int = Field(100, gt=0, le=10_000, description="M, training images recalled per event")
    contributors: int = Field(10, gt=0, le=1_000, description="K, training images credited per event")
    temperature: float = Field(1.0, gt=0.0, allow_inf_nan=False, description="tau of the softmax; 1 is GMValuator's")

    @property
    def digest(self) -> str:
        """16 hex digits over all that decides a credit here."""
        return hashlib.sha256(orjson.dumps(self.model_dump(), option=orjson.OPT_SORT_KEYS)).hexdigest()[:16]


class LedgerSettings(_Group):
    """Where credits are kept."""

    url: str = Field("sqlite:///gmv-ledger.db", description="sqlite:///path, redis://host:port/db or rediss://…")
    username: str | None = Field(None, description="Redis ACL user")
    password_file: Path | None = Field(None, description="file that holds the Redis password")
    namespace: str = Field("gmv", pattern=r"^[a-z0-9-]+$", description="first part of every key")
    retry_seconds: float = Field(30.0, gt=0, description="how long an unreachable server is tried before stopping")


class KafkaSettings(_Group):
    """Which log is read, and as whom."""

    brokers: str = Field("localhost:9092", description="host:port, comma-separated")
    topic: str = Field("generated-images", pattern=r"^[a-zA-Z0-9._-]+$", description="where events arrive")
    group: str = Field("gmv", description="consumer group")
    instance_id: str | None = Field(None, description="static membership, one per worker; none: dynamic")
    isolation: Literal["read_committed", "read_uncommitted"] = "read_committed"
    session_seconds: float = Field(30.0, ge=6, description="silence after which a worker is taken for dead")
    heartbeat_seconds: float = Field(3.0, gt=0)
    rebalance_seconds: float = Field(60.0, gt=0, description="above twice the longest run")
    run_records_max: int = Field(128, ge=1, le=1_500, description="most records read, attributed and committed at once")
    retry_seconds: float = Field(30.0, gt=0, description="how long unreachable brokers are tried before stopping")

    @property
    def receipts_topic(self) -> str:
        """Where receipts go."""
        return f"{self.topic}.attributions"

    @property
    def dead_letters_topic(self) -> str:
        """Where poison goes."""
        return f"{self.topic}.dlq"


class WorkerSettings(_Group):
    """How a worker runs; nothing here changes a credit."""

    threads: int = Field(1, ge=1, description="threads for encoding, recall and re-rank (torch, faiss, BLAS)")
    web_bind: str = "127.0.0.1"
    web_port: int = Field(6066, ge=0, le=65_535, description="/metrics, /livez and /readyz")
    stuck_seconds: float = Field(300.0, gt=0, description="assigned, behind, and no run finished: /livez turns 503")
    dead_letters_in_a_row_max: int = Field(100, ge=1, description="consecutive poison per partition before stopping")
    dead_letters_ratio_max: UnitInterval = Field(0.5, description="poison share of the last 1,000 records, ditto")
    log_format: Literal["json", "console"] = "json"
    log_level: Literal["debug", "info", "warning", "error"] = "info"


class Settings(_Group):
    """All groups."""

    index: Path | None = Field(None, description="index folder")
    images: ImageSettings = ImageSettings()
    valuation: ValuationSettings = ValuationSettings()
    ledger: LedgerSettings = LedgerSettings()
    kafka: KafkaSettings = KafkaSettings()
    worker: WorkerSettings = WorkerSettings()


def load(
    config: Path | None = None,
    flags: Mapping[str, Any] | None = None,
    environment: Mapping[str, str] | None = None,
) -> Settings:
    """Merge defaults, the TOML file, the environment and the flags, the later winning.

    Args:
        config: TOML with a table per group.
        flags: dotted name ("ledger.url") -> value; None values are flags that were not given.
        environment: defaults to `os.environ`. `GMV_LEDGER_URL` sets `ledger.url`.

    Raises:
        InvalidSettings: a key is unknown or a value is wrong; the sentence names it and where it came from.
    """
