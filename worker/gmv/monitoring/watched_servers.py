"""Decorators around what asks servers, so that it is known whether these answer. They change nothing."""

from collections.abc import Collection, Sequence

from typing_extensions import override

from gmv.kafka.access import SessionLimits
from gmv.kafka.admin import Holder
from gmv.kafka.log import TopicQuestions
from gmv.ledger.around import AroundLedger
from gmv.ledger.port import Answer, Batch, Known, Ledger
from gmv.ledger.position import Position
from gmv.monitoring.reachability import Reachability


class WatchedLedger(AroundLedger):
    """A `Ledger`."""

    def __init__(self, inner: Ledger, server: Reachability) -> None:
        super().__init__(inner)
        self._server = server

    @override
    def positions(self, topic: str, partitions: Collection[int]) -> dict[int, Position]:
        with self._server.asked():
            return super().positions(topic, partitions)

    @override
    def unregistered(self, topic: str, partitions: Collection[int]) -> set[int]:
        with self._server.asked():
            return super().unregistered(topic, partitions)

    @override
    def known(self, partition: int, identities: Sequence[bytes]) -> dict[bytes, Known]:
        with self._server.asked():
            return super().known(partition, identities)

    @override
    def commit(self, batch: Batch) -> Answer:
        with self._server.asked():
            return super().commit(batch)

    @override
    def note(self, topic: str, partition: int) -> str | None:
        with self._server.asked():
            return super().note(topic, partition)

    @override
    def take_note(self, topic: str, partition: int, expected: str | None, text: str) -> bool:
        with self._server.asked():
            return super().take_note(topic, partition, expected, text)


class WatchedTopic(TopicQuestions):
    """`TopicQuestions`: a worker asks for the topic's id with each run, and every 5 s."""

    def __init__(self, inner: TopicQuestions, server: Reachability) -> None:
        self._inner = inner
        self._server = server

    @override
    def topic_id(self) -> str:
        with self._server.asked():
            return self._inner.topic_id()

    @override
    def holder(self, instance_id: str) -> Holder | None:
        with self._server.asked():
            return self._inner.holder(instance_id)

    @override
    def session_limits(self) -> SessionLimits | None:
        return self._inner.session_limits()
