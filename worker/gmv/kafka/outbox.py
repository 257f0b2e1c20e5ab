"""Receipts and dead letters into Kafka, through the Faust app's producer.

Not through its topics: what they do for each message makes a run's 128 receipts take 24 ms rather than 9.
"""

import asyncio
from collections.abc import Sequence
from typing import Any

import faust
from aiokafka.errors import KafkaError
from faust.exceptions import ProducerSendError
from typing_extensions import override

from gmv.errors import LogUnavailable
from gmv.kafka.access import DENIALS, denied
from gmv.kafka.dead_letters import dead_letter_message
from gmv.kafka.receipts import receipt_headers
from gmv.settings import KafkaSettings
from gmv.stream.ports import DeadLetter, Outbox, SealedReceipt
from gmv.stream.records import Partition

_Message = tuple[str, bytes | None, bytes | None, Any]
"""Topic, key, value and headers."""


class KafkaOutbox(Outbox):
    """Publishes with acks=all and returns once every record is acknowledged."""

    def __init__(self, app: faust.App, kafka: KafkaSettings) -> None:
        self._app = app
        self._kafka = kafka

    @override
    async def publish(
        self, partition: Partition, receipts: Sequence[SealedReceipt], dead_letters: Sequence[DeadLetter]
    ) -> None:
        """Send all, then wait for all.

        Raises:
            LogUnavailable: not all were acknowledged; nothing may be committed.
            LogRefused: this user may not write there; likewise.
        """
        topics = self._kafka
        messages: list[_Message] = [
            (topics.dead_letters_topic, *dead_letter_message(partition, dead_letter, topics.group))
            for dead_letter in dead_letters
        ]
        messages += [(topics.receipts_topic, each.key, each.value, receipt_headers(each)) for each in receipts]
        try:
            producer = await self._app.maybe_start_producer()
            pending = [
                await producer.send(topic, key, value, None, None, headers) for topic, key, value, headers in messages
            ]
            await asyncio.gather(*pending)
        except DENIALS as error:
            raise denied(self._kafka, error) from error
        except (KafkaError, ProducerSendError) as error:
            raise LogUnavailable(
                f"{partition}: receipts or dead letters were not acknowledged by Kafka at {self._kafka.brokers} "
                f"({error}); nothing was committed. Check that {self._kafka.receipts_topic} and "
                f"{self._kafka.dead_letters_topic} exist, take records this large and have their replicas in sync; "
                "and that this machine's clock is right, or that they have message.timestamp.type=LogAppendTime"
            ) from error
