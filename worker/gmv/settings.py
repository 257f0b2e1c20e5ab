"""Every knob, in one place: flags win over the environment (`GMV_…`), it over a TOML file, it over defaults."""

import hashlib
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

import orjson
from pydantic import BaseModel, ConfigDict, Field, IPvAnyNetwork, ValidationError, field_validator

from gmv.errors import InvalidSettings
from gmv.settings_sources import did_you_mean, holds, nested, read_toml

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

PREFIX = "GMV_"
CONFIG_VARIABLE = "GMV_CONFIG"

_TOPIC = r"^[a-zA-Z0-9._-]+$"
_NAMESPACE = r"^[a-z0-9-]+$"
IN_WORDS: Final = {
    _TOPIC: "letters from a to z, digits, dots, underscores and dashes, at least one and no other sign",
    _NAMESPACE: "small letters from a to z, digits and dashes, at least one and no other sign",
}
"""What a value that does not match a pattern should be."""

UnitInterval = Annotated[float, Field(ge=0.0, le=1.0)]


class _Group(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)


class ImageSettings(_Group):
    """What an event's image may be, and where it may come from."""

    root: Path | None = Field(None, description="folder that file URIs must lie under; none: no file URIs")
    schemes: tuple[str, ...] = Field((), description="allowed besides file: https, http, s3, gs, abfs")
    hosts: tuple[str, ...] = Field(
        (), description="hosts and buckets that URIs may name: images.example, cdn.example:8443, *.cdn.example"
    )
    networks: tuple[IPvAnyNetwork, ...] = Field(
        (), description="not public, and yet allowed to the hosts: 10.1.0.0/16. Others are refused at connecting"
    )
    bytes_max: int = Field(20 * 2**20, gt=0, description="largest image file")
    pixels_max: int = Field(50_000_000, gt=0, le=178_956_970, description="largest width x height")
    attempts: int = Field(3, ge=1, le=10, description="tries per URI before it is called unreachable")

    @property
    def record_bytes_max(self) -> int:
        """The largest Kafka record that gmv has to pass on: such an image as base64, twice over, and its envelope."""
        return 2 * self.bytes_max + 2**20

    @field_validator("schemes", "hosts", "networks", mode="before")
    @classmethod
    def _split(cls, listed: Any) -> Any:
        """Let one text carry several, comma-separated, as a flag or a variable has to."""
        return tuple(part.strip() for part in listed.split(",") if part.strip()) if isinstance(listed, str) else listed


class ValuationSettings(_Group):
    """What decides credits; its digest stands in every receipt."""

    candidates: int = Field(100, gt=0, le=10_000, description="M, training images recalled per event")
    contributors: int = Field(10, gt=0, le=1_000, description="K, training images credited per event")
    temperature: float = Field(1.0, gt=0.0, allow_inf_nan=False, description="tau of the softmax; 1 is GMValuator's")

    @property
    def digest(self) -> str:
        """16 hex digits over all that decides a credit here."""
        return hashlib.sha256(orjson.dumps(self.model_dump(), option=orjson.OPT_SORT_KEYS)).hexdigest()[:16]


class OwnersSettings(_Group):
    """What owners have said since the index was built; decides credits, too, and stands in every receipt's digest."""

    file: Path | None = Field(None, description="JSON lines: who opted out, and whose an image is now")
    opted_out: Literal["unpaid", "left_out"] = Field(
        "unpaid", description="whether nobody is paid the share of what is opted out, or the others share all"
    )


class Guarded(_Group):
    """Who we are to a server, and how we know it; secrets are files, whose first line counts."""

    username: str | None = Field(None, description="user that the server knows")
    password_file: Path | None = Field(None, description="file that holds the user's password")
    ca_file: Path | None = Field(None, description="PEM of the authorities trusted to sign; none: this machine's")
    cert_file: Path | None = Field(None, description="PEM of our own certificate, where the server wants one")
    key_file: Path | None = Field(None, description="PEM of its private key, without a password")


class LedgerSettings(Guarded):
    """Where credits are kept."""

    url: str = Field(
        "sqlite:///gmv-ledger.db",
        description="sqlite:///path, redis://host:port/db or redis+cluster://host:port,host:port; or with rediss",
    )
    namespace: str = Field("gmv", pattern=_NAMESPACE, description="first part of every key")
    retry_seconds: float = Field(30.0, gt=0, description="how long an unreachable server is tried before stopping")


class KafkaSettings(Guarded):
    """Which log is read, and as whom."""

    brokers: str = Field("localhost:9092", description="host:port, comma-separated")
    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_SSL"] = Field(
        "PLAINTEXT", description="of the brokers' listener; a password is sent over an encrypted connection only"
    )
    sasl_mechanism: Literal["SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN"] = "SCRAM-SHA-512"
    topic: str = Field("generated-images", pattern=_TOPIC, description="where events arrive")
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

    threads: int = Field(
        1, ge=1, description="events encoded, recalled and re-ranked side by side; all else takes one thread"
    )
    web_bind: str = "127.0.0.1"
    web_port: int = Field(6066, ge=1, le=65_535, description="/metrics, /livez and /readyz")
    stuck_seconds: float = Field(300.0, gt=0, description="assigned, behind, and no run finished: /livez turns 503")
    dead_letters_in_a_row_max: int = Field(100, ge=1, description="consecutive poison per partition before stopping")
    dead_letters_ratio_max: UnitInterval = Field(0.5, description="poison share of the last 1,000 records, ditto")
    crashes_per_record_max: int = Field(3, ge=1, description="workers a record may end before it is dead-lettered")
    log_format: Literal["json", "console"] = "json"
    log_level: Literal["debug", "info", "warning", "error"] = "info"


class TracingSettings(_Group):
    """Spans of OpenTelemetry; nothing here changes a credit."""

    enabled: bool = Field(
        False, description="spans of runs, by OTLP over HTTP, as OTEL_… variables say; needs the extra `tracing`"
    )


class Settings(_Group):
    """All groups."""

    index: Path | None = Field(None, description="index folder")
    images: ImageSettings = ImageSettings()
    valuation: ValuationSettings = ValuationSettings()
    owners: OwnersSettings = OwnersSettings()
    ledger: LedgerSettings = LedgerSettings()
    kafka: KafkaSettings = KafkaSettings()
    worker: WorkerSettings = WorkerSettings()
    tracing: TracingSettings = TracingSettings()

    def redacted(self) -> dict[str, Any]:
        """All settings as JSON values, fit for a log: passwords inside URLs are blotted out."""
        values = self.model_dump(mode="json")
        values["ledger"]["url"] = redact(values["ledger"]["url"])
        return values


def redact(text: str) -> str:
    """Blot out the passwords of URLs in a text: between user and host, and in a query."""
    return re.sub(r"(password=)[^&\s'\"]*", r"\1***", re.sub(r"(://[^:@/\s]*:)\S*@", r"\1***@", text))


def load(
    config: Path | None = None,
    flags: Mapping[str, Any] | None = None,
    environment: Mapping[str, str] | None = None,
) -> Settings:
    """Merge defaults, the TOML file, the environment and the flags, the later winning.

    Args:
        config: TOML with a table per group; where None, `GMV_CONFIG` may name one.
        flags: dotted name ("ledger.url") -> value; None values are flags that were not given.
        environment: defaults to `os.environ`. `GMV_LEDGER_URL` sets `ledger.url`; an empty value sets nothing.

    Raises:
        InvalidSettings: a key is unknown or a value is wrong; the sentence names it and where it came from.
    """
    environment = os.environ if environment is None else environment
    variables = {name: value for name, value in environment.items() if name.startswith(PREFIX) and value}
    _refuse_unknown(variables)
    path = config or (Path(variables[CONFIG_VARIABLE]) if CONFIG_VARIABLE in variables else None)
    given = _Given(nested(flags or {}), variables, read_toml(path) if path else {}, path)
    try:
        return _merge(given)
    except ValidationError as error:
        problems = error.errors(include_url=False)
        raise InvalidSettings("; ".join(given.explain(problem) for problem in problems)) from None


@dataclass(frozen=True)
class _Given:
    """What each source says, and which of them a key came from."""

    flags: Mapping[str, Any]
    variables: Mapping[str, str]
    table: Mapping[str, Any]
    path: Path | None

    def explain(self, problem: "ErrorDetails") -> str:
        key = problem["loc"][:2]
        name = ".".join(map(str, key))
        if problem["type"] == "extra_forbidden":  # without its value, which may be a secret put in a wrong place
            return f"{self._origin(key)} sets {name}, which is no setting of gmv{did_you_mean(name, _names())}"
        return f"{self._origin(key)} sets {name} to {redact(repr(problem['input']))}: {_wish(problem)}"

    def _origin(self, key: tuple[str | int, ...]) -> str:
        if holds(self.flags, key):
            return "the command line"
        if (variable := _variable(key)) in self.variables:
            return f"the environment variable {variable}"
        return f"the file {self.path}"


def _wish(problem: "ErrorDetails") -> str:
    match problem["type"]:
        case "model_type":
            return "it should be a table"
        case "string_pattern_mismatch":
            return f"it should be {IN_WORDS[problem['ctx']['pattern']]}"
    return re.sub(r"^\w+ should", "it should", problem["msg"])


def _merge(given: _Given) -> Settings:
    """Let pydantic-settings do it; imported here, since it takes longer to load than most commands to run."""
    from pydantic_settings import (
        BaseSettings,
        EnvSettingsSource,
        InitSettingsSource,
        PydanticBaseSettingsSource,
        SettingsConfigDict,
    )

    class Layered(BaseSettings, Settings):
        model_config = SettingsConfigDict(
            env_prefix=PREFIX, env_nested_delimiter="_", env_nested_max_split=1, enable_decoding=False
        )

        @classmethod
        def settings_customise_sources(
            cls, settings_cls: type[BaseSettings], *_: PydanticBaseSettingsSource, **__: PydanticBaseSettingsSource
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            flags, table = (InitSettingsSource(settings_cls, dict(values)) for values in (given.flags, given.table))
            environment = EnvSettingsSource(settings_cls)
            environment.env_vars = {name.lower(): value for name, value in given.variables.items()}
            return flags, environment, table

    return Settings(**dict(Layered()))


def _names() -> list[str]:
    """Every setting, dotted."""
    names: list[str] = []
    for name, field in Settings.model_fields.items():
        group: Any = field.annotation
        is_group = isinstance(group, type) and issubclass(group, BaseModel)
        names += [f"{name}.{inner}" for inner in group.model_fields] if is_group else [name]
    return names


def _variable(key: Iterable[str | int]) -> str:
    return PREFIX + "_".join(map(str, key)).upper()


def _refuse_unknown(variables: Iterable[str]) -> None:
    """Refuse variables that would set nothing: a misspelt one must not leave a default in force unnoticed."""
    known = [CONFIG_VARIABLE, *(_variable(name.split(".")) for name in _names())]
    unknown = [name for name in variables if name not in known]
    if unknown:
        problems = (f"the environment variable {name} sets nothing{did_you_mean(name, known)}" for name in unknown)
        raise InvalidSettings("; ".join(problems))
