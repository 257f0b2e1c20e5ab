"""Why no answer came: no broker is there, or one is, and sends its clients to an address that they cannot reach.

A client goes to the brokers that the settings name for one thing alone: to be told where the brokers are
(`advertised.listeners`). It talks to these addresses from then on, and reports them like a cluster that is away.
"""

import asyncio
from typing import Any, Final

from aiokafka.client import create_conn
from aiokafka.conn import collect_hosts
from aiokafka.protocol.metadata import MetadataRequest

from gmv.errors import LogUnavailable
from gmv.kafka.access import connection, greet
from gmv.settings import KafkaSettings

_SECONDS: Final = 3.0


def no_answer(kafka: KafkaSettings, error: Exception) -> LogUnavailable:
    """Return what to say where a client got no answer. Blocking, for some seconds at most.

    Args:
        kafka: whose brokers were asked.
        error: of the client.

    Raises:
        LogRefused: a broker is there and lets us not in.
    """
    greet(kafka)
    if elsewhere := asyncio.run(_unreachable(kafka)):
        return LogUnavailable(
            f"Kafka at {kafka.brokers} answers, and says that its brokers are at {', '.join(elsewhere)}. Clients go "
            "there, whatever kafka.brokers names: set advertised.listeners of the brokers to addresses that this "
            "machine reaches"
        )
    return LogUnavailable(
        f"Kafka at {kafka.brokers} does not answer ({error}); check kafka.brokers, that a broker is up, and that its "
        f"listener is one for kafka.security_protocol {kafka.security_protocol}"
    )


async def _unreachable(kafka: KafkaSettings) -> list[str]:
    """Return the addresses that brokers gave and that nobody answers at, with why; empty where one answers."""
    options = connection(kafka)
    for broker in options.pop("bootstrap_servers"):
        told = await advertised(broker, options)
        complaints = await asyncio.gather(*(_complaint(host, port) for host, port in told))
        if told:
            reached = None in complaints
            return [] if reached else [each for each in complaints if each is not None]
    return []


async def advertised(broker: str, options: dict[str, Any]) -> list[tuple[str, int]]:
    """Ask a broker where the brokers are; nothing where it does not say so.

    Args:
        broker: host and port.
        options: of `connection`, without its servers.
    """
    ((host, port, _),) = collect_hosts(broker)
    try:
        asked = await create_conn(host, port, request_timeout_ms=int(_SECONDS * 1_000), **options)
        try:
            answer: Any = await asked.send(MetadataRequest([]))
        finally:
            asked.close()
    except Exception:  # noqa: BLE001 - of three libraries; the error that brought us here is told then
        return []
    return [(each[1], each[2]) for each in answer.brokers]


async def _complaint(host: str, port: int) -> str | None:
    try:
        _, writer = await asyncio.wait_for(asyncio.open_connection(host, port), _SECONDS)
    except TimeoutError:
        return f"{host}:{port} (no answer within {_SECONDS:g} s)"
    except OSError as error:
        return f"{host}:{port} ({error.strerror or error})"
    writer.close()
    return None
