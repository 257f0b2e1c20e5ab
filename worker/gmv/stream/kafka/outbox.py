"""Receipts and dead letters into Kafka, through the Faust app's producer."""

import asyncio
from collections.abc import Awaitable, Sequence
from typing import Any

import faust
from aiokafka.errors import KafkaError
from faust.exceptions import ProducerSendError

from gmv.errors import LogUnavailable
from gmv.settings import KafkaSettings
from gmv.stream.kafka.access import DENIALS, denied
from gmv.stream.kafka.letters import posted
from gmv.stream.ports import DeadLetter, SealedReceipt
from gmv.stream.records import Partition

_JSON = [("content-type", b"application/json")]


class KafkaOutbox:
    """Publishes with acks=all and returns once every record is acknowledged."""

    def __init__(self, app: faust.App, kafka: KafkaSettings) -> None:
        self._kafka = kafka
        self._receipts = _raw_topic(app, kafka.receipts_topic)
        self._dead_letters = _raw_topic(app, kafka.dead_letters_topic)

    async def publish(
        self, partition: Partition, receipts: Sequence[SealedReceipt], dead_letters: Sequence[DeadLetter]
    ) -> None:
        """Send all, then wait for all.

        Raises:
            LogUnavailable: not all were acknowledged; nothing may be committed.
            LogRefused: this user may not write there; likewise.
        """
        try:
            pending = [await self._send_dead_letter(partition, letter) for letter in dead_letters]
            pending += [
                await self._receipts.send(key=receipt.key, value=receipt.value, headers=_receipt_headers(receipt))
                for receipt in receipts
            ]
            await asyncio.gather(*pending)
        except DENIALS as error:
            raise denied(self._kafka, error) from error
        except (KafkaError, ProducerSendError) as error:
            raise LogUnavailable(
                f"{partition}: receipts or dead letters were not acknowledged by Kafka at {self._kafka.brokers} "
                f"({error}); nothing was committed. Check that {self._receipts.get_topic_name()} and "
                f"{self._dead_letters.get_topic_name()} exist, take records this large and have their replicas in sync"
            ) from error

    async def _send_dead_letter(self, partition: Partition, letter: DeadLetter) -> Awaitable[Any]:
        sent: Awaitable[Any] = await self._dead_letters.send(**posted(partition, letter, self._kafka.group)._asdict())
        return sent


def _receipt_headers(receipt: SealedReceipt) -> list[tuple[str, bytes]]:
    return [*_JSON, *(receipt.trace.headers().items() if receipt.trace else ())]


def _raw_topic(app: faust.App, name: str) -> Any:
    return app.topic(name, key_serializer="raw", value_serializer="raw")
