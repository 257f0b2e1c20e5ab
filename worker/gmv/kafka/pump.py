"""The pump: a group member as a service of the Faust app. The rules of crediting are in `stream/membership.py`.

- aiokafka logs and swallows what a rebalance callback raises, so the callbacks end the worker themselves.
- A fatal error crashes the app; where that hangs, a dead-man timer ends the process.
"""

import os
import sys
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Any

from aiokafka import ConsumerRebalanceListener, TopicPartition
from mode import Service

from gmv.errors import Refusal
from gmv.kafka.instance_id import InstanceId
from gmv.kafka.log import KafkaLog, MembershipRefused
from gmv.printable import printable
from gmv.stream.membership import Member
from gmv.stream.records import Partition

DEAD_MAN_SECONDS = 5.0
TOPIC_CHECK_SECONDS = 5.0
LAG_REPORT_SECONDS = 2.0
LEDGER_CHECK_SECONDS = 5.0
LOOK_SECONDS = 1.0


MakeName = Callable[[Callable[[float], Awaitable[object]]], InstanceId]
"""Makes the worker's name in the group of what to sleep by."""


class Ending:
    """How a worker ended.

    Attributes:
        failure: what ended it, None after an orderly stop.
    """

    failure: BaseException | None = None


class Pump(Service, ConsumerRebalanceListener):  # type: ignore[misc]  # neither base is typed
    """A service of the Faust app."""

    def __init__(
        self,
        member: Member,
        log: KafkaLog,
        make_name: MakeName,
        ending: Ending,
        look: Callable[[], None],
        **service: Any,
    ) -> None:
        """Take what is used; `look` is called every second, for who watches."""
        super().__init__(**service)
        self._member = member
        self._kafka_log = log
        self._name = make_name(self.sleep)
        self._ending = ending
        self._look = look

    async def on_start(self) -> None:
        """Join the group."""
        await self._member.begin()
        await self._kafka_log.start(self)

    async def on_stop(self) -> None:
        """Let the run in flight end, report to the lag tools, leave."""
        await self._member.end()
        await self._kafka_log.stop()

    async def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        """Give the partitions up; without cooperative rebalancing these are all of them."""
        async with self._ending_on_failure():
            await self._member.revoke()
            await self._name.wait_while_lost(lambda: bool(self.should_stop))

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """Take the partitions up."""
        async with self._ending_on_failure():
            await self._name.joined()
            await self._member.assign({Partition(each.topic, each.partition) for each in assigned})

    @Service.task
    async def _read(self) -> None:
        async with self._ending_on_failure():
            while not self.should_stop:
                try:
                    await self._member.read_next()
                except MembershipRefused as refused:
                    if not await self._name.is_anothers():
                        raise refused.__cause__ or refused from None
                    await self._join_again()

    async def _join_again(self) -> None:
        """Join by a new client: one that was fenced while it joined would go on as the member that it was."""
        await self._member.revoke()
        await self._kafka_log.stop()
        await self._name.wait_until_free(lambda: bool(self.should_stop))
        if not self.should_stop:
            await self._kafka_log.start(self)

    @Service.task
    async def _credit(self) -> None:
        async with self._ending_on_failure():
            while not self.should_stop:
                await self._member.credit_next(lambda: bool(self.should_stop))

    @Service.timer(1.0)
    async def _assign_dropped(self) -> None:
        async with self._ending_on_failure():
            await self._member.assign_dropped()

    @Service.timer(LEDGER_CHECK_SECONDS)
    async def _check_ledger(self) -> None:
        async with self._ending_on_failure():
            await self._member.check_ledger()

    @Service.timer(LAG_REPORT_SECONDS)
    async def _report_lag(self) -> None:
        await self._member.report_lag()

    @Service.timer(TOPIC_CHECK_SECONDS)
    async def _check_topic(self) -> None:
        async with self._ending_on_failure():
            await self._member.check_topic()

    @Service.timer(LOOK_SECONDS)
    async def _let_look(self) -> None:
        self._look()

    @asynccontextmanager
    async def _ending_on_failure(self) -> AsyncIterator[None]:
        """The one place that handles what nothing else can: end the worker, and let a supervisor start it again."""
        try:
            yield
        except Exception as error:  # noqa: BLE001 - any error: going on would be a worker that only looks alive
            if self._ending.failure is None:
                self._ending.failure = error
                dead_man = threading.Timer(DEAD_MAN_SECONDS, _end_process, [error])
                dead_man.daemon = True
                dead_man.start()
            await self.crash(error)


def exit_code_of(failure: BaseException) -> int:
    """Return what a process ended by this failure exits with."""
    return failure.exit_code if isinstance(failure, Refusal) else os.EX_SOFTWARE


def _end_process(failure: BaseException) -> None:
    """End the process though its event loop hangs: an app that crashed while rejoining was seen never to exit."""
    sys.stderr.write(f"gmv: {printable(str(failure))}\n")
    sys.stderr.flush()
    os._exit(exit_code_of(failure))
