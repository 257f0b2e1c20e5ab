"""How every Kafka client of gmv connects, and what it says when a broker does not let it in: the one place for both."""

import asyncio
import logging
from typing import Any, Final, NamedTuple

from aiokafka.conn import collect_hosts, create_conn
from aiokafka.errors import (
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    InconsistentGroupProtocolError,
    InvalidGroupIdError,
    SaslAuthenticationFailed,
    TopicAuthorizationFailedError,
    UnsupportedSaslMechanismError,
)

from gmv.credentials import names_tls_files, password_of, tls_context, tls_trouble
from gmv.errors import InvalidSettings, LogRefused
from gmv.settings import KafkaSettings

DENIALS: Final = (TopicAuthorizationFailedError, GroupAuthorizationFailedError, ClusterAuthorizationFailedError)
"""What aiokafka raises where a user lacks a right; none of them passes by waiting."""

NO_MEMBER: Final = (InconsistentGroupProtocolError, InvalidGroupIdError)
"""What aiokafka raises where a group takes no member like us, such as one whose members divide partitions otherwise."""

CLIENT_ID: Final = "gmv"
"""How a worker without a name of its own calls itself to brokers; another calls itself by its name in the group."""

_GREETING_SECONDS = 5.0

# As kafka-python does for itself: in a command that keeps no log, Python would print the client's warnings on stderr.
logging.getLogger("aiokafka").addHandler(logging.NullHandler())


def connection(kafka: KafkaSettings) -> dict[str, Any]:
    """Return the options that connect a client of aiokafka or of kafka-python; both know them by the same names.

    Raises:
        InvalidSettings: settings do not fit together, or a file cannot be read.
    """
    options: dict[str, Any] = {
        "bootstrap_servers": [broker.strip() for broker in kafka.brokers.split(",")],
        "security_protocol": kafka.security_protocol,
    }
    if kafka.security_protocol != "PLAINTEXT":
        options["ssl_context"] = tls_context(kafka, "kafka")
    elif names_tls_files(kafka):
        raise InvalidSettings(
            "kafka.ca_file, kafka.cert_file or kafka.key_file is given, and kafka.security_protocol PLAINTEXT uses "
            "none: make it SASL_SSL, or SSL"
        )
    user, password = kafka.username, password_of(kafka, "kafka")
    if kafka.security_protocol == "SASL_SSL":
        if user is None or password is None:
            raise InvalidSettings("kafka.security_protocol SASL_SSL needs kafka.username and kafka.password_file")
        options |= {
            "sasl_mechanism": kafka.sasl_mechanism,
            "sasl_plain_username": user,
            "sasl_plain_password": password,
        }
    elif user is not None or password is not None:
        raise InvalidSettings(
            f"kafka.username or kafka.password_file is given, and kafka.security_protocol {kafka.security_protocol} "
            "sends neither: make it SASL_SSL"
        )
    return options


def greet(kafka: KafkaSettings) -> None:
    """Connect to each broker that the settings name until one lets us in; brokers that are away are passed over.

    The clients themselves treat a password or a certificate that was refused like a broker that is away: they try
    again until their time is over, and then report both alike.

    Raises:
        LogRefused: none let us in, and what one said does not pass by waiting.
        InvalidSettings: see `connection`.
    """
    options = connection(kafka)
    complaints = []
    for broker in options.pop("bootstrap_servers"):
        try:
            asyncio.run(_greet(broker, options))
        except Exception as error:  # noqa: BLE001 - of three libraries; what is no refusal is left to the retries
            complaints += [f"Kafka at {broker}: {said}" for said in (_complaint(kafka, error),) if said]
        else:
            return
    if complaints:
        raise LogRefused("; ".join(complaints))


def denied(kafka: KafkaSettings, error: Exception) -> LogRefused:
    """Return the refusal for a right that this user lacks."""
    who = f"user {kafka.username!r}" if kafka.username else "this client"
    return LogRefused(
        f"Kafka at {kafka.brokers} does not let {who} do that ({error}); SECURITY.md lists the rights that gmv needs"
    )


class SessionLimits(NamedTuple):
    """The shortest and the longest session that a broker lets members of a group have, in seconds."""

    min_seconds: float
    max_seconds: float


def unfit_session(kafka: KafkaSettings, limits: SessionLimits | None) -> str:
    """Return what to say of a session that a broker does not let members of a group have.

    Args:
        kafka: the settings.
        limits: of the broker; None where it does not tell them.
    """
    found = f"kafka.session_seconds is {kafka.session_seconds:g}, "
    if limits is None:
        return (
            f"{found}which the broker lets no member of a group have: set it between the broker's "
            "group.min.session.timeout.ms and group.max.session.timeout.ms"
        )
    low, high = limits
    return (
        f"{found}and the broker lets members of a group have {low:g} to {high:g} (its group.min.session.timeout.ms and "
        "group.max.session.timeout.ms): set it within these, or raise the broker's limit"
    )


def _complaint(kafka: KafkaSettings, error: Exception) -> str | None:
    if isinstance(error, SaslAuthenticationFailed):
        return (
            f"it refuses the user {kafka.username!r} ({error.args[0]}): check kafka.username and the file that "
            "kafka.password_file names"
        )
    if isinstance(error, UnsupportedSaslMechanismError):
        return f"it does not take {kafka.sasl_mechanism}: set kafka.sasl_mechanism to one that its listener enables"
    return tls_trouble(error, "kafka")


async def _greet(broker: str, options: dict[str, Any]) -> None:
    ((host, port, _),) = collect_hosts(broker)
    greeted = await create_conn(host, port, request_timeout_ms=int(_GREETING_SECONDS * 1_000), **options)
    await greeted.close()
